"""From a user's data to the moments of each group: the one door through which data enter a model."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sipas_research.errors import AnalysisError, DroppedRowsWarning, OptionError
from sipas_research.numerics.correlation import Array
from sipas_research.numerics.disclosure import MINIMUM_CELL
from sipas_research.results import DataKind, weakest
from sipas_research.sem.design_columns import DesignColumns, column_of, design_columns, label_codes
from sipas_research.sem.moments import GroupRows, GroupSample, Moments, sample_of_moments, sample_of_rows, shown
from sipas_research.sem.near_names import near_names, own_names
from sipas_research.survey.raw_table import SIMULATED_COLUMN
from sipas_research.survey.responses import Responses

Mask: TypeAlias = NDArray[np.bool_]
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
    checked : bool
        Whether the rows are checked answers of people, of which cells under ten people are never shown.
    """

    groups: tuple[GroupSample, ...]
    n_read: int
    data_kind: DataKind
    checked: bool = False

    @property
    def n(self) -> int:
        """Rows used, over all groups."""
        return sum(group.n for group in self.groups)

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the groups."""
        return tuple(group.label for group in self.groups)

    @property
    def n_clusters(self) -> int:
        """Clusters over all groups; 0 where rows stand by themselves."""
        held = [group.clusters for group in self.groups if group.clusters is not None]
        return len(np.unique(np.concatenate(held))) if held else 0

    @property
    def with_means(self) -> bool:
        """Whether every group has means."""
        return all(group.mean is not None for group in self.groups)

    @property
    def with_rows(self) -> bool:
        """Whether every group's rows can be passed over."""
        return all(group.rows is not None for group in self.groups)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Grouping:
    """Labels of the groups in order of appearance; the group of each row, -1 where it has none."""

    labels: tuple[str, ...]
    codes: NDArray[np.intp] | None = None


def grouping_of(data: Data, group: str | None) -> Grouping:
    """Return the groups that a model of these data will have.

    Raises
    ------
    OptionError
        If the grouping column is not there, or ``group`` was given for moments.
    """
    if isinstance(data, Moments):
        if group is not None:
            raise OptionError("sem.error.group_of_moments")
        return Grouping(("",))
    if isinstance(data, Mapping) and not isinstance(data, pd.DataFrame):
        if not data or not all(isinstance(value, Moments) for value in data.values()):
            raise OptionError("sem.error.data_type", received=type(data).__name__)
        if group is not None:
            raise OptionError("sem.error.group_of_moments")
        labels = tuple(_label(label) for label in data)
        if len(set(labels)) != len(labels):
            raise OptionError("sem.error.duplicate_groups", names=", ".join(labels))
        return Grouping(labels if len(labels) > 1 else ("",))
    if not isinstance(data, Responses | pd.DataFrame):
        raise OptionError("sem.error.data_type", received=type(data).__name__)
    if group is None:
        return Grouping(("",))
    codes, found = label_codes(_group_column(data, group))
    if not len(found):
        raise AnalysisError("sem.error.empty_group", group=group)
    named = [_label(value) for value in found]
    if len(set(named)) == len(named):
        return Grouping(tuple(named), codes)
    place = {label: k for k, label in enumerate(dict.fromkeys(named))}  # 1 and "1" are one group
    merged = np.array([place[label] for label in named] + [-1])
    return Grouping(tuple(place), merged[codes])


def _group_column(data: Responses | pd.DataFrame, group: str) -> pd.Series:
    frame = data.frame if isinstance(data, Responses) else data
    return column_of(frame, group, lambda near: OptionError("sem.error.no_group_column", group=str(group), near=near))


