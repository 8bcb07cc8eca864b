"""PAPI: what stands for which lever, breaks, gaps, one province by dimension, order by total."""

from __future__ import annotations

from math import isfinite
from typing import Any

from sipas_research.evidence.ledger import Ledger, facts
from sipas_research.evidence.papi import PapiGap, PapiPanel
from sipas_research.evidence.papi_facts import PapiBreak, papi_facts
from sipas_research.levers.ranks import ProvinceRanks
from sipas_research.report.cells import Absent
from sipas_research.report.display import Column, Finding, Table
from sipas_research.report.papi_labels import (
    SINCE,
    common,
    notes,
    number_of,
    papi_reason,
    short,
)
from sipas_research.results import DataKind
from sipas_research.wording import text

#: Levers of the study in its order, and the column of the panel that comes nearest to each ("" for none).
LEVERS = {
    "pay": "",
    "environment": "",
    "training": "",
    "placement": "corr_employment",
    "discipline": "dim4_corruption_control",
    "oversight": "dim3_accountability",
    "communication": "dim2_transparency",
    "digital": "dim8_egovernance",
}
LEDGER_PROVINCE = "Lạng Sơn"


def papi_levers_table(province: str, language: str) -> Table | None:
    """Return which dimension stands for which lever, and that pay and training have none."""
    if not province:
        return None
    rows = tuple(
        tuple(text(f"papi.lever.{lever}.{part}", language) for part in ("name", "dimension", "about"))
        for lever in LEVERS
    )
    columns = (
        Column("lever", text("papi.table.lever", language), width=0.22),
        Column("dimension", text("papi.table.measures", language), width=0.26),
        Column("about", text("papi.table.about", language), width=0.52),
    )
    return Table("tbl-papi-levers", text("papi.title.levers", language), columns, rows, language, DataKind.PUBLISHED)


def papi_breaks_table(province: str, language: str) -> Table | None:
    """Return the breaks from 2018 on, the whole panel's first in each year."""
    if not province:
        return None
    rows = tuple(
        (b.year, _break_column(b, language), text(f"papi.break.{b.name}", language))
        for b in sorted(papi_facts().breaks, key=lambda b: (b.year, b.column))
        if b.year >= SINCE
    )
    columns = (
        Column("year", text("papi.table.year", language), "year", align="center", width=0.1),
        Column("dimension", text("papi.table.dimension", language), width=0.27),
        Column("change", text("papi.table.break", language), width=0.63),
    )
    return Table("tbl-papi-breaks", text("papi.title.breaks", language), columns, rows, language, DataKind.PUBLISHED)


def _break_column(found: PapiBreak, language: str) -> str:
    return short(found.column, language) if found.column else text("papi.table.all_columns", language)


def papi_gaps_table(panel: PapiPanel | Finding, language: str) -> Table | None:
    """Return, for each year, who was not published and who only in part."""
    if isinstance(panel, Finding):
        return None
    none = text("papi.table.none", language)
    rows = []
    for year in (y for y in panel.years if y >= SINCE):
        gaps = [g for g in panel.gaps if g.year == year]
        whole = ", ".join(g.province for g in gaps if g.whole)
        partly = "; ".join(_partly(g, language) for g in gaps if not g.whole)
        rows.append((year, len(panel.published(year)), whole or none, partly or none))
    some = any(g.year >= SINCE for g in panel.gaps)
    columns = (
        Column("year", text("papi.table.year", language), "year", align="center", width=0.1),
        Column("published", text("papi.table.clusters", language), "integer", width=0.1),
        Column("whole", text("papi.table.whole", language), width=0.35),
        Column("partly", text("papi.table.partly", language), width=0.45),
    )
    said = notes(language, "gaps" if some else "gaps_none")
    title = text("papi.title.gaps", language)
    return Table("tbl-papi-gaps", title, columns, tuple(rows), notes=said, **common(panel, language))


def _partly(gap: PapiGap, language: str) -> str:
    lacking = ", ".join(number_of(d, language) for d in gap.dimensions)
    place = gap.province
    return text("papi.table.partly_one", language, province=place, dimensions=lacking)


def _score_columns(language: str) -> tuple[Column, ...]:
    scores = [Column(f"d{i}", f"D{i}", "number2", width=0.085) for i in range(1, 9)]
    return (
        Column("year", text("papi.table.year", language), "year", align="center", width=0.09),
        *scores,
        Column("total", text("papi.table.total", language), "number2", width=0.11),
        Column("rank", text("papi.table.rank", language), align="center", width=0.12),
    )


