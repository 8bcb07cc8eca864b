"""The appeal sheet of one agency: every number behind its class, the steps of appeal, the form to fill in."""

from __future__ import annotations

from typing import Any

import numpy as np

from sipas_research.framework.appeal import AppealSheet
from sipas_research.framework.framework_spec import LEVELS
from sipas_research.report.cells import Absent
from sipas_research.report.display import Column, Table
from sipas_research.report.index_tables import figures_of, note_sentences, term_name
from sipas_research.report.labels import source_line
from sipas_research.survey.responses import Responses
from sipas_research.wording import integer, number, percent, text

_COUNTS = ("n", "n_answers", "df")
_POINTS = ("std_error", "half_width")
_SHARES = ("estimate", "lower", "upper")


def appeal_sheet_tables(sheet: AppealSheet, responses: Responses, language: str) -> tuple[Table, ...]:
    """Return the tables of an appeal sheet in reading order; those without content are left out."""
    builders = (appeal_numbers_table, appeal_cuts_table, appeal_components_table, appeal_records_table)
    found = [build(sheet, responses, language) for build in builders]
    found += [appeal_steps_table(sheet, language), appeal_form_table(sheet, language)]
    return tuple(table for table in found if table is not None)


def _name(sheet: AppealSheet, responses: Responses, language: str) -> str:
    return responses.agencies.name(sheet.agency, language)


def _state(sheet: AppealSheet, language: str) -> list[str]:
    family, year = sheet.classification.family, sheet.year
    if sheet.register is None or year is None:
        return []
    return [sheet.register.line(year, level, language) for level in LEVELS if level == family]


def _shown(name: str, value: float, language: str) -> str:
    if name in _COUNTS:
        return integer(value, language)
    if name in _SHARES:
        return percent(value, language)
    return number(100.0 * value, 3, language) if name in _POINTS else number(value, 4, language)


def appeal_numbers_table(sheet: AppealSheet, responses: Responses, language: str) -> Table:
    """Return the arithmetic from the forms to the bounds, so that anyone can repeat it."""
    found = sheet.classification
    rows = [(text(f"appeal.step.{n}", language), _shown(n, v, language)) for n, v in sheet.arithmetic]
    said = text(
        "appeal.table.note_class",
        language,
        said=found.said(sheet.row, language),
        settle=found.to_settle(sheet.row, language),
    )
    keys = [f"tables.index.definition_{found.definition}", *found.notes]
    # the rule stands under the cuts that it is applied to
    return Table(
        "tbl-appeal-numbers",
        text("appeal.table.numbers", language, agency=_name(sheet, responses, language)),
        (
            Column("step", text("appeal.table.step", language), width=0.7),
            Column("value", text("appeal.table.value", language), align="right", width=0.3),
        ),
        tuple(rows),
        language,
        sheet.data_kind,
        weighting=text(f"tables.weighting.{found.weighting}", language),
        source=source_line(responses, language),
        notes=(
            *_state(sheet, language),
            said.strip(),
            *note_sentences(keys, language),
        ),
    )


def appeal_cuts_table(sheet: AppealSheet, responses: Responses, language: str) -> Table:
    """Return each cut with the side on which the bounds put the agency."""
    found = sheet.classification
    rows = [
        (
            c.cut,
            f"{found.band(c.band_below).name(language)} – {found.band(c.band_above).name(language)}",
            text(f"appeal.table.side_{c.side}", language),
        )
        for c in sheet.cuts
    ]
    return Table(
        "tbl-appeal-cuts",
        text("appeal.table.cuts", language),
        (
            Column("cut", text("appeal.table.cut", language), "percent1"),
            Column("between", text("appeal.table.between", language)),
            Column("side", text("appeal.table.side", language)),
        ),
        tuple(rows),
        language,
        sheet.data_kind,
        source=source_line(responses, language),
        notes=found.rule_sentences(language),
    )


