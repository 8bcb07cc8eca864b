"""How carefully a form was filled in: shares of forms with signs of careless answering, never a form itself.

Agencies are shown where at least ten forms stand behind each figure. Collectors are people and their codes are
personal data: of them only the spread over all collectors is told, and whether they differ beyond chance.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from sipas_research.errors import AnalysisError
from sipas_research.numerics.careless import homogeneity
from sipas_research.numerics.disclosure import MINIMUM_CELL, suppress, suppress_table
from sipas_research.survey.quality_result import NAN, GroupQuality, ResponseQuality, SignCount, Spread
from sipas_research.survey.response_signs import Rules, Sign, find_signs, suspect_forms
from sipas_research.survey.responses import Responses

#: Signs of this many families make a form a suspect: one sign alone is often an honest answer.
AT_LEAST = 2
_QUARTILES = (0.25, 0.5, 0.75)


def response_quality(responses: Responses, *, rules: Rules = None, at_least: int = AT_LEAST) -> ResponseQuality:
    """Return how many forms carry signs of careless answering, over all, by agency and over collectors.

    Signs: one answer to every item ("straight_line"), a long run of equal answers ("long_string"), less than two
    seconds an item ("speed"), a pattern far from all others ("mahalanobis"), halves of scales that disagree
    ("even_odd"). A form with signs of ``at_least`` families (a straight line is a long string too) is a suspect.

    Parameters
    ----------
    responses : Responses
    rules : iterable of str, or mapping of str to float, optional
        Names with the usual bars (:data:`sipas_research.survey.response_signs.CONVENTIONS`), or your own bars.
    at_least : int
        Families of signs that make a suspect.

    Returns
    -------
    ResponseQuality
        Counts of 1 to 9 forms are hidden, with what would let them be derived.

    Raises
    ------
    AnalysisError
        If there are fewer than ten forms.
    OptionError
        If a rule is unknown, a bar is not positive, or ``at_least`` exceeds the families in force.

    References
    ----------
    Meade & Craig (2012), Psychological Methods 17, 437-455. Curran (2016), J. Exp. Soc. Psychol. 66, 4-19. Huang,
    Curran, Keeney, Poposki & DeShon (2012), J. Bus. Psychol. 27, 99-114.
    """
    signs = find_signs(responses, rules)
    suspects = suspect_forms(signs, at_least)
    total = len(responses)
    if total < MINIMUM_CELL:
        raise AnalysisError("response_quality.error.few_forms", minimum=MINIMUM_CELL)
    overall = _count("suspects", float(at_least), suspects, np.ones(total, dtype=bool))
    return ResponseQuality(
        counts=tuple(_sign_count(sign) for sign in signs),
        suspects=overall,
        agencies=_agencies(responses, suspects),
        spreads=tuple(_spread(responses, name, suspects) for name in ("agency", "collector") if responses.has(name)),
        at_least=at_least,
        n=total,
        data_kind=responses.data_kind,
    )


def without_suspects(responses: Responses, *, rules: Rules = None, at_least: int = AT_LEAST) -> Responses:
    """Return the responses without the suspects; every later table made from them says how many are gone.

    One to nine suspects are left in, and the note says so: tables with and without them would tell what these few
    people answered. For the same reason show both versions of tables about all forms only, not about small groups.

    Parameters
    ----------
    responses : Responses
    rules, at_least
        As in :func:`response_quality`.
    """
    suspects = suspect_forms(find_signs(responses, rules), at_least)
    count = int(suspects.sum())
    if count < MINIMUM_CELL:
        key = "response_quality.removed.none" if count == 0 else "response_quality.removed.few"
        return replace(responses, notes=(*responses.notes, (key, ())))
    note = ("response_quality.removed.all", (("n", count), ("signs", at_least)))
    kept = responses.frame.loc[np.logical_not(suspects)].copy()
    return replace(responses, frame=kept, notes=(*responses.notes, note))


def _count(term: str, bar: float, marked: np.ndarray, checked: np.ndarray, note: str = "") -> SignCount:
    n, hits = int(checked.sum()), int(marked.sum())
    if note:
        return SignCount(term, bar, 0.0, NAN, NAN, False, note)
    if suppress([hits, n - hits]).any():
        return SignCount(term, bar, NAN, NAN, NAN, True, "response_quality.note.hidden")
    return SignCount(term, bar, float(n), float(hits), hits / n if n else NAN, False, "")


def _sign_count(sign: Sign) -> SignCount:
    return _count(sign.rule, sign.bar, sign.marked, sign.checked, sign.note)


def _agencies(responses: Responses, suspects: np.ndarray) -> tuple[GroupQuality, ...]:
    if not responses.has("agency"):
        return ()
    column = responses.frame["agency"]
    codes = [code for code in responses.agencies.codes() if column.eq(code).any()]
    codes += sorted(set(column.dropna()) - set(codes))
    sizes = np.array([int(column.eq(code).sum()) for code in codes])
    hits = np.array([int((column.eq(code).to_numpy(bool, na_value=False) & suspects).sum()) for code in codes])
    hidden = suppress([*sizes, int(column.isna().sum())])[:-1]
    without = suspects & column.isna().to_numpy()
    rest = [int(without.sum()), int(column.isna().sum()) - int(without.sum())]
    parts = np.vstack([np.column_stack([hits, sizes - hits]), rest])
    mask = np.any(suppress_table(parts, hidden=[*hidden, False])[:-1], axis=1).tolist()
    return tuple(
        GroupQuality(str(code), NAN, NAN, NAN, True)
        if gone
        else GroupQuality(str(code), float(size), NAN if few else float(hit), NAN if few else hit / size, bool(few))
        for code, size, hit, gone, few in zip(codes, sizes, hits, hidden, mask, strict=True)
    )


def _spread(responses: Responses, name: str, suspects: np.ndarray) -> Spread:
    """Return how far groups differ, without naming one; nothing where fewer than ten have ten forms each."""
    places, labels = pd.factorize(responses.frame[name])
    known = places >= 0
    sizes = np.bincount(places[known], minlength=len(labels))
    hits = np.bincount(places[known], weights=suspects[known], minlength=len(labels)).astype(np.int64)
    large = sizes >= MINIMUM_CELL
    nothing = (NAN, NAN, NAN)
    if len(sizes) < MINIMUM_CELL or int(large.sum()) < MINIMUM_CELL:
        # few groups could be told apart from one figure about all of them
        return Spread(name, NAN, nothing, NAN, NAN, NAN, "response_quality.note.few_groups")
    if min(hits.sum(), sizes.sum() - hits.sum()) < MINIMUM_CELL:
        return Spread(name, float(len(sizes)), nothing, NAN, NAN, NAN, "response_quality.note.hidden")
    statistic, df, p = homogeneity(hits, sizes)
    low, middle, high = (float(q) for q in np.quantile(hits[large] / sizes[large], _QUARTILES))
    note = "" if np.isfinite(p) else "response_quality.note.no_spread_test"
    return Spread(name, float(len(sizes)), (low, middle, high), statistic, float(df), p, note)


def require_suspects(responses: Responses, cleaned: Responses) -> int:
    """Return how many forms are gone.

    Raises
    ------
    AnalysisError
        If none are, so that there is nothing to compare.
    """
    gone = len(responses) - len(cleaned)
    if gone == 0:
        raise AnalysisError("response_quality.error.nothing_removed", minimum=MINIMUM_CELL)
    return gone
