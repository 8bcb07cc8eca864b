"""The order of a path diagram: sources left, outcomes right, few crossings; the same model always the same order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sipas_research.report.diagram_model import Arrow, DiagramModel

_SWEEPS = 12


@dataclass(frozen=True, slots=True)
class Layers:
    """Columns of nodes from left to right, each from top to bottom.

    Attributes
    ----------
    columns : tuple of tuple of str
        Nodes and lanes. A lane is a gap that an arrow over several columns passes through.
    lanes : tuple of (Arrow, tuple of str)
        Arrows that run to the right, each with its lanes in order.
    apart : tuple of str
        General factors, to the right of the items that they share with other latent variables.
    """

    columns: tuple[tuple[str, ...], ...]
    lanes: tuple[tuple[Arrow, tuple[str, ...]], ...]
    apart: tuple[str, ...] = ()

    def column(self) -> dict[str, int]:
        """Return the column of each node and lane."""
        return {name: index for index, names in enumerate(self.columns) for name in names}


def layered(model: DiagramModel) -> Layers:
    """Return the columns of a model: each node one column right of the last that leads to it."""
    nodes, home = set(model.nodes), model.home()
    directed = [a for a in model.arrows if a.kind != "covariance" and set(a.ends) <= nodes]
    pairs = [(home.get(a.source, a.source), home.get(a.target, a.target)) for a in model.arrows if a.kind == "path"]
    pairs = [p for p in [*[a.ends for a in directed], *pairs] if p[0] != p[1]]
    apart = _apart(model, pairs)
    names = [n for n in model.nodes if n not in apart]
    depth = _depths(names, pairs)
    columns = [[n for n in names if depth[n] == place] for place in range(max(depth.values(), default=0) + 1)]
    chains: list[tuple[Arrow, tuple[str, ...]]] = []
    for index, arrow in enumerate(directed):
        start, end = depth[arrow.source], depth[arrow.target]
        if start < end:
            lanes = tuple(f"lane {index} {place}" for place in range(start + 1, end))
            for place, lane in enumerate(lanes, start + 1):
                columns[place].append(lane)
            chains.append((arrow, lanes))
    links = [link for arrow, lanes in chains for link in pairwise((arrow.source, *lanes, arrow.target))]
    return Layers(tuple(tuple(c) for c in _fewest_crossings(columns, links)), tuple(chains), apart)


def _apart(model: DiagramModel, pairs: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return latent variables without items of their own and without paths, where the rest is one column."""
    used = {name for pair in pairs for name in pair}
    if used or not model.items:
        return ()
    measuring = {a.source for a in model.arrows if a.kind == "loading"}
    return tuple(latent for latent, items in model.homes if not items and latent in measuring)


def _depths(names: Sequence[str], pairs: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return the longest way to each node; an arrow that would close a circle does not count."""
    after: dict[str, list[str]] = {name: [] for name in names}
    for source, target in dict.fromkeys(pairs):
        if not _reaches(after, target, source):
            after[source].append(target)
    depth = dict.fromkeys(names, 0)
    for _ in names:
        for source in names:
            for target in after[source]:
                depth[target] = max(depth[target], depth[source] + 1)
    return depth


def _reaches(after: Mapping[str, Sequence[str]], start: str, goal: str) -> bool:
    waiting, seen = [start], set()
    while waiting:
        name = waiting.pop()
        if name == goal:
            return True
        if name not in seen:
            seen.add(name)
            waiting.extend(after[name])
    return False


def _fewest_crossings(columns: Sequence[Sequence[str]], links: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Order each column by the mean place of its neighbours, sweeping both ways; the best order seen is kept."""
    now = [list(column) for column in columns]
    best, least = [list(c) for c in now], crossings(now, links)
    for sweep in range(_SWEEPS):
        if least == 0:
            break
        _sweep(now, links, forward=sweep % 2 == 0)
        _swap(now, links)
        found = crossings(now, links)
        if found < least:
            best, least = [list(c) for c in now], found
    return best


def _sweep(columns: list[list[str]], links: Sequence[tuple[str, str]], *, forward: bool) -> None:
    order = range(1, len(columns)) if forward else range(len(columns) - 2, -1, -1)
    for place in order:
        other = columns[place - 1] if forward else columns[place + 1]
        where = {name: (index + 0.5) / len(other) for index, name in enumerate(other)}
        means = {}
        for index, name in enumerate(columns[place]):
            near = [where[a if forward else b] for a, b in links if (b if forward else a) == name]
            means[name] = sum(near) / len(near) if near else (index + 0.5) / len(columns[place])
        columns[place].sort(key=means.__getitem__)


def _swap(columns: list[list[str]], links: Sequence[tuple[str, str]]) -> None:
    """Exchange neighbours as long as a crossing goes away."""
    for column in columns:
        names = set(column)
        near = [link for link in links if names & set(link)]
        for index in range(len(column) - 1):
            before = crossings(columns, near)
            column[index : index + 2] = column[index + 1], column[index]
            if crossings(columns, near) >= before:
                column[index : index + 2] = column[index + 1], column[index]


def crossings(columns: Sequence[Sequence[str]], links: Sequence[tuple[str, str]]) -> int:
    """Return how often links between neighbouring columns cross."""
    where = {name: (place, index) for place, column in enumerate(columns) for index, name in enumerate(column)}
    ends = [(where[a], where[b]) for a, b in links]
    return sum(
        a[0] == c[0] and (a[1] - c[1]) * (b[1] - d[1]) < 0
        for first, (a, b) in enumerate(ends)
        for c, d in ends[first + 1 :]
    )
