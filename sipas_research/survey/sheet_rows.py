"""What .csv and Excel have in common: rows of cells become named columns."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from sipas_research.errors import DataFileError
from sipas_research.survey.raw_table import Note
from sipas_research.wording import text

Row = Sequence[object]

_EDGES = " \t\r\n\v\f\u00a0\u200b\ufeff"
_PATHS = re.compile(r"[\w.]+(?:/[\w.]+)+")
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Block:
    """Named columns of one sheet: ``columns`` holds one sequence of raw cells a name, all of one length."""

    names: tuple[str, ...]
    columns: tuple[Sequence[object], ...]
    first_row: int
    skipped: tuple[int, ...]
    notes: tuple[Note, ...]


def clean(cell: str) -> str | None:
    """Return the text in NFC without blanks around it; None for an empty one."""
    stripped = cell.strip(_EDGES)
    if not stripped.isascii():
        stripped = unicodedata.normalize("NFC", stripped)
    return stripped or None


def is_empty(cell: object) -> bool:
    """True for a cell without content; zero is content."""
    return cell is None or (isinstance(cell, str) and not cell.strip(_EDGES))


def name_text(cell: object) -> str:
    """Return a header cell as a name: NFC, one blank for each run of blanks and line breaks."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return " ".join(unicodedata.normalize("NFC", str(cell)).replace("\ufeff", "").replace("\u200b", "").split())


def note(key: str, **fields: object) -> Note:
    """Build a note of the topic ``reading.note``."""
    return (f"reading.note.{key}", tuple(fields.items()))


def shortened(names: Sequence[str]) -> str:
    """Join names for a sentence; after the fifth comes an ellipsis."""
    return ", ".join(names[:_MOST_NAMED]) + (", …" if len(names) > _MOST_NAMED else "")


def unique_names(
    raw: Sequence[str], positions: Sequence[int] | None = None
) -> tuple[tuple[str, ...], tuple[Note, ...]]:
    """Give empty names a name by position and repeated names a number; say so in notes."""
    places = positions if positions is not None else range(1, len(raw) + 1)
    unnamed, repeated, taken, names = [], [], set(filter(None, raw)), []
    used: set[str] = set()
    for place, name in zip(places, raw, strict=True):
        wanted = name or text("reading.unnamed_column", "vi", position=str(place))
        given = wanted
        for count in itertools.count(2):
            if given not in used and (given == name or given not in taken):
                break
            given = f"{wanted} ({count})"
        used.add(given)
        names.append(given)
        if not name:
            unnamed.append(given)
        elif given != name:
            repeated.append(given)
    notes = [note("unnamed", names=shortened(unnamed))] if unnamed else []
    notes += [note("repeated", names=shortened(repeated))] if repeated else []
    if sum(_PATHS.fullmatch(name) is not None for name in names) >= 3:
        notes.append(note("paths"))
    return tuple(names), tuple(notes)


def to_block(rows: Sequence[Row], file: str, *, top: int = 1) -> Block:
    """Find the header among rows of equal length, drop what is empty, and turn the sheet by 90 degrees.

    Parameters
    ----------
    rows : sequence of sequences
        All rows of the sheet; ``top`` is the number that the user sees beside the first of them.
    file : str
        File name for messages.

    Raises
    ------
    DataFileError
        If there is no header, no data row, or one column that holds everything.
    """
    header = _header_position(rows)
    if header is None:
        raise DataFileError("reading.empty", file=file)
    notes = [note("header_row", row=str(header + top))] if header + top > 1 else []
    body, skipped = _body(rows, header, top)
    if not body:
        raise DataFileError("reading.no_rows", file=file, row=str(header + top))
    if skipped:
        notes.append(note("empty_rows", n=len(skipped)))
    columns = list(zip(*body, strict=True))
    raw = [name_text(cell) for cell in rows[header]]
    kept = [i for i, name in enumerate(raw) if name or not all(map(is_empty, columns[i]))]
    names, name_notes = unique_names([raw[i] for i in kept], [i + 1 for i in kept])
    return Block(names, tuple(columns[i] for i in kept), header + top + 1, tuple(skipped), (*notes, *name_notes))


def _header_position(rows: Sequence[Row]) -> int | None:
    """Return the first row that holds something and is not a title: one filled cell above wider rows."""
    for position, row in enumerate(rows):
        filled = sum(not is_empty(cell) for cell in row)
        if not filled:
            continue
        below = (sum(not is_empty(cell) for cell in later) for later in rows[position + 1 : position + 6])
        if filled == 1 and max(below, default=0) > 2:
            continue
        return position
    return None


def _body(rows: Sequence[Row], header: int, top: int) -> tuple[list[Row], list[int]]:
    filled = [i for i in range(header + 1, len(rows)) if any(not is_empty(cell) for cell in rows[i])]
    if not filled:
        return [], []
    if len(filled) == filled[-1] - header:
        return list(rows[header + 1 : filled[-1] + 1]), []
    kept = set(filled)
    return [rows[i] for i in filled], [i + top for i in range(header + 1, filled[-1]) if i not in kept]
