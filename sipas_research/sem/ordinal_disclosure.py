"""Which numbers of a model of checked ordered answers would tell what fewer than ten people answered.

Without predictors a threshold is the normal quantile of a cumulative share: with the number of rows it gives the
people below it, and two of them the people between. Predictors, scales and equalities blur that, but not by much, so
the same rule holds for all models. The fit itself knows nothing of it: estimates, tests and measures stay as they are,
and what must not be shown is taken out where answers leave it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sipas_research.numerics.correlation import Array
from sipas_research.numerics.disclosure import hidden_cuts
from sipas_research.sem.moments import GroupSample
from sipas_research.sem.ordinal_gather import rows_of
from sipas_research.sem.parameter_table import FIXED, ParameterTable, Row
from sipas_research.sem.terms import Constraint

if TYPE_CHECKING:
    from sipas_research.sem.ordinal_result import OrdinalFit

Mask = NDArray[np.bool_]

#: Note of a number that is not shown because fewer than ten people stand behind it.
NOTE_FEW = "few_people"
_NUMBERS = (
    "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high", "std_lv", "std_all",
)  # fmt: skip
_NAN = float("nan")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Withheld:
    """What is not shown of a fit.

    Attributes
    ----------
    cuts : (t,) array of bool
        Thresholds among the statistics of a group; the same in all groups.
    rows, definitions : (r,) and (d,) arrays of bool
        Rows and definitions of the table.
    names : frozenset of str
        Labels and definitions behind them.
    items : frozenset of str
        Items of which a threshold is not shown.
    means : frozenset of str
        Variables whose implied mean is not shown: it holds an intercept that is withheld.
    single : (q,) array of bool
        Free parameters that stand for the answers to one item. A covariance with one tells how many people gave two
        answers together, and cells of two items are nearly always small.
    """

    cuts: Mask
    rows: Mask
    definitions: Mask
    names: frozenset[str]
    items: frozenset[str]
    means: frozenset[str]
    single: Mask

    @property
    def both(self) -> Mask:
        """Rows, then definitions."""
        return np.concatenate([self.rows, self.definitions])

    def touches(self, constraint: Constraint) -> bool:
        """Return whether a constraint speaks of something withheld."""
        return bool(self.names & {*constraint.left.names, *constraint.right.names})

    def without(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a table of rows and definitions without the numbers that are withheld."""
        hidden = self.both
        if not hidden.any():
            return frame
        kept = {name: np.where(hidden, _NAN, frame[name]) for name in _NUMBERS if name in frame}
        notes = pd.Series(np.where(hidden, NOTE_FEW, frame["note"]), index=frame.index, dtype=frame["note"].dtype)
        return frame.assign(**kept, note=notes)

    def without_covariances(self, frame: pd.DataFrame, free: Sequence[int]) -> pd.DataFrame:
        """Return the covariance matrix of the estimates without what tells of two answers; ``free`` as in the table."""
        hidden = np.zeros(len(frame), dtype=bool)
        hidden[[place for place, gone in zip(free, self.rows, strict=True) if gone and place != FIXED]] = True
        values = frame.to_numpy(copy=True)
        kept = np.where(hidden, _NAN, np.diag(values))
        values[self.single | hidden] = _NAN
        values[:, self.single | hidden] = _NAN
        np.fill_diagonal(values, kept)
        return pd.DataFrame(values, index=frame.index, columns=frame.columns)


