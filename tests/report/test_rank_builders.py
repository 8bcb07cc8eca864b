"""Tables and figures of ranks: never a place without its range, groups by name, readable in both languages."""

import json
import re
from dataclasses import replace
from itertools import pairwise

import pytest

import sipas_research as sr
from sipas_research import report, resources
from sipas_research.report import Absent, Finding, Suppressed
from sipas_research.report.alphabet import alphabetical, in_order
from sipas_research.survey.agencies import AgencyRegister
from sipas_research.wording import Bilingual

MARK = {"vi": "DỮ LIỆU MÔ PHỎNG", "en": "SIMULATED DATA"}
LANGUAGES = pytest.mark.parametrize("language", ["vi", "en"])


@pytest.fixture(scope="module")
def current():
    project = sr.load_study(resources.data("twin", "study.toml"))
    return project.current(project.responses("citizens"))


@pytest.fixture(scope="module")
def index(current):
    return sr.satisfaction_index(current, by="agency")


@pytest.fixture(scope="module")
def ranks(index):
    return sr.rank_sets(index, family="department", draws=2_000)


@pytest.fixture(scope="module")
def few(current):
    """The same survey with one department of five forms and one of fifteen."""
    frame = current.frame
    keep = frame.groupby("agency").cumcount() < frame["agency"].map({"so_03": 5, "so_07": 15}).fillna(10_000)
    return replace(current, frame=frame[keep].reset_index(drop=True))


def words(table):
    return " ".join([table.caption, *[c.label for c in table.columns], *sum(table.printed(), ()), table.note_line])


@LANGUAGES
def test_tables_are_readable_and_marked(ranks, index, current, language):
    tables = [
        report.rank_table(ranks, current, language),
        report.robustness_table(sr.rank_robustness(index, family="department", draws=200), current, language),
        report.small_area_table(sr.fay_herriot(index, draws=1_000), current, language),
    ]
    for table in tables:
        assert not re.search(r"\bnan\b|None|\{|[a-z]+_[a-z0-9_]+", words(table))
        assert MARK[language] in table.caption
        assert table.source
        assert json.loads(json.dumps(table.payload()))["id"] == table.id
    assert len({t.id for t in tables}) == 3


@LANGUAGES
def test_every_estimate_has_its_range_in_the_same_row(ranks, current, language):
    table = report.rank_table(ranks, current, language)
    rows = [row for place, row in enumerate(table.rows) if place not in table.total_rows]
    assert len(rows) == 20
    for row in rows:
        assert isinstance(row[1], float)
        assert re.fullmatch(r"\d+(–\d+)?", row[3])
        assert re.fullmatch(r"\d+(–\d+)?", row[4])


def test_a_group_stands_in_alphabetical_order_and_groups_from_the_highest(ranks, current):
    table = report.rank_table(ranks, current, "vi")
    starts = [*table.total_rows, len(table.rows)]
    shown = [[row[0] for row in table.rows[a + 1 : b]] for a, b in pairwise(starts)]
    assert shown == [in_order([current.agencies.name(code, "vi") for code in group], str) for group in ranks.groups]
    assert len(shown[0]) > 1
    values = [row[1] for row in table.rows[1 : starts[1]]]
    assert values != sorted(values, reverse=True)


@LANGUAGES
def test_agencies_without_rank_stand_apart_with_their_reason(few, language):
    found = sr.rank_sets(sr.satisfaction_index(few, by="agency"), family="department", draws=1_000)
    table = report.rank_table(found, few, language)
    last = table.rows[table.total_rows[-1] + 1 :]
    by_name = {row[0]: row for row in last}
    hidden = by_name[few.agencies.name("so_03", language)]
    assert isinstance(hidden[1], Suppressed)
    assert all(isinstance(cell, Absent) for cell in hidden[3:])
    loose = by_name[few.agencies.name("so_07", language)]
    assert isinstance(loose[3], Absent)
    assert not re.search(r"\bnan\b|None|\{", words(table))
    figure = report.rank_figure(found, few, language)
    assert ("không có trong hình" if language == "vi" else "not in the figure") in figure.note_line


def test_small_areas_keep_hidden_agencies_hidden(few):
    table = report.small_area_table(sr.fay_herriot(sr.satisfaction_index(few, by="agency"), draws=1_000), few, "vi")
    row = next(r for r in table.rows if r[0] == few.agencies.name("so_03", "vi"))
    assert isinstance(row[1], Suppressed)
    assert all(isinstance(cell, Suppressed | Absent) for cell in row[1:])
    assert "Xác suất theo mô hình" in table.columns[-1].label
    assert "không dùng để xếp hạng hay xếp loại" in table.note_line


@LANGUAGES
def test_figure_is_marked_and_the_same_twice(ranks, current, language):
    first, second = (report.rank_figure(ranks, current, language) for _ in range(2))
    assert first.svg == second.svg
    assert first.png == second.png
    assert MARK[language] in first.caption
    assert "20" in first.alt


@LANGUAGES
def test_findings_say_what_is_certain_and_what_is_not(ranks, current, language):
    finding, limit = report.rank_findings(ranks, current, language)
    assert limit.role == "limit"
    assert str(len(ranks.verdicts("unknown"))) in finding.text
    assert not re.search(r"\{|nan|None", finding.text + limit.text)
    nobody = sr.rank_sets(
        sr.satisfaction_index(current, by="agency"), family="department", draws=1_000, half_width=1e-6
    )
    assert report.rank_figure(nobody, current, language) is None
    assert len(report.rank_findings(nobody, current, language)) == 2
    assert report.rank_table(nobody, current, language).total_rows == (0,)


def test_builders_hand_reasons_on(current):
    reason = Finding("reason-x", "Không xếp hạng được.", "vi", current.data_kind, role="reason")
    assert report.rank_table(reason, current, "vi") is reason
    assert report.robustness_table(reason, current, "vi") is reason
    assert report.small_area_table(reason, current, "vi") is reason
    assert report.rank_figure(reason, current, "vi") is None
    assert report.rank_findings(reason, current, "vi") == ()


def test_hostile_names_are_text(ranks, current):
    name = "<script>alert(1)</script>=HYPERLINK " + "Ô" * 300
    agencies = tuple(replace(a, name=Bilingual(name + a.code)) for a in current.agencies.agencies)
    people = replace(current, agencies=AgencyRegister(agencies, simulated=True))
    html = report.rank_table(ranks, people, "vi")._repr_mimebundle_()["text/html"]
    assert "<script>" not in html
    assert report.rank_figure(ranks, people, "vi").png


def test_alphabet():
    names = [
        "Đà Bắc",
        "Bắc Sơn",
        "Ân Thi",
        "Anh Sơn",
        "Dương Minh",
        "Áng",
        "Ang",
        "Ăn",
        "Chi Lăng",
        "Phường 10",
        "Phường 2",
    ]
    assert in_order(names, str) == [
        "Ang",
        "Áng",
        "Anh Sơn",
        "Ăn",
        "Ân Thi",
        "Bắc Sơn",
        "Chi Lăng",
        "Dương Minh",
        "Đà Bắc",
        "Phường 2",
        "Phường 10",
    ]
    assert sorted(["má", "mà", "mạ", "ma", "mả", "mã"], key=alphabetical) == ["ma", "mà", "mả", "mã", "má", "mạ"]
    assert in_order(["", "1", "Ω", "a"], str)[0] == ""
