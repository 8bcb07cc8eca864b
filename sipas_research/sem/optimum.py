"""The way to the minimum: Fisher scoring, then Newton, under restrictions.

Converged means that the step that is left is under a millionth of a standard error:
sqrt(n/2 g' H^-1 g) < 1e-6, in the directions that the restrictions leave free.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dposv

from sipas_research.numerics.correlation import Array
from sipas_research.sem.derivatives import expected_of, gradient, observed_hessian
from sipas_research.sem.discrepancy import Residuals, Target, value
from sipas_research.sem.implied import Implied, implied
from sipas_research.sem.layout import Layout
from sipas_research.sem.restrictions import HOLDS, Restrictions, least_squares, null_space
from sipas_research.sem.syntax import Constraint

Solver = Callable[[Array, Array], "Array | None"]

#: The step left at convergence, in standard errors.
CONVERGED = 1e-6
MOST_STEPS = 500
#: Steps shorter than this many standard errors a root of a parameter are Newton's, where the curvature allows.
_NEAR = 1.0
#: After steps shorter than this, in standard errors, the curvature may serve again, as long as each step is a tenth
#: of the one before.
_SETTLED, _SHRINKS = 0.5, 0.1
#: Steps that may bring restrictions no closer to holding before a search is given up.
_PATIENCE = 25
#: The shortest part of a step onto the restrictions that is tried.
_LEAST_LENGTH = 1e-9
#: Halvings of a step before it is given up.
_HALVINGS = 40
#: How much of the promised decrease a step must bring (Armijo).
_ENOUGH = 1e-4


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Problem:
    """What is minimised: layouts and targets of the groups, and the number of free parameters."""

    layouts: tuple[Layout, ...]
    targets: tuple[Target, ...]
    size: int
    n: int

    def point_at(self, theta: Array) -> Point | None:
        """Return the discrepancy at ``theta``, or None outside the parameter space."""
        return _moment_point(self, theta)

    def slope_of(self, point: Point) -> Array:
        """Return the gradient of the discrepancy."""
        return _moment_slope(self, point)

    def hessian_of(self, point: Point, *, observed: bool, by_rows: bool = False) -> Array:
        """Return the expected or observed Hessian; see :func:`hessian_of`."""
        return _moment_hessian(self, point, observed=observed, by_rows=by_rows)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Point:
    """A place in the parameter space: implied moments, residuals and discrepancy there."""

    theta: Array
    groups: tuple[Implied, ...]
    residuals: tuple[Residuals, ...]
    discrepancies: tuple[float, ...]
    distance: float


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Optimum:
    """Where the search ended.

    Attributes
    ----------
    point : Point
    converged : bool
    steps : int
    criterion : float
        The step left, in standard errors.
    active : tuple of Constraint
        Inequalities that hold as equalities.
    """

    point: Point
    converged: bool
    steps: int
    criterion: float
    active: tuple[Constraint, ...]


def point_at(problem: Problem, theta: Array) -> Point | None:
    """Return the discrepancy at ``theta``, or None where a covariance matrix is not positive definite."""
    return problem.point_at(theta)


def slope_of(problem: Problem, point: Point) -> Array:
    """Return the gradient of the discrepancy by the free parameters."""
    return problem.slope_of(point)


def hessian_of(problem: Problem, point: Point, *, observed: bool, by_rows: bool = False) -> Array:
    """Return the expected or observed Hessian by the free parameters.

    ``by_rows`` weighs groups by their share of the rows, as information does, and not as the discrepancy does.
    """
    return problem.hessian_of(point, observed=observed, by_rows=by_rows)


def _moment_point(problem: Problem, theta: Array) -> Point | None:
    groups, residuals, distances = [], [], []
    total = 0.0
    for layout, target in zip(problem.layouts, problem.targets, strict=True):
        at = implied(layout, theta)
        found = None if at is None else value(at, target)
        if at is None or found is None or not np.isfinite(found[0]):
            return None
        groups.append(at)
        residuals.append(found[1])
        distances.append(found[0])
        total += target.pull * found[0]
    return Point(theta, tuple(groups), tuple(residuals), tuple(distances), total)


def _moment_slope(problem: Problem, point: Point) -> Array:
    result: Array = np.zeros(problem.size)
    for layout, target, at, given in _each(problem, point):
        part = target.pull * gradient(at, given)
        if layout.in_order and len(part) == len(result):
            result += part
        else:
            np.add.at(result, layout.free, part)
    return result


def _moment_hessian(problem: Problem, point: Point, *, observed: bool, by_rows: bool) -> Array:
    result = np.zeros((problem.size, problem.size))
    for layout, target, at, given in _each(problem, point):
        part = observed_hessian(at, given) if observed else expected_of(at, given, means=target.mean is not None)
        add_block(result, layout, (target.share if by_rows else target.pull) * part)
    return result


def add_block(result: Array, layout: Layout, part: Array) -> None:
    """Add a group's matrix to that of the free parameters; rows that share a parameter are summed."""
    free = layout.free
    if layout.in_order and len(free) == len(result):
        result += part
    elif layout.distinct:
        result[free[:, None], free] += part
    else:
        np.add.at(result, (free[:, None], free[None, :]), part)