def withheld_of(fit: OrdinalFit) -> Withheld | None:
    """Return what is not shown of a fit; None where its data are not checked answers of people."""
    if not fit.sample.checked:
        return None
    shape, table = fit.problem.samples[0].shape, fit.table
    rows = [rows_of(group) for group in fit.samples]
    hidden = {shape.names[k]: _hidden(shape.names[k], fit.samples, rows) for k in shape.ordered}
    tied = frozenset(
        item for item, cuts in hidden.items()
        if cuts.any() and _is_tied(item, table, {n for c in table.constraints for n in _base(c, table)})
    )  # fmt: skip
    marked, names = _closed(np.array([_is_hidden(row, hidden, tied) for row in table.rows]), table)
    gone: set[str] = set(names)
    for definition in table.definitions:
        if gone & set(definition.right.names):
            gone.add(definition.name)
    few = {(row.lhs, row.op, row.rhs) for row, hide in zip(table.rows, marked, strict=True) if hide}
    means = tied | {lhs for lhs, op, _ in few if op == "~1"}
    cuts = [
        shape.names[of] in means
        or (rank > 0 and (bool(hidden[shape.names[of]][rank - 1]) or (shape.names[of], "|", f"t{rank}") in few))
        for of, rank in zip(shape.cut_of.tolist(), shape.cut_rank.tolist(), strict=True)
    ]
    single = np.zeros(table.size, dtype=bool)
    single[[row.free for row in table.rows if row.free != FIXED and row.lhs in hidden and row.op in ("|", "~1")]] = True
    return Withheld(
        np.array(cuts, dtype=bool), marked, np.array([d.name in gone for d in table.definitions], dtype=bool),
        frozenset(gone), frozenset(item for item, each in hidden.items() if each.any()), frozenset(means), single,
    )  # fmt: skip


def _hidden(item: str, samples: Sequence[GroupSample], rows: Sequence[Array]) -> Mask:
    """Return which thresholds of an item are hidden; every group has all of its answers."""
    found = [values[:, sample.names.index(item)] for sample, values in zip(samples, rows, strict=True)]
    given = [answers[~np.isnan(answers)] for answers in found]
    return np.asarray(hidden_cuts([np.unique(answers, return_counts=True)[1] for answers in given]))


def _is_hidden(row: Row, hidden: Mapping[str, Mask], tied: frozenset[str]) -> bool:
    if row.free == FIXED or row.lhs not in hidden:
        return False
    if row.op == "|":
        return row.lhs in tied or bool(hidden[row.lhs][int(row.rhs[1:]) - 1])
    return row.lhs in tied and (row.op in ("~1", "~*~") or (row.op == "~~" and row.rhs == row.lhs))


def _is_tied(item: str, table: ParameterTable, constrained: set[str]) -> bool:
    """Return whether thresholds of an item say something of each other, or share their say with other parameters.

    Where they are held equal, fixed or constrained one that is shown would tell of another: thresholds, intercept and
    scale of the item are then all withheld.
    """
    count = Counter(row.free for row in table.rows)
    for row in table.rows:
        if row.lhs != item:
            continue
        if row.op == "|" and (row.free == FIXED or count[row.free] > 1 or row.label in constrained):
            return True
        if row.free != FIXED and (row.op in ("~1", "~*~") or (row.op == "~~" and row.rhs == item)):
            return True
    return False


def _closed(marked: Mask, table: ParameterTable) -> tuple[Mask, set[str]]:
    """Return all rows whose value follows from a marked one, and their labels."""
    links = [_base(constraint, table) for constraint in table.constraints]
    names: set[str] = set()
    while True:
        free = {row.free for row, gone in zip(table.rows, marked, strict=True) if gone}
        names |= {row.label for row in table.rows if row.label and row.free != FIXED and row.free in free}
        for link in links:
            names |= link if link & names else set()
        again = np.array(
            [row.free != FIXED and (row.free in free or row.label in names) for row in table.rows], dtype=bool
        )
        if np.array_equal(again, marked):
            return marked, names
        marked = again


def _base(constraint: Constraint, table: ParameterTable) -> set[str]:
    """Return the labels that a constraint rests on, definitions followed back to theirs."""
    made = {each.name: each.right.names for each in table.definitions}
    found: set[str] = set()
    left: list[Iterable[str]] = [constraint.left.names, constraint.right.names]
    while left:
        for name in left.pop():
            if name in made:
                left.append(made[name])
            else:
                found.add(name)
    return found
