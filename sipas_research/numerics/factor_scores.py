"""Weights that turn standardised answers into estimates of the factors."""

from __future__ import annotations

import numpy as np

from sipas_research.numerics.correlation import Array, is_singular, read_only

SCORE_METHODS = ("regression", "bartlett", "tenberge")


def score_weights(matrix: Array, loadings: Array, correlations: Array, uniquenesses: Array, method: str) -> Array:
    """Return the (p, m) weights W of factor scores Z W, Z being standardised answers.

    "regression" is R^-1 L Phi (Thurstone 1935): the scores that correlate most with the factors. "bartlett" is
    U^-2 L (L' U^-2 L)^-1 (Bartlett 1937): unbiased for a person's place on the factors. "tenberge" keeps the factors'
    correlations in the scores (ten Berge, Krijnen, Wansbeek & Shapiro 1999, equation 8).

    Parameters
    ----------
    matrix : (p, p) array
        Correlations of the items; positive definite but for "bartlett".
    loadings : (p, m) array
        Pattern loadings L.
    correlations : (m, m) array
        Factor correlations Phi.
    uniquenesses : (p,) array
        Positive unique variances, the diagonal of U^2.
    method : {"regression", "bartlett", "tenberge"}

    Raises
    ------
    ValueError
        If the method is unknown, or the matrix is singular where its inverse is needed.
    """
    if method not in SCORE_METHODS:
        raise ValueError(f"unknown method {method!r}")
    if method == "bartlett":
        weighted = loadings / uniquenesses[:, None]
        return read_only(np.linalg.solve(loadings.T @ weighted, weighted.T).T)
    if is_singular(matrix):
        raise ValueError("a singular correlation matrix has no regression scores")
    if method == "regression":
        return read_only(np.linalg.solve(matrix, loadings @ correlations))
    half = _power(correlations, 0.5)
    inverse_half = _power(matrix, -0.5)
    turned = inverse_half @ loadings @ half
    return read_only(inverse_half @ turned @ _power(turned.T @ turned, -0.5) @ half)


def determinacy(matrix: Array, structure: Array) -> Array:
    """Return each factor's multiple correlation with the items, (m,): how well scores can stand for it (Grice 2001).

    Parameters
    ----------
    matrix : (p, p) array
        Positive definite.
    structure : (p, m) array
        Correlations of items with factors.
    """
    squared = np.einsum("im,im->m", structure, np.linalg.solve(matrix, structure))
    return read_only(np.sqrt(np.clip(squared, 0.0, 1.0)))


def _power(matrix: Array, exponent: float) -> Array:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * values**exponent) @ vectors.T)
