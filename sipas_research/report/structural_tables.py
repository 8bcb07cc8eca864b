"""Confirmatory factor analysis and lever model as councils read them: loadings, fit with conventions, paths."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sipas_research.report.cells import Absent
from sipas_research.report.display import Column, Finding, Table
from sipas_research.report.labels import item_codes, scale_name, source_line
from sipas_research.report.model_tables import interval_label
from sipas_research.survey.responses import Responses
from sipas_research.verification.semopy_fit import SemopyFit
from sipas_research.wording import integer, interval, number, p_value, text

#: Measures of the fit table in the order councils read them, with how many decimals; those with a convention name it.
_MEASURES = ("chisq", "df", "pvalue", "chisq_over_df", "cfi", "tli", "gfi_lisrel", "rmsea", "rmsea_interval",
             "rmsea_pvalue", "srmr")  # fmt: skip
_WITH_RULE = {"chisq_over_df", "cfi", "tli", "gfi_lisrel", "rmsea", "rmsea_pvalue", "srmr"}


def _common(found: SemopyFit, responses: Responses, language: str) -> dict[str, Any]:
    return {
        "language": language,
        "data_kind": found.data_kind,
        "weighting": text("tables.common.unweighted", language),
        "source": source_line(responses, language),
    }


def solution_notes(found: SemopyFit, responses: Responses, language: str) -> tuple[str, ...]:
    """Return who estimated the model and how, and what must be said about the solution."""
    notes = [text("models.table.note_semopy", language, dropped=found.n_dropped)]
    if not found.converged:
        notes.append(text("models.table.note_not_converged", language))
    if found.heywood:
        codes = item_codes(responses.questionnaire)
        names = [codes[n] if n in codes else scale_name(responses.questionnaire, n, language) for n in found.heywood]
        notes.append(text("models.table.note_heywood", language, names=", ".join(names)))
    return tuple(notes)


def _number(value: float, note: str, language: str) -> float | Absent:
    return float(value) if math.isfinite(value) else Absent(text(note or "models.note.no_error", language))


def loadings_table(found: SemopyFit | Finding, responses: Responses, language: str) -> Table | Finding:
    """Return loadings, standard errors, C.R. and standardised loadings of the confirmatory factor analysis."""
    if isinstance(found, Finding):
        return found
    codes = item_codes(responses.questionnaire)
    rows, before = [], ""
    for c in (c for c in found.coefficients if c.op == "=~"):
        name = scale_name(responses.questionnaire, c.lhs, language) if c.lhs != before else ""
        before = c.lhs
        fixed = c.note == "models.note.fixed"
        tests = ("", "", "") if fixed else tuple(_number(v, c.note, language) for v in _tests(c))
        rows.append((name, codes[c.rhs], float(c.estimate), *tests, float(c.std_all)))
    return Table(
        "tbl-cfa-loadings",
        text("models.table.loadings", language),
        (
            Column("factor", text("models.table.factor", language), width=0.3),
            Column("item", text("models.table.item", language), align="center", width=0.11),
            Column("loading", text("models.table.loading", language), "number3", width=0.12),
            Column("std_error", text("models.table.std_error", language), "number3", width=0.12, align="right"),
            Column("cr", text("models.table.cr", language), "number2", width=0.1, align="right"),
            Column("p", text("models.table.p", language), "p", width=0.1, align="right"),
            Column("std_loading", text("models.table.std_loading", language), "number3", width=0.15),
        ),
        tuple(rows),
        n=found.n,
        notes=(text("models.table.note_loading", language), *solution_notes(found, responses, language)),
        **_common(found, responses, language),
    )


def _tests(coefficient: Any) -> tuple[float, float, float]:
    return coefficient.std_error, coefficient.statistic, coefficient.p_value


def fit_table(fits: Mapping[str, SemopyFit | Finding], responses: Responses, language: str) -> Table | None:
    """Return measures of fit of one or two models with each convention and who proposed it.

    Parameters
    ----------
    fits : mapping of str to SemopyFit or Finding
        "cfa" and "levers"; models that could not be fitted are left out. Nothing where none is left.
    """
    known = {name: fit for name, fit in fits.items() if isinstance(fit, SemopyFit)}
    if not known:
        return None
    rows: list[tuple[str, ...]] = [
        (text("models.table.fit_n", language), *[integer(f.n, language) for f in known.values()], "", "")
    ]
    for name in _MEASURES:
        values = [_measure(name, fit, language) for fit in known.values()]
        said = [text(f"models.table.{part}_{name}", language) if name in _WITH_RULE else "" for part in ("rule", "by")]
        rows.append((text(f"models.table.fit_{name}", language), *values, *said))
    first = next(iter(known.values()))
    keys = ("note_conventions", "note_gfi", "note_own")
    width = 0.3 / len(known)
    return Table(
        "tbl-model-fit",
        text("models.table.fit", language),
        (
            Column("measure", text("models.table.measure", language), width=0.25),
            *[Column(n, text(f"models.table.model_{n}", language), align="right", width=width) for n in known],
            Column("rule", text("models.table.convention", language), width=0.18),
            Column("by", text("models.table.proposed_by", language), width=0.27),
        ),
        tuple(rows),
        notes=(*[text(f"models.table.{key}", language) for key in keys], *_said_once(known, responses, language)),
        **_common(first, responses, language),
    )


def _said_once(known: Mapping[str, SemopyFit], responses: Responses, language: str) -> tuple[str, ...]:
    """Return what must be said about convergence and Heywood cases, each with the model's name."""
    found = []
    for name, fit in known.items():
        title = text(f"models.table.model_{name}", language)
        found += [f"{title}: {note}" for note in solution_notes(fit, responses, language)[1:]]
    return tuple(found)


