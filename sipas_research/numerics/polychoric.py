"""Polychoric correlations and thresholds from the contingency tables of all pairs, in two steps.

Each ordered answer is a standard normal variable cut at thresholds. The thresholds come from the margins; then
each correlation maximises the likelihood of its own table, for all pairs at once.
Olsson (1979), Psychometrika 44, 443-460; Jöreskog (1994), Psychometrika 59, 381-389.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from sipas_research.numerics.bivariate_normal import density, density_slope, distribution_grid
from sipas_research.numerics.contingency import PairTables, code_blocks, find_levels, pair_classes, pair_tables
from sipas_research.numerics.correlation import Array, read_only

#: A likelihood that still rises here has its maximum at a correlation of one: the answers order people alike.
LARGEST = 0.9999
#: A search that halves its way beyond this tries the end.
NEARLY_LARGEST = 0.999
#: Last Newton step; steps shrink quadratically, so that the error left is of the order of its square.
TOLERANCE = 1e-8
#: Information of one row below which, beyond FAR, the likelihood does not tell correlations from one apart.
FLAT, FAR = 1e-8, 0.9
#: Shares this close are equal: far below one row of any sample, far above rounding.
SAME_SHARE = 1e-12
#: Below this a cell's probability, a difference of numbers up to one, has lost its digits.
SMALLEST_CELL = 1e-13
#: Conditional standard deviations from which on a cell's mass falls off like an exponential.
STEEP = 3.0
#: Added to the empty cell of a 2 x 2 table, and taken from its neighbours so that the margins stand (as lavaan does).
EMPTY_CELL = 0.5
MAX_ITERATIONS = 50


@dataclass(frozen=True, slots=True, eq=False)
class Polychorics:
    """Thresholds and correlations of p ordered items.

    Attributes
    ----------
    thresholds : tuple of (k - 1,) arrays
        One array an item with k categories, rising.
    correlation : (p, p) array
        In [-1, 1]; NaN where the rows that two items share leave one of them without variation.
    rows : (p, p) array of int
        Rows behind each correlation.
    empty_cells : (p, p) array of int
        Cells of a pair's table that hold no row; 0 on the diagonal.
    adjusted : (p, p) array of bool
        2 x 2 tables whose one empty cell was given half an answer.
    perfect : (p, p) array of bool
        Pairs whose likelihood has its maximum at -1 or 1.
    converged : (p, p) array of bool
    iterations : int
        Newton steps of the pair that took most.
    """

    thresholds: tuple[Array, ...]
    correlation: Array
    rows: NDArray[np.int64]
    empty_cells: NDArray[np.int64]
    adjusted: NDArray[np.bool_]
    perfect: NDArray[np.bool_]
    converged: NDArray[np.bool_]
    iterations: int

    @property
    def defined(self) -> NDArray[np.bool_]:
        """Pairs that have a correlation, (p, p)."""
        return np.isfinite(self.correlation)


@dataclass(frozen=True, slots=True, eq=False)
class _PairFit:
    correlation: Array
    perfect: NDArray[np.bool_]
    converged: NDArray[np.bool_]
    iterations: int


def thresholds(margin: Array) -> Array:
    """Return the normal quantiles of the cumulative shares of k categories, (k - 1,)."""
    cumulative = np.cumsum(margin)
    # the share above is summed from above, so that a rare last category keeps its digits
    above = np.cumsum(margin[::-1])[::-1][1:]
    below = cumulative[:-1]
    total = cumulative[-1]
    return read_only(np.where(below < above, ndtri(below / total), -ndtri(above / total)))


def polychorics(tables: PairTables, *, max_iterations: int = MAX_ITERATIONS) -> Polychorics:
    """Return thresholds and polychoric correlations of all pairs.

    Parameters
    ----------
    tables : PairTables
        At least two items; each category of each item holds at least one row. Weights should average one.
    max_iterations : int
        Limit of Newton steps for each correlation.

    References
    ----------
    Olsson (1979), Psychometrika 44, 443-460, the two-step estimator: equations 5 and 13.
    """
    count = len(tables.categories)
    cuts = tuple(thresholds(tables.margin(item)) for item in range(count))
    correlation = np.eye(count)
    rows = np.zeros((count, count), dtype=np.int64)
    empty = np.zeros((count, count), dtype=np.int64)
    adjusted, perfect = np.zeros((2, count, count), dtype=bool)
    converged = np.ones((count, count), dtype=bool)
    iterations = 0
    for first, second in pair_classes(tables.categories):
        shape = (tables.categories[first[0]], tables.categories[second[0]])
        counts = tables.stack(tables.counts, first, second, shape)
        weighted = tables.stack(tables.sums, first, second, shape)
        table, changed = fill_empty_cell(weighted) if shape == (2, 2) else (weighted, np.zeros(len(first), dtype=bool))
        fit = fit_pairs(table, _rows_of(cuts, first), _rows_of(cuts, second), max_iterations=max_iterations)
        iterations = max(iterations, fit.iterations)
        for target, values in (
            (correlation, fit.correlation),
            (rows, counts.sum(axis=(1, 2))),
            (empty, (counts == 0).sum(axis=(1, 2))),
            (adjusted, changed),
            (perfect, fit.perfect),
            (converged, fit.converged),
        ):
            target[first, second] = target[second, first] = values
    np.fill_diagonal(rows, _answered(tables))
    parts = [read_only(correlation)]
    for array in (rows, empty, adjusted, perfect, converged):
        array.flags.writeable = False
    return Polychorics(cuts, parts[0], rows, empty, adjusted, perfect, converged, iterations)


def polychorics_of(columns: Sequence[np.ndarray]) -> Polychorics:
    """Return thresholds and polychoric correlations of complete columns of whole numbers, e.g. of a random draw.

    Raises
    ------
    ValueError
        If a column is constant, incomplete or not of ordered categories.
    """
    levels, _ = find_levels(columns, complete_only=False)
    if any(level.trouble or level.missing or len(level.values) < 2 for level in levels):
        raise ValueError("polychoric correlations need complete columns of 2 to 50 ordered categories")
    return polychorics(pair_tables(code_blocks(columns, levels, complete_only=False), levels))


def fill_empty_cell(tables: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return 2 x 2 tables with half an answer in a single empty cell, margins kept, and which were changed.

    Where the neighbouring cells hold less than one (weighted) answer, half of the smaller one is moved. Two
    empty cells are left: that association is perfect.
    """
    changed = (tables == 0).sum(axis=(1, 2)) == 1
    filled = tables.copy()
    signs = np.array([[1.0, -1.0], [-1.0, 1.0]])
    for place in np.flatnonzero(changed):
        table = filled[place]
        toward = signs if table[0, 0] == 0 or table[1, 1] == 0 else -signs
        moved = min(EMPTY_CELL, float(table[toward < 0].min()) / 2.0)
        table += moved * toward
    return filled, changed


