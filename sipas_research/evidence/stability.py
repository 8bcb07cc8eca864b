"""Is a yearly series unstable? Changes against their sampling error, volatility, rank churn, and a stated rule.

The rule: "chưa ổn định" is said only where one regime holds at least four consecutive years and at least two of the
yearly changes there, of opposite sign, are each larger than their own margin. With fewer years nothing is said,
because one change cannot show instability. Ranks describe and never decide: the sampling errors of the other
provinces are not published.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd

from sipas_research import wording
from sipas_research.errors import OptionError
from sipas_research.evidence.series import Point, Series
from sipas_research.numerics.intervals import t_quantile
from sipas_research.results import DataKind
from sipas_research.wording import Bilingual

Verdict = Literal["unstable", "no_sign", "not_enough"]
#: Consecutive years of one regime below which the rule says nothing.
MINIMUM_YEARS = 4
#: Changes below which their standard deviation is not given.
MINIMUM_CHANGES = 3
#: The old ministry guide's sample for 5% error, n = N / (1 + N e^2), tends to 1 / 0,05^2.
DESIGN_N = 400
_TOP = 100.0


@dataclass(frozen=True, slots=True)
class Change:
    """The change between two consecutive comparable years.

    Attributes
    ----------
    change, std_error, margin : float
        In points of the scale; NaN margin where no sample size is known.
    statistic : float
        Change over its standard error.
    beyond : bool or None
        True where the change is larger than its margin; None without a margin.
    places : int or None
        Places gained (positive) or lost.
    """

    first: int
    last: int
    change: float
    std_error: float
    margin: float
    statistic: float
    beyond: bool | None
    places: int | None


@dataclass(frozen=True, slots=True)
class Stability:
    """What a series says about stability.

    Attributes
    ----------
    apart : tuple of (int, int, str)
        Pairs of neighbouring known years that are not compared, and why: "gap" or "break".
    longest_run : int
        Most consecutive years inside one regime.
    volatility : float
        Standard deviation of the yearly changes of the longest run; NaN below three changes.
    rank_churn : float
        Mean size of yearly rank changes, in places; NaN where none is known.
    assumed_n : tuple of int
        Years whose sample size is assumed, not printed.
    """

    name: Bilingual
    changes: tuple[Change, ...]
    apart: tuple[tuple[int, int, str], ...]
    longest_run: int
    volatility: float
    rank_churn: float
    verdict: Verdict
    level: float
    assumed_n: tuple[int, ...] = ()
    data_kind: DataKind = DataKind.PUBLISHED

    def tidy(self) -> pd.DataFrame:
        """Return one row a comparable change; margins are in points of the scale."""
        columns = ["term", "group", "estimate", "std_error", "statistic", "margin", "beyond", "places", "note"]
        rows = [
            (
                "change",
                f"{c.first}-{c.last}",
                c.change,
                c.std_error,
                c.statistic,
                c.margin,
                c.beyond,
                c.places,
                "" if c.beyond is not None else "no_sample_size",
            )
            for c in self.changes
        ]
        return pd.DataFrame(rows, columns=columns)

    def glance(self) -> pd.DataFrame:
        """Return one row: run, volatility, churn, verdict."""
        return pd.DataFrame(
            [
                {
                    "n_changes": len(self.changes),
                    "longest_run": self.longest_run,
                    "volatility": self.volatility,
                    "rank_churn": self.rank_churn,
                    "verdict": self.verdict,
                    "level": self.level,
                    "data_kind": self.data_kind.value,
                }
            ]
        )

    def summary(self, language: str = "vi") -> str:
        """Return the verdict and the rule behind it, for people."""
        said = wording.text(f"stability.verdict.{self.verdict}", language, name=self.name, run=self.longest_run)
        return said + "\n" + rule(language)


def rule(language: str) -> str:
    """Return the rule in words."""
    return wording.text("stability.rule", language, years=MINIMUM_YEARS)


def stability(
    series: Series,
    *,
    n: int | Mapping[int, int] | None = DESIGN_N,
    printed_n: tuple[int, ...] = (),
    level: float = 0.95,
) -> Stability:
    """Hold the yearly changes of a series against their sampling error.

    The standard error is that of two independent simple random samples in which each person counts once as yes or
    no: sqrt(p1 (1 - p1) / n1 + p2 (1 - p2) / n2). Where people were drawn in clusters it is a lower bound; where an
    index averages many answers a person, it may be an upper one.

    Parameters
    ----------
    series : Series
    n : int, mapping of int to int, or None, keyword only
        Sample size of each year, or by year; None or an absent year: no margin. Used for percentages only.
    printed_n : tuple of int, keyword only
        Years whose size is printed; the others that have one count as assumed.
    level : float, keyword only
        Level of the margins, strictly between 0 and 1.

    Raises
    ------
    OptionError
        If the level or a sample size is outside its range.
    """
    if not 0.0 < level < 1.0:
        raise OptionError("stability.error.level", value=str(level))
    sizes = _sizes(series, n)
    # no line joins what segments() keeps apart, and no change is computed there either
    runs = series.segments()
    changes = tuple(_change(a, b, sizes, level) for run in runs for a, b in pairwise(run))
    longest = max(runs, key=len)
    inside = [c for c in changes if longest[0].year <= c.first and c.last <= longest[-1].year]
    steps = np.array([c.change for c in inside])
    places = [abs(c.places) for c in changes if c.places is not None]
    compared = {p.year for run in runs if len(run) > 1 for p in run}
    return Stability(
        series.name,
        changes,
        _apart(series),
        len(longest),
        float(steps.std(ddof=1)) if len(steps) >= MINIMUM_CHANGES else math.nan,
        float(np.mean(places)) if places else math.nan,
        _verdict(runs, changes),
        level,
        tuple(sorted(y for y in compared if y in sizes and y not in printed_n)),
        series.data_kind,
    )


def _sizes(series: Series, n: int | Mapping[int, int] | None) -> dict[int, int]:
    if n is None or series.unit != "percent":
        return {}
    given = dict(n) if isinstance(n, Mapping) else {p.year: n for p in series.points}
    for year, size in given.items():
        if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
            raise OptionError("stability.error.n", year=str(year), value=str(size))
    return given


def _change(before: Point, after: Point, sizes: Mapping[int, int], level: float) -> Change:
    change = after.value - before.value
    error = math.nan
    if before.year in sizes and after.year in sizes:
        parts = [p.value / _TOP * (1.0 - p.value / _TOP) / sizes[p.year] for p in (before, after)]
        error = _TOP * math.sqrt(sum(parts))
    margin = t_quantile(level, math.inf) * error
    known = math.isfinite(margin)
    places = None if before.rank is None or after.rank is None else before.rank - after.rank
    return Change(
        before.year,
        after.year,
        change,
        error,
        margin,
        change / error if known and error > 0 else math.nan,
        abs(change) > margin if known else None,
        places,
    )


def _apart(series: Series) -> tuple[tuple[int, int, str], ...]:
    return tuple(
        (a.year, b.year, "gap" if series.comparable(a.year, b.year) else "break")
        for a, b in pairwise(series.points)
        if b.year > a.year + 1 or not series.comparable(a.year, b.year)
    )


def _verdict(runs: tuple[tuple[Point, ...], ...], changes: tuple[Change, ...]) -> Verdict:
    verdict: Verdict = "not_enough"
    for run in runs:
        if len(run) < MINIMUM_YEARS:
            continue
        inside = [c for c in changes if run[0].year <= c.first and c.last <= run[-1].year]
        if any(c.beyond is None for c in inside):
            continue
        signs = {c.change > 0 for c in inside if c.beyond}
        if len(signs) == 2:
            return "unstable"
        verdict = "no_sign"
    return verdict
