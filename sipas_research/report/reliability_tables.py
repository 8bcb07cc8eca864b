"""Omega, general factor, agreement of groups and Harman's factor in the form that theses print."""

from __future__ import annotations

from typing import Any

import numpy as np

from sipas_research.factors.agreement_result import ASKED_RELIABILITY, Agreement, GroupReliability, OutcomeIcc
from sipas_research.factors.method_bias import HABITUAL_BAR, Harman
from sipas_research.factors.omega import TOTAL, HierarchicalOmega
from sipas_research.factors.reliability_result import Reliability
from sipas_research.numerics.variance_components import size_for_reliability
from sipas_research.report.cells import Absent, Suppressed
from sipas_research.report.display import Column, Finding, Table
from sipas_research.report.labels import scale_name, source_line, survey_id, survey_name
from sipas_research.report.model_tables import term_label
from sipas_research.results import DataKind
from sipas_research.survey.responses import Responses
from sipas_research.wording import percent, text


def _common(kind: DataKind, responses: Responses, language: str) -> dict[str, Any]:
    return {
        "language": language,
        "data_kind": kind,
        "weighting": text("tables.common.unweighted", language),
        "source": source_line(responses, language),
    }


def _cell(value: float, note: str, language: str) -> float | Absent:
    """Return the value, or why there is none."""
    if np.isfinite(value):
        return float(value)
    return Absent(text(note or "tables.common.not_computed", language))


def _title(key: str, responses: Responses, language: str) -> str:
    return text(key, language, survey=survey_name(responses, language))


def omega_table(found: Reliability | Finding, responses: Responses, language: str) -> Table | Finding | None:
    """Return every coefficient of reliability side by side; bootstrap and ordinal ones where they were computed.

    Nothing without scales.
    """
    if isinstance(found, Finding) or not found.results:
        return found if isinstance(found, Finding) else None
    table = found.scales
    drawn, ordinal = bool(table["bootstrap_low"].notna().any()), any(r.ordinal for r in found.results)
    rows = [_omega_row(row, drawn, ordinal, responses, language) for row in table.to_dict("records")]
    columns = [
        Column("scale", text("tables.common.scale", language), width=0.28),
        Column("items", text("reliability.table.items", language), "integer"),
        Column("alpha", text("reliability.table.alpha", language), "number3"),
        Column("standardized", text("measurement_tables.omega.standardized", language), "number3"),
        *([Column("bootstrap", text("reliability.table.bootstrap", language), "interval")] if drawn else []),
        Column("omega", text("reliability.table.omega", language), "number3"),
    ]
    level = percent(found.level, language, 0)
    notes = [text("measurement_tables.omega.note_standardized", language)]
    notes += [text("reliability.table.note_omega", language)]
    notes += [text("reliability.table.note_bootstrap", language, level=level)] if drawn else []
    if ordinal:
        columns.append(Column("categorical", text("reliability.table.categorical", language), "number3"))
        columns.append(Column("ordinal_alpha", text("reliability.table.ordinal_alpha", language), "number3"))
        notes.append(text("reliability.table.note_categorical", language))
        notes.append(text("reliability.note.ordinal_alpha", language))
    notes.append(text("tables.common.listwise_items", language))
    return Table(
        f"tbl-omega-{survey_id(responses)}",
        _title("reliability.table.omega_title", responses, language),
        tuple(columns),
        tuple(rows),
        notes=tuple(notes),
        **_common(found.data_kind, responses, language),
    )


def _omega_row(
    row: dict[Any, Any], drawn: bool, ordinal: bool, responses: Responses, language: str
) -> tuple[object, ...]:
    name, items = scale_name(responses.questionnaire, row["term"], language), int(row["n_items"])
    if not np.isfinite(row["n"]):
        return (name, items, *[Suppressed()] * (3 + drawn + 2 * ordinal))
    cells: list[object] = [name, items]
    cells += [_cell(row[key], row["note"], language) for key in ("estimate", "standardized_alpha")]
    if drawn:
        drawn_ends = (row["bootstrap_low"], row["bootstrap_high"])
        cells.append(drawn_ends if np.isfinite(drawn_ends[0]) else _cell(np.nan, row["note"], language))
    cells.append(_cell(row["omega_total"], row["omega_note"] or row["note"], language))
    if ordinal:
        note = row["ordinal_note"] or row["note"]
        cells += [_cell(row["omega_categorical"], note, language), _cell(row["ordinal_alpha"], note, language)]
    return tuple(cells)


def hierarchical_omega_table(
    found: HierarchicalOmega | Finding, responses: Responses, language: str
) -> Table | Finding:
    """Return omega hierarchical, the part of the group factors and omega total of the whole and of each scale."""
    if isinstance(found, Finding):
        return found
    rows = tuple(
        (
            text("reliability.table.total", language)
            if row["term"] == TOTAL
            else scale_name(responses.questionnaire, row["term"], language),
            int(row["n_items"]),
            row["estimate"],
            row["group_factors"],
            row["omega_total"],
        )
        for row in found.tidy().to_dict("records")
    )
    model = text(
        "reliability.table.note_model",
        language,
        groups=found.solution.groups.shape[1],
        method=text(f"factors.method.{found.method}", language),
        rotation=text(f"factors.rotation.{found.rotation}", language),
    )
    explained = text("reliability.table.note_explained", language, explained=percent(found.explained, language, 1))
    return Table(
        f"tbl-omega-hierarchical-{survey_id(responses)}",
        _title("reliability.table.hierarchical_title", responses, language),
        (
            Column("sum", text("reliability.table.sum", language), width=0.4),
            Column("items", text("reliability.table.items", language), "integer"),
            Column("hierarchical", text("reliability.table.hierarchical", language), "number3"),
            Column("group", text("reliability.table.group", language), "number3"),
            Column("total", text("reliability.table.omega_all", language), "number3"),
        ),
        rows,
        n=found.n,
        total_rows=(0,),
        notes=(
            text("reliability.table.note_meaning", language),
            model,
            explained,
            *[text(key, language) for key in found.notes],
        ),
        **_common(found.data_kind, responses, language),
    )


