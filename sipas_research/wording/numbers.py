"""Numbers as the two languages print them: 87,07% and 3.366 in Vietnamese, 87.07% and 3,366 in English.

This module and ``report`` are the only places that round. Halves round away from zero, as the
published tables do. A missing value is never printed as "nan": it becomes an en dash.
"""

from __future__ import annotations

import datetime
import math
from decimal import ROUND_HALF_UP, Decimal

MISSING = "–"
#: From here on a number is printed as a power of ten.
POWERS_FROM = 1e15
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def _localise(plain: str, language: str) -> str:
    sign, digits = ("−", plain[1:]) if plain.startswith("-") else ("", plain)
    if not digits.strip("0.,"):
        sign = ""
    if language == "vi":
        digits = digits.translate(str.maketrans(",.", ".,"))
    return sign + digits


def number(value: float, decimals: int, language: str) -> str:
    """Return ``value`` with a fixed number of decimals; an en dash where it is not a finite number.

    From 10¹⁵ on, where no digit after the point is known, it becomes a power of ten: 1,23×10³⁰.
    """
    if value is None or not math.isfinite(value):
        return MISSING
    if abs(value) >= POWERS_FROM:
        leading, power = f"{value:.2e}".split("e")
        return f"{_localise(leading, language)}×10{str(int(power)).translate(_SUPERSCRIPTS)}"
    exact = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    return _localise(f"{exact:,f}", language)


def integer(value: float, language: str) -> str:
    """Return a whole number with thousands separators."""
    return number(value, 0, language)


def percent(share: float, language: str, decimals: int = 2) -> str:
    """Return a share on the 0-1 scale as a percentage: 0.8707 becomes "87,07%"."""
    if share is None or not math.isfinite(share):
        return MISSING
    return number(float(Decimal(repr(float(share))) * 100), decimals, language) + "%"


def p_value(value: float, language: str) -> str:
    """Return a p-value to three decimals, with "<0,001" below that."""
    if value is None or not math.isfinite(value):
        return MISSING
    if value < 0.001:
        return "<" + number(0.001, 3, language)
    return number(value, 3, language)


def interval(low: float, high: float, language: str, *, share: bool = True, decimals: int = 2) -> str:
    """Return "84,10%–90,04%" for shares, "3,41–3,58" otherwise; a dash where an end is missing."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return MISSING
    ends = [percent(v, language, decimals) if share else number(v, decimals, language) for v in (low, high)]
    # a dash between signs of minus cannot be read
    between = "–" if low >= 0 else " đến " if language == "vi" else " to "
    return between.join(ends)


def date(value: datetime.date, language: str) -> str:
    """Return dd/mm/yyyy in Vietnamese and d Month yyyy in English."""
    if language == "vi":
        return f"{value.day:02d}/{value.month:02d}/{value.year}"
    months = "January February March April May June July August September October November December".split()
    return f"{value.day} {months[value.month - 1]} {value.year}"
