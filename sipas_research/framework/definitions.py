"""What the index may be: its formulas, and what each form adds to them.

No formula of a ministry or a province was read in a decision yet, so that none is claimed: every result says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np

from sipas_research.errors import OptionError
from sipas_research.survey.responses import Responses
from sipas_research.survey.scoring import middle, rescaled, satisfied

Definition = Literal[
    "share_satisfied", "mean_of_shares", "mean_score", "mean_over_highest", "overall_question", "component_mean"
]
DEFINITIONS: tuple[str, ...] = get_args(Definition)
#: What a framework may name besides: its criteria under its own weights, see ``framework.weights``.
CRITERION_WEIGHTS = "criterion_weights"
#: Definitions under which the index is one ratio of totals over the items of the factors.
RATIOS: tuple[str, ...] = ("share_satisfied", "mean_of_shares", "mean_score", "mean_over_highest")
#: Definitions whose formula was read in the decision that sets it.
READ_IN_A_DECISION: frozenset[str] = frozenset()
UNVERIFIED = "index.note.unverified"


def check_options(definition: str, level: float, allowed: tuple[str, ...] = DEFINITIONS) -> None:
    """Refuse a definition or a confidence level outside its range.

    Raises
    ------
    OptionError
    """
    if definition not in allowed:
        raise OptionError("index.error.definition", value=str(definition), allowed=", ".join(allowed))
    if isinstance(level, bool) or not isinstance(level, int | float) or not 0.0 < level < 1.0:
        raise OptionError("index.error.level", value=str(level))


def checked_weights(weights: Mapping[str, float] | None, parts: tuple[str, ...], definition: str) -> np.ndarray:
    """Return the weights of the components, adding up to one; equal where none are given.

    Raises
    ------
    OptionError
        If weights come with another definition, name other components, or are not positive numbers.
    """
    if weights is None:
        return np.full(len(parts), 1.0 / len(parts))
    if definition != "component_mean":
        raise OptionError("index.error.weights_definition", value=definition)
    if set(weights) != set(parts):
        raise OptionError("index.error.weights_names", value=", ".join(map(str, weights)), allowed=", ".join(parts))
    values = np.array([float(weights[p]) for p in parts])
    wrong = [p for p, v in zip(parts, values, strict=True) if not (np.isfinite(v) and v > 0)]
    if wrong:
        raise OptionError("index.error.weights_values", value=", ".join(wrong))
    return values / values.sum()


def notes_of(definition: str) -> tuple[str, ...]:
    """Return the catalogue keys of what must be said of a definition."""
    return () if definition in READ_IN_A_DECISION else (UNVERIFIED,)


def ratio_parts(
    responses: Responses, items: tuple[str, ...], definition: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return numerator, denominator and number of answers of each row; the denominator is 0 where none was given.

    "overall_question" and "component_mean" count each of their terms as "share_satisfied" does.
    """
    scored = _scored(responses, items, definition)
    answers = np.isfinite(scored).sum(axis=1)
    totals = np.nansum(scored, axis=1)
    if definition in {"mean_of_shares", "mean_score"}:
        return totals / np.maximum(answers, 1), (answers > 0).astype(float), answers
    return totals, answers.astype(float), answers


def answers_agree(
    responses: Responses, items: tuple[str, ...], definition: str, keep: np.ndarray, member: np.ndarray, groups: int
) -> np.ndarray:
    """Return for each group whether all its answers, as the definition sees them, are one and the same."""
    scored = _scored(responses, items, definition)[keep]
    low, high = np.full(groups, np.inf), np.full(groups, -np.inf)
    rows, columns = np.nonzero(np.isfinite(scored) & (member >= 0)[:, None])
    values = scored[rows, columns]
    np.minimum.at(low, member[rows], values)
    np.maximum.at(high, member[rows], values)
    found: np.ndarray = low == high
    return found


def answers_agree_with_rest(
    responses: Responses, items: tuple[str, ...], definition: str, keep: np.ndarray, member: np.ndarray, groups: int
) -> np.ndarray:
    """Return the same for each group and, last, for the people who are in none: they follow from the total."""
    return answers_agree(responses, items, definition, keep, np.where(member < 0, groups, member), groups + 1)


def answers_mixed(
    responses: Responses, items: tuple[str, ...], definition: str, keep: np.ndarray, member: np.ndarray, groups: int
) -> np.ndarray:
    """Return for each group, those in none last, whether its answers differ on every one of the questions."""
    scored = _scored(responses, items, definition)[keep]
    low, high = np.full((groups + 1, len(items)), np.inf), np.full((groups + 1, len(items)), -np.inf)
    rows, columns = np.nonzero(np.isfinite(scored))
    place, values = np.where(member < 0, groups, member)[rows], scored[rows, columns]
    np.minimum.at(low, (place, columns), values)
    np.maximum.at(high, (place, columns), values)
    return np.logical_not((low >= high).any(axis=1))


def _scored(responses: Responses, items: tuple[str, ...], definition: str) -> np.ndarray:
    if definition == "mean_score":
        return rescaled(responses, items).to_numpy()
    if definition == "mean_over_highest":
        questions = [responses.questionnaire.question(i) for i in items]
        for question in questions:
            middle(question)
        highest = np.array([max(q.valid_codes) for q in questions], dtype=float)
        return (responses.items(list(items)) / highest).to_numpy()
    return satisfied(responses, items).to_numpy()
