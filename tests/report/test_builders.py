"""Tables and figures of the report, made from the simulated province and from awkward small files."""

import json
import re
from dataclasses import replace

import pandas as pd
import pytest

import sipas_research as sr
from sipas_research import report, resources
from sipas_research.report import Finding, Suppressed
from sipas_research.report.design_limits import design_limit
from sipas_research.report.labels import in_words, item_codes
from sipas_research.results import DataKind
from sipas_research.survey.specs import SampleDesign

pytestmark = pytest.mark.filterwarnings("ignore::sipas_research.errors.DroppedRowsWarning")


@pytest.fixture(scope="module")
def project():
    return sr.load_study(resources.data("twin", "study.toml"))


@pytest.fixture(scope="module")
def everyone(project):
    return project.responses("citizens")


@pytest.fixture(scope="module")
def current(project, everyone):
    return project.current(everyone)


def words(table):
    return " ".join([table.caption, *[c.label for c in table.columns], *sum(table.printed(), ()), table.note_line])


def assert_readable(table):
    text = words(table)
    assert not re.search(r"\bnan\b|None|[a-z]+_[a-z0-9_]+", text.replace("kiem_tra", "")), text[:400]
    assert json.loads(json.dumps(table.payload()))["id"] == table.id


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_table_of_the_province_is_readable_and_marked(project, everyone, current, language):
    items = report.factor_items(current)
    index = sr.satisfaction_index(current)
    solution = sr.efa(current, report.designed_factors(current), items=items)
    alpha = sr.reliability(current, current.scale_items())
    tables = [
        report.forms_table(everyone, current, language),
        report.profile_table(sr.profile(current), current, language),
        report.items_table(sr.describe(current), current, language),
        report.alpha_table(alpha, current, language),
        report.item_total_table(alpha, current, language),
        report.adequacy_table(sr.kmo(current, items), sr.bartlett_sphericity(current, items), current, language),
        report.variance_table(solution, current, language),
        report.efa_table(solution, current, language),
        report.phi_table(solution, current, language),
        report.index_table(index, current, project.year, language),
        report.agency_table(sr.satisfaction_index(current, by="agency"), current, project.year, language),
        report.year_table(sr.satisfaction_index(everyone, by="year"), everyone, language),
    ]
    mark = "DỮ LIỆU MÔ PHỎNG" if language == "vi" else "SIMULATED DATA"
    for table in tables:
        assert_readable(table)
        assert mark in table.caption
        assert table.source
    assert len({t.id for t in tables}) == len(tables)


def test_index_prints_the_design_margins(everyone):
    table = report.year_table(sr.satisfaction_index(everyone, by="year"), everyone, "vi")
    by_year = {row[0]: row[2] for row in table.printed()}
    assert by_year["2020"] == "83,97%"
    assert by_year["2021"] == "87,07%"
    assert "2022" in table.note_line


def test_agencies_stand_in_register_order_not_by_value(project, current):
    table = report.agency_table(sr.satisfaction_index(current, by="agency"), current, project.year, "vi")
    names = [row[0] for row in table.rows[:-1]]
    assert names == [a.name("vi") for a in current.agencies.agencies]
    values = [row[2] for row in table.rows[:-1] if not isinstance(row[2], Suppressed)]
    assert values != sorted(values)
    assert values != sorted(values, reverse=True)


def test_small_agencies_are_hidden_but_counted(current):
    frame = current.frame
    first = frame.loc[frame["agency"] == "so_01"].head(6)
    rest = frame.loc[frame["agency"] != "so_01"]
    few = replace(current, frame=pd.concat([first, rest]))
    table = report.agency_table(sr.satisfaction_index(few, by="agency"), few, 2022, "vi")
    hidden = [row[0] for row in table.rows if isinstance(row[2], Suppressed)]
    assert "Sở mô phỏng 01" in hidden
    assert len(hidden) >= 2, "one hidden agency would follow from the total"
    assert table.rows[-1][1] == len(few)


def test_one_item_gives_reasons_instead_of_tables(current):
    wanted = "overall_1"
    questionnaire = current.questionnaire
    kept = tuple(q for q in questionnaire.questions if q.kind != "likert" or q.id == wanted)
    one = replace(current, questionnaire=replace(questionnaire, questions=kept))
    alpha = sr.reliability(one, one.scale_items())
    assert "một biến quan sát" in report.alpha_table(alpha, one, "vi").note_line
    items = report.factor_items(one)
    shown = report.attempt(
        lambda: report.adequacy_table(sr.kmo(one, items), sr.bartlett_sphericity(one, items), one, "vi"),
        "adequacy",
        one,
        "vi",
    )
    assert isinstance(shown, Finding)
    assert shown.role == "reason"
    assert "ít nhất 2 biến" in shown.text
    index = sr.satisfaction_index(one)
    assert report.index_table(index, one, 2022, "vi").rows[0][1] > 0


def test_reasons_travel_through_builders(current):
    reason = Finding("reason-efa", "vì một lẽ", "vi", current.data_kind, role="reason")
    assert report.efa_table(reason, current, "vi") is None
    assert report.index_table(reason, current, 2022, "vi") is reason
    found = report.index_findings(reason, reason, current, "vi")
    assert [f.role for f in found] == ["finding", "limit"]


