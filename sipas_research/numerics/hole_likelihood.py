"""The normal likelihood of incomplete rows, with first and second derivatives by means and covariances.

Each pattern of holes has a weight matrix V: the inverse of the covariance matrix of the variables that are there,
padded with zeros. It comes from the inverse of the whole matrix by taking the holes out, batch by batch. With d the
pattern's mean less mu and T its mean product about mu, the discrepancy is the weighted mean over patterns of
log|Sigma_r| + tr(V T): minus two log-likelihoods a row, but for the constant (Arbuckle 1996).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sipas_research.numerics.correlation import Array
from sipas_research.numerics.hole_patterns import Batch, Index, Patterns


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class HolePoint:
    """The discrepancy of incomplete rows at some means and covariances, all per row.

    Attributes
    ----------
    value : float
        Mean of log|Sigma_r| + tr(V_r T_r).
    slope : (p, p) array
        Mean of V - V T V: the derivative by Sigma.
    pull : (p,) array
        Mean of V d: minus half the derivative by mu.
    """

    value: float
    slope: Array
    pull: Array


def inverse_of(matrix: Array) -> tuple[Array, float] | None:
    """Return inverse and log-determinant of a positive definite matrix, or None."""
    try:
        factor = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return None
    log_determinant = 2.0 * float(np.log(factor.diagonal()).sum())
    root = np.linalg.inv(factor)
    return (root.T @ root, log_determinant) if np.isfinite(log_determinant) else None


def hole_point(patterns: Patterns, mean: Array, cov: Array) -> HolePoint | None:
    """Return value and slopes at ``mean`` and ``cov``, or None where ``cov`` is not positive definite."""
    whole = inverse_of(cov)
    if whole is None:
        return None
    value, slope, pull = 0.0, np.zeros_like(cov), np.zeros(len(cov))
    for batch in patterns.batches:
        weight, log_determinant = _weights(batch, cov, *whole)
        away, pulled = _pulled(batch, weight, mean)
        weighed = batch.weight[:, None] * pulled
        value += float(batch.weight @ log_determinant) + float(np.sum(weighed * away))
        slope += np.tensordot(batch.weight, weight, 1) - pulled.T @ weighed
        pull += weighed.sum(axis=0)
        if batch.products is not None:
            value += float(np.sum(weight * batch.products))
            slope -= np.sum(weight @ batch.products @ weight, axis=0)
    total = patterns.total
    return HolePoint(value / total, (slope + slope.T) / (2.0 * total), pull / total)


def hole_curvature(patterns: Patterns, mean: Array, cov: Array, *, observed: bool) -> Array | None:
    """Return the second derivatives of the discrepancy by (mu, vech Sigma), or their expectation given the holes.

    Returns
    -------
    (m, m) array, m = p + p (p + 1)/2: means first, then the lower triangle column by column. Information of one row
    is half of it.
    """
    whole = inverse_of(cov)
    if whole is None:
        return None
    size = len(cov)
    rows, columns = lower(size)
    turned, crossed, means = np.zeros((len(rows), len(rows))), np.zeros((len(rows), size)), np.zeros((size, size))
    for batch in patterns.batches:
        weight, _ = _weights(batch, cov, *whole)
        means += np.tensordot(batch.weight, weight, 1)
        flat = weight[:, rows, columns]
        if not observed:
            turned += (flat * batch.weight[:, None]).T @ flat
            continue
        _, pulled = _pulled(batch, weight, mean)
        weighed = batch.weight[:, None] * pulled
        other = 2.0 * weighed[:, rows] * pulled[:, columns] - batch.weight[:, None] * flat
        if batch.products is not None:
            other += 2.0 * (weight @ batch.products @ weight)[:, rows, columns]
        turned += flat.T @ other
        crossed += flat.T @ weighed
    result = np.zeros((size + len(rows),) * 2)
    result[:size, :size] = 2.0 * means
    result[size:, size:] = paired(turned, size)
    if observed:
        block = turned_means(crossed, size)
        result[:size, size:] = block
        result[size:, :size] = block.T
    return result / patterns.total


def paired(products: Array, size: int) -> Array:
    """Return tr(V E_a Q E_b) of all pairs of unit matrices from ``products`` = vech V (vech Q)'."""
    half, index = _grid(size)
    found = np.sum([products[left, right] for left, right in index], axis=0)
    found = found + found.T
    return np.asarray(0.5 * half[:, None] * half * found)


