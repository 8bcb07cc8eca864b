"""Omega by closed form, by lavaan and psych, and its standard error by simulation."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sipas_research.numerics.omega import omega_from_loadings, one_factor_omega
from sipas_research.numerics.reliability import bootstrap_alphas, cronbach_alpha, percentile_interval
from sipas_research.numerics.schmid_leiman import (
    GeneralFactor,
    explained_common_variance,
    schmid_leiman,
    sum_score_shares,
)

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
ESTIMATE = 1e-6  # both sides stop at a slope of about 1e-6
ROBUST_ERROR = 2e-3  # lavaan divides by n, and its weights by the expected information


@pytest.fixture(scope="module")
def items():
    return pd.read_csv(REFERENCE / "factors" / "items.csv")


@pytest.fixture(scope="module")
def stored():
    return json.loads((REFERENCE / "reliability" / "omega.json").read_text(encoding="utf-8"))


def one_factor_answers(generator, rows, loadings):
    loadings = np.asarray(loadings)
    trait = generator.standard_normal((rows, 1))
    return trait * loadings + generator.standard_normal((rows, loadings.size)) * np.sqrt(1 - loadings**2)


@pytest.mark.parametrize("scale", ["access", "feedback", "procedure", "result", "staff"])
def test_omega_equals_lavaan(items, stored, scale):
    values = items[[c for c in items if c.startswith(scale)]].to_numpy(float)
    found = one_factor_omega(values)
    assert found.omega == pytest.approx(stored["one_factor"][scale]["omega"], abs=ESTIMATE)
    assert found.std_error == pytest.approx(stored["one_factor"][scale]["se_sandwich"], rel=ROBUST_ERROR)
    assert found.conf_low < found.omega < found.conf_high
    assert found.converged
    assert not found.heywood


def test_equal_loadings_make_omega_spearman_brown():
    loadings = np.full(5, 0.6)
    expected = 5 * 0.36 / (1 + 4 * 0.36)
    assert omega_from_loadings(loadings, 1 - loadings**2, np.ones(5)) == pytest.approx(expected, rel=1e-12)
    assert omega_from_loadings(loadings, 1 - loadings**2, np.full(5, 3.0)) == pytest.approx(expected, rel=1e-12)


def test_omega_does_not_know_units_common_to_all_items(items):
    values = items[["access1", "access2", "access3", "access4"]].to_numpy(float)
    one, other = one_factor_omega(values), one_factor_omega(7 * values - 100)
    assert one.omega == pytest.approx(other.omega, rel=1e-9)
    assert one.std_error == pytest.approx(other.std_error, rel=1e-5)


def test_omega_is_above_alpha_where_loadings_differ_and_recovers_its_population():
    loadings = np.array([0.9, 0.8, 0.5, 0.4])
    truth = omega_from_loadings(loadings, 1 - loadings**2, np.ones(4))
    values = one_factor_answers(np.random.default_rng(3), 200_000, loadings)
    found = one_factor_omega(values)
    assert found.omega == pytest.approx(truth, abs=0.003)
    assert found.omega > cronbach_alpha(values).alpha + 0.01
    np.testing.assert_allclose(found.loadings, loadings, atol=0.01)


def test_interval_of_omega_covers_and_its_error_is_the_spread():
    generator, loadings = np.random.default_rng(4), np.array([0.8, 0.7, 0.6, 0.5])
    truth = omega_from_loadings(loadings, 1 - loadings**2, np.ones(4))
    draws, hits, estimates, errors = 300, 0, [], []
    for _ in range(draws):
        found = one_factor_omega(one_factor_answers(generator, 250, loadings))
        hits += found.conf_low <= truth <= found.conf_high
        estimates.append(found.omega)
        errors.append(found.std_error)
    assert hits / draws > 0.95 - 3.5 * np.sqrt(0.95 * 0.05 / draws) - 0.01
    assert np.mean(errors) == pytest.approx(np.std(estimates), rel=0.12)


def test_where_there_is_no_omega():
    generator = np.random.default_rng(5)
    assert one_factor_omega(generator.standard_normal((50, 2))) is None
    twice = generator.standard_normal((50, 3))
    assert one_factor_omega(np.column_stack([twice, twice[:, 0]])) is None


def test_heywood_case_is_told_and_has_no_interval():
    generator = np.random.default_rng(6)
    trait = generator.standard_normal(400)
    noise = generator.standard_normal((400, 3))
    # the product of two correlations with the first item exceeds the third: its unique variance would be negative
    values = np.column_stack([trait, trait + 0.9 * noise[:, 0], 0.9 * trait - 0.5 * noise[:, 0] + noise[:, 1]])
    found = one_factor_omega(values)
    assert found.heywood
    assert np.isnan([found.std_error, found.conf_low, found.conf_high]).all()


@pytest.mark.parametrize("case", ["five", "two"])
def test_hierarchical_omega_equals_psych(items, stored, case):
    import sipas_research as sr

    expected = stored["hierarchical"][case]
    oblique = sr.efa(items[expected["items"]], len(expected["second_order"]))
    found = schmid_leiman(oblique.rotated.loadings, oblique.rotated.factor_correlations)
    shares = sum_score_shares(found, 1 - oblique.communality, oblique.correlation, np.ones(len(expected["items"])))
    # psych stops rotating at a projected gradient of 1e-5
    assert shares.hierarchical == pytest.approx(expected["omega_h"], abs=1e-4)
    assert shares.total == pytest.approx(expected["omega_total"], abs=1e-5)
    assert explained_common_variance(found) == pytest.approx(expected["ecv"], abs=1e-4)
    np.testing.assert_allclose(found.general, expected["general"], atol=1e-4)
    np.testing.assert_allclose(sorted(found.second_order), sorted(expected["second_order"]), atol=1e-4)


def test_schmid_leiman_keeps_what_the_factors_reproduce():
    second = np.array([0.9, 0.7, 0.5])
    phi = np.outer(second, second)
    np.fill_diagonal(phi, 1.0)
    pattern = np.kron(np.eye(3), [[0.8], [0.7], [0.6]])
    found = schmid_leiman(pattern, phi)
    np.testing.assert_allclose(found.second_order, second, atol=1e-5)
    rebuilt = np.outer(found.general, found.general) + found.groups @ found.groups.T
    np.testing.assert_allclose(rebuilt, pattern @ phi @ pattern.T, atol=1e-5)
    with pytest.raises(ValueError, match="two correlated"):
        schmid_leiman(pattern[:, :1], np.eye(1))


def test_shares_of_a_sum_by_hand():
    solution = GeneralFactor(np.array([1.0]), np.array([0.6, 0.6]), np.array([[0.5], [0.5]]), False)
    matrix = np.array([[1, 0.61], [0.61, 1]])
    shares = sum_score_shares(solution, np.array([0.39, 0.39]), matrix, np.ones(2))
    assert shares.hierarchical == pytest.approx(1.44 / 3.22)
    assert shares.groups == pytest.approx(1.0 / 3.22)
    assert shares.total == pytest.approx(1 - 0.78 / 3.22)


def test_bootstrap_of_alpha_is_that_of_drawn_rows(items):
    values = items[["access1", "access2", "access3", "access4"]].to_numpy(float)
    draws = bootstrap_alphas(values, 2000, np.random.default_rng(7))
    generator = np.random.default_rng(8)
    plain = [cronbach_alpha(values[generator.integers(0, len(values), len(values))]).alpha for _ in range(600)]
    assert draws.mean() == pytest.approx(np.mean(plain), abs=0.001)
    assert draws.std() == pytest.approx(np.std(plain), rel=0.1)
    low, high = percentile_interval(draws)
    assert low < cronbach_alpha(values).alpha < high
    again = bootstrap_alphas(values, 2000, np.random.default_rng(7))
    np.testing.assert_array_equal(draws, again)


def test_bootstrap_of_samples_without_spread():
    pair = np.array([[1.0, 2.0], [2.0, 1.0], [1.5, 1.5]])
    draws = bootstrap_alphas(pair, 50, np.random.default_rng(9))
    assert np.isnan(draws).all()
    assert np.isnan(percentile_interval(draws)).all()


def test_one_factor_of_many_items_is_quick_and_close_to_alpha(items):
    found = one_factor_omega(items.to_numpy(float))
    assert found.omega == pytest.approx(cronbach_alpha(items.to_numpy(float)).alpha, abs=0.02)
