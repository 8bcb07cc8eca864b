"""What a check found, kept by column so that a file of 50,000 rows stays quick; one sentence each on demand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sipas_research.errors import Problem, Severity
from sipas_research.wording import Bilingual

#: Equal problems of one column that are listed one by one; the rest is counted.
LISTED = 20
#: Longest piece of a cell that is shown.
_LONGEST_VALUE = 60
_ORDER: tuple[Severity, ...] = ("error", "question", "row", "warning")

#: The value shown (a cell of a mapped column, or "") and fields of the sentence that go with it.
Detail = tuple[str, tuple[tuple[str, object], ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """One kind of trouble in one column, in any number of cells.

    ``positions`` are row positions from 0, ascending; ``which`` gives for each the index of its detail.
    """

    key: str
    severity: Severity
    column: str
    positions: np.ndarray
    which: np.ndarray
    details: tuple[Detail, ...]

    def __len__(self) -> int:
        return len(self.positions)

    def problem(self, index: int, row_numbers: np.ndarray, file: str) -> Problem:
        """Return cell ``index`` of the finding as a problem with the row number that the user sees."""
        value, pairs = self.details[int(self.which[index])]
        fields: dict[str, Any] = dict(pairs)
        row = int(row_numbers[self.positions[index]])
        return Problem.of(
            self.key, severity=self.severity, file=file, row=row, column=self.column, value=value, **fields
        )


def finding(
    key: str, severity: Severity, column: str, positions: np.ndarray, details: Sequence[Detail], which: np.ndarray
) -> Finding:
    """Build a finding with arrays that cannot be written."""
    place, index = np.array(positions, dtype=np.int64), np.array(which, dtype=np.int64)
    place.flags.writeable = index.flags.writeable = False
    return Finding(key, severity, column, place, index, tuple(details))


def plain_finding(
    key: str, severity: Severity, column: str, positions: np.ndarray, fields: dict[str, object] | None = None
) -> Finding:
    """Build a finding whose sentence is the same in every row and shows no value."""
    return finding(
        key, severity, column, positions, [shown("", fields or {})], np.zeros(len(positions), dtype=np.int64)
    )


def shown(cell: object, fields: dict[str, object]) -> Detail:
    """Return a cell as a detail: what the table shows, and the same for the sentence in both languages."""
    text = cell_in_words(cell)
    number = isinstance(cell, float)
    return text, (("shown", Bilingual(text.replace(".", ",") if number else text, text)), *fields.items())


def cell_in_words(cell: object) -> str:
    """Return one cell as short text on one line: 6.0 as "6"."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    text = " ".join(str(cell).split())
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def rejected_rows(
    findings: Iterable[Finding], n_rows: int, *, severities: tuple[Severity, ...] = ("row",)
) -> np.ndarray:
    """Return a mask over the rows, shape (n_rows,): True where a "row" finding keeps the row out."""
    mask = np.zeros(n_rows, dtype=bool)
    for found in findings:
        if found.severity in severities:
            mask[found.positions] = True
    return mask


def list_problems(
    findings: Sequence[Finding], row_numbers: np.ndarray, file: str, *, limit: int = LISTED
) -> list[Problem]:
    """Return one problem a cell, the first ``limit`` of each finding, then one that counts the others.

    An "error" is about its column as a whole and is listed once.
    """
    problems: list[Problem] = []
    for found in findings:
        if found.severity == "error":
            problems.append(found.problem(0, row_numbers, file))
            continue
        problems += [found.problem(i, row_numbers, file) for i in range(min(limit, len(found)))]
        if len(found) > limit:
            problems.append(_rest(found, row_numbers, file, limit))
    return problems


def _rest(found: Finding, row_numbers: np.ndarray, file: str, limit: int) -> Problem:
    return Problem.of(
        "check.more" if found.column else "check.more_rows",
        severity=found.severity,
        file=file,
        column=found.column,
        count=len(found) - limit,
        first=str(row_numbers[found.positions[limit]]),
        last=str(row_numbers[found.positions[-1]]),
    )


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return problems by severity, otherwise in the order given (that of the file's columns)."""
    return tuple(sorted(problems, key=lambda p: _ORDER.index(p.severity)))
