"""The correlation of two variables, ordered or continuous, given their margins, with the scores of every row.

Polychoric (Olsson 1979), polyserial (Olsson, Drasgow & Dorans 1982, Psychometrika 47, 337-347) and product-moment
correlations of what is left after regression on predictors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from sipas_research.numerics.bivariate_normal import density as joint_density
from sipas_research.numerics.bivariate_normal import density_slope, distribution_function
from sipas_research.numerics.correlation import Array
from sipas_research.numerics.ordered_regression import SMALLEST, Codes, Margin, density

_STEPS, _SETTLED = 60, 1e-10
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
        return _ordered(one, other, outside, weights, pattern)
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


def _ordered(one: Margin, other: Margin, outside: Array, weights: Array, pattern: Codes) -> PairFit:
    if one.codes is None or other.codes is None:
        raise ValueError("two ordered variables are needed")
    wide, deep = int(one.codes.max()) + 1, int(other.codes.max()) + 1
    key = (pattern * wide + one.codes) * deep + other.codes
    _, first, cell = np.unique(key, return_index=True, return_inverse=True)
    mass = np.bincount(cell, weights)
    corners = [
        (x, y, sign)
        for x, y, sign in (
            (one.upper[first], other.upper[first], 1.0), (one.lower[first], other.upper[first], -1.0),
            (one.upper[first], other.lower[first], -1.0), (one.lower[first], other.lower[first], 1.0),
        )
    ]  # fmt: skip

    def slopes(rho: float) -> tuple[Array, Array]:
        at = np.full(len(first), rho)
        probability, turn, bend = np.zeros(len(first)), np.zeros(len(first)), np.zeros(len(first))
        for x, y, sign in corners:
            probability += sign * distribution_function(x, y, at)
            height = joint_density(x, y, at)
            turn += sign * height
            bend += sign * height * density_slope(x, y, at)
        probability = np.maximum(probability, SMALLEST)
        score = turn / probability
        return score, bend / probability - score**2

    rho = _maximum(slopes, mass, 0.0)
    if not np.isfinite(rho):
        return PairFit(rho, np.zeros(len(key)), (np.zeros(0), np.zeros(0)))
    score, _ = slopes(rho)
    probability = np.zeros(len(first))
    for x, y, sign in corners:
        probability += sign * distribution_function(x, y, np.full(len(first), rho))
    pulled = weights * score[cell] / np.maximum(probability, SMALLEST)[cell]
    across = [_joint_by(a, b, rho, pulled, outside) for a, b in ((one, other), (other, one))]
    return PairFit(rho, score[cell], (across[0], across[1]))


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
