"""Correlations with and without what a marker variable shares with all of them (Lindell & Whitney 2001)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtr

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.factors.inputs import Data, ItemMatrix, announce, load_items, require_enough, resolve_scales
from sipas_research.factors.options import is_number, list_names
from sipas_research.numerics.correlation import Array, correlation, is_constant
from sipas_research.results import TIDY_COLUMNS, DataKind
from sipas_research.survey.responses import Responses
from sipas_research.wording import number, p_value, percent, text

NAN = float("nan")
#: Upper ends of the marker's correlation that the sensitivity analysis takes (Lindell & Whitney 2001).
SENSITIVITY = (0.75, 0.95, 0.99)
#: The test of a correlation with one more taken out needs a degree of freedom.
FEWEST = 5


@dataclass(frozen=True, slots=True)
class MarkerPair:
    """One pair of variables.

    Attributes
    ----------
    first, second : str
    correlation, p_value : float
        As observed.
    partial, partial_p : tuple of float
        Less what the marker shares: at the estimate, then at each upper end.
    """

    first: str
    second: str
    correlation: float
    p_value: float
    partial: tuple[float, ...]
    partial_p: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class MarkerVariable:
    """Pairs of variables with and without what they share with a marker; a sensitivity analysis, not a correction.

    Attributes
    ----------
    marker : str
    shared : float
        Correlation taken for common method variance, at least zero.
    upper : tuple of float
        One-sided upper ends of it, at ``SENSITIVITY``.
    marker_correlations : tuple of (str, float)
        The marker's correlation with each variable.
    pairs : tuple of MarkerPair
    given : bool
        Whether ``shared`` was given by the analyst.
    notes : tuple of str
        Catalogue keys.
    n, n_dropped : int
    data_kind : DataKind
    """

    marker: str
    shared: float
    upper: tuple[float, ...]
    marker_correlations: tuple[tuple[str, float], ...]
    pairs: tuple[MarkerPair, ...]
    given: bool
    notes: tuple[str, ...]
    n: int
    n_dropped: int
    data_kind: DataKind

    def lost(self, place: int = 0) -> tuple[MarkerPair, ...]:
        """Pairs that are significant at 5% as observed and not at one level (0: the estimate; then ``SENSITIVITY``)."""
        return tuple(p for p in self.pairs if p.p_value < 0.05 <= p.partial_p[place])

    def tidy(self) -> pd.DataFrame:
        """One row a pair and form: group "observed", "partial", "upper75", "upper95", "upper99"; then other."""
        rows = []
        for pair in self.pairs:
            forms = zip(self.forms(), (pair.correlation, *pair.partial), (pair.p_value, *pair.partial_p), strict=True)
            for form, estimate, tail in forms:
                named = {"term": pair.first, "other": pair.second, "group": form, "estimate": estimate}
                note = "" if form == "observed" else "common_method.note.sensitivity"
                rows.append(dict.fromkeys(TIDY_COLUMNS, NAN) | named | {"p_value": tail, "note": note})
        return pd.DataFrame(rows, columns=[*TIDY_COLUMNS, "other"])

    @staticmethod
    def forms() -> tuple[str, ...]:
        """Names of the columns of correlations."""
        return ("observed", "partial", *(f"upper{int(100 * level)}" for level in SENSITIVITY))

    def glance(self) -> pd.DataFrame:
        """Return one row: the marker, the correlation taken out, pairs that lose significance, n, data_kind."""
        row = {
            "marker": self.marker,
            "shared": self.shared,
            **{f"upper{int(100 * q)}": u for q, u in zip(SENSITIVITY, self.upper, strict=True)},
            "n_pairs": len(self.pairs),
            "n_lost": len(self.lost()),
            "n_lost_upper95": len(self.lost(1 + SENSITIVITY.index(0.95))),
            "n": self.n,
            "n_dropped": self.n_dropped,
            "data_kind": self.data_kind.value,
        }
        return pd.DataFrame([row])

    def summary(self, language: str = "vi") -> str:
        """Return what the marker shares, each pair with and without it, and what this does not show."""

        def shown(value: float) -> str:
            return number(value, 3, language)

        lines = [
            text(
                "common_method.marker.head", language, marker=self.marker, shared=shown(self.shared), n=self.n,
                upper=shown(self.upper[1]), level=percent(SENSITIVITY[1], language, 0),
                kind=text(f"common.kind.{self.data_kind.value}", language),
            )
        ]  # fmt: skip
        for pair in self.pairs:
            lines.append(
                text(
                    "common_method.marker.pair", language, first=pair.first, second=pair.second,
                    observed=shown(pair.correlation), p=p_value(pair.p_value, language),
                    partial=shown(pair.partial[0]), partial_p=p_value(pair.partial_p[0], language),
                    low=shown(pair.partial[2]), low_p=p_value(pair.partial_p[2], language),
                )
            )  # fmt: skip
        lines.append(
            text(
                "common_method.marker.lost", language, lost=len(self.lost()), upper=len(self.lost(2)),
                pairs=sum(pair.p_value < 0.05 for pair in self.pairs), level=percent(SENSITIVITY[1], language, 0),
            )
        )  # fmt: skip
        return "\n".join([*lines, *[text(key, language) for key in self.notes]])


def marker_variable(
    data: Data,
    marker: str | Sequence[str],
    variables: Mapping[str, Sequence[str]] | Sequence[str] | None = None,
    *,
    marker_correlation: float | None = None,
    data_kind: DataKind = DataKind.USER,
) -> MarkerVariable:
    """Return correlations of variables with and without what a marker variable shares with them.

    The marker is something that theory ties to none of the variables; its smallest correlation with them stands for
    what the method adds to every correlation. The partial correlation is (r - m) / (1 - m), tested on n - 3 degrees
    of freedom. It assumes that the method adds the same to all variables. What remains is an answer to "how far
    would the result move", never a corrected estimate: the marker measures only what happens to be shared with it.

    Parameters
    ----------
    data : Responses or DataFrame
        One row a person; incomplete rows are left out.
    marker : str or sequence of str
        Column of the marker, or its items, whose mean is taken; a scale's id for Responses.
    variables : mapping of str to sequence of str, or sequence of str, optional
        Scales, whose item means are correlated, or columns. By default the scales of the questionnaire without the
        marker (Responses only).
    marker_correlation : float, optional
        Correlation to take out, in [0, 1), where the analyst has a reason for another than the smallest.
    data_kind : DataKind
        Kind of a DataFrame; Responses know their own.

    Returns
    -------
    MarkerVariable

    Raises
    ------
    AnalysisError
        If an item is unknown, used twice or not numeric, rows are too few, or a score does not vary.
    OptionError
        If there are fewer than two variables, or ``marker_correlation`` is outside its range.

    References
    ----------
    Lindell & Whitney (2001), J. Appl. Psychol. 86, 114-121.
    """
    if marker_correlation is not None and not (is_number(marker_correlation) and 0 <= marker_correlation < 1):
        raise OptionError("common_method.error.shared", received=str(marker_correlation))
    name, marker_items, scales = _named(data, marker, variables)
    members = resolve_scales(data, {name: marker_items} | scales)
    matrix = load_items(data, [item for items in members.values() for item in items], data_kind)
    require_enough(matrix, data)
    if matrix.n < FEWEST:
        raise AnalysisError("factors.error.few_rows", n=matrix.n, read=matrix.n_read)
    announce(matrix, stacklevel=3)
    scores = _scores(matrix, members)
    found = correlation(scores)
    own = found[0, 1:]
    smallest = float(own.min())
    shared = max(smallest, 0.0) if marker_correlation is None else float(marker_correlation)
    upper = _upper_ends(shared, matrix.n)
    notes = ["common_method.note.sensitivity", "common_method.note.marker"]
    if marker_correlation is None and smallest <= 0:
        notes.insert(0, "common_method.note.no_shared")
    names = list(scales)
    pairs = tuple(
        _pair(names[i], names[j], float(found[i + 1, j + 1]), (shared, *upper), matrix.n)
        for i in range(len(names))
        for j in range(i + 1, len(names))
    )
    return MarkerVariable(
        name, shared, upper, tuple(zip(names, own.tolist(), strict=True)), pairs, marker_correlation is not None,
        tuple(notes), matrix.n, matrix.n_dropped, matrix.data_kind,
    )  # fmt: skip


def _named(
    data: Data, marker: str | Sequence[str], variables: Mapping[str, Sequence[str]] | Sequence[str] | None
) -> tuple[str, tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Return the marker's name and items, and the items of each variable."""
    known = data.scale_items() if isinstance(data, Responses) else {}
    if isinstance(marker, str):
        name, items = marker, tuple(known.get(marker, (marker,)))
    else:
        items = list_names(marker)
        name = str(items[0]) if len(items) == 1 else "marker"
    if variables is None:
        scales = {scale: tuple(own) for scale, own in known.items() if not set(own) & set(items)}
    elif isinstance(variables, Mapping):
        scales = {str(scale): list_names(own) for scale, own in variables.items()}
    else:
        scales = {str(one): tuple(known.get(one, (one,))) for one in list_names(variables)}
    if len(scales) < 2 or not items or not all(scales.values()):
        raise OptionError("common_method.error.variables", received=len(scales))
    if name in scales:
        raise OptionError("common_method.error.marker_used", names=name)
    return name, items, scales


