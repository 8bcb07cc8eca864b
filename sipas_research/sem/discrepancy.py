"""Distances between sample and implied moments of one group: maximum likelihood, GLS, ULS.

A further estimator is one function here that returns its value, one that returns its :class:`Residuals`, and a row
in the gradient test.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri

from sipas_research.numerics.correlation import Array
from sipas_research.sem.derivatives import Residuals
from sipas_research.sem.holes import Holes, value_with_holes
from sipas_research.sem.implied import Implied
from sipas_research.sem.moments import GroupSample
from sipas_research.sem.options import FitOptions


def inverse_and_log_determinant(matrix: Array) -> tuple[Array, float] | None:
    """Return the inverse of a positive definite matrix and the logarithm of its determinant, or None."""
    factor, failed = dpotrf(matrix, lower=1, clean=1)
    if failed:
        return None
    diagonal = factor.diagonal()
    log_determinant = 2.0 * float(np.log(diagonal).sum())
    if not math.isfinite(log_determinant):
        return None
    inverse, failed = dpotri(factor, lower=1)
    if failed:
        return None
    whole = inverse + inverse.T
    whole.flat[:: len(whole) + 1] *= 0.5
    return whole, log_determinant


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Target:
    """What a group is fitted to.

    Attributes
    ----------
    cov : (p, p) array
        Divisor n for maximum likelihood, n - 1 for GLS and ULS.
    mean : (p,) array or None
        None where means are not modelled.
    weight : (p, p) array
        Inverse of ``cov`` (ML, GLS) or identity (ULS).
    log_determinant : float
        Of ``cov``; NaN where it has none (ULS on a singular matrix).
    share : float
        The group's share of all rows.
    n : float
        Its rows; the sum of their weights where they have some.
    likelihood : bool
        Whether the discrepancy is that of maximum likelihood.
    holes : Holes or None
        The rows themselves where some are incomplete; ``cov`` and ``mean`` then make them most likely.
    """

    cov: Array
    mean: Array | None
    weight: Array
    log_determinant: float
    share: float
    n: float
    likelihood: bool
    holes: Holes | None = None

    @property
    def pull(self) -> float:
        """The group's weight in the discrepancy: its share, by n - 1 rows where the chi-square counts those."""
        return self.share if self.likelihood else self.share * (self.n - 1) / self.n


def target_of(sample: GroupSample, options: FitOptions, share: float) -> Target:
    """Return what the estimator fits in one group."""
    cov = sample.cov if options.likelihood else sample.cov * (sample.n / (sample.n - 1))
    found = inverse_and_log_determinant(cov)
    mean = sample.mean if options.meanstructure else None
    inverse, log_determinant = (np.eye(len(cov)), float("nan")) if found is None else found
    weight = np.eye(len(cov)) if options.estimator == "ULS" else inverse
    return Target(cov, mean, weight, log_determinant, share, sample.total, options.likelihood, sample.holes)


def value(at: Implied, target: Target) -> tuple[float, Residuals] | None:
    """Return the discrepancy of one group and what its derivatives need, or None outside the parameter space.

    ML: log|Sigma| + tr(T Sigma^-1) - log|S| - p with T = S + d d' (Joreskog 1967). GLS, ULS: half the trace of
    (V (S - Sigma))^2 plus d'V d (Browne 1974, South African Statistical Journal 8, 1-24).
    """
    if target.holes is not None:
        return value_with_holes(at, target.holes)
    cov = at.cov
    deviation = None if target.mean is None else target.mean - at.mean
    if not target.likelihood:
        return _least_squares(cov, deviation, target)
    found = inverse_and_log_determinant(cov)
    if found is None:
        return None
    weight, log_determinant = found
    observed = target.cov if deviation is None else target.cov + np.outer(deviation, deviation)
    ratio = weight @ observed
    curvature = ratio @ weight
    size = len(cov)
    distance = log_determinant + float(np.trace(ratio)) - target.log_determinant - size
    pulled = None if deviation is None else weight @ deviation
    return distance, Residuals(weight, weight - curvature, pulled, curvature)


def _least_squares(cov: Array, deviation: Array | None, target: Target) -> tuple[float, Residuals]:
    weight = target.weight
    ratio = weight @ (cov - target.cov)
    distance = 0.5 * float(np.sum(ratio * ratio.T))
    pulled = None
    if deviation is not None:
        pulled = weight @ deviation
        distance += float(deviation @ pulled)
    return distance, Residuals(weight, ratio @ weight, pulled, None)
