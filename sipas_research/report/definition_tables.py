"""The index by each of its formulas, one a row: what a figure means depends on how it is computed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sipas_research.framework.definitions import DEFINITIONS
from sipas_research.framework.index import INDEX, SatisfactionIndex
from sipas_research.report.cells import Absent
from sipas_research.report.display import Column, Finding, Table
from sipas_research.report.index_tables import common, figures_of, note_sentences
from sipas_research.report.labels import index_name
from sipas_research.survey.responses import Responses
from sipas_research.wording import text


def definitions_table(
    found: Mapping[str, SatisfactionIndex | Finding], responses: Responses, language: str
) -> Table | None:
    """Return the index by each formula, in the order in which the formulas are listed; nothing where none was made.

    Parameters
    ----------
    found : mapping of a definition to its index
        A finding in place of an index says that the form cannot give it.
    """
    made = [found[name] for name in DEFINITIONS if name in found]
    indices = [index for index in made if isinstance(index, SatisfactionIndex)]
    if not indices:
        return None
    rows = tuple(_row(name, found[name], language) for name in DEFINITIONS if name in found)
    notes = dict.fromkeys(note for index in indices for note in index.notes)
    return Table(
        "tbl-definitions",
        text("ranking.definitions.title", language, index=index_name(responses, language)),
        (
            Column("formula", text("ranking.definitions.formula", language), width=0.48),
            Column("n", text("tables.common.n", language), "integer", width=0.12),
            Column("estimate", text("ranking.definitions.value", language), "percent", width=0.15),
            Column("interval", text("tables.common.interval", language), "interval_percent", width=0.25),
        ),
        rows,
        notes=(text("ranking.definitions.note", language), *note_sentences(list(notes), language)),
        **(common(indices[0], responses, language) | {"n": None}),
    )


def _row(name: str, found: SatisfactionIndex | Finding, language: str) -> tuple[Any, ...]:
    label = text(f"ranking.definitions.{name}", language)
    if isinstance(found, Finding):
        return (label, *[Absent(text("ranking.definitions.none", language))] * 3)
    table = found.tidy()
    row = table.loc[(table["term"] == INDEX) & (table["group"] == "")].to_dict("records")[0]
    return (label, *figures_of(row, language))
