"""Standardised coefficients with standard errors by the delta method, definitions included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sipas_research.errors import OptionError
from sipas_research.numerics.correlation import Array
from sipas_research.sem.implied import Implied
from sipas_research.sem.inference import Reference, inference, reference_degrees
from sipas_research.sem.layout import Layout
from sipas_research.sem.result import NOTE_FIXED
from sipas_research.sem.standardize import RowIndex, Scale, standardized_values

if TYPE_CHECKING:
    from sipas_research.sem.result import SemFit

SCALES = ("lv", "all")
#: A standard error below this share of the coefficient is rounding: the coefficient is the same for all parameters.
_CONSTANT = 1e-8


def standardized_table(
    fit: SemFit, *, scale: Scale = "all", level: float | None = None, reference: Reference = "z"
) -> pd.DataFrame:
    """Return standardised coefficients with standard errors by the delta method.

    Parameters
    ----------
    fit : SemFit
    scale : {"all", "lv"}
        All variables at variance one, or latent variables only.
    level : float, optional
        Coverage of the intervals, in (0, 1); that of the fit by default.
    reference : {"z", "t"}
        The normal distribution, or Student's t of a clustered fit; see :meth:`.SemFit.tidy`.

    Returns
    -------
    DataFrame
        lhs, op, rhs, level, group, label, estimate, std_error, statistic, p_value, conf_low, conf_high, note. A
        coefficient that is the same at all parameter values (the variance of a standardised predictor) has
        ``std_error`` 0 and the note "fixed". Sample moments of observed predictors count as known.

    Raises
    ------
    OptionError
        If ``scale`` or ``level`` is outside its range.

    References
    ----------
    Bollen (1989), Structural Equations with Latent Variables, appendix B (delta method).
    """
    if scale not in SCALES:
        raise OptionError("sem.error.option", option="scale", received=repr(scale), allowed=", ".join(SCALES))
    coverage = fit.options.level if level is None else level
    if not isinstance(coverage, float) or not 0 < coverage < 1:
        raise OptionError("sem.error.level", received=repr(level))
    degrees = reference_degrees(fit, reference)
    values, slopes = standardized_slopes(fit, scale)
    errors = _errors(slopes, fit.information.vcov)
    errors[errors <= _CONSTANT * np.abs(values)] = 0.0
    frame = fit.tidy()
    kept: dict[str, Any] = {name: frame[name] for name in ("lhs", "op", "rhs", "level", "group", "label")}
    kept |= inference(np.where(np.isnan(errors), np.nan, values), errors, coverage, degrees)
    notes = np.where(frame["note"] == NOTE_FIXED, "", frame["note"])
    kept["note"] = np.where(errors == 0, NOTE_FIXED, notes)
    return pd.DataFrame(kept)


def standardized_slopes(fit: SemFit, scale: Scale) -> tuple[Array, Array]:
    """Return the standardised value of each row of the table, then of each definition, and the exact Jacobian.

    Returns
    -------
    (r,) and (r, q) arrays
        q free parameters; NaN where a variance is not positive.
    """
    values = standardized_values(fit.rows, fit.values, fit.groups, scale)
    slopes = fit.row_slopes(scale)
    if not fit.restrictions.definitions:
        return values, slopes
    known: dict[str, tuple[float, Array]] = {}
    for row, value, slope in zip(fit.table.rows, values, slopes, strict=True):
        if row.label:
            known.setdefault(row.label, (float(value), slope))
    more, more_slopes = [], []
    for definition in fit.restrictions.definitions:
        names = definition.right.names
        value, parts = definition.right.value_and_gradient({name: known[name][0] for name in names})
        slope = np.zeros(fit.theta.size)
        for name, part in parts.items():
            slope = slope + part * known[name][1]
        known[definition.name] = (float(value), slope)
        more.append(float(value))
        more_slopes.append(slope)
    return np.concatenate([values, more]), np.concatenate([slopes, np.array(more_slopes)])


def row_slopes(rows: RowIndex, values: Array, groups: Sequence[Implied], size: int, scale: Scale) -> Array:
    """Return the derivatives of the standardised rows by the free parameters, by the rule for quotients.

    A path or intercept is value * sd(right) / sd(left), a variance value / var(left), a covariance value over the
    product of the residuals' standard deviations; so d log of it is d log value plus halves of d log variances. A
    threshold is like an intercept; the scale of an ordered item is one once its variance is.
    """
    observed = groups[0].layout.observed
    totals, rests = np.stack([np.diag(at.joint) for at in groups]), np.stack([np.diag(at.residual) for at in groups])
    by_total = np.stack([_log_slopes(_total_slopes(at, size), np.diag(at.joint)) for at in groups])
    by_rest = np.stack([_log_slopes(_rest_slopes(at.layout, size), np.diag(at.residual)) for at in groups])
    if scale == "lv":
        totals, rests = totals.copy(), rests.copy()
        totals[:, :observed] = rests[:, :observed] = 1.0
        by_total[:, :observed] = by_rest[:, :observed] = 0.0
    group, left, right = rows.group, rows.left, rows.right
    with np.errstate(invalid="ignore", divide="ignore"):
        path, mean = rows.kind == 0, rows.kind == 3
        spread = np.sqrt(totals)
        weight = 1.0 / spread[group, left]
        weight[path] *= spread[group, right][path]
        change = -0.5 * by_total[group, left]
        change[path] += 0.5 * by_total[group, right][path]
        variance = rows.kind == 2
        weight[variance] = 1.0 / totals[group, left][variance]
        change[variance] = -by_total[group, left][variance]
        both = rows.kind == 1
        weight[both] = 1.0 / np.sqrt(rests[group, left] * rests[group, right])[both]
        change[both] = -0.5 * (by_rest[group, left] + by_rest[group, right])[both]
        weight[mean] = 1.0 / spread[group, left][mean]
        scaled = rows.kind == 5
        weight[scaled], change[scaled] = 1.0 if scale == "lv" else 0.0, 0.0
        slopes = (values * weight)[:, None] * change
        free = np.flatnonzero(rows.free >= 0)
        slopes[free, rows.free[free]] += weight[free]
    return slopes


def _log_slopes(slopes: Array, variance: Array) -> Array:
    """Return derivatives of the logarithm of variances; NaN where a variance is not positive but moves."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found = slopes / np.where(variance > 0, variance, np.nan)[:, None]
    return np.where(slopes == 0, 0.0, found)


