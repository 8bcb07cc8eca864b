"""A fit seen row by row: what the rows of data say about each row of the table before any equality holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sipas_research.numerics.correlation import Array
from sipas_research.sem.casewise import implied_scores, moment_scores
from sipas_research.sem.clusters import Clusters, clusters_of, products_of
from sipas_research.sem.derivatives import expected_hessian, expected_of, observed_hessian
from sipas_research.sem.hole_sums import hole_sums
from sipas_research.sem.information import NOT_IDENTIFIED, inverse_within
from sipas_research.sem.layout import Index
from sipas_research.sem.ordinal_result import OrdinalFit
from sipas_research.sem.ordinal_row_system import ordinal_score_parts
from sipas_research.sem.result import SemFit
from sipas_research.sem.row_scores import Directions, directions, require_minimum, scores


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RowSystem:
    """Score and information by the r estimated rows of the table.

    Attributes
    ----------
    rows : (r,) index array
        Their places in the table.
    score : (r,) array
        Mean score of one row of data.
    bread : (r, r) array
        Information of one row of data: observed where the fit's errors rest on it, else expected.
    meat : (r, r) array
        Covariance of the score; ``bread`` itself under a correct normal model.
    shared : (r, q) array
        One where a row of the table is a free parameter of the fit.
    kept : (r, k) array
        Directions that every restriction of the fit leaves free.
    n : int
    """

    rows: Index
    score: Array
    bread: Array
    meat: Array
    shared: Array
    kept: Array
    n: int

    def released(self, along: Array) -> tuple[float, int, Array]:
        """Return the score test that the model holds against one that is also free along some directions.

        Parameters
        ----------
        along : (r, d) array

        Returns
        -------
        statistic, degrees of freedom and the (d,) expected change along the directions

        Notes
        -----
        With P = I - K (K'IK)^-1 K' I and D = P ``along``: n s'D (D'MD)^- D's, M the covariance of the score (Rao
        1948; with another M the generalised score test of Boos 1992, The American Statistician 46, 327-333, equation
        6). Degrees of freedom are the rank of D'MD: directions that the data cannot tell from the model's own count
        for nothing.
        """
        inside = inverse_within(self.bread, self.kept)
        if not np.isfinite(inside).all():  # an observed information that is not positive definite
            return float("nan"), 0, np.full(along.shape[1], np.nan)
        freed = along - inside @ (self.bread @ along)
        slope = freed.T @ self.score
        size = np.einsum("ij,ij->j", along, self.bread @ along)
        inverse, rank = _inverse(freed.T @ self.meat @ freed, size)
        statistic = self.n * float(slope @ inverse @ slope) if rank else float("nan")
        curve, _ = _inverse(freed.T @ self.bread @ freed, size)
        return statistic, rank, np.asarray(curve @ slope)


def _inverse(matrix: Array, size: Array) -> tuple[Array, int]:
    """Return a generalised inverse and the rank of a covariance matrix; ``size`` says what counts as zero."""
    scale = np.sqrt(np.maximum(np.abs(size), 1e-300))
    values, vectors = np.linalg.eigh(matrix / scale / scale[:, None])
    kept = values > NOT_IDENTIFIED * 10.0
    inside = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
    return inside / scale / scale[:, None], int(kept.sum())


def row_system(fit: SemFit) -> RowSystem:
    """Return the row by row view of a fit.

    Raises
    ------
    AnalysisError
        If the fit did not converge.
    """
    require_minimum(fit)
    index = fit.rows
    rows = np.flatnonzero(index.free >= 0)
    count = len(rows)
    shared = np.zeros((count, fit.problem.size))
    shared[np.arange(count), index.free[rows]] = 1.0
    kept = shared @ fit.information.basis
    if isinstance(fit, OrdinalFit):
        return RowSystem(rows, *ordinal_score_parts(fit, rows), shared, kept, fit.problem.n)
    score, bread, meat = np.zeros(count), np.zeros((count, count)), np.zeros((count, count))
    clusters = clusters_of(fit.samples)
    totals = np.zeros((0 if clusters is None else clusters.count, count))
    for group, at in enumerate(fit.groups):
        own = np.flatnonzero(index.group[rows] == group)
        picked = rows[own]
        where = directions(at, index.left[picked], index.right[picked], index.kind[picked])
        block = np.ix_(own, own)
        score[own] = scores(fit, group, where)
        bread[block], meat[block], within = _matrices(fit, group, where, clusters)
        if within is not None:
            totals[:, own] = within
    if clusters is not None:  # clusters may cut groups: their scores covary
        meat = products_of(totals, clusters) / fit.problem.n
    return RowSystem(rows, score, bread, meat, shared, kept, fit.problem.n)


def _matrices(
    fit: SemFit, group: int, where: Directions, clusters: Clusters | None
) -> tuple[Array, Array, Array | None]:
    """Return bread and meat of one group, and the scores' sums of its clusters, in the order of the rows."""
    given, target = fit.optimum.point.residuals[group], fit.problem.targets[group]
    means = target.mean is not None
    observed = fit.options.information == "observed"
    whole = observed_hessian(where.at, given) if observed else expected_of(where.at, given, means=means)
    bread = meat = whole / 2.0
    totals: Array | None = None
    if fit.options.estimator == "MLR":
        sample = fit.samples[group]
        sums = (
            implied_scores(where.at, given, sample, clusters)
            if sample.holes is None
            else hole_sums(where.at, sample.holes, clusters)
        )
        meat = sums.products() / sample.total
        totals = None if sums.totals is None else sums.totals[:, where.order]
    elif fit.options.estimator == "MLM":
        meat = moment_scores(where.at, given, fit.samples[group], fit.predictors).products
    elif fit.options.estimator == "ULS":
        meat = expected_hessian(where.at, given.weight @ target.cov @ given.weight, means=means) / 2.0
    order = np.ix_(where.order, where.order)
    return target.share * bread[order], target.share * meat[order], totals
