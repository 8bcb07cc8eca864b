"""Many tests at once."""

from __future__ import annotations

import numpy as np

from sipas_research.numerics.correlation import Array


def holm(tails: Array) -> Array:
    """Return p-values adjusted for their number, step by step (Holm 1979, Scandinavian Journal of Statistics 6, 65-70).

    Parameters
    ----------
    tails : (k,) array
        p-values in [0, 1].
    """
    count = len(tails)
    order = np.argsort(tails, kind="stable")
    raised = np.maximum.accumulate(tails[order] * (count - np.arange(count)))
    result = np.empty(count)
    result[order] = np.minimum(raised, 1.0)
    return result
