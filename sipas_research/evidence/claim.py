"""Checking a published claim against its own arithmetic ("đối chiếu số liệu công bố").

Each point says what was printed, computes under every reading that fits, and names the table that would settle it.
Nothing is called wrong; no person, motive or place is inferred.
"""

from __future__ import annotations

from collections.abc import Sequence

from sipas_research.evidence.arithmetic import printed
from sipas_research.evidence.claim_input import (
    Claim,
    check_claim_input,
    optional_percentage,
    optional_whole,
    percentage,
    read_components,
    read_design,
    read_readings,
)
from sipas_research.evidence.claim_points import POINTS, nothing
from sipas_research.evidence.claim_result import ClaimCheck


def check_claim(
    *,
    value: float | str,
    change: float | str | None = None,
    previous: float | str | None = None,
    change_unit: str = "unknown",
    rank: int | str | None = None,
    rank_of: int | str | None = None,
    places: int | str | None = None,
    components: int | None = None,
    falling: int | None = None,
    rising: int | None = None,
    weights: str | Sequence[float | str] | None = None,
    n: int | str | None = None,
    previous_n: int | str | None = None,
    clusters: int | None = None,
    deff: float | None = None,
    frame: int | str | None = None,
    precision: float = 0.05,
    national_change: float | str | None = None,
    national_mean: float | str | None = None,
    target: float | str | None = None,
) -> ClaimCheck:
    """Check published figures against each other.

    Numbers may be texts with a decimal comma ("87,07"), whose decimals count as printed.

    Parameters
    ----------
    value, previous, target, national_mean : number or text
        Index now and before, target, national mean: 0-100.
    change, national_change : number or text
        Rise (fall: negative) over the previous value, as printed; both are read in the same unit.
    change_unit : {"unknown", "points", "percent"}
        "unknown" computes under both readings.
    rank, rank_of, places : int
        Place, number of places, places gained (lost: negative).
    components, falling, rising : int
        Components of the index (at most 8), how many fell and how many rose.
    weights : "equal" or sequence of float, optional
        Weights of the components; by default equal ones and, for five, the items 4, 5, 6, 3, 4.
    n, previous_n : int
        Forms now and before (by default the same).
    clusters : int
        Sites the forms come from: without ``deff`` the margin of error is then called a lower bound.
    deff : float
        Design effect.
    frame : int
        People in the frame, for Yamane's formula with ``precision`` (0.05 for 5%).

    Returns
    -------
    ClaimCheck

    Raises
    ------
    OptionError
        If a figure is not a number or not possible (an index over 100, a sample of 0, more moving components than
        components, a change under which no earlier index lies within 0-100).
    """
    index = percentage(value, "value")
    moved, readings = read_readings(index, change, change_unit, typed=value)
    size, fell, rose, weightings = read_components(components, falling, rising, weights)
    effect, error = read_design(deff, precision)
    claim = Claim(
        value=index,
        change=moved,
        previous=optional_percentage(previous, "previous"),
        readings=readings,
        rank=optional_whole(rank, "rank", least=1),
        rank_of=optional_whole(rank_of, "rank_of", least=1),
        places=optional_whole(places, "places", least=-10_000),
        components=size,
        falling=fell,
        rising=rose,
        weightings=weightings,
        n=optional_whole(n, "n", least=1),
        previous_n=optional_whole(previous_n, "previous_n", least=1),
        clusters=optional_whole(clusters, "clusters", least=1),
        deff=effect,
        frame=optional_whole(frame, "frame", least=1),
        precision=error,
        national_change=None if national_change is None else printed(national_change, "national_change"),
        national_mean=optional_percentage(national_mean, "national_mean"),
        target=optional_percentage(target, "target"),
    )
    check_claim_input(claim)
    found = [build(claim) for build in POINTS]
    return ClaimCheck(tuple(f for f in found if f is not None) or (nothing(claim),))
