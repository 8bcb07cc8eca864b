"""From estimates and standard errors to tests and intervals: against the normal distribution, or Student's t."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from sipas_research.errors import OptionError
from sipas_research.numerics.correlation import Array

if TYPE_CHECKING:
    from sipas_research.sem.result import SemFit

Reference = Literal["z", "t"]
REFERENCES = ("z", "t")


def reference_degrees(fit: SemFit, reference: str) -> float | None:
    """Return the degrees of freedom of the reference distribution: None for the normal one, clusters less one for t.

    With few clusters the errors themselves are uncertain, and tests against the normal distribution reject too often
    (Cameron & Miller 2015, Journal of Human Resources 50, 317-372).

    Raises
    ------
    OptionError
        If the reference is unknown, or t is asked of a fit without clusters.
    """
    if reference not in REFERENCES:
        allowed = ", ".join(REFERENCES)
        raise OptionError("sem_design.error.reference", received=repr(reference), allowed=allowed)
    if reference == "z":
        return None
    if not fit.sample.n_clusters:
        raise OptionError("sem_design.error.t_without_clusters")
    return float(fit.sample.n_clusters - 1)


def inference(estimates: Array, errors: Array, level: float, degrees: float | None = None) -> dict[str, Array]:
    """Return estimate, error, statistic, two-sided p-value and interval; no test of fixed ones.

    Parameters
    ----------
    estimates, errors : (r,) arrays
    level : float
        Coverage, in (0, 1).
    degrees : float, optional
        Degrees of freedom of Student's t; by default the normal distribution.
    """
    tested = errors > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        statistic = np.where(tested, estimates / errors, np.nan)
    upper = (1.0 + level) / 2.0
    reach = float(ndtri(upper) if degrees is None else stdtrit(degrees, upper)) * errors
    return {
        "estimate": estimates,
        "std_error": np.where(np.isnan(estimates), np.nan, errors),
        "statistic": statistic,
        "p_value": two_sided(statistic, degrees),
        "conf_low": estimates - reach,
        "conf_high": estimates + reach,
    }


def two_sided(statistic: Array, degrees: float | None = None) -> Array:
    """Return the probability of a statistic at least as far from zero."""
    below = -np.abs(statistic)
    return np.asarray(2.0 * (ndtr(below) if degrees is None else stdtr(degrees, below)))
