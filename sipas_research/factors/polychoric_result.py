"""Polychoric correlations and thresholds, as tables and in a few sentences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from sipas_research.errors import OptionError
from sipas_research.numerics.correlation import Array
from sipas_research.numerics.disclosure import MINIMUM_CELL
from sipas_research.numerics.polychoric import Polychorics
from sipas_research.numerics.polychoric_influence import StandardErrors
from sipas_research.results import TIDY_COLUMNS, DataKind
from sipas_research.wording import number, text


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PolychoricCorrelations:
    """Correlations of the normal variables behind p ordered items, and the thresholds that cut them.

    Attributes
    ----------
    items : tuple of str
    categories : tuple of tuple of int
        Codes that occur, one tuple an item, smallest first.
    fit : Polychorics
    errors : StandardErrors
    covariance : (q, q) array or None
        Joint covariance of thresholds and correlations, where it was asked for; in the order of :meth:`tidy`.
    smallest_eigenvalue : float
        Of the correlation matrix; NaN where a correlation does not exist.
    n, n_dropped : int
        Rows used and rows left out.
    missing : {"listwise", "pairwise"}
    weighted : bool
    level : float
        Of the intervals.
    left_out : tuple of (str, str)
        Items left out, each with the catalogue key of its reason.
    data_kind : DataKind
    """

    items: tuple[str, ...]
    categories: tuple[tuple[int, ...], ...]
    fit: Polychorics
    errors: StandardErrors
    covariance: Array | None
    smallest_eigenvalue: float
    n: int
    n_dropped: int
    missing: str
    weighted: bool
    level: float
    left_out: tuple[tuple[str, str], ...]
    data_kind: DataKind

    def __repr__(self) -> str:
        return f"PolychoricCorrelations({len(self.items)} items, n = {self.n}, {self.data_kind.value})"

    @property
    def correlation(self) -> pd.DataFrame:
        """Correlations, items by items; NaN where one does not exist."""
        return self._square(self.fit.correlation)

    @property
    def standard_errors(self) -> pd.DataFrame:
        """Standard errors of the correlations; 0 on the diagonal, NaN where a correlation is at one or not there."""
        return self._square(self.errors.correlation)

    @property
    def thresholds(self) -> pd.DataFrame:
        """Thresholds, items by t1, t2, ...; NaN beyond an item's last, and where one is not shown."""
        return self._ragged(self.fit.thresholds)

    @property
    def threshold_errors(self) -> pd.DataFrame:
        """Standard errors of the thresholds, in the same form."""
        return self._ragged(self.errors.thresholds)

    @property
    def empty_cells(self) -> pd.DataFrame:
        """Cells without a row in each pair's table."""
        return self._square(self.fit.empty_cells)

    @property
    def pair_rows(self) -> pd.DataFrame:
        """Rows behind each correlation; on the diagonal rows with an answer to the item."""
        return self._square(self.fit.rows)

    @property
    def positive_definite(self) -> bool:
        """True if every eigenvalue of the correlation matrix is positive."""
        return bool(self.smallest_eigenvalue > 0)

    @property
    def converged(self) -> bool:
        """True if every correlation reached its tolerance."""
        return bool(self.fit.converged.all())

    @property
    def terms(self) -> list[str]:
        """Names of all estimates: "a|t1" for thresholds, then "a ~~ b"."""
        cuts, pairs = self._threshold_names(), self._pair_places()
        names = [f"{item}|{cut}" for item, cut in cuts]
        return names + [f"{self.items[i]} ~~ {self.items[j]}" for i, j in zip(*pairs, strict=True)]

    def vcov(self) -> pd.DataFrame:
        """Return the joint covariance of thresholds and correlations; of Responses only the variances of thresholds.

        Raises
        ------
        OptionError
            If it was not asked for with ``covariance=True``.
        """
        if self.covariance is None:
            raise OptionError("polychoric.error.no_covariance")
        return pd.DataFrame(self.covariance.copy(), index=self.terms, columns=self.terms)

    def tidy(self) -> pd.DataFrame:
        """Return one row an estimate: thresholds (group "threshold"), then correlations (group "correlation").

        Beside the usual columns: ``lhs``, ``op``, ``rhs``, ``n`` and ``empty_cells``. The interval of a
        correlation is Fisher's. Thresholds have no test: nobody asks whether one is zero. A threshold of Responses
        that is not shown is NaN with the note "polychoric.note.few_people".
        """
        first, second = self._pair_places()
        cuts = self._threshold_names()
        names = np.array(self.items, dtype=object)
        estimate = np.concatenate([*self.fit.thresholds, self.fit.correlation[first, second]])
        error = np.concatenate([*self.errors.thresholds, self.errors.correlation[first, second]])
        is_cut = np.arange(len(estimate)) < len(cuts)
        low, high = _interval(estimate, error, is_cut, self.level)
        with np.errstate(divide="ignore", invalid="ignore"):
            statistic = np.where(is_cut, np.nan, estimate / error)
        answered = np.repeat(np.diag(self.fit.rows), [len(cut) for cut in self.fit.thresholds])
        table = pd.DataFrame(
            {
                "term": self.terms,
                "group": np.where(is_cut, "threshold", "correlation"),
                "estimate": estimate,
                "std_error": error,
                "statistic": statistic,
                "p_value": 2.0 * ndtr(-np.abs(statistic)),
                "conf_low": low,
                "conf_high": high,
                "note": self._cut_notes() + self._notes(first, second),
                "lhs": [item for item, _ in cuts] + list(names[first]),
                "op": np.where(is_cut, "|", "~~"),
                "rhs": [cut for _, cut in cuts] + list(names[second]),
                "n": np.concatenate([answered, self.fit.rows[first, second]]),
                "empty_cells": np.concatenate([np.zeros_like(answered), self.fit.empty_cells[first, second]]),
            }
        )
        return table[[*TIDY_COLUMNS, "lhs", "op", "rhs", "n", "empty_cells"]]

    def glance(self) -> pd.DataFrame:
        """Return one row about the whole; ``note`` is the key of the weightiest thing to know."""
        sizes = [len(codes) for codes in self.categories]
        row = {
            "n": self.n,
            "n_dropped": self.n_dropped,
            "n_items": len(self.items),
            "n_pairs": len(self.items) * (len(self.items) - 1) // 2,
            "fewest_categories": min(sizes),
            "most_categories": max(sizes),
            "fewest_pair_rows": int(self.fit.rows.min()),
            "empty_cells": self._total(self.fit.empty_cells),
            "filled_tables": self._total(self.fit.adjusted),
            "perfect": self._total(self.fit.perfect),
            "undefined": self._total(~self.fit.defined),
            "smallest_eigenvalue": self.smallest_eigenvalue,
            "positive_definite": self.positive_definite,
            "missing": self.missing,
            "weighted": self.weighted,
            "converged": self.converged,
            "iterations": self.fit.iterations,
            "note": self.note,
            "data_kind": self.data_kind.value,
        }
        return pd.DataFrame([row])

    @property
    def note(self) -> str:
        """Catalogue key of the weightiest thing to know about the matrix, or ""."""
        reasons = (
            (not self.converged, "not_converged"),
            (not self.fit.defined.all(), "undefined_in_matrix"),
            (not self.positive_definite, "not_positive_definite"),
            (self.fit.perfect.any(), "perfect_in_matrix"),
            (self.fit.adjusted.any(), "filled_in_matrix"),
        )
        return next((f"polychoric.note.{key}" for told, key in reasons if told), "")

    def summary(self, language: str = "vi") -> str:
        """Return the matrix in a few sentences."""
        first, second = self._pair_places()
        values = self.fit.correlation[first, second]
        known = values[np.isfinite(values)]
        low, high = (known.min(), known.max()) if known.size else (np.nan, np.nan)
        fields = {"low": number(low, 3, language), "high": number(high, 3, language)}
        lines = [
            text("polychoric.summary.range", language, items=len(self.items), pairs=len(values), n=self.n, **fields),
            text(f"polychoric.summary.{self.missing}", language, dropped=self.n_dropped),
        ]
        if np.isfinite(self.smallest_eigenvalue):
            key = "definite" if self.positive_definite else "not_definite"
            lines.append(
                text(f"polychoric.summary.{key}", language, smallest=number(self.smallest_eigenvalue, 4, language))
            )
        hidden = sum(map(bool, self._cut_notes()))
        if hidden:
            lines.append(text("polychoric.summary.few_people", language, n=hidden, minimum=MINIMUM_CELL))
        counted = (
            ("empty", self.fit.empty_cells),
            ("filled", self.fit.adjusted),
            ("perfect", self.fit.perfect),
            ("undefined", ~self.fit.defined),
        )
        lines += [
            text(f"polychoric.summary.{key}", language, n=self._total(array))
            for key, array in counted
            if self._total(array)
        ]
        return "\n".join(lines)

    def _square(self, values: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(values.copy(), index=list(self.items), columns=list(self.items))

    def _ragged(self, rows: tuple[Array, ...]) -> pd.DataFrame:
        longest = max(len(row) for row in rows)
        table = np.full((len(rows), longest), np.nan)
        for place, row in enumerate(rows):
            table[place, : len(row)] = row
        return pd.DataFrame(table, index=list(self.items), columns=[f"t{place}" for place in range(1, longest + 1)])

    def _threshold_names(self) -> list[tuple[str, str]]:
        pairs = zip(self.items, self.fit.thresholds, strict=True)
        return [(item, f"t{place}") for item, cuts in pairs for place in range(1, len(cuts) + 1)]

    def _cut_notes(self) -> list[str]:
        return ["polychoric.note.few_people" if np.isnan(cut) else "" for row in self.fit.thresholds for cut in row]

    def _pair_places(self) -> tuple[np.ndarray, np.ndarray]:
        first, second = np.triu_indices(len(self.items), 1)
        return first, second

    def _notes(self, first: np.ndarray, second: np.ndarray) -> list[str]:
        notes = np.full(len(first), "", dtype=object)
        flags = (
            ("filled", self.fit.adjusted),
            ("perfect", self.fit.perfect),
            ("not_converged", ~self.fit.converged),
            ("undefined", ~self.fit.defined),
        )
        for key, array in flags:
            notes[array[first, second]] = f"polychoric.note.{key}"
        return list(notes)

    @staticmethod
    def _total(square: np.ndarray) -> int:
        return int(np.triu(square, 1).sum())


def _interval(estimate: Array, error: Array, is_cut: np.ndarray, level: float) -> tuple[Array, Array]:
    """Return Wald's interval for thresholds and Fisher's for correlations."""
    quantile = float(ndtri((1.0 + level) / 2.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.where(is_cut, quantile * error, quantile * error / ((1.0 - estimate) * (1.0 + estimate)))
        centre = np.where(is_cut, estimate, np.arctanh(np.where(is_cut, 0.0, estimate)))
        ends = [np.where(is_cut, end, np.tanh(end)) for end in (centre - reach, centre + reach)]
    return ends[0], ends[1]
