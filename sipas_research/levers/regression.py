"""Regression of satisfaction on factors and levers: least squares robust to clusters, ordered logit beside it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sipas_research.errors import AnalysisError, DesignWarning, DroppedItemWarning, DroppedRowsWarning, OptionError
from sipas_research.factors.scores import OVERALL, score, score_items, scores
from sipas_research.levers.ordered import ordered_logit
from sipas_research.levers.regression_result import INTERCEPT, Regression, Term, WholeModel
from sipas_research.numerics.correlation import Array, is_constant, is_singular
from sipas_research.numerics.disclosure import MINIMUM_CELL
from sipas_research.numerics.intervals import t_quantile, t_tails
from sipas_research.survey.responses import Responses

NAN = float("nan")
#: Below this many clusters cluster-robust tests reject too often (Cameron & Miller 2015 speak of 20 to 50).
FEW_CLUSTERS = 30
#: Two predictors whose correlation is this close to one are the same predictor twice.
_SAME = 1.0 - 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    outcome: Array
    design: Array
    weights: Array | None
    clusters: np.ndarray | None
    rows: np.ndarray
    predictors: tuple[str, ...]
    notes: tuple[str, ...]


def regress(
    responses: Responses,
    outcome: str = OVERALL,
    predictors: Iterable[str] | None = None,
    *,
    cluster: str | None = "agency",
    weights: str | None = None,
    standardize: bool = False,
    ordered: bool = True,
    level: float = 0.95,
) -> Regression:
    """Regress a score of satisfaction on scores of factors and levers.

    Least squares by statsmodels; standard errors robust to clusters with the factor G/(G-1) (N-1)/(N-K) and Student's
    t on G - 1 degrees of freedom (Liang & Zeger 1986; Cameron & Miller 2015), HC3 and N - K where there are no
    clusters (MacKinnon & White 1985). An ordered logit of the outcome's first item stands beside it, because a mean
    of five-point answers takes the steps between answers as equal. What is found are associations in a cross-section.

    Parameters
    ----------
    responses : Responses
    outcome : str
        "overall" (mean of the items of overall satisfaction), "index", or the id of a scale or item.
    predictors : iterable of str, optional
        Ids of scales or items; by default all factors and levers with answers, in questionnaire order.
    cluster : str or None
        Column of the clusters; None, or a column that is absent or has one value, gives HC3 with a note.
    weights : str or None
        Column of positive weights; None leaves the forms unweighted. The ordered logit is never weighted.
    standardize : bool
        Scale outcome and predictors to variance one first, so that estimates and intervals are standardised ones.
        Beta is in the result either way.
    ordered : bool
        Whether to fit the ordered logit.
    level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    Regression

    Raises
    ------
    AnalysisError
        If outcome or predictors have no answers, too few rows are complete, the outcome does not vary, or
        predictors determine each other.
    OptionError
        If a name is unknown, or the outcome stands among the predictors.

    Warns
    -----
    DroppedRowsWarning, DroppedItemWarning
        If rows with a missing score, or constant predictors, were left out.
    DesignWarning
        If there are fewer than 30 clusters.
    """
    if not 0 < level < 1:
        raise OptionError("factors.error.level", received=str(level))
    names = _predictors(responses, outcome, predictors)
    sample = _sample(responses, outcome, names, cluster, weights)
    _require(sample, outcome)
    _tell(sample, len(responses))
    if standardize:
        sample = _standardized(sample)
    whole, terms = _least_squares(sample, level)
    logit, logit_note = None, ""
    if ordered:
        item = score_items(responses, outcome)[0]
        codes = responses.items([item])[item].to_numpy(float)[sample.rows]
        logit, logit_note = ordered_logit(item, codes, sample.design[:, 1:], sample.predictors, sample.clusters, level)
    return Regression(
        outcome, terms, whole, logit, logit_note, sample.notes, len(sample.rows), len(responses) - len(sample.rows),
        level, cluster or "", weights or "", standardize, responses.data_kind,
    )  # fmt: skip


def _predictors(responses: Responses, outcome: str, predictors: Iterable[str] | None) -> list[str]:
    behind = set(score_items(responses, outcome))
    if predictors is None:
        found = {**responses.scale_items("factor"), **responses.scale_items("lever")}
        names = [name for name, items in found.items() if not behind & set(items)]
        if not names:
            raise AnalysisError("models.error.no_predictors")
        return names
    names = [predictors] if isinstance(predictors, str) else list(predictors)
    if not names:
        raise OptionError("models.error.no_predictors")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise OptionError("models.error.named_twice", names=", ".join(twice))
    shared = [name for name in names if behind & set(score_items(responses, name))]
    if shared:
        raise OptionError("models.error.outcome_is_predictor", outcome=outcome, names=", ".join(shared))
    return names


def _sample(
    responses: Responses, outcome: str, names: Sequence[str], cluster: str | None, weights: str | None
) -> _Sample:
    """Return complete rows, without predictors that are constant there."""
    found = scores(responses, names)
    frame = pd.concat([score(responses, outcome), found], axis=1).to_numpy(float)
    keep = ~np.isnan(frame).any(axis=1)
    weighting = _weights(responses, weights)
    if weighting is not None:
        keep &= weighting > 0
    clusters, notes = _clusters(responses, cluster, keep)
    if clusters is not None:
        keep &= clusters >= 0
    rows = np.flatnonzero(keep)
    values = frame[rows]
    constant = is_constant(values[:, 1:]) if len(rows) else np.zeros(len(names), bool)
    used = tuple(name for name, gone in zip(names, constant, strict=True) if not gone)
    left_out = [f"constant:{name}" for name, gone in zip(names, constant, strict=True) if gone]
    design = np.column_stack([np.ones(len(rows)), values[:, 1:][:, ~constant]])
    return _Sample(
        values[:, 0], design, None if weighting is None else weighting[rows] / weighting[rows].mean(),
        None if clusters is None else np.unique(clusters[rows], return_inverse=True)[1], rows, used,
        (*notes, *left_out),
    )  # fmt: skip


def _weights(responses: Responses, weights: str | None) -> Array | None:
    if weights is None:
        return None
    if not responses.has(weights) or not pd.api.types.is_numeric_dtype(responses.frame[weights]):
        raise OptionError("models.error.weights", weights=weights)
    found: Array = responses.frame[weights].to_numpy(float, na_value=np.nan)
    return np.nan_to_num(found, nan=0.0)


def _clusters(responses: Responses, cluster: str | None, keep: np.ndarray) -> tuple[np.ndarray | None, tuple[str, ...]]:
    if cluster is None:
        return None, ("models.note.no_cluster",)
    known = {q.id for q in responses.questionnaire.facts()}
    if cluster not in known and cluster not in responses.frame:
        raise OptionError("models.error.cluster", cluster=cluster)
    if not responses.has(cluster):
        return None, ("models.note.no_cluster_column",)
    codes = responses.frame[cluster].astype("category").cat.codes.to_numpy()
    count = len(np.unique(codes[keep & (codes >= 0)]))
    if count < 2:
        return None, ("models.note.one_cluster",)
    return codes, ("models.note.few_clusters",) if count < FEW_CLUSTERS else ()


def _tell(sample: _Sample, read: int) -> None:
    dropped = read - len(sample.rows)
    constant = [note.split(":")[1] for note in sample.notes if note.startswith("constant:")]
    if constant:
        names = ", ".join(constant)
        warnings.warn(DroppedItemWarning("models.warning.constant", n=len(constant), names=names), stacklevel=3)
    if dropped:
        warnings.warn(DroppedRowsWarning("factors.warning.dropped_rows", n=dropped, read=read), stacklevel=3)
    if "models.note.few_clusters" in sample.notes and sample.clusters is not None:
        count = len(np.unique(sample.clusters))
        warnings.warn(DesignWarning("models.warning.few_clusters", n=count, least=FEW_CLUSTERS), stacklevel=3)


def _require(sample: _Sample, outcome: str) -> None:
    rows, columns = sample.design.shape
    if rows < max(MINIMUM_CELL, columns + 2):
        shown = str(rows) if rows == 0 or rows >= MINIMUM_CELL else f"<{MINIMUM_CELL}"
        raise AnalysisError("models.error.few_rows", n=shown, least=max(MINIMUM_CELL, columns + 2))
    if np.ptp(sample.outcome) == 0:
        raise AnalysisError("models.error.constant_outcome", outcome=outcome)
    if not sample.predictors:
        raise AnalysisError("models.error.constant_predictors")
    matrix = np.atleast_2d(np.corrcoef(sample.design[:, 1:], rowvar=False))
    if is_singular(matrix):
        same = np.argwhere(np.triu(np.abs(matrix), 1) > _SAME)
        if same.size:
            names = [sample.predictors[place] for place in same[0]]
        else:
            direction = np.abs(np.linalg.eigh(matrix)[1][:, 0])  # what the smallest eigenvalue combines
            names = [name for name, part in zip(sample.predictors, direction, strict=True) if part > 1e-3]
        raise AnalysisError("models.error.collinear", names=", ".join(names))


def _standardized(sample: _Sample) -> _Sample:
    values = np.column_stack([sample.outcome, sample.design[:, 1:]])
    scaled = (values - np.average(values, axis=0, weights=sample.weights)) / _spread(values, sample.weights)
    design = np.column_stack([np.ones(len(scaled)), scaled[:, 1:]])
    return _Sample(scaled[:, 0], design, sample.weights, sample.clusters, sample.rows, sample.predictors, sample.notes)


def _spread(values: Array, weights: Array | None) -> Array:
    centred = values - np.average(values, axis=0, weights=weights)
    spread: Array = np.sqrt(np.average(centred**2, axis=0, weights=weights) * len(values) / (len(values) - 1))
    return spread


def _least_squares(sample: _Sample, level: float) -> tuple[WholeModel, tuple[Term, ...]]:
    from statsmodels.regression.linear_model import WLS

    weights = np.ones(len(sample.outcome)) if sample.weights is None else sample.weights
    model = WLS(sample.outcome, sample.design, weights=weights)
    plain = model.fit()
    if sample.clusters is None:
        robust, df = model.fit(cov_type="HC3"), plain.df_resid
    else:
        robust = model.fit(cov_type="cluster", cov_kwds={"groups": sample.clusters, "use_correction": True})
        df = len(np.unique(sample.clusters)) - 1
    covariance = np.asarray(robust.cov_params())
    return _whole(sample, plain, covariance, df), _terms(sample, plain, covariance, df, level)


def _terms(sample: _Sample, plain: Any, covariance: Array, df: float, level: float) -> tuple[Term, ...]:
    errors = np.sqrt(np.diag(covariance))
    spread = _spread(np.column_stack([sample.outcome, sample.design[:, 1:]]), sample.weights)
    betas = [NAN, *(np.asarray(plain.params)[1:] * spread[1:] / spread[0])]
    inflation = [NAN, *variance_inflation(sample.design[:, 1:], sample.weights)]
    reach = t_quantile(level, df)
    found = []
    for place, name in enumerate((INTERCEPT, *sample.predictors)):
        estimate, error = float(plain.params[place]), float(errors[place])
        known = np.isfinite(error) and error > 0
        found.append(
            Term(
                name,
                estimate,
                error if known else NAN,
                estimate / error if known else NAN,
                t_tails(estimate / error, df) if known else NAN,
                estimate - reach * error if known else NAN,
                estimate + reach * error if known else NAN,
                float(betas[place]),
                float(inflation[place]),
                float(plain.bse[place]),
                "" if known else "models.note.no_error",
            )
        )
    return tuple(found)


def variance_inflation(predictors: Array, weights: Array | None = None) -> Array:
    """Return 1 / (1 - R^2) of each predictor on the others: the diagonal of their inverse correlations.

    Parameters
    ----------
    predictors : (n, k) array
        Without the column of ones; not collinear.
    weights : (n,) array, optional
    """
    centred = predictors - np.average(predictors, axis=0, weights=weights)
    product = centred.T @ (centred if weights is None else centred * weights[:, None])
    spread = np.sqrt(np.diag(product))
    inflation: Array = np.diag(np.linalg.inv(product / np.outer(spread, spread)))
    return inflation


def _whole(sample: _Sample, plain: Any, covariance: Array, df: float) -> WholeModel:
    from scipy.special import fdtrc

    rows, columns = sample.design.shape
    slopes = np.asarray(plain.params)[1:]
    wald, inner = NAN, covariance[1:, 1:]
    if df >= columns - 1 and np.isfinite(inner).all() and np.linalg.matrix_rank(inner) == columns - 1:
        wald = float(slopes @ np.linalg.solve(inner, slopes)) / (columns - 1)
    f = float(plain.fvalue)
    residuals = np.asarray(plain.resid)
    total = float(residuals @ residuals)
    return WholeModel(
        float(plain.rsquared),
        float(plain.rsquared_adj),
        f,
        columns - 1,
        rows - columns,
        float(fdtrc(columns - 1, rows - columns, f)) if np.isfinite(f) else NAN,
        wald,
        float(df),
        float(fdtrc(columns - 1, df, wald)) if np.isfinite(wald) else NAN,
        float(np.sum(np.diff(residuals) ** 2) / total) if total > 0 else NAN,
        float(np.sqrt(plain.scale)),
        "HC3" if sample.clusters is None else "cluster",
        0 if sample.clusters is None else len(np.unique(sample.clusters)),
    )
