"""Omega of one scale: the share of the variance of the sum score that one common factor explains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from sipas_research.numerics.correlation import Array, covariance, covariance_to_correlation, is_singular, read_only
from sipas_research.numerics.extraction import extract, likelihood_discrepancy, likelihood_loadings

#: One factor of fewer items is not identified without further assumptions.
FEWEST_ITEMS = 3
#: Step of the central differences, in units of log unique variances and of correlations: the cube root of the
#: machine precision balances truncation against rounding.
_STEP = 6e-6
NAN = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class OneFactorOmega:
    """Omega of a sum score under one factor fitted by maximum likelihood.

    Attributes
    ----------
    omega : float
        In [0, 1].
    std_error, conf_low, conf_high : float
        Without assuming normal answers; the interval is symmetric in log(omega / (1 - omega)). NaN for a
        Heywood case.
    loadings : (k,) array
        Standardised.
    heywood : bool
        True where a unique variance ended at its bound: omega then rests on an improper solution.
    converged : bool
    """

    omega: float
    std_error: float
    conf_low: float
    conf_high: float
    loadings: Array
    heywood: bool
    converged: bool


def omega_from_loadings(loadings: Array, uniquenesses: Array, spreads: Array) -> float:
    """Return McDonald's (1999, eq. 6.20) omega of the sum of items with these standard deviations.

    Parameters
    ----------
    loadings, uniquenesses : (k,) arrays
        Of standardised items.
    spreads : (k,) array
        Standard deviations; ones give the omega of the sum of standardised items.
    """
    common = float(spreads @ loadings) ** 2
    return common / (common + float(spreads**2 @ uniquenesses))


def one_factor_omega(values: Array, *, level: float = 0.95) -> OneFactorOmega | None:
    """Return omega of the sum of k items from a one-factor model.

    The standard error is distribution-free: the variance over people of omega's influence function, with omega a
    function of the sample covariance matrix through the maximum likelihood solution (Yuan & Bentler 2002,
    Psychometrika 67, 251-259; Browne 1984 for the covariance of covariances).

    Parameters
    ----------
    values : (n, k) array
        Complete rows, no constant column.
    level : float
        Coverage in (0, 1).

    Returns
    -------
    OneFactorOmega or None
        None for fewer than three items or a singular correlation matrix.
    """
    matrix = covariance(values)
    correlations = covariance_to_correlation(matrix)
    if matrix.shape[0] < FEWEST_ITEMS or is_singular(correlations):
        return None
    spreads = np.sqrt(np.diag(matrix))
    found = extract(correlations, 1, "ml")
    omega = omega_from_loadings(found.loadings[:, 0], found.uniquenesses, spreads)
    heywood = bool(found.at_bound.any())
    error = NAN
    if not heywood and found.converged and 0 < omega < 1:
        error = _standard_error(values / spreads, correlations, np.log(found.uniquenesses), spreads)
    low, high = _logit_interval(omega, error, level)
    loadings = found.loadings[:, 0] * (1.0 if found.loadings.sum() >= 0 else -1.0)
    return OneFactorOmega(omega, error, low, high, read_only(loadings), heywood, found.converged)


def _omega_at(log_uniquenesses: Array, matrix: Array, spreads: Array) -> float:
    uniquenesses = np.exp(log_uniquenesses)
    return omega_from_loadings(likelihood_loadings(uniquenesses, matrix, 1)[:, 0], uniquenesses, spreads)


def _standard_error(scaled: Array, matrix: Array, minimum: Array, spreads: Array) -> float:
    """Return the standard error of omega; ``scaled`` are the answers in units of their own standard deviations."""
    rows, size = scaled.shape
    hessian = np.empty((size, size))
    for place in range(size):
        shift = _STEP * np.eye(size)[place]
        ends = [likelihood_discrepancy(minimum + side * shift, matrix, 1)[1] for side in (1.0, -1.0)]
        hessian[place] = (ends[0] - ends[1]) / (2 * _STEP)
    hessian = (hessian + hessian.T) / 2
    slopes = np.zeros((size, size))
    for first in range(size):
        for second in range(first, size):
            shift = np.zeros((size, size))
            shift[first, second] = shift[second, first] = _STEP
            ends = [likelihood_discrepancy(minimum, matrix + side * shift, 1)[1] for side in (1.0, -1.0)]
            # the minimum moves so that its slope stays zero
            moved = -np.linalg.lstsq(hessian, (ends[0] - ends[1]) / 2, rcond=None)[0]
            above, below = (_omega_at(minimum + s * moved, matrix + s * shift, spreads) for s in (1.0, -1.0))
            slopes[first, second] = (above - below) / (2 * _STEP)
    centred = scaled - scaled.mean(axis=0)
    influence = np.einsum("ni,ij,nj->n", centred, slopes, centred, optimize=True)
    return float(influence.std(ddof=1) / np.sqrt(rows))


def _logit_interval(estimate: float, error: float, level: float) -> tuple[float, float]:
    if not np.isfinite(error):
        return NAN, NAN
    centre = np.log(estimate / (1.0 - estimate))
    reach = -float(ndtri((1.0 - level) / 2.0)) * error / (estimate * (1.0 - estimate))
    low, high = (1.0 / (1.0 + np.exp(np.clip(-(centre + side * reach), -700, 700))) for side in (-1.0, 1.0))
    return float(low), float(high)
