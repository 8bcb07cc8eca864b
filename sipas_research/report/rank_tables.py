"""Tables of ranks: a rank never stands without its range, and agencies that cannot be told apart share one group."""

from __future__ import annotations

from typing import Any

import numpy as np

from sipas_research.framework.rank_robustness import RankRobustness
from sipas_research.framework.ranks import AgencyRanks, RankRow, Verdict
from sipas_research.framework.small_area import SmallAreaEstimates, SmallAreaRow
from sipas_research.report.alphabet import in_order
from sipas_research.report.cells import Absent, Suppressed
from sipas_research.report.display import Column, Finding, Table
from sipas_research.report.labels import index_name, source_line, survey_id
from sipas_research.survey.responses import Responses
from sipas_research.wording import integer, number, percent, text

Ranked = AgencyRanks | RankRobustness | SmallAreaEstimates
_MOST_NAMED = 6


def rank_common(found: Ranked, responses: Responses, language: str) -> dict[str, Any]:
    """Return what every table and figure of ranks says about its data."""
    return {
        "language": language,
        "data_kind": found.data_kind,
        "weighting": text(f"tables.weighting.{found.weighting}", language),
        "source": source_line(responses, language),
    }


def family_name(family: str, language: str) -> str:
    """Return the kind of agencies that are compared."""
    return text(f"framework.agency_level.{family}", language)


def rank_text(low: float, high: float, language: str) -> str:
    """Return "2–9", or "5" where only one rank is left."""
    ends = [integer(value, language) for value in (low, high)]
    return ends[0] if low == high else f"{ends[0]}–{ends[1]}"


def rank_notes(found: AgencyRanks, language: str) -> list[str]:
    """Return what the ranges of ranks mean and do not mean."""
    level = percent(found.level, language, 0)
    points = 100.0 * found.half_width
    width = number(points, 0 if abs(points - round(points)) < 1e-9 else 1, language)
    return [
        text("ranks.table.note_sets", language, level=level, size=found.size),
        text("ranks.table.note_top", language, top=found.top),
        text("ranks.table.note_precision", language, points=width),
        text("ranks.note.sampling", language),
    ]


def rank_table(found: AgencyRanks | Finding, responses: Responses, language: str) -> Table | Finding:
    """Return each agency's index with the range of its rank; groups from the highest, inside a group by name."""
    if isinstance(found, Finding):
        return found
    rows: list[tuple[Any, ...]] = []
    headings = []
    tiers = range(1, len(found.groups) + 1)
    for tier in (*tiers, 0):
        members = in_order(
            [row for row in found.rows if row.tier == tier], lambda row: responses.agencies.name(row.group, language)
        )
        if members:
            headings.append(len(rows))
            rows.append((_heading(tier, len(members), language), "", "", "", "", ""))
            rows += [_cells(row, responses, language) for row in members]
    level = percent(found.level, language, 0)
    return Table(
        f"tbl-ranks-{found.family}",
        text("ranks.table.title", language, family=family_name(found.family, language)),
        (
            Column("agency", text("tables.common.agency", language), width=0.29),
            Column("estimate", index_name(responses, language), "percent", width=0.11),
            Column("interval", _interval_label(found.conf_level, language), "interval_percent", width=0.18),
            Column("rank", text("ranks.table.rank", language, level=level), align="center", width=0.11),
            Column("joint", text("ranks.table.joint", language, level=level), align="center", width=0.11),
            Column("top", text("ranks.table.top", language, top=found.top), align="center", width=0.2),
        ),
        tuple(rows),
        total_rows=tuple(headings),
        notes=(*rank_notes(found, language), *([text("ranks.table.note_groups", language)] if found.groups else [])),
        **rank_common(found, responses, language),
    )


def _heading(tier: int, size: int, language: str) -> str:
    if not tier:
        return text("ranks.table.unranked", language)
    return text("ranks.table.group" if size > 1 else "ranks.table.group_one", language, number=tier, size=size)


def _interval_label(level: float, language: str) -> str:
    return text("ranks.table.interval", language, level=percent(level, language, 0))


def _cells(row: RankRow, responses: Responses, language: str) -> tuple[Any, ...]:
    name = responses.agencies.name(row.group, language)
    if row.note:
        reason = Absent(text(row.note, language))
        figures: tuple[Any, Any] = (Suppressed(), Suppressed()) if row.suppressed else _figures(row, reason)
        return (name, *figures, reason, reason, reason)
    ranks = (rank_text(row.rank_low, row.rank_high, language), rank_text(row.joint_low, row.joint_high, language))
    return (name, *_figures(row, None), *ranks, text(f"ranks.verdict.{row.in_top}", language))


def _figures(row: RankRow, reason: Absent | None) -> tuple[Any, Any]:
    ends: Any = (row.conf_low, row.conf_high) if np.isfinite(row.conf_low) else reason
    return (row.estimate if np.isfinite(row.estimate) else reason, ends)


