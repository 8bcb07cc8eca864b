"""Order of provinces by PAPI's published totals, and how far it hangs on which dimensions count how much.

The panel has no standard errors, so no rank has a confidence interval here. What is given instead is the range of
a province's rank over stated changes of the total. It says nothing about sampling.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields

import numpy as np
import pandas as pd

from sipas_research.errors import AnalysisError
from sipas_research.evidence.papi import PapiPanel
from sipas_research.evidence.papi_facts import papi_facts
from sipas_research.results import DataKind
from sipas_research.wording import number, text


@dataclass(frozen=True, slots=True)
class RankRow:
    """A province in one year.

    ``rank`` is 1 plus the number of provinces with a higher total, among ``of`` that have one. ``left_best`` and
    ``left_worst``: over totals that leave one dimension out; ``weight_best`` and ``weight_worst``: over totals that
    count one dimension twice.
    """

    group: str
    year: int
    estimate: float
    rank: int
    of: int
    left_best: int
    left_worst: int
    weight_best: int
    weight_worst: int


@dataclass(frozen=True, slots=True)
class ProvinceRanks:
    """Ranks of provinces by year. No intervals: the published file has no standard errors."""

    rows: tuple[RankRow, ...]
    data_kind: DataKind
    source: str = ""

    def of(self, province: str) -> tuple[RankRow, ...]:
        """Return the rows of one province, by year."""
        return tuple(r for r in self.rows if r.group == province)

    def tidy(self) -> pd.DataFrame:
        """One row a province and year; ``estimate`` is the published total."""
        return pd.DataFrame([astuple(r) for r in self.rows], columns=[f.name for f in fields(RankRow)])

    def glance(self) -> pd.DataFrame:
        """One row: years, rows, data kind."""
        years = len({r.year for r in self.rows})
        return pd.DataFrame([{"n_years": years, "n": len(self.rows), "data_kind": self.data_kind.value}])

    def summary(self, language: str = "vi") -> str:
        """Return the first province of each year, and what the ranks are not."""
        lines = []
        for row in (r for r in self.rows if r.rank == 1):
            total = number(row.estimate, 2, language)
            lines.append(text("levers.ranks.first", language, year=str(row.year), province=row.group, total=total))
        return "\n".join([*lines, text("levers.ranks.no_interval", language)])


def province_ranks(panel: PapiPanel, years: Iterable[int] | None = None) -> ProvinceRanks:
    """Rank the provinces of each year by their published total.

    Parameters
    ----------
    panel : PapiPanel
    years : iterable of int, optional
        None takes every year from 2018 on: before, the total sums six dimensions.

    Raises
    ------
    AnalysisError
        If no year has a province with a total.
    """
    chosen = [y for y in panel.years if y >= 2018] if years is None else [y for y in panel.years if y in set(years)]
    rows = [row for year in chosen for row in _year_rows(panel, year)]
    if not rows:
        raise AnalysisError("levers.ranks.none")
    return ProvinceRanks(tuple(rows), panel.data_kind, panel.source)


def ranks_of(values: np.ndarray) -> np.ndarray:
    """Return 1 plus the number of higher values, shape as ``values``; equal values share the better rank."""
    values = np.asarray(values, float)
    return 1 + (values[None, :] > values[:, None]).sum(axis=1)


def _year_rows(panel: PapiPanel, year: int) -> list[RankRow]:
    facts = papi_facts()
    dimensions = list(facts.dimensions_in(year))
    rows = panel.frame.loc[(panel.frame["year"] == year) & panel.frame[facts.total].notna()]
    if not len(rows):
        return []
    scores = rows[dimensions].to_numpy(float)
    total = rows[facts.total].to_numpy(float)
    # Totals are summed anew only where a dimension is left out or counted twice: ties stay as published.
    ranks = ranks_of(total)
    left = np.array([ranks_of(total - column) for column in scores.T])
    twice = np.array([ranks_of(total + column) for column in scores.T])
    return [
        RankRow(
            str(province),
            year,
            float(total[i]),
            int(ranks[i]),
            len(rows),
            int(left[:, i].min()),
            int(left[:, i].max()),
            int(twice[:, i].min()),
            int(twice[:, i].max()),
        )
        for i, province in enumerate(rows["province"])
    ]
