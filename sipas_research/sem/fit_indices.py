"""Measures of fit as functions of plain numbers: chi-square, degrees of freedom, rows, baseline.

Maximum-likelihood chi-squares with multiplier n (not n - 1) are expected, as in lavaan and Mplus. A measure that is
not defined (no degrees of freedom, no baseline misfit) is NaN, never an error. What needs matrices, SRMR and the
GFI of LISREL, is in :mod:`sipas_research.sem.measures`.
"""

from __future__ import annotations

import math

from scipy.special import chdtrc, chdtri

from sipas_research.numerics.factor_fit import RMSEA_LEVEL
from sipas_research.numerics.factor_fit import rmsea_interval as _interval
from sipas_research.numerics.noncentral import noncentral_chi_square_tail

NAN = float("nan")

#: What the null hypothesis of "close fit" says (Browne & Cudeck 1992).
CLOSE_FIT = 0.05


def chi_square_p(chi_square: float, df: float) -> float:
    """Return the upper tail of chi-square: the p-value of exact fit; NaN without degrees of freedom."""
    return float(chdtrc(df, chi_square)) if df > 0 else NAN


def chi_square_over_df(chi_square: float, df: int) -> float:
    """Return chi-square / df, "CMIN/df" (Wheaton et al. 1977; limit 3: Carmines & McIver 1981). It grows with n."""
    return chi_square / df if df > 0 else NAN


def cfi(chi_square: float, df: float, baseline: float, baseline_df: float) -> float:
    """Return the comparative fit index: 1 - max(c - df, 0) / max(c - df, c0 - df0, 0).

    Bentler (1990), Psychological Bulletin 107, 238-246, equation 13. One where no model misfits.
    """
    if not (math.isfinite(chi_square) and math.isfinite(baseline)):
        return NAN
    excess = max(chi_square - df, 0.0)
    largest = max(excess, baseline - baseline_df)
    return 1.0 - excess / largest if largest > 0 else 1.0


def tli(chi_square: float, df: float, baseline: float, baseline_df: float) -> float:
    """Return the Tucker-Lewis index (NNFI): (c0/df0 - c/df) / (c0/df0 - 1); may lie outside 0-1.

    Tucker & Lewis (1973), Psychometrika 38, 1-10; Bentler & Bonett (1980).
    """
    if df <= 0 or baseline_df <= 0 or baseline == baseline_df:
        return NAN
    start = baseline / baseline_df
    return (start - chi_square / df) / (start - 1.0)


def tli_noncentral(
    chi_square: float, df: int, expected: float, baseline: float, baseline_df: int, baseline_expected: float
) -> float:
    """Return TLI from noncentralities: 1 - ((c - e) / df) / ((c0 - e0) / df0), e the mean of c without misfit.

    Brosseau-Liard & Savalei (2014), Multivariate Behavioral Research 49, equation 12; plain TLI has e = df.
    """
    start = baseline - baseline_expected
    if df <= 0 or baseline_df <= 0 or start == 0:
        return NAN
    return 1.0 - (chi_square - expected) / df / (start / baseline_df)


def nfi(chi_square: float, baseline: float) -> float:
    """Return the normed fit index: (c0 - c) / c0 (Bentler & Bonett 1980, Psychological Bulletin 88, equation 15)."""
    return (baseline - chi_square) / baseline if baseline > 0 else NAN


def ifi(chi_square: float, df: int, baseline: float) -> float:
    """Return the incremental fit index: (c0 - c) / (c0 - df) (Bollen 1989, Sociological Methods & Research 17)."""
    return (baseline - chi_square) / (baseline - df) if baseline > df else NAN


def mfi(chi_square: float, df: int, rows: int) -> float:
    """Return McDonald's centrality: exp(-(c - df) / 2n) (McDonald 1989, Journal of Classification 6, 97-103)."""
    return math.exp(-(chi_square - df) / (2 * rows)) if rows > 0 else NAN


def agfi(gfi: float, parameters: int, df: int) -> float:
    """Return the GFI adjusted for parameters: 1 - ((q + df) / df) (1 - GFI) (Joreskog & Sorbom 1984)."""
    return 1.0 - (parameters + df) / df * (1.0 - gfi) if df > 0 else NAN


def rmsea(chi_square: float, df: float, rows: int) -> float:
    """Return the root mean square error of approximation: sqrt(max(c - df, 0) / (n df)).

    Steiger & Lind (1980); Steiger (1990), Multivariate Behavioral Research 25, 173-180.
    """
    return math.sqrt(max(chi_square - df, 0.0) / (rows * df)) if df > 0 and rows > 0 else NAN


def rmsea_interval(chi_square: float, df: float, rows: int, *, level: float = RMSEA_LEVEL) -> tuple[float, float]:
    """Return the interval of the RMSEA from the noncentral chi-square, 90 percent by the field's habit.

    Browne & Cudeck (1992), Sociological Methods & Research 21, 230-258, equation 14.
    """
    usable = df > 0 and rows > 0 and math.isfinite(chi_square)
    return _interval(chi_square, df, rows, level=level) if usable else (NAN, NAN)


def rmsea_close(chi_square: float, df: float, rows: int, *, bound: float = CLOSE_FIT) -> float:
    """Return the p-value of "RMSEA is at most ``bound``" (PCLOSE): the upper tail of the noncentral chi-square.

    Browne & Cudeck (1992).
    """
    if df <= 0 or rows <= 0:
        return NAN
    return min(noncentral_chi_square_tail(chi_square, df, rows * df * bound**2), 1.0)


def aic(log_likelihood: float, parameters: int) -> float:
    """Return Akaike's criterion: -2 log L + 2q (Akaike 1974, IEEE Transactions on Automatic Control 19, 716-723)."""
    return -2.0 * log_likelihood + 2.0 * parameters


def bic(log_likelihood: float, parameters: int, rows: int) -> float:
    """Return the Bayesian criterion: -2 log L + q log n (Schwarz 1978, Annals of Statistics 6, 461-464)."""
    return -2.0 * log_likelihood + parameters * math.log(rows) if rows > 0 else NAN


def bic_adjusted(log_likelihood: float, parameters: int, rows: int) -> float:
    """Return the sample-size adjusted criterion: -2 log L + q log((n + 2) / 24).

    Sclove (1987), Psychometrika 52, 333-343.
    """
    return -2.0 * log_likelihood + parameters * math.log((rows + 2.0) / 24.0) if rows > 0 else NAN


def rfi(chi_square: float, df: float, baseline: float, baseline_df: float) -> float:
    """Return the relative fit index: (c0/df0 - c/df) / (c0/df0) (Bollen 1986, Psychometrika 51, 375-377)."""
    if df <= 0 or baseline_df <= 0 or baseline <= 0:
        return NAN
    start = baseline / baseline_df
    return (start - chi_square / df) / start


def rni(chi_square: float, df: float, baseline: float, baseline_df: float) -> float:
    """Return the relative noncentrality index: 1 - (c - df) / (c0 - df0) (McDonald & Marsh 1990)."""
    return 1.0 - (chi_square - df) / (baseline - baseline_df) if baseline != baseline_df else NAN


def critical_n(chi_square: float, df: int, rows: int, alpha: float) -> float:
    """Return Hoelter's critical n: the number of rows at which this misfit would just be significant.

    Hoelter (1983), Sociological Methods & Research 11, 325-344: critical chi-square / (c / n) + 1.
    """
    if df <= 0 or not chi_square > 0:
        return NAN
    return float(chdtri(df, alpha)) / (chi_square / rows) + 1.0