def _label(value: object) -> str:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def gather(
    data: Data,
    names: Sequence[str],
    grouping: Grouping,
    data_kind: DataKind,
    *,
    missing: str = "listwise",
    weights: str | None = None,
    cluster: str | None = None,
    known: Sequence[str] = (),
) -> Sample:
    """Return the moments of the model's observed variables in each group.

    Parameters
    ----------
    data : Responses, DataFrame, Moments or mapping of label to Moments
        Rows with a missing value in a variable of the model are left out, counted and warned about.
    names : sequence of str
        Observed variables of the model.
    grouping : Grouping
    data_kind : DataKind
        Kind of a DataFrame.
    missing : {"listwise", "pairwise", "fiml"}
        With "pairwise" and "fiml" a row counts where it holds at least one variable.
    weights, cluster : str, optional
        Columns of the sampling design; rows without them are left out.
    known : sequence of str
        Observed predictors that the likelihood is conditional on: rows without them are left out with "fiml" too.

    Raises
    ------
    AnalysisError
        If a variable is not there, is not numeric, or no row is left in a group.
    OptionError
        If a design or missing values are asked for of moments, or a column of the design is not there.

    Warns
    -----
    DroppedRowsWarning
    """
    of_moments = isinstance(data, Moments) or (isinstance(data, Mapping) and not isinstance(data, pd.DataFrame))
    if of_moments and (weights is not None or cluster is not None or missing != "listwise"):
        raise OptionError("sem.error.design_of_moments")
    if isinstance(data, Moments):
        return Sample((sample_of_moments(data, names),), data.n, data.data_kind)
    if isinstance(data, Mapping) and not isinstance(data, pd.DataFrame):
        several = len(data) > 1
        groups = tuple(sample_of_moments(value, names, _label(key) if several else "") for key, value in data.items())
        kind = weakest(value.data_kind for value in data.values())
        return Sample(groups, sum(value.n for value in data.values()), kind)
    values = _values(data, names)
    kind = _kind(data, data_kind)
    frame = data.frame if isinstance(data, Responses) else data
    design = design_columns(frame, weights=weights, cluster=cluster)
    keep = _kept(values, missing, grouping, design, [names.index(name) for name in known])
    n_read, codes, index = len(values), grouping.codes, frame.index
    if keep is not None:
        values, index = values[keep], index[keep]
        codes = codes if codes is None else codes[keep]
        if not (isinstance(data, Responses) and len(values) < MINIMUM_CELL):
            parted = grouping.codes is not None and bool((grouping.codes < 0).any())
            _tell_dropped(n_read, len(values), missing, design, known, parted=parted)
    design = design.of_rows(keep)
    build = sample_of_rows
    if missing == "fiml":
        from sipas_research.sem.missing import sample_with_holes

        build = sample_with_holes
    elif missing == "pairwise":
        from sipas_research.sem.pairwise import sample_of_pairs

        build = sample_of_pairs
    groups = _groups(build, values, names, grouping.labels, codes, index, design)
    if isinstance(data, Responses):
        _refuse_few_people(groups, missing)
    return Sample(groups, n_read, kind, isinstance(data, Responses))


def _kept(values: Array, missing: str, grouping: Grouping, design: DesignColumns, fixed: Sequence[int]) -> Mask | None:
    """Return which rows count, or None where all do; ``fixed`` are columns that must be there."""
    keep = _complete_rows(values) if missing == "listwise" else _answered_rows(values, fixed)
    known = design.known(len(values))
    if grouping.codes is not None:
        known &= np.asarray(grouping.codes >= 0)
    if keep is not None:
        known &= keep
    return None if known.all() else known


def _groups(
    build: Callable[[GroupRows], GroupSample], values: Array, names: Sequence[str], labels: tuple[str, ...],
    codes: NDArray[np.intp] | None, index: pd.Index, design: DesignColumns,
) -> tuple[GroupSample, ...]:  # fmt: skip
    groups = []
    for number, label in enumerate(labels):
        places = None if codes is None else np.flatnonzero(codes == number)
        within = slice(None) if places is None else places
        part = values[within]
        if len(part) < 2:
            where = f" [{label}]" if label else ""
            raise AnalysisError("sem.error.no_rows", n=shown(len(part)), group=where)
        weights = None if design.weights is None else design.weights[within]
        clusters = None if design.clusters is None else design.clusters[within]
        groups.append(build(GroupRows(part, names, label, index[within], places, weights, clusters)))
    return tuple(groups)


def _refuse_few_people(groups: Sequence[GroupSample], missing: str) -> None:
    """Refuse checked answers of fewer than ten people: means and covariances would tell what they answered."""
    from sipas_research.sem.pairwise import fewest_together

    for group in groups:
        where = f" [{group.label}]" if group.label else ""
        if group.n < MINIMUM_CELL:
            raise AnalysisError("sem.error.few_people", minimum=MINIMUM_CELL, group=where)
        if missing == "pairwise" and fewest_together(group) < MINIMUM_CELL:
            raise AnalysisError("sem.error.few_together", minimum=MINIMUM_CELL, group=where)


