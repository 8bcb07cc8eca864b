import time

import numpy as np
import pandas as pd
import pytest
from check_helpers import ITEMS, LEVELS, QUESTIONNAIRE, REGISTER, answers, spec, table

from sipas_research.errors import ColumnMapError, HonestyError
from sipas_research.results import DataKind
from sipas_research.survey.agencies import AgencyRegister
from sipas_research.survey.checking import check_table
from sipas_research.survey.specs import ColumnMap, ColumnRule, SampleDesign


def damaged(column, row, value, n_rows=60):
    """Valid answers with one cell changed; ``row`` as seen in the file, whose first data row is 2."""
    frame = answers(n_rows)
    if isinstance(value, str):
        frame[column] = frame[column].astype(object)
    frame.loc[row - 2, column] = value
    return frame


def problems(frame, *severities, **options):
    given = {k: options.pop(k) for k in ("labels", "value_labels", "missing_codes") if k in options}
    checked = check_table(table(frame, **given), spec(**options))
    return [p for p in checked.problems if not severities or p.severity in severities]


def said(frame, *severities, **options):
    return [p.text("vi") for p in problems(frame, *severities, **options)]


def test_valid_answers_have_no_problem():
    checked = check_table(table(answers()), spec())
    assert checked.problems == ()
    assert not checked.rejected.any()
    assert checked.agencies is REGISTER
    assert checked.frame["sex"].dtype == "Int64"
    assert checked.frame["access_1"].dtype == float
    assert checked.frame["agency"].iloc[1] == "so_02"


def test_value_outside_the_scale_is_said_exactly_so():
    frame = damaged("access_1", 214, 6.0, 300).rename(columns={"access_1": "Câu 7"})
    sentence = (
        "Dòng 214, cột 'Câu 7': giá trị 6 nằm ngoài thang 1–5. "
        "Sửa ô này, hoặc khai báo mã 6 là 'không trả lời' trong cot_du_lieu.xlsx."
    )
    assert said(frame) == [sentence]
    (problem,) = problems(frame)
    assert (problem.row, problem.column, problem.value, problem.severity) == (214, "Câu 7", "6", "row")
    assert "Row 214, column 'Câu 7': value 6 is outside the scale 1–5." in problem.text("en")


@pytest.mark.parametrize(
    ("column", "value", "piece"),
    [
        ("access_1", 3.5, "giá trị 3,5 không phải là số nguyên"),
        ("access_1", "Hoàn toàn hài lòng", "gặp chữ 'Hoàn toàn hài lòng' ở chỗ cần một mã trả lời (1–5)"),
        ("sex", 7.0, "giá trị 7 không phải là mã trả lời. Mã được phép: 1, 2"),
        (
            "agency",
            "Sở mô phỏng 2",
            "không có đơn vị 'Sở mô phỏng 2' trong danh mục. Tên gần giống: Sở mô phỏng 02 (so_02)",
        ),
        ("agency", "xyz", "Sửa ô này, hoặc thêm đơn vị vào don_vi.xlsx."),
        ("agency", None, "ô bắt buộc đang để trống"),
        ("respondent_id", "p003", "mã phiếu trùng với dòng 5. Giữ phiếu ở dòng 5"),
        ("weight", 0.0, "quyền số 0 không dùng được"),
        ("weight", -1.5, "quyền số -1,5 không dùng được"),
        ("weight", np.nan, "thiếu quyền số"),
        ("year", 1900.0, "giá trị 1900 nằm ngoài khoảng cho phép (2000–2100)"),
        ("year", "năm nay", "'năm nay' không phải là số"),
    ],
)
def test_each_wrong_cell_rejects_its_row(column, value, piece):
    frame = damaged(column, 40, value)
    design = SampleDesign(weight="weight")
    (problem,) = problems(frame, design=design)
    assert problem.severity == "row"
    assert problem.row == 40
    assert problem.column == column
    assert piece in problem.text("vi")
    checked = check_table(table(frame), spec(design=design))
    assert np.flatnonzero(checked.rejected).tolist() == [38]


