"""Ways of the arrows of a path diagram: from boundary to boundary, through lanes, around boxes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sipas_research.report.diagram_layers import Layers
from sipas_research.report.diagram_layout import FIRST_ARC, Box, Layout, Point, spans_of
from sipas_research.report.diagram_model import Arrow, DiagramModel

Line = NDArray[np.float64]

_SAMPLES = 48
_CORNER = 0.22  # inches: how far before a bend the line begins to turn
_ROUND = 0.1  # how far the ends of a curve within a column lean towards each other, as a share of its height
_SPREAD = 0.45  # how far from the middle of its side arrows meet a node: farther, they would touch its neighbours
_GAP = 0.012  # inches between an arrow's head and the box
#: Bends of a curve that looks for a way around boxes, as shares of its length; the slightest that is free is taken.
_BENDS = (0.0, 0.12, -0.12, 0.2, -0.2, 0.3, -0.3, 0.42, -0.42, 0.55, -0.55, 0.7, -0.7)


@dataclass(frozen=True, slots=True)
class Route:
    """An arrow and the points of its line in inches, from its source to its target."""

    arrow: Arrow
    line: Line


def routed(model: DiagramModel, layers: Layers, layout: Layout) -> tuple[Route, ...]:
    """Return the way of each arrow, in the model's order."""
    found: dict[Arrow, Line] = {}
    _lead(layers, layout, found)
    _fan(model, layout, found)
    for column in layout.columns:
        nodes = [name for name in column.names if name in model.nodes]
        homes = dict(model.homes)
        _arcs(nodes, column.arc_side, column.arc_step, model, layout, found)
        items = [item for name in nodes for item in homes.get(name, ())]
        _arcs(items, column.side or 1, column.item_step, model, layout, found)
    for arrow in model.arrows:
        if arrow not in found:
            found[arrow] = _around(arrow, layout)
    return tuple(Route(arrow, found[arrow]) for arrow in model.arrows)


def _lead(layers: Layers, layout: Layout, found: dict[Arrow, Line]) -> None:
    """Draw the arrows to the right: along their lanes, to ports in the order in which they arrive."""
    boxes = layout.box()
    ways: dict[Arrow, list[Point]] = {}
    for arrow, lanes in layers.lanes:
        source = boxes[arrow.source]
        way = [(layout.exits[source.column], source.centre[1])] if source.side == 1 else []
        for lane in (boxes[name] for name in lanes):
            way += [(lane.bounds[0], lane.centre[1]), (layout.exits[lane.column], lane.centre[1])]
        ways[arrow] = way
    arriving: dict[str, list[tuple[float, Arrow]]] = {}
    leaving: dict[str, list[tuple[float, Arrow]]] = {}
    for arrow, way in ways.items():
        source, target = boxes[arrow.source], boxes[arrow.target]
        last, first = (way[-1], way[0]) if way else (source.centre, target.centre)
        slope = (last[1] - target.centre[1]) / max(target.bounds[0] - last[0], 0.1)
        arriving.setdefault(arrow.target, []).append((-slope, arrow))
        if source.side != 1:
            leaving.setdefault(arrow.source, []).append((-first[1], arrow))
    alone = {column.names[0] for column in layout.columns if len(column.names) == 1}
    ends = _ports(arriving, boxes, -1, alone)
    starts = _ports(leaving, boxes, 1, alone)
    for arrow, way in ways.items():
        source = boxes[arrow.source]
        start = starts.get(arrow, (source.bounds[2] + _GAP, source.centre[1]))
        found[arrow] = rounded([start, *way, ends[arrow]])


def _ports(
    wanted: dict[str, list[tuple[float, Arrow]]], boxes: dict[str, Box], side: int, alone: set[str]
) -> dict[Arrow, Point]:
    """Return a point of the boundary for each arrow at one side of its node, from top to bottom."""
    found = {}
    for name, arrows in wanted.items():
        ordered = sorted(arrows, key=lambda pair: pair[0])
        for index, (_, arrow) in enumerate(ordered):
            widest = min(0.85 if name in alone else _SPREAD, 0.16 * (len(ordered) - 1))
            share = widest * (1 - 2 * index / max(len(ordered) - 1, 1))
            found[arrow] = boundary(boxes[name], side, share)
    return found


