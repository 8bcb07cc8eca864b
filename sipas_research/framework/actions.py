"""The catalogue of measures, and which of them to suggest: only where a criterion lies below its peers beyond noise."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from sipas_research import wording
from sipas_research.errors import FrameworkError, OptionError, Problem
from sipas_research.framework.design import prepare_design
from sipas_research.framework.file_names import ACTIONS_FILE
from sipas_research.framework.framework_spec import STATUSES, Framework, Status
from sipas_research.framework.groups import group_rows
from sipas_research.framework.index import components
from sipas_research.framework.peer_differences import DifferenceRow, PeerComparison, compare_with_peers
from sipas_research.framework.publication import component_masks, item_masks
from sipas_research.framework.scorecard import Scorecard
from sipas_research.framework.sheet_tables import (
    Row,
    TableSpec,
    both_cells,
    column,
    known_word,
    read_tables,
    require,
    unique_rows,
    write_tables,
)
from sipas_research.numerics.multiplicity import holm
from sipas_research.results import DataKind
from sipas_research.survey.register_rows import word
from sipas_research.survey.responses import Responses
from sipas_research.wording import Bilingual

TOPIC = "actions"
_PACKAGED = Path(__file__).resolve().parent / "files" / "actions.toml"


@dataclass(frozen=True, slots=True)
class Action:
    """One measure: what to do about which factor, who, until when, and what shows that it was done.

    ``items`` are the questions it acts on; () means every question of the factor. ``deadline`` is the user's to fill.
    """

    id: str
    factor: str
    text: Bilingual
    owner: Bilingual
    deadline: str
    evidence: Bilingual
    items: tuple[str, ...]
    source: Bilingual
    status: Status


@dataclass(frozen=True, slots=True)
class ActionCatalogue:
    """All measures in file order."""

    actions: tuple[Action, ...]
    file: str = ACTIONS_FILE

    def of(self, factor: str, items: Iterable[str] = ()) -> tuple[Action, ...]:
        """Return the measures that name one of ``items``; all of the factor where none names any of them."""
        asked = set(items)
        own = tuple(a for a in self.actions if a.factor == factor)
        named = tuple(a for a in own if asked & set(a.items))
        return named or own


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One criterion or component below its peers by more than noise, and the measures that act on it.

    ``gap`` is own share minus that of the others (0-1), ``p_value`` adjusted for all terms compared (Holm).
    """

    term: str
    factor: str
    against: str
    gap: float
    conf_low: float
    conf_high: float
    p_value: float
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Suggestions:
    """Suggested measures of one agency; empty where nothing lies below the peers by more than noise."""

    agency: str
    rows: tuple[Suggestion, ...]
    compared: int
    level: float
    data_kind: DataKind

    def tidy(self) -> pd.DataFrame:
        """One row a criterion and measure."""
        columns = ["term", "group", "estimate", "conf_low", "conf_high", "p_value", "factor", "action", "against"]
        table = [
            (s.term, self.agency, s.gap, s.conf_low, s.conf_high, s.p_value, s.factor, a.id, s.against)
            for s in self.rows
            for a in s.actions
        ]
        return pd.DataFrame(table, columns=columns)

    def glance(self) -> pd.DataFrame:
        """One row: terms compared, terms below, level."""
        row = {"agency": self.agency, "compared": self.compared, "below": len(self.rows), "level": self.level}
        return pd.DataFrame([row | {"data_kind": self.data_kind.value}])

    def summary(self, language: str = "vi") -> str:
        """Return the measures, or the sentence that nothing lies below the peers by more than noise."""
        shown = {"n": self.compared, "level": wording.percent(self.level, language, 0)}
        if not self.rows:
            return wording.text("actions.summary.none", language, **shown)
        lines = [wording.text("actions.summary.head", language, **shown)]
        for action in dict.fromkeys(a for s in self.rows for a in s.actions):
            lines.append(f"- {action.text(language)}")
        return "\n".join([*lines, wording.text(f"common.kind.{self.data_kind.value}", language)])


@cache
def _tables() -> tuple[TableSpec, ...]:
    phrases = dict.fromkeys(("vi", "en", "owner_vi", "owner_en", "evidence_vi", "evidence_en"), 50)
    columns = (
        column(TOPIC, "id", 18, required=True),
        column(TOPIC, "factor", 18, required=True),
        *(column(TOPIC, key, width, required=key == "vi") for key, width in phrases.items()),
        column(TOPIC, "deadline", 20),
        column(TOPIC, "items", 30),
        column(TOPIC, "source_vi", 40),
        column(TOPIC, "source_en", 40),
        column(TOPIC, "status", 22, STATUSES),
    )
    return (TableSpec(TOPIC, "action", columns),)


def load_actions(source: Path | None = None) -> ActionCatalogue:
    """Load a catalogue of measures from an .xlsx or .toml file; the packaged one where no path is given.

    Raises
    ------
    FrameworkError
        If the file cannot be read, or with one Problem for each cell that breaks a rule.
    """
    path = source or _PACKAGED
    rows, problems = read_tables(path, _tables(), FrameworkError)
    actions = tuple(_action(row, problems) for row in unique_rows(rows["action"], problems))
    if not rows["action"]:
        sheet = wording.text("actions.sheet.action", "vi")
        problems.append(Problem.of("sheet_tables.problem.empty_table", file=path.name, sheet=sheet))
    if problems:
        raise FrameworkError("actions.error.invalid", problems=problems, file=path.name, n=len(problems))
    return ActionCatalogue(actions, path.name)


def actions_for(folder: Path) -> ActionCatalogue:
    """Return the catalogue of a study folder (``hanh_dong.xlsx``), else the packaged one."""
    own = folder / ACTIONS_FILE
    return load_actions(own if own.is_file() else None)


