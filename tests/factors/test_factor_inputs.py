"""What comes through the door: names, rows, items, kinds; and what is refused, in which words."""

import unicodedata

import numpy as np
import pandas as pd
import pytest

from sipas_research.errors import AnalysisError, DroppedItemWarning, DroppedRowsWarning, OptionError
from sipas_research.factors.inputs import correlations, item_matrix, load_items
from sipas_research.results import DataKind
from sipas_research.survey.agencies import AgencyRegister
from sipas_research.survey.questionnaire import Answer, Question, Questionnaire, Scale
from sipas_research.survey.responses import Responses
from sipas_research.survey.specs import SampleDesign
from sipas_research.wording import LANGUAGES, Bilingual


def survey(frame: pd.DataFrame, turned: str = "") -> Responses:
    answers = tuple(Answer(code, Bilingual(str(code))) for code in range(1, 6))
    questions = tuple(
        Question(n, Bilingual(n), "likert", n.split("_")[0], answers, direction=-1 if n == turned else 1)
        for n in frame.columns
    )
    roles = {"access": "factor", "result": "factor", "pay": "lever"}
    scales = tuple(Scale(s, Bilingual(s), role) for s, role in roles.items())
    form = Questionnaire("nho", Bilingual("Phiếu nhỏ"), "citizen", "2017-2021", scales, questions)
    return Responses(frame.astype(float), form, AgencyRegister(), SampleDesign(), DataKind.REAL)


@pytest.fixture
def answers() -> pd.DataFrame:
    drawn = np.random.default_rng(2).integers(1, 6, (40, 6))
    return pd.DataFrame(drawn, columns=["access_1", "access_2", "result_1", "result_2", "pay_1", "pay_2"])


def test_responses_give_factor_items_scored_and_their_kind(answers):
    found = item_matrix(survey(answers, turned="access_2"))
    assert found.items == ("access_1", "access_2", "result_1", "result_2")
    assert found.data_kind is DataKind.REAL
    np.testing.assert_array_equal(found.values[:, 1], 6 - answers["access_2"])
    assert not found.values.flags.writeable
    assert item_matrix(survey(answers[["pay_1", "pay_2"]])).items == ("pay_1", "pay_2")


def test_frames_are_user_data_unless_marked(answers):
    assert item_matrix(answers).data_kind is DataKind.USER
    assert item_matrix(answers, data_kind=DataKind.REAL).data_kind is DataKind.REAL
    marked = answers.assign(data_kind="simulated")
    found = item_matrix(marked, data_kind=DataKind.REAL)
    assert found.data_kind is DataKind.SIMULATED
    assert "data_kind" not in found.items


def test_missing_answers_drop_rows_and_say_so(answers):
    holes = answers.astype(float)
    holes.iloc[[3, 7], 0] = np.nan
    with pytest.warns(DroppedRowsWarning) as caught:
        found = item_matrix(holes)
    assert (found.n, found.n_dropped, found.n_read) == (38, 2, 40)
    assert caught[0].message.fields == {"n": 2, "read": 40}
    assert caught[0].filename == __file__


def test_empty_and_constant_items_are_left_out_before_rows(answers):
    frame = answers.astype(float).assign(nothing=np.nan, same=3.0, none_at_all=None)
    with pytest.warns(DroppedItemWarning, match="nothing, same, none_at_all"):
        found = item_matrix(frame)
    assert found.n_dropped == 0
    assert dict(found.left_out) == {
        "nothing": "factors.note.empty_item",
        "same": "factors.note.constant_item",
        "none_at_all": "factors.note.empty_item",
    }


def test_an_item_that_is_constant_on_complete_rows_is_left_out(answers):
    frame = answers.astype(float).assign(late=2.0)
    frame.loc[0, "late"] = 5.0
    frame.loc[0, "access_1"] = np.nan
    with pytest.warns(DroppedItemWarning), pytest.warns(DroppedRowsWarning):
        found = item_matrix(frame)
    assert found.left_out == (("late", "factors.note.constant_item"),)


