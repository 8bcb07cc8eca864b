"""The first page of a framework document, and what is still open before a council can decide on it."""

from __future__ import annotations

import math

from sipas_research.framework.frames import Frames
from sipas_research.framework.framework_spec import Framework
from sipas_research.framework.sample_plan import forms_needed, planning_for
from sipas_research.report.display import Finding
from sipas_research.report.framework_grading import framework_errors
from sipas_research.report.framework_parts import RULES, listed, said
from sipas_research.report.framework_rules import cuts_in_words
from sipas_research.report.framework_sampling import points
from sipas_research.report.source import plain
from sipas_research.wording import integer, percent, text


def framework_front(framework: Framework, language: str, *, simulated: bool = False) -> str:
    """Return the Markdown of the first page: the framework in a few lines, and its status.

    ``simulated`` says that the study is of a province that does not exist.
    """
    lines = "\n".join(f"- {line}" for line in _summary(framework, language))
    parts = [
        f"## {said('front.heading', language)} {{.unnumbered .unlisted}}",
        lines,
        f"### {said('front.status_heading', language)} {{.unnumbered .unlisted}}",
        _status(framework, language),
        said("front.numbers", language),
        *([said("front.simulated", language)] if simulated else []),
    ]
    return "\n\n".join(parts) + "\n"


def _summary(framework: Framework, language: str) -> list[str]:
    plan = planning_for(framework)
    forms = integer(forms_needed(math.inf, plan), language)
    weights = text(f"framework_file.weights.{framework.weight_method}", language)
    days = next((step.days for step in framework.appeal if step.days), 0)
    counted = {
        "criteria": len(framework.criteria),
        "components": len(framework.components),
        "items": len(framework.items),
    }
    steps = {"steps": len(framework.appeal)}
    return [
        said("front.respondents", language, text=plain(framework.respondents(language))),
        said("front.criteria", language, **counted, weights=weights[:1].lower() + weights[1:]),
        said(
            "front.sample",
            language,
            confidence=percent(plan.confidence, language, 0),
            half=points(plan.half_width, language, 0),
            forms=forms,
        ),
        said("front.bands", language, bands=plain(cuts_in_words(framework, language))),
        said("front.publication", language, minimum=framework.minimum_forms),
        said("front.appeal", language, **steps, days=days) if days else said("front.appeal_open", language, **steps),
    ]


def _statements(framework: Framework) -> list[str]:
    parts = (framework.publication, framework.appeal, framework.procedures, framework.indicators, framework.basis)
    return [entry.status for part in parts for entry in part]


def _status(framework: Framework, language: str) -> str:
    statuses = _statements(framework)
    unread = sum(status != "read" for status in statuses)
    if not unread:
        return said("front.status_clear", language)
    return said("front.status", language, total=len(statuses), open=unread)


def framework_findings(framework: Framework, frames: Frames, language: str) -> list[Finding]:
    """Return what has to be decided, read or filled in before the framework can be submitted, and its limits."""
    found = [("limit-size", _size_limit(framework, language), "limit")]
    proposed = _proposed(framework, language)
    if proposed:
        found.append(("proposed", said("finding.proposed", language, what=proposed), "finding"))
    unread = [plain(b.number) for b in framework.basis if b.status != "read"]
    # a document without a number is one that is still to be issued
    numbered = [number for number in unread if any(c.isdigit() for c in number)]
    if numbered:
        found.append(("unread", said("finding.unread", language, what=listed(numbered, language)), "finding"))
    if unnumbered := [number for number in unread if number not in numbered]:
        found.append(("to-issue", said("finding.to_issue", language, what=listed(unnumbered, language)), "finding"))
    if frames.open:
        counts = {"count": frames.open, "total": len(frames.sizes)}
        found.append(("frames", said("finding.frames", language, **counts), "finding"))
    found += [(name, said(f"finding.{name}", language), "limit") for name in ("formula", "sampling")]
    return [Finding(f"framework-{name}", said_, language, RULES, role) for name, said_, role in found]  # type: ignore[arg-type]


def _size_limit(framework: Framework, language: str) -> str:
    errors = {(row.bands, row.rule): row for row in framework_errors(framework)[1]}
    rule, naive = errors["designed", "certified"], errors["designed", "estimate"]
    return said(
        "finding.limit_size",
        language,
        half=points(framework.half_width, language, 0),
        open=percent(rule.open, language, 0),
        wrong=percent(rule.wrong, language, 1),
        naive=percent(naive.wrong, language, 0),
        mark=text("common.mark.simulated", language),
    )


def _proposed(framework: Framework, language: str) -> str:
    parts = {
        "rules": framework.publication,
        "steps": framework.appeal,
        "procedures": framework.procedures,
        "indicators": framework.indicators,
    }
    names = [] if framework.bands.decided else ["bands"]
    names += [name for name, part in parts.items() if any(e.status == "proposed" for e in part)]  # type: ignore[attr-defined]
    return listed((said(f"finding.proposed_{name}", language) for name in names), language)
