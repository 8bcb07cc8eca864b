"""How many factors? Numbers behind the usual criteria; none of them knows the truth.

Eigenvalues are those of the correlation matrix ("pca") or of the matrix with squared multiple correlations in the
diagonal ("paf"), largest first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sipas_research.numerics.adequacy import sampling_adequacy
from sipas_research.numerics.correlation import Array, is_singular, read_only

EIGENVALUES = ("pca", "paf")
#: Numbers held at once while drawing random matrices; keeps memory below some tens of megabytes.
CHUNK = 2_000_000
#: Gains in fit below this are noise to the hull: measures of fit between zero and one are read to three digits.
SMALLEST_GAIN = 1e-3
#: A variance left after components were taken out that is this small is rounding.
NOTHING_LEFT = 1e-10


def criterion_eigenvalues(matrices: Array, method: str) -> Array:
    """Return the eigenvalues that parallel analysis compares, largest first.

    Parameters
    ----------
    matrices : (..., p, p) array
        Correlation matrices; positive definite for "paf".
    method : {"pca", "paf"}
        Components, or principal axes with squared multiple correlations as communalities (Humphreys &
        Montanelli 1975, Multivar. Behav. Res. 10, 193-205).
    """
    if method not in EIGENVALUES:
        raise ValueError(f"unknown method {method!r}")
    reduced = matrices
    if method == "paf":
        reduced = matrices.copy()
        place = np.arange(matrices.shape[-1])
        reduced[..., place, place] -= 1.0 / np.diagonal(np.linalg.inv(matrices), axis1=-2, axis2=-1)
    return read_only(np.linalg.eigvalsh(reduced)[..., ::-1])


def normal_eigenvalues(rows: int, items: int, draws: int, generator: np.random.Generator, method: str) -> Array:
    """Return eigenvalues of correlations of independent normal answers, (draws, p) (Horn 1965).

    The covariance matrix of n normal rows has a Wishart distribution, which is drawn at once from its triangular
    root (Bartlett 1933): the cost does not depend on n.

    Parameters
    ----------
    rows, items, draws : int
        n > p for "paf".
    generator : numpy Generator
    method : {"pca", "paf"}
    """
    found = np.empty((draws, items))
    step = max(1, CHUNK // (items * max(items, rows if rows <= items else 1)))
    for first in range(0, draws, step):
        count = min(step, draws - first)
        matrices = _random_correlations(rows, items, count, generator)
        found[first : first + count] = criterion_eigenvalues(matrices, method)
    return read_only(found)


def _random_correlations(rows: int, items: int, count: int, generator: np.random.Generator) -> Array:
    if rows <= items:  # the triangular root does not exist
        answers = generator.standard_normal((count, rows, items))
        answers -= answers.mean(axis=1, keepdims=True)
        root = np.swapaxes(answers, -1, -2)
    else:
        root = np.tril(generator.standard_normal((count, items, items)), -1)
        place = np.arange(items)
        root[:, place, place] = np.sqrt(generator.chisquare(rows - 1 - place, (count, items)))
    root /= np.sqrt(np.einsum("kij,kij->ki", root, root))[:, :, None]
    matrices = root @ np.swapaxes(root, -1, -2)
    matrices[:, np.arange(items), np.arange(items)] = 1.0
    return np.asarray(matrices)


def permuted_eigenvalues(
    values: Array, draws: int, generator: np.random.Generator, method: str, correlate: Callable[[Array], Array]
) -> Array:
    """Return eigenvalues after every column was shuffled on its own, (draws, p) (Buja & Eyuboglu 1992).

    The answers keep their own distributions and lose everything they have in common.

    Parameters
    ----------
    values : (n, p) array
    draws : int
    generator : numpy Generator
    method : {"pca", "paf"}
    correlate : callable
        Answers to (p, p) correlations.
    """
    found = [criterion_eigenvalues(correlate(generator.permuted(values, axis=0)), method) for _ in range(draws)]
    return read_only(found)


def leading_above(observed: Array, reference: Array) -> int:
    """Return how many leading values exceed their reference before the first that does not."""
    below = np.flatnonzero(~(observed > reference))
    return int(below[0]) if below.size else len(observed)


@dataclass(frozen=True, slots=True, eq=False)
class AveragePartials:
    """Average partial correlations after 0, 1, ... components: of the second and of the fourth power, (p - 1,)."""

    squared: Array
    fourth: Array


def average_partials(matrix: Array) -> AveragePartials:
    """Return the averages of squared (Velicer 1976) and fourth (Velicer, Eaton & Fava 2000) partial correlations.

    Entry m belongs to m principal components taken out, m = 0 ... p - 2; NaN once an item has no variance left.

    Parameters
    ----------
    matrix : (p, p) array
        Correlations.
    """
    size = matrix.shape[0]
    values, vectors = np.linalg.eigh(matrix)
    components = vectors[:, ::-1] * np.sqrt(np.maximum(values[::-1], 0.0))
    averages = np.full((2, size - 1), np.nan)
    left = np.array(matrix)
    for taken in range(size - 1):
        if taken:
            left -= np.outer(components[:, taken - 1], components[:, taken - 1])
        spread = np.diag(left)
        if spread.min() < NOTHING_LEFT:
            break
        squares = left**2 / np.outer(spread, spread)
        pairs = squares[np.triu_indices(size, 1)]
        averages[:, taken] = pairs.mean(), (pairs**2).mean()
    return AveragePartials(read_only(averages[0]), read_only(averages[1]))


def empirical_kaiser_reference(eigenvalues: Array, rows: int) -> Array:
    """Return the reference eigenvalues of the empirical Kaiser criterion (Braeken & van Assen 2017, equation 2).

    The largest eigenvalue expected of noise, (1 + sqrt(p / n))^2, times the average of the variance that the
    eigenvalues before left over; never below one.

    Parameters
    ----------
    eigenvalues : (p,) array
        Of the correlation matrix, largest first.
    rows : int
    """
    size = eigenvalues.size
    before = np.concatenate([[0.0], np.cumsum(eigenvalues)[:-1]])
    left = (size - before) / (size - np.arange(size))
    return read_only(np.maximum((1.0 + np.sqrt(size / rows)) ** 2 * left, 1.0))


def acceleration(eigenvalues: Array) -> Array:
    """Return the second differences of the scree, (p,); NaN at both ends (Raîche et al. 2013, Methodology 9, 23-29).

    The scree bends most where this is largest; the factors are those before the bend.
    """
    bent = np.full(eigenvalues.size, np.nan)
    bent[1:-1] = eigenvalues[2:] - 2.0 * eigenvalues[1:-1] + eigenvalues[:-2]
    return read_only(bent)


def common_part(matrix: Array, loadings: Array) -> float:
    """Return the common part accounted for, one minus the KMO measure of what the factors leave (CAF).

    Lorenzo-Seva, Timmerman & Kiers (2011), equation 3. With no factors it is one minus the KMO measure of R; NaN
    where what is left cannot be inverted.

    Parameters
    ----------
    matrix : (p, p) array
        Correlations.
    loadings : (p, m) array
        m may be 0.
    """
    residual = matrix - loadings @ loadings.T
    np.fill_diagonal(residual, 1.0)
    return float("nan") if is_singular(residual) else 1.0 - sampling_adequacy(residual).overall


@dataclass(frozen=True, slots=True, eq=False)
class Hull:
    """The upper hull of fit against free parameters.

    Attributes
    ----------
    chosen : int or None
        Index of the solution with the sharpest bend; None where no solution has one.
    sharpness : (k,) array
        The st value of every solution on the hull that has one before and one after it, NaN for the others.
    """

    chosen: int | None
    sharpness: Array


def hull(fits: Sequence[float], parameters: Sequence[float]) -> Hull:
    """Return where the hull of fit against parameters bends most (Lorenzo-Seva, Timmerman & Kiers 2011).

    One addition to the paper: a gain in fit below ``SMALLEST_GAIN`` counts as that. The right solution can then be
    chosen where richer ones fit no better at all, and a tie at a perfect fit does not look infinitely sharp.

    Parameters
    ----------
    fits : sequence of float
        Goodness of fit of the solutions, higher being better, in order of their parameters.
    parameters : sequence of float
        Free parameters, increasing.
    """
    fit, free = np.asarray(fits, dtype=float), np.asarray(parameters, dtype=float)
    known = np.flatnonzero(np.isfinite(fit))
    kept: list[int] = []
    for place in known:
        if not kept or fit[place] > fit[kept].max():  # a richer solution must fit better
            kept.append(int(place))
    while (under := _under_the_line(fit, free, kept)) is not None:
        kept.remove(under)
    sharpness = np.full(fit.size, np.nan)
    for step in range(1, len(kept)):
        before, at = kept[step - 1], kept[step]
        after = next((place for place in (*kept, *known) if place > at), None)
        if after is not None:
            gained = (fit[at] - fit[before]) / (free[at] - free[before])
            sharpness[at] = gained * (free[after] - free[at]) / max(fit[after] - fit[at], SMALLEST_GAIN)
    chosen = int(np.nanargmax(sharpness)) if np.isfinite(sharpness).any() else None
    return Hull(chosen, read_only(sharpness))


def _under_the_line(fit: Array, free: Array, kept: list[int]) -> int | None:
    for before, at, after in zip(kept, kept[1:], kept[2:], strict=False):
        share = (free[at] - free[before]) / (free[after] - free[before])
        if fit[at] <= fit[before] + share * (fit[after] - fit[before]):
            return at
    return None


def column_quantiles(draws: Array, level: float) -> tuple[Array, Array]:
    """Return the means and the quantiles of each column of (draws, p) values."""
    return read_only(draws.mean(axis=0)), read_only(np.quantile(draws, level, axis=0))
