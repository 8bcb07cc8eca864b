"""One model by several estimators, side by side: which conclusions depend on the choice."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import pandas as pd

from sipas_research.errors import AnalysisError, OptionError, SipasWarning
from sipas_research.results import DataKind
from sipas_research.sem.estimate import sem
from sipas_research.sem.result import SemFit
from sipas_research.sem.sampling import Data
from sipas_research.sem.usable import require_usable
from sipas_research.wording import text

#: Ways to estimate a model of five-point answers, and the options behind each.
WAYS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "ML": {"estimator": "ML"},
        "MLR": {"estimator": "MLR"},
        "FIML": {"estimator": "MLR", "missing": "fiml"},
        "WLSMV": {"estimator": "WLSMV", "ordered": True},
    }
)
#: Standardised loading that counts as high: the convention of Hair et al. (2010).
HIGH_LOADING = 0.5
#: Limits of fit and the side on which a model passes: Bentler & Bonett (1980), Browne & Cudeck (1992), Hu & Bentler
#: (1999).
LIMITS: Mapping[str, tuple[float, bool]] = MappingProxyType(
    {"cfi": (0.90, True), "tli": (0.90, True), "rmsea": (0.08, False), "srmr": (0.08, False)}
)
#: Relations that are compared: loadings, paths, correlations of latent variables, definitions.
RELATIONS = ("=~", "~", "~~", ":=")
#: Trouble of a fit with no more clusters than parameters.
FEW_CLUSTERS = "sem_design.warning.few_clusters"
_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class GridCell:
    """One relation by one way: the standardised coefficient with its interval, and what would be concluded.

    ``conclusion``: of paths and definitions "positive", "negative" (the interval lies on one side of zero) or
    "unclear"; of loadings "high" (0.5 or more, interval above zero) or "low"; of correlations between latent variables
    "distinct" (the interval lies below one and above minus one) or "unclear"; "" where there is no number.
    """

    lhs: str
    op: str
    rhs: str
    group: str
    label: str
    way: str
    estimate: float
    std_error: float
    conf_low: float
    conf_high: float
    conclusion: str


@dataclass(frozen=True, slots=True)
class FitCell:
    """One measure of fit by one way, robust or scaled where there is one; ``passes`` its conventional limit."""

    measure: str
    way: str
    value: float
    passes: bool


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EstimatorGrid:
    """Coefficients and fit of one model by several estimators, or by several uses of the sampling design.

    Attributes
    ----------
    fits : mapping of str to SemFit
        By way; ways that gave no usable fit are in ``reasons``.
    reasons : mapping of str to AnalysisError
    cells : tuple of GridCell
        Relation by relation, way by way.
    fit_cells : tuple of FitCell
        Empty where sampling designs are compared; see :func:`.design_grid.design_grid`.
    level : float
        Coverage of the intervals.
    data_kind : DataKind
    choice : {"estimator", "design"}
        What the ways differ in.
    """

    fits: Mapping[str, SemFit]
    reasons: Mapping[str, AnalysisError]
    cells: tuple[GridCell, ...]
    fit_cells: tuple[FitCell, ...]
    level: float
    data_kind: DataKind
    choice: Literal["estimator", "design"] = "estimator"

    def __repr__(self) -> str:
        return self.summary("vi")

    @property
    def relations(self) -> tuple[tuple[GridCell, ...], ...]:
        """The cells of each relation, one a way."""
        size = len(self.fits)
        return tuple(self.cells[start : start + size] for start in range(0, len(self.cells), size)) if size else ()

    @property
    def dependent(self) -> tuple[tuple[GridCell, ...], ...]:
        """Relations whose conclusion depends on the way."""
        return tuple(cells for cells in self.relations if differ(cells))

    @property
    def few_clusters(self) -> SemFit | None:
        """The first fit with no more clusters than parameters: its tests of the whole model are not to be trusted."""
        return next((fit for fit in self.fits.values() if FEW_CLUSTERS in fit.troubles), None)

    def tidy(self) -> pd.DataFrame:
        """Return one row a relation and way; ``depends`` says whether the ways lead to different conclusions."""
        found = [
            {name: getattr(cell, name) for name in GridCell.__dataclass_fields__} | {"depends": differ(cells)}
            for cells in self.relations
            for cell in cells
        ]
        return pd.DataFrame(found, columns=[*GridCell.__dataclass_fields__, "depends"])

    def fit_measures(self) -> pd.DataFrame:
        """Return one row a measure of fit and way: measure, way, value, passes (its conventional limit)."""
        rows = [(cell.measure, cell.way, cell.value, cell.passes) for cell in self.fit_cells]
        return pd.DataFrame(rows, columns=["measure", "way", "value", "passes"])

    def glance(self) -> pd.DataFrame:
        """Return one row a way: rows used, clusters (0 without), measures of fit."""
        rows = []
        for way, fit in self.fits.items():
            measures = {cell.measure: cell.value for cell in self.fit_cells if cell.way == way}
            named = {"way": way, "n": fit.n, "clusters": fit.sample.n_clusters, "data_kind": self.data_kind.value}
            rows.append(named | measures)
        return pd.DataFrame(rows)

    def summary(self, language: str = "vi") -> str:
        """Return how many conclusions depend on the way, what to mind, and why a way is missing."""
        ways = ", ".join(self.fits)
        counts = {"dependent": len(self.dependent), "all": len(self.relations), "ways": ways or "-"}
        lines = [text(f"{self.choice}_grid.summary", language, **counts)]
        few = self.few_clusters
        if few is not None:
            fields = {"clusters": few.sample.n_clusters, "parameters": few.parameters}
            lines.append(text("sem_design.note.few_clusters", language, **fields))
        lines += [f"{way}: {text(error.key, language, **error.fields)}" for way, error in self.reasons.items()]
        return "\n".join(lines)


def differ(cells: Sequence[GridCell]) -> bool:
    """Return whether the ways that have a number lead to different conclusions."""
    return len({cell.conclusion for cell in cells if cell.conclusion}) > 1


def estimator_grid(
    model: str,
    data: Data,
    *,
    ways: Sequence[str] = tuple(WAYS),
    relations: Sequence[str] = RELATIONS,
    cluster: str | None = None,
    weights: str | None = None,
    level: float = 0.95,
    data_kind: DataKind = DataKind.USER,
) -> EstimatorGrid:
    """Estimate one model in several ways and mark the conclusions that depend on the choice.

    Parameters
    ----------
    model : str
        In lavaan's language; one group.
    data : Responses or DataFrame
    ways : sequence of {"ML", "MLR", "FIML", "WLSMV"}
        Maximum likelihood of complete rows; the same with robust errors and tests; robust with incomplete rows;
        weighted least squares of ordered answers.
    relations : sequence of {"=~", "~", "~~", ":="}
        Which coefficients are compared; "~~" are correlations of latent variables.
    cluster, weights : str, optional
        As in :func:`sipas_research.sem`; the way "ML", which knows neither, is left without them.
    level : float
        Coverage of the intervals, in (0, 1).
    data_kind : DataKind

    Returns
    -------
    EstimatorGrid

    Raises
    ------
    OptionError
        If a way or relation is unknown or named twice, or an option is outside its range.
    AnalysisError
        If no way gives a usable fit: with the reason of the first.

    References
    ----------
    Rhemtulla, Brosseau-Liard & Savalei (2012), Psychological Methods 17, 354-373: when answers in categories may be
    taken as continuous.
    """
    chosen = chosen_names("ways", ways, tuple(WAYS))
    compared = chosen_names("relations", relations, RELATIONS)
    fits: dict[str, SemFit] = {}
    reasons: dict[str, AnalysisError] = {}
    for way in chosen:
        design: dict[str, Any] = {} if way == "ML" else {"cluster": cluster, "weights": weights}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SipasWarning)  # what they say stands on the fits
                fits[way] = require_usable(sem(model, data, level=level, data_kind=data_kind, **WAYS[way], **design))
        except AnalysisError as error:
            reasons[way] = error
    if not fits:
        raise next(iter(reasons.values()))
    kind = next(iter(fits.values())).data_kind
    return EstimatorGrid(fits, reasons, grid_cells(fits, compared), _fit_cells(fits), level, kind)


def chosen_names(option: str, given: Sequence[str], allowed: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names given, one or several.

    Raises
    ------
    OptionError
        If there are none, one is unknown, or one stands twice.
    """
    names = (given,) if isinstance(given, str) else tuple(given)
    if not names or len(set(names)) < len(names) or not set(names) <= set(allowed):
        raise OptionError("sem.error.option", option=option, received=repr(given), allowed=", ".join(allowed))
    return names


