"""The public face of polychoric correlations: results, warnings, and inputs that must be refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research import resources, wording
from sipas_research.errors import (
    AnalysisError,
    CategoryWarning,
    ConvergenceWarning,
    DroppedItemWarning,
    DroppedRowsWarning,
    NotPositiveDefiniteWarning,
    OptionError,
    SparseTableWarning,
)
from sipas_research.results import TIDY_COLUMNS, Result

ROWS = 400


def answers(categories=5, items=4, rows=ROWS, seed=3):
    generator = np.random.default_rng(seed)
    latent = 0.7 * generator.normal(size=(rows, 1)) + 0.7 * generator.normal(size=(rows, items))
    cuts = np.linspace(-1.4, 1.4, categories - 1)
    return pd.DataFrame(np.searchsorted(cuts, latent) + 1, columns=[f"x{place}" for place in range(items)])


@pytest.fixture(scope="module")
def data():
    return answers()


def test_result_keeps_the_manners(data):
    found = sr.polychoric(data, data_kind=sr.DataKind.PUBLISHED)
    assert isinstance(found, Result)
    assert found.data_kind == sr.DataKind.PUBLISHED
    table = found.tidy()
    assert list(table.columns) == [*TIDY_COLUMNS, "lhs", "op", "rhs", "n", "empty_cells"]
    assert list(table["group"]) == ["threshold"] * 16 + ["correlation"] * 6
    assert list(table["term"][[0, 15, 16, 21]]) == ["x0|t1", "x3|t4", "x0 ~~ x1", "x2 ~~ x3"]
    assert (table["n"] == ROWS).all()
    assert table.loc[16, "estimate"] == found.correlation.loc["x0", "x1"]
    assert found.thresholds.loc["x2", "t3"] == table.set_index("term").loc["x2|t3", "estimate"]
    assert found.threshold_errors.loc["x2", "t3"] == table.set_index("term").loc["x2|t3", "std_error"]
    assert found.standard_errors.loc["x3", "x2"] == table.loc[21, "std_error"]
    with pytest.raises(ValueError, match="read-only"):
        found.fit.correlation[0, 1] = 0.0
    for language in wording.LANGUAGES:
        assert "nan" not in found.summary(language).lower()
    assert "400" in found.summary("vi")
    assert repr(found) == "PolychoricCorrelations(4 items, n = 400, published)"


def test_tests_and_intervals(data):
    table = sr.polychoric(data, level=0.9).tidy().set_index("term")
    row = table.loc["x0 ~~ x1"]
    assert row["statistic"] == pytest.approx(row["estimate"] / row["std_error"])
    reach = 1.6448536269514722 * row["std_error"] / (1 - row["estimate"] ** 2)
    assert row["conf_low"] == pytest.approx(np.tanh(np.arctanh(row["estimate"]) - reach))
    assert 0 < row["conf_low"] < row["estimate"] < row["conf_high"] < 1
    cut = table.loc["x0|t2"]
    assert cut["conf_high"] - cut["estimate"] == pytest.approx(1.6448536269514722 * cut["std_error"])
    assert np.isnan(cut["p_value"])


def test_glance(data):
    row = sr.polychoric(data).glance().iloc[0]
    assert (row["n"], row["n_dropped"], row["n_items"], row["n_pairs"]) == (ROWS, 0, 4, 6)
    assert (row["fewest_categories"], row["most_categories"]) == (5, 5)
    assert row["empty_cells"] == sum(
        (pd.crosstab(data[a], data[b]).to_numpy() == 0).sum() for a in data for b in data if a < b
    )
    assert row["positive_definite"]
    assert row["note"] == ""


def test_rows_and_columns_in_another_order(data):
    plain = sr.polychoric(data).correlation
    turned = sr.polychoric(data.iloc[::-1, [2, 0, 3, 1]]).correlation
    np.testing.assert_allclose(turned.loc[plain.index, plain.columns], plain, atol=1e-12)


@pytest.mark.parametrize("change", ["shifted", "spread", "int8", "Int64", "object", "categorical", "float"])
def test_only_the_order_of_codes_counts(data, change):
    changed = {
        "shifted": data - 3,
        "spread": data * 2,
        "int8": data.astype("int8"),
        "Int64": data.astype("Int64"),
        "object": data.astype(object),
        "categorical": data.apply(lambda column: pd.Categorical(column, ordered=True)),
        "float": data.astype(float),
    }[change]
    np.testing.assert_array_equal(sr.polychoric(changed).correlation, sr.polychoric(data).correlation)


@pytest.mark.parametrize("categories", [2, 3, 11, 30, 50])
def test_numbers_of_categories(categories):
    found = sr.polychoric(answers(categories, rows=3000))
    assert found.converged
    assert found.glance().loc[0, "most_categories"] == categories
    pairs = found.tidy().query("group == 'correlation'")
    assert (np.abs(pairs["estimate"] - 0.5) / pairs["std_error"]).max() < 3.5


def test_mixed_numbers_of_categories():
    data = answers(11, items=5, rows=4000)
    data["x1"], data["x2"], data["x3"] = data["x1"] > 6, data["x2"].clip(4, 7), data["x3"] // 3
    found = sr.polychoric(data, covariance=True)
    assert [len(codes) for codes in found.categories] == [11, 2, 4, 4, 11]
    assert list(found.vcov().index) == list(found.tidy()["term"])
    np.testing.assert_allclose(found.correlation.to_numpy()[np.triu_indices(5, 1)], 0.5, atol=0.08)
    order = ["x1", "x4", "x0", "x3", "x2"]
    swapped = sr.polychoric(data[order]).correlation.loc[list(data), list(data)]
    np.testing.assert_allclose(swapped, found.correlation, atol=1e-9)


def test_the_same_item_twice_is_told_and_not_smoothed(data):
    doubled = data.assign(again=data["x0"], turned=6 - data["x0"])
    with (
        pytest.warns(SparseTableWarning, match="x0 ~~ again, x0 ~~ turned, again ~~ turned"),
        pytest.warns(NotPositiveDefiniteWarning, match=r"0\.0000"),
    ):
        found = sr.polychoric(doubled)
    assert found.correlation.loc["x0", ["again", "turned"]].to_list() == [1.0, -1.0]
    assert np.isnan(found.standard_errors.loc["x0", "again"])
    assert not found.positive_definite
    row = found.tidy().set_index("term").loc["x0 ~~ again"]
    assert row["note"] == "polychoric.note.perfect"
    assert np.isnan(row["conf_low"])
    others = found.correlation.loc[list(data), list(data)]
    np.testing.assert_allclose(others, sr.polychoric(data).correlation, atol=1e-12)


def test_a_negative_eigenvalue_is_reported():
    with pytest.warns(NotPositiveDefiniteWarning) as caught:
        found = sr.polychoric(answers(5, items=15, rows=20, seed=1))
    assert found.smallest_eigenvalue == pytest.approx(np.linalg.eigvalsh(found.correlation)[0])
    assert found.smallest_eigenvalue < -0.01
    assert found.note == "polychoric.note.not_positive_definite"
    assert any("−0" in str(entry.message) for entry in caught)


def test_items_without_variation_are_left_out(data):
    poor = data.astype(float).assign(same=2.0, nothing=np.nan)
    with pytest.warns(DroppedItemWarning, match="same, nothing"):
        found = sr.polychoric(poor)
    assert found.items == tuple(data)
    assert found.left_out == (("same", "factors.note.constant_item"), ("nothing", "factors.note.empty_item"))
    np.testing.assert_array_equal(found.correlation, sr.polychoric(data).correlation)


def test_missing_answers(data):
    holes = data.astype(float).mask(np.random.default_rng(5).random(data.shape) < 0.08)
    with pytest.warns(DroppedRowsWarning):
        listwise = sr.polychoric(holes)
    complete = holes.dropna().astype(int)
    np.testing.assert_array_equal(listwise.correlation, sr.polychoric(complete).correlation)
    assert (listwise.n, listwise.n_dropped) == (len(complete), ROWS - len(complete))
    pairwise = sr.polychoric(holes, missing="pairwise")
    assert pairwise.n_dropped == 0
    both = holes[["x0", "x2"]].dropna()
    assert pairwise.pair_rows.loc["x0", "x2"] == len(both)
    assert pairwise.pair_rows.loc["x1", "x1"] == holes["x1"].notna().sum()
    alone = sr.polychoric(holes[["x1"]].dropna().assign(other=holes["x0"].fillna(1))).thresholds
    np.testing.assert_allclose(pairwise.thresholds.loc["x1"], alone.loc["x1"], atol=1e-12)
    assert (pairwise.standard_errors.loc["x0", "x2"] < listwise.standard_errors.loc["x0", "x2"]).all()


def test_a_category_that_only_incomplete_rows_hold_vanishes(data):
    holes = data.astype(float)
    holes.loc[holes["x0"] == 5, "x1"] = np.nan
    with pytest.warns(DroppedRowsWarning):
        found = sr.polychoric(holes)
    assert found.categories[0] == (1, 2, 3, 4)
    assert np.isnan(found.thresholds.loc["x0", "t4"])


def test_pairs_without_common_rows(data):
    holes = data.astype(float)
    holes.loc[: ROWS // 2, "x0"] = np.nan
    holes.loc[ROWS // 2 + 1 :, "x1"] = np.nan
    with pytest.warns(SparseTableWarning, match="x0 ~~ x1"):
        found = sr.polychoric(holes, missing="pairwise")
    assert np.isnan(found.correlation.loc["x0", "x1"])
    assert np.isnan(found.smallest_eigenvalue)
    assert found.note == "polychoric.note.undefined_in_matrix"
    assert np.isfinite(found.correlation.loc["x0", "x2"])
    with pytest.raises(AnalysisError, match="0 of 400"):
        sr.polychoric(holes)


def test_weights(data):
    counts = np.random.default_rng(6).integers(0, 4, ROWS)
    repeated = data.loc[np.repeat(data.index, counts)]
    with pytest.warns(DroppedRowsWarning, match="weight is 0"):
        found = sr.polychoric(data, weights=counts)
    np.testing.assert_allclose(found.correlation, sr.polychoric(repeated).correlation, atol=1e-9)
    assert found.n == (counts > 0).sum()
    kept = counts > 0
    scaled = sr.polychoric(data[kept].assign(w=counts[kept] * 0.37), weights="w")
    assert scaled.items == tuple(data)
    np.testing.assert_allclose(scaled.tidy()["std_error"], found.tidy()["std_error"], rtol=1e-9)
    equal = sr.polychoric(data, weights=np.full(ROWS, 2.0))
    np.testing.assert_allclose(equal.tidy()["std_error"], sr.polychoric(data).tidy()["std_error"], rtol=1e-9)


@pytest.mark.parametrize(
    "weights", [np.full(ROWS, -1.0), np.zeros(ROWS), np.full(ROWS, np.nan), np.ones(3), ["a"] * ROWS, "w"]
)
def test_weights_that_cannot_be(data, weights):
    with pytest.raises(OptionError):
        sr.polychoric(data, weights=weights)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (np.tile([1.0, 2.0, 3.0, 3.5], ROWS // 4), "not whole numbers"),
        (np.random.default_rng(1).normal(size=ROWS), "not whole numbers"),
        (np.arange(ROWS), "more than 50"),
        (np.tile([1.0, 2.0, np.inf, 3.0], ROWS // 4), "infinite"),
        (np.tile(["1", "2"], ROWS // 2), "not numeric"),
        (pd.Categorical(np.tile(["a", "b"], ROWS // 2)), "without an order"),
        (np.full(ROWS, 1j), "not numeric"),
    ],
)
def test_columns_that_are_not_ordered_answers(data, column, words):
    with pytest.raises(AnalysisError, match=words):
        sr.polychoric(data.assign(x1=column))


def test_too_little_to_work_with(data):
    with pytest.raises(AnalysisError, match="here 1 of 1"):
        sr.polychoric(data.iloc[:1])
    with pytest.raises(AnalysisError, match="here 0 of 0"):
        sr.polychoric(data.iloc[:0])
    with pytest.raises(AnalysisError, match="only 0 is left"):
        sr.polychoric(data * np.nan)
    with pytest.raises(AnalysisError, match="only 1 is left"):
        sr.polychoric(data[["x0"]])
    with pytest.raises(AnalysisError, match="Similar names"):
        sr.polychoric(data, ["x0", "x11"])


@pytest.mark.parametrize(
    "options",
    [{"missing": "fiml"}, {"level": 1.0}, {"level": "x"}, {"max_iterations": 0}, {"max_iterations": 2.5}],
)
def test_options_outside_their_range(data, options):
    with pytest.raises(OptionError):
        sr.polychoric(data, **options)


def test_the_covariance_must_be_asked_for(data):
    with pytest.raises(OptionError, match="covariance=True"):
        sr.polychoric(data).vcov()
    with pytest.raises(OptionError, match="list"):
        sr.polychoric([1, 2])


@pytest.mark.parametrize("code", [9, -1, 99])
def test_codes_for_no_answer_are_suspected(data, code):
    coded = data.copy()
    coded.loc[:6, "x2"] = code
    with pytest.warns(CategoryWarning, match="x2"):
        assert code in sr.polychoric(coded).categories[2]


def test_a_search_that_is_cut_short_says_so(data):
    with pytest.warns(ConvergenceWarning, match="x0 ~~ x1"):
        found = sr.polychoric(data, max_iterations=1)
    assert not found.converged
    assert found.note == "polychoric.note.not_converged"


def test_simulated_rows_stay_simulated(data):
    assert sr.polychoric(data.assign(data_kind="simulated")).data_kind.is_simulated


def test_checked_answers():
    study = sr.load_study(resources.data("twin", "study.toml"))
    current = study.current(study.responses("citizens"))
    found = sr.polychoric(current, missing="pairwise")
    assert found.data_kind.is_simulated
    assert len(found.items) == 22
    few = replace(current, frame=current.frame.iloc[:9])
    for missing in ("listwise", "pairwise"):
        with pytest.raises(AnalysisError, match="Fewer than 10"):
            sr.polychoric(few, missing=missing)
    assert sr.polychoric(current, missing="pairwise", weights="weight").weighted
