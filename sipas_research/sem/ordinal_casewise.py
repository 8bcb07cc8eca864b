"""Thresholds, means, slopes, variances and correlations of ordered and continuous variables, given predictors.

Everything comes with what each row adds to it, so that one cross-product gives the covariance of all.
Muthén (1984), Psychometrika 49, 115-132; Muthén & Satorra (1995), Psychometrika 60, 489-503.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sipas_research.errors import AnalysisError
from sipas_research.numerics.correlation import Array, read_only
from sipas_research.numerics.ordered_regression import Margin, continuous_margin, ordered_margin
from sipas_research.numerics.pair_correlation import PairFit, ordered_pairs, pair_fit
from sipas_research.sem.clusters import Clusters
from sipas_research.sem.moments import GroupSample
from sipas_research.sem.ordinal_moments import MomentShape, OrdinalSample
from sipas_research.sem.ordinal_problem import where
from sipas_research.sem.ordinal_tables import from_tables


def casewise_sample(
    sample: GroupSample, shape: MomentShape, codes: NDArray[np.int8], numeric: Array, outside: Array,
    clusters: Clusters | None,
) -> OrdinalSample:  # fmt: skip
    """Return the statistics of one group.

    Parameters
    ----------
    sample : GroupSample
        For its label, weights and clusters.
    shape : MomentShape
    codes : (ordered items, n) array
    numeric : (n, continuous variables) array
    outside : (n, m) array
        Predictors.
    clusters : Clusters or None
        Of all groups, where rows come in some.
    """
    weights = np.ones(len(outside)) if sample.weights is None else np.asarray(sample.weights, dtype=float)
    margins = _margins(shape, codes, numeric, outside, weights, sample.label)
    moved = [_first_stage(margin, weights) for margin in margins]
    pattern = np.unique(outside, axis=0, return_inverse=True)[1].ravel()
    spread = np.sqrt([margin.variance for margin in margins])
    correlation = np.diag(spread**2)
    rows, values = np.empty((len(weights), shape.size)), np.empty(shape.size)
    _fill_margins(shape, margins, moved, rows, values)
    last = shape.starts[2]
    both = [(margins[i], margins[j]) for i, j in zip(*shape.pairs, strict=True)]
    ordered = [k for k, (one, other) in enumerate(both) if one.codes is not None and other.codes is not None]
    starts = _without_predictors(shape, codes, sample.weights)
    found_pairs = ordered_pairs([both[k] for k in ordered], outside, weights, pattern, starts)
    known = dict(zip(ordered, found_pairs, strict=True))
    for k, (i, j) in enumerate(zip(*shape.pairs, strict=True)):
        found = known[k] if k in known else pair_fit(*both[k], outside, weights, pattern)
        if not np.isfinite(found.correlation):
            pair = f"{shape.names[i]}, {shape.names[j]}"
            raise AnalysisError("sem_ordinal.error.perfect", pairs=pair, group=where(sample.label))
        cov = found.correlation * spread[i] * spread[j]
        correlation[i, j] = correlation[j, i] = values[last + k] = cov
        turned = spread[i] * spread[j] * _second_stage(found, moved[i], moved[j], weights)
        for item in (i, j):
            if margins[item].codes is None:
                turned += 0.5 * cov / margins[item].variance * moved[item][:, -1]
        rows[:, last + k] = turned
    alone = sample.total * np.einsum("ij,ij->j", rows, rows)
    gamma, sums = sample.total * (rows.T @ rows), None
    if clusters is not None and sample.clusters is not None:
        sums = np.zeros((clusters.count, shape.size))
        np.add.at(sums, sample.clusters, rows)
        sums *= clusters.stretch[:, None]
        gamma = sample.total * (sums.T @ sums)
    centre = weights @ outside / weights.sum()
    around = outside - centre
    spread_outside = (around * weights[:, None]).T @ around / weights.sum()
    if sample.weights is None:  # as lavaan has it
        spread_outside *= len(weights) / (len(weights) - 1)
    return OrdinalSample(
        sample.label, shape, sample.n, sample.total, read_only(values), read_only(gamma), read_only(alone),
        read_only(correlation), read_only(spread_outside), read_only(centre), cluster_sums=sums,
    )  # fmt: skip


def _margins(
    shape: MomentShape, codes: NDArray[np.int8], numeric: Array, outside: Array, weights: Array, label: str
) -> list[Margin]:
    ordered, continuous = iter(codes), iter(numeric.T)
    found = []
    for name, size in zip(shape.names, shape.categories, strict=True):
        if size:
            margin = ordered_margin(next(ordered).astype(np.intp), size, outside, weights)
        else:
            margin = continuous_margin(next(continuous), outside, weights)
        if margin is None:
            raise AnalysisError("sem_ordinal.error.regression", name=name, group=where(label))
        found.append(margin)
    return found


def _without_predictors(shape: MomentShape, codes: NDArray[np.int8], weights: Array | None) -> Array | None:
    """Return the polychoric correlations of all pairs of ordered items as they are without predictors."""
    if len(codes) < 2:
        return None
    categories = tuple(shape.categories[k] for k in shape.ordered)
    fit, _ = from_tables(codes, categories, weights)
    return np.asarray(fit.correlation[np.triu_indices(len(codes), 1)])


def _first_stage(margin: Margin, weights: Array) -> Array:
    """Return what each row adds to a margin's parameters, (n, u): its weighted score over the scores' cross-product."""
    pulled = weights[:, None] * margin.scores
    return np.asarray(np.linalg.solve(margin.scores.T @ pulled, pulled.T).T)


def _second_stage(found: PairFit, one: Array, other: Array, weights: Array) -> Array:
    """Return what each row adds to a correlation, the margins' own errors followed through."""
    taken = one @ found.across[0] + other @ found.across[1]
    return np.asarray((weights * found.score - taken) / float(weights @ found.score**2))


def _fill_margins(
    shape: MomentShape, margins: Sequence[Margin], moved: Sequence[Array], rows: Array, values: Array
) -> None:
    start, middle, _, _ = shape.starts
    width = len(shape.predictors)
    cut = variance = 0
    for item, (margin, part) in enumerate(zip(margins, moved, strict=True)):
        size = len(margin.cuts)
        values[cut : cut + size] = margin.cuts
        rows[:, cut : cut + size] = part[:, :size]
        cut += size
        here = slice(start + item * width, start + (item + 1) * width)
        values[here] = margin.slopes
        rows[:, here] = part[:, size : size + width]
        if margin.codes is None:
            values[middle + variance] = margin.variance
            rows[:, middle + variance] = part[:, -1]
            variance += 1
