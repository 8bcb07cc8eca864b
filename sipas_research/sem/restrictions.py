"""Restrictions between parameters as functions of the free parameters: "==", "<", ">" and the definitions ":="."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sipas_research.errors import AnalysisError
from sipas_research.numerics.correlation import Array
from sipas_research.sem.parameter_table import ParameterTable
from sipas_research.sem.syntax import Constraint, model_error, near_names

#: Singular values of the restrictions' Jacobian below this share of the largest count as zero: one repeats another.
_RANK = 1e-9
#: How far a restriction may be missed where a search ends; beyond, it was not met.
_MET = 1e-5
#: How far a restriction may be missed and still hold, in units of its own slope.
HOLDS = 1e-8


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Restrictions:
    """Equalities that hold, inequalities that may come to hold, and definitions.

    Attributes
    ----------
    equal, bounds, definitions : tuple of Constraint
    labels : dict of str to int or float
        Free parameter behind a label, or its fixed value.
    size : int
        Number of free parameters.
    """

    equal: tuple[Constraint, ...]
    bounds: tuple[Constraint, ...]
    definitions: tuple[Constraint, ...]
    labels: dict[str, int | float]
    size: int

    def defined(self, theta: Array) -> tuple[Array, Array]:
        """Return values and Jacobian of the definitions, in order; each may use those before it."""
        values = np.zeros(len(self.definitions))
        slopes = np.zeros((len(self.definitions), self.size))
        known: dict[str, tuple[float, Array]] = {}
        for k, definition in enumerate(self.definitions):
            values[k], slopes[k] = self._evaluate(definition.right, theta, known)
            known[definition.name] = (values[k], slopes[k])
        return values, slopes

    def gaps(self, constraints: Sequence[Constraint], theta: Array) -> tuple[Array, Array]:
        """Return left minus right (right minus left for "<") of each constraint, and the Jacobian."""
        values, slopes = np.zeros(len(constraints)), np.zeros((len(constraints), self.size))
        if not constraints:
            return values, slopes
        defined, defined_slopes = self.defined(theta)
        known = {d.name: (defined[k], defined_slopes[k]) for k, d in enumerate(self.definitions)}
        for k, constraint in enumerate(constraints):
            left, left_slope = self._evaluate(constraint.left, theta, known)
            right, right_slope = self._evaluate(constraint.right, theta, known)
            sign = -1.0 if constraint.op == "<" else 1.0
            values[k], slopes[k] = sign * (left - right), sign * (left_slope - right_slope)
        return values, slopes

    def _evaluate(self, expression: object, theta: Array, known: dict[str, tuple[float, Array]]) -> tuple[float, Array]:
        values: dict[str, float] = {}
        names: tuple[str, ...] = expression.names  # type: ignore[attr-defined]
        for name in names:
            place = self.labels.get(name)
            if place is None:
                values[name] = known[name][0]
            else:
                values[name] = float(theta[place]) if isinstance(place, int) else place
        found, parts = expression.value_and_gradient(values)  # type: ignore[attr-defined]
        slope = np.zeros(self.size)
        for name, part in parts.items():
            place = self.labels.get(name)
            if place is None:
                slope += part * known[name][1]
            elif isinstance(place, int):
                slope[place] += part
        return float(found), slope


def restrictions_of(table: ParameterTable) -> Restrictions:
    """Return the restrictions of a parameter table.

    Raises
    ------
    ModelSyntaxError
        If a constraint names a label that no parameter has.
    """
    labels = table.labelled()
    known = set(labels)
    for constraint in (*table.definitions, *table.constraints):
        names = (*(() if constraint.op == ":=" else constraint.left.names), *constraint.right.names)
        for name in names:
            if name not in known:
                near = ", ".join(near_names(name, sorted(known))) or "-"
                raise model_error(
                    "sem.error.unknown_label",
                    table.syntax.text,
                    constraint.line,
                    constraint.column,
                    name=name,
                    near=near,
                )
        if constraint.op == ":=":
            known.add(constraint.name)
    equal = tuple(c for c in table.constraints if c.op == "==")
    bounds = tuple(c for c in table.constraints if c.op in ("<", ">"))
    return Restrictions(equal, bounds, table.definitions, labels, table.size)


def null_space(slopes: Array, size: int) -> tuple[Array, Array]:
    """Return a basis Z of the directions that keep the restrictions, and a basis of the rest.

    Parameters
    ----------
    slopes : (r, q) array
        Jacobian of the restrictions; rows may depend on each other.
    size : int
        q.

    Returns
    -------
    (q, q - rank) and (q, rank) arrays with orthonormal columns.
    """
    if not len(slopes):
        return np.eye(size), np.zeros((size, 0))
    _, singular, right = np.linalg.svd(slopes)
    rank = int((singular > _RANK * max(float(singular.max(initial=0.0)), 1e-300)).sum())
    return right[rank:].T, right[:rank].T


def least_squares(slopes: Array, right: Array) -> Array:
    """Return the shortest x for which ``slopes @ x`` comes closest to ``right``."""
    return np.asarray(np.linalg.lstsq(slopes, right, rcond=None)[0], dtype=np.float64)


def require_consistent(restrictions: Restrictions, start: Array) -> None:
    """Stop where linear equalities contradict each other or the fixed values.

    Raises
    ------
    AnalysisError
    """
    linear = [c for c in restrictions.equal if c.left.linear() is not None and c.right.linear() is not None]
    if not linear:
        return
    values, slopes = restrictions.gaps(linear, start)
    step = least_squares(slopes, -values)
    missed = np.abs(values + slopes @ step)
    worst = int(missed.argmax())
    if missed[worst] > 1e-8 * max(1.0, float(np.abs(values).max())):
        raise AnalysisError("sem.error.contradiction", constraint=linear[worst].text)


def require_met(restrictions: Restrictions, theta: Array, *, defined_only: bool = False) -> None:
    """Stop where a restriction does not hold at ``theta`` (or, with ``defined_only``, has no value there).

    Raises
    ------
    AnalysisError
    """
    held = (*restrictions.equal, *restrictions.bounds)
    gaps, slopes = restrictions.gaps(held, theta)
    for constraint, gap, slope in zip(held, gaps, slopes, strict=True):
        size = max(1.0, float(np.abs(theta[slope != 0]).max(initial=0.0)))
        allowed = np.inf if defined_only else _MET * size * min(max(1.0, float(np.abs(slope).max(initial=0.0))), 100.0)
        away = abs(gap) if constraint.op == "==" else -gap
        if not (away <= allowed and np.isfinite(away) and np.isfinite(slope).all()):
            raise AnalysisError("sem.error.unmet", constraint=constraint.text)
