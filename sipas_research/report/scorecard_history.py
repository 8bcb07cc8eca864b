"""One agency over the years that can be compared: a change of measurement stands as a line of its own."""

from __future__ import annotations

import math
from typing import Any

from sipas_research.framework.dossier import Dossier
from sipas_research.framework.history import AgencyHistory, HistoryRow
from sipas_research.report.display import Column, Finding, Table
from sipas_research.report.index_tables import figures_of, note_sentences
from sipas_research.report.labels import index_name, source_line, survey_id
from sipas_research.report.scorecard_tables import points
from sipas_research.survey.responses import Responses
from sipas_research.wording import number, percent, text


def history_table(dossier: Dossier, responses: Responses, language: str) -> Table | Finding:
    """Return the agency's index by year with the change from the year before; a sentence where there is one year."""
    history = dossier.history
    shown = [row for row in history.rows if row.figure is not None]
    if len(shown) < 2:
        return _alone(dossier, responses, language)
    rows = [_cells(row, language, first=place == 0) for place, row in enumerate(shown)]
    if history.breaks:
        rows.insert(0, (_break(history, language), *[""] * 5))
    return Table(
        "tbl-scorecard-history",
        text("scorecard.history.title", language, agency=responses.agencies.name(dossier.agency, language)),
        (
            Column("year", text("tables.common.year", language), align="left", width=0.16),
            Column("n", text("tables.common.n", language), "integer", width=0.09),
            Column("estimate", index_name(responses, language), "percent", width=0.12),
            Column("interval", text("tables.common.interval", language), "interval_percent", width=0.2),
            Column("change", text("scorecard.history.change", language), align="right", width=0.24),
            Column("verdict", text("scorecard.history.verdict", language), width=0.19),
        ),
        tuple(rows),
        language,
        dossier.card.data_kind,
        weighting=text(f"tables.weighting.{dossier.card.weighting}", language),
        source=source_line(responses, language),
        total_rows=(0,) if history.breaks else (),
        notes=(
            text("scorecard.history.note", language, level=percent(history.level, language, 0)),
            *(b.sentence(language) for b in history.breaks),
            *note_sentences([k for k in history.notes if k.startswith("index_change.")], language),
        ),
    )


def _break(history: AgencyHistory, language: str) -> str:
    return text("scorecard.history.break", language, year=str(history.breaks[-1].year), years=_years(history.earlier))


def _years(years: tuple[int, ...]) -> str:
    return str(years[0]) if len(years) == 1 else f"{years[0]}–{years[-1]}"


def _alone(dossier: Dossier, responses: Responses, language: str) -> Finding:
    name, history = f"scorecard-history-{survey_id(responses)}", dossier.history
    parts = [text("scorecard.history.one", language)]
    parts += [_break(history, language) + "."] if history.breaks else []
    return Finding(name, " ".join(parts), language, dossier.card.data_kind, role="reason")


def _cells(row: HistoryRow, language: str, *, first: bool) -> tuple[Any, ...]:
    figure, change = row.figure, row.change
    values = figures_of({name: getattr(figure, name) for name in figure.__slots__}, language) if figure else ("",) * 3
    if first:
        return (str(row.year), *values, "", "")
    if change is None or not math.isfinite(change.p_value):
        return (str(row.year), *values, "", text("scorecard.history.untested", language))
    ends = points(change.conf_low, change.conf_high, language)
    verdict = text(f"scorecard.history.{'beyond' if change.beyond else 'within'}", language)
    return (str(row.year), *values, f"{number(100.0 * change.estimate, 2, language)} ({ends})", verdict)


def history_findings(dossier: Dossier, responses: Responses, language: str) -> tuple[Finding, ...]:
    """Return what changed since the year before and whether it is more than noise, or why nothing is compared."""
    history, name, kind = dossier.history, f"scorecard-change-{survey_id(responses)}", dossier.card.data_kind
    if len(history.rows) < 2:
        said = "; ".join(b.sentence(language) for b in history.breaks)
        sentence = (
            text("scorecard.history.broken", language, years=_years(history.earlier), breaks=said) if said else ""
        )
        return (Finding(name, sentence, language, kind),) if said else ()
    first, last = history.rows[-2:]
    years = {"first": str(first.year), "last": str(last.year)}
    change = last.change
    if change is None or not math.isfinite(change.p_value):
        return (Finding(name, text("index_change.summary.untested", language, **years), language, kind),)
    sentence = text(
        f"index_change.summary.{'beyond' if change.beyond else 'within'}",
        language,
        **years,
        change=number(100.0 * change.estimate, 2, language),
        interval=points(change.conf_low, change.conf_high, language),
        level=percent(history.level, language, 0),
    )
    return (Finding(name, sentence, language, kind),)
