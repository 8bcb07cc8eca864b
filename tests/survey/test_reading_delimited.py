"""Text files with separators, as they come from Excel, Google Forms, KoboToolbox and R in Vietnam."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sipas_research.errors import DataFileError, OptionError
from sipas_research.survey.reading import RawTable, read_table


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "Khảo sát năm 2025"
    place.mkdir()
    return place


def read(folder: Path, content: str | bytes, name: str = "phiếu.csv", **options: str) -> RawTable:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path, **options)


def refusal(folder: Path, content: str | bytes, name: str = "phiếu.csv") -> str:
    with pytest.raises(DataFileError) as caught:
        read(folder, content, name)
    assert str(folder) not in str(caught.value)
    assert caught.value.message("en") != caught.value.message("vi")
    return caught.value.message("vi")


def test_comma_file_in_utf8_with_mark(folder: Path) -> None:
    table = read(folder, "Mã,Câu 1,Quyền số\nP1,5,1.5\nP2,,0.25\n".encode("utf-8-sig"))
    assert list(table.frame.columns) == ["Mã", "Câu 1", "Quyền số"]
    assert table.frame["Câu 1"].dtype == float
    np.testing.assert_array_equal(table.frame["Câu 1"], [5.0, np.nan])
    np.testing.assert_array_equal(table.frame["Quyền số"], [1.5, 0.25])
    assert list(table.frame["Mã"]) == ["P1", "P2"]
    assert table.summary("vi").splitlines() == ["Bảng mã: UTF-8 (BOM)", "Dấu phân cách: ,", "Dấu thập phân: ."]
    assert (table.name, table.first_row, table.simulated) == ("phiếu.csv", 2, False)


def test_semicolons_and_decimal_commas(folder: Path) -> None:
    table = read(folder, "a;b\n1,5;2,5\n3;4\n")
    np.testing.assert_array_equal(table.frame.to_numpy(), [[1.5, 2.5], [3, 4]])
    assert "Dấu phân cách: ;" in table.summary("vi")
    assert "Dấu thập phân: ," in table.summary("vi")
    assert "Decimal mark: ," in table.summary("en")


def test_commas_in_header_and_cells_do_not_mislead(folder: Path) -> None:
    table = read(folder, "Câu 1, phần a;Câu 2, phần b\n1,5;2,5\n2,5;4,5\n")
    assert list(table.frame.columns) == ["Câu 1, phần a", "Câu 2, phần b"]


@pytest.mark.parametrize(("separator", "said"), [("\t", "phím Tab"), ("|", "|"), (";", ";"), (",", ",")])
def test_each_separator(folder: Path, separator: str, said: str) -> None:
    table = read(folder, f"a{separator}b\n1{separator}2\n", "bảng.txt")
    assert table.frame.to_dict("list") == {"a": [1.0], "b": [2.0]}
    assert f"Dấu phân cách: {said}" in table.summary("vi")


def test_line_declaring_the_separator_is_not_data(folder: Path) -> None:
    table = read(folder, "sep=;\r\na;b\r\n1;2\r\n")
    assert list(table.frame.columns) == ["a", "b"]
    assert table.first_row == 2


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-8"])
def test_encodings_of_unicode(folder: Path, codec: str) -> None:
    table = read(folder, "name,diem\nTốt lắm thank you very much,1\n".encode(codec))
    assert table.frame["name"][0] == "Tốt lắm thank you very much"


def test_names_and_cells_become_nfc_and_stripped(folder: Path) -> None:
    spread = unicodedata.normalize("NFD", " Giới tính ,x\n Nữ\u00a0,1\n,2\n")
    table = read(folder, spread)
    assert list(table.frame.columns) == ["Giới tính", "x"]
    assert list(table.frame["Giới tính"]) == ["Nữ", None]


def test_line_break_and_separator_inside_quotes(folder: Path) -> None:
    table = read(folder, 'y,z\n"Dòng một\nDòng hai, có ""ngoặc""",5\nx,4\n')
    assert list(table.frame["y"]) == ['Dòng một\nDòng hai, có "ngoặc"', "x"]
    assert table.row_number(1) == 3


def test_codes_with_leading_zeros_and_long_digits_stay_text(folder: Path) -> None:
    table = read(folder, "xa,cccd,sdt\n01,12345678901234567,0912345678\n12,12345678901234568,0987654321\n")
    assert list(table.frame["xa"]) == ["01", "12"]
    assert table.frame["cccd"][1] == "12345678901234568"
    assert table.frame["sdt"][0] == "0912345678"


