"""Gradients and Hessians against finite differences, at points that are no minimum."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from sipas_research.results import DataKind
from sipas_research.sem.casewise import likelihood_scores, moment_scores
from sipas_research.sem.defaults import build_table
from sipas_research.sem.discrepancy import target_of
from sipas_research.sem.information import normal_theory
from sipas_research.sem.layout import layout_of
from sipas_research.sem.moments import GroupSample
from sipas_research.sem.optimum import Optimum, Point, Problem, hessian_of, point_at, slope_of
from sipas_research.sem.options import FitOptions, fit_options
from sipas_research.sem.sampling import Sample, gather, grouping_of
from sipas_research.sem.starting import starting_values
from sipas_research.sem.syntax import parse_model

MODELS = {
    "factors": "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6 + x1\nx2 ~~ x5",
    "structure": "f =~ x1 + x2 + x3\ng =~ x4 + x5\ng ~ f + z\nz2 ~ g + x6\nx6 ~ z",
    "second order": "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\nh =~ a*f + a*g\nh ~ z",
    "feedback": "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\nf ~ g + z\ng ~ f + z2\nf ~~ g",
    "shared": "f =~ x1 + a*x2 + a*x3\nx4 ~ a*f + b*x5\nx1 ~~ v*x1\nx2 ~~ v*x2\nx5 ~~ b*x6",
    "observed": "x1 ~ x2 + x3\nx4 ~ x1 + x5\nx1 ~~ x4",
}
ESTIMATORS = ("ML", "GLS", "ULS")


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(17)
    common = rng.normal(size=(240, 2)) @ np.array([[1.0, 0.4], [0.0, 1.0]])
    loads = np.array([[1, 0.8, 0.9, 0.2, 0, 0, 0.3, 0.2], [0, 0.1, 0, 1, 0.7, 0.9, 0.2, 0.5]])
    values = common @ loads + 0.7 * rng.standard_t(7, size=(240, 8)) + np.arange(8)
    table = pd.DataFrame(values, columns=["x1", "x2", "x3", "x4", "x5", "x6", "z", "z2"])
    return table.assign(place=np.repeat(["a", "b", "c"], [50, 70, 120]))


def problem_of(
    model: str, estimator: str, *, means: bool, group: str | None
) -> tuple[Problem, np.ndarray, Sample, FitOptions]:
    """Return a problem and a point somewhere around its minimum."""
    data, syntax = frame(), parse_model(model)
    grouping = grouping_of(data, group)
    options = fit_options(
        estimator=estimator, group=group, group_equal=("loadings",) if group else (), group_partial=(), std_lv=False,
        orthogonal=False, meanstructure=means, information=None, fixed_x=None, level=0.95, means_needed=False,
    )  # fmt: skip
    table = build_table(syntax, grouping.labels, options)
    sample = gather(data, table.observed, grouping, DataKind.SIMULATED)
    targets = tuple(target_of(each, options, each.n / sample.n) for each in sample.groups)
    layouts = tuple(layout_of(table, k, each.cov, each.mean) for k, each in enumerate(targets))
    start = starting_values(table, [each.cov for each in targets], [each.mean for each in targets])
    away = start + 0.05 * np.random.default_rng(3).normal(size=table.size) * (0.5 + np.abs(start))
    return Problem(layouts, targets, table.size, sample.n), away, sample, options


def point(problem: Problem, theta: np.ndarray) -> Point:
    found = point_at(problem, theta)
    assert found is not None
    return found


def differences(value: Callable[[np.ndarray], np.ndarray | float], theta: np.ndarray) -> np.ndarray:
    """Return the derivative by central differences extrapolated to step zero (Richardson), parameters last."""
    columns = []
    for k in range(len(theta)):
        slopes = []
        for step in (2e-3, 1e-3):
            up, down = theta.copy(), theta.copy()
            up[k] += step
            down[k] -= step
            slopes.append((np.asarray(value(up)) - np.asarray(value(down))) / (2 * step))
        columns.append((4.0 * slopes[1] - slopes[0]) / 3.0)
    return np.stack(columns, axis=-1)


@pytest.mark.parametrize("group", [None, "place"])
@pytest.mark.parametrize("means", [False, True])
@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("name", MODELS)
def test_slopes_and_curvature_are_those_of_the_discrepancy(name, estimator, means, group):
    problem, theta, _, _ = problem_of(MODELS[name], estimator, means=means, group=group)
    here = point(problem, theta)
    slope = slope_of(problem, here)
    np.testing.assert_allclose(slope, differences(lambda t: point(problem, t).distance, theta), atol=2e-7, rtol=1e-6)
    curved = hessian_of(problem, here, observed=True)
    np.testing.assert_allclose(
        curved, differences(lambda t: slope_of(problem, point(problem, t)), theta), atol=2e-6, rtol=2e-6
    )
    assert np.abs(curved - curved.T).max() < 1e-10
    assert np.linalg.norm(slope) > 0.05


@pytest.mark.parametrize("group", [None, "place"])
@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("name", MODELS)
def test_the_expected_hessian_is_made_of_slopes_of_the_moments(name, estimator, group):
    problem, theta, _, _ = problem_of(MODELS[name], estimator, means=True, group=group)
    here = point(problem, theta)
    whole = np.zeros((problem.size, problem.size))
    for k, target in enumerate(problem.targets):
        weight = here.residuals[k].weight
        by_cov = differences(lambda t, k=k: point(problem, t).groups[k].cov, theta)
        by_mean = differences(lambda t, k=k: point(problem, t).groups[k].mean, theta)
        turned = np.einsum("ij,jkp,kl->ilp", weight, by_cov, weight)
        part = np.einsum("ijp,ijq->pq", turned, by_cov) + 2.0 * by_mean.T @ weight @ by_mean
        whole += target.pull * part
    np.testing.assert_allclose(hessian_of(problem, here, observed=False), whole, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_expected_and_observed_agree_where_the_model_fits(name):
    problem, theta, _, _ = problem_of(MODELS[name], "ML", means=True, group=None)
    truth = point(problem, theta).groups[0]
    options = FitOptions(meanstructure=True)
    exact = GroupSample("", tuple(map(str, range(len(truth.cov)))), truth.cov, truth.mean, 240, None)
    fitted = Problem(problem.layouts, (target_of(exact, options, 1.0),), problem.size, 240)
    here = point(fitted, theta)
    assert here.distance == pytest.approx(0.0, abs=1e-9)
    expected, observed = (hessian_of(fitted, here, observed=each) for each in (False, True))
    np.testing.assert_allclose(observed, expected, atol=1e-7, rtol=1e-7)


@pytest.mark.parametrize("means", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_casewise_scores_are_slopes_of_the_log_likelihood_of_a_row(name, means):
    problem, theta, sample, _ = problem_of(MODELS[name], "ML", means=means, group=None)
    here = point(problem, theta)
    rows = np.concatenate(list(sample.groups[0].rows()))
    centre = None if means else sample.groups[0].mean

    def log_likelihoods(at: np.ndarray) -> np.ndarray:
        moved = point(problem, at).groups[0]
        z = rows - (moved.mean if centre is None else centre)
        inverse = np.linalg.inv(moved.cov)
        return -0.5 * (np.linalg.slogdet(moved.cov)[1] + np.einsum("ij,jk,ik->i", z, inverse, z))

    layout = problem.layouts[0]
    by_row = differences(log_likelihoods, theta)
    expected = by_row.T @ by_row / len(rows)
    found = likelihood_scores(here.groups[0], here.residuals[0], sample.groups[0], ()).products
    whole = np.zeros((problem.size, problem.size))
    np.add.at(whole, (layout.free[:, None], layout.free[None, :]), found)
    np.testing.assert_allclose(whole, expected, atol=1e-6, rtol=1e-5)
    np.testing.assert_allclose(by_row.mean(axis=0), -0.5 * slope_of(problem, here), atol=1e-6)


@pytest.mark.parametrize("name", ["factors", "second order", "feedback", "shared"])
def test_centred_products_are_the_covariance_of_the_rows_own_moments(name):
    problem, theta, sample, _ = problem_of(MODELS[name], "ML", means=True, group=None)
    here, group = point(problem, theta), sample.groups[0]
    rows = np.concatenate(list(group.rows())) - group.mean
    weight = here.residuals[0].weight
    by_cov = differences(lambda t: point(problem, t).groups[0].cov, theta)
    by_mean = differences(lambda t: point(problem, t).groups[0].mean, theta)
    turned = np.einsum("ij,jkp,kl->ilp", weight, by_cov, weight)
    each = 0.5 * np.einsum("ni,nj,ijp->np", rows, rows, turned) + rows @ weight @ by_mean
    found = moment_scores(here.groups[0], here.residuals[0], group, ()).products
    free = problem.layouts[0].free
    whole = np.zeros((problem.size, problem.size))
    np.add.at(whole, (free[:, None], free[None, :]), found)
    np.testing.assert_allclose(whole, np.cov(each.T, bias=True), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_normal_theory_products_take_the_samples_fourth_moments_as_normal(name):
    problem, theta, _, _ = problem_of(MODELS[name], "ULS", means=True, group="place")
    here = point(problem, theta)
    whole = np.zeros((problem.size, problem.size))
    for k, target in enumerate(problem.targets):
        by_cov = differences(lambda t, k=k: point(problem, t).groups[k].cov, theta)
        by_mean = differences(lambda t, k=k: point(problem, t).groups[k].mean, theta)
        turned = np.einsum("ij,jkp,kl->ilp", target.cov, by_cov, target.cov)
        whole += target.share * (0.5 * np.einsum("ijp,ijq->pq", turned, by_cov) + by_mean.T @ target.cov @ by_mean)
    found = normal_theory(problem, Optimum(here, True, 0, 0.0, ()))
    np.testing.assert_allclose(found, whole, atol=1e-6, rtol=1e-6)
