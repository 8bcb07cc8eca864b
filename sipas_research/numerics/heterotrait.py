"""Heterotrait-monotrait ratios of correlations, and correlation matrices of resampled people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sipas_research.numerics.correlation import Array

Mean = Literal["arithmetic", "geometric"]
#: Doubles that the products of one block of rows, and the moments of one batch of samples, may take: 32 MB each.
_MOST_DOUBLES = 4_000_000


def heterotrait_ratios(correlations: Array, blocks: Sequence[NDArray[np.intp]], mean: Mean) -> Array:
    """Return mean correlations between blocks of items over the mean correlations within them.

    Correlations count by their size: a reverse-worded item would otherwise cancel the others (Henseler, Ringle &
    Sarstedt 2015, J. Acad. Mark. Sci. 43, 115-135, equation 6, whose items all point the same way).

    Parameters
    ----------
    correlations : (..., p, p) array
        One matrix or many.
    blocks : sequence of k index arrays
        Items of each construct.
    mean : {"arithmetic", "geometric"}
        HTMT (Henseler et al. 2015), or HTMT2 for congeneric items (Roemer, Schuberth & Henseler 2021, Ind. Manag.
        Data Syst. 121, 2637-2650).

    Returns
    -------
    (..., k, k) array
        In [0, inf), ones on the diagonal; NaN where a block has one item or no correlation within.
    """
    sizes = np.array([len(block) for block in blocks], dtype=float)
    member = np.zeros((len(blocks), correlations.shape[-1]))
    for k, block in enumerate(blocks):
        member[k, block] = 1.0
    values = np.abs(correlations)
    with np.errstate(divide="ignore", invalid="ignore"):
        if mean == "geometric":
            values = np.log(values)
        diagonal = np.arange(values.shape[-1])
        values[..., diagonal, diagonal] = 0.0
        # products with zero would turn the logarithm of zero into NaN
        lowest = np.isneginf(values)
        sums = member @ np.where(lowest, 0.0, values) @ member.T
        if mean == "geometric":
            sums = np.where(member @ lowest @ member.T > 0, -np.inf, sums)
        within = np.diagonal(sums, axis1=-2, axis2=-1) / (sizes * (sizes - 1.0))
        between = sums / np.outer(sizes, sizes)
        if mean == "geometric":
            within, between = np.exp(within), np.exp(between)
        scale = np.sqrt(within[..., :, None] * within[..., None, :])
        found = np.where(scale > 0, between / scale, np.nan)
    each = np.arange(len(blocks))
    found[..., each, each] = np.where(within > 0, 1.0, np.nan)
    return np.asarray(found, dtype=np.float64)


def resampled_correlations(
    rows: Callable[[], Iterable[Array]], centre: Array, draws: int, generator: np.random.Generator
) -> Iterator[Array]:
    """Yield correlation matrices of people drawn with replacement, in batches.

    A sample is a vector of counts, so that it is a weighted cross-product; counts are multinomial over blocks and,
    within a block, over its rows, which is the multinomial over all rows.

    Parameters
    ----------
    rows : callable
        Called without arguments it yields all rows once, in (m, p) blocks without missing values.
    centre : (p,) array
        Near the means, against rounding.
    draws : int
        Samples.
    generator : Generator

    Yields
    ------
    (b, p, p) arrays
        b adds up to ``draws``; rows and columns of an item that is constant in a sample are NaN.
    """
    sizes = np.array([len(block) for block in rows()])
    total = int(sizes.sum())
    size = len(centre)
    first, second = np.triu_indices(size)
    width = size + len(first)
    batch = max(1, min(draws, _MOST_DOUBLES // width))
    step = max(1, _MOST_DOUBLES // width)
    for start in range(0, draws, batch):
        count = min(batch, draws - start)
        split = generator.multinomial(total, sizes / total, size=count)
        moments = np.zeros((count, width))
        for place, block in enumerate(rows()):
            drawn = _counts(split[:, place], len(block), generator)
            centred = np.asarray(block, dtype=np.float64) - centre
            for low in range(0, len(block), step):
                part = centred[low : low + step]
                products = np.concatenate([part, part[:, first] * part[:, second]], axis=1)
                moments += drawn[:, low : low + step] @ products
        yield _correlations(moments / total, first, second, size)


def _counts(split: NDArray[np.int64], size: int, generator: np.random.Generator) -> Array:
    found = np.empty((len(split), size))
    for place, people in enumerate(split):
        found[place] = np.bincount(generator.integers(0, size, people), minlength=size)
    return found


def _correlations(moments: Array, first: NDArray[np.intp], second: NDArray[np.intp], size: int) -> Array:
    mean = moments[:, :size]
    found = np.empty((len(moments), size, size))
    products = moments[:, size:] - mean[:, first] * mean[:, second]
    found[:, first, second] = products
    found[:, second, first] = products
    each = np.arange(size)
    spread = moments[:, size:][:, first == second]
    variance = found[:, each, each]
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.sqrt(np.where(variance > 1e-12 * spread, variance, np.nan))
        found /= scale[:, :, None] * scale[:, None, :]
    return found
