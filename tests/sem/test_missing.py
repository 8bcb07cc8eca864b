"""Models of incomplete rows: what lavaan finds beyond the fit itself, and inputs that tell too little."""

from __future__ import annotations

import warnings

import lavaan_cases as cases
import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import (
    AnalysisError,
    ConstantItemError,
    DroppedRowsWarning,
    OptionError,
    SingularMatrixError,
    SipasWarning,
)
from sipas_research.sem.derivatives import moment_slopes_of
from sipas_research.sem.difference import difference
from sipas_research.sem.score_tests import score_test

SMALL = "access =~ access1 + access2 + access3 + access4\nresult =~ result1 + result2 + result3"
TIED = "access =~ access1 + a*access2 + a*access3 + a*access4\nresult =~ result1 + b*result2 + b*result3"
ONE = "f =~ access1 + access2 + access3 + access4 + result1 + result2 + result3"
ITEMS = ["access1", "access2", "access3", "access4", "result1", "result2", "result3"]


@pytest.fixture(scope="module")
def holes() -> pd.DataFrame:
    return cases.data("survey_missing")


@pytest.fixture(scope="module")
def complete() -> pd.DataFrame:
    return cases.data("survey")


def test_modification_indices_are_those_of_lavaan(holes):
    found = sr.cfa(ONE, holes, missing="fiml").modification_indices().head(5)
    assert list(zip(found["lhs"], found["rhs"], strict=True))[:3] == [
        ("result1", "result2"), ("result1", "result3"), ("result2", "result3"),
    ]  # fmt: skip
    np.testing.assert_allclose(found["mi"], [222.331, 207.112, 189.209, 28.775, 22.420], atol=6e-4)
    np.testing.assert_allclose(found["epc"], [0.287, 0.262, 0.248, -0.091, -0.072], atol=6e-4)


@pytest.mark.parametrize(
    ("method", "statistic"), [("satorra_bentler_2001", 3.576824483), ("satorra_bentler_2010", 3.559172168)]
)
def test_scaled_differences_are_those_of_lavaan(holes, method, statistic):
    free, tied = (sr.cfa(model, holes, missing="fiml", estimator="MLR") for model in (SMALL, TIED))
    found = difference(free, tied, method)
    assert found.statistic == pytest.approx(statistic, rel=1e-5)
    assert found.df == 3


def test_the_score_test_is_that_of_lavaan(holes):
    model = "access =~ a*access1 + a*access2 + access3 + access4"
    fit = sr.cfa(model, holes, std_lv=True, missing="fiml", information="expected")
    assert score_test(fit).glance()["statistic"].iloc[0] == pytest.approx(5.575, abs=6e-4)


#: The lower triangle of lavaan's standardised residuals, row by row, then those of the means.
RESIDUALS = {
    "ML": ([-0.575, 1.122, -0.361, 2.306, 1.961, 0.126], [2.023, 2.785, -1.566, 2.325, -8.674, 4.492, -8.618]),
    "MLR": ([-0.555, 1.102, -0.357, 2.341, 1.837, 0.130], [1.979, 2.768, -1.465, 2.217, -7.726, 4.035, -7.552]),
}


@pytest.mark.parametrize("estimator", RESIDUALS)
def test_standardised_residuals_are_those_of_lavaan(holes, estimator):
    fit = sr.cfa(ONE, holes, missing="fiml", estimator=estimator)
    found = fit.residuals("standardized").to_numpy()[:3, :3]
    np.testing.assert_allclose(found[np.tril_indices(3)], RESIDUALS[estimator][0], atol=2e-3)
    np.testing.assert_allclose(fit.residuals("mean")["standardized"], RESIDUALS[estimator][1], atol=2e-3)


def test_scores_of_incomplete_rows_are_those_of_lavaan(holes):
    fit = sr.cfa(SMALL, holes, missing="fiml", estimator="MLR")
    first = [[0.7113311720, 0.2481098191], [0.4450945309, 0.4573984690], [0.2269330802, 0.1785798108]]
    np.testing.assert_allclose(fit.scores().head(3), first, atol=2e-5)
    bartlett = fit.scores("bartlett")
    np.testing.assert_allclose(bartlett.min(), [-2.9300844, -3.304536], atol=2e-4)
    np.testing.assert_allclose(bartlett.quantile(0.75), [0.4990584, 0.538108], atol=2e-5)


def test_bartlett_scores_that_a_row_does_not_determine_are_not_numbers(holes):
    table = holes[ITEMS].copy()
    table.iloc[0, :4] = np.nan
    fit = sr.cfa(SMALL, table, missing="fiml")
    assert fit.scores("bartlett").iloc[0].isna().all()
    assert fit.scores("bartlett").iloc[1:].notna().all(axis=None)
    assert fit.scores().notna().all(axis=None)


