"""Numbers behind the criteria for the number of factors: closed forms, slow second roads, known populations."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sipas_research.numerics.correlation import correlation, eigenvalues
from sipas_research.numerics.retention import (
    acceleration,
    average_partials,
    common_part,
    criterion_eigenvalues,
    empirical_kaiser_reference,
    hull,
    leading_above,
    normal_eigenvalues,
    permuted_eigenvalues,
)

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "factors"
CLOSED_FORM = 1e-10  # no iteration on either side; 12 digits are stored
DRAWN = 0.03  # four standard errors of a mean of 400 largest eigenvalues, whose spread is about 0.15


@pytest.fixture(scope="module")
def observed() -> np.ndarray:
    return correlation(pd.read_csv(REFERENCE / "items.csv").to_numpy(float))


def test_average_partials_equal_those_of_psych(observed):
    expected = json.loads((REFERENCE / "efa.json").read_text(encoding="utf-8"))["map"]
    found = average_partials(observed).squared
    np.testing.assert_allclose(found[1 : len(expected) + 1], expected, rtol=CLOSED_FORM)


def test_average_partials_by_regression_on_components():
    answers = np.random.default_rng(1).standard_normal((60, 5)) @ np.random.default_rng(2).standard_normal((5, 5))
    standard = (answers - answers.mean(axis=0)) / answers.std(axis=0)
    found = average_partials(correlation(answers))
    for taken in range(4):
        components = np.linalg.svd(standard, full_matrices=False)[0][:, :taken]
        left = standard - components @ (components.T @ standard)
        pairs = np.corrcoef(left.T)[np.triu_indices(5, 1)]
        assert found.squared[taken] == pytest.approx(np.mean(pairs**2), rel=1e-9)
        assert found.fourth[taken] == pytest.approx(np.mean(pairs**4), rel=1e-9)


def test_average_partials_stop_where_nothing_is_left():
    twice = np.array([[1, 1, 0.0], [1, 1, 0.0], [0.0, 0.0, 1]])
    found = average_partials(twice)
    assert found.squared[0] == pytest.approx(1 / 3)
    assert np.isnan(found.squared[1])


@pytest.mark.parametrize(("rows", "items"), [(200, 8), (9, 8), (8, 8), (6, 8)])
def test_wishart_draws_have_the_eigenvalues_of_drawn_answers(rows, items):
    generator = np.random.default_rng(3)
    slow = [np.linalg.eigvalsh(np.corrcoef(generator.standard_normal((rows, items)).T))[::-1] for _ in range(400)]
    fast = normal_eigenvalues(rows, items, 400, np.random.default_rng(4), "pca")
    spread = np.std(slow, axis=0) / np.sqrt(400) * np.sqrt(2)
    assert (np.abs(np.mean(slow, axis=0) - fast.mean(axis=0)) < 4.5 * spread + 1e-9).all()
    np.testing.assert_allclose(np.std(slow, axis=0), fast.std(axis=0), rtol=0.25, atol=1e-9)
    np.testing.assert_allclose(fast.sum(axis=1), items, rtol=1e-10)


def test_chunks_do_not_change_what_is_drawn_per_matrix(monkeypatch):
    whole = normal_eigenvalues(100, 6, 40, np.random.default_rng(5), "pca")
    monkeypatch.setattr("sipas_research.numerics.retention.CHUNK", 6 * 6 * 7)
    pieces = normal_eigenvalues(100, 6, 40, np.random.default_rng(5), "pca")
    assert pieces.shape == whole.shape
    np.testing.assert_allclose(pieces.mean(axis=0), whole.mean(axis=0), atol=4 * 0.1 / np.sqrt(40))
    assert not pieces.flags.writeable


def test_shuffled_answers_lose_what_they_share_and_keep_their_own():
    trait = np.random.default_rng(6).standard_normal((300, 1))
    answers = np.round(trait + 0.5 * np.random.default_rng(7).standard_normal((300, 6)))
    seen = []

    def watched(values: np.ndarray) -> np.ndarray:
        seen.append(np.sort(values, axis=0))
        return correlation(values)

    found = permuted_eigenvalues(answers, 20, np.random.default_rng(8), "pca", watched)
    assert all(np.array_equal(each, np.sort(answers, axis=0)) for each in seen)
    assert eigenvalues(correlation(answers))[0] > 4
    assert found.max() < 1.6


def test_reduced_eigenvalues_by_hand(observed):
    reduced = np.array(observed)
    np.fill_diagonal(reduced, 1.0 - 1.0 / np.diag(np.linalg.inv(observed)))
    expected = np.linalg.eigvalsh(reduced)[::-1]
    np.testing.assert_allclose(criterion_eigenvalues(observed, "paf"), expected, rtol=1e-10, atol=1e-12)
    with pytest.raises(ValueError, match="unknown method"):
        criterion_eigenvalues(observed, "ica")


def test_leading_above_stops_at_the_first_that_fails():
    assert leading_above(np.array([3, 2, 0.5, 2.0]), np.ones(4)) == 2
    assert leading_above(np.array([1.0, 2]), np.ones(2)) == 0
    assert leading_above(np.array([2.0, 2]), np.ones(2)) == 2


def test_empirical_kaiser_reference_by_its_formula():
    values = np.array([3.2, 1.1, 0.9, 0.5, 0.3])
    first = (1 + np.sqrt(5 / 80)) ** 2
    expected = [first, first * 1.8 / 4, first * 0.7 / 3, first * (5 - 5.2) / 2, 0]
    np.testing.assert_allclose(empirical_kaiser_reference(values, 80), np.maximum(expected, 1.0), rtol=1e-12)


def test_acceleration_is_largest_before_the_bend():
    bends = acceleration(np.array([4, 3.5, 3, 0.5, 0.4, 0.3]))
    assert np.nanargmax(bends) == 3
    assert np.isnan(bends[[0, -1]]).all()


def test_hull_keeps_only_what_lies_above_its_neighbours():
    found = hull([0.0, 0.3, 0.9, 0.85, 0.95, 0.97], [0, 5, 9, 12, 14, 15])
    assert found.chosen == 2
    assert np.isnan(found.sharpness[[0, 1, 3, 4, 5]]).all()  # ends, points under the line, a worse fit with more
    assert found.sharpness[2] == pytest.approx((0.9 / 9) / (0.07 / 6))
    assert hull([0.0, 0.9], [0, 4]).chosen is None  # nothing comes after
    assert hull([0.5, 0.4, 0.3], [0, 4, 7]).chosen is None  # nothing fits better than no factor


def test_hull_chooses_a_solution_that_richer_ones_do_not_improve():
    # four factors fit perfectly, five no better: the paper's formula leaves the fourth without a value
    found = hull([0.0, 0.35, 0.59, 0.81, 1.0, 1.0], [0, 20, 39, 57, 74, 90])
    assert found.chosen == 4
    assert hull([0.0, np.nan, 0.9, 1.0], [0, 4, 7, 9]).chosen == 2
    # a rise of almost nothing to a tie is no bend
    assert hull([0.0, 0.998, 1.0, 1.0], [0, 8, 15, 21]).chosen == 1


def test_common_part_of_a_perfect_factor_is_a_half():
    loadings = np.full((6, 1), 0.7)
    matrix = loadings @ loadings.T
    np.fill_diagonal(matrix, 1.0)
    assert common_part(matrix, np.zeros((6, 0))) < 0.2
    noise = 1e-3 * np.random.default_rng(9).standard_normal((6, 6))
    near = matrix + (noise + noise.T) * (1 - np.eye(6))
    # without structure, squared residuals and squared partial residuals are alike: the measure is one half
    assert common_part(near, loadings) == pytest.approx(0.5, abs=0.01)
    assert np.isnan(common_part(np.ones((3, 3)), np.zeros((3, 0))))
