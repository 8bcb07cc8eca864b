"""Formulas of the index by hand, and what a result hands on to ranks and classes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.framework.definitions import DEFINITIONS, RATIOS
from sipas_research.framework.index import satisfaction_index
from sipas_research.framework.scorecard import scorecard
from sipas_research.survey.specs import SampleDesign
from sipas_research.wording import LANGUAGES, text

NUMBERS = ["estimate", "std_error", "conf_low", "conf_high", "df", "n", "n_answers"]


def whole(result, term="index"):
    return result.tidy().query("term == @term and group == ''").iloc[0]


@pytest.fixture
def answers(build):
    """Two factors of unequal length and a question on the whole; weights, strata."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(rng.choice([1.0, 2, 3, 4, 5, np.nan], (120, 4)), columns=["a1", "a2", "a3", "b1"])
    frame["o1"] = rng.choice([3.0, 4, 5], 120)
    frame["weight"] = rng.uniform(0.5, 3, 120)
    frame["agency"] = np.repeat(["x", "y", "z"], 40)
    scales = {"a": ("a1", "a2", "a3"), "b": ("b1",), "overall": ("o1",)}
    return build(frame, scales, roles={"overall": "overall"}, design=SampleDesign(weight="weight", stratum="agency"))


def test_mean_divided_by_five(answers):
    frame = answers.frame
    items, weight = frame[["a1", "a2", "a3", "b1"]].to_numpy(), frame["weight"].to_numpy()
    by_hand = (weight @ np.nansum(items, axis=1)) / (weight @ np.isfinite(items).sum(axis=1)) / 5
    row = whole(satisfaction_index(answers, definition="mean_over_highest"))
    assert row["estimate"] == pytest.approx(by_hand, rel=1e-12)
    assert 0.2 <= row["conf_low"] < row["conf_high"] <= 1


def test_overall_question_is_the_index_and_not_a_second_row(answers):
    result = satisfaction_index(answers, by="agency", definition="overall_question")
    usual = satisfaction_index(answers, by="agency")
    pd.testing.assert_frame_equal(
        result.tidy().query("term == 'index'")[NUMBERS].reset_index(drop=True),
        usual.tidy().query("term == 'overall'")[NUMBERS].reset_index(drop=True),
    )
    assert result.tidy()["term"].unique().tolist() == ["index", "a", "b"]


def test_overall_question_needs_such_a_question(build):
    with pytest.raises(AnalysisError, match="overall_question"):
        satisfaction_index(build(pd.DataFrame({"q1": [4.0, 2.0] * 10}), {"a": ("q1",)}), None, "overall_question")


def test_mean_of_components(answers):
    result = satisfaction_index(answers, definition="component_mean")
    shares = [whole(result, t)["estimate"] for t in ("a", "b")]
    assert whole(result)["estimate"] == pytest.approx(np.mean(shares), rel=1e-12)
    weighted = satisfaction_index(answers, definition="component_mean", weights={"a": 3, "b": 1})
    assert whole(weighted)["estimate"] == pytest.approx(0.75 * shares[0] + 0.25 * shares[1], rel=1e-12)
    # one component alone is that component, by svy's road and by ours
    alone = satisfaction_index(answers, by="agency", definition="component_mean", scales=["a"])
    rows = alone.tidy()
    np.testing.assert_allclose(
        rows.query("term == 'index'")[NUMBERS].astype(float),
        rows.query("term == 'a'")[NUMBERS].astype(float),
        rtol=1e-9,
    )
    usual = satisfaction_index(answers, by="agency", scales=["a"])
    np.testing.assert_allclose(alone.matrix, usual.matrix, rtol=1e-9, atol=1e-18)


def test_mean_of_components_agrees_with_deleting_one_unit(answers):
    found = whole(satisfaction_index(answers, definition="component_mean"))
    frame = answers.frame

    def by_hand(weight):
        def share(items):
            scores = frame[items].to_numpy()
            return (weight @ (scores >= 4).sum(axis=1)) / (weight @ np.isfinite(scores).sum(axis=1))

        return (share(["a1", "a2", "a3"]) + share(["b1"])) / 2

    variance = 0.0
    for agency in ("x", "y", "z"):
        inside = np.flatnonzero(frame["agency"] == agency)
        draws = []
        for unit in inside:
            weight = frame["weight"].to_numpy().copy()
            weight[inside] *= len(inside) / (len(inside) - 1)
            weight[unit] = 0.0
            draws.append(by_hand(weight))
        variance += (len(inside) - 1) / len(inside) * ((np.array(draws) - np.mean(draws)) ** 2).sum()
    assert found["std_error"] == pytest.approx(np.sqrt(variance), rel=0.02)


