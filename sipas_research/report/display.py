"""What a notebook shows and a document prints: tables, figures and findings.

Each object draws itself in JupyterLab and carries its whole content, unrounded, in a private mime type of the
executed notebook (:data:`MIME`). The documents read only that, so a notebook may show more than the report.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sipas_research import wording
from sipas_research.report import cells
from sipas_research.report.cells import Absent, Cell, Format, Suppressed
from sipas_research.results import DataKind

#: Private mime type of an executed notebook's outputs; JupyterLab ignores it.
MIME = "application/vnd.sipas+json"

Align = Literal["left", "right", "center"]
Role = Literal["main", "finding", "limit", "reason"]
ROLES: tuple[Role, ...] = ("main", "finding", "limit", "reason")


def _clean_words(shown: Any, *names: str) -> None:
    """Take out of a frozen object's texts what no one sees; called while it is made."""
    for name in names:
        value = getattr(shown, name)
        clean = tuple(cells.harmless(v) for v in value) if isinstance(value, tuple) else cells.harmless(value)
        object.__setattr__(shown, name, clean)


def _check_identifier(identifier: str, prefix: str) -> None:
    if not re.fullmatch(prefix + r"-[a-z0-9]+(-[a-z0-9]+)*", identifier):
        raise ValueError(f"{identifier!r} is not an identifier like {prefix}-alpha (small letters, digits, hyphens)")


def mark(data_kind: DataKind, language: str) -> str:
    """Return the mark that simulated data carry everywhere, "" for other kinds."""
    return wording.text("common.mark.simulated", language) if data_kind.is_simulated else ""


