"""What is known about PAPI's provincial panel before a file is read: columns, years, breaks, provinces."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Literal

from sipas_research.wording import Bilingual, text

BreakKind = Literal["panel", "sample", "content", "level"]

#: Years from which the whole panel counts as a new one: eight dimensions (2018), another sample of places (2021).
PANEL_BREAKS = (2018, 2021)
#: First and last year of each stretch between the breaks of the whole panel.
PERIODS = ((2011, 2017), (2018, 2020), (2021, 2024))


@dataclass(frozen=True, slots=True)
class PapiBreak:
    """From ``year`` on, ``column`` ("" for every column) does not carry the same measure as before.

    ``kind``: "panel" the set of dimensions, "sample" another sample of places, "content" other questions, "level" a
    jump in every province. The sentence is ``papi.break.<name>`` of the catalogue.
    """

    column: str
    year: int
    kind: BreakKind
    name: str


@dataclass(frozen=True, slots=True)
class PapiDimension:
    """A dimension, the years in which it is published and the years of each of its parts."""

    id: str
    years: tuple[int, int]
    parts: Mapping[str, tuple[int, int]]

    def parts_in(self, year: int) -> tuple[str, ...]:
        """Return the parts that make up the dimension in a year."""
        return tuple(name for name, (first, last) in self.parts.items() if first <= year <= last)


@dataclass(frozen=True, slots=True)
class PapiProvince:
    """One of the 63 provinces until 30/6/2025. ``code`` is the file's own, P01 to P63."""

    code: str
    gso_code: int
    name: Bilingual
    region: str


@dataclass(frozen=True, slots=True)
class PapiFacts:
    """The whole register; see :func:`papi_facts`."""

    first_year: int
    last_year: int
    total: str
    identifiers: tuple[str, ...]
    dimensions: tuple[PapiDimension, ...]
    breaks: tuple[PapiBreak, ...]
    provinces: tuple[PapiProvince, ...]

    @property
    def dimension_ids(self) -> tuple[str, ...]:
        """Names of the eight dimensions, in the publisher's order."""
        return tuple(d.id for d in self.dimensions)

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of all sub-dimensions."""
        return tuple(name for d in self.dimensions for name in d.parts)

    @property
    def measures(self) -> tuple[str, ...]:
        """Every column that holds a score."""
        return (*self.parts, *self.dimension_ids, self.total)

    def published(self, column: str, year: int) -> bool:
        """Tell whether a column exists at all in a year."""
        if column == self.total:
            return True
        for dimension in self.dimensions:
            first, last = dimension.parts.get(column, dimension.years if column == dimension.id else (1, 0))
            if first <= year <= last:
                return True
        return False

    def dimensions_in(self, year: int) -> tuple[str, ...]:
        """Return the dimensions published in a year: six to 2017, eight from 2018."""
        return tuple(d.id for d in self.dimensions if d.years[0] <= year <= d.years[1])

    def breaks_of(self, column: str = "") -> tuple[PapiBreak, ...]:
        """Return the breaks of the whole panel and of one column; the total breaks where any dimension does."""
        wanted = {"", *(self.dimension_ids if column == self.total else (column,))}
        return tuple(sorted((b for b in self.breaks if b.column in wanted), key=lambda b: (b.year, b.column)))

    def find(self, name: str) -> PapiProvince | None:
        """Return the province of a name in either language, tone marks and word signs left aside, or None."""
        return _by_name().get(folded(name))


@cache
def papi_facts() -> PapiFacts:
    """Return the register that stands in ``evidence/papi.toml``."""
    raw = tomllib.loads((resources.files("sipas_research.evidence") / "papi.toml").read_text(encoding="utf-8"))
    return PapiFacts(
        raw["first_year"],
        raw["last_year"],
        raw["total"],
        tuple(raw["identifiers"]),
        tuple(_dimension(d) for d in raw["dimension"]),
        tuple(PapiBreak(b["column"], b["year"], b["kind"], b["name"]) for b in raw["break"]),
        tuple(
            PapiProvince(f"P{number:02d}", gso, Bilingual(vi, en), region)
            for number, (gso, vi, en, region) in enumerate(raw["provinces"]["rows"], start=1)
        ),
    )


def _dimension(entry: Mapping[str, Any]) -> PapiDimension:
    parts = {name: (first, last) for name, (first, last) in entry["parts"].items()}
    return PapiDimension(entry["id"], (entry["years"][0], entry["years"][1]), MappingProxyType(parts))


def column_name(column: str, language: str, *, full: bool = False) -> str:
    """Return a score column's name for people: "D5 Thủ tục hành chính", or the publisher's whole name."""
    if column in papi_facts().parts:
        return text(f"papi.part.{column}", language)
    return text(f"papi.{'name' if full else 'short'}.{column}", language)


def folded(name: str) -> str:
    """Return a province's name in small letters without marks, signs and the words for province or city."""
    plain = unicodedata.normalize("NFD", name.casefold().replace("đ", "d"))
    letters = re.sub(r"[^a-z0-9 ]", " ", "".join(c for c in plain if not unicodedata.combining(c)))
    words = re.sub(r"^\s*(tinh|thanh pho|tp)\s+|\s+(city|province)\s*$", " ", f" {letters} ")
    return "".join(words.split())


@cache
def _by_name() -> Mapping[str, PapiProvince]:
    pairs = {folded(spelling): p for p in papi_facts().provinces for spelling in (p.name.vi, p.name.en)}
    return MappingProxyType(pairs)
