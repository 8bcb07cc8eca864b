"""A random walk with drift seen in some years only: its drift, its volatility and what follows from them.

The yearly steps of x are independent and normal with mean ``drift`` and standard deviation ``volatility``. A change
over h years then has mean h * drift and variance h * volatility^2, so that years without a value need no filling.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit


@dataclass(frozen=True, slots=True)
class Drift:
    """A fitted walk.

    Attributes
    ----------
    last_time, last_value : float
        Where the walk stands.
    drift : float
        Mean change a year: last value less first value over the years between them.
    volatility : float
        Standard deviation of a yearly step; NaN with fewer than two changes.
    span : float
        Years between the first and the last value.
    df : int
        Number of changes less one.
    """

    last_time: float
    last_value: float
    drift: float
    volatility: float
    span: float
    df: int


def fit_drift(times: np.ndarray, values: np.ndarray) -> Drift:
    """Fit the walk by maximum likelihood, its variance with the divisor m - 1 for m changes.

    Weighted least squares of the changes on their lengths with weights one over the length; with yearly values
    these are the estimates of the drift method (Hyndman and Athanasopoulos, Forecasting: Principles and Practice,
    3rd edition 2021, section 5.2).

    Parameters
    ----------
    times : array, shape (m + 1,)
        Strictly ascending years.
    values : array, shape (m + 1,)
        Any scale, finite.

    Raises
    ------
    ValueError
        With fewer than two values, times that do not ascend, or values that are not finite.
    """
    times, values = np.asarray(times, dtype=float), np.asarray(values, dtype=float)
    if times.shape != values.shape or len(times) < 2:
        raise ValueError("a walk needs at least two values")
    lengths, changes = np.diff(times), np.diff(values)
    if not (np.isfinite(values).all() and (lengths > 0).all()):
        raise ValueError("times must ascend and values be finite")
    span = float(lengths.sum())
    drift = float((values[-1] - values[0]) / span)
    df = len(changes) - 1
    squares = float(((changes - lengths * drift) ** 2 / lengths).sum())
    volatility = math.sqrt(squares / df) if df >= 1 else math.nan
    return Drift(float(times[-1]), float(values[-1]), drift, volatility, span, df)


def outlook(fit: Drift, time: float) -> tuple[float, float]:
    """Return centre and scale of the walk at a later time; (x - centre) / scale has Student's t with ``fit.df``.

    The variance is volatility^2 * (h + h^2 / span): h for the steps to come, h^2 / span because the drift is
    estimated (Hyndman and Athanasopoulos 2021, section 5.5, table of the drift method).
    """
    ahead = time - fit.last_time
    scale = fit.volatility * math.sqrt(ahead + ahead**2 / fit.span)
    return fit.last_value + ahead * fit.drift, scale


def reach_probability(fit: Drift, time: float, level: float) -> float:
    """Return the probability that the walk stands at ``level`` or above at ``time``; NaN without volatility."""
    centre, scale = outlook(fit, time)
    if not scale > 0 or fit.df < 1:
        return math.nan
    return float(stdtr(fit.df, (centre - level) / scale))


def limits(fit: Drift, time: float, level: float) -> tuple[float, float]:
    """Return the prediction limits at ``time`` for a confidence ``level`` (0-1); NaN without volatility."""
    centre, scale = outlook(fit, time)
    if fit.df < 1 or math.isnan(scale):
        return math.nan, math.nan
    reach = float(stdtrit(fit.df, (1.0 + level) / 2.0)) * scale
    return centre - reach, centre + reach
