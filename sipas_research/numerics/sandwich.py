"""Covariances of least-squares coefficients that allow unequal variances or errors that move together in clusters."""

from __future__ import annotations

import numpy as np

from sipas_research.numerics.correlation import Array


def cluster_correction(rows: int, columns: int, clusters: int) -> float:
    """Return G / (G - 1) * (N - 1) / (N - K), the small-sample factor that Stata and statsmodels use.

    Cameron & Miller (2015), Journal of Human Resources 50, 317-372, equation 12.
    """
    return clusters / (clusters - 1) * (rows - 1) / (rows - columns)


def cluster_covariance(design: Array, residuals: Array, clusters: np.ndarray) -> Array:
    """Return the cluster-robust covariance of least-squares coefficients with the small-sample factor.

    (X'X)^-1 (sum over clusters of X_g' u_g u_g' X_g) (X'X)^-1 times :func:`cluster_correction`
    (Liang & Zeger 1986, Biometrika 73, 13-22; Cameron & Miller 2015, equation 11).

    Parameters
    ----------
    design : (n, k) array
        With the column of ones where the model has an intercept; of full rank.
    residuals : (n,) array
    clusters : (n,) array of int
        Any whole numbers; at least two different ones.

    Returns
    -------
    (k, k) array
    """
    bread = np.linalg.inv(design.T @ design)
    places = np.unique(clusters, return_inverse=True)[1]
    count = int(places.max()) + 1
    sums = np.zeros((count, design.shape[1]))
    np.add.at(sums, places, design * residuals[:, None])
    covariance: Array = bread @ (sums.T @ sums) @ bread * cluster_correction(len(design), design.shape[1], count)
    return covariance


def hc3_covariance(design: Array, residuals: Array) -> Array:
    """Return MacKinnon and White's HC3: each squared residual is divided by (1 - leverage)^2.

    MacKinnon & White (1985), Journal of Econometrics 29, 305-325; Long & Ervin (2000) advise it for small samples.
    """
    bread = np.linalg.inv(design.T @ design)
    leverage = np.einsum("ij,jk,ik->i", design, bread, design)
    weighted = design * (residuals / (1.0 - leverage))[:, None]
    covariance: Array = bread @ (weighted.T @ weighted) @ bread
    return covariance
