"""From incomplete rows to the sample of a group: patterns, and the moments that make the rows most likely."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sipas_research.errors import AnalysisError, ConstantItemError, ConvergenceWarning, SingularMatrixError
from sipas_research.numerics.correlation import Array, read_only
from sipas_research.numerics.em_moments import SaturatedMoments, saturated_moments
from sipas_research.numerics.hole_patterns import hole_codes, patterns_of
from sipas_research.sem.holes import Holes
from sipas_research.sem.moments import SINGULAR, GroupSample, blocks_of

#: A search that does not settle ends at a singular matrix where the least eigenvalue of the correlations is below this.
_VANISHING = 1e-4


def sample_with_holes(
    values: Array,
    names: Sequence[str],
    label: str = "",
    index: pd.Index | None = None,
    positions: NDArray[np.intp] | None = None,
    *,
    weights: Array | None = None,
    clusters: NDArray[np.intp] | None = None,
) -> GroupSample:
    """Return the sample of rows of which some are incomplete.

    Parameters
    ----------
    values : (n, p) array
        NaN where a value is missing; every row holds at least one.
    names, label, index, positions, weights, clusters
        As in :func:`.moments.sample_of_rows`.

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
    where = f" [{label}]" if label else ""
    there, code = hole_codes(values)
    require_together(there, names, where)
    require_variation(values, names, where)
    patterns = patterns_of(values, weights)
    found = saturated_moments(patterns)
    if found is None or _singular(found):
        raise SingularMatrixError("sem_missing.error.singular", group=where)
    if not found.converged:
        warnings.warn(ConvergenceWarning("sem_missing.warning.moments", group=where), stacklevel=6)
    rows = read_only(values)
    held = Holes(rows, there, code, patterns, found.mean, found.cov, found.value, label, weights, clusters)
    return GroupSample(
        label, tuple(names), found.cov, found.mean, len(rows), blocks_of(rows), index, positions, weights, clusters,
        held,
    )  # fmt: skip


def require_together(there: NDArray[np.bool_], names: Sequence[str], where: str) -> None:
    """Raise AnalysisError where the rows say nothing about a variable, or about two variables together.

    ``there`` is an (n, p) array of which values a row holds; ``where`` names the group in the message.
    """
    counts = there.T.astype(np.float64) @ there
    empty = [name for name, count in zip(names, np.diag(counts), strict=True) if not count]
    if empty:
        raise AnalysisError("sem_missing.error.never", items=", ".join(empty), group=where)
    apart = [f"{names[i]} - {names[j]}" for i, j in np.argwhere(np.triu(counts == 0)).tolist()]
    if apart:
        raise AnalysisError("sem_missing.error.apart", pairs="; ".join(apart[:5]), count=len(apart), group=where)


def require_variation(values: Array, names: Sequence[str], where: str) -> None:
    """Raise ConstantItemError where a variable of (n, p) values with holes does not vary."""
    low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
    constant = [name for name, one, other in zip(names, low, high, strict=True) if not other > one]
    if constant:
        raise ConstantItemError("sem.error.constant", items=", ".join(constant), group=where)


def _singular(found: SaturatedMoments) -> bool:
    spread = np.sqrt(np.diag(found.cov))
    least = float(np.linalg.eigvalsh(found.cov / spread / spread[:, None])[0])
    return not least > (SINGULAR if found.converged else _VANISHING)
