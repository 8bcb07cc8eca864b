"""Everything behind one agency's class, so that it can check the numbers and contest them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from scipy.special import logit, stdtrit

from sipas_research.errors import AgencyError, AnalysisError, OptionError
from sipas_research.framework.class_result import Classification, ClassRow
from sipas_research.framework.framework_spec import Framework, Indicator, Step
from sipas_research.framework.index import IndexRow, SatisfactionIndex
from sipas_research.framework.results_register import LEVELS, ResultsRegister, State
from sipas_research.results import DataKind

_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class CutCheck:
    """One cut: between which classes it lies and on which side the bounds put the agency ("above", "below", "open")."""

    cut: float
    band_below: str
    band_above: str
    side: str


@dataclass(frozen=True, slots=True)
class RecordValue:
    """One record indicator: its value and, for a share, the two counts (NaN where there is none)."""

    indicator: Indicator
    value: float
    count: float
    total: float


@dataclass(frozen=True, slots=True)
class AppealSheet:
    """The sheet. ``arithmetic`` holds (catalogue key, value) in the order of computation; shares are 0-1.

    ``state`` is how far the results have gone, "" where no register was given.
    """

    agency: str
    year: int | None
    classification: Classification
    row: ClassRow
    terms: tuple[IndexRow, ...]
    arithmetic: tuple[tuple[str, float], ...]
    cuts: tuple[CutCheck, ...]
    records: tuple[RecordValue, ...]
    steps: tuple[Step, ...]
    state: State | str
    register: ResultsRegister | None
    data_kind: DataKind
    source: str


def appeal_sheet(
    index: SatisfactionIndex,
    classification: Classification,
    agency: str,
    *,
    framework: Framework | None = None,
    records: Mapping[str, float] | None = None,
    register: ResultsRegister | None = None,
) -> AppealSheet:
    """Put together every number behind an agency's class.

    Parameters
    ----------
    index : SatisfactionIndex
        The index by agency that was classified.
    classification : Classification
    agency : str
    framework : Framework, optional
        Brings record indicators and the steps of appeal.
    records : mapping of a column to its figure, optional
        The agency's records of the year.
    register : ResultsRegister, optional
        Says how far the results have gone.

    Raises
    ------
    AgencyError
        If the agency was not classified.
    AnalysisError
        If its figures are withheld: a sheet would disclose them.
    OptionError
        If the index is not the one that was classified.
    """
    row = classification.row(agency)
    if row is None:
        known = ", ".join(r.group for r in classification.rows)
        raise AgencyError("appeal.error.unknown", agency=agency, known=known)
    if row.outcome == "withheld":
        raise AnalysisError("appeal.error.withheld", agency=agency)
    terms = tuple(r for r in index.rows if r.group == agency)
    if not terms or not _same(terms[0].estimate, row.estimate):
        raise OptionError("appeal.error.other_index", agency=agency)
    family = classification.family
    state: State | str = ""
    if register is not None and classification.year is not None and family in LEVELS:
        state = register.state(classification.year, family)
    return AppealSheet(
        agency=agency,
        year=classification.year,
        classification=classification,
        row=row,
        terms=terms,
        arithmetic=_arithmetic(row, terms[0], classification),
        cuts=_cuts(row, classification),
        records=_records(framework, records or {}),
        steps=framework.appeal if framework else (),
        state=state,
        register=register,
        data_kind=classification.data_kind,
        source=classification.source,
    )


def _same(first: float, second: float) -> bool:
    return first == second or (math.isnan(first) and math.isnan(second))


def _arithmetic(row: ClassRow, index_row: IndexRow, found: Classification) -> tuple[tuple[str, float], ...]:
    """Return the steps from the estimate to the two bounds, so that anyone can repeat them."""
    start = (("n", row.n), ("n_answers", index_row.n_answers), ("estimate", row.estimate), ("std_error", row.std_error))
    if not math.isfinite(row.lower):
        return start
    ends = (("lower", row.lower), ("upper", row.upper), ("half_width", row.half_width))
    level = found.rule.level
    if row.method == "logit" and row.std_error > 0.0:
        spread = row.estimate * (1.0 - row.estimate)
        middle = (
            ("df", row.df),
            ("logit", float(logit(row.estimate))),
            ("logit_error", row.std_error / spread),
            ("t", float(stdtrit(row.df, level))),
        )
        return (*start, *middle, *ends)
    return (*start, ("df", row.df), ("npq", row.n * row.estimate * (1.0 - row.estimate)), *ends)


def _cuts(row: ClassRow, found: Classification) -> tuple[CutCheck, ...]:
    bands = found.bands.bands
    checks = []
    for below, above in pairwise(bands):
        side = "open"
        if row.lower >= above.lower:
            side = "above"
        elif row.upper < above.lower:
            side = "below"
        checks.append(CutCheck(above.lower, below.id, above.id, side))
    return tuple(checks)


def _records(framework: Framework | None, records: Mapping[str, float]) -> tuple[RecordValue, ...]:
    found = []
    for indicator in framework.indicators if framework else ():
        count = float(records.get(indicator.column, _NAN)) if indicator.per else _NAN
        total = float(records.get(indicator.per, _NAN)) if indicator.per else _NAN
        value = framework.record(indicator, records) if framework else _NAN
        found.append(RecordValue(indicator, value, count, total))
    return tuple(found)
