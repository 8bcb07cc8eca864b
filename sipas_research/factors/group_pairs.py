"""Which groups differ from which: Tukey, Games-Howell, and pairs that let forms of one agency resemble each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from sipas_research.factors.group_result import PairRow
from sipas_research.numerics import group_tests
from sipas_research.numerics.correlation import Array
from sipas_research.numerics.intervals import t_quantile, t_tails
from sipas_research.numerics.multiplicity import holm
from sipas_research.numerics.sandwich import cluster_covariance
from sipas_research.numerics.studentized_range import range_quantile, range_tail

NAN = float("nan")
_ROOT = float(np.sqrt(2.0))


def tukey(labels: Sequence[str], groups: Sequence[Array], level: float) -> list[PairRow]:
    """Return all pairs with one variance for all groups (Tukey 1953; Kramer 1956 for unequal sizes)."""
    _, within = group_tests.sums_of_squares(groups)
    df = float(sum(map(len, groups)) - len(groups))
    quantile = range_quantile(1 - level, len(groups), df)
    rows = []
    for i, j in combinations(range(len(groups)), 2):
        difference = float(groups[i].mean() - groups[j].mean())
        error = float(np.sqrt(within / df * (1 / len(groups[i]) + 1 / len(groups[j]))))
        if error == 0:
            rows.append(PairRow("tukey", labels[i], labels[j], difference, NAN, NAN, NAN, NAN))
            continue
        reach = quantile / _ROOT * error
        p = range_tail(abs(difference) / error * _ROOT, len(groups), df)
        rows.append(
            PairRow("tukey", labels[i], labels[j], difference, error, difference - reach, difference + reach, p)
        )
    return rows


def games_howell(labels: Sequence[str], groups: Sequence[Array], level: float) -> list[PairRow]:
    """Return all pairs with their own variances: the studentized range on Welch's df (Games & Howell 1976)."""
    rows = []
    for i, j in combinations(range(len(groups)), 2):
        welch = group_tests.welch_t(groups[i], groups[j], level)
        ends, error, p = (NAN, NAN), NAN, NAN
        if np.isfinite(welch.statistic):
            error = welch.std_error
            reach = range_quantile(1 - level, len(groups), welch.df2) / _ROOT * error
            ends = (welch.estimate - reach, welch.estimate + reach)
            p = range_tail(abs(welch.statistic) * _ROOT, len(groups), welch.df2)
        rows.append(PairRow("games_howell", labels[i], labels[j], welch.estimate, error, *ends, p))
    return rows


def cluster_pairs(
    labels: Sequence[str], values: Array, member: np.ndarray, clusters: np.ndarray, level: float
) -> list[PairRow]:
    """Return all pairs with covariance robust to clusters: t on G - 1 degrees of freedom.

    p-values are Holm's (1979), intervals Bonferroni's. Cameron & Miller (2015), Journal of Human Resources 50, 317-372.

    Parameters
    ----------
    labels : sequence of str, k of them
    values : (n,) array
    member : (n,) array of int
        Group of each row, 0 to k - 1.
    clusters : (n,) array of int
    """
    design = np.eye(len(labels))[member]
    means = np.array([values[member == place].mean() for place in range(len(labels))])
    df = len(np.unique(clusters)) - 1.0
    pairs = list(combinations(range(len(labels)), 2))
    covariance = cluster_covariance(design, values - means[member], clusters)
    errors = np.sqrt([max(0.0, covariance[i, i] + covariance[j, j] - 2 * covariance[i, j]) for i, j in pairs])
    if df < 1 or not errors.all():
        return []
    differences = np.array([means[i] - means[j] for i, j in pairs])
    tails = holm(np.array([t_tails(t, df) for t in differences / errors]))
    reach = t_quantile(1 - (1 - level) / len(pairs), df) * errors
    return [
        PairRow("cluster_holm", labels[i], labels[j], float(d), float(e), float(d - r), float(d + r), float(p))
        for (i, j), d, e, r, p in zip(pairs, differences, errors, reach, tails, strict=True)
    ]
