"""A document as one pandoc Markdown text with its pictures: the single source of HTML, Word and PDF."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from itertools import pairwise

from sipas_research import wording
from sipas_research.errors import HonestyError, RunError
from sipas_research.report.cells import harmless
from sipas_research.report.display import Figure, Finding, Table
from sipas_research.report.executed import Block, Chapter
from sipas_research.report.table_markup import table_html
from sipas_research.report.widths import WIDE, Layout, breakable, for_note, height, layout
from sipas_research.results import DataKind

#: Tables with more rows than this may run over a page; shorter ones are kept whole.
LONG_TABLE = 14
#: A table higher than this on the page (mm) is long too: kept together it could lose its end.
_TALL_MM = 170.0
_LARGEST_SVG = 600_000  # a scatter of thousands of points is smaller as PNG
_REFERENCE = re.compile(r"(?<![\w@])@((?:tbl|fig)-[a-z0-9-]*[a-z0-9])")
#: Trial computations from invented numbers: in a document of any kind they carry the mark in their own caption.
_OWN_MARK = ("tbl-misgrading", "tbl-planned-errors", "tbl-example")
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~^$@\"'&:=])")


@dataclass(frozen=True, slots=True)
class Document:
    """What is printed, before it has a format.

    Attributes
    ----------
    title, subtitle, place, date_line : str
        The title block, plain text. ``date_line`` is given by the caller: nothing here reads a clock.
    language : str
        "vi" or "en".
    data_kind : DataKind
        Weakest kind of what the document holds; simulated documents carry the mark on each page.
    front_markdown : str or tuple
        Page one under the title block, before the contents: Markdown, or blocks with tables among them.
    chapters : tuple of Chapter
        From :func:`sipas_research.report.read_chapter`, or built by hand.
    """

    title: str
    subtitle: str
    place: str
    language: str
    data_kind: DataKind
    front_markdown: str | tuple[Block, ...]
    chapters: tuple[Chapter, ...]
    date_line: str = ""

    @property
    def front(self) -> Chapter:
        """The first page as a chapter."""
        blocks = (self.front_markdown,) if isinstance(self.front_markdown, str) else self.front_markdown
        return Chapter("", self.language, tuple(blocks))


@dataclass(frozen=True, slots=True)
class Source:
    """Markdown, metadata for pandoc's templates, and the picture files by name."""

    markdown: str
    metadata: dict[str, str | bool]
    media: dict[str, bytes] = field(repr=False)


def plain(text: str) -> str:
    """Escape text for Markdown: names that come from data must not turn into emphasis or links."""
    return _SPECIAL.sub(r"\\\1", " ".join(harmless(text).split()))


def prose(text: str, known: Iterable[str]) -> str:
    """Escape a finding's text for Markdown; references to what is in the document stay references."""
    identifiers = frozenset(known)
    pieces, last = [], 0
    for found in _REFERENCE.finditer(text):
        if found.group(1) in identifiers:
            pieces += [_spaced(text[last : found.start()]), found.group()]
            last = found.end()
    return "".join([*pieces, _spaced(text[last:])])


def _spaced(text: str) -> str:
    """Escape a part of a sentence; spaces at its ends stay."""
    return _SPECIAL.sub(r"\\\1", re.sub(r"\s+", " ", harmless(text)))


def carries_own_mark(identifier: str) -> bool:
    """Tell whether a table is simulated on purpose, whatever the study's data: its document need not be.

    Years simulated to see errors of grading, and the worked example of an index, are no data of the study.
    """
    return any(identifier == name or identifier.startswith(f"{name}-") for name in _OWN_MARK)


def make_source(document: Document) -> Source:
    """Put the parts of a document together.

    Raises
    ------
    RunError
        If an id is used twice or a reference points nowhere.
    HonestyError
        If something simulated stands in a document that does not say so.
    """
    parts = (document.front, *document.chapters)
    known = _identifiers(parts)
    media: dict[str, bytes] = {}
    texts: list[list[str]] = []
    for chapter in parts:
        _check_references(chapter, known, document.title)
        _check_kinds(chapter, document)
        texts.append([_block(block, media, known) for block in chapter.blocks])
    front, *bodies = ("\n\n".join(pieces) for pieces in texts)
    markdown = "\n\n".join([f":::::::: {{#front}}\n\n{front}\n\n::::::::", *bodies]) + "\n"
    return Source(markdown, _metadata(document), media)


def _identifiers(chapters: Iterable[Chapter]) -> frozenset[str]:
    seen: set[str] = set()
    for chapter in chapters:
        for identifier in [*(table.id for table in chapter.tables), *(figure.id for figure in chapter.figures)]:
            if identifier in seen:
                raise RunError("report.duplicate_id", identifier=identifier)
            seen.add(identifier)
    return frozenset(seen)


def _check_references(chapter: Chapter, known: frozenset[str], title: str) -> None:
    for block in chapter.blocks:
        # in a finding, names from data may look like a reference: there it is plain text
        for reference in _REFERENCE.findall(block if isinstance(block, str) else ""):
            if reference not in known:
                listed = ", ".join(sorted(known)) or wording.MISSING
                place = chapter.name or title
                raise RunError("report.unresolved_reference", chapter=place, reference=reference, known=listed)


