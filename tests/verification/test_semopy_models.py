"""semopy's coefficients against lavaan's; chi-square and indices of our own; what cannot be estimated says why."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research import errors, resources
from sipas_research.numerics.covariance_fit import gfi_lisrel, normal_log_likelihood, srmr
from sipas_research.results import DataKind
from sipas_research.verification import semopy_models
from sipas_research.verification.latent_model import LatentModel, factor_model, implied, lever_model, standardized
from sipas_research.verification.semopy_models import semopy_cfa, semopy_fit, semopy_lever_model

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
DATA = {"hs_ml": "sem/holzinger.csv", "quality_ml": "factors/items.csv", "levers_ml": "sem/levers.csv"}


def read(case):
    expected = json.loads((REFERENCE / "sem" / f"{case}.json").read_text(encoding="utf-8"))
    return expected, pd.read_csv(REFERENCE / DATA[case])


def model_of(expected):
    """The model of a reference file, from its list of estimates."""
    rows = [(e["lhs"], e["op"], e["rhs"]) for e in expected["estimates"]]

    def gathered(op):
        found = {}
        for left, sign, right in rows:
            if sign == op:
                found.setdefault(left, []).append(right)
        return tuple((left, tuple(right)) for left, right in found.items())

    explained = {left for left, op, _ in rows if op == "~"}
    pairs = tuple((a, b) for a, op, b in rows if op == "~~" and a != b and a in explained)
    return LatentModel(gathered("=~"), gathered("~"), pairs)


@pytest.fixture(scope="module", params=list(DATA))
def case(request):
    expected, frame = read(request.param)
    return expected, frame, semopy_fit(frame, model_of(expected))


@pytest.fixture(scope="module")
def current():
    project = sr.load_study(resources.data("twin", "study.toml"))
    return project.current(project.responses("citizens"))


def test_chi_square_is_n_times_the_objective_and_equals_lavaan(case):
    expected, frame, found = case
    measures = found.fit_measures()
    assert measures["chisq"] == pytest.approx(expected["fit"]["chisq"], rel=1e-5)
    assert measures["chisq"] == pytest.approx(len(frame) * found.objective, rel=1e-7)
    # the multiplier is n: with n - 1 the value is further off than the search leaves it
    assert abs((len(frame) - 1) * found.objective - expected["fit"]["chisq"]) > 0.05
    assert measures["df"] == expected["fit"]["df"]
    assert measures["npar"] == expected["fit"]["npar"]


def test_measures_of_fit_equal_lavaan(case):
    expected, _, found = case
    names = {n: n for n in ("pvalue", "cfi", "tli", "nfi", "gfi_lisrel", "agfi_lisrel", "rmsea", "srmr")}
    names |= {"logl": "logl", "aic": "aic", "bic": "bic", "baseline_chisq": "baseline.chisq"}
    names |= {"rmsea_ci_upper": "rmsea.ci.upper", "rmsea_ci_lower": "rmsea.ci.lower", "baseline_df": "baseline.df"}
    measures = found.fit_measures()
    for ours, theirs in names.items():
        assert measures[ours] == pytest.approx(expected["fit"][theirs], rel=2e-4, abs=2e-5), ours


def test_coefficients_equal_lavaan(case):
    expected, _, found = case
    reference = {(e["lhs"], e["op"], e["rhs"]): e for e in expected["estimates"] if e["op"] != ":="}
    assert found.converged
    assert len(found.coefficients) == len(reference)
    for c in found.coefficients:
        theirs = reference.get((c.lhs, c.op, c.rhs)) or reference[c.rhs, c.op, c.lhs]
        assert c.estimate == pytest.approx(theirs["est"], abs=1e-3)
        assert c.std_all == pytest.approx(theirs["std.all"], abs=1e-3)
        assert c.std_error == pytest.approx(theirs["se"], abs=1e-3)


def test_matrices_from_lavaans_own_estimates_give_lavaans_residual_indices():
    for name in ("hs_ml", "quality_ml"):
        expected, frame = read(name)
        model = model_of(expected)
        values = {(e["lhs"], e["op"], e["rhs"]): e["est"] for e in expected["estimates"]}
        reached = implied(model, values)
        sample = np.cov(frame[list(model.items)].to_numpy(float), rowvar=False, bias=True)
        assert srmr(sample, reached.items) == pytest.approx(expected["fit"]["srmr"], rel=1e-6)
        assert gfi_lisrel(sample, reached.items) == pytest.approx(expected["fit"]["gfi_lisrel"], rel=1e-7)
        likelihood = normal_log_likelihood(sample, reached.items, len(frame))
        assert likelihood == pytest.approx(expected["fit"]["logl"], rel=1e-9)
        shares = standardized(model, values, reached)
        assert all(shares[e["lhs"], e["op"], e["rhs"]] == pytest.approx(e["std.all"], abs=1e-8)
                   for e in expected["estimates"])  # fmt: skip


def test_names_need_not_be_plain_and_order_does_not_matter():
    expected, frame = read("hs_ml")
    names = {c: f"Câu {c} – hài lòng?" for c in frame.columns}
    scales = {"Tiếp cận (1)": ["x1", "x2", "x3"], "~~ =~": ["x4", "x5", "x6"], "1": ["x7", "x8", "x9"]}
    turned = frame.sample(frac=1, random_state=4)[sorted(frame.columns, reverse=True)].rename(columns=names)
    found = semopy_cfa(turned, {k: [names[i] for i in v] for k, v in scales.items()})
    assert found.fit_measures()["chisq"] == pytest.approx(expected["fit"]["chisq"], rel=1e-5)
    assert [c.rhs for c in found.coefficients if c.op == "=~"][:3] == [names[i] for i in ("x1", "x2", "x3")]
    assert found.data_kind is DataKind.USER


def test_incomplete_rows_are_counted_and_told():
    _, frame = read("hs_ml")
    frame = frame.astype(float)
    frame.iloc[:20, 0] = np.nan
    scales = {"a": ["x1", "x2", "x3"], "b": ["x4", "x5", "x6"]}
    with pytest.warns(errors.DroppedRowsWarning):
        found = semopy_cfa(frame, scales)
    assert (found.n, found.n_dropped) == (281, 20)
    complete = semopy_cfa(frame.dropna(), scales)
    assert found.fit_measures()["chisq"] == pytest.approx(complete.fit_measures()["chisq"], rel=1e-8)


@pytest.mark.filterwarnings("ignore::sipas_research.errors.DroppedRowsWarning")
def test_lever_model_of_the_twin(current):
    found = semopy_lever_model(current)
    paths = {(c.lhs, c.rhs): c for c in found.coefficients if c.op == "~"}
    assert len(paths) == 5 * 3 + 8
    assert found.converged
    assert not found.heywood
    # the strongest links that made the data
    assert paths["access", "digital"].conf_low > 0
    assert paths["feedback", "oversight"].conf_low > 0
    assert paths["access", "digital"].std_all > paths["access", "oversight"].std_all
    assert paths["overall", "civil_servant"].conf_low > 0
    table = found.tidy()
    assert set(table["data_kind"]) == {"simulated"}
    assert table["estimate"].dtype == float
    assert found.n + found.n_dropped == len(current)
    assert 0 < found.r2()["overall"] < 1
    for language in ("vi", "en"):
        said = found.summary(language)
        assert "semopy" in said
        assert not re.search(r"tác động|effect", said)


def test_levers_can_lead_to_satisfaction_only_by_way_of_factors(current):
    whole, narrow = lever_model(current), lever_model(current, direct=False)
    assert narrow.df == whole.df + 3


def test_what_cannot_be_identified_says_why(current):
    _, frame = read("hs_ml")
    with pytest.raises(errors.AnalysisError, match=r"ít nhất 2 câu hỏi.*b"):
        semopy_cfa(frame, {"a": ["x1", "x2", "x3"], "b": ["x4"]})
    with pytest.raises(errors.AnalysisError, match="at least 3 questions"):
        semopy_cfa(frame, {"a": ["x1", "x2"]})
    with pytest.raises(errors.OptionError, match="x3"):
        semopy_cfa(frame, {"a": ["x1", "x2", "x3"], "b": ["x3", "x4"]})
    pairs = {"a": ("x1", "x2"), "b": ("x3", "x4")}
    loop = LatentModel(tuple(pairs.items()), (("a", ("b",)), ("b", ("a",))))
    with pytest.raises(errors.AnalysisError, match="circle"):
        semopy_fit(frame, loop)
    with pytest.raises(errors.OptionError, match="khong_co"):
        semopy_fit(frame, LatentModel(factor_model(pairs).measurement, (("a", ("khong_co",)),)))
    without = replace(current, frame=current.frame.drop(columns=["overall_1", "overall_2", "overall_3"]))
    with pytest.raises(errors.AnalysisError, match="overall satisfaction"):
        semopy_lever_model(without)


def test_data_that_carry_nothing_are_refused():
    _, frame = read("hs_ml")
    scales = {"a": ["x1", "x2", "x3"], "b": ["x4", "x5", "x6"]}
    with pytest.raises(errors.AnalysisError, match="x2"):
        semopy_cfa(frame.assign(x2=3.0), scales)
    with pytest.raises(errors.AnalysisError):
        semopy_cfa(frame.assign(x2=frame["x1"]), scales)
    with pytest.raises(errors.AnalysisError, match="<10"):
        semopy_cfa(frame.head(6), scales)
    with pytest.raises(errors.AnalysisError, match="most_items"):
        semopy_cfa(frame, scales, most_items=5)
    with pytest.raises(errors.OptionError):
        semopy_cfa(frame)


def test_an_unfinished_search_is_told(monkeypatch):
    _, frame = read("hs_ml")
    monkeypatch.setattr(semopy_models, "_MOST_STEPS", 2)
    with pytest.warns(errors.ConvergenceWarning):
        found = semopy_cfa(frame, {"a": ["x1", "x2", "x3"], "b": ["x4", "x5", "x6"]})
    assert not found.converged
    assert "hội tụ" in found.summary("vi")


def test_an_error_variance_at_zero_is_a_heywood_case():
    # r12 r13 / r23 = 1.6: the first item would need more variance from the factor than it has
    wanted = np.array([[1.0, 0.8, 0.6], [0.8, 1.0, 0.3], [0.6, 0.3, 1.0]])
    noise = np.linalg.qr(np.random.default_rng(5).normal(size=(200, 4)))[0]
    noise = np.linalg.qr(np.column_stack([np.ones(200), noise[:, :3]]))[0][:, 1:]
    frame = pd.DataFrame(noise @ np.linalg.cholesky(wanted).T * 10, columns=list("abc"))
    with pytest.warns(errors.HeywoodWarning):
        found = semopy_cfa(frame, {"x": ["b", "a", "c"]})
    assert "a" in found.heywood
    assert "Heywood" in found.summary("en")
