"""The twin: simulated microdata of an invented province, with the design of the study and its published margins.

Every value comes from ``truth.toml`` and a seed; no value was measured, and no agency is real.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sipas_research import resources
from sipas_research.files import write_text
from sipas_research.survey.agencies import AgencyRegister
from sipas_research.survey.twin_calibration import Sample, calibrate_year, cut
from sipas_research.survey.twin_files import write_register, write_sav, write_table
from sipas_research.survey.twin_frame import (
    add_citizen_facts,
    add_staff_facts,
    citizen_strata,
    draw_forms,
    register,
    staff_strata,
)
from sipas_research.survey.twin_model import (
    citizen_latents,
    draw_climates,
    latent_answers,
    names,
    residual_variances,
    staff_latents,
)
from sipas_research.survey.twin_records import agency_years, draw_shares, standard_effects
from sipas_research.survey.twin_truth import Truth, design, read_truth, with_calibration

MARK = "simulated"
SEED = 20220826
CITIZEN_FACTS = (
    "respondent_id year agency site stratum weight frame_size respondent_type sex age_band education occupation"
    " procedure_field channel date collector start_time end_time"
).split()
STAFF_FACTS = (
    "respondent_id year agency stratum weight frame_size sex age_band education desk remote_posting years_in_post"
    " training_days date collector start_time end_time"
).split()


@dataclass(frozen=True, slots=True)
class Twin:
    """One simulated province.

    Attributes
    ----------
    citizens, staff : DataFrame
        One row a form: ``data_kind``, facts, items as nullable integers (9 or empty where not answered).
    agency_years : DataFrame
        One row an agency and year.
    agencies : AgencyRegister
    truth : Truth
        What made it.
    """

    citizens: pd.DataFrame
    staff: pd.DataFrame
    agency_years: pd.DataFrame
    agencies: AgencyRegister
    truth: Truth


@dataclass(frozen=True, slots=True)
class _Draft:
    samples: dict[str, Sample]
    agency_years: pd.DataFrame


def make_twin(truth: Truth | None = None, rng: np.random.Generator | None = None) -> Twin:
    """Make the simulated province that a truth file describes.

    Parameters
    ----------
    truth : Truth, optional
        From :func:`read_truth`, :func:`parse_truth` or :func:`calibrate`; by default the packaged design, calibrated.
    rng : Generator, optional
        A fresh generator; by default one with the truth's seed. Margins are met only with the generator that
        the truth was calibrated with.

    Returns
    -------
    Twin
        The same truth and generator give the same tables.
    """
    truth = calibrate(design()) if truth is None else truth
    draft = _draw(truth, truth.generator() if rng is None else rng)
    tables = {}
    for survey, facts in (("citizens", CITIZEN_FACTS), ("staff", STAFF_FACTS)):
        sample = draft.samples[survey]
        answers = cut(sample, _shifts(truth, sample), truth.part("behaviour.no_answer_code"))
        table = pd.concat([sample.facts[facts], answers], axis=1)
        table.insert(0, "data_kind", MARK)
        tables[survey] = table
    return Twin(tables["citizens"], tables["staff"], draft.agency_years, register(truth), truth)


def calibrate(truth: Truth, rng: np.random.Generator | None = None) -> Truth:
    """Shift the thresholds of every item and year until the design margins are met.

    Parameters
    ----------
    truth : Truth
        Its own calibration, if any, is replaced.
    rng : Generator, optional
        A fresh generator; by default one with the truth's seed.

    Returns
    -------
    Truth
        With ``calibrated.shift`` and ``calibrated.residual_variances``.

    Raises
    ------
    AnalysisError
        If the paths explain more variance than there is, or the margins cannot be met.
    """
    residuals = residual_variances(truth)
    draft = _draw(truth.uncalibrated(), truth.generator() if rng is None else rng)
    shifts: dict[str, dict[int, float]] = {}
    for survey, sample in draft.samples.items():
        for year in sorted(set(sample.facts["year"])):
            found = calibrate_year(
                sample,
                int(year),
                truth.part(f"margins.{survey}"),
                index=truth.by_year("margins.index", int(year)) if survey == "citizens" else None,
                scales=names(truth, "factors"),
                tolerance=truth.part("margins.index_tolerance"),
            )
            for item, shift in found.items():
                shifts.setdefault(item, {})[int(year)] = shift
    return with_calibration(truth, shifts, residuals)


def write_twin(folder: Path, *, seed: int = SEED) -> list[Path]:
    """Make the simulated province and write its files.

    Parameters
    ----------
    folder : Path
        Gets ``citizens.csv``, ``staff.csv`` (UTF-8 with mark), the same as ``.sav``, ``agency_years.csv``,
        ``agencies.csv`` and ``truth.toml``; also ``study.toml`` if it has none.
    seed : int
        Another seed makes another province with the same margins.

    Returns
    -------
    list of Path
        Where the files landed.
    """
    folder = Path(folder)
    wanted = calibrate(design(seed))
    truth_file = write_text(folder / "truth.toml", wanted.text)
    twin = make_twin(read_truth(truth_file))
    study_file = folder / "study.toml"
    if not study_file.exists():
        write_text(study_file, resources.data("twin", "study.toml").read_text(encoding="utf-8"))
    return [
        study_file,
        truth_file,
        write_register(folder / "agencies.csv", twin.agencies),
        write_table(folder / "agency_years.csv", twin.agency_years),
        write_table(folder / "citizens.csv", twin.citizens),
        write_table(folder / "staff.csv", twin.staff),
        write_sav(folder / "citizens.sav", twin.citizens, "citizens"),
        write_sav(folder / "staff.sav", twin.staff, "staff"),
    ]


def _draw(truth: Truth, rng: np.random.Generator) -> _Draft:
    # Each part has a stream of its own: what is added to one part leaves the others as they were.
    streams = iter(rng.spawn(12))
    agencies = register(truth)
    climates = draw_climates(truth, agencies.codes(), next(streams))
    shares = draw_shares(truth, standard_effects(truth, climates), next(streams))
    channels = np.stack([shares["online_share"], shares["post_share"]], axis=2)
    strata = tuple(stratum for year in truth.years for stratum in citizen_strata(truth, year))
    forms = draw_forms(truth, strata, "p", next(streams))
    citizens = add_citizen_facts(truth, forms, channels, next(streams))
    forms = draw_forms(truth, staff_strata(truth, truth.years[-1]), "s", next(streams))
    training = climates.staff[:, :, names(truth, "staff_levers").index("training")]
    staff = add_staff_facts(truth, forms, training, next(streams))
    people = {
        "citizens": (citizens, citizen_latents(truth, citizens, climates, next(streams))),
        "staff": (staff, staff_latents(truth, staff, climates, next(streams))),
    }
    samples = {
        survey: _sample(truth, survey, facts, latents, next(streams)) for survey, (facts, latents) in people.items()
    }
    facts = {survey: sample.facts for survey, sample in samples.items()}
    return _Draft(samples, agency_years(truth, climates, shares, facts, next(streams)))


def _sample(truth: Truth, survey: str, facts: pd.DataFrame, latents: pd.DataFrame, rng: np.random.Generator) -> Sample:
    items = truth.items(survey)
    behaviour = truth.part("behaviour")
    latent = latent_answers(truth, survey, facts, latents, rng)
    empty = rng.random(latent.shape) < np.array([item.no_answer for item in items])
    written = rng.random(latent.shape) < behaviour["no_answer_code_share"]
    careless = facts["is_careless"].to_numpy()
    holes = np.where(empty, np.where(written, 2, 1), 0)
    holes[careless] = 0
    same = rng.choice(behaviour["careless_codes"], size=len(facts), p=behaviour["careless_weights"])
    straight = np.where(careless, same, 0)
    for array in (latent, holes, straight):
        array.setflags(write=False)
    return Sample(facts, items, latent, holes, straight)


def _shifts(truth: Truth, sample: Sample) -> np.ndarray:
    years = sample.facts["year"].to_numpy()
    shifts = np.zeros(sample.latent.shape)
    for year in set(years.tolist()):
        shifts[years == year] = [truth.shift(item.id, year) for item in sample.items]
    return shifts
