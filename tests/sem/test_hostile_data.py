"""Data that a model cannot be fitted to, and odd data that it can."""

from __future__ import annotations

import decimal
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import (
    AnalysisError,
    ConstantItemError,
    DroppedRowsWarning,
    FewRowsWarning,
    OptionError,
    SingularMatrixError,
    SingularMatrixWarning,
)

HOLZINGER = pd.read_csv(Path(__file__).parents[1] / "reference" / "lavaan" / "holzinger39.csv")
TWO = "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6"
ROWS = len(HOLZINGER)
X1 = HOLZINGER["x1"]


def fit(frame: pd.DataFrame, model: str = TWO, **options):
    return sr.sem(model, frame, **options)


def with_x1(values: object) -> pd.DataFrame:
    return HOLZINGER.assign(x1=values)


@pytest.mark.parametrize("data", [None, [1], "x", HOLZINGER[["x1"]].to_numpy(), {}, {"a": HOLZINGER}])
def test_what_is_no_data_is_refused_by_type(data):
    with pytest.raises(OptionError, match=type(data).__name__):
        fit(data)


@pytest.mark.parametrize(
    "values",
    [
        X1.astype(str),
        X1.astype("string"),
        X1.astype(object).where(HOLZINGER.index != 4, "n/a"),
        X1 + 0j,
        pd.Timestamp("2020-01-01"),
        pd.to_timedelta(X1, unit="D"),
        [decimal.Decimal(str(v)) for v in X1],
        X1.round().astype(str).astype("category"),
        [[v] for v in X1],
    ],
)
def test_an_item_that_holds_no_numbers_is_named(values):
    with pytest.raises(AnalysisError, match="x1"):
        fit(with_x1(values))


@pytest.mark.parametrize("kind", ["Float64", "float32", "Int64", "Int8", "category", "Sparse[float64]", "object"])
def test_every_kind_of_number_gives_the_same_fit(kind):
    rounded = X1.round().astype("int64")
    values = (rounded.astype(float) if "loat" in kind else rounded).astype(kind)
    plain = fit(with_x1(rounded)).theta
    assert fit(with_x1(values)).theta == pytest.approx(plain, abs=1e-7)


@pytest.mark.parametrize("values", [(X1 > 5).astype("boolean"), X1.round().astype("Int64"), X1.astype(object), X1])
def test_empty_cells_of_every_kind_are_dropped_and_told(values):
    with pytest.warns(DroppedRowsWarning, match="301"):
        found = fit(with_x1(values.where(HOLZINGER.index % 20 != 3)))
    assert found.n == ROWS - 15


@pytest.mark.parametrize("bad", [np.inf, -np.inf])
def test_infinite_values_are_refused_also_beside_empty_cells(bad):
    frame = with_x1(X1.where(HOLZINGER.index != 4, bad))
    frame["x2"] = frame["x2"].where(frame.index != 7)
    with pytest.raises(AnalysisError, match="infinite"):
        fit(frame)


def test_no_complete_row_is_an_error():
    with pytest.warns(DroppedRowsWarning), pytest.raises(AnalysisError, match="0 complete"):
        fit(with_x1(np.nan))
    odd = np.arange(ROWS) % 2 == 1
    with pytest.warns(DroppedRowsWarning), pytest.raises(AnalysisError, match="0 complete"):
        fit(HOLZINGER.assign(x1=X1.where(odd), x2=HOLZINGER["x2"].where(~odd)))


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 6])
def test_too_few_rows_are_refused_without_telling_how_few(rows):
    with pytest.raises(AnalysisError) as caught:
        fit(HOLZINGER.head(rows))
    assert rows == 0 or f"only {rows} " not in str(caught.value)
    assert rows == 0 or "<10" in str(caught.value) or isinstance(caught.value, ConstantItemError)


@pytest.mark.filterwarnings("ignore::sipas_research.errors.HeywoodWarning")
def test_fewer_rows_than_parameters_are_told():
    with pytest.warns(FewRowsWarning, match="13"):
        fit(HOLZINGER.head(9))


