"""The last hand on a Word document: filled contents, column widths, rows that stay whole, fixed bytes."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from sipas_research.report.conversion import run_pandoc
from sipas_research.report.reference_docx import CELL_STYLE, reference_docx
from sipas_research.report.source import LONG_TABLE
from sipas_research.report.widths import TEXT_WIDTH_MM, WIDE, layout

_TWIPS = 56.6929  # in a millimetre
_CELL_SIZE = 11.0  # points, of the template's cell style
# pandoc writes our template's words as document properties; nobody needs them there
_NO_PROPERTIES = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    b'<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/custom-properties"/>'
)
_MOMENT = (1980, 1, 1, 0, 0, 0)


def make_docx(folder: Path, name: str, mark: str) -> Path:
    """Return a finished Word document made from the folder's ``document.md``."""
    import docx

    (folder / "reference.docx").write_bytes(reference_docx(mark))
    arguments = ["--to=docx", "--number-sections", "--reference-doc=reference.docx", "--template=report.openxml"]
    raw = run_pandoc(folder, arguments, "document.docx", name=name)
    document = docx.Document(str(raw))
    for table in document.tables:
        _lay_out(table._tbl)
        _keep_together(table._tbl)
    _keep_figures(document)
    _dot_numbers(document)
    _fill_contents(document)
    buffer = io.BytesIO()
    document.save(buffer)
    raw.write_bytes(_fixed_archive(buffer.getvalue()))
    return raw


@cache
def _qn(name: str) -> str:
    from docx.oxml.ns import qn

    return str(qn(name))


def _new(name: str, **attributes: str) -> Any:
    from docx.oxml import OxmlElement

    element = OxmlElement(f"w:{name}")
    for key, value in attributes.items():
        element.set(_qn(f"w:{key}"), value)
    return element


def _text(element: Any) -> str:
    return "".join(piece.text or "" for piece in element.iter(_qn("w:t")))


def _lay_out(table: Any) -> None:
    """Set widths on grid and cells: Word works them out itself, LibreOffice and mail previews do not."""
    rows = table.findall(_qn("w:tr"))
    cells = [row.findall(_qn("w:tc")) for row in rows]
    columns = table.find(_qn("w:tblGrid")).findall(_qn("w:gridCol"))
    if not rows or any(len(row) != len(columns) for row in cells):
        return  # a Markdown table with joined cells keeps what pandoc gave
    texts = [[_text(cell) for cell in row] for row in cells]
    plan = layout(texts[0], texts[1:], _given_shares(columns, table))
    twips = [round(share * TEXT_WIDTH_MM * _TWIPS) for share in plan.widths]
    for column, width in zip(columns, twips, strict=True):
        column.set(_qn("w:w"), str(width))
    properties = table.find(_qn("w:tblPr"))
    _replace(properties, "tblW", {"type": "dxa", "w": str(sum(twips))})
    _replace(properties, "jc", {"val": "center"})
    _replace(properties, "tblLayout", {"type": "fixed"})
    if len(columns) > WIDE:
        _tighten(properties)
    for row in cells:
        for cell, width in zip(row, twips, strict=True):
            _set_cell(cell, width, plan.size)
    for cell in cells[0]:
        _centre(cell)


def _given_shares(columns: Sequence[Any], table: Any) -> tuple[float, ...]:
    """Return the shares that the source asked for, as pandoc passed them on; none where it asked for nothing."""
    whole = table.find(_qn("w:tblPr")).find(_qn("w:tblW"))
    if whole is None or whole.get(_qn("w:type")) != "pct":
        return ()
    widths = [float(column.get(_qn("w:w"), "0")) for column in columns]
    share = float(whole.get(_qn("w:w"))) / 5000
    return tuple(width / sum(widths) * share for width in widths) if sum(widths) > 0 and share > 0 else ()


