"""An attacker reads the published table, its total and this very rule, and still learns no count under ten."""

import itertools
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipas_research.numerics.disclosure import MINIMUM_CELL, hidden_cuts, merge_categories, suppress, suppress_table

COUNTS = st.lists(st.one_of(st.integers(0, 30), st.integers(0, 400)), min_size=1, max_size=12)


def hidden_cells(counts, mask):
    return [c for c, h in zip(counts, mask, strict=True) if h and c > 0]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([50, 40, 30], [False, False, False]),
        ([50, 9, 30], [False, True, True]),
        ([50, 9, 0, 30], [False, True, False, True]),
        ([10, 10, 10], [False, False, False]),
        ([50, 5, 4, 30], [False, True, True, True]),
        ([50, 5, 5, 30], [False, True, True, False]),
        ([4, 3], [True, True]),
        ([4, 0, 0], [True, True, True]),
        ([0, 0], [False, False]),
        ([200, 0], [False, False]),
        ([1] * 10, [True] * 10),
        ([1] * 10 + [20, 0], [True] * 11 + [False]),
        ([9, 12, 12], [True, True, False]),
    ],
)
def test_one_way_tables(counts, expected):
    assert suppress(counts).tolist() == expected


@given(COUNTS)
@settings(max_examples=400, deadline=None)
def test_nothing_hidden_follows_from_the_total(counts):
    mask = suppress(counts)
    shown = [c for c, h in zip(counts, mask, strict=True) if not h]
    assert all(c == 0 or c >= MINIMUM_CELL for c in shown)
    inside, total = hidden_cells(counts, mask), sum(counts)
    if not inside or mask.all():
        return
    # total minus what is shown is all an attacker has of the hidden cells: each lies in 1 .. left - others
    left = total - sum(shown)
    assert left >= MINIMUM_CELL
    assert len(inside) >= 2
    assert left - (len(inside) - 1) > 1


def test_an_attacker_who_knows_the_rule_learns_nothing():
    published = defaultdict(list)
    for counts in itertools.product(range(25), repeat=3):
        mask = suppress(counts)
        withheld = bool(mask.all()) and 0 < sum(counts) < MINIMUM_CELL
        print_out = tuple(-1 if h else c for c, h in zip(counts, mask, strict=True))
        published[(None if withheld else sum(counts), print_out)].append(counts)
    attacked = 0
    for (total, print_out), candidates in published.items():
        # at the edge of the enumeration larger tables are cut off: only totals well inside are fair
        if total is None or total > 24:
            continue
        for position, value in enumerate(print_out):
            if value == -1:
                attacked += 1
                assert len({c[position] for c in candidates}) > 1, (total, print_out)
    assert attacked > 50


@given(COUNTS)
@settings(max_examples=100, deadline=None)
def test_no_cell_is_hidden_without_need(counts):
    if all(c == 0 or c >= MINIMUM_CELL for c in counts):
        assert not suppress(counts).any()


def test_withheld_cells_are_paired_with_another_kind():
    # two groups of one answer each, added together, are still of one answer: a third joins them
    assert suppress([20, 30, 40], withheld=[True, False, False]).tolist() == [True, True, False]
    assert suppress([20, 30, 40, 50], withheld=[True, True, False, False]).tolist() == [True, True, True, False]


def test_the_minimum_can_be_stricter():
    assert suppress([50, 15, 30], minimum=20).tolist() == [False, True, True]


@pytest.mark.parametrize("counts", [[-1, 20], [np.nan, 20]])
def test_impossible_counts_are_refused(counts):
    with pytest.raises(ValueError, match="counts"):
        suppress(counts)


@given(st.lists(st.lists(st.integers(0, 40), min_size=3, max_size=3), min_size=2, max_size=6))
@settings(max_examples=200, deadline=None)
def test_tables_are_closed_in_both_directions(rows):
    counts = np.array(rows)
    mask = suppress_table(counts)
    for column in range(3):
        inside = hidden_cells(counts[:, column], mask[:, column])
        assert len(inside) != 1 or mask[:, column].all()
        shown = counts[:, column][~mask[:, column]]
        assert ((shown == 0) | (shown >= MINIMUM_CELL)).all()
    for row in range(len(rows)):
        open_cells = (~mask[row] & (counts[row] > 0)).any()
        assert len(hidden_cells(counts[row], mask[row])) != 1 or not open_cells


def test_two_parts_withheld_for_one_answer_do_not_protect_each_other():
    alike = [[True, True, False, False], [False] * 4, [False] * 4]
    mask = suppress_table([[12] * 4, [30] * 4, [31] * 4], withheld=alike)
    # all answers of both parts are the same: the row's total minus what is shown would say so
    assert mask[0].sum() == 3


def test_two_small_parts_of_a_row_take_a_third_with_them():
    mask = suppress_table([[3, 4, 20, 25], [30] * 4, [31] * 4])
    assert mask[0].tolist() == [True, True, True, False]


