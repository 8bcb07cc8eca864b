"""Polychoric and polyserial correlations given predictors: against tables, likelihood and truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import multivariate_normal, norm

from sipas_research.numerics.ordered_regression import continuous_margin, ordered_margin
from sipas_research.numerics.pair_correlation import ordered_pairs, pair_fit
from sipas_research.numerics.polychoric import polychorics_of

CUTS = (-1.0, 0.2, 1.1)


def drawn(rho: float, slope: float, rows: int = 4000, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    outside = rng.normal(size=(rows, 1))
    rest = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], rows)
    return slope * outside[:, 0] + rest[:, 0], 0.5 * slope * outside[:, 0] + rest[:, 1], outside


def coded(values: np.ndarray) -> np.ndarray:
    return np.searchsorted(CUTS, values).astype(np.intp)


@pytest.mark.parametrize("rho", [-0.8, -0.2, 0.0, 0.5, 0.95])
def test_without_predictors_it_is_the_polychoric_correlation(rho: float) -> None:
    x, y, _ = drawn(rho, 0.0)
    none, ones = np.zeros((len(x), 0)), np.ones(len(x))
    one, other = (ordered_margin(coded(each), 4, none, ones) for each in (x, y))
    assert one is not None
    assert other is not None
    found = pair_fit(one, other, none, ones, np.zeros(len(x), dtype=np.intp))
    assert found.correlation == pytest.approx(polychorics_of([coded(x), coded(y)]).correlation[0, 1], abs=1e-9)
    assert abs(found.score.sum()) < 1e-6 * np.abs(found.score).sum()


@pytest.mark.parametrize("rho", [-0.6, 0.4, 0.9])
def test_the_start_does_not_matter(rho: float) -> None:
    x, y, outside = drawn(rho, 0.7)
    ones, pattern = np.ones(len(x)), np.arange(len(x))
    margins = [ordered_margin(coded(each), 4, outside, ones) for each in (x, y)]
    found = [
        ordered_pairs([tuple(margins)], outside, ones, pattern, None if start is None else np.array([start]))[0]
        for start in (None, -0.9, 0.0, rho)
    ]
    values = [each.correlation for each in found]
    np.testing.assert_allclose(values, values[0], atol=1e-8)
    np.testing.assert_allclose(found[1].score, found[3].score, rtol=1e-6, atol=1e-6)
    assert values[0] == pytest.approx(rho, abs=0.05)


def test_the_likelihood_is_highest_there() -> None:
    x, y, outside = drawn(0.5, 0.7, rows=60)
    ones = np.ones(60)
    one, other = (ordered_margin(coded(each), 4, outside, ones) for each in (x, y))
    found = pair_fit(one, other, outside, ones, np.arange(60)).correlation

    def surprise(rho: float) -> float:
        joint = multivariate_normal([0, 0], [[1, rho], [rho, 1]])
        total = 0.0
        for row in range(60):
            corners = [
                joint.cdf([a, b])
                for a in (one.upper[row], one.lower[row])
                for b in (other.upper[row], other.lower[row])
            ]
            total -= np.log(corners[0] - corners[1] - corners[2] + corners[3])
        return total

    assert minimize_scalar(surprise, bounds=(-0.9, 0.95), method="bounded").x == pytest.approx(found, abs=2e-4)


@pytest.mark.parametrize("rho", [-0.7, 0.1, 0.6])
def test_polyserial_correlations(rho: float) -> None:
    x, y, outside = drawn(rho, 0.5)
    ones = np.ones(len(x))
    one, other = ordered_margin(coded(x), 4, outside, ones), continuous_margin(3 * y + 2, outside, ones)
    assert one is not None
    assert other is not None
    found = pair_fit(one, other, outside, ones, np.arange(len(x)))
    assert found.correlation == pytest.approx(rho, abs=0.04)

    def surprise(value: float) -> float:
        spread = np.sqrt(1 - value**2)
        high, low = ((limit - value * other.upper) / spread for limit in (one.upper, one.lower))
        return -float(np.log(norm.cdf(high) - norm.cdf(low)).sum())

    best = minimize_scalar(surprise, bounds=(-0.95, 0.95), method="bounded", options={"xatol": 1e-9}).x
    assert found.correlation == pytest.approx(best, abs=1e-5)
    turned = pair_fit(other, one, outside, ones, np.arange(len(x)))
    assert turned.correlation == pytest.approx(found.correlation, abs=1e-12)
    np.testing.assert_allclose(turned.across[0], found.across[1])


def test_probit_slopes_and_thresholds() -> None:
    x, _, outside = drawn(0.3, 0.7, rows=20000)
    found = ordered_margin(coded(x), 4, outside, np.ones(len(x)))
    assert found is not None
    assert found.slopes[0] == pytest.approx(0.7, abs=0.03)
    np.testing.assert_allclose(found.cuts, CUTS, atol=0.04)
    np.testing.assert_allclose(found.scores.sum(axis=0), 0, atol=1e-6)


def test_answers_that_a_predictor_separates_have_no_regression() -> None:
    outside = np.linspace(-1, 1, 50)[:, None]
    codes = (outside[:, 0] > 0).astype(np.intp)
    assert ordered_margin(codes, 2, outside, np.ones(50)) is None