def fit_pairs(tables: Array, first: Array, second: Array, *, max_iterations: int = MAX_ITERATIONS) -> _PairFit:
    """Maximise the likelihood of each table over its correlation, the thresholds given.

    Newton's steps on all pairs at once, kept inside the interval that the signs of the slopes leave, which is
    halved where a step is no use.

    Parameters
    ----------
    tables : (m, a, b) array
    first, second : (m, a - 1) and (m, b - 1) arrays
        Thresholds, rising.
    max_iterations : int
    """
    size = len(tables)
    rho = np.clip(_score_correlation(tables), -0.9, 0.9)
    varied = (np.minimum((tables.sum(axis=2) > 0).sum(axis=1), (tables.sum(axis=1) > 0).sum(axis=1))) > 1
    low, high = np.full(size, -1.0), np.full(size, 1.0)
    before, plateau = np.full(size, np.inf), np.zeros(size, dtype=bool)
    sign = _saturated(tables, first, second)
    perfect = varied & (sign != 0)
    rho[perfect] = sign[perfect]
    active = np.flatnonzero(varied & ~perfect)
    iterations = 0
    while active.size and iterations < max_iterations:
        iterations += 1
        now = rho[active]
        slope, step, flat = _newton(tables[active], first[active], second[active], now)
        low[active] = np.where(slope > 0, now, low[active])
        high[active] = np.where(slope < 0, now, high[active])
        plateau[active] |= flat
        last = np.abs(step) < TOLERANCE
        narrow = high[active] - low[active] < TOLERANCE
        perfect[active] = (narrow & plateau[active]) | ((np.abs(now) >= LARGEST) & (slope * now > 0))
        # a step that does not halve the one before creeps: NaN sends the search to the middle
        trial = now + np.where(last | (np.abs(step) <= before[active] / 2.0), step, np.nan)
        rho[active] = np.where(last, trial, np.where(narrow, now, _kept_inside(trial, low[active], high[active])))
        before[active] = np.abs(rho[active] - now)
        active = active[~(last | narrow | perfect[active])]
    rho[perfect] = np.sign(rho[perfect])
    rho[~varied] = np.nan
    converged = np.ones(size, dtype=bool)
    converged[active] = False
    return _PairFit(rho, perfect, converged, iterations)


