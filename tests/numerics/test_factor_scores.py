"""Factor scores by what defines them: best prediction, unbiasedness, kept correlations."""

import numpy as np
import pytest

from sipas_research.numerics.factor_scores import SCORE_METHODS, determinacy, score_weights

LOADINGS = np.kron(np.eye(2), np.array([[0.8], [0.7], [0.6], [0.5]])) + 0.05
PHI = np.array([[1.0, 0.45], [0.45, 1.0]])
SHARED = LOADINGS @ PHI @ LOADINGS.T
UNIQUE = 1.0 - np.diag(SHARED)
MATRIX = SHARED + np.diag(UNIQUE)
ROUNDING = 1e-12


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    return {method: score_weights(MATRIX, LOADINGS, PHI, UNIQUE, method) for method in SCORE_METHODS}


def test_regression_scores_predict_best(weights):
    structure = LOADINGS @ PHI
    best = determinacy(MATRIX, structure)
    found = weights["regression"]
    reached = np.diag(found.T @ structure) / np.sqrt(np.diag(found.T @ MATRIX @ found))
    np.testing.assert_allclose(reached, best, rtol=ROUNDING)
    generator = np.random.default_rng(1)
    for method in ("bartlett", "tenberge"):
        other = weights[method]
        theirs = np.diag(other.T @ structure) / np.sqrt(np.diag(other.T @ MATRIX @ other))
        assert (theirs <= best + ROUNDING).all()
    for _ in range(50):
        tried = found + 0.05 * generator.standard_normal(found.shape)
        theirs = np.diag(tried.T @ structure) / np.sqrt(np.diag(tried.T @ MATRIX @ tried))
        assert (theirs <= best + ROUNDING).all()


def test_bartlett_scores_are_unbiased(weights):
    # with errors of zero the answers are L f, and the scores must be f
    np.testing.assert_allclose(LOADINGS.T @ weights["bartlett"], np.eye(2), atol=ROUNDING)


def test_ten_berge_scores_keep_the_factor_correlations(weights):
    found = weights["tenberge"]
    np.testing.assert_allclose(found.T @ MATRIX @ found, PHI, atol=ROUNDING)


def test_one_factor_makes_all_methods_proportional():
    loadings = np.array([[0.8], [0.7], [0.6]])
    unique = 1 - loadings[:, 0] ** 2
    matrix = loadings @ loadings.T + np.diag(unique)
    found = [score_weights(matrix, loadings, np.eye(1), unique, method)[:, 0] for method in SCORE_METHODS]
    for other in found[1:]:
        np.testing.assert_allclose(other / other[0], found[0] / found[0][0], rtol=1e-10)


def test_refusals():
    with pytest.raises(ValueError, match="unknown method"):
        score_weights(MATRIX, LOADINGS, PHI, UNIQUE, "mean")
    twice = np.ones((3, 3))
    with pytest.raises(ValueError, match="singular"):
        score_weights(twice, np.ones((3, 1)), np.eye(1), np.full(3, 0.1), "regression")
    assert np.isfinite(score_weights(twice, np.ones((3, 1)), np.eye(1), np.full(3, 0.1), "bartlett")).all()
