"""Ranks by a composite under other weights and other means."""

import numpy as np
import pytest

from sipas_research.numerics.composite_ranks import perturbed_weights, rank_range, weighted_means


def test_perturbed_weights_stay_within_their_range_and_add_up():
    own = np.array([0.5, 0.3, 0.2])
    drawn = perturbed_weights(own, 0.25, generator=np.random.default_rng(1), draws=2_000)
    assert drawn.sum(axis=1) == pytest.approx(np.ones(2_000))
    ratio = drawn / own
    assert ratio.max() <= 1.25 / 0.75
    assert ratio.min() >= 0.75 / 1.25
    assert drawn.mean(axis=0) == pytest.approx(own, abs=0.01)


def test_means_by_hand():
    scores, weights = np.array([[0.9, 0.4], [0.6, 0.6]]), np.array([[0.5, 0.5], [1.0, 0.0]])
    assert weighted_means(scores, weights) == pytest.approx(np.array([[0.65, 0.6], [0.9, 0.6]]))
    assert weighted_means(scores, weights, geometric=True) == pytest.approx(np.array([[0.6, 0.6], [0.9, 0.6]]))
    assert weighted_means(np.array([[0.0, 1.0]]), np.array([[0.5, 0.5]]), geometric=True)[0, 0] < 1e-5


def test_rank_range_leaves_ties_open():
    assert rank_range(np.array([[3.0, 3.0, 1.0]])).tolist() == [[1, 2], [1, 2], [3, 3]]
    assert rank_range(np.array([[3.0, 2.0, 1.0], [1.0, 2.0, 3.0]])).tolist() == [[1, 3], [2, 2], [1, 3]]
