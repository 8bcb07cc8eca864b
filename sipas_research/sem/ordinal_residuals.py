"""Observed less implied thresholds and correlations of ordered answers, in units of their standard errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sipas_research.errors import OptionError
from sipas_research.numerics.correlation import Array
from sipas_research.sem.answers import by_group
from sipas_research.sem.information import inverse_within
from sipas_research.sem.ordinal_information import gamma_blocks, pulled_slopes
from sipas_research.sem.residual_table import KINDS, residual_matrix

if TYPE_CHECKING:
    from sipas_research.sem.ordinal_result import OrdinalFit

#: A residual whose standard error is below this share of the statistic's own cannot differ from zero.
_DETERMINED = 1e-6


def ordinal_residuals(fit: OrdinalFit, kind: str = "cor") -> pd.DataFrame:
    """Return the residuals of the correlations, or of thresholds and means.

    Parameters
    ----------
    fit : OrdinalFit
    kind : {"cor", "raw", "standardized", "mean"}
        "cor", "raw": sample less implied polychoric (polyserial, product-moment) correlations or covariances.
        "standardized": the residual over its standard error; variables that are explained only, and given predictors
        where there are any. "mean": columns observed, implied, residual, standardized of each threshold and mean; NaN
        where a threshold of checked answers is not shown.

    Returns
    -------
    DataFrame
        As :func:`.residual_table.residual_matrix`.

    References
    ----------
    Ogasawara (2001), Psychometrika 66, 421-436, with the asymptotic covariance of the statistics:
    (I - D A^-1 D'W) Gamma (I - D A^-1 D'W)' / n.
    """
    if kind not in KINDS:
        raise OptionError("sem.error.option", option="kind", received=repr(kind), allowed=", ".join(KINDS))
    if kind in ("cor", "raw"):
        return residual_matrix(fit, kind)
    errors = residual_variances(fit)
    shape = fit.problem.samples[0].shape
    parts = []
    for sample, at, rest, variance in zip(
        fit.problem.samples, fit.ordinal.each, fit.ordinal.missed, errors, strict=True
    ):
        scaled = _over(rest, variance, np.diag(sample.gamma) / sample.total)
        if kind == "mean":
            count = len(shape.cut_of)
            part = np.column_stack([sample.values, at.moments, rest, scaled])[:count]
            if fit.withheld is not None:
                part[fit.withheld.cuts] = np.nan
            parts.append(part)
            continue
        first, second = shape.pairs
        matrix = np.zeros((len(shape.names), len(shape.names)))
        matrix[first, second] = matrix[second, first] = scaled[shape.starts[2] :]
        matrix[shape.numeric, shape.numeric] = scaled[shape.starts[1] : shape.starts[2]]
        parts.append(matrix)
    if kind == "mean":
        ranks = zip(shape.cut_of, shape.cut_rank, strict=True)
        names = [f"{shape.names[of]}|t{rank}" if rank else shape.names[of] for of, rank in ranks]
        return by_group(fit, parts, names, ["observed", "implied", "residual", "standardized"])
    return by_group(fit, parts, shape.names, shape.names)


def residual_variances(fit: OrdinalFit) -> list[Array]:
    """Return the variance of every residual, group by group."""
    problem, point = fit.problem, fit.ordinal
    inverse = inverse_within(fit.information.used, fit.information.basis)
    pulled = pulled_slopes(problem, point)
    size = len(inverse)
    middle = np.zeros((size, size))
    across = [np.zeros((len(each), size)) for each in pulled]
    rows = sum(each.n for each in problem.samples)
    own = []
    for g, h, block in gamma_blocks(problem):
        if g == h:
            own.append(np.diag(block))
        across[g] += block @ pulled[h]
        middle += pulled[g].T @ block @ pulled[h]
    whole = inverse @ middle @ inverse
    found = []
    for slopes, variance, crossed in zip(point.jacobians, own, across, strict=True):
        taken = np.einsum("ij,ij->i", slopes @ inverse, crossed)
        found.append((variance - 2.0 * taken + np.einsum("ij,ij->i", slopes @ whole, slopes)) / rows)
    return found


def _over(residual: Array, variance: Array, alone: Array) -> Array:
    fixed = np.abs(variance) <= _DETERMINED * alone
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(fixed, 0.0, residual / np.sqrt(variance))
