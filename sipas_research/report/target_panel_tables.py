"""Targets of many agencies: the pooled probability beside the agency's own, slow movers only beyond noise."""

from __future__ import annotations

import math
from typing import Any

from sipas_research.framework.target_panel import PanelRow, TargetPanel
from sipas_research.report.cells import Absent
from sipas_research.report.display import Column, Finding, Table
from sipas_research.wording import number, percent, text

_SHARE = 100.0


def target_panel_table(found: TargetPanel | Finding, language: str, *, source: str = "") -> Table | Finding:
    """Return each agency's targets in the order given; probabilities are the model's and rank nobody."""
    if isinstance(found, Finding):
        return found
    named = {n.vi: n(language) for n in found.names}
    slow = {r.group: text(f"target_panel.table.{'yes' if r.slow else 'no'}", language) for r in found.mover_rows}
    rows = tuple(
        (named[r.group], r.n_points, *_cells(r, language), slow.get(r.group, _reason(r.note, language)))
        for r in found.rows
    )
    level = percent(found.level, language, 0)
    styles: dict[str, Any] = {
        "n": "integer",
        "year": "year",
        "target": "percent",
        "pace": "number2",
        "limits": "interval_percent",
    }
    names = ("name", "n", "year", "target", "pace", "pooled", "alone", "limits", "half", "slow")
    columns = tuple(
        Column(
            name,
            text(f"target_panel.table.{name}", language, **({"level": level} if name == "limits" else {})),
            styles.get(name, "text"),
            "right" if name in {"pooled", "alone"} else "center" if name in {"half", "slow"} else None,
        )
        for name in names
    )
    return Table(
        "tbl-target-panel",
        text("target_panel.table.title", language),
        columns,
        rows,
        language,
        found.data_kind,
        source=source,
        notes=_notes(found, language),
    )


def _notes(found: TargetPanel, language: str) -> tuple[str, ...]:
    notes = [text("target_panel.table.note_model", language)]
    if found.forecasts:
        scores = {"pooled": number(found.brier_pooled, 3, language), "alone": number(found.brier_alone, 3, language)}
        notes.append(text("target_panel.table.note_brier", language, n=len(found.forecasts), **scores))
    return (*notes, *(text(key, language) for key in found.assumptions))


def _cells(row: PanelRow, language: str) -> tuple[Any, ...]:
    head = (row.year, row.target / _SHARE, row.required_pace)
    own: Any = percent(row.probability_alone, language, 0)
    if not math.isfinite(row.probability_alone):
        own = Absent(text("target_panel.table.alone_reason", language))
    if row.note:
        none = _reason(row.note, language)
        return (*head, none, own, none, none)
    half = str(int(row.earliest_50)) if math.isfinite(row.earliest_50) else text("target_panel.table.never", language)
    limits = (row.conf_low / _SHARE, row.conf_high / _SHARE)
    return (*head, percent(row.probability, language, 0), own, limits, half)


def _reason(note: str, language: str) -> Absent:
    return Absent(text(note or "target_panel.reason.few", language))
