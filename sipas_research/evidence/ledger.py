"""The ledger of published figures: what was printed where, with a quotation, and what follows from it by arithmetic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pandas as pd

from sipas_research import resources, wording
from sipas_research.errors import OptionError
from sipas_research.results import DataKind
from sipas_research.wording import Bilingual

KINDS = ("fact", "derived", "flag")
UNITS = (
    "percent",
    "percentage_points",
    "percent_or_points",
    "count",
    "ordinal",
    "rank",
    "places",
    "score",
    "z",
    "date",
    "period",
    "decision",
    "text",
    "flag",
)
#: Units whose rows carry no number.
WORDS = ("date", "period", "decision", "text", "flag")
#: Place of figures about the whole country.
NATIONAL = "Cả nước"


@dataclass(frozen=True, slots=True)
class Fact:
    """One row of the ledger.

    Attributes
    ----------
    kind : "fact", "derived" or "flag"
        Printed in a source, computed from printed rows, or a note on what a source leaves open.
    functions : tuple of str
        Ids of what the study asks for, like "C1".
    place : str
        Empty where the source does not name it; nothing is inferred.
    year : int or None
    printed : str
        The value as printed (Vietnamese digits).
    value, out_of : float
        The number, and the number it is out of (31 of 63); NaN where there is none.
    unit : str
        One of :data:`UNITS`; "percent_or_points" where the source leaves it open.
    derived_from : tuple of str
        Ids of the rows behind a derived one.
    decided_by : str
        Function of ``evidence.flags`` that decides a flag; "" where arithmetic cannot.
    settled_by : Bilingual
        The table or document that would settle a flag.
    quotation : str
        At most 25 words of the source.
    verified : bool
        The figure stands in a text or table that was read.
    printable : bool
        False rows never reach a document.
    """

    id: str
    kind: str
    functions: tuple[str, ...]
    source: str
    place: str
    year: int | None
    quantity: Bilingual
    printed: str
    value: float
    out_of: float
    unit: str
    note: Bilingual
    derived_from: tuple[str, ...]
    decided_by: str
    settled_by: Bilingual
    quotation: str
    verified: bool
    printable: bool


@dataclass(frozen=True, slots=True)
class Ledger:
    """Rows of the ledger in file order; published figures and what follows from them."""

    rows: tuple[Fact, ...]

    @property
    def data_kind(self) -> DataKind:
        """Always published."""
        return DataKind.PUBLISHED

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Fact]:
        return iter(self.rows)

    @property
    def sources(self) -> tuple[str, ...]:
        """Sources in file order, each once."""
        return tuple(dict.fromkeys(row.source for row in self.rows))

    def get(self, identifier: str) -> Fact:
        """Return one row.

        Raises
        ------
        OptionError
            If no row of this ledger has the id.
        """
        for row in self.rows:
            if row.id == identifier:
                return row
        raise OptionError("evidence.error.unknown_fact", value=str(identifier), n=len(self.rows))

    def value(self, identifier: str) -> float:
        """Return the number of one row."""
        return self.get(identifier).value

    def tidy(self) -> pd.DataFrame:
        """One row a fact: term, group (place), estimate and note first, then everything else."""
        return pd.DataFrame([_record(row) for row in self.rows], columns=_TIDY)

    def glance(self) -> pd.DataFrame:
        """One row: how many of each kind, sources, places, years."""
        kinds = Counter(row.kind for row in self.rows)
        years = [row.year for row in self.rows if row.year is not None]
        counts = {f"n_{kind}": kinds[kind] for kind in KINDS}
        span = {"first_year": min(years, default=None), "last_year": max(years, default=None)}
        verified = sum(row.verified for row in self.rows)
        tail = {"n_sources": len(self.sources), "n_verified": verified, "data_kind": self.data_kind.value}
        return pd.DataFrame([{"n": len(self.rows), **counts, **span, **tail}])

    def summary(self, language: str = "vi") -> str:
        """Return how many figures of how many sources, and where each row stands."""
        kinds = Counter(row.kind for row in self.rows)
        head = wording.text(
            "evidence.summary.head",
            language,
            facts=kinds["fact"],
            sources=len(self.sources),
            derived=kinds["derived"],
            flags=kinds["flag"],
        )
        lines = [
            wording.text(
                "evidence.summary.line",
                language,
                quantity=row.quantity(language),
                year=f" {row.year}" if row.year else "",
                printed=printed_value(row, language),
            )
            for row in self.rows
            if row.kind != "flag"
        ]
        return "\n".join([head, *lines])


_TIDY = (
    "term",
    "group",
    "estimate",
    "note",
    "kind",
    "year",
    "quantity",
    "printed",
    "out_of",
    "unit",
    "functions",
    "source",
    "derived_from",
    "decided_by",
    "quotation",
    "verified",
    "printable",
)


def _record(row: Fact) -> tuple[object, ...]:
    return (
        row.id,
        row.place,
        row.value,
        row.note("vi"),
        row.kind,
        row.year,
        row.quantity("vi"),
        row.printed,
        row.out_of,
        row.unit,
        " ".join(row.functions),
        row.source,
        " ".join(row.derived_from),
        row.decided_by,
        row.quotation,
        row.verified,
        row.printable,
    )


def printed_value(row: Fact, language: str) -> str:
    """Return the value as printed; in English a plain number gets English separators."""
    if language == "vi" or row.unit in WORDS:
        return row.printed
    swapped = row.printed.translate(str.maketrans(",.", ".,"))
    digits = swapped.removesuffix("%").replace("/", "").replace(".", "").replace(",", "")
    return swapped if digits.isdigit() else row.printed


@cache
def _packaged() -> tuple[Fact, ...]:
    from sipas_research.evidence.ledger_file import read_facts

    return read_facts(resources.data("published", "facts.csv"))


def facts(
    *, kind: str | None = None, place: str | None = None, year: int | None = None, printable: bool | None = True
) -> Ledger:
    """Return the packaged ledger of published figures, or a part of it.

    Parameters
    ----------
    kind : {"fact", "derived", "flag"}, optional
    place : str, optional
        "" gives the rows whose source names no place.
    year : int, optional
    printable : bool or None
        True leaves out what is never printed, False gives only that, None everything.

    Raises
    ------
    OptionError
        If ``kind``, ``place`` or ``year`` does not stand in the ledger.
    DataFileError
        If the ledger file breaks a rule; every row that does is named.
    """
    rows = _packaged()
    _check("kind", kind, KINDS)
    _check("place", place, {row.place for row in rows})
    _check("year", year, {row.year for row in rows if row.year is not None})
    kept = [
        row
        for row in rows
        if (kind is None or row.kind == kind)
        and (place is None or row.place == place)
        and (year is None or row.year == year)
        and (printable is None or row.printable == printable)
    ]
    return Ledger(tuple(kept))


def _check(name: str, value: object, known: object) -> None:
    options = sorted(known, key=str)  # type: ignore[call-overload]
    if value is None or (not isinstance(value, bool) and value in options):
        return
    allowed = ", ".join(str(option) or "“”" for option in options)
    raise OptionError("evidence.error.option", name=name, value=str(value), allowed=allowed)
