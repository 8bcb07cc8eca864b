"""Exploratory factor analysis as researchers call it."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import (
    AnalysisError,
    ConvergenceWarning,
    DroppedRowsWarning,
    HeywoodWarning,
    NotPositiveDefiniteWarning,
    OptionError,
)
from sipas_research.factors.adequacy import Kmo
from sipas_research.numerics.adequacy import SamplingAdequacy
from sipas_research.numerics.rotation import ROTATIONS
from sipas_research.results import TIDY_COLUMNS, DataKind, Result
from sipas_research.wording import keys

SAME_ANSWER = 1e-6  # two orders of the items send the rotation on two roads to one minimum, each within its tolerance
PLANTED = 0.12  # four standard errors of a loading, about 1 / sqrt(n), at n = 1,200


@pytest.fixture(scope="module")
def five(items):
    return sr.efa(items, 5)


def test_tables_agree_with_each_other(items, five):
    assert isinstance(five, Result)
    tidy = five.tidy()
    assert list(tidy.columns) == [*TIDY_COLUMNS, "structure"]
    wide = tidy.pivot(index="term", columns="group", values="estimate").loc[list(items.columns)]
    np.testing.assert_array_equal(wide.to_numpy(), five.loadings.to_numpy())
    structure = five.loadings.to_numpy() @ five.factor_correlations.to_numpy()
    np.testing.assert_allclose(five.structure, structure, rtol=1e-12)
    shared = five.communalities
    np.testing.assert_allclose(shared["communality"] + shared["uniqueness"], 1.0, rtol=1e-12)
    np.testing.assert_allclose(shared["communality"].sum(), five.variance["ss_loadings"].sum(), rtol=1e-12)
    assert five.variance["cumulative"].iloc[-1] == pytest.approx(five.glance().loc[0, "variance_explained"])
    assert five.variance["ss_loadings"].is_monotonic_decreasing
    assert five.eigenvalues.sum() == pytest.approx(22)
    assert (five.loadings.sum() > 0).all()
    off = five.residuals.to_numpy()[np.triu_indices(22, 1)]
    assert five.fit.rmsr == pytest.approx(np.sqrt(np.mean(off**2)), rel=1e-6)
    complexity = shared["complexity"]
    assert ((complexity >= 1) & (complexity <= 5)).all()


def test_items_find_their_factors(items, five):
    strongest = five.loadings.abs().idxmax(axis=1)
    groups = strongest.groupby(strongest.index.str.rstrip("0123456789")).nunique()
    assert (groups == 1).all()
    assert strongest.nunique() == 5


@pytest.mark.parametrize("method", ["minres", "ml", "pa"])
@pytest.mark.parametrize("rotation", ROTATIONS)
def test_every_rotation_reproduces_the_same_correlations(items, method, rotation):
    plain = sr.efa(items, 5, method=method, rotation="none")
    found = sr.efa(items, 5, method=method, rotation=rotation)
    np.testing.assert_allclose(found.residuals, plain.residuals, atol=1e-10)
    assert found.fit == plain.fit


@pytest.mark.parametrize("rotation", ROTATIONS)
def test_shuffled_rows_and_columns_give_the_same(items, rotation):
    whole = sr.efa(items, 5, rotation=rotation)
    shuffled = items.sample(frac=1, random_state=3).sample(frac=1, axis=1, random_state=4)
    other = sr.efa(shuffled, 5, rotation=rotation)
    np.testing.assert_allclose(other.loadings.loc[list(items.columns)], whole.loadings, atol=SAME_ANSWER)
    np.testing.assert_allclose(other.factor_correlations, whole.factor_correlations, atol=SAME_ANSWER)
    np.testing.assert_allclose(other.fit.statistic, whole.fit.statistic, rtol=1e-8)


def test_units_do_not_matter(items, five):
    scaled = items * np.linspace(0.1, 30, 22) + 7
    np.testing.assert_allclose(sr.efa(scaled, 5).loadings, five.loadings, atol=SAME_ANSWER)


def test_a_reversed_item_only_changes_its_sign(items, five):
    turned = sr.efa(items.assign(result2=6 - items["result2"]), 5)
    np.testing.assert_allclose(turned.loadings.loc["result2"], -five.loadings.loc["result2"], atol=SAME_ANSWER)
    assert turned.loadings.loc["result2"].min() < -0.5


def test_planted_loadings_are_recovered():
    generator = np.random.default_rng(2022)
    pattern = np.kron(np.eye(2), np.array([[0.8], [0.7], [0.6], [0.7], [0.5]]))
    phi = np.array([[1, 0.4], [0.4, 1.0]])
    traits = generator.multivariate_normal([0, 0], phi, 1200)
    unique = np.sqrt(1 - np.diag(pattern @ phi @ pattern.T))
    frame = pd.DataFrame(traits @ pattern.T + unique * generator.standard_normal((1200, 10)))
    for method in ("minres", "ml", "pa"):
        found = sr.efa(frame, 2, method=method)
        first = found.loadings.to_numpy()[:, np.argsort(-np.abs(found.loadings.to_numpy()[0]))]
        np.testing.assert_allclose(first, pattern, atol=PLANTED)
        assert found.factor_correlations.iloc[0, 1] == pytest.approx(0.4, abs=PLANTED)
        assert found.fit.p_value > 0.001


def test_chi_square_is_honest_under_its_model():
    generator = np.random.default_rng(7)
    tails = []
    for _ in range(80):
        trait = generator.standard_normal((250, 1))
        frame = pd.DataFrame(0.7 * trait + 0.7 * generator.standard_normal((250, 6)))
        tails.append(sr.efa(frame, 1, method="ml").fit.p_value)
    assert np.mean(np.array(tails) < 0.05) < 0.13
    assert 0.35 < np.mean(tails) < 0.65


def test_random_starts_are_seeded(items):
    one, same = (sr.efa(items, 5, rotation="geomin", random_starts=4, seed=9) for _ in range(2))
    np.testing.assert_array_equal(one.loadings, same.loadings)
    assert one.rotated.starts == 6


def test_heywood_case_warns_and_is_marked():
    generator = np.random.default_rng(1)
    matrix = np.array([[1, 0.8, 0.8, 0.75], [0.8, 1, 0.5, 0.5], [0.8, 0.5, 1, 0.5], [0.75, 0.5, 0.5, 1]])
    frame = pd.DataFrame(generator.multivariate_normal(np.zeros(4), matrix, 500), columns=list("abcd"))
    for method in ("minres", "ml", "pa"):
        with pytest.warns(HeywoodWarning, match="reaches 1: a"):
            found = sr.efa(frame, 1, method=method)
        assert found.heywood == ("a",)
        assert set(found.tidy().set_index("term").loc["a", ["note"]]) == {"factors.note.heywood"}
        assert found.glance().loc[0, "heywood"] == 1


def test_limits_warn(items):
    with pytest.warns(ConvergenceWarning) as caught:
        found = sr.efa(items, 5, rotation="geomin", max_iterations=2)
    assert {w.message.key for w in caught} == {"factors.warning.extraction", "factors.warning.rotation"}
    assert not found.converged
    assert found.note == "factors.note.not_converged"
    assert caught[0].filename == __file__


def test_a_duplicate_item_is_refused_where_an_inverse_is_needed(items):
    double = items.assign(again=items["access1"])
    for asks in (
        lambda: sr.efa(double, 5, method="ml"),
        lambda: sr.kmo(double),
        lambda: sr.bartlett_sphericity(double),
    ):
        with pytest.raises(AnalysisError, match="'access1' and 'again'"):
            asks()
    with pytest.warns(NotPositiveDefiniteWarning, match="not positive definite"):
        found = sr.efa(double, 5)
    assert found.note == "factors.note.no_test"
    assert np.isnan(found.fit.statistic)
    np.testing.assert_allclose(found.loadings.loc["again"], found.loadings.loc["access1"], atol=SAME_ANSWER)
    assert np.isfinite(found.loadings.to_numpy()).all()


@pytest.mark.parametrize("asked", [0, -1, 16, 22, 23, 2.5, "5", True, None])
def test_impossible_numbers_of_factors(items, asked):
    with pytest.raises(OptionError, match="from 1 to 15 for 22 items"):
        sr.efa(items, asked)


@pytest.mark.parametrize(
    "option", [{"method": "pca"}, {"rotation": "quartimax"}, {"random_starts": -1}, {"max_iterations": 0}]
)
def test_options_outside_their_vocabulary(items, option):
    with pytest.raises(OptionError) as refused:
        sr.efa(items, 5, **option)
    assert next(iter(option)) in str(refused.value)
    assert str(next(iter(option.values()))) in str(refused.value)


def test_two_and_three_items(items):
    with pytest.raises(OptionError, match="No factor can be extracted from 2 items"):
        sr.efa(items[["access1", "access2"]], 1)
    found = sr.efa(items[["access1", "access2", "access3"]], 1)
    assert found.fit.df == 0
    assert found.note == "factors.note.no_degrees_of_freedom"
    assert np.isnan(found.glance().loc[0, "pvalue"])
    assert found.rotation == "none"


def test_more_factors_than_the_data_hold():
    columns = np.random.default_rng(3).standard_normal((200, 1)) + np.zeros((1, 6))
    with pytest.raises(AnalysisError, match="fewer than the 2 asked for"):
        sr.efa(pd.DataFrame(columns), 2)


def test_dropped_rows_are_counted(items):
    holes = items.astype(float)
    holes.iloc[:50, 3] = np.nan
    with pytest.warns(DroppedRowsWarning, match="50 of 1,200"):
        found = sr.efa(holes, 5)
    assert (found.n, found.n_dropped) == (1150, 50)
    np.testing.assert_allclose(found.loadings, sr.efa(items.iloc[50:], 5).loadings, rtol=1e-12)


def test_results_are_frozen(five):
    with pytest.raises(dataclasses.FrozenInstanceError):
        five.method = "ml"
    with pytest.raises(ValueError, match="read-only"):
        five.rotated.loadings[0, 0] = 1.0


def test_adequacy_tables_and_words(items):
    measure, test = sr.kmo(items), sr.bartlett_sphericity(items.assign(data_kind="simulated"))
    assert isinstance(measure, Result)
    assert measure.tidy()["term"].tolist() == ["overall", *items.columns]
    assert measure.level == "factors.kmo_level.marvelous"
    assert test.data_kind is DataKind.SIMULATED
    assert test.tidy().loc[0, "df"] == 231
    assert "13.297,3" in test.summary("vi")
    assert "p < 0.001" in test.summary("en")
    assert "rất tốt" in measure.summary("vi")
    for value, word in ((0.85, "meritorious"), (0.5, "miserable"), (0.49, "unacceptable")):
        plain = SamplingAdequacy(value, np.array([value]), np.eye(1))
        assert Kmo(("a",), plain, 9, 0, (), DataKind.USER).level == f"factors.kmo_level.{word}"
        assert f"factors.kmo_level.{word}" in keys("vi")


def test_summary_in_both_languages(five):
    assert "22 biến quan sát, 5 nhân tố" in five.summary("vi")
    assert "p = 0,366" in five.summary("vi")
    assert "n = 1.200" in five.summary("vi")
    assert "oblimin (oblique)" in five.summary("en")
    assert five.summary("en").count("\n") == 1