def icc_table(found: GroupReliability | Finding, responses: Responses, language: str) -> Table | Finding:
    """Return ICC(1) and ICC(2) of each score with their intervals, F and the forms a group would need."""
    if isinstance(found, Finding):
        return found
    small = any(o.note == "agreement.note.small_left_out" for o in found.outcomes)
    notes = [
        text("agreement.table.note_icc", language),
        text("agreement.table.note_interval", language, level=percent(found.level, language, 0)),
        *([text("agreement.note.small_left_out", language)] if small else []),
    ]
    return Table(
        f"tbl-icc-{survey_id(responses)}",
        _title("agreement.table.icc_title", responses, language),
        (
            Column("outcome", text("agreement.table.outcome", language), width=0.26),
            Column("groups", text("agreement.table.groups", language), "integer", width=0.085),
            Column("icc1", text("agreement.table.icc1", language), "number3"),
            Column("interval1", text("agreement.table.interval1", language), "interval"),
            Column("icc2", text("agreement.table.icc2", language), "number3"),
            Column("interval2", text("agreement.table.interval2", language), "interval"),
            Column("f", text("agreement.table.f", language), "number2"),
            Column("p", text("agreement.table.p", language), "p"),
            Column("needed", text("agreement.table.needed", language), "integer"),
        ),
        tuple(_icc_row(outcome, responses, language) for outcome in found.outcomes),
        notes=tuple(notes),
        **_common(found.data_kind, responses, language),
    )


def _icc_row(found: OutcomeIcc, responses: Responses, language: str) -> tuple[object, ...]:
    label = term_label(found.outcome, responses, language)
    label = label[:1].upper() + label[1:]
    s = found.statistics
    if s is None:
        return (label, *[Absent(text(found.note, language))] * 8)
    needed = size_for_reliability(s.icc1, ASKED_RELIABILITY)
    whole = int(np.ceil(needed)) if np.isfinite(needed) else Absent(text("tables.common.not_computed", language))
    return (
        label,
        s.groups,
        s.icc1,
        (s.icc1_low, s.icc1_high),
        s.icc2,
        (s.icc2_low, s.icc2_high),
        s.statistic,
        s.p_value,
        whole,
    )


def agreement_table(found: Agreement | Finding, responses: Responses, language: str) -> Table | Finding:
    """Return the spread of rwg(j) over groups, of each scale under each null distribution."""
    if isinstance(found, Finding):
        return found
    rows, last = [], ""
    for row in found.scales().to_dict("records"):
        name = scale_name(responses.questionnaire, row["term"], language)
        null = text(f"agreement.null.{row['null']}", language)
        cells: tuple[object, ...] = (row["median"], (row["quartile_low"], row["quartile_high"]), row["share_agreeing"])
        if not np.isfinite(row["median"]):
            cells = (Absent(text(row["note"] or "agreement.note.no_group", language)),) * 3
        rows.append((name if name != last else "", null, int(row["n_groups"]), *cells))
        last = name
    notes = [text("agreement.table.note_rwg", language)]
    reset = sum(r.reset for r in found.rows)
    notes += [text("agreement.table.note_reset", language, count=reset)] if reset else []
    notes += [text("agreement.table.note_hidden", language)] if any(r.suppressed for r in found.rows) else []
    notes += [text("agreement.note.forced", language)] if found.forced else []
    return Table(
        f"tbl-agreement-{survey_id(responses)}",
        _title("agreement.table.rwg_title", responses, language),
        (
            Column("scale", text("agreement.table.scale", language), width=0.28),
            Column("null", text("agreement.table.null", language), width=0.24),
            Column("groups", text("agreement.table.groups", language), "integer"),
            Column("median", text("agreement.table.median", language), "number2"),
            Column("quartiles", text("agreement.table.quartiles", language), "interval"),
            Column("share", text("agreement.table.share", language), "percent1"),
        ),
        tuple(rows),
        notes=tuple(notes),
        **_common(found.data_kind, responses, language),
    )


def harman_table(found: Harman | Finding, responses: Responses, language: str) -> Table | Finding:
    """Return Harman's single factor with the sentence that it clears nothing."""
    if isinstance(found, Finding):
        return found
    shares = (("component", found.component), ("factor", found.factor))
    return Table(
        f"tbl-harman-{survey_id(responses)}",
        _title("method_bias.table.title", responses, language),
        (
            Column("what", text("method_bias.table.what", language), width=0.7),
            Column("share", text("method_bias.table.share", language), "percent1", width=0.3),
        ),
        tuple((text(f"method_bias.table.{name}", language), share) for name, share in shares),
        n=found.n,
        notes=(
            text("method_bias.table.note_bar", language, bar=percent(HABITUAL_BAR, language, 0)),
            text("method_bias.note.no_clearance", language),
            text("tables.common.listwise", language),
        ),
        **_common(found.data_kind, responses, language),
    )
