"""Weights of a composite: squared loadings with their influence, and the most favourable weights within bounds."""

import numpy as np
import pytest
from scipy.optimize import linprog

from sipas_research.numerics.composite_weights import favourable_weights, squared_loadings


def people(rng, rows=200, parts=5):
    common = rng.normal(size=(rows, 1))
    return common * rng.uniform(0.3, 1.5, parts) + rng.normal(size=(rows, parts)), rng.uniform(0.5, 2.0, rows)


def test_squared_loadings_are_those_of_the_first_principal_component():
    scores, mass = people(np.random.default_rng(1))
    weights, influence = squared_loadings(scores, mass)
    correlation = np.cov(scores.T, aweights=mass)
    correlation /= np.sqrt(np.outer(np.diag(correlation), np.diag(correlation)))
    roots, vectors = np.linalg.eigh(correlation)
    loadings = vectors[:, -1] * np.sqrt(roots[-1])
    assert weights == pytest.approx(loadings**2 / (loadings**2).sum(), abs=1e-12)
    assert weights.sum() == pytest.approx(1.0)
    assert influence.sum(axis=0) == pytest.approx(0.0, abs=1e-12)
    assert influence.sum(axis=1) == pytest.approx(0.0, abs=1e-12)


def test_influence_is_the_weight_times_the_derivative():
    scores, mass = people(np.random.default_rng(2), rows=60)
    _, influence = squared_loadings(scores, mass)
    for person in (0, 17, 59):
        up, down = mass.copy(), mass.copy()
        up[person] *= 1 + 1e-5
        down[person] *= 1 - 1e-5
        slope = (squared_loadings(scores, up)[0] - squared_loadings(scores, down)[0]) / 2e-5
        assert influence[person] == pytest.approx(slope, abs=1e-8)


def test_people_who_miss_a_score_do_not_count():
    scores, mass = people(np.random.default_rng(3))
    holes = np.vstack([scores, np.full((3, 5), np.nan)])
    weights, influence = squared_loadings(holes, np.append(mass, [5.0, 5.0, 5.0]))
    assert weights == pytest.approx(squared_loadings(scores, mass)[0])
    assert not influence[-3:].any()


@pytest.mark.parametrize("scores", [np.ones((20, 3)), np.full((20, 3), np.nan), np.eye(2)[[0]]])
def test_what_determines_no_loading_is_refused(scores):
    with pytest.raises(ValueError, match=r"too few|vary"):
        squared_loadings(scores, np.ones(len(scores)))


@pytest.mark.parametrize("seed", range(20))
def test_favourable_weights_solve_the_linear_programme(seed):
    rng = np.random.default_rng(seed)
    values = rng.uniform(size=(6, 7))
    base = rng.dirichlet(np.ones(7))
    low, high = 0.5 * base, np.minimum(2.0 * base, 1.0)
    weights = favourable_weights(values, low, high)
    assert weights.sum(axis=1) == pytest.approx(1.0)
    assert (weights >= low - 1e-12).all()
    assert (weights <= high + 1e-12).all()
    for row, chosen in zip(values, weights, strict=True):
        best = linprog(-row, A_eq=np.ones((1, 7)), b_eq=[1.0], bounds=list(zip(low, high, strict=True)))
        assert row @ chosen == pytest.approx(-best.fun, abs=1e-9)


def test_favourable_weights_without_room_are_the_bounds():
    base = np.array([0.2, 0.3, 0.5])
    values = np.array([[0.1, 0.9, 0.5], [np.nan, 0.2, 0.3]])
    weights = favourable_weights(values, base, base)
    assert weights[0] == pytest.approx(base)
    assert np.isnan(weights[1]).all()
    with pytest.raises(ValueError, match="bounds"):
        favourable_weights(values, base, 0.9 * base)
