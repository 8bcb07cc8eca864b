"""Measures of fit with conventions and who proposed them, and modification indices, out of a fitted model."""

from __future__ import annotations

from typing import Any

from sipas_research.report.cells import Absent
from sipas_research.report.display import Column, Finding, Table
from sipas_research.report.fit_notes import common, label, scales, solution_notes
from sipas_research.sem.result import SemFit
from sipas_research.survey.responses import Responses
from sipas_research.wording import integer, interval, number, p_value, text

#: Rows in the order in which councils read them, with the plain and the robust measure behind each.
_MEASURES = {
    "chisq": ("chisq", "chisq_scaled"),
    "df": ("df", "df_scaled"),
    "pvalue": ("pvalue", "pvalue_scaled"),
    "chisq_over_df": ("chisq_over_df", ""),
    "gfi": ("gfi_lisrel", ""),
    "tli": ("tli", "tli_robust"),
    "cfi": ("cfi", "cfi_robust"),
    "rmsea": ("rmsea", "rmsea_robust"),
    "rmsea_interval": ("rmsea_ci", "rmsea_ci"),
    "rmsea_pvalue": ("rmsea_pvalue", "rmsea_pvalue_robust"),
    "srmr": ("srmr", "srmr"),
}
_WITH_RULE = {"pvalue", "chisq_over_df", "gfi", "tli", "cfi", "rmsea", "rmsea_pvalue", "srmr"}
#: Modification indices that a report shows.
_MOST_CHANGES = 10


def model_name(name: str, language: str) -> str:
    """Return "CFA" or "mô hình đòn bẩy"."""
    return text(f"sem_tables.fit.model_{name}", language)


def fit_table(fit: SemFit | Finding, name: str, responses: Responses, language: str) -> Table | None:
    """Return measures of fit, in the form of theses and robust, with each convention and who proposed it.

    Parameters
    ----------
    fit : SemFit or Finding
        A robust fit (MLR, MLM) has both columns, another one the first only. Nothing without a fit: the reason stands
        above.
    name : {"cfa", "levers"}
    """
    if isinstance(fit, Finding):
        return None
    robust = fit.options.robust
    rows: list[tuple[Any, ...]] = [_row(measure, fit, language) for measure in _MEASURES]
    keys = ["note_conventions", "note_n"]
    notes = [text(f"sem_tables.fit.{key}", language) for key in keys]
    if robust:
        scaling = number(fit.measures["chisq_scaling_factor"], 3, language)
        notes.insert(0, text("sem_tables.fit.note_same", language, scaling=scaling))
    if max(fit.measures["tli"], fit.measures["tli_robust"] if robust else 0.0) > 1:
        notes.append(text("sem_tables.fit.note_above_one", language))
    columns = [Column("measure", text("sem_tables.column.measure", language), width=0.19)]
    columns.append(Column("ml", text("sem_tables.column.ml", language), align="right", width=0.14))
    columns += [Column("mlr", text("sem_tables.column.mlr", language), align="right", width=0.14)] if robust else []
    columns.append(Column("rule", text("sem_tables.column.rule", language), width=0.2))
    columns.append(Column("by", text("sem_tables.column.by", language), width=0.33 if robust else 0.47))
    return Table(
        f"tbl-fit-{name}",
        text("sem_tables.fit.title", language, model=model_name(name, language)),
        tuple(columns),
        tuple(rows),
        n=fit.n,
        notes=(*notes, *solution_notes(fit, responses, language, brief=False, name=name)),
        **common(fit, responses, language),
    )


def _row(measure: str, fit: SemFit, language: str) -> tuple[Any, ...]:
    plain, robust = _MEASURES[measure]
    cells: list[Any] = [_printed(measure, plain, "", fit, language)]
    if fit.options.robust:
        without = Absent(text("sem_tables.fit.no_robust", language))
        cells.append(_printed(measure, robust, "_robust", fit, language) if robust else without)
    rule = [
        text(f"sem_tables.fit.{part}_{measure}", language) if measure in _WITH_RULE else "" for part in ("rule", "by")
    ]
    return (text(f"sem_tables.fit.{measure}", language), *cells, *rule)


def _printed(measure: str, name: str, suffix: str, fit: SemFit, language: str) -> str:
    found = fit.measures
    if measure == "rmsea_interval":
        ends = found[f"rmsea_ci_lower{suffix}"], found[f"rmsea_ci_upper{suffix}"]
        return interval(*ends, language, share=False, decimals=3)
    if measure == "df":
        return integer(found[name], language)
    if measure in {"pvalue", "rmsea_pvalue"}:
        return p_value(found[name], language)
    return number(found[name], 2 if measure.startswith("chisq") else 3, language)


def modification_table(fit: SemFit | Finding, name: str, responses: Responses, language: str) -> Table | None:
    """Return the ten largest modification indices, with p-values that allow for the number looked at.

    Parameters
    ----------
    fit : SemFit or Finding
        Nothing where there is no fit: the reason stands above.
    name : {"cfa", "levers"}
    """
    if isinstance(fit, Finding):
        return None
    from scipy.special import chdtrc

    table = fit.modification_indices()
    scaled = "mi_scaled" in table.columns
    index = "mi_scaled" if scaled else "mi"
    rows = []
    for row in table.head(_MOST_CHANGES).to_dict("records"):
        tail = float(chdtrc(1.0, row[index]))
        corrected = min(1.0, tail * len(table))
        change = float(row["sepc_all"])
        rows.append((_relation(row, responses, language), float(row[index]), tail, corrected, change))
    if not rows:
        return None
    note = "note_mi" if scaled else "note_mi_plain"
    return Table(
        f"tbl-mi-{name}",
        text("sem_tables.changes.title", language, model=model_name(name, language)),
        (
            Column("relation", text("sem_tables.changes.relation", language), width=0.46),
            Column("mi", text("sem_tables.changes.mi", language), "number2", width=0.11),
            Column("p", text("sem_tables.changes.p", language), "p", width=0.11),
            Column("p_adjusted", text("sem_tables.changes.p_adjusted", language), "p", width=0.15),
            Column("change", text("sem_tables.changes.change", language), "number3", width=0.17),
        ),
        tuple(rows),
        n=fit.n,
        notes=(
            text("sem_tables.changes.note_exploration", language, count=len(table)),
            text(f"sem_tables.changes.{note}", language, count=len(table)),
        ),
        **common(fit, responses, language),
    )


def _relation(row: dict[Any, Any], responses: Responses, language: str) -> str:
    """Return a relation in words, its first letter large."""
    left, right = (label(str(row[side]), responses, language) for side in ("lhs", "rhs"))
    items = {row["lhs"], row["rhs"]} - scales(responses)
    if row["op"] == "=~":
        said = text("sem_tables.changes.loading", language, item=right, factor=left)
    elif row["op"] == "~":
        said = text("sem_tables.changes.path", language, source=right, outcome=left)
    elif len(items) == len({row["lhs"], row["rhs"]}):
        said = text("sem_tables.changes.residual", language, first=left, second=right)
    else:
        said = text("sem_tables.changes.covariance", language, first=left, second=right)
    return said[:1].upper() + said[1:]
