"""What differs between the frameworks of the three levels, and why."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from itertools import combinations

from sipas_research.framework.framework_spec import LEVELS, Framework, Level, shared_criteria
from sipas_research.framework.sample_plan import forms_needed, planning_for
from sipas_research.report.display import Table
from sipas_research.report.framework_parts import listed, rules_table, said
from sipas_research.report.passages import Passage
from sipas_research.wording import date, integer, percent

Frameworks = Mapping[Level, Framework]
_ASPECTS = ("respondents", "valid", "criteria", "own", "procedures", "indicators", "bands", "forms", "days")


def framework_levels_table(frameworks: Frameworks, language: str) -> Table:
    """Return the three frameworks side by side: whom they ask, criteria of their own, procedures, records, bands."""
    cells = {level: _aspects(frameworks, level, language) for level in LEVELS}
    rows = [(said(f"compare.{aspect}", language), *(cells[level][aspect] for level in LEVELS)) for aspect in _ASPECTS]
    columns = (("aspect", 0.16), ("department", 0.28), ("district", 0.28), ("commune", 0.28))
    return rules_table("compare", columns, rows, language)


def _aspects(frameworks: Frameworks, level: Level, language: str) -> dict[str, str]:
    found = frameworks[level]
    others = [frameworks[other] for other in LEVELS if other != level]
    criteria = {c.id for other in others for c in other.criteria}
    records = {i.id for other in others for i in other.indicators}
    forms = forms_needed(math.inf, planning_for(found))
    limits = [step.days for step in found.appeal if step.days]
    none = said("compare.none", language)
    return {
        "respondents": found.respondents(language),
        "valid": _valid(found, language),
        "criteria": integer(len(found.criteria), language),
        "own": listed((c.name for c in found.criteria if c.id not in criteria), language) or none,
        "procedures": listed((p.name for p in found.procedures), language) or none,
        "indicators": listed((i.name for i in found.indicators if i.id not in records), language) or none,
        "bands": "; ".join(percent(cut, language, 0) for cut in found.bands.cuts),
        "forms": integer(forms, language),
        "days": integer(limits[0], language) if limits else said("steps.no_limit", language),
    }


def valid_words(framework: Framework, language: str) -> str:
    """Return from when to when a framework is in force, "" where it names no date."""
    ends = {"start": framework.valid_from, "end": framework.valid_to}
    shown = {n: date(datetime.date.fromisoformat(day), language) for n, day in ends.items() if day}
    if not shown:
        return ""
    key = {2: "in_force"}.get(len(shown), "in_force_from" if "start" in shown else "in_force_until")
    return said(f"document.{key}", language, **shown)


def _valid(framework: Framework, language: str) -> str:
    return valid_words(framework, language) or said("compare.valid_open", language)


def framework_shared_table(frameworks: Frameworks, language: str) -> Table:
    """Return the share of criteria that each two levels have in common."""
    rows = []
    for first, second in combinations(LEVELS, 2):
        pair = " – ".join(said(f"compare.{level}", language) for level in (first, second))
        rows.append((pair, percent(shared_criteria(frameworks[first], frameworks[second]), language, 0)))
    return rules_table(
        "shared",
        (("pair", 0.5), ("shared", 0.5)),
        rows,
        language,
        section="compare",
        title=said("compare.shared_title", language),
        notes=(said("compare.note_shared", language),),
        centred=frozenset({"shared"}),
    )


def framework_reasons(language: str) -> Passage:
    """Return why the three levels are measured by different criteria."""
    heading = f"### {said('compare.why_heading', language)}"
    reasons = [said(f"compare.why_{level}", language) for level in LEVELS]
    return Passage("framework-reasons", "\n\n".join([heading, *reasons]), language)
