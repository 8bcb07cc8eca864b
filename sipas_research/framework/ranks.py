"""Ranks of agencies as sets: which places the data leave open, within one family of agencies.

No rank is ever a single number taken from sorted estimates. See :mod:`sipas_research.numerics.rank_sets`.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from typing import Literal

import numpy as np
import pandas as pd

from sipas_research import wording
from sipas_research.errors import AnalysisError, OptionError
from sipas_research.framework.families import checked_seed, chosen_family
from sipas_research.framework.group_estimates import GroupEstimates
from sipas_research.framework.index import INDEX, IndexRow, SatisfactionIndex
from sipas_research.numerics import rank_sets as sets
from sipas_research.results import DataKind

Verdict = Literal["in", "unknown", "out", ""]
#: Half an interval wider than this (0-1) gives an agency no rank.
HALF_WIDTH = 0.05
#: 1.96 / sqrt(2): standard errors on either side of an estimate in the figure.
_COMPARISON = 1.39
_NAN = float("nan")
_FEWEST_DRAWS = 1_000
_TOP = 3


@dataclass(frozen=True, slots=True)
class RankRow:
    """One agency. Rank 1 is the highest index; the four ranks are NaN where the agency keeps no rank.

    ``rank_low`` to ``rank_high`` holds this agency's rank with the stated probability, ``joint_low`` to ``joint_high``
    all agencies' ranks at once. ``in_top``: "in" surely among the first k, "out" surely not, "unknown" the data cannot
    tell; "" without rank. ``tier`` counts groups of agencies from the highest, 0 without rank. ``note`` is the
    catalogue key of the reason why there is no rank.
    """

    group: str
    estimate: float
    std_error: float
    conf_low: float
    conf_high: float
    rank_low: float
    rank_high: float
    joint_low: float
    joint_high: float
    in_top: Verdict
    tier: int
    n: float
    suppressed: bool
    note: str


@dataclass(frozen=True, slots=True, eq=False)
class AgencyRanks:
    """Rank sets of one family of agencies.

    ``rows`` stand in the order of the index (register), never by value. ``size`` counts the agencies of the family
    with answers, ranked or not: ranks run from 1 to it. ``compared`` are the agencies behind ``above``, whose element
    (j, k) is True where j is told to lie above k, all pairs together.
    """

    rows: tuple[RankRow, ...]
    family: str
    size: int
    top: int
    level: float
    conf_level: float
    draws: int
    seed: int
    half_width: float
    critical: float
    compared: tuple[str, ...]
    above: np.ndarray
    weighting: str
    notes: tuple[str, ...]
    data_kind: DataKind
    source: str

    @property
    def ranked(self) -> tuple[str, ...]:
        """Agencies that keep a rank."""
        return tuple(row.group for row in self.rows if row.tier)

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Agencies that cannot be told apart, directly or through a chain of others; highest group first.

        Agencies of different groups are all told apart. Inside a group codes stand in alphabetical order.
        """
        last = max((row.tier for row in self.rows), default=0)
        return tuple(tuple(sorted(r.group for r in self.rows if r.tier == t)) for t in range(1, last + 1))

    def verdicts(self, verdict: Verdict) -> tuple[str, ...]:
        """Agencies with one verdict on the first ``top`` places, in alphabetical order of their codes."""
        return tuple(sorted(row.group for row in self.rows if row.tier and row.in_top == verdict))

    def told_apart(self) -> pd.DataFrame:
        """Ranked agencies x ranked agencies: 1 where the row lies above the column, -1 below, 0 cannot tell."""
        place = [self.compared.index(name) for name in sorted(self.ranked)]
        told = self.above[np.ix_(place, place)].astype(int)
        return pd.DataFrame(told - told.T, index=sorted(self.ranked), columns=sorted(self.ranked))

    def drawing_aid(self) -> pd.DataFrame:
        """Ends of estimate -/+ 1.39 standard errors (on the logit scale) of the agencies that are shown, for figures.

        Two agencies with equal standard errors differ at about 5% where these do not overlap (Goldstein and Healy
        1995; Goldstein and Spiegelhalter 1996). They hold for one pair chosen beforehand: no rank follows from them.
        """
        shown = [row for row in self.rows if 0.0 < row.estimate < 1.0 and np.isfinite(row.std_error)]
        share, error = (np.array([getattr(row, name) for row in shown]) for name in ("estimate", "std_error"))
        centre, reach = np.log(share / (1.0 - share)), _COMPARISON * error / (share * (1.0 - share))
        low, high = (1.0 / (1.0 + np.exp(-(centre + sign * reach))) for sign in (-1.0, 1.0))
        return pd.DataFrame({"group": [row.group for row in shown], "low": low, "high": high})

    def tidy(self) -> pd.DataFrame:
        """One row an agency, in the order of the index."""
        return pd.DataFrame([astuple(r) for r in self.rows], columns=[f.name for f in fields(RankRow)])

    def glance(self) -> pd.DataFrame:
        """One row: family, sizes, what was asked for, how it was drawn, kind of the data."""
        row = {"family": self.family, "size": self.size, "n_ranked": len(self.ranked), "n_groups": len(self.groups)}
        asked = {"top": self.top, "level": self.level, "half_width": self.half_width}
        drawn = {"draws": self.draws, "seed": self.seed, "critical": self.critical}
        return pd.DataFrame([row | asked | drawn | {"data_kind": self.data_kind.value, "source": self.source}])

    def summary(self, language: str = "vi") -> str:
        """Return how many agencies are ranked, what is certain about the first places, and what ranks cover."""
        level = wording.percent(self.level, language, 0)
        family = wording.text(f"framework.agency_level.{self.family}", language)
        counts = {"size": self.size, "ranked": len(self.ranked), "groups": len(self.groups)}
        lines = [wording.text("ranks.summary.head", language, family=family, level=level, **counts)]
        for verdict in ("in", "unknown", "out") if self.ranked else ():
            names = ", ".join(self.verdicts(verdict)) or wording.MISSING
            lines.append(wording.text(f"ranks.summary.{verdict}", language, top=self.top, names=names))
        lines.append(wording.text("ranks.note.sampling", language))
        return "\n".join([*lines, wording.text(f"common.kind.{self.data_kind.value}", language)])


