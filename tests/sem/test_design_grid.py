"""One model with and without the sampling design: the cells are those of the fits, and what the design changes."""

import unicodedata

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import sipas_research as sr
from sipas_research import errors

MODEL = "f =~ a + b + c\ng =~ d + e + h\ng ~ p*f\ntwice := 2*p"
ITEMS = list("abcdeh")
DESIGNS = {
    "rows": {},
    "clusters": {"cluster": "k"},
    "weights": {"weights": "w"},
    "weights_clusters": {"cluster": "k", "weights": "w"},
}
quiet = pytest.mark.filterwarnings("ignore::sipas_research.errors.SipasWarning")


def people(clusters=40, each=10, seed=5, icc=0.3, path=0.4):
    """Return answers with one path, alike within clusters, uneven weights, and a tenth of two items missing."""
    rng = np.random.default_rng(seed)
    code = np.repeat(np.arange(clusters), each)

    def shock():
        own, shared = rng.normal(size=len(code)), rng.normal(size=clusters)[code]
        return np.sqrt(1 - icc) * own + np.sqrt(icc) * shared

    f = shock()
    g = path * f + shock()
    values = {n: 0.8 * s + 0.6 * shock() for n, s in zip(ITEMS, [f, f, f, g, g, g], strict=True)}
    table = pd.DataFrame(values).assign(k=code, w=rng.choice([1.0, 2.0, 3.0], size=len(code)))
    table[["b", "e"]] = table[["b", "e"]].mask(rng.random((len(table), 2)) < 0.1)
    return table


def direct(data, **design):
    return sr.sem(MODEL, data, estimator="MLR", missing="fiml", **design)


def cell(grid, way, op="~"):
    table = grid.tidy()
    return table[(table["way"] == way) & (table["op"] == op)].iloc[0]


@pytest.fixture(scope="module")
def data():
    return people()


@pytest.fixture(scope="module")
def grid(data):
    return sr.design_grid(MODEL, data, cluster="k", weights="w")


def test_cells_are_the_standardised_coefficients_of_each_fit(grid, data):
    assert list(grid.fits) == list(DESIGNS)
    table = grid.tidy()
    assert set(table["op"]) == {"=~", "~", ":="}
    for way, design in DESIGNS.items():
        reference = "t" if "cluster" in design else "z"
        own = direct(data, **design).standardized(reference=reference)
        own = own[own["op"].isin(["=~", "~", ":="])]
        columns = ["estimate", "std_error", "conf_low", "conf_high"]
        mine = table.loc[table["way"] == way, columns]
        np.testing.assert_allclose(mine.to_numpy(), own[columns].to_numpy(), rtol=1e-9)


def test_intervals_of_clustered_ways_are_students(grid):
    for way, clustered in (("rows", False), ("clusters", True), ("weights", False), ("weights_clusters", True)):
        one = cell(grid, way)
        reach = stats.t.ppf(0.975, 39) if clustered else stats.norm.ppf(0.975)
        assert (one["conf_high"] - one["estimate"]) / one["std_error"] == pytest.approx(reach, rel=1e-9)
    wide = cell(sr.design_grid(MODEL, people(12), cluster="k", level=0.8), "clusters")
    assert (wide["conf_high"] - wide["estimate"]) / wide["std_error"] == pytest.approx(stats.t.ppf(0.9, 11), rel=1e-9)


@quiet
def test_copies_of_rows_say_no_more_once_they_are_clusters(data):
    copies = data.drop(columns=["k", "w"]).assign(k=range(len(data)))
    copies = pd.concat([copies] * 4, ignore_index=True)
    grid = sr.design_grid(MODEL, copies, cluster="k")
    once = direct(data).standardized().query("op == '~'").iloc[0]
    clustered, taken = cell(grid, "clusters"), cell(grid, "rows")
    count = len(data)
    assert clustered["estimate"] == pytest.approx(once["estimate"], abs=1e-7)
    assert clustered["std_error"] == pytest.approx(once["std_error"] * np.sqrt(count / (count - 1)), rel=1e-5)
    assert taken["std_error"] == pytest.approx(once["std_error"] / 2, rel=1e-5)


def test_whole_weights_are_copies_of_rows_that_are_clusters(grid, data):
    copies = data.loc[data.index.repeat(data["w"].astype(int))].assign(k=lambda table: table.index)
    copied, weighted = cell(sr.design_grid(MODEL, copies, cluster="k"), "clusters"), cell(grid, "weights")
    count = len(data)
    assert weighted["estimate"] == pytest.approx(copied["estimate"], abs=1e-6)
    assert weighted["std_error"] == pytest.approx(copied["std_error"] * np.sqrt((count - 1) / count), rel=1e-5)


@quiet
def test_clusters_change_a_conclusion_that_rows_are_sure_of():
    data = people(12, 30, seed=2, icc=0.6, path=0.0)
    grid = sr.design_grid(MODEL, data, cluster="k", relations=["~", ":="])
    assert (cell(grid, "rows")["conclusion"], cell(grid, "clusters")["conclusion"]) == ("positive", "unclear")
    assert [cells[0].op for cells in grid.dependent] == ["~", ":="]
    assert grid.tidy()["depends"].all()
    assert "2 of 2 conclusions depend on the sampling design" in grid.summary("en")


@pytest.mark.parametrize("weight", [1.0, 7.5])
def test_equal_weights_change_nothing(data, weight):
    grid = sr.design_grid(MODEL, data.assign(w=weight), cluster="k", weights="w")
    table = grid.tidy().pivot_table(index=["lhs", "rhs"], columns="way", values=["estimate", "std_error", "conf_low"])
    for name in ("estimate", "std_error", "conf_low"):
        np.testing.assert_allclose(table[name, "weights"], table[name, "rows"], rtol=1e-9)
        np.testing.assert_allclose(table[name, "weights_clusters"], table[name, "clusters"], rtol=1e-9)