def robustness_table(found: RankRobustness | Finding, responses: Responses, language: str) -> Table | Finding:
    """Return the ranges of ranks over ways of computing, by name: this is not sampling error."""
    if isinstance(found, Finding):
        return found
    rows: list[tuple[Any, ...]] = []
    for row in in_order(found.rows, lambda row: responses.agencies.name(row.group, language)):
        name = responses.agencies.name(row.group, language)
        if row.note:
            rows.append((name, *[Absent(text(row.note, language))] * 4))
            continue
        pairs = [
            (row.weights_low, row.weights_high),
            (row.aggregation_low, row.aggregation_high),
            (row.left_out_low, row.left_out_high),
            (row.all_low, row.all_high),
        ]
        rows.append((name, *[rank_text(low, high, language) for low, high in pairs]))
    change = percent(found.change, language, 0)
    labels = {"weights": {"change": change}, "aggregation": {}, "left_out": {}, "all": {}}
    return Table(
        f"tbl-rank-robustness-{found.family}",
        text("ranks.robustness.title", language, family=family_name(found.family, language)),
        (
            Column("agency", text("tables.common.agency", language), width=0.36),
            *(
                Column(key, text(f"ranks.robustness.{key}", language, **fields), align="center", width=0.16)
                for key, fields in labels.items()
            ),
        ),
        tuple(rows),
        notes=(
            text("ranks.robustness.not_sampling", language),
            text("ranks.robustness.note", language, draws=found.draws, size=found.size),
        ),
        **rank_common(found, responses, language),
    )


def small_area_table(found: SmallAreaEstimates | Finding, responses: Responses, language: str) -> Table | Finding:
    """Return model estimates beside the direct ones, in the order of the register."""
    if isinstance(found, Finding):
        return found
    rows: list[tuple[Any, ...]] = []
    headings = []
    families = tuple(dict.fromkeys(row.family for row in found.rows))
    for family in families:
        if len(families) > 1:
            headings.append(len(rows))
            rows.append((family_name(family, language), *[""] * 6))
        rows += [_area_cells(row, responses, language) for row in found.rows if row.family == family]
    notes = [text(f"ranks.model.{key}", language) for key in ("never_decides", "assumption")]
    notes += [text(f"ranks.model.note_{found.variances}", language), text("ranks.model.note_weight", language)]
    notes += [sentence for sentence in (found.shared_errors(language),) if sentence]
    return Table(
        "tbl-small-area",
        text("ranks.model.title", language, index=index_name(responses, language)),
        (
            Column("agency", text("tables.common.agency", language), width=0.28),
            Column("direct", text("ranks.model.direct", language), "percent", width=0.11),
            Column("direct_error", text("ranks.model.error", language), "percent", width=0.1),
            Column("estimate", text("ranks.model.estimate", language), "percent", width=0.12),
            Column("rmse", text("ranks.model.rmse", language), "percent", width=0.11),
            Column("weight", text("ranks.model.weight", language), "number2", width=0.11),
            Column("p_top", text("ranks.model.p_top", language, top=found.top), "percent1", width=0.17),
        ),
        tuple(rows),
        total_rows=tuple(headings),
        notes=tuple(notes),
        **rank_common(found, responses, language),
    )


def _area_cells(row: SmallAreaRow, responses: Responses, language: str) -> tuple[Any, ...]:
    name = responses.agencies.name(row.group, language)
    if not row.note:
        few = Absent(text("ranks.model.few_for_top", language))
        top = row.p_top if np.isfinite(row.p_top) else few
        return (name, row.direct, row.direct_error, row.estimate, row.rmse, row.weight, top)
    reason = Absent(text(row.note, language))
    hidden = row.note == "ranks.model.suppressed"
    direct = [Suppressed() if hidden else v if np.isfinite(v) else reason for v in (row.direct, row.direct_error)]
    return (name, *direct, *[reason] * 4)


def rank_findings(found: AgencyRanks | Finding, responses: Responses, language: str) -> tuple[Finding, ...]:
    """Return what is certain about the first places and what is not, and what no rank here can say."""
    if isinstance(found, Finding):
        return ()
    fields: dict[str, Any] = {"family": family_name(found.family, language), "size": found.size, "top": found.top}
    fields |= {"level": percent(found.level, language, 0), "ranked": len(found.ranked)}
    if not found.ranked:
        sentence = text("ranks.finding.none", language, **fields)
    else:
        verdicts: tuple[Verdict, ...] = ("in", "out")
        known = {name: _named(found.verdicts(name), responses, language) for name in verdicts}
        parts = [
            text(f"ranks.finding.{name}", language, top=found.top, names=names)
            for name, names in known.items()
            if names
        ]
        parts += [text("ranks.finding.nobody", language, **fields)] if not known["in"] else []
        open_ones = len(found.verdicts("unknown"))
        parts += [text("ranks.finding.open", language, count=open_ones, **fields)] if open_ones else []
        sentence = " ".join([text("ranks.finding.head", language, **fields), *parts])
    name = f"{found.family}-{survey_id(responses)}"
    return (
        Finding(f"ranks-finding-{name}", sentence, language, found.data_kind),
        Finding(f"ranks-limit-{name}", text("ranks.finding.limit", language), language, found.data_kind, role="limit"),
    )


def _named(agencies: tuple[str, ...], responses: Responses, language: str) -> str:
    names = in_order([responses.agencies.name(a, language) for a in agencies], str)
    if len(names) > _MOST_NAMED:
        return text("ranks.finding.count", language, count=len(names))
    return ", ".join(names)