def _check_kinds(chapter: Chapter, document: Document) -> None:
    if document.data_kind.is_simulated:
        return
    for block in chapter.blocks:
        if not isinstance(block, str) and block.data_kind.is_simulated and not _is_trial(block):
            declared = wording.Bilingual(
                *(wording.text(f"common.kind.{document.data_kind}", language) for language in wording.LANGUAGES)
            )
            raise HonestyError(
                "report.simulated_in_document",
                chapter=chapter.name or document.title,
                identifier=block.id,
                declared=declared,
            )


def _is_trial(block: Table | Figure | Finding) -> bool:
    return isinstance(block, Table) and carries_own_mark(block.id)


def _metadata(document: Document) -> dict[str, str | bool]:
    language = document.language
    place = " – ".join(part for part in (document.place, document.date_line) if part)
    shown = {
        "title": document.title,
        "subtitle": document.subtitle,
        "date": place,
        "toc-title": wording.text("report.contents", language),
        "disclaimer": wording.text("report.disclaimer", language),
        "word-table": wording.text("report.table", language),
        "word-figure": wording.text("report.figure", language),
        "mark": wording.text("common.mark.simulated", language) if document.data_kind.is_simulated else "",
    }
    metadata: dict[str, str | bool] = {name: plain(value) for name, value in shown.items() if value}
    return {**metadata, "lang": language, "short": len(document.chapters) <= 1}


def _block(block: Block, media: dict[str, bytes], known: frozenset[str]) -> str:
    if isinstance(block, str):
        return block
    if isinstance(block, Finding):
        label = wording.text(f"report.finding.{block.role}", block.language)
        return f"::: {{.finding .finding-{block.role}}}\n**{label}** {prose(block.text, known)}\n:::"
    html = _table_html(block) if isinstance(block, Table) else _figure_html(block, media)
    # a name with backticks of its own must not end the fence
    html = html.replace("`", "&#96;")
    return f"``````````{{=html}}\n{html}\n``````````"


def _note(line: str) -> str:
    return f"<p>{escape(line)}</p>" if line else ""


def _figure_html(figure: Figure, media: dict[str, bytes]) -> str:
    media[f"{figure.id}.png"] = figure.png
    vector = bool(figure.svg) and len(figure.svg) <= _LARGEST_SVG
    if vector:
        media[f"{figure.id}.svg"] = figure.svg.encode("utf-8")
    classes = "sipas-figure vector" if vector else "sipas-figure"
    return (
        f'<div class="{classes}"><figure id="{figure.id}">'
        f'<img src="media/{figure.id}.png" alt="{escape(figure.alt)}" style="width:{figure.width}" />'
        f"<figcaption>{escape(figure.caption)}</figcaption></figure>{_note(figure.note_line)}</div>"
    )


def _table_html(table: Table) -> str:
    parts = split_columns(replace(table, rows=table.printed()))
    plans = [_plan(part) for part in parts]
    size = min(plan.size for plan in plans)
    tall = max(height(part.rows, plan, table.note_line) for part, plan in zip(parts, plans, strict=True))
    long = " long" if len(table.rows) > LONG_TABLE or tall > _TALL_MM else ""
    wide = " tight" if any(len(part.columns) > WIDE for part in parts) else ""
    pieces = []
    for index, (part, plan) in enumerate(zip(parts, plans, strict=True)):
        markup = table_html(_breaking(part), widths=plan.widths)
        if index:
            markup = markup.replace(f'id="{table.id}" class="sipas"', 'class="continued"', 1)
        pieces.append(markup)
    return f'<div class="sipas-table{long}{wide} size-{size:.0f}">{"".join(pieces)}{_note(table.note_line)}</div>'


def _plan(table: Table) -> Layout:
    labels = [column.label for column in table.columns]
    return for_note(layout(labels, table.printed(), [column.width for column in table.columns]), table.note_line)


def _breaking(table: Table) -> Table:
    rows = tuple(tuple(breakable(cell) if isinstance(cell, str) else cell for cell in row) for row in table.rows)
    columns = tuple(replace(column, label=breakable(column.label)) for column in table.columns)
    return replace(table, rows=rows, columns=columns)


def split_columns(table: Table) -> tuple[Table, ...]:
    """Split a table too wide for the page into parts that each begin with the first column.

    Returns
    -------
    tuple of Table
        The table alone where it fits. All parts keep the table's id; later captions say that they continue it.
    """
    if len(table.columns) <= 2 or _plan(table).fits:
        return (table,)
    for count in range(2, len(table.columns)):
        parts = tuple(_part(table, group) for group in _groups(len(table.columns), count))
        if all(_plan(part).fits for part in parts):
            break
    rest = (replace(part, title=wording.text("report.continued", table.language, title=table.title)) for part in parts)
    return (parts[0], *list(rest)[1:])


def _groups(columns: int, parts: int) -> list[Sequence[int]]:
    """Deal the columns after the first to ``parts`` groups of nearly equal size, in order."""
    edges = [1 + round(index * (columns - 1) / parts) for index in range(parts + 1)]
    return [[0, *range(low, high)] for low, high in pairwise(edges)]


def _part(table: Table, indices: Sequence[int]) -> Table:
    columns = tuple(replace(table.columns[index], width=None) for index in indices)
    return replace(table, columns=columns, rows=tuple(tuple(row[index] for index in indices) for row in table.rows))
