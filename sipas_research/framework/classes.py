"""Classes of agencies from their index, by a rule that is fixed before the data."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from sipas_research.errors import OptionError
from sipas_research.framework.bands import Bands
from sipas_research.framework.class_result import Classification, ClassRow, Rule, Settled, bare_row
from sipas_research.framework.framework_spec import Framework
from sipas_research.framework.index import INDEX, IndexRow, SatisfactionIndex
from sipas_research.numerics.class_bounds import EXACT_BELOW, Bounds, forms_to_settle, one_sided_bounds

_NAN = float("nan")


def classify(
    index: SatisfactionIndex,
    bands: Bands | Framework,
    *,
    family: str | None = None,
    year: int | None = None,
    level: float = 0.95,
    half_width: float | None = None,
    exact_below: float = EXACT_BELOW,
    power: float = 0.8,
    most_forms: int = 10_000,
    near: float = 0.01,
) -> Classification:
    """Put agencies into classes where the data carry it.

    An agency is certified above a cut where its one-sided lower bound is at or above the cut, and below it where its
    one-sided upper bound is under the cut. It gets a class where the bounds leave one class only; otherwise there is
    not enough evidence, and the classes that remain possible stand beside it with the forms that would settle it.
    Bounds are Student bounds of the logit, or Korn and Graubard's (1998) where n p (1 - p) is below ``exact_below``.
    Two rules come first and are separate: what must not be disclosed stays withheld, and an interval wider than
    ``half_width`` on either side gives no class. Each agency is judged on its own; of many agencies some are
    misjudged: see :func:`sipas_research.framework.class_errors.misgraded`.

    Parameters
    ----------
    index : SatisfactionIndex
        By agency, its intervals at the confidence level of the rule.
    bands : Bands or Framework
        Classes and cuts, 0-1. A framework brings its level, its confidence level and its widest half interval too.
    family : str, optional
        Which family to classify ("department", "district", ...). Needed where the index has several.
    year : int, optional
        Year of the data, for the comparison of years.
    level : float
        Of each one-sided bound, 0.5 to 1.
    half_width : float, optional
        Widest half interval, 0-1; the framework's, or 0.05.
    exact_below : float
        n p (1 - p) below which bounds are exact.
    power : float
        Probability with which the forms that are printed would settle a class, were the estimate the true value.
    most_forms : int
        Cap on these forms.
    near : float
        Within this distance of the cut (0-1) no number is given: settling is called impossible.

    Returns
    -------
    Classification

    Raises
    ------
    OptionError
        If an option is outside its range, the index has no groups, has several families and none is named, or its
        intervals have another level than the rule.
    """
    rule, cuts, wanted = _rule(bands, index, family), _bands(bands), family or _level(bands, index)
    rule = replace(rule, level=level, exact_below=exact_below, power=power, most_forms=most_forms, near=near)
    rule = rule if half_width is None else replace(rule, half_width=half_width)
    _check(index, rule)
    rows = _members(index, wanted)
    bounds, exact = _bounds(index, rows, rule)
    found = tuple(
        _row(row, float(bounds.lower[k]), float(bounds.upper[k]), bool(exact[k]), cuts, rule)
        for k, row in enumerate(rows)
    )
    return Classification(
        rows=found,
        bands=cuts,
        rule=rule,
        by=index.by,
        family=wanted,
        year=year,
        definition=index.definition,
        weighting=index.weighting,
        notes=index.notes,
        data_kind=index.data_kind,
        source=index.source,
    )


def _bands(bands: Bands | Framework) -> Bands:
    return bands.bands if isinstance(bands, Framework) else bands


def _rule(bands: Bands | Framework, index: SatisfactionIndex, family: str | None) -> Rule:
    if not isinstance(bands, Framework):
        return Rule(confidence=index.level)
    if family is not None and index.by == "agency" and family != bands.level:
        raise OptionError("classes.error.framework_family", value=family, allowed=bands.level)
    return Rule(confidence=bands.confidence, half_width=bands.half_width)


def _level(bands: Bands | Framework, index: SatisfactionIndex) -> str:
    """Return the family meant where none is named: the framework's level, or the only one there is."""
    known = tuple(dict.fromkeys(index.estimation.families))
    if isinstance(bands, Framework) and index.by == "agency" and bands.level in known:
        return bands.level
    if len(known) > 1:
        raise OptionError("classes.error.several_families", allowed=", ".join(known))
    return known[0] if known else ""


