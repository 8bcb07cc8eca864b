"""Tables as Excel files, figures as picture files."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from sipas_research.report import Absent, Column, Figure, Suppressed, Table, write_figure, write_table_xlsx
from sipas_research.results import DataKind

COLUMNS = (
    Column("a", "Đơn vị"),
    Column("n", "n", "integer"),
    Column("s", "Tỷ lệ", "percent"),
    Column("ci", "Khoảng tin cậy", "interval_percent"),
)
ROWS = (
    ("=1+1", 3366, 0.870712345, (0.84, 0.9)),
    ("B", Suppressed(), Absent("không có phiếu"), Suppressed()),
    ("C", None, 0.5, (None, 0.6)),
)


def make(kind: DataKind) -> Table:
    return Table("tbl-index", "Chỉ số", COLUMNS, ROWS, "vi", kind, n=3366, total_rows=(2,))


def cells(path: Path) -> list[tuple[object, ...]]:
    return [tuple(row) for row in openpyxl.load_workbook(path).active.iter_rows(values_only=True)]


def test_raw_numbers_mark_and_kind(tmp_path: Path) -> None:
    path = write_table_xlsx(make(DataKind.SIMULATED), tmp_path / "bảng.xlsx")
    rows = cells(path)
    assert str(rows[0][0]).startswith("DỮ LIỆU MÔ PHỎNG")
    assert rows[1][0] == "Chỉ số"
    assert rows[3] == (
        "Đơn vị",
        "n",
        "Tỷ lệ",
        "Khoảng tin cậy: cận dưới",
        "Khoảng tin cậy: cận trên",
        "data_kind",
    )
    assert rows[4] == ("=1+1", 3366, 0.870712345, 0.84, 0.9, "simulated")
    assert rows[5] == ("B", "(*)", "–", "(*)", "(*)", "simulated")
    assert rows[6] == ("C", "–", 0.5, "–", 0.6, "simulated")
    assert "không có phiếu" in str(rows[8][0])
    sheet = openpyxl.load_workbook(path).active
    assert sheet["C5"].number_format == "0.00%"
    assert sheet["A5"].data_type == "s"
    assert sheet["A7"].font.bold


def test_other_kinds_have_no_mark(tmp_path: Path) -> None:
    rows = cells(write_table_xlsx(make(DataKind.USER), tmp_path / "a.xlsx"))
    assert rows[0][0] == "Chỉ số"
    assert rows[3][-1] == "user"


def test_same_bytes_twice(tmp_path: Path) -> None:
    first, second = (write_table_xlsx(make(DataKind.USER), tmp_path / name) for name in ("a.xlsx", "b.xlsx"))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("held", [False, True])
def test_a_file_held_by_excel_is_left_alone(tmp_path: Path, held: bool) -> None:
    path = write_table_xlsx(make(DataKind.USER), tmp_path / "a.xlsx")
    if held:
        (tmp_path / "~$a.xlsx").write_text("owner")
    again = write_table_xlsx(make(DataKind.USER), path)
    assert again.name == ("a (2).xlsx" if held else "a.xlsx")


def test_figures_become_two_files(tmp_path: Path) -> None:
    shown = Figure("fig-a", "Hình", b"\x89PNG", "<svg>Đ</svg>", "mô tả", "vi", DataKind.USER)
    png, svg = write_figure(shown, tmp_path)
    assert (png.name, png.read_bytes()) == ("fig-a.png", b"\x89PNG")
    assert (svg.name, svg.read_text(encoding="utf-8")) == ("fig-a.svg", "<svg>Đ</svg>")
