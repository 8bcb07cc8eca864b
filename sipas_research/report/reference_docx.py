"""The Word template: A4, margins 30/20/20/20, Times New Roman 13, the mark and the page number in the header."""

from __future__ import annotations

import io
import subprocess
from functools import cache
from typing import Any

from sipas_research.report.conversion import pandoc_program

FONT = "Times New Roman"
CELL_STYLE = "TableCell"
_SIZE = 13
_MARK_COLOUR = "7F1D1D"
_STYLES_KEPT = {"Verbatim Char", "Source Code"}


@cache
def reference_docx(mark: str) -> bytes:
    """Return the reference document for pandoc, with ``mark`` in the header of each page ("" for none)."""
    import docx

    command = [pandoc_program(), "--print-default-data-file", "reference.docx"]
    default = subprocess.run(command, capture_output=True, check=True).stdout
    document = docx.Document(io.BytesIO(default))
    _fonts(document)
    _paragraph_styles(document)
    _own_styles(document)
    _contents_styles(document)
    _table_style(document)
    _page(document, mark)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def _set_font(properties: Any) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    fonts = properties.find(qn("w:rFonts"))
    if fonts is None:
        fonts = OxmlElement("w:rFonts")
        properties.insert(0, fonts)
    for name in list(fonts.attrib):
        del fonts.attrib[name]
    for name in ("ascii", "hAnsi", "cs", "eastAsia"):
        fonts.set(qn(f"w:{name}"), FONT)


def _fonts(document: Any) -> None:
    """Replace the theme's fonts in every style: Word would prefer them to ours."""
    from docx.oxml.ns import qn

    defaults = document.styles.element.find(qn("w:docDefaults"))
    _set_font(defaults.find(qn("w:rPrDefault")).find(qn("w:rPr")))
    for style in document.styles:
        properties = style.element.find(qn("w:rPr"))
        if style.name not in _STYLES_KEPT and properties is not None and properties.find(qn("w:rFonts")) is not None:
            _set_font(properties)


def _style(
    document: Any,
    name: str,
    *,
    size: float = _SIZE,
    bold: bool | None = None,
    italic: bool | None = None,
    align: str | None = None,
    before: float = 0,
    after: float = 6,
    line: float | None = None,
    first_line: float | None = None,
    keep_next: bool | None = None,
) -> None:
    from docx.enum.style import WD_STYLE_TYPE
    from docx.enum.text import WD_PARAGRAPH_ALIGNMENT
    from docx.shared import Mm, Pt, RGBColor

    known = {style.name for style in document.styles}
    style = document.styles[name] if name in known else document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
    _set_font(style.element.get_or_add_rPr())
    style.font.size, style.font.color.rgb = Pt(size), RGBColor(0, 0, 0)
    style.font.bold, style.font.italic = bold, italic
    paragraph = style.paragraph_format
    paragraph.space_before, paragraph.space_after = Pt(before), Pt(after)
    if align is not None:
        paragraph.alignment = WD_PARAGRAPH_ALIGNMENT[align]
    if line is not None:
        paragraph.line_spacing = line
    if first_line is not None:
        paragraph.first_line_indent = Mm(first_line)
    if keep_next is not None:
        paragraph.keep_with_next = keep_next


def _paragraph_styles(document: Any) -> None:
    from docx.oxml.ns import qn

    _style(document, "Normal")
    for name in ("Body Text", "First Paragraph"):
        _style(document, name, align="JUSTIFY", line=1.2, first_line=10)
    _style(document, "Compact", after=3, align="JUSTIFY", line=1.15)
    _style(document, "Title", size=16, bold=True, align="CENTER", before=6)
    _style(document, "Subtitle", size=14, bold=False, align="CENTER")
    _style(document, "Date", bold=False, italic=True, align="CENTER")
    for level, size in ((1, 14), (2, 13), (3, 13), (4, 13)):
        _style(
            document, f"Heading {level}", size=size, bold=True, italic=level >= 3, before=12, after=6, keep_next=True
        )
    _style(document, "Table Caption", bold=False, italic=False, align="CENTER", before=8, after=4, keep_next=True)
    _style(document, "Image Caption", bold=False, italic=False, align="CENTER", before=2, after=4, keep_next=True)
    _style(document, "Captioned Figure", align="CENTER", before=8, keep_next=True)
    _style(document, "TOC Heading", size=14, bold=True, align="CENTER", before=18, after=8)
    link = document.styles["Hyperlink"]
    link.font.color.rgb = document.styles["Normal"].font.color.rgb
    link.font.underline = False
    subtitle = document.styles["Subtitle"].element.get_or_add_rPr()
    for spacing in subtitle.findall(qn("w:spacing")):
        subtitle.remove(spacing)


