"""A study: its place, year, surveys and where its results go. Loading one opens no data file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sipas_research import resources
from sipas_research.errors import AnalysisError, HonestyError, Problem, StudyError
from sipas_research.files import held_open
from sipas_research.framework.file_names import FRAME_FILE
from sipas_research.numerics.disclosure import MINIMUM_CELL
from sipas_research.results import DataKind
from sipas_research.study.place import AGENCIES_FILE, COLUMNS_FILE, OWN_WORKBOOKS, find_study
from sipas_research.study.study_file import Provenance, StudyFile, read_study_file
from sipas_research.study.survey_specs import survey_spec
from sipas_research.survey.agencies import AgencyRegister
from sipas_research.survey.specs import SurveySpec
from sipas_research.wording import Bilingual

if TYPE_CHECKING:
    from sipas_research.framework.actions import ActionCatalogue
    from sipas_research.framework.frames import Frames
    from sipas_research.framework.framework_spec import Framework, Level
    from sipas_research.framework.results_register import ResultsRegister
    from sipas_research.survey.crosswalk import Crosswalk
    from sipas_research.survey.questionnaire import Questionnaire
    from sipas_research.survey.responses import Responses

OUTPUT_FOLDER = "ket_qua"
CROSSWALK_FILE = "crosswalk.csv"
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Study:
    """One study, as its folder says.

    ``data_kind`` is the kind that results may claim: "real" in the file counts as USER while the
    provenance is incomplete, and ``notes`` says so.
    """

    id: str
    title: Bilingual
    place: Bilingual
    year: int | None
    folder: Path
    data_kind: DataKind
    provenance: Provenance
    surveys: tuple[SurveySpec, ...]
    languages: tuple[str, ...]
    scorecard_agency: str
    path: Path
    agencies: AgencyRegister = field(default_factory=AgencyRegister)
    evidence: bool = False
    notes: tuple[Problem, ...] = ()

    def survey(self, name: str = "citizens") -> SurveySpec:
        """Return one survey's specification.

        Raises
        ------
        StudyError
            If the study has no survey of that name; the message gives the names it has.
        """
        for spec in self.surveys:
            if spec.name == name:
                return spec
        if not self.surveys:
            raise StudyError("study.no_survey", file=self.path.name)
        known = ", ".join(s.name for s in self.surveys)
        raise StudyError("study.unknown_survey", file=self.path.name, name=name, known=known)

    def responses(self, name: str = "citizens") -> Responses:
        """Read and check one survey's data file: every year, every row that passes.

        Raises
        ------
        StudyError, DataFileError, ColumnMapError, HonestyError
            As :func:`sipas_research.read_responses` says.
        """
        from sipas_research.survey.read import read_responses

        spec = self.survey(name)
        return read_responses(self.data_file(name), spec)

    @property
    def crosswalk(self) -> Crosswalk:
        """The changes of agencies, read when asked: sheet "Chuyển đổi đơn vị" of don_vi.xlsx, or else crosswalk.csv.

        Empty where neither lists a change. Nothing is carried over from one agency to another.

        Raises
        ------
        AgencyError
            With file, sheet and row of each cell that breaks a rule.
        """
        return _crosswalk(self.folder, self.agencies)

    def framework(self, level: Level) -> Framework:
        """Return the measurement framework of a level: the study folder's ``khung_do_luong_*.xlsx``, else the packaged.

        Raises
        ------
        FrameworkError
            If the level is unknown or the folder's file breaks a rule: file, sheet, row.
        """
        from sipas_research.framework.framework_file import framework_for

        return framework_for(self.folder, level)

    def frames(self, level: Level) -> Frames:
        """Return how many people each agency of a level served: ``khung_mau.xlsx``, or else the survey's weights.

        Raises
        ------
        FrameworkError
            With file, sheet and row of each cell of ``khung_mau.xlsx`` that breaks a rule.
        StudyError, DataFileError, ColumnMapError, HonestyError
            If there is a data file and it is refused.
        """
        from sipas_research.framework.frame_file import read_frames
        from sipas_research.framework.frames import agency_frames

        own = self.folder / FRAME_FILE
        counted = read_frames(own, self.agencies) if own.is_file() else {}
        if any(code in counted for code in self.agencies.codes(level)):
            return agency_frames(self.agencies, level, data_kind=self.data_kind, counted=counted, source=own.name)
        asked = next((s for s in self.surveys if s.questionnaire.respondent == "citizen" and s.file.is_file()), None)
        answers = self.current(self.responses(asked.name)) if asked else None
        return agency_frames(self.agencies, level, answers, data_kind=self.data_kind)

    def citizen_form(self) -> Questionnaire:
        """Return the study's own questionnaire for people and organisations; the packaged one where it has none."""
        from sipas_research.survey.questionnaire_files import load_questionnaire

        for spec in self.surveys:
            if spec.questionnaire.respondent == "citizen" and spec.questionnaire.scale_ids("factor"):
                return spec.questionnaire
        return load_questionnaire("citizens")

    def actions(self) -> ActionCatalogue:
        """Return the catalogue of measures: the study folder's ``hanh_dong.xlsx``, else the packaged.

        Raises
        ------
        FrameworkError
            With file, sheet and row of each cell that breaks a rule.
        """
        from sipas_research.framework.actions import actions_for

        return actions_for(self.folder)

    def results_register(self) -> ResultsRegister:
        """Return the register of results, ``so_ket_qua.xlsx`` of the study folder; empty where there is none.

        Raises
        ------
        ReleaseError
            With file, sheet and row of each step that breaks a rule.
        """
        from sipas_research.framework.results_register import REGISTER_FILE, read_register

        return read_register(self.folder / REGISTER_FILE)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the surveys, in the order of study.toml."""
        return tuple(s.name for s in self.surveys)

    def current(self, responses: Responses) -> Responses:
        """Return the answers of the study's year; all of them where no year is stated or recorded.

        Raises
        ------
        StudyError
            If no answer carries the study's year.
        """
        if self.year is None or not responses.has("year"):
            return responses
        picked = responses.where(year=self.year)
        if not len(picked):
            years = ", ".join(str(int(y)) for y in sorted(responses.frame["year"].dropna().unique()))
            raise StudyError("study.no_rows_of_year", file=self.path.name, year=str(self.year), known=years)
        return picked

    def first_agency(self, responses: Responses) -> str:
        """Return the agency of the example scorecard: the one named in study.toml, or the first that can have one.

        Raises
        ------
        StudyError
            If no agency can have a scorecard, or the one named in study.toml cannot.
        """
        able = scorecard_agencies(responses)
        if not able:
            raise no_scorecard(responses)
        wanted = self.scorecard_agency or able[0]
        if wanted not in able:
            allowed = ", ".join(able[:_SHOWN])
            raise StudyError(
                "study.scorecard_agency_unable",
                file=self.path.name,
                value=wanted,
                minimum=MINIMUM_CELL,
                allowed=allowed,
            )
        return wanted

    def data_file(self, name: str = "citizens") -> Path:
        """Return the path of one survey's data file; StudyError where it is not there."""
        spec = self.survey(name)
        if not spec.file.is_file():
            raise StudyError(
                "study.data_file_missing", file=self.path.name, setting="survey.file", value=spec.file.name, name=name
            )
        return spec.file

    @property
    def has_data(self) -> bool:
        """True if the data file of at least one survey is there; a study of published figures waits for its own."""
        return any(spec.file.is_file() for spec in self.surveys)

    @property
    def output(self) -> Path:
        """Folder for results: ``ket_qua`` of the study folder; for packaged data outside the package."""
        if not _inside(self.path, resources.root() / "data"):
            return self.folder / OUTPUT_FOLDER
        if resources.is_checkout():
            return resources.root() / "outputs" / self.id
        return Path.cwd() / OUTPUT_FOLDER / self.id

    def report(self, language: str | None = None, **options: Any) -> tuple[Path, ...]:
        """Make the report; return the files made. Options as :func:`sipas_research.study.report.make_report`."""
        from sipas_research.study.report import make_report

        return make_report(self, language=language, **options)

    def scorecards(self, agencies: Iterable[str] | None = None, **options: Any) -> tuple[Path, ...]:
        """Make one scorecard an agency; all agencies with enough answers where none is named."""
        from sipas_research.study.scorecard_run import make_scorecards

        return make_scorecards(self, agencies=agencies, **options)


