"""Which cells of a table may be shown when fewer than ten people stand behind some of them.

The rule is the threshold rule with complementary suppression (Hundepool et al., Statistical Disclosure
Control, 2012, chapter 4): a count of 1 to 9 is hidden, and further cells are hidden until nothing hidden
follows from the published total. A zero stays: there is nobody in it.
"""

from __future__ import annotations

import numpy as np

MINIMUM_CELL = 10


def suppress(
    counts: object, *, minimum: int = MINIMUM_CELL, withheld: object = None, mixed: object = None
) -> np.ndarray:
    """Return which cells of a one-way table with a published total must be hidden.

    Cells of 1 to ``minimum - 1`` are hidden. The smallest other non-zero cell follows (the first of equals)
    while exactly one cell is hidden, the hidden cells sum to less than ``minimum``, or every hidden cell
    could be told to hold one person. Where the total itself is 1 to ``minimum - 1`` every cell is hidden,
    zeros too, and the caller must withhold the total as well.

    Parameters
    ----------
    counts : array of int, shape (cells,)
        People in each cell, zero or more; the cells add up to the published total.
    minimum : int
        Smallest count that may be shown.
    withheld : array of bool, shape (cells,), optional
        Cells that must not be derived whatever their size, such as a group whose members all gave the same answer.
    mixed : array of bool, shape (cells,), optional
        Cells that can hide such a group: their members disagree on every question behind the cell, so that no part of
        the cell leaves the group alone. All cells that are not ``withheld`` where none are given.

    Returns
    -------
    array of bool, shape (cells,)

    Raises
    ------
    ValueError
        If a count is negative or not finite.
    """
    table = _counts(counts)
    uniform, cover = _flags(table, withheld, mixed)
    return _close(table, uniform & (table > 0), uniform, cover, minimum)


def suppress_table(
    counts: object,
    *,
    minimum: int = MINIMUM_CELL,
    withheld: object = None,
    hidden: object = None,
    mixed: object = None,
    whole_rows: bool = False,
) -> np.ndarray:
    """Return which cells of a groups x parts table must be hidden, where totals of both margins are published.

    Down a column the rule of :func:`suppress` holds (the parts of all groups are published). Along a row the
    hidden parts together follow from the group's own total, so the smallest other part joins them while they
    are a single part, hold fewer than ``minimum`` people, or are all withheld for one and the same answer.

    Parameters
    ----------
    counts : array of int, shape (groups, parts)
        People behind each cell.
    minimum : int
        Smallest count that may be shown.
    withheld : array of bool, shape (groups, parts), optional
        Cells that must not be derived whatever their size.
    hidden : array of bool, shape (groups,), optional
        Groups whose own total is already hidden: all their parts are hidden.
    mixed : array of bool, shape (groups, parts), optional
        As in :func:`suppress`.
    whole_rows : bool
        Hide all parts of a group of which one is hidden. Single cells scattered over rows and columns can close a
        circle of sums and differences that gives one of them away; whole rows leave no such circle.

    Returns
    -------
    array of bool, shape (groups, parts)
    """
    table = _counts(counts)
    uniform, cover = _flags(table, withheld, mixed)
    mask = uniform & (table > 0)
    whole = np.zeros(len(table), dtype=bool) if hidden is None else np.array(hidden, dtype=bool)
    mask[whole] = True
    while True:
        before = mask.copy()
        for part in range(table.shape[1]):
            mask[:, part] = _close(table[:, part], mask[:, part], uniform[:, part], cover[:, part], minimum)
        for group in np.flatnonzero(~whole):
            _close_row(table[group], mask[group], uniform[group], cover[group], minimum)
        if whole_rows:
            mask |= mask.any(axis=1, keepdims=True)
        if np.array_equal(before, mask):
            return mask


def merge_categories(counts: object, *, minimum: int = MINIMUM_CELL) -> tuple[tuple[int, ...], ...]:
    """Return groups of adjacent answer categories under which no item has a cell of 1 to ``minimum - 1``.

    One grouping serves the whole battery, so that its bars can be compared. Of all groupings that are safe,
    the one with most groups is taken; among those the one that merges fewest answers.

    Parameters
    ----------
    counts : array of int, shape (items, categories)
        Answers of each item in each category, categories in scale order.
    minimum : int
        Smallest count that may be shown.

    Returns
    -------
    tuple of tuples of int
        Positions of the categories in each group. One group of all where nothing finer is safe.
    """
    table = np.atleast_2d(_counts(counts))
    size = table.shape[1]
    # best[j]: (groups, minus the answers merged, cuts) of the best safe grouping of the first j categories
    best: list[tuple[int, int, tuple[int, ...]] | None] = [(0, 0, ())] + [None] * size
    for end in range(1, size + 1):
        for start in range(end):
            before = best[start]
            merged = table[:, start:end].sum(axis=1)
            if before is None or bool(((merged > 0) & (merged < minimum)).any()):
                continue
            cost = int(merged.sum()) if end - start > 1 else 0
            found = (before[0] + 1, before[1] - cost, (*before[2], start))
            current = best[end]
            if current is None or found[:2] > current[:2]:
                best[end] = found
    whole = best[size]
    cuts = (0,) if whole is None else whole[2]
    return tuple(tuple(range(start, end)) for start, end in zip(cuts, (*cuts[1:], size), strict=True))