def _own_styles(document: Any) -> None:
    from docx.shared import Mm

    _style(document, "Table Cell", size=11, before=1, after=1, align="LEFT", line=1.0, first_line=0)
    document.styles["Table Cell"].element.set(_qualified("styleId"), CELL_STYLE)
    _style(document, "Note", size=11, align="LEFT", before=3, after=10, line=1.0, first_line=0)
    _style(document, "Finding", align="JUSTIFY", before=4, after=6, line=1.15, first_line=0)
    document.styles["Finding"].paragraph_format.left_indent = Mm(4)
    _border(document.styles["Finding"], {"left": ("18", "8", "1A4480")}, fill="F5F8FC")
    _style(document, "Disclaimer", size=12, align="JUSTIFY", before=6, after=8, line=1.0, first_line=0)
    _border(document.styles["Disclaimer"], dict.fromkeys(("top", "left", "bottom", "right"), ("4", "4", "4B5563")))


def _border(style: Any, sides: dict[str, tuple[str, str, str]], *, fill: str = "") -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    properties = style.element.get_or_add_pPr()
    borders = OxmlElement("w:pBdr")
    for side, (size, space, colour) in sides.items():
        borders.append(_edge(side, size=size, space=space, colour=colour))
    place = next((i for i, child in enumerate(properties) if child.tag in _after_border()), len(properties))
    properties.insert(place, borders)
    if fill:
        shade = OxmlElement("w:shd")
        for name, value in (("val", "clear"), ("color", "auto"), ("fill", fill)):
            shade.set(qn(f"w:{name}"), value)
        properties.insert(place + 1, shade)


def _after_border() -> set[str]:
    """Return what the schema wants behind a paragraph's borders."""
    from docx.oxml.ns import qn

    return {qn(f"w:{name}") for name in ("shd", "tabs", "spacing", "ind", "contextualSpacing", "jc", "outlineLvl")}


def _edge(side: str, *, size: str, space: str, colour: str) -> Any:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    edge = OxmlElement(f"w:{side}")
    for name, value in (("val", "single"), ("sz", size), ("space", space), ("color", colour)):
        edge.set(qn(f"w:{name}"), value)
    return edge


def _contents_styles(document: Any) -> None:
    """Add the styles of the table of contents, which pandoc's own template lacks."""
    from docx.enum.style import WD_STYLE_TYPE
    from docx.shared import Mm, Pt

    for level in (1, 2):
        style = document.styles.add_style(f"toc {level}", WD_STYLE_TYPE.PARAGRAPH, builtin=True)
        style.element.set(_qualified("styleId"), f"TOC{level}")
        style.base_style = document.styles["Normal"]
        style.font.bold = level == 1
        style.paragraph_format.left_indent = Mm(6 * (level - 1))
        style.paragraph_format.space_after = Pt(3)


def _qualified(name: str) -> str:
    from docx.oxml.ns import qn

    return str(qn(f"w:{name}"))


def _table_style(document: Any) -> None:
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls, qn

    style = document.styles["Table"].element
    for old in (*style.findall(qn("w:tblStylePr")), *style.findall(qn("w:tblPr"))):
        style.remove(old)
    edges = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="4B5563"/>'
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    style.append(
        parse_xml(
            f'<w:tblPr {nsdecls("w")}><w:jc w:val="center"/><w:tblBorders>{edges}</w:tblBorders>'
            '<w:tblCellMar><w:left w:w="85" w:type="dxa"/><w:right w:w="85" w:type="dxa"/></w:tblCellMar></w:tblPr>'
        )
    )
    style.append(
        parse_xml(
            f'<w:tblStylePr {nsdecls("w")} w:type="firstRow"><w:rPr><w:b/></w:rPr><w:tcPr>'
            '<w:shd w:val="clear" w:color="auto" w:fill="EEF2F7"/><w:vAlign w:val="center"/></w:tcPr></w:tblStylePr>'
        )
    )


def _page(document: Any, mark: str) -> None:
    """Set paper and margins; the mark stands on each page, the number from page two (Decree 30/2020)."""
    from docx.shared import Mm

    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin, section.right_margin = Mm(30), Mm(20)
    section.top_margin, section.bottom_margin = Mm(20), Mm(20)
    section.header_distance = Mm(10)
    section.different_first_page_header_footer = True
    _header(section.header, mark, page_number=True)
    _header(section.first_page_header, mark, page_number=False)


def _header(header: Any, mark: str, *, page_number: bool) -> None:
    from docx.enum.text import WD_TAB_ALIGNMENT
    from docx.shared import Mm, Pt, RGBColor

    header.is_linked_to_previous = False
    paragraph = header.paragraphs[0]
    paragraph.paragraph_format.tab_stops.add_tab_stop(Mm(80), WD_TAB_ALIGNMENT.CENTER)
    paragraph.paragraph_format.first_line_indent = Mm(0)
    if mark:
        run = paragraph.add_run(mark)
        run.font.bold, run.font.size, run.font.color.rgb = True, Pt(11), RGBColor.from_string(_MARK_COLOUR)
    if page_number:
        _page_field(paragraph.add_run("\t"))


def _page_field(run: Any) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Pt

    run.font.size = Pt(12)
    for step in ("begin", None, "end"):
        if step is None:
            piece = OxmlElement("w:instrText")
            piece.set(qn("xml:space"), "preserve")
            piece.text = " PAGE "
        else:
            piece = OxmlElement("w:fldChar")
            piece.set(qn("w:fldCharType"), step)
        run._r.append(piece)
