"""SPSS and Stata files: labels, user-missing codes, dates, code pages."""

from __future__ import annotations

import struct
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from sipas_research.errors import DataFileError
from sipas_research.survey.reading import read_table
from sipas_research.survey.spss_dictionary import is_sound

ANSWERS = {1: "Rất không hài lòng", 5: "Rất hài lòng", 9: "Không trả lời"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "Khảo sát năm 2025"
    place.mkdir()
    return place


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Câu_1": [5.0, 9.0, np.nan],
            "Câu_2": [1.0, 97.0, 2.0],
            "đơn_vị": ["so_01", unicodedata.normalize("NFD", "Huyện Tràng Định "), ""],
            "ngày": pd.to_datetime(["2025-03-14 08:05:07", None, "1582-10-15 00:00:00"]),
        }
    )


def test_spss_keeps_what_the_file_says(folder: Path, frame: pd.DataFrame) -> None:
    path = folder / "phiếu.sav"
    pyreadstat.write_sav(
        frame,
        path,
        column_labels={"Câu_1": unicodedata.normalize("NFD", "Mức độ hài lòng ")},
        variable_value_labels={"Câu_1": ANSWERS},
        missing_ranges={"Câu_1": [9], "Câu_2": [{"lo": 97, "hi": 99}, 9], "đơn_vị": ["KTL"]},
    )
    table = read_table(path)
    assert list(table.frame.columns) == list(frame.columns)
    np.testing.assert_array_equal(table.frame["Câu_1"], [5.0, 9.0, np.nan])
    assert list(table.frame["đơn_vị"]) == ["so_01", "Huyện Tràng Định", None]
    assert table.frame["ngày"].dtype == "datetime64[us]"
    assert table.frame["ngày"][0] == pd.Timestamp("2025-03-14 08:05:07")
    assert table.labels == {"Câu_1": "Mức độ hài lòng"}
    assert table.value_labels == {"Câu_1": {float(code): label for code, label in ANSWERS.items()}}
    assert table.missing_codes["Câu_1"] == (9.0,)
    assert set(table.missing_codes["Câu_2"]) == {9.0, (97.0, 99.0)}
    assert table.missing_codes["đơn_vị"] == ("KTL",)
    assert table.first_row == 1
    assert "Số biến có mã khuyết do người dùng khai báo: 3" in table.summary("vi")
    assert "Nhãn biến: 1; biến có nhãn giá trị: 1" in table.summary("vi")


def test_compressed_spss(folder: Path, frame: pd.DataFrame) -> None:
    path = folder / "phiếu.zsav"
    pyreadstat.write_sav(frame, path, compress=True)
    np.testing.assert_array_equal(read_table(path).frame["Câu_2"], [1.0, 97.0, 2.0])


def test_open_range_of_missing_codes(folder: Path) -> None:
    path = folder / "a.sav"
    pyreadstat.write_sav(
        pd.DataFrame({"a": [1.0, 98]}), path, missing_ranges={"a": [{"lo": 90, "hi": 1.7976931348623157e308}]}
    )
    assert read_table(path).missing_codes == {"a": ((90.0, np.inf),)}


def test_spss_clock_and_impossible_dates(folder: Path) -> None:
    path = folder / "a.sav"
    frame = pd.DataFrame({"gio": [30600.0, np.nan], "ngay": [1.4e10, 1e15]})
    pyreadstat.write_sav(frame, path, variable_format={"gio": "TIME8", "ngay": "DATE11"})
    table = read_table(path)
    assert list(table.frame["gio"]) == ["08:30:00", None]
    # The second number is no date on any calendar; the column stays what it is.
    np.testing.assert_array_equal(table.frame["ngay"], [1.4e10, 1e15])


def test_stata(folder: Path, frame: pd.DataFrame) -> None:
    path = folder / "phiếu.dta"
    days = frame.rename(columns={"Câu_1": "c1", "Câu_2": "c2", "đơn_vị": "dv", "ngày": "ngay"})
    pyreadstat.write_dta(days, path, column_labels={"c1": "Mức độ hài lòng"}, variable_value_labels={"c1": ANSWERS})
    table = read_table(path)
    assert table.frame["ngay"][0] == pd.Timestamp("2025-03-14 08:05:07")
    assert table.labels["c1"] == "Mức độ hài lòng"
    assert table.value_labels["c1"][5.0] == "Rất hài lòng"
    assert table.missing_codes == {}
    assert table.first_row == 1
    np.testing.assert_array_equal(table.frame["c1"], [5.0, 9.0, np.nan])


def test_stata_days_and_own_missing_codes(folder: Path) -> None:
    path = folder / "a.dta"
    frame = pd.DataFrame({"a": [1, "a", 3], "ngay": [23000.0, 1, 2]})
    pyreadstat.write_dta(frame, path, missing_user_values={"a": ["a"]}, variable_format={"ngay": "%td"})
    table = read_table(path)
    np.testing.assert_array_equal(table.frame["a"], [1, np.nan, 3])
    assert table.frame["ngay"][1] == pd.Timestamp(1960, 1, 2)


