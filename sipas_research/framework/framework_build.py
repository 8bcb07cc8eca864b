"""From rows of text to a framework: every rule is checked, every breach is named by its cell."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, cast

from sipas_research.errors import FrameworkError, Problem
from sipas_research.framework.bands import Band, Bands
from sipas_research.framework.definitions import CRITERION_WEIGHTS, DEFINITIONS
from sipas_research.framework.framework_spec import (
    LEVELS,
    STATUSES,
    WEIGHT_METHODS,
    Basis,
    Better,
    Component,
    Criterion,
    Framework,
    Indicator,
    Item,
    Level,
    Procedure,
    Statement,
    Status,
    Step,
    WeightMethod,
)
from sipas_research.framework.framework_tables import BETTER, FLAGS, TOPIC
from sipas_research.framework.sheet_tables import Row, Rows, iso_date, known_word, number, require, unique_rows
from sipas_research.numerics.disclosure import MINIMUM_CELL
from sipas_research.survey.workbook import cell_text
from sipas_research.wording import LANGUAGES, Bilingual, text
from sipas_research.wording import number as decimal

#: Weights are percentages of the whole; people round each of them to two decimals.
_ROUNDING = 0.005
_HEAD_PHRASES = ("title_vi", "purpose_vi", "respondents_vi", "weights_reason_vi", "bands_reason_vi")


def build_framework(rows: Rows, problems: Iterable[Problem], file: str) -> Framework:
    """Return the framework of one file.

    Parameters
    ----------
    rows : mapping of a table's name to its rows
    problems : iterable of Problem
        What was already found while reading; it is reported together with the rest.
    file : str
        Name of the file, for messages.

    Raises
    ------
    FrameworkError
        With one Problem for each cell that breaks a rule.
    """
    found = list(problems)
    built = _parts(rows, found, file)
    head = _head(rows["framework"][0], found) if len(rows["framework"]) == 1 else {}
    if found:
        raise FrameworkError("framework_file.error.invalid", problems=found, file=file, n=len(found))
    return Framework(**head, **built, file=file)


def _status(row: Row, found: list[Problem], default: Status = "unverified") -> Status:
    return cast(Status, known_word(row, "status", STATUSES, found, default))


def _head(row: Row, found: list[Problem]) -> dict[str, Any]:
    require(row, _HEAD_PHRASES, found)
    begin, end = iso_date(row, "valid_from", found), iso_date(row, "valid_to", found)
    if begin and end and end < begin:
        found.append(row.problem("dates_reversed", "valid_to"))
    confidence = number(row, "confidence", found, low=50.0, high=99.9)
    half_width = number(row, "half_width", found, low=0.1, high=50.0)
    forms = number(row, "minimum_forms", found, low=MINIMUM_CELL, high=1e6)
    if forms is not None and not forms.is_integer():
        found.append(row.problem("bad_number", "minimum_forms"))
    level = cast(Level, known_word(row, "level", LEVELS, found))
    definition = known_word(row, "definition", (*DEFINITIONS, CRITERION_WEIGHTS), found)
    method = cast(WeightMethod, known_word(row, "weights", WEIGHT_METHODS, found))
    return {
        "level": level,
        "title": row.both("title_"),
        "purpose": row.both("purpose_"),
        "respondents": row.both("respondents_"),
        "regime": row.get("regime"),
        "definition": definition,
        "valid_from": begin,
        "valid_to": end,
        "status": _status(row, found, "proposed"),
        "weight_method": method,
        "weight_reason": row.both("weights_reason_"),
        "confidence": (95.0 if confidence is None else confidence) / 100.0,
        "half_width": (5.0 if half_width is None else half_width) / 100.0,
        "minimum_forms": int(forms or MINIMUM_CELL),
    }


def _parts(rows: Rows, found: list[Problem], file: str) -> dict[str, Any]:
    for name in ("component", "criterion", "item", "band", "rule", "step"):
        if not rows[name]:
            sheet = text(f"{TOPIC}.sheet.{name}", "vi")
            found.append(Problem.of("sheet_tables.problem.empty_table", file=file, sheet=sheet))
    head = rows["framework"][0] if rows["framework"] else None
    components = tuple(_component(row, found) for row in unique_rows(rows["component"], found))
    criteria = _criteria(rows["criterion"], [c.id for c in components], head, found)
    return {
        "components": components,
        "criteria": criteria,
        "items": _items(rows, [c.id for c in criteria], found),
        "procedures": tuple(_procedure(row, found) for row in unique_rows(rows["procedure"], found)),
        "indicators": tuple(_indicator(row, found) for row in unique_rows(rows["indicator"], found)),
        "bands": _bands(rows["band"], head, found),
        "publication": tuple(_rule(row, found) for row in unique_rows(rows["rule"], found)),
        "appeal": tuple(_step(row, found) for row in unique_rows(rows["step"], found)),
        "basis": tuple(_basis(row, found) for row in rows["basis"]),
    }


def _component(row: Row, found: list[Problem]) -> Component:
    require(row, ["vi"], found)
    return Component(row.get("id"), row.both())


def _unused(rows: Sequence[Row], used: Iterable[str], key: str, found: list[Problem]) -> None:
    kept = set(used)
    found += [row.problem(key, "id") for row in rows if row.get("id") and row.get("id") not in kept]


def _criteria(
    rows: Sequence[Row], components: Sequence[str], head: Row | None, found: list[Problem]
) -> tuple[Criterion, ...]:
    method = known_word(head, "weights", WEIGHT_METHODS, []) if head else "equal"
    kept = unique_rows(rows, found)
    for row in kept:
        require(row, ["vi"], found)
        if row.get("component") not in components:
            found.append(row.problem("unknown_reference", "component", allowed=", ".join(components)))
    weights = _weights(kept, method, found)
    bounds = [_bounds(row, method, weight, found) for row, weight in zip(kept, weights, strict=True)]
    return tuple(
        Criterion(row.get("id"), row.get("component"), row.both(), weight, *ends)
        for row, weight, ends in zip(kept, weights, bounds, strict=True)
    )


def _weights(rows: Sequence[Row], method: str, found: list[Problem]) -> list[float]:
    """Return the criteria's shares of the whole: equal ones, or those of the file, which must add up to 100."""
    equal = [1.0 / len(rows)] * len(rows) if rows else []
    typed = [number(row, "weight", found, low=0.0, high=100.0) for row in rows]
    if method == "equal":
        found += [row.problem("weight_not_used", "weight") for row in rows if row.get("weight")]
        return equal
    missing = [row.problem("required_empty", "weight") for row in rows if not row.get("weight")]
    found += missing
    values = [w for w in typed if w is not None]
    if missing or len(values) < len(rows):
        return equal
    total = math.fsum(values)
    if rows and abs(total - 100.0) > _ROUNDING * len(rows) + 1e-9:
        shown = Bilingual(*(decimal(total, 2, language) for language in LANGUAGES))
        found.append(rows[-1].problem("weights_sum", "weight", total=shown))
        return equal
    return [value / total for value in values]


