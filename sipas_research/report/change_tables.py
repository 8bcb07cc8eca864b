"""Two years side by side, what a change is made of, and the index beside the one adjusted for the people served."""

from __future__ import annotations

import math
from typing import Any

from sipas_research.framework.case_mix import NEEDED, AdjustedIndex, AdjustedRow
from sipas_research.framework.change_result import ChangeRow, IndexChange, PartRow
from sipas_research.report.cells import Absent, Suppressed
from sipas_research.report.comparison_names import fact_name
from sipas_research.report.display import Column, Finding, Table
from sipas_research.report.group_tables import group_label
from sipas_research.report.index_tables import note_sentences, term_name
from sipas_research.report.labels import index_name, source_line
from sipas_research.survey.responses import Responses
from sipas_research.wording import percent, text

_POINTS = 100.0


def index_change_table(found: IndexChange | Finding, responses: Responses, language: str) -> Table | Finding:
    """Return the index and its components in two years, with the change and its test, or why there is none."""
    if isinstance(found, Finding):
        return found
    rows = [r for r in found.rows if r.group == ""]
    named = tuple((term_name(r.term, responses, language), *_change_cells(r, language)) for r in rows)
    return _change_table("tbl-index-change", "title", "component", named, found, responses, language)


def index_change_groups_table(
    found: IndexChange | Finding, responses: Responses, language: str
) -> Table | Finding | None:
    """Return the index of each group in two years, in the order of the register; nothing without groups."""
    if isinstance(found, Finding):
        return found
    rows = [r for r in found.rows if r.group]
    if not rows:
        return None
    named = tuple((_cell_name((found.by,), (r.group,), responses, language), *_change_cells(r, language)) for r in rows)
    return _change_table("tbl-index-change-groups", "title_groups", "group", named, found, responses, language)


def _change_table(
    identifier: str,
    title: str,
    head: str,
    rows: tuple[tuple[Any, ...], ...],
    found: IndexChange,
    responses: Responses,
    language: str,
) -> Table:
    level = percent(found.level, language, 0)
    fields = {"index": index_name(responses, language), **_years(found)}
    if title == "title_groups":
        fields["by"] = _fact(found.by, responses, language)
    extra = ["index_change.table.note_holm"] if found.comparable else []
    extra += ["index_change.table.note_order"] if title == "title_groups" else []
    return Table(
        identifier,
        text(f"index_change.table.{title}", language, **fields),
        (
            Column(head, text(f"index_change.table.{head}", language), width=0.28),
            Column("first", text("index_change.table.year", language, year=str(found.first_year)), "percent"),
            Column("last", text("index_change.table.year", language, year=str(found.last_year)), "percent"),
            Column("change", text("index_change.table.change", language), "number2"),
            Column("interval", text("index_change.table.interval", language, level=level), "interval"),
            Column("p", text("index_change.table.p", language), "p"),
            Column("beyond", text("index_change.table.beyond", language), "text", "center"),
        ),
        rows,
        notes=_notes(found, language, *extra),
        **_common(found, responses, language),
    )


def _change_cells(row: ChangeRow, language: str) -> tuple[Any, ...]:
    if row.suppressed:
        return (Suppressed(),) * 6
    ends = tuple(_number(v, row.note, language) for v in (row.first, row.last))
    if not math.isfinite(row.p_value):
        none = Absent(text(row.note, language))
        change = row.estimate * _POINTS if math.isfinite(row.estimate) else none
        return (*ends, change, none, none, none)
    interval = (row.conf_low * _POINTS, row.conf_high * _POINTS)
    said = text(f"index_change.table.{'yes' if row.beyond else 'no'}", language)
    return (*ends, row.estimate * _POINTS, interval, row.p_adjusted, said)


