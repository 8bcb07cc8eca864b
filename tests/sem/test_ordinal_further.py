"""Further models of ordered answers against lavaan: weights, predictors, continuous variables, two answers."""

from __future__ import annotations

import json
import warnings
from typing import Any

import lavaan_cases as cases
import pytest
import test_ordinal_cases as ordinal

import sipas_research as sr

FURTHER: dict[str, Any] = json.loads((ordinal.REFERENCE / "further.json").read_text(encoding="utf-8"))["cases"]
GROUPS = {1: "district", 2: "department"}


@pytest.mark.parametrize("name", FURTHER)
def test_a_further_case_agrees_with_lavaan(name: str) -> None:
    case = FURTHER[name]
    frame = cases.data("survey")
    frame = frame.assign(age=frame["age"] / 10)
    if case["answers"] == 2:
        frame = frame.assign(**{item: (frame[item] > 3).astype(int) for item in case["options"]["ordered"]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = sr.sem(case["model"], frame, **case["options"])
    several = len(fit.groups) > 1
    found = {cases.key(row, row["group"]): row for row in fit.tidy().to_dict("records")}
    for lhs, op, rhs, group, estimate, error in case["estimates"]:
        row = found.get(cases.key({"lhs": lhs, "op": op, "rhs": rhs}, GROUPS[group] if several else ""))
        if row is None:
            assert op == "~*~"  # scales under theta are no parameters
            continue
        assert row["estimate"] == pytest.approx(estimate, abs=max(cases.ESTIMATE * error, 2e-5))
        assert row["std_error"] == pytest.approx(error, abs=cases.STD_ERROR * max(error, 1e-2))
    measures = fit.fit_measures()
    for measure, value in case["fit"].items():
        assert measures[measure.replace(".", "_")] == pytest.approx(value, rel=1e-4, abs=2e-4)
