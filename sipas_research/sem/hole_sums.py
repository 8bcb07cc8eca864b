"""The pass over incomplete rows for robust standard errors."""

from __future__ import annotations

import numpy as np

from sipas_research.sem.casewise import LikelihoodScores
from sipas_research.sem.clusters import Clusters, ScoreSums
from sipas_research.sem.derivatives import moment_slopes_of
from sipas_research.sem.fourth_moments import FourthMoments
from sipas_research.sem.holes import Holes
from sipas_research.sem.implied import Implied

_NAN = float("nan")
#: Fourth moments of incomplete rows are part of :mod:`.missing_tests`.
_UNKNOWN = FourthMoments(_NAN, _NAN, np.zeros(0), np.zeros(0), _NAN, _NAN)


def hole_score_sums(at: Implied, holes: Holes, clusters: Clusters | None) -> LikelihoodScores:
    """Go over incomplete rows for MLR: products of their scores by a group's parameters."""
    sums = hole_sums(at, holes, clusters)
    return LikelihoodScores(sums.products() / holes.rows, _UNKNOWN, sums.totals)


def hole_sums(at: Implied, holes: Holes, clusters: Clusters | None) -> ScoreSums:
    """Return sums of the scores by a group's parameters at the implied moments."""
    slopes = moment_slopes_of(at)
    sums = ScoreSums(slopes.shape[1], clusters)
    for scores, weights, codes in holes.scores(at.mean, at.cov):
        sums.add(slopes.T @ scores, weights, codes)
    return sums
