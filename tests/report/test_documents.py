"""A small document in both languages and three formats."""

from __future__ import annotations

import dataclasses
import re
import zipfile
from pathlib import Path

import docx
import pytest
from docx.oxml.ns import qn

from sipas_research.errors import HonestyError, OptionError, OutputError, RunError
from sipas_research.report import (
    Chapter,
    Column,
    Document,
    Figure,
    Finding,
    Table,
    figure,
    theme,
    write_documents,
)
from sipas_research.report.conversion import FontWarning
from sipas_research.report.source import make_source, split_columns
from sipas_research.results import DataKind

SIMULATED, USER = DataKind.SIMULATED, DataKind.USER
MARKS = {"vi": "DỮ LIỆU MÔ PHỎNG", "en": "SIMULATED DATA"}


def picture(language: str, kind: DataKind) -> Figure:
    from matplotlib import pyplot as plt

    with theme.theme():
        drawing, axes = plt.subplots(figsize=(4, 2))
        axes.bar(["một", "hai"], [0.2, 0.8])
    return figure(drawing, id="fig-bars", title="Hai thanh", alt="Hai thanh đứng", language=language, data_kind=kind)


def table(
    language: str = "vi", kind: DataKind = USER, rows: int = 3, columns: int = 3, name: str = "tbl-alpha"
) -> Table:
    heads = (Column("a", "Đơn vị"), *(Column(f"c{i}", f"Cột số {i}", "percent") for i in range(1, columns)))
    body = tuple((f"Sở mô phỏng {i:02d}", *([0.8707] * (columns - 2)), float("nan")) for i in range(rows))
    return Table(name, "Chỉ số <b> *sao* #x", heads, body, language, kind, n=3000, source="khảo sát")


def document(language: str, kind: DataKind) -> Document:
    chapter = Chapter(
        "03_measurement",
        language,
        (
            "# Thang đo\n\nXem @tbl-alpha, @fig-bars và $\\alpha = \\frac{k}{k-1}$, thư ab@xyz.",
            "## Độ tin cậy",
            table(language, kind),
            picture(language, kind),
            Finding("f", "Kết quả (xem @tbl-alpha).", language, kind),
            "## Bảng dài",
            table(language, kind, rows=40, columns=10, name="tbl-long"),
        ),
    )
    front = "## Kết quả chính\n\nChỉ số là **87,07%**, xem @tbl-long."
    return Document("BÁO CÁO", "Khảo sát", "Tỉnh Mô phỏng", language, kind, front, (chapter,), "năm 2022")


@pytest.fixture(scope="module", params=[("vi", SIMULATED), ("en", USER)], ids=["vi-simulated", "en-user"])
def written(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Document, dict[str, Path]]:
    made = document(*request.param)
    folder = tmp_path_factory.mktemp("báo cáo") / "Khảo sát năm 2025"
    return made, {path.suffix[1:]: path for path in write_documents(made, folder, "bao_cao")}


def words(language: str) -> tuple[str, str, str]:
    return ("Bảng", "Hình", "MỤC LỤC") if language == "vi" else ("Table", "Figure", "CONTENTS")


def test_html_stands_alone(written: tuple[Document, dict[str, Path]]) -> None:
    made, paths = written
    page = paths["html"].read_text(encoding="utf-8")
    text = re.sub(r'"data:[^"]*"', "", page)
    table_word, figure_word, contents = words(made.language)
    assert f'<html lang="{made.language}">' in page
    assert not re.search(r'(?:src|href)="(?:https?:)?//', text)
    assert "<script" not in text
    assert not re.search(r"\bnan\b|\bNone\b", re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL), re.IGNORECASE)
    assert f"{table_word}\u00a01." in text
    assert f"{figure_word}\u00a01." in text
    assert contents in text
    assert f'<a href="#tbl-long">{table_word}\u00a02</a>' in text
    assert 'alt="Hai thanh đứng"' in text
    assert "Chỉ số &lt;b&gt; *sao* #x" in text
    assert "<math" in text
    assert (MARKS[made.language] in text) == made.data_kind.is_simulated
    for target in re.findall(r'href="#([^"]+)"', text):
        assert f'id="{target}"' in text


def test_word_page_and_header(written: tuple[Document, dict[str, Path]]) -> None:
    made, paths = written
    section = docx.Document(str(paths["docx"])).sections[0]
    assert [round(side.mm) for side in (section.page_width, section.page_height)] == [210, 297]
    margins = (section.left_margin, section.right_margin, section.top_margin, section.bottom_margin)
    assert [round(margin.mm) for margin in margins] == [30, 20, 20, 20]
    for header in (section.header, section.first_page_header):
        assert (MARKS[made.language] in header.paragraphs[0].text) == made.data_kind.is_simulated
    assert "PAGE" in section.header._element.xml


def test_word_contents_are_filled_and_linked(written: tuple[Document, dict[str, Path]]) -> None:
    made, paths = written
    body = docx.Document(str(paths["docx"])).element.body
    block = next(body.iter(qn("w:sdt")))
    links = list(block.iter(qn("w:hyperlink")))
    shown = ["".join(t.text for t in link.iter(qn("w:t"))) for link in links]
    assert shown == ["1. Thang đo", "1.1. Độ tin cậy", "1.2. Bảng dài"]
    assert words(made.language)[2] in "".join(t.text or "" for t in block.iter(qn("w:t")))
    bookmarks = {mark.get(qn("w:name")) for mark in body.iter(qn("w:bookmarkStart"))}
    anchors = {link.get(qn("w:anchor")) for link in body.iter(qn("w:hyperlink"))}
    assert anchors - {None} <= bookmarks
    assert {"tbl-alpha", "fig-bars", "tbl-long"} <= anchors
    assert not any(mark.get(qn("w:dirty")) for mark in body.iter(qn("w:fldChar")))


