"""One pass over the rows: products of casewise scores, and the fourth moments that scaled tests need.

Cost O(n q^2) with q parameters of a group; rows come in blocks, so memory does not depend on n.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sipas_research.numerics.correlation import Array
from sipas_research.sem.derivatives import Residuals
from sipas_research.sem.discrepancy import inverse_and_log_determinant
from sipas_research.sem.implied import Implied
from sipas_research.sem.moments import GroupSample


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FourthMoments:
    """Means over the rows of one group; z is a row less the sample means, S has divisor n.

    Attributes
    ----------
    squared : float
        Mean of (z' S^-1 z)^2.
    kurtosis : (p,) array
        Mean of z_j^4 / s_jj^2 of each variable.
    baseline : float
        Mean of (z' V0 z)^2, V0 the inverse of the baseline model's covariance matrix.
    baseline_trace : float
        tr(V0 S V0 S).
    outside : float
        Mean of (z_x' S_xx^-1 z_x)^2 of the predictors; 0 without.
    """

    squared: float
    kurtosis: Array
    baseline: float
    baseline_trace: float
    outside: float


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Casewise:
    """Score products of one group at the model's estimates.

    Attributes
    ----------
    centred : (q, q) array
        J_c: covariance of the scores about the sample moments.
    plain : (q, q) array
        J: mean product of the scores at the implied moments.
    structured : float
        Mean of (z' V z)^2 with V the inverse of the implied matrix, z about the sample means.
    weight : (p, p) array
        V.
    moments : FourthMoments
    """

    centred: Array
    plain: Array
    structured: float
    weight: Array
    moments: FourthMoments


def casewise(at: Implied, given: Residuals, sample: GroupSample, predictors: tuple[int, ...]) -> Casewise:
    """Go over the rows of one group.

    Score k of row i: u_ik = s_k [(z'Va_k)(z'Vb_k) - a_k'Vb_k] + z'V M_k.

    Parameters
    ----------
    at, given
        Implied moments and residuals of the group at the estimates; V is ``given.weight``.
    sample : GroupSample
        With rows.
    predictors : tuple of int
        Positions of observed predictors whose moments are the sample's.
    """
    shape = at.layout
    directions = (given.weight @ at.directions).T
    slopes = (given.weight @ at.mean_slopes).T
    with_means = given.deviation is not None
    whitened = _quadratics(sample, given.weight, predictors)
    shift = _shift(at, sample, directions) if with_means else None
    count = len(shape.free)
    products, sums = np.zeros((count, count)), np.zeros(count)
    moved, moved_sums = np.zeros((count, count)), np.zeros(count)
    totals = np.zeros(4)
    fourth = np.zeros(len(sample.names))
    for rows in _centred(sample):
        across = rows.T
        fourth += ((rows * rows) ** 2).sum(axis=0)
        for k, matrix in enumerate(whitened):
            distance = np.einsum("ij,ij->i", rows @ matrix, rows)
            totals[k] += float(distance @ distance)
        pulled = directions @ across
        by_mean = slopes @ across if with_means else None
        scores = _scores(at, pulled, by_mean)
        products += scores @ scores.T
        sums += scores.sum(axis=1)
        if shift is not None:
            later = _scores(at, pulled + shift[0][:, None], None if by_mean is None else by_mean + shift[1][:, None])
            moved += later @ later.T
            moved_sums += later.sum(axis=1)
    n = sample.n
    mean = sums / n
    centred = products / n - np.outer(mean, mean)
    if shift is not None:
        products, mean = moved, moved_sums / n
    offset = np.zeros(count)
    offset[: shape.moments] = shape.factor * _diagonal(at, given.weight)
    plain = products / n - np.outer(mean, offset) - np.outer(offset, mean) + np.outer(offset, offset)
    moments = _moments(sample, totals / n, fourth / n, predictors)
    return Casewise(centred, plain, float(totals[0] / n), given.weight, moments)


def _scores(at: Implied, pulled: Array, by_mean: Array | None) -> Array:
    """Return s_k (z'Va_k)(z'Vb_k) + z'V M_k of some rows, a (q, k) array: scores but for a constant."""
    shape = at.layout
    scores = np.zeros((len(shape.free), pulled.shape[1])) if len(shape.means_of) else None
    covariance = pulled[shape.left]
    covariance *= pulled[shape.right]
    covariance *= shape.factor[:, None]
    if scores is None:
        scores = covariance
    else:
        scores[: shape.moments] = covariance
    if by_mean is not None:
        a = len(shape.path_to)
        scores[:a] += by_mean[:a]
        scores[shape.moments :] += by_mean[a:]
    return scores


def _diagonal(at: Implied, weight: Array) -> Array:
    shape, w = at.layout, at.directions
    return (w.T @ weight @ w)[shape.left, shape.right]


def _shift(at: Implied, sample: GroupSample, directions: Array) -> tuple[Array, Array] | None:
    """Return what the distance of the means adds to a row's products, or None where implied means are the sample's."""
    if sample.mean is None:
        return None
    away = sample.mean - at.mean
    scale = np.sqrt(np.diag(sample.cov))
    if float(np.abs(away / scale).max()) < 1e-9:
        return None
    weight_rows = directions @ away
    a = at.layout.size
    gains = weight_rows[:a]
    by_path = gains[at.layout.path_to] * at.joint_mean[at.layout.path_from]
    return weight_rows, np.concatenate([by_path, gains[at.layout.means_of]])


def _centred(sample: GroupSample):  # type: ignore[no-untyped-def]
    if sample.rows is None or sample.mean is None:
        raise ValueError("rows and means are needed")
    for block in sample.rows():
        yield block - sample.mean


def _quadratics(sample: GroupSample, weight: Array, predictors: tuple[int, ...]) -> list[Array]:
    """Return the matrices of the four quadratic forms: implied, sample, baseline, predictors."""
    found = inverse_and_log_determinant(sample.cov)
    whole = np.zeros_like(sample.cov) if found is None else found[0]
    baseline = baseline_weight(sample.cov, predictors)
    forms = [weight, whole, baseline]
    if predictors:
        index = np.array(predictors)
        outside = np.zeros_like(whole)
        outside[np.ix_(index, index)] = np.linalg.inv(sample.cov[np.ix_(index, index)])
        forms.append(outside)
    return forms


def baseline_weight(cov: Array, predictors: tuple[int, ...]) -> Array:
    """Return V0: the inverse of the covariance matrix in which only predictors are correlated."""
    weight = np.diag(1.0 / np.diag(cov))
    if predictors:
        index = np.ix_(predictors, predictors)
        weight[index] = np.linalg.inv(cov[index])
    return weight


def _moments(sample: GroupSample, means: Array, fourth: Array, predictors: tuple[int, ...]) -> FourthMoments:
    ratio = baseline_weight(sample.cov, predictors) @ sample.cov
    return FourthMoments(
        float(means[1]), fourth / np.diag(sample.cov) ** 2, float(means[2]), float(np.sum(ratio * ratio.T)),
        float(means[3]),
    )  # fmt: skip
