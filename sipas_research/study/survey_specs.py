"""One survey of a study as its folder specifies it: questionnaire, column map, sampling design."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from sipas_research.errors import StudyError
from sipas_research.results import DataKind
from sipas_research.study.place import COLUMNS_FILE, QUESTIONNAIRE_FILE
from sipas_research.study.study_file import StudyFile, SurveyEntry, near
from sipas_research.survey.agencies import AgencyRegister
from sipas_research.survey.specs import ColumnMap, SampleDesign, SurveySpec

if TYPE_CHECKING:
    from sipas_research.survey.questionnaire import Questionnaire


def survey_spec(
    source: Path, file: StudyFile, entry: SurveyEntry, register: AgencyRegister, kind: DataKind
) -> SurveySpec:
    """Return the specification of one survey; the study folder's own workbooks win over the packaged files.

    Raises
    ------
    StudyError, QuestionnaireError, ColumnMapError
        Each names the file and the key or row.
    """
    questionnaire = _questionnaire(source, entry)
    _check_design(source, entry, questionnaire)
    owner = file.provenance.owner
    data = source.parent / entry.file
    return SurveySpec(
        name=entry.name,
        file=data,
        questionnaire=questionnaire,
        agencies=register,
        data_kind=kind,
        columns=_columns(source, entry, questionnaire),
        design=entry.design,
        year=file.year,
        source=f"{owner} ({data.name})" if owner else data.name,
        max_rejected_share=entry.max_rejected_share,
        sheet=entry.sheet,
    )


def _questionnaire(source: Path, entry: SurveyEntry) -> Questionnaire:
    from sipas_research.survey.questionnaire_files import load_questionnaire, load_questionnaires, packaged_ids

    named = source.parent / entry.questionnaire
    if named.suffix in {".toml", ".xlsx"}:
        if not named.is_file():
            raise StudyError(
                "study.file_missing", file=source.name, setting="survey.questionnaire", value=entry.questionnaire
            )
        forms = load_questionnaires(named)
        return forms[entry.name] if entry.name in forms else load_questionnaire(named)
    own = source.parent / QUESTIONNAIRE_FILE
    forms = load_questionnaires(own) if own.is_file() else {}
    if entry.questionnaire in forms:
        return forms[entry.questionnaire]
    if entry.questionnaire in packaged_ids():
        return load_questionnaire(entry.questionnaire)
    raise StudyError(
        "study.not_allowed",
        file=source.name,
        setting="survey.questionnaire",
        value=entry.questionnaire,
        allowed=", ".join(dict.fromkeys((*forms, *packaged_ids()))),
    )


def _columns(source: Path, entry: SurveyEntry, questionnaire: Questionnaire) -> ColumnMap | None:
    from sipas_research.survey.column_files import read_column_map

    own = source.parent / COLUMNS_FILE
    if not own.is_file():
        return None
    found = read_column_map(own, form=entry.name, questionnaire=questionnaire)
    # A survey added by hand later has no rows yet: its columns are matched by their names.
    return found if found.rules else None


def _check_design(source: Path, entry: SurveyEntry, questionnaire: Questionnaire) -> None:
    known = [q.id for q in questionnaire.facts()]
    for part in fields(SampleDesign):
        wanted = getattr(entry.design, part.name)
        if wanted and wanted not in known:
            suggestion = near(wanted, known)
            raise StudyError(
                "study.not_allowed",
                file=source.name,
                setting=f"survey.design.{part.name}",
                value=wanted,
                allowed=suggestion or ", ".join(known),
            )
