"""What the chapter on index and ranks adds: formulas side by side, families apart, classes and changes in words."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

import sipas_research as sr
from sipas_research import report, resources
from sipas_research.framework.definitions import DEFINITIONS
from sipas_research.report import Absent, Chapter, Finding
from sipas_research.report.source import make_source
from sipas_research.report.widths import height, layout
from sipas_research.survey.agencies import AgencyRegister

pytestmark = pytest.mark.filterwarnings("ignore::sipas_research.errors.DroppedRowsWarning")
LANGUAGES = pytest.mark.parametrize("language", ["vi", "en"])


@pytest.fixture(scope="module")
def project():
    return sr.load_study(resources.data("twin", "study.toml"))


@pytest.fixture(scope="module")
def everyone(project):
    return project.responses("citizens")


@pytest.fixture(scope="module")
def current(project, everyone):
    return project.current(everyone)


@pytest.fixture(scope="module")
def by_agency(current):
    return sr.satisfaction_index(current, by="agency")


def of_levels(people, **levels):
    """The survey with some agencies' levels changed in the register; None for all at once under "every"."""
    agencies = tuple(
        replace(a, level=levels.get(a.code, levels.get("every", a.level))) for a in people.agencies.agencies
    )
    return replace(people, agencies=AgencyRegister(agencies, simulated=True))


def reason(people):
    return Finding("reason-x", "Không tính được.", "vi", people.data_kind, role="reason")


@LANGUAGES
def test_formulas_stand_side_by_side(current, language):
    found = {name: sr.satisfaction_index(current, definition=name) for name in DEFINITIONS}
    table = report.definitions_table(found, current, language)
    assert [row[2] for row in table.rows] == [found[name].tidy()["estimate"].iloc[0] for name in DEFINITIONS]
    assert len({row[0] for row in table.printed()}) == len(DEFINITIONS)
    assert ("chưa kiểm chứng" if language == "vi" else "not verified") in table.note_line
    words = " ".join([table.caption, *sum(table.printed(), ()), table.note_line])
    assert not re.search(r"\bnan\b|None|[a-z]+_[a-z0-9_]+", words)
    assert ("DỮ LIỆU MÔ PHỎNG" if language == "vi" else "SIMULATED DATA") in table.caption
    assert json.loads(json.dumps(table.payload()))["id"] == table.id


def test_a_formula_that_the_form_cannot_give_says_so(current):
    found = {"share_satisfied": sr.satisfaction_index(current), "overall_question": reason(current)}
    rows = report.definitions_table(found, current, "vi").rows
    assert all(isinstance(cell, Absent) for cell in rows[1][1:])
    assert report.definitions_table({"mean_score": reason(current)}, current, "vi") is None


def test_families_are_apart_and_need_two(current, by_agency):
    assert report.families(by_agency) == ("department", "district")
    assert report.unranked_finding(by_agency, current, "vi") == ()
    assert report.families(reason(current)) == ()
    lone = of_levels(current, every="department", so_01="commune", so_02="other", so_03="other")
    index = sr.satisfaction_index(lone, by="agency")
    assert report.families(index) == ("department",)
    (said,) = report.unranked_finding(index, lone, "en")
    assert said.role == "reason"
    assert said.text.startswith("2 agencies are not ranked because the register")
    assert "1 agencies are not ranked because each is the only one" in said.text


@LANGUAGES
def test_undeclared_agencies_are_not_ranked(current, language):
    plain = of_levels(current, every="other")
    index = sr.satisfaction_index(plain, by="agency")
    assert report.families(index) == ()
    (said,) = report.unranked_finding(index, plain, language)
    assert "31" in said.text
    (without,) = report.unranked_finding(reason(plain), plain, language)
    assert without.text != said.text


