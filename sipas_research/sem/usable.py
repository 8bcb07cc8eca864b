"""Which fits have numbers that mean something: asked before they are compared or printed."""

from __future__ import annotations

from sipas_research.errors import AnalysisError
from sipas_research.sem.moments import shown
from sipas_research.sem.result import SemFit
from sipas_research.sem.troubles import model_degrees


def require_usable(fit: SemFit) -> SemFit:
    """Return the fit if its numbers mean something.

    Raises
    ------
    AnalysisError
        If the data do not determine every parameter, the search did not end at a minimum, or there are no more rows
        than parameters.
    """
    df = model_degrees(fit)
    if len(fit.information.unidentified) or df < 0:
        raise AnalysisError("sem_usable.error.not_identified", df=str(df))
    if not fit.converged:
        raise AnalysisError("sem_usable.error.not_converged")
    if fit.n <= fit.parameters:
        raise AnalysisError("sem_usable.error.few_rows", n=shown(fit.n), parameters=fit.parameters)
    return fit
