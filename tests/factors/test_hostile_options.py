"""Options, names and data that are wrong must be refused in words, never by an error of a library below."""

import unicodedata
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research import errors, resources

NAMES = ("tiếp_cận_1", "kết_quả_1", "tiếp_cận_2", "kết_quả_2", "tiếp_cận_3", "kết_quả_3")
SCALES = {"Tiếp cận": NAMES[::2], "Kết quả": NAMES[1::2]}


def other_form(name: str) -> str:
    return unicodedata.normalize("NFD", name)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    factors = rng.normal(size=(300, 2))
    values = 0.8 * factors[:, [0, 1, 0, 1, 0, 1]] + 0.6 * rng.normal(size=(300, 6))
    return pd.DataFrame(np.clip(np.round(values * 1.2 + 3), 1, 5), columns=list(NAMES))


@pytest.fixture(scope="module")
def current():
    project = sr.load_study(resources.data("twin", "study.toml"))
    return project.current(project.responses("citizens"))


#: What is neither a whole number from 0, nor a number in (0, 1), nor a name of anything.
WRONG = ("a", -1, 1.5, float("nan"), True, [1], {}, object())

CALLS = {
    "n_factors": sr.efa,
    "max_iterations": lambda d, x: sr.efa(d, 2, max_iterations=x),
    "random_starts": lambda d, x: sr.efa(d, 2, random_starts=x),
    "efa_seed": lambda d, x: sr.efa(d, 2, seed=x),
    "draws": lambda d, x: sr.parallel_analysis(d, draws=x),
    "parallel_seed": lambda d, x: sr.parallel_analysis(d, seed=x),
    "parallel_level": lambda d, x: sr.parallel_analysis(d, level=x),
    "retention_seed": lambda d, x: sr.factor_retention(d, seed=x),
    "reliability_level": lambda d, x: sr.reliability(d, SCALES, level=x),
    "bootstrap": lambda d, x: sr.reliability(d, SCALES, bootstrap=x),
    "reliability_seed": lambda d, x: sr.reliability(d, SCALES, bootstrap=5, seed=x),
    "omega_method": lambda d, x: sr.omega_hierarchical(d, SCALES, method=x),
    "omega_rotation": lambda d, x: sr.omega_hierarchical(d, SCALES, rotation=x),
    "omega_count": lambda d, x: sr.omega_hierarchical(d, SCALES, n_factors=x),
    "screen_method": lambda d, x: sr.screen_items(d, SCALES, method=x),
    "screen_rotation": lambda d, x: sr.screen_items(d, SCALES, rotation=x),
    "screen_count": lambda d, x: sr.screen_items(d, SCALES, n_factors=x),
    "screen_fewest": lambda d, x: sr.screen_items(d, SCALES, fewest=x),
    "screen_seed": lambda d, x: sr.screen_items(d, SCALES, seed=x),
    "marker": lambda d, x: sr.marker_variable(d, x, list(NAMES[1:])),
    "variables": lambda d, x: sr.marker_variable(d, NAMES[0], x),
    "marker_correlation": lambda d, x: sr.marker_variable(d, NAMES[0], list(NAMES[1:]), marker_correlation=x),
    "polychoric_level": lambda d, x: sr.polychoric(d, level=x),
    "polychoric_steps": lambda d, x: sr.polychoric(d, max_iterations=x),
    "items": sr.kmo,
}

RANGES = {
    "power": (lambda d, x: sr.efa(d, 2, rotation="promax", power=x), ("4", None, 0.5, 21, np.inf, True, [4])),
    "gamma": (lambda d, x: sr.efa(d, 2, gamma=x), ("0", None, 0.5, -np.inf, False, [0])),
    "delta": (lambda d, x: sr.efa(d, 2, rotation="geomin", delta=x), ("1", None, 0, np.inf, True, [1])),
    "kaiser": (lambda d, x: sr.efa(d, 2, kaiser=x), ("no", 0, 1.0, [True])),
    "screen_rules": (lambda d, x: sr.screen_items(d, SCALES, rules=x), (None, "loadings", 3, ["loading", 3])),
    "screen_bar": (lambda d, x: sr.screen_items(d, SCALES, rules={"loading": x}), ("0.5", None, 2, np.nan, True)),
}

GROUP_CALLS = {
    "by": sr.compare_groups,
    "outcome": lambda r, x: sr.compare_groups(r, "sex", x),
    "level": lambda r, x: sr.compare_groups(r, "sex", level=x),
    "cluster": lambda r, x: sr.compare_groups(r, "sex", cluster=x),
    "scales_by": sr.compare_scales,
    "scales_alpha": lambda r, x: sr.compare_scales(r, alpha=x),
    "icc_by": sr.icc,
    "icc_level": lambda r, x: sr.icc(r, level=x),
    "icc_outcomes": lambda r, x: sr.icc(r, outcomes=x),
    "agreement_scales": lambda r, x: sr.agreement(r, scales=x, force=True),
    "analyse": sr.rerun_without_suspects,
    "responses": lambda r, x: sr.compare_groups(x, "sex"),
    "responses_icc": lambda r, x: sr.icc(x),
    "responses_agreement": lambda r, x: sr.agreement(x),
    "responses_scales": lambda r, x: sr.compare_scales(x),
    "responses_quality": lambda r, x: sr.response_quality(x),
    "responses_suspects": lambda r, x: sr.without_suspects(x),
}


