"""Everything that one agency's scorecard shows, put together for all agencies of a survey at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from sipas_research.errors import AnalysisError, OptionError, SipasError
from sipas_research.framework.actions import (
    ActionCatalogue,
    Suggestions,
    compare_criteria,
    criterion_gaps,
    suggest_actions,
)
from sipas_research.framework.appeal import AppealSheet, appeal_sheet
from sipas_research.framework.class_result import Classification, ClassRow
from sipas_research.framework.classes import classify
from sipas_research.framework.framework_spec import LEVELS, Framework, Level
from sipas_research.framework.history import AgencyHistory, agency_histories
from sipas_research.framework.index import SatisfactionIndex, satisfaction_index
from sipas_research.framework.peer_differences import PeerComparison
from sipas_research.framework.ranks import AgencyRanks, RankRow, rank_sets
from sipas_research.framework.results_register import ResultsRegister
from sipas_research.framework.scorecard import Scorecard, scorecards
from sipas_research.framework.weights import deciding_index
from sipas_research.survey.responses import Responses

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, eq=False)
class Dossier:
    """One agency. ``ranks`` and ``classification`` are those of its family, None where the family has none.

    ``framework`` is that of the agency's level, None where the form is not one of a named survey; without it there are
    no classes, suggestions and appeal. ``trouble`` says why ranks or classes could not be made.
    """

    card: Scorecard
    ranks: AgencyRanks | None
    classification: Classification | None
    framework: Framework | None
    suggestions: Suggestions | None
    history: AgencyHistory
    appeal: AppealSheet | None
    trouble: SipasError | None = None

    @property
    def agency(self) -> str:
        """Code of the agency."""
        return self.card.agency

    @property
    def rank_row(self) -> RankRow | None:
        """The agency's row among the ranks of its family."""
        rows = self.ranks.rows if self.ranks else ()
        return next((row for row in rows if row.group == self.agency), None)

    @property
    def class_row(self) -> ClassRow | None:
        """The agency's row among the classes of its family."""
        return self.classification.row(self.agency) if self.classification else None


@dataclass(frozen=True, slots=True, eq=False)
class _Family:
    """What the agencies of one level share; ``index`` is the one that ranks and classes rest on."""

    index: SatisfactionIndex
    ranks: AgencyRanks | None = None
    classification: Classification | None = None
    framework: Framework | None = None
    criteria: PeerComparison | None = None
    trouble: SipasError | None = None


def dossiers(
    responses: Responses,
    everyone: Responses,
    agencies: Iterable[str],
    *,
    year: int | None,
    framework: Callable[[Level], Framework],
    actions: ActionCatalogue,
    register: ResultsRegister,
) -> tuple[Dossier, ...]:
    """Put together what the scorecards of several agencies show; what they share is computed once.

    Parameters
    ----------
    responses : Responses
        Answers of the scorecards' year.
    everyone : Responses
        Answers of all years, for the history.
    agencies : iterable of str
    year : int or None
        Year of the scorecards.
    framework : callable
        Gives the measurement framework of a level; asked only where the form is one of a named survey.
    actions : ActionCatalogue
    register : ResultsRegister

    Raises
    ------
    AgencyError, AnalysisError
        As :func:`sipas_research.framework.scorecard.scorecard` says.
    """
    cards = scorecards(responses, agencies)
    index = satisfaction_index(responses, by="agency")
    histories = agency_histories(everyone, (c.agency for c in cards), year=year)
    levels = dict.fromkeys(card.agency_level for card in cards)
    families = {name: _family(responses, index, name, year, framework) for name in levels}
    return tuple(_dossier(card, responses, families[card.agency_level], histories, actions, register) for card in cards)


def _family(
    responses: Responses,
    by_agency: SatisfactionIndex,
    level: str,
    year: int | None,
    framework: Callable[[Level], Framework],
) -> _Family:
    known = next((name for name in LEVELS if name == level), None)
    if known is None:
        return _Family(by_agency)
    form = responses.questionnaire
    # frameworks grade by a satisfaction index, by nothing else
    found = framework(known) if form.measures_satisfaction else None
    if found is None or not found.scales(form):
        ranks, trouble = _attempt(lambda: rank_sets(by_agency, family=known))
        return _Family(by_agency, ranks, trouble=trouble)
    criteria, _ = _attempt(lambda: compare_criteria(responses, found))
    index, trouble = _attempt(lambda: deciding_index(responses, found, by_agency))
    if index is None:
        return _Family(by_agency, framework=found, criteria=criteria, trouble=trouble)
    ranks, unranked = _attempt(lambda: rank_sets(index, family=known))
    classes, ungraded = _attempt(lambda: classify(index, found, family=known, year=year))
    return _Family(index, ranks, classes, found, criteria, unranked or ungraded)


def _attempt(build: Callable[[], Found]) -> tuple[Found | None, SipasError | None]:
    try:
        return build(), None
    except (AnalysisError, OptionError) as error:
        return None, error


def _dossier(
    card: Scorecard,
    responses: Responses,
    family: _Family,
    histories: Mapping[str, AgencyHistory],
    actions: ActionCatalogue,
    register: ResultsRegister,
) -> Dossier:
    framework, classes, agency = family.framework, family.classification, card.agency
    suggestions = None
    if framework is not None:
        gaps = criterion_gaps(responses, card, framework, peers=family.criteria) if family.criteria else ()
        suggestions = suggest_actions(agency, gaps, actions, data_kind=card.data_kind, framework=framework)
    sheet = None
    if classes is not None:
        sheet, _ = _attempt(lambda: appeal_sheet(family.index, classes, agency, framework=framework, register=register))
    return Dossier(card, family.ranks, classes, framework, suggestions, histories[agency], sheet, family.trouble)
