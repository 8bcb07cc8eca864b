"""Text files with separators: .csv, .txt, .tsv, as Excel, Google Forms, KoboToolbox and R write them."""

from __future__ import annotations

import csv
import io
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sipas_research.errors import DataFileError, Problem
from sipas_research.survey.cell_types import (
    EMPTY_WORDS,
    DateOrder,
    NumberStyle,
    date_order,
    number_style,
    order_is_open,
    settle,
    to_date,
    to_number,
)
from sipas_research.survey.encodings import decode_text, refuse_legacy
from sipas_research.survey.raw_table import Note, RawTable
from sipas_research.survey.sheet_rows import Block, clean, note, shortened, to_block

_SEPARATORS = (";", "\t", "|", ",")
_SAMPLE = 200_000
_SAMPLE_ROWS = 200
_MOST_PROBLEMS = 10


@dataclass(frozen=True, slots=True)
class _Column:
    """One column with its distinct cleaned values, found once and used for every question about it."""

    name: str
    cells: Sequence[object]
    cleaned: dict[object, str | None]
    style: NumberStyle = "text"
    order: DateOrder = "text"

    @property
    def values(self) -> set[str]:
        return {value for value in self.cleaned.values() if value is not None}

    @property
    def numbers(self) -> set[str]:
        return self.values - EMPTY_WORDS


def read_delimited(data: bytes, file: str) -> RawTable:
    """Read the bytes of a delimited text file.

    Raises
    ------
    DataFileError
        If the encoding, the separator or the shape of the file is in doubt; the message says what to do.
    """
    content, notes = decode_text(data, file)
    content, declared = _declared_separator(content)
    separator = declared or find_separator(content)
    rows = _records(content, separator or ",", file)
    width = _checked_width(rows, file)
    if width == 1 and _hides_columns(rows):
        raise DataFileError("reading.one_column", file=file)
    block = to_block(_padded(rows, width), file)
    refuse_legacy(list(block.names), file)
    notes += (_separator_note(separator),) if separator and width > 1 else ()
    frame, typing_notes = _typed(block, separator, file)
    return RawTable(
        file, frame, first_row=block.first_row, skipped=block.skipped, notes=(*notes, *block.notes, *typing_notes)
    )


def _declared_separator(content: str) -> tuple[str, str]:
    """Return the text without Excel's first line "sep=;" and the separator it declares."""
    if content[:4].lower() == "sep=" and content[4:5] in _SEPARATORS and content[5:6] in {"\r", "\n"}:
        return content[5:].removeprefix("\r").removeprefix("\n"), content[4]
    return content, ""


def find_separator(content: str) -> str:
    """Return the separator that cuts the first lines into equal numbers of fields; "" if none cuts them.

    A line such as "1,5;2,5" is cut by both signs; the one that also fits the header and all other lines wins,
    and of two that fit equally the semicolon, since then the comma is a decimal mark.
    """
    sample = content[:_SAMPLE]
    best, best_share = "", 0.0
    for separator in _SEPARATORS:
        counts = _field_counts(sample, separator, whole=len(content) <= _SAMPLE)
        if not counts:
            continue
        usual = Counter(counts).most_common(1)[0][0]
        share = sum(count == usual for count in counts) / len(counts)
        if counts[0] != usual:
            share *= 0.5
        if usual > 1 and share > best_share + 1e-9:
            best, best_share = separator, share
    if best:
        return best
    header = next((line for line in sample.splitlines() if line.strip()), "")
    return max(_SEPARATORS, key=header.count) if any(s in header for s in _SEPARATORS) else ""


def _field_counts(sample: str, separator: str, *, whole: bool) -> list[int]:
    counts = []
    try:
        for row in itertools.islice(csv.reader(io.StringIO(sample, newline=""), delimiter=separator), _SAMPLE_ROWS):
            if any(cell.strip() for cell in row):
                counts.append(len(row))
    except csv.Error:
        return counts
    # The sample may end inside a line.
    return counts if whole or len(counts) < 2 else counts[:-1]


def _records(content: str, separator: str, file: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=separator, strict=True)
    try:
        return list(reader)
    except csv.Error as error:
        raise DataFileError("reading.broken_quotes", file=file, line=str(reader.line_num)) from error