@LANGUAGES
def test_classes_in_words_add_up(by_agency, current, language):
    found = sr.classify(by_agency, sr.load_framework("department"), year=2022)
    (said,) = report.class_findings(found, current, language)
    certified, size, undetermined, other = map(int, re.findall(r"\d+", said.text))
    counts = found.glance().iloc[0]
    assert (certified, undetermined) == (counts["n_certified"], counts["n_undetermined"])
    assert certified + undetermined + other == size == 20
    assert ("đề xuất" if language == "vi" else "proposal") in said.text
    assert report.class_findings(reason(current), current, language) == ()


def test_tables_of_two_families_have_their_own_ids(by_agency, current):
    bands = sr.load_framework("district").bands
    errors = sr.misgraded(by_agency, bands, rng=np.random.default_rng(1), family="district", years=20)
    tables = [
        report.bands_table(bands, current.data_kind, "vi", family="district"),
        report.misgrading_table(errors, "vi", family="district"),
    ]
    assert [t.id for t in tables] == ["tbl-bands-district", "tbl-misgrading-district"]
    assert all("Cấp huyện" in t.caption for t in tables)
    assert report.misgrading_table(reason(current), "vi").role == "reason"
    assert report.class_table(reason(current), current, "vi").role == "reason"


def test_last_comparable_years(project, everyone, current):
    assert sr.comparable_years(everyone) == (2020, 2021)
    assert sr.comparable_years(everyone, 2022) == (2020, 2021)
    assert sr.comparable_years(everyone, 2020) == (2019, 2020)
    assert sr.comparable_years(current) is None
    staff = project.responses("staff")
    last = sr.comparable_years(staff)
    assert last is None or last[1] == int(staff.frame["year"].max())


@LANGUAGES
def test_a_change_in_words(everyone, language):
    (said,) = report.change_findings(sr.index_change(everyone, 2020, 2021), everyone, language)
    assert ("3,10" if language == "vi" else "3.10") in said.text
    (broken,) = report.change_findings(sr.index_change(everyone, 2021, 2022), everyone, language)
    assert "2022" in broken.text
    assert "2640" in broken.text
    assert report.change_findings(reason(everyone), everyone, language) == ()


@LANGUAGES
def test_what_holds_for_every_family_is_said_once(by_agency, current, language):
    ranks = {family: sr.rank_sets(by_agency, family=family, draws=1_000) for family in report.families(by_agency)}
    classes = {"district": sr.classify(by_agency, sr.load_framework("district"), year=2022), "commune": reason(current)}
    said = report.family_findings(ranks, classes, current, language)
    assert [f.role for f in said] == ["finding", "limit", "finding", "finding"]
    assert len({f.text for f in said}) == len({f.id for f in said}) == 4
    assert report.family_findings({}, {}, current, language) == ()


@LANGUAGES
def test_a_class_table_says_in_few_words_what_would_settle(by_agency, current, language):
    found = sr.classify(by_agency, sr.load_framework("department"), year=2022)
    cells = [row[-1] for row in report.class_table(found, current, language).printed()]
    for row, cell in zip(found.rows, cells, strict=True):
        expected = {"": "", "impossible": "không thể" if language == "vi" else "impossible"}
        assert cell == expected.get(row.settled, cell)
        if row.settled == "forms":
            assert sr.wording.integer(int(row.forms_needed), language) in cell


def test_a_table_of_few_high_rows_may_break_over_pages():
    plan = layout(("a", "b"), [("x", "lời " * 60)] * 12)
    assert height([("x", "lời " * 60)] * 12, plan) > 170 > height([("x", "lời")] * 12, plan)
    assert height([("x", "lời")] * 12, plan, "ghi chú " * 300) > height([("x", "lời")] * 12, plan)
    for words, said in (("lời " * 60, True), ("lời", False)):
        table = report.Table(
            "tbl-x",
            "Bảng",
            (report.Column("a", "A"), report.Column("b", "B")),
            (("x", words),) * 12,
            "vi",
            sr.DataKind.USER,
        )
        chapter = Chapter("05_index", "vi", (table,))  # type: ignore[arg-type]
        document = report.Document("T", "", "", "vi", sr.DataKind.USER, "x", (chapter,))
        assert ("sipas-table long" in str(make_source(document))) is said
