"""The correlation of two variables, ordered or continuous, given their margins, with the scores of every row.

Polychoric (Olsson 1979), polyserial (Olsson, Drasgow & Dorans 1982, Psychometrika 47, 337-347) and product-moment
correlations of what is left after regression on predictors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from sipas_research.numerics.bivariate_normal import density as joint_density
from sipas_research.numerics.bivariate_normal import density_slope, distribution_function
from sipas_research.numerics.correlation import Array
from sipas_research.numerics.ordered_regression import SMALLEST, Codes, Margin, density

_STEPS, _SETTLED = 60, 1e-10
#: A Newton step after which what is left is of the order of its square.
_LAST = 1e-6
#: A step over which four Gauss-Legendre points integrate the density to the last digits.
_SHORT = 0.05
_RULE = np.polynomial.legendre.leggauss(4)
#: Rows of pairs that are searched together.
_ROWS_AT_ONCE = 200_000
#: The search stays inside this; at its end the correlation counts as one.
LARGEST = 0.9999


@dataclass(frozen=True, slots=True, eq=False)
class PairFit:
    """A correlation, each row's score by it, and the sums of that score times those by both margins' parameters.

    Attributes
    ----------
    correlation : float
        NaN where the search found no maximum inside (-1, 1).
    score : (n,) array
        Unweighted.
    across : tuple of (u,) arrays
        Weighted sums over rows of ``score`` times the joint likelihood's score by the parameters of each margin, in
        the order of :class:`.Margin`.
    """

    correlation: float
    score: Array
    across: tuple[Array, Array]


def pair_fit(one: Margin, other: Margin, outside: Array, weights: Array, pattern: Codes) -> PairFit:
    """Return the correlation of two variables.

    Parameters
    ----------
    one, other : Margin
    outside : (n, m) array
        Predictors of the margins.
    weights : (n,) array
    pattern : (n,) array
        Equal where rows have equal predictors, from 0.
    """
    if one.codes is None and other.codes is None:
        return _continuous(one, other, outside, weights)
    if one.codes is not None and other.codes is not None:
        return ordered_pairs([(one, other)], outside, weights, pattern)[0]
    if one.codes is not None:
        found = _mixed(other, one, outside, weights)
        return PairFit(found.correlation, found.score, (found.across[1], found.across[0]))
    return _mixed(one, other, outside, weights)


def _continuous(one: Margin, other: Margin, outside: Array, weights: Array) -> PairFit:
    x, y = one.upper, other.upper
    rho = float(weights @ (x * y) / np.sqrt((weights @ x**2) * (weights @ y**2)))
    rest = 1.0 - rho**2
    score = (rho * rest + (1.0 + rho**2) * x * y - rho * (x**2 + y**2)) / rest**2
    across = [
        _by_continuous(
            weights * score * (a - rho * b) / (rest * np.sqrt(margin.variance)),
            weights * score * 0.5 / margin.variance * ((a * a - rho * a * b) / rest - 1.0),
            outside,
        )
        for margin, a, b in ((one, x, y), (other, y, x))
    ]
    return PairFit(rho, score, (across[0], across[1]))


def _mixed(continuous: Margin, ordered: Margin, outside: Array, weights: Array) -> PairFit:
    z, upper, lower = continuous.upper, ordered.upper, ordered.lower

    def parts(rho: float) -> tuple[Array, Array, Array, Array, Array]:
        spread = np.sqrt(1.0 - rho**2)
        up, low = (upper - rho * z) / spread, (lower - rho * z) / spread
        mass = np.maximum(ndtr(up) - ndtr(low), SMALLEST)
        return up, low, density(up), density(low), mass

    def slopes(rho: float) -> tuple[Array, Array]:
        up, low, high, deep, mass = parts(rho)
        rest = 1.0 - rho**2
        first, second = 0.0, 0.0
        for at, limit, height, sign in ((up, upper, high, 1.0), (low, lower, deep, -1.0)):
            turn = (limit * rho - z) / rest**1.5
            bend = limit / rest**1.5 + 3.0 * rho * (limit * rho - z) / rest**2.5
            first = first + sign * height * turn
            second = second + sign * height * (bend - at * turn**2)
        score = first / mass
        return score, second / mass - score**2

    rho = _maximum(slopes, weights, float(weights @ (z * (upper + lower).clip(-6, 6)) / weights.sum()) / 4.0)
    if not np.isfinite(rho):
        return PairFit(rho, np.zeros(len(z)), (np.zeros(0), np.zeros(0)))
    score, _ = slopes(rho)
    _, _, high, deep, mass = parts(rho)
    spread = np.sqrt(1.0 - rho**2)
    gap = rho / spread * (high - deep) / mass
    pulled = weights * score
    by_continuous = _by_continuous(
        pulled * (z + gap) / np.sqrt(continuous.variance),
        pulled * 0.5 / continuous.variance * (z * z - 1.0 + z * gap),
        outside,
    )
    by_ordered = _by_ordered(pulled * high / (spread * mass), pulled * deep / (spread * mass), ordered, outside)
    return PairFit(rho, score, (by_continuous, by_ordered))


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Rows with equal answers and predictors: one of each kind, the kind of each row, and their weight."""

    first: Codes
    kind: Codes
    mass: Array


