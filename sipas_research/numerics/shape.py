"""Skewness and excess kurtosis of a sample, corrected for bias as SPSS, SAS and Excel print them."""

from __future__ import annotations

import numpy as np


def skewness(values: np.ndarray) -> float:
    """Return G1 = sqrt(n (n - 1)) / (n - 2) * m3 / m2^1.5 (Joanes and Gill 1998, The Statistician 47, type 2).

    Parameters
    ----------
    values : array of float, shape (n,)
        No missing values.

    Returns
    -------
    float
        NaN below three values or where all are equal.
    """
    n = len(values)
    moments = _moments(values, 3)
    if n < 3 or moments is None:
        return float("nan")
    return float(np.sqrt(n * (n - 1.0)) / (n - 2.0) * moments[1] / moments[0] ** 1.5)


def excess_kurtosis(values: np.ndarray) -> float:
    """Return G2 = (n - 1) / ((n - 2)(n - 3)) * ((n + 1) g2 + 6), g2 = m4 / m2^2 - 3 (Joanes and Gill 1998, type 2).

    Parameters
    ----------
    values : array of float, shape (n,)
        No missing values.

    Returns
    -------
    float
        0 for a normal distribution; NaN below four values or where all are equal.
    """
    n = len(values)
    moments = _moments(values, 4)
    if n < 4 or moments is None:
        return float("nan")
    plain = moments[1] / moments[0] ** 2 - 3.0
    return float((n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * plain + 6.0))


def _moments(values: np.ndarray, order: int) -> tuple[float, float] | None:
    """Return the second and the ``order``-th central moment (divisor n), or None where there is no spread."""
    if len(values) < 2 or np.ptp(values) == 0.0:
        return None
    centred = values - values.mean()
    return float((centred**2).mean()), float((centred**order).mean())
