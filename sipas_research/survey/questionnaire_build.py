"""From rows of text to questionnaires: every rule is checked, every breach is named by its cell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, cast

from sipas_research.errors import Problem, QuestionnaireError
from sipas_research.survey.answers import as_number
from sipas_research.survey.questionnaire import (
    Alias,
    Answer,
    Personal,
    Question,
    QuestionKind,
    Questionnaire,
    Scale,
    ScaleRole,
)
from sipas_research.survey.questionnaire_tables import (
    TableRow,
    Tables,
    meaning,
    sheet_name,
    split_aliases,
    word,
    words,
)
from sipas_research.survey.workbook import phrase
from sipas_research.wording import Bilingual

_ID = re.compile(r"[a-z][a-z0-9_]*\Z")
_CHOSEN = ("likert", "category")


@dataclass(frozen=True, slots=True)
class _Context:
    """What rows may refer to, and the list where every breach is written down."""

    forms: tuple[str, ...]
    problems: list[Problem]
    scales: Mapping[str, tuple[Scale, ...]]
    answers: Mapping[str, tuple[Answer, ...]]

    def note(self, row: TableRow, name: str, column: str, **fields: object) -> None:
        self.problems.append(row.problem(name, column, **fields))


def build_questionnaires(tables: Tables, problems: Iterable[Problem] = ()) -> dict[str, Questionnaire]:
    """Return the questionnaires of one file by form id.

    Parameters
    ----------
    tables : Tables
    problems : iterable of Problem
        What was already found while reading the file; it is reported together with the rest.

    Raises
    ------
    QuestionnaireError
        With one Problem for each cell that breaks a rule.
    """
    found = list(problems)
    forms = tables.rows["forms"]
    form_ids = tuple(dict.fromkeys(row.get("id") for row in forms if row.get("id")))
    context = _Context(form_ids, found, dict.fromkeys(form_ids, ()), {})
    if not forms:
        found.append(Problem.of("questionnaire.problem.no_forms", file=tables.file, sheet=sheet_name("forms")))
    context = _Context(form_ids, found, _scales(tables.rows["scales"], context), _answers(tables, context))
    questions = _questions(tables.rows["questions"], context)
    built = {row.get("id"): _form(row, questions, context) for row in _fresh(forms, [""] * len(forms), context)}
    for form, questionnaire in built.items():
        if not questionnaire.items() and not found:
            found.append(Problem.of("questionnaire.problem.no_items", file=tables.file, form=form))
    if found:
        raise QuestionnaireError("questionnaire.files.invalid", problems=found, file=tables.file, n=len(found))
    return built


def _fresh(rows: Iterable[TableRow], owners: Iterable[str], context: _Context) -> list[TableRow]:
    """Return rows whose id is written properly and used once within its owner."""
    first: dict[tuple[str, str], int] = {}
    kept = []
    for row, owner in zip(rows, owners, strict=True):
        name = row.get("id")
        if not _ID.match(name):
            context.note(row, "bad_id", "id")
        elif (owner, name) in first:
            context.note(row, "duplicate_id", "id", first=str(first[owner, name]))
        else:
            first[owner, name] = row.number
            kept.append(row)
    return kept


def _owner(row: TableRow, context: _Context) -> str:
    """Return the form that a row belongs to; an empty cell means the only form of the file."""
    form = row.get("form")
    if not form and len(context.forms) == 1:
        return context.forms[0]
    if form in context.forms or not context.forms:
        return form
    context.note(row, "unknown_form", "form", allowed=_listed(context.forms))
    return ""


def _listed(ids: Iterable[str]) -> str | Bilingual:
    return ", ".join(ids) or phrase("questionnaire.place.none")


def _word(row: TableRow, group: str, column: str, context: _Context, default: str = "") -> str:
    """Return the internal value of a worded cell; where it means nothing, say so and go on with the first."""
    typed = row.get(column)
    if not typed and default:
        return default
    value = meaning(group, typed)
    if value is None:
        allowed = Bilingual(*(", ".join(words(group, language)) for language in ("vi", "en")))
        context.note(row, "unknown_word", column, allowed=allowed)
    return value or default or meaning(group, words(group)[0]) or ""


def _required(row: TableRow, column: str, context: _Context) -> str:
    if not row.get(column):
        context.note(row, "required_empty", column)
    return row.get(column)


def _number(row: TableRow, column: str, context: _Context) -> float | None:
    if not row.get(column):
        return None
    value = as_number(row.get(column))
    if value is None:
        context.note(row, "bad_number", column)
    return value


def _scales(rows: tuple[TableRow, ...], context: _Context) -> dict[str, tuple[Scale, ...]]:
    owners = {id(row): _owner(row, context) for row in rows}
    found: dict[str, list[Scale]] = {form: [] for form in context.forms}
    for row in _fresh(rows, owners.values(), context):
        role = cast(ScaleRole, _word(row, "role", "role", context))
        scale = Scale(row.get("id"), Bilingual(_required(row, "vi", context), row.get("en")), role)
        found.get(owners[id(row)], []).append(scale)
    return {form: tuple(scales) for form, scales in found.items()}


def _answers(tables: Tables, context: _Context) -> dict[str, tuple[Answer, ...]]:
    sets: dict[str, dict[int, Answer]] = {}
    first: dict[tuple[str, int], int] = {}
    for row in tables.rows["answers"]:
        name = _required(row, "id", context)
        number = as_number(row.get("code"))
        if number is None or not number.is_integer():
            context.note(row, "bad_code", "code")
            continue
        code = int(number)
        if (name, code) in first:
            context.note(row, "duplicate_code", "code", first=str(first[name, code]))
            continue
        first[name, code] = row.number
        label = Bilingual(_required(row, "vi", context), row.get("en"))
        missing = _word(row, "flag", "missing", context, "no") == "yes"
        sets.setdefault(name, {})[code] = Answer(code, label, missing)
    return {name: tuple(codes.values()) for name, codes in sets.items()}


def _questions(rows: tuple[TableRow, ...], context: _Context) -> dict[str, list[Question]]:
    owners = {id(row): _owner(row, context) for row in rows}
    found: dict[str, list[Question]] = {form: [] for form in context.forms}
    for row in _fresh(rows, owners.values(), context):
        form = owners[id(row)]
        found.get(form, []).append(_question(row, form, context))
    return found


def _question(row: TableRow, form: str, context: _Context) -> Question:
    kind = cast(QuestionKind, _word(row, "kind", "kind", context))
    known_kind = meaning("kind", row.get("kind")) is not None
    personal = cast(Personal, _word(row, "personal", "personal", context, "none"))
    minimum, maximum = _number(row, "minimum", context), _number(row, "maximum", context)
    if minimum is not None and maximum is not None and minimum > maximum:
        context.note(row, "minimum_above_maximum", "minimum", maximum=row.get("maximum"))
    if personal != "none" and not row.get("reason_vi"):
        context.note(row, "reason_missing", "reason_vi")
    usual = "no" if personal == "sensitive" else "yes"
    return Question(
        id=row.get("id"),
        text=Bilingual(_required(row, "vi", context), row.get("en")),
        kind=kind,
        scale=_scale_of(row, kind, form, context) if known_kind else "",
        answers=_answers_of(row, kind, context) if known_kind else (),
        direction=cast(Literal[1, -1], int(_word(row, "direction", "direction", context, "1"))),
        minimum=minimum,
        maximum=maximum,
        required=_word(row, "flag", "required", context, "no") == "yes",
        personal=personal,
        reason=Bilingual(row.get("reason_vi"), row.get("reason_en")),
        enabled=_word(row, "flag", "enabled", context, usual) == "yes",
        aliases=tuple(Alias(name, year) for name, year in split_aliases(row.get("aliases"))),
    )


def _scale_of(row: TableRow, kind: str, form: str, context: _Context) -> str:
    name = row.get("scale")
    if kind != "likert":
        if name:
            context.note(row, "scale_not_used", "scale")
        return ""
    known = [s.id for s in context.scales.get(form, ())]
    # Where the form itself is unknown, its scales are too: one Problem is enough.
    if name not in known and form:
        context.note(row, "unknown_scale", "scale", allowed=_listed(known))
    return name


def _answers_of(row: TableRow, kind: str, context: _Context) -> tuple[Answer, ...]:
    name = row.get("answers")
    if not name:
        if kind in _CHOSEN:
            context.note(row, "required_empty", "answers")
        return ()
    if name not in context.answers:
        context.note(row, "unknown_answers", "answers", allowed=_listed(context.answers))
        return ()
    answers = context.answers[name]
    valid = sum(not a.missing for a in answers)
    if kind in _CHOSEN and valid < 2:
        context.note(row, "too_few_codes", "answers", count=valid)
    if kind not in _CHOSEN and valid:
        shown = Bilingual(word("kind", kind, "vi"), word("kind", kind, "en"))
        context.note(row, "only_missing_codes", "answers", kind=shown)
    # Items are analysed by the order of their codes, whatever the order of the rows in the file.
    return tuple(sorted(answers, key=lambda a: (a.missing, a.code))) if kind == "likert" else answers


def _form(row: TableRow, questions: Mapping[str, list[Question]], context: _Context) -> Questionnaire:
    form = row.get("id")
    return Questionnaire(
        id=form,
        title=Bilingual(_required(row, "title_vi", context), row.get("title_en")),
        respondent=cast(Literal["citizen", "staff"], _word(row, "respondent", "respondent", context)),
        regime=row.get("regime"),
        scales=context.scales.get(form, ()),
        questions=tuple(questions.get(form, ())),
    )
