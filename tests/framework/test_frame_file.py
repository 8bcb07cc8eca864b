"""The sampling frame that agencies count: written, filled in, read back, refused by its cell."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from openpyxl import load_workbook

from sipas_research.errors import FrameworkError
from sipas_research.framework.frame_file import read_frames, write_frames_xlsx
from sipas_research.framework.frames import agency_frames
from sipas_research.results import DataKind
from sipas_research.survey.agencies import Agency, AgencyRegister
from sipas_research.wording import Bilingual

REGISTER = AgencyRegister(
    (
        *(Agency(f"so_{n}", Bilingual(f"Sở {n}"), "department") for n in "abc"),
        Agency("xa", Bilingual("Xã"), "commune"),
    )
)


def test_numbers_come_back(tmp_path: Path) -> None:
    path = write_frames_xlsx(REGISTER, tmp_path / "khung_mau.xlsx")
    assert read_frames(path, REGISTER) == {}
    write_frames_xlsx(REGISTER, path, {"so_a": 1200.0, "xa": 77.0})
    counted = read_frames(path, REGISTER)
    assert counted == {"so_a": 1200.0, "xa": 77.0}
    frames = agency_frames(REGISTER, "department", data_kind=DataKind.USER, counted=counted, source=path.name)
    assert frames.sizes["so_a"] == 1200.0
    assert math.isnan(frames.sizes["so_b"])
    assert frames.open == 2
    assert frames.source == "khung_mau.xlsx"
    assert not frames.estimated


@pytest.mark.parametrize(
    ("cell", "value", "said"),
    [("A3", "so_z", "so_z"), ("A3", "so_a", "so_a"), ("C2", "1,5", "1,5"), ("C2", "nhiều", "nhiều"), ("C2", 1, "2")],
)
def test_wrong_cells_are_named(tmp_path: Path, cell: str, value: object, said: str) -> None:
    path = write_frames_xlsx(REGISTER, tmp_path / "khung_mau.xlsx")
    book = load_workbook(path)
    book.active[cell] = value
    book.save(path)
    with pytest.raises(FrameworkError) as error:
        read_frames(path, REGISTER)
    text = str(error.value)
    assert said in text
    assert "Khung mẫu" in text
    assert f"dòng {cell[1:]}" in text
