"""Whether a set of items is worth factoring: the Kaiser-Meyer-Olkin measure and Bartlett's test of sphericity."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sipas_research.factors.inputs import Data, ItemMatrix, announce, correlations, load_items, require_enough
from sipas_research.factors.phrases import p_phrase
from sipas_research.numerics.adequacy import SamplingAdequacy, Sphericity, sampling_adequacy, sphericity
from sipas_research.results import TIDY_COLUMNS, DataKind
from sipas_research.wording import number, text

NAN = float("nan")
#: Kaiser & Rice's (1974) words for a measure of sampling adequacy, by their lower ends.
LEVELS = (
    (0.9, "marvelous"),
    (0.8, "meritorious"),
    (0.7, "middling"),
    (0.6, "mediocre"),
    (0.5, "miserable"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Kmo:
    """Measure of sampling adequacy of a set of items.

    Attributes
    ----------
    items : tuple of str
    adequacy : SamplingAdequacy
        ``overall``, ``items`` and ``anti_image``.
    n, n_dropped : int
        Complete rows, and rows left out.
    left_out : tuple of (str, str)
        Items left out, each with the catalogue key of its reason.
    data_kind : DataKind
    """

    items: tuple[str, ...]
    adequacy: SamplingAdequacy
    n: int
    n_dropped: int
    left_out: tuple[tuple[str, str], ...]
    data_kind: DataKind

    @property
    def overall(self) -> float:
        """The measure of all items together, 0 to 1."""
        return self.adequacy.overall

    @property
    def anti_image(self) -> pd.DataFrame:
        """Anti-image correlations (negative partial correlations given all other items), measures on the diagonal.

        The layout of SPSS: an item with a low measure on the diagonal or large values beside it fits the set badly.
        """
        values = np.array(self.adequacy.anti_image)
        np.fill_diagonal(values, self.adequacy.items)
        return pd.DataFrame(values, index=list(self.items), columns=list(self.items))

    @property
    def level(self) -> str:
        """Catalogue key of Kaiser & Rice's word for the overall measure."""
        word = next((name for lowest, name in LEVELS if self.overall >= lowest), "unacceptable")
        return f"factors.kmo_level.{word}"

    def tidy(self) -> pd.DataFrame:
        """Return one row for all items (group "overall"), then one an item (group "item")."""
        terms, values = ["overall", *self.items], [self.overall, *self.adequacy.items]
        table = pd.DataFrame({"term": terms, "group": ["overall"] + ["item"] * len(self.items), "estimate": values})
        missing = {name: NAN for name in TIDY_COLUMNS if name not in {*table.columns, "note"}}
        return table.assign(**missing, note="")[list(TIDY_COLUMNS)]

    def glance(self) -> pd.DataFrame:
        """Return one row: kmo, n, n_dropped, n_items, data_kind."""
        row = {"kmo": self.overall, **_counts(self)}
        return pd.DataFrame([row])

    def summary(self, language: str = "vi") -> str:
        """Return the measure with its word."""
        value, word = number(self.overall, 3, language), text(self.level, language)
        return text("factors.summary.kmo", language, value=value, level=word, items=len(self.items), n=self.n)


@dataclass(frozen=True, slots=True, eq=False)
class BartlettSphericity:
    """Bartlett's test that the items are uncorrelated; attributes as in :class:`Kmo`."""

    items: tuple[str, ...]
    test: Sphericity
    n: int
    n_dropped: int
    left_out: tuple[tuple[str, str], ...]
    data_kind: DataKind

    @property
    def statistic(self) -> float:
        """Chi-square."""
        return self.test.statistic

    @property
    def df(self) -> int:
        """Degrees of freedom."""
        return self.test.df

    @property
    def p_value(self) -> float:
        """Upper tail."""
        return self.test.p_value

    def tidy(self) -> pd.DataFrame:
        """Return one row: statistic and p_value, with df behind."""
        row = dict.fromkeys(TIDY_COLUMNS, NAN) | {
            "term": "sphericity",
            "group": "",
            "statistic": self.statistic,
            "p_value": self.p_value,
            "note": "",
            "df": self.df,
        }
        return pd.DataFrame([row])

    def glance(self) -> pd.DataFrame:
        """Return one row: chisq, df, pvalue, n, n_dropped, n_items, data_kind."""
        row = {"chisq": self.statistic, "df": self.df, "pvalue": self.p_value, **_counts(self)}
        return pd.DataFrame([row])

    def summary(self, language: str = "vi") -> str:
        """Return the test in one sentence."""
        return text(
            "factors.summary.sphericity",
            language,
            statistic=number(self.statistic, 1, language),
            df=self.df,
            p=p_phrase(self.p_value, language),
        )


def kmo(data: Data, items: Iterable[str] | None = None, *, data_kind: DataKind = DataKind.USER) -> Kmo:
    """Return the Kaiser-Meyer-Olkin measure of sampling adequacy, overall and by item, 0 to 1.

    Parameters
    ----------
    data : Responses or DataFrame
        One row a person; incomplete rows are left out.
    items : iterable of str, optional
        By default the items of the questionnaire's factors, or every column.
    data_kind : DataKind
        Kind of a DataFrame; Responses know their own.

    Raises
    ------
    AnalysisError
        As :func:`sipas_research.factors.inputs.item_matrix`, or if the correlation matrix is singular.

    References
    ----------
    Kaiser (1970), Psychometrika 35, 401-415. Kaiser & Rice (1974), Educ. Psychol. Meas. 34, 111-117.
    """
    matrix = _checked(data, items, data_kind)
    found = sampling_adequacy(correlations(matrix, invertible=True))
    return Kmo(matrix.items, found, matrix.n, matrix.n_dropped, matrix.left_out, matrix.data_kind)


def bartlett_sphericity(
    data: Data, items: Iterable[str] | None = None, *, data_kind: DataKind = DataKind.USER
) -> BartlettSphericity:
    """Return Bartlett's test that the correlation matrix is the identity.

    Parameters and errors as in :func:`kmo`.

    References
    ----------
    Bartlett (1951), Biometrika 38, 337-344.
    """
    matrix = _checked(data, items, data_kind)
    found = sphericity(correlations(matrix, invertible=True), matrix.n)
    return BartlettSphericity(matrix.items, found, matrix.n, matrix.n_dropped, matrix.left_out, matrix.data_kind)


def _checked(data: Data, items: Iterable[str] | None, data_kind: DataKind) -> ItemMatrix:
    matrix = load_items(data, items, data_kind)
    require_enough(matrix, data)
    announce(matrix, stacklevel=4)
    return matrix


def _counts(result: Kmo | BartlettSphericity) -> dict[str, object]:
    return {
        "n": result.n,
        "n_dropped": result.n_dropped,
        "n_items": len(result.items),
        "data_kind": result.data_kind.value,
    }
