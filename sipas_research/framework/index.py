"""The satisfaction index and its components, overall and by group, with design-based intervals.

The definitions are this package's own; the ministry's formula is not public in full and is not claimed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from typing import Literal, get_args

import numpy as np
import pandas as pd

from sipas_research import wording
from sipas_research.errors import AnalysisError, OptionError, QuestionnaireError
from sipas_research.framework.design import PreparedDesign, Ratios, estimate_ratio, prepare_design
from sipas_research.framework.groups import Grouping, group_rows
from sipas_research.framework.publication import Masks, publication_masks
from sipas_research.numerics.disclosure import MINIMUM_CELL
from sipas_research.numerics.intervals import exact_interval, logit_interval
from sipas_research.results import DataKind
from sipas_research.survey.responses import Responses
from sipas_research.survey.scoring import ScaleChoice, choose_scales, rescaled, satisfied

Definition = Literal["share_satisfied", "mean_of_shares", "mean_score"]
DEFINITIONS: tuple[str, ...] = get_args(Definition)
#: Term of the index itself, and of the questions on satisfaction as a whole.
INDEX, OVERALL = "index", "overall"
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
class SatisfactionIndex:
    """Index, components and overall satisfaction with intervals.

    ``groups`` are the groups of the fact ``by`` in register or questionnaire order, hidden ones too.
    ``components`` are the scale ids that have a term of their own. ``notes`` are catalogue keys for the
    notes under a table, ``weighting`` is "weighted" or "unweighted".
    """

    rows: tuple[IndexRow, ...]
    groups: tuple[str, ...]
    components: tuple[str, ...]
    by: str
    definition: str
    level: float
    n: float
    n_strata: int
    n_clusters: int
    fpc: bool
    weighting: str
    notes: tuple[str, ...]
    data_kind: DataKind
    source: str
    matrix: np.ndarray
    shown: tuple[str, ...]

    def tidy(self) -> pd.DataFrame:
        """One row a term and group; n counts people who answered, n_answers their answers."""
        return pd.DataFrame([astuple(r) for r in self.rows], columns=[f.name for f in fields(IndexRow)])

    @property
    def covariance(self) -> pd.DataFrame:
        """Design covariance of the index between the groups that are shown, groups x groups."""
        return pd.DataFrame(self.matrix.copy(), index=list(self.shown), columns=list(self.shown))

    def glance(self) -> pd.DataFrame:
        """One row: people, groups, definition, level, design, kind of the data."""
        row = {"n": self.n, "by": self.by, "n_groups": len(self.groups), "definition": self.definition}
        design = {"weighting": self.weighting, "n_strata": self.n_strata, "n_clusters": self.n_clusters}
        tail = {"fpc": self.fpc, "level": self.level, "data_kind": self.data_kind.value, "source": self.source}
        return pd.DataFrame([row | design | tail])

    def summary(self, language: str = "vi") -> str:
        """Return the index with its interval, its definition and the notes on its design."""
        row = self.rows[0]
        if row.suppressed:
            return wording.text(SUPPRESSED, language)
        head = wording.text(
            "index.summary.line",
            language,
            estimate=wording.percent(row.estimate, language),
            level=wording.percent(self.level, language, 0),
            interval=wording.interval(row.conf_low, row.conf_high, language),
            n=int(row.n),
        )
        lines = [head, wording.text(f"index.definition.{self.definition}", language)]
        keys = (f"framework.weighting.{self.weighting}", *self.notes)
        lines += [wording.text(key, language) for key in keys]
        return "\n".join([*lines, wording.text(f"common.kind.{self.data_kind.value}", language)])


def satisfaction_index(
    responses: Responses,
    by: str | None = None,
    definition: str = "share_satisfied",
    *,
    level: float = 0.95,
    scales: ScaleChoice = None,
) -> SatisfactionIndex:
    """Estimate the satisfaction index, its components and overall satisfaction.

    The index is taken over the items of role "factor" (every item but those of role "overall" where there is
    no factor). Definitions, all on 0-1: "share_satisfied", answers above the middle of the scale (4-5 of
    five) over all answers, a ratio of weighted totals; "mean_of_shares", the mean over people of each one's share;
    "mean_score", the mean over people of their mean answer rescaled to 0-1. Standard errors are Taylor linearised
    under the survey's design (Binder 1983), intervals are Student intervals of the logit (Korn and Graubard 1999)
    on sampled units minus strata; where all answers agree, Clopper-Pearson on Kish's effective number of people.

    Groups with 1 to 9 people, or whose answers all agree, are hidden with what would let them be derived.

    Parameters
    ----------
    responses : Responses
    by : str, optional
        "agency", "level" (of the agency), "year", "channel", or any category or text fact.
    definition : {"share_satisfied", "mean_of_shares", "mean_score"}
    level : float
        Confidence level, strictly between 0 and 1.
    scales : iterable of scale ids, or mapping of a name to item ids, optional
        Components to use instead of the factors.

    Raises
    ------
    OptionError
        If ``by``, ``definition``, ``level`` or a scale is outside its vocabulary.
    AnalysisError
        If no item has an answer or no row has a usable weight.
    """
    check_options(definition, level)
    parts = components(responses, scales)
    grouping = None if by is None else group_rows(responses, by)
    return index_under(prepare_design(responses), responses, parts, grouping, definition=definition, level=level)


def check_options(definition: str, level: float) -> None:
    """Refuse a definition or a confidence level outside its range."""
    if definition not in DEFINITIONS:
        raise OptionError("index.error.definition", value=definition, allowed=", ".join(DEFINITIONS))
    if not 0.0 < level < 1.0:
        raise OptionError("index.error.level", value=str(level))


def components(responses: Responses, scales: ScaleChoice = None) -> dict[str, tuple[str, ...]]:
    """Return item ids by component: the scales chosen, else the factors, else all that are not "overall".

    Raises
    ------
    AnalysisError
        If none of them has an answer.
    """
    chosen = choose_scales(responses, scales)
    if scales is None:
        role = {s.id: s.role for s in responses.questionnaire.scales}
        factors = {s: ids for s, ids in chosen.items() if role[s] == "factor"}
        others = {s: ids for s, ids in chosen.items() if role[s] != "overall"}
        chosen = factors or others or chosen
    if not chosen:
        raise AnalysisError("framework.error.no_items")
    if INDEX in chosen:
        raise QuestionnaireError("index.error.reserved", scale=INDEX)
    return chosen


def index_under(
    design: PreparedDesign,
    responses: Responses,
    parts: Mapping[str, tuple[str, ...]],
    grouping: Grouping | None = None,
    *,
    definition: str = "share_satisfied",
    level: float = 0.95,
) -> SatisfactionIndex:
    """Estimate the index under a prepared design; see :func:`satisfaction_index`."""
    terms = {INDEX: tuple(dict.fromkeys(i for ids in parts.values() for i in ids)), **parts}
    whole = tuple(i for ids in responses.scale_items("overall").values() for i in ids)
    if whole and OVERALL not in terms:
        terms[OVERALL] = whole
    member = np.full(len(design.weight), -1) if grouping is None else grouping.member[design.keep]
    labels = () if grouping is None else grouping.labels
    figures = {t: _Figures.of(design, responses, ids, definition, member, labels) for t, ids in terms.items()}
    masks = publication_masks(
        tuple(parts), {t: f.cells() for t, f in figures.items()}, {t: int(f.everyone.n[0]) for t, f in figures.items()}
    )
    rows = [row for term, f in figures.items() for row in f.rows(term, masks, level)]
    seen = np.flatnonzero(~masks.groups[INDEX] & (figures[INDEX].grouped.n > 0)) if labels else np.array([], dtype=int)
    matrix = figures[INDEX].grouped.covariance[np.ix_(seen, seen)].copy()
    matrix.setflags(write=False)
    everyone = int(figures[INDEX].everyone.n[0])
    return SatisfactionIndex(
        rows=tuple(rows),
        groups=labels,
        components=tuple(parts),
        by="" if grouping is None else grouping.by,
        definition=definition,
        level=level,
        n=float(everyone) if everyone >= MINIMUM_CELL else _NAN,
        n_strata=design.n_strata if design.has_strata else 0,
        n_clusters=design.n_clusters,
        fpc=design.population is not None,
        weighting=design.weighting,
        notes=(*design.notes, *_pooled(responses, grouping)),
        data_kind=responses.data_kind,
        source=responses.source,
        matrix=matrix,
        shown=tuple(labels[g] for g in seen),
    )


def _pooled(responses: Responses, grouping: Grouping | None) -> tuple[str, ...]:
    several = responses.has("year") and responses.frame["year"].nunique() > 1
    return ("framework.note.years_pooled",) if several and (grouping is None or grouping.by != "year") else ()


def ratio_parts(
    responses: Responses, items: tuple[str, ...], definition: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return numerator, denominator and number of answers of each row; the denominator is 0 where none was given."""
    scored = (rescaled if definition == "mean_score" else satisfied)(responses, items).to_numpy()
    answers = np.isfinite(scored).sum(axis=1)
    totals = np.nansum(scored, axis=1)
    if definition == "share_satisfied":
        return totals, answers.astype(float), answers
    return totals / np.maximum(answers, 1), (answers > 0).astype(float), answers


@dataclass(frozen=True, slots=True, eq=False)
class _Figures:
    """Everything estimated about one term, before anything is hidden."""

    everyone: Ratios
    grouped: Ratios
    answers: np.ndarray
    ungrouped: int

    @classmethod
    def of(
        cls,
        design: PreparedDesign,
        responses: Responses,
        items: tuple[str, ...],
        definition: str,
        member: np.ndarray,
        labels: tuple[str, ...],
    ) -> _Figures:
        top, bottom, answers = (part[design.keep] for part in ratio_parts(responses, items, definition))
        counts = np.bincount(member[member >= 0], weights=answers[member >= 0], minlength=len(labels))
        everyone = estimate_ratio(design, top, bottom)
        grouped = estimate_ratio(design, top, bottom, groups=labels, member=member)
        rest = int(everyone.n[0]) - int(grouped.n.sum())
        return cls(everyone, grouped, np.append(counts, answers.sum()), rest)

    def cells(self) -> tuple[np.ndarray, np.ndarray]:
        """People in each group (those in none last), and whether all answers of the group agree."""
        uniform = (self.grouped.estimate <= _END) | (self.grouped.estimate >= 1.0 - _END)
        return np.append(self.grouped.n, self.ungrouped), np.append(uniform, False)

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
