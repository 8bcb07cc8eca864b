"""The area-level model of Fay and Herriot: estimates of many small areas that borrow strength from each other.

y_i = x_i'beta + v_i + e_i with v_i ~ N(0, A) between areas and e_i ~ N(0, D_i), D_i known (Fay and Herriot 1979,
Journal of the American Statistical Association 74, 269-277). A by restricted maximum likelihood; where that is 0, by
the adjusted restricted likelihood A * L(A) of Li and Lahiri (2010, Journal of Multivariate Analysis 101, 882-892),
whose maximum is always positive, so that no direct estimate is given a weight of nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from sipas_research.numerics.correlation import Array

_GRID = 400
#: The search for A ends this many times above the largest variance at hand.
_REACH = 1e4
_LEAST = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class FayHerriot:
    """A fitted model of m areas. Arrays are not writeable.

    Attributes
    ----------
    variance : float
        A, between areas.
    method : str
        "reml", or "adjusted" where the restricted likelihood is largest at 0.
    coefficients : (k,) array
    coefficient_covariance : (k, k) array
    synthetic : (m,) array
        What the regression alone says of each area.
    shrinkage : (m,) array
        Weight of the direct estimate, A / (A + D).
    estimate : (m,) array
        Empirical best linear unbiased predictor.
    mse : (m,) array
        Its estimated mean squared error.
    """

    variance: float
    method: str
    coefficients: np.ndarray
    coefficient_covariance: np.ndarray
    synthetic: np.ndarray
    shrinkage: np.ndarray
    estimate: np.ndarray
    mse: np.ndarray


def smoothed_variances(variances: Array, sizes: Array, shares: Array) -> Array:
    """Return sampling variances of shares smoothed by a generalised variance function: d p (1 - p) / n, one d for all.

    The design effect d is the mean of n_i v_i / (p_i (1 - p_i)) weighted by n_i - 1 (Wolter 2007, Introduction to
    Variance Estimation, chapter 7). Estimated variances of small samples are themselves unsure, and the model takes
    them as known.

    Parameters
    ----------
    variances : (m,) array
        Estimated variances, at least one positive.
    sizes : (m,) array
        Sampled units behind each, at least 2: people, or clusters where clusters were drawn.
    shares : (m,) array
        Estimates, strictly between 0 and 1.

    Raises
    ------
    ValueError
        If shapes do not fit, a variance is negative or none is positive, a size is below 2 or a share outside 0-1.
    """
    variances, sizes, shares = (np.asarray(a, dtype=float) for a in (variances, sizes, shares))
    if not len(variances) or variances.shape != sizes.shape or variances.shape != shares.shape:
        raise ValueError("one size and one share a variance")
    if not ((sizes >= 2.0).all() and ((shares > 0.0) & (shares < 1.0)).all()):
        raise ValueError("sizes are at least 2, shares strictly between 0 and 1")
    if not (np.isfinite(variances).all() and (variances >= 0.0).all() and (variances > 0.0).any()):
        raise ValueError("variances must be finite, none negative and one positive")
    simple = shares * (1.0 - shares) / sizes
    return np.average(variances / simple, weights=sizes - 1.0) * simple


def fay_herriot(estimates: Array, variances: Array, design: Array) -> FayHerriot:
    """Fit the model by restricted maximum likelihood.

    The mean squared error is g1 + g2 + 2 g3 (Prasad and Rao 1990; Datta and Lahiri 2000, Statistica Sinica 10, 613-627,
    for REML). For the adjusted likelihood the paper's further term, a subtraction that can pass zero when A is small,
    is left out: the error is then on the large side.

    Parameters
    ----------
    estimates : (m,) array
    variances : (m,) array
        Sampling variances, positive.
    design : (m, k) array
        Explanatory variables with the constant, of full rank; m is at least k + 3.

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite, a variance is not positive, the design has not full rank, or
        there are too few areas.
    """
    model = _Model.of(estimates, variances, design)
    grid = model.grid()
    found, method = _largest(model, grid, 0.0), "reml"
    if found == 0.0:
        found, method = _largest(model, grid, 1.0), "adjusted"
    spread = found + model.variances
    weighted = model.design / spread[:, None]
    bread = np.linalg.inv(model.design.T @ weighted)
    coefficients = bread @ (weighted.T @ model.estimates)
    synthetic = model.design @ coefficients
    shrinkage = found / spread
    own = 1.0 - shrinkage
    known = shrinkage * model.variances
    unknown_line = own**2 * np.einsum("ij,jk,ik->i", model.design, bread, model.design)
    unknown_variance = own**2 / spread * 2.0 / (spread**-2.0).sum()
    arrays = {
        "coefficients": coefficients,
        "coefficient_covariance": bread,
        "synthetic": synthetic,
        "shrinkage": shrinkage,
        "estimate": synthetic + shrinkage * (model.estimates - synthetic),
        "mse": known + unknown_line + 2.0 * unknown_variance,
    }
    for array in arrays.values():
        array.setflags(write=False)
    return FayHerriot(variance=found, method=method, **arrays)


def posterior_draws(
    estimates: Array, variances: Array, design: Array, *, generator: np.random.Generator, draws: int = 10_000
) -> Array:
    """Draw the areas' true values from the model with flat priors on the coefficients and on A, shape (draws, m).

    A is drawn from its restricted likelihood on a grid, then the coefficients, then the areas (Rao and Molina 2015,
    Small Area Estimation, section 10.3): the draws carry the uncertainty about A, which plugging in an estimate hides.

    Raises
    ------
    ValueError
        As :func:`fay_herriot`.
    """
    model = _Model.of(estimates, variances, design)
    grid = model.grid()
    height = np.array([model.log_likelihood(a) for a in grid])
    # mass of each cell of the grid: density at the left end and at the right, times width
    density = np.exp(height - height.max())
    mass = np.append(0.0, (density[1:] + density[:-1]) / 2.0 * np.diff(grid))
    drawn = np.interp(generator.uniform(size=draws), np.cumsum(mass) / mass.sum(), grid)
    areas, columns = model.design.shape
    spread = drawn[:, None] + model.variances
    normal = np.einsum("ij,di,ik->djk", model.design, 1.0 / spread, model.design)
    covariance = np.linalg.inv(normal)
    centre = np.einsum("djk,dk->dj", covariance, (model.estimates / spread) @ model.design)
    root = np.linalg.cholesky(covariance)
    line = (centre + np.einsum("djk,dk->dj", root, generator.standard_normal((draws, columns)))) @ model.design.T
    weight = drawn[:, None] / spread
    noise = generator.standard_normal((draws, areas)) * np.sqrt(weight * model.variances)
    return weight * model.estimates + (1.0 - weight) * line + noise


def top_probabilities(values: Array, top: int) -> Array:
    """Return how often each column is among the ``top`` largest of its row, shape (m,); no ties in continuous draws."""
    order = np.argsort(-values, axis=1, kind="stable")[:, :top]
    return np.bincount(order.ravel(), minlength=values.shape[1]) / len(values)


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    estimates: np.ndarray
    variances: np.ndarray
    design: np.ndarray

    @classmethod
    def of(cls, estimates: Array, variances: Array, design: Array) -> _Model:
        values, known = np.asarray(estimates, dtype=float), np.asarray(variances, dtype=float)
        columns = np.asarray(design, dtype=float)
        if values.ndim != 1 or known.shape != values.shape or columns.ndim != 2 or len(columns) != len(values):
            raise ValueError("estimates and variances are vectors, the design has one row an area")
        if not (np.isfinite(values).all() and np.isfinite(known).all() and np.isfinite(columns).all()):
            raise ValueError("estimates, variances and design must be finite")
        if not (known > 0.0).all():
            raise ValueError("sampling variances must be positive")
        if len(values) < columns.shape[1] + 3:
            raise ValueError("the model needs at least three areas more than coefficients")
        if np.linalg.matrix_rank(columns) < columns.shape[1]:
            raise ValueError("the design must have full rank")
        return cls(values, known, columns)

    def grid(self) -> Array:
        """Values of A from 0 to far beyond anything that the estimates can carry."""
        scale = max(float(self.variances.max()), float(self.estimates.var(ddof=1)))
        return np.append(0.0, np.geomspace(_LEAST * scale, _REACH * scale, _GRID))

    def log_likelihood(self, variance: float) -> float:
        """Restricted log likelihood of A, without its constant."""
        spread = variance + self.variances
        weighted = self.design / spread[:, None]
        normal = self.design.T @ weighted
        rest = self.estimates - self.design @ np.linalg.solve(normal, weighted.T @ self.estimates)
        return float(-0.5 * (np.log(spread).sum() + np.linalg.slogdet(normal)[1] + (rest**2 / spread).sum()))

    def score(self, variance: float) -> float:
        """Derivative of the restricted log likelihood: (y'PPy - tr P) / 2."""
        spread = variance + self.variances
        weighted = self.design / spread[:, None]
        bread = np.linalg.inv(self.design.T @ weighted)
        rest = (self.estimates - self.design @ (bread @ (weighted.T @ self.estimates))) / spread
        trace = (1.0 / spread).sum() - np.einsum("ij,jk,ik->", weighted, bread, weighted)
        return float((rest @ rest - trace) / 2.0)


def _largest(model: _Model, grid: Array, power: float) -> float:
    """Return the A at which A**power times the restricted likelihood is largest: best of the grid, then the root."""
    start = 0 if power == 0.0 else 1
    height = np.array([model.log_likelihood(a) + (power * np.log(a) if power else 0.0) for a in grid[start:]])
    best = start + int(np.argmax(height))
    low, high = grid[max(best - 1, start)], grid[min(best + 1, len(grid) - 1)]

    def slope(variance: float) -> float:
        return model.score(variance) + (power / variance if power else 0.0)

    if slope(low) <= 0.0:
        return float(low)
    if slope(high) >= 0.0:
        return float(high)
    return float(brentq(slope, low, high, xtol=1e-16, rtol=1e-14, maxiter=200))
