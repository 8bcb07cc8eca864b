"""How many forms, and who answered: tables of counts."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sipas_research.numerics.disclosure import MINIMUM_CELL
from sipas_research.report.cells import Suppressed
from sipas_research.report.display import Column, Finding, Table
from sipas_research.report.labels import only_year, source_line, survey_id, survey_name
from sipas_research.survey.agency_level import with_agency_level
from sipas_research.survey.profile import Profile, profile
from sipas_research.survey.questionnaire import Question
from sipas_research.survey.responses import Responses
from sipas_research.wording import text


def forms_table(everyone: Responses, current: Responses, language: str) -> Table:
    """Return forms read, rejected and used, by year, and the forms that this report analyses.

    Parameters
    ----------
    everyone : Responses
        The whole file.
    current : Responses
        The year of the report.
    """
    record = profile(everyone, facts=()).record()
    rows: list[tuple[Any, ...]] = []
    for row in record.itertuples():
        if row.term == "forms":
            label = text(f"tables.forms.{row.group}", language)
        elif row.group == "missing":
            label = text("tables.forms.no_year", language)
        else:
            label = text("tables.forms.used_year", language, year=row.group)
        rows.append((label, Suppressed() if row.suppressed else int(row.n)))
    few = 0 < len(current) < MINIMUM_CELL
    rows.append((text("tables.forms.analysed", language), Suppressed() if few else len(current)))
    year = only_year(current) if len(current) < len(everyone) else ""
    return Table(
        f"tbl-forms-{survey_id(everyone)}",
        text("tables.forms.title", language, survey=survey_name(everyone, language)),
        (
            Column("what", text("tables.forms.what", language), width=0.7),
            Column("n", text("tables.common.n", language), "integer", width=0.3),
        ),
        tuple(rows),
        language=language,
        data_kind=everyone.data_kind,
        n=None if record["suppressed"].any() else len(everyone),
        weighting=text("tables.common.unweighted", language),
        source=source_line(everyone, language),
        notes=(text("tables.forms.note_current", language, year=year),) if year else (),
        total_rows=(len(rows) - 1,),
    )


def profile_table(found: Profile, responses: Responses, language: str) -> Table | Finding:
    """Return counts and shares of the respondents' characteristics, small cells hidden."""
    responses = with_agency_level(responses)
    rows: list[tuple[Any, ...]] = []
    for term, block in found.tidy().groupby("term", sort=False):
        question = responses.questionnaire.question(str(term))
        rows += _number_rows(question, block, language) if question.kind == "number" else []
        rows += _category_rows(question, block, language) if question.kind == "category" else []
    if not rows:
        sentence = text(
            "findings.reason",
            language,
            what=text("findings.what.profile", language),
            reason=text("tables.profile.none", language),
        )
        return Finding(
            f"reason-profile-{survey_id(responses)}",
            sentence,
            language,
            responses.data_kind,
            role="reason",
        )
    return Table(
        f"tbl-profile-{survey_id(responses)}",
        text("tables.profile.title", language, survey=survey_name(responses, language)),
        (
            Column("characteristic", text("tables.common.characteristic", language), width=0.36),
            Column("group", text("tables.common.group", language), width=0.36),
            Column("n", text("tables.common.n", language), "integer", width=0.14),
            Column("share", text("tables.common.share", language), "percent1", width=0.14),
        ),
        tuple(rows),
        language=language,
        data_kind=responses.data_kind,
        n=found.n if found.n >= MINIMUM_CELL else None,
        weighting=text("tables.common.unweighted", language),
        source=source_line(responses, language),
    )


def _category_rows(question: Question, block: pd.DataFrame, language: str) -> list[tuple[Any, ...]]:
    labels = {str(a.code): a.label(language) for a in question.answers}
    rows: list[tuple[Any, ...]] = []
    for row in block.itertuples():
        if row.group == "total" or (row.n == 0 and not row.suppressed):
            continue
        label = text("tables.profile.missing", language) if row.group == "missing" else labels.get(row.group, row.group)
        name = question.text(language) if not rows else ""
        hidden = row.suppressed
        rows.append((name, label, Suppressed() if hidden else int(row.n), Suppressed() if hidden else row.estimate))
    return rows


def _number_rows(question: Question, block: pd.DataFrame, language: str) -> list[tuple[Any, ...]]:
    from sipas_research.wording import number

    by_group = block.set_index("group")
    mean, sd = by_group.loc["mean"], by_group.loc["sd"]
    if mean["suppressed"] or not mean["n"] > 0:
        return [(question.text(language), "", Suppressed(), Suppressed())] if mean["suppressed"] else []
    value = text(
        "tables.profile.mean_sd",
        language,
        mean=number(mean["estimate"], 2, language),
        sd=number(sd["estimate"], 2, language),
    )
    return [(question.text(language), value, int(mean["n"]), None)]
