"""Likelihood-ratio tests: lavaan's values, a second road to them, their size, and what is refused."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path

import lavaan_cases as cases
import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import AnalysisError, HeywoodWarning, HonestyError, NotIdentifiedWarning, OptionError
from sipas_research.sem import difference as scaled
from sipas_research.sem.difference import METHODS, difference, moment_slopes
from sipas_research.sem.nesting import nesting

FOLDER = Path(__file__).resolve().parents[1] / "reference" / "sem"
NESTED = json.loads((FOLDER / "nested_tests.json").read_text(encoding="utf-8"))
REFERENCE = json.loads((FOLDER / "model_tests.json").read_text(encoding="utf-8"))
HEAVY = ("f =~ x1 + x2 + x3 + x4 + x5", "f =~ x1 + x2 + x3 + x4 + 0.8*x5")
FREE, TIED = "f =~ x1 + x2 + x3 + x4", "f =~ x1 + a*x2 + a*x3 + a*x4"


def pair(estimator: str, models: tuple[str, str] | None = None, frame: pd.DataFrame | None = None, **options):
    free, tied = models or (NESTED["free"], NESTED["tied"])
    data = cases.data("survey") if frame is None else frame
    return tuple(sr.cfa(model, data, estimator=estimator, **options) for model in (free, tied))


def drawn(rng: np.random.Generator, n: int, *, elliptical: bool = False) -> pd.DataFrame:
    values = rng.standard_normal((n, 1)) * [1.0, 0.8, 0.8, 0.8] + rng.standard_normal((n, 4)) * 0.7
    if elliptical:
        values *= np.sqrt(rng.exponential(size=(n, 1)))
    return pd.DataFrame(values, columns=["x1", "x2", "x3", "x4"])


def test_the_plain_difference_agrees_with_lavaan() -> None:
    found, theirs = sr.compare(*pair("ML")), NESTED["lrt_ml"]
    row = found.rows[1]
    assert row.chisq_diff == pytest.approx(theirs[1]["Chisq diff"], rel=1e-8)
    assert row.p_value == pytest.approx(theirs[1]["Pr(>Chisq)"], abs=1e-9)
    assert row.rmsea_diff == pytest.approx(theirs[1]["RMSEA"], abs=1e-9)
    for ours, expected in zip(found.rows, theirs, strict=True):
        assert (ours.df, ours.aic, ours.bic, ours.chisq) == pytest.approx(
            (expected["Df"], expected["AIC"], expected["BIC"], expected["Chisq"]), rel=1e-8
        )
    assert (row.method, row.note, found.indices) == ("plain", "", "plain")


@pytest.mark.parametrize("method", METHODS)
def test_scaled_differences_agree_with_lavaan(method: str) -> None:
    row = sr.compare(*pair("MLR"), method=method).rows[1]
    theirs = NESTED[f"lrt_mlr_{method[-4:]}"][1]
    assert row.chisq_diff == pytest.approx(theirs["Chisq diff"], rel=1e-6)
    assert row.p_value == pytest.approx(theirs["Pr(>Chisq)"], abs=1e-6)
    if method != "satorra_2000":  # there lavaan prints the RMSEA of the plain difference
        assert row.rmsea_diff == pytest.approx(theirs["RMSEA"], abs=1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_mlm_in_groups_agrees_with_lavaan(method: str) -> None:
    model, frame = cases.load("hs_ml")["model"], cases.data("holzinger39")
    fits = [
        sr.cfa(model, frame, estimator="MLM", group="school", group_equal=g) for g in ((), ("loadings", "intercepts"))
    ]
    row, theirs = sr.compare(*fits, method=method).rows[1], REFERENCE["groups"][method]
    assert (row.chisq_diff, row.df_diff) == pytest.approx((theirs["statistic"], theirs["df"]), rel=2e-5)


@pytest.mark.parametrize(
    ("name", "method", "note"),
    [
        ("negative_2001", "satorra_bentler_2010", "negative_2001"),
        ("negative_2010", "satorra_2000", "negative_2001; negative_2010"),
    ],
)
def test_a_negative_factor_leads_to_the_next_method_and_says_so(name: str, method: str, note: str) -> None:
    frame = pd.read_csv(FOLDER / f"{name}.csv")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HeywoodWarning)
        fits = pair("MLR", HEAVY, frame)
    found = sr.compare(*fits)
    row, theirs = found.rows[1], REFERENCE["heavy"][name][method]
    assert (row.method, row.note) == (method, note)
    assert row.chisq_diff == pytest.approx(theirs["statistic"], rel=1e-4)
    assert row.p_value == pytest.approx(theirs["p"], abs=1e-5)
    assert "2001" in found.summary("vi")
    forced = difference(*fits, "satorra_bentler_2001")
    assert np.isnan(forced.p_value)
    assert "negative_2001" in forced.notes


def test_satorra_2000_is_the_trace_of_u_gamma() -> None:
    """The second road: U and Gamma in full, with the restrictions written out."""
    free, tied = pair("MLM", meanstructure=False)
    names = sorted(free.table.observed)
    rows = cases.data("survey")[names].to_numpy(float)
    centred = rows - rows.mean(axis=0)
    below = np.tril_indices(len(names))
    gamma = np.cov((centred[:, below[0]] * centred[:, below[1]]).T, bias=True)
    inverse = np.linalg.inv(free.implied("cov").loc[names, names].to_numpy())
    doubled = np.where(below[0] == below[1], 1.0, 2.0)
    both = inverse[np.ix_(below[0], below[0])] * inverse[np.ix_(below[1], below[1])]
    both += inverse[np.ix_(below[0], below[1])] * inverse[np.ix_(below[1], below[0])]
    weight = 0.25 * np.outer(doubled, doubled) * both  # of the lower triangle, normal theory
    slopes = moment_slopes(free)
    inner = np.linalg.inv(slopes.T @ weight @ slopes)
    rows_of = list(free.table.names())
    across = np.zeros((3, len(rows_of)))
    for k, (left, right) in enumerate(
        [("access=~access2", "access=~access3"), ("access=~access3", "access=~access4"),
         ("result=~result2", "result=~result3")]
    ):  # fmt: skip
        across[k, rows_of.index(left)], across[k, rows_of.index(right)] = 1.0, -1.0
    middle = inner @ across.T @ np.linalg.inv(across @ inner @ across.T) @ across @ inner
    product = weight @ slopes @ middle @ slopes.T @ weight @ gamma
    stretch = np.sqrt(3 / np.trace(product @ product))
    plain = tied.tests.model.statistic - free.tests.model.statistic
    exact = stretch * plain + 3 - stretch * np.trace(product)
    # lavaan reads the restrictions off two sets of slopes at two points, hence the small distance
    assert difference(free, tied, "satorra_2000").statistic == pytest.approx(exact, rel=5e-3)


def test_models_are_put_in_order_and_several_are_compared() -> None:
    free, tied = pair("ML")
    middle = sr.cfa(NESTED["tied"].replace("b*result", "result"), cases.data("survey"))
    found = sr.compare(tied, free, middle, names=("chặt", "tự do", "giữa"))
    assert [row.model for row in found.rows] == ["tự do", "giữa", "chặt"]
    assert [row.df for row in found.rows] == [13, 15, 16]
    assert sum(row.chisq_diff for row in found.rows[1:]) == pytest.approx(NESTED["lrt_ml"][1]["Chisq diff"], rel=1e-7)
    table = found.tidy()
    assert np.isnan(table["p_value"][0])
    np.testing.assert_allclose(table["delta_cfi"][1:], np.diff(table["cfi"]))
    assert found.glance().loc[0, ["models", "n", "estimator"]].tolist() == [3, 1200, "ML"]


def test_gls_has_the_plain_difference() -> None:
    model, frame = cases.load("hs_ml")["model"], cases.data("holzinger39")
    fits = [sr.cfa(model, frame, estimator="GLS", orthogonal=o) for o in (False, True)]
    row = sr.compare(*fits).rows[1]
    assert row.chisq_diff == pytest.approx(REFERENCE["gls"]["statistic"], rel=1e-6)
    assert np.isnan(row.aic)


def test_models_that_are_not_nested_have_no_test() -> None:
    frame = cases.data("survey")
    one = sr.cfa("f =~ access1 + access2 + access3 + access4\naccess1 ~~ access2", frame)
    other = sr.cfa("f =~ access1 + access2 + a*access3 + a*access4\naccess3 ~~ access4", frame)
    same = sr.cfa("f =~ access1 + access2 + access3 + access4\naccess3 ~~ access4", frame)
    crossed = sr.cfa("f =~ access1 + a*access2 + a*access3 + access4", frame)
    assert not nesting(one, sr.cfa("f =~ access1 + a*access2 + a*access3 + access4\naccess2 ~~ access3", frame)).nested
    assert sr.compare(one, same).rows[1].note == "same_df"
    found = sr.compare(other, crossed)
    assert {row.note for row in found.rows[1:]} <= {"not_nested", "same_df"}
    assert np.isnan(found.rows[1].p_value)
    three = "a =~ access1 + access2 + access3 + access4\nb =~ result1 + result2 + result3"
    loose = sr.cfa(f"{three}\naccess1 ~~ access2", frame)
    strict = sr.cfa(f"{three.replace('result3', 'result3 + access1')}", frame)
    assert nesting(loose, strict).nested is False
    assert nesting(loose, sr.cfa(three, frame)).nested is True


def test_one_factor_is_nested_in_two_whatever_their_names() -> None:
    frame = cases.data("survey")
    two = sr.cfa(NESTED["free"], frame)
    one = sr.cfa("tất_cả =~ access1 + access2 + access3 + access4 + result1 + result2 + result3", frame)
    row = sr.compare(two, one).rows[1]
    assert (row.df_diff, row.note) == (1, "")
    assert row.p_value < 1e-50


def test_the_test_keeps_its_level() -> None:
    rng = np.random.default_rng(2025)
    rejected = 0
    for _ in range(200):
        frame = drawn(rng, 250)
        rejected += sr.compare(*pair("ML", (FREE, TIED), frame)).rows[1].p_value < 0.05
    assert 3 <= rejected <= 20  # binomial with 200 draws at 0.05: outside once in 2,000


def test_scaling_repairs_the_level_under_heavy_tails() -> None:
    rng = np.random.default_rng(77)
    plain = robust = 0
    for _ in range(150):
        frame = drawn(rng, 500, elliptical=True)
        plain += sr.compare(*pair("ML", (FREE, TIED), frame)).rows[1].p_value < 0.05
        robust += sr.compare(*pair("MLR", (FREE, TIED), frame)).rows[1].p_value < 0.05
    assert plain > 25
    assert robust <= 17


def test_fits_of_different_data_are_refused() -> None:
    frame = cases.data("survey")
    fit = sr.cfa(NESTED["free"], frame)
    shuffled = frame["access1"].sample(frac=1, random_state=1).to_numpy()
    for other, key in [
        (sr.cfa(NESTED["tied"], frame.iloc[:-1]), "data"),
        (
            sr.cfa(NESTED["tied"], frame.assign(access1=shuffled)),
            "data",
        ),
        (sr.cfa(NESTED["tied"].replace(" + b*result3", ""), frame), "variables"),
        (sr.cfa(NESTED["tied"], frame, estimator="MLR"), "estimators"),
        (sr.cfa(NESTED["tied"], frame, meanstructure=True), "means"),
        (sr.cfa(NESTED["tied"], frame, group="level", meanstructure=False), "groups"),
    ]:
        with pytest.raises(AnalysisError) as caught:
            sr.compare(fit, other)
        assert caught.value.key == f"sem_comparison.error.{key}"


def test_uls_and_fits_without_convergence_are_refused() -> None:
    fits = pair("ULS")
    with pytest.raises(AnalysisError) as caught:
        sr.compare(*fits)
    assert caught.value.key == "sem_comparison.error.uls"
    fit = pair("ML")[0]
    with pytest.raises(AnalysisError) as caught:
        sr.compare(fit, replace(fit, optimum=replace(fit.optimum, converged=False)))
    assert caught.value.key == "sem_comparison.error.not_converged"


def test_a_model_that_the_data_do_not_determine_is_refused() -> None:
    frame = cases.data("survey")
    with pytest.warns(NotIdentifiedWarning):
        lost = sr.cfa(f"{NESTED['free']}\naccess =~ result1 + result2 + result3", frame)
    with pytest.raises(AnalysisError) as caught:
        sr.compare(sr.cfa(NESTED["free"], frame), lost)
    assert caught.value.key == "sem_comparison.error.unidentified"


def test_simulated_data_never_stand_beside_others() -> None:
    frame = cases.data("survey")
    fits = [
        sr.cfa(NESTED[name], frame, data_kind=kind)
        for name, kind in (("free", sr.DataKind.USER), ("tied", sr.DataKind.SIMULATED))
    ]
    with pytest.raises(HonestyError):
        sr.compare(*fits)
    assert sr.compare(*pair("ML", data_kind=sr.DataKind.SIMULATED)).data_kind is sr.DataKind.SIMULATED


def test_options_outside_their_vocabulary_are_refused() -> None:
    free, tied = pair("ML")
    for options, key in (
        ({"method": "satorra_2000"}, "method_plain"), ({"method": "no"}, "method"), ({"names": ("a", "a")}, "names"),
    ):  # fmt: skip
        with pytest.raises(OptionError) as caught:
            sr.compare(free, tied, **options)
        assert caught.value.key == f"sem_comparison.error.{key}"
    with pytest.raises(OptionError) as caught:
        sr.compare(free, "tied")  # type: ignore[arg-type]
    assert caught.value.key == "sem_comparison.error.not_fit"


def test_an_inequality_at_its_bound_is_told() -> None:
    frame = drawn(np.random.default_rng(4), 300)
    free = sr.cfa("f =~ x1 + a*x2 + x3 + x4", frame)
    held = sr.cfa("f =~ x1 + a*x2 + x3 + x4\na > 0.95", frame)
    assert sr.compare(free, held).rows[1].note == "at_bound"


def test_where_every_method_fails_there_is_no_test(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(scaled, "_scaled", lambda name, *_: (calls.append(name), (float("nan"), -1.0))[1])
    found = difference(*pair("MLR"))
    assert calls == list(METHODS)
    assert found.notes == ("negative_2001", "negative_2010", "no_scaling")
    assert np.isnan(found.p_value)


def test_words_in_both_languages() -> None:
    found = sr.compare(*pair("MLR"), names=("tự do", "bằng nhau"))
    assert "bằng nhau so với tự do: Δχ² = 4,29; Δdf = 3; p = 0,232" in found.summary("vi")
    assert "Δχ² = 4.29; Δdf = 3; p = 0.232 (Satorra & Bentler (2001))" in found.summary("en")
    assert found.indices == "robust"
