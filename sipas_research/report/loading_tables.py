"""Loadings of a confirmatory factor analysis: in the form of theses, and standardised with robust intervals."""

from __future__ import annotations

from sipas_research.report.coefficient_tables import (
    LOADINGS,
    standardized_coefficients_table,
    unstandardized_table,
)
from sipas_research.report.display import Column, Finding, Table
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
    return unstandardized_table(
        fit,
        responses,
        language,
        relations=LOADINGS,
        name="tbl-cfa-loadings",
        title="sem_tables.loadings.title",
        notes=["sem_tables.loadings.note_columns", "sem_tables.loadings.note_rule"],
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
    shares = fit.r2().set_index("variable")["r2"].to_dict()
    notes = [text(f"sem_tables.standard.{key}", language) for key in ("note_r2", "note_delta")]
    return standardized_coefficients_table(
        fit,
        responses,
        language,
        relations=LOADINGS,
        name="tbl-cfa-standardized",
        title="sem_tables.standard.title",
        notes=lambda _: notes,
        last=(
            Column("r2", text("sem_tables.column.r2", language), "number3", width=0.12),
            lambda row: float(shares[row["rhs"]]),
        ),
    )
