"""From the ledger to series: two indices of Lạng Sơn, the ten-year review of the unnamed province, PAPI's total.

A year before is computed from the printed value and the printed rise, under one named reading; its point is marked as
derived and points at the ledger's derived row.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from sipas_research import wording
from sipas_research.errors import OptionError
from sipas_research.evidence.arithmetic import previous_in_percent, previous_in_points, printed
from sipas_research.evidence.ledger import Ledger, facts
from sipas_research.evidence.series import (
    PAPI_BREAKS,
    PAR_INDEX_BREAKS,
    SIPAS_BREAKS,
    Break,
    Point,
    Reading,
    Series,
)
from sipas_research.results import DataKind
from sipas_research.survey.workbook import phrase

IndexName = Literal["par", "sipas"]
INDICES: tuple[IndexName, ...] = ("par", "sipas")
#: Readings of a printed rise.
READINGS: tuple[Reading, ...] = ("points", "percent")
#: Year of the conference's figures, and the period that the study looks at.
YEAR = 2021
STUDY_PERIOD = (2018, 2022)
REVIEW_PERIOD = (2014, 2023)
REVIEW_YEARS = (2018, 2023)
PAPI_PERIOD = (2018, 2024)
_NAMES = {"par": "series.name.par_index", "sipas": "series.name.sipas"}
_BREAKS = {"par": PAR_INDEX_BREAKS, "sipas": SIPAS_BREAKS}


@dataclass(frozen=True, slots=True)
class PolicyEvent:
    """A dated document that a source names; ``what`` is a key under ``series.event``, ``source`` a ledger id."""

    date: datetime.date
    what: str
    source: str

    def label(self, language: str) -> str:
        """Return the document's name and date."""
        return wording.text(f"series.event.{self.what}", language)


#: The two documents of the ten-year review.
REVIEW_EVENTS = (
    PolicyEvent(datetime.date(2017, 3, 31), "programme_12", "review_event_2017"),
    PolicyEvent(datetime.date(2022, 10, 18), "conclusion_91", "review_event_2022"),
)


