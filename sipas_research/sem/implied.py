"""Moments that a model implies at some parameter values, and the pieces that their derivatives are made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg.lapack import dgetrf, dgetri

from sipas_research.numerics.correlation import Array
from sipas_research.sem.layout import Layout


@dataclass(frozen=True, eq=False, repr=False)
class Implied:
    """One group at one point: N variables, the first p observed.

    Attributes
    ----------
    layout : Layout
    inverse : (N, N) array
        (I - B)^-1.
    residual : (N, N) array
        Phi.
    intercepts : (N,) array
        alpha.
    """

    layout: Layout
    inverse: Array
    residual: Array
    intercepts: Array

    @cached_property
    def joint(self) -> Array:
        """Covariance matrix of all variables: (I - B)^-1 Phi (I - B)^-T."""
        return self.inverse @ self.residual @ self.inverse.T

    @cached_property
    def cov(self) -> Array:
        """Covariance matrix of the observed variables."""
        p = self.layout.observed
        found = self.joint[:p, :p]
        return (found + found.T) / 2.0

    @cached_property
    def joint_mean(self) -> Array:
        """Means of all variables."""
        return self.inverse @ self.intercepts

    @cached_property
    def mean(self) -> Array:
        """Means of the observed variables."""
        return self.joint_mean[: self.layout.observed]

    @cached_property
    def directions(self) -> Array:
        """W = [G, F C]: every derivative of the covariance matrix is s (a b' + b a') with columns a, b of it."""
        p = self.layout.observed
        return np.concatenate([self.inverse[:p], self.joint[:p]], axis=1)

    @cached_property
    def mean_slopes(self) -> Array:
        """Derivatives of the means, a (p, a + c) array: by paths G[:, i] m_j, by intercepts G[:, i]."""
        shape, p = self.layout, self.layout.observed
        gains = self.inverse[:p]
        by_path = gains[:, shape.path_to] * self.joint_mean[shape.path_from]
        return np.concatenate([by_path, gains[:, shape.means_of]], axis=1)


def implied(layout: Layout, theta: Array) -> Implied | None:
    """Return the implied moments at ``theta`` (all free parameters), or None where I - B has no inverse."""
    values = theta[layout.free]
    a, b = len(layout.path_to), len(layout.cov_left)
    paths, residual, intercepts = layout.base_paths.copy(), layout.base_cov.copy(), layout.base_means.copy()
    paths.put(layout.path_cells, values[:a])
    for cells in layout.cov_cells:
        residual.put(cells, values[a : a + b])
    intercepts[layout.means_of] = values[a + b :]
    if layout.direct:
        inverse = layout.identity + paths
    else:
        factors, pivots, singular = dgetrf(layout.identity - paths)
        if singular:
            return None
        inverse, _ = dgetri(factors, pivots)
    return Implied(layout, inverse, residual, intercepts) if np.isfinite(inverse).all() else None