def test_unclear_numbers_stay_text_and_are_named(folder: Path) -> None:
    table = read(folder, "luong;diem\n1.234;1\n2.345;2\n")
    assert list(table.frame["luong"]) == ["1.234", "2.345"]
    assert "luong" in table.summary("vi").splitlines()[-1]
    assert "không rõ dấu ngăn hàng nghìn hay dấu thập phân" in table.summary("vi")


def test_another_column_settles_unclear_numbers(folder: Path) -> None:
    assert list(read(folder, "a;b\n1,234;0,5\n").frame["a"]) == [1.234]
    assert list(read(folder, "a;b\n1.234;0.5\n").frame["a"]) == [1.234]
    assert list(read(folder, "a;b\n1.234;0,5\n").frame["a"]) == ["1.234"]
    assert list(read(folder, "a,b\n1.234,5\n").frame["a"]) == [1.234]


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        ("1.234,5;-2;3.456.789", [1234.5, -2, 3456789]),
        ("1,234.5;7;-2,000,000", [1234.5, 7, -2e6]),
        ("1E-05;2;.5", [1e-5, 2, 0.5]),
    ],
)
def test_grouped_and_scientific_numbers(folder: Path, cells: str, numbers: list[float]) -> None:
    table = read(folder, "x\ty\n" + "".join(f"{cell}\ta\n" for cell in cells.split(";")))
    np.testing.assert_array_equal(table.frame["x"], numbers)


def test_texts_beside_numbers_leave_the_column_text(folder: Path) -> None:
    table = read(folder, "c,d\n5,1\nHài lòng,2\n\n,3\n")
    assert list(table.frame["c"]) == ["5", "Hài lòng", None]
    assert table.skipped == (4,)
    assert list(table.row_numbers()) == [2, 3, 5]
    assert "Bỏ qua 1 dòng trống" in table.summary("vi")


def test_empty_words_of_other_programs(folder: Path) -> None:
    table = read(folder, "c,d,e\n5,NA,NA\nNA,2,tốt\n")
    np.testing.assert_array_equal(table.frame["c"], [5, np.nan])
    assert list(table.frame["e"]) == ["NA", "tốt"]
    assert "Coi là ô trống trong các cột số: NA" in table.summary("vi")


def test_dates_day_first(folder: Path) -> None:
    table = read(folder, "ngay,gio\n14/3/2025,14/03/2025 9:05:07\n,01/04/2025 23:59\n")
    assert table.frame["ngay"].dtype == "datetime64[us]"
    assert table.frame["ngay"][0] == pd.Timestamp(2025, 3, 14)
    assert pd.isna(table.frame["ngay"][1])
    assert list(table.frame["gio"]) == [pd.Timestamp(2025, 3, 14, 9, 5, 7), pd.Timestamp(2025, 4, 1, 23, 59)]
    assert "Ngày dạng ngày/tháng/năm: ngay, gio" in table.summary("vi")


def test_dates_only_where_all_fit(folder: Path) -> None:
    table = read(folder, "n,m\n14/3/2025,1/2/2025\n31/2/2025,hôm qua\n")
    assert list(table.frame["n"]) == ["14/3/2025", "31/2/2025"]
    assert list(table.frame["m"]) == ["1/2/2025", "hôm qua"]


def test_month_first_only_where_nothing_else_fits(folder: Path) -> None:
    table = read(folder, "n,m\n3/14/2025,1/2/2025\n4/1/2025,3/4/2025\n")
    assert table.frame["n"][0] == pd.Timestamp(2025, 3, 14)
    assert table.frame["m"][0] == pd.Timestamp(2025, 2, 1)
    assert "tháng/ngày/năm (vì" in table.summary("vi")
    assert "Chưa chắc chắn ngày đứng trước tháng (mọi ô đều không quá 12): m." in table.summary("vi")


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2025-03-14T09:05:07.250+07:00", "2025-03-14 09:05:07.250"),
        ("2025/03/14 9:05:07 CH GMT+7", "2025-03-14 21:05:07"),
        ("2025-03-14 12:05:07 AM", "2025-03-14 00:05:07"),
        ("14.03.2025", "2025-03-14"),
        ("2025-03-14T02:05:07Z", "2025-03-14 02:05:07"),
    ],
)
def test_forms_of_time_stamps(folder: Path, cell: str, moment: str) -> None:
    table = read(folder, f"Dấu thời gian,x\n{cell},1\n")
    assert table.frame["Dấu thời gian"][0] == pd.Timestamp(moment)


