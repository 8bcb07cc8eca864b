"""``cot_du_lieu.xlsx``: the column map as a workbook that people correct in Excel.

Three sheets: which column answers which question, questions that have no column yet, and what the texts
of text columns mean.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sipas_research.errors import ColumnMapError, Problem
from sipas_research.survey.answers import AnswerKey, as_number
from sipas_research.survey.columns import ColumnMatch, match_report
from sipas_research.survey.comparison import near, same_key
from sipas_research.survey.questionnaire import Questionnaire
from sipas_research.survey.raw_table import RawTable
from sipas_research.survey.specs import ColumnMap, ColumnRule
from sipas_research.survey.workbook import (
    ColumnSpec,
    SheetRow,
    SheetSpec,
    fold,
    phrase,
    read_sheet,
    sheet_names,
    write_workbook,
)
from sipas_research.wording import text

#: Texts of a column are listed for translation only up to this many different ones.
MOST_TEXTS = 15
_SEPARATORS = re.compile(r"[;,\s]+")


@dataclass(frozen=True, slots=True, eq=False)
class FormColumns:
    """One form of a study: its name, its questionnaire, and its data file where there is one already."""

    form: str
    questionnaire: Questionnaire
    raw: RawTable | None = None
    year: int | None = None

    def matches(self) -> tuple[ColumnMatch, ...]:
        """Return what matching finds for the file's columns; () where there is no file."""
        return match_report(self.raw, self.questionnaire, year=self.year) if self.raw else ()


def write_column_map(path: Path, forms: Sequence[FormColumns]) -> Path:
    """Write ``cot_du_lieu.xlsx``, filled in as far as names, aliases, labels and texts agree.

    Parameters
    ----------
    path : Path
    forms : sequence of FormColumns
        Forms of the study; one without a file only lists its questions.

    Returns
    -------
    Path
        Where the file landed. The same input gives the same bytes.
    """
    matched = [(form, form.matches()) for form in forms]
    ids = tuple(dict.fromkeys(q.id for form in forms for q in form.questionnaire.questions))
    return write_workbook(
        path,
        [
            SheetSpec(_sheet("columns"), _column_specs(ids), tuple(_column_rows(matched))),
            SheetSpec(_sheet("absent"), _absent_specs(), tuple(_absent_rows(matched))),
            SheetSpec(_sheet("labels"), _label_specs(), tuple(_label_rows(matched))),
        ],
    )


def read_column_map(path: Path, *, form: str = "citizens", questionnaire: Questionnaire | None = None) -> ColumnMap:
    """Read the rows of one form from ``cot_du_lieu.xlsx``.

    Parameters
    ----------
    path : Path
    form : str, keyword only
        Name of the form, e.g. "citizens"; rows whose form cell is empty count for every form.
    questionnaire : Questionnaire, optional, keyword only
        Its question ids and answer codes are the ones allowed; without it they are not checked here, and
        :func:`sipas_research.survey.binding.bind` refuses unknown ids without naming the row.

    Returns
    -------
    ColumnMap

    Raises
    ------
    ColumnMapError
        With one problem for each wrong cell, naming file, sheet, row and what is allowed.
    """
    problems: list[Problem] = []
    ids = tuple(q.id for q in questionnaire.questions) if questionnaire else None
    rows = _rows_of(path, "columns", _column_specs(ids or ()), form, problems)
    labels = _read_labels(path, form, rows, questionnaire, problems)
    problems += _doubled(rows, "column", path) + _doubled(rows, "question", path)
    rules = []
    for row in rows:
        place = _Place(path.name, _sheet("columns"), row.number)
        question = _read_question(row.get("question"), ids, place, problems)
        rules.append(
            ColumnRule(
                column=row.get("column"),
                question=question,
                missing=_read_missing(row.get("missing"), place, problems),
                reversed=_read_reversed(row.get("reversed"), place, problems),
                labels=tuple(labels.get(row.get("column"), ())),
            )
        )
        if not row.get("column"):
            problems.append(place.problem("columns.file.no_column"))
    if problems:
        raise ColumnMapError("columns.file.refused", problems=problems, file=path.name)
    return ColumnMap(tuple(rules), f"{path.name}, {_sheet('columns')}")


