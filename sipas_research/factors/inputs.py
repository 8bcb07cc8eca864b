"""From answers to a complete matrix of items: the one door through which data enter factor analysis."""

from __future__ import annotations

import difflib
import unicodedata
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sipas_research.errors import AnalysisError, DroppedItemWarning, DroppedRowsWarning, OptionError, Problem
from sipas_research.factors.options import list_names
from sipas_research.numerics.correlation import Array, correlation, is_constant, is_singular, read_only
from sipas_research.numerics.disclosure import MINIMUM_CELL
from sipas_research.results import DataKind
from sipas_research.survey.raw_table import SIMULATED_COLUMN, is_simulated
from sipas_research.survey.responses import Responses

#: Fewer complete rows than this have no spread worth a correlation.
FEWEST_ROWS = 3
#: Two items whose correlation is this close to one are the same item twice.
SAME_ITEM = 1.0 - 1e-10

Data: TypeAlias = Responses | pd.DataFrame


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ItemMatrix:
    """Complete answers to a set of items.

    Attributes
    ----------
    values : (n, p) array
        Rows without a missing answer, items as columns, high = good; not writeable.
    items : tuple of str
        Names of the columns.
    n_read : int
        Rows before incomplete ones were left out.
    left_out : tuple of (str, str)
        Items that were asked for and not used, each with the catalogue key of its reason.
    data_kind : DataKind
    """

    values: Array
    items: tuple[str, ...]
    n_read: int
    left_out: tuple[tuple[str, str], ...]
    data_kind: DataKind

    def __repr__(self) -> str:
        return f"ItemMatrix({self.n} rows, {len(self.items)} items, {self.data_kind.value})"

    @property
    def n(self) -> int:
        """Complete rows."""
        return int(self.values.shape[0])

    @property
    def n_dropped(self) -> int:
        """Rows left out because an answer was missing."""
        return self.n_read - self.n


def item_matrix(data: Data, items: Iterable[str] | None = None, *, data_kind: DataKind = DataKind.USER) -> ItemMatrix:
    """Return the complete answers to some items.

    Parameters
    ----------
    data : Responses or DataFrame
        Responses are scored so that high is good. A DataFrame is taken as it stands, one row a person.
    items : iterable of str, optional
        Question ids or column names. By default the items of the questionnaire's factors (all items where it
        has no factor), or every column of the DataFrame.
    data_kind : DataKind
        Kind of a DataFrame; Responses know their own, and a frame that carries the marker of simulated data
        counts as simulated whatever is said here.

    Returns
    -------
    ItemMatrix

    Raises
    ------
    AnalysisError
        If an item is unknown, named twice or not numeric, if fewer than two items vary, or fewer than three
        rows (ten forms of Responses) are complete.

    Warns
    -----
    DroppedItemWarning
        If constant or empty items were left out.
    DroppedRowsWarning
        If rows with missing answers were left out.
    """
    matrix = load_items(data, items, data_kind)
    require_enough(matrix, data)
    announce(matrix, stacklevel=3)
    return matrix


def load_items(data: Data, items: Iterable[str] | None, data_kind: DataKind) -> ItemMatrix:
    """Do the work of :func:`item_matrix` without warnings and without asking for enough items or rows."""
    if not isinstance(data, Responses | pd.DataFrame):
        raise OptionError("factors.error.data_type", received=type(data).__name__)
    names = resolve_items(data, items)
    kind = kind_of(data, data_kind)
    values = data.items(names).to_numpy(float) if isinstance(data, Responses) else numeric_columns(data, names)
    return _complete(values, tuple(str(name) for name in names), kind)


def kind_of(data: Data, data_kind: DataKind) -> DataKind:
    """Return the kind of data: that of Responses, or the given one unless the frame says it is simulated."""
    if isinstance(data, Responses):
        return data.data_kind
    if data_kind not in list(DataKind):
        allowed = ", ".join(kind.value for kind in DataKind)
        raise OptionError("factors.error.option", name="data_kind", received=str(data_kind), allowed=allowed)
    return DataKind.SIMULATED if is_simulated(data) else DataKind(data_kind)


def resolve_items(data: Data, items: Iterable[str] | None) -> tuple[str, ...]:
    """Return the names as the data have them; equal up to Unicode normalisation is equal."""
    if isinstance(data, Responses):
        present = [q.id for q in data.questionnaire.items() if q.id in data.frame]
        factors = data.scale_items("factor")
        default = [i for ids in factors.values() for i in ids] or present
    else:
        present = [c for c in data.columns if c != SIMULATED_COLUMN]
        default = present
    wanted = default if items is None else list_names(items)
    _refuse_twice(present if items is None else wanted)
    known = {unicodedata.normalize("NFC", str(name)): name for name in present}
    unknown = [str(name) for name in wanted if unicodedata.normalize("NFC", str(name)) not in known]
    if unknown:
        problems = [_unknown(name, tuple(known)) for name in unknown]
        raise AnalysisError("factors.error.unknown_items", n=len(unknown), problems=problems)
    return tuple(known[unicodedata.normalize("NFC", str(name))] for name in wanted)


