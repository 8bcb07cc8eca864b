"""A table as HTML and as plain text."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from sipas_research.report.display import Column, Table


def table_html(table: Table, *, widths: Sequence[float] = (), classes: str = "sipas") -> str:
    """Return a semantic HTML table: caption, colgroup, thead, tbody, alignment on every cell.

    Parameters
    ----------
    table : Table
    widths : sequence of float
        Shares of the text width, one a column; none leaves widths to the reader's program.
    classes : str
        Classes of the table element.
    """
    shares = [f' style="width:{share:.2%}"' for share in widths] or [""] * len(table.columns)
    head = "".join(_cell("th", column.label, column, ' scope="col"') for column in table.columns)
    lines = [
        f'<table id="{table.id}" class="{classes}">',
        f"<caption>{escape(table.caption)}</caption>",
        "<colgroup>" + "".join(f"<col{share}>" for share in shares) + "</colgroup>",
        f"<thead><tr>{head}</tr></thead>",
        "<tbody>",
        *(_row(row, table.columns, index in table.total_rows) for index, row in enumerate(table.printed())),
        "</tbody>",
        "</table>",
    ]
    return "\n".join(lines)


def _row(row: Sequence[str], columns: Sequence[Column], bold: bool) -> str:
    shown = [_cell("td", text, column, "", bold=bold) for text, column in zip(row, columns, strict=True)]
    return "<tr>" + "".join(shown) + "</tr>"


def _cell(tag: str, text: str, column: Column, attributes: str, *, bold: bool = False) -> str:
    inner = f"<strong>{escape(text)}</strong>" if bold and text else escape(text)
    return f'<{tag}{attributes} style="text-align:{column.alignment}">{inner}</{tag}>'


def table_text(table: Table) -> str:
    """Return the table as aligned plain text, for a console."""
    rows = [tuple(column.label for column in table.columns), *table.printed()]
    sizes = [max(len(row[i]) for row in rows) for i in range(len(table.columns))]
    lines = [
        "  ".join(
            text.rjust(size) if column.alignment == "right" else text.ljust(size)
            for text, size, column in zip(row, sizes, table.columns, strict=True)
        ).rstrip()
        for row in rows
    ]
    return "\n".join(part for part in (table.caption, *lines, table.note_line) if part)
