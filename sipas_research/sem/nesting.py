"""Whether one model is a special case of another, and where in the larger one it lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sipas_research.numerics.correlation import Array
from sipas_research.sem.discrepancy import Target, inverse_and_log_determinant
from sipas_research.sem.optimum import Optimum, Problem, minimise, point_at
from sipas_research.sem.ordinal_difference import minimum_there
from sipas_research.sem.ordinal_result import OrdinalFit
from sipas_research.sem.result import SemFit

#: Two models agree where the larger reproduces the moments of the smaller up to this chi-square.
_REPRODUCED = 1e-5


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Nesting:
    """Where the estimates of a restricted model lie in the space of a free one.

    Attributes
    ----------
    nested : bool
        Whether the free model reproduces the moments that the restricted one implies.
    there : Optimum or None
        The free model's problem at the parameters that do so; None where it does not.
    """

    nested: bool
    there: Optimum | None


def nesting(free: SemFit, restricted: SemFit) -> Nesting:
    """Fit the free model to the moments that the restricted one implies: nothing must be left.

    The equivalence and nesting test of Bentler & Satorra (2010), Psychological Methods 15, 111-123.

    Parameters
    ----------
    free, restricted : SemFit
        Fits of the same data; ``free`` has fewer degrees of freedom.
    """
    if isinstance(free, OrdinalFit) and isinstance(restricted, OrdinalFit):
        return _ordinal_nesting(free, restricted)
    targets = _implied_targets(free, restricted)
    if targets is None:
        return Nesting(False, None)
    problem = Problem(free.problem.layouts, targets, free.problem.size, free.problem.n)
    for start in (carried(free, restricted), free.theta):
        found = minimise(problem, start, free.restrictions)
        if found is not None and free.problem.n * found.point.distance < _REPRODUCED:
            here = point_at(free.problem, found.point.theta)
            if here is not None:
                return Nesting(True, Optimum(here, True, found.steps, found.criterion, found.active))
    return Nesting(False, None)


def _ordinal_nesting(free: OrdinalFit, restricted: OrdinalFit) -> Nesting:
    for start in (carried(free, restricted), free.theta):
        left, there = minimum_there(free, restricted, start)
        if there is not None and left < _REPRODUCED:
            return Nesting(True, there)
    return Nesting(False, None)


def carried(free: SemFit, restricted: SemFit) -> Array:
    """Return the free model's parameters with the values that the restricted model gives to the same rows.

    Rows that the restricted model does not have are zero there.
    """
    names = {label: k for k, label in enumerate(restricted.table.groups)}
    values = {
        (row.group, *_ends(row.lhs, row.op, row.rhs)): float(value)
        for row, value in zip(restricted.table.rows, restricted.values, strict=True)
    }
    theta = np.array(free.theta)
    for row in free.table.rows:
        if row.free >= 0:
            group = names[free.table.groups[row.group]]
            theta[row.free] = values.get((group, *_ends(row.lhs, row.op, row.rhs)), 0.0)
    return theta


def _ends(lhs: str, op: str, rhs: str) -> tuple[str, str, str]:
    return (rhs, op, lhs) if op == "~~" and rhs < lhs else (lhs, op, rhs)


def _implied_targets(free: SemFit, restricted: SemFit) -> tuple[Target, ...] | None:
    """Return the restricted model's moments as something to fit, in the free model's order of groups and variables."""
    place = {name: k for k, name in enumerate(restricted.table.observed)}
    order = np.array([place[name] for name in free.table.observed])
    groups = {label: k for k, label in enumerate(restricted.table.groups)}
    found = []
    for label, target in zip(free.table.groups, free.problem.targets, strict=True):
        at = restricted.groups[groups[label]]
        cov = at.cov[np.ix_(order, order)]
        inverse = inverse_and_log_determinant(cov)
        if inverse is None:
            return None
        mean = None if target.mean is None else at.mean[order]
        found.append(Target(cov, mean, inverse[0], inverse[1], target.share, target.n, True))
    return tuple(found)
