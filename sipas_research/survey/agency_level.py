"""The level of the agency that a form is about, from the register, as one more fact of the form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from sipas_research.numerics.disclosure import MINIMUM_CELL, suppress
from sipas_research.survey.questionnaire import Answer, Question
from sipas_research.survey.responses import Responses
from sipas_research.wording import Bilingual, text

#: Name of the fact; a form that asks a question of this name keeps its own.
LEVEL = "level"
#: Codes of the levels, from 1.
_ORDER = ("department", "district", "commune", "other")


def with_agency_level(responses: Responses) -> Responses:
    """Return the responses with the level of each form's agency as a category, "level".

    Unchanged where the form asks such a question itself, the file has no agencies, or the register gives them fewer
    than two levels. Unchanged too where the number of forms of a level would tell how many a small agency has: tables
    by agency hide agencies of 1 to 9 forms, and a level's total less the agencies shown is what they hide.
    """
    if LEVEL in {q.id for q in responses.questionnaire.questions} or not responses.has("agency"):
        return responses
    levels = {agency.code: _ORDER.index(agency.level) + 1 for agency in responses.agencies.agencies}
    codes = responses.frame["agency"].map(levels).astype("Int64")
    if codes.nunique() < 2 or _tells_a_small_agency(responses.frame["agency"], codes):
        return responses
    names = [Bilingual(*(text(f"comparisons.level.{name}", language) for language in ("vi", "en"))) for name in _ORDER]
    title = Bilingual(*(text("comparisons.level.title", language) for language in ("vi", "en")))
    answers = tuple(Answer(code, name) for code, name in enumerate(names, start=1))
    question = Question(LEVEL, title, "category", answers=answers)
    form = replace(responses.questionnaire, questions=(*responses.questionnaire.questions, question))
    return replace(responses, frame=responses.frame.assign(**{LEVEL: codes}), questionnaire=form)


def _tells_a_small_agency(agency: pd.Series, levels: pd.Series) -> bool:
    counts = agency.value_counts()
    hidden = suppress([*counts, int(agency.isna().sum())])[:-1]
    gone = counts.index[hidden]
    inside_gone = agency.isin(gone).to_numpy()
    for _, inside in agency[inside_gone].groupby(levels.fillna(0).to_numpy()[inside_gone]):
        sizes = inside.value_counts().to_numpy()
        alone = len(sizes) == 1 and sizes[0] < MINIMUM_CELL
        if alone or sizes.sum() < MINIMUM_CELL or np.all(sizes == 1):
            return True
    return False
