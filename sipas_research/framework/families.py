"""Within what agencies may be compared: departments with departments, districts with districts, never across."""

from __future__ import annotations

import numpy as np

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.framework.group_estimates import GroupEstimates, group_estimates
from sipas_research.framework.index import SatisfactionIndex

UNDECLARED = "other"


def chosen_family(index: SatisfactionIndex, family: str | None) -> GroupEstimates:
    """Return the agencies of one declared family, in order of their codes, those that are not shown too.

    Parameters
    ----------
    index : SatisfactionIndex
        By agency.
    family : str or None
        None where the index holds one declared family only. "other" must be asked for: the register does not say
        that such agencies are alike.

    Raises
    ------
    OptionError
        If the index is not by agency, ``family`` is no family of it, or it holds several and none is chosen.
    AnalysisError
        If the family has fewer than two agencies with answers.
    """
    if index.by != "agency":
        raise OptionError("ranks.error.not_agencies", by=index.by or "–")
    known = tuple(dict.fromkeys(index.estimation.families))
    if family is None:
        if len(known) != 1 or known[0] == UNDECLARED:
            raise OptionError("ranks.error.family_needed", known=", ".join(known) or "–")
        family = known[0]
    if not isinstance(family, str) or family not in known:
        raise OptionError("ranks.error.family", value=str(family), known=", ".join(known) or "–")
    found = index.estimation.family(family)
    if len(found.labels) < 2:
        raise AnalysisError("ranks.error.too_few", n=len(found.labels))
    order = sorted(range(len(found.labels)), key=lambda place: found.labels[place])
    return reordered(found, order)


def reordered(groups: GroupEstimates, order: list[int]) -> GroupEstimates:
    """Return the groups in another order."""
    return group_estimates(
        tuple(groups.labels[k] for k in order),
        groups.estimates[order],
        groups.covariance[order][:, order],
        groups.degrees_of_freedom[order],
        groups.n[order],
        groups.effective[order],
        families=tuple(groups.families[k] for k in order),
        shown=groups.shown[order],
    )


def checked_seed(seed: int) -> int:
    """Return a random seed; refuse what is no whole number or is negative.

    Raises
    ------
    OptionError
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise OptionError("ranks.error.seed", value=str(seed))
    return int(seed)