def test_all_empty_text_variable(folder: Path) -> None:
    path = folder / "a.sav"
    pyreadstat.write_sav(pd.DataFrame({"a": [1.0, 2.0], "b": ["", ""]}), path)
    assert read_table(path).frame["b"].isna().all()


def test_simulated_marker(folder: Path) -> None:
    path = folder / "a.sav"
    pyreadstat.write_sav(pd.DataFrame({"a": [1.0], "data_kind": ["simulated"]}), path)
    assert read_table(path).simulated


def refusal(path: Path) -> str:
    with pytest.raises(DataFileError) as caught:
        read_table(path)
    assert str(path.parent) not in str(caught.value)
    return caught.value.message("vi")


def with_label(path: Path, label: str, *, declared: bytes = b"UTF-8") -> Path:
    """Write a .sav file whose label and code page are then changed in its bytes, as an old SPSS left them."""
    coded = label.encode("cp1258" if declared == b"CP1258" else "latin-1")
    pyreadstat.write_sav(pd.DataFrame({"a": [1.0]}), path, column_labels={"a": "#" * len(coded)})
    content = path.read_bytes().replace(b"#" * len(coded), coded).replace(b"UTF-8", declared[:5])
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("declared", [b"UTF-8", b"ASCII"])
def test_tcvn3_in_spss(folder: Path, declared: bytes) -> None:
    said = refusal(with_label(folder / "a.sav", "Møc ®é hµi lßng cña ng\u00adêi d©n", declared=declared))
    assert "TCVN3 (ABC)" in said
    assert "Ctrl+Shift+F6" in said


def test_tcvn3_that_became_unicode_signs(folder: Path) -> None:
    path = folder / "a.sav"
    pyreadstat.write_sav(pd.DataFrame({"a": [1.0], "dv": ["Së Néi vô, Th¸ng"]}), path)
    assert "cột 'dv'" in refusal(path)


def test_windows_1258_in_spss_is_read_with_a_note(folder: Path) -> None:
    path = folder / "a.sav"
    text = "Mư\u0301c đô\u0323 ha\u0300i lo\u0300ng".encode("cp1258")
    pyreadstat.write_sav(pd.DataFrame({"a": [1.0]}), path, column_labels={"a": "#" * len(text)})
    path.write_bytes(path.read_bytes().replace(b"#" * len(text), text))
    table = read_table(path)
    assert table.labels == {"a": "Mức độ hài lòng"}
    assert "Bảng mã: Windows-1258" in table.summary("vi")


def test_unknown_code_page(folder: Path) -> None:
    said = refusal(with_label(folder / "a.sav", "Größe der Straße über Zürich"))
    assert "Edit > Options > Language" in said
    assert "unicode translate" in said


def test_damaged_and_pretended(folder: Path) -> None:
    path = folder / "a.sav"
    pyreadstat.write_sav(pd.DataFrame({"a": np.arange(500.0)}), path)
    content = path.read_bytes()
    path.write_bytes(content[:300])
    assert "đã hỏng hoặc thuộc phiên bản không đọc được" in refusal(path)
    path.write_bytes(b"a,b\n1,2\n")
    assert "không phải tệp SPSS hoặc Stata" in refusal(path)
    (folder / "a.dta").write_bytes(content)
    assert "không phải tệp SPSS hoặc Stata" in refusal(folder / "a.dta")


def test_no_rows(folder: Path) -> None:
    path = folder / "a.sav"
    pyreadstat.write_sav(pd.DataFrame({"a": np.array([], dtype=float)}), path)
    assert "không có phiếu nào" in refusal(path)


def test_stata_file_called_csv(folder: Path) -> None:
    path = folder / "a.dta"
    pyreadstat.write_dta(pd.DataFrame({"a": [1.0]}), path, version=15)
    path.rename(folder / "a.csv")
    assert "Hãy đổi đuôi tệp thành .dta" in refusal(folder / "a.csv")


def test_dictionary_that_points_nowhere_is_refused_before_the_reader(folder: Path) -> None:
    path = folder / "a.sav"
    pyreadstat.write_sav(pd.DataFrame({"a": [1.0], "b": ["x" * 20]}), path, variable_value_labels={"a": ANSWERS})
    content = path.read_bytes()
    assert is_sound(content)
    labelled = content.index(struct.pack("<iii", 4, 1, 1))
    width = content.index(struct.pack("<ii", 2, 20))
    for place, number in ((labelled + 8, 77), (labelled + 4, 9), (width + 4, 12), (64, 8)):
        broken = bytearray(content)
        broken[place : place + 4] = struct.pack("<i", number)
        assert not is_sound(bytes(broken))
        path.write_bytes(bytes(broken))
        assert "đã hỏng" in refusal(path)


def test_long_texts(folder: Path) -> None:
    path = folder / "a.sav"
    texts = {f"t{n}": ["ô" * n] for n in (3, 8, 20, 127, 128, 700)}
    pyreadstat.write_sav(pd.DataFrame(texts), path)
    assert read_table(path).frame.to_dict("list") == texts
