"""The table of bootstrap intervals: readable, marked, with what was drawn and what failed."""

import re

import pytest

import sipas_research as sr
from sipas_research import report, resources

pytestmark = pytest.mark.filterwarnings("ignore::sipas_research.errors.DroppedRowsWarning")


@pytest.fixture(scope="module")
def current():
    project = sr.load_study(resources.data("twin", "study.toml"))
    return project.current(project.responses("citizens"))


@pytest.fixture(scope="module")
def drawn(current):
    return sr.sem(sr.lever_model(current), current).bootstrap(draws=45, seed=2)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_table_tells_what_was_drawn(drawn, current, language):
    table = report.bootstrap_table(drawn, current, language)
    words = " ".join([table.caption, *[c.label for c in table.columns], *sum(table.printed(), ()), table.note_line])
    assert not re.search(r"\bnan\b|None|[a-z]+_[a-z0-9_]+", words), words[:300]
    assert ("DỮ LIỆU MÔ PHỎNG" if language == "vi" else "SIMULATED DATA") in words
    assert ("45 lần lấy lại" if language == "vi" else "45 resamples") in words
    tidy = drawn.tidy()
    wanted = tidy[tidy["op"].isin(["~", ":="]) & (tidy["note"] != "fixed")]
    assert len(table.rows) == len(wanted)
    first = wanted.iloc[0]
    assert table.rows[0][3] == (first["conf_low"], first["conf_high"])
    assert any(row[0].startswith("Gián tiếp: " if language == "vi" else "Indirect: ") for row in table.rows)


def test_too_few_draws_leave_intervals_empty_with_the_reason(current):
    few = sr.sem(sr.lever_model(current), current).bootstrap(draws=3)
    table = report.bootstrap_table(few, current, "en")
    assert "too few resamples" in table.note_line
    assert isinstance(table.rows[0][3], report.Absent)
    bca = report.bootstrap_table(few, current, "en", "bca")
    assert "BCa" in bca.note_line
