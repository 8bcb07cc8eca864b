"""Polychoric correlations against closed forms, numeric maxima, differences and seeded truth."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from sipas_research.numerics.bivariate_normal import distribution_function
from sipas_research.numerics.contingency import code_blocks, find_levels, pair_tables
from sipas_research.numerics.polychoric import (
    cell_probabilities,
    fill_empty_cell,
    fit_pairs,
    polychorics,
    polychorics_of,
    thresholds,
)
from sipas_research.numerics.polychoric_influence import covariance, influence, standard_errors

CLOSED_FORM = 1e-12
MAXIMUM = 1e-6  # a maximum found without slopes is known to the square root of machine precision


def columns_of(table):
    cells = [(a, b) for a, row in enumerate(table) for b, n in enumerate(row) for _ in range(n)]
    return [np.array(column) for column in zip(*cells, strict=True)]


def simulated(seed, rows, correlation, cuts):
    generator = np.random.default_rng(seed)
    latent = generator.multivariate_normal(np.zeros(len(correlation)), correlation, size=rows, method="cholesky")
    return [np.searchsorted(cut, column) for cut, column in zip(cuts, latent.T, strict=True)]


@pytest.mark.parametrize("both", [1, 7, 20, 30, 49])
def test_median_splits_have_a_closed_form(both):
    fit = polychorics_of(columns_of([[both, 50 - both], [50 - both, both]]))
    assert fit.correlation[0, 1] == pytest.approx(np.sin(2 * np.pi * (both / 100 - 0.25)), abs=CLOSED_FORM)
    np.testing.assert_allclose(np.concatenate(fit.thresholds), 0.0, atol=CLOSED_FORM)


def test_independent_answers():
    fit = polychorics_of(columns_of([[4, 8, 12], [10, 20, 30]]))
    assert fit.correlation[0, 1] == pytest.approx(0.0, abs=CLOSED_FORM)


def test_thresholds_keep_the_digits_of_a_rare_end():
    cuts = thresholds(np.array([1.0, 1e7, 1.0]))
    assert cuts[1] == -cuts[0]
    assert cuts[0] == pytest.approx(-5.1993374, abs=1e-6)


@pytest.mark.parametrize("shape", [(2, 2), (2, 5), (3, 3), (5, 5), (11, 2), (30, 4)])
def test_slopes_of_the_likelihood_match_differences(shape):
    generator = np.random.default_rng(shape[0])
    x, y = (np.sort(generator.normal(size=(40, size - 1)), axis=1) for size in shape)
    rho, step = generator.uniform(-0.85, 0.85, size=40), 1e-5
    probability, ratio, curve = cell_probabilities(x, y, rho)
    high, low = (cell_probabilities(x, y, rho + sign * step) for sign in (1, -1))
    np.testing.assert_allclose(probability.sum(axis=(1, 2)), 1.0, atol=1e-11)
    np.testing.assert_allclose(probability * ratio, (high[0] - low[0]) / (2 * step), atol=1e-7)
    slopes = (high[0] * high[1] - low[0] * low[1]) / (2 * step)
    np.testing.assert_allclose(probability * curve, slopes, atol=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_the_likelihood_is_at_its_maximum(seed):
    generator = np.random.default_rng(seed)
    table = generator.integers(0, 30, size=(4, 5)).astype(float) + np.eye(4, 5) * 40
    x, y = thresholds(table.sum(axis=1)), thresholds(table.sum(axis=0))
    fit = fit_pairs(table[None], x[None], y[None])

    def minus_log_likelihood(rho):
        ends_x, ends_y = np.array([-np.inf, *x, np.inf]), np.array([-np.inf, *y, np.inf])
        grid = distribution_function(ends_x[:, None], ends_y[None, :], rho)
        return -np.sum(table * np.log(np.diff(np.diff(grid, axis=0), axis=1)))

    best = minimize_scalar(minus_log_likelihood, bounds=(-0.99, 0.99), method="bounded", options={"xatol": 1e-10})
    assert fit.correlation[0] == pytest.approx(best.x, abs=MAXIMUM)
    assert fit.converged.all()
    assert fit.iterations <= 8


def test_one_far_answer_among_almost_perfect_ones():
    table = np.array([[500.0, 5, 1], [5, 500, 5], [0, 5, 500]])
    cuts = thresholds(table.sum(axis=1))[None]
    # maximised with 40 digits: 0.994801653; the cell's probability is 1e-17, beyond a difference of doubles
    assert fit_pairs(table[None], cuts, thresholds(table.sum(axis=0))[None]).correlation[0] == pytest.approx(
        0.9948016, abs=1e-5
    )


@pytest.mark.parametrize(("turned", "sign"), [(False, 1.0), (True, -1.0)])
@pytest.mark.parametrize("categories", [2, 5])
def test_the_same_item_twice_is_at_one(turned, sign, categories):
    codes = np.random.default_rng(9).integers(0, categories, 200)
    fit = polychorics_of([codes, -codes if turned else codes])
    assert fit.correlation[0, 1] == sign
    assert fit.perfect[0, 1]
    assert not fit.adjusted.any()


@pytest.mark.parametrize(
    ("table", "sign"),
    [
        ([[1, 0, 0], [6, 4, 4]], 1.0),
        ([[12, 14, 7, 6], [1, 0, 0, 0]], -1.0),
        ([[13, 0, 0, 0], [5, 6, 0, 0], [0, 5, 4, 7]], 1.0),
        ([[0, 3], [0, 8], [4, 25]], -1.0),
    ],
)
def test_a_table_in_perfect_order_is_at_one(table, sign):
    fit = polychorics_of(columns_of(table))
    assert fit.correlation[0, 1] == sign
    assert fit.perfect[0, 1]
    assert fit.converged.all()


@pytest.mark.parametrize("seed", range(60))
def test_searches_end_at_the_highest_point_of_a_grid(seed):
    generator = np.random.default_rng(seed)
    rows, size = generator.choice([8, 20, 80]), generator.integers(2, 6, 3)
    loading = generator.choice([0.0, 0.6, 0.97, 0.999])
    latent = loading * generator.normal(size=rows) + np.sqrt(1 - loading**2) * generator.normal(size=(3, rows))
    columns = [np.digitize(row, np.sort(generator.normal(size=k - 1))) for row, k in zip(latent, size, strict=True)]
    columns = [np.where(generator.random(rows) < 0.1, np.nan, column) for column in columns]
    levels, _ = find_levels(columns, complete_only=False)
    if any(len(level.values) < 2 for level in levels):
        return
    tables = pair_tables(code_blocks(columns, levels, complete_only=False), levels)
    fit = polychorics(tables)
    assert fit.converged.all()
    assert fit.iterations < 40
    for first, second in zip(*np.triu_indices(3, 1), strict=True):
        if fit.adjusted[first, second] or not fit.defined[first, second]:
            continue
        shape = (tables.categories[first], tables.categories[second])
        table = tables.stack(tables.counts, np.array([first]), np.array([second]), shape)[0]
        ends = [np.array([-np.inf, *fit.thresholds[item], np.inf]) for item in (first, second)]
        grid = [*np.linspace(-0.98, 0.98, 50), fit.correlation[first, second]]
        surface = distribution_function(ends[0][:, None], ends[1][None, :], np.array(grid)[:, None, None])
        masses = np.maximum(np.diff(np.diff(surface, axis=1), axis=2), 1e-300)
        likelihoods = (table * np.log(masses)).sum(axis=(1, 2))
        assert likelihoods[-1] >= likelihoods.max() - 1e-6


def test_half_an_answer_goes_into_a_single_empty_cell():
    tables = np.array([[[0.0, 5], [3, 9]], [[4, 0], [7, 2]], [[4, 0], [0, 2]], [[4, 1], [5, 2]], [[0, 0.4], [3, 9]]])
    filled, changed = fill_empty_cell(tables)
    np.testing.assert_array_equal(changed, [True, True, False, False, True])
    np.testing.assert_allclose(filled[:2], [[[0.5, 4.5], [2.5, 9.5]], [[3.5, 0.5], [7.5, 1.5]]])
    np.testing.assert_allclose(filled.sum(axis=1), tables.sum(axis=1))
    np.testing.assert_allclose(filled.sum(axis=2), tables.sum(axis=2))
    assert (filled[4] > 0).all()


def test_only_tables_of_two_by_two_are_filled():
    fit = polychorics_of(columns_of([[20, 0], [10, 20]]))
    assert fit.adjusted[0, 1]
    assert fit.empty_cells[0, 1] == 1
    wider = polychorics_of(columns_of([[20, 0, 3], [10, 20, 9]]))
    assert not wider.adjusted.any()
    assert wider.empty_cells[0, 1] == 1


def test_truth_is_recovered():
    truth = np.array([[1.0, 0.6, -0.3, 0.85], [0.6, 1.0, 0.1, 0.5], [-0.3, 0.1, 1.0, -0.2], [0.85, 0.5, -0.2, 1.0]])
    cuts = [np.array([0.4]), np.array([-1.5, -0.5, 0.3, 1.2]), np.linspace(-2, 2, 10), np.array([-1.8, -1.2])]
    columns = simulated(11, 200_000, truth, cuts)
    levels, _ = find_levels(columns, complete_only=False)
    tables = pair_tables(code_blocks(columns, levels, complete_only=False), levels)
    fit = polychorics(tables)
    errors = standard_errors(tables, influence(tables, fit))
    off = np.triu_indices(4, 1)
    assert np.abs((fit.correlation - truth)[off] / errors.correlation[off]).max() < 3.5
    assert errors.correlation[off].max() < 0.01
    for found, true, error in zip(fit.thresholds, cuts, errors.thresholds, strict=True):
        assert np.abs((found - true) / error).max() < 3.5


def test_standard_errors_match_the_spread_over_samples():
    truth, cuts = np.array([[1.0, 0.55], [0.55, 1.0]]), [np.array([-0.5, 0.8]), np.array([-1.0, 0.0, 0.9])]
    found, claimed = [], []
    for seed in range(400):
        columns = simulated(seed, 400, truth, cuts)
        levels, _ = find_levels(columns, complete_only=False)
        tables = pair_tables(code_blocks(columns, levels, complete_only=False), levels)
        fit = polychorics(tables)
        found.append(fit.correlation[0, 1])
        claimed.append(standard_errors(tables, influence(tables, fit)).correlation[0, 1])
    # a standard deviation from 400 samples is known to 3.5%
    assert np.mean(claimed) == pytest.approx(np.std(found), rel=0.12)
    assert np.mean(found) == pytest.approx(0.55, abs=3 * np.std(found) / 20)


@pytest.mark.parametrize("rho", [-0.7, 0.2, 0.9])
def test_influence_is_the_derivative_by_a_weight(rho):
    # one row a cell, weighted by the model's probability: averages over rows are then the model's own
    x, y = np.array([[-0.4, 0.6]]), np.array([[-1.0, 0.1, 0.8]])
    probability = cell_probabilities(x, y, np.array([rho]))[0][0]
    places = np.indices(probability.shape).reshape(2, -1)
    levels, _ = find_levels(list(places), complete_only=False)

    def tables(weights):
        return pair_tables(code_blocks(list(places), levels, complete_only=False, weights=weights), levels)

    def estimates(weights):
        fit = polychorics(tables(weights))
        return np.concatenate([*fit.thresholds, fit.correlation[[0], [1]]])

    weights = probability.ravel() * probability.size
    np.testing.assert_allclose(estimates(weights), [*x[0], *y[0], rho], atol=1e-9)
    found = tables(weights)
    rows = influence(found, polychorics(found)).of(places.astype(np.int8))
    np.testing.assert_allclose(rows @ weights, 0.0, atol=1e-9)
    step = 1e-5
    for place in range(len(weights)):
        moved = weights[place] * step * (np.arange(len(weights)) == place)
        slope = (estimates(weights + moved) - estimates(weights - moved)) / (2 * weights[place] * step)
        np.testing.assert_allclose(rows[:, place], slope, atol=2e-6)


def test_the_joint_covariance_holds_the_standard_errors_and_does_not_depend_on_blocks():
    truth = np.full((3, 3), 0.4) + 0.6 * np.eye(3)
    columns = simulated(8, 3000, truth, [np.array([-0.5, 0.5]), np.array([0.2]), np.array([-1.0, 0.0, 1.0])])
    levels, _ = find_levels(columns, complete_only=False)
    tables = pair_tables(code_blocks(columns, levels, complete_only=False), levels)
    looked_up = influence(tables, polychorics(tables))
    errors = standard_errors(tables, looked_up)
    single = np.concatenate([*errors.thresholds, errors.correlation[np.triu_indices(3, 1)]])
    whole = covariance(code_blocks(columns, levels, complete_only=False), looked_up)
    small = covariance(code_blocks(columns, levels, complete_only=False, block_rows=113), looked_up)
    np.testing.assert_allclose(np.sqrt(np.diag(whole)), single, rtol=1e-12)
    np.testing.assert_allclose(small, whole, atol=1e-15)
    assert looked_up.size == 2 + 1 + 3 + 3


def test_perfect_pairs_have_no_covariance_and_spoil_no_other():
    codes = np.random.default_rng(2).integers(0, 3, (2, 500))
    columns = [codes[0], codes[0], codes[1]]
    levels, _ = find_levels(columns, complete_only=False)
    tables = pair_tables(code_blocks(columns, levels, complete_only=False), levels)
    matrix = covariance(code_blocks(columns, levels, complete_only=False), influence(tables, polychorics(tables)))
    undefined = np.isnan(np.diag(matrix))
    np.testing.assert_array_equal(np.flatnonzero(undefined), [6])
    assert np.isfinite(matrix[~undefined][:, ~undefined]).all()


@pytest.mark.parametrize("bad", [np.ones(9), np.arange(9) + 0.5, np.where(np.arange(9) < 2, np.nan, 1.0)])
def test_the_shortcut_refuses_what_it_cannot_take(bad):
    with pytest.raises(ValueError, match="complete columns"):
        polychorics_of([bad, np.arange(9) % 2])
