import math

import pytest
from check_helpers import ENGLISH, LEVELS, QUESTIONNAIRE

from sipas_research.survey.answers import AnswerKey, as_number, is_missing_code, split_answer
from sipas_research.survey.specs import ColumnRule

ITEM, SEX = QUESTIONNAIRE.question("access_1"), QUESTIONNAIRE.question("sex")
FORWARD = {float(code): label for code, label in enumerate(LEVELS, start=1)}
BACKWARD = {float(6 - code): label for code, label in enumerate(LEVELS, start=1)}


def key(file_labels=None, missing=(), question=ITEM, **rule):
    return AnswerKey.of(question, ColumnRule("x", question.id, **rule), file_labels, missing)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (4.0, 4),
        ("4", 4),
        ("4,0", 4),
        ("Hài lòng", 4),
        ("hai long", 4),
        ("  KHÔNG hài lòng. ", 2),
        ("1. Rất không hài lòng", 1),
        ("5 - Rất hài lòng", 5),
        ("(5) Rất hài lòng", 5),
        ("Rất hài lòng (5)", 5),
        ("5 Rất hài lòng", 5),
        (ENGLISH[1], 2),
    ],
)
def test_readable_answers(cell, code):
    assert key().translate(cell) == (code, "")


@pytest.mark.parametrize("cell", [9.0, "9", "Không trả lời", "không biết", "Không trả lời / không biết"])
def test_missing_answers_of_the_questionnaire(cell):
    code, trouble = key().translate(cell)
    assert math.isnan(code)
    assert trouble == ""


@pytest.mark.parametrize(
    ("cell", "trouble"),
    [
        (6.0, "range"),
        (0.0, "range"),
        ("-1", "range"),
        (3.5, "integer"),
        ("3,5", "integer"),
        ("Hoàn toàn hài lòng", "text"),
        ("5. Hoàn toàn hài lòng", "text"),
        ("hài", "text"),
        (float("inf"), "text"),
        (True, "text"),
    ],
)
def test_unreadable_answers(cell, trouble):
    code, found = key().translate(cell)
    assert math.isnan(code)
    assert found == trouble


def test_declared_texts_go_first():
    declared = key(labels=(("Hoàn toàn hài lòng", 5), ("1", 2)))
    assert declared.translate("hoàn toàn HÀI LÒNG") == (5, "")
    assert declared.translate(1.0) == (2, "")


def test_missing_codes_of_file_and_map():
    given = key(missing=(99.0, (-3.0, -1.0), "KTL"))
    for cell in (99.0, "-2", -3.0, "KTL"):
        assert math.isnan(given.translate(cell)[0])
        assert given.translate(cell)[1] == ""
    assert given.translate(-4.0)[1] == "range"
    mapped = AnswerKey.of(ITEM, ColumnRule("x", "access_1", missing=(5.0,)))
    assert math.isnan(mapped.translate(5.0)[0])


def test_labels_that_agree_change_nothing():
    same = key(FORWARD | {8.0: "Không trả lời"})
    assert (same.slope, same.shifted) == (1, True)  # 8 stands for the questionnaire's 9
    assert [same.translate(float(c))[0] for c in range(1, 6)] == [1, 2, 3, 4, 5]
    assert same.translate(8.0)[1] == ""
    assert math.isnan(same.translate(8.0)[0])
    assert not key(FORWARD).shifted


def test_file_that_counts_from_zero_with_labels_at_the_ends_only():
    zero = key({0.0: LEVELS[0], 4.0: LEVELS[4]})
    assert zero.shifted
    assert [zero.translate(float(c))[0] for c in range(5)] == [1, 2, 3, 4, 5]
    assert zero.translate(5.0)[1] == "range"
    assert zero.translate(9.0) == (pytest.approx(math.nan, nan_ok=True), "")


def test_labels_that_run_the_other_way_turn_only_when_declared():
    cells = [1.0, 2.0, 3.0, 4.0, 5.0]
    assert key(BACKWARD).slope == -1
    assert [key(BACKWARD).translate(c)[0] for c in cells] == cells
    assert [key(BACKWARD, reversed="no").translate(c)[0] for c in cells] == cells
    assert [key(BACKWARD, reversed="yes").translate(c)[0] for c in cells] == cells[::-1]
    assert [key(reversed="yes").translate(c)[0] for c in cells] == cells[::-1]
    assert key(reversed="yes").translate("Hài lòng")[0] == 2


def test_numbered_texts_that_run_the_other_way():
    cells = ["1. Rất hài lòng", "2. Hài lòng", "5. Rất không hài lòng"]
    assert key().with_labels_of(cells).slope == -1
    declared = key(reversed="yes").with_labels_of(cells)
    assert [declared.translate(c)[0] for c in cells] == [5, 4, 1]


def test_category_codes_follow_the_labels_of_the_file():
    swapped = key({1.0: "Nữ", 0.0: "nam"}, question=SEX)
    assert swapped.shifted
    assert [swapped.translate(c)[0] for c in (0.0, 1.0)] == [1, 2]
    assert swapped.translate(2.0)[1] == "range"  # "2" would be nữ, which the file calls 1
    assert key({1.0: "Đàn ông"}, question=SEX).translate(1.0) == (1, "")


def test_small_pieces():
    assert as_number("12,5") == 12.5
    assert as_number("1e5") is None
    assert split_answer("18-30") is None
    assert split_answer("Rất hài lòng") is None
    assert is_missing_code("99", (99.0,))
    assert not is_missing_code(98.0, ((1.0, 2.0), "98x"))
