"""The points of a claim check, one function each: None where the figures for it were not given."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from sipas_research.evidence.arithmetic import (
    Printed,
    Reading,
    change_statistic,
    difference,
    large_population_size,
    margin_of_error,
    normal_quantile,
    previous_in_percent,
    two_sided_p,
    yamane,
)
from sipas_research.evidence.claim_input import Claim, agreeing, decimals, signs
from sipas_research.evidence.claim_result import (
    AGREES,
    DEPENDS,
    NEEDS_DATA,
    ClaimFinding,
    Computed,
    Figure,
    Verdict,
)
from sipas_research.evidence.component_bounds import ComponentBounds, component_bounds


def quoted(name: str, number: float | Printed, style: str = "number", *, places: int = 2) -> Computed:
    """Return a printed figure with its phrase ``claim.quoted.<name>``."""
    value = number if isinstance(number, Printed) else Printed(float(number), places)
    figure = Figure(value.value, style, value.decimals)  # type: ignore[arg-type]
    return Computed(f"claim.quoted.{name}", (("value", figure),))


def computed(name: str, *, reading: str = "", weighting: str = "", **figures: Figure) -> Computed:
    """Return a computed phrase ``claim.computed.<name>``; the first figure is its value."""
    return phrase(name, figures, reading=reading, weighting=weighting)


def phrase(name: str, figures: dict[str, Figure], *, reading: str = "", weighting: str = "") -> Computed:
    """Return the same from a mapping."""
    return Computed(f"claim.computed.{name}", tuple(figures.items()), reading, weighting)


def index_quotes(claim: Claim) -> tuple[Computed, ...]:
    """Return the index, its change and the earlier index, as far as they were printed."""
    parts = [quoted("value", claim.value, "percent")]
    if claim.change is not None:
        parts.append(quoted("change", claim.change, "signed"))
    if claim.previous is not None:
        parts.append(quoted("previous", claim.previous, "percent"))
    return tuple(parts)


def previous_finding(claim: Claim) -> ClaimFinding | None:
    """Return the earlier index under each reading of the change, or the change where both indices are printed."""
    if claim.change is None:
        return None if claim.previous is None else _change_finding(claim)
    fitting = agreeing(claim)
    places = decimals(claim.value, claim.change, least=2)
    numbers = tuple(previous_number(claim.value, reading, places) for reading in fitting or claim.readings)
    verdict = AGREES if len(fitting) == 1 else DEPENDS if fitting else NEEDS_DATA
    caveats = () if fitting else ("claim.caveat.no_reading_fits",)
    if claim.previous is not None and len(fitting) == 1:
        caveats = (f"claim.caveat.fits_{fitting[0].unit}",)
    return ClaimFinding("previous_value", "previous_value", verdict, index_quotes(claim), numbers, caveats)


def previous_number(value: Printed, reading: Reading, places: int) -> Computed:
    """Return the earlier index under one reading, with what rounding allows."""
    now = Figure(value.value, "percent", value.decimals)
    figures = {
        "value": Figure(reading.value, "percent", places),
        "now": now,
        # no index lies outside the scale, whatever rounding alone would allow
        "low": Figure(min(max(reading.low, 0.0), 100.0), "percent", places + 1),
        "high": Figure(min(max(reading.high, 0.0), 100.0), "percent", places + 1),
    }
    return phrase(f"previous_{reading.unit}", figures, reading=reading.unit)


def _change_finding(claim: Claim) -> ClaimFinding:
    earlier = claim.bases[0].value
    places = decimals(claim.value, claim.previous)
    gain = difference(claim.value.value, earlier)
    numbers = [computed("change_points", reading="points", value=Figure(gain, "signed", places))]
    if earlier > 0:
        share = Figure(100.0 * gain / earlier, "signed", max(places, 2))
        numbers.append(computed("change_percent", reading="percent", value=share))
    return ClaimFinding("previous_value", "change", AGREES, index_quotes(claim), tuple(numbers))


def rank_finding(claim: Claim) -> ClaimFinding | None:
    """Return the earlier rank: rank + places gained."""
    if claim.rank is None and claim.places is None:
        return None
    printed = (
        ("rank", claim.rank, "integer"),
        ("rank_of", claim.rank_of, "integer"),
        ("places", claim.places, "signed"),
    )
    parts = [quoted(name, number, style, places=0) for name, number, style in printed if number is not None]
    if claim.rank is None or claim.places is None:
        return ClaimFinding("rank", "rank", NEEDS_DATA, tuple(parts), ())
    before = claim.rank + claim.places
    possible = before >= 1 and (claim.rank_of is None or before <= claim.rank_of)
    number = computed("rank", value=Figure(before, "integer"))
    caveats = () if possible else ("claim.caveat.rank_outside",)
    return ClaimFinding("rank", "rank", AGREES if possible else NEEDS_DATA, tuple(parts), (number,), caveats)


def component_finding(claim: Claim) -> ClaimFinding | None:
    """Return what the components that did not fall must have gained, under each reading and weighting."""
    if claim.components is None:
        return None
    parts = [*index_quotes(claim), quoted("components", claim.components, "integer")]
    parts += [quoted("falling", claim.falling, "integer"), quoted("rising", claim.rising, "integer")]
    if not claim.bases:
        return ClaimFinding("components", "components", NEEDS_DATA, tuple(parts), (), ("claim.caveat.no_change",))
    numbers, bounds = [], []
    for base in claim.bases:
        for weighting, weights in claim.weightings:
            start = min(max(base.value, 0.0), 100.0)
            bound = component_bounds(claim.value.value, start, claim.falling, claim.rising, weights, weighting)
            bounds.append(bound)
            numbers += component_numbers(bound, base.unit)
    return ClaimFinding(
        "components",
        "components",
        _component_verdict(claim, bounds),
        tuple(parts),
        tuple(numbers),
        ("claim.caveat.mean_of_components", "claim.caveat.start_at_mean"),
    )


def _component_verdict(claim: Claim, bounds: Sequence[ComponentBounds]) -> Verdict:
    if all(b.feasible_free == 0 for b in bounds):
        return NEEDS_DATA
    moves_with_most = claim.falling == 0 or all(b.least < 1e-9 and b.feasible == b.ways for b in bounds)
    return AGREES if moves_with_most else DEPENDS


def component_numbers(bound: ComponentBounds, reading: str) -> list[Computed]:
    """Return the phrases of one set of bounds."""

    def said(name: str, figures: dict[str, Figure]) -> Computed:
        return phrase(name, figures, reading=reading, weighting=bound.weighting)

    unseen = {"unseen": Figure(bound.unseen, "integer")}
    room = Figure(bound.room, "number", 1)
    if bound.feasible == 0:
        name = "components_other_start" if bound.feasible_free else "components_none"
        return [said(name, {"value": room, **unseen})]
    least = {"value": Figure(bound.least, "number", 1)}
    if bound.most < 1e-9:
        return [said("gain_zero", {**least, **unseen})]
    spread = bound.most - bound.least > 1e-6
    most = {"most": Figure(bound.most, "number", 1)} if spread else {}
    answer = "alone_all" if bound.alone == bound.ways else "alone_none" if bound.alone == 0 else "alone_some"
    return [
        said("gain_range" if spread else "gain", {**least, **most, "room": room, **unseen}),
        said(answer, {"value": Figure(bound.alone, "integer"), "ways": Figure(bound.ways, "integer")}),
    ]


def margin_finding(claim: Claim) -> ClaimFinding | None:
    """Return the margin of error at n, called a lower bound where the design is not known."""
    if claim.n is None:
        return None
    effect = claim.deff or 1.0
    half = margin_of_error(claim.value.value, claim.n, deff=effect)
    numbers = [computed("margin", value=Figure(half, "number", 1), n=Figure(claim.n, "integer"))]
    if claim.frame is not None:
        finite = margin_of_error(claim.value.value, claim.n, deff=effect, frame=claim.frame)
        numbers.append(
            computed("margin_finite", value=Figure(finite, "number", 1), frame=Figure(claim.frame, "integer"))
        )
    parts = [quoted("value", claim.value, "percent"), quoted("n", claim.n, "integer"), *_cluster_quote(claim)]
    known = claim.deff is not None
    caveat = "design_effect" if known else "lower_bound" if claim.clusters else "simple_random"
    verdict = AGREES if known else NEEDS_DATA
    return ClaimFinding("margin", "margin", verdict, tuple(parts), tuple(numbers), (f"claim.caveat.{caveat}",))


def _cluster_quote(claim: Claim) -> list[Computed]:
    return [] if claim.clusters is None else [quoted("clusters", claim.clusters, "integer")]


def significance_finding(claim: Claim) -> ClaimFinding | None:
    """Return z of the change between two samples of the given sizes, under each reading."""
    if claim.n is None or not claim.bases:
        return None
    before, effect = claim.previous_n or claim.n, claim.deff or 1.0
    bar = normal_quantile()
    numbers, clear = [], []
    for base in claim.bases:
        start = min(max(base.value, 0.0), 100.0)
        z = change_statistic(claim.value.value, start, claim.n, before, deff=effect)
        if math.isfinite(z):
            clear.append(abs(z) > bar)
            probability = Figure(two_sided_p(z), "p")
            numbers.append(computed("z", reading=base.unit, value=Figure(z, "number", 2), p=probability))
    if not numbers:
        return None
    verdict = DEPENDS if len(set(clear)) > 1 else AGREES if clear[0] and claim.deff is not None else NEEDS_DATA
    said = () if len(set(clear)) > 1 else ("claim.caveat.beyond_error" if clear[0] else "claim.caveat.within_error",)
    sizes = [quoted("n", claim.n, "integer")]
    sizes += [quoted("previous_n", before, "integer")] if claim.previous_n else []
    parts = (*index_quotes(claim), *sizes, *_cluster_quote(claim))
    caveats = (*said, "claim.caveat.one_yes_or_no", *(() if claim.previous_n else ("claim.caveat.same_size",)))
    return ClaimFinding("change_error", "change_error", verdict, parts, tuple(numbers), caveats)


def sample_finding(claim: Claim) -> ClaimFinding | None:
    """Return Yamane's sample size for the frame beside the sample."""
    if claim.frame is None:
        return None
    error = Figure(100.0 * claim.precision, "percent", 0 if float(100 * claim.precision).is_integer() else 1)
    size = yamane(claim.frame, claim.precision)
    frame = Figure(claim.frame, "integer")
    numbers = [computed("yamane", value=Figure(size, "number", 1), frame=frame, error=error)]
    parts = [quoted("frame", claim.frame, "integer")]
    if claim.n is None:
        return ClaimFinding("sample_size", "sample_size", NEEDS_DATA, tuple(parts), tuple(numbers))
    parts.append(quoted("n", claim.n, "integer"))
    limit = large_population_size(claim.precision)
    if abs(limit - claim.n) < 0.5:
        numbers.append(computed("large_population", value=Figure(limit, "integer"), error=error))
    enough = claim.n >= size
    caveats = ("claim.caveat.enough" if enough else "claim.caveat.not_enough", "claim.caveat.frame_meaning")
    return ClaimFinding(
        "sample_size", "sample_size", DEPENDS if enough else NEEDS_DATA, tuple(parts), tuple(numbers), caveats
    )


