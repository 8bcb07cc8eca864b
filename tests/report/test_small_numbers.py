"""Tables and sentences of small surveys: nothing about few people, and nothing that the numbers do not say."""

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research import report
from sipas_research.errors import AnalysisError
from sipas_research.report import Finding, Suppressed
from sipas_research.results import DataKind
from sipas_research.survey.agencies import Agency, AgencyRegister
from sipas_research.survey.questionnaire import Answer, Question, Questionnaire, Scale
from sipas_research.survey.responses import Responses
from sipas_research.survey.specs import SampleDesign
from sipas_research.wording import Bilingual

pytestmark = pytest.mark.filterwarnings("ignore::sipas_research.errors.SipasWarning")

SCALES = {"a": ("a1", "a2", "a3"), "b": ("b1", "b2", "b3")}
LEVELS = {"x": "department", "y": "department", "z": "district"}


def survey(frame, *, codes=range(1, 6)):
    answers = tuple(Answer(c, Bilingual(str(c))) for c in codes)
    items = [Question(i, Bilingual(f"Câu {i}"), "likert", scale=s, answers=answers) for s in SCALES for i in SCALES[s]]
    facts = [
        Question("agency", Bilingual("Đơn vị"), "text"),
        Question("year", Bilingual("Năm"), "number"),
    ]
    scales = tuple(Scale(s, Bilingual(f"Thang {s}"), "factor") for s in SCALES)
    form = Questionnaire("test", Bilingual("Phiếu thử"), "citizen", "", scales, (*items, *facts))
    register = AgencyRegister(tuple(Agency(c, Bilingual(f"Sở {c}"), level) for c, level in LEVELS.items()))
    return Responses(frame, form, register, SampleDesign(), DataKind.USER, "thu.csv", n_read=len(frame))


def answered(rows, seed=1, codes=(2, 3, 4, 5)):
    rng = np.random.default_rng(seed)
    person = rng.normal(size=(rows, 1))
    position = np.clip(1.5 + person + rng.normal(size=(rows, 6)), 0, len(codes) - 1).round().astype(int)
    return pd.DataFrame(np.array(codes, float)[position], columns=[i for ids in SCALES.values() for i in ids])


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_scale_that_few_answered_in_full_tells_nothing(language):
    frame = answered(60)
    frame.loc[5:, "a1"] = np.nan
    people = survey(frame)
    found = sr.reliability(people, people.scale_items())
    scale = found.scales.set_index("term")
    assert scale.loc["a", ["estimate", "n", "n_dropped"]].isna().all()
    assert scale.loc["b", "n"] == 60
    table = report.alpha_table(found, people, language)
    assert table.rows[0][2:] == (Suppressed(),) * 5
    items = report.item_total_table(found, people, language)
    # each scale's name stands before its questions
    assert items.total_rows == (0, 4)
    assert all(row[2:] == (Suppressed(),) * 4 for row in items.rows[1:4])
    assert "=" not in items.rows[0][1]
    assert "=" in items.rows[4][1]
    assert not any(isinstance(cell, Suppressed) for row in items.rows[4:] for cell in row)


def test_no_factor_analysis_of_few_people():
    frame = answered(60)
    frame.loc[8:, "a1"] = np.nan
    for analyse in (sr.kmo, sr.bartlett_sphericity, lambda people: sr.efa(people, 1)):
        with pytest.raises(AnalysisError, match="dưới 10 phiếu"):
            analyse(survey(frame))


@pytest.mark.parametrize("small", [6, 12])
def test_a_small_year_cannot_be_worked_out(small):
    people = survey(answered(60 + small).assign(year=[2022.0] * 60 + [2021.0] * small))
    current = people.where(year=2022)
    forms = report.forms_table(people, current, "vi")
    years = report.year_table(sr.satisfaction_index(people, by="year"), people, "vi")
    said = report.quality_findings(sr.describe(current), people, current, "vi")[0].text
    told = " ".join([forms.note_line, *[str(cell) for _, cell in forms.rows], years.note_line, said])
    assert (str(60 + small) in told) == (small >= 10)


