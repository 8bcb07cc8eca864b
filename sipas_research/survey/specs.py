"""What a reader needs to know about one survey of a study: frozen specifications, no data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from sipas_research.results import DataKind
from sipas_research.survey.agencies import AgencyRegister
from sipas_research.survey.questionnaire import Questionnaire


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """One row of the column map (``cot_du_lieu.xlsx``).

    ``column`` is the name in the data file, ``question`` the id it answers ("" = not used).
    ``missing`` are extra codes that mean "no answer" in this column; ``reversed`` says that the file
    holds the item with its codes turned (5 = worst): "yes", "no" or "" (not declared).
    ``labels`` translates texts in the file to codes, as (text, code) pairs.
    """

    column: str
    question: str = ""
    missing: tuple[float, ...] = ()
    reversed: Literal["yes", "no", ""] = ""
    labels: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """The whole column map; ``source`` names file and sheet for messages ("" = made by matching)."""

    rules: tuple[ColumnRule, ...]
    source: str = ""


@dataclass(frozen=True, slots=True)
class SampleDesign:
    """Question ids that carry the sampling design; "" where the design has no such part.

    ``population`` is the number of units in the stratum's frame (for the finite population factor).
    """

    weight: str = ""
    stratum: str = ""
    cluster: str = ""
    population: str = ""


@dataclass(frozen=True, slots=True)
class SurveySpec:
    """One survey: its file and everything needed to read it; ``sheet`` "" means the first with data."""

    name: str
    file: Path
    questionnaire: Questionnaire
    agencies: AgencyRegister
    data_kind: DataKind
    columns: ColumnMap | None = None
    design: SampleDesign = field(default_factory=SampleDesign)
    year: int | None = None
    source: str = ""
    max_rejected_share: float = 0.05
    sheet: str = ""


class HasSurveys(Protocol):
    """Anything that can name its surveys: a Study."""

    def survey(self, name: str = "citizens") -> SurveySpec:
        """Return the specification of one survey."""
        ...