def test_word_tables_are_real_and_whole(written: tuple[Document, dict[str, Path]]) -> None:
    made, paths = written
    opened = docx.Document(str(paths["docx"]))
    short, long = opened.tables
    assert (len(short.rows), len(short.columns), len(long.rows), len(long.columns)) == (4, 3, 41, 10)
    assert short.cell(1, 1).text == ("87,07%" if made.language == "vi" else "87.07%")
    assert short.cell(1, 2).text == "–"
    for shown in (short, long):
        assert shown.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
        assert all(row._tr.trPr.find(qn("w:cantSplit")) is not None for row in shown.rows)
        widths = [int(column.get(qn("w:w"))) for column in shown._tbl.tblGrid.findall(qn("w:gridCol"))]
        assert 0 < sum(widths) <= 160 * 56.7 + len(widths)
    caption = next(p for p in opened.paragraphs if p.style.name == "Table Caption")
    assert caption.text.startswith(f"{words(made.language)[0]}\u00a01. Chỉ số <b> *sao* #x")
    assert (MARKS[made.language] in caption.text) == made.data_kind.is_simulated
    assert any(p.style.name == "Note" and p.text.startswith("n = 3") for p in opened.paragraphs)
    assert "Hai thanh đứng" in opened.element.xml


def test_pdf_is_an_archive_pdf(written: tuple[Document, dict[str, Path]]) -> None:
    content = written[1]["pdf"].read_bytes()
    assert content.startswith(b"%PDF-1.7")
    assert b"pdfaid" in content
    assert 10_000 < len(content) < 10_000_000


def test_same_input_same_bytes(written: tuple[Document, dict[str, Path]], tmp_path: Path) -> None:
    made, paths = written
    again = {path.suffix[1:]: path for path in write_documents(made, tmp_path, "khac")}
    for name, path in paths.items():
        assert path.read_bytes() == again[name].read_bytes(), name
    dates = {entry.date_time for entry in zipfile.ZipFile(paths["docx"]).infolist()}
    assert dates == {(1980, 1, 1, 0, 0, 0)}


def with_blocks(*blocks: object, kind: DataKind = USER) -> Document:
    chapter = Chapter("05_index", "vi", blocks)  # type: ignore[arg-type]
    return Document("T", "", "", "vi", kind, "x", (chapter,))


def test_references_and_ids_are_checked() -> None:
    with pytest.raises(RunError, match=r"'05_index'.*@tbl-missing.*tbl-alpha"):
        make_source(with_blocks("xem @tbl-missing", table()))
    with pytest.raises(RunError, match="tbl-alpha"):
        make_source(with_blocks(table(), table()))
    make_source(with_blocks("thư a@tbl-x.vn và @nguyen", table()))


def test_simulated_values_cannot_stand_in_another_document() -> None:
    with pytest.raises(HonestyError, match="tbl-alpha"):
        make_source(with_blocks(table(kind=SIMULATED), kind=DataKind.REAL))
    front = dataclasses.replace(with_blocks(), front_markdown=(table(kind=SIMULATED),))
    with pytest.raises(HonestyError):
        make_source(front)


def test_unknown_formats_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="docx, pdf, html"):
        write_documents(with_blocks(), tmp_path, "a", ("odt",))


def test_a_bad_formula_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"a\.html"):
        write_documents(with_blocks("$\\frac{1}{$"), tmp_path, "a", ("html",))


def test_hostile_text_is_printed_as_it_is(tmp_path: Path) -> None:
    odd = '=1 <i> *x* #let @a [b] $c$ "q" \\ `t` ::: {#x}'
    shown = Table("tbl-x", odd, (Column("a", odd),), ((odd,),), "vi", USER)
    finding = Finding("f", odd, "vi", USER)
    made = with_blocks(shown, finding, "@ab ![ảnh](http://example.com/a.png) <script>x</script>")
    paths = {path.suffix: path for path in write_documents(made, tmp_path, "a")}
    opened = docx.Document(str(paths[".docx"]))
    assert opened.tables[0].cell(1, 0).text == odd
    assert any(p.text.endswith(odd) for p in opened.paragraphs if p.style.name == "Finding")
    page = paths[".html"].read_text(encoding="utf-8")
    assert "<script" not in page
    assert "<img" not in page


def test_letters_missing_from_the_font_warn_and_still_print(tmp_path: Path) -> None:
    with pytest.warns(FontWarning, match=r"a\.pdf"):
        (path,) = write_documents(with_blocks("chữ 漢字"), tmp_path, "a", ("pdf",))
    assert path.read_bytes().startswith(b"%PDF")


def test_a_table_too_wide_is_split_with_its_first_column() -> None:
    parts = split_columns(table(columns=30))
    assert len(parts) > 1
    assert all(part.columns[0].id == "a" for part in parts)
    assert [c.id for part in parts for c in part.columns[1:]] == [f"c{i}" for i in range(1, 30)]
    assert "(tiếp theo)" in parts[1].title
    assert split_columns(table()) == (table(),)
