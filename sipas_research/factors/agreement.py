"""Groups of respondents: can their means be told apart (ICC), and do the members of a group agree (rwg)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.factors.agreement_result import (
    NAN,
    Agreement,
    GroupAgreement,
    GroupReliability,
    OutcomeIcc,
)
from sipas_research.factors.group_differences import members
from sipas_research.factors.options import check_level, list_names
from sipas_research.factors.scores import INDEX, score
from sipas_research.numerics.disclosure import MINIMUM_CELL
from sipas_research.numerics.variance_components import null_variance, one_way, within_group_agreement
from sipas_research.survey.comparison import near
from sipas_research.survey.responses import Responses, require_responses

#: Distributions of answers without agreement that rwg is measured against.
NULLS = ("uniform", "slight_skew")


def icc(
    responses: Responses, by: str = "agency", outcomes: Iterable[str] | None = None, *, level: float = 0.95
) -> GroupReliability:
    """Return ICC(1) and ICC(2) of scores between groups: whether agencies can be told apart.

    ICC(1) is the share of the variance of one person's score that lies between groups; ICC(2) is how reliable a
    group's mean is. Unequal groups count as k0 people each. People are taken as a simple sample of their group; no
    weights are used. Groups of fewer than ten people are left out.

    Parameters
    ----------
    responses : Responses
    by : str
        "agency", or a category.
    outcomes : iterable of str, optional
        Scales, items, "overall" or "index"; by default every scale, and "index" where there are factors.
    level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    GroupReliability

    Raises
    ------
    AnalysisError
        If nobody stated the group, or there is no score.
    OptionError
        If a fact, a score or the level is unknown or out of range.

    References
    ----------
    Shrout & Fleiss (1979), Psychological Bulletin 86, 420-428. Bliese (2000), in Klein & Kozlowski (eds.), 349-381.
    """
    check_level(level)
    labels, member = members(responses, by)
    if outcomes is None:
        names = [*responses.scale_items(), *([INDEX] if responses.scale_items("factor") else [])]
    else:
        names = list(list_names(outcomes))
    if not names:
        raise AnalysisError("agreement.error.no_scores")
    found = tuple(_outcome(responses, name, member, len(labels), level) for name in names)
    return GroupReliability(by, found, level, responses.data_kind)


def _outcome(responses: Responses, name: str, member: np.ndarray, groups: int, level: float) -> OutcomeIcc:
    values = score(responses, name).to_numpy(float)
    known = (member >= 0) & np.isfinite(values)
    sizes = np.bincount(member[known], minlength=groups)
    used = known & (sizes[np.maximum(member, 0)] >= MINIMUM_CELL)
    if (sizes >= MINIMUM_CELL).sum() < 2:
        return OutcomeIcc(name, None, "agreement.note.few_groups")
    statistics = one_way(values[used], member[used], level=level)
    note = "agreement.note.small_left_out" if ((sizes > 0) & (sizes < MINIMUM_CELL)).any() else ""
    return OutcomeIcc(name, statistics, note if statistics else "agreement.note.no_spread")


def agreement(
    responses: Responses, by: str = "agency", scales: Iterable[str] | None = None, *, force: bool = False
) -> Agreement:
    """Return rwg(j) of each scale in each group: whether colleagues describe the same workplace.

    Each group's mean item variance is set against that of answers without agreement: a uniform distribution, and one
    that leans a little to the good side, since people are lenient. The second is the sterner and the more believable.
    Only people who answered all items of a scale count. Groups of fewer than ten of them, and groups whose members all
    gave the same answers, are hidden.

    Parameters
    ----------
    responses : Responses
    by : str
        "agency", or a category.
    scales : iterable of str, optional
        By default every scale.
    force : bool
        Compute it for citizens too. They are separate clients of an agency: nothing makes them describe one thing, and
        averaging them needs no agreement.

    Returns
    -------
    Agreement

    Raises
    ------
    AnalysisError
        If the instrument asks citizens and ``force`` is not given, nobody stated the group, or there is no scale.
    OptionError
        If a fact or a scale is unknown.

    References
    ----------
    James, Demaree & Wolf (1984), Journal of Applied Psychology 69, 85-98. LeBreton & Senter (2008), Organizational
    Research Methods 11, 815-852.
    """
    require_responses(responses)
    citizens = responses.questionnaire.respondent == "citizen"
    if citizens and not force:
        raise AnalysisError("agreement.error.citizens")
    present = responses.scale_items()
    names = list(present) if scales is None else list(list_names(scales))
    for name in names:
        if name not in present:
            known = ", ".join(near(str(name), present) or present)
            raise OptionError("agreement.error.scale", received=str(name), known=known or "–")
    if not names:
        raise AnalysisError("agreement.error.no_scores")
    labels, member = members(responses, by)
    rows = [row for name in names for row in _scale(responses, name, present[name], labels, member)]
    return Agreement(by, tuple(rows), citizens, responses.data_kind)


def _scale(
    responses: Responses, name: str, items: tuple[str, ...], labels: list[str], member: np.ndarray
) -> list[GroupAgreement]:
    values = responses.items(items).to_numpy(float)
    complete = np.logical_not(np.isnan(values).any(axis=1))
    categories = [len(responses.questionnaire.question(item).valid_codes) for item in items]
    rows = []
    for null in NULLS:
        variance = float(np.mean([null_variance(count, null) for count in categories]))
        for place, label in enumerate(labels):
            rows.append(_group(name, label, null, values[complete & (member == place)], variance))
    return rows


def _group(scale: str, label: str, null: str, values: np.ndarray, variance: float) -> GroupAgreement:
    n = len(values)
    if n == 0:
        return GroupAgreement(scale, label, null, 0.0, NAN, False, False, "agreement.note.no_answers")
    if n < MINIMUM_CELL:
        return GroupAgreement(scale, label, null, NAN, NAN, False, True, "agreement.note.hidden")
    observed = values.var(axis=0, ddof=1)
    if not observed.max() > 0:
        # full agreement and a mean would give everybody's answers
        return GroupAgreement(scale, label, null, float(n), NAN, False, True, "agreement.note.uniform")
    if not np.isfinite(variance):
        return GroupAgreement(scale, label, null, float(n), NAN, False, False, "agreement.note.no_null")
    value = within_group_agreement(observed, variance)
    reset = not value >= 0
    note = "agreement.note.reset" if reset else ""
    return GroupAgreement(scale, label, null, float(n), 0.0 if reset else value, reset, False, note)
