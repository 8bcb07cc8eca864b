"""How likely a target is, said with the assumptions beside it: required pace, probability, earliest credible year.

The model is the simplest one that a handful of yearly values can carry: a random walk with drift
(:mod:`sipas_research.numerics.drift`) on the logit scale, its limits from Student's t with as many degrees of freedom
as there are changes, less one. Everything is in closed form, so the same series always gives the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from sipas_research import wording
from sipas_research.errors import AnalysisError, OptionError
from sipas_research.evidence.series import Point, Reading, Series, years
from sipas_research.numerics.drift import Drift, fit_drift, limits, outlook, reach_probability
from sipas_research.results import DataKind
from sipas_research.wording import Bilingual

Scale = Literal["logit", "identity"]
SCALES: tuple[Scale, ...] = get_args(Scale)
#: With fewer values than this there are fewer than three changes, and no probability is given.
MINIMUM_POINTS = 4
#: A year is credible at even odds, and again at nine in ten.
CREDIBLE = (0.5, 0.9)
#: Years after the last value in which a credible year is sought.
HORIZON = 25
_TOP = 100.0
_STRAIGHT = 1e-9


@dataclass(frozen=True, slots=True)
class Goal:
    """One target.

    Attributes
    ----------
    year, value : int, float
        The target; value on the scale of the series.
    start_year, start_value : int, float
        Where the pace is counted from: the last value, or the target before this one.
    required_pace : float
        Points a year from there to the target.
    probability : float
        That the index stands at the target or above it in that year; NaN where there are not enough values.
    centre, low, high : float
        Median and prediction limits for that year.
    earliest : tuple of (int or None)
        First year whose probability reaches 0.5, and 0.9; None: no year up to the horizon.
    """

    year: int
    value: float
    start_year: int
    start_value: float
    required_pace: float
    probability: float = math.nan
    centre: float = math.nan
    low: float = math.nan
    high: float = math.nan
    earliest: tuple[int | None, int | None] = (None, None)


@dataclass(frozen=True, slots=True)
class BackTest:
    """What the model would have said of ``year`` from values up to ``origin``.

    ``covered`` is None where too few values stood before the origin for limits: then only the straight-line
    ``centre`` can be compared with what came.
    """

    origin: int
    year: int
    n_points: int
    centre: float
    low: float
    high: float
    actual: float
    covered: bool | None


@dataclass(frozen=True, slots=True)
class TargetPath:
    """Targets held against a series; ``reason`` is a catalogue key where no probability can be given, else "".

    ``drift`` and ``volatility`` are a year's mean and standard deviation on ``scale``; ``path`` has year, centre, low
    and high for each year after the last value. ``assumptions`` are catalogue keys, in reading order.
    """

    name: Bilingual
    reading: Reading
    scale: Scale
    level: float
    used: tuple[Point, ...]
    goals: tuple[Goal, ...]
    df: int
    drift: float
    volatility: float
    path: tuple[tuple[int, float, float, float], ...]
    back_tests: tuple[BackTest, ...]
    assumptions: tuple[str, ...]
    reason: str = ""
    last_year_sought: int = 0
    data_kind: DataKind = DataKind.PUBLISHED

    def tidy(self) -> pd.DataFrame:
        """Return one row a target; probabilities 0-1, values on the scale of the series, NaN where not credible."""
        return pd.DataFrame(
            [
                {
                    "term": "target",
                    "group": str(g.year),
                    "target": g.value,
                    "estimate": g.centre,
                    "conf_low": g.low,
                    "conf_high": g.high,
                    "required_pace": g.required_pace,
                    "probability": g.probability,
                    "earliest_50": g.earliest[0],
                    "earliest_90": g.earliest[1],
                    "note": self.reason,
                }
                for g in self.goals
            ]
        )

    def glance(self) -> pd.DataFrame:
        """Return one row about the fit."""
        return pd.DataFrame(
            [
                {
                    "n_points": len(self.used),
                    "df": self.df,
                    "scale": self.scale,
                    "reading": self.reading,
                    "drift": self.drift,
                    "volatility": self.volatility,
                    "level": self.level,
                    "data_kind": self.data_kind.value,
                }
            ]
        )

    def summary(self, language: str = "vi") -> str:
        """Return one line a target and the assumptions, for people."""
        lines = [self._line(goal, language) for goal in self.goals]
        if self.reason:
            lines.append(self.why(language))
        return "\n".join(lines + [wording.text(key, language) for key in self.assumptions])

    def why(self, language: str) -> str:
        """Return why there is no probability, "" where there is one."""
        fields = {"n": len(self.used), "minimum": MINIMUM_POINTS, "years": years(self.used)}
        return wording.text(self.reason, language, **fields) if self.reason else ""

    def _line(self, goal: Goal, language: str) -> str:
        key = "targets.summary.pace_only" if self.reason else "targets.summary.line"
        return wording.text(
            key,
            language,
            year=str(goal.year),
            target=wording.number(goal.value, 2, language),
            pace=wording.number(goal.required_pace, 2, language),
            probability=wording.percent(goal.probability, language, 0),
            low=wording.number(goal.low, 2, language),
            high=wording.number(goal.high, 2, language),
        )


def target_path(
    series: Series,
    targets: Mapping[int, float],
    *,
    level: float = 0.95,
    scale: Scale = "logit",
    horizon: int = HORIZON,
) -> TargetPath:
    """Hold targets against a series.

    Values before the last break that the source itself names are left out; a break that is known for the national
    index only stays in and is named among the assumptions.

    Parameters
    ----------
    series : Series
        Yearly values; missing years stay missing.
    targets : mapping of int to float
        Year to value on the scale of the series, like ``{2025: 90, 2030: 95}``; years after the last value.
    level : float, keyword only
        Level of the prediction limits, strictly between 0 and 1.
    scale : "logit" or "identity", keyword only
        Scale of the walk; logit keeps a percentage inside 0-100.
    horizon : int, keyword only
        Years after the last value in which a credible year is sought, 1 to 100.

    Returns
    -------
    TargetPath
        With fewer than four usable values, or values on an exact straight line, only the required pace and the
        reason why there is no probability.

    Raises
    ------
    OptionError
        If a target, the level, the scale or the horizon is outside its range.
    """
    used = series.eras(known_only=True)[-1]
    goals = _goals(used[-1], _checked(series, used, targets, level, scale, horizon))
    fit = _fit(used, scale)
    reason = _reason(used, fit)
    last = used[-1].year
    shown: tuple[tuple[int, float, float, float], ...] = ()
    if fit is not None and not reason:
        goals = tuple(_judged(goal, fit, scale, level, horizon) for goal in goals)
        shown = tuple((y, *_outlook(fit, y, scale, level)) for y in range(last + 1, goals[-1].year + 1))
    return TargetPath(
        series.name,
        series.reading,
        scale,
        level,
        used,
        goals,
        fit.df if fit else 0,
        fit.drift if fit else math.nan,
        fit.volatility if fit else math.nan,
        shown,
        back_test(used, level=level, scale=scale),
        _assumptions(series, used, goals),
        reason,
        last + horizon,
        series.data_kind,
    )


def back_test(used: tuple[Point, ...], *, level: float = 0.95, scale: Scale = "logit") -> tuple[BackTest, ...]:
    """Return what the model would have said of the last value from each earlier origin with two values or more.

    Limits need two changes, that is three values; with two values only the straight line can be compared.
    """
    actual, found = used[-1], []
    for count in range(2, len(used)):
        fit = _fit(used[:count], scale)
        if fit is None:
            continue
        centre, low, high = _outlook(fit, actual.year, scale, level)
        covered = None if math.isnan(low) else low <= actual.value <= high
        found.append(BackTest(used[count - 1].year, actual.year, count, centre, low, high, actual.value, covered))
    return tuple(found)


def _checked(
    series: Series, used: tuple[Point, ...], targets: Mapping[int, float], level: float, scale: str, horizon: int
) -> list[tuple[int, float]]:
    if scale not in SCALES or (scale == "logit" and series.unit != "percent"):
        allowed = ", ".join(SCALES) if series.unit == "percent" else "identity"
        raise OptionError("targets.error.scale", value=str(scale), allowed=allowed)
    if not 0.0 < level < 1.0:
        raise OptionError("targets.error.level", value=str(level))
    if not 1 <= horizon <= 100:
        raise OptionError("targets.error.horizon", value=str(horizon))
    if not targets:
        raise OptionError("targets.error.empty")
    last = used[-1].year
    for year, value in targets.items():
        if isinstance(year, bool) or not isinstance(year, int | np.integer) or not last < year <= last + 100:
            raise OptionError("targets.error.year", value=str(year), last=str(last))
        if not (math.isfinite(value) and (series.unit != "percent" or 0.0 < value < _TOP)):
            raise OptionError("targets.error.value", value=str(value), year=str(year))
    return [(int(year), float(targets[year])) for year in sorted(targets)]


def _goals(last: Point, targets: list[tuple[int, float]]) -> tuple[Goal, ...]:
    goals: list[Goal] = []
    start_year, start_value = last.year, last.value
    for year, value in targets:
        pace = (value - start_value) / (year - start_year)
        goals.append(Goal(year, value, start_year, start_value, pace))
        start_year, start_value = year, value
    return tuple(goals)


def _forward(value: float, scale: Scale) -> float:
    return math.log(value / (_TOP - value)) if scale == "logit" else value


def _backward(value: float, scale: Scale) -> float:
    # beyond 700 the exponential leaves its range; the value is then 0 or 100
    return _TOP / (1.0 + math.exp(min(max(-value, -700.0), 700.0))) if scale == "logit" else value


def _fit(points: tuple[Point, ...], scale: Scale) -> Drift | None:
    if len(points) < 2:
        return None
    edge = next((p for p in points if scale == "logit" and not 0.0 < p.value < _TOP), None)
    if edge is not None:
        raise AnalysisError("targets.error.edge", year=str(edge.year), value=str(edge.value))
    return fit_drift(np.array([p.year for p in points]), np.array([_forward(p.value, scale) for p in points]))


def _reason(used: tuple[Point, ...], fit: Drift | None) -> str:
    if fit is None or len(used) < MINIMUM_POINTS:
        return "targets.reason.few"
    return "targets.reason.straight" if fit.volatility < _STRAIGHT else ""


def _outlook(fit: Drift, year: int, scale: Scale, level: float) -> tuple[float, float, float]:
    ends = limits(fit, year, level)
    centre, low, high = (_backward(v, scale) if math.isfinite(v) else math.nan for v in (outlook(fit, year)[0], *ends))
    return centre, low, high


def _judged(goal: Goal, fit: Drift, scale: Scale, level: float, horizon: int) -> Goal:
    wanted = _forward(goal.value, scale)
    centre, low, high = _outlook(fit, goal.year, scale, level)
    first = int(fit.last_time) + 1
    chances = {y: reach_probability(fit, y, wanted) for y in range(first, first + horizon)}
    earliest = tuple(next((y for y, chance in chances.items() if chance >= bar), None) for bar in CREDIBLE)
    return Goal(
        goal.year,
        goal.value,
        goal.start_year,
        goal.start_value,
        goal.required_pace,
        reach_probability(fit, goal.year, wanted),
        centre,
        low,
        high,
        (earliest[0], earliest[1]),
    )


def _assumptions(series: Series, used: tuple[Point, ...], goals: tuple[Goal, ...]) -> tuple[str, ...]:
    keys = ["targets.assumption.walk", "targets.assumption.few_values"]
    if series.gaps():
        keys.append("targets.assumption.chosen_years")
    if series.reading in {"points", "percent"}:
        keys.append(f"targets.assumption.reading_{series.reading}")
    if series.broken(used[0].year, used[-1].year):
        keys.append("targets.assumption.break_possible")
    if series.broken(used[-1].year, goals[-1].year):
        keys.append("targets.assumption.break_ahead")
    return (*keys, "targets.assumption.sampling")
