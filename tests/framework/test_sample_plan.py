"""What a number of forms buys, planned before the survey; the worked example; errors of a planned survey."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from sipas_research.errors import OptionError
from sipas_research.framework.definitions import DEFINITIONS
from sipas_research.framework.framework_file import load_framework
from sipas_research.framework.framework_spec import LEVELS
from sipas_research.framework.planned_errors import forms_for_class, planned_errors, planned_truth
from sipas_research.framework.sample_plan import (
    Planning,
    forms_needed,
    half_width,
    planning_for,
    sample_plan,
    share_out,
    yamane_forms,
)
from sipas_research.framework.worked_example import worked_example

SIMPLE = Planning(0.5, 1, 1.0, 1.0, 0.05, 0.95, 1.0)


def test_half_width_of_a_simple_sample() -> None:
    # Cochran 1977, section 3.3: t(399) = 1.9659, sqrt(0.25 / 400) = 0.025
    assert half_width(400, math.inf, SIMPLE) == pytest.approx(1.965927 * 0.025, rel=1e-6)
    assert half_width(400, 400, SIMPLE) == 0.0
    assert math.isnan(half_width(1, 100, SIMPLE))


@pytest.mark.parametrize("frame", [2, 3, 17, 200, 999, 12_345])
def test_fewest_forms_are_the_fewest(frame: int) -> None:
    planning = planning_for(load_framework("commune"))
    needed = forms_needed(frame, planning)
    assert half_width(needed, frame, planning) <= 0.05
    assert needed == 2 or not half_width(needed - 1, frame, planning) <= 0.05


def test_yamane_is_the_local_formula() -> None:
    assert yamane_forms(3366) == 358
    assert yamane_forms(400) == 200
    assert math.isnan(forms_needed(1, SIMPLE))


def test_shares_add_up_and_do_not_depend_on_the_order() -> None:
    frames = {"a": 100.0, "b": 33.0, "c": 33.0, "d": 1.0}
    parts = share_out(50, frames)
    assert sum(parts.values()) == 50
    assert parts == share_out(50, dict(reversed(frames.items())))


def test_plan_of_a_level() -> None:
    rows = sample_plan({"a": 1000.0, "b": 200.0, "c": math.nan}, planning_for(load_framework("department")))
    known, small, open_row = rows
    assert known.shared + small.shared == yamane_forms(1200)
    assert known.shared_half > known.yamane_half
    assert (
        known.designed_half <= 0.05 < half_width(known.designed - 1, 1000, planning_for(load_framework("department")))
    )
    assert small.issued == math.ceil(small.designed / 0.8)
    assert math.isnan(open_row.designed)


@pytest.mark.parametrize("wrong", [{"share": 1.0}, {"alike": 1.5}, {"returned": 0.0}, {"questions": 0}])
def test_planning_refuses_what_cannot_be(wrong: dict[str, float]) -> None:
    with pytest.raises(OptionError):
        replace(SIMPLE, **wrong)


@pytest.mark.parametrize("level", LEVELS)
def test_example_can_be_repeated_by_hand(level: str) -> None:
    found = worked_example(load_framework(level))
    assert found.index == sum(r.satisfied for r in found.rows) / sum(r.answered for r in found.rows)
    for row in found.rows:
        asked = len(load_framework(level).items_of(row.id))
        assert row.answered + row.none == 400 * asked
    assert found.conf_low < found.lower < found.index < found.upper < found.conf_high


@pytest.mark.parametrize("definition", [*DEFINITIONS, "criterion_weights"])
def test_example_follows_the_definition(definition: str) -> None:
    framework = replace(load_framework("district"), definition=definition)
    found = worked_example(framework)
    values, weights = np.array([r.value for r in found.rows]), np.array([r.weight for r in found.rows])
    assert 0.0 < found.index < 1.0
    assert values.min() <= found.index <= values.max()
    if definition in {"component_mean", "criterion_weights"}:
        assert weights.sum() == pytest.approx(1.0)
        assert found.index == pytest.approx(float(weights @ values))
    else:
        assert np.isnan(weights).all()


def test_planned_years_grade_better_with_more_forms() -> None:
    framework = load_framework("department")
    planning, bands = planning_for(framework), framework.bands
    plans = {"few": [20.0] * 12, "many": [2000.0] * 12}
    rows = planned_errors(bands, plans, planning, rng=np.random.default_rng(7), years=200)
    again = planned_errors(bands, plans, planning, rng=np.random.default_rng(7), years=200)
    assert rows == again
    few, few_rule, many, many_rule = rows
    assert few.wrong > many.wrong > many_rule.wrong
    assert few_rule.open == 1.0
    assert many_rule.open < 0.5
    assert many_rule.wrong < 0.05


def test_true_values_lie_around_their_middle() -> None:
    shares = planned_truth(101)
    assert shares[50] == pytest.approx(0.84)
    assert (np.diff(shares) > 0).all()


def test_nearer_to_the_cut_needs_more_forms() -> None:
    planning = planning_for(load_framework("department"))
    needed = [forms_for_class(0.8, 0.8 + gap, planning) for gap in (0.02, 0.05, 0.1)]
    assert needed == sorted(needed, reverse=True)
    assert forms_for_class(0.8, 0.805, planning) is None