def national_finding(claim: Claim) -> ClaimFinding | None:
    """Return the difference from the national change and mean, both changes read in the same unit."""
    numbers = _national_changes(claim)
    if claim.national_mean is not None:
        gap = difference(claim.value.value, claim.national_mean.value)
        places = decimals(claim.value, claim.national_mean)
        numbers.append(computed("national_mean", value=Figure(gap, "signed", places)))
    if not numbers and claim.national_change is None:
        return None
    parts = list(index_quotes(claim))
    if claim.national_change is not None:
        parts.append(quoted("national_change", claim.national_change, "signed"))
    if claim.national_mean is not None:
        parts.append(quoted("national_mean", claim.national_mean, "percent"))
    changes = [number.value for number in numbers if number.reading]
    verdict = DEPENDS if len(signs(changes)) > 1 else AGREES if numbers else NEEDS_DATA
    caveats = ("claim.caveat.same_unit",) if changes else ()
    return ClaimFinding("national", "national", verdict, tuple(parts), tuple(numbers), caveats)


def _national_changes(claim: Claim) -> list[Computed]:
    if claim.national_change is None or not claim.bases:
        return []
    places = decimals(claim.value, claim.change, claim.national_change, least=2)
    numbers = []
    for base in claim.bases:
        own = difference(claim.value.value, base.value)
        if base.unit != "percent":
            gap = difference(own, claim.national_change.value)
            numbers.append(computed("national_points", reading=base.unit, value=Figure(gap, "signed", places)))
            continue
        mean = claim.national_mean
        reading = None if mean is None else previous_in_percent(mean, claim.national_change)
        if mean is not None and reading is not None and reading.possible:
            gap = own - (mean.value - reading.value)
            numbers.append(computed("national_points", reading="percent", value=Figure(gap, "signed", places)))
        elif claim.change is not None:
            gap = difference(claim.change.value, claim.national_change.value)
            numbers.append(computed("national_growth", reading="percent", value=Figure(gap, "signed", places)))
    return numbers


