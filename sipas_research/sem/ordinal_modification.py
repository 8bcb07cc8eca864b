"""Modification indices of a model of ordered answers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sipas_research.numerics.correlation import Array
from sipas_research.sem.candidates import Key, candidates
from sipas_research.sem.implied import Implied
from sipas_research.sem.information import inverse_within
from sipas_research.sem.layout import Layout, places
from sipas_research.sem.ordinal_information import pulled_slopes
from sipas_research.sem.ordinal_problem import weighted
from sipas_research.sem.ordinal_structure import OrdinalImplied, OrdinalLayout
from sipas_research.sem.row_scores import require_minimum
from sipas_research.sem.standardize import RowIndex, standardized_values

if TYPE_CHECKING:
    from sipas_research.sem.ordinal_result import OrdinalFit

#: Share of a candidate's information that must be left once the free parameters are taken out.
_LEFT = 1e-8
_KINDS = {"=~": 0, "~": 0, "~1": 3, "|": 4, "~*~": 5}


def ordinal_modification_indices(fit: OrdinalFit) -> pd.DataFrame:
    """Return by how much the plain statistic would about fall if one fixed parameter were estimated, largest first.

    With slopes d of a candidate, D of the free parameters, and the rest e = s - sigma: score d'We (times (n - 1) / n),
    information v = d'Wd - d'WD (D'WD)^-1 D'Wd; ``mi = n score^2 / v``, ``epc = score / v``, as in lavaan. With diagonal
    weights v is not the variance of the score, so that indices order candidates but follow no chi-square
    distribution.

    Returns
    -------
    DataFrame
        lhs, op, rhs, group, level, mi, epc, sepc_lv, sepc_all.

    Raises
    ------
    AnalysisError
        If the fit did not converge.
    """
    require_minimum(fit)
    inside = inverse_within(fit.information.expected, fit.information.basis)
    pulled = pulled_slopes(fit.problem, fit.ordinal)
    frames = [_group(fit, group, inside, pulled[group]) for group in range(len(fit.groups))]
    frame = pd.concat([each for each in frames if len(each)] or frames[:1], ignore_index=True)
    frame = frame[np.isfinite(frame["mi"].to_numpy(dtype=float))]
    return frame.sort_values("mi", ascending=False, kind="stable", ignore_index=True)


def _group(fit: OrdinalFit, group: int, inside: Array, pulled: Array) -> pd.DataFrame:
    keys = candidates(fit.table, group)
    keys = tuple(sorted(keys, key=lambda key: place_of_kind(key[1])))
    slopes = candidate_slopes(fit, group, keys)
    target, weight = fit.problem.targets[group], fit.problem.weights[group]
    score = target.pull * (slopes.T @ weighted(weight, fit.ordinal.missed[group]))
    own = target.share * np.einsum("ij,ij->j", slopes, weighted(weight, slopes))
    across = slopes.T @ pulled
    left = own - np.einsum("ij,ij->i", across @ inside, across)
    usable = left > _LEFT * np.where(own > 0, own, np.inf)
    with np.errstate(invalid="ignore", divide="ignore"):
        change = np.where(usable, score / left, np.nan)
        index = np.where(usable, fit.n * score**2 / left, np.nan)
    rows = _rows(keys, group, places(fit.table))
    scaled = [standardized_values(rows, change, fit.groups, scale) for scale in ("lv", "all")]
    return pd.DataFrame(
        {
            "lhs": [key[0] for key in keys],
            "op": [key[1] for key in keys],
            "rhs": [key[2] for key in keys],
            "group": fit.table.groups[group],
            "level": 1,
            "mi": index,
            "epc": change,
            "sepc_lv": scaled[0],
            "sepc_all": scaled[1],
        }
    )


def place_of_kind(op: str) -> int:
    """Return the place of a kind of row among the derivatives: paths, covariances, intercepts, thresholds, scales."""
    return {"=~": 0, "~": 0, "~~": 1, "~1": 2, "|": 3}.get(op, 4)


def candidate_slopes(fit: OrdinalFit, group: int, keys: tuple[Key, ...]) -> Array:
    """Return the slopes of a group's statistics by rows that need not be free, (s, k); keys in the order of kinds."""
    at, place = fit.ordinal.each[group], places(fit.table)
    paths = [(place[c], place[a]) if op == "=~" else (place[a], place[c]) for a, op, c in keys if op in ("=~", "~")]
    moving = [(place[left], place[right]) for left, op, right in keys if op == "~~"]
    means = [place[left] for left, op, _ in keys if op == "~1"]
    layout = at.layout
    own = {name: k for k, name in enumerate(layout.shape.names)}
    cuts, scales = np.full(len(layout.cuts), -1, dtype=np.intp), np.full(len(layout.scales), -1, dtype=np.intp)
    ranked = {
        (int(of), int(rank)): k
        for k, (of, rank) in enumerate(zip(layout.shape.cut_of, layout.shape.cut_rank, strict=True))
    }
    for number, (left, op, right) in enumerate(keys):
        if op == "|":
            cuts[ranked[own[left], int(right[1:])]] = number
        elif op == "~*~":
            scales[own[left]] = number
    turned = replace(layout, inner=layout.inner.of_rows(paths, moving, means), cuts=cuts, scales=scales)
    found = OrdinalImplied(turned, at.whole, _under(at.given, turned.inner), at.cuts, at.scale).slopes
    return found[:, _given_order(turned, keys)]


def _given_order(layout: OrdinalLayout, keys: tuple[Key, ...]) -> list[int]:
    """Return the column of each key: thresholds and scales come in the order of the statistics."""
    thresholds = layout.cuts[layout.cuts >= 0].tolist()
    scales = layout.scales[layout.scales >= 0].tolist()
    inner = len(keys) - len(thresholds) - len(scales)
    column = {number: inner + k for k, number in enumerate([*thresholds, *scales])}
    return [column.get(number, number) for number in range(len(keys))]


def _under(at: Implied, layout: Layout) -> Implied:
    return Implied(layout, at.inverse, at.residual, at.intercepts)


def _rows(keys: tuple[Key, ...], group: int, place: dict[str, int]) -> RowIndex:
    """Return the positions of candidates as rows of a table."""
    single = ("~1", "|", "~*~")
    left = np.array([place[rhs if op == "=~" else lhs] for lhs, op, rhs in keys], dtype=np.intp)
    right = np.array([place[lhs if op in ("=~", *single) else rhs] for lhs, op, rhs in keys], dtype=np.intp)
    kind = [_KINDS.get(op, 2 if lhs == rhs else 1) for lhs, op, rhs in keys]
    count = len(keys)
    return RowIndex(
        np.full(count, group, dtype=np.intp), left, right, np.array(kind, dtype=np.intp),
        np.full(count, -1, dtype=np.intp), np.zeros(count), np.zeros(count, dtype=bool),
    )  # fmt: skip
