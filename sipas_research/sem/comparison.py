"""``sr.compare``: models of the same data side by side, each tested against the next freer one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from sipas_research.errors import AnalysisError, HonestyError, OptionError
from sipas_research.results import DataKind, weakest
from sipas_research.sem.clusters import same_design
from sipas_research.sem.difference import METHODS, PLAIN, Difference, difference, methods_of
from sipas_research.sem.phrases import p_phrase
from sipas_research.sem.result import SemFit
from sipas_research.sem.row_scores import require_minimum
from sipas_research.wording import integer, number, text

NAN = float("nan")
#: How far two covariance matrices of the same data may differ, as a share of the variances.
_SAME = 1e-8


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model of a comparison; the differences are to the row above: this model less the freer one.

    Attributes
    ----------
    model : str
    npar, df : int
    aic, bic : float
        NaN without a likelihood.
    chisq, chisq_scaled : float
        Plain, and scaled (NaN without a robust estimator).
    cfi, rmsea, srmr : float
        Robust CFI and RMSEA where the estimator is robust.
    chisq_diff, df_diff, p_value : float
        The test; NaN where there is none.
    scaling : float
        What stands for one degree of freedom in the plain difference.
    method : str
    delta_cfi, delta_rmsea, delta_srmr : float
    rmsea_diff : float
        RMSEA of the added restrictions alone.
    note : str
    """

    model: str
    npar: int
    df: int
    aic: float
    bic: float
    chisq: float
    chisq_scaled: float
    cfi: float
    rmsea: float
    srmr: float
    chisq_diff: float
    df_diff: float
    p_value: float
    scaling: float
    method: str
    delta_cfi: float
    delta_rmsea: float
    delta_srmr: float
    rmsea_diff: float
    note: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ModelComparison:
    """Models in order of their degrees of freedom, the freest first.

    Attributes
    ----------
    rows : tuple of ModelRow
    fits : tuple of SemFit
        In the order of the rows.
    indices : {"robust", "scaled", "plain"}
        Which CFI and RMSEA are compared.
    data_kind : DataKind
    """

    rows: tuple[ModelRow, ...]
    fits: tuple[SemFit, ...]
    indices: str
    data_kind: DataKind

    def __repr__(self) -> str:
        return self.summary("vi")

    def tidy(self) -> pd.DataFrame:
        """Return one row a model; see :class:`ModelRow`."""
        return pd.DataFrame([asdict(row) for row in self.rows])

    def glance(self) -> pd.DataFrame:
        """Return one row: models, n, groups, estimator, indices, smallest p_value, data_kind."""
        tails = [row.p_value for row in self.rows if np.isfinite(row.p_value)]
        first = self.fits[0]
        found = {
            "models": len(self.rows),
            "n": first.n,
            "groups": len(first.groups),
            "estimator": first.options.estimator,
            "indices": self.indices,
            "p_value": min(tails, default=NAN),
            "data_kind": self.data_kind.value,
        }
        return pd.DataFrame([found])

    def summary(self, language: str = "vi") -> str:
        """Return the models, and a sentence for each test."""
        first = self.fits[0]
        lines = [
            text(
                "sem_comparison.compare.head", language, models=len(self.rows), n=first.n,
                estimator=first.options.estimator, indices=text(f"sem_comparison.indices.{self.indices}", language),
            )
        ]  # fmt: skip
        lines += [_model_line(row, language) for row in self.rows]
        for free, row in pairwise(self.rows):
            lines.append(difference_sentence(free.model, row, language))
        lines.append(text("sem_comparison.compare.reading", language))
        return "\n".join(lines)


def _model_line(row: ModelRow, language: str) -> str:
    return "  " + text(
        "sem_comparison.compare.model", language, model=row.model, npar=row.npar, df=row.df,
        chisq=number(row.chisq, 2, language), cfi=number(row.cfi, 3, language), rmsea=number(row.rmsea, 3, language),
        srmr=number(row.srmr, 3, language), aic=number(row.aic, 1, language), bic=number(row.bic, 1, language),
    )  # fmt: skip


