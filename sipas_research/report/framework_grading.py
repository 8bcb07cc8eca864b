"""How the index is computed and graded: formula, worked example, forms that settle a class, errors over years."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np

from sipas_research.framework.class_errors import ErrorRow
from sipas_research.framework.class_result import Rule
from sipas_research.framework.framework_spec import Framework
from sipas_research.framework.planned_errors import YEARS, forms_for_class, planned_errors, planned_truth
from sipas_research.framework.sample_plan import Planning, planning_for, share_out, yamane_forms
from sipas_research.framework.sample_plan import forms_needed as fewest_forms
from sipas_research.framework.worked_example import Example, ExampleRow, worked_example
from sipas_research.report.cells import Absent
from sipas_research.report.class_tables import bands_table
from sipas_research.report.display import Column, Table
from sipas_research.report.framework_parts import RULES, said
from sipas_research.report.framework_sampling import points
from sipas_research.report.passages import Passage
from sipas_research.results import DataKind
from sipas_research.wording import integer, interval, percent

#: Distances from a cut, in shares, for which the forms that settle a class are shown.
_GAPS = (0.02, 0.03, 0.05, 0.10)
#: Invented agencies of the simulated years, their frames, and forms of a large sample.
_AGENCIES, _FRAME, _LARGE = 20, 3_000, 1_000
_SEED = 1
#: Definitions whose example is one division of the totals shown.
_RATIOS = frozenset({"share_satisfied", "overall_question"})


def framework_formula(framework: Framework, language: str) -> Passage:
    """Return the formula of the framework's index, with what each letter means."""
    parts = [said(f"formula.{name}", language) for name in ("intro", framework.definition, "after")]
    return Passage("framework-formula", "\n\n".join(parts), language)


def framework_example_tables(framework: Framework, language: str) -> tuple[Table, Table]:
    """Return the worked example: invented counts and the index, then from the index to the class."""
    found = worked_example(framework)
    return _counts_table(framework, found, language), _steps_table(framework, found, language)


def _counts_table(framework: Framework, found: Example, language: str) -> Table:
    weighted = any(math.isfinite(row.weight) for row in found.rows)
    rows = [_cells(row, _row_name(framework, found, row, language), weighted) for row in found.rows]
    bold: tuple[int, ...] = ()
    if len(found.rows) > 1:
        bold = (len(rows),)
        rows.append(_total(found, weighted, language))
    title = "title_person" if found.unit == "person" else "title"
    fields = {} if found.unit == "person" else {"forms": found.forms}
    codes = tuple(
        Column(f"answer_{code}", said("example.answer", language, code=code), "integer", width=0.08)
        for code in range(1, 6)
    )
    weight = (Column("weight", said("example.weight", language), "percent1", width=0.09),) if weighted else ()
    return Table(
        "tbl-example-counts",
        said(f"example.{title}", language, **fields),
        (
            Column("name", said(f"example.{found.unit}", language), width=0.2 if weighted else 0.24),
            *codes,
            Column("none", said("example.none", language), "integer", width=0.09),
            Column("answered", said("example.answered", language), "integer", width=0.1),
            Column("satisfied", said("example.satisfied", language), "integer", width=0.09),
            *weight,
            Column("value", said("example.value", language), "percent", width=0.1),
        ),
        tuple(rows),
        language,
        DataKind.SIMULATED,
        notes=(said("example.note_invented", language),),
        total_rows=bold,
    )


def _cells(row: ExampleRow, name: str, weighted: bool) -> tuple[Any, ...]:
    weight = (row.weight,) if weighted else ()
    return (name, *row.counts, row.none, row.answered, row.satisfied, *weight, row.value)


def _total(found: Example, weighted: bool, language: str) -> tuple[Any, ...]:
    name = said("example.total_person" if found.unit == "person" else "example.total", language)
    counts = [sum(row.counts[place] for row in found.rows) for place in range(5)]
    sums = [sum(getattr(row, part) for row in found.rows) for part in ("none", "answered", "satisfied")]
    weight = (math.fsum(row.weight for row in found.rows),) if weighted else ()
    return (name, *counts, *sums, *weight, found.index)


def _row_name(framework: Framework, found: Example, row: ExampleRow, language: str) -> str:
    if found.unit == "component":
        return framework.component(row.id).name(language)
    if found.unit == "criterion":
        return framework.criterion(row.id).name(language)
    fields = {"number": row.id} if found.unit == "person" else {}
    return said(f"example.{found.unit}_name", language, **fields)


def _steps_table(framework: Framework, found: Example, language: str) -> Table:
    half = (found.conf_high - found.conf_low) / 2.0
    met = said("example.met" if half <= framework.half_width else "example.not_met", language)
    level = percent(Rule().level, language, 0)
    limit = points(framework.half_width, language)
    rows = (
        (_index_step(found, language), percent(found.index, language)),
        (said("example.step_error", language, forms=found.forms), points(found.std_error, language, 2)),
        (
            said("example.step_interval", language, confidence=percent(framework.confidence, language, 0)),
            interval(found.conf_low, found.conf_high, language, share=True),
        ),
        (said("example.step_half", language), points(half, language, 2)),
        (said("example.step_rule", language, half=limit), met),
        (
            said("example.step_bounds", language, level=level),
            interval(found.lower, found.upper, language, share=True),
        ),
        (said("example.step_class", language), _graded(framework, found, language)),
    )
    return Table(
        "tbl-example-steps",
        said("example.steps_title", language),
        (
            Column("step", said("example.step", language), width=0.6),
            Column("result", said("example.result", language), align="right", width=0.4),
        ),
        rows,
        language,
        DataKind.SIMULATED,
        notes=(said("example.note_invented", language),),
    )


