"""Excel workbooks: .xlsx, .xlsm and the old .xls, read by calamine."""

from __future__ import annotations

import datetime
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sipas_research.errors import DataFileError
from sipas_research.survey.cell_types import date_order, order_is_open, to_date
from sipas_research.survey.encodings import refuse_legacy
from sipas_research.survey.excel_parts import SheetPart, inspect_sheet, is_workbook
from sipas_research.survey.raw_table import Note, RawTable
from sipas_research.survey.sheet_rows import Block, Row, clean, is_empty, note, shortened, to_block

_OLD_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MOST_CELLS = 30_000_000
_TEXT_BYTES = frozenset(range(32, 256)) | {9, 10, 13}


@dataclass(frozen=True, slots=True)
class _Sheet:
    name: str
    rows: list[list[Any]]
    top: int
    part: SheetPart
    names: tuple[str, ...]


def read_excel(data: bytes, file: str, *, sheet: str = "") -> RawTable:
    """Read one sheet of a workbook: the named one, or the first one that holds data.

    Raises
    ------
    DataFileError
        If the bytes are no workbook, are locked with a password, or the sheet has no table.
    """
    _refuse_other_kinds(data, file)
    found = _load(data, file, sheet)
    rows = _with_errors(found)
    if not rows:
        raise DataFileError("reading.empty", file=file)
    block = to_block(rows, file, top=found.top)
    if len(block.names) == 1 and any(sign in block.names[0] for sign in ";\t|,"):
        raise DataFileError("reading.one_column", file=file)
    refuse_legacy(list(block.names), file)
    notes = [note("sheet", sheet=found.name) if len(found.names) == 1 else _sheet_note(found)]
    if found.part.no_value:
        notes.append(note("no_value", n=found.part.no_value))
    if not found.part.scanned:
        notes.append(note("not_scanned"))
    frame, typing_notes = _typed(block, file)
    return RawTable(
        file,
        frame,
        first_row=block.first_row,
        skipped=block.skipped,
        notes=(*notes, *block.notes, *typing_notes),
        sheet=found.name,
    )


def _sheet_note(found: _Sheet) -> Note:
    others = [name for name in found.names if name != found.name]
    return note("sheet_of", sheet=found.name, others=shortened(others))