def cell_probabilities(first: Array, second: Array, rho: Array) -> tuple[Array, Array, Array]:
    """Return cell probabilities and the first and second logarithmic slopes' parts: pi, pi'/pi and pi''/pi.

    Parameters
    ----------
    first, second : (m, a - 1) and (m, b - 1) arrays
        Thresholds.
    rho : (m,) array
        Inside (-1, 1).

    Returns
    -------
    Three (m, a, b) arrays; primes are derivatives by the correlation. Probabilities are at least 1e-13.
    """
    x, y, r = first[:, :, None], second[:, None, :], rho[:, None, None]
    height = density(x, y, r)
    bend = height * density_slope(x, y, r)
    below = np.zeros((len(rho), first.shape[1] + 2, second.shape[1] + 2))
    below[:, 1:-1, 1:-1] = distribution_grid(first, second, rho)
    below[:, 1:-1, -1] = ndtr(first)
    below[:, -1, 1:-1] = ndtr(second)
    below[:, -1, -1] = 1.0
    exact = _cells(below)
    lost = exact < SMALLEST_CELL
    probability = np.maximum(exact, SMALLEST_CELL)
    ratio, curve = _cells(_framed(height)) / probability, _cells(_framed(bend)) / probability
    if lost.any():
        far = _far_slopes(first, second, rho)[lost]
        ratio[lost], curve[lost] = far, far**2
    return probability, ratio, curve


