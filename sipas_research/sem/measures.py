"""All measures of fit of one model under lavaan's names (dots turned into underscores); NaN where not defined."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sipas_research.numerics.correlation import Array
from sipas_research.sem import fit_indices as index
from sipas_research.sem.chi_squares import Corrected, Test, Tests
from sipas_research.sem.discrepancy import Target, inverse_and_log_determinant
from sipas_research.sem.implied import Implied
from sipas_research.sem.optimum import Point
from sipas_research.sem.options import FitOptions

NAN = float("nan")
_LOG_2PI = math.log(2.0 * math.pi)


def counted_rows(rows: int, groups: int, options: FitOptions) -> int:
    """Return the rows that chi-squares and errors count: all, or with divisor n - 1 one less a group."""
    return rows if options.likelihood else rows - groups


def measures_of(
    tests: Tests,
    targets: Sequence[Target],
    point: Point,
    options: FitOptions,
    *,
    parameters: int,
    predictors: tuple[int, ...],
) -> dict[str, float]:
    """Return every measure.

    Parameters
    ----------
    tests : Tests
    targets : one a group
        What was fitted.
    point : Point
        The estimates: implied moments, discrepancies.
    options : FitOptions
    parameters : int
        Free parameters less equality restrictions.
    predictors : tuple of int
        Positions of observed predictors: the likelihood is conditional on them.
    """
    rows = int(sum(target.n for target in targets) + 0.5)  # weights add up to the rows, but for the last digits
    counted = counted_rows(rows, len(targets), options)
    model, baseline = tests.model, tests.baseline
    found: dict[str, float] = {
        "npar": float(parameters),
        "fmin": model.statistic / (2.0 * rows) if options.likelihood else NAN,
        "chisq": model.statistic,
        "df": float(model.df),
        "pvalue": index.chi_square_p(model.statistic, model.df),
        "chisq_over_df": index.chi_square_over_df(model.statistic, model.df),
        "baseline_chisq": baseline.statistic,
        "baseline_df": float(baseline.df),
        "baseline_pvalue": index.chi_square_p(baseline.statistic, baseline.df),
    }
    found |= incremental(model.statistic, model.df, baseline.statistic, baseline.df, "")
    found |= _information(targets, point.discrepancies, options, parameters, predictors, rows)
    found["ntotal"] = float(rows)
    found |= rmsea_measures(model.statistic, model.df, counted, len(targets), "")
    if options.robust:
        found |= _scaled(tests, counted, len(targets))
    if tests.corrected is not None:
        found |= _corrected(tests, tests.corrected, counted, len(targets))
    found |= _residual(targets, point, options, parameters, model.df)
    found["mfi"] = index.mfi(model.statistic, model.df, counted)
    found["ecvi"] = (model.statistic + 2.0 * parameters) / counted
    found["cn_05"], found["cn_01"] = (index.critical_n(model.statistic, model.df, counted, a) for a in (0.05, 0.01))
    if model.df == 0:
        found |= _just_identified(model.statistic, options)
    return found


def _just_identified(statistic: float, options: FitOptions) -> dict[str, float]:
    """Return lavaan's values for a model without degrees of freedom: it fits, and nothing could have shown misfit."""
    ends = ("", "_ci_lower", "_ci_upper")
    found = {"cfi": 1.0, "tli": 1.0, "nnfi": 1.0, "rfi": 1.0} | {f"rmsea{end}": 0.0 for end in ends}
    if options.robust:
        found |= {"chisq_scaled": statistic, "cfi_robust": NAN, "tli_robust": NAN}
        found |= dict.fromkeys(("cfi_scaled", "tli_scaled", "nnfi_scaled", "rfi_scaled", "nfi_scaled"), 1.0)
        found |= {f"rmsea{end}_{kind}": 0.0 for end in ends for kind in ("scaled", "robust")}
    return found


def incremental(statistic: float, df: int, start: float, start_df: int, suffix: str) -> dict[str, float]:
    """Return CFI, TLI and their kin under lavaan's names."""
    nfi = index.nfi(statistic, start)
    tli = index.tli(statistic, df, start, start_df)
    return {
        f"cfi{suffix}": index.cfi(statistic, df, start, start_df),
        f"tli{suffix}": tli,
        f"nnfi{suffix}": tli,
        f"nfi{suffix}": nfi,
        f"rfi{suffix}": index.rfi(statistic, df, start, start_df),
        f"ifi{suffix}": index.ifi(statistic, df, start),
        f"rni{suffix}": index.rni(statistic, df, start, start_df),
        f"pnfi{suffix}": nfi * df / start_df if start_df else NAN,
    }


