"""Score tests of equalities against lavaan and against fitting again."""

from __future__ import annotations

import json
from pathlib import Path

import lavaan_cases as cases
import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import OptionError

FOLDER = Path(__file__).resolve().parents[1] / "reference" / "sem"
NESTED = json.loads((FOLDER / "nested_tests.json").read_text(encoding="utf-8"))
REFERENCE = json.loads((FOLDER / "model_tests.json").read_text(encoding="utf-8"))
SHARED = "access =~ a*access1 + a*access2 + access3 + access4"


def generated(seed: int, n: int, loadings: tuple[float, ...] = (1.0, 0.8, 0.8, 0.7)) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    factor = rng.standard_normal(n)
    values = factor[:, None] * np.array(loadings) + rng.standard_normal((n, len(loadings))) * 0.7
    return pd.DataFrame(values, columns=[f"x{k + 1}" for k in range(len(loadings))])


def test_a_shared_label_agrees_with_lavaan() -> None:
    found = sr.score_test(sr.cfa(SHARED, cases.data("survey"), std_lv=True))
    theirs = NESTED["score"][0]
    assert found.total.statistic == pytest.approx(theirs["X2"], rel=1e-6)
    assert (found.total.df, len(found.single)) == (theirs["df"], 1)
    assert found.total.p_value == pytest.approx(theirs["p.value"], abs=1e-7)


def test_the_same_equality_written_as_a_constraint_has_the_same_test() -> None:
    frame = cases.data("survey")
    label = sr.score_test(sr.cfa(SHARED, frame, std_lv=True))
    model = "access =~ a*access1 + b*access2 + access3 + access4\na == b"
    written = sr.score_test(sr.cfa(model, frame, std_lv=True))
    assert written.total.statistic == pytest.approx(label.total.statistic, rel=1e-8)
    assert written.tidy()[["lhs", "op", "rhs"]].to_numpy().tolist() == [["a", "==", "b"]]
    assert written.single[0].difference == pytest.approx(label.single[0].difference, rel=1e-6)


def test_equalities_across_groups_agree_with_lavaan() -> None:
    fit = cases.fit(cases.load("hs_group_scalar"))
    found = sr.score_test(fit)
    theirs = REFERENCE["score_groups"]
    np.testing.assert_allclose(
        [row.statistic for row in found.single], [row["X2"] for row in theirs["uni"]], rtol=2e-3, atol=1e-4
    )
    assert found.total.statistic == pytest.approx(theirs["total"]["X2"], rel=1e-4)
    # lavaan counts 15 equalities; latent means are free in the second group, so that the data determine only 12
    assert (theirs["total"]["df"], found.total.df) == (15, 12)


def test_constraints_and_labels_together_agree_with_lavaan() -> None:
    fit = sr.sem(REFERENCE["models"]["democracy"], cases.data("political_democracy"))
    found = sr.score_test(fit)
    theirs = REFERENCE["score_constraint"]
    ours = sorted(row.statistic for row in found.single)
    np.testing.assert_allclose(ours, sorted(row["X2"] for row in theirs["uni"]), rtol=1e-3, atol=1e-4)
    assert found.total.statistic == pytest.approx(theirs["total"]["X2"], rel=1e-4)
    assert found.total.df == theirs["total"]["df"]


def test_a_score_test_is_close_to_fitting_again() -> None:
    frame = generated(3, 2000)
    tied = sr.cfa("f =~ x1 + a*x2 + a*x3 + a*x4", frame)
    free = sr.cfa("f =~ x1 + x2 + x3 + x4", frame)
    found = sr.score_test(tied)
    refitted = sr.compare(free, tied).rows[1].chisq_diff
    assert refitted > 10  # the third of the loadings is 0.7, the others 0.8
    assert found.total.statistic == pytest.approx(refitted, rel=0.06)
    one = sr.score_test(tied, "f=~x4")
    partly = sr.cfa("f =~ x1 + a*x2 + a*x3 + x4", frame)
    assert one.total.statistic == pytest.approx(sr.compare(partly, tied).rows[1].chisq_diff, rel=0.06)
    loading = partly.tidy().query("op == '=~'").set_index("rhs")["estimate"]
    assert one.tidy()["difference"][0] == pytest.approx(loading["x4"] - loading["x2"], rel=0.1)


