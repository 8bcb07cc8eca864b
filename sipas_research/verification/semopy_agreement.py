"""What came out when semopy estimated the same model: coefficient by coefficient, and what explains a difference."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from sipas_research.results import TIDY_COLUMNS, DataKind
from sipas_research.wording import number, text

#: A coefficient agrees when both values are closer than this share of our standard error. A twentieth changes no
#: printed test; semopy's search ends one hundredth to one thousandth of a standard error from the minimum.
AGREES = 0.05
#: Chi-squares agree when they differ by less than this: nothing at the two decimals that tables print.
CHI_SQUARE_AGREES = 0.01


@dataclass(frozen=True, slots=True)
class ComparedCoefficient:
    """One free parameter in both packages.

    ``difference`` is semopy's value less ours, in our standard errors; NaN where we have no standard error.
    """

    lhs: str
    op: str
    rhs: str
    ours: float
    theirs: float
    std_error: float
    their_std_error: float
    difference: float

    @property
    def agrees(self) -> bool:
        """Whether both values are closer than ``AGREES`` standard errors."""
        return bool(abs(self.difference) < AGREES)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SemopyAgreement:
    """Agreement of a fit with semopy's fit of the same model to the same rows.

    Attributes
    ----------
    rows : tuple of ComparedCoefficient
        Free parameters in the order of the model; empty where nothing was compared.
    chi_square, their_chi_square : float
        Ours, and that of semopy's coefficients computed by this package.
    df : int
    step_left : float
        How far semopy's coefficients are from the minimum in standard errors: sqrt(n/2 g' H^-1 g) at them. No
        coefficient can be further from the minimum than this, to the first order.
    finished : bool
        Whether semopy said that its search ended well.
    at_bound : tuple of str
        Variables whose variance is negative here and at semopy's bound of zero there.
    n, items : int
        Rows and observed variables.
    reason : str
        Catalogue key of why nothing was compared, or "".
    reason_fields : tuple of (str, object)
    data_kind : DataKind
    """

    rows: tuple[ComparedCoefficient, ...]
    chi_square: float
    their_chi_square: float
    df: int
    step_left: float
    finished: bool
    at_bound: tuple[str, ...]
    n: int
    items: int
    reason: str
    reason_fields: tuple[tuple[str, object], ...]
    data_kind: DataKind

    def __repr__(self) -> str:
        return f"SemopyAgreement({self.agreed} of {len(self.rows)} coefficients, {self.data_kind.value})"

    @property
    def compared(self) -> bool:
        """Whether semopy estimated the model."""
        return not self.reason

    @property
    def agreed(self) -> int:
        """Number of coefficients that agree."""
        return sum(row.agrees for row in self.rows)

    @property
    def excess(self) -> float:
        """By how much chi-square of semopy's coefficients is above ours; never below zero if ours is the minimum."""
        return self.their_chi_square - self.chi_square

    @property
    def largest(self) -> float:
        """Largest difference in standard errors; NaN where nothing was compared."""
        found = [abs(row.difference) for row in self.rows if np.isfinite(row.difference)]
        return max(found, default=float("nan"))

    @property
    def agrees(self) -> bool:
        """Whether every coefficient and chi-square agree; False where nothing was compared."""
        return self.compared and self.verdict == "agrees"

    @property
    def verdict(self) -> str:
        """Return "agrees", "at_bound", "stopped_early", "lower_there", "differs", or "" where nothing was compared.

        "stopped_early": our chi-square is the lower one, and semopy's coefficients are away from the minimum by as much
        as the largest difference or more. "lower_there": semopy's is the lower one, so ours was no minimum.
        """
        if not self.compared:
            return ""
        if self.excess < -CHI_SQUARE_AGREES:
            return "lower_there"
        if self.agreed == len(self.rows) and self.excess < CHI_SQUARE_AGREES:
            return "agrees"
        if self.at_bound:
            return "at_bound"
        # both measures of distance are exact only close to the minimum
        reach = max(self.step_left, float(np.sqrt(max(self.excess, 0.0))))
        return "stopped_early" if self.largest <= 1.1 * reach else "differs"

    def tidy(self) -> pd.DataFrame:
        """Return one row a coefficient: the common columns (estimate is ours), then lhs op rhs, theirs, difference."""
        names = [field.name for field in fields(ComparedCoefficient)]
        table = pd.DataFrame([astuple(row) for row in self.rows], columns=names)
        table = table.assign(
            term=table["lhs"] + " " + table["op"] + " " + table["rhs"],
            group="",
            estimate=table["ours"].astype(float),
            note="",
            agrees=[row.agrees for row in self.rows],
            data_kind=self.data_kind.value,
        )
        missing = {name: np.nan for name in TIDY_COLUMNS if name not in table.columns}
        last = ["lhs", "op", "rhs", "theirs", "their_std_error", "difference", "agrees", "data_kind"]
        return table.assign(**missing)[[*TIDY_COLUMNS, *last]]

    def glance(self) -> pd.DataFrame:
        """Return one row: coefficients compared and agreeing, both chi-squares, the largest difference, verdict."""
        row: dict[str, Any] = {
            "compared": len(self.rows),
            "agreed": self.agreed,
            "largest_difference": self.largest,
            "chisq": self.chi_square,
            "chisq_semopy": self.their_chi_square,
            "df": self.df,
            "step_left": self.step_left,
            "finished": self.finished,
            "verdict": self.verdict,
            "reason": self.reason,
            "n": self.n,
            "software": "semopy",
            "data_kind": self.data_kind.value,
        }
        return pd.DataFrame([row])

    def summary(self, language: str = "vi") -> str:
        """Return the agreement in two sentences, or why nothing was compared."""
        if not self.compared:
            return text(self.reason, language, **dict(self.reason_fields))
        head = text(
            "semopy.summary.head",
            language,
            agreed=self.agreed,
            all=len(self.rows),
            limit=number(AGREES, 2, language),
            largest=number(self.largest, 4, language),
            ours=number(self.chi_square, 4, language),
            theirs=number(self.their_chi_square, 4, language),
        )
        return f"{head} {self.explanation(language)}"

    def explanation(self, language: str) -> str:
        """Return what explains the differences, in a sentence; "" where nothing was compared."""
        if not self.compared:
            return ""
        return text(
            f"semopy.verdict.{self.verdict}",
            language,
            excess=number(abs(self.excess), 4, language),
            step=number(self.step_left, 4, language),
            largest=number(self.largest, 4, language),
            names=", ".join(self.at_bound),
        )
