"""Tables that people edit, in Excel or TOML: both kinds of file become rows of text that know their place.

A file is one head row (TOML: the keys at the top; Excel: a sheet with one row) and tables (TOML: ``[[table]]``;
Excel: a sheet each). Words of a vocabulary may be Vietnamese or English.
"""

from __future__ import annotations

import math
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sipas_research import wording
from sipas_research.errors import InputError, Problem
from sipas_research.survey.answers import as_number
from sipas_research.survey.register_rows import allowed_words, meaning, sheet_column, word
from sipas_research.survey.workbook import ColumnSpec, SheetSpec, cell_text, phrase, read_sheet, write_workbook
from sipas_research.wording import Bilingual

LONGEST_TEXT = 2000
_ID = re.compile(r"[a-z][a-z0-9_]*\Z")
_FORMULA = re.compile(r"[=@]|\+\D|-\D*[(!]")


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One table: ``name`` in TOML and in the catalogue, its columns; ``single`` where it has exactly one row."""

    topic: str
    name: str
    columns: tuple[ColumnSpec, ...]
    single: bool = False

    @property
    def sheet(self) -> str:
        """Name of the sheet in Excel."""
        return wording.text(f"{self.topic}.sheet.{self.name}", "vi")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its cells as text, and its place for messages."""

    table: TableSpec
    file: str
    number: int
    cells: Mapping[str, str]
    toml: bool = False

    def get(self, column: str) -> str:
        """Return a cell, "" where it is empty."""
        return self.cells.get(column, "")

    def both(self, stem: str = "") -> Bilingual:
        """Return the phrase of the columns ``<stem>vi`` and ``<stem>en``."""
        return Bilingual(self.get(f"{stem}vi"), self.get(f"{stem}en"))

    def problem(self, name: str, column: str, **fields: object) -> Problem:
        """Return the problem ``sheet_tables.problem.<name>`` of one cell."""
        titles = {c.key: c.title.vi for c in self.table.columns}
        shown = column if self.toml else titles.get(column, column)
        sheet = f"[[{self.table.name}]]" if self.toml and not self.table.single else self.table.sheet
        place = {"file": self.file, "sheet": sheet, "row": str(self.number), "column": shown}
        key = f"sheet_tables.place.{'toml' if self.toml else 'sheet'}"
        sentence = Bilingual(*(wording.text(key, language, **place) for language in wording.LANGUAGES))
        more: dict[str, Any] = {"place": sentence, "received": quoted(self.get(column)), **fields}
        return Problem.of(
            f"sheet_tables.problem.{name}",
            file=self.file,
            sheet=sheet,
            row=self.number,
            column=shown,
            value=self.get(column),
            **more,
        )


Rows = Mapping[str, tuple[Row, ...]]


def quoted(value: str) -> Bilingual:
    """Return a received value for a sentence, shortened; "an empty cell" where there is none."""
    if not value:
        return phrase("sheet_tables.place.empty")
    short = value if len(value) <= 60 else value[:60] + "…"
    return Bilingual(*(wording.text("sheet_tables.place.value", lang, value=short) for lang in wording.LANGUAGES))


def column(topic: str, key: str, width: float, words: Sequence[str] = (), *, required: bool = False) -> ColumnSpec:
    """Return a column with its title, its tip and, for a vocabulary, its drop-down."""
    return sheet_column(topic, key, width, tuple(word(topic, w) for w in words), required=required)


def read_tables(path: Path, tables: Sequence[TableSpec], error: type[InputError]) -> tuple[Rows, list[Problem]]:
    """Read every table of an .xlsx or .toml file.

    Raises
    ------
    InputError
        Of class ``error``: the file is missing, of another type, unreadable, or lacks a sheet.
    """
    if not path.is_file():
        raise error("sheet_tables.file.not_found", file=path.name)
    suffix = path.suffix.lower()
    if suffix not in {".toml", ".xlsx"}:
        raise error("sheet_tables.file.wrong_type", file=path.name)
    rows, problems = _read_toml(path, tables, error) if suffix == ".toml" else _read_workbook(path, tables, error)
    for table in tables:
        found = rows[table.name]
        problems += [p for row in found for p in text_problems(row)]
        if table.single and len(found) != 1:
            fields: dict[str, Any] = {"file": path.name, "sheet": table.sheet, "n": len(found)}
            problems.append(Problem.of("sheet_tables.problem.one_row", **fields))
    return rows, problems


def _read_workbook(
    path: Path, tables: Sequence[TableSpec], error: type[InputError]
) -> tuple[dict[str, tuple[Row, ...]], list[Problem]]:
    rows, problems = {}, []
    for table in tables:
        found, troubles = read_sheet(path, table.sheet, table.columns, error=error)
        rows[table.name] = tuple(Row(table, path.name, r.number, r.cells) for r in found)
        problems += troubles
    return rows, problems


