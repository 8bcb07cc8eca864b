"""Tables of groups, sample size and scale means: readable, marked, complete, nobody shown."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

import sipas_research as sr
from sipas_research import report, resources
from sipas_research.report import Finding, Suppressed, Table, write_table_xlsx
from sipas_research.report.sample_tables import _band
from sipas_research.report.widths import layout

pytestmark = pytest.mark.filterwarnings("ignore::sipas_research.errors.SipasWarning")
LANGUAGES = ("vi", "en")


@pytest.fixture(scope="module")
def citizens():
    project = sr.load_study(resources.data("twin", "study.toml"))
    return project.current(project.responses("citizens"))


@pytest.fixture(scope="module")
def compared(citizens):
    return sr.compare_scales(citizens)


def assert_readable(table, language):
    words = " ".join([table.caption, *[c.label for c in table.columns], *sum(table.printed(), ()), table.note_line])
    assert not re.search(r"\bnan\b|None|[a-z]+_[a-z0-9_]+|Η²", words), words[:600]
    assert ("DỮ LIỆU MÔ PHỎNG" if language == "vi" else "SIMULATED DATA") in table.caption
    assert json.loads(json.dumps(table.payload()))["id"] == table.id
    assert sum(c.width for c in table.columns if c.width) <= 1.001


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_table_a_characteristic(citizens, compared, language):
    tables = report.scale_group_tables(compared, citizens, language)
    assert [t.id for t in tables] == [f"tbl-scales-by-{f.replace('_', '-')}-citizens" for f in compared.facts]
    for table in tables:
        assert_readable(table, language)
        assert len(table.rows) == len(citizens.scale_items())
    few, many = tables[0], tables[4]
    assert "2.504" in few.columns[1].label or "2,504" in few.columns[1].label
    assert many.columns[1].label == "(1)"
    assert ("(1) Nông, lâm nghiệp" if language == "vi" else "(1) Farming") in many.note_line
    mean, sd = few.rows[0][1]
    group = compared.of("respondent_type")[0][0].group_rows[0]
    assert (mean, sd) == (group.mean, group.sd)
    assert few.columns[-1].label == "g"
    assert many.columns[-1].label == "η²"


@pytest.mark.parametrize("language", LANGUAGES)
def test_tests_and_pairs_stand_under_headings(citizens, compared, language):
    tests = report.scale_tests_table(compared, citizens, language)
    assert len(tests.rows) == len(compared.comparisons) + len(compared.facts)
    assert len(tests.total_rows) == len(compared.facts)
    assert "Zimmerman" in tests.note_line
    assert "Steiger" in tests.note_line
    pairs = report.scale_pairs_table(compared, citizens, language)
    shown = len(pairs.rows) - len(pairs.total_rows)
    assert 0 < shown < sum(len(c.pair_rows) for c in compared.comparisons) / 2
    assert str(shown) in pairs.note_line
    for table in (tests, pairs):
        assert_readable(table, language)
    finding = report.scale_group_findings(compared, citizens, language)[0]
    assert str(len(compared.comparisons)) in finding.text
    assert not re.search(r"[a-z]+_[a-z]+|None|nan", finding.text)


def test_a_mean_and_its_deviation_are_two_numbers_in_excel(citizens, compared, tmp_path):
    table = report.scale_group_tables(compared, citizens, "vi")[0]
    sheet = CalamineWorkbook.from_path(write_table_xlsx(table, tmp_path / "bang.xlsx")).get_sheet_by_index(0)
    rows = sheet.to_python()
    header = next(place for place, row in enumerate(rows) if row[0] == "Thang đo")
    assert rows[header][1].endswith(": trung bình")
    assert rows[header][2].endswith(": độ lệch chuẩn")
    assert rows[header + 1][1:3] == pytest.approx(list(table.rows[0][1]))


def test_hidden_groups_are_stars(citizens):
    frame = citizens.frame
    others = frame.index[frame["sex"].eq(3).fillna(False)]
    small = replace(citizens, frame=frame.drop(index=others[4:]))
    table = report.scale_group_tables(sr.compare_scales(small, ["sex"]), small, "vi")[0]
    assert "(*)" in table.columns[3].label
    assert all(isinstance(row[3], Suppressed) for row in table.rows)
    assert "(*):" in table.note_line


def test_expected_characteristics_that_are_missing_are_named(citizens):
    bare = replace(citizens, frame=citizens.frame.drop(columns=["agency", "occupation"]).assign(education=pd.NA))
    *_, reason = report.scale_group_tables(sr.compare_scales(bare), bare, "vi")
    assert isinstance(reason, Finding)
    assert reason.role == "reason"
    for name in ("học vấn", "nghề nghiệp", "cấp cơ quan"):
        assert name in reason.text
    assert "giới tính" not in reason.text
    welch = report.scale_tests_table(sr.compare_scales(bare, ["channel"]), bare, "vi")
    assert "Theo cụm" not in " ".join(c.label for c in welch.columns)
    assert isinstance(report.scale_pairs_table(sr.compare_scales(bare, ["sex"]), bare, "vi"), Finding)


def test_a_fact_that_gives_no_comparison_has_its_reason(citizens):
    flat = replace(citizens, frame=citizens.frame.assign(sex=citizens.frame["sex"].where(citizens.frame["sex"].eq(1))))
    tables = report.scale_group_tables(sr.compare_scales(flat, ["sex", "channel"]), flat, "vi")
    assert any(isinstance(t, Finding) and "So sánh giữa các nhóm" in t.text for t in tables)


def test_reasons_pass_through(citizens):
    reason = report.attempt(lambda: sr.compare_scales(citizens, ["sexx"]), "groups", citizens, "vi")
    assert isinstance(reason, Finding)
    assert citizens.questionnaire.title("vi") in reason.text
    assert report.scale_group_tables(reason, citizens, "vi") == (reason,)
    assert report.scale_tests_table(reason, citizens, "vi") is None
    assert report.scale_pairs_table(reason, citizens, "vi") is None
    assert report.scale_group_findings(reason, citizens, "vi") == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_sample_size_and_scale_means(citizens, language):
    sizes = report.sample_size_table(citizens, language)
    assert [row[1] for row in sizes.rows] == [5 * 37, 50 + 8 * 8, 200, 400]
    means = report.scale_means_table(sr.describe(citizens), citizens, language)
    assert len(means.rows) == 9
    for table in (sizes, means):
        assert_readable(table, language)
    few = replace(citizens, frame=citizens.frame.iloc[:6])
    assert all(isinstance(row[2], Suppressed) for row in report.sample_size_table(few, language).rows)
    nothing = report.scale_means_table(sr.describe(few), few, language)
    assert all(isinstance(row[3], Suppressed) for row in nothing.rows)


def test_a_bound_belongs_to_the_band_below(citizens):
    questions = [citizens.questionnaire.question("access_1")]
    assert [_band(m, questions, "en").split(" (")[1] for m in (1.0, 1.804, 1.806, 4.2, 4.21, 5.0)] == [
        "1.00–1.80)", "1.00–1.80)", "1.80–2.60)", "3.40–4.20)", "4.20–5.00)", "4.20–5.00)",
    ]  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_changes_without_suspects(citizens, language):
    quality = sr.response_quality(citizens)
    again = {
        "means": sr.rerun_without_suspects(citizens, lambda part: sr.describe(part, items=False)),
        "alpha": sr.rerun_without_suspects(citizens, sr.reliability),
    }
    means, alpha = report.rerun_tables(again, citizens, language)
    assert means.id != alpha.id
    names = [s.name(language) for s in citizens.questionnaire.scales]
    assert [row[0] for row in means.rows] == [row[0] for row in alpha.rows]
    assert {row[0] for row in means.rows} == set(names)
    assert means.rows[0][0] == citizens.questionnaire.scale("access").name(language)
    for table in (means, alpha):
        assert_readable(table, language)
    finding = report.response_findings(quality, again, citizens, language)[0]
    assert "alpha" in finding.text
    # 15 suspects in 31 agencies: every count by agency is zero or hidden, so a sentence stands there
    assert isinstance(report.suspects_table(quality, citizens, language), Finding)


def test_few_suspects_give_one_reason_for_all_reruns(citizens):
    few = replace(citizens, frame=citizens.frame.iloc[:300])
    reason = report.attempt(lambda: sr.rerun_without_suspects(few, sr.describe), "rerun", few, "vi")
    assert isinstance(reason, Finding)
    assert report.rerun_tables({"means": reason, "alpha": reason}, few, "vi") == (reason,)
    quality = sr.response_quality(few)
    assert isinstance(report.suspects_spread_table(quality, few, "vi"), Finding)
    assert np.isnan(quality.suspects.marked) or quality.suspects.marked == 0
    sentence = report.response_findings(quality, {"means": reason, "alpha": reason}, few, "vi")[0].text
    assert "thay đổi" not in sentence
    assert not isinstance(report.response_signs_table(quality, few, "vi"), Finding)
    assert isinstance(report.response_signs_table(quality, few, "vi"), Table)


def test_a_column_is_as_wide_as_what_may_not_be_broken():
    joined, plain = "(n\u00a0=\u00a01.546)", "(n = 1.546)"
    wide = layout(["a", joined], [["x" * 60, "1"]] * 2, (0.95, 0.05))
    narrow = layout(["a", plain], [["x" * 60, "1"]] * 2, (0.95, 0.05))
    assert wide.widths[1] > narrow.widths[1]
