"""The simulation's model: climates of agencies, latent variables of people, latent answers.

Staff levers are climates of agencies; citizen-side levers are felt by each person; both act on the five
factors, and the factors on overall satisfaction. All latent variables have variance one.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sipas_research.errors import AnalysisError
from sipas_research.survey.twin_truth import Truth

#: Residual variances are stored to nine decimals.
_STORED = 1e-8

OVERALL = "overall"


@dataclass(frozen=True, slots=True)
class Climates:
    """What agencies do to everyone there, arrays of shape (years, agencies, variables).

    ``staff``: staff levers in standard deviations between agencies. ``citizen``: what is added to a
    citizen-side lever. ``factor``: what is added to a factor, beyond what the citizen-side levers carry.
    """

    staff: np.ndarray
    citizen: np.ndarray
    factor: np.ndarray


def names(truth: Truth, group: str) -> tuple[str, ...]:
    """Names of "staff_levers", "citizen_levers" or "factors", in the order of the matrices."""
    return tuple(truth.part(f"model.{group}"))


def _intraclass(truth: Truth, group: str) -> np.ndarray:
    return np.array([truth.part(f"model.icc.{name}") for name in names(truth, group)])


def _uniform(size: int, correlation: float) -> np.ndarray:
    return correlation + (1.0 - correlation) * np.eye(size)


def lever_correlation(truth: Truth) -> np.ndarray:
    """Correlations between agencies of all levers, staff first, shape (10, 10)."""
    staff, citizen = names(truth, "staff_levers"), names(truth, "citizen_levers")
    matrix = np.zeros((len(staff) + len(citizen),) * 2)
    matrix[: len(staff), : len(staff)] = _uniform(len(staff), truth.part("model.correlations.staff_levers_between"))
    matrix[len(staff) :, len(staff) :] = _uniform(len(citizen), truth.part("model.correlations.citizen_levers_between"))
    order = staff + citizen
    for one, other, value in truth.part("model.correlations.links_between"):
        row, column = order.index(one), order.index(other)
        matrix[row, column] = matrix[column, row] = value
    return matrix


def residual_variances(truth: Truth) -> dict[str, dict[str, float]]:
    """Residual variances that give each factor variance one and its intraclass correlation.

    Returns
    -------
    dict
        Latent variable to {"between", "within"}; overall satisfaction has only the second.

    Raises
    ------
    AnalysisError
        If the paths explain more variance than there is.
    """
    explained_between, explained_within = _explained(truth)
    icc = _intraclass(truth, "factors")
    between = icc - np.diag(explained_between)
    within = 1.0 - icc - np.diag(explained_within)
    rows = {
        name: {"between": float(b), "within": float(w)}
        for name, b, w in zip(names(truth, "factors"), between, within, strict=True)
    }
    rows[OVERALL] = {"between": 0.0, "within": 1.0 - _overall_variance(truth, between, within)}
    for name, row in rows.items():
        if row["within"] <= 0 or row["between"] < 0:
            raise AnalysisError("twin.truth.too_much_explained", name=name)
    return rows


def _explained(truth: Truth) -> tuple[np.ndarray, np.ndarray]:
    """Covariances of the factors that the levers carry, between and within agencies, each (5, 5)."""
    icc = _intraclass(truth, "citizen_levers")
    paths = truth.matrix("model.citizen_lever_on_factor")
    both = np.hstack([truth.matrix("model.staff_lever_on_factor"), paths * np.sqrt(icc)])
    spread = paths * np.sqrt(1.0 - icc)
    within = _uniform(len(icc), truth.part("model.correlations.citizen_levers_within"))
    return both @ lever_correlation(truth) @ both.T, spread @ within @ spread.T


def _overall_variance(truth: Truth, between: np.ndarray, within: np.ndarray) -> float:
    """Variance of overall satisfaction that factors and citizen-side levers carry."""
    icc = _intraclass(truth, "citizen_levers")
    paths = truth.matrix("model.citizen_lever_on_factor")
    on_factor = np.array(truth.part("model.overall.factors"))
    on_lever = on_factor @ paths + np.array(truth.part("model.overall.citizen_levers"))
    staff = on_factor @ truth.matrix("model.staff_lever_on_factor")
    both = np.concatenate([staff, on_lever * np.sqrt(icc)])
    spread = on_lever * np.sqrt(1.0 - icc)
    levers = both @ lever_correlation(truth) @ both
    levers += spread @ _uniform(len(icc), truth.part("model.correlations.citizen_levers_within")) @ spread
    residual = 0.0
    for variance, level in ((between, "between"), (within, "within")):
        scaled = on_factor * np.sqrt(np.maximum(variance, 0.0))
        correlation = truth.part(f"model.correlations.factor_residuals_{level}")
        residual += float(scaled @ _uniform(len(scaled), correlation) @ scaled)
    return float(levers) + residual


def _stored_residuals(truth: Truth) -> Mapping[str, Mapping[str, float]]:
    """Return the calibrated residual variances, which must still follow from the coefficients.

    Raises
    ------
    AnalysisError
        If a coefficient was changed after the calibration: the file would not be what made the data.
    """
    followed = residual_variances(truth)
    if not truth.is_calibrated:
        return followed
    stored: Mapping[str, Mapping[str, float]] = truth.part("calibrated.residual_variances")
    for name, row in followed.items():
        if any(abs(stored[name][level] - value) > _STORED for level, value in row.items()):
            raise AnalysisError("twin.truth.stale", name=name)
    return stored


def _square_root(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(values)) @ vectors.T


def _exact(draws: np.ndarray) -> np.ndarray:
    """Rescale draws so that over the agencies they have mean 0, variance 1 and no correlation."""
    centred = draws - draws.mean(axis=0)
    covariance = centred.T @ centred / len(centred)
    return centred @ np.linalg.inv(_square_root(covariance))


def draw_climates(truth: Truth, codes: tuple[str, ...], rng: np.random.Generator) -> Climates:
    """Draw the agencies' climates for every year, with the policies in force at the time of the survey.

    Parameters
    ----------
    truth : Truth
    codes : tuple of str
        Agency codes.
    rng : Generator
    """
    n_staff, n_citizen, n_factor = (len(names(truth, g)) for g in ("staff_levers", "citizen_levers", "factors"))
    levers = n_staff + n_citizen
    keep = truth.part("model.persistence")
    mix = np.eye(levers + n_factor)
    mix[:levers, :levers] = _square_root(lever_correlation(truth))
    mix[levers:, levers:] = _square_root(_uniform(n_factor, truth.part("model.correlations.factor_residuals_between")))
    state = rng.standard_normal((len(codes), levers + n_factor))
    drawn = []
    for year in truth.years:
        if year != truth.years[0]:
            state = keep * state + np.sqrt(1.0 - keep**2) * rng.standard_normal(state.shape)
        drawn.append(_exact(state) @ mix)
    effects = np.stack(drawn)
    policy = policy_effects(truth, codes)
    staff = effects[:, :, :n_staff] + policy[:, :, :n_staff]
    citizen = effects[:, :, n_staff:levers] * np.sqrt(_intraclass(truth, "citizen_levers"))
    stored = _stored_residuals(truth)
    residual_sd = np.sqrt([stored[name]["between"] for name in names(truth, "factors")])
    factor = staff @ truth.matrix("model.staff_lever_on_factor").T + effects[:, :, levers:] * residual_sd
    found = Climates(staff, citizen + policy[:, :, n_staff:levers], factor + policy[:, :, levers:])
    for array in (found.staff, found.citizen, found.factor):
        array.setflags(write=False)
    return found


def policy_effects(truth: Truth, codes: tuple[str, ...]) -> np.ndarray:
    """What the dated policies add, shape (years, agencies, staff levers + citizen levers + factors)."""
    order = names(truth, "staff_levers") + names(truth, "citizen_levers") + names(truth, "factors")
    added = np.zeros((len(truth.years), len(codes), len(order)))
    for policy in truth.part("policies"):
        start = datetime.date.fromisoformat(policy["start"])
        for row, year in enumerate(truth.years):
            if start <= datetime.date.fromisoformat(truth.by_year("fieldwork", year)[0]):
                touched = [codes.index(code) for code in policy["agencies"]]
                added[row, touched, order.index(policy["target"])] += policy["effect"]
    return added


def citizen_latents(truth: Truth, facts: pd.DataFrame, climates: Climates, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the latent variables of citizens: citizen-side levers, factors, overall satisfaction.

    Parameters
    ----------
    truth : Truth
    facts : DataFrame
        One row a respondent, with ``year_index`` and ``agency_index`` beside the questionnaire's facts.
    climates : Climates
    rng : Generator

    Returns
    -------
    DataFrame
        One column a scale, index of ``facts``.
    """
    where = facts["year_index"].to_numpy(), facts["agency_index"].to_numpy()
    icc = _intraclass(truth, "citizen_levers")
    lever = _correlated(len(facts), len(icc), truth.part("model.correlations.citizen_levers_within"), rng)
    lever = climates.citizen[where] + lever * np.sqrt(1.0 - icc)
    lever += person_effects(truth, "citizens", facts, names(truth, "citizen_levers"))
    stored = _stored_residuals(truth)
    factors = names(truth, "factors")
    noise = _correlated(len(facts), len(factors), truth.part("model.correlations.factor_residuals_within"), rng)
    factor = climates.factor[where] + lever @ truth.matrix("model.citizen_lever_on_factor").T
    factor += noise * np.sqrt([stored[name]["within"] for name in factors])
    factor += person_effects(truth, "citizens", facts, factors)
    factor += _collector_effects(truth, facts, rng)[:, None]
    overall = factor @ np.array(truth.part("model.overall.factors"))
    overall += lever @ np.array(truth.part("model.overall.citizen_levers"))
    overall += rng.standard_normal(len(facts)) * np.sqrt(stored[OVERALL]["within"])
    columns = [*names(truth, "citizen_levers"), *factors, OVERALL]
    return pd.DataFrame(np.column_stack([lever, factor, overall]), columns=columns, index=facts.index)


