"""Matrices in place of rows: wrong shapes, names, numbers, and rows that belong to other data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import (
    AnalysisError,
    ConstantItemError,
    OptionError,
    SingularMatrixError,
    SingularMatrixWarning,
)

FRAME = pd.read_csv(Path(__file__).parents[1] / "reference" / "lavaan" / "holzinger39.csv")
ITEMS = [f"x{k}" for k in range(1, 7)]
ROWS = FRAME[ITEMS].to_numpy()
COV, MEAN, N = FRAME[ITEMS].cov(), FRAME[ITEMS].mean(), len(FRAME)
TWO = "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6"


def changed(cell: tuple[str, str], value: float) -> pd.DataFrame:
    cov = COV.copy()
    cov.loc[cell] = cov.loc[cell[::-1]] = value
    return cov


def test_a_matrix_gives_the_fit_of_its_rows_whatever_its_divisor_and_order():
    plain = sr.sem(TWO, FRAME, estimator="MLR", meanstructure=True)
    order = ITEMS[::-1]
    given = sr.Moments(
        COV.loc[order, order] * (N - 1) / N, MEAN[ITEMS[1:] + ITEMS[:1]], N, "n", rows=lambda: [FRAME[order]]
    )
    found = sr.sem(TWO, given, estimator="MLR", meanstructure=True)
    np.testing.assert_allclose(found.vcov(), plain.vcov(), atol=1e-8)
    pd.testing.assert_series_equal(found.fit_measures(), plain.fit_measures(), rtol=1e-7)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"cov": COV + np.triu(np.ones((6, 6)), 1)}, "symmetric"),
        ({"cov": COV.rename(index={"x1": "y"})}, "names"),
        ({"cov": COV.iloc[:4]}, "names"),
        ({"cov": COV.where(COV < 1.3)}, "finite"),
        ({"cov": COV.astype(str)}, "finite"),
        ({"cov": COV + 0j}, "finite"),
        ({"cov": COV.to_numpy()}, "0 variable"),
        ({"cov": np.ones(6), "names": ITEMS}, "shape"),
        ({"cov": COV.to_numpy(), "mean": MEAN.to_numpy(), "names": ["x1"] * 6}, "repeated"),
        ({"mean": MEAN[:4]}, "names"),
        ({"mean": MEAN.to_numpy()[:4]}, "shape"),
        ({"mean": MEAN * np.nan}, "finite"),
        ({"n": 1}, "at least 2"),
        ({"n": 0}, "at least 2"),
        ({"n": 300.5}, "whole"),
        ({"n": "301"}, "whole"),
        ({"n": True}, "whole"),
        ({"divisor": "N"}, "n-1"),
        ({"divisor": None}, "n-1"),
    ],
)
def test_moments_that_do_not_fit_each_other_are_refused(given, words):
    whole: dict[str, Any] = {"cov": COV, "mean": MEAN, "n": N} | given
    with pytest.raises(OptionError, match=words):
        sr.sem(TWO, sr.Moments(**whole))


def test_a_variable_that_the_matrix_lacks_is_named():
    with pytest.raises(AnalysisError, match="zz"):
        sr.sem(TWO + " + zz", sr.Moments(COV, MEAN, N))


def test_matrices_that_no_data_have_are_refused():
    with pytest.raises(SingularMatrixError, match="not positive definite"):
        sr.sem(TWO, sr.Moments(changed(("x1", "x2"), 1.5), MEAN, N))
    with pytest.raises(AnalysisError, match="negative variance"):
        sr.sem(TWO, sr.Moments(changed(("x1", "x1"), -1.0), MEAN, N))
    with pytest.raises(ConstantItemError, match="x1"):
        sr.sem(TWO, sr.Moments(COV * np.outer([0, 1, 1, 1, 1, 1], [0, 1, 1, 1, 1, 1]), MEAN, N))
    with pytest.raises(SingularMatrixError, match="responses"):
        sr.sem(TWO, sr.Moments(COV, MEAN, 6))


@pytest.mark.filterwarnings("ignore::sipas_research.errors.HeywoodWarning")
def test_least_squares_take_an_indefinite_matrix_with_a_warning_and_no_test():
    with pytest.warns(SingularMatrixWarning):
        found = sr.sem(TWO, sr.Moments(changed(("x1", "x2"), 1.5), MEAN, N), estimator="ULS")
    assert np.isnan(found.fit_measures()["chisq"])


def test_a_model_of_means_needs_means():
    for model, options in ((TWO + "\nx1 ~ 1", {}), (TWO, {"meanstructure": True})):
        with pytest.raises(OptionError, match="mean"):
            sr.sem(model, sr.Moments(COV, None, N), **options)
    with pytest.raises(OptionError, match="mean"):
        sr.sem(TWO, {"a": sr.Moments(COV, MEAN, N), "b": sr.Moments(COV, None, N)})


@pytest.mark.parametrize("estimator", ["MLR", "MLM"])
def test_robust_errors_need_the_rows(estimator):
    with pytest.raises(OptionError, match=estimator):
        sr.sem(TWO, sr.Moments(COV, MEAN, N), estimator=estimator)


def _once() -> Callable[[], Any]:
    blocks = iter([ROWS])
    return lambda: blocks


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (ROWS, "function"),
        (lambda: [ROWS[:, :3]], "6 variables"),
        (lambda: [ROWS[:100]], "100 rows"),
        (lambda: [ROWS, ROWS], "602"),
        (lambda: [ROWS * 2], "means"),
        (lambda: [ROWS[:, ::-1]], "means"),
        (lambda: [ROWS * np.nan], "missing"),
        (lambda: [], " 0 rows"),
    ],
)
@pytest.mark.parametrize("estimator", ["MLR", "MLM"])
def test_rows_that_are_not_those_of_the_moments_are_refused(rows, words, estimator):
    with pytest.raises(OptionError, match=words):
        sr.sem(TWO, sr.Moments(COV, MEAN, N, rows=rows), estimator=estimator)


def test_rows_that_come_only_once_do_not_pass_for_none():
    given = sr.Moments(COV, MEAN, N, rows=_once())
    sr.sem(TWO, given, estimator="MLR")
    with pytest.raises(OptionError, match=" 0 rows"):
        sr.sem(TWO, given, estimator="MLR")


def test_groups_of_moments_are_named_by_their_keys():
    with pytest.raises(OptionError, match="'group'"):
        sr.sem(TWO, sr.Moments(COV, MEAN, N), group="school")
    with pytest.raises(OptionError, match="'group'"):
        sr.sem(TWO, {"a": sr.Moments(COV, MEAN, N), "b": sr.Moments(COV, MEAN, N)}, group="school")
    with pytest.raises(OptionError, match="same label"):
        sr.sem(TWO, {1: sr.Moments(COV, MEAN, N), "1": sr.Moments(COV, MEAN, N)})
    found = sr.sem(TWO, {"Xã": sr.Moments(COV, MEAN, N), "Huyện": sr.Moments(COV, MEAN, 2 * N)})
    assert found.table.groups == ("Xã", "Huyện")
    assert found.n == 3 * N
