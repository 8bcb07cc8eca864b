"""The upper tail of the noncentral chi-square, with the digits of a survival function."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import chdtrc, chndtr, gammaln

#: Standard deviations of the mixing Poisson distribution on either side: what lies beyond is under 1e-30.
_REACH = 12.0


def noncentral_chi_square_tail(statistic: float, df: float, noncentrality: float) -> float:
    """Return P(chi-square(df, noncentrality) > statistic): central upper tails mixed by Poisson weights.

    Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, equation 29.3.

    Parameters
    ----------
    statistic : float
        Any finite number; at or below zero the tail is one.
    df : float
        Above zero.
    noncentrality : float
        Zero or above.
    """
    if statistic <= 0:
        return 1.0
    rate = noncentrality / 2.0
    if rate <= 0:
        return float(chdtrc(df, statistic))
    below = float(chndtr(statistic, df, noncentrality))
    if below < 0.5:  # its complement has all its digits
        return 1.0 - below
    reach = _REACH * math.sqrt(rate) + 2.0 * _REACH
    counts = np.arange(max(0.0, math.floor(rate - reach)), math.ceil(rate + reach))
    weights = np.exp(counts * math.log(rate) - rate - gammaln(counts + 1.0))
    return float(weights @ chdtrc(df + 2.0 * counts, statistic))
