"""Excel files that people edit: read fast, written so that they are pleasant to fill in.

A sheet is a table with one header row. The header shows the Vietnamese title; when it is read back, the
Vietnamese title, the English title and the short key all count, whatever their case, spaces or diacritics.
Every cell is text, so that Excel never turns a code into a date.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sipas_research import wording
from sipas_research.errors import InputError, Problem
from sipas_research.files import write_file
from sipas_research.wording import Bilingual

#: Hidden sheet that holds the long lists behind drop-downs.
LISTS_SHEET = "_danh_muc"
_LONGEST_INLINE_LIST = 250
_LONGEST_NOTE = 250
_FIXED_TIME = "2000-01-01T00:00:00Z"
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_DROPDOWN_ROWS = 2000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # XML cannot hold them


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One filled row: its number as Excel shows it, and its cells as NFC text without outer spaces."""

    number: int
    cells: Mapping[str, str]

    def get(self, name: str) -> str:
        """Return a cell, "" where it is empty or the column is absent."""
        return self.cells.get(name, "")


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """One column: ``key`` in code, ``title`` in the header, ``choices`` as a drop-down, ``note`` as a tip."""

    key: str
    title: Bilingual
    width: float = 20
    choices: tuple[str, ...] = ()
    note: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class SheetSpec:
    """One sheet to write: rows map column keys to values; missing keys are empty cells."""

    name: str
    columns: tuple[ColumnSpec, ...]
    rows: tuple[Mapping[str, object], ...] = ()


def phrase(key: str) -> Bilingual:
    """Return a catalogue entry in both languages, e.g. as a column's title."""
    return Bilingual(*(wording.text(key, language) for language in wording.LANGUAGES))


def fold(name: str) -> str:
    """Return a name without case, diacritics, spaces and punctuation: "Mã câu hỏi" and "ma_cau_hoi" agree."""
    plain = unicodedata.normalize("NFKD", name.casefold().replace("đ", "d"))
    return "".join(c for c in plain if c.isalnum())


