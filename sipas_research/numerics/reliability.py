"""Cronbach's alpha and its item statistics, from the covariance matrix of one scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import fdtri

from sipas_research.numerics.correlation import Array, covariance, covariance_to_correlation, read_only

#: Counts held at once while drawing bootstrap samples: 32 MB.
_MOST_COUNTS = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Alpha:
    """Internal consistency of k items answered by n people.

    Attributes
    ----------
    alpha : float
        Cronbach's alpha of the raw items; at most 1, may be negative.
    standardized : float
        Alpha of the items at unit variance.
    conf_low, conf_high : float
        Feldt's interval.
    mean_correlation : float
        Mean correlation between two items.
    means, standard_deviations : (k,) arrays
        Of each item, in answer units.
    item_total : (k,) array
        Correlation of an item with the sum of the others; NaN where that sum does not vary.
    alpha_if_deleted : (k,) array
        Alpha of the other items; NaN where fewer than two are left.
    mean_if_deleted, variance_if_deleted : (k,) arrays
        Of the sum of the other items.
    """

    alpha: float
    standardized: float
    conf_low: float
    conf_high: float
    mean_correlation: float
    means: Array
    standard_deviations: Array
    item_total: Array
    alpha_if_deleted: Array
    mean_if_deleted: Array
    variance_if_deleted: Array


def alpha_from_covariance(matrix: Array) -> float:
    """Return Cronbach's (1951, eq. 2) alpha of a (k, k) covariance matrix; NaN if k < 2 or the sum is constant."""
    size, total = matrix.shape[0], float(matrix.sum())
    if size < 2 or not total > 0:
        return float("nan")
    return size / (size - 1) * (1.0 - float(np.trace(matrix)) / total)


def feldt_interval(alpha: float, rows: int, items: int, *, level: float = 0.95) -> tuple[float, float]:
    """Return Feldt's (1965) interval: (1 - population alpha) / (1 - alpha) follows F with n - 1 and (n - 1)(k - 1) df.

    Parameters
    ----------
    alpha : float
        Sample alpha.
    rows, items : int
        People n and items k.
    level : float
        Coverage in (0, 1).

    Returns
    -------
    tuple of float
        Lower and upper end; NaN where alpha is NaN or fewer than two rows or items are given.
    """
    if not np.isfinite(alpha) or rows < 2 or items < 2:
        return float("nan"), float("nan")
    first, second, tail = rows - 1.0, (rows - 1.0) * (items - 1.0), (1.0 - level) / 2.0
    # fdtri inverts the distribution function; the upper point is taken through the reciprocal, so no tail is lost
    upper_point = 1.0 / fdtri(second, first, tail)
    lower_point = fdtri(first, second, tail)
    return float(1.0 - (1.0 - alpha) * upper_point), float(1.0 - (1.0 - alpha) * lower_point)


def bootstrap_alphas(values: Array, draws: int, generator: np.random.Generator) -> Array:
    """Return alpha of samples of people drawn with replacement (Efron & Tibshirani 1993, chapter 6).

    Equal rows are drawn together, as counts from a multinomial distribution: with few answer categories this
    costs little however many people there are.

    Parameters
    ----------
    values : (n, k) array
        Complete rows.
    draws : int
    generator : Generator

    Returns
    -------
    (draws,) array
        NaN where the sum score of a sample did not vary.
    """
    centred = values - values.mean(axis=0)
    patterns, counts = np.unique(centred, axis=0, return_counts=True)
    rows, size = values.shape
    sums = np.column_stack([patterns, patterns.sum(axis=1)])
    powers = np.column_stack([sums, sums**2])
    found = np.empty(draws)
    step = max(1, _MOST_COUNTS // len(counts))
    for start in range(0, draws, step):
        drawn = generator.multinomial(rows, counts / rows, size=min(step, draws - start))
        moments = drawn @ powers / rows
        variances = moments[:, size + 1 :] - moments[:, : size + 1] ** 2
        total = variances[:, -1]
        ratio = np.full(len(drawn), np.nan)
        np.divide(variances[:, :-1].sum(axis=1), total, out=ratio, where=total > 1e-12 * powers[:, -1].max())
        found[start : start + len(drawn)] = size / (size - 1) * (1.0 - ratio)
    return read_only(found)


def percentile_interval(draws: Array, *, level: float = 0.95) -> tuple[float, float]:
    """Return the percentile interval of bootstrap draws; NaN where fewer than half of them exist."""
    exist = draws[np.isfinite(draws)]
    if exist.size == 0 or exist.size < draws.size / 2:
        return float("nan"), float("nan")
    low, high = np.quantile(exist, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return float(low), float(high)


def cronbach_alpha(values: Array, *, level: float = 0.95) -> Alpha:
    """Return alpha and the item statistics of one scale.

    Parameters
    ----------
    values : (n, k) array
        Complete rows, k >= 2, no constant column.
    level : float
        Coverage of the interval.

    Raises
    ------
    ValueError
        If there are fewer than two items or rows, or a column is constant.
    """
    rows, size = values.shape
    if size < 2:
        raise ValueError("alpha needs two items")
    matrix = covariance(values)
    correlations = covariance_to_correlation(matrix)
    variances, with_total, total = np.diag(matrix), matrix.sum(axis=0), float(matrix.sum())
    others = total - 2.0 * with_total + variances
    # a rest that is constant up to rounding has no correlation
    others = np.where(others > 1e-12 * max(total, float(variances.max())), others, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        item_total = np.where(others > 0, (with_total - variances) / np.sqrt(variances * others), np.nan)
        rest = variances.sum() - variances
        deleted = (size - 1) / (size - 2) * (1.0 - rest / others) if size > 2 else np.full(size, np.nan)
    alpha = alpha_from_covariance(matrix)
    means = values.mean(axis=0)
    low, high = feldt_interval(alpha, rows, size, level=level)
    return Alpha(
        alpha=alpha,
        standardized=alpha_from_covariance(correlations),
        conf_low=low,
        conf_high=high,
        mean_correlation=float((correlations.sum() - size) / (size * (size - 1))),
        means=read_only(means),
        standard_deviations=read_only(np.sqrt(variances)),
        item_total=read_only(item_total),
        alpha_if_deleted=read_only(np.where(others > 0, deleted, np.nan)),
        mean_if_deleted=read_only(means.sum() - means),
        variance_if_deleted=read_only(others),
    )
