"""Every stored value of R psych, with the tolerance each can carry."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linear_sum_assignment

import sipas_research as sr
from sipas_research.factors.efa import solve
from sipas_research.factors.inputs import item_matrix
from sipas_research.numerics.rotation import geomin_criterion, oblimin_criterion

CLOSED_FORM = 1e-10  # alpha, KMO, Bartlett, eigenvalues: no iteration on either side; 12 digits are stored
UNROTATED = 2e-5  # psych's optimiser stops at a relative decrease of about 1e-8 of the discrepancy
ROTATED = 1e-4  # psych stops rotating at a projected gradient of 1e-5
FIT = 1e-6  # chi-square, RMSEA, TLI inherit the unrotated tolerance squared, relative to their size

UNROTATED_CASES = ("minres_none", "ml_none", "pa_none")
ROTATED_CASES = ("minres_varimax", "minres_oblimin", "ml_promax", "ml_oblimin", "ml_geomin")


def stored(case: dict) -> tuple[np.ndarray, np.ndarray]:
    pattern = pd.DataFrame(case["loadings"]).set_index("_row")
    correlations = pd.DataFrame(case["phi"]).set_index("_row") if case["phi"] else None
    phi = np.eye(pattern.shape[1]) if correlations is None else correlations.to_numpy()
    return pattern.to_numpy(), phi


def matched(ours: np.ndarray, phi: np.ndarray, theirs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = linear_sum_assignment(-np.abs(theirs.T @ ours))[1]
    signs = np.sign(np.sum(ours[:, order] * theirs, axis=0))
    return ours[:, order] * signs, phi[np.ix_(order, order)] * np.outer(signs, signs)


def compare(found, case: dict, tolerance: float) -> int:
    theirs, their_phi = stored(case)
    ours, phi = matched(found.rotated.loadings, found.rotated.factor_correlations, theirs)
    np.testing.assert_allclose(ours, theirs, atol=tolerance)
    np.testing.assert_allclose(phi, their_phi, atol=tolerance)
    shared = [case["communality"][name] for name in found.items]
    np.testing.assert_allclose(found.communality, shared, atol=tolerance)
    measures = found.glance().iloc[0]
    expected = [case["chi"], case["dof"], case["rmsea"], case["tli"]]
    got = [measures["chisq"], measures["df"], measures["rmsea"], measures["tli"]]
    np.testing.assert_allclose(got, expected, rtol=FIT * 10)
    return ours.size + phi.size + len(shared) + 4


@pytest.mark.parametrize("name", UNROTATED_CASES + ROTATED_CASES)
def test_factor_solutions(items, efa_reference, name):
    method, rotation = name.split("_")
    found = sr.efa(items, 5, method=method, rotation=rotation)
    assert found.converged
    assert found.note == ""
    compared = compare(found, efa_reference[name], UNROTATED if rotation == "none" else ROTATED)
    assert compared == 22 * 5 + 25 + 22 + 4


def test_polychoric_correlations_through_the_same_steps(items, polychoric, efa_reference):
    matrix = item_matrix(items)
    correlation = polychoric.loc[list(matrix.items), list(matrix.items)].to_numpy()
    found = solve(matrix, correlation, 5, method="minres", rotation="oblimin")
    assert compare(found, efa_reference["polychoric_minres_oblimin"], ROTATED) == 161


@pytest.mark.parametrize(
    ("name", "criterion"),
    [("minres_oblimin", oblimin_criterion), ("ml_oblimin", oblimin_criterion), ("ml_geomin", geomin_criterion)],
)
def test_our_criterion_is_not_above_that_of_psych(items, efa_reference, name, criterion):
    method, rotation = name.split("_")
    theirs = criterion(stored(efa_reference[name])[0])[0]
    assert sr.efa(items, 5, method=method, rotation=rotation).rotated.criterion <= theirs


def test_adequacy_and_eigenvalues(items, efa_reference):
    measure, test = sr.kmo(items), sr.bartlett_sphericity(items)
    by_item = [efa_reference["kmo"]["items"][name] for name in measure.items]
    pairs = [
        ([measure.overall], [efa_reference["kmo"]["overall"]]),
        (measure.adequacy.items, by_item),
        ([test.statistic, test.df], [efa_reference["bartlett"]["chisq"], efa_reference["bartlett"]["df"]]),
        (sr.efa(items, 5).eigenvalues, efa_reference["eigenvalues"]),
    ]
    for got, expected in pairs:
        np.testing.assert_allclose(got, expected, rtol=CLOSED_FORM)
    assert test.p_value < 1e-300
    assert sum(len(expected) for _, expected in pairs) == 1 + 22 + 2 + 22


def test_alpha(items, alpha_reference):
    scales = alpha_reference["scales"]
    found = sr.reliability(items, scales)
    by_scale = found.scales.set_index("term")
    by_item = found.items.set_index("term")
    compared = 0
    for scale, expected in alpha_reference["alpha"].items():
        row = by_scale.loc[scale]
        got = [row["estimate"], row["standardized_alpha"]]
        np.testing.assert_allclose(got, [expected["raw_alpha"], expected["std_alpha"]], rtol=CLOSED_FORM)
        for ours, theirs in (("item_total", "item_total"), ("alpha_if_deleted", "alpha_if_deleted")):
            values = expected[theirs]
            np.testing.assert_allclose(by_item.loc[list(values), ours], list(values.values()), rtol=CLOSED_FORM)
            compared += len(values)
        compared += 2
    assert compared == 2 * 5 + 2 * 22
