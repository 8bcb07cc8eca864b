"""PAPI's provincial panel: 63 provinces by year, 2011-2024, eight dimensions on 1-10, read from the user's file.

The scores are survey estimates of the publisher (CECODES, VFF-CRT, RTA and UNDP). The file carries no standard
errors, so nothing here has an interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sipas_research.errors import DataFileError, OptionError
from sipas_research.evidence import papi_checks
from sipas_research.evidence.papi_facts import PapiBreak, papi_facts
from sipas_research.results import DataKind
from sipas_research.survey.raw_table import RawTable
from sipas_research.survey.reading import read_table
from sipas_research.wording import text

__all__ = ["PapiGap", "PapiPanel", "read_papi"]


@dataclass(frozen=True, slots=True)
class PapiGap:
    """What the publisher left out for one province in one year; ``whole``: nothing was published."""

    year: int
    province: str
    dimensions: tuple[str, ...]
    whole: bool


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class PapiPanel:
    """Scores by province and year.

    Attributes
    ----------
    frame : DataFrame
        One row a province-year: ``year`` (int), ``province`` (Vietnamese name), ``region`` and the score columns
        (float, 1-10; the total 6-60 to 2017 and 8-80 from 2018). NaN: not published.
    data_kind : DataKind
        PUBLISHED, or SIMULATED where the file carries the marker.
    source : str
        Name of the file.
    gaps : tuple of PapiGap
        By year, then in the order of the register.
    ignored : tuple of str
        Columns of the file that the reader does not know; they are not in ``frame``.
    """

    frame: pd.DataFrame
    data_kind: DataKind
    source: str = ""
    gaps: tuple[PapiGap, ...] = ()
    ignored: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"PapiPanel({self.source}: {len(self.provinces)} provinces, {len(self.years)} years)"

    @property
    def years(self) -> tuple[int, ...]:
        """Years of the panel, ascending."""
        return tuple(sorted(int(y) for y in self.frame["year"].unique()))

    @property
    def provinces(self) -> tuple[str, ...]:
        """Provinces in the order of the register."""
        return tuple(dict.fromkeys(self.frame["province"]))

    def province(self, name: str) -> str:
        """Return the panel's spelling of a province's name.

        Raises
        ------
        OptionError
            If no province of the panel has this name.
        """
        known = papi_facts().find(name)
        spelling = known.name.vi if known else name
        if spelling not in self.provinces:
            raise OptionError("papi.no_such_province", value=name, n=len(self.provinces))
        return spelling

    def scores(self, column: str) -> pd.DataFrame:
        """Return one column as a table, shape (years, provinces), both labelled; NaN: not published.

        Raises
        ------
        OptionError
            If the column is no score of the panel.
        """
        if column not in papi_facts().measures or column not in self.frame:
            allowed = ", ".join((*papi_facts().dimension_ids, papi_facts().total))
            raise OptionError("papi.no_such_column", value=column, allowed=allowed)
        table = self.frame.pivot(index="year", columns="province", values=column)
        return table.reindex(index=list(self.years), columns=list(self.provinces)).astype(float)

    def published(self, year: int) -> tuple[str, ...]:
        """Return the provinces that have a total in a year: the ones an order can be given for."""
        rows = self.frame.loc[(self.frame["year"] == year) & self.frame[papi_facts().total].notna()]
        return tuple(rows["province"])

    def breaks(self, column: str = "") -> tuple[PapiBreak, ...]:
        """Return the breaks of the whole panel and of one column that fall within its years."""
        first, last = (self.years[0], self.years[-1]) if self.years else (0, 0)
        return tuple(b for b in papi_facts().breaks_of(column) if first < b.year <= last)

    def tidy(self) -> pd.DataFrame:
        """One row a province, year and score: columns term, group (province), year, estimate."""
        columns = [c for c in papi_facts().measures if c in self.frame]
        long = self.frame.melt(["year", "province"], columns, var_name="term", value_name="estimate")
        return long.rename(columns={"province": "group"})[["term", "group", "year", "estimate"]]

    def glance(self) -> pd.DataFrame:
        """One row: provinces, years, rows, province-years that lack something, data kind."""
        counts = {"n_provinces": len(self.provinces), "n_years": len(self.years), "n": len(self.frame)}
        return pd.DataFrame([counts | {"n_gaps": len(self.gaps), "data_kind": self.data_kind.value}])

    def summary(self, language: str = "vi") -> str:
        """Return what was read, what is not published, and the breaks, one sentence a line."""
        span = {"first": str(self.years[0]), "last": str(self.years[-1])} if self.years else {"first": "", "last": ""}
        head = {"provinces": len(self.provinces), "gaps": len(self.gaps), **span}
        lines = [text("papi.summary", language, file=self.source, **head)]
        lines += [text(f"papi.break.{b.name}", language) for b in self.breaks()]
        if self.ignored:
            lines.append(text("papi.ignored", language, names=", ".join(self.ignored)))
        return "\n".join(lines)


def read_papi(path: str | Path) -> PapiPanel:
    """Read PAPI's provincial panel and refuse what is not it.

    Parameters
    ----------
    path : str or Path
        A .csv or .xlsx file with the columns of ``papi_panel_1to10.csv``: one row a province and year, 63 provinces,
        2011-2024, sub-dimensions and dimensions on 1-10, an empty cell where nothing was published.

    Returns
    -------
    PapiPanel
        ``data_kind`` PUBLISHED; SIMULATED where the file carries the marker column ``data_kind``.

    Raises
    ------
    DataFileError
        If a column is missing (a renamed one is named), a cell is no number, a province is unknown, a province-year
        stands twice or not at all, the scores are on another scale, or totals do not follow from their parts.
    """
    raw = read_table(path)
    papi_checks.check_columns(raw)
    papi_checks.refuse("papi.numbers", raw.name, papi_checks.number_problems(raw))
    papi_checks.refuse("papi.places", raw.name, papi_checks.place_problems(raw))
    frame, rows = _ordered(raw)
    papi_checks.check_scale(frame, raw.name)
    papi_checks.refuse("papi.truncated", raw.name, papi_checks.missing_problems(frame))
    papi_checks.refuse("papi.values", raw.name, papi_checks.value_problems(frame, rows))
    kind = DataKind.SIMULATED if raw.simulated else DataKind.PUBLISHED
    known = {*papi_facts().identifiers, *papi_facts().measures, "data_kind"}
    ignored = tuple(str(c) for c in raw.frame.columns if c not in known)
    return PapiPanel(frame, kind, raw.name, find_gaps(frame), ignored)


def _ordered(raw: RawTable) -> tuple[pd.DataFrame, list[int]]:
    """Return the rows by year in register order, and the number that the user sees beside each."""
    facts = papi_facts()
    known = [facts.find(str(name)) for name in raw.frame["province"]]
    if any(p is None for p in known):
        raise DataFileError("papi.places", file=raw.name, n=0)
    frame = pd.DataFrame(
        {
            "year": raw.frame["year"].astype(int),
            "province": [p.name.vi for p in known if p is not None],
            "region": [p.region for p in known if p is not None],
            **{c: pd.to_numeric(raw.frame[c]).astype(float) for c in facts.measures},
            "_code": [p.gso_code for p in known if p is not None],
            "_row": raw.row_numbers(),
        }
    ).sort_values(["year", "_code"], ignore_index=True)
    return frame.drop(columns=["_code", "_row"]), [int(r) for r in frame["_row"]]


def find_gaps(frame: pd.DataFrame) -> tuple[PapiGap, ...]:
    """Return every province-year that lacks a dimension which was published that year."""
    facts = papi_facts()
    found = []
    for year, rows in frame.groupby("year", sort=True):
        wanted = list(facts.dimensions_in(int(str(year))))
        absent = rows[wanted].isna().to_numpy()
        for province, lacking in zip(rows["province"], absent, strict=True):
            if lacking.any():
                names = tuple(w for w, gone in zip(wanted, lacking, strict=True) if gone)
                found.append(PapiGap(int(str(year)), str(province), names, bool(lacking.all())))
    return tuple(found)