@pytest.mark.parametrize("dtype", ["Int64", "Float32", "bool", "object"])
def test_numeric_kinds_of_columns(answers, dtype):
    frame = (answers > 2).astype(dtype) if dtype == "bool" else answers.astype(dtype)
    np.testing.assert_array_equal(item_matrix(frame).values, frame.astype(float).to_numpy())


def test_vietnamese_names_match_up_to_normalisation(answers):
    frame = answers.set_axis([f"Mức độ hài lòng câu {i}" for i in range(1, 7)], axis=1)
    decomposed = frame.rename(columns=lambda name: unicodedata.normalize("NFD", name))
    wanted = ["Mức độ hài lòng câu 2", "Mức độ hài lòng câu 5"]
    np.testing.assert_array_equal(item_matrix(decomposed, wanted).values, item_matrix(frame, wanted).values)
    with pytest.raises(AnalysisError, match=r"Tên gần giống: .*Mức độ hài lòng câu 1") as refused:
        item_matrix(frame, ["Muc độ hài lòng câu 1", "Mức độ hài lòng câu 2"])
    assert len(refused.value.problems) == 1


@pytest.mark.parametrize(
    ("change", "items", "words"),
    [
        (lambda f: f.assign(ten=["Nguyễn Văn A"] * 40), None, "'ten'"),
        (lambda f: f.assign(pay_1=f["pay_1"].astype(str)), None, "'pay_1'"),
        (lambda f: f.assign(pay_1=np.inf), None, "infinite"),
        (lambda f: f, ["access_1", "access_1"], "twice"),
        (lambda f: f.set_axis(["a", "a", "b", "c", "d", "e"], axis=1), None, "twice"),
        (lambda f: f, ["zzz", "access_1"], "Items present: access_1"),
        (lambda f: f, "access_1", "only 1 is left"),
        (lambda f: f[["access_1"]], None, "only 1 is left"),
        (lambda f: f[[]], None, "only 0 is left"),
        (lambda f: f.iloc[:1], None, "1 of 1"),
        (lambda f: f.iloc[:0], None, "0 of 0"),
    ],
)
def test_refusals_name_what_is_wrong(answers, change, items, words):
    with pytest.raises(AnalysisError) as refused:
        item_matrix(change(answers), items)
    assert words in refused.value.message("en")
    assert "Nguyễn Văn A" not in str(refused.value)
    assert refused.value.message("vi") != refused.value.message("en")


def test_constant_items_are_named_when_too_few_are_left(answers):
    with pytest.raises(AnalysisError, match="Item 'same': all answers are the same"):
        item_matrix(answers[["access_1"]].assign(same=3))


def test_other_objects_are_refused():
    with pytest.raises(OptionError, match="ndarray"):
        item_matrix(np.eye(3))


def test_unknown_kinds_are_refused(answers):
    assert item_matrix(answers, data_kind="real").data_kind is DataKind.REAL
    with pytest.raises(OptionError, match="real, published, user, simulated"):
        item_matrix(answers, data_kind="genuine")


def test_printing_shows_no_row(answers):
    assert repr(item_matrix(answers)) == "ItemMatrix(40 rows, 6 items, user)"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.assign(copy=f["access_1"] * 2 + 1), "'access_1' and 'copy'"),
        (lambda f: f.assign(turned=6 - f["access_1"]), "'access_1' and 'turned'"),
        (lambda f: f.assign(total=f["access_1"] + f["access_2"]), "sum or difference"),
        (lambda f: f.iloc[:6], "Only 6 respondents"),
    ],
)
def test_singular_correlations_are_explained(answers, change, words):
    matrix = load_items(change(answers), None, DataKind.USER)
    with pytest.raises(AnalysisError) as refused:
        correlations(matrix, invertible=True)
    assert words in refused.value.message("en")
    assert all(refused.value.message(language) for language in LANGUAGES)
    assert correlations(matrix, invertible=False).shape == (len(matrix.items),) * 2
