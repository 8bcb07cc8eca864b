import openpyxl
import pytest
from check_helpers import LEVELS, QUESTIONNAIRE, answers, spec, table

from sipas_research.errors import ColumnMapError
from sipas_research.survey.checking import check_table
from sipas_research.survey.column_files import FormColumns, read_column_map, write_column_map

SHEET, ABSENT, LABELS = "Cột dữ liệu", "Câu chưa có cột", "Nhãn trả lời"


def cells(path, sheet):
    header, *rows = openpyxl.load_workbook(path)[sheet].iter_rows(values_only=True)
    return [dict(zip(header, ["" if v is None else v for v in row], strict=True)) for row in rows]


def edit(path, sheet, changes):
    """Write {(column title, row number): value} into a sheet."""
    book = openpyxl.load_workbook(path)
    titles = [c.value for c in book[sheet][1]]
    for (title, row), value in changes.items():
        book[sheet].cell(row, titles.index(title) + 1, value)
    book.save(path)


@pytest.fixture
def raw():
    frame = answers(30).rename(columns={"access_2": "Trang thiết bị phục vụ đầy đủ", "result_1": "B9"})
    frame["B9"] = 6 - frame["B9"]
    frame["sex"] = ["Nam", "nữ", "Khác biệt"] * 10
    frame["access_3"] = [LEVELS[int(v) - 1] for v in frame["access_3"]]
    frame["Họ và tên"] = [f"Người {i}" for i in range(30)]
    frame["ethnic_origin"] = "Tày"
    return table(frame, labels={"B9": "Kết quả xyz"})


@pytest.fixture
def path(tmp_path, raw):
    return write_column_map(tmp_path / "cot_du_lieu.xlsx", [FormColumns("citizens", QUESTIONNAIRE, raw)])


def row_of(path, column):
    return next(i for i, r in enumerate(cells(path, SHEET), start=2) if r["Tên cột trong tệp"] == column)


def refused(path):
    with pytest.raises(ColumnMapError) as caught:
        read_column_map(path, form="citizens", questionnaire=QUESTIONNAIRE)
    return [p.text("vi") for p in caught.value.problems]


def test_unmatched_columns_come_first(path):
    rows = cells(path, SHEET)
    assert [r["Tên cột trong tệp"] for r in rows[:2]] == ["B9", "Họ và tên"]
    assert [r["Mã câu hỏi"] for r in rows[:3]] == ["", "", "respondent_id"]
    assert rows[0]["Nhãn của cột"] == "Kết quả xyz"
    by_column = {r["Tên cột trong tệp"]: r for r in rows}
    matched = by_column["Trang thiết bị phục vụ đầy đủ"]
    assert (matched["Mã câu hỏi"], matched["Cách ghép"]) == ("access_2", "tên cột là nội dung câu")
    assert "đang tắt" in by_column["ethnic_origin"]["Ghi chú"]


def test_questions_without_column(path):
    assert {r["Mã câu hỏi"] for r in cells(path, ABSENT)} == {"result_1", "start_time", "end_time"}


def test_texts_are_filled_in_and_never_those_of_other_columns(path):
    rows = cells(path, LABELS)
    assert [(r["Chữ trong tệp"], r["Mã trả lời"]) for r in rows if r["Tên cột trong tệp"] == "sex"] == [
        ("Khác biệt", ""),
        ("Nam", "1"),
        ("nữ", "2"),
    ]
    assert {r["Tên cột trong tệp"] for r in rows} == {"sex", "access_3"}
    shown = " ".join(str(v) for sheet in (SHEET, ABSENT, LABELS) for r in cells(path, sheet) for v in r.values())
    assert "Người 3" not in shown
    assert "Tày" not in shown


def test_open_texts_are_not_listed(tmp_path):
    frame = answers(30)
    frame["sex"] = ["Nam", *(f"Nguyễn Văn {i}" for i in range(29))]
    path = write_column_map(tmp_path / "c.xlsx", [FormColumns("citizens", QUESTIONNAIRE, table(frame))])
    assert [r["Chữ trong tệp"] for r in cells(path, LABELS)] == ["Nam"]


def test_form_without_a_file_lists_its_questions(tmp_path):
    path = write_column_map(tmp_path / "c.xlsx", [FormColumns("staff", QUESTIONNAIRE)])
    assert cells(path, SHEET) == []
    by_id = {r["Mã câu hỏi"]: r["Ghi chú"] for r in cells(path, ABSENT)}
    assert by_id["agency"] == "Bắt buộc phải có."
    assert "ethnic_origin" not in by_id
    assert read_column_map(path, form="staff", questionnaire=QUESTIONNAIRE).rules == ()


