"""Means and covariances of incomplete rows by maximum likelihood: EM, finished by Newton.

Dempster, Laird & Rubin (1977), Journal of the Royal Statistical Society B 39, 1-38. With V d and V - V T V averaged
over the patterns a step of EM is mu + Sigma (V d), Sigma - Sigma (V - V T V) Sigma less the square of the mean's step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dposv

from sipas_research.numerics.correlation import Array, read_only
from sipas_research.numerics.hole_likelihood import HolePoint, hole_curvature, hole_point, lower
from sipas_research.numerics.hole_patterns import Patterns

#: The step left at convergence, in standard errors.
_CONVERGED = 1e-7
#: Newton begins when a step of EM moves means and covariances by less than this many standard deviations.
_NEAR = 0.02
_MOST_STEPS = 2000
#: The most variables for which Newton's equations are set up; beyond, EM goes on alone to a shorter step.
_NEWTON_SIZE = 60
_SHORT = 1e-8


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SaturatedMoments:
    """The moments that make incomplete rows most likely.

    Attributes
    ----------
    mean, cov : (p,) and (p, p) arrays
    value : float
        Mean over rows of log|Sigma_r| + tr(V_r T_r) there.
    converged : bool
    steps : int
    """

    mean: Array
    cov: Array
    value: float
    converged: bool
    steps: int


def saturated_moments(patterns: Patterns) -> SaturatedMoments | None:
    """Return means and covariances of incomplete rows, or None where a variable does not vary.

    Parameters
    ----------
    patterns : Patterns
        Every variable is there in some row.
    """
    mean, cov = _start(patterns)
    point = hole_point(patterns, mean, cov)
    if point is None:
        return None
    spread = np.sqrt(np.diag(cov))
    newton = patterns.size <= _NEWTON_SIZE
    moved = np.inf
    for step in range(1, _MOST_STEPS + 1):
        if newton and moved < _NEAR:
            found = _newton(patterns, mean, cov, point)
            if found is not None:
                mean, cov, point, left = found
                if left < _CONVERGED:
                    return _found(mean, cov, point, True, step)
                continue
        shift, turn = cov @ point.pull, cov @ point.slope @ cov
        next_cov = cov - turn - np.outer(shift, shift)
        next_cov = (next_cov + next_cov.T) / 2.0
        after = hole_point(patterns, mean + shift, next_cov)
        if after is None:
            return _found(mean, cov, point, False, step)
        moved = max(float(np.abs(shift / spread).max()), float(np.abs(turn / spread / spread[:, None]).max()))
        mean, cov, point = mean + shift, next_cov, after
        if moved < _SHORT:
            return _found(mean, cov, point, True, step)
    return _found(mean, cov, point, False, _MOST_STEPS)


def _found(mean: Array, cov: Array, point: HolePoint, converged: bool, steps: int) -> SaturatedMoments:
    return SaturatedMoments(read_only(mean), read_only(cov), point.value, converged, steps)


def _start(patterns: Patterns) -> tuple[Array, Array]:
    """Return means and variances of what is there, without covariances."""
    total, sums, squares = (np.zeros(patterns.size) for _ in range(3))
    for batch in patterns.batches:
        there = np.ones((len(batch.weight), patterns.size))
        there[np.arange(len(there))[:, None], batch.holes] = 0.0
        total += batch.weight @ there
        sums += batch.weight @ batch.mean
    mean = sums / total
    for batch in patterns.batches:
        there = np.ones((len(batch.weight), patterns.size))
        there[np.arange(len(there))[:, None], batch.holes] = 0.0
        squares += batch.weight @ (((batch.mean - mean) * there) ** 2)
        if batch.products is not None:
            squares += np.einsum("kii->i", batch.products)
    return mean, np.diag(squares / total)


def _newton(
    patterns: Patterns, mean: Array, cov: Array, point: HolePoint
) -> tuple[Array, Array, HolePoint, float] | None:
    """Return the place after a step of Newton and its length in standard errors; None where it does not descend."""
    size = patterns.size
    rows, columns = lower(size)
    curvature = hole_curvature(patterns, mean, cov, observed=True)
    if curvature is None:
        return None
    double = np.where(rows == columns, 1.0, 2.0)
    slope = np.concatenate([-2.0 * point.pull, double * point.slope[rows, columns]])
    _, step, failed = dposv(curvature, -slope, lower=1)
    if failed:
        return None
    left = float(np.sqrt(patterns.total / 2.0 * max(float(-slope @ step), 0.0)))
    turned = np.zeros_like(cov)
    turned[rows, columns] = turned[columns, rows] = step[size:]
    after = hole_point(patterns, mean + step[:size], cov + turned)
    if after is None or after.value > point.value + 1e-11 * max(1.0, abs(point.value)):
        return None
    return mean + step[:size], cov + turned, after, left
