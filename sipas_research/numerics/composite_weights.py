"""Weights of the parts of a composite: from loadings, with their sampling error, and the most favourable ones."""

from __future__ import annotations

import numpy as np

from sipas_research.numerics.correlation import Array


def squared_loadings(scores: Array, mass: Array) -> tuple[Array, Array]:
    """Return weights that are the squared loadings on the first principal component, and their influence values.

    The loadings come from the weighted correlations of people who have every score; squared and divided by the
    component's eigenvalue they add up to one (Nicoletti, Scarpetta and Boylaud 2000, OECD Economics Department Working
    Paper 226; OECD/JRC, Handbook on Constructing Composite Indicators, 2008, step 6). The influence values follow from
    the derivative of an eigenvector (Magnus 1985, Econometric Theory 1, 179-191) and of a correlation.

    Parameters
    ----------
    scores : (people, parts) array
        Rows with a missing score are left out.
    mass : (people,) array
        Sampling weights, positive.

    Returns
    -------
    weights : (parts,) array
        Add up to one.
    influence : (people, parts) array
        Each column adds up to zero; 0 for people who are left out.

    Raises
    ------
    ValueError
        If fewer than two people have every score, a score does not vary, or the first two components are equally
        large, so that the first is not determined.
    """
    whole = np.isfinite(scores).all(axis=1)
    values, weight = scores[whole], mass[whole]
    total = float(weight.sum())
    if len(values) < 2:
        raise ValueError("too few people")
    apart = values - weight @ values / total
    spread = np.sqrt(weight @ apart**2 / total)
    if not (spread > 1e-12).all():
        raise ValueError("a score does not vary")
    standard = apart / spread
    roots, vectors = np.linalg.eigh((standard * weight[:, None]).T @ standard / total)
    first, others = vectors[:, -1], vectors[:, :-1]
    gaps = roots[-1] - roots[:-1]
    if gaps.size and gaps.min() < 1e-9:
        raise ValueError("the first component is not determined")
    # v_l' dR v_1 for every other vector: the derivative of R in the direction of one person's standardised scores
    turned = (standard @ others) * (standard @ first)[:, None]
    turned -= 0.5 * (roots[-1] + roots[:-1]) * (standard**2 @ (others * first[:, None]))
    change = (turned / gaps) @ others.T
    influence = np.zeros(scores.shape)
    influence[whole] = (weight / total)[:, None] * 2.0 * first * change
    found: Array = first**2
    return found, influence


def favourable_weights(values: Array, low: Array, high: Array) -> Array:
    """Return, for each group, the weights within bounds that add up to one and make its composite largest.

    The benefit of the doubt of Melyn and Moesen (1991) with bounds on the weights themselves (Cherchye, Moesen, Rogge
    and Van Puyenbroeck 2007, Social Indicators Research 82, 111-145); with one sum to spend the linear programme is
    solved by giving what is left over the lower bounds to the largest values first. Among equal values the first part
    comes first.

    Parameters
    ----------
    values : (groups, parts) array
        A group with a missing value gets missing weights.
    low, high : (parts,) arrays
        0 <= low <= high, the lows adding up to at most one and the highs to at least one.

    Raises
    ------
    ValueError
        If no weights within the bounds add up to one.
    """
    room = high - low
    if (low < 0).any() or (room < 0).any() or low.sum() > 1.0 + 1e-9 or high.sum() < 1.0 - 1e-9:
        raise ValueError("no weights within the bounds add up to one")
    order = np.argsort(-np.nan_to_num(values), axis=1, kind="stable")
    sorted_room = room[order]
    before = np.cumsum(sorted_room, axis=1) - sorted_room
    given = np.clip(max(1.0 - float(low.sum()), 0.0) - before, 0.0, sorted_room)
    weights = np.empty(values.shape)
    np.put_along_axis(weights, order, low[order] + given, axis=1)
    weights[~np.isfinite(values).all(axis=1)] = np.nan
    return weights
