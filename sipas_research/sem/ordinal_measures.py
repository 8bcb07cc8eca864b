"""Measures of fit of a model of ordered answers, under lavaan's names; NaN where not defined."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from sipas_research.sem import fit_indices as index
from sipas_research.sem.measures import incremental, rmsea_measures, robust_rmsea
from sipas_research.sem.ordinal_information import ROBUST_ORDINAL
from sipas_research.sem.ordinal_tests import correlation_test

if TYPE_CHECKING:
    from sipas_research.sem.ordinal_result import OrdinalFit

NAN = float("nan")


def ordinal_measures(fit: OrdinalFit) -> dict[str, float]:
    """Return every measure.

    The p-value of the plain statistic is NaN for DWLS and ULS: it follows no chi-square distribution. CFI and TLI
    against a baseline without correlations. Robust: Savalei (2021), Structural Equation Modeling 28, 553-569.
    """
    model, baseline = fit.tests.model, fit.tests.baseline
    rows, groups = fit.n, len(fit.groups)
    counted = rows - groups
    exact = fit.options.estimator == "WLS"
    found: dict[str, float] = {
        "npar": float(fit.parameters),
        "fmin": model.statistic / (2.0 * rows),
        "chisq": model.statistic,
        "df": float(model.df),
        "pvalue": index.chi_square_p(model.statistic, model.df) if exact else NAN,
        "chisq_over_df": index.chi_square_over_df(model.statistic, model.df),
        "baseline_chisq": baseline.statistic,
        "baseline_df": float(baseline.df),
        "baseline_pvalue": index.chi_square_p(baseline.statistic, baseline.df) if exact else NAN,
    }
    found |= incremental(model.statistic, model.df, baseline.statistic, baseline.df, "")
    found |= dict.fromkeys(("logl", "unrestricted_logl", "aic", "bic", "bic2"), NAN)
    found["ntotal"] = float(rows)
    found |= rmsea_measures(model.statistic, model.df, counted, groups, "")
    if fit.options.estimator in ROBUST_ORDINAL:
        found |= _scaled(fit, counted)
        found |= _robust(fit, counted)
    found |= _residual(fit)
    found["mfi"] = index.mfi(model.statistic, model.df, counted)
    found["cn_05"], found["cn_01"] = (index.critical_n(model.statistic, model.df, counted, a) for a in (0.05, 0.01))
    if baseline.df < model.df:  # the model is freer than its baseline in some respect: not nested
        found |= {name: NAN for name in ("nfi", "rfi", "nfi_scaled", "rfi_scaled") if name in found}
    if model.df == 0:
        found |= _just_identified(fit)
    return found


def _scaled(fit: OrdinalFit, counted: int) -> dict[str, float]:
    model, baseline = fit.tests.model, fit.tests.baseline
    above = max(model.scaled, 0.0)  # a shift may take a small statistic below zero
    found = {
        "chisq_scaled": model.scaled,
        "df_scaled": float(model.df),
        "pvalue_scaled": index.chi_square_p(above, model.df),
        "chisq_scaling_factor": model.scaling,
        "chisq_shift": model.shift,
        "baseline_chisq_scaled": baseline.scaled,
        "baseline_df_scaled": float(baseline.df),
        "baseline_pvalue_scaled": index.chi_square_p(baseline.scaled, baseline.df),
        "baseline_chisq_scaling_factor": baseline.scaling,
    }
    found |= incremental(model.scaled, model.df, baseline.scaled, baseline.df, "_scaled")
    return found | rmsea_measures(above, model.df, counted, len(fit.groups), "_scaled")


def _robust(fit: OrdinalFit, counted: int) -> dict[str, float]:
    model, baseline = fit.tests.model, fit.tests.baseline
    given = correlation_test(fit.problem, fit.ordinal, fit.information, model.df, baseline.df)
    if given is None:
        names = ("cfi", "tli", "nnfi", "rni", "rmsea", "rmsea_ci_lower", "rmsea_ci_upper", "rmsea_pvalue")
        return {f"{name}_robust": NAN for name in names}
    mean, start = given.factor * model.df, given.baseline_factor * baseline.df
    tli = index.tli_noncentral(given.statistic, model.df, mean, given.baseline, baseline.df, start)
    cfi = index.cfi(given.statistic, mean, given.baseline, start)
    found = {"cfi_robust": cfi, "tli_robust": tli, "nnfi_robust": tli}
    found["rni_robust"] = 1.0 - (given.statistic - mean) / (given.baseline - start)
    return found | robust_rmsea(given.statistic, model.df, given.factor, fit.n, len(fit.groups))


def _residual(fit: OrdinalFit) -> dict[str, float]:
    """Return RMR, SRMR and CRMR: the first with thresholds, SRMR of the (residual) correlations alone."""
    root = standard = correlation = 0.0
    for target, sample, at, rest in zip(
        fit.problem.targets, fit.problem.samples, fit.ordinal.each, fit.ordinal.missed, strict=True
    ):
        shape = sample.shape
        size, pairs = len(shape.names), rest[shape.starts[2] :]
        spread = np.sqrt(sample.variances)
        first, second = shape.pairs
        scaled = float(np.sum((pairs / spread[first] / spread[second]) ** 2))
        variances = rest[shape.starts[1] : shape.starts[2]]
        own = float(np.sum((variances / spread[shape.numeric] ** 2) ** 2))
        count = size * (size + 1) / 2
        raw = np.concatenate([rest[: len(shape.cut_of)][shape.cut_rank > 0], rest[shape.starts[1] :]])
        root += target.share * math.sqrt(float(raw @ raw) / (len(raw) + len(shape.ordered)))
        standard += target.share * math.sqrt((scaled + own) / count)
        implied = at.given.cov[np.ix_(at.layout.places, at.layout.places)] * at.scale * at.scale[:, None]
        away = sample.correlation[first, second] / spread[first] / spread[second]
        turned = np.sqrt(np.maximum(np.diag(implied), 1e-300))
        away = away - implied[first, second] / turned[first] / turned[second]
        correlation += target.share * (math.sqrt(float(away @ away) / len(first)) if len(first) else NAN)
    count = sum(each.shape.size for each in fit.problem.samples)
    return {
        "rmr": root,
        "srmr": standard,
        "crmr": correlation,
        "wrmr": math.sqrt(fit.tests.model.statistic / count) if count else NAN,
    }


def _just_identified(fit: OrdinalFit) -> dict[str, float]:
    """Return lavaan's values for a model without degrees of freedom."""
    ends = ("", "_ci_lower", "_ci_upper")
    found = {"cfi": 1.0, "tli": 1.0, "nnfi": 1.0} | {f"rmsea{end}": 0.0 for end in ends}
    if fit.options.estimator in ROBUST_ORDINAL:
        found |= {"chisq_scaled": fit.tests.model.statistic}
        found |= dict.fromkeys(("cfi_scaled", "tli_scaled"), 1.0) | {f"rmsea{end}_scaled": 0.0 for end in ends}
        if fit.tests.baseline.df == 0:
            found["baseline_chisq_scaled"] = fit.tests.baseline.statistic
    return found