def decomposition_table(found: IndexChange | Finding, responses: Responses, language: str) -> Table | Finding | None:
    """Return how much of a change comes from the mix of people and how much from rates; nothing where not asked for."""
    if isinstance(found, Finding):
        return found
    rows = [r for r in found.part_rows if not r.cell]
    if not rows:
        return None
    cells = tuple((text(f"index_change.part.{r.part}", language), *_part_cells(r, language)) for r in rows)
    notes = ["index_change.table.note_kitagawa"]
    said = _notes(found, language, *notes)
    if found.only_first or found.only_last:
        only = {"first": found.only_first, "last": found.only_last}
        said = (*said, text("index_change.table.note_only", language, **only))
    level = percent(found.level, language, 0)
    return Table(
        "tbl-decomposition",
        _parts_title("title_parts", found, responses, language),
        (
            Column("part", text("index_change.table.part", language), width=0.4),
            Column("change", text("index_change.table.change", language), "number2"),
            Column("interval", text("index_change.table.interval", language, level=level), "interval"),
            Column("p", text("index_change.table.p_plain", language), "p"),
        ),
        cells,
        total_rows=(0,),
        notes=said,
        **_common(found, responses, language),
    )


def composition_table(found: IndexChange | Finding, responses: Responses, language: str) -> Table | Finding | None:
    """Return share, index and contributions of each cell of the composition; nothing where not asked for."""
    if isinstance(found, Finding):
        return found
    rates = [r for r in found.part_rows if r.cell and r.part == "rate"]
    if not rates:
        return None
    mixes = {r.cell: r for r in found.part_rows if r.cell and r.part == "composition"}
    rows = tuple(
        (_cell_name(found.composition, r.cell, responses, language), *_composition_cells(mixes[r.cell], r, language))
        for r in rates
    )
    years = {"first": str(found.first_year), "last": str(found.last_year)}
    return Table(
        "tbl-composition",
        _parts_title("title_cells", found, responses, language),
        (
            Column("group", text("index_change.table.group", language), width=0.28),
            Column("share_first", text("index_change.table.share", language, year=years["first"]), "percent1"),
            Column("share_last", text("index_change.table.share", language, year=years["last"]), "percent1"),
            Column("first", text("index_change.table.year", language, year=years["first"]), "percent"),
            Column("last", text("index_change.table.year", language, year=years["last"]), "percent"),
            Column("composition", text("index_change.part.composition", language), "number2"),
            Column("rate", text("index_change.part.rate", language), "number2"),
        ),
        rows,
        notes=_notes(found, language, "index_change.table.note_kitagawa", "index_change.table.note_order"),
        **_common(found, responses, language),
    )


def _composition_cells(mix: PartRow, rate: PartRow, language: str) -> tuple[Any, ...]:
    if rate.suppressed:
        return (Suppressed(),) * 6
    note = rate.note or "index_change.note.one_year_only"
    ends = tuple(_number(v, note, language) for v in (rate.rate_first, rate.rate_last))
    parts = tuple(_number(r.estimate * _POINTS, note, language) for r in (mix, rate))
    return (rate.share_first, rate.share_last, *ends, *parts)


def _part_cells(row: PartRow, language: str) -> tuple[Any, ...]:
    if row.suppressed:
        return (Suppressed(),) * 3
    if not math.isfinite(row.p_value):
        none = Absent(text(row.note, language))
        return (_number(row.estimate * _POINTS, row.note, language), none, none)
    return (row.estimate * _POINTS, (row.conf_low * _POINTS, row.conf_high * _POINTS), row.p_value)


