"""Intervals from bootstrap draws: percentile, and bias-corrected and accelerated (BCa)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from sipas_research.numerics.correlation import Array

#: Notes on an interval.
FEW_DRAWS, NO_INTERVAL, END_OF_DRAWS = "few_draws", "no_interval", "end_of_draws"


def percentile(draws: Array, level: float) -> tuple[Array, Array, NDArray[np.object_]]:
    """Return the ends that leave out (1 - level) / 2 of the draws on each side, and a note on each interval.

    The k-th of m ordered draws estimates the share k / (m + 1); between two, linear (Davison & Hinkley 1997,
    Bootstrap Methods and their Application, section 5.3.1).

    Parameters
    ----------
    draws : (b, r) array
        NaN where a draw has no value; those do not count.
    level : float

    Returns
    -------
    (r,) arrays; NaN with the note "few_draws" where the first or last draw lies inside the interval.
    """
    tail = (1.0 - level) / 2.0
    size = draws.shape[1]
    return _between(draws, np.full(size, tail), np.full(size, 1.0 - tail), level)


def bias_corrected(
    draws: Array, estimates: Array, acceleration: Array, level: float
) -> tuple[Array, Array, NDArray[np.object_]]:
    """Return BCa intervals (Efron 1987, Journal of the American Statistical Association 82, 171-185).

    Parameters
    ----------
    draws : (b, r) array
    estimates, acceleration : (r,) arrays
        Of the full sample, and of :func:`acceleration`.
    level : float

    Returns
    -------
    (r,) arrays; NaN with the note "no_interval" where all draws lie on one side of the estimate or the acceleration
    is not known; the note "end_of_draws" where a corrected share lies beyond the draws.
    """
    count = np.maximum(np.isfinite(draws).sum(axis=0), 1)
    with np.errstate(invalid="ignore"):
        below = (draws < estimates).sum(axis=0) + 0.5 * (draws == estimates).sum(axis=0)
    shift = ndtri(below / count)
    low, high = (_corrected(shift, acceleration, tail) for tail in ((1.0 - level) / 2.0, (1.0 + level) / 2.0))
    return _between(draws, low, high, level)


def _corrected(shift: Array, acceleration: Array, tail: float) -> Array:
    """Return the share of the draws that stands for ``tail``: Phi(z0 + (z0 + z) / (1 - a (z0 + z)))."""
    with np.errstate(invalid="ignore", divide="ignore"):
        reach = shift + float(ndtri(tail))
        scale = 1.0 - acceleration * reach
        return np.where(scale > 0, ndtr(shift + reach / scale), np.nan)


def _between(draws: Array, low: Array, high: Array, level: float) -> tuple[Array, Array, NDArray[np.object_]]:
    ordered = np.sort(np.where(np.isfinite(draws), draws, np.nan), axis=0)  # NaN last
    count = np.isfinite(ordered).sum(axis=0)
    few = (count + 1) * (1.0 - level) / 2.0 < 1.0 - 1e-9
    unknown = ~(np.isfinite(low) & np.isfinite(high))
    notes = np.where(few, FEW_DRAWS, np.where(unknown, NO_INTERVAL, "")).astype(object)
    ends = []
    for share in (low, high):
        place = np.where(few | unknown, 1.0, (count + 1) * np.where(np.isfinite(share), share, 0.5))
        beyond = (place < 1.0) | (place > count)
        notes[beyond & (notes == "")] = END_OF_DRAWS
        place = np.clip(place, 1.0, np.maximum(count, 1)) - 1.0
        under = np.floor(place).astype(np.intp)
        above = np.minimum(under + 1, np.maximum(count - 1, 0))
        pair = [np.take_along_axis(ordered, each[None, :], axis=0)[0] for each in (under, above)]
        ends.append(np.where(few | unknown, np.nan, pair[0] + (place - under) * (pair[1] - pair[0])))
    return ends[0], ends[1], notes


def acceleration(left_out: Array, strata: Sequence[int]) -> Array:
    """Return the acceleration from estimates without one fold of the data each: sum d^3 / (6 (sum d^2)^1.5).

    The d are the jackknife's influence values, centred within strata (Davison & Hinkley 1997, section 5.4.2; folds
    of several units: Efron & Narasimhan 2020, Journal of Computational and Graphical Statistics 29, 608-619).

    Parameters
    ----------
    left_out : (f, r) array
        NaN where a fold gave no estimate.
    strata : sequence of int
        The stratum of each fold.

    Returns
    -------
    (r,) array; NaN where fewer than two folds gave an estimate, 0 where nothing varies.
    """
    cubes, squares = np.zeros(left_out.shape[1]), np.zeros(left_out.shape[1])
    known = np.isfinite(left_out)
    owner = np.asarray(strata)
    for stratum in np.unique(owner):
        part, held = left_out[owner == stratum], known[owner == stratum]
        count = held.sum(axis=0)
        centre = np.where(held, part, 0.0).sum(axis=0) / np.maximum(count, 1)
        away = np.where(held, centre - part, 0.0) * (np.maximum(count - 1, 0) / np.maximum(count, 1))
        cubes += (away**3).sum(axis=0)
        squares += (away**2).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.where(squares > 0, cubes / (6.0 * squares**1.5), 0.0)
    return np.where(known.sum(axis=0) < 2, np.nan, found)
