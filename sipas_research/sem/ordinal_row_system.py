"""A fit of ordered answers seen row by row of the table, before any equality holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sipas_research.numerics.correlation import Array
from sipas_research.sem.layout import Index
from sipas_research.sem.ordinal_information import gamma_blocks
from sipas_research.sem.ordinal_modification import candidate_slopes, place_of_kind
from sipas_research.sem.ordinal_problem import weighted

if TYPE_CHECKING:
    from sipas_research.sem.ordinal_result import OrdinalFit


def ordinal_score_parts(fit: OrdinalFit, rows: Index) -> tuple[Array, Array, Array]:
    """Return score, information and the score's covariance of one row of data, by some rows of the table.

    Score D'We, information D'WD, covariance D'WGWD with slopes D by single rows (WLS: the information itself).
    """
    count = len(rows)
    score, bread, meat = np.zeros(count), np.zeros((count, count)), np.zeros((count, count))
    pulled: list[Array] = []
    owns: list[Index] = []
    for group, (target, weight, rest) in enumerate(
        zip(fit.problem.targets, fit.problem.weights, fit.ordinal.missed, strict=True)
    ):
        own = np.flatnonzero(fit.rows.group[rows] == group)
        slopes = row_slopes_of(fit, group, rows[own])
        heavy = target.share * weighted(weight, slopes)
        score[own] = target.pull * (slopes.T @ weighted(weight, rest))
        bread[np.ix_(own, own)] = slopes.T @ heavy
        pulled.append(heavy)
        owns.append(own)
    if fit.options.estimator == "WLS":
        return score, bread, bread
    for g, h, block in gamma_blocks(fit.problem):
        meat[np.ix_(owns[g], owns[h])] += pulled[g].T @ block @ pulled[h]
    return score, bread, meat


def row_slopes_of(fit: OrdinalFit, group: int, rows: Index) -> Array:
    """Return the slopes of a group's statistics by rows of the table, (s, k), in the order of the rows."""
    named = [fit.table.rows[k] for k in rows]
    order = sorted(range(len(named)), key=lambda k: place_of_kind(named[k].op))
    keys = tuple((named[k].lhs, named[k].op, named[k].rhs) for k in order)
    found = candidate_slopes(fit, group, keys)
    back = np.empty(len(order), dtype=np.intp)
    back[order] = np.arange(len(order))
    return np.asarray(found[:, back])
