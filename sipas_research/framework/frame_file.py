"""The sampling frame of a study folder: how many people each agency served, as counted by the agency itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from sipas_research.errors import FrameworkError, Problem
from sipas_research.framework.sheet_tables import Row, TableSpec, column, number, read_tables, require, write_tables
from sipas_research.survey.agencies import AgencyRegister

TOPIC = "frames"
_MOST_PEOPLE = 1e8
_SHOWN = 12


@cache
def _tables() -> tuple[TableSpec, ...]:
    columns = (
        column(TOPIC, "agency", 22, required=True),
        column(TOPIC, "name", 45),
        column(TOPIC, "people", 24),
    )
    return (TableSpec(TOPIC, "frame", columns),)


def read_frames(path: Path, register: AgencyRegister) -> dict[str, float]:
    """Read the number of people by agency code; agencies without a number, or without a row, are left out.

    Raises
    ------
    FrameworkError
        If the file cannot be read, or with one Problem for each cell that breaks a rule: a code that the register does
        not hold, a code used twice, a number that is not whole or below 2.
    """
    rows, problems = read_tables(path, _tables(), FrameworkError)
    found: dict[str, float] = {}
    first: dict[str, int] = {}
    for row in rows["frame"]:
        require(row, ["agency"], problems)
        code, people = row.get("agency"), _people(row, problems)
        if not code:
            continue
        if code not in register:
            allowed = ", ".join(register.codes()[:_SHOWN]) or "–"
            problems.append(row.problem("unknown_reference", "agency", allowed=allowed))
        elif code in first:
            problems.append(row.problem("duplicate_id", "agency", first=str(first[code])))
        first.setdefault(code, row.number)
        if math.isfinite(people):
            found[code] = people
    if problems:
        raise FrameworkError("frames.error.invalid", problems=problems, file=path.name, n=len(problems))
    return found


def _people(row: Row, problems: list[Problem]) -> float:
    people = number(row, "people", problems, low=2.0, high=_MOST_PEOPLE)
    if people is None:
        return math.nan
    if not people.is_integer():
        problems.append(row.problem("bad_number", "people"))
    return people


def write_frames_xlsx(register: AgencyRegister, path: Path, people: Mapping[str, float] | None = None) -> Path:
    """Write the agencies of a register as a workbook in which people fill in the numbers; return where it landed."""
    known = people or {}
    rows = [
        {"agency": a.code, "name": a.name.vi, "people": int(known[a.code]) if a.code in known else ""}
        for a in register.agencies
    ]
    return write_tables(path, _tables(), {"frame": rows})
