"""Standard errors and intervals by roads that do not pass through the library."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sipas_research.framework.design import estimate_ratio, prepare_design
from sipas_research.framework.index import satisfaction_index
from sipas_research.numerics.intervals import effective_size, exact_interval, logit_interval
from sipas_research.survey.specs import SampleDesign


def one_item(build, values, **columns):
    frame = pd.DataFrame({"q1": values, **columns})
    return lambda **design: build(frame, {"a": ("q1",)}, design=SampleDesign(**design))


def test_simple_random_sample_with_finite_population(build):
    values = [5.0] * 60 + [2.0] * 40
    survey = one_item(build, values, frame_size=250.0)(population="frame_size")
    row = satisfaction_index(survey).tidy().iloc[0]
    share, n, size = 0.6, 100, 250
    # closed form: the estimated variance of a share without replacement
    error = math.sqrt((1 - n / size) * share * (1 - share) / (n - 1))
    assert row["estimate"] == pytest.approx(share, rel=1e-12)
    assert row["std_error"] == pytest.approx(error, rel=1e-10)
    assert row["df"] == n - 1
    logit, reach = math.log(share / (1 - share)), stats.t.ppf(0.975, n - 1) * error / (share * (1 - share))
    assert row["conf_low"] == pytest.approx(1 / (1 + math.exp(-(logit - reach))), rel=1e-10)
    assert row["conf_high"] == pytest.approx(1 / (1 + math.exp(-(logit + reach))), rel=1e-10)


def test_ratio_agrees_with_deleting_one_unit(small):
    survey = small((30, 25, 20), missing=0.2, design=SampleDesign(weight="weight", stratum="agency"))
    design = prepare_design(survey)
    frame = survey.frame
    answered = frame[["a1", "a2", "b1", "b2"]].notna().sum(axis=1).to_numpy(float)
    top = (frame[["a1", "a2", "b1", "b2"]] >= 4).sum(axis=1).to_numpy(float)
    found = estimate_ratio(design, top, answered)
    variance, weight = 0.0, design.weight
    for stratum in np.unique(design.stratum):
        inside = np.flatnonzero(design.stratum == stratum)
        draws = []
        for unit in inside:
            changed = weight.copy()
            changed[inside] *= len(inside) / (len(inside) - 1)
            changed[unit] = 0.0
            draws.append((changed @ top) / (changed @ answered))
        draws = np.array(draws)
        variance += (len(inside) - 1) / len(inside) * ((draws - draws.mean()) ** 2).sum()
    # the jackknife and the linearisation agree to first order
    assert found.std_error[0] == pytest.approx(math.sqrt(variance), rel=0.02)
    assert found.df[0] == 75 - 3


def test_years_are_strata_of_their_own(build):
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"q1": rng.integers(1, 6, 200).astype(float), "year": np.repeat([2021.0, 2022.0], 100)})
    frame["frame_size"] = np.repeat([300.0, 900.0], 100)
    survey = build(frame, {"a": ("q1",)}, design=SampleDesign(population="frame_size"))
    result = satisfaction_index(survey, by="year")
    assert result.groups == ("2021", "2022")
    assert result.fpc
    alone = satisfaction_index(survey.where(year=2021.0)).tidy().iloc[0]
    row = result.tidy().query("term == 'index' and group == '2021'").iloc[0]
    assert row["std_error"] == pytest.approx(alone["std_error"], rel=1e-10)
    assert "framework.note.years_pooled" not in result.notes
    assert "framework.note.years_pooled" in satisfaction_index(survey).notes


@pytest.mark.parametrize(
    ("frame_size", "note"),
    [
        (50.0, "framework.note.fpc_too_small"),
        (np.nan, "framework.note.fpc_varies"),
        (np.arange(100.0) + 200, "framework.note.fpc_varies"),
    ],
)
def test_frame_sizes_that_cannot_be_used_are_said(build, frame_size, note):
    survey = one_item(build, [5.0, 2.0] * 50, frame_size=frame_size)(population="frame_size")
    result = satisfaction_index(survey)
    assert note in result.notes
    assert not result.fpc
    assert result.tidy().iloc[0]["std_error"] == pytest.approx(math.sqrt(0.25 / 99), rel=1e-10)


def test_intervals_cover():
    rng = np.random.default_rng(11)
    share, n, hits = 0.85, 60, 0
    for count in rng.binomial(n, share, 2000):
        estimate = count / n
        error = math.sqrt(estimate * (1 - estimate) / (n - 1))
        if 0 < count < n:
            low, high = logit_interval(estimate, error, n - 1)
        else:
            low, high = exact_interval(estimate, n)
        hits += low <= share <= high
    assert 0.93 <= hits / 2000 <= 0.975


def test_exact_interval_is_clopper_pearson():
    assert exact_interval(0.0, 20)[0] == 0.0
    assert exact_interval(0.0, 20)[1] == pytest.approx(1 - 0.025 ** (1 / 20), rel=1e-12)
    assert exact_interval(1.0, 20) == pytest.approx((0.025 ** (1 / 20), 1.0), rel=1e-12)
    low, high = exact_interval(0.3, 40)
    reference = stats.binomtest(12, 40).proportion_ci(method="exact")
    assert (low, high) == pytest.approx((reference.low, reference.high), rel=1e-9)


def test_effective_size():
    assert effective_size(np.full(17, 3.0)) == pytest.approx(17)
    assert effective_size(np.array([1.0, 3.0])) == pytest.approx(16 / 10)


def test_logit_interval_at_extremes():
    low, high = logit_interval(1 - 1e-9, 0.3, 5)
    assert 0 <= low < high <= 1
    assert all(math.isnan(v) for v in logit_interval(0.5, 0.1, 0))


def test_mean_score_is_the_rescaled_mean(build):
    frame = pd.DataFrame({"q1": [1.0, 2, 3, 4, 5, np.nan] * 5, "q2": [1.0, 2, 3, 4, 5, 5] * 5})
    survey = build(frame, {"a": ("q1", "q2")})
    row = satisfaction_index(survey, definition="mean_score").tidy().iloc[0]
    people = frame.mean(axis=1)
    assert row["estimate"] == pytest.approx(((people - 1) / 4).mean(), rel=1e-12)
    assert row["std_error"] == pytest.approx(((people - 1) / 4).std(ddof=1) / math.sqrt(30), rel=1e-10)
    assert (row["n"], row["n_answers"]) == (30, 55)


def test_definitions_differ_only_with_missing_answers(build):
    frame = pd.DataFrame({"q1": [5.0] * 10 + [2.0] * 10, "q2": [5.0] * 10 + [np.nan] * 10})
    survey = build(frame, {"a": ("q1", "q2")})
    estimates = [
        satisfaction_index(survey, None, d).tidy().iloc[0]["estimate"] for d in ("share_satisfied", "mean_of_shares")
    ]
    assert estimates == pytest.approx([20 / 30, 0.5])


def test_reversed_items_are_turned(build):
    frame = pd.DataFrame({"q1": [1.0, 2, 4, 5, 5] * 4})
    survey = build(frame, {"a": ("q1",)})
    questions = tuple(replace(q, direction=-1) if q.id == "q1" else q for q in survey.questionnaire.questions)
    turned = replace(survey, questionnaire=replace(survey.questionnaire, questions=questions))
    assert satisfaction_index(survey).tidy().iloc[0]["estimate"] == pytest.approx(0.6)
    assert satisfaction_index(turned).tidy().iloc[0]["estimate"] == pytest.approx(0.4)
