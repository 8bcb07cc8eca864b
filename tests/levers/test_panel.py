"""Association across provinces: known coefficients come back, and a second road gives the same numbers."""

import numpy as np
import pandas as pd
import pytest
from papi_invented import panel_of
from scipy import stats

import sipas_research as sr
from sipas_research.errors import AnalysisError, OptionError
from sipas_research.evidence.papi_facts import papi_facts
from sipas_research.levers.panel import standardised
from sipas_research.results import Result

PROVINCES = [p.name.vi for p in papi_facts().provinces]
TERMS = ("dim8_egovernance", "dim3_accountability", "dim4_corruption_control")
D5 = "dim5_procedures"
SLOPES = (0.2, 0.0, 0.5)


def invented(seed=1, *, years=range(2018, 2025), provinces=63, noise=0.1, hidden=0.0, drop=()):
    """Return a panel with known slopes; ``hidden`` ties province levels of the outcome to the first predictor."""
    rng = np.random.default_rng(seed)
    table = {}
    level = rng.normal(0, 0.5, (provinces, 3))
    own = rng.normal(0, 0.2, provinces) + hidden * level[:, 0]
    for year in years:
        shift = 0.3 * rng.normal() + (2.0 if year >= 2021 else 0.0)
        for place in range(provinces):
            x = 5 + level[place] + 0.3 * rng.normal(size=3)
            y = 1.5 + shift + own[place] + x @ np.array(SLOPES) + noise * rng.normal()
            if (year, PROVINCES[place]) not in drop:
                table[year, PROVINCES[place]] = {**dict(zip(TERMS, x.tolist(), strict=True)), D5: float(y)}
    return panel_of(table)


def estimates(found, model, period, unit="points"):
    return {r.term: r for r in found.of(model, unit) if r.period == period}


def test_known_slopes_come_back_within_provinces():
    found = sr.province_association(invented())
    assert isinstance(found, Result)
    for period in ("2018-2020", "2021-2024", "2018-2024"):
        rows = estimates(found, "within", period)
        for term, slope in zip(TERMS, SLOPES, strict=True):
            assert rows[term].estimate == pytest.approx(slope, abs=4 * rows[term].std_error)
            assert rows[term].std_error < 0.06
            assert rows[term].clusters == 63


def test_what_a_province_always_is_misleads_pooling_but_not_within():
    found = sr.province_association(invented(3, hidden=0.8))
    pooled = estimates(found, "pooled", "2018-2024")["dim8_egovernance"]
    within = estimates(found, "within", "2018-2024")["dim8_egovernance"]
    assert pooled.estimate > 0.6
    assert within.estimate == pytest.approx(0.2, abs=0.06)


def test_a_jump_of_all_provinces_at_the_break_changes_nothing():
    panel = invented(4)
    moved = panel.frame.copy()
    moved.loc[moved["year"] >= 2021, ["dim8_egovernance", D5]] += 1.7
    other = sr.province_association(type(panel)(moved, panel.data_kind))
    for row, again in zip(sr.province_association(panel).rows, other.rows, strict=True):
        assert again.estimate == pytest.approx(row.estimate, abs=1e-9)
        assert again.std_error == pytest.approx(row.std_error, abs=1e-9)


def sandwich(design, target, groups):
    """Return least squares and the clustered covariance, written out (Cameron and Miller 2015)."""
    design, target = np.asarray(design, float), np.asarray(target, float)
    bread = np.linalg.inv(design.T @ design)
    slopes = bread @ design.T @ target
    residual = target - design @ slopes
    scores = pd.DataFrame(design * residual[:, None]).groupby(np.asarray(groups)).sum().to_numpy()
    rows, columns = design.shape
    factor = len(scores) / (len(scores) - 1) * (rows - 1) / (rows - columns)
    return slopes, factor * bread @ (scores.T @ scores) @ bread


def test_pooled_by_hand():
    panel = invented(5, drop={(2022, "Lạng Sơn"), (2019, "Cà Mau")})
    rows = estimates(sr.province_association(panel), "pooled", "2018-2024")
    data = panel.frame.dropna(subset=[*TERMS, D5])
    years = pd.get_dummies(data["year"], dtype=float)
    slopes, cover = sandwich(np.column_stack([data[list(TERMS)], years]), data[D5], data["province"])
    reach = stats.t.isf(0.025, 62)
    for place, term in enumerate(TERMS):
        error = np.sqrt(cover[place, place])
        assert rows[term].estimate == pytest.approx(slopes[place], rel=1e-9)
        assert rows[term].std_error == pytest.approx(error, rel=1e-8)
        assert rows[term].conf_high == pytest.approx(slopes[place] + reach * error, rel=1e-8)
        assert rows[term].p_value == pytest.approx(2 * stats.t.sf(abs(slopes[place] / error), 62), rel=1e-6)
        assert (rows[term].n, rows[term].clusters, rows[term].df) == (439, 63, 62)


