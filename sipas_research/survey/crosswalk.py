"""Which agencies ended, began or changed, and when: the dated crosswalk between agencies.

Districts ended on 30/6/2025. Nothing is carried over: a district's results are never given to a commune. The
crosswalk only says which series end and which begin, and that two agencies may be compared where one is the
other under a new name.
"""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Literal, cast, get_args

import pandas as pd

from sipas_research import wording
from sipas_research.errors import AgencyError, Problem
from sipas_research.survey.agencies import AgencyRegister, iso_day
from sipas_research.survey.answers import as_number
from sipas_research.survey.register_rows import (
    FLAGS,
    Place,
    allowed_words,
    meaning,
    read_register_rows,
    sheet_column,
    word,
)
from sipas_research.survey.workbook import ColumnSpec, SheetRow, SheetSpec, fold, phrase, sheet_names
from sipas_research.wording import Bilingual

SuccessionKind = Literal["abolished", "merged", "split", "renamed", "created"]
KINDS: tuple[SuccessionKind, ...] = get_args(SuccessionKind)
_TOPIC = "crosswalk"
#: Cells that a kind of change must fill; what it does not name may be left empty.
_NEEDED = {
    "abolished": ("from_code",),
    "merged": ("from_code",),
    "split": ("from_code",),
    "renamed": ("from_code", "to_code"),
    "created": ("to_code",),
}
#: Shares typed with few decimals (three times 0.3334) still sum to one.
_SLACK = 0.005


@dataclass(frozen=True, slots=True)
class Succession:
    """One change of agencies.

    Attributes
    ----------
    from_code, to_code : str
        The agency that ends and one that follows it; ``to_code`` "" where the source lists none, ``from_code`` ""
        for an agency created anew.
    date : str
        First day of the new state, yyyy-mm-dd; the old agency's last day is the day before.
    share : float or None
        Part of the old agency, 0-1, that goes to ``to_code``; None where it is not known.
    """

    from_code: str
    to_code: str
    date: str
    kind: SuccessionKind
    share: float | None = None
    source: str = ""
    verified: bool = False


@dataclass(frozen=True, slots=True)
class AgencyBreak:
    """The series that end the day before ``date`` and those that begin on it; ``renamed`` go on under a new code."""

    date: str
    ended: tuple[str, ...]
    began: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """All known changes of a study's agencies. An empty crosswalk says that none is known."""

    rows: tuple[Succession, ...] = ()
    source: str = ""

    def successors(self, code: str, on: str | datetime.date) -> tuple[str, ...]:
        """Return the codes that have taken an agency's place by a date, later changes followed too.

        Returns
        -------
        tuple of str
            The code itself where nothing has happened by then; () where the agency ended and no successor
            is listed.

        Raises
        ------
        OptionError
            If ``on`` is no date, or a text that is not yyyy-mm-dd.
        """
        return tuple(dict.fromkeys(self._after(code, "", iso_day(on))))

    def predecessors(self, code: str, on: str | datetime.date) -> tuple[str, ...]:
        """Return the codes whose place an agency has taken since a date, earlier changes followed too.

        Returns
        -------
        tuple of str
            The code itself where nothing has happened since; () where the agency was created later.

        Raises
        ------
        OptionError
            If ``on`` is no date, or a text that is not yyyy-mm-dd.
        """
        return tuple(dict.fromkeys(self._before(code, "", iso_day(on))))

    def comparable(self, code_a: str, code_b: str) -> bool:
        """True if both codes are one agency: the same code, or a new name of it. Any other change ends a series."""
        return code_b in self._names_after(code_a) or code_a in self._names_after(code_b)

    def breaks(self) -> tuple[AgencyBreak, ...]:
        """Return what ended and what began, by date."""
        found = []
        for date in sorted({r.date for r in self.rows}):
            rows = [r for r in self.rows if r.date == date]
            changed = [r for r in rows if r.kind != "renamed"]
            ended = tuple(dict.fromkeys(r.from_code for r in changed if r.from_code))
            began = tuple(dict.fromkeys(r.to_code for r in changed if r.to_code))
            renamed = tuple((r.from_code, r.to_code) for r in rows if r.kind == "renamed")
            found.append(AgencyBreak(date, ended, began, renamed))
        return tuple(found)

    def tidy(self) -> pd.DataFrame:
        """One row a change, as in the file; ``share`` is NaN where it is not known."""
        table = pd.DataFrame([asdict(r) for r in self.rows], columns=[f.name for f in fields(Succession)])
        return table.astype({"share": float})

    def glance(self) -> pd.DataFrame:
        """One row: changes, dates, series ended and begun, agencies without a listed successor, verified rows."""
        breaks = self.breaks()
        row = {
            "n_rows": len(self.rows),
            "n_dates": len(breaks),
            "n_ended": sum(len(b.ended) for b in breaks),
            "n_began": sum(len(b.began) for b in breaks),
            "n_renamed": sum(len(b.renamed) for b in breaks),
            "n_without_successor": len(self._without_successor()),
            "n_verified": sum(r.verified for r in self.rows),
            "source": self.source,
        }
        return pd.DataFrame([row])

    def summary(self, language: str = "vi") -> str:
        """Return the breaks, what is not known, and the rule that nothing is carried over."""
        if not self.rows:
            return wording.text("crosswalk.summary.empty", language)
        lines = []
        for found in self.breaks():
            date = wording.date(datetime.date.fromisoformat(found.date), language)
            counts = {"ended": len(found.ended), "began": len(found.began), "renamed": len(found.renamed)}
            lines.append(wording.text("crosswalk.summary.break", language, date=date, **counts))
        unlisted, unverified = len(self._without_successor()), sum(not r.verified for r in self.rows)
        if unlisted:
            lines.append(wording.text("crosswalk.summary.unlisted", language, count=unlisted))
        if unverified:
            lines.append(wording.text("crosswalk.summary.unverified", language, count=unverified, total=len(self.rows)))
        return "\n".join([*lines, wording.text("crosswalk.summary.rule", language)])

    def _after(self, code: str, since: str, day: str) -> list[str]:
        rows = [r for r in self.rows if r.from_code == code and since < r.date <= day]
        if not rows:
            return [code]
        first = min(r.date for r in rows)
        return [c for r in rows if r.date == first and r.to_code for c in self._after(r.to_code, first, day)]

    def _before(self, code: str, until: str, day: str) -> list[str]:
        rows = [r for r in self.rows if r.to_code == code and day < r.date and (not until or r.date < until)]
        if not rows:
            return [code]
        last = max(r.date for r in rows)
        return [c for r in rows if r.date == last and r.from_code for c in self._before(r.from_code, last, day)]

    def _names_after(self, code: str) -> set[str]:
        known, new = {code}, {code}
        while new:
            new = {r.to_code for r in self.rows if r.kind == "renamed" and r.from_code in new} - known
            known |= new
        return known

    def _without_successor(self) -> set[str]:
        followed = {r.from_code for r in self.rows if r.to_code}
        return {r.from_code for r in self.rows if r.from_code} - followed


