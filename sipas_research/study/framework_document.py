"""``sipas framework``: the measurement framework of each level as a document to annex to a draft decision."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from sipas_research import report
from sipas_research.errors import OptionError
from sipas_research.files import clear_leftovers
from sipas_research.framework.file_names import FILE_NAMES
from sipas_research.framework.framework_spec import LEVELS, Framework, Level
from sipas_research.report.framework_front import framework_front
from sipas_research.report.framework_levels import valid_words
from sipas_research.report.source import carries_own_mark
from sipas_research.results import weakest
from sipas_research.study.plan import Plan, framework_plan, mark_suffix, validate
from sipas_research.study.report import check_study, languages
from sipas_research.study.resume import input_checksum
from sipas_research.study.run import execute, person_marks
from sipas_research.study.study import Study
from sipas_research.wording import text

#: The opening of the notebook ends at its first heading of level two; a document begins there.
_HEADING = re.compile(r"^##(?=#* )", re.MULTILINE)


def make_framework_documents(
    study: Study,
    levels: Iterable[Level] | None = None,
    *,
    language: str | None = None,
    out: Path | None = None,
    quiet: bool = True,
    resume: bool = False,
) -> tuple[Path, ...]:
    """Make the framework document of each level: Word, PDF and HTML, and the executed notebook.

    No survey data are needed; where the study has some, they give the frame sizes of its agencies.

    Parameters
    ----------
    study : Study
    levels : iterable of {"department", "district", "commune"}, optional
        None takes all three.
    language, out, quiet, resume
        As :func:`sipas_research.study.report.make_report`.

    Returns
    -------
    tuple of Path
        Documents first.

    Raises
    ------
    OptionError
        If a level is unknown.
    FrameworkError
        If a framework file of the study folder breaks a rule: file, sheet, row.
    DataFileError
        If the study has a data file and it is refused.
    RunError
        If the notebook fails.
    """
    wanted = tuple(dict.fromkeys(LEVELS if levels is None else levels))
    if unknown := [level for level in wanted if level not in LEVELS]:
        raise OptionError("framework_document.error.level", value=unknown[0], allowed=", ".join(LEVELS))
    chosen, place = languages(study, language), out or study.output
    clear_leftovers(place)
    # a document compares the three levels: each file is read before the first notebook runs
    frameworks = {level: study.framework(level) for level in LEVELS}
    plan = framework_plan(study, wanted, chosen, place)
    validate(plan)
    checked = check_study(study, place) if study.has_data else None
    executed = execute(
        plan,
        marks=person_marks(*(checked.responses.values() if checked else ())),
        folder=study.folder,
        quiet=quiet,
        inputs=input_checksum(study),
        resume=resume,
    )
    made = _documents(study, frameworks, plan, executed, place, quiet=quiet)
    return (*made, *executed, *(checked.files if checked else ()))


def _documents(
    study: Study,
    frameworks: dict[Level, Framework],
    plan: Plan,
    executed: Iterable[Path],
    out: Path,
    *,
    quiet: bool,
) -> list[Path]:
    from tqdm import tqdm

    steps = list(zip(plan.steps, executed, strict=True))
    label = text("run.progress.documents", "vi")
    made: list[Path] = []
    for step, path in tqdm(steps, desc=label, disable=quiet, file=sys.stderr, dynamic_ncols=True):
        framework = frameworks[dict(step.parameters)["level"]]
        chapter = report.read_chapter(path, step.language)
        document = framework_document(study, framework, chapter)
        made += report.write_documents(document, out, document_stem(framework, document, step.language))
    return made


def document_stem(framework: Framework, document: report.Document, language: str) -> str:
    """Return a document's file name without ending: "khung_do_luong_so", in English "khung_do_luong_so_en"."""
    tail = "" if language == "vi" else f"_{language}"
    return f"{Path(FILE_NAMES[framework.level]).stem}{tail}{mark_suffix(document.data_kind, language)}"


def framework_document(study: Study, framework: Framework, chapter: report.Chapter) -> report.Document:
    """Return the document of one executed notebook: its opening left out, its sections as chapters of their own."""
    language = chapter.language
    blocks = list(chapter.blocks)
    while blocks and not (isinstance(blocks[0], str) and blocks[0].startswith("## ")):
        blocks.pop(0)
    raised = tuple(_HEADING.sub("#", block) if isinstance(block, str) else block for block in _as_list(blocks))
    parts = [part for kind in (chapter.tables, chapter.figures, chapter.findings) for part in kind]
    kinds = [part.data_kind for part in parts if not carries_own_mark(part.id)]
    kind = weakest([study.data_kind, *kinds])
    subtitle = "subtitle_decided" if framework.status == "read" else "subtitle"
    return report.Document(
        title=framework.title(language),
        subtitle=text(f"framework_document.document.{subtitle}", language),
        place=study.place(language),
        language=language,
        data_kind=kind,
        front_markdown=framework_front(framework, language, simulated=kind.is_simulated),
        chapters=(replace(chapter, blocks=raised),),
        date_line=valid_words(framework, language),
    )


def _as_list(blocks: Iterable[report.Block]) -> Iterator[report.Block]:
    """Turn findings that follow each other into one list: a document of rules reports no findings."""
    for listed, group in groupby(blocks, lambda block: isinstance(block, report.Finding)):
        if listed:
            said = [block.text for block in group if isinstance(block, report.Finding)]
            yield said[0] if len(said) == 1 else "\n".join(f"- {line}" for line in said)
        else:
            yield from group
