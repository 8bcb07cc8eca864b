"""Checked answers: what every later step takes. One row a respondent, in memory only."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from sipas_research.errors import OptionError, Problem
from sipas_research.results import DataKind
from sipas_research.survey.agencies import AgencyRegister
from sipas_research.survey.questionnaire import Questionnaire
from sipas_research.survey.specs import SampleDesign
from sipas_research.wording import text


@dataclass(frozen=True, slots=True, repr=False)
class Responses:
    """Answers of one survey after mapping and checking.

    Attributes
    ----------
    frame : DataFrame
        Columns are question ids. Likert items: float codes with NaN, as answered (not turned).
        Categories: integer codes as nullable Int64. Numbers: float. Dates: datetime64. Texts: str with None.
    questionnaire : Questionnaire
    agencies : AgencyRegister
    design : SampleDesign
        Parts whose column is absent are already "".
    data_kind : DataKind
    source : str
        One line for "Nguồn:"; the file's name without its folder.
    n_read, n_rejected : int
        Rows in the file, and rows left out.
    problems : tuple of Problem
        Everything the check found and that did not refuse the file.
    reading : tuple of (str, dict) pairs
        How the file was read: catalogue key and fields.
    notes : tuple of (str, tuple) pairs
        What was done to the rows since: catalogue key and fields. Every table prints it beside the source.
    """

    frame: pd.DataFrame
    questionnaire: Questionnaire
    agencies: AgencyRegister
    design: SampleDesign
    data_kind: DataKind
    source: str = ""
    n_read: int = 0
    n_rejected: int = 0
    problems: tuple[Problem, ...] = ()
    reading: tuple[tuple[str, tuple[tuple[str, object], ...]], ...] = ()
    notes: tuple[tuple[str, tuple[tuple[str, object], ...]], ...] = ()

    def __repr__(self) -> str:
        # Never a row: a notebook that ends a cell with the object must not print people.
        return f"Responses({self.questionnaire.id}: {len(self.frame)} rows, {self.data_kind.value})"

    def __len__(self) -> int:
        return len(self.frame)

    def has(self, question_id: str) -> bool:
        """True if the column is there and holds at least one answer."""
        return question_id in self.frame and bool(self.frame[question_id].notna().any())

    def items(self, ids: tuple[str, ...] | list[str]) -> pd.DataFrame:
        """Return likert items scored so that high is good: declared reversed items are turned."""
        picked = self.frame[list(ids)].astype(float)
        for question_id in ids:
            question = self.questionnaire.question(question_id)
            if question.direction == -1:
                codes = question.valid_codes
                picked[question_id] = min(codes) + max(codes) - picked[question_id]
        return picked

    def scale_items(self, role: str | None = None) -> dict[str, tuple[str, ...]]:
        """Item ids by scale, limited to items with answers in this file."""
        found = self.questionnaire.scale_items(role)  # type: ignore[arg-type]
        present = {s: tuple(i for i in ids if self.has(i)) for s, ids in found.items()}
        return {s: ids for s, ids in present.items() if ids}

    def where(self, **equal: object) -> Responses:
        """Return the rows where each named column equals the value, e.g. ``where(year=2022)``."""
        keep = pd.Series(True, index=self.frame.index)
        for name, value in equal.items():
            keep &= self.frame[name].eq(value).fillna(False).astype(bool)
        return replace(self, frame=self.frame.loc[keep].copy())

    def summary(self, language: str = "vi") -> str:
        """Return one sentence: rows read, rejected, used."""
        return text(
            "survey.responses.summary", language, read=self.n_read, rejected=self.n_rejected, used=len(self.frame)
        )


def require_responses(received: object) -> None:
    """Raise OptionError where something else than checked answers was given."""
    if not isinstance(received, Responses):
        raise OptionError("response_quality.error.responses", received=type(received).__name__)
