"""Starting values: loadings from the leading direction of each block, paths from regressions among the variables.

Only the way to the minimum depends on them, never the minimum.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.linalg.lapack import dpotrf

from sipas_research.numerics.correlation import Array
from sipas_research.sem.layout import places
from sipas_research.sem.parameter_table import ParameterTable, Row

#: Share of an indicator's variance that is taken as error, at least and at most.
_LEAST, _MOST = 0.1, 0.9


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
    total, count = np.zeros(table.size), np.zeros(table.size)
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
    theta = total / np.maximum(count, 1.0)
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
    for row in rows:
        if row.op == "=~":
            blocks.setdefault(row.lhs, []).append(row)
    loadings: dict[tuple[str, str], float] = {}
    errors: dict[str, float] = {}
    done = list(range(p))
    waiting = list(blocks)
    while waiting:
        ready = [name for name in waiting if all(place[row.rhs] in done for row in blocks[name])]
        if not ready:
            ready = waiting[:1]  # latent variables that measure each other: begin anywhere
        for name in ready:
            _one_latent(blocks[name], _fixed_variance(name, rows), place, joint, loadings, errors)
            done.append(place[name])
        waiting = [name for name in waiting if name not in ready]
    return joint, loadings, errors


def _one_latent(
    block: list[Row], variance: float | None, place: dict[str, int], joint: Array,
    loadings: dict[tuple[str, str], float], errors: dict[str, float],
) -> None:  # fmt: skip
    """Add a latent variable to the joint covariance matrix as a least-squares composite of its indicators."""
    index = [place[row.rhs] for row in block]
    part = joint[index][:, index]
    variances = part.diagonal()
    spread = np.sqrt(np.where(variances > 0, variances, 1.0))  # 0: a latent variable still to come
    strength = _leading(part / spread / spread[:, None])
    weights = strength * spread
    scale, size = _scaling(weights, strength, block, variance)
    weights /= scale
    error = np.minimum(np.maximum(1.0 - strength**2, _LEAST), _MOST) * spread**2
    for j, (row, rest) in enumerate(zip(block, error.tolist(), strict=True)):
        if row.free < 0:
            weights[j] = row.value
        loadings[row.lhs, row.rhs] = float(weights[j])
        errors[row.rhs] = min(errors.get(row.rhs, math.inf), rest)
    composite = weights / spread**2
    gain = float(composite @ weights)
    k = place[block[0].lhs]
    if gain * size > 1e-12:
        joint[k] = joint[:, k] = composite @ joint[index] / gain
    joint[k, k] = size


def _leading(correlations: Array) -> Array:
    """Return loadings of one common factor: principal axes by power iteration."""
    size = len(correlations)
    if size == 1:
        return np.array([np.sqrt(0.5)])
    reduced = correlations.copy()
    off = np.abs(reduced)
    off.flat[:: size + 1] = 0.0
    shared = off.max(axis=1)
    first = np.sign(correlations[off.sum(axis=1).argmax()] + 1e-9)
    for _ in range(2):
        reduced.flat[:: size + 1] = np.minimum(np.maximum(shared, 0.1), 0.95)
        turned = reduced @ first
        length = float(np.sqrt(turned @ turned))
        if not length > 0:
            break
        direction = turned / length
        first = direction * np.sqrt(max(float(direction @ reduced @ direction), 0.1))
        shared = first**2
    first = np.minimum(np.maximum(first, -0.95), 0.95)
    return first if first[np.abs(first).argmax()] > 0 else -first


def _scaling(raw: Array, strength: Array, block: list[Row], variance: float | None) -> tuple[float, float]:
    """Return the factor's scale and its variance from fixed loadings, else from a fixed variance."""
    marked = next((j for j, row in enumerate(block) if row.free < 0 and row.value), None)
    if marked is not None and abs(strength[marked]) > 1e-6:
        scale = float(raw[marked] / block[marked].value)
        return scale, scale**2
    size = 1.0 if variance is None or variance <= 0 else variance
    return math.sqrt(size), size


def _fixed_variance(name: str, rows: list[Row]) -> float | None:
    for row in rows:
        if row.op == "~~" and row.lhs == name and row.rhs == name and row.free < 0:
            return row.value
    return None


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
