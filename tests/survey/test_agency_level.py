"""The level of the agency as a fact of the form: from the register, never telling about a small agency."""

import pandas as pd
import pytest

from sipas_research.results import DataKind
from sipas_research.survey.agencies import Agency, AgencyRegister
from sipas_research.survey.agency_level import LEVEL, with_agency_level
from sipas_research.survey.description import profile
from sipas_research.survey.questionnaire import Answer, Question, Questionnaire
from sipas_research.survey.responses import Responses
from sipas_research.survey.specs import SampleDesign
from sipas_research.wording import Bilingual

LEVELS = {"a": "department", "b": "department", "c": "district", "d": "district", "e": "district"}


def survey(sizes, *, levels=LEVELS, questions=()):
    register = AgencyRegister(tuple(Agency(c, Bilingual(c), level) for c, level in levels.items()))
    form = Questionnaire(
        "test", Bilingual("Phiếu"), "citizen", "", (), (Question("agency", Bilingual("Đơn vị"), "text"), *questions)
    )
    frame = pd.DataFrame({"agency": [code for code, n in sizes.items() for _ in range(n)]})
    return Responses(frame, form, register, SampleDesign(), DataKind.USER)


def test_each_form_carries_the_level_of_its_agency():
    found = with_agency_level(survey({"a": 20, "b": 30, "c": 40, "d": 12}))
    assert found.frame.groupby("agency")[LEVEL].first().to_dict() == {"a": 1, "b": 1, "c": 2, "d": 2}
    question = found.questionnaire.question(LEVEL)
    assert [a.label("vi") for a in question.answers[:2]] == ["Sở, ban, ngành", "Cấp huyện"]
    assert with_agency_level(found) is found


def test_the_profile_counts_it():
    rows = profile(survey({"a": 20, "b": 30, "c": 40, "d": 12})).tidy().query("term == 'level'").set_index("group")
    assert (rows.loc["1", "n"], rows.loc["2", "n"]) == (50, 52)


def test_a_level_that_would_tell_a_small_agency_is_not_given():
    # the table by agency hides c (6) and, so that it cannot be derived, a (20); departments less b would be a
    told = survey({"a": 20, "b": 30, "c": 6, "d": 40, "e": 45})
    assert with_agency_level(told) is told
    # here c (6) and d (14) are hidden together inside one level
    kept = survey({"a": 20, "b": 30, "c": 6, "d": 14, "e": 45})
    assert LEVEL in with_agency_level(kept).frame


@pytest.mark.parametrize(
    "responses",
    [
        survey({"a": 20, "b": 30}),
        survey({"x": 20, "y": 30}),
        survey({"a": 50, "c": 50}, levels={}),
        survey(
            {"a": 50, "c": 50},
            questions=(Question(LEVEL, Bilingual("Cấp"), "category", answers=(Answer(1, Bilingual("1")),)),),
        ),
    ],
)
def test_nothing_is_added_where_there_is_nothing_to_add(responses):
    assert with_agency_level(responses) is responses
