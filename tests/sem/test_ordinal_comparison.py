"""Nested models of ordered answers: tests of the difference, and invariance after Wu & Estabrook."""

from __future__ import annotations

import json
import warnings
from typing import Any

import lavaan_cases as cases
import numpy as np
import pandas as pd
import pytest
import test_ordinal_cases as ordinal

import sipas_research as sr
from sipas_research.errors import AnalysisError, OptionError

NESTED: dict[str, Any] = json.loads((ordinal.REFERENCE / "nested_tests.json").read_text(encoding="utf-8"))
ITEMS = ["access1", "access2", "access3", "access4", "result1", "result2", "result3"]


def fit(model: str, **options: object) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sr.cfa(model, cases.data("survey"), ordered=True, **options)


def test_the_difference_of_two_models_is_lavaans() -> None:
    found = sr.compare(fit(NESTED["free"]), fit(NESTED["tied"]))
    row, theirs = found.rows[1], NESTED["lrt_wlsmv_2000"][1]
    assert row.method == "satorra_2000"
    assert row.chisq_diff == pytest.approx(theirs["Chisq diff"], rel=1e-5)
    assert row.p_value == pytest.approx(theirs["Pr(>Chisq)"], abs=1e-5)
    assert row.df_diff == 3
    assert "Satorra (2000)" in found.summary("en")


def test_the_difference_of_invariance_models_is_lavaans() -> None:
    models = [ordinal.load(name)["model"] for name in ("ordinal_thresholds", "ordinal_loadings")]
    row = sr.compare(*[fit(model, group="level") for model in models]).rows[1]
    theirs = NESTED["lrt_ordinal_invariance"][1]
    assert row.chisq_diff == pytest.approx(theirs["Chisq diff"], rel=1e-5)
    assert row.p_value == pytest.approx(theirs["Pr(>Chisq)"], abs=1e-5)


def test_invariance_follows_wu_and_estabrook() -> None:
    found = sr.invariance(NESTED["free"], cases.data("survey"), group="level", ordered=True)
    table = found.tidy().set_index("step")
    assert list(table.index) == ["configural", "thresholds", "metric", "scalar", "strict"]
    assert table["chisq"]["configural"] == pytest.approx(ordinal.load("small_wlsmv_group")["fit"]["chisq"], rel=1e-5)
    assert table["chisq"]["thresholds"] == pytest.approx(ordinal.load("ordinal_thresholds")["fit"]["chisq"], rel=1e-5)
    assert table["chisq"]["metric"] == pytest.approx(ordinal.load("ordinal_loadings")["fit"]["chisq"], rel=1e-5)
    assert table["chisq"]["scalar"] == pytest.approx(NESTED["thresholds_loadings"]["chisq"], abs=1e-3)
    assert table["chisq_diff"]["metric"] == pytest.approx(2.3630218722, rel=1e-5)
    assert table["df"].tolist() == [26, 40, 45, 50, 57]
    assert found.conclusion == "strict"
    for language in ("vi", "en"):
        assert str(table["df"]["strict"]) in found.summary(language)


@pytest.mark.parametrize("parameterization", ["delta", "theta"])
def test_equal_thresholds_free_scales_and_latent_means(parameterization: str) -> None:
    equal = ("thresholds", "loadings")
    found = fit(NESTED["free"], group="level", group_equal=equal, parameterization=parameterization).fit_measures()
    for name, value in NESTED["thresholds_loadings"].items():
        assert found[name] == pytest.approx(value, abs=1e-3)


def test_thresholds_alone_are_no_test_with_three_answers() -> None:
    frame = cases.data("survey")
    frame = frame.assign(**{item: frame[item].clip(3, 5) for item in ITEMS})
    found = sr.invariance(NESTED["free"], frame, group="level", ordered=True)
    table = found.tidy().set_index("step")
    assert table["df_diff"]["thresholds"] == 0
    assert table["note"]["thresholds"] == "same_df"
    assert table["verdict"]["thresholds"] == "not_judged"
    assert np.isfinite(table["p_value"]["metric"])
    assert found.conclusion != "configural"


