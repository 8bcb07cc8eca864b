"""One model with and without the sampling design, side by side: which conclusions depend on it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sipas_research.errors import AnalysisError, OptionError, SipasWarning
from sipas_research.results import DataKind
from sipas_research.sem.estimate import sem
from sipas_research.sem.estimator_grid import RELATIONS, EstimatorGrid, chosen_names, grid_cells
from sipas_research.sem.result import SemFit
from sipas_research.sem.sampling import Data
from sipas_research.sem.usable import require_usable

#: Parts of the design that each way allows for.
WAYS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "rows": frozenset(),
        "clusters": frozenset({"cluster"}),
        "weights": frozenset({"weights"}),
        "weights_clusters": frozenset({"cluster", "weights"}),
    }
)


def design_grid(
    model: str,
    data: Data,
    *,
    cluster: str | None = None,
    weights: str | None = None,
    relations: Sequence[str] = RELATIONS,
    level: float = 0.95,
    data_kind: DataKind = DataKind.USER,
) -> EstimatorGrid:
    """Estimate one model with and without the sampling design and mark the conclusions that depend on it.

    The ways are "rows" (every row independent and of equal weight), "clusters", "weights" and "weights_clusters", as
    far as the given columns allow; all by MLR with incomplete rows. Intervals of clustered ways rest on Student's t
    with one degree of freedom less than there are clusters. A way counts the rows that have what it needs, so ways
    may differ in rows where cells of the design are empty. Measures of fit are not compared: surveys seldom have more
    clusters than parameters, and the tests behind the measures then are not to be trusted.

    Parameters
    ----------
    model : str
        In lavaan's language; one group.
    data : Responses or DataFrame
    cluster, weights : str, optional
        Columns of the design, as in :func:`sipas_research.sem`; at least one.
    relations : sequence of {"=~", "~", "~~", ":="}
        Which coefficients are compared; "~~" are correlations of latent variables.
    level : float
        Coverage of the intervals, in (0, 1).
    data_kind : DataKind

    Returns
    -------
    EstimatorGrid
        ``choice`` is "design", ``fit_cells`` is empty.

    Raises
    ------
    OptionError
        If neither column is given, one is not there, a relation is unknown, or an option is outside its range.
    AnalysisError
        If no way gives a usable fit: with the reason of the first.

    References
    ----------
    Cameron & Miller (2015), Journal of Human Resources 50, 317-372: few clusters; Asparouhov (2005), Structural
    Equation Modeling 12, 411-434: weights.
    """
    columns = {name: column for name, column in (("cluster", cluster), ("weights", weights)) if column is not None}
    if not columns:
        raise OptionError("design_grid.error.no_design")
    compared = chosen_names("relations", relations, RELATIONS)
    fits: dict[str, SemFit] = {}
    reasons: dict[str, AnalysisError] = {}
    for way, parts in WAYS.items():
        if parts <= columns.keys():
            used = {part: columns[part] for part in sorted(parts)}
            try:
                fits[way] = _fit(model, data, level, data_kind, used)
            except AnalysisError as error:
                alone = error.key == "sem_design.error.one_cluster"
                reasons[way] = AnalysisError("design_grid.error.one_cluster") if alone else error
    if not fits:
        raise next(iter(reasons.values()))
    kind = next(iter(fits.values())).data_kind
    return EstimatorGrid(fits, reasons, grid_cells(fits, compared, student=True), (), level, kind, "design")


def _fit(model: str, data: Data, level: float, data_kind: DataKind, design: Mapping[str, str]) -> SemFit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SipasWarning)  # what they say stands on the fits
        fit = sem(
            model, data, estimator="MLR", missing="fiml", level=level, data_kind=data_kind,
            cluster=design.get("cluster"), weights=design.get("weights"),
        )  # fmt: skip
    return require_usable(fit)
