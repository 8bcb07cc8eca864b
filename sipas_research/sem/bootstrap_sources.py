"""What the rows of a resample become: moments, patterns of incomplete rows, or statistics of ordered answers.

Only rows that were drawn are touched; one drawn twice counts twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dsyrk

from sipas_research.errors import SipasError
from sipas_research.numerics.correlation import Array
from sipas_research.numerics.hole_patterns import hole_codes, patterns_of
from sipas_research.sem.discrepancy import Target, target_of
from sipas_research.sem.holes import Holes
from sipas_research.sem.layout import Layout, ends, places
from sipas_research.sem.measures import counted_rows
from sipas_research.sem.moments import GroupSample, require_regular
from sipas_research.sem.optimum import Problem
from sipas_research.sem.options import FitOptions
from sipas_research.sem.ordinal_fit import ordered_items, problem_of
from sipas_research.sem.ordinal_gather import categories_of, ordinal_sample
from sipas_research.sem.parameter_table import ParameterTable

Counts = NDArray[np.intp]

#: Why a resample has no values: moments without an answer, an answer that nobody gave, or no minimum reached.
MOMENTS, CATEGORY, MINIMUM = "moments", "category", "minimum"
#: A variance below this share of the mean square it is worked out from is rounding: the variable is constant.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Rows:
    """The rows of one group: (n, p) values and their weights where there are some."""

    values: Array
    weights: Array | None

    def drawn(self, counts: Counts) -> tuple[Array, Array]:
        """Return the rows that were drawn, and what each counts."""
        taken = np.flatnonzero(counts)
        often = counts[taken].astype(np.float64)
        return self.values[taken], often if self.weights is None else often * self.weights[taken]


class Source(Protocol):
    """Turns counts of rows into what is minimised."""

    def problem(self, counts: Sequence[Counts]) -> Problem | str:
        """Return the problem of the resample in which row i of group g counts ``counts[g][i]`` times, or why not."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MomentSource:
    """Complete rows: a weighted cross-product of rows less the full sample's means."""

    samples: tuple[GroupSample, ...]
    rows: tuple[Rows, ...]
    table: ParameterTable
    options: FitOptions
    layouts: tuple[Layout, ...]

    def problem(self, counts: Sequence[Counts]) -> Problem | str:
        """Return the problem of a resample, or "moments"."""
        drawn = [_resampled(*each) for each in zip(self.samples, self.rows, counts, strict=True)]
        try:
            require_regular([group for group, _ in drawn], invertible=self.options.estimator != "ULS")
        except SipasError:
            return MOMENTS
        whole = sum(total for _, total in drawn)
        targets = tuple(target_of(group, self.options, total / whole) for group, total in drawn)
        return _problem(self.table, self.layouts, targets, sum(group.n for group, _ in drawn), self.options)


