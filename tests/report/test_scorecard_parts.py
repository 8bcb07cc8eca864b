"""What a scorecard shows of an agency: nothing sorted, ranks as ranges, measures beyond noise only, breaks shown."""

import re
from dataclasses import replace

import pytest

import sipas_research as sr
from sipas_research import report, resources
from sipas_research.framework.dossier import dossiers
from sipas_research.framework.history import AgencyHistory, HistoryRow
from sipas_research.framework.results_register import ResultsRegister
from sipas_research.report.labels import index_name
from sipas_research.report.scorecard_parts import PARTS, scorecard_parts
from sipas_research.survey.specs import SampleDesign

MARKS = {"vi": "DỮ LIỆU MÔ PHỎNG", "en": "SIMULATED DATA"}


@pytest.fixture(scope="module")
def study():
    return sr.load_study(resources.data("twin", "study.toml"))


@pytest.fixture(scope="module")
def everyone(study):
    return study.responses("citizens")


@pytest.fixture(scope="module")
def answers(study, everyone):
    return study.current(everyone)


def made(study, answers, everyone, agencies, **options):
    given = {"year": study.year, "framework": study.framework, "actions": study.actions()} | options
    return dossiers(answers, everyone, agencies, register=ResultsRegister(), **given)


@pytest.fixture(scope="module")
def found(study, answers, everyone):
    return {d.agency: d for d in made(study, answers, everyone, ("so_01", "so_11", "huyen_01"))}


def parts(found, answers, agency, language="vi"):
    return scorecard_parts(found[agency], answers, language, register=ResultsRegister(), year=2022)


def said(shown):
    return " ".join(s._repr_mimebundle_()["text/plain"] for s in shown)


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("agency", ["so_01", "so_11", "huyen_01"])
def test_every_part_is_there_readable_and_marked(found, answers, agency, language):
    shown = parts(found, answers, agency, language)
    assert tuple(shown) == PARTS
    names = [s.id for part in shown.values() for s in part if not isinstance(s, report.Finding)]
    assert len(names) == len(set(names))
    for part in shown.values():
        for one in part:
            text = one.text if isinstance(one, report.Finding) else f"{one.caption} {one.note_line}"
            assert not re.search(r"\b(nan|None|True|False)\b|[a-z]+_[a-z]+", text), text
            assert isinstance(one, report.Finding) or MARKS[language] in one.caption


def test_figures_are_those_of_the_index_the_ranks_and_the_classes(study, found, answers):
    index = sr.satisfaction_index(answers, by="agency")
    ranks = sr.rank_sets(index, family="department")
    row = next(r for r in ranks.rows if r.group == "so_11")
    assert repr(found["so_11"].rank_row) == repr(row)
    classes = sr.classify(index, study.framework("department"), year=2022)
    assert repr(found["so_11"].class_row) == repr(classes.row("so_11"))
    assert found["so_11"].appeal.terms[0].estimate == found["so_11"].card.rows[0].estimate


def test_a_rank_is_printed_as_a_range_with_its_group(found, answers):
    row = found["so_01"].rank_row
    assert row.joint_low < row.joint_high
    printed = dict(parts(found, answers, "so_01")["standing"][0].printed())
    assert f"{row.rank_low:.0f}–{row.rank_high:.0f}" in printed.values()
    assert f"{row.joint_low:.0f}–{row.joint_high:.0f}" in printed.values()
    assert "Tốt" in printed.values()
    assert "dự thảo" in parts(found, answers, "so_01")["standing"][0].note_line


def test_measures_stand_only_where_a_criterion_lies_below_beyond_noise(found, answers):
    (none,) = parts(found, answers, "so_01")["measures"]
    assert isinstance(none, report.Finding)
    (table,) = parts(found, answers, "so_11")["measures"]
    below = {s.term for s in found["so_11"].suggestions.rows}
    assert below
    assert all(s.p_value < 0.05 and s.gap < 0 for s in found["so_11"].suggestions.rows)
    assert len(table.rows) == len({a for s in found["so_11"].suggestions.rows for a in s.actions})


def test_the_break_is_said_and_no_year_stands_beside_it(found, answers):
    shown = parts(found, answers, "so_01")
    assert "2018–2021" in said(shown["history"])
    assert "vì cách đo đã thay đổi" in said(shown["findings"])


