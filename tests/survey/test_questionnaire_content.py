"""What the packaged questionnaires ask: split, languages, personal data, directions."""

import re

import pytest

from sipas_research.survey.questionnaire_files import load_questionnaire, packaged_ids

CITIZENS = load_questionnaire("citizens")
STAFF = load_questionnaire("staff")
BOTH = pytest.mark.parametrize("form", [CITIZENS, STAFF], ids=lambda f: f.id)
COMMON_FACTS = {
    "respondent_id",
    "year",
    "agency",
    "stratum",
    "weight",
    "frame_size",
    "sex",
    "age_band",
    "education",
    "date",
    "collector",
    "start_time",
    "end_time",
}


def numbered(**counts):
    return {scale: tuple(f"{scale}_{n}" for n in range(1, k + 1)) for scale, k in counts.items()}


def test_packaged_forms():
    assert packaged_ids() == ("citizens", "staff")
    assert (CITIZENS.respondent, CITIZENS.regime) == ("citizen", "2017-2021")
    assert STAFF.respondent == "staff"


def test_citizens_rate_five_factors_with_22_items():
    factors = CITIZENS.scale_items("factor")
    assert factors == numbered(access=4, procedure=5, civil_servant=6, result=3, feedback=4)
    assert sum(map(len, factors.values())) == 22
    assert CITIZENS.scale_items("lever") == numbered(digital=4, oversight=4, communication=4)
    assert CITIZENS.scale_items("overall") == numbered(overall=3)


def test_staff_rate_seven_levers():
    levers = numbered(pay=4, environment=4, training=4, placement=5, discipline=4, tools=4, oversight_felt=4)
    assert STAFF.scale_items("lever") == levers
    assert STAFF.scale_ids("factor") == ()


def test_facts():
    citizen = {"site", "respondent_type", "occupation", "procedure_field", "channel"}
    staff = {"desk", "remote_posting", "years_in_post", "training_days"}
    assert {q.id for q in CITIZENS.facts()} == COMMON_FACTS | citizen
    assert {q.id for q in STAFF.facts()} == COMMON_FACTS | staff
    years = STAFF.question("years_in_post")
    assert (years.minimum, years.maximum) == (0, 50)
    assert CITIZENS.question("channel").valid_codes == (1, 2, 3)
    for form in (CITIZENS, STAFF):
        for name in ("weight", "frame_size"):
            assert form.question(name).minimum > 0
        for question in form.questions:
            assert bool(question.answers) == (question.kind in {"likert", "category"})


@BOTH
def test_both_languages_everywhere(form):
    phrases = [form.title, *(s.name for s in form.scales)]
    phrases += [p for q in form.questions for p in (q.text, *(a.label for a in q.answers))]
    phrases += [q.reason for q in form.questions if q.personal != "none"]
    for phrase in phrases:
        assert phrase.vi.strip()
        assert phrase.en.strip()
    texts = [q.text.vi for q in form.questions]
    assert len(set(texts)) == len(texts)


@BOTH
def test_answers_run_from_one_to_five_with_anchors(form):
    for item in form.items():
        assert item.valid_codes == (1, 2, 3, 4, 5)
        assert item.missing_codes == (9,)
        ends = (item.answers[0].label.vi, item.answers[4].label.vi)
        judged = form.scale(item.scale).role != "lever"
        expected = ("Rất không hài lòng", "Rất hài lòng") if judged else ("Rất không đồng ý", "Rất đồng ý")
        assert ends == expected


def test_few_reversed_items_and_none_in_the_index():
    assert [q.id for q in CITIZENS.items() if q.direction == -1] == ["oversight_4"]
    assert [q.id for q in STAFF.items() if q.direction == -1] == ["discipline_4"]


@BOTH
def test_personal_data_have_a_reason_and_sensitive_ones_are_off(form):
    for question in form.questions:
        if question.personal != "none":
            assert "91/2025/QH15" in question.reason.vi
            assert "356/2025/NĐ-CP" in question.reason.en
        assert question.enabled == (question.personal != "sensitive")
    assert form.question("ethnic_origin").personal == "sensitive"
    assert "ethnic_origin" not in {q.id for q in form.asked}
    assert {q.id for q in form.questions if q.personal == "basic"} >= {"sex", "age_band", "education"}


@BOTH
def test_names_telephones_and_addresses_are_not_asked(form):
    for question in form.questions:
        assert not re.search(r"\b(họ tên|điện thoại|địa chỉ|căn cước|email)\b", question.text.vi.casefold())


@BOTH
def test_an_alias_names_one_question(form):
    for year in (0, 2021, 2022):
        owners = {}
        for question in form.questions:
            for alias in question.aliases:
                if alias.year in {0, year}:
                    assert owners.setdefault(alias.text.casefold(), question.id) == question.id


def test_numbering_and_drift_of_factor_names():
    items = CITIZENS.items(CITIZENS.scale_ids("factor"))
    for number, item in enumerate(items, start=1):
        names = {a.text for a in item.aliases if not a.year}
        assert {f"Câu {number}", f"C{number}", f"Q{number}"} <= names
        assert item.required
    dated = {(a.year, a.text) for a in CITIZENS.question("feedback_1").aliases if a.year}
    assert dated == {
        (2021, "Tiếp nhận và giải quyết phản ánh, kiến nghị 1"),
        (2022, "Tiếp nhận, xử lý ý kiến góp ý, phản ánh, kiến nghị 1"),
    }
