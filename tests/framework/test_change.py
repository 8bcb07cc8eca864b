"""Two years compared: by hand, by deleting units, within a regime only."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import sipas_research as sr
from sipas_research import resources
from sipas_research.errors import AnalysisError, OptionError
from sipas_research.evidence.series import Break
from sipas_research.framework.change import index_change
from sipas_research.numerics.decomposition import kitagawa
from sipas_research.results import Result
from sipas_research.survey.specs import SampleDesign
from sipas_research.wording import LANGUAGES, keys, text

ITEMS = ["a1", "a2", "b1"]


@pytest.fixture
def waves(build):
    """A function of years and rows that returns a survey of two factors, three channels and three agencies."""

    def make(years=(2020, 2021), rows=150, *, seed=4, design=None, respondent="citizen"):
        rng = np.random.default_rng(seed)
        frames = []
        for k, year in enumerate(years):
            frame = pd.DataFrame({"year": np.full(rows, float(year)), "agency": rng.choice(list("xyz"), rows)})
            frame["channel"] = pd.array(
                rng.choice([1, 2, 3], rows, p=[0.5 - 0.2 * k, 0.3, 0.2 + 0.2 * k]), dtype="Int64"
            )
            frame["weight"] = rng.uniform(0.5, 2, rows)
            frame["site"] = [f"s{year}-{s}" for s in rng.integers(0, 20, rows)]
            for item in ITEMS:
                frame[item] = rng.choice(
                    [np.nan, 1, 2, 3, 4, 5], rows, p=[0.1, 0.1, 0.1, 0.2 - 0.1 * k, 0.3 + 0.1 * k, 0.2]
                )
            frames.append(frame)
        scales = {"a": ("a1", "a2"), "b": ("b1",)}
        found = build(pd.concat(frames, ignore_index=True), scales, design=design or SampleDesign(weight="weight"))
        return replace(found, questionnaire=replace(found.questionnaire, respondent=respondent))

    return make


def ratio(frame, weight, items=ITEMS):
    scores = frame[items].to_numpy()
    return (weight @ (scores >= 4).sum(axis=1)) / (weight @ np.isfinite(scores).sum(axis=1))


def test_index_by_hand(waves):
    survey = waves()
    row = index_change(survey).tidy().iloc[0]
    halves = [survey.frame.query("year == @y") for y in (2020, 2021)]
    ends = [ratio(h, h["weight"].to_numpy()) for h in halves]
    assert (row["first"], row["last"]) == pytest.approx(ends, rel=1e-12)
    assert row["estimate"] == pytest.approx(ends[1] - ends[0], rel=1e-10)
    alone = [sr.satisfaction_index(replace(survey, frame=h)).tidy().iloc[0] for h in halves]
    error = np.hypot(alone[0]["std_error"], alone[1]["std_error"])
    assert row["std_error"] == pytest.approx(error, rel=1e-9)
    assert row["p_value"] == pytest.approx(2 * stats.t.sf(abs(row["statistic"]), row["df"]), rel=1e-9)
    assert row["p_adjusted"] == row["p_value"]
    assert row["conf_high"] - row["estimate"] == pytest.approx(stats.t.ppf(0.975, row["df"]) * error, rel=1e-9)


@pytest.mark.parametrize(
    "design", [{"weight": "weight"}, {"weight": "weight", "cluster": "site"}], ids=["rows", "sites"]
)
def test_errors_agree_with_deleting_one_unit(waves, design):
    survey = waves(design=SampleDesign(**design))
    frame = survey.frame
    found = index_change(survey, composition="channel").parts().query("cell == @empty", local_dict={"empty": ()})
    unit = frame["site"].to_numpy() if "cluster" in design else np.arange(len(frame)).astype(str)
    tops, answered = (frame[ITEMS] >= 4).sum(axis=1).to_numpy(float), frame[ITEMS].notna().sum(axis=1).to_numpy(float)

    def parts(weight):
        cell = ((frame["year"] == 2021) * 3 + frame["channel"] - 1).to_numpy(int)
        above, below = (np.bincount(cell, weights=weight * v, minlength=6).reshape(2, 3) for v in (tops, answered))
        found = kitagawa(above, below)
        return np.array([found.change, *found.parts])

    variance = np.zeros(4)
    for year in (2020, 2021):
        inside = (frame["year"] == year).to_numpy()
        names = np.unique(unit[inside])
        draws = []
        for name in names:
            weight = frame["weight"].to_numpy().copy()
            weight[inside] *= len(names) / (len(names) - 1)
            weight[unit == name] = 0.0
            draws.append(parts(weight))
        variance += (len(names) - 1) / len(names) * ((np.array(draws) - np.mean(draws, axis=0)) ** 2).sum(axis=0)
    assert found["part"].tolist() == ["change", "composition", "rate", "support"]
    np.testing.assert_allclose(found["std_error"], np.sqrt(variance), rtol=0.04, atol=1e-9)
    np.testing.assert_allclose(found["estimate"], parts(frame["weight"].to_numpy()), atol=1e-12)


def test_kitagawa_by_hand():
    tops, bottoms = np.array([[8.0, 2.0], [18.0, 6.0]]), np.array([[10.0, 10.0], [20.0, 20.0]])
    found = kitagawa(tops, bottoms)
    # equal shares: all of the change is rates, (0.9 - 0.8) / 2 + (0.3 - 0.2) / 2
    np.testing.assert_allclose(found.parts, [0.0, 0.1, 0.0], atol=1e-15)
    found = kitagawa(np.array([[8.0, 1.0], [4.0, 2.0]]), np.array([[10.0, 5.0], [5.0, 10.0]]))
    # equal rates 0.8 and 0.2: all is composition, a third of the answers moves
    np.testing.assert_allclose(found.parts, [-0.2, 0.0, 0.0], atol=1e-15)
    found = kitagawa(np.array([[8.0, 0.0], [8.0, 1.0]]), np.array([[10.0, 0.0], [10.0, 10.0]]))
    np.testing.assert_allclose(found.parts, [0.0, 0.0, 9 / 20 - 0.8], atol=1e-15)
    with pytest.raises(ValueError, match="common"):
        kitagawa(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 0.0], [0.0, 1.0]]))


def test_parts_add_up_and_cells_add_up(waves):
    result = index_change(waves(rows=400), composition=("channel", "agency"))
    table = result.parts()
    sums = table[table["cell"] == ()].set_index("part")["estimate"]
    assert sums[["composition", "rate", "support"]].sum() == pytest.approx(sums["change"], abs=1e-14)
    cells = table[table["cell"] != ()]
    assert len(cells) == 18
    for part in ("composition", "rate"):
        assert cells.query("part == @part")["estimate"].sum() == pytest.approx(sums[part], abs=1e-14)
    assert cells.query("part == 'rate'")["share_last"].sum() == pytest.approx(1)


def test_a_cell_of_one_year_is_a_part_of_its_own(waves):
    survey = waves(rows=300)
    channel = survey.frame["channel"].where((survey.frame["year"] == 2021) | (survey.frame["channel"] != 3), 1)
    result = index_change(replace(survey, frame=survey.frame.assign(channel=channel)), composition="channel")
    assert (result.only_first, result.only_last) == (0, 1)
    table = result.parts().set_index(["part", "cell"])
    assert table.loc[("support", ()), "estimate"] != 0
    assert table.loc[("rate", ("3",)), "note"] == "index_change.note.one_year_only"


@pytest.mark.parametrize("years", [(2021, 2022), (2019, 2023), (2022, 2023), (2024, 2025)])
def test_nothing_is_compared_across_a_change_of_measurement(waves, years):
    result = index_change(waves(years), by="agency", composition="channel")
    table = result.tidy()
    assert not result.comparable
    assert table[["estimate", "std_error", "statistic", "p_value", "conf_low", "p_adjusted"]].isna().all().all()
    assert table["first"].notna().all()
    assert not table["beyond"].any()
    assert result.parts().empty
    for language in LANGUAGES:
        said = result.summary(language)
        assert str(years[0]) in said
        assert str(years[1]) in said


def test_years_of_one_regime_are_compared(waves):
    assert index_change(waves((2023, 2024))).comparable
    assert index_change(waves((2021, 2022), respondent="staff")).comparable
    own = Break(2021, "residents")
    assert not index_change(waves(), breaks=[own]).comparable


def test_the_province_within_and_across():
    study = sr.load_study(resources.data("twin", "study.toml"))
    people = study.responses("citizens")
    within = sr.index_change(people, 2020, 2021, by="agency")
    row = within.tidy().iloc[0]
    assert isinstance(within, Result)
    assert (row["first"], row["last"]) == pytest.approx((0.8397, 0.8707), abs=5e-5)
    groups = within.tidy().query("group != ''")
    assert groups["suppressed"].any()
    assert groups.loc[groups["suppressed"], ["first", "last", "estimate", "n_first"]].isna().all().all()
    assert groups["group"].tolist() == [c for c in people.agencies.codes() if c in set(groups["group"])]
    assert not sr.index_change(people, 2021, 2022).comparable


def test_items_of_one_year_are_left_out(waves):
    survey = waves()
    frame = survey.frame.copy()
    frame.loc[frame["year"] == 2020, "a2"] = np.nan
    result = index_change(replace(survey, frame=frame))
    assert result.dropped_items == ("a2",)
    assert "index_change.note.common_items" in result.notes
    early = frame.query("year == 2020")
    assert result.tidy().iloc[0]["first"] == pytest.approx(ratio(early, early["weight"].to_numpy(), ["a1", "b1"]))
    with pytest.raises(AnalysisError, match="2020"):
        index_change(replace(survey, frame=frame.assign(**{i: frame[i].where(frame["year"] > 2020) for i in ITEMS})))


def test_small_groups_of_either_year_are_hidden(waves):
    survey = waves(rows=200)
    frame = survey.frame.copy()
    rare = frame.index[(frame["year"] == 2021) & (frame["agency"] == "x")][6:]
    frame.loc[rare, "agency"] = "y"
    result = index_change(replace(survey, frame=frame), by="agency", composition="agency")
    groups = result.tidy().query("group != ''").set_index("group")["suppressed"]
    assert groups["x"]
    assert groups.sum() == 2, "one hidden agency alone would follow from the total"
    cells = result.parts().query("part == 'rate' and cell != @empty", local_dict={"empty": ()})
    assert cells["suppressed"].sum() == 2
    few = index_change(waves(rows=8), composition="channel")
    assert few.tidy()["suppressed"].all()
    assert few.parts()["suppressed"].all()


def test_constant_answers_and_one_unit_have_no_test(waves):
    survey = waves()
    frame = survey.frame.assign(**dict.fromkeys(ITEMS, 5.0))
    row = index_change(replace(survey, frame=frame), composition="channel").tidy().iloc[0]
    assert (row["estimate"], row["note"]) == (0.0, "index_change.note.edge")
    frame = survey.frame.assign(site=np.where(survey.frame["year"] == 2020, "s1", "s2"))
    alone = replace(survey, frame=frame, design=SampleDesign(cluster="site"))
    with pytest.warns(sr.errors.DesignWarning):
        result = index_change(alone, composition="channel")
    row = result.tidy().iloc[0]
    assert row["note"] == "framework.note.no_variance"
    assert np.isnan(row["p_value"])
    assert not row["beyond"]
    assert text("index_change.summary.untested", "vi", first="2020", last="2021") in result.summary("vi")


def test_clusters_of_both_years_are_named(waves):
    survey = waves(design=SampleDesign(cluster="site"))
    assert "index_change.note.shared_clusters" not in index_change(survey).notes
    same = survey.frame["site"].str.replace(r"20\d\d", "", regex=True)
    result = index_change(replace(survey, frame=survey.frame.assign(site=same)))
    assert "index_change.note.shared_clusters" in result.notes


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"first": 2019}, OptionError, "2020, 2021"),
        ({"first": 2021, "last": 2020}, OptionError, "2021"),
        ({"by": "year"}, OptionError, "agency"),
        ({"composition": ("channel", "year")}, OptionError, "agency"),
        ({"composition": "khong_co"}, OptionError, "khong_co"),
        ({"definition": "component_mean"}, OptionError, "share_satisfied"),
        ({"level": 2}, OptionError, "0.95"),
    ],
)
def test_options_are_checked(waves, options, error, match):
    with pytest.raises(error, match=match):
        index_change(waves(), **options)


def test_one_year_is_not_enough(waves):
    survey = waves()
    with pytest.raises(AnalysisError, match="2021"):
        index_change(survey.where(year=2021.0))
    with pytest.raises(AnalysisError, match="–"):
        index_change(replace(survey, frame=survey.frame.drop(columns="year")))


def test_every_note_has_words(waves):
    result = index_change(waves(rows=60), by="agency", composition=("channel", "agency"))
    said = {*result.notes, *result.tidy()["note"], *result.parts()["note"], "index_change.note.no_part"} - {""}
    assert said <= set(keys("vi"))
    assert result.glance().iloc[0]["comparable"]
