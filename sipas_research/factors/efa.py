"""Exploratory factor analysis: how many dimensions a set of items has, and which item belongs to which."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import numpy as np

from sipas_research.errors import (
    AnalysisError,
    ConvergenceWarning,
    HeywoodWarning,
    NotPositiveDefiniteWarning,
    OptionError,
)
from sipas_research.factors.correlation_kinds import check_correlation, item_correlations
from sipas_research.factors.inputs import Data, ItemMatrix, announce, load_items, require_enough
from sipas_research.factors.options import check_choice, check_count, check_seed, is_number
from sipas_research.factors.rotation_options import RotationOptions
from sipas_research.factors.solution import FactorSolution
from sipas_research.factors.target import Target, resolve_target
from sipas_research.numerics.correlation import is_singular, read_only
from sipas_research.numerics.extraction import METHODS, Extraction, extract
from sipas_research.numerics.factor_fit import degrees_of_freedom, factor_fit, most_factors
from sipas_research.numerics.rotation import GENERAL_FIRST, ROTATIONS, TARGETED, Rotation, arrange, rotate
from sipas_research.results import DataKind

#: A factor whose largest loading is below this explains nothing: the data hold fewer factors than asked for.
EMPTY_FACTOR = 1e-6
#: Rotations known for local minima are always searched from this many random positions too (Jennrich & Bentler
#: 2011; Hattori, Zhang & Preacher 2017, Multivar. Behav. Res. 52).
RANDOM_STARTS = 30
#: Beyond this power promax's target is zero but for the largest loadings, and then zero altogether.
HIGHEST_POWER = 20.0
MANY_MINIMA = ("geomin", "geomin_orthogonal", *GENERAL_FIRST, *TARGETED)


def efa(
    data: Data,
    n_factors: int,
    *,
    items: Iterable[str] | None = None,
    method: str = "minres",
    rotation: str = "oblimin",
    correlation: str = "pearson",
    kaiser: bool | None = None,
    power: float = 4.0,
    gamma: float = 0.0,
    delta: float = 0.01,
    target: object = None,
    random_starts: int | None = None,
    seed: int = 1,
    max_iterations: int = 2000,
    data_kind: DataKind = DataKind.USER,
) -> FactorSolution:
    """Return an exploratory factor analysis of the items' correlations.

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
    rotation : str
        Oblique: "oblimin" (direct oblimin), "quartimin", "geomin", "promax" (as R psych: all steps on Kaiser-
        normalised loadings), "promax_spss" (as SPSS: normalised target, fitted by the loadings themselves),
        "bifactor_oblique", "target". Orthogonal: "varimax", "geomin_orthogonal", "bifactor", "target_orthogonal".
        "none" leaves the loadings as extracted.
    correlation : {"pearson", "polychoric"}
        Polychoric correlations are those of the normal variables that are thought behind ordered answers.
    kaiser : bool, optional
        Kaiser's normalisation while rotating; by default yes for varimax and both kinds of promax, no for the
        others. Not allowed with a target.
    power, gamma, delta : float
        Promax's power (SPSS's kappa), at least 1; oblimin's gamma (SPSS's delta), 0 or negative; geomin's small
        constant, positive.
    target : DataFrame or array, optional
        Loadings to come near to, items by factors, NaN where free; needed by the target rotations.
    random_starts : int, optional
        Extra searches of the rotation from random positions, drawn with ``seed``; the lowest is kept and the number
        of different minima stands on the result. By default 30 for geomin, bifactor and target, 0 for the others.
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
    HeywoodWarning, ConvergenceWarning, NotPositiveDefiniteWarning, DroppedItemWarning, DroppedRowsWarning

    References
    ----------
    Harman & Jones (1966), Psychometrika 31, 351-368. Jöreskog (1967), Psychometrika 32, 443-482. Jennrich
    (2002), Psychometrika 67, 7-19. Bernaards & Jennrich (2005), Educ. Psychol. Meas. 65, 676-696. Jennrich &
    Bentler (2011), Psychometrika 76, 537-549; (2012), Psychometrika 77, 442-454. Browne (2001), Multivar. Behav.
    Res. 36, 111-150.
    """
    turning = RotationOptions(rotation, kaiser, power, gamma, delta, random_starts, seed, max_iterations)
    _check_options(method, correlation, turning, target)
    matrix = load_items(data, items, data_kind)
    require_enough(matrix, data)
    check_factors(n_factors, len(matrix.items))
    aim = _aim(target, matrix, n_factors, rotation)
    announce(matrix, stacklevel=3)
    observed = item_correlations(matrix, correlation, invertible=method == "ml")
    found = _solution(matrix, observed, n_factors, method, correlation, turning, aim)
    _warn(found, stacklevel=3)
    return found


def solve(
    matrix: ItemMatrix,
    correlation: np.ndarray,
    n_factors: int,
    *,
    method: str,
    rotation: str,
    correlation_kind: str = "pearson",
    random_starts: int | None = None,
    seed: int = 1,
    max_iterations: int = 2000,
) -> FactorSolution:
    """Return the solution for a correlation matrix of the items of ``matrix``, however it was estimated."""
    turning = RotationOptions(rotation, random_starts=random_starts, seed=seed, max_iterations=max_iterations)
    return _solution(matrix, correlation, n_factors, method, correlation_kind, turning, None)


def _solution(
    matrix: ItemMatrix,
    correlation: np.ndarray,
    n_factors: int,
    method: str,
    correlation_kind: str,
    turning: RotationOptions,
    aim: Target | None,
) -> FactorSolution:
    extraction = extract(correlation, n_factors, method, max_iterations=turning.max_iterations)
    _refuse_empty_factors(extraction, n_factors)
    implied = extraction.loadings @ extraction.loadings.T + np.diag(extraction.uniquenesses)
    return FactorSolution(
        items=matrix.items,
        factors=aim.factors if aim else tuple(f"F{place}" for place in range(1, n_factors + 1)),
        method=method,
        rotation=turning.rotation if n_factors > 1 else "none",
        options=turning,
        correlation=correlation,
        correlation_kind=correlation_kind,
        means=read_only(matrix.values.mean(axis=0)),
        spreads=read_only(matrix.values.std(axis=0, ddof=1)),
        extraction=extraction,
        rotated=_rotated(extraction, turning, aim),
        fit=factor_fit(correlation, implied, n_factors, matrix.n),
        n=matrix.n,
        n_dropped=matrix.n_dropped,
        left_out=matrix.left_out,
        data_kind=matrix.data_kind,
    )


def _rotated(extraction: Extraction, turning: RotationOptions, aim: Target | None) -> Rotation:
    # an eigenvector's sign is an accident of the machine: settle it before the rotation starts from it
    settled = arrange(rotate(extraction.loadings, "none"))
    usual = RANDOM_STARTS if turning.rotation in MANY_MINIMA else 0
    found = rotate(
        settled.loadings,
        turning.rotation,
        kaiser=turning.kaiser,
        power=turning.power,
        gamma=turning.gamma,
        delta=turning.delta,
        target=aim.values if aim else None,
        random_starts=usual if turning.random_starts is None else turning.random_starts,
        generator=np.random.default_rng(turning.seed),
        max_iterations=turning.max_iterations,
    )
    if aim:
        # a column of zeros and blanks says nothing about the factor's sign
        return arrange(found, fixed=len(aim.factors), signs=(np.nan_to_num(aim.values) == 0).all(axis=0))
    return arrange(found, fixed=int(turning.rotation in GENERAL_FIRST))


def _aim(target: object, matrix: ItemMatrix, n_factors: int, rotation: str) -> Target | None:
    if target is None:
        return None
    known = [name for name, _ in matrix.left_out]
    return resolve_target(target, matrix.items, n_factors, oblique=rotation == "target", known=known)


def check_factors(n_factors: int, items: int) -> None:
    """Raise OptionError unless ``n_factors`` is a whole number that ``items`` items can identify."""
    highest = most_factors(items)
    whole = isinstance(n_factors, int | np.integer) and not isinstance(n_factors, bool)
    if highest == 0:
        raise OptionError("factors.error.no_factor_possible", items=items)
    if not whole or n_factors < 1 or n_factors >= items or degrees_of_freedom(items, int(n_factors)) < 0:
        raise OptionError("factors.error.n_factors", received=str(n_factors), items=items, highest=highest)


def _check_options(method: str, correlation: str, turning: RotationOptions, target: object) -> None:
    check_correlation(correlation)
    check_choice("method", method, METHODS)
    check_choice("rotation", turning.rotation, ROTATIONS + TARGETED)
    check_count("random_starts", 0 if turning.random_starts is None else turning.random_starts, 0)
    check_count("max_iterations", turning.max_iterations, 1)
    check_seed(turning.seed)
    ranges = (
        ("power", turning.power, 1.0, HIGHEST_POWER, f"1–{HIGHEST_POWER:.0f}"),
        ("gamma", turning.gamma, -np.inf, 0.0, "≤ 0"),
        ("delta", turning.delta, np.finfo(float).tiny, np.inf, "> 0"),
    )
    for name, value, low, high, allowed in ranges:
        if not is_number(value) or not low <= value <= high:
            raise OptionError("factors.error.option", name=name, received=str(value), allowed=allowed)
    if turning.kaiser is not None and not isinstance(turning.kaiser, bool | np.bool_):
        raise OptionError("factors.error.option", name="kaiser", received=str(turning.kaiser), allowed="True, False")
    if (target is None) == (turning.rotation in TARGETED):
        raise OptionError("efa.error.target_needed" if target is None else "efa.error.target_not_used")
    if target is not None and turning.kaiser:
        raise OptionError("efa.error.target_kaiser")


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
    if is_singular(found.correlation):
        warnings.warn(NotPositiveDefiniteWarning("efa.warning.not_positive_definite"), stacklevel=stacklevel)
