"""The bivariate normal distribution against closed forms, an independent integral and differences."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr

from sipas_research.numerics.bivariate_normal import density, density_slope, distribution_function, distribution_grid

EXACT = 1e-14  # Gauss-Legendre on 6, 12 or 20 points, and the series above 0.925
INTEGRAL = 1e-12  # what the integral beside it reaches
CORRELATIONS = (-1.0, -0.9999999, -0.97, -0.925, -0.9249, -0.6, -0.2, 0.0, 0.1, 0.31, 0.76, 0.93, 0.99, 0.9999, 1.0)


@pytest.mark.parametrize("rho", CORRELATIONS)
def test_quadrant(rho):
    assert distribution_function(0.0, 0.0, rho) == pytest.approx(0.25 + np.arcsin(rho) / (2 * np.pi), abs=EXACT)


@pytest.mark.parametrize("rho", CORRELATIONS)
def test_mirror_images_add_up(rho):
    generator = np.random.default_rng(1)
    x, y = generator.normal(scale=2.0, size=(2, 200))
    whole = distribution_function(x, y, rho) + distribution_function(x, -y, -rho)
    np.testing.assert_allclose(whole, ndtr(x), atol=EXACT)
    np.testing.assert_allclose(distribution_function(x, y, rho), distribution_function(y, x, rho), atol=EXACT)


def test_independence_and_perfect_correlation():
    x, y = np.meshgrid(np.linspace(-6, 6, 25), np.linspace(-6, 6, 25))
    np.testing.assert_allclose(distribution_function(x, y, 0.0), ndtr(x) * ndtr(y), atol=EXACT)
    np.testing.assert_allclose(distribution_function(x, y, 1.0), ndtr(np.minimum(x, y)), atol=EXACT)
    np.testing.assert_allclose(distribution_function(x, y, -1.0), np.maximum(ndtr(x) - ndtr(-y), 0.0), atol=EXACT)


@pytest.mark.parametrize("rho", [-0.95, -0.5, 0.2, 0.7, 0.9, 0.926, 0.98])
def test_an_integral_over_the_conditional_distribution(rho):
    spread = np.sqrt(1 - rho**2)
    for x, y in ((-1.5, 0.3), (0.0, 2.2), (1.1, 1.0), (-2.5, -2.6), (0.4, -0.4)):
        ridge = y / rho
        places = sorted({p for p in (ridge - spread, ridge, ridge + spread, -1.0) if -9 < p < x})
        integral = quad(
            lambda t, y=y: np.exp(-t * t / 2) / np.sqrt(2 * np.pi) * ndtr((y - rho * t) / spread),
            -9,
            x,
            points=places or None,
            epsabs=1e-14,
            epsrel=1e-13,
            limit=200,
        )[0]
        assert distribution_function(x, y, rho) == pytest.approx(integral, abs=INTEGRAL)


def test_infinite_ends():
    ends = np.array([-np.inf, np.inf, 0.3])
    expected = [[0.0, 0.0, 0.0], [0.0, 1.0, ndtr(0.3)], [0.0, ndtr(0.3), distribution_function(0.3, 0.3, 0.5)]]
    np.testing.assert_allclose(distribution_grid(ends[None], ends[None], np.array([0.5]))[0], expected, atol=EXACT)


def test_the_density_is_the_slope_by_the_correlation():
    generator = np.random.default_rng(2)
    x, y = generator.normal(scale=1.5, size=(2, 300))
    rho = generator.uniform(-0.9, 0.9, size=300)
    step = 1e-5
    slope = (distribution_function(x, y, rho + step) - distribution_function(x, y, rho - step)) / (2 * step)
    np.testing.assert_allclose(density(x, y, rho), slope, atol=1e-8)
    logarithm = (np.log(density(x, y, rho + step)) - np.log(density(x, y, rho - step))) / (2 * step)
    np.testing.assert_allclose(density_slope(x, y, rho), logarithm, rtol=1e-6, atol=1e-6)


def test_many_rows_are_the_same_as_one_at_a_time():
    generator = np.random.default_rng(3)
    x, y = generator.normal(size=(700, 4)), generator.normal(size=(700, 9))
    rho = generator.uniform(-1, 1, size=700)
    together = distribution_grid(x, y, rho)
    single = [distribution_grid(x[k : k + 1], y[k : k + 1], rho[k : k + 1])[0] for k in range(700)]
    np.testing.assert_array_equal(together, np.array(single))
