"""Names and comments that attack: nothing runs, nothing is fetched, nothing turns the reading direction."""

import re
import unicodedata
import zipfile
from dataclasses import replace
from xml.etree import ElementTree

import openpyxl
import pytest

import sipas_research as sr
from sipas_research import report, resources
from sipas_research.report import Chapter, Column, Document, Finding, Table
from sipas_research.results import DataKind
from sipas_research.study.plan import safe_name
from sipas_research.survey.agencies import AgencyRegister
from sipas_research.wording import Bilingual

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "`<script>alert(2)</script>`{=html}",
    "x\n```{=html}\n<script>alert(3)</script>\n```",
    "x\n``````````\n# Mục giả\n\n<script>alert(4)</script>",
    "[bấm](javascript:alert(1))",
    "<javascript:alert(1)>",
    "![x](http://example.invalid/x.png)",
    "![x](/etc/passwd)",
    "![x](../../bi_mat.png)",
    "</td></tr></table><h1>x",
    "=cmd|'/C calc'!A0",
    '=HYPERLINK("http://example.invalid","x")',
    "+1+2",
    "-1+2",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\r=1+1",
    "{=1+1}",
    "Sở \u202egpj.exe",
    "Sở \u2066x\u2069 \u200f",
    "bell\x07\x01\x0b",
    "$\\badmath{$ và $x$",
    "@tbl-khong-co và @fig-x",
    ":::: {.front}\nx",
    "a | b\n---|---",
    "&lt;b&gt; &amp; &#x202e;",
    "x" * 10_000,
    "từ " * 3_000,
)
SEEN_MARKS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\x00-\x08\x0b\x0c\x0e-\x1f]")


def hostile(place, tail=""):
    return Bilingual(HOSTILE[place % len(HOSTILE)] + tail)


@pytest.fixture(scope="module")
def shown():
    """Every table, figure and finding of the index, the ranks and a scorecard, over hostile names."""
    study = sr.load_study(resources.data("twin", "study.toml"))
    people = study.current(study.responses("citizens"))
    agencies = tuple(replace(a, name=hostile(k, f" {k}")) for k, a in enumerate(people.agencies.agencies))
    form = people.questionnaire
    form = replace(
        form,
        title=hostile(5),
        scales=tuple(replace(s, name=hostile(k, " ")) for k, s in enumerate(form.scales)),
        questions=tuple(replace(q, text=hostile(k)) for k, q in enumerate(form.questions)),
    )
    people = replace(people, agencies=AgencyRegister(agencies, "x.csv", True), questionnaire=form, source=HOSTILE[2])
    index, by_agency = sr.satisfaction_index(people), sr.satisfaction_index(people, by="agency")
    ranks = sr.rank_sets(by_agency, family="department", draws=1000)
    card = sr.scorecard(people, "so_03")
    return (
        report.index_table(index, people, 2022, "vi"),
        report.agency_table(by_agency, people, 2022, "vi"),
        report.component_figure(index, people, "vi"),
        report.rank_table(ranks, people, "vi"),
        report.scorecard_table(card, people, "vi"),
        report.scorecard_items_table(card, people, "vi"),
        *report.index_findings(index, by_agency, people, "vi"),
        *report.scorecard_findings(card, people, "vi"),
        *(Finding(f"f-{k}", f"Ý kiến: {words}", "vi", people.data_kind) for k, words in enumerate(HOSTILE)),
    )


@pytest.fixture(scope="module")
def written(shown, tmp_path_factory):
    # a reference that points nowhere is refused before anything is made: names in findings are no references
    blocks = tuple(b for b in shown if not (isinstance(b, Finding) and "@tbl" in b.text))
    chapter = Chapter("c", "vi", blocks)
    made = Document(HOSTILE[0], HOSTILE[5], HOSTILE[2], "vi", DataKind.SIMULATED, "Trang đầu", (chapter,))
    folder = tmp_path_factory.mktemp("ra")
    return {p.suffix[1:]: p for p in report.write_documents(made, folder, "thu", ("html", "docx"))}


