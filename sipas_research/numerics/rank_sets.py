"""Confidence sets for ranks, from estimates and their covariance.

Mogstad, Romano, Shaikh and Wilhelm (2024), Inference for ranks with applications to mobility across neighbourhoods
and academic achievement across countries, Review of Economic Studies 91, 476-518. The rank of unit j is one plus the
number of units with a higher true value. Every ordered pair is a one-sided hypothesis "j is not above k"; all are
tested together by studentised maxima, stepping down after rejections (Romano and Wolf 2005). What is rejected bounds
the ranks: nothing is assumed about how far apart the values lie, and exact ties are allowed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from sipas_research.numerics.correlation import Array

Mask = NDArray[np.bool_]
#: A variance of a difference below this share of its two variances counts as zero: the difference is known exactly.
_EXACT = 1e-12
_NEGATIVE = 1e-8
#: Numbers held at once while the largest differences are sought.
_BLOCK = 200_000


@dataclass(frozen=True, slots=True, eq=False)
class RankSets:
    """Rank sets of p units, rank 1 for the highest value. Arrays are not writeable.

    Attributes
    ----------
    marginal : (p, 2) array of int
        First and last rank of a set that holds one unit's rank with the stated probability.
    simultaneous : (p, 2) array of int
        The same for all units at once; never narrower than the marginal set.
    above : (p, p) array of bool
        True where the row's unit is told to lie above the column's, all pairs together.
    critical : float
        Critical value at the last step of the simultaneous procedure; 0 where no pair was left to test.
    single_step : float
        Critical value of its first step.
    steps : int
        Number of steps that were needed.
    """

    marginal: np.ndarray
    simultaneous: np.ndarray
    above: np.ndarray
    critical: float
    single_step: float
    steps: int


def logit_scale(shares: Array, covariance: Array) -> tuple[Array, Array]:
    """Return shares and their covariance on the scale log(p / (1 - p)), by the delta method; ranks do not change.

    Parameters
    ----------
    shares : (p,) array
        Strictly between 0 and 1.
    covariance : (p, p) array

    Raises
    ------
    ValueError
        If a share is not strictly between 0 and 1.
    """
    shares = np.asarray(shares, dtype=float)
    if not ((shares > 0.0) & (shares < 1.0)).all():
        raise ValueError("shares must lie strictly between 0 and 1")
    slope = 1.0 / (shares * (1.0 - shares))
    return np.log(shares) - np.log1p(-shares), np.asarray(covariance, dtype=float) * np.outer(slope, slope)


def rank_sets(
    estimates: Array,
    covariance: Array,
    level: float = 0.95,
    *,
    generator: np.random.Generator,
    draws: int = 10_000,
    df: Array | None = None,
) -> RankSets:
    """Return marginal and simultaneous confidence sets for the ranks of p units.

    Parameters
    ----------
    estimates : (p,) array
        Any scale on which a higher value is better; see :func:`logit_scale` for shares.
    covariance : (p, p) array
        Symmetric, positive semi-definite; zero variances and perfect correlations are allowed: a difference without
        variance is taken as known.
    level : float
        Strictly between 0 and 1.
    generator : numpy.random.Generator
        Source of the normal draws; all sets share them, so that a marginal set lies inside the simultaneous one.
    draws : int
    df : (p,) array, optional
        Degrees of freedom behind each variance. The draws then carry the error of the estimated variances
        (independent chi-squares), which widens the sets where a unit has few people. NaN or infinity: known variance.

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite, the matrix is not symmetric or not positive semi-definite.
    """
    values, matrix = _checked(estimates, covariance)
    if not 0.0 < level < 1.0 or draws < 1:
        raise ValueError("the level lies strictly between 0 and 1 and there is at least one draw")
    draw = _Draws.of(matrix, generator, draws, df)
    found = _stepdown(draw, _statistics(values, matrix), level)
    size = len(values)
    marginal = np.column_stack([1 + found.beaten.sum(axis=1), size - found.beats.sum(axis=1)]).astype(int)
    simultaneous = np.column_stack([1 + found.above.sum(axis=0), size - found.above.sum(axis=1)]).astype(int)
    for array in (marginal, simultaneous, found.above):
        array.setflags(write=False)
    return RankSets(marginal, simultaneous, found.above, found.critical, found.first, found.steps)


def tiers(above: Array) -> Array:
    """Return the number of each unit's tier, 0 for the highest: units of different tiers are all told apart.

    A tier is a chain of units each of which cannot be told from the next; its ends may be told apart. Since standard
    errors of differences obey the triangle inequality, "told above" is a partial order and tiers stand in one order.

    Parameters
    ----------
    above : (p, p) array of bool
        As in :class:`RankSets`.
    """
    told = np.asarray(above, dtype=bool)
    if not len(told):
        return np.zeros(0, dtype=int)
    count, label = connected_components(~(told | told.T), directed=False)
    beaten = np.array([told[:, label == part].sum(axis=0).max() for part in range(count)])
    place = np.empty(count, dtype=int)
    place[np.argsort(beaten, kind="stable")] = np.arange(count)
    return place[label]


def _checked(estimates: Array, covariance: Array) -> tuple[Array, Array]:
    values, matrix = np.asarray(estimates, dtype=float), np.asarray(covariance, dtype=float)
    if values.ndim != 1 or not len(values) or matrix.shape != (len(values), len(values)):
        raise ValueError("estimates must be a vector and the covariance a square matrix of its length")
    if not (np.isfinite(values).all() and np.isfinite(matrix).all()):
        raise ValueError("estimates and covariance must be finite")
    scale = max(float(np.abs(matrix).max()), np.finfo(float).tiny)
    if np.abs(matrix - matrix.T).max() > _NEGATIVE * scale:
        raise ValueError("the covariance must be symmetric")
    matrix = (matrix + matrix.T) / 2.0
    if np.linalg.eigvalsh(matrix / scale)[0] < -_NEGATIVE * len(values):
        raise ValueError("the covariance must be positive semi-definite")
    return values, matrix


def _spread(matrix: Array) -> Array:
    """Standard errors of all differences, 0 where a difference has no variance."""
    own = np.clip(np.diag(matrix), 0.0, None)
    both = own[:, None] + own[None, :]
    square = both - 2.0 * matrix
    return np.sqrt(np.where(square > _EXACT * both, square, 0.0))


def _statistics(values: Array, matrix: Array) -> Array:
    """Return studentised differences, infinite where a difference is known and not 0."""
    gap, spread = values[:, None] - values[None, :], _spread(matrix)
    gap = np.where(np.abs(gap) > _EXACT * float(np.abs(values).max()), gap, 0.0)
    known = spread == 0.0
    certain = np.where(gap == 0.0, 0.0, np.copysign(np.inf, gap))
    return np.where(known, certain, gap / np.where(known, 1.0, spread))


@dataclass(frozen=True, slots=True, eq=False)
class _Draws:
    """Centred normal draws of the estimates, one row a unit, and what their studentisation needs."""

    deviation: np.ndarray
    covariance: np.ndarray
    spread: np.ndarray
    factor: np.ndarray | None

    @classmethod
    def of(cls, matrix: Array, generator: np.random.Generator, draws: int, df: Array | None) -> _Draws:
        # the symmetric root is unique: no sign of an eigenvector can change the draws
        roots, vectors = np.linalg.eigh(matrix)
        root = (vectors * np.sqrt(np.clip(roots, 0.0, None))) @ vectors.T
        deviation = root @ generator.standard_normal((len(matrix), draws))
        return cls(deviation, matrix, _spread(matrix), _factors(df, generator, len(matrix), draws))

    def largest(self, whole: Mask, up: Mask, down: Mask) -> tuple[Array, Array]:
        """Return for each draw the largest studentised difference of all pairs tested, and of each unit's own.

        ``whole[j, k]``: all pairs together, is j above k? ``up[j, k]``, ``down[j, k]``: for j's own set, is j above k,
        is k above j? Shapes (draws,) and (p, draws).
        """
        size, count = self.deviation.shape
        first, own = np.full(count, -np.inf), np.full((size, count), -np.inf)
        step = max(1, _BLOCK // size)
        for start in range(0, count, step):
            part = slice(start, start + step)
            for unit in range(size - 1):
                later = slice(unit + 1, None)
                ratio = self._studentised(unit, part)
                _raise(first[part], *_turned(ratio, whole[unit, later], whole[later, unit]))
                _raise(own[unit, part], *_turned(ratio, up[unit, later], down[unit, later]))
                turned, rows = _turned(ratio, down[later, unit], up[later, unit])
                place = unit + 1 + rows
                own[place, part] = np.maximum(own[place, part], turned)
        return first, own

    def _studentised(self, unit: int, part: slice) -> Array:
        """Differences of a unit to all later ones over their standard errors, in some of the draws."""
        later = slice(unit + 1, None)
        gap = self.deviation[unit, part] - self.deviation[later, part]
        spread = self.spread[unit, later][:, None]
        if self.factor is None:
            return gap / np.where(spread > 0.0, spread, 1.0)
        variance = np.diag(self.covariance)
        own, other = self.factor[unit, part], self.factor[later, part]
        square = variance[later][:, None] * other
        square *= other
        square += variance[unit] * own**2
        shared = self.covariance[unit, later]
        if shared.any():
            square -= 2.0 * shared[:, None] * own * other
        square[spread[:, 0] == 0.0] = 1.0
        return gap / np.sqrt(np.maximum(square, np.finfo(float).tiny, out=square), out=square)


def _turned(ratio: Array, plus: Mask, minus: Mask) -> tuple[Array, NDArray[np.intp]]:
    """Return the rows tested in either direction, turned so that larger speaks against the hypothesis."""
    rows = np.flatnonzero(plus | minus)
    if plus.all() and minus.all():
        return np.abs(ratio), rows
    chosen, signs = ratio[rows], plus[rows].astype(float) - minus[rows]
    return np.where(signs[:, None] == 0.0, np.abs(chosen), signs[:, None] * chosen), rows


def _raise(best: Array, turned: Array, rows: NDArray[np.intp]) -> None:
    if len(rows):
        np.maximum(best, turned.max(axis=0), out=best)


def _factors(df: Array | None, generator: np.random.Generator, size: int, draws: int) -> Array | None:
    """Draw estimated over true standard errors, one row a unit; None where all variances count as known."""
    if df is None:
        return None
    freedom = np.asarray(df, dtype=float)
    if freedom.shape != (size,) or (freedom < 1.0).any():
        raise ValueError("degrees of freedom are one a unit and at least 1")
    if not np.isfinite(freedom).any():
        return None
    finite = np.where(np.isfinite(freedom), freedom, 1.0)[:, None]
    drawn = np.sqrt(generator.chisquare(finite, size=(size, draws)) / finite)
    return np.where(np.isfinite(freedom)[:, None], drawn, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class _Steps:
    """Pairs told apart: all together, and in each unit's own procedure (a row beats, or is beaten by, a column)."""

    above: np.ndarray
    beats: np.ndarray
    beaten: np.ndarray
    critical: float
    first: float
    steps: int


