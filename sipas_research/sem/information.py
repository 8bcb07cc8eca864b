"""From a minimum to the covariance matrix of the estimates: expected, observed, sandwich."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dpotrf

from sipas_research.numerics.correlation import Array
from sipas_research.sem.casewise import (
    LikelihoodScores,
    MomentScores,
    centred_scores,
    likelihood_scores,
    moment_scores,
)
from sipas_research.sem.clusters import Clusters, clusters_of, products_of
from sipas_research.sem.derivatives import expected_hessian
from sipas_research.sem.discrepancy import inverse_and_log_determinant
from sipas_research.sem.hole_sums import hole_score_sums
from sipas_research.sem.moments import GroupSample
from sipas_research.sem.optimum import Optimum, Problem, add_block, hessian_of
from sipas_research.sem.options import FitOptions
from sipas_research.sem.restrictions import Restrictions, null_space

#: Smallest eigenvalue of the information, standardised to a unit diagonal, below which a direction is not identified.
NOT_IDENTIFIED = 1e-9
#: Squared pivots above this rule out an eigenvalue near zero in matrices of the size of a model.
_FAR = 1e-4


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Information:
    """What the rows tell about the parameters.

    Attributes
    ----------
    vcov : (q, q) array
        Covariance matrix of the estimates; NaN rows where a parameter is not identified.
    basis : (q, q - r) array
        Directions that the restrictions leave free.
    expected : (q, q) array
        Expected information of one row: half the expected Hessian.
    used : (q, q) array
        Information that standard errors rest on.
    score_products : (q, q) array or None
        The middle of the sandwich: J for MLR, J_c for MLM; None where there is none.
    likelihood, structured : tuples
        What a pass over the rows found in each group: for MLR, for MLM; else empty.
    unidentified : tuple of int
        Free parameters that the data do not determine.
    """

    vcov: Array
    basis: Array
    expected: Array
    used: Array
    score_products: Array | None
    likelihood: tuple[LikelihoodScores, ...]
    structured: tuple[MomentScores, ...]
    unidentified: tuple[int, ...]


def information_at(
    problem: Problem,
    found: Optimum,
    restrictions: Restrictions,
    samples: tuple[GroupSample, ...],
    options: FitOptions,
    predictors: tuple[int, ...],
    sources: tuple[int, ...] | None = None,
) -> Information:
    """Return information and covariance matrix of the estimates at a minimum.

    ML, GLS: inverse information over n (Fisher; lavaan's "standard"). MLM, MLR: the sandwich I^-1 J I^-1 / n with
    expected and observed information (White 1982; Yuan & Bentler 2000). ULS: the sandwich with normal-theory
    fourth moments (Browne 1984). With weights or clusters the middle is the covariance of the weighted scores summed
    within clusters (Binder 1983, International Statistical Review 51, 279-292). Restrictions: K (K'IK)^-1 K' (Silvey
    1959). ``sources`` are correlated in the baseline model, ``predictors`` (the default) have the sample's moments.
    """
    point = found.point
    expected = hessian_of(problem, point, observed=False, by_rows=True) / 2.0
    observed = options.information == "observed"
    used = hessian_of(problem, point, observed=True) / 2.0 if observed else expected
    held = (*restrictions.equal, *found.active)
    basis, _ = null_space(restrictions.gaps(held, point.theta)[1], problem.size)
    lost = lost_parameters(expected, basis)
    inverse = inverse_within(used, basis)
    clusters = clusters_of(samples)
    linked = predictors if sources is None else sources
    likelihood, structured = _passes(found, samples, options, predictors, linked, clusters)
    middle: Array | None = None
    if options.robust:
        parts = [each.products for each in likelihood] + [each.products for each in structured]
        middle = score_products(problem, parts, [each.totals for each in likelihood], clusters)
    elif options.estimator == "ULS":
        middle = normal_theory(problem, found)
    vcov = inverse / problem.n if middle is None else inverse @ middle @ inverse / problem.n
    if lost:
        vcov = vcov.copy()
        vcov[list(lost), :] = vcov[:, list(lost)] = np.nan
    return Information(vcov, basis, expected, used, middle, likelihood, structured, lost)


def _passes(
    found: Optimum,
    samples: tuple[GroupSample, ...],
    options: FitOptions,
    predictors: tuple[int, ...],
    sources: tuple[int, ...],
    clusters: Clusters | None,
) -> tuple[tuple[LikelihoodScores, ...], tuple[MomentScores, ...]]:
    """Go over the rows of every group, where the estimator needs it."""
    each = list(zip(found.point.groups, found.point.residuals, samples, strict=True))
    if options.estimator == "MLR" and samples[0].holes is not None:
        return tuple(
            hole_score_sums(at, sample.holes, clusters) for at, _, sample in each if sample.holes is not None
        ), ()
    if options.estimator == "MLR":
        return tuple(likelihood_scores(*group, sources, clusters) for group in each), ()
    if options.estimator == "MLM":
        return (), tuple(moment_scores(*group, predictors, sources) for group in each)
    return (), ()


def centred_products(
    problem: Problem, found: Optimum, samples: tuple[GroupSample, ...], predictors: tuple[int, ...]
) -> Array:
    """Return J_c of all groups of complete rows: the scores' covariance about the sample moments, for tr(U Gamma)."""
    clusters = clusters_of(samples)
    each = zip(found.point.groups, found.point.residuals, samples, strict=True)
    sums = [centred_scores(at, given, sample, predictors, clusters) for at, given, sample in each]
    parts = [part.products() / sample.total for part, sample in zip(sums, samples, strict=True)]
    return score_products(problem, parts, [part.totals for part in sums], clusters)


def score_products(
    problem: Problem, parts: Sequence[Array], totals: Sequence[Array | None], clusters: Clusters | None
) -> Array:
    """Return J by the free parameters: products of the scores, summed within clusters over all groups.

    Parameters
    ----------
    problem : Problem
    parts : (q_g, q_g) arrays
        J of each group by itself, used where rows come in no clusters.
    totals : (C, q_g) arrays
        Sums of the scores of each cluster in each group, where they do.
    clusters : Clusters or None
    """
    if clusters is None:
        return _summed(problem, parts)
    whole = np.zeros((problem.size, clusters.count))
    for layout, part in zip(problem.layouts, totals, strict=True):
        if part is not None:
            np.add.at(whole, layout.free, part.T)
    return products_of(whole.T, clusters) / problem.n


def inverse_within(information: Array, basis: Array) -> Array:
    """Return K (K' I K)^-1 K'; a generalised inverse where the information is singular, NaN where indefinite."""
    free = basis.shape[1] == len(basis)  # nothing is held: any basis spans all directions
    inner = information if free else basis.T @ information @ basis
    if not len(inner):
        return np.zeros_like(information)
    if regular(inner):
        found = inverse_and_log_determinant(inner)
        if found is not None:
            return found[0] if free else np.asarray(basis @ found[0] @ basis.T)
    basis = np.eye(len(basis)) if free else basis
    scale = np.sqrt(np.maximum(np.abs(np.diag(inner)), 1e-300))
    values, vectors = np.linalg.eigh(inner / scale / scale[:, None])
    if float(values[0]) < -NOT_IDENTIFIED:
        return np.full_like(information, np.nan)
    kept = values > NOT_IDENTIFIED
    inside = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T / scale / scale[:, None]
    return np.asarray(basis @ inside @ basis.T)


def regular(inner: Array) -> bool:
    """Return whether a matrix is far from singular by its Cholesky factor: the common case needs no eigenvalues."""
    spread = inner.diagonal()
    if not float(spread.min()) > 0:
        return False
    scale = 1.0 / np.sqrt(spread)
    factor, failed = dpotrf(inner * scale * scale[:, None], lower=1, clean=1)
    return not failed and float(factor.diagonal().min()) ** 2 > _FAR


def lost_parameters(expected: Array, basis: Array) -> tuple[int, ...]:
    """Return the parameters that take part in a direction along which the implied moments do not change."""
    free = basis.shape[1] == len(basis)
    inner = expected if free else basis.T @ expected @ basis
    if not len(inner) or regular(inner):
        return ()
    basis = np.eye(len(basis)) if free else basis
    scale = np.sqrt(np.maximum(np.diag(inner), 1e-300))
    values, vectors = np.linalg.eigh(inner / scale / scale[:, None])
    null = basis @ (vectors[:, values < NOT_IDENTIFIED] / scale[:, None])
    if not null.shape[1]:
        return ()
    moved = np.abs(null) * np.sqrt(np.maximum(np.diag(expected), 1e-300))[:, None]
    moved = np.where(np.diag(expected)[:, None] <= 1e-300, np.abs(null), moved)
    return tuple(np.flatnonzero((moved > 1e-4 * moved.max(axis=0)).any(axis=1)).tolist())


def _summed(problem: Problem, parts: Sequence[Array]) -> Array:
    result = np.zeros((problem.size, problem.size))
    for layout, target, part in zip(problem.layouts, problem.targets, parts, strict=True):
        add_block(result, layout, target.share * part)
    return result


def normal_theory(problem: Problem, found: Optimum) -> Array:
    """Return J under normality for a weight that is not the inverse of S: V S V in the place of V."""
    result = np.zeros((problem.size, problem.size))
    for layout, target, at in zip(problem.layouts, problem.targets, found.point.groups, strict=True):
        spread = target.weight @ target.cov @ target.weight
        part = expected_hessian(at, spread, means=target.mean is not None) / 2.0
        add_block(result, layout, target.share * part)
    return result