@cache
def _columns() -> tuple[ColumnSpec, ...]:
    return (
        sheet_column(_TOPIC, "from_code", 20, required=True),
        sheet_column(_TOPIC, "to_code", 20, required=True),
        sheet_column(_TOPIC, "date", 16, required=True),
        sheet_column(_TOPIC, "kind", 16, tuple(word(_TOPIC, kind) for kind in KINDS), required=True),
        sheet_column(_TOPIC, "share", 12),
        sheet_column(_TOPIC, "source", 50),
        sheet_column(_TOPIC, "verified", 14, tuple(word("agency", flag) for flag in FLAGS)),
    )


def crosswalk_sheet(crosswalk: Crosswalk | None = None) -> SheetSpec:
    """Return the sheet "Chuyển đổi đơn vị" for a workbook of agencies, with headers only where nothing is known."""
    rows: tuple[Mapping[str, object], ...] = tuple(
        {
            **asdict(row),
            "kind": word(_TOPIC, row.kind),
            "share": "" if row.share is None else repr(row.share).replace(".", ","),
            "verified": word("agency", "yes" if row.verified else "no"),
        }
        for row in (crosswalk.rows if crosswalk else ())
    )
    return SheetSpec(phrase("crosswalk.sheet.name").vi, _columns(), rows)


def has_crosswalk_sheet(path: Path) -> bool:
    """True if a workbook is there and has the sheet "Chuyển đổi đơn vị"; folders made earlier lack it."""
    wanted = fold(phrase("crosswalk.sheet.name").vi)
    return path.is_file() and any(fold(name) == wanted for name in sheet_names(path, error=AgencyError))


def read_crosswalk(path: Path, *, register: AgencyRegister | None = None) -> Crosswalk:
    """Read changes of agencies from an .xlsx file (sheet "Chuyển đổi đơn vị") or a .csv file in UTF-8.

    Columns: from_code, to_code, date and kind; share, source and verified may be left out. Headers and words may
    be Vietnamese or English, dates yyyy-mm-dd or dd/mm/yyyy, shares 0.5 or 0,5.

    Parameters
    ----------
    path : Path
    register : AgencyRegister, optional
        Codes that may be named, with the dates between which they exist; where it is empty, codes are not checked.

    Raises
    ------
    AgencyError
        If the file cannot be read, or with one Problem for each cell that breaks a rule.
    """
    path = Path(path)
    place, rows, problems = read_register_rows(path, _TOPIC, _columns())
    known = register if register is not None and register.agencies else None
    pairs = [(row, _succession(row, place, known, problems)) for row in rows]
    _check_together([(row, s) for row, s in pairs if s is not None], place, problems)
    if problems:
        raise AgencyError("crosswalk.files.invalid", problems=problems, file=path.name, n=len(problems))
    return Crosswalk(tuple(s for _, s in pairs if s is not None), path.name)


