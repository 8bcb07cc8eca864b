"""Tests of a model of ordered answers: plain, scaled and shifted, and what robust measures of fit rest on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sipas_research.numerics.correlation import Array
from sipas_research.sem.chi_squares import Test, Tests
from sipas_research.sem.discrepancy import inverse_and_log_determinant
from sipas_research.sem.information import Information, inverse_within
from sipas_research.sem.options import FitOptions
from sipas_research.sem.ordinal_information import ROBUST_ORDINAL, gamma_blocks, traces
from sipas_research.sem.ordinal_moments import Index, MomentShape
from sipas_research.sem.ordinal_problem import OrdinalPoint, OrdinalProblem

NAN = float("nan")
Mask = NDArray[np.bool_]
#: Smallest eigenvalue of a matrix of polychoric correlations that still counts as positive definite.
_POSITIVE = 1.5e-8
#: Thresholds that differ by less than this are the sample's.
_REPRODUCED = 1e-6


def ordinal_tests(problem: OrdinalProblem, point: OrdinalPoint, information: Information, options: FitOptions) -> Tests:
    """Return the tests of a fit and of its baseline, in which nothing is correlated.

    Chi-squares are sums of (n_g - 1) F_g. WLSMV, ULSMV: scaled and shifted, T a + df - a tr(UG) with
    a = sqrt(df / tr((UG)^2)) (Asparouhov & Muthén 2010, Simple second order chi-square correction). The plain
    statistic of DWLS and ULS follows no chi-square distribution.
    """
    rows = sum(each.n for each in problem.samples)
    count = sum(each.shape.size for each in problem.samples)
    df = count - information.basis.shape[1]
    parts = zip(problem.samples, point.discrepancies, strict=True)
    statistic = float(sum((each.total - 1.0) * distance for each, distance in parts))
    free = [free_in_baseline(each.shape) for each in problem.samples]
    baseline_df = int(sum((~each).sum() for each in free))
    baseline = _baseline(problem, free)
    model, start = Test(statistic, df), Test(baseline, baseline_df)
    if options.estimator not in ROBUST_ORDINAL or rows <= 0:
        return Tests(model, start, NAN, NAN)
    first, second = traces(problem, point, information)
    return Tests(shifted(model, first, second), shifted(start, *_baseline_traces(problem, free)), NAN, NAN)


def shifted(test: Test, first: float, second: float) -> Test:
    """Return a test with scale and shift from tr(UG) and tr((UG)^2)."""
    if test.df <= 0 or not second > 0:
        return test
    stretch = math.sqrt(test.df / second)
    return Test(test.statistic, test.df, 1.0 / stretch, test.df - stretch * first)


def free_in_baseline(shape: MomentShape) -> Mask:
    """Return which statistics the baseline reproduces: all but the correlations."""
    free: Mask = np.ones(shape.size, dtype=bool)
    free[shape.starts[2] :] = False
    return free


def _baseline(problem: OrdinalProblem, free: list[Mask]) -> float:
    total = 0.0
    for sample, weight, known in zip(problem.samples, problem.weights, free, strict=True):
        rest = sample.values[~known]
        if weight.ndim == 2:  # the free statistics follow the others: their weight is that of the rest alone
            inner = np.linalg.solve(sample.gamma[np.ix_(~known, ~known)], rest)
            total += (sample.total - 1.0) * float(rest @ inner)
        else:
            total += (sample.total - 1.0) * float(weight[~known] @ rest**2)
    return total


def _baseline_traces(problem: OrdinalProblem, free: list[Mask]) -> tuple[float, float]:
    """Return tr(UG) and tr((UG)^2) of the baseline: with diagonal weights those of the correlations alone."""
    first = second = 0.0
    weights = [t.share * w[~known] for t, w, known in zip(problem.targets, problem.weights, free, strict=True)]
    for g, h, block in gamma_blocks(problem):
        part = block[np.ix_(~free[g], ~free[h])]
        if g == h:
            first += float(np.diag(part) @ weights[g])
        second += float(weights[g] @ (part**2 @ weights[h]))
    return first, second


@dataclass(frozen=True, slots=True)
class CorrelationTest:
    """Normal-theory chi-squares of the polychoric correlations at the estimates, and what a degree of freedom is worth.

    Savalei (2021), Structural Equation Modeling 28, 553-569.
    """

    statistic: float
    factor: float
    baseline: float
    baseline_factor: float


def correlation_test(
    problem: OrdinalProblem, point: OrdinalPoint, information: Information, df: int, baseline_df: int
) -> CorrelationTest | None:
    """Return the test that robust CFI, TLI and RMSEA rest on; None where they are not defined.

    Not defined: covariates or continuous items, thresholds that the model does not reproduce, polychoric correlations
    or implied ones that are not positive definite.
    """
    alone = not any(each.shape.predictors or len(each.shape.numeric) for each in problem.samples)
    cuts = [rest[: len(each.shape.cut_of)] for each, rest in zip(problem.samples, point.missed, strict=True)]
    if not alone or df <= 0 or max(float(np.abs(rest).max(initial=0.0)) for rest in cuts) > _REPRODUCED:
        return None
    total = base = 0.0
    weights = []
    for sample, at in zip(problem.samples, point.each, strict=True):
        places = at.layout.places
        implied = at.given.cov[np.ix_(places, places)] * at.scale * at.scale[:, None]
        if float(np.linalg.eigvalsh(sample.correlation)[0]) < _POSITIVE:
            return None
        found, known = inverse_and_log_determinant(implied), inverse_and_log_determinant(sample.correlation)
        if found is None or known is None:
            return None
        distance = found[1] + float(np.sum(found[0] * sample.correlation)) - known[1] - len(implied)
        total, base = total + sample.total * distance, base - sample.total * known[1]
        weights.append(_correlation_weight(found[0], sample.shape.pairs))
    inverse = inverse_within(information.used, information.basis)
    factor = _residual_trace(problem, point, weights, inverse) / df
    rows = sum(each.n for each in problem.samples)
    # lavaan divides the matrices by the groups' shares here but does not weigh the groups
    start = sum(
        rows / each.total * float(np.diag(each.gamma)[each.shape.starts[2] :].sum()) for each in problem.samples
    )
    return CorrelationTest(total, factor, base, start / baseline_df)


def _correlation_weight(inverse: Array, pairs: tuple[Index, Index]) -> Array:
    """Return the normal-theory weight of correlations, s^ik s^jl + s^il s^jk."""
    first, second = pairs
    one, two = inverse[first][:, first], inverse[second][:, second]
    cross = inverse[first][:, second]
    return np.asarray(one * two + cross * cross.T)


def _residual_trace(problem: OrdinalProblem, point: OrdinalPoint, weights: list[Array], inverse: Array) -> float:
    """Return tr((I - D E D'W)' V (I - D E D'W) G) over the correlations of all groups."""
    starts = [each.shape.starts[2] for each in problem.samples]
    slopes = [d[s:] for d, s in zip(point.jacobians, starts, strict=True)]
    pulled = [
        target.share * weight[s:, None] * d
        for target, weight, s, d in zip(problem.targets, problem.weights, starts, slopes, strict=True)
    ]
    heavy = [target.share * weight for target, weight in zip(problem.targets, weights, strict=True)]
    inner = sum((d.T @ v @ d for d, v in zip(slopes, heavy, strict=True)), np.zeros_like(inverse))
    middle, crossed, first = np.zeros_like(inverse), np.zeros_like(inverse), 0.0
    for g, h, block in gamma_blocks(problem):
        part = block[starts[g] :, starts[h] :]
        if g == h:
            first += float(np.sum(heavy[g] * part))
        middle += pulled[g].T @ part @ pulled[h]
        crossed += (slopes[g].T @ heavy[g]) @ part @ pulled[h]
    return first - 2.0 * float(np.sum(inverse * crossed)) + float(np.sum((inverse @ inner @ inverse) * middle))
