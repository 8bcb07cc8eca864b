"""Categorical omega against lavaan's parts, against parallel forms, and where it does not exist."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from sipas_research.numerics.categorical_omega import ordinal_reliability, sum_covariances
from sipas_research.numerics.reliability import cronbach_alpha

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
ESTIMATE = 1e-6  # both optimisers stop at slopes of about 1e-6


@pytest.fixture(scope="module")
def items():
    frame = pd.read_csv(REFERENCE / "factors" / "items.csv").astype(float)
    frame["cut1"] = np.digitize(frame["access1"], [3.5]) + 1.0
    frame["cut2"] = np.digitize(frame["access2"], [2.5, 3.5]) + 1.0
    frame["cut3"] = np.digitize(frame["access3"], [3.5, 4.5]) + 1.0
    return frame


@pytest.fixture(scope="module")
def stored():
    return json.loads((REFERENCE / "reliability" / "categorical.json").read_text(encoding="utf-8"))["scales"]


@pytest.mark.parametrize("scale", ["access", "feedback", "procedure", "result", "staff", "mixed"])
def test_omega_equals_the_formula_on_lavaans_estimates(items, stored, scale):
    expected = stored[scale]
    found = ordinal_reliability(items[expected["items"]].to_numpy())
    assert found.omega == pytest.approx(expected["omega"], abs=ESTIMATE)
    assert found.alpha == pytest.approx(expected["ordinal_alpha"], abs=ESTIMATE)
    np.testing.assert_allclose(found.loadings, expected["loadings"], atol=ESTIMATE)
    assert found.converged
    assert not found.heywood


def answers(generator, trait, loadings, cuts):
    noise = generator.standard_normal((len(trait), len(loadings)))
    latent = trait[:, None] * loadings + noise * np.sqrt(1 - loadings**2)
    return np.stack([np.digitize(latent[:, k], cuts[k]) for k in range(len(loadings))], axis=1).astype(float)


def test_omega_is_the_correlation_of_parallel_forms():
    generator = np.random.default_rng(1)
    loadings = np.array([0.8, 0.7, 0.6, 0.5])
    cuts = [[-0.5, 1.0], [0.8], [-1.5, -0.5, 0.0, 1.2], [1.0, 1.5]]
    trait = generator.standard_normal(400_000)
    first, second = (answers(generator, trait, loadings, cuts) for _ in range(2))
    parallel = np.corrcoef(first.sum(axis=1), second.sum(axis=1))[0, 1]
    found = ordinal_reliability(first)
    assert found.omega == pytest.approx(parallel, abs=0.006)
    assert found.alpha > found.omega + 0.03  # ordinal alpha is about another score
    np.testing.assert_allclose(found.loadings, loadings, atol=0.012)


def test_covariance_of_answers_with_themselves_is_their_variance():
    cuts = [np.array([-0.3, 0.4]), np.array([0.2])]
    steps = [np.array([1.0, 2.0]), np.array([3.0])]
    found = sum_covariances(cuts, steps, np.array([[1.0, 0.0], [0.0, 1.0]]))
    shares = np.diff(norm.cdf([-np.inf, -0.3, 0.4, np.inf]))
    codes = np.array([0, 1, 3])
    assert found[0, 0] == pytest.approx(shares @ codes**2 - (shares @ codes) ** 2, abs=1e-9)
    assert found[1, 1] == pytest.approx(9 * norm.cdf(0.2) * norm.sf(0.2), abs=1e-9)
    assert found[0, 1] == pytest.approx(0.0, abs=1e-12)


def test_codes_with_gaps_change_the_score_and_so_omega(items):
    values = items[["access1", "access2", "access3", "access4"]].to_numpy()
    stretched = np.where(values == 5, 9, values)
    assert ordinal_reliability(values + 7).omega == pytest.approx(ordinal_reliability(values).omega, abs=1e-12)
    assert ordinal_reliability(values).omega != pytest.approx(ordinal_reliability(stretched).omega, abs=1e-3)
    assert ordinal_reliability(stretched).alpha == pytest.approx(ordinal_reliability(values).alpha, abs=1e-12)


def test_many_even_categories_come_close_to_the_continuous_score():
    generator = np.random.default_rng(2)
    loadings = np.full(5, 0.7)
    cuts = [np.linspace(-2.2, 2.2, 10)] * 5
    values = answers(generator, generator.standard_normal(20_000), loadings, cuts)
    found = ordinal_reliability(values)
    assert found.omega == pytest.approx(cronbach_alpha(values).alpha, abs=0.01)


def test_where_it_does_not_exist(items):
    pair = ordinal_reliability(items[["access1", "access2"]].to_numpy())
    assert np.isnan(pair.omega)
    assert 0 < pair.alpha < 1
    assert ordinal_reliability(items[["access1", "access2", "access3"]].to_numpy() + 0.5) is None
    flat = items[["access1", "access2", "access3"]].assign(access3=2.0)
    assert ordinal_reliability(flat.to_numpy()) is None


def test_duplicated_item_is_told_as_a_heywood_case(items):
    values = items[["access1", "access1", "access2"]].to_numpy()
    found = ordinal_reliability(values)
    assert found.heywood or not found.converged
