"""Measures suggested to one agency, with owner, deadline and evidence."""

from __future__ import annotations

from sipas_research.framework.actions import Suggestion, Suggestions
from sipas_research.framework.framework_spec import Framework
from sipas_research.report.display import Column, Finding, Table
from sipas_research.report.labels import source_line
from sipas_research.survey.responses import Responses
from sipas_research.wording import number, percent, text


def action_table(
    found: Suggestions, responses: Responses, language: str, *, framework: Framework | None = None
) -> Table | Finding:
    """Return suggested measures, each with the criteria it acts on; a sentence where there is nothing to suggest."""
    if not found.rows:
        return Finding("no-suggested-measure", found.summary(language), language, found.data_kind)
    rows = []
    for action in dict.fromkeys(a for s in found.rows for a in s.actions):
        about = "; ".join(_about(s, responses, framework, language) for s in found.rows if action in s.actions)
        deadline = action.deadline or text("actions.table.to_fill", language)
        rows.append((action.text(language), about, action.owner(language), deadline, action.evidence(language)))
    sources = dict.fromkeys(a.source(language) for s in found.rows for a in s.actions if a.source(language))
    level = percent(found.level, language, 0)
    return Table(
        "tbl-measures",
        text("actions.table.title", language, agency=responses.agencies.name(found.agency, language)),
        (
            Column("measure", text("actions.table.measure", language), width=0.3),
            Column("term", text("actions.table.term", language), width=0.22),
            Column("owner", text("actions.table.owner", language), width=0.15),
            Column("deadline", text("actions.table.deadline", language), width=0.11),
            Column("evidence", text("actions.table.evidence", language), width=0.22),
        ),
        tuple(rows),
        language,
        found.data_kind,
        source=source_line(responses, language),
        notes=(
            text("actions.table.note", language, n=found.compared, level=level),
            text("actions.table.note_not_effect", language),
            *(text("actions.table.note_source", language, source=source) for source in sources),
        ),
    )


def _about(found: Suggestion, responses: Responses, framework: Framework | None, language: str) -> str:
    gap = number(100.0 * found.gap, 2, language)
    return text("actions.table.about", language, term=_name(found, responses, framework, language), gap=gap)


def _name(found: Suggestion, responses: Responses, framework: Framework | None, language: str) -> str:
    criteria = {c.id: c.name for c in framework.criteria} if framework else {}
    if found.term in criteria:
        return criteria[found.term](language)
    return responses.questionnaire.scale(found.term).name(language)
