"""Contingency tables of all pairs of ordered items, counted together in one pass over blocks of rows.

Items are packed into groups whose joint categories are few; one count of two groups' joint categories holds the
tables of all their pairs. The cost is linear in rows, the memory does not depend on them, and counts are exact.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sipas_research.numerics.correlation import Array, read_only

Codes: TypeAlias = NDArray[np.int8]
Places: TypeAlias = NDArray[np.intp]
Trouble = Literal["", "fraction", "infinite", "many"]

#: More categories than this are a measurement, not an ordered answer (and codes must fit into a byte).
MOST_CATEGORIES = 50
#: An end of the scale at this distance from the next answer is probably a code for "no answer".
FAR_CODE = 3
#: Rows handled at once: a block of 22 items stays within the processor's cache.
BLOCK_ROWS = 32768
#: Joint categories of one group of items; two groups make at most the square of this many counts (half a megabyte).
_GROUP_CELLS = 256
#: A range of codes up to this width is counted; a wider one is sorted.
_COUNTED_RANGE = 4096


@dataclass(frozen=True, slots=True)
class Levels:
    """Answers that occur in one item.

    Attributes
    ----------
    values : tuple of int
        Distinct codes, smallest first; their order alone is used.
    missing : bool
        True if an answer is missing in a row that is used.
    trouble : {"", "fraction", "infinite", "many"}
        Why the item cannot be taken as ordered categories; ``values`` is then not complete.
    """

    values: tuple[int, ...]
    missing: bool = False
    trouble: Trouble = ""

    @property
    def size(self) -> int:
        """Rows of this item in a table: its categories, and one more if answers are missing."""
        return len(self.values) + self.missing


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some rows: ``codes`` (p, b), places of the categories from 0, the last place for missing; ``weights`` (b,)."""

    codes: Codes
    weights: Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PairTables:
    """Contingency tables of all pairs as one symmetric matrix over all levels of all items.

    Attributes
    ----------
    categories : tuple of int
        Number of categories of each item.
    starts : tuple of int
        Place of each item's first level, and the total number B of levels at the end. An item's categories stand
        first, then its missing level where it has one.
    counts : (B, B) array
        Number of rows.
    sums, squares : (B, B) arrays
        Sums of weights and of squared weights; the counts themselves without weights.
    rows : int
        Rows counted.
    """

    categories: tuple[int, ...]
    starts: tuple[int, ...]
    counts: Array
    sums: Array
    squares: Array
    rows: int

    @property
    def weighted(self) -> bool:
        """True if rows carried weights."""
        return self.sums is not self.counts

    def sizes(self) -> tuple[int, ...]:
        """Return the number of levels of each item, its missing level included."""
        return tuple(int(size) for size in np.diff(self.starts))

    def margin(self, item: int) -> Array:
        """Return the sums of weights in an item's categories, (k,)."""
        start = self.starts[item]
        return np.diag(self.sums)[start : start + self.categories[item]]

    def stack(self, table: Array, first: Places, second: Places, shape: tuple[int, int]) -> Array:
        """Return the tables of some pairs of one shape, (m, a, b), cut from ``counts``, ``sums`` or ``squares``."""
        starts = np.asarray(self.starts)
        down = starts[first][:, None] + np.arange(shape[0])
        across = starts[second][:, None] + np.arange(shape[1])
        return table[down[:, :, None], across[:, None, :]]


def pair_classes(sizes: Sequence[Hashable]) -> Iterator[tuple[Places, Places]]:
    """Yield the pairs i < j as two arrays of places, one yield for each combination of (any kind of) sizes."""
    kinds = {size: kind for kind, size in enumerate(dict.fromkeys(sizes))}
    by_item = np.array([kinds[size] for size in sizes])
    first, second = np.triu_indices(len(sizes), 1)
    by_pair = by_item[first] * len(kinds) + by_item[second]
    for kind in np.unique(by_pair):
        chosen = by_pair == kind
        yield first[chosen], second[chosen]


