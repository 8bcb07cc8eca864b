"""PAPI: peers, the mix of provinces, and the association of dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sipas_research.evidence.papi import PapiPanel
from sipas_research.evidence.papi_facts import papi_facts
from sipas_research.levers.panel import AssociationRow, ProvinceAssociation
from sipas_research.levers.peers import Peers, peer_gaps
from sipas_research.levers.synthetic import SyntheticControl
from sipas_research.report.cells import Absent
from sipas_research.report.display import Column, Finding, Table
from sipas_research.report.papi_labels import SINCE, common, name_of, notes, number_of, short
from sipas_research.wording import percent, text


def papi_peers_table(
    found: Peers | Finding | None, panel: PapiPanel | Finding, language: str
) -> Table | Finding | None:
    """Return the peers, nearest first, with the rule that chose them."""
    if not isinstance(found, Peers) or isinstance(panel, Finding):
        return found if isinstance(found, Finding) else None
    rows = tuple(
        (place, p.group, _region(p.region, language), p.estimate, p.n) for place, p in enumerate(found.rows, start=1)
    )
    columns = (
        Column("place", text("papi.table.place", language), "integer", align="center", width=0.14),
        Column("province", text("papi.table.province", language), width=0.24),
        Column("region", text("papi.table.region", language), width=0.34),
        Column("distance", text("papi.table.distance", language), "number2", width=0.14),
        Column("years", text("papi.table.years_used", language), "integer", width=0.14),
    )
    span = {"first": str(found.years[0]), "last": str(found.years[-1])}
    sizes = {"count": len(found.dimensions), "n": len(found.rows)}
    where = text(f"papi.region.{found.region or 'all'}", language)
    said = notes(language, "peers_rule", region=where, **span, **sizes) + notes(language, "region")
    title = text("papi.title.peers", language, province=found.province)
    return Table("tbl-papi-peers", title, columns, rows, notes=said, **common(panel, language))


def _region(region: str, language: str) -> str:
    name = text(f"papi.region.{region}", language)
    return name.removeprefix("the ")


def papi_peer_gaps_table(found: Peers | Finding | None, panel: PapiPanel | Finding, language: str) -> Table | None:
    """Return the province minus the mean of its peers: a row a dimension, a column a year."""
    if not isinstance(found, Peers) or isinstance(panel, Finding):
        return None
    gaps = {(g.term, g.year): g.estimate for g in peer_gaps(panel, found, since=SINCE)}
    years = sorted({year for _, year in gaps})
    absent = Absent(text("papi.table.whole", language))
    terms = [*papi_facts().dimension_ids, papi_facts().total]
    rows = []
    for term in terms:
        values = [gaps.get((term, y), float("nan")) for y in years]
        rows.append((short(term, language), *(v if np.isfinite(v) else absent for v in values)))
    columns = (
        Column("dimension", text("papi.table.dimension", language), width=0.3),
        *(Column(f"y{y}", str(y), "number2", width=0.1) for y in years),
    )
    return Table(
        "tbl-papi-peer-gaps",
        text("papi.title.peer_gaps", language, province=found.province),
        columns,
        tuple(rows),
        notes=notes(language, "peer_gaps", "breaks"),
        total_rows=(len(rows) - 1,),
        **common(panel, language),
    )


def papi_synthetic_table(
    found: Sequence[SyntheticControl | Finding | None], panel: PapiPanel | Finding, language: str
) -> Table | Finding | None:
    """Return, a row a dimension, how close the mix runs before and how far it lies after, among all provinces."""
    made = [f for f in found if isinstance(f, SyntheticControl)]
    if isinstance(panel, Finding) or not made:
        return next((f for f in found if isinstance(f, Finding)), None)
    rows = tuple(
        (
            short(f.outcome, language),
            f.own.before,
            f.mean_gap(2018, 2020),
            f.mean_gap(2021, 2024),
            f.own.ratio,
            text("papi.table.rank_of", language, rank=f.rank, of=len(f.placebos)),
        )
        for f in made
    )
    columns = (
        Column("dimension", text("papi.table.dimension", language), width=0.3),
        Column("before", text("papi.table.before", language), "number2", width=0.13),
        Column("middle", text("papi.table.gap_middle", language), "number2", width=0.15),
        Column("late", text("papi.table.gap_late", language), "number2", width=0.15),
        Column("ratio", text("papi.table.ratio", language), "number1", width=0.13),
        Column("place", text("papi.table.ratio_rank", language), align="center", width=0.14),
    )
    year = str(made[0].split_year)
    left = ", ".join(p for p in made[0].left_out)
    said = notes(language, "synthetic_rule", "synthetic_names", year=year) + notes(language, "placebo", "content")
    said += notes(language, "no_policy", year=year) + (notes(language, "left_out", provinces=left) if left else ())
    title = text("papi.title.synthetic", language, province=made[0].province)
    return Table("tbl-papi-synthetic", title, columns, rows, notes=said, **common(panel, language))


def papi_weights_table(
    found: SyntheticControl | Finding | None, panel: PapiPanel | Finding, language: str
) -> Table | None:
    """Return the provinces of one mix with their weights, the largest first."""
    if not isinstance(found, SyntheticControl) or isinstance(panel, Finding):
        return None
    main = found.main_weights()
    rows = tuple((p, w) for p, w in main)
    few = len([w for w in found.weights if w > 0]) - len(main)
    rest = percent(max(0.0, 1 - sum(w for _, w in main)), language, 1)
    said = notes(language, "small_weights", count=few, share=rest) if few > 0 else ()
    names = {"province": found.province, "dimension": short(found.outcome, language)}
    columns = (
        Column("province", text("papi.table.province", language), width=0.6),
        Column("weight", text("papi.table.weight", language), "percent1", width=0.4),
    )
    said += notes(language, "no_policy", year=str(found.split_year))
    title = text("papi.title.weights", language, **names)
    return Table("tbl-papi-weights", title, columns, rows, notes=said, **common(panel, language))


def papi_association_table(
    found: ProvinceAssociation | Finding | None, panel: PapiPanel | Finding, language: str
) -> Table | Finding | None:
    """Return the coefficients of the latest year, of the years pooled and within provinces."""
    if not isinstance(found, ProvinceAssociation) or isinstance(panel, Finding):
        return found if isinstance(found, Finding) else None
    points = {(r.group, r.period, r.term): r.estimate for r in found.rows if r.unit == "points"}
    rows = [_association_row(r, points, language) for r in printed_rows(found)]
    width = {"model": 0.16, "period": 0.12, "term": 0.08, "estimate": 0.12, "interval": 0.19, "p": 0.08}
    level = percent(found.level, language, 0)
    columns = (
        Column("model", text("papi.table.model", language), width=width["model"]),
        Column("period", text("papi.table.period", language), align="center", width=width["period"]),
        Column("term", text("papi.table.predictor", language), width=width["term"]),
        Column("estimate", text("papi.table.estimate", language), "number2", width=width["estimate"]),
        Column("interval", text("papi.table.interval", language, level=level), "interval", width=width["interval"]),
        Column("p", text("papi.table.p", language), "p", width=width["p"]),
        Column("points", text("papi.table.estimate_points", language), "number2", width=0.09),
        Column("n", text("papi.table.rows", language), "integer", width=0.08),
        Column("clusters", text("papi.table.clusters", language), "integer", width=0.08),
    )
    said: tuple[str, ...] = ("; ".join(short(t, language) for t in (found.outcome, *found.predictors)),)
    said += notes(language, "caution", "units", "errors", "each_year")
    joint = {r.period for r in found.of("within") if r.period and int(r.period[:4]) < 2021 <= int(r.period[-4:])}
    for period in sorted(joint):
        said += notes(language, "joint", period=period.replace("-", "–"))
    return Table(
        "tbl-papi-association",
        text("papi.title.association", language, outcome=name_of(found.outcome, language)),
        columns,
        tuple(rows),
        notes=said,
        **common(panel, language),
    )


def printed_rows(found: ProvinceAssociation) -> tuple[AssociationRow, ...]:
    """Return the rows that the table prints, in standard deviations: of single years only the latest one."""
    years = found.of("cross_section")
    latest = max((r.period for r in years), default="")
    return (*(r for r in years if r.period == latest), *found.of("pooled"), *found.of("within"))


def _association_row(row: AssociationRow, points: dict[Any, float], language: str) -> tuple[Any, ...]:
    head = (text(f"levers.model.{row.group}", language), row.period.replace("-", "–"), number_of(row.term, language))
    if not np.isfinite(row.estimate):
        absent = Absent(text(row.note, language))
        return (*head, absent, absent, absent, absent, row.n, row.clusters)
    value = points.get((row.group, row.period, row.term), float("nan"))
    ends = (row.conf_low, row.conf_high)
    return (*head, row.estimate, ends, row.p_value, value, row.n, row.clusters)
