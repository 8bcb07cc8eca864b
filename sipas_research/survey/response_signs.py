"""Which forms carry signs of careless answering: marks by row, never shown and never kept in a result."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sipas_research.errors import OptionError
from sipas_research.numerics import careless
from sipas_research.survey.responses import Responses, require_responses

Mask = NDArray[np.bool_]
Rules = Iterable[str] | Mapping[str, float] | None

#: Bars that are usually cited; conventions, not tests. Straight-lining: least number of answered items for a form
#: to be looked at. Long string: share of the form's items (Curran 2016: half). Speed: seconds an item (Huang et al.
#: 2012: two). Mahalanobis: tail probability (Tabachnick & Fidell 2013: 0.001). Even-odd: consistency (Curran 2016:
#: 0.30, after Jackson 1976).
CONVENTIONS = {"straight_line": 8.0, "long_string": 0.5, "speed": 2.0, "mahalanobis": 0.001, "even_odd": 0.3}
#: A straight line is a long string too: both are one sign when signs are counted.
FAMILIES = (("straight_line", "long_string"), ("speed",), ("mahalanobis",), ("even_odd",))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sign:
    """One rule on every form: which forms could be looked at, which carry the sign, why none could.

    Attributes
    ----------
    rule : str
    bar : float
    checked, marked : (n,) arrays of bool
        ``marked`` is a part of ``checked``.
    note : str
        Catalogue key of why no form could be looked at, or "".
    """

    rule: str
    bar: float
    checked: Mask
    marked: Mask
    note: str = ""

    def __repr__(self) -> str:
        return f"Sign({self.rule})"


def chosen_rules(rules: Rules) -> dict[str, float]:
    """Return rules with their bars, in the order of :data:`CONVENTIONS`; all with the usual bars by default.

    Raises
    ------
    OptionError
        If a rule is unknown or a bar is not a positive number.
    """
    known = ", ".join(CONVENTIONS)
    if rules is not None and not isinstance(rules, Iterable):
        raise OptionError("response_quality.error.rule", received=str(rules), known=known)
    named = list(CONVENTIONS) if rules is None else [rules] if isinstance(rules, str) else list(rules)
    for name in named:
        if not isinstance(name, str) or name not in CONVENTIONS:
            raise OptionError("response_quality.error.rule", received=str(name), known=known)
    bars = dict(rules) if isinstance(rules, Mapping) else {name: CONVENTIONS[name] for name in named}
    for name, bar in bars.items():
        number = isinstance(bar, int | float) and not isinstance(bar, bool)
        if not number or not bar > 0 or not np.isfinite(bar):
            raise OptionError("response_quality.error.bar", rule=name, received=str(bar))
    return {name: float(bars[name]) for name in CONVENTIONS if name in bars}


def find_signs(responses: Responses, rules: Rules = None) -> tuple[Sign, ...]:
    """Return every rule's marks on the forms."""
    look: dict[str, Callable[[Responses, float], Sign]] = {
        "straight_line": _straight_line,
        "long_string": _long_string,
        "speed": _speed,
        "mahalanobis": _mahalanobis,
        "even_odd": _even_odd,
    }
    require_responses(responses)
    return tuple(look[name](responses, bar) for name, bar in chosen_rules(rules).items())


def suspect_forms(signs: tuple[Sign, ...], at_least: int) -> Mask:
    """Return which forms carry signs of at least ``at_least`` families.

    Raises
    ------
    OptionError
        If the rules in force cannot give that many signs.
    """
    by_name = {sign.rule: sign.marked for sign in signs}
    families = [[by_name[name] for name in family if name in by_name] for family in FAMILIES]
    families = [marks for marks in families if marks]
    whole = isinstance(at_least, int | np.integer) and not isinstance(at_least, bool)
    if not whole or not 1 <= at_least <= max(1, len(families)):
        raise OptionError("response_quality.error.at_least", received=str(at_least), highest=max(1, len(families)))
    if not families:
        raise OptionError("response_quality.error.rule", received="", known=", ".join(CONVENTIONS))
    counts = np.sum([np.any(marks, axis=0) for marks in families], axis=0)
    return np.asarray(counts >= at_least)


def _answers(responses: Responses) -> np.ndarray:
    """Return all answered items as they were answered, in the order of the form."""
    present = [q.id for q in responses.questionnaire.items() if responses.has(q.id)]
    return responses.frame[present].to_numpy(dtype=float) if present else np.empty((len(responses), 0))


def _none(responses: Responses, rule: str, bar: float, note: str) -> Sign:
    nobody = np.zeros(len(responses), dtype=bool)
    return Sign(rule, bar, nobody, nobody, f"response_quality.note.{note}")


def _straight_line(responses: Responses, bar: float) -> Sign:
    values = _answers(responses)
    fewest = int(np.ceil(bar))
    if values.shape[1] < max(fewest, 2):
        return _none(responses, "straight_line", bar, "few_items")
    return Sign("straight_line", bar, *careless.is_straight(values, fewest=fewest))


def _long_string(responses: Responses, bar: float) -> Sign:
    values = _answers(responses)
    if values.shape[1] < CONVENTIONS["straight_line"]:
        return _none(responses, "long_string", bar, "few_items")
    longest = careless.longest_run(values)
    # two equal answers are no string, whatever share was asked for
    needed = max(bar * values.shape[1], 3.0)
    return Sign("long_string", bar, longest > 0, longest >= needed)


def _speed(responses: Responses, bar: float) -> Sign:
    if not (responses.has("start_time") and responses.has("end_time")):
        return _none(responses, "speed", bar, "no_times")
    spent = (responses.frame["end_time"] - responses.frame["start_time"]).dt.total_seconds().to_numpy(dtype=float)
    answered = np.logical_not(np.isnan(_answers(responses))).sum(axis=1)
    checked = np.isfinite(spent) & (spent > 0) & (answered > 0)
    with np.errstate(invalid="ignore"):
        return Sign("speed", bar, checked, checked & (spent < bar * answered))


def _mahalanobis(responses: Responses, bar: float) -> Sign:
    tails = careless.mahalanobis_tail(_answers(responses))
    checked = np.isfinite(tails)
    if not checked.any():
        return _none(responses, "mahalanobis", bar, "no_distance")
    with np.errstate(invalid="ignore"):
        return Sign("mahalanobis", bar, checked, checked & (tails < bar))


def _even_odd(responses: Responses, bar: float) -> Sign:
    scales = [ids for ids in responses.scale_items().values() if len(ids) > 1]
    if len(scales) < careless.FEWEST_SCALES:
        return _none(responses, "even_odd", bar, "few_scales")
    names = [item for ids in scales for item in ids]
    places = np.cumsum([0, *map(len, scales)])
    columns = [range(start, end) for start, end in itertools.pairwise(places)]
    found = careless.even_odd_consistency(responses.items(names).to_numpy(dtype=float), columns)
    checked = np.isfinite(found)
    with np.errstate(invalid="ignore"):
        return Sign("even_odd", bar, checked, checked & (found < bar))
