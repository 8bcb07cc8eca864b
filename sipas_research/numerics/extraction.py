"""Factor extraction from a correlation matrix: minimum residuals, maximum likelihood, principal axes.

All three are functions of the p unique variances alone: given them, the best loadings are eigenvectors.
Minimum residuals and maximum likelihood are minimised over the logarithms of the unique variances with
analytic gradients, which keeps the variances positive and the scale even.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from sipas_research.numerics.correlation import Array, is_singular, read_only
from sipas_research.numerics.minres_newton import newton_minres

METHODS = ("minres", "ml", "pa")
#: Smallest unique variance: the bound that R's factanal and psych use, so that Heywood cases end at the same place.
LOWEST_UNIQUENESS = 0.005
#: At a minimum no unique variance of a correlation matrix exceeds one; a search must not run beyond reason.
FAR_UNIQUENESS = 100.0
#: Largest absolute slope, of the discrepancy in log unique variances, that counts as a minimum.
GRADIENT_TOLERANCE = 1e-6
#: Largest change of a communality between two iterations of principal axes that counts as the end.
AXIS_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Extraction:
    """Unrotated solution.

    Attributes
    ----------
    loadings : (p, m) array
        Principal-axis position: the columns are orthogonal in the metric of the method.
    uniquenesses : (p,) array
        Unique variances that the iteration ended with, at least ``LOWEST_UNIQUENESS``.
    at_bound : (p,) array of bool
        True where a unique variance ended at that bound.
    discrepancy : float
        Value of the function that was minimised (half the squared residuals for principal axes).
    iterations : int
    gradient : float
        Largest absolute slope at the end; for principal axes, the last change of a communality.
    converged : bool
    """

    loadings: Array
    uniquenesses: Array
    at_bound: NDArray[np.bool_]
    discrepancy: float
    iterations: int
    gradient: float
    converged: bool


def squared_multiple_correlations(matrix: Array) -> Array:
    """Return the (p,) starting communalities: 1 - 1/r^ii, or the largest absolute correlation if R is singular."""
    if is_singular(matrix):
        return read_only(np.abs(matrix - np.eye(matrix.shape[0])).max(axis=0))
    return read_only(1.0 - 1.0 / np.diag(np.linalg.inv(matrix)))


def minres_discrepancy(log_uniquenesses: Array, matrix: Array, factors: int) -> tuple[float, Array]:
    """Return half the squared residuals left by the best loadings, and its gradient (Jöreskog 1977).

    With gamma and u the eigenvalues and eigenvectors of R - Psi, the discrepancy is half the sum of gamma^2 over
    all but the m largest, and its slope in psi_i minus the sum of gamma u_i^2 over the same.

    Parameters
    ----------
    log_uniquenesses : (p,) array
    matrix : (p, p) array
        Correlations.
    factors : int

    Returns
    -------
    tuple of float and (p,) array
        The unweighted least squares discrepancy and its derivative by the log unique variances.
    """
    uniquenesses = np.exp(log_uniquenesses)
    values, vectors = np.linalg.eigh(matrix - np.diag(uniquenesses))
    # what m real factors cannot take up: all but the m largest eigenvalues, and any of those that are negative
    left = values.copy()
    left[-factors:] = np.minimum(left[-factors:], 0.0)
    return 0.5 * float(left @ left), -(vectors**2 @ left) * uniquenesses


def likelihood_discrepancy(log_uniquenesses: Array, matrix: Array, factors: int) -> tuple[float, Array]:
    """Return the concentrated maximum likelihood discrepancy and its gradient (Jöreskog 1967).

    Parameters and returned values as in :func:`minres_discrepancy`. With theta and w the eigenvalues and
    eigenvectors of Psi^-1/2 R Psi^-1/2, the discrepancy is the sum of theta - log theta - 1 over all but the m
    largest, and its slope in log psi_i the sum of (1 - theta) w_i^2 over the same.
    """
    scale = np.exp(-0.5 * log_uniquenesses)
    values, vectors = np.linalg.eigh(matrix * np.outer(scale, scale))
    # a leading theta below one cannot come from a real factor: its loading is zero and it stays in the misfit
    outside = values < 1.0
    outside[: values.size - factors] = True
    left = np.maximum(values[outside], np.finfo(float).tiny)
    return float(np.sum(left - np.log(left) - 1.0)), vectors[:, outside] ** 2 @ (1.0 - left)


def minres_loadings(uniquenesses: Array, matrix: Array, factors: int) -> Array:
    """Return the (p, m) loadings that minimise the squared residuals for given unique variances."""
    values, vectors = np.linalg.eigh(matrix - np.diag(uniquenesses))
    leading = slice(None, -factors - 1, -1)
    return np.asarray(vectors[:, leading] * np.sqrt(np.maximum(values[leading], 0.0)))


def likelihood_loadings(uniquenesses: Array, matrix: Array, factors: int) -> Array:
    """Return the (p, m) maximum likelihood loadings for given unique variances (Lawley & Maxwell 1971)."""
    scale = np.sqrt(uniquenesses)
    values, vectors = np.linalg.eigh(matrix / np.outer(scale, scale))
    leading = slice(None, -factors - 1, -1)
    return np.asarray(scale[:, None] * vectors[:, leading] * np.sqrt(np.maximum(values[leading] - 1.0, 0.0)))


def extract(matrix: Array, factors: int, method: str, *, max_iterations: int = 1000) -> Extraction:
    """Extract ``factors`` factors by "minres", "ml" or "pa".

    Parameters
    ----------
    matrix : (p, p) array
        Correlation matrix; positive definite for "ml".
    factors : int
        Number of factors m, 1 <= m <= p.
    method : {"minres", "ml", "pa"}
    max_iterations : int

    Raises
    ------
    ValueError
        If the method is unknown, or "ml" gets a singular matrix.
    """
    if method == "pa":
        return principal_axes(matrix, factors, max_iterations=max_iterations)
    if method == "minres":
        return _minimum_residuals(matrix, factors, max_iterations)
    if method == "ml":
        if is_singular(matrix):
            raise ValueError("maximum likelihood needs a positive definite correlation matrix")
        return _minimise(likelihood_discrepancy, likelihood_loadings, matrix, factors, max_iterations)
    raise ValueError(f"unknown method {method!r}")


def _start(matrix: Array, factors: int) -> Array:
    """Return Jöreskog's start: log unique variances a little below those that the other items leave."""
    shrink = 1.0 - 0.5 * factors / matrix.shape[0]
    return np.asarray(np.log(np.clip(shrink * (1.0 - squared_multiple_correlations(matrix)), LOWEST_UNIQUENESS, 1.0)))


