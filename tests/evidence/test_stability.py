"""Stability: margins in closed form, and a verdict only where the stated rule holds."""

import math

import numpy as np
import pytest

from sipas_research.errors import OptionError
from sipas_research.evidence.published import index_series, papi_series
from sipas_research.evidence.series import Break, Point, Series
from sipas_research.evidence.stability import MINIMUM_YEARS, stability
from sipas_research.wording import LANGUAGES, Bilingual

NAME = Bilingual("thử", "trial")


def series(values, breaks=(), first=2017):
    points = tuple(Point(first + i, v) for i, v in enumerate(values) if v is not None)
    return Series(NAME, points, tuple(breaks))


def test_margin_of_the_printed_rise():
    found = stability(index_series("sipas", "points"), n=400, printed_n=(2021,))
    (change,) = found.changes
    error = 100 * math.sqrt(0.8707 * 0.1293 / 400 + 0.8397 * 0.1603 / 400)
    assert math.isclose(change.std_error, error)
    assert math.isclose(change.margin, 1.959963984540054 * error)
    assert math.isclose(change.statistic, 3.1 / error)
    assert abs(change.statistic - 1.25) < 0.01
    assert change.beyond is False
    assert change.places == 8
    assert found.assumed_n == (2020,)
    assert found.verdict == "not_enough"


def test_unstable_needs_two_large_changes_of_opposite_sign():
    assert stability(series([80, 90, 80, 80]), n=400).verdict == "unstable"
    assert stability(series([80, 90, 99, 99]), n=400).verdict == "no_sign"
    assert stability(series([80, 90, 89, 88]), n=400).verdict == "no_sign"
    assert stability(series([80, 90, 80]), n=400).verdict == "not_enough"


def test_a_break_or_a_gap_inside_leaves_not_enough():
    swings = [80, 90, 80, 90]
    assert stability(series(swings), n=400).verdict == "unstable"
    broken = stability(series(swings, [Break(2019, "residents")]), n=400)
    assert broken.verdict == "not_enough"
    assert broken.apart == ((2018, 2019, "break"),)
    assert [(c.first, c.last) for c in broken.changes] == [(2017, 2018), (2019, 2020)]
    gap = stability(series([80, 90, None, 80, 90]), n=400)
    assert gap.verdict == "not_enough"
    assert gap.apart == ((2018, 2020, "gap"),)


def test_no_sample_size_no_verdict():
    found = stability(series([80, 99, 80, 99]), n=None)
    assert found.verdict == "not_enough"
    assert {c.beyond for c in found.changes} == {None}
    assert found.tidy()["note"].tolist() == ["no_sample_size"] * 3
    partly = stability(series([80, 99, 80, 99]), n={2017: 400, 2018: 400})
    assert [c.beyond for c in partly.changes] == [True, None, None]
    assert partly.verdict == "not_enough"


def test_volatility_and_churn_in_closed_form():
    points = tuple(Point(2017 + i, v, rank=r, of=63) for i, (v, r) in enumerate([(80, 10), (82, 20), (81, 5), (84, 6)]))
    found = stability(Series(NAME, points), n=400)
    assert math.isclose(found.volatility, float(np.std([2, -1, 3], ddof=1)))
    assert math.isclose(found.rank_churn, (10 + 15 + 1) / 3)
    assert math.isnan(stability(series([80, 82, 81]), n=400).volatility)
    assert math.isnan(stability(series([80, 82, 81]), n=400).rank_churn)


def test_papi_describes_and_does_not_decide():
    found = stability(papi_series())
    assert found.longest_run == 4
    assert found.verdict == "not_enough"
    assert math.isclose(found.volatility, float(np.std([-1.99, -0.37, 1.52], ddof=1)))
    assert math.isclose(found.rank_churn, (13 + 9 + 8 + 9) / 4)
    assert [pair[:2] for pair in found.apart] == [(2018, 2019), (2020, 2021)]


def test_false_alarms_of_the_rule_are_rare_without_change():
    rng = np.random.default_rng(7)
    alarms = sum(
        stability(series((rng.binomial(400, 0.85, size=5) / 4).tolist()), n=400).verdict == "unstable"
        for _ in range(2000)
    )
    assert alarms / 2000 < 0.05


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_appear_only_where_the_rule_holds(language):
    words = {"vi": "chưa ổn định theo", "en": "not yet stable by"}[language]
    assert words in stability(series([80, 90, 80, 80]), n=400).summary(language)
    for calm in ([80, 81], [80, 81, 82, 83], [80, 90, 80]):
        assert words not in stability(series(calm), n=400).summary(language)
    assert str(MINIMUM_YEARS) in stability(series([80, 81]), n=400).summary(language)


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"level": 1.0}, "stability.error.level"),
        ({"level": math.nan}, "stability.error.level"),
        ({"n": 0}, "stability.error.n"),
        ({"n": True}, "stability.error.n"),
        ({"n": {2017: -5}}, "stability.error.n"),
    ],
)
def test_options_are_checked(options, key):
    with pytest.raises(OptionError) as caught:
        stability(series([80, 81]), **options)
    assert caught.value.key == key


def test_shares_of_zero_and_one_have_no_ratio():
    (change,) = stability(series([100, 100]), n=400).changes
    assert change.margin == 0.0
    assert math.isnan(change.statistic)
    assert change.beyond is False
