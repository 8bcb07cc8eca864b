"""Checks across the columns of translated answers: doubled respondents, blank forms, weights, times, scales."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sipas_research.errors import Problem
from sipas_research.numerics.disclosure import MINIMUM_CELL
from sipas_research.survey.agencies import Agency, AgencyRegister
from sipas_research.survey.findings import Detail, Finding, finding, plain_finding
from sipas_research.survey.questionnaire import Questionnaire
from sipas_research.wording import LANGUAGES, Bilingual, date, integer, number, text

#: An item is suspected of running the other way below this correlation with the rest of its scale ...
SUSPECT_BELOW = -0.2
#: ... given at least this many forms with the item and another item of its scale.
SUSPECT_FROM = 30


def doubled_respondents(
    frame: pd.DataFrame, column: str, row_numbers: np.ndarray, rejected: np.ndarray
) -> list[Finding]:
    """Keep one form for each respondent_id (and year, where there is one) and reject the others.

    The first form is kept, or the first that is not ``rejected`` for another reason, shape (rows,) of bool.
    """
    by = [name for name in ("year", "respondent_id") if name in frame]
    filled = frame["respondent_id"].notna().to_numpy()
    codes = frame[by].groupby(by, sort=False, dropna=False).ngroup().to_numpy()
    # A stable order with the usable forms first: the first of each group is the one that is kept.
    order = np.argsort(rejected, kind="stable")
    _, first, inverse = np.unique(codes[order], return_index=True, return_inverse=True)
    kept = np.empty(len(frame), dtype=np.int64)
    kept[order] = order[first[inverse]]
    positions = np.flatnonzero(filled & (kept != np.arange(len(frame))))
    # The id itself is not shown: some forms take the number of an identity card.
    details: list[Detail] = [("", (("kept", str(row_numbers[kept[p]])),)) for p in positions]
    if not len(positions):
        return []
    return [finding("check.row.doubled", "row", column, positions, details, np.arange(len(positions)))]


def blank_forms(frame: pd.DataFrame, items: Sequence[str]) -> list[Finding]:
    """Reject forms without a single answer to the items."""
    positions = np.flatnonzero(frame[list(items)].isna().all(axis=1).to_numpy())
    return [plain_finding("check.row.blank", "row", "", positions)] if len(positions) else []


def empty_required(frame: pd.DataFrame, required: Mapping[str, str]) -> list[Finding]:
    """Reject forms where a required fact is empty; ``required`` maps question ids to column names."""
    found = []
    for question_id, column in required.items():
        positions = np.flatnonzero(frame[question_id].isna().to_numpy())
        if len(positions):
            found.append(plain_finding("check.row.required_empty", "row", column, positions))
    return found


def bad_weights(weights: pd.Series, column: str) -> list[Finding]:
    """Reject forms whose weight is missing, zero or negative, shape (rows,) of floats."""
    missing = np.flatnonzero(weights.isna().to_numpy())
    small = np.flatnonzero((weights <= 0).to_numpy())
    found = [plain_finding("check.row.weight_missing", "row", column, missing)] if len(missing) else []
    if len(small):
        values = weights.to_numpy()[small]
        details: list[Detail] = []
        for value in values:
            plain = str(int(value)) if float(value).is_integer() else str(value)
            details.append((plain, (("shown", Bilingual(plain.replace(".", ","), plain)),)))
        found.append(finding("check.row.weight_not_positive", "row", column, small, details, np.arange(len(small))))
    return found


def backward_times(frame: pd.DataFrame, column: str) -> list[Finding]:
    """Tell of forms that end before they start; their times are not used."""
    positions = np.flatnonzero((frame["end_time"] < frame["start_time"]).to_numpy())
    return [plain_finding("check.row.end_before_start", "warning", column, positions)] if len(positions) else []


def forms_out_of_date(
    frame: pd.DataFrame, register: AgencyRegister, column: str, file: str, year: int | None = None
) -> list[Problem]:
    """Tell of agencies with forms from a time when they do not exist: one warning an agency, never a rejection.

    The time of a form is its date, else the day it was started, else its year (``year`` where the file has none);
    a year counts only if no day of it lies within the agency's time. Counts under 10 are not told.
    """
    dated = [a for a in register.agencies if a.valid_from or a.valid_to]
    if not dated:
        return []
    first_day, last_day = _days_of(frame, year)
    rows = frame.groupby("agency", sort=False).indices
    problems = []
    for agency in dated:
        at = rows.get(agency.code, [])
        early = int((last_day[at] < np.datetime64(agency.valid_from or "NaT")).sum())
        late = int((first_day[at] > np.datetime64(agency.valid_to or "NaT")).sum())
        if early or late:
            problems.append(_out_of_date(agency, early, late, column, file))
    return problems


def _days_of(frame: pd.DataFrame, year: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and the last day on which each form can have been filled in, shape (rows,); NaT if unknown."""
    days = pd.Series(np.datetime64("NaT", "us"), index=frame.index)
    for name in ("date", "start_time"):
        if name in frame:
            days = days.fillna(frame[name].astype("datetime64[us]"))
    known = days.to_numpy().astype("datetime64[D]")
    years = frame["year"] if "year" in frame else pd.Series(np.nan if year is None else float(year), index=frame.index)
    usable = years.between(datetime.MINYEAR, datetime.MAXYEAR).to_numpy()
    since_1970 = np.where(usable, years.to_numpy(dtype=float, na_value=np.nan) - 1970.0, 0.0).astype(np.int64)
    start, after = ((since_1970 + n).astype("datetime64[Y]").astype("datetime64[D]") for n in (0, 1))
    unknown = np.datetime64("NaT", "D")
    first, last = np.where(usable, start, unknown), np.where(usable, after - np.timedelta64(1, "D"), unknown)
    dated = ~np.isnat(known)
    return np.where(dated, known, first), np.where(dated, known, last)


