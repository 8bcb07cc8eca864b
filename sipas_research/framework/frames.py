"""How many people each agency served in the year: the frame from which a survey of it would be drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from sipas_research.framework.framework_spec import Level
from sipas_research.numerics.disclosure import MINIMUM_CELL
from sipas_research.results import DataKind
from sipas_research.survey.agencies import AgencyRegister
from sipas_research.survey.responses import Responses


@dataclass(frozen=True, slots=True)
class Frames:
    """Frame size by agency code in the order of the register, NaN where it is not known.

    ``estimated`` says that the sizes are sums of a survey's weights.
    """

    sizes: Mapping[str, float]
    register: AgencyRegister
    data_kind: DataKind
    source: str = ""
    estimated: bool = False

    @property
    def open(self) -> int:
        """Agencies whose frame size is not known."""
        return sum(math.isnan(size) for size in self.sizes.values())


def agency_frames(
    register: AgencyRegister,
    level: Level,
    responses: Responses | None = None,
    *,
    data_kind: DataKind,
    counted: Mapping[str, float] | None = None,
    source: str = "",
) -> Frames:
    """Return the frame sizes of the agencies of one level.

    Parameters
    ----------
    register : AgencyRegister
    level : {"department", "district", "commune"}
    responses : Responses, optional
        Answers of one year; where their design has weights, the sum of an agency's weights estimates its frame.
        Agencies with fewer than 10 forms stay open.
    data_kind : DataKind
        Kind of the study, for a register without answers.
    counted : mapping of an agency's code to its number of people, optional
        As the agencies counted it, with the name of its file as ``source``: it wins over what weights estimate.
    """
    codes = register.codes(level)
    if counted and any(code in counted for code in codes):
        return Frames({code: counted.get(code, math.nan) for code in codes}, register, data_kind, source)
    unknown = dict.fromkeys(codes, math.nan)
    if responses is None or not responses.design.weight or not responses.has("agency"):
        return Frames(unknown, register, data_kind)
    frame = responses.frame
    grouped = frame.groupby(frame["agency"].astype(str))[responses.design.weight]
    totals, forms = grouped.sum(), grouped.count()
    sizes = {
        code: float(math.floor(totals[code] + 0.5)) if forms.get(code, 0) >= MINIMUM_CELL else math.nan
        for code in codes
    }
    known = any(math.isfinite(size) for size in sizes.values())
    return Frames(sizes, register, responses.data_kind, responses.source if known else "", known)