def rmsea_measures(statistic: float, df: int, rows: int, groups: int, suffix: str) -> dict[str, float]:
    """Return RMSEA, its 90% interval and the test of close fit."""
    stretch = math.sqrt(groups)
    low, high = index.rmsea_interval(statistic, df, rows)
    return {
        f"rmsea{suffix}": stretch * index.rmsea(statistic, df, rows),
        f"rmsea_ci_lower{suffix}": stretch * low,
        f"rmsea_ci_upper{suffix}": stretch * high,
        f"rmsea_pvalue{suffix}": index.rmsea_close(statistic, df, rows, bound=index.CLOSE_FIT / stretch),
    }


def _scaled(tests: Tests, rows: int, groups: int) -> dict[str, float]:
    """Return the scaled measures (chi-squares divided by their factors) and the robust ones.

    Robust CFI and TLI: Brosseau-Liard & Savalei (2014), Multivariate Behavioral Research 49, 460-470; robust RMSEA:
    Brosseau-Liard, Savalei & Li (2012), 47, 904-930; Savalei (2018), 53, 419-429.
    """
    model, baseline = tests.model, tests.baseline
    found = {
        "chisq_scaled": model.scaled,
        "df_scaled": float(model.df),
        "pvalue_scaled": index.chi_square_p(model.scaled, model.df),
        "chisq_scaling_factor": model.scaling,
        "baseline_chisq_scaled": baseline.scaled,
        "baseline_df_scaled": float(baseline.df),
        "baseline_pvalue_scaled": index.chi_square_p(baseline.scaled, baseline.df),
        "baseline_chisq_scaling_factor": baseline.scaling,
        "scaling_factor_h1": tests.saturated_scaling,
        "scaling_factor_h0": tests.model_scaling,
    }
    found |= incremental(model.scaled, model.df, baseline.scaled, baseline.df, "_scaled")
    found |= rmsea_measures(model.scaled, model.df, rows, groups, "_scaled")
    found |= _scaled_interval(model, rows, groups)
    expected, start_expected = model.scaling * model.df, baseline.scaling * baseline.df
    found["cfi_robust"] = index.cfi(model.statistic, expected, baseline.statistic, start_expected)
    found["tli_robust"] = index.tli_noncentral(
        model.statistic, model.df, expected, baseline.statistic, baseline.df, start_expected
    )
    found |= robust_rmsea(model.statistic, model.df, model.scaling, rows, groups)
    return found


def _corrected(tests: Tests, given: Corrected, rows: int, groups: int) -> dict[str, float]:
    """Return the robust CFI, TLI and RMSEA of incomplete rows (Zhang & Savalei 2023)."""
    df, start_df = tests.model.df, tests.baseline.df
    cfi = index.cfi(given.statistic, given.expected, given.baseline, given.baseline_expected)
    tli = index.tli_noncentral(given.statistic, df, given.expected, given.baseline, start_df, given.baseline_expected)
    trace = given.expected / df if df > 0 else NAN
    return {"cfi_robust": cfi, "tli_robust": tli} | robust_rmsea(given.statistic, df, trace, rows, groups)


def _scaled_interval(model: Test, rows: int, groups: int) -> dict[str, float]:
    """Return interval and test of the scaled RMSEA: the plain chi-square referred to c df degrees of freedom."""
    df = model.scaling * model.df
    if not df > 0:
        return {}
    stretch = math.sqrt(groups)
    low, high = index.rmsea_interval(model.statistic, df, rows)
    return {
        "rmsea_ci_lower_scaled": stretch * low,
        "rmsea_ci_upper_scaled": stretch * high,
        "rmsea_pvalue_scaled": index.rmsea_close(model.statistic, df, rows, bound=index.CLOSE_FIT / stretch),
    }


def robust_rmsea(statistic: float, df: int, trace: float, rows: int, groups: int) -> dict[str, float]:
    """Return the robust RMSEA; ``trace`` is what one degree of freedom stands for."""
    if df <= 0 or not trace > 0:
        names = ("rmsea", "rmsea_ci_lower", "rmsea_ci_upper", "rmsea_pvalue")
        return {f"{name}_robust": NAN for name in names}
    stretch = math.sqrt(groups * trace)
    plain = statistic / trace
    low, high = index.rmsea_interval(plain, df, rows)
    return {
        "rmsea_robust": stretch * index.rmsea(plain, df, rows),
        "rmsea_ci_lower_robust": stretch * low,
        "rmsea_ci_upper_robust": stretch * high,
        "rmsea_pvalue_robust": index.rmsea_close(plain, df, rows, bound=index.CLOSE_FIT / stretch),
    }


