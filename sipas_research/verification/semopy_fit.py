"""What a model fitted by semopy found: coefficients in lavaan's terms and measures of fit computed by this package."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

import pandas as pd

from sipas_research.results import TIDY_COLUMNS, DataKind
from sipas_research.verification.latent_model import LatentModel
from sipas_research.wording import number, p_value, text


@dataclass(frozen=True, slots=True)
class Coefficient:
    """One coefficient: "=~" loading, "~" path, "~~" variance or covariance; ``note`` is a catalogue key or ""."""

    lhs: str
    op: str
    rhs: str
    estimate: float
    std_error: float
    statistic: float
    p_value: float
    conf_low: float
    conf_high: float
    std_all: float
    note: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SemopyFit:
    """A second opinion by semopy.

    Attributes
    ----------
    model : LatentModel
    coefficients : tuple of Coefficient
        Loadings, paths, covariances, variances.
    measures : tuple of (str, float)
        Fit under lavaan's names.
    objective : float
        semopy's own discrepancy at the end; n times it is chi-square.
    converged : bool
    heywood : tuple of str
        Items or latent variables whose variance reached its bound at zero.
    n, n_dropped : int
        Complete rows, and rows left out because an answer was missing.
    level : float
        Coverage of the intervals.
    data_kind : DataKind
    """

    model: LatentModel
    coefficients: tuple[Coefficient, ...]
    measures: tuple[tuple[str, float], ...]
    objective: float
    converged: bool
    heywood: tuple[str, ...]
    n: int
    n_dropped: int
    level: float
    data_kind: DataKind

    def __repr__(self) -> str:
        return f"SemopyFit({len(self.model.items)} items, {self.n} rows, {self.data_kind.value})"

    def tidy(self) -> pd.DataFrame:
        """One row a coefficient: the common columns, then lhs, op, rhs, std_all and the kind of the data."""
        table = pd.DataFrame([astuple(c) for c in self.coefficients], columns=[f.name for f in fields(Coefficient)])
        table["term"] = table["lhs"] + " " + table["op"] + " " + table["rhs"]
        table = table.assign(group="", data_kind=self.data_kind.value)
        return table[[*TIDY_COLUMNS, "lhs", "op", "rhs", "std_all", "data_kind"]]

    def fit_measures(self) -> pd.Series:
        """Return the measures of fit under lavaan's names; NaN where one is not defined."""
        return pd.Series(dict(self.measures), dtype=float)

    def r2(self) -> pd.Series:
        """Return the share of variance explained of each item and each explained latent variable."""
        shares = {c.lhs: 1.0 - c.std_all for c in self.coefficients if c.op == "~~" and c.lhs == c.rhs}
        wanted = (*self.model.items, *self.model.explained)
        return pd.Series({name: shares[name] for name in wanted}, dtype=float)

    def glance(self) -> pd.DataFrame:
        """Return one row: the measures of fit, rows used and left out, convergence, data_kind."""
        rest = {
            "n": self.n,
            "n_dropped": self.n_dropped,
            "converged": self.converged,
            "n_heywood": len(self.heywood),
            "software": "semopy",
            "data_kind": self.data_kind.value,
        }
        return pd.DataFrame([dict(self.measures) | rest])

    def summary(self, language: str = "vi") -> str:
        """Return the fit in two lines, then what must be said about the solution."""
        found = dict(self.measures)
        lines = [
            text("models.summary.semopy", language, items=len(self.model.items), n=self.n, dropped=self.n_dropped),
            text(
                "models.summary.fit",
                language,
                chi_square=number(found["chisq"], 2, language),
                df=int(found["df"]),
                p=p_value(found["pvalue"], language),
                cfi=number(found["cfi"], 3, language),
                tli=number(found["tli"], 3, language),
                rmsea=number(found["rmsea"], 3, language),
                srmr=number(found["srmr"], 3, language),
            ),
        ]
        if not self.converged:
            lines.append(text("models.note.not_converged", language))
        if self.heywood:
            lines.append(text("models.warning.heywood", language, names=", ".join(self.heywood)))
        return "\n".join(lines)