def turned_means(crossed: Array, size: int) -> Array:
    """Return 2 V E_a h of all unit matrices, a (p, p (p + 1)/2) array, from ``crossed`` = vech V h'."""
    half, _ = _grid(size)
    place = _place(size)
    rows, columns = lower(size)
    every = np.arange(size)[:, None]
    return np.asarray(2.0 * half * (crossed[place[every, rows], columns] + crossed[place[every, columns], rows]))


def hole_weights(there: NDArray[np.bool_], cov: Array) -> Iterator[tuple[Index, Array]]:
    """Yield, batch by batch, numbers of patterns and their (K, p, p) weight matrices.

    Parameters
    ----------
    there : (P, p) array of bool
        Where patterns hold a value.
    cov : (p, p) array
    """
    size = len(cov)
    whole = inverse_of(cov)
    if whole is None:
        raise ValueError("a positive definite matrix is needed")
    holes = size - there.sum(axis=1)
    step = max((1 << 20) // size**2, 16)
    for number in np.unique(holes):
        among = np.flatnonzero(holes == number)
        for start in range(0, len(among), step):
            k = among[start : start + step]
            absent = np.logical_not(there[k])
            gone = np.nonzero(absent)[1].reshape(len(k), number)
            held = np.nonzero(~absent)[1].reshape(len(k), size - number)
            batch = Batch(gone, held, np.ones(len(k)), np.zeros((0, size)), None)
            yield k, _weights(batch, cov, *whole)[0]


def lower(size: int) -> tuple[Index, Index]:
    """Return rows and columns of the lower triangle, column by column."""
    columns, rows = np.triu_indices(size)
    return rows, columns


@lru_cache(maxsize=8)
def _place(size: int) -> Index:
    """Return the position of each cell of a symmetric matrix among those of its lower triangle."""
    rows, columns = lower(size)
    place = np.zeros((size, size), dtype=np.intp)
    place[rows, columns] = place[columns, rows] = np.arange(len(rows))
    place.flags.writeable = False
    return place


@lru_cache(maxsize=8)
def _grid(size: int) -> tuple[Array, tuple[tuple[Index, Index], ...]]:
    """Return s (one half on the diagonal) and where the four products V_li Q_jk of a pair (ij), (kl) stand."""
    place, (i, j) = _place(size), lower(size)
    half = np.where(i == j, 0.5, 1.0)
    first, second = (i[:, None], j[:, None]), (i[None, :], j[None, :])
    index = tuple(
        (place[second[1 - b], first[a]], place[first[1 - a], second[b]]) for a in (0, 1) for b in (0, 1)
    )  # fmt: skip
    return half, index


def _weights(batch: Batch, cov: Array, inverse: Array, log_determinant: float) -> tuple[Array, Array]:
    """Return the padded inverses (K, p, p) of a batch and the log-determinants of what is there."""
    count, number = batch.holes.shape
    size = len(cov)
    if not number:
        return np.broadcast_to(inverse, (count, size, size)), np.full(count, log_determinant)
    if 2 * number > size:
        return _direct(batch, cov)
    gone = batch.holes
    inner = inverse[gone[:, :, None], gone[:, None, :]]
    across = inverse[gone]
    factor = np.linalg.cholesky(inner)
    half = across / factor if number == 1 else np.linalg.solve(factor, across)
    result = inverse - half.transpose(0, 2, 1) @ half
    each = np.arange(count)[:, None]
    result[each, gone, :] = 0.0
    result[each, :, gone] = 0.0
    return result, log_determinant + 2.0 * np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)


def _direct(batch: Batch, cov: Array) -> tuple[Array, Array]:
    held = batch.held
    cells = (np.arange(len(held))[:, None, None], held[:, :, None], held[:, None, :])
    inner = cov[cells[1], cells[2]]
    factor = np.linalg.cholesky(inner)
    result = np.zeros((len(held), len(cov), len(cov)))
    result[cells] = np.linalg.inv(inner)
    return result, 2.0 * np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)


def _pulled(batch: Batch, weight: Array, mean: Array) -> tuple[Array, Array]:
    """Return d and V d of a batch, (K, p) arrays; what stands in the holes of d meets only zeros of V."""
    away = batch.mean - mean
    return away, np.matmul(weight, away[:, :, None])[:, :, 0]
