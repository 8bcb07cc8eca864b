"""Bootstrap intervals of paths and definitions, raw and standardised, with what was drawn and what failed."""

from __future__ import annotations

import math
from typing import Any

from sipas_research.report.cells import Absent
from sipas_research.report.display import Column, Table
from sipas_research.report.fit_notes import arrow, common, label, solution_notes
from sipas_research.report.model_tables import interval_label
from sipas_research.sem.bootstrap import Bootstrap, Interval
from sipas_research.sem.questionnaire_models import INDIRECT, TOTAL
from sipas_research.survey.responses import Responses
from sipas_research.wording import integer, text

TOPIC = "bootstrap_tables"


def bootstrap_table(found: Bootstrap, responses: Responses, language: str, ci: Interval = "percentile") -> Table:
    """Return estimate, bootstrap error and intervals of each path and definition.

    Parameters
    ----------
    found : Bootstrap
    responses : Responses
        Those the model was fitted to: for names and source.
    language : str
    ci : {"percentile", "bca"}
    """
    kept = [row for row in found.tidy(ci).to_dict("records") if row["op"] in ("~", ":=") and row["note"] != "fixed"]
    rows = tuple((_name(row, responses, language), *_numbers(row, language)) for row in kept)
    columns = (
        Column("relation", text("sem_tables.column.path", language), width=0.32),
        Column("estimate", text("sem_tables.column.estimate", language), "number3", width=0.11),
        Column("std_error", text(f"{TOPIC}.column.error", language), "number3", width=0.11),
        Column("interval", interval_label(found.fit.options.level, language), "interval3", width=0.18),
        Column("std", text("sem_tables.column.std", language), "number3", width=0.1),
        Column("std_interval", text(f"{TOPIC}.column.std_interval", language), "interval3", width=0.18),
    )
    notes = (*_drawn_notes(found, language, ci), *solution_notes(found.fit, responses, language))
    return Table(
        "tbl-bootstrap", text(f"{TOPIC}.title", language), columns, rows, n=found.fit.n, notes=notes,
        **common(found.fit, responses, language),
    )  # fmt: skip


def _name(row: dict[Any, Any], responses: Responses, language: str) -> str:
    """Return a path as an arrow; a definition by its name, those of a lever model by the levers that they are of."""
    if row["op"] == "~":
        return arrow(str(row["lhs"]), str(row["rhs"]), responses, language)
    start, *parts = str(row["lhs"]).split(".")
    if start in (INDIRECT, TOTAL) and parts:
        names = " → ".join(label(part, responses, language) for part in parts)
        return text(f"{TOPIC}.name.{start}", language, names=names)
    return str(row["lhs"]).replace("_", " ")


def _numbers(row: dict[Any, Any], language: str) -> tuple[Any, ...]:
    absent = Absent(text(f"{TOPIC}.no_interval", language))
    cells: list[Any] = [float(row["estimate"])]
    cells.append(float(row["std_error"]) if math.isfinite(row["std_error"]) else absent)
    for low, high in (("conf_low", "conf_high"), ("std_all_low", "std_all_high")):
        ends = (float(row[low]), float(row[high]))
        cells.append(ends if all(map(math.isfinite, ends)) else absent)
        if low == "conf_low":
            cells.append(float(row["std_all"]))
    return tuple(cells)


def _drawn_notes(found: Bootstrap, language: str, ci: Interval) -> tuple[str, ...]:
    units = sum(len(stratum) for stratum in found.units.strata)
    drawn = {"draws": integer(len(found.draws), language), "units": integer(units, language), "seed": str(found.seed)}
    notes = [text(f"{TOPIC}.note.{found.by}", language, **drawn), text(f"{TOPIC}.note.{ci}", language)]
    if found.failed:
        notes.append(text(f"{TOPIC}.note.failed", language, count=integer(found.failed, language)))
    if found.improper:
        notes.append(text(f"{TOPIC}.note.improper", language, count=integer(found.improper, language)))
    return tuple(notes)
