"""The two forms of a table of coefficients: as AMOS prints them, and standardised with robust intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sipas_research.report.display import Column, Table
from sipas_research.report.fit_notes import arrow, common, solution_notes, tested
from sipas_research.report.model_tables import interval_label
from sipas_research.sem.result import SemFit
from sipas_research.survey.responses import Responses
from sipas_research.wording import text

Record = dict[Any, Any]


@dataclass(frozen=True, slots=True)
class Relations:
    """Which rows of a fit a table is about, and how it names them.

    ``op`` is "=~" for loadings, "~" for paths; ``heading`` the key of the first column's heading; ``width`` its share
    of the page.
    """

    op: str
    heading: str
    width: float

    def of(self, rows: Iterable[Record]) -> list[Record]:
        """Return the rows of these relations."""
        return [row for row in rows if row["op"] == self.op]

    def name(self, row: Record, responses: Responses, language: str) -> str:
        """Return what an arrow points at, and where it comes from: the item of a loading, the outcome of a path."""
        ends = (row["rhs"], row["lhs"]) if self.op == "=~" else (row["lhs"], row["rhs"])
        return arrow(*ends, responses, language)

    def column(self, language: str) -> Column:
        """Return the first column."""
        return Column("relation", text(f"sem_tables.column.{self.heading}", language), width=self.width)


LOADINGS = Relations("=~", "loading", 0.46)
PATHS = Relations("~", "path", 0.46)


def unstandardized_table(
    fit: SemFit, responses: Responses, language: str, *, relations: Relations, name: str, title: str, notes: list[str]
) -> Table:
    """Return estimate, S.E., C.R., P and the standardised estimate of each relation, as AMOS prints them."""
    rows: list[tuple[Any, ...]] = []
    for row in relations.of(fit.tidy().to_dict("records")):
        tests = tested(row, "std_error", "statistic", "p_value", language=language)
        named = relations.name(row, responses, language)
        rows.append((named, float(row["estimate"]), *tests, float(row["std_all"])))
    return Table(
        name,
        text(title, language),
        (
            relations.column(language),
            Column("estimate", text("sem_tables.column.estimate", language), "number3", width=0.12),
            Column("std_error", text("sem_tables.column.std_error", language), "number3", width=0.1),
            Column("cr", text("sem_tables.column.cr", language), "number3", width=0.1),
            Column("p", text("sem_tables.column.p", language), "p", width=0.09),
            Column("std", text("sem_tables.column.std", language), "number3", width=0.13),
        ),
        tuple(rows),
        n=fit.n,
        notes=(*[text(key, language) for key in notes], *solution_notes(fit, responses, language)),
        **common(fit, responses, language),
    )


def standardized_coefficients_table(
    fit: SemFit, responses: Responses, language: str, *, relations: Relations, name: str, title: str,
    notes: Callable[[list[Record]], list[str]], last: tuple[Column, Callable[[Record], float]],
) -> Table:  # fmt: skip
    """Return standardised coefficients with robust errors and intervals, and one more column.

    Parameters
    ----------
    notes : callable
        Given the rows of the relations, returns the notes.
    last : (Column, callable)
        The further column and its cell in a row.
    """
    found = relations.of(fit.standardized().to_dict("records"))
    column, cell = last
    rows: list[tuple[Any, ...]] = []
    for row in found:
        ends = (float(row["conf_low"]), float(row["conf_high"]))
        numbers = (float(row["estimate"]), float(row["std_error"]), ends, cell(row))
        rows.append((relations.name(row, responses, language), *numbers))
    return Table(
        name,
        text(title, language),
        (
            relations.column(language),
            Column("std", text("sem_tables.column.std", language), "number3", width=0.15),
            Column("std_error", text("sem_tables.column.robust_error", language), "number3", width=0.12),
            Column("interval", interval_label(fit.options.level, language), "interval3", width=0.19),
            column,
        ),
        tuple(rows),
        n=fit.n,
        notes=(*notes(found), *solution_notes(fit, responses, language)),
        **common(fit, responses, language),
    )
