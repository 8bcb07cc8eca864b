"""The satisfaction index: overall, by component, by agency, by year. Never sorted by value; ranks stand elsewhere."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sipas_research.framework.index import INDEX, OVERALL, SatisfactionIndex
from sipas_research.report.cells import Absent, Suppressed
from sipas_research.report.display import Column, Figure, Finding, Table
from sipas_research.report.figures import figure
from sipas_research.report.labels import index_name, source_line
from sipas_research.report.theme import ESTIMATE, REFERENCE, TEXT_WIDTH, percent_axis, theme
from sipas_research.survey.responses import Responses
from sipas_research.wording import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: First year of the survey of residents at large; before it, users of services were asked.
BREAK_YEAR = 2022


def term_name(term: str, responses: Responses, language: str) -> str:
    """Return the name of an index term for people."""
    if term == INDEX:
        return index_name(responses, language)
    if term == OVERALL and OVERALL not in {s.id for s in responses.questionnaire.scales}:
        return text("tables.index.overall", language)
    return responses.questionnaire.scale(term).name(language)


def figures_of(row: dict[Any, Any], language: str) -> tuple[Any, Any, Any]:
    """Return n, estimate and interval as cells: hidden, absent with a reason, or numbers."""
    if row["suppressed"]:
        return (Suppressed(), Suppressed(), Suppressed())
    if not np.isfinite(row["estimate"]):
        absent = Absent(text(row["note"] or "framework.note.no_answers", language))
        return (int(row["n"]) if np.isfinite(row["n"]) else absent, absent, absent)
    ends: Any = (row["conf_low"], row["conf_high"])
    if not np.isfinite(row["conf_low"]):
        ends = Absent(text(row["note"] or "framework.note.no_variance", language))
    return (int(row["n"]), row["estimate"], ends)


def common(found: SatisfactionIndex, responses: Responses, language: str) -> dict[str, Any]:
    """Return what every table and figure of an index says about its data and its design."""
    return {
        "language": language,
        "data_kind": found.data_kind,
        "n": int(found.n) if np.isfinite(found.n) else None,
        "weighting": text(f"tables.weighting.{found.weighting}", language),
        "source": source_line(responses, language),
    }


def _notes(found: SatisfactionIndex, responses: Responses, language: str, *extra: str) -> tuple[str, ...]:
    extra += () if responses.questionnaire.measures_satisfaction else ("tables.index.note_not_satisfaction",)
    keys = [f"tables.index.definition_{found.definition}", *extra, "tables.index.note_interval", *found.notes]
    return note_sentences(keys, language)


def note_sentences(keys: list[str], language: str) -> tuple[str, ...]:
    """Return the sentences of some notes; that weights are used stands in the line of every table already."""
    return tuple(text(key, language) for key in keys if key != "framework.weighting.weighted")


def _value_columns(responses: Responses, language: str) -> tuple[Column, Column, Column]:
    return (
        Column("n", text("tables.common.n", language), "integer", width=0.14),
        Column("estimate", index_name(responses, language), "percent", width=0.17),
        Column("interval", text("tables.common.interval", language), "interval_percent", width=0.25),
    )


def _title(name: str, year: int | None, responses: Responses, language: str) -> str:
    index = index_name(responses, language)
    if year is None:
        return text(f"tables.index.{name}_no_year", language, index=index)
    return text(f"tables.index.{name}", language, index=index, year=str(year))


def index_table(
    found: SatisfactionIndex | Finding, responses: Responses, year: int | None, language: str
) -> Table | Finding:
    """Return the index, its components and overall satisfaction, everyone together."""
    if isinstance(found, Finding):
        return found
    rows = [
        (term_name(row["term"], responses, language), *figures_of(row, language))
        for row in found.tidy().to_dict("records")
        if row["group"] == ""
    ]
    title = _title("title", year, responses, language)
    return Table(
        "tbl-index",
        title,
        (
            Column("component", text("tables.common.component", language), width=0.44),
            *_value_columns(responses, language),
        ),
        tuple(rows),
        total_rows=(0,),
        notes=_notes(found, responses, language),
        **common(found, responses, language),
    )


def agency_table(
    found: SatisfactionIndex | Finding, responses: Responses, year: int | None, language: str
) -> Table | Finding | None:
    """Return the index of each agency in register order, all together in the last row."""
    if isinstance(found, Finding):
        return found
    rows = [
        (responses.agencies.name(row["group"], language), *figures_of(row, language))
        for row in _index_rows(found).to_dict("records")
    ]
    rows.append((text("tables.common.all", language), *figures_of(_everyone(found), language)))
    title = _title("by_agency", year, responses, language)
    return Table(
        "tbl-index-agency",
        title,
        (Column("agency", text("tables.common.agency", language), width=0.44), *_value_columns(responses, language)),
        tuple(rows),
        total_rows=(len(rows) - 1,),
        notes=_notes(found, responses, language, "tables.index.note_order"),
        **common(found, responses, language),
    )


def year_table(found: SatisfactionIndex, responses: Responses, language: str) -> Table:
    """Return the index by year, with the break named; no change is computed across it."""
    years = _index_rows(found).to_dict("records")
    rows = [(_year(row["group"]), *figures_of(row, language)) for row in years]
    numbers = [int(_year(row["group"])) for row in years if _year(row["group"]).isdigit()]
    measured = bool(numbers) and responses.questionnaire.measures_satisfaction
    crosses = measured and min(numbers) < BREAK_YEAR <= max(numbers)
    return Table(
        "tbl-index-year",
        text("tables.index.by_year", language, index=index_name(responses, language)),
        (
            Column("year", text("tables.common.year", language), align="center", width=0.2),
            *_value_columns(responses, language),
        ),
        tuple(rows),
        notes=_notes(found, responses, language, *(["tables.index.note_break"] if crosses else [])),
        # the forms of one year stand under each of its tables: with all years' number a small year would follow
        **(common(found, responses, language) | ({"n": None} if any(row["suppressed"] for row in years) else {})),
    )


def _year(group: str) -> str:
    return group.removesuffix(".0")


def _index_rows(found: SatisfactionIndex) -> pd.DataFrame:
    table = found.tidy()
    return table.loc[(table["term"] == INDEX) & (table["group"] != "")]


def _everyone(found: SatisfactionIndex) -> dict[Any, Any]:
    table = found.tidy()
    return table.loc[(table["term"] == INDEX) & (table["group"] == "")].to_dict("records")[0]


def dots(axes: Axes, names: list[str], rows: list[dict[Any, Any]], language: str, *, colour: str = ESTIMATE) -> None:
    """Draw one dot with its interval a row, first row on top; rows without figures leave their line empty."""
    for place, row in enumerate(rows):
        if not np.isfinite(row["estimate"]):
            continue
        ends = [row["conf_low"], row["conf_high"]]
        if np.isfinite(ends).all():
            axes.plot(ends, [place, place], color=colour, linewidth=1.6, solid_capstyle="butt")
        axes.plot([row["estimate"]], [place], marker="o", markersize=4.5, color=colour)
    axes.set_yticks(range(len(names)), [textwrap.fill(n, 38) for n in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    percent_axis(axes, language)


def component_figure(found: SatisfactionIndex | Finding, responses: Responses, language: str) -> Figure | None:
    """Return the index and its components as dots with intervals; nothing where there is no index."""
    from matplotlib import pyplot as plt

    if isinstance(found, Finding) or not np.isfinite(_everyone(found)["estimate"]):
        return None
    rows = [r for r in found.tidy().to_dict("records") if r["group"] == ""]
    with theme():
        drawing, axes = plt.subplots(figsize=(TEXT_WIDTH, 0.7 + 0.36 * len(rows)))
        dots(axes, [term_name(r["term"], responses, language) for r in rows], rows, language)
        return figure(
            drawing,
            id="fig-index",
            title=text("tables.index.figure_components", language, index=index_name(responses, language)),
            alt=text(
                "tables.index.alt_components",
                language,
                index=index_name(responses, language),
                count=len(found.components),
            ),
            **common(found, responses, language),
        )


def agency_figure(
    found: SatisfactionIndex | Finding, whole: SatisfactionIndex | Finding, responses: Responses, language: str
) -> Figure | None:
    """Return the agencies as dots with intervals in register order; nothing where fewer than two can be shown."""
    from matplotlib import pyplot as plt

    if isinstance(found, Finding) or isinstance(whole, Finding):
        return None
    rows = [r for r in _index_rows(found).to_dict("records") if np.isfinite(r["estimate"])]
    if len(rows) < 2:
        return None
    with theme():
        drawing, axes = plt.subplots(figsize=(TEXT_WIDTH, 0.8 + 0.22 * len(rows)))
        dots(axes, [responses.agencies.name(r["group"], language) for r in rows], rows, language)
        level = _everyone(whole)["estimate"]
        if np.isfinite(level):
            axes.axvline(level, color=REFERENCE, linestyle="--", linewidth=1, zorder=0)
            axes.text(level, -0.55, text("tables.index.overall_line", language), ha="center", va="bottom", fontsize=8)
        return figure(
            drawing,
            id="fig-index-agency",
            title=text("tables.index.figure_agencies", language, index=index_name(responses, language)),
            alt=text("tables.index.alt_agencies", language, index=index_name(responses, language), count=len(rows)),
            notes=(text("tables.index.note_order", language),),
            **common(found, responses, language),
        )
