"""Signs of careless answering by definition: runs, straight lines, distances, halves."""

import itertools

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis
from scipy.stats import chi2, chi2_contingency

from sipas_research.numerics.careless import (
    even_odd_consistency,
    homogeneity,
    is_straight,
    longest_run,
    mahalanobis_tail,
)

GAP = np.nan


def test_longest_run_counts_as_itertools_does():
    generator = np.random.default_rng(1)
    values = generator.integers(1, 4, (200, 12)).astype(float)
    expected = [max(len(list(block)) for _, block in itertools.groupby(row)) for row in values]
    assert longest_run(values).tolist() == expected


def test_a_run_goes_on_over_a_gap():
    values = np.array([[3, 3, GAP, 3, 2], [GAP, GAP, 1, 1, 2], [GAP] * 5, [1, 2, 1, 2, 1]])
    assert longest_run(values).tolist() == [3, 2, 0, 1]


def test_straight_lines_need_enough_answers():
    values = np.array([[4, 4, 4, 4], [4, 4, GAP, GAP], [4, 4, 4, 5], [GAP] * 4])
    checked, marked = is_straight(values, fewest=3)
    assert checked.tolist() == [True, False, True, False]
    assert marked.tolist() == [True, False, False, False]
    assert is_straight(np.empty((2, 0)), fewest=1)[0].tolist() == [False, False]


def test_mahalanobis_is_that_of_scipy():
    generator = np.random.default_rng(2)
    values = generator.standard_normal((60, 4)) @ generator.standard_normal((4, 4))
    inverse = np.linalg.inv(np.cov(values.T))
    distances = [mahalanobis(row, values.mean(axis=0), inverse) ** 2 for row in values]
    np.testing.assert_allclose(mahalanobis_tail(values), chi2.sf(distances, 4), rtol=1e-9)


def test_mahalanobis_of_normal_rows_marks_its_nominal_share():
    tails = mahalanobis_tail(np.random.default_rng(3).standard_normal((20_000, 5)))
    assert (tails < 0.05).mean() == pytest.approx(0.05, abs=0.006)


def test_mahalanobis_leaves_out_what_has_no_distance():
    generator = np.random.default_rng(4)
    values = np.column_stack([generator.standard_normal((30, 3)), np.full(30, 2.0)])
    values[0, 1] = GAP
    tails = mahalanobis_tail(values)
    assert np.isnan(tails[0])
    assert np.isfinite(tails[1:]).all()
    assert np.isnan(mahalanobis_tail(np.column_stack([values[1:, 0], values[1:, 0]]))).all()
    assert np.isnan(mahalanobis_tail(values[:2])).all()
    assert np.isnan(mahalanobis_tail(np.ones((20, 3)))).all()


def test_even_odd_by_hand():
    scales = [[0, 1], [2, 3, 4], [5, 6]]
    row = np.array([[1, 2, 4, 5, 5, 3, 1.0]])
    odd, even = [1, 4.5, 3], [2, 5, 1]
    r = np.corrcoef(odd, even)[0, 1]
    assert even_odd_consistency(row, scales)[0] == pytest.approx(2 * r / (1 + r))


def test_even_odd_where_it_does_not_exist_or_is_negative():
    scales = [[0, 1], [2, 3], [4, 5]]
    rows = np.array([[3, 3, 3, 3, 3, 3], [1, 5, 3, 3, 5, 1], [GAP, GAP, 1, 2, 3, 4], [1, 1, 3, 3, 5, 5.0]])
    found = even_odd_consistency(rows, scales)
    assert np.isnan(found[0])
    assert found[1] == 0
    assert np.isnan(found[2])
    assert found[3] == pytest.approx(1)
    assert np.isnan(even_odd_consistency(rows, scales[:2])).all()
    assert np.isnan(even_odd_consistency(rows, [[0], [1], [2]])).all()


def test_careful_people_are_consistent_and_random_ones_are_not():
    generator = np.random.default_rng(5)
    scales = [range(4 * k, 4 * k + 4) for k in range(8)]
    traits = np.repeat(generator.normal(3, 1, (300, 8)), 4, axis=1)
    careful = np.clip(np.rint(traits + 0.5 * generator.standard_normal((300, 32))), 1, 5)
    careless = generator.integers(1, 6, (300, 32)).astype(float)
    assert (even_odd_consistency(careful, scales) < 0.3).mean() < 0.02
    assert (even_odd_consistency(careless, scales) < 0.3).mean() > 0.4


def test_homogeneity_is_the_chi_square_of_the_table():
    hits, sizes = np.array([12, 20, 30]), np.array([100, 110, 120])
    expected = chi2_contingency(np.vstack([hits, sizes - hits]), correction=False)
    assert homogeneity(hits, sizes) == pytest.approx((expected.statistic, 2, expected.pvalue))
    with_empty = homogeneity(np.append(hits, 0), np.append(sizes, 0))
    assert with_empty == pytest.approx((expected.statistic, 2, expected.pvalue))


@pytest.mark.parametrize(("hits", "sizes"), [([5], [50]), ([0, 0], [50, 50]), ([1, 0], [50, 50]), ([], [])])
def test_homogeneity_is_silent_where_it_cannot_speak(hits, sizes):
    statistic, _, p = homogeneity(np.array(hits, dtype=int), np.array(sizes, dtype=int))
    assert np.isnan(statistic)
    assert np.isnan(p)
