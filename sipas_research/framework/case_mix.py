"""The index beside what it would be if every agency of a level served the same mix of people.

It adjusts for what precedes the service, never for what the agency does; the raw index stays the index.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from typing import Literal, get_args

import numpy as np
import pandas as pd

from sipas_research import wording
from sipas_research.errors import AnalysisError, ConvergenceWarning, OptionError
from sipas_research.framework.case_mix_facts import adjusters
from sipas_research.framework.change_parts import crossed
from sipas_research.framework.definitions import RATIOS, check_options, ratio_parts
from sipas_research.framework.design import PreparedDesign, plan_of, prepare_design
from sipas_research.framework.group_estimates import GroupEstimates, families_of, group_estimates
from sipas_research.framework.groups import Grouping, group_rows
from sipas_research.framework.index import INDEX, IndexRow, SatisfactionIndex, components, index_under
from sipas_research.numerics.intervals import logit_interval
from sipas_research.numerics.linearization import influence_covariance, ratio_influence
from sipas_research.numerics.standardization import (
    Standardized,
    overlap,
    standardize_by_model,
    standardize_directly,
)
from sipas_research.results import DataKind
from sipas_research.survey.responses import Responses
from sipas_research.survey.scoring import ScaleChoice

Method = Literal["model", "direct"]
METHODS: tuple[str, ...] = get_args(Method)
#: Where more of the standard than this is without support, a directly standardised figure is not given.
MOST_WITHOUT_SUPPORT = 0.1
#: People a group needs in a cell: the model takes one; a cell's own rate from fewer than five looks too certain.
NEEDED = {"model": 1, "direct": 5}
_NAN = float("nan")
_END = 1e-12


@dataclass(frozen=True, slots=True)
class AdjustedRow:
    """One group: the raw index, the adjusted one (``estimate``), and adjusted less raw; 0-1, NaN where hidden.

    ``without_cell`` is the share of the standard in cells where the group has too few people, ``empty_cells`` their
    number; ``without_category`` the share with a category that the group has never served.
    """

    group: str
    family: str
    raw: float
    raw_std_error: float
    raw_low: float
    raw_high: float
    estimate: float
    std_error: float
    conf_low: float
    conf_high: float
    difference: float
    difference_std_error: float
    without_cell: float
    without_category: float
    empty_cells: float
    df: float
    n: float
    note: str
    suppressed: bool


@dataclass(frozen=True, slots=True, eq=False)
class AdjustedIndex:
    """Raw and adjusted index of each group, in the order of the register.

    ``adjust`` are the facts adjusted for; ``cells`` counts their combinations by family; ``raw`` is the index as
    ``satisfaction_index`` gives it; ``estimation`` holds the adjusted index of every group, hidden ones too.
    """

    rows: tuple[AdjustedRow, ...]
    by: str
    adjust: tuple[str, ...]
    method: str
    cells: tuple[tuple[str, int], ...]
    raw: SatisfactionIndex
    estimation: GroupEstimates
    definition: str
    level: float
    weighting: str
    notes: tuple[str, ...]
    data_kind: DataKind
    source: str

    def tidy(self) -> pd.DataFrame:
        """One row a group."""
        return pd.DataFrame([astuple(r) for r in self.rows], columns=[f.name for f in fields(AdjustedRow)])

    @property
    def covariance(self) -> pd.DataFrame:
        """Design covariance of the adjusted index between the groups that are shown, not writeable."""
        found = self.estimation.only(self.estimation.shown)
        return pd.DataFrame(found.covariance, index=list(found.labels), columns=list(found.labels), copy=False)

    def glance(self) -> pd.DataFrame:
        """One row about the whole."""
        row = {"by": self.by, "method": self.method, "adjust": ", ".join(self.adjust), "n": self.raw.n}
        cells = {"n_groups": len(self.rows), "cells": max((n for _, n in self.cells), default=0)}
        tail = {"definition": self.definition, "level": self.level, "data_kind": self.data_kind.value}
        return pd.DataFrame([row | cells | tail | {"source": self.source}])

    def summary(self, language: str = "vi") -> str:
        """Return what was adjusted for and how, how far figures moved, and how much had no support."""
        shown = [r for r in self.rows if not r.suppressed and math.isfinite(r.estimate)]
        lines = [wording.text(f"case_mix.method.{self.method}", language)]
        if shown:
            most = max(abs(r.difference) for r in shown)
            least = max(r.without_cell for r in shown)
            moved = wording.number(100.0 * most, 2, language)
            lines.append(
                wording.text(
                    "case_mix.summary.line",
                    language,
                    n=len(shown),
                    most=moved,
                    unsupported=wording.percent(least, language, 1),
                )
            )
        lines += [wording.text(key, language) for key in self.notes]
        return "\n".join([*lines, wording.text(f"common.kind.{self.data_kind.value}", language)])


def adjusted_index(
    responses: Responses,
    by: str = "agency",
    adjust: Sequence[str] | str | None = None,
    *,
    method: str = "model",
    definition: str = "share_satisfied",
    level: float = 0.95,
    scales: ScaleChoice = None,
    precedes: Sequence[str] = (),
) -> AdjustedIndex:
    """Put beside the index of each group what it would be if the group served the mix of people of its family.

    The standard is everyone served by the family: agencies of one level are standardised to that level, never across.
    "model" is g-computation from a logistic model with an effect of each group and category, no interactions;
    "direct" weights a group's own rates by the standard's cells and gives no figure where more than a tenth of the
    standard lies in cells with fewer than five of the group's people. Standard errors are linearised under the
    survey's design and allow for the standard being estimated. A missing answer is a category of its own.

    Parameters
    ----------
    responses : Responses
    by : str
        Groups, as in ``satisfaction_index``.
    adjust : sequence of str, optional
        Facts; sex, age band and field of the procedure where none are given.
    method : {"model", "direct"}
    definition, level, scales
        As in ``satisfaction_index``; the definition is one of a ratio of totals.
    precedes : sequence of str
        Further facts that precede the service. Channel, waiting time and perceptions are refused even so: they are
        part of what the agency does, and adjusting for them would take its work away.

    Raises
    ------
    OptionError
        If a fact, the method or another option is not allowed; the message says why.
    AnalysisError
        If there is nothing to adjust for, or groups and facts cannot be told apart.
    """
    check_options(definition, level, RATIOS)
    if method not in METHODS:
        raise OptionError("case_mix.error.method", value=str(method), allowed=", ".join(METHODS))
    facts = adjusters(responses, adjust, precedes, by)
    parts = components(responses, scales)
    grouping = group_rows(responses, by)
    design = prepare_design(responses)
    raw = index_under(design, responses, parts, grouping, definition=definition, level=level)
    families = families_of(responses, by, grouping.labels)
    found = _by_family(design, responses, parts, grouping, families, facts, method=method, definition=definition)
    own = {r.group: r for r in raw.rows if r.term == INDEX and r.group}
    rows = tuple(
        _row(own[label], family, found, place, method, level)
        for place, (label, family) in enumerate(zip(grouping.labels, families, strict=True))
    )
    return AdjustedIndex(
        rows=rows,
        by=by,
        adjust=facts,
        method=method,
        cells=found.cells,
        raw=raw,
        estimation=_estimation(raw, found, grouping.labels),
        definition=definition,
        level=level,
        weighting=design.weighting,
        notes=(*raw.notes, "case_mix.note.beside", "case_mix.note.unmeasured"),
        data_kind=responses.data_kind,
        source=responses.source,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Adjusted:
    """Adjusted figures of all groups; arrays are (groups,), covariances (groups, groups)."""

    estimate: np.ndarray
    covariance: np.ndarray
    difference_error: np.ndarray
    without_cell: np.ndarray
    without_category: np.ndarray
    empty: np.ndarray
    cells: tuple[tuple[str, int], ...]


def _by_family(
    design: PreparedDesign,
    responses: Responses,
    parts: dict[str, tuple[str, ...]],
    grouping: Grouping,
    families: tuple[str, ...],
    facts: tuple[str, ...],
    *,
    method: str,
    definition: str,
) -> _Adjusted:
    items = tuple(dict.fromkeys(i for ids in parts.values() for i in ids))
    top, bottom, _ = (part[design.keep] for part in ratio_parts(responses, items, definition))
    member = grouping.member[design.keep]
    codes = _codes(responses, facts)[design.keep]
    cell = crossed(responses, facts)[1][design.keep]
    size, used = len(grouping.labels), (member >= 0) & (bottom > 0)
    _, influence = ratio_influence(design.weight, top, bottom, member, size)
    estimate, shift = np.full(size, np.nan), np.zeros((len(member), size))
    shares, empty, counts = np.full((2, size), np.nan), np.full(size, np.nan), []
    for family in dict.fromkeys(families):
        inside = np.array([f == family for f in families])
        rows = np.flatnonzero(used & inside[np.where(member < 0, 0, member)])
        if rows.size == 0:
            continue
        held, place = np.unique(member[rows], return_inverse=True)
        mass = design.weight[rows] * bottom[rows]
        seen = overlap(mass, place, codes[rows], cell[rows], NEEDED[method])
        sums = (design.weight[rows], top[rows], bottom[rows], place)
        done = _standardized(sums, codes[rows], cell[rows], method, facts)
        estimate[held] = done.estimate
        shift[np.ix_(rows, held)] = done.influence
        shares[:, held], empty[held] = (seen.without_cell, seen.without_category), seen.empty
        counts.append((family, seen.cells))
    plan = plan_of(design)
    apart = np.clip(np.diag(influence_covariance(plan, shift - influence)), 0.0, None)
    return _Adjusted(
        estimate, influence_covariance(plan, shift), np.sqrt(apart), shares[0], shares[1], empty, tuple(counts)
    )


def _codes(responses: Responses, facts: tuple[str, ...]) -> np.ndarray:
    groupings = [group_rows(responses, fact) for fact in facts]
    return np.column_stack([np.where(g.member < 0, len(g.labels), g.member) for g in groupings])


def _standardized(
    sums: tuple[np.ndarray, ...], codes: np.ndarray, cell: np.ndarray, method: str, facts: tuple[str, ...]
) -> Standardized:
    weight, top, bottom, place = sums
    if method == "direct":
        return standardize_directly(weight, top, bottom, place, cell, minimum=NEEDED[method])
    try:
        done = standardize_by_model(weight, top, bottom, place, codes)
    except ValueError as reason:
        raise AnalysisError("case_mix.error.confounded", facts=", ".join(facts)) from reason
    if not done.converged:
        warnings.warn(ConvergenceWarning("case_mix.warning.convergence"), stacklevel=5)
    return done


def _row(own: IndexRow, family: str, found: _Adjusted, place: int, method: str, level: float) -> AdjustedRow:
    """Put raw and adjusted figures of a group together, with the reason where there is no adjusted one."""
    if own.suppressed:
        return AdjustedRow(own.group, family, *(_NAN,) * 15, own.note, True)
    raw = (own.estimate, own.std_error, own.conf_low, own.conf_high)
    shares = (float(found.without_cell[place]), float(found.without_category[place]), float(found.empty[place]))
    estimate, error = float(found.estimate[place]), math.sqrt(max(float(found.covariance[place, place]), 0.0))
    note = _note(own, estimate, shares, method)
    if note in {"case_mix.note.no_support", "framework.note.no_answers"}:
        return AdjustedRow(own.group, family, *raw, *(_NAN,) * 6, *shares, own.df, own.n, note, False)
    apart, gap_error = estimate - own.estimate, float(found.difference_error[place])
    if not math.isfinite(own.std_error) or not _END < estimate < 1.0 - _END:
        figures = (estimate, _NAN, _NAN, _NAN, apart, _NAN)
        return AdjustedRow(own.group, family, *raw, *figures, *shares, own.df, own.n, note or own.note, False)
    figures = (estimate, error, *logit_interval(estimate, error, own.df, level), apart, gap_error)
    return AdjustedRow(own.group, family, *raw, *figures, *shares, own.df, own.n, note, False)


def _note(own: IndexRow, estimate: float, shares: tuple[float, float, float], method: str) -> str:
    if not math.isfinite(own.estimate):
        return "framework.note.no_answers"
    if method == "direct" and (shares[0] > MOST_WITHOUT_SUPPORT or not math.isfinite(estimate)):
        return "case_mix.note.no_support"
    return "case_mix.note.extrapolated" if method == "model" and shares[1] > MOST_WITHOUT_SUPPORT else ""


def _estimation(raw: SatisfactionIndex, found: _Adjusted, labels: tuple[str, ...]) -> GroupEstimates:
    """The adjusted index in place of the raw one, for the groups that have answers."""
    places = np.array([labels.index(label) for label in raw.estimation.labels], dtype=int)
    base = raw.estimation
    return group_estimates(
        base.labels,
        found.estimate[places],
        found.covariance[np.ix_(places, places)],
        base.degrees_of_freedom,
        base.n,
        base.effective,
        families=base.families,
        shown=base.shown,
    )
