"""The likelihood of incomplete rows against its definition row by row, and its derivatives against differences."""

from __future__ import annotations

import numpy as np
import pytest

from sipas_research.numerics.em_moments import saturated_moments
from sipas_research.numerics.hole_likelihood import hole_curvature, hole_point, lower
from sipas_research.numerics.hole_patterns import hole_codes, patterns_of
from sipas_research.numerics.hole_scores import hole_scores


@pytest.fixture(params=[False, True], ids=["plain", "weighted"])
def rows(request):
    rng = np.random.default_rng(5)
    values = rng.normal(size=(240, 4)) @ rng.normal(size=(4, 4)) + [1.0, 2.0, 3.0, 4.0]
    values[rng.random(values.shape) < 0.35] = np.nan
    values = values[~np.isnan(values).all(axis=1)]
    return values, rng.random(len(values)) + 0.5 if request.param else None


@pytest.fixture
def place():
    root = np.random.default_rng(8).normal(size=(4, 9))
    return np.array([0.8, 2.1, 2.9, 4.2]), root @ root.T / 9


def by_rows(values, weights, mean, cov):
    weights = np.ones(len(values)) if weights is None else weights
    total = 0.0
    for row, weight in zip(values, weights, strict=True):
        there = ~np.isnan(row)
        away, inner = (row - mean)[there], cov[np.ix_(there, there)]
        total += weight * (np.linalg.slogdet(inner)[1] + away @ np.linalg.solve(inner, away))
    return total / weights.sum()


def packed(mean, cov):
    return np.concatenate([mean, cov[lower(len(mean))]])


def unpacked(theta):
    rows, columns = lower(4)
    cov = np.zeros((4, 4))
    cov[rows, columns] = cov[columns, rows] = theta[4:]
    return theta[:4], cov


def slope(patterns, theta):
    point = hole_point(patterns, *unpacked(theta))
    rows, columns = lower(4)
    return np.concatenate([-2.0 * point.pull, np.where(rows == columns, 1.0, 2.0) * point.slope[rows, columns]])


def test_value_is_the_sum_over_rows(rows, place):
    assert hole_point(patterns_of(*rows), *place).value == pytest.approx(by_rows(*rows, *place), rel=1e-13)


def test_slope_and_curvature_are_those_of_differences(rows, place):
    patterns, theta, reach = patterns_of(*rows), packed(*place), 1e-6
    steps = reach * np.eye(len(theta))
    values = [by_rows(*rows, *unpacked(theta + s)) - by_rows(*rows, *unpacked(theta - s)) for s in steps]
    np.testing.assert_allclose(slope(patterns, theta), np.array(values) / (2 * reach), atol=1e-7)
    turned = [slope(patterns, theta + s) - slope(patterns, theta - s) for s in steps]
    np.testing.assert_allclose(
        hole_curvature(patterns, *place, observed=True), np.array(turned) / (2 * reach), atol=1e-7
    )


def test_expected_curvature_is_that_of_rows_drawn_from_the_moments(place):
    rng = np.random.default_rng(3)
    mean, cov = place
    values = rng.multivariate_normal(mean, cov, size=40_000)
    values[rng.random(values.shape) < 0.3] = np.nan
    values = values[~np.isnan(values).all(axis=1)]
    patterns = patterns_of(values)
    expected, observed = (hole_curvature(patterns, mean, cov, observed=each) for each in (False, True))
    scale = np.sqrt(np.diag(expected))
    assert np.abs((expected - observed) / scale / scale[:, None]).max() < 0.05


def test_scores_add_up_to_the_slope(rows, place):
    values, weights = rows
    there, code = hole_codes(values)
    weights = np.ones(len(values)) if weights is None else weights
    total, seen = 0.0, []
    for numbers, scores in hole_scores(values, there, code, *place):
        total = total + weights[numbers] @ scores
        seen += numbers.tolist()
    assert sorted(seen) == list(range(len(values)))
    np.testing.assert_allclose(
        -2.0 * total / weights.sum(), slope(patterns_of(*rows), packed(*place)), rtol=1e-10, atol=1e-12
    )


def test_likeliest_moments_leave_no_slope(rows):
    patterns = patterns_of(*rows)
    found = saturated_moments(patterns)
    assert found.converged
    assert np.abs(slope(patterns, packed(found.mean, found.cov))).max() < 1e-7
    assert np.linalg.eigvalsh(hole_curvature(patterns, found.mean, found.cov, observed=True))[0] > 0


def test_complete_rows_have_their_own_moments():
    values = np.random.default_rng(2).normal(size=(60, 3))
    found = saturated_moments(patterns_of(values))
    np.testing.assert_allclose(found.mean, values.mean(axis=0), atol=1e-10)
    np.testing.assert_allclose(found.cov, np.cov(values.T, bias=True), atol=1e-8)


def test_patterns_count_rows_and_values(rows):
    values, weights = rows
    patterns = patterns_of(values, weights)
    weights = np.ones(len(values)) if weights is None else weights
    assert patterns.total == pytest.approx(weights.sum())
    assert patterns.values == pytest.approx(weights @ (~np.isnan(values)).sum(axis=1))
    assert sum(float(batch.weight.sum()) for batch in patterns.batches) == pytest.approx(weights.sum())


def test_no_place_outside_the_parameter_space(rows):
    patterns = patterns_of(*rows)
    assert hole_point(patterns, np.zeros(4), -np.eye(4)) is None
    assert hole_curvature(patterns, np.zeros(4), -np.eye(4), observed=True) is None
