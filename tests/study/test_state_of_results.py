"""Outputs say how far the results have gone: nothing registered is a draft, and the year and level decide."""

import openpyxl
import pytest

import sipas_research as sr
from sipas_research import report, resources
from sipas_research.errors import ReleaseError
from sipas_research.framework.results_register import REGISTER_FILE, Entry, ResultsRegister, advance
from sipas_research.report import Chapter, Column, Table
from sipas_research.results import DataKind
from sipas_research.study.outputs import results_state, write_report, write_scorecard
from sipas_research.study.report import check_study
from sipas_research.study.study import load_study

SENT = ResultsRegister(
    (
        Entry(2022, "department", "draft", "2023-01-05", "compiler", "", "Lập"),
        Entry(2022, "department", "sent", "2023-01-10", "compiler", "Công văn số 5", "Gửi"),
    )
)


@pytest.fixture
def folder(tmp_path):
    """A copy of the simulated province, small files only."""
    source = resources.data("twin")
    for name in ("study.toml", "agencies.csv"):
        if (source / name).is_file():
            (tmp_path / name).write_bytes((source / name).read_bytes())
    for name in ("citizens.csv", "staff.csv"):
        lines = (source / name).read_text(encoding="utf-8-sig").splitlines()
        (tmp_path / name).write_text("\n".join(lines[:400]) + "\n", encoding="utf-8")
    return tmp_path


def chapter(kind=DataKind.SIMULATED):
    table = Table("tbl-index", "Chỉ số", (Column("a", "A"),), (("x",),), "vi", kind)
    return Chapter("05_index_and_ranking", "vi", (table,))


@pytest.mark.parametrize("language", ["vi", "en"])
def test_nothing_registered_is_a_draft(language):
    line = report.state_line(ResultsRegister(), 2022, ["department", "district", "other"], language)
    word = {"vi": "dự thảo", "en": "draft"}[language]
    assert line.count(word) == 2
    for year, levels in ((None, ["department"]), (2022, ["other"]), (2022, [])):
        assert word in report.state_line(ResultsRegister(), year, levels, language)


def test_the_line_is_of_the_year_and_the_levels():
    assert "gửi đơn vị xem, ngày 10/01/2023" in report.state_line(SENT, 2022, ["department"], "vi")
    assert "Công văn số 5" in report.state_line(SENT, 2022, ["department"], "vi")
    assert "dự thảo" in report.state_line(SENT, 2021, ["department"], "vi")
    both = report.state_line(SENT, 2022, ["district", "department"], "vi")
    assert both.index("cấp sở") < both.index("cấp huyện")
    assert "dự thảo" in both


def test_report_scorecard_and_tables_carry_the_state(folder, tmp_path):
    advance(
        folder / REGISTER_FILE,
        year=2022,
        level="department",
        state="draft",
        date="2023-01-05",
        role="compiler",
        what="Lập dự thảo",
    )
    study = load_study(folder)
    out = tmp_path / "ra"
    files = write_report(study, [chapter()], "vi", out, sources=["x.csv"])
    page = next(p for p in files if p.suffix == ".html").read_text(encoding="utf-8")
    assert "Trạng thái kết quả" in page
    assert "dự thảo, ngày 05/01/2023" in page
    assert "cấp huyện năm 2022: dự thảo, chưa ghi bước nào" in page
    sheet = openpyxl.load_workbook(next(p for p in files if p.suffix == ".xlsx")).active
    last = [row[0] for row in sheet.iter_rows(values_only=True) if row[0]][-1]
    assert last == results_state(study, "vi")
    agency = study.agencies.agencies[0]
    card = write_scorecard(study, chapter(), agency, "vi", out, sources=["x.csv"])
    page = next(p for p in card if p.suffix == ".html").read_text(encoding="utf-8")
    assert "cấp sở năm 2022: dự thảo, ngày 05/01/2023" in page
    assert "cấp huyện năm" not in page


def test_published_figures_carry_no_state(tmp_path):
    path = report.write_table_xlsx(chapter(DataKind.PUBLISHED).tables[0], tmp_path / "a.xlsx")
    assert all("dự thảo" not in str(c.value) for row in openpyxl.load_workbook(path).active for c in row)


def test_a_register_that_breaks_a_rule_stops_the_run_before_it_begins(folder, tmp_path):
    path = folder / REGISTER_FILE
    step = {"year": 2022, "level": "department", "state": "draft", "role": "compiler", "what": "x"}
    advance(path, date="2023-01-05", **step)
    book = openpyxl.load_workbook(path)
    book.worksheets[0].cell(row=2, column=3).value = "ký duyệt"
    book.save(path)
    with pytest.raises(ReleaseError):
        check_study(load_study(folder), tmp_path / "ra")
    assert not (tmp_path / "ra").exists()


def test_the_packaged_province_is_a_draft():
    assert "dự thảo" in results_state(sr.load_study(), "vi")
