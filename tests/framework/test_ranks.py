"""Rank sets of agencies: within a family only, invariant, silent about what is hidden, honest at the edges."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import AnalysisError, OptionError
from sipas_research.results import Result
from sipas_research.survey.agencies import Agency, AgencyRegister
from sipas_research.survey.specs import SampleDesign
from sipas_research.wording import Bilingual

LOOSE = {"half_width": 0.5, "draws": 1_000}


def with_levels(responses, levels):
    agencies = tuple(replace(a, level=level) for a, level in zip(responses.agencies.agencies, levels, strict=True))
    return replace(responses, agencies=AgencyRegister(agencies))


def shifted(responses, chances):
    """Answers 5 with a chance that is the agency's own, else 2."""
    rng = np.random.default_rng(7)
    frame = responses.frame.copy()
    chance = frame["agency"].map(chances).to_numpy(dtype=float)
    for item in ("a1", "a2", "b1", "b2"):
        frame[item] = np.where(rng.uniform(size=len(frame)) < chance, 5.0, 2.0)
    return replace(responses, frame=frame)


@pytest.fixture
def five(small):
    chances = {"dv_00": 0.95, "dv_01": 0.5, "dv_02": 0.52, "dv_03": 0.2, "dv_04": 0.9}
    return shifted(small([150, 140, 120, 160, 130]), chances)


@pytest.fixture
def ranks(five):
    return sr.rank_sets(sr.satisfaction_index(five, by="agency"), top=2, draws=2_000)


def test_what_is_certain_is_said_and_the_rest_is_left_open(ranks):
    table = ranks.tidy().set_index("group")
    assert table.loc["dv_03", ["joint_low", "joint_high"]].tolist() == [5.0, 5.0]
    assert ranks.verdicts("in") == ("dv_00", "dv_04")
    assert ranks.verdicts("out") == ("dv_01", "dv_02", "dv_03")
    assert ranks.groups[-1] == ("dv_03",)
    assert ("dv_01", "dv_02") in ranks.groups
    told = ranks.told_apart()
    assert told.loc["dv_00", "dv_03"] == 1
    assert told.loc["dv_03", "dv_00"] == -1
    assert told.loc["dv_01", "dv_02"] == 0
    assert isinstance(ranks, Result)
    assert ranks.data_kind.is_simulated


def test_rows_stand_in_the_order_of_the_register_not_by_value(ranks):
    assert list(ranks.tidy()["group"]) == ["dv_04", "dv_03", "dv_02", "dv_01", "dv_00"]


def test_order_of_rows_and_register_does_not_matter(five, ranks):
    rng = np.random.default_rng(3)
    frame = five.frame.sample(frac=1.0, random_state=rng).reset_index(drop=True)
    register = AgencyRegister(five.agencies.agencies[::-1])
    again = sr.rank_sets(
        sr.satisfaction_index(replace(five, frame=frame, agencies=register), by="agency"), top=2, draws=2_000
    )
    columns = ["rank_low", "rank_high", "joint_low", "joint_high", "in_top", "tier"]
    pd.testing.assert_frame_equal(
        ranks.tidy().set_index("group")[columns].sort_index(), again.tidy().set_index("group")[columns].sort_index()
    )
    assert again.critical == pytest.approx(ranks.critical, rel=1e-9)


def test_same_seed_same_sets(five):
    index = sr.satisfaction_index(five, by="agency")
    first, second = (sr.rank_sets(index, draws=1_000, seed=4) for _ in range(2))
    assert first.tidy().equals(second.tidy())
    assert first.critical == second.critical != sr.rank_sets(index, draws=1_000, seed=5).critical


def test_never_across_families(small):
    mixed = with_levels(small([60] * 5), ("department", "department", "district", "district", "other"))
    index = sr.satisfaction_index(mixed, by="agency")
    with pytest.raises(OptionError, match="department, district, other"):
        sr.rank_sets(index)
    with pytest.raises(OptionError, match="province"):
        sr.rank_sets(index, family="province")
    with pytest.raises(OptionError):
        sr.rank_sets(index, family=("department", "district"))
    found = sr.rank_sets(index, family="department", **LOOSE)
    assert {r.group for r in found.rows} == {"dv_04", "dv_03"}
    assert (found.size, found.top) == (2, 1)
    with pytest.raises(AnalysisError, match="ít nhất 2"):
        sr.rank_sets(index, family="other")


