"""Descriptives against plain counting; nothing about fewer than ten people is printed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sipas_research.errors import OptionError, QuestionnaireError
from sipas_research.results import DataKind, Result
from sipas_research.survey.agencies import AgencyRegister
from sipas_research.survey.description import describe
from sipas_research.survey.questionnaire import Answer, Question, Questionnaire, Scale
from sipas_research.survey.responses import Responses
from sipas_research.survey.scoring import is_lopsided, middle, rescaled, satisfied
from sipas_research.survey.specs import SampleDesign
from sipas_research.wording import Bilingual


def answers(*codes):
    return (*(Answer(c, Bilingual(str(c))) for c in codes), Answer(9, Bilingual("Không trả lời"), missing=True))


def survey(scales, *, codes=(1, 2, 3, 4, 5), direction=None):
    """A survey from a mapping of scale to {item: answers}."""
    items = [
        Question(i, Bilingual(i), "likert", scale=s, answers=answers(*codes), direction=(direction or {}).get(i, 1))
        for s, members in scales.items()
        for i in members
    ]
    named = tuple(Scale(s, Bilingual(s), "factor") for s in scales)
    frame = pd.DataFrame({i: np.asarray(v, float) for members in scales.values() for i, v in members.items()})
    form = Questionnaire("test", Bilingual("Phiếu thử"), "citizen", "", named, tuple(items))
    return Responses(frame, form, AgencyRegister(), SampleDesign(), DataKind.SIMULATED)


SPREAD = [1.0] * 12 + [2.0] * 15 + [3.0] * 20 + [4.0] * 30 + [5.0] * 23


def test_items_agree_with_plain_counting():
    values = [*SPREAD[:-5], *[np.nan] * 5]
    row = describe(survey({"s": {"q1": values}})).tidy().set_index("term").loc["q1"]
    answered = np.array(values)[:-5]
    assert (row["n"], row["missing"]) == (95, 5)
    assert row["estimate"] == pytest.approx(answered.mean())
    assert row["sd"] == pytest.approx(answered.std(ddof=1))
    assert row["skewness"] == pytest.approx(stats.skew(answered, bias=False))
    assert row["kurtosis"] == pytest.approx(stats.kurtosis(answered, bias=False))
    assert row["share_satisfied"] == pytest.approx((answered >= 4).mean())
    assert row["note"] == ""


def test_a_scale_is_the_mean_of_answered_items():
    second = [np.nan] * 40 + SPREAD[40:]
    data = survey({"s": {"q1": SPREAD, "q2": second}})
    row = describe(data).tidy().set_index("term").loc["s"]
    people = data.frame.mean(axis=1)
    assert row["estimate"] == pytest.approx(people.mean())
    assert row["sd"] == pytest.approx(people.std(ddof=1))
    cells = data.frame.to_numpy()[~np.isnan(data.frame.to_numpy())]
    assert row["share_satisfied"] == pytest.approx((cells >= 4).mean())


def test_answer_shares_add_up_and_hide_small_cells():
    few_low = [1.0] * 3 + [2.0] * 12 + [3.0] * 20 + [4.0] * 40 + [5.0] * 25
    found = describe(survey({"s": {"q1": SPREAD, "q2": few_low}})).answer_shares()
    items = found[found["level"] == "item"]
    assert items["group"].tolist() == ["1-2", "3", "4", "5"] * 2
    assert items.groupby("term")["estimate"].sum().tolist() == pytest.approx([1.0, 1.0])
    assert ((items["n"] == 0) | (items["n"] >= 10)).all()
    pooled = found[found["level"] == "scale"].set_index("group")
    assert pooled.loc["1-2", "n"] == 12 + 15 + 3 + 12
    assert pooled.loc["1-2", "codes"] == (1, 2)


@pytest.mark.parametrize(("n", "shown"), [(9, False), (10, True)])
def test_items_under_ten_answers_are_withheld(n, shown):
    rare = [4.0] * (n - 1) + [2.0] + [np.nan] * (100 - n)
    found = describe(survey({"s": {"q1": SPREAD, "q2": rare}}))
    row = found.tidy().set_index("term").loc["q2"]
    assert row["suppressed"] == (not shown)
    assert (row[["estimate", "sd", "share_satisfied", "n", "missing"]].notna().all()) == shown
    scale = found.tidy().set_index("term").loc["s"]
    assert (scale["note"] == "description.note.items_left_out") == (not shown)
    if not shown:
        # the scale's row may not give the withheld item away
        assert scale["estimate"] == pytest.approx(np.mean(SPREAD))
        assert "q2" not in set(found.answer_shares()["term"])


def test_constant_and_empty_items_have_a_reason():
    found = describe(survey({"s": {"q1": [4.0] * 30, "q2": [np.nan] * 30}})).tidy().set_index("term")
    assert found.loc["q1", "note"] == "description.note.constant"
    assert found.loc["q1", "sd"] == 0
    assert np.isnan(found.loc["q1", "skewness"])
    assert found.loc["q2", "note"] == "description.note.no_answers"
    assert (found.loc["q2", "n"], found.loc["q2", "missing"]) == (0, 30)
    assert not found.loc["q2", "suppressed"]


@pytest.mark.parametrize("frame", [[], [np.nan] * 12, [3.0] * 4])
def test_nothing_to_describe(frame):
    found = describe(survey({"s": {"q1": frame}}))
    assert found.tidy()["estimate"].isna().all()
    assert found.answer_shares().empty
    assert found.summary("vi")


def test_reversed_items_are_turned_in_means_but_not_in_answers():
    found = describe(survey({"s": {"q1": SPREAD}}, direction={"q1": -1}))
    row = found.tidy().set_index("term").loc["q1"]
    assert row["estimate"] == pytest.approx(6 - np.mean(SPREAD))
    assert row["share_satisfied"] == pytest.approx(0.27)
    assert row["note"] == "description.note.turned"
    assert found.answer_shares().set_index(["term", "group"]).loc[("q1", "5"), "n"] == 23


@pytest.mark.parametrize(
    ("codes", "top"),
    [((1, 2, 3, 4, 5), (4, 5)), ((1, 2, 3, 4), (3, 4)), ((1, 2, 3), (3,)), ((1, 2), (2,)), (range(1, 8), (5, 6, 7))],
)
def test_satisfied_means_above_the_middle(codes, top):
    data = survey({"s": {"q1": list(codes)}}, codes=codes)
    found = satisfied(data, ["q1"])["q1"]
    assert tuple(np.array(list(codes))[found == 1]) == top
    assert not is_lopsided(data.questionnaire.question("q1"))
    assert rescaled(data, ["q1"])["q1"].iloc[[0, -1]].tolist() == [0, 1]


def test_lopsided_scales_are_said():
    data = survey({"s": {"q1": [1.0, 2, 3, 8] * 10}}, codes=(1, 2, 3, 8))
    assert is_lopsided(data.questionnaire.question("q1"))
    assert describe(data).tidy()["note"].iloc[0] == "description.note.lopsided"


def test_a_question_with_one_answer_is_refused():
    data = survey({"s": {"q1": [1.0] * 20}}, codes=(1,))
    with pytest.raises(QuestionnaireError, match="q1"):
        describe(data)
    with pytest.raises(QuestionnaireError, match="2 mức"):
        middle(data.questionnaire.question("q1"))


def test_scales_are_chosen_by_name():
    data = survey({"s": {"q1": SPREAD}, "t": {"q2": SPREAD}})
    assert describe(data, scales=["t"]).tidy()["term"].tolist() == ["q2", "t"]
    assert describe(data, scales={"cả hai": ("q1", "q2")}).tidy()["term"].tolist() == ["q1", "q2", "cả hai"]
    with pytest.raises(OptionError, match="tt"):
        describe(data, scales=["tt"])
    with pytest.raises(OptionError, match="q9"):
        describe(data, scales={"x": ("q9",)})


def test_order_of_rows_does_not_matter():
    data = survey({"s": {"q1": SPREAD, "q2": SPREAD[::-1]}})
    shuffled = replace(data, frame=data.frame.sample(frac=1, random_state=3))
    pd.testing.assert_frame_equal(describe(data).tidy(), describe(shuffled).tidy(), rtol=1e-12)


def test_result_manners():
    found = describe(survey({"s": {"q1": SPREAD}}))
    assert isinstance(found, Result)
    assert found.glance().loc[0, "data_kind"] == "simulated"
    assert found.weighting == "unweighted"
    assert "3,37" in found.summary("vi")
    assert "3.37" in found.summary("en")