def _bounds(row: Row, method: str, weight: float, found: list[Problem]) -> tuple[float, float]:
    low = number(row, "weight_low", found, low=0.0, high=100.0)
    high = number(row, "weight_high", found, low=0.0, high=100.0)
    if method != "benefit_of_doubt":
        found += [row.problem("bounds_not_used", c) for c in ("weight_low", "weight_high") if row.get(c)]
        return math.nan, math.nan
    require(row, ["weight_low", "weight_high"], found)
    if low is None or high is None:
        return math.nan, math.nan
    if not low / 100.0 <= weight * (1.0 + 1e-9) or not weight <= high / 100.0 * (1.0 + 1e-9):
        found.append(row.problem("weight_outside_bounds", "weight"))
    return low / 100.0, high / 100.0


def _items(rows: Rows, criteria: Sequence[str], found: list[Problem]) -> tuple[Item, ...]:
    kept = unique_rows(rows["item"], found)
    for row in kept:
        require(row, ["vi"], found)
        if row.get("criterion") not in criteria:
            found.append(row.problem("unknown_reference", "criterion", allowed=", ".join(criteria)))
    _unused(rows["criterion"], (row.get("criterion") for row in kept), "criterion_without_item", found)
    used = (row.get("component") for row in rows["criterion"])
    _unused(rows["component"], used, "component_without_criterion", found)
    return tuple(Item(row.get("id"), row.get("criterion"), row.both()) for row in kept)


def _procedure(row: Row, found: list[Problem]) -> Procedure:
    require(row, ["vi"], found)
    return Procedure(row.get("id"), row.both(), _status(row, found))


def _indicator(row: Row, found: list[Problem]) -> Indicator:
    require(row, ["vi", "definition_vi", "column"], found)
    better = cast(Better, known_word(row, "better", BETTER, found, "high"))
    status = _status(row, found)
    names = (row.both(), row.both("definition_"))
    return Indicator(row.get("id"), *names, row.get("column"), row.get("per"), better, status)


def _rule(row: Row, found: list[Problem]) -> Statement:
    require(row, ["vi"], found)
    return Statement(row.get("id"), row.both(), _status(row, found, "proposed"))


def _step(row: Row, found: list[Problem]) -> Step:
    require(row, ["vi", "who_vi"], found)
    days = number(row, "days", found, low=1, high=365)
    if days is not None and not days.is_integer():
        found.append(row.problem("bad_number", "days"))
    return Step(row.get("id"), row.both(), row.both("who_"), int(days or 0), _status(row, found, "proposed"))


def _basis(row: Row, found: list[Problem]) -> Basis:
    require(row, ["number"], found)
    return Basis(row.get("number"), row.both(), row.both("note_"), _status(row, found))


def _bands(rows: Sequence[Row], head: Row | None, found: list[Problem]) -> Bands | None:
    """Return the bands, or None where they leave a gap, overlap, or do not run from 0 to 100."""
    before = len(found)
    kept = unique_rows(rows, found)
    edges = []
    for row in kept:
        require(row, ["vi", "lower", "upper"], found)
        low, high = (number(row, c, found, low=0.0, high=100.0) for c in ("lower", "upper"))
        if low is not None and high is not None and low >= high:
            found.append(row.problem("band_reversed", "upper"))
        edges.append((low, high, row))
    known = [(low, high, row) for low, high, row in edges if low is not None and high is not None]
    ordered = sorted(known, key=lambda edge: edge[:2])
    for (_, end, first), (start, _, second) in pairwise(ordered):
        if start < end:
            found.append(second.problem("bands_overlap", "lower", first=str(first.number), end=cell_text(end)))
        elif start > end:
            found.append(second.problem("bands_gap", "lower", first=str(first.number), end=cell_text(end)))
    if ordered and len(known) == len(edges):
        if ordered[0][0] != 0.0:
            found.append(ordered[0][2].problem("bands_start", "lower"))
        if ordered[-1][1] != 100.0:
            found.append(ordered[-1][2].problem("bands_end", "upper"))
    if len(rows) == 1:
        found.append(rows[0].problem("one_band", "id"))
    if len(found) > before or not ordered:
        return None
    reason = head.both("bands_reason_") if head else None
    decided = head is not None and known_word(head, "bands_decided", FLAGS, found, "no") == "yes"
    bands = tuple(Band(row.get("id"), row.both(), low / 100.0) for low, _, row in ordered)
    return Bands(bands, decided=decided, **({"reason": reason} if reason else {}))
