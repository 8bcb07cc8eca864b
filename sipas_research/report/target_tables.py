"""Tables of targets and stability: probability, back-test, yearly change beside its sampling error, verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from sipas_research.evidence.series import Series, year_list, years
from sipas_research.evidence.stability import Change, Stability, rule
from sipas_research.framework.targets import BackTest, Goal, TargetPath
from sipas_research.report.cells import Absent
from sipas_research.report.display import Column, Table
from sipas_research.report.series_tables import absent, share, sources_of
from sipas_research.wording import percent, text


def target_table(paths: Sequence[TargetPath], language: str, *, others: Sequence[TargetPath] = ()) -> Table:
    """Return each target under each reading: required pace, probability, limits, earliest credible years.

    ``others`` are the same paths on the other scale; their probabilities stand in the notes.
    """
    rows = [_goal_row(path, goal, language) for path in paths for goal in path.goals]
    first = paths[0]
    names = ("reading", "year", "target", "pace", "probability", "limits", "half", "ninety")
    styles: dict[str, Any] = {
        "year": "year",
        "target": "percent",
        "pace": "number2",
        "limits": "interval_percent",
    }
    level = percent(first.level, language, 0)
    columns = tuple(
        Column(
            n,
            _level_title(f"targets.table.{n}", level, language),
            styles.get(n, "text"),
            "center" if n in {"half", "ninety"} else "right" if n == "probability" else None,
        )
        for n in names
    )
    return Table(
        "tbl-targets",
        text("targets.table.title", language, name=text("series.name.ten_year_short", language)),
        columns,
        tuple(rows),
        language,
        first.data_kind,
        source=sources_of([p.source for p in first.used], language),
        notes=_target_notes(paths, others, language),
    )


def _level_title(key: str, level: str, language: str) -> str:
    return text(key, language, level=level) if key.endswith("limits") else text(key, language)


def _goal_row(path: TargetPath, goal: Goal, language: str) -> tuple[Any, ...]:
    reading = text(f"series.reading.{path.reading}", language)
    head = (reading, goal.year, share(goal.value), goal.required_pace)
    if path.reason:
        none = Absent(path.why(language))
        return (*head, none, none, none, none)
    never = text("targets.table.never", language, year=str(path.last_year_sought))
    credible = [str(y) if y is not None else never for y in goal.earliest]
    return (*head, percent(goal.probability, language, 0), (share(goal.low), share(goal.high)), *credible)


def _target_notes(paths: Sequence[TargetPath], others: Sequence[TargetPath], language: str) -> tuple[str, ...]:
    notes = []
    widest = paths[0]
    if not widest.reason:
        goal = widest.goals[-1]
        ends = {"low": percent(share(goal.low), language, 1), "high": percent(share(goal.high), language, 1)}
        n = len(widest.used)
        notes.append(text("targets.table.spread", language, n=n, year=str(goal.year), **ends))
    said = [
        text(
            "targets.table.one",
            language,
            year=str(g.year),
            reading=text(f"series.reading.{p.reading}_lower", language),
            probability=percent(g.probability, language, 0),
        )
        for p in others
        if not p.reason
        for g in p.goals
    ]
    if said:
        notes.append(text("targets.table.scales", language, values="; ".join(said)))
    keys = dict.fromkeys(k for p in paths for k in p.assumptions if "reading_" not in k)
    return (*notes, *(text(key, language) for key in keys))


def back_test_table(paths: Sequence[TargetPath], language: str) -> Table:
    """Return what the model would have said of the last known year from each earlier origin."""
    rows = [_back_row(path, test, language) for path in paths for test in path.back_tests]
    level = percent(paths[0].level, language, 0)
    year = paths[0].used[-1].year
    return Table(
        "tbl-back-test",
        text("targets.back.title", language, year=str(year)),
        (
            Column("reading", text("targets.table.reading", language)),
            Column("origin", text("targets.back.origin", language), "year", "center"),
            Column("n", text("targets.back.n", language), "integer"),
            Column("centre", text("targets.back.centre", language), "percent"),
            Column("limits", text("targets.back.limits", language, level=level), "interval_percent"),
            Column("actual", text("targets.back.actual", language), "percent"),
            Column("covered", text("targets.back.covered", language), "text", "center"),
        ),
        tuple(rows),
        language,
        paths[0].data_kind,
        source=sources_of([p.source for p in paths[0].used], language),
        notes=(text("targets.back.note", language),),
    )


def _back_row(path: TargetPath, test: BackTest, language: str) -> tuple[Any, ...]:
    reason = absent("targets.back.reason", language)
    ends: Any = (share(test.low), share(test.high)) if test.covered is not None else reason
    words = {True: "yes", False: "no", None: "undecided"}
    said = text(f"targets.back.{words[test.covered]}", language)
    reading = text(f"series.reading.{path.reading}", language)
    return (reading, test.origin, test.n_points, share(test.centre), ends, share(test.actual), said)


def change_table(found: Sequence[tuple[Series, Stability]], n: int, language: str) -> Table:
    """Return each comparable yearly change beside its sampling error."""
    rows = [_change_row(series, change, language) for series, stable in found for change in stable.changes]
    assumed = sorted({y for _, stable in found for y in stable.assumed_n})
    notes = [text("stability.table.note_margin", language, n=n)]
    if assumed:
        notes.append(text("stability.table.note_assumed", language, years=year_list(assumed)))
    return Table(
        "tbl-change",
        text("stability.table.title", language),
        (
            Column("series", text("stability.table.series", language)),
            Column("years", text("stability.table.years", language), "text", "center"),
            Column("change", text("stability.table.change", language), "number2"),
            Column("margin", text("stability.table.margin", language), "number2"),
            Column("statistic", text("stability.table.statistic", language), "number2"),
            Column("beyond", text("stability.table.beyond", language), "text", "center"),
            Column("places", text("stability.table.places", language), "integer"),
        ),
        tuple(rows),
        language,
        found[0][1].data_kind,
        source=sources_of([p.source for series, _ in found for p in series.points], language),
        notes=tuple(notes),
    )


def _change_row(series: Series, change: Change, language: str) -> tuple[Any, ...]:
    name = series.name(language)
    if series.reading != "printed":
        name = f"{name}, {text(f'series.reading.{series.reading}_lower', language)}"
    margin: list[Any] = [absent("stability.table.no_margin", language)] * 3
    if change.beyond is not None:
        margin = [
            change.margin,
            change.statistic,
            text(f"stability.table.{'yes' if change.beyond else 'no'}", language),
        ]
    places: Any = absent("stability.table.no_places", language) if change.places is None else change.places
    return (name, f"{change.first}–{change.last}", change.change, *margin, places)


def stability_table(found: Sequence[tuple[Series, Stability]], language: str) -> Table:
    """Return what each series can say about stability, with the rule in the notes; one row a name, readings aside."""
    rows = []
    first_of = {series.name.vi: (series, stable) for series, stable in reversed(found)}
    for series, stable in reversed(first_of.values()):
        few = absent("stability.summary_table.few_changes", language)
        no_rank = absent("stability.summary_table.no_rank", language)
        volatility: Any = few if math.isnan(stable.volatility) else stable.volatility
        churn: Any = no_rank if math.isnan(stable.rank_churn) else stable.rank_churn
        verdict = text(f"stability.verdict_short.{stable.verdict}", language)
        rows.append((series.name(language), years(series.points), stable.longest_run, volatility, churn, verdict))
    return Table(
        "tbl-stability",
        text("stability.summary_table.title", language),
        (
            Column("series", text("stability.summary_table.series", language)),
            Column("years", text("stability.summary_table.years", language)),
            Column("run", text("stability.summary_table.run", language), "integer"),
            Column("volatility", text("stability.summary_table.volatility", language), "number2"),
            Column("churn", text("stability.summary_table.churn", language), "number1"),
            Column("verdict", text("stability.summary_table.verdict", language)),
        ),
        tuple(rows),
        language,
        found[0][1].data_kind,
        notes=(rule(language), text("stability.summary_table.note_of", language)),
    )
