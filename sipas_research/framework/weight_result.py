"""What an index under criterion weights is: the weights, how they were chosen, and figures beside the default index."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sipas_research import wording
from sipas_research.framework.framework_spec import Criterion, Framework, WeightMethod
from sipas_research.framework.index import INDEX, IndexRow, SatisfactionIndex
from sipas_research.results import DataKind

_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class CriterionWeight:
    """One criterion: its weight and the bounds of its weight, 0-1; NaN where each agency has its own or none.

    ``asked`` is False where the form asks none of its questions: then it counts nothing here.
    """

    criterion: Criterion
    weight: float
    low: float
    high: float
    asked: bool


@dataclass(frozen=True, slots=True, eq=False)
class WeightedIndex:
    """The index of one level's agencies under criterion weights, beside the default index.

    Attributes
    ----------
    index : SatisfactionIndex
        Its ``definition`` names the way of weighting; ``decides`` says whether ranks and classes may rest on it.
    default : SatisfactionIndex
        The default index of the same agencies and more.
    chosen : {"framework", "data", "given"}
        Who chose the weights: the framework file, this survey's own answers, or the caller.
    weights : tuple of CriterionWeight
        In the framework's order.
    agency_weights : (agencies, criteria asked) array
        One row for each of ``index.groups``; missing where the agency's figures are hidden. Not writeable.
    covered : float
        Share of the framework's weight (0-1) that lies on criteria which the form asks.
    """

    framework: Framework
    method: WeightMethod
    chosen: str
    weights: tuple[CriterionWeight, ...]
    index: SatisfactionIndex
    default: SatisfactionIndex
    agency_weights: np.ndarray
    covered: float

    @property
    def data_kind(self) -> DataKind:
        """Kind of the answers."""
        return self.index.data_kind

    @property
    def asked(self) -> tuple[str, ...]:
        """Criteria that count, in the framework's order."""
        return tuple(w.criterion.id for w in self.weights if w.asked)

    def pairs(self) -> tuple[tuple[IndexRow, IndexRow], ...]:
        """Return for each agency its row under the weights and its default row, in register order."""
        default = {r.group: r for r in self.default.rows if r.term == INDEX}
        return tuple((row, default[row.group]) for row in self.index.rows if row.group)

    def tidy(self) -> pd.DataFrame:
        """One row an agency: figures under the weights, the default index, and the difference."""
        found = self.index.tidy().query("group != ''").reset_index(drop=True)
        default = [plain.estimate for _, plain in self.pairs()]
        return found.assign(default=default, difference=found["estimate"] - default)

    def weight_table(self) -> pd.DataFrame:
        """One row a criterion: weight, bounds, whether it was asked."""
        rows = [(w.criterion.id, w.criterion.component, w.weight, w.low, w.high, w.asked) for w in self.weights]
        return pd.DataFrame(rows, columns=["term", "group", "estimate", "low", "high", "asked"])

    def glance(self) -> pd.DataFrame:
        """One row: level, method, who chose the weights, what is covered, whether they may decide."""
        row = {"family": self.framework.level, "method": self.method, "chosen": self.chosen}
        counts = {"n_criteria": len(self.weights), "n_asked": len(self.asked), "covered": self.covered}
        tail = {"decides": self.index.decides, "data_kind": self.data_kind.value, "source": self.index.source}
        return pd.DataFrame([row | counts | tail])

    def reason(self, language: str) -> str:
        """Return how the weights were chosen, and why."""
        fields = {"why": self.framework.weight_reason(language)} if self.chosen == "framework" else {}
        return wording.text(f"criterion_weights.chosen.{self.chosen}_{self.method}", language, **fields)

    def notes(self, language: str) -> tuple[str, ...]:
        """Return what must be said of the weights: choice, cover, error, and that they decide nothing."""
        said = [self.reason(language)]
        if len(self.asked) < len(self.weights):
            share = wording.percent(self.covered, language, 0)
            counts = {"asked": len(self.asked), "all": len(self.weights), "share": share}
            said.append(wording.text("criterion_weights.note.partial", language, **counts))
        if self.method == "benefit_of_doubt":
            said.append(wording.text("criterion_weights.note.favourable", language))
        said.append(wording.text(f"criterion_weights.note.{'decides' if self.index.decides else 'beside'}", language))
        return tuple(said)

    def summary(self, language: str = "vi") -> str:
        """Return the definition, how the weights were chosen and what they may be used for."""
        shown = sum(not row.suppressed for row, _ in self.pairs())
        level = wording.text(f"framework.agency_level.{self.framework.level}", language)
        head = wording.text("criterion_weights.summary", language, family=level, n=shown)
        definition = wording.text(f"index.definition.{self.index.definition}", language)
        kind = wording.text(f"common.kind.{self.data_kind.value}", language)
        return "\n".join([head, definition, *self.notes(language), kind])
