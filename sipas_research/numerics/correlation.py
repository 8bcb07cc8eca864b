"""Product-moment covariance and correlation of complete rows, and the checks that later steps need."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: A correlation matrix whose smallest eigenvalue is below this is singular for every practical purpose: its
#: inverse would carry no correct digit of what the data say (machine precision times a condition number of 1e10).
SINGULAR_EIGENVALUE = 1e-10


def read_only(values: object) -> Array:
    """Return a float copy of ``values`` that cannot be written to."""
    copy = np.array(values, dtype=np.float64, copy=True)
    copy.flags.writeable = False
    return copy


def covariance(values: Array) -> Array:
    """Return the covariance matrix with divisor n - 1.

    Parameters
    ----------
    values : (n, p) array
        Complete rows: no NaN.

    Returns
    -------
    (p, p) array, symmetric, not writeable.

    Raises
    ------
    ValueError
        If ``values`` is not a matrix of finite numbers with at least two rows.
    """
    if values.ndim != 2 or values.shape[0] < 2 or not np.isfinite(values).all():
        raise ValueError("covariance needs a matrix of finite numbers with at least two rows")
    centred = values - values.mean(axis=0)
    product = centred.T @ centred / (values.shape[0] - 1)
    return read_only((product + product.T) / 2)


def correlation(values: Array) -> Array:
    """Return Pearson's correlation matrix of complete rows.

    Parameters
    ----------
    values : (n, p) array
        Complete rows: no NaN, no constant column.

    Returns
    -------
    (p, p) array in [-1, 1] with an exact unit diagonal, not writeable.

    Raises
    ------
    ValueError
        If a column is constant, or as :func:`covariance` does.
    """
    return covariance_to_correlation(covariance(values))


def covariance_to_correlation(matrix: Array) -> Array:
    """Return the correlation matrix of a (p, p) covariance matrix; ValueError if a variance is not positive."""
    spread = np.sqrt(np.diag(matrix))
    if not (spread > 0).all():
        raise ValueError("a constant column has no correlation")
    scaled = np.clip(matrix / np.outer(spread, spread), -1.0, 1.0)
    np.fill_diagonal(scaled, 1.0)
    return read_only(scaled)


def is_constant(values: Array) -> NDArray[np.bool_]:
    """Return a (p,) mask of columns whose values are all equal (all NaN counts as constant; NaN is skipped)."""
    missing = np.isnan(values)
    if not missing.any() and len(values):
        alike: NDArray[np.bool_] = values.max(axis=0) == values.min(axis=0)
        return alike
    empty = missing.all(axis=0)
    filled = np.where(empty, 0.0, values)
    mask: NDArray[np.bool_] = np.nanmax(filled, axis=0) == np.nanmin(filled, axis=0)
    return mask


def smallest_eigenvalue(matrix: Array) -> float:
    """Return the smallest eigenvalue of a symmetric (p, p) matrix."""
    return float(np.linalg.eigvalsh(matrix)[0])


def is_singular(matrix: Array) -> bool:
    """True if a (p, p) correlation matrix cannot be inverted; see ``SINGULAR_EIGENVALUE``."""
    return smallest_eigenvalue(matrix) < SINGULAR_EIGENVALUE


def eigenvalues(matrix: Array) -> Array:
    """Return the (p,) eigenvalues of a symmetric matrix, largest first."""
    return read_only(np.linalg.eigvalsh(matrix)[::-1])
