"""Rotation of loadings by gradient projection (Jennrich 2001, 2002; Bernaards & Jennrich 2005), and promax.

The orthogonal search moves the transformation over rotations, the oblique one over matrices with columns of
length one. Criteria have local minima, so the search can start from several places; the lowest is kept and the
number of different minima is told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sipas_research.numerics.correlation import Array, read_only
from sipas_research.numerics.rotation_criteria import (
    Criterion,
    bifactor_criterion,
    geomin_criterion,
    oblimin_criterion,
    target_criterion,
    varimax_criterion,
)

ORTHOGONAL = ("varimax", "geomin_orthogonal", "bifactor")
OBLIQUE = ("oblimin", "quartimin", "geomin", "promax", "promax_spss", "bifactor_oblique")
#: Rotations that need nothing but loadings, and those that need a target too.
ROTATIONS = ("none", *ORTHOGONAL, *OBLIQUE)
TARGETED = ("target_orthogonal", "target")
#: Rotations with Kaiser's normalisation unless told otherwise: what each is known by.
NORMALISED = ("varimax", "promax", "promax_spss")
#: Rotations whose first factor is the general one and stays first.
GENERAL_FIRST = ("bifactor", "bifactor_oblique")

#: Length of the projected gradient that ends a search. Loadings are then right to about this size over the
#: curvature; smaller values fight the rounding of the criterion itself.
PROJECTION_TOLERANCE = 1e-8
#: Criterion values closer than this are the same minimum.
SAME_MINIMUM = 1e-8
#: Share of the promised decrease that a step must bring against the highest of the last values, how many values
#: are looked back on, and the most halvings of a step (Raydan's choices; the flat valleys of geomin and of the
#: bifactor criteria take a tenth of the steps that way).
SUFFICIENT_DECREASE = 1e-4
REMEMBERED = 10
HALVINGS = 30
#: Length of the first step and bounds of all others.
FIRST_STEP, SHORTEST_STEP, LONGEST_STEP = 1.0, 1e-6, 1e6


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
    minima : int
        Different values at which searches ended that converged: more than one tells of local minima.
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
    minima: int = 1


def rotate(
    loadings: Array,
    rotation: str,
    *,
    kaiser: bool | None = None,
    power: float = 4.0,
    gamma: float = 0.0,
    delta: float = 0.01,
    target: Array | None = None,
    random_starts: int = 0,
    generator: np.random.Generator | None = None,
    max_iterations: int = 2000,
) -> Rotation:
    """Rotate unrotated loadings.

    Parameters
    ----------
    loadings : (p, m) array
    rotation : str
        One of ``ROTATIONS`` or ``TARGETED``.
    kaiser : bool, optional
        Bring every row to unit length while rotating. By default what each rotation is known by: yes for
        varimax and promax, no for the others; never with a target, which speaks of loadings as they are.
    power, gamma, delta : float
        Promax's power (SPSS's kappa); oblimin's gamma (0 or negative); geomin's small constant.
    target : (p, m) array, optional
        Loadings to come near to, NaN where they are free; only for the rotations of ``TARGETED``.
    random_starts : int
        Searches from random rotations, besides the one from the unrotated position. Oblique criteria then get
        the varimax position as a start too, a target always that of Procrustes with zeros where it is free.
    generator : numpy Generator
        Needed if ``random_starts`` is positive.
    max_iterations : int

    Raises
    ------
    ValueError
        If the rotation is unknown, a target is missing or not wanted, or random starts are asked for without a
        generator.
    """
    if rotation not in ROTATIONS + TARGETED:
        raise ValueError(f"unknown rotation {rotation!r}")
    if (target is None) == (rotation in TARGETED):
        raise ValueError("a target belongs to the target rotations, and they need one")
    size = loadings.shape[1]
    if size == 1 or rotation == "none":
        still = read_only(np.eye(size))
        return Rotation(read_only(loadings), still, still, float("nan"), 0, 0.0, True)
    normalise = rotation in NORMALISED if kaiser is None else kaiser and target is None
    lengths = _row_lengths(loadings) if normalise else np.ones(loadings.shape[0])
    rows = loadings / lengths[:, None]
    starts = _starts(size, random_starts, generator)
    oblique = rotation in {*OBLIQUE, "target"}
    if rotation.startswith("promax"):
        flat = _lowest(rows, varimax_criterion, starts, False, max_iterations)
        # SPSS makes the target from normalised rows but fits the loadings themselves; psych fits normalised rows
        spss = rotation == "promax_spss"
        found = promax(_scaled(flat, lengths), power, _powered(flat.loadings, power)) if spss else promax(flat, power)
        return found if spss else _scaled(found, lengths)
    if oblique and random_starts and target is None:
        flat = _lowest(rows, varimax_criterion, starts[:1], False, max_iterations)
        starts = [starts[0], flat.transform, *starts[1:]]
    if target is not None:
        starts.insert(1, _procrustes(rows, target))
    criterion = _criterion(rotation, gamma, delta, target)
    return _scaled(_lowest(rows, criterion, starts, oblique, max_iterations), lengths)


def _criterion(rotation: str, gamma: float, delta: float, target: Array | None) -> Criterion:
    if target is not None:
        given = ~np.isnan(target)
        return partial(target_criterion, target=np.where(given, target, 0.0), given=given)
    if rotation == "varimax":
        return varimax_criterion
    if rotation.startswith("bifactor"):
        return bifactor_criterion
    if rotation.startswith("geomin"):
        return partial(geomin_criterion, delta=delta)
    return partial(oblimin_criterion, gamma=gamma if rotation == "oblimin" else 0.0)


def _procrustes(rows: Array, target: Array) -> Array:
    left, _, right = np.linalg.svd(rows.T @ np.nan_to_num(target))
    return np.asarray(left @ right)


def _powered(loadings: Array, power: float) -> Array:
    return np.asarray(loadings * np.abs(loadings) ** (power - 1.0))


def promax(varimax: Rotation, power: float = 4.0, target: Array | None = None) -> Rotation:
    """Return the oblique solution nearest to varimax loadings raised to a power (Hendrickson & White 1964).

    Parameters
    ----------
    varimax : Rotation
        Varimax loadings, Kaiser-normalised or not: they are fitted as they stand.
    power : float
        At least 1; the sign of a loading is kept.
    target : (p, m) array, optional
        By default the loadings of ``varimax`` raised to the power.
    """
    loadings = varimax.loadings
    aim = _powered(loadings, power) if target is None else target
    transform = np.linalg.lstsq(loadings, aim, rcond=None)[0]
    transform = transform * np.sqrt(np.diag(np.linalg.inv(transform.T @ transform)))
    inverse = np.linalg.inv(transform)
    return replace(
        varimax,
        loadings=read_only(loadings @ transform),
        factor_correlations=read_only(_unit_diagonal(inverse @ inverse.T)),
        transform=read_only(varimax.transform @ inverse.T),
        criterion=float("nan"),
    )


def arrange(found: Rotation, *, fixed: int = 0, signs: NDArray[np.bool_] | None = None) -> Rotation:
    """Return the same solution with factors in order of the variance they explain and with positive sums.

    Order and signs of factors are free; loadings, factor correlations and transformation are moved together
    here and nowhere else, so the reproduced correlations cannot change.

    Parameters
    ----------
    found : Rotation
    fixed : int
        Number of leading factors that keep their place: one where a general factor comes first, all where a
        target gave the order.
    signs : (m,) array of bool, optional
        False leaves a factor's sign too, where a target gave it.
    """
    explained = variance_explained(found.loadings, found.factor_correlations)
    order = np.concatenate([np.arange(fixed), fixed + np.argsort(-explained[fixed:], kind="stable")])
    turned = found.loadings.sum(axis=0) < 0
    turn = np.where(turned if signs is None else turned & signs, -1.0, 1.0)[order]
    return replace(
        found,
        loadings=read_only(found.loadings[:, order] * turn),
        factor_correlations=read_only(found.factor_correlations[np.ix_(order, order)] * np.outer(turn, turn)),
        transform=read_only(found.transform[:, order] * turn),
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
    ends = np.sort([result.criterion for result in found if result.converged])
    return replace(
        best,
        iterations=sum(result.iterations for result in found),
        starts=len(found),
        agreeing=sum(abs(result.criterion - best.criterion) < SAME_MINIMUM for result in found),
        minima=1 + int((np.diff(ends) > SAME_MINIMUM).sum()),
    )


def gradient_projection(
    rows: Array, criterion: Criterion, start: Array, oblique: bool, *, max_iterations: int = 2000
) -> Rotation:
    """Minimise a rotation criterion by projected gradients.

    A step's length is that of Barzilai & Borwein (1988), halved until the criterion falls below the highest of
    its last values (Raydan 1997, SIAM J. Optim. 7, 26-33).

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
    transform, step, count = start, FIRST_STEP, 0
    turn = _turn(transform, oblique)
    loadings = rows @ turn
    value, slope = criterion(loadings)
    last = [value]
    projected = _project(rows, loadings, slope, transform, turn, oblique)
    while (squared := float(np.vdot(projected, projected))) > PROJECTION_TOLERANCE**2 and count < max_iterations:
        # near the minimum the promised decrease drowns in rounding: a step that changes nothing visible is taken
        ceiling = max(last) + 4.0 * np.finfo(float).eps * max(1.0, abs(value))
        for _ in range(HALVINGS):
            trial = _retract(transform - step * projected, oblique)
            turn = _turn(trial, oblique)
            loadings = rows @ turn
            value, slope = criterion(loadings)
            if value < ceiling - SUFFICIENT_DECREASE * squared * step:
                break
            step *= 0.5
        last = [*last[1 - REMEMBERED :], value]
        before, moved, count = projected, trial - transform, count + 1
        transform, projected = trial, _project(rows, loadings, slope, trial, turn, oblique)
        step = _next_step(moved, projected - before, count)
    correlations = _unit_diagonal(transform.T @ transform) if oblique else np.eye(rows.shape[1])
    length = squared**0.5
    reached = length <= PROJECTION_TOLERANCE
    return Rotation(read_only(loadings), read_only(correlations), read_only(transform), value, count, length, reached)


