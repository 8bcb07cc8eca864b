"""Tables and sentences of a model with and without the sampling design: what was used, what cannot be trusted."""

import re
from dataclasses import replace

import numpy as np
import pytest

import sipas_research as sr
from sipas_research import errors, report, resources
from sipas_research.report import Finding
from sipas_research.report.design_limits import design_options

MODEL = "access =~ access_1 + access_2 + access_3\nresult =~ result_1 + result_2 + result_3\nresult ~ access"

USED = {
    "vi": ["3.000", "31", "30", "Cơ quan được đánh giá", "Quyền số của phiếu", "không phải tác động"],
    "en": ["3,000", "31", "30", "Agency rated", "Weight of the form", "associations, not effects"],
}

pytestmark = pytest.mark.filterwarnings("ignore::sipas_research.errors.SipasWarning")


@pytest.fixture(scope="module")
def current():
    project = sr.load_study(resources.data("twin", "study.toml"))
    return project.current(project.responses("citizens"))


@pytest.fixture(scope="module")
def grid(current):
    return sr.design_grid(MODEL, current, relations=["~"], **report.survey_design(current))


def without(responses, *columns, **design):
    found = replace(responses, frame=responses.frame.drop(columns=list(columns)))
    return replace(found, design=replace(found.design, **design))


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_table_says_what_was_used_and_carries_the_mark(grid, current, language):
    table = report.design_grid_table(grid, "levers", current, language)
    assert table.id == "tbl-designs-levers"
    assert ("DỮ LIỆU MÔ PHỎNG" if language == "vi" else "SIMULATED DATA") in table.caption
    assert [column.id for column in table.columns] == ["relation", "way0", "way1", "way2", "way3", "verdict"]
    assert len(table.rows) == len(grid.relations) == 1
    words = " ".join([table.caption, *[c.label for c in table.columns], *sum(table.printed(), ()), table.note_line])
    assert not re.search(r"\bnan\b|None|True|[a-z]+_[a-z0-9_]+", words)
    for part in USED[language]:
        assert part in table.note_line


def test_cells_are_coefficients_with_half_their_intervals(grid, current):
    table = report.design_grid_table(grid, "levers", current, "en")
    for shown, cell in zip(table.rows[0][1:5], grid.relations[0], strict=True):
        value, half = re.fullmatch(r"(-?\d\.\d{3})±(\d\.\d{3})\*?", shown).groups()
        assert float(value) == pytest.approx(cell.estimate, abs=6e-4)
        assert float(half) == pytest.approx((cell.conf_high - cell.conf_low) / 2, abs=6e-4)
        assert shown.endswith("*") == (cell.conf_low > 0 or cell.conf_high < 0)
    assert table.rows[0][0] == "Service results ← Access to services"


def test_few_clusters_stand_under_the_table_in_plain_words(grid, current):
    assert "19 parameters" not in report.design_grid_table(grid, "levers", current, "en").note_line
    some = replace(current, frame=current.frame[current.frame["agency"].isin([f"so_{k:02}" for k in range(1, 13)])])
    few = sr.design_grid(MODEL, some, cluster="agency", relations=["~"])
    told = report.design_grid_table(few, "levers", some, "en").note_line
    assert "weighting: none" in told
    assert "Only 12 clusters for 19 parameters" in told
    assert "single coefficient can still serve" in told
    assert "must not be trusted" in told
    assert "Chỉ có 12 cụm cho 19 tham số" in report.design_grid_table(few, "levers", some, "vi").note_line


def test_forms_without_an_agency_are_counted_but_not_when_few(current):
    for gone, told in ((40, "empty: 40"), (3, "empty: <10")):
        frame = current.frame.assign(agency=current.frame["agency"].where(np.arange(len(current)) >= gone))
        some = replace(current, frame=frame)
        found = sr.design_grid(MODEL, some, cluster="agency", relations=["~"])
        assert told in report.design_grid_table(found, "levers", some, "en").note_line


def test_conclusions_that_depend_are_bold_and_counted(grid, current):
    cells = (*grid.relations[0][:3], replace(grid.relations[0][3], conclusion="unclear"))
    changed = replace(grid, cells=cells)
    table = report.design_grid_table(changed, "levers", current, "vi")
    assert table.total_rows == (0,)
    assert table.rows[0][-1] == "phụ thuộc thiết kế mẫu"
    (said,) = report.design_findings(changed, "levers", current, "vi")
    assert "1 trên 1 kết luận phụ thuộc thiết kế mẫu" in said.text
    (same,) = report.design_findings(grid, "levers", current, "en")
    assert "same conclusion on all 1 relations" in same.text
    assert same.data_kind.is_simulated


def test_one_agency_leaves_one_way_and_no_verdict_on_the_design(current):
    frame = current.frame.assign(agency="so_01")
    some = replace(current, frame=frame)
    alone = sr.design_grid(MODEL, some, cluster="agency", relations=["~"])
    table = report.design_grid_table(alone, "levers", some, "en")
    assert "There is no “Clusters”: All forms belong to one cluster" in table.note_line
    (said,) = report.design_findings(alone, "levers", some, "en")
    assert "not known" in said.text


def test_findings_are_handed_back(current):
    finding = Finding("reason-designs", "no fit", "en", current.data_kind, role="reason")
    assert report.design_grid_table(finding, "levers", current, "en") is finding
    assert report.design_findings(finding, "levers", current, "en") == ()


def test_columns_of_the_design_are_those_that_the_file_has(current):
    assert report.survey_design(current) == {"cluster": "agency", "weights": "weight"}
    assert report.survey_design(without(current, "weight", weight="")) == {"cluster": "agency"}
    assert report.survey_design(without(current, "agency")) == {"weights": "weight"}
    undeclared = without(current, weight="")
    assert report.survey_design(undeclared) == {"cluster": "agency"}
    single = replace(current, frame=current.frame.assign(agency="so_01", site=current.frame["agency"]))
    assert report.survey_design(single) == {"weights": "weight"}
    sited = replace(single, design=replace(single.design, cluster="site"))
    assert report.survey_design(sited) == {"cluster": "site", "weights": "weight"}


def test_a_survey_without_agency_and_weight_gets_a_sentence(current):
    bare = without(current, "agency", "weight", weight="", stratum="", population="")
    assert design_options(bare) == {}
    with pytest.raises(errors.AnalysisError):
        report.survey_design(bare)
    for language, words in (("vi", "mọi phiếu được coi là độc lập"), ("en", "each form counts as independent")):
        found = report.attempt(lambda: report.survey_design(bare), "designs", bare, language)
        assert isinstance(found, Finding)
        assert words in found.text


def test_the_note_on_the_design_points_to_the_table_where_it_is(current):
    fit = sr.sem(MODEL, current, estimator="MLR")
    for language, title in (
        ("vi", "“Có và không tính thiết kế mẫu: mô hình đòn bẩy”"),
        ("en", "“With and without the sampling design: lever model”"),
    ):
        assert title in report.fit_table(fit, "levers", current, language).note_line
        assert title not in report.fit_table(fit, "cfa", current, language).note_line
        bare = without(current, "agency", "weight", weight="")
        assert title not in report.fit_table(fit, "levers", bare, language).note_line
        assert title[1:-1] in report.design_grid_table(
            sr.design_grid(MODEL, current, weights="weight"), "levers", current, language
        ).caption  # fmt: skip
