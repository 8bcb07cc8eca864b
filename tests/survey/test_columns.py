import unicodedata
from dataclasses import replace

import pandas as pd
import pytest
from check_helpers import ITEMS, QUESTIONNAIRE, TEXTS, likert, table

from sipas_research.survey.columns import match_columns, match_report
from sipas_research.survey.comparison import bare_key, last_parts, near, same_key, without_number


def raw(*columns, labels=None):
    return table(pd.DataFrame({c: [1.0] for c in columns}), labels=labels or {})


def matched(*columns, labels=None, year=None):
    report = match_report(raw(*columns, labels=labels), QUESTIONNAIRE, year=year)
    return {m.column: (m.question, m.how) for m in report}


@pytest.mark.parametrize(
    ("column", "question", "how"),
    [
        ("access_1", "access_1", "id"),
        ("  ACCESS-1 ", "access_1", "id"),
        ("Câu 7", "access_1", "alias"),
        ("Trang thiết bị phục vụ đầy đủ", "access_2", "text"),
        ("TRANG THIẾT BỊ  phục vụ, đầy đủ?", "access_2", "text"),
        (unicodedata.normalize("NFD", "Trang thiết bị phục vụ đầy đủ"), "access_2", "text"),
        ("Agency", "agency", "id"),
        ("Form number", "respondent_id", "text"),
        ("nhom_a/access_2", "access_2", "part"),
        ("nhom_a-access_2", "access_2", "part"),
        ("Phần I/Trang thiết bị dễ sử dụng", "access_3", "part"),
        ("Mức độ hài lòng [Kết quả đúng quy định]", "result_1", "part"),
        ("7. Trang thiết bị phục vụ đầy đủ", "access_2", "loose"),
        ("Câu 12: Kết quả đúng quy định", "result_1", "loose"),
        ("B2.1) Kết quả đúng quy định", "result_1", "loose"),
        ("trang thiet bi phuc vu day du", "access_2", "loose"),
        ("Gioi tinh", "sex", "loose"),
        ("Số điện thoại", "", ""),
        ("7", "", ""),
        ("???", "", ""),
    ],
)
def test_each_way_to_match(column, question, how):
    assert matched(column)[column] == (question, how)


def test_labels_of_spss_columns():
    found = matched("v1", "v2", labels={"v1": TEXTS["access_3"], "v2": "4. Ket qua co thong tin day du"})
    assert found == {"v1": ("access_3", "label"), "v2": ("result_2", "loose")}


def test_alias_of_the_survey_year_only():
    assert matched("cau7", year=2021)["cau7"] == ("access_1", "alias")
    assert matched("cau7", year=2020)["cau7"] == ("", "")
    assert matched("cau5", year=2020)["cau5"] == ("access_1", "alias")
    assert matched("cau5")["cau5"] == ("access_1", "alias")


def test_one_question_two_columns_stays_open():
    report = match_report(raw("1. Kết quả đúng quy định", "2. Kết quả đúng quy định", "sex"), QUESTIONNAIRE)
    assert [(m.question, m.how, m.candidates) for m in report] == [
        ("", "several", ("result_1",)),
        ("", "several", ("result_1",)),
        ("sex", "id", ()),
    ]


def test_columns_that_had_one_name_in_the_file_stay_open():
    report = match_report(raw(TEXTS["result_1"], TEXTS["result_1"] + " (2)"), QUESTIONNAIRE)
    assert [m.how for m in report] == ["several", "several"]


def test_one_column_two_questions_stays_open_even_for_later_ways():
    twice = replace(likert("access_3"), text=QUESTIONNAIRE.question("access_2").text)
    questionnaire = replace(
        QUESTIONNAIRE, questions=tuple(twice if q.id == "access_3" else q for q in QUESTIONNAIRE.questions)
    )
    (match,) = match_report(raw("1. " + TEXTS["access_2"]), questionnaire)
    assert (match.question, match.how, match.candidates) == ("", "several", ("access_2", "access_3"))


def test_surer_way_wins_over_order():
    found = matched("Kết quả đúng quy định", "result_1")
    assert found["result_1"] == ("result_1", "id")
    assert found["Kết quả đúng quy định"] == ("", "")


def test_near_names_are_suggested_not_taken():
    (match,) = match_report(raw("Trang thiết bị phục vụ đầy"), QUESTIONNAIRE)
    assert (match.question, match.candidates) == ("", ("access_2",))


def test_order_of_columns_does_not_matter():
    columns = [*ITEMS, "1. Giới tính", "Năm", "ho_ten"]
    forward, backward = matched(*columns), matched(*reversed(columns))
    assert forward == backward


def test_map_has_a_rule_for_each_column_but_the_marker():
    column_map = match_columns(raw("access_1", "data_kind", "x"), QUESTIONNAIRE)
    assert [(r.column, r.question) for r in column_map.rules] == [("access_1", "access_1"), ("x", "")]


def test_keys():
    assert same_key("  Anh/chị — HÀI lòng?") == "anh chị hài lòng"
    assert bare_key("Đảo chiều") == "dao chieu"
    assert without_number("7. Anh/chị có hài lòng") == "Anh/chị có hài lòng"
    assert without_number("3 năm công tác") == "3 năm công tác"
    assert without_number("2021") == "2021"
    assert last_parts("a/b/c_1") == ("c_1",)
    assert last_parts("access_1") == ()
    assert near("Sở Mô phong 1", ["Sở mô phỏng 01", "Huyện khác"]) == ("Sở mô phỏng 01",)
