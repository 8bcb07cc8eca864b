"""The studentized range against printed tables, Student's t for two means, and SciPy's slow integration."""

import numpy as np
import pytest
from scipy import stats

from sipas_research.numerics.studentized_range import range_quantile, range_tail


@pytest.mark.parametrize(
    ("groups", "df", "quantile"),
    # Harter (1960), table of upper 5% points, as printed in every textbook
    [(2, 10, 3.151), (3, 10, 3.877), (5, 20, 4.232), (8, 30, 4.602), (10, 60, 4.646), (3, np.inf, 3.314)],
)
def test_upper_five_percent_points_as_printed(groups, df, quantile):
    assert range_quantile(0.05, groups, df) == pytest.approx(quantile, abs=6e-4)


def test_two_means_are_students_t_down_to_small_tails():
    for df in (3.0, 12.5, 400.0):
        for t in (0.3, 2.0, 6.0, 15.0):
            tail = 2 * stats.t.sf(t, df)
            assert range_tail(t * np.sqrt(2), 2, df) == pytest.approx(tail, rel=1e-6)


@pytest.mark.parametrize("groups", [3, 6, 20])
@pytest.mark.parametrize("df", [2.0, 9.3, 250.7])
def test_tails_equal_scipy(groups, df):
    for value in (0.5, 3.0, 7.0):
        expected = stats.studentized_range.sf(value, groups, df)
        assert range_tail(value, groups, df) == pytest.approx(expected, abs=1e-8)


def test_quantile_undoes_the_tail():
    for tail in (0.5, 0.05, 1e-6):
        assert range_tail(range_quantile(tail, 4, 33.0), 4, 33.0) == pytest.approx(tail, rel=1e-6)


def test_what_has_no_value_is_nan():
    assert np.isnan(range_tail(float("nan"), 3, 10.0))
    assert np.isnan(range_tail(2.0, 3, 0.5))
    assert np.isnan(range_quantile(0.05, 3, float("nan")))
