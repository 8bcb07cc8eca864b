"""The index under criterion weights: the weights, how they were chosen, and agencies beside the default index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sipas_research.framework.index import IndexRow
from sipas_research.framework.weight_result import CriterionWeight, WeightedIndex
from sipas_research.report.cells import Absent, Suppressed
from sipas_research.report.display import Column, Finding, Table
from sipas_research.report.index_tables import figures_of, note_sentences
from sipas_research.report.labels import source_line
from sipas_research.survey.responses import Responses
from sipas_research.wording import text


def _word(name: str, language: str, **fields: object) -> str:
    return text(f"criterion_weights.table.{name}", language, **fields)


def _family(found: WeightedIndex, language: str) -> str:
    return text(f"framework.agency_level.{found.framework.level}", language)


def _id(name: str, found: WeightedIndex) -> str:
    method = found.method.replace("_", "-")
    return f"tbl-{name}-{method}-{found.framework.level}"


def weights_table(found: WeightedIndex | Finding, responses: Responses, language: str) -> Table | Finding:
    """Return the weight of each criterion, in the framework's order, with the reason for the weights below."""
    if isinstance(found, Finding):
        return found
    bounded = found.method == "benefit_of_doubt"
    bounds = (Column("bounds", _word("bounds", language), "interval_percent", width=0.22),) if bounded else ()
    rows = tuple(_weight_row(w, found, language, bounded=bounded) for w in found.weights)
    return Table(
        _id("weights", found),
        _word("weights_title", language, family=_family(found, language)),
        (
            Column("criterion", _word("criterion", language), width=0.4 if bounded else 0.5),
            Column("component", _word("component", language), width=0.24 if bounded else 0.32),
            Column("weight", _word("weight", language), "percent1"),
            *bounds,
        ),
        rows,
        language,
        found.data_kind,
        source=source_line(responses, language),
        notes=found.notes(language),
    )


def weighing_tables(
    found: Sequence[WeightedIndex] | Finding, responses: Responses, language: str
) -> tuple[Table | Finding, ...]:
    """Return the weights of several ways of weighing side by side, then each agency's index under them.

    Parameters
    ----------
    found : sequence of WeightedIndex
        Of one level, such as ``sr.weight_choices`` gives; a finding says why there are none.
    """
    if isinstance(found, Finding):
        return (found,)
    first = found[0]
    common: dict[str, Any] = {"language": language, "data_kind": first.data_kind}
    common["source"] = source_line(responses, language)
    names = [text(f"criterion_weights.method.{way.method}", language) for way in found]
    # what holds for every way of weighing is said once
    notes = tuple(dict.fromkeys(note for way in found for note in way.notes(language)))
    weights = Table(
        f"tbl-weighing-{first.framework.level}",
        _word("weights_title", language, family=_family(first, language)),
        (
            Column("criterion", _word("criterion", language), width=0.4),
            *(
                Column(way.method, name, "interval_percent" if way.method == "benefit_of_doubt" else "percent1")
                for way, name in zip(found, names, strict=True)
            ),
        ),
        tuple(_ways_row(place, found, language) for place in range(len(first.weights))),
        notes=notes,
        **common,
    )
    return weights, _agencies_table(found, names, responses, common)


def _ways_row(place: int, found: Sequence[WeightedIndex], language: str) -> tuple[Any, ...]:
    own = [way.weights[place] for way in found]
    absent = Absent(_word("not_asked", language))
    cells = [(w.low, w.high) if not np.isfinite(w.weight) else w.weight for w in own]
    return (own[0].criterion.name(language), *(c if w.asked else absent for c, w in zip(cells, own, strict=True)))


def _agencies_table(
    found: Sequence[WeightedIndex], names: Sequence[str], responses: Responses, common: dict[str, Any]
) -> Table:
    language = common["language"]
    interval = text("tables.common.interval", language)
    rows = []
    for place, (row, plain) in enumerate(found[0].pairs()):
        own = [way.pairs()[place][0] for way in found]
        cells = [cell for mine in own for cell in _figures(mine, language)[1:]]
        rows.append((responses.agencies.name(row.group, language), _figures(plain, language)[1], *cells))
    columns = [
        column
        for way, name in zip(found, names, strict=True)
        for column in (
            Column(way.method, name, "percent"),
            Column(f"{way.method}_interval", interval, "interval_percent"),
        )
    ]
    return Table(
        f"tbl-weighing-agencies-{found[0].framework.level}",
        _word("index_title", language, family=_family(found[0], language)),
        (
            Column("agency", _word("agency", language), width=0.24),
            Column("default", _word("default", language), "percent"),
            *columns,
        ),
        tuple(rows),
        weighting=text(f"tables.weighting.{found[0].index.weighting}", language),
        notes=(
            *note_sentences(list(found[0].index.notes), language),
            text("criterion_weights.note.sampling", language),
        ),
        **common,
    )


def _figures(row: IndexRow, language: str) -> tuple[Any, Any, Any]:
    names = ("suppressed", "estimate", "note", "n", "conf_low", "conf_high")
    return figures_of({name: getattr(row, name) for name in names}, language)


def _weight_row(weight: CriterionWeight, found: WeightedIndex, language: str, *, bounded: bool) -> tuple[Any, ...]:
    criterion = weight.criterion
    names = (criterion.name(language), found.framework.component(criterion.component).name(language))
    if not weight.asked:
        absent = Absent(_word("not_asked", language))
        return (*names, absent, absent) if bounded else (*names, absent)
    shown = weight.weight if np.isfinite(weight.weight) else Absent(_word("by_agency", language))
    return (*names, shown, (weight.low, weight.high)) if bounded else (*names, shown)


def weighted_index_table(found: WeightedIndex | Finding, responses: Responses, language: str) -> Table | Finding:
    """Return the index of each agency under the weights beside its default index, in register order."""
    if isinstance(found, Finding):
        return found
    keys = [f"tables.index.definition_{found.index.definition}", *found.index.notes]
    return Table(
        _id("weighted-index", found),
        _word("index_title", language, family=_family(found, language)),
        (
            Column("agency", _word("agency", language), width=0.36),
            Column("n", text("tables.common.n", language), "integer", width=0.1),
            Column("default", _word("default", language), "percent", width=0.13),
            Column("weighted", _word("weighted", language), "percent", width=0.14),
            Column("interval", text("tables.common.interval", language), "interval_percent", width=0.16),
            Column("difference", _word("difference", language), "number2", width=0.11),
        ),
        tuple(_agency_row(row, plain, responses, language) for row, plain in found.pairs()),
        language,
        found.data_kind,
        weighting=text(f"tables.weighting.{found.index.weighting}", language),
        source=source_line(responses, language),
        notes=(
            *note_sentences(keys, language),
            *found.notes(language),
            text("criterion_weights.note.sampling", language),
        ),
    )


def _agency_row(row: IndexRow, plain: IndexRow, responses: Responses, language: str) -> tuple[Any, ...]:
    usual = _figures(plain, language)[1]
    people, estimate, ends = _figures(row, language)
    gap: Any = Suppressed() if row.suppressed else estimate
    if not row.suppressed and np.isfinite(row.estimate - plain.estimate):
        gap = 100.0 * (row.estimate - plain.estimate)
    return (responses.agencies.name(row.group, language), people, usual, estimate, ends, gap)
