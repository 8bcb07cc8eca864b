"""Bootstrap: a replicate is a fit of the drawn rows; intervals are those of R's boot; what fails is counted."""

import json
import warnings
from pathlib import Path

import joblib
import lavaan_cases
import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import AnalysisError, FailedDrawsWarning, OptionError
from sipas_research.sem.bootstrap_draws import Units, units_of
from sipas_research.sem.bootstrap_intervals import acceleration, bias_corrected, percentile
from sipas_research.sem.bootstrap_plan import plan_of

FRAME = lavaan_cases.data("holzinger39")
BOOT = json.loads((Path(__file__).parents[1] / "reference" / "bootstrap" / "boot_variance.json").read_text())
MEDIATION = """
visual =~ x1 + x2 + x3
text =~ x4 + x5 + x6
speed =~ x7 + x8 + x9
text ~ a*visual
speed ~ b*text + c*visual
indirect := a*b
total := indirect + c
"""


def resampled(fit, draw, seed=1):
    """Return the rows that a draw by rows holds, group by group."""
    units = units_of(plan_of(fit), "rows")
    counts = units.counts(np.random.default_rng(np.random.SeedSequence(seed).spawn(draw + 1)[draw]))
    index = [np.repeat(group.index, often) for group, often in zip(fit.samples, counts, strict=True)]
    return FRAME.loc[np.concatenate(index)].reset_index(drop=True)


