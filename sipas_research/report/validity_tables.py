"""Convergent and discriminant validity in the form that theses print: CR, AVE, MSV, Fornell-Larcker, HTMT."""

from __future__ import annotations

from typing import Any

import numpy as np

from sipas_research.factors.validity_result import FactorValidity, GroupValidity, Validity, conventions
from sipas_research.report.cells import Absent
from sipas_research.report.display import Column, Finding, Table
from sipas_research.report.labels import item_codes, scale_name, source_line, survey_id
from sipas_research.results import DataKind
from sipas_research.survey.responses import Responses
from sipas_research.wording import number, percent, text


def _common(kind: DataKind, responses: Responses, language: str) -> dict[str, Any]:
    return {
        "language": language,
        "data_kind": kind,
        "weighting": text("tables.common.unweighted", language),
        "source": source_line(responses, language),
    }


def _name(factor: str, responses: Responses, language: str) -> str:
    """Return the scale's name; a factor that the analyst made up keeps the name given in the model."""
    known = {scale.id for scale in responses.questionnaire.scales}
    return scale_name(responses.questionnaire, factor, language) if factor in known else factor


def _group(found: Validity, group: str | None) -> tuple[int, GroupValidity]:
    labels = [each.label for each in found.groups]
    place = 0 if group is None else labels.index(group)
    return place, found.groups[place]


def _id(stem: str, place: int, found: Validity, responses: Responses) -> str:
    return f"tbl-{stem}-{survey_id(responses)}" + (f"-{place + 1}" if len(found.groups) > 1 else "")


def _title(key: str, group: GroupValidity, language: str) -> str:
    return text(f"{key}_group", language, group=group.label) if group.label else text(key, language)


def validity_table(
    found: Validity | Finding, responses: Responses, language: str, *, group: str | None = None
) -> Table | Finding:
    """Return CR, AVE, MSV and MaxR(H) of each factor beside the roots of AVE and the correlations of factors.

    CR and AVE are those of standardised loadings, which a reader can compute again from the table of loadings; the
    note gives those of raw items.

    Parameters
    ----------
    found : Validity or Finding
    responses : Responses
        Of the fit.
    language : {"vi", "en"}
    group : str, optional
        Which group; by default the first.
    """
    if isinstance(found, Finding):
        return found
    place, shown = _group(found, group)
    size = len(shown.first_order)
    general = any(np.isfinite(f.cr_general) and f.reason for f in shown.factors)
    rows = [_row(k, factor, shown, responses, language, general=general) for k, factor in enumerate(shown.factors)]
    columns = [
        Column("factor", text("validity.table.factor", language), width=0.2),
        Column("cr", text("validity.table.cr", language), "number3"),
        *([Column("cr_general", text("validity.table.cr_general", language), "number3")] if general else []),
        Column("ave", text("validity.table.ave", language), "number3"),
        Column("msv", text("validity.table.msv", language), "number3"),
        Column("max_reliability", text("validity.table.max_reliability", language), "number3"),
    ]
    if size > 1:
        columns += [Column(f"f{k + 1}", text("validity.table.short", language, place=k + 1), "number3", align="right")
                    for k in range(size)]  # fmt: skip
    return Table(
        _id("validity", place, found, responses),
        _title("validity.table.title", shown, language),
        tuple(columns),
        tuple(rows),
        n=shown.n,
        notes=_notes(shown, responses, language, general=general),
        **_common(found.data_kind, responses, language),
    )


def _row(
    place: int, factor: FactorValidity, group: GroupValidity, responses: Responses, language: str, *, general: bool
) -> tuple[object, ...]:
    size = len(group.first_order)
    reason = Absent(text(factor.reason, language)) if factor.reason else None
    cr, ave = reason or factor.cr_standardized, reason or factor.ave_standardized
    lone = "one_factor" if size < 2 else "second_order"
    msv = factor.msv if np.isfinite(factor.msv) else Absent(text(f"validity.note.{lone}", language))
    cells: list[object] = [_name(factor.name, responses, language), cr]
    cells += [factor.cr_general if factor.reason and np.isfinite(factor.cr_general) else ""] if general else []
    cells += [ave, msv, reason or factor.max_reliability]
    if size < 2:
        return tuple(cells)
    for k in range(size):
        if place >= size or k > place:
            cells.append("")
        elif k == place:
            cells.append(reason or float(np.sqrt(factor.ave_standardized)))
        else:
            cells.append(float(group.correlations[place, k]))
    return tuple(cells)


