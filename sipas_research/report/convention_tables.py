"""The cut-offs of a measurement chapter: conventions, who proposed them, where they fail."""

from __future__ import annotations

from sipas_research.report.display import Column, Table
from sipas_research.report.labels import source_line, survey_id
from sipas_research.survey.responses import Responses
from sipas_research.wording import text

#: In the order of the chapter. Those of CR, AVE and HTMT stand in the table of validity, those of fit in that of fit.
MEASURES = (
    "alpha",
    "item_total",
    "sample",
    "kmo",
    "bartlett",
    "eigenvalue",
    "variance",
    "loading",
    "cross_loading",
    "harman",
    "icc2",
    "rwg",
)
_PARTS = ("measure", "bar", "by", "limit")


def measurement_conventions_table(responses: Responses, language: str) -> Table:
    """Return each usual cut-off of reliability, exploratory factors, method bias and agreement."""
    rows = tuple(
        tuple(_begun(text(f"measurement_conventions.{part}.{name}", language)) for part in _PARTS) for name in MEASURES
    )
    return Table(
        f"tbl-measurement-conventions-{survey_id(responses)}",
        text("measurement_conventions.table.title", language),
        (
            Column("measure", text("measurement_conventions.table.measure", language), width=0.18),
            Column("bar", text("measurement_conventions.table.bar", language), width=0.2),
            Column("by", text("measurement_conventions.table.by", language), width=0.24),
            Column("limit", text("measurement_conventions.table.limit", language), width=0.38),
        ),
        rows,
        language,
        responses.data_kind,
        source=source_line(responses, language),
        notes=(text("measurement_conventions.table.note", language),),
    )


def _begun(words: str) -> str:
    """Return a cell that begins with a capital; "rwg(j)" is a symbol."""
    return words if words.startswith("rwg") else words[:1].upper() + words[1:]
