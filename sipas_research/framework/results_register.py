"""The register of results: which year's results have gone how far, from draft to publication.

A file of the study folder, one row a step. Dates are typed by people; roles are written, never names of persons.
Results may leave the office from the step "approved" on.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, cast, get_args

from sipas_research import wording
from sipas_research.errors import Problem, ReleaseError
from sipas_research.files import held_open
from sipas_research.framework.file_names import REGISTER_FILE
from sipas_research.framework.framework_spec import LEVELS, Level
from sipas_research.framework.sheet_tables import (
    Row,
    TableSpec,
    column,
    iso_date,
    known_word,
    number,
    read_tables,
    require,
    text_problems,
    write_tables,
)
from sipas_research.survey.register_rows import word

State = Literal["draft", "sent", "petitions", "approved", "published"]
Role = Literal["compiler", "panel", "approver", "publisher"]
STATES: tuple[State, ...] = get_args(State)
ROLES: tuple[Role, ...] = get_args(Role)
#: Which role may take a step: those who computed the results neither answer petitions nor sign.
ROLES_OF: dict[State, tuple[Role, ...]] = {
    "draft": ("compiler",),
    "sent": ("compiler",),
    "petitions": ("panel",),
    "approved": ("approver",),
    "published": ("publisher",),
}
TOPIC = "register"
_FIRST_YEAR, _LAST_YEAR = 2000, 2100


@dataclass(frozen=True, slots=True)
class Entry:
    """One step of one year's results of one level: date yyyy-mm-dd, the role that took it, document, what was done."""

    year: int
    level: Level
    state: State
    date: str
    role: Role
    document: str
    what: str


@dataclass(frozen=True, slots=True)
class ResultsRegister:
    """All steps in file order; each year and level goes through the states in order, none is left out."""

    entries: tuple[Entry, ...] = ()
    file: str = REGISTER_FILE

    def history(self, year: int, level: Level) -> tuple[Entry, ...]:
        """Return the steps of one year and level in order."""
        return tuple(e for e in self.entries if e.year == year and e.level == level)

    def last(self, year: int, level: Level) -> Entry | None:
        """Return the last step of one year and level, None where none was taken."""
        found = self.history(year, level)
        return found[-1] if found else None

    def state(self, year: int, level: Level) -> State:
        """Return how far the results of a year and level have gone; "draft" where nothing was recorded."""
        entry = self.last(year, level)
        return entry.state if entry else "draft"

    def is_public(self, year: int, level: Level) -> bool:
        """True once the results were signed."""
        return self.state(year, level) in {"approved", "published"}

    def line(self, year: int, level: Level, language: str) -> str:
        """Return the sentence that outputs carry: state, date, role, document."""
        entry = self.last(year, level)
        shown = wording.text(f"{TOPIC}.level.{level}", language)
        if entry is None:
            return wording.text(f"{TOPIC}.line.unrecorded", language, year=str(year), level=shown)
        state = wording.text(f"{TOPIC}.state.{entry.state}", language)
        role = wording.text(f"{TOPIC}.role.{entry.role}", language)
        date = wording.date(datetime.date.fromisoformat(entry.date), language)
        key = "with_document" if entry.document else "plain"
        fields = {"document": entry.document} if entry.document else {}
        return wording.text(
            f"{TOPIC}.line.{key}", language, year=str(year), level=shown, state=state, date=date, role=role, **fields
        )


@cache
def _tables() -> tuple[TableSpec, ...]:
    columns = (
        column(TOPIC, "year", 12, required=True),
        column(TOPIC, "level", 16, LEVELS, required=True),
        column(TOPIC, "state", 24, STATES, required=True),
        column(TOPIC, "date", 16, required=True),
        column(TOPIC, "role", 34, ROLES, required=True),
        column(TOPIC, "document", 34),
        column(TOPIC, "what", 60, required=True),
    )
    return (TableSpec(TOPIC, "steps", columns),)


def read_register(path: Path) -> ResultsRegister:
    """Read the register of results; an empty one where the file is not there yet.

    Raises
    ------
    ReleaseError
        If the file cannot be read, or with one Problem for each cell that breaks a rule: a step is left out or goes
        back, a date lies before the step before it, a role may not take the step, a decision has no number.
    """
    if not path.is_file():
        return ResultsRegister(file=path.name)
    rows, problems = read_tables(path, _tables(), ReleaseError)
    entries = _entries(rows["steps"], problems)
    if problems:
        raise ReleaseError("register.error.invalid", problems=problems, file=path.name, n=len(problems))
    return ResultsRegister(entries, path.name)


def write_register(register: ResultsRegister, path: Path) -> Path:
    """Write the register as a workbook; return where it landed.

    Raises
    ------
    ReleaseError
        If the file stands open in Excel: a second copy would hold another history.
    """
    if held_open(path):
        raise ReleaseError("register.error.open", file=path.name)
    rows = [
        {
            "year": e.year,
            "level": word(TOPIC, e.level),
            "state": word(TOPIC, e.state),
            "date": e.date,
            "role": word(TOPIC, e.role),
            "document": e.document,
            "what": e.what,
        }
        for e in register.entries
    ]
    return write_tables(path, _tables(), {"steps": rows})


