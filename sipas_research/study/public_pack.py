"""The public pack: what may leave the office once a year's results were signed, in a folder of its own.

Index, ranks and classes, and each agency's scorecard without what stays between the agency and those who compute:
suggested measures, other years, the appeal sheet. Nothing is written before every level's results were signed.
"""

from __future__ import annotations

import csv
import hashlib
import io
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from shutil import copyfile

from sipas_research import report
from sipas_research.errors import AnalysisError, ReleaseError
from sipas_research.files import clear_leftovers, write_file, write_text
from sipas_research.framework.class_result import Classification
from sipas_research.framework.classes import classify
from sipas_research.framework.dossier import Dossier, dossiers
from sipas_research.framework.framework_spec import LEVELS, Level
from sipas_research.framework.index import SatisfactionIndex, satisfaction_index
from sipas_research.framework.ranks import AgencyRanks, rank_sets
from sipas_research.framework.results_register import ResultsRegister, require_public
from sipas_research.framework.weights import deciding_index
from sipas_research.report.design_limits import design_limit
from sipas_research.report.scorecard_parts import scorecard_parts
from sipas_research.report.scorecard_standing import standing_findings
from sipas_research.results import weakest
from sipas_research.study.outputs import SCORECARDS_FOLDER, front_page, results_state, write_parts
from sipas_research.study.plan import mark_suffix, safe_name
from sipas_research.study.study import Study, scorecard_agencies
from sipas_research.survey.responses import Responses
from sipas_research.wording import text

PACK_FOLDER = "cong_bo"
STEMS = {"vi": "ket_qua_cong_bo", "en": "published_results"}
MANIFEST = "danh_muc.csv"
#: Parts of a scorecard that the public may read; the others stay in the office.
PUBLIC_PARTS = ("index", "figure", "standing", "items")


@dataclass(frozen=True, slots=True, eq=False)
class _Results:
    """What the pack says, computed once for both languages."""

    responses: Responses
    everyone: SatisfactionIndex
    by_agency: SatisfactionIndex
    ranks: dict[Level, AgencyRanks]
    classes: dict[Level, Classification]
    cards: tuple[Dossier, ...]


def make_public_pack(
    study: Study, *, language: str | None = None, out: Path | None = None, quiet: bool = True
) -> tuple[Path, ...]:
    """Make the public pack of the study's year.

    Parameters
    ----------
    study : Study
    language : str, optional
        "vi", "en" or "both"; None takes the languages that the study names.
    out : Path, optional
        Folder that gets the folder ``cong_bo``; None takes :attr:`Study.output`.
    quiet : bool
        No progress bar.

    Returns
    -------
    tuple of Path
        Files made, the list of files with their checksums last. Files of an earlier pack that this one does not hold
        are removed.

    Raises
    ------
    ReleaseError
        If the results of a level were not signed, the study names no year, an agency has no level, or the file has
        no agency: nothing is written then.
    DataFileError, HonestyError
        If the data file is refused.
    """
    from sipas_research.study.report import check_survey, languages

    chosen = languages(study, language)
    register = study.results_register()
    if study.year is None:
        raise ReleaseError("publish.error.no_year", file=study.path.name)
    if not study.surveys or not study.has_data:
        raise ReleaseError("publish.error.no_data", file=study.path.name)
    require_public(register, study.year, _declared(study) or LEVELS)
    from sipas_research.survey.read import accepted

    answers = accepted(check_survey(study, study.names[0]), stacklevel=3)
    current = study.current(answers)
    require_public(register, study.year, _levels(current))
    results = _results(study, current, answers, register)
    folder = (out or study.output) / f"{PACK_FOLDER}{mark_suffix(study.data_kind)}"
    with tempfile.TemporaryDirectory(prefix="sipas-") as temporary:
        made: list[Path] = []
        for code in chosen:
            made += _write(study, results, register, code, Path(temporary), quiet=quiet)
        return _deliver(made, Path(temporary), folder)


def _declared(study: Study) -> tuple[Level, ...]:
    held = {agency.level for agency in study.agencies.agencies}
    return tuple(level for level in LEVELS if level in held)


def _levels(answers: Responses) -> tuple[Level, ...]:
    """Return the levels of the agencies with answers.

    Raises
    ------
    ReleaseError
        If there is no agency, or one without a level: nobody can sign its results.
    """
    if not answers.has("agency"):
        raise ReleaseError("publish.error.no_agency", file=answers.source)
    level_of: dict[str, str] = {a.code: a.level for a in answers.agencies.agencies}
    found = {level_of.get(str(code), "other") for code in answers.frame["agency"].dropna().unique()}
    if not found <= set(LEVELS):
        raise ReleaseError("publish.error.undeclared", file=answers.source)
    return tuple(level for level in LEVELS if level in found)


def _results(study: Study, current: Responses, answers: Responses, register: ResultsRegister) -> _Results:
    by_agency = satisfaction_index(current, by="agency")
    ranks: dict[Level, AgencyRanks] = {}
    classes: dict[Level, Classification] = {}
    for level in _levels(current):
        # a form that measures no satisfaction has no framework, hence no classes
        framework = study.framework(level) if current.questionnaire.measures_satisfaction else None
        index = deciding_index(current, framework, by_agency)
        if index.estimation.families.count(level) > 1:
            with suppress(AnalysisError):
                ranks[level] = rank_sets(index, family=level)
        if framework is not None:
            classes[level] = classify(index, framework, family=level, year=study.year)
    cards = dossiers(
        current,
        answers,
        scorecard_agencies(current),
        year=study.year,
        framework=study.framework,
        actions=study.actions(),
        register=register,
    )
    return _Results(current, satisfaction_index(current), by_agency, ranks, classes, cards)


