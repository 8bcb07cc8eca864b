"""Incomplete rows grouped by which variables they hold: all that the normal likelihood needs of them.

Rows that share their holes are replaced by their number (or sum of weights), means and sums of products, so that the
cost of an evaluation depends on the patterns and not on the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sipas_research.numerics.correlation import Array

Index = NDArray[np.intp]
#: Rows of a pattern from which their sums of products are kept; fewer stand as rows.
_GATHERED = 4
#: Numbers in the largest batch of (p, p) matrices.
_BATCH = 1 << 20


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Batch:
    """Patterns with equally many holes, K of them with h holes.

    Attributes
    ----------
    holes, held : (K, h) and (K, p - h) index arrays
        Variables that are not there, and those that are.
    weight : (K,) array
        Number of rows, or the sum of their weights.
    mean : (K, p) array
        Means; 0 in holes.
    products : (K, p, p) array or None
        Sums of products about those means; None where every pattern stands for one row.
    """

    holes: Index
    held: Index
    weight: Array
    mean: Array
    products: Array | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Patterns:
    """All patterns of a group of rows.

    Attributes
    ----------
    size : int
        Variables, p.
    batches : tuple of Batch
    total : float
        Rows, or the sum of their weights.
    values : float
        Values that are there, weighted.
    """

    size: int
    batches: tuple[Batch, ...]
    total: float
    values: float


def hole_codes(values: Array) -> tuple[NDArray[np.bool_], Index]:
    """Return the (P, p) patterns of rows, True where a value is there, and the pattern of each row.

    Parameters
    ----------
    values : (n, p) array
        NaN where a value is missing.
    """
    there = np.logical_not(np.isnan(values))
    packed = np.ascontiguousarray(np.packbits(there, axis=1))
    keys = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, code = np.unique(keys, return_index=True, return_inverse=True)
    return there[first], code.astype(np.intp)


def patterns_of(values: Array, weights: Array | None = None) -> Patterns:
    """Return the patterns of some rows.

    Parameters
    ----------
    values : (n, p) array
        NaN where a value is missing; every row holds at least one.
    weights : (n,) array, optional
        Above zero.
    """
    there, code = hole_codes(values)
    weight = np.ones(len(values)) if weights is None else weights
    order = np.argsort(code, kind="stable")
    counts = np.bincount(code, minlength=len(there))
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    lone = counts < _GATHERED
    filled = np.where(np.isnan(values), 0.0, values)
    by_row = order[np.repeat(lone, counts)]
    batches = list(_batches(there[code[by_row]], weight[by_row], filled[by_row], None))
    several = np.flatnonzero(~lone)
    means, products = np.zeros((len(several), values.shape[1])), []
    for k, number in enumerate(several):
        rows = order[starts[number] : starts[number] + counts[number]]
        part, own = filled[rows], weight[rows]
        means[k] = own @ part / own.sum()
        centred = (part - means[k]) * there[number]
        products.append((centred * own[:, None]).T @ centred)
    if products:
        sums = np.bincount(code, weights=weight, minlength=len(there))[several]
        batches += _batches(there[several], np.asarray(sums, dtype=np.float64), means, np.stack(products))
    held = float(weight @ np.logical_not(np.isnan(values)).sum(axis=1))
    return Patterns(values.shape[1], tuple(batches), float(weight.sum()), held)


def _batches(there: NDArray[np.bool_], weight: Array, mean: Array, products: Array | None) -> Iterator[Batch]:
    size = there.shape[1]
    holes = size - there.sum(axis=1)
    step = max(_BATCH // size**2, 16)
    for number in np.unique(holes):
        among = np.flatnonzero(holes == number)
        for start in range(0, len(among), step):
            k = among[start : start + step]
            gone = np.nonzero(~there[k])[1].reshape(len(k), number)
            held = np.nonzero(there[k])[1].reshape(len(k), size - number)
            yield Batch(gone, held, weight[k], mean[k], None if products is None else products[k])
