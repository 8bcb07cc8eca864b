"""Names, sources and reasons of the PAPI chapter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.evidence.papi import PapiPanel
from sipas_research.evidence.papi_facts import column_name, papi_facts
from sipas_research.report.display import Finding
from sipas_research.results import DataKind
from sipas_research.wording import text

Shown = TypeVar("Shown")
#: First year that the chapter's tables print: the eight dimensions begin.
SINCE = 2018


def papi_province(place: str, data_kind: DataKind) -> str:
    """Return the province of a study's place ("Tỉnh Lạng Sơn" gives "Lạng Sơn"); "" for an invented or unknown one.

    A simulated study never gets published figures beside it.
    """
    known = None if data_kind.is_simulated else papi_facts().find(place)
    return known.name.vi if known else ""


def papi_missing(province: str, language: str) -> Finding:
    """Return the reason why the chapter has no panel: no file was given, or the study is not tied to a province."""
    why = text(f"papi.missing.{'file' if province else 'province'}", language)
    return papi_reason("panel", why, DataKind.PUBLISHED, language)


def papi_reason(name: str, why: str, kind: DataKind, language: str) -> Finding:
    """Return a finding that names what could not be made and says why."""
    sentence = text("papi.reason", language, what=text(f"papi.what.{name}", language), reason=why.rstrip(".") + ".")
    return Finding(f"papi-reason-{name}", sentence, language, kind, role="reason")


def papi_attempt(
    build: Callable[[], Shown], name: str, panel: PapiPanel | Finding, language: str
) -> Shown | Finding | None:
    """Return what ``build`` makes; a reason where the statistic cannot be computed; None where there is no panel.

    The reason why there is no panel is shown once, at the head of the chapter.
    """
    if isinstance(panel, Finding):
        return None
    try:
        return build()
    except (AnalysisError, OptionError) as error:
        why = text(error.key, language, **error.fields)
        return papi_reason(name, why, panel.data_kind, language)


def source_of(panel: PapiPanel, language: str) -> str:
    """Return what stands after "Nguồn:"."""
    kind = text(f"common.kind.{panel.data_kind.value}", language)
    return text("papi.source", language, file=panel.source, kind=kind)


def common(panel: PapiPanel, language: str) -> dict[str, Any]:
    """Return what every table and figure of the chapter says about its data."""
    return {"language": language, "data_kind": panel.data_kind, "source": source_of(panel, language)}


def name_of(column: str, language: str) -> str:
    """Return a dimension's full name."""
    return column_name(column, language, full=True)


def short(column: str, language: str) -> str:
    """Return a dimension's number and short name, like "D5 Thủ tục hành chính"."""
    return column_name(column, language)


def number_of(column: str, language: str) -> str:
    """Return "D5" for the fifth dimension, the whole name of a part."""
    ids = papi_facts().dimension_ids
    return f"D{ids.index(column) + 1}" if column in ids else column_name(column, language)


def notes(language: str, *names: str, **fields: object) -> tuple[str, ...]:
    """Return some sentences of ``papi.note``."""
    return tuple(text(f"papi.note.{name}", language, **fields) for name in names)
