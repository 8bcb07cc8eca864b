"""Places of a path diagram in inches: how large each box is, where each column and row stands."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise, product
from typing import Literal

from sipas_research.report.diagram_layers import Layers
from sipas_research.report.diagram_model import DiagramModel
from sipas_research.report.diagram_text import balanced, height_of, width_of

Point = tuple[float, float]
Side = Literal[-1, 0, 1]

#: Letters in points at scale 1: names of nodes and R2 under them, items, numbers on paths, numbers on other arrows.
NODE, ITEM, PATH, SMALL = 9.5, 8.0, 8.5, 7.5
_SCALES = (1.0, 0.94, 0.88, 0.82)
_STRETCHES = (1.0, 0.75, 0.5, 0.25, 0.0)
#: Widths in inches at which names are broken into lines, the first that fits is taken.
_ITEM_WIDTHS = (1.5, 2.0, 2.6, 3.2, 1.1)
_NODE_WIDTHS = (1.3, 1.6, 1.0, 0.8)
_MARGIN = 0.06
#: How far the shortest curved arrow of a column reaches out; longer ones reach farther by equal steps.
FIRST_ARC = 0.28
_LANE = 0.2


@dataclass(frozen=True, slots=True)
class Box:
    """A node or item: its rectangle in inches (an ellipse fills it) and the lines inside.

    ``shape``: "ellipse", "rectangle" or "lane"; ``side``: where items stand from their node, or a node's items.
    """

    name: str
    shape: Literal["ellipse", "rectangle", "lane"]
    centre: Point
    width: float
    height: float
    lines: tuple[str, ...] = ()
    size: float = ITEM
    side: Side = 0
    column: int = 0

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top."""
        (across, up), half, tall = self.centre, self.width / 2, self.height / 2
        return across - half, up - tall, across + half, up + tall


@dataclass(frozen=True, slots=True)
class Style:
    """One try: letters' scale, looseness across and up between 0 and 1, widths at which names break."""

    scale: float
    wide: float
    tall: float
    item_width: float
    node_width: float

    def across(self, tight: float, loose: float) -> float:
        """Return a distance from left to right, between its tight and its loose value."""
        return tight + (loose - tight) * self.wide

    def up(self, tight: float, loose: float) -> float:
        """Return a distance from bottom to top, between its tight and its loose value."""
        return tight + (loose - tight) * self.tall


@dataclass(frozen=True, slots=True)
class Column:
    """What one column needs: names, side of its items, widths from the nodes' edge outwards, height."""

    names: tuple[str, ...]
    side: Side
    arc_side: Side
    item_width: float
    fan: float
    arcs: float
    arc_step: float
    item_arcs: float
    item_step: float
    ups: tuple[float, ...]
    downs: tuple[float, ...]
    node_width: float

    def beside(self, side: Side) -> float:
        """Return the width on one side of the nodes: items, or room for curved arrows alone."""
        if side == self.side:
            return self.fan + self.item_width + self.item_arcs
        return self.arcs if side == self.arc_side else 0.0

    @property
    def width(self) -> float:
        """Width of everything."""
        return self.beside(-1) + self.node_width + self.beside(1)

    @property
    def height(self) -> float:
        """Height of all rows."""
        return sum(self.ups) + sum(self.downs)