def _checked_width(rows: list[list[str]], file: str) -> int:
    """Return the number of fields that the first filled row has, after checking that all rows have it."""
    width = next((len(row) for row in rows if any(row)), 0)
    if not width:
        raise DataFileError("reading.empty", file=file)
    uneven = [
        (number, len(row))
        for number, row in enumerate(rows, 1)
        if len(row) != width and any(row) and (len(row) < width or any(map(str.strip, row[width:])))
    ]
    if uneven:
        problems = [
            Problem.of("reading.uneven_line", file=file, row=number, found=found, wanted=width)
            for number, found in uneven[:_MOST_PROBLEMS]
        ]
        raise DataFileError("reading.uneven", file=file, n=len(uneven), wanted=width, problems=problems)
    return width


def _hides_columns(rows: list[list[str]]) -> bool:
    """True if single fields hold a sign that other programs use to separate columns."""
    header = next((row[0] for row in rows if any(row)), "")
    filled = [row[0] for row in rows if any(row)][:_SAMPLE_ROWS]
    return any(sign in header and all(sign in cell for cell in filled) for sign in (*_SEPARATORS, "^", "~", ":", "  "))


def _padded(rows: list[list[str]], width: int) -> list[list[str]]:
    empty = [""] * width
    return [row if len(row) == width else (row[:width] if any(row) else empty) for row in rows]


def _separator_note(separator: str) -> Note:
    return note("separator_tab") if separator == "\t" else note("separator", separator=separator)


def _typed(block: Block, separator: str, file: str) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    columns = [_looked_at(name, cells) for name, cells in zip(block.names, block.columns, strict=True)]
    # Where the comma separates fields, a dot can only be the decimal mark.
    decimal_dot = separator == "," or any(c.style in {"dot", "commas_grouped"} for c in columns)
    decimal_comma = any(c.style in {"comma", "dots_grouped"} for c in columns)
    series: dict[str, pd.Series] = {}
    unclear: list[str] = []
    for column in columns:
        style = settle(column.style, decimal_comma=decimal_comma, decimal_dot=decimal_dot)
        if style == "text" and column.style != "text":
            unclear.append(column.name)
        if style == column.style == "text":
            refuse_legacy(list(column.values), file, place=column.name)
        series[column.name] = _series(column, style)
    return pd.DataFrame(series), _typing_notes(columns, series, unclear)


def _looked_at(name: str, cells: Sequence[object]) -> _Column:
    cleaned = {cell: clean(str(cell)) for cell in set(cells)}
    column = _Column(name, cells, cleaned)
    if not column.numbers:
        return column
    style = number_style(column.numbers)
    if style != "text":
        return _Column(name, cells, cleaned, style)
    return _Column(name, cells, cleaned, style, date_order(column.values))


def _series(column: _Column, style: NumberStyle) -> pd.Series:
    if not column.values:
        return pd.Series(np.full(len(column.cells), np.nan))
    if style != "text":
        numbers = {
            cell: np.nan if value is None or value in EMPTY_WORDS else to_number(value, style)
            for cell, value in column.cleaned.items()
        }
        return pd.Series(np.fromiter(map(numbers.__getitem__, column.cells), float, len(column.cells)))
    if column.order != "text":
        dates = {
            cell: np.datetime64("NaT", "us") if value is None else np.datetime64(to_date(value, column.order), "us")
            for cell, value in column.cleaned.items()
        }
        return pd.Series(np.array(list(map(dates.__getitem__, column.cells)), dtype="datetime64[us]"))
    return pd.Series(list(map(column.cleaned.__getitem__, column.cells)), dtype=object)


def _typing_notes(columns: list[_Column], series: dict[str, pd.Series], unclear: list[str]) -> tuple[Note, ...]:
    numeric = [c for c in columns if series[c.name].dtype == float]
    notes = []
    if any(c.style in {"comma", "comma_unclear", "dots_grouped"} for c in numeric):
        notes.append(note("decimal", mark=","))
    if any(c.style in {"dot", "dot_unclear", "commas_grouped"} for c in numeric):
        notes.append(note("decimal", mark="."))
    if unclear:
        notes.append(note("unclear_numbers", names=shortened(unclear)))
    words = sorted({word for c in numeric for word in c.values & EMPTY_WORDS})
    if words:
        notes.append(note("empty_words", words=", ".join(words)))
    for order in ("day_first", "month_first", "year_first"):
        dated = [c for c in columns if c.order == order]
        if dated:
            notes.append(note(f"dates_{order}", names=shortened([c.name for c in dated])))
        still_open = [c.name for c in dated if order == "day_first" and order_is_open(c.values)]
        if still_open:
            notes.append(note("dates_open", names=shortened(still_open)))
    return tuple(notes)
