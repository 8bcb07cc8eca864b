"""Derivatives of the statistics of ordered answers, and of standardised coefficients, against differences."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import lavaan_cases as cases
import numpy as np
import pytest

import sipas_research as sr
from sipas_research.sem.ordinal_structure import local_to_free, ordinal_implied
from sipas_research.sem.standardize import row_values, standardized_values

ITEMS = ("access1", "access2", "access3", "access4", "result1", "result2", "result3")
SMALL = "access =~ access1 + access2 + access3 + access4\nresult =~ result1 + result2 + result3"
CHAIN = "access1 ~ access2 + result1\nresult1 ~ access2 + age\naccess2 ~ online"
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "delta": (SMALL, {"ordered": True}),
    "theta": (SMALL, {"ordered": True, "parameterization": "theta"}),
    "groups": (SMALL, {"ordered": True, "group": "level", "group_equal": ("thresholds", "loadings")}),
    "groups_theta": (
        SMALL,
        {"ordered": True, "group": "level", "group_equal": ("thresholds",), "parameterization": "theta"},
    ),
    "predictors": (SMALL + "\naccess + result ~ online + age", {"ordered": ITEMS}),
    "predictors_theta": (
        SMALL + "\naccess + result ~ online + age",
        {"ordered": ITEMS, "parameterization": "theta"},
    ),
    "mixed": (SMALL + "\nresult ~ access", {"ordered": ITEMS[:4]}),
    "chain": (CHAIN, {"ordered": ("access1", "access2", "result1")}),
    "chain_theta": (CHAIN, {"ordered": ("access1", "access2", "result1"), "parameterization": "theta"}),
}


@cache
def fitted(name: str) -> Any:
    model, options = MODELS[name]
    frame = cases.data("survey")
    frame = frame.assign(age=frame["age"] / 10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sr.sem(model, frame, **options)


def differences(function: Any, theta: np.ndarray, reach: float = 1e-6) -> np.ndarray:
    columns = []
    for k in range(len(theta)):
        step = np.zeros(len(theta))
        step[k] = reach
        columns.append((function(theta + step) - function(theta - step)) / (2 * reach))
    return np.array(columns).T


@pytest.mark.parametrize("name", MODELS)
def test_slopes_of_the_statistics(name: str) -> None:
    fit = fitted(name)
    assert fit.converged
    theta = fit.theta + np.random.default_rng(1).normal(0, 0.02, len(fit.theta))
    for layout in fit.problem.ordinal:
        at = ordinal_implied(layout, theta)
        assert at is not None
        exact = local_to_free(layout, at.slopes, len(theta))
        found = differences(lambda x, layout=layout: ordinal_implied(layout, x).moments, theta)
        np.testing.assert_allclose(exact, found, atol=2e-8)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("scale", ["lv", "all"])
def test_slopes_of_standardised_coefficients(name: str, scale: Any) -> None:
    fit = fitted(name)

    def values(theta: np.ndarray) -> np.ndarray:
        groups = [ordinal_implied(layout, theta).whole for layout in fit.problem.ordinal]
        return standardized_values(fit.rows, row_values(fit.rows, theta, groups), groups, scale)

    np.testing.assert_allclose(fit.row_slopes(scale), differences(values, fit.theta), atol=5e-8)


@pytest.mark.parametrize("name", MODELS)
def test_ordered_items_keep_their_variance(name: str) -> None:
    fit = fitted(name)
    for at in fit.ordinal.each:
        ordered = at.layout.places[at.layout.shape.ordered]
        given = np.diag(at.given.cov)[ordered] * at.scale[at.layout.shape.ordered] ** 2
        np.testing.assert_allclose(given, 1.0, atol=1e-12)


@pytest.mark.parametrize(
    ("one", "other"), [("delta", "theta"), ("predictors", "predictors_theta"), ("chain", "chain_theta")]
)
def test_both_parameterizations_standardise_alike(one: str, other: str) -> None:
    first, second = (
        fitted(name).standardized().query("op in ('=~', '~')").reset_index(drop=True) for name in (one, other)
    )
    for column in ("estimate", "std_error"):
        np.testing.assert_allclose(first[column], second[column], atol=1e-6)


@pytest.mark.parametrize("name", ["delta", "theta", "predictors", "predictors_theta", "mixed", "chain"])
def test_modification_indices_tell_what_freeing_a_row_brings(name: str) -> None:
    fit = fitted(name)
    model, options = MODELS[name]
    frame = cases.data("survey")
    row = fit.modification_indices().iloc[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        more = f"{model}\n{row['lhs']} {row['op']} {row['rhs']}"
        freed = sr.sem(more, frame.assign(age=frame["age"] / 10), **options)
    fall = fit.fit_measures()["chisq"] - freed.fit_measures()["chisq"]
    assert row["mi"] == pytest.approx(fall, rel=0.02)
    values = freed.tidy().set_index(["lhs", "op", "rhs"])["estimate"]
    assert row["epc"] == pytest.approx(values[row["lhs"], row["op"], row["rhs"]], rel=0.1)