def adjusted_table(found: AdjustedIndex | Finding, responses: Responses, language: str) -> Table | Finding:
    """Return the raw index and the adjusted one of each group in one row, in the order of the register."""
    if isinstance(found, Finding):
        return found
    level = percent(found.level, language, 0)
    facts = ", ".join(fact_name(f, responses, language) for f in found.adjust)
    cells = "; ".join(str(n) for _, n in found.cells)
    notes = [
        text("case_mix.table.note_facts", language, facts=facts),
        text(f"case_mix.method.{found.method}", language),
        text("case_mix.table.note_cells", language, cells=cells),
        text(f"case_mix.table.note_without_{found.method}", language, minimum=str(NEEDED[found.method])),
        text("case_mix.table.note_order", language),
    ]
    styles = {"raw": "percent", "adjusted": "percent", "difference": "number2", "without": "percent1", "n": "integer"}
    names = ("n", "raw", "raw_interval", "adjusted", "adjusted_interval", "difference", "without")
    columns = [Column("group", text("case_mix.table.group", language), width=0.24)]
    for name in names:
        level_of = {"level": level} if name.endswith("interval") else {}
        style: Any = styles.get(name, "interval_percent")
        columns.append(Column(name, text(f"case_mix.table.{name}", language, **level_of), style))
    return Table(
        "tbl-adjusted-index",
        text(
            "case_mix.table.title", language, index=index_name(responses, language), within=_within(responses, language)
        ),
        tuple(columns),
        tuple(
            (_cell_name((found.by,), (r.group,), responses, language), *_adjusted_cells(r, language))
            for r in found.rows
        ),
        notes=(*notes, *note_sentences(list(found.notes), language)),
        **_common(found, responses, language),
    )


def _adjusted_cells(row: AdjustedRow, language: str) -> tuple[Any, ...]:
    if row.suppressed:
        return (Suppressed(),) * 7
    raw = (row.raw_low, row.raw_high) if math.isfinite(row.raw_low) else _absent(row.note, language)
    adjusted = (row.conf_low, row.conf_high) if math.isfinite(row.conf_low) else _absent(row.note, language)
    figures = (_number(row.raw, row.note, language), raw, _number(row.estimate, row.note, language), adjusted)
    return (row.n, *figures, _number(row.difference * _POINTS, row.note, language), row.without_cell)


def _absent(note: str, language: str) -> Absent:
    return Absent(text(note or "framework.note.no_variance", language))


def _number(value: float, note: str, language: str) -> Any:
    return value if math.isfinite(value) else _absent(note or "framework.note.no_answers", language)


def _years(found: IndexChange) -> dict[str, str]:
    return {"first": str(found.first_year), "last": str(found.last_year)}


def _fact(fact: str, responses: Responses, language: str) -> str:
    return text("tables.common.agency", language).lower() if fact == "agency" else fact_name(fact, responses, language)


def _cell_name(facts: tuple[str, ...], cell: tuple[str, ...], responses: Responses, language: str) -> str:
    return "; ".join(_label(fact, code, responses, language) for fact, code in zip(facts, cell, strict=True))


def _label(fact: str, code: str, responses: Responses, language: str) -> str:
    if not code:
        return text("index_change.part.missing", language)
    if fact == "level" and fact not in {q.id for q in responses.questionnaire.questions}:
        return text(f"framework.agency_level.{code}", language)
    return group_label(fact, code, responses, language)


def _within(responses: Responses, language: str) -> str:
    """The index's name as it stands inside a sentence."""
    name = index_name(responses, language)
    return name[:1].lower() + name[1:]


def _parts_title(name: str, found: IndexChange, responses: Responses, language: str) -> str:
    facts = ", ".join(_fact(f, responses, language) for f in found.composition)
    index = _within(responses, language)
    return text(f"index_change.table.{name}", language, index=index, facts=facts, **_years(found))


def _notes(found: IndexChange, language: str, *keys: str) -> tuple[str, ...]:
    first = [f"tables.index.definition_{found.definition}", *keys]
    said = note_sentences([*first, *found.notes], language)
    if found.dropped_items:
        said = (*said, text("index_change.table.note_dropped", language, n=len(found.dropped_items)))
    return (*said, found.why(language)) if found.reason else said


def _common(found: IndexChange | AdjustedIndex, responses: Responses, language: str) -> dict[str, Any]:
    return {
        "language": language,
        "data_kind": found.data_kind,
        "weighting": text(f"tables.weighting.{found.weighting}", language),
        "source": source_line(responses, language),
    }
