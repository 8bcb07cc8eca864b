"""The PAR INDEX tree (fields, indicators, components) read from the user's table; gaps stay gaps.

The conference of 2021 prints 8 fields, 43 indicators, 102 components and "5/8" that rose, but no scores: only the
owner's table can fill the tree. No parent's score is computed from its children, because a table may hold points
at one level and per cent at another.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from sipas_research import wording
from sipas_research.errors import DataFileError, Problem
from sipas_research.results import DataKind
from sipas_research.survey.raw_table import RawTable
from sipas_research.survey.reading import read_table
from sipas_research.survey.workbook import ColumnSpec, SheetSpec, cell_text, fold, match_headers, phrase, write_workbook

Level = Literal["field", "indicator", "component"]
Direction = Literal["up", "down", "same", "unknown"]
LEVELS: tuple[Level, ...] = ("field", "indicator", "component")
DIRECTIONS: tuple[Direction, ...] = ("up", "down", "same", "unknown")
#: What the source prints for 2021: 8 lĩnh vực, 43 chỉ tiêu, 102 tiêu chí thành phần.
PRINTED_COUNTS: Mapping[Level, int] = {"field": 8, "indicator": 43, "component": 102}
#: File names looked for in a study's folder, in this order.
FILE_NAMES = ("par_index.xlsx", "par_index.csv")
_TOP = 100.0
_NOT_GIVEN = frozenset({"", "-", "–", "—", "x", "na", "n/a", "#n/a"})


@dataclass(frozen=True, slots=True)
class ParNode:
    """One row of the tree; ``score`` and ``previous`` are NaN where the table leaves them empty."""

    level: Level
    field: str
    indicator: str = ""
    component: str = ""
    score: float = math.nan
    previous: float = math.nan
    row: int = 0

    @property
    def name(self) -> str:
        """Name of the row at its own level."""
        return self.component or self.indicator or self.field

    @property
    def change(self) -> float:
        """Score less previous score; NaN where either is missing."""
        return self.score - self.previous

    @property
    def direction(self) -> Direction:
        """Whether the score rose, fell, stayed, or cannot be told."""
        if math.isnan(self.change):
            return "unknown"
        return "same" if self.change == 0 else "up" if self.change > 0 else "down"


@dataclass(frozen=True, slots=True)
class ParTable:
    """The tree in file order with its name; ``data_kind`` is USER unless the file is marked as simulated."""

    name: str
    nodes: tuple[ParNode, ...]
    data_kind: DataKind = DataKind.USER

    def at(self, level: Level) -> tuple[ParNode, ...]:
        """Return the rows of one level in file order."""
        return tuple(n for n in self.nodes if n.level == level)

    def counts(self) -> pd.DataFrame:
        """Return one row a level: rows given, number printed for 2021, missing, up, down, same, unknown."""
        rows = []
        for level in LEVELS:
            nodes = self.at(level)
            found: dict[str, int] = {d: sum(n.direction == d for n in nodes) for d in DIRECTIONS}
            printed = PRINTED_COUNTS[level]
            row: dict[str, Any] = {"term": level, "n": len(nodes), "printed": printed, "missing": printed - len(nodes)}
            rows.append(row | found)
        return pd.DataFrame(rows)

    def gaps(self) -> tuple[ParNode, ...]:
        """Return the rows with a score or a previous score missing."""
        return tuple(n for n in self.nodes if math.isnan(n.change))

    def tidy(self) -> pd.DataFrame:
        """Return one row a node, names first; NaN where the table has none."""
        return pd.DataFrame(
            [
                {
                    "term": n.level,
                    "field": n.field,
                    "indicator": n.indicator,
                    "component": n.component,
                    "estimate": n.score,
                    "previous": n.previous,
                    "change": n.change,
                    "direction": n.direction,
                    "row": n.row,
                }
                for n in self.nodes
            ]
        )

    def glance(self) -> pd.DataFrame:
        """Return one row: rows a level and gaps."""
        return pd.DataFrame(
            [
                {
                    **{f"n_{level}": len(self.at(level)) for level in LEVELS},
                    "n_gaps": len(self.gaps()),
                    "data_kind": self.data_kind.value,
                }
            ]
        )

    def summary(self, language: str = "vi") -> str:
        """Return one line a level, for people."""
        lines = []
        for row in self.counts().to_dict("records"):
            level = wording.text(f"par.level.{row['term']}", language)
            fields = {name: int(row[name]) for name in ("n", "printed", "up", "down", "same", "unknown")}
            lines.append(wording.text("par.summary", language, level=level, **fields))
        return "\n".join(lines)


def _columns() -> tuple[ColumnSpec, ...]:
    def column(key: str, width: float, *, required: bool = False) -> ColumnSpec:
        return ColumnSpec(key, phrase(f"par.column.{key}"), width, (), wording.text(f"par.tip.{key}", "vi"), required)

    return (
        column("field", 38, required=True),
        column("indicator", 42),
        column("component", 48),
        column("score", 14, required=True),
        column("previous", 16),
    )


def read_par_table(path: str | Path, *, sheet: str = "") -> ParTable:
    """Read the PAR INDEX tree from a .csv or .xlsx file.

    Columns (Vietnamese or English headers): field, indicator, component, score, previous. The deepest name that is
    filled says the level of the row; names left empty to its left are those of the row above, as in a table with
    merged cells. Scores lie in 0-100 with a decimal comma or point; an empty score is a gap.

    Parameters
    ----------
    path : str or Path
    sheet : str, keyword only
        Name of the Excel sheet; "" takes the first one that holds data.

    Returns
    -------
    ParTable

    Raises
    ------
    DataFileError
        If the file cannot be read, or with one Problem a cell that breaks a rule (file, sheet, row, column).
    """
    raw = read_table(path, sheet=sheet)
    place: dict[str, Any] = {"file": raw.name, "sheet": raw.sheet or "–"}
    keys, problems = match_headers(raw.frame.columns, _columns(), {**place, "row": raw.first_row - 1})
    # the marker of simulated data is no column of the tree, and no mistake
    problems = [p for p in problems if p.key != "workbook.unknown_header" or p.column != "data_kind"]
    nodes = _nodes(raw, keys, place, problems)
    if not problems and not nodes:
        problems.append(Problem.of("par.problem.no_rows", **place))
    if problems:
        raise DataFileError("par.refused", problems=problems, file=raw.name, n=len(problems))
    return ParTable(raw.name, nodes, DataKind.SIMULATED if raw.simulated else DataKind.USER)


def find_par_table(folder: str | Path) -> ParTable | None:
    """Return the tree of a study's folder (``par_index.xlsx`` or ``par_index.csv``), None where there is no file.

    Raises
    ------
    DataFileError
        As :func:`read_par_table`.
    """
    found = next((p for name in FILE_NAMES if (p := Path(folder) / name).is_file()), None)
    return None if found is None else read_par_table(found)


def write_par_template(path: str | Path) -> Path:
    """Write an empty workbook with the five columns and a tip on each; return where it landed."""
    return write_workbook(Path(path), [SheetSpec(phrase("par.sheet").vi, _columns())])


def _nodes(
    raw: RawTable, keys: Mapping[str, str], place: Mapping[str, Any], problems: list[Problem]
) -> tuple[ParNode, ...]:
    frame = raw.frame[list(keys)].rename(columns=dict(keys))
    nodes: list[ParNode] = []
    first: dict[tuple[str, str, str], int] = {}
    above = dict.fromkeys(LEVELS, "")
    for number, cells in zip(raw.row_numbers(), frame.to_dict("records"), strict=True):
        given = {str(k): "" if pd.isna(v) else cell_text(v) for k, v in cells.items()}
        here: dict[str, Any] = {**place, "row": int(number)}
        names = _path(given, above)
        if names is None:
            if any(given.values()):
                problems.append(Problem.of("par.problem.no_name", **here))
            continue
        above = names
        path = (fold(names["field"]), fold(names["indicator"]), fold(names["component"]))
        if path in first:
            deepest = names["component"] or names["indicator"] or names["field"]
            problems.append(Problem.of("par.problem.twice", first=str(first[path]), name=deepest, **here))
        first.setdefault(path, int(number))
        level: Level = "component" if names["component"] else "indicator" if names["indicator"] else "field"
        score, previous = (_score(given.get(c, ""), c, here, problems) for c in ("score", "previous"))
        nodes.append(ParNode(level, **names, score=score, previous=previous, row=int(number)))
    return tuple(nodes)


def _path(given: Mapping[str, str], above: Mapping[Level, str]) -> dict[Level, str] | None:
    """Return the row's three names: to the left of the deepest one, empty cells take the name above."""
    filled = [place for place, level in enumerate(LEVELS) if given.get(level)]
    if not filled:
        return None
    names: dict[Level, str] = dict.fromkeys(LEVELS, "")
    changed = False
    for place, level in enumerate(LEVELS[: filled[-1] + 1]):
        typed = given.get(level, "")
        # under a new parent nothing is taken from above
        names[level] = typed or ("" if changed else above[level])
        changed = changed or (bool(typed) and fold(typed) != fold(above[level]))
        if not names[level] and place < filled[-1] and level == "field":
            return None
    return names


def _score(typed: str, column: str, place: Mapping[str, Any], problems: list[Problem]) -> float:
    plain = typed.replace(" ", "").removesuffix("%")
    if plain.casefold() in _NOT_GIVEN:
        return math.nan
    try:
        value = float(plain.replace(",", "."))
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and 0.0 <= value <= _TOP):
        title = phrase(f"par.column.{column}").vi
        problems.append(Problem.of("par.problem.score", column=title, value=typed, **place))
        return math.nan
    return value
