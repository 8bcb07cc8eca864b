"""What a measurement framework says: who is rated on which criteria, with which weights, bands and rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from sipas_research import wording
from sipas_research.framework.bands import Bands
from sipas_research.survey.questionnaire import Question, Questionnaire, Scale
from sipas_research.wording import Bilingual

Level = Literal["department", "district", "commune"]
WeightMethod = Literal["equal", "expert", "loadings", "benefit_of_doubt"]
#: What is known about a statement: "read" in the decision itself, "cited" by a source, "proposed" here.
Status = Literal["read", "cited", "proposed", "unverified"]
Better = Literal["high", "low"]
LEVELS: tuple[Level, ...] = get_args(Level)
WEIGHT_METHODS: tuple[WeightMethod, ...] = get_args(WeightMethod)
STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True, slots=True)
class Component:
    """One part of the index, such as access to services."""

    id: str
    name: Bilingual


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion of a component; ``weight`` is its share of the whole index (0-1), the weights add up to one.

    ``low`` and ``high`` bound the weight where it is chosen by benefit of the doubt; NaN otherwise.
    """

    id: str
    component: str
    name: Bilingual
    weight: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Item:
    """One question that measures a criterion; ``id`` is the question's id in the questionnaire."""

    id: str
    criterion: str
    text: Bilingual


@dataclass(frozen=True, slots=True)
class Procedure:
    """One group of administrative procedures whose users are asked."""

    id: str
    name: Bilingual
    status: Status


@dataclass(frozen=True, slots=True)
class Indicator:
    """One figure from the agency's own records; it stands beside the index and is never added to it.

    ``column`` names the figure in the records; with ``per`` it is a count that is divided by another count.
    """

    id: str
    name: Bilingual
    definition: Bilingual
    column: str
    per: str
    better: Better
    status: Status


@dataclass(frozen=True, slots=True)
class Statement:
    """One rule of publication, as a sentence, and what is known about it."""

    id: str
    text: Bilingual
    status: Status


@dataclass(frozen=True, slots=True)
class Step:
    """One step of appeal: who does what within how many working days (0: no limit is set)."""

    id: str
    text: Bilingual
    who: Bilingual
    days: int
    status: Status


@dataclass(frozen=True, slots=True)
class Basis:
    """One document of the legal basis: number and title as a source gives them."""

    number: str
    title: Bilingual
    note: Bilingual
    status: Status


