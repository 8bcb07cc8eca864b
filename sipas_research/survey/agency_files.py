"""The register of agencies as a file, and the rule that no simulated value stands beside a real agency's name."""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from sipas_research import resources, wording
from sipas_research.errors import AgencyError, HonestyError, Problem
from sipas_research.results import DataKind
from sipas_research.survey.agencies import Agency, AgencyLevel, AgencyRegister
from sipas_research.survey.comparison import same_key
from sipas_research.survey.raw_table import SIMULATED_COLUMN
from sipas_research.survey.workbook import (
    ColumnSpec,
    SheetRow,
    SheetSpec,
    cell_text,
    fold,
    match_headers,
    phrase,
    read_sheet,
    write_workbook,
)
from sipas_research.wording import Bilingual

_LEVELS: tuple[AgencyLevel, ...] = ("department", "district", "commune", "other")
_FLAGS = ("yes", "no")
_KINDS = tuple(kind.value for kind in DataKind)
_NAMES_SHOWN = 5
_YEAR_FIRST, _DAY_FIRST = "%Y-%m-%d", "%d/%m/%Y"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where rows come from; ``sheet`` is "" in a .csv file."""

    file: str
    sheet: str = ""

    def problem(self, name: str, row: SheetRow, column: str, **fields: object) -> Problem:
        title, value = phrase(f"agency.column.{column}"), row.get(column)
        shown = Bilingual(column) if not self.sheet else Bilingual(title.vi)
        key = f"agency.place.{'sheet' if self.sheet else 'csv'}"
        place = {"file": self.file, "sheet": self.sheet, "row": str(row.number), "column": shown}
        sentence = Bilingual(*(wording.text(key, language, **place) for language in wording.LANGUAGES))
        more: dict[str, Any] = {"place": sentence, "received": _quoted(value), "value": value, **fields}
        return Problem.of(
            f"agency.problem.{name}", file=self.file, sheet=self.sheet, row=row.number, column=shown.vi, **more
        )


def _quoted(value: str) -> Bilingual:
    key = "agency.place.value" if value else "agency.place.empty"
    fields = {"value": value} if value else {}
    return Bilingual(*(wording.text(key, language, **fields) for language in wording.LANGUAGES))


@cache
def _columns() -> tuple[ColumnSpec, ...]:
    def column(key: str, width: float, choices: tuple[str, ...] = (), *, required: bool = False) -> ColumnSpec:
        tip = f"agency.tip.{key}"
        note = wording.text(tip, "vi") if tip in wording.keys("vi") else ""
        return ColumnSpec(key, phrase(f"agency.column.{key}"), width, choices, note, required)

    return (
        column("code", 18, required=True),
        column("name_vi", 45, required=True),
        column("name_en", 45),
        column("level", 18, tuple(_word(level) for level in _LEVELS)),
        column("valid_from", 16),
        column("valid_to", 16),
        column("aliases", 45),
        column("source", 50),
        column("verified", 14, tuple(_word(flag) for flag in _FLAGS)),
        column(SIMULATED_COLUMN, 14, tuple(_word(kind) for kind in _KINDS)),
    )


def _word(value: str, language: str = "vi") -> str:
    return wording.text(f"agency.word.{value}", language).split(";")[0].strip()


def _meaning(values: Iterable[str], typed: str) -> str | None:
    for value in values:
        known = [s for lang in wording.LANGUAGES for s in wording.text(f"agency.word.{value}", lang).split(";")]
        if fold(typed) in {fold(value), *map(fold, known)}:
            return value
    return None


def read_agencies(path: Path) -> AgencyRegister:
    """Read a register of agencies from an .xlsx file (sheet "Đơn vị") or a .csv file in UTF-8.

    Columns: code and name_vi are required; name_en, level, valid_from, valid_to, aliases (separated by
    semicolons), source, verified and data_kind may be left out. Headers and words may be Vietnamese or English.

    Returns
    -------
    AgencyRegister
        Agencies in file order; dates as yyyy-mm-dd; ``simulated`` where any row's data_kind says so.

    Raises
    ------
    AgencyError
        If the file cannot be read, or with one Problem for each cell that breaks a rule.
    """
    path = Path(path)
    if not path.is_file():
        raise AgencyError("agency.files.not_found", file=path.name)
    suffix = path.suffix.lower()
    if suffix == ".xlsx":
        place = _Place(path.name, phrase("agency.sheet.name").vi)
        rows, problems = read_sheet(path, place.sheet, _columns(), error=AgencyError)
    elif suffix == ".csv":
        place = _Place(path.name)
        rows, problems = _read_csv(path)
    else:
        raise AgencyError("agency.files.wrong_type", file=path.name)
    first: dict[str, int] = {}
    agencies = tuple(_agency(row, place, first, problems) for row in rows)
    if problems:
        raise AgencyError("agency.files.invalid", problems=problems, file=path.name, n=len(problems))
    simulated = any(_meaning(_KINDS, row.get(SIMULATED_COLUMN)) == DataKind.SIMULATED for row in rows)
    return AgencyRegister(agencies, path.name, simulated)


def _read_csv(path: Path) -> tuple[list[SheetRow], list[Problem]]:
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
    keys, problems = match_headers(headers, _columns(), {"file": path.name, "sheet": path.stem, "row": 1})
    rows = []
    for number, line in lines[1:]:
        cells = {keys[h]: cell for h, cell in zip(headers, line, strict=False) if h in keys and cell}
        if cells:
            rows.append(SheetRow(number, cells))
    return rows, problems


def _agency(row: SheetRow, place: _Place, first: dict[str, int], problems: list[Problem]) -> Agency:
    code = row.get("code")
    problems += [place.problem("required_empty", row, c) for c in ("code", "name_vi") if not row.get(c)]
    if code and code in first:
        problems.append(place.problem("duplicate_code", row, "code", first=str(first[code])))
    first.setdefault(code, row.number)
    level = _meaning(_LEVELS, row.get("level") or "other")
    if level is None:
        problems.append(place.problem("unknown_level", row, "level", allowed=_allowed(_LEVELS)))
    verified = _meaning(_FLAGS, row.get("verified") or "no")
    if verified is None:
        problems.append(place.problem("unknown_word", row, "verified", allowed=_allowed(_FLAGS)))
    if row.get(SIMULATED_COLUMN) and _meaning(_KINDS, row.get(SIMULATED_COLUMN)) is None:
        problems.append(place.problem("unknown_word", row, SIMULATED_COLUMN, allowed=_allowed(_KINDS)))
    begin, end = (_date(row, column, place, problems) for column in ("valid_from", "valid_to"))
    if begin and end and end < begin:
        problems.append(place.problem("dates_reversed", row, "valid_to"))
    return Agency(
        code=code,
        name=Bilingual(row.get("name_vi"), row.get("name_en")),
        level=cast(AgencyLevel, level or "other"),
        valid_from=begin,
        valid_to=end,
        aliases=tuple(a for part in row.get("aliases").split(";") if (a := part.strip())),
        source=row.get("source"),
        verified=verified == "yes",
    )


def _allowed(values: tuple[str, ...]) -> Bilingual:
    separator = "; "
    return Bilingual(*(separator.join(_word(v, language) for v in values) for language in wording.LANGUAGES))


def _date(row: SheetRow, column: str, place: _Place, problems: list[Problem]) -> str:
    typed = row.get(column)
    for form in (_YEAR_FIRST, _DAY_FIRST):
        try:
            return datetime.datetime.strptime(typed, form).date().isoformat()
        except ValueError:
            continue
    if typed:
        problems.append(place.problem("bad_date", row, column))
    return ""


def write_agencies_xlsx(register: AgencyRegister, path: Path) -> Path:
    """Write a register as a workbook for people to edit; return where it landed.

    Column data_kind is written for a simulated register only.
    """
    marked = {SIMULATED_COLUMN: _word(DataKind.SIMULATED)} if register.simulated else {}
    columns = _columns() if register.simulated else tuple(c for c in _columns() if c.key != SIMULATED_COLUMN)
    rows: tuple[Mapping[str, object], ...] = tuple(
        {
            "code": a.code,
            "name_vi": a.name.vi,
            "name_en": a.name.en,
            "level": _word(a.level),
            "valid_from": a.valid_from,
            "valid_to": a.valid_to,
            "aliases": "; ".join(a.aliases),
            "source": a.source,
            "verified": _word("yes" if a.verified else "no"),
            **marked,
        }
        for a in register.agencies
    )
    return write_workbook(Path(path), [SheetSpec(phrase("agency.sheet.name").vi, columns, rows)])


@cache
def real_names() -> frozenset[str]:
    """Return every name of the packaged register of real agencies, in both languages, as people may write it."""
    real = read_agencies(resources.data("lang_son", "agencies.csv"))
    return frozenset(name for agency in real.agencies for name in _all_names(agency))


def _all_names(agency: Agency) -> tuple[str, ...]:
    return tuple(name for name in (agency.name.vi, agency.name.en, *agency.aliases) if name)


def refuse_real_names(register: AgencyRegister, kind: DataKind, *, names: Iterable[str] | None = None) -> None:
    """Refuse a register that would put a real agency's name beside simulated values.

    Parameters
    ----------
    register : AgencyRegister
    kind : DataKind
        Nothing is refused unless it is simulated.
    names : iterable of str, optional
        Real names; those of the packaged register if not given. Case, spaces and punctuation do not matter.

    Raises
    ------
    HonestyError
        Naming the first few real names that were found.
    """
    if not kind.is_simulated:
        return
    real = {same_key(name) for name in (real_names() if names is None else names)}
    found = list(dict.fromkeys(n for a in register.agencies for n in _all_names(a) if same_key(n) in real))
    if found:
        shown = ", ".join(f"'{n}'" for n in found[:_NAMES_SHOWN]) + (", …" if len(found) > _NAMES_SHOWN else "")
        raise HonestyError("agency.honesty.real_name", names=shown)


def refuse_simulated_register(register: AgencyRegister, kind: DataKind) -> None:
    """Refuse to name simulated agencies in a study that does not say it is simulated.

    Raises
    ------
    HonestyError
        If the register carries the mark and ``kind`` is another one.
    """
    if register.simulated and not kind.is_simulated:
        raise HonestyError("agency.honesty.simulated_register", file=register.source)
