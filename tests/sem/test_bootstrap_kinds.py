"""Bootstrap of every kind of fit: weights, clusters, incomplete rows, ordered answers."""

import json
import warnings
from pathlib import Path

import lavaan_cases
import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import AnalysisError, FailedDrawsWarning, OptionError
from sipas_research.sem.bootstrap_draws import units_of
from sipas_research.sem.bootstrap_plan import plan_of, replicate

FRAME = lavaan_cases.data("holzinger39")
LAVAAN = Path(__file__).parents[1] / "reference" / "bootstrap" / "lavaan_draws.json"
ITEMS = [f"x{k}" for k in range(1, 10)]
MODEL = "visual =~ x1 + x2 + x3\ntext =~ x4 + x5 + x6\ntext ~ a*visual\nhalf := a/2"


def prepared():
    generator = np.random.default_rng(8)
    frame = FRAME.copy()
    frame["w"] = generator.uniform(0.5, 2.0, len(frame))
    frame["agency"] = np.arange(len(frame)) // 8 % 37
    holes = frame.copy()
    holes[ITEMS] = holes[ITEMS].mask(generator.random((len(frame), 9)) < 0.1)
    coded = frame.copy()
    for item in ITEMS:
        coded[item] = np.digitize(frame[item], frame[item].quantile([0.2, 0.5, 0.8])) + 1.0
    return {"plain": frame, "holes": holes, "coded": coded}


DATA = prepared()
CASES = [
    ("plain", {"weights": "w"}, MODEL),
    ("plain", {"cluster": "agency"}, MODEL),
    ("plain", {"cluster": "agency", "weights": "w", "group": "school"}, MODEL),
    ("holes", {"missing": "fiml"}, MODEL),
    ("holes", {"missing": "fiml", "estimator": "MLR"}, MODEL + "\nvisual ~ ageyr"),
    ("holes", {"missing": "fiml", "estimator": "MLR", "group": "school", "weights": "w"}, MODEL),
    ("coded", {"ordered": True}, MODEL),
    ("coded", {"ordered": True, "estimator": "ULSMV", "parameterization": "theta"}, MODEL),
    ("coded", {"ordered": ("x1", "x2", "x3"), "weights": "w"}, MODEL + "\nvisual ~ ageyr"),
    ("coded", {"ordered": True, "group": "school", "cluster": "agency"}, "f =~ x1 + x2 + x3 + x4"),
]


