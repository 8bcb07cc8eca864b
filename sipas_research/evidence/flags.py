"""Flags of the ledger that arithmetic can decide: one function each, from printed rows alone.

Every function takes a ledger (the packaged one by default) and returns a :class:`ClaimFinding` with the flag's id.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sipas_research.evidence.arithmetic import Printed, pace, previous_in_points, printed
from sipas_research.evidence.claim import check_claim
from sipas_research.evidence.claim_points import computed, previous_number, quoted
from sipas_research.evidence.claim_result import AGREES, DEPENDS, NEEDS_DATA, ClaimFinding, Computed, Figure
from sipas_research.evidence.ledger import Ledger, facts

_REVIEW_YEARS = (2018, 2023)


def _of(ledger: Ledger | None) -> Ledger:
    return facts(printable=None) if ledger is None else ledger


def _printed(ledger: Ledger, identifier: str) -> str:
    return ledger.get(identifier).printed.split("/", maxsplit=1)[0]


def _as_printed(ledger: Ledger, identifier: str) -> Printed:
    return printed(_printed(ledger, identifier), identifier)


def index_up_components_down(ledger: Ledger | None = None) -> ClaimFinding:
    """F11: the index rose while three of five components fell."""
    rows = _of(ledger)
    check = check_claim(
        value=_printed(rows, "ls_sipas_2021"),
        change=_printed(rows, "ls_sipas_change_2021"),
        components=int(rows.value("ls_sipas_components")),
        falling=int(rows.value("ls_sipas_falling_2021")),
        rising=int(rows.value("ls_sipas_rising_2021")),
    )
    return replace(check.get("components"), id="f11")


def percent_or_points(ledger: Ledger | None = None) -> ClaimFinding:
    """F12: "%" may be percentage points or per cent; the 2020 values under both, for both indices."""
    rows = _of(ledger)
    return _readings(rows, "f12", (("ls_par_2021", "ls_par_change_2021"), ("ls_sipas_2021", "ls_sipas_change_2021")))


def percent_or_points_ten_years(ledger: Ledger | None = None) -> ClaimFinding:
    """F18: the same for 2018 and 2023 in the ten-year review."""
    pairs = tuple((f"review_index_{year}", f"review_change_{year}") for year in _REVIEW_YEARS)
    return _readings(_of(ledger), "f18", pairs)


def _readings(rows: Ledger, flag: str, pairs: tuple[tuple[str, str], ...]) -> ClaimFinding:
    quotes: list[Computed] = []
    numbers: list[Computed] = []
    for value, change in pairs:
        point = check_claim(value=_printed(rows, value), change=_printed(rows, change)).get("previous_value")
        quotes += point.quoted
        numbers += point.computed
    return ClaimFinding(flag, "previous_value", DEPENDS, tuple(quotes), tuple(numbers))


def printed_decimals(ledger: Ledger | None = None) -> ClaimFinding:
    """F13: 3,1 has one decimal and 3,31 two: the range of earlier values that rounding leaves open."""
    rows = _of(ledger)
    quotes: list[Computed] = []
    numbers: list[Computed] = []
    for value, change in (("ls_par_2021", "ls_par_change_2021"), ("ls_sipas_2021", "ls_sipas_change_2021")):
        index, moved = _as_printed(rows, value), _as_printed(rows, change)
        quotes += [quoted("value", index, "percent"), quoted("change", moved, "signed")]
        numbers.append(previous_number(index, previous_in_points(index, moved), 2))
    return ClaimFinding("f13", "decimals", DEPENDS, tuple(quotes), tuple(numbers), ("claim.caveat.decimals",))


def fields_that_rose(ledger: Ledger | None = None) -> ClaimFinding:
    """F14: 5/8 has the denominator of the fields, not of the 43 or 102 criteria."""
    rows = _of(ledger)
    rose = rows.get("ls_par_fields_up_2021")
    counts = {"fields": "par_fields", "criteria": "par_criteria", "criteria_components": "par_components"}
    matching = [name for name, identifier in counts.items() if rows.value(identifier) == rose.out_of]
    quotes = [quoted(name, rows.value(identifier), "integer") for name, identifier in counts.items()]
    number = computed("denominator", value=Figure(rose.value, "integer"), whole=Figure(rose.out_of, "integer"))
    verdict = AGREES if matching == ["fields"] else NEEDS_DATA
    caveats = ("claim.caveat.only_fields",) if matching == ["fields"] else ()
    return ClaimFinding("f14", "fields", verdict, tuple(quotes), (number,), caveats)


def fifth_component(ledger: Ledger | None = None) -> ClaimFinding:
    """F15: five components, three fell in both and one rose in both: one moved in another way."""
    rows = _of(ledger)
    names = {"components": "components", "falling": "falling_2021", "rising": "rising_2021"}
    values = {name: rows.value(f"ls_sipas_{identifier}") for name, identifier in names.items()}
    left = values["components"] - values["falling"] - values["rising"]
    quotes = tuple(quoted(name, value, "integer") for name, value in values.items())
    return ClaimFinding("f15", "fifth", NEEDS_DATA, quotes, (computed("left", value=Figure(left, "integer")),))


def frame_and_sample(ledger: Ledger | None = None) -> ClaimFinding:
    """F16: Yamane's size for 3.366 people beside 400 forms, and 400 as the limit of the same formula."""
    rows = _of(ledger)
    check = check_claim(
        value=_printed(rows, "ls_sipas_2021"),
        n=int(rows.value("ls_forms_2021")),
        frame=int(rows.value("ls_frame_2021")),
    )
    return replace(check.get("sample_size"), id="f16")


