"""Rotation of loadings by gradient projection (Jennrich 2001, 2002; Bernaards & Jennrich 2005), and promax.

A criterion is a function of the (p, m) loadings that returns its value and its (p, m) derivative. The
orthogonal search moves the transformation over rotations, the oblique one over matrices with columns of
length one. Criteria have local minima, so the search can start from several places; the lowest is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from sipas_research.numerics.correlation import Array, read_only

Criterion = Callable[[Array], tuple[float, Array]]

ORTHOGONAL = ("varimax",)
OBLIQUE = ("oblimin", "geomin", "promax")
ROTATIONS = ("none", *ORTHOGONAL, *OBLIQUE)

#: Length of the projected gradient that ends a search. Loadings are then right to about this size over the
#: curvature; smaller values fight the rounding of the criterion itself.
PROJECTION_TOLERANCE = 1e-7
#: Criterion values closer than this are the same minimum.
SAME_MINIMUM = 1e-8
#: Share of the promised decrease that a step must bring, and the most halvings of a step (Jennrich's choices).
SUFFICIENT_DECREASE = 0.5
HALVINGS = 20


@dataclass(frozen=True, slots=True, eq=False)
class Rotation:
    """A rotated solution: ``loadings @ factor_correlations @ loadings.T`` is that of the unrotated loadings.

    Attributes
    ----------
    loadings : (p, m) array
        Pattern loadings.
    factor_correlations : (m, m) array
    transform : (m, m) array
        T, with ``loadings = unrotated @ inv(T).T`` and ``factor_correlations = T.T @ T``.
    criterion : float
        Value at the end; NaN where the rotation minimises nothing (none, promax).
    iterations : int
    gradient : float
        Length of the projected gradient at the end.
    converged : bool
    starts, agreeing : int
        Searches run, and how many of them ended at the lowest value found.
    """

    loadings: Array
    factor_correlations: Array
    transform: Array
    criterion: float
    iterations: int
    gradient: float
    converged: bool
    starts: int = 1
    agreeing: int = 1


def varimax_criterion(loadings: Array) -> tuple[float, Array]:
    """Return minus a quarter of the summed variances of squared loadings in columns (Kaiser 1958), and its slope."""
    spread = loadings**2 - (loadings**2).mean(axis=0)
    return -0.25 * float(np.sum(spread**2)), -loadings * spread


def oblimin_criterion(loadings: Array, gamma: float = 0.0) -> tuple[float, Array]:
    """Return the direct oblimin criterion (Jennrich & Sampson 1966) and its slope; gamma 0 is quartimin."""
    squares = loadings**2
    crossed = squares.sum(axis=1, keepdims=True) - squares
    if gamma:
        crossed = crossed - gamma * crossed.mean(axis=0)
    return 0.25 * float(np.sum(squares * crossed)), loadings * crossed


def geomin_criterion(loadings: Array, delta: float = 0.01) -> tuple[float, Array]:
    """Return the summed geometric means of squared loadings plus delta in rows (Yates 1987), and its slope."""
    raised = loadings**2 + delta
    means = np.exp(np.log(raised).mean(axis=1, keepdims=True))
    return float(means.sum()), (2.0 / loadings.shape[1]) * loadings / raised * means


def rotate(
    loadings: Array,
    rotation: str,
    *,
    kaiser: bool | None = None,
    power: float = 4.0,
    gamma: float = 0.0,
    delta: float = 0.01,
    random_starts: int = 0,
    generator: np.random.Generator | None = None,
    max_iterations: int = 2000,
) -> Rotation:
    """Rotate unrotated loadings.

    Parameters
    ----------
    loadings : (p, m) array
    rotation : {"none", "varimax", "promax", "oblimin", "geomin"}
    kaiser : bool, optional
        Bring every row to unit length while rotating. By default what each rotation is known by: yes for
        varimax and promax, no for oblimin and geomin.
    power, gamma, delta : float
        Promax's power; oblimin's gamma (0 or negative); geomin's small constant.
    random_starts : int
        Searches from random rotations, besides the unrotated position and, for oblique criteria, varimax.
    generator : numpy Generator
        Needed if ``random_starts`` is positive.
    max_iterations : int

    Raises
    ------
    ValueError
        If the rotation is unknown, or random starts are asked for without a generator.
    """
    if rotation not in ROTATIONS:
        raise ValueError(f"unknown rotation {rotation!r}")
    size = loadings.shape[1]
    if rotation == "none" or size == 1:
        still = read_only(np.eye(size))
        return Rotation(read_only(loadings), still, still, float("nan"), 0, 0.0, True)
    normalise = rotation in {"varimax", "promax"} if kaiser is None else kaiser
    lengths = _row_lengths(loadings) if normalise else np.ones(loadings.shape[0])
    rows = loadings / lengths[:, None]
    starts = _starts(size, random_starts, generator)
    flat = _lowest(rows, varimax_criterion, starts, False, max_iterations)
    if rotation == "varimax":
        return _scaled(flat, lengths)
    if rotation == "promax":
        return _scaled(promax(flat, power), lengths)
    criterion: Criterion = (
        partial(oblimin_criterion, gamma=gamma) if rotation == "oblimin" else partial(geomin_criterion, delta=delta)
    )
    starts = [starts[0], flat.transform, *starts[1:]]
    return _scaled(_lowest(rows, criterion, starts, True, max_iterations), lengths)


def promax(varimax: Rotation, power: float = 4.0) -> Rotation:
    """Return the oblique solution nearest to varimax loadings raised to a power (Hendrickson & White 1964).

    Parameters
    ----------
    varimax : Rotation
        Varimax loadings, Kaiser-normalised or not: the target is made from them as they stand.
    power : float
        At least 1; the sign of a loading is kept.
    """
    loadings = varimax.loadings
    target = loadings * np.abs(loadings) ** (power - 1.0)
    transform = np.linalg.lstsq(loadings, target, rcond=None)[0]
    transform = transform * np.sqrt(np.diag(np.linalg.inv(transform.T @ transform)))
    inverse = np.linalg.inv(transform)
    return replace(
        varimax,
        loadings=read_only(loadings @ transform),
        factor_correlations=read_only(_unit_diagonal(inverse @ inverse.T)),
        transform=read_only(varimax.transform @ inverse.T),
        criterion=float("nan"),
    )


def arrange(found: Rotation) -> Rotation:
    """Return the same solution with factors in order of the variance they explain and with positive sums.

    Order and signs of factors are free; loadings, factor correlations and transformation are moved together
    here and nowhere else, so the reproduced correlations cannot change.
    """
    explained = variance_explained(found.loadings, found.factor_correlations)
    order = np.argsort(-explained, kind="stable")
    signs = np.where(found.loadings.sum(axis=0) < 0, -1.0, 1.0)[order]
    return replace(
        found,
        loadings=read_only(found.loadings[:, order] * signs),
        factor_correlations=read_only(found.factor_correlations[np.ix_(order, order)] * np.outer(signs, signs)),
        transform=read_only(found.transform[:, order] * signs),
    )


def variance_explained(loadings: Array, factor_correlations: Array) -> Array:
    """Return the (m,) sums of squared loadings: the diagonal of Phi L'L; their sum is that of the communalities."""
    return read_only(np.einsum("im,im->m", loadings, loadings @ factor_correlations))


