"""Tables of changes and of the adjusted index, made from the simulated province."""

import json
import re

import pytest

import sipas_research as sr
from sipas_research import report, resources
from sipas_research.report import Finding, Suppressed

pytestmark = pytest.mark.filterwarnings("ignore::sipas_research.errors.DroppedRowsWarning")


@pytest.fixture(scope="module")
def province():
    return sr.load_study(resources.data("twin", "study.toml"))


@pytest.fixture(scope="module")
def people(province):
    return province.responses("citizens")


@pytest.fixture(scope="module")
def within(people):
    return sr.index_change(people, 2020, 2021, by="agency", composition=("sex", "procedure_field"))


def words(table):
    return " ".join([table.caption, *[c.label for c in table.columns], *sum(table.printed(), ()), table.note_line])


def assert_readable(table):
    said = words(table)
    assert not re.search(r"\bnan\b|None|[a-z]+_[a-z0-9_]+", said), said[:400]
    assert json.loads(json.dumps(table.payload()))["id"] == table.id


@pytest.mark.parametrize("language", ["vi", "en"])
def test_tables_of_a_change_are_readable_and_marked(people, within, language):
    tables = [
        report.index_change_table(within, people, language),
        report.index_change_groups_table(within, people, language),
        report.decomposition_table(within, people, language),
        report.composition_table(within, people, language),
        report.index_change_groups_table(sr.index_change(people, 2020, 2021, by="level"), people, language),
    ]
    mark = "DỮ LIỆU MÔ PHỎNG" if language == "vi" else "SIMULATED DATA"
    for table in tables:
        assert_readable(table)
        assert mark in table.caption
        assert table.source
    said = words(tables[0])
    assert ("chưa kiểm chứng" if language == "vi" else "not verified") in said
    assert "Holm" in said
    assert "Kitagawa" in words(tables[2])


def test_the_change_of_the_province(people, within):
    table = report.index_change_table(within, people, "vi")
    first = table.printed()[0]
    assert first[1:4] == ("83,97%", "87,07%", "3,10")
    assert first[-1] == "có"
    parts = [row[1] for row in report.decomposition_table(within, people, "vi").rows]
    assert parts[0] == pytest.approx(sum(parts[1:]), abs=1e-12)


def test_across_the_break_there_are_figures_but_no_difference(people):
    broken = sr.index_change(people, 2021, 2022, by="agency", composition="sex")
    table = report.index_change_table(broken, people, "vi")
    assert_readable(table)
    assert table.printed()[0][3:] == ("–", "–", "–", "–")
    assert "Không so sánh năm 2022 với năm 2021" in table.note_line
    assert table.note_line.count("Quyết định số 2640") == 1
    assert report.decomposition_table(broken, people, "vi") is None
    assert report.composition_table(broken, people, "vi") is None


def test_agencies_under_ten_forms_are_starred_in_register_order(people, within):
    table = report.index_change_groups_table(within, people, "vi")
    names = [row[0] for row in table.rows]
    order = [people.agencies.name(code, "vi") for code in people.agencies.codes()]
    assert names == [n for n in order if n in names]
    hidden = [row for row in table.rows if isinstance(row[1], Suppressed)]
    assert len(hidden) >= 2
    assert all(all(isinstance(cell, Suppressed) for cell in row[1:]) for row in hidden)


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("method", ["model", "direct"])
def test_adjusted_beside_raw(province, people, language, method):
    current = province.current(people)
    found = sr.adjusted_index(current, adjust=("sex", "age_band"), method=method)
    table = report.adjusted_table(found, current, language)
    assert_readable(table)
    raw = report.agency_table(found.raw, current, province.year, language)
    shown = {row[0]: row[2] for row in raw.printed()[:-1]}
    assert {row[0]: row[2] for row in table.printed()} == shown
    assert ("không thay thế" if language == "vi" else "does not replace") in table.note_line


def test_reasons_pass_through(people, within):
    reason = Finding("reason-x", "Không tính được.", "vi", people.data_kind, role="reason")
    builders = (
        report.index_change_table,
        report.index_change_groups_table,
        report.decomposition_table,
        report.composition_table,
        report.adjusted_table,
    )
    assert all(build(reason, people, "vi") is reason for build in builders)
    plain = sr.index_change(people, 2020, 2021)
    assert report.index_change_groups_table(plain, people, "vi") is None
