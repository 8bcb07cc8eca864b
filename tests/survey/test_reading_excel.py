"""Excel workbooks, whole, damaged and pretended."""

from __future__ import annotations

import datetime
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from sipas_research.errors import DataFileError
from sipas_research.survey.reading import RawTable, read_table


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "Khảo sát năm 2025"
    folder.mkdir()
    return folder / "phiếu khảo sát.xlsx"


def saved(path: Path, *sheets: list[list[object]], names: tuple[str, ...] = ("Phiếu", "Khác", "Ba")) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in zip(names, sheets, strict=False):
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def edited(path: Path, old: bytes, new: bytes) -> Path:
    """Change the XML of the first sheet, as only Excel itself would write it."""
    with zipfile.ZipFile(path) as archive:
        parts = {item.filename: archive.read(item) for item in archive.infolist()}
    changed = parts["xl/worksheets/sheet1.xml"].replace(old, new)
    assert changed != parts["xl/worksheets/sheet1.xml"]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**parts, "xl/worksheets/sheet1.xml": changed}.items():
            archive.writestr(name, content)
    return path


def refusal(path: Path, content: bytes | None = None) -> str:
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataFileError) as caught:
        read_table(path)
    assert str(path.parent) not in str(caught.value)
    return caught.value.message("vi")


def test_kinds_of_cells(path: Path) -> None:
    moment = datetime.datetime(2025, 3, 14, 8, 30)
    table = read_table(
        saved(
            path,
            [
                ["Số", "Chữ số", "Ngày", "Giờ", "Lẫn", "Đúng", "Trống"],
                [1, "5", moment, datetime.time(8, 30), 5, True, None],
                [None, "4", datetime.date(2025, 4, 1), datetime.timedelta(hours=30), "Hài lòng ", None, None],
            ],
        )
    )
    frame = table.frame
    np.testing.assert_array_equal(frame["Số"], [1.0, np.nan])
    assert list(frame["Chữ số"]) == ["5", "4"]
    assert list(frame["Ngày"]) == [pd.Timestamp(moment), pd.Timestamp(2025, 4, 1)]
    assert frame["Ngày"].dtype == "datetime64[us]"
    assert list(frame["Giờ"]) == ["08:30:00", "30:00:00"]
    assert list(frame["Lẫn"]) == [5.0, "Hài lòng"]
    assert list(frame["Đúng"]) == ["TRUE", None]
    assert frame["Trống"].isna().all()
    assert (table.first_row, table.sheet, table.summary("vi")) == (2, "Phiếu", "Trang tính: Phiếu")


def test_truth_and_one_are_different_cells(path: Path) -> None:
    table = read_table(saved(path, [["a", "b"], [1, 1], [True, 2]]))
    assert list(table.frame["a"]) == [1.0, "TRUE"]


def test_first_sheet_with_data_or_the_named_one(path: Path) -> None:
    saved(path, [], [["a", "b"], [1, 2]], [["c", "d"], [3, 4]])
    table = read_table(path)
    assert list(table.frame.columns) == ["a", "b"]
    assert table.summary("vi") == "Trang tính: Khác (không đọc: Phiếu, Ba)"
    assert list(read_table(path, sheet="Ba").frame.columns) == ["c", "d"]
    with pytest.raises(DataFileError, match=r"không có trang tính 'Bốn'.* trong tệp: Phiếu, Khác, Ba"):
        read_table(path, sheet="Bốn")


def test_hidden_sheet_comes_last(path: Path) -> None:
    saved(path, [["mã", "x"], [1, 2]], [["a", "b"], [1, 2]])
    book = openpyxl.load_workbook(path)
    book["Phiếu"].sheet_state = "hidden"
    book.active = 1
    book.save(path)
    assert read_table(path).sheet == "Khác"


