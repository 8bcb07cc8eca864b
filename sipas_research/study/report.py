"""From a study to its report and its scorecards: check, plan, run, write."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sipas_research.errors import (
    DataFileError,
    HonestyError,
    InputError,
    OptionError,
    SipasWarning,
    StudyError,
)
from sipas_research.files import clear_leftovers
from sipas_research.study.check_files import CHECK_FOLDER, write_check, write_refusal
from sipas_research.study.outputs import write_report
from sipas_research.study.plan import SCORECARD, Plan, Step, report_plan, validate
from sipas_research.study.resume import files_of, input_checksum
from sipas_research.study.run import execute, person_marks
from sipas_research.study.study import Study
from sipas_research.wording import LANGUAGES, text

if TYPE_CHECKING:
    from sipas_research.report import Chapter
    from sipas_research.survey.read import CheckReport
    from sipas_research.survey.responses import Responses

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True, eq=False)
class _Checked:
    """Answers by survey, and the files that tell what the check found."""

    responses: Mapping[str, Responses]
    files: tuple[Path, ...]

    @property
    def first(self) -> Responses:
        """Answers of the first survey: the one that scorecards are about."""
        return next(iter(self.responses.values()))

    @property
    def sources(self) -> tuple[str, ...]:
        """Where the numbers come from, for the first page."""
        return tuple(r.source for r in self.responses.values())


def make_report(
    study: Study,
    *,
    language: str | None = None,
    out: Path | None = None,
    papi: Path | None = None,
    quiet: bool = True,
    resume: bool = False,
) -> tuple[Path, ...]:
    """Make the report of a study: documents, tables, figures, executed notebooks, one sample scorecard.

    A study of published figures whose data file is not there yet gets the chapters on published figures only.

    Parameters
    ----------
    study : Study
    language : str, optional
        "vi", "en" or "both"; None takes the languages that the study names.
    out : Path, optional
        Folder for the results; None takes :attr:`Study.output`.
    papi : Path, optional
        The user's file of PAPI scores, for a study of published figures.
    quiet : bool
        No progress bar.
    resume : bool
        Keep the notebooks of an earlier run that were made from the same inputs.

    Returns
    -------
    tuple of Path
        Files made, documents first.

    Raises
    ------
    DataFileError, HonestyError
        If a data file is refused; what is wrong stands in ``kiem_tra`` too.
    HonestyError, StudyError
        If ``papi`` is given for a simulated study, or for one that does not show published figures.
    RunError
        If the plan or a notebook fails.
    """
    chosen, place = languages(study, language), out or study.output
    clear_leftovers(place)
    check_papi(study, papi)
    validate(report_plan(study, chosen, place, papi=papi))
    checked = check_study(study, place)
    plan = plan_report(study, checked, chosen, place, papi=papi)
    executed = _execute(plan, study, checked, place, quiet=quiet, resume=resume)
    read = _chapters(plan, executed)
    made: list[Path] = []
    for code in _progress(chosen, quiet=quiet):
        chapters = [chapter for step, chapter in read if step.language == code]
        made += write_report(study, chapters, code, place, sources=_sources(study, checked, papi, code))
    cards = [path for step, path in zip(plan.steps, executed, strict=True) if step.name == SCORECARD]
    made += [file for path in cards for file in files_of(path)]
    return (*made, *executed, *checked.files)


def languages(study: Study, language: str | None) -> tuple[str, ...]:
    """Return the languages meant by an option: "vi", "en", "both" or None (what the study names)."""
    if language is None:
        return study.languages
    if language == "both":
        return LANGUAGES
    if language not in LANGUAGES:
        raise OptionError("run.unknown_language", value=language, allowed=", ".join((*LANGUAGES, "both")))
    return (language,)


def check_papi(study: Study, papi: Path | None) -> None:
    """Refuse a PAPI file that cannot be used, or that would stand where published figures may not."""
    from sipas_research.evidence.papi import read_papi

    if papi is None:
        return
    if study.data_kind.is_simulated:
        raise HonestyError("study.papi_beside_simulated", file=study.path.name)
    if not study.evidence:
        raise StudyError("study.papi_without_evidence", file=study.path.name)
    if not papi.is_file():
        raise DataFileError("run.papi_missing", file=papi.name)
    if read_papi(papi).data_kind.is_simulated:
        raise HonestyError("run.papi_simulated", file=papi.name)


def plan_report(study: Study, checked: _Checked, chosen: Iterable[str], out: Path, *, papi: Path | None = None) -> Plan:
    """Return the plan of the report, with a sample scorecard; a warning says why there is none."""
    agency = ""
    if checked.responses:
        try:
            agency = study.first_agency(study.current(checked.first))
        except StudyError as error:
            if error.key not in ("study.no_scorecard_agency", "study.no_agency_column"):
                raise
            warnings.warn(SipasWarning(error.key, **error.fields), stacklevel=2)
    return report_plan(study, chosen, out, agency=agency, papi=papi)


def _sources(study: Study, checked: _Checked, papi: Path | None, language: str) -> tuple[str, ...]:
    """Return where the numbers come from, for the first page."""
    published = (text("run.document.published", language),) if study.evidence else ()
    return (*published, *((papi.name,) if papi else ()), *checked.sources)


def check_study(study: Study, out: Path) -> _Checked:
    """Check every data file of the study and write what was found to ``kiem_tra``.

    Raises
    ------
    StudyError
        If the study names no survey, or a file is not there.
    DataFileError
        If a file is refused or a question waits for the user: with the list.
    ReleaseError
        If the register of results breaks a rule.
    """
    # a register of results that breaks a rule is told before anything runs
    study.results_register()
    if study.evidence and not study.has_data:
        return _Checked({}, ())
    if not study.surveys:
        study.survey()
    from sipas_research.survey.read import accepted

    responses: dict[str, Responses] = {}
    files: list[Path] = []
    for name in study.names:
        try:
            report = check_survey(study, name)
        except InputError as error:
            write_refusal(error, out / CHECK_FOLDER, name)
            raise
        files += write_check(report, out / CHECK_FOLDER, name)
        responses[name] = accepted(report, stacklevel=4)
    return _Checked(responses, tuple(files))


def check_survey(study: Study, name: str, file: Path | None = None, *, sheet: str = "") -> CheckReport:
    """Check one survey's data file, or another file or sheet as if it were that one."""
    from sipas_research.survey.read import check_responses

    chosen, spec = file or study.data_file(name), study.survey(name)
    return check_responses(chosen, replace(spec, file=chosen, sheet=sheet) if sheet else spec)


