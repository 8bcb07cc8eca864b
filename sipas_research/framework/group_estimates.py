"""Estimates of several groups with their covariance: what ranks, classes and tests of differences start from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sipas_research.survey.responses import Responses


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class GroupEstimates:
    """One estimate a group, on the estimate's own scale; arrays are not writeable.

    Attributes
    ----------
    labels : tuple of str
        Groups with at least one answer, in the order of the register or questionnaire.
    estimates, degrees_of_freedom, n, effective : (groups,) arrays
        ``n`` counts people who answered, ``effective`` is Kish's effective number of them.
    covariance : (groups, groups) array
    families : tuple of str
        What a group may be compared within: the level of an agency ("department", "district", ...), else the name
        of the fact.
    shown : (groups,) array of bool
        False where the group's figures must not be printed. Such groups stay in every computation.
    """

    labels: tuple[str, ...]
    estimates: np.ndarray
    covariance: np.ndarray
    degrees_of_freedom: np.ndarray
    n: np.ndarray
    effective: np.ndarray
    families: tuple[str, ...]
    shown: np.ndarray

    def __repr__(self) -> str:
        # never a number: some of them may not be printed
        return f"GroupEstimates({len(self.labels)} groups, {int((~self.shown).sum())} not shown)"

    def only(self, keep: np.ndarray) -> GroupEstimates:
        """Return the groups where ``keep`` is True, in the same order."""
        picked = np.flatnonzero(np.asarray(keep, dtype=bool))
        arrays = (self.estimates, self.degrees_of_freedom, self.n, self.effective, self.shown)
        estimates, freedom, n, effective, shown = (a[picked] for a in arrays)
        return group_estimates(
            tuple(self.labels[k] for k in picked),
            estimates,
            self.covariance[np.ix_(picked, picked)],
            freedom,
            n,
            effective,
            families=tuple(self.families[k] for k in picked),
            shown=shown,
        )

    def family(self, name: str) -> GroupEstimates:
        """Return the groups of one family."""
        return self.only(np.array([f == name for f in self.families], dtype=bool))


def group_estimates(
    labels: tuple[str, ...],
    estimates: np.ndarray,
    covariance: np.ndarray,
    degrees_of_freedom: np.ndarray,
    n: np.ndarray,
    effective: np.ndarray,
    *,
    families: tuple[str, ...],
    shown: np.ndarray,
) -> GroupEstimates:
    """Return estimates whose arrays are copies that nobody can write to."""
    values, matrix, freedom, people, sizes = (
        np.array(a, dtype=float) for a in (estimates, covariance, degrees_of_freedom, n, effective)
    )
    seen = np.array(shown, dtype=bool)
    for array in (values, matrix, freedom, people, sizes, seen):
        array.setflags(write=False)
    return GroupEstimates(labels, values, matrix, freedom, people, sizes, families, seen)


def families_of(responses: Responses, by: str, labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return each group's family: agencies are compared within their level of the register, never across."""
    if by != "agency":
        return (by,) * len(labels)
    level_of: dict[str, str] = {a.code: a.level for a in responses.agencies.agencies}
    return tuple(level_of.get(label, "other") for label in labels)