def test_rows_and_columns_around_the_table(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["C3"] = "BÁO CÁO KẾT QUẢ"
    for place, value in {"C5": "mã", "D5": "c1", "F5": "c2", "C6": "P1", "D6": 0, "F6": 5, "C9": "P2", "D9": 4}.items():
        sheet[place] = value
    sheet["H40"] = " "
    book.save(path)
    table = read_table(path)
    assert table.frame.to_dict("list") == {
        "mã": ["P1", "P2"],
        "c1": [0.0, 4.0],
        "c2": [5.0, pytest.approx(np.nan, nan_ok=True)],
    }
    assert table.first_row == 6
    assert table.skipped == (7, 8)
    assert [table.row_number(i) for i in (0, 1)] == [6, 9]
    assert "Hàng tên cột: dòng 5" in table.summary("vi")


def test_header_names(path: Path) -> None:
    table = read_table(saved(path, [["Câu\n 1 ", 2024, None, "Câu 1"], [1, 2, 3, 4]]))
    assert list(table.frame.columns) == ["Câu 1", "2024", "Cột 3", "Câu 1 (2)"]


def test_error_cells_are_kept_to_be_pointed_at(path: Path) -> None:
    saved(path, [["a", "b"], [1, "=1/0"], [2, 5]])
    table = read_table(
        edited(path, b'<c r="B2"><f>1/0</f><v></v></c>', b'<c r="B2" t="e"><f>1/0</f><v>#DIV/0!</v></c>')
    )
    assert list(table.frame["b"]) == ["#DIV/0!", 5.0]


def test_stored_results_of_formulas(path: Path) -> None:
    saved(path, [["a", "b"], [1, "=A2*2"], [2, "=A3*2"]])
    table = read_table(edited(path, b"<f>A2*2</f><v></v>", b"<f>A2*2</f><v>2</v>"))
    np.testing.assert_array_equal(table.frame["b"], [2.0, np.nan])
    assert "1 ô công thức chưa có kết quả" in table.summary("vi")


def test_dates_written_as_text(path: Path) -> None:
    day = datetime.datetime(2025, 1, 2)
    table = read_table(saved(path, [["n", "m"], ["14/03/2025", day], ["1/4/2025", "25/03/2025"]]))
    assert list(table.frame["n"]) == [pd.Timestamp(2025, 3, 14), pd.Timestamp(2025, 4, 1)]
    assert list(table.frame["m"]) == [pd.Timestamp(day), "25/03/2025"]
    assert "Excel có thể đã đảo ngày và tháng" in table.summary("vi")


def test_text_in_tcvn3(path: Path) -> None:
    said = refusal(saved(path, [["Mã", "Đơn vị"], [1, "Së Néi vô"], [2, "Së X©y dùng"]]))
    assert "cột 'Đơn vị'" in said
    assert "TCVN3 (ABC)" in said


def test_one_column_of_everything(path: Path) -> None:
    assert "Văn bản thành cột" in refusal(saved(path, [["a;b;c"], ["1;2;3"]]))


def test_empty_workbook_and_header_only(path: Path) -> None:
    assert "không có ô nào chứa dữ liệu" in refusal(saved(path, []))
    assert "chỉ có hàng tên cột (dòng 1)" in refusal(saved(path, [["a", "b"]]))


def test_zip_with_another_name(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("phieu.txt", "a")
    assert "tệp nén hoặc tài liệu loại khác đã đổi đuôi" in refusal(path)


def test_locked_with_a_password(path: Path) -> None:
    locked = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600 + "EncryptedPackage".encode("utf-16-le")
    assert "được đặt mật khẩu" in refusal(path, locked)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "không có nội dung"),
        (b"<html><table><tr><td>1</td></tr></table>", "trang web (HTML hoặc XML)"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><Workbook/>', "trang web (HTML hoặc XML)"),
        ("mã\tcâu 1\nP1\t5\n".encode(), "văn bản thường"),
        (b"\x00\x01\x02\x03" * 100, "không phải tệp Excel hoặc đã hỏng"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 2000, "đã hỏng, không đọc được"),
    ],
)
@pytest.mark.parametrize("suffix", [".xlsx", ".xls"])
def test_pretended_workbooks(path: Path, content: bytes, said: str, suffix: str) -> None:
    assert said in refusal(path.with_suffix(suffix), content)


def test_cut_short(path: Path) -> None:
    content = saved(path, [["a", "b"], [1, 2]]).read_bytes()
    assert "không phải tệp Excel" in refusal(path, content[: len(content) // 2]) or "đã hỏng" in refusal(path)


def test_cell_far_away_does_not_fill_the_memory(path: Path) -> None:
    book = openpyxl.Workbook()
    book.active["A1"], book.active["A2"], book.active["XFD1048576"] = "a", 1, " "
    book.save(path)
    assert "trải rộng 17.179.869.184 ô" in refusal(path)


def test_workbook_as_csv(path: Path) -> None:
    content = saved(path, [["a", "b"], [1, 2]]).read_bytes()
    assert "Hãy đổi đuôi tệp thành .xlsx" in refusal(path.with_suffix(".csv"), content)


def test_excel_gives_what_csv_gives(path: Path) -> None:
    frame = pd.DataFrame({"mã": ["P1", "P2"], "câu 1": [5, None], "ngày": pd.to_datetime(["2025-01-02", "2025-03-04"])})
    frame.to_excel(path, index=False)
    frame.to_csv(path.with_suffix(".csv"), index=False)
    tables: list[RawTable] = [read_table(path), read_table(path.with_suffix(".csv"))]
    pd.testing.assert_frame_equal(tables[0].frame, tables[1].frame)


def test_a_sheet_that_cannot_be_looked_into_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(path, [["a", "b"], [1, 2], [3, 4]])
    assert "reading.note.not_scanned" not in [key for key, _ in read_table(path).notes]

    def damaged(*_: object) -> str:
        raise KeyError("xl/workbook.xml")

    monkeypatch.setattr("sipas_research.survey.excel_parts._part_name", damaged)
    assert any(key.endswith(".not_scanned") for key, _ in read_table(path).notes)
