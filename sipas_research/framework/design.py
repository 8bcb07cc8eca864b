"""The sampling design of a survey, and ratios of weighted totals under it, estimated by the library svy.

This is the one place that knows svy. Variances are Taylor linearisation (Binder 1983) with the full design kept
for domains; domains come with their whole covariance matrix. What is not a ratio (a weighted mean of ratios, a
standardised share) goes through :mod:`sipas_research.numerics.linearization`, which agrees with svy on ratios.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sipas_research.errors import AnalysisError, DesignWarning, DroppedRowsWarning
from sipas_research.numerics.intervals import effective_size
from sipas_research.numerics.linearization import (
    SamplingPlan,
    degrees_of_freedom,
    influence_covariance,
    ratio_influence,
    sampling_plan,
)
from sipas_research.survey.responses import Responses


@dataclass(frozen=True, slots=True, eq=False)
class PreparedDesign:
    """A survey design that is ready to estimate with; arrays have one entry a usable row of the survey.

    ``keep`` marks the usable rows of the survey's frame. ``stratum``, ``cluster`` hold labels ("" everywhere where
    the design has no such part); ``population`` is None where no finite population factor applies.
    ``notes`` are catalogue keys for the notes under a table.
    """

    keep: np.ndarray
    weight: np.ndarray
    stratum: np.ndarray
    cluster: np.ndarray
    population: np.ndarray | None
    weighting: str
    n_strata: int
    n_clusters: int
    n_lonely: int
    notes: tuple[str, ...]

    @property
    def has_strata(self) -> bool:
        """True where units were drawn within more than one stratum."""
        return self.n_strata > 1


@dataclass(frozen=True, slots=True, eq=False)
class Ratios:
    """Ratios of weighted totals by group, in the order asked for; NaN and n 0 where nobody answered.

    ``std_error`` and ``covariance`` are NaN where the design leaves no degree of freedom (one unit).
    ``effective`` is Kish's effective number of respondents.
    """

    groups: tuple[str, ...]
    estimate: np.ndarray
    std_error: np.ndarray
    df: np.ndarray
    n: np.ndarray
    effective: np.ndarray
    covariance: np.ndarray


def prepare_design(responses: Responses) -> PreparedDesign:
    """Read weights, strata, clusters and frame sizes from the survey's design.

    Waves of several years are samples of their own: a stratum is then a stratum of one year. Rows whose weight is
    missing, not finite or not positive, or whose stratum or cluster is missing, are left out with a warning. A stratum
    with one sampled unit is centred at the grand mean (the "adjust" of R's survey package, conservative), with
    a warning. The finite population factor is used where every stratum has one frame size, not below the number
    of sampled rows, and people were drawn directly.

    Raises
    ------
    AnalysisError
        If no usable row is left.
    """
    frame, parts = responses.frame, responses.design
    stratum, has_stratum = _strata(responses)
    cluster, has_cluster = _labels(frame, parts.cluster)
    weight = np.ones(len(frame)) if not parts.weight else frame[parts.weight].to_numpy(dtype=float, na_value=np.nan)
    keep = np.isfinite(weight) & (weight > 0) & (stratum != None) & (cluster != None)  # noqa: E711 - by element
    if not keep.any():
        raise AnalysisError("framework.error.no_rows")
    dropped = len(frame) - int(keep.sum())
    if dropped:
        warnings.warn(DroppedRowsWarning("framework.warning.outside_design", n=dropped), stacklevel=3)
    unit = _units(stratum[keep], cluster[keep], has_cluster)
    sizes = pd.Series(unit).groupby(stratum[keep].astype(str)).nunique()
    lonely = int((sizes == 1).sum()) if len(sizes) > 1 else 0
    if lonely:
        warnings.warn(DesignWarning("framework.warning.lonely_stratum", n=lonely), stacklevel=3)
    population, population_note = _population(frame, parts.population, keep, stratum, has_cluster)
    weighting = "weighted" if parts.weight else "unweighted"
    notes = [population_note]
    notes += ["framework.note.stratified"] if has_stratum else []
    notes += ["framework.note.clustered"] if has_cluster else []
    notes += ["framework.note.lonely_stratum"] if lonely else []
    arrays = (keep, weight[keep], stratum[keep].astype(str), cluster[keep].astype(str))
    for array in arrays:
        array.setflags(write=False)
    return PreparedDesign(
        *arrays, population, weighting, len(sizes), int(sizes.sum()) if has_cluster else 0, lonely, tuple(notes)
    )


def plan_of(design: PreparedDesign) -> SamplingPlan:
    """Return who was drawn with whom under a prepared design."""
    unit = design.cluster if design.n_clusters else np.arange(len(design.weight))
    return sampling_plan(design.stratum, unit, design.population)


def design_effect(
    design: PreparedDesign, top: np.ndarray, bottom: np.ndarray, variance: float, *, replacement: bool = True
) -> float:
    """Return the variance of a ratio over that of a simple random sample of as many people (Kish 1965, section 8.2).

    Parameters
    ----------
    design : PreparedDesign
    top, bottom : array of float, shape (usable rows,)
        Numerator and denominator; rows whose ``bottom`` is 0 do not count.
    variance : float
        Of the ratio under the design.
    replacement : bool
        False compares with a sample drawn without replacement from as many people as the weights add up to.

    Returns
    -------
    float
        NaN where the other sample would have no variance either.
    """
    used = bottom > 0
    n = int(used.sum())
    if n < 2:
        return float("nan")
    weight, below = design.weight[used], bottom[used]
    total = float(weight.sum())
    ratio = float(weight @ top[used] / (weight @ below))
    residual = (top[used] - ratio * below) * total / float(weight @ below)
    spread = float(weight @ residual**2) / total * n / (n - 1)
    simple = spread / n if replacement else spread * (total - n) / (total * n)
    return float(variance / simple) if simple > 0 else float("nan")


def estimate_mean_of_ratios(
    design: PreparedDesign,
    pairs: list[tuple[np.ndarray, np.ndarray]],
    weights: np.ndarray,
    *,
    groups: tuple[str, ...] = ("",),
    member: np.ndarray | None = None,
) -> Ratios:
    """Estimate a weighted mean of several ratios of totals, by group, with the covariance between all of them.

    Parameters
    ----------
    design : PreparedDesign
    pairs : list of (numerator, denominator), arrays of shape (usable rows,)
    weights : array, shape (pairs,)
        Positive, adding up to one.
    groups, member
        As in :func:`estimate_ratio`.

    Returns
    -------
    Ratios
        NaN where one of the ratios has no answer; ``n`` counts rows that answer at least one of them.
    """
    place = np.zeros(len(design.weight), dtype=int) if member is None else np.asarray(member)
    size, plan = len(groups), plan_of(design)
    estimate, influence = np.zeros(size), np.zeros((len(place), size))
    for (top, bottom), share in zip(pairs, weights, strict=True):
        ratio, values = ratio_influence(design.weight, top, bottom, place, size)
        estimate, influence = estimate + share * ratio, influence + share * values
    used = (place >= 0) & np.any([bottom > 0 for _, bottom in pairs], axis=0)
    df = np.array([degrees_of_freedom(plan, used & (place == g)) for g in range(size)])
    covariance = influence_covariance(plan, influence)
    none = ~np.isfinite(estimate) | (df < 1)
    covariance[none, :] = np.nan
    covariance[:, none] = np.nan
    n = np.bincount(place[used], minlength=size)
    effective = np.array([effective_size(design.weight[used & (place == g)]) for g in range(size)])
    arrays = (estimate, np.sqrt(np.clip(np.diag(covariance), 0.0, None)), df, n, effective, covariance)
    for array in arrays:
        array.setflags(write=False)
    return Ratios(groups, *arrays)


def _labels(frame: pd.DataFrame, column: str) -> tuple[np.ndarray, bool]:
    """Labels of a design column as objects with None where missing; "" in every row where there is no such column."""
    if not column or column not in frame:
        return np.full(len(frame), "", dtype=object), False
    values = frame[column]
    return np.array([None if pd.isna(v) else str(v) for v in values], dtype=object), True


def _strata(responses: Responses) -> tuple[np.ndarray, bool]:
    labels, present = _labels(responses.frame, responses.design.stratum)
    if not responses.has("year") or responses.frame["year"].nunique() < 2:
        return labels, present
    years, _ = _labels(responses.frame, "year")
    joined = [None if label is None else f"{label}|{year}" for label, year in zip(labels, years, strict=True)]
    return np.array(joined, dtype=object), True


def _units(stratum: np.ndarray, cluster: np.ndarray, has_cluster: bool) -> np.ndarray:
    """One label a sampled unit: the row itself, or the cluster within its stratum."""
    if not has_cluster:
        return np.arange(len(stratum))
    return np.array([f"{s}|{c}" for s, c in zip(stratum, cluster, strict=True)], dtype=object)


def _population(
    frame: pd.DataFrame, column: str, keep: np.ndarray, stratum: np.ndarray, has_cluster: bool
) -> tuple[np.ndarray | None, str]:
    if not column or column not in frame:
        return None, "framework.note.fpc_absent"
    if has_cluster:
        return None, "framework.note.fpc_clusters"
    sizes = frame[column].to_numpy(dtype=float, na_value=np.nan)[keep]
    by_stratum = pd.Series(sizes).groupby(stratum[keep].astype(str))
    if not np.isfinite(sizes).all() or (by_stratum.nunique() > 1).any():
        return None, "framework.note.fpc_varies"
    if (by_stratum.first() < by_stratum.size()).any():
        return None, "framework.note.fpc_too_small"
    sizes.setflags(write=False)
    return sizes, "framework.note.fpc_used"


def estimate_ratio(
    design: PreparedDesign,
    numerator: np.ndarray,
    denominator: np.ndarray,
    *,
    groups: tuple[str, ...] = ("",),
    member: np.ndarray | None = None,
) -> Ratios:
    """Estimate a ratio of weighted totals, over all rows or in each group (a domain of the whole design).

    Parameters
    ----------
    design : PreparedDesign
    numerator, denominator : array of float, shape (usable rows,)
        Rows whose denominator is 0 or NaN are left out of the estimate and stay in the design.
    groups : tuple of str
        Groups in the order of the result; ("",) for all rows together.
    member : array of int, shape (usable rows,), optional
        Position in ``groups`` of each row, -1 for none. None: every row belongs to the only group.

    Returns
    -------
    Ratios
        Estimates on the scale of numerator / denominator, with Taylor covariance. Degrees of freedom are
        sampled units minus strata, over the strata that hold the group.
    """
    place = np.zeros(len(design.weight), dtype=int) if member is None else np.asarray(member)
    valid = np.isfinite(numerator) & np.isfinite(denominator) & (np.nan_to_num(denominator) > 0)
    used = valid & (place >= 0)
    size = len(groups)
    n = np.bincount(place[used], minlength=size)
    found = np.flatnonzero(n)
    estimate, std_error, df = np.full(size, np.nan), np.full(size, np.nan), np.zeros(size)
    covariance = np.full((size, size), np.nan)
    if found.size:
        values, matrix, freedom, order = _by_svy(design, numerator, denominator, used, place)
        estimate[order], df[order] = values, freedom
        covariance[np.ix_(order, order)] = matrix
        covariance[df < 1, :] = np.nan
        covariance[:, df < 1] = np.nan
        std_error[order] = np.sqrt(np.clip(np.diag(covariance)[order], 0.0, None))
    effective = np.array([effective_size(design.weight[used & (place == g)]) for g in range(size)])
    arrays = (estimate, std_error, df, n, effective, covariance)
    for array in arrays:
        array.setflags(write=False)
    return Ratios(groups, *arrays)


def _by_svy(
    design: PreparedDesign, numerator: np.ndarray, denominator: np.ndarray, used: np.ndarray, place: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return estimates, covariance, degrees of freedom, and the position of each of svy's rows."""
    import polars
    import svy

    columns: dict[str, Any] = {
        "top": np.where(used, numerator, np.nan),
        "bottom": np.where(used, denominator, np.nan),
        "weight": design.weight,
        # svy sorts its groups: fixed-width numbers keep the order, whatever the groups are called
        "place": [f"{p:06d}" if p >= 0 else "none" for p in place],
        "stratum": list(design.stratum),
        "cluster": list(design.cluster),
    }
    options: dict[str, Any] = {"wgt": "weight"}
    if design.has_strata:
        options["stratum"] = "stratum"
    if design.n_clusters:
        options["psu"] = "cluster"
    if design.population is not None:
        columns["population"] = design.population
        options["pop_size"] = "population"
    if design.n_lonely:
        options["singleton"] = "center"
    table = polars.DataFrame(columns).with_columns(polars.col("top", "bottom").fill_nan(None))
    sample = svy.Sample(table, svy.Design(**options))
    result: Any = sample.estimation.ratio(y="top", x="bottom", by="place", drop_nulls=True)
    rows = result.to_polars()
    order = np.array([int(p) for p in rows["place"].to_list()])
    return rows["est"].to_numpy(), np.asarray(result.covariance, dtype=float), rows["df"].to_numpy(), order