def _next_step(moved: Array, changed: Array, count: int) -> float:
    """Return Barzilai & Borwein's two step lengths in turn, from the last move and how it changed the gradient."""
    product = abs(float(np.vdot(moved, changed)))
    above, below = (product, float(np.vdot(changed, changed))) if count % 2 else (float(np.vdot(moved, moved)), product)
    return min(max(above / below, SHORTEST_STEP), LONGEST_STEP) if below > 0 else FIRST_STEP


def _turn(transform: Array, oblique: bool) -> Array:
    """Return what unrotated loadings are multiplied by."""
    return np.asarray(np.linalg.inv(transform).T) if oblique else transform


def _project(rows: Array, loadings: Array, slope: Array, transform: Array, turn: Array, oblique: bool) -> Array:
    if oblique:
        gradient = -turn @ (slope.T @ loadings)
        return np.asarray(gradient - transform * np.einsum("ij,ij->j", transform, gradient))
    gradient = rows.T @ slope
    inner = transform.T @ gradient
    return np.asarray(gradient - transform @ (inner + inner.T) / 2)


def _retract(moved: Array, oblique: bool) -> Array:
    if oblique:
        return np.asarray(moved / np.sqrt(np.einsum("ij,ij->j", moved, moved)))
    left, _, right = np.linalg.svd(moved)
    return np.asarray(left @ right)
