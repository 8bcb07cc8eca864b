"""Rates of groups as they would be if every group served the same mix of people, with influence values.

Two roads: direct standardisation, which weights a group's own rates by the cells of the standard, and g-computation
(Robins 1986, Mathematical Modelling 7, 1393-1512; Snowden, Rose & Mortimer 2011, American Journal of Epidemiology
173, 731-738), which predicts every row of the standard from a logistic model with an effect of each group.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sipas_research.numerics.correlation import Array

_STEPS = 100
_TOLERANCE = 1e-13


@dataclass(frozen=True, slots=True, eq=False)
class Standardized:
    """Standardised rates.

    Attributes
    ----------
    estimate : (groups,) array
        NaN where no cell of the standard has support.
    influence : (rows, groups) array
        Adds up to zero down each column.
    converged : bool
        False where the model's iteration ended at its limit.
    """

    estimate: Array
    influence: Array
    converged: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Overlap:
    """How much of the standard a group has seen.

    Attributes
    ----------
    cells : int
        Cells of the standard.
    empty : (groups,) array of int
        Cells in which the group has fewer rows than needed.
    without_cell : (groups,) array
        Share of the standard in those cells, 0-1.
    without_category : (groups,) array
        Share of the standard that has, in at least one fact, a category the group has never seen.
    """

    cells: int
    empty: np.ndarray
    without_cell: Array
    without_category: Array


def overlap(mass: Array, group: np.ndarray, codes: np.ndarray, cell: np.ndarray, minimum: int) -> Overlap:
    """Return how much of the standard each group has seen.

    Parameters
    ----------
    mass : (rows,) array
        Weight of each row in the standard; rows of mass 0 do not count.
    group, cell : (rows,) arrays of int
    codes : (rows, facts) array of int
        Category of each fact.
    minimum : int
        Rows that a group needs in a cell.
    """
    used = mass > 0
    groups, cells = int(group.max()) + 1, int(cell.max()) + 1
    counts = np.zeros((groups, cells), dtype=int)
    np.add.at(counts, (group[used], cell[used]), 1)
    share = np.bincount(cell, weights=mass, minlength=cells) / mass.sum()
    lacking = (counts < minimum) & (share > 0)
    unseen = np.zeros((groups, len(mass)), dtype=bool)
    for fact in codes.T:
        seen = np.zeros((groups, int(fact.max()) + 1), dtype=bool)
        seen[group[used], fact[used]] = True
        unseen |= ~seen[:, fact]
    return Overlap(int((share > 0).sum()), lacking.sum(axis=1), lacking @ share, unseen @ mass / mass.sum())


def standardize_directly(
    weight: Array, top: Array, bottom: Array, group: np.ndarray, cell: np.ndarray, *, minimum: int = 5
) -> Standardized:
    """Weight each group's rates by the standard's cells; the standard is all rows together.

    Cells in which a group has fewer than ``minimum`` rows leave that group's standard, the others share their weight.

    Parameters
    ----------
    weight, top, bottom : (rows,) arrays
        The rate is the ratio of weighted totals of ``top`` and ``bottom``.
    group, cell : (rows,) arrays of int
    minimum : int
    """
    groups, cells = int(group.max()) + 1, int(cell.max()) + 1
    below, above = np.zeros((groups, cells)), np.zeros((groups, cells))
    counts = np.zeros((groups, cells), dtype=int)
    np.add.at(below, (group, cell), weight * bottom)
    np.add.at(above, (group, cell), weight * top)
    np.add.at(counts, (group, cell), (bottom > 0).astype(int))
    support = (counts >= minimum) & (below > 0)
    rate = np.where(support, above / np.where(support, below, 1.0), 0.0)
    standard = np.where(support, below.sum(axis=0), 0.0)
    mass = standard.sum(axis=1)
    usable = mass > 0
    safe = np.where(usable, mass, 1.0)
    estimate = np.where(usable, (standard * rate).sum(axis=1) / safe, np.nan)
    influence = np.zeros((len(weight), groups))
    for g in np.flatnonzero(usable):
        held = support[g, cell]
        shift = np.where(held, weight * bottom * (rate[g, cell] - estimate[g]) / mass[g], 0.0)
        own = held & (group == g)
        # residuals from a cell's own rate are too small by (n - 1) / n: thin cells would look certain
        wider = np.sqrt(counts[g] / np.maximum(counts[g] - 1.0, 1.0))
        spread = wider * standard[g] / mass[g] / np.where(support[g], below[g], 1.0)
        shift[own] += (weight * (top - rate[g, cell] * bottom) * spread[cell])[own]
        influence[:, g] = shift
    return Standardized(estimate, influence)


def standardize_by_model(
    weight: Array, top: Array, bottom: Array, group: np.ndarray, codes: np.ndarray
) -> Standardized:
    """Predict every row for each group from a logistic model of groups and facts, and average over all rows.

    The model has an effect of each group and of each category, without interactions; it is fitted to the weighted
    share ``top / bottom`` by quasi-likelihood (Papke & Wooldridge 1996), whose estimates need no distribution.

    Parameters
    ----------
    weight, top, bottom : (rows,) arrays
        ``top`` between 0 and ``bottom``.
    group : (rows,) array of int
    codes : (rows, facts) array of int

    Raises
    ------
    ValueError
        If a group and a category cannot be told apart.
    """
    groups = int(group.max()) + 1
    facts = _indicators(codes)
    design = np.column_stack([np.eye(groups)[group], facts])
    used = bottom > 0
    if np.linalg.matrix_rank(design[used]) < design.shape[1]:
        raise ValueError("groups and facts cannot be told apart")
    mass = weight * bottom
    beta, converged = _logistic(design[used], (weight * top)[used], mass[used])
    fitted = _expit(design @ beta)
    bread = design.T @ (design * (mass * fitted * (1.0 - fitted))[:, None])
    scores = design * (weight * top - mass * fitted)[:, None]
    moved = scores @ np.linalg.pinv(bread, hermitian=True)
    total = mass.sum()
    estimate, influence = np.zeros(groups), np.zeros((len(weight), groups))
    for g in range(groups):
        predicted = _expit(beta[g] + facts @ beta[groups:])
        estimate[g] = mass @ predicted / total
        slope = mass * predicted * (1.0 - predicted)
        gradient = np.concatenate([np.where(np.arange(groups) == g, slope.sum(), 0.0), slope @ facts]) / total
        influence[:, g] = mass * (predicted - estimate[g]) / total + moved @ gradient
    return Standardized(estimate, influence, converged)


def _indicators(codes: np.ndarray) -> Array:
    """Indicators of every category but the first of each fact, of the categories that occur."""
    columns = [np.zeros((len(codes), 0))]
    for fact in codes.T:
        place = np.unique(fact, return_inverse=True)[1].reshape(-1)
        columns.append(np.eye(int(place.max()) + 1)[place][:, 1:])
    return np.column_stack(columns)


def _expit(value: Array) -> Array:
    # beyond 700 the exponential leaves its range; the share is then 0 or 1
    shares: Array = 1.0 / (1.0 + np.exp(-np.clip(value, -700.0, 700.0)))
    return shares


def _likelihood(eta: Array, hits: Array, mass: Array) -> float:
    return float((hits * eta - mass * np.logaddexp(0.0, eta)).sum())


def _logistic(design: Array, hits: Array, mass: Array) -> tuple[Array, bool]:
    """Newton's method with halved steps; coefficients of categories that always agree grow until nothing changes."""
    beta = np.zeros(design.shape[1])
    now = _likelihood(design @ beta, hits, mass)
    for _ in range(_STEPS):
        fitted = _expit(design @ beta)
        slope = design.T @ (hits - mass * fitted)
        curve = design.T @ (design * (mass * fitted * (1.0 - fitted))[:, None])
        step = np.linalg.lstsq(curve, slope, rcond=None)[0]
        for _ in range(30):
            then = _likelihood(design @ (beta + step), hits, mass)
            if then >= now:
                break
            step /= 2.0
        beta, before, now = beta + step, now, then
        if abs(now - before) <= _TOLERANCE * (abs(now) + 1.0):
            return beta, True
    return beta, False