def _total_slopes(at: Implied, size: int) -> Array:
    """Return the derivatives of the variances of all variables, (N, q): twice s a_k b_k with C = A Phi A'."""
    shape = at.layout
    result = np.zeros((shape.size, size))
    by_path = 2.0 * at.inverse[:, shape.path_to] * at.joint[:, shape.path_from]
    halves = np.where(shape.cov_left == shape.cov_right, 1.0, 2.0)
    by_cov = halves * at.inverse[:, shape.cov_left] * at.inverse[:, shape.cov_right]
    np.add.at(result.T, shape.free[: shape.moments], np.concatenate([by_path, by_cov], axis=1).T)
    return result


def _rest_slopes(shape: Layout, size: int) -> Array:
    """Return the derivatives of the residual variances of all variables, (N, q)."""
    result = np.zeros((shape.size, size))
    diagonal = np.flatnonzero(shape.cov_left == shape.cov_right)
    np.add.at(result, (shape.cov_left[diagonal], shape.free[len(shape.path_to) + diagonal]), 1.0)
    return result


def _errors(slopes: Array, vcov: Array) -> Array:
    """Return the standard errors of functions with these slopes; parameters that do not matter may be unknown."""
    if np.isfinite(vcov).all():
        variance = np.einsum("rq,rq->r", slopes @ vcov, slopes)
    else:
        variance = np.array([_variance(slope, vcov) for slope in slopes])
    with np.errstate(invalid="ignore"):
        return np.sqrt(np.where(variance > -1e-12, np.maximum(variance, 0.0), np.nan))


def _variance(slope: Array, vcov: Array) -> float:
    which = np.flatnonzero(slope != 0)
    return float(slope[which] @ vcov[np.ix_(which, which)] @ slope[which])