def _replace(properties: Any, name: str, attributes: dict[str, str]) -> None:
    """Put one table property in the place the schema wants."""
    for old in properties.findall(_qn(f"w:{name}")):
        properties.remove(old)
    order: tuple[str, ...] = (
        "tblStyle",
        "tblpPr",
        "tblOverlap",
        "bidiVisual",
        "tblStyleRowBandSize",
        "tblStyleColBandSize",
        "tblW",
    )
    order += ("jc", "tblCellSpacing", "tblInd", "tblBorders", "shd", "tblLayout")
    before = {_qn(f"w:{known}") for known in order[: order.index(name)]}
    place = max((index + 1 for index, child in enumerate(properties) if child.tag in before), default=0)
    properties.insert(place, _new(name, **attributes))


def _tighten(properties: Any) -> None:
    """Narrow the cell margins of a table with many columns to a millimetre."""
    margins = _new("tblCellMar")
    for side in ("left", "right"):
        margins.append(_new(side, w=str(round(_TWIPS)), type="dxa"))
    look = properties.find(_qn("w:tblLook"))
    if look is None:
        properties.append(margins)
    else:
        look.addprevious(margins)


def _set_cell(cell: Any, width: int, size: float) -> None:
    properties = cell.find(_qn("w:tcPr"))
    if properties is None:
        properties = _new("tcPr")
        cell.insert(0, properties)
    for old in properties.findall(_qn("w:tcW")):
        properties.remove(old)
    properties.insert(0, _new("tcW", type="dxa", w=str(width)))
    for old in properties.findall(_qn("w:vAlign")):
        properties.remove(old)
    properties.append(_new("vAlign", val="center"))
    for paragraph in cell.findall(_qn("w:p")):
        paragraph.style = CELL_STYLE
    if size >= _CELL_SIZE:
        return
    for run in cell.iter(_qn("w:r")):
        run_properties = run.get_or_add_rPr()
        for name in ("sz", "szCs"):
            run_properties.append(_new(name, val=str(round(size * 2))))


def _centre(cell: Any) -> None:
    for paragraph in cell.findall(_qn("w:p")):
        properties = paragraph.get_or_add_pPr()
        for old in properties.findall(_qn("w:jc")):
            properties.remove(old)
        properties.append(_new("jc", val="center"))


def _keep_together(table: Any) -> None:
    """No row breaks inside; a short table stays whole, a long one keeps its last rows with the note below it."""
    rows = table.findall(_qn("w:tr"))
    follows = table.getnext()
    noted = follows is not None and follows.tag == _qn("w:p") and _style_of(follows) == "Note"
    short = len(rows) <= LONG_TABLE + 1
    for index, row in enumerate(rows):
        row.get_or_add_trPr().insert(0, _new("cantSplit"))
        last = index == len(rows) - 1
        kept = noted if last else short or index < 2 or index >= len(rows) - 3
        if kept:
            for paragraph in row.iter(_qn("w:p")):
                _keep_next(paragraph)


def _keep_figures(document: Any) -> None:
    """Keep caption and note together; say that pictures have no margin, which LibreOffice invents otherwise."""
    for inline in document.element.body.iter(_qn("wp:inline")):
        for side in "TBLR":
            inline.set(f"dist{side}", "0")
    for paragraph in document.element.body.iter(_qn("w:p")):
        follows = paragraph.getnext()
        if _style_of(paragraph) == "ImageCaption" and follows is not None and _style_of(follows) == "Note":
            _keep_next(paragraph)


def _keep_next(paragraph: Any) -> None:
    properties = paragraph.get_or_add_pPr()
    if properties.find(_qn("w:keepNext")) is None:
        properties.insert(1 if properties.find(_qn("w:pStyle")) is not None else 0, _new("keepNext"))


def _style_of(element: Any) -> str:
    properties = element.find(_qn("w:pPr"))
    style = properties.find(_qn("w:pStyle")) if properties is not None else None
    return "" if style is None else str(style.get(_qn("w:val")))


