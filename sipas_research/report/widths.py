"""How wide a table's columns are and how large its letters, so that it never leaves the page."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

#: Text width of an A4 page with margins of 30 and 20 mm.
TEXT_WIDTH_MM = 160.0

#: Letter sizes in points, the largest that fits is taken.
SIZES = (11.0, 10.0, 9.0, 8.0)
_SIZE_OF_WIDE = 10.0

#: Tables with more columns than this start with smaller letters and narrower cell margins.
WIDE = 7

_PADDING_MM = 3.0
_PADDING_OF_WIDE_MM = 2.0
_EM_SHARE = 0.19  # mean width of a letter as a share of its size in points, in mm: figures and capitals included
_LONGEST_LINE = 70
_LABEL_LINE = 16  # a row's name up to this length stays on one line
_LONGEST_WORD = 24
_LINE_SHARE = 0.46  # height of a line as a share of its size in points, in mm
_ROW_MM = 2.4  # margins above and below the text of a row

#: A note of more lines than this widens the table above it, up to this share of the text width.
_NOTE_LINES = 6
_NOTE_SHARE = 0.75

_BREAK = "\u200b"


@dataclass(frozen=True, slots=True)
class Layout:
    """Layout of one table.

    Attributes
    ----------
    widths : tuple of float
        Shares of the text width, one a column; their sum is at most 1.
    size : float
        Size of the letters in points.
    fits : bool
        False where even the smallest letters need more than the page.
    """

    widths: tuple[float, ...]
    size: float
    fits: bool


def layout(header: Sequence[str], rows: Sequence[Sequence[str]], wanted: Sequence[float | None] = ()) -> Layout:
    """Choose letter size and column widths from what stands in the cells.

    Parameters
    ----------
    header : sequence of str
        Labels, one a column.
    rows : sequence of sequence of str
        Printed cells.
    wanted : sequence of float or None
        Widths asked for by the author, as shares of the text width.
    """
    if not header:
        return Layout((), SIZES[0], True)
    asked = tuple(wanted) or (None,) * len(header)
    columns = [[row[index] for row in rows] for index in range(len(header))]
    padding = _PADDING_OF_WIDE_MM if len(header) > WIDE else _PADDING_MM
    least = [_longest_word([label, *cells]) for label, cells in zip(header, columns, strict=True)]
    least[0] = max(least[0], min(_LABEL_LINE, _longest_line(columns[0])))
    best = [
        max(smallest, _longest_line(cells), _label_line(label))
        for label, cells, smallest in zip(header, columns, least, strict=True)
    ]
    allowed = [size for size in SIZES if len(header) <= WIDE or size <= _SIZE_OF_WIDE]
    for size in allowed:
        if sum(_millimetres(letters, size, padding) for letters in least) <= TEXT_WIDTH_MM:
            return Layout(_shares(least, best, asked, size, padding), size, True)
    return Layout(_shares(least, best, asked, allowed[-1], padding), allowed[-1], False)


def for_note(plan: Layout, note: str) -> Layout:
    """Widen a narrow table with a long note: the note stands in its last row and would become a thin column.

    Parameters
    ----------
    plan : Layout
    note : str
        The line under the table.
    """
    total = sum(plan.widths)
    if not total or total >= _NOTE_SHARE or _lines(note, total, plan.size) <= _NOTE_LINES:
        return plan
    return replace(plan, widths=tuple(width * _NOTE_SHARE / total for width in plan.widths))


def height(rows: Sequence[Sequence[str]], plan: Layout, note: str = "") -> float:
    """Return about how high a table stands on a page, in millimetres: its rows and the line under it."""
    line = plan.size * _LINE_SHARE
    counts = [
        max((_lines(cell, width, plan.size) for cell, width in zip(row, plan.widths, strict=True)), default=1)
        for row in rows
    ]
    return line * (sum(counts) + _lines(note, sum(plan.widths), plan.size)) + _ROW_MM * len(counts)


def _lines(text: str, width: float, size: float) -> int:
    letters = max(1.0, (width * TEXT_WIDTH_MM - _PADDING_MM) / (size * _EM_SHARE))
    return max(1, math.ceil(len(text) / letters))


def breakable(text: str) -> str:
    """Let words too long for a column break: an invisible break after every 24 letters."""
    return " ".join(
        _BREAK.join(word[i : i + _LONGEST_WORD] for i in range(0, len(word), _LONGEST_WORD)) for word in text.split(" ")
    )


def _millimetres(letters: float, size: float, padding: float) -> float:
    return letters * size * _EM_SHARE + padding


def _longest_word(texts: Sequence[str]) -> int:
    # lines break at spaces, not at spaces that join
    return min(_LONGEST_WORD, max((len(word) for text in texts for word in re.split("[ \n]", text)), default=1))


def _longest_line(texts: Sequence[str]) -> int:
    return min(_LONGEST_LINE, max((len(text) for text in texts), default=1))


def _label_line(label: str) -> int:
    """A label may take two lines, a long one three."""
    lines = 2 if len(label) < 40 else 3
    return min(_LONGEST_LINE, -(-len(label) // lines) + 2)


def _within_page(widths: Sequence[float], low: Sequence[float]) -> list[float]:
    """Take what is too much from the columns that have more than their longest word needs."""
    excess = sum(widths) - TEXT_WIDTH_MM
    slack = sum(widths) - sum(low)
    if excess <= 0 or slack <= 0:
        return list(widths)
    part = min(1.0, excess / slack)
    return [width - (width - small) * part for width, small in zip(widths, low, strict=True)]


def _shares(
    least: Sequence[int], best: Sequence[int], asked: Sequence[float | None], size: float, padding: float
) -> tuple[float, ...]:
    low = [_millimetres(letters, size, padding) for letters in least]
    high = [_millimetres(letters, size, padding) for letters in best]
    if sum(high) <= TEXT_WIDTH_MM:
        widths = high
    else:
        spare = max(0.0, TEXT_WIDTH_MM - sum(low))
        wish = sum(high) - sum(low) or 1.0
        widths = [small + (large - small) * spare / wish for small, large in zip(low, high, strict=True)]
    chosen = [
        width if share is None else max(small, share * TEXT_WIDTH_MM)
        for width, share, small in zip(widths, asked, low, strict=True)
    ]
    shares = [width / TEXT_WIDTH_MM for width in _within_page(chosen, low)]
    total = sum(shares)
    return tuple(share / max(total, 1.0) for share in shares)
