"""Which figures of an index table may be printed: no figure that rests on 1 to 9 people, and none that gives one away.

What is published together is looked at together: the index of a group is the sum of its components, the
province is the sum of its groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sipas_research.framework.definitions import answers_agree_with_rest, answers_mixed, ratio_parts
from sipas_research.numerics.disclosure import suppress, suppress_table

if TYPE_CHECKING:
    from sipas_research.framework.design import PreparedDesign
    from sipas_research.framework.groups import Grouping
    from sipas_research.survey.responses import Responses

Cells = tuple[np.ndarray, np.ndarray]
#: People of each group, whether all their answers agree, whether they differ on every question; no group last.
TermCells = tuple[np.ndarray, np.ndarray, np.ndarray]
_INDEX = "index"


@dataclass(frozen=True, slots=True, eq=False)
class Masks:
    """True where a figure is hidden: ``everyone`` by term, ``groups`` by term as an array over the groups."""

    everyone: dict[str, bool]
    groups: dict[str, np.ndarray]


def publication_masks(parts: tuple[str, ...], cells: Mapping[str, TermCells], totals: Mapping[str, int]) -> Masks:
    """Decide which figures of an index are hidden.

    Parameters
    ----------
    parts : tuple of str
        Terms that add up to the term "index".
    cells : mapping of a term to (people in each group, whether the group's answers all agree, whether they differ on
            every question)
        The last cell holds the people who are in no group; it is never printed.
    totals : mapping of a term to its number of people

    Returns
    -------
    Masks
        Groups without the last cell. A group with 1 to 9 people, or whose answers all agree, is hidden; so are
        the groups and components from which it could be derived; a group whose index is hidden shows nothing.
    """
    everyone = _everyone(parts, totals)
    index_people, index_uniform, index_mixed = cells[_INDEX]
    hidden = suppress(index_people, withheld=index_uniform, mixed=index_mixed)
    people = np.column_stack([cells[p][0] for p in parts])
    uniform = np.column_stack([cells[p][1] for p in parts])
    mixed = np.column_stack([cells[p][2] for p in parts])
    table = suppress_table(people, withheld=uniform, hidden=hidden, mixed=mixed)
    if len(parts) == 1:
        # the only component is the index under another name
        hidden = hidden | table[:, 0]
    groups = {_INDEX: hidden} | {p: table[:, column] for column, p in enumerate(parts)}
    for term in set(cells) - set(groups):
        people, uniform, mixed = cells[term]
        groups[term] = suppress(people, withheld=uniform, mixed=mixed) | hidden
    masks = {term: mask[:-1] | everyone[term] for term, mask in groups.items()}
    for mask in masks.values():
        mask.setflags(write=False)
    return Masks(everyone, masks)


def _everyone(parts: tuple[str, ...], totals: Mapping[str, int]) -> dict[str, bool]:
    few = {term: bool(suppress([n])[0]) for term, n in totals.items()}
    row = suppress_table([[totals[p] for p in parts]], hidden=[few[_INDEX]])[0]
    return few | dict(zip(parts, (bool(h) for h in row), strict=True))


def item_cells(top: np.ndarray, bottom: np.ndarray, member: np.ndarray, groups: int) -> Cells:
    """Return people who answered an item in each group, those in no group last, and whether they all agree.

    ``top`` is 1 where a person is satisfied, ``bottom`` 1 where a person answered, ``member`` -1 for no group.
    """
    place = np.where(member < 0, groups, member)
    people = np.bincount(place, weights=bottom, minlength=groups + 1).astype(int)
    happy = np.bincount(place, weights=top * bottom, minlength=groups + 1).astype(int)
    return people, (people > 0) & ((happy == 0) | (happy == people))


def component_masks(
    design: PreparedDesign, responses: Responses, parts: Mapping[str, tuple[str, ...]], groups: Grouping
) -> Masks:
    """Return what is hidden of the index and its components by group, without estimating anything.

    Parameters
    ----------
    design : PreparedDesign
    parts : mapping of a component to its items
    groups : Grouping
    """
    member, size = groups.member[design.keep], len(groups.labels)
    terms = {_INDEX: tuple(dict.fromkeys(i for ids in parts.values() for i in ids)), **parts}
    cells: dict[str, TermCells] = {}
    totals = {}
    for term, ids in terms.items():
        answered = ratio_parts(responses, ids, "share_satisfied")[1][design.keep] > 0
        agree = answers_agree_with_rest(responses, ids, "share_satisfied", design.keep, member, size)
        place = np.where(member < 0, size, member)[answered]
        mixed = answers_mixed(responses, ids, "share_satisfied", design.keep, member, size)
        cells[term] = (np.bincount(place, minlength=size + 1), agree, mixed)
        totals[term] = int(answered.sum())
    return publication_masks(tuple(parts), cells, totals)


def item_masks(
    design: PreparedDesign,
    responses: Responses,
    parts: Mapping[str, tuple[str, ...]],
    groups: Grouping,
    hidden: Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """Return for each item in which groups its share must be hidden.

    Within a component the items add up to it, and over the groups each item adds up to everyone's.

    Parameters
    ----------
    design : PreparedDesign
    parts : mapping of a component to its items
    groups : Grouping
    hidden : mapping of a component to the groups where it is hidden

    Returns
    -------
    dict of arrays of bool, shape (groups,)
    """
    member, size = groups.member[design.keep], len(groups.labels)
    masks: dict[str, np.ndarray] = {}
    for part, ids in parts.items():
        shares = [ratio_parts(responses, (item,), "share_satisfied") for item in ids]
        cells = [item_cells(top[design.keep], bottom[design.keep], member, size) for top, bottom, _ in shares]
        people, alike = (np.column_stack(columns) for columns in zip(*cells, strict=True))
        mask = suppress_table(people, withheld=alike, hidden=np.append(hidden[part], False), whole_rows=True)[:-1]
        masks |= {item: mask[:, column] for column, item in enumerate(ids)}
    return masks