def _marked(title: str, data_kind: DataKind, language: str) -> str:
    words = mark(data_kind, language)
    return f"{title} ({words})" if words else title


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    id : str
        Name of the column in files and JSON, small letters.
    label : str
        What stands in the header, in the table's language.
    format : str
        "text", "integer", "year" (no thousands separator), "number1" to "number3", "percent" and "percent1"
        (cell is a share on the 0-1 scale), "p", "interval" and "interval3" (cell is ``(low, high)``),
        "interval_percent" (shares), "mean_sd" (cell is ``(mean, sd)``, printed "3,85 (0,71)").
    align : "left", "right", "center" or None
        None: text to the left, everything else to the right.
    width : float or None
        Share of the page's text width, 0-1; None lets the content decide.
    """

    id: str
    label: str
    format: Format = "text"
    align: Align | None = None
    width: float | None = None

    def __post_init__(self) -> None:
        if self.format not in cells.FORMATS:
            raise ValueError(f"column {self.id!r}: format {self.format!r}; known: {', '.join(cells.FORMATS)}")
        _clean_words(self, "label")

    @property
    def alignment(self) -> Align:
        """Alignment in force."""
        return self.align or ("left" if self.format == "text" else "right")


@dataclass(frozen=True, slots=True)
class Table:
    """A table for people: number and mark are put by the document, digits by the columns' formats.

    Attributes
    ----------
    id : str
        Like "tbl-alpha"; ``@tbl-alpha`` in a Markdown cell becomes "Bảng 2".
    rows : tuple of tuple
        Cells: str, int, float, None, ``(low, high)``, :class:`Suppressed` or :class:`Absent`. Raw, unrounded.
        NumPy scalars are accepted; NaN becomes a missing cell.
    n : int or None
        Number of forms behind the table.
    weighting, source : str
        Short phrases for the line under the table.
    notes : tuple of str
        Whole sentences for the same line.
    total_rows : tuple of int
        Rows (from 0) printed in bold.

    Raises
    ------
    ValueError
        If the id is not like "tbl-alpha", or a row has not one cell a column.
    """

    id: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    language: str
    data_kind: DataKind
    n: int | None = None
    weighting: str = ""
    source: str = ""
    notes: tuple[str, ...] = ()
    total_rows: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _check_identifier(self.id, "tbl")
        rows = tuple(tuple(cells.clean(cell) for cell in row) for row in self.rows)
        for index, row in enumerate(rows):
            if len(row) != len(self.columns):
                raise ValueError(f"{self.id}: row {index} has {len(row)} cells for {len(self.columns)} columns")
        object.__setattr__(self, "rows", rows)
        object.__setattr__(self, "columns", tuple(self.columns))
        object.__setattr__(self, "notes", tuple(self.notes))
        _clean_words(self, "title", "weighting", "source", "notes")
        object.__setattr__(self, "data_kind", DataKind(self.data_kind))

    @property
    def caption(self) -> str:
        """Title with the mark of simulated data."""
        return _marked(self.title, self.data_kind, self.language)

    def printed(self) -> tuple[tuple[str, ...], ...]:
        """Return every cell as it is printed; several reasons for absence are told apart by letters."""
        reasons = self._reasons()
        return tuple(
            tuple(self._print(cell, column.format, reasons) for cell, column in zip(row, self.columns, strict=True))
            for row in self.rows
        )

    def _print(self, cell: Cell, style: Format, reasons: tuple[str, ...]) -> str:
        plain = cells.printed(cell, style, self.language)
        if isinstance(cell, Absent) and len(reasons) > 1:
            return f"{plain} ({_letter(reasons.index(cell.reason))})"
        return plain

    def _reasons(self) -> tuple[str, ...]:
        found = (cell.reason for row in self.rows for cell in row if isinstance(cell, Absent))
        return tuple(dict.fromkeys(found))

    @property
    def note_line(self) -> str:
        """The line under the table: n, weighting, source, notes, then what "(*)" and "–" stand for."""
        minima = [cell.minimum for row in self.rows for cell in row if isinstance(cell, Suppressed)]
        reasons = self._reasons()
        extra = [wording.text("report.note.suppressed", self.language, minimum=max(minima))] if minima else []
        if len(reasons) == 1:
            extra.append(wording.text("report.note.absent", self.language, reason=reasons[0].rstrip(".")))
        elif reasons:
            extra += [
                wording.text("report.note.absent_letter", self.language, letter=_letter(i), reason=reason.rstrip("."))
                for i, reason in enumerate(reasons)
            ]
        return _note_line(self, tuple(extra))

    def payload(self) -> dict[str, Any]:
        """Return the whole table, unrounded, as JSON."""
        return {
            "kind": "table",
            **_common_payload(self),
            "columns": [
                {"id": c.id, "label": c.label, "format": c.format, "align": c.align, "width": c.width}
                for c in self.columns
            ],
            "rows": [[cells.to_json(cell) for cell in row] for row in self.rows],
            "total_rows": list(self.total_rows),
        }

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        from sipas_research.report.table_markup import table_html, table_text

        html = f'<div class="sipas-table">{table_html(self)}{_note_html(self.note_line)}</div>'
        return {"text/html": html, "text/plain": table_text(self), MIME: self.payload()}


@dataclass(frozen=True, slots=True)
class Figure:
    """A finished picture; make one with :func:`sipas_research.report.figure`.

    Attributes
    ----------
    png : bytes
        The picture at 200 dots an inch.
    svg : str
        The same as vector drawing.
    alt : str
        What a reader who cannot see the picture is told.
    width : str
        Width in documents, like "16cm" (the whole text width).
    """

    id: str
    title: str
    png: bytes = field(repr=False)
    svg: str = field(repr=False)
    alt: str
    language: str
    data_kind: DataKind
    n: int | None = None
    weighting: str = ""
    source: str = ""
    notes: tuple[str, ...] = ()
    width: str = "16cm"

    def __post_init__(self) -> None:
        _check_identifier(self.id, "fig")
        if not self.alt.strip():
            raise ValueError(f"{self.id}: a figure needs an alternative text")
        object.__setattr__(self, "notes", tuple(self.notes))
        _clean_words(self, "title", "alt", "weighting", "source", "notes")
        object.__setattr__(self, "data_kind", DataKind(self.data_kind))

    @property
    def caption(self) -> str:
        """Title with the mark of simulated data."""
        return _marked(self.title, self.data_kind, self.language)

    @property
    def note_line(self) -> str:
        """The line under the figure: n, weighting, source, notes."""
        return _note_line(self, ())

    def payload(self) -> dict[str, Any]:
        """Return everything but the picture as JSON."""
        return {"kind": "figure", **_common_payload(self), "alt": self.alt, "width": self.width}

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        lines = [self.caption, self.alt, self.note_line]
        return {
            "image/png": base64.b64encode(self.png).decode("ascii"),
            "image/svg+xml": self.svg,
            "text/plain": "\n".join(line for line in lines if line),
            MIME: self.payload(),
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence (or a few) made from the numbers.

    Attributes
    ----------
    text : str
        Plain text in one language, numbers already formatted; ``@tbl-alpha`` becomes "Bảng 2" in documents.
    role : "main", "finding", "limit" or "reason"
        "main": a key value for the council's first page; "finding": what the chapter ends with; "limit": what the
        data cannot say; "reason": a table or figure that could not be made, and why.
    """

    id: str
    text: str
    language: str
    data_kind: DataKind
    role: Role = "finding"

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ValueError(f"{self.id}: role {self.role!r}; known: {', '.join(ROLES)}")
        _clean_words(self, "text")
        object.__setattr__(self, "data_kind", DataKind(self.data_kind))

    def payload(self) -> dict[str, Any]:
        """Return the finding as JSON."""
        return {
            "kind": "finding",
            "id": self.id,
            "text": self.text,
            "language": self.language,
            "data_kind": self.data_kind.value,
            "role": self.role,
        }

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        label = wording.text(f"report.finding.{self.role}", self.language)
        words = mark(self.data_kind, self.language)
        shown = f"**{label}** {cells.unformatted(self.text)}" + (f" ({words})" if words else "")
        return {"text/markdown": shown, "text/plain": f"{label} {self.text}", MIME: self.payload()}