def _scores(matrix: ItemMatrix, scales: Mapping[str, Sequence[str]]) -> Array:
    """Return the mean of each scale's items, one column a scale; items that were left out do not count."""
    columns = []
    for name, items in scales.items():
        places = [matrix.items.index(item) for item in items if item in matrix.items]
        if not places or is_constant(matrix.values[:, places].sum(axis=1)[:, None])[0]:
            raise AnalysisError("common_method.error.constant", name=name)
        columns.append(matrix.values[:, places].mean(axis=1))
    return np.column_stack(columns)


def _upper_ends(shared: float, rows: int) -> tuple[float, ...]:
    """Return one-sided upper ends of a correlation by Fisher's transformation."""
    error = 1.0 / np.sqrt(rows - 3.0)
    return tuple(float(np.tanh(np.arctanh(shared) + float(ndtri(level)) * error)) for level in SENSITIVITY)


def _pair(first: str, second: str, observed: float, taken: tuple[float, ...], rows: int) -> MarkerPair:
    partial = tuple((observed - shared) / (1.0 - shared) for shared in taken)
    tails = tuple(_tail(value, rows - 3) for value in partial)
    return MarkerPair(first, second, observed, _tail(observed, rows - 2), partial, tails)


def _tail(value: float, df: int) -> float:
    """Return the two-sided p-value of a correlation; a partial one beyond minus one is certain."""
    if abs(value) >= 1:
        return 0.0
    statistic = abs(value) * np.sqrt(df / (1.0 - value**2))
    return 2.0 * float(stdtr(df, -statistic))
