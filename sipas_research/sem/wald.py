"""Wald tests of restrictions that a fit does not have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sipas_research.errors import AnalysisError
from sipas_research.numerics.correlation import Array
from sipas_research.numerics.disclosure import MINIMUM_CELL
from sipas_research.results import DataKind
from sipas_research.sem.fit_indices import chi_square_p
from sipas_research.sem.phrases import p_phrase
from sipas_research.sem.result import SemFit
from sipas_research.sem.row_scores import require_minimum
from sipas_research.sem.syntax import parse_constraints
from sipas_research.sem.tokens import model_error
from sipas_research.wording import number, text

#: Eigenvalues of the gaps' correlation matrix below this count as zero: a restriction repeats others.
_RANK = 1e-9
#: How far a repeated restriction may miss what the others say, in standard errors of the largest gap.
_AGREES = 1e-6


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class WaldTest:
    """A Wald test.

    Attributes
    ----------
    constraints : tuple of str
    gaps, errors : (r,) arrays
        Left minus right of each at the estimates, and its standard error.
    statistic, df, p_value : float, int, float
    robust : bool
        Whether the covariance of the estimates is a sandwich.
    data_kind : DataKind
    """

    constraints: tuple[str, ...]
    gaps: Array
    errors: Array
    statistic: float
    df: int
    p_value: float
    robust: bool
    data_kind: DataKind

    def __repr__(self) -> str:
        return self.summary("vi")

    def tidy(self) -> pd.DataFrame:
        """Return one row a restriction: constraint, estimate (left minus right), std_error, statistic (z), p_value."""
        from scipy.special import ndtr

        ratio = self.gaps / self.errors
        return pd.DataFrame(
            {
                "constraint": list(self.constraints),
                "estimate": self.gaps,
                "std_error": self.errors,
                "statistic": ratio,
                "p_value": 2.0 * ndtr(-np.abs(ratio)),
            }
        )

    def glance(self) -> pd.DataFrame:
        """Return one row: statistic, df, p_value, robust, data_kind."""
        found = {"statistic": self.statistic, "df": self.df, "p_value": self.p_value, "robust": self.robust}
        return pd.DataFrame([found | {"data_kind": self.data_kind.value}])

    def summary(self, language: str = "vi") -> str:
        """Return the test in one sentence."""
        return text(
            "sem_comparison.wald.sentence", language, constraints="; ".join(self.constraints), df=self.df,
            statistic=number(self.statistic, 2, language), p=p_phrase(self.p_value, language),
        )  # fmt: skip


def wald_test(fit: SemFit, constraints: str) -> WaldTest:
    """Test restrictions between parameters with the covariance matrix of the estimates; nothing is fitted again.

    ``g' (R V R')^-1 g`` with the gaps g, their Jacobian R and the covariance V of the fit: a sandwich under robust
    estimators (Wald 1943, Transactions of the American Mathematical Society 54, 426-482).

    Parameters
    ----------
    fit : SemFit
    constraints : str
        Equalities between labels and defined names: ``"a == b; b == c"``, ``"a*b == 0"``. One that follows from the
        others does not count.

    Returns
    -------
    WaldTest

    Raises
    ------
    ModelSyntaxError
        If the text holds anything but "==", or a label that the fit does not have.
    AnalysisError
        If the fit did not converge, a parameter is not identified or not shown (fewer than ten people stand behind
        it), a restriction already holds in the fit, or the restrictions contradict each other.
    """
    require_minimum(fit)
    restrictions = fit.restrictions
    labels = [*restrictions.labels, *(d.name for d in restrictions.definitions)]
    wanted = parse_constraints(constraints, labels)
    for constraint in wanted:
        if constraint.op != "==":
            raise model_error("sem_comparison.error.only_equal", constraints, constraint.line, constraint.column)
    if fit.withheld is not None and any(map(fit.withheld.touches, wanted)):
        raise AnalysisError("sem_ordinal.error.few_people", minimum=MINIMUM_CELL)
    gaps, slopes = restrictions.gaps(wanted, fit.theta)
    used = np.flatnonzero(np.abs(slopes).sum(axis=0))
    cov = fit.information.vcov[np.ix_(used, used)]
    if not np.isfinite(cov).all():
        raise AnalysisError("sem_comparison.error.not_identified")
    spread = slopes[:, used] @ cov @ slopes[:, used].T
    errors = np.sqrt(np.maximum(np.diag(spread), 0.0))
    size = np.sqrt(np.einsum("ij,j,ij->i", slopes[:, used], np.diag(cov), slopes[:, used]))
    for constraint, error, scale in zip(wanted, errors, size, strict=True):
        if not error > 1e-6 * scale:
            raise AnalysisError("sem_comparison.error.holds_already", constraint=constraint.text)
    statistic, df = _quadratic(gaps / errors, spread / errors / errors[:, None])
    return WaldTest(
        tuple(c.text for c in wanted), gaps, errors, statistic, df, chi_square_p(statistic, df),
        fit.options.robust, fit.data_kind,
    )  # fmt: skip


def _quadratic(gaps: Array, correlations: Array) -> tuple[float, int]:
    values, vectors = np.linalg.eigh(correlations)
    kept = values > _RANK * len(values)
    along = vectors.T @ gaps
    if (np.abs(along[~kept]) > _AGREES * max(1.0, float(np.abs(gaps).max()))).any():
        raise AnalysisError("sem_comparison.error.contradiction")
    return float((along[kept] ** 2 / values[kept]).sum()), int(kept.sum())
