"""Cronbach's alpha by definition, by closed form and by coverage of its interval."""

import numpy as np
import pytest
from scipy.stats import f as f_distribution

from sipas_research.numerics.reliability import alpha_from_covariance, cronbach_alpha, feldt_interval

CLOSED_FORM = 1e-12


@pytest.fixture(scope="module")
def answers() -> np.ndarray:
    generator = np.random.default_rng(11)
    trait = generator.standard_normal((200, 1))
    return np.clip(np.rint(3.5 + 0.8 * trait + 0.7 * generator.standard_normal((200, 5))), 1, 5)


@pytest.mark.parametrize(("items", "common"), [(2, 0.3), (4, 0.5), (22, 0.2), (4, -0.2)])
def test_compound_symmetry_gives_spearman_brown(items, common):
    matrix = np.full((items, items), common) + (1 - common) * np.eye(items)
    expected = items * common / (1 + (items - 1) * common)
    assert alpha_from_covariance(matrix) == pytest.approx(expected, rel=CLOSED_FORM)
    assert alpha_from_covariance(4.0 * matrix) == pytest.approx(expected, rel=CLOSED_FORM)


def test_item_statistics_by_definition(answers):
    found = cronbach_alpha(answers)
    total = answers.sum(axis=1)
    spread = answers.var(axis=0, ddof=1).sum() / total.var(ddof=1)
    assert found.alpha == pytest.approx(5 / 4 * (1 - spread), rel=CLOSED_FORM)
    for item in range(5):
        others = np.delete(answers, item, axis=1)
        rest = others.sum(axis=1)
        assert found.item_total[item] == pytest.approx(np.corrcoef(answers[:, item], rest)[0, 1], rel=CLOSED_FORM)
        assert found.alpha_if_deleted[item] == pytest.approx(cronbach_alpha(others).alpha, rel=CLOSED_FORM)
        assert found.mean_if_deleted[item] == pytest.approx(rest.mean(), rel=CLOSED_FORM)
        assert found.variance_if_deleted[item] == pytest.approx(rest.var(ddof=1), rel=CLOSED_FORM)
    above = np.corrcoef(answers.T)[np.triu_indices(5, 1)].mean()
    assert found.mean_correlation == pytest.approx(above, rel=CLOSED_FORM)
    assert found.standardized == pytest.approx(5 * above / (1 + 4 * above), rel=CLOSED_FORM)


def test_standardised_alpha_does_not_know_units(answers):
    scaled = answers * np.array([1, 10, 0.1, 3, 7]) + np.array([0, 5, -2, 100, 1])
    one, other = cronbach_alpha(answers), cronbach_alpha(scaled)
    assert one.standardized == pytest.approx(other.standardized, rel=1e-10)
    assert one.alpha != pytest.approx(other.alpha, rel=1e-3)


def test_feldt_interval_is_its_definition():
    low, high = feldt_interval(0.8, 100, 6)
    assert low == pytest.approx(1 - 0.2 * f_distribution.ppf(0.975, 99, 495), rel=1e-9)
    assert high == pytest.approx(1 - 0.2 * f_distribution.ppf(0.025, 99, 495), rel=1e-9)
    wider = feldt_interval(0.8, 100, 6, level=0.99)
    assert wider[0] < low < 0.8 < high < wider[1]
    assert np.isnan(feldt_interval(float("nan"), 100, 6)).all()
    assert np.isnan(feldt_interval(0.8, 1, 6)).all()


def test_feldt_interval_covers_parallel_items():
    generator = np.random.default_rng(12)
    items, common, hits, draws = 4, 0.4, 0, 400
    truth = items * common / (1 + (items - 1) * common)
    for _ in range(draws):
        trait = generator.standard_normal((60, 1))
        sample = np.sqrt(common) * trait + np.sqrt(1 - common) * generator.standard_normal((60, items))
        found = cronbach_alpha(sample)
        hits += found.conf_low <= truth <= found.conf_high
    # 95% within three and a half standard errors of the simulation
    assert abs(hits / draws - 0.95) < 3.5 * np.sqrt(0.95 * 0.05 / draws)


def test_two_items_and_opposites():
    pair = np.array([[1, 5], [2, 4], [3, 3.5], [4, 2], [5, 1.0]])
    found = cronbach_alpha(pair)
    assert found.alpha < 0
    assert np.isnan(found.alpha_if_deleted).all()
    assert (found.item_total < 0).all()
    mirrored = cronbach_alpha(np.column_stack([pair[:, 0], 6 - pair[:, 0]]))
    assert np.isnan(mirrored.alpha)
    assert np.isnan([mirrored.conf_low, mirrored.conf_high]).all()


def test_refusals():
    with pytest.raises(ValueError, match="two items"):
        cronbach_alpha(np.ones((5, 1)))
    with pytest.raises(ValueError, match="constant"):
        cronbach_alpha(np.column_stack([np.ones(5), np.arange(5)]))
