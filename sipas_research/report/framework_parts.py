"""What the tables of the framework document share: their kind, the words of a status, joined lists."""

from __future__ import annotations

from collections.abc import Iterable

from sipas_research.framework.framework_spec import Framework, Status
from sipas_research.report.display import Column, Table
from sipas_research.results import DataKind
from sipas_research.wording import Bilingual, text

TOPIC = "framework_document"
#: Rules, criteria and forms are words of a file, not figures of a survey: they carry no mark.
RULES = DataKind.PUBLISHED
#: What stands in a form where somebody will write.
BLANK = "…………"


def said(key: str, language: str, **fields: object) -> str:
    """Return a phrase of this document's topic."""
    return text(f"{TOPIC}.{key}", language, **fields)


def status_words(framework: Framework, status: Status, language: str) -> str:
    """Return what stands in the column "status": that a text was read, or what is not yet known about it."""
    return framework.label(status, language) or said("basis.read", language)


def listed(phrases: Iterable[Bilingual | str], language: str) -> str:
    """Return phrases in one line, between semicolons."""
    return "; ".join(p if isinstance(p, str) else p(language) for p in phrases)


def rules_table(
    name: str,
    columns: Iterable[tuple[str, float]],
    rows: Iterable[tuple[object, ...]],
    language: str,
    *,
    section: str = "",
    title: str = "",
    notes: tuple[str, ...] = (),
    centred: frozenset[str] = frozenset(),
    bold: tuple[int, ...] = (),
) -> Table:
    """Return a table of words.

    Parameters
    ----------
    name : str
        End of the table's id; with ``section`` also its place in the catalogue.
    columns : pairs of a label's name in the section, share of the text width
    """
    place = section or name
    return Table(
        f"tbl-framework-{name}",
        title or said(f"{place}.title", language),
        tuple(
            Column(label, said(f"{place}.{label}", language), align="center" if label in centred else None, width=width)
            for label, width in columns
        ),
        tuple(rows),
        language,
        RULES,
        notes=notes,
        total_rows=bold,
    )
