"""How classes hold from one year to the next, within one way of measuring."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from itertools import pairwise
from typing import Literal

import pandas as pd

from sipas_research import wording
from sipas_research.errors import OptionError
from sipas_research.evidence.series import SIPAS_BREAKS
from sipas_research.framework.class_result import Classification
from sipas_research.results import DataKind, weakest

Move = Literal["kept", "moved", "open"]
BREAK_YEARS: tuple[int, ...] = tuple(b.year for b in SIPAS_BREAKS)


@dataclass(frozen=True, slots=True)
class MoveRow:
    """One agency between two years: its class in each ("" where it had none), and whether it moved."""

    group: str
    first_year: int
    second_year: int
    first_band: str
    second_band: str
    move: Move


@dataclass(frozen=True, slots=True)
class ClassStability:
    """Moves between successive years; ``skipped`` are pairs of years that a break of the method lies between."""

    rows: tuple[MoveRow, ...]
    skipped: tuple[tuple[int, int], ...]
    family: str
    data_kind: DataKind

    def tidy(self) -> pd.DataFrame:
        """One row an agency and pair of years."""
        table = pd.DataFrame([astuple(r) for r in self.rows], columns=[f.name for f in fields(MoveRow)])
        table.insert(0, "term", "class_move")
        return table

    def glance(self) -> pd.DataFrame:
        """One row: moves by kind; ``share_kept`` of the agencies that had a class in both years (NaN if none)."""
        counts = {m: sum(r.move == m for r in self.rows) for m in ("kept", "moved", "open")}
        both = counts["kept"] + counts["moved"]
        share = counts["kept"] / both if both else float("nan")
        row = {"family": self.family, "n": len(self.rows), **{f"n_{m}": n for m, n in counts.items()}}
        return pd.DataFrame([row | {"share_kept": share, "data_kind": self.data_kind.value}])

    def summary(self, language: str = "vi") -> str:
        """Return how many classes held, moved or are open, and which years cannot be compared."""
        row = self.glance().iloc[0]
        fields_ = {"kept": int(row["n_kept"]), "moved": int(row["n_moved"]), "open": int(row["n_open"])}
        lines = [wording.text("classes.stability.line", language, **fields_)]
        for first, second in self.skipped:
            lines.append(wording.text("classes.stability.skipped", language, first=str(first), second=str(second)))
        return "\n".join([*lines, wording.text(f"common.kind.{self.data_kind.value}", language)])


def class_stability(found: Mapping[int, Classification], *, breaks: Iterable[int] = BREAK_YEARS) -> ClassStability:
    """Compare the classes of successive years.

    Parameters
    ----------
    found : mapping of a year to its classification
        Of one family, with the same cuts and definition.
    breaks : iterable of int
        First years of a new method; no two years on both sides of one are compared.

    Raises
    ------
    OptionError
        If there are fewer than two years, or they differ in family, cuts, rule or definition.
    """
    years = sorted(found)
    signs = {(c.family, c.bands.cuts, c.rule, c.definition) for c in found.values()}
    if len(years) < 2 or len(signs) > 1:
        raise OptionError("classes.error.years", years=", ".join(map(str, years)))
    starts = tuple(breaks)
    rows: list[MoveRow] = []
    skipped = []
    for first, second in pairwise(years):
        if any(first < start <= second for start in starts):
            skipped.append((first, second))
            continue
        after = {r.group: r for r in found[second].rows}
        for row in found[first].rows:
            if row.group not in after:
                continue
            bands = (row.band, after[row.group].band)
            move: Move = "open" if not all(bands) else "kept" if bands[0] == bands[1] else "moved"
            rows.append(MoveRow(row.group, first, second, *bands, move))
    kind = weakest(c.data_kind for c in found.values())
    return ClassStability(tuple(rows), tuple(skipped), found[years[0]].family, kind)
