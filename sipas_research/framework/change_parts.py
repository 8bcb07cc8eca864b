"""Composition against rates: the decomposition of a change of the index, under the survey's design."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.framework.change_result import PartRow, hidden_part
from sipas_research.framework.definitions import answers_agree, ratio_parts
from sipas_research.framework.design import PreparedDesign, plan_of
from sipas_research.framework.groups import group_rows
from sipas_research.numerics.decomposition import PARTS, kitagawa
from sipas_research.numerics.disclosure import suppress
from sipas_research.numerics.intervals import t_quantile, t_tails
from sipas_research.numerics.linearization import (
    degrees_of_freedom,
    influence_covariance,
    satterthwaite,
)
from sipas_research.survey.responses import Responses

#: More cells than this say nothing that anybody could read.
MAX_CELLS = 500
_NAN = float("nan")
_ZERO = 1e-14


def crossed(responses: Responses, facts: tuple[str, ...]) -> tuple[tuple[tuple[str, ...], ...], np.ndarray]:
    """Return the cells of several facts that occur, and the cell of each row; a missing answer is a cell of its own.

    Raises
    ------
    OptionError
        If a fact cannot group rows, or there are more than 500 cells.
    """
    groupings = [group_rows(responses, fact) for fact in facts]
    codes = np.column_stack([np.where(g.member < 0, len(g.labels), g.member) for g in groupings])
    found, member = np.unique(codes, axis=0, return_inverse=True)
    if len(found) > MAX_CELLS:
        raise OptionError("index_change.error.cells", n=len(found), maximum=MAX_CELLS)
    names = [(*g.labels, "") for g in groupings]
    cells = tuple(tuple(names[k][code] for k, code in enumerate(row)) for row in found)
    return cells, member.reshape(-1)


def decompose(
    design: PreparedDesign,
    pair: Responses,
    parts: dict[str, tuple[str, ...]],
    year: np.ndarray,
    facts: tuple[str, ...],
    *,
    definition: str,
    level: float,
) -> tuple[tuple[PartRow, ...], tuple[int, int]]:
    """Split the change of the index; returns the rows and how many cells only the first and only the last year has."""
    cells, member = crossed(pair, facts)
    member = member[design.keep]
    items = tuple(dict.fromkeys(i for ids in parts.values() for i in ids))
    top, bottom, _ = (part[design.keep] for part in ratio_parts(pair, items, definition))
    size = len(cells)
    place = year * size + member
    totals = [
        np.asarray(np.bincount(place, weights=design.weight * v, minlength=2 * size), dtype=float).reshape(2, size)
        for v in (top, bottom)
    ]
    if not (totals[1] > 0).all(axis=0).any():
        raise AnalysisError("index_change.error.no_common_cells", facts=", ".join(facts))
    found = kitagawa(totals[0], totals[1])
    rise = found.tops.reshape(-1, 2 * size)[:, place] * top + found.bottoms.reshape(-1, 2 * size)[:, place] * bottom
    influence = (design.weight * rise).T
    tests = _Tests.of(design, influence, year, bottom > 0, level)
    answered = np.bincount(place[bottom > 0], minlength=2 * size).reshape(2, size)
    alike = answers_agree(pair, items, definition, design.keep, place, 2 * size).reshape(2, size)
    masks = suppress(answered[0], withheld=alike[0]) | suppress(answered[1], withheld=alike[1])
    values = [found.change, *found.parts]
    rows = [tests.row(name, (), values[k], k) for k, name in enumerate(("change", *PARTS))]
    shares = totals[1] / totals[1].sum(axis=1, keepdims=True)
    rates = np.where(totals[1] > 0, totals[0] / np.where(totals[1] > 0, totals[1], 1.0), np.nan)
    for kind, name in enumerate(PARTS[:2]):
        for k, cell in enumerate(cells):
            if not answered[:, k].any():
                continue
            facts_of = (*shares[:, k], *rates[:, k])
            where = 4 + kind * size + k
            rows.append(tests.row(name, cell, found.by_cell[kind, k], where, hidden=bool(masks[k]), of=facts_of))
    only = tuple(int(((answered[w] > 0) & (answered[1 - w] == 0)).sum()) for w in range(2))
    return tuple(rows), (only[0], only[1])


@dataclass(frozen=True, slots=True, eq=False)
class _Tests:
    """Standard errors and tests of statistics whose influence values are known; arrays are (2 years, statistics)."""

    variance: np.ndarray
    df: np.ndarray
    level: float

    @classmethod
    def of(
        cls, design: PreparedDesign, influence: np.ndarray, year: np.ndarray, used: np.ndarray, level: float
    ) -> _Tests:
        """Take the variances apart by year: the years are samples of their own."""
        plan = plan_of(design)
        late = np.zeros(len(plan.fraction), dtype=bool)
        late[plan.stratum[plan.unit[year == 1]]] = True
        variance = [np.clip(np.diag(influence_covariance(plan, influence, s)), 0.0, None) for s in (~late, late)]
        df = [degrees_of_freedom(plan, used & (year == wave)) for wave in range(2)]
        return cls(np.array(variance), np.array(df), level)

    def row(
        self,
        part: str,
        cell: tuple[str, ...],
        estimate: float,
        place: int,
        *,
        hidden: bool = False,
        of: tuple[float, ...] = (_NAN,) * 4,
    ) -> PartRow:
        """One part with its test; a part that is 0 by construction has none."""
        if hidden:
            return hidden_part(part, cell)
        if not math.isfinite(estimate):
            return _row(part, cell, (_NAN,) * 6, "index_change.note.one_year_only", _NAN, of)
        variance = self.variance[:, place]
        error, df = math.sqrt(variance.sum()), satterthwaite(variance, self.df)
        if not math.isfinite(error) or (df < 1 and error > _ZERO):
            return _row(part, cell, (estimate, *(_NAN,) * 5), "framework.note.no_variance", _NAN, of)
        if error <= _ZERO:
            return _row(part, cell, (estimate, error, *(_NAN,) * 4), "index_change.note.no_part", _NAN, of)
        statistic, reach = estimate / error, t_quantile(self.level, df) * error
        tests = (statistic, t_tails(statistic, df), estimate - reach, estimate + reach)
        return _row(part, cell, (estimate, error, *tests), "", df, of)


def _row(
    part: str, cell: tuple[str, ...], figures: Sequence[float], note: str, df: float, of: Sequence[float]
) -> PartRow:
    """Name the six figures of a part, and the shares and rates of a cell."""
    estimate, error, statistic, p_value, low, high = figures
    shares_and_rates = (of[0], of[1], of[2], of[3])
    return PartRow(
        part, cell, estimate, error, statistic, p_value, low, high, note, df, *shares_and_rates, suppressed=False
    )
