"""Screening: planted items are found, every deletion has its line, and the held-out half is not flattered."""

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research import resources, wording
from sipas_research.errors import AnalysisError, DroppedItemWarning, OptionError
from sipas_research.factors.screening import CONVENTIONS
from sipas_research.results import TIDY_COLUMNS, DataKind, Result

NAMES = ("access", "procedure", "staff", "result", "feedback")


@pytest.fixture(scope="module")
def scales(items):
    return {name: [c for c in items if c.startswith(name)] for name in NAMES}


@pytest.fixture(scope="module")
def planted(items, scales):
    """A noise item in one scale, and in another one that belongs to two factors."""
    generator = np.random.default_rng(0)
    frame = items.assign(access5=generator.integers(1, 6, len(items)))
    mixed = (items["result1"] + items["staff2"] + generator.normal(0, 1, len(items))) / 2
    frame["result4"] = np.clip(np.rint(mixed), 1, 5)
    return frame, scales | {"access": [*scales["access"], "access5"], "result": [*scales["result"], "result4"]}


@pytest.fixture(scope="module")
def screened(planted):
    return sr.screen_items(*planted, data_kind=DataKind.SIMULATED)


def test_planted_items_are_found_with_their_reasons(screened, planted):
    assert isinstance(screened, Result)
    assert screened.deleted == ("access5", "result4")
    noise, mixed = screened.rounds
    assert (noise.step, noise.rule, noise.scale, noise.round) == ("reliability", "item_total", "access", 1)
    assert (mixed.step, mixed.rule, mixed.scale, mixed.round) == ("factors", "loading", "result", 2)
    assert abs(noise.value) < 0.1
    assert noise.after.alpha > noise.before.alpha + 0.1
    assert noise.after.kmo == mixed.before.kmo
    assert screened.effects().set_index("term").loc["access", "n_items_before"] == 5


def test_effects_in_the_log_are_those_of_the_tables(screened, planted):
    frame, scales = planted
    line = screened.rounds[0]
    half = screened.before.reliability.scales.set_index("term")
    assert line.before.alpha == pytest.approx(half.loc["access", "estimate"], rel=1e-12)
    assert screened.before.kmo == pytest.approx(line.before.kmo, rel=1e-12)
    assert screened.seen.alphas["access"] == pytest.approx(line.after.alpha, rel=1e-12)
    whole = sr.reliability(frame, scales).scales.set_index("term").loc["access", "estimate"]
    assert half.loc["access", "estimate"] == pytest.approx(whole, abs=0.05)
    assert half.loc["access", "estimate"] != whole


def test_the_halves_are_disjoint_and_cover_all(screened):
    assert screened.after.sample == "holdout"
    assert screened.before.n + screened.after.n == screened.n == 1200
    assert screened.seen.alphas["staff"] != screened.after.alphas["staff"]
    assert screened.after.solution.n == 600


def test_same_seed_same_log_however_rows_and_columns_stand(planted, screened):
    frame, scales = planted
    shuffled = frame.sample(frac=1, random_state=3)[frame.columns[::-1]]
    again = sr.screen_items(shuffled, scales)
    assert again.deleted == screened.deleted
    pd.testing.assert_frame_equal(
        again.effects().drop(columns="sample"), screened.effects().drop(columns="sample"), rtol=1e-9
    )
    other = sr.screen_items(frame, scales, seed=2)
    assert other.after.alphas["staff"] != screened.after.alphas["staff"]


def test_nothing_leaves_without_a_line(planted):
    frame, scales = planted
    frame = frame.assign(same=3.0)
    with pytest.warns(DroppedItemWarning, match="same"):
        found = sr.screen_items(frame, scales | {"feedback": [*scales["feedback"], "same"]}, rules=dict(CONVENTIONS))
    asked = {i for ids in scales.values() for i in ids} | {"same"}
    left = {i for ids in found.scales.values() for i in ids}
    assert asked - left == set(found.deleted)
    assert len(found.deleted) == len(set(found.deleted))
    assert found.rounds[0].step == "entry"
    assert found.rounds[0].note == "factors.note.constant_item"
    assert list(found.tidy().columns)[: len(TIDY_COLUMNS)] == list(TIDY_COLUMNS)
    assert found.tidy()["term"].tolist() == [line.item for line in found.rounds]


def test_the_rules_hold_for_what_is_left(planted):
    frame, scales = planted
    bars = {"item_total": 0.3, "communality": 0.5, "loading": 0.5, "cross_loading": 0.3}
    found = sr.screen_items(frame, scales, rules=bars, holdout=False)
    assert (found.seen.reliability.items["item_total"] > 0.3).all()
    sizes = np.sort(np.abs(found.seen.solution.rotated.loadings), axis=1)
    spared = {line.item for line in found.rounds if line.action == "kept"}
    for place, item in enumerate(found.seen.solution.items):
        if item not in spared:
            assert found.seen.solution.communality[place] >= 0.5
            assert sizes[place, -1] >= 0.5
            assert sizes[place, -1] - sizes[place, -2] >= 0.3
    assert len(found.deleted) > 2


