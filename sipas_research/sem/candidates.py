"""Which relations a model leaves out and lavaan would propose to free."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement, product

from sipas_research.sem.parameter_table import FIXED, ParameterTable, Row

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the variables of one group do in a model."""

    observed: tuple[str, ...]
    latents: tuple[str, ...]
    indicators: frozenset[str]
    equations: tuple[str, ...]
    sources: frozenset[str]


def candidates(table: ParameterTable, group: int) -> tuple[Key, ...]:
    """Return what can be freed in one group: its fixed rows, then the relations that it does not have.

    As lavaan's ``modindices``: every loading of an observed variable on a latent one, every covariance of two
    indicators or two latent variables, every path between variables of the regressions, every intercept where means
    are modelled. Moments of predictors that are the sample's, and paths that would explain a predictor, change
    nothing and are left out.

    Parameters
    ----------
    table : ParameterTable
    group : int
        Position of the group.
    """
    rows = [row for row in table.rows if row.group == group]
    taken = {_key(row.lhs, row.op, row.rhs) for row in rows}
    found: dict[Key, Key] = {}
    for row in rows:
        if row.free == FIXED and not row.exogenous:
            found[_key(row.lhs, row.op, row.rhs)] = (row.lhs, row.op, row.rhs)
    for key in _extended(_parts(table, rows), with_means=table.with_means):
        normal = _key(*key)
        if normal not in taken and not (key[1] == "~" and key[0] in table.predictors):
            found.setdefault(normal, key)
    return tuple(found.values())


def _key(lhs: str, op: str, rhs: str) -> Key:
    return (rhs, op, lhs) if op == "~~" and rhs < lhs else (lhs, op, rhs)


def _parts(table: ParameterTable, rows: list[Row]) -> _Parts:
    latents = set(table.latents)
    indicators = frozenset(row.rhs for row in rows if row.op == "=~" and row.rhs not in latents)
    outcomes = dict.fromkeys(row.lhs for row in rows if row.op == "~")
    explaining = dict.fromkeys(row.rhs for row in rows if row.op == "~")
    named = {name for row in rows if row.written and row.op in ("~~", "~1") for name in (row.lhs, row.rhs)}
    sources = frozenset(
        name for name in explaining
        if name not in latents and name not in indicators and name not in outcomes and name not in named
    )  # fmt: skip
    return _Parts(table.observed, table.latents, indicators, tuple({**outcomes, **explaining}), sources)


def _extended(parts: _Parts, *, with_means: bool) -> Iterator[Key]:
    """Yield every relation that the model could have (lavaan's ``lav_partable_full``)."""
    inner = [name for name in parts.observed if name not in parts.sources]
    equations = set(parts.equations)
    for latent, name in product(parts.latents, inner):
        if name not in equations:
            yield latent, "=~", name
    yield from _covariances(name for name in inner if name in parts.indicators)
    yield from _covariances(name for name in parts.observed if name in parts.sources)
    yield from _covariances(parts.latents)
    for lhs, rhs in product(parts.equations, repeat=2):
        if lhs != rhs and not (lhs in parts.indicators and rhs in parts.latents):
            yield lhs, "~", rhs
    if with_means:
        for name in (*parts.observed, *parts.latents):
            yield name, "~1", ""


def _covariances(names: Iterable[str]) -> Iterator[Key]:
    for left, right in combinations_with_replacement(tuple(names), 2):
        yield left, "~~", right
