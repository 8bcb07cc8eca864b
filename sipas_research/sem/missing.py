"""From incomplete rows to the sample of a group: patterns, and the moments that make the rows most likely."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sipas_research.errors import AnalysisError, ConstantItemError, ConvergenceWarning, SingularMatrixError
from sipas_research.numerics.correlation import read_only
from sipas_research.numerics.em_moments import SaturatedMoments, saturated_moments
from sipas_research.numerics.hole_patterns import hole_codes, patterns_of
from sipas_research.sem.holes import Holes
from sipas_research.sem.moments import SINGULAR, GroupRows, GroupSample

#: A search that does not settle ends at a singular matrix where the least eigenvalue of the correlations is below this.
_VANISHING = 1e-4


def sample_with_holes(given: GroupRows) -> GroupSample:
    """Return the sample of rows of which some are incomplete; every row holds at least one value.

    Returns
    -------
    GroupSample
        ``cov`` and ``mean`` are the maximum-likelihood moments of the rows; ``rows`` yields blocks with NaN.

    Raises
    ------
    AnalysisError
        If a variable is never there, or two variables are never there together (ConstantItemError: does not vary;
        SingularMatrixError: follows from others).

    Warns
    -----
    ConvergenceWarning
        If the moments are not determined well enough to be found.
    """
    there, code = hole_codes(given.values)
    require_together(there, given)
    require_variation(given)
    patterns = patterns_of(given.values, given.weights)
    found = saturated_moments(patterns)
    if found is None or _singular(found):
        raise SingularMatrixError("sem_missing.error.singular", group=given.where)
    if not found.converged:
        warnings.warn(ConvergenceWarning("sem_missing.warning.moments", group=given.where), stacklevel=6)
    rows = replace(given, values=read_only(given.values))
    held = Holes(
        rows.values, there, code, patterns, found.mean, found.cov, found.value, given.label, given.weights,
        given.clusters,
    )  # fmt: skip
    return rows.sample(found.cov, found.mean, held)


def require_together(there: NDArray[np.bool_], given: GroupRows) -> None:
    """Raise AnalysisError where the rows say nothing about a variable, or about two variables together.

    ``there`` is an (n, p) array of which values a row holds.
    """
    names, where = given.names, given.where
    counts = there.T.astype(np.float64) @ there
    empty = [name for name, count in zip(names, np.diag(counts), strict=True) if not count]
    if empty:
        raise AnalysisError("sem_missing.error.never", items=", ".join(empty), group=where)
    apart = [f"{names[i]} - {names[j]}" for i, j in np.argwhere(np.triu(counts == 0)).tolist()]
    if apart:
        raise AnalysisError("sem_missing.error.apart", pairs="; ".join(apart[:5]), count=len(apart), group=where)


def require_variation(given: GroupRows) -> None:
    """Raise ConstantItemError where a variable of rows with holes does not vary."""
    low, high = np.nanmin(given.values, axis=0), np.nanmax(given.values, axis=0)
    constant = [name for name, one, other in zip(given.names, low, high, strict=True) if not other > one]
    if constant:
        raise ConstantItemError("sem.error.constant", items=", ".join(constant), group=given.where)


def _singular(found: SaturatedMoments) -> bool:
    spread = np.sqrt(np.diag(found.cov))
    least = float(np.linalg.eigvalsh(found.cov / spread / spread[:, None])[0])
    return not least > (SINGULAR if found.converged else _VANISHING)
