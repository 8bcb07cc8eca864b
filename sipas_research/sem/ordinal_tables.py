"""Thresholds and polychoric correlations of ordered items alone, from their contingency tables.

What a row adds to each of them depends on its answers only, so that the covariance of all is a product of look-ups.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sipas_research.numerics.contingency import BLOCK_ROWS, Block, Levels, pair_tables
from sipas_research.numerics.correlation import Array
from sipas_research.numerics.polychoric import Polychorics, polychorics
from sipas_research.numerics.polychoric_influence import Influence, covariance, influence

Codes = NDArray[np.int8]


def code_parts(codes: Codes, weights: Array | None) -> Iterator[Block]:
    """Yield (p, n) codes as blocks of rows."""
    for start in range(0, codes.shape[1], BLOCK_ROWS):
        some = slice(start, start + BLOCK_ROWS)
        yield Block(codes[:, some], None if weights is None else weights[some])


def from_tables(codes: Codes, categories: tuple[int, ...], weights: Array | None) -> tuple[Polychorics, Influence]:
    """Return thresholds and correlations, and what each answer adds to them.

    Parameters
    ----------
    codes : (p, n) array
        Places of the categories, from 0; each holds a row. A missing answer stands behind the last.
    categories : tuple of int
    weights : (n,) array or None
    """
    levels = [
        Levels(tuple(range(size)), missing=bool((own == size).any()))
        for own, size in zip(codes, categories, strict=True)
    ]
    tables = pair_tables(code_parts(codes, weights), levels)
    fit = polychorics(tables)
    return fit, influence(tables, fit)


def covariance_of(codes: Codes, weights: Array | None, looked_up: Influence) -> Array:
    """Return the covariance matrix of thresholds (item by item) and correlations, rows independent."""
    return covariance(code_parts(codes, weights), looked_up)


def sums_of(codes: Codes, weights: Array | None, looked_up: Influence, clusters: NDArray[np.intp], count: int) -> Array:
    """Return what each cluster adds to the estimates, (count, size)."""
    total = np.zeros((count, looked_up.size))
    start = 0
    for block in code_parts(codes, weights):
        rows = looked_up.of(block.codes)
        if block.weights is not None:
            rows *= block.weights
        np.add.at(total, clusters[start : start + rows.shape[1]], rows.T)
        start += rows.shape[1]
    return total
