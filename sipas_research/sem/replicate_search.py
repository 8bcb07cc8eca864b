"""The way from a fit to the minimum of a slightly different sample: few steps, no new Hessian.

The full sample's Hessian is corrected by what each step teaches about the curvature (limited-memory BFGS; Nocedal &
Wright 2006, Numerical Optimization, algorithm 7.4). Where that does not lead to the criterion, the search of a fit
does: shortcuts of a fixed number of steps would be another estimator.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sipas_research.numerics.correlation import Array
from sipas_research.sem.optimum import CONVERGED, Point, Problem, hessian_of, minimise, point_at, slope_of
from sipas_research.sem.restrictions import Restrictions, null_space

#: Steps after which the search of a fit takes over.
_STEPS = 40
#: The step before which a small model's Hessian is worked out anew: cheaper there than the steps that it saves.
_RENEWED, _SMALL = 2, 60
#: How much the discrepancy may rise by rounding.
_ROUNDING = 1e-11


def start_inverse(problem: Problem, point: Point, restrictions: Restrictions) -> Array | None:
    """Return the inverse Hessian at a minimum within linear equalities, or None where quick steps cannot be taken.

    None with inequalities or non-linear equalities, or where the Hessian is not positive definite.
    """
    curved = any(c.left.linear() is None or c.right.linear() is None for c in restrictions.equal)
    if restrictions.bounds or curved:
        return None
    basis, _ = null_space(restrictions.gaps(restrictions.equal, point.theta)[1], problem.size)
    inner = basis.T @ hessian_of(problem, point, observed=True) @ basis
    try:
        factor = np.linalg.cholesky(inner)
    except np.linalg.LinAlgError:
        return None
    half = np.linalg.solve(factor, basis.T)
    return np.asarray(half.T @ half)


def nearby_minimum(problem: Problem, start: Array, inverse: Array | None, restrictions: Restrictions) -> Point | None:
    """Return the minimum reached from ``start``, or None where none was reached.

    Parameters
    ----------
    problem : Problem
    start : (q,) array
        The minimum of the full sample.
    inverse : (q, q) array or None
        Of :func:`start_inverse`.
    restrictions : Restrictions
    """
    found = None if inverse is None else _quick(problem, start, inverse, restrictions)
    if found is None:
        slow = minimise(problem, start, restrictions)
        found = slow.point if slow is not None and slow.converged else None
    return found


def _quick(problem: Problem, start: Array, inverse: Array, restrictions: Restrictions) -> Point | None:
    point = point_at(problem, start)
    if point is None:
        return None
    slope = slope_of(problem, point)
    steps: list[Array] = []
    turns: list[Array] = []
    products: list[float] = []
    small = problem.size <= _SMALL and all(target.holes is None for target in problem.targets)
    for number in range(_STEPS):
        renewed = start_inverse(problem, point, restrictions) if small and number == _RENEWED else None
        if renewed is not None:
            inverse, steps, turns, products = renewed, [], [], []
        step = -_along(slope, inverse, steps, turns, products)
        left = -float(slope @ step)
        if left < 0 or not np.isfinite(left):
            return None
        if np.sqrt(problem.n / 2.0 * left) < CONVERGED:
            return point
        there = point_at(problem, point.theta + step)
        if there is None or there.distance > point.distance + _ROUNDING * max(1.0, abs(point.distance)):
            return None
        turned = slope_of(problem, there)
        turn = turned - slope
        product = float(step @ turn)
        if not product > 0:
            return None
        steps.append(step)
        turns.append(turn)
        products.append(product)
        point, slope = there, turned
    return None


def _along(
    slope: Array, inverse: Array, steps: Sequence[Array], turns: Sequence[Array], products: Sequence[float]
) -> Array:
    """Return the corrected inverse Hessian times the slope: the two-loop recursion."""
    rest = slope.copy()
    taken = []
    for step, turn, product in zip(reversed(steps), reversed(turns), reversed(products), strict=True):
        share = float(step @ rest) / product
        rest -= share * turn
        taken.append(share)
    result = inverse @ rest
    for step, turn, product, share in zip(steps, turns, products, reversed(taken), strict=True):
        result += step * (share - float(turn @ result) / product)
    return result