def _read_toml(
    path: Path, tables: Sequence[TableSpec], error: type[InputError]
) -> tuple[dict[str, tuple[Row, ...]], list[Problem]]:
    try:
        source = path.read_text(encoding="utf-8-sig")
        document = tomllib.loads(source)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as reason:
        raise error("sheet_tables.file.bad_toml", file=path.name, reason=str(reason)) from reason
    rows: dict[str, tuple[Row, ...]] = {}
    problems: list[Problem] = []
    names = {t.name for t in tables if not t.single}
    lines = source.splitlines()
    for table in tables:
        if table.single:
            entries: Any = [{k: v for k, v in document.items() if k not in names}]
        else:
            entries = document.get(table.name, [])
        if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
            problems.append(Problem.of("sheet_tables.problem.not_a_table", file=path.name, sheet=table.name))
            entries = []
        starts = [n for n, line in enumerate(lines, 1) if line.strip().startswith(f"[[{table.name}]]")]
        numbers = starts if len(starts) == len(entries) else list(range(1, len(entries) + 1))
        found = [
            Row(table, path.name, number, {k: t for k, v in entry.items() if (t := _plain(v))}, True)
            for number, entry in zip(numbers, entries, strict=True)
        ]
        rows[table.name] = tuple(found)
        problems += [p for row in found for p in _unknown_keys(row)]
    return rows, problems


def _plain(value: object) -> str:
    """Return a TOML value as the text that the same cell in Excel would hold."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "; ".join(cell_text(part) for part in value)
    return cell_text(value)


def _unknown_keys(row: Row) -> list[Problem]:
    known = [c.key for c in row.table.columns]
    return [row.problem("unknown_key", key, allowed=", ".join(known)) for key in row.cells if key not in known]


def text_problems(row: Row) -> list[Problem]:
    """Refuse what no one types on purpose: formulas, marks that turn the reading direction, endless text."""
    found = []
    for key, value in row.cells.items():
        if _FORMULA.match(value):
            found.append(row.problem("formula", key))
        elif any(unicodedata.category(c) in {"Cf", "Cc"} and c not in "\n\t" for c in value):
            found.append(row.problem("hidden_character", key))
        elif len(value) > LONGEST_TEXT:
            found.append(row.problem("too_long", key, most=LONGEST_TEXT))
    return found


def unique_rows(rows: Iterable[Row], problems: list[Problem], column: str = "id") -> list[Row]:
    """Return the rows whose code is written properly and used once; note the others."""
    first: dict[str, int] = {}
    kept = []
    for row in rows:
        name = row.get(column)
        if not _ID.match(name):
            problems.append(row.problem("bad_id", column))
        elif name in first:
            problems.append(row.problem("duplicate_id", column, first=str(first[name])))
        else:
            first[name] = row.number
            kept.append(row)
    return kept


def require(row: Row, columns: Iterable[str], problems: list[Problem]) -> None:
    """Note every listed cell that is empty."""
    problems += [row.problem("required_empty", column) for column in columns if not row.get(column)]


def known_word(row: Row, column: str, words: Sequence[str], problems: list[Problem], default: str = "") -> str:
    """Return the value that a worded cell stands for; where it stands for none, note it and return the first."""
    typed = row.get(column)
    if not typed and default:
        return default
    found = meaning(row.table.topic, words, typed) if typed else None
    if found is None:
        problems.append(row.problem("unknown_word", column, allowed=allowed_words(row.table.topic, words)))
    return found or default or words[0]


def number(
    row: Row, column: str, problems: list[Problem], *, low: float = -math.inf, high: float = math.inf
) -> float | None:
    """Return a number in a range, None where the cell is empty or wrong (noted)."""
    typed = row.get(column)
    if not typed:
        return None
    value = as_number(typed)
    if value is None or not math.isfinite(value):
        problems.append(row.problem("bad_number", column))
        return None
    if not low <= value <= high:
        ends = {"low": cell_text(float(low)), "high": cell_text(float(high))}
        problems.append(row.problem("out_of_range", column, **ends))
        return None
    return value


def iso_date(row: Row, column: str, problems: list[Problem]) -> str:
    """Return a date as yyyy-mm-dd ("" where the cell is empty or wrong); dd/mm/yyyy is read too."""
    import datetime

    typed = row.get(column)
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.datetime.strptime(typed, form).date().isoformat()
        except ValueError:
            continue
    if typed:
        problems.append(row.problem("bad_date", column))
    return ""


def write_tables(path: Path, tables: Sequence[TableSpec], rows: Mapping[str, Sequence[Mapping[str, object]]]) -> Path:
    """Write every table as a sheet of one workbook that people edit; return where it landed."""
    sheets = [SheetSpec(t.sheet, t.columns, tuple(rows.get(t.name, ()))) for t in tables]
    return write_workbook(path, sheets)


def both_cells(value: Bilingual, stem: str = "") -> dict[str, object]:
    """Return a phrase as the cells of the columns ``<stem>vi`` and ``<stem>en``."""
    return {f"{stem}vi": value.vi, f"{stem}en": value.en}