def _information(
    targets: Sequence[Target], distances: Sequence[float], options: FitOptions, parameters: int,
    predictors: tuple[int, ...], rows: int,
) -> dict[str, float]:  # fmt: skip
    """Return the log-likelihoods, conditional on predictors, and the criteria; n F / 2 parts the two likelihoods."""
    names = ("logl", "unrestricted_logl", "aic", "bic", "bic2")
    if not options.likelihood:
        return dict.fromkeys(names, NAN)
    free = sum(_saturated_log_likelihood(target, predictors) for target in targets)
    restricted = free - 0.5 * sum(t.n * distance for t, distance in zip(targets, distances, strict=True))
    return {
        "logl": restricted,
        "unrestricted_logl": free,
        "aic": index.aic(restricted, parameters),
        "bic": index.bic(restricted, parameters, rows),
        "bic2": index.bic_adjusted(restricted, parameters, rows),
    }


def _saturated_log_likelihood(target: Target, predictors: tuple[int, ...]) -> float:
    """Return the normal log-likelihood of a group at its own moments: -n/2 [p log 2 pi + log|S| + p]."""
    if target.holes is not None:
        return target.holes.log_likelihood(predictors)
    size, log_determinant = len(target.cov), target.log_determinant
    if predictors:
        inside = inverse_and_log_determinant(target.cov[np.ix_(predictors, predictors)])
        size, log_determinant = size - len(predictors), log_determinant - (NAN if inside is None else inside[1])
    return -0.5 * target.n * (size * (_LOG_2PI + 1.0) + log_determinant)


def _residual(
    targets: Sequence[Target], point: Point, options: FitOptions, parameters: int, df: int
) -> dict[str, float]:
    """Return the measures that rest on residuals: RMR, SRMR and the GFI of LISREL."""
    root = standard = correlation = missed = whole = 0.0
    means = options.meanstructure
    for target, at, rest in zip(targets, point.groups, point.residuals, strict=True):
        size = len(target.cov)
        spread = np.sqrt(target.cov.diagonal())
        raw = target.cov - at.cov
        mean = np.zeros(size) if target.mean is None else target.mean - at.mean
        count = size * (size + 1) / 2 + (size if means else 0)
        root += target.share * math.sqrt((_lower_squares(raw) + float(mean @ mean)) / count)
        centred = mean / spread
        scaled = raw / spread / spread[:, None]
        standard += target.share * math.sqrt((_lower_squares(scaled) + float(centred @ centred)) / count)
        correlation += target.share * _correlation_residual(target, at, means=means)
        parts = _explained(target, at, rest.weight if target.likelihood else None)
        missed += target.share * parts[0]
        whole += target.share * parts[1]
    gfi = 1.0 - missed / whole if whole > 0 else NAN
    return {
        "rmr": root,
        "srmr": standard,
        "crmr": correlation,
        "gfi_lisrel": gfi,
        "agfi_lisrel": index.agfi(gfi, parameters, df),
        "pgfi": gfi * df / (parameters + df) if parameters + df else NAN,
    }


def _lower_squares(matrix: Array) -> float:
    """Return the sum of squares of the lower triangle, diagonal included."""
    diagonal = matrix.diagonal()
    return 0.5 * (float(np.vdot(matrix, matrix)) + float(diagonal @ diagonal))


def _correlation_residual(target: Target, at: Implied, *, means: bool) -> float:
    """Return Bollen's (1989) residual of correlations, means in standard deviations."""
    size = len(target.cov)
    if not float(np.diag(at.cov).min()) > 0:  # least squares may end outside the parameter space
        return NAN
    spread, implied = np.sqrt(np.diag(target.cov)), np.sqrt(np.diag(at.cov))
    rest = target.cov / spread / spread[:, None] - at.cov / implied / implied[:, None]
    total, count = 0.5 * float(np.vdot(rest, rest)), size * (size - 1) // 2
    if means and target.mean is not None:
        mean = target.mean / spread - at.mean / implied
        total, count = total + float(mean @ mean), count + size
    return math.sqrt(total / count) if count else NAN


def _explained(target: Target, at: Implied, weight: Array | None) -> tuple[float, float]:
    """Return e'We and s'Ws with the normal-theory weight at the implied moments (Joreskog & Sorbom 1984)."""
    if weight is None:
        found = inverse_and_log_determinant(at.cov)
        if found is None:
            return NAN, NAN
        weight = found[0]
    ratio = weight @ target.cov
    rest = ratio - np.eye(len(ratio))
    missed, whole = 0.5 * float(np.sum(rest * rest.T)), 0.5 * float(np.sum(ratio * ratio.T))
    if target.mean is not None:
        away = target.mean - at.mean
        missed += float(away @ weight @ away)
        whole += float(target.mean @ weight @ target.mean)
    return missed, whole
