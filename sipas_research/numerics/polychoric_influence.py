"""How much each row moves thresholds and polychoric correlations: their standard errors and joint covariance.

What a row adds to an estimate depends only on its answers to one item or one pair, so that it is looked up in a
table of the size of the contingency table. The covariance of all estimates is the cross-product of these rows,
summed over blocks. Rows of other estimates of the same people (means, polyserial or product-moment correlations)
can stand beside them.

Muthén (1984), Psychometrika 49, 115-132; Jöreskog (1994), Psychometrika 59, 381-389. The slopes are averaged over
the rows, as lavaan and Mplus do, not over the model's probabilities; both have the same limit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from sipas_research.numerics.contingency import Block, PairTables, pair_classes
from sipas_research.numerics.correlation import Array, read_only
from sipas_research.numerics.polychoric import Polychorics, cell_probabilities

#: Rows of influence handled at once, in numbers of 8 bytes (16 megabytes).
_BLOCK_NUMBERS = 2_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Influence:
    """Look-up tables: what a row with given answers adds to each estimate, before its own weight.

    The sum of the looked-up numbers over rows is the estimate's error to first order.

    Attributes
    ----------
    thresholds : tuple of (levels, k - 1) arrays
        One an item; a missing answer adds nothing.
    pairs : tuple of (levels_i, levels_j) arrays
        One a pair i < j, in the order (0, 1), (0, 2), ..., (1, 2), ...; NaN for a pair without a standard error.
    """

    thresholds: tuple[Array, ...]
    pairs: tuple[Array, ...]

    @property
    def size(self) -> int:
        """Number of estimates: thresholds item by item, then correlations."""
        return sum(table.shape[1] for table in self.thresholds) + len(self.pairs)

    def of(self, codes: NDArray[np.int8]) -> Array:
        """Return the influence rows of some people, one estimate a row: (p, b) codes give a (size, b) array."""
        rows = np.empty((self.size, codes.shape[1]))
        place = 0
        for item, table in enumerate(self.thresholds):
            for column in table.T:
                np.take(np.ascontiguousarray(column), codes[item], out=rows[place])
                place += 1
        wide = codes.astype(np.intp)
        for (first, second), table in zip(_pairs(len(codes)), self.pairs, strict=True):
            cells = wide[first] * table.shape[1]
            cells += wide[second]
            np.take(table.ravel(), cells, out=rows[place])
            place += 1
        return rows


@dataclass(frozen=True, slots=True, eq=False)
class StandardErrors:
    """Standard errors: ``thresholds`` as those of the fit; ``correlation`` (p, p), 0 on the diagonal, NaN if none."""

    thresholds: tuple[Array, ...]
    correlation: Array


def influence(tables: PairTables, fit: Polychorics) -> Influence:
    """Return the look-up tables of a fit.

    Parameters
    ----------
    tables : PairTables
        Those that ``fit`` was estimated from.
    fit : Polychorics
    """
    cuts = tuple(_threshold_influence(tables, fit, item) for item in range(len(fit.thresholds)))
    count = len(fit.thresholds)
    order = {pair: place for place, pair in enumerate(_pairs(count))}
    found: list[Array] = [np.empty((0, 0))] * len(order)
    sizes = tables.sizes()
    for first, second in pair_classes([*zip(sizes, tables.categories, strict=True)]):
        part = _pair_influence(tables, fit, cuts, first, second)
        for one, two, table in zip(first, second, part, strict=True):
            found[order[int(one), int(two)]] = table
    return Influence(cuts, tuple(found))


def standard_errors(tables: PairTables, looked_up: Influence) -> StandardErrors:
    """Return the standard errors of thresholds and correlations, from the tables alone.

    Parameters
    ----------
    tables : PairTables
    looked_up : Influence
    """
    squares = np.diag(tables.squares)
    starts, count = tables.starts, len(tables.categories)
    cuts = tuple(
        read_only(np.sqrt(squares[starts[item] : starts[item + 1]] @ table**2))
        for item, table in enumerate(looked_up.thresholds)
    )
    errors = np.zeros((count, count))
    for (first, second), table in zip(_pairs(count), looked_up.pairs, strict=True):
        cells = tables.squares[starts[first] : starts[first + 1], starts[second] : starts[second + 1]]
        errors[first, second] = errors[second, first] = np.sqrt(np.sum(cells * table**2))
    return StandardErrors(cuts, read_only(errors))


def covariance(blocks: Iterable[Block], looked_up: Influence) -> Array:
    """Return the covariance matrix of all thresholds and correlations, from one pass over the rows.

    Parameters
    ----------
    blocks : iterable of Block
        The rows that were counted, with the same weights.
    looked_up : Influence

    Returns
    -------
    (q, q) array
        In the order of :class:`Influence`; NaN in rows and columns of pairs without a standard error.
        Times n it is what lavaan calls NACOV or gamma.
    """
    size = looked_up.size
    undefined = _undefined(looked_up)
    total = np.zeros((size, size))
    step = max(1, _BLOCK_NUMBERS // size)
    for block in blocks:
        for start in range(0, block.codes.shape[1], step):
            rows = looked_up.of(block.codes[:, start : start + step])
            rows[undefined] = 0.0
            if block.weights is not None:
                rows *= block.weights[start : start + step]
            total += rows @ rows.T
    total[undefined] = np.nan
    total[:, undefined] = np.nan
    return read_only(total)


def _threshold_influence(tables: PairTables, fit: Polychorics, item: int) -> Array:
    """Return (1{answer <= u} - P_u) / phi(tau_u), over the sum of weights; exact, as thresholds are quantiles."""
    margin, cuts = tables.margin(item), fit.thresholds[item]
    total = margin.sum()
    below = np.arange(len(margin))[:, None] <= np.arange(len(cuts))
    table = np.zeros((tables.sizes()[item], len(cuts)))
    table[: len(margin)] = (below - ndtr(cuts)) / (_phi(cuts) * total)
    return read_only(table)


def _pair_influence(
    tables: PairTables, fit: Polychorics, cuts: tuple[Array, ...], first: NDArray[np.intp], second: NDArray[np.intp]
) -> Array:
    sizes, categories = tables.sizes(), tables.categories
    shape = (categories[first[0]], categories[second[0]])
    rho = fit.correlation[first, second]
    usable = np.isfinite(rho) & ~fit.perfect[first, second]
    safe = np.where(usable, rho, 0.0)
    x, y = (np.stack([fit.thresholds[item] for item in items]) for items in (first, second))
    mass = tables.stack(tables.sums, first, second, shape)
    probability, ratio, _ = cell_probabilities(x, y, safe)
    information = (mass * ratio**2).sum(axis=(1, 2))
    weighted = mass * ratio / probability
    cross_x = _cross(weighted, x, y, safe)
    cross_y = _cross(weighted.transpose(0, 2, 1), y, x, safe)
    result = np.zeros((len(first), sizes[first[0]], sizes[second[0]]))
    result[:, : shape[0], : shape[1]] = ratio
    result -= np.einsum("mau,mu->ma", np.stack([cuts[item] for item in first]), cross_x)[:, :, None]
    result -= np.einsum("mbu,mu->mb", np.stack([cuts[item] for item in second]), cross_y)[:, None, :]
    with np.errstate(invalid="ignore", divide="ignore"):
        result /= information[:, None, None]
    result[~(usable & (information > 0))] = np.nan
    return result


def _cross(weighted: Array, x: Array, y: Array, rho: Array) -> Array:
    """Return the sums over rows of the correlation's score times that of the first item's thresholds, (m, a - 1)."""
    spread = np.sqrt((1.0 - rho) * (1.0 + rho))[:, None, None]
    below = np.zeros((len(x), x.shape[1], y.shape[1] + 2))
    below[:, :, 1:-1] = ndtr((y[:, None, :] - rho[:, None, None] * x[:, :, None]) / spread)
    below[:, :, -1] = 1.0
    # moving a threshold up gives this much of its neighbour's mass in each category of the other item
    moved = _phi(x)[:, :, None] * np.diff(below, axis=2)
    return np.sum(moved * (weighted[:, :-1] - weighted[:, 1:]), axis=2)


def _undefined(looked_up: Influence) -> NDArray[np.bool_]:
    cuts = looked_up.size - len(looked_up.pairs)
    return np.array([False] * cuts + [bool(np.isnan(table).any()) for table in looked_up.pairs])


def _pairs(count: int) -> list[tuple[int, int]]:
    return [(first, second) for first in range(count) for second in range(first + 1, count)]


def _phi(x: Array) -> Array:
    return np.exp(-x * x / 2.0) / np.sqrt(2.0 * np.pi)
