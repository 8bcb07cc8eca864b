"""Ordered answers with holes: every pair of items by the rows that hold both. Beside lavaan: test_lavaan_models.py."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import test_thresholds_disclosed as disclosed
from scipy.stats import norm

import sipas_research as sr
from sipas_research.errors import AnalysisError, DroppedRowsWarning, OptionError
from sipas_research.sem.ordinal_tables import from_tables

ITEMS = [f"u{k}" for k in range(1, 7)]
MODEL = "F =~ u1 + u2 + u3\nH =~ u4 + u5 + u6\n"
FILE = Path(__file__).resolve().parents[1] / "reference" / "sem" / "models" / "answer_holes.csv"


@pytest.fixture(scope="module")
def answers() -> pd.DataFrame:
    return pd.read_csv(FILE)


@pytest.fixture(scope="module")
def fit(answers):
    return sr.cfa(MODEL, answers, ordered=True, missing="pairwise")


def coded(answers: pd.DataFrame) -> tuple[np.ndarray, tuple[int, ...]]:
    sizes = tuple(int(answers[item].nunique()) for item in ITEMS)
    columns = [answers[item].fillna(size + 1).to_numpy() - 1 for item, size in zip(ITEMS, sizes, strict=True)]
    return np.array(columns, dtype=np.int8), sizes


def test_without_holes_pairwise_is_listwise(answers):
    whole = answers.dropna()
    listwise, pairwise = (sr.cfa(MODEL, whole, ordered=True, missing=way) for way in ("listwise", "pairwise"))
    pd.testing.assert_frame_equal(listwise.tidy(), pairwise.tidy(), rtol=1e-12)
    pd.testing.assert_series_equal(listwise.fit_measures(), pairwise.fit_measures(), rtol=1e-12)


def test_each_statistic_rests_on_the_rows_that_hold_it(answers, fit):
    found = fit.tidy().set_index(["lhs", "op", "rhs"])
    for item in ITEMS:
        given = answers[item].dropna()
        for rank, cut in enumerate(sorted(given.unique())[:-1], start=1):
            assert found.loc[(item, "|", f"t{rank}"), "estimate"] == pytest.approx(norm.ppf((given <= cut).mean()))
    both = sr.polychoric(answers[ITEMS], missing="pairwise").fit.correlation
    assert fit.problem.samples[0].correlation == pytest.approx(both, abs=1e-9)


def test_what_a_row_adds_is_the_slope_by_its_weight(answers):
    codes, sizes = coded(answers)
    ones = np.ones(codes.shape[1])
    _, looked_up = from_tables(codes, sizes, ones)
    rows = looked_up.of(codes)
    assert rows.sum(axis=1) == pytest.approx(np.zeros(rows.shape[0]), abs=1e-6)
    step = 1e-3
    upper = np.triu_indices(len(ITEMS), 1)
    incomplete = np.flatnonzero((codes == np.array(sizes)[:, None]).any(axis=0))
    for person in incomplete[[0, 40, 200]]:
        moved = []
        for sign in (1.0, -1.0):
            weights = ones.copy()
            weights[person] += sign * step
            other, _ = from_tables(codes, sizes, weights)
            moved.append(np.concatenate([*other.thresholds, other.correlation[upper]]))
        slope = (moved[0] - moved[1]) / (2 * step)
        cuts = sum(size - 1 for size in sizes)
        assert slope[:cuts] == pytest.approx(rows[:cuts, person], abs=1e-8)
        # the mean of the squared score stands for the curvature: equal in large samples only
        assert slope[cuts:] == pytest.approx(rows[cuts:, person], abs=3e-4)


def test_each_row_a_cluster_of_its_own_gives_the_errors_without_clusters(answers, fit):
    alone = sr.cfa(MODEL, answers.assign(row=range(len(answers))), ordered=True, missing="pairwise", cluster="row")
    ratio = (alone.tidy()["std_error"] / fit.tidy()["std_error"]).dropna()
    assert ratio.to_numpy() == pytest.approx(np.sqrt(len(answers) / (len(answers) - 1)), rel=1e-6)


def test_a_bootstrap_draw_is_a_fit_of_the_rows_drawn(answers, fit):
    drawn = fit.bootstrap(draws=12, seed=4)
    assert drawn.failed == 0
    spread = drawn.tidy().set_index(["lhs", "op", "rhs"]).loc[("F", "=~", "u2"), "std_error"]
    error = fit.tidy().set_index(["lhs", "op", "rhs"]).loc[("F", "=~", "u2"), "std_error"]
    assert 0.4 < spread / error < 1.8


def test_a_person_is_scored_by_the_answers_given(answers):
    model = "F =~ u1 + u2 + u3"
    some = answers.dropna(subset=["u1", "u2", "u3"], how="all")
    fit = sr.cfa(model, some, ordered=True, missing="pairwise", std_lv=True)
    scores = fit.scores()["F"].to_numpy()
    assert np.isfinite(scores).all()
    tidy = fit.tidy().set_index(["lhs", "op", "rhs"])["estimate"].sort_index()
    grid = np.linspace(-4, 4, 8001)
    held = some[["u1", "u2", "u3"]].to_numpy()
    patterns = {tuple(np.isnan(row)): place for place, row in enumerate(held)}
    assert len(patterns) == 7  # every way to answer at least one
    for place in patterns.values():
        posterior = norm.logpdf(grid)
        for item, answer in zip(("u1", "u2", "u3"), held[place], strict=True):
            if np.isnan(answer):
                continue
            loading = tidy["F", "=~", item]
            cuts = [-np.inf, *tidy.loc[(item, "|")].to_numpy(), np.inf]
            low, high = ((cuts[int(answer) - 1 + k] - loading * grid) / np.sqrt(1 - loading**2) for k in (0, 1))
            posterior = posterior + np.log(norm.cdf(high) - norm.cdf(low))
        assert scores[place] == pytest.approx(grid[posterior.argmax()], abs=1.1e-3)


def test_holes_by_chance_leave_the_loadings_where_they_were(answers):
    generator = np.random.default_rng(3)
    loadings = np.array([0.8, 0.7, 0.6, 0.75, 0.65, 0.7])
    latent = generator.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], size=6000)
    values = latent[:, [0, 0, 0, 1, 1, 1]] * loadings + generator.standard_normal((6000, 6)) * np.sqrt(1 - loadings**2)
    coarse = np.searchsorted([-1.2, -0.5, 0.2, 1.0], values.ravel()).reshape(values.shape).astype(float)
    coarse[generator.random(coarse.shape) < 0.3] = np.nan
    frame = pd.DataFrame(coarse, columns=ITEMS).dropna(how="all")
    fit = sr.cfa(MODEL, frame, ordered=True, missing="pairwise", std_lv=True)
    found = fit.tidy().query("op == '=~'")
    assert (np.abs(found["estimate"].to_numpy() - loadings) < 3.5 * found["std_error"].to_numpy()).all()
    listwise = sr.cfa(MODEL, frame.dropna(), ordered=True, std_lv=True).tidy().query("op == '=~'")
    assert (found["std_error"].to_numpy() < 0.75 * listwise["std_error"].to_numpy()).all()


def test_rows_without_any_answer_are_left_out_and_told(answers):
    empty = answers.copy()
    empty.loc[100:119, ITEMS] = np.nan
    with pytest.warns(DroppedRowsWarning, match="20 trên 900"):
        fit = sr.cfa(MODEL, empty, ordered=True, missing="pairwise")
    assert fit.n == 880
    incomplete = int(empty.drop(index=range(100, 120))[ITEMS].isna().any(axis=1).sum())
    line = next(line for line in fit.summary("en").splitlines() if "pair of items" in line)
    assert line.split()[-1] == str(incomplete)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "received ML"),
        ({"estimator": "MLR"}, "received MLR"),
        ({"ordered": ITEMS[:5]}, "continuous or predictors here: u6"),
    ],
)
def test_what_pairwise_is_not_for(answers, options, said):
    with pytest.raises(OptionError, match=said):
        sr.cfa(MODEL, answers, missing="pairwise", **options)


def test_no_predictors_and_no_moments(answers):
    with pytest.raises(OptionError, match="here: w"):
        sr.sem(MODEL + "F ~ w", answers, missing="pairwise", ordered=ITEMS)
    moments = sr.Moments(np.eye(6), n=100, names=ITEMS)
    with pytest.raises(OptionError, match="single responses"):
        sr.cfa(MODEL, moments, missing="pairwise", estimator="DWLS", ordered=True)


def test_pairs_that_nobody_answered_together_are_named(answers):
    apart = answers.copy()
    apart.loc[apart["u1"].notna(), "u4"] = np.nan
    with pytest.raises(AnalysisError, match="u1 - u4"):
        sr.cfa(MODEL, apart, ordered=True, missing="pairwise")
    for item, group in itertools.product(["u1"], ["a", "b"]):
        gone = answers.copy()
        gone.loc[gone["g"] == group, item] = np.nan
        with pytest.raises(AnalysisError, match=rf"\[{group}\]: {item}"):
            sr.cfa(MODEL, gone, ordered=True, missing="pairwise", group="g")


def test_thresholds_of_checked_answers_are_hidden_by_the_people_who_answered():
    frame = disclosed.answers(disclosed.FULL)
    rare = np.flatnonzero(frame["a1"] == 2)
    frame.loc[rare[3:], "a1"] = np.nan  # three people are left in category 2
    found = sr.cfa(disclosed.MODEL, disclosed.checked(frame), ordered=True, missing="pairwise").tidy()
    cuts = found[(found["lhs"] == "a1") & (found["op"] == "|")].set_index("rhs")["estimate"]
    assert cuts[["t1", "t2"]].isna().all()
    assert cuts["t3"] == pytest.approx(norm.ppf(223 / 373))
    others = found[(found["lhs"] != "a1") & (found["op"] == "|")]
    assert others["estimate"].notna().all()
    bare = sr.cfa(disclosed.MODEL, frame, ordered=True, missing="pairwise").tidy()
    assert bare["estimate"].notna().all()


def test_pairs_of_items_that_few_people_answered_together_are_refused():
    frame = disclosed.answers(disclosed.FULL)
    frame.loc[frame.index[9:], "a1"] = np.nan
    frame.loc[frame.index[:2], "a2"] = np.nan
    frame.loc[frame.index[9:40], "a1"] = np.resize([1.0, 2.0, 3.0, 4.0], 31)
    frame.loc[frame.index[9:40], "a2"] = np.nan
    with pytest.raises(AnalysisError, match="Fewer than 10 forms answer some two items"):
        sr.cfa(disclosed.MODEL, disclosed.checked(frame), ordered=True, missing="pairwise")