def _index_step(found: Example, language: str) -> str:
    if found.definition not in _RATIOS:
        return said("example.step_index", language)
    top, bottom = (sum(getattr(row, part) for row in found.rows) for part in ("satisfied", "answered"))
    return said("example.step_ratio", language, top=top, bottom=bottom)


def _graded(framework: Framework, found: Example, language: str) -> str:
    names = [band.name(language) for band in framework.bands.bands if band.id in found.bands]
    if len(names) == 1:
        return names[0]
    return said("example.undetermined", language, bands=said("example.or", language).join(names))


def framework_bands_table(framework: Framework, language: str) -> Table:
    """Return the bands, how they were chosen, and whether a decision sets them."""
    return bands_table(framework.bands, RULES, language, family=framework.level)


def framework_settle_table(framework: Framework, language: str) -> Table:
    """Return the forms that grade an agency on its side of each cut, by its distance from the cut."""
    plan, rule = planning_for(framework), Rule(half_width=framework.half_width, confidence=framework.confidence)
    rows = []
    for cut in framework.bands.cuts:
        for gap in _GAPS:
            cells = [_settled(cut, value, plan, rule, language) for value in (cut - gap, cut + gap)]
            rows.append((percent(cut, language, 0), points(gap, language, 0), *cells))
    return Table(
        "tbl-framework-settle",
        said("settle.title", language),
        (
            Column("cut", said("settle.cut", language), align="center", width=0.16),
            Column("gap", said("settle.gap", language), align="right", width=0.22),
            Column("below", said("settle.below", language), align="right", width=0.31),
            Column("above", said("settle.above", language), align="right", width=0.31),
        ),
        tuple(rows),
        language,
        RULES,
        notes=(said("settle.note", language, power=percent(rule.power, language, 0)),),
    )


def _settled(cut: float, value: float, plan: Planning, rule: Rule, language: str) -> str | Absent:
    if not 0.0 < value < 1.0 - 1e-9:
        return Absent(said("settle.outside", language))
    forms = forms_for_class(cut, value, plan, rule)
    if forms is None:
        return said("settle.over_cap", language, cap=rule.most_forms)
    # what is graded must also be precise enough to be graded
    return integer(max(forms, fewest_forms(math.inf, replace(plan, share=value))), language)


@cache
def framework_errors(framework: Framework) -> tuple[Mapping[str, float], tuple[ErrorRow, ...]]:
    """Return the plans (name, forms of each agency) and their errors over simulated years."""
    planning = planning_for(framework)
    shared = share_out(yamane_forms(_AGENCIES * _FRAME), {str(n): float(_FRAME) for n in range(_AGENCIES)})
    plans = {
        "shared": min(shared.values()),
        "designed": fewest_forms(_FRAME, planning),
        "yamane": yamane_forms(_FRAME),
        "large": float(_LARGE),
    }
    rule = Rule(half_width=framework.half_width, confidence=framework.confidence)
    sizes = {name: [forms] * _AGENCIES for name, forms in plans.items()}
    rng = np.random.default_rng(_SEED)
    return MappingProxyType(plans), planned_errors(framework.bands, sizes, planning, rng=rng, years=YEARS, rule=rule)


def framework_errors_table(framework: Framework, language: str) -> Table:
    """Return how often the bands misgrade over 1,000 simulated years, by the number of forms an agency has."""
    plans, errors = framework_errors(framework)
    rows = []
    for row in errors:
        plan = said(f"errors.plan_{row.bands}", language, forms=integer(plans[row.bands], language))
        rule = said(f"errors.rule_{row.rule}", language)
        changed = row.changed if math.isfinite(row.changed) else Absent(said("errors.never", language))
        rows.append((plan, rule, row.wrong, (row.wrong_low, row.wrong_high), row.open, row.right, changed))
    truth = planned_truth(_AGENCIES)
    ends = {"low": percent(float(truth[0]), language, 0), "high": percent(float(truth[-1]), language, 0)}
    labels = {name: said(f"errors.{name}", language) for name in ("wrong", "range", "open", "right", "changed")}
    return Table(
        "tbl-planned-errors",
        said("errors.title", language, years=YEARS),
        (
            Column("plan", said("errors.plan", language), width=0.22),
            Column("rule", said("errors.rule", language), width=0.18),
            Column("wrong", labels["wrong"], "percent1", width=0.1),
            Column("range", labels["range"], "interval_percent", width=0.16),
            Column("open", labels["open"], "percent1", width=0.11),
            Column("right", labels["right"], "percent1", width=0.1),
            Column("changed", labels["changed"], "percent1", width=0.13),
        ),
        tuple(rows),
        language,
        DataKind.SIMULATED,
        notes=(said("errors.note", language, groups=_AGENCIES, frame=_FRAME, **ends),),
    )