def boundary(box: Box, side: int, share: float) -> Point:
    """Return the point of a box's side at ``share``: 1 its upper end, 0 its middle, -1 its lower end."""
    (across, up), half, tall = box.centre, box.width / 2 + _GAP, box.height / 2 + _GAP
    if box.shape == "ellipse":
        angle = share * math.pi / 2
        return across + side * half * math.cos(angle), up + tall * math.sin(angle)
    return across + side * half, up + box.height / 2 * 0.85 * share


def _fan(model: DiagramModel, layout: Layout, found: dict[Arrow, Line]) -> None:
    """Draw straight arrows from a latent variable to the items beside it, and from a general factor to all."""
    boxes, home = layout.box(), model.home()
    for arrow in model.arrows:
        if arrow.kind != "loading" or arrow.target not in home:
            continue
        source, item = boxes[arrow.source], boxes[arrow.target]
        apart = source.column > item.column and source.column == len(layout.columns) - 1
        if home[arrow.target] == arrow.source or (apart and source.side == 0):
            side = -item.side if not apart else 1
            end = boundary(item, side, 0.0)
            found[arrow] = np.array([_towards(source, end), end])


def _towards(box: Box, point: Point) -> Point:
    """Return where the line from a box's centre to a point leaves the box."""
    (across, up), half, tall = box.centre, box.width / 2 + _GAP, box.height / 2 + _GAP
    run, rise = (point[0] - across) / half, (point[1] - up) / tall
    reach = math.hypot(run, rise) if box.shape == "ellipse" else max(abs(run), abs(rise))
    return across + (point[0] - across) / max(reach, 1.0), up + (point[1] - up) / max(reach, 1.0)


def _arcs(
    names: Sequence[str], side: int, step: float, model: DiagramModel, layout: Layout, found: dict[Arrow, Line]
) -> None:
    """Draw curved arrows within a column: the more places apart, the farther out, so that numbers form a grid."""
    place, boxes = {name: index for index, name in enumerate(names)}, layout.box()
    spans = spans_of(names, model)
    arrows = [a for a in model.arrows if a.kind == "covariance" and a.source in place and a.target in place]
    ends: dict[str, list[tuple[float, Arrow]]] = {}
    for arrow in arrows:
        for name, other in (arrow.ends, arrow.ends[::-1]):
            away = place[other] - place[name]
            ends.setdefault(name, []).append((1 / away, arrow))
    ports = {name: _arc_ports(boxes[name], side, wanted) for name, wanted in ends.items()}
    for arrow in arrows:
        upper, lower = sorted(arrow.ends, key=place.__getitem__)
        (top_x, top_y), (low_x, low_y) = ports[upper][arrow], ports[lower][arrow]
        edge = boxes[upper].centre[0] + side * boxes[upper].width / 2
        reach = FIRST_ARC + step * spans.index(place[lower] - place[upper])
        control = (edge + side * reach - (top_x + low_x) / 8) / 0.75
        inward = _ROUND * (top_y - low_y)
        points = [(top_x, top_y), (control, top_y - inward), (control, low_y + inward), (low_x, low_y)]
        line = _cubic(points)
        found[arrow] = line if arrow.source == upper else line[::-1].copy()


