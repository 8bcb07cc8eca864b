"""Confidence sets for ranks: closed forms, ties, known differences, invariances, coverage, hostile input."""

import numpy as np
import pytest
from scipy import stats

from sipas_research.numerics.rank_sets import logit_scale, rank_sets, tiers


def sets(estimates, covariance, level=0.95, *, seed=1, draws=10_000, df=None):
    matrix = np.diag(covariance) if np.ndim(covariance) == 1 else covariance
    return rank_sets(estimates, matrix, level, generator=np.random.default_rng(seed), draws=draws, df=df)


def true_ranks(values):
    """First and last rank that ties leave open, one row a unit."""
    values = np.asarray(values)
    above, below = values[None, :] > values[:, None], values[None, :] < values[:, None]
    return np.column_stack([1 + above.sum(axis=1), len(values) - below.sum(axis=1)])


def covered(found, truth):
    return (found[:, 0] <= truth[:, 0]) & (found[:, 1] >= truth[:, 1])


def plain_bootstrap(estimates, errors, generator, draws=1000, level=0.95):
    """The habit that these sets replace: percentiles of the ranks of redrawn estimates."""
    drawn = estimates + errors * generator.standard_normal((draws, len(estimates)))
    ranks = 1 + (drawn[:, None, :] > drawn[:, :, None]).sum(axis=2)
    tail = (1.0 - level) / 2.0
    return np.quantile(ranks, [tail, 1.0 - tail], axis=0, method="closest_observation").T


def test_two_units_are_a_normal_test_of_their_difference():
    matrix = np.array([[4.0, 1.5], [1.5, 3.0]])
    found = sets([0.0, 0.0], matrix, draws=400_000)
    assert found.single_step == pytest.approx(stats.norm.ppf(0.975), abs=0.012)
    error = np.sqrt(4.0 + 3.0 - 2 * 1.5)
    for gap, expected in ((1.99, [[1, 1], [2, 2]]), (1.93, [[1, 2], [1, 2]])):
        close = sets([gap * error, 0.0], matrix, draws=400_000)
        assert close.simultaneous.tolist() == expected
        assert close.marginal.tolist() == expected


@pytest.mark.parametrize("df", [4.0, 12.0])
def test_two_units_with_estimated_variances_are_a_student_test(df):
    # equal variances and degrees of freedom: (x - y) / sqrt(s_x^2 + s_y^2) has Student's t with twice df
    found = sets([0.0, 0.0], np.array([2.0, 2.0]), draws=400_000, df=np.array([df, df]))
    assert found.single_step == pytest.approx(stats.t.ppf(0.975, 2 * df), abs=0.02)


@pytest.mark.parametrize("size", [3, 7])
def test_first_critical_value_is_tukeys(size):
    found = sets(np.zeros(size), np.full(size, 0.5), draws=200_000)
    assert found.single_step == pytest.approx(stats.studentized_range.ppf(0.95, size, np.inf) / np.sqrt(2), abs=0.02)


def test_known_differences_give_known_ranks_and_ties_stay_open():
    found = sets([3.0, 1.0, 3.0, 2.0], np.zeros(4))
    assert found.simultaneous.tolist() == [[1, 2], [4, 4], [1, 2], [3, 3]]
    assert found.marginal.tolist() == found.simultaneous.tolist()
    assert found.steps == 0


def test_common_error_cancels():
    # all units share one error: their differences are known, however large it is
    found = sets([0.3, 0.2, 0.1], np.full((3, 3), 100.0))
    assert found.simultaneous.tolist() == [[1, 1], [2, 2], [3, 3]]


def test_singular_covariance_mixes_known_and_unknown_differences():
    matrix = np.zeros((3, 3))
    matrix[2, 2] = 1.0
    found = sets([0.0, 0.1, 0.05], matrix)
    assert found.simultaneous.tolist() == [[2, 3], [1, 2], [1, 3]]


