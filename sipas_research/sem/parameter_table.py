"""The parameter table: one row a parameter and group; the currency between syntax, estimation and answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from sipas_research.sem.syntax import Constraint, ModelSyntax

#: ``free`` of a row that is not estimated.
FIXED = -1


class Row(NamedTuple):
    """One parameter of one group.

    Attributes
    ----------
    lhs, op, rhs : str
        As in the syntax; ``rhs`` is "" for "~1".
    group : int
        Position of the group, from 0.
    free : int
        Index of the free parameter, shared by rows that are equal; ``FIXED`` where nothing is estimated.
    value : float
        Value of a fixed parameter; start of a free one (NaN: none given).
    label : str
        The user's label.
    exogenous : bool
        Taken from the sample: variances, covariances and means of observed predictors. Of an ordered item: a residual
        variance that follows from its scale.
    written : bool
        Whether the row stands in the syntax; the others are added by rule.
    """

    lhs: str
    op: str
    rhs: str
    group: int
    free: int
    value: float
    label: str
    exogenous: bool
    written: bool


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ParameterTable:
    """A model as rows; frozen.

    Attributes
    ----------
    rows : tuple of Row
        Group by group; in each the written ones first, in the order written.
    observed, latents : tuple of str
        Variables of the model; indicators first among the observed.
    predictors : tuple of str
        Observed variables whose moments are taken from the sample (fixed.x).
    groups : tuple of str
        Labels; one "" without groups.
    constraints : tuple of Constraint
        "==", "<" and ">" between labels.
    definitions : tuple of Constraint
        ":=".
    size : int
        Number of free parameters before "==" constraints.
    with_means : bool
        Whether means are modelled.
    syntax : ModelSyntax
    sources : tuple of str
        Observed variables that only explain others; the same as ``predictors`` where fixed.x holds.
    """

    rows: tuple[Row, ...]
    observed: tuple[str, ...]
    latents: tuple[str, ...]
    predictors: tuple[str, ...]
    groups: tuple[str, ...]
    constraints: tuple[Constraint, ...]
    definitions: tuple[Constraint, ...]
    size: int
    with_means: bool
    syntax: ModelSyntax
    sources: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return self.summary("vi")

    def labelled(self) -> dict[str, int | float]:
        """Return each label with the index of its free parameter, or with its value where it is fixed."""
        found: dict[str, int | float] = {}
        for row in self.rows:
            if row.label and row.label not in found:
                found[row.label] = row.free if row.free != FIXED else float(row.value)
        return found

    def names(self) -> tuple[str, ...]:
        """Return a name for each free parameter: its label, else lhs-op-rhs with the group where there are several."""
        names = [""] * self.size
        for row in self.rows:
            if row.free != FIXED and not names[row.free]:
                where = f" [{self.groups[row.group]}]" if len(self.groups) > 1 else ""
                names[row.free] = row.label or f"{row.lhs}{row.op}{row.rhs}{where}"
        return tuple(names)

    def tidy(self) -> pd.DataFrame:
        """Return one row a parameter: lhs, op, rhs, group, label, free (1, 2, ...; 0 fixed), value, note.

        ``note``: "fixed", "exogenous", or "follows" for a residual variance that a scale settles.
        """
        rows = self.rows
        return pd.DataFrame(
            {
                "lhs": [row.lhs for row in rows],
                "op": [row.op for row in rows],
                "rhs": [row.rhs for row in rows],
                "group": [self.groups[row.group] for row in rows],
                "label": [row.label for row in rows],
                "free": [row.free + 1 for row in rows],
                "value": [row.value for row in rows],
                "note": [_note(row, self.predictors) for row in rows],
            }
        )

    def summary(self, language: str = "vi") -> str:
        """Explain the model in sentences: what is measured by what, what is fixed, what was added by rule."""
        from sipas_research.sem.table_summary import table_summary

        return table_summary(self, language)


def _note(row: Row, predictors: tuple[str, ...]) -> str:
    if row.free != FIXED:
        return ""
    return "fixed" if not row.exogenous else "exogenous" if row.lhs in predictors else "follows"
