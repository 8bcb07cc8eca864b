"""semopy estimates our models again: both against lavaan, what is refused, what explains a difference."""

import dataclasses
import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research import errors
from sipas_research.results import TIDY_COLUMNS, DataKind, Result
from sipas_research.verification import semopy_check
from sipas_research.verification.semopy_agreement import AGREES, CHI_SQUARE_AGREES, ComparedCoefficient, SemopyAgreement

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
DATA = {"hs_ml": "sem/holzinger.csv", "quality_ml": "factors/items.csv", "levers_ml": "sem/levers.csv"}
THREE = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9\n"


def read(case):
    expected = json.loads((REFERENCE / "sem" / f"{case}.json").read_text(encoding="utf-8"))
    return expected, pd.read_csv(REFERENCE / DATA[case])


@pytest.fixture(scope="module", params=list(DATA))
def case(request):
    expected, frame = read(request.param)
    fit = sr.sem(expected["model"], frame)
    return expected, fit, sr.verify_with_semopy(fit)


@pytest.fixture(scope="module")
def holzinger():
    return read("hs_ml")[1]


def test_both_agree_and_chi_square_equals_lavaan(case):
    expected, fit, found = case
    assert isinstance(found, Result)
    assert found.agrees
    assert found.verdict == "agrees"
    assert found.their_chi_square == pytest.approx(expected["fit"]["chisq"], rel=1e-5)
    assert found.chi_square == pytest.approx(expected["fit"]["chisq"], rel=1e-8)
    # ours is the minimum: semopy's coefficients can only be above it, by the square of the step that is left
    assert found.excess >= -1e-9
    assert found.excess == pytest.approx(found.step_left**2, rel=0.05, abs=1e-7)
    assert found.largest <= 1.1 * found.step_left
    assert found.df == expected["fit"]["df"]
    assert len(found.rows) == expected["fit"]["npar"] == fit.table.size


def test_coefficients_of_semopy_equal_lavaan(case):
    expected, _, found = case
    reference = {(e["lhs"], e["op"], e["rhs"]): e for e in expected["estimates"] if e["op"] != ":="}
    for row in found.rows:
        theirs = reference.get((row.lhs, row.op, row.rhs)) or reference[row.rhs, row.op, row.lhs]
        assert row.theirs == pytest.approx(theirs["est"], abs=1e-3)
        assert row.ours == pytest.approx(theirs["est"], abs=1e-5)
        assert row.their_std_error == pytest.approx(theirs["se"], abs=1e-3)


def test_measures_of_fit_equal_lavaan(case):
    expected, fit, _ = case
    names = {n: n for n in ("pvalue", "cfi", "tli", "nfi", "gfi_lisrel", "agfi_lisrel", "rmsea", "srmr")}
    names |= {"logl": "logl", "aic": "aic", "bic": "bic", "baseline_chisq": "baseline.chisq"}
    names |= {"rmsea_ci_upper": "rmsea.ci.upper", "rmsea_ci_lower": "rmsea.ci.lower", "baseline_df": "baseline.df"}
    measures = fit.fit_measures()
    for ours, theirs in names.items():
        assert measures[ours] == pytest.approx(expected["fit"][theirs], rel=1e-6, abs=1e-6), ours


@pytest.mark.filterwarnings("ignore::sipas_research.errors.SingleIndicatorWarning")
@pytest.mark.parametrize(
    ("model", "options"),
    [
        (THREE, {"std_lv": True}),
        (THREE, {"orthogonal": True}),
        (THREE + "g =~ visual + textual + speed", {}),
        ("visual =~ a*x1 + b*x2 + b*x3\ntextual =~ x4 + 0.8*x5 + x6", {}),
        ("visual =~ x1 + x2 + x3\nvisual ~ x7 + x8\nx9 ~ visual", {}),
        ("x1 ~ x4 + x5\nx2 ~ x1 + x4", {}),
        ("visual =~ x1 + x2 + x3\nother =~ x4\nother ~ visual", {}),
        (THREE + "x7 ~ visual", {}),
    ],
    ids=["std_lv", "orthogonal", "second order", "equal and fixed", "observed", "no latent", "one item", "on item"],
)
def test_every_kind_of_model_is_written_as_semopy_reads_it(holzinger, model, options):
    fit = sr.sem(model, holzinger, **options)
    found = sr.verify_with_semopy(fit)
    assert found.agrees, found.summary("en")
    assert found.step_left < 0.01


def test_names_need_not_be_plain_and_order_does_not_matter(holzinger):
    names = {f"x{k}": f"câu.{k}_hài_lòng" for k in range(1, 10)}
    turned = holzinger.sample(frac=1, random_state=4)[sorted(holzinger.columns, reverse=True)].rename(columns=names)
    model = THREE
    for old, new in [*names.items(), ("visual", "tiếp_cận"), ("speed", "_s")]:
        model = model.replace(old, new)
    found = sr.verify_with_semopy(sr.sem(model, turned))
    plain = sr.verify_with_semopy(sr.sem(THREE, holzinger))
    assert found.agrees
    assert found.their_chi_square == pytest.approx(plain.their_chi_square, rel=1e-6)
    assert found.rows[0].rhs == "câu.2_hài_lòng"
    assert found.data_kind is DataKind.USER


def test_incomplete_rows_are_those_that_the_fit_left_out(holzinger):
    frame = holzinger.astype(float)
    frame.iloc[:20, 0] = np.nan
    with pytest.warns(errors.DroppedRowsWarning):
        found = sr.verify_with_semopy(sr.sem(THREE, frame))
    assert (found.n, found.agrees) == (281, True)


