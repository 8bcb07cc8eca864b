"""Series with breaks: nothing is joined across a break or a missing year, and nothing is filled in."""

import math
from itertools import pairwise

import numpy as np
import pytest

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.evidence.published import (
    READINGS,
    dashboard,
    index_series,
    papi_series,
    review_series,
    review_targets,
)
from sipas_research.evidence.series import SIPAS_BREAKS, Break, Point, Series, year_list
from sipas_research.results import DataKind, Result
from sipas_research.wording import Bilingual

NAME = Bilingual("thử", "trial")


def series(values, breaks=(), **options):
    return Series(NAME, tuple(Point(y, v) for y, v in values.items()), tuple(breaks), **options)


class TestSegments:
    def test_a_break_splits_between_the_years_it_keeps_apart(self):
        runs = series({2020: 80, 2021: 81, 2022: 82, 2023: 83}, [Break(2022, "residents")]).segments()
        assert [[p.year for p in run] for run in runs] == [[2020, 2021], [2022, 2023]]

    def test_a_missing_year_splits_a_line_but_not_an_era(self):
        found = series({2017: 76, 2018: 80, 2022: 82, 2023: 85})
        assert [[p.year for p in run] for run in found.segments()] == [[2017, 2018], [2022, 2023]]
        assert len(found.eras()) == 1
        assert found.gaps() == (2019, 2020, 2021)

    def test_a_change_of_regime_splits_like_a_break(self):
        points = (Point(2021, 80, regime="users"), Point(2022, 81, regime="residents"))
        assert len(Series(NAME, points).segments()) == 2

    @pytest.mark.parametrize("seed", range(20))
    def test_no_run_ever_crosses_a_break_or_a_gap(self, seed):
        rng = np.random.default_rng(seed)
        years = sorted(rng.choice(np.arange(2000, 2030), size=12, replace=False).tolist())
        breaks = [Break(int(y), "residents") for y in rng.choice(np.arange(2000, 2030), size=4, replace=False)]
        order = rng.permutation(years).tolist()
        found = series({int(y): 50.0 for y in order}, breaks)
        runs = found.segments()
        assert sorted(p.year for run in runs for p in run) == years
        for run in runs:
            for before, after in pairwise(run):
                assert after.year == before.year + 1
                assert not any(before.year < b.year <= after.year for b in breaks)

    def test_national_breaks_keep_the_study_window_apart(self):
        window = series(dict.fromkeys(range(2018, 2027), 80.0), SIPAS_BREAKS)
        assert [[p.year for p in run] for run in window.segments()] == [
            [2018, 2019, 2020, 2021],
            [2022],
            [2023, 2024],
            [2025, 2026],
        ]

    def test_possible_breaks_split_lines_and_only_known_ones_split_the_model(self):
        found = series({2021: 80, 2022: 81}, [Break(2022, "residents", known=False)])
        assert len(found.segments()) == 2
        assert len(found.eras()) == 2
        assert len(found.eras(known_only=True)) == 1


