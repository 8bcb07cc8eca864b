"""Where one agency stands in its family: a rank that is a range, the group it cannot be told from, its class."""

from __future__ import annotations

from typing import Any

from sipas_research.framework.dossier import Dossier
from sipas_research.report.display import Column, Finding, Table
from sipas_research.report.labels import source_line, spoken, survey_id
from sipas_research.report.rank_tables import family_name, rank_text
from sipas_research.survey.responses import Responses
from sipas_research.wording import percent, text


def standing_table(dossier: Dossier, responses: Responses, language: str, *, state: str = "") -> Table | Finding:
    """Return rank, group and class of the agency; a sentence where its family is neither ranked nor graded.

    Parameters
    ----------
    dossier : Dossier
    responses : Responses
    language : str
    state : str
        The sentence of the results register on how far the results have gone.
    """
    rows = (*_rank_rows(dossier, language), *_class_rows(dossier, language))
    if not rows:
        said = text("scorecard.standing.neither", language)
        if dossier.trouble is not None:
            said = spoken(dossier.trouble, responses.questionnaire, language)
        name = f"scorecard-standing-{survey_id(responses)}"
        return Finding(name, said, language, responses.data_kind, role="reason")
    return Table(
        "tbl-scorecard-standing",
        text("scorecard.standing.title", language, agency=responses.agencies.name(dossier.agency, language)),
        (
            Column("what", text("scorecard.standing.what", language), width=0.62),
            Column("value", text("scorecard.standing.value", language), width=0.38),
        ),
        rows,
        language,
        dossier.card.data_kind,
        weighting=text(f"tables.weighting.{dossier.card.weighting}", language),
        source=source_line(responses, language),
        notes=(*([state] if state else []), *_notes(dossier, language)),
    )


def _rank_rows(dossier: Dossier, language: str) -> tuple[tuple[str, str], ...]:
    found, row = dossier.ranks, dossier.rank_row
    if found is None or row is None:
        return ()
    fields: dict[str, Any] = {"family": family_name(found.family, language), "size": found.size}
    fields |= {"level": percent(found.level, language, 0), "top": found.top}
    if not row.tier:
        reason = text(row.note, language) if row.note else text("scorecard.standing.neither", language)
        return ((text("scorecard.standing.rank", language, **fields), reason),)
    members = next(group for group in found.groups if row.group in group)
    group = text("scorecard.standing.group_value", language, number=row.tier, groups=len(found.groups), n=len(members))
    values = {
        "rank": rank_text(row.rank_low, row.rank_high, language),
        "joint": rank_text(row.joint_low, row.joint_high, language),
        "group": group,
        "top": text(f"ranks.verdict.{row.in_top}", language),
    }
    return tuple((text(f"scorecard.standing.{name}", language, **fields), value) for name, value in values.items())


def _class_rows(dossier: Dossier, language: str) -> tuple[tuple[str, str], ...]:
    found, row = dossier.classification, dossier.class_row
    if found is None or row is None:
        return ()
    rows = [(text("scorecard.standing.class", language), found.said(row, language))]
    settle = found.to_settle(row, language)
    return (*rows, *([(text("scorecard.standing.settle", language), settle)] if settle else []))


def _notes(dossier: Dossier, language: str) -> tuple[str, ...]:
    keys = ["scorecard.standing.note_rank"] if dossier.rank_row else []
    keys += ["scorecard.standing.note_class"] if dossier.class_row else []
    if dossier.classification is not None and not dossier.classification.bands.decided:
        keys.append("classes.rule.undecided")
    return tuple(text(key, language) for key in keys)


def standing_findings(dossier: Dossier, responses: Responses, language: str) -> tuple[Finding, ...]:
    """Return the agency's rank and class as sentences for the first page."""
    said = []
    found, row = dossier.ranks, dossier.rank_row
    if found is not None and row is not None and row.tier:
        ranks = rank_text(row.joint_low, row.joint_high, language)
        fields: dict[str, Any] = {"family": family_name(found.family, language), "size": found.size}
        fields |= {"level": percent(found.level, language, 0), "ranks": ranks}
        key = "rank_one" if row.joint_low == row.joint_high else "rank"
        said.append(("rank", text(f"scorecard.finding.{key}", language, **fields)))
    classes, own = dossier.classification, dossier.class_row
    if classes is not None and own is not None:
        near = own.settled == "impossible"
        settle = text("scorecard.finding.near", language) if near else classes.to_settle(own, language)
        sentence = text("scorecard.finding.class", language, said=classes.said(own, language))
        said.append(("class", f"{sentence} {settle}".strip()))
    kind, survey = dossier.card.data_kind, survey_id(responses)
    return tuple(Finding(f"scorecard-{n}-{survey}", sentence, language, kind, role="main") for n, sentence in said)