def no_scorecard(responses: Responses) -> StudyError:
    """Return the error that says why no agency has a scorecard: the data name none, or all have too few forms."""
    if not responses.has("agency"):
        return StudyError("study.no_agency_column", file=responses.source)
    return StudyError("study.no_scorecard_agency", minimum=MINIMUM_CELL)


def scorecard_agencies(responses: Responses) -> tuple[str, ...]:
    """Return the agencies that can have a scorecard, in register order; () where the data name no agency.

    They have at least 10 forms, and their index may be shown: it is withheld where all answers agree, or where
    an agency with fewer forms could be told from it.
    """
    if not responses.has("agency"):
        return ()
    forms = responses.frame["agency"].value_counts()
    enough = tuple(c for c in responses.agencies.codes() if forms.get(c, 0) >= MINIMUM_CELL)
    if not enough:
        return ()
    from sipas_research.framework.index import INDEX, satisfaction_index

    try:
        index = satisfaction_index(responses, by="agency")
    except AnalysisError:
        return ()
    shown = {row.group for row in index.rows if row.term == INDEX and row.group and not row.suppressed}
    return tuple(code for code in enough if code in shown)


def load_study(path: str | Path = "") -> Study:
    """Load a study.

    Parameters
    ----------
    path : str or Path
        A study.toml or the folder that holds one; see :func:`find_study` for the empty path.

    Returns
    -------
    Study

    Raises
    ------
    StudyError, QuestionnaireError, ColumnMapError, AgencyError, HonestyError
        Each names the file and the key or row.
    """
    from sipas_research.survey.agency_files import refuse_real_names, refuse_simulated_register

    source = find_study(path)
    file = read_study_file(source)
    kind, notes = _data_kind(source, file)
    register = _agencies(source, file)
    refuse_simulated_register(register, kind)
    refuse_real_names(register, kind)
    if file.evidence and kind.is_simulated:
        raise HonestyError("study.evidence_beside_simulated", file=source.name)
    surveys = tuple(survey_spec(source, file, entry, register, kind) for entry in file.surveys)
    notes += (*_unmatched(source, surveys), *_open_files(source, surveys))
    return Study(
        id=file.id,
        title=file.title,
        place=file.place,
        year=file.year,
        folder=source.parent,
        data_kind=kind,
        provenance=file.provenance,
        surveys=surveys,
        languages=file.languages,
        scorecard_agency=_scorecard_agency(source, file, register),
        path=source,
        agencies=register,
        evidence=file.evidence,
        notes=notes,
    )