def test_hidden_groups_show_no_part():
    mask = suppress_table([[20, 20], [30, 30], [40, 40]], hidden=[False, True, True])
    assert mask.tolist() == [[False, False], [True, True], [True, True]]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([[20, 30, 40, 50, 60]], ((0,), (1,), (2,), (3,), (4,))),
        ([[3, 12, 40, 50, 60]], ((0, 1), (2,), (3,), (4,))),
        ([[3, 4, 40, 50, 60]], ((0, 1, 2), (3,), (4,))),
        ([[0, 12, 40, 50, 60], [0, 8, 30, 40, 50]], ((0,), (1, 2), (3,), (4,))),
        ([[3, 12, 40, 50, 60], [12, 20, 40, 50, 3]], ((0, 1), (2,), (3, 4))),
        ([[1, 2, 3, 1, 1]], ((0, 1, 2, 3, 4),)),
        ([[0, 0, 0, 0, 0]], ((0,), (1,), (2,), (3,), (4,))),
        ([[5]], ((0,),)),
    ],
)
def test_merged_categories(counts, expected):
    assert merge_categories(counts) == expected


@given(st.lists(st.lists(st.integers(0, 60), min_size=5, max_size=5), min_size=1, max_size=6))
@settings(max_examples=200, deadline=None)
def test_merging_is_safe_and_as_fine_as_can_be(rows):
    counts = np.array(rows)
    groups = merge_categories(counts)
    assert [c for g in groups for c in g] == list(range(5))

    def is_safe(cuts):
        merged = np.add.reduceat(counts, cuts, axis=1)
        return bool(((merged == 0) | (merged >= MINIMUM_CELL)).all())

    finest = 0
    for size in range(5):
        for inner in itertools.combinations(range(1, 5), size):
            finest = max(finest, size + 1) if is_safe([0, *inner]) else finest
    assert len(groups) == max(finest, 1)
    if finest:
        assert is_safe([g[0] for g in groups])


def test_a_group_of_one_answer_is_hidden_behind_one_that_disagrees_everywhere():
    counts, alike = [40, 12, 30, 50], [True, False, False, False]
    assert suppress(counts, withheld=alike).tolist() == [True, True, False, False]
    assert suppress(counts, withheld=alike, mixed=[False, False, True, True]).tolist() == [True, True, True, False]
    # where none disagrees everywhere, the rule of sizes is all there is
    assert suppress(counts, withheld=alike, mixed=[False] * 4).tolist() == [True, True, False, False]
    # a small group needs no such cover
    assert suppress([5, 12, 30], mixed=[False, False, True]).tolist() == [True, True, False]


def test_cover_is_sought_down_a_column_and_along_a_row():
    table = np.array([[40, 40], [12, 12], [30, 30]])
    alike = np.array([[True, False], [False, False], [False, False]])
    mixed = np.array([[False, True], [False, True], [True, True]])
    hidden = suppress_table(table, withheld=alike, mixed=mixed)
    assert hidden[0].all()
    assert hidden[2, 0]


@pytest.mark.parametrize(
    ("counts", "hidden"),
    [
        ([10, 20, 30, 40], [False, False, False]),
        ([9, 20, 30, 40], [True, False, False]),
        ([60, 3, 187, 150], [True, True, False]),
        ([30, 20, 30, 4], [False, False, True]),
        ([5, 40], [True]),
        ([0, 30, 0, 0, 20, 0], [False] * 5),
        ([30, 0, 3, 0, 40], [True] * 4),
        ([1, 10, 30, 40], [True, True, False]),  # eleven people in two answers, the second ten or more
        ([30, 10, 1, 10, 50], [True, True, True, False]),
        ([[30, 30, 30], [40, 40, 9]], [False, True]),
    ],
)
def test_cuts_beside_small_answers_are_hidden(counts, hidden):
    assert hidden_cuts(counts).tolist() == hidden


@given(st.lists(st.one_of(st.integers(0, 12), st.integers(0, 60)), min_size=2, max_size=6))
@settings(max_examples=200, deadline=None)
def test_shown_cuts_stay_safe_beside_any_safe_grouping(counts):
    row = np.array(counts)
    shown = set(np.flatnonzero(~hidden_cuts(row)) + 1)
    for size in range(len(row)):
        for cuts in itertools.combinations(range(1, len(row)), size):
            sums = np.add.reduceat(row, [0, *cuts])
            if ((sums == 0) | (sums >= MINIMUM_CELL)).all() or not cuts:
                both = np.add.reduceat(row, sorted({0, *cuts, *shown}))
                assert row.sum() < MINIMUM_CELL or ((both == 0) | (both >= MINIMUM_CELL)).all()


def test_shown_cuts_and_the_rule_leave_a_small_answer_open():
    left_open = defaultdict(lambda: [set(), set(), set()])
    told = {}
    for counts in itertools.product(range(1, 24), repeat=3):
        hidden = hidden_cuts(counts)
        sums = np.add.reduceat(counts, [0, *(np.flatnonzero(~hidden) + 1)])
        told[counts] = (tuple(hidden), tuple(sums))
        for values, count in zip(left_open[told[counts]], counts, strict=True):
            values.add(count)
    for counts in itertools.product(range(1, 13), repeat=3):
        small = [len(v) for v, c in zip(left_open[told[counts]], counts, strict=True) if c < MINIMUM_CELL]
        assert sum(counts) < MINIMUM_CELL or all(size > 1 for size in small)
