"""Observed less implied moments: raw, as correlations, and in units of their standard errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sipas_research.errors import OptionError
from sipas_research.numerics.correlation import Array
from sipas_research.sem.answers import by_group
from sipas_research.sem.residual_errors import residual_errors

if TYPE_CHECKING:
    from sipas_research.sem.result import SemFit

KINDS = ("cor", "raw", "standardized", "mean")
#: A residual whose standard error is below this share of the sample moment's own cannot differ from zero.
_DETERMINED = 1e-6


def residual_matrix(fit: SemFit, kind: str = "cor") -> pd.DataFrame:
    """Return the residuals of the covariances, or of the means.

    Parameters
    ----------
    fit : SemFit
    kind : {"cor", "raw", "standardized", "mean"}
        "raw": sample less implied covariance. "cor": sample less implied correlation (Bollen 1989, p. 257-259);
        beyond 0.10 in size it points to a local misfit by convention (Kline 2016). "standardized": raw residual over
        its standard error, a z-statistic under the model; with MLR and MLM the errors use the fourth moments of the
        rows. "mean": columns observed, implied, residual, standardized of the means.

    Returns
    -------
    DataFrame
        A matrix with the variables' names on rows and columns. With several groups the matrices stand below each
        other, rows indexed by group and variable. A residual that the model makes zero by construction is 0 in
        "standardized"; NaN where the error cannot be computed.

    Raises
    ------
    OptionError
        If ``kind`` is unknown, or means are asked of a model without means.

    References
    ----------
    Joreskog & Sorbom (1981); Ogasawara (2001), Psychometrika 66, 421-436: asymptotic variance of residuals,
    (I - D (D'WD)^-1 D'W) Gamma (I - D (D'WD)^-1 D'W)' / n. Maydeu-Olivares (2017), Psychometrika 82, 533-558.
    """
    if kind not in KINDS:
        raise OptionError("sem.error.option", option="kind", received=repr(kind), allowed=", ".join(KINDS))
    names = fit.table.observed
    pairs = [(target.cov, fit.implied_group(k)[0]) for k, target in enumerate(fit.problem.targets)]
    if kind == "mean":
        return _mean_table(fit)
    if kind == "cor":
        return by_group(fit, [_correlations(found) - _correlations(implied) for found, implied in pairs], names, names)
    raw = [found - implied for found, implied in pairs]
    if kind == "raw":
        return by_group(fit, raw, names, names)
    errors = residual_errors(fit)
    scaled = [_over(part, each.cov, each.cov_alone) for part, each in zip(raw, errors, strict=True)]
    return by_group(fit, scaled, names, names)


def _mean_table(fit: SemFit) -> pd.DataFrame:
    if not fit.options.meanstructure:
        raise OptionError("sem.error.no_mean_structure")
    columns = ["observed", "implied", "residual", "standardized"]
    parts = []
    for sample, at, each in zip(fit.samples, fit.groups, residual_errors(fit), strict=True):
        mean = np.zeros(len(at.mean)) if sample.mean is None else sample.mean
        rest = mean - at.mean
        parts.append(np.column_stack([mean, at.mean, rest, _over(rest, each.mean, each.mean_alone)]))
    return by_group(fit, parts, fit.table.observed, columns)


def _correlations(cov: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):  # least squares may end where a variance is not positive
        spread = np.sqrt(np.diag(cov))
        return np.asarray(cov / spread[:, None] / spread)


def _over(residual: Array, variance: Array, alone: Array) -> Array:
    """Return residuals over their standard errors; ``alone`` is the variance of the sample moment itself."""
    floor = _DETERMINED**2 * alone
    fixed = np.abs(variance) <= floor
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(fixed, np.where(np.isnan(variance), np.nan, 0.0), residual / np.sqrt(variance))
