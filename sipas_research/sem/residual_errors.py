"""Asymptotic variances of residuals, without the p* x p* matrices that the formula is written with.

With D the derivatives of a group's moments (means, then covariances) by the free parameters, A the information of
unrestricted moments and Gamma their asymptotic covariance, the residuals have covariance Q Gamma Q' / n with
Q = I - share D E^-1 D'A, E = sum of share D'AD. Only its diagonal is needed, so that P = A D and Gamma P, each with
as many columns as parameters, are enough; the rows are passed over once where Gamma is empirical.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sipas_research.numerics.correlation import Array
from sipas_research.sem.clusters import Clusters, add_by_cluster, clusters_of
from sipas_research.sem.discrepancy import Target
from sipas_research.sem.fourth_moments import passed
from sipas_research.sem.implied import Implied
from sipas_research.sem.information import inverse_within
from sipas_research.sem.layout import Index
from sipas_research.sem.moments import GroupSample

if TYPE_CHECKING:
    from sipas_research.sem.result import SemFit

#: Numbers of the sums of clusters that are held at a time.
_HELD = 2**23


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ResidualErrors:
    """Variances of one group's residuals, and of the sample moments alone.

    Attributes
    ----------
    cov, cov_alone : (p, p) arrays
    mean, mean_alone : (p,) arrays
        Empty where means are not modelled.
    """

    cov: Array
    cov_alone: Array
    mean: Array
    mean_alone: Array


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Moved:
    """Means (p, q) and covariances (q, p, p) of one group by each free parameter: D, A D or Gamma A D."""

    mean: Array
    cov: Array


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Alone:
    """Gamma A D, and the diagonal of Gamma."""

    moved: _Moved
    mean: Array
    cov: Array


def residual_errors(fit: SemFit) -> tuple[ResidualErrors, ...]:
    """Return the variances of the residuals of each group.

    Normal theory at the sample's moments for ML, GLS, ULS; fourth moments of the rows for MLR, MLM, with
    weights and within clusters where there are some. Covariances and means of observed predictors are taken as known.
    Incomplete rows: :mod:`.hole_residuals`.
    """
    if fit.samples[0].holes is not None:
        from sipas_research.sem.hole_residuals import hole_residual_errors

        return hole_residual_errors(fit)
    q = fit.theta.size
    slopes = [_slopes(at, q, fit.options.meanstructure) for at in fit.groups]
    weighted = [_weighted(fit, k, each) for k, each in enumerate(slopes)]
    shares = [target.share for target in fit.problem.targets]
    information = sum(w * _product(d, a) for w, d, a in zip(shares, slopes, weighted, strict=True))
    inverse = inverse_within(np.asarray(information), fit.information.basis)
    clusters = clusters_of(fit.samples)
    found = []
    for k, (share, slope, weight) in enumerate(zip(shares, slopes, weighted, strict=True)):
        target, sample = fit.problem.targets[k], fit.samples[k]
        if fit.options.robust:
            alone = _empirical(sample, weight, fit.predictors, clusters)
        else:
            alone = _normal(target, weight, fit.predictors)
        middle = inverse @ _product(weight, alone.moved) @ inverse
        found.append(_variances(share, slope, inverse, middle, alone, sample.total))
    return tuple(found)


def _variances(
    share: float, slope: _Moved, inverse: Array, middle: Array, alone: _Alone, rows: float
) -> ResidualErrors:
    """Return the diagonal of Q Gamma Q' / n: Gamma - 2 share D E^-1 P'Gamma + share^2 D E^-1 P'Gamma P E^-1 D'."""

    def diagonal(at: Array, moved: Array, own: Array) -> Array:
        cross = np.einsum("k...,kl,l...->...", at, inverse, moved, optimize=True)
        square = np.einsum("k...,kl,l...->...", at, middle, at, optimize=True)
        return np.asarray(own - 2.0 * share * cross + share**2 * square) / rows

    cov = diagonal(slope.cov, alone.moved.cov, alone.cov)
    mean = diagonal(slope.mean.T, alone.moved.mean.T, alone.mean)
    return ResidualErrors(cov, alone.cov / rows, mean, alone.mean / rows)


def _slopes(at: Implied, size: int, means: bool) -> _Moved:
    """Return D: the derivatives of means and covariances by the free parameters."""
    shape, p = at.layout, at.layout.observed
    wide = at.directions
    left, right = wide[:, shape.left].T, wide[:, shape.right].T
    each = shape.factor[:, None, None] * left[:, :, None] * right[:, None, :]
    cov = np.zeros((size, p, p))
    np.add.at(cov, shape.free[: shape.moments], each + each.transpose(0, 2, 1))
    mean = np.zeros((size, p if means else 0))
    if means:
        np.add.at(mean, shape.free[shape.mean_columns], at.mean_slopes.T)
    return _Moved(mean.T, cov)


def _weighted(fit: SemFit, group: int, slopes: _Moved) -> _Moved:
    """Return A D, covariances as matrices Z with <A D, y> = tr(Z Y): the information that the estimator uses.

    Expected: V X V / 2. Observed: [W X V + V X W - V X V] / 2 with W = V (S + d d') V, and the terms between means
    and covariances that a distance of the means d brings.
    """
    target, given = fit.problem.targets[group], fit.optimum.point.residuals[group]
    weight = given.weight if target.likelihood else target.weight
    cov = weight @ slopes.cov @ weight / 2.0
    mean = weight @ slopes.mean if len(slopes.mean) else slopes.mean
    if fit.options.likelihood and fit.options.information == "observed" and given.curvature is not None:
        half = given.curvature @ slopes.cov @ weight / 2.0
        cov = half + half.transpose(0, 2, 1) - cov
        if given.deviation is not None and len(mean):
            pulled = given.deviation
            crossed = 0.5 * mean.T[:, :, None] * pulled[None, None, :]
            mean = mean + weight @ (slopes.cov @ pulled).T
            cov = cov + crossed + crossed.transpose(0, 2, 1)
    for k in fit.predictors:
        cov[:, k, list(fit.predictors)] = 0.0
        mean[k : k + 1] = 0.0
    return _Moved(mean, cov)


def _product(first: _Moved, second: _Moved) -> Array:
    """Return the inner products of two sets of columns, (q, q); one of them holds dual matrices."""
    q = len(first.cov)
    return np.asarray(first.cov.reshape(q, -1) @ second.cov.reshape(q, -1).T + first.mean.T @ second.mean)


def _normal(target: Target, weight: _Moved, predictors: tuple[int, ...]) -> _Alone:
    """Return Gamma A D under normality: 2 (S Z S - H Z H), H the part of S that predictors explain."""
    cov, explained = target.cov, _explained(target.cov, predictors)
    moved = 2.0 * (cov @ weight.cov @ cov)
    variance, known = np.diag(cov), np.diag(explained)
    own = cov**2 + np.outer(variance, variance)
    if predictors:
        moved = moved - 2.0 * (explained @ weight.cov @ explained)
        own = own - explained**2 - np.outer(known, known)
    means = len(weight.mean) > 0
    mean = (cov - explained) @ weight.mean if means else weight.mean
    return _Alone(_Moved(mean, moved), (variance - known) if means else np.zeros(0), np.maximum(own, 0.0))


def _explained(cov: Array, predictors: tuple[int, ...]) -> Array:
    """Return C S_xx C' with C the regression of all variables on the predictors; zero without."""
    if not predictors:
        return np.zeros_like(cov)
    which = list(predictors)
    return np.asarray(cov[:, which] @ np.linalg.solve(cov[np.ix_(which, which)], cov[which]))


def _empirical(sample: GroupSample, weight: _Moved, predictors: tuple[int, ...], clusters: Clusters | None) -> _Alone:
    """Return Gamma A D with Gamma the covariance of the rows' products less what predictors explain of them.

    With weights and clusters Gamma is that of the weighted products summed within clusters.
    """
    p, q = len(sample.cov), len(weight.cov)
    upper = np.triu_indices(p)
    twice = np.where(upper[0] == upper[1], 1.0, 2.0)
    dual = (weight.cov[:, upper[0], upper[1]] * twice).T
    dual = np.concatenate([dual, weight.mean])
    moved, own = np.zeros((len(dual), q)), np.zeros(len(dual))
    for whole in _units(sample, upper, predictors, clusters, means=len(weight.mean) > 0):
        moved += whole.T @ (whole @ dual)
        own += (whole * whole).sum(axis=0)
    moved, own = moved / sample.total, own / sample.total
    size = len(upper[0])
    cov, variance = np.zeros((q, p, p)), np.zeros((p, p))
    cov[:, upper[0], upper[1]] = cov[:, upper[1], upper[0]] = moved[:size].T
    variance[upper] = variance.T[upper] = own[:size]
    return _Alone(_Moved(moved[size:], cov), own[size:], variance)


def _units(
    sample: GroupSample, upper: tuple[Index, Index], predictors: tuple[int, ...], clusters: Clusters | None, *,
    means: bool,
) -> Iterator[Array]:  # fmt: skip
    """Yield what is independent, as rows: the products of single rows, or their sums over clusters."""
    width = len(upper[0]) + (len(sample.cov) if means else 0)
    if clusters is None:
        for whole, _ in _row_products(sample, upper, predictors, means=means):
            yield whole
        return
    step = max(1, _HELD // width)
    for first in range(0, len(clusters.stretch), step):  # memory does not depend on the number of clusters
        stretch = clusters.stretch[first : first + step]
        totals = np.zeros((len(stretch), width))
        for whole, codes in _row_products(sample, upper, predictors, means=means):
            inside = (codes >= first) & (codes < first + len(stretch))
            if inside.any():
                add_by_cluster(totals, codes[inside] - first, whole[inside].T)
        yield totals * stretch[:, None]


def _row_products(
    sample: GroupSample, upper: tuple[Index, Index], predictors: tuple[int, ...], *, means: bool
) -> Iterator[tuple[Array, Index]]:
    """Yield the weighted products of some rows less their mean, then the rows if ``means``; and their clusters."""
    which = list(predictors)
    slope = np.linalg.solve(sample.cov[np.ix_(which, which)], sample.cov[which]) if which else None
    centre = (sample.cov - _explained(sample.cov, predictors))[upper]
    step = max(1, 2**21 // len(centre))
    for across, weights, codes in passed(sample):
        for first in range(0, across.shape[1], step):
            part = slice(first, first + step)
            rows = across[:, part].T
            products = rows[:, upper[0]] * rows[:, upper[1]] - centre
            if slope is not None:
                fitted = rows[:, which] @ slope
                products -= fitted[:, upper[0]] * fitted[:, upper[1]]
                rows = rows - fitted
            whole = np.concatenate([products, rows], axis=1) if means else products
            if weights is not None:
                whole *= weights[part, None]
            yield whole, np.zeros(0, dtype=np.intp) if codes is None else codes[part]
