"""One agency's scorecard: its index beside the province's, how far it differs, which items stand out. No ranks."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass, fields, replace

import numpy as np
import pandas as pd

from sipas_research import wording
from sipas_research.errors import AgencyError, AnalysisError
from sipas_research.framework.definitions import RATIOS
from sipas_research.framework.design import PreparedDesign, estimate_ratio, prepare_design
from sipas_research.framework.groups import Grouping, group_rows
from sipas_research.framework.index import (
    INDEX,
    OVERALL,
    IndexRow,
    SatisfactionIndex,
    check_options,
    components,
    figure_row,
    hidden_row,
    index_under,
    ratio_parts,
)
from sipas_research.framework.publication import item_cells
from sipas_research.numerics.disclosure import MINIMUM_CELL, suppress_table
from sipas_research.numerics.intervals import t_quantile, t_tails
from sipas_research.results import DataKind
from sipas_research.survey.comparison import near
from sipas_research.survey.responses import Responses
from sipas_research.survey.scoring import ScaleChoice

_NAN = float("nan")
#: Whose figures a row holds: the agency itself, all agencies of its level, the whole province.
SCOPES = ("agency", "level", "province")


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


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Figures of one agency. ``agency_level`` is its level in the register ("" where the register has none).

    ``weakest`` and ``strongest`` hold item ids in questionnaire order; an item stands in neither where its
    interval overlaps both ends, and then it stands in ``indistinguishable``.
    """

    agency: str
    agency_level: str
    rows: tuple[IndexRow, ...]
    difference_rows: tuple[DifferenceRow, ...]
    item_rows: tuple[IndexRow, ...]
    weakest: tuple[str, ...]
    strongest: tuple[str, ...]
    indistinguishable: tuple[str, ...]
    components: tuple[str, ...]
    definition: str
    level: float
    n: float
    weighting: str
    notes: tuple[str, ...]
    data_kind: DataKind
    source: str

    def tidy(self) -> pd.DataFrame:
        """One row a term and scope; ``group`` is "agency", "level" or "province"."""
        return _frame(self.rows, IndexRow)

    def differences(self) -> pd.DataFrame:
        """One row a term; ``group`` says against whom: "level_others" or "province_others"."""
        return _frame(self.difference_rows, DifferenceRow)

    def items(self) -> pd.DataFrame:
        """Share satisfied of each item here, in questionnaire order; ``term`` is the item, ``group`` its scale."""
        return _frame(self.item_rows, IndexRow)

    def glance(self) -> pd.DataFrame:
        """One row about the whole."""
        row = {"agency": self.agency, "agency_level": self.agency_level, "n": self.n, "definition": self.definition}
        tail = {"level": self.level, "weighting": self.weighting, "data_kind": self.data_kind.value}
        return pd.DataFrame([row | tail | {"source": self.source}])

    def summary(self, language: str = "vi") -> str:
        """Return the agency's index with its interval, and the province's."""
        lines = []
        for row in (r for r in self.rows if r.term == INDEX and not r.suppressed):
            estimate = wording.percent(row.estimate, language)
            interval = wording.interval(row.conf_low, row.conf_high, language)
            scope = wording.text(f"framework.scope.{row.group}", language)
            lines.append(
                wording.text(
                    "framework.summary.line", language, scope=scope, estimate=estimate, interval=interval, n=int(row.n)
                )
            )
        return "\n".join([*lines, wording.text(f"common.kind.{self.data_kind.value}", language)])


def _frame(rows: tuple, row_class: type) -> pd.DataFrame:
    return pd.DataFrame([astuple(r) for r in rows], columns=[f.name for f in fields(row_class)])


