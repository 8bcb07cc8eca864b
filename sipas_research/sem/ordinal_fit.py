"""Fit a model to ordered answers: DWLS, WLSMV, ULSMV, WLS.

Muthén (1984), Psychometrika 49, 115-132; Muthén, du Toit & Spisic (1997); Jöreskog (1994), Psychometrika 59, 381-389.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sipas_research.errors import AnalysisError, CategoryWarning, OptionError
from sipas_research.numerics.contingency import has_far_code
from sipas_research.numerics.correlation import Array, read_only
from sipas_research.sem.clusters import clusters_of
from sipas_research.sem.defaults import build_table
from sipas_research.sem.discrepancy import Target, inverse_and_log_determinant
from sipas_research.sem.layout import layout_of
from sipas_research.sem.moments import require_regular
from sipas_research.sem.optimum import Optimum, minimise
from sipas_research.sem.options import FitOptions
from sipas_research.sem.ordinal_gather import categories_of, ordinal_sample, rows_of
from sipas_research.sem.ordinal_information import ordinal_information
from sipas_research.sem.ordinal_moments import OrdinalSample
from sipas_research.sem.ordinal_problem import OrdinalProblem, weights_of
from sipas_research.sem.ordinal_result import OrdinalFit
from sipas_research.sem.ordinal_structure import OrdinalLayout
from sipas_research.sem.ordinal_table import require_same_items
from sipas_research.sem.parameter_table import ParameterTable
from sipas_research.sem.restrictions import Restrictions, require_consistent, require_met, restrictions_of
from sipas_research.sem.sampling import Sample
from sipas_research.sem.starting import plain_values, starting_values
from sipas_research.sem.syntax import ModelSyntax
from sipas_research.sem.troubles import troubles_of


def fit_ordinal(table: ParameterTable, sample: Sample, options: FitOptions) -> OrdinalFit:
    """Fit a model with ordered items.

    Parameters
    ----------
    table : ParameterTable
        The model before its items' categories are known.
    sample : Sample
        Rows of every group, variables in the order of ``table.observed``.
    options : FitOptions

    Raises
    ------
    AnalysisError
        If the data are not ordered answers, or no starting point is found.
    """
    return ordinal_data(table, sample, options).fit(table.syntax, sample, options)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OrdinalData:
    """Statistics of every group, to which any model of the same variables can be fitted.

    Attributes
    ----------
    categories : dict of str to int
        Answers of each ordered item.
    samples : tuple of OrdinalSample
    """

    categories: dict[str, int]
    samples: tuple[OrdinalSample, ...]

    def fit(self, syntax: ModelSyntax, sample: Sample, options: FitOptions) -> OrdinalFit:
        """Fit a model; ``sample`` holds the rows behind the statistics."""
        table = build_table(syntax, sample.labels, options, self.categories)
        return fit_statistics(table, sample, self.samples, options)


def ordinal_data(table: ParameterTable, sample: Sample, options: FitOptions) -> OrdinalData:
    """Return the statistics that models of ordered items are fitted to; arguments as :func:`fit_ordinal`."""
    ordered = ordered_items(table, options)
    other = [name for name in table.observed if name not in ordered]
    if options.missing == "pairwise" and other:
        raise OptionError("sem_ordinal.error.pairwise", names=", ".join(other))
    require_regular(sample.groups, invertible=False)
    rows = [rows_of(group) for group in sample.groups]
    categories = categories_of(sample.groups, rows, ordered)
    if not sample.checked:
        _warn_of_far_codes(categories)
    clusters = clusters_of(sample.groups)
    samples = tuple(
        ordinal_sample(group, values, categories, table.predictors, clusters)
        for group, values in zip(sample.groups, rows, strict=True)
    )
    return OrdinalData({name: len(values) for name, values in categories.items()}, samples)


def _warn_of_far_codes(categories: Mapping[str, Array]) -> None:
    """Warn of codes that look like "no answer" and would count as the highest or lowest answer."""
    far = {name: tuple(int(code) for code in codes) for name, codes in categories.items()}
    names = [name for name, codes in far.items() if has_far_code(codes)]
    if names:
        told = {"n": len(names), "items": ", ".join(names[:5]) + (", …" if len(names) > 5 else "")}
        warnings.warn(CategoryWarning("polychoric.warning.far_code", **told), stacklevel=6)


def ordered_items(table: ParameterTable, options: FitOptions) -> tuple[str, ...]:
    """Return the ordered items in the order of the model: those named, or all that are not predictors."""
    if options.ordered is True:
        return tuple(name for name in table.observed if name not in table.sources)
    named = tuple(options.ordered or ())
    require_same_items(table.observed, named, table.sources)
    return tuple(name for name in table.observed if name in named)


def fit_statistics(
    table: ParameterTable, sample: Sample, samples: Sequence[OrdinalSample], options: FitOptions
) -> OrdinalFit:
    """Fit a table with thresholds to the statistics of every group."""
    restrictions = restrictions_of(table)
    problem = problem_of(table, samples, options)
    found = search(table, problem, restrictions)
    information = ordinal_information(problem, found, restrictions, options)
    plain = OrdinalFit(table, options, sample, problem, found, restrictions, information, ())
    troubles = troubles_of(plain, ())
    for trouble in troubles:
        warnings.warn(trouble, stacklevel=5)
    return replace(plain, troubles=tuple(trouble.key for trouble in troubles))


def problem_of(table: ParameterTable, samples: Sequence[OrdinalSample], options: FitOptions) -> OrdinalProblem:
    """Return what is minimised."""
    rows = sum(each.n for each in samples)
    targets = tuple(_target(table, each, each.total / rows) for each in samples)
    layouts = tuple(
        ordinal_layout(table, k, each, target, options)
        for k, (each, target) in enumerate(zip(samples, targets, strict=True))
    )
    weights = weights_of(samples, options.estimator)
    inner = tuple(layout.inner for layout in layouts)
    return OrdinalProblem(inner, targets, table.size, rows - len(samples), layouts, tuple(samples), weights)


def _target(table: ParameterTable, sample: OrdinalSample, share: float) -> Target:
    """Return correlations and moments of all observed variables, for what is told about them, not for estimation."""
    names, shape = table.observed, sample.shape
    inside = np.array([names.index(name) for name in shape.names], dtype=np.intp)
    outside = np.array([names.index(name) for name in shape.predictors], dtype=np.intp)
    start, middle, _, _ = shape.starts
    slopes = sample.values[start:middle].reshape(len(inside), len(outside))
    cov, mean = np.zeros((len(names), len(names))), np.zeros(len(names))
    cov[np.ix_(inside, inside)] = sample.correlation + slopes @ sample.outside_cov @ slopes.T
    cov[np.ix_(inside, outside)] = slopes @ sample.outside_cov
    cov[np.ix_(outside, inside)] = cov[np.ix_(inside, outside)].T
    cov[np.ix_(outside, outside)] = sample.outside_cov
    cuts = shape.cut_rank == 0
    mean[inside[shape.cut_of[cuts]]] = sample.values[: len(cuts)][cuts]
    mean[inside] += slopes @ sample.outside_mean
    mean[outside] = sample.outside_mean
    found = inverse_and_log_determinant(cov)
    inverse, log_determinant = (np.eye(len(cov)), float("nan")) if found is None else found
    return Target(read_only(cov), read_only(mean), inverse, log_determinant, share, sample.n, False)


def ordinal_layout(
    table: ParameterTable, group: int, sample: OrdinalSample, target: Target, options: FitOptions
) -> OrdinalLayout:
    """Return the positions of one group's parameters."""
    delta = options.parameterization == "delta"
    inner = layout_of(structural(table), group, target.cov, target.mean)
    names, shape = table.observed, sample.shape
    inside = np.array([names.index(name) for name in shape.names], dtype=np.intp)
    outside = np.array([names.index(name) for name in shape.predictors], dtype=np.intp)
    if delta:
        base = inner.base_cov.copy()
        hidden = inside[shape.ordered]
        base[hidden, hidden] = 0.0
        inner = replace(inner, base_cov=base)
    place = {name: k for k, name in enumerate(shape.names)}
    cut = {(int(of), int(rank)): k for k, (of, rank) in enumerate(zip(shape.cut_of, shape.cut_rank, strict=True))}
    cuts, base_cuts = np.full(len(shape.cut_of), -1, dtype=np.intp), np.zeros(len(shape.cut_of))
    scales, base_scales = np.full(len(inside), -1, dtype=np.intp), np.ones(len(inside))
    for row in table.rows:
        if row.group == group and row.op == "|":
            k = cut[place[row.lhs], int(row.rhs[1:])]
            cuts[k], base_cuts[k] = row.free, 0.0 if row.free >= 0 else row.value
        elif row.group == group and row.op == "~*~":
            k = place[row.lhs]
            scales[k], base_scales[k] = row.free, 1.0 if row.free >= 0 else row.value
    return OrdinalLayout(inner, shape, inside, outside, cuts, base_cuts, scales, base_scales, delta)