@dataclass(frozen=True, slots=True)
class _Place:
    file: str
    sheet: str
    row: int

    def problem(self, key: str, *, value: str = "", **fields: Any) -> Problem:
        return Problem.of(key, file=self.file, sheet=self.sheet, row=self.row, value=value, **fields)


def _sheet(name: str) -> str:
    return text(f"columns.sheet.{name}", "vi")


def _spec(key: str, width: float, *, choices: tuple[str, ...] = (), required: bool = False) -> ColumnSpec:
    noted = {"question", "missing", "reversed", "code"}
    note = text(f"columns.tip.{key}", "vi") if key in noted else ""
    return ColumnSpec(key, phrase(f"columns.header.{key}"), width, choices, note, required)


def _column_specs(ids: tuple[str, ...]) -> tuple[ColumnSpec, ...]:
    yes_no = (text("columns.word.yes", "vi"), text("columns.word.no", "vi"))
    return (
        _spec("form", 12),
        _spec("column", 32, required=True),
        _spec("label", 44),
        _spec("question", 20, choices=ids, required=True),
        _spec("text", 50),
        _spec("missing", 16),
        _spec("reversed", 18, choices=yes_no),
        _spec("how", 24),
        _spec("note", 44),
    )


def _absent_specs() -> tuple[ColumnSpec, ...]:
    return (_spec("form", 12), _spec("question", 20), _spec("text", 70), _spec("note", 44))


def _label_specs() -> tuple[ColumnSpec, ...]:
    return (
        _spec("form", 12),
        _spec("column", 32, required=True),
        _spec("label_text", 44, required=True),
        _spec("code", 12, required=True),
    )


def _column_rows(matched: Sequence[tuple[FormColumns, tuple[ColumnMatch, ...]]]) -> Iterable[dict[str, object]]:
    rows = [(form, match) for form, matches in matched for match in matches]
    # Unmatched columns first: they are the user's work.
    for form, match in sorted(rows, key=lambda pair: bool(pair[1].question)):
        question = form.questionnaire.question(match.question) if match.question else None
        off = question is not None and not question.enabled
        candidates = ", ".join(match.candidates)
        note = text("columns.note.off", "vi") if off else ""
        if candidates:
            note = text("columns.note.candidates", "vi", ids=candidates)
        yield {
            "form": form.form,
            "column": match.column,
            "label": match.label,
            "question": match.question,
            "text": question.text.vi if question else "",
            "how": text(f"columns.how.{match.how or 'none'}", "vi"),
            "note": note,
        }


def _absent_rows(matched: Sequence[tuple[FormColumns, tuple[ColumnMatch, ...]]]) -> Iterable[dict[str, object]]:
    for form, matches in matched:
        have = {m.question for m in matches}
        for question in form.questionnaire.asked:
            if question.id not in have:
                note = text("columns.note.required", "vi") if question.required else ""
                yield {"form": form.form, "question": question.id, "text": question.text.vi, "note": note}


def _label_rows(matched: Sequence[tuple[FormColumns, tuple[ColumnMatch, ...]]]) -> Iterable[dict[str, object]]:
    for form, matches in matched:
        for match in matches:
            question = form.questionnaire.question(match.question) if match.question else None
            if form.raw is None or question is None or not question.enabled:
                continue
            if question.kind in {"likert", "category"} and question.personal != "sensitive":
                key = AnswerKey.of(question, ColumnRule(match.column, question.id))
                for words, code in texts_of(form.raw, match.column, key):
                    yield {"form": form.form, "column": match.column, "label_text": words, "code": code}


