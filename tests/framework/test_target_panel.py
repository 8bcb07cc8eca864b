"""Targets of many blocks: the predictor against dense algebra, planted drifts, slow movers, the back-test, refusals."""

import numpy as np
import pytest
from scipy.linalg import block_diag

import sipas_research as sr
from sipas_research.errors import AnalysisError, OptionError
from sipas_research.evidence.series import Break, Point, Series
from sipas_research.framework.target_panel import target_panel
from sipas_research.numerics.pooled_drift import Walk, drift, fit_pooled_drift, own_drifts, predict
from sipas_research.results import DataKind, Result
from sipas_research.wording import LANGUAGES, Bilingual, keys


def panel(rng, blocks=12, years=7, *, volatility=0.08, spread=0.05, mean=0.06, noise=0.05):
    walks, truth = [], []
    for _ in range(blocks):
        slope = mean + spread * rng.normal()
        steps = np.concatenate([[0.0], np.cumsum(slope + volatility * rng.normal(size=years - 1))])
        level = 1.2 + 0.3 * rng.normal() + steps
        walks.append(Walk(2015.0 + np.arange(years), level + noise * rng.normal(size=years), np.full(years, noise**2)))
        truth.append((slope, level[-1]))
    return walks, np.array(truth)


def series(name, values, *, first=2015, breaks=(), targets=None):
    points = tuple(
        Point(first + k, v, target=None if targets is None else targets[k])
        for k, v in enumerate(values)
        if v is not None
    )
    return Series(Bilingual(name, f"{name} en"), points, breaks, data_kind=DataKind.SIMULATED)


@pytest.fixture
def province():
    """Six blocks that rise by about a point a year, the last hardly at all."""
    rng = np.random.default_rng(5)
    rises = [1.0, 1.1, 0.9, 1.0, 1.2, -0.9]
    return [series(f"Sở {k}", 75 + r * np.arange(8) + rng.normal(0, 0.3, 8)) for k, r in enumerate(rises)]


def test_predictor_agrees_with_dense_algebra():
    walks, _ = panel(np.random.default_rng(1), blocks=3, years=5)
    fit = fit_pooled_drift(walks)
    elapsed, blocks = np.arange(5.0), []
    kernel = fit.volatility**2 * np.minimum.outer(elapsed, elapsed) + fit.spread**2 * np.outer(elapsed, elapsed)
    for k in range(3):
        part = np.zeros((5, 4))
        part[:, k], part[:, 3] = 1, elapsed
        blocks.append(part)
    design, values = np.vstack(blocks), np.concatenate([w.values for w in walks])
    inverse = np.linalg.inv(block_diag(*[kernel + np.diag(w.variances) for w in walks]))
    spread = np.linalg.inv(design.T @ inverse @ design)
    beta = spread @ design.T @ inverse @ values
    shared = np.zeros(15)
    shared[5:10] = fit.volatility**2 * elapsed + fit.spread**2 * elapsed * 7
    wanted = np.array([0, 1, 0, 7.0])
    centre = wanted @ beta + shared @ inverse @ (values - design @ beta)
    rest = wanted - design.T @ inverse @ shared
    error = np.sqrt(fit.volatility**2 * 7 + fit.spread**2 * 49 - shared @ inverse @ shared + rest @ spread @ rest)
    assert predict(fit, 1, 2022.0) == pytest.approx((centre, error), rel=1e-6)
    assert fit.mean_drift == pytest.approx(beta[3], rel=1e-6)
    assert fit.mean_drift_error == pytest.approx(np.sqrt(spread[3, 3]), rel=1e-6)


def test_planted_drifts_are_recovered_and_pooling_helps():
    rng = np.random.default_rng(2)
    found, pooled, alone, ratios = [], [], [], []
    for _ in range(12):
        walks, truth = panel(rng)
        fit = fit_pooled_drift(walks)
        found.append((fit.volatility, fit.spread, fit.mean_drift))
        both = np.array([drift(fit, b) for b in range(len(walks))])
        pooled.extend(both[:, 0] - truth[:, 0])
        ratios.extend((both[:, 0] - truth[:, 0]) / both[:, 1])
        alone.extend(own_drifts(fit)[0] - truth[:, 0])
    np.testing.assert_allclose(np.mean(found, axis=0), [0.08, 0.05, 0.06], atol=0.015)
    assert np.mean(np.square(pooled)) < 0.95 * np.mean(np.square(alone))
    assert 0.85 < np.std(ratios) < 1.2


def test_drifts_lie_between_their_own_and_the_common_one():
    walks, _ = panel(np.random.default_rng(3))
    fit = fit_pooled_drift(walks)
    own = own_drifts(fit)[0]
    shrunk = np.array([drift(fit, b)[0] for b in range(len(walks))])
    assert np.corrcoef(own, shrunk)[0, 1] > 0.9
    assert np.abs(shrunk - fit.mean_drift).mean() < np.abs(own - fit.mean_drift).mean()


