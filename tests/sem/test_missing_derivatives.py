"""Gradients and Hessians of incomplete rows against finite differences, at points that are no minimum."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_derivatives import MODELS, differences, frame, point

from sipas_research.results import DataKind
from sipas_research.sem.clusters import clusters_of
from sipas_research.sem.defaults import build_table
from sipas_research.sem.discrepancy import target_of
from sipas_research.sem.hole_sums import hole_sums
from sipas_research.sem.implied import implied
from sipas_research.sem.layout import layout_of
from sipas_research.sem.optimum import Problem, hessian_of, slope_of
from sipas_research.sem.options import fit_options
from sipas_research.sem.sampling import gather, grouping_of
from sipas_research.sem.starting import starting_values
from sipas_research.sem.syntax import parse_model


@pytest.fixture(params=[(name, group) for name in MODELS for group in (None, "place")], ids=str)
def problem(request):
    """Return a problem of rows with holes, and a point around its minimum."""
    name, group = request.param
    data = frame()
    data[["x1", "x3", "x4"]] = data[["x1", "x3", "x4"]].mask(np.random.default_rng(9).random((len(data), 3)) < 0.3)
    grouping = grouping_of(data, group)
    options = fit_options(missing="fiml", group=group, group_equal=("loadings",) if group else (), fixed_x=False)
    table = build_table(parse_model(MODELS[name]), grouping.labels, options)
    sample = gather(data, table.observed, grouping, DataKind.SIMULATED, missing="fiml")
    targets = tuple(target_of(each, options, each.n / sample.n) for each in sample.groups)
    layouts = tuple(layout_of(table, k, each.cov, each.mean) for k, each in enumerate(targets))
    start = starting_values(table, [each.cov for each in targets], [each.mean for each in targets])
    away = start + 0.05 * np.random.default_rng(3).normal(size=table.size) * (0.5 + np.abs(start))
    return Problem(layouts, targets, table.size, sample.n), away, sample


def test_slopes_and_curvature_are_those_of_the_discrepancy(problem):
    given, theta, _ = problem
    here = point(given, theta)
    slope = slope_of(given, here)
    np.testing.assert_allclose(slope, differences(lambda t: point(given, t).distance, theta), atol=2e-7, rtol=1e-6)
    curved = hessian_of(given, here, observed=True)
    np.testing.assert_allclose(
        curved, differences(lambda t: slope_of(given, point(given, t)), theta), atol=2e-6, rtol=2e-6
    )
    assert np.abs(curved - curved.T).max() < 1e-9
    assert np.linalg.norm(slope) > 0.05


def test_the_expected_hessian_is_that_of_each_pattern(problem):
    given, theta, _ = problem
    here, whole = point(given, theta), np.zeros((given.size, given.size))
    for k, target in enumerate(given.targets):
        by_cov = differences(lambda t, k=k: implied(given.layouts[k], t).cov, theta)
        by_mean = differences(lambda t, k=k: implied(given.layouts[k], t).mean, theta)
        counts = np.bincount(target.holes.code)
        for there, count in zip(target.holes.there, counts, strict=True):
            index = np.flatnonzero(there)
            weight = np.linalg.inv(here.groups[k].cov[np.ix_(index, index)])
            inner = by_cov[np.ix_(index, index)]
            turned = np.einsum("ij,jkp,kl->ilp", weight, inner, weight, optimize=True)
            part = (
                np.einsum("ijp,ijq->pq", turned, inner, optimize=True)
                + 2.0 * by_mean[index].T @ weight @ by_mean[index]
            )
            whole += target.pull * count / target.holes.rows * part
    np.testing.assert_allclose(hessian_of(given, here, observed=False), whole, atol=1e-6, rtol=1e-6)


def test_casewise_scores_add_up_to_the_gradient(problem):
    given, theta, sample = problem
    here, total = point(given, theta), np.zeros(given.size)
    for part, at, target in zip(sample.groups, here.groups, given.targets, strict=True):
        halves = (np.arange(part.n) % 2).astype(np.intp)
        clusters = clusters_of([replace(part, clusters=halves)])
        sums = hole_sums(at, replace(target.holes, clusters=halves), clusters)
        np.add.at(total, at.layout.free, -2.0 * sums.totals.sum(axis=0) / sample.n)
    np.testing.assert_allclose(total, slope_of(given, here), rtol=1e-8, atol=1e-10)
