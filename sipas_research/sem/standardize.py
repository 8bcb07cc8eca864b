"""Standardised coefficients: latent variables at variance one (std_lv), or all variables (std_all)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sipas_research.numerics.correlation import Array
from sipas_research.sem.implied import Implied
from sipas_research.sem.layout import Index, ends, places
from sipas_research.sem.parameter_table import ParameterTable

Scale = Literal["lv", "all"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RowIndex:
    """Where each row of the table stands: one array an attribute, in the order of the rows.

    ``kind``: 0 path or loading, 1 covariance, 2 variance, 3 intercept, 4 threshold, 5 scale of an ordered item.
    """

    group: Index
    left: Index
    right: Index
    kind: Index
    free: Index
    fixed: Array
    exogenous: Array


def row_index(table: ParameterTable) -> RowIndex:
    """Return the positions of all rows of a table."""
    place = places(table)
    pairs = [ends(row, place) for row in table.rows]
    both = np.array(pairs, dtype=np.intp).reshape(-1, 2)
    kinds = {"=~": 0, "~": 0, "~1": 3, "|": 4, "~*~": 5}
    kind = [kinds.get(r.op, 2 if r.lhs == r.rhs else 1) for r in table.rows]
    return RowIndex(
        np.array([row.group for row in table.rows], dtype=np.intp), both[:, 0], both[:, 1],
        np.array(kind, dtype=np.intp), np.array([row.free for row in table.rows], dtype=np.intp),
        np.array([row.value for row in table.rows], dtype=float),
        np.array([row.exogenous for row in table.rows], dtype=bool),
    )  # fmt: skip


def row_values(index: RowIndex, theta: Array, groups: Sequence[Implied]) -> Array:
    """Return the value of every row: estimate, fixed value, or the sample's moment of a predictor."""
    values = index.fixed.copy()
    estimated = index.free >= 0
    values[estimated] = theta[index.free[estimated]]
    for k in np.flatnonzero(index.exogenous):
        at = groups[index.group[k]]
        left, right = index.left[k], index.right[k]
        values[k] = at.intercepts[left] if index.kind[k] == 3 else at.residual[left, right]
    return values


def standardized_values(index: RowIndex, values: Array, groups: Sequence[Implied], scale: Scale) -> Array:
    """Return every row's coefficient with latent variables, or all variables, at variance one.

    A residual covariance becomes the correlation of the residuals, a residual variance its share of the whole.
    NaN where a variance is not positive.

    Parameters
    ----------
    index : RowIndex
    values : (r,) array
        Values of the rows.
    groups : sequence of Implied
    scale : {"lv", "all"}
    """
    observed = groups[0].layout.observed
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.sqrt(np.array([at.joint.diagonal() for at in groups]))
        rest = np.sqrt(np.array([at.residual.diagonal() for at in groups]))
        if scale == "lv":
            spread[:, :observed] = 1.0
            rest[:, :observed] = 1.0
        left, right = spread[index.group, index.left], spread[index.group, index.right]
        product = rest[index.group, index.left] * rest[index.group, index.right]
        mean, scales = values / left, values if scale == "lv" else np.ones_like(values)
        of_kind = (values * right / left, values / product, values / left**2, mean, mean, scales)
        found: Array = np.choose(index.kind, of_kind)
    return found
