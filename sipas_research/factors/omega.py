"""Omega hierarchical: how much of a total score one general factor explains, over several scales."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sipas_research.errors import OptionError
from sipas_research.factors.efa import efa
from sipas_research.factors.inputs import Data, announce, load_items, require_enough, resolve_scales
from sipas_research.factors.options import check_choice, check_count
from sipas_research.numerics.extraction import METHODS
from sipas_research.numerics.schmid_leiman import (
    GeneralFactor,
    SumScoreShares,
    explained_common_variance,
    schmid_leiman,
    sum_score_shares,
)
from sipas_research.results import TIDY_COLUMNS, DataKind
from sipas_research.survey.responses import Responses
from sipas_research.wording import number, text

NAN = float("nan")
#: Rotations whose factors may correlate and that leave the general factor to the second order.
OBLIQUE = ("oblimin", "quartimin", "geomin", "promax", "promax_spss")
#: Name of the row about the sum of all items.
TOTAL = "total"


@dataclass(frozen=True, slots=True, eq=False)
class HierarchicalOmega:
    """Omega hierarchical and omega total of the sum of all items and of each scale.

    Attributes
    ----------
    items, scale_of_item : tuple of str
        Items, and the scale of each.
    scales : tuple of str
    solution : GeneralFactor
        Schmid-Leiman loadings: general and group.
    shares : tuple of SumScoreShares
        Of the sum of all items, then of each scale in order.
    explained : float
        The general factor's share of the common variance, 0-1.
    method, rotation : str
        Of the correlated factors behind it.
    n, n_dropped : int
    notes : tuple of str
        Catalogue keys of what weakens it.
    data_kind : DataKind
    """

    items: tuple[str, ...]
    scale_of_item: tuple[str, ...]
    scales: tuple[str, ...]
    solution: GeneralFactor
    shares: tuple[SumScoreShares, ...]
    explained: float
    method: str
    rotation: str
    n: int
    n_dropped: int
    notes: tuple[str, ...]
    data_kind: DataKind

    @property
    def hierarchical(self) -> float:
        """Omega hierarchical of the sum of all items."""
        return self.shares[0].hierarchical

    @property
    def total(self) -> float:
        """Omega total of the sum of all items."""
        return self.shares[0].total

    def tidy(self) -> pd.DataFrame:
        """One row a sum score ("total", then the scales): estimate is omega hierarchical; then groups, omega_total."""
        rows = [
            dict.fromkeys(TIDY_COLUMNS, NAN)
            | {
                "term": name,
                "group": "",
                "estimate": share.hierarchical,
                "note": "; ".join(self.notes) if name == TOTAL else "",
                "group_factors": share.groups,
                "omega_total": share.total,
                "n_items": len(self.items) if place == 0 else self.scale_of_item.count(name),
                "n": self.n,
            }
            for place, (name, share) in enumerate(zip((TOTAL, *self.scales), self.shares, strict=True))
        ]
        return pd.DataFrame(rows)

    def loadings(self) -> pd.DataFrame:
        """One row an item: general loading, then one column a group factor."""
        names = [f"group_{k + 1}" for k in range(self.solution.groups.shape[1])]
        table = pd.DataFrame(self.solution.groups, index=list(self.items), columns=names)
        table.insert(0, "general", self.solution.general)
        return table

    def glance(self) -> pd.DataFrame:
        """Return one row: omega hierarchical and total, explained common variance, model, n, data_kind."""
        row = {
            "omega_hierarchical": self.hierarchical,
            "omega_total": self.total,
            "explained_common_variance": self.explained,
            "n_items": len(self.items),
            "n_groups": self.solution.groups.shape[1],
            "model": "schmid-leiman",
            "method": self.method,
            "rotation": self.rotation,
            "n": self.n,
            "n_dropped": self.n_dropped,
            "data_kind": self.data_kind.value,
        }
        return pd.DataFrame([row])

    def summary(self, language: str = "vi") -> str:
        """Return what the general factor explains, with the model named, then the notes."""
        first = text(
            "reliability.summary.hierarchical",
            language,
            omega=number(self.hierarchical, 3, language),
            total=number(self.total, 3, language),
            explained=number(self.explained, 3, language),
            items=len(self.items),
            groups=self.solution.groups.shape[1],
            method=text(f"factors.method.{self.method}", language),
            rotation=text(f"factors.rotation.{self.rotation}", language),
            n=self.n,
        )
        return "\n".join([first, *[text(key, language) for key in self.notes]])


def omega_hierarchical(
    data: Data,
    scales: Mapping[str, Sequence[str]] | None = None,
    *,
    n_factors: int | None = None,
    method: str = "minres",
    rotation: str = "oblimin",
    data_kind: DataKind = DataKind.USER,
) -> HierarchicalOmega:
    """Return omega hierarchical of a total score: the Schmid-Leiman form of an oblique factor analysis.

    The items of all scales are factored into ``n_factors`` correlated factors, whose correlations get one general
    factor. Sums are sums of raw items; their variance is the observed one, as in R psych.

    Parameters
    ----------
    data : Responses or DataFrame
        One row a person; incomplete rows are left out.
    scales : mapping of str to sequence of str, optional
        At least two scales. By default the factors of the questionnaire (Responses only).
    n_factors : int, optional
        Group factors; by default one a scale.
    method, rotation : str
        As in :func:`sipas_research.factors.efa.efa`; the rotation is one of :data:`OBLIQUE`.
    data_kind : DataKind
        Kind of a DataFrame; Responses know their own.

    Raises
    ------
    OptionError
        If there are fewer than two scales or group factors, or the rotation is not oblique.
    AnalysisError
        As :func:`sipas_research.factors.efa.efa`.

    References
    ----------
    Schmid & Leiman (1957), Psychometrika 22, 53-61. Zinbarg, Revelle, Yovel & Li (2005), Psychometrika 70, 123-133.
    """
    if scales is None and isinstance(data, Responses):
        scales = data.scale_items("factor") or data.scale_items("lever")
    if not isinstance(scales, Mapping) or len(scales) < 2:
        raise OptionError("reliability.error.scales")
    groups = len(scales) if n_factors is None else n_factors
    check_count("n_factors", groups, 2)
    check_choice("method", method, METHODS)
    if not isinstance(rotation, str) or rotation not in OBLIQUE:
        raise OptionError("reliability.error.orthogonal", received=str(rotation), allowed=", ".join(OBLIQUE))
    members = resolve_scales(data, scales)
    matrix = load_items(data, [item for items in members.values() for item in items], data_kind)
    require_enough(matrix, data)
    announce(matrix, stacklevel=3)
    frame = pd.DataFrame(np.array(matrix.values), columns=list(matrix.items))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = efa(frame, groups, method=method, rotation=rotation, data_kind=matrix.data_kind)
    for warning in told:
        warnings.warn(warning.message, stacklevel=2)
    solution = schmid_leiman(found.rotated.loadings, found.rotated.factor_correlations)
    of_item = {item: scale for scale, items in members.items() for item in items}
    owners = tuple(of_item[item] for item in found.items)
    names = tuple(scale for scale in members if scale in owners)
    spreads = frame.std(ddof=1).to_numpy()
    unique = 1.0 - found.communality
    sums = [np.ones(len(owners)), *[np.array([o == name for o in owners], dtype=float) for name in names]]
    correlation = np.asarray(found.correlation)
    return HierarchicalOmega(
        found.items,
        owners,
        names,
        solution,
        tuple(sum_score_shares(solution, unique, correlation, spreads * member) for member in sums),
        explained_common_variance(solution),
        method,
        rotation,
        matrix.n,
        matrix.n_dropped,
        _notes(solution, heywood=bool(found.heywood)),
        matrix.data_kind,
    )


def _notes(solution: GeneralFactor, *, heywood: bool) -> tuple[str, ...]:
    notes = ["reliability.note.proportional"]
    if len(solution.second_order) == 2:
        notes.append("reliability.note.two_groups")
    if solution.at_bound:
        notes.append("reliability.note.second_order_bound")
    if heywood:
        notes.append("factors.note.heywood")
    return tuple(notes)