def _tell_dropped(
    read: int, left: int, missing: str, design: DesignColumns, known: Sequence[str], *, parted: bool
) -> None:
    """Warn that rows were left out; ``parted``: some for want of a group."""
    key = "sem.warning.dropped_rows" if missing == "listwise" else "sem.warning.dropped_empty_rows"
    if missing == "fiml" and known:
        told = {"dropped": shown(read - left), "read": shown(read), "names": ", ".join(known)}
        warnings.warn(DroppedRowsWarning("sem_missing.warning.dropped_known", **told), stacklevel=5)
        return
    if missing == "listwise" and (parted or design.weights is not None or design.clusters is not None):
        key = "sem_design.warning.dropped_rows"
    warnings.warn(DroppedRowsWarning(key, dropped=shown(read - left), read=shown(read)), stacklevel=5)


def _complete_rows(values: Array) -> Mask | None:
    """Return which rows are complete, or None where all are; infinite values count as an error."""
    total = float(values.sum())
    if np.isfinite(total):
        return None
    if np.isinf(values).any():
        raise AnalysisError("sem.error.infinite")
    complete: Mask = np.logical_not(np.isnan(values).any(axis=1))
    return None if complete.all() else complete


def _answered_rows(values: Array, fixed: Sequence[int]) -> Mask | None:
    """Return which rows hold a value and all fixed ones, or None where all do; infinite values are an error.

    A row that holds fixed variables alone tells how these are distributed: standardised coefficients rest on that.
    """
    if np.isinf(values).any():
        raise AnalysisError("sem.error.infinite")
    there = np.logical_not(np.isnan(values))
    answered: Mask = np.logical_and(there.any(axis=1), there[:, list(fixed)].all(axis=1))
    return None if answered.all() else answered


def _kind(data: Responses | pd.DataFrame, data_kind: DataKind) -> DataKind:
    if isinstance(data, Responses):
        return data.data_kind
    if data_kind not in list(DataKind):
        raise OptionError("sem.error.data_kind", received=repr(data_kind))
    marked = SIMULATED_COLUMN in data.columns
    return DataKind.SIMULATED if marked else DataKind(data_kind)


def _values(data: Responses | pd.DataFrame, names: Sequence[str]) -> Array:
    """Return the variables as an (n, p) array whose columns are contiguous."""
    frame = data.frame if isinstance(data, Responses) else data
    whole = None if isinstance(data, Responses) else _at_once(frame, names)
    if whole is not None:
        return whole
    wanted = _present(frame, names)
    turned = data.items(_items(data, wanted)) if isinstance(data, Responses) else None
    values = np.empty((len(wanted), len(frame)))
    doubled, text = [], []
    for k, name in enumerate(wanted):
        column = frame[name] if turned is None or name not in turned.columns else turned[name]
        if isinstance(column, pd.DataFrame):
            doubled.append(str(name))
        elif isinstance(column.dtype, np.dtype) and column.dtype.kind in "iufb":
            values[k] = column.to_numpy()
        elif _numbers(column):
            values[k] = pd.to_numeric(column.astype(object), errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        else:
            text.append(str(name))
    if doubled:
        raise AnalysisError("sem.error.duplicate_columns", names=", ".join(dict.fromkeys(doubled)))
    if text:
        raise AnalysisError("sem.error.not_numeric", names=", ".join(text))
    return values.T


def _at_once(frame: pd.DataFrame, wanted: Sequence[str]) -> Array | None:
    """Return columns of plain numbers as one array: the common case, an order of magnitude quicker than by column."""
    place = {name: k for k, name in enumerate(frame.columns.tolist())}
    if len(place) < len(frame.columns) or not place.keys() >= set(wanted):
        return None
    values = frame.take([place[name] for name in wanted], axis=1).to_numpy()
    return values.astype(np.float64) if values.dtype.kind in "iufb" else None


def _items(data: Responses, wanted: Sequence[str]) -> list[str]:
    scored = {question.id for question in data.questionnaire.items()}
    return [name for name in wanted if name in scored]


def _present(frame: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Return the frame's own names of the variables; accents may be composed in one and decomposed in the other."""
    known = frame.columns.tolist()
    place = own_names(names, known)
    lost = [name for name in names if name not in place]
    if lost:
        likes = {name: ", ".join(near_names(name, map(str, known))) or "-" for name in lost[:5]}
        near = "; ".join(f"{name}: {like}" for name, like in likes.items())
        raise AnalysisError("sem.error.unknown", names=", ".join(lost), near=near)
    return [place[name] for name in names]


def _numbers(column: pd.Series) -> bool:
    """Return whether a column holds numbers and empty cells only; digits typed as text are not numbers."""
    if getattr(column.dtype, "kind", "O") in "iufb":
        return True
    return not isinstance(column.dtype, pd.StringDtype) and all(
        isinstance(value, int | float | np.number | np.bool_) for value in column.dropna()
    )
