"""Targets of many agencies or blocks at once: what each can be expected to reach when they inform each other.

The model is declared, one for all: a random walk with drift on the logit scale, sampling variances known, drifts
partially pooled (:mod:`sipas_research.numerics.pooled_drift`). The answer of each block alone stands beside it, and
a back-test says which of the two would have served better.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from sipas_research import wording
from sipas_research.errors import AnalysisError, OptionError
from sipas_research.evidence.series import Point, Series
from sipas_research.framework.targets import CREDIBLE, HORIZON, MINIMUM_POINTS, Goal, TargetPath, target_path
from sipas_research.numerics.drift import fit_drift, reach_probability
from sipas_research.numerics.multiplicity import holm
from sipas_research.numerics.pooled_drift import PooledDrift, Walk, drift, fit_pooled_drift, own_drifts, predict
from sipas_research.results import DataKind, weakest
from sipas_research.wording import Bilingual

_TOP, _NAN = 100.0, float("nan")


@dataclass(frozen=True, slots=True)
class PanelRow:
    """One target of one block; probabilities 0-1, values in per cent. ``..._alone`` is the answer without pooling.

    ``estimate`` with ``conf_low`` and ``conf_high`` is the prediction for the target's year; ``earliest_50`` and
    ``earliest_90`` are the first years whose probability reaches these odds (NaN: none up to the horizon). ``drift``
    is on the logit scale, a year. ``note`` says why there is no probability.
    """

    term: str
    group: str
    estimate: float
    conf_low: float
    conf_high: float
    note: str
    year: int
    target: float
    required_pace: float
    probability: float
    earliest_50: float
    earliest_90: float
    probability_alone: float
    estimate_alone: float
    conf_low_alone: float
    conf_high_alone: float
    drift: float
    drift_alone: float
    n_points: int


@dataclass(frozen=True, slots=True)
class MoverRow:
    """A block's own drift less that of the others together, on the logit scale a year.

    ``p_adjusted`` is Holm's over the blocks, of the one-sided test that the block is slower; ``slow`` only below one
    minus the level.
    """

    term: str
    group: str
    estimate: float
    std_error: float
    statistic: float
    p_value: float
    p_adjusted: float
    slow: bool


@dataclass(frozen=True, slots=True)
class Forecast:
    """What would have been said at ``origin`` of the chance that ``year`` reaches ``threshold``, and what came."""

    group: str
    origin: int
    year: int
    threshold: float
    pooled: float
    alone: float
    reached: bool


@dataclass(frozen=True, slots=True, eq=False)
class TargetPanel:
    """Targets of several blocks; ``names`` are the blocks' names in the order given.

    ``volatility`` and ``spread`` are on the logit scale. ``brier_pooled`` and ``brier_alone`` are mean squared
    errors of the back-test's probabilities (0.25 is what even odds for everything would score), NaN without forecasts.
    """

    names: tuple[Bilingual, ...]
    rows: tuple[PanelRow, ...]
    mover_rows: tuple[MoverRow, ...]
    forecasts: tuple[Forecast, ...]
    volatility: float
    spread: float
    df: int
    brier_pooled: float
    brier_alone: float
    level: float
    assumptions: tuple[str, ...]
    data_kind: DataKind

    def tidy(self) -> pd.DataFrame:
        """One row a block and target."""
        return pd.DataFrame([astuple(r) for r in self.rows], columns=[f.name for f in fields(PanelRow)])

    def movers(self) -> pd.DataFrame:
        """One row a block with enough years: is it slower than the others by more than noise."""
        return pd.DataFrame([astuple(r) for r in self.mover_rows], columns=[f.name for f in fields(MoverRow)])

    def back_test(self) -> pd.DataFrame:
        """One row a forecast that could be compared with what came."""
        return pd.DataFrame([astuple(r) for r in self.forecasts], columns=[f.name for f in fields(Forecast)])

    @property
    def slow(self) -> tuple[str, ...]:
        """Blocks slower than the others beyond noise, in the order given."""
        return tuple(r.group for r in self.mover_rows if r.slow)

    def glance(self) -> pd.DataFrame:
        """One row about the fit."""
        row = {"n_blocks": len(self.names), "n_pooled": len(self.mover_rows), "df": self.df}
        fit = {"volatility": self.volatility, "spread": self.spread, "n_forecasts": len(self.forecasts)}
        brier = {"brier_pooled": self.brier_pooled, "brier_alone": self.brier_alone, "level": self.level}
        return pd.DataFrame([row | fit | brier | {"data_kind": self.data_kind.value}])

    def summary(self, language: str = "vi") -> str:
        """Return one line a block and target, the slow movers, the back-test and the assumptions."""
        named = {n.vi: n(language) for n in self.names}
        lines = [self._line(row, named[row.group], language) for row in self.rows]
        slow = ", ".join(named[g] for g in self.slow)
        key = "target_panel.summary.slow" if slow else "target_panel.summary.none_slow"
        lines.append(wording.text(key, language, names=slow))
        if self.forecasts:
            scores = {k: wording.number(v, 3, language) for k, v in self._scores().items()}
            lines.append(wording.text("target_panel.summary.brier", language, n=len(self.forecasts), **scores))
        lines += [wording.text(key, language) for key in self.assumptions]
        return "\n".join([*lines, wording.text(f"common.kind.{self.data_kind.value}", language)])

    def _scores(self) -> dict[str, float]:
        return {"pooled": self.brier_pooled, "alone": self.brier_alone}

    def _line(self, row: PanelRow, name: str, language: str) -> str:
        head = {"name": name, "year": str(row.year), "target": wording.number(row.target, 2, language)}
        if row.note:
            return wording.text("target_panel.summary.none", language, **head, reason=wording.text(row.note, language))
        chances = {
            "pooled": wording.percent(row.probability, language, 0),
            "alone": wording.percent(row.probability_alone, language, 0),
        }
        return wording.text("target_panel.summary.line", language, **head, **chances)


def target_panel(
    series: Sequence[Series],
    targets: Mapping[int, float],
    *,
    errors: Sequence[Mapping[int, float]] | None = None,
    level: float = 0.95,
    horizon: int = HORIZON,
) -> TargetPanel:
    """Hold the same targets against the series of several agencies or blocks.

    Of each series the years since its last known break count. A block with fewer than four of them gets no
    probability and does not enter the panel.

    Parameters
    ----------
    series : sequence of Series
        Percentages, one series a block, with different Vietnamese names.
    targets : mapping of int to float
        Year to percentage, strictly between 0 and 100; years after the last value of every series.
    errors : sequence of mappings of int to float, optional
        Standard error of each year's value in percentage points, one mapping a series; a year without one counts as
        known exactly, and the assumptions say so.
    level : float
        Level of the prediction limits and of the tests.
    horizon : int
        Years after the last value in which a credible year is sought, 1 to 100.

    Raises
    ------
    OptionError
        If a target, an error, the level or the horizon is outside its range, or names are not different.
    AnalysisError
        If fewer than two blocks have four comparable years.
    """
    blocks = tuple(series)
    known = _checked_errors(blocks, errors)
    used = tuple(s.eras(known_only=True)[-1] for s in blocks)
    alone = tuple(target_path(s, targets, level=level, horizon=horizon) for s in blocks)
    pooled = [k for k, points in enumerate(used) if len(points) >= MINIMUM_POINTS]
    if len(pooled) < 2:
        raise AnalysisError("target_panel.error.few_blocks", n=len(pooled), minimum=MINIMUM_POINTS)
    fit = fit_pooled_drift([_walk(used[k], known[k]) for k in pooled])
    place = {k: p for p, k in enumerate(pooled)}
    rows = tuple(
        _row(path, goal, fit, place.get(k), level=level, horizon=horizon)
        for k, path in enumerate(alone)
        for goal in path.goals
    )
    first = min(targets)
    forecasts = _forecasts(blocks, used, known, (first, float(targets[first])))
    scores = [_brier(forecasts, name) for name in ("pooled", "alone")]
    exact = any(p.year not in known[k] for k in pooled for p in used[k])
    return TargetPanel(
        tuple(s.name for s in blocks),
        rows,
        _movers(tuple(blocks[k].name.vi for k in pooled), fit, level),
        forecasts,
        fit.volatility,
        fit.spread,
        fit.df,
        scores[0],
        scores[1],
        level,
        (
            "target_panel.assumption.model",
            "target_panel.assumption.pooled",
            *(("target_panel.assumption.no_errors",) if exact else ()),
            "target_panel.assumption.alone",
        ),
        weakest(s.data_kind for s in blocks),
    )


def _checked_errors(
    blocks: tuple[Series, ...], errors: Sequence[Mapping[int, float]] | None
) -> tuple[dict[int, float], ...]:
    names = [s.name.vi for s in blocks]
    if len(set(names)) < len(names):
        raise OptionError("target_panel.error.names")
    for one in blocks:
        if one.unit != "percent":
            raise OptionError("target_panel.error.unit", name=one.name)
    given = [{} for _ in blocks] if errors is None else [dict(e) for e in errors]
    if len(given) != len(blocks):
        raise OptionError("target_panel.error.errors_count", value=len(given), needed=len(blocks))
    for found in given:
        for year, error in found.items():
            if not (math.isfinite(error) and error >= 0):
                raise OptionError("target_panel.error.errors_value", year=str(year), value=str(error))
    return tuple({int(y): float(e) for y, e in found.items()} for found in given)


def _logit(value: float) -> float:
    return math.log(value / (_TOP - value))


def _percent(value: float) -> float:
    # beyond 700 the exponential leaves its range; the value is then 0 or 100
    return _TOP / (1.0 + math.exp(min(max(-value, -700.0), 700.0))) if math.isfinite(value) else _NAN


def _walk(points: Sequence[Point], errors: Mapping[int, float]) -> Walk:
    times = np.array([p.year for p in points], dtype=float)
    values = np.array([_logit(p.value) for p in points])
    variances = np.array([(errors.get(p.year, 0.0) * _TOP / (p.value * (_TOP - p.value))) ** 2 for p in points])
    return Walk(times, values, variances)


def _chance(fit: PooledDrift, block: int, year: float, wanted: float, noise: float = 0.0) -> float:
    centre, error = predict(fit, block, year)
    scale = math.hypot(error, noise)
    return float(stdtr(fit.df, (centre - wanted) / scale)) if scale > 0 else _NAN


def _row(path: TargetPath, goal: Goal, fit: PooledDrift, block: int | None, *, level: float, horizon: int) -> PanelRow:
    """Put the pooled answer beside the block's own."""
    name, n_points = path.name.vi, len(path.used)
    alone = (goal.probability, goal.centre, goal.low, goal.high) if not path.reason else (_NAN,) * 4
    head = (goal.year, goal.value, goal.required_pace)
    if block is None:
        note = "target_panel.reason.few"
        nothing = (_NAN, _NAN, _NAN)
        return PanelRow("target", name, *nothing, note, *head, *nothing, *alone, _NAN, path.drift, n_points)
    wanted = _logit(goal.value)
    centre, error = predict(fit, block, goal.year)
    reach = float(stdtrit(fit.df, (1.0 + level) / 2.0)) * error
    ends = (_percent(centre), _percent(centre - reach), _percent(centre + reach))
    start = int(fit.walks[block].times[-1]) + 1
    chances = {y: _chance(fit, block, y, wanted) for y in range(start, start + horizon)}
    half, ninety = (next((float(y) for y, chance in chances.items() if chance >= bar), _NAN) for bar in CREDIBLE)
    early = (_chance(fit, block, goal.year, wanted), half, ninety)
    note = "" if math.isfinite(early[0]) else "target_panel.reason.straight"
    slope = drift(fit, block)[0]
    return PanelRow("target", name, *ends, note, *head, *early, *alone, slope, path.drift, n_points)


