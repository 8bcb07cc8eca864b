"""What the reliability of several scales is made of: tables a scale and an item, notes, one sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from sipas_research.numerics.categorical_omega import OrdinalReliability
from sipas_research.numerics.omega import OneFactorOmega
from sipas_research.numerics.reliability import Alpha
from sipas_research.results import TIDY_COLUMNS, DataKind
from sipas_research.wording import number, text

NAN = float("nan")
#: The least alpha that Nunnally (1978) asks of a scale, and the least item-total correlation; for the summary only.
ACCEPTABLE_ALPHA = 0.7
#: The note of a scale that fewer than ten people answered in full.
SUPPRESSED = "factors.note.few_people"


@dataclass(frozen=True, slots=True, eq=False)
class ScaleReliability:
    """One scale: its items, its statistics where they exist, and the catalogue key of what must be said about it.

    Attributes
    ----------
    scale : str
    items : tuple of str
        Items used, in the order given.
    left_out : tuple of (str, str)
        Constant or empty items, each with the catalogue key of its reason.
    statistics : Alpha or None
        None where fewer than two items or three complete rows are left.
    n, n_dropped : int
        Complete rows, and rows left out because an answer was missing.
    note : str
        Catalogue key, or "".
    bootstrap : tuple of float
        Ends of the percentile interval of alpha; NaN where no draws were asked for.
    omega : OneFactorOmega or None
        Omega of the sum score under one factor; None where there is none.
    omega_note : str
        Catalogue key of why there is no omega or what weakens it, or "".
    ordinal : OrdinalReliability or None
        Categorical omega of the sum score and ordinal alpha; None where they were not asked for or do not exist.
    ordinal_note : str
        Catalogue key of why one of them does not exist or what weakens it, or "".
    """

    scale: str
    items: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    statistics: Alpha | None
    n: int
    n_dropped: int
    note: str
    bootstrap: tuple[float, float] = (NAN, NAN)
    omega: OneFactorOmega | None = None
    omega_note: str = ""
    ordinal: OrdinalReliability | None = None
    ordinal_note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """Reliability of several scales; ``scales`` and ``items`` are fresh tables each time.

    Attributes
    ----------
    results : tuple of ScaleReliability
    level : float
        Coverage of the intervals.
    data_kind : DataKind
    """

    results: tuple[ScaleReliability, ...]
    level: float
    data_kind: DataKind

    @property
    def scales(self) -> pd.DataFrame:
        """One row a scale: term, estimate (alpha), Feldt's ends, standardized_alpha, ..., note, omega and its ends."""
        return pd.DataFrame([_scale_row(result) for result in self.results], columns=list(_SCALE_COLUMNS))

    @property
    def items(self) -> pd.DataFrame:
        """One row an item: group (scale), term, mean, scale mean and variance without it, item_total, ..., note."""
        rows = [row for result in self.results for row in _item_rows(result)]
        return pd.DataFrame(rows, columns=list(_ITEM_COLUMNS))

    def tidy(self) -> pd.DataFrame:
        """Return ``scales`` with the columns that every tidy table has first."""
        table = self.scales
        extra = [c for c in table.columns if c not in TIDY_COLUMNS]
        table = table.assign(group="", std_error=NAN, statistic=NAN, p_value=NAN)
        return table[[*TIDY_COLUMNS, *extra]]

    def glance(self) -> pd.DataFrame:
        """Return one row: number of scales and items, lowest and highest alpha, data_kind."""
        alphas = [r.statistics.alpha for r in self.results if r.statistics is not None]
        row = {
            "n_scales": len(self.results),
            "n_items": sum(len(r.items) for r in self.results),
            "lowest_alpha": min(alphas, default=NAN),
            "highest_alpha": max(alphas, default=NAN),
            "level": self.level,
            "data_kind": self.data_kind.value,
        }
        return pd.DataFrame([row])

    def summary(self, language: str = "vi") -> str:
        """Return one line about all scales, then one a scale that needs a word."""
        alphas = [r.statistics.alpha for r in self.results if r.statistics is not None]
        lines = []
        if alphas:
            lines.append(
                text(
                    "factors.summary.reliability",
                    language,
                    scales=len(alphas),
                    low=number(min(alphas), 3, language),
                    high=number(max(alphas), 3, language),
                    good=sum(a >= ACCEPTABLE_ALPHA for a in alphas),
                    bar=number(ACCEPTABLE_ALPHA, 1, language),
                )
            )
        lines += [f"{r.scale}: {text(r.note, language)}" for r in self.results if r.note]
        lines += self._omega_lines(language)
        return "\n".join(lines)

    def _omega_lines(self, language: str) -> list[str]:
        lines = []
        for kind, found in (("omega", [r.omega for r in self.results]), ("ordinal", [r.ordinal for r in self.results])):
            values = [o.omega for o in found if o is not None and math.isfinite(o.omega)]
            if values:
                ends = {"low": number(min(values), 3, language), "high": number(max(values), 3, language)}
                lines.append(text(f"reliability.summary.{kind}", language, scales=len(values), **ends))
        if any(r.ordinal for r in self.results):
            lines.append(text("reliability.note.ordinal_alpha", language))
        return lines


