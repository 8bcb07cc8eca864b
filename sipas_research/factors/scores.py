"""Scores of people: the mean of a scale's answered items, where at least half of them were answered."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.survey.comparison import near
from sipas_research.survey.responses import Responses, require_responses
from sipas_research.survey.scoring import satisfied

#: Name of a person's share of high answers over the items of the factors.
INDEX = "index"
#: Name that stands for all items of overall satisfaction, whatever their scale is called.
OVERALL = "overall"
#: A scale's score is missing where fewer than this share of its items was answered (the half rule, Fayers & Machin
#: 2016, Quality of Life, chapter 15).
LEAST_ANSWERED = 0.5


def score_items(responses: Responses, name: str) -> tuple[str, ...]:
    """Return the items behind a score: of a scale, of all overall scales, of all factors, or the one item itself.

    Parameters
    ----------
    responses : Responses
    name : str
        "overall", "index", the id of a scale or of an item with answers.

    Raises
    ------
    AnalysisError
        If the survey has no answered item for it.
    OptionError
        If the name is unknown.
    """
    require_responses(responses)
    name = str(name)
    scales = responses.scale_items()
    if name in scales:
        return scales[name]
    if name in {OVERALL, INDEX}:
        found = responses.scale_items("overall" if name == OVERALL else "factor")
        if not found:
            raise AnalysisError(f"models.error.no_{'overall' if name == OVERALL else 'factors'}")
        return tuple(item for items in found.values() for item in items)
    known = {q.id: q for q in responses.questionnaire.items()}
    if name in known and responses.has(name):
        return (name,)
    if name in known or name in responses.questionnaire.scale_items():
        raise AnalysisError("models.error.no_answers", name=name)
    listed = [*scales, INDEX, *known]
    raise OptionError("models.error.unknown_score", name=name, known=", ".join(near(name, listed) or [*scales, INDEX]))


def score(responses: Responses, name: str) -> pd.Series:
    """Return one score a person, NaN where fewer than half of its items were answered.

    A scale's score is the mean of the answered items in their own codes, turned so that high is good. "index" is
    the share of answers above the middle of the scale (0-1) among a person's answered items of the factors.
    """
    items = list(score_items(responses, name))
    if name == INDEX and name not in responses.scale_items():
        answers = satisfied(responses, items)
    else:
        answers = responses.items(items)
    enough = answers.notna().mean(axis=1) >= LEAST_ANSWERED
    return answers.mean(axis=1).where(enough, np.nan).rename(name)


def scores(responses: Responses, names: Iterable[str]) -> pd.DataFrame:
    """Return several scores side by side, one column a name."""
    return pd.DataFrame({name: score(responses, name) for name in names})
