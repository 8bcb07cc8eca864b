"""Least squares over the simplex: weights that are not negative and sum to one."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls


def simplex_weights(donors: np.ndarray, target: np.ndarray, *, ridge: float = 0.0) -> np.ndarray:
    """Return the weights w >= 0, sum(w) = 1 that minimise ``mean((target - donors @ w)**2) + ridge * sum(w**2)``.

    Since the weights sum to one, ``target - donors @ w`` equals ``(target[:, None] - donors) @ w``, and the criterion
    is homogeneous of degree two in w. Its direction of least value is found by one non-negative least squares
    problem, ``min_u |C u|**2 + (sum(u) - 1)**2`` over u >= 0, and w is u scaled to sum one: no penalty constant, no
    starting value (Lawson and Hanson 1974, chapter 23, for the inner problem).

    Parameters
    ----------
    donors : ndarray, shape (times, units)
        Finite values.
    target : ndarray, shape (times,)
        Finite values on the same scale.
    ridge : float, keyword only
        Not negative. Above zero the weights are unique, also where units outnumber times.

    Returns
    -------
    ndarray, shape (units,)

    Raises
    ------
    ValueError
        If shapes do not fit, there is no unit or no time, a value is not finite, or ``ridge`` is negative.
    """
    donors, target = np.asarray(donors, float), np.asarray(target, float)
    if donors.ndim != 2 or target.shape != donors.shape[:1] or not donors.size:
        raise ValueError("donors must be (times, units) and target (times,), neither empty")
    if not (np.isfinite(donors).all() and np.isfinite(target).all() and np.isfinite(ridge) and ridge >= 0):
        raise ValueError("donors, target and ridge must be finite, ridge not negative")
    times, units = donors.shape
    scale = max(float(np.abs(target[:, None] - donors).max()), 1e-12)
    misfit = (target[:, None] - donors) / (scale * np.sqrt(times))
    rows = [misfit, *([np.eye(units) * np.sqrt(ridge) / scale] if ridge else []), np.ones((1, units))]
    wanted = np.zeros(sum(len(r) for r in rows))
    wanted[-1] = 1.0
    found, _ = nnls(np.vstack(rows), wanted, maxiter=50 * (units + 1))
    return found / found.sum()
