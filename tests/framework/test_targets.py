"""Target paths: closed forms, the model's own coverage on simulated walks, refusals and honest silence."""

import math

import numpy as np
import pytest
from scipy import stats

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.evidence.published import review_series, review_targets
from sipas_research.evidence.series import Break, Point, Series
from sipas_research.framework.targets import back_test, target_path
from sipas_research.numerics.drift import fit_drift, limits, outlook, reach_probability
from sipas_research.wording import LANGUAGES, Bilingual

NAME = Bilingual("thử", "trial")


def series(values, breaks=(), **options):
    return Series(NAME, tuple(Point(y, float(v)) for y, v in values.items()), tuple(breaks), **options)


@pytest.mark.parametrize("reading", ["points", "percent"])
def test_required_pace_of_the_review(reading):
    first, second = target_path(review_series(reading), review_targets()).goals
    assert math.isclose(first.required_pace, (90 - 85.71) / 2)
    assert abs(first.required_pace - 2.15) <= 0.005 + 1e-9
    assert second.required_pace == 1.0
    assert (second.start_year, second.start_value) == (2025, 90.0)


def test_drift_of_yearly_values_is_the_textbook_drift_method():
    values = np.array([70.0, 72.0, 71.5, 75.0, 76.0])
    fit = fit_drift(np.arange(5), values)
    steps = np.diff(values)
    assert math.isclose(fit.drift, steps.mean())
    assert math.isclose(fit.volatility, steps.std(ddof=1))
    _, scale = outlook(fit, 7)
    assert math.isclose(scale, fit.volatility * math.sqrt(3 * (1 + 3 / 4)))


def test_probability_in_closed_form_on_the_plain_scale():
    path = target_path(review_series("points"), review_targets(), scale="identity")
    lengths, changes = np.array([1, 4, 1]), np.array([4.17, 1.38, 3.73])
    drift = 9.28 / 6
    sigma = math.sqrt(((changes - lengths * drift) ** 2 / lengths).sum() / 2)
    scale = sigma * math.sqrt(2 + 4 / 6)
    goal = path.goals[0]
    assert math.isclose(path.drift, drift)
    assert math.isclose(path.volatility, sigma)
    assert math.isclose(goal.probability, stats.t.sf((90 - 85.71 - 2 * drift) / scale, 2), rel_tol=1e-9)
    assert math.isclose(goal.high - goal.low, 2 * stats.t.ppf(0.975, 2) * scale, rel_tol=1e-9)


def test_limits_cover_simulated_walks_at_their_level():
    rng = np.random.default_rng(20)
    times = np.array([0, 1, 5, 6, 9])
    inside, hits, chances = 0, [], []
    for _ in range(3000):
        walk = np.concatenate([[0.0], np.cumsum(rng.normal(0.1, 0.2, size=12))])
        fit = fit_drift(times, walk[times])
        low, high = limits(fit, 12, 0.95)
        inside += low <= walk[12] <= high
        chances.append(reach_probability(fit, 12, 1.2))
        hits.append(walk[12] >= 1.2)
    assert abs(inside / 3000 - 0.95) < 0.013
    # averaged over fits, the probabilities are those of what came
    assert abs(np.mean(chances) - np.mean(hits)) < 0.03


def test_logit_keeps_limits_inside_the_scale():
    path = target_path(review_series("points"), {2040: 99.9})
    assert all(0 < low < centre < high < 100 for _, centre, low, high in path.path)
    assert [year for year, *_ in path.path] == list(range(2024, 2041))


def test_earliest_years_are_the_first_that_reach_their_odds():
    steady = {2010 + i: 60 + 2 * i + (0.3 if i % 2 else -0.3) for i in range(12)}
    path = target_path(series(steady), {2023: 90.0}, scale="identity")
    fit = fit_drift(np.array(list(steady)), np.array(list(steady.values())))
    for bar, year in zip((0.5, 0.9), path.goals[0].earliest, strict=True):
        assert reach_probability(fit, year, 90.0) >= bar
        assert reach_probability(fit, year - 1, 90.0) < bar


def test_a_walk_without_enough_evidence_never_becomes_credible():
    goal = target_path(review_series("points"), review_targets()).goals[1]
    assert goal.earliest[0] is not None
    assert goal.earliest[1] is None


