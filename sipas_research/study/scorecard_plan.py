"""Scorecards made ready to run: computed once for all agencies, a file a language, a step for each notebook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sipas_research.study.notebook_check import PersonMarks
from sipas_research.study.outputs import SCORECARDS_FOLDER, write_scorecard
from sipas_research.study.plan import (
    SCORECARD,
    Plan,
    Step,
    declared_parameters,
    mark_suffix,
    notebook_path,
    scorecard_plan,
    validate,
)
from sipas_research.study.scorecard_content import compute_scorecards
from sipas_research.study.scorecard_file import FILE_STEM, scorecard_sums, write_scorecards_file
from sipas_research.study.study import Study
from sipas_research.survey.agencies import Agency
from sipas_research.survey.responses import Responses
from sipas_research.wording import Bilingual

#: The parameter of the notebook that names the file; a study folder's own older copy may have none, and computes.
_DATA = "data"


@dataclass(frozen=True, slots=True)
class WriteScorecard:
    """Makes the documents of one executed scorecard."""

    study: Study
    agency: Agency
    language: str
    out: Path
    sources: tuple[str, ...]

    def __call__(self, executed: Path) -> tuple[Path, ...]:
        """Read the chapter and write it as HTML, Word and PDF."""
        from sipas_research.report import read_chapter

        chapter = read_chapter(executed, self.language)
        return write_scorecard(self.study, chapter, self.agency, self.language, self.out, sources=self.sources)


def scorecards_file(study: Study, out: Path, language: str) -> Path:
    """Return where the file with what all scorecards show in one language stands."""
    tail = "" if language == "vi" else f"_{language}"
    return out / SCORECARDS_FOLDER / f"{FILE_STEM}{tail}{mark_suffix(study.data_kind)}.json"


def prepare_scorecards(
    study: Study,
    everyone: Responses,
    agencies: Iterable[str],
    languages: Iterable[str],
    out: Path,
    *,
    marks: PersonMarks,
    inputs: str,
    resume: bool = False,
) -> Plan:
    """Compute what scorecards show, write it to a file a language, and return the plan of notebooks and documents.

    Parameters
    ----------
    study : Study
    everyone : Responses
        Answers of all years to the survey that scorecards are about.
    agencies, languages : iterable of str
    out : Path
        Folder of the results.
    marks : PersonMarks
        What would give a person away in the file.
    inputs : str
        Checksum of the study's inputs.
    resume : bool
        Keep the files of an earlier run that were made from the same inputs and hold these scorecards.

    Raises
    ------
    RunError
        If the plan cannot be run: nothing is computed then.
    AgencyError, AnalysisError, HonestyError
        As :func:`compute_scorecards` and :func:`write_scorecards_file` say.
    """
    codes, chosen = tuple(agencies), tuple(languages)
    plan = scorecard_plan(study, chosen, out, agencies=codes)
    validate(plan)
    if _DATA in declared_parameters(notebook_path(study, SCORECARD)):
        files = {language: scorecards_file(study, out, language) for language in chosen}
        sums = {card: s for f in files.values() for card, s in scorecard_sums(f, inputs).items()} if resume else {}
        if not {(code, language) for code in codes for language in chosen} <= set(sums):
            cards = compute_scorecards(study, everyone, codes, chosen)
            for language, file in files.items():
                own = [card for card in cards if card.language == language]
                kind = everyone.data_kind
                files[language], found = write_scorecards_file(file, own, data_kind=kind, marks=marks, inputs=inputs)
                sums |= found
        plan = Plan(tuple(_reading(step, files[step.language], sums) for step in plan.steps))
    return Plan(tuple(_finishing(step, study, everyone, out) for step in plan.steps))


def _reading(step: Step, file: Path, sums: Mapping[tuple[str, str], str]) -> Step:
    """Let a step read the file; its own line is what it is made from."""
    agency = str(dict(step.parameters)["agency"])
    parameters = (*step.parameters, (_DATA, str(file.resolve())))
    return replace(step, parameters=parameters, inputs=sums[agency, step.language])


def _finishing(step: Step, study: Study, everyone: Responses, out: Path) -> Step:
    code = str(dict(step.parameters)["agency"])
    # Where the study has no register, the one made from the data holds the names.
    agency = everyone.agencies.get(code) or Agency(code, Bilingual(code))
    finish = WriteScorecard(study, agency, step.language, out, (everyone.source,))
    return replace(step, finish=finish)