def _arc_ports(box: Box, side: int, wanted: Sequence[tuple[float, Arrow]]) -> dict[Arrow, Point]:
    """Return where curved arrows meet a box: those to nearer neighbours at the ends of its side.

    Where items stand on that side, the arrows to them leave from the middle and curved ones keep to the ends.
    """
    upward = [arrow for key, arrow in sorted(wanted, key=lambda pair: pair[0]) if key < 0]
    downward = [arrow for key, arrow in sorted(wanted, key=lambda pair: pair[0]) if key > 0]
    outer, inner = (0.8, 0.42) if side == box.side and box.shape == "ellipse" else (0.6, 0.06)
    found = {}
    for sign, arrows in ((1, upward), (-1, downward[::-1])):
        step = (outer - inner) / max(len(arrows), 2)
        for index, arrow in enumerate(arrows):
            found[arrow] = boundary(box, side, sign * (outer - step * (index + 0.5)))
    return found


def _around(arrow: Arrow, layout: Layout) -> Line:
    """Return the slightest curve between two boxes that meets no other box; covariances are never straight."""
    boxes = layout.box()
    source, target = boxes[arrow.source], boxes[arrow.target]
    others = [b for b in layout.boxes if b.shape != "lane" and b.name not in arrow.ends]
    bends = _BENDS[1:] if arrow.kind == "covariance" or target.column <= source.column else _BENDS
    start, end = np.array(source.centre), np.array(target.centre)
    normal = np.array([-(end - start)[1], (end - start)[0]])
    best: tuple[float, Line] | None = None
    for bend in bends:
        line = _clipped(_quadratic(start, (start + end) / 2 + 2 * bend * normal, end), source, target)
        outside = np.sum((line < 0.03) | (line > [layout.width - 0.03, layout.height - 0.03]))
        cost = float(sum(_inside(line, box).sum() for box in others)) + 5 * float(outside) + abs(bend)
        if best is None or cost < best[0]:
            best = cost, line
    if best is None:
        raise ValueError("no bend to try")
    return best[1]


def _inside(line: Line, box: Box, pad: float = 0.03) -> NDArray[np.bool_]:
    left, bottom, right, top = box.bounds
    across, up = line[:, 0], line[:, 1]
    return (across > left - pad) & (across < right + pad) & (up > bottom - pad) & (up < top + pad)


def _clipped(line: Line, source: Box, target: Box) -> Line:
    """Return the part of a line outside the boxes at its ends."""
    free = ~(_within(line, source) | _within(line, target))
    places = np.flatnonzero(free)
    if len(places) < 2:
        return line
    return line[places[0] : places[-1] + 1]


def _within(line: Line, box: Box) -> NDArray[np.bool_]:
    run = np.abs(line[:, 0] - box.centre[0]) / (box.width / 2 + _GAP)
    rise = np.abs(line[:, 1] - box.centre[1]) / (box.height / 2 + _GAP)
    return np.hypot(run, rise) < 1 if box.shape == "ellipse" else np.maximum(run, rise) < 1


def _quadratic(start: Line, control: Line, end: Line) -> Line:
    way = np.linspace(0, 1, 4 * _SAMPLES)[:, None]
    return (1 - way) ** 2 * start + 2 * way * (1 - way) * control + way**2 * end


def _cubic(points: Sequence[Point]) -> Line:
    first, second, third, fourth = (np.array(point) for point in points)
    way = np.linspace(0, 1, _SAMPLES)[:, None]
    rest = 1 - way
    return rest**3 * first + 3 * rest**2 * way * second + 3 * rest * way**2 * third + way**3 * fourth


def rounded(points: Sequence[Point]) -> Line:
    """Return a line through points whose bends are rounded."""
    corners = [np.array(p) for p in points]
    parts = [corners[0][None, :]]
    for before, (here, after) in zip(corners, pairwise(corners[1:]), strict=False):
        first = here + (before - here) * min(0.5, _CORNER / max(float(np.hypot(*(before - here))), 1e-9))
        second = here + (after - here) * min(0.5, _CORNER / max(float(np.hypot(*(after - here))), 1e-9))
        way = np.linspace(0, 1, 10)[:, None]
        parts.append((1 - way) ** 2 * first + 2 * way * (1 - way) * here + way**2 * second)
    return np.vstack([*parts, corners[-1][None, :]])