@pytest.mark.parametrize("estimator", ["ML", "MLR"])
def test_rows_without_holes_give_what_complete_rows_give(complete, estimator):
    one = sr.cfa(SMALL, complete, missing="fiml", estimator=estimator)
    other = sr.cfa(SMALL, complete, estimator=estimator, information="observed", meanstructure=True)
    numbers = one.tidy().select_dtypes("number").columns
    np.testing.assert_allclose(one.tidy()[numbers], other.tidy()[numbers], rtol=1e-6, atol=1e-7)
    # robust indices rest on other, as good, estimates of the same traces where rows may have holes
    same = [name for name, found in other.measures.items() if np.isfinite(found) and not name.endswith("_robust")]
    np.testing.assert_allclose(
        [one.measures[name] for name in same], [other.measures[name] for name in same], rtol=1e-6, atol=1e-7
    )
    np.testing.assert_allclose(one.residuals("standardized"), other.residuals("standardized"), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(one.scores(), other.scores(), atol=1e-6)


def test_no_row_needs_to_be_complete(complete):
    table = complete[ITEMS].astype(float)
    table = table.mask(np.arange(len(table))[:, None] % len(ITEMS) == np.arange(len(ITEMS)))
    assert table.notna().all(axis=1).sum() == 0
    fit, whole = sr.cfa(SMALL, table, missing="fiml"), sr.cfa(SMALL, complete, meanstructure=True)
    assert fit.converged
    assert fit.n == len(table)
    loads = fit.tidy().query("op == '=~'")["estimate"].to_numpy()
    np.testing.assert_allclose(loads, whole.tidy().query("op == '=~'")["estimate"], atol=0.05)


def test_most_values_may_be_missing(complete):
    table = complete[ITEMS].astype(float)
    table = table.mask(np.random.default_rng(3).random(table.shape) < 0.5)
    with pytest.warns(DroppedRowsWarning):
        fit = sr.cfa(SMALL, table, missing="fiml", estimator="MLR")
    assert fit.converged
    assert np.isfinite(list(fit.measures.values())).all()


def test_weights_that_are_all_alike_change_nothing(holes):
    plain = sr.cfa(SMALL, holes, missing="fiml", estimator="MLR")
    alike = sr.cfa(SMALL, holes.assign(w=3.0), missing="fiml", estimator="MLR", weights="w")
    numbers = plain.tidy().select_dtypes("number").columns
    np.testing.assert_allclose(plain.tidy()[numbers], alike.tidy()[numbers], rtol=1e-6, atol=1e-8)
    assert plain.measures["cfi_robust"] == pytest.approx(alike.measures["cfi_robust"], abs=1e-8)


def test_clusters_of_one_row_are_rows_but_for_their_number(holes):
    plain = sr.cfa(SMALL, holes, missing="fiml", estimator="MLR")
    alone = sr.cfa(SMALL, holes.assign(c=np.arange(len(holes))), missing="fiml", estimator="MLR", cluster="c")
    stretch = np.sqrt(len(holes) / (len(holes) - 1))
    np.testing.assert_allclose(alone.tidy()["std_error"], stretch * plain.tidy()["std_error"], rtol=1e-7)


def test_rows_without_any_value_are_left_out_and_told(holes):
    table = holes[ITEMS].copy()
    table.iloc[:12] = np.nan
    with pytest.warns(DroppedRowsWarning):
        assert sr.cfa(SMALL, table, missing="fiml").n == len(table) - 12


def test_variables_that_tell_nothing_are_refused_by_name(holes):
    never = holes.assign(access2=np.nan)
    with pytest.raises(AnalysisError) as told:
        sr.cfa(SMALL, never, missing="fiml")
    assert "access2" in told.value.message("en")
    apart = holes.copy()
    apart.loc[apart.index % 2 == 0, "access1"] = np.nan
    apart.loc[apart.index % 2 == 1, "result3"] = np.nan
    with pytest.raises(AnalysisError) as told:
        sr.cfa(SMALL, apart, missing="fiml")
    assert "access1 - result3" in told.value.message("vi")
    with pytest.raises(ConstantItemError):
        sr.cfa(SMALL, holes.assign(result1=4.0), missing="fiml")
    with pytest.raises(SingularMatrixError):
        sr.cfa(SMALL, holes.assign(result1=holes["result2"] + holes["result3"]), missing="fiml")
    with pytest.raises(AnalysisError):
        sr.cfa(SMALL, holes.assign(result1=np.inf), missing="fiml")


def test_what_needs_complete_rows_is_refused(holes, complete):
    with pytest.raises(OptionError):
        sr.cfa(SMALL, holes, missing="fiml", estimator="MLM")
    with pytest.raises(OptionError):
        sr.cfa(SMALL, sr.Moments(complete[ITEMS].cov(), n=1200), missing="fiml")
    with pytest.raises(OptionError):
        sr.cfa(SMALL, holes, missing="pairwise")


def test_predictors_with_holes_are_modelled_or_their_rows_left_out():
    table = cases.data("survey_holes")
    model = SMALL + "\naccess + result ~ online + age"
    gone = int(table["age"].isna().sum())
    with pytest.warns(DroppedRowsWarning) as told:
        assert sr.sem(model, table, missing="fiml").n == len(table) - gone
    assert "(online, age)" in str(told[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error", SipasWarning)
        assert sr.sem(model, table, missing="fiml", fixed_x=False).n == len(table)


def test_rows_that_hold_predictors_alone_tell_how_these_are_distributed():
    draw = np.random.default_rng(8).normal(size=(400, 3))
    table = pd.DataFrame({"x": draw[:, 0], "m": 0.5 * draw[:, 0] + draw[:, 1]})
    table["y"] = 0.4 * table["m"] + 0.3 * table["x"] + draw[:, 2]
    gone = table["x"] > 0.7
    found = sr.sem("y ~ m + x\nm ~ x", table.assign(y=table["y"].mask(gone), m=table["m"].mask(gone)), missing="fiml")
    left = sr.sem("y ~ m + x\nm ~ x", table[~gone])
    paths = left.tidy().query("op == '~'")["estimate"]
    assert found.n == 400
    np.testing.assert_allclose(found.tidy().query("op == '~'")["estimate"], paths, atol=1e-6)
    assert found.implied().loc["x", "x"] == pytest.approx(table["x"].var(ddof=0))
    assert left.implied().loc["x", "x"] < 0.6 * table["x"].var(ddof=0)


def test_the_order_of_rows_does_not_matter(holes):
    rows = np.random.default_rng(4).permutation(len(holes))
    one = sr.cfa(SMALL, holes, missing="fiml", estimator="MLR")
    other = sr.cfa(SMALL, holes.iloc[rows].reset_index(drop=True), missing="fiml", estimator="MLR")
    numbers = one.tidy().select_dtypes("number").columns
    np.testing.assert_allclose(one.tidy()[numbers], other.tidy()[numbers], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(one.scores().iloc[rows], other.scores(), atol=1e-7)


def test_clusters_that_cut_groups_keep_the_groups_covariance(holes):
    table = holes.assign(c=np.arange(len(holes)) // 30)
    model = "access =~ access1 + access2 + access3 + access4"
    fit = sr.cfa(model, table, missing="fiml", estimator="MLR", group="level", group_equal=("loadings",), cluster="c")
    score = np.zeros((int(table["c"].max()) + 1, fit.theta.size))
    for sample, at in zip(fit.samples, fit.groups, strict=True):
        for block, _, codes in sample.holes.scores(at.mean, at.cov):
            own = np.zeros((block.shape[1], fit.theta.size))
            np.add.at(own.T, at.layout.free, moment_slopes_of(at).T @ block)
            np.add.at(score, codes, own)
    count = len(score)
    meat = score.T @ score * count / (count - 1) / fit.n
    free = fit.information.basis
    inverse = free @ np.linalg.inv(free.T @ fit.information.used @ free) @ free.T
    np.testing.assert_allclose(fit.vcov(), inverse @ meat @ inverse / fit.n, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("estimator", ["ML", "MLR"])
def test_a_summary_tells_of_incomplete_rows_and_robust_indices(holes, language, estimator):
    fit = sr.cfa(SMALL, holes, missing="fiml", estimator=estimator)
    lines = fit.summary(language).splitlines()
    incomplete = int(holes[ITEMS].isna().any(axis=1).sum())
    patterns = len(holes[ITEMS].isna().drop_duplicates())
    assert any(line.rstrip().endswith(f" {incomplete}") for line in lines)
    assert any(line.rstrip().endswith(f" {patterns}") for line in lines)
    robust = [line for line in lines if "robust" in line.lower() and "CFI" in line]
    assert len(robust) == 1
    assert robust[0].rstrip().endswith("1,000" if language == "vi" else "1.000")


def test_invariance_counts_incomplete_rows(holes):
    found = sr.invariance(SMALL, holes, group="level", missing="fiml")
    for fit, equal in zip(found.fits, [(), ("loadings",), ("loadings", "intercepts")], strict=False):
        alone = sr.cfa(SMALL, holes, group="level", group_equal=equal, missing="fiml", estimator="MLR")
        assert fit.n == len(holes)
        assert fit.measures["chisq_scaled"] == pytest.approx(alone.measures["chisq_scaled"], rel=1e-6)


def test_invariance_allows_for_clusters(complete):
    table = complete.assign(c=np.arange(len(complete)) // 8)
    one = sr.invariance(SMALL, table, group="level", cluster="c")
    alone = sr.cfa(SMALL, table, group="level", estimator="MLR", cluster="c")
    assert one.fits[0].measures["chisq_scaled"] == pytest.approx(alone.measures["chisq_scaled"], rel=1e-7)


def test_a_search_for_items_that_differ_counts_incomplete_rows(holes):
    rng = np.random.default_rng(6)
    table = holes.assign(place=np.where(rng.random(len(holes)) < 0.5, "a", "b"))
    table.loc[table["place"] == "b", "access2"] += 0.6
    found = sr.invariance_search(SMALL, table, group="place", missing="fiml", seed=2)
    rows = found.tidy()
    assert rows["parameter"].tolist() == ["access2~1"]
    assert rows["verdict"].tolist() == ["confirmed"]