@pytest.mark.parametrize(
    ("model", "options"),
    [
        (MEDIATION, {}),
        (MEDIATION, {"estimator": "MLR", "std_lv": True}),
        (MEDIATION, {"estimator": "GLS"}),
        (MEDIATION, {"estimator": "ULS", "meanstructure": True}),
        (MEDIATION + "visual ~ d*ageyr\nthrough := d*a*b", {}),
        (MEDIATION + "a == 2*b\n", {}),
        (MEDIATION + "c > 0.3\n", {}),
        (MEDIATION + "a*b == 0.05\n", {}),
        (
            "visual =~ x1 + x2 + x3\ntext =~ x4 + x5 + x6",
            {"group": "school", "group_equal": ("loadings", "intercepts")},
        ),
    ],
)
def test_a_draw_is_the_fit_of_its_rows(model, options):
    fit = sr.sem(model, FRAME, **options)
    found = fit.bootstrap(draws=3, seed=5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        again = sr.sem(model, resampled(fit, 2, seed=5), **options)
    assert again.converged
    assert found.failed == 0
    expected = again.tidy()
    errors = np.where(expected["std_error"] > 0, expected["std_error"], 0.05)
    for drawn, column in ((found.draws[2], "estimate"), (found.drawn.std_lv[2], "std_lv"),
                          (found.drawn.std_all[2], "std_all")):  # fmt: skip
        away = np.abs(drawn - expected[column].to_numpy()) / errors
        assert float(np.nanmax(away)) < 1e-4, column
        assert (np.isnan(drawn) == expected[column].isna()).all()


def test_numbers_depend_on_the_seed_and_not_on_jobs_or_the_number_of_draws():
    fit = sr.sem(MEDIATION, FRAME)
    one, more = fit.bootstrap(draws=12, seed=9), fit.bootstrap(draws=20, seed=9, jobs=2)
    assert np.array_equal(one.draws, more.draws[:12])
    assert np.array_equal(one.drawn.std_all, more.drawn.std_all[:12])
    with joblib.parallel_config(backend="threading"):  # a backend chosen outside, as a Dask cluster is
        assert np.array_equal(fit.bootstrap(draws=20, seed=9, jobs=3).draws, more.draws)
    assert not np.allclose(one.draws, fit.bootstrap(draws=12, seed=10).draws)
    with pytest.raises(ValueError, match="read-only"):
        one.draws[0, 0] = 1.0


def test_intervals_are_those_of_boot():
    draws, left_out = np.array(BOOT["draws"])[:, None], np.array(BOOT["left_out"])[:, None]
    speed = acceleration(left_out, [0] * len(left_out))
    assert speed[0] == pytest.approx(BOOT["acceleration"], abs=1e-7)
    for level in (0.9, 0.95):
        low, high, notes = percentile(draws, level)
        np.testing.assert_allclose([low[0], high[0]], BOOT["percentile"][str(level)], rtol=2e-4)
        assert notes[0] == ""
        low, high, _ = bias_corrected(draws, np.array([BOOT["estimate"]]), speed, level)
        np.testing.assert_allclose([low[0], high[0]], BOOT["bca"][str(level)], rtol=4e-4)


def test_the_acceleration_of_a_mean_is_its_skewness():
    generator = np.random.default_rng(2)
    frame = pd.DataFrame({"y": generator.exponential(size=80)})
    found = sr.sem("y ~ 1\ny ~~ y", frame).bootstrap(draws=400)
    tidy = found.tidy("bca")
    place = int(np.flatnonzero(tidy["op"] == "~1")[0])
    away = frame["y"] - frame["y"].mean()
    expected = float((away**3).sum() / (6 * (away**2).sum() ** 1.5))
    strata = [0] * 80
    assert acceleration(found.folds.raw, strata)[place] == pytest.approx(expected, rel=1e-5)
    low, high = tidy.loc[place, ["conf_low", "conf_high"]]
    plain = found.tidy().loc[place, ["conf_low", "conf_high"]]
    assert low > plain["conf_low"]  # a right-skewed mean: the interval moves up
    assert high > plain["conf_high"]


def test_errors_come_close_to_the_sandwich_and_every_row_has_an_interval():
    fit = sr.sem(MEDIATION, FRAME, estimator="MLR")
    found = fit.bootstrap(draws=400, seed=3)
    tidy, expected = found.tidy(), fit.tidy()
    paths = tidy["op"].isin(["~", ":="])
    ratio = tidy.loc[paths, "std_error"] / expected.loc[paths, "std_error"]
    assert ratio.between(0.8, 1.5).all()
    free = expected["note"] == ""
    for low, high in (("conf_low", "conf_high"), ("std_all_low", "std_all_high")):
        varies = free & (tidy[low.replace("low", "error") if "std" in low else "std_error"] > 0)
        assert varies.sum() >= free.sum() - 1  # the standardised variance of the predictor is one
        assert tidy.loc[varies, low].lt(tidy.loc[varies, high]).all()
    held = tidy.loc[~free]
    assert (held["std_error"] == 0).all()
    assert held["note"].eq("fixed").all()
    assert held["conf_low"].equals(held["estimate"])
    assert held["std_all_error"].gt(0).any()  # a fixed loading varies once standardised
    wide, narrow = found.tidy(level=0.99), found.tidy(level=0.8)
    assert wide.loc[free, "conf_low"].lt(narrow.loc[free, "conf_low"]).all()
    frame = found.frame("all")
    assert frame.shape == (400, len(tidy))
    assert frame.columns.is_unique
    assert {"a", "indirect", "visual=~x1"} <= set(frame)


def test_draws_without_estimates_are_counted_and_kept_as_missing():
    rare = pd.DataFrame({"x": FRAME["x1"][:60], "y": [1.0] * 3 + [0.0] * 57})
    fit = sr.sem("y ~ a*x\ntwice := 2*a", rare)
    with pytest.warns(FailedDrawsWarning, match="of 200 resamples"):
        found = fit.bootstrap(draws=200, seed=1)
    assert 0 < found.failed == found.failures["moments"] < 40  # nobody of the three drawn: chance (57/60)^60
    lost = np.isnan(found.draws).all(axis=1)
    assert lost.sum() == found.failed
    tidy = found.tidy()
    assert (tidy["draws"] == 200 - found.failed).all()
    assert tidy["conf_low"].notna().all()
    for language in ("vi", "en"):
        assert f": {found.failed}." in found.summary(language)


def test_draws_with_a_negative_variance_are_counted_and_kept():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = sr.cfa("f =~ x1 + x2 + x9", FRAME[:40]).bootstrap(draws=12, seed=1)
    kept = ~np.isnan(found.draws).all(axis=1)
    assert kept.sum() == 12 - found.failed
    table = found.frame()[kept]
    variances = table[[name for name in table if name[: name.find("~~")] == name[name.find("~~") + 2 :]]]
    assert (variances < 0).any(axis=1).sum() == found.improper > 0


def test_few_draws_give_no_interval():
    fit = sr.sem(MEDIATION, FRAME)
    one = fit.bootstrap(draws=1).tidy()
    free = one["note"] != "fixed"
    assert one.loc[free, "note"].eq("few_draws").all()
    assert one.loc[free, ["std_error", "conf_low", "conf_high", "std_all_low"]].isna().all(axis=None)
    assert one.loc[free, "bias"].notna().all()
    enough = fit.bootstrap(draws=39).tidy()
    assert enough.loc[free, "conf_low"].notna().all()
    assert fit.bootstrap(draws=39).tidy(level=0.99).loc[free, "conf_low"].isna().all()


def test_draws_that_are_not_finite_count_as_failed():
    draws = np.tile(np.linspace(1.0, 2.0, 101)[:, None], 2)
    draws[0], draws[-1] = -np.inf, np.inf
    low, high, notes = percentile(draws, 0.9)
    np.testing.assert_allclose(low, 1.05)
    np.testing.assert_allclose(high, 1.95)
    assert not notes.any()
    draws[:, 0] = np.inf
    low, high, notes = percentile(draws, 0.9)
    assert np.isnan([low[0], high[0]]).all()
    assert notes[0] == "few_draws"


def test_an_estimate_beyond_all_draws_has_no_corrected_interval():
    draws = np.linspace(1.0, 2.0, 99)[:, None]
    low, high, notes = bias_corrected(draws, np.array([0.5]), np.zeros(1), 0.95)
    assert np.isnan([low[0], high[0]]).all()
    assert notes[0] == "no_interval"
    low, high, notes = bias_corrected(draws, np.array([1.97]), np.array([0.1]), 0.95)
    assert notes[0] == "end_of_draws"
    assert high[0] == 2.0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"draws": 0}, "draws"),
        ({"draws": 10.5}, "draws"),
        ({"draws": True}, "draws"),
        ({"seed": -1}, "seed"),
        ({"seed": None}, "seed"),
        ({"jobs": 0}, "jobs"),
        ({"by": "agency"}, "by"),
        ({"by": "cluster"}, "cluster"),
    ],
)
def test_options_outside_their_range_are_refused(options, words):
    fit = sr.cfa("f =~ x1 + x2 + x3", FRAME)
    with pytest.raises(OptionError, match=words):
        fit.bootstrap(**options)


