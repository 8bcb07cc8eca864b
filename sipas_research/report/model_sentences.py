"""Sentences of the chapters on models: what a cross-section can say, what was found, and what it cannot tell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sipas_research.levers.regression_result import INTERCEPT, Regression
from sipas_research.report.display import ROLES, Finding, Role
from sipas_research.report.fit_notes import clear, label, many_dropped
from sipas_research.report.group_invariance import reached
from sipas_research.report.group_tables import fact_label
from sipas_research.report.labels import item_codes
from sipas_research.report.model_tables import term_label
from sipas_research.sem.invariance import Invariance
from sipas_research.sem.questionnaire_models import INDIRECT
from sipas_research.sem.result import SemFit
from sipas_research.survey.responses import Responses
from sipas_research.wording import number, p_value, percent, text

#: Limits that the sentence on fit counts: CFI and TLI at least, RMSEA and SRMR at most.
_GOOD_INDEX, _SMALL_ERROR = 0.90, 0.08


def inline(label: str) -> str:
    """Return a label as it stands inside a sentence: its first letter small, unless it begins with a short form."""
    return label[:1].lower() + label[1:] if label[1:2].islower() or label[1:2] == " " else label


def _finding(name: str, role: Role, key: str, responses: Responses, language: str, **fields: object) -> Finding:
    return Finding(f"models-{name}", text(key, language, **fields), language, responses.data_kind, role=role)


def cross_section_finding(responses: Responses, language: str) -> Finding:
    """Return what a survey that asks each person once can and cannot say; it stands before any coefficient."""
    return _finding("cross-section", "limit", "models.intro.text", responses, language)


def model_findings(
    regression: Regression | Finding, levers: SemFit | Finding, responses: Responses, language: str
) -> tuple[Finding, ...]:
    """Return one or two sentences a model, and what the data cannot tell.

    Parameters
    ----------
    regression : Regression or Finding
    levers : SemFit or Finding
        By a robust estimator, of the text that ``sr.lever_model`` writes.
    """
    found: list[Finding] = []
    if isinstance(regression, Regression):
        found += _regression(regression, responses, language)
    if isinstance(levers, SemFit):
        found += _levers(levers, responses, language)
    if not found:
        found.append(_finding("none", "finding", "models.finding.none", responses, language))
    modelled = isinstance(regression, Regression) or isinstance(levers, SemFit)
    key = "models.finding.limit" if modelled else "models.finding.limit_short"
    found.append(_finding("limit", "limit", key, responses, language))
    if isinstance(levers, SemFit):
        found += _dropped("levers", levers, responses, language)
    asked = set(responses.questionnaire.scale_ids())
    if isinstance(levers, SemFit) and not asked & {"pay", "training"}:
        found.append(_finding("limit-levers", "limit", "models.finding.limit_levers", responses, language))
    return tuple(found)


def cfa_findings(
    cfa: SemFit | Finding, invariance: Sequence[Invariance | Finding], responses: Responses, language: str
) -> tuple[Finding, ...]:
    """Return how the factor model fits, up to which step its measurement is the same in groups, and the limit.

    Parameters
    ----------
    cfa : SemFit or Finding
        By a robust estimator; nothing is said where there is none.
    invariance : sequence of Invariance or Finding
    """
    if isinstance(cfa, Finding):
        return ()
    known = [each for each in invariance if isinstance(each, Invariance)]
    return (
        _cfa(cfa, responses, language),
        *[_invariance(each, responses, language) for each in known],
        *_dropped("cfa", cfa, responses, language),
        _finding("cfa-limit", "limit", "sem_tables.finding.cfa_limit", responses, language),
    )


def in_order(*findings: Finding) -> tuple[Finding, ...]:
    """Return the findings of several builders: key results first, then findings, then limits; else as given."""
    return tuple(sorted(findings, key=lambda found: ROLES.index(found.role)))


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


def _fit_fields(fit: SemFit, language: str) -> dict[str, str]:
    """Return the robust CFI, TLI and RMSEA where there are, and SRMR."""
    names = {name: f"{name}_robust" if fit.options.robust else name for name in ("cfi", "tli", "rmsea")}
    return {name: number(fit.measures[key], 3, language) for name, key in {**names, "srmr": "srmr"}.items()}


def _dropped(name: str, fit: SemFit, responses: Responses, language: str) -> list[Finding]:
    """Return whom the results speak of, where many forms are incomplete."""
    if not many_dropped(fit):
        return []
    fields = {"n": fit.n, "read": fit.sample.n_read}
    return [_finding(f"{name}-dropped", "limit", "sem_tables.finding.dropped", responses, language, **fields)]


def _met(fit: SemFit) -> int:
    """Count which of the four usual limits hold."""
    ending = "_robust" if fit.options.robust else ""
    found = fit.measures
    high = [found[f"{name}{ending}"] >= _GOOD_INDEX for name in ("cfi", "tli")]
    return sum(high) + (found[f"rmsea{ending}"] <= _SMALL_ERROR) + (found["srmr"] <= _SMALL_ERROR)


def _cfa(fit: SemFit, responses: Responses, language: str) -> Finding:
    table = fit.tidy()
    loadings = table.loc[table["op"] == "=~", "std_all"]
    robust = fit.options.robust
    test = "chisq_scaled" if robust else "chisq"
    count = _met(fit)
    key = "met_all" if count == 4 else "met_some"
    said = p_value(fit.measures["pvalue_scaled" if robust else "pvalue"], language)
    return _finding(
        "cfa",
        "finding",
        "sem_tables.finding.cfa",
        responses,
        language,
        n=fit.n,
        chi_square=number(fit.measures[test], 2, language),
        df=int(fit.measures["df"]),
        p=f"< {said[1:]}" if said.startswith("<") else f"= {said}",
        low=number(loadings.min(), 2, language),
        high=number(loadings.max(), 2, language),
        met=text(f"sem_tables.finding.{key}", language, **({} if count == 4 else {"count": count})),
        **_fit_fields(fit, language),
    )


def _invariance(found: Invariance, responses: Responses, language: str) -> Finding:
    step = reached(found, language)
    fields = {
        "rule": text(f"sem_tables.rule.{found.rule}", language),
        "fact": fact_label(found.group, responses, language).rstrip("?"),
    }
    key = "invariance" if step else "invariance_none"
    name = f"invariance-{found.group.casefold().replace('_', '-')}"
    more = {"step": step} if step else {}
    return _finding(name, "finding", f"sem_tables.finding.{key}", responses, language, **fields, **more)


def _levers(fit: SemFit, responses: Responses, language: str) -> list[Finding]:
    levers, factors = set(responses.scale_items("lever")), set(responses.scale_items("factor"))
    table = fit.tidy()
    paths = table[(table["op"] == "~") & table["rhs"].isin(levers) & table["lhs"].isin(factors)]
    counted = [clear(low, high) for low, high in zip(paths["conf_low"], paths["conf_high"], strict=True)]
    fields = _fit_fields(fit, language)
    del fields["tli"]
    found = [
        _finding(
            "levers",
            "finding",
            "sem_tables.finding.levers",
            responses,
            language,
            n=fit.n,
            all=len(counted),
            clear=sum(counted),
            **fields,
        )
    ]
    products = table[(table["op"] == ":=") & table["lhs"].isin([f"{INDIRECT}.{lever}" for lever in levers])]
    outcomes = list(responses.scale_items("overall"))
    if len(products) and len(outcomes) == 1:
        beyond = [clear(low, high) for low, high in zip(products["conf_low"], products["conf_high"], strict=True)]
        outcome = inline(label(outcomes[0], responses, language))
        found.append(
            _finding(
                "indirect",
                "finding",
                "sem_tables.finding.indirect",
                responses,
                language,
                all=len(beyond),
                clear=sum(beyond),
                outcome=outcome,
            )
        )
    return found
