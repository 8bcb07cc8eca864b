"""How PAPI's dimensions go together across provinces: one year, years pooled, and within provinces.

The rows are provinces, not people; the same respondents rate both sides of every equation; the panel breaks in 2018
and 2021. What comes out is association.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any, Literal

import numpy as np
import pandas as pd

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.evidence.papi import PapiPanel
from sipas_research.evidence.papi_facts import PERIODS, column_name
from sipas_research.results import DataKind
from sipas_research.wording import interval, number, text

Model = Literal["cross_section", "pooled", "within"]
Unit = Literal["points", "sd"]
#: Fewest residual degrees of freedom of a cross-section, and fewest clusters, for which an interval is given.
FEWEST_FREE, FEWEST_CLUSTERS = 5, 5
_FLAT = 1e-10


@dataclass(frozen=True, slots=True)
class AssociationRow:
    """One coefficient.

    ``group`` is the model, ``period`` its years ("2024", "2021-2024"). ``unit``: "points" of the outcome a point of
    the predictor, or "sd": both sides as distances from the year's mean in standard deviations of that year over
    provinces. ``n`` counts province-years, ``clusters`` provinces; ``df`` are those of the t distribution. A model that
    cannot be computed has NaN and its reason, a catalogue key, in ``note``.
    """

    term: str
    group: Model
    period: str
    unit: Unit
    estimate: float
    std_error: float
    statistic: float
    p_value: float
    conf_low: float
    conf_high: float
    n: int
    clusters: int
    df: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class ProvinceAssociation:
    """Coefficients of all models; see :func:`province_association`."""

    outcome: str
    predictors: tuple[str, ...]
    rows: tuple[AssociationRow, ...]
    level: float
    data_kind: DataKind
    source: str = ""

    def of(self, model: Model, unit: Unit = "sd") -> tuple[AssociationRow, ...]:
        """Return the rows of one model in one unit."""
        return tuple(r for r in self.rows if r.group == model and r.unit == unit)

    def tidy(self) -> pd.DataFrame:
        """One row a model, period, unit and predictor."""
        return pd.DataFrame([astuple(r) for r in self.rows], columns=[f.name for f in fields(AssociationRow)])

    def glance(self) -> pd.DataFrame:
        """One row: outcome, coefficients, level, data kind."""
        row = {"term": self.outcome, "n": len(self.rows), "level": self.level, "data_kind": self.data_kind.value}
        return pd.DataFrame([row])

    def summary(self, language: str = "vi") -> str:
        """Return what the numbers are not, then one line a coefficient in standard deviations."""
        lines = [text("levers.association.caution", language)]
        for row in (r for r in self.rows if r.unit == "sd" and np.isfinite(r.estimate)):
            ends = interval(row.conf_low, row.conf_high, language, share=False)
            names = {
                "model": text(f"levers.model.{row.group}", language),
                "term": column_name(row.term, language),
            }
            value = number(row.estimate, 2, language)
            lines.append(
                text("levers.association.line", language, period=row.period, estimate=value, interval=ends, **names)
            )
        return "\n".join(lines)


def province_association(
    panel: PapiPanel,
    outcome: str = "dim5_procedures",
    predictors: Iterable[str] = ("dim8_egovernance", "dim3_accountability", "dim4_corruption_control"),
    *,
    level: float = 0.95,
) -> ProvinceAssociation:
    """Regress one dimension on others over provinces, in three ways.

    ``cross_section``: each year by itself, least squares with HC3 errors (MacKinnon and White 1985) and n - k degrees
    of freedom. ``pooled``: the years of one stretch between breaks with an effect for each year, and all stretches
    together with year effects. ``within``: the same with an effect for each province too, so that only a province's
    changes against other provinces count. The latter two have errors clustered by province with the small-sample
    factor G/(G-1) x (n-1)/(n-k) and G - 1 degrees of freedom (Cameron and Miller 2015, section II; k leaves out the
    province effects, which are nested in the clusters, section III.B).

    Parameters
    ----------
    panel : PapiPanel
    outcome : str
    predictors : iterable of str
        Columns published from 2018 on; years without all of them are left out.
    level : float, keyword only
        Level of the intervals, between 0 and 1.

    Raises
    ------
    OptionError
        If a column is unknown or stands twice, none is given, or ``level`` is off range.
    AnalysisError
        If no model can be computed.
    """
    chosen = tuple(predictors)
    if not chosen or len({outcome, *chosen}) != 1 + len(chosen):
        raise OptionError("levers.association.columns", outcome=outcome, predictors=", ".join(chosen))
    if not 0 < level < 1:
        raise OptionError("levers.association.level", value=str(level))
    points = _complete(panel, (outcome, *chosen))
    if not len(points):
        raise AnalysisError("levers.association.no_rows")
    rows: list[AssociationRow] = []
    for unit, data in (("points", points), ("sd", standardised(points, (outcome, *chosen)))):
        years = sorted(data["year"].unique())
        runs = [("cross_section", (y, y)) for y in years]
        spans = [p for p in PERIODS if any(p[0] <= y <= p[1] for y in years)]
        whole = [(int(years[0]), int(years[-1]))] if len(spans) > 1 else []
        runs += [(model, span) for model in ("pooled", "within") for span in (*spans, *whole)]
        for model, (first, last) in runs:
            part = data.loc[data["year"].between(first, last)]
            rows += _model(part, outcome, chosen, model=model, unit=unit, level=level)
    if not any(np.isfinite(r.estimate) for r in rows):
        raise AnalysisError(rows[0].note)
    return ProvinceAssociation(outcome, chosen, tuple(rows), level, panel.data_kind, panel.source)


def _complete(panel: PapiPanel, columns: Sequence[str]) -> pd.DataFrame:
    for column in columns:
        panel.scores(column)
    return panel.frame[["year", "province", *columns]].dropna().reset_index(drop=True)


def standardised(data: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return the columns as distances from the year's mean in the year's standard deviations (divisor k - 1).

    A column without spread in a year gives NaN, which drops the year's rows.
    """
    groups = data.groupby("year")[list(columns)]
    spread = groups.transform("std")
    scores = (data[list(columns)] - groups.transform("mean")) / spread.where(spread > _FLAT)
    return data[["year", "province"]].join(scores).dropna().reset_index(drop=True)