def _dot_numbers(document: Any) -> None:
    """Write heading numbers as "1." and "1.1." with a space, as Vietnamese documents do."""
    for paragraph in document.paragraphs:
        # looking up the style of each run of a long document takes seconds
        if not _style_of(paragraph._p).startswith("Heading"):
            continue
        for run in paragraph.runs:
            if run.style.name == "Section Number":
                run.text = run.text.rstrip(".") + "."
                follows = run._r.getnext()
                if follows is not None and follows.find(_qn("w:tab")) is not None:
                    tab = follows.find(_qn("w:tab"))
                    space = _new("t")
                    space.text = " "
                    space.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
                    follows.replace(tab, space)


def _headings(document: Any) -> list[tuple[int, str, str]]:
    """Return level, text and bookmark of each numbered heading of the contents' two levels."""
    found = []
    for paragraph in document.paragraphs:
        level = re.fullmatch(r"Heading ([12])", paragraph.style.name)
        if not level or not any(run.style.name == "Section Number" for run in paragraph.runs):
            continue
        bookmark = paragraph._p.find(_qn("w:bookmarkStart"))
        before = paragraph._p.getprevious()
        while bookmark is None and before is not None and before.tag == _qn("w:bookmarkStart"):
            bookmark, before = before, before.getprevious()
        name = "" if bookmark is None else bookmark.get(_qn("w:name"))
        found.append((int(level[1]), " ".join(paragraph.text.split()), name))
    return found


def _fill_contents(document: Any) -> None:
    """Put the entries inside the contents field; pandoc leaves it empty and asks Word to update it.

    The entries carry links and no page numbers, which only a program that lays out pages can know.
    """
    body = document.element.body
    block = next(body.iter(_qn("w:sdt")), None)
    if block is None:
        return
    content = block.find(_qn("w:sdtContent"))
    field = content.findall(_qn("w:p"))[-1]
    if sum(level == 1 for level, _, _ in _headings(document)) > 1:  # one chapter follows its short contents
        _start_page(block.getnext())
    run = field.find(_qn("w:r"))
    for mark in run.findall(_qn("w:fldChar")):
        mark.attrib.pop(_qn("w:dirty"), None)
    end = list(run)[-1]
    run.remove(end)
    for placeholder in run.findall(_qn("w:t")):
        run.remove(placeholder)
    last = field
    for index, (level, text, bookmark) in enumerate(_headings(document)):
        entry = field if index == 0 else _new("p")
        if index:
            last.addnext(entry)
        _write_entry(entry, level, text, bookmark)
        last = entry
    closing = _new("r")
    closing.append(end)
    last.append(closing)


def _write_entry(entry: Any, level: int, text: str, bookmark: str) -> None:
    style = _new("pPr")
    style.append(_new("pStyle", val=f"TOC{level}"))
    for old in entry.findall(_qn("w:pPr")):
        entry.remove(old)
    entry.insert(0, style)
    link = _new("hyperlink", anchor=bookmark, history="1")
    run, words = _new("r"), _new("t")
    words.text = text
    run.append(words)
    link.append(run)
    entry.append(link)


def _start_page(element: Any) -> None:
    """Begin a page at this paragraph (or at the first one behind bookmarks)."""
    while element is not None and element.tag not in {_qn("w:p"), _qn("w:tbl")}:
        element = element.getnext()
    if element is None or element.tag != _qn("w:p"):
        return
    properties = element.get_or_add_pPr()
    place = 1 if properties.find(_qn("w:pStyle")) is not None else 0
    properties.insert(place + len(properties.findall(_qn("w:keepNext"))), _new("pageBreakBefore"))


def _fixed_archive(content: bytes) -> bytes:
    """Write the archive again with one date for every part."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name in source.namelist():
            entry = zipfile.ZipInfo(name, _MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # the same on Windows and Linux
            archive.writestr(entry, _NO_PROPERTIES if name == "docProps/custom.xml" else source.read(name))
    return target.getvalue()
