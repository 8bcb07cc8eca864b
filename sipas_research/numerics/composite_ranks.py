"""How far ranks by a composite hang on weights and aggregation.

OECD and JRC (2008), Handbook on Constructing Composite Indicators, step 7. Nothing here is about sampling: the
components count as known.
"""

from __future__ import annotations

import numpy as np

from sipas_research.numerics.correlation import Array

_SMALLEST = 1e-12
#: Composites closer than this count as equal.
_TIE = 1e-12


def perturbed_weights(weights: Array, change: float, *, generator: np.random.Generator, draws: int) -> Array:
    """Return weights each multiplied by a factor uniform within 1 - change and 1 + change, again adding up to one.

    Parameters
    ----------
    weights : (k,) array
        Positive.
    change : float
        Above 0 and below 1.

    Returns
    -------
    (draws, k) array
    """
    drawn = np.asarray(weights, dtype=float) * generator.uniform(1.0 - change, 1.0 + change, size=(draws, len(weights)))
    return drawn / drawn.sum(axis=1, keepdims=True)


def weighted_means(components: Array, weights: Array, *, geometric: bool = False) -> Array:
    """Return composites of p units under several weightings, shape (weightings, p).

    Parameters
    ----------
    components : (p, k) array
        Not negative; a component of 0 makes a geometric mean 0.
    weights : (weightings, k) array
        Each row adds up to one.
    geometric : bool
        Weighted geometric mean: a weak component is not made up for by a strong one.
    """
    values = np.asarray(components, dtype=float)
    if not geometric:
        return weights @ values.T
    return np.exp(weights @ np.log(np.maximum(values, _SMALLEST)).T)


def rank_range(composites: Array) -> Array:
    """Return the best and the worst rank of each unit over several weightings, shape (p, 2).

    Equal composites leave all their places open: the best rank counts only the units above, the worst also the equals.

    Parameters
    ----------
    composites : (weightings, p) array
    """
    best = np.full(composites.shape[1], composites.shape[1])
    worst = np.ones(composites.shape[1], dtype=int)
    for row in composites:
        gap = row[None, :] - row[:, None]
        best = np.minimum(best, 1 + (gap > _TIE).sum(axis=1))
        worst = np.maximum(worst, (gap >= -_TIE).sum(axis=1))
    return np.column_stack([best, worst])
