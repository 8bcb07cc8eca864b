"""Many kinds of models on several data sets, against what lavaan 0.6-14 finds; see ../reference/sem/models."""

from __future__ import annotations

import functools
import json
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
MODELS = {case["name"]: case for case in json.loads((REFERENCE / "sem" / "models" / "models.json").read_text("utf-8"))}
EXPECTED = json.loads((REFERENCE / "sem" / "models" / "expected.json").read_text("utf-8"))
#: In lavaan's standard errors: its search stops up to that far from the minimum, further under non-linear constraints.
ESTIMATE = 2e-3
STD_ERROR = 3e-4
ABSOLUTE = {"cfi": 2e-4, "tli": 2e-4, "rmsea": 2e-4, "srmr": 2e-4, "logl": 5e-3, "aic": 1e-2, "bic": 1e-2}


@functools.cache
def frame(name: str) -> pd.DataFrame:
    own = REFERENCE / "sem" / "models" / f"{name}.csv"
    return pd.read_csv(own if own.exists() else REFERENCE / "lavaan" / f"{name}.csv")


def fit(case: dict[str, Any]):
    options = {name: tuple(value) if isinstance(value, list) else value for name, value in case["options"].items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sr.sem(case["model"], frame(case["data"]), **options)


def key(lhs: str, op: str, rhs: str, group: str) -> tuple[str, str, str, str]:
    if op == ":=":
        return lhs, op, "", ""
    return (rhs, op, lhs, group) if op == "~~" and rhs < lhs else (lhs, op, rhs, group)


@pytest.mark.parametrize("name", MODELS)
def test_estimates_errors_and_measures_are_those_of_lavaan(name):
    expected, found = EXPECTED[name], fit(MODELS[name])
    assert found.converged
    rows = found.tidy().to_dict("records")
    mine = {key(row["lhs"], row["op"], row["rhs"], row["group"]): row for row in rows}
    assert len(mine) == len(rows)
    for lhs, op, rhs, block, estimate, error in expected["rows"]:
        group = expected["groups"][block - 1] if len(expected["groups"]) > 1 else ""
        row = mine.get(key(lhs, op, rhs, group))
        if row is None:
            assert op == "~1" or MODELS[name]["options"].get("parameterization") == "theta", (lhs, op, rhs, group)
            assert op == "~*~" or estimate == 0, (lhs, op, rhs, group)  # under theta scales follow
            assert error == 0, (lhs, op, rhs, group)
            continue
        if not error:
            assert row["estimate"] == pytest.approx(estimate, abs=1e-5 * max(1.0, abs(estimate))), (lhs, op, rhs)
            assert not row["std_error"] > 1e-8, (lhs, op, rhs)
            continue
        assert row["estimate"] == pytest.approx(estimate, abs=ESTIMATE * error), (lhs, op, rhs, group)
        assert row["std_error"] == pytest.approx(error, rel=STD_ERROR), (lhs, op, rhs, group)
    measures = found.fit_measures()
    for dotted, value in expected["fit"].items():
        measure = dotted.replace(".", "_")
        stem = measure.removesuffix("_scaled")
        allowed = ABSOLUTE.get(stem, 1e-4 * max(1.0, abs(value)))
        assert measures[measure] == pytest.approx(value, abs=allowed), measure


def test_every_model_has_its_reference():
    assert set(MODELS) == set(EXPECTED)
    assert len(MODELS) > 230
    numbers = [value for case in EXPECTED.values() for value in case["fit"].values()]
    assert len(numbers) > 2800
    assert all(math.isfinite(value) for value in numbers)
    used = {option for case in MODELS.values() for option in case["options"]}
    assert used >= {
        "estimator",
        "group",
        "group_equal",
        "group_partial",
        "std_lv",
        "orthogonal",
        "fixed_x",
        "information",
        "missing",
        "cluster",
        "weights",
        "ordered",
        "parameterization",
    }
    assert np.unique([case["data"] for case in MODELS.values()]).size >= 9
