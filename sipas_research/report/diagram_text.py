"""Sizes of words before they are drawn, and words broken into lines of a width."""

from __future__ import annotations

import re
from functools import lru_cache

FONT = "DejaVu Sans"
#: Height of a line as a multiple of the letters' size.
LINE = 1.2
_POINTS = 72.0
#: Hinting makes letters up to this much wider on a screen than in print.
_HINTING = 1.03


@lru_cache(maxsize=4096)
def width_of(words: str, size: float, *, bold: bool = False) -> float:
    """Return the width of one line in inches; ``size`` in points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=FONT, size=size, weight="bold" if bold else "normal")
    width, _, _ = text_to_path.get_text_width_height_descent(words, font, ismath=False)
    return float(width) / _POINTS * _HINTING


def height_of(lines: int, size: float) -> float:
    """Return the height of some lines in inches."""
    return lines * size * LINE / _POINTS


def broken(words: str, size: float, width: float, *, bold: bool = False) -> tuple[str, ...]:
    """Break words into lines no wider than ``width`` inches, between words or after an underscore or hyphen.

    A piece that is wider by itself stays whole.
    """
    lines: list[str] = []
    for piece in re.findall(r"[^\s_-]+[_-]*\s*|[_-]+\s*", " ".join(words.split())):
        joined = lines[-1] + piece if lines else piece
        if lines and width_of(joined.rstrip(), size, bold=bold) <= width:
            lines[-1] = joined
        else:
            lines.append(piece)
    return tuple(line.rstrip() for line in lines) or ("",)


@lru_cache(maxsize=4096)
def balanced(words: str, size: float, width: float, *, bold: bool = False) -> tuple[str, ...]:
    """Break words like :func:`broken`, into lines of about the same length."""
    lines = broken(words, size, width, bold=bold)
    low = max((width_of(line, size, bold=bold) for line in lines), default=0.0) * 0.5
    for step in range(10):
        narrow = broken(words, size, low + (width - low) * step / 10, bold=bold)
        if len(narrow) == len(lines):
            return narrow
    return lines