def test_agencies_of_no_declared_kind_must_be_asked_for(small):
    loose = replace(small([60, 60, 60]), agencies=AgencyRegister())
    index = sr.satisfaction_index(loose, by="agency")
    with pytest.raises(OptionError):
        sr.rank_sets(index)
    assert sr.rank_sets(index, family="other", **LOOSE).size == 3


@pytest.mark.parametrize("by", [None, "channel", "level"])
def test_only_agencies_are_ranked(small, by):
    with pytest.raises(OptionError, match="agency"):
        sr.rank_sets(sr.satisfaction_index(small([60, 60]), by=by))


def test_a_loose_estimate_gets_no_rank_but_is_compared(five):
    index = sr.satisfaction_index(five, by="agency")
    strict = sr.rank_sets(index, half_width=0.035, draws=2_000)
    table = strict.tidy().set_index("group")
    refused = table.index[table["note"] == "ranks.note.imprecise"]
    assert 0 < len(refused) < 5
    assert table.loc[refused, ["rank_low", "rank_high", "joint_low", "joint_high"]].isna().all().all()
    assert (table.loc[refused, "in_top"] == "").all()
    assert np.isfinite(table.loc[refused, "estimate"]).all()
    loose = sr.rank_sets(index, half_width=0.5, draws=2_000).tidy().set_index("group")
    kept = table.index.difference(refused)
    assert table.loc[kept, "joint_high"].equals(loose.loc[kept, "joint_high"])
    assert strict.size == 5


def test_nobody_precise_enough(five):
    found = sr.rank_sets(sr.satisfaction_index(five, by="agency"), half_width=0.001, draws=1_000)
    assert found.ranked == ()
    assert found.groups == ()
    assert found.told_apart().shape == (0, 0)
    assert "0 đơn vị được xếp" in found.summary("vi")
    assert "0 of them ranked" in found.summary("en")


def test_hidden_agencies_may_stand_anywhere_and_nothing_follows_from_the_sets(small):
    chances = {"dv_00": 0.9, "dv_01": 0.5, "dv_02": 0.2, "dv_03": 0.6, "dv_04": 0.6}
    base = small([150, 150, 150, 12, 5])
    rows = []
    for high in (0.2, 0.9):
        people = shifted(base, {**chances, "dv_03": high, "dv_04": high})
        index = sr.satisfaction_index(people, by="agency")
        assert set(index.labels) == {"dv_00", "dv_01", "dv_02"}
        found = sr.rank_sets(index, draws=1_000)
        table = found.tidy().set_index("group")
        assert table.loc[["dv_03", "dv_04"]].drop(columns=["in_top", "tier", "note", "suppressed"]).isna().all().all()
        rows.append(table.loc[["dv_00", "dv_01", "dv_02"], ["rank_low", "rank_high", "joint_low", "joint_high"]])
        assert rows[-1].loc["dv_00"].tolist() == [1, 3, 1, 3]
        assert rows[-1].loc["dv_02"].tolist() == [3, 5, 3, 5]
    assert rows[0].equals(rows[1])


def test_a_census_knows_ranks_and_leaves_ties_open(small):
    people = shifted(small([40, 40, 40]), {"dv_00": 0.9, "dv_01": 0.5, "dv_02": 0.5})
    frame = people.frame.assign(frame_size=40.0, weight=1.0)
    frame.loc[frame["agency"] == "dv_02", ["a1", "a2", "b1", "b2"]] = frame.loc[
        frame["agency"] == "dv_01", ["a1", "a2", "b1", "b2"]
    ].to_numpy()
    whole = replace(people, frame=frame, design=SampleDesign(stratum="agency", population="frame_size"))
    found = sr.rank_sets(sr.satisfaction_index(whole, by="agency"), draws=1_000)
    table = found.tidy().set_index("group")
    assert table.loc["dv_00", ["joint_low", "joint_high"]].tolist() == [1.0, 1.0]
    assert table.loc["dv_01", ["joint_low", "joint_high"]].tolist() == [2.0, 3.0]
    assert table.loc["dv_02", ["joint_low", "joint_high"]].tolist() == [2.0, 3.0]