def advance(
    path: Path,
    *,
    year: int,
    level: Level,
    state: State,
    date: str,
    role: Role,
    what: str,
    document: str = "",
) -> ResultsRegister:
    """Record the next step of a year's results in the register file, and return the register.

    Parameters
    ----------
    path : Path
        Register of the study folder; made where it is not there.
    year, level
        Which results.
    state : {"draft", "sent", "petitions", "approved", "published"}
        The next state after the last one.
    date : str
        yyyy-mm-dd, as typed by the user.
    role : str
        One of ``ROLES_OF[state]``; never a person's name.
    what : str
        What was done, such as how many petitions were answered.
    document : str
        Number of the decision or letter; needed for "approved".

    Raises
    ------
    ReleaseError
        If the step is not the next one, or breaks another rule; the file is left as it was.
    """
    before = read_register(path)
    cells = {
        "year": str(year),
        "level": _known(level, LEVELS),
        "state": _known(state, STATES),
        "date": date,
        "role": _known(role, ROLES),
        "document": document,
        "what": what,
    }
    table = _tables()[0]
    earlier = [Row(table, path.name, n, _cells(e)) for n, e in enumerate(before.entries, start=2)]
    new = Row(table, path.name, len(earlier) + 2, {k: v for k, v in cells.items() if v})
    problems: list[Problem] = text_problems(new)
    entries = _entries((*earlier, new), problems)
    if problems:
        raise ReleaseError("register.error.step", problems=problems, file=path.name)
    after = ResultsRegister(entries, path.name)
    write_register(after, path)
    return after


def _known(value: str, values: Iterable[str]) -> str:
    return word(TOPIC, value) if value in values else value


def _cells(entry: Entry) -> dict[str, str]:
    cells = {name: str(getattr(entry, name)) for name in Entry.__slots__}
    return {k: v for k, v in cells.items() if v}


def require_public(register: ResultsRegister, year: int, levels: Iterable[Level] = LEVELS) -> None:
    """Refuse to go on unless the results of a year were signed; the public pack asks this before it is built.

    Parameters
    ----------
    register : ResultsRegister
    year : int
    levels : iterable of {"department", "district", "commune"}
        The levels whose results the pack holds.

    Raises
    ------
    ReleaseError
        Naming each level whose results were not signed, and its state.
    """
    problems = [
        Problem.of(
            "register.problem.not_public",
            file=register.file,
            level=wording.Bilingual(*(wording.text(f"{TOPIC}.level.{level}", lang) for lang in wording.LANGUAGES)),
            state=_state_words(register.state(year, level)),
        )
        for level in levels
        if not register.is_public(year, level)
    ]
    if problems:
        raise ReleaseError("register.error.not_public", problems=problems, year=str(year), file=register.file)


def _state_words(state: State) -> wording.Bilingual:
    return wording.Bilingual(*(wording.text(f"{TOPIC}.state.{state}", language) for language in wording.LANGUAGES))


def _entries(rows: Iterable[Row], problems: list[Problem]) -> tuple[Entry, ...]:
    last: dict[tuple[int, str], Entry] = {}
    found = []
    for row in rows:
        before = len(problems)
        entry = _entry(row, problems)
        if len(problems) > before or entry is None:
            continue
        key = (entry.year, entry.level)
        _check_order(row, entry, last.get(key), problems)
        # a step that is out of order does not move the state: what follows it is judged by the last good one
        if len(problems) == before:
            last[key] = entry
            found.append(entry)
    return tuple(found)


def _entry(row: Row, problems: list[Problem]) -> Entry | None:
    require(row, ("year", "date", "what"), problems)
    year = number(row, "year", problems, low=_FIRST_YEAR, high=_LAST_YEAR)
    if year is not None and not year.is_integer():
        problems.append(row.problem("bad_number", "year"))
    level = cast(Level, known_word(row, "level", LEVELS, problems))
    state = cast(State, known_word(row, "state", STATES, problems))
    role = cast(Role, known_word(row, "role", ROLES, problems))
    date = iso_date(row, "date", problems)
    if year is None:
        return None
    return Entry(int(year), level, state, date, role, row.get("document"), row.get("what"))


def _check_order(row: Row, entry: Entry, last: Entry | None, problems: list[Problem]) -> None:
    place = STATES.index(entry.state)
    wanted = 0 if last is None else STATES.index(last.state) + 1
    if place != wanted:
        following = _typed(STATES[wanted]) if wanted < len(STATES) else _nothing()
        problems.append(_own(row, "order", "state", following=following))
    if last is not None and entry.date < last.date:
        problems.append(_own(row, "date_before", "date", last=last.date))
    if entry.role not in ROLES_OF[entry.state]:
        allowed = _typed(*ROLES_OF[entry.state])
        problems.append(_own(row, "role", "role", allowed=allowed))
    if entry.state == "approved" and not entry.document:
        problems.append(_own(row, "document", "document"))


def _typed(*values: str) -> wording.Bilingual:
    """Return values as people type them in the file."""
    return wording.Bilingual(*("; ".join(word(TOPIC, v, language) for v in values) for language in wording.LANGUAGES))


def _nothing() -> wording.Bilingual:
    return wording.Bilingual(*(wording.text(f"{TOPIC}.state.none", language) for language in wording.LANGUAGES))


def _own(row: Row, name: str, column_key: str, **fields: object) -> Problem:
    """Return a problem of this topic at the place of a cell."""
    shared = row.problem("required_empty", column_key, **fields)
    return Problem(f"{TOPIC}.problem.{name}", shared.fields, file=shared.file, sheet=shared.sheet, row=shared.row)
