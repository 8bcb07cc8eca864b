"""A general factor behind correlated factors: the transformation of Schmid and Leiman, and hierarchical omega."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sipas_research.numerics.correlation import Array, read_only
from sipas_research.numerics.extraction import extract


@dataclass(frozen=True, slots=True, eq=False)
class GeneralFactor:
    """One general factor and m group factors, all uncorrelated.

    Attributes
    ----------
    second_order : (m,) array
        Loadings of the correlated factors on the general one.
    general : (p,) array
        Standardised loadings of the items on the general factor.
    groups : (p, m) array
        On the group factors, which hold what the general one leaves.
    at_bound : bool
        True where a second-order loading reached one: a group factor then holds nothing of its own.
    """

    second_order: Array
    general: Array
    groups: Array
    at_bound: bool


def schmid_leiman(pattern: Array, factor_correlations: Array) -> GeneralFactor:
    """Return the Schmid-Leiman (1957, Psychometrika 22, 53-61) transformation of an oblique solution.

    The factor correlations get one factor by minimum residuals. With two factors only the product of their
    loadings is known: both get the root of the correlation, as in R psych.

    Parameters
    ----------
    pattern : (p, m) array
        Pattern loadings of standardised items, m >= 2.
    factor_correlations : (m, m) array

    Raises
    ------
    ValueError
        If there is one factor.
    """
    size = factor_correlations.shape[0]
    if size < 2:
        raise ValueError("a general factor needs two correlated factors")
    if size == 2:
        shared = float(factor_correlations[0, 1])
        root = np.sqrt(abs(shared))
        second, at_bound = np.array([root, np.sign(shared) * root]), False
    else:
        found = extract(factor_correlations, 1, "minres")
        second, at_bound = found.loadings[:, 0], bool(found.at_bound.any())
    if second.sum() < 0:
        second = -second
    general = pattern @ second
    groups = pattern * np.sqrt(np.maximum(1.0 - second**2, 0.0))
    return GeneralFactor(read_only(second), read_only(general), read_only(groups), at_bound)


@dataclass(frozen=True, slots=True)
class SumScoreShares:
    """Shares of the variance of a sum score, 0-1: general factor, group factors, everything but unique variance."""

    hierarchical: float
    groups: float
    total: float


def sum_score_shares(solution: GeneralFactor, uniquenesses: Array, matrix: Array, weights: Array) -> SumScoreShares:
    """Return omega hierarchical and omega total of a weighted sum (Zinbarg, Revelle, Yovel & Li 2005, eqs. 2, 6).

    Parameters
    ----------
    solution : GeneralFactor
    uniquenesses : (p,) array
        Unique variances of the standardised items.
    matrix : (p, p) array
        Observed correlations: the variance of the sum is the observed one.
    weights : (p,) array
        Weight of each standardised item: its standard deviation for a sum of raw items, 0 for an item outside.
    """
    variance = float(weights @ matrix @ weights)
    return SumScoreShares(
        hierarchical=float(weights @ solution.general) ** 2 / variance,
        groups=float(((weights @ solution.groups) ** 2).sum()) / variance,
        total=1.0 - float(weights**2 @ uniquenesses) / variance,
    )


def explained_common_variance(solution: GeneralFactor) -> float:
    """Return the general factor's share of the common variance (Reise, Scheines, Widaman & Haviland 2013), 0-1."""
    general = float((solution.general**2).sum())
    return general / (general + float((solution.groups**2).sum()))
