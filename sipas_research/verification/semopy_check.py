"""A second opinion by semopy: the model of a fit, estimated once more from the same rows by other code.

semopy supplies coefficients and their errors only. Its GFI, AIC and log-likelihood are not what their names say and
are never read; chi-square is computed here, at its coefficients.
"""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd

from sipas_research.errors import OptionError
from sipas_research.numerics.correlation import Array
from sipas_research.sem.optimum import hessian_of, point_at, slope_of
from sipas_research.sem.parameter_table import FIXED, Row
from sipas_research.sem.result import SemFit
from sipas_research.verification.semopy_agreement import ComparedCoefficient, SemopyAgreement

#: With more observed variables semopy needs minutes (its gradient grows with the third power).
MOST_ITEMS = 60
#: semopy holds variances at or above zero: one this close to zero has reached the bound.
AT_BOUND = 1e-6
#: SLSQP stops when the discrepancy changes by less than this.
_TOLERANCE = 1e-10
_MOST_STEPS = 1000

Place = tuple[str, str, str]


def verify_with_semopy(fit: SemFit, *, most_items: int | None = MOST_ITEMS) -> SemopyAgreement:
    """Estimate the model of a fit once more with semopy and compare coefficient by coefficient.

    A coefficient agrees where both values are closer than a twentieth of our standard error; chi-square, computed by
    this package from semopy's coefficients, agrees to a hundredth. semopy stops its search early: where it did, our
    chi-square is the lower one, and the step that is left from semopy's coefficients to the minimum bounds every
    difference.

    Parameters
    ----------
    fit : SemFit
        One group, maximum likelihood ("ML") without means, from rows. Fixed values, equal labels, second-order
        factors and observed predictors may occur; constraints between labels may not.
    most_items : int or None
        Do not run semopy with more observed variables than this, because it becomes slow; None always runs it.

    Returns
    -------
    SemopyAgreement
        Where semopy cannot estimate the model, an empty one that holds the reason.

    Raises
    ------
    OptionError
        If ``fit`` is no fit.

    References
    ----------
    Igolkina & Meshcheryakov (2020), Structural Equation Modeling 27, 952-963: semopy.
    """
    if not isinstance(fit, SemFit):
        raise OptionError("semopy.error.no_fit", received=type(fit).__name__)
    reason, fields = _refusal(fit, most_items)
    if reason:
        return _nothing(fit, reason, **fields)
    found = _estimated(fit)
    if found is None:
        return _nothing(fit, "failed")
    values, errors, finished = found
    if len(values) != fit.table.size:
        return _nothing(fit, "other_model")
    return _compared(fit, values, errors, finished=finished)


def _refusal(fit: SemFit, most_items: int | None) -> tuple[str, dict[str, object]]:
    """Return the name of the reason why semopy is not asked, with its fields; "" where it is."""
    table, options = fit.table, fit.options
    items = len(table.observed)
    unsolved = not fit.converged or len(fit.information.unidentified) > 0 or fit.tests.model.df < 0
    obstacles: list[tuple[bool, str, dict[str, object]]] = [
        (len(table.groups) > 1, "groups", {"groups": len(table.groups)}),
        (options.estimator != "ML", "estimator", {"estimator": options.estimator}),
        (options.meanstructure, "means", {}),
        (bool(table.constraints), "constraints", {}),
        (not fit.sample.with_rows, "no_rows", {}),
        (most_items is not None and items > most_items, "many_items", {"items": items, "most": most_items}),
        (unsolved, "no_solution", {}),
    ]
    return next(((name, fields) for found, name, fields in obstacles if found), ("", {}))


def _nothing(fit: SemFit, reason: str, **fields: object) -> SemopyAgreement:
    nothing = float("nan")
    return SemopyAgreement(
        (), fit.measures["chisq"], nothing, fit.tests.model.df, nothing, False, (), fit.n, len(fit.table.observed),
        f"semopy.reason.{reason}", tuple(sorted(fields.items())), fit.data_kind,
    )  # fmt: skip


