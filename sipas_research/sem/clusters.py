"""Rows that depend on each other: their scores are summed within clusters before anything is squared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from sipas_research.errors import AnalysisError
from sipas_research.numerics.correlation import Array, read_only
from sipas_research.sem.holes import Holes
from sipas_research.sem.moments import GroupSample

Codes = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Clusters:
    """The clusters of all groups.

    Attributes
    ----------
    count : int
        C of them, over all groups.
    stretch : (C,) array
        Root of C_s / (C_s - 1) with C_s the clusters of the set of groups that a cluster belongs to.

    Notes
    -----
    Groups that share clusters count them together: their scores covary, and the covariance is kept. Groups that share
    none are independent samples and count their own, as strata do (Fuller 1975, Sankhya C 37, 117-132).
    """

    count: int
    stretch: Array


def clusters_of(samples: Sequence[GroupSample | Holes]) -> Clusters | None:
    """Return the clusters of all groups, or None where rows stand by themselves.

    Raises
    ------
    AnalysisError
        If a set of groups has a single cluster: nothing then tells how clusters differ.
    """
    held = [sample.clusters for sample in samples]
    codes = [each for each in held if each is not None]
    if not codes or len(codes) < len(held):
        return None
    own = [np.unique(each) for each in codes]
    count = 1 + max(int(each[-1]) for each in own)
    group = np.repeat(np.arange(len(own)), [len(each) for each in own])
    joined = np.concatenate(own)
    shape = len(own) + count
    links = coo_matrix((np.ones(len(joined)), (group, len(own) + joined)), shape=(shape, shape))
    part = connected_components(links, directed=False)[1][len(own) :]
    present = np.unique(joined)
    sizes = np.bincount(part[present], minlength=int(part.max()) + 1).astype(np.float64)
    alone = [s.label for s, c in zip(samples, own, strict=True) if sizes[part[c[0]]] < 2]
    if alone:
        where = f" [{', '.join(alone)}]" if any(alone) else ""
        raise AnalysisError("sem_design.error.one_cluster", group=where)
    stretch = np.zeros(count)
    stretch[present] = np.sqrt(sizes[part[present]] / (sizes[part[present]] - 1.0))
    return Clusters(len(present), read_only(stretch))


def same_design(one: GroupSample, other: GroupSample) -> bool:
    """Return whether two samples of the same rows have the same weights and clusters of the same sizes."""
    pairs = zip(_marks(one), _marks(other), strict=True)
    return all(len(mine) == len(theirs) and np.allclose(mine, theirs, rtol=1e-6, atol=0.0) for mine, theirs in pairs)


def _marks(sample: GroupSample) -> tuple[Array, Array]:
    """Return weights and sizes of clusters in ascending order; empty where there are none."""
    weights = np.zeros(0) if sample.weights is None else np.sort(sample.weights)
    sizes = np.zeros(0) if sample.clusters is None else np.sort(np.bincount(sample.clusters)).astype(np.float64)
    return weights, sizes[sizes > 0]


def add_by_cluster(totals: Array, codes: Codes, values: Array) -> None:
    """Add the columns of ``values``, an (m, k) array, to the rows of ``totals``, (C, m), that ``codes`` name."""
    if not len(codes):
        return
    order = in_order(codes)
    run, whole = (codes, values) if order is None else (codes[order], values[:, order])
    starts = starts_of(run)
    totals[run[starts]] += np.add.reduceat(whole, starts, axis=1).T


def in_order(codes: Codes) -> Codes | None:
    """Return the order that brings the rows of a cluster together, or None where they are."""
    return None if (codes[1:] >= codes[:-1]).all() else np.argsort(codes, kind="stable")


def starts_of(run: Codes) -> Codes:
    """Return where each cluster begins among rows in order."""
    return np.concatenate([[0], np.flatnonzero(run[1:] != run[:-1]) + 1])


def products_of(totals: Array, clusters: Clusters) -> Array:
    """Return the sum over clusters of C_s / (C_s - 1) t t' with the (C, m) totals t of their scores."""
    wide = totals * clusters.stretch[:, None]
    return np.asarray(wide.T @ wide)


class ScoreSums:
    """Adds up products of casewise scores, weighted and within clusters, block by block."""

    __slots__ = ("_clusters", "_products", "totals")

    def __init__(self, count: int, clusters: Clusters | None) -> None:
        self._clusters = clusters
        self._products = np.zeros((count, count))
        #: Sums of the weighted scores of each cluster, (C, count); None where rows stand by themselves.
        self.totals = None if clusters is None else np.zeros((clusters.count, count))

    def add(self, scores: Array, weights: Array | None, codes: Codes | None) -> None:
        """Count the rows whose scores are the columns of ``scores``, which is changed."""
        if weights is not None:
            scores *= weights
        if self.totals is None or codes is None:
            self._products += scores @ scores.T
        else:
            add_by_cluster(self.totals, codes, scores)

    def products(self) -> Array:
        """Return the sum of the products."""
        if self.totals is None or self._clusters is None:
            return self._products
        return products_of(self.totals, self._clusters)