def difference_sentence(free: str, row: ModelRow, language: str, *, name: str = "") -> str:
    """Return what the test of a row against the freer model says, with its notes; ``name`` in place of the row's."""
    notes = [text(f"sem_comparison.note.{code}", language) for code in row.note.split("; ") if code]
    if row.method:
        sentence = text(
            "sem_comparison.compare.test", language, model=name or row.model, free=free,
            method=text(f"sem_comparison.method.{row.method}", language), chisq=number(row.chisq_diff, 2, language),
            df=integer(int(row.df_diff), language), p=p_phrase(row.p_value, language),
            cfi=number(row.delta_cfi, 3, language), rmsea=number(row.delta_rmsea, 3, language),
            srmr=number(row.delta_srmr, 3, language),
        )  # fmt: skip
    else:
        sentence = text("sem_comparison.compare.no_test", language, model=name or row.model, free=free)
    return " ".join([sentence, *notes])


def compare(
    fit_a: SemFit, fit_b: SemFit, *more: SemFit, method: str | None = None, names: Sequence[str] = ()
) -> ModelComparison:
    """Compare nested models of the same data: likelihood-ratio tests and changes of fit indices.

    Models are ordered by degrees of freedom; each is tested against the one before it. Estimators ML and GLS: the
    difference of the chi-squares. MLM, MLR: scaled after Satorra & Bentler (2001); a negative factor leads on to
    their test of 2010, then to Satorra (2000), and the note says so. Whether models are nested is checked
    (:func:`.nesting.nesting`); where they are not there is no test.

    Parameters
    ----------
    fit_a, fit_b, *more : SemFit
    method : {"satorra_bentler_2001", "satorra_bentler_2010", "satorra_2000"}, optional
        Scaling of the difference, for robust estimators only.
    names : sequence of str
        Names of the models, in the order given; "1", "2", ... by default.

    Returns
    -------
    ModelComparison

    Raises
    ------
    AnalysisError
        If the fits rest on different data, variables, groups, estimators or mean structures, did not converge, or
        were estimated by ULS.
    HonestyError
        If simulated data would stand beside others.
    OptionError
        If ``method`` or ``names`` do not fit.
    """
    fits = (fit_a, fit_b, *more)
    labels = _labels(fits, names)
    _require_method(fits[0], method)
    _require_comparable(fits)
    order = sorted(range(len(fits)), key=lambda k: fits[k].tests.model.df)
    ordered = tuple(fits[k] for k in order)
    steps: list[Difference | None] = [None]
    steps += [difference(free, restricted, method) for free, restricted in pairwise(ordered)]
    rows: list[ModelRow] = []
    indices = indices_of(ordered)
    for k, fit, step in zip(order, ordered, steps, strict=True):
        rows.append(model_row(labels[k], fit, rows[-1] if rows else None, step, indices))
    return ModelComparison(tuple(rows), ordered, indices, weakest(fit.data_kind for fit in fits))


def indices_of(fits: Sequence[SemFit]) -> str:
    """Return which CFI and RMSEA are set against each other: "robust" where all have them, "scaled" or "plain"."""
    if fits[0].options.robust or all(np.isfinite(fit.measures.get("cfi_robust", NAN)) for fit in fits):
        return "robust"
    return "scaled" if "cfi_scaled" in fits[0].measures else "plain"


