"""Means and covariances of data that need not fit into memory: one pass over blocks of rows.

Blocks are merged by the updates of Chan, Golub & LeVeque (1983, American Statistician 37, 242-247): nothing is lost to
cancellation, whatever the means. The pass stays reachable, so that robust errors can go over the rows again.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pandas as pd

from sipas_research.errors import AnalysisError, DroppedRowsWarning, OptionError
from sipas_research.numerics.correlation import Array, read_only
from sipas_research.results import DataKind
from sipas_research.sem.moments import BLOCK_ROWS, Moments, shown
from sipas_research.sem.near_names import near_names, own_names
from sipas_research.survey.raw_table import SIMULATED_COLUMN

Blocks = Callable[[], Iterable[pd.DataFrame]]


@dataclass(frozen=True, slots=True)
class Reading:
    """Which columns count, and how.

    Attributes
    ----------
    names : tuple of str
        Variables; empty: all columns of numbers in the first block.
    group : str or None
        Column of the group.
    missing : tuple of float
        Codes that stand for no answer.
    data_kind : DataKind
    """

    names: tuple[str, ...]
    group: str | None
    missing: tuple[float, ...]
    data_kind: DataKind


def moments_of_blocks(blocks: Blocks, reading: Reading, *, again: bool) -> Moments | dict[str, Moments]:
    """Return the moments of all blocks, or of each group.

    Rows with a missing value in a variable or without a group are left out, counted and warned about.

    Parameters
    ----------
    blocks : callable
        Called without arguments it yields data frames with the same columns.
    reading : Reading
    again : bool
        Whether the blocks can be asked for a second time: robust errors need it.

    Raises
    ------
    AnalysisError
        If a column is not there or not numeric, a value is infinite, or a group has fewer than two complete rows.

    Warns
    -----
    DroppedRowsWarning
    """
    totals: dict[str, _Total] = {}
    names, read, marked = reading.names, 0, False
    for block in blocks():
        names = names or _numeric(block, reading.group)
        marked = marked or SIMULATED_COLUMN in block.columns
        read += len(block)
        for label, values in _parts(block, names, reading):
            totals[label] = totals.get(label, _empty(len(names))).with_rows(values)
    kept = sum(total.n for total in totals.values())
    for label, total in totals.items():
        if total.n < 2:
            raise AnalysisError("sem.error.no_rows", n=shown(total.n), group=f" [{label}]" if label else "")
    if not totals:
        raise AnalysisError("sem.error.no_rows", n=0, group="")
    if kept < read:
        warnings.warn(
            DroppedRowsWarning("sem.warning.dropped_rows", dropped=shown(read - kept), read=shown(read)), stacklevel=4
        )
    kind = DataKind.SIMULATED if marked else reading.data_kind
    found = {
        label: Moments(
            read_only(total.products / (total.n - 1)), read_only(total.mean), total.n, "n-1", names,
            _pass_over(blocks, names, reading, label) if again else None, kind,
        )
        for label, total in totals.items()
    }  # fmt: skip
    return found if reading.group is not None else found[""]


class _Total(NamedTuple):
    """Count, mean and centred products of the rows so far."""

    n: int
    mean: Array
    products: Array

    def with_rows(self, values: Array) -> _Total:
        """Return the total with a block of complete rows, (k, p), merged in."""
        count = len(values)
        if not count:
            return self
        mean = values.mean(axis=0)
        centred = values - mean
        whole = self.n + count
        away = mean - self.mean
        products = self.products + centred.T @ centred + np.outer(away, away) * (self.n * count / whole)
        return _Total(whole, self.mean + away * (count / whole), products)


def _empty(size: int) -> _Total:
    return _Total(0, np.zeros(size), np.zeros((size, size)))


def _numeric(block: pd.DataFrame, group: str | None) -> tuple[str, ...]:
    doubled = block.columns[block.columns.duplicated()].unique()
    if len(doubled):
        raise AnalysisError("sem.error.duplicate_columns", names=", ".join(map(str, doubled)))
    names = [name for name in block.columns if block[name].dtype.kind in "iufb" and name != group]
    if not names:
        raise AnalysisError("moment_streams.error.no_numbers")
    return tuple(str(name) for name in names)


def _parts(block: pd.DataFrame, names: Sequence[str], reading: Reading) -> Iterator[tuple[str, Array]]:
    """Yield the complete rows of each group in a block, groups in order of appearance."""
    values = _values(block, names, reading.missing)
    complete = np.isfinite(values.sum(axis=1))
    if not complete.all() and np.isinf(values).any():
        raise AnalysisError("sem.error.infinite")
    if reading.group is None:
        yield "", values if complete.all() else values[complete]
        return
    codes, found = pd.factorize(_column(block, reading.group), use_na_sentinel=True)
    for number, value in enumerate(found):
        yield _label(value), values[complete & (codes == number)]


def _values(block: pd.DataFrame, names: Sequence[str], missing: Sequence[float]) -> Array:
    columns = [_column(block, name) for name in names]
    text = [name for name, column in zip(names, columns, strict=True) if column.dtype.kind not in "iufb"]
    text = [name for name in text if not _holds_numbers(_column(block, name))]
    if text:
        raise AnalysisError("sem.error.not_numeric", names=", ".join(text))
    values = np.empty((len(block), len(names)))
    for k, column in enumerate(columns):
        values[:, k] = column.to_numpy(dtype=np.float64, na_value=np.nan)
    for code in missing:
        values[values == code] = np.nan
    return values


def _holds_numbers(column: pd.Series) -> bool:
    """Return whether a column of objects holds numbers and gaps only, as databases hand them over."""
    return getattr(column.dtype, "kind", "O") in "iufbO" and all(
        isinstance(value, int | float | Decimal | np.number) for value in column.dropna()
    )


def _column(block: pd.DataFrame, name: str) -> pd.Series:
    place = name if name in block.columns else own_name([str(c) for c in block.columns], name)
    column = block[place]
    if isinstance(column, pd.DataFrame):
        raise AnalysisError("sem.error.duplicate_columns", names=name)
    return column


def own_name(columns: Sequence[str], name: str) -> str:
    """Return the data's own spelling of a name whose accents may be composed otherwise.

    Raises
    ------
    AnalysisError
        If no column has that name.
    """
    own = own_names([name], columns)
    if name in own:
        return own[name]
    near = ", ".join(near_names(name, columns)) or "-"
    raise AnalysisError("sem.error.unknown", names=name, near=near)


def _label(value: object) -> str:
    whole = isinstance(value, float | np.floating) and float(value).is_integer()
    return str(int(float(str(value)))) if whole else re.sub(r"^(-?\d+)\.0+$", r"\1", str(value).strip())


def _pass_over(blocks: Blocks, names: Sequence[str], reading: Reading, label: str) -> Callable[[], Iterator[Array]]:
    """Return the pass over the complete rows of one group, in blocks that stay in the processor's cache."""

    def rows() -> Iterator[Array]:
        for block in blocks():
            for found, values in _parts(block, names, reading):
                if found == label:
                    for start in range(0, len(values), BLOCK_ROWS):
                        yield values[start : start + BLOCK_ROWS]

    return rows


def reading_of(
    names: Sequence[str] | str | None, group: str | None, missing: Sequence[float], data_kind: DataKind
) -> Reading:
    """Check the options that all sources share.

    Raises
    ------
    OptionError
    """
    listed = () if names is None else (names,) if isinstance(names, str) else tuple(names)
    if not all(isinstance(name, str) for name in listed) or len(set(listed)) != len(listed):
        raise OptionError("sem.error.option_names", received=repr(names))
    if group is not None and not isinstance(group, str):
        raise OptionError("sem.error.option_names", received=repr(group))
    codes = (missing,) if isinstance(missing, int | float) else tuple(missing)
    if not all(isinstance(code, int | float) and not isinstance(code, bool) for code in codes):
        raise OptionError("moment_streams.error.missing", received=repr(missing))
    if data_kind not in list(DataKind):
        raise OptionError("sem.error.data_kind", received=repr(data_kind))
    return Reading(listed, group, tuple(float(code) for code in codes), DataKind(data_kind))