def test_a_robust_score_test_is_close_to_the_scaled_difference() -> None:
    rng = np.random.default_rng(11)
    values = rng.standard_normal((4000, 1)) * [1.0, 0.8, 0.8, 0.74] + rng.standard_normal((4000, 4)) * 0.7
    values *= np.sqrt(rng.exponential(size=(4000, 1)))  # elliptical: chi-squares are too large by about one factor
    frame = pd.DataFrame(values, columns=["x1", "x2", "x3", "x4"])
    models = ("f =~ x1 + x2 + x3 + x4", "f =~ x1 + a*x2 + a*x3 + a*x4")
    free, tied = (sr.cfa(model, frame, estimator="MLR") for model in models)
    robust = sr.score_test(tied)
    plain = sr.score_test(sr.cfa(models[1], frame))
    assert robust.robust
    assert robust.total.statistic < 0.8 * plain.total.statistic
    assert robust.total.statistic == pytest.approx(sr.compare(free, tied).rows[1].chisq_diff, rel=0.25)
    mlm = sr.score_test(sr.cfa(models[1], frame, estimator="MLM"))
    assert mlm.total.statistic == pytest.approx(robust.total.statistic, rel=0.15)


def test_three_groups_have_two_equalities_a_row() -> None:
    frame = generated(5, 900).assign(nhóm=np.repeat(["a", "b", "c"], 300))
    fit = sr.cfa("f =~ x1 + x2 + x3 + x4", frame, group="nhóm", group_equal="loadings")
    found = sr.score_test(fit, ["f=~x2"])
    assert [row.equality.group for row in found.single if row.equality] == ["b", "c"]
    assert found.total.df == 2
    assert found.tidy()["rhs"].tolist() == ["f=~x2 [b]", "f=~x2 [c]"]


def test_a_model_that_release_would_leave_open_counts_no_degree_of_freedom() -> None:
    frame = generated(7, 300)
    fit = sr.cfa("f =~ a*x1 + a*x2", frame[["x1", "x2"]], std_lv=True)
    found = sr.score_test(fit)
    assert found.single[0].df == 0
    assert np.isnan(found.single[0].p_value)
    assert found.tidy()["note"].tolist() == ["no_test"]


def test_a_repeated_constraint_is_nothing_to_let_go() -> None:
    frame = generated(7, 300)
    fit = sr.cfa("f =~ x1 + a*x2 + b*x3 + c*x4\na == b\nb == c\na == c", frame)
    found = sr.score_test(fit)
    assert [row.df for row in found.single] == [0, 0, 0]  # the other two keep each of them
    assert found.total.df == 2
    assert found.total.statistic == pytest.approx(
        sr.score_test(sr.cfa("f =~ x1 + a*x2 + a*x3 + a*x4", frame)).total.statistic, rel=1e-7
    )


def test_unknown_names_and_models_without_equalities_are_refused() -> None:
    frame = generated(7, 300)
    with pytest.raises(OptionError) as caught:
        sr.score_test(sr.cfa("f =~ x1 + x2 + x3 + x4", frame))
    assert caught.value.key == "sem_comparison.error.no_equality"
    tied = sr.cfa("f =~ x1 + a*x2 + a*x3 + x4", frame)
    with pytest.raises(OptionError) as caught:
        sr.score_test(tied, ["f=~x9"])
    assert "f=~x2" in caught.value.message("vi")


def test_words_in_both_languages() -> None:
    found = sr.score_test(sr.cfa(SHARED, cases.data("survey"), std_lv=True))
    assert "p = 0,020" in found.summary("vi")
    assert "p = 0.020" in found.summary("en")
    assert found.glance()["data_kind"].tolist() == ["user"]