def resolve_scales(data: Data, scales: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    """Return scales with the names of their items as the data have them; no item may stand in two scales."""
    resolved = {str(scale): resolve_items(data, items) for scale, items in scales.items()}
    _refuse_twice([item for items in resolved.values() for item in items])
    return {scale: tuple(str(item) for item in items) for scale, items in resolved.items()}


def _refuse_twice(names: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in names:
        same = unicodedata.normalize("NFC", str(name))
        if same in seen:
            raise AnalysisError("factors.error.named_twice", item=str(name))
        seen.add(same)


def _unknown(name: str, known: tuple[str, ...]) -> Problem:
    folded = {item.casefold(): item for item in known}
    near = difflib.get_close_matches(name.casefold(), list(folded), n=3, cutoff=0.6)
    if near:
        return Problem.of("factors.problem.unknown_item", item=name, near=", ".join(folded[n] for n in near))
    listed = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
    return Problem.of("factors.problem.unknown_item_far", item=name, known=listed)


def numeric_columns(frame: pd.DataFrame, names: tuple[str, ...]) -> Array:
    """Return the columns as an (n, p) array, NaN where a cell is empty; AnalysisError where one is not numeric."""
    block = frame[list(names)]
    plain = all(isinstance(kind, np.dtype) and kind.kind in "iuf" for kind in block.dtypes)
    columns = (
        block.to_numpy(dtype=float) if plain and block.shape[1] == len(names) else _numeric_by_column(frame, names)
    )
    for place in np.flatnonzero(np.isinf(columns).any(axis=0)):
        raise AnalysisError("factors.error.infinite", column=str(names[place]))
    return columns


def _numeric_by_column(frame: pd.DataFrame, names: tuple[str, ...]) -> Array:
    columns = np.empty((len(frame), len(names)))
    for place, name in enumerate(names):
        column = frame[name]
        if isinstance(column, pd.DataFrame):
            raise AnalysisError("factors.error.named_twice", item=name)
        if column.dtype == object and all(isinstance(cell, Real) for cell in column.dropna()):
            column = pd.to_numeric(column)  # None where the file was empty
        if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_complex_dtype(column):
            raise AnalysisError("factors.error.not_numeric", column=str(name))
        columns[:, place] = column.to_numpy(dtype=float, na_value=np.nan)
    return columns


def _complete(values: Array, names: tuple[str, ...], kind: DataKind) -> ItemMatrix:
    left_out: dict[str, str] = {}
    keep = np.ones(len(names), dtype=bool)
    rows: NDArray[np.bool_] = np.ones(values.shape[0], dtype=bool)
    # leaving out incomplete rows may make an item constant, and leaving out that item may complete rows;
    # with hardly any rows everything is constant, and the rows are what is wrong
    while rows.sum() >= FEWEST_ROWS:
        gone = keep & is_constant(values if rows.all() else values[rows])
        for place in np.flatnonzero(gone):
            nothing = np.isnan(values[:, place]).all()
            left_out[names[place]] = "factors.note.empty_item" if nothing else "factors.note.constant_item"
        keep &= ~gone
        complete = _answered(values if keep.all() else values[:, keep])
        if np.array_equal(complete, rows):
            break
        rows = complete
    rows = _answered(values if keep.all() else values[:, keep])
    used = tuple(name for name, kept in zip(names, keep, strict=True) if kept)
    in_order = tuple((name, left_out[name]) for name in names if name in left_out)
    kept_values = values if rows.all() and keep.all() else values[np.ix_(rows, keep)]
    return ItemMatrix(read_only(kept_values), used, values.shape[0], in_order, kind)


def _answered(values: Array) -> NDArray[np.bool_]:
    mask: NDArray[np.bool_] = np.logical_not(np.isnan(values).any(axis=1))
    return mask


def too_few_people(data: object, rows: int) -> bool:
    """True where statistics would rest on 1 to 9 people; a bare DataFrame is the caller's own to publish."""
    return isinstance(data, Responses) and 0 < rows < MINIMUM_CELL


def require_enough(matrix: ItemMatrix, data: Data) -> None:
    """Raise AnalysisError unless two items vary over three complete rows, ten where the rows are checked answers."""
    reasons = [Problem.of(f"factors.problem.{key.rsplit('.', 1)[1]}", item=item) for item, key in matrix.left_out]
    if len(matrix.items) < 2:
        raise AnalysisError("factors.error.few_items", n=len(matrix.items), problems=reasons)
    if too_few_people(data, matrix.n):
        raise AnalysisError("factors.error.few_people", minimum=MINIMUM_CELL)
    if matrix.n < FEWEST_ROWS:
        raise AnalysisError("factors.error.few_rows", n=matrix.n, read=matrix.n_read, problems=reasons)


def announce(*matrices: ItemMatrix, stacklevel: int) -> None:
    """Warn once about items and once about rows that were left out; names only, never answers."""
    items = [name for matrix in matrices for name, _ in matrix.left_out]
    if items:
        message = DroppedItemWarning("factors.warning.dropped_items", n=len(items), items=", ".join(map(str, items)))
        warnings.warn(message, stacklevel=stacklevel)
    dropped = max((matrix.n_dropped for matrix in matrices), default=0)
    if dropped:
        read = max(matrix.n_read for matrix in matrices)
        # scales lose different rows: the largest loss is told, each scale's own stands in its table
        key = "factors.warning.dropped_rows" + ("_by_scale" if len(matrices) > 1 else "")
        warnings.warn(DroppedRowsWarning(key, n=dropped, read=read), stacklevel=stacklevel)


def correlations(matrix: ItemMatrix, *, invertible: bool) -> Array:
    """Return the (p, p) correlations; where an inverse is needed and does not exist, say which items or why.

    Raises
    ------
    AnalysisError
        If ``invertible`` and the matrix is singular.
    """
    found = correlation(matrix.values)
    if invertible and is_singular(found):
        above = np.argwhere(np.triu(np.abs(found), 1) > SAME_ITEM)
        if above.size:
            first, second = (matrix.items[place] for place in above[0])
            raise AnalysisError("factors.error.same_item", first=first, second=second)
        if matrix.n <= len(matrix.items):
            raise AnalysisError("factors.error.more_items_than_rows", n=matrix.n, items=len(matrix.items))
        raise AnalysisError("factors.error.singular")
    return found