def texts_of(raw: RawTable, column: str, key: AnswerKey) -> list[tuple[str, int | str]]:
    """Return the texts of a mapped column with the code that the questionnaire's labels give, "" where none.

    Texts without a code are listed only where the column holds at most 15 different values: a column with
    more is not a closed question, and its texts may be about persons.
    """
    cells = raw.frame[column]
    if cells.dtype != object:
        return []
    values = cells.dropna().unique()
    found = []
    for cell in values:
        if isinstance(cell, str) and as_number(cell) is None:
            code = key.text_code(cell)
            numbered = code is None and math.isfinite(key.translate(cell)[0])
            if not numbered and (code is not None or len(values) <= MOST_TEXTS):
                found.append((cell, "" if code is None else code))
    return sorted(
        found, key=lambda pair: (isinstance(pair[1], int), pair[1] if isinstance(pair[1], int) else 0, pair[0])
    )


def _rows_of(
    path: Path, sheet: str, specs: tuple[ColumnSpec, ...], form: str, problems: list[Problem]
) -> list[SheetRow]:
    rows, found = read_sheet(path, _sheet(sheet), specs, error=ColumnMapError)
    problems.extend(found)
    return [r for r in rows if not r.get("form") or same_key(r.get("form")) == same_key(form)]


def _read_question(cell: str, ids: tuple[str, ...] | None, place: _Place, problems: list[Problem]) -> str:
    if not cell or ids is None or cell in ids:
        return cell
    same = [i for i in ids if same_key(i) == same_key(cell)]
    if len(same) == 1:
        return same[0]
    close = near(cell, ids)
    key = "columns.file.unknown_question_near" if close else "columns.file.unknown_question"
    problems.append(place.problem(key, value=cell, **({"near": ", ".join(close)} if close else {})))
    return ""


def _read_missing(cell: str, place: _Place, problems: list[Problem]) -> tuple[float, ...]:
    codes = []
    for piece in _SEPARATORS.split(cell):
        if piece:
            number = as_number(piece)
            if number is None:
                problems.append(place.problem("columns.file.bad_missing", value=cell))
                return ()
            codes.append(number)
    return tuple(codes)


def _read_reversed(cell: str, place: _Place, problems: list[Problem]) -> Literal["yes", "no", ""]:
    words: dict[str, Literal["yes", "no", ""]] = {"": "", "co": "yes", "yes": "yes", "khong": "no", "no": "no"}
    if fold(cell) in words:
        return words[fold(cell)]
    problems.append(place.problem("columns.file.bad_reversed", value=cell))
    return ""


def _doubled(rows: Sequence[SheetRow], cell: str, path: Path) -> list[Problem]:
    first: dict[str, int] = {}
    problems = []
    for row in rows:
        value = row.get(cell)
        if value and value in first:
            place = _Place(path.name, _sheet("columns"), row.number)
            problems.append(place.problem(f"columns.file.repeated_{cell}", value=value, first=str(first[value])))
        first.setdefault(value, row.number)
    return problems


def _read_labels(
    path: Path, form: str, rows: Sequence[SheetRow], questionnaire: Questionnaire | None, problems: list[Problem]
) -> dict[str, list[tuple[str, int]]]:
    sheet = _sheet("labels")
    if fold(sheet) not in {fold(n) for n in sheet_names(path, error=ColumnMapError)}:
        return {}
    questions = {q.id: q for q in questionnaire.questions} if questionnaire else {}
    mapped = {r.get("column"): questions.get(r.get("question")) for r in rows}
    labels: dict[str, list[tuple[str, int]]] = {}
    for row in _rows_of(path, "labels", _label_specs(), form, problems):
        place = _Place(path.name, sheet, row.number)
        column, words, code = row.get("column"), row.get("label_text"), row.get("code")
        if not code:
            continue
        if column not in mapped:
            problems.append(place.problem("columns.file.label_column", value=column))
            continue
        question, number = mapped[column], as_number(code)
        allowed = [a.code for a in question.answers] if question else []
        if number is None or number != int(number) or (question and number not in allowed):
            listed = ", ".join(map(str, allowed)) or "…"
            problems.append(place.problem("columns.file.bad_code", value=code, column=column, allowed=listed))
        elif words:
            labels.setdefault(column, []).append((words, int(number)))
    return labels
