"""``sipas check``: a study's files, or one file with the packaged questionnaire where there is no study."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sipas_research.errors import HonestyError, InputError, OptionError, SipasWarning
from sipas_research.results import DataKind
from sipas_research.study.check_files import CHECK_FOLDER, write_check, write_refusal
from sipas_research.study.place import find_own_study
from sipas_research.study.report import check_survey
from sipas_research.study.study import load_study
from sipas_research.survey.agencies import AgencyRegister
from sipas_research.survey.specs import SurveySpec

if TYPE_CHECKING:
    from sipas_research.study.study import Study
    from sipas_research.survey.read import CheckReport


@dataclass(frozen=True, slots=True, eq=False)
class CheckResult:
    """What came out for one file: a report, or the error that kept it from being read; and the files written."""

    files: tuple[Path, ...]
    report: CheckReport | None = None
    error: InputError | None = None

    @property
    def accepted(self) -> bool:
        """True where the file can be used."""
        return self.report is not None and self.report.responses is not None

    def summary(self, language: str) -> str:
        """Return what the check found, as text."""
        if self.report is not None:
            return self.report.summary(language)
        return self.error.message(language) if self.error is not None else ""


def run_check(
    study_path: str = "", file: Path | None = None, *, form: str = "", sheet: str = "", out: Path | None = None
) -> tuple[CheckResult, ...]:
    """Check data files and write what was found.

    Parameters
    ----------
    study_path : str
        As :func:`sipas_research.load_study`.
    file : Path, optional
        Checked in place of the study's own file. Outside any study folder the packaged questionnaire is used,
        columns are matched by their names, every agency is accepted.
    form : str
        Which survey the file belongs to; "" takes the one that names it, or the study's first, or "citizens".
    sheet : str
        Sheet of an Excel file; "" takes the one named in study.toml, or the first with data.
    out : Path, optional
        The files go to its folder ``kiem_tra``.

    Returns
    -------
    tuple of CheckResult
        One a file: without ``file`` every survey of the study.

    Warns
    -----
    SipasWarning
        With what the study has to say about itself: :attr:`Study.notes`.
    """
    if file is not None and not study_path and find_own_study() is None:
        alone = form or "citizens"
        return (_result(lambda: _check_alone(file, alone, sheet), (out or Path.cwd()) / CHECK_FOLDER, alone),)
    study = load_study(study_path)
    for note in study.notes:
        warnings.warn(SipasWarning(note.key, **dict(note.fields)), stacklevel=2)
    folder = (out or study.output) / CHECK_FOLDER
    names = (study.survey(form).name,) if form else _surveys_of(study, file) if file else study.names
    if not names:
        study.survey()
    return tuple(_result(partial(check_survey, study, name, file, sheet=sheet), folder, name) for name in names)


def _surveys_of(study: Study, file: Path) -> tuple[str, ...]:
    """Return the survey that names this file as its own, or else the first."""
    own = [spec.name for spec in study.surveys if spec.file.resolve() == file.resolve()]
    return tuple(own[:1]) or study.names[:1]


def _result(check: Callable[[], CheckReport], folder: Path, name: str) -> CheckResult:
    try:
        report = check()
    except InputError as error:
        return CheckResult((write_refusal(error, folder, name),), error=error)
    return CheckResult(write_check(report, folder, name), report)


def _check_alone(file: Path, form: str, sheet: str) -> CheckReport:
    from sipas_research.survey.questionnaire_files import load_questionnaire, packaged_ids
    from sipas_research.survey.read import check_responses

    if form not in packaged_ids():
        raise OptionError("study.new.unknown_form", value=form, allowed=", ".join(packaged_ids()))

    def spec(kind: DataKind) -> SurveySpec:
        return SurveySpec(form, file, load_questionnaire(form), AgencyRegister(), kind, sheet=sheet)

    try:
        return check_responses(file, spec(DataKind.USER))
    except HonestyError:
        # Nothing is claimed here, so a file with the mark is checked as what it says it is.
        return check_responses(file, spec(DataKind.SIMULATED))