def scorecard(
    responses: Responses,
    agency: str,
    *,
    definition: str = "share_satisfied",
    level: float = 0.95,
    scales: ScaleChoice = None,
) -> Scorecard:
    """Estimate one agency's figures beside those of its level and of the province.

    What is hidden in :func:`sipas_research.framework.index.satisfaction_index` by agency is hidden here, so that the
    scorecards of all agencies together give nothing away; so are items that would follow from the other cards. The
    difference is taken against the other agencies of the same level (of the province where the level has no
    other, or where levels would tell hidden agencies apart), from the design covariance of the two domains; this
    covariance is zero where every stratum lies within one agency, and a note says which. Its degrees of freedom
    are Satterthwaite's of the two domains (1946). Items are told apart by their intervals only.

    Parameters
    ----------
    responses : Responses
    agency : str
        Code of the agency.
    definition, level, scales
        As in ``satisfaction_index``; the definition is one of a ratio of totals.

    Raises
    ------
    AgencyError
        If the agency is neither in the register nor in the data.
    AnalysisError
        If the agency has fewer than ten forms, or its figures must be hidden to protect another agency.
    """
    check_options(definition, level, RATIOS)
    parts = components(responses, scales)
    agencies = group_rows(responses, "agency")
    _check_agency(responses, agency, agencies)
    design = prepare_design(responses)
    by_agency = index_under(design, responses, parts, agencies, definition=definition, level=level)
    own = [row for row in by_agency.rows if row.group == agency]
    if own[0].suppressed:
        raise AnalysisError("framework.error.withheld", agency=agency)
    found = responses.agencies.get(agency)
    agency_level = found.level if found else ""
    levels = _same_level(responses, agencies, agency)
    by_level = index_under(design, responses, parts, levels, definition=definition, level=level)
    apart = _levels_tell_nothing(responses, by_agency, agencies, design)
    others, note = _others(agencies, levels, agency, design, by_level=apart)
    shown = {row.term for row in own if not row.suppressed and np.isfinite(row.estimate)}
    terms = {t: ids for t, ids in _terms(responses, parts).items() if t in shown}
    gaps = _differences(design, responses, terms, others, definition=definition, level=level, note=note)
    items = _items(design, responses, parts, by_agency, agencies, agency)
    weakest, strongest, unclear = tell_apart(items)
    return Scorecard(
        agency=agency,
        agency_level=agency_level,
        rows=_scoped(own, by_level, by_agency, by_level_too=apart),
        difference_rows=gaps,
        item_rows=items,
        weakest=weakest,
        strongest=strongest,
        indistinguishable=unclear,
        components=tuple(parts),
        definition=definition,
        level=level,
        n=own[0].n,
        weighting=design.weighting,
        notes=(*by_agency.notes, *((note,) if gaps else ("framework.note.no_comparison",))),
        data_kind=responses.data_kind,
        source=responses.source,
    )


def _check_agency(responses: Responses, agency: str, agencies: Grouping) -> None:
    known = tuple(dict.fromkeys((*responses.agencies.codes(), *agencies.labels)))
    if agency not in known:
        raise AgencyError(
            "framework.error.unknown_agency", agency=agency, known=", ".join(near(agency, known) or known)
        )
    forms = int((agencies.member == agencies.labels.index(agency)).sum()) if agency in agencies.labels else 0
    if forms < MINIMUM_CELL:
        raise AnalysisError("framework.error.too_few", agency=agency)