class TestValues:
    def test_order_of_points_does_not_matter(self):
        assert series({2019: 2, 2018: 1}) == series({2018: 1, 2019: 2})

    def test_gaps_are_rows_without_a_value(self):
        table = series({2018: 80.0, 2020: 82.0}, first_year=2017, last_year=2021).tidy()
        assert table["year"].tolist() == [2017, 2018, 2019, 2020, 2021]
        assert table["note"].tolist() == ["gap", "", "gap", "", "gap"]
        assert table.loc[table["note"] == "gap", "estimate"].isna().all()

    def test_pace_is_change_over_years(self):
        found = series({2018: 80.6, 2023: 85.71})
        assert math.isclose(found.pace(2018, 2023), 1.022)
        with pytest.raises(AnalysisError, match="2019"):
            found.pace(2019, 2023)
        with pytest.raises(AnalysisError):
            found.pace(2023, 2018)

    def test_until_forgets_what_came_later(self):
        assert [p.year for p in series({2017: 1, 2018: 2, 2023: 3}).until(2018).points] == [2017, 2018]
        with pytest.raises(AnalysisError):
            series({2017: 1}).until(2016)

    @pytest.mark.parametrize(
        ("points", "options", "key"),
        [
            ((), {}, "series.error.empty"),
            ((Point(2018, 1.0), Point(2018, 2.0)), {}, "series.error.twice"),
            ((Point(2018, math.nan),), {}, "series.error.value_percent"),
            ((Point(2018, 100.1),), {}, "series.error.value_percent"),
            ((Point(2018, -0.1),), {}, "series.error.value_percent"),
            ((Point(2018, 80.0, target=870.0),), {}, "series.error.value_percent"),
            ((Point(2018, math.inf),), {"unit": "score"}, "series.error.value_score"),
            ((Point(20180, 80.0),), {}, "series.error.outside"),
            ((Point(2018, 80.0),), {"last_year": 2017}, "series.error.outside"),
        ],
    )
    def test_impossible_series_are_refused(self, points, options, key):
        with pytest.raises(AnalysisError) as caught:
            Series(NAME, points, **options)
        assert caught.value.key == key
        assert "thử" in caught.value.message("vi")

    def test_year_lists_shorten_runs(self):
        assert year_list([2014, 2015, 2016, 2019, 2021, 2020]) == "2014–2016, 2019–2021"
        assert year_list([2018, 2019, 2022]) == "2018, 2019, 2022"

    def test_series_has_the_manners_of_a_result(self):
        found = series({2018: 80.0})
        assert isinstance(found, Result)
        assert found.data_kind is DataKind.PUBLISHED
        assert found.glance().loc[0, "n_points"] == 1
        with pytest.raises(AttributeError):
            found.unit = "score"


class TestPublished:
    def test_two_indices_with_the_year_before_under_both_readings(self):
        table = dashboard().tidy().set_index("term")
        assert table.loc["par", ["estimate", "rank", "of", "change", "places"]].tolist() == [87.11, 23, 63, 3.31, 13]
        assert table.loc["sipas", ["estimate", "rank", "of", "change", "places"]].tolist() == [87.07, 31, 63, 3.1, 8]
        assert table["previous_rank"].to_dict() == {"par": 36, "sipas": 39}
        assert math.isclose(table.loc["par", "previous_points"], 83.80)
        assert math.isclose(table.loc["sipas", "previous_points"], 83.97)
        assert math.isclose(table.loc["par", "previous_percent"], 87.11 / 1.0331)
        assert math.isclose(table.loc["sipas", "previous_percent"], 87.07 / 1.031)

    def test_the_study_period_holds_one_derived_and_one_printed_year(self):
        found = index_series("sipas", "points")
        assert [(p.year, p.derived) for p in found.points] == [(2020, True), (2021, False)]
        assert found.gaps() == (2018, 2019, 2022)
        assert [p.rank for p in found.points] == [39, 31]

    def test_review_has_four_values_and_six_gaps(self):
        points, per_cent = (review_series(r) for r in READINGS)
        assert points.gaps() == (2014, 2015, 2016, 2019, 2020, 2021)
        assert [round(p.value, 2) for p in points.points] == [76.43, 80.6, 81.98, 85.71]
        assert [round(p.value, 2) for p in per_cent.points] == [77.37, 80.6, 82.63, 85.71]
        assert {p.year: p.target for p in points.points if p.target} == {2018: 78.0, 2023: 84.01}
        assert review_targets() == {2025: 90.0, 2030: 95.0}

    def test_review_joins_no_years_across_the_national_breaks(self):
        assert [[p.year for p in run] for run in review_series("points").segments()] == [[2017, 2018], [2022], [2023]]

    def test_derived_years_point_at_rows_of_the_ledger(self):
        from sipas_research.evidence.ledger import facts

        ledger = facts()
        for found in (*map(review_series, READINGS), *(index_series(i, r) for i in ("par", "sipas") for r in READINGS)):
            for point in found.points:
                row = ledger.get(point.source)
                assert row.year == point.year
                assert abs(row.value - point.value) <= 0.005 + 1e-9
                assert (row.kind == "derived") == point.derived

    def test_papi_total_splits_at_2019_and_2021(self):
        found = papi_series()
        assert [[p.year for p in run] for run in found.segments()] == [
            [2018],
            [2019, 2020],
            [2021, 2022, 2023, 2024],
        ]
        assert (found.at(2021).rank, found.at(2021).of) == (4, 60)

    def test_unknown_names_are_refused(self):
        with pytest.raises(OptionError, match="sipas"):
            index_series("sipaz", "points")
        with pytest.raises(OptionError, match="percent"):
            review_series("printed")
