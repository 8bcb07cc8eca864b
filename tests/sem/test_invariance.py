"""Measurement invariance: lavaan's numbers, the conventions, and what is refused."""

from __future__ import annotations

import json
import warnings
from dataclasses import astuple
from pathlib import Path

import lavaan_cases as cases
import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import AnalysisError, OptionError, SipasWarning
from sipas_research.sem.invariance_rules import CHEN, CHEUNG, limits

FOLDER = Path(__file__).resolve().parents[1] / "reference" / "sem"
ML = json.loads((FOLDER / "quality_invariance.json").read_text(encoding="utf-8"))
MLR = json.loads((FOLDER / "quality_invariance_mlr.json").read_text(encoding="utf-8"))
HS = cases.load("hs_ml")["model"]
STEPS = ("configural", "metric", "scalar", "strict")


def grouped(seed: int, n: int, *, shift: float = 0.0, loading: float = 0.8) -> pd.DataFrame:
    """Return one factor of six items in two groups; the second differs in an intercept and a loading of x6."""
    rng = np.random.default_rng(seed)
    values = []
    for k, group in enumerate(("a", "b")):
        slopes = np.array([0.8, 0.8, 0.8, 0.8, 0.8, loading if k else 0.8])
        answers = rng.standard_normal((n, 1)) * slopes + rng.standard_normal((n, 6)) * 0.6
        answers[:, 5] += shift * k
        values.append(pd.DataFrame(answers, columns=[f"x{j}" for j in range(1, 7)]).assign(nhóm=group))
    return pd.concat(values, ignore_index=True)


MODEL = "f =~ x1 + x2 + x3 + x4 + x5 + x6"


def test_all_steps_agree_with_lavaan() -> None:
    found = sr.invariance(ML["model"], cases.data("survey"), group="level", estimator="ML").tidy()
    assert found["step"].tolist() == list(STEPS)
    for (step, theirs), test, (_, ours) in zip(ML["steps"].items(), ML["lrt"], found.iterrows(), strict=True):
        assert (ours["step"], ours["df"], ours["npar"]) == (step, theirs["df"], theirs["npar"])
        for name in ("chisq", "aic", "bic"):
            assert ours[name] == pytest.approx(theirs[name], rel=1e-8)
        for name in ("cfi", "rmsea", "srmr"):
            assert ours[name] == pytest.approx(theirs[name], abs=1e-6)
        if test["Chisq diff"] is not None:
            assert ours["chisq_diff"] == pytest.approx(test["Chisq diff"], abs=1e-6)
            assert (ours["df_diff"], ours["rmsea_diff"]) == pytest.approx((test["Df diff"], test["RMSEA"]), abs=1e-6)
            assert ours["p_value"] == pytest.approx(test["Pr(>Chisq)"], abs=1e-7)


def test_scaled_differences_agree_with_lavaan() -> None:
    found = sr.invariance(MLR["model"], cases.data("survey"), group="level", steps=STEPS[:3])
    for test, row in zip(MLR["lrt"][1:], found.tidy().to_dict("records")[1:], strict=True):
        assert row["chisq_diff"] == pytest.approx(test["Chisq diff"], rel=2e-6)
        assert row["p_value"] == pytest.approx(test["Pr(>Chisq)"], abs=1e-6)
        assert row["method"] == "satorra_bentler_2001"
    assert found.indices == "robust"
    robust = found.fit("scalar").fit_measures()["cfi_robust"] - found.fit("metric").fit_measures()["cfi_robust"]
    assert found.tidy()["delta_cfi"][2] == pytest.approx(robust, abs=1e-12)


def test_intercepts_that_differ_are_seen() -> None:
    found = sr.invariance(HS, cases.data("holzinger39"), group="school")
    verdicts = dict(zip(found.tidy()["step"], found.tidy()["verdict"], strict=True))
    assert verdicts == {"configural": "baseline", "metric": "holds", "scalar": "fails", "strict": "holds"}
    assert found.conclusion == "metric"
    assert "poor_baseline" in found.tidy()["note"][0]
    freed = sr.invariance(HS, cases.data("holzinger39"), group="school", group_partial=["x3~1", "x7~1"])
    assert freed.conclusion == "strict"
    assert freed.tidy()["df"][2] == found.tidy()["df"][2] - 2


def test_what_is_planted_is_judged() -> None:
    same = sr.invariance(MODEL, grouped(1, 600), group="nhóm")
    assert (same.conclusion, same.steps[-1].limits.variant) == ("strict", "large_equal")
    assert sr.invariance(MODEL, grouped(1, 600, shift=0.9), group="nhóm").conclusion == "metric"
    assert sr.invariance(MODEL, grouped(1, 600, loading=0.1), group="nhóm").conclusion == "configural"


