"""The index of two years compared, inside one measurement regime: tested, and split into composition and rates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.evidence.series import SIPAS_BREAKS, Break
from sipas_research.framework.change_parts import decompose
from sipas_research.framework.change_result import ChangeRow, IndexChange, PartRow, hidden_change, hidden_part
from sipas_research.framework.definitions import (
    RATIOS,
    answers_agree,
    answers_agree_with_rest,
    answers_mixed,
    check_options,
    notes_of,
    ratio_parts,
)
from sipas_research.framework.design import PreparedDesign, plan_of, prepare_design
from sipas_research.framework.groups import Grouping, group_rows
from sipas_research.framework.index import INDEX, OVERALL, components
from sipas_research.framework.publication import publication_masks
from sipas_research.numerics.intervals import t_quantile, t_tails
from sipas_research.numerics.linearization import (
    SamplingPlan,
    degrees_of_freedom,
    influence_covariance,
    ratio_influence,
    satterthwaite,
)
from sipas_research.numerics.multiplicity import holm
from sipas_research.survey.responses import Responses
from sipas_research.survey.scoring import ScaleChoice

_NAN = float("nan")
_EDGE = 1e-12


def index_change(
    responses: Responses,
    first: int | None = None,
    last: int | None = None,
    *,
    by: str | None = None,
    composition: str | Sequence[str] | None = None,
    definition: str = "share_satisfied",
    level: float = 0.95,
    scales: ScaleChoice = None,
    breaks: Sequence[Break] = (),
) -> IndexChange:
    """Compare the index of two years, test the change and say what it is made of.

    Years are samples of their own, so the variances add; a difference is compared with Student's t on
    Satterthwaite's degrees of freedom. With ``composition`` the change of the index is split as Kitagawa (1955) does
    into what comes from a different mix of cells and what comes from different rates within cells, with standard
    errors by the delta method. Items asked in one of the years only are left out of both.

    Nothing is compared across a change of measurement: the line is broken in 2022, when the survey of service users
    became one of residents at large, in 2023 (Decision 1001/QĐ-BNV) and on 1 July 2025 (districts end). The result
    then holds both years' figures and the reason, and no difference.

    Parameters
    ----------
    responses : Responses
        Of several years.
    first, last : int, optional
        The years; the last two with answers where none are given.
    by : str, optional
        Groups whose index is compared too, like "agency".
    composition : str or sequence of str, optional
        Facts whose mix may have changed, like "agency" or ("sex", "procedure_field").
    definition, level, scales
        As in ``satisfaction_index``; the definition is one of a ratio of totals.
    breaks : sequence of Break
        Further changes of measurement of this survey; those of SIPAS always count for a survey of citizens.

    Raises
    ------
    OptionError
        If a year is not in the data, the years do not ascend, or another option is outside its vocabulary.
    AnalysisError
        If no item was answered in both years, or no cell of the composition is in both.
    """
    check_options(definition, level, RATIOS)
    years = _years(responses, first, last)
    pair = _rows_of(responses, years)
    facts = _facts(by, composition)
    parts, dropped = _common_items(pair, components(pair, scales), years)
    between = tuple(b for b in (*standing_breaks(responses), *breaks) if years[0] < b.year <= years[1])
    design = prepare_design(pair)
    waves = _Waves.of(design, pair, years)
    grouping = None if by is None else group_rows(pair, by)
    rows = _rows(waves, pair, parts, years, grouping, definition=definition, level=level, broken=bool(between))
    split: tuple[PartRow, ...] = ()
    only = (0, 0)
    if facts and not between:
        split, only = decompose(design, pair, parts, waves.year, facts, definition=definition, level=level)
        split = tuple(hidden_part(r.part, r.cell) for r in split) if rows[0].suppressed else split
    return IndexChange(
        rows=rows,
        part_rows=split,
        first_year=years[0],
        last_year=years[1],
        by=by or "",
        composition=facts,
        components=tuple(parts),
        definition=definition,
        level=level,
        breaks=between,
        reason="index_change.reason.broken" if between else "",
        dropped_items=dropped,
        only_first=only[0],
        only_last=only[1],
        weighting=design.weighting,
        notes=_notes(design, waves, definition, bool(dropped), bool(between)),
        data_kind=responses.data_kind,
        source=responses.source,
    )


def _years(responses: Responses, first: int | None, last: int | None) -> tuple[int, int]:
    known = sorted({int(y) for y in responses.frame["year"].dropna()}) if responses.has("year") else []
    said = ", ".join(map(str, known)) or "–"
    if len(known) < 2:
        raise AnalysisError("index_change.error.one_year", known=said)
    end = known[-1] if last is None else last
    start = max((y for y in known if y < end), default=end) if first is None else first
    for year in (start, end):
        if isinstance(year, bool) or year not in known:
            raise OptionError("index_change.error.year", value=str(year), known=said)
    if start >= end:
        raise OptionError("index_change.error.order", first=str(start), last=str(end))
    return int(start), int(end)


def _rows_of(responses: Responses, years: tuple[int, int]) -> Responses:
    keep = responses.frame["year"].isin(years).to_numpy(dtype=bool)
    return replace(responses, frame=responses.frame.loc[keep].copy())


def _facts(by: str | None, composition: str | Sequence[str] | None) -> tuple[str, ...]:
    facts = (composition,) if isinstance(composition, str) else tuple(composition or ())
    for name in (by, *facts):
        if name == "year":
            raise OptionError("index_change.error.by_year")
    return facts


def comparable_years(responses: Responses, last: int | None = None) -> tuple[int, int] | None:
    """Return the last two years with answers, none after ``last``, between which the measurement did not change.

    None where there is no such pair.
    """
    known = sorted({int(y) for y in responses.frame["year"].dropna()}) if responses.has("year") else []
    breaks = standing_breaks(responses)
    for first, second in reversed(list(pairwise(known))):
        if (last is None or second <= last) and not any(first < b.year <= second for b in breaks):
            return first, second
    return None


def standing_breaks(responses: Responses) -> tuple[Break, ...]:
    """Return the changes of measurement that always count for a survey."""
    return SIPAS_BREAKS if responses.questionnaire.respondent == "citizen" else ()


def _common_items(
    pair: Responses, parts: dict[str, tuple[str, ...]], years: tuple[int, int]
) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    answered = [pair.where(year=year) for year in years]
    common = {i for ids in parts.values() for i in ids if all(r.has(i) for r in answered)}
    kept = {p: tuple(i for i in ids if i in common) for p, ids in parts.items()}
    dropped = tuple(i for ids in parts.values() for i in ids if i not in common)
    kept = {p: ids for p, ids in kept.items() if ids}
    if not kept:
        raise AnalysisError("index_change.error.no_common_items", first=str(years[0]), last=str(years[1]))
    return kept, tuple(dict.fromkeys(dropped))


@dataclass(frozen=True, slots=True, eq=False)
class _Waves:
    """Two samples under one plan: ``year`` is 0 or 1 for each usable row, ``strata`` marks each year's strata."""

    design: PreparedDesign
    plan: SamplingPlan
    year: np.ndarray
    strata: tuple[np.ndarray, np.ndarray]
    shared_clusters: bool

    @classmethod
    def of(cls, design: PreparedDesign, pair: Responses, years: tuple[int, int]) -> _Waves:
        """Arrange the rows of two years."""
        plan = plan_of(design)
        year = (pair.frame["year"].to_numpy(dtype=float)[design.keep] == years[1]).astype(int)
        late = np.zeros(len(plan.fraction), dtype=bool)
        late[plan.stratum[plan.unit[year == 1]]] = True
        both = set(design.cluster[year == 0]) & set(design.cluster[year == 1])
        return cls(design, plan, year, (~late, late), bool(design.n_clusters and both))


