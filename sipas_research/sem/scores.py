"""Factor scores of the rows: regression (Thurstone) and Bartlett. For further analysis, never for judging a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.numerics.correlation import Array
from sipas_research.numerics.hole_likelihood import hole_weights
from sipas_research.sem.discrepancy import inverse_and_log_determinant
from sipas_research.sem.holes import Holes
from sipas_research.sem.moments import GroupSample

if TYPE_CHECKING:
    from sipas_research.sem.result import SemFit

METHODS = ("regression", "bartlett")
#: Smallest eigenvalue of the latent variables' information, at unit diagonal, with which they can be told apart.
_APART = 1e-10


def factor_scores(fit: SemFit, method: str = "regression") -> pd.DataFrame:
    """Return the scores of the latent variables for each row used, incomplete rows by what they hold.

    Parameters
    ----------
    fit : SemFit
        Fitted to rows.
    method : {"regression", "bartlett"}
        "regression": the conditional mean given all observed variables, E(eta) + Cov(eta, y) Sigma^-1 (y - mu):
        smallest mean squared error, shrunken towards the mean. "bartlett": unbiased given the latent values; observed
        predictors count as known, and a higher-order factor is scored through those that measure it.

    Returns
    -------
    DataFrame
        One column a latent variable, in the units of the model; the rows used, in the order and under the index of
        the user's table. With several groups a column ``group`` comes first.

    Raises
    ------
    AnalysisError
        If the model was fitted to a covariance matrix without rows, has no latent variable, or Bartlett scores are
        not determined.
    OptionError
        If ``method`` is unknown.

    References
    ----------
    Thurstone (1935); Bartlett (1937), British Journal of Psychology 28, 97-104; Grice (2001), Psychological Methods
    6, 430-450: scores are not unique, and their covariances are not those of the latent variables.
    """
    if method not in METHODS:
        raise OptionError("sem.error.option", option="method", received=repr(method), allowed=", ".join(METHODS))
    latents = fit.table.latents
    if not latents:
        raise AnalysisError("sem.error.no_latents")
    if not fit.sample.with_rows:
        raise AnalysisError("sem.error.no_rows_for_scores")
    return stacked_scores(fit, [_group(fit, number, method) for number in range(len(fit.samples))])


def _group(fit: SemFit, number: int, method: str) -> Array:
    holes = fit.samples[number].holes
    if holes is None:
        return _scored(fit, number, score_weights(fit, number, method))
    return _scored_with_holes(fit, number, holes, method)


def stacked_scores(fit: SemFit, parts: Sequence[Array]) -> pd.DataFrame:
    """Return the scores of all groups as one table, rows in the order of the user's."""
    frames = []
    for sample, part in zip(fit.samples, parts, strict=True):
        frame = pd.DataFrame(part, columns=list(fit.table.latents))
        if sample.index is not None:
            frame.index = sample.index
        if len(fit.samples) > 1:
            frame.insert(0, "group", sample.label, allow_duplicates=True)
        frames.append(frame)
    if len(frames) == 1:
        return frames[0]
    whole = pd.concat(frames)
    places = [sample.positions for sample in fit.samples if sample.positions is not None]
    if len(places) < len(frames):
        return whole.reset_index(drop=True) if fit.samples[0].index is None else whole
    return whole.iloc[np.argsort(np.concatenate(places), kind="stable")]


def score_weights(fit: SemFit, group: int, method: str) -> Array:
    """Return W, an (m, p) array: scores are E(eta) + W (y - mu)."""
    at = fit.groups[group]
    p = at.layout.observed
    found = inverse_and_log_determinant(at.cov)
    if found is None:
        raise AnalysisError("sem.error.bartlett", names=", ".join(fit.table.latents))
    if method == "regression":
        return np.asarray(at.joint[p:, :p] @ found[0])
    return _bartlett(_paths(fit, group), p, found[0], fit.table.latents)


