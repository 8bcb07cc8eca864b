"""Each agency's index over the years: compared within one way of measuring, never across a change of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from sipas_research.errors import AnalysisError
from sipas_research.evidence.series import Break
from sipas_research.framework.change import index_change, standing_breaks
from sipas_research.framework.change_result import ChangeRow
from sipas_research.framework.index import INDEX, IndexRow, satisfaction_index
from sipas_research.results import DataKind
from sipas_research.survey.responses import Responses


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One year of one agency.

    ``figure`` is the index of the year, None where the agency has no forms; ``change`` that from the year before, None
    in the first year and where nothing could be computed.
    """

    year: int
    figure: IndexRow | None
    change: ChangeRow | None


@dataclass(frozen=True, slots=True)
class AgencyHistory:
    """The years of one agency that were measured as the last one was, ascending; empty where answers carry no year.

    ``earlier`` are the years with answers before the last change of measurement, which ``breaks`` hold: they are not
    put beside the others.
    """

    agency: str
    rows: tuple[HistoryRow, ...]
    earlier: tuple[int, ...]
    breaks: tuple[Break, ...]
    level: float
    notes: tuple[str, ...]
    data_kind: DataKind


def agency_histories(
    responses: Responses, agencies: Iterable[str], *, year: int | None, level: float = 0.95
) -> dict[str, AgencyHistory]:
    """Return each agency's index of the years comparable with ``year``, and the change from one to the next.

    Whether a change is more than sampling noise is judged for all agencies of two years together (Holm 1979). What is
    hidden in a year's index by agency is hidden here, and a change is hidden where either of its years is.

    Parameters
    ----------
    responses : Responses
        Of several years.
    agencies : iterable of str
    year : int or None
        Year of the scorecards; None, or answers without year, gives histories without rows.
    level : float
        Confidence level, strictly between 0 and 1.
    """
    known = sorted({int(y) for y in responses.frame["year"].dropna()}) if responses.has("year") else []
    wanted = [y for y in known if year is not None and y <= year]
    start = max((b.year for b in standing_breaks(responses) if wanted and b.year <= wanted[-1]), default=0)
    years, earlier = [y for y in wanted if y >= start], tuple(y for y in wanted if y < start)
    breaks = tuple(b for b in standing_breaks(responses) if earlier and earlier[-1] < b.year <= years[0])
    # a single year is that of the scorecard itself: there is nothing to put beside it
    figures = {y: _figures(responses.where(year=y), level) for y in years if len(years) > 1}
    changes, notes = _changes(responses, list(pairwise(years)), level)
    return {
        agency: AgencyHistory(
            agency,
            tuple(HistoryRow(y, found.get(agency), changes.get(y, {}).get(agency)) for y, found in figures.items()),
            earlier,
            breaks,
            level,
            notes,
            responses.data_kind,
        )
        for agency in agencies
    }


def _figures(responses: Responses, level: float) -> dict[str, IndexRow]:
    try:
        found = satisfaction_index(responses, by="agency", level=level)
    except AnalysisError:
        return {}
    return {row.group: replace(row, group="") for row in found.rows if row.term == INDEX and row.group}


def _changes(
    responses: Responses, pairs: list[tuple[int, int]], level: float
) -> tuple[dict[int, dict[str, ChangeRow]], tuple[str, ...]]:
    found: dict[int, dict[str, ChangeRow]] = {}
    notes: tuple[str, ...] = ()
    for first, last in pairs:
        try:
            change = index_change(responses, first, last, by="agency", level=level)
        except AnalysisError:
            continue
        found[last] = {row.group: row for row in change.rows if row.group}
        notes = change.notes
    return found, notes