@dataclass(frozen=True, slots=True)
class Layout:
    """Every box in its place, and the edges of the columns between which arrows may run freely."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    columns: tuple[Column, ...]
    exits: tuple[float, ...]
    style: Style
    fits: bool

    def box(self) -> dict[str, Box]:
        """Return the boxes by name."""
        return {box.name: box for box in self.boxes}


def arranged(
    model: DiagramModel, layers: Layers, names: Mapping[str, str], page: Point, shares: Mapping[str, str]
) -> Layout:
    """Place a model on a page: the largest letters and widest distances that fit.

    Parameters
    ----------
    names : mapping
        What stands in each box.
    page : (float, float)
        Greatest width and height in inches; where even the tightest layout is larger, it grows beyond.
    shares : mapping
        The line under the name of explained nodes.
    """
    tightest = []
    for scale in _SCALES:
        found: list[tuple[float, _Plan]] = []
        for item_width, node_width in product(_ITEM_WIDTHS, _NODE_WIDTHS):
            plans = [
                _Plan(model, layers, names, shares, Style(scale, loose, loose, item_width, node_width))
                for loose in _STRETCHES
            ]
            wide = next((plan.style.wide for plan in plans if plan.width <= page[0]), None)
            tall = next((plan.style.tall for plan in plans if plan.height <= page[1]), None)
            plan = replace(plans[0], style=replace(plans[0].style, wide=wide or 0.0, tall=tall or 0.0))
            if wide is not None and tall is not None:
                found.append((min(wide, tall) + 0.25 * (wide + tall) - plan.ragged, plan))
            tightest.append((max(plans[-1].width / page[0], plans[-1].height / page[1]), plan))
        if found:
            return max(found, key=lambda pair: pair[0])[1].layout(page, fits=True)
    return min(tightest, key=lambda pair: pair[0])[1].layout(page, fits=False)


@dataclass(frozen=True)
class _Plan:
    """One try: what each column needs in one style; worked out once each."""

    model: DiagramModel
    layers: Layers
    names: Mapping[str, str]
    shares: Mapping[str, str]
    style: Style

    def lines(self, name: str) -> tuple[str, ...]:
        width = self.style.node_width * self.style.scale
        found = balanced(self.names.get(name, name), NODE * self.style.scale, width)
        return (*found, self.shares[name]) if name in self.shares else found

    @property
    def ragged(self) -> float:
        """How much names of many lines weigh against loose distances."""
        named = [len(self.lines(n)) - (n in self.shares) for n in self.model.nodes]
        below = [len(self.item_lines(item)) for item in self.model.items]
        return 0.3 * max(0, max(named) - 2) + 0.12 * max(0, max(below, default=1) - 1)

    @cached_property
    def node_size(self) -> Point:
        """Width and height of every node: room for the longest name inside an ellipse."""
        found = [_ellipse(self.lines(name), NODE * self.style.scale) for name in self.model.nodes]
        return max(wide for wide, _ in found), max(tall for _, tall in found)

    def item_lines(self, item: str) -> tuple[str, ...]:
        return balanced(self.names.get(item, item), ITEM * self.style.scale, self.style.item_width)

    def row(self, item: str) -> float:
        lines = len(self.item_lines(item))
        return height_of(lines, ITEM * self.style.scale) + self.style.up(0.018, 0.1) + self.gap

    @property
    def gap(self) -> float:
        return self.style.up(0.014, 0.1)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        several = len(self.layers.columns) > 1
        names = [*self.layers.columns, *([self.layers.apart] if self.layers.apart else [])]
        return tuple(self._column(index, tuple(found), several) for index, found in enumerate(names))

    def _column(self, index: int, names: tuple[str, ...], several: bool) -> Column:
        homes = dict(self.model.homes)
        items = [item for name in names for item in homes.get(name, ())]
        apart = index == len(self.layers.columns)
        side: Side = 0 if not items or apart else (-1 if several and index == 0 else 1)
        arc_side: Side = 1 if apart or (several and index > 0) else -1
        spans = spans_of([n for n in names if n in self.model.nodes], self.model)
        step = self.style.across(0.15, 0.42) if arc_side != side else self.style.across(0.14, 0.22)
        arcs = FIRST_ARC + step * (len(spans) - 1) + 0.22 * self.style.scale if spans else 0.0
        size = ITEM * self.style.scale
        width = max((width_of(line, size) for i in items for line in self.item_lines(i)), default=-0.12) + 0.12
        fan = self.style.across(0.72, 1.3) if items else 0.0
        item_spans, item_step = spans_of(items, self.model), self.style.across(0.19, 0.26)
        extents = [self._extent(name, side, homes.get(name, ())) for name in names]
        return Column(
            names,
            side,
            arc_side,
            width if items else 0.0,
            max(fan, arcs + 0.36 * self.style.scale) if arc_side == side else fan,
            arcs,
            step,
            FIRST_ARC + item_step * (len(item_spans) - 1) + 0.22 if item_spans else 0.0,
            item_step,
            tuple(up for up, _ in extents),
            tuple(down for _, down in extents),
            self.node_size[0],
        )

    def _extent(self, name: str, side: Side, items: Sequence[str]) -> Point:
        """Return how far a row reaches above and below its node, distance to the next row included."""
        apart = self.style.up(0.03, 0.18)
        if name not in self.model.nodes:
            return _LANE / 2 + apart / 2, _LANE / 2 + apart / 2
        half = self.node_size[1] / 2
        upper, lower = self.halves(name, side, items)
        return max(half, upper) + apart, max(half, lower) + apart

    def lane(self, name: str, side: Side) -> float:
        """Return the height kept free amid the items of a node for its arrows to the right."""
        leads = any(arrow.source == name for arrow, _ in self.layers.lanes)
        return _LANE if side == 1 and leads else 0.0

    def halves(self, name: str, side: Side, items: Sequence[str]) -> Point:
        rows = [self.row(item) for item in items]
        lane = self.lane(name, side)
        if not lane:
            return sum(rows) / 2, sum(rows) / 2
        middle = (len(rows) + 1) // 2
        return sum(rows[:middle]) + lane / 2, sum(rows[middle:]) + lane / 2

    @cached_property
    def crowd(self) -> tuple[int, ...]:
        """Return how many arrows run between each column and the next."""
        place = self.layers.column()
        links = [n for a, lanes in self.layers.lanes for n in pairwise((a.source, *lanes, a.target))]
        return tuple(sum(place[a] == gap for a, _ in links) for gap in range(len(self.layers.columns) - 1))

    @cached_property
    def gaps(self) -> tuple[float, ...]:
        loose = tuple(min(2.5, 0.8 + 0.075 * count) for count in self.crowd)
        tight = tuple(min(0.95, 0.45 + 0.03 * count) for count in self.crowd)
        apart = (self.style.across(0.8, 1.3),) if self.layers.apart else ()
        return (*(self.style.across(a, b) for a, b in zip(tight, loose, strict=True)), *apart)

    @property
    def width(self) -> float:
        return sum(c.width for c in self.columns) + sum(self.gaps) + 2 * _MARGIN

    @cached_property
    def heights(self) -> tuple[float, ...]:
        return tuple(column.height for column in self.columns)

    @property
    def height(self) -> float:
        """Height of the fullest column, and room for the numbers on the arrows between two columns."""
        tall = max(self.heights)
        numbers = height_of(1, PATH * self.style.scale) * 1.35
        return max(tall, *(numbers * count for count in (0, *self.crowd))) + 2 * _MARGIN

    def layout(self, page: Point, *, fits: bool) -> Layout:
        columns, gaps = self.columns, self.gaps
        spare = max(0.0, page[0] - self.width)
        crowd = (*self.crowd, *([0] if self.layers.apart else []))
        whole = sum(count + 4 for count in crowd)
        gaps = tuple(g + min(spare * (c + 4) / whole, 0.8 * g) for g, c in zip(gaps, crowd, strict=True))
        height = min(max(self.height, page[1]), self.height * (1.12 if len(columns) > 1 else 1.0))
        boxes: list[Box] = []
        exits: list[float] = []
        left = _MARGIN
        for index, column in enumerate(columns):
            boxes += self._boxes(index, column, left + column.beside(-1), height)
            exits.append(left + column.width)
            left += column.width + (gaps[index] if index < len(gaps) else 0.0)
        return Layout(left + _MARGIN, height, tuple(boxes), columns, tuple(exits), self.style, fits)

    def _boxes(self, index: int, column: Column, left: float, height: float) -> list[Box]:
        """Place a column's nodes, lanes and items; rows share what height is left over."""
        boxes: list[Box] = []
        wide, tall = self.node_size
        rest = height - 2 * _MARGIN - column.height
        ends = 0.0 if column.height >= max(self.heights) else 1.0  # the fullest column begins and ends at the margins
        spare = rest / max(len(column.names) - 1 + ends, 1)
        top = height - _MARGIN - spare * ends / 2 - (rest / 2 if len(column.names) == 1 and not ends else 0.0)
        middle = left + wide / 2
        for name, up, down in zip(column.names, column.ups, column.downs, strict=True):
            centre = (middle, top - up)
            top -= spare + up + down
            if name not in self.model.nodes:
                middle_lane = left - column.beside(-1) + column.width / 2
                boxes.append(Box(name, "lane", (middle_lane, centre[1]), column.width, _LANE, column=index))
                continue
            shape: Literal["ellipse", "rectangle"] = "ellipse" if name in self.model.latents else "rectangle"
            size = NODE * self.style.scale
            side = column.side if dict(self.model.homes).get(name) else 0
            lines = self.lines(name)
            own = tall if shape == "ellipse" else min(tall, height_of(len(lines), size) + 0.16)
            boxes.append(Box(name, shape, centre, wide, own, lines, size, side, index))
            boxes += self._items(index, column, name, centre)
        return boxes

    def _items(self, index: int, column: Column, name: str, centre: Point) -> list[Box]:
        items = dict(self.model.homes).get(name, ())
        upper, _ = self.halves(name, column.side, items)
        lane = self.lane(name, column.side)
        across = centre[0] + column.side * (column.node_width / 2 + column.fan + column.item_width / 2)
        boxes, top = [], centre[1] + upper
        for place, item in enumerate(items):
            row = self.row(item)
            if lane and place == (len(items) + 1) // 2:
                top -= lane
            lines, size = self.item_lines(item), ITEM * self.style.scale
            middle = (across, top - row / 2)
            boxes.append(
                Box(item, "rectangle", middle, column.item_width, row - self.gap, lines, size, column.side, index)
            )
            top -= row
        return boxes


def _ellipse(lines: Sequence[str], size: float) -> Point:
    """Return width and height of a flat ellipse that holds some lines."""
    step = height_of(1, size)
    tall = len(lines) * step / 2 * 1.16 + 0.06
    wide = 0.25
    for index, line in enumerate(lines):
        farthest = abs(index - (len(lines) - 1) / 2) * step + 0.36 * step
        wide = max(wide, width_of(line, size) / 2 / math.sqrt(1 - (farthest / tall) ** 2))
    return 2 * wide + 0.14, 2 * tall


def spans_of(names: Sequence[str], model: DiagramModel) -> tuple[int, ...]:
    """Return the different distances, in places, that curved arrows within a column bridge."""
    place = {name: index for index, name in enumerate(names)}
    found = {
        abs(place[a.source] - place[a.target])
        for a in model.arrows
        if a.kind == "covariance" and a.source in place and a.target in place
    }
    return tuple(sorted(found))
