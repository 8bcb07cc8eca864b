"""Test statistics of a model, of its baseline and of no model at all: plain and scaled, with degrees of freedom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sipas_research.numerics.correlation import covariance_to_correlation, is_singular
from sipas_research.sem.casewise import LikelihoodScores
from sipas_research.sem.derivatives import expected_hessian, gradient
from sipas_research.sem.discrepancy import Target, inverse_and_log_determinant, value
from sipas_research.sem.information import Information, inverse_within
from sipas_research.sem.missing_tests import Corrected, hole_traces
from sipas_research.sem.optimum import Optimum, Problem, add_block
from sipas_research.sem.options import FitOptions

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Test:
    """A chi-square with its degrees of freedom and what divides it.

    Attributes
    ----------
    statistic : float
        Plain chi-square.
    df : int
    scaling : float
        Scaling factor of the robust test; NaN where there is none.
    shift : float
        What is added after scaling: 0 but for the scaled and shifted test of ordered answers.
    """

    statistic: float
    df: int
    scaling: float = NAN
    shift: float = 0.0

    @property
    def scaled(self) -> float:
        """The scaled chi-square."""
        return self.statistic / self.scaling + self.shift if self.scaling > 0 else NAN


@dataclass(frozen=True, slots=True)
class Tests:
    """Model, baseline and saturated model.

    ``saturated_scaling`` and ``model_scaling`` are the factors of the two log-likelihoods (Yuan & Bentler 2000), NaN
    without a robust estimator. As in lavaan ``model_scaling`` divides by the parameters counted before equalities.
    ``corrected`` is what robust indices of incomplete rows rest on, None where rows are complete.
    """

    model: Test
    baseline: Test
    saturated_scaling: float
    model_scaling: float
    corrected: Corrected | None = None


def degrees_of_freedom(variables: int, predictors: int, groups: int, parameters: int, *, means: bool) -> int:
    """Return the number of sample moments that depend on the model, less the parameters."""
    moments = variables * (variables + 1) // 2 - predictors * (predictors + 1) // 2
    moments += variables - predictors if means else 0
    return groups * moments - parameters


def tests_of(
    problem: Problem, found: Optimum, information: Information, options: FitOptions, predictors: tuple[int, ...],
    sources: tuple[int, ...],
) -> Tests:  # fmt: skip
    """Return the tests of a fit.

    ``sources`` are correlated in the baseline model, ``predictors`` (all of them or none) have the sample's moments.

    ML: n F (Joreskog 1969). GLS: (n - 1) F over groups. ULS: the residual test of Browne (1984, equation 2.20) with
    normal-theory weights. MLM: Satorra & Bentler (1994). MLR: Yuan & Bentler (2000) in the form of Mplus.
    """
    size, outside, groups = len(problem.targets[0].cov), len(predictors), len(problem.targets)
    means = options.meanstructure
    parameters = information.basis.shape[1]
    df = degrees_of_freedom(size, outside, groups, parameters, means=means)
    baseline_df = groups * (size * (size - 1) - len(sources) * (len(sources) - 1)) // 2
    statistic = _statistic(problem, found, information, options)
    if problem.targets[0].holes is not None:
        return _of_holes(problem, found, information, options, (statistic, df, baseline_df), predictors, sources)
    baseline = sum(_baseline(target, predictors, sources, options) for target in problem.targets)
    if not options.robust:
        return Tests(Test(statistic, df), Test(float(baseline), baseline_df), NAN, NAN)
    tests = Test(statistic, df), Test(float(baseline), baseline_df)
    return _scaled(problem, information, options, *tests, predictors, sources)


def _statistic(problem: Problem, found: Optimum, information: Information, options: FitOptions) -> float:
    if options.likelihood:
        return max(problem.n * found.point.distance, 0.0)  # rounding may leave a perfect fit just below zero
    if options.estimator == "GLS":
        parts = zip(problem.targets, found.point.discrepancies, strict=True)
        return float(sum((target.n - 1) * distance for target, distance in parts))
    return _residual_test(problem, found, information)


def _residual_test(problem: Problem, found: Optimum, information: Information) -> float:
    """Return n e' [W - W D (D' W D)^-1 D' W] e with W the normal-theory weight at the sample's moments."""
    if any(is_singular(covariance_to_correlation(target.cov)) for target in problem.targets):
        return NAN
    distance, slope, curve = 0.0, np.zeros(problem.size), np.zeros((problem.size, problem.size))
    for layout, target, at in zip(problem.layouts, problem.targets, found.point.groups, strict=True):
        inverse = inverse_and_log_determinant(target.cov)
        if inverse is None:
            return NAN
        exact = Target(target.cov, target.mean, inverse[0], inverse[1], target.share, target.n, False)
        result = value(at, exact)
        if result is None:
            return NAN
        distance += (target.n - 1) * result[0]
        scale = np.sqrt(target.n - 1)
        np.add.at(slope, layout.free, scale**2 * gradient(at, result[1]))
        add_block(curve, layout, scale**2 * expected_hessian(at, exact.weight, means=target.mean is not None))
    along = information.basis.T @ slope
    inner = information.basis.T @ curve @ information.basis
    return max(distance - 0.5 * float(along @ np.linalg.pinv(inner, hermitian=True) @ along), 0.0)


def _baseline(target: Target, predictors: tuple[int, ...], sources: tuple[int, ...], options: FitOptions) -> float:
    """Return the chi-square of a group's baseline model: only variables that explain others are correlated."""
    cov = target.cov
    if options.likelihood:
        own = np.setdiff1d(np.arange(len(cov)), sources)
        spread = float(np.log(np.diag(cov)[own]).sum())
        if sources:
            spread += float(np.linalg.slogdet(cov[np.ix_(sources, sources)])[1])
        return target.n * (spread - target.log_determinant)
    return _baseline_least_squares(target, predictors, sources, options)


