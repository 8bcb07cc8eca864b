"""What a comparison of two years says: the change, its test, its parts, or why there is none."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

import pandas as pd

from sipas_research import wording
from sipas_research.evidence.series import Break
from sipas_research.framework.definitions import READ_IN_A_DECISION
from sipas_research.results import DataKind

SUPPRESSED = "framework.note.suppressed"
_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """The change of one term in one group (``group`` "" is everyone), last year less first; all on 0-1.

    ``p_adjusted`` is Holm's over the components, or over the groups of the index; the index of everyone stands alone.
    ``beyond`` says whether it is below one minus the level: more than sampling noise. NaN and False where there is
    no test; ``note`` says why.
    """

    term: str
    group: str
    first: float
    last: float
    estimate: float
    std_error: float
    statistic: float
    p_value: float
    conf_low: float
    conf_high: float
    note: str
    p_adjusted: float
    df: float
    n_first: float
    n_last: float
    beyond: bool
    suppressed: bool


@dataclass(frozen=True, slots=True)
class PartRow:
    """One part of the change: "change", "composition", "rate", "support" over all cells, then by cell.

    ``cell`` holds the codes of the facts of the composition, () for the sum over cells; "" is a missing answer.
    ``share_first`` ... ``rate_last`` describe a cell: its share of all answers and its index.
    """

    part: str
    cell: tuple[str, ...]
    estimate: float
    std_error: float
    statistic: float
    p_value: float
    conf_low: float
    conf_high: float
    note: str
    df: float
    share_first: float
    share_last: float
    rate_first: float
    rate_last: float
    suppressed: bool


@dataclass(frozen=True, slots=True, eq=False)
class IndexChange:
    """Two years compared.

    ``breaks`` are the changes of measurement between the years: where there is one, no difference is given, tested
    or decomposed, and ``reason`` is a catalogue key ("" where the years are comparable). ``dropped_items`` were asked
    in one of the years only and are left out of both. ``only_first`` and ``only_last`` count cells of the composition
    without a counterpart.
    """

    rows: tuple[ChangeRow, ...]
    part_rows: tuple[PartRow, ...]
    first_year: int
    last_year: int
    by: str
    composition: tuple[str, ...]
    components: tuple[str, ...]
    definition: str
    level: float
    breaks: tuple[Break, ...]
    reason: str
    dropped_items: tuple[str, ...]
    only_first: int
    only_last: int
    weighting: str
    notes: tuple[str, ...]
    data_kind: DataKind
    source: str

    @property
    def comparable(self) -> bool:
        """True where both years belong to one measurement regime."""
        return not self.reason

    @property
    def verified(self) -> bool:
        """True where the formula was read in the decision that sets it."""
        return self.definition in READ_IN_A_DECISION

    def tidy(self) -> pd.DataFrame:
        """One row a term and group."""
        return pd.DataFrame([astuple(r) for r in self.rows], columns=[f.name for f in fields(ChangeRow)])

    def parts(self) -> pd.DataFrame:
        """One row a part of the decomposition, sums first; empty where none was asked for or none may be made."""
        return pd.DataFrame([astuple(r) for r in self.part_rows], columns=[f.name for f in fields(PartRow)])

    def glance(self) -> pd.DataFrame:
        """One row about the whole."""
        row = {"first_year": self.first_year, "last_year": self.last_year, "comparable": self.comparable, "by": self.by}
        parts = {"composition": ", ".join(self.composition), "dropped_items": len(self.dropped_items)}
        tail = {"definition": self.definition, "level": self.level, "data_kind": self.data_kind.value}
        return pd.DataFrame([row | parts | tail | {"source": self.source}])

    def why(self, language: str) -> str:
        """Return why the years are not compared, "" where they are."""
        if not self.reason:
            return ""
        said = "; ".join(b.sentence(language) for b in self.breaks)
        return wording.text(self.reason, language, first=str(self.first_year), last=str(self.last_year), breaks=said)

    def summary(self, language: str = "vi") -> str:
        """Return the change of the index with its interval, or why there is none."""
        row = self.rows[0]
        lines = [self.why(language) or self._line(row, language)]
        lines += [wording.text(key, language) for key in self.notes]
        return "\n".join([*lines, wording.text(f"common.kind.{self.data_kind.value}", language)])

    def _line(self, row: ChangeRow, language: str) -> str:
        if row.suppressed:
            return wording.text(SUPPRESSED, language)
        years = {"first": str(self.first_year), "last": str(self.last_year)}
        if row.p_value != row.p_value:
            return wording.text("index_change.summary.untested", language, **years)
        return wording.text(
            f"index_change.summary.{'beyond' if row.beyond else 'within'}",
            language,
            **years,
            change=wording.number(100.0 * row.estimate, 2, language),
            interval=wording.interval(100.0 * row.conf_low, 100.0 * row.conf_high, language, share=False),
            level=wording.percent(self.level, language, 0),
        )


def hidden_change(term: str, group: str) -> ChangeRow:
    """Return the row that stands where a change must be hidden."""
    numbers = (_NAN,) * 8
    return ChangeRow(term, group, *numbers, SUPPRESSED, *(_NAN,) * 4, False, True)


def hidden_part(part: str, cell: tuple[str, ...]) -> PartRow:
    """Return the row that stands where a part must be hidden."""
    return PartRow(part, cell, *(_NAN,) * 6, SUPPRESSED, *(_NAN,) * 5, True)
