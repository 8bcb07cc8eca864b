"""Numbers on the arrows of a path diagram, each on its own arrow and clear of boxes and other numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sipas_research.report.diagram_layout import PATH, SMALL, Box, Layout, Point
from sipas_research.report.diagram_routes import Line, Route
from sipas_research.report.diagram_text import height_of, width_of

_PAD = 0.02  # inches around a number
_HEAD = 0.1  # inches that stay free at an arrow's ends
_STEPS = 28
#: What touching another number or a box costs, against one per arrow that is covered and the distance from the
#: preferred place.
_HIT = 100.0
_AWAY = 1.1  # an inch from the preferred place
_SHIFTS = (0.0, 0.1, -0.1, 0.2, -0.2)  # inches across the arrow, where no place on it is free


@dataclass(frozen=True, slots=True)
class Label:
    """A number in its place."""

    route: Route
    words: str
    centre: Point
    size: float
    half: Point

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top."""
        (across, up), (wide, tall) = self.centre, self.half
        return across - wide, up - tall, across + wide, up + tall


def labelled(routes: Sequence[Route], words: Mapping[int, str], layout: Layout) -> tuple[Label, ...]:
    """Return a label for each route, paths first, then loadings, then covariances.

    Parameters
    ----------
    words : mapping of int to str
        The number of each route, by its place in ``routes``.
    """
    order = sorted(range(len(routes)), key=lambda i: ("path", "loading", "covariance").index(routes[i].arrow.kind))
    boxes = layout.box()
    taken = [box.bounds for box in layout.boxes if box.shape != "lane"]
    starts, ends, owners = _segments(routes)
    found: dict[int, Label] = {}
    crowd = _crowds(routes)
    for index in order:
        route = routes[index]
        size = (PATH if route.arrow.kind == "path" else SMALL) * layout.style.scale
        half = width_of(words[index], size) / 2 + _PAD, height_of(1, size) / 2 * 0.86 + _PAD / 2
        wanted = _preferred(route, boxes, half[0], crowd)
        others = owners != index
        place = _best(route, wanted, half, np.array(taken), starts[others], ends[others])
        found[index] = Label(route, words[index], place, size, half)
        taken.append(found[index].bounds)
    return tuple(found[index] for index in range(len(routes)))


def _crowds(routes: Iterable[Route]) -> dict[float, int]:
    """Return how many different targets are reached at one place across."""
    ends: dict[float, set[str]] = {}
    for route in routes:
        ends.setdefault(_column(route), set()).add(route.arrow.target)
    return {place: len(names) for place, names in ends.items()}


def _column(route: Route) -> float:
    """Return where across a route ends, in quarters of an inch."""
    return float(np.floor(route.line[-1, 0] * 4))


def _preferred(route: Route, boxes: Mapping[str, Box], half: float, crowd: Mapping[float, int]) -> float:
    """Return where a number should stand, as a share of its arrow.

    Numbers of loadings stand in a column beside the items. Those of ``n`` by ``m`` crossing paths are evenly spread
    at ``n / (n + 1)`` of the way to the ``n`` targets.
    """
    line, arrow = route.line, route.arrow
    if arrow.kind == "covariance":
        return 0.5
    if arrow.kind == "loading" and boxes[arrow.target].size < boxes[arrow.source].size:
        reach = abs(float(line[1, 0] - line[0, 0]))
        return max(0.4, 1 - (half + 0.13) / max(reach, 0.3))
    lengths = np.hypot(*np.diff(line, axis=0).T)
    last = float(lengths[-1] / lengths.sum()) if len(line) < 40 else 1.0
    targets = crowd[_column(route)]
    return 1 - last * (1 - max(0.5, targets / (targets + 1)))


def _segments(routes: Sequence[Route]) -> tuple[Line, Line, NDArray[np.int_]]:
    starts = np.vstack([route.line[:-1] for route in routes])
    ends = np.vstack([route.line[1:] for route in routes])
    return starts, ends, np.repeat(np.arange(len(routes)), [len(route.line) - 1 for route in routes])


def _best(route: Route, wanted: float, half: Point, taken: Line, starts: Line, ends: Line) -> Point:
    """Return the free place nearest to the wanted one that covers few other arrows."""
    length = float(np.hypot(*np.diff(route.line, axis=0).T).sum())
    away, low, high = _AWAY * length, *_clear_of_ends(route.line, length, half)
    shares = np.unique(np.clip(np.append(np.linspace(low, high, _STEPS), wanted), low, high))
    best: tuple[float, Point] | None = None
    for shift in _SHIFTS:
        for share in sorted(shares, key=lambda s: (abs(s - wanted), s)):
            if best is not None and best[0] <= away * abs(share - wanted):
                break
            place = _point(route.line, float(share), shift)
            area = (place[0] - half[0], place[1] - half[1], place[0] + half[0], place[1] + half[1])
            cost = _HIT * _overlaps(area, taken) + _crossed(area, starts, ends) + away * abs(share - wanted)
            cost += 20 * abs(shift)
            if best is None or cost < best[0] - 1e-9:
                best = cost, place
        if best is not None and best[0] < _HIT:
            break
    if best is None:
        raise ValueError("an arrow without points")
    return best[1]


def _clear_of_ends(line: Line, length: float, half: Point) -> Point:
    """Return the shares of a line between which a number covers neither end, where the heads are."""
    found = []
    for step in (line[1] - line[0], line[-1] - line[-2]):
        along = np.abs(step) / max(float(np.hypot(*step)), 1e-12)
        found.append(min(0.5, (_HEAD + float(along @ np.array(half))) / length))
    return found[0], 1 - found[1]


def _point(line: Line, share: float, shift: float) -> Point:
    """Return the point at a share of a line's length, moved across the line by ``shift`` inches."""
    steps = np.hypot(*np.diff(line, axis=0).T)
    reached = np.concatenate([[0.0], np.cumsum(steps)])
    goal = share * reached[-1]
    place = min(int(np.searchsorted(reached, goal, side="right")) - 1, len(steps) - 1)
    part = (goal - reached[place]) / max(float(steps[place]), 1e-12)
    step = line[place + 1] - line[place]
    point = line[place] + part * step + shift * np.array([-step[1], step[0]]) / max(float(steps[place]), 1e-12)
    return float(point[0]), float(point[1])


def _overlaps(area: tuple[float, float, float, float], taken: Line) -> int:
    left, bottom, right, top = area
    hit = (taken[:, 0] < right) & (taken[:, 2] > left) & (taken[:, 1] < top) & (taken[:, 3] > bottom)
    return int(hit.sum())


def _crossed(area: tuple[float, float, float, float], starts: Line, ends: Line) -> int:
    """Return how many segments pass through an area (slabs: where each enters and leaves it)."""
    low, high = np.array(area[:2]), np.array(area[2:])
    way = ends - starts
    way = np.where(np.abs(way) < 1e-12, 1e-12, way)
    first, second = (low - starts) / way, (high - starts) / way
    enters = np.minimum(first, second).max(axis=1)
    leaves = np.maximum(first, second).min(axis=1)
    return int(((enters <= leaves) & (leaves >= 0) & (enters <= 1)).sum())