def _rows(
    waves: _Waves,
    pair: Responses,
    parts: dict[str, tuple[str, ...]],
    years: tuple[int, int],
    grouping: Grouping | None,
    *,
    definition: str,
    level: float,
    broken: bool,
) -> tuple[ChangeRow, ...]:
    terms = {INDEX: tuple(dict.fromkeys(i for ids in parts.values() for i in ids)), **parts}
    whole = tuple(i for ids in pair.scale_items("overall").values() for i in ids)
    asked = [pair.where(year=year) for year in years]
    whole = tuple(i for i in whole if all(r.has(i) for r in asked))
    if whole and OVERALL not in terms:
        terms[OVERALL] = whole
    labels = () if grouping is None else grouping.labels
    member = np.full(len(waves.year), -1) if grouping is None else grouping.member[waves.design.keep]
    found = {t: _Term.of(waves, pair, ids, definition, member, len(labels)) for t, ids in terms.items()}
    hidden, masks = _masks(tuple(parts), found, len(labels))
    everyone = [found[t].row(t, "", 0, level, hidden=hidden[t], broken=broken) for t in terms]
    groups = [
        found[INDEX].row(INDEX, label, g + 1, level, hidden=bool(masks[g]), broken=broken)
        for g, label in enumerate(labels)
    ]
    # the index is the one question asked of everyone; its components are read together, so are the groups
    return (*_adjusted(everyone[:1], level), *_adjusted(everyone[1:], level), *_adjusted(groups, level))


def _masks(parts: tuple[str, ...], found: dict[str, _Term], groups: int) -> tuple[dict[str, bool], np.ndarray]:
    """Hide what either year must hide: a change would give the other year's figure away."""
    everyone: dict[str, bool] = dict.fromkeys(found, False)
    masks = np.zeros(groups, dtype=bool)
    for wave in range(2):
        cells = {
            t: (np.append(f.n[wave, 1:], f.n[wave, 0] - f.n[wave, 1:].sum()), f.agree[wave, 1:], f.mixed[wave])
            for t, f in found.items()
        }
        safe = publication_masks(parts, cells, {t: int(f.n[wave, 0]) for t, f in found.items()})
        everyone = {t: everyone[t] or safe.everyone[t] for t in everyone}
        masks = masks | safe.groups[INDEX]
    return everyone, masks