def _inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _data_kind(source: Path, file: StudyFile) -> tuple[DataKind, tuple[Problem, ...]]:
    kind = DataKind(file.data_kind)
    if kind is not DataKind.REAL or file.provenance.complete:
        return kind, ()
    missing = ", ".join(file.provenance.missing)
    note = Problem.of("study.real_unconfirmed", severity="warning", file=source.name, missing=missing)
    return DataKind.USER, (note,)


def _unmatched(source: Path, surveys: Iterable[SurveySpec]) -> tuple[Problem, ...]:
    """Tell which surveys have no row in a column map that is there."""
    own = source.parent / COLUMNS_FILE
    missing = [spec.name for spec in surveys if own.is_file() and spec.columns is None and spec.file.is_file()]
    return tuple(
        Problem.of("study.no_column_rows", severity="warning", file=own.name, name=name, study=source.name)
        for name in missing
    )


def _open_files(source: Path, surveys: Iterable[SurveySpec]) -> tuple[Problem, ...]:
    """Tell which files stand open in Excel: what was not saved is not read."""
    used = [source.parent / name for name in OWN_WORKBOOKS]
    files = dict.fromkeys((*used, *(spec.file for spec in surveys)))
    return tuple(Problem.of("study.open_file", severity="warning", file=f.name) for f in files if held_open(f))


def _agencies(source: Path, file: StudyFile) -> AgencyRegister:
    from sipas_research.survey.agency_files import read_agencies

    own = source.parent / AGENCIES_FILE
    if own.is_file():
        return read_agencies(own)
    if not file.agencies:
        return AgencyRegister()
    named = source.parent / file.agencies
    if not named.is_file():
        raise StudyError("study.file_missing", file=source.name, setting="study.agencies", value=file.agencies)
    return read_agencies(named)


def _crosswalk(folder: Path, register: AgencyRegister) -> Crosswalk:
    from sipas_research.survey.crosswalk import Crosswalk, has_crosswalk_sheet, read_crosswalk

    book, table = folder / AGENCIES_FILE, folder / CROSSWALK_FILE
    found = read_crosswalk(book, register=register) if has_crosswalk_sheet(book) else Crosswalk()
    if found.rows or not table.is_file():
        return found
    return read_crosswalk(table, register=register)


def _scorecard_agency(source: Path, file: StudyFile, register: AgencyRegister) -> str:
    code = file.scorecard_agency
    if code and register.agencies and code not in register:
        known = ", ".join(register.codes()[:_SHOWN])
        raise StudyError(
            "study.not_allowed", file=source.name, setting="report.scorecard_agency", value=code, allowed=known
        )
    return code
