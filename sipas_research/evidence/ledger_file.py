"""Reading ``facts.csv`` and ``citations.csv``: every broken rule is named with its row, nothing is guessed."""

from __future__ import annotations

import csv
import io
import math
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sipas_research import resources
from sipas_research.errors import DataFileError, Problem
from sipas_research.evidence.ledger import KINDS, UNITS, WORDS, Fact
from sipas_research.wording import Bilingual

COLUMNS = (
    "id kind functions source place year quantity quantity_en value_printed value out_of unit note note_en "
    "derived_from decided_by settled_by settled_by_en quotation verified print"
).split()
CITATION_COLUMNS = "number title date cited_in verified note note_en".split()
LONGEST_QUOTATION = 25
_TRUTH = {"true": True, "false": False}

Cells = dict[str, str]


@dataclass(frozen=True, slots=True)
class Citation:
    """A law or decision that a source cites: number, title and date as the source gives them ("" and None if not).

    ``verified`` says that the number stands in a source that was read.
    """

    number: str
    title: str
    date: date | None
    cited_in: str
    verified: bool
    note: Bilingual


def read_facts(path: Path) -> tuple[Fact, ...]:
    """Read and check a ledger file.

    Raises
    ------
    DataFileError
        With one problem a broken rule: file, row, column, what is allowed.
    """
    rows = _cells(path, COLUMNS)
    _refuse(path, [problem for number, row in rows for problem in _row_problems(path, number, row)])
    _refuse(path, list(_link_problems(path, rows)))
    return tuple(_fact(row) for _, row in rows)


def read_citations(path: Path | None = None) -> tuple[Citation, ...]:
    """Read the laws and decisions that the sources cite; the packaged list where no path is given.

    Raises
    ------
    DataFileError
        If a row has no number, a date that is none, or another truth value than true and false.
    """
    path = path or resources.data("published", "citations.csv")
    rows = _cells(path, CITATION_COLUMNS)
    problems = []
    for number, row in rows:
        if not row["number"]:
            problems.append(_problem(path, number, "number", "empty"))
        if row["verified"] not in _TRUTH:
            problems.append(_problem(path, number, "verified", "truth"))
        if row["date"] and not _is_date(row["date"]):
            problems.append(_problem(path, number, "date", "date"))
    _refuse(path, problems)
    return tuple(
        Citation(
            row["number"],
            row["title"],
            date.fromisoformat(row["date"]) if row["date"] else None,
            row["cited_in"],
            _TRUTH[row["verified"]],
            Bilingual(row["note"], row["note_en"]),
        )
        for _, row in rows
    )


def printed_number(printed: str) -> float:
    """Return the number of a printed value: 87,07% is 87.07, 3.366 is 3366, 31/63 is 31; NaN where it is not one."""
    plain = printed.split("/", maxsplit=1)[0].split(" trong ", maxsplit=1)[0].removesuffix("%").strip("() ")
    plain = plain.replace(".", "").replace(",", ".")
    try:
        return float(plain)
    except ValueError:
        return math.nan


def _cells(path: Path, columns: Sequence[str]) -> list[tuple[int, Cells]]:
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataFileError("evidence.error.unreadable", file=path.name) from error
    lines = csv.reader(io.StringIO(unicodedata.normalize("NFC", content), newline=""))
    header = next(lines, [])
    if header != list(columns):
        raise DataFileError("evidence.error.header", file=path.name, wanted=", ".join(columns))
    rows = []
    problems = []
    for number, cells in enumerate(lines, start=2):
        if len(cells) != len(columns):
            counts = {"n": len(cells), "wanted": len(columns)}
            problems.append(_problem(path, number, "", "cells", **counts))
        else:
            rows.append((number, {name: cell.strip() for name, cell in zip(columns, cells, strict=True)}))
    _refuse(path, problems)
    if not rows:
        raise DataFileError("evidence.error.no_rows", file=path.name)
    return rows


def _refuse(path: Path, problems: list[Problem]) -> None:
    if problems:
        raise DataFileError("evidence.error.refused", problems=problems, file=path.name, n=len(problems))


def _problem(path: Path, row: int, column: str, rule: str, **fields: Any) -> Problem:
    return Problem.of(f"evidence.row.{rule}", file=path.name, row=row, column=column, **fields)


def _row_problems(path: Path, number: int, row: Cells) -> Iterator[Problem]:
    for column in ("id", "source", "quantity"):
        if not row[column]:
            yield _problem(path, number, column, "empty")
    vocabulary = {"kind": KINDS, "unit": UNITS, "verified": tuple(_TRUTH), "print": tuple(_TRUTH)}
    for column, allowed in vocabulary.items():
        if row[column] not in allowed:
            yield _problem(path, number, column, "vocabulary", value=row[column], allowed=", ".join(allowed))
    for column in ("value", "out_of", "year"):
        if row[column] and not math.isfinite(_number(row[column])):
            yield _problem(path, number, column, "number", value=row[column])
    if row["year"] and not row["year"].isdigit():
        yield _problem(path, number, "year", "number", value=row["year"])
    if len(row["quotation"].split()) > LONGEST_QUOTATION:
        yield _problem(path, number, "quotation", "quotation", n=len(row["quotation"].split()), most=LONGEST_QUOTATION)
    yield from _value_problems(path, number, row)


def _value_problems(path: Path, number: int, row: Cells) -> Iterator[Problem]:
    if row["unit"] in WORDS:
        if row["value"]:
            yield _problem(path, number, "value", "no_value", unit=row["unit"])
        return
    if not row["value"]:
        yield _problem(path, number, "value", "empty")
        return
    printed = printed_number(row["value_printed"])
    if math.isfinite(printed) and not math.isclose(printed, _number(row["value"]), abs_tol=1e-9):
        yield _problem(path, number, "value", "disagrees", value=row["value"], printed=row["value_printed"])


def _link_problems(path: Path, rows: list[tuple[int, Cells]]) -> Iterator[Problem]:
    counts = Counter(row["id"] for _, row in rows)
    for number, row in rows:
        if counts[row["id"]] > 1:
            yield _problem(path, number, "id", "repeated", value=row["id"])
        parents = _list(row["derived_from"], ";")
        if (row["kind"] == "derived") != bool(parents):
            yield _problem(path, number, "derived_from", "parents")
        for parent in parents:
            if parent not in counts or parent == row["id"]:
                yield _problem(path, number, "derived_from", "parent", value=parent)


def _fact(row: Cells) -> Fact:
    return Fact(
        id=row["id"],
        kind=row["kind"],
        functions=_list(row["functions"], " "),
        source=row["source"],
        place=row["place"],
        year=int(row["year"]) if row["year"] else None,
        quantity=Bilingual(row["quantity"], row["quantity_en"]),
        printed=row["value_printed"],
        value=_number(row["value"]),
        out_of=_number(row["out_of"]),
        unit=row["unit"],
        note=Bilingual(row["note"], row["note_en"]),
        derived_from=_list(row["derived_from"], ";"),
        decided_by=row["decided_by"],
        settled_by=Bilingual(row["settled_by"], row["settled_by_en"]),
        quotation=row["quotation"],
        verified=_TRUTH[row["verified"]],
        printable=_TRUTH[row["print"]],
    )


def _list(cell: str, separator: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(separator) if part.strip())


def _number(cell: str) -> float:
    try:
        return float(cell) if cell else math.nan
    except ValueError:
        return math.nan


def _is_date(cell: str) -> bool:
    try:
        date.fromisoformat(cell)
    except ValueError:
        return False
    return True
