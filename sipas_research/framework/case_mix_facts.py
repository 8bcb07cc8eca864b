"""Which facts an index may be adjusted for: only what a person brings along before the service begins."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.survey.comparison import bare_key, near
from sipas_research.survey.questionnaire import Question
from sipas_research.survey.responses import Responses

#: Adjusted for where nothing else is asked, as far as the file has them.
USUAL = ("sex", "age_band", "procedure_field")
#: Facts of the packaged questionnaires that precede the service.
PRECEDES = (*USUAL, "respondent_type", "education", "occupation", "ethnic_origin", "residence", "age")
_CHANNEL = r"channel|kenh|hinh thuc nop"
_WAITING = (
    r"wait|waiting|cho doi|thoi gian cho|thoi gian giai quyet|so ngay|processing time|processing days|duration|"
    r"visits|so lan|di lai|overdue|late|tre han|qua han"
)
_SURVEY = frozenset(
    "agency level site stratum weight frame_size year date start_time end_time collector respondent_id".split()
)


def adjusters(
    responses: Responses, adjust: Sequence[str] | str | None, precedes: Sequence[str], by: str
) -> tuple[str, ...]:
    """Return the facts to adjust for, in the order asked.

    Parameters
    ----------
    responses : Responses
    adjust : sequence of str, optional
        None takes sex, age band and field of the procedure, as far as the file has them.
    precedes : sequence of str
        Further facts that the caller declares to precede the service.
    by : str
        The fact that makes the groups.

    Raises
    ------
    OptionError
        If a fact is unknown, is a perception, or comes from the service or from the survey; the message says why.
    AnalysisError
        If nothing is left to adjust for.
    """
    if adjust is None:
        chosen = tuple(f for f in USUAL if f != by and responses.has(f))
    else:
        chosen = tuple(dict.fromkeys((adjust,) if isinstance(adjust, str) else adjust))
    known = {q.id: q for q in responses.questionnaire.asked}
    for fact in chosen:
        if fact not in known:
            raise OptionError("case_mix.error.unknown", fact=fact, known=", ".join(near(fact, known) or PRECEDES))
        reason = refusal(known[fact], precedes, by)
        if reason:
            raise OptionError(f"case_mix.refused.{reason}", fact=fact, allowed=", ".join(PRECEDES[:6]))
    if not chosen:
        raise AnalysisError("case_mix.error.no_facts", usual=", ".join(USUAL))
    return chosen


def refusal(question: Question, precedes: Sequence[str], by: str) -> str:
    """Return why an index must not be adjusted for a question, "" where it may.

    "perception", "channel" and "waiting" lie on the road from the agency to satisfaction: adjusting for them takes away
    what the agency itself has done. "survey" is how the survey was made, "groups" the groups themselves, "unknown" a
    fact of which nobody has said that it precedes the service.
    """
    said = bare_key(" ".join((question.id, question.text("vi"), question.text("en"))))
    if question.kind == "likert":
        return "perception"
    if question.id == by:
        return "groups"
    if question.id in _SURVEY:
        return "survey"
    if question.id in PRECEDES:
        return ""
    for reason, pattern in (("channel", _CHANNEL), ("waiting", _WAITING)):
        if re.search(rf"\b(?:{pattern})\b", said):
            return reason
    return "" if question.id in precedes else "unknown"