@dataclass(frozen=True, slots=True, eq=False)
class _Term:
    """One term in both years; arrays are (2, 1 + groups), everyone first; ``agree`` has the people of no group last."""

    ratio: np.ndarray
    variance: np.ndarray
    df: np.ndarray
    n: np.ndarray
    agree: np.ndarray
    mixed: np.ndarray

    @classmethod
    def of(
        cls, waves: _Waves, pair: Responses, items: tuple[str, ...], definition: str, member: np.ndarray, groups: int
    ) -> _Term:
        """Estimate the term in each year, for everyone and by group."""
        keep = waves.design.keep
        top, bottom, _ = (part[keep] for part in ratio_parts(pair, items, definition))
        size = 1 + groups
        ratio, variance, df = (np.full((2, size), _NAN) for _ in range(3))
        n, agree = np.zeros((2, size), dtype=int), np.zeros((2, size + 1), dtype=bool)
        mixed = np.zeros((2, size), dtype=bool)
        for wave in range(2):
            inside = (waves.year == wave) & (bottom > 0)
            for shift, place in ((0, np.where(inside, 0, -1)), (1, np.where(inside, member, -1))):
                count = 1 if shift == 0 else groups
                where = slice(shift, shift + count)
                ratio[wave, where], values = ratio_influence(waves.design.weight, top, bottom, place, count)
                covariance = influence_covariance(waves.plan, values, waves.strata[wave])
                variance[wave, where] = np.clip(np.diag(covariance), 0.0, None)
                df[wave, where] = [degrees_of_freedom(waves.plan, place == g) for g in range(count)]
                n[wave, where] = np.bincount(place[place >= 0], minlength=count)
            agree[wave, :1] = answers_agree(pair, items, definition, keep, np.where(inside, 0, -1), 1)
            asked = keep.copy()
            asked[keep] = inside
            agree[wave, 1:] = answers_agree_with_rest(pair, items, definition, asked, member[inside], groups)
            mixed[wave] = answers_mixed(pair, items, definition, asked, member[inside], groups)
        return cls(ratio, variance, df, n, agree, mixed)

    def row(self, term: str, group: str, place: int, level: float, *, hidden: bool, broken: bool) -> ChangeRow:
        """The change of the term, or both years' figures with the reason why there is none."""
        if hidden:
            return hidden_change(term, group)
        first, last = (float(v) for v in self.ratio[:, place])
        counts = (float(self.n[0, place]), float(self.n[1, place]))
        note, error, df = self._error(place, broken=broken)
        change = _NAN if broken or not math.isfinite(last - first) else last - first
        if note:
            return ChangeRow(term, group, first, last, change, *(_NAN,) * 5, note, _NAN, _NAN, *counts, False, False)
        statistic = change / error
        reach = t_quantile(level, df) * error
        tests = (statistic, t_tails(statistic, df), change - reach, change + reach)
        return ChangeRow(term, group, first, last, change, error, *tests, "", _NAN, df, *counts, False, False)

    def _error(self, place: int, *, broken: bool) -> tuple[str, float, float]:
        """Return why there is no test ("" where there is one), standard error and degrees of freedom."""
        if broken:
            return "index_change.note.broken", _NAN, _NAN
        if not np.isfinite(self.ratio[:, place]).all():
            return "framework.note.no_answers", _NAN, _NAN
        if self.agree[:, place].any():
            return "index_change.note.edge", _NAN, _NAN
        df = satterthwaite(self.variance[:, place], self.df[:, place])
        error = math.sqrt(self.variance[:, place].sum())
        if df < 1 or not math.isfinite(error):
            return "framework.note.no_variance", _NAN, _NAN
        if error <= _EDGE:
            return "framework.note.no_spread", _NAN, _NAN
        return "", error, df


def _adjusted(rows: list[ChangeRow], level: float) -> list[ChangeRow]:
    """Correct the tests that are read together for their number."""
    tested = [k for k, row in enumerate(rows) if math.isfinite(row.p_value)]
    tails = holm(np.array([rows[k].p_value for k in tested]))
    raised = dict(zip(tested, (float(p) for p in tails), strict=True))
    return [
        replace(row, p_adjusted=raised[k], beyond=raised[k] < 1.0 - level) if k in raised else row
        for k, row in enumerate(rows)
    ]


def _notes(design: PreparedDesign, waves: _Waves, definition: str, dropped: bool, broken: bool) -> tuple[str, ...]:
    keys = [*notes_of(definition), *design.notes, "index_change.note.sampling_only"]
    keys += ["index_change.note.common_items"] if dropped else []
    keys += ["index_change.note.shared_clusters"] if waves.shared_clusters and not broken else []
    return tuple(keys)
