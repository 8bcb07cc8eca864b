"""The whole report on the simulated province: every file is marked, readable, free of people and of real agencies."""

import html
import json
import re
import subprocess
import sys
import unicodedata

import pytest

import sipas_research as sr
from sipas_research import resources, wording
from sipas_research.study.report import make_report
from sipas_research.survey.agency_files import real_names

pytestmark = pytest.mark.slow

MARKS = {"vi": "DỮ LIỆU MÔ PHỎNG", "en": "SIMULATED DATA"}
STEMS = {"vi": "bao_cao_mo-phong", "en": "report_mo-phong"}
LARGEST = 10_000_000


@pytest.fixture(scope="module")
def study():
    return sr.load_study(resources.data("twin", "study.toml"))


@pytest.fixture(scope="module")
def folder(study, tmp_path_factory):
    place = tmp_path_factory.mktemp("Khảo sát năm 2025") / "ket_qua"
    make_report(study, language="both", out=place)
    return place


def html_text(path):
    page = path.read_text(encoding="utf-8")
    page = re.sub(r"<(style|script|svg).*?</\1>", " ", page, flags=re.DOTALL)
    page = re.sub(r'src="data:[^"]*"', "", page)
    return html.unescape(re.sub(r"<[^>]+>", " ", page))


def docx_texts(path):
    import docx

    document = docx.Document(path)
    cells = [c.text for t in document.tables for row in t.rows for c in row.cells]
    headers = [s.header.paragraphs + s.first_page_header.paragraphs for s in document.sections]
    return [p.text for p in document.paragraphs] + cells, [[p.text for p in h] for h in headers], document


def workbook_rows(path):
    from python_calamine import CalamineWorkbook

    return CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python(skip_empty_area=False)


def notebook_text(path):
    """Everything a notebook shows, pictures left out."""
    shown = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        shown.append("".join(cell["source"]))
        for output in cell.get("outputs", []):
            data = {k: v for k, v in output.get("data", {}).items() if not k.startswith("image/")}
            shown.append(json.dumps(data, ensure_ascii=False) + str(output.get("text", "")))
    return "\n".join(shown)


@pytest.fixture(scope="module")
def texts(folder):
    return list(every_text(folder))


def every_text(folder):
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".html":
            yield path, html_text(path)
        elif path.suffix == ".docx":
            yield path, "\n".join(docx_texts(path)[0])
        elif path.suffix == ".xlsx":
            yield path, "\n".join(str(c) for row in workbook_rows(path) for c in row)
        elif path.suffix == ".ipynb":
            yield path, notebook_text(path)
        elif path.suffix in {".txt", ".svg"}:
            yield path, path.read_text(encoding="utf-8")


def test_all_documents_are_made_and_small(folder):
    for stem in STEMS.values():
        for ending in ("docx", "pdf", "html"):
            size = (folder / f"{stem}.{ending}").stat().st_size
            assert 10_000 < size < LARGEST
    for name, ending in (("bang", "xlsx"), ("hinh", "png"), ("hinh", "svg"), ("so_tay", "ipynb"), ("kiem_tra", "txt")):
        assert list((folder / name).glob(f"*.{ending}")), name


def test_every_file_name_carries_the_mark(folder):
    names = [p.name for p in folder.rglob("*") if p.is_file()]
    assert len(names) > 60
    assert [n for n in names if "_mo-phong" not in n] == []


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_mark_stands_on_every_page_and_in_every_caption(folder, language):
    texts, headers, document = docx_texts(folder / f"{STEMS[language]}.docx")
    assert all(MARKS[language] in " ".join(h) for h in headers)
    captions = [p.text for p in document.paragraphs if p.style.name in {"Table Caption", "Image Caption"}]
    assert len(captions) >= 20
    assert all(MARKS[language] in unicodedata.normalize("NFC", c).replace("\u00a0", " ") for c in captions)
    assert any("Lạng Sơn" in t for t in texts), "page one says what the document is not"