def test_rows_are_numbered_as_the_user_sees_them():
    checked = check_table(table(damaged("access_1", 10, 6.0), first_row=4, skipped=(6,)), spec())
    assert [p.row for p in checked.problems] == [13]


def test_missing_codes_are_no_problem():
    frame = damaged("access_1", 10, 9.0)
    frame.loc[20, "access_2"], frame.loc[21, "access_3"] = 99.0, 7.0
    columns = ColumnMap(
        tuple(ColumnRule(c, c, missing=(7.0,) if c == "access_3" else ()) for c in frame if c != "ethnic_origin")
    )
    found = problems(frame, columns=columns, missing_codes={"access_2": ((90.0, 99.0),)})
    assert found == []


def test_same_number_in_two_years_is_two_respondents():
    frame = answers()
    frame.loc[30:, "respondent_id"] = frame["respondent_id"][:30].to_numpy()
    assert len(problems(frame)) == 21  # 20 and the rest
    frame.loc[30:, "year"] = 2020.0
    assert problems(frame) == []


def test_of_two_equal_forms_the_usable_one_is_kept():
    frame = damaged("access_1", 5, 6.0)
    frame.loc[20, "respondent_id"] = "p003"
    texts = said(frame)
    assert len(texts) == 2
    assert "Dòng 5, cột 'access_1': giá trị 6" in texts[0]
    assert "Dòng 5, cột 'respondent_id': mã phiếu trùng với dòng 22. Giữ phiếu ở dòng 22" in texts[1]


def test_blank_forms_are_rejected():
    frame = answers()
    frame.loc[5, list(ITEMS)] = np.nan
    frame.loc[6, list(ITEMS)] = 9.0
    frame.loc[7, list(ITEMS[1:])] = np.nan
    frame.loc[8, list(ITEMS)] = 6.0  # wrong, not blank
    found = problems(frame, "row")
    assert [p.row for p in found if p.key == "check.row.blank"] == [7, 8]
    assert "phiếu trắng" in found[-1].text("vi")
    assert sum(p.row == 10 for p in found) == len(ITEMS)


def test_many_blank_forms_are_counted_after_the_first_twenty():
    frame = answers(1000)
    frame.loc[100:129, list(ITEMS)] = np.nan
    texts = said(frame, "row")
    assert len(texts) == 21
    assert texts[-1] == "Và 10 phiếu khác mắc cùng một lỗi (từ dòng 122 đến dòng 131)."


def test_equal_problems_are_counted_after_the_first_twenty():
    frame = answers(500)
    frame.loc[100:460, "access_1"] = 6.0
    found = problems(frame, "row", max_rejected_share=0.9)
    assert len(found) == 21
    assert "và 341 ô khác trong cột này" in found[-1].text("vi")
    assert "từ dòng 122 đến dòng 462" in found[-1].text("vi")
    assert check_table(table(frame), spec()).rejected.sum() == 361


def test_too_many_rejected_rows_refuse_the_file():
    frame = answers()
    frame.loc[:3, "access_1"] = 6.0
    (error,) = problems(frame, "error", max_rejected_share=0.05)
    assert "4 trong số 60 phiếu bị loại, vượt mức cho phép 5,00%" in error.text("vi")
    assert problems(frame, "error", max_rejected_share=0.07) == []


def test_missing_required_column_is_an_error():
    (error,) = problems(answers().drop(columns="agency"), "error")
    assert "Thiếu cột bắt buộc 'agency' (Đơn vị được đánh giá)" in error.text("vi")
    columns = ColumnMap((ColumnRule("agencies", "agency"), *(ColumnRule(i, i) for i in ITEMS)))
    (error,) = problems(answers(), "error", columns=columns)
    assert "không có cột 'agencies'" in error.text("vi")
    assert "Cột gần giống trong tệp: 'agency'" in error.text("vi")


