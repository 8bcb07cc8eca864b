"""Reliability as researchers call it: tables, notes instead of tracebacks, nothing turned silently."""

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import AnalysisError, DroppedItemWarning, DroppedRowsWarning, OptionError
from sipas_research.results import TIDY_COLUMNS, DataKind, Result
from sipas_research.wording import keys

SCALES = {"Tiếp cận": ["access1", "access2", "access3", "access4"], "Kết quả": ["result1", "result2", "result3"]}


def test_tables(items):
    found = sr.reliability(items, SCALES, data_kind=DataKind.SIMULATED)
    assert isinstance(found, Result)
    table = found.tidy()
    assert list(table.columns)[: len(TIDY_COLUMNS)] == list(TIDY_COLUMNS)
    assert table["term"].tolist() == list(SCALES)
    assert (table["conf_low"] < table["estimate"]).all()
    assert (table["estimate"] < table["conf_high"]).all()
    assert table["n_items"].tolist() == [4, 3]
    assert table["n"].tolist() == [1200, 1200]
    by_item = found.items
    assert by_item["group"].tolist() == ["Tiếp cận"] * 4 + ["Kết quả"] * 3
    assert by_item["mean"].tolist() == pytest.approx(items[by_item["term"]].mean().tolist())
    assert found.glance().loc[0, "data_kind"] == "simulated"
    fresh = found.scales
    fresh.loc[0, "estimate"] = -1
    assert found.scales.loc[0, "estimate"] > 0.8


def test_shuffled_rows_and_columns_give_the_same(items):
    whole = sr.reliability(items, SCALES)
    shuffled = items.sample(frac=1, random_state=1)[items.columns[::-1]]
    pd.testing.assert_frame_equal(whole.items, sr.reliability(shuffled, SCALES).items, rtol=1e-10)


def test_each_scale_uses_its_own_complete_rows(items):
    holes = items.astype(float)
    holes.loc[:9, "access1"] = np.nan
    holes.loc[20:24, "result3"] = np.nan
    with pytest.warns(DroppedRowsWarning, match=r"10 of 1,200"):
        found = sr.reliability(holes, SCALES)
    assert found.scales["n"].tolist() == [1190, 1195]
    assert found.scales["n_dropped"].tolist() == [10, 5]
    alone = sr.reliability(items.iloc[10:], {"Tiếp cận": SCALES["Tiếp cận"]})
    assert found.scales.loc[0, "estimate"] == pytest.approx(alone.scales.loc[0, "estimate"], rel=1e-12)


def test_what_one_item_cannot_give_is_a_row_with_its_reason(items):
    found = sr.reliability(items, {"service": ["access1"], **SCALES})
    row = found.scales.iloc[0]
    assert np.isnan(row["estimate"])
    assert row["note"] == "factors.note.one_item"
    assert found.items.loc[0, "note"] == "factors.note.one_item"
    assert "single item" in found.summary("en")
    assert "một biến quan sát" in found.summary("vi")


def test_constant_and_empty_items_are_rows_with_their_reason(items):
    frame = items.astype(float).assign(same=4.0, nothing=np.nan)
    with pytest.warns(DroppedItemWarning, match="same, nothing"):
        found = sr.reliability(frame, {"Kết quả": [*SCALES["Kết quả"], "same", "nothing"], "none": ["same", "nothing"]})
    plain = sr.reliability(items, {"Kết quả": SCALES["Kết quả"]})
    assert found.scales.loc[0, "estimate"] == plain.scales.loc[0, "estimate"]
    assert found.scales["note"].tolist() == ["factors.note.items_left_out", "factors.note.no_item"]
    reasons = found.items.set_index(["group", "term"])["note"]
    assert reasons["Kết quả", "same"] == "factors.note.constant_item"
    assert reasons["Kết quả", "nothing"] == "factors.note.empty_item"


def test_few_rows_are_a_note(items):
    found = sr.reliability(items.iloc[:2], SCALES)
    assert found.scales["note"].tolist() == ["factors.note.few_rows"] * 2
    assert found.scales["estimate"].isna().all()
    assert found.summary("vi").count("\n") == 1


def test_a_reversed_item_is_shown_and_not_turned(items):
    turned = items.assign(access4=6 - items["access4"])
    found = sr.reliability(turned, {"Tiếp cận": SCALES["Tiếp cận"]})
    assert found.scales.loc[0, "note"] == "factors.note.negative_item_in_scale"
    row = found.items.set_index("term").loc["access4"]
    assert row["item_total"] < 0
    assert row["note"] == "factors.note.negative_item"
    assert row["alpha_if_deleted"] > found.scales.loc[0, "estimate"]


def test_negative_alpha_is_shown_with_its_note(items):
    pair = pd.DataFrame({"a": items["access1"], "b": 6 - items["access2"]})
    row = sr.reliability(pair, {"s": ["a", "b"]}).scales.iloc[0]
    assert row["estimate"] < 0
    assert row["conf_low"] < row["estimate"] < row["conf_high"]
    assert row["note"] == "factors.note.negative_alpha"


def test_level_of_the_interval(items):
    usual, wide = sr.reliability(items, SCALES).scales, sr.reliability(items, SCALES, level=0.99).scales
    assert (wide["conf_low"] < usual["conf_low"]).all()
    with pytest.raises(OptionError, match="95"):
        sr.reliability(items, SCALES, level=95)


def test_refusals(items):
    with pytest.raises(OptionError, match="No scale was given"):
        sr.reliability(items, None)
    with pytest.raises(OptionError, match="No scale was given"):
        sr.reliability(items, ["access1", "access2"])
    with pytest.raises(AnalysisError, match=r"Similar names: .*access1"):
        sr.reliability(items, {"s": ["acess1", "access2"]})
    with pytest.raises(AnalysisError, match="stands twice"):
        sr.reliability(items, {"s": ["access1", "access1"]})


def test_every_note_is_in_the_catalogue(items):
    known = keys("vi")
    notes = {"one_item", "no_item", "few_rows", "constant_sum", "negative_alpha", "negative_item", "items_left_out"}
    notes |= {"negative_item_in_scale", "constant_item", "empty_item"}
    assert {f"factors.note.{n}" for n in notes} <= set(known)
    for language in ("vi", "en"):
        sentence = sr.reliability(items, SCALES).summary(language)
        assert ("0,7" if language == "vi" else "0.7") in sentence
