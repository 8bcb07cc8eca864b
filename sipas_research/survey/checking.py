"""Turning a raw table into checked answers, with everything that is wrong and where.

Only mapped columns are looked at: an unmapped column may hold names or telephone numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from sipas_research.errors import HonestyError, Problem
from sipas_research.survey import row_checks
from sipas_research.survey.agencies import AgencyRegister
from sipas_research.survey.agency_column import agency_codes
from sipas_research.survey.agency_files import refuse_real_names
from sipas_research.survey.answers import AnswerKey, as_number
from sipas_research.survey.binding import Bound, bind, design_in, missing_columns
from sipas_research.survey.cells import Column, coded, dates, numbers, texts
from sipas_research.survey.columns import match_columns
from sipas_research.survey.findings import Finding, in_order, list_problems, rejected_rows
from sipas_research.survey.questionnaire import Question
from sipas_research.survey.raw_table import Note, RawTable
from sipas_research.survey.specs import SampleDesign, SurveySpec
from sipas_research.wording import LANGUAGES, Bilingual, percent

#: Below this many forms every cell of a report would be suppressed.
FEW_FORMS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """A raw table after mapping and checking.

    Attributes
    ----------
    frame : DataFrame
        Every row of the file, rejected ones too; columns are question ids, typed as ``Responses.frame``.
    rejected : array of shape (rows,)
        True where a row is kept out.
    findings : tuple of Finding
        Troubles in cells, whole.
    problems : tuple of Problem
        What to list, by severity; long runs are counted after the first.
    """

    frame: pd.DataFrame
    agencies: AgencyRegister
    design: SampleDesign
    rejected: np.ndarray
    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Translated:
    """Translated columns by question id, before rows are judged."""

    columns: dict[str, pd.Series]
    findings: list[Finding]
    problems: list[Problem]
    agencies: AgencyRegister
    notes: list[Note]
    marked: dict[str, np.ndarray]


def check_table(raw: RawTable, spec: SurveySpec) -> Checked:
    """Map, translate and check a raw table against the specification of its survey.

    Parameters
    ----------
    raw : RawTable
    spec : SurveySpec
        ``columns`` None means: match by names, aliases, labels and texts.

    Returns
    -------
    Checked

    Raises
    ------
    HonestyError
        If the file carries the marker of simulated data and the study does not say so, or simulated answers
        name a real agency.
    ColumnMapError
        If the column map names a question twice or an unknown one.
    """
    if raw.simulated and not spec.data_kind.is_simulated:
        raise HonestyError("check.file.simulated_as_real", file=raw.name)
    questionnaire = spec.questionnaire
    columns = match_columns(raw, questionnaire, year=spec.year) if spec.columns is None else spec.columns
    bound = bind(raw, columns, questionnaire)
    design = design_in(spec.design, {b.question.id for b in bound})
    problems = missing_columns(raw, columns, questionnaire, bound)
    done = _translate(raw, bound, spec, design)
    # Where the study has no register, the names come from the file itself.
    refuse_real_names(done.agencies, spec.data_kind)
    frame = pd.DataFrame(done.columns, index=pd.RangeIndex(len(raw)))
    findings = [*done.findings, *_across(frame, bound, design, raw.row_numbers(), done.marked)]
    rejected = rejected_rows(findings, len(raw))
    refused = {found.column for found in findings if found.severity == "error"}
    fitting = tuple(b for b in bound if b.column not in refused)
    problems += [*done.problems, *_about_items(frame[~rejected], fitting, spec, done.problems, raw.name)]
    problems += _about_dates(frame[~rejected], done.agencies, bound, spec, raw.name)
    problems += [*list_problems(findings, raw.row_numbers(), raw.name), *_about_counts(frame, rejected, spec, raw.name)]
    notes = (_columns_note(raw, bound), *_disabled_note(columns, spec), *done.notes)
    return Checked(frame, done.agencies, design, rejected, tuple(findings), in_order(problems), notes)


def _translate(raw: RawTable, bound: tuple[Bound, ...], spec: SurveySpec, design: SampleDesign) -> _Translated:
    done = _Translated({}, [], [], spec.agencies, [], {})
    for part in bound:
        cells = raw.frame[part.column].reset_index(drop=True)
        missing = (*raw.missing_codes.get(part.column, ()), *part.rule.missing)
        question = part.question
        if question.id == "agency":
            found = agency_codes(cells, part.column, spec.agencies, raw.value_labels.get(part.column), missing)
            done = replace(done, agencies=found.register)
            column = Column(found.values, found.findings)
            if not spec.agencies.agencies:
                done.notes.append(("check.notes.register_from_data", (("count", len(found.register.agencies)),)))
        elif question.kind in {"likert", "category"}:
            column = _coded(raw, part, cells, done)
        elif question.kind == "number":
            column = numbers(cells, part.column, question, missing, weight=question.id == design.weight)
        elif question.kind in {"date", "datetime"}:
            column = dates(cells, part.column, question, missing)
        else:
            column = texts(cells, question, missing)
        done.columns[question.id] = column.values
        done.findings.extend(column.findings)
        done.marked[question.id] = rejected_rows(column.findings, len(cells), severities=("row", "error"))
    return done


def _coded(raw: RawTable, part: Bound, cells: pd.Series, done: _Translated) -> Column:
    key = AnswerKey.of(
        part.question, part.rule, raw.value_labels.get(part.column), raw.missing_codes.get(part.column, ())
    )
    if cells.dtype == object:
        key = key.with_labels_of(cells.dropna().unique())
    if key.slope == -1 and not part.rule.reversed:
        first = min(key.by_label)
        done.problems.append(
            Problem.of(
                "check.item.labels_reversed",
                severity="question",
                file=raw.name,
                column=part.column,
                question=part.question.id,
                code=f"{first:g}",
                label=next(label for number, label in key.file_labels if as_number(number) == first),
            )
        )
    if part.rule.reversed == "yes" and part.question.kind == "likert":
        done.notes.append(("check.notes.turned", (("column", part.column), ("question", part.question.id))))
    elif key.shifted:
        done.notes.append(("check.notes.by_label", (("column", part.column), ("question", part.question.id))))
    return coded(cells, part.column, key)


def _across(
    frame: pd.DataFrame,
    bound: tuple[Bound, ...],
    design: SampleDesign,
    row_numbers: np.ndarray,
    marked: dict[str, np.ndarray],
) -> list[Finding]:
    """Return findings that need more than one cell; cells that already have their finding get no second one."""
    column = {b.question.id: b.column for b in bound}
    findings: list[Finding] = []
    # A cell that could not be translated is not an empty one.
    filled = frame[[b.question.id for b in bound]].notna()
    for question_id, mask in marked.items():
        filled[question_id] |= mask
    items = [b.question.id for b in bound if b.question.kind == "likert"]
    required = {
        b.question.id: b.column
        for b in bound
        if b.question.required and b.question.kind != "likert" and b.question.id != design.weight
    }
    findings += row_checks.empty_required(filled.where(filled, None), required)
    if items:
        findings += row_checks.blank_forms(filled.where(filled, None), items)
    if design.weight:
        weights = frame[design.weight].mask(marked[design.weight], 1.0)
        findings += row_checks.bad_weights(weights, column[design.weight])
    if {"start_time", "end_time"} <= set(frame):
        backward = row_checks.backward_times(frame, column["end_time"])
        for found in backward:
            frame.loc[found.positions, ["start_time", "end_time"]] = pd.NaT
        findings += backward
    if "respondent_id" in frame:
        rejected = rejected_rows(findings, len(frame))
        for mask in marked.values():
            rejected |= mask
        findings += row_checks.doubled_respondents(frame, column["respondent_id"], row_numbers, rejected)
    return findings


def _about_items(
    kept: pd.DataFrame, bound: tuple[Bound, ...], spec: SurveySpec, asked: list[Problem], file: str
) -> list[Problem]:
    """Return suspicions about whole items; columns that were ``asked`` about already are not asked twice."""
    items = {b.question.id: b.column for b in bound if b.question.kind == "likert"}
    done = {p.column for p in asked}
    undeclared = {b.question.id: b.column for b in bound if b.question.id in items and not b.rule.reversed}
    undeclared = {question_id: column for question_id, column in undeclared.items() if column not in done}
    return [
        *row_checks.suspected_reversals(kept, spec.questionnaire, undeclared, file),
        *row_checks.flat_items(kept, items, file),
    ]


def _about_dates(
    kept: pd.DataFrame, register: AgencyRegister, bound: tuple[Bound, ...], spec: SurveySpec, file: str
) -> list[Problem]:
    column = next((b.column for b in bound if b.question.id == "agency"), None)
    return [] if column is None else row_checks.forms_out_of_date(kept, register, column, file, spec.year)


def _about_counts(frame: pd.DataFrame, rejected: np.ndarray, spec: SurveySpec, file: str) -> list[Problem]:
    n_rows, n_rejected = len(frame), int(rejected.sum())
    n_used = n_rows - n_rejected
    problems = []
    if n_used == 0:
        problems.append(Problem.of("check.file.no_rows", file=file, count=n_rows))
    elif n_rejected > spec.max_rejected_share * n_rows:
        allowed = Bilingual(*(percent(spec.max_rejected_share, language) for language in LANGUAGES))
        problems.append(
            Problem.of("check.file.too_many_rejected", file=file, count=n_rejected, total=n_rows, allowed=allowed)
        )
    elif n_used < FEW_FORMS:
        problems.append(
            Problem.of("check.file.few_rows", severity="warning", file=file, count=n_used, minimum=FEW_FORMS)
        )
    if spec.year is not None and "year" in frame and n_used:
        years = frame.loc[~rejected, "year"].dropna().unique()
        if len(years) and spec.year not in years:
            known = ", ".join(str(int(y)) for y in sorted(years))
            problems.append(
                Problem.of("check.file.other_years", severity="warning", file=file, year=str(spec.year), known=known)
            )
    if "agency" in frame and n_used > 1 and frame.loc[~rejected, "agency"].nunique() == 1:
        problems.append(Problem.of("check.file.one_agency", severity="warning", file=file))
    return problems


def _columns_note(raw: RawTable, bound: tuple[Bound, ...]) -> Note:
    n_columns = raw.frame.shape[1]
    return "check.notes.columns", (("columns", n_columns), ("used", len(bound)), ("unused", n_columns - len(bound)))


def _disabled_note(columns: object, spec: SurveySpec) -> list[Note]:
    rules = getattr(columns, "rules", ())
    asked: list[Question] = [spec.questionnaire.question(r.question) for r in rules if r.question]
    off = [q.id for q in asked if not q.enabled]
    return [("check.notes.disabled", (("ids", ", ".join(off)),))] if off else []
