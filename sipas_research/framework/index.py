"""The satisfaction index and its components, overall and by group, with design-based intervals.

The definitions are this package's own; the ministry's formula is not public in full and is not claimed: every result
carries "chưa kiểm chứng" until a formula has been read in the decision that sets it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields

import numpy as np
import pandas as pd

from sipas_research import wording
from sipas_research.errors import AnalysisError, QuestionnaireError
from sipas_research.framework.definitions import (
    DEFINITIONS,
    READ_IN_A_DECISION,
    Definition,
    check_options,
    checked_weights,
    notes_of,
    ratio_parts,
)
from sipas_research.framework.design import (
    PreparedDesign,
    Ratios,
    prepare_design,
)
from sipas_research.framework.group_estimates import GroupEstimates, families_of, group_estimates
from sipas_research.framework.groups import Grouping, group_rows
from sipas_research.framework.index_figures import SUPPRESSED, Figures, IndexRow, figure_row, hidden_row
from sipas_research.framework.publication import publication_masks
from sipas_research.numerics.disclosure import MINIMUM_CELL
from sipas_research.results import DataKind
from sipas_research.survey.responses import Responses
from sipas_research.survey.scoring import ScaleChoice, choose_scales

__all__ = [
    "DEFINITIONS",
    "INDEX",
    "OVERALL",
    "Definition",
    "IndexRow",
    "SatisfactionIndex",
    "check_options",
    "components",
    "figure_row",
    "hidden_row",
    "index_under",
    "ratio_parts",
    "satisfaction_index",
]
#: Term of the index itself, and of the questions on satisfaction as a whole.
INDEX, OVERALL = "index", "overall"
_NAN = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class SatisfactionIndex:
    """Index, components and overall satisfaction with intervals.

    ``groups`` are the groups of the fact ``by`` in register or questionnaire order, hidden ones too.
    ``components`` are the scale ids that have a term of their own. ``notes`` are catalogue keys for the
    notes under a table, ``weighting`` is "weighted" or "unweighted". ``estimation`` holds the index of every group
    with answers for further computation (ranks, classes, tests of differences), those that may not be printed too;
    ``labels``, ``estimates``, ``covariance``, ``degrees_of_freedom`` and ``family`` hold those that may.
    ``design_effect`` is the variance of the whole index over that of a simple random sample of as many people; NaN
    for a mean of components. ``decides`` is False where the index stands beside the one that decides ranks and classes.
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
    estimation: GroupEstimates
    design_effect: float = _NAN
    decides: bool = True

    def tidy(self) -> pd.DataFrame:
        """One row a term and group; n counts people who answered, n_answers their answers."""
        return pd.DataFrame([astuple(r) for r in self.rows], columns=[f.name for f in fields(IndexRow)])

    @property
    def published(self) -> GroupEstimates:
        """The groups whose figures may be printed."""
        return self.estimation.only(self.estimation.shown)

    @property
    def labels(self) -> tuple[str, ...]:
        """Groups that are shown, in order."""
        return self.published.labels

    @property
    def estimates(self) -> np.ndarray:
        """Index of the groups that are shown, shape (groups,), 0-1, not writeable."""
        return self.published.estimates

    @property
    def degrees_of_freedom(self) -> np.ndarray:
        """Sampled units minus strata of the groups that are shown, shape (groups,), not writeable."""
        return self.published.degrees_of_freedom

    @property
    def family(self) -> tuple[str, ...]:
        """What each shown group may be compared within: its level ("department", ...) or the name of the fact."""
        return self.published.families

    @property
    def matrix(self) -> np.ndarray:
        """Design covariance of the index between the groups that are shown, as an array that is not writeable."""
        return self.published.covariance

    @property
    def covariance(self) -> pd.DataFrame:
        """Design covariance of the index between the groups that are shown, groups x groups, not writeable."""
        found = self.published
        return pd.DataFrame(found.covariance, index=list(found.labels), columns=list(found.labels), copy=False)

    @property
    def verified(self) -> bool:
        """True where the formula was read in the decision that sets it."""
        return self.definition in READ_IN_A_DECISION

    def glance(self) -> pd.DataFrame:
        """One row: people, groups, definition, level, design, kind of the data."""
        row = {"n": self.n, "by": self.by, "n_groups": len(self.groups), "definition": self.definition}
        design = {"weighting": self.weighting, "n_strata": self.n_strata, "n_clusters": self.n_clusters}
        design["design_effect"] = self.design_effect
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
    weights: Mapping[str, float] | None = None,
) -> SatisfactionIndex:
    """Estimate the satisfaction index, its components and overall satisfaction.

    The index is taken over the items of role "factor" (every item but those of role "overall" where there is
    no factor). Definitions, all on 0-1: "share_satisfied", answers above the middle of the scale (4-5 of
    five) over all answers, a ratio of weighted totals; "mean_of_shares", the mean over people of each one's share;
    "mean_score", the mean over people of their mean answer rescaled to 0-1; "mean_over_highest", the mean answer over
    the highest one (the mean divided by 5; it cannot fall below 0.2 on a scale of five); "overall_question",
    "share_satisfied" of the questions on satisfaction as a whole; "component_mean", the mean of the components'
    shares. Standard errors are Taylor linearised under the survey's design (Binder 1983), with the finite
    population factor where the frame is known; intervals are Student intervals of the logit (Korn and Graubard 1999)
    on sampled units minus strata; where all answers agree, Clopper-Pearson on Kish's effective number of people. They
    cover sampling error only.

    Groups with 1 to 9 people, or whose answers all agree, are hidden with what would let them be derived.

    Parameters
    ----------
    responses : Responses
    by : str, optional
        "agency", "level" (of the agency), "year", "channel", or any category or text fact.
    definition : {"share_satisfied", "mean_of_shares", "mean_score", "mean_over_highest", "overall_question",
            "component_mean"}
    level : float
        Confidence level, strictly between 0 and 1.
    scales : iterable of scale ids, or mapping of a name to item ids, optional
        Components to use instead of the factors.
    weights : mapping of a component to a positive number, optional
        For "component_mean"; they need not add up to one. Equal where none are given.

    Raises
    ------
    OptionError
        If ``by``, ``definition``, ``level``, a scale or a weight is outside its vocabulary.
    AnalysisError
        If no item has an answer or no row has a usable weight.
    """
    check_options(definition, level)
    parts = components(responses, scales)
    checked_weights(weights, tuple(parts), definition)
    grouping = None if by is None else group_rows(responses, by)
    return index_under(
        prepare_design(responses), responses, parts, grouping, definition=definition, level=level, weights=weights
    )


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
    weights: Mapping[str, float] | None = None,
) -> SatisfactionIndex:
    """Estimate the index under a prepared design; see :func:`satisfaction_index`."""
    member = np.full(len(design.weight), -1) if grouping is None else grouping.member[design.keep]
    labels = () if grouping is None else grouping.labels
    terms = _terms(responses, parts, definition)
    shares = checked_weights(weights, tuple(parts), definition) if definition == "component_mean" else None
    figures = {term: Figures.of(design, responses, ids, definition, member, labels) for term, ids in terms.items()}
    if shares is not None:
        figures[INDEX] = figures[INDEX].averaged(design, responses, parts, shares, member, labels)
    masks = publication_masks(
        tuple(parts), {t: f.cells() for t, f in figures.items()}, {t: int(f.everyone.n[0]) for t, f in figures.items()}
    )
    rows = [row for term, f in figures.items() for row in f.rows(term, masks, level)]
    everyone = int(figures[INDEX].everyone.n[0])
    by = "" if grouping is None else grouping.by
    return SatisfactionIndex(
        rows=tuple(rows),
        groups=labels,
        components=tuple(parts),
        by=by,
        definition=definition,
        level=level,
        n=float(everyone) if everyone >= MINIMUM_CELL else _NAN,
        n_strata=design.n_strata if design.has_strata else 0,
        n_clusters=design.n_clusters,
        fpc=design.population is not None,
        weighting=design.weighting,
        notes=(*notes_of(definition), *design.notes, *_pooled(responses, grouping)),
        data_kind=responses.data_kind,
        source=responses.source,
        estimation=_estimation(figures[INDEX].grouped, families_of(responses, by, labels), ~masks.groups[INDEX]),
        design_effect=figures[INDEX].design_effect if everyone >= MINIMUM_CELL else _NAN,
    )


def _terms(responses: Responses, parts: Mapping[str, tuple[str, ...]], definition: str) -> dict[str, tuple[str, ...]]:
    whole = tuple(i for ids in responses.scale_items("overall").values() for i in ids)
    if definition == "overall_question":
        if not whole:
            raise AnalysisError("index.error.no_overall")
        return {INDEX: whole, **parts}
    terms = {INDEX: tuple(dict.fromkeys(i for ids in parts.values() for i in ids)), **parts}
    return terms | ({OVERALL: whole} if whole and OVERALL not in terms else {})


def _estimation(found: Ratios, families: tuple[str, ...], shown: np.ndarray) -> GroupEstimates:
    groups = group_estimates(
        found.groups,
        found.estimate,
        found.covariance,
        found.df,
        found.n,
        found.effective,
        families=families,
        shown=shown,
    )
    return groups.only(found.n > 0)


def _pooled(responses: Responses, grouping: Grouping | None) -> tuple[str, ...]:
    several = responses.has("year") and responses.frame["year"].nunique() > 1
    return ("framework.note.years_pooled",) if several and (grouping is None or grouping.by != "year") else ()
