"""The sampling plan for people: assumptions, forms by size of frame and by agency, the margin that forms buy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sipas_research.framework.frames import Frames
from sipas_research.framework.framework_spec import Framework
from sipas_research.framework.sample_plan import (
    YAMANE_ERROR,
    Planning,
    PlanRow,
    forms_needed,
    half_width,
    plan_frame,
    planning_for,
    sample_plan,
)
from sipas_research.numerics.disclosure import MINIMUM_CELL
from sipas_research.report.cells import Absent
from sipas_research.report.display import Column, Figure, Finding, Table
from sipas_research.report.figures import figure
from sipas_research.report.framework_parts import BLANK, RULES, said
from sipas_research.report.theme import GROUPS, REFERENCE, TEXT_WIDTH, number_axis, theme
from sipas_research.wording import integer, number, percent, text

#: Sizes of frame that the table by size shows, and those that the figure draws.
_FRAMES = (50, 100, 200, 500, 1_000, 3_000, 10_000, 50_000)
_DRAWN = (200, 1_000, math.inf)
_MOST_DRAWN = 500


def points(share: float, language: str, decimals: int = 1) -> str:
    """Return a share as percentage points."""
    return number(100.0 * share, decimals, language)


def framework_planning_table(framework: Framework, language: str) -> Table:
    """Return the assumptions of the sampling plan, each with its reason."""
    plan = planning_for(framework)
    values = {
        "share": percent(plan.share, language, 0),
        "alike": number(plan.alike, 1, language),
        "effect": number(plan.design_effect, 1, language),
        "half": points(plan.half_width, language),
        "confidence": percent(plan.confidence, language, 0),
        "returned": percent(plan.returned, language, 0),
    }
    rows = []
    for name, value in values.items():
        reason = f"effect_why_{framework.level}" if name == "effect" else f"{name}_why"
        fields = {"questions": plan.questions} if name == "alike" else {}
        why = said(f"planning.{reason}", language, **fields)
        rows.append((said(f"planning.{name}", language), value, why))
    return Table(
        "tbl-framework-planning",
        said("planning.title", language),
        (
            Column("what", said("planning.what", language), width=0.34),
            Column("value", said("planning.value", language), align="right", width=0.12),
            Column("why", said("planning.why", language), width=0.54),
        ),
        tuple(rows),
        language,
        RULES,
    )


def framework_sizes_table(framework: Framework, language: str) -> Table:
    """Return forms and margins by size of the frame: Yamane's, and the design-based ones beside them."""
    plan = planning_for(framework)
    rows = []
    for frame in _FRAMES:
        row = plan_frame("", frame, plan)
        halves = (points(row.yamane_half, language), points(row.designed_half, language))
        rows.append((frame, row.yamane, halves[0], row.designed, halves[1], row.issued))
    labels = {name: said(f"sizes.{name}", language) for name in ("yamane_half", "designed_half")}
    return Table(
        "tbl-framework-sizes",
        said("sizes.title", language),
        (
            Column("frame", said("sizes.frame", language), "integer", width=0.2),
            Column("yamane", said("sizes.yamane", language), "integer", width=0.17),
            Column("yamane_half", labels["yamane_half"], align="right", width=0.13),
            Column("designed", said("sizes.designed", language), "integer", width=0.18),
            Column("designed_half", labels["designed_half"], align="right", width=0.13),
            Column("issued", said("sizes.issued", language), "integer", width=0.19),
        ),
        tuple(rows),
        language,
        RULES,
        notes=(*_formulas(plan, language), said("sizes.note_single", language)),
    )


def _formulas(plan: Planning, language: str) -> tuple[str, str]:
    return (
        said("sizes.note_yamane", language, error=percent(YAMANE_ERROR, language, 0)),
        said("sizes.note_designed", language, half=points(plan.half_width, language, 0), questions=plan.questions),
    )


