"""Tails and quantiles of the studentized range.

The range of k independent normal variables over an independent estimate of their standard deviation (Tukey 1953;
Harter 1960, Annals of Mathematical Statistics 31, 1122-1147). Tails are integrated themselves, never taken as one
minus a distribution function, so that small ones keep their digits.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaln, log_ndtr

from sipas_research.numerics.correlation import Array

#: Nodes of Gauss-Legendre quadrature over the normal variable, and over the standard deviation with many and with few
#: degrees of freedom, where its logarithm has a long left tail.
_INNER, _OUTER, _OUTER_FEW = 120, 56, 400
_FEW = 20.0
#: Normal deviates beyond which nothing is left.
_REACH = 8.5
_HIGHEST = 1e7


def range_tail(value: float, groups: int, df: float) -> float:
    """Return P(Q > q) for q of ``groups`` means and a standard deviation on ``df`` degrees of freedom.

    Within 1e-8 of the exact tail from two degrees of freedom on, 1e-6 with one; NaN where a number is.

    Parameters
    ----------
    value : float
        q, zero or more.
    groups : int
        k, two or more.
    df : float
        One or more; infinity where the standard deviation is known.
    """
    if not (value >= 0 and df >= 1):
        return float("nan")
    if np.isinf(df):
        return float(_known(np.array([value]), groups)[0])
    nodes, weights = _nodes(_OUTER if df >= _FEW else _OUTER_FEW)
    # in ln s, v s^2 being a chi-square on v degrees of freedom: nearly normal where v is large, exponential to the
    # left where it is small
    spread = 1 / np.sqrt(2 * df)
    low, high = -1.4 * _REACH * spread - 30.0 / df, _REACH * spread
    log_s = low + (high - low) * (nodes + 1) / 2
    log_density = np.log(2) + (df / 2) * np.log(df / 2) - gammaln(df / 2) + df * log_s - df * np.exp(2 * log_s) / 2
    tails = _known(value * np.exp(log_s), groups)
    return float(min((np.exp(log_density) * tails) @ weights * (high - low) / 2, 1.0))


def range_quantile(tail: float, groups: int, df: float) -> float:
    """Return q with P(Q > q) = ``tail`` (0-1)."""

    def gap(q: float) -> float:
        return range_tail(q, groups, df) - tail

    if not df >= 1:
        return float("nan")
    high = 4.0
    while gap(high) > 0 and high < _HIGHEST:
        high *= 2.0
    return float(brentq(gap, 0.0, high, xtol=1e-9))


@lru_cache(maxsize=4)
def _nodes(count: int) -> tuple[Array, Array]:
    return np.polynomial.legendre.leggauss(count)


def _known(widths: Array, groups: int) -> Array:
    """Return the tail of the range of ``groups`` standard normal variables.

    k times the integral of phi(z) (Phi(z)^(k-1) - (Phi(z) - Phi(z - w))^(k-1)), z being the largest of them.
    """
    nodes, weights = _nodes(_INNER)
    # a wide range has its largest near half of it: no mass lies beyond that and the reach
    high = np.maximum(_REACH, widths / 2 + _REACH)
    half = (high + _REACH) / 2
    z = half[:, None] * (nodes + 1) - _REACH
    log_below = log_ndtr(z)
    share = np.exp(np.minimum(log_ndtr(z - widths[:, None]) - log_below, 0.0))
    with np.errstate(divide="ignore"):
        rest = -np.expm1((groups - 1) * np.log1p(-share))
    density = np.exp((groups - 1) * log_below - z**2 / 2) / np.sqrt(2 * np.pi)
    return np.asarray(np.minimum(groups * half * ((density * rest) @ weights), 1.0))
