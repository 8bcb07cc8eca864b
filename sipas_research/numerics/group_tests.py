"""Tests of equal means and equal variances between independent groups, from sizes, means and variances.

Closed forms; tails are survival functions, so a p-value of 1e-30 is not zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import fdtrc, ncfdtr

from sipas_research.numerics.correlation import Array
from sipas_research.numerics.intervals import t_quantile, t_tails

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class MeanTest:
    """A statistic with its degrees of freedom and p-value; ``estimate`` and its interval where a difference is tested.

    NaN where the statistic does not exist (no spread, too few people).
    """

    statistic: float
    df1: float
    df2: float
    p_value: float
    estimate: float = NAN
    std_error: float = NAN
    conf_low: float = NAN
    conf_high: float = NAN


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect size with its interval (NaN ends where none is given)."""

    estimate: float
    conf_low: float = NAN
    conf_high: float = NAN


def _moments(groups: Sequence[Array]) -> tuple[Array, Array, Array]:
    sizes = np.array([len(g) for g in groups], dtype=float)
    means = np.array([g.mean() for g in groups])
    variances = np.array([g.var(ddof=1) for g in groups])
    return sizes, means, variances


def student_t(first: Array, second: Array, level: float) -> MeanTest:
    """Return Student's test of two means with one variance for both (Student 1908; Fisher 1925)."""
    (n1, n2), (m1, m2), (v1, v2) = _moments([first, second])
    df = n1 + n2 - 2
    pooled = ((n1 - 1) * v1 + (n2 - 1) * v2) / df
    return _t_test(m1 - m2, math.sqrt(pooled * (1 / n1 + 1 / n2)), df, level)


def welch_t(first: Array, second: Array, level: float) -> MeanTest:
    """Return Welch's test of two means with a variance for each (Welch 1947; Satterthwaite 1946 for df)."""
    (n1, n2), (m1, m2), (v1, v2) = _moments([first, second])
    error = v1 / n1 + v2 / n2
    if error == 0:
        return MeanTest(NAN, 1.0, NAN, NAN, m1 - m2)
    df = error**2 / ((v1 / n1) ** 2 / (n1 - 1) + (v2 / n2) ** 2 / (n2 - 1))
    return _t_test(m1 - m2, math.sqrt(error), df, level)


def _t_test(difference: float, error: float, df: float, level: float) -> MeanTest:
    if error == 0:
        return MeanTest(NAN, 1.0, df, NAN, difference)
    reach = t_quantile(level, df) * error
    t = difference / error
    return MeanTest(t, 1.0, df, t_tails(t, df), difference, error, difference - reach, difference + reach)


def anova(groups: Sequence[Array]) -> MeanTest:
    """Return the one-way analysis of variance: mean square between over mean square within (Fisher 1925)."""
    between, within = sums_of_squares(groups)
    df1, df2 = len(groups) - 1.0, float(sum(map(len, groups)) - len(groups))
    if within == 0 or df1 == 0:
        return MeanTest(NAN, df1, df2, NAN)
    f = (between / df1) / (within / df2)
    return MeanTest(f, df1, df2, float(fdtrc(df1, df2, f)))


def sums_of_squares(groups: Sequence[Array]) -> tuple[float, float]:
    """Return the sums of squares between groups and within them."""
    sizes, means, variances = _moments(groups)
    centre = float(sizes @ means / sizes.sum())
    return float(sizes @ (means - centre) ** 2), float((sizes - 1) @ variances)


def welch_anova(groups: Sequence[Array]) -> MeanTest:
    """Return Welch's analysis of variance, which lets variances differ (Welch 1951, Biometrika 38, 330-336)."""
    sizes, means, variances = _moments(groups)
    count = len(groups)
    if (variances == 0).any():
        return MeanTest(NAN, count - 1.0, NAN, NAN)
    weights = sizes / variances
    total = weights.sum()
    centre = weights @ means / total
    spread = float(np.sum((1 - weights / total) ** 2 / (sizes - 1)))
    top = float(weights @ (means - centre) ** 2) / (count - 1)
    f = top / (1 + 2 * (count - 2) / (count**2 - 1) * spread)
    df2 = (count**2 - 1) / (3 * spread)
    return MeanTest(f, count - 1.0, df2, float(fdtrc(count - 1.0, df2, f)))


def levene(groups: Sequence[Array], *, centre: str = "mean") -> MeanTest:
    """Return the test of equal variances on distances from the mean, or from the median.

    "mean": Levene (1960), as SPSS prints it; "median": Brown & Forsythe (1974), JASA 69, 364-367, which skewed
    answers disturb less.
    """
    middle = np.mean if centre == "mean" else np.median
    return anova([np.abs(g - middle(g)) for g in groups])


def cohen_d(first: Array, second: Array, level: float) -> Effect:
    """Return the difference in pooled standard deviations with Hedges and Olkin's large-sample interval.

    Cohen (1988); Hedges & Olkin (1985), Statistical Methods for Meta-Analysis, equation 5.15.
    """
    (n1, n2), (m1, m2), (v1, v2) = _moments([first, second])
    pooled = math.sqrt(((n1 - 1) * v1 + (n2 - 1) * v2) / (n1 + n2 - 2))
    if pooled == 0:
        return Effect(NAN)
    d = (m1 - m2) / pooled
    reach = t_quantile(level, math.inf) * math.sqrt((n1 + n2) / (n1 * n2) + d**2 / (2 * (n1 + n2)))
    return Effect(d, d - reach, d + reach)


def hedges_g(first: Array, second: Array, level: float) -> Effect:
    """Return Cohen's d times 1 - 3 / (4 (n1 + n2) - 9), its correction for bias (Hedges 1981)."""
    factor = 1 - 3 / (4 * (len(first) + len(second)) - 9)
    d = cohen_d(first, second, level)
    return Effect(d.estimate * factor, d.conf_low * factor, d.conf_high * factor)


def eta_squared(test: MeanTest, level: float) -> Effect:
    """Return the share of variance between groups with its interval from the noncentral F.

    df1 F / (df1 F + df2); ends lambda / (lambda + df1 + df2 + 1) (Steiger 2004, Psychological Methods 9, 164-182).
    """
    if not math.isfinite(test.statistic):
        return Effect(NAN)
    share = test.df1 * test.statistic / (test.df1 * test.statistic + test.df2)
    rows = test.df1 + test.df2 + 1
    low, high = (_noncentrality(test, tail) for tail in ((1 + level) / 2, (1 - level) / 2))
    return Effect(share, low / (low + rows), high / (high + rows))


def omega_squared(test: MeanTest) -> Effect:
    """Return Hays's less biased share of variance: df1 (F - 1) / (df1 (F - 1) + n); may fall below zero."""
    if not math.isfinite(test.statistic):
        return Effect(NAN)
    top = test.df1 * (test.statistic - 1)
    return Effect(top / (top + test.df1 + test.df2 + 1))


def _noncentrality(test: MeanTest, share: float) -> float:
    """Return the noncentrality at which F is exceeded with probability 1 - ``share``; 0 where there is none."""

    def gap(noncentrality: float) -> float:
        return float(ncfdtr(test.df1, test.df2, noncentrality, test.statistic)) - share

    if gap(0.0) <= 0:
        return 0.0
    highest = max(test.df1 * test.statistic, 1.0)
    while gap(highest) > 0:
        highest *= 2.0
    return float(brentq(gap, 0.0, highest, xtol=1e-9))
