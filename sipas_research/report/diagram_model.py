"""What a path diagram shows, read from the coefficients of a fitted model: variables, arrows, numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from sipas_research.errors import AnalysisError, OptionError

Kind = Literal["loading", "path", "covariance"]
#: "clear": p below the level; "unclear": not below it; "untested": fixed, or without a p-value.
Verdict = Literal["clear", "unclear", "untested"]

_KINDS: dict[str, Kind] = {"=~": "loading", "~": "path", "~~": "covariance"}
#: A latent variable with this many indicators, each of which another one measures too, stands apart (bifactor).
_LEAST_GENERAL = 3


@dataclass(frozen=True, slots=True)
class Arrow:
    """One arrow: from ``source`` to ``target`` (a covariance has no direction), with its standardised value."""

    kind: Kind
    source: str
    target: str
    value: float
    verdict: Verdict

    @property
    def ends(self) -> tuple[str, str]:
        """Both variables, in the arrow's direction."""
        return self.source, self.target


@dataclass(frozen=True, slots=True)
class DiagramModel:
    """Variables and arrows of one group and level.

    Attributes
    ----------
    latents : tuple of str
        Latent variables in the model's order.
    nodes : tuple of str
        Variables with a place of their own: latent ones, and observed ones that measure nothing.
    homes : tuple of (str, tuple of str)
        Latent variable and the items that stand beside it.
    arrows : tuple of Arrow
        Arrows that are drawn.
    shares : tuple of (str, float)
        Explained share of the variance (R2) of the nodes that something leads to.
    left_out : int
        Covariances that are not drawn.
    groups, levels : tuple of str
        All groups and levels of the fit; ``group`` and ``level`` are the drawn ones, "" where there is only one.
    """

    latents: tuple[str, ...]
    nodes: tuple[str, ...]
    homes: tuple[tuple[str, tuple[str, ...]], ...]
    arrows: tuple[Arrow, ...]
    shares: tuple[tuple[str, float], ...] = ()
    left_out: int = 0
    groups: tuple[str, ...] = ()
    group: str = ""
    levels: tuple[str, ...] = ()
    level: str = ""

    @property
    def items(self) -> tuple[str, ...]:
        """Observed variables that stand beside a latent one."""
        return tuple(item for _, items in self.homes for item in items)

    def home(self) -> dict[str, str]:
        """Return the latent variable beside which each item stands."""
        return {item: latent for latent, items in self.homes for item in items}

    def structure(self) -> DiagramModel:
        """Return the same model without the items and their arrows."""
        items = set(self.items)
        kept = tuple(arrow for arrow in self.arrows if not items & set(arrow.ends))
        return replace(self, homes=tuple((latent, ()) for latent, _ in self.homes), arrows=kept)


def read_model(
    frame: pd.DataFrame,
    *,
    group: object = None,
    level: object = None,
    significance: float = 0.05,
    most_covariances: int | None = None,
) -> DiagramModel:
    """Read one group and level of a table of coefficients.

    Parameters
    ----------
    frame : DataFrame
        As ``fit.tidy()`` gives it: lhs, op, rhs, level, group, std_error, p_value, estimate, std_all, note.
    group, level : object
        Which to read; None takes the first.
    significance : float
        Level of the two-sided tests, between 0 and 1.
    most_covariances : int or None
        Where more covariances than this would be drawn, none is, and ``left_out`` says how many.

    Raises
    ------
    AnalysisError
        If nothing can be drawn.
    OptionError
        If the group or level is unknown.
    """
    rows = frame.loc[frame["op"].isin(list(_KINDS))]
    groups, levels = _known(rows["group"]), _known(rows["level"])
    chosen_group, chosen_level = _choose(group, groups, "group"), _choose(level, levels, "level")
    if len(groups) > 1:
        rows = rows.loc[rows["group"].map(_name) == chosen_group]
    if len(levels) > 1:
        rows = rows.loc[rows["level"].map(_name) == chosen_level]
    arrows = _arrows(rows, significance)
    if not any(arrow.kind != "covariance" for arrow in arrows):
        raise AnalysisError("path_diagram.error.nothing")
    latents = tuple(dict.fromkeys(rows.loc[rows["op"] == "=~", "lhs"]))
    homes = _homes(latents, arrows)
    placed = {item for _, items in homes for item in items}
    nodes = dict.fromkeys(latents)
    nodes.update(dict.fromkeys(end for arrow in arrows for end in arrow.ends if end not in placed))
    covariances = sum(arrow.kind == "covariance" for arrow in arrows)
    crowded = most_covariances is not None and covariances > most_covariances
    return DiagramModel(
        latents,
        tuple(nodes),
        homes,
        tuple(a for a in arrows if not (crowded and a.kind == "covariance")),
        _shares(rows, arrows, nodes),
        covariances if crowded else 0,
        groups,
        chosen_group,
        levels,
        chosen_level,
    )


