"""Newton's search for minimum residuals: its derivatives, its end, and where it hands over."""

import numpy as np
import pytest

from sipas_research.numerics.extraction import LOWEST_UNIQUENESS, extract, minres_discrepancy
from sipas_research.numerics.minres_newton import minres_point, newton_minres

LOWEST = float(np.log(LOWEST_UNIQUENESS))


def correlations(seed: int, items: int, factors: int, rows: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    loadings = generator.uniform(-0.8, 0.8, (items, factors))
    values = generator.standard_normal((rows, factors)) @ loadings.T + generator.standard_normal((rows, items))
    return np.corrcoef(values.T)


@pytest.mark.parametrize(("items", "factors"), [(6, 1), (9, 3), (22, 5)])
def test_derivatives_are_those_of_the_discrepancy(items: int, factors: int) -> None:
    matrix = correlations(items, items, factors, 200)
    place = np.random.default_rng(2).uniform(-1.5, -0.3, items)
    point = minres_point(place, matrix, factors)
    value, slope = minres_discrepancy(place, matrix, factors)
    assert point.value == pytest.approx(value, rel=1e-13)
    np.testing.assert_allclose(point.slope, slope, atol=1e-14)
    shifts = 1e-5 * np.eye(items)
    bent = [
        (minres_discrepancy(place + h, matrix, factors)[1] - minres_discrepancy(place - h, matrix, factors)[1]) / 2e-5
        for h in shifts
    ]
    np.testing.assert_allclose(point.curvature, bent, atol=2e-9)


@pytest.mark.parametrize("seed", range(6))
def test_it_ends_where_no_slope_is_left_and_every_curvature_is_upward(seed: int) -> None:
    matrix = correlations(seed, 10, 2, 500)
    point, steps = newton_minres(matrix, 2, np.full(10, -0.5), lowest=LOWEST, max_iterations=50)
    value, slope = minres_discrepancy(point.place, matrix, 2)
    assert np.abs(slope).max() < 1e-10
    assert np.linalg.eigvalsh(point.curvature)[0] > 0
    assert steps < 15
    generator = np.random.default_rng(seed)
    near = [minres_discrepancy(point.place + 0.05 * generator.standard_normal(10), matrix, 2)[0] for _ in range(50)]
    assert min(near) > value


def test_a_unique_variance_that_runs_to_its_bound_is_left_to_the_bounded_search() -> None:
    matrix = np.array([[1.0, 0.9, 0.8, 0.2], [0.9, 1.0, 0.5, 0.1], [0.8, 0.5, 1.0, 0.1], [0.2, 0.1, 0.1, 1.0]])
    assert newton_minres(matrix, 1, np.full(4, -1.0), lowest=LOWEST, max_iterations=50) is None
    found = extract(matrix, 1, "minres")
    assert found.at_bound.tolist() == [True, False, False, False]
    assert found.converged


def test_factors_that_are_not_there_are_left_to_the_bounded_search() -> None:
    apart = np.array([-0.5, -0.1, -0.1, -0.1, -0.1])
    assert minres_point(apart, np.eye(5), 1) is not None
    assert minres_point(np.full(5, -0.1), np.eye(5), 1) is None
    assert minres_point(np.full(5, 0.5), np.eye(5), 1) is None
    assert newton_minres(np.eye(5), 1, np.full(5, 0.5), lowest=LOWEST, max_iterations=50) is None
