"""ICC and rwg of groups as researchers call them: hidden groups, refusals, both languages."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research import resources
from sipas_research.errors import AnalysisError, OptionError
from sipas_research.factors.scores import score
from sipas_research.results import TIDY_COLUMNS, DataKind, Result


@pytest.fixture(scope="module")
def project():
    return sr.load_study(resources.data("twin", "study.toml"))


@pytest.fixture(scope="module")
def citizens(project):
    return project.current(project.responses("citizens"))


@pytest.fixture(scope="module")
def staff(project):
    return project.current(project.responses("staff"))


def with_frame(responses, **columns):
    return replace(responses, frame=responses.frame.assign(**columns))


def test_agencies_of_the_province_can_be_told_apart(citizens):
    found = sr.icc(citizens)
    assert isinstance(found, Result)
    table = found.tidy()
    assert list(table.columns)[: len(TIDY_COLUMNS)] == list(TIDY_COLUMNS)
    single = table[table["group"] == "icc1"].set_index("term")
    assert set(single.index) == {*citizens.scale_items(), "index"}
    assert (single["conf_low"] > 0).all()
    assert (single["estimate"].between(0.02, 0.2)).all()
    assert set(table["data_kind"]) == {"simulated"}
    values = score(citizens, "access").dropna()
    groups = values.groupby(citizens.frame.loc[values.index, "agency"])
    within = groups.var(ddof=1) @ (groups.size() - 1) / (len(values) - groups.ngroups)
    between = groups.size() @ (groups.mean() - values.mean()) ** 2 / (groups.ngroups - 1)
    assert single.loc["access", "statistic"] == pytest.approx(between / within)
    k0 = (len(values) - (groups.size() ** 2).sum() / len(values)) / (groups.ngroups - 1)
    assert single.loc["access", "mean_size"] == pytest.approx(k0)
    assert single.loc["access", "size_needed"] > 0


def test_shuffled_agencies_cannot_be_told_apart(citizens):
    mixed = citizens.frame["agency"].sample(frac=1, random_state=1).to_numpy()
    found = sr.icc(with_frame(citizens, agency=mixed), outcomes="overall")
    s = found.outcomes[0].statistics
    assert s.icc1_low < 0 < s.icc1_high
    assert "chưa phân biệt được" in found.summary("vi")
    assert "cannot be told apart" in found.summary("en")


def test_small_groups_are_left_out_and_told(citizens):
    agency = citizens.frame["agency"].copy()
    agency.iloc[np.flatnonzero(agency.eq("so_01"))[9:]] = "so_02"
    found = sr.icc(with_frame(citizens, agency=agency), outcomes=["access"]).outcomes[0]
    assert found.note == "agreement.note.small_left_out"
    assert found.statistics.groups == 30


def test_one_agency_and_constant_scores_are_reasons(citizens):
    one = sr.icc(citizens.where(agency="so_01"), outcomes=["access"])
    assert one.outcomes[0].note == "agreement.note.few_groups"
    flat = with_frame(citizens, overall_1=4.0, overall_2=4.0, overall_3=4.0)
    found = sr.icc(flat, outcomes="overall")
    assert found.outcomes[0].note == "agreement.note.no_spread"
    for result in (one, found):
        assert result.tidy()["estimate"].isna().all()
        assert "nan" not in result.summary("vi")


def test_icc_refusals(citizens):
    with pytest.raises(OptionError, match="overall"):
        sr.icc(citizens, outcomes="overal")
    with pytest.raises(OptionError):
        sr.icc(citizens, by="collector")
    with pytest.raises(OptionError, match="95"):
        sr.icc(citizens, level=95)
    with pytest.raises(AnalysisError):
        sr.icc(replace(citizens, frame=citizens.frame.drop(columns="agency")))
    with pytest.raises(AnalysisError):
        sr.icc(citizens, outcomes=[])


def test_rwg_of_staff_under_two_nulls(staff):
    found = sr.agreement(staff)
    assert isinstance(found, Result)
    assert found.data_kind is DataKind.SIMULATED
    table = found.tidy()
    assert set(table["null"]) == {"uniform", "slight_skew"}
    wide = table.pivot(index=["term", "group"], columns="null", values="estimate")
    assert (wide["uniform"] >= wide["slight_skew"]).all()
    items = list(staff.scale_items()["pay"])
    answers = staff.items(items)[staff.frame["agency"].eq("so_03")].dropna()
    ratio = answers.var(ddof=1).mean() / 2.0
    expected = len(items) * (1 - ratio) / (len(items) * (1 - ratio) + ratio)
    row = table[(table["term"] == "pay") & (table["group"] == "so_03") & (table["null"] == "uniform")].iloc[0]
    assert row["estimate"] == pytest.approx(expected)
    assert row["n"] == len(answers)
    summary = found.scales().set_index(["term", "null"]).loc[("pay", "uniform")]
    shown = table[(table["term"] == "pay") & (table["null"] == "uniform")]["estimate"].dropna()
    assert summary["median"] == pytest.approx(shown.median())
    assert summary["share_agreeing"] == pytest.approx((shown >= 0.7).mean())


def test_citizens_are_refused_with_a_reason_unless_forced(citizens):
    with pytest.raises(AnalysisError, match="rwg") as caught:
        sr.agreement(citizens)
    assert "icc()" in caught.value.message("vi")
    found = sr.agreement(citizens, scales="overall", force=True)
    assert found.forced
    assert "người dân" in found.summary("vi")


def test_small_and_uniform_groups_are_hidden(staff):
    frame = staff.frame.copy()
    place = np.flatnonzero(frame["agency"].eq("so_01"))
    frame.iloc[place[7:], frame.columns.get_loc("agency")] = "so_02"
    frame.loc[frame["agency"].eq("so_03"), list(staff.scale_items()["pay"])] = 4.0
    table = sr.agreement(replace(staff, frame=frame), scales="pay").tidy().set_index(["group", "null"])
    small, uniform = table.loc[("so_01", "uniform")], table.loc[("so_03", "uniform")]
    assert small["suppressed"]
    assert np.isnan(small["n"])
    assert uniform["note"] == "agreement.note.uniform"
    assert uniform["suppressed"]
    assert table.loc[["so_01", "so_03"], "estimate"].isna().all()
    assert not ((table["n"] > 0) & (table["n"] < 10)).any()


def test_disagreement_is_put_to_zero_and_counted(staff):
    items = list(staff.scale_items()["pay"])
    extreme = {i: np.where(np.arange(len(staff)) % 2, 5.0, 1.0) for i in items}
    found = sr.agreement(with_frame(staff, **extreme), scales="pay")
    table = found.scales()
    assert (table["n_reset"] == table["n_groups"]).all()
    assert (found.tidy()["estimate"] == 0).all()
    assert set(found.tidy()["note"]) == {"agreement.note.reset"}


def test_another_number_of_answers_has_no_slight_skew(staff):
    questions = tuple(
        replace(q, answers=q.answers[:4]) if q.kind == "likert" and q.scale == "pay" else q
        for q in staff.questionnaire.questions
    )
    four = replace(staff, questionnaire=replace(staff.questionnaire, questions=questions))
    four = replace(four, frame=four.frame.assign(**{i: four.frame[i].clip(upper=4) for i in four.scale_items()["pay"]}))
    found = sr.agreement(four, scales="pay")
    table = found.scales().set_index("null")
    assert table.loc["slight_skew", "note"] == "agreement.note.no_null"
    assert np.isfinite(table.loc["uniform", "median"])
    for language in ("vi", "en"):
        assert "nan" not in found.summary(language)


def test_agreement_refusals_and_empty_groups(staff):
    with pytest.raises(OptionError, match="pay"):
        sr.agreement(staff, scales="paay")
    with pytest.raises(AnalysisError):
        sr.agreement(staff, scales=[])
    holes = dict.fromkeys(staff.scale_items()["pay"])
    frame = staff.frame.copy()
    frame.loc[frame["agency"].eq("so_05"), list(holes)] = np.nan
    table = sr.agreement(replace(staff, frame=frame), scales="pay").tidy()
    row = table[table["group"] == "so_05"].iloc[0]
    assert (row["n"], row["note"]) == (0, "agreement.note.no_answers")
    two = replace(staff, frame=staff.frame.iloc[:2])
    found = sr.agreement(two, scales="pay")
    assert found.tidy()["estimate"].isna().all()
    assert "nan" not in found.summary("vi")
    assert isinstance(found.glance(), pd.DataFrame)
