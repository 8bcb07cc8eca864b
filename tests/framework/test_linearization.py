"""Our own linearisation against the library's, over designs with strata, clusters, finite frames and lonely units."""

import numpy as np
import pandas as pd
import pytest

from sipas_research.framework.design import estimate_ratio, plan_of, prepare_design
from sipas_research.numerics.linearization import (
    degrees_of_freedom,
    influence_covariance,
    ratio_influence,
    sampling_plan,
    satterthwaite,
)
from sipas_research.survey.specs import SampleDesign

GROUPS = ("a", "b", "c", "d")


@pytest.mark.parametrize(
    "design",
    [
        {"weight": "weight", "stratum": "stratum", "cluster": "site"},
        {"weight": "weight", "stratum": "stratum", "population": "frame_size"},
        {"cluster": "site"},
        {},
    ],
    ids=["clusters", "frame", "one-stage", "simple"],
)
@pytest.mark.filterwarnings("ignore::sipas_research.errors.DesignWarning")
@pytest.mark.parametrize("lonely", [False, True])
def test_agrees_with_the_library(build, design, lonely):
    rng = np.random.default_rng(1)
    rows = 300
    frame = pd.DataFrame({"agency": rng.choice(list(GROUPS), rows), "stratum": rng.choice(list("pqr"), rows)})
    frame["weight"] = rng.uniform(0.5, 2, rows)
    frame["q1"] = rng.integers(1, 6, rows).astype(float)
    frame["q2"] = rng.choice([np.nan, 1.0, 4.0, 5.0], rows)
    frame["site"] = [f"s{k}" for k in rng.integers(0, 8, rows)]
    if lonely:
        frame.loc[0, "stratum"] = "alone"
    frame["frame_size"] = frame.groupby("stratum")["q1"].transform("size") * 3.0
    prepared = prepare_design(build(frame, {"a": ("q1", "q2")}, design=SampleDesign(**design)))
    answered = frame[["q1", "q2"]].notna().sum(axis=1).to_numpy(float)
    happy = (frame[["q1", "q2"]] >= 4).sum(axis=1).to_numpy(float)
    member = frame["agency"].map({g: k for k, g in enumerate(GROUPS)}).to_numpy()
    library = estimate_ratio(prepared, happy, answered, groups=GROUPS, member=member)
    plan = plan_of(prepared)
    ratio, influence = ratio_influence(prepared.weight, happy, answered, member, len(GROUPS))
    np.testing.assert_allclose(ratio, library.estimate, rtol=1e-12)
    np.testing.assert_allclose(influence_covariance(plan, influence), library.covariance, rtol=1e-9, atol=1e-17)
    assert [degrees_of_freedom(plan, member == g) for g in range(4)] == library.df.tolist()


def test_strata_share_the_covariance():
    rng = np.random.default_rng(2)
    plan = sampling_plan(np.repeat([0, 1], 20), np.arange(40))
    influence = rng.normal(size=(40, 2))
    parts = [influence_covariance(plan, influence, np.arange(2) == k) for k in range(2)]
    np.testing.assert_allclose(sum(parts), influence_covariance(plan, influence))


def test_one_unit_has_no_covariance():
    assert np.isnan(influence_covariance(sampling_plan(np.zeros(5), np.zeros(5)), np.ones((5, 1)))).all()


def test_satterthwaite():
    assert satterthwaite(np.array([2.0, 2.0]), np.array([10.0, 10.0])) == pytest.approx(20)
    assert satterthwaite(np.array([1.0, 0.0]), np.array([7.0, 0.0])) == pytest.approx(7)
    assert satterthwaite(np.array([1.0, 1.0]), np.array([7.0, 0.0])) == 0.0
    assert satterthwaite(np.array([np.nan, 1.0]), np.array([7.0, 3.0])) == 0.0
