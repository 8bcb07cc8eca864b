"""Asymptotic variances of residuals where rows are incomplete: the likeliest moments less the implied ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sipas_research.numerics.correlation import Array
from sipas_research.numerics.hole_likelihood import hole_curvature, lower
from sipas_research.numerics.hole_patterns import Index
from sipas_research.sem.clusters import Clusters, ScoreSums, clusters_of
from sipas_research.sem.holes import Holes
from sipas_research.sem.information import inverse_within
from sipas_research.sem.missing_tests import free_slopes, own_moments
from sipas_research.sem.residual_errors import ResidualErrors

if TYPE_CHECKING:
    from sipas_research.sem.result import SemFit


def hole_residual_errors(fit: SemFit) -> tuple[ResidualErrors, ...]:
    """Return the variances of the residuals of each group.

    Q Gamma Q' / n with Q = I - share D E^-1 D'A, E = sum of share D'AD: A the observed information of the moments (mu,
    vech Sigma) at the implied ones, D their derivatives by the parameters, Gamma the inverse information at the
    likeliest moments, with robust errors A^-1 B A^-1 there. Moments among observed predictors are taken as known.
    """
    size = len(fit.table.observed)
    own = own_moments(size, fit.predictors)
    clusters = clusters_of(fit.samples)
    parts = []
    for target, at in zip(fit.problem.targets, fit.groups, strict=True):
        if target.holes is None:
            raise ValueError("incomplete rows are needed")
        slope = free_slopes(at, fit.problem.size)[own]
        weight = _information(target.holes, at.mean, at.cov, own)
        gamma = _covariance(target.holes, own, clusters if fit.options.robust else None, robust=fit.options.robust)
        parts.append((target, slope, weight @ slope, gamma))
    information = sum(target.share * (slope.T @ pulled) for target, slope, pulled, _ in parts)
    inverse = inverse_within(np.asarray(information), fit.information.basis)
    found = []
    for target, slope, pulled, gamma in parts:
        kept = np.eye(len(own)) - target.share * (slope @ inverse @ pulled.T)
        variance = np.einsum("ij,ij->i", kept @ gamma, kept)
        found.append(_unpacked(variance / target.n, np.diag(gamma) / target.n, own, size))
    return tuple(found)


def _information(holes: Holes, mean: Array, cov: Array, own: Index) -> Array:
    curvature = hole_curvature(holes.patterns, mean, cov, observed=True)
    if curvature is None:
        raise ValueError("positive definite moments are needed")
    return np.asarray(0.5 * curvature[np.ix_(own, own)])


def _covariance(holes: Holes, own: Index, clusters: Clusters | None, *, robust: bool) -> Array:
    """Return Gamma: the asymptotic covariance matrix of the likeliest moments."""
    inverse = np.linalg.inv(_information(holes, holes.mean, holes.cov, own))
    if not robust:
        return np.asarray(inverse)
    sums = ScoreSums(len(own), clusters)
    for scores, weights, codes in holes.scores(holes.mean, holes.cov):
        sums.add(scores[own], weights, codes)
    return np.asarray(inverse @ (sums.products() / holes.rows) @ inverse)


def _unpacked(variance: Array, alone: Array, own: Index, size: int) -> ResidualErrors:
    rows, columns = lower(size)
    parts = []
    for values in (variance, alone):
        whole = np.zeros(size + len(rows))
        whole[own] = values
        cov = np.zeros((size, size))
        cov[rows, columns] = cov[columns, rows] = whole[size:]
        parts.append((cov, whole[:size]))
    return ResidualErrors(parts[0][0], parts[1][0], parts[0][1], parts[1][1])
