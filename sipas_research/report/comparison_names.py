"""Names in the tables that compare groups: short ones of the characteristics that the packaged forms ask."""

from __future__ import annotations

from typing import Any

from sipas_research.factors.scale_differences import ScaleComparisons
from sipas_research.report.group_tables import fact_label
from sipas_research.report.labels import source_line, survey_name
from sipas_research.survey.responses import Responses
from sipas_research.wording import text

#: Characteristics with a short name.
_SHORT = (
    "sex",
    "age_band",
    "education",
    "occupation",
    "channel",
    "level",
    "respondent_type",
    "procedure_field",
    "desk",
    "remote_posting",
)
#: Digits of an effect size: a share of variance is often below 0.01.
EFFECT_DIGITS = {"hedges_g": 2, "eta_squared": 3}


def fact_name(fact: str, responses: Responses, language: str) -> str:
    """Return a short name inside a sentence: of a characteristic of the packaged forms, else the question in quotes."""
    if fact in _SHORT:
        return text(f"comparisons.fact.{fact}", language)
    question = fact_label(fact, responses, language).rstrip("?")
    return text("comparisons.table.quoted", language, fact=question)


def heading(fact: str, responses: Responses, language: str) -> str:
    """Return the short name as it begins a row."""
    name = fact_name(fact, responses, language)
    return fact_label(fact, responses, language) if "“" in name else name[:1].upper() + name[1:]


def begun_survey_name(responses: Responses, language: str) -> str:
    """Return the survey's name as it begins a sentence."""
    name = survey_name(responses, language)
    return name[:1].upper() + name[1:]


def common_parts(found: ScaleComparisons, responses: Responses, language: str) -> dict[str, Any]:
    """Return what all these tables carry: language, kind of the data, weighting, source."""
    return {
        "language": language,
        "data_kind": found.data_kind,
        "weighting": text("tables.common.unweighted", language),
        "source": source_line(responses, language),
    }