def _write(
    study: Study, results: _Results, register: ResultsRegister, language: str, folder: Path, *, quiet: bool
) -> list[Path]:
    from tqdm import tqdm

    chapter = _chapter(study, results, language)
    state = results_state(study, language, _levels(results.responses))
    made = _documents(study, chapter, language, folder, STEMS[language], study.title(language), state)
    made += write_parts([chapter], language, folder, state=state)
    label = text("run.progress.documents", "vi")
    for dossier in tqdm(results.cards, desc=label, disable=quiet, file=sys.stderr, dynamic_ncols=True):
        card = _card(dossier, results.responses, register, study.year, language)
        agency = results.responses.agencies.name(dossier.agency, language)
        own = results_state(study, language, (dossier.card.agency_level,))
        tail = "" if language == "vi" else f"_{language}"
        stem = f"{safe_name(dossier.agency)}{tail}"
        made += _documents(study, card, language, folder / SCORECARDS_FOLDER, stem, agency, own)
    return made


def _chapter(study: Study, results: _Results, language: str) -> report.Chapter:
    answers, year = results.responses, study.year
    shown: list[object] = [
        text("publish.chapter.index", language),
        report.index_table(results.everyone, answers, year, language),
        report.agency_table(results.by_agency, answers, year, language),
    ]
    if results.ranks:
        shown += [text("publish.chapter.ranks", language)]
        shown += [report.rank_table(found, answers, language) for found in results.ranks.values()]
    if results.classes:
        shown += [text("publish.chapter.classes", language)]
    for level, found in results.classes.items():
        shown += [
            report.bands_table(found.bands, answers.data_kind, language, family=level),
            report.class_table(found, answers, language),
        ]
    findings = (
        *report.index_findings(results.everyone, results.by_agency, answers, language),
        *report.family_findings(results.ranks, results.classes, answers, language),
    )
    shown += [text("publish.chapter.findings", language), *report.in_order(*findings)]
    return report.Chapter(PACK_FOLDER, language, _blocks(shown))


def _card(
    dossier: Dossier, answers: Responses, register: ResultsRegister, year: int | None, language: str
) -> report.Chapter:
    parts = scorecard_parts(dossier, answers, language, register=register, year=year)
    shown: list[object] = [text("publish.chapter.card", language)]
    shown += [_without_annex(piece, language) for name in PUBLIC_PARTS for piece in parts[name]]
    findings = (
        *report.scorecard_findings(dossier.card, answers, language),
        *standing_findings(dossier, answers, language),
        *design_limit(answers, language),
    )
    shown += [text("publish.chapter.card_findings", language), *report.in_order(*findings)]
    return report.Chapter(dossier.agency, language, _blocks(shown))


def _without_annex(piece: object, language: str) -> object:
    """Point a reader of the pack to its table of classes: the annex with every step stays in the office."""
    if not isinstance(piece, report.Table):
        return piece
    inside, outside = (text(key, language) for key in ("scorecard.standing.note_class", "publish.note.classes"))
    return replace(piece, notes=tuple(outside if note == inside else note for note in piece.notes))


def _blocks(shown: Iterable[object]) -> tuple[report.Block, ...]:
    return tuple(s for s in shown if isinstance(s, str | report.Table | report.Figure | report.Finding))


def _documents(
    study: Study, chapter: report.Chapter, language: str, folder: Path, stem: str, title: str, state: str
) -> list[Path]:
    kinds = [s.data_kind for part in (chapter.tables, chapter.figures, chapter.findings) for s in part]
    kind = weakest([study.data_kind, *kinds])
    source = study.survey(study.names[0]).source
    document = report.Document(
        title=title,
        subtitle=text("publish.subtitle", language),
        place=study.place(language),
        language=language,
        data_kind=kind,
        front_markdown=front_page(study, [chapter], language, kind, [source], state=state, audience="public"),
        chapters=(chapter,),
        date_line=text("run.document.year", language, year=str(study.year)),
    )
    return report.write_documents(document, folder, stem + mark_suffix(kind, language))


def _deliver(made: Sequence[Path], work: Path, folder: Path) -> tuple[Path, ...]:
    """Put the finished files in place, take away those of an earlier pack, and write the list of files last."""
    clear_leftovers(folder)
    earlier = _listed(folder)
    (folder / MANIFEST).unlink(missing_ok=True)
    names = [path.relative_to(work).as_posix() for path in made]
    landed = [write_file(folder / n, partial(copyfile, p)) for n, p in zip(names, made, strict=True)]
    kept = {path.relative_to(folder).as_posix() for path in landed}
    for name in earlier - kept:
        (folder / name).unlink(missing_ok=True)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["tep", "sha256"])
    for path in sorted(landed):
        writer.writerow([path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()])
    return (*landed, write_text(folder / MANIFEST, buffer.getvalue()))


def _listed(folder: Path) -> set[str]:
    """Return the files of an earlier pack, as its list names them; nothing outside the folder."""
    path = folder / MANIFEST
    if not path.is_file():
        return set()
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))[1:]
    root = folder.resolve()
    return {row[0] for row in rows if row and (folder / row[0]).resolve().is_relative_to(root)}
