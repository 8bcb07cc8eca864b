"""Computing what scorecards show, for all agencies at once."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sipas_research.errors import SipasWarning
from sipas_research.framework.dossier import dossiers
from sipas_research.report.scorecard_parts import scorecard_parts
from sipas_research.study.scorecard_file import AgencyScorecard
from sipas_research.study.study import Study, load_study
from sipas_research.survey.responses import Responses


def compute_scorecards(
    study: Study, everyone: Responses, agencies: Iterable[str], languages: Iterable[str]
) -> tuple[AgencyScorecard, ...]:
    """Return what each agency's scorecard shows in each language, agencies in the order given.

    Parameters
    ----------
    study : Study
        Brings frameworks, measures and the register of results.
    everyone : Responses
        Answers of all years to the survey that scorecards are about.
    agencies, languages : iterable of str

    Raises
    ------
    AgencyError, AnalysisError
        If one of the agencies cannot have a scorecard.
    """
    with _each_warning_once():
        answers, register, spoken = study.current(everyone), study.results_register(), tuple(languages)
        found = dossiers(
            answers,
            everyone,
            agencies,
            year=study.year,
            framework=study.framework,
            actions=study.actions(),
            register=register,
        )
        return tuple(
            AgencyScorecard(
                dossier.agency, code, scorecard_parts(dossier, answers, code, register=register, year=study.year)
            )
            for dossier in found
            for code in spoken
        )


@contextmanager
def _each_warning_once() -> Iterator[None]:
    """Tell what is to be said of the data once, however many estimates rest on them."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SipasWarning)
        yield
    own = [w.message for w in caught if isinstance(w.message, SipasWarning)]
    for message in {str(m): m for m in own}.values():
        warnings.warn(message, stacklevel=4)


def compute_scorecard(study: str, agency: str, language: str) -> AgencyScorecard:
    """Return what one scorecard shows; "" stands for the study and the agency of the example."""
    project = load_study(study)
    everyone = project.responses(project.names[0])
    wanted = agency or project.first_agency(project.current(everyone))
    return compute_scorecards(project, everyone, (wanted,), (language,))[0]
