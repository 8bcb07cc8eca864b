"""One pass over the rows: products of casewise scores, and the fourth moments that scaled tests need.

Cost O(n q^2) with q parameters of a group; rows come in blocks, so memory does not depend on n.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sipas_research.numerics.correlation import Array
from sipas_research.sem.derivatives import Residuals
from sipas_research.sem.discrepancy import inverse_and_log_determinant
from sipas_research.sem.implied import Implied
from sipas_research.sem.moments import GroupSample

Positions = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LikelihoodScores:
    """What the sandwich of MLR and the test of Yuan & Bentler need of one group; z is a row less the sample means.

    Attributes
    ----------
    products : (q, q) array
        J: mean product of the scores at the implied moments.
    squared : float
        Mean of (z' S^-1 z)^2.
    kurtosis : (p,) array
        Mean of z_j^4 / s_jj^2 of each variable.
    outside : float
        Mean of (z_x' S_xx^-1 z_x)^2 of the variables that only explain others; 0 without.
    """

    products: Array
    squared: float
    kurtosis: Array
    outside: float


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MomentScores:
    """What the sandwich of MLM and the test of Satorra & Bentler need of one group.

    Gamma is the covariance of rows e_i = (z, vech zz'); with predictors it is that of e_i less its value at the
    regression of z on the predictors: fourth moments given the predictors.

    Attributes
    ----------
    products : (q, q) array
        J_c = D' W Gamma W D with the weight W of the implied moments.
    structured, mean_part : float
        tr(W Gamma): the part of covariances, and that of means.
    baseline : float
        tr(U Gamma) of the baseline model.
    """

    products: Array
    structured: float
    mean_part: float
    baseline: float


def likelihood_scores(at: Implied, given: Residuals, sample: GroupSample, sources: Positions) -> LikelihoodScores:
    """Go over the rows of one group for MLR.

    Score k of row i: u_ik = s_k [(z'Va_k)(z'Vb_k) - a_k'Vb_k] + z'V M_k with z the row less the implied means.

    Parameters
    ----------
    at, given
        Implied moments and residuals of the group at the estimates; V is ``given.weight``.
    sample : GroupSample
        With rows.
    sources : tuple of int
        Positions of observed predictors, which the baseline model leaves correlated.
    """
    pull = _Pull(at, given)
    away = np.zeros(len(sample.cov)) if given.deviation is None or sample.mean is None else sample.mean - at.mean
    whole = inverse_and_log_determinant(sample.cov)
    inverse = np.zeros_like(sample.cov) if whole is None else whole[0]
    inside = np.asarray(sample.cov[np.ix_(sources, sources)])
    outside = np.asarray(np.linalg.inv(inside), dtype=np.float64) if sources else None
    count = len(at.layout.free)
    products, sums = np.zeros((count, count)), np.zeros(count)
    squared = beyond = 0.0
    fourth = np.zeros(len(sample.names))
    for across in _centred(sample):
        fourth += ((across * across) ** 2).sum(axis=1)
        squared += _sum_of_squares(inverse, across)
        if outside is not None:
            beyond += _sum_of_squares(outside, across[list(sources)])
        scores = pull.scores(across + away[:, None] if away.any() else across)
        products += scores @ scores.T
        sums += scores.sum(axis=1)
    n = sample.n
    mean, offset = sums / n, pull.offset()
    crossed = np.outer(mean, offset)
    plain = products / n - crossed - crossed.T + np.outer(offset, offset)
    return LikelihoodScores(plain, squared / n, fourth / n / np.diag(sample.cov) ** 2, beyond / n)


def moment_scores(
    at: Implied, given: Residuals, sample: GroupSample, predictors: Positions, sources: Positions | None = None
) -> MomentScores:
    """Go over the rows of one group for MLM; parameters as in :func:`likelihood_scores`.

    ``predictors`` are those of the sources (by default all) whose moments are the sample's.
    """
    pull = _Pull(at, given)
    cov = sample.cov
    linked = predictors if sources is None else sources
    weights = [given.weight, baseline_weight(cov, linked)]
    if linked and not predictors:  # the block of the sources is free in the baseline model
        inner = np.ix_(linked, linked)
        weights.append(np.zeros_like(cov))
        weights[2][inner] = weights[1][inner]
    project = _projection(cov, predictors)
    count = len(at.layout.free)
    products, sums = np.zeros((count, count)), np.zeros(count)
    squared = np.zeros(len(weights))
    fourth = np.zeros(len(cov))
    for across in _centred(sample):
        inside = None if project is None else project @ across
        scores = pull.scores(across)
        squares = across * across
        if inside is not None:
            scores -= pull.scores(inside)
            squares -= inside * inside
        fourth += (squares * squares).sum(axis=1)
        squared += [_sum_of_squares(weight, across, inside) for weight in weights]
        products += scores @ scores.T
        sums += scores.sum(axis=1)
    n = sample.n
    mean = sums / n
    spread = cov if project is None else cov - project @ cov @ project.T
    traces = [_trace(weight, spread) for weight in weights]
    own = np.setdiff1d(np.arange(len(cov)), linked)
    variances = (fourth[own] / n - np.diag(spread)[own] ** 2) / np.diag(cov)[own] ** 2
    model, base, *block = (0.5 * (total / n - trace) for total, trace in zip(squared, traces, strict=True))
    centred, mean_part = products / n - np.outer(mean, mean), float(np.sum(given.weight * spread))
    return MomentScores(centred, float(model), mean_part, float(base - sum(block) - 0.5 * variances.sum()))


def baseline_weight(cov: Array, predictors: Positions) -> Array:
    """Return V0: the inverse of the covariance matrix in which only predictors are correlated."""
    weight = np.diag(1.0 / np.diag(cov))
    if predictors:
        index = np.ix_(predictors, predictors)
        weight[index] = np.linalg.inv(cov[index])
    return weight


class _Pull:
    """The products z'Va, z'Vb and z'VM of rows z at one point."""

    __slots__ = ("at", "directions", "slopes", "weight")

    def __init__(self, at: Implied, given: Residuals) -> None:
        self.at = at
        self.weight = given.weight
        self.directions = (given.weight @ at.directions).T
        self.slopes = None if given.deviation is None else (given.weight @ at.mean_slopes).T

    def scores(self, across: Array) -> Array:
        """Return s_k (z'Va_k)(z'Vb_k) + z'V M_k of the columns z of ``across``: scores but for a constant."""
        shape = self.at.layout
        pulled = self.directions @ across
        moved = pulled[shape.left]
        moved *= pulled[shape.right]
        moved *= shape.factor[:, None]
        if not len(shape.means_of):
            scores = moved
        else:
            scores = np.zeros((len(shape.free), across.shape[1]))
            scores[: shape.moments] = moved
        if self.slopes is not None:
            by_mean = self.slopes @ across
            paths = len(shape.path_to)
            scores[:paths] += by_mean[:paths]
            scores[shape.moments :] += by_mean[paths:]
        return scores

    def offset(self) -> Array:
        """Return s_k a_k'Vb_k of every parameter; 0 for intercepts."""
        shape, w = self.at.layout, self.at.directions
        result = np.zeros(len(shape.free))
        result[: shape.moments] = shape.factor * (w.T @ self.weight @ w)[shape.left, shape.right]
        return result


def _centred(sample: GroupSample) -> Iterator[Array]:
    """Yield the rows of a group less their means, as columns of (p, k) arrays."""
    if sample.rows is None or sample.mean is None:
        raise ValueError("rows and means are needed")
    for block in sample.rows():
        yield block.T - sample.mean[:, None]


def _sum_of_squares(weight: Array, across: Array, inside: Array | None = None) -> float:
    """Return the sum over rows of (z'Vz)^2, or of tr[V(zz' - ww')V(zz' - ww')] with w in ``inside``."""
    pulled = weight @ across
    whole = np.einsum("ij,ij->j", pulled, across)
    if inside is None:
        return float(whole @ whole)
    crossed = np.einsum("ij,ij->j", pulled, inside)
    part = np.einsum("ij,ij->j", weight @ inside, inside)
    return float(whole @ whole - 2.0 * (crossed @ crossed) + part @ part)


def _trace(weight: Array, spread: Array) -> float:
    ratio = weight @ spread
    return float(np.sum(ratio * ratio.T))


def _projection(cov: Array, predictors: Positions) -> Array | None:
    """Return the matrix that replaces every variable by its regression on the predictors, or None without any."""
    if not predictors:
        return None
    index = list(predictors)
    result = np.zeros_like(cov)
    result[:, index] = np.linalg.solve(cov[np.ix_(index, index)], cov[index]).T
    return result
