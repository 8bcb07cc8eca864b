"""Target, bifactor and other rotations by second roads: slopes, planted structures, closed forms, other starts."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from sipas_research.numerics.rotation import (
    ROTATIONS,
    TARGETED,
    arrange,
    gradient_projection,
    promax,
    rotate,
)
from sipas_research.numerics.rotation_criteria import (
    bifactor_criterion,
    geomin_criterion,
    oblimin_criterion,
    target_criterion,
    varimax_criterion,
)

SLOPE = 1e-6  # numerical slopes with steps of 1e-7
REPRODUCED = 1e-12  # only rounding stands between two descriptions of the same solution
FOUND = 1e-6  # a projected gradient of 1e-8 over curvatures of about a hundredth
SIMPLE = np.kron(np.eye(3), np.array([[0.8], [0.7], [0.6], [0.5]]))
PHI = np.array([[1, 0.4, 0.3], [0.4, 1, 0.5], [0.3, 0.5, 1.0]])
#: A general factor and three groups of items: an orthogonal bifactor structure.
BIFACTOR = np.hstack([np.linspace(0.5, 0.8, 12)[:, None], 0.6 * SIMPLE])


def unrotated(pattern: np.ndarray, phi: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(pattern @ phi @ pattern.T)
    size = pattern.shape[1]
    return vectors[:, : -size - 1 : -1] * np.sqrt(values[: -size - 1 : -1])


def rough(seed: int) -> np.ndarray:
    return unrotated(SIMPLE + 0.1 * np.random.default_rng(seed).standard_normal(SIMPLE.shape), PHI)


def spread_target(shape: tuple[int, int], seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return np.where(generator.random(shape) < 0.6, generator.uniform(-0.5, 0.8, shape), np.nan)


@pytest.mark.parametrize("shape", [(6, 2), (12, 4)])
def test_analytic_slopes_equal_numerical_ones(shape):
    target = spread_target(shape, 4)
    given = ~np.isnan(target)
    place = np.random.default_rng(shape[0]).uniform(-0.9, 0.9, shape)
    for criterion in (bifactor_criterion, lambda loadings: target_criterion(loadings, np.nan_to_num(target), given)):
        numerical = approx_fprime(place.ravel(), lambda flat, f=criterion: f(flat.reshape(shape))[0], 1e-7)
        np.testing.assert_allclose(criterion(place)[1].ravel(), numerical, atol=SLOPE)


def test_bifactor_criterion_leaves_the_general_factor_alone():
    place = np.random.default_rng(2).uniform(-0.9, 0.9, (8, 3))
    moved = place.copy()
    moved[:, 0] += 1.0
    assert bifactor_criterion(place)[0] == bifactor_criterion(moved)[0] == oblimin_criterion(place[:, 1:])[0]


@pytest.mark.parametrize(("rotation", "oblique"), [("target", True), ("target_orthogonal", False)])
def test_target_rotation_changes_nothing_that_is_reproduced(rotation, oblique):
    start, target = rough(3), spread_target((12, 3), 5)
    found = rotate(start, rotation, target=target)
    assert found.converged
    phi = found.factor_correlations
    np.testing.assert_allclose(found.loadings @ phi @ found.loadings.T, start @ start.T, atol=REPRODUCED)
    np.testing.assert_allclose(start @ np.linalg.inv(found.transform).T, found.loadings, atol=REPRODUCED)
    assert (np.abs(phi - np.eye(3)).max() > 0.01) == oblique


def test_full_orthogonal_target_is_the_procrustes_rotation():
    start = rough(6)
    target = SIMPLE[:, [2, 0, 1]] * [1, -1, 1]
    left, _, right = np.linalg.svd(start.T @ target)
    found = rotate(start, "target_orthogonal", target=target)
    np.testing.assert_allclose(found.loadings, start @ left @ right, atol=FOUND)


def test_oblique_target_of_zeros_finds_a_planted_structure_in_the_targets_order():
    target = np.where(SIMPLE[:, [1, 2, 0]] > 0, np.nan, 0.0)
    found = rotate(unrotated(SIMPLE, PHI), "target", target=target)
    assert found.criterion == pytest.approx(0, abs=1e-14)
    signs = np.sign(found.loadings.sum(axis=0))
    np.testing.assert_allclose(found.loadings * signs, SIMPLE[:, [1, 2, 0]], atol=FOUND)
    phi = found.factor_correlations * np.outer(signs, signs)
    np.testing.assert_allclose(phi, PHI[np.ix_([1, 2, 0], [1, 2, 0])], atol=FOUND)


def test_bifactor_finds_a_planted_structure_and_keeps_the_general_factor_first():
    found = rotate(unrotated(BIFACTOR, np.eye(4)), "bifactor", random_starts=10, generator=np.random.default_rng(3))
    found = arrange(found, fixed=1)
    order = [0, *(1 + np.argmax(np.abs(found.loadings[::4, 1:]), axis=1))]
    np.testing.assert_allclose(found.loadings[:, order], BIFACTOR, atol=FOUND)
    assert found.criterion == pytest.approx(0, abs=1e-12)
    # where the general factor explains less than a group factor, it still comes first
    weak = np.hstack([0.2 * np.ones((12, 1)), SIMPLE[:, :2]])
    kept = arrange(rotate(weak, "none"), fixed=1)
    np.testing.assert_array_equal(kept.loadings[:, 0], weak[:, 0])


@pytest.mark.parametrize("seed", [7, 8, 9])
def test_oblique_bifactor_is_not_above_the_orthogonal_one(seed):
    start = unrotated(BIFACTOR + 0.05 * np.random.default_rng(seed).standard_normal(BIFACTOR.shape), np.eye(4))
    generators = (np.random.default_rng(1), np.random.default_rng(1))
    flat, slanted = (
        rotate(start, name, random_starts=6, generator=generator)
        for name, generator in zip(("bifactor", "bifactor_oblique"), generators, strict=True)
    )
    assert slanted.criterion <= flat.criterion + 1e-9


def test_orthogonal_geomin_of_two_factors_against_every_angle():
    start = np.random.default_rng(6).uniform(-0.8, 0.8, (9, 2))
    found = rotate(start, "geomin_orthogonal", random_starts=5, generator=np.random.default_rng(1))
    turns = [np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) for a in np.linspace(0, np.pi, 3000)]
    assert found.criterion <= min(geomin_criterion(start @ turn)[0] for turn in turns) + 1e-12


def test_quartimin_is_oblimin_without_gamma():
    start = rough(10)
    np.testing.assert_array_equal(rotate(start, "quartimin", gamma=-2.0).loadings, rotate(start, "oblimin").loadings)
    assert np.abs(rotate(start, "oblimin", gamma=-2.0).loadings - rotate(start, "oblimin").loadings).max() > 0.01


def test_promax_of_spss_takes_its_target_from_normalised_rows():
    start = rough(11)
    flat = rotate(start, "varimax").loadings
    lengths = np.sqrt((flat**2).sum(axis=1))[:, None]
    target = np.abs(flat / lengths) ** 5 * (lengths / flat)  # as SPSS prints it: |a / h|^(k + 1) h / a with k = 4
    bent = np.linalg.lstsq(flat, target, rcond=None)[0]
    bent = bent * np.sqrt(np.diag(np.linalg.inv(bent.T @ bent)))
    found = rotate(start, "promax_spss")
    np.testing.assert_allclose(found.loadings, flat @ bent, atol=REPRODUCED)
    inverse = np.linalg.inv(bent)
    np.testing.assert_allclose(found.factor_correlations, inverse @ inverse.T, atol=REPRODUCED)
    assert np.abs(found.loadings - rotate(start, "promax").loadings).max() > 1e-4


def test_promax_with_power_one_stays_where_varimax_is():
    flat = rotate(rough(12), "varimax")
    np.testing.assert_allclose(promax(flat, 1.0).loadings, flat.loadings, atol=REPRODUCED)


@pytest.mark.parametrize(
    ("criterion", "oblique"),
    [
        (varimax_criterion, False),  # an oblique varimax has no minimum: factors collapse
        (oblimin_criterion, False),
        (oblimin_criterion, True),
        (geomin_criterion, False),
        (geomin_criterion, True),
    ],
)
def test_a_search_ends_where_no_small_step_lowers_the_criterion(criterion, oblique):
    start = rough(13)
    found = gradient_projection(start, criterion, np.eye(3), oblique)
    assert found.converged
    generator = np.random.default_rng(14)
    for _ in range(100):
        near = found.transform + 1e-3 * generator.standard_normal((3, 3))
        if oblique:
            near = near / np.linalg.norm(near, axis=0)
        else:
            left, _, right = np.linalg.svd(near)
            near = left @ right
        assert criterion(start @ np.linalg.inv(near).T)[0] >= found.criterion - 1e-13


def test_different_minima_are_counted():
    start = rough(15)
    one = rotate(start, "oblimin", random_starts=10, generator=np.random.default_rng(1))
    assert (one.minima, one.starts) == (1, 12)
    assert one.agreeing == 12
    # pure noise has no simple structure: geomin then has many valleys
    noise = np.random.default_rng(16).uniform(-0.7, 0.7, (10, 4))
    many = rotate(noise, "geomin", random_starts=30, generator=np.random.default_rng(1))
    assert many.minima > 1
    assert many.agreeing < many.starts
    alone = rotate(noise, "geomin")
    assert many.criterion <= alone.criterion + 1e-12


def test_what_does_not_fit_is_refused():
    start = rough(17)
    for rotation in TARGETED:
        with pytest.raises(ValueError, match="need one"):
            rotate(start, rotation)
    for rotation in ROTATIONS:
        with pytest.raises(ValueError, match="target belongs"):
            rotate(start, rotation, target=SIMPLE)
