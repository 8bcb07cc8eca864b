"""Explained variance, implied moments, residuals: against lavaan's, and by hand."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import HeywoodWarning, OptionError

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
#: Standardised residuals are ratios of small numbers; lavaan stops its search earlier and writes 1e-7 for zero.
TOLERANCE = 2e-3


def load(name):
    return json.loads((REFERENCE / "sem" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def items():
    return pd.read_csv(REFERENCE / "factors" / "items.csv")


@pytest.fixture(scope="module")
def people():
    return pd.read_csv(REFERENCE / "sem" / "holzinger_people.csv")


@pytest.fixture(scope="module")
def answers():
    return load("holzinger_answers")


@pytest.fixture(scope="module")
def quality(items):
    return sr.cfa(load("quality_scores")["model"], items)


def named(rows, frame):
    return pd.DataFrame(rows)[list(frame.columns)].to_numpy()


def test_quality_model(quality):
    expected = load("quality_scores")
    r2 = quality.r2()
    assert list(r2.columns) == ["variable", "group", "r2", "note"]
    np.testing.assert_allclose(r2["r2"], [expected["r2"][name] for name in r2["variable"]], atol=1e-5)
    cov = quality.implied()
    np.testing.assert_allclose(cov, named(expected["implied"], cov), atol=1e-5)
    rest = quality.residuals()
    np.testing.assert_allclose(rest, named(expected["residual_correlation"], rest), atol=1e-5)


def test_raw_residuals_and_implied_moments_add_up_to_the_sample(quality, items):
    sample = items.cov(ddof=0).loc[quality.implied().index, quality.implied().columns]
    pd.testing.assert_frame_equal(quality.implied() + quality.residuals("raw"), sample, rtol=1e-9)


def test_standardized_residuals_with_empirical_moments(items):
    expected = load("misfit_standardized")
    found = sr.cfa(expected["misfit"], items, estimator="MLR").residuals("standardized")
    rows = [{k: v for k, v in row.items() if k != "_row"} for row in expected["standardized_residuals"]]
    np.testing.assert_allclose(found, named(rows, found), atol=TOLERANCE)


@pytest.mark.parametrize("estimator", ["ML", "MLR", "MLM"])
def test_standardized_residuals_with_observed_predictors(people, answers, estimator):
    fit = sr.sem(answers["mimic"], people, estimator=estimator, meanstructure=estimator == "MLM")
    found = fit.residuals("standardized")
    np.testing.assert_allclose(found, named(answers[f"mimic_residuals_{estimator.lower()}"], found), atol=TOLERANCE)


@pytest.mark.parametrize("estimator", ["ML", "MLR"])
def test_standardized_residuals_of_groups_with_observed_information(people, answers, estimator):
    fit = sr.cfa(
        answers["two"], people, estimator=estimator, group="school", group_equal=("loadings", "intercepts"),
        information="observed",
    )  # fmt: skip
    found, means = fit.residuals("standardized"), fit.residuals("mean")
    for label in answers["group_order"]:
        expected = answers[f"group_residuals_{estimator.lower()}"][label]
        np.testing.assert_allclose(found.loc[label], named(expected["cov"], found), atol=TOLERANCE)
        np.testing.assert_allclose(means.loc[label, "standardized"], expected["mean"], atol=TOLERANCE)


def test_standardized_residuals_of_generalised_least_squares(people, answers):
    found = sr.cfa(answers["two"], people, estimator="GLS").residuals("standardized")
    np.testing.assert_allclose(found, named(answers["gls_residuals"], found), atol=TOLERANCE)


def test_standardized_residuals_are_standard_normal_under_the_model():
    rng = np.random.default_rng(11)
    loadings, found = np.array([0.8, 0.7, 0.6, 0.5]), []
    for _ in range(150):
        values = rng.normal(size=(300, 1)) * loadings + rng.normal(size=(300, 4)) * np.sqrt(1 - loadings**2)
        fit = sr.cfa("f =~ a + b + c + d", pd.DataFrame(values, columns=list("abcd")))
        found.append(fit.residuals("standardized").to_numpy()[np.tril_indices(4, -1)])
    assert np.mean(found) == pytest.approx(0.0, abs=0.15)
    assert np.std(found, axis=0) == pytest.approx(np.ones(6), abs=0.2)


def test_a_model_without_degrees_of_freedom_leaves_no_residual(people):
    fit = sr.cfa("f =~ x1 + x2 + x3", people)
    assert np.abs(fit.residuals("raw")).to_numpy().max() < 1e-7
    assert (fit.residuals("standardized").to_numpy() == 0).all()


def test_residual_correlations_do_not_depend_on_units(people):
    model = "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6"
    scaled = people.assign(x1=people["x1"] * 100, x5=people["x5"] / 50)
    for kind in ("cor", "standardized"):
        np.testing.assert_allclose(
            sr.cfa(model, people).residuals(kind), sr.cfa(model, scaled).residuals(kind), atol=1e-5
        )


def test_groups_stand_below_each_other(people):
    fit = sr.cfa("f =~ x1 + x2 + x3 + x4", people, group="school")
    cov, mean, latent = fit.implied(), fit.implied("mean"), fit.implied("latent_cov")
    assert cov.index.names == ["group", "variable"]
    assert list(cov.index.get_level_values("group").unique()) == list(people["school"].unique())
    assert cov.shape == (8, 4)
    assert mean.loc[("Grant-White", "x3"), "mean"] == pytest.approx(
        people.query("school == 'Grant-White'")["x3"].mean()
    )
    assert latent.shape == (2, 1)
    assert fit.r2().groupby("group").size().to_dict() == {"Pasteur": 4, "Grant-White": 4}


def test_regression_alone_gives_the_r2_of_least_squares(people):
    fit = sr.sem("x1 ~ x2 + x3 + ageyr", people)
    design = np.column_stack([np.ones(len(people)), people[["x2", "x3", "ageyr"]]])
    rest = people["x1"] - design @ np.linalg.lstsq(design, people["x1"], rcond=None)[0]
    assert fit.r2()["r2"].item() == pytest.approx(1 - rest.var() / people["x1"].var(), abs=1e-7)


def test_a_heywood_case_has_no_r2():
    cov = pd.DataFrame([[1.0, 0.8, 0.7], [0.8, 1.0, 0.5], [0.7, 0.5, 1.0]], index=list("abc"), columns=list("abc"))
    with pytest.warns(HeywoodWarning):
        fit = sr.cfa("f =~ a + b + c", sr.Moments(cov, n=200))
    r2 = fit.r2().set_index("variable")
    assert np.isnan(r2.loc["a", "r2"])
    assert r2.loc["a", "note"] == "negative_variance"
    assert r2.loc["b", "r2"] == pytest.approx(0.8 * 0.5 / 0.7)


def test_unknown_answers_are_refused(quality):
    for call in (quality.residuals, quality.implied):
        with pytest.raises(OptionError):
            call("nothing")
    for call in (quality.residuals, quality.implied):
        with pytest.raises(OptionError) as caught:
            call("mean")
        assert caught.value.key == "sem.error.no_mean_structure"
