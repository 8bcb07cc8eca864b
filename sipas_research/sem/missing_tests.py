"""Tests of models of incomplete rows: baseline, Yuan-Bentler factors, and what robust CFI and RMSEA rest on.

All of it works on the moments (mu, vech Sigma) of unrestricted models: m = p + p (p + 1)/2 of them in a group, less
those among observed predictors, with A the observed information of one row and B the products of casewise scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sipas_research.numerics.correlation import Array
from sipas_research.numerics.em_moments import saturated_moments
from sipas_research.numerics.hole_likelihood import hole_curvature, hole_point, inverse_of, lower, paired
from sipas_research.numerics.hole_patterns import Index, patterns_of
from sipas_research.sem.clusters import Clusters, ScoreSums, clusters_of, products_of
from sipas_research.sem.derivatives import moment_slopes_of
from sipas_research.sem.discrepancy import Target, value
from sipas_research.sem.holes import Holes
from sipas_research.sem.implied import Implied
from sipas_research.sem.information import inverse_within
from sipas_research.sem.optimum import Optimum, Problem

NAN = float("nan")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Baseline:
    """The model of one group in which only variables that explain others are correlated.

    Attributes
    ----------
    mean, cov : (p,) and (p, p) arrays
    statistic : float
        Chi-square against no model at all.
    free : index array
        Its parameters among the moments.
    """

    mean: Array
    cov: Array
    statistic: float
    free: Index


@dataclass(frozen=True, slots=True)
class Corrected:
    """What the robust indices of Zhang & Savalei (2023) rest on.

    Attributes
    ----------
    statistic, baseline : float
        Chi-squares of model and baseline with the likeliest moments in the place of complete ones.
    expected, baseline_expected : float
        What they are without misfit: traces in the place of degrees of freedom.
    """

    statistic: float
    expected: float
    baseline: float
    baseline_expected: float


def baseline_of(holes: Holes, predictors: Sequence[int], sources: Sequence[int]) -> Baseline:
    """Return the baseline model: every variable by itself, those that explain others among each other."""
    size = len(holes.mean)
    cov = np.zeros((size, size))
    mean, variance = _alone(holes.values, holes.weights)
    cov[np.diag_indices(size)] = variance
    if len(sources):
        block = list(sources)
        part = holes.values[:, block]
        held = np.logical_not(np.isnan(part).all(axis=1))
        found = saturated_moments(patterns_of(part[held], None if holes.weights is None else holes.weights[held]))
        if found is not None:
            mean[block], cov[np.ix_(block, block)] = found.mean, found.cov
    point = hole_point(holes.patterns, mean, cov)
    statistic = NAN if point is None else holes.rows * (point.value - holes.least)
    rows, columns = lower(size)
    fixed = np.zeros(size, dtype=bool)
    fixed[list(predictors)] = True
    linked = np.zeros(size, dtype=bool)
    linked[list(sources)] = True
    pairs = (rows == columns) | (linked[rows] & linked[columns])
    free = np.concatenate([~fixed, pairs & ~(fixed[rows] & fixed[columns])])
    return Baseline(mean, cov, statistic, np.flatnonzero(free))


def _alone(values: Array, weights: Array | None) -> tuple[Array, Array]:
    """Return mean and variance of each variable over the rows that hold it."""
    there = np.logical_not(np.isnan(values)).astype(np.float64)
    heavy = there if weights is None else there * weights[:, None]
    total = heavy.sum(axis=0)
    filled = np.where(there > 0, values, 0.0)
    mean = np.einsum("ij,ij->j", heavy, filled) / total
    away = (filled - mean) * there
    return mean, np.einsum("ij,ij,ij->j", heavy, away, away) / total


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Group:
    """One group's unrestricted moments.

    Attributes
    ----------
    share : float
    observed, complete : (m, m) arrays
        A, and the information that complete rows with the same moments would have.
    slopes : (m, q) array
        Derivatives of the moments by all free parameters.
    baseline : Baseline
    start : (m,) index array or (b,)
        Places of the baseline's parameters among the m moments.
    """

    share: float
    observed: Array
    complete: Array
    slopes: Array
    baseline: Baseline
    start: Index


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Meat:
    """Products of casewise scores by the moments of every group, over all rows; with clusters, their totals."""

    products: tuple[Array, ...]
    totals: tuple[Array, ...]
    rows: float
    clusters: Clusters | None

    def through(self, left: Sequence[Array], right: Sequence[Array]) -> Array:
        """Return the sum over pairs of groups of L_g' B_gh R_h; groups covary where clusters cut them."""
        if self.clusters is None:
            parts = [one.T @ own @ other for one, own, other in zip(left, self.products, right, strict=True)]
            return np.asarray(sum(parts))
        both = [np.concatenate([one, other], axis=1) for one, other in zip(left, right, strict=True)]
        whole = np.asarray(sum(total @ each for total, each in zip(self.totals, both, strict=True)))
        count = left[0].shape[1]
        return products_of(whole, self.clusters)[:count, count:] / self.rows


