"""The statistics that a model implies for ordered answers, and their slopes.

An ordered item y* has thresholds tau and a scale delta: its cuts are delta (tau - mu), its correlations
delta_i delta_j sigma_ij. Delta parameterization: delta is a parameter (one unless freed) and the residual variance
follows, so that the item's variance is 1 / delta^2. Theta parameterization: the residual variance is a parameter (one
unless freed) and delta is one over the standard deviation. With predictors all of it is conditional on them.
Muthén & Asparouhov (2002), Mplus Web Notes 4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sipas_research.numerics.correlation import Array
from sipas_research.sem.implied import Implied, implied
from sipas_research.sem.layout import Index, Layout
from sipas_research.sem.ordinal_moments import MomentShape


@dataclass(frozen=True, eq=False, repr=False)
class OrdinalLayout:
    """Positions of one group's parameters.

    Derivatives come in this order: those of ``inner``, thresholds, scales.

    Attributes
    ----------
    inner : Layout
        Paths, covariances, intercepts; the residual variances of ordered items are zero there under ``delta``.
    shape : MomentShape
    places : (p,) index array
        Where the explained variables stand among the observed ones of ``inner``.
    outside : (m,) index array
        Where the predictors stand.
    cuts : (t,) index array
        Free parameter of each threshold, -1 where it is fixed (means too).
    base_cuts : (t,) array
        Fixed thresholds; 0 elsewhere.
    scales : (p,) index array
        Free parameter of each scale, -1 where it is fixed or not ordered.
    base_scales : (p,) array
        Fixed scales; 1 elsewhere.
    delta : bool
        Whether scales are parameters.
    """

    inner: Layout
    shape: MomentShape
    places: Index
    outside: Index
    cuts: Index
    base_cuts: Array
    scales: Index
    base_scales: Array
    delta: bool

    @cached_property
    def free(self) -> Index:
        """Free parameter behind each derivative."""
        return np.concatenate([self.inner.free, self.cuts[self.cuts >= 0], self.scales[self.scales >= 0]])

    @cached_property
    def hidden(self) -> Index:
        """Ordered items among the observed, whose residual variance follows from their scale."""
        return self.places[self.shape.ordered] if self.delta else np.zeros(0, dtype=np.intp)


@dataclass(frozen=True, eq=False, repr=False)
class OrdinalImplied:
    """One group at one point.

    Attributes
    ----------
    layout : OrdinalLayout
    whole : Implied
        All variables, predictors with the sample's moments, residual variances of ordered items in place.
    given : Implied
        The same with predictors at zero: moments conditional on them.
    cuts : (t,) array
        Thresholds; 0 for means.
    scale : (p,) array
        Scales; 1 for continuous variables.
    """

    layout: OrdinalLayout
    whole: Implied
    given: Implied
    cuts: Array
    scale: Array

    @cached_property
    def moments(self) -> Array:
        """The implied statistics, (s,)."""
        shape, places = self.layout.shape, self.layout.places
        cov, mean = self.given.cov[np.ix_(places, places)], self.given.mean[places]
        of = shape.cut_of
        cuts = np.where(shape.cut_rank > 0, self.scale[of] * (self.cuts - mean[of]), mean[of])
        slopes = self.scale[:, None] * self.given.inverse[np.ix_(places, self.layout.outside)]
        first, second = shape.pairs
        pairs = self.scale[first] * self.scale[second] * cov[first, second]
        return np.concatenate([cuts, slopes.ravel(), np.diag(cov)[shape.numeric], pairs])

    @property
    def crossed(self) -> tuple[str, ...]:
        """Ordered items whose thresholds do not rise, so that some answer would be given by nobody."""
        shape = self.layout.shape
        same = (np.diff(shape.cut_of) == 0) & (np.diff(self.cuts) <= 0)
        return tuple(dict.fromkeys(shape.names[k] for k in shape.cut_of[1:][same]))

    @cached_property
    def slopes(self) -> Array:
        """Derivatives of the statistics by the group's parameters, in the order of ``layout.free``, (s, k)."""
        return _slopes(self)


