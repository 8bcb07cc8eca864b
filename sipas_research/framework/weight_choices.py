"""The index under several ways of weighing the criteria, side by side."""

from __future__ import annotations

from sipas_research.errors import AnalysisError
from sipas_research.framework.framework_spec import Framework
from sipas_research.framework.weight_result import WeightedIndex
from sipas_research.framework.weights import weighted_index
from sipas_research.survey.responses import Responses


def weight_choices(responses: Responses, framework: Framework) -> tuple[WeightedIndex, ...]:
    """Estimate the index under the framework's own weights and under each other way of weighing, side by side.

    Criteria that the form does not ask are left out, which each result says. A way that cannot be followed is left out.

    Raises
    ------
    AnalysisError
        If none can be followed.
    """
    made, reason = [], AnalysisError("criterion_weights.error.no_agency", level=framework.level)
    for method in dict.fromkeys((framework.weight_method, "equal", "loadings", "benefit_of_doubt")):
        try:
            made.append(weighted_index(responses, framework, method, partial=True))
        except AnalysisError as error:
            reason = error
    if not made:
        raise reason
    return tuple(made)