def test_two_answers_hold_residual_variances_and_say_so() -> None:
    frame = cases.data("survey")
    frame = frame.assign(**{item: (frame[item] >= 4).astype(int) for item in ITEMS})
    found = sr.invariance(NESTED["free"], frame, group="level", ordered=True)
    assert found.tidy()["df"].tolist() == [26, 26, 31, 36, 36]
    assert "two answers" in found.summary("en")


def test_a_row_can_stay_free() -> None:
    frame = cases.data("survey")
    steps = ("metric", "scalar")
    whole = sr.invariance(NESTED["free"], frame, group="level", ordered=True, steps=steps)
    part = sr.invariance(NESTED["free"], frame, group="level", ordered=True, steps=steps, group_partial="access2~1")
    assert part.tidy()["df"].tolist() == [45, 49]
    assert part.tidy()["chisq"][1] < whole.tidy()["chisq"][1]


def test_an_answer_that_a_group_lacks_is_refused() -> None:
    frame = cases.data("survey")
    empty = (frame["level"] == "district") & (frame["access1"] == 1)
    frame = frame.assign(access1=frame["access1"].where(~empty, 2))
    with pytest.raises(AnalysisError, match="access1") as error:
        sr.cfa(NESTED["free"], frame, ordered=True, group="level")
    assert "district" in str(error.value)


def test_methods_and_estimators_that_make_no_test_are_refused() -> None:
    free, tied = fit(NESTED["free"]), fit(NESTED["tied"])
    with pytest.raises(OptionError):
        sr.compare(free, tied, method="satorra_bentler_2001")
    with pytest.raises(AnalysisError):
        sr.compare(fit(NESTED["free"], estimator="DWLS"), fit(NESTED["tied"], estimator="DWLS"))
    with pytest.raises(OptionError):
        sr.invariance(NESTED["free"], cases.data("survey"), group="level", steps=("configural", "thresholds"))


def test_wls_differences_are_plain() -> None:
    row = sr.compare(fit(NESTED["free"], estimator="WLS"), fit(NESTED["tied"], estimator="WLS")).rows[1]
    assert row.method == "plain"
    assert isinstance(row.chisq_diff, float)
    assert pd.notna(row.p_value)


def test_the_score_test_of_equalities_agrees_with_the_difference() -> None:
    free, tied = fit(NESTED["free"]), fit(NESTED["tied"])
    found = sr.score_test(tied)
    assert found.total.df == 3
    assert found.total.statistic == pytest.approx(sr.compare(free, tied).rows[1].chisq_diff, rel=0.03)
    values = free.tidy().set_index(["lhs", "rhs"])["estimate"]
    single = found.tidy().iloc[0]
    assert (single["lhs"], single["rhs"]) == ("access=~access2", "access=~access3")
    gap = values["access", "access3"] - values["access", "access2"]
    assert np.sign(single["difference"]) == np.sign(gap)


@pytest.mark.parametrize("options", [{"ordered": True}, {}])
def test_invariance_of_clustered_and_weighted_rows(options: dict[str, Any]) -> None:
    frame = cases.data("survey")
    design = {"cluster": "agency", "weights": "weight"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = sr.invariance(NESTED["free"], frame, group="level", steps=("configural", "metric"), **design, **options)
        first = sr.cfa(NESTED["free"], frame, group="level", meanstructure=True, **design, **options)
        plain = sr.invariance(NESTED["free"], frame, group="level", steps=("configural", "metric"), **options)
    row = found.steps[0].row
    assert row.chisq_scaled == pytest.approx(first.fit_measures()["chisq_scaled"], rel=1e-6)
    assert found.steps[1].row.chisq_diff != pytest.approx(plain.steps[1].row.chisq_diff, rel=0.01)
    assert 0 <= found.steps[1].row.p_value <= 1
