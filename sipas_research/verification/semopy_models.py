"""A second opinion by semopy: confirmatory factor analysis and a lever model, with our own measures of fit.

semopy supplies coefficients and their information matrix. Its GFI, AIC and log-likelihood are not what their names
say and are never read; chi-square, baseline and every index are computed here from semopy's coefficients.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr as normal_tail
from scipy.special import ndtri

from sipas_research.errors import AnalysisError, ConvergenceWarning, HeywoodWarning, OptionError
from sipas_research.factors.inputs import Data, ItemMatrix, announce, correlations, load_items
from sipas_research.numerics.covariance_fit import (
    baseline_chi_square,
    gfi_lisrel,
    ml_discrepancy,
    normal_log_likelihood,
    srmr,
)
from sipas_research.numerics.disclosure import MINIMUM_CELL
from sipas_research.results import DataKind
from sipas_research.sem import fit_indices
from sipas_research.survey.responses import Responses
from sipas_research.verification.latent_model import (
    Implied,
    LatentModel,
    factor_model,
    implied,
    lever_model,
    require_identified,
    standardized,
)
from sipas_research.verification.semopy_fit import Coefficient, SemopyFit

#: With more items semopy needs minutes (its gradient grows with the third power); 84 items took 23 seconds.
MOST_ITEMS = 60
#: semopy holds error variances at or above zero: one this close to zero has reached the bound.
AT_BOUND = 1e-6
#: SLSQP stops when the discrepancy changes by less than this: coefficients are then stable to about five digits.
_TOLERANCE = 1e-10
_MOST_STEPS = 1000

Key = tuple[str, str, str]


def semopy_cfa(
    data: Data,
    scales: Mapping[str, Sequence[str]] | None = None,
    *,
    level: float = 0.95,
    most_items: int | None = MOST_ITEMS,
    data_kind: DataKind = DataKind.USER,
) -> SemopyFit:
    """Fit a confirmatory factor analysis by semopy: each item on its own factor, factors correlated.

    Parameters
    ----------
    data : Responses or DataFrame
        One row a person; rows with a missing answer are left out and counted.
    scales : mapping of str to sequence of str, optional
        Factor and its items. By default the factors of the questionnaire (Responses only).
    level : float
        Coverage of the intervals, in (0, 1).
    most_items : int or None
        Refuse more items than this, because semopy becomes slow; None never refuses.
    data_kind : DataKind
        Kind of a DataFrame; Responses know their own.

    Returns
    -------
    SemopyFit

    Raises
    ------
    AnalysisError
        If the model is not identified, too large, the covariance matrix is singular, or rows are too few.
    OptionError
        If ``scales`` is missing for a DataFrame, or an item stands on two factors.

    Warns
    -----
    ConvergenceWarning, HeywoodWarning, DroppedRowsWarning, DroppedItemWarning

    References
    ----------
    Joreskog (1969), Psychometrika 34, 183-202.
    """
    if scales is None:
        if not isinstance(data, Responses):
            raise OptionError("factors.error.no_scales")
        scales = data.scale_items("factor")
    return _fit(data, factor_model(scales), level, most_items, data_kind)


def semopy_lever_model(
    responses: Responses, *, direct: bool = True, level: float = 0.95, most_items: int | None = MOST_ITEMS
) -> SemopyFit:
    """Fit the lever model by semopy: levers to factors, factors (and levers) to overall satisfaction.

    The coefficients are path coefficients of a cross-section: associations under the drawn model, not effects.

    Parameters
    ----------
    responses : Responses
    direct : bool
        Whether levers also lead straight to overall satisfaction.
    level, most_items
        As in :func:`semopy_cfa`.

    Raises
    ------
    AnalysisError
        As in :func:`semopy_cfa`, or if the survey lacks factors, levers or overall satisfaction.
    """
    return _fit(responses, lever_model(responses, direct=direct), level, most_items, responses.data_kind)


def semopy_fit(
    data: Data,
    model: LatentModel,
    *,
    level: float = 0.95,
    most_items: int | None = MOST_ITEMS,
    data_kind: DataKind = DataKind.USER,
) -> SemopyFit:
    """Fit a model among latent variables by semopy under normal-theory maximum likelihood.

    Parameters
    ----------
    data : Responses or DataFrame
    model : LatentModel
        First loadings are fixed at one.
    level, most_items, data_kind
        As in :func:`semopy_cfa`.

    Returns
    -------
    SemopyFit
        chi-square is n times the discrepancy of the covariance matrix with divisor n, as lavaan's ML.

    Raises
    ------
    AnalysisError, OptionError
        As in :func:`semopy_cfa`.
    """
    return _fit(data, model, level, most_items, data_kind)


def _fit(data: Data, model: LatentModel, level: float, most_items: int | None, data_kind: DataKind) -> SemopyFit:
    if not 0 < level < 1:
        raise OptionError("factors.error.level", received=str(level))
    require_identified(model)
    matrix = load_items(data, model.items, data_kind)
    _require_items(model, matrix, most_items)
    announce(matrix, stacklevel=4)
    observed = correlations(matrix, invertible=True)
    found, converged, objective = _run(model, matrix)
    values = {key: estimate for key, (estimate, _) in found.items()}
    reached = implied(model, values)
    heywood = _heywood(model, values)
    measures = _measures(model, matrix, observed, reached)
    _tell(converged, heywood)
    shares = standardized(model, values, reached)
    quantile = float(ndtri((1 + level) / 2))
    rows = tuple(_coefficient(key, *found[key], shares[key], quantile) for key in found)
    return SemopyFit(
        model, rows, tuple(measures.items()), objective, converged, heywood, matrix.n, matrix.n_dropped, level,
        matrix.data_kind,
    )  # fmt: skip


def _require_items(model: LatentModel, matrix: ItemMatrix, most_items: int | None) -> None:
    if matrix.left_out:
        raise AnalysisError("models.error.constant_items", items=", ".join(name for name, _ in matrix.left_out))
    if most_items is not None and len(model.items) > most_items:
        raise AnalysisError("models.error.too_many_items", items=len(model.items), most=most_items)
    if matrix.n < max(MINIMUM_CELL, len(model.items) + 1):
        raise AnalysisError("models.error.few_complete_rows", n=_shown(matrix.n), items=len(model.items))


def _shown(count: int) -> str:
    return str(count) if count == 0 or count >= MINIMUM_CELL else f"<{MINIMUM_CELL}"


def _tell(converged: bool, heywood: tuple[str, ...]) -> None:
    if not converged:
        warnings.warn(ConvergenceWarning("models.note.not_converged"), stacklevel=4)
    if heywood:
        warnings.warn(HeywoodWarning("models.warning.heywood", names=", ".join(heywood)), stacklevel=4)


def _run(model: LatentModel, matrix: ItemMatrix) -> tuple[dict[Key, tuple[float, float]], bool, float]:
    """Return coefficients with standard errors (0 where fixed), whether semopy converged, and its objective."""
    import semopy

    safe = {name: f"f{k}" for k, name in enumerate(model.latents)}
    safe |= {name: f"x{k}" for k, name in enumerate(model.items)}  # semopy's grammar takes plain ASCII names only
    frame = pd.DataFrame(matrix.values, columns=[safe[name] for name in model.items])
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            fitted = semopy.Model(_description(model, safe))
            result = fitted.fit(frame, options={"ftol": _TOLERANCE, "maxiter": _MOST_STEPS})
            table = fitted.inspect()
    except (np.linalg.LinAlgError, ValueError, FloatingPointError) as error:
        raise AnalysisError("models.error.semopy_failed") from error
    found = _read(model, table, {short: name for name, short in safe.items()})
    if not all(np.isfinite(estimate) for estimate, _ in found.values()):
        raise AnalysisError("models.error.semopy_failed")
    return found, bool(result.success), float(result.fun)


def _description(model: LatentModel, safe: Mapping[str, str]) -> str:
    lines = [f"{safe[name]} =~ {' + '.join(safe[i] for i in items)}" for name, items in model.measurement]
    lines += [f"{safe[name]} ~ {' + '.join(safe[s] for s in sources)}" for name, sources in model.paths]
    lines += [f"{safe[left]} ~~ {safe[right]}" for left, right in model.free_covariances]
    return "\n".join(lines)


def _read(model: LatentModel, table: pd.DataFrame, names: Mapping[str, str]) -> dict[Key, tuple[float, float]]:
    """Return semopy's table in lavaan's operators and the model's own order; "-" stands where nothing was estimated."""
    found: dict[Key, tuple[float, float]] = {}
    items = set(model.items)
    for row in table.to_dict("records"):
        left, right = names[row["lval"]], names[row["rval"]]
        error = 0.0 if row["Std. Err"] == "-" else float(row["Std. Err"])
        if row["op"] == "~" and left in items:
            found[right, "=~", left] = (float(row["Estimate"]), error)
        else:
            found[left, row["op"], right] = (float(row["Estimate"]), error)
    order = _keys(model)
    turned = {key: found.get(key, found.get((key[2], key[1], key[0]), (np.nan, np.nan))) for key in order}
    if len(found) != len(order):
        raise AnalysisError("models.error.semopy_failed")
    return turned


