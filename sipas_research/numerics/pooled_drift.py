"""Random walks with drift of several blocks at once: known sampling variances, drifts partially pooled.

Block b is seen as y = x + e with known variances of e; x starts anywhere, moves by drift_b a year and by independent
normal steps with variance ``volatility`` squared; the drifts are normal around a common mean with standard deviation
``spread``. Volatility and spread are estimated by restricted maximum likelihood over all blocks; what follows is the
best linear unbiased prediction (Robinson 1991, Statistical Science 6, 15-32), its error with the start and the mean
drift estimated (Harville 1976, Annals of Statistics 4, 384-395). The likelihood is multiplied by the spread (Li and
Lahiri 2010, Journal of Multivariate Analysis 101, 882-892): with few blocks it would often be largest at no spread at
all, and every block would get the common drift as if that were known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from sipas_research.numerics.correlation import Array

_FLOOR = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """What is known of one block: strictly ascending times, values and sampling variances, equally long."""

    times: Array
    values: Array
    variances: Array


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """A block's part of the normal equations in (start, drift), with the covariance of its values."""

    elapsed: Array
    normal: Array
    right: Array
    factor: tuple[Array, bool]


@dataclass(frozen=True, slots=True, eq=False)
class PooledDrift:
    """A fitted panel.

    Attributes
    ----------
    walks : tuple of Walk
    volatility, spread : float
        Standard deviation of a yearly step and of the drifts.
    mean_drift, mean_drift_error : float
    df : int
        Changes of all blocks less one.
    """

    walks: tuple[Walk, ...]
    volatility: float
    spread: float
    mean_drift: float
    mean_drift_error: float
    df: int


def fit_pooled_drift(walks: Sequence[Walk]) -> PooledDrift:
    """Fit the panel.

    Raises
    ------
    ValueError
        With fewer than two blocks, or a block of fewer than three values.
    """
    held = tuple(walks)
    if len(held) < 2 or any(len(w.times) < 3 for w in held):
        raise ValueError("two blocks of three values are needed")
    steps = np.concatenate([np.diff(w.values) / np.sqrt(np.diff(w.times)) for w in held])
    scale = max(float(np.std(steps)), 1e-4)
    stack = _stacked(held)
    best = min(
        (
            minimize(
                lambda p: _criterion(stack, scale * p[0], scale * p[1])[0] - 2.0 * float(np.log(p[1])),
                np.array(start),
                method="L-BFGS-B",
                bounds=[(0.0, 20.0), (1e-4, 20.0)],
            )
            for start in ((0.9, 0.5), (0.4, 0.1))
        ),
        key=lambda found: float(found.fun),
    )
    volatility, spread = (float(scale * v) for v in best.x)
    _, mean, error = _criterion(stack, volatility, spread)
    return PooledDrift(held, volatility, spread, mean, error, sum(len(w.times) - 1 for w in held) - 1)


def predict(fit: PooledDrift, block: int, time: float) -> tuple[float, float]:
    """Return the block's level at a later time and its standard error; the level is the index itself, without noise."""
    walk = fit.walks[block]
    part = _block(walk, fit.volatility, fit.spread)
    ahead = time - walk.times[0]
    shared = fit.volatility**2 * np.minimum(part.elapsed, ahead) + fit.spread**2 * part.elapsed * ahead
    own = fit.volatility**2 * ahead + fit.spread**2 * ahead**2
    return _blup(fit, walk, part, np.array([1.0, ahead]), shared, own)


def drift(fit: PooledDrift, block: int) -> tuple[float, float]:
    """Return the block's partially pooled drift and its standard error."""
    walk = fit.walks[block]
    part = _block(walk, fit.volatility, fit.spread)
    return _blup(fit, walk, part, np.array([0.0, 1.0]), fit.spread**2 * part.elapsed, fit.spread**2)