def test_what_semopy_cannot_estimate_is_a_result_with_the_reason(holzinger):
    frame = holzinger.assign(half=np.arange(len(holzinger)) % 2)
    moments = sr.Moments(holzinger.cov(), n=len(holzinger))
    refused = {
        "groups": sr.sem(THREE, frame, group="half"),
        "estimator": sr.sem(THREE, frame, estimator="MLR"),
        "means": sr.sem(THREE, frame, meanstructure=True),
        "constraints": sr.sem(THREE + "visual ~~ v*visual\nv == 1", frame),
        "no_rows": sr.sem(THREE, moments),
    }
    for name, fit in refused.items():
        found = sr.verify_with_semopy(fit)
        assert found.reason == f"semopy.reason.{name}"
        assert not found.compared
        assert not found.agrees
        assert found.tidy().empty
        assert found.glance()["reason"].item()
        assert np.isnan(found.largest)
        for language in ("vi", "en"):
            assert "semopy" in found.summary(language)
            assert found.explanation(language) == ""
    many = sr.verify_with_semopy(sr.sem(THREE, frame), most_items=8)
    assert "9" in many.summary("en")
    assert many.reason == "semopy.reason.many_items"
    with pytest.raises(errors.OptionError, match="DataFrame"):
        sr.verify_with_semopy(frame)


@pytest.mark.filterwarnings("ignore::sipas_research.errors.NotIdentifiedWarning")
def test_a_model_without_a_solution_is_not_compared(holzinger):
    found = sr.verify_with_semopy(sr.sem("f =~ x1 + x2", holzinger))
    assert found.reason == "semopy.reason.no_solution"


def test_a_search_that_ends_early_is_told_and_explains_the_differences(holzinger, monkeypatch):
    monkeypatch.setattr(semopy_check, "_MOST_STEPS", 12)
    found = sr.verify_with_semopy(sr.sem(THREE, holzinger))
    assert not found.finished
    assert found.verdict == "stopped_early"
    assert not found.agrees
    assert found.excess > CHI_SQUARE_AGREES
    assert "stopped before the minimum" in found.summary("en")
    assert "dừng trước điểm cực tiểu" in found.summary("vi")


@pytest.mark.filterwarnings("ignore::sipas_research.errors.HeywoodWarning")
def test_a_negative_variance_here_is_a_bound_there():
    # r12 r13 / r23 = 1.6: the first item would need more variance from the factor than it has
    wanted = np.array([[1.0, 0.8, 0.6], [0.8, 1.0, 0.3], [0.6, 0.3, 1.0]])
    noise = np.linalg.qr(np.column_stack([np.ones(200), np.random.default_rng(5).normal(size=(200, 3))]))[0][:, 1:]
    frame = pd.DataFrame(noise @ np.linalg.cholesky(wanted).T * 10, columns=list("abc"))
    found = sr.verify_with_semopy(sr.sem("f =~ b + a + c", frame))
    assert found.at_bound == ("a",)
    assert found.verdict == "at_bound"
    assert "Heywood" in found.summary("vi")


def test_failures_of_semopy_are_results(holzinger, monkeypatch):
    fit = sr.sem(THREE, holzinger)

    def broken(*_):
        raise np.linalg.LinAlgError

    monkeypatch.setattr(semopy_check, "_read", broken)
    assert sr.verify_with_semopy(fit).reason == "semopy.reason.failed"
    monkeypatch.setattr(semopy_check, "_read", lambda *_: ({0: np.nan}, {0: 1.0}))
    assert sr.verify_with_semopy(fit).reason == "semopy.reason.failed"
    monkeypatch.setattr(semopy_check, "_read", lambda *_: ({0: 1.0}, {0: 1.0}))
    assert sr.verify_with_semopy(fit).reason == "semopy.reason.other_model"
    assert logging.root.manager.disable == logging.NOTSET


def made(difference, excess, step=0.0):
    row = ComparedCoefficient("f", "=~", "x", 1.0, 1.0 + difference * 0.1, 0.1, 0.1, difference)
    return SemopyAgreement(
        (row,), 10.0, 10.0 + excess, 3, step, True, (), 100, 3, "", (), DataKind.USER
    )  # fmt: skip


def test_the_rule_of_agreement():
    assert made(AGREES * 0.99, 0.0).agrees
    assert made(AGREES * 1.01, 0.0).verdict == "differs"
    assert made(AGREES * 1.01, 0.02, 0.14).verdict == "stopped_early"
    assert made(0.0, 0.02).verdict == "stopped_early"
    assert made(0.0, -0.02).verdict == "lower_there"
    assert made(0.5, 0.02, 0.14).verdict == "differs"
    assert not made(float("nan"), 0.0).agrees
    for found in (made(0.0, -0.02), made(0.5, 0.02, 0.14)):
        assert found.explanation("vi") != found.explanation("en")


def test_the_table_has_the_common_columns_and_is_frozen(holzinger):
    found = sr.verify_with_semopy(sr.sem(THREE, holzinger, data_kind=DataKind.SIMULATED))
    table = found.tidy()
    assert tuple(table.columns[: len(TIDY_COLUMNS)]) == TIDY_COLUMNS
    assert table["estimate"].dtype == float
    assert set(table["data_kind"]) == {"simulated"}
    assert table["agrees"].all()
    assert found.glance()["agreed"].item() == len(table) == 21
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.n = 3
