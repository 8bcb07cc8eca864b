"""The upper half of a summary: what was fitted, tests and measures of fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sipas_research.sem.fit_indices import CLOSE_FIT, chi_square_over_df
from sipas_research.sem.moments import shown
from sipas_research.sem.restrictions import null_space
from sipas_research.sem.text_columns import INDENT, Line
from sipas_research.wording import integer, number, p_value, text

if TYPE_CHECKING:
    from sipas_research.sem.chi_squares import Test
    from sipas_research.sem.result import SemFit

_DECIMALS = 3


def head_lines(fit: SemFit, language: str) -> list[Line]:
    """Return estimator, parameters and rows."""
    constraints = fit.restrictions
    free_rows = sum(row.free >= 0 for row in fit.table.rows)
    rank = null_space(constraints.gaps(constraints.equal, fit.theta)[1], fit.theta.size)[1].shape[1]
    equalities = free_rows - fit.theta.size + rank
    lines = [
        _row("estimator", language, fit.options.estimator),
        _row("optimiser", language, text("sem_summary.value.optimiser", language)),
        _row("parameters", language, integer(free_rows, language)),
    ]
    if fit.options.categorical:
        lines.append(Line(INDENT + text("sem_ordinal.row.parameterization", language), (fit.options.parameterization,)))
    if equalities:
        lines.append(_row("equalities", language, integer(equalities, language)))
    if constraints.bounds:
        lines.append(_row("inequalities", language, integer(len(constraints.bounds), language)))
    dropped = fit.sample.n_read - fit.n
    lines += [Line(), _row("rows_used" if dropped else "rows", language, integer(fit.n, language))]
    if dropped:
        lines.append(_row("rows_dropped", language, _count(dropped, language)))
    lines += [*_holes(fit, language), *_design(fit, language)]
    if len(fit.samples) > 1:
        lines.append(_heading("rows_of_groups", language))
        lines += [Line(f"{INDENT * 2}{s.label}", (_count(s.n, language),)) for s in fit.samples]
    return lines


def _holes(fit: SemFit, language: str) -> list[Line]:
    """Return how many rows are incomplete, and in how many ways, where they count with what they hold."""
    label, ways = (text(f"sem_missing.row.{name}", language) for name in ("incomplete", "patterns"))
    if fit.options.missing == "pairwise":
        passes = [sample.rows for sample in fit.samples if sample.rows is not None]
        incomplete = sum(int(np.isnan(block).any(axis=1).sum()) for rows in passes for block in rows())
        label = text("sem_missing.row.pairwise", language)
        return [Line(INDENT + label, (_count(incomplete, language),))]
    held = [sample.holes for sample in fit.samples if sample.holes is not None]
    if not held:
        return []
    incomplete = sum(int(np.logical_not(each.there.all(axis=1))[each.code].sum()) for each in held)
    patterns = sum(len(each.there) for each in held)
    return [
        Line(INDENT + label, (_count(incomplete, language),)),
        Line(INDENT + ways, (integer(patterns, language),)),
    ]


def _with_robust(fit: SemFit) -> bool:
    """Return whether there are robust indices: with robust errors, and where rows are incomplete."""
    return _scaled(fit) or (fit.options.fiml and "cfi_robust" in fit.measures)


def _scaled(fit: SemFit) -> bool:
    """Return whether the test has a scaled form."""
    return fit.options.robust or "chisq_scaled" in fit.measures


def _shift(fit: SemFit, test: Test, language: str) -> list[Line]:
    """Return the shift of a scaled and shifted test."""
    if not fit.options.categorical:
        return []
    return [Line(INDENT + text("sem_ordinal.row.shift", language), ("", _value(test.shift, language)))]


def _design(fit: SemFit, language: str) -> list[Line]:
    """Return clusters and weights, where rows have them."""
    lines, options = [], fit.options
    if options.cluster is not None:
        label = text("sem_design.row.clusters", language, column=options.cluster)
        lines.append(Line(INDENT + label, (integer(fit.sample.n_clusters, language),)))
    if options.weights is not None:
        lines.append(Line(INDENT + text("sem_design.row.weights", language), (str(options.weights),)))
    return lines


def fit_lines(fit: SemFit, language: str) -> list[Line]:
    """Return the tests of model and baseline and the measures of fit, with scaled columns of robust estimators."""
    lines = [*_tests(fit, language), *_baseline(fit, language)]
    lines += [Line(), _title("against_baseline", language), Line()]
    lines += [_pair(fit, name, name, language) for name in ("cfi", "tli")]
    if _with_robust(fit):
        lines += [Line(), *(_alone(fit, f"{name}_robust", f"{name}_robust", language) for name in ("cfi", "tli"))]
    if fit.options.likelihood:
        lines += _likelihood(fit, language)
    lines += _rmsea(fit, language)
    shares = [_value(fit.measures["srmr"], language)] * (2 if _scaled(fit) else 1)
    return [*lines, Line(), _title("srmr", language), Line(), _row("srmr", language, *shares)]


def error_lines(fit: SemFit, coverage: str, language: str) -> list[Line]:
    """Return how the standard errors came about."""
    sandwich = fit.options.robust or fit.options.estimator in ("ULS", "DWLS", "WLSMV", "ULSMV")
    kind = text(f"sem_summary.value.errors_{'sandwich' if sandwich else 'standard'}", language)
    if fit.options.cluster is not None:
        kind = text("sem_design.value.errors_clusters", language)
    information = text(f"sem_summary.value.information_{fit.options.information}", language)
    rows = [_row("errors", language, kind), _row("information", language, information)]
    return [*rows, _row("level", language, coverage)]


def _tests(fit: SemFit, language: str) -> list[Line]:
    measures, robust = fit.measures, _scaled(fit)
    lines = [Line(), _title("test", language)]
    if robust:
        names = tuple(text(f"sem_summary.value.{name}", language) for name in ("plain", "scaled"))
        lines.append(Line(INDENT, names))
    else:
        lines.append(Line())
    lines.append(_pair(fit, "statistic", "chisq", language))
    lines.append(_row("df", language, *_twice(str(fit.tests.model.df), robust)))
    lines.append(_row("p_value", language, *_p_values(fit, "pvalue", language)))
    ratios = [chi_square_over_df(fit.measures[name], fit.tests.model.df) for name in _statistics(robust)]
    lines.append(_row("over_df", language, *(_value(ratio, language) for ratio in ratios)))
    if robust:
        lines.append(_alone(fit, "scaling", "chisq_scaling_factor", language))
        lines += _shift(fit, fit.tests.model, language)
        topic = "sem_ordinal" if fit.options.categorical else "sem_summary"
        lines.append(Line(INDENT * 2 + text(f"{topic}.value.{fit.options.estimator}", language)))
    parts = _group_statistics(fit)
    if len(parts) > 1:
        scaling = measures.get("chisq_scaling_factor", math.nan)
        lines.append(_heading("groups", language))
        for sample, part in zip(fit.samples, parts, strict=True):
            shift = sample.n / fit.n * fit.tests.model.shift
            cells = (part, part / scaling + shift) if robust else (part,)
            lines.append(Line(f"{INDENT * 2}{sample.label}", tuple(_value(cell, language) for cell in cells)))
    return lines


def _statistics(robust: bool) -> tuple[str, ...]:
    return ("chisq", "chisq_scaled") if robust else ("chisq",)


def _group_statistics(fit: SemFit) -> list[float]:
    """Return what each group adds to the chi-square; none for ULS, whose test is not a sum over groups."""
    if fit.options.estimator == "ULS":
        return []
    less = 0 if fit.options.likelihood else 1
    pairs = zip(fit.problem.targets, fit.optimum.point.discrepancies, strict=True)
    return [(target.n - less) * float(distance) for target, distance in pairs]


def _baseline(fit: SemFit, language: str) -> list[Line]:
    robust = _scaled(fit)
    lines = [Line(), _title("baseline", language), Line(), _pair(fit, "statistic", "baseline_chisq", language)]
    lines.append(_row("df", language, *_twice(str(fit.tests.baseline.df), robust)))
    lines.append(_row("p_value", language, *_p_values(fit, "baseline_pvalue", language)))
    if robust:
        lines.append(_alone(fit, "scaling", "baseline_chisq_scaling_factor", language))
        lines += _shift(fit, fit.tests.baseline, language)
    return lines


def _likelihood(fit: SemFit, language: str) -> list[Line]:
    lines = [Line(), _title("likelihood", language), Line()]
    factors = {"logl": "scaling_factor_h0", "logl_free": "scaling_factor_h1"} if fit.options.estimator == "MLR" else {}
    for row, name in (("logl", "logl"), ("logl_free", "unrestricted_logl")):
        lines.append(_pair(fit, row, name, language, scaled=False))
        if row in factors:
            lines.append(_alone(fit, "scaling", factors[row], language))
    return [*lines, Line(), *(_pair(fit, name, name, language, scaled=False) for name in ("aic", "bic", "bic2"))]


def _rmsea(fit: SemFit, language: str) -> list[Line]:
    bound = number(CLOSE_FIT, 3, language)
    lines = [Line(), _title("rmsea", language), Line()]
    rows = (("rmsea", "rmsea"), ("rmsea_low", "rmsea_ci_lower"), ("rmsea_high", "rmsea_ci_upper"))
    lines += [_pair(fit, row, name, language) for row, name in rows]
    lines.append(_row("rmsea_p", language, *_p_values(fit, "rmsea_pvalue", language), bound=bound))
    if _with_robust(fit):
        lines.append(Line())
        first = (("rmsea_robust", "rmsea_robust"), *((row, f"{name}_robust") for row, name in rows[1:]))
        lines += [_alone(fit, row, name, language) for row, name in first]
        shown_p = p_value(fit.measures["rmsea_pvalue_robust"], language)
        lines.append(_row("rmsea_p", language, *([""] if _scaled(fit) else []), shown_p, bound=bound))
    return lines


def _title(name: str, language: str) -> Line:
    return Line(text(f"sem_summary.section.{name}", language))


def _heading(name: str, language: str) -> Line:
    return Line(INDENT + text(f"sem_summary.row.{name}", language))


def _row(name: str, language: str, *cells: str, **fields: object) -> Line:
    return Line(INDENT + text(f"sem_summary.row.{name}", language, **fields), cells)


def _pair(fit: SemFit, row: str, name: str, language: str, *, scaled: bool = True) -> Line:
    """Return a measure, and beside it the scaled one of robust estimators (or itself where none is defined)."""
    values = [fit.measures[name]]
    if _scaled(fit):
        values.append(fit.measures.get(f"{name}_scaled", math.nan) if scaled else fit.measures[name])
    return _row(row, language, *(_value(value, language) for value in values))


def _alone(fit: SemFit, row: str, name: str, language: str) -> Line:
    return _row(row, language, *([""] if _scaled(fit) else []), _value(fit.measures[name], language))


def _p_values(fit: SemFit, name: str, language: str) -> list[str]:
    names = (name, f"{name}_scaled") if _scaled(fit) else (name,)
    return [p_value(fit.measures.get(each, math.nan), language) for each in names]


def _twice(cell: str, robust: bool) -> Sequence[str]:
    return (cell, cell) if robust else (cell,)


def _value(value: float, language: str) -> str:
    return number(value, _DECIMALS, language)


def _count(rows: int, language: str) -> str:
    told = shown(rows)
    return told if isinstance(told, str) else integer(told, language)
