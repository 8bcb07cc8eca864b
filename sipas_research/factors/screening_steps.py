"""The state of a screening between two rounds: items in play, their tables, and what the rules say of them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from sipas_research.errors import AnalysisError, OptionError, SipasWarning
from sipas_research.factors.adequacy import bartlett_sphericity, kmo
from sipas_research.factors.efa import efa
from sipas_research.factors.inputs import ItemMatrix
from sipas_research.factors.reliability import reliability
from sipas_research.factors.screening_result import NAN, Effect, ScreeningCheck, ScreeningRule
from sipas_research.factors.solution import FactorSolution
from sipas_research.numerics.reliability import Alpha, cronbach_alpha


@dataclass(frozen=True, slots=True, eq=False)
class Bench:
    """What stays the same over all rounds: the answers and how factors are taken out."""

    matrix: ItemMatrix
    n_factors: int
    method: str
    rotation: str

    def frame(self, rows: np.ndarray, items: tuple[str, ...]) -> pd.DataFrame:
        """Return some rows of some items under their names."""
        places = np.array([self.matrix.items.index(item) for item in items], dtype=int)
        return pd.DataFrame(self.matrix.values[np.ix_(rows, places)], columns=list(items))

    def solve(self, rows: np.ndarray, items: tuple[str, ...]) -> FactorSolution | None:
        """Return the factor solution, None where there is none; its warnings are fields of the solution."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SipasWarning)
                return efa(
                    self.frame(rows, items),
                    self.n_factors,
                    method=self.method,
                    rotation=self.rotation,
                    data_kind=self.matrix.data_kind,
                )
        except (AnalysisError, OptionError):
            return None


@dataclass(frozen=True, slots=True, eq=False)
class Violation:
    """One item that breaks one rule."""

    rule: ScreeningRule
    step: str
    item: str
    value: float


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Items in play, each with its scale; the tables are made once when the state is."""

    bench: Bench
    rows: np.ndarray
    owners: dict[str, str]
    alphas: dict[str, Alpha] = field(init=False)
    solution: FactorSolution | None = field(init=False)
    kmo: float = field(init=False)

    def __post_init__(self) -> None:
        found = {}
        for scale, items in self.scales().items():
            if len(items) > 1:
                found[scale] = cronbach_alpha(self.bench.frame(self.rows, items).to_numpy())
        object.__setattr__(self, "alphas", found)
        object.__setattr__(self, "solution", self.bench.solve(self.rows, tuple(self.owners)))
        object.__setattr__(self, "kmo", adequacy(self.bench.frame(self.rows, tuple(self.owners)))[0])

    def scales(self) -> dict[str, tuple[str, ...]]:
        """Items in play by scale, in the order given."""
        names = dict.fromkeys(self.owners.values())
        return {name: tuple(i for i, owner in self.owners.items() if owner == name) for name in names}

    def without(self, item: str) -> State:
        """Return the state after one deletion."""
        return State(self.bench, self.rows, {i: owner for i, owner in self.owners.items() if i != item})

    def effect(self, scale: str) -> Effect:
        """Return the figures that the log prints beside a deletion from a scale."""
        alpha = self.alphas[scale].alpha if scale in self.alphas else NAN
        if self.solution is None:
            return Effect(alpha, self.kmo)
        loadings = np.abs(self.solution.rotated.loadings)
        return Effect(alpha, self.kmo, float(self.solution.communality.mean()), float(loadings.max(axis=1).min()))


def violations(state: State, rules: tuple[ScreeningRule, ...]) -> Iterator[Violation]:
    """Yield what breaks a rule: rules in order, within a rule the worst item first."""
    for rule in rules:
        step, measured = _measured(state, rule.name)
        # "alpha_rise" is broken from above, the others from below
        side = -1.0 if rule.name == "alpha_rise" else 1.0
        broken = [(side * value, item) for item, value in measured.items() if side * value < side * rule.bar]
        for value, item in sorted(broken, key=lambda pair: pair[0]):
            yield Violation(rule, step, item, side * value)


def _measured(state: State, rule: str) -> tuple[str, dict[str, float]]:
    """Return the step of a rule, and what each item has where it can be computed."""
    if rule in {"item_total", "alpha_rise"}:
        values: dict[str, float] = {}
        for scale, items in state.scales().items():
            found = state.alphas.get(scale)
            if found is not None:
                column = found.item_total if rule == "item_total" else found.alpha_if_deleted - found.alpha
                values |= dict(zip(items, map(float, column), strict=True))
        return "reliability", {item: v for item, v in values.items() if np.isfinite(v)}
    solution = state.solution
    if solution is None:
        return "factors", {}
    sizes = np.sort(np.abs(solution.rotated.loadings), axis=1)
    if rule == "communality":
        column = np.asarray(solution.communality)
    elif rule == "loading":
        column = sizes[:, -1]
    else:
        column = sizes[:, -1] - sizes[:, -2] if sizes.shape[1] > 1 else np.full(len(sizes), NAN)
    return "factors", {i: float(v) for i, v in zip(solution.items, column, strict=True) if np.isfinite(v)}


def adequacy(frame: pd.DataFrame) -> tuple[float, float]:
    """Return KMO and the p-value of Bartlett's test; NaN where they do not exist."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SipasWarning)
            return kmo(frame).overall, bartlett_sphericity(frame).p_value
    except AnalysisError:
        return NAN, NAN


def check(bench: Bench, rows: np.ndarray, owners: dict[str, str], sample: str) -> ScreeningCheck:
    """Return the tables of some items in some rows."""
    names = dict.fromkeys(owners.values())
    scales = {name: [i for i, owner in owners.items() if owner == name] for name in names}
    frame = bench.frame(rows, tuple(owners))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SipasWarning)
        found = reliability(frame, scales, data_kind=bench.matrix.data_kind)
    measure, p = adequacy(frame)
    return ScreeningCheck(sample, len(rows), found, measure, p, bench.solve(rows, tuple(owners)))
