"""Polychoric correlations: what five-point answers would correlate if they had not been cut into five points."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from sipas_research.errors import (
    AnalysisError,
    CategoryWarning,
    ConvergenceWarning,
    DroppedItemWarning,
    DroppedRowsWarning,
    NotPositiveDefiniteWarning,
    SipasWarning,
    SparseTableWarning,
)
from sipas_research.factors.inputs import Data, too_few_people
from sipas_research.factors.options import check_count, check_level
from sipas_research.factors.ordered_items import OrderedItems, Weights, ordered_items
from sipas_research.factors.polychoric_result import PolychoricCorrelations
from sipas_research.numerics.contingency import PairTables, has_far_code, pair_tables
from sipas_research.numerics.correlation import read_only, smallest_eigenvalue
from sipas_research.numerics.disclosure import MINIMUM_CELL, hidden_cuts
from sipas_research.numerics.polychoric import MAX_ITERATIONS, Polychorics, polychorics
from sipas_research.numerics.polychoric_influence import covariance as covariance_of
from sipas_research.numerics.polychoric_influence import influence, standard_errors
from sipas_research.results import DataKind
from sipas_research.survey.responses import Responses
from sipas_research.wording.bilingual import Bilingual
from sipas_research.wording.numbers import number

#: Pairs and items named in one warning; the others are counted.
NAMED = 5
#: An eigenvalue within rounding of zero is no different from zero.
ZERO_EIGENVALUE = 1e-12


def polychoric(
    data: Data,
    items: Iterable[str] | None = None,
    *,
    missing: str = "listwise",
    weights: Weights = None,
    covariance: bool = False,
    level: float = 0.95,
    max_iterations: int = MAX_ITERATIONS,
    data_kind: DataKind = DataKind.USER,
) -> PolychoricCorrelations:
    """Return polychoric correlations and thresholds of ordered items, with standard errors.

    Thresholds come from each item's margin, then each correlation maximises the likelihood of its pair's
    contingency table. Only the order of the codes is used. Two categories give tetrachoric correlations. A 2 x 2
    table with one empty cell gets half an answer there (margins kept); no other table is changed. A matrix that
    is not positive definite is reported as such and never smoothed. Of Responses a threshold beside an answer that
    fewer than ten people gave is not shown, nor any covariance with a threshold.

    Parameters
    ----------
    data : Responses or DataFrame
        One row a person; answers are whole numbers or ordered categories of pandas, at most 50 an item.
    items : iterable of str, optional
        By default the items of the questionnaire's factors, or every column (but the weight's).
    missing : {"listwise", "pairwise"}
        Rows without every answer are left out, or each threshold and correlation uses the rows that have its
        answers (consistent only if answers are missing completely at random).
    weights : str or (n,) array, optional
        Sampling weights, or the column that holds them; 0 leaves a row out. Standard errors allow for them.
    covariance : bool
        Also compute the joint covariance of all thresholds and correlations, in a second pass over the rows.
    level : float
        Of the intervals, between 0 and 1.
    max_iterations : int
        Limit of Newton steps for each correlation.
    data_kind : DataKind
        Kind of a DataFrame; Responses know their own.

    Returns
    -------
    PolychoricCorrelations

    Raises
    ------
    AnalysisError
        If an item is unknown, named twice, not numeric or not of ordered categories (fractions, more than 50
        categories), if fewer than two items vary, or fewer than three rows (ten forms of Responses) can be used.
    OptionError
        If an argument is outside its vocabulary or range.

    Warns
    -----
    NotPositiveDefiniteWarning, SparseTableWarning, CategoryWarning, ConvergenceWarning, DroppedItemWarning,
    DroppedRowsWarning

    References
    ----------
    Olsson (1979), Psychometrika 44, 443-460. Muthén (1984), Psychometrika 49, 115-132. Jöreskog (1994),
    Psychometrika 59, 381-389. Genz (2004), Statistics and Computing 14, 251-260.
    """
    _check_options(level, max_iterations)
    matrix = ordered_items(data, items, missing=missing, weights=weights, data_kind=data_kind)
    tables = pair_tables(matrix.blocks(), matrix.levels)
    fit = polychorics(tables, max_iterations=int(max_iterations))
    if isinstance(data, Responses) and any(too_few_people(data, int(rows)) for rows in np.unique(fit.rows)):
        raise AnalysisError("factors.error.few_people", minimum=MINIMUM_CELL)
    looked_up = influence(tables, fit)
    smallest = _smallest(fit)
    found = PolychoricCorrelations(
        items=matrix.items,
        categories=tuple(level.values for level in matrix.levels),
        fit=fit,
        errors=standard_errors(tables, looked_up),
        covariance=covariance_of(matrix.blocks(), looked_up) if covariance else None,
        smallest_eigenvalue=smallest,
        n=matrix.n,
        n_dropped=matrix.n_read - matrix.n,
        missing=missing,
        weighted=matrix.weights is not None,
        level=float(level),
        left_out=matrix.left_out,
        data_kind=matrix.data_kind,
    )
    for warning in _warnings(found, matrix, checked=isinstance(data, Responses)):
        warnings.warn(warning, stacklevel=2)
    return _withheld(found, tables) if isinstance(data, Responses) else found


def _withheld(found: PolychoricCorrelations, tables: PairTables) -> PolychoricCorrelations:
    """Return the result without what tells how many people gave an answer, or two together, where fewer than ten did.

    Thresholds are quantiles of cumulative shares; a covariance with one is a share of a pair's table.
    """
    people = np.diag(tables.counts)
    starts = zip(tables.starts, tables.categories, strict=False)
    hidden = [hidden_cuts(people[start : start + size]) for start, size in starts]
    cuts, errors = (
        tuple(read_only(np.where(gone, np.nan, row)) for row, gone in zip(rows, hidden, strict=True))
        for rows in (found.fit.thresholds, found.errors.thresholds)
    )
    covariance = found.covariance
    if covariance is not None:
        whole, shown = covariance, np.flatnonzero(np.isfinite(np.concatenate(errors)))
        covariance = whole.copy()
        covariance[: sum(map(len, errors))] = covariance[:, : sum(map(len, errors))] = np.nan
        covariance[shown, shown] = whole[shown, shown]
        covariance = read_only(covariance)
    fit = replace(found.fit, thresholds=cuts)
    return replace(found, fit=fit, errors=replace(found.errors, thresholds=errors), covariance=covariance)


def _check_options(level: float, max_iterations: int) -> None:
    check_level(level)
    check_count("max_iterations", max_iterations, 1)


def _smallest(fit: Polychorics) -> float:
    if not fit.defined.all():
        return float("nan")
    smallest = smallest_eigenvalue(fit.correlation)
    return 0.0 if abs(smallest) < ZERO_EIGENVALUE else smallest


def _warnings(found: PolychoricCorrelations, matrix: OrderedItems, *, checked: bool) -> list[SipasWarning]:
    told: list[SipasWarning] = []
    if found.left_out:
        names = ", ".join(name for name, _ in found.left_out)
        told.append(DroppedItemWarning("factors.warning.dropped_items", n=len(found.left_out), items=names))
    incomplete = found.n_dropped - matrix.n_weightless
    if matrix.n_weightless:
        told.append(DroppedRowsWarning("polychoric.warning.weightless", n=matrix.n_weightless, read=matrix.n_read))
    if incomplete:
        told.append(DroppedRowsWarning("factors.warning.dropped_rows", n=incomplete, read=matrix.n_read))
    pairs = zip(matrix.items, found.categories, strict=True)
    suspects = [] if checked else [item for item, codes in pairs if has_far_code(codes)]
    if suspects:
        told.append(CategoryWarning("polychoric.warning.far_code", n=len(suspects), items=_listed(suspects)))
    fit = found.fit
    for key, square in (("filled", fit.adjusted), ("perfect", fit.perfect), ("undefined", ~fit.defined)):
        named = _pair_names(found, square)
        if named:
            told.append(SparseTableWarning(f"polychoric.warning.{key}", n=len(named), pairs=_listed(named)))
    if not found.converged:
        named = _pair_names(found, ~fit.converged)
        told.append(
            ConvergenceWarning(
                "polychoric.warning.not_converged", n=len(named), pairs=_listed(named), steps=fit.iterations
            )
        )
    if np.isfinite(found.smallest_eigenvalue) and not found.positive_definite:
        smallest = Bilingual(*(number(found.smallest_eigenvalue, 4, language) for language in ("vi", "en")))
        told.append(NotPositiveDefiniteWarning("polychoric.warning.not_definite", smallest=smallest))
    return told


def _pair_names(found: PolychoricCorrelations, square: np.ndarray) -> list[str]:
    places = np.argwhere(np.triu(square, 1))
    return [f"{found.items[first]} ~~ {found.items[second]}" for first, second in places]


def _listed(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")