def test_back_test_says_covered_or_that_it_cannot():
    path = target_path(review_series("points"), review_targets(), scale="identity")
    early, late = path.back_tests
    assert (early.origin, early.year, early.n_points, early.covered) == (2018, 2023, 2, None)
    assert math.isclose(early.centre, 80.6 + 5 * 4.17)
    assert math.isnan(early.low)
    assert (late.origin, late.n_points, late.covered) == (2022, 3, True)
    assert late.low < late.actual < late.high
    jump = series({2018: 70, 2019: 70.5, 2020: 70.9, 2021: 90})
    assert back_test(jump.points)[-1].covered is False


def test_assumptions_stand_beside_the_probability():
    keys = target_path(review_series("points"), review_targets()).assumptions
    for name in ("walk", "chosen_years", "reading_points", "break_possible", "break_ahead", "sampling"):
        assert f"targets.assumption.{name}" in keys
    plain = target_path(series({y: 80 + (y % 3) for y in range(2015, 2020)}), {2021: 85}).assumptions
    assert not {"targets.assumption.break_possible", "targets.assumption.chosen_years"} & set(plain)


class TestSilence:
    @pytest.mark.parametrize("values", [{2023: 85.0}, {2022: 84, 2023: 85}, {2020: 80, 2022: 84, 2023: 85}])
    def test_fewer_than_four_values_give_pace_and_reason_only(self, values):
        path = target_path(series(values), {2025: 90})
        assert path.reason == "targets.reason.few"
        assert math.isclose(path.goals[0].required_pace, 2.5)
        assert math.isnan(path.goals[0].probability)
        assert path.path == ()
        assert "Không đủ số liệu" in path.summary("vi")
        assert "Not enough data" in path.summary("en")

    def test_interpolated_values_are_not_evidence(self):
        path = target_path(series({y: 70 + y - 2015 for y in range(2015, 2021)}), {2025: 90}, scale="identity")
        assert path.reason == "targets.reason.straight"
        assert path.goals[0].probability != path.goals[0].probability

    def test_values_before_a_known_break_are_left_out(self):
        values = {y: 70 + y % 4 for y in range(2015, 2024)}
        cut = target_path(series(values, [Break(2022, "residents")]), {2025: 90})
        assert [p.year for p in cut.used] == [2022, 2023]
        assert cut.reason == "targets.reason.few"
        possible = target_path(series(values, [Break(2022, "residents", known=False)]), {2025: 90})
        assert len(possible.used) == 9
        assert "targets.assumption.break_possible" in possible.assumptions


@pytest.mark.parametrize(
    ("targets", "options", "key"),
    [
        ({}, {}, "targets.error.empty"),
        ({2023: 90}, {}, "targets.error.year"),
        ({2019: 90}, {}, "targets.error.year"),
        ({2500: 90}, {}, "targets.error.year"),
        ({"2025": 90}, {}, "targets.error.year"),
        ({True: 90}, {}, "targets.error.year"),
        ({2025: 100}, {}, "targets.error.value"),
        ({2025: math.nan}, {}, "targets.error.value"),
        ({2025: 90}, {"level": 0}, "targets.error.level"),
        ({2025: 90}, {"scale": "probit"}, "targets.error.scale"),
        ({2025: 90}, {"horizon": 0}, "targets.error.horizon"),
    ],
)
def test_options_are_checked(targets, options, key):
    with pytest.raises(OptionError) as caught:
        target_path(review_series("points"), targets, **options)
    assert caught.value.key == key
    assert all(caught.value.message(language) for language in LANGUAGES)


def test_the_logit_refuses_the_ends_of_the_scale():
    with pytest.raises(AnalysisError, match="identity"):
        target_path(series({2020: 97, 2021: 100, 2022: 99, 2023: 98}), {2025: 99})
    with pytest.raises(OptionError):
        target_path(series({2020: 40, 2021: 41}, unit="score"), {2025: 45})


def test_same_series_same_numbers_and_frozen():
    once, again = (target_path(review_series("percent"), review_targets()) for _ in range(2))
    assert once == again
    assert once.tidy().equals(again.tidy())
    with pytest.raises(AttributeError):
        once.level = 0.9