def _group(target: Target, holes: Holes, at: Implied, size: int, free: Index, baseline: Baseline) -> _Group:
    curvature = hole_curvature(holes.patterns, holes.mean, holes.cov, observed=True)
    whole = inverse_of(holes.cov)
    if curvature is None or whole is None:
        raise ValueError("positive definite moments are needed")
    p = len(holes.mean)
    rows, columns = lower(p)
    complete = np.zeros_like(curvature)
    complete[:p, :p] = whole[0]
    flat = whole[0][rows, columns]
    complete[p:, p:] = 0.5 * paired(np.outer(flat, flat), p)
    return _Group(target.share, 0.5 * curvature, complete, free_slopes(at, size), baseline, free)


def free_slopes(at: Implied, size: int) -> Array:
    """Return the derivatives of (mu, vech Sigma) by all free parameters."""
    own = moment_slopes_of(at)
    result = np.zeros((len(own), size))
    np.add.at(result.T, at.layout.free, own.T)
    return result


def own_moments(size: int, predictors: Sequence[int]) -> Index:
    """Return the moments that are not among observed predictors alone: those are the sample's."""
    rows, columns = lower(size)
    fixed = np.zeros(size, dtype=bool)
    fixed[list(predictors)] = True
    return np.flatnonzero(np.concatenate([~fixed, ~(fixed[rows] & fixed[columns])]))


def _restricted(group: _Group, own: Index) -> _Group:
    index = np.ix_(own, own)
    place = np.full(len(group.observed), -1)
    place[own] = np.arange(len(own))
    return replace(
        group, observed=group.observed[index], complete=group.complete[index], slopes=group.slopes[own],
        start=place[group.baseline.free],
    )  # fmt: skip


def _meat(
    holes: Sequence[Holes], moments: Sequence[tuple[Array, Array]], own: Index, clusters: Clusters | None
) -> _Meat:
    rows = sum(each.rows for each in holes)
    products, totals = [], []
    for each, (mean, cov) in zip(holes, moments, strict=True):
        sums = ScoreSums(len(own), clusters)
        for scores, weights, codes in each.scores(mean, cov):
            sums.add(scores[own], weights, codes)
        products.append(sums.products() / rows)
        if sums.totals is not None:
            totals.append(sums.totals)
    return _Meat(tuple(products), tuple(totals), rows, clusters)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class HoleTraces:
    """Traces and tests of all groups.

    Attributes
    ----------
    baseline : float
        Chi-square of the baseline model.
    saturated, baseline_taken : float
        tr(A^-1 B) of no model and of the baseline: the factors of Yuan & Bentler (2000); NaN without robust errors.
    corrected : Corrected
    """

    baseline: float
    saturated: float
    baseline_taken: float
    corrected: Corrected


def hole_traces(
    problem: Problem, found: Optimum, basis: Array, predictors: Sequence[int], sources: Sequence[int], *, robust: bool,
    observed: bool = True,
) -> HoleTraces:  # fmt: skip
    """Return what tests and robust indices of a fit to incomplete rows need.

    Parameters
    ----------
    problem, found
    basis : (q, k) array
        Directions that restrictions leave free.
    predictors, sources : sequences of int
        As in :func:`.chi_squares.tests_of`.
    robust : bool
        Whether errors are robust: fourth moments of the rows in the place of normal ones.
    observed : bool
        Whether the factors rest on the observed information, as the model's own does; robust indices always do.

    References
    ----------
    Yuan & Bentler (2000), Sociological Methodology 30, 165-200. Zhang & Savalei (2023), Psychological Methods 28,
    263-283: version 3 with robust errors, 6 without.
    """
    holes = [target.holes for target in problem.targets if target.holes is not None]
    clusters = clusters_of(holes) if robust else None
    own = own_moments(len(problem.targets[0].cov), predictors)
    groups = []
    for target, each, at in zip(problem.targets, holes, found.point.groups, strict=True):
        baseline = baseline_of(each, predictors, sources)
        groups.append(_restricted(_group(target, each, at, problem.size, own, baseline), own))
    statistic = sum(group.baseline.statistic for group in groups)
    if not robust:
        corrected = _corrected(problem, found, groups, _normal_expected(groups, basis))
        return HoleTraces(statistic, NAN, NAN, corrected)
    meat = _meat(holes, [(each.mean, each.cov) for each in holes], own, clusters)
    saturated = 0.0
    for group, each, products in zip(groups, holes, meat.products, strict=True):
        used = group.observed if observed else _expected(each, own)
        saturated += float(np.trace(np.linalg.solve(used, products))) / group.share
    start = _meat(holes, [(group.baseline.mean, group.baseline.cov) for group in groups], own, clusters)
    taken = 0.0
    for group, each, products in zip(groups, holes, start.products, strict=True):
        curvature = hole_curvature(each.patterns, group.baseline.mean, group.baseline.cov, observed=observed)
        if curvature is None:
            taken = NAN
            break
        inside = np.ix_(group.baseline.free, group.baseline.free)
        part = products[np.ix_(group.start, group.start)]
        taken += float(np.trace(np.linalg.solve(0.5 * curvature[inside], part))) / group.share
    corrected = _corrected(problem, found, groups, _robust_expected(groups, basis, meat))
    return HoleTraces(statistic, saturated, taken, corrected)