def _row_lengths(loadings: Array) -> Array:
    lengths = np.sqrt(np.einsum("ij,ij->i", loadings, loadings))
    return np.where(lengths > 0, lengths, 1.0)  # an item without common variance has no direction


def _unit_diagonal(matrix: Array) -> Array:
    symmetric = (matrix + matrix.T) / 2
    np.fill_diagonal(symmetric, 1.0)
    return symmetric


def _scaled(found: Rotation, lengths: Array) -> Rotation:
    return replace(found, loadings=read_only(found.loadings * lengths[:, None]))


def _starts(size: int, random_starts: int, generator: np.random.Generator | None) -> list[Array]:
    if random_starts > 0 and generator is None:
        raise ValueError("random starts need a generator")
    starts: list[Array] = [np.eye(size)]
    for _ in range(random_starts if generator is not None else 0):
        basis, triangle = np.linalg.qr(generator.standard_normal((size, size)))  # type: ignore[union-attr]
        starts.append(basis * np.sign(np.diag(triangle)))
    return starts


def _lowest(rows: Array, criterion: Criterion, starts: list[Array], oblique: bool, max_iterations: int) -> Rotation:
    found = [gradient_projection(rows, criterion, start, oblique, max_iterations=max_iterations) for start in starts]
    best = min(found, key=lambda result: (not result.converged, result.criterion))
    agreeing = sum(result.criterion - best.criterion < SAME_MINIMUM for result in found)
    return replace(best, iterations=sum(result.iterations for result in found), starts=len(found), agreeing=agreeing)


def gradient_projection(
    rows: Array, criterion: Criterion, start: Array, oblique: bool, *, max_iterations: int = 2000
) -> Rotation:
    """Minimise a rotation criterion by projected gradients with step halving.

    Parameters
    ----------
    rows : (p, m) array
        Unrotated loadings, normalised or not.
    criterion : callable
        Loadings to value and (p, m) derivative.
    start : (m, m) array
        First transformation: a rotation.
    oblique : bool
        Loadings are ``rows @ inv(T).T`` with factor correlations ``T.T @ T``; otherwise ``rows @ T``.
    max_iterations : int
    """
    transform, step = start, 1.0
    loadings = _turn(rows, transform, oblique)
    value, slope = criterion(loadings)
    length, count = np.inf, 0
    for count in range(max_iterations + 1):
        projected = _project(rows, loadings, slope, transform, oblique)
        length = float(np.linalg.norm(projected))
        if length < PROJECTION_TOLERANCE or count == max_iterations:
            break
        step *= 2.0
        # near the minimum the promised decrease drowns in rounding: a step that changes nothing visible is taken
        noise = 4.0 * np.finfo(float).eps * max(1.0, abs(value))
        for _ in range(HALVINGS):
            trial = _retract(transform - step * projected, oblique)
            turned = _turn(rows, trial, oblique)
            trial_value, trial_slope = criterion(turned)
            if value - trial_value > SUFFICIENT_DECREASE * length**2 * step - noise:
                break
            step *= 0.5
        transform, loadings, value, slope = trial, turned, trial_value, trial_slope
    correlations = _unit_diagonal(transform.T @ transform) if oblique else np.eye(rows.shape[1])
    reached = length < PROJECTION_TOLERANCE
    return Rotation(read_only(loadings), read_only(correlations), read_only(transform), value, count, length, reached)


def _turn(rows: Array, transform: Array, oblique: bool) -> Array:
    return np.asarray(np.linalg.solve(transform, rows.T).T) if oblique else rows @ transform


def _project(rows: Array, loadings: Array, slope: Array, transform: Array, oblique: bool) -> Array:
    if oblique:
        gradient = -np.linalg.solve(transform.T, slope.T @ loadings)
        return np.asarray(gradient - transform * (transform * gradient).sum(axis=0))
    gradient = rows.T @ slope
    inner = transform.T @ gradient
    return np.asarray(gradient - transform @ (inner + inner.T) / 2)


def _retract(moved: Array, oblique: bool) -> Array:
    if oblique:
        return np.asarray(moved / np.linalg.norm(moved, axis=0))
    left, _, right = np.linalg.svd(moved)
    return np.asarray(left @ right)