def refused_in_words(call, data, received):
    with pytest.raises(errors.InputError) as refused:
        call(data, received)
    vietnamese, english = (refused.value.message(language) for language in ("vi", "en"))
    assert vietnamese != english


@pytest.mark.parametrize("received", WRONG, ids=lambda x: type(x).__name__ + str(x)[:3])
@pytest.mark.parametrize("name", CALLS)
def test_wrong_options_are_refused_in_words(frame, name, received):
    refused_in_words(CALLS[name], frame, received)


@pytest.mark.parametrize("name", RANGES)
def test_options_outside_their_range_are_refused_in_words(frame, name):
    call, wrong = RANGES[name]
    for received in wrong:
        refused_in_words(call, frame, received)


@pytest.mark.parametrize("received", WRONG, ids=lambda x: type(x).__name__ + str(x)[:3])
@pytest.mark.parametrize("name", GROUP_CALLS)
def test_wrong_options_of_comparisons_are_refused_in_words(current, name, received):
    refused_in_words(GROUP_CALLS[name], current, received)


def test_wrong_rules_of_response_quality_are_refused_in_words(current):
    for received in (3, "speedy", ["speed", 3], {"speed": "2"}, {"speed": -1}):
        refused_in_words(lambda r, x: sr.response_quality(r, rules=x), current, received)


def test_a_misspelt_cluster_is_not_left_out_silently(current):
    with pytest.raises(errors.OptionError, match="agency"):
        sr.compare_groups(current, "sex", cluster="agenci")
    without = replace(current, frame=current.frame.drop(columns="agency"))
    assert sr.compare_groups(without, "sex").clusters == 0


def test_one_fact_named_twice_does_not_inflate_the_correction(current):
    once, twice = (sr.compare_scales(current, by, ["access", "result"]) for by in (["sex"], ["sex", "sex"]))
    assert once.adjusted == twice.adjusted


def test_one_way_to_compare_pairs_may_be_given_as_text(current):
    found = sr.compare_groups(current, "age_band", pairs="tukey")
    assert {row.method for row in found.pair_rows} == {"tukey"}


def test_a_high_power_of_promax_still_has_a_solution(frame):
    found = sr.efa(frame, 2, rotation="promax", power=20)
    assert np.isfinite(found.rotated.loadings).all()
    assert np.isfinite(found.rotated.factor_correlations).all()


def test_names_agree_however_accents_are_composed(frame):
    scales = {scale: [other_form(item) for item in items] for scale, items in SCALES.items()}
    decomposed = frame.rename(columns=other_form)
    omega = sr.omega_hierarchical(frame, SCALES).hierarchical
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for data, named in ((frame, scales), (decomposed, SCALES)):
            assert sr.omega_hierarchical(data, named).hierarchical == pytest.approx(omega)
            assert len(sr.screen_items(data, named).scales) == 2
            marker = sr.marker_variable(data, named["Tiếp cận"][0], list(named["Kết quả"]))
            assert len(marker.pairs) == 3
        model = "f =~ " + " + ".join(SCALES["Tiếp cận"]) + "\ng =~ " + " + ".join(SCALES["Kết quả"])
        found = sr.method_factor(model, frame, items=[other_form(item) for item in NAMES])
    assert found.items == NAMES


def test_two_columns_of_one_name_are_refused(frame):
    with pytest.raises(errors.AnalysisError, match="twice"):
        sr.kmo(frame.assign(**{other_form(NAMES[0]): frame[NAMES[1]]}))


def test_an_item_in_two_scales_is_refused(frame):
    for analyse in (sr.omega_hierarchical, sr.screen_items):
        with pytest.raises(errors.AnalysisError, match="twice"):
            analyse(frame, {"A": NAMES[:3], "B": NAMES[2:]})


def test_columns_named_by_numbers_serve_as_marker_and_variables(frame):
    numbered = frame.set_axis(range(6), axis=1)
    found = sr.marker_variable(numbered, [0], [1, 2, 3])
    named = sr.marker_variable(frame, NAMES[0], list(NAMES[1:4]))
    assert found.shared == pytest.approx(named.shared)
    assert found.marker == "0"


def test_complex_numbers_are_no_answers(frame):
    with pytest.raises(errors.AnalysisError):
        sr.efa(frame.astype(complex), 2)


def test_warnings_point_at_the_caller(frame):
    repeated = frame.assign(kết_quả_4=frame["kết_quả_1"])
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        sr.omega_hierarchical(repeated, {"A": NAMES[::2], "B": (*NAMES[1::2], "kết_quả_4")})
    assert told
    assert {warning.filename for warning in told} == {__file__}
