"""Widths of tables: what stands under a table may not be squeezed into a thin column."""

import pytest

from sipas_research.report.widths import for_note, layout

HEADER = ("Cận", "Giữa hai mức", "Kết luận")
ROWS = (("80,0%", "Chưa đạt – Khá", "Trên cận"), ("90,0%", "Khá – Tốt", "Chưa đủ căn cứ"))
NOTE = "Một đơn vị được xếp trên một cận khi cận dưới một phía 95% không thấp hơn cận đó. " * 12


def test_a_long_note_widens_a_narrow_table():
    plan = layout(HEADER, ROWS)
    assert sum(plan.widths) < 0.6
    wide = for_note(plan, NOTE)
    assert sum(wide.widths) == pytest.approx(0.75)
    assert wide.widths[1] / wide.widths[0] == pytest.approx(plan.widths[1] / plan.widths[0])
    assert (wide.size, wide.fits) == (plan.size, plan.fits)


def test_other_tables_keep_their_widths():
    plan = layout(HEADER, ROWS)
    assert for_note(plan, "Nguồn: khảo sát.") is plan
    full = layout(HEADER, ROWS, (0.4, 0.3, 0.3))
    assert for_note(full, NOTE) is full
    assert for_note(layout((), ()), NOTE).widths == ()