def _paths(fit: SemFit, group: int) -> Array:
    """Return B of a group, exact zeros where the model has no path."""
    shape = fit.groups[group].layout
    paths = shape.base_paths.copy()
    paths[shape.path_to, shape.path_from] = fit.theta[shape.free[: len(shape.path_to)]]
    return paths


def _bartlett(paths: Array, p: int, weight: Array, latents: Sequence[str]) -> Array:
    """Return (L' V L)^-1 L' V, level by level: L is what the latent variables of one level do to the observed ones.

    With V = Sigma^-1 it equals the form with the inverse of the residual covariances (Woodbury), which need not exist.
    Observed variables that nothing explains stand in L too: they count as known.
    """
    among = paths[p:, p:]
    through = np.linalg.inv(np.eye(p) - paths[:p, :p])
    reach = through @ paths[:p, p:]
    causes = (paths[:p] == 0).all(axis=1) & (paths[:, :p] != 0).any(axis=0)
    result = np.full((len(latents), p), np.nan)
    left = list(range(len(latents)))
    while left:
        level = [k for k in left if (reach[:, k] != 0).any()]
        design = np.concatenate([reach[:, level], through[:, causes]], axis=1)
        inner = design.T @ weight @ design
        scale = np.sqrt(np.diag(inner))
        apart = (
            level and float(scale.min()) > 0 and float(np.linalg.eigvalsh(inner / scale[:, None] / scale)[0]) >= _APART
        )
        if not apart:
            raise AnalysisError("sem.error.bartlett", names=", ".join(latents[k] for k in level or left))
        result[level] = np.linalg.solve(inner, design.T @ weight)[: len(level)]
        left = [k for k in left if k not in level]
        higher = np.zeros_like(reach)
        higher[:, left] = reach[:, level] @ among[np.ix_(level, left)]
        reach = higher
    return result


def _scored(fit: SemFit, group: int, weights: Array) -> Array:
    """Return E(eta) + W (y - mu) of all rows; where means are not modelled, mu is the sample's and follows through."""
    sample, at = fit.samples[group], fit.groups[group]
    if sample.rows is None:
        raise AnalysisError("sem.error.no_rows_for_scores")
    p = at.layout.observed
    if fit.options.meanstructure:
        centre, start = at.mean, at.joint_mean[p:]
    else:
        centre, paths = _sample_mean(sample), _paths(fit, group)
        start = np.asarray(np.linalg.solve(np.eye(len(paths) - p) - paths[p:, p:], paths[p:, :p] @ centre), dtype=float)
    return np.concatenate([start + (np.asarray(block) - centre) @ weights.T for block in sample.rows()])


def _scored_with_holes(fit: SemFit, group: int, holes: Holes, method: str) -> Array:
    """Return the scores of incomplete rows: each given what it holds; NaN where that does not determine them."""
    at, paths = fit.groups[group], _paths(fit, group)
    p = at.layout.observed
    result = np.full((len(holes.values), len(fit.table.latents)), np.nan)
    away = np.where(np.isnan(holes.values), 0.0, holes.values - at.mean)
    order = np.argsort(holes.code, kind="stable")
    edges = np.searchsorted(holes.code[order], np.arange(len(holes.there) + 1))
    for numbers, weights in hole_weights(holes.there, at.cov):
        for number, weight in zip(numbers.tolist(), weights, strict=True):
            rows = order[edges[number] : edges[number + 1]]
            if method == "regression":
                turned = at.joint[p:, :p] @ weight
            else:
                try:
                    turned = _bartlett(paths, p, weight, fit.table.latents)
                except AnalysisError:
                    continue
            result[rows] = at.joint_mean[p:] + away[rows] @ turned.T
    return result


def _sample_mean(sample: GroupSample) -> Array:
    if sample.mean is not None:
        return sample.mean
    total = sum((np.asarray(block).sum(axis=0) for block in sample.rows()), np.zeros(len(sample.names)))  # type: ignore[misc]
    return np.asarray(total / sample.n)
