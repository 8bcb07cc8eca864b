"""The four tables of a questionnaire file, the same for Excel and TOML: forms, scales, answers, questions.

Both kinds of file become rows of text here; ``questionnaire_build`` turns rows into questionnaires.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from sipas_research import wording
from sipas_research.errors import Problem, QuestionnaireError
from sipas_research.survey.workbook import ColumnSpec, cell_text, fold, phrase, read_sheet
from sipas_research.wording import Bilingual

TableName = Literal["forms", "scales", "answers", "questions"]
TABLES: tuple[TableName, ...] = ("questions", "scales", "answers", "forms")

_TOML_NAMES: Mapping[TableName, str] = {"scales": "scale", "answers": "answers", "questions": "question"}
_WORDS: Mapping[str, tuple[str, ...]] = {
    "kind": ("likert", "category", "number", "date", "datetime", "text"),
    "role": ("factor", "lever", "overall"),
    "personal": ("none", "basic", "sensitive"),
    "direction": ("1", "-1"),
    "flag": ("yes", "no"),
    "respondent": ("citizen", "staff"),
}
_UNESCAPED_SEMICOLON = re.compile(r"(?<!\\);")


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row with its place; ``sheet`` is the sheet's name, or the table's name in a TOML file."""

    table: TableName
    file: str
    sheet: str
    number: int
    cells: Mapping[str, str]
    toml: bool = False

    def get(self, column: str) -> str:
        """Return a cell, "" where it is empty."""
        return self.cells.get(column, "")

    def problem(self, name: str, column: str, **fields: object) -> Problem:
        """Return the Problem ``questionnaire.problem.<name>`` of one cell."""
        titles = {} if self.toml else {c.key: c.title.vi for c in sheet_columns(self.table)}
        shown, value = titles.get(column, column), self.get(column)
        place: dict[str, Any] = {"file": self.file, "sheet": self.sheet, "row": self.number, "column": shown}
        key = "questionnaire.place.toml" if self.toml else "questionnaire.place.sheet"
        # A row number is a label, not an amount: no thousands separator.
        sentence = Bilingual(*(wording.text(key, lang, **{**place, "row": str(self.number)}) for lang in ("vi", "en")))
        more: dict[str, Any] = {"place": sentence, "received": quoted(value), **place, **fields}
        return Problem.of(f"questionnaire.problem.{name}", value=value, **more)


@dataclass(frozen=True, slots=True)
class Tables:
    """All rows of one file."""

    file: str
    rows: Mapping[TableName, tuple[TableRow, ...]]
    toml: bool = False


def quoted(value: str) -> Bilingual:
    """Return a received value for a sentence: "'abc'" or "ô trống"."""
    if not value:
        return phrase("questionnaire.place.empty")
    return Bilingual(*(wording.text("questionnaire.place.value", lang, value=value) for lang in wording.LANGUAGES))


def word(group: str, value: str, language: str = "vi") -> str:
    """Return the word that stands in a file for an internal value: ("kind", "likert") gives "thang đo"."""
    return wording.text(f"questionnaire.word.{group}_{value}", language).split(";")[0].strip()


def words(group: str, language: str = "vi") -> tuple[str, ...]:
    """Return the words of one group in order, as drop-down choices."""
    return tuple(word(group, value, language) for value in _WORDS[group])


def meaning(group: str, typed: str) -> str | None:
    """Return the internal value of a typed word in either language, or None where it means nothing."""
    plain = typed.strip().casefold()
    if plain in _WORDS[group]:
        return plain
    # Without a letter only an exact match counts: without its sign, "-1" would read as "1".
    return _meanings(group).get(fold(typed)) if any(c.isalpha() for c in plain) else None


@cache
def _meanings(group: str) -> dict[str, str]:
    found = {}
    for value in _WORDS[group]:
        for language in wording.LANGUAGES:
            for synonym in wording.text(f"questionnaire.word.{group}_{value}", language).split(";"):
                found[fold(synonym)] = value
    return found


@cache
def sheet_name(table: TableName) -> str:
    """Return the name of the sheet that holds a table."""
    return wording.text(f"questionnaire.sheet.{table}", "vi")


def _column(key: str, width: float, *, title: str = "", group: str = "", required: bool = False) -> ColumnSpec:
    name = title or key
    tips = wording.keys("vi")
    tip = wording.text(f"questionnaire.tip.{name}", "vi") if f"questionnaire.tip.{name}" in tips else ""
    choices = words(group) if group else ()
    return ColumnSpec(key, phrase(f"questionnaire.column.{name}"), width, choices, tip, required)


