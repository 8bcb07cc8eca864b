"""Ordered answers that cannot be fitted are refused in words; odd ones that can are fitted."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import lavaan_cases as cases
import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import (
    AnalysisError,
    CategoryWarning,
    ConstantItemError,
    DroppedRowsWarning,
    FewClustersWarning,
    ModelSyntaxError,
    NotIdentifiedWarning,
    OptionError,
    SingularMatrixError,
)

MODEL = "access =~ access1 + access2 + access3 + access4\nresult =~ result1 + result2 + result3"
ITEMS = [f"access{k}" for k in range(1, 5)] + [f"result{k}" for k in range(1, 4)]
SURVEY = cases.data("survey")


def every(change: Callable[[pd.Series], Any]) -> pd.DataFrame:
    return SURVEY.assign(**{item: change(SURVEY[item]) for item in ITEMS})


def fit(frame: pd.DataFrame = SURVEY, model: str = MODEL, **options: Any) -> Any:
    return sr.sem(model, frame, **{"ordered": True, **options})


@pytest.mark.parametrize("cut", [2, 3, 4])
@pytest.mark.parametrize("parameterization", ["delta", "theta"])
def test_two_to_four_answers(cut: int, parameterization: str) -> None:
    found = fit(every(lambda item: item.clip(lower=6 - cut)), parameterization=parameterization)
    assert found.converged
    assert found.parameters == 7 * (cut - 1) + 8
    assert np.isfinite(found.fit_measures()["chisq_scaled"])


def test_eleven_answers() -> None:
    rng = np.random.default_rng(2)
    found = fit(every(lambda item: np.clip(np.round((item - 3) * 2 + rng.normal(0, 1, len(item))) + 5, 0, 10)))
    assert found.converged
    assert (found.table.tidy()["op"] == "|").sum() == 70


def test_codes_may_be_any_whole_numbers() -> None:
    plain = fit().fit_measures()["chisq"]
    assert fit(every(lambda item: item * 1_000_000 - 7)).fit_measures()["chisq"] == pytest.approx(plain, abs=1e-9)
    assert fit(every(lambda item: item == 5)).converged


@pytest.mark.parametrize(
    ("change", "error", "word"),
    [
        ({"access1": SURVEY["access1"] + 0.5}, AnalysisError, "access1"),
        ({"access1": np.arange(1200)}, AnalysisError, "1,200"),
        ({"access1": 3}, ConstantItemError, "access1"),
        ({"access2": SURVEY["access1"]}, AnalysisError, "access1, access2"),
        ({"access2": "a"}, AnalysisError, "access2"),
        ({"access1": np.inf}, AnalysisError, "."),
    ],
)
def test_answers_that_are_no_ordered_categories(change: dict[str, Any], error: type, word: str) -> None:
    with pytest.raises(error, match=word):
        fit(SURVEY.assign(**change))


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("access1 | t9", "t9"),
        ("access1 ~~ access1", "access1"),
        ("online | t1\naccess ~ online", "online"),
        ("access1 ~*~ access2", "access1"),
    ],
)
def test_rows_that_an_item_does_not_have(line: str, word: str) -> None:
    with pytest.raises(ModelSyntaxError, match=word):
        fit(model=f"{MODEL}\n{line}")


def test_scales_are_parameters_of_delta_only() -> None:
    with pytest.raises(ModelSyntaxError):
        fit(model=MODEL + "\naccess1 ~*~ access1", parameterization="theta")
    with pytest.raises(ModelSyntaxError):
        fit(model=MODEL + "\naccess1 ~*~ access1", ordered=())


@pytest.mark.parametrize("ordered", [["zz"], ["online"]])
def test_names_that_are_no_items(ordered: list[str]) -> None:
    with pytest.raises(AnalysisError, match=ordered[0]):
        fit(model=MODEL + "\naccess ~ online" if ordered == ["online"] else MODEL, ordered=ordered)


def test_options_that_do_not_go_together() -> None:
    for options in ({"estimator": "ML"}, {"missing": "fiml"}, {"parameterization": "gamma"}):
        with pytest.raises(OptionError):
            fit(**options)
    with pytest.raises(OptionError):
        fit(ordered=(), estimator="WLSMV")


def test_moments_do_not_hold_answers() -> None:
    with pytest.raises(AnalysisError):
        sr.cfa(MODEL, sr.Moments(SURVEY[ITEMS].cov(), SURVEY[ITEMS].mean(), 1200), ordered=True)


def test_wls_needs_many_rows() -> None:
    with pytest.raises(SingularMatrixError, match="46"):
        fit(SURVEY.head(60), estimator="WLS")


def test_predictors_that_follow_from_others_or_separate_answers() -> None:
    with pytest.raises(AnalysisError, match="access1"):
        fit(SURVEY.assign(again=SURVEY["online"] * 2), MODEL + "\naccess ~ online + again", ordered=ITEMS)
    with pytest.raises(AnalysisError, match="access1"):
        fit(SURVEY.assign(again=SURVEY["access1"]), MODEL + "\naccess ~ again", ordered=ITEMS)


def test_weights_that_are_equal_change_nothing_and_zero_drops_rows() -> None:
    plain = fit()
    weighted = fit(SURVEY.assign(w=3.0), weights="w")
    np.testing.assert_allclose(plain.tidy()["std_error"], weighted.tidy()["std_error"], atol=1e-9)
    with pytest.warns(DroppedRowsWarning):
        fit(SURVEY.assign(w=np.arange(1200) % 3), weights="w")
    with pytest.raises(AnalysisError):
        fit(SURVEY.assign(w=-1.0), weights="w")


def test_clusters_of_one_row_give_the_errors_of_rows() -> None:
    plain, single = fit(), fit(SURVEY.assign(c=np.arange(1200)), cluster="c")
    ratio = single.tidy()["std_error"].to_numpy() / plain.tidy()["std_error"].replace(0, np.nan).to_numpy()
    np.testing.assert_allclose(ratio[np.isfinite(ratio)], np.sqrt(1200 / 1199), rtol=1e-9)
    with pytest.raises(AnalysisError):
        fit(SURVEY.assign(c=1), cluster="c")


def test_clusters_may_cut_groups() -> None:
    """Doubling every row within clusters across groups must tell on what the groups share."""
    with pytest.warns(FewClustersWarning):
        found = fit(SURVEY.assign(c=np.arange(1200) % 31), cluster="c", group="level")
    one, other = (sample.cluster_sums for sample in found.problem.samples)
    assert one.shape == other.shape == (31, 49)
    own = found.information.vcov
    half = len(own) // 2
    assert np.abs(own[:half, half:]).max() > 0


def test_rows_with_a_missing_answer_are_left_out() -> None:
    holes = SURVEY.mask(np.random.default_rng(3).random(SURVEY.shape) < 0.03)
    with pytest.warns(DroppedRowsWarning):
        found = fit(holes)
    assert found.n == holes[ITEMS].notna().all(axis=1).sum()


def test_a_model_that_the_data_do_not_determine_is_told() -> None:
    with pytest.warns(NotIdentifiedWarning):
        found = fit(model="f =~ access1\ng =~ result1 + result2 + result3")
    table = found.tidy().set_index(["lhs", "op", "rhs"])
    assert np.isnan(table.loc[("f", "~~", "f"), "estimate"])
    assert found.summary("en")


def test_written_thresholds_and_restrictions_hold() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = fit(model=MODEL + "\naccess1 | -1.8*t1 + a*t2\naccess2 | a*t2")
    values = found.tidy().set_index(["lhs", "op", "rhs"])["estimate"]
    assert values["access1", "|", "t1"] == -1.8
    assert values["access1", "|", "t2"] == values["access2", "|", "t2"]
    assert found.tests.model.df == 15
    assert np.isnan(found.fit_measures()["cfi_robust"])


def test_the_same_input_gives_the_same_bytes() -> None:
    one, other = fit(), fit()
    assert one.tidy().to_json() == other.tidy().to_json()


@pytest.mark.parametrize("written", ["2*t1 + -2*t2", "a*t1 + a*t2"])
def test_thresholds_that_do_not_rise_are_told_and_give_no_scores(written: str) -> None:
    with pytest.warns(CategoryWarning, match="access2"):
        found = fit(model=f"{MODEL}\naccess2 | {written}")
    assert "sem_ordinal.warning.crossed" in found.troubles
    assert "thresholds of these items do not rise: access2" in found.summary("en").replace("\n", " ")
    with pytest.raises(AnalysisError, match="ngưỡng không tăng"):
        found.scores()


def test_a_solution_without_variance_gives_no_scores() -> None:
    items = [f"access{k}" for k in range(1, 4)]
    frame = SURVEY.assign(**{name: SURVEY[name] > 4 for name in items})
    frame["access3"] = frame["access2"] | (np.arange(1200) % 7 == 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = fit(frame, "f =~ " + " + ".join(items) + "\nf ~~ 0*f")
    with pytest.raises(AnalysisError, match="phương sai bằng 0 hoặc âm"):
        found.scores()


def test_a_threshold_may_stay_free_where_thresholds_are_equal() -> None:
    equal = {"group": "level", "group_equal": ("loadings", "thresholds")}
    whole, part = fit(**equal), fit(**equal, group_partial="access2|t2")
    assert part.tests.model.df == whole.tests.model.df - 1
    values = part.tidy().query("lhs == 'access2' and op == '|'").pivot_table("estimate", "rhs", "group")
    assert (values.iloc[:, 0] != values.iloc[:, 1]).to_dict() == {"t1": False, "t2": True, "t3": False, "t4": False}
    with pytest.raises(AnalysisError, match=r"access2\|t9"):
        fit(**equal, group_partial="access2|t9")


def test_a_model_that_leaves_nothing_open_fits() -> None:
    measures = fit(model="access1 ~ online").fit_measures()
    assert measures[["df", "cfi", "tli", "rmsea", "rmsea_scaled"]].tolist() == [0.0, 1.0, 1.0, 0.0, 0.0]