def test_stepping_down_tells_more_apart_than_one_step():
    # eight far above: what is told about them leaves, the opposites stay, and a smaller value suffices for the last two
    estimates = np.concatenate([[0.0, 4.35], 100.0 * np.arange(1, 9)])
    found = sets(estimates, np.ones(10), draws=50_000)
    gap = 4.35 / np.sqrt(2)
    assert found.critical < gap < found.single_step
    assert found.steps >= 2
    assert found.simultaneous[0].tolist() == [10, 10]


def test_rejections_are_those_above_the_last_critical_value_and_tiers_stand_in_order():
    generator = np.random.default_rng(5)
    for _ in range(30):
        size = int(generator.integers(2, 12))
        half = generator.normal(size=(size, size + 2))
        matrix, values = half @ half.T / size, generator.normal(0, 4, size)
        found = sets(values, matrix, seed=int(generator.integers(1_000)), draws=1000)
        spread = np.sqrt(np.diag(matrix)[:, None] + np.diag(matrix)[None, :] - 2 * matrix + np.eye(size))
        assert np.array_equal(found.above, (values[:, None] - values) / spread > found.critical)
        told, tier = found.above, tiers(found.above)
        assert not np.any(told & told.T)
        assert np.all(~(told @ told) | told)  # a partial order
        apart = tier[:, None] < tier[None, :]
        assert np.all(told[apart])


def test_tiers_are_chains():
    told = np.zeros((4, 4), dtype=bool)
    told[0, 2] = told[0, 3] = told[1, 3] = told[2, 3] = True
    assert tiers(told).tolist() == [0, 0, 0, 1]
    assert tiers(np.zeros((0, 0))).tolist() == []
    assert tiers(np.zeros((3, 3))).tolist() == [0, 0, 0]


def test_marginal_sets_lie_inside_simultaneous_ones():
    generator = np.random.default_rng(11)
    for _ in range(30):
        size = int(generator.integers(1, 15))
        values, variances = generator.normal(0, 2, size), generator.uniform(0, 1, size)
        found = sets(values, variances, draws=500, seed=int(generator.integers(1_000)))
        assert np.all(found.simultaneous[:, 0] <= found.marginal[:, 0])
        assert np.all(found.simultaneous[:, 1] >= found.marginal[:, 1])
        rank = true_ranks(values)
        assert np.all(covered(found.marginal, rank[:, [0, 0]]))  # the observed order is never outside


def test_shift_scale_and_level():
    values, variances = np.array([1.0, 2.5, 2.6, 7.0, 7.1]), np.array([0.5, 0.2, 0.9, 0.4, 0.3])
    base = sets(values, variances)
    moved = sets(4.0 * values - 30.0, 16.0 * variances)
    assert np.array_equal(base.simultaneous, moved.simultaneous)
    assert np.array_equal(base.marginal, moved.marginal)
    assert base.single_step == pytest.approx(moved.single_step)
    loose, strict = sets(values, variances, 0.5), sets(values, variances, 0.999)
    assert np.all(
        strict.simultaneous[:, 1] - strict.simultaneous[:, 0] >= loose.simultaneous[:, 1] - loose.simultaneous[:, 0]
    )
    assert loose.single_step < base.single_step < strict.single_step


def test_order_of_units_does_not_matter_where_nothing_is_close():
    values, variances = np.array([0.0, 9.0, 0.3, 20.0, 20.1]), np.array([1.0, 0.5, 1.0, 1.0, 2.0])
    order = np.array([3, 1, 4, 0, 2])
    assert np.array_equal(
        sets(values, variances).simultaneous[order], sets(values[order], variances[order]).simultaneous
    )


