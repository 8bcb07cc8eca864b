"""One agency's scorecard: its index beside the province's, how far it differs, which items stand out. No ranks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    IndexRow,
    SatisfactionIndex,
    check_options,
    components,
    figure_row,
    hidden_row,
    index_under,
    ratio_parts,
)
from sipas_research.framework.peer_differences import DifferenceRow, PeerComparison, compare_with_peers
from sipas_research.framework.publication import item_cells
from sipas_research.numerics.disclosure import MINIMUM_CELL, suppress_table
from sipas_research.results import DataKind
from sipas_research.survey.comparison import near
from sipas_research.survey.responses import Responses
from sipas_research.survey.scoring import ScaleChoice

#: Whose figures a row holds: the agency itself, all agencies of its level, the whole province.
SCOPES = ("agency", "level", "province")


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


@dataclass(frozen=True, slots=True, eq=False)
class _Basis:
    """What the scorecards of one survey share; computed once."""

    responses: Responses
    parts: Mapping[str, tuple[str, ...]]
    by_agency: SatisfactionIndex
    by_level: Mapping[str, SatisfactionIndex]
    peers: PeerComparison
    items: Mapping[str, tuple[IndexRow, ...]]


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
    return scorecards(responses, (agency,), definition=definition, level=level, scales=scales)[0]


def scorecards(
    responses: Responses,
    agencies: Iterable[str],
    *,
    definition: str = "share_satisfied",
    level: float = 0.95,
    scales: ScaleChoice = None,
) -> tuple[Scorecard, ...]:
    """Estimate several scorecards of one survey; what they share is computed once. See :func:`scorecard`."""
    check_options(definition, level, RATIOS)
    parts = components(responses, scales)
    grouping = group_rows(responses, "agency")
    wanted = tuple(agencies)
    for agency in wanted:
        _check_agency(responses, agency, grouping)
    basis = _basis(responses, parts, grouping, wanted, definition=definition, level=level)
    return tuple(_card(basis, agency) for agency in wanted)


def _basis(
    responses: Responses,
    parts: dict[str, tuple[str, ...]],
    agencies: Grouping,
    wanted: tuple[str, ...],
    *,
    definition: str,
    level: float,
) -> _Basis:
    design = prepare_design(responses)
    by_agency = index_under(design, responses, parts, agencies, definition=definition, level=level)
    withheld = {row.group for row in by_agency.rows if row.term == INDEX and row.suppressed}
    for agency in wanted:
        if agency in withheld:
            raise AnalysisError("framework.error.withheld", agency=agency)
    levels = dict.fromkeys(_level_of(responses, agency) for agency in wanted)
    by_level = {
        name: index_under(
            design, responses, parts, _same_level(responses, agencies, name), definition=definition, level=level
        )
        for name in levels
    }
    peers = compare_with_peers(design, responses, parts, agencies, definition=definition, level=level)
    return _Basis(responses, parts, by_agency, by_level, peers, _items(design, responses, parts, by_agency, agencies))


def _card(basis: _Basis, agency: str) -> Scorecard:
    by_agency, responses = basis.by_agency, basis.responses
    own = [row for row in by_agency.rows if row.group == agency]
    gaps, items = basis.peers.of(agency), basis.items[agency]
    weakest, strongest, unclear = tell_apart(items)
    by_level = basis.by_level[_level_of(responses, agency)]
    return Scorecard(
        agency=agency,
        agency_level=_level_of(responses, agency),
        rows=_scoped(own, by_level, by_agency, by_level_too=basis.peers.by_level),
        difference_rows=gaps,
        item_rows=items,
        weakest=weakest,
        strongest=strongest,
        indistinguishable=unclear,
        components=tuple(basis.parts),
        definition=by_agency.definition,
        level=by_agency.level,
        n=own[0].n,
        weighting=by_agency.weighting,
        notes=(*by_agency.notes, *((basis.peers.note,) if gaps else ("framework.note.no_comparison",))),
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


def _level_of(responses: Responses, agency: str) -> str:
    found = responses.agencies.get(agency)
    return found.level if found else ""


def _same_level(responses: Responses, agencies: Grouping, level: str) -> Grouping:
    """Split agencies into those of one level and the others."""
    same = np.array([_level_of(responses, label) == level for label in agencies.labels])
    member = np.where(agencies.member < 0, -1, np.where(same[agencies.member], 0, 1))
    return Grouping("level", ("level", "rest"), member)


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
) -> dict[str, tuple[IndexRow, ...]]:
    """Share satisfied of each item by agency, hidden where it would follow from other figures.

    Within a component the items add up to it, and over the agencies each item adds up to the province's.
    """
    member, labels = agencies.member[design.keep], agencies.labels
    rows: dict[str, list[IndexRow]] = {label: [] for label in labels}
    for scale, ids in parts.items():
        withheld = np.array([r.suppressed for r in by_agency.rows if r.group and r.term == scale])
        shares = [tuple(p[design.keep] for p in ratio_parts(responses, (item,), "share_satisfied")) for item in ids]
        cells = [item_cells(top, bottom, member, len(labels)) for top, bottom, _ in shares]
        people, alike = (np.column_stack(columns) for columns in zip(*cells, strict=True))
        hidden = suppress_table(people, withheld=alike, hidden=np.append(withheld, False), whole_rows=True)
        for column, (item, (top, bottom, answers)) in enumerate(zip(ids, shares, strict=True)):
            ratio = estimate_ratio(design, top, bottom, groups=labels, member=member)
            given = np.bincount(member[member >= 0], weights=answers[member >= 0], minlength=len(labels))
            for place, label in enumerate(labels):
                mask, count = bool(hidden[place, column]), float(given[place])
                rows[label].append(replace(figure_row(ratio, place, item, by_agency.level, mask, count), group=scale))
    return {label: tuple(found) for label, found in rows.items()}


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
