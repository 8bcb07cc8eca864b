"""Convergent and discriminant validity of a fitted model: CR, AVE, MSV, Fornell-Larcker, HTMT and HTMT2."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.factors.options import check_count, check_level, check_seed
from sipas_research.factors.validity_result import NAN, FactorValidity, GroupValidity, Ratios, Validity
from sipas_research.numerics.correlation import Array, covariance_to_correlation, read_only
from sipas_research.numerics.disclosure import MINIMUM_CELL
from sipas_research.numerics.heterotrait import Mean, heterotrait_ratios, resampled_correlations
from sipas_research.numerics.reliability import percentile_interval
from sipas_research.sem.layout import places
from sipas_research.sem.parameter_table import FIXED
from sipas_research.sem.result import SemFit

#: The two ratios and the mean each takes.
_MEANS: tuple[Mean, Mean] = ("arithmetic", "geometric")


def validity(fit: SemFit, *, bootstrap: int = 1000, seed: int = 1, level: float = 0.95) -> Validity:
    """Return CR, AVE, MSV, the Fornell-Larcker table, HTMT and HTMT2 of a fitted model, group by group.

    With raw loadings l, factor variance phi, sample covariances S (divisor n) and implied covariances M:

    - ``cr`` = (sum l)^2 phi / (1'S1), the reliability omega of the sum score (McDonald 1999);
      ``ave`` = sum l^2 phi / tr S;
    - ``cr_standardized`` = (sum l)^2 / ((sum l)^2 + sum(1 - l^2)) and ``ave_standardized`` = mean l^2 with
      standardised loadings (Fornell & Larcker 1981), what a reader computes from a table of loadings;
    - ``cr_general`` = (sum l)^2 phi / (1'M1), covariances of errors included (Raykov 2001).

    CR and AVE are refused, NaN with a reason, where their formulas do not apply: errors are correlated (only
    ``cr_general`` is given), an item depends on more than its factor, the factor has one item or is measured by
    factors, the solution is improper, not identified or did not converge. An item whose loading has the opposite sign
    of most counts as turned, and is named.

    Of ordered items CR and AVE are those of the normal variables thought behind the answers, S their polychoric
    correlations: they exceed the reliability of the sum of the answers (:func:`sipas_research.reliability` has that).

    HTMT and HTMT2 rest on the correlations of items in absolute value, not on the fit. Their intervals are percentile
    intervals of people drawn with replacement within groups.

    Parameters
    ----------
    fit : SemFit
        From :func:`sipas_research.sem.estimate.cfa` or ``sem``.
    bootstrap : int
        Samples of people; 0 makes none. Moments without rows give point values and a note.
    seed : int
        Of those samples.
    level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    Validity

    Raises
    ------
    AnalysisError
        If no factor is measured by anything, or a group has fewer than ten rows.
    OptionError
        If ``fit`` is not a fit, or an option is outside its range.

    References
    ----------
    Fornell & Larcker (1981), J. Mark. Res. 18, 39-50. McDonald (1999), Test Theory. Raykov (2001), Br. J. Math. Stat.
    Psychol. 54, 315-323. Hancock & Mueller (2001), in Cudeck, du Toit & Sorbom (eds.), 195-216. Henseler, Ringle &
    Sarstedt (2015), J. Acad. Mark. Sci. 43, 115-135. Roemer, Schuberth & Henseler (2021), Ind. Manag. Data Syst. 121,
    2637-2650. Ronkko & Cho (2022), Organ. Res. Methods 25, 6-47.
    """
    if not isinstance(fit, SemFit):
        raise OptionError("validity.error.not_fit", received=type(fit).__name__)
    check_count("bootstrap", bootstrap, 0)
    check_level(level)
    check_seed(seed)
    if min(sample.n for sample in fit.samples) < MINIMUM_CELL:
        raise AnalysisError("factors.error.few_people", minimum=MINIMUM_CELL)
    structure = [_factors_of(fit, group) for group in range(len(fit.groups))]
    if not structure[0]:
        raise AnalysisError("validity.error.no_factors")
    draws = bootstrap if fit.sample.with_rows and len(structure[0]) > 1 else 0
    streams = np.random.default_rng(seed).spawn(len(structure))
    ends = _correlation_ends(fit)
    groups = tuple(
        _group(fit, k, factors, ends, draws, streams[k], level) for k, factors in enumerate(structure)
    )  # fmt: skip
    notes = ("validity.note.one_factor",) if len(groups[0].first_order) < 2 else ()
    if not notes and not draws:
        notes = (f"validity.note.{'no_bootstrap' if fit.sample.with_rows else 'no_rows'}",)
    return Validity(groups, draws, seed, level, fit.n, notes, fit.data_kind)


@dataclass(frozen=True, slots=True, eq=False)
class _Factor:
    """One factor in one group: its indicators, their raw loadings, and what else hangs on them."""

    name: str
    items: tuple[str, ...]
    loadings: Array
    second_order: bool
    crossed: bool
    correlated: bool
    lost: bool


def _factors_of(fit: SemFit, group: int) -> tuple[_Factor, ...]:
    """Return the factors of one group, first-order ones first."""
    table, lost = fit.table, set(fit.information.unidentified)
    latents = set(table.latents)
    loadings: dict[str, dict[str, float]] = {}
    parents: dict[str, set[str]] = {}
    errors: set[str] = set()
    doubtful: set[str] = set()
    for row, value in zip(table.rows, fit.values, strict=True):
        if row.group != group or row.op in ("~1", "|", "~*~"):
            continue
        if row.free in lost:
            doubtful |= {row.lhs, row.rhs}
        if row.free == FIXED and value == 0:
            continue
        if row.op == "=~":
            loadings.setdefault(row.lhs, {})[row.rhs] = float(value)
            parents.setdefault(row.rhs, set()).add(row.lhs)
        elif row.op == "~":
            parents.setdefault(row.lhs, set()).add(row.rhs)
        elif row.lhs != row.rhs:
            errors |= {name for name in (row.lhs, row.rhs) if name not in latents}
    found = [
        _Factor(
            name, tuple(own), read_only(list(own.values())), bool(latents & set(own)),
            any(len(parents[item]) > 1 for item in own), bool(errors & set(own)), bool(doubtful & {name, *own}),
        )
        for name, own in loadings.items()
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda factor: factor.second_order))


def _group(
    fit: SemFit,
    group: int,
    factors: tuple[_Factor, ...],
    ends: dict[tuple[int, frozenset[str]], tuple[float, float]],
    draws: int,
    generator: np.random.Generator,
    level: float,
) -> GroupValidity:
    first = tuple(factor for factor in factors if not factor.second_order)
    correlations = _latent_correlations(fit, group, first)
    low, high = np.full(correlations.shape, NAN), np.full(correlations.shape, NAN)
    for i, one in enumerate(first):
        for j, other in enumerate(first):
            low[i, j], high[i, j] = ends.get((group, frozenset((one.name, other.name))), (NAN, NAN))
    pair_notes = _pair_notes(fit, group, first, correlations)
    shared = {pair for pair, keys in pair_notes if "validity.note.shared_item" in keys}
    htmt, htmt2 = _ratios(fit, group, first, shared, draws, generator, level)
    pair_notes += tuple(
        ((i, j), ("validity.note.no_ratio",))
        for i in range(len(first))
        for j in range(i + 1, len(first))
        if np.isnan(htmt.estimate[i, j]) and (i, j) not in shared and min(len(first[k].items) for k in (i, j)) > 1
    )
    rows = [_validity_of(fit, group, factor, _squares(correlations, k)) for k, factor in enumerate(factors)]
    sample = fit.samples[group]
    return GroupValidity(
        fit.table.groups[group], sample.n, tuple(rows), read_only(correlations), read_only(low), read_only(high),
        htmt, htmt2, pair_notes,
    )  # fmt: skip


def _squares(correlations: Array, place: int) -> Array:
    """Return the squared correlations of one first-order factor with the others; none for a second-order one."""
    if place >= len(correlations):
        return np.empty(0)
    squared: Array = np.delete(correlations[place], place) ** 2
    return squared


def _latent_correlations(fit: SemFit, group: int, factors: tuple[_Factor, ...]) -> Array:
    place = places(fit.table)
    where = [place[factor.name] for factor in factors]
    joint = fit.groups[group].joint[np.ix_(where, where)]
    variance = np.diag(joint)
    with np.errstate(invalid="ignore"):
        scale = np.sqrt(np.where(variance > 0, variance, np.nan))
    found: Array = (joint + joint.T) / 2.0 / np.outer(scale, scale)
    np.fill_diagonal(found, 1.0)
    return found


def _correlation_ends(fit: SemFit) -> dict[tuple[int, frozenset[str]], tuple[float, float]]:
    """Return the intervals of correlations that are parameters: both factors depend on nothing."""
    latents = set(fit.table.latents)
    explained = {row.lhs for row in fit.table.rows if row.op == "~"}
    explained |= {row.rhs for row in fit.table.rows if row.op == "=~"}
    wanted = latents - explained
    labels = {label: k for k, label in enumerate(fit.table.groups)}
    found = {}
    table = fit.standardized(scale="all")
    for row in table[table["op"] == "~~"].itertuples():
        if row.lhs != row.rhs and {row.lhs, row.rhs} <= wanted and row.std_error > 0:
            found[labels[row.group], frozenset((row.lhs, row.rhs))] = (float(row.conf_low), float(row.conf_high))
    return found


def _ratios(
    fit: SemFit,
    group: int,
    factors: tuple[_Factor, ...],
    shared: set[tuple[int, int]],
    draws: int,
    generator: np.random.Generator,
    level: float,
) -> tuple[Ratios, Ratios]:
    sample, size = fit.samples[group], len(factors)
    names = sorted({item for factor in factors for item in factor.items}, key=sample.names.index)
    columns = np.array([sample.names.index(name) for name in names], dtype=np.intp)
    blocks = [np.array([names.index(item) for item in factor.items], dtype=np.intp) for factor in factors]
    hidden = np.zeros((size, size), dtype=bool)
    for i, j in shared:
        hidden[i, j] = hidden[j, i] = True
    correlations = covariance_to_correlation(sample.cov[np.ix_(columns, columns)])
    drawn: tuple[list[Array], list[Array]] = ([], [])
    rows = sample.rows
    if draws and rows is not None:
        centre = next(iter(rows())).mean(axis=0) if sample.mean is None else sample.mean
        for batch in resampled_correlations(lambda: (b[:, columns] for b in rows()), centre[columns], draws, generator):
            for kept, mean in zip(drawn, _MEANS, strict=True):
                kept.append(heterotrait_ratios(batch, blocks, mean))
    found = []
    for kept, mean in zip(drawn, _MEANS, strict=True):
        estimate = np.where(hidden, np.nan, heterotrait_ratios(correlations, blocks, mean))
        found.append(_with_ends(estimate, np.concatenate(kept) if kept else None, level))
    return found[0], found[1]


def _with_ends(estimate: Array, drawn: Array | None, level: float) -> Ratios:
    error, low, high = (np.full(estimate.shape, NAN) for _ in range(3))
    if drawn is not None:
        for i, j in zip(*np.triu_indices(len(estimate), 1), strict=True):
            if np.isfinite(estimate[i, j]):
                exist = drawn[np.isfinite(drawn[:, i, j]), i, j]
                low[i, j], high[i, j] = percentile_interval(drawn[:, i, j], level=level)
                error[i, j] = exist.std(ddof=1) if np.isfinite(low[i, j]) and len(exist) > 1 else NAN
        for ends in (error, low, high):
            ends.T[np.triu_indices(len(estimate), 1)] = ends[np.triu_indices(len(estimate), 1)]
    return Ratios(read_only(estimate), read_only(error), read_only(low), read_only(high))


def _pair_notes(
    fit: SemFit, group: int, factors: tuple[_Factor, ...], correlations: Array
) -> tuple[tuple[tuple[int, int], tuple[str, ...]], ...]:
    sample = fit.samples[group]
    found = []
    for i, one in enumerate(factors):
        for j, other in enumerate(factors[i + 1 :], start=i + 1):
            keys = []
            if set(one.items) & set(other.items):
                keys.append("validity.note.shared_item")
            elif min(len(one.items), len(other.items)) > 1:
                if one.crossed or other.crossed or one.correlated or other.correlated:
                    keys.append("validity.note.assumption")
                rows, columns = ([sample.names.index(n) for n in f.items] for f in (one, other))
                turned = np.outer(np.sign(one.loadings), np.sign(other.loadings))
                between = sample.cov[np.ix_(rows, columns)] * turned
                if between.min() < 0 < between.max():
                    keys.append("validity.note.mixed_signs")
            if abs(correlations[i, j]) >= 1:
                keys.append("validity.note.beyond_one")
            if correlations[i, j] == 0:
                keys.append("validity.note.orthogonal")
            if keys:
                found.append(((i, j), tuple(keys)))
    return tuple(found)


def _validity_of(fit: SemFit, group: int, factor: _Factor, squares: Array) -> FactorValidity:
    variance, residuals, std_all = _parts(fit, group, factor)
    reason = _reason(fit, factor, variance, residuals)
    signs = np.sign(factor.loadings) * (1.0 if np.sign(factor.loadings).sum() >= 0 else -1.0)
    signs = np.where(signs == 0, 1.0, signs)
    reverse = () if reason else tuple(n for n, s in zip(factor.items, signs, strict=True) if s < 0)
    notes: tuple[str, ...] = ("validity.note.reversed",) if reverse else ()
    notes += ("validity.note.two_items",) if len(factor.items) == 2 and len(squares) else ()
    usable = squares[np.isfinite(squares)]
    msv, asv = (float(usable.max()), float(usable.mean())) if len(usable) else (NAN, NAN)
    values = dict.fromkeys(("cr", "ave", "max_reliability", "cr_standardized", "ave_standardized", "cr_general"), NAN)
    if not reason or reason == "validity.note.correlated_errors":
        which = [fit.table.observed.index(name) for name in factor.items]
        common = float(signs @ factor.loadings) ** 2 * variance
        values["cr_general"] = common / float(signs @ fit.groups[group].cov[np.ix_(which, which)] @ signs)
    if not reason:
        whole = fit.samples[group].take(fit.table.observed).cov
        if fit.options.categorical:  # the normal variables that are thought behind ordered answers
            whole = fit.problem.targets[group].cov
        observed = whole[np.ix_(which, which)]
        values["cr"] = common / float(signs @ observed @ signs)
        values["ave"] = float(factor.loadings @ factor.loadings) * variance / float(np.trace(observed))
        total = float(np.abs(std_all).sum()) ** 2
        values["cr_standardized"] = total / (total + float((1.0 - std_all**2).sum()))
        values["ave_standardized"] = float((std_all**2).mean())
        values["max_reliability"] = _coefficient_h(std_all)
    return FactorValidity(
        factor.name, factor.items, reason=reason, notes=notes, reversed_items=reverse, msv=msv, asv=asv, **values
    )


def _coefficient_h(std_all: Array) -> float:
    """Return Hancock & Mueller's (2001) coefficient H; one where an item has no error."""
    squared = np.minimum(std_all**2, 1.0)
    if (squared >= 1.0).any():
        return 1.0
    information = float((squared / (1.0 - squared)).sum())
    return information / (1.0 + information)


def _parts(fit: SemFit, group: int, factor: _Factor) -> tuple[float, Array, Array]:
    """Return the factor's variance, the residual variances of its indicators and its standardised loadings."""
    place, at = places(fit.table), fit.groups[group]
    own = place[factor.name]
    which = [place[name] for name in factor.items]
    variance = float(at.joint[own, own])
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = factor.loadings * np.sqrt(variance) / np.sqrt(np.diag(at.joint)[which])
    return variance, np.diag(at.residual)[which], scaled


def _reason(fit: SemFit, factor: _Factor, variance: float, residuals: Array) -> str:
    """Return the catalogue key of why CR and AVE are refused, or ""."""
    checks = (
        ("not_converged", not fit.converged),
        ("second_order", factor.second_order),
        ("single", len(factor.items) == 1),
        ("not_identified", factor.lost),
        ("negative_variance", not variance > 0),
        ("heywood", bool((residuals < 0).any())),
        ("cross_loading", factor.crossed),
        ("correlated_errors", factor.correlated),
    )
    return next((f"validity.note.{name}" for name, hit in checks if hit), "")
