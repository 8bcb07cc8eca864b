"""Tables of classes: each agency's class with its evidence, bands with their error, moves over the years."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sipas_research.framework.bands import Bands
from sipas_research.framework.class_errors import Misgrading
from sipas_research.framework.class_result import Classification, ClassRow
from sipas_research.framework.class_stability import ClassStability
from sipas_research.report.cells import Absent, Suppressed
from sipas_research.report.display import Column, Finding, Table
from sipas_research.report.index_tables import note_sentences
from sipas_research.report.labels import source_line
from sipas_research.survey.responses import Responses
from sipas_research.wording import percent, text

_FAMILIES = ("department", "district", "commune")


def class_table(
    found: Classification | Finding, responses: Responses, language: str, *, state: str = ""
) -> Table | Finding:
    """Return each agency's class in the order of the register; ``state`` is the sentence of the results register."""
    if isinstance(found, Finding):
        return found
    rows = [(responses.agencies.name(row.group, language), *_cells(found, row, language)) for row in found.rows]
    level = percent(found.rule.level, language, 0)
    return Table(
        f"tbl-class-{found.family or 'all'}",
        _title(found, language),
        (
            Column("agency", text("classes.table.agency", language), width=0.24),
            Column("n", text("classes.table.n", language), "integer", width=0.07),
            Column("estimate", text("classes.table.estimate", language), "percent", width=0.09),
            Column("bounds", text("classes.table.bounds", language, level=level), "interval_percent", width=0.18),
            Column("class", text("classes.table.class", language), width=0.28),
            Column("settle", text("classes.table.settle", language), width=0.14),
        ),
        tuple(rows),
        language,
        found.data_kind,
        weighting=text(f"tables.weighting.{found.weighting}", language),
        source=source_line(responses, language),
        notes=(
            *([state] if state else []),
            text("classes.table.order", language),
            *found.rule_sentences(language),
            *note_sentences([f"tables.index.definition_{found.definition}", *found.notes], language),
        ),
    )


def _title(found: Classification, language: str) -> str:
    family = text(f"classes.family.{found.family if found.family in _FAMILIES else 'other'}", language)
    if found.year is None:
        return text("classes.table.title_no_year", language, family=family)
    return text("classes.table.title", language, family=family, year=str(found.year))


def _of_family(title: str, family: str, language: str) -> str:
    return f"{title}: {text(f'framework.agency_level.{family}', language)}" if family else title


def _cells(found: Classification, row: ClassRow, language: str) -> tuple[Any, ...]:
    said = found.said(row, language)
    if row.outcome == "withheld":
        return (*[Suppressed()] * 3, said, "")
    if row.outcome == "no_answers":
        return (*[Absent(said)] * 3, said, "")
    return (int(row.n), row.estimate, (row.lower, row.upper), said, _to_settle(found, row, language))


def _to_settle(found: Classification, row: ClassRow, language: str) -> str:
    """Return in few words how many forms would settle a class; the notes say what that assumes."""
    if not row.settled:
        return ""
    number = found.rule.most_forms if row.settled == "over_cap" else row.forms_needed
    fields = {} if row.settled == "impossible" else {"n": int(number)}
    return text(f"classes.table.settle_{row.settled}", language, **fields)


def bands_table(bands: Bands, data_kind: Any, language: str, *, family: str = "") -> Table:
    """Return the bands, how they were chosen, and whether a decision sets them; ``family`` says whose they are."""
    uppers = [*(b.lower for b in bands.bands[1:]), 1.0]
    rows = [(b.name(language), b.lower, upper) for b, upper in zip(bands.bands, uppers, strict=True)]
    notes = [bands.reason(language)] if bands.reason.vi else []
    if not bands.decided:
        notes.append(text("classes.rule.undecided", language))
    return Table(
        f"tbl-bands-{family}" if family else "tbl-bands",
        _of_family(text("classes.table.bands_title", language), family, language),
        (
            Column("band", text("classes.table.band", language), width=0.6),
            Column("lower", text("classes.table.lower", language), "percent1", width=0.2),
            Column("upper", text("classes.table.upper", language), "percent1", width=0.2),
        ),
        tuple(rows),
        language,
        data_kind,
        notes=tuple(notes),
    )


def misgrading_table(
    found: Misgrading | Finding, language: str, *, names: Mapping[str, str] | None = None, family: str = ""
) -> Table | Finding:
    """Return what share of agencies each set of bands misgrades, by the estimate alone and by the rule.

    ``names`` are names for people of the sets of bands, in place of their cuts; ``family`` says whose agencies.
    """
    if isinstance(found, Finding):
        return found
    rows = []
    for row in found.rows:
        cuts = "; ".join(percent(c, language, 0) for c in found.bands[row.bands].cuts)
        name = (names or {}).get(row.bands) or text("classes.table.cuts", language, cuts=cuts)
        rule = text(f"classes.errors.rule_{row.rule}", language)
        spread = (row.wrong_low, row.wrong_high)
        rows.append((name, rule, row.wrong, spread, row.open, row.right, row.changed))
    return Table(
        f"tbl-misgrading-{family}" if family else "tbl-misgrading",
        _of_family(text("classes.table.errors_title", language, years=found.years), family, language),
        (
            Column("bands", text("classes.table.bands", language), width=0.2),
            Column("rule", text("classes.table.rule", language), width=0.2),
            Column("wrong", text("classes.table.wrong", language), "percent1", width=0.11),
            Column("range", text("classes.table.wrong_range", language), "interval_percent", width=0.16),
            Column("open", text("classes.table.open", language), "percent1", width=0.11),
            Column("right", text("classes.table.right", language), "percent1", width=0.11),
            Column("changed", text("classes.table.changed", language), "percent1", width=0.11),
        ),
        tuple(rows),
        language,
        found.data_kind,
        notes=(text("classes.errors.assumed", language, years=found.years, n=found.n_groups),),
    )


def class_moves_table(found: ClassStability, bands: Bands, responses: Responses, language: str) -> Table:
    """Return each agency's class in successive years of one method."""
    names = {b.id: b.name(language) for b in bands.bands}
    none = Absent(text("classes.table.open", language))
    rows = [
        (
            responses.agencies.name(row.group, language),
            f"{row.first_year}–{row.second_year}",
            names.get(row.first_band, none),
            names.get(row.second_band, none),
            text(f"classes.table.move_{row.move}", language),
        )
        for row in found.rows
    ]
    notes = [
        text("classes.stability.skipped", language, first=str(first), second=str(second))
        for first, second in found.skipped
    ]
    if not rows:
        notes.append(text("classes.table.none", language))
    return Table(
        "tbl-class-moves",
        text("classes.table.moves_title", language),
        tuple(Column(n, text(f"classes.table.{n}", language)) for n in ("agency", "years", "first", "second", "move")),
        tuple(rows),
        language,
        found.data_kind,
        source=source_line(responses, language),
        notes=(found.summary(language).split("\n", maxsplit=1)[0], *notes),
    )
