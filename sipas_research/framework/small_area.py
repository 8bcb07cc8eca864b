"""Model estimates of agencies beside the direct ones: the Fay-Herriot model. They decide neither rank nor class.

See :mod:`sipas_research.numerics.small_area` for the model, its estimation and its errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from statistics import NormalDist
from typing import Literal, get_args

import numpy as np
import pandas as pd

from sipas_research import wording
from sipas_research.errors import AnalysisError, OptionError
from sipas_research.framework.families import checked_seed, reordered
from sipas_research.framework.group_estimates import GroupEstimates
from sipas_research.framework.index import SatisfactionIndex
from sipas_research.numerics import small_area as model
from sipas_research.results import DataKind

Variances = Literal["smoothed", "direct"]
_NAN = float("nan")
_FEWEST_DRAWS = 1_000
#: A correlation of sampling errors that is spoken of.
_SHARED = 0.01


@dataclass(frozen=True, slots=True)
class SmallAreaRow:
    """One agency: the direct estimate with its standard error, and what the model makes of it (0-1).

    ``sampling_error`` is the standard error that the model takes as known, ``weight`` the weight of the direct
    estimate, ``synthetic`` what the regression alone says, ``rmse`` the root of the mean squared error of
    ``estimate``. ``p_top``: probability under the model that the agency is among the first k of its family. NaN where
    the agency is not in the model; ``note`` is the catalogue key of the reason.
    """

    group: str
    family: str
    direct: float
    direct_error: float
    sampling_error: float
    estimate: float
    rmse: float
    conf_low: float
    conf_high: float
    weight: float
    synthetic: float
    p_top: float
    note: str


@dataclass(frozen=True, slots=True, eq=False)
class SmallAreaEstimates:
    """A fitted model; ``rows`` in the order of the index.

    ``variance`` is that between agencies, ``method`` "reml" or "adjusted". ``coefficients`` belong to ``terms``:
    "constant", the families but the first, the explanatory variables. ``correlation`` is the largest correlation of
    two agencies' sampling errors, which the model ignores.
    """

    rows: tuple[SmallAreaRow, ...]
    variance: float
    method: str
    terms: tuple[str, ...]
    coefficients: tuple[float, ...]
    coefficient_errors: tuple[float, ...]
    variances: str
    correlation: float
    top: int
    level: float
    draws: int
    seed: int
    weighting: str
    data_kind: DataKind
    source: str

    @property
    def n_agencies(self) -> int:
        """Agencies in the model."""
        return sum(not row.note for row in self.rows)

    def tidy(self) -> pd.DataFrame:
        """One row an agency, in the order of the index."""
        return pd.DataFrame([astuple(r) for r in self.rows], columns=[f.name for f in fields(SmallAreaRow)])

    def regression(self) -> pd.DataFrame:
        """One row a coefficient of the regression between agencies."""
        columns = {"term": self.terms, "estimate": self.coefficients, "std_error": self.coefficient_errors}
        return pd.DataFrame(columns)

    def glance(self) -> pd.DataFrame:
        """One row: sizes, variance between agencies, how it was estimated, kind of the data."""
        row = {"n": self.n_agencies, "variance": self.variance, "method": self.method, "variances": self.variances}
        asked = {"top": self.top, "level": self.level, "draws": self.draws, "seed": self.seed}
        return pd.DataFrame([row | asked | {"data_kind": self.data_kind.value, "source": self.source}])

    def summary(self, language: str = "vi") -> str:
        """Return size, variance and method, what the model assumes, and that it decides nothing."""
        method = wording.text(f"ranks.model.method_{self.method}", language)
        variance = wording.number(self.variance, 6, language)
        lines = [wording.text("ranks.model.head", language, n=self.n_agencies, variance=variance, method=method)]
        lines += [wording.text(f"ranks.model.{name}", language) for name in ("never_decides", "assumption")]
        lines += [sentence for sentence in (self.shared_errors(language),) if sentence]
        return "\n".join([*lines, wording.text(f"common.kind.{self.data_kind.value}", language)])

    def shared_errors(self, language: str) -> str:
        """Return the sentence on correlated sampling errors, "" where they hardly are."""
        if self.correlation < _SHARED:
            return ""
        shown = wording.number(self.correlation, 2, language)
        return wording.text("ranks.model.shared_errors", language, correlation=shown)


def fay_herriot(
    index: SatisfactionIndex,
    covariates: pd.DataFrame | None = None,
    *,
    variances: Variances = "smoothed",
    top: int = 3,
    level: float = 0.95,
    draws: int = 10_000,
    seed: int = 1,
) -> SmallAreaEstimates:
    """Fit the Fay-Herriot model to the agencies of an index: a constant, one shift a further family, covariates.

    REML; the adjusted likelihood of Li and Lahiri (2010) where REML gives 0. Errors are those of Datta and Lahiri
    (2000). The probability of being among the first k of a family comes from the hierarchical model with flat priors
    and is a probability under that model. Agencies whose figures must not be printed are left out: they could be
    worked out from the others.

    Parameters
    ----------
    index : SatisfactionIndex
        By agency; families may be mixed, since the model borrows strength and ranks nothing.
    covariates : DataFrame, optional
        One row an agency (index: agency codes), numeric columns known without sampling error.
    variances : {"smoothed", "direct"}
        Sampling variances: smoothed by a generalised variance function in the number of sampled units (people, or
        clusters where clusters were drawn), or as estimated.
    top : int
        k of the probabilities; they are missing in families with k agencies or fewer.
    level : float
        Confidence level, strictly between 0 and 1.
    draws : int
        At least 1,000.
    seed : int

    Raises
    ------
    OptionError
        If an option is outside its range, or the covariates do not fit the agencies.
    AnalysisError
        If the agencies are fewer than three more than the coefficients.
    """
    _check(index, variances, top, level, draws)
    groups = _ordered(index.published)
    errors = np.sqrt(np.clip(np.diag(groups.covariance), 0.0, None))
    usable = (
        (groups.estimates > 0.0)
        & (groups.estimates < 1.0)
        & np.isfinite(errors)
        & (errors > 0.0)
        & (groups.degrees_of_freedom >= 1)
    )
    used = groups.only(usable)
    terms, design = _design(used, covariates)
    if len(used.labels) < len(terms) + 3:
        raise AnalysisError("ranks.error.few_areas", least=len(terms) + 3, n=len(used.labels))
    known = errors[usable] ** 2
    known = (
        model.smoothed_variances(known, used.degrees_of_freedom + 1.0, used.estimates)
        if variances == "smoothed"
        else known
    )
    try:
        fit = model.fay_herriot(used.estimates, known, design)
        generator = np.random.default_rng(checked_seed(seed))
        values = model.posterior_draws(used.estimates, known, design, generator=generator, draws=draws)
    except (ValueError, np.linalg.LinAlgError) as reason:
        raise OptionError("ranks.error.covariates", known=", ".join(used.labels)) from reason
    build = _RowBuilder(groups, errors, used.labels, known, fit, _top(values, used, top), level)
    hidden = dict(zip(index.estimation.labels, index.estimation.families, strict=True))
    return SmallAreaEstimates(
        rows=tuple(build.row(label, hidden[label]) for label in index.groups if label in hidden),
        variance=fit.variance,
        method=fit.method,
        terms=terms,
        coefficients=tuple(float(v) for v in fit.coefficients),
        coefficient_errors=tuple(float(v) for v in np.sqrt(np.diag(fit.coefficient_covariance))),
        variances=variances,
        correlation=_largest_correlation(used),
        top=top,
        level=level,
        draws=draws,
        seed=seed,
        weighting=index.weighting,
        data_kind=index.data_kind,
        source=index.source,
    )


def _check(index: SatisfactionIndex, variances: str, top: int, level: float, draws: int) -> None:
    if index.by != "agency":
        raise OptionError("ranks.error.not_agencies", by=index.by or "–")
    if variances not in get_args(Variances):
        raise OptionError("ranks.error.variances", value=str(variances), allowed=", ".join(get_args(Variances)))
    if not 0.0 < level < 1.0:
        raise OptionError("index.error.level", value=str(level))
    whole = [isinstance(v, int | np.integer) and not isinstance(v, bool) for v in (top, draws)]
    if not whole[0] or top < 1:
        raise OptionError("ranks.error.top", value=str(top), most=max(1, len(index.groups) - 1))
    if not whole[1] or draws < _FEWEST_DRAWS:
        raise OptionError("ranks.error.draws", value=str(draws), least=_FEWEST_DRAWS)


def _ordered(groups: GroupEstimates) -> GroupEstimates:
    return reordered(groups, sorted(range(len(groups.labels)), key=lambda place: groups.labels[place]))


def _design(used: GroupEstimates, covariates: pd.DataFrame | None) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the terms and the design of the regression between agencies."""
    families = tuple(dict.fromkeys(used.families))
    columns = [np.ones(len(used.labels))]
    columns += [np.array([f == name for f in used.families], dtype=float) for name in families[1:]]
    terms: Sequence[str] = ("constant", *families[1:])
    if covariates is not None:
        labels = list(used.labels)
        table = covariates.set_axis([str(label) for label in covariates.index])
        fits = table.index.is_unique and set(labels) <= set(table.index)
        numbers = table.loc[labels].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float) if fits else None
        if numbers is None or not np.isfinite(numbers).all():
            raise OptionError("ranks.error.covariates", known=", ".join(labels))
        columns += list(numbers.T)
        terms = (*terms, *(str(name) for name in table.columns))
    return tuple(terms), np.column_stack(columns)


