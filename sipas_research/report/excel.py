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
    "interval3": "#,##0.000",
    "interval_percent": "0.00%",
    "mean_sd": "#,##0.00",
}
#: Formats whose cells are two numbers, with the names of the two.
_ENDS = {
    "interval": ("low", "high"),
    "interval3": ("low", "high"),
    "interval_percent": ("low", "high"),
    "mean_sd": ("mean", "sd"),
}
_CREATED = datetime.datetime(1980, 1, 1, tzinfo=datetime.UTC)
_WIDEST = 60
_LINE = 16  # height of a line in points


def write_table_xlsx(table: Table, path: Path, *, state: str = "") -> Path:
    """Write one table as an Excel file of raw numbers; same table, same bytes.

    The first row is the mark where the data are simulated, then title, header and rows; each interval takes two
    columns; the last column, ``data_kind``, says in each row where the numbers come from. The notes stand below, and
    last ``state``: how far the results have gone on their way to publication.

    Returns
    -------
    Path
        Where the file landed: another name than asked for where Excel held the old file open.
    """
    return files.write_file(path, lambda target: _write(table, target, state))


def write_figure(figure: Figure, folder: Path) -> tuple[Path, Path]:
    """Write a figure as ``<id>.png`` and ``<id>.svg``; the mark is part of the drawing."""
    png = files.write_file(folder / f"{figure.id}.png", lambda target: target.write_bytes(figure.png))
    return png, files.write_text(folder / f"{figure.id}.svg", figure.svg)


def _write(table: Table, target: Path, state: str) -> None:
    import xlsxwriter

    workbook = xlsxwriter.Workbook(str(target), {"strings_to_formulas": False, "strings_to_urls": False})
    workbook.set_properties({"title": table.caption, "created": _CREATED})
    sheet = workbook.add_worksheet(table.id[:31])
    header = _header(table)
    widths = _widths(table, header)
    row = _write_top(table, workbook, sheet, widths)
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
    sheet.set_row(row, _LINE * max(_lines(label, width) for label, width in zip(header, widths, strict=True)))
    sheet.freeze_panes(row + 1, 1)
    _write_rows(table, workbook, sheet, row + 1, widths)
    look = workbook.add_format({"italic": True, "text_wrap": True, "valign": "top"})
    for place, line in enumerate(line for line in (table.note_line, state) if line):
        _write_across(sheet, row + len(table.rows) + 2 + place, line, look, widths)
    for place, width in enumerate(widths):
        sheet.set_column(place, place, width)
    _set_page(sheet, row)
    workbook.close()


def _set_page(sheet: Worksheet, header: int) -> None:
    """Print on A4, all columns on a page, the header on every page."""
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(header)


def _write_across(sheet: Worksheet, row: int, words: str, look: Any, widths: list[int]) -> None:
    """Write a sentence over the width of the table, its row as high as it needs."""
    sheet.merge_range(row, 0, row, len(widths) - 1, words, look)
    sheet.set_row(row, _LINE * _lines(words, sum(widths) - 4))


def _lines(words: str, width: int) -> int:
    if len(words) < width:
        return 1
    return -(-len(words) * 11 // (width * 10))  # words break before the end of a line


def _write_top(table: Table, workbook: Workbook, sheet: Worksheet, widths: list[int]) -> int:
    """Write mark and title; return the row of the header."""
    row = 0
    if table.data_kind.is_simulated:
        red = workbook.add_format({"bold": True, "font_color": "#7F1D1D", "text_wrap": True})
        _write_across(sheet, row, wording.text("report.sheet.mark", table.language), red, widths)
        row += 1
    look = workbook.add_format({"bold": True, "font_size": 12, "text_wrap": True})
    _write_across(sheet, row, table.title, look, widths)
    return row + 2


def _header(table: Table) -> list[str]:
    labels: list[str] = []
    for column in table.columns:
        ends = [wording.text(f"report.sheet.{end}", table.language) for end in _ENDS.get(column.format, ())]
        labels += [f"{column.label}: {end}" for end in ends] or [column.label]
    return [*labels, wording.text("report.sheet.data_kind", table.language)]


def _is_interval(column: Column) -> bool:
    return column.format in _ENDS


def _write_rows(table: Table, workbook: Workbook, sheet: Worksheet, first: int, widths: list[int]) -> None:
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
        place, bold, lines = 0, index in table.total_rows, 1
        for column, cell, shown in zip(table.columns, row, printed[index], strict=True):
            for value in _values(column, cell, shown):
                sheet.write(first + index, place, value, style(column, bold))
                lines = max(lines, _lines(value, widths[place])) if isinstance(value, str) else lines
                place += 1
        sheet.set_row(first + index, _LINE * lines)
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


def _widths(table: Table, header: list[str]) -> list[int]:
    """Return the width of each column of the sheet in letters; an interval takes two columns."""
    printed = table.printed()
    widths: list[int] = []
    for index, column in enumerate(table.columns):
        if _is_interval(column):
            widths += [14, 14]
            continue
        longest = max((len(row[index]) for row in printed), default=1)
        widths.append(min(_WIDEST, max(longest + 2, len(header[len(widths)]) // 2 + 3, 9)))
    return [*widths, 12]