def appeal_components_table(sheet: AppealSheet, responses: Responses, language: str) -> Table:
    """Return the agency's index and components with forms, answers and intervals."""
    rows: list[tuple[Any, ...]] = []
    for term in sheet.terms:
        n, estimate, ends = figures_of({name: getattr(term, name) for name in term.__slots__}, language)
        answers: Any = n if term.suppressed or not np.isfinite(term.n_answers) else int(term.n_answers)
        rows.append((term_name(term.term, responses, language), n, answers, estimate, ends))
    return Table(
        "tbl-appeal-components",
        text("appeal.table.components", language, agency=_name(sheet, responses, language)),
        (
            Column("component", text("tables.common.component", language), width=0.36),
            Column("n", text("appeal.step.n", language), "integer", width=0.12),
            Column("answers", text("appeal.step.n_answers", language), "integer", width=0.14),
            Column("estimate", text("classes.table.estimate", language), "percent", width=0.14),
            Column("interval", text("tables.common.interval", language), "interval_percent", width=0.24),
        ),
        tuple(rows),
        language,
        sheet.data_kind,
        total_rows=(0,),
        source=source_line(responses, language),
    )


def appeal_records_table(sheet: AppealSheet, responses: Responses, language: str) -> Table | None:
    """Return the agency's record indicators with their counts; nothing where the framework was not given."""
    if not sheet.records:
        return None
    absent = Absent(text("appeal.table.absent", language))
    rows: list[tuple[Any, ...]] = []
    for record in sheet.records:
        found, indicator = record.value, record.indicator
        share = bool(indicator.per) or (np.isfinite(found) and 0.0 <= found <= 1.0)
        value = absent if not np.isfinite(found) else percent(found, language) if share else number(found, 2, language)
        counts = [absent if not np.isfinite(c) else int(c) for c in (record.count, record.total)]
        shown = counts if indicator.per else ["", ""]
        rows.append((indicator.name(language), indicator.definition(language), *shown, value))
    return Table(
        "tbl-appeal-records",
        text("appeal.table.records", language, agency=_name(sheet, responses, language)),
        (
            Column("indicator", text("appeal.table.indicator", language), width=0.26),
            Column("definition", text("appeal.table.definition", language), width=0.38),
            Column("count", text("appeal.table.count", language), "integer", width=0.12),
            Column("total", text("appeal.table.total", language), "integer", width=0.12),
            Column("value", text("appeal.table.value", language), align="right", width=0.12),
        ),
        tuple(rows),
        language,
        sheet.data_kind,
        notes=(text("appeal.table.note_records", language),),
    )


def appeal_steps_table(sheet: AppealSheet, language: str) -> Table | None:
    """Return the steps of appeal; nothing where the framework was not given."""
    if not sheet.steps:
        return None
    limit = text("appeal.table.no_limit", language)
    rows = [(s.text(language), s.who(language), s.days if s.days else limit) for s in sheet.steps]
    unread = any(s.status != "read" for s in sheet.steps)
    return Table(
        "tbl-appeal-steps",
        text("appeal.table.steps", language),
        (
            Column("what", text("appeal.table.what", language), width=0.5),
            Column("who", text("appeal.table.who", language), width=0.3),
            Column("days", text("appeal.table.days", language), "integer", width=0.2),
        ),
        tuple(rows),
        language,
        sheet.data_kind,
        notes=(text("appeal.table.note_steps", language),) if unread else (),
    )


def appeal_form_table(sheet: AppealSheet, language: str) -> Table:
    """Return the empty form on which an agency contests a figure."""
    fields = ("figure", "printed", "proposed", "reason", "date", "role")
    return Table(
        "tbl-appeal-form",
        text("appeal.table.form", language),
        (
            Column("field", text("appeal.table.field", language), width=0.45),
            Column("fill", text("appeal.table.fill", language), width=0.55),
        ),
        tuple((text(f"appeal.table.form_{name}", language), "") for name in fields),
        language,
        sheet.data_kind,
    )
