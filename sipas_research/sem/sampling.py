"""From a user's data to the moments of each group: the one door through which data enter a model."""

from __future__ import annotations

import difflib
import unicodedata
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd

from sipas_research.errors import AnalysisError, DroppedRowsWarning, OptionError
from sipas_research.numerics.correlation import Array
from sipas_research.results import DataKind, weakest
from sipas_research.sem.moments import GroupSample, Moments, sample_of_moments, sample_of_rows, shown
from sipas_research.survey.raw_table import SIMULATED_COLUMN
from sipas_research.survey.responses import Responses

Data: TypeAlias = Responses | pd.DataFrame | Moments | Mapping[str, Moments]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sample:
    """Moments of all groups.

    Attributes
    ----------
    groups : tuple of GroupSample
        In order of appearance in the data; one of them, labelled "", without groups.
    n_read : int
        Rows before incomplete ones were left out.
    data_kind : DataKind
    """

    groups: tuple[GroupSample, ...]
    n_read: int
    data_kind: DataKind

    @property
    def n(self) -> int:
        """Rows used, over all groups."""
        return sum(group.n for group in self.groups)

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the groups."""
        return tuple(group.label for group in self.groups)

    @property
    def with_means(self) -> bool:
        """Whether every group has means."""
        return all(group.mean is not None for group in self.groups)

    @property
    def with_rows(self) -> bool:
        """Whether every group's rows can be passed over."""
        return all(group.rows is not None for group in self.groups)


def group_labels(data: Data, group: str | None) -> tuple[str, ...]:
    """Return the labels of the groups that a model of these data will have, in order of appearance.

    Raises
    ------
    OptionError
        If the grouping column is not there, or ``group`` was given for moments.
    """
    if isinstance(data, Moments):
        if group is not None:
            raise OptionError("sem.error.group_of_moments")
        return ("",)
    if isinstance(data, Mapping) and not isinstance(data, pd.DataFrame):
        if not data or not all(isinstance(value, Moments) for value in data.values()):
            raise OptionError("sem.error.data_type", received=type(data).__name__)
        return tuple(str(label) for label in data) if len(data) > 1 else ("",)
    if not isinstance(data, Responses | pd.DataFrame):
        raise OptionError("sem.error.data_type", received=type(data).__name__)
    if group is None:
        return ("",)
    column = _group_column(data, group)
    labels = tuple(dict.fromkeys(_label(value) for value in column.dropna()))
    if not labels:
        raise AnalysisError("sem.error.empty_group", group=group)
    return labels


def _group_column(data: Responses | pd.DataFrame, group: str) -> pd.Series:
    frame = data.frame if isinstance(data, Responses) else data
    if group not in frame.columns:
        near = _near(group, frame.columns)
        raise OptionError("sem.error.no_group_column", group=group, near=near)
    column = frame[group]
    if isinstance(column, pd.DataFrame):
        raise OptionError("sem.error.duplicate_columns", names=group)
    return column


def _label(value: object) -> str:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def gather(data: Data, names: Sequence[str], group: str | None, data_kind: DataKind) -> Sample:
    """Return the moments of the model's observed variables in each group.

    Parameters
    ----------
    data : Responses, DataFrame, Moments or mapping of label to Moments
        Rows with a missing value in a variable of the model are left out, counted and warned about.
    names : sequence of str
        Observed variables of the model.
    group : str or None
        Column that holds the group.
    data_kind : DataKind
        Kind of a DataFrame.

    Raises
    ------
    AnalysisError
        If a variable is not there, is not numeric, or no complete row is left in a group.

    Warns
    -----
    DroppedRowsWarning
    """
    if isinstance(data, Moments):
        return Sample((sample_of_moments(data, names),), data.n, data.data_kind)
    if isinstance(data, Mapping) and not isinstance(data, pd.DataFrame):
        several = len(data) > 1
        groups = tuple(sample_of_moments(value, names, str(key) if several else "") for key, value in data.items())
        kind = weakest(value.data_kind for value in data.values())
        return Sample(groups, sum(value.n for value in data.values()), kind)
    values = _values(data, names)
    kind = _kind(data, data_kind)
    complete = _complete_rows(values)
    codes: Array | None = None
    labels: tuple[str, ...] = ("",)
    if group is not None:
        codes, found = pd.factorize(_group_column(data, group), use_na_sentinel=True)
        labels = tuple(_label(value) for value in found)
        known = codes >= 0
        complete = known if complete is None else complete & known
        if complete.all():
            complete = None
    n_read = len(values)
    index = (data.frame if isinstance(data, Responses) else data).index
    if complete is not None:
        values, index = values[complete], index[complete]
        codes = codes if codes is None else codes[complete]
        _tell_dropped(n_read, len(values))
    return Sample(_groups(values, names, labels, codes, index), n_read, kind)