def _name(value: object) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _known(values: Iterable[object]) -> tuple[str, ...]:
    return tuple(name for name in dict.fromkeys(_name(v) for v in values) if name)


def _choose(wanted: object, known: tuple[str, ...], what: Literal["group", "level"]) -> str:
    if wanted is None:
        return known[0] if len(known) > 1 else ""
    if _name(wanted) not in known:
        key = "path_diagram.error.group" if what == "group" else "path_diagram.error.level"
        raise OptionError(key, received=_name(wanted), known=", ".join(known) or "–")
    return _name(wanted) if len(known) > 1 else ""


def _arrows(rows: pd.DataFrame, significance: float) -> tuple[Arrow, ...]:
    """Return one arrow a pair and kind; variances and what is fixed at zero are no arrows."""
    found: dict[tuple[str, frozenset[str] | tuple[str, str]], Arrow] = {}
    for row in rows.itertuples(index=False):
        kind, fixed = _KINDS[row.op], row.std_error == 0 or row.note == "fixed"
        if row.lhs == row.rhs or (fixed and row.estimate == 0):
            continue
        ends = (row.rhs, row.lhs) if kind == "path" else (row.lhs, row.rhs)
        p_value = float(row.p_value)
        tested = not fixed and math.isfinite(p_value)
        verdict: Verdict = ("clear" if p_value < significance else "unclear") if tested else "untested"
        place = (kind, frozenset(ends) if kind == "covariance" else ends)
        found.setdefault(place, Arrow(kind, *ends, float(row.std_all), verdict))
    return tuple(found.values())


def _homes(latents: tuple[str, ...], arrows: Iterable[Arrow]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return which items stand beside which latent variable: where they load most, general factors apart."""
    parents: dict[str, dict[str, float]] = {}
    for arrow in arrows:
        if arrow.kind == "loading" and arrow.target not in latents:
            parents.setdefault(arrow.target, {})[arrow.source] = abs(arrow.value)
    items = {latent: [i for i, found in parents.items() if latent in found] for latent in latents}
    general: set[str] = set()
    for latent in sorted(latents, key=lambda name: -len(items[name])):
        others = [set(parents[item]) - general - {latent} for item in items[latent]]
        if len(others) >= _LEAST_GENERAL and all(others):
            general.add(latent)
    homes: dict[str, list[str]] = {latent: [] for latent in latents}
    for item, found in parents.items():
        own = [latent for latent in found if latent not in general]
        homes[max(own, key=lambda name: found[name] if math.isfinite(found[name]) else -1)].append(item)
    return tuple((latent, tuple(found)) for latent, found in homes.items())


def _shares(rows: pd.DataFrame, arrows: Iterable[Arrow], nodes: Iterable[str]) -> tuple[tuple[str, float], ...]:
    """Return R2 of the explained nodes: one less the standardised residual variance."""
    explained = {arrow.target for arrow in arrows if arrow.kind != "covariance"}
    own = rows.loc[(rows["op"] == "~~") & (rows["lhs"] == rows["rhs"])]
    residual: Mapping[str, float] = dict(zip(own["lhs"], own["std_all"].astype(float), strict=True))
    return tuple(
        (name, 1 - residual[name])
        for name in nodes
        if name in explained and math.isfinite(residual.get(name, math.nan))
    )
