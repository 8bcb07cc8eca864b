"""From answers to columns of ordered categories: whole numbers, weights and what had to be left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TypeAlias

import numpy as np
import pandas as pd

from sipas_research.errors import AnalysisError, OptionError, Problem
from sipas_research.factors.inputs import FEWEST_ROWS, Data, kind_of, resolve_items, too_few_people
from sipas_research.numerics.contingency import MOST_CATEGORIES, Block, Levels, code_blocks, find_levels
from sipas_research.numerics.correlation import Array
from sipas_research.numerics.disclosure import MINIMUM_CELL
from sipas_research.results import DataKind
from sipas_research.survey.responses import Responses

MISSING = ("listwise", "pairwise")

Weights: TypeAlias = "str | Sequence[float] | np.ndarray | None"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OrderedItems:
    """Items as ordered categories, without a copy of the answers.

    Attributes
    ----------
    columns : tuple of (n,) arrays
        Whole numbers, or floats with NaN.
    levels : tuple of Levels
        Answers that occur in the rows that are used.
    items : tuple of str
    weights : (n,) array or None
        With mean one.
    complete_only : bool
        Only rows without a missing answer are used.
    n_read, n_weightless, n : int
        Rows given, rows left out because their weight is 0, and rows used.
    left_out : tuple of (str, str)
        Items left out, each with the catalogue key of its reason.
    data_kind : DataKind
    """

    columns: tuple[np.ndarray, ...]
    levels: tuple[Levels, ...]
    items: tuple[str, ...]
    weights: Array | None
    complete_only: bool
    n_read: int
    n_weightless: int
    n: int
    left_out: tuple[tuple[str, str], ...]
    data_kind: DataKind

    def __repr__(self) -> str:
        return f"OrderedItems({self.n} rows, {len(self.items)} items, {self.data_kind.value})"

    def blocks(self) -> Iterator[Block]:
        """Yield the rows that are used, as blocks of category places."""
        return code_blocks(self.columns, self.levels, complete_only=self.complete_only, weights=self.weights)


def ordered_items(
    data: Data, items: Iterable[str] | None, *, missing: str, weights: Weights, data_kind: DataKind
) -> OrderedItems:
    """Return the items as ordered categories.

    Raises
    ------
    AnalysisError
        If an item is unknown, named twice, not numeric or not of ordered categories, if fewer than two items
        vary, or fewer than three rows (ten forms of Responses) can be used.
    OptionError
        If ``missing`` or ``weights`` is not valid.
    """
    if not isinstance(data, Responses | pd.DataFrame):
        raise OptionError("factors.error.data_type", received=type(data).__name__)
    if missing not in MISSING:
        raise OptionError("factors.error.option", name="missing", received=str(missing), allowed=", ".join(MISSING))
    names = _names(data, items, weights)
    columns, weight = _columns(data, names), _weights(data, weights)
    weightless = 0 if weight is None else int((weight == 0).sum())
    if weight is not None and weightless:
        columns = [column[weight > 0] for column in columns]
        weight = weight[weight > 0]
    kept, levels, n, left_out = _varied(columns, [str(name) for name in names], missing == "listwise")
    found = OrderedItems(
        columns=tuple(columns[place] for place in kept),
        levels=levels,
        items=tuple(str(names[place]) for place in kept),
        weights=weight,
        complete_only=missing == "listwise" and any(columns[place].dtype.kind == "f" for place in kept),
        n_read=len(data),
        n_weightless=weightless,
        n=n,
        left_out=tuple((str(name), left_out[str(name)]) for name in names if str(name) in left_out),
        data_kind=kind_of(data, data_kind),
    )
    _require_enough(found, data)
    return found


def _names(data: Data, items: Iterable[str] | None, weights: Weights) -> tuple[str, ...]:
    if items is None and isinstance(weights, str) and isinstance(data, pd.DataFrame):
        return resolve_items(data.iloc[:0].drop(columns=weights, errors="ignore"), None)
    return resolve_items(data, items)


def _columns(data: Data, names: Sequence[str]) -> list[np.ndarray]:
    if isinstance(data, Responses):
        scored = data.items(list(names))
        return [scored[name].to_numpy() for name in names]
    return [_column(data[name], str(name)) for name in names]


def _column(series: pd.Series | pd.DataFrame, name: str) -> np.ndarray:
    if isinstance(series, pd.DataFrame):
        raise AnalysisError("factors.error.named_twice", item=name)
    if isinstance(series.dtype, pd.CategoricalDtype):
        if not series.dtype.ordered:
            raise AnalysisError("polychoric.error.unordered", column=name)
        codes = series.cat.codes.to_numpy()
        return np.where(codes < 0, np.nan, codes + 1.0)
    if series.dtype == object and all(isinstance(cell, Real) for cell in series.dropna()):
        series = pd.to_numeric(series)  # None where the file was empty
    if not pd.api.types.is_numeric_dtype(series) or pd.api.types.is_complex_dtype(series):
        raise AnalysisError("factors.error.not_numeric", column=name)
    if isinstance(series.dtype, np.dtype):
        return series.to_numpy()
    return series.to_numpy(dtype=float, na_value=np.nan)


def _weights(data: Data, weights: Weights) -> Array | None:
    if weights is None:
        return None
    if isinstance(weights, str):
        frame = data.frame if isinstance(data, Responses) else data
        if weights not in frame:
            raise OptionError("polychoric.error.unknown_weight", column=weights)
        weights = _column(frame[weights], weights)
    try:
        values = np.array(weights, dtype=float)
    except (TypeError, ValueError) as error:
        raise OptionError("polychoric.error.weights") from error
    if values.shape != (len(data),):
        raise OptionError("polychoric.error.weight_length", received=values.size, rows=len(data))
    if not np.isfinite(values).all() or (values < 0).any() or not (values > 0).any():
        raise OptionError("polychoric.error.weights")
    return values / values[values > 0].mean()


def _varied(
    columns: Sequence[np.ndarray], names: Sequence[str], complete_only: bool
) -> tuple[list[int], tuple[Levels, ...], int, dict[str, str]]:
    """Leave out items without variation; under listwise deletion that may complete rows, so look again."""
    kept, complete = list(range(len(columns))), False
    levels: tuple[Levels, ...] = ()
    n, left_out = 0, {}
    while kept:
        levels, n = find_levels([columns[place] for place in kept], complete_only=complete)
        _refuse_troubles([names[place] for place in kept], levels)
        if n < FEWEST_ROWS:
            break  # with hardly any rows everything is constant, and the rows are what is wrong
        gone = [place for place, level in zip(kept, levels, strict=True) if len(level.values) < 2]
        for place in gone:
            empty = columns[place].dtype.kind == "f" and bool(np.isnan(columns[place]).all())
            left_out[names[place]] = "factors.note.empty_item" if empty else "factors.note.constant_item"
        kept = [place for place in kept if place not in gone]
        if not gone:
            if complete or not complete_only or not any(level.missing for level in levels):
                break
            complete = True
    return kept, levels if kept else (), n, left_out


def _refuse_troubles(names: Sequence[str], levels: Sequence[Levels]) -> None:
    problems = [
        Problem.of(f"polychoric.problem.{level.trouble}", item=name, most=MOST_CATEGORIES)
        for name, level in zip(names, levels, strict=True)
        if level.trouble
    ]
    if problems:
        raise AnalysisError("polychoric.error.not_ordered", n=len(problems), problems=problems)


def _require_enough(found: OrderedItems, data: Data) -> None:
    reasons = [Problem.of(f"factors.problem.{key.rsplit('.', 1)[1]}", item=item) for item, key in found.left_out]
    if len(found.items) < 2:
        raise AnalysisError("factors.error.few_items", n=len(found.items), problems=reasons)
    if too_few_people(data, found.n):
        raise AnalysisError("factors.error.few_people", minimum=MINIMUM_CELL)
    if found.n < FEWEST_ROWS:
        raise AnalysisError("factors.error.few_rows", n=found.n, read=found.n_read, problems=reasons)
