"""Ordered logit of one item: what least squares says, without taking the steps between answers as equal."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import expit

from sipas_research.levers.regression_result import OrderedLogit, OrderedTerm
from sipas_research.numerics.correlation import Array
from sipas_research.numerics.disclosure import MINIMUM_CELL, merge_categories
from sipas_research.numerics.intervals import t_quantile, t_tails

NAN = float("nan")


def ordered_logit(
    item: str, codes: Array, predictors: Array, names: Sequence[str], clusters: np.ndarray | None, level: float
) -> tuple[OrderedLogit | None, str]:
    """Fit the proportional-odds model of McCullagh (1980, JRSS B 42, 109-142) by statsmodels' OrderedModel.

    Adjacent answers are merged until each holds ten people. Standard errors are robust to clusters with the
    small-sample factor and Student's t on G - 1 degrees of freedom; without clusters they are White's (HC0) on the
    normal curve.

    Parameters
    ----------
    item : str
    codes : (n,) array
        Answers, NaN where there is none.
    predictors : (n, k) array
        Complete, without a column of ones.
    names : sequence of str
    clusters : (n,) array of int or None
    level : float

    Returns
    -------
    OrderedLogit or None, and the catalogue key of the reason where there is none ("" otherwise).
    """
    answered = ~np.isnan(codes)
    outcome, groups = merged_answers(codes[answered])
    rows = len(outcome)
    if len(groups) < 2:
        return None, "models.note.logit_one_answer"
    if rows < predictors.shape[1] + len(groups) + 1:
        return None, "models.note.logit_few_rows"
    inside = None if clusters is None else np.unique(clusters[answered], return_inverse=True)[1]
    if inside is not None and inside.max() < 1:
        inside = None
    fitted = _fit(outcome, predictors[answered], inside)
    if fitted is None:
        return None, "models.note.logit_not_converged"
    df = float("inf") if inside is None else float(inside.max())
    terms = tuple(_term(name, float(fitted.params[k]), float(fitted.bse[k]), df, level) for k, name in enumerate(names))
    if not all(np.isfinite([t.std_error, t.estimate]).all() for t in terms):
        return None, "models.note.logit_not_converged"
    log_likelihood = float(fitted.llf)
    null = null_log_likelihood(outcome)
    return OrderedLogit(item, groups, terms, log_likelihood, 1.0 - log_likelihood / null, rows), ""


def merged_answers(codes: Array) -> tuple[np.ndarray, tuple[tuple[int, ...], ...]]:
    """Return answers as 0, 1, 2 ... after merging adjacent ones until each holds ten people, and the codes merged."""
    found = np.unique(codes)
    if not len(found):
        return np.zeros(0, dtype=int), ()
    places = np.searchsorted(found, codes)
    counts = np.bincount(places, minlength=len(found))
    merged = merge_categories(counts[None, :], minimum=MINIMUM_CELL)
    new = np.zeros(len(found), dtype=int)
    for target, group in enumerate(merged):
        new[list(group)] = target
    return new[places], tuple(tuple(int(found[place]) for place in group) for group in merged)


def _fit(outcome: np.ndarray, predictors: Array, clusters: np.ndarray | None) -> Any:
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    options: dict[str, Any] = {"cov_type": "HC0"}
    if clusters is not None:
        options = {"cov_type": "cluster", "cov_kwds": {"groups": clusters, "use_correction": True}}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            fitted = OrderedModel(outcome, predictors, distr="logit").fit(
                method="bfgs", maxiter=500, gtol=1e-6, disp=False, **options
            )
        except (np.linalg.LinAlgError, ValueError):
            return None
    return fitted if np.isfinite(fitted.llf) and bool(fitted.mle_retvals["converged"]) else None


def _term(name: str, estimate: float, error: float, df: float, level: float) -> OrderedTerm:
    reach = t_quantile(level, df) * error
    tail = t_tails(estimate / error, df) if error > 0 else NAN
    return OrderedTerm(name, estimate, error, estimate / error, tail, estimate - reach, estimate + reach)


def log_likelihood_scores(
    slopes: Array, thresholds: Array, outcome: np.ndarray, predictors: Array
) -> tuple[float, Array]:
    """Return the log-likelihood of the proportional-odds model and each row's derivatives.

    P(y <= j) = 1 / (1 + exp(-(threshold_j - x b))), McCullagh (1980).

    Parameters
    ----------
    slopes : (k,) array
    thresholds : (c - 1,) array
        Ascending.
    outcome : (n,) array of int
        0 to c - 1.
    predictors : (n, k) array

    Returns
    -------
    float, and an (n, k + c - 1) array: derivatives by slopes, then by thresholds.
    """
    ends = np.concatenate([[-np.inf], thresholds, [np.inf]])
    linear = predictors @ slopes
    upper, lower = expit(ends[outcome + 1] - linear), expit(ends[outcome] - linear)
    share = upper - lower
    up, down = upper * (1 - upper), lower * (1 - lower)
    by_threshold = np.zeros((len(outcome), len(thresholds)))
    rows = np.arange(len(outcome))
    inner = outcome < len(thresholds)
    by_threshold[rows[inner], outcome[inner]] += (up / share)[inner]
    inner = outcome > 0
    by_threshold[rows[inner], outcome[inner] - 1] -= (down / share)[inner]
    by_slope = -((up - down) / share)[:, None] * predictors
    return float(np.log(share).sum()), np.column_stack([by_slope, by_threshold])


def null_log_likelihood(outcome: np.ndarray) -> float:
    """Return the log-likelihood of the model without predictors: each answer's own share."""
    counts = np.bincount(outcome)
    counts = counts[counts > 0]
    return float(counts @ np.log(counts / counts.sum()))
