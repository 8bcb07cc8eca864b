"""The figures of a claim, read and checked before anything is computed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sipas_research.errors import OptionError
from sipas_research.evidence.arithmetic import (
    Printed,
    Reading,
    previous_in_percent,
    previous_in_points,
    printed,
    whole,
)
from sipas_research.evidence.component_bounds import MOST_COMPONENTS

CHANGE_UNITS = ("unknown", "points", "percent")
#: Items of the five factors in the questionnaire of 2017-2021: the weights an item mean gives its components.
ITEM_COUNTS = (4, 5, 6, 3, 4)


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim whose figures are possible one by one. ``readings`` are the previous values that the change allows."""

    value: Printed
    change: Printed | None
    previous: Printed | None
    readings: tuple[Reading, ...]
    rank: int | None
    rank_of: int | None
    places: int | None
    components: int | None
    falling: int
    rising: int
    weightings: tuple[tuple[str, tuple[float, ...]], ...]
    n: int | None
    previous_n: int | None
    clusters: int | None
    deff: float | None
    frame: int | None
    precision: float
    national_change: Printed | None
    national_mean: Printed | None
    target: Printed | None

    @property
    def bases(self) -> tuple[Reading, ...]:
        """Previous values to compute from: the stated one, otherwise one a reading."""
        if self.previous is None:
            return self.readings
        stated, half = self.previous.value, self.previous.half_unit
        return (Reading("stated", stated, stated - half, stated + half),)


def percentage(value: object, name: str) -> Printed:
    """Return an index value; outside 0-100 it is refused."""
    found = printed(value, name)
    if not 0 <= found.value <= 100:
        raise OptionError("claim.error.range", name=name, value=str(value)[:40])
    return found


def optional_percentage(value: object | None, name: str) -> Printed | None:
    """Return an index value, None where none is given."""
    return None if value is None else percentage(value, name)


def optional_whole(value: object | None, name: str, *, least: int, most: int = 10**9) -> int | None:
    """Return a whole number, None where none is given."""
    return None if value is None else whole(value, name, least=least, most=most)


def read_readings(
    value: Printed, change: object | None, unit: str, *, typed: object
) -> tuple[Printed | None, tuple[Reading, ...]]:
    """Return the change and the previous values it allows; a change that allows none is refused.

    ``typed`` is the value as it was given, for the refusal.
    """
    if unit not in CHANGE_UNITS:
        raise OptionError(
            "claim.error.option", name="change_unit", value=str(unit)[:40], allowed=", ".join(CHANGE_UNITS)
        )
    if change is None:
        return None, ()
    found = printed(change, "change")
    readings = [previous_in_points(value, found), previous_in_percent(value, found)]
    kept = tuple(r for r in readings if r is not None and r.possible and unit in {"unknown", r.unit})
    if not kept:
        raise OptionError("claim.error.change", value=str(typed)[:40], change=str(change)[:40])
    return found, kept


def read_components(
    components: object | None,
    falling: object | None,
    rising: object | None,
    weights: str | Sequence[float | str] | None,
) -> tuple[int | None, int, int, tuple[tuple[str, tuple[float, ...]], ...]]:
    """Return the number of components, how many fell and rose, and the weights to try."""
    fell, rose = (0 if v is None else whole(v, k, least=0) for v, k in ((falling, "falling"), (rising, "rising")))
    if components is None:
        if fell or rose or weights is not None:
            raise OptionError("claim.error.components_missing")
        return None, 0, 0, ()
    size = whole(components, "components", least=2, most=MOST_COMPONENTS)
    if fell + rose > size:
        raise OptionError("claim.error.components", falling=fell, rising=rose, components=size)
    return size, fell, rose, _weightings(weights, size)


def _weightings(weights: str | Sequence[float | str] | None, size: int) -> tuple[tuple[str, tuple[float, ...]], ...]:
    equal = ("equal", (1.0,) * size)
    if weights is None:
        return (equal, ("items", tuple(map(float, ITEM_COUNTS)))) if size == len(ITEM_COUNTS) else (equal,)
    if isinstance(weights, str):
        if weights != "equal":
            raise OptionError("claim.error.option", name="weights", value=weights[:40], allowed="equal")
        return (equal,)
    if not isinstance(weights, Iterable):
        raise OptionError("claim.error.weights", n=1, components=size)
    counts = tuple(printed(weight, "weights").value for weight in weights)
    if len(counts) != size or min(counts) <= 0:
        raise OptionError("claim.error.weights", n=len(counts), components=size)
    return (("items", counts),)


def read_design(deff: object | None, precision: object) -> tuple[float | None, float]:
    """Return the design effect (positive) and the precision e of Yamane's formula (0-1, ends excluded)."""
    effect = None if deff is None else printed(deff, "deff").value
    if effect is not None and effect <= 0:
        raise OptionError("claim.error.positive", name="deff", value=str(deff)[:40])
    error = printed(precision, "precision").value
    if not 0 < error < 1:
        raise OptionError("claim.error.precision", value=str(precision)[:40])
    return effect, error


def check_claim_input(claim: Claim) -> Claim:
    """Refuse figures that cannot stand together: a sample over its frame, a rank beyond the places."""
    if claim.n is None and (claim.clusters is not None or claim.deff is not None or claim.previous_n is not None):
        raise OptionError("claim.error.needs_n")
    if claim.n is not None and claim.frame is not None and claim.n > claim.frame:
        raise OptionError("claim.error.frame", n=claim.n, frame=claim.frame)
    if claim.n is not None and claim.deff is not None and claim.deff > claim.n:
        # n / deff is the size of the simple random sample that tells as much: less than one form tells nothing
        raise OptionError("claim.error.deff", value=f"{claim.deff:g}", n=claim.n)
    if claim.n is not None and claim.clusters is not None and claim.clusters > claim.n:
        raise OptionError("claim.error.clusters", clusters=claim.clusters, n=claim.n)
    if claim.rank_of is not None and claim.rank is None:
        raise OptionError("claim.error.needs_rank")
    if claim.rank is not None and claim.rank_of is not None and claim.rank > claim.rank_of:
        raise OptionError("claim.error.rank", rank=claim.rank, rank_of=claim.rank_of)
    return claim


def agreeing(claim: Claim) -> tuple[Reading, ...]:
    """Return the readings that fit a stated previous value; all of them where none is stated."""
    if claim.previous is None:
        return claim.readings
    return tuple(r for r in claim.readings if r.agrees(claim.previous))


def decimals(*numbers: Printed | None, least: int = 0) -> int:
    """Return the most decimals among some printed numbers."""
    return max([least, *(n.decimals for n in numbers if n is not None)])


def signs(values: Sequence[float]) -> set[int]:
    """Return the signs among some numbers: -1, 0 (within 1e-9) and 1."""
    return {0 if abs(v) < 1e-9 else int(math.copysign(1, v)) for v in values}
