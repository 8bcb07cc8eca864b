"""One worked example of a framework's index, from invented counts: anyone can repeat it with pencil and paper."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from sipas_research.framework.framework_spec import Framework
from sipas_research.framework.sample_plan import Planning, planning_for
from sipas_research.numerics.class_bounds import one_sided_bounds

#: Forms of the invented agency.
FORMS = 400
_FEW = 5
_LEVEL = 0.95
#: Invented shares of the answers 1 to 5 and of "no answer", one profile after the other.
_PROFILES = (
    (0.01, 0.03, 0.08, 0.52, 0.34, 0.02),
    (0.02, 0.05, 0.12, 0.50, 0.28, 0.03),
    (0.01, 0.02, 0.07, 0.50, 0.38, 0.02),
    (0.02, 0.04, 0.10, 0.53, 0.29, 0.02),
    (0.02, 0.06, 0.16, 0.44, 0.22, 0.10),
)
#: Answers 1 to 5 and "no answer" of a few invented people, out of twenty questions.
_PEOPLE = ((0, 0, 1, 12, 7, 0), (0, 2, 4, 11, 3, 0), (1, 1, 2, 10, 4, 2), (0, 0, 0, 6, 14, 0), (2, 3, 5, 8, 0, 2))


@dataclass(frozen=True, slots=True)
class ExampleRow:
    """One row of the example: a component, a criterion, a person, or the overall questions.

    ``counts`` are answers 1 to 5, ``none`` those without an answer; ``weight`` is NaN where rows are not weighted;
    ``value`` is the row's own figure, 0-1.
    """

    id: str
    counts: tuple[int, ...]
    none: int
    weight: float
    value: float

    @property
    def answered(self) -> int:
        """Answers given."""
        return sum(self.counts)

    @property
    def satisfied(self) -> int:
        """Answers 4 and 5."""
        return sum(self.counts[3:])


@dataclass(frozen=True, slots=True)
class Example:
    """The rows, the index they give, and how it is graded; shares are 0-1.

    ``unit`` says what a row is: "component", "criterion", "person" or "overall". ``std_error`` is the one that the
    planned design would have at ``forms`` forms; ``lower`` and ``upper`` are the one-sided bounds, ``bands`` the ids of
    the classes that remain possible.
    """

    definition: str
    unit: str
    rows: tuple[ExampleRow, ...]
    index: float
    forms: int
    std_error: float
    quantile: float
    conf_low: float
    conf_high: float
    lower: float
    upper: float
    bands: tuple[str, ...]


def worked_example(framework: Framework) -> Example:
    """Return the example for a framework's own definition of the index, components, weights and bands."""
    unit, rows = _rows(framework)
    index = _index(framework.definition, rows)
    planning = planning_for(framework)
    error = math.sqrt(planning.design_effect * planning.variance(index) / FORMS)
    quantile = float(stdtrit(FORMS - 1.0, (1.0 + planning.confidence) / 2.0))
    low, high = _bounds(index, error, planning, two_sided=True)
    lower, upper = _bounds(index, error, planning, two_sided=False)
    places = range(framework.bands.place(lower), framework.bands.place(upper) + 1)
    return Example(
        framework.definition,
        unit,
        rows,
        index,
        FORMS,
        error,
        quantile,
        low,
        high,
        lower,
        upper,
        tuple(framework.bands.bands[place].id for place in places),
    )


def _bounds(index: float, error: float, planning: Planning, *, two_sided: bool) -> tuple[float, float]:
    level = (1.0 + planning.confidence) / 2.0 if two_sided else _LEVEL
    sizes = (np.array(FORMS - 1.0), np.array(float(FORMS)), np.array(float(FORMS)))
    found = one_sided_bounds(np.array(index), np.array(error), *sizes, level=level)
    return float(found.lower), float(found.upper)


def _rows(framework: Framework) -> tuple[str, tuple[ExampleRow, ...]]:
    if framework.definition == "mean_of_shares":
        people = enumerate(_PEOPLE[:_FEW], start=1)
        return "person", tuple(_row(str(n), cells, framework.definition) for n, cells in people)
    if framework.definition == "overall_question":
        return "overall", (_row("overall", _counts(_PROFILES[0], FORMS), framework.definition),)
    if framework.definition == "criterion_weights":
        asked = {c.id: sum(i.criterion == c.id for i in framework.items) for c in framework.criteria}
        weights = {c.id: c.weight for c in framework.criteria}
        unit = "criterion"
    else:
        asked = {c.id: len(framework.items_of(c.id)) for c in framework.components}
        each = 1.0 / len(asked) if framework.definition == "component_mean" else math.nan
        weights = dict.fromkeys(asked, each)
        unit = "component"
    rows = []
    for place, (name, questions) in enumerate(asked.items()):
        cells = _counts(_PROFILES[place % len(_PROFILES)], FORMS * questions)
        rows.append(_row(name, cells, framework.definition, weights[name]))
    return unit, tuple(rows)


def _counts(shares: tuple[float, ...], total: int) -> tuple[int, ...]:
    """Return whole counts that add up to ``total``; what rounding leaves goes to the answer 4."""
    counts = [math.floor(share * total) for share in shares]
    counts[3] += total - sum(counts)
    return tuple(counts)


def _row(name: str, cells: tuple[int, ...], definition: str, weight: float = math.nan) -> ExampleRow:
    counts, none = cells[:5], cells[5]
    total = sum(counts)
    score = sum(code * count for code, count in enumerate(counts, start=1)) / total
    if definition == "mean_score":
        value = (score - 1.0) / 4.0
    elif definition == "mean_over_highest":
        value = score / 5.0
    else:
        value = (counts[3] + counts[4]) / total
    return ExampleRow(name, counts, none, weight, value)


def _index(definition: str, rows: tuple[ExampleRow, ...]) -> float:
    """Return the index of the rows: means of equal or weighted rows, else a ratio of totals."""
    if definition in {"component_mean", "criterion_weights"}:
        return math.fsum(row.weight * row.value for row in rows)
    if definition == "mean_of_shares":
        return math.fsum(row.value for row in rows) / len(rows)
    answered = sum(row.answered for row in rows)
    if definition in {"mean_score", "mean_over_highest"}:
        return math.fsum(row.value * row.answered for row in rows) / answered
    return sum(row.satisfied for row in rows) / answered
