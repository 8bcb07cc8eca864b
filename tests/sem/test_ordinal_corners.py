"""Ordered answers where paths meet: mixed items with an empty cell, groups that weigh differently, equal levels."""

import unicodedata

import numpy as np
import pandas as pd
import pytest
import test_thresholds_disclosed as disclosed

import sipas_research as sr
from sipas_research.errors import CategoryWarning, DroppedRowsWarning
from sipas_research.sem.ordinal_result import OrdinalFit


def answers(rows: int = 600, seed: int = 3) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    trait, other = draw.normal(size=(2, rows))
    other = 0.5 * trait + other
    frame = {f"o{k}": np.digitize(0.8 * trait + 0.6 * draw.normal(size=rows), [-0.8, 0.1, 1.0]) + 1 for k in range(4)}
    frame |= {f"c{k}": 0.8 * other + 0.6 * draw.normal(size=rows) for k in range(3)}
    return pd.DataFrame(frame | {"g": np.where(np.arange(rows) % 5 < 3, "a", "b")})


ITEMS = [f"o{k}" for k in range(4)]
BOTH = "f =~ o0 + o1 + o2 + o3\nh =~ c0 + c1 + c2"


def test_an_empty_cell_counts_alike_beside_continuous_items() -> None:
    frame = answers()
    frame["o0"], frame["o1"] = (frame["o0"] > 1).astype(int), (frame["o0"] > 3).astype(int)
    alone, beside = (
        sr.cfa(f"f =~ {' + '.join(names)}", frame, ordered=ITEMS) for names in (ITEMS, [*ITEMS, "c0"])
    )  # nobody answers low on o0 and high on o1
    assert isinstance(alone, OrdinalFit)
    assert isinstance(beside, OrdinalFit)
    np.testing.assert_allclose(
        beside.problem.samples[0].correlation[:4, :4], alone.problem.samples[0].correlation, rtol=1e-9
    )
    names = alone.tidy().query("op == '|'")["std_error"]
    np.testing.assert_allclose(beside.tidy().query("op == '|'")["std_error"], names, rtol=1e-9)


@pytest.mark.parametrize("given", [("thresholds",), ("intercepts",)])
def test_thresholds_and_intercepts_are_held_equal_together(given: tuple[str, ...]) -> None:
    frame = answers()
    both = sr.cfa(BOTH, frame, ordered=ITEMS, group="g", group_equal=("loadings", "thresholds", "intercepts"))
    found = sr.cfa(BOTH, frame, ordered=ITEMS, group="g", group_equal=("loadings", *given))
    pd.testing.assert_frame_equal(found.tidy(), both.tidy())
    assert "sem.warning.not_identified" not in found.troubles


def test_a_group_counts_by_its_weights() -> None:
    frame = answers().assign(w=lambda given: np.where(given["g"] == "b", 3.0, 1.0))
    thrice = frame.loc[frame.index.repeat(frame["w"].astype(int))]
    options = {"ordered": ITEMS, "group": "g", "group_equal": ("loadings", "thresholds"), "estimator": "ULSMV"}
    weighted, repeated = sr.cfa(BOTH, frame, weights="w", **options), sr.cfa(BOTH, thrice, **options)
    np.testing.assert_allclose(weighted.tidy()["estimate"], repeated.tidy()["estimate"], rtol=2e-3, atol=2e-3)
    plain = sr.cfa(BOTH, frame, **options)
    assert np.abs(plain.tidy()["estimate"] - repeated.tidy()["estimate"]).max() > 1e-2


@pytest.mark.parametrize("kind", ["object", "category"])
def test_weights_of_any_kind_of_number(kind: str) -> None:
    frame = answers()
    plain = frame.assign(w=np.arange(len(frame)) % 7 + 0.5)
    other = plain.astype({"w": kind})
    model = "h =~ c0 + c1 + c2"
    pd.testing.assert_frame_equal(sr.cfa(model, other, weights="w").tidy(), sr.cfa(model, plain, weights="w").tidy())


def test_rows_without_a_group_are_told_as_such() -> None:
    frame = answers().assign(g=lambda given: given["g"].where(np.arange(len(given)) > 40))
    with pytest.warns(DroppedRowsWarning, match="lack group"):
        sr.cfa("h =~ c0 + c1 + c2", frame, group="g")


def test_a_code_that_may_stand_for_no_answer_is_told_and_counts_as_an_answer() -> None:
    frame = disclosed.answers(disclosed.FULL)
    model, coded = disclosed.MODEL, frame.assign(a1=frame["a1"].replace(4, 9), a3=frame["a3"].replace(1, -1))
    with pytest.warns(CategoryWarning, match="a1, a3"):
        found = sr.cfa(model, coded, ordered=True)
    # the order of the codes alone is used
    pd.testing.assert_frame_equal(found.tidy(), sr.cfa(model, frame, ordered=True).tidy(), rtol=1e-6)
    checked = disclosed.checked(coded)  # its codes were checked against the questionnaire
    assert sr.cfa(model, checked, ordered=True).n == len(frame)


def test_a_group_is_found_however_its_accents_are_composed() -> None:
    frame = answers().rename(columns={"g": unicodedata.normalize("NFD", "huyện")})
    found = sr.cfa("h =~ c0 + c1 + c2", frame, group=unicodedata.normalize("NFC", "huyện"))
    assert set(found.sample.labels) == {"a", "b"}
