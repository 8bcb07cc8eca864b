"""What the unseen components of an index must have done: bounds by linear programming.

The index is taken as a weighted mean of its components. Components that fell have a change of at most nothing;
the others must carry the whole rise. Which components fell is not printed, so every choice is tried.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

#: More components than this would mean too many choices to try.
MOST_COMPONENTS = 8
_END = 1e-7


@dataclass(frozen=True, slots=True)
class ComponentBounds:
    """Bounds on the components that did not fall, in points of a component (0-100).

    Attributes
    ----------
    weighting : str
        "equal" or "items".
    weights : tuple of float
        One a component, sum 1.
    unseen : int
        Components that are not said to have fallen.
    least, most : float
        Least total gain they need; over the choices of which ones fell that are possible (NaN where none is).
    room : float
        What they can gain together where each one starts at the previous index: the most favourable start known.
    ways, feasible, feasible_free, alone : int
        Choices of which components fell; those possible where all start at the previous index; those possible from
        any starts with that mean; those where one component alone could carry the rise from the previous index.
    """

    weighting: str
    weights: tuple[float, ...]
    unseen: int
    least: float
    most: float
    room: float
    ways: int
    feasible: int
    feasible_free: int
    alone: int


@dataclass(frozen=True, slots=True)
class _Choice:
    falling: tuple[int, ...]
    rising: tuple[int, ...]
    unseen: tuple[int, ...]


def component_bounds(
    value: float,
    previous: float,
    falling: int,
    rising: int,
    weights: Sequence[float],
    weighting: str = "equal",
) -> ComponentBounds:
    """Bound what the components that did not fall must have gained.

    Parameters
    ----------
    value, previous : float
        The index now and before, 0-100.
    falling, rising : int
        Components said to have fallen and risen; the rest may have gone either way.
    weights : sequence of float
        One a component, any positive scale.
    weighting : str
        Name of these weights, kept in the result.
    """
    shares = np.asarray(weights, dtype=float) / math.fsum(weights)
    needed: list[float] = []
    free = alone = ways = 0
    for choice, times in _choices(shares, falling, rising):
        ways += times
        least = _least_gain(value, previous, shares, choice, at_mean=True)
        if math.isfinite(least):
            needed.extend([least] * times)
            alone += times * _one_alone(value, previous, shares, choice)
            free += times  # starts at the mean are among all starts
        else:
            free += times * math.isfinite(_least_gain(value, previous, shares, choice, at_mean=False))
    unseen = len(shares) - falling
    return ComponentBounds(
        weighting=weighting,
        weights=tuple(shares.tolist()),
        unseen=unseen,
        least=min(needed, default=math.nan),
        most=max(needed, default=math.nan),
        room=unseen * (100.0 - previous),
        ways=ways,
        feasible=len(needed),
        feasible_free=free,
        alone=alone,
    )


def _choices(shares: np.ndarray, falling: int, rising: int) -> Iterator[tuple[_Choice, int]]:
    """Yield each way to choose who fell and who rose; ways with the same weights in the same roles come once."""
    places = range(len(shares))
    seen: dict[tuple[tuple[float, ...], ...], _Choice] = {}
    times: Counter[tuple[tuple[float, ...], ...]] = Counter()
    for fell in combinations(places, falling):
        unseen = tuple(i for i in places if i not in fell)
        for rose in combinations(unseen, rising):
            groups = (fell, rose, tuple(i for i in unseen if i not in rose))
            pattern = tuple(tuple(sorted(float(shares[i]) for i in group)) for group in groups)
            seen.setdefault(pattern, _Choice(fell, rose, unseen))
            times[pattern] += 1
    for pattern, choice in seen.items():
        yield choice, times[pattern]


def _least_gain(
    value: float,
    previous: float,
    shares: np.ndarray,
    choice: _Choice,
    *,
    at_mean: bool,
    carriers: Sequence[int] | None = None,
) -> float:
    """Return the least total gain of the components that did not fall, NaN where no components fit.

    Variables: every component before and now, and a gain of at least now - before and at least 0 for each component
    that did not fall. With ``carriers`` only those may rise.
    """
    from scipy.optimize import linprog

    size, gains = len(shares), len(choice.unseen)
    width = 2 * size + gains
    before, now = np.eye(width)[:size], np.eye(width)[size : 2 * size]
    gain = np.eye(width)[2 * size :]
    change = now - before
    may_rise = choice.unseen if carriers is None else carriers
    above = [change[i] for i in range(size) if i in choice.falling or i not in may_rise]
    above += [-change[i] for i in choice.rising]
    above += [change[i] - gain[place] for place, i in enumerate(choice.unseen)]
    start = (previous, previous) if at_mean else (0.0, 100.0)
    found = linprog(
        gain.sum(axis=0),
        A_ub=np.array(above) if above else None,
        b_ub=np.zeros(len(above)) if above else None,
        A_eq=np.array([shares @ before, shares @ now]),
        b_eq=np.array([previous, value]),
        bounds=[start] * size + [(0.0, 100.0)] * (size + gains),
        method="highs",
    )
    return float(found.fun) if found.status == 0 else math.nan


def _one_alone(value: float, previous: float, shares: np.ndarray, choice: _Choice) -> bool:
    """True where one of the components that did not fall can carry the rise while no other rises."""
    return any(
        previous + (value - previous) / shares[carrier] <= 100.0 + _END
        and math.isfinite(_least_gain(value, previous, shares, choice, at_mean=True, carriers=(carrier,)))
        for carrier in choice.unseen
    )
