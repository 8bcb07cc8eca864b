"""Newton's search for the unique variances of minimum residuals: the short way where the minimum is an ordinary one.

The second derivatives are exact, so a handful of eigenvalue problems is enough. Where the search would leave the
region in which Newton's method can be trusted (a curvature that is not positive, a unique variance near its lower
bound, a step that does not descend) it gives up, and the caller's slower search starts from the beginning.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sipas_research.numerics.correlation import Array

#: Largest absolute slope in log unique variances at which the search ends; rounding leaves about 1e-16.
SLOPE = 1e-11
#: Largest change of a log unique variance in one step: a factor of e.
LONGEST = 1.0
HALVINGS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """The discrepancy at (p,) log unique variances ``place``, with its (p,) slope and (p, p) curvature there."""

    place: Array
    value: float
    slope: Array
    curvature: Array


def minres_point(log_uniquenesses: Array, matrix: Array, factors: int) -> Point | None:
    """Return half the squared residuals of the best loadings with first and second derivatives (Jöreskog 1977).

    With gamma and u the eigenvalues and eigenvectors of R - Psi, "out" all but the m largest and "in" those, the
    curvature in psi_i and psi_j is ``(sum_out u_i u_j)^2 + 2 sum_out,in gamma_out / (gamma_out - gamma_in) u_i,out
    u_j,out u_i,in u_j,in``; in logarithms psi_i psi_j times that, and the slope on the diagonal.

    Parameters as in :func:`.extraction.minres_discrepancy`, with fewer factors than items.

    Returns
    -------
    Point or None
        None where m real factors do not exist: the m-th largest eigenvalue is not positive, or not apart.
    """
    uniquenesses = np.exp(log_uniquenesses)
    values, vectors = np.linalg.eigh(matrix - np.diag(uniquenesses))
    left, taken = values[:-factors], values[-factors:]
    if taken[0] <= max(left[-1], 0.0):
        return None
    out, within = vectors[:, :-factors], vectors[:, -factors:]
    slope = -(out**2 @ left) * uniquenesses
    share = left[:, None] / (left[:, None] - taken)
    crossed = (out[:, :, None] * within[:, None, :]).reshape(len(out), -1)
    bent = (out @ out.T) ** 2 + 2.0 * (crossed * share.ravel()) @ crossed.T
    bent *= np.outer(uniquenesses, uniquenesses)
    bent.flat[:: slope.size + 1] += slope
    return Point(log_uniquenesses, 0.5 * float(left @ left), slope, bent)


def newton_minres(
    matrix: Array, factors: int, start: Array, *, lowest: float, max_iterations: int
) -> tuple[Point, int] | None:
    """Return the minimum and the number of steps, or None where Newton's method is not to be trusted.

    Parameters
    ----------
    matrix : (p, p) array
        Correlations.
    factors : int
    start : (p,) array
        Log unique variances.
    lowest : float
        Lower bound of a log unique variance; a search that comes to it gives up.
    max_iterations : int
    """
    point = minres_point(start, matrix, factors)
    for steps in range(max_iterations + 1):
        if point is None:
            return None
        if np.abs(point.slope).max() <= SLOPE:
            return point, steps
        point = _next(point, matrix, factors, lowest)
    return None


def _next(point: Point, matrix: Array, factors: int, lowest: float) -> Point | None:
    try:
        np.linalg.cholesky(point.curvature)  # refuses a curvature that is not positive
        step = -np.linalg.solve(point.curvature, point.slope)
    except np.linalg.LinAlgError:
        return None
    step *= min(1.0, LONGEST / float(np.abs(step).max()))
    for _ in range(HALVINGS):
        reached = point.place + step
        found = minres_point(reached, matrix, factors) if (reached > lowest).all() else None
        # close to the end the decrease drowns in rounding
        if found is not None and found.value <= point.value + 4.0 * np.finfo(float).eps * point.value:
            return found
        step = step / 2.0
    return None
