"""Bounds on unseen components: closed forms, and a brute-force grid as a second road."""

import itertools
import math

import numpy as np
import pytest

from sipas_research.evidence.claim import check_claim
from sipas_research.evidence.component_bounds import component_bounds

ITEMS = (4, 5, 6, 3, 4)


def grid_least_gain(value, previous, shares, falling, step):
    """Least total gain of the two components that did not fall, all starting at the earlier index, over a grid.

    The components that fell stay where they are: any fall only raises what the others must gain.
    """
    best = math.inf
    room = 100.0 - previous
    unseen = [i for i in range(len(shares)) if i not in falling]
    for first in np.arange(0.0, room + step / 2, step):
        second = ((value - previous) - shares[unseen[0]] * first) / shares[unseen[1]]
        if -1e-9 <= second <= room + 1e-9:
            best = min(best, first + second)
    return best


@pytest.mark.parametrize("previous", [83.97, 87.07 / 1.031])
@pytest.mark.parametrize("weights", [(1,) * 5, ITEMS])
def test_a_grid_finds_the_same_bounds(previous, weights):
    shares = np.array(weights) / sum(weights)
    found = component_bounds(87.07, previous, 3, 1, weights)
    grid = [grid_least_gain(87.07, previous, shares, fell, 0.01) for fell in itertools.combinations(range(5), 3)]
    possible = [gain for gain in grid if math.isfinite(gain)]
    assert found.least == pytest.approx(min(possible), abs=0.02)
    assert found.most == pytest.approx(max(possible), abs=0.02)
    # each choice of who fell leaves two ways to choose who rose
    assert found.feasible == 2 * len(possible)


def test_falls_only_raise_what_is_needed():
    draws = np.random.default_rng(1)
    shares = np.array(ITEMS) / sum(ITEMS)
    found = component_bounds(87.07, 83.97, 3, 0, ITEMS)
    seen = 0
    for _ in range(20_000):
        order = draws.permutation(5)
        change = np.empty(5)
        change[order[:3]] = -draws.uniform(0, 2, 3)
        change[order[3]] = draws.uniform(0, 100 - 83.97)
        change[order[4]] = (3.1 - shares[order[:4]] @ change[order[:4]]) / shares[order[4]]
        if change[order[4]] <= 100 - 83.97:
            seen += 1
            assert np.maximum(change[order[3:]], 0).sum() >= found.least - 1e-9
    assert seen > 100


def test_equal_weights_closed_form():
    found = component_bounds(87.07, 83.97, 3, 1, (1,) * 5)
    assert found.least == pytest.approx(5 * 3.1)
    assert found.most == pytest.approx(5 * 3.1)
    assert found.room == pytest.approx(2 * (100 - 83.97))
    assert (found.ways, found.feasible, found.alone) == (20, 20, 20)


def test_one_component_alone_by_weight():
    found = component_bounds(87.07, 83.97, 3, 1, ITEMS)
    # alone a component of weight w can lift the index by w / 22 * 16.03: enough for 5 and 6, not for 3 and 4
    enough = {w for w in ITEMS if w / 22 * (100 - 83.97) >= 3.1}
    assert enough == {5, 6}
    pairs = [pair for pair in itertools.combinations(ITEMS, 2) if enough & set(pair)]
    assert found.alone == 2 * len(pairs)


def test_scale_of_weights_does_not_matter():
    assert component_bounds(87.07, 83.97, 2, 1, ITEMS) == component_bounds(87.07, 83.97, 2, 1, [10 * w for w in ITEMS])


@pytest.mark.parametrize(
    ("value", "previous", "falling", "rising"),
    [(87.07, 83.97, 5, 0), (80.0, 84.0, 0, 5)],
)
def test_moves_that_no_mean_allows(value, previous, falling, rising):
    found = component_bounds(value, previous, falling, rising, (1,) * 5)
    assert found.feasible == found.feasible_free == 0
    assert math.isnan(found.least)


def test_a_large_rise_needs_other_starts():
    found = component_bounds(95.0, 60.0, 4, 1, (1,) * 5)
    assert found.feasible == 0
    assert found.feasible_free == 0
    nearer = component_bounds(75.0, 65.0, 4, 1, (1,) * 5)
    assert nearer.feasible == 0, "one of five can add at most 7 points from 65"
    assert nearer.feasible_free > 0


def test_a_fall_needs_no_gain():
    found = component_bounds(80.0, 84.0, 3, 0, (1,) * 5)
    assert (found.least, found.most) == (0, 0)


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        ({"change": "3,1", "falling": 3, "rising": 1}, "phu_thuoc_cach_hieu"),
        ({"change": "3,1", "falling": 5}, "can_them_so_lieu"),
        ({"change": "3,1", "rising": 5}, "khop"),
        ({"change": "-3,1", "falling": 3, "rising": 1}, "khop"),
        ({"falling": 3}, "can_them_so_lieu"),
    ],
)
def test_verdicts(claim, verdict):
    finding = check_claim(value="87,07", components=5, **claim).get("components")
    assert finding.verdict == verdict
    for language in ("vi", "en"):
        assert finding.text(language)


def test_own_weights_replace_the_default_ones():
    finding = check_claim(value=87.07, change=3.1, components=3, falling=1, weights=[1, 1, 2]).get("components")
    assert {c.weighting for c in finding.computed} == {"items"}
    default = check_claim(value=87.07, change=3.1, components=3, falling=1).get("components")
    assert {c.weighting for c in default.computed} == {"equal"}
