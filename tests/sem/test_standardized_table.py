"""Standardised coefficients and their errors: against lavaan's, finite differences and invariances."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import OptionError
from sipas_research.sem.implied import implied
from sipas_research.sem.standardize import row_values, standardized_values
from sipas_research.sem.standardized_table import standardized_slopes

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
TWO = "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6"
COLUMNS = "lhs op rhs level group label estimate std_error statistic p_value conf_low conf_high note".split()


def load(name):
    return json.loads((REFERENCE / "sem" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def people():
    return pd.read_csv(REFERENCE / "sem" / "holzinger_people.csv")


@pytest.fixture(scope="module")
def answers():
    return load("holzinger_answers")


def matches(table, expected, labels=()):
    """Rows of lavaan's table are found in ours, with estimate and standard error."""
    rows = pd.DataFrame(expected)
    group = rows.get("group", pd.Series(0, index=rows.index))
    found = {}
    for row in table.itertuples():
        found[row.lhs, row.op, "" if row.op == ":=" else row.rhs, row.group] = row
        if row.op == "~~":
            found[row.rhs, row.op, row.lhs, row.group] = row
    rhs = np.where(rows["op"] == ":=", "", rows["rhs"])
    count = 0
    for lhs, op, right, where, value, error in zip(
        rows["lhs"], rows["op"], rhs, group, rows["est.std"], rows["se"], strict=True
    ):
        mine = found[lhs, op, right, labels[int(where) - 1] if where else ""]
        assert mine.estimate == pytest.approx(value, abs=2e-5)
        assert mine.std_error == pytest.approx(error, abs=2e-5)
        count += 1
    assert count == len(table)


def test_one_factor_with_robust_errors():
    expected = load("misfit_standardized")
    fit = sr.cfa(expected["misfit"], pd.read_csv(REFERENCE / "factors" / "items.csv"), estimator="MLR")
    table = fit.standardized()
    assert list(table.columns) == COLUMNS
    matches(table, expected["standardized_mlr"])
    reference = pd.DataFrame(expected["standardized_mlr"]).set_index("rhs").loc["access1"].iloc[0]
    first = table.iloc[0]
    assert first["conf_low"] == pytest.approx(reference["ci.lower"], abs=2e-5)
    assert first["statistic"] == pytest.approx(reference["z"], rel=1e-4)


@pytest.mark.parametrize("scale", ["all", "lv"])
def test_defined_parameters(people, answers, scale):
    fit = sr.sem(answers["mediation"], people, estimator="MLR")
    matches(fit.standardized(scale=scale), answers[f"mediation_std_{scale}"])


@pytest.mark.parametrize("scale", ["all", "lv"])
def test_observed_predictors_count_as_known(people, answers, scale):
    matches(sr.sem(answers["mimic"], people).standardized(scale=scale), answers[f"mimic_std_{scale}"])


@pytest.mark.parametrize("estimator", ["ML", "MLR"])
def test_groups_with_equalities(people, answers, estimator):
    fit = sr.cfa(
        answers["two"], people, estimator=estimator, group="school", group_equal=("loadings", "intercepts"),
        information="observed",
    )  # fmt: skip
    matches(fit.standardized(), answers[f"group_std_all_{estimator.lower()}"], answers["group_order"])


@pytest.mark.parametrize("scale", ["all", "lv"])
def test_the_jacobian_is_that_of_finite_differences(people, scale):
    model = TWO + "\ng ~ a*f + b*ageyr\nx1 ~~ x4\nx7 ~ f + x8\nind := a*b\nmore := ind + a^2"
    fit = sr.sem(model, people, group="school", group_equal=("loadings",), meanstructure=True)
    values, slopes = standardized_slopes(fit, scale)
    definitions = 2
    step = 1e-6
    for k in range(fit.theta.size):
        ends = []
        for sign in (1.0, -1.0):
            theta = fit.theta.copy()
            theta[k] += sign * step
            groups = [implied(at.layout, theta) for at in fit.groups]
            ends.append(standardized_values(fit.rows, row_values(fit.rows, theta, groups), groups, scale))
        difference = (ends[0] - ends[1]) / (2 * step)
        np.testing.assert_allclose(slopes[:-definitions, k], difference, atol=2e-8 + 2e-7 * np.abs(difference).max())
    labels = dict(zip(fit.tidy()["label"], range(len(values)), strict=True))
    first = {name: [r.label for r in fit.table.rows].index(name) for name in "ab"}
    a, b = first["a"], first["b"]
    np.testing.assert_allclose(slopes[labels["ind"]], values[a] * slopes[b] + values[b] * slopes[a], atol=1e-12)
    np.testing.assert_allclose(slopes[labels["more"]], slopes[labels["ind"]] + 2 * values[a] * slopes[a], atol=1e-12)


def compared(first, second, columns=("estimate", "std_error")):
    for column in columns:
        np.testing.assert_allclose(first[column], second[column], atol=1e-6)


@pytest.mark.parametrize("estimator", ["ML", "MLR", "GLS"])
def test_the_units_of_items_do_not_matter(people, estimator):
    scaled = people.assign(x1=people["x1"] * 1000, x2=people["x2"] / 30, x5=people["x5"] * 7)
    compared(
        sr.cfa(TWO, people, estimator=estimator).standardized(), sr.cfa(TWO, scaled, estimator=estimator).standardized()
    )


@pytest.mark.parametrize("scale", ["all", "lv"])
def test_the_scale_of_latent_variables_does_not_matter(people, scale):
    compared(sr.cfa(TWO, people).standardized(scale=scale), sr.cfa(TWO, people, std_lv=True).standardized(scale=scale))


def test_a_correlation_has_the_standard_error_of_the_textbook(people):
    fit = sr.sem("x1 ~~ x2", people)
    row = fit.standardized().query("lhs != rhs").iloc[0]
    expected = np.corrcoef(people["x1"], people["x2"])[0, 1]
    assert row["estimate"] == pytest.approx(expected)
    assert row["std_error"] == pytest.approx((1 - expected**2) / np.sqrt(len(people)))


def test_constants_have_no_error(people):
    table = sr.cfa(TWO, people).standardized()
    latent = table.query("lhs == rhs and lhs in ('f', 'g')")
    assert list(latent["std_error"]) == [0.0, 0.0]
    assert list(latent["note"]) == ["fixed", "fixed"]
    assert latent["p_value"].isna().all()
    assert (table.query("op == '=~'")["std_error"] > 0).all()


def test_values_are_those_of_the_table(people):
    fit = sr.sem(TWO + "\ng ~ a*f\nd := a^2", people)
    tidy = fit.tidy()
    np.testing.assert_allclose(fit.standardized()["estimate"], tidy["std_all"], atol=1e-12)
    np.testing.assert_allclose(fit.standardized(scale="lv")["estimate"], tidy["std_lv"], atol=1e-12)


def test_level_sets_the_interval(people):
    fit = sr.cfa(TWO, people)
    wide, narrow = fit.standardized(level=0.99).iloc[0], fit.standardized(level=0.5).iloc[0]
    assert wide["conf_low"] < narrow["conf_low"] < narrow["conf_high"] < wide["conf_high"]
    for wrong in ({"scale": "std.all"}, {"level": 95.0}, {"level": 1}):
        with pytest.raises(OptionError):
            fit.standardized(**wrong)