def test_no_spread_without_a_census_is_not_certainty(small):
    people = small([60, 60, 60])
    frame = people.frame.copy()
    own = frame["agency"] == "dv_01"
    frame.loc[own, ["a1", "b1"]], frame.loc[own, ["a2", "b2"]] = 5.0, 2.0
    index = sr.satisfaction_index(replace(people, frame=frame), by="agency", definition="mean_of_shares")
    table = sr.rank_sets(index, **LOOSE).tidy().set_index("group")
    assert table.loc["dv_01", "note"] == "ranks.note.no_spread"
    assert np.isnan(table.loc["dv_01", "joint_low"])
    assert table.loc["dv_00", "joint_high"] == 3.0


def broken(index, covariance):
    matrix = np.array(covariance, dtype=float)
    return replace(index, estimation=replace(index.estimation, covariance=matrix))


def test_covariances_that_no_data_have_are_refused(small):
    index = sr.satisfaction_index(small([60, 60]), by="agency")
    with pytest.raises(AnalysisError, match="hiệp phương sai"):
        sr.rank_sets(broken(index, [[1e-3, 5e-3], [5e-3, 1e-3]]), **LOOSE)
    with pytest.raises(AnalysisError, match="hiệp phương sai"):
        sr.rank_sets(broken(index, [[1e-3, np.nan], [np.nan, 1e-3]]), **LOOSE)
    with pytest.raises(AnalysisError, match="ít nhất 2"):
        sr.rank_sets(broken(index, [[np.nan, 0.0], [0.0, 1e-3]]), **LOOSE)


@pytest.mark.parametrize(
    "options",
    [
        {"level": 0.0},
        {"level": 1.0},
        {"level": float("nan")},
        {"top": 0},
        {"top": 5},
        {"top": 1.5},
        {"top": True},
        {"draws": 999},
        {"draws": 1e4},
        {"half_width": 0.0},
        {"half_width": float("nan")},
        {"seed": -1},
        {"seed": "một"},
    ],
)
def test_options_outside_their_range_are_refused(five, options):
    with pytest.raises(OptionError):
        sr.rank_sets(sr.satisfaction_index(five, by="agency"), **options)


def test_one_agency_is_refused(small):
    with pytest.raises(AnalysisError, match="ít nhất 2"):
        sr.rank_sets(sr.satisfaction_index(small([60]), by="agency"))


def test_correlated_agencies_are_told_apart_by_their_difference(build):
    # the same sites serve both agencies: what the sites share cancels in the difference
    rng = np.random.default_rng(2)
    level = rng.normal(0.6, 0.12, 40).clip(0.3, 0.9)
    rows = []
    for agency, gap in (("dv_a", 0.04), ("dv_b", -0.04)):
        for site in range(40):
            high = rng.uniform(size=20) < level[site] + gap
            rows.append(pd.DataFrame({"agency": agency, "site": f"s{site}", "a1": np.where(high, 5.0, 2.0)}))
    frame = pd.concat(rows, ignore_index=True)
    register = [Agency(c, Bilingual(c), "department") for c in ("dv_a", "dv_b")]
    people = build(frame, {"a": ("a1",)}, agencies=register, design=SampleDesign(cluster="site"))
    index = sr.satisfaction_index(people, by="agency")
    assert index.covariance.iloc[0, 1] > 0
    assert sr.rank_sets(index, **LOOSE).tidy()["joint_low"].tolist() == [1.0, 2.0]
    apart = broken(index, np.diag(np.diag(index.estimation.covariance) * 2))
    assert sr.rank_sets(apart, **LOOSE).tidy()["joint_low"].tolist() == [1.0, 1.0]


def test_the_drawing_aid_is_no_interval(ranks):
    aid = ranks.drawing_aid().set_index("group")
    table = ranks.tidy().set_index("group")
    inside = (table["conf_low"] < aid["low"]) & (aid["high"] < table["conf_high"])
    assert inside.all()
