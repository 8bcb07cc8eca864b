"""Which families of agencies a chapter ranks, why others are not ranked, and what classes and changes say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from sipas_research.framework.change_result import IndexChange
from sipas_research.framework.class_result import Classification
from sipas_research.framework.families import UNDECLARED
from sipas_research.framework.index import SatisfactionIndex
from sipas_research.framework.ranks import AgencyRanks
from sipas_research.report.display import Finding
from sipas_research.report.labels import survey_id
from sipas_research.report.rank_tables import family_name, rank_findings
from sipas_research.survey.responses import Responses
from sipas_research.wording import text

#: The order in which families stand in a chapter.
FAMILIES = ("department", "district", "commune")


def families(by_agency: SatisfactionIndex | Finding) -> tuple[str, ...]:
    """Return the declared families with two agencies or more: each is ranked by itself, never across."""
    counts = _counts(by_agency)
    return tuple(family for family in FAMILIES if counts[family] > 1)


def _counts(by_agency: SatisfactionIndex | Finding) -> Counter[str]:
    return Counter() if isinstance(by_agency, Finding) else Counter(by_agency.estimation.families)


def unranked_finding(
    by_agency: SatisfactionIndex | Finding, responses: Responses, language: str
) -> tuple[Finding, ...]:
    """Return why some agencies, or all, are in no ranking; nothing where every agency has a family to stand in."""
    counts = _counts(by_agency)
    said = []
    if not counts:
        said.append(text(f"ranking.unranked.{'reason' if responses.has('agency') else 'no_agency'}", language))
    if counts[UNDECLARED]:
        said.append(text("ranking.unranked.undeclared", language, count=counts[UNDECLARED]))
    alone = sum(counts[family] == 1 for family in FAMILIES)
    if alone:
        said.append(text("ranking.unranked.alone", language, count=alone))
    if not said:
        return ()
    name = f"unranked-{survey_id(responses)}"
    return (Finding(name, " ".join(said), language, responses.data_kind, role="reason"),)


def family_findings(
    ranks: Mapping[str, AgencyRanks | Finding],
    classes: Mapping[str, Classification | Finding],
    responses: Responses,
    language: str,
) -> tuple[Finding, ...]:
    """Return what ranks and classes say, family by family; a sentence that holds for all of them stands once."""
    said = [finding for found in ranks.values() for finding in rank_findings(found, responses, language)]
    said += [finding for found in classes.values() for finding in class_findings(found, responses, language)]
    once: dict[str, Finding] = {}
    for finding in said:
        once.setdefault(finding.text, finding)
    return tuple(once.values())


def class_findings(found: Classification | Finding, responses: Responses, language: str) -> tuple[Finding, ...]:
    """Return how many agencies of a family the data put into a class, and how many they leave open."""
    if isinstance(found, Finding):
        return ()
    counts = Counter(row.outcome for row in found.rows)
    certified, undetermined = counts["certified"], counts["undetermined"]
    sentence = text(
        f"ranking.finding.{'classes_decided' if found.bands.decided else 'classes'}",
        language,
        family=family_name(found.family, language),
        certified=certified,
        open=undetermined,
        other=len(found.rows) - certified - undetermined,
        size=len(found.rows),
    )
    return (Finding(f"classes-{found.family}-{survey_id(responses)}", sentence, language, found.data_kind),)


def change_findings(found: IndexChange | Finding, responses: Responses, language: str) -> tuple[Finding, ...]:
    """Return whether the index changed by more than sampling noise, or why two years are not compared."""
    if isinstance(found, Finding) or found.rows[0].suppressed:
        return ()
    sentence = found.summary(language).splitlines()[0]
    return (Finding(f"change-{survey_id(responses)}", sentence, language, found.data_kind),)
