"""The standard bivariate normal distribution: its function, density and derivatives, for many pairs at once.

Drezner & Wesolowsky (1990), Journal of Statistical Computation and Simulation 35, 101-107; Genz (2004),
Statistics and Computing 14, 251-260: Gauss-Legendre sums over the correlation, and a series around a
correlation of one. The absolute error is below 1e-14 everywhere.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from sipas_research.numerics.correlation import Array

TWO_PI = 2.0 * np.pi
#: Number of Gauss-Legendre points that reach 1e-15, by the largest absolute correlation they serve (Genz 2004).
POINTS = ((0.3, 6), (0.75, 12), (0.925, 20))
#: From this absolute correlation on, the series around one is used (Genz 2004).
HIGH = POINTS[-1][0]
#: Exponents below this underflow in every sum they enter.
NEGLIGIBLE = -100.0
_RULES = {count: np.polynomial.legendre.leggauss(count) for count in (6, 12, 20)}
#: Grid cells worked on at once: their temporaries stay within the processor's cache.
_CELLS = 16384


def distribution_function(upper_x: Array, upper_y: Array, correlation: Array) -> Array:
    """Return P(X <= x, Y <= y) for standard normal X, Y with the given correlation; arguments broadcast.

    Parameters
    ----------
    upper_x, upper_y : arrays
        Any numbers, infinite ones too.
    correlation : array
        In [-1, 1].

    Returns
    -------
    Array of the common shape, in [0, 1].
    """
    x, y, rho = np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in (upper_x, upper_y, correlation)))
    flat = distribution_grid(x.reshape(-1, 1), y.reshape(-1, 1), rho.ravel())
    return flat.reshape(x.shape)


def distribution_grid(upper_x: Array, upper_y: Array, correlation: Array) -> Array:
    """Return P(X <= x, Y <= y) at every crossing of a row of x with a row of y, one correlation a row.

    Parameters
    ----------
    upper_x : (m, a) array
    upper_y : (m, b) array
        Any numbers, infinite ones too.
    correlation : (m,) array
        In [-1, 1].

    Returns
    -------
    (m, a, b) array in [0, 1].
    """
    # beyond 38 the distribution function is 0 or 1 to the last digit; finite numbers keep products defined
    x, y = np.clip(upper_x, -40.0, 40.0), np.clip(upper_y, -40.0, 40.0)
    size = np.abs(correlation)
    result = np.empty((len(x), x.shape[1], y.shape[1]))
    step = max(1, _CELLS // max(1, x.shape[1] * y.shape[1]))
    lower = -1.0
    for largest, count in (*POINTS, (np.inf, 0)):
        rows = np.flatnonzero((size >= lower) & (size < largest))
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            if count:
                result[some] = _moderate(x[some], y[some], correlation[some], count)
            else:
                result[some] = _high(x[some], y[some], correlation[some])
        lower = largest
    return np.clip(result, 0.0, 1.0)


def _moderate(x: Array, y: Array, rho: Array, count: int) -> Array:
    """Sum the density over the correlation, from 0 to rho, on the scale of its arcsine (Genz 2004, equation 3)."""
    product = x[:, :, None] * y[:, None, :]
    half_squares = ((x * x)[:, :, None] + (y * y)[:, None, :]) / 2.0
    angle = np.arcsin(rho)
    total = np.zeros_like(product)
    term = np.empty_like(product)
    for point, weight in zip(*_RULES[count], strict=True):
        sine = np.sin(angle * (point + 1.0) / 2.0)
        scale = (1.0 / (1.0 - sine * sine))[:, None, None]
        np.multiply(product, sine[:, None, None], out=term)
        term -= half_squares
        term *= scale
        np.exp(term, out=term)
        term *= weight
        total += term
    total *= (angle / (2.0 * TWO_PI))[:, None, None]
    total += ndtr(x)[:, :, None] * ndtr(y)[:, None, :]
    return total


def _high(x: Array, y: Array, rho: Array) -> Array:
    """Expand around a correlation of one; the upper tail of the mirrored point is the lower of this one."""
    shape = (len(x), x.shape[1], y.shape[1])
    h = np.broadcast_to(-x[:, :, None], shape).ravel()
    sign = np.where(rho < 0, -1.0, 1.0)
    # with a negative correlation the second variable is turned
    k = (-y[:, None, :] * sign[:, None, None] + np.zeros(shape)).ravel()
    r, s = (np.broadcast_to(v[:, None, None], shape).ravel() for v in (rho, sign))
    missing = np.zeros_like(h)
    inside = np.abs(r) < 1.0
    missing[inside] = _distance_from_one(h[inside], k[inside], r[inside])
    positive = missing + ndtr(-np.maximum(h, k))
    negative = -missing + np.maximum(0.0, ndtr(-h) - ndtr(-k))
    return np.where(s > 0, positive, negative).reshape(shape)


def _distance_from_one(h: Array, k: Array, r: Array) -> Array:
    """Return the upper tail at correlation |r| < 1 less that at one (Genz 2004, equation 6)."""
    hk = h * k
    variance = (1.0 - r) * (1.0 + r)
    width = np.sqrt(variance)
    gap = (h - k) ** 2
    c, d = (4.0 - hk) / 8.0, (12.0 - hk) / 16.0
    exponent = -(gap / variance + hk) / 2.0
    series = 1.0 - c * (gap - variance) * (1.0 - d * gap / 5.0) / 3.0 + c * d * variance**2 / 5.0
    total = np.where(exponent > NEGLIGIBLE, width * np.exp(np.maximum(exponent, NEGLIGIBLE)) * series, 0.0)
    root = np.sqrt(gap)
    tail = np.exp(-np.maximum(hk, NEGLIGIBLE) / 2.0) * np.sqrt(TWO_PI) * ndtr(-root / width) * root
    total -= np.where(-hk < -NEGLIGIBLE, tail * (1.0 - c * gap * (1.0 - d * gap / 5.0) / 3.0), 0.0)
    half = width / 2.0
    for point, weight in zip(*_RULES[20], strict=True):
        square = (half * (point + 1.0)) ** 2
        remaining = np.sqrt(1.0 - square)
        exponent = -(gap / square + hk) / 2.0
        # exp(hk...) may overflow where the term is negligible anyway
        with np.errstate(over="ignore", invalid="ignore"):
            term = np.exp(exponent) * (
                np.exp(-hk * (1.0 - remaining) / (2.0 * (1.0 + remaining))) / remaining
                - (1.0 + c * square * (1.0 + d * square))
            )
        total += np.where(exponent > NEGLIGIBLE, half * weight * term, 0.0)
    return -total / TWO_PI


def density(x: Array, y: Array, correlation: Array) -> Array:
    """Return the density at (x, y), which is the distribution function's derivative by the correlation.

    Parameters
    ----------
    x, y, correlation : arrays that broadcast; finite, the correlation inside (-1, 1).
    """
    variance = (1.0 - correlation) * (1.0 + correlation)
    exponent = -(x * x + y * y - 2.0 * correlation * x * y) / (2.0 * variance)
    return np.exp(exponent) / (TWO_PI * np.sqrt(variance))


def density_slope(x: Array, y: Array, correlation: Array) -> Array:
    """Return the derivative of the density's logarithm by the correlation; arguments as in :func:`density`."""
    variance = (1.0 - correlation) * (1.0 + correlation)
    cross = (1.0 + correlation**2) * x * y - correlation * (x * x + y * y)
    return (correlation * variance + cross) / variance**2
