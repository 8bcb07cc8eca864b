"""One agency's scorecard: its figures beside those of all, its lowest and highest questions. No rank, no class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sipas_research.framework.scorecard import Scorecard
from sipas_research.report.cells import Absent
from sipas_research.report.display import Column, Figure, Finding, Table
from sipas_research.report.figures import figure
from sipas_research.report.index_tables import dots, figures_of, note_sentences, term_name
from sipas_research.report.labels import item_codes, item_text, source_line, survey_id
from sipas_research.report.theme import ESTIMATE, REFERENCE, TEXT_WIDTH, theme
from sipas_research.survey.responses import Responses
from sipas_research.wording import number, text

_SHOWN_ITEMS = 3


def agency_name(card: Scorecard, responses: Responses, language: str) -> str:
    """Return the agency's name."""
    return responses.agencies.name(card.agency, language)


def _common(card: Scorecard, responses: Responses, language: str) -> dict[str, Any]:
    return {
        "language": language,
        "data_kind": card.data_kind,
        "n": int(card.n),
        "weighting": text(f"tables.weighting.{card.weighting}", language),
        "source": source_line(responses, language),
    }


def points(low: float, high: float, language: str) -> str:
    """Return an interval of differences in percentage points: "−1,20 đến 3,40"."""
    ends = [number(100 * v, 2, language) for v in (low, high)]
    return text("tables.scorecard.from_to", language, low=ends[0], high=ends[1])


def scorecard_table(card: Scorecard, responses: Responses, language: str) -> Table:
    """Return index and components of the agency, of all, and the difference from the other agencies in points."""
    found = card.tidy()
    gaps = card.differences()
    rows = []
    for term in dict.fromkeys(found["term"]):
        own, every = (
            found.loc[(found["term"] == term) & (found["group"] == scope)].to_dict("records")[0]
            for scope in ("agency", "province")
        )
        gap = gaps.loc[gaps["term"] == term].to_dict("records")
        own_cells, every_cells = figures_of(own, language), figures_of(every, language)
        rows.append((term_name(term, responses, language), *own_cells[1:], every_cells[1], _gap(gap, language)))
    return Table(
        "tbl-scorecard",
        text("tables.scorecard.values", language, agency=agency_name(card, responses, language)),
        (
            Column("component", text("tables.common.component", language), width=0.27),
            Column("estimate", text("tables.scorecard.unit", language), "percent", width=0.11),
            Column("interval", text("tables.common.interval", language), "interval_percent", width=0.19),
            Column("province", text("tables.scorecard.province", language), "percent", width=0.1),
            Column("difference", _compared(gaps, language), align="right", width=0.33),
        ),
        tuple(rows),
        total_rows=(0,),
        notes=note_sentences(
            [f"tables.index.definition_{card.definition}", "tables.index.note_interval", *card.notes], language
        ),
        **_common(card, responses, language),
    )


def _compared(gaps: pd.DataFrame, language: str) -> str:
    """Say against whom the differences are: the same agencies in every row."""
    whom = "level_others" if gaps["group"].eq("level_others").any() else "province_others"
    return text(f"tables.scorecard.difference_{whom}", language)


def _gap(gap: list[dict[Any, Any]], language: str) -> str | Absent:
    if not gap or not np.isfinite(gap[0]["estimate"]):
        return Absent(text("framework.note.no_comparison", language))
    row = gap[0]
    value = number(100 * row["estimate"], 2, language)
    if not np.isfinite(row["conf_low"]):
        return value
    return f"{value} ({points(row['conf_low'], row['conf_high'], language)})"


def scorecard_figure(card: Scorecard, responses: Responses, language: str) -> Figure:
    """Return the agency's figures with intervals, and those of all as grey dots."""
    from matplotlib import pyplot as plt

    found = card.tidy()
    own = found.loc[found["group"] == "agency"].to_dict("records")
    every = found.loc[found["group"] == "province"].to_dict("records")
    name = agency_name(card, responses, language)
    with theme():
        drawing, axes = plt.subplots(figsize=(TEXT_WIDTH, 0.95 + 0.33 * len(own)))
        dots(axes, [term_name(r["term"], responses, language) for r in own], own, language)
        for place, row in enumerate(every):
            if np.isfinite(row["estimate"]):
                axes.plot([row["estimate"]], [place], marker="|", markersize=13, markeredgewidth=2, color=REFERENCE)
        axes.plot([], [], marker="o", color=ESTIMATE, label=name)
        axes.plot(
            [],
            [],
            marker="|",
            markersize=11,
            markeredgewidth=2,
            linestyle="",
            color=REFERENCE,
            label=text("tables.index.overall_line", language),
        )
        axes.legend(loc="upper center", bbox_to_anchor=(0.4, -0.16), ncols=2)
        return figure(
            drawing,
            id="fig-scorecard",
            title=text("tables.scorecard.figure", language, agency=name),
            alt=text("tables.scorecard.alt", language, agency=name),
            **_common(card, responses, language),
        )


def scorecard_items_table(card: Scorecard, responses: Responses, language: str) -> Table | Finding:
    """Return the questions with the lowest and highest shares, and whether the data tell them apart.

    A sentence where fewer than two questions can be shown.
    """
    codes = item_codes(responses.questionnaire)
    known = [r for r in card.items().to_dict("records") if np.isfinite(r["estimate"])]
    ordered = sorted(known, key=lambda r: (r["estimate"], codes[r["term"]]))
    if len(ordered) < 2:
        said = text("scorecard.reason.few_items", language)
        return Finding(f"scorecard-items-{survey_id(responses)}", said, language, card.data_kind, role="reason")
    half = min(_SHOWN_ITEMS, len(ordered) // 2)
    picked = [("lowest", r) for r in ordered[:half]] + [("highest", r) for r in ordered[len(ordered) - half :]]
    rows = [
        (
            text(f"tables.scorecard.{place}", language),
            codes[row["term"]],
            item_text(responses.questionnaire, row["term"], language),
            *figures_of(row, language)[1:],
            text(f"tables.scorecard.{_told_apart(card, row['term'])}", language),
        )
        for place, row in picked
    ]
    return Table(
        "tbl-scorecard-items",
        text("tables.scorecard.items", language, agency=agency_name(card, responses, language)),
        (
            Column("place", text("tables.scorecard.place", language), width=0.12),
            Column("code", text("tables.common.item_code", language), width=0.085),
            Column("item", text("tables.common.item", language), width=0.335),
            Column("satisfied", text("tables.common.satisfied_top", language), "percent", width=0.12),
            Column("interval", text("tables.common.interval", language), "interval_percent", width=0.18),
            Column("verdict", text("tables.scorecard.verdict", language), width=0.16),
        ),
        tuple(rows),
        notes=tuple(text(f"tables.scorecard.{key}", language) for key in ("note_tie", "note_items")),
        **_common(card, responses, language),
    )


def _told_apart(card: Scorecard, item: str) -> str:
    return "apart" if item in {*card.weakest, *card.strongest} else "not_apart"
