"""Factor scores against lavaan's, and what holds for them by construction."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import AnalysisError, OptionError
from sipas_research.sem.scores import score_weights

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
#: Scores follow estimates; lavaan's own stop about 1e-6 of a standard error away.
TOLERANCE = 1e-5
ORDERED = "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6"


@pytest.fixture(scope="module")
def quality():
    return json.loads((REFERENCE / "sem" / "quality_scores.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def fit(quality):
    return sr.cfa(quality["model"], pd.read_csv(REFERENCE / "factors" / "items.csv"))


@pytest.fixture(scope="module")
def people():
    return pd.read_csv(REFERENCE / "sem" / "holzinger_people.csv")


@pytest.fixture(scope="module")
def answers():
    return json.loads((REFERENCE / "sem" / "holzinger_answers.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("method", ["regression", "bartlett"])
def test_scores_equal_lavaans(fit, quality, method):
    expected = pd.DataFrame(quality[method])
    np.testing.assert_allclose(fit.scores(method).head(10)[expected.columns], expected, atol=TOLERANCE)


@pytest.mark.parametrize("method", ["regression", "bartlett"])
@pytest.mark.parametrize("means", [False, True])
def test_scores_with_observed_predictors_and_direct_effects(people, answers, method, means):
    found = sr.cfa(answers["mimic"], people, meanstructure=means).scores(method)
    expected = pd.DataFrame(answers[f"mimic_{method}"])
    np.testing.assert_allclose(found.head(6)[expected.columns], expected, atol=5 * TOLERANCE)


def test_regression_scores_have_the_covariance_of_the_formula(fit):
    scores = fit.scores()
    weights = score_weights(fit, 0, "regression")
    expected = weights @ fit.samples[0].cov @ weights.T
    np.testing.assert_allclose(np.cov(scores.T, bias=True), expected, atol=1e-10)
    # best linear prediction: the error is uncorrelated with the score when the model holds
    implied = weights @ fit.groups[0].cov @ weights.T
    joint = fit.groups[0].joint[22:, :22] @ weights.T
    np.testing.assert_allclose(implied, joint, atol=1e-10)


def test_bartlett_scores_are_unbiased(fit):
    loadings = fit.tidy().query("op == '=~'").pivot_table(index="rhs", columns="lhs", values="estimate", fill_value=0.0)
    loadings = loadings.loc[list(fit.table.observed), list(fit.table.latents)].to_numpy()
    np.testing.assert_allclose(score_weights(fit, 0, "bartlett") @ loadings, np.eye(5), atol=1e-9)


def test_bartlett_equals_its_form_with_residual_variances(fit):
    p = len(fit.table.observed)
    unique = np.diag(1.0 / np.diag(fit.groups[0].residual)[:p])
    loadings = fit.groups[0].inverse[:p, p:]
    expected = np.linalg.solve(loadings.T @ unique @ loadings, loadings.T @ unique)
    np.testing.assert_allclose(score_weights(fit, 0, "bartlett"), expected, atol=1e-9)


def test_bartlett_scores_with_a_perfect_single_indicator(people):
    fit = sr.cfa("f =~ x1 + x2 + x3\nage =~ ageyr\nageyr ~~ 0*ageyr", people)
    age = fit.scores("bartlett")["age"]
    np.testing.assert_allclose(age, people["ageyr"] - people["ageyr"].mean(), atol=1e-8)


def test_bartlett_scores_of_a_second_order_factor_are_unbiased(people):
    model = "v =~ x1 + x2 + x3\nt =~ x4 + x5 + x6\ns =~ x7 + x8 + x9\ng =~ v + t + s"
    fit = sr.cfa(model, people)
    effects = fit.groups[0].inverse[:9, 9:]
    weights = score_weights(fit, 0, "bartlett")
    assert weights[3] @ effects[:, 3] == pytest.approx(1.0)
    assert np.corrcoef(fit.scores("bartlett")["g"], fit.scores()["g"])[0, 1] > 0.99


def test_rows_keep_the_users_order_and_index(people):
    shuffled = people.sample(frac=1.0, random_state=3)
    shuffled.index = [f"phiếu {k // 2}" for k in range(len(shuffled))]  # labels may repeat
    found = sr.cfa(ORDERED, shuffled, group="school").scores()
    assert list(found.columns) == ["group", "f", "g"]
    assert list(found.index) == list(shuffled.index)
    assert list(found["group"]) == list(shuffled["school"])
    plain = sr.cfa(ORDERED, people, group="school").scores()
    order = people.sample(frac=1.0, random_state=3).index
    np.testing.assert_allclose(found["f"], plain.loc[order, "f"], atol=1e-7)


def test_incomplete_rows_have_no_scores(people):
    holes = people.copy()
    holes.loc[[4, 200], "x2"] = np.nan
    with pytest.warns(sr.errors.DroppedRowsWarning):
        fit = sr.cfa(ORDERED, holes, group="school")
    assert list(fit.scores().index) == [k for k in people.index if k not in (4, 200)]


def test_group_means_of_scores_are_the_latent_means(people):
    fit = sr.cfa(ORDERED, people, group="school", group_equal=("loadings", "intercepts"))
    second = fit.tidy().query("op == '~1' and lhs == 'f' and group == 'Grant-White'")["estimate"].item()
    found = fit.scores("bartlett").groupby("group")["f"].mean()
    assert found["Grant-White"] - found["Pasteur"] == pytest.approx(second, abs=0.1)


def test_moments_without_rows_have_no_scores(people):
    items = people[[f"x{k}" for k in range(1, 7)]]
    fit = sr.cfa(ORDERED, sr.Moments(items.cov(), n=len(items)))
    with pytest.raises(AnalysisError) as caught:
        fit.scores()
    assert caught.value.key == "sem.error.no_rows_for_scores"


def test_rows_in_blocks_without_means(people):
    items = people[[f"x{k}" for k in range(1, 7)]]
    values = items.to_numpy()
    moments = sr.Moments(
        items.cov(), n=len(items), rows=lambda: (values[k : k + 50] for k in range(0, len(values), 50))
    )
    np.testing.assert_allclose(sr.cfa(ORDERED, moments).scores(), sr.cfa(ORDERED, people).scores(), atol=1e-6)


def test_unknown_method_and_models_without_latent_variables(fit, people):
    with pytest.raises(OptionError):
        fit.scores("tenBerge")
    with pytest.raises(AnalysisError) as caught:
        sr.sem("x1 ~ x2", people).scores()
    assert caught.value.key == "sem.error.no_latents"


def test_bartlett_is_refused_where_factors_cannot_be_told_apart(people):
    twins = "".join(f"{name} =~ 1*x1 + 0*x2\n{name} ~~ 0.1*{name}\nf ~~ 0*{name}\n" for name in "gh")
    fit = sr.cfa(f"f =~ x1 + x2 + x3 + x4\n{twins}g ~~ 0*h", people)
    with pytest.raises(AnalysisError) as caught:
        fit.scores("bartlett")
    assert caught.value.key == "sem.error.bartlett"
    assert "g" in caught.value.message("vi")
