"""Design covariances of anything that is a smooth function of weighted totals, from its influence values.

The influence value of a row is its weight times the derivative of the statistic; values add up to zero over the sample.
Within strata the totals of sampled units are compared with their mean (Binder 1983, International Statistical Review
51, 279-292; Deville 1999, Survey Methodology 25, 193-203).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sipas_research.numerics.correlation import Array


@dataclass(frozen=True, slots=True, eq=False)
class SamplingPlan:
    """Who was drawn with whom.

    Attributes
    ----------
    unit : (rows,) array of int
        Position of each row's sampled unit (a cluster, or the row itself).
    stratum : (units,) array of int
        Position of each unit's stratum.
    fraction : (strata,) array of float
        Sampled share of a stratum, 0-1; 0 where no finite population factor applies.
    """

    unit: np.ndarray
    stratum: np.ndarray
    fraction: Array


def sampling_plan(stratum: np.ndarray, unit: np.ndarray, population: np.ndarray | None = None) -> SamplingPlan:
    """Return the plan of a sample whose rows carry labels.

    Parameters
    ----------
    stratum, unit : (rows,) arrays
        Labels; a unit belongs to one stratum (equal labels in two strata are two units).
    population : (rows,) array, optional
        Units in the frame of the row's stratum.
    """
    strata = np.unique(stratum, return_inverse=True)[1]
    names = np.unique(unit, return_inverse=True)[1]
    pairs, units = np.unique(np.column_stack([strata, names]), axis=0, return_inverse=True)
    of_unit = pairs[:, 0]
    count = int(of_unit.max()) + 1 if len(of_unit) else 0
    fraction = np.zeros(count)
    if population is not None:
        sizes = np.zeros(count)
        sizes[strata] = population
        fraction = np.bincount(of_unit, minlength=count) / sizes
    plan = SamplingPlan(units.reshape(-1), of_unit, fraction)
    for array in (plan.unit, plan.stratum, plan.fraction):
        array.setflags(write=False)
    return plan


def influence_covariance(plan: SamplingPlan, influence: Array, strata: np.ndarray | None = None) -> Array:
    """Return the covariance of statistics from their influence values.

    A stratum with one sampled unit is centred at the mean of all units (conservative).

    Parameters
    ----------
    plan : SamplingPlan
    influence : (rows, statistics) array
    strata : (strata,) array of bool, optional
        Sum over these strata only: their share of the covariance.

    Returns
    -------
    (statistics, statistics) array
        NaN where a single unit was drawn.
    """
    size = influence.shape[1]
    units = len(plan.stratum)
    if units < 2:
        return np.full((size, size), np.nan)
    totals = np.zeros((units, size))
    np.add.at(totals, plan.unit, influence)
    counts = np.bincount(plan.stratum, minlength=len(plan.fraction))
    sums = np.zeros((len(counts), size))
    np.add.at(sums, plan.stratum, totals)
    centres = sums / counts[:, None]
    centres[counts == 1] = totals.mean(axis=0)
    factor = (1.0 - plan.fraction) * np.where(counts > 1, counts / np.maximum(counts - 1, 1), 1.0)
    if strata is not None:
        factor = np.where(strata, factor, 0.0)
    apart = totals - centres[plan.stratum]
    covariance: Array = apart.T @ (apart * factor[plan.stratum][:, None])
    return covariance


def ratio_influence(weight: Array, top: Array, bottom: Array, member: np.ndarray, groups: int) -> tuple[Array, Array]:
    """Return ratios of weighted totals by group and their influence values.

    Parameters
    ----------
    weight, top, bottom : (rows,) arrays
        Finite; rows with ``bottom`` 0 do not count.
    member : (rows,) array of int
        Group of each row, -1 for none.
    groups : int

    Returns
    -------
    (groups,) and (rows, groups) arrays
        NaN and 0 where a group has no answer.
    """
    used = (member >= 0) & (bottom > 0)
    place, mass = member[used], weight[used]
    below = np.bincount(place, weights=mass * bottom[used], minlength=groups)
    above = np.bincount(place, weights=mass * top[used], minlength=groups)
    ratio = np.where(below > 0, above / np.where(below > 0, below, 1.0), np.nan)
    influence = np.zeros((len(weight), groups))
    influence[np.flatnonzero(used), place] = mass * (top[used] - ratio[place] * bottom[used]) / below[place]
    return ratio, influence


def degrees_of_freedom(plan: SamplingPlan, used: np.ndarray) -> float:
    """Return sampled units minus strata, of those that hold at least one of the rows ``used``."""
    units = np.unique(plan.unit[used])
    return float(len(units) - len(np.unique(plan.stratum[units])))


def satterthwaite(variances: Array, df: Array) -> float:
    """Return the degrees of freedom of a sum of independent variances (Satterthwaite 1946, Biometrics 2, 110-114).

    Terms of variance 0 do not count; 0 where a term that counts has no degree of freedom.
    """
    parts, freedom = np.asarray(variances, dtype=float), np.asarray(df, dtype=float)
    counts = parts > 0
    if not np.isfinite(parts).all() or not counts.any() or (freedom[counts] < 1).any():
        return float(freedom.min()) if len(freedom) and not counts.any() else 0.0
    return float(parts.sum() ** 2 / (parts[counts] ** 2 / freedom[counts]).sum())