def _model(
    data: pd.DataFrame, outcome: str, predictors: tuple[str, ...], *, model: Any, unit: Any, level: float
) -> list[AssociationRow]:
    years = sorted(int(y) for y in data["year"].unique())
    period = "" if not years else str(years[0]) if len(years) == 1 else f"{years[0]}-{years[-1]}"
    try:
        fit, kept, df = _fitted(data, outcome, predictors, model)
    except AnalysisError as error:
        return [_absent(p, model, period, unit, data, error.key) for p in predictors]
    from scipy.stats import t as student

    reach = float(student.isf((1 - level) / 2, df))
    rows = []
    for term in predictors:
        value, error_size = float(fit.params[term]), float(fit.bse[term])
        statistic = value / error_size if error_size > 0 else float("nan")
        tail = 2 * float(student.sf(abs(statistic), df))
        ends = (value - reach * error_size, value + reach * error_size)
        sizes: dict[str, Any] = {"n": len(kept), "clusters": kept["province"].nunique(), "df": float(df)}
        rows.append(AssociationRow(term, model, period, unit, value, error_size, statistic, tail, *ends, **sizes))
    return rows


def _absent(term: str, model: Model, period: str, unit: Unit, data: pd.DataFrame, reason: str) -> AssociationRow:
    nan = float("nan")
    sizes: dict[str, Any] = {"n": len(data), "clusters": data["province"].nunique(), "df": nan, "note": reason}
    return AssociationRow(term, model, period, unit, nan, nan, nan, nan, nan, nan, **sizes)


def _fitted(
    data: pd.DataFrame, outcome: str, predictors: tuple[str, ...], model: Model
) -> tuple[Any, pd.DataFrame, int]:
    """Return statsmodels' fit, the rows used and the degrees of freedom.

    Raises
    ------
    AnalysisError
        If rows or clusters are too few, or the predictors do not vary apart from each other.
    """
    from statsmodels.regression.linear_model import OLS

    kept = data
    if model == "within":
        # A province seen once has no change to show; it would only inflate the counts.
        kept = data.loc[data.groupby("province")["year"].transform("size") > 1]
        if kept["year"].nunique() < 2:
            raise AnalysisError("levers.association.one_year")
    design = _design(kept, predictors, constant=model != "within")
    target = kept[outcome].astype(float)
    if model == "within":
        design, target = _demeaned(design, kept["province"]), _demeaned(target, kept["province"])
    free = len(design) - design.shape[1]
    if model == "cross_section":
        _check_design(design, free)
        return OLS(target, design).fit(cov_type="HC3", use_t=True), kept, free
    clusters = kept["province"].nunique()
    if clusters < FEWEST_CLUSTERS:
        raise AnalysisError("levers.association.few_clusters")
    _check_design(design, free)
    codes = pd.factorize(kept["province"])[0]
    fit = OLS(target, design).fit(cov_type="cluster", cov_kwds={"groups": codes, "use_correction": True}, use_t=True)
    return fit, kept, clusters - 1


def _design(data: pd.DataFrame, predictors: tuple[str, ...], *, constant: bool) -> pd.DataFrame:
    design = data[list(predictors)].astype(float)
    if constant:
        design = design.assign(_constant=1.0)
    for year in sorted(data["year"].unique())[1:]:
        design[f"_year_{year}"] = (data["year"] == year).astype(float)
    return design


def _demeaned(values: Any, provinces: pd.Series) -> Any:
    return values - values.groupby(provinces).transform("mean")


def _check_design(design: pd.DataFrame, free: int) -> None:
    if free < FEWEST_FREE:
        raise AnalysisError("levers.association.few_rows")
    values = design.to_numpy()
    size = np.sqrt((values**2).mean(axis=0))
    if (size < _FLAT).any() or np.linalg.matrix_rank(values / size) < values.shape[1]:
        raise AnalysisError("levers.association.collinear")
