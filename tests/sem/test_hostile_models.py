"""Models that nobody should be able to fit by mistake: each is a clear error or a named warning."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import (
    AnalysisError,
    HeywoodWarning,
    ModelSyntaxError,
    NegativeVarianceWarning,
    NotIdentifiedWarning,
    OptionError,
    SingleIndicatorWarning,
    SipasError,
    SipasWarning,
)

HOLZINGER = pd.read_csv(Path(__file__).parents[1] / "reference" / "lavaan" / "holzinger39.csv")
TWO = "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6"
FOUR = "f =~ x1 + b*x2 + c*x3 + d*x4\n"


def fit(model: str, frame: pd.DataFrame = HOLZINGER, **options):
    return sr.sem(model, frame, **options)


@pytest.mark.parametrize("model", ["", "   \n", "# only a remark", ";;;", "f =~", "=~ x1", "f =~ x1 +", "%%", "a == b"])
def test_a_model_without_a_formula_is_a_syntax_error(model):
    with pytest.raises(ModelSyntaxError):
        fit(model)


@pytest.mark.parametrize("model", [None, b"f =~ x1", 3, ["f =~ x1 + x2 + x3"]])
def test_a_model_that_is_no_text_is_refused_by_type(model):
    with pytest.raises(ModelSyntaxError, match=type(model).__name__):
        fit(model)


def test_an_unknown_item_is_named_with_its_neighbours():
    with pytest.raises(AnalysisError, match=r"xx3.*x3"):
        fit("f =~ x1 + x2 + xx3")


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("f =~ x1 + x2", ["f=~x2", "f~~f"]),
        ("f =~ NA*x1 + x2 + x3 + x4", ["f=~x1", "f~~f"]),
        ("x1 ~ x2\nx2 ~ x1", ["x1~x2", "x2~x1"]),
        (TWO + "\nf ~ g\ng ~ f", ["f~g", "g~f"]),
        ("f =~ x1 + x2 + x3\ng =~ x1 + x2 + x3", ["f=~x2", "g=~x2"]),
        (TWO + "\nf ~ 1", ["f~1", "x1~1"]),
        ("f =~ x1 + x2 + x3\nf ~~ 0*f", ["f=~x2", "f=~x3"]),
        ("f =~ x1 + x2 + x3\nx1 ~~ x2 + x3\nx2 ~~ x3", ["f=~x2", "x1~~x2"]),
    ],
)
@pytest.mark.parametrize("estimator", ["ML", "MLR", "GLS", "ULS"])
@pytest.mark.filterwarnings("ignore::sipas_research.errors.NegativeVarianceWarning")
def test_what_the_data_do_not_determine_has_no_number(model, names, estimator):
    with pytest.warns(NotIdentifiedWarning) as told:
        found = fit(model, estimator=estimator)
    lost = [w.message for w in told if isinstance(w.message, NotIdentifiedWarning)]
    assert all(name in str(lost[0]) for name in names)
    table = found.tidy()
    gone = table[table["note"] == "not_identified"]
    assert {f"{r.lhs}{r.op}{r.rhs}" for r in gone.itertuples()} >= set(names)
    assert gone[["estimate", "std_error", "p_value", "std_all"]].isna().all(axis=None)
    kept = table[table["note"] == ""]
    assert np.isfinite(kept["estimate"]).all()


def test_negative_degrees_of_freedom_are_told_and_leave_no_measure():
    with pytest.warns(NotIdentifiedWarning, match="-1"):
        found = fit("f =~ x1 + x2")
    measures = found.fit_measures()
    assert measures["df"] == -1
    assert measures[["pvalue", "rmsea", "tli"]].isna().all()


def test_a_lone_item_counts_as_measured_without_error_and_says_so():
    with pytest.warns(SingleIndicatorWarning, match="x1"):
        found = fit("f =~ x1")
    assert found.tidy().set_index(["lhs", "op"]).loc[("x1", "~~"), "note"] == "fixed"
    fit("f =~ x1\nx1 ~~ 0*x1")  # written by the user: nothing to tell
    fit("f =~ x1 + x2 + x3\nt =~ x4\nx4 ~~ 0.3*x4")


@pytest.mark.parametrize(
    "constraints",
    [
        "b == 1\nb == 2",
        "b*c == 1\nb*c == 2",
        "b^2 == -1",
        "b < 1\nb > 2",
        "b == 1e308",
        "b == 1/(c - c)",
        "b == exp(1000*c)",
        "log(b) > 0\nb < 0.2",
        "sqrt(b) == -1",
        "abs(b) == -0.5",
    ],
)
def test_constraints_that_cannot_hold_are_refused(constraints):
    with pytest.raises(AnalysisError) as caught:
        fit(FOUR + constraints)
    assert any(part.replace(" ", "") in str(caught.value) for part in constraints.split("\n"))


def test_a_fixed_value_that_contradicts_a_constraint_is_refused():
    with pytest.raises(AnalysisError, match="a==2"):
        fit("f =~ a*x1 + x2 + x3 + x4\na == 2")


@pytest.mark.parametrize(
    "constraints",
    ["b == b", "b == c\nc == b\n2*b == 2*c", "log(b) == -9", "sqrt(b) == c", "b > 5\nc < 9", "b^2 + c^2 == 1"],
)
@pytest.mark.filterwarnings("ignore::sipas_research.errors.HeywoodWarning")
def test_constraints_that_can_hold_do_hold(constraints):
    found = fit(FOUR + constraints)
    gaps, _ = found.restrictions.gaps((*found.restrictions.equal, *found.optimum.active), found.theta)
    assert found.converged
    assert np.abs(gaps).max(initial=0.0) < 1e-8


@pytest.mark.parametrize(
    "model",
    [
        "f =~ x1 + x2 + x3\nf ~~ -1*f",
        "f =~ 1*x1 + 1*x2 + 1*x3\nf ~~ 1*f\nx1 ~~ 0*x1\nx2 ~~ 0*x2\nx3 ~~ 0*x3",
        "f =~ x1 + start(1e300)*x2 + x3",
        "f =~ x1 + start(-1e6)*x2 + x3\nx1 ~~ start(-5)*x1\nf ~~ start(-3)*f",
        "f =~ g + x1 + x2\ng =~ f + x4 + x5",
    ],
)
def test_a_start_outside_the_parameter_space_is_an_error_about_starting_values(model):
    with pytest.raises(AnalysisError, match="starting"):
        fit(model)


def test_improper_solutions_carry_their_own_warning_class():
    with pytest.warns(HeywoodWarning, match="x9"):
        fit("v =~ x1 + x2 + x3\nt =~ x4 + x5 + x6 + x9\ns =~ x7 + x8 + x9 + x1 + x3\nx7 ~~ x8")
    with pytest.warns(NegativeVarianceWarning, match="f"):
        fit("f =~ 1*x1 + 1*x2 + 1*x3\nx1 ~~ e*x1\nx2 ~~ e*x2\nx3 ~~ e*x3\nx1 ~ m*1\nx2 ~ m*1\nx3 ~ m*1")
    with pytest.warns(NegativeVarianceWarning, match="not positive definite"):
        fit("f =~ x1 + x3 + x5\ng =~ x2 + x4 + x6")


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("level: 1\nf =~ x1 + x2 + x3\nlevel: 2\ng =~ x1 + x2 + x3", "level:"),
        (TWO + "\nx1 | t1", r"'\|'"),
        (TWO + "\nx1 ~*~ x1", r"'~\*~'"),
        ("f =~ g\ng =~ f", "=~"),
        ("x1 ~ x1", "x1 ~~ x1"),
        ("f =~ f", "f"),
        ("x1 ~~ x2\nx2 ~~ x1", "x2 ~~ x1"),
    ],
)
def test_what_cannot_be_estimated_is_named(model, words):
    with pytest.raises(SipasError, match=words):
        fit(model)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"estimator": "WLS"}, "MLR"),
        ({"estimator": 3}, "MLR"),
        ({"information": "x"}, "observed"),
        ({"std_lv": 1}, "std_lv"),
        ({"orthogonal": None}, "orthogonal"),
        ({"meanstructure": "a"}, "meanstructure"),
        ({"fixed_x": "a"}, "fixed_x"),
        ({"level": 95}, "0.95"),
        ({"level": 1.0}, "0.95"),
        ({"data_kind": "x"}, "DataKind"),
        ({"group": "school", "group_equal": "loading"}, "loadings"),
        ({"group": "school", "group_equal": None}, "None"),
        ({"group_equal": "loadings"}, "'group'"),
        ({"group": "schol"}, "school"),
        ({"group": ["school"]}, "school"),
    ],
)
def test_an_option_outside_its_vocabulary_is_refused_with_what_is_allowed(options, word):
    with pytest.raises(OptionError, match=re.escape(word)):
        fit(TWO, **options)


def test_group_partial_must_name_a_parameter():
    with pytest.raises(AnalysisError, match=r"f=~x9.*f=~x"):
        fit(TWO, group="school", group_equal="loadings", group_partial="f=~x9")


WORDS = (
    "f g x1 x2 x3 x4 x5 a* b* NA* 1* 0.5* start(2)* c(1,2)* =~ ~ ~~ ~1 := == < > + ; ( ) # - ^2 é 1e9 ? | , group:1 "
    'level:1 "a"* equal("f=~x2")*'
)
PIECES = [*WORDS.split(" "), "\n", "\n", "\n", " "]


@pytest.mark.parametrize("seed", range(5))
def test_random_texts_are_refused_or_fitted_but_never_break(seed):
    rng = np.random.default_rng(seed)
    frame = HOLZINGER.head(120)
    told: list[str] = []
    for _ in range(100):
        text = " ".join(rng.choice(PIECES, size=rng.integers(1, 14)))
        if rng.random() < 0.5:
            text = "f =~ x1 + x2 + x3\n" + text
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                warnings.simplefilter("ignore", SipasWarning)
                found = fit(text, frame, estimator=str(rng.choice(["ML", "MLR", "GLS", "ULS"])))
                found.tidy()
        except SipasError as error:
            told.append(str(error))
    assert len(told) > 20
    assert min(map(len, told)) > 40


@pytest.mark.parametrize("seed", range(3))
def test_random_models_give_a_clean_fit_a_warning_or_an_error(seed):
    rng = np.random.default_rng(100 + seed)
    frame = HOLZINGER.head(150)
    clean = 0
    for _ in range(12):
        model = _random_model(rng)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                found = fit(model, frame, estimator=str(rng.choice(["ML", "MLR", "MLM", "GLS", "ULS"])))
                table, measures = found.tidy(), found.fit_measures()
            except SipasError:
                continue
        assert all(issubclass(w.category, SipasWarning) for w in told), model
        if not told:
            clean += 1
            assert found.converged, model
            assert np.isfinite(table["estimate"]).all(), model
            assert np.isfinite(table["std_error"]).all(), model
            assert measures["chisq"] >= 0, model
            assert measures["df"] >= 0, model
    assert clean > 1


def _random_model(rng: np.random.Generator) -> str:
    items = [str(name) for name in rng.permutation([f"x{k}" for k in range(1, 10)])]
    lines, known = [], list(items)
    for latent in "fgh"[: rng.integers(0, 4)]:
        count = int(rng.integers(2, 5))
        marks = rng.choice(["", "", "", "", "a*", "b*", "NA*", "0.5*", "start(0.7)*"], size=count)
        lines.append(f"{latent} =~ " + " + ".join(m + i for m, i in zip(marks, items[:count], strict=False)))
        items = items[count:] if len(items) > count + 3 else items
        known.append(latent)
    for _ in range(int(rng.integers(1, 4))):
        left, right = rng.permutation(known)[:2]
        lines.append(f"{left} {rng.choice(['~', '~~', '~'])} {right}")
    return "\n".join(dict.fromkeys(lines))


@pytest.mark.filterwarnings("ignore::sipas_research.errors.HeywoodWarning")
def test_least_squares_outside_the_parameter_space_leave_no_correlation():
    found = fit("x1 ~~ x2\nx3 ~~ -0.2*x3", estimator="GLS")
    residuals = found.residuals("cor")
    assert residuals["x3"].isna().all()
    assert np.isfinite(residuals.loc["x1", "x2"])
    assert np.isnan(found.fit_measures()["crmr"])
