"""ICC against R psych and by coverage; rwg by the numbers of its authors' formula."""

import json
from pathlib import Path

import numpy as np
import pytest

from sipas_research.numerics.variance_components import (
    null_variance,
    one_way,
    size_for_reliability,
    within_group_agreement,
)

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "reliability" / "icc.json"
CLOSED_FORM = 1e-9


@pytest.fixture(scope="module")
def stored():
    return json.loads(REFERENCE.read_text(encoding="utf-8"))


def test_balanced_groups_equal_psych(stored):
    case = stored["balanced"]
    values = np.array(case["values"])
    found = one_way(values.ravel(), np.repeat(np.arange(12), 8))
    assert found.mean_size == 8
    same = ("icc1", "icc1_low", "icc1_high", "icc2", "icc2_low", "icc2_high")
    for ours, theirs in [*((name, name) for name in same), ("statistic", "F"), ("p_value", "p")]:
        assert getattr(found, ours) == pytest.approx(case[theirs], rel=CLOSED_FORM), ours


def test_unbalanced_groups_equal_psych_up_to_the_mean_size(stored):
    case = stored["unbalanced"]
    found = one_way(np.array(case["values"]), np.array(case["member"]))
    assert found.icc2 == pytest.approx(case["icc2"], rel=CLOSED_FORM)
    assert found.statistic == pytest.approx(case["F"], rel=CLOSED_FORM)
    assert found.p_value == pytest.approx(case["p"], rel=CLOSED_FORM)
    # psych::statsBy divides by the plain mean of the sizes, k0 is a little smaller
    plain = found.rows / found.groups
    theirs = (found.between - found.within) / (found.between + found.within * (plain - 1))
    assert theirs == pytest.approx(case["icc1"], rel=CLOSED_FORM)
    assert found.mean_size < plain
    assert found.icc1 > theirs


@pytest.mark.parametrize("sizes", [[10] * 20, [5, 30] * 10])
def test_interval_covers_and_the_estimate_is_centred(sizes):
    generator, truth, draws = np.random.default_rng(1), 0.15, 400
    member = np.repeat(np.arange(len(sizes)), sizes)
    hits, estimates = 0, []
    for _ in range(draws):
        shared = np.sqrt(truth) * generator.standard_normal(len(sizes))
        found = one_way(shared[member] + np.sqrt(1 - truth) * generator.standard_normal(len(member)), member)
        hits += found.icc1_low <= truth <= found.icc1_high
        estimates.append(found.icc1)
    assert hits / draws > 0.95 - 3.5 * np.sqrt(0.95 * 0.05 / draws) - 0.015
    assert np.mean(estimates) == pytest.approx(truth, abs=0.015)


def test_no_difference_gives_small_and_negative_values():
    generator = np.random.default_rng(2)
    member = np.repeat(np.arange(40), 10)
    values = [one_way(generator.standard_normal(400), member).icc1 for _ in range(200)]
    assert abs(np.mean(values)) < 0.006
    assert min(values) < 0


def test_groups_that_agree_fully_and_scores_without_spread():
    member = np.repeat([0, 1, 2], 4)
    full = one_way(np.repeat([1.0, 2.0, 4.0], 4), member)
    assert (full.icc1, full.icc2) == (1.0, 1.0)
    assert one_way(np.full(12, 3.7), member) is None
    assert one_way(np.arange(4.0), np.zeros(4, dtype=int)) is None
    assert one_way(np.arange(4.0), np.arange(4)) is None


def test_labels_of_groups_do_not_matter():
    generator = np.random.default_rng(3)
    values, member = generator.standard_normal(60), np.repeat([0, 1, 2], 20)
    assert one_way(values, member) == one_way(values, member * 7 + 3)


def test_size_for_reliability_undoes_spearman_brown():
    needed = size_for_reliability(0.1, 0.7)
    assert needed * 0.1 / (1 + (needed - 1) * 0.1) == pytest.approx(0.7)
    assert np.isnan(size_for_reliability(-0.01, 0.7))


def test_null_variances():
    assert null_variance(5, "uniform") == 2.0
    answers, shares = np.arange(1, 6), np.array([0.05, 0.15, 0.20, 0.35, 0.25])
    assert null_variance(5, "slight_skew") == pytest.approx(shares @ answers**2 - (shares @ answers) ** 2)
    assert np.isnan(null_variance(7, "slight_skew"))
    assert null_variance(7, "uniform") == 4.0


def test_rwg_by_hand():
    assert within_group_agreement(np.array([0.5]), 2.0) == pytest.approx(0.75)
    # James, Demaree & Wolf (1984, eq. 2): J (1 - s2/null) / (J (1 - s2/null) + s2/null)
    assert within_group_agreement(np.array([0.5, 0.7]), 2.0) == pytest.approx(2 * 0.7 / (2 * 0.7 + 0.3))
    assert within_group_agreement(np.array([2.0, 2.0]), 2.0) == 0
    assert within_group_agreement(np.array([2.5]), 2.0) < 0
    assert np.isnan(within_group_agreement(np.array([2.5, 2.5]), 2.0))
