"""Files that are not there, not readable or of an unknown kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sipas_research.errors import DataFileError
from sipas_research.survey.raw_table import RawTable
from sipas_research.survey.reading import read_table


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "Khảo sát năm 2025"
    place.mkdir()
    for name in ("phieu_2024.xlsx", "phieu_2025.sav", "~$phieu_2025.xlsx", "ghi chú.docx"):
        (place / name).write_bytes(b"x")
    return place


def refusal(path: Path) -> str:
    with pytest.raises(DataFileError) as caught:
        read_table(path)
    assert str(path.parent) not in str(caught.value)
    return caught.value.message("vi")


def test_missing_file_with_near_names(folder: Path) -> None:
    said = refusal(folder / "phieu_2025.csv")
    assert said == (
        "Không tìm thấy tệp 'phieu_2025.csv' trong thư mục 'Khảo sát năm 2025'. "
        "Có phải bạn muốn mở: phieu_2025.sav, phieu_2024.xlsx?"
    )


def test_missing_file_with_other_names(folder: Path) -> None:
    said = refusal(folder / "du-lieu-tho.csv")
    assert "Các tệp dữ liệu có trong thư mục này: phieu_2024.xlsx, phieu_2025.sav." in said


def test_missing_file_in_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "Trống").mkdir()
    assert "không có tệp dữ liệu nào" in refusal(tmp_path / "Trống" / "a.csv")


def test_missing_folder(tmp_path: Path) -> None:
    assert "không có thư mục 'Không có'" in refusal(tmp_path / "Không có" / "a.csv")


def test_missing_file_of_the_current_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(DataFileError, match="trong thư mục 'Khảo sát năm 2025'"):
        read_table("phieu_2023.csv")


def test_folder_instead_of_file(folder: Path) -> None:
    assert "là một thư mục" in refusal(folder)


def test_unknown_endings(folder: Path) -> None:
    said = refusal(folder / "ghi chú.docx")
    assert "có đuôi .docx" in said
    assert ".csv, .txt, .tsv, .xlsx, .xlsm, .xls, .sav, .zsav, .dta" in said
    (folder / "phieu").write_bytes(b"x")
    assert "không có đuôi" in refusal(folder / "phieu")


def test_ending_in_capitals(folder: Path) -> None:
    (folder / "A.CSV").write_text("a,b\n1,2\n", encoding="utf-8")
    assert len(read_table(str(folder / "A.CSV"))) == 1


def test_row_numbers_skip_empty_rows() -> None:
    table = RawTable("a.csv", pd.DataFrame({"a": [1.0, 2, 3]}), first_row=4, skipped=(5, 7))
    np.testing.assert_array_equal(table.row_numbers(), [4, 6, 8])
    assert table.row_number(2) == 8


def test_the_owner_file_of_excel_is_named(tmp_path):
    path = tmp_path / "~$khảo sát.xlsx"
    path.write_bytes(b"\x06Nguyen" + b" " * 100)
    with pytest.raises(DataFileError, match=r"'khảo sát\.xlsx'") as caught:
        read_table(path)
    assert caught.value.key == "reading.owner_file"
    assert "Nguyen" not in str(caught.value)
