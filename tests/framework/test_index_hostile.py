"""Small groups, constant answers, broken weights, unknown facts: numbers are hidden or refused, never invented."""

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pandas as pd
import pytest

from sipas_research.errors import AnalysisError, DesignWarning, DroppedRowsWarning, OptionError, QuestionnaireError
from sipas_research.framework.index import satisfaction_index
from sipas_research.results import DataKind, Result
from sipas_research.survey.specs import SampleDesign


def hidden_groups(result, term="index"):
    rows = result.tidy().query("term == @term and group != ''")
    return rows.loc[rows["suppressed"], "group"].tolist()


def test_groups_under_ten_take_the_smallest_other_with_them(small):
    result = satisfaction_index(small((30, 9, 14, 40)), by="agency")
    assert result.groups == ("dv_03", "dv_02", "dv_01", "dv_00")
    assert hidden_groups(result) == ["dv_02", "dv_01"]
    rows = result.tidy().query("suppressed")
    assert set(rows["term"]) == {"index", "a", "b"}
    assert rows[["estimate", "std_error", "conf_low", "conf_high", "df", "n", "n_answers"]].isna().all().all()
    assert set(rows["note"]) == {"framework.note.suppressed"}
    assert result.covariance.index.tolist() == ["dv_03", "dv_00"]
    assert result.tidy().query("not suppressed")["estimate"].notna().all()


def test_ten_people_are_shown(small):
    assert hidden_groups(satisfaction_index(small((30, 10, 14)), by="agency")) == []


def test_people_in_no_group_count_as_a_hidden_cell(small):
    survey = small((30, 14, 40))
    agency = survey.frame["agency"].astype(object)
    agency.iloc[:4] = None
    result = satisfaction_index(replace(survey, frame=survey.frame.assign(agency=agency)), by="agency")
    # four people without an agency would follow from the total: the smallest agency goes
    assert hidden_groups(result) == ["dv_01"]


def test_a_group_of_one_answer_is_hidden(small):
    survey = small((30, 20, 25))
    frame = survey.frame.copy()
    frame.loc[frame["agency"] == "dv_01", ["a1", "a2", "b1", "b2"]] = 5.0
    result = satisfaction_index(replace(survey, frame=frame), by="agency")
    assert hidden_groups(result) == ["dv_02", "dv_01"]


def test_a_component_of_one_answer_hides_a_second_component(small):
    survey = small((30, 20, 25))
    frame = survey.frame.copy()
    frame.loc[frame["agency"] == "dv_01", ["a1", "a2"]] = 5.0
    result = satisfaction_index(replace(survey, frame=frame), by="agency")
    assert hidden_groups(result) == []
    assert "dv_01" in hidden_groups(result, "a")
    assert "dv_01" in hidden_groups(result, "b"), "index and one component would give the other"
    assert len(hidden_groups(result, "a")) >= 2


def test_fewer_than_ten_people_in_all(small):
    result = satisfaction_index(small((5, 4)), by="agency")
    assert result.tidy()["suppressed"].all()
    assert np.isnan(result.n)
    assert result.covariance.empty
    assert result.summary("vi").startswith("Không công bố")


def test_one_agency(small):
    rows = satisfaction_index(small((25,)), by="agency").tidy().query("term == 'index'")
    assert rows["estimate"].nunique() == 1
    assert rows["group"].tolist() == ["", "dv_00"]


def test_one_item(build):
    survey = build(pd.DataFrame({"q1": [5.0, 3.0, 4.0] * 10}), {"a": ("q1",)})
    result = satisfaction_index(survey)
    assert result.tidy()["estimate"].tolist() == pytest.approx([2 / 3, 2 / 3])


@pytest.mark.parametrize(("answer", "share"), [(5.0, 1.0), (1.0, 0.0)])
def test_everyone_answers_alike(build, answer, share):
    row = satisfaction_index(build(pd.DataFrame({"q1": [answer] * 30}), {"a": ("q1",)})).tidy().iloc[0]
    assert row["estimate"] == share
    assert row["note"] == "framework.note.exact_interval"
    assert 0 <= row["conf_low"] <= share <= row["conf_high"] <= 1
    assert row["conf_high"] - row["conf_low"] == pytest.approx(1 - 0.025 ** (1 / 30))


def test_no_answers_at_all(build):
    survey = build(pd.DataFrame({"q1": [np.nan] * 30}), {"a": ("q1",)})
    with pytest.raises(AnalysisError, match="không tính được chỉ số"):
        satisfaction_index(survey)


