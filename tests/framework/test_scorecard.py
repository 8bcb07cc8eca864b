"""One agency's scorecard: refused when it would tell on people, beside the province, never a rank."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sipas_research.errors import AgencyError, AnalysisError
from sipas_research.framework.index import IndexRow, satisfaction_index
from sipas_research.framework.scorecard import scorecard, scorecards, tell_apart
from sipas_research.results import Result
from sipas_research.survey.agencies import AgencyRegister
from sipas_research.survey.specs import SampleDesign


def item(name, low, high):
    return IndexRow(name, "s", (low + high) / 2, 0.01, low, high, "", 20, 30, 30, False)


def test_figures_are_those_of_the_index(reference):
    survey = reference(weight="weight", stratum="agency")
    card = scorecard(survey, "7")
    by_agency = satisfaction_index(survey, by="agency").tidy().set_index(["term", "group"])
    by_level = satisfaction_index(survey, by="level").tidy().set_index(["term", "group"])
    found = card.tidy().set_index(["term", "group"])
    level = survey.agencies.get("7").level
    assert card.agency_level == level
    for term in ("index", *card.components):
        for column in ("estimate", "std_error", "conf_low", "conf_high", "n"):
            assert found.loc[(term, "agency"), column] == by_agency.loc[(term, "7"), column]
            assert found.loc[(term, "province"), column] == by_agency.loc[(term, ""), column]
            assert found.loc[(term, "level"), column] == pytest.approx(by_level.loc[(term, level), column], rel=1e-12)
    assert not any("rank" in c or "bậc" in c for c in card.tidy())


def test_difference_of_independent_strata(reference):
    survey = reference(weight="weight", stratum="agency")
    card = scorecard(survey, "7", definition="mean_of_shares")
    row = card.differences().set_index("term").loc["index"]
    level = survey.agencies.get("7").level
    others = [c for c in survey.agencies.codes(level) if c != "7"]
    rest = satisfaction_index(
        replace(survey, frame=survey.frame[survey.frame["agency"].isin(others)]), definition="mean_of_shares"
    ).tidy()
    own = satisfaction_index(survey.where(agency="7"), definition="mean_of_shares").tidy()
    assert row["group"] == "level_others"
    assert row["estimate"] == pytest.approx(own["estimate"][0] - rest["estimate"][0], rel=1e-9)
    first, second = own["std_error"][0] ** 2, rest["std_error"][0] ** 2
    assert row["std_error"] == pytest.approx(np.sqrt(first + second), rel=1e-9)
    df = (first + second) ** 2 / (first**2 / own["df"][0] + second**2 / rest["df"][0])
    assert row["df"] == pytest.approx(df, rel=1e-9)
    assert row["p_value"] == pytest.approx(2 * stats.t.sf(abs(row["statistic"]), df), rel=1e-9)
    assert row["conf_low"] < row["estimate"] < row["conf_high"]
    assert row["note"] == "framework.note.independent_samples"


def test_difference_under_a_shared_design_uses_the_covariance(reference):
    survey = reference(weight="weight")
    row = scorecard(survey, "7", definition="mean_of_shares").differences().iloc[0]
    assert row["note"] == "framework.note.shared_design"
    # a difference of two domain means is a regression on the domain: sandwich errors by hand
    frame = survey.frame
    items = [q.id for q in survey.questionnaire.items()]
    share, weight = (frame[items] >= 4).mean(axis=1).to_numpy(), frame["weight"].to_numpy()
    others = frame["agency"].isin(survey.agencies.codes(survey.agencies.get("7").level)) & frame["agency"].ne("7")
    pull = np.zeros(len(frame))
    for domain, sign in ((frame["agency"].eq("7"), 1.0), (others, -1.0)):
        inside = domain.to_numpy()
        mean = (weight * share)[inside].sum() / weight[inside].sum()
        pull += sign * inside * weight * (share - mean) / weight[inside].sum()
    n = len(frame)
    error = np.sqrt(n / (n - 1) * ((pull - pull.mean()) ** 2).sum())
    assert row["std_error"] == pytest.approx(error, rel=1e-9)


def test_few_forms_are_refused(small):
    survey = small((30, 9, 14, 40))
    with pytest.raises(AnalysisError, match="chưa đủ 10 phiếu"):
        scorecard(survey, "dv_01")
    with pytest.raises(AnalysisError, match="giữ lại"):
        scorecard(survey, "dv_02")
    assert scorecard(survey, "dv_03").n == 40


def test_unknown_agency_names_the_nearest(small):
    with pytest.raises(AgencyError, match="dv_01"):
        scorecard(small((30, 20)), "dv_1")


def test_agency_of_the_register_without_forms(small):
    survey = small((30, 20))
    with pytest.raises(AnalysisError, match="chưa đủ 10 phiếu"):
        scorecard(replace(survey, frame=survey.frame[survey.frame["agency"] != "dv_01"]), "dv_01")


def test_one_agency_has_nobody_to_be_compared_with(small):
    card = scorecard(small((30,)), "dv_00")
    assert card.differences().empty
    assert "framework.note.no_comparison" in card.notes
    assert set(card.tidy()["group"]) == {"agency", "province"}


def test_level_is_hidden_where_it_would_give_a_small_agency_away(small):
    survey = small((30, 4, 25, 40))
    levels = {"dv_00": "district", "dv_01": "district", "dv_02": "department", "dv_03": "department"}
    register = AgencyRegister(tuple(replace(a, level=levels[a.code]) for a in survey.agencies.agencies))
    card = scorecard(replace(survey, agencies=register), "dv_00")
    rows = card.tidy().set_index(["term", "group"])
    assert rows.loc[("index", "level"), "suppressed"]
    assert np.isnan(rows.loc[("index", "level"), "n"])
    assert set(card.differences()["group"]) == {"province_others"}


def test_items_are_told_apart_by_their_intervals():
    low, high = (item("q1", 0.2, 0.3), item("q2", 0.25, 0.4)), (item("q3", 0.7, 0.8), item("q4", 0.75, 0.9))
    middle, wide = item("q5", 0.45, 0.5), item("q6", 0.28, 0.76)
    assert tell_apart((*high, *low, middle, wide)) == (("q1", "q2"), ("q3", "q4"), ("q6",))
    assert tell_apart((item("q1", 0.2, 0.6), item("q2", 0.3, 0.7))) == ((), (), ("q1", "q2"))
    assert tell_apart((item("q1", 0.2, 0.6),)) == ((), (), ("q1",))
    assert tell_apart(()) == ((), (), ())


def test_items_keep_questionnaire_order_and_agree_with_a_count(small):
    survey = small((30, 20), missing=0.2)
    card = scorecard(survey, "dv_00")
    items = card.items()
    assert items["term"].tolist() == ["a1", "a2", "b1", "b2"]
    own = survey.frame[survey.frame["agency"] == "dv_00"]
    for name in items["term"]:
        answered = own[name].dropna()
        row = items.set_index("term").loc[name]
        assert row["estimate"] == pytest.approx((answered >= 4).mean())
        assert row["n"] == len(answered)
    assert set(card.weakest) | set(card.strongest) | set(card.indistinguishable) <= set(items["term"])


def test_an_item_all_answered_alike_is_hidden_with_a_second(small):
    survey = small((30, 20))
    frame = survey.frame.copy()
    frame.loc[frame["agency"] == "dv_00", "a1"] = 5.0
    items = scorecard(replace(survey, frame=frame), "dv_00").items().set_index("term")
    assert items["suppressed"].tolist() == [True, True, False, False]


def test_clusters_leave_no_error_and_no_traceback(reference):
    card = scorecard(reference(cluster="agency"), "7")
    row = card.differences().iloc[0]
    assert np.isnan(row["std_error"])
    assert row["note"] == "framework.note.no_variance"
    assert card.indistinguishable == ()


def test_result_manners(small):
    card = scorecard(small((30, 20), design=SampleDesign(weight="weight", stratum="agency")), "dv_00")
    assert isinstance(card, Result)
    assert len(card.glance()) == 1
    assert card.weighting == "weighted"
    assert "DỮ LIỆU MÔ PHỎNG" in card.summary("vi")
    assert "Whole province" in card.summary("en")
    assert isinstance(card.differences(), pd.DataFrame)
    assert card.differences().select_dtypes("number").shape[1] == 7


def test_cards_made_together_are_those_made_alone(small):
    survey = small((30, 20, 25, 14), missing=0.1, design=SampleDesign(weight="weight", stratum="agency"))
    codes = survey.agencies.codes()
    for together, code in zip(scorecards(survey, codes), codes, strict=True):
        assert repr(together) == repr(scorecard(survey, code))
    with pytest.raises(AgencyError):
        scorecards(survey, (*codes, "dv_99"))
