"""Weights and clusters: what must hold whatever the numbers, and sums by hand for small models."""

from __future__ import annotations

import warnings

import lavaan_cases as cases
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import sipas_research as sr
from sipas_research.errors import FewClustersWarning
from sipas_research.sem import fourth_moments, moments, residual_errors
from sipas_research.sem.optimum import point_at

MODEL = "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\ng ~ f + z\nind := 2*x1b\nx2 ~ x1b*z"
FACTORS = "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6"
EVERYTHING = ("loadings", "intercepts", "means", "residuals", "lv_variances", "lv_covariances")


def frame(rows: int = 300, clusters: int = 40, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    place = rng.integers(0, clusters, rows)
    shared = 0.5 * rng.normal(size=(clusters, 2))[place]
    common = shared + rng.normal(size=(rows, 2)) @ np.array([[1.0, 0.5], [0.0, 0.8]])
    loads = np.array([[1, 0.8, 0.9, 0.2, 0, 0, 0.3], [0, 0.1, 0, 1, 0.7, 0.9, 0.2]])
    values = common @ loads + 0.7 * rng.standard_t(6, size=(rows, 7)) + np.arange(7)
    table = pd.DataFrame(values, columns=["x1", "x2", "x3", "x4", "x5", "x6", "z"])
    return table.assign(place=place, w=rng.uniform(0.2, 3.0, rows), half=np.where(rng.random(rows) < 0.4, "a", "b"))


def fit(model: str, data: pd.DataFrame, **options: object):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sr.sem(model, data, estimator="MLR", **options)


def same(one, other, stretch: float = 1.0, rows: float = 1.0) -> None:
    """Assert that two fits agree; errors of ``one`` squared are those of ``other`` times ``stretch``."""
    errors = np.sqrt(np.diag(other.vcov()))
    np.testing.assert_allclose((one.theta - other.theta) / errors, 0.0, atol=3e-6)
    np.testing.assert_allclose((one.vcov() - other.vcov() * stretch) / np.outer(errors, errors), 0.0, atol=2e-5)
    for name in ("chisq_scaled", "baseline_chisq_scaled"):
        assert one.measures[name] == pytest.approx(other.measures[name] / stretch, rel=1e-6)
    assert one.measures["chisq"] == pytest.approx(other.measures["chisq"] * rows, rel=1e-6)
    assert one.measures["scaling_factor_h0"] == pytest.approx(other.measures["scaling_factor_h0"] * rows * stretch)
    assert one.measures["scaling_factor_h1"] == pytest.approx(other.measures["scaling_factor_h1"] * rows * stretch)


@pytest.mark.parametrize("model", [MODEL, FACTORS])
@pytest.mark.parametrize("options", [{}, {"fixed_x": False}, {"group": "half", "group_equal": "loadings"}])
def test_weights_that_are_all_equal_change_nothing(model, options):
    data = frame()
    same(fit(model, data.assign(w=7.5), weights="w", **options), fit(model, data, **options))


@pytest.mark.parametrize("options", [{}, {"cluster": "place"}])
def test_the_scale_of_weights_does_not_matter(options):
    data = frame()
    one = fit(MODEL, data, weights="w", **options)
    for factor in (1e-3, 1e6, 1e300):
        same(fit(MODEL, data.assign(w=data["w"] * factor), weights="w", **options), one)


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("options", [{"meanstructure": True}, {"meanstructure": True, "fixed_x": False}])
def test_rows_that_are_their_own_clusters_stand_by_themselves(weights, options):
    data = frame().reset_index(names="own")
    one = fit(MODEL, data, cluster="own", weights=weights, **options)
    same(one, fit(MODEL, data, weights=weights, **options), stretch=300 / 299)


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("options", [{}, {"fixed_x": False}, {"group": "half", "group_equal": "loadings"}])
def test_rows_written_twice_and_clustered_tell_no_more_than_once(weights, options):
    data = frame().reset_index(names="own")
    twice = pd.concat([data, data], ignore_index=True)
    one = fit(MODEL, twice, cluster="own", weights=weights, **options)
    other = fit(MODEL, data, cluster="own", weights=weights, **options)
    same(one, other, rows=2.0)
    left, right = one.residuals("standardized"), other.residuals("standardized")
    np.testing.assert_allclose(left, right, rtol=1e-6, atol=1e-6)


def test_weights_of_zero_leave_rows_out():
    data = frame()
    data.loc[data.index[:30], "w"] = 0.0
    with pytest.warns(sr.errors.DroppedRowsWarning, match="270|30"):
        one = sr.sem(MODEL, data, weights="w")
    same(one, fit(MODEL, data.iloc[30:], weights="w"))
    assert (one.n, one.measures["ntotal"], one.glance()["n_dropped"].item()) == (270, 270.0, 30)


@pytest.mark.parametrize("weights", [None, "w"])
def test_groups_that_clusters_cut_are_not_taken_as_independent(weights):
    data = frame()
    whole = fit(FACTORS, data, cluster="place", weights=weights)
    parts = fit(FACTORS, data, cluster="place", weights=weights, group="half", group_equal=EVERYTHING)
    first = parts.tidy().query("group == 'a'").reset_index(drop=True)
    second = whole.tidy()
    both = first.merge(second, on=["lhs", "op", "rhs"], suffixes=("", "_whole"))
    free = both[both["std_error_whole"] > 0]
    assert len(free) == 19
    np.testing.assert_allclose(free["estimate"], free["estimate_whole"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(free["std_error"], free["std_error_whole"], rtol=1e-5)


def test_groups_with_clusters_of_their_own_count_them_apart():
    data = frame()
    data["place"] = data["place"].astype(str) + data["half"]
    both = fit(FACTORS, data, cluster="place", group="half")
    for label in ("a", "b"):
        alone = fit(FACTORS, data[data["half"] == label], cluster="place").tidy()
        mine = both.tidy().query("group == @label")
        np.testing.assert_allclose(mine["std_error"], alone["std_error"], rtol=1e-6, atol=1e-9)
    part = [fit(FACTORS, data[data["half"] == label], cluster="place").tests.model for label in ("a", "b")]
    whole = both.tests.model
    trace = sum(each.scaling * each.df for each in part)
    assert whole.scaling * whole.df == pytest.approx(trace, rel=1e-6)


@pytest.mark.parametrize("weights", [None, "w"])
def test_errors_and_scaling_by_hand_where_clusters_cut_groups(weights):
    data = frame()
    found = fit(FACTORS, data, cluster="place", weights=weights, group="half", group_equal="loadings")
    scale = np.ones(300) if weights is None else (data["w"] * 300 / data["w"].sum()).to_numpy()
    size, names = found.theta.size, list(found.table.observed)
    scores = np.zeros((300, size))
    for k, label in enumerate(found.table.groups):
        rows = np.flatnonzero(data["half"] == label)
        z = data[names].to_numpy()[rows]

        def each(theta, k=k, z=z):
            at = point_at(found.problem, theta).groups[k]
            away, inverse = z - at.mean, np.linalg.inv(at.cov)
            return -0.5 * (np.linalg.slogdet(at.cov)[1] + np.einsum("ni,ij,nj->n", away, inverse, away))

        for j in range(size):
            step = np.zeros(size)
            step[j] = 1e-5
            scores[rows, j] = (each(found.theta + step) - each(found.theta - step)) / 2e-5
    summed = pd.DataFrame(scores * scale[:, None]).groupby(data["place"].to_numpy()).sum().to_numpy()
    count = len(summed)
    middle = count / (count - 1) * summed.T @ summed
    bread = found.information.basis @ np.linalg.inv(
        found.information.basis.T @ found.information.used @ found.information.basis
    ) @ found.information.basis.T / 300  # fmt: skip
    np.testing.assert_allclose(found.vcov(), bread @ middle @ bread, rtol=1e-5, atol=1e-9)
    given = _saturated_trace(data, names, scale, count)
    model = found.tests.model
    assert model.scaling * model.df == pytest.approx(given - np.trace(bread @ middle), rel=1e-6)
    assert found.tests.saturated_scaling == pytest.approx(given / (2 * 27))


def _saturated_trace(data: pd.DataFrame, names: list[str], scale: np.ndarray, count: int) -> float:
    """Return the trace of A^-1 B of the unrestricted model, group by group, with matrices written out."""
    total, below = 0.0, np.tril_indices(len(names))
    for label in ("b", "a"):
        rows = np.flatnonzero(data["half"] == label)
        w, values = scale[rows], data[names].to_numpy()[rows]
        mean = w @ values / w.sum()
        z = values - mean
        cov = (z * w[:, None]).T @ z / w.sum()
        products = z[:, below[0]] * z[:, below[1]] - cov[below]
        units = pd.DataFrame(np.concatenate([z, products], axis=1) * w[:, None])
        summed = units.groupby(data["place"].to_numpy()[rows]).sum().to_numpy()
        gamma = count / (count - 1) * summed.T @ summed / w.sum()
        normal = np.zeros_like(gamma)
        normal[: len(names), : len(names)] = cov
        i, j = below
        block = cov[np.ix_(i, i)] * cov[np.ix_(j, j)] + cov[np.ix_(i, j)] * cov[np.ix_(j, i)]
        normal[len(names) :, len(names) :] = block
        total += float(np.trace(np.linalg.solve(normal, gamma)))
    return total


@pytest.mark.parametrize("options", [{"cluster": "place"}, {"weights": "w"}, {"cluster": "place", "weights": "w"}])
def test_order_of_rows_names_of_clusters_and_size_of_blocks_do_not_matter(options, monkeypatch):
    data = frame()
    one = fit(MODEL, data, **options)
    left = one.residuals("standardized")
    mixed = data.sample(frac=1.0, random_state=5)
    same(fit(MODEL, mixed.assign(place="c" + mixed["place"].astype(str)), **options), one)
    monkeypatch.setattr(moments, "BLOCK_ROWS", 37)
    monkeypatch.setattr(fourth_moments, "_HELD", 300)
    monkeypatch.setattr(residual_errors, "_HELD", 300)
    other = fit(MODEL, data, **options)
    same(other, one)
    np.testing.assert_allclose(left, other.residuals("standardized"), rtol=1e-7, atol=1e-9)
    monkeypatch.setattr(fourth_moments, "_MANY", 10**6)
    same(fit(MODEL, data, **options), one)


@pytest.mark.parametrize("options", [{}, {"weights": "w"}])
@pytest.mark.parametrize("method", ["satorra_bentler_2001", "satorra_bentler_2010", "satorra_2000"])
def test_comparisons_and_score_tests_allow_for_clusters(options, method):
    data = frame().reset_index(names="own")
    twice = pd.concat([data, data], ignore_index=True)
    strict = "f =~ x1 + a*x2 + a*x3\ng =~ x4 + b*x5 + b*x6"
    results = []
    for table in (data, twice):
        free = fit(FACTORS, table, cluster="own", **options)
        held = fit(strict, table, cluster="own", **options)
        tested = sr.compare(free, held, method=method).tidy().iloc[1]
        released = sr.score_test(held).glance()["statistic"].item()
        largest = held.modification_indices().iloc[0]
        results.append([tested["chisq_diff"], released, largest["mi_scaled"], largest["epc"]])
    np.testing.assert_allclose(results[0], results[1], rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "method", "expected"),
    [
        ({"cluster": "agency"}, "satorra_bentler_2001", 9.989483),
        ({"cluster": "agency"}, "satorra_2000", 9.378619),
        ({"weights": "weight"}, "satorra_bentler_2001", 8.15363),
        ({"weights": "weight", "cluster": "agency"}, "satorra_bentler_2001", 8.116595),
    ],
)
def test_scaled_differences_are_those_of_lavaan(options, method, expected):
    """Reference: lavTestLRT of lavaan 0.6-14. Its Satorra (2000) leaves weights out of Gamma, so it is not one here."""
    data = cases.data("survey")
    model = "access =~ access1 + access2 + access3 + access4\nresult =~ result1 + result2 + result3"
    free = fit(model, data, group="level", **options)
    held = fit(model, data, group="level", group_equal=("loadings", "intercepts"), **options)
    found = sr.compare(free, held, method=method).tidy().iloc[1]
    assert found["df_diff"] == 10
    assert found["chisq_diff"] == pytest.approx(expected, rel=1e-5)


def test_a_released_equality_is_the_wald_test_of_the_free_model_nearly():
    data = frame(rows=3000, clusters=300)
    held = fit(FACTORS, data, cluster="place", group="half", group_equal="loadings")
    free = fit(FACTORS, data, cluster="place", group="half")
    released = sr.score_test(held).glance()
    scaled = sr.compare(free, held).tidy().iloc[1]
    assert released["df"].item() == scaled["df_diff"] == 4
    assert released["statistic"].item() == pytest.approx(scaled["chisq_diff"], rel=0.35)


def test_models_of_different_designs_are_not_compared():
    data = frame()
    free, held = fit(FACTORS, data, cluster="place"), fit(FACTORS + "\nf ~~ 0*g", data, cluster="half")
    with pytest.raises(sr.errors.AnalysisError, match="cụm khác nhau"):
        sr.compare(free, held)
    weighted = fit(FACTORS + "\nf ~~ 0*g", data, weights="w", meanstructure=True)
    with pytest.raises(sr.errors.AnalysisError):
        sr.compare(free, weighted)


def test_student_t_has_one_degree_of_freedom_less_than_clusters():
    found = fit(MODEL, frame(), cluster="place")
    plain, wide = found.tidy(), found.tidy(reference="t")
    degrees = found.sample.n_clusters - 1
    tested = plain["std_error"] > 0
    expected = 2 * stats.t.sf(plain.loc[tested, "statistic"].abs(), degrees)
    np.testing.assert_allclose(wide.loc[tested, "p_value"], expected, rtol=1e-9)
    reach = stats.t.ppf(0.975, degrees) * plain["std_error"]
    np.testing.assert_allclose(wide["conf_high"] - wide["estimate"], reach, rtol=1e-9, atol=1e-12)
    table = found.standardized(reference="t")
    assert (table["conf_high"] - table["estimate"]).max() > 0
    for language, name in (("vi", "Số cụm [place]"), ("en", "Number of clusters [place]")):
        text = found.summary(language)
        assert name in text
        assert "P(>|t|)" in text
    with pytest.raises(sr.errors.OptionError, match="cluster"):
        fit(MODEL, frame()).tidy(reference="t")
    with pytest.raises(sr.errors.OptionError, match="z, t"):
        found.tidy(reference="F")


def test_fewer_clusters_than_parameters_is_a_warning_of_its_own():
    with pytest.warns(FewClustersWarning, match="12"):
        few = sr.cfa(FACTORS, frame(clusters=12), cluster="place")
    assert few.glance()["note"].item() == "few_clusters"
    assert few.glance()["clusters"].item() == 12
    assert "12 cụm cho 19 tham số" in few.summary("vi")
    sr.cfa(FACTORS, frame(), cluster="place")  # and none where there are enough


def test_scores_do_not_depend_on_how_rows_are_weighted_but_through_the_model():
    data = frame()
    found = fit(FACTORS, data, weights="w", cluster="place")
    plain = found.scores()
    centre = np.average(plain, axis=0, weights=data["w"])
    np.testing.assert_allclose(centre, 0.0, atol=1e-8)
