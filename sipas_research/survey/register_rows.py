"""Rows of files about agencies: an .xlsx sheet or a .csv file in UTF-8, with words and dates as people type them."""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sipas_research import wording
from sipas_research.errors import AgencyError, Problem
from sipas_research.survey.workbook import ColumnSpec, SheetRow, cell_text, fold, match_headers, phrase, read_sheet
from sipas_research.wording import Bilingual

FLAGS = ("yes", "no")
_YEAR_FIRST, _DAY_FIRST = "%Y-%m-%d", "%d/%m/%Y"
#: Where the words "yes" and "no" and the sentences about any cell stand in the catalogues.
_SHARED = "agency"


def sheet_column(
    topic: str, key: str, width: float, choices: tuple[str, ...] = (), *, required: bool = False
) -> ColumnSpec:
    """Return a column of a sheet that people edit: title and tip from the catalogue topic."""
    tip = f"{topic}.tip.{key}"
    note = wording.text(tip, "vi") if tip in wording.keys("vi") else ""
    return ColumnSpec(key, phrase(f"{topic}.column.{key}"), width, choices, note, required)


@dataclass(frozen=True, slots=True)
class Place:
    """Where rows come from: ``sheet`` is "" in a .csv file, ``topic`` names the columns in the catalogues."""

    topic: str
    file: str
    sheet: str = ""

    def problem(self, key: str, row: SheetRow, column: str, **fields: object) -> Problem:
        """Return what is wrong with one cell; the sentence ``key`` gets ``place`` and ``received``."""
        title, value = phrase(f"{self.topic}.column.{column}"), row.get(column)
        shown = Bilingual(column) if not self.sheet else Bilingual(title.vi)
        sentence_key = f"agency.place.{'sheet' if self.sheet else 'csv'}"
        place = {"file": self.file, "sheet": self.sheet, "row": str(row.number), "column": shown}
        sentence = Bilingual(*(wording.text(sentence_key, language, **place) for language in wording.LANGUAGES))
        more: dict[str, Any] = {"place": sentence, "received": _quoted(value), "value": value, **fields}
        return Problem.of(key, file=self.file, sheet=self.sheet, row=row.number, column=shown.vi, **more)

    def flag(self, row: SheetRow, column: str, problems: list[Problem]) -> bool:
        """Read a cell that says yes or no; an empty one says no."""
        found = meaning(_SHARED, FLAGS, row.get(column) or "no")
        if found is None:
            allowed = allowed_words(_SHARED, FLAGS)
            problems.append(self.problem("agency.problem.unknown_word", row, column, allowed=allowed))
        return found == "yes"

    def date(self, row: SheetRow, column: str, problems: list[Problem]) -> str:
        """Read a date written yyyy-mm-dd or dd/mm/yyyy as yyyy-mm-dd, "" where it is empty or wrong."""
        typed = row.get(column)
        for form in (_YEAR_FIRST, _DAY_FIRST):
            try:
                return datetime.datetime.strptime(typed, form).date().isoformat()
            except ValueError:
                continue
        if typed:
            problems.append(self.problem("agency.problem.bad_date", row, column))
        return ""


def read_register_rows(
    path: Path, topic: str, columns: Sequence[ColumnSpec]
) -> tuple[Place, list[SheetRow], list[Problem]]:
    """Read the rows of an .xlsx sheet (named ``<topic>.sheet.name``) or of a .csv file, keyed by column.

    Returns
    -------
    Place, list of SheetRow, list of Problem
        Problems are unknown, repeated and missing headers.

    Raises
    ------
    AgencyError
        If the file is missing, of another type, or cannot be read.
    """
    if not path.is_file():
        raise AgencyError(f"{topic}.files.not_found", file=path.name)
    suffix = path.suffix.lower()
    if suffix == ".xlsx":
        sheet = phrase(f"{topic}.sheet.name").vi
        rows, problems = read_sheet(path, sheet, columns, error=AgencyError)
        return Place(topic, path.name, sheet), rows, problems
    if suffix == ".csv":
        rows, problems = _read_csv(path, columns)
        return Place(topic, path.name), rows, problems
    raise AgencyError(f"{topic}.files.wrong_type", file=path.name)


def word(topic: str, value: str, language: str = "vi") -> str:
    """Return the word that stands for a value in a file."""
    return wording.text(f"{topic}.word.{value}", language).split(";")[0].strip()


def meaning(topic: str, values: Iterable[str], typed: str) -> str | None:
    """Return the value that a typed word stands for, None where it stands for none."""
    for value in values:
        known = [s for lang in wording.LANGUAGES for s in wording.text(f"{topic}.word.{value}", lang).split(";")]
        if fold(typed) in {fold(value), *map(fold, known)}:
            return value
    return None


def allowed_words(topic: str, values: Sequence[str]) -> Bilingual:
    """Return the words that stand for some values, as a list in both languages."""
    separator = "; "
    return Bilingual(*(separator.join(word(topic, v, language) for v in values) for language in wording.LANGUAGES))


def _quoted(value: str) -> Bilingual:
    key = "agency.place.value" if value else "agency.place.empty"
    fields = {"value": value} if value else {}
    return Bilingual(*(wording.text(key, language, **fields) for language in wording.LANGUAGES))


def _read_csv(path: Path, columns: Sequence[ColumnSpec]) -> tuple[list[SheetRow], list[Problem]]:
    try:
        source = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as reason:
        raise AgencyError("agency.files.not_utf8", file=path.name) from reason
    header = source.split("\n", 1)[0]
    delimiter = max(",;\t", key=header.count)
    try:
        reader = csv.reader(io.StringIO(source, newline=""), delimiter=delimiter)
        lines = [(reader.line_num, [cell_text(cell) for cell in line]) for line in reader]
    except csv.Error as reason:
        raise AgencyError("agency.files.bad_csv", file=path.name) from reason
    headers = lines[0][1] if lines else []
    keys, problems = match_headers(headers, columns, {"file": path.name, "sheet": path.stem, "row": 1})
    rows = []
    for number, line in lines[1:]:
        cells = {keys[h]: cell for h, cell in zip(headers, line, strict=False) if h in keys and cell}
        if cells:
            rows.append(SheetRow(number, cells))
    return rows, problems
