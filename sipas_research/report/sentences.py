"""Findings: sentences made from the numbers of a chapter, and one thing its data cannot say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sipas_research.framework.index import INDEX, SatisfactionIndex
from sipas_research.framework.scorecard import Scorecard
from sipas_research.report.design_limits import design_limit
from sipas_research.report.display import Finding, Role
from sipas_research.report.index_tables import term_name
from sipas_research.report.labels import index_name, item_codes, only_year, survey_id, survey_name
from sipas_research.report.scorecard_tables import agency_name, points
from sipas_research.survey.description import Description, profile
from sipas_research.survey.responses import Responses
from sipas_research.wording import interval, number, percent, text


def _finding(name: str, role: Role, sentence: str, responses: Responses, language: str) -> Finding:
    return Finding(f"{name}-{role}-{survey_id(responses)}", sentence, language, responses.data_kind, role=role)


def quality_findings(
    description: Description, everyone: Responses, current: Responses, language: str
) -> tuple[Finding, ...]:
    """Return how many forms were used, what was left blank most, and what cannot be said."""
    items = description.tidy()
    items = items.loc[items["level"] == "item"]
    counts = {"read": everyone.n_read, "rejected": everyone.n_rejected, "used": len(current)}
    name = survey_name(current, language)
    year = only_year(current) if len(current) < len(everyone) else ""
    key = "findings.quality.main_year" if year else "findings.quality.main"
    fields = {"year": year} if year else {}
    main = text(key, language, survey=name[:1].upper() + name[1:], **fields, **counts)
    if profile(everyone, facts=()).record()["suppressed"].any():
        main = text("findings.quality.main_hidden", language, survey=name[:1].upper() + name[1:])
    found = [_finding("quality", "main", main, current, language)]
    if len(items) and len(current):
        found.append(_finding("quality", "finding", _blank_sentence(items, current, language), current, language))
    found.append(_finding("quality", "limit", text("findings.quality.limit", language), current, language))
    return tuple(found)


def _blank_sentence(items: pd.DataFrame, current: Responses, language: str) -> str:
    """Name every question that was left blank most; questions with few answers are not among those compared."""
    shown = items.loc[~items["suppressed"]]
    if shown.empty:
        return text("findings.quality.few_answers", language)
    blank = shown["missing"] / len(current)
    codes = item_codes(current.questionnaire)
    most = [codes[term] for term in shown.loc[blank == blank.max(), "term"]]
    name = "complete" if not blank.max() > 0 else "finding" if len(most) == 1 else "finding_tie"
    sentence = text(
        f"findings.quality.{name}",
        language,
        code=", ".join(most),
        share=percent(float(blank.max()), language),
        average=percent(float(blank.mean()), language),
    )
    return sentence if len(shown) == len(items) else f"{text('findings.quality.among', language)} {sentence}"


def _limit(chapter: str, responses: Responses, language: str) -> Finding:
    return _finding(chapter, "limit", text(f"findings.{chapter}.limit", language), responses, language)


def index_findings(
    index: SatisfactionIndex | Finding, by_agency: SatisfactionIndex | Finding, responses: Responses, language: str
) -> tuple[Finding, ...]:
    """Return the index with its interval, its ends, what the agencies show, and what cannot be said."""
    found = []
    if isinstance(index, SatisfactionIndex):
        rows = [r for r in index.tidy().to_dict("records") if r["group"] == ""]
        known = [r for r in rows if np.isfinite(r["estimate"])]
        if known and known[0]["term"] == INDEX:
            title = index_name(responses, language)
            main = text("findings.index.main", language, title=title, **_value(known[0], language))
            found.append(_finding("index", "main", main, responses, language))
        parts = [r for r in known if r["term"] in index.components]
        if len(parts) > 1:
            found.append(_components_finding(parts, responses, language))
            found.append(_finding("index", "finding", _ends_sentence(parts, responses, language), responses, language))
    found.append(_agency_finding(by_agency, responses, language))
    return (*found, *design_limit(responses, language), _limit("index", responses, language))


def _components_finding(parts: list[dict[Any, Any]], responses: Responses, language: str) -> Finding:
    values = "; ".join(
        f"{term_name(r['term'], responses, language)} {percent(r['estimate'], language)} "
        f"({interval(r['conf_low'], r['conf_high'], language)})"
        for r in parts
    )
    sentence = text("findings.index.components", language, values=values)
    return Finding("index-components", sentence, language, responses.data_kind, role="main")


def _value(row: dict[Any, Any], language: str) -> dict[str, Any]:
    ends = interval(row["conf_low"], row["conf_high"], language)
    return {"estimate": percent(row["estimate"], language), "interval": ends, "n": int(row["n"])}


def _ends_sentence(parts: list[dict[Any, Any]], responses: Responses, language: str) -> str:
    high, low = (pick(parts, key=lambda r: r["estimate"]) for pick in (max, min))
    verdict = "apart" if high["conf_low"] > low["conf_high"] else "overlap"
    return text(
        "findings.index.component",
        language,
        high=term_name(high["term"], responses, language),
        high_value=percent(high["estimate"], language),
        low=term_name(low["term"], responses, language),
        low_value=percent(low["estimate"], language),
        verdict=text(f"findings.index.{verdict}", language),
    )


def _agency_finding(by_agency: SatisfactionIndex | Finding, responses: Responses, language: str) -> Finding:
    if not isinstance(by_agency, SatisfactionIndex) or not by_agency.groups:
        name = "agencies_reason" if responses.has("agency") else "no_agencies"
        sentence = text(f"findings.index.{name}", language)
        return Finding("index-agencies", sentence, language, responses.data_kind)
    table = by_agency.tidy()
    table = table.loc[table["term"] == INDEX]
    if table.loc[table["group"] != "", "estimate"].isna().all():
        return Finding("index-agencies", text("findings.index.agencies_none", language), language, responses.data_kind)
    level = float(table.loc[table["group"] == "", "estimate"].iloc[0])
    rows = table.loc[(table["group"] != "") & table["estimate"].notna()]
    outside = (rows["conf_low"] > level) | (rows["conf_high"] < level)
    counts = {"shown": len(rows), "all": len(by_agency.groups), "different": int(outside.sum())}
    return Finding("index-agencies", text("findings.index.agencies", language, **counts), language, responses.data_kind)


def scorecard_findings(card: Scorecard, responses: Responses, language: str) -> tuple[Finding, ...]:
    """Return the agency's index, its difference from the others, and what cannot be said."""
    rows = card.tidy()
    own = rows.loc[(rows["term"] == INDEX) & (rows["group"] == "agency")].to_dict("records")[0]
    name = agency_name(card, responses, language)
    title = index_name(responses, language)
    main = text("findings.scorecard.main", language, title=title, agency=name, **_value(own, language))
    found = [_finding("scorecard", "main", main, responses, language)]
    gaps = card.differences()
    gap = gaps.loc[gaps["term"] == INDEX].to_dict("records")
    if gap and np.isfinite(gap[0]["conf_low"]):
        clear = gap[0]["conf_low"] > 0 or gap[0]["conf_high"] < 0
        sentence = text(
            f"findings.scorecard.{gap[0]['group']}",
            language,
            difference=number(100 * gap[0]["estimate"], 2, language),
            interval=points(gap[0]["conf_low"], gap[0]["conf_high"], language),
            verdict=text(f"findings.scorecard.{'clear' if clear else 'unclear'}", language),
        )
        found.append(_finding("scorecard", "finding", sentence, responses, language))
    return (*found, _limit("scorecard", responses, language))