def _measure(name: str, fit: SemopyFit, language: str) -> str:
    found = dict(fit.measures)
    if name == "rmsea_interval":
        return interval(found["rmsea_ci_lower"], found["rmsea_ci_upper"], language, share=False, decimals=3)
    if name == "df":
        return integer(found["df"], language)
    if name in {"pvalue", "rmsea_pvalue"}:
        return p_value(found[name], language)
    return number(found[name], 2 if name.startswith("chisq") else 3, language)


def path_table(found: SemopyFit | Finding, responses: Responses, language: str) -> Table | Finding:
    """Return the path coefficients of the lever model with intervals; R2 of each explained variable in the note."""
    if isinstance(found, Finding):
        return found
    questionnaire = responses.questionnaire
    rows, before = [], ""
    for c in (c for c in found.coefficients if c.op == "~"):
        left = scale_name(questionnaire, c.lhs, language) if c.lhs != before else ""
        before = c.lhs
        tests = tuple(_number(v, c.note, language) for v in _tests(c))
        ends = (c.conf_low, c.conf_high)
        rows.append(
            (left, scale_name(questionnaire, c.rhs, language), float(c.estimate), *tests, ends, float(c.std_all))
        )
    shares = found.r2()
    values = "; ".join(
        f"{scale_name(questionnaire, name, language)} {number(float(shares[name]), 3, language)}"
        for name in found.model.explained
    )
    return Table(
        "tbl-lever-paths",
        text("models.table.paths", language),
        (
            Column("explained", text("models.table.explained", language), width=0.18),
            Column("source", text("models.table.source", language), width=0.2),
            Column("path", text("models.table.path", language), "number3", width=0.11),
            Column("std_error", text("models.table.std_error", language), "number3", width=0.1),
            Column("cr", text("models.table.cr", language), "number2", width=0.09),
            Column("p", text("models.table.p", language), "p", width=0.09),
            Column("interval", interval_label(found.level, language), "interval", width=0.12),
            Column("std_path", text("models.table.std_path", language), "number3", width=0.11),
        ),
        tuple(rows),
        n=found.n,
        notes=(
            text("models.table.note_path", language),
            text("models.table.note_r2", language, values=values),
            *solution_notes(found, responses, language),
        ),
        **_common(found, responses, language),
    )
