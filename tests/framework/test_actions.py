"""Measures: the catalogue, its workbook, and suggestions only beyond noise."""

from collections import Counter
from dataclasses import replace

import pytest
from openpyxl import load_workbook

import sipas_research as sr
from sipas_research import resources
from sipas_research.errors import FrameworkError, OptionError
from sipas_research.framework.actions import (
    ACTIONS_FILE,
    actions_for,
    compare_criteria,
    criterion_gaps,
    load_actions,
    suggest_actions,
    write_actions_xlsx,
)
from sipas_research.framework.framework_file import load_framework
from sipas_research.framework.framework_spec import LEVELS
from sipas_research.framework.scorecard import DifferenceRow
from sipas_research.results import DataKind


def gap(term, estimate, p_value):
    ends = (estimate - 0.05, estimate + 0.05)
    return DifferenceRow(term, "level_others", estimate, 0.02, 0.0, p_value, *ends, 100.0, "")


def suggest(rows, **options):
    return suggest_actions("so_01", rows, load_actions(), data_kind=DataKind.SIMULATED, **options)


def test_fourteen_measures_in_five_groups():
    found = load_actions().actions
    assert len(found) == 14
    counts = Counter(a.factor for a in found)
    assert [counts[f] for f in ("access", "procedure", "civil_servant", "result", "feedback")] == [3, 4, 1, 3, 3]
    assert all(a.owner.vi and a.owner.en and a.evidence.vi and a.evidence.en and a.text.en for a in found)
    assert all(a.deadline == "" and a.status == "cited" for a in found)


def test_items_named_by_measures_are_asked_by_a_framework():
    asked = {i.id for level in LEVELS for i in load_framework(level).items}
    assert {i for a in load_actions().actions for i in a.items} <= asked


def test_workbook_reads_back_the_same(tmp_path):
    catalogue = load_actions()
    assert actions_for(tmp_path) == catalogue
    path = write_actions_xlsx(catalogue, tmp_path / ACTIONS_FILE)
    assert replace(load_actions(path), file=catalogue.file) == catalogue
    assert actions_for(tmp_path).file == ACTIONS_FILE


@pytest.mark.parametrize(
    ("column", "value", "key"),
    [(1, "overdue", "duplicate_id"), (2, None, "required_empty"), (3, "=1+1()", "formula"), (1, "Mã 1", "bad_id")],
)
def test_hostile_cells_are_named(tmp_path, column, value, key):
    path = write_actions_xlsx(load_actions(), tmp_path / ACTIONS_FILE)
    book = load_workbook(path)
    cell = book.active.cell(2, column)
    cell.value = value
    if value:
        cell.data_type = "s"
    book.save(path)
    with pytest.raises(FrameworkError) as caught:
        load_actions(path)
    assert f"sheet_tables.problem.{key}" in [p.key for p in caught.value.problems]


def test_only_what_lies_below_beyond_noise_gets_measures():
    rows = [gap("access", -0.08, 0.001), gap("procedure", -0.03, 0.2), gap("result", 0.09, 0.0001)]
    found = suggest(rows)
    assert [s.term for s in found.rows] == ["access"]
    assert found.compared == 3
    assert len(found.rows[0].actions) == 3
    assert found.tidy()["action"].tolist() == [a.id for a in load_actions().of("access")]


def test_many_comparisons_raise_the_bar():
    alone = suggest([gap("access", -0.05, 0.03)])
    many = suggest([gap("access", -0.05, 0.03), gap("procedure", -0.01, 0.6), gap("result", 0.01, 0.7)])
    assert len(alone.rows) == 1
    assert many.rows == ()
    assert "không gợi ý" in many.summary("vi")


def test_index_and_overall_have_no_measures_of_their_own():
    assert suggest([gap("index", -0.2, 1e-9), gap("overall", -0.2, 1e-9)]).compared == 0


def test_criteria_get_the_measures_that_name_their_questions():
    framework = load_framework("department")
    found = suggest([gap("on_time", -0.1, 1e-6), gap("courtesy", -0.1, 1e-6)], framework=framework)
    by = {s.term: [a.id for a in s.actions] for s in found.rows}
    assert by == {"on_time": ["overdue"], "courtesy": ["conduct"]}


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_level_out_of_range_is_refused(level):
    with pytest.raises(OptionError):
        suggest([gap("access", -0.1, 0.01)], level=level)


def test_an_agency_of_the_province(monkeypatch):
    study = sr.load_study(resources.data("twin", "study.toml"))
    current = study.current(study.responses("citizens"))
    card = sr.scorecard(current, "so_11")
    framework = load_framework("department")
    small = replace(framework, criteria=framework.criteria[:3])
    gaps = criterion_gaps(current, card, small)
    assert {g.term for g in gaps} <= {c.id for c in small.criteria}
    assert len(gaps) >= 2
    assert criterion_gaps(current, card, small, peers=compare_criteria(current, small)) == gaps
    found = suggest_actions("so_11", gaps, load_actions(), data_kind=current.data_kind, framework=small)
    assert found.data_kind is DataKind.SIMULATED
    assert all(s.gap < 0 for s in found.rows)
    hidden = replace(card, item_rows=tuple(replace(r, suppressed=True) for r in card.item_rows))
    assert criterion_gaps(current, hidden, small) == ()
