"""Extraction by second roads: numerical slopes, closed forms, matrices that were made from known factors."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from sipas_research.numerics.adequacy import sampling_adequacy, sphericity
from sipas_research.numerics.correlation import (
    correlation,
    covariance,
    covariance_to_correlation,
    is_constant,
    is_singular,
)
from sipas_research.numerics.extraction import (
    LOWEST_UNIQUENESS,
    METHODS,
    extract,
    likelihood_discrepancy,
    minres_discrepancy,
    squared_multiple_correlations,
)
from sipas_research.numerics.factor_fit import (
    degrees_of_freedom,
    factor_fit,
    likelihood_ratio,
    most_factors,
    rmsea_interval,
)

SLOPE = 1e-5  # forward differences with steps of 1e-7 carry about half of the digits
EXACT = 1e-6  # a population matrix is reproduced as far as a slope of 1e-9 in the variances says


@pytest.fixture(scope="module")
def sample() -> np.ndarray:
    generator = np.random.default_rng(20)
    pattern = np.kron(np.eye(3), np.array([[0.8], [0.7], [0.6], [0.5]]))
    return generator.standard_normal((300, 3)) @ pattern.T + generator.standard_normal((300, 12))


@pytest.mark.parametrize("discrepancy", [minres_discrepancy, likelihood_discrepancy])
@pytest.mark.parametrize("factors", [1, 3, 6])
def test_analytic_slopes_equal_numerical_ones(sample, discrepancy, factors):
    matrix = correlation(sample)
    generator = np.random.default_rng(factors)
    for _ in range(5):
        place = np.log(generator.uniform(0.2, 1.4, size=12))
        numerical = approx_fprime(place, lambda at: discrepancy(at, matrix, factors)[0], 1e-7)
        np.testing.assert_allclose(discrepancy(place, matrix, factors)[1], numerical, atol=SLOPE)


def test_minres_value_is_half_the_squared_residuals(sample):
    matrix = correlation(sample)
    found = extract(matrix, 3, "minres")
    residual = matrix - found.loadings @ found.loadings.T - np.diag(found.uniquenesses)
    assert found.discrepancy == pytest.approx(0.5 * np.sum(residual**2), rel=1e-10)


def test_concentrated_likelihood_equals_the_full_one(sample):
    matrix = correlation(sample)
    found = extract(matrix, 3, "ml")
    implied = found.loadings @ found.loadings.T + np.diag(found.uniquenesses)
    assert found.discrepancy == pytest.approx(likelihood_ratio(matrix, implied), rel=1e-8)
    # scale equations of maximum likelihood: the diagonal is reproduced exactly
    np.testing.assert_allclose(np.diag(implied), 1.0, atol=1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_one_factor_with_equal_loadings_has_a_closed_form(method):
    matrix = np.full((5, 5), 0.49)
    np.fill_diagonal(matrix, 1.0)
    found = extract(matrix, 1, method)
    assert found.converged
    np.testing.assert_allclose(np.abs(found.loadings), 0.7, atol=EXACT)
    np.testing.assert_allclose(found.uniquenesses, 0.51, atol=EXACT)


@pytest.mark.parametrize("method", METHODS)
def test_population_of_two_factors_is_reproduced(method):
    pattern = np.array([[0.8, 0.1], [0.7, 0], [0.6, -0.2], [0.1, 0.7], [0, 0.6], [0.2, 0.8], [0.5, 0.4]])
    matrix = pattern @ pattern.T
    np.fill_diagonal(matrix, 1.0)
    found = extract(matrix, 2, method)
    assert found.converged
    np.testing.assert_allclose(found.loadings @ found.loadings.T, pattern @ pattern.T, atol=1e-5)


def test_principal_axes_and_minres_meet(sample):
    matrix = correlation(sample)
    axes, minres = extract(matrix, 3, "pa"), extract(matrix, 3, "minres")
    np.testing.assert_allclose(np.abs(axes.loadings), np.abs(minres.loadings), atol=1e-5)
    assert axes.discrepancy >= minres.discrepancy * (1 - 1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_limit_is_a_flag(sample, method):
    assert not extract(correlation(sample), 3, method, max_iterations=1).converged


@pytest.mark.parametrize("method", METHODS)
def test_heywood_case_stops_at_the_bound(method):
    # r12 r13 / r23 = 1.28: the first communality would pass one
    matrix = np.array([[1, 0.8, 0.8], [0.8, 1, 0.5], [0.8, 0.5, 1.0]])
    found = extract(matrix, 1, method)
    assert found.at_bound.tolist() == [True, False, False]
    assert found.uniquenesses[0] == pytest.approx(LOWEST_UNIQUENESS, rel=1e-6)


def test_singular_matrices():
    twice = np.array([[1, 1, 0.3], [1, 1, 0.3], [0.3, 0.3, 1.0]])
    assert is_singular(twice)
    for refused in (sampling_adequacy, lambda m: sphericity(m, 50), lambda m: extract(m, 1, "ml")):
        with pytest.raises(ValueError, match=r"singular|definite"):
            refused(twice)
    np.testing.assert_allclose(squared_multiple_correlations(twice), [1, 1, 0.3])
    assert np.isnan(factor_fit(twice, np.eye(3), 1, 50).statistic)


def test_correlation_against_numpy_and_its_refusals(sample):
    np.testing.assert_allclose(covariance(sample), np.cov(sample.T), rtol=1e-12)
    np.testing.assert_allclose(correlation(sample), np.corrcoef(sample.T), rtol=1e-12, atol=1e-15)
    assert not correlation(sample).flags.writeable
    for bad in (sample[:1], sample[:, 0], np.array([[1, np.nan], [2, 3.0]])):
        with pytest.raises(ValueError, match="finite numbers"):
            covariance(bad)
    with pytest.raises(ValueError, match="constant"):
        covariance_to_correlation(np.diag([1.0, 0.0]))
    columns = np.array([[1, np.nan, 2], [1, np.nan, np.nan], [1, np.nan, 3]])
    assert is_constant(columns).tolist() == [True, True, False]


def test_adequacy_of_compound_symmetry_has_a_closed_form():
    size, common = 4, 0.4
    matrix = np.full((size, size), common)
    np.fill_diagonal(matrix, 1.0)
    partial = common / (1 + (size - 2) * common)  # given the other two items
    found = sampling_adequacy(matrix)
    assert found.overall == pytest.approx(common**2 / (common**2 + partial**2), rel=1e-12)
    np.testing.assert_allclose(found.anti_image[0, 1], -partial, rtol=1e-12)
    determinant = (1 - common) ** (size - 1) * (1 + (size - 1) * common)
    assert sphericity(matrix, 100).statistic == pytest.approx(-(99 - 13 / 6) * np.log(determinant), rel=1e-12)


def test_sphericity_of_independent_items_is_uniform():
    generator = np.random.default_rng(4)
    tails = [sphericity(correlation(generator.standard_normal((200, 5))), 200).p_value for _ in range(300)]
    assert 0.02 < np.mean(np.array(tails) < 0.05) < 0.09
    assert sphericity(np.eye(5), 200).p_value == 1.0


def test_degrees_of_freedom():
    assert degrees_of_freedom(22, 5) == 131
    assert [most_factors(p) for p in (2, 3, 4, 5, 6, 22)] == [0, 1, 1, 2, 3, 15]


def test_rmsea_interval_inverts_the_noncentral_chi_square():
    from scipy.stats import ncx2

    low, high = rmsea_interval(200.0, 131, 1200)
    for end, share in ((low, 0.95), (high, 0.05)):
        assert ncx2.cdf(200.0, 131, end**2 * 131 * 1200) == pytest.approx(share, abs=1e-8)
    assert rmsea_interval(100.0, 131, 1200)[0] == 0.0


def test_fit_without_degrees_of_freedom_is_missing():
    matrix = np.full((3, 3), 0.49) + 0.51 * np.eye(3)
    fit = factor_fit(matrix, matrix, 1, 100)
    assert fit.df == 0
    assert fit.statistic == pytest.approx(0, abs=1e-9)
    assert np.isnan([fit.p_value, fit.rmsea, fit.tli]).all()
