"""Modification indices: by how much chi-square would about fall if one fixed parameter were estimated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sipas_research.numerics.correlation import Array
from sipas_research.sem.candidates import Key, candidates
from sipas_research.sem.information import inverse_within, normal_theory
from sipas_research.sem.layout import places
from sipas_research.sem.result import SemFit, text_columns
from sipas_research.sem.row_scores import (
    Directions,
    crossed,
    crossed_holes,
    directions,
    free_columns,
    require_minimum,
    scores,
)
from sipas_research.sem.standardize import RowIndex, standardized_values

#: Share of a row's information that must be left once the free parameters are taken out; below, freeing the row
#: changes nothing or leaves the model without identification.
_LEFT = 1e-8


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Part:
    """Candidates of one group with their test."""

    keys: tuple[Key, ...]
    rows: RowIndex
    index: Array
    change: Array


def modification_indices(fit: SemFit) -> pd.DataFrame:
    """Return a score test of each fixed parameter, largest first.

    Candidates are the fixed rows of the table and the relations that the model leaves out (see
    :func:`.candidates.candidates`), one at a time, the restrictions of the model kept. Candidates whose freeing
    cannot be told apart from the model's own parameters are left out.

    ``mi = n s^2 / v`` and ``epc = s / v`` with the score s of one row of data and the information
    ``v = I_ee - I_em K (K' I_mm K)^-1 K' I_me`` (expected; Sorbom 1989, Psychometrika 54, 371-384; Saris, Satorra &
    Sorbom 1987). Under ULS, whose information is not the variance of the score, the test is the generalised one of
    Satorra (1989), Psychometrika 54, 131-151, at normality. What indices suggest was found in these data: it needs
    theory and new data.

    Parameters
    ----------
    fit : SemFit

    Returns
    -------
    DataFrame
        lhs, op, rhs, group, level, mi, epc, sepc_lv (latent variables at variance one), sepc_all (all variables);
        for robust estimators also mi_scaled: mi over the scaling factor of the model's chi-square, as in lavaan.

    Raises
    ------
    AnalysisError
        If the fit did not converge.
    """
    require_minimum(fit)
    place = places(fit.table)
    inside = inverse_within(fit.information.expected, fit.information.basis)
    parts = [_part(fit, group, place, inside) for group in range(len(fit.groups))]
    keys = [key for part in parts for key in part.keys]
    of_group = np.concatenate([part.rows.group for part in parts])
    change = np.concatenate([part.change for part in parts])
    names = [[key[part] for key in keys] for part in range(3)]
    lhs, op, rhs, group = text_columns(*names, [fit.table.groups[k] for k in of_group])
    columns = {
        "lhs": lhs,
        "op": op,
        "rhs": rhs,
        "group": group,
        "level": np.ones(len(keys), dtype=int),
        "mi": np.concatenate([part.index for part in parts]),
        "epc": change,
        "sepc_lv": np.concatenate([_standardized(fit, part, "lv") for part in parts]),
        "sepc_all": np.concatenate([_standardized(fit, part, "all") for part in parts]),
    }
    if fit.options.robust:
        columns["mi_scaled"] = columns["mi"] / fit.tests.model.scaling
    frame = pd.DataFrame(columns)[np.isfinite(columns["mi"])]
    return frame.sort_values("mi", ascending=False, kind="stable", ignore_index=True)


def _part(fit: SemFit, group: int, place: dict[str, int], inside: Array) -> _Part:
    keys = candidates(fit.table, group)
    rows = _rows(keys, group, place)
    where = directions(fit.groups[group], rows.left, rows.right, rows.kind)
    across, own = _blocks(fit, group, where, fit.optimum.point.residuals[group].weight)
    through = across @ inside
    left = own - np.einsum("ij,ij->i", through, across)
    usable = left > _LEFT * np.where(own > 0, own, np.inf)
    score = scores(fit, group, where)
    variance = left
    if fit.options.estimator == "ULS":
        variance = _normal_variance(fit, group, where, through)
    with np.errstate(invalid="ignore", divide="ignore"):
        change = np.where(usable, score / left, np.nan)
        index = np.where(usable & (variance > 0), fit.problem.n * score**2 / variance, np.nan)
    return _Part(keys, rows, index, change)


def _blocks(fit: SemFit, group: int, where: Directions, weight: Array) -> tuple[Array, Array]:
    """Return the information between a group's candidates and all free parameters, and of each candidate."""
    target, free = fit.problem.targets[group], fit.groups[group]
    by_moments = fit.optimum.point.residuals[group].by_moments
    if by_moments is None:
        across, own = crossed(where, free, weight, means=target.mean is not None)
    else:
        across, own = crossed_holes(where, free, by_moments(False))
    return target.share * free_columns(free.layout, fit.problem.size, across), target.share * own


def _normal_variance(fit: SemFit, group: int, where: Directions, through: Array) -> Array:
    """Return the variance of the scores, free parameters taken out, under normality: J_ee - 2 B J_me + B J_mm B'."""
    target, weight = fit.problem.targets[group], fit.optimum.point.residuals[group].weight
    across, own = _blocks(fit, group, where, weight @ target.cov @ weight)
    spread = normal_theory(fit.problem, fit.optimum)
    return np.asarray(
        own - 2.0 * np.einsum("ij,ij->i", through, across) + np.einsum("ij,ij->i", through @ spread, through)
    )


def _rows(keys: tuple[Key, ...], group: int, place: dict[str, int]) -> RowIndex:
    """Return the positions of candidates as rows of a table."""
    left = np.array([place[rhs if op == "=~" else lhs] for lhs, op, rhs in keys], dtype=np.intp)
    right = np.array([place[lhs if op in ("=~", "~1") else rhs] for lhs, op, rhs in keys], dtype=np.intp)
    kind = [0 if op in ("=~", "~") else 3 if op == "~1" else 2 if lhs == rhs else 1 for lhs, op, rhs in keys]
    count = len(keys)
    return RowIndex(
        np.full(count, group, dtype=np.intp), left, right, np.array(kind, dtype=np.intp),
        np.full(count, -1, dtype=np.intp), np.zeros(count), np.zeros(count, dtype=bool),
    )  # fmt: skip


def _standardized(fit: SemFit, part: _Part, scale: str) -> Array:
    found = standardized_values(part.rows, part.change, fit.groups, "lv" if scale == "lv" else "all")
    return np.where(np.isfinite(found), found, np.nan)