def _expected(holes: Holes, own: Index) -> Array:
    """Return the expected information about a group's own moments."""
    curvature = hole_curvature(holes.patterns, holes.mean, holes.cov, observed=False)
    if curvature is None:
        raise ValueError("positive definite moments are needed")
    return np.asarray(0.5 * curvature[np.ix_(own, own)])


def _corrected(problem: Problem, found: Optimum, groups: Sequence[_Group], expected: tuple[float, float]) -> Corrected:
    statistic = baseline = 0.0
    for target, at, group in zip(problem.targets, found.point.groups, groups, strict=True):
        plain = replace(target, holes=None)
        distance = value(at, plain)
        statistic += NAN if distance is None else problem.n * target.share * distance[0]
        whole = inverse_of(group.baseline.cov)
        if whole is None or target.mean is None:
            baseline = NAN
            continue
        away = target.mean - group.baseline.mean
        spread = target.cov + np.outer(away, away)
        distance_alone = whole[1] + float(np.sum(whole[0] * spread)) - target.log_determinant - len(away)
        baseline += problem.n * target.share * distance_alone
    return Corrected(statistic, expected[0], baseline, expected[1])


def _normal_expected(groups: Sequence[_Group], basis: Array) -> tuple[float, float]:
    """Return tr(C A^-1) less tr(E^-1 D'C D) with E = D'A D, for model and baseline (version 6)."""
    whole = sum(float(np.trace(np.linalg.solve(group.observed, group.complete))) for group in groups)
    information, complete = _projected(groups)
    model = whole - float(np.sum(inverse_within(information, basis) * complete))
    alone = whole
    for group in groups:
        index = np.ix_(group.start, group.start)
        alone -= float(np.trace(np.linalg.solve(group.observed[index], group.complete[index])))
    return model, alone


def _projected(groups: Sequence[_Group]) -> tuple[Array, Array]:
    """Return the sums over groups of share D'A D and share D'C D."""
    information = sum(group.share * (group.slopes.T @ group.observed @ group.slopes) for group in groups)
    complete = sum(group.share * (group.slopes.T @ group.complete @ group.slopes) for group in groups)
    return np.asarray(information), np.asarray(complete)


def _robust_expected(groups: Sequence[_Group], basis: Array, meat: _Meat) -> tuple[float, float]:
    """Return tr(Q C Q' Gamma) with Q = I - A D E^-1 D' and Gamma = A^-1 B A^-1, for model and baseline (version 3)."""
    ratio = [np.asarray(np.linalg.solve(group.observed, group.complete), dtype=np.float64) for group in groups]
    whole = sum(
        float(np.sum((each @ np.linalg.inv(group.observed)).T * own)) / group.share
        for each, group, own in zip(ratio, groups, meat.products, strict=True)
    )
    information, complete = _projected(groups)
    slopes = [group.slopes for group in groups]
    model = whole + _taken(inverse_within(information, basis), complete, slopes, ratio, meat)
    alone = whole
    for k, group in enumerate(groups):
        picked = np.zeros((len(group.observed), len(group.start)))
        picked[group.start, np.arange(len(group.start))] = 1.0
        index = np.ix_(group.start, group.start)
        inverse = np.asarray(np.linalg.inv(group.observed[index]) / group.share, dtype=np.float64)
        own = _Meat((meat.products[k],), (), meat.rows, None)
        alone += _taken(inverse, group.share * group.complete[index], [picked], [ratio[k]], own)
    return model, alone


def _taken(inverse: Array, complete: Array, slopes: Sequence[Array], ratio: Sequence[Array], meat: _Meat) -> float:
    """Return tr(E^-1 D'C D E^-1 D'B D) less 2 tr(E^-1 D'C A^-1 B D)."""
    plain = meat.through(slopes, slopes)
    turned = meat.through([each @ slope for each, slope in zip(ratio, slopes, strict=True)], slopes)
    return float(np.sum((inverse @ complete @ inverse) * plain) - 2.0 * np.sum(inverse * turned))
