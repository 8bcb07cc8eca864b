"""What a bootstrap replicate needs, worked out once: rows, the fit to start from, and how to read the answers.

A replicate is a weighted cross-product of the rows and a search from the full sample's minimum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dsyrk

from sipas_research.errors import AnalysisError, SipasError
from sipas_research.numerics.correlation import Array
from sipas_research.sem.discrepancy import target_of
from sipas_research.sem.implied import Implied
from sipas_research.sem.layout import Layout, ends, places
from sipas_research.sem.moments import GroupSample, require_regular
from sipas_research.sem.optimum import Point, Problem, minimise
from sipas_research.sem.options import FitOptions
from sipas_research.sem.parameter_table import ParameterTable
from sipas_research.sem.replicate_search import nearby_minimum, start_inverse
from sipas_research.sem.restrictions import Restrictions
from sipas_research.sem.result import SemFit
from sipas_research.sem.standardize import RowIndex, Scale, row_index, row_values, standardized_values
from sipas_research.sem.starting import starting_values

Counts = NDArray[np.intp]

#: Why a replicate has no values: moments without an answer, or no minimum reached.
MOMENTS, MINIMUM = "moments", "minimum"
#: A variance below this share of the mean square it is worked out from is rounding: the variable is constant.
_ROUNDING = 1e-12
SCALES: tuple[Scale, Scale] = ("lv", "all")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Replicate:
    """Values of one replicate, in the order of the table's rows, then of the definitions.

    ``raw``, ``std_lv`` and ``std_all`` are (r + d,) arrays; ``improper`` tells of a variance below zero.
    """

    raw: Array
    std_lv: Array
    std_all: Array
    improper: bool


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Rows:
    """The rows of one group: (n, p) values less their means, those means, weights and clusters where there are any."""

    values: Array
    mean: Array
    weights: Array | None
    clusters: Counts | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Plan:
    """What all replicates share.

    Attributes
    ----------
    samples : tuple of GroupSample
        Moments of the full sample, without rows.
    rows : tuple of Rows
    table, options, restrictions, problem
        Those of the fit.
    theta : (q,) array
    inverse : (q, q) array or None
        See :func:`.replicate_search.start_inverse`.
    index : RowIndex
    labels : dict of str to int
        The first row that carries each label.
    """

    samples: tuple[GroupSample, ...]
    rows: tuple[Rows, ...]
    table: ParameterTable
    options: FitOptions
    restrictions: Restrictions
    problem: Problem
    theta: Array
    inverse: Array | None
    index: RowIndex
    labels: dict[str, int]


def plan_of(fit: SemFit) -> Plan:
    """Return the plan of a fit; its rows are held in memory.

    Raises
    ------
    AnalysisError
        If the fit has no rows.
    """
    if not fit.sample.with_rows or not fit.sample.with_means:
        raise AnalysisError("sem_bootstrap.error.no_rows")
    labels: dict[str, int] = {}
    for k, row in enumerate(fit.table.rows):
        if row.label:
            labels.setdefault(row.label, k)
    bare = tuple(replace(group, rows=None, index=None, positions=None) for group in fit.samples)
    return Plan(
        bare, tuple(_rows(group) for group in fit.samples), fit.table, fit.options, fit.restrictions, fit.problem,
        np.array(fit.theta), start_inverse(fit.problem, fit.optimum.point, fit.restrictions), row_index(fit.table),
        labels,
    )  # fmt: skip


def _rows(group: GroupSample) -> Rows:
    if group.rows is None or group.mean is None:
        raise AnalysisError("sem_bootstrap.error.no_rows")
    values = np.concatenate([block - group.mean for block in group.rows()])
    return Rows(np.ascontiguousarray(values), group.mean, group.weights, group.clusters)


def replicate(plan: Plan, counts: Sequence[Counts]) -> Replicate | str:
    """Return the values of the sample in which row i stands ``counts[g][i]`` times, or why there are none."""
    drawn = [_resampled(*each) for each in zip(plan.samples, plan.rows, counts, strict=True)]
    total = sum(group.n for group in drawn)
    try:
        require_regular(drawn, invertible=plan.options.estimator != "ULS")
        targets = tuple(target_of(group, plan.options, group.n / total) for group in drawn)
    except SipasError:
        return MOMENTS
    layouts = tuple(
        _with_moments(layout, plan.table, k, group)
        for k, (layout, group) in enumerate(zip(plan.problem.layouts, drawn, strict=True))
    )
    problem = Problem(layouts, targets, plan.problem.size, total)
    with np.errstate(all="ignore"):
        point = nearby_minimum(problem, plan.theta, plan.inverse, plan.restrictions)
        point = _from_afar(plan, problem) if point is None else point
    return MINIMUM if point is None else read_values(plan, point.theta, point.groups)


def _from_afar(plan: Plan, problem: Problem) -> Point | None:
    """Return the minimum from the start that a fit of these rows would have."""
    covs, means = [target.cov for target in problem.targets], [target.mean for target in problem.targets]
    found = minimise(problem, starting_values(plan.table, covs, means), plan.restrictions)
    return found.point if found is not None and found.converged else None


def _resampled(sample: GroupSample, rows: Rows, counts: Counts) -> GroupSample:
    """Return the moments of a group whose rows are counted so often: only rows that were drawn are touched."""
    taken = np.flatnonzero(counts)
    often = counts[taken]
    n = int(often.sum())
    weight = often.astype(np.float64) if rows.weights is None else often * rows.weights[taken]
    whole = float(weight.sum())
    part = rows.values[taken]
    shift = weight @ part / whole
    half = dsyrk(1.0 / whole, (part * np.sqrt(weight)[:, None]).T, lower=1)
    cov = half + half.T
    cov.flat[:: len(cov) + 1] *= 0.5
    around = cov.diagonal().copy()
    cov -= np.outer(shift, shift)
    constant = cov.diagonal() <= _ROUNDING * around
    cov[constant] = cov[:, constant] = 0.0
    return replace(sample, cov=cov, mean=rows.mean + shift, n=n, weights=None, clusters=None)


def _with_moments(layout: Layout, table: ParameterTable, group: int, sample: GroupSample) -> Layout:
    """Return the layout with the replicate's moments of observed predictors in place."""
    if not table.predictors:
        return layout
    cov, means = layout.base_cov.copy(), layout.base_means.copy()
    place = places(table)
    for row in table.rows:
        if row.group == group and row.exogenous:
            left, right = ends(row, place)
            if row.op == "~1":
                means[left] = 0.0 if sample.mean is None else sample.mean[left]
            else:
                cov[left, right] = cov[right, left] = sample.cov[left, right]
    return replace(layout, base_cov=cov, base_means=means)


def read_values(plan: Plan, theta: Array, groups: Sequence[Implied]) -> Replicate:
    """Return every row and definition at ``theta``, raw and standardised."""
    raw = row_values(plan.index, theta, groups)
    std_lv, std_all = (standardized_values(plan.index, raw, groups, scale) for scale in SCALES)
    improper = any(float(np.diag(at.residual).min()) < 0 for at in groups)
    found = [with_definitions(plan, each) for each in (raw, std_lv, std_all)]
    return Replicate(found[0], found[1], found[2], improper)


def with_definitions(plan: Plan, values: Array) -> Array:
    """Return values of the rows with those of the definitions behind; NaN where one is not defined there."""
    definitions = plan.restrictions.definitions
    if not definitions:
        return values
    known = {label: float(values[k]) for label, k in plan.labels.items()}
    more = []
    for definition in definitions:
        try:
            value = definition.right.value(known)
        except (ArithmeticError, ValueError):
            value = float("nan")
        known[definition.name] = value
        more.append(value)
    return np.concatenate([values, more])
