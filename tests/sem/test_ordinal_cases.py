"""Models of ordered answers agree with lavaan: estimates, errors, standardised coefficients, tests, measures of fit."""

from __future__ import annotations

import json
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import lavaan_cases as cases
import numpy as np
import pandas as pd
import pytest

import sipas_research as sr

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "lavaan_ordinal"
OTHERS = ("nested_tests", "answers", "further")
NAMES = tuple(sorted(path.stem for path in REFERENCE.glob("*.json") if path.stem not in OTHERS))
#: Measures that two releases of lavaan give differently.
UNSETTLED = {"small_wlsmv_group": {"rmsea_pvalue_robust"}, "small_wlsmv_mimic": {"srmr", "rmr"}}
MODIFICATION = 1e-3


@cache
def load(name: str) -> dict[str, Any]:
    return json.loads((REFERENCE / f"{name}.json").read_text(encoding="utf-8"))


@cache
def survey(name: str) -> pd.DataFrame:
    frame = cases.data("survey")
    return frame.assign(age=frame["age"] / 10) if name == "small_wlsmv_mimic" else frame


@cache
def fitted(name: str) -> Any:
    return cases.fit(load(name), survey(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_case_agrees_with_lavaan(name: str) -> None:
    case, fit = load(name), fitted(name)
    pairs = cases.coefficients(case, with_means(fit.tidy(), case)) + cases.measures(case, fit.fit_measures())
    pairs = [pair for pair in pairs if pair[0] not in UNSETTLED.get(name, ())]
    assert fit.converged
    assert len(pairs) > 200
    assert cases.off(pairs) == []


def with_means(table: pd.DataFrame, case: dict[str, Any]) -> pd.DataFrame:
    """Return the table with the scales that lavaan prints though they are no parameters under theta."""
    if case["options"].get("parameterization") != "theta":
        return table
    scales = [row for row in case["estimates"] if row["op"] == "~*~"]
    keys = ("lhs", "op", "rhs")
    numbers = {"estimate": "est", "std_error": "se", "std_lv": "std.lv", "std_all": "std.all"}
    rows = [{k: row[k] for k in keys} | {k: row[v] for k, v in numbers.items()} | {"group": ""} for row in scales]
    return pd.concat([table, pd.DataFrame(rows)], ignore_index=True)


@pytest.mark.parametrize("name", NAMES)
def test_measures_that_lavaan_does_not_define_are_not_numbers(name: str) -> None:
    measures = fitted(name).fit_measures()
    undefined = [n.replace(".", "_") for n in load(name)["fit_na"] or []]
    assert [n for n in undefined if np.isfinite(measures.get(n, np.nan))] == []


@pytest.mark.parametrize("name", ["quality_wlsmv", "misfit_wlsmv"])
def test_modification_indices_are_lavaans(name: str) -> None:
    found = fitted(name).modification_indices().set_index(["lhs", "op", "rhs"])
    for row in load(name)["modification"]:
        ours = found.loc[(row["lhs"], row["op"], row["rhs"])]
        assert ours["mi"] == pytest.approx(row["mi"], rel=MODIFICATION)
        assert ours["epc"] == pytest.approx(row["epc"], rel=MODIFICATION)


@pytest.mark.parametrize("name", ["small_wlsmv_theta", "mixed_wlsmv", "small_wlsmv_mimic"])
def test_the_order_of_rows_and_the_codes_of_answers_do_not_matter(name: str) -> None:
    case, frame = load(name), survey(name)
    first = fitted(name)
    rng = np.random.default_rng(3)
    shuffled = frame.iloc[rng.permutation(len(frame))].reset_index(drop=True)
    items = [f"access{k}" for k in range(1, 5)]
    recoded = shuffled.assign(**{item: shuffled[item] * 10 - 3 for item in items})
    second = cases.fit(case, recoded)
    numbers = first.tidy().select_dtypes("number").columns
    np.testing.assert_allclose(first.tidy()[numbers], second.tidy()[numbers], rtol=0, atol=2e-6)


def test_the_two_parameterizations_are_one_model() -> None:
    case = load("small_wlsmv_theta")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        delta = sr.cfa(case["model"], survey("small_wlsmv_theta"), ordered=True)
    theta = fitted("small_wlsmv_theta")
    for name in ("chisq", "chisq_scaled", "cfi_robust", "rmsea_robust", "srmr"):
        assert delta.fit_measures()[name] == pytest.approx(theta.fit_measures()[name], abs=1e-6)
    loadings = [table.tidy().query("op == '=~'")["std_all"].to_numpy() for table in (delta, theta)]
    np.testing.assert_allclose(loadings[0], loadings[1], atol=1e-6)