def _groups(
    values: Array, names: Sequence[str], labels: tuple[str, ...], codes: Array | None, index: pd.Index
) -> tuple[GroupSample, ...]:
    groups = []
    for number, label in enumerate(labels):
        within = slice(None) if codes is None else codes == number
        part = values[within]
        if len(part) < 2:
            where = f" [{label}]" if label else ""
            raise AnalysisError("sem.error.no_rows", n=shown(len(part)), group=where)
        groups.append(sample_of_rows(part, names, label, index[within]))
    return tuple(groups)


def _tell_dropped(read: int, left: int) -> None:
    warnings.warn(
        DroppedRowsWarning("sem.warning.dropped_rows", dropped=shown(read - left), read=shown(read)), stacklevel=5
    )


def _complete_rows(values: Array) -> Array | None:
    """Return which rows are complete, or None where all are; infinite values count as an error."""
    total = float(values.sum())
    if np.isfinite(total):
        return None
    if np.isinf(values).any():
        raise AnalysisError("sem.error.infinite")
    complete = ~np.isnan(values).any(axis=1)
    return None if complete.all() else complete


def _kind(data: Responses | pd.DataFrame, data_kind: DataKind) -> DataKind:
    if isinstance(data, Responses):
        return data.data_kind
    if data_kind not in list(DataKind):
        raise OptionError("sem.error.data_kind", received=repr(data_kind))
    marked = SIMULATED_COLUMN in data.columns
    return DataKind.SIMULATED if marked else DataKind(data_kind)


def _values(data: Responses | pd.DataFrame, names: Sequence[str]) -> Array:
    frame = data.frame if isinstance(data, Responses) else data
    columns = list(frame.columns)
    unknown = [name for name in names if name not in frame.columns]
    place: dict[str, str] = {}
    if unknown:  # the syntax composes accents; a file may hold them decomposed
        composed = {unicodedata.normalize("NFC", str(name)): name for name in columns}
        place = {name: composed[name] for name in unknown if name in composed}
        unknown = [name for name in unknown if name not in place]
    if unknown:
        near = "; ".join(f"{name}: {_near(name, columns)}" for name in unknown[:5])
        raise AnalysisError("sem.error.unknown", names=", ".join(unknown), near=near)
    wanted = [place.get(name, name) for name in names]
    if isinstance(data, Responses):
        scored = {question.id for question in data.questionnaire.items}
        items = [name for name in wanted if name in scored]
        part = frame[wanted].copy()
        part[items] = data.items(items)
    else:
        part = frame[wanted]
    if part.shape[1] != len(wanted):
        doubled = [str(name) for name in dict.fromkeys(wanted) if columns.count(name) > 1]
        raise AnalysisError("sem.error.duplicate_columns", names=", ".join(doubled))
    return _numeric(part)


def _numeric(part: pd.DataFrame) -> Array:
    kinds = {dtype.kind for dtype in part.dtypes if isinstance(dtype, np.dtype)}
    if kinds <= set("iufb") and all(isinstance(dtype, np.dtype) for dtype in part.dtypes):
        return np.ascontiguousarray(part.to_numpy(dtype=float))
    text = []
    columns = []
    for name in part.columns:
        column = part[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            column = column.astype(object)
        turned = pd.to_numeric(column, errors="coerce") if _numbers(column) else None
        if turned is None:
            text.append(str(name))
        else:
            columns.append(turned.to_numpy(dtype=float, na_value=np.nan))
    if text:
        raise AnalysisError("sem.error.not_numeric", names=", ".join(text))
    return np.column_stack(columns)


def _numbers(column: pd.Series) -> bool:
    """Return whether a column holds numbers and empty cells only; digits typed as text are not numbers."""
    if column.dtype.kind in "iufb" or isinstance(column.dtype, pd.Int64Dtype | pd.Float64Dtype | pd.BooleanDtype):
        return True
    return column.dtype == object and all(
        isinstance(value, int | float | np.number | np.bool_) for value in column.dropna()
    )


def _near(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(str(name), [str(item) for item in known], n=3, cutoff=0.6)
    return ", ".join(close) if close else "-"
