"""Where each parameter of a group stands in the matrices of the reticular action model.

All variables, observed first, stand in one system: ``eta = alpha + B eta + zeta`` with ``cov(zeta) = Phi``
(McArdle & McDonald 1984, British Journal of Mathematical and Statistical Psychology 37, 234-251). The positions are
worked out once a fit, so that an iteration is a handful of matrix products.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sipas_research.numerics.correlation import Array
from sipas_research.sem.parameter_table import ParameterTable, Row

Index = NDArray[np.intp]


@dataclass(frozen=True, eq=False, repr=False)
class Layout:
    """Positions of one group's parameters; N variables of which the first p are observed.

    Derivatives come in this order: paths, covariances, intercepts; ``free`` holds the free parameter behind each.

    Attributes
    ----------
    size, observed : int
        N and p.
    path_to, path_from : (a,) index arrays
        Paths that are estimated: B[to, from].
    cov_left, cov_right : (b,) index arrays
        Covariances that are estimated: Phi[left, right].
    means_of : (c,) index array
        Intercepts that are estimated.
    free : (a + b + c,) index array
    base_paths, base_cov : (N, N) arrays
        B and Phi with fixed values in place and zero where something is estimated.
    base_means : (N,) array
    """

    size: int
    observed: int
    path_to: Index
    path_from: Index
    cov_left: Index
    cov_right: Index
    means_of: Index
    free: Index
    base_paths: Array
    base_cov: Array
    base_means: Array

    @cached_property
    def moments(self) -> int:
        """Number of parameters that move covariances: paths and covariances."""
        return len(self.path_to) + len(self.cov_left)

    @cached_property
    def identity(self) -> Array:
        """I, of the size of B."""
        return np.eye(self.size)

    @cached_property
    def direct(self) -> bool:
        """Whether no variable both explains and is explained: B B = 0, and I + B is the inverse of I - B."""
        fixed_to, fixed_from = np.nonzero(self.base_paths)
        explained = {*self.path_to.tolist(), *fixed_to.tolist()}
        return explained.isdisjoint((*self.path_from.tolist(), *fixed_from.tolist()))

    @cached_property
    def path_cells(self) -> Index:
        """Flat positions of the estimated paths in B."""
        return self.path_to * self.size + self.path_from

    @cached_property
    def cov_cells(self) -> tuple[Index, Index]:
        """Flat positions of the estimated covariances in both triangles of Phi."""
        return self.cov_left * self.size + self.cov_right, self.cov_right * self.size + self.cov_left

    @cached_property
    def in_order(self) -> bool:
        """Whether the group's parameters are all free parameters of the model, one for one in their order."""
        return bool((self.free == np.arange(len(self.free))).all())

    @cached_property
    def distinct(self) -> bool:
        """Whether no two parameters of the group are one free parameter."""
        return len(set(self.free.tolist())) == len(self.free)

    @cached_property
    def left(self) -> Index:
        """Column of W = [G, F C] that is ``a`` of each derivative s (a b' + b a')."""
        return np.concatenate([self.path_to, self.cov_left])

    @cached_property
    def right(self) -> Index:
        """Column of W = [G, F C] that is ``b``."""
        return np.concatenate([self.path_from + self.size, self.cov_right])

    @cached_property
    def factor(self) -> Array:
        """The factors s: 1, and one half for variances."""
        half = np.where(self.cov_left == self.cov_right, 0.5, 1.0)
        return np.concatenate([np.ones(len(self.path_to)), half])

    @cached_property
    def mean_columns(self) -> Index:
        """Parameters that move means: paths and intercepts, as positions among all."""
        a, b = len(self.path_to), len(self.cov_left)
        return np.concatenate([np.arange(a), np.arange(a + b, a + b + len(self.means_of))])

    @cached_property
    def grid(self) -> tuple[Index, Index, Index]:
        """Flat positions of (a_k, a_l), (b_k, b_l) and (a_k, b_l) in a (2N, 2N) matrix."""
        wide = 2 * self.size
        rows_a, rows_b = self.left[:, None] * wide, self.right[:, None] * wide
        return rows_a + self.left, rows_b + self.right, rows_a + self.right

    @cached_property
    def scales(self) -> Array:
        """The products 2 s_k s_l."""
        return 2.0 * np.outer(self.factor, self.factor)

    def of_rows(self, paths: Sequence[tuple[int, int]], covariances: Sequence[tuple[int, int]],
                intercepts: Sequence[int]) -> Layout:  # fmt: skip
        """Return a layout with other parameters at the same matrices, for derivatives by fixed ones."""
        to, source = _pairs(paths)
        left, right = _pairs(covariances)
        count = len(paths) + len(covariances) + len(intercepts)
        return Layout(
            self.size, self.observed, to, source, left, right, np.array(intercepts, dtype=np.intp),
            np.arange(count), self.base_paths, self.base_cov, self.base_means,
        )  # fmt: skip


def _pairs(pairs: Sequence[tuple[int, int]]) -> tuple[Index, Index]:
    both = np.array(pairs, dtype=np.intp).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def places(table: ParameterTable) -> dict[str, int]:
    """Return the position of each variable: observed first, then latent."""
    return {name: k for k, name in enumerate((*table.observed, *table.latents))}


def ends(row: Row, place: dict[str, int]) -> tuple[int, int]:
    """Return two positions: (to, from) of a path, (left, right) of a covariance, (of, of) of all that has one end."""
    if row.op == "=~":
        return place[row.rhs], place[row.lhs]
    if row.op in ("~1", "|", "~*~"):
        return place[row.lhs], place[row.lhs]
    return place[row.lhs], place[row.rhs]


def layout_of(table: ParameterTable, group: int, cov: Array, mean: Array | None) -> Layout:
    """Return the layout of one group.

    Parameters
    ----------
    table : ParameterTable
    group : int
    cov : (p, p) array
        Sample covariances in the order of ``table.observed``: exogenous rows take their values from it.
    mean : (p,) array or None
    """
    place = places(table)
    size = len(place)
    base_paths, base_cov, base_means = np.zeros((size, size)), np.zeros((size, size)), np.zeros(size)
    paths: list[tuple[int, int, int]] = []
    covariances: list[tuple[int, int, int]] = []
    intercepts: list[tuple[int, int, int]] = []
    for row in table.rows:
        if row.group != group:
            continue
        left, right = ends(row, place)
        if row.free >= 0:
            kind = paths if row.op in ("=~", "~") else covariances if row.op == "~~" else intercepts
            kind.append((left, right, row.free))
        elif row.op == "~1":
            base_means[left] = row.value if not row.exogenous else _mean_of(mean, left)
        elif row.op == "~~":
            base_cov[left, right] = base_cov[right, left] = cov[left, right] if row.exogenous else row.value
        else:
            base_paths[left, right] = row.value
    to, source, path_free = _columns(paths)
    first, second, cov_free = _columns(covariances)
    of, _, mean_free = _columns(intercepts)
    return Layout(
        size, len(table.observed), to, source, first, second, of, np.concatenate([path_free, cov_free, mean_free]),
        base_paths, base_cov, base_means,
    )  # fmt: skip


def _mean_of(mean: Array | None, k: int) -> float:
    return 0.0 if mean is None else float(mean[k])


def _columns(triples: list[tuple[int, int, int]]) -> tuple[Index, Index, Index]:
    table = np.array(triples, dtype=np.intp).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]
