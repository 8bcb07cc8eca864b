"""Tables of published series: two indices, the PAR INDEX tree, the breaks, the ten-year review."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from sipas_research.errors import HonestyError
from sipas_research.evidence.ledger import facts, printed_value
from sipas_research.evidence.par_table import LEVELS, ParNode, ParTable
from sipas_research.evidence.published import Dashboard
from sipas_research.evidence.series import Break, Series
from sipas_research.report.cells import Absent
from sipas_research.report.display import Column, Finding, Table
from sipas_research.results import DataKind
from sipas_research.wording import Bilingual, percent, text

_TOP = 100.0


def refuse_simulated_place(data_kind: DataKind, place: Bilingual, language: str) -> None:
    """Keep published figures of a real place out of the documents of a simulated province.

    Raises
    ------
    HonestyError
        If ``data_kind`` is simulated.
    """
    if data_kind.is_simulated:
        raise HonestyError("series.mark.refused", place=place(language))


def sources_of(identifiers: Iterable[str], language: str) -> str:
    """Return the publications behind ledger rows, each once, with the kind of their data."""
    known = {row.id: row for row in facts(printable=None)}
    names = dict.fromkeys(known[i].source for i in identifiers if i in known)
    kind = text(f"common.kind.{DataKind.PUBLISHED.value}", language)
    return text("tables.source.line", language, source="; ".join(names), kind=kind)


def absent(key: str, language: str) -> Absent:
    """Return an empty cell with its reason."""
    return Absent(text(key, language))


def share(value: float) -> float:
    """Return a value of the 0-100 scale as a share."""
    return value / _TOP


def dashboard_table(shown: Dashboard, language: str) -> Table:
    """Return both indices: value, rank, printed rise, places, and the year before under both readings."""
    known = {row.id: row for row in facts(printable=None)}
    rows = [
        (
            line.name(language),
            share(line.value),
            f"{line.rank}/{line.of}",
            printed_value(known[f"ls_{line.index}_change_{line.year}"], language),
            line.places,
            share(line.previous_points),
            share(line.previous_percent),
            f"{line.previous_rank}/{line.of}",
        )
        for line in shown.lines
    ]
    titles = ("index", "value", "rank", "change", "places", "previous_points", "previous_percent", "previous_rank")
    styles: dict[str, Any] = {"value": "percent", "previous_points": "percent", "previous_percent": "percent"}
    columns = [
        Column(
            name,
            text(f"series.dashboard.{name}", language),
            "integer" if name == "places" else styles.get(name, "text"),
            None if name in {"index", "places", *styles} else "right",
        )
        for name in titles
    ]
    year, of = shown.lines[0].year, shown.lines[0].of
    return Table(
        "tbl-dashboard",
        text("series.dashboard.title", language, year=str(year)),
        tuple(columns),
        tuple(rows),
        language,
        shown.data_kind,
        source=sources_of([s for line in shown.lines for s in line.sources], language),
        notes=(
            text("series.dashboard.note_reading", language),
            text("series.dashboard.note_rank", language, of=of),
        ),
    )


def par_table(tree: ParTable | None, language: str) -> Table | Finding:
    """Return how many items rose and fell at each level, or what file is missing."""
    if tree is None:
        sentence = text("par.absent.sentence", language)
        return Finding("reason-par-table", sentence, language, DataKind.PUBLISHED, role="reason")
    counted = ("up", "down", "same", "unknown")
    rows = []
    for row in tree.counts().to_dict("records"):
        level = text(f"par.level.{row['term']}", language)
        none = absent("par.table.missing", language)
        found = [int(row[name]) if row["n"] else none for name in counted]
        rows.append((level, int(row["printed"]), int(row["n"]), *found))
    columns = (
        Column("level", text("par.table.level", language)),
        Column("printed", text("par.table.printed", language), "integer"),
        Column("given", text("par.table.given", language), "integer"),
        *(Column(name, text(f"par.direction.{name}", language), "integer") for name in counted),
    )
    return _par("tbl-par-counts", "title_counts", columns, rows, tree, ("note_counts", "note_gaps"), language)


def par_fields_table(tree: ParTable | None, language: str) -> Table | None:
    """Return the fields with score, previous score and change; nothing where there is no table of them."""
    nodes: Sequence[ParNode] = tree.at(LEVELS[0]) if tree else ()
    if tree is None or not nodes:
        return None
    gap = absent("par.table.gap", language)
    rows = [(n.name, *(gap if math.isnan(v) else v for v in (n.score, n.previous, n.change))) for n in nodes]
    columns = (
        Column("field", text("par.column.field", language), width=0.5),
        Column("score", text("par.column.score", language), "number2"),
        Column("previous", text("par.column.previous", language), "number2"),
        Column("change", text("par.table.change", language), "number2"),
    )
    return _par("tbl-par-fields", "title_fields", columns, rows, tree, ("note_gaps",), language)


def _par(
    identifier: str,
    title: str,
    columns: tuple[Column, ...],
    rows: Sequence[tuple[Any, ...]],
    tree: ParTable,
    notes: tuple[str, ...],
    language: str,
) -> Table:
    kind = text(f"common.kind.{tree.data_kind.value}", language)
    source = text("par.table.source", language, file=tree.name)
    return Table(
        identifier,
        text(f"par.table.{title}", language),
        columns,
        tuple(rows),
        language,
        tree.data_kind,
        source=text("tables.source.line", language, source=source, kind=kind),
        notes=tuple(text(f"par.table.{note}", language) for note in notes),
    )


def breaks_table(breaks: Iterable[Break], language: str) -> Table:
    """Return the breaks in order, each with what changed and who says so."""
    rows = [
        (b.year, b.sentence(language), text(f"series.break_source.{b.source}", language))
        for b in sorted(set(breaks), key=lambda b: (b.year, b.what))
    ]
    return Table(
        "tbl-breaks",
        text("series.breaks.title", language),
        (
            Column("year", text("series.breaks.year", language), "year", "center", width=0.16),
            Column("what", text("series.breaks.what", language), width=0.58),
            Column("source", text("series.breaks.source", language), width=0.26),
        ),
        tuple(rows),
        language,
        DataKind.PUBLISHED,
    )


def review_table(points: Series, per_cent: Series, language: str) -> Table:
    """Return target and result of each of the ten years; both readings where a year is computed, gaps as gaps."""
    rows = [_review_row(year, points, per_cent, language) for year in range(points.first_year, points.last_year + 1)]
    ids = [p.source for p in points.points]
    return Table(
        "tbl-review",
        text("series.review.title", language),
        (
            Column("year", text("tables.common.year", language), "year", "center"),
            Column("target", text("series.review.target", language), "percent"),
            Column("result", text("series.review.result", language), "interval_percent"),
            Column("over", text("series.review.over", language), "number2"),
            Column("origin", text("series.review.origin", language)),
        ),
        tuple(rows),
        language,
        points.data_kind,
        source=sources_of(ids, language),
        notes=tuple(text(f"series.review.{note}", language) for note in ("note_both", "note_unknown")),
    )


def _review_row(year: int, points: Series, per_cent: Series, language: str) -> tuple[Any, ...]:
    one, other = points.at(year), per_cent.at(year)
    unknown = absent("series.absent.not_printed", language)
    no_target = absent("series.absent.no_target", language)
    if one is None or other is None:
        return (year, no_target, unknown, no_target, unknown)
    origin = text(f"series.review.{'derived' if one.derived else 'printed'}", language)
    if one.derived:
        low, high = sorted((one.value, other.value))
        return (year, no_target, (share(low), share(high)), no_target, origin)
    result = percent(share(one.value), language)
    over = no_target if one.target is None else one.value - one.target
    return (year, no_target if one.target is None else share(one.target), result, over, origin)