def _terms(responses: Responses, parts: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    terms = {INDEX: tuple(dict.fromkeys(i for ids in parts.values() for i in ids)), **parts}
    whole = tuple(i for ids in responses.scale_items("overall").values() for i in ids)
    return terms | ({OVERALL: whole} if whole and OVERALL not in terms else {})


def _same_level(responses: Responses, agencies: Grouping, agency: str) -> Grouping:
    """Split agencies into those of the agency's level and the others."""
    level_of = {a.code: a.level for a in responses.agencies.agencies}
    mine = level_of.get(agency)
    same = np.array([level_of.get(label) == mine for label in agencies.labels])
    member = np.where(agencies.member < 0, -1, np.where(same[agencies.member], 0, 1))
    return Grouping("level", ("level", "rest"), member)


def _levels_tell_nothing(
    responses: Responses, by_agency: SatisfactionIndex, agencies: Grouping, design: PreparedDesign
) -> bool:
    """True where figures of levels may stand beside those of agencies.

    What is hidden is safe within the province's total. A level's total takes it apart, unless all that is hidden
    lies in that one level.
    """
    level_of: dict[str, str] = {a.code: a.level for a in responses.agencies.agencies}
    hidden: dict[str, set[str | None]] = {}
    for row in by_agency.rows:
        if row.group and row.suppressed:
            hidden.setdefault(row.term, set()).add(level_of.get(row.group))
    if not hidden:
        return True
    unplaced = bool((agencies.member[design.keep] < 0).any())
    return not unplaced and all(len(found) == 1 for found in hidden.values())


def _others(
    agencies: Grouping, levels: Grouping, agency: str, design: PreparedDesign, *, by_level: bool
) -> tuple[Grouping, str]:
    """Return agency, others and remaining rows as groups, and the note on how the difference was estimated."""
    own = agencies.member == agencies.labels.index(agency)
    peers = (levels.member == 0) & ~own
    name = "level_others"
    if not by_level or peers.sum() < MINIMUM_CELL:
        peers, name = (agencies.member >= 0) & ~own, "province_others"
    member = np.where(own, 0, np.where(peers, 1, -1))
    independent = design.has_strata and _nested(design, agencies)
    note = "framework.note.independent_samples" if independent else "framework.note.shared_design"
    return Grouping("others", ("agency", name), member), note


def _nested(design: PreparedDesign, agencies: Grouping) -> bool:
    """True where every stratum lies within one agency: the two samples were then drawn independently."""
    member = pd.Series(agencies.member[design.keep])
    return bool((member.groupby(design.stratum).nunique() == 1).all())


def _differences(
    design: PreparedDesign,
    responses: Responses,
    terms: dict[str, tuple[str, ...]],
    others: Grouping,
    *,
    definition: str,
    level: float,
    note: str,
) -> tuple[DifferenceRow, ...]:
    member = others.member[design.keep]
    rows = []
    for term, ids in terms.items():
        top, bottom, _ = (part[design.keep] for part in ratio_parts(responses, ids, definition))
        pair = estimate_ratio(design, top, bottom, groups=others.labels, member=member)
        if pair.n[1] < MINIMUM_CELL:
            continue
        matrix = pair.covariance
        variance = float(matrix[0, 0] + matrix[1, 1] - 2.0 * matrix[0, 1])
        df = _satterthwaite(matrix[0, 0], matrix[1, 1], pair.df[0], pair.df[1])
        gap = float(pair.estimate[0] - pair.estimate[1])
        error = math.sqrt(max(variance, 0.0)) if math.isfinite(variance) else _NAN
        statistic = gap / error if error > 0 else _NAN
        reach = t_quantile(level, df) * error
        tests = (statistic, t_tails(statistic, df), gap - reach, gap + reach, df)
        said = note if math.isfinite(error) else "framework.note.no_variance"
        rows.append(DifferenceRow(term, others.labels[1], gap, error, *tests, said))
    return tuple(rows)


def _satterthwaite(first: float, second: float, df_first: float, df_second: float) -> float:
    """Degrees of freedom of a difference of two variances estimated apart (Satterthwaite 1946)."""
    if not (first + second > 0 and df_first >= 1 and df_second >= 1):
        return min(df_first, df_second)
    return float((first + second) ** 2 / (first**2 / df_first + second**2 / df_second))


def _scoped(
    own: list[IndexRow], by_level: SatisfactionIndex, by_agency: SatisfactionIndex, *, by_level_too: bool
) -> tuple[IndexRow, ...]:
    """Put the agency's, its level's and the province's rows of each term together."""
    level = {r.term: r for r in by_level.rows if r.group == "level"}
    province = {r.term: r for r in by_agency.rows if r.group == ""}
    several_levels = any(r.group == "rest" and r.n > 0 for r in by_level.rows)
    rows = []
    for row in own:
        rows.append(replace(row, group="agency"))
        if several_levels:
            wide = level[row.term]
            # where the others of the level are under ten people, their figure would be the level's minus the agency's
            few = 0 < wide.n - row.n < MINIMUM_CELL
            rows.append(wide if by_level_too and not few else hidden_row(row.term, "level"))
        rows.append(replace(province[row.term], group="province"))
    return tuple(rows)


def _items(
    design: PreparedDesign,
    responses: Responses,
    parts: dict[str, tuple[str, ...]],
    by_agency: SatisfactionIndex,
    agencies: Grouping,
    agency: str,
) -> tuple[IndexRow, ...]:
    """Share satisfied of each item in the agency, hidden where it would follow from other figures.

    Within a component the items add up to it, and over the agencies each item adds up to the province's.
    """
    member = agencies.member[design.keep]
    place = agencies.labels.index(agency)
    inside = np.where(member == place, 0, -1)
    rows: list[IndexRow] = []
    for scale, ids in parts.items():
        withheld = np.array([r.suppressed for r in by_agency.rows if r.group and r.term == scale])
        shares = [ratio_parts(responses, (item,), "share_satisfied") for item in ids]
        cells = [item_cells(top[design.keep], bottom[design.keep], member, len(withheld)) for top, bottom, _ in shares]
        people, alike = (np.column_stack(columns) for columns in zip(*cells, strict=True))
        hidden = suppress_table(people, withheld=alike, hidden=np.append(withheld, False))[place]
        for item, (top, bottom, answers), mask in zip(ids, shares, hidden, strict=True):
            ratio = estimate_ratio(design, top[design.keep], bottom[design.keep], groups=("agency",), member=inside)
            given = float(answers[design.keep][inside == 0].sum())
            rows.append(replace(figure_row(ratio, 0, item, by_agency.level, bool(mask), given), group=scale))
    return tuple(rows)


def tell_apart(items: tuple[IndexRow, ...]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Split items into weakest, strongest and those whose interval overlaps both ends.

    The lowest item and all whose interval overlaps its interval are weakest, the highest and its overlaps
    strongest. Where the two ends overlap each other nothing is told apart. Items of neither kind are in no list.

    Returns
    -------
    tuple of three tuples of item ids, in the order given
    """
    known = [row for row in items if np.isfinite(row.conf_low) and np.isfinite(row.conf_high)]
    if len(known) < 2:
        return (), (), tuple(row.term for row in known)
    lowest, highest = min(known, key=lambda r: r.estimate), max(known, key=lambda r: r.estimate)
    if lowest.conf_high >= highest.conf_low:
        return (), (), tuple(row.term for row in known)
    low = {row.term for row in known if row.conf_low <= lowest.conf_high}
    high = {row.term for row in known if row.conf_high >= highest.conf_low}
    both = low & high
    ordered = [row.term for row in known]
    return (
        tuple(t for t in ordered if t in low - both),
        tuple(t for t in ordered if t in high - both),
        tuple(t for t in ordered if t in both),
    )