def _refuse_other_kinds(data: bytes, file: str) -> None:
    """Say what the file is where it only carries an Excel name."""
    head = data[:2000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if data.startswith(b"PK"):
        if not is_workbook(data):
            raise DataFileError("reading.excel.other_zip", file=file)
    elif data.startswith(_OLD_MAGIC):
        if _ENCRYPTED in data:
            raise DataFileError("reading.excel.password", file=file)
    elif head.startswith(b"<"):
        raise DataFileError("reading.excel.web_page", file=file)
    elif head and sum(byte in _TEXT_BYTES for byte in head) >= 0.99 * len(head):
        raise DataFileError("reading.excel.plain_text", file=file)
    elif not data.startswith(b"\x09"):
        raise DataFileError("reading.excel.not_excel", file=file)


def _load(data: bytes, file: str, wanted: str) -> _Sheet:
    from python_calamine import CalamineWorkbook, PasswordError

    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            return _pick(book, data, file, wanted)
    except DataFileError:
        raise
    except PasswordError as error:
        raise DataFileError("reading.excel.password", file=file) from error
    except Exception as error:
        raise DataFileError("reading.excel.damaged", file=file) from error
    except BaseException as error:
        # A panic of the Rust reader on a damaged file is no Exception; Ctrl+C must pass.
        if type(error).__name__ == "PanicException":
            raise DataFileError("reading.excel.damaged", file=file) from error
        raise


def _pick(book: Any, data: bytes, file: str, wanted: str) -> _Sheet:
    names = tuple(book.sheet_names)
    visible = [str(meta.visible).endswith("Visible") for meta in book.sheets_metadata]
    if wanted and wanted not in names:
        raise DataFileError("reading.excel.no_sheet", file=file, sheet=wanted, names=", ".join(names))
    order = [names.index(wanted)] if wanted else sorted(range(len(names)), key=lambda i: not visible[i])
    for position in order:
        part = inspect_sheet(data, position)
        if part.cells > _MOST_CELLS:
            raise DataFileError("reading.excel.too_large", file=file, sheet=names[position], n=part.cells)
        sheet = book.get_sheet_by_index(position)
        rows = sheet.to_python(skip_empty_area=True)
        if any(not is_empty(cell) for row in rows for cell in row):
            top, left = sheet.start or (0, 0)
            return _Sheet(names[position], rows, top + 1, _moved(part, top, left), names)
    raise DataFileError("reading.empty", file=file)


def _moved(part: SheetPart, top: int, left: int) -> SheetPart:
    errors = {(row - top, column - left): value for (row, column), value in part.errors.items()}
    return SheetPart(errors, part.no_value, part.cells, scanned=part.scanned)


def _with_errors(found: _Sheet) -> list[Row]:
    """Put Excel's error texts back: the reader leaves such cells empty, and they must be pointed at."""
    rows: list[Row] = list(found.rows)
    for (row, column), value in found.part.errors.items():
        if 0 <= row < len(rows) and 0 <= column < len(rows[row]) and is_empty(rows[row][column]):
            changed = list(rows[row])
            changed[column] = value
            rows[row] = changed
    return rows


def _plain(cell: object) -> object:
    """Return a cell as float, text, Timestamp or None."""
    if isinstance(cell, str):
        return clean(cell)
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int | float):
        return float(cell)
    if isinstance(cell, datetime.date):
        return pd.Timestamp(cell).as_unit("us")
    if isinstance(cell, datetime.timedelta):
        minutes, seconds = divmod(int(cell.total_seconds() + 0.5), 60)
        return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"
    return None if cell is None else clean(str(cell))


def _typed(block: Block, file: str) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    series: dict[str, pd.Series] = {}
    dated: dict[str, list[str]] = {"day_first": [], "month_first": [], "year_first": []}
    still_open, mixed = [], []
    for name, cells in zip(block.names, block.columns, strict=True):
        column, texts = _column(cells)
        order = date_order(texts) if texts and column.dtype == object else "text"
        if order != "text" and all(isinstance(cell, str) for cell in column.dropna()):
            column = pd.Series(
                np.array([to_date(c, order) if c else None for c in column.to_numpy()], dtype="datetime64[us]")
            )
            dated[order].append(name)
            still_open += [name] if order == "day_first" and order_is_open(texts) else []
        elif order != "text":
            mixed.append(name)
        elif texts:
            refuse_legacy(list(texts), file, place=name)
        series[name] = column
    notes = [note(f"dates_{order}", names=shortened(names)) for order, names in dated.items() if names]
    notes += [note("dates_open", names=shortened(still_open))] if still_open else []
    notes += [note("dates_mixed", names=shortened(mixed))] if mixed else []
    return pd.DataFrame(series), tuple(notes)


def _column(cells: Sequence[object]) -> tuple[pd.Series, set[str]]:
    """Return one column and its distinct texts; the kinds of its cells decide its dtype."""
    kinds = set(map(type, cells))
    if kinds == {float}:
        return pd.Series(np.array(cells, dtype=float)), set()
    # The type belongs to the key: True == 1.0 for a dict.
    plain = {key: _plain(key[1]) for key in set(zip(map(type, cells), cells, strict=True))}
    values = [plain[key] for key in zip(map(type, cells), cells, strict=True)]
    texts = {value for value in plain.values() if isinstance(value, str)}
    found = {type(value) for value in plain.values() if value is not None}
    if found <= {float}:
        return pd.Series(np.array([np.nan if v is None else v for v in values], dtype=float)), texts
    if found == {pd.Timestamp}:
        return pd.Series(np.array(values, dtype="datetime64[us]")), texts
    return pd.Series(values, dtype=object), texts
