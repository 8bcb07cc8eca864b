"""The path diagram of a model in its chapter."""

from __future__ import annotations

from sipas_research.report.diagrams import structural_diagram
from sipas_research.report.display import Figure, Finding
from sipas_research.report.labels import attempt
from sipas_research.sem.result import SemFit
from sipas_research.survey.responses import Responses


def model_figure(fit: SemFit | Finding, name: str, responses: Responses, language: str) -> Figure | Finding | None:
    """Return the path diagram of a model; nothing where there is no fit, the reason stands above.

    Parameters
    ----------
    fit : SemFit or Finding
    name : {"cfa", "levers"}
    """
    if isinstance(fit, Finding):
        return None
    return attempt(
        lambda: structural_diagram(fit, responses, language, id=f"fig-{name}-diagram", n=fit.n),
        "diagram",
        responses,
        language,
    )
