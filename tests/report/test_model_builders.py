"""Tables, figure and sentences of the chapter on models, from the simulated province and from awkward small files."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

import sipas_research as sr
from sipas_research import report, resources
from sipas_research.report import Finding, Suppressed
from sipas_research.report.model_sentences import holm, inline

pytestmark = pytest.mark.filterwarnings("ignore::sipas_research.errors.DroppedRowsWarning")


@pytest.fixture(scope="module")
def current():
    project = sr.load_study(resources.data("twin", "study.toml"))
    return project.current(project.responses("citizens"))


@pytest.fixture(scope="module")
def results(current):
    comparisons = [sr.compare_groups(current, by, "overall") for by in report.grouping_facts(current)]
    return comparisons, sr.regress(current), sr.semopy_cfa(current), sr.semopy_lever_model(current)


def words(table):
    return " ".join([table.caption, *[c.label for c in table.columns], *sum(table.printed(), ()), table.note_line])


def tables_of(results, current, language):
    comparisons, regression, cfa, levers = results
    found = [
        report.group_means_table(comparisons, current, language),
        report.group_tests_table(comparisons, current, language),
        *[report.pairs_table(c, current, language) for c in comparisons],
        report.regression_table(regression, current, language),
        report.regression_fit_table(regression, current, language),
        report.logit_table(regression, current, language),
        report.loadings_table(cfa, current, language),
        report.path_table(levers, current, language),
        report.fit_table({"cfa": cfa, "levers": levers}, current, language),
    ]
    return [t for t in found if t is not None]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_table_is_readable_marked_and_names_no_effect(results, current, language):
    tables = tables_of(results, current, language)
    mark = "DỮ LIỆU MÔ PHỎNG" if language == "vi" else "SIMULATED DATA"
    for table in tables:
        text = words(table)
        assert not re.search(r"\bnan\b|None|[a-z]+_[a-z0-9_]+", text), text[:300]
        without = text.replace("không phải tác động", "").replace("not effects", "")
        assert not re.search(r"tác động|\beffects?\b", without), text[:300]
        assert mark in table.caption
        assert table.source
        assert json.loads(json.dumps(table.payload()))["id"] == table.id
    assert len({t.id for t in tables}) == len(tables) == 11


def test_semopy_is_named_where_it_computed(results, current):
    for table in (t for t in tables_of(results, current, "vi") if t.id in {"tbl-cfa-loadings", "tbl-lever-paths"}):
        assert "bản kiểm chứng bằng semopy" in table.title


def test_the_fit_table_names_who_proposed_each_limit(results, current):
    table = report.fit_table({"cfa": results[2], "levers": results[3]}, current, "vi")
    rows = {row[0]: row for row in table.printed()}
    assert rows["CFI"][-1] == "Bentler & Bonett 1980; Hu & Bentler 1999"
    assert rows["GFI (LISREL)"][-1] == "Jöreskog & Sörbom 1984"
    assert "không phải do hai ông đề xuất" in table.note_line
    assert "GFI phụ thuộc cỡ mẫu" in table.note_line


def test_regression_prints_the_columns_of_theses_and_says_what_it_is_not(results, current):
    table = report.regression_table(results[1], current, "vi")
    assert [c.label for c in table.columns][1:] == [
        "B", "Sai số chuẩn", "Beta", "t", "Sig.", "Khoảng tin cậy 95%", "VIF",
    ]  # fmt: skip
    assert "không phải tác động" in table.note_line
    assert "31 cụm" in table.note_line
    fit = report.regression_fit_table(results[1], current, "vi")
    assert "không có ý nghĩa với số liệu cắt ngang" in fit.note_line


def test_figure_says_how_many_intervals_are_clear(results, current):
    figure = report.coefficient_figure(results[1], current, "en")
    assert "8 regression coefficients" in figure.alt
    assert "SIMULATED DATA" in figure.caption
    assert report.coefficient_figure(results[1], current, "en").png == figure.png


def test_small_groups_are_hidden_in_every_table(current):
    frame = current.frame.loc[current.frame["sex"].notna()].copy()
    frame = frame.drop(index=frame.index[frame["sex"].eq(3)][4:])
    frame.loc[frame.index[:40], "sex"] = np.nan
    small = replace(current, frame=frame)
    found = [sr.compare_groups(small, "sex")]
    table = report.group_means_table(found, small, "vi")
    hidden = [row for row in table.rows if row[1] == "Khác"]
    assert all(isinstance(cell, Suppressed) for cell in hidden[0][2:])
    assert report.pairs_table(found[0], small, "vi") is None  # two groups are left


def test_sentences_end_with_what_cannot_be_said(results, current):
    for language in ("vi", "en"):
        said = report.model_findings(*results, current, language)
        assert said[0].role == "main"
        assert said[-1].role == "limit"
        assert len({f.id for f in said}) == len(said)
        assert not any(re.search(r"\bnan\b|[a-z]+_[a-z]+", f.text) for f in said)
    assert report.cross_section_finding(current, "vi").role == "limit"


def test_a_form_without_levers_and_overall_gives_reasons(current):
    items = [i for role in ("lever", "overall") for ids in current.scale_items(role).values() for i in ids]
    bare = replace(current, frame=current.frame.drop(columns=items))
    assert report.main_score(bare) == "index"
    regression = report.attempt(lambda: sr.regress(bare), "regression", bare, "vi")
    levers = report.attempt(lambda: sr.semopy_lever_model(bare), "lever_model", bare, "vi")
    assert isinstance(regression, Finding)
    assert isinstance(report.regression_table(regression, bare, "vi"), Finding)
    assert report.logit_table(regression, bare, "vi") is None
    assert report.regression_fit_table(regression, bare, "vi") is None
    assert report.coefficient_figure(regression, bare, "vi") is None
    assert report.fit_table({"levers": levers}, bare, "vi") is None
    said = report.model_findings([], regression, levers, levers, bare, "vi")
    assert [f.role for f in said] == ["finding", "limit"]


def test_holm_adjusts_step_by_step():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_labels_inside_sentences_keep_short_forms():
    assert inline("Hài lòng chung") == "hài lòng chung"
    assert inline("TTHC") == "TTHC"
