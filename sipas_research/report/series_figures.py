"""Charts of published series: breaks and documents as labelled upright lines, and no line drawn across a break."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sipas_research.evidence.published import REVIEW_EVENTS, PolicyEvent
from sipas_research.evidence.series import Break, Series, year_list
from sipas_research.framework.targets import TargetPath
from sipas_research.report.display import Figure
from sipas_research.report.figures import figure
from sipas_research.report.series_tables import share, sources_of
from sipas_research.report.theme import ESTIMATE, GROUPS, REFERENCE, TEXT_WIDTH, percent_axis, theme
from sipas_research.wording import percent, text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_EVENT = GROUPS[2]
_TARGET = GROUPS[1]
#: Height of one line of labels above the axes, as a share of their height.
_STEP = 0.075
#: Share of the axis, from the left, whose labels stand to the right of their line.
_LEFT_PART = 0.4
#: Years by which two indices stand to the sides of their year.
_APART = 0.06


@dataclass(frozen=True, slots=True)
class Flag:
    """An upright line at ``place`` (years, a year's value stands at its number) with a label above the axes."""

    place: float
    label: str
    colour: str = REFERENCE
    style: str = "--"


def break_flags(breaks: Sequence[Break], first: float, last: float, language: str) -> list[Flag]:
    """Return a line for each break that falls within the axis, halfway between the years it keeps apart."""
    return [Flag(b.year - 0.5, b.label(language)) for b in breaks if first < b.year - 0.5 < last]


def event_flags(events: Sequence[PolicyEvent], language: str) -> list[Flag]:
    """Return a line for each dated document; a year runs from half before its number to half after."""
    return [Flag(_when(e.date), e.label(language), _EVENT, ":") for e in events]


def _when(date: datetime.date) -> float:
    start, end = datetime.date(date.year, 1, 1), datetime.date(date.year + 1, 1, 1)
    return date.year - 0.5 + (date - start).days / (end - start).days


def draw_flags(axes: Axes, flags: Sequence[Flag]) -> None:
    """Draw the lines and stack their labels above the axes, so that no label is crossed by a line.

    Labels stand to the left of their line and rise from left to right; near the left edge they stand to the right,
    above all the others.
    """
    left, right = axes.get_xlim()
    blended = axes.get_xaxis_transform()
    inward = [f for f in flags if f.place < left + _LEFT_PART * (right - left)]
    outward = sorted((f for f in flags if f not in inward), key=lambda f: f.place)
    gap = 0.006 * (right - left)
    for row, flag in enumerate([*outward, *sorted(inward, key=lambda f: -f.place)]):
        top = 1.02 + _STEP * row
        axes.plot(
            [flag.place, flag.place],
            [0, top + 0.03],
            transform=blended,
            color=flag.colour,
            linestyle=flag.style,
            linewidth=1,
            clip_on=False,
            zorder=1,
        )
        axes.text(
            flag.place + gap if flag in inward else flag.place - gap,
            top,
            flag.label,
            transform=blended,
            ha="left" if flag in inward else "right",
            va="bottom",
            fontsize=7.5,
            color=flag.colour,
        )


def draw_series(
    axes: Axes, series: Series, *, colour: str, marker: str, label: str, derived_label: str = "", shift: float = 0.0
) -> None:
    """Draw printed values filled and computed ones hollow; lines join consecutive years inside one regime only."""
    for run in series.segments():
        if len(run) > 1:
            style = ":" if any(p.derived for p in run) else "-"
            axes.plot(
                [p.year + shift for p in run],
                [share(p.value) for p in run],
                color=colour,
                linestyle=style,
                linewidth=1.2,
            )
    for derived, name in ((False, label), (True, derived_label)):
        chosen = [p for p in series.points if p.derived == derived]
        if chosen:
            axes.plot(
                [p.year + shift for p in chosen],
                [share(p.value) for p in chosen],
                linestyle="none",
                marker=marker,
                markersize=6,
                color=colour,
                markerfacecolor="white" if derived else colour,
                label=name or None,
                zorder=3,
            )


def _years(axes: Axes, first: int, last: int, gaps: Sequence[int], language: str) -> None:
    axes.set_xlim(first - 0.6, last + 0.6)
    axes.set_xticks(range(first, last + 1), [str(y) for y in range(first, last + 1)])
    axes.grid(visible=False, axis="x")
    for year in gaps:
        axes.text(
            year,
            0.02,
            text("series.review.no_value", language),
            transform=axes.get_xaxis_transform(),
            ha="center",
            va="bottom",
            rotation=90,
            fontsize=7.5,
            color=REFERENCE,
        )


def _finish(axes: Axes, language: str, columns: int = 2) -> None:
    percent_axis(axes, language, which="y")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=columns)


def dashboard_figure(series: Sequence[Series], language: str) -> Figure:
    """Return both indices under both readings over the study's period, with the breaks that fall into it.

    Parameters
    ----------
    series : sequence of Series
        Each index under each reading; those of one name get one colour, the readings different marks.
    """
    from matplotlib import pyplot as plt

    names = list(dict.fromkeys(s.name.vi for s in series))
    first, last = series[0].first_year, series[0].last_year
    year, previous = series[0].points[-1].year, series[0].points[0].year
    with theme():
        drawing, axes = plt.subplots(figsize=(TEXT_WIDTH, 3.1))
        for one in series:
            points, place = one.reading == "points", names.index(one.name.vi)
            name = one.name(language)
            reading = text(f"series.reading.{one.reading}_lower", language)
            draw_series(
                axes,
                one,
                colour=GROUPS[place],
                marker="o" if points else "s",
                label=f"{name}, {text('series.reading.printed_lower', language)}" if points else "",
                derived_label=f"{name}, {reading}",
                # side by side, because the two printed values nearly coincide
                shift=_APART * (2 * place - 1),
            )
            if points:
                _value(axes, one, _APART * (2 * place - 1), GROUPS[place], language)
        _years(axes, first, last, series[0].gaps(), language)
        breaks = sorted({b for s in series for b in s.breaks}, key=lambda b: b.year)
        _finish(axes, language)
        draw_flags(axes, break_flags(breaks, first - 0.5, last + 0.5, language))
        fields = {"year": str(year), "previous": str(previous)}
        return figure(
            drawing,
            id="fig-dashboard",
            title=text("series.dashboard.figure", language, **fields),
            alt=text("series.dashboard.alt", language, **fields),
            language=language,
            data_kind=series[0].data_kind,
            source=sources_of([p.source for s in series for p in s.points], language),
            notes=(text("series.dashboard.note_gaps", language, years=year_list(series[0].gaps())),),
        )


