"""First and second derivatives of a discrepancy in one group, without Kronecker products.

Every derivative of Sigma is s (a b' + b a') with columns a, b of W = [G, F C]; products of all columns are gathered
from the small matrix W' X W. Cost O(p q^2) for q parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sipas_research.numerics.correlation import Array
from sipas_research.sem.implied import Implied
from sipas_research.sem.layout import Index, Layout


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Residuals:
    """What a discrepancy hands to its derivatives; the discrepancy's slope by Sigma is ``slope``.

    Attributes
    ----------
    weight : (p, p) array
        V: inverse of Sigma (ML), of S (GLS), identity (ULS).
    slope : (p, p) array
        R: the derivative of the discrepancy by Sigma.
    deviation : (p,) array or None
        V d with d = sample mean less implied mean.
    curvature : (p, p) array or None
        V T V where V moves with the parameters (ML), None where it does not (GLS, ULS).
    by_moments : callable or None
        Rows with holes: called with True it returns the second derivatives by means and lower triangle of Sigma, with
        False their expectation; ``weight`` is then the inverse of Sigma and ``curvature`` is None.
    """

    weight: Array
    slope: Array
    deviation: Array | None
    curvature: Array | None
    by_moments: Callable[[bool], Array] | None = None


def gradient(at: Implied, given: Residuals) -> Array:
    """Return the gradient by the group's parameters: 2 s colsum(A o R B) - 2 M' V d."""
    shape, w = at.layout, at.directions
    products = w.T @ given.slope @ w
    result = np.zeros(len(shape.free))
    result[: shape.moments] = 2.0 * shape.factor * products[shape.left, shape.right]
    if given.deviation is not None:
        result[shape.mean_columns] -= 2.0 * (at.mean_slopes.T @ given.deviation)
    return result


def paired(shape: Layout, products: Array) -> Array:
    """Return tr(V dSigma_k V dSigma_l) of all pairs out of ``products`` = W' V W."""
    aa, bb, ab = shape.grid
    cross = products.take(ab)
    return shape.scales * (products.take(aa) * products.take(bb) + cross * cross.T)


def expected_hessian(at: Implied, weight: Array, *, means: bool = True) -> Array:
    """Return H = tr(V dSigma_k V dSigma_l) + 2 M' V M; information of one row is H / 2."""
    shape, w = at.layout, at.directions
    count, moments = len(shape.free), shape.moments
    result = np.zeros((count, count))
    result[:moments, :moments] = paired(shape, w.T @ weight @ w)
    if means:
        _add_mean_part(result, at, weight)
    return result


def expected_of(at: Implied, given: Residuals, *, means: bool = True) -> Array:
    """Return the expected Hessian of a discrepancy, that of rows with holes too."""
    if given.by_moments is None:
        return expected_hessian(at, given.weight, means=means)
    return _through(at, given.by_moments(False))


def _through(at: Implied, curvature: Array) -> Array:
    slopes = moment_slopes_of(at)
    return np.asarray(slopes.T @ curvature @ slopes)


def moment_slopes_of(at: Implied) -> Array:
    """Return D: the derivatives of means and lower triangle of Sigma, column by column, by a group's parameters."""
    shape, p = at.layout, at.layout.observed
    columns, rows = np.triu_indices(p)
    left, right = at.directions[:, shape.left], at.directions[:, shape.right]
    result = np.zeros((p + len(rows), len(shape.free)))
    result[:p, shape.mean_columns] = at.mean_slopes
    result[p:, : shape.moments] = shape.factor * (left[rows] * right[columns] + left[columns] * right[rows])
    return result


def _add_mean_part(result: Array, at: Implied, weight: Array) -> None:
    """Add 2 M' V M."""
    slopes, where = at.mean_slopes, at.layout.mean_columns
    result[where[:, None], where] += 2.0 * (slopes.T @ weight @ slopes)


