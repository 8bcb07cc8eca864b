"""Tables, figure and sentences of regression, group comparisons and the lever model, from the simulated province."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

import sipas_research as sr
from sipas_research import report, resources
from sipas_research.report import Finding, Suppressed
from sipas_research.report.model_sentences import inline

pytestmark = pytest.mark.filterwarnings("ignore::sipas_research.errors.DroppedRowsWarning")


@pytest.fixture(scope="module")
def current():
    project = sr.load_study(resources.data("twin", "study.toml"))
    return project.current(project.responses("citizens"))


@pytest.fixture(scope="module")
def results(current):
    comparisons = [sr.compare_groups(current, by, "overall") for by in report.grouping_facts(current)]
    return comparisons, sr.regress(current), sr.sem(sr.lever_model(current), current, estimator="MLR")


def words(table):
    return " ".join([table.caption, *[c.label for c in table.columns], *sum(table.printed(), ()), table.note_line])


def tables_of(results, current, language):
    comparisons, regression, levers = results
    plain = sr.sem(sr.lever_model(current), current)
    found = [
        report.group_means_table(comparisons, current, language),
        report.group_tests_table(comparisons, current, language),
        *[report.pairs_table(c, current, language) for c in comparisons],
        report.regression_table(regression, current, language),
        report.regression_fit_table(regression, current, language),
        report.logit_table(regression, current, language),
        report.path_table(plain, current, language),
        report.standardized_paths_table(levers, current, language),
        report.explained_table(levers, current, language),
        report.indirect_table(levers, current, language),
        report.fit_table(levers, "levers", current, language),
        report.modification_table(levers, "levers", current, language),
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
    assert len({t.id for t in tables}) == len(tables) == 14


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


def test_paths_are_printed_as_theses_print_them(results, current):
    plain = sr.sem(sr.lever_model(current), current)
    table = report.path_table(plain, current, "vi")
    labels = ["Ước lượng", "S.E.", "C.R.", "P", "Ước lượng chuẩn hóa"]
    assert [c.label for c in table.columns][1:] == labels
    assert len(table.rows) == 23
    columns = ["estimate", "std_error", "statistic", "p_value", "std_all"]
    first = plain.tidy().query("op == '~'").iloc[0]
    assert table.rows[0][1:] == pytest.approx(tuple(first[columns]))
    assert table.rows[1][0] == "Tiếp cận dịch vụ ← Giám sát"


def test_indirect_associations_add_up_and_are_no_effects(results, current):
    table = report.indirect_table(results[2], current, "vi")
    assert len(table.rows) == 3 * 8
    assert table.total_rows == (7, 15, 23)
    for start in (0, 8, 16):
        block = table.rows[start : start + 8]
        assert block[5][2] == pytest.approx(sum(row[2] for row in block[:5]))
        assert block[7][2] == pytest.approx(block[5][2] + block[6][2])
        assert len({row[0] for row in block}) == 1
    assert "không phải tác động" in table.note_line
    assert "Sobel 1982" in table.note_line
    narrow = sr.sem(sr.lever_model(current, direct=False), current)
    assert report.indirect_table(narrow, current, "vi") is None  # no direct path, so no total


def test_explained_shares_are_those_of_the_fit(results, current):
    table = report.explained_table(results[2], current, "vi")
    shares = results[2].r2().set_index("variable")["r2"]
    assert [row[1] for row in table.rows][-1] == pytest.approx(shares["overall"])
    assert len(table.rows) == 6


def test_sentences_end_with_what_cannot_be_said(results, current):
    for language in ("vi", "en"):
        said = report.model_findings(*results[1:], current, language)
        assert said[0].role == "main"
        assert said[-1].role == "limit"
        assert len({f.id for f in said}) == len(said)
        assert not any(re.search(r"\bnan\b|[a-z]+_[a-z]+", f.text) for f in said)
    assert report.cross_section_finding(current, "vi").role == "limit"


def test_many_incomplete_forms_are_told(results, current):
    said = {f.id: f.text for f in report.model_findings(*results[1:], current, "vi")}
    assert "1.028 phiếu trả lời đủ trong 3.000 phiếu" in said["models-levers-dropped"]
    complete = current.frame.dropna(subset=[i for ids in current.scale_items().values() for i in ids])
    whole = replace(current, frame=complete)
    fit = sr.sem(sr.lever_model(whole), whole, estimator="MLR")
    assert "models-levers-dropped" not in {f.id for f in report.model_findings(results[1], fit, whole, "vi")}


def test_a_form_without_levers_and_overall_gives_reasons(current):
    items = [i for role in ("lever", "overall") for ids in current.scale_items(role).values() for i in ids]
    bare = replace(current, frame=current.frame.drop(columns=items))
    assert report.main_score(bare) == "index"
    regression = report.attempt(lambda: sr.regress(bare), "regression", bare, "vi")
    levers = report.attempt_fit(lambda: sr.sem(sr.lever_model(bare), bare), "lever_model", bare, "vi")
    assert isinstance(regression, Finding)
    assert isinstance(report.regression_table(regression, bare, "vi"), Finding)
    assert isinstance(report.path_table(levers, bare, "vi"), Finding)
    assert report.logit_table(regression, bare, "vi") is None
    assert report.regression_fit_table(regression, bare, "vi") is None
    assert report.coefficient_figure(regression, bare, "vi") is None
    nothing = [report.standardized_paths_table, report.explained_table, report.indirect_table]
    assert [build(levers, bare, "vi") for build in nothing] == [None, None, None]
    assert report.fit_table(levers, "levers", bare, "vi") is None
    assert report.modification_table(levers, "levers", bare, "vi") is None
    assert report.model_figure(levers, "levers", bare, "vi") is None
    said = report.model_findings(regression, levers, bare, "vi")
    assert [f.role for f in said] == ["finding", "limit"]


def test_labels_inside_sentences_keep_short_forms():
    assert inline("Hài lòng chung") == "hài lòng chung"
    assert inline("TTHC") == "TTHC"
