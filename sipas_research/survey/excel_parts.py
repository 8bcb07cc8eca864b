"""What the quick Excel reader does not tell: error cells, formulas without a value, the size of a sheet.

An .xlsx file is a zip of XML parts. The part of one sheet is scanned as bytes; nothing is parsed as a tree,
since a sheet of 50,000 rows has some 80 MB of XML.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from dataclasses import dataclass

_MOST_BYTES = 1_500_000_000
_ERROR_CELL = re.compile(rb'<(?:\w+:)?c\b((?:[^>"]|"[^"]*")*?\bt="e"(?:[^>"]|"[^"]*")*)>(.*?)</(?:\w+:)?c>', re.DOTALL)
_PLACE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_VALUE = re.compile(rb"<(?:\w+:)?v>([^<]{1,40})</")
_NO_VALUE = re.compile(rb"</(?:\w+:)?f>(?:<(?:\w+:)?v ?/>|<(?:\w+:)?v></(?:\w+:)?v>)?</(?:\w+:)?c>")
_ROW = re.compile(rb'<(?:\w+:)?row\b[^>]*?\br="(\d{1,9})"')
_DIMENSION = re.compile(rb'<(?:\w+:)?dimension\b[^>]*?ref="[A-Z]{1,3}\d{1,9}:([A-Z]{1,3})(\d{1,9})"')
_SHEET = re.compile(r"<(?:\w+:)?sheet\b[^>]*>")
_RELATION = re.compile(r"<(?:\w+:)?Relationship\b[^>]*>")
_TAIL = 200_000


@dataclass(frozen=True, slots=True)
class SheetPart:
    """Findings about one sheet.

    ``errors`` maps (row, column), both from 0, to Excel's error text such as "#N/A"; ``no_value`` counts
    formulas that were never calculated; ``cells`` is the size of the rectangle that holds all cells. ``scanned``
    is False where the sheet could not be looked into, so that the reader may have lost error cells unseen.
    """

    errors: dict[tuple[int, int], str]
    no_value: int
    cells: int
    scanned: bool = True


_NOTHING = SheetPart({}, 0, 0, scanned=False)


def inspect_sheet(data: bytes, position: int) -> SheetPart:
    """Scan the XML of the sheet at a position of the workbook's list; empty findings where it is not found."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            name = _part_name(archive, position)
            if not name:
                return _NOTHING
            with archive.open(name) as part:
                content = part.read(_MOST_BYTES)
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, NotImplementedError, EOFError, RuntimeError, OSError):
        # Damaged beyond this scan: the reader itself says so in its own words.
        return _NOTHING
    return SheetPart(_error_cells(content), _count_unvalued(content), _rectangle(content))


def is_workbook(data: bytes) -> bool:
    """True if the bytes are a zip that holds an Excel workbook."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError):
        return False
    return any(name.casefold() in {"xl/workbook.xml", "xl/workbook.bin"} for name in names)


def _part_name(archive: zipfile.ZipFile, position: int) -> str:
    workbook = archive.read("xl/workbook.xml").decode("utf-8", errors="replace")
    relations = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", errors="replace")
    sheets = _SHEET.findall(workbook)
    if position >= len(sheets):
        return ""
    wanted = re.search(r'\br:id="([^"]+)"', sheets[position])
    for relation in _RELATION.findall(relations):
        target = re.search(r'\bTarget="([^"]+)"', relation)
        if wanted and target and f'Id="{wanted[1]}"' in relation:
            return posixpath.normpath(posixpath.join("/xl", target[1])).lstrip("/")
    return ""


def _error_cells(content: bytes) -> dict[tuple[int, int], str]:
    found: dict[tuple[int, int], str] = {}
    if b't="e"' not in content:
        return found
    for cell in _ERROR_CELL.finditer(content):
        place, value = _PLACE.search(cell[1]), _VALUE.search(cell[2])
        if place and value:
            found[int(place[2]) - 1, _column_number(place[1]) - 1] = value[1].decode("utf-8", errors="replace")
    return found


def _count_unvalued(content: bytes) -> int:
    return len(_NO_VALUE.findall(content)) if b"</f>" in content or b":f>" in content else 0


def _rectangle(content: bytes) -> int:
    """Rows times columns up to the last cell: rows from the last row element, columns from the dimension."""
    declared = _DIMENSION.search(content[:5000])
    rows = [int(number) for number in _ROW.findall(content[-_TAIL:])]
    columns = _column_number(declared[1]) if declared else 1
    return max(rows, default=int(declared[2]) if declared else 0) * columns


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
