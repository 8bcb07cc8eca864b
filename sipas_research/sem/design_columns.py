"""The columns of a sampling design: weights, and clusters whose rows depend on each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.numerics.correlation import Array
from sipas_research.sem.near_names import near_names, own_names

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DesignColumns:
    """Weight and cluster of each row of the data, before any is left out.

    Attributes
    ----------
    weights : (n,) array or None
        As given; NaN where a row has none.
    clusters : (n,) index array or None
        Codes in order of appearance, -1 where a row has none.
    """

    weights: Array | None = None
    clusters: NDArray[np.intp] | None = None

    def known(self, rows: int) -> Mask:
        """Return which rows count: with a weight above zero and a cluster."""
        result = np.ones(rows, dtype=bool)
        if self.weights is not None:
            result &= self.weights > 0
        if self.clusters is not None:
            result &= self.clusters >= 0
        return result

    def of_rows(self, keep: Mask | None) -> DesignColumns:
        """Return the columns of the rows that are kept: weights scaled to their number, clusters counted anew."""
        weights = self.weights if self.weights is None or keep is None else self.weights[keep]
        codes = self.clusters if self.clusters is None or keep is None else self.clusters[keep]
        if weights is not None and len(weights):
            weights = weights / weights.max()  # first, or the sum of large ones overflows
            weights = weights * (len(weights) / weights.sum())
        if codes is not None:
            codes = np.unique(codes, return_inverse=True)[1].astype(np.intp)
        return DesignColumns(weights, codes)


def design_columns(frame: pd.DataFrame, *, weights: str | None, cluster: str | None) -> DesignColumns:
    """Return weights and clusters of the rows.

    Raises
    ------
    OptionError
        If a column is not there or stands twice.
    AnalysisError
        If weights are not numbers, infinite, negative or all zero, or no row has a cluster.
    """
    codes = None
    if cluster is not None:
        codes = _clusters(_design_column(frame, "cluster", cluster))
        if len(codes) and codes.max() < 0:
            raise AnalysisError("sem.error.no_clusters", column=cluster)
    return DesignColumns(None if weights is None else _weights(frame, weights), codes)


def _design_column(frame: pd.DataFrame, option: str, name: object) -> pd.Series:
    return column_of(
        frame, name, lambda near: OptionError("sem.error.no_design_column", option=option, column=str(name), near=near)
    )


def column_of(frame: pd.DataFrame, name: object, refusal: Callable[[str], OptionError]) -> pd.Series:
    """Return a column that an option names.

    Raises
    ------
    OptionError
        If it stands twice; what ``refusal`` makes of near names where it is not there.
    """
    known = frame.columns.tolist()
    if isinstance(name, str):
        name = own_names([name], known).get(name, name)
    if not isinstance(name, str | int) or name not in frame.columns:
        near = ", ".join(near_names(str(name), [str(each) for each in known])) or "-"
        raise refusal(near)
    column = frame[name]
    if isinstance(column, pd.DataFrame):
        raise OptionError("sem.error.duplicate_columns", names=str(name))
    return column


def label_codes(column: pd.Series) -> tuple[NDArray[np.intp], pd.Index]:
    """Return the code of each row's label, -1 where it has none, and the labels in order of appearance.

    Raises
    ------
    AnalysisError
        If the column holds what is no label: lists, dictionaries.
    """
    try:
        return pd.factorize(column, use_na_sentinel=True)
    except TypeError as error:
        raise AnalysisError("sem_design.error.labels", column=str(column.name)) from error


def _clusters(column: pd.Series) -> NDArray[np.intp]:
    """Return the code of each row's cluster: 7 and "7", as two files may write them, are one, blank text is none."""
    codes, found = label_codes(column)
    codes = codes.astype(np.intp)
    if getattr(column.dtype, "kind", "O") != "O":
        return codes
    place: dict[str, int] = {}
    labels = [_label(value) for value in found]
    merged = [place.setdefault(label, len(place)) if label else -1 for label in labels]
    return np.array([*merged, -1], dtype=np.intp)[codes]


def _label(value: object) -> str:
    whole = isinstance(value, float | np.floating) and float(value).is_integer()
    return str(int(value)) if whole else str(value).strip()  # type: ignore[call-overload]


def _numbers(column: pd.Series) -> bool:
    """Return whether a column of objects holds numbers and gaps only, as mixed sheets hand them over."""
    return all(isinstance(value, int | float | np.number) and not isinstance(value, bool) for value in column.dropna())


def _weights(frame: pd.DataFrame, name: str) -> Array:
    column = _design_column(frame, "weights", name)
    if getattr(column.dtype, "kind", "O") not in "iuf":
        if not _numbers(column):
            raise AnalysisError("sem.error.weights_numbers", column=str(name))
        column = column.astype(object)
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(values).any():
        raise AnalysisError("sem.error.weights_numbers", column=str(name))
    if (values < 0).any():
        raise AnalysisError("sem.error.weights_negative", column=str(name), count=int((values < 0).sum()))
    if not (values > 0).any():
        raise AnalysisError("sem.error.weights_zero", column=str(name))
    return values
