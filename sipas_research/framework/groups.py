"""Splitting respondents into groups: by agency, level, year, channel or any other fact with few answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sipas_research.errors import OptionError
from sipas_research.numerics.disclosure import MINIMUM_CELL
from sipas_research.survey.comparison import near
from sipas_research.survey.questionnaire import Question
from sipas_research.survey.responses import Responses

_LEVELS = ("department", "district", "commune", "other")


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """``labels`` in the order of the result; ``member`` holds each row's position, -1 where the fact is missing."""

    by: str
    labels: tuple[str, ...]
    member: np.ndarray


def group_rows(responses: Responses, by: str) -> Grouping:
    """Group the rows of a survey by one fact.

    Agencies stand in the order of the register, answers in the order of the questionnaire, years ascending,
    other texts in alphabetical order: never in the order of a result. ``by="level"`` takes each agency's level
    from the register (unless the questionnaire has a fact of that name).

    Raises
    ------
    OptionError
        If the fact is unknown, is not in this file, or is of a kind that could point at one person.
    """
    facts = {q.id: q for q in responses.questionnaire.facts()}
    if by == "level" and by not in facts and responses.has("agency"):
        return _by_level(responses)
    allowed = [q.id for q in facts.values() if _can_group(q.id, q.kind)]
    if by not in facts:
        raise OptionError("framework.error.unknown_by", by=by, known=", ".join(near(by, allowed) or allowed))
    if by not in allowed:
        raise OptionError("framework.error.by_kind", by=by, known=", ".join(allowed))
    if not responses.has(by):
        usable = [name for name in allowed if responses.has(name)]
        raise OptionError("framework.error.by_absent", by=by, known=", ".join(usable) or "–")
    return _by_fact(responses, facts[by], [name for name in allowed if name != by])


def _by_fact(responses: Responses, question: Question, allowed: list[str]) -> Grouping:
    values = responses.frame[question.id]
    order: list[str] = []
    if question.kind == "category":
        values = values.where(~values.isin(question.missing_codes))
        order = [str(c) for c in question.valid_codes]
    elif question.id == "agency":
        order = list(responses.agencies.codes())
    texts = _texts(values)
    if question.kind == "text" and question.id != "agency" and _largest(texts) < MINIMUM_CELL:
        # a text in which nobody shares a value names people: its values are never repeated
        raise OptionError("framework.error.by_identifies", by=question.id, known=", ".join(allowed))
    found = {t for t in texts if t is not None}
    labels = [t for t in order if t in found]
    return _grouping(question.id, texts, [*labels, *_ascending(found - set(labels))])


def _can_group(name: str, kind: str) -> bool:
    return name == "year" or (kind in {"category", "text"} and name != "respondent_id")


def _by_level(responses: Responses) -> Grouping:
    level_of: dict[str, str] = {a.code: a.level for a in responses.agencies.agencies}
    texts = [None if code is None else level_of.get(code, "other") for code in _texts(responses.frame["agency"])]
    return _grouping("level", texts, [level for level in _LEVELS if level in texts])


def _texts(values: pd.Series) -> list[str | None]:
    """Codes and years as text without decimals: 2022.0 is "2022"."""
    return [
        None if pd.isna(v) else str(int(v)) if isinstance(v, float | np.floating) and v == int(v) else str(v)
        for v in values
    ]


def _largest(texts: list[str | None]) -> int:
    return max(Counter(t for t in texts if t is not None).values(), default=0)


def _ascending(labels: set[str]) -> list[str]:
    return sorted(labels, key=lambda t: (0, float(t), t) if t.lstrip("-").isdigit() else (1, 0.0, t))


def _grouping(by: str, texts: list[str | None], labels: list[str]) -> Grouping:
    place = {label: position for position, label in enumerate(labels)}
    member = np.array([-1 if t is None else place[t] for t in texts], dtype=int)
    member.setflags(write=False)
    return Grouping(by, tuple(labels), member)