def test_google_forms_export_is_kept_as_it_is(folder: Path) -> None:
    question = "Ông/bà hài lòng thế nào với thái độ của công chức? [Lịch sự]"
    table = read(
        folder, f'Dấu thời gian,"{question}"\n14/03/2025 08:00:00,Hài lòng\n15/03/2025 08:00:00,1. Rất không hài lòng\n'
    )
    assert list(table.frame[question]) == ["Hài lòng", "1. Rất không hài lòng"]


def test_repeated_empty_and_path_names(folder: Path) -> None:
    table = read(folder, "a,a,,nhom/cau_1,nhom/cau_2,nhom/cau_3,a (2),\n1,2,3,4,5,6,7,\n")
    names = list(table.frame.columns)
    assert names == ["a", "a (3)", "Cột 3", "nhom/cau_1", "nhom/cau_2", "nhom/cau_3", "a (2)"]
    said = table.summary("vi")
    assert "Tên cột bị lặp được đánh số: a (3)" in said
    assert "Cột không có tên được đặt tên: Cột 3" in said
    assert "phần sau dấu / cuối cùng" in said


def test_simulated_marker(folder: Path) -> None:
    table = read(folder, "a,data_kind\n1,simulated\n2,\n")
    assert table.simulated
    assert "dữ liệu mô phỏng" in table.summary("vi")
    assert not read(folder, "a,data_kind\n1,real\n").simulated


def test_no_row_in_the_representation(folder: Path) -> None:
    shown = repr(read(folder, "ten,c\nNguyễn Văn A,5\n"))
    assert shown == "RawTable(phiếu.csv: 1 rows, 2 columns)"


def test_uneven_lines_are_numbered(folder: Path) -> None:
    said = refusal(folder, "a,b,c\n1,2,3\n1,2\n1,2,3,4\n1,2,3,\n")
    assert "có 2 dòng không đủ hoặc thừa ô so với hàng tên cột (3 ô)" in said
    assert "Dòng 3: có 2 ô, cần 3 ô." in said
    assert "Dòng 4: có 4 ô, cần 3 ô." in said


def test_broken_quotes(folder: Path) -> None:
    assert "dấu ngoặc kép không khớp ở gần dòng 3" in refusal(folder, 'a,b\n1,"x\n2,3\n')


@pytest.mark.parametrize("content", ["a^b^c\n1^2^3\n4^5^6\n", "a  b\n1  2\n3  4\n", '"a;b"\n"1;2"\n'])
def test_one_column_of_everything(folder: Path, content: str) -> None:
    assert "chỉ đọc được thành một cột" in refusal(folder, content)


def test_one_plain_column_and_one_row_are_fine(folder: Path) -> None:
    assert read(folder, "diem\n5\n").frame.to_dict("list") == {"diem": [5.0]}


def test_title_above_the_header(folder: Path) -> None:
    table = read(folder, "KẾT QUẢ KHẢO SÁT;;\n;;\nma;c1;c2\nP1;4;5\n;;\n")
    assert list(table.frame.columns) == ["ma", "c1", "c2"]
    assert (table.first_row, len(table)) == (4, 1)
    assert "Hàng tên cột: dòng 3" in table.summary("vi")


def test_header_only(folder: Path) -> None:
    assert "chỉ có hàng tên cột (dòng 1)" in refusal(folder, "a,b\n")
    assert "chỉ có hàng tên cột (dòng 1)" in refusal(folder, "a,b\n,\n\n")


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b" \r\n\r\n", b"\x00\x00"])
def test_no_content(folder: Path, content: bytes) -> None:
    assert "không có nội dung" in refusal(folder, content)


def test_only_separators(folder: Path) -> None:
    assert "không có ô nào chứa dữ liệu" in refusal(folder, ";;;\n;;;\n")


def test_sheet_of_a_text_file(folder: Path) -> None:
    with pytest.raises(OptionError, match="không phải tệp Excel"):
        read(folder, "a,b\n1,2\n", sheet="Phiếu")
