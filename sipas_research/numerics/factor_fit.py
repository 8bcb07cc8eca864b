"""How well a factor solution reproduces a correlation matrix: chi-square, RMSEA, TLI, residuals."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtrc, chndtr, ndtri

from sipas_research.numerics.correlation import Array, is_singular

#: RMSEA intervals are reported at this level, by the field's habit (Steiger 1990).
RMSEA_LEVEL = 0.90
#: Chi-squares beyond this are more than the series of the noncentral distribution can sum.
_NORMAL_BEYOND = 1e8
#: How near a noncentrality is found, and the secants that may go there.
_CLOSE, _MOST_SECANTS = 1e-10, 12


@dataclass(frozen=True, slots=True)
class FactorFit:
    """Fit of m factors to p items answered by n people; NaN where a measure does not exist.

    Attributes
    ----------
    statistic, df, p_value : float, int, float
        Bartlett-corrected likelihood-ratio chi-square and its upper tail; NaN if the matrix is singular.
    rmsea, rmsea_low, rmsea_high : float
        Root mean square error of approximation with a 90 percent interval; NaN without degrees of freedom.
    tli : float
        Tucker-Lewis index.
    rmsr : float
        Root mean square of the residual correlations off the diagonal.
    """

    statistic: float
    df: int
    p_value: float
    rmsea: float
    rmsea_low: float
    rmsea_high: float
    tli: float
    rmsr: float


def degrees_of_freedom(items: int, factors: int) -> int:
    """Return ((p - m)^2 - (p + m)) / 2: free correlations less free loadings."""
    return ((items - factors) ** 2 - (items + factors)) // 2


def most_factors(items: int) -> int:
    """Return the largest number of factors whose degrees of freedom are not negative; 0 if there is none."""
    return max((m for m in range(1, items + 1) if m < items and degrees_of_freedom(items, m) >= 0), default=0)


def likelihood_ratio(matrix: Array, implied: Array) -> float:
    """Return tr(R S^-1) - log det(R S^-1) - p, zero where the implied S equals R; infinite if R is singular."""
    ratio = np.linalg.solve(implied, matrix)
    sign, log_determinant = np.linalg.slogdet(ratio)
    return float(np.trace(ratio) - log_determinant - matrix.shape[0]) if sign > 0 else float("inf")


def rmsea_interval(statistic: float, df: float, rows: int, *, level: float = RMSEA_LEVEL) -> tuple[float, float]:
    """Return the interval of the RMSEA from the noncentral chi-square (Steiger 1990; Browne & Cudeck 1992).

    An end is sqrt(lambda / (n df)), lambda being the noncentrality at which ``statistic`` is the upper or
    lower (1 - level) / 2 point; 0 where no such lambda exists.
    """
    tail = (1.0 - level) / 2.0
    ends = [_noncentrality(statistic, df, share) for share in (1.0 - tail, tail)]
    return tuple(float(np.sqrt(end / (rows * df))) for end in ends)  # type: ignore[return-value]


def _noncentrality(statistic: float, df: float, share: float) -> float:
    if statistic > _NORMAL_BEYOND:  # where the noncentral chi-square is normal to all digits that matter
        return float(statistic - df + ndtri(1.0 - share) * 2.0 * np.sqrt(statistic))

    def gap(noncentrality: float) -> float:
        return float(chndtr(statistic, df, noncentrality)) - share

    if gap(0.0) <= 0:
        return 0.0
    found = _by_secants(statistic, df, share)
    if found is not None:
        return found
    highest = max(statistic, 1.0)
    while gap(highest) > 0:
        highest *= 2.0
    return float(brentq(gap, 0.0, highest, xtol=_CLOSE))


def _by_secants(statistic: float, df: float, share: float) -> float | None:
    """Return the noncentrality by secants of its normal quantile, which is almost a straight line; None if they fail.

    They begin where a normal distribution with the same mean and variance has its ``share`` point.
    """
    quantile = float(ndtri(share))
    excess, spread = statistic - df, 2.0 * quantile**2
    reach = math.sqrt(max(spread * (2.0 * excess + spread + df), 0.0))
    before = max(excess + spread - math.copysign(reach, quantile), 0.0)
    here = 1.01 * before + 0.1
    missed = float(ndtri(chndtr(statistic, df, before))) - quantile
    for _ in range(_MOST_SECANTS):
        miss = float(ndtri(chndtr(statistic, df, here))) - quantile
        if miss == missed:
            break
        step = miss * (here - before) / (miss - missed)
        before, missed, here = here, miss, here - step
        if abs(step) <= max(_CLOSE, 1e-13 * here):
            return here if here >= 0 else None
    return None


def factor_fit(matrix: Array, implied: Array, factors: int, rows: int) -> FactorFit:
    """Return the fit of an implied correlation matrix.

    The chi-square is (n - 1 - (2p + 5)/6 - 2m/3) times the likelihood-ratio discrepancy (Bartlett 1951; Lawley &
    Maxwell 1971). RMSEA is sqrt(max(chi-square / (n df) - 1 / (n - 1), 0)), R psych's form of Steiger's (1990).
    TLI compares chi-square over df with that of the model without factors, both with the same multiplier as in
    psych (Tucker & Lewis 1973).

    Parameters
    ----------
    matrix, implied : (p, p) arrays
        Observed and reproduced correlations; ``implied`` positive definite.
    factors, rows : int
        m and n.
    """
    size = matrix.shape[0]
    df = degrees_of_freedom(size, factors)
    residual = (matrix - implied)[np.triu_indices(size, 1)]
    rmsr = float(np.sqrt(np.mean(residual**2))) if residual.size else float("nan")
    missing = float("nan")
    factor = rows - 1 - (2 * size + 5) / 6 - 2 * factors / 3
    if is_singular(matrix) or factor <= 0:
        return FactorFit(missing, df, missing, missing, missing, missing, missing, rmsr)
    statistic = max(factor * likelihood_ratio(matrix, implied), 0.0)
    if df == 0:
        return FactorFit(statistic, df, missing, missing, missing, missing, missing, rmsr)
    rmsea = float(np.sqrt(max(statistic / (df * rows) - 1.0 / (rows - 1), 0.0)))
    low, high = rmsea_interval(statistic, df, rows)
    null = -factor * float(np.linalg.slogdet(matrix)[1]) / (size * (size - 1) / 2)
    tli = (null - statistic / df) / (null - 1.0) if null != 1.0 else missing
    return FactorFit(statistic, df, float(chdtrc(df, statistic)), rmsea, low, high, tli, rmsr)
