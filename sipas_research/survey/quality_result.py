"""What response quality is made of: counts over all forms, by agency, and how far groups differ."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from sipas_research.results import TIDY_COLUMNS, DataKind
from sipas_research.wording import number, p_value, percent, text

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class SignCount:
    """One sign over all forms: forms looked at, forms with the sign, their share (0-1); NaN where hidden."""

    rule: str
    bar: float
    n: float
    marked: float
    share: float
    suppressed: bool
    note: str


@dataclass(frozen=True, slots=True)
class GroupQuality:
    """One agency: forms, suspects, their share (0-1); NaN where hidden."""

    group: str
    n: float
    suspects: float
    share: float
    suppressed: bool


@dataclass(frozen=True, slots=True)
class Spread:
    """How the share of suspects differs over groups, without naming one.

    Attributes
    ----------
    by : str
        "agency" or "collector".
    n_groups : float
        NaN, as all other figures, where fewer than ten groups have ten forms each.
    quartiles : tuple of float
        Of the share over groups of at least ten forms.
    statistic, df, p_value : float
        Pearson's chi-square of equal shares, all groups in.
    note : str
        Catalogue key, or "".
    """

    by: str
    n_groups: float
    quartiles: tuple[float, float, float]
    statistic: float
    df: float
    p_value: float
    note: str


@dataclass(frozen=True, slots=True, eq=False)
class ResponseQuality:
    """Signs of careless answering in one survey.

    Attributes
    ----------
    counts : tuple of SignCount
        One a rule.
    suspects : SignCount
        Forms with signs of ``at_least`` families.
    agencies : tuple of GroupQuality
        In the order of the register.
    spreads : tuple of Spread
        Over agencies, and over collectors.
    at_least, n : int
    data_kind : DataKind
    """

    counts: tuple[SignCount, ...]
    suspects: SignCount
    agencies: tuple[GroupQuality, ...]
    spreads: tuple[Spread, ...]
    at_least: int
    n: int
    data_kind: DataKind

    def tidy(self) -> pd.DataFrame:
        """One row a sign and for the suspects (share), one an agency (share), one a spread (chi-square)."""
        rows = []
        for count in (*self.counts, self.suspects):
            rows.append({"term": count.rule, "group": "", "estimate": count.share, "n": count.n, "marked": count.marked,
                         "suppressed": count.suppressed, "note": count.note, "bar": count.bar})  # fmt: skip
        for row in self.agencies:
            rows.append({"term": "suspects", "group": row.group, "estimate": row.share, "n": row.n,
                         "marked": row.suspects, "suppressed": row.suppressed,
                         "note": "response_quality.note.hidden" if row.suppressed else ""})  # fmt: skip
        for spread in self.spreads:
            rows.append({"term": f"spread_{spread.by}", "group": "", "estimate": spread.quartiles[1],
                         "conf_low": spread.quartiles[0], "conf_high": spread.quartiles[2], "n": spread.n_groups,
                         "statistic": spread.statistic, "p_value": spread.p_value, "suppressed": False,
                         "note": spread.note})  # fmt: skip
        table = pd.DataFrame(rows, columns=[*TIDY_COLUMNS, "n", "marked", "bar", "suppressed"])
        return table.assign(data_kind=self.data_kind.value)

    def glance(self) -> pd.DataFrame:
        """Return one row: forms, suspects and their share, signs asked for, data_kind."""
        row = {
            "n": self.n,
            "n_suspects": self.suspects.marked,
            "share": self.suspects.share,
            "at_least": self.at_least,
            "n_rules": len(self.counts),
            "n_agencies": len(self.agencies),
            "n_agencies_suppressed": sum(row.suppressed for row in self.agencies),
            "data_kind": self.data_kind.value,
        }
        return pd.DataFrame([row])

    def summary(self, language: str = "vi") -> str:
        """Return the share of suspects, each sign, and whether collectors and agencies differ."""
        lines = [self._headline(language), *[count_text(count, language) for count in self.counts]]
        lines += [self._spread_text(spread, language) for spread in self.spreads]
        lines.append(text("response_quality.summary.caution", language))
        return "\n".join(line for line in lines if line)

    def _headline(self, language: str) -> str:
        if self.suspects.suppressed:
            return text("response_quality.summary.few", language, n=self.n, signs=self.at_least)
        return text(
            "response_quality.summary.suspects",
            language,
            suspects=int(self.suspects.marked),
            n=self.n,
            share=percent(self.suspects.share, language, 1),
            signs=self.at_least,
        )

    def _spread_text(self, spread: Spread, language: str) -> str:
        if not math.isfinite(spread.p_value):
            return ""
        return text(
            f"response_quality.summary.{spread.by}",
            language,
            statistic=number(spread.statistic, 1, language),
            p=p_value(spread.p_value, language),
        )


def rule_label(rule: str, bar: float, language: str) -> str:
    """Return a sign in words, with its bar in its own unit."""
    shown = {
        "straight_line": number(math.ceil(bar), 0, language),
        "long_string": percent(bar, language, 0),
        "speed": number(bar, 1, language),
        "mahalanobis": number(bar, 3, language),
        "even_odd": number(bar, 2, language),
    }[rule]
    return text(f"response_quality.rule.{rule}", language, bar=shown)


def count_text(count: SignCount, language: str) -> str:
    """Return one sign as a line."""
    label = rule_label(count.rule, count.bar, language)
    label = label[:1].upper() + label[1:]
    if count.note:
        return text("response_quality.summary.reason", language, rule=label, reason=text(count.note, language))
    return text(
        "response_quality.summary.sign",
        language,
        rule=label,
        marked=int(count.marked),
        n=int(count.n),
        share=percent(count.share, language, 1),
    )
