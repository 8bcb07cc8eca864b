"""Provinces alike before 2018, and what a province's scores have done beside theirs since."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields

import numpy as np
import pandas as pd

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.evidence.papi import PapiPanel
from sipas_research.evidence.papi_facts import papi_facts
from sipas_research.results import DataKind
from sipas_research.wording import number, text

#: Years over which likeness is judged: before the dimensions changed.
BASE_YEARS = tuple(range(2011, 2018))


@dataclass(frozen=True, slots=True)
class Peer:
    """A province near the one asked for; ``estimate`` is the distance in standard deviations, ``n`` years used."""

    group: str
    estimate: float
    region: str
    n: int


@dataclass(frozen=True, slots=True)
class PeerGap:
    """A province's score and the mean of its peers in one year; NaN where either is not published."""

    term: str
    year: int
    own: float
    peers: float
    estimate: float
    n: int


@dataclass(frozen=True, slots=True)
class Peers:
    """The nearest provinces by the stated rule, nearest first.

    ``rows`` holds the chosen ones, ``others`` the rest of the candidates in order of distance, ``left_out`` those
    without a score in some dimension over all base years.
    """

    province: str
    rows: tuple[Peer, ...]
    others: tuple[Peer, ...]
    left_out: tuple[str, ...]
    dimensions: tuple[str, ...]
    years: tuple[int, ...]
    region: str
    data_kind: DataKind
    source: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the chosen provinces, nearest first."""
        return tuple(r.group for r in self.rows)

    def tidy(self) -> pd.DataFrame:
        """One row a candidate, nearest first; ``chosen`` tells the peers from the rest."""
        table = pd.DataFrame([astuple(r) for r in (*self.rows, *self.others)], columns=[f.name for f in fields(Peer)])
        return table.assign(chosen=[True] * len(self.rows) + [False] * len(self.others))

    def glance(self) -> pd.DataFrame:
        """One row: province, peers, candidates, dimensions, data kind."""
        counts = {"n": len(self.rows), "n_candidates": len(self.rows) + len(self.others)}
        kind = {"n_dimensions": len(self.dimensions), "region": self.region, "data_kind": self.data_kind.value}
        return pd.DataFrame([{"group": self.province} | counts | kind])

    def summary(self, language: str = "vi") -> str:
        """Return the peers with their distances in one sentence."""
        listed = ", ".join(f"{r.group} ({number(r.estimate, 2, language)})" for r in self.rows)
        return text("levers.peers.summary", language, province=self.province, peers=listed)


def peers(
    panel: PapiPanel,
    province: str,
    *,
    n: int = 5,
    within_region: bool = True,
    years: Iterable[int] = BASE_YEARS,
    dimensions: Iterable[str] | None = None,
) -> Peers:
    """Return the provinces nearest to one before 2018.

    The rule: each province's mean of each dimension over the base years that were published for it; each dimension
    divided by its standard deviation over all provinces (divisor k - 1); Euclidean distance; the ``n`` nearest.

    Parameters
    ----------
    panel : PapiPanel
    province : str
        Name of a province of the panel.
    n : int, keyword only
        Number of peers, at least 1; fewer where there are fewer candidates.
    within_region : bool, keyword only
        True takes peers only from the province's socio-economic region.
    years : iterable of int, keyword only
        Base years.
    dimensions : iterable of str, keyword only
        None takes the six dimensions that stand in every base year.

    Raises
    ------
    OptionError
        If the province or a dimension is unknown, or ``n`` is below 1.
    AnalysisError
        If no other province can be compared, or the province itself has no score.
    """
    if n < 1:
        raise OptionError("levers.peers.n", value=str(n))
    name = panel.province(province)
    base = tuple(y for y in panel.years if y in set(years))
    chosen = tuple(dimensions) if dimensions is not None else _dimensions(base)
    means = _means(panel, chosen, base)
    if not base or not chosen or not np.isfinite(means.loc[name].to_numpy()).all():
        raise AnalysisError("levers.peers.no_base", province=name)
    regions = dict(zip(panel.frame["province"], panel.frame["region"], strict=True))
    complete = means.dropna()
    spread = complete.std(ddof=1)
    steady = spread.index[spread > 1e-12]
    candidates = [p for p in complete.index if p != name and (not within_region or regions[p] == regions[name])]
    if not candidates or not len(steady):
        raise AnalysisError("levers.peers.none", province=name)
    apart = (complete[steady] - complete.loc[name, steady]) / spread[steady]
    distance = np.sqrt((apart**2).sum(axis=1))
    counted = panel.frame.loc[panel.frame["year"].isin(base)].dropna(subset=list(chosen), how="all")
    used = counted.groupby("province").size()
    found = sorted(
        (Peer(p, float(distance[p]), regions[p], int(used[p])) for p in candidates), key=lambda r: (r.estimate, r.group)
    )
    left_out = tuple(p for p in means.index if p not in complete.index)
    region = regions[name] if within_region else ""
    rows, others = tuple(found[:n]), tuple(found[n:])
    return Peers(name, rows, others, left_out, chosen, base, region, panel.data_kind, panel.source)


def _dimensions(years: tuple[int, ...]) -> tuple[str, ...]:
    facts = papi_facts()
    return tuple(d for d in facts.dimension_ids if years and all(d in facts.dimensions_in(y) for y in years))


def _means(panel: PapiPanel, columns: tuple[str, ...], years: tuple[int, ...]) -> pd.DataFrame:
    """Return mean scores over the years, shape (provinces, columns)."""
    tables = {c: panel.scores(c).reindex(index=list(years)).mean(axis=0) for c in columns}
    return pd.DataFrame(tables, index=list(panel.provinces), dtype=float)


def peer_gaps(panel: PapiPanel, found: Peers, *, since: int = 2018) -> tuple[PeerGap, ...]:
    """Return the province's score, the mean of its peers and the difference, by dimension and year.

    Both sides of a difference come from the same year, so a change of instrument touches both; the mean is over the
    peers published that year (``n`` of them).
    """
    facts = papi_facts()
    rows = []
    for column in (*facts.dimension_ids, facts.total):
        table = panel.scores(column)
        for year in (y for y in panel.years if y >= since and facts.published(column, y)):
            own = float(table.loc[year, found.province])
            others = table.loc[year, list(found.names)].dropna()
            mean = float(others.mean()) if len(others) else float("nan")
            rows.append(PeerGap(column, year, own, mean, own - mean, len(others)))
    return tuple(rows)
