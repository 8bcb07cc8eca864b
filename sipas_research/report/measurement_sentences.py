"""What the chapter on measurement ends with: reliability, factors, screening, validity in sentences."""

from __future__ import annotations

from typing import Any

import numpy as np

from sipas_research.factors.reliability import Reliability
from sipas_research.factors.retention import FactorRetention
from sipas_research.factors.screening_result import Screening
from sipas_research.factors.solution import FactorSolution
from sipas_research.factors.validity_result import LEAST_AVE, GroupValidity, Validity, largest
from sipas_research.report.display import Finding, Role
from sipas_research.report.labels import item_codes, survey_id, survey_name
from sipas_research.survey.responses import Responses
from sipas_research.wording import number, percent, text

#: Nunnally's bar for a scale in use.
GOOD_ALPHA = 0.7


def measurement_findings(
    reliability: Reliability,
    factors: FactorSolution | Finding,
    responses: Responses,
    language: str,
    *,
    retention: FactorRetention | Finding | None = None,
    screening: Screening | Finding | None = None,
    validity: Validity | Finding | None = None,
) -> tuple[Finding, ...]:
    """Return the range of alpha, how the factors meet the design, and what cannot be said.

    Parameters
    ----------
    reliability : Reliability
    factors : FactorSolution or Finding
        Of the exploratory analysis.
    responses : Responses
    language : {"vi", "en"}
    retention, screening, validity : optional
        What else the chapter computed; findings (reasons) add no sentence of their own.
    """
    said = _factor_sentences(factors, retention, responses, language)
    alphas = reliability.scales["estimate"].dropna()
    limit = _finding("limit", text("findings.measurement.limit", language), responses, language)
    if alphas.empty:
        return (_finding("finding", text("findings.measurement.none", language), responses, language), limit)
    ends = {"lowest": number(alphas.min(), 3, language), "highest": number(alphas.max(), 3, language)}
    good = int((alphas >= GOOD_ALPHA).sum())
    survey = survey_name(responses, language)
    main = text("findings.measurement.main", language, survey=survey, count=len(alphas), good=good, **ends)
    found = [_finding("main", main, responses, language)]
    if isinstance(factors, Finding):
        said = [text("findings.measurement.finding_no_efa", language, count=len(alphas), **ends), *said]
    if isinstance(screening, Screening):
        said.append(_screening_sentence(screening, responses, language))
    if isinstance(validity, Validity):
        said += _validity_sentence(validity, language)
    found.append(_finding("finding", " ".join(said), responses, language))
    return (*found, limit)


def _finding(role: Role, sentence: str, responses: Responses, language: str) -> Finding:
    name = f"measurement-{role}-{survey_id(responses)}"
    return Finding(name, sentence, language, responses.data_kind, role=role)


def _factor_sentences(
    factors: FactorSolution | Finding, retention: FactorRetention | Finding | None, responses: Responses, language: str
) -> list[str]:
    found = []
    if isinstance(retention, FactorRetention) and not isinstance(factors, Finding):
        ends = retention.glance().iloc[0]
        agreed = "" if ends["fewest"] < ends["most"] else "_agreed"
        fields = {"fewest": int(ends["fewest"])} | ({} if agreed else {"most": int(ends["most"])})
        key = f"measurement_tables.findings.retention{agreed}"
        found.append(text(key, language, designed=len(factors.factors), **fields))
    if not isinstance(factors, Finding):
        found.append(_factor_sentence(factors, responses, language))
    return found


def _factor_sentence(factors: FactorSolution, responses: Responses, language: str) -> str:
    """Count the items that load most on the factor of their scale, each scale having a factor to itself."""
    from scipy.optimize import linear_sum_assignment

    strongest = dict(zip(factors.items, np.abs(factors.loadings.to_numpy()).argmax(axis=1), strict=True))
    chosen = [[strongest[i] for i in ids if i in strongest] for ids in responses.scale_items().values()]
    counts = np.array([[places.count(f) for f in range(len(factors.factors))] for places in chosen])
    match = int(counts[linear_sum_assignment(-counts)].sum())
    return text(
        "findings.measurement.finding",
        language,
        above=int((factors.eigenvalues >= 1).sum()),
        designed=len(factors.factors),
        match=match,
        items=len(factors.items),
    )


def _screening_sentence(found: Screening, responses: Responses, language: str) -> str:
    """Name the items that the rules took out; items without answers were never in play."""
    codes = item_codes(responses.questionnaire)
    gone = [codes[line.item] for line in found.rounds if line.action == "deleted" and line.step != "entry"]
    if not gone:
        return text("measurement_tables.findings.screened_none", language)
    return text("measurement_tables.findings.screened", language, deleted=len(gone), codes=", ".join(gone))


def _validity_sentence(found: Validity, language: str) -> list[str]:
    """Return the ends of CR and AVE and the largest HTMT of the first group, nothing where all were refused."""
    group: GroupValidity = found.groups[0]
    known = [f for f in group.factors if np.isfinite(f.cr_standardized) and not f.reason]
    top, i, j = largest(group, "htmt")
    if not known or not np.isfinite(top):
        return []
    fields: dict[str, Any] = {}
    for name, values in (
        ("cr", [f.cr_standardized for f in known]),
        ("ave", [f.ave_standardized for f in known]),
    ):
        fields |= {f"{name}_low": number(min(values), 3, language), f"{name}_high": number(max(values), 3, language)}
    low, high = group.htmt.conf_low[i, j], group.htmt.conf_high[i, j]
    around = ""
    if np.isfinite(low):
        level = percent(found.level, language, 0)
        ends = {"low": number(low, 3, language), "high": number(high, 3, language)}
        around = text("measurement_tables.findings.validity_interval", language, level=level, **ends)
    below = sum(f.ave_standardized < LEAST_AVE for f in known)
    return [
        text(
            "measurement_tables.findings.validity",
            language,
            ave_below=below,
            factors=len(known),
            htmt=number(top, 3, language),
            interval=around,
            **fields,
        )
    ]
