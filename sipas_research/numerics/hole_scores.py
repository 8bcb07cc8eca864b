"""Casewise scores of incomplete rows: the derivative of each row's log-likelihood by means and covariances."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sipas_research.numerics.correlation import Array
from sipas_research.numerics.hole_likelihood import hole_weights, lower
from sipas_research.numerics.hole_patterns import Index

#: Numbers in the largest array of row by row weights.
_BATCH = 1 << 20


def hole_scores(
    values: Array, there: NDArray[np.bool_], code: Index, mean: Array, cov: Array
) -> Iterator[tuple[Index, Array]]:
    """Yield numbers of rows and their (k, m) scores by (mu, vech Sigma), in no particular order; every row once.

    With z = V (x - mu) the score by mu is z, that by a covariance (zz' - V)_ij, half of it for a variance
    (Yuan & Bentler 2000, Sociological Methodology 30, 165-200).

    Parameters
    ----------
    values : (n, p) array
        NaN where a value is missing.
    there, code : (P, p) and (n,) arrays
        Patterns and the pattern of each row, from :func:`.hole_patterns.hole_codes`.
    mean, cov : (p,) and (p, p) arrays
    """
    rows, columns = lower(len(mean))
    half = np.where(rows == columns, 0.5, 1.0)
    order = np.argsort(code, kind="stable")
    counts = np.bincount(code, minlength=len(there))
    starts = np.concatenate([[0], np.cumsum(counts)])
    step = max(_BATCH // len(mean) ** 2, 16)
    for numbers, weights in hole_weights(there, cov):
        members = np.repeat(np.arange(len(numbers)), counts[numbers])
        places = np.concatenate([order[starts[k] : starts[k + 1]] for k in numbers])
        for start in range(0, len(places), step):
            within = places[start : start + step]
            weight = weights[members[start : start + step]]
            away = values[within] - mean
            away[np.isnan(away)] = 0.0
            pulled = np.matmul(weight, away[:, :, None])[:, :, 0]
            turned = half * (pulled[:, rows] * pulled[:, columns] - weight[:, rows, columns])
            yield within, np.concatenate([pulled, turned], axis=1)
