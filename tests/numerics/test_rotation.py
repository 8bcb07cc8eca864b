"""Rotation by second roads: numerical slopes, planted simple structure, invariance of what is reproduced."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime

from sipas_research.numerics.rotation import (
    ROTATIONS,
    Rotation,
    arrange,
    geomin_criterion,
    oblimin_criterion,
    rotate,
    variance_explained,
    varimax_criterion,
)

SLOPE = 1e-6  # numerical slopes with steps of 1e-7
REPRODUCED = 1e-12  # only rounding stands between two descriptions of the same solution
SIMPLE = np.kron(np.eye(3), np.array([[0.8], [0.7], [0.6], [0.5]]))
PHI = np.array([[1, 0.4, 0.3], [0.4, 1, 0.5], [0.3, 0.5, 1.0]])


def unrotated(pattern: np.ndarray, phi: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(pattern @ phi @ pattern.T)
    size = pattern.shape[1]
    return vectors[:, : -size - 1 : -1] * np.sqrt(values[: -size - 1 : -1])


def reproduced(found: Rotation) -> np.ndarray:
    return found.loadings @ found.factor_correlations @ found.loadings.T


@pytest.mark.parametrize("criterion", [varimax_criterion, oblimin_criterion, geomin_criterion])
@pytest.mark.parametrize("shape", [(6, 2), (12, 4)])
def test_analytic_slopes_equal_numerical_ones(criterion, shape):
    place = np.random.default_rng(shape[0]).uniform(-0.9, 0.9, shape)
    numerical = approx_fprime(place.ravel(), lambda flat: criterion(flat.reshape(shape))[0], 1e-7)
    np.testing.assert_allclose(criterion(place)[1].ravel(), numerical, atol=SLOPE)


def test_oblimin_slope_with_negative_gamma():
    place = np.random.default_rng(1).uniform(-0.9, 0.9, (8, 3))
    numerical = approx_fprime(place.ravel(), lambda flat: oblimin_criterion(flat.reshape(8, 3), -0.5)[0], 1e-7)
    np.testing.assert_allclose(oblimin_criterion(place, -0.5)[1].ravel(), numerical, atol=SLOPE)


@pytest.mark.parametrize("rotation", ROTATIONS)
@pytest.mark.parametrize("kaiser", [None, True, False])
def test_rotation_changes_nothing_that_is_reproduced(rotation, kaiser):
    start = unrotated(SIMPLE + 0.1 * np.random.default_rng(3).standard_normal(SIMPLE.shape), PHI)
    found = arrange(rotate(start, rotation, kaiser=kaiser))
    assert found.converged
    np.testing.assert_allclose(reproduced(found), start @ start.T, atol=REPRODUCED)
    np.testing.assert_allclose(np.diag(found.factor_correlations), 1.0, atol=REPRODUCED)
    np.testing.assert_allclose(start @ np.linalg.inv(found.transform).T, found.loadings, atol=REPRODUCED)
    np.testing.assert_allclose(found.transform.T @ found.transform, found.factor_correlations, atol=REPRODUCED)
    if rotation in {"none", "varimax"}:
        np.testing.assert_array_equal(found.factor_correlations, np.eye(3))
    assert not found.loadings.flags.writeable


def test_oblimin_finds_a_planted_simple_structure():
    found = arrange(rotate(unrotated(SIMPLE, PHI), "oblimin"))
    order = np.argmax(np.abs(found.loadings[::4]), axis=1)
    np.testing.assert_allclose(found.loadings[:, order], SIMPLE, atol=1e-6)
    np.testing.assert_allclose(found.factor_correlations[np.ix_(order, order)], PHI, atol=1e-6)
    assert found.criterion == pytest.approx(0, abs=1e-12)


def test_varimax_undoes_a_rotation_of_simple_structure():
    angle = np.linalg.qr(np.random.default_rng(5).standard_normal((3, 3)))[0]
    found = arrange(rotate(SIMPLE @ angle, "varimax"))
    np.testing.assert_allclose(np.sort(np.abs(found.loadings), axis=1)[:, :2], 0, atol=1e-6)


def test_varimax_of_two_factors_against_every_angle():
    start = np.random.default_rng(6).uniform(-0.8, 0.8, (9, 2))
    found = rotate(start, "varimax", kaiser=False)
    turns = [np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) for a in np.linspace(0, np.pi / 2, 2000)]
    assert found.criterion <= min(varimax_criterion(start @ turn)[0] for turn in turns) + 1e-12


@pytest.mark.parametrize("rotation", ["oblimin", "geomin"])
def test_oblique_criterion_is_not_above_varimax_or_random_neighbours(rotation):
    criterion = {"oblimin": oblimin_criterion, "geomin": geomin_criterion}[rotation]
    start = unrotated(SIMPLE + 0.15 * np.random.default_rng(7).standard_normal(SIMPLE.shape), PHI)
    found = rotate(start, rotation)
    assert found.criterion <= criterion(rotate(start, "varimax").loadings)[0]
    generator = np.random.default_rng(8)
    for _ in range(200):
        near = found.transform + 0.01 * generator.standard_normal((3, 3))
        near = near / np.linalg.norm(near, axis=0)
        assert criterion(start @ np.linalg.inv(near).T)[0] >= found.criterion


def test_random_starts_need_a_generator_and_agree():
    start = unrotated(SIMPLE, PHI)
    with pytest.raises(ValueError, match="generator"):
        rotate(start, "oblimin", random_starts=3)
    found = rotate(start, "oblimin", random_starts=6, generator=np.random.default_rng(1))
    assert found.starts == 8
    assert 1 <= found.agreeing <= 8
    assert found.criterion <= rotate(start, "oblimin").criterion + 1e-12


def test_limit_is_a_flag_and_unknown_names_are_refused():
    start = unrotated(SIMPLE, PHI)
    assert not rotate(start, "geomin", max_iterations=1).converged
    with pytest.raises(ValueError, match="unknown rotation"):
        rotate(start, "quartimax")


def test_one_factor_and_an_item_without_common_variance():
    alone = rotate(SIMPLE[:, :1], "oblimin")
    np.testing.assert_array_equal(alone.loadings, SIMPLE[:, :1])
    assert np.isnan(alone.criterion)
    with_empty = np.vstack([unrotated(SIMPLE, PHI), np.zeros(3)])
    for rotation in ROTATIONS:
        found = rotate(with_empty, rotation)
        assert np.isfinite(found.loadings).all()
        np.testing.assert_allclose(found.loadings[-1], 0, atol=1e-14)


@settings(max_examples=60, deadline=None)
@given(st.permutations(range(3)), st.tuples(*[st.sampled_from([-1.0, 1.0])] * 3), st.integers(0, 10_000))
def test_arrangement_does_not_depend_on_how_factors_came(order, signs, seed):
    generator = np.random.default_rng(seed)
    pattern = generator.uniform(-0.3, 0.9, (7, 3))
    whole = Rotation(pattern, PHI, np.linalg.cholesky(PHI).T, 0.0, 1, 0.0, True)
    moved = Rotation(
        pattern[:, order] * signs,
        PHI[np.ix_(order, order)] * np.outer(signs, signs),
        whole.transform[:, order] * signs,
        0.0,
        1,
        0.0,
        True,
    )
    one, other = arrange(whole), arrange(moved)
    np.testing.assert_allclose(one.loadings, other.loadings, atol=REPRODUCED)
    np.testing.assert_allclose(one.factor_correlations, other.factor_correlations, atol=REPRODUCED)
    np.testing.assert_allclose(reproduced(one), pattern @ PHI @ pattern.T, atol=REPRODUCED)
    np.testing.assert_allclose(one.transform.T @ one.transform, one.factor_correlations, atol=REPRODUCED)
    explained = variance_explained(one.loadings, one.factor_correlations)
    assert (np.diff(explained) <= 0).all()
    assert explained.sum() == pytest.approx(np.trace(reproduced(one)))
    assert (one.loadings.sum(axis=0) >= 0).all()