def model_row(name: str, fit: SemFit, above: ModelRow | None, step: Difference | None, indices: str) -> ModelRow:
    """Return one row of a comparison; ``indices`` as :func:`indices_of` gives them."""
    found = fit.measures
    suffix = "" if indices == "plain" else f"_{indices}"
    cfi, rmsea, srmr = found[f"cfi{suffix}"], found[f"rmsea{suffix}"], found["srmr"]
    tested = step is not None and bool(step.method)
    return ModelRow(
        name, fit.parameters, fit.tests.model.df, found["aic"], found["bic"], found["chisq"],
        found.get("chisq_scaled", NAN), cfi, rmsea, srmr,
        step.statistic if step is not None and tested else step.plain if step is not None else NAN,
        step.df if step is not None else NAN,
        step.p_value if step is not None else NAN,
        step.scaling if step is not None else NAN,
        step.method if step is not None else "",
        cfi - above.cfi if above else NAN, rmsea - above.rmsea if above else NAN, srmr - above.srmr if above else NAN,
        step.rmsea if step is not None else NAN,
        "; ".join(step.notes) if step is not None else "",
    )  # fmt: skip


def _labels(fits: Sequence[object], names: Sequence[str]) -> tuple[str, ...]:
    for fit in fits:
        if not isinstance(fit, SemFit):
            raise OptionError("sem_comparison.error.not_fit", received=type(fit).__name__)
    given = (names,) if isinstance(names, str) else tuple(names)
    if not given:
        return tuple(str(k + 1) for k in range(len(fits)))
    if len(given) != len(fits) or len(set(given)) != len(given) or not all(isinstance(n, str) and n for n in given):
        raise OptionError("sem_comparison.error.names", models=len(fits))
    return given


def _require_method(fit: SemFit, method: str | None) -> None:
    if method is None:
        return
    if method not in METHODS:
        raise OptionError("sem_comparison.error.method", received=repr(method), allowed=", ".join(METHODS))
    allowed = methods_of(fit)
    if allowed and method not in allowed:
        raise OptionError("sem_comparison.error.method", received=repr(method), allowed=", ".join(allowed))
    if not allowed:
        raise OptionError("sem_comparison.error.method_plain", estimator=fit.options.estimator, method=PLAIN)


def _require_comparable(fits: Sequence[SemFit]) -> None:
    """Stop where a difference of chi-squares would compare unlike with unlike."""
    first = fits[0]
    if len({fit.data_kind.is_simulated for fit in fits}) > 1:
        raise HonestyError("sem_comparison.error.simulated")
    for fit in fits:
        require_minimum(fit)
        if fit.information.unidentified:
            raise AnalysisError("sem_comparison.error.unidentified")
        if fit.options.estimator != first.options.estimator:
            pair = f"{first.options.estimator}, {fit.options.estimator}"
            raise AnalysisError("sem_comparison.error.estimators", estimators=pair)
        if fit.options.meanstructure != first.options.meanstructure:
            raise AnalysisError("sem_comparison.error.means")
        differ = sorted(set(fit.table.observed) ^ set(first.table.observed))
        if differ:
            raise AnalysisError("sem_comparison.error.variables", names=", ".join(differ))
        if set(fit.table.predictors) != set(first.table.predictors):
            raise AnalysisError("sem_comparison.error.predictors")
        if set(fit.table.groups) != set(first.table.groups):
            raise AnalysisError("sem_comparison.error.groups")
        if not _same_data(first, fit):
            raise AnalysisError("sem_comparison.error.data")
        if not _same_design(first, fit):
            raise AnalysisError("sem_design.error.designs")
    if first.options.estimator in ("ULS", "DWLS"):
        raise AnalysisError("sem_comparison.error.uls")


def _same_design(one: SemFit, other: SemFit) -> bool:
    theirs = {group.label: group for group in other.samples}
    return all(same_design(group, theirs[group.label]) for group in one.samples)


def _same_data(one: SemFit, other: SemFit) -> bool:
    """Return whether two fits have the same rows: as many, with the same covariances and means."""
    theirs = {group.label: group for group in other.samples}
    for group in one.samples:
        match = theirs[group.label].take(group.names)
        scale = np.sqrt(np.diag(group.cov))
        if match.n != group.n or np.abs((match.cov - group.cov) / np.outer(scale, scale)).max() > _SAME:
            return False
        if group.mean is None or match.mean is None:
            continue
        if np.abs((match.mean - group.mean) / scale).max() > _SAME:
            return False
    return True
