"""Omega and the bootstrap beside alpha, and the general factor of several scales, as researchers call them."""

import numpy as np
import pytest

import sipas_research as sr
from sipas_research import resources
from sipas_research.errors import AnalysisError, DroppedItemWarning, DroppedRowsWarning, OptionError
from sipas_research.results import DataKind, Result

NAMES = ("access", "procedure", "staff", "result", "feedback")


@pytest.fixture(scope="module")
def scales(items):
    return {name: [c for c in items if c.startswith(name)] for name in NAMES}


def test_omega_and_bootstrap_stand_beside_alpha(items, scales):
    plain, drawn = sr.reliability(items, scales), sr.reliability(items, scales, bootstrap=500)
    table = drawn.scales
    assert plain.scales["bootstrap_low"].isna().all()
    assert (table["bootstrap_low"] < table["estimate"]).all()
    assert (table["estimate"] < table["bootstrap_high"]).all()
    assert (table["omega_total"] - table["estimate"]).abs().max() < 0.01
    assert (table["omega_low"] < table["omega_total"]).all()
    assert set(table["omega_note"]) == {""}
    alone = sr.reliability(items, {"staff": scales["staff"]}, bootstrap=500)
    assert alone.scales.loc[0, "bootstrap_low"] == table.set_index("term").loc["staff", "bootstrap_low"]


def test_scales_too_short_for_omega_say_so(items, scales):
    found = sr.reliability(items, {"two": scales["access"][:2], "one": scales["access"][:1]}, bootstrap=20)
    assert found.scales["omega_note"].tolist() == ["reliability.note.two_items", ""]
    assert found.scales["omega_total"].isna().all()
    assert np.isfinite(found.scales.loc[0, "bootstrap_low"])
    with pytest.raises(OptionError, match="bootstrap"):
        sr.reliability(items, scales, bootstrap=-1)


def test_duplicated_item_has_alpha_and_no_omega(items):
    frame = items[["access1", "access2", "access3"]].assign(again=items["access1"])
    row = sr.reliability(frame, {"s": list(frame)}).scales.iloc[0]
    assert np.isfinite(row["estimate"])
    assert row["omega_note"] == "reliability.note.singular"


def test_general_factor_of_the_scales(items, scales):
    found = sr.omega_hierarchical(items, scales, data_kind=DataKind.SIMULATED)
    assert isinstance(found, Result)
    table = found.tidy().set_index("term")
    assert list(table.index) == ["total", *NAMES]
    assert found.hierarchical == pytest.approx(0.805, abs=0.005)  # R psych of the standardised items
    assert (table["estimate"] < table["omega_total"]).all()
    assert table.loc["access", "n_items"] == 4
    alphas = sr.reliability(items, scales).scales.set_index("term")["estimate"]
    # the items of a scale are not of one factor only in the sample, so both agree closely and not exactly
    np.testing.assert_allclose(table.loc[list(NAMES), "omega_total"], alphas[list(NAMES)], atol=0.02)
    assert found.loadings().shape == (22, 6)
    assert found.glance().loc[0, "data_kind"] == "simulated"
    for language in ("vi", "en"):
        assert "Schmid" in found.summary(language)
        assert "nan" not in found.summary(language)


def test_order_of_rows_and_scales_does_not_matter(items, scales):
    one = sr.omega_hierarchical(items, scales)
    turned = dict(reversed(list(scales.items())))
    other = sr.omega_hierarchical(items.sample(frac=1, random_state=1), turned)
    assert one.hierarchical == pytest.approx(other.hierarchical, abs=1e-6)


def test_two_groups_are_told(items, scales):
    pair = {name: scales[name] for name in ("access", "feedback")}
    found = sr.omega_hierarchical(items, pair)
    assert "reliability.note.two_groups" in found.notes
    assert len(found.summary("vi").splitlines()) == 1 + len(found.notes)


@pytest.mark.filterwarnings("ignore::sipas_research.errors.DroppedRowsWarning")
def test_responses_use_their_factors():
    study = sr.load_study(resources.data("twin", "study.toml"))
    current = study.current(study.responses("citizens"))
    found = sr.omega_hierarchical(current)
    assert found.data_kind is DataKind.SIMULATED
    assert set(found.scales) == set(current.scale_items("factor"))
    assert 0 < found.hierarchical < found.total < 1


def test_refusals(items, scales):
    with pytest.raises(OptionError, match="two scales"):
        sr.omega_hierarchical(items, {"access": scales["access"]})
    with pytest.raises(OptionError, match="oblique"):
        sr.omega_hierarchical(items, scales, rotation="bifactor")
    with pytest.raises(OptionError):
        sr.omega_hierarchical(items, scales, n_factors=1)
    with pytest.raises(AnalysisError):
        sr.omega_hierarchical(items.iloc[:2], scales)
    holes = items.astype(float)
    holes.loc[:4, "access1"] = np.nan
    with pytest.warns(DroppedRowsWarning):
        assert sr.omega_hierarchical(holes, scales).n_dropped == 5
    with pytest.warns(DroppedItemWarning):
        found = sr.omega_hierarchical(items.assign(access1=3), scales)
    assert "access1" not in found.items


def test_ordinal_reliability_stands_beside_alpha_with_its_note(items, scales):
    plain, found = sr.reliability(items, scales), sr.reliability(items, scales, ordinal=True)
    table = found.scales
    assert plain.scales["omega_categorical"].isna().all()
    assert (table["ordinal_alpha"] > table["omega_categorical"]).all()
    assert (table["omega_categorical"] - table["estimate"]).abs().max() < 0.03
    assert set(table["ordinal_note"]) == {""}
    assert "Chalmers" in found.summary("vi")
    assert "Green & Yang" in found.summary("en")
    assert "Chalmers" not in plain.summary("vi")
    short = sr.reliability(items + 0.5, {"halves": scales["access"]}, ordinal=True).scales.iloc[0]
    assert short["ordinal_note"] == "reliability.note.not_ordered"
    assert np.isnan(short["omega_categorical"])
    two = sr.reliability(items, {"two": scales["access"][:2]}, ordinal=True).scales.iloc[0]
    assert two["ordinal_note"] == "reliability.note.two_items"
    assert np.isfinite(two["ordinal_alpha"])