_SCALE_COLUMNS = (
    "term",
    "estimate",
    "conf_low",
    "conf_high",
    "standardized_alpha",
    "mean_correlation",
    "n_items",
    "n",
    "n_dropped",
    "note",
    "bootstrap_low",
    "bootstrap_high",
    "omega_total",
    "omega_std_error",
    "omega_low",
    "omega_high",
    "omega_note",
    "omega_categorical",
    "ordinal_alpha",
    "ordinal_note",
)
_ITEM_COLUMNS = (
    "group",
    "term",
    "mean",
    "standard_deviation",
    "scale_mean_if_deleted",
    "scale_variance_if_deleted",
    "item_total",
    "alpha_if_deleted",
    "n",
    "note",
)


def _scale_row(result: ScaleReliability) -> dict[str, object]:
    found, omega = result.statistics, result.omega
    return {
        "term": result.scale,
        "estimate": found.alpha if found else NAN,
        "conf_low": found.conf_low if found else NAN,
        "conf_high": found.conf_high if found else NAN,
        "standardized_alpha": found.standardized if found else NAN,
        "mean_correlation": found.mean_correlation if found else NAN,
        "n_items": len(result.items),
        **_counts(result),
        "note": result.note,
        "bootstrap_low": result.bootstrap[0],
        "bootstrap_high": result.bootstrap[1],
        "omega_total": omega.omega if omega else NAN,
        "omega_std_error": omega.std_error if omega else NAN,
        "omega_low": omega.conf_low if omega else NAN,
        "omega_high": omega.conf_high if omega else NAN,
        "omega_note": result.omega_note,
        "omega_categorical": result.ordinal.omega if result.ordinal else NAN,
        "ordinal_alpha": result.ordinal.alpha if result.ordinal else NAN,
        "ordinal_note": result.ordinal_note,
    }


def _item_rows(result: ScaleReliability) -> list[dict[str, object]]:
    found = result.statistics
    empty: dict[str, object] = dict.fromkeys(_ITEM_COLUMNS, NAN)
    rows: list[dict[str, object]] = []
    for place, item in enumerate(result.items):
        note = result.note if not found else ""
        row = {**empty, "group": result.scale, "term": item, "n": _counts(result)["n"], "note": note}
        if found:
            row |= {
                "mean": found.means[place],
                "standard_deviation": found.standard_deviations[place],
                "scale_mean_if_deleted": found.mean_if_deleted[place],
                "scale_variance_if_deleted": found.variance_if_deleted[place],
                "item_total": found.item_total[place],
                "alpha_if_deleted": found.alpha_if_deleted[place],
                "note": "factors.note.negative_item" if found.item_total[place] < 0 else "",
            }
        rows.append(row)
    n = _counts(result)["n"]
    rows += [{**empty, "group": result.scale, "term": i, "n": n, "note": key} for i, key in result.left_out]
    return rows


def _counts(result: ScaleReliability) -> dict[str, float]:
    """Complete and dropped rows; not a number where few complete ones would follow from them."""
    few = result.note == SUPPRESSED
    return {"n": NAN if few else result.n, "n_dropped": NAN if few else result.n_dropped}