def _minimum_residuals(matrix: Array, factors: int, max_iterations: int) -> Extraction:
    found = None
    if factors < matrix.shape[0]:
        start, lowest = _start(matrix, factors), float(np.log(LOWEST_UNIQUENESS))
        found = newton_minres(matrix, factors, start, lowest=lowest, max_iterations=max_iterations)
    if found is None:
        return _minimise(minres_discrepancy, minres_loadings, matrix, factors, max_iterations)
    point, steps = found
    uniquenesses = np.exp(point.place)
    return Extraction(
        loadings=read_only(minres_loadings(uniquenesses, matrix, factors)),
        uniquenesses=read_only(uniquenesses),
        at_bound=_flags(np.zeros(uniquenesses.size, dtype=bool)),
        discrepancy=point.value,
        iterations=steps,
        gradient=float(np.abs(point.slope).max()),
        converged=True,
    )


def _minimise(
    discrepancy: Callable[[Array, Array, int], tuple[float, Array]],
    loadings: Callable[[Array, Array, int], Array],
    matrix: Array,
    factors: int,
    max_iterations: int,
) -> Extraction:
    lowest = np.log(LOWEST_UNIQUENESS)
    start = _start(matrix, factors)
    found = minimize(
        discrepancy,
        start,
        args=(matrix, factors),
        jac=True,
        method="L-BFGS-B",
        bounds=[(lowest, np.log(FAR_UNIQUENESS))] * start.size,
        options={"maxiter": max_iterations, "ftol": 1e-16, "gtol": 1e-10, "maxcor": 20},
    )
    at_bound = found.x <= lowest + 1e-9
    slope = np.where(at_bound, np.minimum(found.jac, 0.0), found.jac)
    uniquenesses = np.exp(found.x)
    steepest = float(np.abs(slope).max())
    return Extraction(
        loadings=read_only(loadings(uniquenesses, matrix, factors)),
        uniquenesses=read_only(uniquenesses),
        at_bound=_flags(at_bound),
        discrepancy=float(found.fun),
        iterations=int(found.nit),
        gradient=steepest,
        converged=steepest < GRADIENT_TOLERANCE,
    )


def principal_axes(matrix: Array, factors: int, *, max_iterations: int = 1000) -> Extraction:
    """Iterate principal axes from squared multiple correlations (Harman 1976, chapter 8).

    The fixed point is the minimum-residuals solution. Communalities are held at 1 - ``LOWEST_UNIQUENESS``
    at most, so that a Heywood case ends instead of running away.
    """
    highest = 1.0 - LOWEST_UNIQUENESS
    communalities = np.clip(squared_multiple_correlations(matrix), 0.0, highest)
    change, steps = np.inf, 0
    loadings = minres_loadings(1.0 - communalities, matrix, factors)
    while change > AXIS_TOLERANCE and steps < max_iterations:
        updated = np.minimum(np.einsum("ij,ij->i", loadings, loadings), highest)
        change = float(np.abs(updated - communalities).max())
        communalities, steps = updated, steps + 1
        loadings = minres_loadings(1.0 - communalities, matrix, factors)
    residual = matrix - loadings @ loadings.T - np.diag(1.0 - communalities)
    return Extraction(
        loadings=read_only(loadings),
        uniquenesses=read_only(1.0 - communalities),
        at_bound=_flags(communalities >= highest),
        discrepancy=0.5 * float(np.sum(residual**2)),
        iterations=steps,
        gradient=change,
        converged=change <= AXIS_TOLERANCE,
    )


def _flags(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    mask.flags.writeable = False
    return mask
