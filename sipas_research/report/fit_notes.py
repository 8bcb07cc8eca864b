"""What tables of fitted models share: names for people, notes on the solution, and fits that are not printed at all."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

from sipas_research.errors import AnalysisError
from sipas_research.numerics.disclosure import MINIMUM_CELL
from sipas_research.report.cells import Absent
from sipas_research.report.design_limits import design_options, design_title
from sipas_research.report.display import Finding
from sipas_research.report.labels import attempt, item_codes, scale_name, source_line
from sipas_research.sem.moments import shown
from sipas_research.sem.result import NOTE_FIXED, SemFit
from sipas_research.sem.usable import require_usable
from sipas_research.survey.responses import Responses
from sipas_research.wording import percent, text

#: Fewer rows than this are told under each table: the least that textbooks name for maximum likelihood.
USUAL_LEAST = 200
#: Above this share of incomplete forms tables and findings say whom the results speak of.
MANY_DROPPED = 0.2


def attempt_fit(build: Callable[[], SemFit], name: str, responses: Responses, language: str) -> SemFit | Finding:
    """Return a fit that may be printed, or a finding that says why there is none.

    Parameters
    ----------
    build : callable
        Fits a model; its errors become reasons, as does a fit that :func:`require_printable` refuses.
    name : str
        As in :func:`sipas_research.report.labels.attempt`.
    """
    return attempt(lambda: require_printable(build()), name, responses, language)


def require_printable(fit: SemFit) -> SemFit:
    """Return the fit if its numbers may stand in a report.

    Raises
    ------
    AnalysisError
        If every factor has a single item, or as in :func:`sipas_research.sem.usable.require_usable`.
    """
    measured = Counter(row.lhs for row in fit.table.rows if row.op == "=~" and row.group == 0)
    if measured and max(measured.values()) == 1:
        # every factor is its only item: loadings of one and perfect fit hold for any data
        raise AnalysisError("sem_tables.error.single_items")
    return require_usable(fit)


def common(fit: SemFit, responses: Responses, language: str) -> dict[str, Any]:
    """Return what every table of a fit says about itself."""
    return {
        "language": language,
        "data_kind": fit.data_kind,
        "weighting": text("tables.common.unweighted", language),
        "source": source_line(responses, language),
    }


def label(name: str, responses: Responses, language: str) -> str:
    """Return a variable of a model for people: an item's code, a scale's name, or the name itself."""
    codes = item_codes(responses.questionnaire)
    if name in codes:
        return codes[name]
    return scale_name(responses.questionnaire, name, language) if name in scales(responses) else name


def arrow(left: str, right: str, responses: Responses, language: str) -> str:
    """Return a path as theses print it, the explained variable first: "1.2 ← Tiếp cận dịch vụ"."""
    return f"{label(left, responses, language)} ← {label(right, responses, language)}"


def scales(responses: Responses) -> frozenset[str]:
    """Return the ids of the questionnaire's scales."""
    return frozenset(responses.questionnaire.scale_ids())


def solution_notes(
    fit: SemFit, responses: Responses, language: str, *, brief: bool = True, name: str = ""
) -> tuple[str, ...]:
    """Return how the model was estimated, and what must be said about the solution.

    ``brief`` is for tables that stand beside one with the whole sentences. Under the lever model, ``name`` "levers",
    the sentence on the sampling design points to the table that allows for it.
    """
    estimator = "mlr" if fit.options.robust else "ml"
    left_out = fit.sample.n_read - fit.n
    dropped = left_out if left_out >= MINIMUM_CELL else shown(left_out)
    share = percent(left_out / fit.sample.n_read, language, 0)
    fields: dict[str, dict[str, object]] = {
        "dropped": {"dropped": dropped, "read": fit.sample.n_read},
        "dropped_brief": {"dropped": dropped},
        "many_dropped": {"share": share},
        "design_grid": {"title": design_title("levers", language)},
    }
    keys = [f"brief_{estimator}" if brief else estimator]
    keys += [("brief_fiml" if brief else "fiml")] if fit.options.fiml else []
    keys += [("dropped_brief" if brief else "dropped")] if left_out else []
    if not brief:
        keys += ["many_dropped"] if many_dropped(fit) else []
        keys += ["design_grid" if name == "levers" and design_options(responses) else "design"]
        keys += ["small"] if fit.n < USUAL_LEAST else []
    negative = negative_variances(fit)
    if negative:
        names = "; ".join(label(variable, responses, language) for variable in negative)
        keys, fields["heywood"] = [*keys, "heywood"], {"names": names}
    keys += ["improper"] if "sem.warning.not_positive_definite" in fit.troubles else []
    return tuple(text(f"sem_tables.note.{key}", language, **fields.get(key, {})) for key in keys)


def many_dropped(fit: SemFit) -> bool:
    """Return whether so many forms were left out that a reader must know."""
    return fit.sample.n_read - fit.n > MANY_DROPPED * fit.sample.n_read


def negative_variances(fit: SemFit) -> tuple[str, ...]:
    """Return the variables whose estimated variance is below zero."""
    table = fit.tidy()
    found = table[(table["op"] == "~~") & (table["lhs"] == table["rhs"]) & (table["estimate"] < 0)]
    return tuple(dict.fromkeys(found["lhs"]))


def tested(row: dict[Any, Any], *names: str, language: str) -> tuple[float | Absent, ...]:
    """Return numbers of a test out of a row of ``tidy``, or the reason why there is none."""
    reason = "no_test" if row["note"] == NOTE_FIXED else "no_error"
    absent = Absent(text(f"sem_tables.note.{reason}", language))
    values = [float(row[name]) for name in names]
    missing = reason == "no_test" or not all(math.isfinite(value) for value in values)
    return tuple(absent if missing else value for value in values)


def clear(low: float, high: float) -> bool:
    """Return whether an interval does not contain zero."""
    return low > 0 or high < 0