def ordinal_implied(layout: OrdinalLayout, theta: Array) -> OrdinalImplied | None:
    """Return what a group implies at ``theta``, or None outside the parameter space."""
    at = implied(layout.inner, theta)
    if at is None:
        return None
    shape = layout.shape
    cuts, scale = layout.base_cuts.copy(), layout.base_scales.copy()
    cuts[layout.cuts >= 0] = theta[layout.cuts[layout.cuts >= 0]]
    scale[layout.scales >= 0] = theta[layout.scales[layout.scales >= 0]]
    given = _without(at, layout.outside)
    if layout.delta:
        if not (scale[shape.ordered] > 0).all():
            return None
        rest = _hidden_variances(given, layout.hidden, 1.0 / scale[shape.ordered] ** 2)
        if rest is None:
            return None
        residual = at.residual.copy()
        residual[layout.hidden, layout.hidden] = rest
        at = replace(at, residual=residual)
        given = _without(at, layout.outside)
    elif len(shape.ordered):
        variance = np.diag(given.cov)[layout.places[shape.ordered]]
        if not (variance > 0).all():
            return None
        scale[shape.ordered] = 1.0 / np.sqrt(variance)
    return OrdinalImplied(layout, at, given, cuts, scale)


def _without(at: Implied, outside: Index) -> Implied:
    """Return the moments conditional on predictors, these at zero."""
    if not len(outside):
        return at
    residual, intercepts = at.residual.copy(), at.intercepts.copy()
    residual[outside] = residual[:, outside] = 0.0
    intercepts[outside] = 0.0
    return Implied(at.layout, at.inverse, residual, intercepts)


def _hidden_variances(at: Implied, hidden: Index, variance: Array) -> Array | None:
    """Return the residual variances with which items have the given variances; linear in them."""
    wanted = variance - np.diag(at.joint)[hidden]
    gains = at.inverse[np.ix_(hidden, hidden)] ** 2
    if _alone(gains):
        return np.asarray(wanted)
    try:
        return np.asarray(np.linalg.solve(gains, wanted))
    except np.linalg.LinAlgError:
        return None


def _alone(gains: Array) -> bool:
    """Return whether no item acts on another: each residual variance then moves its own item only."""
    return bool((gains == np.eye(len(gains))).all())


def _slopes(at: OrdinalImplied) -> Array:
    layout, shape = at.layout, at.layout.shape
    width, thresholds = len(layout.free), layout.cuts >= 0
    freed = layout.scales >= 0
    inner = len(layout.inner.free)
    by_scale = np.arange(inner + int(thresholds.sum()), width)
    pairs, variances = _covariance_slopes(at, width)
    if layout.delta:
        turned = np.zeros((len(at.scale), width))
        turned[np.flatnonzero(freed), by_scale] = 1.0
    else:
        turned = np.zeros((len(at.scale), width))
        turned[shape.ordered] = -0.5 * at.scale[shape.ordered, None] ** 3 * variances[shape.ordered]
    means = np.zeros((len(at.scale), width))
    means[:, layout.inner.mean_columns] = at.given.mean_slopes[layout.places]
    result = np.zeros((shape.size, width))
    _fill_cuts(at, result, turned, means, inner + np.arange(int(thresholds.sum())))
    start, middle, last, _ = shape.starts
    if len(layout.outside):
        result[start:middle] = _regression_slopes(at, turned)
    result[middle:last] = variances[shape.numeric]
    first, second = shape.pairs
    cov = at.given.cov[np.ix_(layout.places, layout.places)][first, second]
    one, two = at.scale[first], at.scale[second]
    result[last:] = (one * two)[:, None] * pairs
    if turned.any():
        result[last:] += cov[:, None] * (two[:, None] * turned[first] + one[:, None] * turned[second])
    return result


def _fill_cuts(at: OrdinalImplied, result: Array, turned: Array, means: Array, columns: Index) -> None:
    """Fill the slopes of thresholds, delta (tau - mu), and of means, mu."""
    layout, shape = at.layout, at.layout.shape
    of, ordered = shape.cut_of, shape.cut_rank > 0
    mean = at.given.mean[layout.places]
    part = means[of]
    part[ordered] = (at.cuts - mean[of])[ordered, None] * turned[of[ordered]]
    part[ordered] -= at.scale[of[ordered], None] * means[of[ordered]]
    freed = np.flatnonzero(layout.cuts >= 0)
    part[freed, columns] += at.scale[of[freed]]
    result[: len(of)] = part


