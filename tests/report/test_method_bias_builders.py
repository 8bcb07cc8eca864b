"""Tables of the marker variable and the method factor: readable, marked, and never a corrected estimate."""

import json
import re
import warnings

import numpy as np
import pytest

import sipas_research as sr
from sipas_research import report, resources
from sipas_research.report import Finding
from sipas_research.report.cells import Absent
from sipas_research.results import DataKind

SCALES = ("access", "result", "feedback")


@pytest.fixture(scope="module")
def current():
    project = sr.load_study(resources.data("twin", "study.toml"))
    return project.current(project.responses("citizens"))


@pytest.fixture(scope="module")
def fits(current):
    scales = current.scale_items()
    model = "\n".join(f"{name} =~ {' + '.join(scales[name])}" for name in SCALES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        marked = sr.method_factor(model, current, marker=scales["oversight"])
        unmeasured = sr.method_factor(model, current)
        pairs = sr.marker_variable(current, "oversight", list(SCALES))
    return marked, unmeasured, pairs


def words(table):
    return " ".join([table.caption, *[c.label for c in table.columns], *sum(table.printed(), ()), table.note_line])


@pytest.mark.parametrize("language", ["vi", "en"])
def test_tables_are_readable_and_say_what_they_are(fits, current, language):
    marked, unmeasured, pairs = fits
    tables = [report.marker_variable_table(pairs, current, language)]
    for found in (marked, unmeasured):
        tables += [build(found, current, language) for build in
                   (report.method_factor_table, report.method_sensitivity_table)]  # fmt: skip
    for table in tables:
        said = words(table)
        assert not re.search(r"\bnan\b|None|[a-z]+_[a-z0-9_]+", said), said[:400]
        assert json.loads(json.dumps(table.payload()))["id"] == table.id
        assert ("MÔ PHỎNG" if language == "vi" else "SIMULATED") in table.caption
        assert ("phân tích độ nhạy" if language == "vi" else "sensitivity analysis") in said
    assert len({table.id for table in tables}) == len(tables)


def test_numbers_are_the_results(fits, current):
    marked, _, pairs = fits
    table = report.method_factor_table(marked, current, "vi")
    assert [row[1] for row in table.rows] == pytest.approx([v.measure("chisq") for v in marked.variants])
    assert table.rows[2][-1] == marked.tests[0].p_value
    assert table.rows[1][-1] == ""
    wide = report.method_sensitivity_table(marked, current, "vi")
    assert wide.rows[0][1:] == marked.coefficients[0].values
    assert len(wide.rows) == 3
    correlations = report.marker_variable_table(pairs, current, "en")
    assert correlations.rows[0][1] == pairs.pairs[0].correlation
    assert correlations.rows[0][5] == pairs.pairs[0].partial[2]
    assert "Tiếp cận" in report.marker_variable_table(pairs, current, "vi").rows[0][0]


def test_what_cannot_be_used_has_its_reason(current):
    scales = current.scale_items()
    model = f"access =~ {' + '.join(scales['access'][:2])}\nresult =~ {' + '.join(scales['result'][:2])}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = sr.method_factor(model, current)
    table = report.method_factor_table(found, current, "vi")
    assert isinstance(table.rows[2][1], Absent)
    assert np.isfinite(table.rows[0][1])
    assert "không xác định" in table.note_line or "chưa hội tụ" in table.note_line
    reason = Finding("reason-x", "x", "vi", DataKind.USER, role="reason")
    for build in (report.method_factor_table, report.method_sensitivity_table, report.marker_variable_table):
        assert build(reason, current, "vi") is reason