def national_rise(ledger: Ledger | None = None) -> ClaimFinding:
    """F17: the province's rise of the PAR INDEX beside the national one (cited second-hand)."""
    rows = _of(ledger)
    check = check_claim(
        value=_printed(rows, "ls_par_2021"),
        change=_printed(rows, "ls_par_change_2021"),
        national_change=_printed(rows, "national_par_change_2021"),
        national_mean=_printed(rows, "national_par_2021"),
    )
    point = check.get("national")
    return replace(point, id="f17", caveats=(*point.caveats, "claim.caveat.second_hand"))


def recovered_years(ledger: Ledger | None = None) -> ClaimFinding:
    """F20: yearly values that can be recovered, and the pace between them."""
    rows = _of(ledger)
    value = {year: _as_printed(rows, f"review_index_{year}") for year in _REVIEW_YEARS}
    change = {year: _as_printed(rows, f"review_change_{year}") for year in _REVIEW_YEARS}
    before = previous_in_points(value[2023], change[2023])
    known = set(_REVIEW_YEARS) | {year - 1 for year in _REVIEW_YEARS}
    targets = [rows.value(f"review_target_{year}") for year in (2025, 2030)]
    paces = (
        (2018, 2022, pace(value[2018].value, before.value, 4), "points"),
        (2018, 2023, pace(value[2018].value, value[2023].value, 5), ""),
        (2023, 2025, pace(value[2023].value, targets[0], 2), ""),
        (2025, 2030, pace(targets[0], targets[1], 5), ""),
    )
    numbers = [
        computed("years", value=Figure(len(known), "integer"), whole=Figure(rows.value("review_years"), "integer"))
    ]
    numbers += [
        computed(
            "pace_needed" if end > 2023 else "pace_points" if reading else "pace",
            reading=reading,
            value=Figure(gain, "signed", 2),
            start=Figure(start, "plain"),
            end=Figure(end, "plain"),
        )
        for start, end, gain, reading in paces
    ]
    quotes = [quoted("value", value[year], "percent") for year in _REVIEW_YEARS]
    return ClaimFinding("f20", "ten_years", NEEDS_DATA, tuple(quotes), tuple(numbers), ("claim.caveat.two_years",))


def target_decimals(ledger: Ledger | None = None) -> ClaimFinding:
    """F21: how far the index lies over its two targets, and the decimals the targets were printed with."""
    rows = _of(ledger)
    quotes: list[Computed] = []
    numbers: list[Computed] = []
    for year in _REVIEW_YEARS:
        value, target = (_printed(rows, f"review_{name}_{year}") for name in ("index", "target"))
        point = check_claim(value=value, target=target).get("target")
        quotes += point.quoted
        numbers += point.computed
    return ClaimFinding("f21", "target_rule", NEEDS_DATA, tuple(quotes), tuple(numbers), ("claim.caveat.target_rule",))


#: Flags that arithmetic can decide, in the order of the sources.
DECIDED: dict[str, Callable[..., ClaimFinding]] = {
    "f11": index_up_components_down,
    "f12": percent_or_points,
    "f13": printed_decimals,
    "f14": fields_that_rose,
    "f15": fifth_component,
    "f16": frame_and_sample,
    "f17": national_rise,
    "f18": percent_or_points_ten_years,
    "f20": recovered_years,
    "f21": target_decimals,
}


def decided_flags(ledger: Ledger | None = None) -> tuple[ClaimFinding, ...]:
    """Return every decided flag."""
    rows = _of(ledger)
    return tuple(decide(rows) for decide in DECIDED.values())