def _each(problem: Problem, point: Point):  # type: ignore[no-untyped-def]
    return zip(problem.layouts, problem.targets, point.groups, point.residuals, strict=True)


def minimise(problem: Problem, start: Array, restrictions: Restrictions) -> Optimum | None:
    """Return the minimum under all restrictions, or None if no usable point was found at the start.

    Inequalities enter as equalities when the minimum without them breaks them, and leave again when the slope of the
    discrepancy points inward: an active set.
    """
    active: tuple[Constraint, ...] = ()
    tried: set[tuple[Constraint, ...]] = set()
    theta = start
    while True:
        tried.add(active)
        found = _minimise_equal(problem, theta, restrictions, (*restrictions.equal, *active))
        if found is None or not restrictions.bounds:
            return found
        wanted = _active_set(problem, found, restrictions, active)
        if wanted == active or wanted in tried:
            settled = found.converged and wanted == active
            return Optimum(found.point, settled, found.steps, found.criterion, active)
        active, theta = wanted, found.point.theta


def _active_set(
    problem: Problem, found: Optimum, restrictions: Restrictions, active: tuple[Constraint, ...]
) -> tuple[Constraint, ...]:
    gaps, _ = restrictions.gaps(restrictions.bounds, found.point.theta)
    broken = {c for c, gap in zip(restrictions.bounds, gaps, strict=True) if gap < -HOLDS}
    held = (*restrictions.equal, *active)
    _, slopes = restrictions.gaps(held, found.point.theta)
    forces: Array = np.zeros(0)
    if held:
        forces = least_squares(slopes.T, slope_of(problem, found.point))
    pressing = {c for c, force in zip(held, forces, strict=True) if c in active and force > 0}
    return tuple(c for c in restrictions.bounds if c in broken or c in pressing)


def _minimise_equal(
    problem: Problem, start: Array, restrictions: Restrictions, held: Sequence[Constraint]
) -> Optimum | None:
    point = _first_point(problem, start, restrictions, held)
    if point is None:
        return None
    newton, criterion = False, np.inf
    active = tuple(c for c in held if c.op != "==")
    kept: Array | None = None
    closest, stalled = np.inf, 0
    for step_number in range(MOST_STEPS):
        slope = slope_of(problem, point)
        gaps, slopes = restrictions.gaps(held, point.theta)
        free = null_space(slopes, problem.size)[0] if len(held) else None
        before, found = criterion, None
        if kept is not None:
            found = _step(slope, kept, problem.n, free, slopes, gaps, _solve)
            found = found if found is not None and found[1] < max(_SHRINKS * before, CONVERGED) else None
        if found is None and newton:
            kept = hessian_of(problem, point, observed=True)
            if held:
                kept += _bend(restrictions, held, point.theta, slope)
            found = _step(slope, kept, problem.n, free, slopes, gaps, _solve)
        if found is None:
            kept = hessian_of(problem, point, observed=False)
            found = _step(slope, kept, problem.n, free, slopes, gaps, _damped)
        if found is None:
            break
        step, criterion = found
        missed = _missed(gaps, slopes, point.theta)
        near = missed < HOLDS
        stalled = 0 if near or missed < 0.9 * closest else stalled + 1
        closest = min(closest, missed)
        if stalled > _PATIENCE:  # the restrictions come no closer to holding
            return Optimum(point, False, step_number, criterion, active)
        if criterion < CONVERGED and near:
            return Optimum(point, True, step_number, criterion, active)
        newton = criterion < _NEAR * np.sqrt(max(problem.size, 1)) and near
        kept = kept if newton and criterion < _SETTLED else None
        moved = _move(problem, point, step, slope, restrictions, held)
        if moved is None:
            small = criterion < 1e3 * CONVERGED and near  # rounding stops the descent just above the criterion
            return Optimum(point, small, step_number, criterion, active)
        point = moved
    return Optimum(point, False, MOST_STEPS, criterion, active)


def _first_point(
    problem: Problem, start: Array, restrictions: Restrictions, held: Sequence[Constraint]
) -> Point | None:
    """Return the start moved onto the restrictions, or the start itself where that leaves the parameter space.

    None where a restriction or the discrepancy is not defined at the start.
    """
    theta = start
    gaps, slopes = restrictions.gaps(held, theta)
    if not (np.isfinite(gaps).all() and np.isfinite(slopes).all()):
        return None
    for _ in range(50 if len(held) else 0):
        if _missed(gaps, slopes, theta) < HOLDS:
            break
        step, length = least_squares(slopes, -gaps), 1.0
        while length > _LEAST_LENGTH:
            after, turned = restrictions.gaps(held, theta + length * step)
            if np.isfinite(turned).all() and np.abs(after).sum() < np.abs(gaps).sum():
                break
            length *= 0.5
        else:
            break
        theta, gaps, slopes = theta + length * step, after, turned
    found = point_at(problem, theta) if np.isfinite(theta).all() else None
    return found or point_at(problem, start)


