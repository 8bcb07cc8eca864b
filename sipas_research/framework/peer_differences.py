"""How far each agency lies from its peers: prepared once for a survey, then read agency by agency."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sipas_research.framework.definitions import answers_agree_with_rest, answers_mixed, ratio_parts
from sipas_research.framework.design import PreparedDesign, plan_of
from sipas_research.framework.groups import Grouping
from sipas_research.framework.index import INDEX, OVERALL
from sipas_research.framework.publication import Cells, Masks, publication_masks
from sipas_research.numerics.disclosure import MINIMUM_CELL
from sipas_research.numerics.intervals import t_quantile, t_tails
from sipas_research.numerics.linearization import (
    SamplingPlan,
    degrees_of_freedom,
    influence_covariance,
    ratio_influence,
)
from sipas_research.survey.responses import Responses

_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """Agency minus the other agencies, in shares (0.02 is two percentage points)."""

    term: str
    group: str
    estimate: float
    std_error: float
    statistic: float
    p_value: float
    conf_low: float
    conf_high: float
    df: float
    note: str


@dataclass(frozen=True, slots=True, eq=False)
class PeerComparison:
    """Everything that the differences of all agencies share.

    ``tops`` and ``bottoms`` hold numerator and denominator of each term over the usable rows; ``masks`` say which
    figures of which agency may be printed; ``by_level`` is True where the peers are those of the agency's level.
    """

    design: PreparedDesign
    plan: SamplingPlan
    agencies: Grouping
    level_of: Mapping[str, str]
    tops: Mapping[str, np.ndarray]
    bottoms: Mapping[str, np.ndarray]
    masks: Masks
    by_level: bool
    note: str
    level: float

    def peers(self, agency: str) -> tuple[np.ndarray, str]:
        """Return which usable rows belong to the other agencies, and who these are."""
        labels, member = self.agencies.labels, self.agencies.member
        mine = self.level_of.get(agency, "")
        alike = np.array([self.level_of.get(label, "") == mine for label in labels] or [False])
        own = member == labels.index(agency)
        others = (member >= 0) & alike[np.clip(member, 0, None)] & ~own
        name = "level_others"
        if not self.by_level or others.sum() < MINIMUM_CELL:
            # everyone else, people of no agency too: else the province less both would be these few
            others, name = ~own, "province_others"
        return others[self.design.keep], name

    def of(self, agency: str) -> tuple[DifferenceRow, ...]:
        """Return one row a term whose figure of this agency may be printed and that enough others answered."""
        place = self.agencies.labels.index(agency)
        own = (self.agencies.member == place)[self.design.keep]
        others, name = self.peers(agency)
        member = np.where(own, 0, np.where(others, 1, -1))
        rows = []
        for term, bottom in self.bottoms.items():
            answered = bottom > 0
            few = int((others & answered).sum()) < MINIMUM_CELL
            if few or self.masks.groups[term][place] or not (own & answered).any():
                continue
            rows.append(self._row(term, name, member))
        return tuple(rows)

    def _row(self, term: str, name: str, member: np.ndarray) -> DifferenceRow:
        top, bottom = self.tops[term], self.bottoms[term]
        ratio, influence = ratio_influence(self.design.weight, top, bottom, member, 2)
        matrix = influence_covariance(self.plan, influence)
        first, second = (degrees_of_freedom(self.plan, (member == g) & (bottom > 0)) for g in range(2))
        if min(first, second) < 1:
            matrix = np.full((2, 2), _NAN)
        variance = float(matrix[0, 0] + matrix[1, 1] - 2.0 * matrix[0, 1])
        df = _satterthwaite(matrix[0, 0], matrix[1, 1], first, second)
        gap = float(ratio[0] - ratio[1])
        error = math.sqrt(max(variance, 0.0)) if math.isfinite(variance) else _NAN
        statistic = gap / error if error > 0 else _NAN
        reach = t_quantile(self.level, df) * error
        tests = (statistic, t_tails(statistic, df), gap - reach, gap + reach, df)
        said = self.note if math.isfinite(error) else "framework.note.no_variance"
        return DifferenceRow(term, name, gap, error, *tests, said)


def compare_with_peers(
    design: PreparedDesign,
    responses: Responses,
    parts: Mapping[str, tuple[str, ...]],
    agencies: Grouping,
    *,
    definition: str,
    level: float,
    finer: Iterable[np.ndarray] = (),
) -> PeerComparison:
    """Prepare the differences of all agencies from their peers.

    What is hidden in the index by agency over the same ``parts`` is hidden here. Variances are linearised under the
    survey's design, from the influence values of both shares (Deville 1999), so that what the two samples share counts.

    Parameters
    ----------
    design : PreparedDesign
    responses : Responses
    parts : mapping of a term to its items
        Components or criteria; the index over all of them and overall satisfaction are added.
    agencies : Grouping
    definition : str
        One of a ratio of totals.
    level : float
        Confidence level, strictly between 0 and 1.
    finer : iterable of arrays of bool, shape (agencies,)
        What is hidden of the agencies elsewhere, such as single questions: figures of levels must not take it apart.
    """
    member = agencies.member[design.keep]
    tops, bottoms, cells, totals = {}, {}, {}, {}
    for term, ids in _terms(responses, parts).items():
        top, bottom, _ = (part[design.keep] for part in ratio_parts(responses, ids, definition))
        tops[term], bottoms[term] = top, bottom
        agree = answers_agree_with_rest(responses, ids, definition, design.keep, member, len(agencies.labels))
        mixed = answers_mixed(responses, ids, definition, design.keep, member, len(agencies.labels))
        cells[term], totals[term] = (*_cells(bottom, agree, member), mixed), int((bottom > 0).sum())
    masks = publication_masks(tuple(parts), cells, totals)
    level_of: dict[str, str] = {a.code: a.level for a in responses.agencies.agencies}
    independent = design.has_strata and _nested(design, agencies)
    return PeerComparison(
        design=design,
        plan=plan_of(design),
        agencies=agencies,
        level_of=level_of,
        tops=tops,
        bottoms=bottoms,
        masks=masks,
        by_level=levels_tell_nothing((*masks.groups.values(), *finer), agencies, level_of, design),
        note=f"framework.note.{'independent_samples' if independent else 'shared_design'}",
        level=level,
    )


def levels_tell_nothing(
    masks: Iterable[np.ndarray], agencies: Grouping, level_of: Mapping[str, str], design: PreparedDesign
) -> bool:
    """True where figures of levels may stand beside those of agencies.

    What is hidden is safe within the province's total. A level's total takes it apart, unless all that is hidden
    lies in that one level.
    """
    hidden = [
        {level_of.get(label, "") for label, secret in zip(agencies.labels, mask, strict=True) if secret}
        for mask in masks
    ]
    found = [levels for levels in hidden if levels]
    if not found:
        return True
    unplaced = bool((agencies.member[design.keep] < 0).any())
    return not unplaced and all(len(levels) == 1 for levels in found)


def _terms(responses: Responses, parts: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    terms = {INDEX: tuple(dict.fromkeys(i for ids in parts.values() for i in ids)), **parts}
    whole = tuple(i for ids in responses.scale_items("overall").values() for i in ids)
    return terms | ({OVERALL: whole} if whole and OVERALL not in terms else {})


def _cells(bottom: np.ndarray, agree: np.ndarray, member: np.ndarray) -> Cells:
    """People who answered in each agency, those in none last, and whether an agency's answers all agree."""
    place = np.where(member < 0, len(agree) - 1, member)
    return np.bincount(place[bottom > 0], minlength=len(agree)), agree


def _nested(design: PreparedDesign, agencies: Grouping) -> bool:
    """True where every stratum lies within one agency: the two samples were then drawn independently."""
    member = pd.Series(agencies.member[design.keep])
    return bool((member.groupby(design.stratum).nunique() == 1).all())


def _satterthwaite(first: float, second: float, df_first: float, df_second: float) -> float:
    """Degrees of freedom of a difference of two variances estimated apart (Satterthwaite 1946)."""
    if not (first + second > 0 and df_first >= 1 and df_second >= 1):
        return min(df_first, df_second)
    return float((first + second) ** 2 / (first**2 / df_first + second**2 / df_second))