@dataclass(frozen=True, slots=True)
class IndexYear:
    """One index in one year as printed, and the year before under both readings of the printed rise.

    Values are on the 0-100 scale; ``change_printed`` is the text of the source; ranks are places among ``of``.
    """

    index: IndexName
    year: int
    value: float
    rank: int
    of: int
    change: float
    change_printed: str
    places: int
    previous_points: float
    previous_percent: float
    sources: tuple[str, ...]

    @property
    def previous_rank(self) -> int:
        """Rank of the year before: places gained are added."""
        return self.rank + self.places

    def name(self, language: str) -> str:
        """Return the name of the index."""
        return wording.text(_NAMES[self.index], language)


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Two indices side by side."""

    lines: tuple[IndexYear, ...]
    data_kind: DataKind = DataKind.PUBLISHED

    def line(self, index: IndexName) -> IndexYear:
        """Return one index."""
        return next(line for line in self.lines if line.index == index)

    def tidy(self) -> pd.DataFrame:
        """Return one row an index; values 0-100."""
        return pd.DataFrame(
            [
                {
                    "term": line.index,
                    "group": str(line.year),
                    "estimate": line.value,
                    "rank": line.rank,
                    "of": line.of,
                    "change": line.change,
                    "places": line.places,
                    "previous_points": line.previous_points,
                    "previous_percent": line.previous_percent,
                    "previous_rank": line.previous_rank,
                    "source": " ".join(line.sources),
                }
                for line in self.lines
            ]
        )

    def glance(self) -> pd.DataFrame:
        """Return one row: year, number of indices."""
        row = {"year": self.lines[0].year, "n": len(self.lines), "data_kind": self.data_kind.value}
        return pd.DataFrame([row])

    def summary(self, language: str = "vi") -> str:
        """Return one line an index, for people."""
        return "\n".join(
            wording.text(
                "series.dashboard.summary",
                language,
                name=line.name(language),
                year=str(line.year),
                value=wording.percent(line.value / 100, language),
                rank=line.rank,
                of=line.of,
                points=wording.percent(line.previous_points / 100, language),
                percent=wording.percent(line.previous_percent / 100, language),
            )
            for line in self.lines
        )


def dashboard(ledger: Ledger | None = None) -> Dashboard:
    """Return the two indices of Lạng Sơn in 2021: value, rank, change, places, the year before.

    Raises
    ------
    OptionError
        If the ledger given does not hold one of the figures.
    """
    ledger = facts() if ledger is None else ledger
    return Dashboard(tuple(_index_year(ledger, index) for index in INDICES))


def _index_year(ledger: Ledger, index: IndexName) -> IndexYear:
    value, rank, change, places = (
        ledger.get(f"ls_{index}_{part}{YEAR}") for part in ("", "rank_", "change_", "places_")
    )
    return IndexYear(
        index,
        YEAR,
        value.value,
        int(rank.value),
        int(rank.out_of),
        change.value,
        change.printed,
        int(places.value),
        _previous(value.printed, change.printed, "points"),
        _previous(value.printed, change.printed, "percent"),
        (value.id, rank.id, change.id, places.id),
    )


def index_series(index: IndexName, reading: Reading, *, ledger: Ledger | None = None) -> Series:
    """Return one index of Lạng Sơn over the study's period 2018-2022: 2020 derived, 2021 printed, the rest gaps.

    Raises
    ------
    OptionError
        If the index or the reading is unknown, or the ledger given does not hold the figures.
    """
    if index not in INDICES:
        raise OptionError("series.error.index", value=str(index), allowed=", ".join(INDICES))
    _check_reading(reading)
    line = _index_year(facts() if ledger is None else ledger, index)
    before = line.previous_points if reading == "points" else line.previous_percent
    source = f"ls_{index}_{YEAR - 1}_{reading}"
    points = (
        Point(YEAR - 1, before, source=source, derived=True, rank=line.previous_rank, of=line.of),
        Point(YEAR, line.value, source=line.sources[0], rank=line.rank, of=line.of),
    )
    first, last = STUDY_PERIOD
    return Series(phrase(_NAMES[index]), points, _BREAKS[index], first, last, "percent", reading)


def review_series(reading: Reading, *, ledger: Ledger | None = None) -> Series:
    """Return the ten-year review 2014-2023: 2018 and 2023 printed with targets, 2017 and 2022 derived, six gaps.

    The breaks of the national index split it as possible ones (``known=False``): the source does not say whether the
    province's own survey changed.

    Raises
    ------
    OptionError
        If the reading is unknown, or the ledger given does not hold the figures.
    """
    _check_reading(reading)
    ledger = facts() if ledger is None else ledger
    points = []
    for year in REVIEW_YEARS:
        value, change, target = (ledger.get(f"review_{part}_{year}") for part in ("index", "change", "target"))
        before = _previous(value.printed, change.printed, reading)
        points.append(Point(year - 1, before, source=f"review_index_{year - 1}_{reading}", derived=True))
        points.append(Point(year, value.value, source=value.id, target=target.value))
    breaks = tuple(replace(b, known=b.what == "two_tier") for b in SIPAS_BREAKS)
    first, last = REVIEW_PERIOD
    return Series(phrase("series.name.ten_year"), tuple(points), breaks, first, last, "percent", reading)


def review_targets(ledger: Ledger | None = None) -> dict[int, float]:
    """Return the printed minimum targets, year to value: 90 in 2025, 95 in 2030."""
    ledger = facts() if ledger is None else ledger
    return {year: ledger.value(f"review_target_{year}") for year in (2025, 2030)}


def papi_series(*, ledger: Ledger | None = None) -> Series:
    """Return PAPI's total score of Lạng Sơn, 2018-2024, with its place among the provinces published each year."""
    ledger = facts() if ledger is None else ledger
    points = []
    first, last = PAPI_PERIOD
    for year in range(first, last + 1):
        total, rank = ledger.get(f"ls_papi_total_{year}"), ledger.get(f"ls_papi_rank_{year}")
        points.append(Point(year, total.value, source=total.id, rank=int(rank.value), of=int(rank.out_of)))
    known: tuple[Break, ...] = PAPI_BREAKS
    return Series(phrase("series.name.papi_total"), tuple(points), known, first, last, "score")


def _check_reading(reading: str) -> None:
    if reading not in READINGS:
        raise OptionError("series.error.reading", value=str(reading), allowed=", ".join(READINGS))


def _previous(value: str, change: str, reading: Reading) -> float:
    ends = printed(value, "value"), printed(change, "change")
    found = previous_in_points(*ends) if reading == "points" else previous_in_percent(*ends)
    if found is None:
        raise OptionError("series.error.change", value=change)
    return found.value
