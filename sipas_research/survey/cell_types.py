"""From texts to numbers and dates, one column at a time, on its distinct values only.

A column becomes numbers or dates only if every value fits. Nothing is guessed where two readings are
possible: "1.234" may be one and a bit or a thousand and more, so such a column stays text unless another
column of the file settles it.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection
from typing import Literal

NumberStyle = Literal["whole", "dot", "comma", "dot_unclear", "comma_unclear", "dots_grouped", "commas_grouped", "text"]
DateOrder = Literal["year_first", "day_first", "month_first", "text"]

#: Texts that other statistics programs write for an empty cell in a column of numbers.
EMPTY_WORDS = frozenset({"NA", "NaN", "nan", "NULL", "null", "."})

# Sixteen digits do not fit a float; a leading zero says that the digits are a code ("01", a phone number).
_WHOLE = re.compile(r"-?(?:0|[1-9]\d{0,14})")
_DOT = re.compile(r"-?(?:\d{1,15}\.\d{1,17}|\.\d{1,17}|\d{1,15}(?:\.\d{1,17})?[eE][+-]?\d{1,2})")
_COMMA = re.compile(r"-?\d{1,15},\d{1,17}")
_DOT_UNCLEAR = re.compile(r"-?[1-9]\d{0,2}\.\d{3}")
_COMMA_UNCLEAR = re.compile(r"-?[1-9]\d{0,2},\d{3}")
_DOTS_GROUPED = re.compile(r"-?[1-9]\d{0,2}(?:\.\d{3}){1,4}(?:,\d+)?")
_COMMAS_GROUPED = re.compile(r"-?[1-9]\d{0,2}(?:,\d{3}){1,4}(?:\.\d+)?")

_DATE = re.compile(
    r"(?:(?P<y>\d{4})[-/](?P<m>\d{1,2})[-/](?P<d>\d{1,2})|(?P<a>\d{1,2})([-/.])(?P<b>\d{1,2})\5(?P<year>\d{4}))"
    r"(?:[ T,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<part>\d{1,9}))?)?"
    r"(?:\s*(?P<half>[AaPp][Mm]|SA|CH))?)?"
    r"(?:\s*(?:Z|(?:GMT|UTC)?[+-]\d{1,2}(?::?\d{2})?|GMT|UTC))?"
)


def number_style(values: Collection[str]) -> NumberStyle:
    """Return how a column of texts writes numbers; "text" where any value is not a number."""
    rest = [value for value in values if not _WHOLE.fullmatch(value)]
    if not rest:
        return "whole" if values else "text"
    if all(_DOT.fullmatch(value) for value in rest):
        return "dot_unclear" if all(_DOT_UNCLEAR.fullmatch(value) for value in rest) else "dot"
    if all(_COMMA.fullmatch(value) for value in rest):
        return "comma_unclear" if all(_COMMA_UNCLEAR.fullmatch(value) for value in rest) else "comma"
    if all(_DOTS_GROUPED.fullmatch(value) or _COMMA.fullmatch(value) for value in rest):
        return "dots_grouped" if any(_both(value) or value.count(".") > 1 for value in rest) else "text"
    if all(_COMMAS_GROUPED.fullmatch(value) or _DOT.fullmatch(value) for value in rest):
        return "commas_grouped" if any(_both(value) or value.count(",") > 1 for value in rest) else "text"
    return "text"


def _both(value: str) -> bool:
    return "," in value and "." in value


def settle(style: NumberStyle, *, decimal_comma: bool, decimal_dot: bool) -> NumberStyle:
    """Settle an unclear style by what other columns of the same file show; "text" where nothing does."""
    if style == "comma_unclear":
        return "comma" if decimal_comma and not decimal_dot else "text"
    if style == "dot_unclear":
        return "dot" if decimal_dot and not decimal_comma else "text"
    return style


def to_number(value: str, style: NumberStyle) -> float:
    """Return the number that one text stands for under a settled style."""
    if style in {"comma", "dots_grouped"}:
        value = value.replace(".", "").replace(",", ".")
    elif style == "commas_grouped":
        value = value.replace(",", "")
    return float(value)


def date_order(values: Collection[str]) -> DateOrder:
    """Return how a column of texts writes dates; "text" where any value is not a date.

    Days come first in Vietnam; months come first only where that alone fits every value.
    """
    if not values or not _DATE.fullmatch(next(iter(values))):
        return "text"
    found = [_DATE.fullmatch(value) for value in values]
    if not all(found):
        return "text"
    year_first = [match["y"] is not None for match in found if match]
    orders: tuple[DateOrder, ...] = ("year_first",) if all(year_first) else ("day_first", "month_first")
    if any(year_first) and not all(year_first):
        return "text"
    for order in orders:
        try:
            for value in values:
                to_date(value, order)
        except ValueError:
            continue
        return order
    return "text"


def order_is_open(values: Collection[str]) -> bool:
    """True if every day is 12 or less, so that months could come first just as well."""
    try:
        dates = [(to_date(value, "day_first"), to_date(value, "month_first")) for value in values]
    except ValueError:
        return False
    return any(day != month for day, month in dates)


def to_date(value: str, order: DateOrder) -> datetime.datetime:
    """Return the date and clock time that one text stands for, without its time zone.

    Raises
    ------
    ValueError
        If there is no such day or hour.
    """
    match = _DATE.fullmatch(value)
    if match is None:
        raise ValueError(value)
    if order == "year_first":
        year, month, day = match["y"], match["m"], match["d"]
    elif order == "day_first":
        year, month, day = match["year"], match["b"], match["a"]
    else:
        year, month, day = match["year"], match["a"], match["b"]
    hour, half = int(match["hour"] or 0), (match["half"] or "").upper()
    if half:
        hour = hour % 12 + (12 if half in {"PM", "CH"} else 0)
    part = int((match["part"] or "0").ljust(6, "0")[:6])
    return datetime.datetime(
        int(year), int(month), int(day), hour, int(match["minute"] or 0), int(match["second"] or 0), part
    )
