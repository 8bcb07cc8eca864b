"""The file with what all scorecards show: whole or refused, no person in it, read without the estimators."""

import json
import subprocess
import sys

import pytest

from sipas_research.errors import DataFileError, HonestyError
from sipas_research.report import Absent, Column, Figure, Finding, Suppressed, Table
from sipas_research.results import DataKind
from sipas_research.study.notebook_check import PersonMarks
from sipas_research.study.scorecard_file import (
    AgencyScorecard,
    open_scorecard,
    read_scorecard,
    scorecard_sums,
    write_scorecards_file,
)

KIND = DataKind.SIMULATED


def table(first="Tiếp cận"):
    columns = (Column("part", "Thành phần"), Column("value", "Chỉ số", "percent"), Column("ends", "Khoảng", "interval"))
    rows = ((first, 0.1 + 0.2, (0.1, 0.5)), ("Kết quả", Suppressed(), Absent("chưa có")))
    return Table("tbl-thu", "Bảng thử", columns, rows, "vi", KIND, n=30, notes=("ghi chú",))


def card(agency="so_01", language="vi", first="Tiếp cận"):
    figure = Figure("fig-thu", "Hình", b"\x89PNG", "<svg>\n</svg>", "mô tả", "vi", KIND)
    finding = Finding("thu", "Một câu.", "vi", KIND, role="main")
    return AgencyScorecard(agency, language, {"index": (table(first), figure), "findings": (finding,)})


def write(path, *cards, marks=None, inputs="abc"):
    return write_scorecards_file(path, cards, data_kind=KIND, marks=marks or PersonMarks(), inputs=inputs)


def test_what_is_read_is_what_was_written(tmp_path):
    cards = [card(), card("so_02", first="x\ny"), card("so_02", "en")]
    path, sums = write(tmp_path / "so_lieu.json", *cards)
    for expected in cards:
        found = read_scorecard(path, expected.agency, expected.language)
        assert found.parts == expected.parts
    assert read_scorecard(path, "", "en").agency == "so_02"
    assert scorecard_sums(path, "abc") == sums
    assert scorecard_sums(path, "other inputs") == {}
    again, _ = write(tmp_path / "lai.json", *cards)
    assert again.read_bytes() == path.read_bytes()
    assert json.loads(path.read_text(encoding="utf-8").splitlines()[0])["data_kind"] == "simulated"


def test_a_changed_line_is_refused_and_not_kept(tmp_path):
    path, sums = write(tmp_path / "so_lieu.json", card(), card("so_02"))
    lines = path.read_text(encoding="utf-8").split("\n")
    lines[2] = lines[2].replace("0.5", "0.9")
    path.write_text("\n".join(lines), encoding="utf-8")
    assert read_scorecard(path, "so_01", "vi").agency == "so_01"
    with pytest.raises(DataFileError, match="bị sửa hoặc hỏng"):
        read_scorecard(path, "so_02", "vi")
    assert set(scorecard_sums(path, "abc")) == {("so_01", "vi")}
    lines[0] = lines[0].replace("so_01", "so_09")
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(DataFileError, match="bị sửa hoặc hỏng"):
        read_scorecard(path, "so_01", "vi")
    assert sums


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"3\n", b"\xff\xfe\x00", b'{"checksum": "a"}\n', b"half"])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "so_lieu.json"
    path.write_bytes(content)
    with pytest.raises(DataFileError, match="so_lieu"):
        read_scorecard(path, "so_01", "vi")
    assert scorecard_sums(path, "abc") == {}


def test_a_cut_file_is_refused(tmp_path):
    path, _ = write(tmp_path / "so_lieu.json", card(), card("so_02"))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataFileError):
        read_scorecard(path, "so_02", "vi")
    path.unlink()
    with pytest.raises(DataFileError, match="Không đọc được"):
        read_scorecard(path, "so_02", "vi")


def test_an_agency_that_is_not_there_names_those_that_are(tmp_path):
    path, _ = write(tmp_path / "so_lieu.json", card(), card("so_02"))
    with pytest.raises(DataFileError, match="so_01, so_02"):
        read_scorecard(path, "so_03", "vi")
    with pytest.raises(DataFileError):
        read_scorecard(path, "", "en")


def test_rows_about_persons_are_never_written(tmp_path):
    with pytest.raises(HonestyError, match="so_01"):
        write(tmp_path / "so_lieu.json", card(first="P000123"), marks=PersonMarks(frozenset({"P000123"})))
    assert not (tmp_path / "so_lieu.json").exists()


def test_parts_show_themselves_in_order(tmp_path, monkeypatch):
    import IPython.display

    shown = []
    monkeypatch.setattr(IPython.display, "display", lambda *objects: shown.extend(objects))
    path, _ = write(tmp_path / "so_lieu.json", card())
    found = open_scorecard("", "so_01", "vi", data=str(path))
    found.index_table()
    found.appeal_tables()
    found.scorecard_findings()
    assert [s.id for s in shown] == ["tbl-thu", "fig-thu", "thu"]


def test_reading_brings_no_heavy_library(tmp_path):
    path, _ = write(tmp_path / "so_lieu.json", card())
    code = (
        "import sys, sipas_research as sr\n"
        f"sr.open_scorecard('', 'so_01', 'vi', data={str(path)!r})\n"
        "print([m for m in ('pandas', 'numpy', 'scipy', 'matplotlib', 'polars', 'openpyxl') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
