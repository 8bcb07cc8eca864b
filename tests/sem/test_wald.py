"""Wald tests against lavaan and against the likelihood-ratio test."""

from __future__ import annotations

import json
from pathlib import Path

import lavaan_cases as cases
import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import AnalysisError, ModelSyntaxError

FOLDER = Path(__file__).resolve().parents[1] / "reference" / "sem"
NESTED = json.loads((FOLDER / "nested_tests.json").read_text(encoding="utf-8"))
REFERENCE = json.loads((FOLDER / "model_tests.json").read_text(encoding="utf-8"))
LABELLED = "access =~ a*access1 + b*access2 + c*access3 + access4"
FREE = REFERENCE["models"]["democracy"].replace("\np2 == 0.5*p1", "")


@pytest.fixture(scope="module")
def labelled() -> object:
    return sr.cfa(LABELLED, cases.data("survey"), std_lv=True)


def test_agrees_with_lavaan(labelled) -> None:
    found, theirs = sr.wald_test(labelled, "a == b; b == c"), NESTED["wald"]
    assert found.statistic == pytest.approx(theirs["stat"], rel=1e-6)
    assert found.df == theirs["df"]
    assert found.p_value == pytest.approx(theirs["p.value"], abs=1e-8)


@pytest.mark.parametrize(("estimator", "name"), [("ML", "ml"), ("MLR", "mlr")])
def test_constants_and_the_sandwich_agree_with_lavaan(estimator: str, name: str) -> None:
    fit = sr.sem(FREE, cases.data("political_democracy"), estimator=estimator)
    found = sr.wald_test(fit, "p2 == 0.5*p1\na == b")
    assert found.statistic == pytest.approx(REFERENCE["wald"][name]["stat"], rel=1e-5)
    assert found.robust == (estimator == "MLR")


def test_a_product_agrees_with_lavaan() -> None:
    fit = sr.sem(FREE, cases.data("political_democracy"))
    found = sr.wald_test(fit, "p1*p3 == p2")
    assert found.statistic == pytest.approx(REFERENCE["wald"]["product"]["stat"], rel=1e-4)


def test_one_restriction_is_a_squared_z(labelled) -> None:
    found = sr.wald_test(labelled, "a == b")
    row = found.tidy().iloc[0]
    assert found.statistic == pytest.approx(row["statistic"] ** 2, rel=1e-12)
    assert row["p_value"] == pytest.approx(found.p_value, rel=1e-9)


def test_a_repeated_restriction_does_not_count(labelled) -> None:
    twice = sr.wald_test(labelled, "a == b; b == c; a == c")
    once = sr.wald_test(labelled, "a == b; b == c")
    assert (twice.df, once.df) == (2, 2)
    assert twice.statistic == pytest.approx(once.statistic, rel=1e-7)


def test_defined_parameters_may_be_tested() -> None:
    fit = sr.sem(FREE + "\nindirect := p1*p3", cases.data("political_democracy"))
    found = sr.wald_test(fit, "indirect == 0")
    table = fit.tidy().set_index("lhs")
    assert found.statistic == pytest.approx(table.loc["indirect", "statistic"] ** 2, rel=1e-8)


def test_wald_and_likelihood_ratio_agree_in_large_samples() -> None:
    rng = np.random.default_rng(19)
    factor = rng.standard_normal(20000)
    values = factor[:, None] * [0.8, 0.78, 0.8, 0.77] + rng.standard_normal((20000, 4)) * 0.6
    frame = pd.DataFrame(values, columns=["x1", "x2", "x3", "x4"])
    free = sr.cfa("f =~ a*x1 + b*x2 + c*x3 + d*x4", frame, std_lv=True)
    tied = sr.cfa("f =~ a*x1 + a*x2 + a*x3 + a*x4", frame, std_lv=True)
    wald = sr.wald_test(free, "a == b; b == c; c == d").statistic
    ratio = sr.compare(free, tied).rows[1].chisq_diff
    score = sr.score_test(tied).total.statistic
    assert ratio > 15
    assert wald == pytest.approx(ratio, rel=0.02)
    assert score == pytest.approx(ratio, rel=0.02)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("a == 1; a == 2", "sem_comparison.error.contradiction"),
        ("a == b; a - b == 0.5", "sem_comparison.error.contradiction"),
        ("a == a", "sem_comparison.error.holds_already"),
    ],
)
def test_impossible_restrictions_are_refused(labelled, text: str, key: str) -> None:
    with pytest.raises(AnalysisError) as caught:
        sr.wald_test(labelled, text)
    assert caught.value.key == key


def test_what_the_model_already_says_is_refused() -> None:
    fit = sr.cfa("access =~ a*access1 + b*access2 + c*access3 + access4\na == b", cases.data("survey"), std_lv=True)
    with pytest.raises(AnalysisError) as caught:
        sr.wald_test(fit, "a == b")
    assert caught.value.key == "sem_comparison.error.holds_already"
    assert sr.wald_test(fit, "b == c").df == 1


@pytest.mark.parametrize("text", ["a > b", "a == q", "a ~ b", "", "z := a*b"])
def test_text_that_is_no_equality_is_refused(labelled, text: str) -> None:
    with pytest.raises(ModelSyntaxError):
        sr.wald_test(labelled, text)


def test_words_in_both_languages(labelled) -> None:
    found = sr.wald_test(labelled, "a == b; b == c")
    assert "χ² = 10,24; df = 2; p = 0,006" in found.summary("vi")
    assert "χ² = 10.24; df = 2; p = 0.006" in found.summary("en")
