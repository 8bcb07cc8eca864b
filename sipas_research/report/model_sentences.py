"""Sentences of the chapter on models: what a cross-section can say, what was found, and what it cannot tell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sipas_research.factors.group_result import Comparison
from sipas_research.levers.regression_result import INTERCEPT, Regression
from sipas_research.report.display import Finding, Role
from sipas_research.report.group_tables import fact_label
from sipas_research.report.labels import item_codes
from sipas_research.report.model_tables import term_label
from sipas_research.survey.responses import Responses
from sipas_research.verification.semopy_fit import SemopyFit
from sipas_research.wording import number, percent, text

_LEVEL = 0.05


def inline(label: str) -> str:
    """Return a label as it stands inside a sentence: its first letter small, unless it begins with a short form."""
    return label[:1].lower() + label[1:] if label[1:2].islower() or label[1:2] == " " else label


def _finding(name: str, role: Role, key: str, responses: Responses, language: str, **fields: object) -> Finding:
    return Finding(f"models-{name}", text(key, language, **fields), language, responses.data_kind, role=role)


def cross_section_finding(responses: Responses, language: str) -> Finding:
    """Return what a survey that asks each person once can and cannot say; it stands before any coefficient."""
    return _finding("cross-section", "limit", "models.intro.text", responses, language)


def model_findings(
    comparisons: Sequence[Comparison | Finding],
    regression: Regression | Finding,
    cfa: SemopyFit | Finding,
    levers: SemopyFit | Finding,
    responses: Responses,
    language: str,
) -> tuple[Finding, ...]:
    """Return one or two sentences a model, and what the data cannot tell."""
    found: list[Finding] = []
    if isinstance(regression, Regression):
        found += _regression(regression, responses, language)
    known = [c for c in comparisons if isinstance(c, Comparison)]
    if known:
        found.append(_groups(known, responses, language))
    if isinstance(cfa, SemopyFit):
        found.append(_cfa(cfa, responses, language))
    if isinstance(levers, SemopyFit):
        found.append(_levers(levers, responses, language))
    if not found:
        found.append(_finding("none", "finding", "models.finding.none", responses, language))
    modelled = isinstance(regression, Regression) or isinstance(levers, SemopyFit)
    key = "models.finding.limit" if modelled else "models.finding.limit_short"
    found.append(_finding("limit", "limit", key, responses, language))
    asked = set(responses.questionnaire.scale_ids())
    if isinstance(levers, SemopyFit) and not asked & {"pay", "training"}:
        found.append(_finding("limit-levers", "limit", "models.finding.limit_levers", responses, language))
    return tuple(found)


def _regression(found: Regression, responses: Responses, language: str) -> list[Finding]:
    main = _finding(
        "regression",
        "main",
        "models.finding.main",
        responses,
        language,
        n=found.n,
        predictors=len(found.predictors),
        r2=percent(found.whole.r2, language, 1),
        adjusted=percent(found.whole.r2_adjusted, language, 1),
        outcome=inline(term_label(found.outcome, responses, language)),
    )
    terms = [t for t in found.terms if t.term != INTERCEPT]
    top = max(terms, key=lambda t: abs(t.beta))
    strongest = _finding(
        "regression-terms",
        "finding",
        "models.finding.strongest",
        responses,
        language,
        term=inline(term_label(top.term, responses, language)),
        beta=number(top.beta, 3, language),
        clear=sum(t.conf_low > 0 or t.conf_high < 0 for t in terms),
        all=len(terms),
    )
    if found.logit is None:
        return [main, strongest]
    signs = {t.term: np.sign(t.estimate) for t in terms}
    logit = _finding(
        "logit",
        "finding",
        "models.finding.logit_agrees",
        responses,
        language,
        code=item_codes(responses.questionnaire)[found.logit.item],
        same=sum(bool(signs[t.term] == np.sign(t.estimate)) for t in found.logit.terms),
        all=len(found.logit.terms),
    )
    return [main, strongest, logit]


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for their number, step by step (Holm 1979, Scandinavian Journal of Statistics 6)."""
    order = np.argsort(p_values)
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def _groups(found: list[Comparison], responses: Responses, language: str) -> Finding:
    tails = [c.leading[1].p_value for c in found]
    clear = sum(p < _LEVEL for p in holm([p if np.isfinite(p) else 1.0 for p in tails]))
    shares = [dict(c.effect_sizes)["eta_squared"].estimate for c in found]
    top = int(np.nanargmax(shares)) if np.isfinite(shares).any() else 0
    return _finding(
        "groups",
        "finding",
        "models.finding.groups",
        responses,
        language,
        facts=len(found),
        clear=clear,
        eta=number(shares[top], 3, language),
        fact=fact_label(found[top].by, responses, language).rstrip("?"),
    )


def _fit_fields(found: SemopyFit, language: str) -> dict[str, str]:
    measures = dict(found.measures)
    return {name: number(measures[name], 3, language) for name in ("cfi", "tli", "rmsea", "srmr")}


def _cfa(found: SemopyFit, responses: Responses, language: str) -> Finding:
    loadings = [c.std_all for c in found.coefficients if c.op == "=~"]
    measures, fit = dict(found.measures), _fit_fields(found, language)
    return _finding(
        "cfa",
        "finding",
        "models.finding.cfa",
        responses,
        language,
        n=found.n,
        chi_square=number(measures["chisq"], 2, language),
        df=int(measures["df"]),
        low=number(min(loadings), 2, language),
        high=number(max(loadings), 2, language),
        **fit,
    )


def _levers(found: SemopyFit, responses: Responses, language: str) -> Finding:
    levers = set(responses.scale_items("lever"))
    factors = set(responses.scale_items("factor"))
    paths = [c for c in found.coefficients if c.op == "~" and c.rhs in levers and c.lhs in factors]
    fit = _fit_fields(found, language)
    return _finding(
        "levers",
        "finding",
        "models.finding.levers",
        responses,
        language,
        n=found.n,
        cfi=fit["cfi"],
        rmsea=fit["rmsea"],
        all=len(paths),
        clear=sum(c.conf_low > 0 or c.conf_high < 0 for c in paths),
    )
