"""Agency-year records of the simulated province: work done, means spent, policies in force."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd

from sipas_research.survey.twin_frame import CENTRE, is_remote, register, site_frame, users
from sipas_research.survey.twin_model import Climates, names
from sipas_research.survey.twin_truth import Truth

_SHARES = ("on_time_share", "online_share", "post_share", "petitions_answered_share", "posted_complete_share")


def standard_effects(truth: Truth, climates: Climates) -> dict[str, np.ndarray]:
    """Agency effects in standard deviations between agencies, one (years, agencies) array a variable."""
    levers, factors = names(truth, "citizen_levers"), names(truth, "factors")
    whole = climates.factor + climates.citizen @ truth.matrix("model.citizen_lever_on_factor").T
    found = {name: climates.staff[:, :, k] for k, name in enumerate(names(truth, "staff_levers"))}
    found |= {
        name: climates.citizen[:, :, k] / np.sqrt(truth.part(f"model.icc.{name}")) for k, name in enumerate(levers)
    }
    return found | {name: whole[:, :, k] / np.sqrt(truth.part(f"model.icc.{name}")) for k, name in enumerate(factors)}


def draw_shares(truth: Truth, effects: dict[str, np.ndarray], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Shares on time, online, by post, petitions answered and postings complete, each (years, agencies)."""
    shares = {}
    for name in _SHARES:
        rule = truth.part(f"records.{name}")
        level = np.array([rule["year"][str(year)] for year in truth.years])[:, None]
        logit = level + sum(weight * effects[target] for target, weight in rule["on"].items())
        logit = logit + rule["noise"] * rng.standard_normal(logit.shape)
        shares[name] = 1.0 / (1.0 + np.exp(-logit))
    return shares


def policy_exposure(truth: Truth) -> dict[str, np.ndarray]:
    """Share of each year that a policy was in force, (years, agencies) by policy id."""
    order = register(truth).codes()
    found = {}
    for policy in truth.part("policies"):
        start = datetime.date.fromisoformat(policy["start"])
        exposure = np.zeros((len(truth.years), len(order)))
        for row, year in enumerate(truth.years):
            first, last = datetime.date(year, 1, 1), datetime.date(year + 1, 1, 1)
            share = (last - max(first, min(start, last))).days / (last - first).days
            exposure[row, [order.index(code) for code in policy["agencies"]]] = share
        found[policy["id"]] = exposure
    return found


def agency_years(
    truth: Truth,
    climates: Climates,
    shares: dict[str, np.ndarray],
    sampled: dict[str, pd.DataFrame],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return one row an agency and year, every value simulated.

    Parameters
    ----------
    truth : Truth
    climates : Climates
    shares : dict
        From :func:`draw_shares`.
    sampled : dict
        Survey name to its forms, with ``year`` and ``agency``.
    rng : Generator

    Returns
    -------
    DataFrame
        Shares are on the 0-1 scale, money in million dong at current prices; ``unit_cost_*`` is what one
        standard deviation of the lever costs the agency for a year.
    """
    effects = standard_effects(truth, climates)
    table = _identity(truth)
    keys = pd.MultiIndex.from_frame(table[["year", "agency"]])
    for survey, name in (("citizens", "forms"), ("staff", "staff_forms")):
        counts = sampled[survey].groupby(["year", "agency"]).size()
        table[name] = counts.reindex(keys, fill_value=0).to_numpy()
    work = _work(truth, effects, shares, table, rng)
    spending = _spending(truth, effects, table["staff_number"].to_numpy(), rng)
    policies = {f"policy_{name}": np.round(value.ravel(), 4) for name, value in policy_exposure(truth).items()}
    return pd.concat([table, work, spending, pd.DataFrame(policies)], axis=1)


def _identity(truth: Truth) -> pd.DataFrame:
    agencies = register(truth).agencies
    last_site_year = truth.part("frame.site_year_last")
    rows = []
    for year in truth.years:
        frame = site_frame(truth, year)
        for row, agency in enumerate(agencies):
            place = CENTRE if year <= last_site_year and agency.level == "department" else agency.code
            rows.append(
                {
                    "data_kind": "simulated",
                    "agency": agency.code,
                    "name_vi": agency.name.vi,
                    "name_en": agency.name.en,
                    "level": agency.level,
                    "remote": int(is_remote(truth)[row]),
                    "year": year,
                    "regime": truth.by_year("regimes", year),
                    "stratum": f"{year}_{place}" if frame[row] else "",
                    "frame_size": int(frame[row]),
                    "users": int(users(truth, year)[row]),
                    "staff_number": truth.part("agencies.staff")[row],
                }
            )
    return pd.DataFrame(rows)


def _work(
    truth: Truth,
    effects: dict[str, np.ndarray],
    shares: dict[str, np.ndarray],
    table: pd.DataFrame,
    rng: np.random.Generator,
) -> pd.DataFrame:
    rule = truth.part("records.counts")
    staff = table["staff_number"].to_numpy()
    files = np.rint(table["users"].to_numpy() * rule["files_per_user"]).astype(int)
    flat = {name: value.ravel() for name, value in shares.items()}
    on_time = np.rint(files * flat["on_time_share"]).astype(int)
    petitions = rng.poisson(files / 1000.0 * rule["petitions_per_1000_files"])
    answered = rng.binomial(petitions, flat["petitions_answered_share"])
    days = np.log(rule["processing_days"]) + rule["processing_days_on_procedure"] * effects["procedure"].ravel()
    days = days + rule["processing_days_noise"] * rng.standard_normal(len(days))
    trouble = rule["incidents_per_100_staff"] * np.exp(rule["incidents_on_discipline"] * effects["discipline"].ravel())
    return pd.DataFrame(
        {
            "files_resolved": files,
            "files_on_time": on_time,
            "on_time_share": np.round(on_time / files, 4),
            "online_share": np.round(flat["online_share"], 4),
            "post_share": np.round(flat["post_share"], 4),
            "processing_days_mean": np.round(np.exp(days), 1),
            "posted_complete_share": np.round(flat["posted_complete_share"], 4),
            "petitions_received": petitions,
            "petitions_answered": answered,
            "conduct_incidents": rng.poisson(staff / 100.0 * trouble),
            "digital_certificates": rng.binomial(staff, rule["certificates_per_staff"]),
        }
    )


def _spending(
    truth: Truth, effects: dict[str, np.ndarray], staff: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    costs = truth.part("costs")
    years = np.repeat(truth.years, len(staff) // len(truth.years))
    prices = (1.0 + costs["yearly_growth"]) ** (years - truth.years[-1])
    columns = {}
    for lever, row in costs["levers"].items():
        noise = costs["noise"] * rng.standard_normal(len(staff))
        spread = np.exp(costs["on_climate"] * effects[lever].ravel() + noise)
        columns[f"spending_{lever}"] = np.round(row["spend"] * staff * prices * spread, 1)
    for lever, row in costs["levers"].items():
        columns[f"unit_cost_{lever}"] = np.round(row["cost"] * staff * prices, 1)
    return pd.DataFrame(columns)
