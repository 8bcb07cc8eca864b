"""How far an implied covariance matrix lies from an observed one: discrepancy, likelihood, residual indices."""

from __future__ import annotations

import math

import numpy as np

from sipas_research.numerics.correlation import Array


def ml_discrepancy(sample: Array, implied: Array) -> float:
    """Return F = log|Sigma| - log|S| + tr(S Sigma^-1) - p, zero where both agree (Joreskog 1969, equation 2).

    Parameters
    ----------
    sample, implied : (p, p) arrays
        Positive definite.
    """
    log_implied, log_sample = (float(np.linalg.slogdet(matrix)[1]) for matrix in (implied, sample))
    trace = float(np.trace(np.linalg.solve(implied, sample)))
    return log_implied - log_sample + trace - sample.shape[0]


def normal_log_likelihood(sample: Array, implied: Array, rows: int) -> float:
    """Return the log-likelihood of n normal rows with means free: -n/2 (p log 2 pi + log|Sigma| + tr(S Sigma^-1)).

    ``sample`` has divisor n.
    """
    size = sample.shape[0]
    trace = float(np.trace(np.linalg.solve(implied, sample)))
    return -rows / 2 * (size * math.log(2 * math.pi) + float(np.linalg.slogdet(implied)[1]) + trace)


def baseline_chi_square(correlation: Array, rows: int) -> tuple[float, int]:
    """Return chi-square and degrees of freedom of the model in which nothing correlates: -n log|R|, p (p - 1) / 2.

    The variances fit exactly there, so the discrepancy is -log of the determinant of the correlations.
    """
    size = correlation.shape[0]
    return -rows * float(np.linalg.slogdet(correlation)[1]), size * (size - 1) // 2


def srmr(sample: Array, implied: Array) -> float:
    """Return the standardised root mean square residual, diagonal included.

    Residual covariances divided by the sample standard deviations of both items, squared, averaged over the
    p (p + 1) / 2 elements, root (Bentler 1995, EQS manual; Hu & Bentler 1999).
    """
    spread = np.sqrt(np.diag(sample))
    residual = (sample - implied) / np.outer(spread, spread)
    return float(np.sqrt(np.mean(residual[np.tril_indices(len(spread))] ** 2)))


def gfi_lisrel(sample: Array, implied: Array) -> float:
    """Return Joreskog and Sorbom's goodness of fit index under maximum likelihood.

    1 - tr[(Sigma^-1 S - I)^2] / tr[(Sigma^-1 S)^2] (Joreskog & Sorbom 1984, LISREL VI; Tanaka & Huba 1985).
    """
    ratio = np.linalg.solve(implied, sample)
    rest = ratio - np.eye(len(ratio))
    return 1.0 - float(np.trace(rest @ rest)) / float(np.trace(ratio @ ratio))