def test_an_undeclared_design_is_a_limit_of_the_index(current):
    index = sr.satisfaction_index(current)
    bare = replace(current, design=SampleDesign())
    for people, said in ((current, False), (bare, True)):
        found = report.index_findings(index, index, people, "vi")
        assert any("chưa khai báo quyền số, tầng hay chùm" in f.text for f in found if f.role == "limit") is said
    assert not design_limit(replace(current, design=SampleDesign(cluster="site")), "en")


def test_codes_replace_ids_in_messages(current):
    codes = item_codes(current.questionnaire)
    assert codes["access_1"] == "1.1"
    assert codes["procedure_5"] == "2.5"
    assert in_words("access_1, procedure_5", current.questionnaire, "vi") == "1.1, 2.5"
    assert in_words("sex", current.questionnaire, "vi") == "Giới tính của Ông/Bà"
    assert in_words(7, current.questionnaire, "vi") == 7


@pytest.mark.parametrize("language", ["vi", "en"])
def test_findings_say_numbers_of_the_results(current, everyone, language):
    index = sr.satisfaction_index(current)
    by_agency = sr.satisfaction_index(current, by="agency")
    found = report.index_findings(index, by_agency, current, language)
    estimate = sr.wording.percent(index.tidy()["estimate"].iloc[0], language)
    assert estimate in found[0].text
    assert found[0].role == "main"
    assert found[-1].role == "limit"
    quality = report.quality_findings(sr.describe(current), everyone, current, language)
    assert sr.wording.integer(len(current), language) in quality[0].text


def test_scorecard_of_one_agency(current):
    card = sr.scorecard(current, "so_03")
    table = report.scorecard_table(card, current, "vi")
    assert_readable(table)
    assert "Sở mô phỏng 03" in table.caption
    items = report.scorecard_items_table(card, current, "en")
    assert [row[0] for row in items.rows] == ["Lowest"] * 3 + ["Highest"] * 3
    shares = [row[3] for row in items.rows]
    assert shares == sorted(shares)
    figure = report.scorecard_figure(card, current, "vi")
    assert "DỮ LIỆU MÔ PHỎNG" in figure.caption


def test_likert_bars_show_no_cell_under_ten(current):
    shares = sr.describe(current).answer_shares()
    assert ((shares["n"] == 0) | (shares["n"] >= 10)).all()
    figures = report.likert_figures(sr.describe(current), current, "vi")
    parts = ("factor-1", "factor-2", "lever", "overall")
    assert [f.id for f in figures] == [f"fig-likert-citizens-{part}" for part in parts]
    assert all(f.png.startswith(b"\x89PNG") and f.svg.lstrip().startswith("<?xml") for f in figures)


def test_a_file_without_facts_says_so(current):
    facts = [q.id for q in current.questionnaire.facts()]
    bare = replace(current, frame=current.frame.drop(columns=[c for c in facts if c in current.frame]))
    shown = report.profile_table(sr.profile(bare), bare, "vi")
    assert isinstance(shown, Finding)
    assert "không có cột nào" in shown.text


def test_front_page_lists_what_the_chapters_found(current):
    main = Finding("a", "Chỉ số: 84,91%", "vi", current.data_kind, role="main")
    limit = Finding("b", "không nói được điều này", "vi", current.data_kind, role="limit")
    chapter = report.Chapter("05", "vi", (main, limit))
    page = report.front_markdown(
        [chapter],
        language="vi",
        data_kind=current.data_kind,
        place="Tỉnh Mô phỏng",
        year=2022,
        sources=["citizens.csv"],
        provenance={},
    )
    assert f"- {report.plain(main.text)}" in page
    assert "- không nói được điều này" in page
    assert "Cách đọc báo cáo này" in page
    assert "DỮ LIỆU MÔ PHỎNG" in page


def test_front_page_of_published_figures_names_no_survey_year():
    said = Finding("models-cross-section", "nói hai lần", "vi", DataKind.PUBLISHED, role="limit")
    page = report.front_markdown(
        [report.Chapter("01", "vi", (said,))],
        language="vi",
        data_kind=DataKind.PUBLISHED,
        place="Tỉnh Lạng Sơn",
        year=None,
        sources=["số liệu đã công bố"],
        provenance={},
    )
    assert "các tài liệu đã công bố" in page
    assert "không ghi" not in page
    assert "điểm phần trăm hay phần trăm" in page
    assert "dưới 10 phiếu" not in page
    assert "nói hai lần" not in page


def test_a_survey_beside_published_figures_is_described_as_both():
    said = {"owner": "Sở A", "collected_from": "01/10/2022", "collected_to": "30/10/2022", "decision": "Kế hoạch 5"}
    page = report.front_markdown(
        [],
        language="vi",
        data_kind=sr.DataKind.PUBLISHED,
        data_kinds=(sr.DataKind.REAL, sr.DataKind.PUBLISHED),
        place="Tỉnh A",
        year=2022,
        sources=["a.sav"],
        provenance=said,
    )
    assert "Số liệu thật của Sở A" in page
    assert "tài liệu đã công bố" in page
