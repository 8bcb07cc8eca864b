"""Which column of a data file answers which question, found by names, aliases, labels and question texts.

Nothing is guessed: where two columns could answer one question, or one column two questions, none is
taken and the candidates are reported. The user settles it in ``cot_du_lieu.xlsx``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from sipas_research.survey.comparison import bare_key, last_parts, near, same_key, without_number
from sipas_research.survey.questionnaire import Question, Questionnaire
from sipas_research.survey.raw_table import SIMULATED_COLUMN, RawTable
from sipas_research.survey.specs import ColumnMap, ColumnRule

HowMatched = Literal["id", "alias", "text", "label", "part", "loose", "several", ""]

_REPEATED = re.compile(r"^(?P<base>.+) \(\d+\)$")
_SHORTEST_NEAR = 6
_MOST_COLUMNS_NEAR = 300


@dataclass(frozen=True, slots=True)
class ColumnMatch:
    """One column of a file and the question found for it.

    ``how`` says what agreed: "id", "alias", "text" (question text as column name), "label" (variable
    label), "part" (last part of a grouped name), "loose" (only without diacritics and question numbers),
    "several" (more than one possible: none taken) or "" (nothing). ``candidates`` are question ids.
    """

    column: str
    label: str = ""
    question: str = ""
    how: HowMatched = ""
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Tier:
    """One way to compare; the first tiers are the surest and go first."""

    how: HowMatched
    column_names: Callable[[str, str], Iterable[str]]
    question_names: Callable[[Question, int | None], Iterable[str]]
    key: Callable[[str], str]


def match_columns(raw: RawTable, questionnaire: Questionnaire, *, year: int | None = None) -> ColumnMap:
    """Return the column map that names, aliases, labels and texts give.

    Parameters
    ----------
    raw : RawTable
        The file as read.
    questionnaire : Questionnaire
    year : int, optional, keyword only
        Year of the survey: its aliases go before those of every year, aliases of other years are not used.

    Returns
    -------
    ColumnMap
        One rule for each column in file order; ``question`` is "" where no question or more than one was found.
    """
    report = match_report(raw, questionnaire, year=year)
    return ColumnMap(tuple(ColumnRule(match.column, match.question) for match in report))


def match_report(raw: RawTable, questionnaire: Questionnaire, *, year: int | None = None) -> tuple[ColumnMatch, ...]:
    """Return one row a column in file order: the question found, how, and the candidates where none was taken.

    The marker column ``data_kind`` of simulated files is left out: it answers no question.
    """
    labels = {
        column: raw.labels.get(column, "") for column in map(str, raw.frame.columns) if column != SIMULATED_COLUMN
    }
    found: dict[str, ColumnMatch] = {}
    taken: set[str] = set()
    for tier in _TIERS:
        _run_tier(tier, _Hunt(labels, questionnaire, year), found, taken)
    free = [q for q in questionnaire.questions if q.id not in {m.question for m in found.values()}]
    suggest = len(labels) <= _MOST_COLUMNS_NEAR
    return tuple(
        found.get(column) or ColumnMatch(column, label, candidates=_near_questions(column, label, free, suggest))
        for column, label in labels.items()
    )


@dataclass(frozen=True, slots=True)
class _Hunt:
    labels: dict[str, str]
    questionnaire: Questionnaire
    year: int | None


def _run_tier(tier: _Tier, hunt: _Hunt, found: dict[str, ColumnMatch], taken: set[str]) -> None:
    by_key: dict[str, list[str]] = defaultdict(list)
    for question in hunt.questionnaire.questions:
        if question.id not in taken:
            for key in {tier.key(name) for name in tier.question_names(question, hunt.year)} - {""}:
                by_key[key].append(question.id)
    candidates: dict[str, tuple[str, ...]] = {}
    claims: dict[str, list[str]] = defaultdict(list)
    for column, label in hunt.labels.items():
        if column not in found:
            keys = {tier.key(name) for name in tier.column_names(_unrepeated(column, hunt.labels), label)} - {""}
            hits = tuple(dict.fromkeys(q for key in sorted(keys) for q in by_key.get(key, ())))
            if hits:
                candidates[column] = hits
            for question_id in hits:
                claims[question_id].append(column)
    for column, hits in candidates.items():
        sure = len(hits) == 1 and len(claims[hits[0]]) == 1
        label = hunt.labels[column]
        found[column] = ColumnMatch(column, label, hits[0], tier.how) if sure else _several(column, label, hits)
        taken.update(hits)


def _several(column: str, label: str, hits: tuple[str, ...]) -> ColumnMatch:
    return ColumnMatch(column, label, how="several", candidates=hits)


def _unrepeated(column: str, columns: Iterable[str]) -> str:
    """Two columns of one name were read as "Tên" and "Tên (2)": both count as "Tên", so neither is taken."""
    repeated = _REPEATED.match(column)
    return repeated["base"] if repeated and repeated["base"] in columns else column


def _near_questions(column: str, label: str, free: list[Question], suggest: bool) -> tuple[str, ...]:
    if not suggest:
        return ()
    by_name = {name: q.id for q in free for name in _every_name(q, None)}
    hits: dict[str, None] = {}
    for wanted in (column, label):
        if len(bare_key(wanted)) >= _SHORTEST_NEAR:
            hits.update((by_name[name], None) for name in near(without_number(wanted), by_name, cutoff=0.85))
    return tuple(hits)


def _by_id(question: Question, _year: int | None) -> Iterator[str]:
    yield question.id


def _by_year_alias(question: Question, year: int | None) -> Iterator[str]:
    yield from (a.text for a in question.aliases if a.year and a.year == year)


def _by_alias(question: Question, year: int | None) -> Iterator[str]:
    yield from (a.text for a in question.aliases if not a.year or year is None)


def _by_text(question: Question, _year: int | None) -> Iterator[str]:
    yield from (question.text.vi, question.text.en)


def _every_name(question: Question, year: int | None) -> Iterator[str]:
    yield question.id
    yield from (a.text for a in question.aliases if not a.year or year is None or a.year == year)
    yield from _by_text(question, year)


def _name(column: str, _label: str) -> Iterator[str]:
    yield column


def _label(_column: str, label: str) -> Iterator[str]:
    yield label


def _parts(column: str, label: str) -> Iterator[str]:
    yield from last_parts(column)
    yield from last_parts(label)


def _loosely(name: str) -> str:
    return bare_key(without_number(name))


_TIERS = (
    _Tier("id", _name, _by_id, same_key),
    _Tier("alias", _name, _by_year_alias, same_key),
    _Tier("alias", _name, _by_alias, same_key),
    _Tier("text", _name, _by_text, same_key),
    _Tier("label", _label, _every_name, same_key),
    _Tier("part", _parts, _every_name, same_key),
    _Tier("loose", _name, _every_name, _loosely),
    _Tier("loose", _label, _every_name, _loosely),
    _Tier("loose", _parts, _every_name, _loosely),
)
