"""Starting values: loadings from the leading direction of each block, paths from regressions among the variables.

Only the way to the minimum depends on them, never the minimum.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from scipy.linalg.lapack import dpotrf

from sipas_research.numerics.correlation import Array
from sipas_research.sem.layout import Index, places
from sipas_research.sem.parameter_table import ParameterTable, Row

#: Share of an indicator's variance that is taken as error, at least and at most.
_LEAST, _MOST = 0.1, 0.9
#: Lengths and variances under this count as none.
_NOTHING = 1e-12


def starting_values(table: ParameterTable, covs: Sequence[Array], means: Sequence[Array | None]) -> Array:
    """Return a start for every free parameter: the user's value, or one worked out from the sample.

    Parameters
    ----------
    table : ParameterTable
    covs : sequence of (p, p) arrays
        Sample covariances of each group, in the order of ``table.observed``.
    means : sequence of (p,) arrays or None
    """
    return _filled(table, [_guess(table, g, cov, mean) for g, (cov, mean) in enumerate(zip(covs, means, strict=True))])


def plain_values(table: ParameterTable, covs: Sequence[Array], means: Sequence[Array | None]) -> Array:
    """Return a cautious start: loadings of one, half of each variance as error, no paths, no covariances."""
    return _filled(table, [_plain(table, g, cov, mean) for g, (cov, mean) in enumerate(zip(covs, means, strict=True))])


def _filled(table: ParameterTable, guesses: Sequence[Sequence[float]]) -> Array:
    """Average the guesses of rows that share a parameter; the user's starting values come first."""
    total, count = [0.0] * table.size, [0.0] * table.size
    given: dict[int, float] = {}
    iterators = [iter(guess) for guess in guesses]
    for row in table.rows:
        guess = next(iterators[row.group])
        if row.free < 0:
            continue
        if row.value == row.value:  # not NaN
            given.setdefault(row.free, row.value)
        total[row.free] += guess
        count[row.free] += 1.0
    theta = np.array(total) / np.maximum(count, 1.0)
    for free, value in given.items():
        theta[free] = value
    return theta


def _rows(table: ParameterTable, group: int) -> list[Row]:
    return [row for row in table.rows if row.group == group]


def _plain(table: ParameterTable, group: int, cov: Array, mean: Array | None) -> list[float]:
    place = places(table)
    variance = np.diag(cov)
    p = len(table.observed)
    found = []
    for row in _rows(table, group):
        k = place[row.lhs]
        if row.op == "=~":
            j = place[row.rhs]
            found.append(float(np.sqrt(variance[j])) if j < p and not _marked(table, group, row.lhs) else 1.0)
        elif row.op == "~~" and row.lhs == row.rhs:
            found.append(0.5 * float(variance[k]) if k < p else 0.05 * float(np.median(variance)))
        elif row.op == "~1":
            found.append(float(mean[k]) if k < p and mean is not None else 0.0)
        else:
            found.append(0.0)
    return found


def _marked(table: ParameterTable, group: int, latent: str) -> bool:
    return any(r.op == "=~" and r.lhs == latent and r.free < 0 and r.value != 0 for r in _rows(table, group))


def _guess(table: ParameterTable, group: int, cov: Array, mean: Array | None) -> list[float]:
    rows = _rows(table, group)
    place = places(table)
    p, size = len(table.observed), len(place)
    joint, loadings, errors = _measurement(rows, place, p, size, cov)
    paths, disturbance = _structure(rows, place, joint, errors, p)
    found = []
    for row in rows:
        k = place[row.lhs]
        if row.op == "=~":
            found.append(loadings.get((row.lhs, row.rhs), 1.0))
        elif row.op == "~":
            found.append(paths[k, place[row.rhs]])
        elif row.op == "~1":
            found.append(float(mean[k]) if k < p and mean is not None else 0.0)
        else:
            found.append(float(disturbance[k, place[row.rhs]]))
    return found