def _stepdown(draw: _Draws, statistic: Array, level: float) -> _Steps:
    """Reject one-sided hypotheses, all together and for each unit's own set, until a step rejects nothing new.

    Rejected hypotheses leave their procedure; their opposites stay in it, so that wrong directions are counted.
    """
    uncertain = draw.spread > 0.0
    np.fill_diagonal(uncertain, val=False)
    above, beats, beaten = np.isposinf(statistic), np.isposinf(statistic), np.isneginf(statistic)
    whole, own = bool(uncertain.any()), np.asarray(uncertain.any(axis=1))
    critical = first = 0.0
    steps = 0
    while whole or own.any():
        each_own = uncertain & own[:, None]
        masks = (uncertain & ~above & whole, each_own & ~beats, each_own & ~beaten)
        largest, each = draw.largest(*masks)
        if whole:
            critical, steps = _quantile(largest, level), steps + 1
            first = critical if steps == 1 else first
        limits = np.array([_quantile(row, level) for row in each])[:, None]
        fresh = masks[0] & (statistic > critical), masks[1] & (statistic > limits), masks[2] & (-statistic > limits)
        above, beats, beaten = above | fresh[0], beats | fresh[1], beaten | fresh[2]
        whole, own = bool(fresh[0].any()), np.asarray((fresh[1] | fresh[2]).any(axis=1))
    return _Steps(above, beats, beaten, critical, first, steps)


def _quantile(drawn: Array, level: float) -> float:
    """Return the order statistic that a new draw stays below with at least the probability ``level``."""
    place = min(len(drawn), math.ceil(level * (len(drawn) + 1))) - 1
    return float(np.partition(drawn, place)[place])
