"""All that one scorecard shows, part by part, in the order of its notebook."""

from __future__ import annotations

import math

from sipas_research.framework.dossier import Dossier
from sipas_research.framework.framework_spec import LEVELS
from sipas_research.framework.results_register import ResultsRegister
from sipas_research.report.action_tables import action_table
from sipas_research.report.appeal_tables import appeal_sheet_tables
from sipas_research.report.display import Figure, Finding, Table
from sipas_research.report.labels import survey_id
from sipas_research.report.scorecard_history import history_findings, history_table
from sipas_research.report.scorecard_standing import standing_findings, standing_table
from sipas_research.report.scorecard_tables import scorecard_figure, scorecard_items_table, scorecard_table
from sipas_research.report.sentences import scorecard_findings
from sipas_research.survey.responses import Responses
from sipas_research.wording import text

Shown = Table | Figure | Finding
#: Parts in reading order; "appeal" is the annex, which stays between the agency and those who compute.
PARTS = ("index", "figure", "standing", "items", "measures", "history", "findings", "appeal")
INTERNAL_PARTS = ("appeal",)


def scorecard_parts(
    dossier: Dossier, responses: Responses, language: str, *, register: ResultsRegister, year: int | None
) -> dict[str, tuple[Shown, ...]]:
    """Return the tables, figures and findings of one scorecard by part.

    Parameters
    ----------
    dossier : Dossier
    responses : Responses
        Answers of the scorecard's year: names, questions and sources are taken from them, never rows.
    language : str
        "vi" or "en".
    register : ResultsRegister
    year : int or None
        Year of the scorecard.
    """
    card = dossier.card
    return {
        "index": (scorecard_table(card, responses, language),),
        "figure": (scorecard_figure(card, responses, language),),
        "standing": (standing_table(dossier, responses, language, state=_state(dossier, register, year, language)),),
        "items": (scorecard_items_table(card, responses, language),),
        "measures": (_measures(dossier, responses, language),),
        "history": (history_table(dossier, responses, language),),
        "findings": _findings(dossier, responses, language),
        "appeal": _appeal(dossier, responses, language),
    }


def _state(dossier: Dossier, register: ResultsRegister, year: int | None, language: str) -> str:
    level = next((name for name in LEVELS if name == dossier.card.agency_level), None)
    return "" if level is None or year is None else register.line(year, level, language)


def _measures(dossier: Dossier, responses: Responses, language: str) -> Table | Finding:
    if dossier.suggestions is None:
        return _reason("no_measures", dossier, responses, language)
    if not dossier.suggestions.compared:
        return _reason("no_criteria", dossier, responses, language)
    return action_table(dossier.suggestions, responses, language, framework=dossier.framework)


def _appeal(dossier: Dossier, responses: Responses, language: str) -> tuple[Shown, ...]:
    if dossier.appeal is None:
        return (_reason("no_appeal", dossier, responses, language),)
    tables = appeal_sheet_tables(dossier.appeal, responses, language)
    # records that nobody gave would be a table of dashes
    known = any(math.isfinite(record.value) for record in dossier.appeal.records)
    return tuple(table for table in tables if known or table.id != "tbl-appeal-records")


def _reason(name: str, dossier: Dossier, responses: Responses, language: str) -> Finding:
    identifier = f"scorecard-{name.replace('_', '-')}-{survey_id(responses)}"
    sentence = text(f"scorecard.reason.{name}", language)
    return Finding(identifier, sentence, language, dossier.card.data_kind, role="reason")


def _design_limit(dossier: Dossier, responses: Responses, language: str) -> tuple[Finding, ...]:
    """Say that errors may be too small where the study declares nothing about how people were drawn."""
    design = responses.design
    if design.weight or design.stratum or design.cluster:
        return ()
    name, said = f"scorecard-design-{survey_id(responses)}", text("scorecard.finding.no_design", language)
    return (Finding(name, said, language, dossier.card.data_kind, role="limit"),)


def _findings(dossier: Dossier, responses: Responses, language: str) -> tuple[Finding, ...]:
    """Key values first, then what was found, then what the data cannot say."""
    found = (
        *scorecard_findings(dossier.card, responses, language),
        *standing_findings(dossier, responses, language),
        *history_findings(dossier, responses, language),
        *_design_limit(dossier, responses, language),
    )
    order = ("main", "finding", "reason", "limit")
    return tuple(sorted(found, key=lambda f: order.index(f.role)))