def fitted(model, frame, options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sr.sem(model, frame, **options)


@pytest.mark.parametrize(("data", "options", "model"), CASES)
def test_a_draw_is_the_fit_of_its_rows(data, options, model):
    fit = fitted(model, DATA[data], options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = fit.bootstrap(draws=2, seed=3)
    assert found.by == ("cluster" if "cluster" in options else "rows")
    units = units_of(plan_of(fit), None)
    counts = units.counts(np.random.default_rng(np.random.SeedSequence(3).spawn(2)[1]))
    index = [np.repeat(group.index, often) for group, often in zip(fit.samples, counts, strict=True)]
    again = fitted(model, DATA[data].loc[np.concatenate(index)].reset_index(drop=True), options)
    assert again.converged
    assert fit.table.groups == again.table.groups
    expected = again.tidy()
    scale = np.where(expected["std_error"] > 0, expected["std_error"], 0.05)
    for drawn, column in ((found.draws[1], "estimate"), (found.drawn.std_all[1], "std_all")):
        away = np.abs(drawn - expected[column].to_numpy()) / scale
        assert np.isfinite(drawn).sum() > 5
        assert float(np.nanmax(away)) < 1e-4, column


def test_replicates_are_those_of_lavaan():
    case = json.loads(LAVAAN.read_text(encoding="utf-8"))
    fit = sr.sem(case["model"], FRAME)
    tidy, plan = fit.tidy(), plan_of(fit)
    place = {(r["lhs"], r["op"], "" if r["op"] == ":=" else r["rhs"]): k for k, r in enumerate(tidy.to_dict("records"))}
    order = [
        place[lhs, op, "" if op == ":=" else rhs]
        for lhs, op, rhs in zip(case["lhs"], case["op"], case["rhs"], strict=True)
    ]
    assert sorted(order) == list(range(len(tidy)))
    errors = np.where(tidy["std_error"] > 0, tidy["std_error"], 0.05)[order]
    for often, raw, standard in zip(case["counts"], case["estimates"], case["std_all"], strict=True):
        found = replicate(plan, [np.array(often)])
        np.testing.assert_array_less(np.abs(found.raw[order] - raw) / errors, 2e-3)
        np.testing.assert_allclose(found.std_all[order], standard, atol=2e-4)


def test_clusters_that_cut_groups_are_drawn_over_all_groups():
    fit = fitted(MODEL, DATA["plain"], {"cluster": "agency", "group": "school"})
    frame = DATA["plain"]
    cut = frame.groupby("agency")["school"].nunique().max() > 1
    units = units_of(plan_of(fit), None)
    assert len(units.strata) == (1 if cut else 2)
    rows = units_of(plan_of(fit), "rows")
    assert [len(stratum) for stratum in rows.strata] == [group.n for group in fit.samples]
    counts = units.counts(np.random.default_rng(1))
    often = pd.Series(np.concatenate(counts), index=np.concatenate([g.index for g in fit.samples]))
    assert (often.groupby(frame["agency"]).nunique() == 1).all()


@pytest.mark.parametrize(("data", "options"), [("plain", {}), ("holes", {"missing": "fiml"})])
def test_a_group_that_nobody_drawn_belongs_to_is_a_failed_draw(data, options):
    frame = DATA[data].assign(agency=np.arange(len(FRAME)) % 12)
    few = (frame["agency"] == 0) & (np.arange(len(FRAME)) < 150)
    frame["part"] = np.where(few, "in one cluster", "in all")
    fit = fitted("f =~ x1 + x2 + x3", frame, {"cluster": "agency", "group": "part", **options})
    with pytest.warns(FailedDrawsWarning):
        found = fit.bootstrap(draws=20, seed=1)
    lost = [
        not counts[list(fit.table.groups).index("in one cluster")].any()
        for counts in (
            units_of(plan_of(fit), None).counts(np.random.default_rng(seed))
            for seed in np.random.SeedSequence(1).spawn(20)
        )
    ]
    assert np.isnan(found.draws[lost]).all()
    assert 0 < sum(lost) <= found.failed < 20


def test_errors_by_cluster_follow_the_clusters():
    generator = np.random.default_rng(5)
    shared = np.repeat(generator.standard_normal((60, 1)), 10, axis=0)
    x = 0.7 * shared[:, 0] + generator.standard_normal(600)
    frame = pd.DataFrame({"x": x, "y": 0.3 * x + shared[:, 0] + generator.standard_normal(600)})
    frame["agency"] = np.repeat(np.arange(60), 10)
    fit = sr.sem("y ~ x", frame, cluster="agency")
    expected = fit.tidy().loc[0, "std_error"]
    by_cluster = fit.bootstrap(draws=300).tidy().loc[0, "std_error"]
    by_rows = fit.bootstrap(draws=300, by="rows").tidy().loc[0, "std_error"]
    assert by_cluster == pytest.approx(expected, rel=0.2)
    assert by_rows < 0.8 * expected
    tidy = fit.bootstrap(draws=120).tidy("bca")  # folds are clusters
    assert tidy.loc[0, "conf_low"] < tidy.loc[0, "estimate"] < tidy.loc[0, "conf_high"]


def test_one_cluster_cannot_be_drawn():
    frame = DATA["plain"].assign(agency=["a"] * 200 + ["b"] * (len(FRAME) - 200))
    pasteur = DATA["plain"]["school"] == "Pasteur"
    alone = DATA["plain"].assign(agency=np.where(pasteur, 0, 1 + np.arange(len(FRAME)) // 9))
    two = fitted("f =~ x1 + x2 + x3", frame, {"cluster": "agency"})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert two.bootstrap(draws=3).units.size == 2
    with pytest.raises(AnalysisError, match="cluster"):
        fitted("f =~ x1 + x2 + x3", alone, {"cluster": "agency", "group": "school"}).bootstrap(draws=3)
    with pytest.raises(OptionError, match="clusters"):
        fitted("f =~ x1 + x2 + x3", frame, {}).bootstrap(draws=3, by="cluster")


def test_an_answer_that_nobody_drawn_gave_is_a_failed_draw():
    frame = DATA["coded"].copy()
    frame.loc[frame.index[:2], "x1"] = 0.0
    fit = fitted("f =~ x1 + x2 + x3 + x4", frame, {"ordered": True})
    with pytest.warns(FailedDrawsWarning):
        found = fit.bootstrap(draws=40, seed=2)
    assert set(found.failures) == {"category"}
    assert 0 < found.failed < 20
    assert f": {found.failed}." in found.summary("en")
    assert found.tidy()["draws"].max() == 40 - found.failed


def test_monte_carlo_needs_as_many_clusters_as_parameters():
    few = DATA["plain"].assign(agency=np.arange(len(FRAME)) % 6)
    fit = fitted(MODEL, few, {"cluster": "agency"})
    with pytest.raises(AnalysisError, match="full rank"):
        fit.monte_carlo()
    assert fitted(MODEL, DATA["plain"], {"cluster": "agency"}).monte_carlo(2000).tidy()["conf_low"].notna().all()
