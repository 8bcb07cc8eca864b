"""What counts as a satisfied answer, and which items stand for a scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from sipas_research.errors import OptionError, QuestionnaireError
from sipas_research.survey.comparison import near
from sipas_research.survey.questionnaire import Question
from sipas_research.survey.responses import Responses

ScaleChoice = Mapping[str, Sequence[str]] | Iterable[str] | None


def middle(question: Question) -> float:
    """Return the middle of an item's scale: 3 on 1-5, 2.5 on 1-4, 5.5 on 1-10.

    Answers strictly above it count as satisfied, so 4 and 5 of five, 3 and 4 of four, 6 to 10 of ten.

    Raises
    ------
    QuestionnaireError
        If the question has fewer than two valid answers.
    """
    codes = question.valid_codes
    if len(set(codes)) < 2:
        raise QuestionnaireError("description.error.too_few_answers", question=question.id, answers=len(set(codes)))
    return (min(codes) + max(codes)) / 2.0


def is_lopsided(question: Question) -> bool:
    """True where the codes above and below the middle differ in number: "satisfied" then needs a second look."""
    centre = middle(question)
    above = sum(c > centre for c in question.valid_codes)
    return above != sum(c < centre for c in question.valid_codes)


def satisfied(responses: Responses, ids: Sequence[str]) -> pd.DataFrame:
    """Return 1.0 where the answer lies above the middle of its scale, 0.0 elsewhere, NaN where there is none.

    Items whose direction is -1 are turned first. Shape (respondents, items).
    """
    scored = responses.items(list(ids))
    centres = np.array([middle(responses.questionnaire.question(i)) for i in ids])
    values = scored.to_numpy()
    above = np.where(np.isnan(values), np.nan, values > centres)
    return pd.DataFrame(above, index=scored.index, columns=scored.columns)


def rescaled(responses: Responses, ids: Sequence[str]) -> pd.DataFrame:
    """Return the answers on 0-1: (code - lowest) / (highest - lowest), turned where direction is -1."""
    scored = responses.items(list(ids))
    codes = [responses.questionnaire.question(i).valid_codes for i in ids]
    for question_id in ids:
        middle(responses.questionnaire.question(question_id))
    lows, highs = np.array([min(c) for c in codes], float), np.array([max(c) for c in codes], float)
    return (scored - lows) / (highs - lows)


def choose_scales(responses: Responses, scales: ScaleChoice = None) -> dict[str, tuple[str, ...]]:
    """Return item ids by scale, in questionnaire order, limited to items with answers in this file.

    Parameters
    ----------
    responses : Responses
    scales : iterable of scale ids, or mapping of a name to item ids, optional
        None takes every scale.

    Raises
    ------
    OptionError
        If a scale or item is not in the questionnaire; the message names the nearest ones.
    """
    known = responses.questionnaire.scale_items()
    present = responses.scale_items()
    if scales is None:
        return present
    if isinstance(scales, Mapping):
        return _named_items(responses, scales)
    wanted = [scales] if isinstance(scales, str) else list(scales)
    for scale in wanted:
        if scale not in known:
            raise OptionError(
                "description.error.unknown_scale", scale=scale, known=", ".join(near(scale, known) or known)
            )
    return {s: ids for s, ids in present.items() if s in wanted}


def _named_items(responses: Responses, scales: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    items = [q.id for q in responses.questionnaire.items()]
    for question_id in (i for ids in scales.values() for i in ids):
        if question_id not in items:
            raise OptionError(
                "description.error.unknown_item", item=question_id, known=", ".join(near(question_id, items) or items)
            )
    found = {name: tuple(i for i in ids if responses.has(i)) for name, ids in scales.items()}
    return {name: ids for name, ids in found.items() if ids}
