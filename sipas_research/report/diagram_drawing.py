"""A placed path diagram drawn with matplotlib; lengths are inches, letters points, so that it prints at its size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sipas_research.report.diagram_labels import Label
from sipas_research.report.diagram_layout import Box, Layout, Point
from sipas_research.report.diagram_model import Verdict
from sipas_research.report.diagram_routes import Line, Route
from sipas_research.report.diagram_text import FONT, LINE, broken, height_of, width_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Line styles by significance: told apart without colour.
DASHES: dict[Verdict, Any] = {"clear": "solid", "unclear": (0, (3.2, 2.2)), "untested": (0, (8, 1.6, 1.2, 1.6))}
_COLOURS = {"path": "#0a4f86", "loading": "#5a5a5a", "covariance": "#9a4a00"}
_WIDTHS = {"path": 1.25, "loading": 0.8, "covariance": 0.9}
_EDGE, _LATENT, _OBSERVED, _INK = "#33414d", "#e6f0f7", "#ffffff", "#111111"
_HEADS = {"path": 0.09, "loading": 0.065, "covariance": 0.065}
_MARK = "#7f1d1d"
_SMALL = 7.5  # letters of legend and notes, in points
_ENTRY = 0.28  # inches between entries of the legend
_SAMPLE = 0.46  # width of a legend's sample


@dataclass(frozen=True, slots=True)
class Footer:
    """Legend and notes under a diagram, broken to its width: rows of (sample, words), lines of notes."""

    rows: tuple[tuple[tuple[str, str], ...], ...]
    notes: tuple[str, ...]

    @property
    def height(self) -> float:
        """Height in inches."""
        return 0.1 + 0.2 * len(self.rows) + height_of(len(self.notes), _SMALL) + (0.05 if self.notes else 0)


def footer(entries: Sequence[tuple[str, str]], notes: Sequence[str], width: float) -> Footer:
    """Break legend and notes to a width in inches."""
    rows: list[list[tuple[str, str]]] = [[]]
    for entry in entries:
        if rows[-1] and _row_width([*rows[-1], entry]) > width - 0.1:
            rows.append([])
        rows[-1].append(entry)
    said = ". ".join(notes) + "." if notes else ""
    return Footer(tuple(tuple(row) for row in rows if row), broken(said, _SMALL, width - 0.15) if said else ())


def _row_width(row: Sequence[tuple[str, str]]) -> float:
    return sum(_SAMPLE + 0.08 + width_of(words, _SMALL) for _, words in row) + _ENTRY * (len(row) - 1)


def draw(axes: Axes, layout: Layout, routes: Sequence[Route], labels: Sequence[Label]) -> None:
    """Draw arrows, then boxes, then numbers into axes whose units are inches."""
    for route in routes:
        _arrow(axes, route)
    for box in layout.boxes:
        if box.shape != "lane":
            _box(axes, box)
    for label in labels:
        _label(axes, label)


def _arrow(axes: Axes, route: Route) -> None:
    kind, head = route.arrow.kind, _HEADS[route.arrow.kind]
    line = route.line
    shaft = _shortened(line, head * 0.8)
    _head(axes, line, head, _COLOURS[kind])
    if kind == "covariance":
        shaft = _shortened(shaft[::-1], head * 0.8)[::-1]
        _head(axes, line[::-1], head, _COLOURS[kind])
    axes.plot(
        shaft[:, 0],
        shaft[:, 1],
        color=_COLOURS[kind],
        linewidth=_WIDTHS[kind],
        linestyle=DASHES[route.arrow.verdict],
        solid_capstyle="butt",
        dash_capstyle="butt",
        zorder=2 if kind == "path" else 1,
    )


def _shortened(line: Line, length: float) -> Line:
    """Return a line without its last piece, which the head covers."""
    steps = np.hypot(*np.diff(line[::-1], axis=0).T)
    reached = np.concatenate([[0.0], np.cumsum(steps)])
    if reached[-1] <= length:
        return line
    place = int(np.searchsorted(reached, length, side="right")) - 1
    part = (length - reached[place]) / max(float(steps[place]), 1e-12)
    back = line[::-1]
    return np.vstack([back[place] + part * (back[place + 1] - back[place]), back[place + 1 :]])[::-1]


def _head(axes: Axes, line: Line, length: float, colour: str) -> None:
    from matplotlib.patches import Polygon

    foot, tip = _shortened(line, length)[-1], line[-1]
    along = (tip - foot) / max(float(np.hypot(*(tip - foot))), 1e-12)
    across = np.array([-along[1], along[0]]) * length * 0.36
    back = tip - along * length
    axes.add_patch(Polygon([tip, back + across, back - across], closed=True, color=colour, linewidth=0, zorder=2.5))


def _box(axes: Axes, box: Box) -> None:
    from matplotlib.patches import Ellipse, Rectangle

    left, bottom, _, _ = box.bounds
    style: dict[str, Any] = {"edgecolor": _EDGE, "zorder": 3}
    if box.shape == "ellipse":
        patch: Any = Ellipse(box.centre, box.width, box.height, facecolor=_LATENT, linewidth=1.1, **style)
    else:
        patch = Rectangle((left, bottom), box.width, box.height, facecolor=_OBSERVED, linewidth=0.8, **style)
    patch.set_gid(f"node {box.name}")
    axes.add_patch(patch)
    _words(axes, box.centre, "\n".join(box.lines), box.size, color=_INK, zorder=4)


def _label(axes: Axes, label: Label) -> None:
    left, bottom, right, top = label.bounds
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((left, bottom), right - left, top - bottom, color="white", linewidth=0, zorder=4.5))
    text = _words(axes, label.centre, label.words, label.size, color=_COLOURS[label.route.arrow.kind], zorder=5)
    text.set_gid("number")


def _words(axes: Axes, centre: Point, words: str, size: float, **style: Any) -> Any:
    return axes.text(
        *centre,
        words,
        fontsize=size,
        fontfamily=FONT,
        ha="center",
        va="center",
        linespacing=LINE,
        parse_math=False,
        **style,
    )


def draw_footer(axes: Axes, found: Footer, left: float, top: float) -> None:
    """Draw legend and notes downwards from ``top``."""
    up = top - 0.16
    for row in found.rows:
        across = left
        for sample, words in row:
            _sample(axes, sample, across, up)
            across += _SAMPLE + 0.08
            axes.text(across, up, words, fontsize=_SMALL, fontfamily=FONT, va="center_baseline", color=_INK)
            across += width_of(words, _SMALL) + _ENTRY
        up -= 0.2
    axes.text(
        left,
        up + 0.06,
        "\n".join(found.notes),
        fontsize=_SMALL,
        fontfamily=FONT,
        va="top",
        linespacing=LINE,
        color="#444444",
        parse_math=False,
    )


def _sample(axes: Axes, sample: str, left: float, up: float) -> None:
    from matplotlib.patches import Ellipse, Rectangle

    middle = (left + _SAMPLE / 2, up)
    if sample == "latent":
        axes.add_patch(Ellipse(middle, _SAMPLE * 0.8, 0.15, facecolor=_LATENT, edgecolor=_EDGE, linewidth=1.1))
    elif sample == "observed":
        corner = (left + _SAMPLE * 0.12, up - 0.06)
        axes.add_patch(Rectangle(corner, _SAMPLE * 0.76, 0.12, facecolor=_OBSERVED, edgecolor=_EDGE, linewidth=0.8))
    elif sample == "covariance":
        way = np.linspace(0, 1, 24)[:, None]
        line = np.hstack([left + way * _SAMPLE, up - 0.04 + 0.3 * way * (1 - way)])
        colour = _COLOURS["covariance"]
        shaft = _shortened(_shortened(line, 0.05)[::-1], 0.05)[::-1]
        axes.plot(*shaft.T, color=colour, linewidth=_WIDTHS["covariance"])
        _head(axes, line, 0.065, colour)
        _head(axes, line[::-1], 0.065, colour)
    else:
        line = np.array([[left, up], [left + _SAMPLE, up]])
        style = next(dashes for verdict, dashes in DASHES.items() if verdict == sample)
        axes.plot(*_shortened(line, 0.06).T, color=_EDGE, linewidth=1.1, linestyle=style)
        _head(axes, line, 0.07, _EDGE)


def draw_mark(axes: Axes, words: str, width: float, height: float, top: float) -> None:
    """Write the mark of simulated data above the diagram, and pale behind every part of it."""
    axes.text(width / 2, top, words, fontsize=9, fontfamily=FONT, fontweight="bold", color=_MARK, ha="center", va="top")
    rows, columns = max(1, round(height / 2.2)), max(1, round(width / 3.4))
    size = min(24.0, 72 * 0.8 * width / columns / width_of(words, 1.0, bold=True) / 72)
    for row in range(rows):
        for column in range(columns):
            axes.text(
                (column + 0.5) * width / columns,
                (row + 0.5) * height / rows,
                words,
                fontsize=size,
                fontfamily=FONT,
                fontweight="bold",
                color=_MARK,
                alpha=0.09,
                rotation=20,
                ha="center",
                va="center",
                zorder=0,
            )
