"""Where a target rotation should go: a table of loadings, blank where they are free."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sipas_research.errors import OptionError
from sipas_research.numerics.correlation import Array, read_only


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """Loadings to come near to: ``values`` (p, m) with NaN where free, and the names of the factors."""

    values: Array
    factors: tuple[str, ...]


def resolve_target(
    target: object, items: tuple[str, ...], n_factors: int, *, oblique: bool, known: Iterable[str] = ()
) -> Target:
    """Return the target of the items used, in their order.

    Parameters
    ----------
    target : DataFrame or array-like
        A DataFrame has items as rows, found by name, and factors as columns, whose names the result takes. An
        array has a row an item, in order of the items used. NaN leaves a loading free.
    items : tuple of str
    n_factors : int
    oblique : bool
        Oblique rotation to a target needs m - 1 given loadings in each column; orthogonal rotation needs
        m (m - 1) / 2 in all (Browne 2001).
    known : iterable of str
        Items that may stand in the table though they are not used (constant ones).

    Raises
    ------
    OptionError
        If the table does not fit the items and factors, holds something else than numbers, or leaves too much free.
    """
    values, factors = _read(target, items, set(known))
    if values.shape != (len(items), n_factors):
        received = " × ".join(str(size) for size in values.shape)
        raise OptionError("efa.error.target_shape", received=received, items=len(items), factors=n_factors)
    if np.isinf(values).any():
        raise OptionError("efa.error.target_numbers")
    given = (~np.isnan(values)).sum(axis=0)
    enough = given.min() >= n_factors - 1 if oblique else given.sum() >= n_factors * (n_factors - 1) // 2
    if not enough:
        key = "efa.error.target_free_oblique" if oblique else "efa.error.target_free"
        least = n_factors - 1 if oblique else n_factors * (n_factors - 1) // 2
        raise OptionError(key, least=least)
    return Target(read_only(values), factors or tuple(f"F{place}" for place in range(1, n_factors + 1)))


def _read(target: object, items: tuple[str, ...], known: set[str]) -> tuple[Array, tuple[str, ...]]:
    if not isinstance(target, pd.DataFrame):
        return _numbers(target), ()
    table = target.set_axis([_same(name) for name in target.index], axis=0)
    wanted = [_same(name) for name in items]
    missing = [name for name in wanted if name not in table.index]
    strange = [name for name in table.index if name not in {*wanted, *(_same(name) for name in known)}]
    if missing or strange or not table.index.is_unique or not table.columns.is_unique:
        listed = ", ".join(missing or strange) or ", ".join(map(str, [*table.index, *table.columns]))
        raise OptionError("efa.error.target_items", items=listed)
    return _numbers(table.loc[wanted]), tuple(str(name) for name in table.columns)


def _numbers(table: object) -> Array:
    try:
        values = np.asarray(table, dtype=float)
    except (TypeError, ValueError) as error:
        raise OptionError("efa.error.target_numbers") from error
    if values.ndim != 2:
        raise OptionError("efa.error.target_numbers")
    return values


def _same(name: object) -> str:
    return unicodedata.normalize("NFC", str(name))