def _resampled(sample: GroupSample, rows: Rows, counts: Counts) -> tuple[GroupSample, float]:
    """Return the moments of a group whose rows are counted so often, and the sum of the weights."""
    part, weight = rows.drawn(counts)
    total = float(weight.sum())
    shift = weight @ part / total
    half = dsyrk(1.0 / total, (part * np.sqrt(weight)[:, None]).T, lower=1)
    cov = half + half.T
    cov.flat[:: len(cov) + 1] *= 0.5
    around = cov.diagonal().copy()
    cov -= np.outer(shift, shift)
    constant = cov.diagonal() <= _ROUNDING * around
    cov[constant] = cov[:, constant] = 0.0
    mean = shift if sample.mean is None else sample.mean + shift
    return replace(sample, cov=cov, mean=mean, n=int(counts.sum()), weights=None, clusters=None), total


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class HoleSource:
    """Incomplete rows: their patterns, weighted by how often each was drawn.

    The saturated moments only shift the discrepancy and are not worked out again.
    """

    samples: tuple[GroupSample, ...]
    rows: tuple[Rows, ...]
    table: ParameterTable
    options: FitOptions
    layouts: tuple[Layout, ...]

    def problem(self, counts: Sequence[Counts]) -> Problem | str:
        """Return the problem of a resample, or "moments"."""
        parts = [rows.drawn(often) for rows, often in zip(self.rows, counts, strict=True)]
        whole = sum(float(weight.sum()) for _, weight in parts)
        targets = []
        for sample, (values, weight) in zip(self.samples, parts, strict=True):
            there = np.logical_not(np.isnan(values))
            high, low = np.where(there, values, -np.inf).max(axis=0), np.where(there, values, np.inf).min(axis=0)
            together = there.T.astype(np.float64) @ there
            if not ((high > low).all() and (together > 0).all()):
                return MOMENTS
            targets.append(self._target(sample, values, weight, float(weight.sum()) / whole))
        n = sum(int(often.sum()) for often in counts)
        return _problem(self.table, self.layouts, tuple(targets), n, self.options)

    def _target(self, sample: GroupSample, values: Array, weight: Array, share: float) -> Target:
        there, code = hole_codes(values)
        cov, mean = sample.cov.copy(), np.array(sample.mean)
        outside = [self.table.observed.index(name) for name in self.table.predictors]
        if outside:  # predictors are there in every row
            given = values[:, outside]
            mean[outside] = weight @ given / weight.sum()
            around = given - mean[outside]
            cov[np.ix_(outside, outside)] = (around * weight[:, None]).T @ around / weight.sum()
        holes = Holes(values, there, code, patterns_of(values, weight), mean, cov, 0.0, sample.label, weight)
        return Target(cov, mean, cov, float("nan"), share, float(weight.sum()), True, holes)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OrdinalSource:
    """Ordered answers: thresholds, correlations and their weights are worked out for every resample."""

    samples: tuple[GroupSample, ...]
    rows: tuple[Rows, ...]
    table: ParameterTable
    options: FitOptions
    categories: dict[str, Array]

    def problem(self, counts: Sequence[Counts]) -> Problem | str:
        """Return the problem of a resample, "category" where nobody drawn gave some answer, or "moments"."""
        found = []
        try:
            for sample, rows, often in zip(self.samples, self.rows, counts, strict=True):
                values = np.repeat(rows.values, often, axis=0)
                if self._lacks(sample, values):
                    return CATEGORY
                weights = None if rows.weights is None else np.repeat(rows.weights, often)
                drawn = replace(sample, n=len(values), weights=weights, clusters=None)
                found.append(ordinal_sample(drawn, values, self.categories, self.table.predictors, None))
            return problem_of(self.table, found, self.options)
        except (SipasError, np.linalg.LinAlgError):
            return MOMENTS

    def _lacks(self, sample: GroupSample, values: Array) -> bool:
        for name, known in self.categories.items():
            column = values[:, sample.names.index(name)]
            if len(np.unique(column[~np.isnan(column)])) < len(known):
                return True
        return False


def source_of(
    samples: tuple[GroupSample, ...], rows: Sequence[Array], table: ParameterTable, options: FitOptions,
    layouts: tuple[Layout, ...],
) -> Source:  # fmt: skip
    """Return the source that fits the options.

    Parameters
    ----------
    samples : tuple of GroupSample
        Those of the full sample.
    rows : sequence of (n, p) arrays
    table, options, layouts
        Those of the fit.
    """
    bare = tuple(replace(each, rows=None, index=None, positions=None, holes=None) for each in samples)
    each = tuple(Rows(values, sample.weights) for values, sample in zip(rows, samples, strict=True))
    if options.categorical:
        ordered = ordered_items(table, options)
        return OrdinalSource(bare, each, table, options, categories_of(samples, rows, ordered))
    if options.fiml:
        return HoleSource(bare, each, table, options, layouts)
    centred = tuple(
        Rows(np.ascontiguousarray(own.values - np.asarray(sample.mean)), own.weights)
        for own, sample in zip(each, samples, strict=True)
    )
    return MomentSource(bare, centred, table, options, layouts)


def _problem(
    table: ParameterTable, layouts: Sequence[Layout], targets: tuple[Target, ...], n: int, options: FitOptions
) -> Problem:
    own = tuple(
        _with_moments(layout, table, k, target) for k, (layout, target) in enumerate(zip(layouts, targets, strict=True))
    )
    return Problem(own, targets, table.size, counted_rows(n, len(targets), options))


def _with_moments(layout: Layout, table: ParameterTable, group: int, target: Target) -> Layout:
    """Return the layout with the resample's moments of observed predictors in place."""
    if not table.predictors:
        return layout
    cov, means = layout.base_cov.copy(), layout.base_means.copy()
    place = places(table)
    for row in table.rows:
        if row.group == group and row.exogenous:
            left, right = ends(row, place)
            if row.op == "~1":
                means[left] = 0.0 if target.mean is None else target.mean[left]
            else:
                cov[left, right] = cov[right, left] = target.cov[left, right]
    return replace(layout, base_cov=cov, base_means=means)
