"""How many forms an agency needs, and what a number of forms buys: planned before the survey, from stated assumptions.

Beside the design-based size stand two sizes by the formula that provinces use, N / (1 + N e^2) (Yamane 1967): applied
to each agency, and applied once to the whole level and shared out over its agencies.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from scipy.special import stdtrit

from sipas_research.errors import OptionError
from sipas_research.evidence.arithmetic import yamane
from sipas_research.framework.framework_spec import Framework, Level

#: Planned ratio of the variance to that of a simple random sample: unequal weights; for communes villages too.
DESIGN_EFFECTS: Mapping[Level, float] = {"department": 1.2, "district": 1.2, "commune": 1.5}
#: The error e that Yamane's formula is used with.
YAMANE_ERROR = 0.05
_SHARE, _ALIKE, _RETURNED = 0.8, 0.5, 0.8
_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Planning:
    """What is assumed before the survey; all shares are 0-1.

    ``share`` is the index expected, ``questions`` how many answers of a person it is made of, and ``alike`` the mean
    correlation between two answers of one person. ``half_width`` is aimed at, at ``confidence``; of the forms handed
    out ``returned`` come back valid.
    """

    share: float
    questions: int
    alike: float
    design_effect: float
    half_width: float
    confidence: float
    returned: float

    def __post_init__(self) -> None:
        inside = (self.share, self.half_width, self.confidence)
        wrong = not all(0.0 < value < 1.0 for value in inside) or not 0.0 <= self.alike <= 1.0
        if wrong or not 0.0 < self.returned <= 1.0 or self.design_effect <= 0.0 or self.questions < 1:
            raise OptionError("framework_document.error.planning", value=str(self))

    def variance(self, share: float | None = None) -> float:
        """Return the variance between persons of their own shares: p (1 - p) (1 + (m - 1) r) / m (Kish 1965, 5.4)."""
        value = self.share if share is None else share
        return value * (1.0 - value) * (1.0 + (self.questions - 1) * self.alike) / self.questions


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One agency, or one size of frame: N, three numbers of forms, and the half-width (0-1) that each buys.

    ``shared`` is the agency's part of one Yamane sample for the whole level (NaN where a single frame is planned),
    ``yamane`` a Yamane sample of its own, ``designed`` the fewest forms with the half-width aimed at; ``issued`` are
    the forms to hand out for ``designed`` valid ones, at most N. All NaN where N is not known.
    """

    agency: str
    frame: float
    shared: float
    shared_half: float
    yamane: float
    yamane_half: float
    designed: float
    designed_half: float
    issued: float


def planning_for(framework: Framework) -> Planning:
    """Return the planning assumptions of a framework's level, with its own precision and confidence."""
    effect = DESIGN_EFFECTS[framework.level]
    asked = len(framework.items)
    return Planning(_SHARE, asked, _ALIKE, effect, framework.half_width, framework.confidence, _RETURNED)


def half_width(forms: float, frame: float, planning: Planning) -> float:
    """Return the half-width (0-1) that valid forms buy: t sqrt(deff S^2 / n (1 - n / N)), S^2 as planned.

    Student's t has n - 1 degrees of freedom (Cochran 1977, sections 2.8 and 3.3). NaN below two forms.

    Parameters
    ----------
    forms : float
        n, at most N.
    frame : float
        N; infinity for a frame without limit.
    planning : Planning
    """
    if not 2 <= forms <= frame:
        return _NAN
    quantile = float(stdtrit(forms - 1.0, (1.0 + planning.confidence) / 2.0))
    variance = planning.design_effect * planning.variance() / forms * (1.0 - forms / frame)
    return quantile * math.sqrt(variance)


def forms_needed(frame: float, planning: Planning) -> float:
    """Return the fewest valid forms whose half-width is not above the one aimed at; the whole frame at most.

    NaN where the frame has fewer than two people.
    """
    if not frame >= 2:
        return _NAN
    low, high = 1, 2
    while high < frame and not half_width(high, frame, planning) <= planning.half_width:
        low, high = high, 2 * high
    high = int(min(high, frame))
    while high - low > 1:
        middle = (low + high) // 2
        if half_width(middle, frame, planning) <= planning.half_width:
            high = middle
        else:
            low = middle
    return float(high)


def yamane_forms(frame: float) -> float:
    """Return Yamane's number of forms, rounded up."""
    return float(math.ceil(yamane(frame, YAMANE_ERROR) - 1e-9))


def share_out(total: float, frames: Mapping[str, float]) -> dict[str, float]:
    """Share a number of forms out in proportion to the frames, by the largest remainders; names break ties."""
    whole = sum(frames.values())
    exact = {name: total * frame / whole for name, frame in frames.items()}
    given = {name: math.floor(part) for name, part in exact.items()}
    left = int(total - sum(given.values()))
    order = sorted(frames, key=lambda name: (given[name] - exact[name], name))
    return {name: float(given[name] + (name in order[:left])) for name in frames}


def plan_frame(agency: str, frame: float, planning: Planning, *, shared: float = _NAN) -> PlanRow:
    """Return the plan of one agency, or of one size of frame."""
    if not frame >= 2:
        return PlanRow(agency, *[_NAN] * 8)
    own, designed = yamane_forms(frame), forms_needed(frame, planning)
    issued = min(math.ceil(designed / planning.returned - 1e-9), math.floor(frame))
    return PlanRow(
        agency,
        frame,
        shared,
        half_width(shared, frame, planning),
        own,
        half_width(own, frame, planning),
        designed,
        half_width(designed, frame, planning),
        float(issued),
    )


def sample_plan(frames: Mapping[str, float], planning: Planning) -> tuple[PlanRow, ...]:
    """Return the plan of a level.

    Parameters
    ----------
    frames : mapping of an agency's code to its number of people with a file resolved; NaN where it is not known
    planning : Planning

    Returns
    -------
    tuple of PlanRow
        In the order of ``frames``.
    """
    known = {code: frame for code, frame in frames.items() if frame >= 2}
    parts = share_out(yamane_forms(sum(known.values())), known) if known else {}
    return tuple(plan_frame(code, frame, planning, shared=parts.get(code, _NAN)) for code, frame in frames.items())
