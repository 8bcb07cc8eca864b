"""Loadings of a confirmatory factor analysis: in the form of theses, and standardised with robust intervals."""

from __future__ import annotations

from typing import Any

from sipas_research.report.display import Column, Finding, Table
from sipas_research.report.fit_notes import arrow, common, solution_notes, tested
from sipas_research.report.model_tables import interval_label
from sipas_research.sem.result import SemFit
from sipas_research.survey.responses import Responses
from sipas_research.wording import text


def loadings_table(fit: SemFit | Finding, responses: Responses, language: str) -> Table | Finding:
    """Return estimate, S.E., C.R., P and the standardised estimate of each loading, as AMOS prints them.

    Parameters
    ----------
    fit : SemFit or Finding
        By plain maximum likelihood: what theses print. A finding is handed back.
    """
    if isinstance(fit, Finding):
        return fit
    table = fit.tidy()
    rows: list[tuple[Any, ...]] = []
    for row in table[table["op"] == "=~"].to_dict("records"):
        tests = tested(row, "std_error", "statistic", "p_value", language=language)
        relation = arrow(row["rhs"], row["lhs"], responses, language)
        rows.append((relation, float(row["estimate"]), *tests, float(row["std_all"])))
    keys = ("loadings.note_columns", "loadings.note_rule")
    return Table(
        "tbl-cfa-loadings",
        text("sem_tables.loadings.title", language),
        (
            Column("relation", text("sem_tables.column.loading", language), width=0.4),
            Column("estimate", text("sem_tables.column.estimate", language), "number3", width=0.13),
            Column("std_error", text("sem_tables.column.std_error", language), "number3", width=0.11),
            Column("cr", text("sem_tables.column.cr", language), "number3", width=0.11),
            Column("p", text("sem_tables.column.p", language), "p", width=0.1),
            Column("std", text("sem_tables.column.std", language), "number3", width=0.15),
        ),
        tuple(rows),
        n=fit.n,
        notes=(*[text(f"sem_tables.{key}", language) for key in keys], *solution_notes(fit, responses, language)),
        **common(fit, responses, language),
    )


def standardized_loadings_table(fit: SemFit | Finding, responses: Responses, language: str) -> Table | None:
    """Return standardised loadings with robust errors and intervals, and the R2 of each item.

    Parameters
    ----------
    fit : SemFit or Finding
        By a robust estimator. Nothing where there is no fit: the reason stands above.
    """
    if isinstance(fit, Finding):
        return None
    table = fit.standardized()
    shares = fit.r2().set_index("variable")["r2"].to_dict()
    rows: list[tuple[Any, ...]] = []
    for row in table[table["op"] == "=~"].to_dict("records"):
        ends = (float(row["conf_low"]), float(row["conf_high"]))
        numbers = (float(row["estimate"]), float(row["std_error"]), ends, float(shares[row["rhs"]]))
        rows.append((arrow(row["rhs"], row["lhs"], responses, language), *numbers))
    notes = [text(f"sem_tables.standard.{key}", language) for key in ("note_r2", "note_delta")]
    return Table(
        "tbl-cfa-standardized",
        text("sem_tables.standard.title", language),
        (
            Column("relation", text("sem_tables.column.loading", language), width=0.43),
            Column("std", text("sem_tables.column.std", language), "number3", width=0.17),
            Column("std_error", text("sem_tables.column.robust_error", language), "number3", width=0.12),
            Column("interval", interval_label(fit.options.level, language), "interval3", width=0.19),
            Column("r2", text("sem_tables.column.r2", language), "number3", width=0.11),
        ),
        tuple(rows),
        n=fit.n,
        notes=(*notes, *solution_notes(fit, responses, language)),
        **common(fit, responses, language),
    )
