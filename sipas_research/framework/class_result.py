"""Classes of agencies by a stated rule: what is certified, what is not, and what would settle it."""

from __future__ import annotations

from collections import Counter
from dataclasses import astuple, dataclass, fields
from typing import Literal

import pandas as pd

from sipas_research import wording
from sipas_research.framework.bands import Band, Bands
from sipas_research.results import DataKind

Outcome = Literal["certified", "undetermined", "imprecise", "withheld", "no_variance", "no_answers"]
OUTCOMES: tuple[Outcome, ...] = ("certified", "undetermined", "imprecise", "withheld", "no_variance", "no_answers")
#: How an open class could be settled: by so many forms, by more than the cap, not at all this near to the cut; or the
#: forms that would make a wide interval narrow enough to try.
Settled = Literal["", "forms", "over_cap", "impossible", "precision"]
_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One agency. Shares are 0-1; everything is NaN or empty where the agency is withheld.

    ``conf_low`` and ``conf_high`` are the two-sided interval, ``lower`` and ``upper`` the one-sided bounds that decide,
    ``method`` says "logit" or "exact". ``band`` is the certified class; ``band_low`` and ``band_high`` are the lowest
    and highest class that remain possible. ``forms_needed`` are the forms that would settle it, as ``settled`` says.
    """

    group: str
    estimate: float
    std_error: float
    conf_low: float
    conf_high: float
    lower: float
    upper: float
    method: str
    df: float
    n: float
    outcome: Outcome
    band: str
    band_low: str
    band_high: str
    forms_needed: float
    settled: Settled

    @property
    def half_width(self) -> float:
        """Half the width of the two-sided interval, 0-1."""
        return (self.conf_high - self.conf_low) / 2.0


@dataclass(frozen=True, slots=True)
class Rule:
    """What was fixed before the data.

    ``level`` is that of each one-sided bound, ``confidence`` that of the interval whose half may be at most
    ``half_width``; ``power``, ``most_forms`` and ``near`` (0-1) belong to the forms that would settle an open class.
    """

    level: float = 0.95
    confidence: float = 0.95
    half_width: float = 0.05
    exact_below: float = 10.0
    power: float = 0.8
    most_forms: int = 10_000
    near: float = 0.01


@dataclass(frozen=True, slots=True)
class Classification:
    """Classes of the agencies of one family, in the order of the register, with the rule that gave them.

    ``year`` is the year of the data, None where it was not said.
    """

    rows: tuple[ClassRow, ...]
    bands: Bands
    rule: Rule
    by: str
    family: str
    year: int | None
    definition: str
    weighting: str
    notes: tuple[str, ...]
    data_kind: DataKind
    source: str

    def band(self, name: str) -> Band:
        """Return a class by its id."""
        return next(b for b in self.bands.bands if b.id == name)

    def row(self, group: str) -> ClassRow | None:
        """Return the row of one agency, None where it has none."""
        return next((r for r in self.rows if r.group == group), None)

    def tidy(self) -> pd.DataFrame:
        """One row an agency, in the order of the register; never sorted by value."""
        table = pd.DataFrame([astuple(r) for r in self.rows], columns=[f.name for f in fields(ClassRow)])
        table.insert(0, "term", "class")
        return table

    def glance(self) -> pd.DataFrame:
        """One row: agencies by outcome, the rule, kind of the data."""
        counts = Counter(row.outcome for row in self.rows)
        row: dict[str, object] = {"n_groups": len(self.rows), "family": self.family, "year": self.year}
        row |= {f"n_{outcome}": counts.get(outcome, 0) for outcome in OUTCOMES}
        row |= {"cuts": self.bands.cuts, "level": self.rule.level, "half_width": self.rule.half_width}
        return pd.DataFrame([row | {"data_kind": self.data_kind.value, "source": self.source}])

    def said(self, row: ClassRow, language: str) -> str:
        """Return what is printed as an agency's class, in words."""
        if row.outcome == "certified":
            return self.band(row.band).name(language)
        if row.outcome == "undetermined":
            classes = self._between(row, language)
            return wording.text("classes.said.undetermined", language, classes=classes)
        return wording.text(f"classes.said.{row.outcome}", language)

    def _between(self, row: ClassRow, language: str) -> str:
        names = [b.id for b in self.bands.bands]
        low, high = names.index(row.band_low), names.index(row.band_high)
        joined = [b.name(language) for b in self.bands.bands[low : high + 1]]
        return wording.text("classes.said.or", language).join(joined)

    def to_settle(self, row: ClassRow, language: str) -> str:
        """Return how many forms would settle an agency's class, in words; "" where there is nothing to settle."""
        if not row.settled:
            return ""
        if row.settled == "impossible":
            return wording.text("classes.settled.impossible", language)
        number = self.rule.most_forms if row.settled == "over_cap" else int(row.forms_needed)
        return wording.text(f"classes.settled.{row.settled}", language, n=number)

    def rule_sentences(self, language: str) -> tuple[str, ...]:
        """Return the rule as sentences: bounds, exactness, precision, disclosure, what settling assumes, the bands."""
        rule = self.rule
        shown = {
            "level": wording.percent(rule.level, language, 0),
            "confidence": wording.percent(rule.confidence, language, 0),
            "half_width": wording.number(100.0 * rule.half_width, 1, language),
            "exact_below": wording.number(rule.exact_below, 0, language),
            "power": wording.percent(rule.power, language, 0),
            "near": wording.number(100.0 * rule.near, 0, language),
            "cap": rule.most_forms,
        }
        names = ("bounds", "exact", "precision", "disclosure", "settle", "each_alone")
        sentences = [wording.text(f"classes.rule.{name}", language, **shown) for name in names]
        if not self.bands.decided:
            sentences.append(wording.text("classes.rule.undecided", language))
        return (*sentences, *([self.bands.reason(language)] if self.bands.reason.vi else []))

    def summary(self, language: str = "vi") -> str:
        """Return how many agencies have which outcome, each agency's class, and the rule."""
        counts = Counter(row.outcome for row in self.rows)
        heads = [
            wording.text(f"classes.count.{outcome}", language, n=counts[outcome])
            for outcome in OUTCOMES
            if counts.get(outcome)
        ]
        lines = [self._line(row, language) for row in self.rows]
        kind = wording.text(f"common.kind.{self.data_kind.value}", language)
        return "\n".join([*heads, *lines, *self.rule_sentences(language), kind])

    def _line(self, row: ClassRow, language: str) -> str:
        said = self.said(row, language)
        if row.outcome in {"withheld", "no_answers"}:
            return f"{row.group}: {said}"
        shown = {
            "estimate": wording.percent(row.estimate, language),
            "interval": wording.interval(row.conf_low, row.conf_high, language),
            "said": said,
        }
        line = wording.text("classes.summary.line", language, group=row.group, **shown)
        settle = self.to_settle(row, language)
        return f"{line} {settle}" if settle else line


def bare_row(group: str, outcome: Outcome) -> ClassRow:
    """Return the row of an agency of which no figure may be or can be given."""
    nothing = (_NAN, _NAN, _NAN, _NAN, _NAN, _NAN)
    return ClassRow(group, *nothing, "", _NAN, _NAN, outcome, "", "", "", _NAN, "")
