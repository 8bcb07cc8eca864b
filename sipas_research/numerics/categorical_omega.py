"""Reliability of a sum of ordered answers: categorical omega, and ordinal alpha, which is something else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from sipas_research.numerics.bivariate_normal import distribution_grid
from sipas_research.numerics.correlation import Array, read_only
from sipas_research.numerics.extraction import extract
from sipas_research.numerics.omega import FEWEST_ITEMS, NAN
from sipas_research.numerics.polychoric import polychorics_of
from sipas_research.numerics.reliability import alpha_from_covariance


@dataclass(frozen=True, slots=True, eq=False)
class OrdinalReliability:
    """Reliability of k ordered items.

    Attributes
    ----------
    omega : float
        Of the observed sum score; NaN where there is no one-factor solution.
    alpha : float
        Ordinal alpha: of the sum of the continuous responses that are thought to lie behind the answers, which
        nobody observes. At most 1.
    loadings : (k,) array
        Of the continuous responses on the factor; NaN where there is no solution.
    heywood, converged : bool
        Of the one-factor solution.
    """

    omega: float
    alpha: float
    loadings: Array
    heywood: bool
    converged: bool


def ordinal_reliability(values: Array) -> OrdinalReliability | None:
    """Return categorical omega of the sum score (Green & Yang 2009, Psychometrika 74, eq. 21) and ordinal alpha.

    Thresholds come from the margins and correlations from pairs of items (two-step polychorics); one factor is fitted
    to the correlations by unweighted least squares. Ordinal alpha is alpha of the polychoric correlations (Zumbo,
    Gadermann & Zeisser 2007).

    Parameters
    ----------
    values : (n, k) array
        Complete answers, whole numbers, at least two categories an item. The sum adds the codes as they are.

    Returns
    -------
    OrdinalReliability or None
        None where an item is not of ordered categories, or a pair of items has no correlation.
    """
    columns = [np.ascontiguousarray(column) for column in values.T]
    try:
        found = polychorics_of(columns)
    except ValueError:
        return None
    if not found.defined.all():
        return None
    size = len(columns)
    alpha = alpha_from_covariance(found.correlation)
    nothing = read_only(np.full(size, np.nan))
    if size < FEWEST_ITEMS:
        return OrdinalReliability(NAN, alpha, nothing, False, False)
    solution = extract(found.correlation, 1, "minres")
    loadings = solution.loadings[:, 0]
    steps = [np.diff(np.unique(column)) for column in columns]
    common = sum_covariances(found.thresholds, steps, np.outer(loadings, loadings))
    observed = sum_covariances(found.thresholds, steps, np.array(found.correlation))
    np.fill_diagonal(observed, values.var(axis=0))
    total = float(observed.sum())
    omega = float(common.sum()) / total if total > 0 else NAN
    sign = 1.0 if loadings.sum() >= 0 else -1.0
    return OrdinalReliability(
        omega, alpha, read_only(sign * loadings), bool(solution.at_bound.any()), solution.converged
    )


def sum_covariances(thresholds: Sequence[Array], steps: Sequence[Array], correlation: Array) -> Array:
    """Return the covariances of ordered answers whose continuous responses correlate so.

    An answer is its lowest code plus the steps of all thresholds passed, so that the covariance of two answers is the
    sum over pairs of thresholds of step times step times (Phi2(t, u; rho) - Phi(t) Phi(u)).

    Parameters
    ----------
    thresholds : sequence of k arrays
        Rising, one array an item.
    steps : sequence of k arrays
        Difference of the codes on both sides of each threshold.
    correlation : (k, k) array
        In [-1, 1]; the diagonal gives the covariance of two parallel answers.

    Returns
    -------
    (k, k) array
    """
    size, width = len(thresholds), max(len(cuts) for cuts in thresholds)
    # a threshold that nobody passes adds nothing, so shorter items are filled up with infinity and steps of zero
    cuts, weights = np.full((size, width), np.inf), np.zeros((size, width))
    for place, (own, step) in enumerate(zip(thresholds, steps, strict=True)):
        cuts[place, : len(own)], weights[place, : len(own)] = own, step
    first, second = np.triu_indices(size)
    joint = distribution_grid(cuts[first], cuts[second], np.clip(correlation[first, second], -1.0, 1.0))
    below = ndtr(cuts)
    excess = joint - below[first][:, :, None] * below[second][:, None, :]
    values = np.einsum("mab,ma,mb->m", excess, weights[first], weights[second])
    found = np.empty((size, size))
    found[first, second] = found[second, first] = values
    return found
