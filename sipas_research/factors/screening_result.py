"""What item screening leaves behind: the log, the tables before and after, one paragraph for people."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from sipas_research.factors.reliability_result import Reliability
from sipas_research.factors.solution import FactorSolution
from sipas_research.results import TIDY_COLUMNS, DataKind
from sipas_research.wording import number, text

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class ScreeningRule:
    """One rule: its name ("item_total", "alpha_rise", "communality", "loading", "cross_loading") and its bar."""

    name: str
    bar: float

    def label(self, language: str) -> str:
        """Return the rule in words, with its bar."""
        return text(f"screening.rule.{self.name}", language, bar=number(self.bar, 2, language))

    def source(self, language: str) -> str:
        """Return who proposed the rule."""
        return text(f"screening.source.{self.name}", language)


@dataclass(frozen=True, slots=True)
class Effect:
    """Tables before or after one deletion; NaN where they do not exist.

    Attributes
    ----------
    alpha : float
        Of the item's scale.
    kmo, explained, smallest_loading : float
        Of all items in play: sampling adequacy, share of variance explained, smallest main loading.
    """

    alpha: float
    kmo: float = NAN
    explained: float = NAN
    smallest_loading: float = NAN


@dataclass(frozen=True, slots=True)
class ScreeningRound:
    """One line of the log.

    Attributes
    ----------
    round : int
        From 1; 0 for items that could not enter.
    step : str
        "entry", "reliability" or "factors".
    rule : str
        Name of the rule; "" at the entry.
    item, scale : str
    value, bar : float
        What the item had, and what the rule asks.
    action : str
        "deleted", "kept" (the rule spoke against it, but its scale would be left too short) or "stopped".
    before, after : Effect
    note : str
        Catalogue key, or "".
    """

    round: int
    step: str
    rule: str
    item: str
    scale: str
    value: float
    bar: float
    action: str
    before: Effect
    after: Effect
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ScreeningCheck:
    """Reliability and factors of one set of items in one sample.

    Attributes
    ----------
    sample : str
        "screening" (the forms that the rules saw), "holdout" (the other half) or "same" (no half was held out).
    n : int
        Forms.
    reliability : Reliability
    kmo, bartlett_p : float
        NaN where they cannot be computed.
    solution : FactorSolution or None
        None where there is no solution.
    """

    sample: str
    n: int
    reliability: Reliability
    kmo: float
    bartlett_p: float
    solution: FactorSolution | None

    @property
    def alphas(self) -> dict[str, float]:
        """Alpha by scale."""
        table = self.reliability.scales
        return {str(scale): float(alpha) for scale, alpha in zip(table["term"], table["estimate"], strict=True)}

    @property
    def explained(self) -> float:
        """Share of variance that the factors explain, NaN without a solution."""
        return float(self.solution.communality.mean()) if self.solution else NAN


@dataclass(frozen=True, slots=True, eq=False)
class Screening:
    """Items before and after screening, and the log between.

    Attributes
    ----------
    rules : tuple of ScreeningRule
    rounds : tuple of ScreeningRound
        The log, in order. An item without a line was never in question.
    before : ScreeningCheck
        All items, in the screening forms.
    seen : ScreeningCheck
        Items that are left, in the same forms: flattered, since the rules chose them there.
    after : ScreeningCheck
        Items that are left, in the held-out half; the same as ``seen`` where no half was held out.
    kept : tuple of (str, tuple of str)
        Scales with the items that are left.
    n_factors : int
    method, rotation : str
    n, n_dropped : int
        Complete forms of both halves, and forms left out.
    note : str
        Catalogue key of why no half was held out, or "".
    data_kind : DataKind
    """

    rules: tuple[ScreeningRule, ...]
    rounds: tuple[ScreeningRound, ...]
    before: ScreeningCheck
    seen: ScreeningCheck
    after: ScreeningCheck
    kept: tuple[tuple[str, tuple[str, ...]], ...]
    n_factors: int
    method: str
    rotation: str
    n: int
    n_dropped: int
    note: str
    data_kind: DataKind

    @property
    def scales(self) -> dict[str, tuple[str, ...]]:
        """Scales with the items that are left, as ``reliability`` takes them."""
        return dict(self.kept)

    @property
    def deleted(self) -> tuple[str, ...]:
        """Items that were taken out, in order."""
        return tuple(line.item for line in self.rounds if line.action == "deleted")

    def tidy(self) -> pd.DataFrame:
        """Return the log: one row a line; term is the item, group its scale, estimate what it had."""
        return pd.DataFrame([_log_row(line) for line in self.rounds], columns=[*TIDY_COLUMNS, *_LOG_COLUMNS])

    def effects(self) -> pd.DataFrame:
        """One row a scale: items and alpha before, alpha in the forms that the rules saw, alpha after."""
        before, seen, after = self.before.alphas, self.seen.alphas, self.after.alphas
        sizes = {r.scale: len(r.items) for r in self.before.reliability.results}
        rows = [
            (s, sizes.get(s, 0), len(items), before.get(s, NAN), seen.get(s, NAN), after.get(s, NAN), self.after.sample)
            for s, items in self.kept
        ]
        names = ["term", "n_items_before", "n_items", "alpha_before", "alpha_same_forms", "alpha_after", "sample"]
        return pd.DataFrame(rows, columns=names)

    def glance(self) -> pd.DataFrame:
        """Return one row: items, deletions, forms of each half, adequacy and explained variance, data_kind."""
        row = {
            "n_items_before": sum(len(r.items) for r in self.before.reliability.results),
            "n_items": sum(len(items) for _, items in self.kept),
            "n_deleted": len(self.deleted),
            "n_factors": self.n_factors,
            "method": self.method,
            "rotation": self.rotation,
            "n": self.n,
            "n_dropped": self.n_dropped,
            "n_screening": self.before.n,
            "n_after": self.after.n,
            "sample": self.after.sample,
            "kmo_before": self.before.kmo,
            "kmo_after": self.after.kmo,
            "explained_before": self.before.explained,
            "explained_after": self.after.explained,
            "data_kind": self.data_kind.value,
        }
        return pd.DataFrame([row])

    def summary(self, language: str = "vi") -> str:
        """Return how many items were taken out, what is left, and in which forms it was estimated again."""
        lines = [self._headline(language), text(f"screening.sample.{self.after.sample}", language, n=self.after.n)]
        lines += [text(self.note, language)] if self.note else []
        lines += [line_text(line, self.rules, language) for line in self.rounds]
        lines.append(text("screening.summary.convention", language))
        return "\n".join(lines)

    def _headline(self, language: str) -> str:
        if not self.deleted:
            return text("screening.summary.none", language, n=self.before.n)
        alphas = [a for a in self.after.alphas.values() if math.isfinite(a)]
        return text(
            "screening.summary.deleted",
            language,
            deleted=len(self.deleted),
            items=sum(len(r.items) for r in self.before.reliability.results),
            n=self.before.n,
            low=number(min(alphas, default=NAN), 3, language),
            high=number(max(alphas, default=NAN), 3, language),
        )


_LOG_COLUMNS = (
    "round",
    "step",
    "rule",
    "bar",
    "action",
    "alpha_before",
    "alpha_after",
    "kmo_before",
    "kmo_after",
    "explained_before",
    "explained_after",
    "smallest_loading_before",
    "smallest_loading_after",
)


def line_text(line: ScreeningRound, rules: tuple[ScreeningRule, ...], language: str) -> str:
    """Return one line of the log as a sentence."""
    if line.note and line.step == "entry":
        return text("screening.line.entry", language, item=line.item, reason=text(line.note, language))
    if line.action == "stopped":
        return text(line.note, language)
    rule = next(r for r in rules if r.name == line.rule)
    return text(
        f"screening.line.{line.action}",
        language,
        round=line.round,
        item=line.item,
        rule=rule.label(language),
        value=number(line.value, 3, language),
        before=number(line.before.alpha, 3, language),
        after=number(line.after.alpha, 3, language),
    )


def _log_row(line: ScreeningRound) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(TIDY_COLUMNS, NAN)
    row |= {"term": line.item, "group": line.scale, "estimate": line.value, "note": line.note}
    row |= {name: getattr(line, name) for name in ("round", "step", "rule", "bar", "action")}
    for name in ("alpha", "kmo", "explained", "smallest_loading"):
        row |= {f"{name}_before": getattr(line.before, name), f"{name}_after": getattr(line.after, name)}
    return row
