"""From incomplete rows of ordered answers to the sample of a group: every pair of items by the rows that hold both."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sipas_research.numerics.correlation import read_only
from sipas_research.sem.missing import require_together, require_variation
from sipas_research.sem.moments import GroupRows, GroupSample


def fewest_together(sample: GroupSample) -> int:
    """Return how many rows hold the two variables that fewest rows hold together."""
    blocks = () if sample.rows is None else sample.rows()
    there = [np.logical_not(np.isnan(np.asarray(block, dtype=float))).astype(np.intp) for block in blocks]
    return int(sum(held.T @ held for held in there).min()) if there else sample.n


def sample_of_pairs(given: GroupRows) -> GroupSample:
    """Return the sample of rows of which some are incomplete; ordered answers take their statistics from the rows.

    Returns
    -------
    GroupSample
        ``cov`` and ``mean`` are those of the rows that hold both variables; ``rows`` yields blocks with NaN.

    Raises
    ------
    AnalysisError
        If a variable is never there, or two variables are never there together (ConstantItemError: does not vary).
    """
    values, weights = given.values, given.weights
    there = np.logical_not(np.isnan(values))
    require_together(there, given)
    require_variation(given)
    counted = there.astype(np.float64) if weights is None else there * weights[:, None]
    mean = (counted * np.where(there, values, 0.0)).sum(axis=0) / counted.sum(axis=0)
    centred = np.where(there, values - mean, 0.0)
    held = counted.T @ there
    cov = (counted * centred).T @ centred / np.where(held > 0, held, 1.0)
    return replace(given, values=read_only(values)).sample(read_only(cov), read_only(mean))