def _letter(index: int) -> str:
    return chr(ord("a") + index) if index < 26 else f"z{index - 25}"


def _note_line(shown: Table | Figure, extra: tuple[str, ...]) -> str:
    language = shown.language
    facts = []
    if shown.n is not None:
        facts.append(wording.text("report.note.n", language, n=shown.n))
    if shown.weighting:
        facts.append(wording.text("report.note.weighting", language, weighting=shown.weighting.rstrip(".")))
    if shown.source:
        facts.append(wording.text("report.note.source", language, source=shown.source.rstrip(".")))
    sentences = [*(["; ".join(facts)] if facts else []), *shown.notes, *extra]
    # "n" and "χ²" are symbols, not words
    begun = [s if s[:2] in {"n ", "χ²"} else s[:1].upper() + s[1:] for s in (s.strip() for s in sentences)]
    ended = [s if s.endswith((".", "!", "?")) else s + "." for s in begun if s]
    return " ".join(ended)


def _note_html(line: str) -> str:
    from html import escape

    return f'<p class="sipas-note">{escape(line)}</p>' if line else ""


def _common_payload(shown: Table | Figure) -> dict[str, Any]:
    return {
        "id": shown.id,
        "title": shown.title,
        "language": shown.language,
        "data_kind": shown.data_kind.value,
        "n": shown.n,
        "weighting": shown.weighting,
        "source": shown.source,
        "notes": list(shown.notes),
    }


_COMMON = ("id", "title", "language", "n", "weighting", "source")


def from_payload(payload: Mapping[str, Any], *, png: bytes = b"", svg: str = "") -> Table | Figure | Finding:
    """Rebuild what a notebook showed from its private mime type.

    Parameters
    ----------
    payload : mapping
        What ``payload()`` gave, back from JSON.
    png, svg : bytes, str
        The picture of a figure, from the other entries of the same output.

    Raises
    ------
    ValueError
        If the payload is of an unknown kind.
    """
    kind = DataKind(payload["data_kind"])
    if payload["kind"] == "finding":
        return Finding(payload["id"], payload["text"], payload["language"], kind, payload["role"])
    common: dict[str, Any] = {name: payload[name] for name in _COMMON}
    common.update(data_kind=kind, notes=tuple(payload["notes"]))
    if payload["kind"] == "figure":
        return Figure(png=png, svg=svg, alt=payload["alt"], width=payload["width"], **common)
    if payload["kind"] != "table":
        raise ValueError(f"unknown kind of output: {payload['kind']!r}")
    return Table(
        columns=tuple(Column(**column) for column in payload["columns"]),
        rows=tuple(tuple(cells.from_json(value) for value in row) for row in payload["rows"]),
        total_rows=tuple(payload["total_rows"]),
        **common,
    )
