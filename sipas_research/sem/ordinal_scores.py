"""Factor scores from ordered answers: the mode of what is known about a person's latent variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import ndtr

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.numerics.correlation import Array
from sipas_research.numerics.ordered_regression import FAR, SMALLEST, density
from sipas_research.sem.layout import Index
from sipas_research.sem.scores import stacked_scores

if TYPE_CHECKING:
    from sipas_research.sem.ordinal_result import OrdinalFit

_STEPS, _SETTLED = 100, 1e-9


def ordinal_scores(fit: OrdinalFit, method: str = "regression") -> pd.DataFrame:
    """Return the scores of the latent variables for each row used: the mode of their posterior distribution.

    A row's answers are independent given the latent variables (residual covariances are left aside, as in lavaan),
    which are normal; predictors count as known. Bartlett scores do not exist for people who gave the highest or the
    lowest answer throughout, and are refused.

    Parameters
    ----------
    fit : OrdinalFit
    method : {"regression"}

    Returns
    -------
    DataFrame
        As :func:`.scores.factor_scores`.

    References
    ----------
    Samejima (1969), Psychometrika Monograph 17; Skrondal & Rabe-Hesketh (2004), chapter 7 (empirical Bayes mode).
    """
    if method != "regression":
        raise OptionError("sem.error.option", option="method", received=repr(method), allowed="regression")
    if not fit.table.latents:
        raise AnalysisError("sem.error.no_latents")
    return stacked_scores(fit, [_group_scores(fit, group) for group in range(len(fit.groups))])


def _group_scores(fit: OrdinalFit, group: int) -> Array:
    at, sample = fit.ordinal.each[group], fit.samples[group]
    layout, shape, p = at.layout, at.layout.shape, len(fit.table.observed)
    if sample.rows is None:
        raise AnalysisError("sem.error.no_rows_for_scores")
    rows = np.concatenate([np.asarray(block, dtype=float) for block in sample.rows()])
    places = layout.places
    latent = np.arange(p, p + len(fit.table.latents))
    spread = at.given.joint[np.ix_(latent, latent)]
    if not _proper(spread):
        raise AnalysisError("sem_ordinal.error.scores")
    prior: Array = np.asarray(np.linalg.inv(spread), dtype=np.float64)
    loadings = at.given.joint[np.ix_(places, latent)] @ prior
    errors = np.diag(at.given.cov)[places] - np.einsum("ij,ij->i", loadings, at.given.joint[np.ix_(places, latent)])
    if not (errors > 0).all() or at.crossed:
        raise AnalysisError("sem_ordinal.error.scores")
    outside = rows[:, layout.outside]
    centre = at.given.joint_mean[latent] + outside @ at.given.inverse[np.ix_(latent, layout.outside)].T
    direct = at.given.mean[places] + outside @ at.given.inverse[np.ix_(places, layout.outside)].T
    base = direct - centre @ loadings.T
    upper, lower = _limits(fit, group, rows)
    return _modes(base, loadings, errors, (upper, lower, rows[:, places], shape.ordered), centre, prior)


def _proper(spread: Array) -> bool:
    """Return whether a covariance matrix has a density: all its eigenvalues are well above zero."""
    values = np.linalg.eigvalsh(spread)
    return bool(values[0] > 1e-12 * max(values[-1], 0.0))


def _limits(fit: OrdinalFit, group: int, rows: Array) -> tuple[Array, Array]:
    """Return the thresholds around each row's answers, (n, ordered items); a missing one has none."""
    at, samples = fit.ordinal.each[group], fit.samples
    shape = at.layout.shape
    upper, lower = np.empty((len(rows), len(shape.ordered))), np.empty((len(rows), len(shape.ordered)))
    for k, item in enumerate(shape.ordered):
        column = samples[group].names.index(shape.names[item])
        given = rows[:, column]
        missing = np.isnan(given)
        codes = np.searchsorted(np.unique(given[~missing]), np.where(missing, 0.0, given))
        whole = np.concatenate([[-np.inf], at.cuts[shape.cut_of == item], [np.inf]])
        # a missing answer lies somewhere: it moves no score
        upper[:, k], lower[:, k] = np.where(missing, np.inf, whole[codes + 1]), np.where(missing, -np.inf, whole[codes])
    return upper, lower


def _modes(
    base: Array, loadings: Array, errors: Array, given: tuple[Array, Array, Array, Index], centre: Array, prior: Array
) -> Array:
    """Return the latent values at which each row's posterior is highest: Newton's steps, the logarithm is concave."""
    upper, lower, values, ordered = given
    numeric = np.setdiff1d(np.arange(len(errors)), ordered)
    scale = np.sqrt(errors[ordered])
    found = centre.copy()
    products = loadings[:, :, None] * loadings[:, None, :]
    for _ in range(_STEPS):
        expected = base + found @ loadings.T
        pull, weight = np.zeros_like(expected), np.zeros_like(expected)
        high = np.clip((upper - expected[:, ordered]) / scale, -FAR, FAR)
        low = np.clip((lower - expected[:, ordered]) / scale, -FAR, FAR)
        mass = np.maximum(ndtr(high) - ndtr(low), SMALLEST)
        slope = (density(low) - density(high)) / mass
        pull[:, ordered] = slope / scale
        weight[:, ordered] = ((high * density(high) - low * density(low)) / mass + slope**2) / errors[ordered]
        pull[:, numeric] = (values[:, numeric] - expected[:, numeric]) / errors[numeric]
        weight[:, numeric] = 1.0 / errors[numeric]
        gradient = pull @ loadings - (found - centre) @ prior
        curve = np.tensordot(np.maximum(weight, 0.0), products, axes=1) + prior
        step = np.linalg.solve(curve, gradient[:, :, None])[:, :, 0]
        length = np.sqrt(np.einsum("ij,jk,ik->i", step, prior, step))
        found += step * np.minimum(1.0, 2.0 / np.maximum(length, 1e-300))[:, None]  # at most two deviations at once
        if float(length.max(initial=0.0)) < _SETTLED:
            break
    return found