def structural(table: ParameterTable) -> ParameterTable:
    """Return the table without thresholds and scales: what moves covariances and means."""
    return replace(table, rows=tuple(row for row in table.rows if row.op not in ("|", "~*~")))


def search(table: ParameterTable, problem: OrdinalProblem, restrictions: Restrictions) -> Optimum:
    """Return the minimum from the first of two starts that leads to one, or the better end of both."""
    covs = [np.array(target.cov) for target in problem.targets]
    means: list[Array | None] = [target.mean for target in problem.targets]
    inner = structural(table)
    start = _with_cuts(problem, table, starting_values(inner, covs, means))
    require_consistent(restrictions, start)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        found = minimise(problem, start, restrictions)
        if found is None or not found.converged:
            second = minimise(problem, _with_cuts(problem, table, plain_values(inner, covs, means)), restrictions)
            better = found is None or (second is not None and second.point.distance < found.point.distance)
            found = second if better or (second is not None and second.converged) else found
    require_met(restrictions, start if found is None else found.point.theta, defined_only=found is None)
    if found is None:
        raise AnalysisError("sem.error.no_start")
    return found


def _with_cuts(problem: OrdinalProblem, table: ParameterTable, theta: Array) -> Array:
    """Start thresholds at the sample's (averaged where groups share one) and scales at one."""
    total, count = np.zeros(len(theta)), np.zeros(len(theta))
    for layout, sample in zip(problem.ordinal, problem.samples, strict=True):
        freed = layout.cuts >= 0
        np.add.at(total, layout.cuts[freed], sample.values[: len(freed)][freed])
        np.add.at(count, layout.cuts[freed], 1.0)
        scales = layout.scales[layout.scales >= 0]
        np.add.at(total, scales, 1.0)
        np.add.at(count, scales, 1.0)
    result = np.where(count > 0, total / np.maximum(count, 1.0), theta)
    for row in table.rows:
        if row.op in ("|", "~*~") and row.free >= 0 and row.value == row.value:
            result[row.free] = row.value
    return np.asarray(result)
