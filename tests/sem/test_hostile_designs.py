"""Weights and clusters that make no sense: refused in words, or fitted as well as it goes and told."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import AnalysisError, DroppedRowsWarning, FewClustersWarning, OptionError, SipasError

MODEL = "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6"


def frame(rows: int = 240) -> pd.DataFrame:
    rng = np.random.default_rng(8)
    common = rng.normal(size=(rows, 2))
    loads = np.array([[1, 0.8, 0.9, 0.2, 0, 0], [0.3, 0.1, 0, 1, 0.7, 0.9]])
    table = pd.DataFrame(common @ loads + 0.7 * rng.normal(size=(rows, 6)), columns=[f"x{k}" for k in range(1, 7)])
    return table.assign(w=rng.uniform(0.5, 2.0, rows), c=np.arange(rows) % 60, g=np.where(np.arange(rows) < 120, 1, 2))


@pytest.mark.parametrize(
    ("column", "options", "words"),
    [
        ({"w": -1.0}, {"weights": "w"}, "giá trị âm"),
        ({"w": 0.0}, {"weights": "w"}, "lớn hơn 0"),
        ({"w": np.nan}, {"weights": "w"}, "lớn hơn 0"),
        ({"w": np.inf}, {"weights": "w"}, "hữu hạn"),
        ({"w": "1,5"}, {"weights": "w"}, "hữu hạn"),
        ({"w": True}, {"weights": "w"}, "hữu hạn"),
        ({"c": 1}, {"cluster": "c"}, "một cụm"),
        ({"c": None}, {"cluster": "c"}, "không chia được cụm"),
        ({}, {"cluster": "nowhere"}, "nowhere"),
        ({}, {"weights": "ww"}, "Tên gần giống: w"),
        ({}, {"weights": 3}, "3"),
        ({}, {"cluster": ["c"]}, "c"),
        ({}, {"cluster": "c", "estimator": "ML"}, "MLR"),
        ({}, {"weights": "w", "estimator": "ULS"}, "MLR"),
        ({}, {"cluster": "c", "estimator": "MLM"}, "MLR"),
    ],
)
def test_a_design_without_sense_is_refused_in_words(column, options, words):
    with pytest.raises(SipasError, match=words):
        sr.cfa(MODEL, frame().assign(**column), **options)


def test_moments_have_no_design():
    data = frame()
    moments = sr.Moments(data[[f"x{k}" for k in range(1, 7)]].cov(), None, 240)
    for options in ({"cluster": "c"}, {"weights": "w"}):
        with pytest.raises(OptionError, match="ma trận"):
            sr.cfa(MODEL, moments, **options)


def test_a_group_that_is_one_cluster_is_named():
    with pytest.raises(AnalysisError, match=r"một cụm \[1, 2\]"):
        sr.cfa(MODEL, frame(), cluster="g", group="g")
    data = frame().assign(c=lambda t: np.where(t["g"] == 2, 999, t["c"]))
    with pytest.raises(AnalysisError, match=r"\[2\]"):
        sr.cfa(MODEL, data, cluster="c", group="g")


def test_one_cluster_of_one_row_and_two_clusters_are_told_but_fitted():
    data = frame().assign(c=lambda t: np.where(t.index == 0, 77, t.index % 7))
    with pytest.warns(FewClustersWarning, match="8"):
        found = sr.cfa(MODEL, data, cluster="c")
    assert np.isfinite(found.tidy().loc[1, "std_error"])
    with pytest.warns(FewClustersWarning, match="2"):
        two = sr.cfa(MODEL, frame(), cluster="g")
    assert np.isfinite(two.tidy()["estimate"]).all()
    assert "2 cụm" in two.summary("vi")
    assert two.tidy(reference="t")["conf_high"].sum() > two.tidy()["conf_high"].sum()


def test_rows_without_weight_or_cluster_are_left_out_and_told():
    data = frame()
    data.loc[:19, "w"] = np.nan
    data["c"] = data["c"].astype("Int64")
    data.loc[20:39, "c"] = pd.NA
    with pytest.warns(DroppedRowsWarning, match="quyền số"):
        found = sr.cfa(MODEL, data, weights="w", cluster="c")
    assert (found.n, found.sample.n_clusters) == (200, 60)
    again = sr.cfa(MODEL, data.iloc[40:], weights="w", cluster="c")
    np.testing.assert_allclose(found.vcov(), again.vcov(), rtol=1e-9)


@pytest.mark.parametrize("factor", [1e-300, 1e300, 1.7e308])
def test_weights_of_any_size_do_not_overflow(factor):
    data = frame()
    plain = sr.cfa(MODEL, data, weights="w")
    data["w"] = data["w"] / data["w"].max() * factor
    found = sr.cfa(MODEL, data, weights="w")
    np.testing.assert_allclose(found.tidy()["std_error"], plain.tidy()["std_error"], rtol=1e-6)


def test_one_weight_that_outweighs_all_stops_or_warns():
    data = frame()
    data.loc[0, "w"] = 1e12
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = sr.cfa(MODEL, data, weights="w")
        except SipasError:
            return
    assert not found.converged or np.isfinite(found.measures["chisq"])


@pytest.mark.parametrize("kind", ["category", "object", "float64", "datetime64[ns]", "string"])
def test_clusters_may_be_of_any_type(kind):
    data = frame()
    plain = sr.cfa(MODEL, data, cluster="c")
    column = data["c"].astype("int64").astype(kind) if kind != "string" else data["c"].astype(str).astype("string")
    found = sr.cfa(MODEL, data.assign(c=column), cluster="c")
    np.testing.assert_allclose(found.vcov(), plain.vcov(), rtol=1e-9)


def test_a_number_and_the_same_number_as_text_are_one_cluster():
    data = frame()
    mixed = [str(c) if k % 2 else float(c) for k, c in enumerate(data["c"])]
    found = sr.cfa(MODEL, data.assign(c=pd.Series(mixed, dtype=object)), cluster="c")
    assert found.sample.n_clusters == 60
    np.testing.assert_allclose(found.vcov(), sr.cfa(MODEL, data, cluster="c").vcov(), rtol=1e-9)
    with pytest.warns(DroppedRowsWarning, match="hay cụm"):
        blank = sr.cfa(MODEL, data.assign(c=["  "] * 30 + mixed[30:]), cluster="c")
    assert (blank.n, blank.sample.n_clusters) == (210, 60)


def test_a_group_whose_weights_are_all_zero_is_named():
    data = frame()
    data.loc[data["g"] == 2, "w"] = 0.0
    with pytest.raises(AnalysisError, match="2"), pytest.warns(DroppedRowsWarning):
        sr.cfa(MODEL, data, weights="w", group="g")


def test_weights_and_clusters_may_stand_in_the_model():
    data = frame()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = sr.sem(MODEL + "\nf ~ w", data, weights="w", cluster="c")
    assert np.isfinite(found.tidy()["std_error"]).all()


def test_few_rows_of_a_form_are_refused_under_weights_too():
    data = frame(60)
    data.loc[:53, "w"] = 0.0
    with pytest.raises(SipasError), pytest.warns(DroppedRowsWarning):
        sr.cfa(MODEL, data, weights="w")


@pytest.mark.parametrize("option", ["cluster", "group"])
@pytest.mark.parametrize("cell", [[1], {"a": 1}])
def test_cells_that_are_no_labels_are_refused_in_words(option, cell):
    with pytest.raises(AnalysisError, match="'c' chứa giá trị không làm nhãn được"):
        sr.cfa(MODEL, frame().assign(c=[cell] * 240), **{option: "c"})


@pytest.mark.parametrize("free", ["x2~~x5", "x5~~x2"])
def test_a_covariance_stays_free_whichever_variable_is_named_first(free):
    model, equal = MODEL + "\nx2 ~~ x5", ("residual_covariances",)
    whole = sr.cfa(model, frame(), group="g", group_equal=equal)
    part = sr.cfa(model, frame(), group="g", group_equal=equal, group_partial=free)
    assert (whole.measures["df"], part.measures["df"]) == (15, 14)
