"""Exploratory factor analysis: how many dimensions a set of items has, and which item belongs to which."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import numpy as np

from sipas_research.errors import AnalysisError, ConvergenceWarning, HeywoodWarning, OptionError
from sipas_research.factors.inputs import Data, ItemMatrix, announce, correlations, load_items, require_enough
from sipas_research.factors.solution import FactorSolution
from sipas_research.numerics.extraction import METHODS, Extraction, extract
from sipas_research.numerics.factor_fit import degrees_of_freedom, factor_fit, most_factors
from sipas_research.numerics.rotation import ROTATIONS, arrange, rotate
from sipas_research.results import DataKind

#: A factor whose largest loading is below this explains nothing: the data hold fewer factors than asked for.
EMPTY_FACTOR = 1e-6


def efa(
    data: Data,
    n_factors: int,
    *,
    items: Iterable[str] | None = None,
    method: str = "minres",
    rotation: str = "oblimin",
    kaiser: bool | None = None,
    random_starts: int = 0,
    seed: int = 1,
    max_iterations: int = 2000,
    data_kind: DataKind = DataKind.USER,
) -> FactorSolution:
    """Return an exploratory factor analysis of the items' Pearson correlations.

    Parameters
    ----------
    data : Responses or DataFrame
        One row a person; incomplete rows are left out.
    n_factors : int
        Number of factors m; ((p - m)^2 - (p + m)) / 2 must not be negative.
    items : iterable of str, optional
        By default the items of the questionnaire's factors, or every column.
    method : {"minres", "ml", "pa"}
        Minimum residuals (unweighted least squares), maximum likelihood, iterated principal axes.
    rotation : {"oblimin", "promax", "varimax", "geomin", "none"}
        Oblimin is direct quartimin (gamma 0), promax has power 4, geomin has delta 0.01.
    kaiser : bool, optional
        Kaiser's normalisation while rotating; by default yes for varimax and promax, no for the others.
    random_starts : int
        Extra searches of the rotation from random positions, drawn with ``seed``; the lowest is kept.
    max_iterations : int
        Limit of the extraction and of each search of the rotation.
    data_kind : DataKind
        Kind of a DataFrame; Responses know their own.

    Returns
    -------
    FactorSolution
        Factors stand in order of the variance they explain, each with a positive sum of loadings.

    Raises
    ------
    OptionError
        If an argument is outside its vocabulary or range, or there are too many factors for the items.
    AnalysisError
        If the data do not allow it: unknown or non-numeric items, too few rows, a singular correlation matrix
        with "ml", fewer common dimensions than factors.

    Warns
    -----
    HeywoodWarning, ConvergenceWarning, DroppedItemWarning, DroppedRowsWarning

    References
    ----------
    Harman & Jones (1966), Psychometrika 31, 351-368. Jöreskog (1967), Psychometrika 32, 443-482. Jennrich
    (2002), Psychometrika 67, 7-19. Bernaards & Jennrich (2005), Educ. Psychol. Meas. 65, 676-696.
    """
    _check_options(method, rotation, random_starts, max_iterations)
    matrix = load_items(data, items, data_kind)
    require_enough(matrix, data)
    check_factors(n_factors, len(matrix.items))
    announce(matrix, stacklevel=3)
    found = solve(
        matrix,
        correlations(matrix, invertible=method == "ml"),
        n_factors,
        method=method,
        rotation=rotation,
        kaiser=kaiser,
        random_starts=random_starts,
        seed=seed,
        max_iterations=max_iterations,
    )
    _warn(found, stacklevel=3)
    return found


def solve(
    matrix: ItemMatrix,
    correlation: np.ndarray,
    n_factors: int,
    *,
    method: str,
    rotation: str,
    kaiser: bool | None = None,
    random_starts: int = 0,
    seed: int = 1,
    max_iterations: int = 2000,
) -> FactorSolution:
    """Return the solution for a correlation matrix of the items of ``matrix``, however it was estimated."""
    extraction = extract(correlation, n_factors, method, max_iterations=max_iterations)
    _refuse_empty_factors(extraction, n_factors)
    # an eigenvector's sign is an accident of the machine: settle it before the rotation starts from it
    settled = arrange(rotate(extraction.loadings, "none"))
    rotated = rotate(
        settled.loadings,
        rotation,
        kaiser=kaiser,
        random_starts=random_starts,
        generator=np.random.default_rng(seed),
        max_iterations=max_iterations,
    )
    implied = extraction.loadings @ extraction.loadings.T + np.diag(extraction.uniquenesses)
    return FactorSolution(
        items=matrix.items,
        factors=tuple(f"F{place}" for place in range(1, n_factors + 1)),
        method=method,
        rotation=rotation if n_factors > 1 else "none",
        correlation=correlation,
        extraction=extraction,
        rotated=arrange(rotated),
        fit=factor_fit(correlation, implied, n_factors, matrix.n),
        n=matrix.n,
        n_dropped=matrix.n_dropped,
        left_out=matrix.left_out,
        data_kind=matrix.data_kind,
    )


def check_factors(n_factors: int, items: int) -> None:
    """Raise OptionError unless ``n_factors`` is a whole number that ``items`` items can identify."""
    highest = most_factors(items)
    whole = isinstance(n_factors, int | np.integer) and not isinstance(n_factors, bool)
    if highest == 0:
        raise OptionError("factors.error.no_factor_possible", items=items)
    if not whole or n_factors < 1 or n_factors >= items or degrees_of_freedom(items, int(n_factors)) < 0:
        raise OptionError("factors.error.n_factors", received=str(n_factors), items=items, highest=highest)


def _check_options(method: str, rotation: str, random_starts: int, max_iterations: int) -> None:
    for name, received, allowed in (("method", method, METHODS), ("rotation", rotation, ROTATIONS)):
        if received not in allowed:
            raise OptionError("factors.error.option", name=name, received=str(received), allowed=", ".join(allowed))
    for name, count, lowest in (("random_starts", random_starts, 0), ("max_iterations", max_iterations, 1)):
        if count < lowest:
            raise OptionError("factors.error.count", name=name, received=str(count), lowest=lowest)


def _refuse_empty_factors(extraction: Extraction, n_factors: int) -> None:
    held = int((np.abs(extraction.loadings).max(axis=0) > EMPTY_FACTOR).sum())
    if held < n_factors:
        raise AnalysisError("factors.error.fewer_dimensions", asked=n_factors, held=held)


def _warn(found: FactorSolution, *, stacklevel: int) -> None:
    if found.heywood:
        named = ", ".join(found.heywood)
        warnings.warn(HeywoodWarning("factors.warning.heywood", items=named), stacklevel=stacklevel)
    if not found.extraction.converged:
        steps = found.extraction.iterations
        warnings.warn(ConvergenceWarning("factors.warning.extraction", n=steps), stacklevel=stacklevel)
    if not found.rotated.converged:
        steps = found.rotated.iterations
        warnings.warn(ConvergenceWarning("factors.warning.rotation", n=steps), stacklevel=stacklevel)
