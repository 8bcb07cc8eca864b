"""Results of staff rolled up to their unit elsewhere: totals of units come in, no person does.

This package never scores, ranks or prints an individual. A file that looks like one row a person is refused, and no
cell of it is repeated in a message.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sipas_research import wording
from sipas_research.errors import FrameworkError, HonestyError, Problem
from sipas_research.numerics.disclosure import MINIMUM_CELL, suppress
from sipas_research.results import DataKind
from sipas_research.survey.agencies import AgencyRegister
from sipas_research.survey.answers import as_number
from sipas_research.survey.workbook import SheetRow, fold, phrase, read_rows, sheet_names

TOPIC = "roll_up"
UNIT, YEAR, POINTS = "unit", "year", "points"
_NAN = float("nan")
#: Folded headers that speak of a person; ``_ABOUT_PEOPLE`` are parts of such headers.
_PERSONAL = frozenset(
    "ten hoten hovaten hodem name fullname firstname lastname canbo congchuc vienchuc nhanvien nguoilaodong employee "
    "employeeid staffid personid macanbo macongchuc manhanvien sohieu cccd cmnd socancuoc sodinhdanh madinhdanh "
    "masobhxh masothue email thudientu dienthoai sodienthoai phone mobile ngaysinh namsinh birthdate dateofbirth "
    "gioitinh sex gender chucvu chucdanh position jobtitle ngach bacluong hesoluong diachi address dantoc".split()
)
_ABOUT_PEOPLE = ("hoten", "hovaten", "cccd", "cmnd", "cancuoc", "ngaysinh", "dienthoai", "macanbo", "manhanvien")


@dataclass(frozen=True, slots=True)
class UnitRow:
    """One unit in one year. ``counts`` are people in each class, NaN where hidden; so are ``staff`` and ``points``."""

    unit: str
    year: int
    points: float
    staff: float
    counts: tuple[float, ...]

    @property
    def hidden(self) -> bool:
        """True where nothing of the unit is shown: it has fewer than ten people."""
        return bool(np.isnan(self.staff))


@dataclass(frozen=True, slots=True)
class UnitTotals:
    """Totals of units by year, with classes in file order; every cell under ten people is hidden."""

    rows: tuple[UnitRow, ...]
    classes: tuple[str, ...]
    data_kind: DataKind
    source: str

    def tidy(self) -> pd.DataFrame:
        """One row a unit, year and class; ``term`` is the class, ``estimate`` its people, NaN where hidden."""
        table = [
            {
                "term": name,
                "group": row.unit,
                "year": row.year,
                "estimate": count,
                "staff": row.staff,
                "points": row.points,
                "note": "" if np.isfinite(count) else "roll_up.note.hidden",
            }
            for row in self.rows
            for name, count in zip(self.classes, row.counts, strict=True)
        ]
        columns = ["term", "group", "year", "estimate", "staff", "points", "note"]
        return pd.DataFrame(table, columns=columns)

    def glance(self) -> pd.DataFrame:
        """One row: units, years, classes, kind of the data."""
        years = {row.year for row in self.rows}
        row: dict[str, object] = {"n_units": len({r.unit for r in self.rows}), "n_years": len(years)}
        row |= {"n_classes": len(self.classes), "data_kind": self.data_kind.value, "source": self.source}
        return pd.DataFrame([row])

    def summary(self, language: str = "vi") -> str:
        """Return how many units there are, and that no person is scored."""
        shown = {"units": len({r.unit for r in self.rows}), "rows": len(self.rows)}
        lines = [wording.text("roll_up.summary.line", language, **shown)]
        lines.append(wording.text("roll_up.note.no_person", language))
        return "\n".join([*lines, wording.text(f"common.kind.{self.data_kind.value}", language)])


def read_unit_totals(
    path: Path, *, data_kind: DataKind = DataKind.USER, register: AgencyRegister | None = None, sheet: str = ""
) -> UnitTotals:
    """Read totals of units: unit, year, total points, and one column "Số người <class>" for each class.

    Parameters
    ----------
    path : Path
        An .xlsx file.
    data_kind : DataKind
    register : AgencyRegister, optional
        Where given, units must stand in it.
    sheet : str
        Name of the sheet; the first one if empty.

    Returns
    -------
    UnitTotals
        Cells of 1 to 9 people are hidden, with what would let them be derived; so are all cells where everyone is in
        one class, and everything of a unit with fewer than ten people.

    Raises
    ------
    HonestyError
        If the file looks like one row a person: a column speaks of people, a unit stands on several rows of a year,
        or rows hold one person.
    FrameworkError
        If the file cannot be read, or with one Problem for each cell that breaks a rule.
    """
    names = sheet_names(path, error=FrameworkError)
    chosen = sheet or names[0]
    rows, headers = read_rows(path, chosen, error=FrameworkError)
    _refuse_personal_columns(headers, path.name)
    keys, classes = _columns(headers, path.name, chosen)
    _refuse_rows_of_people(rows, keys, classes, path.name)
    problems: list[Problem] = []
    found = [_row(row, keys, classes, (path.name, chosen), register, problems) for row in rows]
    if problems or not found:
        problems = problems or [Problem.of("roll_up.problem.empty", file=path.name, sheet=chosen)]
        raise FrameworkError("roll_up.error.invalid", problems=problems, file=path.name, n=len(problems))
    titles = tuple(name for _, name in classes)
    return UnitTotals(tuple(r for r in found if r is not None), titles, data_kind, path.name)


def _refuse_personal_columns(headers: Sequence[str], file: str) -> None:
    folded = [fold(h) for h in headers if h]
    if any(f in _PERSONAL or any(part in f for part in _ABOUT_PEOPLE) for f in folded):
        raise HonestyError("roll_up.error.person_column", file=file)


def _columns(headers: Sequence[str], file: str, sheet: str) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Return the header of each fixed column, and (header, class) of each column that counts people."""
    known = {
        fold(name): key
        for key in (UNIT, YEAR, POINTS)
        for name in (key, *(wording.text(f"roll_up.column.{key}", language) for language in wording.LANGUAGES))
    }
    keys: dict[str, str] = {}
    classes: list[tuple[str, str]] = []
    problems = []
    for header in filter(None, headers):
        name = re.match(r"(?:số người|staff)\s*[:\-–]?\s*(?=\S)", header, re.IGNORECASE)
        if fold(header) in known and known[fold(header)] not in keys:
            keys[known[fold(header)]] = header
        elif name and header[name.end() :] not in {c for _, c in classes}:
            classes.append((header, header[name.end() :]))
        else:
            problems.append(Problem.of("roll_up.problem.header", file=file, sheet=sheet, column=header))
    for key in (UNIT, YEAR, POINTS):
        if key not in keys:
            column = phrase(f"roll_up.column.{key}")
            problems.append(Problem.of("roll_up.problem.no_column", file=file, sheet=sheet, title=column))
    if len(classes) < 2:
        problems.append(Problem.of("roll_up.problem.no_classes", file=file, sheet=sheet))
    if problems:
        raise FrameworkError("roll_up.error.invalid", problems=problems, file=file, n=len(problems))
    return keys, classes