@cache
def sheet_columns(table: TableName) -> tuple[ColumnSpec, ...]:
    """Return the columns of a table; their keys are also the entries of a TOML file."""
    if table == "forms":
        return (
            _column("id", 16, title="form_id", required=True),
            _column("title_vi", 60, required=True),
            _column("title_en", 60),
            _column("respondent", 18, group="respondent", required=True),
            _column("regime", 20),
        )
    if table == "scales":
        return (
            _column("form", 14),
            _column("id", 20, title="scale_id", required=True),
            _column("vi", 50, title="name_vi", required=True),
            _column("en", 50, title="name_en"),
            _column("role", 20, group="role", required=True),
        )
    if table == "answers":
        return (
            _column("id", 24, title="answers_id", required=True),
            _column("code", 10, required=True),
            _column("vi", 45, title="label_vi", required=True),
            _column("en", 45, title="label_en"),
            _column("missing", 16, group="flag"),
        )
    return (
        _column("form", 12),
        _column("id", 18, required=True),
        _column("vi", 55, required=True),
        _column("en", 45),
        _column("kind", 12, group="kind", required=True),
        _column("scale", 16),
        _column("direction", 10, group="direction"),
        _column("answers", 18),
        _column("minimum", 10),
        _column("maximum", 10),
        _column("required", 10, group="flag"),
        _column("personal", 12, group="personal"),
        _column("reason_vi", 45),
        _column("reason_en", 45),
        _column("enabled", 10, group="flag"),
        _column("aliases", 50),
    )


def join_aliases(aliases: list[tuple[str, int]]) -> str:
    """Return aliases as one cell: "Câu 1; 2021: Tiếp cận 1"; a semicolon inside a name is written with a backslash."""
    parts = []
    for name, year in aliases:
        plain = name.replace(";", "\\;")
        dated = year or re.match(r"\d{1,4}\s*:", name)
        parts.append(f"{year}: {plain}" if dated else plain)
    return "; ".join(parts)


def split_aliases(cell: str) -> list[tuple[str, int]]:
    """Return (name, year) pairs of an alias cell; year 0 means every year."""
    found = []
    for part in _UNESCAPED_SEMICOLON.split(cell):
        plain = part.replace("\\;", ";").strip()
        dated = re.match(r"(\d{4}|0)\s*:\s*(?=\S)", plain)
        name, year = (plain[dated.end() :], int(dated.group(1))) if dated else (plain, 0)
        if name:
            found.append((name, year))
    return found


def read_workbook_tables(path: Path) -> tuple[Tables, list[Problem]]:
    """Read the four sheets of a questionnaire workbook.

    Raises
    ------
    QuestionnaireError
        If the file is not a workbook or lacks one of the sheets.
    """
    rows: dict[TableName, tuple[TableRow, ...]] = {}
    problems: list[Problem] = []
    for table in TABLES:
        name = sheet_name(table)
        found, troubles = read_sheet(path, name, sheet_columns(table), error=QuestionnaireError)
        rows[table] = tuple(TableRow(table, path.name, name, r.number, r.cells) for r in found)
        problems += troubles
    return Tables(path.name, rows), problems


def read_toml_tables(path: Path) -> tuple[Tables, list[Problem]]:
    """Read a questionnaire written in TOML: one form with [[answers]], [[scale]] and [[question]] tables.

    Raises
    ------
    QuestionnaireError
        If the file is not UTF-8 or not TOML; the message names the line.
    """
    try:
        source = path.read_text(encoding="utf-8-sig")
        document = tomllib.loads(source)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as reason:
        raise QuestionnaireError("questionnaire.files.bad_toml", file=path.name, reason=str(reason)) from reason
    head = {k: cell_text(v) for k, v in document.items() if k not in _TOML_NAMES.values()}
    form = TableRow("forms", path.name, "", 1, head, True)
    rows: dict[TableName, tuple[TableRow, ...]] = {"forms": (form,)}
    problems: list[Problem] = []
    for table, name in _TOML_NAMES.items():
        entries = document.get(name, [])
        if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
            problems.append(Problem.of("questionnaire.problem.not_a_table", file=path.name, sheet=name))
            entries = []
        lines = [n for n, line in enumerate(source.splitlines(), 1) if line.strip().startswith(f"[[{name}]]")]
        numbers = lines if len(lines) == len(entries) else list(range(1, len(entries) + 1))
        rows[table] = tuple(
            TableRow(table, path.name, f"[[{name}]]", number, cells, True)
            for number, entry in zip(numbers, entries, strict=True)
            for cells in _toml_cells(table, entry)
        )
    problems += [p for table in rows.values() for row in table for p in _unknown_keys(row)]
    return Tables(path.name, rows, True), problems


def _toml_cells(table: TableName, entry: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the rows of one TOML table: one a level for an answer set, one otherwise."""
    if table == "answers" and isinstance(entry.get("levels"), list):
        own = {k: cell_text(v) for k, v in entry.items() if k != "levels"}
        levels = [level if isinstance(level, dict) else {"code": level} for level in entry["levels"]]
        return [{**own, **{k: cell_text(v) for k, v in level.items()}} for level in levels]
    cells = {k: cell_text(v) for k, v in entry.items() if k != "aliases"}
    aliases = entry.get("aliases", [])
    listed = aliases if isinstance(aliases, list) else [aliases]
    pairs = [_dated(cell_text(a)) for a in listed]
    return [cells | ({"aliases": join_aliases(pairs)} if pairs else {})]


def _dated(alias: str) -> tuple[str, int]:
    pairs = split_aliases(alias.replace(";", "\\;"))
    return pairs[0] if pairs else ("", 0)


def _unknown_keys(row: TableRow) -> list[Problem]:
    known = [c.key for c in sheet_columns(row.table) if c.key != "form"]
    return [row.problem("unknown_key", key, allowed=", ".join(known)) for key in row.cells if key not in known]