def framework_agencies_table(framework: Framework, frames: Frames, language: str) -> Table | Finding:
    """Return the forms of each agency and the margin they buy; a sentence where the register holds no agency."""
    if not frames.sizes:
        return Finding("no-agencies", said("finding.no_agencies", language), language, frames.data_kind, role="reason")
    plan = sample_plan(frames.sizes, planning_for(framework))
    known = [row for row in plan if row.frame >= 2]
    rows = [_agency_row(row, frames, language, blank=not known) for row in plan]
    if known:
        sums = {n: sum(getattr(row, n) for row in known) for n in ("frame", "shared", "yamane", "designed", "issued")}
        total = said("agencies.total", language)
        rows.append((total, sums["frame"], sums["shared"], "", sums["yamane"], "", sums["designed"], sums["issued"]))
    half = said("agencies.half", language)
    names = ("shared", "yamane", "designed", "issued")
    labels = {name: said(f"agencies.{name}", language) for name in names}
    shared_notes = (said("agencies.note_shared", language), *_formulas(planning_for(framework), language))
    return Table(
        "tbl-framework-agencies",
        said("agencies.title", language),
        (
            Column("agency", said("agencies.agency", language), width=0.25),
            Column("frame", said("agencies.frame", language), "integer", width=0.1),
            Column("shared", labels["shared"], "integer", width=0.12),
            Column("shared_half", half, align="right", width=0.09),
            Column("yamane", labels["yamane"], "integer", width=0.11),
            Column("yamane_half", half, align="right", width=0.09),
            Column("designed", labels["designed"], "integer", width=0.13),
            Column("issued", labels["issued"], "integer", width=0.11),
        ),
        tuple(rows),
        language,
        frames.data_kind,
        source=_source(frames, language),
        notes=(_frame_note(frames, language), *(shared_notes if known else ())),
        total_rows=(len(rows) - 1,) if known else (),
    )


def _source(frames: Frames, language: str) -> str:
    if not frames.estimated:
        return ""
    kind = text(f"common.kind.{frames.data_kind.value}", language)
    return text("tables.source.line", language, source=frames.source, kind=kind)


def _frame_note(frames: Frames, language: str) -> str:
    if frames.source and not frames.estimated:
        return said("agencies.note_counted", language)
    if frames.estimated:
        return said("agencies.note_frame", language, minimum=MINIMUM_CELL)
    return said("agencies.note_open", language)


def _agency_row(row: PlanRow, frames: Frames, language: str, *, blank: bool) -> tuple[Any, ...]:
    name = frames.register.name(row.agency, language)
    if blank:
        return (name, BLANK, *[""] * 6)
    if not row.frame >= 2:
        return (name, *[Absent(said("agencies.unknown", language))] * 7)
    few = Absent(said("agencies.too_few", language))
    halves = [points(half, language) if math.isfinite(half) else few for half in (row.shared_half, row.yamane_half)]
    return (name, row.frame, row.shared, halves[0], row.yamane, halves[1], row.designed, row.issued)


def framework_margin_figure(framework: Framework, language: str) -> Figure:
    """Return the half-width of the interval by number of forms, for three sizes of the frame."""
    from matplotlib import pyplot as plt

    plan = planning_for(framework)
    with theme():
        drawing, axes = plt.subplots(figsize=(TEXT_WIDTH, TEXT_WIDTH * 0.48))
        for frame, colour in zip(_DRAWN, GROUPS, strict=False):
            forms = np.arange(15, int(min(frame, _MOST_DRAWN)) + 1)
            halves = [100.0 * half_width(float(n), frame, plan) for n in forms]
            shown = {"frame": integer(frame, language)} if math.isfinite(frame) else {}
            label = said("figure.frame" if shown else "figure.no_limit", language, **shown)
            axes.plot(forms, halves, color=colour, label=label)
            needed = forms_needed(frame, plan)
            axes.plot([needed], [100.0 * half_width(needed, frame, plan)], marker="o", color=colour)
        line: dict[str, Any] = {"color": REFERENCE, "linestyle": "--", "linewidth": 1.0}
        axes.axhline(100.0 * plan.half_width, label=said("figure.rule", language), **line)
        axes.set_xlim(0, _MOST_DRAWN)
        axes.set_ylim(0, 20)
        axes.set_yticks(range(0, 21, 5))
        axes.set_xlabel(said("figure.forms", language))
        axes.set_ylabel(said("figure.half", language))
        number_axis(axes, language)
        number_axis(axes, language, which="y")
        axes.legend()
        return figure(
            drawing,
            id="fig-framework-margin",
            title=said("figure.title", language),
            alt=said("figure.alt", language),
            language=language,
            data_kind=RULES,
            notes=_formulas(plan, language)[1:],
        )
