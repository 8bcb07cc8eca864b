"""Partial correlations with a marker variable: by definition, against regression residuals, and what is refused."""

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import AnalysisError, OptionError
from sipas_research.factors.marker_variable import SENSITIVITY
from sipas_research.results import TIDY_COLUMNS, DataKind, Result


def answers(method, rows=600, seed=3):
    """Two traits that correlate 0.3, a marker of its own, and a share of ``method`` in all three."""
    generator = np.random.default_rng(seed)
    traits = generator.multivariate_normal([0, 0, 0], [[1, 0.3, 0], [0.3, 1, 0], [0, 0, 1]], rows)
    common = generator.standard_normal(rows)
    scores = np.sqrt(1 - method) * traits + np.sqrt(method) * common[:, None]
    return pd.DataFrame(scores, columns=["trust", "quality", "marker"])


def test_by_definition():
    data = answers(0.3)
    found = sr.marker_variable(data, "marker", ["trust", "quality"], data_kind=DataKind.SIMULATED)
    assert isinstance(found, Result)
    correlation = data.corr()
    shared = correlation.loc["marker", ["trust", "quality"]].min()
    assert found.shared == pytest.approx(shared)
    observed = correlation.loc["trust", "quality"]
    pair = found.pairs[0]
    assert pair.correlation == pytest.approx(observed)
    partial = (observed - shared) / (1 - shared)
    assert pair.partial[0] == pytest.approx(partial)
    statistic = partial / np.sqrt((1 - partial**2) / (len(data) - 3))
    from scipy import stats

    assert pair.partial_p[0] == pytest.approx(2 * stats.t.sf(abs(statistic), len(data) - 3))
    assert pair.p_value == pytest.approx(stats.pearsonr(data["trust"], data["quality"])[1])
    for level, upper in zip(SENSITIVITY, found.upper, strict=True):
        expected = np.tanh(np.arctanh(shared) + stats.norm.ppf(level) / np.sqrt(len(data) - 3))
        assert upper == pytest.approx(expected)
    # in the population of this model the partial correlation is that of the traits
    assert partial == pytest.approx(0.3, abs=0.08)
    assert observed > 0.4
    assert list(found.tidy().columns[: len(TIDY_COLUMNS)]) == list(TIDY_COLUMNS)
    assert found.glance().loc[0, "data_kind"] == "simulated"


def test_what_is_only_method_is_lost():
    generator = np.random.default_rng(9)
    common = generator.standard_normal(400)
    data = pd.DataFrame({n: 0.6 * common + 0.8 * generator.standard_normal(400) for n in ("one", "two", "marker")})
    found = sr.marker_variable(data, "marker", ["one", "two"])
    assert found.pairs[0].p_value < 0.001
    assert len(found.lost(2)) == 1
    assert "không dùng" in found.summary("vi").lower()
    assert "corrected estimates" in found.summary("en")


def test_a_marker_that_shares_nothing_takes_nothing_out():
    data = answers(0.0).assign(marker=lambda frame: -frame["trust"] + np.arange(600) % 5)
    found = sr.marker_variable(data, "marker", ["trust", "quality"])
    assert found.shared == 0
    assert found.pairs[0].partial[0] == found.pairs[0].correlation
    assert found.notes[0] == "common_method.note.no_shared"


def test_scales_are_item_means_and_a_given_value_is_kept(items):
    scales = {"access": ["access1", "access2"], "staff": ["staff1", "staff2", "staff3"]}
    found = sr.marker_variable(items, ["feedback1", "feedback2"], scales, marker_correlation=0.2)
    means = pd.DataFrame({name: items[own].mean(axis=1) for name, own in scales.items()})
    assert found.pairs[0].correlation == pytest.approx(means.corr().iloc[0, 1])
    assert found.shared == 0.2
    assert found.given


def test_what_is_refused(items):
    with pytest.raises(OptionError):
        sr.marker_variable(items, "access1", ["staff1"])
    with pytest.raises(OptionError):
        sr.marker_variable(items, "access1")
    with pytest.raises(OptionError):
        sr.marker_variable(items, "access1", ["access1", "staff1"])
    with pytest.raises(OptionError):
        sr.marker_variable(items, "access1", ["staff1", "staff2"], marker_correlation=1.0)
    with pytest.raises(AnalysisError):
        sr.marker_variable(items, "acces", ["staff1", "staff2"])
    with pytest.raises(AnalysisError):
        sr.marker_variable(items, ["access1", "access2"], {"a": ["access1"], "b": ["staff1"]})
    with pytest.raises(AnalysisError):
        sr.marker_variable(items.iloc[:4], "access1", ["staff1", "staff2"])
    cancelling = items.assign(up=items["staff1"], down=-items["staff1"])
    with pytest.raises(AnalysisError, match="both"):
        sr.marker_variable(cancelling, "access1", {"both": ["up", "down"], "other": ["staff2"]})
