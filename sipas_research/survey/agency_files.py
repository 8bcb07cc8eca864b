"""The register of agencies as a file, and the rule that no simulated value stands beside a real agency's name."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import cast

from sipas_research import resources
from sipas_research.errors import AgencyError, HonestyError, Problem
from sipas_research.results import DataKind
from sipas_research.survey.agencies import Agency, AgencyLevel, AgencyRegister
from sipas_research.survey.comparison import same_key
from sipas_research.survey.crosswalk import Crosswalk, crosswalk_sheet
from sipas_research.survey.raw_table import SIMULATED_COLUMN
from sipas_research.survey.register_rows import (
    FLAGS,
    Place,
    allowed_words,
    meaning,
    read_register_rows,
    sheet_column,
    word,
)
from sipas_research.survey.workbook import ColumnSpec, SheetRow, SheetSpec, phrase, write_workbook
from sipas_research.wording import Bilingual

_TOPIC = "agency"
_LEVELS: tuple[AgencyLevel, ...] = ("department", "district", "commune", "other")
_KINDS = tuple(kind.value for kind in DataKind)
_NAMES_SHOWN = 5
_LONGEST_NAME = 300


@cache
def _columns() -> tuple[ColumnSpec, ...]:
    return (
        sheet_column(_TOPIC, "code", 18, required=True),
        sheet_column(_TOPIC, "name_vi", 45, required=True),
        sheet_column(_TOPIC, "name_en", 45),
        sheet_column(_TOPIC, "level", 18, tuple(word(_TOPIC, level) for level in _LEVELS)),
        sheet_column(_TOPIC, "valid_from", 16),
        sheet_column(_TOPIC, "valid_to", 16),
        sheet_column(_TOPIC, "aliases", 45),
        sheet_column(_TOPIC, "source", 50),
        sheet_column(_TOPIC, "verified", 14, tuple(word(_TOPIC, flag) for flag in FLAGS)),
        sheet_column(_TOPIC, SIMULATED_COLUMN, 14, tuple(word(_TOPIC, kind) for kind in _KINDS)),
    )


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
    place, rows, problems = read_register_rows(path, "agency", _columns())
    first: dict[str, int] = {}
    agencies = tuple(_agency(row, place, first, problems) for row in rows)
    if problems:
        raise AgencyError("agency.files.invalid", problems=problems, file=path.name, n=len(problems))
    simulated = any(meaning(_TOPIC, _KINDS, row.get(SIMULATED_COLUMN)) == DataKind.SIMULATED for row in rows)
    return AgencyRegister(agencies, path.name, simulated)


def _agency(row: SheetRow, place: Place, first: dict[str, int], problems: list[Problem]) -> Agency:
    code = row.get("code")
    problems += [place.problem("agency.problem.required_empty", row, c) for c in ("code", "name_vi") if not row.get(c)]
    problems += _unseen(row, place)
    if code and code in first:
        problems.append(place.problem("agency.problem.duplicate_code", row, "code", first=str(first[code])))
    first.setdefault(code, row.number)
    level = meaning(_TOPIC, _LEVELS, row.get("level") or "other")
    if level is None:
        problems.append(
            place.problem("agency.problem.unknown_level", row, "level", allowed=allowed_words(_TOPIC, _LEVELS))
        )
    verified = place.flag(row, "verified", problems)
    if row.get(SIMULATED_COLUMN) and meaning(_TOPIC, _KINDS, row.get(SIMULATED_COLUMN)) is None:
        problems.append(
            place.problem("agency.problem.unknown_word", row, SIMULATED_COLUMN, allowed=allowed_words(_TOPIC, _KINDS))
        )
    begin, end = (place.date(row, column, problems) for column in ("valid_from", "valid_to"))
    if begin and end and end < begin:
        problems.append(place.problem("agency.problem.dates_reversed", row, "valid_to"))
    return Agency(
        code=code,
        name=Bilingual(row.get("name_vi"), row.get("name_en")),
        level=cast(AgencyLevel, level or "other"),
        valid_from=begin,
        valid_to=end,
        aliases=tuple(a for part in row.get("aliases").split(";") if (a := part.strip())),
        source=row.get("source"),
        verified=verified,
    )


def _unseen(row: SheetRow, place: Place) -> list[Problem]:
    """Refuse names that are not what they look like, with characters that no one sees, and endless ones."""
    found = []
    for column in ("code", "name_vi", "name_en", "aliases"):
        value = row.get(column)
        if any(unicodedata.category(c) in {"Cf", "Cc"} and c not in "\n\t" for c in value):
            found.append(place.problem("agency.problem.hidden_character", row, column))
        elif len(value) > _LONGEST_NAME:
            shown = {"received": f"'{value[:40]}…'", "value": value[:40], "most": _LONGEST_NAME}
            found.append(place.problem("agency.problem.too_long", row, column, **shown))
    return found


def write_agencies_xlsx(register: AgencyRegister, path: Path, *, crosswalk: Crosswalk | None = None) -> Path:
    """Write a register as a workbook for people to edit; return where it landed.

    Column data_kind is written for a simulated register only. The second sheet is for changes of agencies; it
    has its headers only where no ``crosswalk`` is given.
    """
    marked = {SIMULATED_COLUMN: word(_TOPIC, DataKind.SIMULATED)} if register.simulated else {}
    columns = _columns() if register.simulated else tuple(c for c in _columns() if c.key != SIMULATED_COLUMN)
    rows: tuple[Mapping[str, object], ...] = tuple(
        {
            "code": a.code,
            "name_vi": a.name.vi,
            "name_en": a.name.en,
            "level": word(_TOPIC, a.level),
            "valid_from": a.valid_from,
            "valid_to": a.valid_to,
            "aliases": "; ".join(a.aliases),
            "source": a.source,
            "verified": word(_TOPIC, "yes" if a.verified else "no"),
            **marked,
        }
        for a in register.agencies
    )
    register_sheet = SheetSpec(phrase("agency.sheet.name").vi, columns, rows)
    return write_workbook(Path(path), [register_sheet, crosswalk_sheet(crosswalk)])


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