def _rank_cell(rank: int, of: int, language: str) -> str:
    return text("papi.table.rank_of", language, rank=rank, of=of)


def _dimension_notes(language: str) -> tuple[str, ...]:
    names = "; ".join(short(d, language) for d in papi_facts().dimension_ids)
    return (names, *notes(language, "rank", "breaks"))


def papi_dimensions_table(
    panel: PapiPanel | Finding, ranks: ProvinceRanks | Finding | None, province: str, language: str
) -> Table | Finding | None:
    """Return a province's eight dimensions, total and place by year, 2018 on."""
    if isinstance(panel, Finding) or not isinstance(ranks, ProvinceRanks):
        return ranks if isinstance(ranks, Finding) else None
    place = {r.year: _rank_cell(r.rank, r.of, language) for r in ranks.of(province)}
    absent = Absent(text("papi.table.whole", language))
    columns = [*papi_facts().dimension_ids, papi_facts().total]
    tables = {c: panel.scores(c) for c in columns}
    years = [y for y in panel.years if y >= SINCE]
    rows: list[tuple[Any, ...]] = []
    for year in years:
        values = [float(tables[c].loc[year, province]) for c in columns]
        rows.append((year, *(v if isfinite(v) else absent for v in values), place.get(year, absent)))
    return Table(
        "tbl-papi-dimensions",
        text("papi.title.dimensions", language, province=province, **_span(years)),
        _score_columns(language),
        tuple(rows),
        notes=_dimension_notes(language),
        **common(panel, language),
    )


def _span(years: list[int] | tuple[int, ...]) -> dict[str, str]:
    return {"first": str(years[0]), "last": str(years[-1])} if years else {"first": "", "last": ""}


def papi_published_table(province: str, language: str) -> Table | Finding | None:
    """Return Lạng Sơn's figures from the packaged ledger; None for another province."""
    if province != LEDGER_PROVINCE:
        return None
    ledger = facts(place=LEDGER_PROVINCE)
    names = [d.split("_", 1)[1] for d in papi_facts().dimension_ids]
    years = sorted({r.year for r in ledger if r.id.startswith("ls_papi_") and r.year is not None})
    if not years:
        return papi_reason("published", text("papi.missing.ledger", language), DataKind.PUBLISHED, language)
    rows = []
    for year in years:
        values = [_published(ledger, f"ls_papi_{name}_{year}") for name in (*names, "total")]
        place = next((r for r in ledger if r.id == f"ls_papi_rank_{year}"), None)
        shown = _rank_cell(int(place.value), int(place.out_of), language) if place else None
        rows.append((year, *values, shown))
    return Table(
        "tbl-papi-published",
        text("papi.title.published", language),
        _score_columns(language),
        tuple(rows),
        language,
        DataKind.PUBLISHED,
        source=text("papi.source_ledger", language),
        notes=_dimension_notes(language),
    )


def _published(ledger: Ledger, identifier: str) -> float | None:
    return next((r.value for r in ledger if r.id == identifier), None)


def papi_ranks_table(
    panel: PapiPanel | Finding, ranks: ProvinceRanks | Finding | None, province: str, language: str
) -> Table | None:
    """Return a province's place by year and the range of places over other ways to make the total."""
    if isinstance(panel, Finding) or not isinstance(ranks, ProvinceRanks):
        return None
    rows = tuple(
        (
            r.year,
            r.estimate,
            _rank_cell(r.rank, r.of, language),
            _range(r.left_best, r.left_worst, language),
            _range(r.weight_best, r.weight_worst, language),
        )
        for r in ranks.of(province)
    )
    columns = (
        Column("year", text("papi.table.year", language), "year", align="center", width=0.14),
        Column("total", text("papi.table.total", language), "number2", width=0.18),
        Column("rank", text("papi.table.rank", language), align="center", width=0.18),
        Column("left", text("papi.table.left_range", language), align="center", width=0.25),
        Column("twice", text("papi.table.weight_range", language), align="center", width=0.25),
    )
    return Table(
        "tbl-papi-ranks",
        text("papi.title.ranks", language, province=province),
        columns,
        rows,
        notes=notes(language, "rank", "robust", "breaks"),
        **common(panel, language),
    )


def _range(low: int, high: int, language: str) -> str:
    return text(f"papi.table.{'same' if low == high else 'range'}", language, low=low, high=high)
