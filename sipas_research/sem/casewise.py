"""One pass over the rows: products of casewise scores, and the fourth moments that scaled tests need.

Cost O(n q^2) with q parameters of a group; rows come in blocks, so memory does not depend on n.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sipas_research.numerics.correlation import Array
from sipas_research.sem.clusters import Clusters, ScoreSums
from sipas_research.sem.derivatives import Residuals
from sipas_research.sem.fourth_moments import FourthMoments, FourthSums, clustered_fourth_moments, passed
from sipas_research.sem.implied import Implied
from sipas_research.sem.moments import GroupSample

Positions = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LikelihoodScores:
    """What the sandwich of MLR and the test of Yuan & Bentler need of one group.

    Attributes
    ----------
    products : (q, q) array
        J of the group: products of the weighted scores at the implied moments, summed within clusters, over the sum
        of the weights.
    fourth : FourthMoments
        Of the unrestricted models.
    totals : (C, q) array or None
        Sums of the weighted scores within each cluster of all groups; None where rows stand by themselves.
    """

    products: Array
    fourth: FourthMoments
    totals: Array | None


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


def likelihood_scores(
    at: Implied, given: Residuals, sample: GroupSample, sources: Positions, clusters: Clusters | None = None
) -> LikelihoodScores:
    """Go over the rows of one group for MLR.

    Parameters
    ----------
    at, given
        Implied moments and residuals of the group at the estimates; V is ``given.weight``.
    sample : GroupSample
        With rows.
    sources : tuple of int
        Positions of observed predictors, which the baseline model leaves correlated.
    clusters : Clusters, optional
        Where rows come in clusters.
    """
    if clusters is None:
        fourth = FourthSums(sample, sources)
        sums = implied_scores(at, given, sample, None, fourth)
        return LikelihoodScores(sums.products() / sample.total, fourth.found(), None)
    sums = implied_scores(at, given, sample, clusters)
    found = clustered_fourth_moments(sample, sources, clusters)
    return LikelihoodScores(sums.products() / sample.total, found, sums.totals)


def implied_scores(
    at: Implied, given: Residuals, sample: GroupSample, clusters: Clusters | None, fourth: FourthSums | None = None
) -> ScoreSums:
    """Go over the rows of one group for the scores at the implied moments; ``fourth`` counts the rows on the way.

    Score k of row i: u_ik = s_k [(z'Va_k)(z'Vb_k) - a_k'Vb_k] + z'V M_k with z the row less the implied means.
    """
    pull = _Pull(at, given)
    away = np.zeros(len(sample.cov)) if given.deviation is None or sample.mean is None else sample.mean - at.mean
    offset = pull.offset()[:, None]
    sums = ScoreSums(len(at.layout.free), clusters)
    for across, weights, codes in passed(sample):
        if fourth is not None:
            fourth.add(across, weights)
        scores = pull.scores(across + away[:, None] if away.any() else across)
        scores -= offset
        sums.add(scores, weights, codes)
    return sums


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
    for across, _, _ in passed(sample):
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


def centred_scores(
    at: Implied, given: Residuals, sample: GroupSample, predictors: Positions, clusters: Clusters | None = None
) -> ScoreSums:
    """Go over the rows of one group for J_c, the covariance of the scores about the sample's moments.

    Score k: s_k [(z'Va_k)(z'Vb_k) - a_k'V S V b_k] + z'V M_k with z the row less the sample means, less its value at
    the regression of z on the predictors; parameters as in :func:`likelihood_scores`.
    """
    pull, project = _Pull(at, given), _projection(sample.cov, predictors)
    explained = 0.0 if project is None else project @ sample.cov @ project.T
    centre = pull.centre(sample.cov - explained)[:, None]
    sums = ScoreSums(len(at.layout.free), clusters)
    for across, weights, codes in passed(sample):
        scores = pull.scores(across)
        if project is not None:
            scores -= pull.scores(project @ across)
        scores -= centre
        sums.add(scores, weights, codes)
    return sums


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
        return self._paired(self.weight)

    def centre(self, spread: Array) -> Array:
        """Return s_k a_k'V S V b_k, the mean of what :meth:`scores` gives where rows have covariances S."""
        return self._paired(self.weight @ spread @ self.weight)

    def _paired(self, weight: Array) -> Array:
        shape, w = self.at.layout, self.at.directions
        result = np.zeros(len(shape.free))
        result[: shape.moments] = shape.factor * (w.T @ weight @ w)[shape.left, shape.right]
        return result


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