def test_alpha_rise_deletes_only_while_alpha_rises(items, scales):
    found = sr.screen_items(items, scales, rules=["alpha_rise"], holdout=False)
    for line in found.rounds:
        assert line.after.alpha - line.before.alpha == pytest.approx(line.value, abs=1e-12)
        assert line.value > 0
    rows = found.seen.reliability.items.merge(found.seen.reliability.scales, left_on="group", right_on="term")
    assert (rows["alpha_if_deleted"] <= rows["estimate"]).all()


def test_without_a_second_half_the_table_says_so(items, scales):
    asked = sr.screen_items(items, scales, holdout=False)
    assert (asked.after.sample, asked.note) == ("same", "screening.note.same_asked")
    assert asked.after is asked.seen
    small = sr.screen_items(items.iloc[:150], scales)
    assert (small.after.sample, small.note) == ("same", "screening.note.same_small")
    assert "trên cùng mẫu đã dùng để loại biến" in small.summary("vi")
    assert "same sample" in small.summary("en")


def test_screening_flatters_the_forms_it_saw():
    generator, gains = np.random.default_rng(5), []
    for _ in range(12):
        trait = generator.standard_normal((240, 1))
        frame = pd.DataFrame(0.3 * trait + generator.standard_normal((240, 16)), columns=[f"i{k}" for k in range(16)])
        found = sr.screen_items(frame, {"s": list(frame)}, rules={"item_total": 0.25}, fewest=3)
        table = found.effects().iloc[0]
        gains.append(table["alpha_same_forms"] - table["alpha_after"])
    assert np.mean(gains) > 0.02


def test_a_scale_is_never_left_too_short(planted):
    frame, scales = planted
    noise = pd.DataFrame(np.random.default_rng(1).integers(1, 6, (len(frame), 3)), columns=["n1", "n2", "n3"])
    found = sr.screen_items(frame.join(noise), scales | {"noise": ["n1", "n2", "n3"]}, rules=["item_total"])
    assert len(found.scales["noise"]) == 2
    kept = [line for line in found.rounds if line.action == "kept"]
    assert {line.scale for line in kept} == {"noise"}
    assert all(line.note == "screening.note.too_short" for line in kept)
    assert all(line.before == line.after for line in kept)


def test_one_scale_and_few_items(items, scales):
    found = sr.screen_items(items, {"access": scales["access"]})
    assert found.deleted == ()
    assert found.n_factors == 1
    two = sr.screen_items(items, {"access": scales["access"][:2]})
    assert two.rounds[-1].action == "stopped"
    assert two.rounds[-1].note == "screening.note.too_few_for_factors"
    for language in ("vi", "en"):
        assert "nan" not in two.summary(language)
        assert "nan" not in found.summary(language)


def test_duplicated_item_stops_the_factors_and_not_the_screening(items, scales):
    frame = items.assign(again=items["access1"])
    found = sr.screen_items(frame, {"access": [*scales["access"], "again"]}, method="ml")
    assert found.rounds[-1].note == "screening.note.no_factors"
    assert np.isnan(found.after.kmo)


@pytest.mark.filterwarnings("ignore::sipas_research.errors.DroppedRowsWarning")
def test_responses_take_their_own_scales():
    study = sr.load_study(resources.data("twin", "study.toml"))
    current = study.current(study.responses("citizens"))
    found = sr.screen_items(current)
    assert found.data_kind is DataKind.SIMULATED
    assert set(found.scales) == set(current.scale_items("factor"))
    assert found.glance().loc[0, "n_dropped"] == len(current) - found.n


def test_refusals(items, scales):
    with pytest.raises(OptionError, match="item_total"):
        sr.screen_items(items, scales, rules=["item-total"])
    with pytest.raises(OptionError, match="loading"):
        sr.screen_items(items, scales, rules={"loading": "half"})
    with pytest.raises(OptionError, match="No scale"):
        sr.screen_items(items, None)
    with pytest.raises(OptionError):
        sr.screen_items(items, scales, fewest=0)
    with pytest.raises(AnalysisError, match="twice"):
        sr.screen_items(items, {"a": ["access1", "access2"], "b": ["access1", "access3"]})
    with pytest.raises(AnalysisError):
        sr.screen_items(items, {"a": ["access1"]})
    with pytest.raises(AnalysisError):
        sr.screen_items(items.iloc[:2], scales)


def test_every_rule_is_named_with_its_source():
    known = wording.keys("vi")
    for rule in CONVENTIONS:
        for part in ("rule", "source", "short"):
            assert f"screening.{part}.{rule}" in known
