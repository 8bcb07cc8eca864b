"""Drawing rows or clusters with replacement and running the replicates, on one core or many.

Each draw has its own child of the seed: the numbers do not depend on how the work is split.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.numerics.correlation import Array, read_only
from sipas_research.sem.bootstrap_plan import Plan, replicate
from sipas_research.sem.bootstrap_sources import Counts

#: Parts of the work that each process takes, so that none waits long for the others.
_PARTS = 4


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Units:
    """What is drawn: rows or clusters, within strata.

    Attributes
    ----------
    kind : str
        "rows" or "cluster".
    strata : tuple of index arrays
        The units of each stratum: the groups, or all clusters together where some cut groups.
    owners : tuple of index arrays
        The unit of each row, group by group.
    size : int
        Units in all.
    """

    kind: str
    strata: tuple[Counts, ...]
    owners: tuple[Counts, ...]
    size: int

    def counts(self, generator: np.random.Generator) -> list[Counts]:
        """Return how often each row stands in one resample."""
        drawn = np.zeros(self.size, dtype=np.intp)
        for units in self.strata:
            drawn[units] = np.bincount(generator.integers(0, len(units), len(units)), minlength=len(units))
        return self.of_units(drawn)

    def of_units(self, drawn: Counts) -> list[Counts]:
        """Return the counts of the rows out of those of the units."""
        return [drawn[owner] for owner in self.owners]


def units_of(plan: Plan, by: str | None) -> Units:
    """Return what is drawn: clusters where the fit has them, else rows, unless told otherwise.

    Raises
    ------
    OptionError
        If ``by`` is unknown, or clusters are asked of a fit without.
    AnalysisError
        If a group has one cluster only: nothing varies between draws.
    """
    held = all(codes is not None for codes in plan.clusters)
    kind = ("cluster" if held else "rows") if by is None else by
    if kind not in ("rows", "cluster"):
        raise OptionError("sem.error.option", option="by", received=repr(by), allowed="rows, cluster")
    if kind == "rows":
        ends = np.cumsum([0, *plan.lengths])
        own = tuple(np.arange(start, stop) for start, stop in pairwise(ends))
        return Units(kind, own, own, int(ends[-1]))
    if not held:
        raise OptionError("sem_bootstrap.error.no_clusters")
    codes = [np.asarray(each, dtype=np.intp) for each in plan.clusters]
    inside = [np.unique(each) for each in codes]
    every = np.unique(np.concatenate(inside))
    cut = sum(len(each) for each in inside) > len(every)
    strata = (every,) if cut else tuple(inside)
    if min(len(each) for each in strata) < 2:
        raise AnalysisError("sem_bootstrap.error.one_cluster")
    return Units(kind, strata, tuple(codes), int(every.max()) + 1)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Drawn:
    """Values of all replicates: (draws, r + d) arrays, NaN where a draw failed, and why."""

    raw: Array
    std_lv: Array
    std_all: Array
    improper: int
    failures: tuple[str, ...]


def run_draws(plan: Plan, units: Units, *, draws: int, seed: int, jobs: int) -> Drawn:
    """Return all replicates in the order of their seeds."""
    seeds = np.random.SeedSequence(seed).spawn(draws)
    parts = _split(seeds, jobs)
    return _joined(_each_part(_draw_part, [(plan, units, part) for part in parts], jobs))


def run_folds(plan: Plan, units: Units, folds: Sequence[Counts], *, jobs: int) -> Drawn:
    """Return the fit without each of the folds; a fold is an array of units."""
    parts = _split(folds, jobs)
    return _joined(_each_part(_leave_out_part, [(plan, units, part) for part in parts], jobs))


def _split(work: Sequence[Any], jobs: int) -> list[Sequence[Any]]:
    if jobs == 1:
        return [work]
    count = min(len(work), _PARTS * (jobs if jobs > 0 else 16))
    ends = np.linspace(0, len(work), count + 1).astype(int)
    return [work[start:stop] for start, stop in pairwise(ends)]


def _each_part(task: Callable[..., Drawn], parts: list[tuple[Any, ...]], jobs: int) -> list[Drawn]:
    if jobs == 1:
        return [task(*part) for part in parts]
    from joblib import Parallel, delayed  # type: ignore[import-untyped]

    with _one_thread():  # workers that are threads of this process end theirs at different times
        return list(Parallel(n_jobs=jobs)(delayed(task)(*part) for part in parts))


def _one_thread() -> AbstractContextManager[Any]:
    """Return a context in which products of matrices take one thread: all workers round alike."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    limits: AbstractContextManager[Any] = threadpool_limits(limits=1, user_api="blas")
    return limits


def _draw_part(plan: Plan, units: Units, seeds: Sequence[np.random.SeedSequence]) -> Drawn:
    return _values_of(plan, (units.counts(np.random.default_rng(seed)) for seed in seeds), len(seeds))


def _leave_out_part(plan: Plan, units: Units, folds: Sequence[Counts]) -> Drawn:
    return _values_of(plan, (units.of_units(_without(units.size, fold)) for fold in folds), len(folds))


def _without(size: int, fold: Counts) -> Counts:
    left = np.ones(size, dtype=np.intp)
    left[fold] = 0
    return left


def _values_of(plan: Plan, resamples: Iterator[list[Counts]], count: int) -> Drawn:
    """Return the replicates of some resamples."""
    size = len(plan.index.kind) + len(plan.restrictions.definitions)
    raw, std_lv, std_all = (np.full((count, size), np.nan) for _ in range(3))
    improper, failures = 0, []
    with _one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a resample is warned about is counted
        for k, counts in enumerate(resamples):
            found = replicate(plan, counts)
            if isinstance(found, str):
                failures.append(found)
                continue
            raw[k], std_lv[k], std_all[k] = found.raw, found.std_lv, found.std_all
            improper += found.improper
    return Drawn(raw, std_lv, std_all, improper, tuple(failures))


def _joined(parts: Sequence[Drawn]) -> Drawn:
    raw = read_only(np.concatenate([part.raw for part in parts]))
    std_lv = read_only(np.concatenate([part.std_lv for part in parts]))
    std_all = read_only(np.concatenate([part.std_all for part in parts]))
    failures = tuple(reason for part in parts for reason in part.failures)
    return Drawn(raw, std_lv, std_all, sum(part.improper for part in parts), failures)
