"""What the PAPI chapter ends with: sentences made from its numbers, and what provincial figures cannot say."""

from __future__ import annotations

import numpy as np

from sipas_research.evidence.papi import PapiPanel
from sipas_research.evidence.papi_facts import papi_facts
from sipas_research.levers.panel import ProvinceAssociation
from sipas_research.levers.peers import Peers, peer_gaps
from sipas_research.levers.ranks import ProvinceRanks, ranks_of
from sipas_research.levers.synthetic import SyntheticControl
from sipas_research.report.display import Finding, Role
from sipas_research.report.papi_labels import name_of, short
from sipas_research.results import DataKind
from sipas_research.wording import interval, number, percent, text


def papi_findings(
    panel: PapiPanel | Finding,
    ranks: ProvinceRanks | Finding | None,
    found: Peers | Finding | None,
    mix: SyntheticControl | Finding | None,
    association: ProvinceAssociation | Finding | None,
    province: str,
    language: str,
) -> tuple[Finding, ...]:
    """Return place and total of the latest year, what the comparisons show, and what the figures cannot say."""
    if isinstance(panel, Finding):
        kind = panel.data_kind
        last = text("papi.found.limit_missing", language)
        return (
            Finding("papi-finding", text("papi.found.nothing", language), language, kind),
            Finding("papi-limit", last, language, kind, role="limit"),
        )
    kind = panel.data_kind
    made: list[Finding] = []
    if isinstance(ranks, ProvinceRanks) and ranks.of(province):
        made += _rank_findings(panel, ranks, province, language)
    if isinstance(found, Peers):
        made += _peer_finding(panel, found, language)
    if isinstance(mix, SyntheticControl):
        made.append(_said("synthetic", _mix_sentence(mix, language), kind, language))
    if isinstance(association, ProvinceAssociation):
        made += _association_finding(association, language)
    made.append(_said("limit", text("papi.found.limit", language), kind, language, role="limit"))
    return tuple(made)


def _said(name: str, sentence: str, kind: DataKind, language: str, *, role: Role = "finding") -> Finding:
    return Finding(f"papi-{name}", sentence, language, kind, role=role)


def _rank_findings(panel: PapiPanel, ranks: ProvinceRanks, province: str, language: str) -> list[Finding]:
    rows = ranks.of(province)
    last = rows[-1]
    place = {"year": str(last.year), "province": province, "rank": last.rank, "of": last.of}
    main = text("papi.found.main", language, total=number(last.estimate, 2, language), **place)
    ends = {"low": min(last.left_best, last.weight_best), "high": max(last.left_worst, last.weight_worst)}
    span = {"first": str(rows[0].year), "last": str(last.year)}
    places = {"best": min(r.rank for r in rows), "worst": max(r.rank for r in rows)}
    robust = text("papi.found.ranks", language, year=str(last.year), **ends, **span, **places)
    made = [
        _said("main", main, panel.data_kind, language, role="main"),
        _said("ranks", robust, panel.data_kind, language),
    ]
    sentence = _dimension_sentence(panel, last.year, province, language)
    return [*made, *([_said("dimension", sentence, panel.data_kind, language)] if sentence else [])]


def _dimension_sentence(panel: PapiPanel, year: int, province: str, language: str) -> str:
    """Name the dimensions with the best and the worst place, by share of provinces passed."""
    places = []
    for column in papi_facts().dimensions_in(year):
        row = panel.scores(column).loc[year].dropna()
        if province in row.index and len(row) > 1:
            rank = int(ranks_of(row.to_numpy())[row.index.get_loc(province)])
            places.append((rank / len(row), short(column, language), rank, len(row)))
    if len(places) < 2:
        return ""
    best, worst = min(places), max(places)
    fields = {"best": best[1], "best_rank": best[2], "best_of": best[3]}
    fields |= {"worst": worst[1], "worst_rank": worst[2], "worst_of": worst[3]}
    return text("papi.found.dimension", language, year=str(year), **fields)


def _peer_finding(panel: PapiPanel, found: Peers, language: str, column: str = "dim5_procedures") -> list[Finding]:
    gaps = [g for g in peer_gaps(panel, found) if g.term == column and np.isfinite(g.estimate)]
    if not gaps:
        return []
    last = gaps[-1]
    sentence = text(
        "papi.found.peers",
        language,
        names=", ".join(p for p in found.names),
        dimension=name_of(column, language),
        province=found.province,
        year=str(last.year),
        direction=text(f"papi.found.{'above' if last.estimate >= 0 else 'below'}", language),
        size=number(abs(last.estimate), 2, language),
    )
    return [_said("peers", sentence, panel.data_kind, language)]


def _mix_sentence(mix: SyntheticControl, language: str) -> str:
    gaps = {
        "middle": number(mix.mean_gap(2018, 2020), 2, language),
        "late": number(mix.mean_gap(2021, 2024), 2, language),
    }
    place = {"rank": mix.rank, "of": len(mix.placebos), "share": percent(mix.share_as_large, language, 0)}
    return text("papi.found.synthetic", language, dimension=name_of(mix.outcome, language), **gaps, **place)


def _association_finding(found: ProvinceAssociation, language: str) -> list[Finding]:
    """Quote the pooled coefficients of the latest stretch between breaks."""
    pooled = [r for r in found.of("pooled") if np.isfinite(r.estimate)]
    late = max((r.period for r in pooled), key=lambda p: (p[:4], p[-4:]), default="")
    terms = "; ".join(
        text(
            "papi.found.term",
            language,
            term=short(r.term, language),
            estimate=number(r.estimate, 2, language),
            interval=interval(r.conf_low, r.conf_high, language, share=False),
        )
        for r in pooled
        if r.period == late
    )
    if not terms:
        return []
    fields = {"outcome": name_of(found.outcome, language), "period": late.replace("-", "–")}
    level = percent(found.level, language, 0)
    sentence = text("papi.found.association", language, terms=terms, level=level, **fields)
    return [_said("association", sentence, found.data_kind, language)]