def _measurement(
    rows: list[Row], place: dict[str, int], p: int, size: int, cov: Array
) -> tuple[Array, dict[tuple[str, str], float], dict[str, float]]:
    """Return a covariance matrix of all variables, the loadings, and each indicator's error variance."""
    joint = np.zeros((size, size))
    joint[:p, :p] = cov
    blocks: dict[str, list[Row]] = {}
    variances: dict[str, float] = {}
    for row in rows:
        if row.op == "=~":
            blocks.setdefault(row.lhs, []).append(row)
        elif row.free < 0 and row.op == "~~" and row.lhs == row.rhs:
            variances[row.lhs] = row.value
    loadings: dict[tuple[str, str], float] = {}
    errors: dict[str, float] = {}
    done = set(range(p))
    while blocks:
        ready = [name for name, block in blocks.items() if all(place[row.rhs] in done for row in block)]
        if not ready:
            ready = list(blocks)[:1]  # latent variables that measure each other: begin anywhere
        taken = [blocks.pop(name) for name in ready]
        _add_latents(taken, [variances.get(name) for name in ready], place, joint, loadings, errors)
        done.update(place[name] for name in ready)
    return joint, loadings, errors


def _add_latents(
    blocks: list[list[Row]], variances: list[float | None], place: dict[str, int], joint: Array,
    loadings: dict[tuple[str, str], float], errors: dict[str, float],
) -> None:  # fmt: skip
    """Add latent variables to the joint covariance matrix as least-squares composites of their indicators."""
    pairs = [row for block in blocks for row in block]
    counts = [len(block) for block in blocks]
    starts = [end - count for end, count in zip(accumulate(counts), counts, strict=True)]
    owner = np.repeat(np.arange(len(blocks)), counts)
    index = np.array([place[row.rhs] for row in pairs])
    part = joint[index[:, None], index]
    spread = np.sqrt(np.where(part.diagonal() > 0, part.diagonal(), 1.0))  # 0: a latent variable still to come
    strength = _leading(part / spread / spread[:, None] * (owner[:, None] == owner), owner, starts)
    weights = strength * spread
    scales = [
        _scaling(weights[start:], strength[start:], block, variance)
        for start, block, variance in zip(starts, blocks, variances, strict=True)
    ]
    weights /= np.array([scale for scale, _ in scales])[owner]
    rests = np.minimum(np.maximum(1.0 - strength**2, _LEAST), _MOST) * spread**2
    for j, (row, rest) in enumerate(zip(pairs, rests.tolist(), strict=True)):
        if row.free < 0:
            weights[j] = row.value
        loadings[row.lhs, row.rhs] = float(weights[j])
        errors[row.rhs] = min(errors.get(row.rhs, math.inf), rest)
    composite = weights / spread**2
    sizes = np.array([size for _, size in scales])
    gain = np.add.reduceat(composite * weights, starts)
    means = np.zeros((len(blocks), len(joint)))
    known = gain * sizes > _NOTHING
    means[owner, index] = composite * np.divide(1.0, gain, out=np.zeros_like(gain), where=known)[owner]
    where = np.array([place[block[0].lhs] for block in blocks])
    across = means @ joint
    joint[where] = across
    joint[:, where] = across.T
    joint[where[:, None], where] = across @ means.T
    joint[where, where] = sizes


def _leading(correlations: Array, owner: Index, starts: list[int]) -> Array:
    """Return loadings of one common factor a block of indicators: principal axes by power iteration.

    Parameters
    ----------
    correlations : (k, k) array
        Zero between blocks.
    owner : (k,) index array
        Block of each indicator.
    starts : list of int
        First indicator of each block.
    """
    reduced = correlations.copy()
    off = np.abs(reduced)
    off.flat[:: len(off) + 1] = 0.0
    shared = off.max(axis=1)
    first = np.sign(correlations[_peaks(off.sum(axis=1), starts)[owner], np.arange(len(owner))] + 1e-9)
    for _ in range(2):
        reduced.flat[:: len(off) + 1] = np.minimum(np.maximum(shared, 0.1), 0.95)
        turned = reduced @ first
        length = np.sqrt(np.add.reduceat(turned * turned, starts))
        direction = turned / np.maximum(length, _NOTHING)[owner]
        strength = np.add.reduceat(direction * (reduced @ direction), starts)
        first = direction * np.sqrt(np.maximum(strength, 0.1))[owner]
        shared = first**2
    first = np.minimum(np.maximum(first, -0.95), 0.95)
    first *= np.where(first[_peaks(np.abs(first), starts)] > 0, 1.0, -1.0)[owner]
    alone = np.bincount(owner)[owner] == 1
    return np.where(alone, math.sqrt(0.5), first)