def test_rows_without_answers_leave_the_term(small):
    survey = small((40, 30), missing=0.5)
    result = satisfaction_index(survey, by="agency").tidy().set_index(["term", "group"])
    answered = survey.frame[["a1", "a2"]].notna()
    assert result.loc[("a", ""), "n"] == answered.any(axis=1).sum()
    assert result.loc[("a", ""), "n_answers"] == answered.to_numpy().sum()


def test_broken_weights_are_dropped_with_a_warning(small):
    survey = small((30, 20), design=SampleDesign(weight="weight"))
    weight = survey.frame["weight"].to_numpy().copy()
    weight[:4] = (np.nan, 0.0, -1.0, np.inf)
    with pytest.warns(DroppedRowsWarning, match="4 phiếu"):
        result = satisfaction_index(replace(survey, frame=survey.frame.assign(weight=weight)))
    assert result.n == 46
    assert result.weighting == "weighted"
    with pytest.raises(AnalysisError, match="quyền số dương"):
        satisfaction_index(replace(survey, frame=survey.frame.assign(weight=np.nan)))


def test_lonely_stratum_warns_and_is_centred(small):
    survey = small((30, 1, 20), design=SampleDesign(stratum="agency"))
    with pytest.warns(DesignWarning, match="1 tầng"):
        result = satisfaction_index(survey)
    assert "framework.note.lonely_stratum" in result.notes
    row = result.tidy().iloc[0]
    assert row["std_error"] > 0
    assert row["df"] == 51 - 3


def test_one_cluster_has_no_standard_error(small):
    row = satisfaction_index(small((25,), design=SampleDesign(cluster="agency"))).tidy().iloc[0]
    assert row["note"] == "framework.note.no_variance"
    assert np.isnan(row["std_error"])
    assert np.isnan(row["conf_low"])
    assert 0 < row["estimate"] < 1


@pytest.mark.parametrize("by", ["agenci", "weight", "date", "respondent_id", "a1", "site"])
def test_unusable_by_is_refused(small, by):
    with pytest.raises(OptionError) as caught:
        satisfaction_index(small((30,)), by=by)
    assert by in str(caught.value)


def test_near_names_are_offered(small):
    with pytest.raises(OptionError, match="agency"):
        satisfaction_index(small((30,)), by="agenci")


def test_a_text_that_names_people_is_never_repeated(small):
    survey = small((30,))
    named = replace(survey, frame=survey.frame.assign(collector=[f"Người số {i}" for i in range(30)]))
    with pytest.raises(OptionError) as caught:
        satisfaction_index(named, by="collector")
    assert "Người số" not in str(caught.value)


def test_options_are_checked(small):
    survey = small((30,))
    with pytest.raises(OptionError, match="share_satisfied, mean_of_shares, mean_score"):
        satisfaction_index(survey, definition="median")
    with pytest.raises(OptionError, match=r"0\.95"):
        satisfaction_index(survey, level=95)
    with pytest.raises(OptionError, match="khong_co"):
        satisfaction_index(survey, scales=["khong_co"])


def test_reserved_scale_name(build):
    survey = build(pd.DataFrame({"q1": [5.0, 3.0] * 10}), {"index": ("q1",)})
    with pytest.raises(QuestionnaireError, match="index"):
        satisfaction_index(survey)


def test_roles(build):
    frame = pd.DataFrame({c: [5.0, 3.0, 4.0] * 10 for c in ("q1", "q2", "q3")})
    scales = {"access": ("q1",), "digital": ("q2",), "overall": ("q3",)}
    mixed = build(frame, scales, roles={"digital": "lever", "overall": "overall"})
    assert satisfaction_index(mixed).tidy()["term"].tolist() == ["index", "access", "overall"]
    levers = build(frame, scales, roles={"access": "lever", "digital": "lever", "overall": "overall"})
    assert satisfaction_index(levers).components == ("access", "digital")
    alone = build(frame[["q3"]], {"overall": ("q3",)}, roles={"overall": "overall"})
    assert satisfaction_index(alone).tidy()["term"].tolist() == ["index", "overall"]
    assert satisfaction_index(mixed, scales={"hai": ("q1", "q2")}).components == ("hai",)


def test_result_manners(small):
    result = satisfaction_index(small((30, 20)), by="agency")
    assert isinstance(result, Result)
    assert result.data_kind is DataKind.SIMULATED
    taken = result.tidy()
    taken["estimate"] = 0.0
    assert result.tidy()["estimate"].gt(0).all()
    with pytest.raises(FrozenInstanceError):
        result.n = 1.0
    with pytest.raises(ValueError, match="read-only"):
        result.matrix[0, 0] = 1.0
    assert len(result.glance()) == 1
    assert "DỮ LIỆU MÔ PHỎNG" in result.summary("vi")
    assert "SIMULATED" in result.summary("en")
    assert result.tidy()[["estimate", "n", "df"]].dtypes.eq(float).all()