def _covariance_slopes(at: OrdinalImplied, width: int) -> tuple[Array, Array]:
    """Return the slopes of the covariances of all pairs and of the variances, by the group's parameters."""
    layout = at.layout
    inner, directions = layout.inner, at.given.directions[layout.places]
    left, right = directions[:, inner.left], directions[:, inner.right]
    first, second = layout.shape.pairs
    pairs, variances = np.zeros((len(first), width)), np.zeros((len(layout.places), width))
    pairs[:, : inner.moments] = left[first] * right[second]
    pairs[:, : inner.moments] += left[second] * right[first]
    pairs[:, : inner.moments] *= inner.factor
    variances[:, : inner.moments] = 2.0 * inner.factor * left * right
    if len(layout.hidden):
        _add_hidden(at, pairs, variances, width)
    return pairs, variances


def _add_hidden(at: OrdinalImplied, pairs: Array, variances: Array, width: int) -> None:
    """Add what a parameter does through residual variances that keep the items' variances where they must be."""
    layout, shape = at.layout, at.layout.shape
    reach = at.given.inverse[np.ix_(layout.places, layout.hidden)]
    moved = _moved(at, variances, width)
    if np.count_nonzero(reach) == len(layout.hidden):  # no item acts on another
        variances[shape.ordered] += moved
        return
    first, second = shape.pairs
    pairs += (reach[first] * reach[second]) @ moved
    variances += reach**2 @ moved


def _moved(at: OrdinalImplied, variances: Array, width: int) -> Array:
    """Return the slopes of the residual variances that follow; ``variances``: of all variances with those held."""
    layout, ordered = at.layout, at.layout.shape.ordered
    needed = np.zeros((len(ordered), width))
    freed = layout.scales[ordered] >= 0
    columns = np.arange(width - int(freed.sum()), width)
    needed[np.flatnonzero(freed), columns] = -2.0 / at.scale[ordered[freed]] ** 3
    needed -= variances[ordered]
    gains = at.given.inverse[np.ix_(layout.hidden, layout.hidden)] ** 2
    return needed if _alone(gains) else np.asarray(np.linalg.solve(gains, needed))


def hidden_slopes(at: OrdinalImplied) -> Array:
    """Return the slopes of the residual variances that follow from scales, in the order of ``layout.free``."""
    inner, directions = at.layout.inner, at.given.directions[at.layout.places]
    variances = np.zeros((len(at.layout.places), len(at.layout.free)))
    variances[:, : inner.moments] = 2.0 * inner.factor * directions[:, inner.left] * directions[:, inner.right]
    return _moved(at, variances, variances.shape[1])


def _regression_slopes(at: OrdinalImplied, turned: Array) -> Array:
    """Return the slopes of the coefficients by predictors, delta_i pi_ij, variable by variable."""
    layout = at.layout
    inner, inverse = layout.inner, at.given.inverse
    count, outside = len(layout.places), layout.outside
    result = np.zeros((count, len(outside), turned.shape[1]))
    paths = len(inner.path_to)
    gain = inverse[np.ix_(layout.places, inner.path_to)]
    reach = inverse[np.ix_(inner.path_from, outside)]
    result[:, :, :paths] = at.scale[:, None, None] * gain[:, None, :] * reach.T[None, :, :]
    coefficients = inverse[np.ix_(layout.places, outside)]
    result += coefficients[:, :, None] * turned[:, None, :]
    return result.reshape(count * len(outside), -1)


def local_to_free(layout: OrdinalLayout, block: Array, size: int) -> Array:
    """Return columns by a group's parameters as columns by all free parameters; those that share one are summed."""
    free: NDArray[np.intp] = layout.free
    result = np.zeros((len(block), size))
    if len(set(free.tolist())) == len(free):
        result[:, free] = block
    else:
        np.add.at(result.T, free, block.T)
    return result
