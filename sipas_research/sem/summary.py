"""A fit in one row, and as text in the look and order of lavaan's summary, in Vietnamese and English."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from sipas_research.numerics.disclosure import MINIMUM_CELL
from sipas_research.sem.moments import require_regular
from sipas_research.sem.summary_measures import error_lines, fit_lines, head_lines
from sipas_research.sem.summary_parameters import parameter_lines
from sipas_research.sem.text_columns import INDENT, Line, laid_out, width_of
from sipas_research.sem.troubles import troubles_of
from sipas_research.wording import integer, percent, text

if TYPE_CHECKING:
    from sipas_research.sem.result import SemFit

#: Measures of a glance, in this order; scaled and robust ones are NaN without a robust estimator.
MEASURES = (
    "chisq", "pvalue", "chisq_scaled", "pvalue_scaled", "chisq_scaling_factor", "cfi", "tli", "cfi_scaled",
    "tli_scaled", "cfi_robust", "tli_robust", "rmsea", "rmsea_ci_lower", "rmsea_ci_upper", "rmsea_pvalue",
    "rmsea_scaled", "rmsea_robust", "rmsea_ci_lower_robust", "rmsea_ci_upper_robust", "srmr", "logl", "aic", "bic",
)  # fmt: skip
_PARAMETER_COLUMN = 11


def glance(fit: SemFit) -> pd.DataFrame:
    """Return one row about the whole fit.

    Returns
    -------
    DataFrame
        estimator, n, n_dropped, groups, clusters (0 without), npar, df, the measures of ``MEASURES`` (lavaan's names),
        converged, data_kind, note: names of the fit's troubles, separated by "; ".
    """
    row: dict[str, Any] = {
        "estimator": fit.options.estimator,
        "n": fit.n,
        "n_dropped": fit.sample.n_read - fit.n,
        "groups": len(fit.samples),
        "clusters": fit.sample.n_clusters,
        "npar": fit.parameters,
        "df": fit.tests.model.df,
    }
    row |= {name: fit.measures.get(name, float("nan")) for name in MEASURES}
    row |= {"converged": fit.converged, "data_kind": fit.data_kind.value}
    row["note"] = "; ".join(key.rsplit(".", 1)[-1] for key in fit.troubles)
    return pd.DataFrame([row])


def summary(fit: SemFit, language: str = "vi") -> str:
    """Return the fit as text: what was fitted, tests and measures, parameters by section, constraints, troubles.

    The order is that of lavaan's ``summary(fit, fit.measures = TRUE, standardized = TRUE, ci = TRUE,
    rsquare = TRUE)``; numbers have three decimals in the notation of the language. It holds no number about a person.

    Parameters
    ----------
    fit : SemFit
    language : {"vi", "en"}
    """
    state = "converged" if fit.converged else "not_converged"
    kind = text(f"common.kind.{fit.data_kind.value}", language)
    opening = [text("common.mark.simulated", language), ""] if fit.data_kind.is_simulated else []
    opening.append(text(f"sem_summary.head.{state}", language, steps=fit.optimum.steps))
    opening += [text("sem_summary.head.kind", language, kind=kind), ""]
    upper = [*head_lines(fit, language), *fit_lines(fit, language)]
    errors = error_lines(fit, _coverage(fit.options.level, language), language)
    width = width_of([*upper, *errors]) + 2
    lower = parameter_lines(fit, language)
    title = ["", text("sem_summary.section.parameters", language), ""]
    body = [*laid_out(upper, width), *title, *laid_out(errors, width)]
    body += laid_out(lower, max(width_of(lower), 14), _PARAMETER_COLUMN)
    return "\n".join([*opening, *body, "", *_notes(fit, language)])


def _notes(fit: SemFit, language: str) -> list[str]:
    """Return the legend, and the troubles in full sentences."""
    lines = [Line(text("sem_summary.section.notes", language))]
    lines += [Line(INDENT + text(f"sem_summary.note.{name}", language)) for name in ("residual", "fixed")]
    if fit.sample.n_clusters:
        degrees = integer(fit.sample.n_clusters - 1, language)
        lines.append(Line(INDENT + text("sem_design.note.p_t", language, df=degrees)))
    if fit.withheld is not None and fit.withheld.both.any():
        lines.append(Line(INDENT + text("sem_ordinal.note.few_people", language, minimum=MINIMUM_CELL)))
    if fit.troubles:
        singular = require_regular(fit.samples, invertible=False)
        troubles = troubles_of(fit, singular)
        lines += [Line(f"{INDENT}{text(each.key, language, **each.fields)}") for each in troubles]
    return laid_out(lines, 0)


def _coverage(level: float, language: str) -> str:
    whole = abs((level * 100.0 + 0.5) % 1.0 - 0.5) < 1e-9
    return percent(level, language, 0 if whole else 1)
