"""What must hold in a file of PAPI's provincial panel; each check returns what is wrong, in the user's terms."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sipas_research.errors import DataFileError, Problem
from sipas_research.evidence.papi_facts import papi_facts
from sipas_research.survey.raw_table import RawTable
from sipas_research.wording import MISSING

#: Room for rounding at the ends of the 1-10 scale: two published cells lie 0.002 x 3 below it.
_EDGE = 0.02
#: A total is the sum of its dimensions, a dimension the mean of its parts, up to rounding to four decimals; a last
#: line cut inside its total fails this.
_SUM_ERROR = 5e-4
_LOW, _HIGH = 1.0, 10.0
_MOST = 12
_ENOUGH = 0.9


def check_columns(raw: RawTable) -> None:
    """Refuse a file that lacks a column, naming the column that may be it under another name.

    Raises
    ------
    DataFileError
        With one problem a missing column.
    """
    facts = papi_facts()
    needed = ("year", "province_code", "gso_code", "province", *facts.measures)
    there = [str(c) for c in raw.frame.columns]
    missing = [c for c in needed if c not in there]
    if not missing:
        return
    spare = [c for c in there if c not in needed and c not in facts.identifiers]
    problems = []
    for column in missing[:_MOST]:
        near = difflib.get_close_matches(column, spare, n=1, cutoff=0.5)
        key = "papi.column_near" if near else "papi.column_missing"
        problems.append(Problem.of(key, column=column, near="".join(near)))
    raise DataFileError("papi.columns", file=raw.name, missing=len(missing), needed=len(needed), problems=problems)


def number_problems(raw: RawTable) -> list[Problem]:
    """Return the cells of number columns that hold something else."""
    found = []
    for column in ("year", "gso_code", *papi_facts().measures):
        cells = raw.frame[column]
        numbers = pd.to_numeric(cells.astype(object), errors="coerce")
        bad = cells.notna() & (numbers.isna() | pd.api.types.is_datetime64_any_dtype(cells))
        for position in np.flatnonzero(bad.to_numpy()):
            value = str(cells.iloc[int(position)]).removesuffix(" 00:00:00")
            row = raw.row_number(int(position))
            found.append(Problem.of("papi.not_number", row=row, column=column, value=value))
    return found


def place_problems(raw: RawTable) -> list[Problem]:
    """Return rows with an unknown province, a code of another province, an unknown year, or a twin row."""
    facts = papi_facts()
    found: list[Problem] = []
    seen: dict[tuple[int, int], int] = {}
    names = [p.name.vi for p in facts.provinces]
    numbers = {c: pd.to_numeric(raw.frame[c]).astype(float) for c in ("year", "gso_code")}
    placed = raw.frame[["province", "province_code"]].assign(**numbers)
    for position, cells in enumerate(placed.itertuples(index=False)):
        row = raw.row_number(position)
        name = _shown(cells.province)
        known = facts.find(name)
        if known is None:
            near = difflib.get_close_matches(name, names, n=1)
            key = "papi.province_near" if near else "papi.province_unknown"
            found.append(Problem.of(key, row=row, value=name or MISSING, near="".join(near)))
            continue
        if cells.gso_code != known.gso_code or _shown(cells.province_code) != known.code:
            codes = f"{_shown(cells.province_code) or MISSING}, {_shown(cells.gso_code) or MISSING}"
            wanted = f"{known.code}, {known.gso_code}"
            found.append(Problem.of("papi.code", row=row, province=known.name, value=codes, wanted=wanted))
        if not (facts.first_year <= cells.year <= facts.last_year and float(cells.year).is_integer()):
            span: dict[str, Any] = {"first": str(facts.first_year), "last": str(facts.last_year)}
            found.append(Problem.of("papi.year", row=row, value=_shown(cells.year) or MISSING, **span))
            continue
        place = (int(cells.year), known.gso_code)
        if place in seen:
            twin: dict[str, Any] = {"year": str(place[0]), "province": known.name, "first": str(seen[place])}
            found.append(Problem.of("papi.twice", row=row, **twin))
        seen.setdefault(place, row)
    return found


def _shown(cell: object) -> str:
    """Return a cell as the user typed it, "" where it is empty."""
    if isinstance(cell, float):
        return f"{cell:g}" if np.isfinite(cell) else ""
    return "" if cell is None else str(cell)


def missing_problems(frame: pd.DataFrame) -> list[Problem]:
    """Return the years, provinces and single rows that a whole panel has and this one lacks.

    A row whose cells are empty is not missing: the publisher left that province out.
    """
    facts = papi_facts()
    there = set(zip(frame["year"], frame["province"], strict=True))
    years = range(facts.first_year, facts.last_year + 1)
    filled = set(frame.loc[frame[facts.total].notna(), "year"])
    empty = [y for y in years if y not in filled]
    found = [Problem.of("papi.missing_year", years=", ".join(map(str, empty)))] if empty else []
    lost: dict[str, list[int]] = {}
    for province in facts.provinces:
        absent = [y for y in years if y not in empty and (y, province.name.vi) not in there]
        if absent:
            lost[province.name.vi] = absent
    whole = [name for name, absent in lost.items() if len(absent) == len(years) - len(empty)]
    if whole:
        found.append(Problem.of("papi.missing_province", provinces=", ".join(whole), n=len(whole)))
    for year in years:
        gone = [name for name, absent in lost.items() if year in absent and name not in whole]
        if gone:
            found.append(Problem.of("papi.missing_rows", year=str(year), provinces=", ".join(gone), n=len(gone)))
    return found


def check_scale(frame: pd.DataFrame, file: str) -> None:
    """Refuse a file whose scores stand on another scale than 1-10 as a whole.

    Raises
    ------
    DataFileError
        If the sub-dimensions are in the units the publisher prints (their sum is the dimension), or the dimensions
        run to 100, or to 1.
    """
    facts = papi_facts()
    scores = frame[list(facts.dimension_ids)].to_numpy(float)
    scores = scores[np.isfinite(scores)]
    if not len(scores):
        raise DataFileError("papi.scale_empty", file=file)
    ends: dict[str, Any] = {"low": f"{scores.min():g}", "high": f"{scores.max():g}"}
    if np.median(scores) > _HIGH:
        raise DataFileError("papi.scale_hundred", file=file, **ends)
    if np.median(scores) < _LOW:
        raise DataFileError("papi.scale_unit", file=file, **ends)
    if _share(frame, "sum") > _ENOUGH > _share(frame, "mean"):
        raise DataFileError("papi.scale_raw", file=file)


def _share(frame: pd.DataFrame, how: str) -> float:
    """Share of published dimension scores that are the sum, or the mean, of their parts."""
    hits, count = 0, 0
    for dimension in papi_facts().dimensions:
        parts = frame[list(dimension.parts)]
        made = parts.sum(axis=1, min_count=1) if how == "sum" else parts.mean(axis=1)
        error = (made - frame[dimension.id]).abs().dropna()
        hits, count = hits + int((error < _SUM_ERROR).sum()), count + len(error)
    return hits / count if count else 0.0


def value_problems(frame: pd.DataFrame, rows: Sequence[int]) -> list[Problem]:
    """Return scores off the scale, scores of years in which their column did not exist, and sums that fail.

    Parameters
    ----------
    frame : DataFrame
        Checked rows: integer years, score columns as float.
    rows : sequence of int
        Number that the user sees beside each row.
    """
    facts = papi_facts()
    found: list[Problem] = []
    years = frame["year"].to_numpy()
    for column in (*facts.parts, *facts.dimension_ids):
        values = frame[column].to_numpy(float)
        off = (values < _LOW - _EDGE) | (values > _HIGH + _EDGE)
        early = np.isfinite(values) & ~np.array([facts.published(column, int(y)) for y in years])
        for key, hit in (("papi.off_scale", off), ("papi.not_published", early & ~off)):
            for position in np.flatnonzero(hit):
                place: dict[str, Any] = {"row": rows[int(position)], "column": column, "value": f"{values[position]:g}"}
                found.append(Problem.of(key, year=str(years[position]), **place))
    if found:
        return found
    for year in sorted(set(years.tolist())):
        places = np.flatnonzero(years == year)
        found += _sum_problems(frame.iloc[places], [rows[int(p)] for p in places], int(year))
    return sorted(found, key=lambda p: p.row or 0)


def _sum_problems(frame: pd.DataFrame, rows: Sequence[int], year: int) -> list[Problem]:
    """Return what does not add up among the rows of one year."""
    facts = papi_facts()
    found: list[Problem] = []
    for dimension in (d for d in facts.dimensions if d.parts_in(year)):
        parts = frame[list(dimension.parts_in(year))].to_numpy(float)
        found += _part_problems(parts, frame[dimension.id].to_numpy(float), rows, dimension.id)
    dimensions = frame[list(facts.dimensions_in(year))].to_numpy(float)
    total = frame[facts.total].to_numpy(float)
    whole = np.isfinite(dimensions).all(axis=1)
    sums = np.where(whole, dimensions.sum(axis=1), np.nan)
    for position in np.flatnonzero(whole != np.isfinite(total)):
        found.append(Problem.of("papi.total_without_parts", row=rows[int(position)], column=facts.total))
    for position in np.flatnonzero(np.abs(sums - total) > _SUM_ERROR):
        shown: dict[str, Any] = {"value": f"{total[position]:g}", "wanted": f"{sums[position]:g}"}
        found.append(Problem.of("papi.total", row=rows[int(position)], column=facts.total, **shown))
    return found


def _part_problems(parts: np.ndarray, values: np.ndarray, rows: Sequence[int], column: str) -> list[Problem]:
    """Return rows where a dimension is not the mean of its parts, or only some of them are there."""
    there = np.column_stack([np.isfinite(parts), np.isfinite(values)])
    half = there.any(axis=1) & ~there.all(axis=1)
    found = [Problem.of("papi.half", row=rows[int(p)], column=column) for p in np.flatnonzero(half)]
    means = parts.mean(axis=1)
    for position in np.flatnonzero(np.abs(means - values) > _SUM_ERROR):
        shown: dict[str, Any] = {"value": f"{values[position]:g}", "wanted": f"{means[position]:g}"}
        found.append(Problem.of("papi.parts", row=rows[int(position)], column=column, **shown))
    return found


def refuse(key: str, file: str, problems: list[Problem]) -> None:
    """Raise where there are problems; the first twelve are listed, the rest counted.

    Raises
    ------
    DataFileError
        If the list is not empty.
    """
    if not problems:
        return
    shown = problems[:_MOST]
    if len(problems) > _MOST:
        shown.append(Problem.of("papi.more", n=len(problems) - _MOST))
    raise DataFileError(key, file=file, n=len(problems), problems=shown)
