"""Nested models of ordered answers: does the freer one hold the other, and the test of the difference."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sipas_research.numerics.correlation import Array
from sipas_research.sem.optimum import Optimum, minimise, point_at
from sipas_research.sem.ordinal_moments import MomentShape
from sipas_research.sem.ordinal_problem import OrdinalProblem

if TYPE_CHECKING:
    from sipas_research.sem.ordinal_result import OrdinalFit


def implied_problem(free: OrdinalFit, restricted: OrdinalFit) -> OrdinalProblem:
    """Return the free model's problem with the statistics that the restricted model implies in the sample's place."""
    groups = {label: k for k, label in enumerate(restricted.table.groups)}
    samples = []
    for label, sample in zip(free.table.groups, free.problem.samples, strict=True):
        at = restricted.ordinal.each[groups[label]]
        place = {name: k for k, name in enumerate(statistic_names(at.layout.shape))}
        order = [place[name] for name in statistic_names(sample.shape)]
        samples.append(replace(sample, values=at.moments[order]))
    return replace(free.problem, samples=tuple(samples))


def statistic_names(shape: MomentShape) -> tuple[str, ...]:
    """Return a name for each statistic that does not depend on the order of the variables."""
    names = shape.names
    cuts = [f"{names[of]}|{rank}" for of, rank in zip(shape.cut_of, shape.cut_rank, strict=True)]
    slopes = [f"{name}~{other}" for name in names for other in shape.predictors]
    variances = [f"{names[k]}~~{names[k]}" for k in shape.numeric]
    pairs = ["~~".join(sorted((names[i], names[j]))) for i, j in zip(*shape.pairs, strict=True)]
    return (*cuts, *slopes, *variances, *pairs)


def minimum_there(free: OrdinalFit, restricted: OrdinalFit, start: Array) -> tuple[float, Optimum | None]:
    """Return what is left when the free model fits the restricted one's statistics, and that place in its own data."""
    problem = implied_problem(free, restricted)
    found = minimise(problem, start, free.restrictions)
    if found is None:
        return float("inf"), None
    here = point_at(free.problem, found.point.theta)
    there = None if here is None else Optimum(here, True, found.steps, found.criterion, found.active)
    return problem.n * found.point.distance, there


def statistic_slopes(fit: OrdinalFit) -> Array:
    """Return the slopes of all statistics by the free parameters, in the order of labels and names."""
    groups = sorted(range(len(fit.groups)), key=fit.table.groups.__getitem__)
    parts = []
    for group in groups:
        names = statistic_names(fit.problem.samples[group].shape)
        order = sorted(range(len(names)), key=names.__getitem__)
        parts.append(fit.ordinal.jacobians[group][order])
    return np.concatenate(parts)
