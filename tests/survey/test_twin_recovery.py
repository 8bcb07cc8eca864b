"""The coefficients of truth.toml can be found again in what they made: on big draws, with wrong values refused."""

import re
from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import multivariate_normal, norm

from sipas_research import resources
from sipas_research.errors import AnalysisError, DataFileError
from sipas_research.survey.twin import make_twin
from sipas_research.survey.twin_frame import add_citizen_facts, citizen_strata, codes, draw_forms
from sipas_research.survey.twin_model import (
    citizen_latents,
    draw_climates,
    names,
    policy_effects,
    residual_variances,
    staff_latents,
)
from sipas_research.survey.twin_records import standard_effects
from sipas_research.survey.twin_truth import design, parse_truth, with_calibration


def big_text(forms):
    """The design for one year with many forms and no careless answers."""
    text = design().text
    for pattern, new in (
        (r"^years = .*$", "years = [2022]"),
        (r"^citizens = 3000$", f"citizens = {forms}"),
        (r"^careless_share = [\d.]+", "careless_share = 0.0"),
    ):
        text, count = re.subn(pattern, new, text, flags=re.MULTILINE)
        assert count == 1
    return text


@pytest.fixture(scope="module")
def big():
    return parse_truth(big_text(40_000))


@pytest.fixture(scope="module")
def people(big):
    rng = np.random.default_rng(5)
    climates = draw_climates(big, codes(big), rng)
    forms = draw_forms(big, citizen_strata(big, 2022), "p", rng)
    facts = add_citizen_facts(big, forms, np.full((1, 31, 2), 0.2), rng)
    return facts, climates, citizen_latents(big, facts, climates, rng)


def tetrachoric(one, other):
    """Correlation of two cut normal variables from their two-by-two table (Olsson 1979)."""
    seen = ~(np.isnan(one) | np.isnan(other))
    first, second = one[seen] >= 4, other[seen] >= 4
    cuts = norm.isf([first.mean(), second.mean()])
    neither = (~first & ~second).mean()

    def gap(correlation):
        return multivariate_normal([0, 0], [[1, correlation], [correlation, 1]]).cdf(cuts) - neither

    return brentq(gap, 0.01, 0.99)


@pytest.mark.parametrize("scale", ["access", "result"])
def test_loadings_are_recovered_from_answers(big, scale):
    items = {item.id: item for item in big.items("citizens") if item.scale == scale}
    answers = make_twin(big, np.random.default_rng(3)).citizens[list(items)].astype(float)
    answers = answers.where(answers != 9)
    found = {pair: tetrachoric(*(answers[i].to_numpy() for i in pair)) for pair in combinations(items, 2)}

    def correlation(one, other):
        return found.get((one, other)) or found[other, one]

    for item, made in items.items():
        squared = [
            correlation(item, a) * correlation(item, b) / correlation(a, b)
            for a, b in combinations([other for other in items if other != item], 2)
        ]
        assert np.sqrt(np.mean(squared)) == pytest.approx(made.loading, abs=0.035), item


def test_latent_variables_have_variance_one(people):
    _, _, latents = people
    assert latents.var().to_numpy() == pytest.approx(np.ones(9), abs=0.05)


def test_citizen_paths_are_recovered_within_agencies(big, people):
    facts, _, latents = people
    keep = (facts["channel"] != 2) & (facts["respondent_type"] != 2)
    inside = latents[keep] - latents[keep].groupby(facts.loc[keep, "agency"]).transform("mean")
    levers, factors = list(names(big, "citizen_levers")), list(names(big, "factors"))
    found = np.linalg.lstsq(inside[levers].to_numpy(), inside[factors].to_numpy(), rcond=None)[0].T
    assert found == pytest.approx(big.matrix("model.citizen_lever_on_factor"), abs=0.02)
    overall = np.linalg.lstsq(inside[[*factors, *levers]].to_numpy(), inside["overall"].to_numpy(), rcond=None)[0]
    assert overall == pytest.approx(
        [*big.part("model.overall.factors"), *big.part("model.overall.citizen_levers")], abs=0.02
    )


def test_staff_paths_and_spread_hold_exactly_between_the_31_agencies():
    truth = design()
    climates = draw_climates(truth, codes(truth), np.random.default_rng(1))
    assert not policy_effects(truth, codes(truth))[0].any()
    levers = np.hstack([climates.staff[0], climates.citizen[0]])
    found = np.linalg.lstsq(levers, climates.factor[0], rcond=None)[0][:7].T
    assert found == pytest.approx(truth.matrix("model.staff_lever_on_factor"), abs=1e-9)
    for name, effect in standard_effects(truth, climates).items():
        assert effect[0].var() == pytest.approx(1.0, abs=1e-9), name
        assert effect[0].mean() == pytest.approx(0.0, abs=1e-9), name


def test_policies_raise_their_target_where_and_when_they_apply():
    truth = design()
    order = [*names(truth, "staff_levers"), *names(truth, "citizen_levers"), *names(truth, "factors")]
    effects = policy_effects(truth, codes(truth))
    for policy in truth.part("policies"):
        touched = np.isin(codes(truth), policy["agencies"])
        column = effects[:, :, order.index(policy["target"])]
        since = np.array(truth.years) >= int(policy["start"][:4])
        assert np.array_equal(column, np.outer(since, touched) * policy["effect"]), policy["id"]


def test_staff_of_remote_posts_feel_their_tools_less(big):
    rng = np.random.default_rng(9)
    climates = draw_climates(big, codes(big), rng)
    forms = draw_forms(big, citizen_strata(big, 2022), "s", rng).assign(desk=2, remote_posting=2)
    forms.loc[forms.index % 2 == 0, "remote_posting"] = 1
    tools = staff_latents(big, forms, climates, rng)["tools"]
    gap = tools[forms["remote_posting"] == 1].mean() - tools[forms["remote_posting"] == 2].mean()
    assert gap == pytest.approx(-0.25, abs=0.03)


def test_residual_variances_in_the_file_are_those_of_the_paths():
    truth = design()
    written = with_calibration(truth, {}, residual_variances(truth))
    for name, row in residual_variances(truth).items():
        assert dict(written.part(f"calibrated.residual_variances.{name}")) == pytest.approx(row, abs=1e-8)
        assert 0 < row["within"] < 1
    assert written.uncalibrated().text == truth.text


def test_paths_that_explain_too_much_are_refused():
    text = design().text.replace("access        = [0.30, 0.05, 0.20]", "access        = [0.90, 0.60, 0.60]")
    with pytest.raises(AnalysisError, match="'access'"):
        residual_variances(parse_truth(text))


def test_truth_files_that_are_not_valid_are_refused():
    with pytest.raises(DataFileError, match="simulated"):
        parse_truth(design().text.replace('data_kind = "simulated"', 'data_kind = "real"'))
    with pytest.raises(DataFileError, match="TOML"):
        parse_truth("years = [2018")
    with pytest.raises(DataFileError, match="costs"):
        parse_truth(design().text.replace("[costs", "[khac"))
    with pytest.raises(DataFileError, match="khong_co"):
        design().part("model.khong_co")


def test_a_coefficient_changed_after_calibration_is_refused():
    written = resources.data("twin", "truth.toml").read_text(encoding="utf-8")
    changed, count = re.subn(r"(?m)^(access = )0\.11\b", r"\g<1>0.13", written, count=1)
    assert count == 1
    with pytest.raises(AnalysisError, match=r"'access'.*sau khi hiệu chỉnh"):
        make_twin(parse_truth(changed))
