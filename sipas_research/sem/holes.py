"""Rows with holes: what a group of them tells about a model (full-information maximum likelihood).

The discrepancy is that of the observed values less its least value without a model, so that n times it is the
likelihood-ratio chi-square (Arbuckle 1996; Enders & Bandalos 2001, Structural Equation Modeling 8, 430-457).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sipas_research.numerics.correlation import Array
from sipas_research.numerics.hole_likelihood import hole_curvature, hole_point, inverse_of
from sipas_research.numerics.hole_patterns import Index, Patterns
from sipas_research.numerics.hole_scores import hole_scores
from sipas_research.sem.derivatives import Residuals
from sipas_research.sem.implied import Implied

_LOG_2PI = math.log(2.0 * math.pi)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Holes:
    """The rows of one group, some incomplete.

    Attributes
    ----------
    values : (n, p) array
        NaN where a value is missing; not writeable.
    there, code : (P, p) and (n,) arrays
        Patterns, and the pattern of each row.
    patterns : Patterns
        What the likelihood needs of the rows.
    mean, cov : (p,) and (p, p) arrays
        The moments that make the rows most likely.
    least : float
        The discrepancy there, per row, without the constant.
    label : str
        The group.
    weights : (n,) array or None
    clusters : (n,) index array or None
    """

    values: Array
    there: NDArray[np.bool_]
    code: Index
    patterns: Patterns
    mean: Array
    cov: Array
    least: float
    label: str
    weights: Array | None = None
    clusters: Index | None = None

    @property
    def rows(self) -> float:
        """Number of rows, or the sum of their weights."""
        return self.patterns.total

    def log_likelihood(self, predictors: Sequence[int]) -> float:
        """Return the log-likelihood of the likeliest moments, given predictors, which are there in every row."""
        total = self.rows * self.least + self.patterns.values * _LOG_2PI
        if len(predictors):
            inside = inverse_of(self.cov[np.ix_(predictors, predictors)])
            size = len(predictors)
            total -= self.rows * (size * (_LOG_2PI + 1.0) + (float("nan") if inside is None else inside[1]))
        return -0.5 * total

    def scores(self, mean: Array, cov: Array) -> Iterator[tuple[Array, Array | None, Index | None]]:
        """Yield casewise scores by (mu, vech Sigma), an (m, k) array a time, with weights and clusters of the rows."""
        for rows, scores in hole_scores(self.values, self.there, self.code, mean, cov):
            weights = None if self.weights is None else self.weights[rows]
            yield scores.T, weights, None if self.clusters is None else self.clusters[rows]


def value_with_holes(at: Implied, holes: Holes) -> tuple[float, Residuals] | None:
    """Return the discrepancy of one group and what its derivatives need, or None outside the parameter space."""
    mean, cov = at.mean, at.cov
    whole = inverse_of(cov)
    found = None if whole is None else hole_point(holes.patterns, mean, cov)
    if whole is None or found is None:
        return None
    by_moments = partial(_by_moments, holes.patterns, mean, cov)
    return found.value - holes.least, Residuals(whole[0], found.slope, found.pull, None, by_moments)


def _by_moments(patterns: Patterns, mean: Array, cov: Array, observed: bool) -> Array:
    curvature = hole_curvature(patterns, mean, cov, observed=observed)
    if curvature is None:
        raise ValueError("a positive definite matrix is needed")
    return curvature
