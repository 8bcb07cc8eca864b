"""The table of many agencies' targets."""

import re

import numpy as np
import pytest

import sipas_research as sr
from sipas_research import report
from sipas_research.evidence.series import Point, Series
from sipas_research.report import Finding
from sipas_research.results import DataKind
from sipas_research.wording import Bilingual


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(5)
    blocks = []
    for k, years in enumerate((7, 7, 7, 3)):
        points = tuple(Point(2015 + y, 76 + y * 0.9 + rng.normal(0, 0.4)) for y in range(years))
        blocks.append(Series(Bilingual(f"Sở mô phỏng {k}", f"Department {k}"), points, data_kind=DataKind.SIMULATED))
    return sr.target_panel(blocks, {2025: 85, 2030: 95})


@pytest.mark.parametrize("language", ["vi", "en"])
def test_table_is_readable(found, language):
    table = report.target_panel_table(found, language)
    said = " ".join([table.caption, *[c.label for c in table.columns], *sum(table.printed(), ()), table.note_line])
    assert not re.search(r"\bnan\b|None|[a-z]+_[a-z0-9_]+", said)
    assert "Brier" in said
    assert len(table.rows) == 8
    assert all(cell.startswith("–") for cell in table.printed()[-1][5:])
    assert ("không phải xếp hạng" if language == "vi" else "no ranking") in said


def test_a_reason_passes_through(found):
    reason = Finding("reason-x", "Không tính được.", "vi", found.data_kind, role="reason")
    assert report.target_panel_table(reason, "vi") is reason
