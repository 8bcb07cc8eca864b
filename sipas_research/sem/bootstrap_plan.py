"""What bootstrap replicates share, and one replicate: a search from the full sample's minimum, and its answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sipas_research.errors import AnalysisError
from sipas_research.numerics.correlation import Array
from sipas_research.sem.bootstrap_sources import MINIMUM, MOMENTS, Counts, Source, source_of
from sipas_research.sem.implied import Implied
from sipas_research.sem.optimum import Point, Problem, minimise
from sipas_research.sem.parameter_table import ParameterTable
from sipas_research.sem.replicate_search import nearby_minimum, start_inverse
from sipas_research.sem.restrictions import Restrictions
from sipas_research.sem.result import SemFit
from sipas_research.sem.standardize import RowIndex, Scale, row_index, row_values, standardized_values
from sipas_research.sem.starting import starting_values

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
class Plan:
    """What all replicates share.

    Attributes
    ----------
    source : Source
        Turns counts of rows into what is minimised.
    lengths : tuple of int
        Rows of each group.
    clusters : tuple of index arrays or None
        The cluster of each row, counted over all groups.
    table, restrictions
        Those of the fit.
    theta : (q,) array
        The full sample's estimates.
    inverse : (q, q) array or None
        See :func:`.replicate_search.start_inverse`.
    index : RowIndex
    labels : dict of str to int
        The first row that carries each label.
    categorical : bool
        Whether answers are ordered categories.
    """

    source: Source
    lengths: tuple[int, ...]
    clusters: tuple[Counts | None, ...]
    table: ParameterTable
    restrictions: Restrictions
    theta: Array
    inverse: Array | None
    index: RowIndex
    labels: dict[str, int]
    categorical: bool


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
    rows = [np.concatenate(list(group.rows())) for group in fit.samples if group.rows is not None]
    return Plan(
        source_of(fit.samples, rows, fit.table, fit.options, fit.problem.layouts),
        tuple(len(each) for each in rows), tuple(group.clusters for group in fit.samples), fit.table,
        fit.restrictions, np.array(fit.theta), start_inverse(fit.problem, fit.optimum.point, fit.restrictions),
        row_index(fit.table), labels, fit.options.categorical,
    )  # fmt: skip


def replicate(plan: Plan, counts: Sequence[Counts]) -> Replicate | str:
    """Return the values of the sample in which row i stands ``counts[g][i]`` times, or why there are none."""
    if not all(often.any() for often in counts):  # clusters that cut groups: none of a group's was drawn
        return MOMENTS
    with np.errstate(all="ignore"):
        problem = plan.source.problem(counts)
        if isinstance(problem, str):
            return problem
        point = nearby_minimum(problem, plan.theta, plan.inverse, plan.restrictions)
        point = _from_afar(plan, problem) if point is None else point
    return MINIMUM if point is None else read_values(plan, point.theta, point.groups)


def _from_afar(plan: Plan, problem: Problem) -> Point | None:
    """Return the minimum from the start that a fit of these rows would have."""
    if plan.categorical:
        return None
    covs, means = [target.cov for target in problem.targets], [target.mean for target in problem.targets]
    found = minimise(problem, starting_values(plan.table, covs, means), plan.restrictions)
    return found.point if found is not None and found.converged else None


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