@dataclass(frozen=True, slots=True)
class Framework:
    """A whole framework.

    ``half_width`` (0-1) is the widest half interval under which an agency gets a rank or a class, ``confidence``
    (0-1) the level of the interval; ``minimum_forms`` the fewest forms under which a figure is shown, ten or more.
    ``bands`` carry their own reason. Dates are yyyy-mm-dd, "" where open.
    """

    level: Level
    title: Bilingual
    purpose: Bilingual
    respondents: Bilingual
    regime: str
    definition: str
    valid_from: str
    valid_to: str
    status: Status
    weight_method: WeightMethod
    weight_reason: Bilingual
    confidence: float
    half_width: float
    minimum_forms: int
    bands: Bands
    components: tuple[Component, ...]
    criteria: tuple[Criterion, ...]
    items: tuple[Item, ...]
    procedures: tuple[Procedure, ...]
    indicators: tuple[Indicator, ...]
    publication: tuple[Statement, ...]
    appeal: tuple[Step, ...]
    basis: tuple[Basis, ...]
    file: str = ""

    def component(self, name: str) -> Component:
        """Return a component by its id."""
        return next(c for c in self.components if c.id == name)

    def criterion(self, name: str) -> Criterion:
        """Return a criterion by its id."""
        return next(c for c in self.criteria if c.id == name)

    def criteria_of(self, component: str) -> tuple[Criterion, ...]:
        """Return a component's criteria in file order."""
        return tuple(c for c in self.criteria if c.component == component)

    def component_weight(self, component: str) -> float:
        """Return a component's share of the index: the sum of its criteria's weights."""
        return sum(c.weight for c in self.criteria_of(component))

    def items_of(self, component: str) -> tuple[Item, ...]:
        """Return a component's items in the order of its criteria."""
        return tuple(i for c in self.criteria_of(component) for i in self.items if i.criterion == c.id)

    def scales(self, questionnaire: Questionnaire) -> dict[str, tuple[str, ...]]:
        """Return the items that a questionnaire asks, by component; what ``satisfaction_index(scales=...)`` takes.

        A component of which nothing is asked is left out; see :meth:`not_asked`.
        """
        asked = {q.id for q in questionnaire.questions if q.kind == "likert" and q.enabled}
        found = {c.id: tuple(i.id for i in self.items_of(c.id) if i.id in asked) for c in self.components}
        return {component: ids for component, ids in found.items() if ids}

    def not_asked(self, questionnaire: Questionnaire) -> tuple[Item, ...]:
        """Return the items that a questionnaire does not ask: an index without them is not yet the framework's."""
        asked = {i for ids in self.scales(questionnaire).values() for i in ids}
        return tuple(i for i in self.items if i.id not in asked)

    def questionnaire(self, base: Questionnaire) -> Questionnaire:
        """Return the framework's own form: its items, then what ``base`` asks besides factors.

        Parameters
        ----------
        base : Questionnaire
            With at least one item of a scale of role "factor".
        """
        factors = {s.id for s in base.scales if s.role == "factor"}
        model = next(q for q in base.questions if q.scale in factors)
        asked = {q.id: q for q in base.questions}
        items = [
            Question(i.id, i.text, "likert", scale=c.id, answers=asked.get(i.id, model).answers)
            for c in self.components
            for i in self.items_of(c.id)
        ]
        others = [q for q in base.questions if q.scale not in factors]
        scales = tuple(Scale(c.id, c.name, "factor") for c in self.components)
        kept = tuple(s for s in base.scales if s.role != "factor" and s.id not in {c.id for c in self.components})
        return Questionnaire(
            f"{base.id}_{self.level}",
            self.title,
            base.respondent,
            self.regime,
            (*scales, *kept),
            (*items, *others),
        )

    def label(self, status: Status, language: str) -> str:
        """Return what stands beside a statement, "" where its text was read in the decision."""
        return "" if status == "read" else wording.text(f"framework_file.status.{status}", language)

    def record(self, indicator: Indicator, row: Mapping[str, float]) -> float:
        """Return a record indicator from an agency's records, NaN where a count is missing or nothing was counted."""
        value = float(row.get(indicator.column, float("nan")))
        if not indicator.per:
            return value
        total = float(row.get(indicator.per, float("nan")))
        return value / total if total > 0 else float("nan")


def shared_criteria(first: Framework, second: Framework) -> float:
    """Return the share of criteria that two frameworks have in common, of the shorter list (0-1).

    Criteria are the same where their ids agree, where their names agree, or where they rest on the same questions.
    """
    pairs = [_signs(first), _signs(second)]
    common = sum(any(mine & other for other in pairs[1]) for mine in pairs[0])
    back = sum(any(mine & other for other in pairs[0]) for mine in pairs[1])
    return max(common, back) / min(len(first.criteria), len(second.criteria))


def _signs(framework: Framework) -> list[frozenset[str]]:
    return [
        frozenset(
            {f"id:{c.id}", f"name:{c.name.vi.casefold()}"}
            | {f"item:{i.id}" for i in framework.items if i.criterion == c.id}
        )
        for c in framework.criteria
    ]


def unverified(framework: Framework) -> Iterable[Bilingual]:
    """Yield what was not read in a decision: rules, steps, procedures, indicators and documents, as phrases."""
    for part in (framework.publication, framework.appeal):
        yield from (p.text for p in part if p.status != "read")
    for named in (framework.procedures, framework.indicators):
        yield from (p.name for p in named if p.status != "read")
    yield from (Bilingual(b.number) for b in framework.basis if b.status != "read")
