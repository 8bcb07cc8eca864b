"""Columns of a file turned into codes, numbers, dates and texts, value by value, with the cells that resist.

Every function works on the distinct values of a column, so that 50,000 rows cost about as much as 10.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sipas_research.survey.answers import AnswerKey, as_number, is_missing_code
from sipas_research.survey.findings import Detail, Finding, finding, shown
from sipas_research.survey.questionnaire import Question
from sipas_research.survey.raw_table import MissingCode
from sipas_research.survey.workbook import cell_text
from sipas_research.wording import Bilingual

_DAY_FIRST = re.compile(r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?)?$")
_YEAR_FIRST = re.compile(r"^(\d{4})[/.-](\d{1,2})[/.-](\d{1,2})(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?)?Z?$")
_EIGHT_DIGITS = re.compile(r"^(\d{4})(\d{2})(\d{2})$")


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One translated column: its values by row, and what could not be translated."""

    values: pd.Series
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Distinct:
    """The distinct values of a column; ``where`` holds for each row the index of its value, -1 where empty."""

    where: np.ndarray
    values: list[object]

    @classmethod
    def of(cls, cells: pd.Series) -> Distinct:
        """Take a column apart; infinite numbers count as values."""
        where, values = pd.factorize(cells, use_na_sentinel=True)
        return cls(np.asarray(where, dtype=np.int64), values.tolist() if hasattr(values, "tolist") else list(values))

    def spread(self, translated: Iterable[object], dtype: str, empty: object) -> np.ndarray:
        """Return one translated value a row, shape (rows,); ``empty`` where the cell is empty."""
        # An object array first: NumPy must not look into texts or dates.
        table = np.empty(len(self.values) + 1, dtype=dtype)
        for index, value in enumerate(translated):
            table[index] = value
        table[-1] = empty
        return table[self.where]

    def found(self, key: str, column: str, troubled: list[int], fields: dict[str, object], *, quiet: bool) -> Finding:
        """Return a finding for the rows that hold one of the ``troubled`` values; ``quiet`` shows no value."""
        details: list[Detail] = [shown("…" if quiet else self.values[i], fields) for i in troubled]
        return self.rows_of(key, "row", column, troubled, details)

    def rows_of(self, key: str, severity: str, column: str, troubled: list[int], details: list[Detail]) -> Finding:
        """Return a finding for the rows of some values, with one detail a value."""
        table = np.full(len(self.values) + 1, -1)
        table[troubled] = np.arange(len(troubled))
        which = table[self.where]
        positions = np.flatnonzero(which >= 0)
        return finding(key, severity, column, positions, details, which[positions])  # type: ignore[arg-type]


def unlike(
    distinct: Distinct,
    column: str,
    question: Question | None,
    troubled: list[int],
    *,
    least: int = 5,
    share: float = 0.5,
) -> Finding | None:
    """Return the finding that a column does not answer its question at all, None where it may.

    Most filled cells are not understood, and hardly two of them agree (``share`` of them differ): names,
    telephone numbers, remarks.
    Such values are not shown: the column was matched by mistake and may tell who answered. Fewer than ``least``
    different entries are told cell by cell. ``question`` None stands for the agency.
    """
    counts = np.bincount(distinct.where[distinct.where >= 0], minlength=len(distinct.values))
    n_troubled = int(counts[troubled].sum())
    if len(troubled) < least or 2 * n_troubled < counts.sum() or len(troubled) < share * n_troubled:
        return None
    fields: dict[str, object] = {"count": len(troubled)}
    if question is not None:
        fields |= {"question": question.id, "title": question.text}
    key = "check.agency.unlike" if question is None else "check.item.unlike"
    return distinct.rows_of(key, "error", column, troubled, [shown("", fields)] * len(troubled))


def coded(cells: pd.Series, column: str, key: AnswerKey) -> Column:
    """Translate a likert or category column: float codes with NaN (likert) or Int64 (category).

    Cells outside the answers, answers that are no whole number and undeclared texts become findings that
    reject their row.
    """
    distinct = Distinct.of(cells)
    codes: list[float] = []
    troubles: dict[str, list[int]] = {"range": [], "integer": [], "text": []}
    for index, cell in enumerate(distinct.values):
        code, trouble = key.translate(cell)
        codes.append(code)
        if trouble:
            troubles[trouble].append(index)
    values = pd.Series(distinct.spread(codes, "float64", math.nan), name=key.question.id)
    if key.question.kind == "category":
        values = values.astype("Int64")
    strange = unlike(distinct, column, key.question, sorted(i for found in troubles.values() for i in found))
    if strange is not None:
        return Column(values, (strange,))
    fields: dict[str, object] = {"allowed": allowed_codes(key.question)}
    quiet = key.question.personal == "sensitive"
    findings = [
        distinct.found(sentence, column, troubles[trouble], fields, quiet=quiet)
        for trouble, sentence in _coded_sentences(key.question).items()
        if troubles[trouble]
    ]
    return Column(values, tuple(findings))