def has_far_code(values: tuple[int, ...]) -> bool:
    """Return True if an end of the scale looks like a code for "no answer": 9 after 5, or -1 before 1."""
    if len(values) < 3:
        return False
    gaps = np.diff(values).tolist()
    first, last = gaps[0] > 2 * max(gaps[1:]), gaps[-1] > 2 * max(gaps[:-1])  # 10, 20, 30 is a scale
    far = (first and gaps[0] >= FAR_CODE) or (last and gaps[-1] >= FAR_CODE)
    return far or (values[0] < 0 < values[-1] and -values[0] != values[-1])


def find_levels(columns: Sequence[np.ndarray], *, complete_only: bool) -> tuple[tuple[Levels, ...], int]:
    """Return the answers that occur in each item, and the number of rows that are used.

    Parameters
    ----------
    columns : sequence of (n,) arrays
        Whole numbers, or floats with NaN for a missing answer.
    complete_only : bool
        Look only at rows without a missing answer in any column.
    """
    found: list[set[int]] = [set() for _ in columns]
    missing, trouble = [False] * len(columns), [""] * len(columns)
    used = 0
    for parts in _parts(columns, complete_only):
        used += len(parts[0])
        for place, part in enumerate(parts):
            if trouble[place]:
                continue
            holes, answers = _answers(part)
            missing[place] |= holes
            trouble[place] = _add_values(answers, found[place])
    levels = [
        Levels(tuple(sorted(values)), hole, why)  # type: ignore[arg-type]
        for values, hole, why in zip(found, missing, trouble, strict=True)
    ]
    return tuple(levels), used


def code_blocks(
    columns: Sequence[np.ndarray],
    levels: Sequence[Levels],
    *,
    complete_only: bool,
    weights: Array | None = None,
    block_rows: int = BLOCK_ROWS,
) -> Iterator[Block]:
    """Yield the rows as blocks of category places; arguments as in :func:`find_levels`, whose levels these are."""
    values = [np.array(level.values, dtype=_plain(column).dtype) for level, column in zip(levels, columns, strict=True)]
    given = list(columns) if weights is None else [*columns, weights]
    for parts in _parts(given, complete_only, block_rows):
        codes = np.empty((len(levels), len(parts[0])), dtype=np.int8)
        for row, part, known, level in zip(codes, parts, values, levels, strict=False):
            _encode(part, known, level.missing, row)
        yield Block(codes, None if weights is None else parts[-1])


def pair_tables(blocks: Iterable[Block], levels: Sequence[Levels]) -> PairTables:
    """Count the tables of all pairs in one pass.

    Parameters
    ----------
    blocks : iterable of Block
        All with weights, or all without.
    levels : sequence of Levels
        What the codes of the blocks mean, one an item.
    """
    sizes = [level.size for level in levels]
    groups = _groups(sizes)
    widths = [int(np.prod([sizes[item] for item in group])) for group in groups]
    totals: dict[tuple[int, int, int], np.ndarray] = {}
    rows, powers = 0, 1
    for block in blocks:
        rows += block.codes.shape[1]
        packed = [_pack(block.codes, group, sizes) for group in groups]
        powers = 1 if block.weights is None else 3
        weights = (None, block.weights, None if block.weights is None else block.weights**2)[:powers]
        for one, two, joint in _joint(packed, widths):
            cells = widths[one] * (widths[two] if one != two else 1)
            for power, weight in enumerate(weights):
                counted = np.bincount(joint, weight, minlength=cells)
                place = (one, two, power)
                totals[place] = totals[place] + counted if place in totals else counted
    starts = tuple(int(start) for start in np.concatenate([[0], np.cumsum(sizes)]))
    tables = [_unpack(totals, groups, sizes, power) for power in range(powers)]
    counts, sums, squares = (tables * 3)[:3] if powers == 1 else tables
    return PairTables(tuple(len(level.values) for level in levels), starts, counts, sums, squares, rows)


def _parts(columns: Sequence[np.ndarray], complete_only: bool, block_rows: int = BLOCK_ROWS) -> Iterator[list]:
    columns = [_plain(column) for column in columns]
    floats = [place for place, column in enumerate(columns) if column.dtype.kind == "f"] if complete_only else []
    for start in range(0, len(columns[0]), block_rows):
        parts = [column[start : start + block_rows] for column in columns]
        if floats:
            holes = np.isnan(parts[floats[0]])
            for place in floats[1:]:
                holes |= np.isnan(parts[place])
            if holes.any():
                parts = [part[~holes] for part in parts]
        if len(parts[0]):
            yield parts


