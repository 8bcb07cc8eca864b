"""Ranks and peers on panels whose answers are known by construction."""

import numpy as np
import pytest
from papi_invented import invented_rows, panel_of, write_rows

import sipas_research as sr
from sipas_research.errors import AnalysisError, OptionError
from sipas_research.evidence.papi_facts import papi_facts
from sipas_research.levers.peers import peer_gaps
from sipas_research.levers.ranks import ranks_of
from sipas_research.results import DataKind, Result

EARLY = papi_facts().dimensions_in(2017)
LATE = papi_facts().dimensions_in(2018)
NORTH = [p.name.vi for p in papi_facts().provinces if p.region == "northern_mountains"]


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    return sr.read_papi(write_rows(invented_rows(2), tmp_path_factory.mktemp("papi") / "panel.csv"))


def flat(levels, years):
    """Every dimension of a province equals its level in every year."""
    table = {}
    for year in years:
        for province, level in levels.items():
            columns = papi_facts().dimensions_in(year)
            table[year, province] = dict.fromkeys(columns, level) | {"papi_total": level * len(columns)}
    return panel_of(table)


class TestRanks:
    def test_ties_share_the_better_place(self):
        assert ranks_of(np.array([3.0, 5.0, 5.0, 1.0])).tolist() == [3, 1, 1, 4]

    def test_order_by_published_total(self, panel):
        ranks = sr.province_ranks(panel)
        assert isinstance(ranks, Result)
        for year in (2018, 2021, 2024):
            totals = panel.scores("papi_total").loc[year].dropna()
            row = next(r for r in ranks.of("Lạng Sơn") if r.year == year)
            assert row.rank == 1 + (totals > totals["Lạng Sơn"]).sum()
            assert row.of == len(totals) == len(panel.published(year))
        assert {r.year for r in ranks.rows} == set(range(2018, 2025))

    def test_ranges_by_hand(self):
        scores = {
            "Lạng Sơn": dict.fromkeys(LATE, 5.0) | {"dim5_procedures": 7.0},
            "Cao Bằng": dict.fromkeys(LATE, 5.1),
            "Bắc Kạn": dict.fromkeys(LATE, 4.0),
        }
        table = {(2018, p): s | {"papi_total": sum(s.values())} for p, s in scores.items()}
        row = sr.province_ranks(panel_of(table)).of("Lạng Sơn")[0]
        assert (row.rank, row.of) == (1, 3)
        assert (row.left_best, row.left_worst) == (1, 2)
        assert (row.weight_best, row.weight_worst) == (1, 1)

    def test_a_gap_is_not_a_rank(self, panel):
        ranks = sr.province_ranks(panel)
        assert [r.year for r in ranks.of("Tiền Giang")] == list(range(2018, 2024))

    def test_says_that_no_interval_can_be_had(self, panel):
        assert "không có sai số chuẩn" in sr.province_ranks(panel).summary("vi")
        assert "conf_low" not in sr.province_ranks(panel).tidy()

    def test_all_gaps(self):
        empty = panel_of({(2018, p): {} for p in NORTH})
        with pytest.raises(AnalysisError):
            sr.province_ranks(empty)


class TestPeers:
    def test_nearest_first_within_the_region(self):
        levels = {p: 5 + 0.1 * i for i, p in enumerate(NORTH)} | {"Cà Mau": 5 + 0.1 * NORTH.index("Lạng Sơn")}
        panel = flat(levels, range(2011, 2025))
        found = sr.peers(panel, "Lạng Sơn", n=2)
        place = NORTH.index("Lạng Sơn")
        assert set(found.names) == {NORTH[place - 1], NORTH[place + 1]}
        assert sr.peers(panel, "Lạng Sơn", n=1, within_region=False).names == ("Cà Mau",)
        assert found.data_kind is DataKind.SIMULATED

    def test_distance_by_hand(self, panel):
        found = sr.peers(panel, "Lạng Sơn", n=3)
        frame = panel.frame.loc[panel.frame["year"] < 2018]
        means = frame.groupby("province")[list(EARLY)].mean()
        scaled = means / means.std(ddof=1)
        want = np.sqrt(((scaled - scaled.loc["Lạng Sơn"]) ** 2).sum(axis=1))[NORTH].drop("Lạng Sơn").sort_values()
        assert list(found.names) == list(want.index[:3])
        assert [r.estimate for r in found.rows] == pytest.approx(want.iloc[:3].tolist(), rel=1e-12)
        assert len(found.tidy()) == 13

    def test_what_happened_since_2018_plays_no_part(self, panel):
        later = panel.frame.copy()
        late = later["year"] >= 2018
        later.loc[late, list(LATE)] = later.loc[late, list(LATE)].to_numpy()[::-1]
        moved = type(panel)(later, panel.data_kind, panel.source, panel.gaps)
        assert sr.peers(moved, "Lạng Sơn").rows == sr.peers(panel, "Lạng Sơn").rows

    def test_years_not_published_are_counted(self, panel):
        found = sr.peers(panel, "An Giang", n=12)
        assert {r.group: r.n for r in found.rows}["Đồng Tháp"] == 6

    def test_gaps_to_peers(self, panel):
        found = sr.peers(panel, "Lạng Sơn", n=3)
        gaps = {(g.term, g.year): g for g in peer_gaps(panel, found)}
        table = panel.scores("dim5_procedures")
        want = table.loc[2022, "Lạng Sơn"] - table.loc[2022, list(found.names)].mean()
        assert gaps["dim5_procedures", 2022].estimate == pytest.approx(want)
        assert min(year for _, year in gaps) == 2018

    def test_hostile(self):
        one = flat({"Lạng Sơn": 5.0}, range(2011, 2025))
        with pytest.raises(AnalysisError):
            sr.peers(one, "Lạng Sơn")
        late = flat(dict.fromkeys(NORTH, 5.0), [2020])
        with pytest.raises(AnalysisError):
            sr.peers(late, "Lạng Sơn")
        same = flat(dict.fromkeys(NORTH, 5.0), range(2011, 2018))
        with pytest.raises(AnalysisError):
            sr.peers(same, "Lạng Sơn")
        with pytest.raises(OptionError):
            sr.peers(one, "Lạng Sơn", n=0)
        with pytest.raises(OptionError):
            sr.peers(one, "Cà Mau")
