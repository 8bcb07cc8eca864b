"""The index of each agency beside the range of its rank, in one row: no place is seen without its range."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from sipas_research.framework.ranks import AgencyRanks, RankRow
from sipas_research.report.display import Figure, Finding
from sipas_research.report.figures import figure
from sipas_research.report.labels import index_name
from sipas_research.report.rank_tables import family_name, rank_common
from sipas_research.report.theme import ESTIMATE, GROUPS, REFERENCE, TEXT_WIDTH, percent_axis, theme
from sipas_research.survey.responses import Responses
from sipas_research.wording import percent, text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_JOINT, _OWN = "#9ecae1", GROUPS[0]


def rank_figure(found: AgencyRanks | Finding, responses: Responses, language: str) -> Figure | None:
    """Return the agencies that keep a rank, highest estimate on top, with intervals and ranges of ranks.

    None where fewer than two agencies keep a rank.
    """
    from matplotlib import pyplot as plt

    if isinstance(found, Finding) or len(found.ranked) < 2:
        return None
    rows = sorted((row for row in found.rows if row.tier), key=lambda row: (row.tier, -row.estimate, row.group))
    names = [textwrap.fill(responses.agencies.name(row.group, language), 34) for row in rows]
    with theme():
        drawing, (left, right) = plt.subplots(
            1, 2, sharey=True, figsize=(TEXT_WIDTH, 1.5 + 0.24 * len(rows)), width_ratios=(1.25, 1.0)
        )
        _draw_estimates(left, rows, found, responses, language)
        _draw_ranks(right, rows, found, language)
        left.set_yticks(range(len(rows)), names)
        left.set_ylim(len(rows) - 0.5, -0.5)
        for axes in (left, right):
            axes.grid(visible=False, axis="y")
            for place in range(1, len(rows)):
                if rows[place].tier != rows[place - 1].tier:
                    axes.axhline(place - 0.5, color=REFERENCE, linewidth=0.8)
        handles = [h for axes in (left, right) for h in axes.get_legend_handles_labels()[0]]
        drawing.legend(handles=handles, loc="outside lower center", ncols=2)
        return figure(
            drawing,
            id=f"fig-ranks-{found.family}",
            title=text("ranks.figure.title", language, family=family_name(found.family, language)),
            alt=text("ranks.figure.alt", language, count=len(rows), index=index_name(responses, language)),
            notes=(
                text("ranks.figure.note_order", language),
                text("ranks.figure.note_aid", language),
                text("ranks.note.sampling", language),
                *([text("ranks.figure.note_left_out", language)] if len(rows) < found.size else []),
            ),
            **rank_common(found, responses, language),
        )


def _draw_estimates(axes: Axes, rows: list[RankRow], found: AgencyRanks, responses: Responses, language: str) -> None:
    aid = found.drawing_aid().set_index("group")
    level = percent(found.conf_level, language, 0)
    labels = {
        "interval": text("ranks.figure.interval", language, level=level),
        "aid": text("ranks.figure.aid", language),
    }
    for place, row in enumerate(rows):
        thin: dict[str, Any] = {"color": ESTIMATE, "linewidth": 1.0, "label": labels["interval"] if not place else None}
        axes.plot([row.conf_low, row.conf_high], [place, place], **thin)
        ends = [aid.loc[row.group, "low"], aid.loc[row.group, "high"]]
        thick: dict[str, Any] = {"linewidth": 3.2, "solid_capstyle": "butt", "alpha": 0.55}
        axes.plot(ends, [place, place], color=ESTIMATE, label=labels["aid"] if not place else None, **thick)
        axes.plot([row.estimate], [place], marker="o", markersize=4, color=ESTIMATE)
    axes.set_xlabel(index_name(responses, language))
    percent_axis(axes, language)


def _draw_ranks(axes: Axes, rows: list[RankRow], found: AgencyRanks, language: str) -> None:
    level = percent(found.level, language, 0)
    shapes = (
        ("joint", _JOINT, 6.0, lambda row: (row.joint_low, row.joint_high)),
        ("own", _OWN, 2.6, lambda row: (row.rank_low, row.rank_high)),
    )
    for name, colour, width, ends in shapes:
        label = text(f"ranks.figure.{name}", language, level=level)
        for place, row in enumerate(rows):
            low, high = ends(row)
            style: dict[str, Any] = {"color": colour, "linewidth": width, "solid_capstyle": "butt"}
            # a single rank is a short bar, so that it can be seen
            axes.plot([low - 0.3, high + 0.3], [place, place], label=label if not place else None, **style)
    cut = text("ranks.figure.cut", language, top=found.top)
    axes.axvline(found.top + 0.5, color=REFERENCE, linestyle="--", linewidth=1, zorder=0, label=cut)
    axes.set_xlim(0.4, found.size + 0.6)
    axes.set_xticks(_ticks(found.size))
    axes.set_xlabel(text("ranks.figure.axis", language, size=found.size))
    axes.tick_params(axis="y", length=0)


def _ticks(size: int) -> list[int]:
    """Ranks that are printed below the axis: 1, then every first, fifth, tenth ..., never more than a dozen."""
    step = next(s for s in (1, 5, 10, 20, 50, 100, 500) if size / s <= 12 or s == 500)
    return sorted({1, *np.arange(step, size + 1, step).tolist()})
