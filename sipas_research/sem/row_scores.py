"""Scores and information by single rows of the parameter table, free or fixed, at the estimates of a fit.

A free parameter that several rows share, and a row that is fixed, have no derivative of their own in the fit. Here
every row has one; tests that release equalities or free fixed rows are made of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sipas_research.errors import AnalysisError
from sipas_research.numerics.correlation import Array
from sipas_research.sem.derivatives import expected_of, gradient, moment_slopes_of
from sipas_research.sem.implied import Implied
from sipas_research.sem.layout import Index, Layout
from sipas_research.sem.result import SemFit

#: Kinds of a row, as in :class:`sipas_research.sem.standardize.RowIndex`: path, covariance, variance, intercept.
PATH, INTERCEPT = 0, 3


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Directions:
    """Derivatives by some rows of one group.

    Attributes
    ----------
    at : Implied
        The fit's moments under a layout of these rows.
    order : index array
        Place of each row, as given, in that layout.
    """

    at: Implied
    order: Index


def directions(at: Implied, left: Index, right: Index, kind: Index) -> Directions:
    """Return the derivatives by rows with ends ``left`` and ``right``, at a group's implied moments."""
    paths, means = kind == PATH, kind == INTERCEPT
    moving = ~paths & ~means
    layout = at.layout.of_rows(
        list(zip(left[paths].tolist(), right[paths].tolist(), strict=True)),
        list(zip(left[moving].tolist(), right[moving].tolist(), strict=True)),
        left[means].tolist(),
    )
    given = np.concatenate([np.flatnonzero(paths), np.flatnonzero(moving), np.flatnonzero(means)])
    order = np.empty(len(kind), dtype=np.intp)
    order[given] = np.arange(len(kind))
    return Directions(Implied(layout, at.inverse, at.residual, at.intercepts), order)


def scores(fit: SemFit, group: int, where: Directions) -> Array:
    """Return the score of one row of data by each row of the table: minus half the slope, times the group's weight."""
    given, target = fit.optimum.point.residuals[group], fit.problem.targets[group]
    return -0.5 * target.pull * gradient(where.at, given)[where.order]


def information(fit: SemFit, group: int, where: Directions) -> Array:
    """Return the expected information of one row of data by all pairs of rows of one group."""
    given, target = fit.optimum.point.residuals[group], fit.problem.targets[group]
    whole = 0.5 * target.share * expected_of(where.at, given, means=target.mean is not None)
    return np.asarray(whole[np.ix_(where.order, where.order)])


def crossed(where: Directions, free: Implied, weight: Array, *, means: bool) -> tuple[Array, Array]:
    """Return half the expected Hessian between rows and a group's free parameters, and its diagonal by the rows.

    The block between the rows themselves, which is large and not needed for univariate tests, is not formed.

    Parameters
    ----------
    where : Directions
        e rows.
    free : Implied
        The group as fitted, m parameters.
    weight : (p, p) array
        V; the information has V, its covariance under normality V S V.
    means : bool
        Whether means are modelled.

    Returns
    -------
    (e, m) and (e,) arrays
    """
    at, order = where.at, where.order
    one, other = at.layout, free.layout
    products = at.directions.T @ weight @ at.directions
    across = np.zeros((len(one.free), len(other.free)))
    spread = np.zeros(len(one.free))
    scale = np.outer(one.factor, other.factor)
    across[: one.moments, : other.moments] = scale * (
        _at(products, one.left, other.left) * _at(products, one.right, other.right)
        + _at(products, one.left, other.right) * _at(products, one.right, other.left)
    )
    left, right = one.left, one.right
    spread[: one.moments] = one.factor**2 * (products[left, left] * products[right, right] + products[left, right] ** 2)
    if means:
        slopes = weight @ at.mean_slopes
        across[np.ix_(one.mean_columns, other.mean_columns)] += slopes.T @ free.mean_slopes
        spread[one.mean_columns] += np.einsum("ij,ij->j", slopes, at.mean_slopes)
    return across[order], spread[order]


def crossed_holes(where: Directions, free: Implied, curvature: Array) -> tuple[Array, Array]:
    """Return what :func:`crossed` does where rows have holes; ``curvature`` is the discrepancy's by the moments."""
    slopes = moment_slopes_of(where.at)
    pulled = 0.5 * (slopes.T @ curvature)
    across, spread = pulled @ moment_slopes_of(free), np.einsum("ij,ji->i", pulled, slopes)
    return across[where.order], spread[where.order]


def _at(products: Array, rows: Index, columns: Index) -> Array:
    return np.asarray(products[rows[:, None], columns])


def free_columns(layout: Layout, size: int, block: Array) -> Array:
    """Return a block by a group's parameters as a block by all free parameters; rows that share one are summed."""
    result = np.zeros((len(block), size))
    np.add.at(result.T, layout.free, block.T)
    return result


def require_minimum(fit: SemFit) -> None:
    """Stop where a fit did not converge: what follows holds at a minimum only.

    Raises
    ------
    AnalysisError
    """
    if not fit.converged:
        raise AnalysisError("sem_comparison.error.not_converged")