def _top(values: np.ndarray, used: GroupEstimates, top: int) -> np.ndarray:
    found = np.full(len(used.labels), _NAN)
    for family in dict.fromkeys(used.families):
        own = np.flatnonzero([f == family for f in used.families])
        if len(own) > top:
            found[own] = model.top_probabilities(values[:, own], top)
    return found


def _largest_correlation(used: GroupEstimates) -> float:
    errors = np.sqrt(np.diag(used.covariance))
    between = np.abs(used.covariance / np.outer(errors, errors))
    np.fill_diagonal(between, 0.0)
    return float(between.max())


@dataclass(frozen=True, slots=True, eq=False)
class _RowBuilder:
    groups: GroupEstimates
    errors: np.ndarray
    used: tuple[str, ...]
    known: np.ndarray
    fit: model.FayHerriot
    p_top: np.ndarray
    level: float

    def row(self, label: str, family: str) -> SmallAreaRow:
        if label not in self.groups.labels:
            return SmallAreaRow(label, family, *(_NAN,) * 10, "ranks.model.suppressed")
        place = self.groups.labels.index(label)
        direct, error = float(self.groups.estimates[place]), float(self.errors[place])
        if label not in self.used:
            return SmallAreaRow(label, family, direct, error, *(_NAN,) * 8, "ranks.model.no_variance")
        own = self.used.index(label)
        estimate, rmse = float(self.fit.estimate[own]), float(np.sqrt(self.fit.mse[own]))
        reach = NormalDist().inv_cdf((1.0 + self.level) / 2.0) * rmse
        numbers = (float(np.sqrt(self.known[own])), estimate, rmse, estimate - reach, estimate + reach)
        rest = (float(self.fit.shrinkage[own]), float(self.fit.synthetic[own]), float(self.p_top[own]))
        return SmallAreaRow(label, family, direct, error, *numbers, *rest, "")
