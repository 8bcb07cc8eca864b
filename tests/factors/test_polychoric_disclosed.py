"""Thresholds of checked answers: one beside an answer of fewer than ten people is shown nowhere."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

import sipas_research as sr
from sipas_research.results import DataKind
from sipas_research.survey.agencies import AgencyRegister
from sipas_research.survey.questionnaire import Answer, Question, Questionnaire, Scale
from sipas_research.survey.responses import Responses
from sipas_research.survey.specs import SampleDesign
from sipas_research.wording import Bilingual, text

ROWS = 300
COUNTS = {"a1": (40, 4, 96, 160), "a2": (60, 80, 100, 60), "a3": (50, 70, 90, 90)}
ITEMS = list(COUNTS)


def answers(counts=COUNTS):
    generator = np.random.default_rng(4)
    factor = generator.normal(size=ROWS)
    frame = {}
    for item, people in counts.items():
        codes = np.empty(ROWS)
        codes[np.argsort(factor + generator.normal(size=ROWS))] = np.repeat(np.arange(1.0, 5.0), people)
        frame[item] = codes
    return pd.DataFrame(frame).assign(weight=generator.uniform(0.5, 2.0, ROWS))


def checked(frame):
    scale = tuple(Answer(code, Bilingual(str(code))) for code in range(1, 5))
    questions = tuple(Question(name, Bilingual(name), "likert", "a", scale) for name in ITEMS)
    scales = (Scale("a", Bilingual("a"), "factor"),)
    form = Questionnaire("nho", Bilingual("Phiếu nhỏ"), "citizen", "2017-2021", scales, questions)
    return Responses(frame, form, AgencyRegister(), SampleDesign(), DataKind.REAL)


@pytest.mark.parametrize("missing", ["listwise", "pairwise"])
def test_a_threshold_beside_four_people_is_not_shown(missing):
    frame = answers()
    shown = sr.polychoric(checked(frame), missing=missing, covariance=True)
    whole = sr.polychoric(frame[ITEMS], missing=missing, covariance=True)
    assert ROWS * ndtr(whole.thresholds.loc["a1"].to_numpy()) == pytest.approx([40, 44, 140], abs=1e-6)
    hidden = shown.thresholds.isna()
    assert hidden.sum().sum() == 2
    assert hidden.loc["a1", ["t1", "t2"]].all()
    assert shown.threshold_errors.isna().equals(hidden)
    table = shown.tidy().set_index("term")
    assert table.loc[["a1|t1", "a1|t2"], "note"].eq("polychoric.note.few_people").all()
    names = ["estimate", "std_error", "conf_low", "conf_high"]
    assert table.loc[["a1|t1", "a1|t2"], names].isna().all(axis=None)
    rest = table.drop(index=["a1|t1", "a1|t2"])
    pd.testing.assert_frame_equal(rest, whole.tidy().set_index("term").loc[rest.index].assign(note=rest["note"]))
    assert rest["note"].eq("").all()
    for language in ("vi", "en"):
        said = text("polychoric.summary.few_people", language, n=2, minimum=10)
        assert said in shown.summary(language)
        assert said not in whole.summary(language)
        assert text("polychoric.note.few_people", language)


def test_covariances_with_thresholds_are_not_shown():
    frame = answers()
    shown = sr.polychoric(checked(frame), covariance=True).vcov()
    whole = sr.polychoric(frame[ITEMS], covariance=True).vcov()
    pairs = [name for name in whole if "~~" in name]
    pd.testing.assert_frame_equal(shown.loc[pairs, pairs], whole.loc[pairs, pairs])
    assert np.isfinite(whole.to_numpy()).all()
    own = np.diag(shown)
    assert np.isnan(own).sum() == 2
    np.testing.assert_array_equal(own[2:], np.diag(whole)[2:])
    assert np.isfinite(shown.to_numpy()).sum() == 7 + len(pairs) ** 2


def test_people_are_counted_not_weights():
    frame = answers()
    frame.loc[frame["a1"] == 2, "weight"] = 40.0
    found = sr.polychoric(checked(frame), ITEMS, weights="weight")
    assert found.thresholds.loc["a1"].isna().tolist() == [True, True, False]


def test_with_ten_people_everywhere_all_is_shown():
    frame = answers(COUNTS | {"a1": (40, 10, 90, 160)})
    found = sr.polychoric(checked(frame))
    assert found.thresholds.notna().all(axis=None)
    assert found.tidy()["note"].eq("").all()
    few = replace(checked(frame), frame=frame.drop(index=frame.index[frame["a1"] == 2][:1]))
    assert sr.polychoric(few).thresholds.loc["a1"].isna().tolist() == [True, True, False]
