"""The method factor as a sensitivity analysis: the sequence of models, its tests, and what is not compared."""

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import AnalysisError, OptionError
from sipas_research.results import TIDY_COLUMNS, DataKind, Result

MODEL = "A =~ a0 + a1 + a2\nB =~ b0 + b1 + b2\nC =~ c0 + c1 + c2"
MARKER = ("m0", "m1", "m2")
LOADS = {"A": [0.8, 0.6, 0.7], "B": [0.5, 0.9, 0.7], "C": [0.75, 0.65, 0.55]}
PHI = np.array([[1, 0.5, 0.4], [0.5, 1, 0.3], [0.4, 0.3, 1]])


def moments(method=0.0, rows=800):
    """A population in which every item loads ``method`` on the marker's factor."""
    loads = np.zeros((12, 4))
    for k, own in enumerate(LOADS.values()):
        loads[3 * k : 3 * k + 3, k] = own
    loads[:9, 3] = method
    loads[9:, 3] = 0.8, 0.7, 0.6
    phi = np.eye(4)
    phi[:3, :3] = PHI
    matrix = loads @ phi @ loads.T + 0.4 * np.eye(12)
    names = [f"{f.lower()}{k}" for f in LOADS for k in range(3)] + list(MARKER)
    return sr.Moments(
        pd.DataFrame(matrix, index=names, columns=names), n=rows, divisor="n", data_kind=DataKind.SIMULATED
    )


@pytest.fixture(scope="module")
def biased():
    return sr.method_factor(MODEL, moments(0.35), marker=MARKER)


def test_a_marker_finds_the_variance_that_was_put_in(biased):
    assert isinstance(biased, Result)
    assert biased.names == ("cfa", "baseline", "equal", "free", "restricted")
    table = biased.comparison().set_index("variant")
    assert table.loc["equal", "chisq"] == pytest.approx(0, abs=1e-4)
    assert table.loc["equal", "df_diff"] == 1
    assert table.loc["equal", "p_value"] < 1e-6
    assert table.loc["free", "p_value"] > 0.99
    assert biased.chosen == "equal"
    assert table.loc["restricted", "df_diff"] == 3
    assert table.loc["restricted", "p_value"] < 0.05
    variance = np.diag(np.asarray(moments(0.35).cov))[:9]
    assert biased.variant("equal").share == pytest.approx((0.35**2 / variance).mean(), abs=1e-5)
    tidy = biased.tidy().set_index(["term", "group"])
    assert tidy.loc[("A ~~ B", "equal"), "estimate"] == pytest.approx(0.5, abs=1e-4)
    assert tidy.loc[("A ~~ B", "baseline"), "estimate"] > 0.59
    assert tidy.loc[("A ~~ B", "restricted"), "estimate"] == pytest.approx(
        tidy.loc[("A ~~ B", "baseline"), "estimate"], abs=1e-10
    )
    assert list(biased.tidy().columns) == list(TIDY_COLUMNS)


def test_the_baseline_keeps_the_markers_own_parameters(biased):
    before, after = biased.variant("cfa").fit.tidy(), biased.variant("baseline").fit.tidy()
    for lhs, op in (("marker", "=~"), ("m0", "~~")):
        rows = [t[(t["lhs"] == lhs) & (t["op"] == op) & t["rhs"].isin(MARKER)]["estimate"] for t in (before, after)]
        assert np.allclose(*rows)
    assert (after[after["lhs"].eq("marker") & after["op"].eq("~~") & after["rhs"].ne("marker")]["estimate"] == 0).all()


def test_nothing_is_called_corrected(biased):
    assert biased.data_kind is DataKind.SIMULATED
    for language, said in (("vi", "phân tích độ nhạy"), ("en", "sensitivity analysis")):
        assert said in biased.summary(language)
    assert set(biased.tidy().query("group == 'equal'")["note"]) == {"common_method.note.sensitivity"}
    assert "corrected" not in " ".join(biased.tidy().columns)


def test_a_marker_without_bias_changes_nothing():
    found = sr.method_factor(MODEL, moments(0.0), marker=MARKER)
    table = found.comparison().set_index("variant")
    assert table.loc["equal", "p_value"] > 0.99
    assert found.variant("equal").share == pytest.approx(0, abs=1e-6)
    assert found.glance().loc[0, "largest_change"] < 1e-3


