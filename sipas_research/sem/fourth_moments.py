"""Fourth moments of the rows in the few sums that robust tests need, weighted and clustered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dpotrf, dtrtri

from sipas_research.numerics.correlation import Array
from sipas_research.sem.clusters import Clusters, Codes, add_by_cluster, in_order, starts_of
from sipas_research.sem.moments import GroupSample

Block = tuple[Array, "Array | None", "Codes | None"]
#: Numbers of the products of clusters that are held at a time.
_HELD = 2**23
#: Rows a cluster from which its products are formed by themselves rather than row by row.
_MANY = 12


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FourthMoments:
    """Traces tr(A^-1 B) of unrestricted models of one group, p variables, t the sum of the weights.

    With z a row less the weighted means, sums over a cluster c (a row by itself without clusters)
    z_c = sum w z and Q_c = sum w (z z' - S), and C / (C - 1) for clusters:

    Attributes
    ----------
    covariances, means : float
        Sums of tr(V Q_c V Q_c) and of z_c' V z_c over t, V = S^-1.
    own_covariances, own_means : (p,) arrays
        The same of each variable by itself.
    outside_covariances, outside_means : float
        The same of the variables that only explain others; 0 without.
    """

    covariances: float
    means: float
    own_covariances: Array
    own_means: Array
    outside_covariances: float
    outside_means: float


def passed(sample: GroupSample) -> Iterator[Block]:
    """Yield the rows of a group less their means, as columns of (p, k) arrays, with their weights and clusters.

    Within a block the rows of a cluster stand together.
    """
    if sample.rows is None or sample.mean is None:
        raise ValueError("rows and means are needed")
    first = 0
    for block in sample.rows():
        last = first + len(block)
        weights = None if sample.weights is None else sample.weights[first:last]
        codes = None if sample.clusters is None else sample.clusters[first:last]
        order = None if codes is None else in_order(codes)
        if codes is None or order is None:
            yield block.T - sample.mean[:, None], weights, codes
        else:
            yield block[order].T - sample.mean[:, None], None if weights is None else weights[order], codes[order]
        first = last


class FourthSums:
    """Adds up fourth moments of rows that stand by themselves, block by block."""

    __slots__ = ("_inner", "_own", "_sample", "_sums", "_whitened")

    def __init__(self, sample: GroupSample, sources: tuple[int, ...]) -> None:
        self._sample = sample
        self._whitened = _whitener(sample.cov, sources)
        self._inner = len(sources)
        self._sums = np.zeros(4)
        self._own = np.zeros((2, len(sample.cov)))

    def add(self, across: Array, weights: Array | None) -> None:
        """Count the rows that are columns of ``across``."""
        white = self._whitened @ across
        white *= white
        inner = white[: self._inner].sum(axis=0)
        whole = inner + white[self._inner :].sum(axis=0)
        squares = across * across
        squares /= self._sample.cov.diagonal()[:, None]
        if weights is None:  # the means of the distances are known: p, and one for each variable
            self._sums += (whole @ whole, 0.0, inner @ inner, 0.0)
            self._own[0] += np.einsum("ij,ij->i", squares, squares)
            return
        heavy = weights * weights
        p, q = len(across), self._inner
        self._sums += (
            heavy @ (whole * (whole - 2.0) + p), heavy @ whole, heavy @ (inner * (inner - 2.0) + q), heavy @ inner,
        )  # fmt: skip
        self._own[1] += squares @ heavy
        squares -= 1.0
        squares *= squares
        self._own[0] += squares @ heavy

    def found(self) -> FourthMoments:
        """Return the traces."""
        total, p, q = self._sample.total, len(self._sample.cov), self._inner
        whole, mean, inner, inner_mean = (self._sums / total).tolist()
        own = self._own / total
        if self._sample.weights is None:
            return FourthMoments(whole - p, float(p), own[0] - 1.0, np.ones(p), inner - q, float(q))
        return FourthMoments(whole, mean, own[0], own[1], inner, inner_mean)


def clustered_fourth_moments(sample: GroupSample, sources: tuple[int, ...], clusters: Clusters) -> FourthMoments:
    """Return the traces of a group whose rows come in clusters.

    Memory does not depend on the number of clusters: where their products would be too many, the rows are passed
    over several times, for some clusters each.
    """
    p, q = len(sample.cov), len(sources)
    white = _whitener(sample.cov, sources)
    spread = sample.cov.diagonal()
    left, right = np.triu_indices(p)
    twice, same = np.where(left == right, 1.0, 2.0), np.flatnonzero(left == right)
    inner = np.flatnonzero(right < q)
    step = max(1, _HELD // len(left))
    sums, own = np.zeros(4), np.zeros((2, p))
    for first in range(0, len(clusters.stretch), step):
        factor = clusters.stretch[first : first + step] ** 2
        mass, mean, squares, second = _cluster_moments(sample, white, first, len(factor))
        second[:, same] -= mass[:, None]
        raw = squares / spread - mass[:, None]
        pulled = (mean @ white.T) ** 2
        second *= second
        sums += (
            factor @ (second @ twice), factor @ pulled.sum(axis=1),
            factor @ (second[:, inner] @ twice[inner]), factor @ pulled[:, :q].sum(axis=1),
        )  # fmt: skip
        own += factor @ raw**2, factor @ (mean**2 / spread)
    whole, mean_part, inside, inside_mean = (sums / sample.total).tolist()
    own /= sample.total
    return FourthMoments(whole, mean_part, own[0], own[1], inside, inside_mean)


def _cluster_moments(sample: GroupSample, white: Array, first: int, count: int) -> tuple[Array, Array, Array, Array]:
    """Return sums over clusters: weights, w z, w z^2 variable by variable, w y y' above the diagonal, y whitened."""
    p = len(white)
    plain = np.zeros((count, 1 + 2 * p))
    second = np.zeros((count, p * (p + 1) // 2))
    for across, given, codes in passed(sample):
        if codes is None:
            raise ValueError("clusters are needed")
        inside = slice(*np.searchsorted(codes, [first, first + count]).tolist())
        rows, own = across[:, inside], codes[inside] - first
        if not len(own):
            continue
        weights = np.ones(len(own)) if given is None else given[inside]
        heavy = rows * weights
        add_by_cluster(plain, own, np.concatenate([weights[None], heavy, heavy * rows]))
        _add_products(second, own, white @ rows, weights)
    return plain[:, 0], plain[:, 1 : p + 1], plain[:, p + 1 :], second


def _add_products(second: Array, codes: Codes, rows: Array, weights: Array) -> None:
    """Add w y y' of the columns y of ``rows``, in the order of their clusters, to each cluster's upper triangle."""
    left, right = np.triu_indices(len(rows))
    starts = starts_of(codes)
    heavy = rows * weights
    if len(codes) < _MANY * len(starts):
        second[codes[starts]] += np.add.reduceat(rows[left] * heavy[right], starts, axis=1).T
        return
    ends = [*starts[1:].tolist(), len(codes)]
    for start, end in zip(starts.tolist(), ends, strict=True):
        second[codes[start]] += (rows[:, start:end] @ heavy[:, start:end].T)[left, right]


def _whitener(cov: Array, sources: tuple[int, ...]) -> Array:
    """Return X with X S X' = I whose first rows whiten the sources alone; zeros where S has no inverse."""
    order = np.concatenate([np.array(sources, dtype=np.intp), np.setdiff1d(np.arange(len(cov)), sources)])
    result = np.zeros_like(cov)
    factor, failed = dpotrf(cov[np.ix_(order, order)], lower=1, clean=1)
    if not failed:
        result[:, order] = dtrtri(factor, lower=1)[0]
    return result