def _keys(model: LatentModel) -> list[Key]:
    keys: list[Key] = [(name, "=~", item) for name, items in model.measurement for item in items]
    keys += [(name, "~", source) for name, sources in model.paths for source in sources]
    keys += [(left, "~~", right) for left, right in model.free_covariances]
    return keys + [(name, "~~", name) for name in (*model.latents, *model.items)]


def _heywood(model: LatentModel, values: Mapping[Key, float]) -> tuple[str, ...]:
    names = (*model.items, *model.latents)
    return tuple(name for name in names if values[name, "~~", name] <= AT_BOUND)


def _coefficient(key: Key, estimate: float, error: float, share: float, quantile: float) -> Coefficient:
    if error == 0.0:
        fixed = key[1] == "=~"
        note = "models.note.fixed" if fixed else "models.note.no_error"
        return Coefficient(*key, estimate, 0.0 if fixed else np.nan, np.nan, np.nan, np.nan, np.nan, share, note)
    statistic = estimate / error
    tail = 2.0 * float(normal_tail(-abs(statistic)))
    reach = quantile * error
    return Coefficient(*key, estimate, error, statistic, tail, estimate - reach, estimate + reach, share, "")


def _measures(model: LatentModel, matrix: ItemMatrix, observed: Any, reached: Implied) -> dict[str, float]:
    """Return lavaan's names with values from this package's own functions."""
    n, free, df = matrix.n, model.parameters, model.df
    sample = np.cov(matrix.values, rowvar=False, bias=True)
    chi_square = n * ml_discrepancy(sample, reached.items)
    baseline, baseline_df = baseline_chi_square(observed, n)
    likelihood = normal_log_likelihood(sample, reached.items, n)
    low, high = fit_indices.rmsea_interval(chi_square, df, n)
    gfi = gfi_lisrel(sample, reached.items)
    return {
        "npar": float(free),
        "chisq": chi_square,
        "df": float(df),
        "pvalue": fit_indices.chi_square_p(chi_square, df),
        "chisq_over_df": fit_indices.chi_square_over_df(chi_square, df),
        "baseline_chisq": baseline,
        "baseline_df": float(baseline_df),
        "cfi": fit_indices.cfi(chi_square, df, baseline, baseline_df),
        "tli": fit_indices.tli(chi_square, df, baseline, baseline_df),
        "nfi": fit_indices.nfi(chi_square, baseline),
        "gfi_lisrel": gfi,
        "agfi_lisrel": fit_indices.agfi(gfi, free, df),
        "rmsea": fit_indices.rmsea(chi_square, df, n),
        "rmsea_ci_lower": low,
        "rmsea_ci_upper": high,
        "rmsea_pvalue": fit_indices.rmsea_close(chi_square, df, n),
        "srmr": srmr(sample, reached.items),
        "logl": likelihood,
        "aic": fit_indices.aic(likelihood, free),
        "bic": fit_indices.bic(likelihood, free, n),
    }
