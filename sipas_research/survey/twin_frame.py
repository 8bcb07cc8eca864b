"""Who is asked in the simulated province: agencies, strata, sampled forms and facts about respondents."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sipas_research.survey.agencies import Agency, AgencyRegister
from sipas_research.survey.twin_truth import Truth
from sipas_research.wording import Bilingual, text

CENTRE = "trung_tam"
_SESSIONS = ((450, 660), (810, 990))  # minutes after midnight: morning and afternoon opening hours


@dataclass(frozen=True, slots=True)
class Stratum:
    """One stratum of one year: its frame, the forms drawn, and the agencies it may be about.

    ``shares`` are the agencies' shares of the frame; ``agencies`` index the register.
    """

    year: int
    code: str
    site: str
    units: int
    forms: int
    agencies: tuple[int, ...]
    shares: tuple[float, ...]

    @property
    def weight(self) -> float:
        """Units that one form stands for."""
        return round(self.units / self.forms, 4)


def register(truth: Truth) -> AgencyRegister:
    """Return the invented agencies: departments, then districts, none of them real."""
    rows = []
    for prefix, level, count in (("so", "department", "departments"), ("huyen", "district", "districts")):
        for number in range(1, truth.part(f"agencies.{count}") + 1):
            place = {"number": f"{number:02d}"}
            name = Bilingual(text(f"twin.agency.{level}", "vi", **place), text(f"twin.agency.{level}", "en", **place))
            rows.append(
                Agency(f"{prefix}_{number:02d}", name, level, source=text("twin.agency.source", "vi"))  # type: ignore[arg-type]
            )
    return AgencyRegister(tuple(rows), "agencies.csv", simulated=True)


def codes(truth: Truth) -> tuple[str, ...]:
    """Agency codes in register order."""
    return register(truth).codes()


def is_remote(truth: Truth) -> np.ndarray:
    """True for agencies in remote areas, shape (agencies,)."""
    return np.isin(codes(truth), truth.part("agencies.remote"))


def users(truth: Truth, year: int) -> np.ndarray:
    """People and organisations that used each agency in a year, shape (agencies,)."""
    base = np.array(truth.part("agencies.users"), dtype=float)
    growth = 1.0 + truth.part("agencies.yearly_growth")
    return np.rint(base * growth ** (year - truth.years[-1])).astype(int)


def shared_out(sizes: np.ndarray, total: int, *, minimum: int = 0, power: float = 1.0) -> np.ndarray:
    """Share ``total`` forms over strata in proportion to ``sizes ** power`` by largest remainders.

    No stratum gets fewer than ``minimum`` forms.
    """
    share = np.asarray(sizes, dtype=float) ** power
    exact = minimum + share / share.sum() * (total - minimum * len(share))
    whole = np.floor(exact).astype(int)
    order = np.argsort(whole - exact, kind="stable")
    whole[order[: total - whole.sum()]] += 1
    return whole


def site_frame(truth: Truth, year: int) -> np.ndarray:
    """Units of each agency in the frame of a year, shape (agencies,); 0 where it was not surveyed."""
    if year > truth.part("frame.site_year_last"):
        return users(truth, year)
    sites = truth.by_year("frame.site_units", year)
    departments = truth.part("agencies.departments")
    units = np.zeros(len(codes(truth)), dtype=int)
    units[:departments] = shared_out(users(truth, year)[:departments], sites[0])
    units[departments : departments + len(sites) - 1] = sites[1:]
    return units


def citizen_strata(truth: Truth, year: int) -> tuple[Stratum, ...]:
    """Strata of the citizens' survey: sites up to 2021, agencies from 2022."""
    names = codes(truth)
    units = site_frame(truth, year)
    if year > truth.part("frame.site_year_last"):
        plan = truth.part("frame.agency_forms")
        forms = shared_out(units, plan["citizens"], minimum=plan["citizens_minimum"], power=plan["citizens_power"])
        return tuple(
            Stratum(year, f"{year}_{code}", _site(truth, code), int(units[row]), int(forms[row]), (row,), (1.0,))
            for row, code in enumerate(names)
        )
    departments = truth.part("agencies.departments")
    centre = tuple(range(departments))
    forms = truth.part("frame.site_forms")
    shares = tuple(float(x) for x in units[:departments] / units[:departments].sum())
    first = Stratum(
        year,
        f"{year}_{CENTRE}",
        text("twin.site.centre", "vi"),
        int(units[list(centre)].sum()),
        forms[0],
        centre,
        shares,
    )
    districts = range(departments, departments + len(forms) - 1)
    return first, *(
        Stratum(year, f"{year}_{names[row]}", _site(truth, names[row]), int(units[row]), number, (row,), (1.0,))
        for row, number in zip(districts, forms[1:], strict=True)
    )