def _notes(group: GroupValidity, responses: Responses, language: str, *, general: bool) -> tuple[str, ...]:
    notes = [text("validity.table.note_standardized", language)]
    raw = [f for f in group.factors if not f.reason]
    if raw:
        ends = {
            f"{name}_{end}": number(pick(getattr(f, name) for f in raw), 3, language)
            for name in ("cr", "ave")
            for end, pick in (("low", min), ("high", max))
        }
        notes.append(text("validity.table.note_raw", language, **ends))
    if len(group.first_order) > 1:
        notes.append(text("validity.table.note_diagonal", language))
        notes.append(text("validity.table.note_columns", language, count=len(group.first_order)))
    if general:
        notes.append(text("validity.table.note_general", language))
    codes = item_codes(responses.questionnaire)
    turned = [codes.get(item, item) for f in group.factors for item in f.reversed_items]
    if turned:
        notes.append(text("validity.table.note_reversed", language, items=", ".join(turned)))
    close = {key for _, keys in group.pair_notes for key in keys}
    for key in ("validity.note.beyond_one", "validity.note.orthogonal"):
        notes += [text(key, language)] if key in close else []
    return (*notes, text("validity.convention.title", language))


def htmt_table(
    found: Validity | Finding, responses: Responses, language: str, *, group: str | None = None
) -> Table | Finding | None:
    """Return the correlation, HTMT and HTMT2 of each pair of factors with their intervals; None with one factor.

    Parameters
    ----------
    found, responses, language, group
        As in :func:`validity_table`.
    """
    if isinstance(found, Finding):
        return found
    place, shown = _group(found, group)
    if len(shown.first_order) < 2:
        return None
    drawn = bool(found.bootstrap)
    level = percent(found.level, language, 0)
    columns = [
        Column("pair", text("validity.table.pair", language), width=0.34 if drawn else 0.5),
        Column("correlation", text("validity.table.correlation", language), "number3"),
    ]
    for measure in ("htmt", "htmt2"):
        label = text(f"validity.table.{measure}", language)
        columns.append(Column(measure, label, "number3", width=0.1))
        if drawn:
            name = text("validity.table.interval", language, level=level, measure=label)
            columns.append(Column(f"{measure}_interval", name, "interval"))
    rows = tuple(_pair_row(shown, i, j, drawn, responses, language) for i, j in shown.pairs())
    said = {key for _, keys in shown.pair_notes for key in keys}
    named = ("assumption", "mixed_signs")
    notes = [
        text("validity.table.note_correlation", language),
        text("validity.table.note_bootstrap", language, draws=found.bootstrap)
        if drawn
        else " ".join(text(key, language) for key in found.notes),
        *[text(f"validity.note.{key}", language) for key in named if f"validity.note.{key}" in said],
        text("validity.convention.title", language),
    ]
    return Table(
        _id("htmt", place, found, responses),
        _title("validity.table.htmt_title", shown, language),
        tuple(columns),
        rows,
        n=shown.n,
        notes=tuple(notes),
        **_common(found.data_kind, responses, language),
    )


def _pair_row(
    group: GroupValidity, i: int, j: int, drawn: bool, responses: Responses, language: str
) -> tuple[object, ...]:
    first, second = (_name(group.factors[k].name, responses, language) for k in (i, j))
    cells: list[object] = [text("validity.table.pair_names", language, first=first, second=second)]
    cells.append(float(group.correlations[i, j]))
    for ratios in (group.htmt, group.htmt2):
        value = float(ratios.estimate[i, j])
        absent = Absent(text(_why(group, i, j), language))
        cells.append(value if np.isfinite(value) else absent)
        if drawn:
            ends = (float(ratios.conf_low[i, j]), float(ratios.conf_high[i, j]))
            cells.append(ends if np.isfinite(ends[0]) else absent)
    return tuple(cells)


def _why(group: GroupValidity, i: int, j: int) -> str:
    """Return the catalogue key of why a pair has no ratio."""
    if min(len(group.factors[k].items) for k in (i, j)) < 2:
        return "validity.note.single"
    keys = group.notes_of(i, j)
    return "validity.note.shared_item" if "validity.note.shared_item" in keys else "validity.note.no_ratio"


def validity_conventions_table(found: Validity | Finding, responses: Responses, language: str) -> Table | Finding:
    """Return the usual cut-offs with who proposed each and where it fails."""
    if isinstance(found, Finding):
        return found
    rows = tuple(
        (text(f"validity.table.measure_{row.measure}", language), row.convention, row.proposed_by, row.limit)
        for row in conventions(language).itertuples()
    )
    return Table(
        f"tbl-validity-conventions-{survey_id(responses)}",
        text("validity.table.conventions_title", language),
        (
            Column("measure", text("validity.table.measure", language), width=0.16),
            Column("bar", text("validity.table.bar", language), width=0.22),
            Column("by", text("validity.table.by", language), width=0.24),
            Column("limit", text("validity.table.limit", language), width=0.38),
        ),
        rows,
        notes=(text("validity.convention.title", language),),
        **_common(found.data_kind, responses, language),
    )
