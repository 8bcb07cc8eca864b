"""What a rotation makes small: criteria of loadings, each with its slope.

A criterion is a function of the (p, m) loadings that returns its value and its (p, m) derivative; the search in
:mod:`sipas_research.numerics.rotation` knows nothing else about it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sipas_research.numerics.correlation import Array

Criterion = Callable[[Array], tuple[float, Array]]


def varimax_criterion(loadings: Array) -> tuple[float, Array]:
    """Return minus a quarter of the summed variances of squared loadings in columns (Kaiser 1958), and its slope."""
    squares = loadings * loadings
    spread = squares - squares.mean(axis=0)
    return -0.25 * float(np.vdot(spread, spread)), -loadings * spread


def oblimin_criterion(loadings: Array, gamma: float = 0.0) -> tuple[float, Array]:
    """Return the direct oblimin criterion (Jennrich & Sampson 1966) and its slope; gamma 0 is quartimin."""
    squares = loadings * loadings
    crossed = squares.sum(axis=1, keepdims=True) - squares
    if gamma:
        crossed = crossed - gamma * crossed.mean(axis=0)
    return 0.25 * float(np.vdot(squares, crossed)), loadings * crossed


def geomin_criterion(loadings: Array, delta: float = 0.01) -> tuple[float, Array]:
    """Return the summed geometric means of squared loadings plus delta in rows (Yates 1987), and its slope."""
    raised = loadings * loadings + delta
    means = np.exp(np.log(raised).mean(axis=1, keepdims=True))
    return float(means.sum()), (2.0 / loadings.shape[1]) * loadings / raised * means


def bifactor_criterion(loadings: Array) -> tuple[float, Array]:
    """Return quartimin of all columns but the first (Jennrich & Bentler 2011, equation 5), and its slope.

    The first column, the general factor, may load on everything; the others compete for the items.
    """
    slope = np.zeros_like(loadings)
    value, slope[:, 1:] = oblimin_criterion(loadings[:, 1:])
    return value, slope


def target_criterion(loadings: Array, target: Array, given: NDArray[np.bool_]) -> tuple[float, Array]:
    """Return the summed squared distances from a target where it is given (Browne 2001, equation 20), and its slope.

    Parameters
    ----------
    loadings, target : (p, m) arrays
    given : (p, m) array of bool
        True where the target holds a value; elsewhere loadings are free. All True is Procrustes rotation.
    """
    away = np.where(given, loadings - target, 0.0)
    return float(np.vdot(away, away)), 2.0 * away