def test_within_equals_dummies_and_frisch_waugh():
    panel = invented(6, drop={(2021, "Quảng Ninh"), (2023, "Quảng Ninh"), (2024, "Vĩnh Phúc")})
    rows = estimates(sr.province_association(panel), "within", "2018-2024")
    data = panel.frame.dropna(subset=[*TERMS, D5])
    years = pd.get_dummies(data["year"], dtype=float).iloc[:, 1:]
    provinces = pd.get_dummies(data["province"], dtype=float)
    full = np.column_stack([data[list(TERMS)], years, provinces])
    slopes = np.linalg.lstsq(full, data[D5].to_numpy(float), rcond=None)[0]
    for place, term in enumerate(TERMS):
        assert rows[term].estimate == pytest.approx(slopes[place], rel=1e-8)
        others = np.delete(full, place, axis=1)
        sweep = np.eye(len(full)) - others @ np.linalg.pinv(others)
        apart = sweep @ full[:, place]
        assert rows[term].estimate == pytest.approx(apart @ data[D5].to_numpy(float) / (apart @ apart), rel=1e-7)
    swept = [c - c.groupby(data["province"]).transform("mean") for _, c in data[[*TERMS, D5]].items()]
    flat_years = years - years.groupby(data["province"]).transform("mean")
    _, cover = sandwich(np.column_stack([*swept[:3], flat_years]), swept[3], data["province"])
    for place, term in enumerate(TERMS):
        assert rows[term].std_error == pytest.approx(np.sqrt(cover[place, place]), rel=1e-7)


def test_cross_section_has_hc3_errors():
    panel = invented(7)
    rows = estimates(sr.province_association(panel), "cross_section", "2024")
    data = panel.frame.loc[panel.frame["year"] == 2024]
    design = np.column_stack([np.ones(len(data)), data[list(TERMS)]])
    bread = np.linalg.inv(design.T @ design)
    residual = data[D5].to_numpy(float) - design @ (bread @ design.T @ data[D5].to_numpy(float))
    leverage = np.einsum("ij,jk,ik->i", design, bread, design)
    meat = design.T @ (design * ((residual / (1 - leverage)) ** 2)[:, None])
    errors = np.sqrt(np.diag(bread @ meat @ bread))[1:]
    assert [rows[t].std_error for t in TERMS] == pytest.approx(errors.tolist(), rel=1e-8)
    assert rows[TERMS[0]].df == 59


def test_clusters_matter_where_provinces_repeat_themselves():
    table = invented(8, noise=0.02).frame
    rng = np.random.default_rng(8)
    fixed = {p: rng.normal(0, 0.5) for p in PROVINCES}
    table = table.assign(**{D5: table[D5] + table["province"].map(fixed)})
    held = table.groupby("province")["dim8_egovernance"].transform("first")
    found = sr.province_association(type(invented())(table.assign(dim8_egovernance=held), "simulated"))
    pooled = estimates(found, "pooled", "2018-2024")["dim8_egovernance"]
    single = estimates(found, "cross_section", "2024")["dim8_egovernance"]
    assert pooled.std_error > 0.7 * single.std_error, "seven copies of a province are not seven provinces"


def test_standard_deviations_are_of_the_year():
    data = standardised(invented(9).frame[["year", "province", *TERMS, D5]], (*TERMS, D5))
    groups = data.groupby("year")[[*TERMS, D5]]
    np.testing.assert_allclose(groups.mean().to_numpy(), 0, atol=1e-12)
    np.testing.assert_allclose(groups.std().to_numpy(), 1, atol=1e-12)


def test_intervals_cover_at_their_level():
    hits = 0
    for seed in range(24):
        panel = invented(100 + seed, years=range(2021, 2025), provinces=20, noise=0.4)
        row = estimates(sr.province_association(panel), "within", "2021-2024")["dim4_corruption_control"]
        hits += row.conf_low <= 0.5 <= row.conf_high
    assert hits >= 20


class TestHostile:
    def test_one_year_has_a_cross_section_only(self):
        found = sr.province_association(invented(years=[2024]))
        assert np.isfinite(found.of("cross_section")[0].estimate)
        assert all(np.isnan(r.estimate) and r.note == "levers.association.one_year" for r in found.of("within"))

    def test_one_province(self):
        with pytest.raises(AnalysisError):
            sr.province_association(invented(provinces=1))

    def test_all_gaps(self):
        with pytest.raises(AnalysisError):
            sr.province_association(panel_of({(2020, p): {} for p in PROVINCES}))

    def test_four_provinces_have_no_clustered_errors(self):
        with pytest.raises(AnalysisError):
            sr.province_association(invented(provinces=4))
        few = sr.province_association(invented(provinces=10))
        assert few.of("pooled")[0].clusters == 10

    def test_a_flat_predictor_has_a_reason(self):
        panel = invented(11)
        flat = type(panel)(panel.frame.assign(dim8_egovernance=5.0), panel.data_kind)
        with pytest.raises(AnalysisError):
            sr.province_association(flat)

    def test_the_same_predictor_twice_over(self):
        panel = invented(12)
        frame = panel.frame.assign(dim3_accountability=2 * panel.frame["dim8_egovernance"] - 1)
        with pytest.raises(AnalysisError, match="biến thiên"):
            sr.province_association(type(panel)(frame, panel.data_kind))

    def test_options(self):
        panel = invented(13)
        with pytest.raises(OptionError):
            sr.province_association(panel, D5, [])
        with pytest.raises(OptionError):
            sr.province_association(panel, D5, [D5])
        with pytest.raises(OptionError):
            sr.province_association(panel, "dim9")
        with pytest.raises(OptionError):
            sr.province_association(panel, level=1.0)

    def test_summary_warns_before_it_counts(self):
        said = sr.province_association(invented(14)).summary("vi")
        assert said.startswith("Mỗi dòng số liệu là một tỉnh, không phải một người")
        assert "0,5" in said
