"""Rotations and factor scores that R's GPArotation and psych computed from the same loadings."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linear_sum_assignment

import sipas_research as sr
from sipas_research.numerics.rotation import rotate

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "factors" / "rotations.json"
ROTATED = 1e-4  # GPArotation was asked for a projected gradient of 1e-6; geomin and bifactor have curvatures of 1e-2
CRITERION = 1e-7  # the criterion is flat at its minimum: an error of 1e-4 in loadings is one of 1e-8 in its value
STORED = 1e-11  # twelve digits are stored
WEIGHTS = 2e-5  # psych's loadings carry 1e-5, and Bartlett's weights divide them by unique variances
SCALE = {"bifactor": 4.0, "bifactor_oblique": 4.0}  # theirs over ours


@pytest.fixture(scope="module")
def stored() -> dict:
    return json.loads(REFERENCE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def target(items) -> pd.DataFrame:
    scales = items.columns.str.rstrip("0123456789")
    own = pd.DataFrame({name: np.where(scales == name, np.nan, 0.0) for name in dict.fromkeys(scales)})
    return own.set_axis(items.columns, axis=0)


def matched(found, theirs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ours = found.rotated.loadings
    order = linear_sum_assignment(-np.abs(theirs.T @ ours))[1]
    signs = np.sign(np.sum(ours[:, order] * theirs, axis=0))
    return ours[:, order] * signs, found.rotated.factor_correlations[np.ix_(order, order)] * np.outer(signs, signs)


@pytest.mark.parametrize(
    "name", ["geomin_orthogonal", "bifactor", "bifactor_oblique", "target", "target_orthogonal", "promax_spss"]
)
def test_rotations(items, stored, target, name):
    found = sr.efa(items, 5, method="ml", rotation=name, target=target if name.startswith("target") else None)
    expected = stored[name]
    assert found.converged
    loadings, phi = matched(found, np.array(expected["loadings"]))
    np.testing.assert_allclose(loadings, expected["loadings"], atol=ROTATED)
    np.testing.assert_allclose(phi, expected["phi"], atol=ROTATED)
    if name == "promax_spss":
        assert np.isnan(found.rotated.criterion)
        return
    assert found.rotated.starts >= 31
    theirs = expected["criterion"] / SCALE.get(name, 1.0)
    aim = target.to_numpy() if name.startswith("target") else None
    start, generator = np.array(stored["unrotated"]), np.random.default_rng(1)
    same_start = rotate(start, name, target=aim, random_starts=30, generator=generator)
    assert same_start.criterion == pytest.approx(theirs, abs=CRITERION)
    assert same_start.criterion <= theirs + STORED


def test_a_target_gives_order_and_names(items, target):
    found = sr.efa(items, 5, rotation="target", target=target)
    assert found.factors == tuple(target.columns)
    strongest = found.loadings.idxmax(axis=1)
    assert (strongest == strongest.index.str.rstrip("0123456789")).all()
    shuffled = sr.efa(items, 5, rotation="target", target=target.sample(frac=1, random_state=2))
    np.testing.assert_array_equal(shuffled.loadings, found.loadings)
    turned = sr.efa(items, 5, rotation="target", target=target.iloc[:, ::-1])
    np.testing.assert_allclose(turned.loadings[list(target.columns)], found.loadings, atol=1e-6)


@pytest.mark.parametrize("method", ["regression", "bartlett", "tenberge"])
def test_score_weights(items, stored, method):
    found = sr.efa(items, 5, method="ml")
    expected = stored["scores"]
    theirs = np.array(expected["loadings"])
    order = linear_sum_assignment(-np.abs(theirs.T @ found.rotated.loadings))[1]
    weights = found.score_weights(method).to_numpy()[:, order]
    np.testing.assert_allclose(weights, expected[method], atol=WEIGHTS)
    np.testing.assert_allclose(found.determinacy.to_numpy()[order], expected["determinacy"], atol=WEIGHTS)


def test_polychoric_solution_equals_psych_on_lavaans_correlations(items, efa_reference):
    found = sr.efa(items, 5, correlation="polychoric")
    expected = efa_reference["polychoric_minres_oblimin"]
    theirs = pd.DataFrame(expected["loadings"]).set_index("_row").to_numpy()
    loadings, phi = matched(found, theirs)
    np.testing.assert_allclose(loadings, theirs, atol=ROTATED)
    np.testing.assert_allclose(phi, pd.DataFrame(expected["phi"]).set_index("_row"), atol=ROTATED)
    assert found.glance().loc[0, "correlation"] == "polychoric"
    assert found.note == "efa.note.polychoric_test"
    assert "polychoric" in found.summary("vi")
