"""Names for people: codes of questions, survey names, sources. No identifier of ours reaches a reader."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from sipas_research.errors import AnalysisError, OptionError, SipasError
from sipas_research.report.display import Finding
from sipas_research.survey.questionnaire import Questionnaire
from sipas_research.survey.responses import Responses
from sipas_research.wording import text

Shown = TypeVar("Shown")


def item_codes(questionnaire: Questionnaire) -> dict[str, str]:
    """Return a short code for each item: "2.3" is the third question of the second scale.

    Codes follow the questionnaire, so the same question has the same code in every table.
    """
    codes: dict[str, str] = {}
    for number, scale in enumerate(questionnaire.scale_ids(), start=1):
        for place, question in enumerate(questionnaire.items([scale]), start=1):
            codes[question.id] = f"{number}.{place}"
    return codes


def item_text(questionnaire: Questionnaire, item: str, language: str) -> str:
    """Return the question's own words."""
    return questionnaire.question(item).text(language)


def scale_name(questionnaire: Questionnaire, scale: str, language: str) -> str:
    """Return the scale's name."""
    return questionnaire.scale(scale).name(language)


def survey_name(responses: Responses, language: str) -> str:
    """Return the questionnaire's title, for titles of tables."""
    return responses.questionnaire.title(language)


def survey_id(responses: Responses) -> str:
    """Return the questionnaire's id in the form that table and figure ids take."""
    return re.sub(r"[^a-z0-9]+", "-", responses.questionnaire.id.casefold()).strip("-") or "survey"


def only_year(responses: Responses) -> str:
    """Return the one year that all answers carry, or nothing."""
    years = responses.frame["year"].dropna().unique() if responses.has("year") else []
    return str(int(years[0])) if len(years) == 1 else ""


def index_name(responses: Responses, language: str) -> str:
    """Return "Chỉ số hài lòng" where a form measures it, "Tỷ lệ trả lời mức cao" elsewhere."""
    return text(f"tables.common.{'index' if responses.questionnaire.measures_satisfaction else 'high_share'}", language)


def source_line(responses: Responses, language: str) -> str:
    """Return what stands after "Nguồn:": the source and the kind of its data, then what was done to the rows."""
    kind = text(f"common.kind.{responses.data_kind.value}", language)
    source = responses.source or survey_name(responses, language)
    line = text("tables.source.line", language, source=source, kind=kind)
    return "; ".join([line, *[text(key, language, **dict(fields)) for key, fields in responses.notes]])


def attempt(build: Callable[[], Shown], name: str, responses: Responses, language: str) -> Shown | Finding:
    """Return what ``build`` makes, or a finding that names it and gives the reason why it cannot be made.

    Parameters
    ----------
    build : callable
        Makes a result, a table or a figure; an :class:`~sipas_research.errors.AnalysisError` or
        :class:`~sipas_research.errors.OptionError` becomes the reason. A builder given a finding returns it.
    name : str
        Table of ``wording`` whose title says what should have stood here, like "alpha".
    """
    try:
        return build()
    except (AnalysisError, OptionError) as error:
        reason = spoken(error, responses.questionnaire, language)
        what = text(f"findings.what.{name}", language)
        survey = survey_name(responses, language)
        sentence = text("findings.reason_of", language, what=what, survey=survey, reason=reason)
        return Finding(f"reason-{name}-{survey_id(responses)}", sentence, language, responses.data_kind, role="reason")


def spoken(error: SipasError, questionnaire: Questionnaire, language: str) -> str:
    """Return an error's message with codes and question texts in place of ids, problems in the same paragraph."""
    fields = {name: in_words(value, questionnaire, language) for name, value in error.fields.items()}
    sentences = [text(error.key, language, **fields)]
    for problem in error.problems:
        renamed = tuple((name, in_words(value, questionnaire, language)) for name, value in problem.fields)
        sentences.append(replace(problem, fields=renamed).text(language))
    return " ".join(sentences)


def in_words(value: object, questionnaire: Questionnaire, language: str) -> object:
    """Replace ids in a field of a message: items by their codes, other questions by their text."""
    if not isinstance(value, str):
        return value
    names = {q.id: q.text(language) for q in questionnaire.questions} | item_codes(questionnaire)
    names |= {scale.id: scale.name(language) for scale in questionnaire.scales if scale.id not in names}
    return re.sub(r"[a-z][a-z0-9_]*", lambda found: names.get(found.group(), found.group()), value)


def show(*shown: object) -> None:
    """Display tables, figures and findings in a notebook; a builder that had nothing to make gave None."""
    from IPython.display import display

    display(*[s for s in shown if s is not None])