def _peaks(values: Array, starts: list[int]) -> Index:
    """Return the position of the largest value of each block."""
    ends = (*starts[1:], len(values))
    return np.array([start + int(values[start:end].argmax()) for start, end in zip(starts, ends, strict=True)])


def _scaling(raw: Array, strength: Array, block: list[Row], variance: float | None) -> tuple[float, float]:
    """Return the factor's scale and its variance from fixed loadings, else from a fixed variance."""
    marked = next((j for j, row in enumerate(block) if row.free < 0 and row.value), None)
    if marked is not None and abs(strength[marked]) > 1e-6:
        scale = float(raw[marked] / block[marked].value)
        return scale, scale**2
    size = 1.0 if variance is None or variance <= 0 else variance
    return math.sqrt(size), size


def _structure(
    rows: list[Row], place: dict[str, int], joint: Array, errors: dict[str, float], p: int
) -> tuple[Array, Array]:
    """Return path coefficients from regressions on the joint matrix, and the covariances of what is left."""
    size = len(joint)
    usable = _positive(joint, p)
    paths = np.zeros((size, size))
    explained: dict[int, list[Row]] = {}
    for row in rows:
        if row.op == "~":
            explained.setdefault(place[row.lhs], []).append(row)
    for k, group in explained.items():
        sources = np.array([place[row.rhs] for row in group])
        inner = usable[sources[:, None], sources]
        inner += 1e-8 * np.diag(inner.diagonal())
        slope = np.linalg.solve(inner, usable[sources, k])
        for j, row, value in zip(sources, group, slope, strict=True):
            paths[k, j] = row.value if row.free < 0 else value
    disturbance = usable
    if explained:
        rest = np.eye(size) - paths
        disturbance = rest @ usable @ rest.T
    variances = np.maximum(disturbance.diagonal(), 0.1 * usable.diagonal())
    indicators = [place[name] for name in errors]
    variances[indicators] = list(errors.values())
    return paths, _without_shared(disturbance, variances, rows, place, set(indicators), set(explained))


def _positive(joint: Array, p: int) -> Array:
    """Shrink covariances with latent variables until the matrix is positive definite."""
    if len(joint) == p:
        return joint
    spread = joint.diagonal().copy()
    for shrink in (1.0, 0.9, 0.7, 0.5, 0.3, 0.0):
        trial = joint * shrink
        trial[:p, :p] = joint[:p, :p]
        trial.flat[:: len(joint) + 1] = spread
        if not dpotrf(trial[p:, p:] - 0.02 * np.diag(spread[p:]), lower=1)[1]:
            return trial
    return np.diag(spread)


def _without_shared(
    disturbance: Array, variances: Array, rows: list[Row], place: dict[str, int], indicators: set[int],
    explained: set[int],
) -> Array:  # fmt: skip
    """Keep covariances of what nothing explains; start residual covariances at zero."""
    result = np.diag(variances)
    for row in rows:
        if row.op == "~~" and row.lhs != row.rhs and row.free >= 0:
            left, right = place[row.lhs], place[row.rhs]
            if left not in indicators and right not in indicators and (left in explained) == (right in explained):
                limit = 0.8 * math.sqrt(variances[left] * variances[right])
                value = min(max(float(disturbance[left, right]), -limit), limit)
                result[left, right] = result[right, left] = value
    return result
