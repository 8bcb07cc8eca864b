"""Signs of careless answering, one value a person, from a matrix of answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from sipas_research.numerics.correlation import Array, covariance, covariance_to_correlation, is_constant, is_singular

#: A correlation over fewer points than this says nothing about a person.
FEWEST_SCALES = 3


def longest_run(values: Array) -> NDArray[np.int64]:
    """Return each person's longest run of equal consecutive answers (Johnson 2005, J. Res. Pers. 39, 103-129).

    Parameters
    ----------
    values : (n, p) array
        Answers in the order of the form; NaN where there is none: a run goes on over it.

    Returns
    -------
    (n,) array of int
        0 for a person without answers.
    """
    rows = values.shape[0]
    last = np.full(rows, np.nan)
    run, longest = np.zeros(rows, dtype=np.int64), np.zeros(rows, dtype=np.int64)
    for column in values.T:
        answered = ~np.isnan(column)
        run = np.where(answered, np.where(column == last, run + 1, 1), run)
        last = np.where(answered, column, last)
        longest = np.maximum(longest, run)
    return longest


def is_straight(values: Array, *, fewest: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return who answered at least ``fewest`` items, and who of them gave one and the same answer to all."""
    counts = np.logical_not(np.isnan(values)).sum(axis=1)
    checked: NDArray[np.bool_] = counts >= fewest
    low = np.where(np.isnan(values), np.inf, values).min(axis=1, initial=np.inf)
    high = np.where(np.isnan(values), -np.inf, values).max(axis=1, initial=-np.inf)
    return checked, checked & (low == high)


def mahalanobis_tail(values: Array) -> Array:
    """Return the upper tail of each complete row's squared Mahalanobis distance under a normal distribution.

    The squared distance from the mean follows chi-square with p degrees of freedom (Mahalanobis 1936).

    Parameters
    ----------
    values : (n, p) array

    Returns
    -------
    (n,) array
        NaN for incomplete rows, and for all where fewer than p + 2 rows are complete, fewer than two columns
        vary, or the columns that vary have a singular correlation matrix.
    """
    tails = np.full(values.shape[0], np.nan)
    rows = np.logical_not(np.isnan(values).any(axis=1))
    complete = values[rows]
    if complete.shape[0] < 2:
        return tails
    complete = complete[:, ~is_constant(complete)]
    size = complete.shape[1]
    if size < 2 or complete.shape[0] < size + 2:
        return tails
    matrix = covariance(complete)
    if is_singular(covariance_to_correlation(matrix)):
        return tails
    centred = complete - complete.mean(axis=0)
    distances = np.einsum("ij,ij->i", centred, np.linalg.solve(matrix, centred.T).T)
    tails[rows] = chdtrc(size, distances)
    return tails


def even_odd_consistency(values: Array, scales: Sequence[Sequence[int]]) -> Array:
    """Return the correlation, over scales, of a person's means of odd and of even items, stepped up to full length.

    The step is Spearman-Brown's 2r / (1 + r) (Jackson 1976; Curran 2016, J. Exp. Soc. Psychol. 66, 4-19), with r
    held at 0 at least: a negative r has no step.

    Parameters
    ----------
    values : (n, p) array
        Answers with high = good; NaN where there is none.
    scales : sequence of sequences of int
        Columns of each scale; scales of one item are not used.

    Returns
    -------
    (n,) array
        NaN where fewer than three scales have both halves or a half does not vary over them.
    """
    used = [list(columns) for columns in scales if len(columns) > 1]
    if len(used) < FEWEST_SCALES:
        return np.full(values.shape[0], np.nan)
    halves = [np.column_stack([_row_means(values[:, s[start::2]]) for s in used]) for start in (0, 1)]
    both = np.logical_not(np.isnan(halves[0]) | np.isnan(halves[1]))
    counts = both.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        centred = []
        for half in halves:
            means = np.where(both, half, 0.0).sum(axis=1) / counts
            centred.append(np.where(both, half - means[:, None], 0.0))
        odd, even = centred
        spread = np.sqrt((odd**2).sum(axis=1) * (even**2).sum(axis=1))
        # means of equal answers may differ in the last digit
        r = np.where(spread > 1e-12, (odd * even).sum(axis=1) / spread, np.nan)
    r = np.where(counts >= FEWEST_SCALES, np.clip(r, -1.0, 1.0), np.nan)
    return np.asarray(np.where(r < 0, 0.0, 2 * r / (1 + np.maximum(r, 0.0))))


def _row_means(values: Array) -> Array:
    answered = np.logical_not(np.isnan(values))
    counts = answered.sum(axis=1)
    sums = np.where(answered, values, 0.0).sum(axis=1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def homogeneity(hits: NDArray[np.int64], sizes: NDArray[np.int64]) -> tuple[float, int, float]:
    """Return Pearson's chi-square of equal shares over groups, its degrees of freedom and upper tail.

    NaN where there are fewer than two groups, nobody or everybody was hit, or fewer than one hit a group is
    expected on average (Koehler & Larntz 1980 find the approximation sound down to about there).

    Parameters
    ----------
    hits, sizes : (groups,) arrays of int
        People hit and people in all; empty groups are left out.
    """
    hits, sizes = hits[sizes > 0], sizes[sizes > 0]
    total, groups = int(hits.sum()), len(sizes)
    if groups < 2 or total in {0, int(sizes.sum())} or min(total, int(sizes.sum()) - total) < groups:
        return float("nan"), max(groups - 1, 0), float("nan")
    share = total / sizes.sum()
    statistic = float((((hits - sizes * share) ** 2) / (sizes * share * (1 - share))).sum())
    return statistic, groups - 1, float(chdtrc(groups - 1, statistic))
