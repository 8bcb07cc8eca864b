"""What must hold in a file of PAPI's provincial panel; each check returns what is wrong, in the user's terms."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sipas_research.errors import DataFileError, Problem
from sipas_research.evidence.papi_facts import PapiDimension, papi_facts
from sipas_research.survey.raw_table import RawTable

#: Room for rounding at the ends of the 1-10 scale: two published cells lie 0.002 x 3 below it.
_EDGE = 0.02
#: A total is the sum of its dimensions, a dimension the mean of its parts, up to the digits that are printed.
_SUM_ERROR = 0.002
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
        bad = cells.notna() & pd.to_numeric(cells, errors="coerce").isna()
        for position in np.flatnonzero(bad.to_numpy()):
            place: dict[str, Any] = {
                "row": raw.row_number(int(position)),
                "column": column,
                "value": str(cells.iloc[position]),
            }
            found.append(Problem.of("papi.not_number", row=raw.row_number(int(position)), **place))
    return found


def place_problems(raw: RawTable) -> list[Problem]:
    """Return rows with an unknown province, a code of another province, an unknown year, or a twin row."""
    facts = papi_facts()
    found: list[Problem] = []
    seen: dict[tuple[int, int], int] = {}
    names = [p.name.vi for p in facts.provinces]
    for position, cells in enumerate(
        raw.frame[["year", "province", "gso_code", "province_code"]].itertuples(index=False)
    ):
        row = raw.row_number(position)
        known = facts.find(str(cells.province))
        if known is None:
            near = difflib.get_close_matches(str(cells.province), names, n=1)
            key = "papi.province_near" if near else "papi.province_unknown"
            found.append(Problem.of(key, row=row, value=str(cells.province), near="".join(near)))
            continue
        if cells.gso_code != known.gso_code or str(cells.province_code) != known.code:
            codes = f"{cells.province_code}, {float(cells.gso_code):g}"
            wanted = f"{known.code}, {known.gso_code}"
            found.append(Problem.of("papi.code", row=row, province=known.name, value=codes, wanted=wanted))
        if not (facts.first_year <= cells.year <= facts.last_year and float(cells.year).is_integer()):
            span: dict[str, Any] = {"first": str(facts.first_year), "last": str(facts.last_year)}
            found.append(Problem.of("papi.year", row=row, value=f"{cells.year:g}", **span))
            continue
        place = (int(cells.year), known.gso_code)
        if place in seen:
            twin: dict[str, Any] = {"year": str(place[0]), "province": known.name, "first": str(seen[place])}
            found.append(Problem.of("papi.twice", row=row, **twin))
        seen.setdefault(place, row)
    return found


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
    for place_in_file, row in enumerate(rows):
        found += _sum_problems(frame.iloc[place_in_file], row)
    return found


def _sum_problems(cells: pd.Series, row: int) -> list[Problem]:
    facts = papi_facts()
    year = int(cells["year"])
    found = [p for d in facts.dimensions if (p := _dimension_problem(d, cells, row)) is not None]
    dimensions = cells[list(facts.dimensions_in(year))].to_numpy(float)
    total = float(cells[facts.total])
    whole = bool(np.isfinite(dimensions).all())
    if whole != bool(np.isfinite(total)) or (whole and abs(dimensions.sum() - total) > _SUM_ERROR):
        shown: dict[str, Any] = {"value": f"{total:g}", "wanted": f"{dimensions.sum():g}" if whole else ""}
        key = "papi.total" if whole else "papi.total_without_parts"
        found.append(Problem.of(key, row=row, column=facts.total, **shown))
    return found


def _dimension_problem(dimension: PapiDimension, cells: pd.Series, row: int) -> Problem | None:
    parts = cells[list(dimension.parts_in(int(cells["year"])))].to_numpy(float)
    value = float(cells[dimension.id])
    if not len(parts) or (np.isnan(parts).all() and np.isnan(value)):
        return None
    if np.isfinite(parts).all() and np.isfinite(value):
        if abs(parts.mean() - value) <= _SUM_ERROR:
            return None
        shown: dict[str, Any] = {"value": f"{value:g}", "wanted": f"{parts.mean():g}"}
        return Problem.of("papi.parts", row=row, column=dimension.id, **shown)
    return Problem.of("papi.half", row=row, column=dimension.id)


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
