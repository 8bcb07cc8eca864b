"""Checked answers of fewer than ten people: nothing about them is computed, and their number is not told."""

import re
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research import errors, resources

MODEL = "a =~ access_1 + access_2 + access_3\nb =~ result_1 + result_2 + result_3"
ITEMS = [f"{scale}_{k}" for scale in ("access", "result") for k in (1, 2, 3)]


@pytest.fixture(scope="module")
def current():
    project = sr.load_study(resources.data("twin", "study.toml"))
    return project.current(project.responses("citizens"))


def people(current, complete, incomplete=0):
    """Forms of some people who answer everything and some who leave one item of each scale empty."""
    answered = current.frame.dropna(subset=[q.id for q in current.questionnaire.items()])
    frame = answered.sample(complete + incomplete, random_state=3).copy()
    frame.loc[frame.index[complete:], ["access_1", "procedure_1", "civil_servant_1", "result_1"]] = np.nan
    return replace(current, frame=frame)


@pytest.mark.parametrize(
    "analyse",
    [
        lambda r: sr.cfa(MODEL, r),
        lambda r: sr.sem("result_1 ~ access_1", r),
        lambda r: sr.method_factor(MODEL, r),
        sr.kmo,
        lambda r: sr.efa(r, 1, items=ITEMS),
        lambda r: sr.polychoric(r, ITEMS),
        lambda r: sr.harman(r, ITEMS),
        lambda r: sr.marker_variable(r, "access_1", ITEMS[1:]),
        sr.screen_items,
        sr.omega_hierarchical,
    ],
)
@pytest.mark.parametrize("complete", [5, 9])
def test_nine_complete_forms_give_nothing(current, analyse, complete):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with pytest.raises(errors.AnalysisError) as refused:
            analyse(people(current, complete, 20))
    sentences = [str(refused.value), *[str(warning.message) for warning in told]]
    numbers = {int(found) for sentence in sentences for found in re.findall(r"\d+", sentence)}
    assert complete not in numbers
    assert 20 not in numbers


def test_reliability_does_not_tell_how_many_a_withheld_scale_has(current):
    responses = people(current, 9, 4)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = sr.reliability(responses, {"access": ITEMS[:3], "result": ITEMS[3:]})
    assert told == []
    assert found.scales["n"].isna().all()
    whole = people(current, 9, 40)
    scales = {"access": ITEMS[:3], "feedback": ["feedback_1", "feedback_2", "feedback_3"]}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        sr.reliability(whole, scales)
    assert not [warning for warning in told if "40" in str(warning.message)]


def test_ten_complete_forms_are_enough_for_a_model(current):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert sr.cfa("a =~ access_1 + access_2 + access_3", people(current, 10)).n == 10


def test_a_group_of_nine_stops_a_model_of_groups(current):
    responses = people(current, 300)
    frame = responses.frame.assign(sex=pd.array([1] * 291 + [2] * 9, dtype="Int64"))
    with pytest.raises(errors.AnalysisError) as refused:
        sr.cfa(MODEL, replace(responses, frame=frame), group="sex")
    assert refused.value.key == "sem.error.few_people"


def test_rows_that_share_an_index_can_be_compared_by_level(current):
    frame = pd.concat([current.frame.head(400), current.frame.tail(400)])
    twice = replace(current, frame=frame.set_axis([0] * len(frame), axis=0))
    plain = replace(current, frame=frame.reset_index(drop=True))
    by_index, by_rows = (sr.compare_groups(r, "level") for r in (twice, plain))
    assert by_index.groups().equals(by_rows.groups())


def test_no_analysis_touches_the_answers(current):
    responses = people(current, 200, 100)
    before = responses.frame.copy(deep=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for analyse in (sr.reliability, sr.omega_hierarchical, sr.harman, sr.icc, sr.compare_scales):
            analyse(responses)
        sr.response_quality(responses)
        sr.without_suspects(responses, at_least=1)
        sr.marker_variable(responses, "communication")
    pd.testing.assert_frame_equal(before, responses.frame)
