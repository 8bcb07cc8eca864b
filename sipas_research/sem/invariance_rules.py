"""Conventions by which changes of fit indices are read as measurement invariance.

They are conventions, not tests: limits that held an error rate in someone's simulation of other models.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

NAN = float("nan")
CHEN, CHEUNG = "chen2007", "cheung_rensvold2002"
RULES = (CHEN, CHEUNG)
Verdict = Literal["baseline", "holds", "doubtful", "fails", "not_judged"]
#: Up to this many rows in all Chen's stricter limits apply.
CHEN_SMALL = 300
#: Groups count as unequal where the largest has more than this many times the rows of the smallest; Chen (2007)
#: speaks of unequal groups and names no bound, so that this one is ours.
UNEQUAL = 1.5
#: Limits of Chen (2007, p. 501): fall of CFI, rise of RMSEA, rise of SRMR; by variant and step.
_CHEN = {
    "large_equal": {"metric": (0.010, 0.015, 0.030), "scalar": (0.010, 0.015, 0.010), "strict": (0.010, 0.015, 0.010)},
    "small_unequal": {
        "metric": (0.005, 0.010, 0.025), "scalar": (0.005, 0.010, 0.005), "strict": (0.005, 0.010, 0.005),
    },
}  # fmt: skip
#: Fall of CFI beyond which Cheung & Rensvold (2002, p. 251) reject.
_CHEUNG = 0.010
#: Fit of the first model below which the changes that follow are not read (Hu & Bentler 1999 would ask for more).
POOR_CFI, POOR_RMSEA = 0.90, 0.08


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one step.

    Attributes
    ----------
    rule, variant : str
        ``variant`` is "" where a rule has one set of limits.
    cfi : float
        Lowest change of CFI that is taken for none (negative).
    rmsea, srmr : float
        Highest change; NaN where the rule does not look at it.
    """

    rule: str
    variant: str
    cfi: float
    rmsea: float
    srmr: float

    def verdict(self, delta_cfi: float, delta_rmsea: float, delta_srmr: float) -> Verdict:
        """Return what the convention says of some changes (restricted less free model).

        Chen: invariance fails where CFI falls to its limit and RMSEA or SRMR rises to its own; with only one of the
        two the verdict is "doubtful". Cheung & Rensvold: CFI alone.
        """
        if not math.isfinite(delta_cfi):
            return "not_judged"
        if self.rule == CHEUNG:
            return "fails" if delta_cfi < self.cfi else "holds"
        first = delta_cfi <= self.cfi
        second = delta_rmsea >= self.rmsea or delta_srmr >= self.srmr
        return "fails" if first and second else "doubtful" if first or second else "holds"


def limits(rule: str, step: str, sizes: Sequence[int]) -> Limits:
    """Return the limits of a step under a rule.

    Chen (2007), Structural Equation Modeling 14, 464-504: two sets, for more than 300 rows in groups of equal size,
    and for few rows or unequal groups; loadings, intercepts and residual variances apart. Cheung & Rensvold (2002),
    9, 233-255: one set. Chen gives the stricter set for few rows and unequal groups together; here one is enough.

    Parameters
    ----------
    rule : {"chen2007", "cheung_rensvold2002"}
    step : str
    sizes : sequence of int
        Rows of each group.
    """
    if step == "configural":
        return Limits(rule, "", NAN, NAN, NAN)
    if rule == CHEUNG:
        return Limits(rule, "", -_CHEUNG, NAN, NAN)
    strict = sum(sizes) <= CHEN_SMALL or max(sizes) > UNEQUAL * min(sizes)
    variant = "small_unequal" if strict else "large_equal"
    cfi, rmsea, srmr = _CHEN[variant]["metric" if step == "thresholds" else step]
    return Limits(rule, variant, -cfi, rmsea, srmr)