def test_no_item_at_all_is_an_error_that_counts_columns():
    frame = answers()[["respondent_id", "agency", "sex"]].assign(sdt="0912345678")
    (error,) = problems(frame, "error")
    assert "có 4 cột nhưng không cột nào ghép được với 5 câu hỏi" in error.text("vi")
    assert "sipas new" in error.text("vi")
    assert "0912345678" not in " ".join(said(frame))


def test_items_without_column_are_told():
    (warning,) = problems(answers().drop(columns=["access_1", "result_2"]))
    assert warning.severity == "warning"
    assert "2 câu hỏi theo thang đo chưa có cột: access_1, result_2" in warning.text("vi")


def test_constant_and_empty_items_are_told():
    frame = answers().assign(access_1=4.0, access_2=np.nan)
    texts = said(frame, "warning")
    assert len(texts) == 2
    assert "cả 60 phiếu có trả lời đều chọn cùng một mức" in texts[0]
    assert "không có câu trả lời nào" in texts[1]


def test_one_row_and_one_agency():
    few = said(answers(1))
    assert len(few) == 1
    assert "chỉ có 1 phiếu dùng được" in few[0]
    assert any("một đơn vị" in t for t in said(answers().assign(agency="so_01")))


def test_item_that_runs_against_its_scale_is_asked_about():
    frame = answers()
    frame["access_2"] = 6 - frame["access_2"]
    (question,) = problems(frame)
    assert (question.severity, question.column) == ("question", "access_2")
    assert "thang đo 'Tiếp cận' (tương quan −0," in question.text("vi")
    assert "'có' hoặc 'không'" in question.text("vi")
    untouched = check_table(table(frame), spec()).frame["access_2"]
    assert untouched.tolist() == frame["access_2"].tolist()
    for declared, expected in (("yes", 6 - frame["access_2"]), ("no", frame["access_2"])):
        columns = ColumnMap(tuple(ColumnRule(c, c, reversed=declared if c == "access_2" else "") for c in frame))
        checked = check_table(table(frame), spec(columns=columns))
        assert checked.problems == ()
        assert checked.frame["access_2"].tolist() == expected.tolist()
    assert problems(frame.head(29)) == []  # too few to suspect


def test_labels_that_run_the_other_way_are_asked_about_once():
    frame = answers()
    frame["access_2"] = 6 - frame["access_2"]
    labels = {"access_2": {float(6 - code): label for code, label in enumerate(LEVELS, start=1)}}
    (question,) = problems(frame, value_labels=labels)
    assert question.key == "check.item.labels_reversed"
    assert "mã 1 mang nhãn 'Rất hài lòng'" in question.text("vi")


def test_agencies_by_code_name_alias_and_label():
    frame = answers(6)
    frame["agency"] = ["SO-01", "sở MÔ phỏng 02", "SMP 1", "Huyen mo phong 01", "so_02", "huyen_01"]
    assert check_table(table(frame), spec()).frame["agency"].tolist() == [
        "so_01",
        "so_02",
        "so_01",
        "huyen_01",
        "so_02",
        "huyen_01",
    ]
    frame["agency"] = [1.0, 2.0, 1.0, 2.0, 1.0, 2.0]
    named = {"agency": {1.0: "Sở mô phỏng 01", 2.0: "Huyện mô phỏng 01"}}
    assert set(check_table(table(frame, value_labels=named), spec()).frame["agency"]) == {"so_01", "huyen_01"}


def test_register_is_made_from_the_data_where_there_is_none():
    frame = answers(6)
    frame["agency"] = [10.0, 2.0, 1.0, 2.0, 1.0, 10.0]
    raw = table(frame, value_labels={"agency": {2.0: "Phòng Hai"}})
    checked = check_table(raw, spec(agencies=AgencyRegister()))
    assert checked.agencies.codes() == ("1", "2", "10")
    assert checked.agencies.name("2", "vi") == "Phòng Hai"
    assert checked.agencies.name("10", "vi") == "10"
    assert any(key == "check.notes.register_from_data" for key, _ in checked.notes)