@pytest.mark.parametrize("language", ["vi", "en"])
def test_html_opens_without_network_and_reads_well(folder, language):
    page = (folder / f"{STEMS[language]}.html").read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]+"', page)
    text = html_text(folder / f"{STEMS[language]}.html")
    assert not re.search(r"\bnan\b|\bNone\b|\bTrue\b", text)
    assert set(re.findall(r"\b[a-z]+_[a-z0-9_]+\b", text)) <= {"kiem_tra"}, "no name of ours reaches the reader"
    assert MARKS[language] in text


def test_workbooks_open_with_the_mark_and_name_the_kind(folder):
    books = sorted((folder / "bang").glob("*.xlsx"))
    assert len(books) >= 20
    for book in books:
        rows = workbook_rows(book)
        assert any(mark in str(rows[0]) for mark in MARKS.values()), book.name
        assert any("data_kind" in map(str, row) for row in rows), book.name


def test_pictures_carry_the_mark(folder):
    for picture in (folder / "hinh").glob("*.svg"):
        assert any(mark in picture.read_text(encoding="utf-8") for mark in MARKS.values()), picture.name


def test_no_real_agency_stands_beside_simulated_values(texts):
    allowed = [wording.text("report.disclaimer", language) for language in wording.LANGUAGES]
    allowed += [wording.text("front.may_not.simulated", language) for language in wording.LANGUAGES]
    real = {unicodedata.normalize("NFC", n).casefold() for n in real_names()}
    assert len(texts) > 60
    for path, text in texts:
        plain = " ".join(unicodedata.normalize("NFC", text).split())
        for sentence in allowed:
            plain = plain.replace(sentence, "")
        folded = plain.casefold()
        found = [n for n in real if n in folded and re.search(rf"(?<!\w){re.escape(n)}(?!\w)", folded)]
        assert found == [], f"{path.name}: {found}"


def test_the_real_name_check_can_fail():
    assert any("bắc sơn" in n.casefold() for n in real_names())


def test_no_person_is_named(texts, study):
    frame = study.responses("citizens").frame
    people = set(frame["respondent_id"].dropna()) | set(study.responses("staff").frame["respondent_id"].dropna())
    assert len(people) > 5000
    for path, text in texts:
        assert not people & set(re.findall(r"[\w-]+", text)), path.name


def test_no_machine_path_or_time_in_notebooks(folder):
    for path in (folder / "so_tay").glob("*.ipynb"):
        raw = path.read_text(encoding="utf-8")
        assert str(folder.parent) not in raw
        assert str(resources.root()) not in raw
        assert '"start_time"' not in raw


def in_vietnamese(folder):
    """Return the files of a report that another run in Vietnamese alone must make."""
    made = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    return {n: c for n, c in made.items() if not re.search(r"_en[._]|_en_mo-phong|^report_", n)}


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL does not exist on Windows: the killed run was not tried")
def test_killed_at_five_moments_and_resumed_gives_the_same_bytes(study, folder, tmp_path, kill_when):
    """What five killed runs and a last one made together equals what one run of the other process made at once.

    Every file is made a second time here, so this also says that the same input gives the same bytes.
    """
    broken = tmp_path / "ket_qua"
    command = [sys.executable, "-m", "sipas_research", "report", "--study", str(study.path), "--out", str(broken)]
    command += ["--language", "vi", "--quiet", "--resume"]
    expected = in_vietnamese(folder)
    chapters = sum(n.startswith("so_tay/") for n in expected)
    moments = (
        lambda: True,  # while loading and reading
        lambda: len(list(broken.glob("so_tay/[!.]*.ipynb"))) >= 1,
        lambda: len(list(broken.glob("so_tay/[!.]*.ipynb"))) >= 3,
        lambda: len(list(broken.glob("so_tay/[!.]*.ipynb"))) == chapters,  # while making documents
        (broken / f"{STEMS['vi']}.docx").exists,  # between two documents
    )
    for moment in moments:
        kill_when(command, moment)
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode("utf-8")
    found = {p.relative_to(broken).as_posix(): p.read_bytes() for p in broken.rglob("*") if p.is_file()}
    assert len(expected) > 60
    assert sorted(found) == sorted(expected)
    assert [name for name in expected if found[name] != expected[name]] == []