def _plain(column: np.ndarray) -> np.ndarray:
    return column.view(np.uint8) if column.dtype == bool else column


def _answers(part: np.ndarray) -> tuple[bool, np.ndarray]:
    if part.dtype.kind != "f":
        return False, part
    holes = np.isnan(part)
    return (True, part[~holes]) if holes.any() else (False, part)


def _add_values(answers: np.ndarray, known: set[int]) -> Trouble:
    if not answers.size:
        return ""
    low, high = answers.min(), answers.max()
    if answers.dtype.kind == "f":
        if not (np.isfinite(low) and np.isfinite(high)):
            return "infinite"
        if (np.rint(answers) != answers).any():
            return "fraction"
    low, high = int(low), int(high)
    # nothing new can stand between two known ends with no gap
    if low in known and high in known and len(known) == max(known) - min(known) + 1:
        return ""
    if high - low <= _COUNTED_RANGE:
        # narrow numbers are widened first: the range of a byte does not fit into a byte
        wide = answers if answers.dtype.itemsize == 8 else answers.astype(np.float64)
        present = np.flatnonzero(np.bincount((wide - wide.dtype.type(low)).astype(np.intp)))
        known.update(low + int(place) for place in present)
    else:
        known.update(int(value) for value in np.unique(answers)[: MOST_CATEGORIES + 1])
    return "many" if len(known) > MOST_CATEGORIES else ""


def _encode(part: np.ndarray, values: np.ndarray, missing: bool, out: Codes) -> None:
    holes = np.isnan(part) if missing else None
    filled = part if holes is None else np.where(holes, values[0], part)
    if int(values[-1]) - int(values[0]) == len(values) - 1:
        np.subtract(filled, values[0], out=out, casting="unsafe")
    else:
        out[:] = np.searchsorted(values, filled)
    if holes is not None:
        out[holes] = len(values)


def _groups(sizes: Sequence[int]) -> list[list[int]]:
    groups: list[list[int]] = []
    cells = _GROUP_CELLS + 1
    for item, size in enumerate(sizes):
        if cells * size > _GROUP_CELLS:
            groups.append([])
            cells = 1
        groups[-1].append(item)
        cells *= size
    return groups


def _pack(codes: Codes, group: Sequence[int], sizes: Sequence[int]) -> NDArray[np.intp]:
    packed = codes[group[0]].astype(np.intp)
    for item in group[1:]:
        packed *= sizes[item]
        packed += codes[item]
    return packed


def _joint(packed: Sequence[NDArray[np.intp]], widths: Sequence[int]) -> Iterator[tuple[int, int, Places]]:
    buffer = np.empty_like(packed[0])
    for one, codes in enumerate(packed):
        yield one, one, codes
        for two in range(one + 1, len(packed)):
            np.multiply(codes, widths[two], out=buffer)
            buffer += packed[two]
            yield one, two, buffer


def _unpack(totals: dict, groups: Sequence[Sequence[int]], sizes: Sequence[int], power: int) -> Array:
    indicators = [_indicators([sizes[item] for item in group]) for group in groups]
    ends = np.cumsum([member.shape[1] for member in indicators])
    whole = np.zeros((ends[-1], ends[-1]))
    spans = [slice(end - member.shape[1], end) for end, member in zip(ends, indicators, strict=True)]
    for (one, two, kind), counted in totals.items():
        if kind != power:
            continue
        left, right = indicators[one], indicators[two]
        if one == two:
            whole[spans[one], spans[one]] = left.T @ (counted[:, None] * left)
            continue
        part = left.T @ counted.reshape(len(left), len(right)).astype(float) @ right
        whole[spans[one], spans[two]] = part
        whole[spans[two], spans[one]] = part.T
    return read_only(whole)


def _indicators(sizes: Sequence[int]) -> Array:
    """Return which level of which item each joint category of a group stands for, (cells, levels), 0 or 1."""
    places = np.indices(sizes).reshape(len(sizes), -1)
    columns = [places[item][:, None] == np.arange(size) for item, size in enumerate(sizes)]
    return np.concatenate(columns, axis=1).astype(float)