def _coded_sentences(question: Question) -> dict[str, str]:
    outside = "check.cell.out_of_range" if question.kind == "likert" else "check.cell.unknown_code"
    return {"range": outside, "integer": "check.cell.not_whole", "text": "check.cell.text_for_code"}


def allowed_codes(question: Question) -> str:
    """Return the codes that are answers: "1–5" for a run of whole numbers, "1, 2, 9" otherwise."""
    codes = sorted(question.valid_codes)
    run = len(codes) > 2 and codes == list(range(codes[0], codes[-1] + 1))
    return f"{codes[0]}–{codes[-1]}" if run else ", ".join(map(str, codes))


def numbers(
    cells: pd.Series, column: str, question: Question, missing: tuple[MissingCode, ...], *, weight: bool = False
) -> Column:
    """Translate a number column to float with NaN; texts and values outside the limits become findings.

    The column of the ``weight`` has its own sentence for texts, and no limits: zero and less are judged by row.
    """
    distinct = Distinct.of(cells)
    values: list[float] = []
    texts, outside = [], []
    low = -math.inf if weight or question.minimum is None else question.minimum
    high = math.inf if weight or question.maximum is None else question.maximum
    for index, cell in enumerate(distinct.values):
        number = as_number(cell)
        if is_missing_code(cell, (*missing, *question.missing_codes)):
            number = math.nan
        elif number is None:
            texts.append(index)
        elif not low <= number <= high:
            outside.append(index)
        values.append(math.nan if number is None else number)
    spread = pd.Series(distinct.spread(values, "float64", math.nan), name=question.id)
    strange = unlike(distinct, column, question, texts)
    if strange is not None:
        return Column(spread, (strange,))
    fields: dict[str, object] = {"allowed": _limits(question)}
    quiet = question.personal == "sensitive"
    findings = [
        distinct.found(key, column, troubled, fields, quiet=quiet)
        for key, troubled in (
            ("check.cell.text_for_weight" if weight else "check.cell.text_for_number", texts),
            ("check.cell.outside_limits", outside),
        )
        if troubled
    ]
    return Column(spread, tuple(findings))


def _limits(question: Question) -> Bilingual:
    ends = ["" if end is None else cell_text(float(end)) for end in (question.minimum, question.maximum)]
    one_sided = f"≥ {ends[0]}" if ends[0] else f"≤ {ends[1]}"
    shape = f"{ends[0]}–{ends[1]}" if all(ends) else one_sided
    return Bilingual(shape.replace(".", ","), shape)


def texts(cells: pd.Series, question: Question, missing: tuple[MissingCode, ...]) -> Column:
    """Return a text column as str with None: 12.0 becomes "12"."""
    distinct = Distinct.of(cells)

    def translate(cell: object) -> str | None:
        return None if is_missing_code(cell, missing) else cell_text(cell) or None

    spread = distinct.spread(map(translate, distinct.values), "object", None)
    return Column(pd.Series(spread, name=question.id, dtype=object))


def dates(cells: pd.Series, column: str, question: Question, missing: tuple[MissingCode, ...]) -> Column:
    """Return a date or datetime column as datetime64; unreadable dates are left empty with a warning."""
    if pd.api.types.is_datetime64_any_dtype(cells):
        return Column(cells.reset_index(drop=True).rename(question.id).astype("datetime64[us]"))
    distinct = Distinct.of(cells)
    values: list[object] = []
    troubled = []
    for index, cell in enumerate(distinct.values):
        read = None if is_missing_code(cell, missing) else as_date(cell)
        if read is None and not is_missing_code(cell, missing):
            troubled.append(index)
        values.append(np.datetime64("NaT") if read is None else np.datetime64(read, "us"))
    spread = distinct.spread(values, "datetime64[us]", np.datetime64("NaT"))
    quiet = question.personal == "sensitive"
    strange = unlike(distinct, column, question, troubled)
    if strange is not None:
        return Column(pd.Series(spread, name=question.id), (strange,))
    details = [shown("…" if quiet else distinct.values[i], {}) for i in troubled]
    found = (distinct.rows_of("check.cell.bad_date", "warning", column, troubled, details),) if troubled else ()
    return Column(pd.Series(spread, name=question.id), found)


def as_date(cell: object) -> datetime.datetime | None:
    """Read 31/12/2021, 31/12/2021 08:30, 2021-12-31 08:30:00, 20211231 or a time stamp; None if it is none."""
    if isinstance(cell, datetime.datetime):
        return cell.replace(tzinfo=None)
    plain = cell_text(cell)
    build: tuple[tuple[re.Pattern[str], Callable[..., tuple[str, str, str]]], ...] = (
        (_DAY_FIRST, lambda d, m, y: (y, m, d)),
        (_YEAR_FIRST, lambda y, m, d: (y, m, d)),
        (_EIGHT_DIGITS, lambda y, m, d: (y, m, d)),
    )
    for pattern, order in build:
        found = pattern.match(plain)
        if found:
            parts = found.groups()
            day = [int(p) for p in order(*parts[:3])]
            clock = [int(p or 0) for p in parts[3:]]
            try:
                return datetime.datetime(*day, *clock)  # type: ignore[arg-type]
            except ValueError:
                return None
    return None
