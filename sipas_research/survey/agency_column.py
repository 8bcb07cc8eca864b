"""The column that says which agency was rated: code, name or other name, whatever the file writes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from sipas_research.survey.agencies import Agency, AgencyRegister
from sipas_research.survey.answers import as_number, is_missing_code
from sipas_research.survey.cells import Distinct, unlike
from sipas_research.survey.comparison import bare_key, near, same_key
from sipas_research.survey.findings import LISTED, Finding, shown
from sipas_research.survey.raw_table import MissingCode
from sipas_research.survey.workbook import cell_text
from sipas_research.wording import LANGUAGES, Bilingual, text

#: Without a register: so many entries, nearly all of them different, are no names of agencies.
_MANY, _NEARLY_ALL = 20, 0.9


@dataclass(frozen=True, slots=True, eq=False)
class AgencyColumn:
    """Agency codes by row (str with None), the cells whose agency is unknown, and the register in force."""

    values: pd.Series
    findings: tuple[Finding, ...]
    register: AgencyRegister


def agency_codes(
    cells: pd.Series,
    column: str,
    register: AgencyRegister,
    labels: Mapping[float | str, str] | None = None,
    missing: tuple[MissingCode, ...] = (),
) -> AgencyColumn:
    """Translate the agency column to codes of the register.

    Parameters
    ----------
    cells : Series of shape (rows,)
        Codes, names or other names; compared without case, spaces, punctuation, then without diacritics.
    column : str
        Name in the file, for messages.
    register : AgencyRegister
        Where it is empty every value is accepted, and a register is made from the data: codes in order,
        the name is the file's value label or the code itself.
    labels : mapping, optional
        Value labels of the file.
    missing : tuple
        Codes that mean "no answer".

    Returns
    -------
    AgencyColumn
    """
    distinct = Distinct.of(cells)
    named = {cell_text(code): cell_text(label) for code, label in (labels or {}).items()}
    written = [None if is_missing_code(cell, missing) else cell_text(cell) or None for cell in distinct.values]
    if not register.agencies:
        spread = distinct.spread(written, "object", None)
        every = [i for i, w in enumerate(written) if w]
        strange = unlike(distinct, column, None, every, least=_MANY, share=_NEARLY_ALL)
        if strange is not None:
            return AgencyColumn(_series(spread), (strange,), AgencyRegister())
        return AgencyColumn(_series(spread), (), _register_of({w for w in written if w}, named))
    strict, bare = _lookup(register, same_key), _lookup(register, bare_key)
    codes: list[str | None] = []
    unknown: list[int] = []
    for index, cell in enumerate(written):
        code = None if cell is None else _find(cell, named.get(cell, ""), strict, bare)
        codes.append(code)
        if cell is not None and code is None:
            unknown.append(index)
    spread = distinct.spread(codes, "object", None)
    strange = unlike(distinct, column, None, unknown)
    found = (strange,) if strange else _unknown_agencies(distinct, column, unknown, named, register)
    return AgencyColumn(_series(spread), found, register)


def _series(values: object) -> pd.Series:
    return pd.Series(values, name="agency", dtype=object)


def _lookup(register: AgencyRegister, key) -> dict[str, str | None]:  # type: ignore[no-untyped-def]
    """Return agency code by compared name; None where two agencies share the name. Codes win over names."""
    found: dict[str, str | None] = {}
    for agency in register.agencies:
        for name in {key(n) for n in (agency.name.vi, agency.name.en, *agency.aliases) if n}:
            found[name] = None if found.get(name, agency.code) != agency.code else agency.code
    found.update({key(agency.code): agency.code for agency in register.agencies})
    found.pop("", None)
    return found


def _find(cell: str, label: str, strict: dict[str, str | None], bare: dict[str, str | None]) -> str | None:
    for name in (cell, label):
        if name:
            code = strict.get(same_key(name)) or bare.get(bare_key(name))
            if code is not None:
                return code
    return None


def _unknown_agencies(
    distinct: Distinct, column: str, unknown: list[int], named: Mapping[str, str], register: AgencyRegister
) -> tuple[Finding, ...]:
    if not unknown:
        return ()
    by_name = {name: a.code for a in register.agencies for name in (a.code, a.name.vi, *a.aliases) if name}
    details = []
    for order, index in enumerate(unknown):
        cell = distinct.values[index]
        wanted = named.get(cell_text(cell)) or cell_text(cell)
        # Looking for near names is slow, and only the first cells are listed one by one.
        codes = dict.fromkeys(by_name[n] for n in near(wanted, by_name)) if order < LISTED else {}
        details.append(shown(cell, {"hint": _hint(tuple(codes), register)}))
    return (distinct.rows_of("check.agency.unknown", "row", column, unknown, details),)


def _hint(codes: tuple[str, ...], register: AgencyRegister) -> Bilingual:
    if not codes:
        return Bilingual(*(text("check.agency.no_near", language) for language in LANGUAGES))
    lists = {
        language: "; ".join(
            c if register.name(c, language) == c else f"{register.name(c, language)} ({c})" for c in codes
        )
        for language in LANGUAGES
    }
    return Bilingual(*(text("check.agency.near", language, names=lists[language]) for language in LANGUAGES))


def _register_of(codes: set[str], named: Mapping[str, str]) -> AgencyRegister:
    agencies = (
        Agency(unicodedata.normalize("NFC", code), Bilingual(named.get(code) or code))
        for code in sorted(codes, key=natural_order)
    )
    return AgencyRegister(tuple(agencies))


def natural_order(code: str) -> tuple[tuple[int, float, str], ...]:
    """Sort key that puts "so_2" before "so_10"."""
    pieces = re.split(r"(\d+)", code)
    return tuple((0, as_number(p) or 0.0, "") if p.isdigit() else (1, 0.0, p) for p in pieces if p)
