"""Who answered: counts and shares of respondent facts, with small cells hidden, and the record of the forms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields, replace

import numpy as np
import pandas as pd

from sipas_research import wording
from sipas_research.errors import OptionError
from sipas_research.numerics.disclosure import MINIMUM_CELL, suppress
from sipas_research.results import DataKind
from sipas_research.survey.agency_level import LEVEL, with_agency_level
from sipas_research.survey.comparison import near
from sipas_research.survey.questionnaire import Question
from sipas_research.survey.responses import Responses

_NAN = float("nan")
_SUPPRESSED = "description.note.suppressed"


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """One cell: share of all forms (0-1) for an answer; mean or standard deviation for a number."""

    term: str
    group: str
    estimate: float
    n: float
    suppressed: bool
    note: str


@dataclass(frozen=True, slots=True)
class Profile:
    """Respondents by fact, unweighted, and the record of forms read, rejected and used."""

    rows: tuple[ProfileRow, ...]
    record_rows: tuple[ProfileRow, ...]
    n: int
    data_kind: DataKind
    source: str = ""
    weighting: str = "unweighted"

    def tidy(self) -> pd.DataFrame:
        """One row an answer (``group`` is its code), then "missing" and "total"; numbers have "mean" and "sd"."""
        return _frame(self.rows)

    def record(self) -> pd.DataFrame:
        """Forms: term "forms" with groups read, rejected, used; term "year" with forms used a year."""
        return _frame(self.record_rows)

    def glance(self) -> pd.DataFrame:
        """One row: people, facts, cells suppressed."""
        row = {
            "n": self.n if self.n >= MINIMUM_CELL else _NAN,
            "n_facts": len({r.term for r in self.rows}),
            "n_suppressed": sum(r.suppressed for r in self.rows),
        }
        return pd.DataFrame([row | {"weighting": self.weighting, "data_kind": self.data_kind.value}])

    def summary(self, language: str = "vi") -> str:
        """Return one sentence: forms read, rejected and used; why not, where they would tell a small year."""
        if any(r.suppressed for r in self.record_rows[:3]):
            return wording.text(_SUPPRESSED, language)
        read, rejected, used = (int(r.n) for r in self.record_rows[:3])
        return wording.text("description.summary.record", language, read=read, rejected=rejected, used=used)


def _frame(rows: tuple[ProfileRow, ...]) -> pd.DataFrame:
    return pd.DataFrame([astuple(r) for r in rows], columns=[f.name for f in fields(ProfileRow)])


def profile(responses: Responses, *, facts: Iterable[str] | None = None) -> Profile:
    """Count respondents by each fact, without weights and never crossed with the agency.

    A cell of 1 to 9 people is hidden together with what would let it be derived from the total
    (:func:`sipas_research.numerics.disclosure.suppress`), people who gave no answer too; a number with fewer than ten
    answers is hidden. Where a year has 1 to 9 forms the record hides it and the totals it would follow from: the
    forms of the year that a report is about are told on each of its tables.

    Parameters
    ----------
    responses : Responses
    facts : iterable of question ids, optional
        Categories and numbers, "level" (of the agency, from the register). None takes all that have answers, except
        weight, frame size and year.

    Raises
    ------
    OptionError
        If a fact is unknown, or is a text or a date, which could point at one person.
    """
    facts = None if facts is None else (facts,) if isinstance(facts, str) else tuple(facts)
    if facts is None or LEVEL in facts:
        responses = with_agency_level(responses)
    rows: list[ProfileRow] = []
    for question in _chosen(responses, facts):
        rows += _category(responses, question) if question.kind == "category" else _number(responses, question)
    return Profile(tuple(rows), tuple(_record(responses)), len(responses), responses.data_kind, responses.source)


def _chosen(responses: Responses, facts: Iterable[str] | None) -> list[Question]:
    counted = {q.id: q for q in responses.questionnaire.facts() if q.kind in {"category", "number"}}
    if facts is None:
        design = {responses.design.weight, responses.design.population, "weight", "frame_size", "year"}
        return [q for q in counted.values() if q.id not in design and responses.has(q.id)]
    wanted = list(facts)
    known = {q.id: q for q in responses.questionnaire.facts()}
    for fact in wanted:
        if fact not in known:
            raise OptionError("description.error.unknown_fact", fact=fact, known=", ".join(near(fact, known) or known))
        if fact not in counted:
            raise OptionError("description.error.fact_kind", fact=fact, known=", ".join(counted))
    return [counted[f] for f in wanted]


def _category(responses: Responses, question: Question) -> list[ProfileRow]:
    if question.id in responses.frame:
        values = responses.frame[question.id]
    else:
        values = pd.Series(pd.NA, index=responses.frame.index, dtype="Int64")
    values = values.where(~values.isin(question.missing_codes))
    codes = list(question.valid_codes)
    codes += sorted(set(values.dropna().astype(int)) - set(codes))
    counts = [int(values.eq(c).fillna(False).sum()) for c in codes] + [int(values.isna().sum())]
    hidden, total = suppress(counts), sum(counts)
    rows = [
        _cell(question.id, group, count, total, bool(mask))
        for group, count, mask in zip([*map(str, codes), "missing"], counts, hidden, strict=True)
    ]
    return [*rows, _cell(question.id, "total", total, total, 0 < total < MINIMUM_CELL)]


def _cell(term: str, group: str, count: int, total: int, hidden: bool) -> ProfileRow:
    if hidden:
        return ProfileRow(term, group, _NAN, _NAN, True, _SUPPRESSED)
    return ProfileRow(term, group, count / total if total else _NAN, float(count), False, "")


def _number(responses: Responses, question: Question) -> list[ProfileRow]:
    found = responses.frame[question.id] if question.id in responses.frame else pd.Series(dtype=float)
    values = found.dropna().to_numpy(dtype=float)
    values = values[np.isfinite(values)]
    n = len(values)
    if n < MINIMUM_CELL:
        note = _SUPPRESSED if n else "description.note.no_answers"
        return [ProfileRow(question.id, g, _NAN, _NAN if n else 0.0, n > 0, note) for g in ("mean", "sd")]
    figures = {"mean": float(values.mean()), "sd": float(values.std(ddof=1))}
    return [ProfileRow(question.id, g, v, float(n), False, "") for g, v in figures.items()]


def _record(responses: Responses) -> list[ProfileRow]:
    used = len(responses)
    read = responses.n_read or used + responses.n_rejected
    years = _years(responses) if responses.has("year") else []
    small = any(r.suppressed for r in years) or 0 < used < MINIMUM_CELL
    forms = {"read": read, "rejected": responses.n_rejected, "used": used}
    rows = [_cell("forms", group, n, read, small and group != "rejected") for group, n in forms.items()]
    # a share beside a count is the total again
    return [replace(r, estimate=_NAN) if small else r for r in [*rows, *years]]


def _years(responses: Responses) -> list[ProfileRow]:
    """Forms of each year; a small one costs no other, because the totals are hidden with it."""
    used, values = len(responses), responses.frame["year"].dropna()
    counts = {str(y): int(values.eq(y).sum()) for y in sorted({int(v) for v in values})}
    missing = used - sum(counts.values())
    counts |= {"missing": missing} if missing else {}
    return [_cell("year", group, n, used, 0 < n < MINIMUM_CELL) for group, n in counts.items()]