def test_a_question_few_answered_is_not_passed_over_in_silence():
    frame = answered(60)
    frame.loc[4:, "a1"] = np.nan
    people = survey(frame)
    said = [f.text for f in report.quality_findings(sr.describe(people), people, people, "vi")]
    assert "Chỉ xét các câu có từ 10 câu trả lời trở lên. Không câu nào bị bỏ trống." in said


def test_questions_left_blank_equally_often_are_all_named():
    frame = answered(60)
    frame.loc[:11, "a2"] = np.nan
    frame.loc[20:31, "b3"] = np.nan
    people = survey(frame)
    said = " ".join(f.text for f in report.quality_findings(sr.describe(people), people, people, "vi"))
    assert "1.2, 2.3 (mỗi câu 20,00% số phiếu)" in said


def test_one_general_factor_does_not_agree_with_two_scales():
    frame = answered(400, seed=3)
    people = survey(frame)
    solution = sr.efa(people, 2)
    strong = np.zeros((6, 2))
    strong[:, 0] = 0.7
    general = GivenLoadings(solution, strong)
    alpha = sr.reliability(people, people.scale_items())
    said = report.measurement_findings(alpha, general, people, "vi")[1].text
    assert "thì 3 trong 6 câu" in said


class GivenLoadings:
    """Stands in for a solution."""

    def __init__(self, solution, loadings):
        self.items, self.factors = solution.items, solution.factors
        self.eigenvalues = solution.eigenvalues
        self.loadings = pd.DataFrame(loadings, index=solution.items)


def test_overlapping_intervals_are_not_called_equal():
    people = survey(answered(40))
    index = sr.satisfaction_index(people)
    nothing = Finding("reason", "không có", "vi", people.data_kind, role="reason")
    said = " ".join(f.text for f in report.index_findings(index, nothing, people, "vi"))
    assert "chưa kết luận được là khác nhau" in said
    assert "Tệp không có cột đơn vị" in said


def test_a_file_with_agencies_is_not_said_to_have_none():
    people = survey(answered(40).assign(agency="x"))
    nothing = Finding("reason", "không có", "vi", people.data_kind, role="reason")
    said = report.index_findings(nothing, nothing, people, "vi")[0].text
    assert said == "Không có kết quả theo đơn vị; lý do nêu ở trên."


@pytest.mark.parametrize(("agency", "whom"), [("x", "cùng cấp"), ("z", "trong tỉnh")])
def test_a_difference_says_from_whom(agency, whom):
    people = survey(answered(90).assign(agency=["x"] * 30 + ["y"] * 30 + ["z"] * 30))
    card = sr.scorecard(people, agency)
    table = report.scorecard_table(card, people, "vi")
    assert f"các đơn vị khác {whom} (điểm phần trăm)" in table.columns[-1].label
    said = " ".join(f.text for f in report.scorecard_findings(card, people, "vi"))
    assert f"So với các đơn vị khác {whom}" in said
    assert "khác mức chung" not in said


def test_a_seven_point_form_is_not_called_five_point():
    people = survey(answered(40, codes=range(1, 8)), codes=range(1, 8))
    line = report.items_table(sr.describe(people), people, "vi").note_line
    assert "5 mức" not in line
    assert "như SPSS" in line


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_file_without_one_answer_gives_reasons(language):
    frame = answered(30)
    frame[:] = np.nan
    people = survey(frame)
    found = sr.reliability(people, people.scale_items())
    assert found.scales.empty
    reason = report.alpha_table(found, people, language)
    assert isinstance(reason, Finding)
    assert reason.role == "reason"
    assert report.item_total_table(found, people, language) is None
    assert len(report.measurement_findings(found, reason, people, language)) == 2


def test_the_number_of_very_few_forms_stands_under_no_table():
    people = survey(answered(7).assign(agency=["x"] * 4 + ["y"] * 3))
    assert report.items_table(sr.describe(people), people, "vi").n is None
    by_agency = sr.satisfaction_index(people, by="agency")
    nothing = Finding("reason", "không có", "vi", people.data_kind, role="reason")
    said = report.index_findings(nothing, by_agency, people, "vi")[0].text
    assert said == "Không đơn vị nào có kết quả công bố được."
