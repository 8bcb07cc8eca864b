"""Unweighted descriptives of items and scales: what the answers look like before anything is estimated."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from typing import Literal

import numpy as np
import pandas as pd

from sipas_research import wording
from sipas_research.numerics.disclosure import MINIMUM_CELL, merge_categories
from sipas_research.numerics.shape import excess_kurtosis, skewness
from sipas_research.results import DataKind
from sipas_research.survey.profile import Profile, profile
from sipas_research.survey.responses import Responses
from sipas_research.survey.scoring import ScaleChoice, choose_scales, is_lopsided, satisfied

__all__ = ["AnswerShare", "Description", "DescriptionRow", "Profile", "describe", "profile"]

_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class DescriptionRow:
    """Descriptives of one item or scale; counts are people, the mean is in the item's own codes."""

    term: str
    estimate: float
    sd: float
    skewness: float
    kurtosis: float
    share_satisfied: float
    n: float
    missing: float
    level: Literal["item", "scale"]
    scale: str
    suppressed: bool
    note: str


@dataclass(frozen=True, slots=True)
class AnswerShare:
    """Share of answers in one group of adjacent categories; ``codes`` as answered, ``n`` counts answers."""

    term: str
    group: str
    estimate: float
    n: float
    level: Literal["item", "scale"]
    scale: str
    codes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Description:
    """Descriptives of a survey's items and scales, unweighted."""

    rows: tuple[DescriptionRow, ...]
    shares: tuple[AnswerShare, ...]
    n: int
    data_kind: DataKind
    source: str = ""
    weighting: str = "unweighted"

    def tidy(self) -> pd.DataFrame:
        """One row an item and one a scale: ``estimate`` is the mean, ``kurtosis`` the excess over a normal one."""
        return pd.DataFrame([astuple(r) for r in self.rows], columns=[f.name for f in fields(DescriptionRow)])

    def answer_shares(self) -> pd.DataFrame:
        """One row an item (or scale) and group of answers; groups are merged so that no cell holds 1 to 9 people."""
        return pd.DataFrame(
            [(s.term, s.group, s.estimate, s.n, s.level, s.scale, s.codes) for s in self.shares],
            columns=[f.name for f in fields(AnswerShare)],
        )

    def glance(self) -> pd.DataFrame:
        """One row: people, items, scales, rows suppressed."""
        counts = {kind: sum(r.level == kind for r in self.rows) for kind in ("item", "scale")}
        hidden = sum(r.suppressed for r in self.rows)
        row = {"n": self.n, "n_items": counts["item"], "n_scales": counts["scale"], "n_suppressed": hidden}
        return pd.DataFrame([row | {"weighting": self.weighting, "data_kind": self.data_kind.value}])

    def summary(self, language: str = "vi") -> str:
        """Return one sentence a scale: mean and share satisfied."""
        lines = [wording.text("description.summary.head", language, n=self.n)]
        for row in (r for r in self.rows if r.level == "scale"):
            mean = wording.number(row.estimate, 2, language)
            share = wording.percent(row.share_satisfied, language)
            lines.append(wording.text("description.summary.scale", language, scale=row.term, mean=mean, share=share))
        return "\n".join(lines)


def describe(responses: Responses, *, scales: ScaleChoice = None, items: bool = True) -> Description:
    """Describe every item and scale without weights.

    Skewness and kurtosis are corrected for bias (G1 and G2 of Joanes and Gill 1998, as SPSS prints them). An
    item counts in its own codes, turned where its direction is -1; a scale is the mean of a person's
    answered items. "Satisfied" means above the middle of the scale: 4-5 on five points. The description of an item
    with 1 to 9 answers is withheld, and the item is left out of its scale's row, so that it cannot be derived.
    Answer categories are merged battery by battery until no cell holds 1 to 9 people, so that no bar points at a few
    answers. This is no protection against calculation: number, mean, deviation, skewness and kurtosis, published as
    the field does, tell how five answers divide over the whole survey. No group of respondents is described so.

    Parameters
    ----------
    responses : Responses
    scales : iterable of scale ids, or mapping of a name to item ids, optional
        None takes every scale with answers.
    items : bool
        False leaves out the items' own rows.

    Raises
    ------
    OptionError
        If a scale or item is unknown.
    QuestionnaireError
        If an item has fewer than two valid answers.
    """
    rows: list[DescriptionRow] = []
    shares: list[AnswerShare] = []
    for scale, ids in _scales(responses, scales).items():
        shown = [i for i in ids if responses.frame[i].notna().sum() >= MINIMUM_CELL]
        rows += [_item_row(responses, scale, i) for i in ids] if items else []
        if scale:
            rows.append(_scale_row(responses, scale, ids, shown))
        shares += [s for s in _battery_shares(responses, scale, shown) if items or s.level == "scale"]
    return Description(tuple(rows), tuple(shares), len(responses), responses.data_kind, responses.source)