def _succession(
    row: SheetRow, place: Place, register: AgencyRegister | None, problems: list[Problem]
) -> Succession | None:
    before = len(problems)
    kind = meaning(_TOPIC, KINDS, row.get("kind")) if row.get("kind") else None
    needed = ("date", "kind", *_NEEDED.get(kind or "", ()))
    problems += [place.problem("agency.problem.required_empty", row, c) for c in needed if not row.get(c)]
    if row.get("kind") and kind is None:
        problems.append(place.problem("agency.problem.unknown_word", row, "kind", allowed=allowed_words(_TOPIC, KINDS)))
    if kind == "created" and row.get("from_code"):
        problems.append(place.problem("crosswalk.problem.created_from", row, "from_code"))
    date, verified = place.date(row, "date", problems), place.flag(row, "verified", problems)
    if row.get("from_code") and row.get("from_code") == row.get("to_code"):
        problems.append(place.problem("crosswalk.problem.itself", row, "to_code"))
    share = as_number(row.get("share"))
    if row.get("share") and (share is None or not 0.0 <= share <= 1.0):
        problems.append(place.problem("crosswalk.problem.share", row, "share"))
    if register is not None:
        problems += _against_register(row, date, place, register)
    if len(problems) > before:
        return None
    return Succession(
        row.get("from_code"),
        row.get("to_code"),
        date,
        cast(SuccessionKind, kind),
        share,
        row.get("source"),
        verified,
    )


def _against_register(row: SheetRow, date: str, place: Place, register: AgencyRegister) -> list[Problem]:
    """Codes must be in the register; the old agency's last day is before the change, the new one's first day is it."""
    problems = []
    for column in ("from_code", "to_code"):
        code = row.get(column)
        agency = register.get(code)
        if code and agency is None:
            listed = register.source or "–"
            problems.append(place.problem("crosswalk.problem.unknown_code", row, column, listed=listed))
        if agency is None or not date:
            continue
        if column == "from_code" and agency.valid_to and agency.valid_to >= date:
            day = _shown_day(agency.valid_to)
            problems.append(place.problem("crosswalk.problem.still_there", row, "date", code=code, day=day))
        if column == "to_code" and agency.valid_from and agency.valid_from != date:
            day = _shown_day(agency.valid_from)
            problems.append(place.problem("crosswalk.problem.other_start", row, "date", code=code, day=day))
    return problems


def _shown_day(date: str) -> Bilingual:
    day = datetime.date.fromisoformat(date)
    return Bilingual(*(wording.date(day, language) for language in wording.LANGUAGES))


def _check_together(pairs: Iterable[tuple[SheetRow, Succession]], place: Place, problems: list[Problem]) -> None:
    """Find what only several rows can get wrong: doubled rows, two ends, shares over one, a rename beside others."""
    rows = list(pairs)
    first: dict[tuple[str, str], int] = {}
    ends: dict[str, tuple[str, int]] = {}
    total: dict[str, float] = defaultdict(float)
    touched = Counter((s.date, code) for _, s in rows for code in {s.from_code, s.to_code} if code)
    for row, found in rows:
        pair = (found.from_code, found.to_code)
        if pair in first:
            problems.append(place.problem("crosswalk.problem.doubled", row, "to_code", first=str(first[pair])))
            continue
        first[pair] = row.number
        if found.kind == "renamed" and max(touched[found.date, code] for code in pair) > 1:
            problems.append(place.problem("crosswalk.problem.renamed_not_alone", row, "kind"))
        if not found.from_code:
            continue
        date, number = ends.setdefault(found.from_code, (found.date, row.number))
        if date != found.date:
            fields_ = {"code": found.from_code, "day": _shown_day(date), "first": str(number)}
            problems.append(place.problem("crosswalk.problem.ended_twice", row, "date", **fields_))
        earlier = total[found.from_code]
        total[found.from_code] += found.share or 0.0
        if earlier <= 1.0 + _SLACK < total[found.from_code]:
            sums = Bilingual(*(wording.number(total[found.from_code], 3, lang) for lang in wording.LANGUAGES))
            problems.append(place.problem("crosswalk.problem.shares", row, "share", code=found.from_code, total=sums))