def _baseline_least_squares(
    target: Target, predictors: tuple[int, ...], sources: tuple[int, ...], options: FitOptions
) -> float:
    """Return (n - 1) times the least-squares distance of the best baseline matrix: linear in its entries."""
    cov, weight = target.cov, target.weight
    index = np.array(sources, dtype=np.intp)
    fitted = np.zeros_like(cov)
    fitted[np.ix_(index, index)] = cov[np.ix_(index, index)]
    if options.estimator == "ULS":
        inverse = inverse_and_log_determinant(cov)
        if inverse is None or is_singular(covariance_to_correlation(cov)):
            return NAN
        fitted[np.diag_indices(len(cov))] = np.diag(cov)
        weight = inverse[0]
    left = right = np.setdiff1d(np.arange(len(cov)), index)
    if not predictors and len(index):
        one, other = np.triu_indices(len(index))
        left, right = np.concatenate([left, index[one]]), np.concatenate([right, index[other]])
    factor = np.where(left == right, 0.5, 1.0)
    ratio = weight @ (cov - fitted)
    same, crossed = weight[np.ix_(left, left)], weight[np.ix_(left, right)]
    curve = 2.0 * np.outer(factor, factor) * (same * weight[np.ix_(right, right)] + crossed * crossed.T)
    slope = 2.0 * factor * (ratio @ weight)[left, right]
    explained = float(slope @ np.linalg.solve(curve, slope))
    return (target.n - 1) * 0.5 * (float(np.sum(ratio * ratio.T)) - explained)


def _scaled(
    problem: Problem, information: Information, options: FitOptions, model: Test, baseline: Test,
    predictors: tuple[int, ...], sources: tuple[int, ...],
) -> Tests:  # fmt: skip
    used = inverse_within(information.used, information.basis)
    taken = NAN if information.score_products is None else float(np.sum(used * information.score_products))
    means = options.meanstructure
    if options.estimator == "MLM":
        given = sum(each.structured + (each.mean_part if means else 0.0) for each in information.structured)
        return Tests(
            Test(model.statistic, model.df, _over(given - taken, model.df)),
            Test(baseline.statistic, baseline.df, _over(sum(e.baseline for e in information.structured), baseline.df)),
            NAN,
            NAN,
        )
    whole = sum(_saturated(each, predictors, means) for each in information.likelihood)
    base = sum(_baseline_taken(each, predictors, sources, means) for each in information.likelihood)
    return Tests(
        Test(model.statistic, model.df, _over(whole - taken, model.df)),
        Test(baseline.statistic, baseline.df, _over(whole - base, baseline.df)),
        _over(whole, model.df + information.basis.shape[1]),
        _over(taken, sum(len(layout.free) for layout in problem.layouts)),
    )


def _of_holes(
    problem: Problem, found: Optimum, information: Information, options: FitOptions,
    known: tuple[float, int, int], predictors: tuple[int, ...], sources: tuple[int, ...],
) -> Tests:  # fmt: skip
    """Return the tests of a model of incomplete rows; ``known`` are the chi-square and both degrees of freedom."""
    statistic, df, baseline_df = known
    basis = information.basis
    observed = options.information == "observed"
    traces = hole_traces(problem, found, basis, predictors, sources, robust=options.robust, observed=observed)
    taken = NAN
    if information.score_products is not None:
        taken = float(np.sum(inverse_within(information.used, basis) * information.score_products))
    return Tests(
        Test(statistic, df, _over(traces.saturated - taken, df)),
        Test(traces.baseline, baseline_df, _over(traces.saturated - traces.baseline_taken, baseline_df)),
        _over(traces.saturated, df + basis.shape[1]),
        _over(taken, sum(len(layout.free) for layout in problem.layouts)),
        traces.corrected,
    )


def _over(value: float, count: int) -> float:
    return value / count if count > 0 else NAN


def _saturated(each: LikelihoodScores, predictors: tuple[int, ...], means: bool) -> float:
    """Return tr1 of a group: half the part of covariances, and that of means; predictors' own part left out."""
    fourth, known = each.fourth, 1.0 if predictors else 0.0
    found = 0.5 * (fourth.covariances - known * fourth.outside_covariances)
    return found + (fourth.means - known * fourth.outside_means if means else 0.0)


def _baseline_taken(
    each: LikelihoodScores, predictors: tuple[int, ...], sources: tuple[int, ...], means: bool
) -> float:
    """Return tr(I^-1 J) of a group's baseline model: variances (and means), and the sources' block where it is free."""
    fourth, free = each.fourth, 0.0 if predictors else 1.0
    own = np.setdiff1d(np.arange(len(fourth.own_means)), sources)
    found = 0.5 * (float(fourth.own_covariances[own].sum()) + free * fourth.outside_covariances)
    return found + (float(fourth.own_means[own].sum()) + free * fourth.outside_means if means else 0.0)
