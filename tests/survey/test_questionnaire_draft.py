import pandas as pd

from sipas_research.survey.questionnaire_files import (
    draft_questionnaire,
    load_questionnaire,
    write_questionnaire_xlsx,
)
from sipas_research.survey.raw_table import RawTable

CITIZENS = load_questionnaire("citizens")


def table(labels=None, value_labels=None, missing_codes=None, **columns):
    frame = pd.DataFrame({name.replace("__", " "): pd.Series(cells) for name, cells in columns.items()})
    return RawTable(
        "phiếu.csv", frame, labels=labels or {}, value_labels=value_labels or {}, missing_codes=missing_codes or {}
    )


def five(*cells):
    return [float(c) for c in cells or (1, 2, 3, 4, 5, 5)]


def test_numbered_columns_become_scales(tmp_path):
    raw = table(
        {"Honesty1": "Tôi luôn nói thật"},
        Honesty1=five(),
        Honesty2=five(2, 3, 4, 5, 5, 5),
        Openness_1=five(),
        Openness_2=five(),
        Clarity1=five(2, 4, 4, 2, 3, 3),
    )
    form = draft_questionnaire(raw, CITIZENS)
    assert form.scale_items("factor") == {
        "honesty": ("honesty1", "honesty2"),
        "openness": ("openness_1", "openness_2"),
        "clarity": ("clarity1",),
    }
    first = form.question("honesty1")
    assert first.text.vi == "Tôi luôn nói thật"
    assert [a.text for a in first.aliases] == ["Honesty1"]
    assert [a.label.vi for a in first.answers] == ["1", "2", "3", "4", "5"]
    assert form.question("honesty2").valid_codes == (1, 2, 3, 4, 5), "nobody chose 1, its neighbours show it"
    assert form.facts() == CITIZENS.facts()
    assert (form.id, form.regime) == ("citizens", "")
    assert "phiếu.csv" in form.title.vi
    path = write_questionnaire_xlsx(form, tmp_path / "cau_hoi.xlsx")
    assert load_questionnaire(path) == form


def test_counts_codes_names_and_facts_are_not_items():
    raw = table(
        service_course=[0.0, 1.0, 1.0, 0.0, 1.0, 0.0],
        years_since=five(1, 2, 3, 4, 5, 6),
        interviews=five(0, 1, 2, 3, 4, 5),
        offers=five(2, 3, 4, 5, 7, 8),
        department=["dept_01", "dept_02", "dept_03", "dept_01", "dept_02", "dept_03"],
        Trình__độ__học__vấn=five(),
        score=[1.5, 2.0, 3.0, 4.0, 5.0, 5.0],
        ward=five(1, 2, 3, 11, 12, 5),
        rating=five(),
    )
    form = draft_questionnaire(raw, CITIZENS)
    assert form.scale_items() == {"rating_scale": ("rating",)}
    many = table(student=[float(n) for n in range(1, 40)], rating=[float(n % 5 + 1) for n in range(1, 40)])
    assert draft_questionnaire(many, CITIZENS).scale_items() == {"rating_scale": ("rating",)}


def test_labels_give_the_answers_and_missing_codes():
    labels = {1.0: "Kém", 2.0: "Vừa", 3.0: "Tốt", 9.0: "Không trả lời"}
    raw = table(
        value_labels={"muc1": labels, "muc2": labels, "vung": {1.0: "Bắc", 2.0: "Trung", 3.0: "Nam"}},
        muc1=five(1, 2, 3, 9, 1, 2),
        muc2=five(1, 1, 2, 9, 1, 2),
        vung=five(1, 2, 3, 1, 2, 3),
    )
    form = draft_questionnaire(raw, CITIZENS)
    assert [q.id for q in form.items()] == ["muc1", "muc2"], "a lone labelled column is a category"
    item = form.question("muc2")
    assert item.valid_codes == (1, 2, 3)
    assert item.missing_codes == (9,)
    assert [a.label.vi for a in item.answers] == ["Kém", "Vừa", "Tốt", "Không trả lời"]


def test_a_scale_from_zero_needs_labels():
    labels = {0.0: "Không", 1.0: "Ít", 2.0: "Nhiều"}
    raw = table(value_labels={"a1": labels, "a2": labels}, a1=five(0, 1, 2), a2=five(0, 1, 2), b1=five(0, 1, 2, 3))
    form = draft_questionnaire(raw, CITIZENS)
    assert [q.id for q in form.items()] == ["a1", "a2"]
    assert form.question("a1").valid_codes == (0, 1, 2)


def test_declared_missing_codes_do_not_widen_the_scale():
    raw = table(missing_codes={"a1": (99.0, (7.0, 8.0))}, a1=five(1, 2, 5, 99, 7, 8))
    assert draft_questionnaire(raw, CITIZENS).question("a1").valid_codes == (1, 2, 3, 4, 5)


def test_answers_in_words():
    words = ["Hài lòng", "Rất hài lòng", "bình thường", None]
    numbered = ["1. Tệ", "2. Vừa", "3. Tốt", "1. Tệ"]
    raw = table(
        Thái__độ__1=words,
        Thái__độ__2=words,
        Nhận__xét__1=numbered,
        Nhận__xét__2=numbered,
        Ghi__chú=["a", "b", "c", "d"],
    )
    form = draft_questionnaire(raw, CITIZENS)
    assert form.scale_items() == {"thai_do": ("thai_do_1", "thai_do_2"), "nhan_xet": ("nhan_xet_1", "nhan_xet_2")}
    assert form.question("thai_do_1").answers == CITIZENS.question("access_1").answers
    assert [a.label.vi for a in form.question("nhan_xet_1").answers] == ["Tệ", "Vừa", "Tốt"]


def test_whole_questions_share_a_scale_and_grids_keep_theirs():
    names = [
        "Anh chị thấy lời giải đáp thế nào",
        "Anh chị thấy thời gian chờ ra sao",
        "Phục vụ [Nhanh]",
        "Phục vụ [Đúng]",
    ]
    raw = table(**{name.replace(" ", "__"): five() for name in names})
    form = draft_questionnaire(raw, CITIZENS)
    sizes = {scale: len(ids) for scale, ids in form.scale_items().items()}
    assert sizes == {"other_questions": 2, "phuc_vu": 2}
    assert all(len(q.id) <= 42 for q in form.items())


def test_ids_are_ascii_unique_and_apart_from_facts():
    raw = table(**{"Câu__1": five(), "cau__1": five(), "1": five(), "weight1": five(), "☺": five()})
    form = draft_questionnaire(raw, CITIZENS)
    ids = [q.id for q in form.questions]
    assert len(set(ids)) == len(ids)
    assert {"cau_1", "cau_1_2", "q_1"} <= set(ids)


def test_a_file_without_items_gives_an_empty_draft():
    form = draft_questionnaire(table(name=["a", "b"], amount=[1000.0, 2000.0]), CITIZENS)
    assert form.items() == ()


def test_a_single_question_does_not_share_its_id_with_its_scale():
    form = draft_questionnaire(table(rating=five(), speed1=five(), speed2=five()), CITIZENS)
    assert form.scale_items("factor") == {"rating_scale": ("rating",), "speed": ("speed1", "speed2")}
