"""Modification indices: lavaan's values, and what freeing a parameter really brings."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import lavaan_cases as cases
import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import AnalysisError

REFERENCE = json.loads(
    (Path(__file__).resolve().parents[1] / "reference" / "sem" / "model_tests.json").read_text(encoding="utf-8")
)
#: lavaan stops up to 2e-4 standard errors before the minimum; an index near zero shows it.
RELATIVE, ABSOLUTE = 5e-3, 1e-3


def by_key(frame: pd.DataFrame) -> dict[tuple[str, ...], dict[str, object]]:
    return {cases.key(row, row["group"]): row for row in frame.to_dict("records")}


@pytest.mark.parametrize("name", ["hs_ml", "hs_group_scalar", "pd_ml", "quality_ml", "misfit_ml"])
def test_the_largest_agree_with_lavaan(name: str) -> None:
    case = cases.load(name)
    fit = cases.fit(case)
    frame = fit.modification_indices()
    found, groups = by_key(frame), fit.table.groups
    assert list(frame.columns) == ["lhs", "op", "rhs", "group", "level", "mi", "epc", "sepc_lv", "sepc_all"]
    assert len(case["modification"]) == 10
    for row in case["modification"]:
        ours = found[cases.key(row, groups[int(row.get("group") or 1) - 1])]
        assert ours["mi"] == pytest.approx(row["mi"], rel=1e-3)
        assert ours["epc"] == pytest.approx(row["epc"], rel=1e-3, abs=1e-4)
        assert ours["sepc_lv"] == pytest.approx(row["sepc.lv"], rel=1e-3, abs=1e-4)
        assert ours["sepc_all"] == pytest.approx(row["sepc.all"], rel=1e-3, abs=1e-4)
    assert frame["mi"].is_monotonic_decreasing
    assert frame["mi"].iloc[0] == pytest.approx(case["modification"][0]["mi"], rel=1e-3)


@pytest.mark.parametrize(
    ("name", "data", "options"),
    [
        ("pd_constraints", "political_democracy", {}),
        ("hs_mimic", "holzinger39", {}),
        ("hs_secondorder", "holzinger39", {}),
        ("hs_orthogonal", "holzinger39", {"orthogonal": True}),
    ],
)
def test_the_whole_list_is_that_of_lavaan(name: str, data: str, options: dict[str, object]) -> None:
    fit = sr.sem(REFERENCE["models"][name], cases.data(data), **options)
    found = by_key(fit.modification_indices())
    rows = [row for row in REFERENCE["modification"][name] if row["mi"] is not None]
    theirs = {cases.key(row, ""): row for row in rows}
    assert set(found) == set(theirs)
    assert len(found) > 45
    for key, row in theirs.items():
        assert found[key]["mi"] == pytest.approx(row["mi"], rel=RELATIVE, abs=ABSOLUTE)
        for ours, column in (("epc", "epc"), ("sepc_lv", "sepc.lv"), ("sepc_all", "sepc.all")):
            if row[column] is not None and np.isfinite(found[key][ours]):
                assert found[key][ours] == pytest.approx(row[column], rel=RELATIVE, abs=ABSOLUTE)


def test_an_index_is_about_the_fall_of_chi_square() -> None:
    case = cases.load("quality_ml")
    frame = cases.data(case["data"])
    fit = cases.fit(case, frame)
    for row in fit.modification_indices().head(6).to_dict("records"):
        freed = sr.cfa(f"{case['model']}\n{row['lhs']} {row['op']} {row['rhs']}", frame)
        fall = fit.fit_measures()["chisq"] - freed.fit_measures()["chisq"]
        assert row["mi"] == pytest.approx(fall, rel=0.05)
        table = freed.tidy().set_index(["lhs", "op", "rhs"])
        assert row["epc"] == pytest.approx(table.loc[(row["lhs"], row["op"], row["rhs"]), "estimate"], rel=0.1)
        assert row["sepc_all"] == pytest.approx(table.loc[(row["lhs"], row["op"], row["rhs"]), "std_all"], rel=0.12)


def test_uls_takes_the_variance_of_the_score_at_normality() -> None:
    rng = np.random.default_rng(2)
    factors = rng.standard_normal((8000, 2)) @ np.array([[1.0, 0.5], [0.0, 0.9]])
    loadings = np.array([[1.0, 0.8, 0.7, 2.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.06, 1.0, 0.9, 0.8]])
    noise = rng.standard_normal((8000, 7)) * [0.7, 0.7, 1.5, 0.7, 0.7, 0.7, 0.7]
    frame = pd.DataFrame(factors @ loadings + noise, columns=[f"x{k}" for k in range(1, 8)])
    model = "f =~ x1 + x2 + x3 + x4\ng =~ x5 + x6 + x7"
    index = sr.cfa(model, frame, estimator="ULS").modification_indices().set_index(["lhs", "op", "rhs"])
    freed = sr.cfa(f"{model}\ng =~ x4", frame, estimator="ULS").tidy().set_index(["lhs", "op", "rhs"])
    row = freed.loc[("g", "=~", "x4")]
    assert row["statistic"] ** 2 > 4
    assert index.loc[("g", "=~", "x4"), "mi"] == pytest.approx(row["statistic"] ** 2, rel=0.08)
    assert index.loc[("g", "=~", "x4"), "epc"] == pytest.approx(row["estimate"], rel=0.05)


def test_robust_estimators_add_a_scaled_index() -> None:
    case = cases.load("hs_mlr")
    fit = cases.fit(case)
    frame = fit.modification_indices()
    plain = cases.fit(cases.load("hs_ml")).modification_indices()
    np.testing.assert_allclose(frame["mi"], plain["mi"], rtol=1e-6, atol=1e-9)
    scaling = fit.fit_measures()["chisq_scaling_factor"]
    np.testing.assert_allclose(frame["mi_scaled"] * scaling, frame["mi"], rtol=1e-12)


def test_what_would_change_nothing_is_left_out() -> None:
    found = by_key(cases.fit(cases.load("hs_ml")).modification_indices())
    assert ("visual", "=~", "x1", "") not in found  # the first loading only sets the scale
    assert ("visual", "=~", "x4", "") in found
    one = sr.cfa("f =~ x1 + x2 + x3", cases.data("holzinger39"))
    assert one.modification_indices().empty


def test_a_fit_that_did_not_converge_is_refused() -> None:
    fit = cases.fit(cases.load("hs_ml"))
    lost = replace(fit, optimum=replace(fit.optimum, converged=False))
    with pytest.raises(AnalysisError) as caught:
        lost.modification_indices()
    assert caught.value.key == "sem_comparison.error.not_converged"


def test_names_of_variables_may_be_vietnamese() -> None:
    frame = cases.data("holzinger39").rename(columns={"x1": "tiếp_cận1"})
    fit = sr.cfa("quy_trình =~ tiếp_cận1 + x2 + x3 + x4", frame)
    assert "tiếp_cận1" in set(fit.modification_indices()["lhs"])