def test_what_is_filled_in_is_read(path, raw):
    b9, sex = row_of(path, "B9"), row_of(path, "sex")
    edit(
        path,
        SHEET,
        {
            ("Mã câu hỏi", b9): "Result_1",
            ("Mã không trả lời", b9): "98; 99,-1",
            ("Thang đảo chiều trong tệp", b9): "Có",
            ("Thang đảo chiều trong tệp", sex): "không",
        },
    )
    edit(path, LABELS, {("Mã trả lời", 2): 2})
    column_map = read_column_map(path, form="citizens", questionnaire=QUESTIONNAIRE)
    rules = {r.column: r for r in column_map.rules}
    assert rules["B9"].question == "result_1"
    assert rules["B9"].missing == (98.0, 99.0, -1.0)
    assert (rules["B9"].reversed, rules["sex"].reversed, rules["access_1"].reversed) == ("yes", "no", "")
    assert ("Khác biệt", 2) in rules["sex"].labels
    assert "cot_du_lieu.xlsx" in column_map.source
    checked = check_table(raw, spec(columns=column_map))
    assert not [p for p in checked.problems if p.severity != "warning"]
    assert checked.frame["sex"].tolist() == [1, 2, 2] * 10
    assert checked.frame["result_1"].tolist() == [6 - v for v in raw.frame["B9"]]


def test_other_forms_are_left_alone(path):
    edit(path, SHEET, {("Phiếu", row_of(path, "B9")): "staff", ("Mã câu hỏi", row_of(path, "B9")): "pay_1"})
    rules = read_column_map(path, form="citizens", questionnaire=QUESTIONNAIRE).rules
    assert "B9" not in {r.column for r in rules}


@pytest.mark.parametrize(
    ("title", "value", "said"),
    [
        ("Mã câu hỏi", "resullt_1", ["mã câu hỏi 'resullt_1'", "Mã gần giống: result_1"]),
        ("Mã câu hỏi", "access_1", ["'access_1' đã được ghép ở dòng"]),
        ("Mã không trả lời", "chín", ["mã không trả lời 'chín' không phải là số"]),
        ("Thang đảo chiều trong tệp", "có lẽ", ["ghi 'có lẽ'", "Chỉ được ghi 'có', 'không'"]),
        ("Tên cột trong tệp", "access_1", ["cột 'access_1' đã có ở dòng"]),
    ],
)
def test_each_wrong_cell_is_named(path, title, value, said):
    row = row_of(path, "Họ và tên" if title == "Tên cột trong tệp" else "B9")
    if title == "Tên cột trong tệp":
        row = row_of(path, "result_2")
    edit(path, SHEET, {(title, row): value})
    messages = refused(path)
    assert len(messages) == 1
    for piece in said:
        assert piece in messages[0]
    assert "Tệp 'cot_du_lieu.xlsx', trang 'Cột dữ liệu', dòng" in messages[0]


def test_wrong_answer_codes_are_named(path):
    edit(path, LABELS, {("Mã trả lời", 2): "7", ("Tên cột trong tệp", 3): "khong_co"})
    first, second = refused(path)
    assert "dòng 2" in first
    assert "'7'" in first
    assert "Mã được phép: 1, 2" in first
    assert "cột 'khong_co' không có ở trang 'Cột dữ liệu'" in second


def test_missing_sheet_is_named(path):
    book = openpyxl.load_workbook(path)
    del book[SHEET]
    book.save(path)
    with pytest.raises(ColumnMapError, match="Cột dữ liệu"):
        read_column_map(path, form="citizens", questionnaire=QUESTIONNAIRE)


def test_labels_sheet_may_be_deleted(path):
    book = openpyxl.load_workbook(path)
    del book[LABELS]
    book.save(path)
    rules = read_column_map(path, form="citizens", questionnaire=QUESTIONNAIRE).rules
    assert all(r.labels == () for r in rules)


def test_same_input_same_bytes(tmp_path, raw):
    forms = [FormColumns("citizens", QUESTIONNAIRE, raw)]
    one = write_column_map(tmp_path / "a.xlsx", forms).read_bytes()
    assert write_column_map(tmp_path / "b.xlsx", forms).read_bytes() == one
    assert openpyxl.load_workbook(tmp_path / "a.xlsx").sheetnames[:3] == [SHEET, ABSENT, LABELS]
