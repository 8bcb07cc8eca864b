"""Common-method bias: Harman's single factor, a local habit that cannot clear a study of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from sipas_research.factors.inputs import Data, announce, correlations, load_items, require_enough
from sipas_research.numerics.correlation import eigenvalues
from sipas_research.numerics.extraction import extract
from sipas_research.results import TIDY_COLUMNS, DataKind
from sipas_research.wording import percent, text

NAN = float("nan")
#: The habit takes a first factor below half of the variance for a good sign (Podsakoff & Organ 1986 gave no number).
HABITUAL_BAR = 0.5


@dataclass(frozen=True, slots=True)
class Harman:
    """Harman's single factor.

    Attributes
    ----------
    component, factor : float
        Share of the total variance, 0-1: of the first unrotated principal component (as SPSS users take it), and of
        a single common factor by minimum residuals.
    heywood : bool
        True where the single factor ended at its bound.
    n_items, n, n_dropped : int
    data_kind : DataKind
    """

    component: float
    factor: float
    heywood: bool
    n_items: int
    n: int
    n_dropped: int
    data_kind: DataKind

    @property
    def above(self) -> bool:
        """True where the first component carries half of the variance or more."""
        return self.component >= HABITUAL_BAR

    def tidy(self) -> pd.DataFrame:
        """Two rows: "component" and "factor", each with its share of the variance."""
        rows = []
        for term, share in (("component", self.component), ("factor", self.factor)):
            note = "factors.note.heywood" if self.heywood and term == "factor" else "method_bias.note.no_clearance"
            rows.append(dict.fromkeys(TIDY_COLUMNS, NAN) | {"term": term, "group": "", "estimate": share, "note": note})
        return pd.DataFrame(rows)

    def glance(self) -> pd.DataFrame:
        """Return one row: both shares, items, n, data_kind."""
        row = {
            "component": self.component,
            "factor": self.factor,
            "bar": HABITUAL_BAR,
            "n_items": self.n_items,
            "n": self.n,
            "n_dropped": self.n_dropped,
            "data_kind": self.data_kind.value,
        }
        return pd.DataFrame([row])

    def summary(self, language: str = "vi") -> str:
        """Return the shares, and that they prove nothing."""
        first = text(
            f"method_bias.summary.{'above' if self.above else 'below'}",
            language,
            component=percent(self.component, language, 1),
            factor=percent(self.factor, language, 1),
            bar=percent(HABITUAL_BAR, language, 0),
            items=self.n_items,
            n=self.n,
        )
        return f"{first} {text('method_bias.note.no_clearance', language)}"


def harman(data: Data, items: Iterable[str] | None = None, *, data_kind: DataKind = DataKind.USER) -> Harman:
    """Return Harman's single factor: the share of variance of one unrotated component, and of one common factor.

    A share below one half does not show that answers are free of common-method bias: the test is insensitive, and
    with several true factors the share is small however large the bias (Podsakoff et al. 2003, 2012). A share above
    it does not show bias either: one true factor gives it too.

    Parameters
    ----------
    data : Responses or DataFrame
        One row a person; incomplete rows are left out.
    items : iterable of str, optional
        By default the items of the questionnaire's factors, or every column. The habit takes all items of all
        constructs, causes and effects alike.
    data_kind : DataKind
        Kind of a DataFrame; Responses know their own.

    Returns
    -------
    Harman

    Raises
    ------
    AnalysisError
        If the data do not allow it, as in :func:`sipas_research.factors.inputs.item_matrix`.

    Warns
    -----
    DroppedItemWarning, DroppedRowsWarning

    References
    ----------
    Harman (1976). Podsakoff & Organ (1986), J. Management 12, 531-544. Podsakoff, MacKenzie, Lee & Podsakoff (2003),
    J. Appl. Psychol. 88, 879-903.
    """
    matrix = load_items(data, items, data_kind)
    require_enough(matrix, data)
    announce(matrix, stacklevel=3)
    found = correlations(matrix, invertible=False)
    single = extract(found, 1, "minres")
    size = len(matrix.items)
    return Harman(
        component=float(eigenvalues(found)[0]) / size,
        factor=float((single.loadings**2).sum()) / size,
        heywood=bool(single.at_bound.any()),
        n_items=size,
        n=matrix.n,
        n_dropped=matrix.n_dropped,
        data_kind=matrix.data_kind,
    )
