"""Arithmetic of published figures on the 0-100 scale: readings of a change, sampling error, sample size, pace."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal

from scipy.special import ndtr, ndtri

from sipas_research.errors import OptionError
from sipas_research.numerics.intervals import exact_interval

_GROUPED = re.compile(r"[+\-−]?\d{1,3}([.,]\d{3})+")
_PLAIN = re.compile(r"[+\-−]?\d+([.,]\d+)?")
_DECIMAL_COMMA = re.compile(r"[+\-−]?\d{1,3}(\.\d{3})+,\d+")


@dataclass(frozen=True, slots=True)
class Printed:
    """A number with the decimals it was printed with: it stands for ``value`` plus or minus ``half_unit``."""

    value: float
    decimals: int

    @property
    def half_unit(self) -> float:
        """Half of the last printed place."""
        return 0.5 * 10.0**-self.decimals


@dataclass(frozen=True, slots=True)
class Reading:
    """What a previous value is under one reading of the change: ``value`` within ``low`` to ``high`` by rounding."""

    unit: str
    value: float
    low: float
    high: float

    @property
    def possible(self) -> bool:
        """An index lies between 0 and 100; a value that rounding alone pushes over an end still counts."""
        return self.high >= 0 and self.low <= 100

    def agrees(self, previous: Printed) -> bool:
        """True where a printed previous value lies within the rounding of this reading."""
        return self.low - previous.half_unit - 1e-9 <= previous.value <= self.high + previous.half_unit + 1e-9


def printed(value: object, name: str) -> Printed:
    """Return a number as printed: 87.07, "87,07", "87,07%" or "−1,5"; decimals are those that were written.

    Raises
    ------
    OptionError
        If it is not one finite number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise OptionError("claim.error.number", name=name, value=type(value).__name__)
    plain = str(value).strip().removesuffix("%").rstrip()
    if isinstance(value, str) and _DECIMAL_COMMA.fullmatch(plain):
        plain = plain.replace(".", "")
    plain = plain.replace("−", "-").replace(",", ".") if _PLAIN.fullmatch(plain) or "," in plain else plain
    try:
        exact = Decimal(plain)
    except ArithmeticError as error:
        raise OptionError("claim.error.number", name=name, value=str(value)[:40]) from error
    if not exact.is_finite() or abs(exact) > 10**9:
        raise OptionError("claim.error.number", name=name, value=str(value)[:40])
    exponent = exact.normalize().as_tuple().exponent if isinstance(value, float) else exact.as_tuple().exponent
    return Printed(float(exact), max(0, -int(exponent)))


def whole(value: object, name: str, *, least: int, most: int = 10**9) -> int:
    """Return a whole number of people, places or components: 400, "400", "3.366" or "3,366".

    Raises
    ------
    OptionError
        If it is not whole, or outside ``least`` to ``most``.
    """
    if isinstance(value, str) and _GROUPED.fullmatch(value.strip()):
        value = value.replace(".", "").replace(",", "")
    number = printed(value, name).value
    if not number.is_integer() or not least <= number <= most:
        raise OptionError("claim.error.whole", name=name, value=str(value)[:40], least=least, most=most)
    return int(number)


def difference(first: float, second: float) -> float:
    """Return first - second as decimal fractions: 85.71 - 3.73 is 81.98, so that a printed half stays a half."""
    return float(Decimal(repr(float(first))) - Decimal(repr(float(second))))


def previous_in_points(value: Printed, change: Printed) -> Reading:
    """Return value - change: the change was in percentage points."""
    centre, reach = difference(value.value, change.value), value.half_unit + change.half_unit
    return Reading("points", centre, centre - reach, centre + reach)


def previous_in_percent(value: Printed, change: Printed) -> Reading | None:
    """Return value / (1 + change / 100): the change was in per cent; None where it fell by 100% or more."""
    least_growth = 1.0 + (change.value - change.half_unit) / 100.0
    if least_growth <= 0:
        return None
    growth, most_growth = (1.0 + (change.value + side * change.half_unit) / 100.0 for side in (0, 1))
    low = (value.value - value.half_unit) / most_growth
    return Reading("percent", value.value / growth, low, (value.value + value.half_unit) / least_growth)


def yamane(frame: float, error: float = 0.05) -> float:
    """Return n = N / (1 + N e^2), not rounded (Yamane 1967, Statistics: an introductory analysis).

    Parameters
    ----------
    frame : float
        N, people in the frame.
    error : float
        e, on the 0-1 scale.
    """
    return frame / (1.0 + frame * error**2)


def large_population_size(error: float = 0.05) -> float:
    """Return 1 / e^2, the limit of Yamane's formula for a large frame."""
    return 1.0 / error**2


def normal_quantile(level: float = 0.95) -> float:
    """Return the two-sided normal quantile: 1.96 at 0.95."""
    return float(ndtri((1.0 + level) / 2.0))


def margin_of_error(value: float, n: int, *, deff: float = 1.0, frame: int | None = None, level: float = 0.95) -> float:
    """Return the half-width of the interval of a share, in points: z sqrt(deff p (1 - p) / n), p = value / 100.

    With a frame, the finite population factor sqrt((N - n) / (N - 1)) (Cochran 1977, section 3.2). At 0 and 100 the
    normal form is empty: the length of the Clopper-Pearson interval stands in its place.
    """
    share = value / 100.0
    if share in {0.0, 1.0}:
        low, high = exact_interval(share, n / deff, level)
        return 100.0 * (high - low)
    factor = 1.0 if frame is None or frame <= 1 else math.sqrt((frame - n) / (frame - 1))
    return 100.0 * normal_quantile(level) * math.sqrt(deff * share * (1.0 - share) / n) * factor


def change_statistic(value: float, previous: float, n: int, previous_n: int, *, deff: float = 1.0) -> float:
    """Return z of the difference of two independent shares, unpooled variance (Agresti 2013, section 3.1.1).

    Each person counts as one yes or no. NaN where both shares are 0 or 100.
    """
    variance = sum(deff * (p / 100.0) * (1.0 - p / 100.0) / m for p, m in ((value, n), (previous, previous_n)))
    return (value - previous) / 100.0 / math.sqrt(variance) if variance > 0 else math.nan


def two_sided_p(statistic: float) -> float:
    """Return the two-sided normal p-value."""
    return 2.0 * float(ndtr(-abs(statistic)))


def pace(start: float, end: float, years: int) -> float:
    """Return the mean change a year, in points.

    Raises
    ------
    OptionError
        If ``years`` is not positive.
    """
    if years <= 0:
        raise OptionError("claim.error.whole", name="years", value=str(years), least=1, most=100)
    return difference(end, start) / years
