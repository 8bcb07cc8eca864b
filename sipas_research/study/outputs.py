"""The files of a study's results: documents, tables, figures; their names, and the list that ends a run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from sipas_research import report
from sipas_research.files import write_file, write_text
from sipas_research.report.source import carries_own_mark
from sipas_research.results import DataKind, weakest
from sipas_research.study.check_files import CHECK_FOLDER
from sipas_research.study.plan import RUNS_FOLDER, mark_suffix, safe_name
from sipas_research.study.study import Study
from sipas_research.survey.agencies import Agency
from sipas_research.wording import date, number, text

TABLES_FOLDER = "bang"
FIGURES_FOLDER = "hinh"
SCORECARDS_FOLDER = "phieu_don_vi"
_FOLDER_ORDER = {CHECK_FOLDER: 1, RUNS_FOLDER: 2, TABLES_FOLDER: 3, FIGURES_FOLDER: 4, SCORECARDS_FOLDER: 5}
STEMS = {"vi": "bao_cao", "en": "report"}


def write_report(
    study: Study, chapters: Sequence[report.Chapter], language: str, out: Path, *, sources: Iterable[str]
) -> tuple[Path, ...]:
    """Write the report in one language: documents, then each table and figure as a file of its own."""
    document = _document(study, chapters, language, study.title(language), "run.document.report", sources)
    stem = STEMS[language] + mark_suffix(document.data_kind, language)
    made: list[Path] = list(report.write_documents(document, out, stem))
    made += write_parts(chapters, language, out, state=results_state(study, language))
    return tuple(made)


def write_scorecard(
    study: Study, chapter: report.Chapter, agency: Agency, language: str, out: Path, *, sources: Iterable[str]
) -> tuple[Path, ...]:
    """Write one agency's scorecard in one language."""
    name, kind = agency.name(language), "run.document.scorecard"
    document = _document(study, [chapter], language, name, kind, sources, (agency.level,))
    tail = "" if language == "vi" else f"_{language}"
    stem = f"{safe_name(agency.code)}{tail}{mark_suffix(document.data_kind, language)}"
    return tuple(report.write_documents(document, out / SCORECARDS_FOLDER, stem))


def results_state(study: Study, language: str, levels: Iterable[str] | None = None) -> str:
    """Return how far a study's results have gone; of the levels named, or of all levels of its agencies."""
    wanted = {agency.level for agency in study.agencies.agencies} if levels is None else set(levels)
    return report.state_line(study.results_register(), study.year, wanted, language)


def write_parts(chapters: Iterable[report.Chapter], language: str, out: Path, *, state: str = "") -> list[Path]:
    """Write each table as .xlsx and each figure as .png and .svg; English files end in "_en".

    ``state`` stands in the files of tables, but for figures that others published.
    """
    tail = "" if language == "vi" else f"_{language}"
    made: list[Path] = []
    for chapter in chapters:
        for table in chapter.tables:
            name = f"{table.id}{tail}{mark_suffix(table.data_kind, language)}.xlsx"
            own = "" if table.data_kind is DataKind.PUBLISHED else state
            made.append(_write_table(table, out / TABLES_FOLDER / name, own))
        for figure in chapter.figures:
            place = out / FIGURES_FOLDER / f"{figure.id}{tail}{mark_suffix(figure.data_kind, language)}.png"
            made += _write_figure(figure, place)
    return made


def _write_table(table: report.Table, path: Path, state: str) -> Path:
    from sipas_research.report.excel import write_table_xlsx

    return write_table_xlsx(table, path, state=state)


def _write_figure(figure: report.Figure, path: Path) -> tuple[Path, Path]:
    png = write_file(path, lambda target: target.write_bytes(figure.png))
    return png, write_text(path.with_suffix(".svg"), figure.svg)


def front_page(
    study: Study,
    chapters: Sequence[report.Chapter],
    language: str,
    kind: DataKind,
    sources: Iterable[str],
    *,
    state: str = "",
    audience: Literal["council", "public"] = "council",
) -> str:
    """Return the first page of a study's document; ``audience`` is "council" or "public"."""
    from sipas_research.report.front import front_markdown

    published = _published_only(study, kind)
    own = _own_kinds(study)
    return front_markdown(
        chapters,
        language=language,
        data_kind=kind,
        place=study.place(language),
        year=None if published else study.year,
        sources=sources,
        provenance=_provenance(study, language),
        data_kinds=tuple(dict.fromkeys([*own, *([DataKind.PUBLISHED] if study.evidence else [])])),
        state="" if published else state,
        audience=audience,
    )


def _own_kinds(study: Study) -> list[DataKind]:
    # a study that still waits for its data shows published figures only
    return [study.data_kind] if study.has_data or not study.evidence else []


def _published_only(study: Study, kind: DataKind) -> bool:
    # the year in study.toml is that of a survey still to come; published figures are of many years
    return kind is DataKind.PUBLISHED and not study.has_data


def _document(
    study: Study,
    chapters: Sequence[report.Chapter],
    language: str,
    title: str,
    subtitle: str,
    sources: Iterable[str],
    levels: Iterable[str] | None = None,
) -> report.Document:
    parts = [s for c in chapters for part in (c.tables, c.figures, c.findings) for s in part]
    kind = weakest([*_own_kinds(study), *(s.data_kind for s in parts if not carries_own_mark(s.id))])
    published = _published_only(study, kind)
    year = text("run.document.year", language, year=str(study.year)) if study.year and not published else ""
    state = results_state(study, language, levels)
    return report.Document(
        title=title,
        subtitle=text(f"{subtitle}_published" if published else subtitle, language),
        place=study.place(language),
        language=language,
        data_kind=kind,
        front_markdown=front_page(study, chapters, language, kind, sources, state=state),
        chapters=tuple(chapters),
        date_line=year,
    )


def _provenance(study: Study, language: str) -> dict[str, str]:
    found = study.provenance
    dates = {"collected_from": found.collected_from, "collected_to": found.collected_to}
    shown = {name: date(day, language) if day else "" for name, day in dates.items()}
    return {"owner": found.owner, **shown, "decision": found.decision}


def list_files(paths: Iterable[Path], out: Path, language: str) -> str:
    """Return the list that ends a run, folder by folder, the documents last where the eye falls.

    Sizes stand beside the names; a file that got another name because the old one was open is pointed out.
    """
    made = list(paths)
    deepest_first = sorted(made, key=lambda p: (p.parent == out, _FOLDER_ORDER.get(p.parent.name, 0)))
    lines = [text("run.files.title", language, n=len(made), folder=out.name)]
    lines += [f"  {_relative(p, out)}  ({_size(p, language)})" for p in deepest_first]
    renamed = [p for p in made if re.search(r" \(\d+\)$", p.stem)]
    lines += [text("run.files.renamed", language, file=p.name) for p in renamed]
    return "\n".join(lines)


def _relative(path: Path, out: Path) -> str:
    return path.relative_to(out).as_posix() if path.is_relative_to(out) else path.name


def _size(path: Path, language: str) -> str:
    kilobytes = path.stat().st_size / 1024
    return f"{number(kilobytes, 0, language)} KB" if kilobytes < 1024 else f"{number(kilobytes / 1024, 1, language)} MB"
