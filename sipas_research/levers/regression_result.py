"""What a regression found: coefficients, the whole model, and the ordered logit beside it."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

import pandas as pd

from sipas_research.results import TIDY_COLUMNS, DataKind
from sipas_research.wording import number, p_value, text

#: Name of the constant in every table of coefficients.
INTERCEPT = "intercept"


@dataclass(frozen=True, slots=True)
class Term:
    """One coefficient: B with its robust standard error, Beta, VIF, and the standard error that SPSS prints."""

    term: str
    estimate: float
    std_error: float
    statistic: float
    p_value: float
    conf_low: float
    conf_high: float
    beta: float
    vif: float
    std_error_classical: float
    note: str


@dataclass(frozen=True, slots=True)
class WholeModel:
    """The model as a whole.

    ``f_statistic`` is the classical one that theses print; ``wald`` tests the same with the robust covariance on
    (df1, wald_df2). ``durbin_watson`` depends on the order of the rows and means nothing in a cross-section.
    ``covariance`` is "cluster" or "HC3"; ``clusters`` is 0 under HC3.
    """

    r2: float
    r2_adjusted: float
    f_statistic: float
    df1: int
    df2: int
    f_p_value: float
    wald: float
    wald_df2: float
    wald_p_value: float
    durbin_watson: float
    residual_sd: float
    covariance: str
    clusters: int


@dataclass(frozen=True, slots=True)
class OrderedTerm:
    """One coefficient of the ordered logit, on the scale of log odds."""

    term: str
    estimate: float
    std_error: float
    statistic: float
    p_value: float
    conf_low: float
    conf_high: float


@dataclass(frozen=True, slots=True)
class OrderedLogit:
    """Proportional-odds model of one item; ``answers`` are the codes merged into each ordered category."""

    item: str
    answers: tuple[tuple[int, ...], ...]
    terms: tuple[OrderedTerm, ...]
    log_likelihood: float
    pseudo_r2: float
    n: int

    def tidy(self) -> pd.DataFrame:
        """One row a predictor."""
        return pd.DataFrame([astuple(t) for t in self.terms], columns=[f.name for f in fields(OrderedTerm)])


@dataclass(frozen=True, slots=True, eq=False)
class Regression:
    """A regression of satisfaction.

    Attributes
    ----------
    outcome : str
    terms : tuple of Term
        The constant first.
    whole : WholeModel
    logit : OrderedLogit or None
    logit_note : str
        Catalogue key of the reason where there is no ordered logit.
    notes : tuple of str
        Catalogue keys; "constant:name" for a predictor that was left out.
    n, n_dropped : int
        Complete rows, and rows left out because a score was missing.
    level : float
    cluster, weights : str
        Columns asked for, "" for none.
    standardized : bool
    data_kind : DataKind
    """

    outcome: str
    terms: tuple[Term, ...]
    whole: WholeModel
    logit: OrderedLogit | None
    logit_note: str
    notes: tuple[str, ...]
    n: int
    n_dropped: int
    level: float
    cluster: str
    weights: str
    standardized: bool
    data_kind: DataKind

    @property
    def predictors(self) -> tuple[str, ...]:
        """Predictors in the model."""
        return tuple(t.term for t in self.terms if t.term != INTERCEPT)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Predictors left out because they do not vary."""
        return tuple(note.split(":", 1)[1] for note in self.notes if note.startswith("constant:"))

    def tidy(self) -> pd.DataFrame:
        """One row a coefficient; ``group`` is "ols" or "ordered_logit"; Beta, VIF and the kind of the data follow."""
        least = pd.DataFrame([astuple(t) for t in self.terms], columns=[f.name for f in fields(Term)])
        parts = [least.assign(group="ols")]
        if self.logit is not None:
            empty = dict.fromkeys(("beta", "vif", "std_error_classical"), float("nan"))
            parts.append(self.logit.tidy().assign(group="ordered_logit", note="", **empty))
        table = pd.concat(parts, ignore_index=True).assign(data_kind=self.data_kind.value)
        return table[[*TIDY_COLUMNS, "beta", "vif", "std_error_classical", "data_kind"]]

    def glance(self) -> pd.DataFrame:
        """Return one row about the whole model."""
        row = {f.name: getattr(self.whole, f.name) for f in fields(WholeModel)}
        rest = {"n": self.n, "n_dropped": self.n_dropped, "data_kind": self.data_kind.value}
        return pd.DataFrame([{"outcome": self.outcome, **row, **rest}])

    def summary(self, language: str = "vi") -> str:
        """Return rows, R2 and F, then one line a coefficient."""
        whole = self.whole
        lines = [
            text(
                "models.summary.regression",
                language,
                outcome=self.outcome,
                n=self.n,
                dropped=self.n_dropped,
                r2=number(whole.r2, 3, language),
                adjusted=number(whole.r2_adjusted, 3, language),
            )
        ]
        lines += [
            text(
                "models.summary.term",
                language,
                term=t.term,
                estimate=number(t.estimate, 3, language),
                low=number(t.conf_low, 3, language),
                high=number(t.conf_high, 3, language),
                p=p_value(t.p_value, language),
            )
            for t in self.terms
            if t.term != INTERCEPT
        ]
        lines += [text(note, language) for note in self.notes if ":" not in note]
        if self.logit_note:
            lines.append(text(self.logit_note, language))
        return "\n".join(lines)