def _missed(gaps: Array, slopes: Array, theta: Array) -> float:
    """Return by how much restrictions are missed, in units of their slopes and of parameters beyond one."""
    if not len(gaps):
        return 0.0
    size = np.sqrt((slopes**2).sum(axis=1))
    reach = np.maximum(np.where(slopes != 0, np.abs(theta), 0.0).max(axis=1, initial=0.0), 1.0)
    return float((np.abs(gaps) / np.maximum(size, 1e-8) / reach).max())


def _bend(restrictions: Restrictions, held: Sequence[Constraint], theta: Array, slope: Array) -> Array:
    """Return the curvature of non-linear restrictions times their multipliers, by differences of exact slopes."""
    curved = [c for c in held if c.left.linear() is None or c.right.linear() is None]
    result = np.zeros((len(theta), len(theta)))
    if not curved:
        return result
    _, slopes = restrictions.gaps(held, theta)
    forces = least_squares(slopes.T, -slope)
    for k in np.flatnonzero(np.abs(slopes).sum(axis=0)):
        reach = 1e-5 * max(1.0, abs(float(theta[k])))
        up, down = theta.copy(), theta.copy()
        up[k] += reach
        down[k] -= reach
        change = restrictions.gaps(held, up)[1] - restrictions.gaps(held, down)[1]
        result[k] += forces @ change / (2.0 * reach)
    return (result + result.T) / 2.0


def _step(
    slope: Array, hessian: Array, n: int, free: Array | None, slopes: Array, gaps: Array, solve: Solver
) -> tuple[Array, float] | None:
    """Return the step to the minimum of the quadratic model, and what is left of it in standard errors.

    None where ``solve`` finds no positive definite matrix.
    """
    if free is None:
        step = solve(hessian, -slope)
        return None if step is None else (step, float(np.sqrt(max(n / 2.0 * float(-slope @ step), 0.0))))
    back = least_squares(slopes, -gaps)
    if not free.shape[1]:
        return back, 0.0
    reduced, along = free.T @ hessian @ free, -free.T @ slope
    downhill = solve(reduced, along)
    inner = solve(reduced, along - free.T @ hessian @ back)
    if downhill is None or inner is None:
        return None
    return back + free @ inner, float(np.sqrt(max(n / 2.0 * float(along @ downhill), 0.0)))


def _solve(matrix: Array, right: Array) -> Array | None:
    if not len(matrix):
        return right
    _, solution, failed = dposv(matrix, right, lower=1)
    return None if failed or not np.isfinite(solution).all() else solution


def _damped(hessian: Array, right: Array) -> Array:
    """Solve with a ridge on the diagonal where the matrix is not positive definite."""
    found = _solve(hessian, right)
    if found is not None and not _nearly_singular(hessian, found, right):
        return found
    scale = np.abs(np.diag(hessian))
    scale = np.where(scale > 0, scale, 1.0)
    ridge = 1e-8
    while ridge < 1e8:
        found = _solve(hessian + np.diag(ridge * scale), right)
        if found is not None and not _nearly_singular(hessian, found, right):
            return found
        ridge *= 10.0
    return right / scale


def _nearly_singular(hessian: Array, step: Array, right: Array) -> bool:
    """Return whether a step is absurdly long in standardised units: the sign of a direction without curvature."""
    scale = np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-300))
    return float(np.abs(step * scale).max(initial=0.0)) > 1e4 * max(1.0, float(np.abs(right / scale).max(initial=0.0)))


def _move(
    problem: Problem, point: Point, step: Array, slope: Array, restrictions: Restrictions, held: Sequence[Constraint]
) -> Point | None:
    """Go along a step, halving it until the discrepancy (with a price on missed restrictions) falls enough."""
    gaps, slopes = restrictions.gaps(held, point.theta)
    price = 0.0
    if len(held):
        forces = least_squares(slopes.T, -slope)
        price = 2.0 * float(np.abs(forces).max(initial=0.0)) + 1e-3
    here = point.distance + price * float(np.abs(gaps).sum())
    promised = float(slope @ step) - price * float(np.abs(gaps).sum())
    length = 1.0
    tolerance = 1e-11 * max(1.0, abs(here))
    for _ in range(_HALVINGS):
        there = point_at(problem, point.theta + length * step)
        if there is not None:
            missed = 0.0
            if len(held):
                left, turned = restrictions.gaps(held, there.theta)
                missed = price * float(np.abs(left).sum()) if np.isfinite(turned).all() else np.inf
            if there.distance + missed <= here + _ENOUGH * length * min(promised, 0.0) + tolerance:
                return there
        length *= 0.5
    return None
