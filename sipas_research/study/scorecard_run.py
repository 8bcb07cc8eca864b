"""``sipas scorecards``: one scorecard an agency in three formats, two processes, resumable, a manifest written last."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from sipas_research.errors import AgencyError
from sipas_research.files import clear_leftovers, write_text
from sipas_research.study.outputs import SCORECARDS_FOLDER
from sipas_research.study.plan import scorecard_plan
from sipas_research.study.report import check_study, languages
from sipas_research.study.resume import files_of, input_checksum
from sipas_research.study.run import execute, person_marks
from sipas_research.study.scorecard_plan import prepare_scorecards, scorecards_file
from sipas_research.study.study import Study, no_scorecard, scorecard_agencies
from sipas_research.study.study_file import near
from sipas_research.survey.responses import Responses
from sipas_research.wording import LANGUAGES, text

MANIFEST = "danh_muc.csv"
_COLUMNS = ("file", "agency", "language", "size", "sum", "inputs")
#: What a spreadsheet would take for a formula at the beginning of a cell.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def make_scorecards(
    study: Study,
    *,
    agencies: Iterable[str] | None = None,
    language: str | None = None,
    out: Path | None = None,
    quiet: bool = True,
    resume: bool = False,
) -> tuple[Path, ...]:
    """Make one scorecard an agency.

    What all of them show is computed once; each notebook reads its part. Documents are written in the process that ran
    the notebook, which lands after them, and the manifest comes last: a run that was stopped leaves whole files only.

    Parameters
    ----------
    study : Study
    agencies : iterable of str, optional
        Codes of the register; None takes every agency that can have one.
    language : str, optional
        "vi", "en" or "both"; None takes the languages that the study names.
    out : Path, optional
        Folder for the results; None takes :attr:`Study.output`.
    quiet : bool
        No progress bar.
    resume : bool
        Keep the scorecards of an earlier run that were made from the same inputs.

    Returns
    -------
    tuple of Path
        Documents, the manifest, executed notebooks, what the check found.

    Raises
    ------
    AgencyError
        If an agency is unknown, has fewer than 10 forms or its figures are withheld.
    StudyError
        If no agency can have a scorecard.
    RunError
        If the plan or a notebook fails.
    """
    chosen, place = languages(study, language), out or study.output
    clear_leftovers(place)
    checked = check_study(study, place)
    codes = _agencies(study.current(checked.first), agencies)
    marks, inputs = person_marks(*checked.responses.values()), input_checksum(study)
    plan = prepare_scorecards(study, checked.first, codes, chosen, place, marks=marks, inputs=inputs, resume=resume)
    executed = execute(plan, marks=marks, folder=study.folder, quiet=quiet, inputs=inputs, resume=resume)
    documents = tuple(file for path in executed for file in files_of(path))
    data = [file for code in chosen if (file := scorecards_file(study, place, code)).is_file()]
    manifest = write_manifest(study, checked.first.agencies.codes(), place, inputs)
    return (*documents, *data, manifest, *executed, *checked.files)


def write_manifest(study: Study, codes: Iterable[str], out: Path, inputs: str) -> Path:
    """Write the list of all scorecards that stand in the folder whole and are made from the same inputs of the study.

    One row a file: file, agency, language, size, SHA-256 of the file, checksum of the inputs. Scorecards of an earlier
    run that no longer fit the inputs are not listed.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([text(f"scorecard.manifest.{name}", "vi") for name in _COLUMNS])
    for step in scorecard_plan(study, LANGUAGES, out, agencies=codes).steps:
        agency = str(dict(step.parameters)["agency"])
        for file, checksum in files_of(step.output, study=inputs).items():
            row = (file.name, agency, step.language, file.stat().st_size, checksum, inputs)
            writer.writerow([_inert(cell) for cell in row])
    return write_text(out / SCORECARDS_FOLDER / MANIFEST, buffer.getvalue(), encoding="utf-8-sig")


def _inert(cell: object) -> object:
    """Return a cell that no spreadsheet runs as a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _agencies(answers: Responses, wanted: Iterable[str] | None) -> tuple[str, ...]:
    enough = scorecard_agencies(answers)
    if wanted is None:
        if not enough:
            raise no_scorecard(answers)
        return enough
    known = answers.agencies.codes()
    chosen = tuple(dict.fromkeys(wanted))
    for code in chosen:
        if code not in known:
            suggestion = near(code, known) or ", ".join(known[:12])
            raise AgencyError("run.unknown_agency", value=code, known=suggestion)
        if code not in enough:
            raise AgencyError("run.agency_too_small", value=code, allowed=", ".join(enough[:12]) or "–")
    return chosen
