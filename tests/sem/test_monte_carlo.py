"""Monte Carlo intervals: the distribution of a product, refused where the estimates' covariance is not of full rank."""

import dataclasses

import lavaan_cases
import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import AnalysisError, ModelSyntaxError, OptionError

FRAME = lavaan_cases.data("holzinger39")
MODEL = """
visual =~ x1 + x2 + x3
text =~ x4 + x5 + x6
speed =~ x7 + x8 + x9
text ~ a*visual
speed ~ b*text + c*visual
indirect := a*b
total := indirect + c
"""


def test_the_interval_of_a_product_is_that_of_its_distribution():
    fit = sr.sem(MODEL, FRAME)
    found = fit.monte_carlo(200_000, seed=3)
    tidy, expected = found.tidy().set_index("name"), fit.tidy().set_index("label")
    assert tidy.loc["total", "estimate"] == expected.loc["total", "estimate"]
    # total is nearly linear: its delta-method interval is close; the product's is skewed
    assert tidy.loc["total", "std_error"] == pytest.approx(expected.loc["total", "std_error"], rel=0.05)
    a, b = fit.theta[fit.restrictions.labels["a"]], fit.theta[fit.restrictions.labels["b"]]
    places = [fit.restrictions.labels["a"], fit.restrictions.labels["b"]]
    cov = fit.information.vcov[np.ix_(places, places)]
    variance = a**2 * cov[1, 1] + b**2 * cov[0, 0] + 2 * a * b * cov[0, 1] + cov[0, 0] * cov[1, 1] + cov[0, 1] ** 2
    assert found.draws[:, 0].mean() == pytest.approx(a * b + cov[0, 1], abs=6 * np.sqrt(variance / 200_000))
    assert tidy.loc["indirect", "std_error"] == pytest.approx(np.sqrt(variance), rel=0.01)


def test_restrictions_hold_in_every_draw():
    fit = sr.sem(MODEL + "a == 2*c\ngap := a - 2*c\n", FRAME)
    found = fit.monte_carlo(1000)
    place = found.names.index("gap")
    np.testing.assert_allclose(found.draws[:, place], 0.0, atol=1e-10)
    assert found.tidy().loc[0, "conf_low"] < found.tidy().loc[0, "conf_high"]


def test_the_seed_decides_and_summaries_tell():
    fit = sr.sem(MODEL, FRAME, data_kind=sr.DataKind.SIMULATED)
    one, same, other = fit.monte_carlo(2000), fit.monte_carlo(2000), fit.monte_carlo(2000, seed=2)
    assert np.array_equal(one.draws, same.draws)
    assert not np.array_equal(one.draws, other.draws)
    assert one.glance().loc[0, "data_kind"] == "simulated"
    wide = one.tidy(level=0.99)
    assert (wide["conf_low"] < one.tidy()["conf_low"]).all()
    for language in ("vi", "en"):
        assert "indirect" in one.summary(language)
        assert "95%" in one.summary(language)


def test_a_covariance_of_less_than_full_rank_is_refused():
    fit = sr.sem(MODEL, FRAME, estimator="MLR")
    values, vectors = np.linalg.eigh(fit.information.vcov)
    values[:2] = 0.0  # as with fewer clusters than parameters
    lost = dataclasses.replace(fit.information, vcov=(vectors * values) @ vectors.T)
    with pytest.raises(AnalysisError, match="full rank"):
        dataclasses.replace(fit, information=lost).monte_carlo()
    with pytest.warns(sr.errors.NotIdentifiedWarning):
        unknown = sr.sem("f =~ a*x1 + b*x2\ntwice := a*b", FRAME)
    with pytest.raises(AnalysisError, match="full rank"):
        unknown.monte_carlo()


def test_what_cannot_be_simulated_is_refused():
    plain = sr.cfa("f =~ x1 + x2 + x3", FRAME)
    with pytest.raises(AnalysisError, match=":="):
        plain.monte_carlo()
    fit = sr.sem(MODEL, FRAME)
    for wrong in ({"draws": 999}, {"draws": 2e4}, {"seed": -1}, {"seed": True}, {"level": 95.0}):
        with pytest.raises(OptionError):
            fit.monte_carlo(**wrong)


def test_a_definition_without_a_value_is_missing_in_that_draw():
    fit = sr.sem(MODEL + "root := sqrt(c - 0.2)\n", FRAME)
    found = fit.monte_carlo(5000)
    lost = np.isnan(found.draws[:, found.names.index("root")])
    assert 0 < lost.mean() < 0.2
    assert found.tidy().set_index("name").loc["root", "conf_low"] >= 0


def test_a_name_that_nothing_carries_is_refused_with_its_place():
    with pytest.raises(ModelSyntaxError):
        sr.sem(MODEL + "more := a*unknown\n", FRAME)


def test_draws_without_a_value_are_counted_and_told():
    draw = np.random.default_rng(5).normal(size=(300, 2))
    frame = pd.DataFrame({"x": draw[:, 0], "y": 0.05 * draw[:, 0] + draw[:, 1]})
    found = sr.sem("y ~ a*x\nroot := sqrt(a)\ntwice := 2*a", frame).monte_carlo(1000, 3)
    table = found.tidy().set_index("name")
    held = found.draws[np.isfinite(found.draws[:, 0]), 0]
    assert table.loc["root", "draws"] == len(held) < 1000 == table.loc["twice", "draws"]
    assert table.loc["root", "std_error"] == pytest.approx(held.std(ddof=1))
    assert f"no value in {1000 - len(held)} of" in found.summary("en")
    assert "twice: no value" not in found.summary("en")