def staff_latents(truth: Truth, facts: pd.DataFrame, climates: Climates, rng: np.random.Generator) -> pd.DataFrame:
    """Draw how staff feel their agency's levers; columns are the staff levers."""
    levers = names(truth, "staff_levers")
    where = facts["year_index"].to_numpy(), facts["agency_index"].to_numpy()
    icc = _intraclass(truth, "staff_levers")
    own = _correlated(len(facts), len(levers), truth.part("model.correlations.staff_levers_within"), rng)
    felt = climates.staff[where] * np.sqrt(icc) + own * np.sqrt(1.0 - icc)
    felt += person_effects(truth, "staff", facts, levers)
    return pd.DataFrame(felt, columns=list(levers), index=facts.index)


def _correlated(rows: int, columns: int, correlation: float, rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((rows, columns)) @ _square_root(_uniform(columns, correlation))


def _collector_effects(truth: Truth, facts: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    group = facts.groupby(["year", "collector"], sort=True).ngroup().to_numpy()
    drawn: np.ndarray = rng.standard_normal(group.max() + 1)[group] * truth.part("model.collector_sd")
    return drawn


def person_effects(truth: Truth, survey: str, facts: pd.DataFrame, targets: tuple[str, ...]) -> np.ndarray:
    """What respondents' own characteristics add to the latent variables ``targets``, shape (rows, targets)."""
    added = np.zeros((len(facts), len(targets)))
    for rule in truth.part("model.person_effects"):
        if rule["survey"] == survey and rule["target"] in targets:
            match = facts[rule["fact"]].to_numpy() == rule["code"]
            added[match, targets.index(rule["target"])] += rule["effect"]
    return added


def latent_answers(
    truth: Truth, survey: str, facts: pd.DataFrame, latents: pd.DataFrame, rng: np.random.Generator
) -> np.ndarray:
    """Continuous answers before the thresholds, shape (rows, items).

    An item that works differently in some agencies has its thresholds moved there; the answer is moved the
    other way, which is the same.
    """
    items = truth.items(survey)
    loadings = np.array([item.loading for item in items])
    common = latents[[item.scale for item in items]].to_numpy()
    answers = common * loadings + rng.standard_normal(common.shape) * np.sqrt(1.0 - loadings**2)
    ids = [item.id for item in items]
    for rule in truth.part("model.item_differences"):
        if rule["item"] in ids:
            there = facts["level"].to_numpy() == rule["level"]
            answers[there, ids.index(rule["item"])] -= rule["shift"]
    return answers
