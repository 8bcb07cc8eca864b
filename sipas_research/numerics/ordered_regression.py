"""One ordered or continuous variable given predictors: probit and linear regression, with the score of every row.

McKelvey & Zavoina (1975), Journal of Mathematical Sociology 4, 103-120; Muthén (1984), Psychometrika 49, 115-132.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from sipas_research.numerics.correlation import Array

Codes = NDArray[np.intp]
#: Stands for an infinite limit: beyond it the normal distribution has no mass to the last digit.
FAR = 40.0
#: A probability below this has lost its digits.
SMALLEST = 1e-14
_STEPS, _SETTLED = 50, 1e-11


@dataclass(frozen=True, slots=True, eq=False)
class Margin:
    """A variable given predictors.

    Attributes
    ----------
    cuts : (k - 1,) array
        Thresholds at predictors zero; the intercept of a continuous variable, (1,).
    slopes : (m,) array
    variance : float
        Residual variance; 1 of an ordered variable.
    scores : (n, u) array
        Each row's score, unweighted, by cuts, slopes and (continuous) the variance.
    codes : (n,) array or None
        Places of the answers of an ordered variable.
    upper, lower : (n,) arrays
        Limits of each row's answer on the scale of the residual (ordered); ``upper`` is the standardised residual of a
        continuous variable.
    """

    cuts: Array
    slopes: Array
    variance: float
    scores: Array
    codes: Codes | None
    upper: Array
    lower: Array


def density(x: Array) -> Array:
    """Return the standard normal density."""
    return np.asarray(np.exp(-0.5 * x * x) / np.sqrt(2.0 * np.pi))


def ordered_margin(codes: Codes, categories: int, outside: Array, weights: Array) -> Margin | None:
    """Return the probit regression of an ordered variable; None where its likelihood has no maximum.

    Parameters
    ----------
    codes : (n,) array
        Places from 0; each category holds a row.
    categories : int
    outside : (n, m) array
    weights : (n,) array
    """
    share = np.cumsum(np.bincount(codes, weights, minlength=categories))
    theta = np.concatenate([ndtri(share[:-1] / share[-1]), np.zeros(outside.shape[1])])
    rows = np.arange(len(codes))
    design_up, design_low = (np.zeros((len(codes), len(theta))) for _ in range(2))
    inner, above = codes < categories - 1, codes > 0
    design_up[rows[inner], codes[inner]] = 1.0
    design_low[rows[above], codes[above] - 1] = 1.0
    design_up[:, categories - 1 :] = design_low[:, categories - 1 :] = -outside
    for _ in range(_STEPS):
        upper, lower = _limits(theta[: categories - 1], outside @ theta[categories - 1 :], codes)
        probability = np.maximum(ndtr(upper) - ndtr(lower), SMALLEST)
        up, low = density(upper) / probability, density(lower) / probability
        scores = design_up * up[:, None] - design_low * low[:, None]
        if not outside.shape[1]:
            return Margin(theta, np.zeros(0), 1.0, scores, codes, upper, lower)
        slope = weights @ scores
        across = (weights * up * low)[:, None] * design_low
        curve = (design_up * (weights * (upper * up + up**2))[:, None]).T @ design_up
        curve += (design_low * (weights * (low**2 - lower * low))[:, None]).T @ design_low
        crossed = design_up.T @ across
        curve -= crossed + crossed.T
        try:
            step = np.linalg.solve(curve, slope)
        except np.linalg.LinAlgError:
            return None
        if not np.isfinite(step).all():
            return None
        if float(np.abs(step).max()) < _SETTLED:
            return Margin(theta[: categories - 1], theta[categories - 1 :], 1.0, scores, codes, upper, lower)
        theta = _rising(theta, step, categories - 1)
    return None


def _limits(cuts: Array, shift: Array, codes: Codes) -> tuple[Array, Array]:
    whole = np.concatenate([[-np.inf], cuts, [np.inf]])
    return np.clip(whole[codes + 1] - shift, -FAR, FAR), np.clip(whole[codes] - shift, -FAR, FAR)


def _rising(theta: Array, step: Array, cuts: int) -> Array:
    """Take a step, halved until the thresholds rise."""
    length = 1.0
    while length > 1e-6:
        trial = theta + length * step
        if (np.diff(trial[:cuts]) > 0).all():
            return np.asarray(trial)
        length *= 0.5
    return theta


def continuous_margin(values: Array, outside: Array, weights: Array) -> Margin | None:
    """Return the linear regression of a continuous variable; None where predictors follow from each other."""
    design = np.column_stack([np.ones(len(values)), outside])
    inner = (design * weights[:, None]).T @ design
    try:
        theta: Array = np.asarray(np.linalg.solve(inner, design.T @ (weights * values)), dtype=np.float64)
    except np.linalg.LinAlgError:
        return None
    rest = values - design @ theta
    variance = float(weights @ rest**2 / weights.sum())
    by_mean = rest / variance
    by_variance = 0.5 * (rest**2 / variance - 1.0) / variance
    scores = np.column_stack([by_mean[:, None] * design, by_variance])
    standard = rest / np.sqrt(variance)
    return Margin(theta[:1], theta[1:], variance, scores, None, standard, standard)
