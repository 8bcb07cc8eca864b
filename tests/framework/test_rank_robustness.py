"""Ranges of ranks over weights and aggregation: named as such, never as sampling error."""

from dataclasses import replace

import numpy as np
import pytest

import sipas_research as sr
from sipas_research.errors import AnalysisError, OptionError

LOOSE = {"half_width": 0.5}


def set_answers(responses, shares):
    """Make the first part of each agency's people satisfied: exact shares of components a and b."""
    frame = responses.frame.assign(weight=1.0)
    for agency, (first, second) in shares.items():
        rows = frame.index[frame["agency"] == agency]
        for items, share in ((("a1", "a2"), first), (("b1", "b2"), second)):
            for item in items:
                frame.loc[rows, item] = np.where(np.arange(len(rows)) < share * len(rows), 5.0, 2.0)
    return replace(responses, frame=frame)


@pytest.fixture
def index(small):
    shares = {"dv_00": (0.9, 0.3), "dv_01": (0.6, 0.58), "dv_02": (0.3, 0.2)}
    return sr.satisfaction_index(set_answers(small([100, 100, 100]), shares), by="agency")


def test_what_hangs_on_the_way_of_computing_is_a_range(index):
    found = sr.rank_robustness(index, **LOOSE)
    table = found.tidy().set_index("group")
    # arithmetic: 0.60 against 0.59; geometric: 0.52 against 0.59
    assert table.loc["dv_00", ["aggregation_low", "aggregation_high"]].tolist() == [1.0, 2.0]
    assert table.loc["dv_00", ["left_out_low", "left_out_high"]].tolist() == [1.0, 2.0]
    assert table.loc["dv_00", ["weights_low", "weights_high"]].tolist() == [1.0, 2.0]
    assert table.loc["dv_02", ["all_low", "all_high"]].tolist() == [3.0, 3.0]
    assert found.weights == pytest.approx((0.5, 0.5))
    for language, words in (("vi", "không phải sai số chọn mẫu"), ("en", "not sampling error")):
        assert words in found.summary(language)


def test_small_changes_of_weights_leave_what_is_far_apart(index):
    table = sr.rank_robustness(index, change=0.01, **LOOSE).tidy().set_index("group")
    assert table.loc["dv_00", ["weights_low", "weights_high"]].tolist() == [1.0, 1.0]


def test_own_weights_are_the_users(index):
    table = sr.rank_robustness(index, weights={"a": 1, "b": 9}, change=0.01, **LOOSE).tidy().set_index("group")
    assert table.loc["dv_01", ["weights_low", "weights_high"]].tolist() == [1.0, 1.0]


def test_same_seed_same_ranges_and_all_holds_every_part(index):
    table = sr.rank_robustness(index, **LOOSE).tidy()
    assert table.equals(sr.rank_robustness(index, **LOOSE).tidy())
    for part in ("weights", "aggregation", "left_out"):
        assert (table["all_low"] <= table[f"{part}_low"]).all()
        assert (table["all_high"] >= table[f"{part}_high"]).all()


def test_agencies_without_rank_get_no_range(index):
    found = sr.rank_robustness(index, half_width=0.001)
    assert found.ranked == ()
    assert found.tidy()["note"].eq("ranks.note.imprecise").all()


@pytest.mark.parametrize(
    "options",
    [
        {"change": 0.0},
        {"change": 1.0},
        {"draws": 10},
        {"weights": {"a": 1.0}},
        {"weights": {"a": 1.0, "b": 0.0}},
        {"weights": {"a": 1.0, "b": float("nan")}},
        {"family": "district"},
        {"seed": -3},
    ],
)
def test_options_outside_their_range_are_refused(index, options):
    with pytest.raises(OptionError):
        sr.rank_robustness(index, **options)


def test_one_component_has_nothing_to_vary(small):
    people = small([60, 60])
    with pytest.raises(AnalysisError, match="một thành phần"):
        sr.rank_robustness(sr.satisfaction_index(people, by="agency", scales=["a"]))