def _scales(responses: Responses, scales: ScaleChoice) -> dict[str, tuple[str, ...]]:
    """Items by scale; by default unanswered items too, so that the table says why they are empty."""
    if scales is not None:
        return choose_scales(responses, scales)
    asked = responses.questionnaire.scale_items()
    present = {s: tuple(i for i in ids if i in responses.frame) for s, ids in asked.items()}
    return {s: ids for s, ids in present.items() if ids}


def _item_row(responses: Responses, scale: str, item: str) -> DescriptionRow:
    question = responses.questionnaire.question(item)
    values = responses.items([item])[item]
    n = int(values.notna().sum())
    if n < MINIMUM_CELL:
        note = "description.note.no_answers" if n == 0 else "description.note.suppressed"
        counts = (0.0, float(len(values))) if n == 0 else (_NAN, _NAN)
        return DescriptionRow(item, _NAN, _NAN, _NAN, _NAN, _NAN, *counts, "item", scale, n > 0, note)
    share = float(satisfied(responses, [item])[item].mean())
    note = "description.note.turned" if question.direction == -1 else ""
    note = "description.note.lopsided" if is_lopsided(question) else note
    return _row(item, values, share, scale, "item", note)


def _scale_row(responses: Responses, scale: str, items: tuple[str, ...], shown: list[str]) -> DescriptionRow:
    values = responses.items(shown).mean(axis=1) if shown else pd.Series(np.nan, index=responses.frame.index)
    if int(values.notna().sum()) < MINIMUM_CELL:
        answered = bool(responses.frame[list(items)].notna().to_numpy().any())
        note = "description.note.suppressed" if answered else "description.note.no_answers"
        return DescriptionRow(scale, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, "scale", scale, answered, note)
    answers = satisfied(responses, shown).to_numpy()
    note = "description.note.items_left_out" if len(shown) < len(items) else ""
    return _row(scale, values, float(np.nanmean(answers)), scale, "scale", note)


def _row(
    term: str, values: pd.Series, share: float, scale: str, level: Literal["item", "scale"], note: str
) -> DescriptionRow:
    answered = values.dropna().to_numpy(dtype=float)
    if np.ptp(answered) == 0.0:
        note = "description.note.constant"
    return DescriptionRow(
        term,
        float(answered.mean()),
        float(answered.std(ddof=1)),
        skewness(answered),
        excess_kurtosis(answered),
        share,
        float(len(answered)),
        float(len(values) - len(answered)),
        level,
        scale,
        False,
        note,
    )


def _battery_shares(responses: Responses, scale: str, items: list[str]) -> list[AnswerShare]:
    """Shares of the answers as given, per set of items that share their answer codes."""
    batteries: dict[tuple[int, ...], list[str]] = {}
    for item in items:
        batteries.setdefault(responses.questionnaire.question(item).valid_codes, []).append(item)
    found: list[AnswerShare] = []
    for codes, members in batteries.items():
        counts = np.array([[int(responses.frame[i].eq(c).sum()) for c in codes] for i in members])
        groups = merge_categories(counts)
        for item, row in zip(members, counts, strict=True):
            found += _shares(item, row, codes, groups, scale, "item")
        if len(batteries) == 1 and scale:
            found += _shares(scale, counts.sum(axis=0), codes, groups, scale, "scale")
    return found


def _shares(
    term: str,
    counts: np.ndarray,
    codes: tuple[int, ...],
    groups: tuple[tuple[int, ...], ...],
    scale: str,
    level: Literal["item", "scale"],
) -> list[AnswerShare]:
    total = int(counts.sum())
    found = []
    for group in groups:
        inside = tuple(codes[position] for position in group)
        n = int(counts[list(group)].sum())
        label = f"{inside[0]}-{inside[-1]}" if len(inside) > 1 else str(inside[0])
        found.append(AnswerShare(term, label, n / total if total else _NAN, float(n), level, scale, inside))
    return found