def test_pooled_and_alone_stand_together(province):
    result = target_panel(province, {2025: 85, 2030: 95}, errors=[dict.fromkeys(range(2015, 2023), 0.3)] * 6)
    table = result.tidy()
    assert isinstance(result, Result)
    assert len(table) == 12
    assert table["group"].unique().tolist() == [f"Sở {k}" for k in range(6)]
    near = table.query("year == 2025")
    assert near["probability"].between(0, 1).all()
    single = sr.target_path(province[0], {2025: 85, 2030: 95})
    assert near["probability_alone"].iloc[0] == single.goals[0].probability
    assert (near["conf_low"] < near["estimate"]).all()
    assert near["probability"].iloc[:5].min() > near["probability"].iloc[5]
    assert "target_panel.assumption.no_errors" not in result.assumptions
    assert "target_panel.assumption.no_errors" in target_panel(province, {2025: 85}).assumptions
    assert {*result.assumptions, *table["note"]} - {""} <= set(keys("vi"))
    for language in LANGUAGES:
        assert "Brier" in result.summary(language)


def test_slow_movers_are_named_only_beyond_noise(province):
    assert target_panel(province, {2025: 85}).slow == ("Sở 5",)
    rng = np.random.default_rng(7)
    named = 0
    for _ in range(16):
        alike = [series(f"k{k}", 75 + np.cumsum(rng.normal(0.8, 0.8, 7))) for k in range(8)]
        named += bool(target_panel(alike, {2025: 85}).slow)
    assert named <= 3


def test_back_test_by_hand(province):
    result = target_panel(province, {2025: 85})
    table = result.back_test()
    # eight years: origins from the fourth to the seventh, six blocks each
    assert len(table) == 24
    assert result.brier_pooled == pytest.approx(((table["pooled"] - table["reached"]) ** 2).mean())
    assert result.brier_alone == pytest.approx(((table["alone"] - table["reached"]) ** 2).mean())
    row = table.query("group == 'Sở 0' and origin == 2018").iloc[0]
    values = {p.year: p.value for p in province[0].points}
    assert row["threshold"] == pytest.approx(values[2018] + (85 - values[2018]) / 7)
    assert row["reached"] == (values[2019] >= row["threshold"])
    printed = [series(f"k{k}", 75 + k + np.sin(np.arange(6) + k), targets=[80.0] * 6) for k in range(3)]
    assert set(target_panel(printed, {2025: 85}).back_test()["threshold"]) == {80.0}


def test_fewer_than_four_comparable_years_give_nothing(province):
    short = series("Huyện ít năm", [80, 81, 80.5])
    broken = series("Huyện bị ngắt", [80, 81, 80.5, 81, 82, 81], breaks=(Break(2018, "residents"),))
    table = target_panel([*province, short, broken], {2025: 85}).tidy().set_index("group")
    for name in ("Huyện ít năm", "Huyện bị ngắt"):
        assert table.loc[name, "note"] == "target_panel.reason.few"
        assert np.isnan(table.loc[name, "probability"])
        assert np.isnan(table.loc[name, "probability_alone"])
        assert table.loc[name, "n_points"] == 3
        assert table.loc[name, "required_pace"] > 0
    with pytest.raises(AnalysisError, match="target_path"):
        target_panel([province[0], short], {2025: 85})


def test_straight_lines_have_no_probability():
    logits = np.array([1.0, 1.1, 1.2, 1.3, 1.4])
    lines = [series(f"k{k}", 100 / (1 + np.exp(-logits - 0.2 * k))) for k in range(3)]
    table = target_panel(lines, {2025: 90}).tidy()
    assert (table["probability"].isna() | table["probability"].between(0, 1)).all()
    assert table["probability_alone"].isna().all()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"errors": [{2015: 0.3}]}, "6"),
        ({"errors": [{2015: -1.0}] + [{}] * 5}, "2015"),
        ({"targets": {2025: 101}}, "2025"),
        ({"targets": {}}, "2025"),
        ({"level": 1.5}, "0.95"),
    ],
)
def test_options_are_checked(province, change, match):
    with pytest.raises(OptionError, match=match):
        target_panel(province, **({"targets": {2025: 85}} | change))


def test_names_and_units_are_checked(province):
    with pytest.raises(OptionError, match="Hai chuỗi"):
        target_panel([province[0], province[0]], {2025: 85})
    score = Series(Bilingual("PAPI"), tuple(Point(y, 45.0) for y in range(2015, 2020)), unit="score")
    with pytest.raises(OptionError, match="PAPI"):
        target_panel([province[0], score], {2025: 85})