def target_finding(claim: Claim) -> ClaimFinding | None:
    """Return how far the index lies over or under its target."""
    if claim.target is None:
        return None
    gap = difference(claim.value.value, claim.target.value)
    places = decimals(claim.value, claim.target)
    rounding = claim.value.half_unit + claim.target.half_unit
    near = 1e-9 < abs(gap) < rounding
    name = "over_target" if gap > 1e-9 else "at_target" if abs(gap) <= 1e-9 else "under_target"
    figures = {
        "value": Figure(abs(gap), "number", places),
        "now": Figure(claim.value.value, "percent", claim.value.decimals),
        "goal": Figure(claim.target.value, "percent", claim.target.decimals),
    }
    number = phrase(name, figures)
    verdict = DEPENDS if near else AGREES if gap > -1e-9 else NEEDS_DATA
    caveats = ("claim.caveat.rounding",) if near else ()
    parts = (quoted("value", claim.value, "percent"), quoted("target", claim.target, "percent"))
    return ClaimFinding("target", "target", verdict, parts, (number,), caveats)


def nothing(claim: Claim) -> ClaimFinding:
    """Return the point of a claim that is a single value: there is nothing to hold it against."""
    return ClaimFinding("value", "value", NEEDS_DATA, index_quotes(claim), ())


POINTS: tuple[Callable[[Claim], ClaimFinding | None], ...] = (
    previous_finding,
    rank_finding,
    component_finding,
    margin_finding,
    significance_finding,
    sample_finding,
    national_finding,
    target_finding,
)
