"""Tables and sentences of the factor model: thesis form, robust form, invariance, semopy; what is not printed."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

import sipas_research as sr
from sipas_research import errors, report, resources
from sipas_research.report import Absent, Figure, Finding, Table
from sipas_research.report.fit_notes import require_printable
from sipas_research.report.group_invariance import LEAST_GROUP

pytestmark = pytest.mark.filterwarnings("ignore::sipas_research.errors.DroppedRowsWarning")


@pytest.fixture(scope="module")
def current():
    project = sr.load_study(resources.data("twin", "study.toml"))
    return project.current(project.responses("citizens"))


@pytest.fixture(scope="module")
def fits(current):
    model = sr.factor_model(current)
    return sr.cfa(model, current), sr.cfa(model, current, estimator="MLR")


@pytest.fixture(scope="module")
def invariance(current):
    model = sr.factor_model(current)
    facts = report.invariance_facts(current)
    return [sr.invariance(model, report.large_groups(current, fact), group=fact) for fact in facts]


@pytest.fixture(scope="module")
def check(fits):
    return sr.verify_with_semopy(fits[0])


def words(table):
    return " ".join([table.caption, *[c.label for c in table.columns], *sum(table.printed(), ()), table.note_line])


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_table_is_readable_and_marked(fits, invariance, check, current, language):
    plain, robust = fits
    tables = [
        report.loadings_table(plain, current, language),
        report.standardized_loadings_table(robust, current, language),
        report.fit_table(robust, "cfa", current, language),
        report.modification_table(robust, "cfa", current, language),
        *report.invariance_tables(invariance, current, language),
        report.semopy_table(check, "cfa", current, language),
        report.semopy_coefficients_table(check, "cfa", current, language),
    ]
    mark = "DỮ LIỆU MÔ PHỎNG" if language == "vi" else "SIMULATED DATA"
    for table in tables:
        text = words(table)
        assert not re.search(r"\bnan\b|None|[a-z]+_[a-z0-9_]+|tác động|\beffects?\b", text), text[:300]
        assert mark in table.caption
        assert table.source
        assert table.n
        assert json.loads(json.dumps(table.payload()))["id"] == table.id
    assert len({t.id for t in tables}) == len(tables) == 8


def test_loadings_have_the_columns_of_theses(fits, current):
    table = report.loadings_table(fits[0], current, "vi")
    assert [c.label for c in table.columns][1:] == ["Ước lượng", "S.E.", "C.R.", "P", "Ước lượng chuẩn hóa"]
    assert len(table.rows) == 22
    assert table.rows[0][:2] == ("1.1 ← Tiếp cận dịch vụ", 1.0)
    assert all(isinstance(cell, Absent) for cell in table.rows[0][2:5])
    columns = ["estimate", "std_error", "statistic", "p_value", "std_all"]
    assert table.rows[1][1:] == pytest.approx(tuple(fits[0].tidy().loc[1, columns]))


def test_robust_loadings_are_the_same_estimates_with_other_errors(fits, current):
    plain = report.loadings_table(fits[0], current, "vi")
    robust = report.standardized_loadings_table(fits[1], current, "vi")
    assert [row[1] for row in robust.rows] == pytest.approx([row[5] for row in plain.rows], abs=1e-6)
    assert all(low < row[1] < high for row in robust.rows for low, high in [row[3]])
    assert [row[4] for row in robust.rows] == pytest.approx([row[1] ** 2 for row in robust.rows])


def test_the_fit_table_names_who_proposed_each_limit_and_has_both_forms(fits, current):
    table = report.fit_table(fits[1], "cfa", current, "vi")
    rows = {row[0]: row for row in table.printed()}
    assert rows["CFI"][-1] == "Bentler & Bonett 1980; Hu & Bentler 1999"
    assert rows["GFI"][-1].startswith("Jöreskog & Sörbom 1984")
    assert rows["CMIN/DF"][1:4] == ("1,13", "–", "≤ 3; tạm được: ≤ 5")
    assert rows["χ² (CMIN)"][1:3] == ("225,72", "193,15")
    assert rows["PCLOSE"][1] == "1,000"
    assert "không phải do hai ông đề xuất" in table.note_line
    assert "GFI cũng phụ thuộc cỡ mẫu" in table.note_line
    assert "chưa tính quyền số" in table.note_line.casefold()
    alone = report.fit_table(fits[0], "cfa", current, "vi")
    assert len(alone.columns) == 4
    assert {row[0]: row[1] for row in alone.printed()} == {name: row[1] for name, row in rows.items()}


def test_modification_indices_warn_and_allow_for_the_number_looked_at(fits, current):
    table = report.modification_table(fits[1], "cfa", current, "vi")
    indices = fits[1].modification_indices()
    assert len(table.rows) == 10
    assert [row[1] for row in table.rows] == sorted((row[1] for row in table.rows), reverse=True)
    assert table.rows[0][1] == pytest.approx(indices["mi_scaled"].iloc[0])
    assert table.rows[0][3] == pytest.approx(min(1.0, table.rows[0][2] * len(indices)))
    assert f"{len(indices)} quan hệ" in table.note_line
    assert "khám phá" in table.note_line
    assert re.fullmatch(r"Câu \d\.\d đo thêm .+|Sai số của câu \d\.\d và câu \d\.\d", table.rows[0][0])


def test_invariance_shows_steps_tests_and_the_convention(invariance, current):
    tables = report.invariance_tables(invariance, current, "vi")
    assert [t.id for t in tables] == ["tbl-invariance-respondent-type", "tbl-invariance-sex"]
    for table, found in zip(tables, invariance, strict=True):
        assert [row[0] for row in table.rows] == ["Cấu hình", "Hệ số tải", "Hệ số chặn", "Phương sai phần dư"]
        assert all(isinstance(cell, Absent) for cell in table.rows[0][3:6])
        assert table.rows[1][3] == pytest.approx(found.steps[1].row.chisq_diff)
        assert "Chen (2007)" in table.note_line
    assert "Khác" in tables[1].note_line
    assert "bộ ngưỡng chặt" in tables[0].note_line
    assert "bộ ngưỡng chặt" not in tables[1].note_line


def test_only_groups_with_enough_complete_forms_are_compared(current):
    large = report.large_groups(current, "sex")
    assert set(large.frame["sex"].dropna()) == {1, 2}
    assert len(current.frame["sex"].dropna().unique()) == 3
    few = replace(current, frame=current.frame.head(LEAST_GROUP))
    assert report.invariance_facts(few) == ()
    with pytest.raises(errors.AnalysisError, match="100"):
        report.large_groups(few, "sex")
    told = report.invariance_tables([], few, "vi")
    assert [(f.role, "100" in f.text) for f in told] == [("reason", True)]


def test_facts_that_are_sensitive_are_never_used(current):
    twice = replace(current, frame=current.frame.assign(ethnic_origin=np.arange(len(current)) % 2 + 1))
    assert "ethnic_origin" not in report.invariance_facts(twice)


def test_sentences_tell_fit_invariance_and_the_limit(fits, invariance, current):
    for language in ("vi", "en"):
        said = report.cfa_findings(fits[1], invariance, current, language)
        assert [f.role for f in said] == ["finding", "finding", "finding", "limit", "limit"]
        assert len({f.id for f in said}) == len(said)
        assert not any(re.search(r"\bnan\b|[a-z]+_[a-z]+", f.text) for f in said)
    both = report.in_order(*said[3:], *said[:3])
    assert [f.role for f in both] == [f.role for f in said]
    assert both[0] is said[0]
    assert "1.500" in said[0].text or "1,500" in said[0].text
    reason = Finding("reason-x", "x", "vi", current.data_kind, role="reason")
    assert report.cfa_findings(reason, invariance, current, "vi") == ()


def test_a_step_that_fails_is_said_plainly(invariance, current):
    # the first step only: the measurement is not even alike in its loadings
    broken = replace(invariance[0].steps[1], verdict="fails")
    steps = (invariance[0].steps[0], broken, *invariance[0].steps[2:])
    found = replace(invariance[0], steps=steps)
    fit = invariance[0].fits[0]
    said = report.cfa_findings(fit, [found], current, "vi")
    assert "chưa nên so sánh các nhóm này" in said[1].text
    table = report.invariance_tables([found], current, "vi")[0]
    assert table.rows[1][-1] == "không giữ được"


def test_the_comparison_with_semopy_counts_each_kind(check, fits, current):
    table = report.semopy_table(check, "cfa", current, "vi")
    assert [row[1:3] for row in table.rows] == [(17, 17), (10, 10), (27, 27), (54, 54)]
    assert "Hai phần mềm cho cùng một kết quả" in table.note_line
    detail = report.semopy_coefficients_table(check, "cfa", current, "vi")
    assert len(detail.rows) == 17
    assert detail.rows[0][0] == "1.2 ← Tiếp cận dịch vụ"
    refused = sr.verify_with_semopy(fits[1])
    told = report.semopy_table(refused, "cfa", current, "vi")
    assert isinstance(told, Finding)
    assert "MLR" in told.text
    assert report.semopy_coefficients_table(refused, "cfa", current, "vi") is None


def test_the_diagram_is_a_figure_with_the_mark(fits, current):
    figure = report.model_figure(fits[1], "cfa", current, "vi")
    assert isinstance(figure, Figure)
    assert figure.id == "fig-cfa-diagram"
    assert figure.n == 1500
    assert "DỮ LIỆU MÔ PHỎNG" in figure.caption


@pytest.mark.filterwarnings("ignore::sipas_research.errors.NotIdentifiedWarning")
@pytest.mark.filterwarnings("ignore::sipas_research.errors.FewRowsWarning")
def test_a_fit_without_support_becomes_a_reason(fits, current):
    assert require_printable(fits[0]) is fits[0]
    few = replace(current, frame=current.frame.dropna(subset=list(report.factor_items(current))).head(40))
    tiny = replace(current, frame=current.frame.dropna(subset=list(report.factor_items(current))).head(7))
    items = current.scale_items("factor")["access"]
    made = {
        "54": lambda: sr.cfa(sr.factor_model(few), few),
        "dưới 10 phiếu": lambda: sr.cfa(sr.factor_model(tiny), tiny),
        "bậc tự do: −1": lambda: sr.cfa(sr.factor_model({"access": items[:2]}), current),
    }
    for words_in, build in made.items():
        found = report.attempt_fit(build, "cfa", current, "vi")
        assert isinstance(found, Finding)
        assert found.role == "reason"
        assert words_in in found.text.replace("-1", "−1")
        assert isinstance(report.loadings_table(found, current, "vi"), Finding)
        assert report.standardized_loadings_table(found, current, "vi") is None
        assert report.model_figure(found, "cfa", current, "vi") is None


def test_a_search_that_did_not_end_is_not_printed(fits):
    unfinished = replace(fits[0], optimum=replace(fits[0].optimum, converged=False))
    with pytest.raises(errors.AnalysisError):
        require_printable(unfinished)


@pytest.mark.filterwarnings("ignore::sipas_research.errors.HeywoodWarning")
def test_improper_solutions_are_told_under_each_table(current):
    # r12 r13 / r23 = 1.6: the first item would need more variance from the factor than it has
    wanted = np.array([[1.0, 0.8, 0.6], [0.8, 1.0, 0.3], [0.6, 0.3, 1.0]])
    noise = np.random.default_rng(5).normal(size=(len(current), 3))
    exact = np.linalg.qr(np.column_stack([np.ones(len(current)), noise]))[0][:, 1:] @ np.linalg.cholesky(wanted).T
    items = ["access_1", "access_2", "access_3"]
    changed = replace(current, frame=current.frame.assign(**dict(zip(items, exact.T, strict=True))))
    fit = sr.cfa("access =~ access_2 + access_1 + access_3", changed)
    table = report.loadings_table(fit, changed, "vi")
    assert isinstance(table, Table)
    assert "Heywood ở 1.1" in table.note_line


@pytest.mark.filterwarnings("ignore::sipas_research.errors.SingleIndicatorWarning")
def test_a_factor_that_is_its_only_item_is_no_result(current):
    fit = sr.cfa("access =~ access_1\nresult =~ result_1", current)
    with pytest.raises(errors.AnalysisError, match="fits any data"):
        require_printable(fit)
    assert require_printable(sr.cfa("access =~ access_1 + access_2 + access_3\nresult =~ result_1", current)).converged
