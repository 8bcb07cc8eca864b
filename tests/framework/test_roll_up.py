"""Totals of units: nothing about one person comes in or goes out."""

import itertools

import numpy as np
import pytest
from openpyxl import Workbook

from sipas_research.errors import FrameworkError, HonestyError
from sipas_research.framework.roll_up import read_unit_totals
from sipas_research.results import DataKind
from sipas_research.survey.agencies import Agency, AgencyRegister
from sipas_research.wording import Bilingual

HEAD = ("Mã đơn vị", "Năm", "Tổng điểm", "Số người xuất sắc", "Số người tốt", "Số người không hoàn thành")


@pytest.fixture
def write(tmp_path):
    def make(*rows, head=HEAD):
        book = Workbook()
        for row in (head, *rows):
            book.active.append(row)
        path = tmp_path / "don_vi.xlsx"
        book.save(path)
        return path

    return make


def test_totals_come_in_and_small_cells_are_hidden(write):
    path = write(("so_01", 2022, 4210.5, 30, 25, 3), ("so_02", 2022, 900, 14, 20, 12), ("so_03", 2022, 80, 4, 3, 0))
    found = read_unit_totals(path)
    assert found.classes == ("xuất sắc", "tốt", "không hoàn thành")
    first, second, third = found.rows
    assert (first.points, first.staff) == (4210.5, 58.0)
    assert [np.isnan(c) for c in first.counts] == [False, True, True]  # a second cell guards the small one
    assert second.counts == (14.0, 20.0, 12.0)
    assert third.hidden
    assert np.isnan(third.points)
    assert found.data_kind is DataKind.USER
    assert "không chấm điểm" in found.summary("vi")


def test_everyone_in_one_class_is_hidden(write):
    row = read_unit_totals(write(("so_01", 2022, 100, 0, 40, 0))).rows[0]
    assert all(np.isnan(c) for c in row.counts)


def test_no_hidden_cell_follows_from_the_total(write):
    rng = np.random.default_rng(1)
    rows = [(f"so_{k:02d}", 2022, 100, *map(int, rng.choice([0, 1, 5, 9, 12, 30], 3))) for k in range(60)]
    counts = {row[0]: row[3:] for row in rows if sum(row[3:]) != 1}
    found = read_unit_totals(write(*[row for row in rows if row[0] in counts]))
    for row in found.rows:
        true = counts[row.unit]
        if row.hidden:
            assert sum(true) < 10
            continue
        hidden = [k for k, c in enumerate(row.counts) if np.isnan(c)]
        assert all(t == 0 or t >= 10 for k, t in enumerate(true) if k not in hidden)
        if hidden:
            left = int(row.staff - np.nansum(row.counts))
            ways = [w for w in itertools.product(range(left + 1), repeat=len(hidden)) if sum(w) == left]
            assert len(ways) > 1


@pytest.mark.parametrize(
    "header",
    ["Họ và tên", "Họ tên công chức", "Số CCCD", "Ngày sinh", "Mã cán bộ", "Email", "Full name", "Chức vụ", "Tên"],
)
def test_columns_about_people_are_refused_without_their_values(write, header):
    path = write(("so_01", 2022, 10, 12, 13, 14, "Nguyễn Văn A"), head=(*HEAD, header))
    with pytest.raises(HonestyError) as caught:
        read_unit_totals(path)
    assert "Nguyễn" not in str(caught.value)


def test_rows_of_people_are_refused(write):
    several = [("so_01", 2022, 8.5, 1, 0, 0), ("so_01", 2022, 9.0, 0, 1, 0)]
    with pytest.raises(HonestyError):
        read_unit_totals(write(*several))
    single = [(f"so_{k:02d}", 2022, 8.5, 1, 0, 0) for k in range(5)]
    with pytest.raises(HonestyError):
        read_unit_totals(write(*single))


def test_a_name_in_place_of_a_unit_is_refused_and_not_repeated(write):
    path = write(("Nguyễn Văn A", 2022, 80, 12, 13, 14))
    with pytest.raises(FrameworkError) as caught:
        read_unit_totals(path)
    assert "Nguyễn" not in str(caught.value)
    assert "dòng 2" in str(caught.value)


def test_units_must_stand_in_the_register(write):
    register = AgencyRegister((Agency("so_01", Bilingual("Sở 01")),))
    path = write(("so_01", 2022, 80, 12, 13, 14), ("so_99", 2022, 80, 12, 13, 14))
    with pytest.raises(FrameworkError) as caught:
        read_unit_totals(path, register=register)
    assert [p.row for p in caught.value.problems] == [3]


@pytest.mark.parametrize(
    "row",
    [
        ("so_01", 1890, 80, 12, 13, 14),
        ("so_01", 2022, -1, 12, 13, 14),
        ("so_01", 2022, 80, 12.5, 13, 14),
        ("so_01", 2022, 80, -3, 13, 14),
        ("so_01", "nay", 80, 12, 13, 14),
        ("so_01", 2022, 80, "Nguyễn Văn A", 13, 14),
    ],
)
def test_wrong_cells_are_named_not_repeated(write, row):
    with pytest.raises(FrameworkError) as caught:
        read_unit_totals(write(row))
    assert [p.row for p in caught.value.problems] == [2]
    assert "Nguyễn" not in str(caught.value)


@pytest.mark.parametrize("head", [HEAD[:4], HEAD[1:], (*HEAD, "Ghi chú"), (*HEAD, "Số người tốt")])
def test_columns_must_be_those_of_a_unit(write, head):
    with pytest.raises(FrameworkError):
        read_unit_totals(write(("so_01", 2022, 80, 12, 13, 14, 5), head=head))


def test_an_empty_file_is_refused(write):
    with pytest.raises(FrameworkError):
        read_unit_totals(write())
