"""Tables of all pairs in one pass, against tables counted one by one."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipas_research.numerics.contingency import (
    BLOCK_ROWS,
    MOST_CATEGORIES,
    code_blocks,
    find_levels,
    has_far_code,
    pair_classes,
    pair_tables,
)


def counted(columns, *, complete_only=True, weights=None, block_rows=BLOCK_ROWS):
    levels, _ = find_levels(columns, complete_only=complete_only)
    blocks = code_blocks(columns, levels, complete_only=complete_only, weights=weights, block_rows=block_rows)
    return pair_tables(blocks, levels), levels


def part(tables, table, first, second):
    spans = [slice(tables.starts[item], tables.starts[item + 1]) for item in (first, second)]
    return table[spans[0], spans[1]]


def expected(first, second, levels_first, levels_second, weights):
    index = [*levels_first.values] + (["missing"] if levels_first.missing else [])
    across = [*levels_second.values] + (["missing"] if levels_second.missing else [])
    one = pd.Series(first).astype(object).where(pd.notna(first), "missing")
    two = pd.Series(second).astype(object).where(pd.notna(second), "missing")
    crossed = pd.Series(weights).groupby([one.to_numpy(), two.to_numpy()]).sum()
    return crossed.unstack(fill_value=0.0).reindex(index=index, columns=across, fill_value=0.0).to_numpy(float)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(2, 12), min_size=2, max_size=9), st.booleans())
def test_every_pair_is_its_cross_table(seed, sizes, holes):
    generator = np.random.default_rng(seed)
    columns = [generator.integers(-2, size - 2, 150).astype(float) for size in sizes]
    if holes:
        columns = [np.where(generator.random(150) < 0.1, np.nan, column) for column in columns]
    weights = generator.uniform(0.2, 3.0, 150)
    tables, levels = counted(columns, complete_only=False, weights=weights, block_rows=37)
    assert tables.rows == 150
    for first in range(len(sizes)):
        for second in range(first):
            pair = columns[first], columns[second], levels[first], levels[second]
            for table, power in ((tables.counts, 0), (tables.sums, 1), (tables.squares, 2)):
                np.testing.assert_allclose(part(tables, table, first, second), expected(*pair, weights**power))


def test_listwise_counts_complete_rows_only():
    generator = np.random.default_rng(4)
    frame = pd.DataFrame(generator.integers(1, 6, size=(400, 6))).astype(float).mask(generator.random((400, 6)) < 0.1)
    columns = [frame[name].to_numpy() for name in frame]
    complete = frame.dropna()
    tables, levels = counted(columns)
    assert tables.rows == len(complete) == find_levels(columns, complete_only=True)[1]
    assert not any(level.missing for level in levels)
    np.testing.assert_array_equal(part(tables, tables.counts, 1, 4), pd.crosstab(complete[1], complete[4]))
    assert tables.weighted is False


def test_the_matrix_is_symmetric_and_exact():
    generator = np.random.default_rng(5)
    columns = [generator.integers(0, 5, 70_000).astype(np.int8) for _ in range(7)]
    tables, _ = counted(columns)
    np.testing.assert_array_equal(tables.counts, tables.counts.T)
    assert part(tables, tables.counts, 0, 3).sum() == 70_000
    np.testing.assert_array_equal(np.diag(part(tables, tables.counts, 2, 2)), np.bincount(columns[2]))


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "int64", "uint64", "float32", "float64", "bool"])
def test_the_type_of_the_codes_does_not_matter(kind):
    generator = np.random.default_rng(6)
    plain = [generator.integers(0, 2, 300) for _ in range(3)]
    reference, _ = counted(plain)
    same, levels = counted([column.astype(kind) for column in plain])
    np.testing.assert_array_equal(same.counts, reference.counts)
    assert levels[0].values == (0, 1)


def test_ends_of_a_byte():
    column = np.array([-128, 127, -127, 127, -128], dtype=np.int8)
    tables, levels = counted([column, column[::-1].copy()])
    assert levels[0].values == (-128, -127, 127)
    np.testing.assert_array_equal(tables.margin(0), [2, 1, 2])


@pytest.mark.parametrize(
    ("column", "trouble"),
    [
        ([1.0, 2.0, 2.5], "fraction"),
        ([1.0, np.inf, 2.0], "infinite"),
        (np.arange(MOST_CATEGORIES + 1), "many"),
        (np.array([1, 10**9, *range(0, 10**8, 10**6)]), "many"),
        (np.arange(MOST_CATEGORIES), ""),
        ([1.0, np.nan, 1e18], ""),
    ],
)
def test_what_is_not_an_ordered_answer_is_named(column, trouble):
    (levels,), _ = find_levels([np.asarray(column)], complete_only=False)
    assert levels.trouble == trouble


def test_values_seen_late_are_found():
    column = np.tile(np.array([1, 3], dtype=np.int8), BLOCK_ROWS)
    column[-1] = 2
    (levels,), rows = find_levels([column], complete_only=False)
    assert (levels.values, rows) == ((1, 2, 3), 2 * BLOCK_ROWS)


def test_pair_classes_hold_each_pair_once():
    sizes = [2, 5, 2, 7, 5]
    pairs = [(int(i), int(j)) for first, second in pair_classes(sizes) for i, j in zip(first, second, strict=True)]
    assert sorted(pairs) == [(i, j) for i in range(5) for j in range(i + 1, 5)]
    for first, second in pair_classes(sizes):
        assert len({(sizes[i], sizes[j]) for i, j in zip(first, second, strict=True)}) == 1


@pytest.mark.parametrize(
    ("codes", "far"),
    [
        ((1, 2, 3, 4, 5), False),
        ((0, 1), False),
        ((1, 9), False),
        ((10, 20, 30), False),
        ((1, 3, 5), False),
        ((-2, -1, 0, 1, 2), False),
        ((1, 2, 3, 4, 5, 9), True),
        ((1, 2, 3, 99), True),
        ((-9, 1, 2, 3), True),
        ((-1, 1, 2, 3), True),
    ],
)
def test_a_code_for_no_answer_stands_far_from_a_scale(codes, far):
    assert has_far_code(codes) is far
