"""The adjusted index: by hand, by deleting units, by another optimiser; planted mixes; what may not be adjusted for."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special

import sipas_research as sr
from sipas_research.errors import AnalysisError, OptionError
from sipas_research.framework.case_mix import adjusted_index
from sipas_research.framework.case_mix_facts import PRECEDES, refusal
from sipas_research.framework.index import satisfaction_index
from sipas_research.numerics.standardization import overlap, standardize_by_model, standardize_directly
from sipas_research.results import Result
from sipas_research.survey.agencies import Agency, AgencyRegister
from sipas_research.survey.questionnaire import Answer, Question
from sipas_research.survey.specs import SampleDesign
from sipas_research.wording import LANGUAGES, Bilingual, keys

CODES = tuple(Answer(c, Bilingual(f"k{c}")) for c in (1, 2, 3))


@pytest.fixture
def mixed(build):
    """A function that returns a survey whose agencies serve different mixes of people at one and the same quality."""

    def make(rows=300, *, seed=1, gap=0.0, agencies=("x", "y", "z"), design=None):
        rng = np.random.default_rng(seed)
        frames = []
        for k, agency in enumerate(agencies):
            frame = pd.DataFrame({"agency": [agency] * rows})
            frame["sex"] = pd.array(
                rng.choice([1, 2], rows, p=[0.2 + 0.3 * (k % 3), 0.8 - 0.3 * (k % 3)]), dtype="Int64"
            )
            frame["procedure_field"] = pd.array(rng.choice([1, 2, 3], rows), dtype="Int64")
            chance = special.expit(1.8 * (frame["sex"] == 2).to_numpy() - 0.4 + gap * k)
            for item in ("a1", "a2", "b1"):
                happy = rng.uniform(size=rows) < chance
                frame[item] = np.where(happy, rng.choice([4.0, 5.0], rows), rng.choice([1.0, 2.0, 3.0], rows))
            frame["weight"] = rng.uniform(0.5, 2, rows)
            frames.append(frame)
        register = [Agency(a, Bilingual(a), "department") for a in agencies]
        scales = {"a": ("a1", "a2"), "b": ("b1",)}
        frame = pd.concat(frames, ignore_index=True)
        found = build(
            frame, scales, agencies=register, design=design or SampleDesign(weight="weight", stratum="agency")
        )
        facts = [Question(f, Bilingual(f), "category", answers=CODES) for f in ("sex", "procedure_field")]
        questions = (*found.questionnaire.questions, *facts)
        return replace(found, questionnaire=replace(found.questionnaire, questions=questions))

    return make


def arrays(survey, facts=("sex", "procedure_field")):
    frame = survey.frame
    items = frame[["a1", "a2", "b1"]]
    group = frame["agency"].astype("category").cat.codes.to_numpy(int)
    codes = frame[list(facts)].to_numpy(int)
    cell = np.unique(codes, axis=0, return_inverse=True)[1].reshape(-1)
    sums = ((items >= 4).sum(axis=1).to_numpy(float), items.notna().sum(axis=1).to_numpy(float))
    return frame["weight"].to_numpy(), *sums, group, codes, cell


@pytest.mark.parametrize("method", ["model", "direct"])
def test_a_difference_of_mixes_goes_and_a_difference_of_quality_stays(mixed, method):
    rows = adjusted_index(mixed(3000), method=method).tidy()
    assert rows["raw"].max() - rows["raw"].min() > 0.15
    assert rows["estimate"].max() - rows["estimate"].min() < 0.03
    better = adjusted_index(mixed(3000, gap=0.6), method=method).tidy()["estimate"].to_numpy()
    assert (np.diff(better) > 0.06).all()


def test_direct_standardisation_by_hand():
    weight, group = np.ones(12), np.repeat([0, 1], 6)
    cell = np.array([0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1])
    top = np.array([1, 1, 0, 0, 1, 0, 1, 0, 1, 1, 1, 0.0])
    found = standardize_directly(weight, top, np.ones(12), group, cell, minimum=2)
    # six people of twelve in each cell; own rates 1/2, 1/2 and 1/2, 3/4
    np.testing.assert_allclose(found.estimate, [0.5, 0.5 * 0.5 + 0.5 * 0.75])
    np.testing.assert_allclose(found.influence.sum(axis=0), 0.0, atol=1e-15)


def test_a_cell_without_support_leaves_the_standard():
    weight, group = np.ones(9), np.array([0] * 4 + [1] * 5)
    cell = np.array([0, 0, 1, 1, 0, 0, 0, 1, 0])
    top = np.array([1, 0, 1, 1, 1, 1, 0, 1, 0.0])
    found = standardize_directly(weight, top, np.ones(9), group, cell, minimum=2)
    assert found.estimate[1] == pytest.approx(0.5)
    seen = overlap(weight, group, cell[:, None], cell, 2)
    np.testing.assert_allclose(seen.without_cell, [0.0, 3 / 9])
    assert seen.empty.tolist() == [0, 1]
    np.testing.assert_allclose(seen.without_category, 0.0)
    assert np.isnan(standardize_directly(weight, top, np.ones(9), group, np.arange(9), minimum=2).estimate).all()


def test_the_model_agrees_with_another_optimiser(mixed):
    weight, top, bottom, group, codes, _ = arrays(mixed(120))
    found = standardize_by_model(weight, top, bottom, group, codes)
    design = np.column_stack([np.eye(3)[group], codes[:, 0] == 2, codes[:, 1] == 2, codes[:, 1] == 3]).astype(float)

    def loss(beta):
        eta = design @ beta
        return -(weight * (top * eta - bottom * np.logaddexp(0, eta))).sum()

    def slope(beta):
        return -design.T @ (weight * (top - bottom * special.expit(design @ beta)))

    beta = optimize.minimize(loss, np.zeros(6), jac=slope, method="BFGS", options={"gtol": 1e-9}).x
    mass = weight * bottom
    by_hand = [mass @ special.expit(beta[g] + design[:, 3:] @ beta[3:]) / mass.sum() for g in range(3)]
    np.testing.assert_allclose(found.estimate, by_hand, rtol=1e-7)
    np.testing.assert_allclose(found.influence.sum(axis=0), 0.0, atol=1e-9)


@pytest.mark.parametrize(("method", "rows"), [("model", 120), ("direct", 500)])
def test_errors_agree_with_deleting_one_unit(mixed, method, rows):
    survey = mixed(rows)
    weight, top, bottom, group, codes, cell = arrays(survey)

    def estimate(mass):
        kept = mass > 0
        sums = (mass[kept], top[kept], bottom[kept], group[kept])
        if method == "model":
            return standardize_by_model(*sums, codes[kept]).estimate
        return standardize_directly(*sums, cell[kept]).estimate

    covariance = np.zeros((3, 3))
    for agency in range(3):
        inside = np.flatnonzero(group == agency)
        draws = []
        for unit in inside:
            changed = weight.copy()
            changed[inside] *= len(inside) / (len(inside) - 1)
            changed[unit] = 0.0
            draws.append(estimate(changed))
        apart = np.array(draws) - np.mean(draws, axis=0)
        covariance += (len(inside) - 1) / len(inside) * apart.T @ apart
    found = adjusted_index(survey, method=method)
    rows = found.tidy()
    np.testing.assert_allclose(rows["std_error"], np.sqrt(np.diag(covariance)), rtol=0.06)
    np.testing.assert_allclose(found.covariance.to_numpy(), covariance, atol=0.06 * covariance.max())
    np.testing.assert_allclose(rows["estimate"], estimate(weight), rtol=1e-10)


def test_the_interval_covers(mixed):
    truth = adjusted_index(mixed(20000, seed=99)).tidy()["estimate"].mean()
    hits = np.array(
        [
            ((rows["conf_low"] <= truth) & (truth <= rows["conf_high"])).to_numpy()
            for rows in (adjusted_index(mixed(80, seed=s)).tidy() for s in range(60))
        ]
    )
    assert 0.9 <= hits.mean() <= 0.99


def test_raw_stands_beside_and_is_the_index(mixed):
    survey = mixed()
    result = adjusted_index(survey)
    index = satisfaction_index(survey, by="agency").tidy().query("term == 'index' and group != ''")
    rows = result.tidy()
    assert isinstance(result, Result)
    np.testing.assert_array_equal(rows["raw"], index["estimate"])
    np.testing.assert_array_equal(rows["raw_std_error"], index["std_error"])
    np.testing.assert_allclose(rows["difference"], rows["estimate"] - rows["raw"], atol=1e-15)
    assert rows["difference_std_error"].gt(0).all()
    for language in LANGUAGES:
        assert "g-computation" in result.summary(language)
    assert "case_mix.note.beside" in result.notes
    with pytest.raises(ValueError, match="read-only"):
        result.covariance.to_numpy()[0, 0] = 1


def test_one_group_in_a_family_keeps_its_index(mixed):
    survey = mixed(agencies=("x", "y"))
    register = AgencyRegister((Agency("x", Bilingual("x"), "department"), Agency("y", Bilingual("y"), "district")))
    for method in ("model", "direct"):
        rows = adjusted_index(replace(survey, agencies=register), method=method).tidy()
        assert rows["family"].tolist() == ["department", "district"]
        np.testing.assert_allclose(rows["estimate"], rows["raw"], rtol=1e-9)
        # the correction for thin cells leaves a trace
        np.testing.assert_allclose(rows["difference_std_error"], 0, atol=1e-8 if method == "model" else 5e-4)


@pytest.mark.parametrize(
    ("fact", "reason"),
    [
        ("a1", "cảm nhận"),
        ("channel", "kênh"),
        ("agency", "chia nhóm"),
        ("weight", "cách khảo sát"),
        ("khong_co", "sex"),
    ],
)
def test_what_follows_the_service_is_refused(mixed, fact, reason):
    with pytest.raises(OptionError, match=reason):
        adjusted_index(mixed(), adjust=["sex", fact])
    with pytest.raises(OptionError):
        adjusted_index(mixed(), adjust=["sex", fact], precedes=[fact])


@pytest.mark.parametrize(
    ("name", "words", "expected"),
    [
        ("q7", "Thời gian chờ để được tiếp nhận", "waiting"),
        ("so_lan", "Số lần đi lại", "waiting"),
        ("f3", "Kênh nộp hồ sơ", "channel"),
        ("how", "Channel of submission", "channel"),
        ("village", "Nơi ở", ""),
        ("mystery", "Thông tin khác", "unknown"),
        ("sex", "Giới tính", ""),
    ],
)
def test_reasons(name, words, expected):
    assert refusal(Question(name, Bilingual(words), "category"), ("village", "q7", "f3"), "agency") == expected


def test_packaged_facts_are_judged_one_by_one():
    form = sr.load_questionnaire("citizens")
    verdicts = {q.id: refusal(q, (), "agency") for q in form.questions}
    assert {f for f, v in verdicts.items() if not v} == set(PRECEDES) & set(verdicts)
    assert verdicts["channel"] == "channel"
    assert verdicts["collector"] == "survey"


def test_facts_that_name_the_agency_cannot_be_told_apart(mixed):
    survey = mixed()
    frame = survey.frame.assign(procedure_field=survey.frame["agency"].map({"x": 1, "y": 2, "z": 3}).astype("Int64"))
    with pytest.raises(AnalysisError, match="procedure_field"):
        adjusted_index(replace(survey, frame=frame))
    rows = adjusted_index(replace(survey, frame=frame), method="direct").tidy()
    assert rows["estimate"].isna().all()
    assert set(rows["note"]) == {"case_mix.note.no_support"}
    assert rows["without_category"].between(0.5, 0.8).all()
    assert rows["raw"].notna().all()


def test_nothing_to_adjust_for(small):
    with pytest.raises(AnalysisError, match="age_band"):
        adjusted_index(small((30, 20)))


def test_hidden_agencies_stay_hidden_and_in_the_standard(mixed):
    survey = mixed(60)
    frame = survey.frame.iloc[:-52]
    result = adjusted_index(replace(survey, frame=frame))
    rows = result.tidy().set_index("group")
    assert rows["suppressed"].tolist() == [True, False, True]
    hidden = rows.loc[["x", "z"]].drop(columns=["family", "note", "suppressed"])
    assert hidden.isna().all().all()
    assert result.covariance.index.tolist() == ["y"]
    assert np.isfinite(result.estimation.estimates).all()


def test_missing_facts_constant_answers_and_one_unit(mixed):
    survey = mixed()
    frame = survey.frame.copy()
    frame.loc[::7, "sex"] = pd.NA
    assert adjusted_index(replace(survey, frame=frame)).tidy()["estimate"].between(0, 1).all()
    frame = survey.frame.copy()
    frame.loc[frame["procedure_field"] == 2, ["a1", "a2", "b1"]] = 5.0
    rows = adjusted_index(replace(survey, frame=frame)).tidy()
    assert rows["std_error"].between(0.001, 0.1).all()
    frame = survey.frame.assign(**dict.fromkeys(("a1", "a2", "b1"), 5.0))
    assert adjusted_index(replace(survey, frame=frame)).tidy()["suppressed"].all()
    alone = replace(survey, frame=survey.frame.assign(site="s"), design=SampleDesign(cluster="site"))
    rows = adjusted_index(alone).tidy()
    assert rows["estimate"].notna().all()
    assert rows[["std_error", "conf_low", "conf_high"]].isna().all().all()


@pytest.mark.parametrize(
    ("options", "match"), [({"method": "matching"}, "model, direct"), ({"definition": "component_mean"}, "mean_score")]
)
def test_options_are_checked(mixed, options, match):
    with pytest.raises(OptionError, match=match):
        adjusted_index(mixed(), **options)


def test_every_note_has_words(mixed):
    for method in ("model", "direct"):
        result = adjusted_index(mixed(40), method=method)
        assert {*result.notes, *result.tidy()["note"]} - {""} <= set(keys("vi"))
