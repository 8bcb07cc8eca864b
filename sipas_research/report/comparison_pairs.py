"""Which groups differ from which, and what a chapter says about its comparisons of groups."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sipas_research.factors.group_result import Comparison, PairRow
from sipas_research.factors.scale_differences import ScaleComparisons, leading_effect
from sipas_research.report.cells import Absent
from sipas_research.report.comparison_names import EFFECT_DIGITS, begun_survey_name, common_parts, fact_name
from sipas_research.report.display import Column, Finding, Table
from sipas_research.report.group_tables import group_label
from sipas_research.report.labels import survey_id, survey_name
from sipas_research.report.model_tables import interval_label, term_label
from sipas_research.survey.agency_level import with_agency_level
from sipas_research.survey.responses import Responses
from sipas_research.wording import number, text

_MOST_NAMED = 3


def scale_pairs_table(found: ScaleComparisons | Finding, responses: Responses, language: str) -> Table | Finding | None:
    """Return the pairs that differ, of the comparisons that stay clear after Holm; a sentence where none do."""
    if isinstance(found, Finding):
        return None
    clear = [c for c in found.clear if c.pair_rows]
    if not clear:
        return _no_pairs(found, "no_pairs", 0, responses, language)
    people = with_agency_level(responses)
    clustered = any(c.clusters for c in clear)
    rows: list[tuple[Any, ...]] = []
    headings, shown, total = [], 0, 0
    for comparison in clear:
        robust = {(r.first, r.second): r for r in comparison.pair_rows if r.method == "cluster_holm"}
        plain = [r for r in comparison.pair_rows if r.method == "games_howell"]
        picked = [r for r in plain if _below(found.alpha, (r, robust.get((r.first, r.second))))]
        total, shown = total + len(plain), shown + len(picked)
        if picked:
            headings.append(len(rows))
            rows.append((_pair_head(comparison, people, language), *[""] * (3 + clustered)))
        rows += [_pair_cells(comparison, row, robust, clustered, people, language) for row in picked]
    if not rows:
        return _no_pairs(found, "no_clear_pairs", total, responses, language)
    notes = [text("comparisons.table.note_pairs", language, all=total, shown=shown)]
    notes += [text("comparisons.table.note_pairs_interval", language)]
    notes += [text("comparisons.table.note_pairs_cluster", language)] if clustered else []
    return Table(
        f"tbl-scale-pairs-{survey_id(responses)}",
        text("comparisons.table.pairs", language, survey=survey_name(responses, language)),
        (
            Column("pair", text("comparisons.table.pair", language), width=0.42),
            Column("difference", text("comparisons.table.difference", language), "number2", width=0.1),
            Column("interval", interval_label(found.level, language), "interval", width=0.14),
            Column("games_howell", text("comparisons.table.games_howell", language), "p", width=0.09),
            *(
                [Column("cluster", text("comparisons.table.cluster_holm", language), "p", width=0.1)]
                if clustered
                else []
            ),
        ),
        tuple(rows),
        total_rows=tuple(headings),
        notes=tuple(notes),
        **common_parts(found, responses, language),
    )


def _below(alpha: float, rows: Iterable[PairRow | None]) -> bool:
    return any(row is not None and row.p_value < alpha for row in rows)


def _pair_head(found: Comparison, responses: Responses, language: str) -> str:
    return text(
        "comparisons.table.gap",
        language,
        scale=term_label(found.outcome, responses, language),
        fact=fact_name(found.by, responses, language),
    )


def _pair_cells(
    found: Comparison,
    row: PairRow,
    robust: dict[tuple[str, str], PairRow],
    clustered: bool,
    responses: Responses,
    language: str,
) -> tuple[Any, ...]:
    names = [group_label(found.by, group, responses, language) for group in (row.first, row.second)]
    label = text("comparisons.table.pair_label", language, first=names[0], second=names[1])
    beside = robust.get((row.first, row.second))
    last: Any = beside.p_value if beside is not None else Absent(text("groups.note.no_test", language))
    ends = (row.conf_low, row.conf_high)
    return (label, row.estimate, ends, row.p_value, *([last] if clustered else []))


def _no_pairs(found: ScaleComparisons, key: str, total: int, responses: Responses, language: str) -> Finding:
    fields: dict[str, Any] = {"survey": begun_survey_name(responses, language)}
    fields |= {"all": total} if key == "no_clear_pairs" else {}
    name = f"reason-scale-pairs-{survey_id(responses)}"
    return Finding(
        name, text(f"comparisons.finding.{key}", language, **fields), language, found.data_kind, role="reason"
    )


def scale_group_findings(found: ScaleComparisons | Finding, responses: Responses, language: str) -> tuple[Finding, ...]:
    """Return how many comparisons stay clear after Holm's correction, and which, largest effect first."""
    if isinstance(found, Finding) or not found.comparisons:
        return ()
    people = with_agency_level(responses)
    fields = {
        "survey": begun_survey_name(responses, language),
        "count": len(found.comparisons),
        "outcomes": len(found.outcomes),
        "facts": len(found.facts),
    }
    clear = sorted(found.clear, key=lambda c: -dict(c.effect_sizes)["eta_squared"].estimate)
    if not clear:
        sentence = text("comparisons.finding.none_clear", language, **fields)
    else:
        named = [_one(c, people, language) for c in clear[:_MOST_NAMED]]
        if len(clear) > _MOST_NAMED:
            named.append(text("comparisons.finding.more", language, count=len(clear) - _MOST_NAMED))
        sentence = text("comparisons.finding.clear", language, **fields, clear=len(clear), which="; ".join(named))
    return (Finding(f"groups-finding-{survey_id(responses)}", sentence, language, found.data_kind),)


def _one(found: Comparison, responses: Responses, language: str) -> str:
    name, size = leading_effect(found)
    return text(
        "comparisons.finding.one",
        language,
        scale=term_label(found.outcome, responses, language),
        fact=fact_name(found.by, responses, language),
        effect=text(f"comparisons.table.{name}", language),
        value=number(size.estimate, EFFECT_DIGITS[name], language),
    )
