"""A weighted mix of other provinces that ran like one province before a year, and the gap after it.

Abadie, Diamond and Hainmueller (2010) use this to estimate the effect of a policy with a date. No policy is dated
here: the year only divides the panel, and the gap is a comparison, not an effect.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.evidence.papi import PapiPanel
from sipas_research.evidence.papi_facts import papi_facts
from sipas_research.numerics.simplex import simplex_weights
from sipas_research.results import DataKind
from sipas_research.wording import number, percent, text

_FEWEST_YEARS, _FEWEST_DONORS = 3, 2
#: Below this a weight is a rounding of zero.
_SHOWN_WEIGHT = 0.005


@dataclass(frozen=True, slots=True)
class Placebo:
    """The same comparison made for one province: root mean squared gaps before and after, and their ratio.

    ``gaps`` has one value a year of the comparison.
    """

    group: str
    before: float
    after: float
    ratio: float
    gaps: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class SyntheticControl:
    """A province beside its mix.

    Attributes
    ----------
    years : tuple of int
    observed, mix : ndarray, shape (years,)
        Scores of the province and of the weighted donors.
    donors : tuple of str
        Provinces that could get a weight; ``weights`` has one a donor, not negative, summing to one.
    placebos : tuple of Placebo
        The comparison for every province of the pool, the asked one included.
    left_out : tuple of str
        Provinces with a gap in some year used.
    """

    province: str
    outcome: str
    split_year: int
    years: tuple[int, ...]
    observed: np.ndarray
    mix: np.ndarray
    donors: tuple[str, ...]
    weights: np.ndarray
    placebos: tuple[Placebo, ...]
    left_out: tuple[str, ...]
    data_kind: DataKind
    source: str = ""

    def __post_init__(self) -> None:
        for name in ("observed", "mix", "weights"):
            values = np.array(getattr(self, name), float)
            values.flags.writeable = False
            object.__setattr__(self, name, values)

    @property
    def gap(self) -> np.ndarray:
        """Observed minus mix, shape (years,)."""
        return self.observed - self.mix

    @property
    def own(self) -> Placebo:
        """The row of the province itself among the placebos."""
        return next(p for p in self.placebos if p.group == self.province)

    @property
    def share_as_large(self) -> float:
        """Share of the pool's provinces, the asked one included, whose ratio is at least as large."""
        return sum(p.ratio >= self.own.ratio for p in self.placebos) / len(self.placebos)

    @property
    def rank(self) -> int:
        """Place of the province's ratio among the placebos, 1 for the largest."""
        return 1 + sum(p.ratio > self.own.ratio for p in self.placebos)

    def mean_gap(self, first: int, last: int) -> float:
        """Return the mean gap over years ``first`` to ``last``, both included; NaN where the panel has none."""
        chosen = [g for y, g in zip(self.years, self.gap, strict=True) if first <= y <= last]
        return float(np.mean(chosen)) if chosen else float("nan")

    def main_weights(self) -> tuple[tuple[str, float], ...]:
        """Return donors with a weight of at least half a per cent, the largest first."""
        pairs = zip(self.donors, self.weights.tolist(), strict=True)
        return tuple(sorted(((p, w) for p, w in pairs if w >= _SHOWN_WEIGHT), key=lambda pair: (-pair[1], pair[0])))

    def tidy(self) -> pd.DataFrame:
        """One row a year: observed, mix, estimate (the gap), and whether the year was used for the weights."""
        years = np.array(self.years)
        table = {"term": self.outcome, "group": self.province, "year": years, "observed": self.observed}
        return pd.DataFrame({**table, "mix": self.mix, "estimate": self.gap, "fitted": years < self.split_year})

    def glance(self) -> pd.DataFrame:
        """One row: gaps before and after, their ratio, share of provinces with one as large, donors, data kind."""
        row = {"group": self.province, "term": self.outcome, "split_year": self.split_year}
        sizes = {"before": self.own.before, "after": self.own.after, "ratio": self.own.ratio}
        counts = {"share_as_large": self.share_as_large, "n_donors": len(self.donors)}
        return pd.DataFrame([row | sizes | counts | {"data_kind": self.data_kind.value}])

    def summary(self, language: str = "vi") -> str:
        """Return the mix, the gap and its place among the placebos, and what it is not."""
        listed = ", ".join(f"{p} {percent(w, language, 0)}" for p, w in self.main_weights())
        sizes = {name: number(getattr(self.own, name), 2, language) for name in ("before", "after")}
        share = percent(self.share_as_large, language, 0)
        fields = {"province": self.province, "mix": listed, "share": share, **sizes}
        return text("levers.synthetic.summary", language, **fields)


