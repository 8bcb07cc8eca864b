"""What may stand in a table's cell, how it is printed, and how it travels through an executed notebook."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Literal, get_args

from sipas_research import wording

Format = Literal[
    "text",
    "integer",
    "year",
    "number1",
    "number2",
    "number3",
    "percent",
    "percent1",
    "p",
    "interval",
    "interval3",
    "interval_percent",
    "mean_sd",
]
FORMATS: tuple[Format, ...] = get_args(Format)
SUPPRESSED = "(*)"
#: Control characters that no file format can hold, and marks that turn the reading direction of what follows.
_CONTROLS = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff"
_DIRECTIONS = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"
_FORMATTING = re.compile(r"([\\`*_\[\]<>$|~])")
_UNSEEN = re.compile(f"[{_CONTROLS}{_DIRECTIONS}]")


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A value that is known but not shown, because too few people stand behind it; printed "(*)".

    The table explains it in a note of its own. ``minimum`` is the smallest number of people that may be shown.
    """

    minimum: int = 10


@dataclass(frozen=True, slots=True)
class Absent:
    """A value that does not exist: printed as an en dash, its reason (a sentence) goes to the notes."""

    reason: str


Cell = str | int | float | None | tuple[float | None, float | None] | Suppressed | Absent


def harmless(words: str) -> str:
    """Return text without characters that are not seen but change what is: names come from data."""
    return _UNSEEN.sub("", words)


def unformatted(words: str) -> str:
    """Return text for a notebook's Markdown: names that come from data make no link, formula or emphasis."""
    return _FORMATTING.sub(r"\\\1", harmless(words))


def clean(value: object) -> Cell:
    """Turn a NumPy or pandas scalar into a plain cell; NaN, infinity and missing marks become None.

    Raises
    ------
    TypeError
        If the value is a truth value or nothing a cell can hold.
    """
    if isinstance(value, str):
        return harmless(value)
    if value is None or isinstance(value, Suppressed | Absent):
        return value
    if type(value).__name__ in {"NaTType", "NAType"}:
        return None
    if isinstance(value, Sequence) and len(value) == 2:
        return (_finite(value[0]), _finite(value[1]))
    if isinstance(value, Integral) and type(value).__name__ not in {"bool", "bool_"}:
        return int(value)
    if isinstance(value, Real) and not isinstance(value, Integral):
        return _finite(value)
    raise TypeError(f"a table cell cannot hold {type(value).__name__}")


def _finite(value: object) -> float | None:
    if value is None or type(value).__name__ == "NAType":
        return None
    plain = float(value)  # type: ignore[arg-type]
    return plain if math.isfinite(plain) else None


def printed(cell: Cell, style: Format, language: str) -> str:
    """Return a cell as a reader sees it; never "nan", "None" or a bare float."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Suppressed):
        return SUPPRESSED
    if cell is None or isinstance(cell, Absent):
        return wording.MISSING
    if isinstance(cell, tuple):
        return _printed_interval(cell, style, language)
    return _printed_number(cell, style, language)


def _printed_interval(ends: tuple[float | None, float | None], style: Format, language: str) -> str:
    low, high = ends
    if style == "mean_sd" and low is not None:
        mean = wording.number(low, 2, language)
        return mean if high is None else f"{mean} ({wording.number(high, 2, language)})"
    if low is None or high is None:
        return wording.MISSING
    decimals = 3 if style == "interval3" else 2
    return wording.interval(low, high, language, share=style == "interval_percent", decimals=decimals)


def _printed_number(value: float, style: Format, language: str) -> str:
    if style == "percent":
        return wording.percent(value, language)
    if style == "percent1":
        return wording.percent(value, language, 1)
    if style == "p":
        return wording.p_value(value, language)
    if style == "year":
        return str(round(value))
    decimals = {"number1": 1, "number2": 2, "number3": 3, "interval": 2, "interval3": 3}.get(style)
    if decimals is not None:
        return wording.number(value, decimals, language)
    if style == "text" and not float(value).is_integer():
        raise TypeError("a bare float stands in a text column; give the column a number format")
    return wording.integer(value, language)


def to_json(cell: Cell) -> object:
    """Return the unrounded value in a form that JSON carries."""
    if isinstance(cell, Suppressed):
        return {"suppressed": cell.minimum}
    if isinstance(cell, Absent):
        return {"absent": cell.reason}
    if isinstance(cell, tuple):
        return {"interval": list(cell)}
    return cell


def from_json(value: object) -> Cell:
    """Rebuild a cell from what :func:`to_json` gave."""
    if isinstance(value, dict):
        if "suppressed" in value:
            return Suppressed(int(value["suppressed"]))
        if "absent" in value:
            return Absent(str(value["absent"]))
        low, high = value["interval"]
        return clean((low, high))
    return clean(value)
