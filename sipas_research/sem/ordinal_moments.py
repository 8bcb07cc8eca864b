"""What ordered answers are fitted through: thresholds, means, slopes, variances and correlations, and their covariance.

Each ordered item is a normal variable cut at thresholds. Where predictors are given, everything is conditional on
them: thresholds are those of a probit regression, correlations those of what the regressions leave.
Muthén (1984), Psychometrika 49, 115-132; Muthén, du Toit & Spisic (1997).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sipas_research.numerics.correlation import Array

Index = NDArray[np.intp]


@dataclass(frozen=True, eq=False, repr=False)
class MomentShape:
    """Which statistics a group has, in this order: cuts, slopes, variances, pairs.

    Attributes
    ----------
    names : tuple of str
        Variables that the model explains, p of them.
    predictors : tuple of str
        Observed predictors, m of them; everything is conditional on them.
    categories : tuple of int
        Categories of each variable; 0 for a continuous one.
    """

    names: tuple[str, ...]
    predictors: tuple[str, ...]
    categories: tuple[int, ...]

    @cached_property
    def ordered(self) -> Index:
        """Places of the ordered variables."""
        return np.flatnonzero(np.array(self.categories) > 0)

    @cached_property
    def numeric(self) -> Index:
        """Places of the continuous variables."""
        return np.flatnonzero(np.array(self.categories) == 0)

    @cached_property
    def cut_of(self) -> Index:
        """The variable behind each cut: a threshold of an ordered one, the mean of a continuous one, (t,)."""
        return np.repeat(np.arange(len(self.names)), [max(size - 1, 1) for size in self.categories])

    @cached_property
    def cut_rank(self) -> Index:
        """Number of each threshold within its item, from 1; 0 for a mean, (t,)."""
        ranks = [np.arange(1, size) if size else np.zeros(1, dtype=np.intp) for size in self.categories]
        return np.concatenate(ranks).astype(np.intp) if ranks else np.zeros(0, dtype=np.intp)

    @cached_property
    def pairs(self) -> tuple[Index, Index]:
        """Places of the two variables of each pair, the first before the second."""
        first, second = np.triu_indices(len(self.names), 1)
        return first.astype(np.intp), second.astype(np.intp)

    @cached_property
    def starts(self) -> tuple[int, int, int, int]:
        """Where slopes, variances and pairs begin, and where all end."""
        slopes = len(self.cut_of)
        variances = slopes + len(self.names) * len(self.predictors)
        pairs = variances + len(self.numeric)
        return slopes, variances, pairs, pairs + len(self.pairs[0])

    @property
    def size(self) -> int:
        """Number of statistics."""
        return self.starts[3]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OrdinalSample:
    """The statistics of one group.

    Attributes
    ----------
    label : str
    shape : MomentShape
    n : int
        Rows used.
    total : float
        What the group counts for: the sum of its rows' weights.
    values : (s,) array
    gamma : (s, s) array
        ``total`` times the covariance matrix of ``values``: what lavaan calls NACOV.
    alone : (s,) array
        Diagonal of ``gamma`` as if rows came in no clusters: what the weights of DWLS rest on.
    correlation : (p, p) array
        Correlations of ordered items, covariances with continuous ones; conditional on predictors.
    outside_cov, outside_mean : (m, m) and (m,) arrays
        Moments of the predictors, divisor n - 1 as in lavaan.
    empty_pairs : int
        Pairs of ordered items with a cell that no row fills.
    adjusted : int
        2 x 2 tables whose empty cell was given half an answer.
    cluster_sums : (c, s) array or None
        What each cluster adds to ``values``, clusters counted over all groups, times the
        root of C / (C - 1) with C those of the groups that share clusters.
    """

    label: str
    shape: MomentShape
    n: int
    total: float
    values: Array
    gamma: Array
    alone: Array
    correlation: Array
    outside_cov: Array = field(default_factory=lambda: np.zeros((0, 0)))
    outside_mean: Array = field(default_factory=lambda: np.zeros(0))
    empty_pairs: int = 0
    adjusted: int = 0
    cluster_sums: Array | None = None

    @property
    def variances(self) -> Array:
        """Variances of all variables: one for ordered items."""
        return np.diag(self.correlation)
