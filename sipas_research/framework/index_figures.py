"""One term of the index before and after what must be hidden is hidden: figures, then rows with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from sipas_research.framework.definitions import answers_agree_with_rest, answers_mixed, ratio_parts
from sipas_research.framework.design import (
    PreparedDesign,
    Ratios,
    design_effect,
    estimate_mean_of_ratios,
    estimate_ratio,
)
from sipas_research.framework.publication import Masks, TermCells
from sipas_research.numerics.intervals import exact_interval, logit_interval
from sipas_research.survey.responses import Responses

SUPPRESSED = "framework.note.suppressed"
_NAN = float("nan")
_END = 1e-12


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One figure: a term in a group (``group`` "" is everyone). Shares are 0-1; all NaN where suppressed."""

    term: str
    group: str
    estimate: float
    std_error: float
    conf_low: float
    conf_high: float
    note: str
    df: float
    n: float
    n_answers: float
    suppressed: bool


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """Everything estimated about one term, before anything is hidden."""

    everyone: Ratios
    grouped: Ratios
    answers: np.ndarray
    ungrouped: int
    agree: np.ndarray
    mixed: np.ndarray
    design_effect: float

    @classmethod
    def of(
        cls,
        design: PreparedDesign,
        responses: Responses,
        items: tuple[str, ...],
        definition: str,
        member: np.ndarray,
        labels: tuple[str, ...],
    ) -> Figures:
        """Estimate a term for everyone and for each group."""
        top, bottom, answers = (part[design.keep] for part in ratio_parts(responses, items, definition))
        counts = np.bincount(member[member >= 0], weights=answers[member >= 0], minlength=len(labels))
        everyone = estimate_ratio(design, top, bottom)
        grouped = estimate_ratio(design, top, bottom, groups=labels, member=member)
        rest = int(everyone.n[0]) - int(grouped.n.sum())
        agree = answers_agree_with_rest(responses, items, definition, design.keep, member, len(labels))
        mixed = answers_mixed(responses, items, definition, design.keep, member, len(labels))
        effect = design_effect(design, top, bottom, float(everyone.std_error[0]) ** 2)
        return cls(everyone, grouped, np.append(counts, answers.sum()), rest, agree, mixed, effect)

    def averaged(
        self,
        design: PreparedDesign,
        responses: Responses,
        parts: Mapping[str, tuple[str, ...]],
        shares: np.ndarray,
        member: np.ndarray,
        labels: tuple[str, ...],
    ) -> Figures:
        """Put the weighted mean of the components' shares in place of the ratio over all answers."""
        pairs = []
        for ids in parts.values():
            top, bottom, _ = ratio_parts(responses, ids, "share_satisfied")
            pairs.append((top[design.keep], bottom[design.keep]))
        everyone = estimate_mean_of_ratios(design, pairs, shares)
        return replace(
            self,
            design_effect=_NAN,
            everyone=everyone,
            grouped=estimate_mean_of_ratios(design, pairs, shares, groups=labels, member=member),
        )

    def cells(self) -> TermCells:
        """People in each group (those in none last), whether their answers agree, whether they differ everywhere."""
        return np.append(self.grouped.n, self.ungrouped), self.agree, self.mixed

    def rows(self, term: str, masks: Masks, level: float) -> list[IndexRow]:
        """The term's figures: everyone first, then the groups."""
        found = [figure_row(self.everyone, 0, term, level, masks.everyone[term], self.answers[-1])]
        for place, hidden in enumerate(masks.groups[term]):
            found.append(figure_row(self.grouped, place, term, level, bool(hidden), self.answers[place]))
        return found


def hidden_row(term: str, group: str) -> IndexRow:
    """Return the row that stands where a figure must be hidden."""
    return IndexRow(term, group, _NAN, _NAN, _NAN, _NAN, SUPPRESSED, _NAN, _NAN, _NAN, True)


def figure_row(ratios: Ratios, place: int, term: str, level: float, hidden: bool, answers: float) -> IndexRow:
    """Turn one estimate into a row with its interval, or into an empty row where it must be hidden."""
    group = ratios.groups[place]
    if hidden:
        return hidden_row(term, group)
    estimate, error, df = (float(a[place]) for a in (ratios.estimate, ratios.std_error, ratios.df))
    low, high, note = _interval(estimate, error, df, float(ratios.effective[place]), level)
    n = float(ratios.n[place])
    return IndexRow(term, group, estimate, error, low, high, note, df, n, float(answers), False)


def _interval(estimate: float, error: float, df: float, effective: float, level: float) -> tuple[float, float, str]:
    if not np.isfinite(estimate):
        return _NAN, _NAN, "framework.note.no_answers"
    if estimate <= _END or estimate >= 1.0 - _END:
        return *exact_interval(float(estimate > 0.5), effective, level), "framework.note.exact_interval"
    if not np.isfinite(error):
        return _NAN, _NAN, "framework.note.no_variance"
    note = "framework.note.no_spread" if error == 0.0 else ""
    return *logit_interval(estimate, error, df, level), note
