import zipfile

import openpyxl
import pytest

from sipas_research.errors import InputError, QuestionnaireError
from sipas_research.survey.workbook import (
    ColumnSpec,
    SheetSpec,
    cell_text,
    fold,
    read_rows,
    read_sheet,
    sheet_names,
    write_workbook,
)
from sipas_research.wording import Bilingual

COLUMNS = (
    ColumnSpec("id", Bilingual("Mã câu hỏi", "Question id"), 12, required=True),
    ColumnSpec("kind", Bilingual("Loại", "Kind"), choices=("thang đo", "phân loại"), note="Chọn trong danh sách."),
    ColumnSpec("note", Bilingual("Ghi chú", "Note")),
)


def sheet(*rows):
    return SheetSpec("Câu hỏi", COLUMNS, rows)


def plain_workbook(path, *rows, name="Câu hỏi"):
    book = openpyxl.Workbook()
    book.active.title = name
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def test_what_is_written_is_read_back_with_excel_row_numbers(tmp_path):
    path = write_workbook(
        tmp_path / "a.xlsx", [sheet({"id": "q1", "kind": "thang đo"}, {"id": "1-2", "note": "=A1+1"})]
    )
    rows, headers = read_rows(path, "câu hỏi")
    assert headers == ["Mã câu hỏi", "Loại", "Ghi chú"]
    assert [(r.number, dict(r.cells)) for r in rows] == [
        (2, {"Mã câu hỏi": "q1", "Loại": "thang đo"}),
        (3, {"Mã câu hỏi": "1-2", "Ghi chú": "=A1+1"}),
    ]
    keyed, problems = read_sheet(path, "Câu hỏi", COLUMNS)
    assert problems == []
    assert keyed[1].get("id") == "1-2"
    assert keyed[0].get("note") == ""


def test_same_input_same_bytes(tmp_path):
    long = tuple(f"lựa chọn số {n}, dài" for n in range(40))
    specs = [sheet({"id": "q1"}), SheetSpec("Hai", (ColumnSpec("x", Bilingual("X"), choices=long),), ({"x": "1"},))]
    first = write_workbook(tmp_path / "a.xlsx", specs).read_bytes()
    second = write_workbook(tmp_path / "b.xlsx", specs).read_bytes()
    assert first == second
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        assert {i.date_time for i in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"2000-01-01T00:00:00Z" in archive.read("docProps/core.xml")
    assert sheet_names(tmp_path / "a.xlsx") == ("Câu hỏi", "Hai")


def test_the_file_is_pleasant_to_edit(tmp_path):
    path = write_workbook(tmp_path / "a.xlsx", [sheet({"id": "3/4"})])
    page = openpyxl.load_workbook(path)["Câu hỏi"]
    assert page.freeze_panes == "B2"
    assert page["A1"].font.b
    assert page["A2"].number_format == "@"
    assert page.column_dimensions["A"].number_format == "@"
    assert page["A2"].alignment.wrap_text
    (rule,) = page.data_validations.dataValidation
    assert rule.formula1 == '"thang đo,phân loại"'
    assert rule.prompt == "Chọn trong danh sách."


def test_long_lists_go_to_a_hidden_sheet(tmp_path):
    choices = tuple(f"mã_{n}" for n in range(100))
    path = write_workbook(tmp_path / "a.xlsx", [SheetSpec("S", (ColumnSpec("x", Bilingual("X"), choices=choices),))])
    book = openpyxl.load_workbook(path)
    (rule,) = book["S"].data_validations.dataValidation
    assert rule.formula1 == "_danh_muc!$A$1:$A$100"
    assert book["_danh_muc"].sheet_state == "hidden"
    assert book["_danh_muc"]["A100"].value == "mã_99"


@pytest.mark.parametrize("title", ["Mã câu hỏi", "MA CAU HOI", "ma_cau_hoi", "question ID", "id", "  Mã   câu hỏi "])
def test_headers_match_in_either_language(tmp_path, title):
    path = plain_workbook(tmp_path / "a.xlsx", [title], ["q1"])
    rows, problems = read_sheet(path, "Câu hỏi", COLUMNS)
    assert problems == []
    assert rows[0].get("id") == "q1"


def test_unknown_repeated_and_missing_headers_are_named(tmp_path):
    path = plain_workbook(tmp_path / "bang.xlsx", ["Loại", "kind", "Điểm"], ["x", "y", "z"])
    _, problems = read_sheet(path, "Câu hỏi", COLUMNS)
    assert [p.key for p in problems] == [
        "workbook.repeated_header",
        "workbook.unknown_header",
        "workbook.missing_header",
    ]
    vietnamese = problems[1].text("vi")
    assert "bang.xlsx" in vietnamese
    assert "dòng 1" in vietnamese
    assert "'Điểm'" in vietnamese
    assert "Mã câu hỏi" in problems[2].text("en")


def test_numbers_and_spaces_become_clean_text(tmp_path):
    path = plain_workbook(tmp_path / "a.xlsx", ["A", "B", "C"], [3.0, 2.5, " e\u0302\u00a0 "], [], [None, 7, None])
    rows, _ = read_rows(path, "Câu hỏi")
    assert [(r.number, dict(r.cells)) for r in rows] == [(2, {"A": "3", "B": "2.5", "C": "ê"}), (4, {"B": "7"})]
    assert cell_text(None) == ""
    assert cell_text("a\x00b\x0b\nc") == "ab\nc"


def test_header_below_a_title_row(tmp_path):
    path = plain_workbook(tmp_path / "a.xlsx", ["Tiêu đề"], ["A"], ["1"])
    rows, headers = read_rows(path, "Câu hỏi", header_row=2)
    assert headers == ["A"]
    assert [r.number for r in rows] == [3]


def test_files_that_are_not_workbooks_are_refused(tmp_path):
    (tmp_path / "text.xlsx").write_text("a,b\n1,2\n", encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "zip.xlsx", "w") as archive:
        archive.writestr("a.txt", "x")
    (tmp_path / "empty.xlsx").write_bytes(b"")
    for name in ("text.xlsx", "zip.xlsx", "empty.xlsx"):
        with pytest.raises(InputError) as caught:
            read_rows(tmp_path / name, "S")
        assert caught.value.key == "workbook.not_a_workbook"
        assert name in str(caught.value)
    with pytest.raises(QuestionnaireError, match=r"missing\.xlsx"):
        read_rows(tmp_path / "missing.xlsx", "S", error=QuestionnaireError)


def test_missing_sheet_names_those_that_exist(tmp_path):
    path = plain_workbook(tmp_path / "a.xlsx", ["A"], name="Sheet1")
    with pytest.raises(InputError) as caught:
        read_rows(path, "Câu hỏi")
    assert caught.value.key == "workbook.no_sheet"
    assert "'Sheet1'" in caught.value.message("vi")


def test_fold_ignores_case_diacritics_and_spaces():
    assert fold("Đơn vị") == fold("don_vi") == "donvi"
    assert fold("") == ""