def test_tests_agree_with_models_written_out(biased):
    """The free variant written by hand, its loadings scaled by the first item instead of the variance."""
    cov = moments(0.35)
    text = MODEL + "\nM =~ m0 + m1 + m2 + a0 + a1 + a2 + b0 + b1 + b2 + c0 + c1 + c2\nM ~~ 0*A + 0*B + 0*C"
    by_hand = sr.cfa(text, cov)
    free = biased.variant("free").fit
    # the marker's three loadings, and three error variances, are kept from the first model: six degrees more
    assert free.measures["df"] == by_hand.measures["df"] + 6
    assert free.measures["chisq"] == pytest.approx(by_hand.measures["chisq"], abs=1e-3)


def test_an_unmeasured_factor_is_named_for_what_it_is():
    found = sr.method_factor(MODEL, moments(0.35))
    assert found.names == ("baseline", "equal", "free")
    assert found.kind == "unmeasured"
    assert found.chosen == ""
    assert found.notes[-1] == "common_method.note.unmeasured"
    assert "Chin, Thatcher & Wright 2012" in found.summary("vi")


def test_a_variant_that_is_not_identified_is_not_compared():
    """With equal loadings throughout, an equal method factor cannot be told from correlated factors."""
    loads = np.kron(np.eye(3), np.full((3, 1), 0.7))
    names = [f"{f}{k}" for f in "abc" for k in range(3)]
    matrix = loads @ PHI @ loads.T + 0.51 * np.eye(9)
    found = sr.method_factor(MODEL, sr.Moments(pd.DataFrame(matrix, index=names, columns=names), n=300))
    equal = found.variant("equal")
    assert not equal.usable
    assert np.isnan(equal.share)
    assert np.isnan(equal.measure("chisq"))
    assert found.tests[0].note == "common_method.note.no_test"
    assert found.tidy().query("group == 'equal'")["estimate"].isna().all()
    assert np.isfinite(found.tidy().query("group == 'baseline'")["estimate"]).all()


def test_structural_models_and_fixed_loadings():
    model = MODEL.replace("a0", "1*a0") + "\nC ~ A + B"
    found = sr.method_factor(model, moments(0.35), marker=MARKER)
    assert {(c.lhs, c.op, c.rhs) for c in found.coefficients} == {("C", "~", "A"), ("C", "~", "B"), ("A", "~~", "B")}
    plain = sr.method_factor(MODEL + "\nC ~ A + B", moments(0.35), marker=MARKER)
    for one, other in zip(found.coefficients, plain.coefficients, strict=True):
        assert one.values[:4] == pytest.approx(other.values[:4], abs=1e-5)


def test_robust_estimators_use_scaled_differences(items):
    model = "access =~ access1 + access2 + access3 + access4\nstaff =~ staff1 + staff2 + staff3 + staff4"
    found = sr.method_factor(model, items, marker=("result1", "result2", "result3"), estimator="MLR")
    equal = found.variant("equal").fit
    assert found.variant("equal").measure("chisq") == equal.measures["chisq_scaled"]
    step = sr.compare(equal, found.variant("baseline").fit).rows[1]
    assert found.tests[0].chisq == step.chisq_diff
    assert step.method.startswith("satorra")


def test_what_is_refused():
    data = moments(0.2)
    for options in ({"marker": ("a0", "m1")}, {"marker": ("m0",)}, {"marker": ("m0", "m0")}, {"items": ["m0", "a0"]},
                    {"items": ["a0"]}, {"items": ["a0", "a0"]}):  # fmt: skip
        with pytest.raises(OptionError):
            sr.method_factor(MODEL, data, **options)
    with pytest.raises(AnalysisError):
        sr.method_factor("A =~ a0 + a1 + a2", data)
    with pytest.raises(AnalysisError):
        sr.method_factor(MODEL, data, marker=("nothing", "there"))


def test_names_in_use_are_left_alone():
    model = MODEL.replace("A =~", "marker =~") + "\nmarker ~~ method_loading*B"
    found = sr.method_factor(model, moments(0.35), marker=MARKER)
    assert found.variant("equal").usable
    assert found.variant("equal").share > 0.05