def _out_of_date(agency: Agency, early: int, late: int, column: str, file: str) -> Problem:
    key = "check.agency.outside" if early and late else "check.agency.ended" if late else "check.agency.not_begun"
    count = early + late

    def told(language: str) -> str:
        return integer(count, language) if count >= MINIMUM_CELL else text("check.agency.below_ten", language)

    fields: dict[str, object] = {
        "name": agency.name,
        "count": Bilingual(*(told(language) for language in LANGUAGES)),
        "advice": Bilingual(*(text("check.agency.date_advice", language) for language in LANGUAGES)),
    }
    for name, day in (("first", agency.valid_from), ("last", agency.valid_to)):
        if day:
            read = datetime.date.fromisoformat(day)
            fields[name] = Bilingual(*(date(read, language) for language in LANGUAGES))
    return Problem.of(key, severity="warning", file=file, column=column, **fields)  # type: ignore[arg-type]


def flat_items(frame: pd.DataFrame, columns: Mapping[str, str], file: str) -> list[Problem]:
    """Tell of items without answers, or with one and the same answer in every form (of at least two)."""
    problems = []
    for question_id, column in columns.items():
        answers = frame[question_id].dropna()
        if answers.empty:
            problems.append(Problem.of("check.item.empty", severity="warning", file=file, column=column))
        elif len(answers) > 1 and answers.nunique() == 1:
            problems.append(
                Problem.of("check.item.constant", severity="warning", file=file, column=column, count=len(answers))
            )
    return problems


def suspected_reversals(
    frame: pd.DataFrame, questionnaire: Questionnaire, columns: Mapping[str, str], file: str
) -> list[Problem]:
    """Ask about items that run against the rest of their scale.

    The rest is the mean of the other answered items of the scale, each turned where the questionnaire
    declares it negative. ``columns`` maps the item ids to ask about to column names.
    """
    problems = []
    for scale_id in questionnaire.scale_ids():
        items = [q for q in questionnaire.items([scale_id]) if q.id in frame]
        if len(items) < 2:
            continue
        answers = frame[[q.id for q in items]].to_numpy(dtype=float)
        scored = answers * np.array([q.direction for q in items])
        for place, (correlation, n_used) in enumerate(rest_correlations(scored)):
            question_id = items[place].id
            if question_id in columns and n_used >= SUSPECT_FROM and correlation < SUSPECT_BELOW:
                shown = Bilingual(*(number(correlation, 2, language) for language in LANGUAGES))
                problems.append(
                    Problem.of(
                        "check.item.suspected_reversed",
                        severity="question",
                        file=file,
                        column=columns[question_id],
                        question=question_id,
                        scale=questionnaire.scale(scale_id).name,
                        correlation=shown,
                        count=n_used,
                    )
                )
    return problems


def rest_correlations(answers: np.ndarray) -> list[tuple[float, int]]:
    """Return for each item the Pearson correlation with the mean of the other items, and the rows used.

    Parameters
    ----------
    answers : array of shape (rows, items)
        NaN where there is no answer. The mean is over the other items that the row answers, each about its
        own mean, so that a row with few answers is not pushed up by an easy item.

    Returns
    -------
    list of (float, int)
        NaN where a side is constant.
    """
    answered = np.isfinite(answers)
    n_answered = answered.sum(axis=0)
    means = np.where(answered, answers, 0.0).sum(axis=0) / np.maximum(n_answered, 1)
    centred = np.where(answered, answers - means, 0.0)
    total, count = centred.sum(axis=1), answered.sum(axis=1)
    found = []
    for item in range(answers.shape[1]):
        use = answered[:, item] & (count > 1)
        own = centred[use, item]
        rest = (total[use] - own) / (count[use] - 1)
        own, rest = own - own.sum() / max(len(own), 1), rest - rest.sum() / max(len(rest), 1)
        size = float(np.sqrt((own @ own) * (rest @ rest)))
        found.append((float(own @ rest) / size if size > 0 else float("nan"), int(use.sum())))
    return found
