"""Lines of plain text in columns: a label on the left, numbers right-aligned under each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

#: Width of a column of numbers, and what stands free before it.
COLUMN = 13
INDENT = "  "


class Line(NamedTuple):
    """A label and its cells; a line without cells is text, an empty one a gap."""

    label: str = ""
    cells: tuple[str, ...] = ()


def width_of(lines: Sequence[Line]) -> int:
    """Return the width that the labels of lines with cells need."""
    return max((len(line.label) for line in lines if line.cells), default=0)


def laid_out(lines: Sequence[Line], width: int, column: int = COLUMN) -> list[str]:
    """Return the lines with cells right-aligned from ``width`` on."""
    return ["".join([line.label.ljust(width), *(cell.rjust(column) for cell in line.cells)]).rstrip() for line in lines]