def test_times():
    frame = answers()
    frame["start_time"] = ["01/12/2021 08:00"] * 60
    frame["end_time"] = ["2021-12-01 08:10:30"] * 58 + ["01/12/2021 07:00", "31/02/2021"]
    checked = check_table(table(frame), spec())
    assert [p.key for p in checked.problems] == ["check.cell.bad_date", "check.row.end_before_start"]
    assert not checked.rejected.any()
    minutes = (checked.frame["end_time"] - checked.frame["start_time"]).dt.total_seconds() / 60
    assert minutes.iloc[0] == 10.5
    assert minutes.isna().tolist() == [False] * 58 + [True, True]


def test_sensitive_question_that_is_off_is_dropped():
    checked = check_table(table(answers().assign(ethnic_origin="Tày")), spec())
    assert "ethnic_origin" not in checked.frame
    assert checked.problems == ()
    assert ("check.notes.disabled", (("ids", "ethnic_origin"),)) in checked.notes


def test_design_keeps_only_the_parts_that_are_there():
    checked = check_table(table(answers()), spec(design=SampleDesign("weight", "stratum", "", "frame_size")))
    assert checked.design == SampleDesign("weight")


def test_marked_file_is_never_user_data():
    raw = table(answers().assign(data_kind="simulated"))
    with pytest.raises(HonestyError, match="dấu dữ liệu mô phỏng"):
        check_table(raw, spec())
    assert check_table(raw, spec(data_kind=DataKind.SIMULATED)).problems == ()


def test_map_that_does_not_fit_is_refused():
    columns = ColumnMap((ColumnRule("access_1", "acces_1"), ColumnRule("a", "sex"), ColumnRule("b", "sex")))
    with pytest.raises(ColumnMapError, match="Mã gần giống: access_1") as caught:
        check_table(table(answers()), spec(columns=columns))
    assert len(caught.value.problems) == 2


def test_shuffled_rows_and_columns_give_the_same_answers():
    frame = damaged("access_1", 10, 6.0)
    mixed = frame.sample(frac=1, random_state=1, axis=0).sample(frac=1, random_state=2, axis=1)
    one, two = (check_table(table(f), spec()) for f in (frame, mixed))
    left = one.frame[~one.rejected].set_index("respondent_id").sort_index().sort_index(axis=1)
    right = two.frame[~two.rejected].set_index("respondent_id").sort_index().sort_index(axis=1)
    pd.testing.assert_frame_equal(left, right)


def test_fifty_thousand_rows_take_seconds_at_most():
    frame = pd.concat([answers(1000)] * 50, ignore_index=True)
    frame["respondent_id"] = [f"p{i}" for i in range(50_000)]
    frame.loc[::100, "access_1"] = 6.0
    raw = table(frame)
    start = time.process_time()
    checked = check_table(raw, spec())
    assert time.process_time() - start < 4
    assert checked.rejected.sum() == 500
    assert len(QUESTIONNAIRE.questions) > checked.frame.shape[1]


def test_a_file_without_the_year_of_the_study_is_told():
    assert problems(answers(), year=2021) == []
    (found,) = problems(answers(), year=2025)
    assert (found.key, found.severity) == ("check.file.other_years", "warning")
    assert "năm 2025" in found.text("vi")
    assert "2021" in found.text("vi")


def test_simulated_answers_about_a_real_agency_are_refused_without_a_register_too():
    frame = answers().assign(data_kind="simulated", agency="Sở Nội vụ")
    options = {"agencies": AgencyRegister(), "data_kind": DataKind.SIMULATED}
    with pytest.raises(HonestyError, match="Sở Nội vụ"):
        check_table(table(frame), spec(**options))
    assert check_table(table(frame.assign(agency="Sở mô phỏng 01")), spec(**options)).agencies.agencies


def test_a_text_for_a_weight_is_not_to_be_left_empty():
    (found,) = problems(damaged("weight", 7, "nặng"), design=SampleDesign(weight="weight"))
    assert found.key == "check.cell.text_for_weight"
    assert "để trống" not in found.text("vi")
