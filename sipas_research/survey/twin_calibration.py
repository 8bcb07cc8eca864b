"""Thresholds are shifted, item by item and year by year, until the design margins are met; answers never are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sipas_research.errors import AnalysisError
from sipas_research.survey.twin_truth import ItemTruth

_DECIMALS = 6  # of a shift in truth.toml
_ROUNDS = 200
_SATISFIED = 4
_TURN = 6  # an answer on a five-point scale, turned, is six minus the answer


@dataclass(frozen=True, slots=True)
class Sample:
    """Forms of one survey before thresholds.

    Attributes
    ----------
    facts : DataFrame
        One row a form.
    items : tuple of ItemTruth
    latent : ndarray of shape (forms, items)
        Continuous answers.
    holes : ndarray of shape (forms, items)
        0 answered, 1 left empty, 2 answered with the code of "no answer".
    careless : ndarray of shape (forms,)
        The one answer that a careless respondent gives throughout; 0 for the others.
    """

    facts: pd.DataFrame
    items: tuple[ItemTruth, ...]
    latent: np.ndarray
    holes: np.ndarray
    careless: np.ndarray


@dataclass(frozen=True, slots=True)
class _Cell:
    """One item in one year: who may cross the threshold below "hài lòng" when it moves.

    ``ranked`` holds the continuous answers from the highest down; ``satisfied_after[k]`` the weight of satisfied
    answers when the first k of them lie above the threshold, careless answers included.
    """

    item: ItemTruth
    ranked: np.ndarray
    satisfied_after: np.ndarray
    answered: float

    def shift(self, count: int) -> float:
        """Shift that leaves exactly ``count`` respondents above the third threshold, to six decimals."""
        high = self.ranked[count - 1] if count else self.ranked[0] + 1.0
        low = self.ranked[count] if count < len(self.ranked) else self.ranked[-1] - 1.0
        return round(float((high + low) / 2 - self.item.thresholds[2]), _DECIMALS)

    def holds(self, count: int) -> bool:
        """True if the rounded shift really leaves ``count`` respondents above."""
        return int((self.ranked > self.item.thresholds[2] + self.shift(count)).sum()) == count


def calibrate_year(
    sample: Sample,
    year: int,
    margins: Mapping[str, Any],
    *,
    index: float | None,
    scales: tuple[str, ...],
    tolerance: float,
) -> dict[str, float]:
    """Find one year's shifts.

    Parameters
    ----------
    sample : Sample
    year : int
    margins : mapping
        Scale to {year: share of answers 4-5}.
    index : float or None
        Share over all answered cells of ``scales``, met within ``tolerance``; None where nothing is asked of it.
    scales : tuple of str
        The scales of the index.
    tolerance : float

    Returns
    -------
    dict
        Item id to what is added to its four thresholds.

    Raises
    ------
    AnalysisError
        If no set of thresholds meets the index.
    """
    rows = (sample.facts["year"] == year).to_numpy()
    cells = [_cell(sample, rows, column) for column in range(len(sample.items))]
    counts = []
    for cell in cells:
        wanted = (margins[cell.item.scale][str(year)] + cell.item.offset) * cell.answered
        counts.append(int(np.abs(cell.satisfied_after - wanted).argmin()))
    if index is not None:
        chosen = [k for k, cell in enumerate(cells) if cell.item.scale in scales]
        counts = _meet_index(cells, counts, chosen, index, tolerance)
    return {cell.item.id: cell.shift(count) for cell, count in zip(cells, counts, strict=True)}


def _cell(sample: Sample, rows: np.ndarray, column: int) -> _Cell:
    answered = rows & (sample.holes[:, column] == 0)
    free = answered & (sample.careless == 0)
    weight = sample.facts["weight"].to_numpy(dtype=float)
    latent = sample.latent[free, column]
    order = np.argsort(-latent, kind="stable")
    item = sample.items[column]
    same = sample.careless if item.direction == 1 else _TURN - sample.careless
    careless = weight[answered & (sample.careless > 0) & (same >= _SATISFIED)].sum()
    satisfied = careless + np.concatenate([[0.0], np.cumsum(weight[free][order])])
    return _Cell(item, latent[order], satisfied, float(weight[answered].sum()))


def _meet_index(cells: list[_Cell], start: list[int], chosen: list[int], index: float, tolerance: float) -> list[int]:
    """Let one or two respondents at a time cross a threshold, the best step first, until the index is met."""
    total = sum(cells[k].answered for k in chosen)
    counts = list(start)
    for _ in range(_ROUNDS):
        gap = sum(cells[k].satisfied_after[counts[k]] for k in chosen) / total - index
        if abs(gap) <= tolerance and all(cells[k].holds(counts[k]) for k in chosen):
            return counts
        moves, changes = [(chosen[0], 0)], [0.0]
        for k in chosen:
            after = cells[k].satisfied_after
            for step in (-1, 1):
                reached = counts[k] + step
                if 0 <= reached < len(after) and abs(reached - start[k]) <= _reach(cells[k]):
                    moves.append((k, step))
                    changes.append((after[reached] - after[counts[k]]) / total)
        for k, step in _best_pair(moves, gap + np.add.outer(changes, changes)):
            counts[k] += step
    raise AnalysisError("twin.calibration.not_met")


def _best_pair(moves: list[tuple[int, int]], gaps: np.ndarray) -> tuple[tuple[int, int], tuple[int, int]]:
    """The two moves, of different items or one of them none, that come nearest to the index."""
    item = np.array([k for k, _ in moves])
    same = item[:, None] == item[None, :]
    same[0, :] = same[:, 0] = False
    same[0, 0] = True  # no move at all leads nowhere
    first, second = np.unravel_index(np.where(same, np.inf, np.abs(gaps)).argmin(), gaps.shape)
    return moves[int(first)], moves[int(second)]


def _reach(cell: _Cell) -> int:
    """An item may lie about half a point off its own margin."""
    return max(2, len(cell.ranked) // 200)


def cut(sample: Sample, shifts: np.ndarray, no_answer: int) -> pd.DataFrame:
    """Turn continuous answers into codes 1-5; careless answers and holes are laid over them.

    Parameters
    ----------
    sample : Sample
    shifts : ndarray of shape (forms, items)
        What calibration adds to each form's thresholds.
    no_answer : int
        The code of "không trả lời".

    Returns
    -------
    DataFrame
        Nullable integers, one column an item.
    """
    thresholds = np.array([item.thresholds for item in sample.items])
    codes = 1 + (sample.latent[:, :, None] > thresholds[None] + shifts[:, :, None]).sum(axis=2)
    turned = np.array([item.direction == -1 for item in sample.items])
    codes = np.where(turned, _TURN - codes, codes)
    codes = np.where(sample.careless[:, None] > 0, sample.careless[:, None], codes)
    codes = np.where(sample.holes == 2, no_answer, codes)
    frame = pd.DataFrame(codes, columns=[item.id for item in sample.items], index=sample.facts.index, dtype="Int64")
    return frame.mask(sample.holes == 1)
