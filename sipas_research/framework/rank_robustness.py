"""How far an order of agencies hangs on the weights of the components and on how they are put together.

Ranges of ranks over ways of computing: not confidence sets, and no level goes with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields

import numpy as np
import pandas as pd

from sipas_research import wording
from sipas_research.errors import AnalysisError, OptionError
from sipas_research.framework.families import checked_seed, chosen_family
from sipas_research.framework.index import INDEX, SatisfactionIndex
from sipas_research.framework.ranks import HALF_WIDTH, rank_sets
from sipas_research.numerics.composite_ranks import perturbed_weights, rank_range, weighted_means
from sipas_research.results import DataKind

_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class RobustnessRow:
    """Best and worst rank of one agency over several ways of computing.

    ``weights``: own weights changed; ``aggregation``: own or equal weights, arithmetic or geometric mean; ``left_out``:
    without one component at a time; ``all``: all of these, each with both means. NaN where the agency keeps no rank;
    ``note`` is the catalogue key of the reason.
    """

    group: str
    weights_low: float
    weights_high: float
    aggregation_low: float
    aggregation_high: float
    left_out_low: float
    left_out_high: float
    all_low: float
    all_high: float
    note: str


@dataclass(frozen=True, slots=True, eq=False)
class RankRobustness:
    """Ranges of ranks over ways of computing; ``rows`` in the order of the index.

    ``weights`` are the components' own weights, adding up to one; ``size`` counts the agencies that were ordered.
    """

    rows: tuple[RobustnessRow, ...]
    family: str
    size: int
    components: tuple[str, ...]
    weights: tuple[float, ...]
    change: float
    draws: int
    seed: int
    weighting: str
    data_kind: DataKind
    source: str

    @property
    def ranked(self) -> tuple[str, ...]:
        """Agencies with ranges."""
        return tuple(row.group for row in self.rows if not row.note)

    def tidy(self) -> pd.DataFrame:
        """One row an agency, in the order of the index."""
        return pd.DataFrame([astuple(r) for r in self.rows], columns=[f.name for f in fields(RobustnessRow)])

    def glance(self) -> pd.DataFrame:
        """One row: family, sizes, what was varied, kind of the data."""
        row = {"family": self.family, "size": self.size, "n_ranked": len(self.ranked), "change": self.change}
        drawn = {"draws": self.draws, "seed": self.seed, "n_components": len(self.components)}
        return pd.DataFrame([row | drawn | {"data_kind": self.data_kind.value, "source": self.source}])

    def summary(self, language: str = "vi") -> str:
        """Return what was varied, and that it is not sampling error."""
        head = wording.text(
            "ranks.robustness.head",
            language,
            family=wording.text(f"framework.agency_level.{self.family}", language),
            ranked=len(self.ranked),
            draws=self.draws,
            change=wording.percent(self.change, language, 0),
        )
        lines = [head, wording.text("ranks.robustness.not_sampling", language)]
        return "\n".join([*lines, wording.text(f"common.kind.{self.data_kind.value}", language)])


def rank_robustness(
    index: SatisfactionIndex,
    *,
    family: str | None = None,
    weights: Mapping[str, float] | None = None,
    change: float = 0.25,
    draws: int = 1_000,
    seed: int = 1,
    half_width: float = HALF_WIDTH,
) -> RankRobustness:
    """Return the ranges of ranks when components are weighted and put together otherwise.

    OECD and JRC (2008), step 7. Only agencies all of whose components may be printed are ordered; one that is
    estimated too loosely for a rank (see :func:`sipas_research.framework.ranks.rank_sets`) is ordered and not shown.

    Parameters
    ----------
    index : SatisfactionIndex
        By agency.
    family : str, optional
        As for rank sets.
    weights : mapping of a component to a positive number, optional
        Their own weights. None: each component counts as many answers as were given to it, as in the index
        "share_satisfied".
    change : float
        Each weight is made up to this share larger or smaller, above 0 and below 1.
    draws : int
        Changes of weights, at least 100.
    seed : int
    half_width : float
        As for rank sets.

    Raises
    ------
    OptionError
        If an option is outside its range, or agencies of several families would be compared.
    AnalysisError
        If fewer than two agencies or two components are left.
    """
    if not 0.0 < change < 1.0:
        raise OptionError("ranks.error.change", value=str(change))
    if isinstance(draws, bool) or not isinstance(draws, int | np.integer) or draws < 100:
        raise OptionError("ranks.error.draws", value=str(draws), least=100)
    groups = chosen_family(index, family)
    if len(index.components) < 2:
        raise AnalysisError("ranks.error.one_component")
    generator = np.random.default_rng(checked_seed(seed))
    labels, scores = _scores(index, groups.labels)
    if len(labels) < 2:
        raise AnalysisError("ranks.error.too_few", n=len(labels))
    own = _own_weights(index, weights)
    ranges = _ranges(scores, own, change, generator, draws)
    reasons = {r.group: r.note for r in rank_sets(index, family=family, half_width=half_width, draws=1_000).rows}
    rows = []
    for label in (g for g in index.groups if g in reasons):
        note = reasons[label] or ("" if label in labels else "ranks.note.components")
        place = [_NAN] * 8 if note else [float(v) for part in ranges for v in part[labels.index(label)]]
        rows.append(_row(label, place, note))
    return RankRobustness(
        rows=tuple(rows),
        family=groups.families[0],
        size=len(labels),
        components=index.components,
        weights=tuple(float(w) for w in own),
        change=change,
        draws=draws,
        seed=seed,
        weighting=index.weighting,
        data_kind=index.data_kind,
        source=index.source,
    )


def _row(label: str, place: list[float], note: str) -> RobustnessRow:
    names = [f.name for f in fields(RobustnessRow)][1:-1]
    return RobustnessRow(group=label, note=note, **dict(zip(names, place, strict=True)))


def _scores(index: SatisfactionIndex, labels: tuple[str, ...]) -> tuple[list[str], np.ndarray]:
    """Return the agencies all of whose components may be printed, and their components."""
    value = {(r.group, r.term): r.estimate for r in index.rows if not r.suppressed}
    shown = {r.group for r in index.rows if r.term == INDEX and not r.suppressed}
    table = {g: [value.get((g, term), _NAN) for term in index.components] for g in labels if g in shown}
    kept = [g for g, scores in table.items() if np.isfinite(scores).all()]
    return kept, np.array([table[g] for g in kept], dtype=float)


def _own_weights(index: SatisfactionIndex, weights: Mapping[str, float] | None) -> np.ndarray:
    if weights is None:
        answers = {r.term: r.n_answers for r in index.rows if r.group == ""}
        found = np.array([answers.get(term, _NAN) for term in index.components], dtype=float)
        found = found if np.isfinite(found).all() and (found > 0).all() else np.ones(len(found))
        return found / found.sum()
    known = ", ".join(index.components)
    if set(weights) != set(index.components):
        raise OptionError("ranks.error.weights", known=known)
    found = np.array([weights[term] for term in index.components], dtype=float)
    if not (np.isfinite(found).all() and (found > 0.0).all()):
        raise OptionError("ranks.error.weights", known=known)
    return found / found.sum()


def _ranges(
    scores: np.ndarray, own: np.ndarray, change: float, generator: np.random.Generator, draws: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return best and worst ranks over weights, over aggregation, with a component left out, and over everything."""
    count = len(own)
    drawn = np.vstack([own, perturbed_weights(own, change, generator=generator, draws=draws)])
    without = (1.0 - np.eye(count)) * own
    without /= without.sum(axis=1, keepdims=True)
    ways = np.vstack([own, np.full(count, 1.0 / count)])
    both = {how: weighted_means(scores, np.vstack([drawn, ways, without]), geometric=how) for how in (False, True)}
    start, end = len(drawn), len(drawn) + len(ways)
    return (
        rank_range(both[False][:start]),
        rank_range(np.vstack([both[how][start:end] for how in (False, True)])),
        rank_range(both[False][end:]),
        rank_range(np.vstack([both[False], both[True]])),
    )
