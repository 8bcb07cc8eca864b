"""The first page: main values, the kind of data, what may and may not be concluded, how to read the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal

from sipas_research.framework.framework_spec import LEVELS
from sipas_research.framework.results_register import ResultsRegister
from sipas_research.report.display import Finding
from sipas_research.report.executed import Chapter
from sipas_research.report.source import plain, prose
from sipas_research.results import DataKind
from sipas_research.wording import text

_FIRST = ("index", "scorecard", "ledger", "claim", "quality", "measurement")
_GUIDE = ("interval", "overlap", "suppressed", "dash", "share", "conventions", "numbers")
_GUIDE_PUBLISHED = ("verdicts", "readings", "breaks", "margin", "dash", "numbers")
#: Said before a chapter's first coefficient and, shorter, at its end: the first page takes the shorter one.
_OPENING = frozenset({"models-cross-section"})


def state_line(register: ResultsRegister, year: int | None, levels: Iterable[str], language: str) -> str:
    """Return how far the results have gone on their way to publication, a sentence a level.

    Parameters
    ----------
    register : ResultsRegister
        An empty one where nothing was registered: then every result is a draft.
    year : int or None
        Year of the results; without one the register cannot tell, and they are a draft.
    levels : iterable of str
        Levels of the agencies that the results are about; what is no level of the register is passed over.
    """
    if year is None:
        return text("register.line.no_year", language)
    known = [level for level in LEVELS if level in set(levels)]
    if not known:
        return text("register.line.no_level", language, year=str(year))
    return " ".join(register.line(year, level, language) for level in known)


def front_markdown(
    chapters: Iterable[Chapter],
    *,
    language: str,
    data_kind: DataKind,
    place: str,
    year: int | None,
    sources: Iterable[str],
    provenance: Mapping[str, str],
    data_kinds: tuple[DataKind, ...] = (),
    state: str = "",
    audience: Literal["council", "public"] = "council",
) -> str:
    """Return the Markdown of the page for the council and the reading guide.

    Parameters
    ----------
    chapters : iterable of Chapter
        Their findings of role "main" become the main results, "limit" and "reason" their own lists.
    data_kind : DataKind
        Weakest kind of everything in the document.
    place : str
        Province or area, already in ``language``.
    year : int or None
        Year of the report; None prints "not stated", or nothing where every figure is a published one.
    sources : iterable of str
        Names of the data files.
    provenance : mapping
        "owner", "collected_from", "collected_to" and "decision", used for real data.
    data_kinds : tuple of DataKind
        Every kind that stands in the document, where a survey and published figures stand in chapters of their own;
        each is described. Empty means ``data_kind`` alone.
    state : str
        What :func:`state_line` says of the results; "" where they are others' published figures.
    audience : "council" or "public"
        Whose page it is.
    """
    listed = tuple(chapters)
    known = [t.id for chapter in listed for t in chapter.tables] + [f.id for c in listed for f in c.figures]
    found = [f for chapter in listed for f in chapter.findings if f.id not in _OPENING]
    findings = [replace(f, text=prose(f.text, known)) for f in found]
    # published figures are of many years: the study's year is that of a survey still to come
    published = data_kind is DataKind.PUBLISHED and year is None
    when = {} if published else {"year": str(year) if year else text("front.no_year", language)}
    guide = _GUIDE_PUBLISHED if published else _GUIDE
    kinds = data_kinds or (data_kind,)
    said = {name: _words(value) for name, value in provenance.items()}
    parts = [
        _heading(f"{audience}_heading", language),
        text(
            "front.about_published" if published else "front.about",
            language,
            place=plain(place) if place else text("front.no_year", language),
            **when,
            sources=plain(", ".join(sources)) or text("front.no_year", language),
        ),
        *([f"{_bold('state_heading', language)}. {plain(state)}"] if state else []),
        _heading("values_heading", language, level=3),
        _list(sorted(findings, key=_order), "main") or text("front.no_values", language),
        *(_paragraph(name, kinds, language, said) for name in ("kind", "may", "may_not")),
        *_titled_list("limits_heading", findings, "limit", language),
        *_titled_list("reasons_heading", findings, "reason", language),
        _heading("guide_heading", language),
        "\n".join(f"- {text(f'front.guide.{name}', language)}" for name in guide),
    ]
    return "\n\n".join(parts) + "\n"


def _words(value: str) -> str:
    return plain(str(value))


def _order(finding: Finding) -> int:
    """Put what the council asks first in front: the index, then who answered, then reliability."""
    return next((place for place, name in enumerate(_FIRST) if finding.id.startswith(name)), len(_FIRST))


def _heading(name: str, language: str, *, level: int = 2) -> str:
    return f"{'#' * level} {text(f'front.{name}', language)} {{.unnumbered .unlisted}}"


def _bold(name: str, language: str) -> str:
    return f"**{text(f'front.{name}', language)}**"


def _paragraph(name: str, kinds: tuple[DataKind, ...], language: str, said: Mapping[str, str]) -> str:
    sentences = [text(f"front.{name}.{kind.value}", language, **said) for kind in kinds]
    return f"{_bold(f'{name}_heading', language)}. {' '.join(dict.fromkeys(sentences))}"


def _list(findings: Iterable[Finding], role: str) -> str:
    lines = dict.fromkeys(f.text for f in findings if f.role == role)
    return "\n".join(f"- {line}" for line in lines)


def _titled_list(name: str, findings: list[Finding], role: str, language: str) -> list[str]:
    listed = _list(findings, role)
    return [_heading(name, language, level=3), listed] if listed else []
