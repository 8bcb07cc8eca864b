"""Yearly series with breaks: what may be compared with what, and which years are simply not known.

A break splits a series; a missing year splits it too. No value is interpolated, and no change is computed
between two years that a break keeps apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import pandas as pd

from sipas_research import wording
from sipas_research.errors import AnalysisError
from sipas_research.results import DataKind
from sipas_research.wording import Bilingual

Unit = Literal["percent", "score"]
#: How a printed change is read: as percentage points, as per cent of the earlier value, or printed outright.
Reading = Literal["points", "percent", "printed"]
READINGS: tuple[Reading, ...] = ("points", "percent")
#: The calendar of a series stays within these years: anything else is a slip of typing.
_FIRST_YEAR, _LAST_YEAR, _PERCENT_TOP = 1900, 2100, 100.0


@dataclass(frozen=True, slots=True)
class Point:
    """One known value.

    Attributes
    ----------
    value, target : float
        On the scale of the publication: 87.07 for 87,07%. ``target`` is None where none is printed.
    regime : str
        Name of the measurement regime where the source gives one; a change of it splits like a break.
    source : str
        Id of the fact in the ledger.
    derived : bool
        True where the value is computed (a year before, from a printed change), not printed.
    rank, of : int or None
        Place among ``of`` provinces.
    """

    year: int
    value: float
    regime: str = ""
    source: str = ""
    target: float | None = None
    derived: bool = False
    rank: int | None = None
    of: int | None = None


@dataclass(frozen=True, slots=True)
class Break:
    """A change that keeps years apart: values of years before ``year`` are not comparable with those from it on.

    Attributes
    ----------
    year : int
        First year measured after the change.
    what : str
        Key under ``series.break`` of the catalogue: "residents", "method_2023", "two_tier", ...
    date : str
        Date of the change as yyyy-mm-dd, "" where only the year is known.
    source : str
        Key under ``series.break_source`` of the catalogue.
    known : bool
        True where the source says that this series changed. False: the change is known for the national index
        only; whether this series followed is not printed. Both split the series.
    """

    year: int
    what: str
    date: str = ""
    source: str = ""
    known: bool = True

    def label(self, language: str) -> str:
        """Return the short label that stands beside the line on a chart."""
        return wording.text(f"series.break.{self.what}", language)

    def sentence(self, language: str) -> str:
        """Return what changed, when, and who says so."""
        return wording.text(f"series.break_long.{self.what}", language)


#: Breaks of the national satisfaction index (SIPAS): users of services until 2021, residents from 2022; the method
#: of Decision 1001/QĐ-BNV; districts until 30 June 2025.
SIPAS_BREAKS = (
    Break(2022, "residents", source="s4"),
    Break(2023, "method_2023", "2023-12-11", source="s5"),
    Break(2025, "two_tier", "2025-07-01", source="s7"),
)
#: The PAR INDEX counts the satisfaction of people among its criteria; districts end for it as well.
PAR_INDEX_BREAKS = (Break(2025, "two_tier", "2025-07-01", source="s7"),)
#: The total of PAPI: parts of two dimensions differ between 2018 and 2019; sample and parts changed in 2021.
PAPI_BREAKS = (Break(2019, "papi_2019", source="papi"), Break(2021, "papi_2021", source="papi"))


@dataclass(frozen=True, slots=True)
class Series:
    """Values of one quantity by year.

    Attributes
    ----------
    points : tuple of Point
        One a year, ascending whatever order they were given in.
    breaks : tuple of Break
        Ascending.
    first_year, last_year : int
        The period that the series should cover: years of it without a point are gaps.
    unit : "percent" or "score"
        Percent: values lie in 0-100.
    reading : "points", "percent" or "printed"
        Which reading of printed changes gave the derived points.

    Raises
    ------
    AnalysisError
        If a year occurs twice, lies outside the period, or a value is not finite or not in 0-100 (percent).
    """

    name: Bilingual
    points: tuple[Point, ...]
    breaks: tuple[Break, ...] = ()
    first_year: int = 0
    last_year: int = 0
    unit: Unit = "percent"
    reading: Reading = "printed"
    data_kind: DataKind = DataKind.PUBLISHED

    def __post_init__(self) -> None:
        points = tuple(sorted(self.points, key=lambda p: p.year))
        if not points:
            raise AnalysisError("series.error.empty", name=self.name)
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "breaks", tuple(sorted(self.breaks, key=lambda b: (b.year, b.what))))
        object.__setattr__(self, "first_year", self.first_year or points[0].year)
        object.__setattr__(self, "last_year", self.last_year or points[-1].year)
        object.__setattr__(self, "data_kind", DataKind(self.data_kind))
        _check(self)

    def at(self, year: int) -> Point | None:
        """Return the point of a year, None where the year is a gap."""
        return next((p for p in self.points if p.year == year), None)

    def gaps(self) -> tuple[int, ...]:
        """Return the years of the period without a value, ascending."""
        known = {p.year for p in self.points}
        return tuple(y for y in range(self.first_year, self.last_year + 1) if y not in known)

    def broken(self, first: int, last: int, *, known_only: bool = False) -> tuple[Break, ...]:
        """Return the breaks between two years: those whose first year lies in ``first < year <= last``."""
        return tuple(b for b in self.breaks if first < b.year <= last and (b.known or not known_only))

    def comparable(self, first: int, last: int, *, known_only: bool = False) -> bool:
        """Return whether two years with values stand in one regime with no break between them."""
        ends = self.at(first), self.at(last)
        if ends[0] is None or ends[1] is None:
            return False
        return ends[0].regime == ends[1].regime and not self.broken(first, last, known_only=known_only)

    def segments(self) -> tuple[tuple[Point, ...], ...]:
        """Return runs of consecutive years inside one regime: what a line may join, and nothing more."""
        return self._split(lambda a, b: b.year == a.year + 1 and self.comparable(a.year, b.year))

    def eras(self, *, known_only: bool = False) -> tuple[tuple[Point, ...], ...]:
        """Return the points between breaks; missing years do not split an era.

        ``known_only`` splits only where the source says that this series changed.
        """
        return self._split(lambda a, b: self.comparable(a.year, b.year, known_only=known_only))

    def _split(self, joined: Callable[[Point, Point], bool]) -> tuple[tuple[Point, ...], ...]:
        runs: list[list[Point]] = [[self.points[0]]]
        for before, after in pairwise(self.points):
            if joined(before, after):
                runs[-1].append(after)
            else:
                runs.append([after])
        return tuple(tuple(run) for run in runs)

    def change(self, first: int, last: int) -> float:
        """Return the change between two years with values, in points of the scale.

        Raises
        ------
        AnalysisError
            If one of the years is a gap.
        """
        ends = self.at(first), self.at(last)
        if ends[0] is None or ends[1] is None:
            missing = first if ends[0] is None else last
            raise AnalysisError("series.error.gap", name=self.name, year=str(missing), known=years(self.points))
        return ends[1].value - ends[0].value

    def pace(self, first: int, last: int) -> float:
        """Return the mean change a year between two years with values, in points a year.

        Raises
        ------
        AnalysisError
            If one of the years is a gap, or ``last`` is not after ``first``.
        """
        if last <= first:
            raise AnalysisError("series.error.order", first=str(first), last=str(last))
        return self.change(first, last) / (last - first)

    def until(self, year: int) -> Series:
        """Return the series as it was known at the end of ``year``.

        Raises
        ------
        AnalysisError
            If no value is that old.
        """
        kept = tuple(p for p in self.points if p.year <= year)
        return replace(self, points=kept, last_year=max(year, self.first_year))

    def tidy(self) -> pd.DataFrame:
        """Return one row a year of the period; a gap is a row without a value and ``note`` "gap"."""
        runs = {p.year: number for number, run in enumerate(self.segments(), start=1) for p in run}
        return pd.DataFrame([self._row(y, runs.get(y)) for y in range(self.first_year, self.last_year + 1)])

    def _row(self, year: int, segment: int | None) -> dict[str, object]:
        point = self.at(year)
        return {
            "term": self.name.vi,
            "year": year,
            "estimate": point.value if point else math.nan,
            "target": math.nan if point is None or point.target is None else point.target,
            "rank": point.rank if point else None,
            "segment": segment,
            "derived": point.derived if point else False,
            "source": point.source if point else "",
            "note": "" if point else "gap",
        }

    def glance(self) -> pd.DataFrame:
        """Return one row: how much of the period is known."""
        return pd.DataFrame(
            [
                {
                    "term": self.name.vi,
                    "n_points": len(self.points),
                    "n_years": self.last_year - self.first_year + 1,
                    "n_segments": len(self.segments()),
                    "n_breaks": len(self.breaks),
                    "reading": self.reading,
                    "data_kind": self.data_kind.value,
                }
            ]
        )

    def summary(self, language: str = "vi") -> str:
        """Return which years are known, which are gaps, and the breaks, for people."""
        lines = [wording.text("series.summary.known", language, name=self.name, years=years(self.points))]
        if self.gaps():
            lines.append(wording.text("series.summary.gaps", language, years=year_list(self.gaps())))
        lines += [b.sentence(language) for b in self.broken(self.first_year, self.last_year)]
        if any(not b.known for b in self.broken(self.first_year, self.last_year)):
            lines.append(wording.text("series.summary.possible", language))
        return "\n".join(lines)


def years(points: Iterable[Point]) -> str:
    """Return the years of points for a sentence: "2017, 2018, 2022"."""
    return year_list(p.year for p in points)


def year_list(numbers: Iterable[int]) -> str:
    """Return years for a sentence, runs of three and more shortened: "2014–2016, 2019"."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{r[0]}–{r[-1]}" if len(r) > 2 else ", ".join(map(str, r)) for r in runs)


def _check(series: Series) -> None:
    seen: set[int] = set()
    for point in series.points:
        fields: dict[str, Any] = {"name": series.name, "year": str(point.year)}
        if point.year in seen:
            raise AnalysisError("series.error.twice", **fields)
        seen.add(point.year)
        in_calendar = _FIRST_YEAR <= point.year <= _LAST_YEAR
        if not in_calendar or not series.first_year <= point.year <= series.last_year:
            period = f"{series.first_year}–{series.last_year}"
            raise AnalysisError("series.error.outside", period=period, **fields)
        for value in (point.value, point.target):
            if value is not None and not _possible(value, series.unit):
                raise AnalysisError(f"series.error.value_{series.unit}", value=str(value), **fields)


def _possible(value: float, unit: Unit) -> bool:
    return math.isfinite(value) and (unit != "percent" or 0.0 <= value <= _PERCENT_TOP)
