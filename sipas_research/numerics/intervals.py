"""Confidence intervals of shares and means, from an estimate, its standard error and degrees of freedom."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import betaincinv, stdtr, stdtrit


def t_quantile(level: float, df: float) -> float:
    """Return the two-sided Student quantile of a confidence ``level`` (0-1); NaN below one degree of freedom."""
    return float(stdtrit(df, (1.0 + level) / 2.0)) if df >= 1 else math.nan


def t_tails(statistic: float, df: float) -> float:
    """Return the two-sided p-value of a Student statistic from its lower tail; NaN below one degree of freedom."""
    return float(2.0 * stdtr(df, -abs(statistic))) if df >= 1 else math.nan


def logit_interval(estimate: float, std_error: float, df: float, level: float = 0.95) -> tuple[float, float]:
    """Return an interval that stays inside 0-1: a Student interval of log(p / (1 - p)), turned back.

    Korn and Graubard, Analysis of Health Surveys (1999), section 2.3; the standard error of the logit is
    std_error / (p (1 - p)).

    Parameters
    ----------
    estimate, std_error : float
        On the 0-1 scale, ``estimate`` strictly inside.
    df : float
        Degrees of freedom of the design.
    level : float
        Confidence level, strictly between 0 and 1.

    Returns
    -------
    tuple of float
        Lower and upper end, 0-1; NaN where there is no degree of freedom.
    """
    centre = math.log(estimate / (1.0 - estimate))
    reach = t_quantile(level, df) * std_error / (estimate * (1.0 - estimate))
    if math.isnan(reach):
        return math.nan, math.nan
    # a wide interval may leave the range of exp; the ends are then 0 and 1
    low, high = (1.0 / (1.0 + np.exp(np.clip(-(centre + side * reach), -700, 700))) for side in (-1.0, 1.0))
    return float(low), float(high)


def exact_interval(share: float, n_effective: float, level: float = 0.95) -> tuple[float, float]:
    """Return the Clopper-Pearson interval of a share with a sample size that need not be whole.

    Clopper and Pearson 1934; Korn and Graubard 1998 (Survey Methodology 24) put the effective sample size
    in place of n. It is the interval that still exists when all answers agree (``share`` 0 or 1).

    Parameters
    ----------
    share : float
        0-1, ends included.
    n_effective : float
        Positive.
    level : float
        Confidence level, strictly between 0 and 1.

    Returns
    -------
    tuple of float
        Lower and upper end, 0-1.
    """
    tail, hits = (1.0 - level) / 2.0, share * n_effective
    misses = n_effective - hits
    low = 0.0 if hits <= 0 else float(betaincinv(hits, misses + 1.0, tail))
    high = 1.0 if misses <= 0 else float(betaincinv(hits + 1.0, misses, 1.0 - tail))
    return low, high


def effective_size(weights: np.ndarray) -> float:
    """Return Kish's effective sample size, (sum w)^2 / sum w^2; equal weights give n."""
    return float(weights.sum() ** 2 / (weights**2).sum()) if len(weights) else 0.0
