"""Every case agrees with lavaan: estimates, errors, standardised coefficients, tests, measures of fit."""

from __future__ import annotations

import lavaan_cases as cases
import numpy as np
import pandas as pd
import pytest

#: Reference solutions that stopped before the minimum, and the numbers that shows in.
EARLY = {
    "misfit_group_mlr": ("p_value service~1 [department]", "p_value staff~1 [department]"),
    "group_fiml_mlr": tuple(f"p_value {name}~1 [department]" for name in ("service", "staff", "outcome")),
}
#: Rows that lavaan does not count in the same way as its own older releases: nothing is left out otherwise.
GFI_WITHOUT_MEANS = ("hs_ml", "pd_ml", "quality_ml", "levers_ml", "misfit_ml")


@pytest.mark.parametrize("name", cases.CASES)
def test_a_case_agrees_with_lavaan(name: str) -> None:
    case = cases.load(name)
    fit = cases.fit(case)
    pairs = cases.coefficients(case, fit.tidy()) + cases.measures(case, fit.fit_measures())
    assert fit.converged
    assert len(pairs) > 150
    wrong = cases.off(pairs)
    early = EARLY.get(name, ())
    assert [line for line in wrong if not line.startswith(early or "\0")] == []
    if early:
        assert fit.fit_measures()["chisq"] < case["fit"]["chisq"]
        near = [(n, ours, theirs, 2 * limit) for n, ours, theirs, limit in pairs if n in early]
        assert cases.off(near) == []


@pytest.mark.parametrize("name", cases.CASES)
def test_measures_that_lavaan_does_not_define_are_not_numbers(name: str) -> None:
    case = cases.load(name)
    measures = cases.fit(case).fit_measures()
    undefined = [n.replace(".", "_") for n in case["fit_na"] or []]
    assert [n for n in undefined if np.isfinite(measures.get(n, np.nan))] == []


@pytest.mark.parametrize("name", GFI_WITHOUT_MEANS)
def test_gfi_is_that_of_lisrel(name: str) -> None:
    case = cases.load(name)
    measures = cases.fit(case).fit_measures()
    for index in ("gfi_lisrel", "agfi_lisrel", "pgfi"):
        assert measures[index] == pytest.approx(case["fit"][index], abs=1e-6)


@pytest.mark.parametrize("name", ["hs_ml", "hs_mlr", "hs_group_partial", "pd_constraints", "hs_mimic"])
def test_the_order_of_rows_and_columns_does_not_matter(name: str) -> None:
    case = cases.load(name)
    frame = cases.data(case["data"])
    first = cases.fit(case, frame)
    rng = np.random.default_rng(5)
    rows = rng.permutation(len(frame))
    if case["options"].get("group"):  # groups are listed in order of appearance: keep who comes first
        rows = np.concatenate([[0], rows[rows != 0]])
    columns = rng.permutation(frame.shape[1])
    second = cases.fit(case, frame.iloc[rows, columns].reset_index(drop=True))
    numbers = first.tidy().select_dtypes("number").columns
    np.testing.assert_allclose(first.tidy()[numbers], second.tidy()[numbers], rtol=0, atol=2e-7)
    np.testing.assert_allclose(first.fit_measures(), second.fit_measures(), rtol=1e-8, atol=1e-8)


def test_moments_give_what_rows_give() -> None:
    import sipas_research as sr

    case = cases.load("pd_intercepts")
    frame = cases.data("political_democracy")
    by_rows = cases.fit(case)
    given = sr.Moments(frame.cov(), frame.mean(), len(frame))
    by_moments = sr.sem(case["model"], given)
    pd.testing.assert_frame_equal(by_rows.tidy(), by_moments.tidy(), rtol=1e-6, atol=1e-8)
