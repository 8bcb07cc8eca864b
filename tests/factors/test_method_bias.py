"""Harman's single factor by definition, and what it refuses to say."""

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import AnalysisError, DroppedItemWarning, DroppedRowsWarning
from sipas_research.results import TIDY_COLUMNS, DataKind, Result


def test_shares_by_definition(items):
    found = sr.harman(items, data_kind=DataKind.SIMULATED)
    assert isinstance(found, Result)
    eigen = np.linalg.eigvalsh(np.corrcoef(items.to_numpy(float).T))
    assert found.component == pytest.approx(eigen[-1] / 22, rel=1e-10)
    single = sr.efa(items, 1, rotation="none")
    assert found.factor == pytest.approx(single.communality.mean(), abs=1e-6)
    assert found.factor < found.component
    assert list(found.tidy().columns) == list(TIDY_COLUMNS)
    assert found.glance().loc[0, "data_kind"] == "simulated"


def test_a_large_bias_passes_the_habit():
    """Half of each item's common variance is method, and the share stays below one half all the same."""
    generator = np.random.default_rng(1)
    method = generator.standard_normal((2000, 1))
    traits = np.repeat(generator.standard_normal((2000, 6)), 3, axis=1)
    answers = 0.55 * method + 0.55 * traits + 0.63 * generator.standard_normal((2000, 18))
    found = sr.harman(pd.DataFrame(answers, columns=[f"i{k}" for k in range(18)]))
    assert found.component < 0.5
    assert not found.above
    assert "không chứng minh được" in found.summary("vi")
    assert "cannot show" in found.summary("en")


def test_one_true_factor_fails_the_habit():
    generator = np.random.default_rng(2)
    trait = generator.standard_normal((500, 1))
    frame = pd.DataFrame(0.85 * trait + 0.5 * generator.standard_normal((500, 5)), columns=list("abcde"))
    found = sr.harman(frame)
    assert found.above
    assert found.factor > 0.5


def test_hostile_inputs(items):
    with pytest.raises(AnalysisError):
        sr.harman(items, ["access1"])
    with pytest.raises(AnalysisError):
        sr.harman(items.iloc[:2])
    with pytest.warns(DroppedItemWarning, match="same"):
        assert sr.harman(items.assign(same=3)).n_items == 22
    holes = items.astype(float)
    holes.iloc[:7, 0] = np.nan
    with pytest.warns(DroppedRowsWarning):
        assert sr.harman(holes).n_dropped == 7
    twice = sr.harman(items[["access1", "access2"]].assign(again=items["access1"]))
    assert 0 < twice.factor <= 1
