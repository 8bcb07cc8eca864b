"""Tables as Excel files with raw numbers, and figures as picture files."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sipas_research import files, wording
from sipas_research.report.cells import SUPPRESSED, Absent, Cell, Suppressed
from sipas_research.report.display import Column, Figure, Table

if TYPE_CHECKING:
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

#: What Excel shows; the cell keeps the unrounded number. Excel writes comma or point as the reader's system does.
_NUMBER_FORMATS = {
    "integer": "#,##0",
    "year": "0",
    "number1": "#,##0.0",
    "number2": "#,##0.00",
    "number3": "#,##0.000",
    "percent": "0.00%",
    "percent1": "0.0%",
    "p": '[<0.001]"<"0.001;0.000',
    "interval": "#,##0.00",
    "interval_percent": "0.00%",
}
_INTERVALS = {"interval", "interval_percent"}
_CREATED = datetime.datetime(1980, 1, 1, tzinfo=datetime.UTC)
_WIDEST = 60


def write_table_xlsx(table: Table, path: Path) -> Path:
    """Write one table as an Excel file of raw numbers; same table, same bytes.

    The first row is the mark where the data are simulated, then title, header and rows; each interval takes two
    columns; the last column, ``data_kind``, says in each row where the numbers come from. The notes stand below.

    Returns
    -------
    Path
        Where the file landed: another name than asked for where Excel held the old file open.
    """
    return files.write_file(path, lambda target: _write(table, target))


def write_figure(figure: Figure, folder: Path) -> tuple[Path, Path]:
    """Write a figure as ``<id>.png`` and ``<id>.svg``; the mark is part of the drawing."""
    png = files.write_file(folder / f"{figure.id}.png", lambda target: target.write_bytes(figure.png))
    return png, files.write_text(folder / f"{figure.id}.svg", figure.svg)


def _write(table: Table, target: Path) -> None:
    import xlsxwriter

    workbook = xlsxwriter.Workbook(str(target), {"strings_to_formulas": False, "strings_to_urls": False})
    workbook.set_properties({"title": table.caption, "created": _CREATED})
    sheet = workbook.add_worksheet(table.id[:31])
    header = _header(table)
    row = _write_top(table, workbook, sheet)
    style = {
        "bold": True,
        "border": 1,
        "bg_color": "#EEF2F7",
        "text_wrap": True,
        "align": "center",
        "valign": "vcenter",
    }
    for index, label in enumerate(header):
        sheet.write_string(row, index, label, workbook.add_format(style))
    sheet.freeze_panes(row + 1, 1)
    _write_rows(table, workbook, sheet, row + 1)
    wrapped = workbook.add_format({"italic": True})
    if table.note_line:
        sheet.write_string(row + len(table.rows) + 2, 0, table.note_line, wrapped)
    _set_widths(table, sheet, header)
    workbook.close()


def _write_top(table: Table, workbook: Workbook, sheet: Worksheet) -> int:
    """Write mark and title; return the row of the header."""
    row = 0
    if table.data_kind.is_simulated:
        red = workbook.add_format({"bold": True, "font_color": "#7F1D1D"})
        sheet.write_string(row, 0, wording.text("report.sheet.mark", table.language), red)
        row += 1
    sheet.write_string(row, 0, table.title, workbook.add_format({"bold": True, "font_size": 12}))
    return row + 2


def _header(table: Table) -> list[str]:
    low, high = (wording.text(f"report.sheet.{end}", table.language) for end in ("low", "high"))
    labels: list[str] = []
    for column in table.columns:
        labels += [f"{column.label}: {low}", f"{column.label}: {high}"] if _is_interval(column) else [column.label]
    return [*labels, wording.text("report.sheet.data_kind", table.language)]


def _is_interval(column: Column) -> bool:
    return column.format in _INTERVALS


def _write_rows(table: Table, workbook: Workbook, sheet: Worksheet, first: int) -> None:
    styles: dict[tuple[str, str, bool], Any] = {}
    printed = table.printed()

    def style(column: Column, bold: bool) -> Any:
        key = (column.format, column.alignment, bold)
        if key not in styles:
            look = {"border": 1, "bold": bold, "align": column.alignment, "valign": "vcenter"}
            look["num_format"] = _NUMBER_FORMATS.get(column.format, "General")
            styles[key] = workbook.add_format({**look, "text_wrap": column.format == "text"})
        return styles[key]

    for index, row in enumerate(table.rows):
        place, bold = 0, index in table.total_rows
        for column, cell, shown in zip(table.columns, row, printed[index], strict=True):
            for value in _values(column, cell, shown):
                sheet.write(first + index, place, value, style(column, bold))
                place += 1
        sheet.write_string(first + index, place, table.data_kind.value, style(Column("data_kind", ""), False))


def _values(column: Column, cell: Cell, shown: str) -> list[str | float]:
    """Return what goes into the sheet: raw numbers, or the printed sign where there is no number."""
    if isinstance(cell, tuple):
        return [wording.MISSING if end is None else end for end in cell]
    if isinstance(cell, Suppressed):
        value: str | float = SUPPRESSED
    elif cell is None or isinstance(cell, Absent):
        value = shown
    else:
        value = cell
    return [value, value] if _is_interval(column) else [value]


def _set_widths(table: Table, sheet: Worksheet, header: list[str]) -> None:
    printed = table.printed()
    place = 0
    for index, column in enumerate(table.columns):
        longest = max((len(row[index]) for row in printed), default=1)
        if _is_interval(column):
            sheet.set_column(place, place + 1, 14)
            place += 2
            continue
        sheet.set_column(place, place, min(_WIDEST, max(longest + 2, len(header[place]) // 2 + 3, 9)))
        place += 1
    sheet.set_column(place, place, 12)
