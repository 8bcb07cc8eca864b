"""What was asked: questions, answers, scales. Frozen values only; files are read in ``questionnaire_files``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sipas_research.wording import Bilingual

QuestionKind = Literal["likert", "category", "number", "date", "datetime", "text"]
ScaleRole = Literal["factor", "lever", "overall"]
Personal = Literal["none", "basic", "sensitive"]
NO_REASON = Bilingual("")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer that may be given: its code in the data and its label; ``missing`` marks "không trả lời"."""

    code: int
    label: Bilingual
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """A factor, a lever or overall satisfaction: what a set of items measures together."""

    id: str
    name: Bilingual
    role: ScaleRole


@dataclass(frozen=True, slots=True)
class Alias:
    """Another name of a question in data files; ``year`` 0 means every year."""

    text: str
    year: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """One question or column.

    ``kind`` "likert" is an item of ``scale`` with ordered ``answers``; "category" has unordered or ordered
    answers; "number" lies between ``minimum`` and ``maximum``; "text" is a code (agency, site, collector).
    ``direction`` -1 says that a high answer is bad: the item is turned when it is scored, never in the data.
    ``personal`` follows Law 91/2025/QH15 with the reason why it is asked; ``enabled`` False means not asked.
    """

    id: str
    text: Bilingual
    kind: QuestionKind
    scale: str = ""
    answers: tuple[Answer, ...] = ()
    direction: Literal[1, -1] = 1
    minimum: float | None = None
    maximum: float | None = None
    required: bool = False
    personal: Personal = "none"
    reason: Bilingual = NO_REASON
    enabled: bool = True
    aliases: tuple[Alias, ...] = ()

    @property
    def valid_codes(self) -> tuple[int, ...]:
        """Codes that count as answers, ascending for likert items."""
        return tuple(a.code for a in self.answers if not a.missing)

    @property
    def missing_codes(self) -> tuple[int, ...]:
        """Codes that mean "no answer"."""
        return tuple(a.code for a in self.answers if a.missing)


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """A whole instrument. ``respondent`` is "citizen" or "staff"; ``regime`` names the measurement regime."""

    id: str
    title: Bilingual
    respondent: Literal["citizen", "staff"]
    regime: str
    scales: tuple[Scale, ...]
    questions: tuple[Question, ...]

    @property
    def measures_satisfaction(self) -> bool:
        """True if users of services answer the questions of a named regime: only then is there a satisfaction index."""
        return bool(self.regime) and self.respondent == "citizen"

    def question(self, question_id: str) -> Question:
        """Return the question with this id; KeyError if there is none."""
        for q in self.questions:
            if q.id == question_id:
                return q
        raise KeyError(question_id)

    def scale(self, scale_id: str) -> Scale:
        """Return the scale with this id; KeyError if there is none."""
        for s in self.scales:
            if s.id == scale_id:
                return s
        raise KeyError(scale_id)

    @property
    def asked(self) -> tuple[Question, ...]:
        """Questions that are switched on."""
        return tuple(q for q in self.questions if q.enabled)

    def items(self, scales: Iterable[str] | None = None) -> tuple[Question, ...]:
        """Enabled likert items, of some scales or of all, in questionnaire order."""
        wanted = None if scales is None else set(scales)
        return tuple(q for q in self.asked if q.kind == "likert" and (wanted is None or q.scale in wanted))

    def scale_ids(self, role: ScaleRole | None = None) -> tuple[str, ...]:
        """Ids of the scales of one role (or all) that have at least one enabled item."""
        used = {q.scale for q in self.items()}
        return tuple(s.id for s in self.scales if (role is None or s.role == role) and s.id in used)

    def scale_items(self, role: ScaleRole | None = None) -> dict[str, tuple[str, ...]]:
        """Item ids of each scale of one role, as the ``scales`` argument of reliability takes them."""
        return {s: tuple(q.id for q in self.items([s])) for s in self.scale_ids(role)}

    def facts(self) -> tuple[Question, ...]:
        """Enabled questions that are not likert items: facts about the respondent and the design."""
        return tuple(q for q in self.asked if q.kind != "likert")
