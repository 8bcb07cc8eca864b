"""One-sided bounds of shares, for decisions at a cut; arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv, expit, logit, stdtrit

#: Below this n p (1 - p) the normal approximation of the logit is not trusted.
EXACT_BELOW = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """One-sided bounds, each at its own level; NaN where the design leaves no degree of freedom.

    ``exact`` is True where Clopper-Pearson or Korn-Graubard was used. Arrays are not writeable.
    """

    lower: np.ndarray
    upper: np.ndarray
    exact: np.ndarray


def clopper_pearson(hits: np.ndarray, size: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return exact one-sided bounds of a share (Clopper and Pearson 1934, Biometrika 26).

    Parameters
    ----------
    hits, size : array of float
        Successes and trials; neither need be whole, ``0 <= hits <= size``.
    level : float
        Of each bound, strictly between 0 and 1. Both together are the usual interval of level 2 ``level`` - 1.

    Returns
    -------
    tuple of arrays
        Lower and upper bounds, 0-1.
    """
    count, trials = np.broadcast_arrays(np.asarray(hits, dtype=float), np.asarray(size, dtype=float))
    misses = np.maximum(trials - count, 0.0)
    below, above = count <= 0.0, misses <= 0.0
    some, rest = np.where(below, 1.0, count), np.where(above, 1.0, misses)
    lower = np.where(below, 0.0, betaincinv(some, misses + 1.0, 1.0 - level))
    upper = np.where(above, 1.0, betaincinv(count + 1.0, rest, level))
    return lower, upper


def korn_graubard_size(
    estimate: np.ndarray,
    std_error: np.ndarray,
    df: np.ndarray,
    n: np.ndarray,
    effective: np.ndarray,
    *,
    level: float,
    most: np.ndarray | float = np.inf,
) -> np.ndarray:
    """Return the effective sample size of Korn and Graubard (1998, Survey Methodology 24, 193-201).

    The size at which a simple random sample would have the estimate's variance, times (t of n - 1 degrees of freedom
    over t of the design's) squared; at most ``most``, the number of answers that the share is made of. Where the
    estimate is 0 or 1, or has no variance, it is ``effective``.
    """
    share = np.clip(estimate, 0.0, 1.0)
    spread = share * (1.0 - share)
    usable = (spread > 0.0) & (std_error > 0.0) & (df >= 1.0) & (n > 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = stdtrit(np.maximum(n - 1.0, 1.0), level) / stdtrit(np.maximum(df, 1.0), level)
        size = np.where(usable, spread / std_error**2 * ratio**2, effective)
    return np.minimum(size, most)


def one_sided_bounds(
    estimate: np.ndarray,
    std_error: np.ndarray,
    df: np.ndarray,
    n: np.ndarray,
    effective: np.ndarray,
    *,
    level: float = 0.95,
    exact_below: float = EXACT_BELOW,
    answers: np.ndarray | float = np.inf,
) -> Bounds:
    """Return one-sided bounds of shares estimated under a survey design.

    Student bounds of the logit, turned back (Korn and Graubard 1999, section 2.3); where n p (1 - p) is below
    ``exact_below``, or there is no variance, Clopper-Pearson bounds at the size of :func:`korn_graubard_size`.

    Parameters
    ----------
    estimate, std_error, df, n, effective : array of float, one shape
        Shares 0-1; degrees of freedom of the design; people; Kish's effective number of people.
    level : float
        Of each bound.
    exact_below : float
    answers : array of float
        Answers that each share is made of: an upper limit of the effective size.

    Returns
    -------
    Bounds
    """
    share, error, freedom, people, kish = np.broadcast_arrays(
        *(np.asarray(a, dtype=float) for a in (estimate, std_error, df, n, effective))
    )
    spread = share * (1.0 - share)
    ends = (spread <= 0.0) & np.isfinite(share)
    known = np.isfinite(error) & (freedom >= 1.0)
    exact = np.isfinite(share) & ((people * spread < exact_below) | (error == 0.0)) & (known | ends)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        reach = stdtrit(np.maximum(freedom, 1.0), level) * error / spread
        lower, upper = expit(logit(share) - reach), expit(logit(share) + reach)
        size = korn_graubard_size(share, error, freedom, people, kish, level=level, most=answers)
        exact_low, exact_high = clopper_pearson(np.where(exact, share * size, 1.0), np.where(exact, size, 2.0), level)
    lower = np.where(exact, exact_low, np.where(known, lower, np.nan))
    upper = np.where(exact, exact_high, np.where(known, upper, np.nan))
    for array in (lower, upper, exact):
        array.setflags(write=False)
    return Bounds(lower, upper, exact)


def clears(
    forms: float,
    cut: float,
    *,
    estimate: float,
    std_error: float,
    df: float,
    n: float,
    level: float,
    power: float,
    exact_below: float = EXACT_BELOW,
) -> bool:
    """Tell whether ``forms`` forms would settle on which side of ``cut`` a share lies, were it the true value.

    Variance and degrees of freedom are those of the present design, in proportion to the number of forms. The bound
    is taken at the estimate that is reached with probability ``power`` from that side.
    """
    ratio = n / forms
    error = std_error * np.sqrt(ratio)
    away = stdtrit(1e6, power) * error / (estimate * (1.0 - estimate))
    above = estimate > cut
    seen = float(expit(logit(estimate) + (-away if above else away)))
    scaled = error * np.sqrt(seen * (1.0 - seen) / (estimate * (1.0 - estimate)))
    found = one_sided_bounds(
        np.array(seen),
        np.array(scaled),
        np.array(max(1.0, df / ratio)),
        np.array(forms),
        np.array(forms),
        level=level,
        exact_below=exact_below,
    )
    return bool(found.lower >= cut) if above else bool(found.upper < cut)


def forms_to_settle(
    cut: float,
    *,
    estimate: float,
    std_error: float,
    df: float,
    n: float,
    most: int,
    level: float = 0.95,
    power: float = 0.8,
    exact_below: float = EXACT_BELOW,
) -> int | None:
    """Return the fewest forms, more than there are now, that would settle the side of a cut; None above ``most``.

    Assumes that the true share equals the estimate and that the design stays as it is; see :func:`clears`. Found by
    halving: more forms never make it harder, up to the step between the two kinds of bounds.
    """
    options = {"estimate": estimate, "std_error": std_error, "df": df, "n": n, "level": level, "power": power}

    def enough(forms: int) -> bool:
        return clears(float(forms), cut, exact_below=exact_below, **options)

    low, high = int(n), int(n)
    while not enough(high):
        if high >= most:
            return None
        low, high = high, min(2 * high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