def test_html_runs_nothing_and_fetches_nothing(written):
    page = re.sub(r'"data:[^"]*"', '""', written["html"].read_text(encoding="utf-8"))
    assert not re.search(r"<\s*(script|iframe|object|embed|form)\b", page, re.IGNORECASE)
    assert not re.search(r"<[^>]*\son\w+\s*=", page, re.IGNORECASE)
    assert not re.search(r"""(?:href|src)\s*=\s*["']?\s*(?:javascript|data|vbscript|file):""", page, re.IGNORECASE)
    assert not re.search(r'<img[^>]*src="(?!")', page)
    assert "root:" not in page
    assert "alert(1)" in page, "the words themselves stay readable"
    assert not SEEN_MARKS.search(page)
    assert page.count("<h1") <= 2, "a name makes no heading"


def test_docx_is_sound_and_links_nowhere(written):
    with zipfile.ZipFile(written["docx"]) as archive:
        for name in archive.namelist():
            if name.endswith((".xml", ".rels")):
                ElementTree.fromstring(archive.read(name))
        links = archive.read("word/_rels/document.xml.rels").decode()
        body = archive.read("word/document.xml").decode()
    assert "javascript" not in links
    assert "passwd" not in links
    assert not re.search(r'Type="[^"]*/image" [^>]*TargetMode="External"', links)
    instructions = re.findall(r"<w:instrText[^>]*>([^<]*)<", body)
    assert all(re.match(r"\s*(TOC|SEQ|PAGE|HYPERLINK|REF|PAGEREF)\b", i) for i in instructions)
    assert not SEEN_MARKS.search(body)


def test_sheets_hold_texts_not_formulas(shown, tmp_path):
    tables = [s for s in shown if isinstance(s, Table)]
    columns = (Column("a", HOSTILE[11]), Column("b", "\u202eB"))
    tables.append(
        Table("tbl-x", HOSTILE[12], columns, tuple((h, h) for h in HOSTILE), "vi", DataKind.USER, notes=HOSTILE)
    )
    for table in tables:
        path = report.write_table_xlsx(table, tmp_path / f"{table.id}.xlsx", state=HOSTILE[13])
        with zipfile.ZipFile(path) as archive:
            sheet = archive.read("xl/worksheets/sheet1.xml").decode()
            assert "<f>" not in sheet
            assert "<f " not in sheet
            assert "hyperlink" not in sheet.lower()
            strings = archive.read("xl/sharedStrings.xml").decode()
        assert not SEEN_MARKS.search(strings)
        for row in openpyxl.load_workbook(path).active.iter_rows():
            assert all(cell.data_type in {"s", "n"} for cell in row)


def test_what_a_notebook_shows_is_escaped(shown):
    for piece in shown:
        if not isinstance(piece, Table):
            continue
        page = piece._repr_mimebundle_()["text/html"]
        assert not re.search(r"<\s*(script|img|h1|iframe)\b", page, re.IGNORECASE)
        assert not SEEN_MARKS.search(page)


def test_pictures_hold_the_names_as_they_are(shown):
    figure = next(s for s in shown if isinstance(s, report.Figure))
    assert figure.png.startswith(b"\x89PNG")
    assert "<script" not in figure.svg


@pytest.mark.parametrize("code", HOSTILE)
def test_a_code_becomes_a_file_name_that_every_system_takes(code):
    name = safe_name(code)
    assert len(name) < 80
    assert not re.search(r'[<>:"/\\|?*\x00-\x1f]', name)
    assert all(unicodedata.category(c)[0] != "C" for c in name)
    assert safe_name(code) == name


def test_long_codes_that_begin_alike_keep_files_of_their_own():
    assert safe_name("x" * 10_000) != safe_name("x" * 10_001)
