"""Variance between and within groups of unequal size, and agreement within one group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import fdtrc, fdtri

from sipas_research.numerics.correlation import Array

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class OneWay:
    """One-way random-effects analysis of variance.

    Attributes
    ----------
    groups, rows : int
        Groups with at least one person, and people.
    mean_size : float
        k0, the size that unequal groups are worth: (n - sum of n_j^2 / n) / (groups - 1).
    between, within : float
        Mean squares.
    statistic, df1, df2, p_value : float
        F of equal group means.
    icc1, icc1_low, icc1_high : float
        Share of the variance that lies between groups; below 0 where groups differ less than chance allows.
    icc2, icc2_low, icc2_high : float
        Reliability of the mean of a group of size k0.
    """

    groups: int
    rows: int
    mean_size: float
    between: float
    within: float
    statistic: float
    df1: float
    df2: float
    p_value: float
    icc1: float
    icc1_low: float
    icc1_high: float
    icc2: float
    icc2_low: float
    icc2_high: float


def one_way(values: Array, member: np.ndarray, *, level: float = 0.95) -> OneWay | None:
    """Return ICC(1) and ICC(2) of one score (Bliese 2000) with intervals from F (Shrout & Fleiss 1979).

    The intervals are exact for normal scores in groups of equal size. For unequal groups k0 stands in for the size,
    which keeps their coverage near its level unless sizes differ widely (Donner & Wells 1986, Biometrics 42, 401-412).

    Parameters
    ----------
    values : (n,) array
        Finite scores.
    member : (n,) array of int
        Group of each person, from 0.
    level : float
        Coverage in (0, 1).

    Returns
    -------
    OneWay or None
        None for fewer than two groups, no group of two people, or scores that are all equal.
    """
    places = np.unique(member, return_inverse=True)[1]
    sizes = np.bincount(places).astype(float)
    groups, rows = len(sizes), len(values)
    if groups < 2 or rows <= groups:
        return None
    means = np.bincount(places, weights=values) / sizes
    left = values - means[places]
    between = float(sizes @ (means - values.mean()) ** 2) / (groups - 1)
    within = float(left @ left) / (rows - groups)
    scale = max(float(np.abs(values).max()), 1.0) ** 2
    if max(between, within) <= 1e-20 * scale:
        return None
    mean_size = float((rows - (sizes**2).sum() / rows) / (groups - 1))
    df1, df2 = groups - 1.0, float(rows - groups)
    statistic = between / within if within > 1e-20 * scale else float("inf")
    tail = (1.0 - level) / 2.0
    # upper points through the reciprocal, so that no tail is lost
    low = statistic * float(fdtri(df2, df1, tail))
    high = statistic / float(fdtri(df1, df2, tail))
    return OneWay(
        groups,
        rows,
        mean_size,
        between,
        within,
        statistic,
        df1,
        df2,
        float(fdtrc(df1, df2, statistic)),
        *(_single(f, mean_size) for f in (statistic, low, high)),
        *(_mean(f) for f in (statistic, low, high)),
    )


def _single(ratio: float, size: float) -> float:
    return 1.0 if np.isinf(ratio) else (ratio - 1.0) / (ratio + size - 1.0)


def _mean(ratio: float) -> float:
    return 1.0 - 1.0 / ratio if ratio > 0 else -float("inf")


def size_for_reliability(icc1: float, reliability: float) -> float:
    """Return how many people a group needs for its mean to be this reliable (Spearman-Brown); NaN if icc1 <= 0."""
    return reliability * (1.0 - icc1) / ((1.0 - reliability) * icc1) if icc1 > 0 else NAN


#: Variance of a response that leans a little to the good side: shares 0.05, 0.15, 0.20, 0.35, 0.25 of five answers
#: (James, Demaree & Wolf 1984; LeBreton & Senter 2008, Table 2).
SLIGHT_SKEW = {5: 1.34}


def null_variance(categories: int, null: str) -> float:
    """Return the variance of random answers over ``categories`` equally spaced answers: "uniform" or "slight_skew".

    NaN where the slightly skewed distribution is not tabulated for that number of answers.
    """
    return (categories**2 - 1) / 12.0 if null == "uniform" else SLIGHT_SKEW.get(categories, NAN)


def within_group_agreement(variances: Array, null: float) -> float:
    """Return rwg of one item or rwg(j) of several (James, Demaree & Wolf 1984, J. Appl. Psychol. 69, eqs. 1, 2).

    Parameters
    ----------
    variances : (j,) array
        Observed variance of each item within the group, divisor n - 1.
    null : float
        Variance under no agreement.

    Returns
    -------
    float
        At most 1. Where the answers vary more than under no agreement the value has no meaning; it is given as the
        formula has it (rwg) or NaN (rwg(j), whose formula breaks down), for the caller to say so.
    """
    ratio = float(variances.mean()) / null
    if variances.size == 1:
        return 1.0 - ratio
    agreed = variances.size * (1.0 - ratio)
    return agreed / (agreed + ratio) if ratio <= 1.0 else NAN