def synthetic_control(
    panel: PapiPanel,
    province: str,
    outcome: str = "dim5_procedures",
    *,
    split_year: int = 2018,
    donors: Iterable[str] | None = None,
    ridge: float | None = None,
) -> SyntheticControl:
    """Compare a province with the mix of others that ran closest to it before ``split_year``.

    The weights minimise the mean squared gap of the years before plus ``ridge`` times the sum of squared weights.
    Donors outnumber years, so without the second term the weights are not unique and copy the noise of the years
    before. The term is the noise that a mix carries: half the variance of the donors' yearly changes about each
    year's mean change (the scale of the penalty of Arkhangelsky et al. 2021, section II.A). Every province of the
    pool then takes the province's place, with all others as donors, and the ratio of root mean squared gaps after
    to before is ranked (Abadie, Diamond and Hainmueller 2010, section 3.4).

    Parameters
    ----------
    panel : PapiPanel
    province : str
    outcome : str
        A dimension or sub-dimension published before and after the split.
    split_year : int, keyword only
        First year that is not used for the weights. It dates no policy.
    donors : iterable of str, keyword only
        None takes every province without a gap in the years used.
    ridge : float or None, keyword only
        Not negative, in squared points; None takes the rule above.

    Raises
    ------
    OptionError
        If province, outcome or a donor is unknown, or ``ridge`` is negative.
    AnalysisError
        If the outcome is a total, is not published on both sides, has fewer than three years before, if the province
        has a gap, or fewer than two donors are left.
    """
    name = panel.province(province)
    if ridge is not None and not (np.isfinite(ridge) and ridge >= 0):
        raise OptionError("levers.synthetic.ridge", value=str(ridge))
    if outcome == papi_facts().total:
        raise AnalysisError("levers.synthetic.total")
    table = panel.scores(outcome).dropna(how="all")
    years = tuple(int(y) for y in table.index)
    early = sum(y < split_year for y in years)
    if early < _FEWEST_YEARS or early == len(years):
        raise AnalysisError("levers.synthetic.years", year=str(split_year), n=early, fewest=_FEWEST_YEARS)
    chosen = list(panel.provinces) if donors is None else [panel.province(d) for d in donors]
    pool = [name, *(p for p in dict.fromkeys(chosen) if p != name)]
    whole = [p for p in pool if table[p].notna().all()]
    if name not in whole:
        raise AnalysisError("levers.synthetic.gap", province=name)
    if len(whole) < 1 + _FEWEST_DONORS:
        raise AnalysisError("levers.synthetic.donors", n=len(whole) - 1, fewest=_FEWEST_DONORS)
    values = table[whole].to_numpy(float)
    fits = [_fit(values, column, early, ridge) for column in range(len(whole))]
    placebos = tuple(_placebo(p, gap, early) for p, (_, gap) in zip(whole, fits, strict=True))
    weights, gap = fits[0]
    return SyntheticControl(
        name,
        outcome,
        split_year,
        years,
        values[:, 0],
        values[:, 0] - gap,
        tuple(whole[1:]),
        weights,
        placebos,
        tuple(p for p in pool if p not in whole),
        panel.data_kind,
        panel.source,
    )


def _fit(values: np.ndarray, column: int, early: int, ridge: float | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights of the other columns and the gap of every year."""
    others = np.delete(values, column, axis=1)
    if ridge is None:
        ridge = float(np.diff(others[:early], axis=0).var(axis=1, ddof=1).mean()) / 2
    weights = simplex_weights(others[:early], values[:early, column], ridge=ridge)
    return weights, values[:, column] - others @ weights


def _placebo(province: str, gap: np.ndarray, early: int) -> Placebo:
    before, after = (float(np.sqrt(np.mean(part**2))) for part in (gap[:early], gap[early:]))
    ratio = after / before if before > 0 else (float("inf") if after > 0 else 0.0)
    return Placebo(province, before, after, ratio, tuple(gap.tolist()))


def placebo_gaps(found: SyntheticControl) -> dict[str, tuple[float, ...]]:
    """Return the gaps by year of every other province of the pool."""
    return {p.group: p.gaps for p in found.placebos if p.group != found.province}