def test_same_generator_same_sets_and_nothing_can_be_written():
    values, variances = np.linspace(0, 3, 8), np.full(8, 0.3)
    first, second = sets(values, variances, seed=9), sets(values, variances, seed=9)
    assert first.critical == second.critical
    assert np.array_equal(first.above, second.above)
    for array in (first.marginal, first.simultaneous, first.above):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_few_degrees_of_freedom_widen():
    values, variances = np.linspace(0, 6, 6), np.full(6, 0.5)
    known, unsure = sets(values, variances), sets(values, variances, df=np.full(6, 4.0))
    assert unsure.single_step > known.single_step + 0.5
    infinite = sets(values, variances, df=np.array([np.inf, np.nan, np.inf, np.inf, np.inf, np.inf]))
    assert infinite.single_step == known.single_step


def test_one_unit_has_the_only_rank():
    assert sets([5.0], np.array([1.0])).simultaneous.tolist() == [[1, 1]]


@pytest.mark.parametrize(
    ("estimates", "covariance", "options"),
    [
        ([], np.zeros((0, 0)), {}),
        ([1.0, np.nan], np.eye(2), {}),
        ([1.0, 2.0], np.array([[1.0, np.inf], [np.inf, 1.0]]), {}),
        ([1.0, 2.0], np.eye(3), {}),
        ([[1.0, 2.0]], np.eye(2), {}),
        ([1.0, 2.0], np.array([[1.0, 0.4], [0.1, 1.0]]), {}),
        ([1.0, 2.0], np.array([[1.0, 2.0], [2.0, 1.0]]), {}),
        ([1.0, 2.0], np.diag([1.0, -1.0]), {}),
        ([1.0, 2.0], np.eye(2), {"level": 1.0}),
        ([1.0, 2.0], np.eye(2), {"draws": 0}),
        ([1.0, 2.0], np.eye(2), {"df": np.array([0.5, 3.0])}),
        ([1.0, 2.0], np.eye(2), {"df": np.array([3.0])}),
    ],
)
def test_hostile_input_is_refused(estimates, covariance, options):
    with pytest.raises(ValueError, match=r"must|level|degrees"):
        sets(estimates, covariance, **options)


def test_logit_scale_keeps_order_and_refuses_the_ends():
    values, matrix = logit_scale(np.array([0.5, 0.9]), np.diag([0.01, 0.0081]))
    assert values == pytest.approx([0.0, np.log(9.0)])
    assert np.diag(matrix) == pytest.approx([0.16, 1.0])
    with pytest.raises(ValueError, match="strictly"):
        logit_scale(np.array([0.5, 1.0]), np.eye(2))


TIED, NEAR = np.zeros(6), np.array([0.0, 0.05, 0.1, 0.15, 0.2, 0.25])
APART, MIXED = 2.5 * np.arange(6.0), np.array([0.0, 0.0, 0.0, 4.0, 4.0, 8.0])


@pytest.mark.parametrize("truth", [TIED, NEAR, APART, MIXED], ids=["tied", "near", "apart", "mixed"])
def test_sets_cover_by_simulation(truth):
    generator, runs = np.random.default_rng(2), 300
    errors = np.array([1.0, 0.5, 1.5, 1.0, 0.7, 1.2])
    ranks, matrix = true_ranks(truth), np.diag(errors**2)
    jointly, alone = 0, np.zeros(6)
    for _ in range(runs):
        found = rank_sets(truth + errors * generator.standard_normal(6), matrix, generator=generator, draws=500)
        jointly += covered(found.simultaneous, ranks).all()
        alone += covered(found.marginal, ranks)
    least = 0.95 - 3 * np.sqrt(0.05 * 0.95 / runs)
    assert jointly / runs >= least
    assert np.all(alone / runs >= least)


@pytest.mark.parametrize("truth", [TIED, NEAR], ids=["tied", "near"])
def test_the_plain_bootstrap_of_ranks_does_not_cover(truth):
    generator, runs = np.random.default_rng(3), 100
    ranks = true_ranks(truth)
    hits = [
        covered(plain_bootstrap(truth + generator.standard_normal(6), np.ones(6), generator, 300), ranks)
        for _ in range(runs)
    ]
    assert np.mean([h.all() for h in hits]) < 0.6
    assert np.min(np.mean(hits, axis=0)) < 0.93
