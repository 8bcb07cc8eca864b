"""What agreement between and within groups of respondents is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sipas_research.numerics.variance_components import OneWay, size_for_reliability
from sipas_research.results import TIDY_COLUMNS, DataKind
from sipas_research.wording import number, p_value, percent, text

NAN = float("nan")
#: Reliability that the number of forms a group would need is told for; the usual convention for group means.
ASKED_RELIABILITY = 0.70
#: rwg(j) from which a group is usually said to agree (Lance, Butts & Michels 2006 find no ground for it).
USUAL_AGREEMENT = 0.70


@dataclass(frozen=True, slots=True)
class OutcomeIcc:
    """One score: its one-way analysis of variance, None where there is none; ``note`` says why (a catalogue key)."""

    outcome: str
    statistics: OneWay | None
    note: str


@dataclass(frozen=True, slots=True, eq=False)
class GroupReliability:
    """Whether groups can be told apart: ICC(1) and ICC(2) of several scores.

    Attributes
    ----------
    by : str
    outcomes : tuple of OutcomeIcc
    level : float
        Coverage of the intervals.
    data_kind : DataKind
    """

    by: str
    outcomes: tuple[OutcomeIcc, ...]
    level: float
    data_kind: DataKind

    def tidy(self) -> pd.DataFrame:
        """Two rows a score, group "icc1" and "icc2"; then k0, groups, people, forms needed for reliable means."""
        rows = [self._row(found, kind) for found in self.outcomes for kind in ("icc1", "icc2")]
        names = [*TIDY_COLUMNS, "df1", "df2", "mean_size", "n_groups", "n", "size_needed"]
        return pd.DataFrame(rows, columns=names).assign(data_kind=self.data_kind.value)

    def _row(self, found: OutcomeIcc, kind: str) -> dict[str, object]:
        s = found.statistics
        row: dict[str, object] = {"term": found.outcome, "group": kind, "std_error": NAN, "note": found.note}
        if s is None:
            return row
        return row | {
            "estimate": getattr(s, kind),
            "conf_low": getattr(s, f"{kind}_low"),
            "conf_high": getattr(s, f"{kind}_high"),
            "statistic": s.statistic,
            "p_value": s.p_value,
            "df1": s.df1,
            "df2": s.df2,
            "mean_size": s.mean_size,
            "n_groups": s.groups,
            "n": s.rows,
            "size_needed": size_for_reliability(s.icc1, ASKED_RELIABILITY),
        }

    def glance(self) -> pd.DataFrame:
        """Return one row: scores, those whose groups differ, lowest and highest ICC(1) and ICC(2), data_kind."""
        found = [o.statistics for o in self.outcomes if o.statistics is not None]
        row = {
            "by": self.by,
            "n_outcomes": len(self.outcomes),
            "n_differ": sum(s.icc1_low > 0 for s in found),
            "lowest_icc1": min((s.icc1 for s in found), default=NAN),
            "highest_icc1": max((s.icc1 for s in found), default=NAN),
            "lowest_icc2": min((s.icc2 for s in found), default=NAN),
            "highest_icc2": max((s.icc2 for s in found), default=NAN),
            "level": self.level,
            "data_kind": self.data_kind.value,
        }
        return pd.DataFrame([row])

    def summary(self, language: str = "vi") -> str:
        """Return one line a score."""
        return "\n".join(self._line(found, language) for found in self.outcomes)

    def _line(self, found: OutcomeIcc, language: str) -> str:
        s = found.statistics
        if s is None:
            return f"{found.outcome}: {text(found.note, language)}"
        return text(
            f"agreement.summary.{'apart' if s.icc1_low > 0 else 'not_apart'}",
            language,
            outcome=found.outcome,
            icc1=number(s.icc1, 3, language),
            low=number(s.icc1_low, 3, language),
            high=number(s.icc1_high, 3, language),
            icc2=number(s.icc2, 3, language),
            groups=s.groups,
            n=s.rows,
            p=p_value(s.p_value, language),
        )


@dataclass(frozen=True, slots=True)
class GroupAgreement:
    """One scale in one group under one null distribution.

    Attributes
    ----------
    scale, group, null : str
    n : float
        People with all items; NaN where hidden.
    value : float
        rwg or rwg(j), 0 where the answers vary more than under no agreement; NaN where hidden.
    reset : bool
        True where the value was put to 0.
    suppressed : bool
    note : str
        Catalogue key, or "".
    """

    scale: str
    group: str
    null: str
    n: float
    value: float
    reset: bool
    suppressed: bool
    note: str


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """Agreement within groups: rwg(j) of each scale in each group under each null distribution.

    Attributes
    ----------
    by : str
    rows : tuple of GroupAgreement
    forced : bool
        True where the instrument is not one of shared constructs and it was asked for all the same.
    data_kind : DataKind
    """

    by: str
    rows: tuple[GroupAgreement, ...]
    forced: bool
    data_kind: DataKind

    def tidy(self) -> pd.DataFrame:
        """One row a scale, null distribution and group: term, group, estimate, null, n, reset, suppressed, note."""
        empty = dict.fromkeys(TIDY_COLUMNS, NAN)
        rows = [
            empty
            | {"term": r.scale, "group": r.group, "estimate": r.value, "note": r.note, "null": r.null, "n": r.n}
            | {"reset": r.reset, "suppressed": r.suppressed, "data_kind": self.data_kind.value}
            for r in self.rows
        ]
        return pd.DataFrame(rows, columns=[*TIDY_COLUMNS, "null", "n", "reset", "suppressed", "data_kind"])

    def scales(self) -> pd.DataFrame:
        """One row a scale and null distribution: groups, median and quartiles, share from 0.70, values reset to 0."""
        keys = list(dict.fromkeys((r.scale, r.null) for r in self.rows))
        rows = []
        for scale, null in keys:
            picked = [r for r in self.rows if (r.scale, r.null) == (scale, null)]
            values = np.array([r.value for r in picked if np.isfinite(r.value)])
            low, middle, high = np.quantile(values, (0.25, 0.5, 0.75)) if values.size else (NAN, NAN, NAN)
            rows.append(
                {
                    "term": scale,
                    "null": null,
                    "n_groups": len(values),
                    "n_suppressed": sum(r.suppressed for r in picked),
                    "quartile_low": float(low),
                    "median": float(middle),
                    "quartile_high": float(high),
                    "share_agreeing": float((values >= USUAL_AGREEMENT).mean()) if values.size else NAN,
                    "n_reset": sum(r.reset for r in picked),
                    "note": next((r.note for r in picked if r.note == "agreement.note.no_null"), ""),
                }
            )
        return pd.DataFrame(rows)

    def glance(self) -> pd.DataFrame:
        """Return one row: scales, groups shown and hidden, lowest and highest median, data_kind."""
        table = self.scales()
        row = {
            "by": self.by,
            "n_scales": len({r.scale for r in self.rows}),
            "n_groups": int(table["n_groups"].max()) if len(table) else 0,
            "lowest_median": float(table["median"].min()) if len(table) else NAN,
            "highest_median": float(table["median"].max()) if len(table) else NAN,
            "forced": self.forced,
            "data_kind": self.data_kind.value,
        }
        return pd.DataFrame([row])

    def summary(self, language: str = "vi") -> str:
        """Return one line a scale with both null distributions, then what the index can and cannot say."""
        lines = []
        for row in self.scales().to_dict("records"):
            null = text(f"agreement.null.{row['null']}", language)
            if not np.isfinite(row["median"]):
                note = row["note"] or "agreement.note.no_group"
                lines.append(f"{row['term']} ({null}): {text(note, language)}")
                continue
            lines.append(
                text(
                    "agreement.summary.scale",
                    language,
                    scale=row["term"],
                    null=null,
                    median=number(row["median"], 3, language),
                    groups=int(row["n_groups"]),
                    share=percent(row["share_agreeing"], language, 0),
                )
            )
        if self.forced:
            lines.append(text("agreement.note.forced", language))
        lines.append(text("agreement.summary.caution", language))
        return "\n".join(lines)