def cell_text(value: object) -> str:
    """Return a cell's value as text: NFC, no outer spaces, whole numbers without ".0", dates as yyyy-mm-dd."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    plain = unicodedata.normalize("NFC", str(value)).replace("\r\n", "\n").replace("\u00a0", " ")
    plain = _CONTROL.sub("", plain)
    return plain.strip(" \t\n\r\ufeff\u200b")


def sheet_names(path: Path, *, error: type[InputError] = InputError) -> tuple[str, ...]:
    """Return the visible sheets of a workbook in order.

    Raises
    ------
    InputError
        If the file is missing, held open or not an Excel workbook; the class is ``error``.
    """
    return tuple(n for n in _open(path, error).sheet_names if n != LISTS_SHEET)


def read_rows(
    path: Path, sheet: str, *, header_row: int = 1, error: type[InputError] = InputError
) -> tuple[list[SheetRow], list[str]]:
    """Read one sheet as rows of text.

    Parameters
    ----------
    path : Path
        Workbook (.xlsx; .xls and .ods work too).
    sheet : str
        Name of the sheet; case, spaces and diacritics do not matter.
    header_row : int
        Row number of the header; rows above it are left alone.
    error : type
        Class of the error to raise.

    Returns
    -------
    rows : list of SheetRow
        Rows with at least one filled cell under a header; cells are keyed by the header's text.
        Remarks beside the table, in columns without a header, are left alone.
    headers : list of str
        Header texts from left to right, "" where a header cell is empty.

    Raises
    ------
    InputError
        If the file is not a workbook, or has no such sheet (the message names the sheets it has).
    """
    grid = _grid(path, sheet, error)
    headers = [cell_text(v) for v in grid[header_row - 1]] if len(grid) >= header_row else []
    rows = []
    for number, values in enumerate(grid[header_row:], start=header_row + 1):
        cells = {h: t for h, v in zip(headers, values, strict=False) if h and (t := cell_text(v))}
        if cells:
            rows.append(SheetRow(number, cells))
    return rows, headers


def read_sheet(
    path: Path,
    sheet: str,
    columns: Sequence[ColumnSpec],
    *,
    header_row: int = 1,
    error: type[InputError] = InputError,
) -> tuple[list[SheetRow], list[Problem]]:
    """Read one sheet with known columns; cells are keyed by ``ColumnSpec.key``.

    Returns
    -------
    rows : list of SheetRow
    problems : list of Problem
        Unknown, repeated and missing headers, each with file, sheet, row and what is allowed.

    Raises
    ------
    InputError
        As :func:`read_rows`.
    """
    rows, headers = read_rows(path, sheet, header_row=header_row, error=error)
    place: dict[str, Any] = {"file": path.name, "sheet": sheet, "row": header_row}
    keys, problems = match_headers(headers, columns, place)
    keyed = [SheetRow(r.number, {keys[h]: t for h, t in r.cells.items() if h in keys}) for r in rows]
    return [r for r in keyed if r.cells], problems


def match_headers(
    headers: Iterable[str], columns: Sequence[ColumnSpec], place: Mapping[str, Any]
) -> tuple[dict[str, str], list[Problem]]:
    """Match header texts to column keys; ``place`` is what each Problem says about file, sheet and row."""
    known = {fold(name): c for c in columns for name in (c.key, c.title.en, c.title.vi) if name}
    keys: dict[str, str] = {}
    problems: list[Problem] = []
    seen: set[str] = set()
    for header in headers:
        column = known.get(fold(header))
        if not header:
            continue
        if column is None:
            allowed = ", ".join(c.title.vi for c in columns)
            problems.append(Problem.of("workbook.unknown_header", column=header, allowed=allowed, **place))
        elif column.key in seen:
            problems.append(Problem.of("workbook.repeated_header", column=header, **place))
        else:
            keys[header] = column.key
            seen.add(column.key)
    problems += [
        Problem.of("workbook.missing_header", column=c.title.vi, **place)
        for c in columns
        if c.required and c.key not in seen
    ]
    return keys, problems


def write_workbook(path: Path, sheets: Sequence[SheetSpec]) -> Path:
    """Write a workbook for people: bold frozen header, wrapped text, widths, drop-downs, cells as text.

    The same input gives the same bytes.

    Returns
    -------
    Path
        Where the file landed (see :func:`sipas_research.files.write_file`).
    """
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    lists: list[tuple[str, ...]] = []
    for spec in sheets:
        _fill(book.create_sheet(spec.name), spec, lists)
    if lists:
        hidden = book.create_sheet(LISTS_SHEET)
        hidden.sheet_state = "hidden"
        for number, choices in enumerate(lists, start=1):
            for row, choice in enumerate(choices, start=1):
                hidden.cell(row, number, choice).number_format = "@"

    def write(target: Path) -> None:
        book.save(target)
        _fix_times(target)

    return write_file(path, write)


def _open(path: Path, error: type[InputError]) -> Any:
    from python_calamine import CalamineError, CalamineWorkbook

    if not path.is_file():
        raise error("workbook.not_found", file=path.name)
    try:
        return CalamineWorkbook.from_path(str(path))
    except PermissionError as reason:
        raise error("workbook.held_open", file=path.name) from reason
    except (CalamineError, OSError, ValueError) as reason:
        raise error("workbook.not_a_workbook", file=path.name) from reason


def _grid(path: Path, sheet: str, error: type[InputError]) -> list[list[Any]]:
    from python_calamine import CalamineError

    book = _open(path, error)
    names = [n for n in book.sheet_names if n != LISTS_SHEET]
    found = next((n for n in names if fold(n) == fold(sheet)), None)
    if found is None:
        raise error("workbook.no_sheet", file=path.name, sheet=sheet, sheets=", ".join(f"'{n}'" for n in names))
    try:
        return book.get_sheet_by_name(found).to_python(skip_empty_area=False)
    except (CalamineError, ValueError) as reason:
        raise error("workbook.not_a_workbook", file=path.name) from reason


def _fill(worksheet: Any, spec: SheetSpec, lists: list[tuple[str, ...]]) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    body = Alignment(wrap_text=True, vertical="top")
    for number, column in enumerate(spec.columns, start=1):
        head = worksheet.cell(1, number, column.title.vi)
        head.font, head.alignment = Font(bold=True), Alignment(wrap_text=True, vertical="center")
        head.fill = PatternFill("solid", fgColor="DCE6F1")
        head.number_format = "@"
        letter = get_column_letter(number)
        dimension = worksheet.column_dimensions[letter]
        dimension.width, dimension.number_format, dimension.alignment = column.width, "@", body
        _assist(worksheet, column, letter, lists)
        for row, values in enumerate(spec.rows, start=2):
            cell = worksheet.cell(row, number, cell_text(values.get(column.key)) or None)
            cell.number_format, cell.alignment = "@", body
            # Text that begins with "=" stays text: a question is never a formula.
            if cell.data_type == "f":
                cell.data_type = "s"
    worksheet.freeze_panes = "B2"


def _assist(worksheet: Any, column: ColumnSpec, letter: str, lists: list[tuple[str, ...]]) -> None:
    """Add the drop-down and the tip that appears when a cell is selected; neither refuses what is typed."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    if not column.choices and not column.note:
        return
    rule = DataValidation(allow_blank=True, showErrorMessage=False)
    if column.choices:
        rule.type = "list"
        inline = ",".join(column.choices)
        if len(inline) <= _LONGEST_INLINE_LIST and not any(c in choice for choice in column.choices for c in ',"'):
            rule.formula1 = f'"{inline}"'
        else:
            if column.choices not in lists:
                lists.append(column.choices)
            place = get_column_letter(lists.index(column.choices) + 1)
            rule.formula1 = f"{LISTS_SHEET}!${place}$1:${place}${len(column.choices)}"
    if column.note:
        rule.showInputMessage = True
        rule.promptTitle, rule.prompt = column.title.vi[:32], column.note[:_LONGEST_NOTE]
    rule.add(f"{letter}2:{letter}{_DROPDOWN_ROWS}")
    worksheet.add_data_validation(rule)


def _fix_times(path: Path) -> None:
    """Write the archive again with fixed times, so that the clock leaves no trace in the bytes."""
    with zipfile.ZipFile(path) as archive:
        parts = [(name, archive.read(name)) for name in archive.namelist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts:
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, _without_clock(content) if name == "docProps/core.xml" else content)


def _without_clock(content: bytes) -> bytes:
    stamp = rf"\g<1>{_FIXED_TIME}\g<2>".encode()
    return re.sub(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(</dcterms)", stamp, content)