def test_an_item_that_does_not_vary_is_named_with_its_group():
    with pytest.raises(ConstantItemError, match="x1"):
        fit(with_x1(2.5))
    with pytest.raises(ConstantItemError, match="x1"):
        fit(with_x1(0.1))  # whose variance is not exactly zero in floating point
    with pytest.raises(ConstantItemError, match="x1"):
        fit(with_x1(1e9 + X1 * 1e-9))
    with pytest.raises(ConstantItemError, match=r"\[Pasteur\].*x1"):
        fit(with_x1(np.where(HOLZINGER["school"] == "Pasteur", 3.0, X1)), group="school")


def test_items_that_follow_from_others_are_all_named():
    more = TWO + " + y"
    for values, names in ((X1, ("x1", "y")), (X1 + HOLZINGER["x2"], ("x1", "x2", "y"))):
        with pytest.raises(SingularMatrixError) as caught:
            fit(HOLZINGER.assign(y=values), more)
        told = str(caught.value).rsplit(":", 1)[-1]
        assert all(name in told for name in names)
        assert "x4" not in told


@pytest.mark.filterwarnings("ignore::sipas_research.errors.NegativeVarianceWarning")
def test_least_squares_on_a_singular_matrix_give_estimates_but_no_test():
    frame = HOLZINGER.assign(y=X1 + HOLZINGER["x2"])
    with pytest.warns(SingularMatrixWarning):
        found = fit(frame, TWO + " + y", estimator="ULS")
    measures = found.fit_measures()
    assert measures[["chisq", "pvalue", "cfi", "tli", "rmsea", "rmsea_ci_upper", "logl"]].isna().all()
    assert measures["srmr"] > 0.05


def test_columns_given_twice_are_refused():
    with pytest.raises(AnalysisError, match="x1"):
        fit(pd.concat([HOLZINGER, HOLZINGER[["x1"]]], axis=1))


@pytest.mark.parametrize(("small", "large"), [(1e-6, 1e6), (1e-12, 1e12), (1e-20, 1e20)])
@pytest.mark.parametrize("estimator", ["ML", "MLR", "GLS"])
def test_units_do_not_matter(small, large, estimator):
    frame = HOLZINGER.assign(x1=X1 * small, x5=HOLZINGER["x5"] * large)
    one, other = fit(HOLZINGER, estimator=estimator), fit(frame, estimator=estimator)
    assert other.converged
    assert other.fit_measures()["chisq"] == pytest.approx(one.fit_measures()["chisq"], rel=1e-7)
    left, right = one.tidy(), other.tidy()
    np.testing.assert_allclose(right["std_all"], left["std_all"], atol=1e-6)
    np.testing.assert_allclose(right["statistic"], left["statistic"], rtol=1e-4)


@pytest.mark.parametrize("factor", [1e160, 1e200, 1e-160])
def test_values_beyond_computing_are_refused(factor):
    with pytest.raises(AnalysisError, match="unit"):
        fit(with_x1(X1 * factor))


@pytest.mark.parametrize("shift", [1e5, 1e8])
def test_large_means_do_not_matter(shift):
    items = [f"x{k}" for k in range(1, 7)]
    moved = fit(HOLZINGER[items] + shift, meanstructure=True)
    assert moved.fit_measures()["chisq"] == pytest.approx(fit(HOLZINGER).fit_measures()["chisq"], rel=1e-5)


def test_perfect_correlations_are_refused_and_nearly_perfect_ones_fitted():
    rng = np.random.default_rng(5)
    score = rng.normal(size=(200, 1)) @ np.ones((1, 4))
    names = list("abcd")
    with pytest.raises(SingularMatrixError):
        fit(pd.DataFrame(score + 1e-9 * rng.normal(size=(200, 4)), columns=names), "f =~ a + b + c + d")
    found = fit(pd.DataFrame(score + 1e-2 * rng.normal(size=(200, 4)), columns=names), "f =~ a + b + c + d")
    assert found.converged
    assert found.tidy()["std_all"].head(4).min() > 0.999


