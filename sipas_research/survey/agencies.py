"""The register of agencies: who was rated. Dated, since districts ended on 30/6/2025."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from typing import Literal

from sipas_research.errors import OptionError
from sipas_research.wording import Bilingual

AgencyLevel = Literal["department", "district", "commune", "other"]


@dataclass(frozen=True, slots=True)
class Agency:
    """One agency: a stable code, its name, its level, the dates between which it exists, its other names."""

    code: str
    name: Bilingual
    level: AgencyLevel = "other"
    valid_from: str = ""
    valid_to: str = ""
    aliases: tuple[str, ...] = ()
    source: str = ""
    verified: bool = False

    def exists_on(self, date: str | datetime.date) -> bool:
        """True if the agency exists on a date; both its first and its last day count, an empty one is open.

        Raises
        ------
        OptionError
            If ``date`` is no date, or a text that is not yyyy-mm-dd.
        """
        day = iso_day(date)
        return (not self.valid_from or self.valid_from <= day) and (not self.valid_to or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class AgencyRegister:
    """All agencies of a study. An empty register accepts every code that the data hold.

    ``simulated`` says that the agencies do not exist: the file carries the mark in its column ``data_kind``.
    """

    agencies: tuple[Agency, ...] = ()
    source: str = ""
    simulated: bool = False

    def __contains__(self, code: object) -> bool:
        return any(a.code == code for a in self.agencies)

    def get(self, code: str) -> Agency | None:
        """Return the agency with this code, or None."""
        return next((a for a in self.agencies if a.code == code), None)

    def name(self, code: str, language: str) -> str:
        """Return the agency's name, or the code itself where the register does not hold it."""
        found = self.get(code)
        return found.name(language) if found else code

    def codes(self, level: AgencyLevel | None = None) -> tuple[str, ...]:
        """Codes in register order, of one level or all."""
        return tuple(a.code for a in self.agencies if level is None or a.level == level)

    def valid_on(self, date: str | datetime.date) -> AgencyRegister:
        """Return the agencies that exist on a date, in register order.

        Parameters
        ----------
        date : str or datetime.date
            A text is written yyyy-mm-dd.

        Raises
        ------
        OptionError
            If it is no such date.
        """
        day = iso_day(date)
        return replace(self, agencies=tuple(a for a in self.agencies if a.exists_on(day)))


def iso_day(date: str | datetime.date) -> str:
    """Return a date as yyyy-mm-dd, so that texts sort as dates do.

    Raises
    ------
    OptionError
        If it is no date, or a text that is not yyyy-mm-dd.
    """
    if isinstance(date, datetime.date):
        return date.strftime("%Y-%m-%d")
    try:
        return datetime.datetime.strptime(date, "%Y-%m-%d").date().isoformat()
    except (TypeError, ValueError) as reason:
        raise OptionError("crosswalk.error.date", value=str(date)) from reason
