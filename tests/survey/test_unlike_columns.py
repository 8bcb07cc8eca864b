"""A column matched by mistake, a name or a telephone number: one sentence, and none of its values."""

import pandas as pd
import pytest
from check_helpers import REGISTER, answers, spec, table

from sipas_research.survey.agencies import AgencyRegister
from sipas_research.survey.checking import check_table
from sipas_research.survey.specs import ColumnMap, ColumnRule

NAMES = [f"Nguyễn Bí Mật {i:03d}" for i in range(60)]
PHONES = [977_000_000.0 + i for i in range(60)]


def checked(question, cells, **options):
    frame = answers().drop(columns=question, errors="ignore").assign(hidden=cells)
    rules = [ColumnRule(c, c) for c in frame if c != "hidden"]
    rules = [r for r in rules if r.question != question]
    return check_table(table(frame), spec(columns=ColumnMap((*rules, ColumnRule("hidden", question))), **options))


def words(problems):
    return " ".join(p.text(language) + p.value for p in problems for language in ("vi", "en"))


@pytest.mark.parametrize("cells", [NAMES, PHONES])
@pytest.mark.parametrize("question", ["access_1", "sex", "agency"])
def test_the_column_is_refused_once_and_no_value_is_shown(question, cells):
    found = checked(question, cells).problems
    errors = [p for p in found if p.severity == "error"]
    assert [(p.key.rsplit(".", 1)[1], p.column) for p in errors] == [("unlike", "hidden")]
    assert len(found) == 1
    assert "60" in errors[0].text("vi")
    said = words(found)
    assert "Bí Mật" not in said
    assert "977" not in said


@pytest.mark.parametrize("question", ["weight", "start_time"])
def test_numbers_and_dates_too(question):
    found = checked(question, NAMES).problems
    assert [p.key for p in found if p.severity == "error"] == ["check.item.unlike"]
    assert "Bí Mật" not in words(found)


def test_names_do_not_become_a_register():
    done = checked("agency", NAMES, agencies=AgencyRegister())
    assert done.agencies.agencies == ()
    assert [p.key for p in done.problems if p.severity == "error"] == ["check.agency.unlike"]
    assert "Bí Mật" not in words(done.problems)


def test_few_words_that_return_are_shown_so_that_they_can_be_declared():
    found = checked("access_1", ["Tốt", "Khá", "Trung bình", "Kém", "Tệ"] * 12).problems
    assert {p.value for p in found if p.severity == "row" and p.value} == {"Tốt", "Khá", "Trung bình", "Kém", "Tệ"}


def test_a_few_strange_cells_among_answers_are_shown():
    cells = pd.Series([4.0] * 60, dtype=object)
    cells[[3, 9, 12, 20, 31, 40]] = ["một", "hai", "ba", "bốn", "năm", "sáu"]
    found = checked("access_1", cells.tolist()).problems
    assert [p.value for p in found if p.severity == "row"] == ["một", "hai", "ba", "bốn", "năm", "sáu"]


def test_a_register_written_otherwise_is_listed():
    names = {"so_01": "Phòng A", "so_02": "Phòng B", "huyen_01": "Phòng C"}
    cells = answers()["agency"].map(names).tolist()
    found = checked("agency", cells, agencies=REGISTER).problems
    assert {p.value for p in found if p.key == "check.agency.unknown"} == {"Phòng A", "Phòng B", "Phòng C"}
