"""Covariance matrix of the estimates and tests of a model of ordered answers.

With slopes D of the statistics, weights W and n times the statistics' covariance G, all groups stacked and each
weighed by its share of the rows: A = D' W D, J = D' W G W D, errors A^-1 J A^-1 / n (Muthén, du Toit & Spisic 1997).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sipas_research.numerics.correlation import Array
from sipas_research.sem.information import Information, inverse_within, lost_parameters
from sipas_research.sem.optimum import Optimum
from sipas_research.sem.options import FitOptions
from sipas_research.sem.ordinal_problem import OrdinalPoint, OrdinalProblem, weighted
from sipas_research.sem.restrictions import Restrictions, null_space

#: Estimators whose test is scaled and shifted.
ROBUST_ORDINAL = ("WLSMV", "ULSMV")


def gamma_blocks(problem: OrdinalProblem) -> Iterator[tuple[int, int, Array]]:
    """Yield n times the covariances of the statistics of two groups, n the rows of all groups.

    Groups are independent unless clusters of rows cut them.
    """
    rows = sum(each.n for each in problem.samples)
    for g, one in enumerate(problem.samples):
        yield g, g, one.gamma * (rows / one.total)
        for h, other in enumerate(problem.samples):
            if g != h and one.cluster_sums is not None and other.cluster_sums is not None:
                block = one.cluster_sums.T @ other.cluster_sums
                if block.any():
                    yield g, h, rows * block


def ordinal_information(
    problem: OrdinalProblem, found: Optimum, restrictions: Restrictions, options: FitOptions
) -> Information:
    """Return information and covariance matrix of the estimates at a minimum.

    The sandwich; for WLS, whose weights are the inverse of the statistics' covariance, the inverse of D'WD.
    """
    point = ordinal_point(found)
    expected = problem.hessian_of(point, observed=False, by_rows=True) / 2.0
    held = (*restrictions.equal, *found.active)
    basis, _ = null_space(restrictions.gaps(held, point.theta)[1], problem.size)
    inverse = inverse_within(expected, basis)
    lost = lost_parameters(expected, basis)
    middle: Array | None = None
    if options.estimator != "WLS":
        middle = middle_of(problem, point)
    vcov = inverse / problem.n if middle is None else inverse @ middle @ inverse / problem.n
    if lost:
        vcov = vcov.copy()
        vcov[list(lost), :] = vcov[:, list(lost)] = np.nan
    return Information(
        vcov=vcov, basis=basis, expected=expected, used=expected, score_products=middle, likelihood=(), structured=(),
        unidentified=lost,
    )  # fmt: skip


def ordinal_point(found: Optimum) -> OrdinalPoint:
    """Return the point of an ordinal search."""
    if not isinstance(found.point, OrdinalPoint):
        raise TypeError("an optimum of an ordinal problem is needed")
    return found.point


def pulled_slopes(problem: OrdinalProblem, point: OrdinalPoint) -> list[Array]:
    """Return W D of every group, times the group's share."""
    parts = zip(problem.targets, problem.weights, point.jacobians, strict=True)
    return [target.share * weighted(weight, slopes) for target, weight, slopes in parts]


def middle_of(problem: OrdinalProblem, point: OrdinalPoint) -> Array:
    """Return J = D' W G W D."""
    pulled = pulled_slopes(problem, point)
    result = np.zeros((problem.size, problem.size))
    for g, h, block in gamma_blocks(problem):
        result += pulled[g].T @ block @ pulled[h]
    return result


def traces(problem: OrdinalProblem, point: OrdinalPoint, information: Information) -> tuple[float, float]:
    """Return tr(U G) and tr((U G)^2) with U = W - W D A^-1 D' W; diagonal weights.

    The powers are taken of matrices as wide as the parameters, not as the statistics.
    """
    inverse = inverse_within(information.used, information.basis)
    pulled = pulled_slopes(problem, point)
    weights = [target.share * weight for target, weight in zip(problem.targets, problem.weights, strict=True)]
    first = second = 0.0
    across = [np.zeros_like(each) for each in pulled]  # G W D of every group
    for g, h, block in gamma_blocks(problem):
        if g == h:
            first += float(np.diag(block) @ weights[g])
        second += float(weights[g] @ (block**2 @ weights[h]))
        across[g] += block @ pulled[h]
    middle = sum((one.T @ other for one, other in zip(pulled, across, strict=True)), np.zeros_like(inverse))
    crossed = np.zeros_like(inverse)
    for one, weight in zip(across, weights, strict=True):
        crossed += one.T @ (weight[:, None] * one)
    taken = inverse @ middle
    return (
        first - float(np.trace(taken)),
        second - 2.0 * float(np.sum(inverse * crossed)) + float(np.sum(taken * taken.T)),
    )
