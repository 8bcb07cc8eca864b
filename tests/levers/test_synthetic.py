"""The mix of provinces: exact weights, known mixes, known gaps, placebo ranks."""

import numpy as np
import pytest
from papi_invented import panel_of
from scipy.optimize import minimize

import sipas_research as sr
from sipas_research.errors import AnalysisError, OptionError
from sipas_research.evidence.papi_facts import papi_facts
from sipas_research.levers.synthetic import placebo_gaps
from sipas_research.numerics.simplex import simplex_weights
from sipas_research.results import Result

PROVINCES = [p.name.vi for p in papi_facts().provinces]
YEARS = range(2011, 2025)
D5 = "dim5_procedures"


def panel_from(values, names, column=D5):
    """Return a panel from an array (years, provinces)."""
    return panel_of({(y, p): {column: float(values[i, j])} for i, y in enumerate(YEARS) for j, p in enumerate(names)})


class TestSimplex:
    @pytest.mark.parametrize("ridge", [0.0, 0.05])
    def test_same_as_a_general_optimiser(self, ridge):
        rng = np.random.default_rng(4)
        for _ in range(5):
            donors, target = rng.normal(5, 1, (9, 6)), rng.normal(5, 1, 9)

            def cost(w, donors=donors, target=target):
                return np.mean((target - donors @ w) ** 2) + ridge * np.sum(w**2)

            other = minimize(
                cost,
                np.full(6, 1 / 6),
                bounds=[(0, 1)] * 6,
                constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
                method="SLSQP",
                options={"ftol": 1e-14, "maxiter": 500},
            )
            found = simplex_weights(donors, target, ridge=ridge)
            assert found.min() >= 0
            assert found.sum() == pytest.approx(1, abs=1e-12)
            assert cost(found) <= other.fun + 1e-9
            np.testing.assert_allclose(found, other.x, atol=2e-4)

    def test_conditions_of_the_optimum(self):
        rng = np.random.default_rng(5)
        donors, target, ridge = rng.normal(6, 1, (7, 40)), rng.normal(6, 0.5, 7), 0.02
        found = simplex_weights(donors, target, ridge=ridge)
        slope = -2 * donors.T @ (target - donors @ found) / 7 + 2 * ridge * found
        price = slope[found > 1e-9].mean()
        np.testing.assert_allclose(slope[found > 1e-9], price, atol=1e-8)
        assert slope.min() >= price - 1e-8

    def test_far_target_takes_the_nearest(self):
        donors = np.array([[1.0, 2.0, 3.0]] * 4)
        np.testing.assert_allclose(simplex_weights(donors, np.full(4, 9.0)), [0, 0, 1], atol=1e-12)

    def test_scale_and_shift_do_not_matter(self):
        rng = np.random.default_rng(6)
        donors, target = rng.normal(0, 1, (8, 5)), rng.normal(0, 1, 8)
        np.testing.assert_allclose(
            simplex_weights(donors, target), simplex_weights(1e4 * donors + 3e5, 1e4 * target + 3e5), atol=1e-6
        )

    def test_hostile(self):
        with pytest.raises(ValueError, match="finite"):
            simplex_weights(np.array([[np.nan, 1]]), np.array([1.0]))
        with pytest.raises(ValueError, match="donors"):
            simplex_weights(np.ones((2, 0)), np.ones(2))
        with pytest.raises(ValueError, match="ridge"):
            simplex_weights(np.ones((2, 2)), np.ones(2), ridge=-1)
        assert simplex_weights(np.ones((3, 1)), np.ones(3)).tolist() == [1.0]