@pytest.mark.parametrize(
    "labels", [("Huyện Bắc Sơn", "Thành phố"), (1, 2), (1.0, 2.0), (1.5, 2.5), (True, False), ("", "a")]
)
def test_groups_of_every_kind_of_label(labels):
    frame = HOLZINGER.assign(place=[labels[0] if k % 3 else labels[1] for k in range(ROWS)])
    found = fit(frame, group="place")
    first = frame["place"].iloc[0]
    shown = str(int(first)) if isinstance(first, float) and first.is_integer() else str(first)
    assert found.table.groups[0] == shown
    assert sum(group.n for group in found.samples) == ROWS


def test_rows_without_a_group_are_dropped_and_told():
    frame = HOLZINGER.assign(place=HOLZINGER["sex"].where(HOLZINGER.index > 19))
    with pytest.warns(DroppedRowsWarning, match="20"):
        found = fit(frame, group="place")
    assert found.n == ROWS - 20
    with pytest.raises(AnalysisError, match="place"):
        fit(HOLZINGER.assign(place=np.nan), group="place")


def test_labels_that_read_the_same_are_one_group():
    frame = HOLZINGER.assign(place=[1 if k % 2 else "1" for k in range(ROWS)])
    assert fit(frame, group="place").table.groups == ("1",)


def test_a_group_of_few_rows_is_named():
    for small in (1, 3, 6):
        frame = HOLZINGER.assign(place=["nhỏ"] * small + ["lớn"] * (ROWS - small))
        with pytest.raises(AnalysisError, match="nhỏ"):
            fit(frame, group="place")


@pytest.mark.filterwarnings("ignore::sipas_research.errors.HeywoodWarning")
def test_a_group_just_large_enough_is_fitted():
    frame = HOLZINGER.assign(place=["a"] * 8 + ["b"] * (ROWS - 8))
    assert fit(frame, group="place").converged


BLOCK = "group: {}\n" + TWO + "\n"


def test_blocks_may_go_by_label_or_by_number():
    by_label = BLOCK.format("Grant-White") + "x1 ~~ x4\n" + BLOCK.format("Pasteur")
    by_number = BLOCK.format("1") + BLOCK.format("2") + "x1 ~~ x4\n"
    one, other = fit(HOLZINGER, by_label, group="school"), fit(HOLZINGER, by_number, group="school")
    assert one.fit_measures()["chisq"] == pytest.approx(other.fit_measures()["chisq"], abs=1e-9)
    assert one.table.groups == other.table.groups == ("Pasteur", "Grant-White")
    extra = one.tidy().query("lhs == 'x1' and rhs == 'x4'")
    assert list(extra["group"]) == ["Grant-White"]


def test_blocks_meet_labels_in_either_normal_form():
    word = "Huyện"
    frame = HOLZINGER.assign(place=np.where(HOLZINGER["sex"] == 1, unicodedata.normalize("NFD", word), "Xã"))
    assert fit(frame, BLOCK.format(word) + BLOCK.format("Xã"), group="place").converged


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (BLOCK.format("Pasteur") + BLOCK.format("Oxford"), "Oxford"),
        (BLOCK.format("Pasteur") + BLOCK.format("2"), "'group: 2'"),
        (BLOCK.format("1"), "2 groups"),
        (BLOCK.format("1") + BLOCK.format("2") + BLOCK.format("3"), "3 'group:'"),
        (BLOCK.format("1") + "group: 2\nf =~ x1 + x2 + x3", "observed variables"),
        ("group: 1\nf =~ x1 + x2 + x3 + x4\ngroup: 2\ng =~ x1 + x2 + x3 + x4", "f, g"),
        ("group: 1\nx1 ~ x2\ngroup: 2\nx2 ~ x1", "x1, x2"),
    ],
)
def test_blocks_that_do_not_fit_the_groups_are_refused(model, words):
    with pytest.raises(AnalysisError, match=words):
        fit(HOLZINGER, model, group="school")


def test_blocks_without_groups_are_refused():
    with pytest.raises(AnalysisError, match="1 groups"):
        fit(HOLZINGER, BLOCK.format("1") + BLOCK.format("2"))