def _newton(tables: Array, first: Array, second: Array, rho: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Return the slope of the log-likelihood, Newton's step (NaN where not concave), and where it is a plateau."""
    _, ratio, curve = cell_probabilities(first, second, rho)
    squares = (tables * ratio**2).sum(axis=(1, 2))
    slope = (tables * ratio).sum(axis=(1, 2))
    curvature = squares - (tables * curve).sum(axis=(1, 2))
    flat = (squares < FLAT * tables.sum(axis=(1, 2))) & (np.abs(rho) > FAR)
    # a part in 1e10 of the squares is what their difference can tell
    concave = (curvature > 1e-10 * squares) & ~flat
    step = np.divide(slope, curvature, out=np.full_like(slope, np.nan), where=concave)
    # on a plateau the search turns back: there may be a maximum before it
    slope = np.where(flat, -rho, slope)
    return slope, step, flat


def _saturated(tables: Array, first: Array, second: Array) -> Array:
    """Return 1 or -1 where a table is exactly what that correlation gives (Fréchet's bounds), else 0, (m,).

    The likelihood then rises towards it, and so slowly at the end that a search would stop anywhere.
    """
    total = tables.sum(axis=(1, 2))
    share = tables / np.where(total > 0, total, 1.0)[:, None, None]
    x, y = (np.pad(ndtr(cuts), ((0, 0), (1, 1)), constant_values=(0.0, 1.0)) for cuts in (first, second))
    x, y = x[:, :, None], y[:, None, :]
    sign = np.zeros(len(tables))
    for value, bound in ((1.0, np.minimum(x, y)), (-1.0, np.maximum(x + y - 1.0, 0.0))):
        sign[np.abs(_cells(bound) - share).max(axis=(1, 2)) < SAME_SHARE] = value
    return sign


def _kept_inside(trial: Array, low: Array, high: Array) -> Array:
    """Return the trial where it lies between the ends, else an end not yet tried, else the middle by Fisher's z.

    A trial that is NaN goes to the middle.
    """
    left, right = (np.arctanh(np.clip(end, -LARGEST, LARGEST)) for end in (low, high))
    middle = np.tanh((left + right) / 2.0)
    inside = (trial > low) & (trial < high) & (np.abs(trial) < LARGEST)
    beyond = np.where(((trial >= LARGEST) | (middle > NEARLY_LARGEST)) & (high > LARGEST), LARGEST, middle)
    beyond = np.where(((trial <= -LARGEST) | (middle < -NEARLY_LARGEST)) & (low < -LARGEST), -LARGEST, beyond)
    return np.where(inside, trial, beyond)


def _far_slopes(first: Array, second: Array, rho: Array) -> Array:
    """Return the slope of a far cell's log probability, whose mass lies at its most likely corner.

    There it is the density over its rates of decay (x - rho y)/v and (y - rho x)/v, with v = 1 - rho^2: Laplace's
    method. Where a rate is small, the density alone tells the slope.
    """
    x, y, r = first[:, :, None], second[:, None, :], rho[:, None, None]
    variance = (1.0 - r) * (1.0 + r)
    from_y, from_x = x - r * y, y - r * x
    steep = np.minimum(np.abs(from_y), np.abs(from_x)) > STEEP * np.sqrt(variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        decay = np.where(steep, y / from_y + x / from_x - 4.0 * r / variance, 0.0)
    slopes = _padded(density_slope(x, y, r) + decay, 0.0)
    # log density up to what does not differ within a pair; corners at infinity are never the likeliest
    squares = -(x * x + y * y - 2.0 * r * x * y)
    heights = _padded(squares, -np.inf)
    corners = [(slice(None), slice(a, -1 + a or None), slice(b, -1 + b or None)) for a in (0, 1) for b in (0, 1)]
    best, found = heights[corners[0]], slopes[corners[0]]
    for corner in corners[1:]:
        higher = heights[corner] > best
        best, found = np.where(higher, heights[corner], best), np.where(higher, slopes[corner], found)
    return found


def _padded(grid: Array, edge: float) -> Array:
    framed = np.full((grid.shape[0], grid.shape[1] + 2, grid.shape[2] + 2), edge)
    framed[:, 1:-1, 1:-1] = grid
    return framed


def _framed(grid: Array) -> Array:
    return _padded(grid, 0.0)


def _cells(corners: Array) -> Array:
    """Return the masses of the cells between the corners of a grid."""
    across = corners[:, 1:] - corners[:, :-1]
    return across[:, :, 1:] - across[:, :, :-1]


def _score_correlation(tables: Array) -> Array:
    """Return the product-moment correlation of the categories' places, where the search starts; 0 where undefined."""
    total = tables.sum(axis=(1, 2))
    a, b = (np.arange(size, dtype=float) for size in tables.shape[1:])
    one, two = tables.sum(axis=2), tables.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_a, mean_b = one @ a / total, two @ b / total
        variance = (one @ a**2 / total - mean_a**2) * (two @ b**2 / total - mean_b**2)
        product = np.einsum("mab,a,b->m", tables, a, b) / total - mean_a * mean_b
        found = product / np.sqrt(variance)
    return np.where(np.isfinite(found), found, 0.0)


def _rows_of(cuts: tuple[Array, ...], items: NDArray[np.intp]) -> Array:
    return np.stack([cuts[item] for item in items])


def _answered(tables: PairTables) -> NDArray[np.int64]:
    diagonal = np.diag(tables.counts)
    spans = zip(tables.starts, tables.categories, strict=False)
    return np.array([diagonal[start : start + size].sum() for start, size in spans], dtype=np.int64)
