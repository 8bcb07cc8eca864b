"""Bias-corrected skewness and kurtosis against SciPy, and the cases where they do not exist."""

import math

import numpy as np
import pytest
from scipy import stats

from sipas_research.numerics.shape import excess_kurtosis, skewness


@pytest.mark.parametrize("n", [4, 5, 30, 400])
def test_same_as_scipy(n):
    values = np.random.default_rng(n).integers(1, 6, n).astype(float)
    values[0], values[1] = 1.0, 5.0
    assert skewness(values) == pytest.approx(stats.skew(values, bias=False), rel=1e-10, abs=1e-12)
    assert excess_kurtosis(values) == pytest.approx(stats.kurtosis(values, bias=False), rel=1e-10, abs=1e-12)


def test_hand_values():
    # 1, 2, 3, 4, 5: symmetric; G2 of five evenly spaced values is -1.2
    values = np.arange(1.0, 6.0)
    assert skewness(values) == pytest.approx(0.0, abs=1e-15)
    assert excess_kurtosis(values) == pytest.approx(-1.2)


def test_location_and_scale_do_not_matter():
    values = np.array([1.0, 1, 2, 4, 5, 5, 5])
    assert skewness(values * -2 + 7) == pytest.approx(-skewness(values))
    assert excess_kurtosis(values * -2 + 7) == pytest.approx(excess_kurtosis(values))


@pytest.mark.parametrize("values", [[], [3.0], [3.0, 4.0], [3.0] * 20])
def test_not_defined(values):
    assert math.isnan(skewness(np.array(values)))
    assert math.isnan(excess_kurtosis(np.array(values)))
