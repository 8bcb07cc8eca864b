"""The index against R's survey package, and by a second road of its own."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sipas_research.framework.design import design_effect, prepare_design
from sipas_research.framework.index import satisfaction_index

EXPECTED = json.loads((Path(__file__).parents[1] / "reference" / "index" / "expected.json").read_text(encoding="utf-8"))
# R prints 13 digits; both sides work in double precision
TOLERANCE = 1e-6
FACTORS = ("access", "feedback", "procedure", "result", "staff")


def table(result):
    return result.tidy().set_index(["term", "group"])


@pytest.mark.parametrize(
    ("case", "design"),
    [
        ("stratified_by_agency", {"weight": "weight", "stratum": "agency"}),
        ("clustered_by_agency", {"weight": "weight", "cluster": "agency"}),
    ],
)
@pytest.mark.parametrize("definition", ["mean_of_shares", "share_satisfied"])
def test_overall_and_components(reference, case, design, definition):
    # the file has no missing answers, so the ratio over answers and the mean over people are one number
    found = table(satisfaction_index(reference(**design), definition=definition))
    compared = 0
    for name in ("index", *FACTORS):
        stored = "index" if name == "index" else f"index_{name}"
        assert found.loc[(name, ""), "estimate"] == pytest.approx(EXPECTED[case]["estimate"][stored], rel=TOLERANCE)
        assert found.loc[(name, ""), "std_error"] == pytest.approx(EXPECTED[case]["se"][stored], rel=TOLERANCE)
        compared += 2
    assert compared == 12


def test_by_level(reference):
    result = satisfaction_index(reference(weight="weight", stratum="agency"), "level", "mean_of_shares")
    found = table(result)
    for row in EXPECTED["by_level"]:
        assert found.loc[("index", row["level"]), "estimate"] == pytest.approx(row["index"], rel=TOLERANCE)
        assert found.loc[("index", row["level"]), "std_error"] == pytest.approx(row["se"], rel=TOLERANCE)
    assert result.groups == ("department", "district")


def test_by_agency_keeps_register_order_and_covariance(reference):
    result = satisfaction_index(reference(weight="weight", stratum="agency"), by="agency")
    rows = result.tidy().query("term == 'index' and group != ''")
    assert len(rows) == len(EXPECTED["by_agency"]) == 31
    assert rows["group"].tolist() == [str(r["agency"]) for r in EXPECTED["by_agency"]]
    np.testing.assert_allclose(rows["estimate"], [r["index"] for r in EXPECTED["by_agency"]], rtol=TOLERANCE)
    np.testing.assert_allclose(rows["std_error"], [r["se"] for r in EXPECTED["by_agency"]], rtol=TOLERANCE)
    covariance = result.covariance
    assert covariance.index.tolist() == rows["group"].tolist()
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), rows["std_error"], rtol=1e-10)
    # strata are the agencies: their samples are independent
    assert np.abs(covariance.to_numpy() - np.diag(np.diag(covariance))).max() < 1e-15


def test_design_effect(reference):
    survey = reference(weight="weight", stratum="agency")
    design = prepare_design(survey)
    items = [q.id for q in survey.questionnaire.items()]
    shares, ones = (survey.frame[items] >= 4).mean(axis=1).to_numpy(), np.ones(len(survey))
    variance = EXPECTED["stratified_by_agency"]["se"]["index"] ** 2
    # the reference compares with a sample drawn without replacement from as many people as the weights add up to
    found = design_effect(design, shares, ones, variance, replacement=False)
    assert found == pytest.approx(EXPECTED["deff"][0], rel=TOLERANCE)
    result = satisfaction_index(survey, definition="mean_of_shares")
    weight = survey.frame["weight"].to_numpy()
    assert result.design_effect == pytest.approx(found * (1 - len(survey) / weight.sum()), rel=TOLERANCE)
    assert result.glance().iloc[0]["design_effect"] == result.design_effect


def test_row_order_and_weight_scale_do_not_matter(reference):
    survey = reference(weight="weight", stratum="agency")
    shuffled = survey.frame.sample(frac=1, random_state=7).reset_index(drop=True)
    scaled = shuffled.assign(weight=shuffled["weight"] * 37.0)
    one = satisfaction_index(survey, by="agency").tidy()
    other = satisfaction_index(replace(survey, frame=scaled), by="agency").tidy()
    assert one["group"].tolist() == other["group"].tolist()
    numbers = ["estimate", "std_error", "conf_low", "conf_high", "df", "n", "n_answers"]
    np.testing.assert_allclose(one[numbers].astype(float), other[numbers].astype(float), rtol=1e-9)
    assert (one["df"] > 0).all()


def test_covariance_of_domains_that_share_strata(reference):
    survey = reference(weight="weight")
    rng = np.random.default_rng(5)
    channel = rng.integers(1, 4, len(survey))
    frame = survey.frame.assign(channel=channel)
    result = satisfaction_index(replace(survey, frame=frame), by="channel")
    # the covariance matrix must give the variance of the whole, a weighted sum of the domains' ratios
    weight = frame.groupby("channel")["weight"].sum().to_numpy()
    share = weight / weight.sum()
    index = result.tidy().query("term == 'index' and group != ''")["estimate"].to_numpy()
    whole = result.tidy().iloc[0]
    assert share @ index == pytest.approx(whole["estimate"], rel=1e-12)
    assert result.covariance.shape == (3, 3)
