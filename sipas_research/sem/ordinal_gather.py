"""From the rows of each group to the statistics that ordered answers are fitted through."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sipas_research.errors import AnalysisError
from sipas_research.numerics.contingency import MOST_CATEGORIES, find_levels
from sipas_research.numerics.correlation import Array, read_only
from sipas_research.sem.clusters import Clusters
from sipas_research.sem.moments import GroupSample
from sipas_research.sem.ordinal_moments import MomentShape, OrdinalSample
from sipas_research.sem.ordinal_problem import where
from sipas_research.sem.ordinal_tables import covariance_of, from_tables, sums_of

Codes = NDArray[np.int8]


def rows_of(sample: GroupSample) -> Array:
    """Return the rows of a group, (n, p).

    Raises
    ------
    AnalysisError
        If only moments are known.
    """
    if sample.rows is None:
        raise AnalysisError("sem_ordinal.error.rows")
    return np.concatenate([np.asarray(block, dtype=float) for block in sample.rows()])


def categories_of(samples: Sequence[GroupSample], rows: Sequence[Array], ordered: Sequence[str]) -> dict[str, Array]:
    """Return the answers of each ordered item that occur, over all groups; each group must have all of them.

    Raises
    ------
    AnalysisError
        If answers are not whole numbers, too many, or a category is empty in a group.
    """
    found: dict[str, Array] = {}
    columns = [samples[0].names.index(name) for name in ordered]
    each = [find_levels([values[:, column] for column in columns], complete_only=False)[0] for values in rows]
    for place, name in enumerate(ordered):
        here = [levels[place] for levels in each]
        if any(level.trouble in ("fraction", "infinite") for level in here):
            raise AnalysisError("sem_ordinal.error.fractions", name=name)
        known = np.unique(np.concatenate([np.array(level.values, dtype=float) for level in here]))
        if any(level.trouble for level in here) or not 2 <= len(known) <= MOST_CATEGORIES:
            count = max(len(np.unique(values[:, columns[place]])) for values in rows)
            raise AnalysisError("sem_ordinal.error.categories", name=name, found=count, most=MOST_CATEGORIES)
        for sample, level in zip(samples, here, strict=True):
            empty = np.setdiff1d(known, level.values)
            if len(empty):
                answers = ", ".join(str(int(value)) for value in empty)
                raise AnalysisError(
                    "sem_ordinal.error.empty_category", name=name, answers=answers, group=where(sample.label)
                )
        found[name] = known
    return found


def places_of(answers: Array, known: Array) -> Codes:
    """Return the places of answers among the categories; a missing answer stands behind the last."""
    missing = np.isnan(answers)
    if missing.any():
        return np.where(missing, len(known), np.searchsorted(known, answers)).astype(np.int8)
    if known[-1] - known[0] == len(known) - 1:
        return (answers - known[0]).astype(np.int8)
    return np.searchsorted(known, answers).astype(np.int8)


def ordinal_sample(
    sample: GroupSample,
    rows: Array,
    categories: dict[str, Array],
    predictors: Sequence[str],
    clusters: Clusters | None,
) -> OrdinalSample:
    """Return the statistics of a group.

    Parameters
    ----------
    sample : GroupSample
    rows : (n, p) array
        In the order of ``sample.names``.
    categories : dict of str to array
        Answers of the ordered items.
    predictors : sequence of str
        Observed predictors that everything is conditional on.
    clusters : Clusters or None
        Of all groups, where rows come in some.
    """
    names = tuple(name for name in sample.names if name not in predictors)
    shape = MomentShape(names, tuple(predictors), tuple(len(categories.get(name, ())) for name in names))
    place = {name: k for k, name in enumerate(sample.names)}
    codes = np.array(
        [places_of(rows[:, place[name]], categories[name]) for name in names if name in categories], dtype=np.int8
    )
    if len(predictors) or len(shape.numeric):
        from sipas_research.sem.ordinal_casewise import casewise_sample

        numeric = rows[:, [place[names[k]] for k in shape.numeric]]
        outside = rows[:, [place[name] for name in predictors]]
        return casewise_sample(sample, shape, codes, numeric, outside, clusters)
    fit, looked_up = from_tables(codes, shape.categories, sample.weights)
    _require_correlations(fit.correlation, fit.perfect, names, sample.label)
    covariance = covariance_of(codes, sample.weights, looked_up)
    gamma, sums = sample.total * covariance, None
    alone = np.diag(gamma)
    if clusters is not None and sample.clusters is not None:
        totals = sums_of(codes, sample.weights, looked_up, sample.clusters, clusters.count)
        sums = clusters.stretch[:, None] * totals
        gamma = sample.total * (sums.T @ sums)
    values = np.concatenate([*fit.thresholds, fit.correlation[shape.pairs]])
    upper = np.triu_indices(len(names), 1)
    empty = int((fit.empty_cells[upper] > 0).sum())
    return OrdinalSample(
        sample.label, shape, sample.n, sample.total, read_only(values), read_only(gamma), read_only(alone),
        read_only(np.array(fit.correlation)),
        empty_pairs=empty, adjusted=int(fit.adjusted[upper].sum()), cluster_sums=sums,
    )  # fmt: skip


def _require_correlations(correlation: Array, perfect: NDArray[np.bool_], names: Sequence[str], label: str) -> None:
    """Stop where a pair of items has no correlation, or one of exactly one."""
    upper = np.triu(np.ones_like(correlation, dtype=bool), 1)
    bad = upper & (~np.isfinite(correlation) | perfect)
    if bad.any():
        pairs = [f"{names[i]}, {names[j]}" for i, j in zip(*np.nonzero(bad), strict=True)]
        raise AnalysisError("sem_ordinal.error.perfect", pairs="; ".join(pairs[:5]), group=where(label))