@pytest.mark.parametrize(("options", "ways"), [({"cluster": "k"}, 2), ({"weights": "w"}, 2)])
def test_only_the_ways_that_the_columns_allow(data, options, ways):
    grid = sr.design_grid(MODEL, data, **options)
    assert list(grid.fits) == ["rows", "clusters" if "cluster" in options else "weights"]
    assert len(grid.relations[0]) == ways
    assert not grid.reasons
    assert grid.fit_measures().empty
    assert grid.glance()["clusters"].tolist() == ([0, 40] if "cluster" in options else [0, 0])


def test_one_cluster_leaves_its_ways_out_with_the_reason(data):
    grid = sr.design_grid(MODEL, data.assign(k="only"), cluster="k", weights="w")
    assert list(grid.fits) == ["rows", "weights"]
    assert list(grid.reasons) == ["clusters", "weights_clusters"]
    assert "nothing shows how clusters differ" in grid.summary("en")
    assert "cùng một cụm" in grid.summary("vi")
    alone = sr.design_grid(MODEL, data.assign(k="only"), cluster="k")
    assert list(alone.fits) == ["rows"]
    assert alone.dependent == ()
    empty = sr.design_grid(MODEL, data.assign(k=None), cluster="k")
    assert "'k'" in str(empty.reasons["clusters"])


def test_rows_without_a_cluster_or_weight_are_left_out_of_their_ways_only(data):
    holes = data.astype({"k": "Int64"})
    holes.loc[:24, "k"] = pd.NA
    holes.loc[390:, "w"] = np.nan
    grid = sr.design_grid(MODEL, holes, cluster="k", weights="w")
    assert {way: fit.n for way, fit in grid.fits.items()} == {
        "rows": 400, "clusters": 375, "weights": 390, "weights_clusters": 365
    }  # fmt: skip
    assert grid.glance()["clusters"].tolist() == [0, 38, 0, 37]
    again = direct(data.iloc[25:], cluster="k").standardized(reference="t").query("op == '~'").iloc[0]
    assert cell(grid, "clusters")["conf_low"] == pytest.approx(again["conf_low"], rel=1e-9)


@quiet
def test_a_column_of_the_design_may_be_a_variable_of_the_model(data):
    data = data.assign(a=np.digitize(data["a"], [-1.0, 0.0, 1.0]) + 1.0)
    grid = sr.design_grid(MODEL, data, cluster="a", weights="a")
    assert grid.fits["clusters"].sample.n_clusters == 4
    for way, design in (("clusters", {"cluster": "a"}), ("weights_clusters", {"cluster": "a", "weights": "a"})):
        own = direct(data, **design).standardized(reference="t").query("op == '~'").iloc[0]
        assert cell(grid, way)["conf_high"] == pytest.approx(own["conf_high"], rel=1e-9)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_with_accents(grid, data, form):
    named = {"k": "Đơn vị", "w": "Quyền số", "a": "tiếp_cận"}
    table = data.rename(columns={old: unicodedata.normalize(form, new) for old, new in named.items()})
    model = MODEL.replace("a + b", "tiếp_cận + b")
    found = sr.design_grid(model, table, cluster="Đơn vị", weights="Quyền số")
    assert found.tidy()["conf_low"].tolist() == pytest.approx(grid.tidy()["conf_low"].tolist(), rel=1e-9)


def test_few_clusters_are_told_and_many_are_not(data):
    grid = sr.design_grid(MODEL, people(12), cluster="k", weights="w")
    few = grid.few_clusters
    assert few is grid.fits["clusters"]
    assert f"12 clusters for {few.parameters} parameters" in grid.summary("en")
    assert "12 cụm" in grid.summary("vi")
    many = sr.design_grid(MODEL, data, cluster="k")
    assert many.few_clusters is None
    assert many.summary("en").count("\n") == 0


def test_kind_of_data_is_the_data_s(data):
    grid = sr.design_grid(MODEL, data.assign(data_kind="simulated"), weights="w")
    assert grid.data_kind is sr.DataKind.SIMULATED
    assert set(grid.glance()["data_kind"]) == {"simulated"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "nothing to compare"),
        ({"cluster": "agency"}, "agency"),
        ({"weights": "weigth"}, "weigth"),
        ({"weights": "w", "relations": ["|"]}, "relations"),
        ({"weights": "w", "level": 95}, "level|0 and 1"),
    ],
)
def test_options_without_sense_are_refused(data, options, words):
    with pytest.raises(errors.OptionError, match=words):
        sr.design_grid(MODEL, data, **options)


def test_moments_have_no_rows_to_weigh():
    with pytest.raises(errors.OptionError):
        sr.design_grid(MODEL, sr.Moments(np.eye(6), np.zeros(6), 200, ITEMS), cluster="k")


def test_a_model_that_no_way_can_fit_gives_the_reason(data):
    with pytest.raises(errors.AnalysisError, match="degrees of freedom: -1"):
        sr.design_grid("f =~ a + b", data, cluster="k")


@quiet
def test_ways_with_too_few_rows_give_no_numbers(data):
    with pytest.raises(errors.AnalysisError, match="no more than the model's 19 parameters"):
        sr.design_grid(MODEL, data.head(19), weights="w")
    short = data.head(19).assign(b=lambda table: table["b"].where(table.index > 3))
    with pytest.raises(errors.AnalysisError, match="parameters"):
        sr.estimator_grid(MODEL, short, ways=["ML", "FIML"])
