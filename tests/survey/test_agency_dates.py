"""Forms from a time when their agency does not exist: told once an agency, never rejected, small counts kept back."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from check_helpers import QUESTIONNAIRE, REGISTER, answers, spec, table

from sipas_research.survey.agencies import AgencyRegister
from sipas_research.survey.checking import check_table
from sipas_research.survey.questionnaire import Question
from sipas_research.wording import Bilingual

DATED = replace(
    QUESTIONNAIRE, questions=(*QUESTIONNAIRE.questions, Question("date", Bilingual("Ngày", "Date"), "date"))
)


def register(**dates):
    """The small register with dates by agency code: (valid_from, valid_to)."""
    changed = (
        replace(a, valid_from=dates[a.code][0], valid_to=dates[a.code][1]) if a.code in dates else a
        for a in REGISTER.agencies
    )
    return AgencyRegister(tuple(changed))


def found(frame, agencies, **options):
    checked = check_table(table(frame), spec(agencies=agencies, questionnaire=DATED, **options))
    assert not checked.rejected.any()
    return [p for p in checked.problems if p.key.startswith("check.agency.")]


def dated(n_late, n_rows=60):
    """Forms on 30/6/2025, the last day of huyen_01; its first ``n_late`` forms a day later. Agencies take turns."""
    frame = answers(n_rows).assign(year=2025.0, date="30/06/2025")
    frame.loc[frame.index[frame["agency"] == "huyen_01"][:n_late], "date"] = "01/07/2025"
    return frame


def test_one_warning_an_agency_with_its_count():
    (told,) = found(dated(12), register(huyen_01=("", "2025-06-30")))
    assert (told.key, told.severity, told.row, told.column) == ("check.agency.ended", "warning", None, "agency")
    sentence = told.text("vi")
    assert sentence.startswith("Đơn vị 'Huyện mô phỏng 01' chỉ tồn tại đến 30/06/2025 nhưng có 12 phiếu sau ngày đó. ")
    assert "không được chuyển sang đơn vị mới" in sentence
    assert "until 30 June 2025, but forms are dated after that day: 12." in told.text("en")


@pytest.mark.parametrize(("n_late", "shown"), [(1, "dưới 10"), (9, "dưới 10"), (10, "10")])
def test_small_counts_are_kept_back(n_late, shown):
    (told,) = found(dated(n_late), register(huyen_01=("", "2025-06-30")))
    assert f"có {shown} phiếu" in told.text("vi")
    assert n_late not in dict(told.fields).values()


def test_the_last_and_the_first_day_count_as_existing():
    assert found(dated(0), register(huyen_01=("", "2025-06-30"), so_01=("2025-06-30", ""))) == []


def test_before_the_beginning_and_on_both_sides():
    frame = dated(5)
    early = found(frame, register(so_01=("2025-07-01", "")))
    assert [p.key for p in early] == ["check.agency.not_begun"]
    assert "chỉ tồn tại từ 01/07/2025 nhưng có 20 phiếu trước ngày đó" in early[0].text("vi")
    frame.loc[frame.index[frame["agency"] == "huyen_01"][-6:], "date"] = "31/12/2014"
    both = found(frame, register(huyen_01=("2015-01-01", "2025-06-30")))
    assert [p.key for p in both] == ["check.agency.outside"]
    assert "từ 01/01/2015 đến 30/06/2025 nhưng có 11 phiếu ngoài thời gian đó" in both[0].text("vi")


def test_without_a_date_the_year_counts_if_it_lies_wholly_outside():
    ends = register(huyen_01=("", "2025-06-30"))
    assert found(answers().assign(year=2025.0), ends) == []
    (told,) = found(answers().assign(year=2026.0), ends)
    assert "có 20 phiếu" in told.text("vi")
    # The study's year stands in where the file has no year.
    bare = answers().drop(columns="year")
    assert found(bare, ends) == []
    assert [p.key for p in found(bare, ends, year=2026)] == ["check.agency.ended"]
    # An empty date is told by its year, a filled one by itself.
    mixed = dated(0).assign(year=2026.0)
    mixed["date"] = mixed["date"].where(np.arange(len(mixed)) >= 30, None)
    (told,) = found(mixed, ends)
    assert "có 10 phiếu" in told.text("vi")


def test_nothing_is_told_without_dates():
    assert found(dated(12), REGISTER) == []
    assert found(dated(12), AgencyRegister()) == []


def test_rejected_forms_are_not_counted():
    frame = dated(12)
    late = frame.index[frame["date"] == "01/07/2025"]
    frame["access_1"] = frame["access_1"].mask(frame.index.isin(late[:3]), 7.0)
    checked = check_table(
        table(pd.DataFrame(frame)), spec(agencies=register(huyen_01=("", "2025-06-30")), questionnaire=DATED)
    )
    (told,) = [p for p in checked.problems if p.key == "check.agency.ended"]
    assert checked.rejected.sum() == 3
    assert "có dưới 10 phiếu" in told.text("vi")
