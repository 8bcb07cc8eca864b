"""The Fay-Herriot model: the values of an R implementation, closed forms, calibration by simulation, hostile input."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sipas_research.numerics.small_area import fay_herriot, posterior_draws, smoothed_variances, top_probabilities

REFERENCE = Path(__file__).parents[1] / "reference" / "index"


@pytest.fixture(scope="module")
def areas():
    stored = json.loads((REFERENCE / "expected.json").read_text(encoding="utf-8"))
    survey = pd.read_csv(REFERENCE / "survey.csv")
    department = (survey.groupby("agency")["level"].first() == "department").to_numpy(dtype=float)
    table = pd.DataFrame(stored["by_agency"]).sort_values("agency")
    design = np.column_stack([np.ones(len(table)), department])
    return table["index"].to_numpy(), table["se"].to_numpy() ** 2, design, stored["fay_herriot"]


def test_agrees_with_the_reference(areas):
    estimates, variances, design, expected = areas
    fit = fay_herriot(estimates, variances, design)
    assert fit.method == "reml"
    assert fit.variance == pytest.approx(expected["A"], abs=1e-6)
    assert fit.coefficients == pytest.approx(expected["beta"], abs=1e-6)
    assert fit.estimate == pytest.approx(expected["eblup"], abs=1e-6)


def test_equal_variances_have_a_closed_form():
    generator = np.random.default_rng(4)
    values, known, count = generator.normal(0.8, 0.05, 25), 0.0004, 25
    fit = fay_herriot(values, np.full(count, known), np.ones((count, 1)))
    between = values.var(ddof=1) - known
    assert fit.variance == pytest.approx(between, rel=1e-9)
    weight = between / (between + known)
    assert fit.estimate == pytest.approx(values.mean() + weight * (values - values.mean()))
    line = (1 - weight) ** 2 * (between + known) / count
    unsure = known**2 / (between + known) ** 3 * 2 * (between + known) ** 2 / count
    assert fit.mse == pytest.approx(np.full(count, weight * known + line + 2 * unsure))


def test_the_adjusted_likelihood_takes_over_at_zero():
    # all estimates alike: REML gives 0; A * L(A) is largest at D / ((m - 1) / 2 - 1)
    fit = fay_herriot(np.full(20, 0.7), np.full(20, 0.01), np.ones((20, 1)))
    assert fit.method == "adjusted"
    assert fit.variance == pytest.approx(0.01 / (19 / 2 - 1), rel=1e-9)
    assert np.all(fit.shrinkage > 0)
    assert np.all(fit.mse > 0)


def test_order_of_areas_and_scale_do_not_matter(areas):
    estimates, variances, design, _ = areas
    order = np.random.default_rng(1).permutation(len(estimates))
    fit, mixed = (
        fay_herriot(estimates, variances, design),
        fay_herriot(estimates[order], variances[order], design[order]),
    )
    assert mixed.estimate == pytest.approx(fit.estimate[order], abs=1e-12)
    larger = fay_herriot(100 * estimates, 1e4 * variances, design)
    assert larger.estimate == pytest.approx(100 * fit.estimate, rel=1e-10)
    assert larger.mse == pytest.approx(1e4 * fit.mse, rel=1e-8)


def test_shrinks_more_where_less_is_known(areas):
    estimates, variances, design, _ = areas
    fit = fay_herriot(estimates, variances, design)
    assert np.array_equal(np.argsort(fit.shrinkage), np.argsort(-variances))
    assert np.all(np.minimum(estimates, fit.synthetic) - 1e-15 <= fit.estimate)
    assert np.all(fit.estimate <= np.maximum(estimates, fit.synthetic) + 1e-15)
    assert np.all(fit.mse < variances)


def test_mean_squared_error_is_right_on_average():
    generator, runs, count = np.random.default_rng(8), 250, 25
    known = np.tile([0.5, 1.0, 2.0, 4.0, 1.5], 5)
    design = np.column_stack([np.ones(count), np.arange(count) % 2])
    squares, stated = np.zeros(count), np.zeros(count)
    for _ in range(runs):
        truth = design @ [3.0, 1.0] + generator.normal(0, 1.5, count)
        fit = fay_herriot(truth + generator.normal(0, np.sqrt(known)), known, design)
        squares, stated = squares + (fit.estimate - truth) ** 2, stated + fit.mse
    assert stated.mean() / squares.mean() == pytest.approx(1.0, abs=0.07)


def test_draws_agree_with_the_predictor_and_probabilities_add_up(areas):
    estimates, variances, design, _ = areas
    drawn = posterior_draws(estimates, variances, design, generator=np.random.default_rng(1))
    assert drawn.shape == (10_000, len(estimates))
    assert drawn.mean(axis=0) == pytest.approx(fay_herriot(estimates, variances, design).estimate, abs=0.008)
    chances = top_probabilities(drawn, 3)
    assert chances.sum() == pytest.approx(3.0)
    again = posterior_draws(estimates, variances, design, generator=np.random.default_rng(1))
    assert np.array_equal(drawn, again)


def test_areas_that_look_alike_have_equal_chances():
    drawn = posterior_draws(np.full(8, 0.7), np.full(8, 0.01), np.ones((8, 1)), generator=np.random.default_rng(2))
    assert top_probabilities(drawn, 2) == pytest.approx(np.full(8, 0.25), abs=0.02)


def test_posterior_intervals_cover():
    generator, runs, count = np.random.default_rng(3), 120, 12
    known, hits = np.tile([0.5, 1.0, 2.0], 4), 0
    for _ in range(runs):
        truth = 3.0 + generator.normal(0, 1.0, count)
        values = truth + generator.normal(0, np.sqrt(known))
        drawn = posterior_draws(values, known, np.ones((count, 1)), generator=generator, draws=1000)
        low, high = np.quantile(drawn, [0.05, 0.95], axis=0)
        hits += int(((low <= truth) & (truth <= high)).sum())
    assert 0.87 <= hits / (runs * count) <= 0.97


def test_smoothed_variances_share_one_design_effect():
    sizes, shares = np.array([20.0, 80.0, 50.0]), np.array([0.5, 0.8, 0.9])
    simple = shares * (1 - shares) / sizes
    assert smoothed_variances(1.7 * simple, sizes, shares) == pytest.approx(1.7 * simple)
    noisy = smoothed_variances(np.array([1.0, 2.0, 3.0]) * simple, sizes, shares)
    assert noisy / simple == pytest.approx(np.full(3, (19 * 1 + 79 * 2 + 49 * 3) / 147))


@pytest.mark.parametrize(
    ("estimates", "variances", "design"),
    [
        ([0.5, 0.6, 0.7], [0.1, 0.1, 0.1], np.ones((3, 1))),
        ([0.5, np.nan, 0.7, 0.8], np.ones(4), np.ones((4, 1))),
        ([0.5, 0.6, 0.7, 0.8], [1.0, 0.0, 1.0, 1.0], np.ones((4, 1))),
        ([0.5, 0.6, 0.7, 0.8], [1.0, -1.0, 1.0, 1.0], np.ones((4, 1))),
        ([0.5, 0.6, 0.7, 0.8, 0.9], np.ones(5), np.ones((5, 2))),
        ([0.5, 0.6, 0.7, 0.8], np.ones(3), np.ones((4, 1))),
        ([], [], np.ones((0, 1))),
    ],
)
def test_hostile_input_is_refused(estimates, variances, design):
    with pytest.raises(ValueError, match=r"vector|finite|positive|areas|rank"):
        fay_herriot(estimates, variances, design)
    with pytest.raises(ValueError, match=r"size|share|finite|least"):
        smoothed_variances(np.array([1.0, 2.0]), np.array([1.0, 5.0]), np.array([0.5, 0.5]))