def test_conventions_are_those_of_the_papers() -> None:
    equal, unequal, few = (400, 400), (700, 100), (120, 120)
    assert astuple(limits(CHEN, "metric", equal))[2:] == (-0.010, 0.015, 0.030)
    assert astuple(limits(CHEN, "scalar", equal))[2:] == (-0.010, 0.015, 0.010)
    assert astuple(limits(CHEN, "strict", equal))[2:] == (-0.010, 0.015, 0.010)
    for sizes in (unequal, few):
        assert astuple(limits(CHEN, "metric", sizes))[1:] == ("small_unequal", -0.005, 0.010, 0.025)
        assert astuple(limits(CHEN, "scalar", sizes))[2:] == (-0.005, 0.010, 0.005)
    assert limits(CHEUNG, "scalar", few).cfi == -0.010


@pytest.mark.parametrize(
    ("rule", "step", "changes", "verdict"),
    [
        (CHEN, "metric", (-0.009, 0.014, 0.029), "holds"),
        (CHEN, "metric", (-0.011, 0.000, 0.000), "doubtful"),
        (CHEN, "metric", (-0.001, 0.020, 0.000), "doubtful"),
        (CHEN, "metric", (-0.010, 0.015, 0.000), "fails"),
        (CHEN, "metric", (-0.010, 0.000, 0.020), "doubtful"),
        (CHEN, "scalar", (-0.010, 0.000, 0.020), "fails"),
        (CHEUNG, "metric", (-0.011, 0.000, 0.000), "fails"),
        (CHEUNG, "metric", (-0.009, 0.090, 0.090), "holds"),
        (CHEN, "metric", (float("nan"), 0.0, 0.0), "not_judged"),
    ],
)
def test_verdicts(rule: str, step: str, changes: tuple[float, float, float], verdict: str) -> None:
    assert limits(rule, step, (400, 400)).verdict(*changes) == verdict


def test_moments_of_groups_need_no_rows() -> None:
    frame = grouped(2, 400, shift=0.9)
    moments = {
        label: sr.Moments(part.drop(columns="nhóm").cov(), part.drop(columns="nhóm").mean(), len(part))
        for label, part in frame.groupby("nhóm")
    }
    ours = sr.invariance(MODEL, moments, estimator="ML").tidy()
    rows = sr.invariance(MODEL, frame, group="nhóm", estimator="ML").tidy()
    np.testing.assert_allclose(ours["chisq_diff"][1:], rows["chisq_diff"][1:], rtol=1e-7)


def test_small_groups_are_refused() -> None:
    frame = grouped(3, 60)
    for keep, key in ((3, "small_groups"), (15, "few_rows")):
        part = pd.concat([frame[frame["nhóm"] == "a"], frame[frame["nhóm"] == "b"].head(keep)])
        with pytest.raises(AnalysisError) as caught:
            sr.invariance(MODEL, part, group="nhóm")
        assert caught.value.key == f"sem_comparison.error.{key}"
        assert "b" in caught.value.message("vi")
        assert str(keep) not in caught.value.message("vi")  # the size of a small group is not told


def test_options_outside_their_vocabulary_are_refused() -> None:
    frame = grouped(3, 60)
    wrong = ({"steps": ("metric", "configural")}, {"steps": ("metric",)}, {"steps": ("metric", "full")}, {"rule": "x"})
    for options in wrong:
        with pytest.raises(OptionError):
            sr.invariance(MODEL, frame, group="nhóm", **options)
    with pytest.raises(AnalysisError):
        sr.invariance(MODEL, frame.assign(nhóm="a"), group="nhóm")
    with pytest.raises(AnalysisError):
        sr.invariance(MODEL, frame)
    with pytest.raises(AnalysisError):
        sr.invariance(MODEL, frame, group="nhóm", estimator="ULS")


def test_an_item_that_is_constant_in_one_group_is_named() -> None:
    frame = grouped(3, 60)
    frame.loc[frame["nhóm"] == "b", "x2"] = 3.0
    with pytest.raises(AnalysisError) as caught:
        sr.invariance(MODEL, frame, group="nhóm")
    assert "x2" in caught.value.message("vi")


def test_a_model_that_the_data_do_not_determine_is_not_judged() -> None:
    frame = grouped(4, 300)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SipasWarning)
        found = sr.invariance(
            "f =~ x1 + x2 + x3\ng =~ x1 + x2 + x3", frame, group="nhóm", steps=("configural", "metric")
        )
    assert found.tidy()["verdict"][1] == "not_judged"
    assert "not_identified" in found.tidy()["note"][0]
    assert "Không kết luận được" in found.summary("vi")


def test_the_kind_of_the_data_and_words_in_both_languages() -> None:
    frame = grouped(5, 300).assign(data_kind="simulated")
    found = sr.invariance(MODEL, frame, group="nhóm", rule="cheung_rensvold2002")
    assert found.data_kind is sr.DataKind.SIMULATED
    assert found.glance()["conclusion"].tolist() == [found.conclusion]
    assert "Cheung & Rensvold (2002)" in found.summary("vi")
    assert "quy ước, không phải kiểm định" in found.summary("vi")
    assert "conventions, not tests" in found.summary("en")
    assert "robust" in found.summary("en")