def grid_cells(fits: Mapping[str, SemFit], compared: tuple[str, ...], *, student: bool = False) -> tuple[GridCell, ...]:
    """Return the cells of the compared relations, one a way; with ``student`` clustered fits have t intervals."""
    latents = set(next(iter(fits.values())).table.latents)
    found = {
        way: fit.standardized(reference="t" if student and fit.sample.n_clusters else "z") for way, fit in fits.items()
    }
    tables = {way: {_key(row): row for row in table.to_dict("records")} for way, table in found.items()}
    first = next(iter(tables.values()))
    shown = [key for key, row in first.items() if row["op"] in compared and _wanted(row, latents)]
    return tuple(_cell(way, tables[way].get(key), first[key]) for key in shown for way in tables)


def _key(row: Mapping[Any, Any]) -> tuple[str, ...]:
    ends = sorted((row["lhs"], row["rhs"])) if row["op"] == "~~" else [row["lhs"], row["rhs"]]
    return (ends[0], row["op"], ends[1] if row["op"] != ":=" else "", row["group"])


def _wanted(row: Mapping[Any, Any], latents: set[str]) -> bool:
    return row["op"] != "~~" or (row["lhs"] != row["rhs"] and {row["lhs"], row["rhs"]} <= latents)


def _cell(way: str, row: Mapping[Any, Any] | None, named: Mapping[Any, Any]) -> GridCell:
    ends: dict[str, Any] = {name: str(named[name]) for name in ("lhs", "op", "rhs", "group", "label")}
    if row is None:
        return GridCell(**ends, way=way, estimate=_NAN, std_error=_NAN, conf_low=_NAN, conf_high=_NAN, conclusion="")
    numbers: dict[str, Any] = {name: float(row[name]) for name in ("estimate", "std_error", "conf_low", "conf_high")}
    return GridCell(**ends, way=way, **numbers, conclusion=_conclusion(ends["op"], **numbers))


def _conclusion(op: str, *, estimate: float, std_error: float, conf_low: float, conf_high: float) -> str:
    if not (math.isfinite(conf_low) and math.isfinite(conf_high) and std_error > 0):
        return ""
    if op == "=~":
        return "high" if estimate >= HIGH_LOADING and conf_low > 0 else "low"
    if op == "~~":
        return "distinct" if conf_high < 1 and conf_low > -1 else "unclear"
    return "positive" if conf_low > 0 else "negative" if conf_high < 0 else "unclear"


def _fit_cells(fits: Mapping[str, SemFit]) -> tuple[FitCell, ...]:
    found = []
    for measure, (limit, above) in LIMITS.items():
        for way, fit in fits.items():
            names = (measure,) if way == "ML" else (f"{measure}_robust", f"{measure}_scaled", measure)
            values = [fit.measures.get(name, _NAN) for name in names]
            value = next((v for v in values if math.isfinite(v)), _NAN)
            found.append(FitCell(measure, way, value, bool(value >= limit if above else value <= limit)))
    return tuple(found)