def _check(index: SatisfactionIndex, rule: Rule) -> None:
    ranges = {
        "level": (rule.level, 0.5, 1.0),
        "half_width": (rule.half_width, 0.0, 0.5),
        "power": (rule.power, 0.0, 1.0),
        "near": (rule.near, 0.0, 0.5),
    }
    for name, (value, low, high) in ranges.items():
        least = low <= value if name == "near" else low < value
        if not (math.isfinite(value) and least and value < high):
            raise OptionError("classes.error.range", name=name, value=str(value), low=str(low), high=str(high))
    if rule.most_forms < 1 or not rule.exact_below >= 0.0:
        raise OptionError("classes.error.positive", value=f"{rule.most_forms}; {rule.exact_below}")
    if not index.groups:
        raise OptionError("classes.error.no_groups")
    if not index.decides:
        raise OptionError("criterion_weights.error.decides")
    if not math.isclose(index.level, rule.confidence, abs_tol=1e-12):
        raise OptionError("classes.error.level", value=str(index.level), wanted=str(rule.confidence))


def _members(index: SatisfactionIndex, family: str) -> list[IndexRow]:
    """Return the index rows of one family, hidden ones too; groups without any answer belong to every family."""
    found = dict(zip(index.estimation.labels, index.estimation.families, strict=True))
    if family and family not in found.values():
        known = ", ".join(dict.fromkeys(found.values()))
        raise OptionError("classes.error.unknown_family", value=family, allowed=known)
    return [r for r in index.rows if r.term == INDEX and r.group and found.get(r.group, family) == family]


def _bounds(index: SatisfactionIndex, rows: list[IndexRow], rule: Rule) -> tuple[Bounds, np.ndarray]:
    """Return the bounds of each row; where a census left no error, they are the estimate itself."""
    kish = dict(zip(index.estimation.labels, index.estimation.effective, strict=True))
    shares, errors, freedom, people = (
        np.array([getattr(r, name) for r in rows], dtype=float) for name in ("estimate", "std_error", "df", "n")
    )
    effective = np.array([min(kish.get(r.group, r.n), r.n) for r in rows], dtype=float)
    answers = np.array([r.n_answers for r in rows], dtype=float)
    found = one_sided_bounds(
        shares,
        errors,
        freedom,
        people,
        effective,
        level=rule.level,
        exact_below=rule.exact_below,
        answers=answers,
    )
    if not index.fpc:
        return found, found.exact
    whole = errors == 0.0
    lower, upper = (np.where(whole, shares, a) for a in (found.lower, found.upper))
    return Bounds(lower, upper, found.exact), found.exact & ~whole


def _row(row: IndexRow, lower: float, upper: float, exact: bool, bands: Bands, rule: Rule) -> ClassRow:
    if row.suppressed:
        return bare_row(row.group, "withheld")
    if not math.isfinite(row.estimate):
        return bare_row(row.group, "no_answers")
    open_row = ClassRow(
        row.group,
        row.estimate,
        row.std_error,
        row.conf_low,
        row.conf_high,
        lower,
        upper,
        "exact" if exact else "logit",
        row.df,
        row.n,
        "no_variance",
        "",
        "",
        "",
        _NAN,
        "",
    )
    if not (math.isfinite(lower) and math.isfinite(upper) and math.isfinite(open_row.half_width)):
        return open_row
    if open_row.half_width > rule.half_width:
        wanted = math.ceil(row.n * (open_row.half_width / rule.half_width) ** 2)
        capped = wanted > rule.most_forms
        return replace(
            open_row,
            outcome="imprecise",
            forms_needed=_NAN if capped else float(wanted),
            settled="over_cap" if capped else "precision",
        )
    low, high = (bands.bands[bands.place(bound)].id for bound in (lower, upper))
    if low == high:
        return replace(open_row, outcome="certified", band=low, band_low=low, band_high=high)
    forms, how = _settle(row, lower, upper, bands, rule)
    return replace(open_row, outcome="undetermined", band_low=low, band_high=high, forms_needed=forms, settled=how)


def _settle(row: IndexRow, lower: float, upper: float, bands: Bands, rule: Rule) -> tuple[float, Settled]:
    """Return the forms that would settle every cut between the bounds, and whether there is such a number."""
    open_cuts = [cut for cut in bands.cuts if lower < cut <= upper]
    # the distance is a difference of two printed figures: 0.91 - 0.90 counts as one point
    if any(abs(row.estimate - cut) <= rule.near + 1e-12 for cut in open_cuts):
        return _NAN, "impossible"
    inside = 0.0 < row.estimate < 1.0 and row.std_error > 0.0
    options = {"most": rule.most_forms, "level": rule.level, "power": rule.power, "exact_below": rule.exact_below}
    needed = [
        forms_to_settle(cut, estimate=row.estimate, std_error=row.std_error, df=row.df, n=row.n, **options)  # type: ignore[arg-type]
        if inside
        else None
        for cut in open_cuts
    ]
    numbers = [n for n in needed if n is not None]
    if len(numbers) < len(needed):
        return _NAN, "over_cap"
    return float(max(numbers)), "forms"