def observed_hessian(at: Implied, given: Residuals) -> Array:
    """Return the matrix of second derivatives of the discrepancy.

    With V moving (ML): 2 VW - VV + K + 2 (X + X') + 2 M'VM - 2 L; with V fixed: VV + K + 2 M'VM - 2 L. Of rows with
    holes: D'HD + K - 2 L.
    """
    shape, deviation = at.layout, given.deviation
    count, moments = len(shape.free), shape.moments
    if given.by_moments is not None and deviation is not None:
        result = _through(at, given.by_moments(True))
        result[:moments, :moments] += _second_order(at, given.slope)
        _subtract_mean_curvature(result, at, deviation)
        return result
    result = np.zeros((count, count))
    # 2 VW - VV is 2 V(W - V / 2), and VV is 2 V(V / 2)
    other = 0.5 * given.weight if given.curvature is None else given.curvature - 0.5 * given.weight
    result[:moments, :moments] = _twice_mixed(at, given.weight, other) + _second_order(at, given.slope)
    if deviation is not None:
        _add_mean_part(result, at, given.weight)
        if given.curvature is not None:
            _add_cross(result, at, given.weight, deviation)
        _subtract_mean_curvature(result, at, deviation)
    return result


def _twice_mixed(at: Implied, weight: Array, other: Array) -> Array:
    """Return 2 VW: tr(V dSigma_k W dSigma_l) + tr(W dSigma_k V dSigma_l)."""
    shape, w = at.layout, at.directions
    aa, bb, ab = shape.grid
    by_v, by_w = w.T @ weight @ w, w.T @ other @ w
    cross = by_v.take(ab) * by_w.take(ab).T
    return shape.scales * (by_v.take(aa) * by_w.take(bb) + by_v.take(bb) * by_w.take(aa) + cross + cross.T)


def _add_cross(result: Array, at: Implied, weight: Array, deviation: Array) -> None:
    """Add 2 (X + X'): how a covariance parameter turns the weight of the means."""
    shape, w = at.layout, at.directions
    pulled = w.T @ deviation  # W' V d
    slopes = w.T @ (weight @ at.mean_slopes)  # W' V M
    turned = shape.factor[:, None] * (
        pulled[shape.left][:, None] * slopes[shape.right] + pulled[shape.right][:, None] * slopes[shape.left]
    )
    moments, where = np.arange(shape.moments), shape.mean_columns
    result[moments[:, None], where] += 2.0 * turned
    result[where[:, None], moments] += 2.0 * turned.T


def _second_order(at: Implied, slope: Array) -> Array:
    """Return K: tr(R d2 Sigma) of all pairs of paths and covariances."""
    shape = at.layout
    p, a = shape.observed, len(shape.path_to)
    gains = at.inverse[:p]
    pulled = gains.T @ slope  # G' R
    by_gain, by_joint = pulled @ gains, pulled @ at.joint[:p]
    to, source = shape.path_to, shape.path_from
    result = np.zeros((shape.moments, shape.moments))
    if a:
        chained = _gather(at.inverse.T, to, source) * _gather(by_joint.T, source, to)
        result[:a, :a] = 2.0 * (chained + chained.T + _gather(at.joint, source, source) * _gather(by_gain, to, to))
    if a and len(shape.cov_left):
        u, v = shape.cov_left, shape.cov_right
        turn = _gather(at.inverse, source, v) * _gather(by_gain, to, u)
        turn += _gather(at.inverse, source, u) * _gather(by_gain, to, v)
        block = 2.0 * shape.factor[a:] * turn
        result[:a, a:] = block
        result[a:, :a] = block.T
    return result


def _gather(matrix: Array, rows: Index, columns: Index) -> Array:
    return matrix[rows[:, None], columns]


def _subtract_mean_curvature(result: Array, at: Implied, deviation: Array) -> None:
    """Subtract 2 L: second derivatives of the means, path by path and intercept by path."""
    shape = at.layout
    a, moments = len(shape.path_to), shape.moments
    if not a:
        return
    pulled = at.inverse[: shape.observed].T @ deviation  # h = G' V d
    to, source = shape.path_to, shape.path_from
    chained = at.inverse[source[None, :], to[:, None]] * (at.joint_mean[source][:, None] * pulled[to])
    result[:a, :a] -= 2.0 * (chained + chained.T)
    if len(shape.means_of):
        block = at.inverse[source[None, :], shape.means_of[:, None]] * pulled[to]
        result[moments:, :a] -= 2.0 * block
        result[:a, moments:] -= 2.0 * block.T