def hidden_cuts(counts: object, *, minimum: int = MINIMUM_CELL) -> np.ndarray:
    """Return which cuts between adjacent answer categories must be hidden.

    A cut (a threshold, a cumulative share) is shown where the nearest answers that anybody gave on either side of it
    were each given by ``minimum`` people or more. What lies between two shown cuts then holds nobody or ``minimum``
    people, and still does where another table of the same people shows any safe grouping of its own, such as that of
    :func:`merge_categories`. Where this rule and the sum between two shown cuts leave one table only (11 people in two
    categories: 1 and 10), one more cut is hidden. A cut that is hidden in one group is hidden in all: those of all
    groups but one would tell that of the last, because the answers of all people together are published elsewhere.

    Parameters
    ----------
    counts : array of int, shape (categories,) or (groups, categories)
        People who gave each answer, categories in scale order.
    minimum : int
        Smallest count that may be shown.

    Returns
    -------
    array of bool, shape (categories - 1,)
    """
    table = np.atleast_2d(_counts(counts))
    hidden = np.zeros(table.shape[1] - 1, dtype=bool)
    for row in table:
        given = np.flatnonzero(row)
        for place in range(1, len(given)):
            below, above = given[place - 1 : place + 1]
            hidden[below:above] |= min(row[below], row[above]) < minimum
    while (more := _telling(table, hidden, minimum)) is not None:
        hidden[more] = True
    return hidden


def _telling(table: np.ndarray, hidden: np.ndarray, minimum: int) -> int | None:
    """Return a shown cut beside hidden ones whose sum leaves one table only; None where there is none."""
    ends = [-1, *np.flatnonzero(~hidden).tolist(), len(hidden)]
    for place in range(1, len(ends)):
        low, high = ends[place - 1 : place + 1]
        for row in table:
            part = row[low + 1 : high + 1]
            given = part[part > 0]
            beside = (low >= 0) + (high < len(hidden))
            if len(given) > 1 and beside and given.sum() == beside * minimum + len(given) - beside:
                return low if low >= 0 else high
    return None


def _counts(counts: object) -> np.ndarray:
    table = np.array(counts, dtype=float)
    if not np.isfinite(table).all() or (table < 0).any():
        raise ValueError("counts must be finite and not negative")
    return table.astype(np.int64)


def _flags(table: np.ndarray, withheld: object, mixed: object) -> tuple[np.ndarray, np.ndarray]:
    uniform = np.zeros(table.shape, dtype=bool) if withheld is None else np.array(withheld, dtype=bool)
    cover = ~uniform if mixed is None else np.array(mixed, dtype=bool) & ~uniform
    return uniform, cover & (table > 0)


def _close(table: np.ndarray, start: np.ndarray, uniform: np.ndarray, cover: np.ndarray, minimum: int) -> np.ndarray:
    """Add cells to ``start`` until nothing hidden follows from the total."""
    total = int(table.sum())
    if 0 < total < minimum:
        return np.ones(table.shape, dtype=bool)
    mask = start | ((table > 0) & (table < minimum))
    while (free := _joining(table, mask, uniform, cover, minimum)) is not None:
        if free.size == 0:
            return np.ones(table.shape, dtype=bool)
        mask[free[np.argmin(table[free])]] = True
    return mask


def _joining(
    table: np.ndarray, mask: np.ndarray, uniform: np.ndarray, cover: np.ndarray, minimum: int
) -> np.ndarray | None:
    """Return the cells one of which must join what is hidden, None where nothing hidden follows."""
    inside = mask & (table > 0)
    cells, people = int(inside.sum()), int(table[inside].sum())
    if cells == 0:
        return None
    # Cells that all hold one answer stay one answer when they are added together: another kind must join them.
    if cells == 1 or people < minimum or people == cells or bool(uniform[inside].all()):
        return np.flatnonzero(~mask & (table > 0))
    # one that disagrees on some questions only leaves a group of one answer alone on the others
    open_cover = np.flatnonzero(~mask & cover)
    if bool(uniform[inside].any()) and not bool(cover[inside].any()) and open_cover.size:
        return open_cover
    return None


def _close_row(table: np.ndarray, mask: np.ndarray, uniform: np.ndarray, cover: np.ndarray, minimum: int) -> None:
    """Hide further parts of a row until none follows (in place: ``mask`` is the caller's own copy)."""
    while (free := _joining(table, mask, uniform, cover, minimum)) is not None:
        if free.size == 0:
            return
        mask[free[np.argmin(table[free])]] = True