def staff_strata(truth: Truth, year: int) -> tuple[Stratum, ...]:
    """Strata of the staff survey: agencies."""
    size = np.array(truth.part("agencies.staff"))
    plan = truth.part("frame.agency_forms")
    forms = shared_out(size, plan["staff"], minimum=plan["staff_minimum"], power=plan["staff_power"])
    return tuple(
        Stratum(year, f"{year}_{code}", "", int(size[row]), int(forms[row]), (row,), (1.0,))
        for row, code in enumerate(codes(truth))
    )


def _site(truth: Truth, code: str) -> str:
    if code.startswith("so_"):
        return text("twin.site.centre", "vi")
    return text("twin.site.district", "vi", agency=register(truth).name(code, "vi"))


def draw_forms(truth: Truth, strata: tuple[Stratum, ...], prefix: str, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the sampled forms of some strata: design facts, day and time, interviewer; ids by day and time.

    Returns
    -------
    DataFrame
        Also ``year_index``, ``agency_index``, ``level``, ``is_careless``, ``minutes``, which are not questions.
    """
    names, levels = codes(truth), [a.level for a in register(truth).agencies]
    parts = []
    for stratum in strata:
        index = rng.choice(stratum.agencies, size=stratum.forms, p=stratum.shares)
        parts.append(
            pd.DataFrame(
                {
                    "year": stratum.year,
                    "agency": [names[i] for i in index],
                    "site": stratum.site,
                    "stratum": stratum.code,
                    "weight": stratum.weight,
                    "frame_size": stratum.units,
                    "year_index": truth.years.index(stratum.year),
                    "agency_index": index,
                    "level": [levels[i] for i in index],
                }
            )
        )
    forms = pd.concat(parts, ignore_index=True)
    forms = pd.concat([forms, _times(truth, forms["year"].to_numpy(), rng)], axis=1)
    forms["collector"] = _collectors(truth, forms, rng)
    forms = forms.sort_values(["start_time", "stratum", "collector"], kind="stable", ignore_index=True)
    number = forms.groupby("year").cumcount() + 1
    forms.insert(0, "respondent_id", [f"{prefix}{y}-{n:04d}" for y, n in zip(forms["year"], number, strict=True)])
    return forms


def _times(truth: Truth, years: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    behaviour = truth.part("behaviour")
    size = len(years)
    careless = rng.random(size) < behaviour["careless_share"]
    shortest, longest = behaviour["careless_minutes"]
    minutes = behaviour["minutes_median"] * np.exp(behaviour["minutes_log_sd"] * rng.standard_normal(size))
    minutes = np.where(careless, rng.uniform(shortest, longest, size), np.maximum(minutes, 4.0))
    session = np.array(_SESSIONS)[rng.integers(0, len(_SESSIONS), size)]
    opening = rng.integers(session[:, 0], session[:, 1])
    days = {year: _working_days(truth, year) for year in sorted(set(years.tolist()))}
    chance = rng.random(size)
    day = [days[y][int(c * len(days[y]))] for y, c in zip(years.tolist(), chance, strict=True)]
    start = pd.to_datetime(pd.Series(day)) + pd.to_timedelta(opening, unit="min")
    return pd.DataFrame(
        {
            "date": pd.to_datetime(pd.Series(day)),
            "start_time": start,
            "end_time": start + pd.to_timedelta(np.maximum(np.rint(minutes), 1).astype(int), unit="min"),
            "is_careless": careless,
        }
    )


def _working_days(truth: Truth, year: int) -> list[datetime.date]:
    first, last = (datetime.date.fromisoformat(day) for day in truth.by_year("fieldwork", year))
    every = [first + datetime.timedelta(days=n) for n in range((last - first).days + 1)]
    return [day for day in every if day.weekday() < 5]


def _collectors(truth: Truth, forms: pd.DataFrame, rng: np.random.Generator) -> list[str]:
    """Interviewers stay at one site up to 2021; from 2022 a pool of them visits several agencies each."""
    plan = truth.part("collectors")
    groups = sorted(set(forms["stratum"]))
    teams: dict[str, list[int]] = {}
    for position, group in enumerate(groups):
        if int(group[:4]) > truth.part("frame.site_year_last"):
            teams[group] = sorted(rng.choice(plan["pool"], size=plan["per_agency"], replace=False).tolist())
        else:
            start = position % len(truth.part("frame.site_forms")) * plan["per_site"]
            teams[group] = list(range(start, start + plan["per_site"]))
    chosen = rng.random(len(forms))
    return [f"c{teams[g][int(c * len(teams[g]))] + 1:02d}" for g, c in zip(forms["stratum"], chosen, strict=True)]


def _coded(shares: tuple[float, ...], size: int, rng: np.random.Generator) -> np.ndarray:
    share = np.array(shares)
    return rng.choice(len(share), size=size, p=share / share.sum()) + 1


def add_citizen_facts(
    truth: Truth, forms: pd.DataFrame, channels: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    """Add what citizens say about themselves and their case.

    Parameters
    ----------
    truth : Truth
    forms : DataFrame
        From :func:`draw_forms`.
    channels : ndarray of shape (years, agencies, 2)
        Shares of files sent online and by post.
    rng : Generator
    """
    size = len(forms)
    facts = {name: _coded(shares, size, rng) for name, shares in truth.part("citizens.facts").items()}
    reach = truth.part("citizens.reach")
    main = np.array([*reach["main_fields"], *[0] * truth.part("agencies.districts")])[forms["agency_index"]]
    in_main = (main > 0) & (rng.random(size) < reach["department_main_field"])
    facts["procedure_field"] = np.where(in_main, main, facts["procedure_field"])
    share = channels[forms["year_index"], forms["agency_index"]] * (reach["online"], reach["post"])
    draw = rng.random(size)
    facts["channel"] = 1 + (draw < share.sum(axis=1)).astype(int) + (draw < share[:, 1]).astype(int)
    blanks = ("sex", "age_band", "education", "occupation", "procedure_field")
    return _with_blanks(truth, forms.assign(**facts), blanks, rng)


def add_staff_facts(truth: Truth, forms: pd.DataFrame, training: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Add what staff say about themselves; ``training`` is the training climate, shape (years, agencies)."""
    size = len(forms)
    facts = {name: _coded(shares, size, rng) for name, shares in truth.part("staff.facts").items()}
    work = truth.part("staff.work")
    remote = is_remote(truth)[forms["agency_index"]]
    share = np.where(remote, work["remote_share"]["remote"], work["remote_share"]["other"])
    facts["desk"] = np.where(rng.random(size) < work["desk_share"], 1, 2)
    facts["remote_posting"] = np.where(rng.random(size) < share, 1, 2)
    oldest = np.array(work["years_by_age"])[facts["age_band"] - 1]
    years = rng.gamma(work["years_shape"], work["years_scale"], size)
    facts["years_in_post"] = np.minimum(np.floor(years), oldest).astype(int)
    climate = training[forms["year_index"], forms["agency_index"]]
    spread = work["training_days_log_sd"] * rng.standard_normal(size)
    days = work["training_days_median"] * np.exp(work["training_days_on_climate"] * climate + spread)
    facts["training_days"] = np.minimum(np.rint(days), 60).astype(int)
    return _with_blanks(truth, forms.assign(**facts), ("sex", "age_band", "education", "years_in_post"), rng)


def _with_blanks(truth: Truth, facts: pd.DataFrame, columns: tuple[str, ...], rng: np.random.Generator) -> pd.DataFrame:
    blank = rng.random((len(facts), len(columns))) < truth.part("behaviour.fact_missing")
    holed = {name: facts[name].astype("Int64").mask(blank[:, k]) for k, name in enumerate(columns)}
    return facts.assign(**holed)