class TestMix:
    def test_recovers_a_known_mix_and_a_known_gap(self):
        rng = np.random.default_rng(7)
        names = ["Lạng Sơn", "Cao Bằng", "Bắc Kạn", "Lào Cai", "Sơn La"]
        donors = 6 + rng.normal(0, 0.5, (14, 4))
        target = donors @ np.array([0.5, 0.3, 0.2, 0.0])
        target[7:] += 0.4
        found = sr.synthetic_control(panel_from(np.column_stack([target, donors]), names), "Lạng Sơn", ridge=0)
        assert isinstance(found, Result)
        assert dict(found.main_weights()) == pytest.approx({"Cao Bằng": 0.5, "Bắc Kạn": 0.3, "Lào Cai": 0.2}, abs=1e-7)
        np.testing.assert_allclose(found.gap, [0] * 7 + [0.4] * 7, atol=1e-7)
        assert found.mean_gap(2018, 2020) == pytest.approx(0.4, abs=1e-7)
        assert found.own.after == pytest.approx(0.4, abs=1e-7)
        assert not found.weights.flags.writeable

    def test_an_outlier_has_the_largest_ratio(self):
        rng = np.random.default_rng(8)
        levels = rng.normal(6, 0.4, 30)
        values = levels + 0.1 * rng.normal(size=(14, 30))
        values[7:, 0] += 1.5
        panel = panel_from(values, ["Lạng Sơn", *[p for p in PROVINCES if p != "Lạng Sơn"][:29]])
        found = sr.synthetic_control(panel, "Lạng Sơn")
        assert found.rank == 1
        assert found.share_as_large == pytest.approx(1 / 30)
        assert len(placebo_gaps(found)) == 29
        quiet = sr.synthetic_control(panel, found.placebos[5].group)
        assert quiet.rank > 1

    def test_without_an_event_ranks_spread_evenly(self):
        rng = np.random.default_rng(9)
        names = PROVINCES[:20]
        ranks = []
        for _ in range(12):
            values = rng.normal(6, 0.4, 20) + 0.2 * rng.normal(size=(14, 20))
            ranks += [sr.synthetic_control(panel_from(values, names), names[0]).rank]
        assert 5 < np.mean(ranks) < 16

    def test_placebo_is_the_same_comparison(self):
        rng = np.random.default_rng(10)
        panel = panel_from(6 + rng.normal(0, 0.3, (14, 8)), PROVINCES[:8])
        first = sr.synthetic_control(panel, PROVINCES[0])
        other = sr.synthetic_control(panel, PROVINCES[3])
        assert {p.group: p.ratio for p in first.placebos} == pytest.approx({p.group: p.ratio for p in other.placebos})
        np.testing.assert_allclose(placebo_gaps(first)[PROVINCES[3]], other.gap, atol=1e-9)

    def test_provinces_with_gaps_are_left_out_and_named(self):
        rng = np.random.default_rng(11)
        values = 6 + rng.normal(0, 0.3, (14, 6))
        values[10, 2] = np.nan
        panel = panel_from(values, PROVINCES[:6])
        assert sr.synthetic_control(panel, PROVINCES[0]).left_out == (PROVINCES[2],)
        with pytest.raises(AnalysisError, match=PROVINCES[2]):
            sr.synthetic_control(panel, PROVINCES[2])

    def test_says_that_it_is_no_effect(self):
        values = 6 + np.random.default_rng(12).normal(0, 0.3, (14, 6))
        found = sr.synthetic_control(panel_from(values, PROVINCES[:6]), PROVINCES[0])
        assert "không phải tác động" in found.summary("vi")
        assert "not an effect" in found.summary("en")
        assert found.tidy()["fitted"].sum() == 7
        assert found.glance()["n_donors"].iloc[0] == 5

    def test_hostile(self):
        values = 6 + np.random.default_rng(13).normal(0, 0.3, (14, 6))
        panel = panel_from(values, PROVINCES[:6])
        with pytest.raises(AnalysisError):
            sr.synthetic_control(panel, PROVINCES[0], "papi_total")
        with pytest.raises(AnalysisError):
            sr.synthetic_control(panel, PROVINCES[0], "dim8_egovernance")
        with pytest.raises(AnalysisError):
            sr.synthetic_control(panel, PROVINCES[0], split_year=2012)
        with pytest.raises(AnalysisError):
            sr.synthetic_control(panel, PROVINCES[0], split_year=2030)
        with pytest.raises(AnalysisError):
            sr.synthetic_control(panel, PROVINCES[0], donors=[PROVINCES[1]])
        with pytest.raises(OptionError):
            sr.synthetic_control(panel, PROVINCES[0], ridge=-1)
        with pytest.raises(OptionError):
            sr.synthetic_control(panel, PROVINCES[0], "dim9")
        one = panel_from(values[:, :1], PROVINCES[:1])
        with pytest.raises(AnalysisError):
            sr.synthetic_control(one, PROVINCES[0])