@pytest.mark.parametrize(
    ("weights", "definition", "match"),
    [
        ({"a": 1, "b": 1}, "share_satisfied", "component_mean"),
        ({"a": 1}, "component_mean", "a, b"),
        ({"a": 1, "b": 0}, "component_mean", "b"),
        ({"a": np.nan, "b": -1}, "component_mean", "a, b"),
    ],
)
def test_weights_are_checked(answers, weights, definition, match):
    with pytest.raises(OptionError, match=match):
        satisfaction_index(answers, definition=definition, weights=weights)


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_every_definition_says_that_it_is_not_verified(answers, definition):
    result = satisfaction_index(answers, by="agency", definition=definition)
    assert not result.verified
    assert "index.note.unverified" in result.notes
    assert "chưa kiểm chứng" in result.summary("vi")
    for language in LANGUAGES:
        assert text(f"index.definition.{definition}", language)
        assert text(f"tables.index.definition_{definition}", language)
    assert result.estimates.shape == (3,)


def test_scorecards_take_ratios_only(answers):
    with pytest.raises(OptionError, match=", ".join(RATIOS)):
        scorecard(answers, "x", definition="component_mean")


def test_what_ranks_take(reference):
    result = satisfaction_index(reference(weight="weight", stratum="agency"), by="agency")
    assert len(result.labels) == len(result.estimates) == len(result.family) == len(result.degrees_of_freedom) == 31
    assert set(result.family) == {"department", "district"}
    np.testing.assert_array_equal(result.covariance.to_numpy(), result.matrix)
    departments = result.estimation.family("department")
    assert departments.covariance.shape == (len(departments.labels),) * 2
    for array in (result.estimates, result.matrix, result.degrees_of_freedom, departments.covariance):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    table = result.covariance
    with pytest.raises(ValueError, match="read-only"):
        table.to_numpy()[0, 0] = 1.0


def test_hidden_groups_stay_in_the_estimation_and_print_nothing(small):
    result = satisfaction_index(small((30, 9, 14, 40)), by="agency")
    assert result.labels == ("dv_03", "dv_00")
    assert result.estimation.labels == ("dv_03", "dv_02", "dv_01", "dv_00")
    assert np.isfinite(result.estimation.estimates).all()
    assert repr(result.estimation) == "GroupEstimates(4 groups, 2 not shown)"
    assert "0." not in repr(result.estimation)


def test_agencies_that_share_sampled_units_have_a_covariance(build):
    rng = np.random.default_rng(8)
    site = np.repeat(np.arange(25), 8)
    shift = rng.normal(0, 1.5, 25)[site]
    frame = pd.DataFrame({"agency": np.tile(["x", "y"], 100), "site": [f"s{s}" for s in site]})
    frame["q1"] = np.clip(np.rint(3.6 + shift + rng.normal(0, 0.8, 200)), 1, 5)
    result = satisfaction_index(build(frame, {"a": ("q1",)}, design=SampleDesign(cluster="site")), by="agency")
    # closed form: each site holds four people of each agency, so the shares are plain means over sites
    happy = (frame["q1"] >= 4).groupby([frame["site"], frame["agency"]]).mean().unstack()
    np.testing.assert_allclose(result.matrix, np.cov(happy.to_numpy().T) / 25, rtol=1e-10)
    assert result.matrix[0, 1] > 0.5 * result.matrix[0, 0]


def test_a_group_that_always_answers_four_is_hidden_under_a_mean_too(small):
    survey = small((30, 20, 25))
    frame = survey.frame.copy()
    frame.loc[frame["agency"] == "dv_01", ["a1", "a2", "b1", "b2"]] = 4.0
    result = satisfaction_index(replace(survey, frame=frame), by="agency", definition="mean_over_highest")
    assert "dv_01" not in result.labels
    assert len(result.labels) == 1
