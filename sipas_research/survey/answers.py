"""From what a cell holds to the code of an answer: numbers, labels, "1. Rất không hài lòng", missing codes.

Only declared labels count: those of the questionnaire, those of the column map, those of the file. What
is not declared is a finding, never a guess.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from sipas_research.survey.comparison import bare_key, same_key
from sipas_research.survey.questionnaire import Answer, Question
from sipas_research.survey.raw_table import MissingCode
from sipas_research.survey.specs import ColumnRule

Trouble = Literal["", "range", "integer", "text"]
_NUMBER = re.compile(r"^[-+]?\d{1,15}(?:[.,]\d+)?$")
_NUMBER_FIRST = re.compile(r"^[(\[]?\s*(?P<number>\d{1,4})\s*(?:[)\].:=–—-]+|\s)\s*(?P<label>[^\W\d_].*)$", re.DOTALL)
_NUMBER_LAST = re.compile(r"^(?P<label>.*\D)\s*[(\[]\s*(?P<number>\d{1,4})\s*[)\]]$", re.DOTALL)


def as_number(cell: object) -> float | None:
    """Return a cell as a number ("4", "4,5", 4.0), or None where it is not one."""
    if isinstance(cell, bool):
        return None
    if isinstance(cell, int | float):
        return float(cell) if math.isfinite(cell) else None
    if isinstance(cell, str) and _NUMBER.match(cell.strip()):
        return float(cell.strip().replace(",", "."))
    return None


def split_answer(cell: str) -> tuple[float, str] | None:
    """Return (number, label) of "1. Rất không hài lòng", "5 - Rất hài lòng", "Rất hài lòng (5)"; None otherwise."""
    found = _NUMBER_FIRST.match(cell) or _NUMBER_LAST.match(cell)
    return (float(found["number"]), found["label"].strip()) if found else None


def is_missing_code(cell: object, codes: Iterable[MissingCode]) -> bool:
    """True if a cell is one of the codes, or lies in one of the (low, high) ranges, both ends included."""
    number = as_number(cell)
    for code in codes:
        if isinstance(code, tuple):
            if number is not None and code[0] <= number <= code[1]:
                return True
        elif isinstance(code, str):
            if isinstance(cell, str) and cell.strip() == code.strip():
                return True
        elif number is not None and number == code:
            return True
    return False


def label_codes(answers: Iterable[Answer]) -> dict[str, int]:
    """Return answer codes by compared label, with and without diacritics; a label of two answers is left out.

    A label that names two wordings, "Không trả lời / không biết", counts as each of them as well.
    """
    strict: dict[str, set[int]] = {}
    for answer in answers:
        for label in (answer.label.vi, answer.label.en):
            for wording in {label, *label.split(" / ")}:
                for key in (same_key(wording), bare_key(wording)):
                    if key:
                        strict.setdefault(key, set()).add(answer.code)
    return {key: codes.copy().pop() for key, codes in strict.items() if len(codes) == 1}


@dataclass(frozen=True)
class AnswerKey:
    """Everything declared about one coded column, ready to translate its cells.

    ``file_labels`` are the value labels of the file; ``missing`` its user-missing codes. Pairs such as
    "1. Rất hài lòng" found in cells may be added to ``file_labels`` by :meth:`with_labels_of`.
    """

    question: Question
    rule: ColumnRule
    file_labels: tuple[tuple[float | str, str], ...] = ()
    missing: tuple[MissingCode, ...] = ()

    @classmethod
    def of(
        cls,
        question: Question,
        rule: ColumnRule,
        file_labels: Mapping[float | str, str] | None = None,
        missing: Iterable[MissingCode] = (),
    ) -> AnswerKey:
        """Build a key from a file's value labels and missing codes."""
        return cls(question, rule, tuple((file_labels or {}).items()), (*missing, *rule.missing))

    def with_labels_of(self, cells: Iterable[object]) -> AnswerKey:
        """Return a key that also knows the number-label pairs written out in cells."""
        known = {number for number, _ in self.file_labels}
        pairs: dict[float | str, str] = {}
        for cell in cells:
            if isinstance(cell, str) and self.text_code(cell) is None and (found := split_answer(cell)):
                number, label = found
                if number not in known and self.text_code(label) is not None:
                    pairs.setdefault(number, label)
        return AnswerKey(self.question, self.rule, (*self.file_labels, *pairs.items()), self.missing) if pairs else self

    @cached_property
    def _declared(self) -> dict[str, int]:
        declared: dict[str, int] = {}
        for text, code in self.rule.labels:
            declared[same_key(text)] = code
        return declared

    @cached_property
    def _labels(self) -> dict[str, int]:
        return label_codes(self.question.answers)

    def text_code(self, text: str) -> int | None:
        """Return the code of a declared label (column map first, then questionnaire), or None."""
        for key in (same_key(text), bare_key(text)):
            code = self._declared.get(key, self._labels.get(key))
            if code is not None:
                return code
        return None

    @cached_property
    def by_label(self) -> dict[float, int]:
        """Questionnaire code for each code that the file labels with a known answer, missing ones included."""
        found: dict[float, int] = {}
        for file_code, label in self.file_labels:
            number = as_number(file_code)
            code = self.text_code(label)
            if code is None and (pair := split_answer(label)):
                code = self.text_code(pair[1])
            if number is not None and code is not None:
                found[number] = code
        return found

    @cached_property
    def slope(self) -> int:
        """How the file's labels run: 1 as the questionnaire's, -1 the other way, 0 not known or in no order."""
        if self.question.kind != "likert" or self._shift is None:
            return 0
        return self._shift[0]

    @cached_property
    def _shift(self) -> tuple[int, float] | None:
        """Slope and offset of the line questionnaire code = offset + slope * file code, if labels give one."""
        valid = set(self.question.valid_codes)
        pairs = [(number, code) for number, code in sorted(self.by_label.items()) if code in valid]
        if not pairs:
            return None
        number, code = pairs[0]
        if len(pairs) == 1:
            mirrored = number != code and number + code == min(valid) + max(valid)
            slopes = [-1] if mirrored else [1]
        else:
            slopes = [1, -1]
        for slope in slopes:
            offset = code - slope * number
            if all(c == offset + slope * n for n, c in pairs):
                return slope, offset
        return None

    @property
    def shifted(self) -> bool:
        """True if the file numbers the same answers otherwise (0-4 for 1-5, nữ = 1 for nữ = 2)."""
        return self.slope != -1 and any(number != code for number, code in self.by_label.items())

    def translate(self, cell: object) -> tuple[float, Trouble]:
        """Return (code, trouble) of one filled cell; the code is NaN for a missing answer and for trouble.

        Returns
        -------
        code : float
            Code of the questionnaire, turned where the column map declares the scale reversed.
        trouble : str
            "" fine, "range" outside the answers, "integer" not a whole number, "text" no declared label.
        """
        if is_missing_code(cell, self.missing):
            return math.nan, ""
        number = as_number(cell)
        code: float | None
        if isinstance(cell, str) or number is not None:
            code = self._declared.get(same_key(_plain(cell, number)))
            if code is not None:
                return self._finish(code, turned=False)
        if number is None:
            if not isinstance(cell, str):
                return math.nan, "text"
            return self._from_text(cell)
        if number != int(number):
            return math.nan, "integer"
        return self._from_number(number)

    def _from_text(self, cell: str) -> tuple[float, Trouble]:
        code = self.text_code(cell)
        if code is not None:
            return self._finish(code, turned=False)
        pair = split_answer(cell)
        code = self.text_code(pair[1]) if pair else None
        if pair is None or code is None:
            return math.nan, "text"
        # "1. Rất hài lòng": number and label disagree in the whole column, which the user is asked about.
        return self._from_number(pair[0]) if self.slope == -1 else self._finish(code, turned=False)

    def _from_number(self, number: float) -> tuple[float, Trouble]:
        mirrored = self.slope == -1
        labelled = self.by_label.get(number)
        if labelled is not None and labelled in self.question.missing_codes:
            return math.nan, ""
        if mirrored and self.rule.reversed != "yes":
            return self._finish(number, turned=True)  # undecided, or declared not reversed: as it stands
        if self._shift is not None and self.question.kind == "likert":
            slope, offset = self._shift
            line = offset + slope * number
            if labelled is not None or line in self.question.valid_codes:
                return self._finish(line, turned=mirrored)
            as_it_is = number if number in self.question.missing_codes else math.inf
            return self._finish(as_it_is, turned=True)
        if labelled is not None:
            return self._finish(labelled, turned=False)
        taken = number in self.by_label.values()
        return self._finish(math.inf if taken and self.shifted else number, turned=False)

    def _finish(self, code: float, *, turned: bool) -> tuple[float, Trouble]:
        """Check a code against the answers and turn it where declared; ``turned`` says it must not be (again)."""
        valid = self.question.valid_codes
        if code in self.question.missing_codes:
            return math.nan, ""
        if code not in valid:
            return math.nan, "range"
        if self.rule.reversed == "yes" and self.question.kind == "likert" and not turned:
            return float(min(valid) + max(valid) - code), ""
        return float(code), ""


def _plain(cell: object, number: float | None) -> str:
    if isinstance(cell, str):
        return cell
    return str(int(number)) if number is not None and number == int(number) else str(number)
