"""Reliability of each scale: Cronbach's alpha with the item statistics that theses print, and omega."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sipas_research.errors import OptionError
from sipas_research.factors.inputs import FEWEST_ROWS, Data, ItemMatrix, announce, kind_of, load_items, too_few_people
from sipas_research.factors.options import check_count, check_level, check_seed
from sipas_research.factors.reliability_result import SUPPRESSED, Reliability, ScaleReliability
from sipas_research.numerics.categorical_omega import OrdinalReliability, ordinal_reliability
from sipas_research.numerics.omega import FEWEST_ITEMS, OneFactorOmega, one_factor_omega
from sipas_research.numerics.reliability import (
    Alpha,
    bootstrap_alphas,
    cronbach_alpha,
    percentile_interval,
)
from sipas_research.results import DataKind
from sipas_research.survey.responses import Responses

NAN = float("nan")


def reliability(
    data: Data,
    scales: Mapping[str, Sequence[str]] | None = None,
    *,
    level: float = 0.95,
    bootstrap: int = 0,
    ordinal: bool = False,
    seed: int = 1,
    data_kind: DataKind = DataKind.USER,
) -> Reliability:
    """Return alpha, raw and standardised, with Feldt's interval, the item statistics, and omega of each scale.

    Omega is that of the sum score under one factor fitted by maximum likelihood to the covariances (McDonald 1999),
    with an interval that does not assume normal answers; alpha equals it where the items load alike.

    Each scale uses the rows that are complete on its own items. Constant and empty items are left out. Items
    are taken as they are scored; none is turned because it correlates negatively: it is shown with a note.

    Parameters
    ----------
    data : Responses or DataFrame
        One row a person.
    scales : mapping of str to sequence of str, optional
        Scale name to item ids. By default the scales of the questionnaire (Responses only).
    level : float
        Coverage of the intervals, in (0, 1).
    bootstrap : int
        Samples of people behind the percentile interval of alpha; 0 makes none. Use 1,000 or more.
    ordinal : bool
        Add categorical omega of the sum score and, beside it, ordinal alpha. The second describes continuous responses
        that nobody observes, not the score that is used (Chalmers 2018, Educ. Psychol. Meas. 78, 1056-1071).
    seed : int
        Of those samples.
    data_kind : DataKind
        Kind of a DataFrame; Responses know their own.

    Returns
    -------
    Reliability
        A scale with one item, or with fewer than three complete rows, is a row of NaN with its reason; so is a
        scale of Responses with fewer than ten complete forms, whose number is withheld too.

    Raises
    ------
    AnalysisError
        If an item is unknown, named twice within a scale, or not numeric.
    OptionError
        If a DataFrame comes without scales, or ``level`` is outside (0, 1). Responses without one answer give an
        empty result.

    Warns
    -----
    DroppedItemWarning, DroppedRowsWarning
        If items or rows were left out; the counts are in the tables.

    References
    ----------
    Cronbach (1951), Psychometrika 16, 297-334. Feldt (1965), Psychometrika 30, 357-370. McDonald (1999), Test
    Theory. Yuan & Bentler (2002), Psychometrika 67, 251-259. Green & Yang (2009), Psychometrika 74, 155-167.
    """
    check_level(level)
    check_count("bootstrap", bootstrap, 0)
    check_seed(seed)
    if scales is None and isinstance(data, Responses):
        scales = data.scale_items()
    if not isinstance(scales, Mapping) or (not scales and not isinstance(data, Responses)):
        raise OptionError("factors.error.no_scales")
    matrices = {str(name): load_items(data, items, data_kind) for name, items in scales.items()}
    # what is lost in a scale of few people tells how few they are
    told = [m for m in matrices.values() if not too_few_people(data, m.n)]
    if told:
        announce(*told, stacklevel=3)
    results = tuple(
        _one_scale(name, m, level, few=too_few_people(data, m.n), bootstrap=bootstrap, seed=seed, ordinal=ordinal)
        for name, m in matrices.items()
    )
    return Reliability(results, level, kind_of(data, data_kind))


def _one_scale(
    name: str, matrix: ItemMatrix, level: float, *, few: bool, bootstrap: int, seed: int, ordinal: bool
) -> ScaleReliability:
    note = ""
    if few:
        note = SUPPRESSED
    elif len(matrix.items) < 2:
        note = "factors.note.one_item" if matrix.items else "factors.note.no_item"
    elif matrix.n < FEWEST_ROWS:
        note = "factors.note.few_rows"
    if note:
        return ScaleReliability(name, matrix.items, matrix.left_out, None, matrix.n, matrix.n_dropped, note)
    statistics = cronbach_alpha(matrix.values, level=level)
    ends = (NAN, NAN)
    if bootstrap and np.isfinite(statistics.alpha):
        # each scale draws from its own stream: another scale more or less changes nothing
        draws = bootstrap_alphas(matrix.values, bootstrap, np.random.default_rng(seed))
        ends = percentile_interval(draws, level=level)
    omega, omega_note = _omega(matrix, level)
    return ScaleReliability(
        name,
        matrix.items,
        matrix.left_out,
        statistics,
        matrix.n,
        matrix.n_dropped,
        _scale_note(statistics, matrix),
        ends,
        omega,
        omega_note,
        *(_ordinal(matrix) if ordinal else (None, "")),
    )


def _omega(matrix: ItemMatrix, level: float) -> tuple[OneFactorOmega | None, str]:
    """Return omega under one factor, and the catalogue key of why there is none or what weakens it."""
    if len(matrix.items) < FEWEST_ITEMS:
        return None, "reliability.note.two_items"
    found = one_factor_omega(matrix.values, level=level)
    if found is None:
        return None, "reliability.note.singular"
    if not found.converged:
        return None, "reliability.note.not_converged"
    return found, "reliability.note.heywood" if found.heywood else ""


def _ordinal(matrix: ItemMatrix) -> tuple[OrdinalReliability | None, str]:
    """Return what the ordered answers give, and the catalogue key of why there is nothing or what weakens it."""
    found = ordinal_reliability(matrix.values)
    if found is None:
        return None, "reliability.note.not_ordered"
    if len(matrix.items) < FEWEST_ITEMS:
        return found, "reliability.note.two_items"
    if not found.converged:
        return None, "reliability.note.not_converged"
    return found, "reliability.note.heywood" if found.heywood else ""


def _scale_note(statistics: Alpha, matrix: ItemMatrix) -> str:
    if not np.isfinite(statistics.alpha):
        return "factors.note.constant_sum"
    if statistics.alpha < 0:
        return "factors.note.negative_alpha"
    if matrix.left_out:
        return "factors.note.items_left_out"
    if (statistics.item_total < 0).any():
        return "factors.note.negative_item_in_scale"
    return ""
