"""Joining a column map to a file: which mapped column is there, and what is missing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sipas_research.errors import ColumnMapError, Problem
from sipas_research.survey.comparison import near, same_key
from sipas_research.survey.questionnaire import Question, Questionnaire
from sipas_research.survey.raw_table import RawTable
from sipas_research.survey.specs import ColumnMap, ColumnRule, SampleDesign


@dataclass(frozen=True, slots=True)
class Bound:
    """One enabled question with its column in the file and the rule of the column map."""

    question: Question
    column: str
    rule: ColumnRule


def bind(raw: RawTable, columns: ColumnMap, questionnaire: Questionnaire) -> tuple[Bound, ...]:
    """Return the enabled questions whose mapped column is in the file, in the file's column order.

    Names are compared exactly, then without case, spaces and punctuation where that is unique.

    Raises
    ------
    ColumnMapError
        If the map names a question twice or one that the questionnaire does not have.
    """
    _refuse_bad_map(columns, questionnaire)
    names = list(map(str, raw.frame.columns))
    known = set(names)
    loose = Counter(same_key(n) for n in names)
    by_key = {same_key(n): n for n in names if loose[same_key(n)] == 1}
    bound = {}
    for rule in columns.rules:
        column = rule.column if rule.column in known else by_key.get(same_key(rule.column))
        if rule.question and column is not None and questionnaire.question(rule.question).enabled:
            bound[column] = Bound(questionnaire.question(rule.question), column, rule)
    return tuple(bound[n] for n in names if n in bound)


def _refuse_bad_map(columns: ColumnMap, questionnaire: Questionnaire) -> None:
    ids = [q.id for q in questionnaire.questions]
    problems = []
    for question_id, count in Counter(r.question for r in columns.rules if r.question).items():
        if question_id not in ids:
            hint = ", ".join(near(question_id, ids)) or ", ".join(ids[:5])
            problems.append(Problem.of("columns.map.unknown_question", question=question_id, near=hint))
        elif count > 1:
            problems.append(Problem.of("columns.map.repeated_question", question=question_id, count=count))
    if problems:
        raise ColumnMapError("columns.map.refused", problems=problems)


def missing_columns(
    raw: RawTable, columns: ColumnMap, questionnaire: Questionnaire, bound: tuple[Bound, ...]
) -> list[Problem]:
    """Return what the file lacks: a required column or all items (errors), another column or item (warnings)."""
    have = {b.question.id for b in bound}
    mapped = {r.question: r.column for r in columns.rules if r.question}
    problems = []
    for question in questionnaire.asked:
        if question.id in have:
            continue
        if question.id in mapped:
            severity = "error" if question.required else "warning"
            problems.append(_mapped_but_absent(raw, mapped[question.id], question, severity))
        elif question.required and question.kind != "likert":
            problems.append(
                Problem.of("check.file.missing_column", file=raw.name, question=question.id, title=question.text)
            )
    items = questionnaire.items()
    absent = [q.id for q in items if q.id not in have]
    if items and len(absent) == len(items):
        problems.append(Problem.of("check.file.no_items", file=raw.name, columns=raw.frame.shape[1], items=len(items)))
        sheets: list[dict[str, Any]] = [dict(fields) for key, fields in raw.notes if key == "reading.note.sheet_of"]
        problems += [Problem.of("check.file.other_sheets", file=raw.name, **fields) for fields in sheets]
    elif absent:
        ids = ", ".join(absent)
        problems.append(
            Problem.of("check.file.items_without_column", severity="warning", file=raw.name, count=len(absent), ids=ids)
        )
    return problems


def _mapped_but_absent(raw: RawTable, column: str, question: Question, severity: str) -> Problem:
    close = near(column, map(str, raw.frame.columns))
    key = "check.file.mapped_column_absent_near" if close else "check.file.mapped_column_absent"
    fields: dict[str, Any] = {"near": "', '".join(close)} if close else {}
    return Problem.of(
        key,
        severity=severity,  # type: ignore[arg-type]
        file=raw.name,
        column=column,
        question=question.id,
        **fields,
    )


def design_in(design: SampleDesign, have: set[str]) -> SampleDesign:
    """Return the design with the parts whose column is absent set to ""."""
    parts = {name: getattr(design, name) for name in ("weight", "stratum", "cluster", "population")}
    return SampleDesign(**{name: part if part in have else "" for name, part in parts.items()})
