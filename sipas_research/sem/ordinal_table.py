"""What ordered items add to a parameter table: thresholds, scales, and residual variances that follow or are fixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sipas_research.errors import AnalysisError
from sipas_research.sem.numbering import Draft
from sipas_research.sem.options import FitOptions
from sipas_research.sem.syntax import ModelSyntax, model_error


def with_thresholds(
    drafts: Sequence[Draft], categories: Mapping[str, int], options: FitOptions, syntax: ModelSyntax
) -> list[Draft]:
    """Return the rows of one group with those of its ordered items.

    Added are thresholds t1, t2, ... (free) and, under delta, scales (one); intercepts are zero. Residual variances
    follow from the scales under delta and are one under theta. What was written stays as written.

    Parameters
    ----------
    drafts : sequence of Draft
    categories : mapping of str to int
        How many categories each ordered item has.
    options : FitOptions
    syntax : ModelSyntax

    Raises
    ------
    ModelSyntaxError
        If a threshold or scale is written that the item does not have, or a residual variance under delta.
    """
    taken = {draft.key: draft for draft in drafts}
    for draft in drafts:
        _require_possible(draft, categories, options, syntax)
    thresholds = [
        Draft((name, "|", f"t{k}"), False, np.nan, False, None)
        for name, size in categories.items()
        for k in range(1, size)
        if (name, "|", f"t{k}") not in taken
    ]
    scales = []
    if options.parameterization == "delta":
        keys = [(name, "~*~", name) for name in categories]
        scales = [Draft(key, True, 1.0, False, None) for key in keys if key not in taken]
    written = sum(draft.term is not None for draft in drafts)
    changed = [_ordinal(draft, categories, options) for draft in drafts]
    return [*changed[:written], *thresholds, *changed[written:], *scales]


def _ordinal(draft: Draft, categories: Mapping[str, int], options: FitOptions) -> Draft:
    lhs, op, rhs = draft.key
    if lhs not in categories or draft.term is not None:
        return draft
    if op == "~1":
        return draft._replace(fixed=True, value=0.0)
    if op == "~~" and lhs == rhs:
        delta = options.parameterization == "delta"
        return draft._replace(fixed=True, value=np.nan if delta else 1.0, exogenous=delta)
    return draft


def _require_possible(draft: Draft, categories: Mapping[str, int], options: FitOptions, syntax: ModelSyntax) -> None:
    lhs, op, rhs = draft.key
    if draft.term is None:
        return
    place = (syntax.text, draft.term.line, draft.term.column)
    delta = options.parameterization == "delta"
    if op in ("|", "~*~") and lhs not in categories:
        raise model_error("sem_ordinal.error.not_ordered", *place, name=lhs, op=op)
    if op == "|" and rhs not in {f"t{k}" for k in range(1, categories[lhs])}:
        raise model_error("sem_ordinal.error.no_threshold", *place, name=lhs, threshold=rhs, last=categories[lhs] - 1)
    if op == "~*~" and (rhs != lhs or not delta):
        raise model_error("sem_ordinal.error.scale", *place, name=lhs)
    if op == "~~" and lhs == rhs and lhs in categories and delta:
        raise model_error("sem_ordinal.error.residual", *place, name=lhs)


def released_item(row: Draft, options: FitOptions, categories: int) -> bool:
    """Return whether equal thresholds free a row of an ordered item in the later groups.

    They free its scale (delta) or residual variance (theta). Wu & Estabrook (2016), Psychometrika 81, 1014-1045: they
    free the intercept too, until intercepts are held equal; with two answers the variance stays fixed, because one
    threshold cannot set both.
    """
    lhs, op, rhs = row.key
    equal = options.group_equal
    if row.term is not None or "thresholds" not in equal:
        return False
    strict = options.identification == "wu_estabrook"
    partial = strict and "".join(row.key) in options.group_partial
    if op == "~1":
        return strict and ("intercepts" not in equal or partial)
    if op == "~*~" or (op == "~~" and lhs == rhs and row.value == 1.0):
        return partial or not (strict and ("residuals" in equal or categories == 2))
    return False


def require_same_items(names: Sequence[str], ordered: Sequence[str], predictors: Sequence[str]) -> None:
    """Stop where an item that should be ordered is not in the model, or only explains others.

    Raises
    ------
    AnalysisError
    """
    strange = [name for name in ordered if name not in names]
    if strange:
        raise AnalysisError("sem_ordinal.error.unknown", names=", ".join(strange), known=", ".join(names))
    outside = [name for name in ordered if name in predictors]
    if outside:
        raise AnalysisError("sem_ordinal.error.predictor", names=", ".join(outside))
