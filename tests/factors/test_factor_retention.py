"""Criteria for the number of factors as researchers call them: tables, planted numbers, hostile inputs."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import AnalysisError, DroppedItemWarning, DroppedRowsWarning, OptionError
from sipas_research.results import TIDY_COLUMNS, DataKind, Result
from sipas_research.wording import keys

CRITERIA = [
    "kaiser",
    "scree",
    "parallel_pca",
    "parallel_paf",
    "map",
    "map_fourth",
    "empirical_kaiser",
    "hull_caf",
    "hull_cfi",
]


def planted(factors: int, per_factor: int, rows: int, seed: int, *, loading: float = 0.75) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    pattern = np.kron(np.eye(factors), np.full((per_factor, 1), loading))
    phi = np.full((factors, factors), 0.25) + 0.75 * np.eye(factors)
    traits = generator.multivariate_normal(np.zeros(factors), phi, rows)
    answers = traits @ pattern.T + np.sqrt(1 - loading**2) * generator.standard_normal((rows, factors * per_factor))
    return pd.DataFrame(answers, columns=[f"x{place}" for place in range(factors * per_factor)])


def five_point(frame: pd.DataFrame) -> pd.DataFrame:
    cut = np.digitize(frame.to_numpy(), [-1.2, -0.4, 0.4, 1.2]) + 1
    return pd.DataFrame(cut, columns=frame.columns)


@pytest.fixture(scope="module")
def retained(items):
    return sr.factor_retention(items)


def test_all_criteria_stand_side_by_side(items, retained):
    assert isinstance(retained, Result)
    table = retained.suggested
    assert list(table.columns) == ["criterion", "n_factors", "reference", "note"]
    assert table["criterion"].tolist() == CRITERIA
    found = table.set_index("criterion")["n_factors"]
    assert (found[["kaiser", "parallel_pca", "parallel_paf", "empirical_kaiser", "hull_caf", "hull_cfi"]] == 5).all()
    assert found["scree"] == 1  # the first factor is strong: the sharpest bend comes after it
    assert found["map"] == 4
    tidy = retained.tidy()
    assert list(tidy.columns) == [*TIDY_COLUMNS, "reference"]
    assert tidy["estimate"].tolist() == table["n_factors"].tolist()
    known = keys("vi")
    assert set(table["note"]) <= set(known)
    glance = retained.glance().iloc[0]
    assert (glance["fewest"], glance["most"], glance["criteria"], glance["n"]) == (1, 5, 9, 1200)


def test_the_summary_chooses_nothing(retained):
    vietnamese, english = retained.summary("vi"), retained.summary("en")
    assert "gợi ý từ 1 đến 5" in vietnamese
    assert "thiết kế của phiếu hỏi" in vietnamese.splitlines()[-1]
    assert len(english.splitlines()) == len(CRITERIA) + 2
    assert "do not decide" in english.splitlines()[-1]


@pytest.mark.parametrize(("factors", "per_factor"), [(1, 8), (2, 6), (4, 5)])
def test_planted_numbers_are_found(factors, per_factor):
    table = sr.factor_retention(planted(factors, per_factor, 600, seed=factors)).suggested
    found = table.set_index("criterion")["n_factors"]
    for criterion in ("parallel_pca", "map", "map_fourth", "empirical_kaiser", "hull_caf", "hull_cfi"):
        assert found[criterion] == factors, criterion


def test_noise_holds_no_factor():
    noise = pd.DataFrame(np.random.default_rng(5).standard_normal((500, 10)))
    found = sr.factor_retention(noise).suggested.set_index("criterion")["n_factors"]
    assert found["parallel_pca"] == found["map"] == found["empirical_kaiser"] == 0
    assert found["kaiser"] >= 3  # Kaiser's rule takes noise for factors


def test_parallel_analysis_rejects_noise_as_often_as_it_says():
    generator = np.random.default_rng(6)
    kept = [
        sr.parallel_analysis(pd.DataFrame(generator.standard_normal((120, 6))), draws=200, seed=seed).n_factors > 0
        for seed in range(200)
    ]
    assert 0.01 <= np.mean(kept) <= 0.11  # five percent with a standard error of 0.015


def test_parallel_tables(items):
    found = sr.parallel_analysis(items, seed=3)
    assert isinstance(found, Result)
    tidy = found.tidy()
    assert list(tidy.columns) == [*TIDY_COLUMNS, "random_mean", "random_quantile", "retained"]
    assert tidy["retained"].sum() == found.n_factors == 5
    np.testing.assert_allclose(tidy["estimate"].sum(), 22)
    assert (tidy["random_quantile"] >= tidy["random_mean"]).all()
    assert found.n_factors_mean >= found.n_factors
    again = sr.parallel_analysis(items, seed=3)
    np.testing.assert_array_equal(again.random_quantile, found.random_quantile)
    assert (sr.parallel_analysis(items, seed=4).random_quantile != found.random_quantile).any()
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.draws = 5
    with pytest.raises(ValueError, match="read-only"):
        found.random_mean[0] = 1.0
    assert "phân vị 95%" in found.summary("vi")
    assert "95% quantile" in found.summary("en")


def test_order_of_rows_and_items_does_not_matter(items):
    shuffled = items.sample(frac=1, random_state=3).sample(frac=1, axis=1, random_state=4)
    for method in ("pca", "paf"):
        one, other = (sr.parallel_analysis(frame, method=method) for frame in (items, shuffled))
        np.testing.assert_allclose(one.eigenvalues, other.eigenvalues, rtol=1e-9)
        np.testing.assert_array_equal(one.random_quantile, other.random_quantile)
    np.testing.assert_allclose(sr.map_test(items).squared, sr.map_test(shuffled).squared, rtol=1e-9)


def test_permutation_and_normal_answers_agree_where_answers_are_nearly_normal():
    frame = planted(3, 4, 400, seed=8)
    normal, shuffled = (sr.parallel_analysis(frame, reference=kind, draws=200) for kind in ("normal", "permutation"))
    np.testing.assert_allclose(normal.random_mean, shuffled.random_mean, atol=0.02)
    assert normal.n_factors == shuffled.n_factors == 3


def test_polychoric_eigenvalues_are_compared_with_polychoric_ones():
    frame = five_point(planted(2, 5, 500, seed=9))
    pearson, ordered = (sr.parallel_analysis(frame, draws=20, correlation=kind) for kind in ("pearson", "polychoric"))
    assert ordered.n_factors == pearson.n_factors == 2
    assert (ordered.reference, pearson.reference) == ("permutation", "normal")
    assert ordered.eigenvalues[0] > pearson.eigenvalues[0]  # cutting answers hides correlation
    assert ordered.random_mean[0] > pearson.random_mean[0]  # and polychoric correlations of noise vary more
    assert sr.map_test(frame, correlation="polychoric").n_factors == 2
    with pytest.raises(OptionError, match="reference"):
        sr.parallel_analysis(frame, correlation="polychoric", reference="normal")


def test_map_tables(items):
    found = sr.map_test(items)
    tidy = found.tidy()
    assert tidy["group"].tolist() == ["2"] * 21 + ["4"] * 21
    assert tidy.loc[tidy["group"] == "2", "estimate"].idxmin() == found.n_factors
    assert "4 thành phần" in found.summary("vi")
    assert found.glance().loc[0, "n_factors_fourth"] == found.n_factors_fourth


@pytest.mark.parametrize(
    "option",
    [{"draws": 9}, {"level": 1.0}, {"method": "efa"}, {"correlation": "spearman"}, {"reference": "bootstrap"}],
)
def test_options_outside_their_vocabulary(items, option):
    with pytest.raises(OptionError) as refused:
        sr.parallel_analysis(items, **option)
    assert str(next(iter(option.values()))) in str(refused.value)


def test_forty_items_on_a_hundred_rows():
    frame = planted(5, 8, 100, seed=10)
    found = sr.factor_retention(frame)
    suggested = found.suggested.set_index("criterion")["n_factors"]
    assert 3 <= suggested["parallel_pca"] <= 6
    assert suggested["kaiser"] >= suggested["parallel_pca"]
    assert np.isfinite(found.hull["caf"]).all()


def test_singular_matrices_are_refused_where_an_inverse_is_needed(items):
    double = items.assign(again=items["access1"])
    for asks in (
        lambda: sr.factor_retention(double),
        lambda: sr.parallel_analysis(double, method="paf"),
    ):
        with pytest.raises(AnalysisError, match="'access1' and 'again'"):
            asks()
    assert sr.parallel_analysis(double).n_factors >= 5
    assert sr.map_test(double).n_factors >= 0
    few = planted(2, 6, 10, seed=11)
    with pytest.raises(AnalysisError, match="Only 10 respondents"):
        sr.factor_retention(few)
    assert sr.parallel_analysis(few).n == 10


def test_constant_items_and_missing_answers_are_told(items):
    holes = items.astype(float).assign(flat=3.0)
    holes.iloc[:40, 2] = np.nan
    with pytest.warns() as caught:
        found = sr.parallel_analysis(holes)
    assert {type(warning.message) for warning in caught} == {DroppedItemWarning, DroppedRowsWarning}
    assert (found.n, found.n_dropped, len(found.items)) == (1160, 40, 22)
    assert caught[0].filename == __file__
    with pytest.raises(AnalysisError, match="at least 2 items"):
        sr.parallel_analysis(items[["access1"]])


def test_two_and_three_items_have_few_answers(items):
    two = sr.factor_retention(items[["access1", "access2"]]).suggested.set_index("criterion")["n_factors"]
    assert two["parallel_pca"] == 1
    assert np.isnan(two[["scree", "hull_caf", "hull_cfi"]]).all()
    three = sr.factor_retention(items[["access1", "access2", "access3"]])
    assert "không có kết quả" in three.summary("vi")
    assert three.glance().loc[0, "most"] == 1


def test_marked_data_stay_marked(items):
    marked = items.assign(data_kind="simulated")
    assert sr.parallel_analysis(marked).data_kind is DataKind.SIMULATED
    assert sr.factor_retention(marked).data_kind is DataKind.SIMULATED


def test_the_hull_of_a_result_cannot_be_changed(items):
    found = sr.factor_retention(items, draws=10)
    before, shown = found.hull, found.hull
    shown.loc[0, "caf"] = 9.0
    pd.testing.assert_frame_equal(found.hull, before)
    assert list(before["free_parameters"])[:2] == [0, items.shape[1]]
    with pytest.raises(ValueError, match="read-only"):
        found.hull_values[0, 0] = 1.0