def ordered_pairs(
    pairs: Sequence[tuple[Margin, Margin]],
    outside: Array,
    weights: Array,
    pattern: Codes,
    starts: Array | None = None,
) -> list[PairFit]:
    """Return the correlations of many pairs of ordered variables, searched together.

    ``starts`` are the correlations without predictors: near those that are sought, and these themselves where there
    are no predictors (empty cells of 2 x 2 tables then count as they do there); the rest as in :func:`pair_fit`.
    """
    found: list[PairFit] = []
    step = max(1, _ROWS_AT_ONCE // max(len(weights), 1))
    for start in range(0, len(pairs), step):
        some = pairs[start : start + step]
        cells = [_cells(one, other, weights, pattern) for one, other in some]
        begin = [_start(*pair, each) for pair, each in zip(some, cells, strict=True)]
        if starts is not None:
            given = np.clip(starts[start : start + step], -0.95, 0.95)
            begin = np.where(np.isfinite(given), given, begin).tolist()
        if starts is not None and not outside.shape[1]:
            rho, score, probability = _at(some, cells, starts[start : start + step])
        else:
            rho, score, probability = _search(some, cells, np.array(begin))
        ends = np.cumsum([len(each.mass) for each in cells])
        for k, ((one, other), each) in enumerate(zip(some, cells, strict=True)):
            own = slice(ends[k] - len(each.mass), ends[k])
            found.append(_followed((one, other), float(rho[k]), score[own], probability[own], each, outside, weights))
    return found


def _cells(one: Margin, other: Margin, weights: Array, pattern: Codes) -> _Cells:
    if one.codes is None or other.codes is None:
        raise ValueError("two ordered variables are needed")
    wide, deep = int(one.codes.max()) + 1, int(other.codes.max()) + 1
    key = (pattern * wide + one.codes) * deep + other.codes
    _, first, kind = np.unique(key, return_index=True, return_inverse=True)
    mass: Array = np.asarray(np.bincount(kind.ravel(), weights), dtype=np.float64)
    return _Cells(np.asarray(first, dtype=np.intp), np.asarray(kind.ravel(), dtype=np.intp), mass)


def _search(pairs: Sequence[tuple[Margin, Margin]], cells: Sequence[_Cells], rho: Array) -> tuple[Array, Array, Array]:
    """Return each pair's correlation (NaN without a maximum inside), and score and probability of all cells there."""
    count = len(pairs)
    place, limits = _laid_out(pairs, cells)
    mass = np.concatenate([each.mass for each in cells])
    low, high = np.full(count, -LARGEST), np.full(count, LARGEST)
    score, probability = np.zeros(len(mass)), np.zeros(len(mass))
    active = np.ones(count, dtype=bool)
    before = np.zeros(count)
    for number in range(_STEPS):
        rows = np.flatnonzero(active[place])
        ends, here = [each[rows] for each in limits], rho[place[rows]]
        if number and float(np.abs(rho - before)[active].max()) < _SHORT:
            mass_of = probability[rows] + _between(ends, before[place[rows]], here)
        else:
            mass_of = _probability(ends, here)
        slope_of, bend_of, mass_of = _slopes(ends, here, np.maximum(mass_of, SMALLEST))
        score[rows], probability[rows] = slope_of, mass_of
        before = rho
        slope = np.bincount(place[rows], mass[rows] * slope_of, minlength=count)
        curve = np.bincount(place[rows], mass[rows] * bend_of, minlength=count)
        low, high = np.where(active & (slope > 0), rho, low), np.where(active & (slope <= 0), rho, high)
        step = np.where(curve < 0, -slope / np.where(curve < 0, curve, 1.0), np.nan)
        last = active & (np.abs(step) < _LAST)
        done = last[place]
        # the last step is so short that the derivatives carry score and probability along
        moved = step[place[done]]
        probability[done] += probability[done] * score[done] * moved
        back = np.zeros(len(mass))
        back[rows] = bend_of
        score[done] += back[done] * moved
        trial = rho + step
        inside = (trial > low) & (trial < high)
        rho = np.where(last, trial, np.where(active, np.where(inside, trial, 0.5 * (low + high)), rho))
        active &= ~last & (high - low >= _SETTLED)
        if not active.any():
            break
    rho[active | (high - low < _SETTLED) | (np.abs(rho) >= LARGEST)] = np.nan
    return rho, score, probability


def _at(pairs: Sequence[tuple[Margin, Margin]], cells: Sequence[_Cells], rho: Array) -> tuple[Array, Array, Array]:
    """Return known correlations (NaN where they are one or none), and score and probability of all cells there."""
    place, limits = _laid_out(pairs, cells)
    inside = np.abs(rho) < LARGEST
    here = np.where(inside, rho, 0.0)[place]
    score, _, probability = _slopes(limits, here, np.maximum(_probability(limits, here), SMALLEST))
    return np.where(inside, rho, np.nan), score, probability


def _laid_out(pairs: Sequence[tuple[Margin, Margin]], cells: Sequence[_Cells]) -> tuple[Codes, list[Array]]:
    """Return the pair of every cell, and the cells' limits."""
    place = np.repeat(np.arange(len(pairs)), [len(each.mass) for each in cells])
    limits = [
        np.concatenate([getattr(pair[side], end)[each.first] for pair, each in zip(pairs, cells, strict=True)])
        for side in (0, 1)
        for end in ("upper", "lower")
    ]
    return place, limits


def _start(one: Margin, other: Margin, cells: _Cells) -> float:
    """Return the product-moment correlation of the places of the answers."""
    if one.codes is None or other.codes is None:
        return 0.0
    x, y = one.codes[cells.first].astype(float), other.codes[cells.first].astype(float)
    x, y = x - cells.mass @ x / cells.mass.sum(), y - cells.mass @ y / cells.mass.sum()
    spread = np.sqrt((cells.mass @ x**2) * (cells.mass @ y**2))
    return float(np.clip(cells.mass @ (x * y) / spread, -0.9, 0.9)) if spread > 0 else 0.0


def _corners(limits: Sequence[Array]) -> tuple[tuple[Array, Array, float], ...]:
    upper_x, lower_x, upper_y, lower_y = limits
    return (upper_x, upper_y, 1.0), (lower_x, upper_y, -1.0), (upper_x, lower_y, -1.0), (lower_x, lower_y, 1.0)


def _probability(limits: Sequence[Array], rho: Array) -> Array:
    """Return the probability of each cell."""
    total = np.zeros(len(rho))
    for x, y, sign in _corners(limits):
        total += sign * distribution_function(x, y, rho)
    return total


def _between(limits: Sequence[Array], before: Array, after: Array) -> Array:
    """Return by how much the cells' probabilities change: their slope by rho is the density at their corners."""
    half, middle = (after - before) / 2.0, (after + before) / 2.0
    total = np.zeros(len(before))
    for point, weight in zip(*_RULE, strict=True):
        rho = middle + half * point
        for x, y, sign in _corners(limits):
            total += (sign * weight) * joint_density(x, y, rho)
    return total * half


def _slopes(limits: Sequence[Array], rho: Array, probability: Array) -> tuple[Array, Array, Array]:
    """Return first and second slope of the logarithm of the cells' probabilities by rho, and the probabilities."""
    turn, bend = np.zeros(len(rho)), np.zeros(len(rho))
    for x, y, sign in _corners(limits):
        height = sign * joint_density(x, y, rho)
        turn += height
        bend += height * density_slope(x, y, rho)
    score = turn / probability
    return score, bend / probability - score**2, probability


def _followed(
    pair: tuple[Margin, Margin], rho: float, score: Array, probability: Array, cells: _Cells, outside: Array,
    weights: Array,
) -> PairFit:  # fmt: skip
    if not np.isfinite(rho):
        return PairFit(rho, np.zeros(len(weights)), (np.zeros(0), np.zeros(0)))
    pulled = weights * (score / probability)[cells.kind]
    across = [_joint_by(a, b, rho, pulled, outside) for a, b in (pair, pair[::-1])]
    return PairFit(rho, score[cells.kind], (across[0], across[1]))


def _joint_by(one: Margin, other: Margin, rho: float, pulled: Array, outside: Array) -> Array:
    spread = np.sqrt(1.0 - rho**2)
    up, low = (
        density(limit) * (ndtr((other.upper - rho * limit) / spread) - ndtr((other.lower - rho * limit) / spread))
        for limit in (one.upper, one.lower)
    )
    return _by_ordered(pulled * up, pulled * low, one, outside)


def _by_ordered(up: Array, low: Array, margin: Margin, outside: Array) -> Array:
    """Return sums by thresholds and slopes from those by each row's upper limit and (negative) lower limit."""
    if margin.codes is None:
        raise ValueError("an ordered variable is needed")
    size = len(margin.cuts) + 1
    by_cut = np.bincount(margin.codes, up, minlength=size)[:-1] - np.bincount(margin.codes, low, minlength=size)[1:]
    return np.concatenate([by_cut, outside.T @ (low - up)])


def _by_continuous(by_mean: Array, by_variance: Array, outside: Array) -> Array:
    return np.concatenate([[by_mean.sum()], outside.T @ by_mean, [by_variance.sum()]])


def _maximum(slopes: Callable[[float], tuple[Array, Array]], weights: Array, start: float) -> float:
    """Return where the weighted score is zero: Newton's steps inside a bracket; NaN where it is at an end."""
    low, high, rho = -LARGEST, LARGEST, min(max(start, -0.9), 0.9)
    for _ in range(_STEPS):
        score, curve = slopes(rho)
        slope, bend = float(weights @ score), float(weights @ curve)
        low, high = (rho, high) if slope > 0 else (low, rho)
        step = -slope / bend if bend < 0 else np.nan
        if abs(step) < _SETTLED:
            return rho + step
        trial = rho + step
        rho = trial if low < trial < high else 0.5 * (low + high)
        if high - low < _SETTLED:
            break
    return float("nan")
