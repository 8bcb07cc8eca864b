"""From incomplete rows of ordered answers to the sample of a group: every pair of items by the rows that hold both."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sipas_research.numerics.correlation import Array, read_only
from sipas_research.sem.missing import require_together, require_variation
from sipas_research.sem.moments import GroupSample, blocks_of


def fewest_together(sample: GroupSample) -> int:
    """Return how many rows hold the two variables that fewest rows hold together."""
    blocks = () if sample.rows is None else sample.rows()
    there = [np.logical_not(np.isnan(np.asarray(block, dtype=float))).astype(np.intp) for block in blocks]
    return int(sum(held.T @ held for held in there).min()) if there else sample.n


def sample_of_pairs(
    values: Array,
    names: Sequence[str],
    label: str = "",
    index: pd.Index | None = None,
    positions: NDArray[np.intp] | None = None,
    *,
    weights: Array | None = None,
    clusters: NDArray[np.intp] | None = None,
) -> GroupSample:
    """Return the sample of rows of which some are incomplete; ordered answers take their statistics from the rows.

    Parameters
    ----------
    values : (n, p) array
        NaN where a value is missing; every row holds at least one.
    names, label, index, positions, weights, clusters
        As in :func:`.moments.sample_of_rows`.

    Returns
    -------
    GroupSample
        ``cov`` and ``mean`` are those of the rows that hold both variables; ``rows`` yields blocks with NaN.

    Raises
    ------
    AnalysisError
        If a variable is never there, or two variables are never there together (ConstantItemError: does not vary).
    """
    where = f" [{label}]" if label else ""
    there = np.logical_not(np.isnan(values))
    require_together(there, names, where)
    require_variation(values, names, where)
    counted = there.astype(np.float64) if weights is None else there * weights[:, None]
    filled = np.where(there, values, 0.0)
    mean = (counted * filled).sum(axis=0) / counted.sum(axis=0)
    centred = np.where(there, values - mean, 0.0)
    held = counted.T @ there
    cov = (counted * centred).T @ centred / np.where(held > 0, held, 1.0)
    rows = read_only(values)
    return GroupSample(
        label, tuple(names), read_only(cov), read_only(mean), len(rows), blocks_of(rows), index, positions, weights,
        clusters,
    )  # fmt: skip
