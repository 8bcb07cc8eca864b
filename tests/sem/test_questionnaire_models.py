"""Models written from a questionnaire: what they say, what they find in the simulated province, what is missing."""

from dataclasses import replace

import numpy as np
import pytest

import sipas_research as sr
from sipas_research import errors, resources
from sipas_research.sem.syntax import parse_model

pytestmark = pytest.mark.filterwarnings("ignore::sipas_research.errors.DroppedRowsWarning")


@pytest.fixture(scope="module")
def current():
    project = sr.load_study(resources.data("twin", "study.toml"))
    return project.current(project.responses("citizens"))


@pytest.fixture(scope="module")
def fit(current):
    return sr.sem(sr.lever_model(current), current)


def test_factors_are_lines_of_a_model(current):
    assert sr.factor_model({"a": ["x1", "x2"], "b": ("x3",)}) == "a =~ x1 + x2\nb =~ x3\n"
    read = parse_model(sr.factor_model(current))
    assert read.latents == ("access", "procedure", "civil_servant", "result", "feedback")
    assert len(read.terms) == 22


def test_names_that_would_change_the_model_are_refused():
    for name in ("Tiếp cận (1)", "~~ =~", "1"):
        with pytest.raises(errors.ModelSyntaxError):
            sr.factor_model({name: ["x1", "x2"]})
    with pytest.raises(errors.AnalysisError):
        sr.factor_model({})


def test_lever_model_of_the_twin(current, fit):
    table = fit.tidy()
    paths = table[table["op"].eq("~")].set_index(["lhs", "rhs"])
    assert len(paths) == 5 * 3 + 8
    assert fit.converged
    assert not fit.troubles
    # the strongest links that made the data
    assert paths.loc[("access", "digital"), "conf_low"] > 0
    assert paths.loc[("feedback", "oversight"), "conf_low"] > 0
    assert paths.loc[("access", "digital"), "std_all"] > paths.loc[("access", "oversight"), "std_all"]
    assert paths.loc[("overall", "civil_servant"), "conf_low"] > 0
    assert fit.data_kind.is_simulated
    assert 0 < fit.r2().set_index("variable")["r2"]["overall"] < 1


def test_levers_can_lead_to_satisfaction_only_by_way_of_factors(current, fit):
    narrow = sr.sem(sr.lever_model(current, direct=False), current)
    assert narrow.tests.model.df == fit.tests.model.df + 3
    assert not any(name.startswith("total.") for name in narrow.tidy()["lhs"])


def test_products_of_paths_are_defined(fit):
    table = fit.tidy()
    value = table.set_index("label")["estimate"].to_dict()
    ways = ("access", "procedure", "civil_servant", "result", "feedback")
    for lever in ("digital", "oversight", "communication"):
        single = [value[f"{way}.{lever}"] * value[f"overall.{way}"] for way in ways]
        assert [value[f"indirect.{lever}.{way}"] for way in ways] == pytest.approx(single)
        assert value[f"indirect.{lever}"] == pytest.approx(sum(single))
        assert value[f"total.{lever}"] == pytest.approx(sum(single) + value[f"overall.{lever}"])
    # delta method for a product: b^2 var a + a^2 var b + 2 a b cov
    names = ["access.digital", "overall.access"]
    cov = fit.vcov().loc[names, names].to_numpy()
    slope = np.array([value["overall.access"], value["access.digital"]])
    error = table.set_index("label")["std_error"]["indirect.digital.access"]
    assert error == pytest.approx(float(np.sqrt(slope @ cov @ slope)))


def test_a_survey_without_a_part_says_which(current):
    for role, words in (("factor", "factor scale"), ("lever", "levers"), ("overall", "overall satisfaction")):
        items = [item for ids in current.scale_items(role).values() for item in ids]
        without = replace(current, frame=current.frame.drop(columns=items))
        with pytest.raises(errors.AnalysisError, match=words):
            sr.lever_model(without)


def test_a_scale_with_the_code_of_a_question_is_refused_in_words():
    with pytest.raises(errors.AnalysisError, match="Change the scale's code"):
        sr.factor_model({"rating": ["rating"]})
    assert sr.factor_model({"rating_scale": ["rating"]}) == "rating_scale =~ rating\n"