def rank_sets(
    index: SatisfactionIndex,
    level: float = 0.95,
    *,
    family: str | None = None,
    top: int | None = None,
    draws: int = 10_000,
    seed: int = 1,
    half_width: float = HALF_WIDTH,
) -> AgencyRanks:
    """Return confidence sets for the ranks of the agencies of one family.

    Marginal and simultaneous sets of Mogstad, Romano, Shaikh and Wilhelm (2024): stepdown tests of all ordered pairs
    with studentised maxima, on the logit scale, from the design covariance of the estimates. The draws carry the
    error of the estimated variances through each agency's degrees of freedom. An agency is surely among the first k
    where its simultaneous set ends at k or before, surely not where it begins after k.

    An agency whose figures must not be printed keeps its place among the others: it may stand anywhere, and nothing
    about it can be worked out from the sets. One whose half interval is wider than ``half_width`` takes part in all
    comparisons and gets no rank.

    Parameters
    ----------
    index : SatisfactionIndex
        ``sr.satisfaction_index(responses, by="agency")``.
    level : float
        Confidence level, strictly between 0 and 1.
    family : str, optional
        "department", "district", "commune", "other"; needed where the index holds several.
    top : int, optional
        k, from 1 to the number of agencies less one; 3, or half the agencies where that is fewer.
    draws : int
        At least 1,000.
    seed : int
        Of the generator: the same seed gives the same sets, whatever the order of the agencies.
    half_width : float
        Widest half interval (0-1, at the confidence level of the index) with which an agency keeps a rank.

    Raises
    ------
    OptionError
        If an option is outside its range, or agencies of several families would be compared.
    AnalysisError
        If fewer than two agencies can be compared.
    """
    if not index.decides:
        raise OptionError("criterion_weights.error.decides")
    groups = chosen_family(index, family)
    size = len(groups.labels)
    chosen = max(1, min(_TOP, size // 2)) if top is None else top
    _check(level, chosen, size, draws, half_width)
    printed = {row.group: row for row in index.rows if row.term == INDEX}
    reasons = [_reason(index, groups, place, printed[groups.labels[place]], half_width) for place in range(size)]
    usable = np.array([reason in {"", "ranks.note.imprecise"} for reason in reasons])
    compared = groups.only(usable)
    found = _sets(compared, level, draws, checked_seed(seed))
    ranked = [label for label, reason in zip(groups.labels, reasons, strict=True) if not reason]
    place = [compared.labels.index(label) for label in ranked]
    tier = dict(zip(ranked, (int(t) + 1 for t in sets.tiers(found.above[np.ix_(place, place)])), strict=True))
    build = _RowBuilder(compared.labels, found, size - len(compared.labels), chosen, tier)
    reason_of = dict(zip(groups.labels, reasons, strict=True))
    return AgencyRanks(
        rows=tuple(build.row(printed[label], reason_of[label]) for label in index.groups if label in reason_of),
        family=groups.families[0],
        size=size,
        top=chosen,
        level=level,
        conf_level=index.level,
        draws=draws,
        seed=seed,
        half_width=half_width,
        critical=found.critical,
        compared=compared.labels,
        above=found.above,
        weighting=index.weighting,
        notes=index.notes,
        data_kind=index.data_kind,
        source=index.source,
    )


def _check(level: float, top: int, size: int, draws: int, half_width: float) -> None:
    if not 0.0 < level < 1.0:
        raise OptionError("index.error.level", value=str(level))
    if isinstance(top, bool) or not isinstance(top, int | np.integer) or not 1 <= top < size:
        raise OptionError("ranks.error.top", value=str(top), most=size - 1)
    if isinstance(draws, bool) or not isinstance(draws, int | np.integer) or draws < _FEWEST_DRAWS:
        raise OptionError("ranks.error.draws", value=str(draws), least=_FEWEST_DRAWS)
    if not 0.0 < half_width <= 0.5:
        raise OptionError("ranks.error.half_width", value=str(half_width))


def _reason(index: SatisfactionIndex, groups: GroupEstimates, place: int, row: IndexRow, half_width: float) -> str:
    """Say why an agency keeps no rank, "" where it does."""
    error = float(np.sqrt(max(groups.covariance[place, place], 0.0)))
    if row.suppressed or not groups.shown[place]:
        return "ranks.note.suppressed"
    if not 0.0 < groups.estimates[place] < 1.0 or not np.isfinite(error) or groups.degrees_of_freedom[place] < 1:
        return "ranks.note.no_variance"
    if error == 0.0 and not index.fpc:
        # without a frame that was asked in full, no spread is a matter of luck, not certainty
        return "ranks.note.no_spread"
    return "" if (row.conf_high - row.conf_low) / 2.0 <= half_width else "ranks.note.imprecise"


def _sets(compared: GroupEstimates, level: float, draws: int, seed: int) -> sets.RankSets:
    if len(compared.labels) < 2:
        raise AnalysisError("ranks.error.too_few", n=len(compared.labels))
    generator = np.random.default_rng(seed)
    try:
        values, matrix = sets.logit_scale(compared.estimates, compared.covariance)
        freedom = compared.degrees_of_freedom
        return sets.rank_sets(values, matrix, level, generator=generator, draws=draws, df=freedom)
    except (ValueError, np.linalg.LinAlgError) as reason:
        raise AnalysisError("ranks.error.covariance") from reason


@dataclass(frozen=True, slots=True, eq=False)
class _RowBuilder:
    """Turns what was found about places into rows about agencies."""

    labels: tuple[str, ...]
    found: sets.RankSets
    anywhere: int
    top: int
    tier: dict[str, int]

    def row(self, printed: IndexRow, reason: str) -> RankRow:
        own = joint = (_NAN, _NAN)
        verdict: Verdict = ""
        if not reason:
            place = self.labels.index(printed.group)
            own, joint = self._ends(self.found.marginal[place]), self._ends(self.found.simultaneous[place])
            verdict = "in" if joint[1] <= self.top else "out" if joint[0] > self.top else "unknown"
        return RankRow(
            group=printed.group,
            estimate=printed.estimate,
            std_error=printed.std_error,
            conf_low=printed.conf_low,
            conf_high=printed.conf_high,
            rank_low=own[0],
            rank_high=own[1],
            joint_low=joint[0],
            joint_high=joint[1],
            in_top=verdict,
            tier=self.tier.get(printed.group, 0),
            n=printed.n,
            suppressed=printed.suppressed,
            note=reason,
        )

    def _ends(self, places: np.ndarray) -> tuple[float, float]:
        """First and last rank; agencies that were not compared may stand anywhere."""
        return float(places[0]), float(places[1] + self.anywhere)