def _refuse_rows_of_people(
    rows: Sequence[SheetRow], keys: dict[str, str], classes: list[tuple[str, str]], file: str
) -> None:
    """Refuse several rows a unit and year, and rows that count one person."""
    pairs = Counter((row.get(keys[UNIT]), row.get(keys[YEAR])) for row in rows)
    totals = [sum(as_number(row.get(header)) or 0.0 for header, _ in classes) for row in rows]
    single = sum(total == 1.0 for total in totals)
    if any(count > 1 for count in pairs.values()) or (rows and 2 * single >= len(rows) and single > 0):
        raise HonestyError("roll_up.error.person_rows", file=file)


def _row(
    row: SheetRow,
    keys: dict[str, str],
    classes: list[tuple[str, str]],
    place: tuple[str, str],
    register: AgencyRegister | None,
    problems: list[Problem],
) -> UnitRow | None:
    before = len(problems)

    def wrong(name: str, column: str) -> None:
        where = {"file": place[0], "sheet": place[1]}
        problems.append(Problem.of(f"roll_up.problem.{name}", row=row.number, column=column, **where))  # type: ignore[arg-type]

    unit, year, points = row.get(keys[UNIT]), as_number(row.get(keys[YEAR])), as_number(row.get(keys[POINTS]))
    known = unit in register if register is not None else bool(re.fullmatch(r"[a-z][a-z0-9_]*", unit))
    if not known:
        wrong("unit", keys[UNIT])
    if year is None or not year.is_integer() or not 2000 <= year <= 2100:
        wrong("year", keys[YEAR])
    if points is None or points < 0:
        wrong("points", keys[POINTS])
    counts = []
    for header, _ in classes:
        count = as_number(row.get(header) or "0")
        if count is None or not count.is_integer() or count < 0:
            wrong("count", header)
        counts.append(count or 0.0)
    if len(problems) > before or year is None or points is None:
        return None
    return _hidden(unit, int(year), points, np.array(counts))


def _hidden(unit: str, year: int, points: float, counts: np.ndarray) -> UnitRow:
    total = float(counts.sum())
    if total < MINIMUM_CELL:
        return UnitRow(unit, year, _NAN, _NAN, (_NAN,) * len(counts))
    alone = (counts > 0) & (counts == total)
    mask = suppress(counts, withheld=alone)
    shown = tuple(_NAN if hide else float(count) for hide, count in zip(mask, counts, strict=True))
    return UnitRow(unit, year, points, total, shown)
