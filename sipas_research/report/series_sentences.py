"""Findings of the chapter on published figures, and what it cannot say."""

from __future__ import annotations

from collections.abc import Sequence

from sipas_research.evidence.published import Dashboard
from sipas_research.evidence.series import Series, year_list
from sipas_research.evidence.stability import MINIMUM_YEARS, Stability
from sipas_research.framework.targets import TargetPath
from sipas_research.report.display import Finding, Role
from sipas_research.report.series_tables import share
from sipas_research.results import DataKind
from sipas_research.wording import number, percent, text


def _finding(name: str, role: Role, sentence: str, language: str, kind: DataKind) -> Finding:
    return Finding(f"evidence-{name}", sentence, language, kind, role=role)


def series_findings(
    shown: Dashboard,
    review: Series,
    paths: Sequence[TargetPath],
    found: Sequence[tuple[Series, Stability]],
    language: str,
) -> tuple[Finding, ...]:
    """Return what the published figures say: two indices, ten years, targets, stability, and what would settle more.

    Parameters
    ----------
    shown : Dashboard
    review : Series
        The ten-year review, read in points.
    paths : sequence of TargetPath
        One a reading.
    found : sequence of (Series, Stability)
        Each series with what it says about stability; the first SIPAS one gives the sentence on its change.
    """
    kind = shown.data_kind
    gaps = found[0][0].gaps()
    year = shown.lines[0].year
    settle = text("series.finding.settle", language, previous=str(year - 1), year=str(year))
    return (
        _finding("dashboard", "finding", _dashboard_sentence(shown, language), language, kind),
        *_change_findings(found, language),
        *_stability_findings(found, language),
        _finding("review", "finding", _review_sentence(review, paths[0], language), language, kind),
        _finding("targets", "finding", _target_sentence(paths, language), language, kind),
        *_back_findings(paths[0], language),
        _finding("settle", "finding", settle, language, kind),
        _finding("policy", "limit", _policy_sentence(review, language), language, kind),
        _finding("limit", "limit", text("series.finding.limit", language, years=year_list(gaps)), language, kind),
    )


def _dashboard_sentence(shown: Dashboard, language: str) -> str:
    fields: dict[str, str] = {"year": str(shown.lines[0].year)}
    for line in shown.lines:
        fields[line.index] = percent(share(line.value), language)
        fields[f"{line.index}_rank"] = f"{line.rank}/{line.of}"
        fields[f"{line.index}_points"] = percent(share(line.previous_points), language)
        fields[f"{line.index}_percent"] = percent(share(line.previous_percent), language)
    return text("series.finding.dashboard", language, **fields)


def _change_findings(found: Sequence[tuple[Series, Stability]], language: str) -> tuple[Finding, ...]:
    """Say the first change that has a margin, read in points."""
    for series, stable in found:
        change = next((c for c in stable.changes if c.beyond is not None and series.reading == "points"), None)
        if change is None:
            continue
        sentence = text(
            "stability.finding.change",
            language,
            name=series.name,
            first=str(change.first),
            last=str(change.last),
            change=number(change.change, 2, language),
            margin=number(change.margin, 2, language),
            statistic=number(change.statistic, 2, language),
            verdict=text(f"stability.finding.{'outside' if change.beyond else 'inside'}", language),
        )
        return (_finding("change", "main", sentence, language, stable.data_kind),)
    return ()


def _stability_findings(found: Sequence[tuple[Series, Stability]], language: str) -> tuple[Finding, ...]:
    said = {}
    for series, stable in found:
        key = "stability.finding.one" if stable.longest_run < MINIMUM_YEARS else "stability.finding.no_margin"
        if stable.verdict != "not_enough":
            key = f"stability.verdict.{stable.verdict}"
        fields = {"run": stable.longest_run, "name": series.name}
        more = {"needed": MINIMUM_YEARS} if key == "stability.finding.one" else {}
        if key.startswith("stability.finding"):
            more["verdict"] = text(f"stability.verdict_short.{stable.verdict}", language)  # type: ignore[assignment]
        said[series.name.vi] = text(key, language, **fields, **more)
    kind = found[0][1].data_kind
    return (_finding("stability", "finding", " ".join(said.values()), language, kind),)


def _review_sentence(review: Series, path: TargetPath, language: str) -> str:
    aimed = [p for p in review.points if p.target is not None]
    first, last, goal = aimed[0], aimed[-1], path.goals[0]
    return text(
        "series.finding.review",
        language,
        first=str(first.year),
        last=str(last.year),
        first_over=number(first.value - (first.target or 0.0), 2, language),
        last_over=number(last.value - (last.target or 0.0), 2, language),
        between=number(review.pace(first.year, last.year), 2, language),
        target=percent(share(goal.value), language, 0),
        target_year=str(goal.year),
        required=number(goal.required_pace, 2, language),
    )


def _target_sentence(paths: Sequence[TargetPath], language: str) -> str:
    if any(p.reason for p in paths):
        return text("targets.finding.few", language)
    fields: dict[str, str] = {"last": str(paths[0].used[-1].year)}
    for place, name in ((0, "first"), (-1, "second")):
        goal = paths[0].goals[place]
        chances = sorted(p.goals[place].probability for p in paths)
        fields[name] = percent(share(goal.value), language, 0)
        fields[f"{name}_year"] = str(goal.year)
        fields[f"{name}_pace"] = number(goal.required_pace, 2, language)
        fields[f"{name}_low"] = percent(chances[0], language, 0)
        fields[f"{name}_high"] = percent(chances[-1], language, 0)
    return text("targets.finding.main", language, **fields)


def _back_findings(path: TargetPath, language: str) -> tuple[Finding, ...]:
    test = next((t for t in path.back_tests if t.covered is None), None)
    if test is None:
        return ()
    sentence = text(
        "targets.finding.back",
        language,
        origin=str(test.origin),
        year=str(test.year),
        centre=percent(share(test.centre), language, 1),
        actual=percent(share(test.actual), language),
    )
    return (_finding("back-test", "finding", sentence, language, path.data_kind),)


def _policy_sentence(review: Series, language: str) -> str:
    span = review.last_year - review.first_year + 1
    return text("series.finding.policy", language, gaps=len(review.gaps()), all=span)
