"""What a study that declares nothing about its sampling leaves open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipas_research.report.display import Finding
from sipas_research.report.labels import survey_id
from sipas_research.wording import text

if TYPE_CHECKING:
    from sipas_research.survey.responses import Responses


def design_limit(responses: Responses, language: str) -> tuple[Finding, ...]:
    """Return a limit that says errors may be too small; nothing where weights, strata or clusters are declared."""
    design = responses.design
    if design.weight or design.stratum or design.cluster:
        return ()
    sentence = text("scorecard.finding.no_design", language)
    return (Finding(f"design-{survey_id(responses)}", sentence, language, responses.data_kind, role="limit"),)