def test_what_cannot_be_drawn_is_refused():
    items = ["x1", "x2", "x3"]
    moments = sr.Moments(FRAME[items].cov(), FRAME[items].mean(), len(FRAME))
    with pytest.raises(AnalysisError, match="covariance matrix"):
        sr.cfa("f =~ x1 + x2 + x3", moments).bootstrap(draws=5)
    found = sr.cfa("f =~ x1 + x2 + x3", FRAME).bootstrap(draws=5)
    for wrong in ({"ci": "normal"}, {"level": 95}, {"level": 1.0}):
        with pytest.raises(OptionError):
            found.tidy(**wrong)
    with pytest.raises(OptionError):
        found.standardized("raw")
    with pytest.raises(OptionError):
        found.frame("std")


def test_rows_behind_moments_can_be_drawn():
    items = [f"x{k}" for k in range(1, 7)]
    values = FRAME[items].to_numpy()
    moments = sr.Moments(FRAME[items].cov(), FRAME[items].mean(), len(FRAME), rows=lambda: [values[:100], values[100:]])
    model = "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6"
    by_moments, by_rows = (sr.cfa(model, given).bootstrap(draws=4) for given in (moments, FRAME))
    np.testing.assert_allclose(by_moments.draws, by_rows.draws, atol=1e-5)


def test_clusters_are_drawn_whole_and_within_groups_unless_they_cut_them():
    inside = Units(
        "cluster", (np.arange(3), np.arange(3, 8)), (np.array([0, 0, 1, 2]), np.array([3, 4, 5, 6, 7, 7])), 8
    )
    for seed in range(20):
        left, right = inside.counts(np.random.default_rng(seed))
        assert left[0] == left[1]
        assert right[4] == right[5]
        assert left[1:].sum() == 3
        assert right[:5].sum() == 5


def test_summary_and_glance_tell_what_was_done():
    found = sr.sem(MEDIATION, FRAME, data_kind=sr.DataKind.SIMULATED).bootstrap(draws=60, seed=4)
    row = found.glance().iloc[0]
    assert (row["draws"], row["failed"], row["by"], row["units"], row["seed"]) == (60, 0, "rows", len(FRAME), 4)
    assert row["data_kind"] == "simulated"
    vietnamese, english = found.summary("vi"), found.summary("en", ci="bca")
    assert "60 lần lấy lại 301 phiếu" in vietnamese
    assert "BCa" in english
    assert "indirect" in english
    shown = f"{found.tidy().set_index('lhs').loc['indirect', 'conf_low']:.3f}"
    assert shown.replace(".", ",").replace("-", "−") in vietnamese
