"""Correlations, thresholds and their joint covariance as lavaan gives them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import DroppedRowsWarning, SparseTableWarning

FOLDER = Path(__file__).resolve().parents[1] / "reference" / "polychoric"
CORRELATION = 1e-7  # lavaan's optimiser stops at a relative change of the likelihood of about 1e-10
THRESHOLD = 1e-11  # quantiles of shares, 12 to 14 digits stored
GAMMA = 1e-7  # inherits the correlations' difference; relative to the largest entry


@pytest.fixture(scope="module")
def reference() -> dict:
    return json.loads((FOLDER / "lavaan.json").read_text(encoding="utf-8"))


def test_twenty_two_items(items, polychoric, reference):
    found = sr.polychoric(items)
    names = list(items)
    np.testing.assert_allclose(found.correlation, polychoric.loc[names, names], atol=CORRELATION)
    stored = reference["thresholds_22"]
    table = found.tidy().query("group == 'threshold'").set_index("term")["estimate"]
    assert list(table.index) == list(stored)
    np.testing.assert_allclose(table, list(stored.values()), atol=THRESHOLD)
    assert found.converged
    assert found.positive_definite


@pytest.mark.parametrize("case", ["mixed", "listwise", "pairwise", "weighted"])
def test_covariance_with_missing_answers_and_weights(reference, case):
    stored = reference[case]
    weighted = pd.read_csv(FOLDER / "weighted.csv")
    if case in {"listwise", "pairwise"}:
        data, options = pd.read_csv(FOLDER / "holes.csv"), {"missing": case}
    else:
        data = weighted if case == "weighted" else weighted.drop(columns="w")
        options = {"weights": "w"} if case == "weighted" else {}
    if case == "listwise":
        with pytest.warns(DroppedRowsWarning, match="425"):
            found = sr.polychoric(data, covariance=True, **options)
    else:
        found = sr.polychoric(data, covariance=True, **options)
    assert list(found.items) == stored["items"]
    assert found.n == stored["n"]
    np.testing.assert_allclose(found.correlation, stored["correlation"], atol=CORRELATION)
    cuts = found.tidy().query("group == 'threshold'")
    assert list(cuts["term"]) == list(stored["thresholds"])
    np.testing.assert_allclose(cuts["estimate"], list(stored["thresholds"].values()), atol=THRESHOLD)
    gamma = np.array(stored["gamma"])
    np.testing.assert_allclose(found.vcov() * stored["n"], gamma, atol=GAMMA * np.abs(gamma).max())
    np.testing.assert_allclose(found.tidy()["std_error"], np.sqrt(np.diag(gamma) / stored["n"]), rtol=1e-6)
    assert found.weighted is (case == "weighted")


@pytest.mark.parametrize(("second", "stored"), [((1, 1, 2), 0.908708557998), ((2, 1, 2), -0.714132832531)])
def test_a_two_by_two_table_with_an_empty_cell(second, stored):
    data = pd.DataFrame({"a": [1] * 20 + [2] * 30, "b": np.repeat(second, [20, 10, 20])})
    with pytest.warns(SparseTableWarning, match="a ~~ b"):
        found = sr.polychoric(data)
    assert found.correlation.loc["a", "b"] == pytest.approx(stored, abs=1e-8)
    assert list(found.tidy()["note"]) == ["", "", "polychoric.note.filled"]
