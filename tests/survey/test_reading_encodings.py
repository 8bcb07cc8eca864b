"""Text from before Unicode is refused with the way to convert it, wherever it hides."""

from __future__ import annotations

from pathlib import Path

import pytest

from sipas_research.errors import DataFileError
from sipas_research.survey.legacy_vietnamese import is_syllable, suspect
from sipas_research.survey.reading import read_table

TCVN3 = "Kh¶o s¸t møc ®é hµi lßng cña ng\u00adêi d©n, Së Néi vô Th¸ng"
VNI = "Khaûo saùt möùc ñoä haøi loøng cuûa ngöôøi daân tænh Laïng Sôn"
VPS = "Khäo sát mÙc Ç¶ hài lòng cûa ngÜ©i dân"
UNICODE = "Khảo sát mức độ hài lòng của người dân tỉnh Lạng Sơn, quý IV, Nguyễn Thị Hằng, Hoàng Thuý"


def refusal(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(DataFileError) as caught:
        read_table(path)
    return caught.value.message("vi")


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        (["Th¸ng", "Së"], "tcvn3"),
        (["l¹ng s¬n"], "tcvn3"),
        ([TCVN3], "tcvn3"),
        (["Tænh", "Soá"], "vni"),
        ([VNI], "vni"),
        ([VNI.upper()], "vni"),
        ([VPS], "vps"),
        (["ThÃ¡ng", "Sá»Ÿ Ná»™i vá»¥"], "utf8_twice"),
    ],
)
def test_suspects(texts: list[str], name: str) -> None:
    assert suspect(texts) == name


@pytest.mark.parametrize(
    "texts",
    [[UNICODE], ["Giá", "Mã số"], ["Café", "Zürich", "José"], ["Hài lòng"], ["Rate 5 ± 1", "25 °C"], [], ["H'Mông"]],
)
def test_unicode_is_not_suspected(texts: list[str]) -> None:
    assert suspect(texts) == ""


def test_syllables() -> None:
    assert all(is_syllable(word) for word in "nghiêng giếng quyết khuỷu đượm Ỷ Oanh".split())
    assert not any(is_syllable(word) for word in ["Th¸ng", "Tænh", "strasse", "ạặ", "tháàng"])


@pytest.mark.parametrize(
    ("text", "name"),
    [(TCVN3, "TCVN3 (ABC)"), (VNI, "VNI Windows"), ("Th¸ng;Së", "TCVN3 (ABC)"), ("Tænh;Soá", "VNI Windows")],
)
def test_bytes_that_are_not_utf8(tmp_path: Path, text: str, name: str) -> None:
    said = refusal(tmp_path / "phieu.csv", f"{text};a;b\n1;2;3\n".encode("latin-1"))
    assert f"bảng mã {name}" in said
    assert "Công cụ chuyển mã (Ctrl+Shift+F6)" in said
    assert f"bảng mã nguồn {name}, bảng mã đích Unicode" in said
    assert "CSV UTF-8" in said


def test_column_that_survived_as_mojibake(tmp_path: Path) -> None:
    said = refusal(tmp_path / "phieu.csv", "Câu 1,Đơn vị\n5,Së Néi vô\n4,Së Y tÕ\n".encode())
    assert "cột 'Đơn vị'" in said
    assert "TCVN3 (ABC)" in said
    assert "Néi" not in said


def test_utf8_read_wrongly_and_saved_again(tmp_path: Path) -> None:
    said = refusal(tmp_path / "phieu.csv", "ThÃ¡ng,Sá»Ÿ Ná»™i vá»¥\n1,2\n".encode())
    assert "mở nhầm bảng mã" in said


def test_windows_1258_is_read_with_a_note(tmp_path: Path) -> None:
    path = tmp_path / "phieu.csv"
    # cp1258 writes most tones as marks of their own, after the vowel.
    path.write_bytes("Tháng,Mư\u0301c đô\u0323\nHài lo\u0300ng,5\n".encode("cp1258"))
    table = read_table(path)
    assert list(table.frame.columns) == ["Tháng", "Mức độ"]
    assert table.frame["Tháng"][0] == "Hài lòng"
    assert "Bảng mã: Windows-1258" in table.summary("vi")


def test_letters_lost_to_question_marks(tmp_path: Path) -> None:
    said = refusal(tmp_path / "phieu.csv", b"Kh?o s\xe1t,M?c d?,Ngu?i d\xe2n,Kh\xf4ng\n1,2,3,4\n")
    assert "ít nhất 3 từ" in said
    assert "Không khôi phục được" in said
    assert "ít nhất 3 từ" in refusal(tmp_path / "b.csv", b"M?c,d?ng,Ngu?i\n1,2,3\n")


def test_links_are_not_lost_letters(tmp_path: Path) -> None:
    path = tmp_path / "phieu.csv"
    path.write_bytes(b"a,b\nhttp://x.vn/p?q=1,1\nhttp://x.vn/r?s=2,2\nhttp://x.vn/t?u=3,3\n")
    assert len(read_table(path)) == 3


def test_unknown_encoding_names_the_line(tmp_path: Path) -> None:
    said = refusal(tmp_path / "phieu.csv", "a,b\n1,2\nZürich Größe Straße,Äpfel\n".encode("latin-1"))
    assert "Không nhận ra bảng mã" in said
    assert "ở dòng 3" in said


def test_binary_file_called_csv(tmp_path: Path) -> None:
    assert "không phải tệp văn bản" in refusal(tmp_path / "phieu.csv", b"\x89PNG\x00\x01\xff\xfe" * 50)