def _execute(plan: Plan, study: Study, checked: _Checked, out: Path, *, quiet: bool, resume: bool) -> tuple[Path, ...]:
    """Run the plan; what its scorecard shows is computed before, so that the notebook only reads it."""
    from sipas_research.study.scorecard_plan import prepare_scorecards

    marks, inputs = person_marks(*checked.responses.values()), input_checksum(study)
    cards = [step for step in plan.steps if step.name == SCORECARD]
    ready: tuple[Step, ...] = ()
    if cards:
        codes = dict.fromkeys(str(dict(step.parameters)["agency"]) for step in cards)
        spoken = dict.fromkeys(step.language for step in cards)
        found = prepare_scorecards(study, checked.first, codes, spoken, out, marks=marks, inputs=inputs, resume=resume)
        ready = found.steps
    whole = Plan((*(step for step in plan.steps if step.name != SCORECARD), *ready))
    return execute(whole, marks=marks, folder=study.folder, quiet=quiet, inputs=inputs, resume=resume)


def _chapters(plan: Plan, executed: tuple[Path, ...]) -> list[tuple[Step, Chapter]]:
    from sipas_research.report import read_chapter

    pairs = zip(plan.steps, executed, strict=True)
    return [(step, read_chapter(path, step.language)) for step, path in pairs if step.name != SCORECARD]


def _progress(chosen: Iterable[str], *, quiet: bool) -> Iterable[str]:
    from tqdm import tqdm

    label = text("run.progress.documents", "vi")
    return tqdm(list(chosen), desc=label, disable=quiet, file=sys.stderr, dynamic_ncols=True)
