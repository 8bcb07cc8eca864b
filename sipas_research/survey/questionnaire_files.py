"""Questionnaires as files: TOML or an Excel workbook of the same content, and those in the package."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from sipas_research.errors import QuestionnaireError
from sipas_research.survey.questionnaire import Answer, Question, Questionnaire
from sipas_research.survey.questionnaire_build import build_questionnaires
from sipas_research.survey.questionnaire_draft import draft_questionnaire
from sipas_research.survey.questionnaire_tables import (
    TABLES,
    join_aliases,
    read_toml_tables,
    read_workbook_tables,
    sheet_columns,
    sheet_name,
    word,
)
from sipas_research.survey.workbook import SheetSpec, cell_text, write_workbook

__all__ = [
    "draft_questionnaire",
    "load_questionnaire",
    "load_questionnaires",
    "packaged_ids",
    "write_questionnaire_xlsx",
]

_FOLDER = Path(__file__).resolve().parent / "questionnaires"
_Row = dict[str, object]


def packaged_ids() -> tuple[str, ...]:
    """Return the ids of the questionnaires in the package."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


@cache
def _packaged(name: str) -> Questionnaire:
    return load_questionnaires(_FOLDER / f"{name}.toml")[name]


def load_questionnaire(source: str | Path, *, form: str = "") -> Questionnaire:
    """Load one questionnaire.

    Parameters
    ----------
    source : str or Path
        Id of a packaged questionnaire ("citizens", "staff"), or the path of a .toml or .xlsx file.
    form : str
        Id of the form to take from a workbook that holds several. A TOML file holds one form, which is
        taken whatever its id.

    Raises
    ------
    QuestionnaireError
        If the file is missing, cannot be read or breaks a rule (all breaches are listed), or if the form
        is not in it.
    """
    if isinstance(source, str) and source in packaged_ids():
        return _packaged(source)
    path = Path(source).expanduser()
    found = load_questionnaires(path)
    forms = ", ".join(found)
    if path.suffix.lower() == ".toml":
        return next(iter(found.values()))
    if not form and len(found) > 1:
        raise QuestionnaireError("questionnaire.files.choose_form", file=path.name, forms=forms)
    wanted = form or next(iter(found))
    if wanted not in found:
        raise QuestionnaireError("questionnaire.files.no_form", file=path.name, form=form, forms=forms)
    return found[wanted]


def load_questionnaires(path: str | Path) -> dict[str, Questionnaire]:
    """Load every form of a .xlsx or .toml file, by form id.

    Raises
    ------
    QuestionnaireError
        As :func:`load_questionnaire`.
    """
    path = Path(path).expanduser()
    suffix = path.suffix.lower()
    if not path.is_file():
        packaged = ", ".join(packaged_ids())
        raise QuestionnaireError("questionnaire.files.not_found", name=path.name, packaged=packaged)
    if suffix not in {".toml", ".xlsx"}:
        raise QuestionnaireError("questionnaire.files.wrong_type", file=path.name)
    tables, problems = read_toml_tables(path) if suffix == ".toml" else read_workbook_tables(path)
    return build_questionnaires(tables, problems)


def write_questionnaire_xlsx(questionnaires: Questionnaire | Iterable[Questionnaire], path: Path) -> Path:
    """Write questionnaires as one workbook for people to edit; :func:`load_questionnaires` reads it back.

    Returns
    -------
    Path
        Where the file landed.
    """
    forms = [questionnaires] if isinstance(questionnaires, Questionnaire) else list(questionnaires)
    sets = _answer_sets(forms)
    names = {answers: name for name, answers in sets.items()}
    rows: dict[str, list[_Row]] = {
        "forms": [
            {
                "id": f.id,
                "title_vi": f.title.vi,
                "title_en": f.title.en,
                "respondent": word("respondent", f.respondent),
                "regime": f.regime,
            }
            for f in forms
        ],
        "scales": [
            {"form": f.id, "id": s.id, "vi": s.name.vi, "en": s.name.en, "role": word("role", s.role)}
            for f in forms
            for s in f.scales
        ],
        "answers": [
            {"id": name, "code": a.code, "vi": a.label.vi, "en": a.label.en, "missing": _flag(a.missing)}
            for name, answers in sets.items()
            for a in answers
        ],
        "questions": [_question_row(f.id, q, names.get(q.answers, "")) for f in forms for q in f.questions],
    }
    sheets = [SheetSpec(sheet_name(t), sheet_columns(t), tuple(rows[t])) for t in TABLES]
    return write_workbook(path, sheets)


def _flag(value: bool) -> str:
    return word("flag", "yes" if value else "no")


def _question_row(form: str, question: Question, answers: str) -> _Row:
    bounds = {
        name: cell_text(bound)
        for name, bound in (("minimum", question.minimum), ("maximum", question.maximum))
        if bound is not None
    }
    return {
        "form": form,
        "id": question.id,
        "vi": question.text.vi,
        "en": question.text.en,
        "kind": word("kind", question.kind),
        "scale": question.scale,
        "direction": word("direction", str(question.direction)) if question.kind == "likert" else "",
        "answers": answers,
        **bounds,
        "required": _flag(question.required),
        "personal": word("personal", question.personal),
        "reason_vi": question.reason.vi,
        "reason_en": question.reason.en,
        "enabled": _flag(question.enabled),
        "aliases": join_aliases([(a.text, a.year) for a in question.aliases]),
    }


def _answer_sets(forms: Iterable[Questionnaire]) -> dict[str, tuple[Answer, ...]]:
    """Name each different set of answers: shared item sets "thang_1", "thang_2" ..., others by their question."""
    sets: dict[str, tuple[Answer, ...]] = {}
    scales = 0
    for question in (q for form in forms for q in form.questions if q.answers):
        if question.answers in sets.values():
            continue
        scales += question.kind == "likert"
        stem = f"thang_{scales}" if question.kind == "likert" else question.id
        name, n = stem, 1
        while name in sets:
            n += 1
            name = f"{stem}_{n}"
        sets[name] = question.answers
    return sets