def _value(axes: Axes, series: Series, shift: float, colour: str, language: str) -> None:
    """Print the last value beside its mark, to the side that it is shifted to."""
    point = series.points[-1]
    axes.annotate(
        percent(share(point.value), language),
        (point.year + shift, share(point.value)),
        (-5 if shift < 0 else 5, 0),
        textcoords="offset points",
        ha="right" if shift < 0 else "left",
        va="center",
        fontsize=7,
        color=colour,
    )


def review_figure(
    points: Series, per_cent: Series, language: str, *, events: Sequence[PolicyEvent] = REVIEW_EVENTS
) -> Figure:
    """Return ten years of results and targets with the dates of two documents and the breaks."""
    from matplotlib import pyplot as plt

    first, last = points.first_year, points.last_year
    with theme():
        drawing, axes = plt.subplots(figsize=(TEXT_WIDTH, 3.4))
        labels = {name: text(f"series.review.{name}_label", language) for name in ("result", "points", "percent")}
        draw_series(axes, points, colour=ESTIMATE, marker="o", label=labels["result"], derived_label=labels["points"])
        draw_series(axes, per_cent, colour=GROUPS[5], marker="s", label="", derived_label=labels["percent"])
        # the printed values are the same under both readings: the first colour stays on top
        draw_series(axes, points, colour=ESTIMATE, marker="o", label="")
        aims = [(p.year, share(p.target)) for p in points.points if p.target is not None]
        _targets(axes, aims, text("series.review.target_label", language))
        _years(axes, first, last, points.gaps(), language)
        _finish(axes, language)
        flags = break_flags(points.breaks, first - 0.5, last + 0.5, language)
        draw_flags(axes, [*flags, *event_flags(events, language)])
        return figure(
            drawing,
            id="fig-review",
            title=text("series.review.figure", language),
            alt=text("series.review.alt", language),
            language=language,
            data_kind=points.data_kind,
            source=sources_of([p.source for p in points.points], language),
            notes=_review_notes(points, events, language),
        )


def _review_notes(series: Series, events: Sequence[PolicyEvent], language: str) -> tuple[str, ...]:
    span = series.last_year - series.first_year + 1
    policy = text("series.finding.policy", language, gaps=len(series.gaps()), all=span)
    return (text("series.review.note_breaks", language), *([policy] if events else []))


def _targets(axes: Axes, aims: Sequence[tuple[int, float]], label: str) -> None:
    axes.plot(
        [year for year, _ in aims],
        [value for _, value in aims],
        linestyle="none",
        marker="_",
        markersize=15,
        markeredgewidth=2,
        color=_TARGET,
        label=label,
        zorder=4,
    )


def path_figure(series: Series, path: TargetPath, language: str) -> Figure | None:
    """Return the known values, the limits of each year to come as separate bars, and the targets.

    Years are not joined, so that nothing crosses a break; nothing is drawn where there is no probability.
    """
    from matplotlib import pyplot as plt

    if path.reason:
        return None
    level = percent(path.level, language, 0)
    first, last = series.first_year, path.path[-1][0]
    with theme():
        drawing, axes = plt.subplots(figsize=(TEXT_WIDTH, 3.4))
        draw_series(axes, series, colour=ESTIMATE, marker="o", label=text("targets.figure.known", language))
        for place, (year, centre, low, high) in enumerate(path.path):
            style: dict[str, Any] = (
                {"label": text("targets.figure.outlook", language, level=level)} if not place else {}
            )
            axes.plot([year, year], [share(low), share(high)], color=GROUPS[5], linewidth=4, solid_capstyle="butt")
            axes.plot([year], [share(centre)], linestyle="none", marker="D", markersize=4.5, color=REFERENCE, **style)
        _targets(axes, [(g.year, share(g.value)) for g in path.goals], text("targets.figure.target", language))
        for goal in path.goals:
            words = f"≥ {percent(share(goal.value), language, 0)}"
            axes.annotate(
                words,
                (goal.year, share(goal.value)),
                (0, 7),
                textcoords="offset points",
                ha="center",
                fontsize=8,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1},
                zorder=5,
            )
        _years(axes, first, last, (), language)
        axes.set_xticks(range(first, last + 1, 2), [str(y) for y in range(first, last + 1, 2)])
        _finish(axes, language, 3)
        draw_flags(axes, break_flags(series.breaks, first - 0.5, last + 0.5, language))
        reading = text(f"series.reading.{path.reading}_lower", language)
        return figure(
            drawing,
            id="fig-path",
            title=text("targets.figure.title", language, reading=reading),
            alt=text("targets.figure.alt", language, level=level),
            language=language,
            data_kind=path.data_kind,
            source=sources_of([p.source for p in path.used], language),
            notes=(text("targets.figure.note_gaps", language, years=year_list(series.gaps())),),
        )