def _action(row: Row, problems: list[Problem]) -> Action:
    require(row, ("factor", "vi"), problems)
    items = tuple(part for cell in row.get("items").split(";") if (part := cell.strip()))
    return Action(
        id=row.get("id"),
        factor=row.get("factor"),
        text=row.both(),
        owner=row.both("owner_"),
        deadline=row.get("deadline"),
        evidence=row.both("evidence_"),
        items=items,
        source=row.both("source_"),
        status=known_word(row, "status", STATUSES, problems, "proposed"),  # type: ignore[arg-type]
    )


def write_actions_xlsx(catalogue: ActionCatalogue, path: Path) -> Path:
    """Write a catalogue as a workbook for people to edit; :func:`load_actions` reads it back."""
    rows = [
        {
            "id": a.id,
            "factor": a.factor,
            **both_cells(a.text),
            **both_cells(a.owner, "owner_"),
            "deadline": a.deadline,
            **both_cells(a.evidence, "evidence_"),
            "items": "; ".join(a.items),
            **both_cells(a.source, "source_"),
            "status": word(TOPIC, a.status),
        }
        for a in catalogue.actions
    ]
    return write_tables(path, _tables(), {"action": rows})


def compare_criteria(responses: Responses, framework: Framework, *, level: float = 0.95) -> PeerComparison | None:
    """Prepare the differences of all agencies from their peers, criterion by criterion; None below two criteria.

    Criteria that the form does not ask are left out.
    """
    asked = {i for ids in framework.scales(responses.questionnaire).values() for i in ids if responses.has(i)}
    parts = {criterion: tuple(i for i in ids if i in asked) for criterion, ids in _criterion_items(framework).items()}
    parts = {criterion: ids for criterion, ids in parts.items() if ids}
    if len(parts) < 2:
        return None
    agencies = group_rows(responses, "agency")
    design = prepare_design(responses)
    # the questions of a criterion stand on scorecards: a level's total of the criterion must not give one away
    scales = components(responses)
    hidden = component_masks(design, responses, scales, agencies).groups
    finer = (*hidden.values(), *item_masks(design, responses, scales, agencies, hidden).values())
    return compare_with_peers(
        design, responses, parts, agencies, definition="share_satisfied", level=level, finer=finer
    )


def criterion_gaps(
    responses: Responses, card: Scorecard, framework: Framework, *, peers: PeerComparison | None = None
) -> tuple[DifferenceRow, ...]:
    """Return the difference of each criterion from the agency's peers, under the survey's design.

    Criteria that the form does not ask, or of which an item is hidden on the scorecard, are left out. ``peers`` is what
    :func:`compare_criteria` gave for the same survey and framework, where several agencies are asked about.
    """
    found = peers or compare_criteria(responses, framework, level=card.level)
    if found is None:
        return ()
    shown = {row.term for row in card.item_rows if not row.suppressed}
    asked = {name: {i for i in ids if responses.has(i)} for name, ids in _criterion_items(framework).items()}
    rows = tuple(row for row in found.of(card.agency) if asked.get(row.term, {""}) <= shown)
    return rows if len(rows) > 1 else ()


def _criterion_items(framework: Framework) -> dict[str, tuple[str, ...]]:
    return {c.id: tuple(i.id for i in framework.items if i.criterion == c.id) for c in framework.criteria}


def suggest_actions(
    agency: str,
    differences: Iterable[DifferenceRow],
    catalogue: ActionCatalogue,
    *,
    data_kind: DataKind,
    framework: Framework | None = None,
    level: float = 0.95,
) -> Suggestions:
    """Suggest measures for what lies below the peers by more than noise.

    Parameters
    ----------
    agency : str
    differences : iterable of DifferenceRow
        Components (their ids are factors of the catalogue), or criteria of ``framework``. The index as a whole and
        overall satisfaction have no measures of their own and are left out.
    catalogue : ActionCatalogue
    data_kind : DataKind
    framework : Framework, optional
        Says which factor and questions a criterion belongs to.
    level : float
        A term counts as below where its difference is negative and its p-value, adjusted for all terms compared
        (Holm 1979), is under 1 - ``level``.

    Returns
    -------
    Suggestions

    Raises
    ------
    OptionError
        If ``level`` is not strictly between 0 and 1.
    """
    if not 0.0 < level < 1.0:
        raise OptionError("index.error.level", value=str(level))
    place = _places(catalogue, framework)
    rows = [r for r in differences if r.term in place and math.isfinite(r.p_value)]
    tails = holm(np.array([r.p_value for r in rows])) if rows else np.array([])
    found = []
    for row, tail in zip(rows, tails, strict=True):
        factor, items = place[row.term]
        actions = catalogue.of(factor, items)
        if row.estimate < 0.0 and tail < 1.0 - level and actions:
            ends = (row.conf_low, row.conf_high)
            found.append(Suggestion(row.term, factor, row.group, row.estimate, *ends, float(tail), actions))
    return Suggestions(agency, tuple(found), len(rows), level, data_kind)


def _places(catalogue: ActionCatalogue, framework: Framework | None) -> Mapping[str, tuple[str, tuple[str, ...]]]:
    """Return the factor and the questions of each term that can have measures."""
    places: dict[str, tuple[str, tuple[str, ...]]] = {a.factor: (a.factor, ()) for a in catalogue.actions}
    for criterion in framework.criteria if framework else ():
        items = tuple(i.id for i in framework.items if i.criterion == criterion.id) if framework else ()
        places[criterion.id] = (criterion.component, items)
    return places
