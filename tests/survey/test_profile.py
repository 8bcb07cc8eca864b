"""Who answered: shares that add up, small cells that cannot be derived, no value of a text repeated."""

import numpy as np
import pandas as pd
import pytest

from sipas_research.errors import OptionError
from sipas_research.results import DataKind, Result
from sipas_research.survey.agencies import AgencyRegister
from sipas_research.survey.description import profile
from sipas_research.survey.questionnaire import Answer, Question, Questionnaire
from sipas_research.survey.responses import Responses
from sipas_research.survey.specs import SampleDesign
from sipas_research.wording import Bilingual


def survey(sex, *, n_read=0, n_rejected=0, **columns):
    """A survey of sexes (codes or None) with more columns of its own."""
    codes = tuple(Answer(c, Bilingual(str(c))) for c in (1, 2, 3))
    facts = (
        Question("sex", Bilingual("Giới tính"), "category", answers=codes),
        Question("years_in_post", Bilingual("Số năm"), "number"),
        Question("weight", Bilingual("Quyền số"), "number"),
        Question("year", Bilingual("Năm"), "number"),
        Question("agency", Bilingual("Đơn vị"), "text"),
        Question("date", Bilingual("Ngày"), "date"),
        Question("ethnic_origin", Bilingual("Dân tộc"), "category", answers=codes, personal="sensitive", enabled=False),
    )
    form = Questionnaire("test", Bilingual("Phiếu thử"), "citizen", "", (), facts)
    frame = pd.DataFrame({"sex": pd.array(sex, dtype="Int64"), **columns})
    design = SampleDesign(weight="weight" if "weight" in frame else "")
    return Responses(
        frame, form, AgencyRegister(), design, DataKind.USER, n_read=n_read or len(frame), n_rejected=n_rejected
    )


def cells(found, term="sex"):
    return found.tidy().query("term == @term").set_index("group")


def test_counts_and_shares():
    rows = cells(profile(survey([1] * 40 + [2] * 50 + [None] * 10)))
    assert rows.index.tolist() == ["1", "2", "3", "missing", "total"]
    assert rows["n"].tolist() == [40, 50, 0, 10, 100]
    assert rows["estimate"].tolist() == pytest.approx([0.4, 0.5, 0.0, 0.1, 1.0])
    assert not rows["suppressed"].any()


def test_a_small_cell_and_its_complement_are_hidden():
    rows = cells(profile(survey([1] * 40 + [2] * 50 + [3] * 3)))
    assert rows["suppressed"].tolist() == [True, False, True, False, False]
    assert rows.loc[["1", "3"], ["estimate", "n"]].isna().all().all()
    assert set(rows.loc[["1", "3"], "note"]) == {"description.note.suppressed"}
    assert rows.loc["total", "n"] == 93


def test_few_people_without_an_answer_are_hidden_with_another_cell():
    rows = cells(profile(survey([1] * 40 + [2] * 50 + [None] * 3)))
    # the total minus what is shown would give the three away
    assert rows["suppressed"].tolist() == [True, False, False, True, False]
    assert rows.loc[["1", "missing"], ["estimate", "n"]].isna().all().all()


def test_people_without_an_answer_count_when_another_cell_is_small():
    rows = cells(profile(survey([1] * 40 + [2] * 5 + [3] * 30 + [None] * 3)))
    # 5 and 3 together are under ten: the smallest other cell goes too
    assert rows["suppressed"].tolist() == [False, True, True, True, False]
    rows = cells(profile(survey([1] * 40 + [2] * 5 + [3] * 30 + [None] * 12)))
    assert rows["suppressed"].tolist() == [False, True, False, True, False]


def test_under_ten_people_everything_is_hidden():
    found = profile(survey([1] * 5 + [2] * 4, years_in_post=range(9)))
    assert found.tidy()["n"].isna().all()
    assert found.glance()["n"].isna().all()


def test_numbers_give_mean_and_spread_only():
    years = [*range(30), np.nan]
    rows = cells(profile(survey([1] * 31, years_in_post=years)), "years_in_post")
    assert rows.index.tolist() == ["mean", "sd"]
    assert rows["estimate"].tolist() == pytest.approx([14.5, np.std(range(30), ddof=1)])
    assert rows["n"].tolist() == [30, 30]
    few = cells(profile(survey([1] * 31, years_in_post=[5.0] * 9 + [np.nan] * 22)), "years_in_post")
    assert few["suppressed"].all()
    assert few["n"].isna().all()


def test_design_and_sensitive_columns_are_not_facts():
    found = profile(survey([1] * 20, weight=1.0, year=2022.0, ethnic_origin=1))
    assert set(found.tidy()["term"]) == {"sex"}
    with pytest.raises(OptionError, match="ethnic_origin"):
        profile(survey([1] * 20, ethnic_origin=1), facts=["ethnic_origin"])


@pytest.mark.parametrize("fact", ["agency", "date"])
def test_texts_and_dates_are_refused(fact):
    with pytest.raises(OptionError, match="có thể chỉ ra một người"):
        profile(survey([1] * 20), facts=[fact])


def test_unknown_facts_name_the_nearest():
    with pytest.raises(OptionError, match="sex"):
        profile(survey([1] * 20), facts=["sexx"])


def test_a_fact_without_a_column_is_all_missing():
    rows = cells(profile(survey([None] * 20), facts=["sex"]))
    assert rows["n"].tolist() == [0, 0, 0, 20, 20]


def test_record_of_forms():
    found = profile(survey([1] * 50, n_read=55, n_rejected=5, year=[2021.0] * 15 + [2022.0] * 35))
    record = found.record().set_index(["term", "group"])
    assert record["n"].tolist() == [55, 5, 50, 15, 35]
    assert record.loc[("forms", "used"), "estimate"] == pytest.approx(50 / 55)
    assert "55" in found.summary("vi")


@pytest.mark.parametrize("sizes", [(5, 20, 35), (5, 55), (20, 35, 5)])
def test_a_small_year_is_hidden_with_the_totals_it_would_follow_from(sizes):
    years = [2020.0 + place for place, size in enumerate(sizes) for _ in range(size)]
    found = profile(survey([1] * 60, n_read=63, n_rejected=3, year=years))
    record = found.record().set_index(["term", "group"])
    assert record.loc["year", "suppressed"].tolist() == [size < 10 for size in sizes]
    assert record.loc["forms", "suppressed"].to_dict() == {"read": True, "rejected": False, "used": True}
    assert record["estimate"].isna().all(), "a share beside a count is the total again"
    assert "60" not in found.summary()


def test_under_ten_forms_no_total_is_told():
    record = profile(survey([1] * 7, n_read=9, n_rejected=2)).record().set_index("group")
    assert record["suppressed"].to_dict() == {"read": True, "rejected": False, "used": True}


def test_result_manners():
    found = profile(survey([1] * 20))
    assert isinstance(found, Result)
    assert found.glance().loc[0, "data_kind"] == "user"
    assert found.tidy()["estimate"].dtype == float