def _estimated(fit: SemFit) -> tuple[dict[int, float], dict[int, float], bool] | None:
    """Return semopy's value and error of each free parameter, and whether it said that it converged."""
    import semopy

    table = fit.table
    safe = {name: f"v{k}" for k, name in enumerate((*table.observed, *table.latents))}  # semopy reads plain ASCII only
    rows = fit.samples[0].rows
    values = np.vstack(list(rows() if rows is not None else ()))
    frame = pd.DataFrame(values, columns=[safe[name] for name in table.observed])
    try:
        with _quiet():
            model = semopy.Model(_description(fit, safe))
            _give_first_items(model, fit, safe)
            result = model.fit(frame, options={"ftol": _TOLERANCE, "maxiter": _MOST_STEPS})
            found = _read(fit, model.inspect(), safe)
    except (np.linalg.LinAlgError, ValueError, KeyError, FloatingPointError):
        return None
    if not all(map(math.isfinite, found[0].values())):
        return None
    return *found, bool(result.success)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep numerical warnings and semopy's remarks to the root logger from the user: the result tells them."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _description(fit: SemFit, safe: dict[str, str]) -> str:
    """Return the parameter table in semopy's language: every row with its value or the name of its parameter.

    Covariances that our table leaves out are written as zero: semopy would free some of them.
    """
    lines, written = [], set()
    for row in fit.table.rows:
        if row.exogenous or row.op not in ("=~", "~", "~~"):
            continue  # the moments of observed predictors are the sample's there too
        factor = repr(float(row.value)) if row.free == FIXED else f"q{row.free}"
        lines.append(f"{safe[row.lhs]} {row.op} {factor}*{safe[row.rhs]}")
        if row.op == "~~":
            written |= {(row.lhs, row.rhs), (row.rhs, row.lhs)}
    sources = _sources(fit)
    pairs = [(a, b) for k, a in enumerate(sources) for b in sources[k + 1 :] if (a, b) not in written]
    return "\n".join([*lines, *[f"{safe[a]} ~~ 0*{safe[b]}" for a, b in pairs]])


def _give_first_items(model: Any, fit: SemFit, safe: dict[str, str]) -> None:
    """Name the first item of latent variables without a fixed loading: semopy looks for one without an end."""
    for row in fit.table.rows:
        if row.op == "=~" and model.first_manifs[safe[row.lhs]] is None:
            model.first_manifs[safe[row.lhs]] = safe[row.rhs]


def _sources(fit: SemFit) -> list[str]:
    """Return the latent variables that nothing explains."""
    paths = [row for row in fit.table.rows if row.op in ("=~", "~")]
    explained = {row.rhs if row.op == "=~" else row.lhs for row in paths}
    return [name for name in fit.table.latents if name not in explained]


def _read(fit: SemFit, table: pd.DataFrame, safe: dict[str, str]) -> tuple[dict[int, float], dict[int, float]]:
    """Return value and error by free parameter; "-" stands where semopy has no error."""
    records = {_place(r["lval"], r["op"], r["rval"]): r for r in table.to_dict("records")}
    values, errors = {}, {}
    for row in fit.table.rows:
        if row.free == FIXED:
            continue
        record: dict[Any, Any] = records[_place_of(row, safe)]
        error = record["Std. Err"]
        values[row.free] = float(record["Estimate"])
        errors[row.free] = float("nan") if error == "-" else float(error)
    return values, errors


def _place_of(row: Row, safe: dict[str, str]) -> Place:
    left, right = (row.rhs, row.lhs) if row.op == "=~" else (row.lhs, row.rhs)
    return _place(safe[left], "~" if row.op == "=~" else row.op, safe[right])


def _place(left: str, operator: str, right: str) -> Place:
    if operator == "~~" and left > right:
        return right, operator, left
    return left, operator, right


def _compared(fit: SemFit, values: dict[int, float], errors: dict[int, float], *, finished: bool) -> SemopyAgreement:
    chi_square, step_left = _at(fit, np.array([values[k] for k in range(fit.table.size)]))
    table = fit.tidy()
    rows, bound = [], []
    for k, row in enumerate(fit.table.rows):
        if row.free == FIXED:
            continue
        ours, error, theirs = float(table["estimate"].iloc[k]), float(table["std_error"].iloc[k]), values[row.free]
        difference = (theirs - ours) / error if error > 0 else float("nan")
        rows.append(ComparedCoefficient(row.lhs, row.op, row.rhs, ours, theirs, error, errors[row.free], difference))
        if row.op == "~~" and row.lhs == row.rhs and ours < 0 and theirs <= AT_BOUND:
            bound.append(row.lhs)
    return SemopyAgreement(
        tuple(rows), fit.measures["chisq"], chi_square, fit.tests.model.df, step_left, finished, tuple(bound), fit.n,
        len(fit.table.observed), "", (), fit.data_kind,
    )  # fmt: skip


def _at(fit: SemFit, theta: Array) -> tuple[float, float]:
    """Return chi-square at some values, and the step from there to the minimum in standard errors; NaN outside."""
    point = point_at(fit.problem, theta)
    if point is None:
        return float("nan"), float("nan")
    slope, curvature = slope_of(fit.problem, point), hessian_of(fit.problem, point, observed=False)
    step = np.linalg.lstsq(curvature, slope, rcond=None)[0]
    return fit.problem.n * point.distance, math.sqrt(max(fit.problem.n / 2.0 * float(slope @ step), 0.0))
