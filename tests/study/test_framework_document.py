"""``sipas framework``: a study folder's own framework becomes a document, without data, or is refused by its cell."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from sipas_research import cli, report
from sipas_research.errors import FrameworkError, OptionError
from sipas_research.framework.file_names import FILE_NAMES
from sipas_research.framework.framework_file import load_framework, write_framework_xlsx
from sipas_research.results import DataKind
from sipas_research.study.framework_document import framework_document, make_framework_documents
from sipas_research.study.new_folder import make_folder
from sipas_research.study.plan import framework_plan, validate
from sipas_research.study.study import load_study
from sipas_research.wording import Bilingual


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("khung") / "Tỉnh thử"
    make_folder(place)
    own = load_framework("commune")
    first = replace(own.criteria[0], name=Bilingual("Chờ đợi <script>", "Waiting <script>"))
    edited = replace(own, half_width=0.04, criteria=(first, *own.criteria[1:]))
    write_framework_xlsx(edited, place / FILE_NAMES["commune"])
    return place


@pytest.mark.slow
def test_document_of_an_edited_framework(folder: Path) -> None:
    study = load_study(folder)
    made = make_framework_documents(study, ["commune"], language="vi")
    names = [p.name for p in made]
    assert names[:3] == ["khung_do_luong_xa.docx", "khung_do_luong_xa.pdf", "khung_do_luong_xa.html"]
    assert all(p.parent == folder / "ket_qua" for p in made[:3])
    page = made[2].read_text(encoding="utf-8")
    assert "Chờ đợi &lt;script&gt;" in page
    assert "<script>" not in page
    assert "4,0 điểm" in page or "4 điểm" in page
    assert 'class="mark"' not in page  # the document is not simulated, only its trial computations are
    assert page.count("(DỮ LIỆU MÔ PHỎNG)") >= 3
    assert "Câu hỏi:</strong>" not in page
    with zipfile.ZipFile(made[0]) as word:
        text = word.read("word/document.xml").decode("utf-8")
    for banned in ("None", ">nan<", "Độc lập - Tự do", "Nơi nhận:", "TM. "):
        assert banned not in text
    before = {p: p.read_bytes() for p in made}
    again = make_framework_documents(study, ["commune"], language="vi", resume=True)
    assert {p: p.read_bytes() for p in again} == before


def test_plan_has_a_step_for_each_level_and_language(folder: Path) -> None:
    study = load_study(folder)
    plan = framework_plan(study, FILE_NAMES, ("vi", "en"), study.output)
    validate(plan)
    assert len({step.output for step in plan.steps}) == 6
    assert {dict(step.parameters)["level"] for step in plan.steps} == set(FILE_NAMES)


def test_simulated_study_marks_its_document(folder: Path) -> None:
    study = replace(load_study(folder), data_kind=DataKind.SIMULATED)
    chapter = report.Chapter("06_framework", "en", ("# A\n\n**Question:** x", "## B", "text"))
    document = framework_document(study, load_framework("district"), chapter)
    assert document.data_kind is DataKind.SIMULATED
    assert document.chapters[0].blocks == ("# B", "text")
    assert "specimen" in str(document.front_markdown)
    assert "30 June 2025" in document.date_line


def test_broken_framework_is_refused_by_its_cell(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from openpyxl import load_workbook

    path = folder / FILE_NAMES["district"]
    good = path.read_bytes()
    book = load_workbook(path)
    sheet = book["Mức xếp loại"]
    sheet.cell(row=2, column=4).value = "abc"
    book.save(path)
    try:
        with pytest.raises(FrameworkError):
            make_framework_documents(load_study(folder), ["commune"], language="vi")
        assert cli.main(["framework", "--study", str(folder), "--quiet"]) == 1
        said = capsys.readouterr().err
        assert FILE_NAMES["district"] in said
        assert "Mức xếp loại" in said
    finally:
        path.write_bytes(good)


def test_unknown_levels_are_refused(folder: Path) -> None:
    with pytest.raises(OptionError, match="tinh"):
        make_framework_documents(load_study(folder), ["tinh"])  # type: ignore[list-item]
    assert cli.main(["framework", "--study", str(folder), "--level", "tinh"]) == 2
