"""Scaled difference tests with holes, weights, clusters and groups: lavaan's values, and what they must equal."""

from __future__ import annotations

import functools
import json
import warnings
from pathlib import Path
from typing import Any

import lavaan_cases as cases
import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.sem.difference import METHODS, difference
from sipas_research.sem.nesting import nesting

FOLDER = Path(__file__).resolve().parents[1] / "reference" / "sem"
REFERENCE: dict[str, Any] = json.loads((FOLDER / "scaled_differences.json").read_text(encoding="utf-8"))
FREE, TIED = REFERENCE["free"], REFERENCE["tied"]
#: What is equal across groups, and which intercepts are not.
STEPS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "configural": ((), ()),
    "metric": (("loadings",), ()),
    "anchored": (("loadings", "intercepts"), tuple(REFERENCE["others"])),
    "scalar": (("loadings", "intercepts"), ()),
    "strict": (("loadings", "intercepts", "residuals"), ()),
}


@functools.cache
def table(name: str) -> pd.DataFrame:
    design = ["level", "agency", "weight"]
    return cases.data(name).assign(**{column: cases.data("survey")[column] for column in design})


@functools.cache
def fitted(step: str, data: str, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if step in ("free", "tied"):
            return sr.cfa(REFERENCE[step], table(data), estimator="MLR", meanstructure=True, **options)
        equal, partial = STEPS[step]
        return sr.cfa(
            FREE, table(data), estimator="MLR", group="level", group_equal=equal, group_partial=partial, **options
        )


def pair(case: dict[str, Any]) -> tuple[Any, Any]:
    options = {name: case[name] for name in ("missing", "weights", "cluster") if name in case}
    steps = case.get("steps", ("free", "tied"))
    return fitted(steps[0], case["data"], **options), fitted(steps[1], case["data"], **options)


@pytest.mark.parametrize("name", REFERENCE["cases"])
def test_scaled_differences_are_those_of_lavaan(name: str) -> None:
    case = REFERENCE["cases"][name]
    free, restricted = pair(case)
    for method in METHODS:
        found = difference(free, restricted, method)
        assert found.df == case["df"]
        assert found.statistic == pytest.approx(case["values"][method], rel=2e-6), method


def test_2010_is_taken_where_the_restricted_models_moments_are() -> None:
    case = REFERENCE["cases"]["scalar_clusters"]
    free, restricted = pair(case)
    there = nesting(free, restricted).there
    assert there is not None
    for label, at in zip(free.table.groups, there.point.groups, strict=True):
        other = restricted.groups[restricted.table.groups.index(label)]
        np.testing.assert_allclose(at.cov, other.cov, atol=1e-4)
        np.testing.assert_allclose(at.mean, other.mean, atol=1e-4)
    assert case["gap"] > 0.02  # in lavaan the latent means of the restricted model are lost on the way


def test_2010_does_not_depend_on_how_the_free_model_is_written() -> None:
    """Metric invariance with free intercepts, or with free means of factors and one intercept equal: one model."""
    options = {"data": "survey", "cluster": "agency", "information": "expected"}
    free, same, restricted = (fitted(step, **options) for step in ("metric", "anchored", "scalar"))
    assert same.tests.model.df == free.tests.model.df
    values = [difference(each, restricted, "satorra_bentler_2010").statistic for each in (free, same)]
    assert values[0] == pytest.approx(values[1], rel=1e-5)


@pytest.mark.parametrize("options", [{}, {"weights": "weight", "cluster": "agency"}])
def test_satorra_2000_of_incomplete_rows_sets_the_robust_variance_against_the_plain_one(options: Any) -> None:
    """The second road: restrictions written out, the covariance matrix of the estimates, the inverse information."""
    free, tied = (fitted(step, "survey_missing", missing="fiml", **options) for step in ("free", "tied"))
    names = list(free.table.names())
    across = np.zeros((3, len(names)))
    for k, (one, other) in enumerate(
        [("access=~access2", "access=~access3"), ("access=~access3", "access=~access4"),
         ("result=~result2", "result=~result3")]
    ):  # fmt: skip
        across[k, names.index(one)], across[k, names.index(other)] = 1.0, -1.0
    plain = across @ np.linalg.inv(free.information.used) @ across.T
    robust = across @ (free.vcov().to_numpy() * free.problem.n) @ across.T
    trace = float(np.trace(np.linalg.solve(plain, robust)))
    # the restrictions are read off the slopes of two fits, hence the small distance
    assert difference(free, tied, "satorra_2000").scaling == pytest.approx(trace / 3, rel=5e-3)


@pytest.mark.parametrize("method", METHODS)
def test_a_single_hole_changes_next_to_nothing(method: str) -> None:
    whole = table("survey")
    models = {}
    for name, frame, options in (
        ("whole", whole, {"meanstructure": True}),
        ("hole", whole.assign(access1=whole["access1"].where(whole.index > 0)), {"missing": "fiml"}),
    ):
        free, tied = (sr.cfa(model, frame, estimator="MLR", **options) for model in (FREE, TIED))
        models[name] = difference(free, tied, method)
    assert models["hole"].scaling == pytest.approx(models["whole"].scaling, rel=5e-4)


@pytest.mark.parametrize("name", REFERENCE["ordinal"])
def test_differences_of_ordered_answers_are_those_of_lavaan(name: str) -> None:
    case = REFERENCE["ordinal"][name]
    frame = cases.data("survey")
    frame = frame.assign(age=frame["age"] / 10)
    ordered = tuple(case.get("ordered", [*(f"access{k}" for k in range(1, 5)), *(f"result{k}" for k in range(1, 4))]))
    equal = case.get("equal", [(), ()])
    estimate: Any = sr.sem  # the package and the function at once
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        free, restricted = (
            estimate(model, frame, ordered=ordered, group_equal=tuple(held), **case.get("options", {}))
            for model, held in zip(case["models"], equal, strict=True)
        )
    found = difference(free, restricted)
    assert (found.method, found.df) == ("satorra_2000", case["df"])
    assert found.statistic == pytest.approx(case["statistic"], rel=2e-6)