def own_drifts(fit: PooledDrift) -> tuple[Array, Array]:
    """Return the blocks' drifts without pooling, with the panel's volatility, and their standard errors."""
    estimates, errors = [], []
    for walk in fit.walks:
        part = _block(walk, fit.volatility, 0.0)
        inverse = np.linalg.inv(part.normal)
        estimates.append(float((inverse @ part.right)[1]))
        errors.append(float(np.sqrt(inverse[1, 1])))
    return np.array(estimates), np.array(errors)


def _block(walk: Walk, volatility: float, spread: float) -> _Block:
    elapsed = walk.times - walk.times[0]
    matrix = volatility**2 * np.minimum.outer(elapsed, elapsed) + spread**2 * np.outer(elapsed, elapsed)
    matrix = matrix + np.diag(walk.variances + _FLOOR)
    factor = cho_factor(matrix, lower=True)
    design = np.column_stack([np.ones(len(elapsed)), elapsed])
    solved = cho_solve(factor, np.column_stack([design, walk.values]))
    return _Block(
        elapsed,
        design.T @ solved[:, :2],
        design.T @ solved[:, 2],
        factor,
    )


def _stacked(walks: tuple[Walk, ...]) -> tuple[Array, Array, Array, Array]:
    """All blocks as (blocks, longest) arrays: years elapsed, presence (1 or 0), values and variances.

    A place that a block does not fill has presence 0, value 0 and variance 1: it adds nothing to any sum.
    """
    longest = max(len(w.times) for w in walks)
    elapsed, present, values = (np.zeros((len(walks), longest)) for _ in range(3))
    variances = np.ones((len(walks), longest))
    for k, walk in enumerate(walks):
        size = len(walk.times)
        elapsed[k, :size], present[k, :size] = walk.times - walk.times[0], 1.0
        values[k, :size], variances[k, :size] = walk.values, walk.variances + _FLOOR
    return elapsed, present, values, variances


def _criterion(
    stack: tuple[Array, Array, Array, Array], volatility: float, spread: float
) -> tuple[float, float, float]:
    """Return minus twice the restricted log-likelihood, the mean drift and its standard error."""
    elapsed, present, values, variances = stack
    matrix = volatility**2 * np.minimum(elapsed[:, :, None], elapsed[:, None, :])
    matrix = matrix + spread**2 * elapsed[:, :, None] * elapsed[:, None, :]
    diagonal = np.arange(elapsed.shape[1])
    matrix[:, diagonal, diagonal] += variances
    design = np.stack([present, elapsed, values], axis=2)
    sums = np.einsum("bik,bil->bkl", design, np.linalg.solve(matrix, design))
    start, mixed, slope = sums[:, 0, 0], sums[:, 0, 1], sums[:, 1, 1]
    information = float((slope - mixed**2 / start).sum())
    score = float((sums[:, 1, 2] - mixed * sums[:, 0, 2] / start).sum())
    squares = float((sums[:, 2, 2] - sums[:, 0, 2] ** 2 / start).sum())
    logs = float(np.linalg.slogdet(matrix)[1].sum() + np.log(start).sum() + np.log(information))
    mean = score / information
    return logs + squares - score * mean, mean, information**-0.5


def _blup(fit: PooledDrift, walk: Walk, part: _Block, wanted: Array, shared: Array, own: float) -> tuple[float, float]:
    start, mixed = part.normal[0, 0], part.normal[0, 1]
    first = (part.right[0] - mixed * fit.mean_drift) / start
    spread = fit.mean_drift_error**2
    lean = mixed / start
    fixed = np.array([[1.0 / start + lean**2 * spread, -lean * spread], [-lean * spread, spread]])
    solved = cho_solve(part.factor, shared)
    design = np.column_stack([np.ones(len(part.elapsed)), part.elapsed])
    beta = np.array([first, fit.mean_drift])
    estimate = float(wanted @ beta + solved @ (walk.values - design @ beta))
    rest = wanted - design.T @ solved
    variance = own - shared @ solved + rest @ fixed @ rest
    return estimate, float(np.sqrt(max(variance, 0.0)))