def test_comparable_years_stand_side_by_side(found, answers):
    dossier = found["so_01"]
    index, change = (
        dossier.appeal.terms[0],
        sr.index_change(replace(answers, frame=answers.frame.assign(year=[2021.0, 2020.0] * (len(answers) // 2)))),
    )
    rows = (HistoryRow(2023, index, None), HistoryRow(2024, index, change.rows[0]))
    history = AgencyHistory("so_01", rows, (2022,), dossier.history.breaks, 0.95, change.notes, answers.data_kind)
    shown = parts({"so_01": replace(dossier, history=history)}, answers, "so_01")
    (table,) = shown["history"]
    printed = table.printed()
    assert [row[0] for row in printed] == ["Từ năm 2022 cách đo thay đổi; số liệu 2022 không đặt cạnh", "2023", "2024"]
    assert printed[2][-1] == "trong sai số chọn mẫu"
    assert "chưa vượt quá sai số chọn mẫu" in said(shown["findings"])


@pytest.mark.parametrize("other", [{"regime": ""}, {"respondent": "staff"}])
def test_a_form_that_measures_no_satisfaction_gets_no_class_and_no_index(study, answers, everyone, other):
    plain = replace(answers, questionnaire=replace(answers.questionnaire, **other))
    assert index_name(plain, "vi") == "Tỷ lệ trả lời mức cao"
    (dossier,) = made(study, plain, plain, ("so_01",), year=None)
    shown = scorecard_parts(dossier, plain, "vi", register=ResultsRegister(), year=None)
    assert dossier.classification is None
    assert "khung đo lường" in said(shown["measures"])
    assert "không được xếp loại" in said(shown["appeal"])
    assert "Mức xếp loại" not in said(shown["standing"])


def test_an_agency_whose_level_is_not_known_is_not_ranked(study, answers, everyone):
    register = type(answers.agencies)(tuple(replace(a, level="other") for a in answers.agencies.agencies))
    other = replace(answers, agencies=register)
    (dossier,) = made(study, other, other, ("so_01",), year=None)
    shown = scorecard_parts(dossier, other, "vi", register=ResultsRegister(), year=None)
    assert isinstance(shown["standing"][0], report.Finding)
    assert "không được xếp hạng" in said(shown["standing"])


def test_a_framework_that_cannot_decide_says_why(study, answers, everyone):
    def other_weights(level):
        return replace(study.framework(level), definition="criterion_weights", valid_from="")

    (dossier,) = made(study, answers, answers, ("so_01",), framework=other_weights)
    shown = scorecard_parts(dossier, answers, "vi", register=ResultsRegister(), year=2022)
    assert dossier.trouble is not None
    assert isinstance(shown["standing"][0], report.Finding)
    assert "danh mục chưa ghi cấp" not in said(shown["standing"])


def test_a_study_without_a_design_says_that_errors_may_be_too_small(study, answers):
    plain = replace(answers, design=SampleDesign())
    (dossier,) = made(study, plain, plain, ("so_01",))
    limits = [f.text for f in scorecard_parts(dossier, plain, "vi", register=ResultsRegister(), year=2022)["findings"]]
    assert any("chưa khai báo quyền số" in said for said in limits)


def test_one_question_is_not_compared_with_itself(found, answers):
    dossier = found["so_01"]
    card = replace(dossier.card, item_rows=dossier.card.item_rows[:1])
    (said_instead,) = parts({"so_01": replace(dossier, card=card)}, answers, "so_01")["items"]
    assert isinstance(said_instead, report.Finding)


def test_the_annex_says_the_rule_under_the_cuts(found, answers):
    tables = {t.id: t for t in parts(found, answers, "so_11")["appeal"]}
    assert "cận dưới một phía" in tables["tbl-appeal-cuts"].note_line
    assert "tbl-appeal-records" not in tables, "nobody gave records: a table of dashes tells nothing"


@pytest.mark.parametrize(("settled", "words"), [("impossible", "quá sát cận"), ("forms", "khoảng 300 phiếu")])
def test_the_first_page_says_what_would_settle_an_open_class(found, answers, settled, words):
    dossier = found["huyen_01"]
    own = replace(dossier.class_row, outcome="undetermined", band_low="below", band_high="near")
    own = replace(own, settled=settled, forms_needed=300.0)
    rows = tuple(own if r.group == "huyen_01" else r for r in dossier.classification.rows)
    changed = replace(dossier, classification=replace(dossier.classification, rows=rows))
    main = [f.text for f in parts({"huyen_01": changed}, answers, "huyen_01")["findings"] if f.role == "main"]
    assert any("chưa đủ căn cứ xếp loại" in said and words in said for said in main)


def test_what_staff_say_is_neither_graded_nor_turned_into_measures(study):
    everyone = study.responses("staff")
    current = study.current(everyone)
    (dossier,) = made(study, current, everyone, ("so_01",))
    shown = scorecard_parts(dossier, current, "vi", register=ResultsRegister(), year=2022)
    assert current.questionnaire.regime
    assert dossier.framework is None
    assert "Mức xếp loại" not in said(shown["standing"])
    assert "không được xếp loại" in said(shown["appeal"])


def test_without_a_criterion_to_compare_no_measure_is_spoken_of(found, answers):
    dossier = found["so_01"]
    none = replace(dossier, suggestions=replace(dossier.suggestions, compared=0))
    assert "không có tiêu chí nào so sánh được" in said(parts({"so_01": none}, answers, "so_01")["measures"])
