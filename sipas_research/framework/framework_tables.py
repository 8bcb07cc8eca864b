"""The tables of a framework file, the same for Excel and TOML."""

from __future__ import annotations

from functools import cache

from sipas_research.framework.definitions import CRITERION_WEIGHTS, DEFINITIONS
from sipas_research.framework.framework_spec import LEVELS, STATUSES, WEIGHT_METHODS
from sipas_research.framework.sheet_tables import TableSpec, column
from sipas_research.survey.workbook import ColumnSpec

TOPIC = "framework_file"
FLAGS = ("yes", "no")
BETTER = ("high", "low")


def _column(key: str, width: float, words: tuple[str, ...] = (), *, required: bool = False) -> ColumnSpec:
    return column(TOPIC, key, width, words, required=required)


def _phrases(*stems: str) -> tuple[ColumnSpec, ...]:
    return tuple(_column(f"{stem}{lang}", 55, required=lang == "vi") for stem in stems for lang in ("vi", "en"))


@cache
def framework_tables() -> tuple[TableSpec, ...]:
    """Return the tables in the order of the workbook's sheets; their column keys are also TOML's keys."""
    code, status = _column("id", 22, required=True), _column("status", 26, STATUSES)
    head = (
        _column("level", 14, LEVELS, required=True),
        *_phrases("title_", "purpose_", "respondents_"),
        _column("regime", 18),
        _column("definition", 22, (*DEFINITIONS, CRITERION_WEIGHTS), required=True),
        _column("valid_from", 14),
        _column("valid_to", 14),
        status,
        _column("weights", 22, WEIGHT_METHODS, required=True),
        *_phrases("weights_reason_", "bands_reason_"),
        _column("bands_decided", 14, FLAGS),
        *(_column(key, 14) for key in ("confidence", "half_width", "minimum_forms")),
    )
    weights = tuple(_column(key, 12) for key in ("weight", "weight_low", "weight_high"))
    indicator = (_column("column", 24, required=True), _column("per", 24), _column("better", 14, BETTER))
    edges = tuple(_column(key, 12, required=True) for key in ("lower", "upper"))
    return (
        TableSpec(TOPIC, "framework", head, single=True),
        TableSpec(TOPIC, "component", (code, *_phrases(""))),
        TableSpec(TOPIC, "criterion", (code, _column("component", 18, required=True), *_phrases(""), *weights)),
        TableSpec(TOPIC, "item", (code, _column("criterion", 22, required=True), *_phrases(""))),
        TableSpec(TOPIC, "procedure", (code, *_phrases(""), status)),
        TableSpec(TOPIC, "indicator", (code, *_phrases("", "definition_"), *indicator, status)),
        TableSpec(TOPIC, "band", (code, *_phrases(""), *edges)),
        TableSpec(TOPIC, "rule", (code, *_phrases(""), status)),
        TableSpec(TOPIC, "step", (code, *_phrases("", "who_"), _column("days", 12), status)),
        TableSpec(
            TOPIC,
            "basis",
            (
                _column("number", 30, required=True),
                *(_column(key, 45) for key in ("vi", "en", "note_vi", "note_en")),
                status,
            ),
        ),
    )
