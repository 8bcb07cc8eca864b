"""Is a correlation matrix worth factoring? Kaiser, Meyer and Olkin's measure; Bartlett's test of sphericity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from sipas_research.numerics.correlation import Array, is_singular, read_only


@dataclass(frozen=True, slots=True, eq=False)
class SamplingAdequacy:
    """Measure of sampling adequacy, on the 0-1 scale.

    Attributes
    ----------
    overall : float
    items : (p,) array
        The measure of each item.
    anti_image : (p, p) array
        Anti-image correlations: the negative partial correlations given all other items, unit diagonal.
    """

    overall: float
    items: Array
    anti_image: Array


@dataclass(frozen=True, slots=True)
class Sphericity:
    """Bartlett's test that a correlation matrix is the identity: chi-square, degrees of freedom, upper tail."""

    statistic: float
    df: int
    p_value: float


def sampling_adequacy(matrix: Array) -> SamplingAdequacy:
    """Return the Kaiser-Meyer-Olkin measure, overall and by item (Kaiser 1970; Kaiser & Rice 1974).

    Squared correlations over squared correlations plus squared anti-image correlations, off the diagonal.

    Parameters
    ----------
    matrix : (p, p) array
        Correlation matrix, positive definite.

    Raises
    ------
    ValueError
        If the matrix is singular: partial correlations do not exist.
    """
    if is_singular(matrix):
        raise ValueError("a singular correlation matrix has no partial correlations")
    inverse = np.linalg.inv(matrix)
    scale = 1.0 / np.sqrt(np.diag(inverse))
    anti_image = inverse * np.outer(scale, scale)
    np.fill_diagonal(anti_image, 1.0)
    squared, partial = matrix**2, anti_image**2
    plain = squared.sum(axis=0) - 1.0
    given_others = partial.sum(axis=0) - 1.0
    with np.errstate(invalid="ignore"):
        items = plain / (plain + given_others)
        overall = float(plain.sum() / (plain.sum() + given_others.sum()))
    return SamplingAdequacy(overall, read_only(items), read_only(anti_image))


def sphericity(matrix: Array, rows: int) -> Sphericity:
    """Return Bartlett's (1951) test: -(n - 1 - (2p + 5)/6) log det R on p(p - 1)/2 degrees of freedom.

    Parameters
    ----------
    matrix : (p, p) array
        Correlation matrix of ``rows`` complete rows, positive definite.
    rows : int
        Number of rows n.

    Raises
    ------
    ValueError
        If the matrix is singular: the determinant is zero and the statistic infinite.
    """
    if is_singular(matrix):
        raise ValueError("a singular correlation matrix has no log determinant")
    size = matrix.shape[0]
    log_determinant = float(np.linalg.slogdet(matrix)[1])
    statistic = -(rows - 1 - (2 * size + 5) / 6) * log_determinant
    df = size * (size - 1) // 2
    return Sphericity(statistic, df, float(chdtrc(df, max(statistic, 0.0))))
