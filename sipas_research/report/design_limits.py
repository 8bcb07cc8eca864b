"""What a study that declares nothing about its sampling leaves open, and what a model can allow for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sipas_research.errors import AnalysisError
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


def design_options(responses: Responses) -> dict[str, str]:
    """Return the columns by which a model can allow for the sampling design, as options of ``sr.sem``.

    "cluster" is the agency, or the declared cluster where there are not two agencies: forms of one agency resemble
    each other however they were drawn. "weights" is the declared weight. Empty where the file has neither.
    """
    design = responses.design
    several = [
        name
        for name in ("agency", design.cluster)
        if name and responses.has(name) and responses.frame[name].nunique() > 1
    ]
    found = {"cluster": several[0]} if several else {}
    return found | ({"weights": design.weight} if design.weight and responses.has(design.weight) else {})


def design_title(name: str, language: str) -> str:
    """Return the title of the table that shows a model with and without the design, for notes that point to it."""
    return text("design_grid.table.title", language, model=text(f"sem_tables.fit.model_{name}", language))


def survey_design(responses: Responses) -> dict[str, str]:
    """Return :func:`design_options` for ``sr.design_grid``.

    Raises
    ------
    AnalysisError
        If the file has neither two agencies nor a declared weight.
    """
    found = design_options(responses)
    if not found:
        raise AnalysisError("design_grid.error.no_columns")
    return found
