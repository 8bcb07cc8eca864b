"""What a fit of ordered answers answers: standardised coefficients, residuals, scores, summary."""

from __future__ import annotations

import json
from typing import Any

import lavaan_cases as cases
import numpy as np
import pytest
import test_ordinal_cases as ordinal
import test_ordinal_slopes as models

import sipas_research as sr
from sipas_research.errors import OptionError

LAVAAN: dict[str, Any] = json.loads((ordinal.REFERENCE / "answers.json").read_text(encoding="utf-8"))["models"]
OURS = {"delta": "delta", "theta": "theta", "equal": "groups", "mimic": "predictors"}
GROUPS = {1: "district", 2: "department"}


@pytest.mark.parametrize("name", OURS)
def test_standardised_coefficients_are_lavaans(name: str) -> None:
    fit = models.fitted(OURS[name])
    several = len(fit.groups) > 1
    found = {cases.key(row, row["group"]): row for row in fit.standardized().to_dict("records")}
    compared = 0
    for lhs, op, rhs, group, estimate, error in LAVAAN[name]["std"]:
        row = found.get(cases.key({"lhs": lhs, "op": op, "rhs": rhs}, GROUPS[group] if several else ""))
        if row is None:  # scales under theta
            continue
        compared += 1
        assert row["estimate"] == pytest.approx(estimate, abs=1e-4)
        assert row["std_error"] == pytest.approx(error or 0.0, abs=1e-4)
    assert compared > 50


@pytest.mark.parametrize("name", ["delta", "mimic"])
def test_scores_are_lavaans(name: str) -> None:
    found = models.fitted(OURS[name]).scores()
    assert len(found) == 1200
    np.testing.assert_allclose(found.head(5).to_numpy(), LAVAAN[name]["scores"], atol=2e-4)


def test_scores_do_not_depend_on_the_parameterization() -> None:
    delta, theta = (models.fitted(name) for name in ("delta", "theta"))
    first, second = (fit.scores() / np.sqrt(np.diag(fit.implied("latent_cov").to_numpy())) for fit in (delta, theta))
    np.testing.assert_allclose(first.to_numpy(), second.to_numpy(), atol=1e-5)


def test_scores_stand_in_the_order_of_the_data() -> None:
    fit = models.fitted("groups")
    found = fit.scores()
    assert list(found.index) == list(range(1200))
    assert set(found["group"]) == {"district", "department"}
    assert found["access"].corr(cases.data("survey")[list(models.ITEMS[:4])].mean(axis=1)) > 0.9


def test_bartlett_scores_are_refused() -> None:
    with pytest.raises(OptionError):
        models.fitted("delta").scores("bartlett")


@pytest.mark.parametrize("name", ["delta", "theta"])
def test_standardised_residuals_are_lavaans(name: str) -> None:
    found = models.fitted(name).residuals("standardized").to_numpy()
    np.testing.assert_allclose(found, LAVAAN[name]["residuals"], atol=2e-3)


def test_residuals_of_thresholds() -> None:
    free, held = (models.fitted(name).residuals("mean") for name in ("delta", "groups"))
    assert list(free.columns) == ["observed", "implied", "residual", "standardized"]
    np.testing.assert_allclose(free["residual"], 0, atol=1e-8)
    np.testing.assert_allclose(free["standardized"], 0, atol=1e-12)
    assert len(held) == 56
    assert 0 < held["standardized"].abs().max() < 5
    assert "access1|t1" in free.index


@pytest.mark.parametrize("name", ["delta", "theta"])
def test_residual_correlations_are_those_of_the_polychorics(name: str) -> None:
    fit = models.fitted(name)
    frame = cases.data("survey")
    observed = sr.polychoric(frame[list(models.ITEMS)]).correlation
    gap = observed - fit.implied().to_numpy()
    np.testing.assert_allclose(fit.residuals("raw").to_numpy(), gap, atol=1e-8)
    np.testing.assert_allclose(np.diag(fit.implied().to_numpy()), 1, atol=1e-9)


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("name", ["delta", "theta", "groups", "mixed", "predictors"])
def test_the_summary_tells_thresholds_and_the_shifted_test(name: str, language: str) -> None:
    fit = models.fitted(name)
    found = fit.summary(language)
    assert "access1 |" in found
    assert {"vi": "Ngưỡng:", "en": "Thresholds:"}[language] in found
    assert "WLSMV" in found
    assert "nan" not in found
    assert ("Scales of ordered items:" in found) == (name == "groups" and language == "en")


def test_explained_variance_and_rows_of_the_table() -> None:
    fit = models.fitted("delta")
    standard = fit.tidy().query("op == '=~'")["std_all"].to_numpy()
    np.testing.assert_allclose(fit.r2().query("variable != 'access'")["r2"].head(7), standard**2, atol=1e-9)
    residual = fit.tidy().query("op == '~~' and lhs == 'access1'").iloc[0]
    assert residual["note"] == "fixed"
    assert residual["estimate"] == pytest.approx(1 - standard[0] ** 2)


def test_glance_names_estimator_and_robust_indices() -> None:
    row = models.fitted("delta").glance().iloc[0]
    assert row["estimator"] == "WLSMV"
    assert row["n"] == 1200
    assert np.isfinite(row["cfi_robust"])


@pytest.mark.parametrize(
    ("language", "words"), [("en", "threshold t1 of the ordered item access1"), ("vi", "ngưỡng t1")]
)
def test_the_table_explains_thresholds_and_scales(language: str, words: str) -> None:
    table = models.fitted("delta").table
    assert words in table.summary(language)
    notes = table.tidy().set_index(["lhs", "op", "rhs"])["note"]
    assert notes["access1", "~~", "access1"] == "follows"
    assert notes["access1", "~*~", "access1"] == "fixed"
    assert notes["access1", "|", "t1"] == ""


def test_validity_rests_on_the_variables_behind_the_answers() -> None:
    fit = models.fitted("delta")
    table = sr.validity(fit, bootstrap=0).tidy().set_index(["term", "measure", "other"])["estimate"]
    standard = fit.tidy().query("lhs == 'access' and op == '=~'")["std_all"]
    assert table["access", "ave", ""] == pytest.approx((standard**2).mean(), abs=1e-6)
    assert table["access", "cr", ""] == pytest.approx(table["access", "cr_standardized", ""], abs=2e-3)


def test_semopy_is_not_asked_about_ordered_answers() -> None:
    assert "WLSMV" in sr.verify_with_semopy(models.fitted("delta")).summary("en")
