"""The forms of the framework: questionnaire, log, records, sheet of figures, petition, answer, plan of improvement."""

from __future__ import annotations

from dataclasses import replace

from sipas_research.framework.framework_spec import Framework
from sipas_research.report.display import Column, Table
from sipas_research.report.framework_parts import BLANK, RULES, rules_table, said
from sipas_research.report.passages import Passage
from sipas_research.survey.questionnaire import Answer, Question, Questionnaire
from sipas_research.survey.questionnaire_files import load_questionnaire
from sipas_research.wording import Bilingual

_BOX = "□"
_PACKAGED = "citizens"
#: The box of those who do not answer, where the questionnaire has no code for them.
_NONE = Answer(-1, Bilingual(""), missing=True)
_LINES = 3
_UNIT = ("index", "forms", "rank", "bounds", "class", "components", "records", "change")
_PETITION = ("figure", "printed", "proposed", "reason", "date")
_REPLY = ("figure", "check", "decision", "others", "date")


def framework_form_intro(framework: Framework, language: str) -> Passage:
    """Return the heading and the address of the questionnaire."""
    place = said(f"form.place_{framework.level}", language)
    heading = f"### {said('form.questionnaire', language)}"
    return Passage("framework-form", "\n\n".join([heading, said("form.intro", language, place=place)]), language)


def framework_facts_table(framework: Framework, base: Questionnaire, language: str) -> Table:
    """Return part A of the form: what is asked about the person and the procedure."""
    asked = [q for q in _form(framework, base).facts() if q.kind == "category"]
    rows = [(str(n), q.text(language), _boxes(q.answers, language)) for n, q in enumerate(asked, start=1)]
    return rules_table(
        "form-facts",
        (("number", 0.08), ("question", 0.27), ("answers", 0.65)),
        rows,
        language,
        section="form",
        title=said("form.facts_title", language),
        centred=frozenset({"number"}),
    )


def _form(framework: Framework, base: Questionnaire) -> Questionnaire:
    """Return the framework's form; answers come from the packaged form where ``base`` asks about something else."""
    known = framework.scales(base)
    return framework.questionnaire(base if known else load_questionnaire(_PACKAGED))


def _boxes(answers: tuple[Answer, ...], language: str) -> str:
    # a no-break space keeps the box with its answer
    return "   ".join(f"{_BOX}\u00a0{answer.label(language)}" for answer in answers)


def framework_items_table(framework: Framework, base: Questionnaire, language: str) -> Table:
    """Return part B of the form: the framework's questions with a box for each answer, then overall satisfaction."""
    form = _form(framework, base)
    names = {component.id: component.name(language) for component in framework.components}
    names |= {s.id: s.name(language) for s in form.scales if s.role == "overall"}
    rows: list[tuple[object, ...]] = []
    bold = []
    model = _with_none(form.items([framework.components[0].id])[0])
    for number, (scale, name) in enumerate(names.items(), start=1):
        bold.append(len(rows))
        rows.append((str(number), name, *[""] * len(model.answers)))
        for place, question in enumerate(form.items([scale]), start=1):
            rows.append((f"{number}.{place}", question.text(language), *_ticks(_with_none(question), model)))
    return Table(
        "tbl-framework-form-items",
        said("form.items_title", language),
        (
            Column("number", said("form.number", language), align="center", width=0.08),
            Column("question", said("form.question", language), width=0.5),
            *(
                Column(
                    f"answer_{a.code}" if a.code >= 0 else "answer_none",
                    _head(a, language),
                    align="center",
                    width=0.15 if a.missing else 0.054,
                )
                for a in model.answers
            ),
        ),
        tuple(rows),
        language,
        RULES,
        notes=(said("form.scale", language, scale=_scale(model, language)), said("form.note_order", language)),
        total_rows=tuple(bold),
    )


def _with_none(question: Question) -> Question:
    """Return the question with a last box for "no answer": nobody may be led to tick the best answer instead."""
    if any(a.missing for a in question.answers):
        return question
    return replace(question, answers=(*question.answers, _NONE))


def _head(answer: Answer, language: str) -> str:
    return said("form.none", language) if answer.missing else str(answer.code)


def _ticks(question: Question, model: Question) -> list[str]:
    codes = {answer.code for answer in question.answers}
    return [_BOX if answer.code in codes else "" for answer in model.answers]


def _scale(model: Question, language: str) -> str:
    shown = [a for a in model.answers if not a.missing]
    return "; ".join(said("form.level", language, code=str(a.code), label=a.label(language)) for a in shown)


def framework_form_tables(framework: Framework, language: str) -> tuple[Table, ...]:
    """Return the other forms, in the order of their numbers, with room to write."""
    return (
        _log(language),
        *_records(framework, language),
        _two_columns("unit", ("what", "value"), _UNIT, language),
        _two_columns("petition", ("field", "fill"), _PETITION, language),
        _reply(language),
        _measures(language),
    )


def _log(language: str) -> Table:
    names = ("agency", "frame", "drawn", "given", "back", "valid", "refused", "absent")
    columns = tuple((f"log_{name}", 0.2 if name == "agency" else 0.8 / 7) for name in names)
    note = (said("form.log_note", language),)
    return _empty("log", columns, language, note)


def _records(framework: Framework, language: str) -> tuple[Table, ...]:
    if not framework.indicators:
        return ()
    rows = [(i.name(language), BLANK, BLANK if i.per else "–", BLANK) for i in framework.indicators]
    columns = (("records_name", 0.34), ("records_top", 0.22), ("records_bottom", 0.18), ("records_source", 0.26))
    title = said("form.records_title", language)
    return (rules_table("form-records", columns, rows, language, section="form", title=title),)


def _two_columns(name: str, labels: tuple[str, str], lines: tuple[str, ...], language: str) -> Table:
    rows = [(said(f"form.{name}_{line}", language), BLANK) for line in lines]
    columns = ((f"{name}_{labels[0]}", 0.55), (f"{name}_{labels[1]}", 0.45))
    title = said(f"form.{name}_title", language)
    return rules_table(f"form-{name}", columns, rows, language, section="form", title=title)


def _reply(language: str) -> Table:
    rows = [(said(f"form.reply_{line}", language), BLANK) for line in _REPLY]
    columns = (("petition_field", 0.55), ("reply_fill", 0.45))
    title = said("form.reply_title", language)
    return rules_table("form-reply", columns, rows, language, section="form", title=title)


def _measures(language: str) -> Table:
    names = ("criterion", "what", "who", "when", "evidence")
    columns = tuple((f"measure_{name}", 0.2) for name in names)
    return _empty("measure", columns, language, (said("form.measure_note", language),))


def _empty(name: str, columns: tuple[tuple[str, float], ...], language: str, notes: tuple[str, ...]) -> Table:
    rows = [tuple(BLANK if place == 0 else "" for place in range(len(columns))) for _ in range(_LINES)]
    title = said(f"form.{name}_title", language)
    return rules_table(f"form-{name}", columns, rows, language, section="form", title=title, notes=notes)