def _movers(names: tuple[str, ...], fit: PooledDrift, level: float) -> tuple[MoverRow, ...]:
    """Each block's own drift against the others', weighted by their precision."""
    own, errors = own_drifts(fit)
    gaps, spans = [], []
    for k in range(len(names)):
        weights = np.where(np.arange(len(names)) == k, 0.0, errors**-2)
        gaps.append(own[k] - weights @ own / weights.sum())
        spans.append(math.sqrt(errors[k] ** 2 + 1.0 / weights.sum()))
    statistics = np.array(gaps) / np.array(spans)
    tails = stdtr(fit.df, statistics)
    raised = holm(tails)
    return tuple(
        MoverRow(
            "drift",
            name,
            gaps[k],
            spans[k],
            float(statistics[k]),
            float(tails[k]),
            float(raised[k]),
            bool(raised[k] < 1.0 - level),
        )
        for k, name in enumerate(names)
    )


def _forecasts(
    blocks: tuple[Series, ...],
    used: tuple[tuple[Point, ...], ...],
    errors: tuple[dict[int, float], ...],
    goal: tuple[int, float],
) -> tuple[Forecast, ...]:
    """From every year, the chance of the next value of each block; the threshold is its printed target or the pace."""
    origins = sorted({p.year for points in used for p in points[MINIMUM_POINTS - 1 : -1]})
    found = []
    for origin in origins:
        past = [tuple(p for p in points if p.year <= origin) for points in used]
        held = [k for k, points in enumerate(past) if len(points) >= MINIMUM_POINTS]
        if len(held) < 2:
            continue
        fit = fit_pooled_drift([_walk(past[k], errors[k]) for k in held])
        for place, k in enumerate(held):
            later = next((p for p in used[k] if p.year > origin), None)
            if later is None or past[k][-1].year != origin:
                continue
            found.append(_forecast(blocks[k].name.vi, past[k], later, errors[k], goal, fit, place))
    return tuple(f for f in found if math.isfinite(f.pooled) and math.isfinite(f.alone))


def _forecast(
    name: str,
    past: tuple[Point, ...],
    later: Point,
    errors: Mapping[int, float],
    goal: tuple[int, float],
    fit: PooledDrift,
    place: int,
) -> Forecast:
    last = past[-1]
    pace = (goal[1] - last.value) / (goal[0] - last.year)
    threshold = later.target if later.target is not None else last.value + pace * (later.year - last.year)
    wanted = _logit(min(max(threshold, 1e-6), _TOP - 1e-6))
    noise = errors.get(later.year, 0.0) * _TOP / (later.value * (_TOP - later.value))
    walk = _walk(past, errors)
    single = reach_probability(fit_drift(walk.times, walk.values), later.year, wanted)
    pooled = _chance(fit, place, later.year, wanted, noise)
    return Forecast(name, last.year, later.year, threshold, pooled, single, later.value >= threshold)


def _brier(forecasts: tuple[Forecast, ...], which: str) -> float:
    if not forecasts:
        return _NAN
    chances = np.array([getattr(f, which) for f in forecasts])
    return float(((chances - np.array([f.reached for f in forecasts], dtype=float)) ** 2).mean())
