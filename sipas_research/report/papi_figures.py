"""PAPI in pictures. Breaks stand on every chart, and no line crosses one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sipas_research.evidence.papi import PapiPanel
from sipas_research.evidence.papi_facts import PANEL_BREAKS, papi_facts
from sipas_research.levers.panel import ProvinceAssociation
from sipas_research.levers.peers import Peers
from sipas_research.levers.synthetic import SyntheticControl
from sipas_research.report.display import Figure, Finding
from sipas_research.report.figures import figure
from sipas_research.report.papi_labels import SINCE, common, name_of, notes, short
from sipas_research.report.theme import ESTIMATE, GROUPS, REFERENCE, TEXT_WIDTH, number_axis, theme
from sipas_research.wording import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PALE, _MIDDLE = "#e2e2e2", "#b9b9b9"
_BREAK = "#7a4b00"


def cuts(panel: PapiPanel, column: str) -> tuple[int, ...]:
    """Return the years before which a line of a column must stop: the panel's breaks and its own changes."""
    years = {b.year for b in panel.breaks(column) if b.kind in {"panel", "sample", "content"}}
    return tuple(sorted(years))


def stretches(
    years: Iterable[int], values: Iterable[float], breaks: Sequence[int]
) -> list[tuple[list[int], list[float]]]:
    """Return the runs of years that a line may join: cut at breaks, at years not published and at skipped years."""
    found: list[tuple[list[int], list[float]]] = []
    before: int | None = None
    for year, value in zip(years, values, strict=True):
        if not np.isfinite(value):
            before = None
            continue
        joined = before is not None and year == before + 1 and year not in breaks
        if not joined:
            found.append(([], []))
        found[-1][0].append(int(year))
        found[-1][1].append(float(value))
        before = int(year)
    return found


def _draw(axes: Axes, years: Iterable[int], values: Iterable[float], breaks: Sequence[int], **style: Any) -> None:
    label = style.pop("label", None)
    for run_years, run_values in stretches(years, values, breaks):
        axes.plot(run_years, run_values, label=label, **style)
        label = None


def _mark_breaks(axes: Axes, years: Sequence[int], language: str, *, named: bool = True) -> None:
    for year in PANEL_BREAKS:
        if not min(years) - 1 < year - 0.5 < max(years):
            continue
        axes.axvline(year - 0.5, color=_BREAK, linestyle=":", linewidth=1.1, zorder=0.5)
        if named:
            words = text(f"papi.figure.break_{year}", language)
            axes.text(
                year - 0.45,
                1.0,
                words,
                transform=axes.get_xaxis_transform(),
                ha="left",
                va="top",
                fontsize=7,
                color=_BREAK,
            )
    axes.set_xlim(min(years) - 0.7, max(years) + 0.5)


def _score_axis(axes: Axes, language: str) -> None:
    """Leave room for the names of the breaks, and take ticks that one decimal can tell."""
    from matplotlib.ticker import MaxNLocator

    low, high = axes.get_ylim()
    axes.set_ylim(low - 0.04 * (high - low), high + 0.1 * (high - low))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 5, 10], min_n_ticks=3))
    number_axis(axes, language, which="y", decimals=1)


def _year_ticks(axes: Axes, years: Sequence[int], *, every: int = 1) -> None:
    shown = [y for y in years if (max(years) - y) % every == 0]
    axes.set_xticks(shown, [str(y) for y in shown])
    axes.grid(visible=False, axis="x")


def papi_dimension_figure(panel: PapiPanel | Finding, province: str, language: str) -> Figure | None:
    """Return eight small panels: a province among those published, 2018 on."""
    from matplotlib import pyplot as plt

    if isinstance(panel, Finding):
        return None
    years = [y for y in panel.years if y >= SINCE]
    if not years:
        return None
    shown = province
    with theme():
        drawing, grid = plt.subplots(4, 2, figsize=(TEXT_WIDTH, 6.2), sharex=True)
        for axes, column in zip(grid.flat, papi_facts().dimension_ids, strict=True):
            _dimension_panel(axes, panel.scores(column).loc[years], province, cuts(panel, column), language)
            axes.set_title(short(column, language), loc="left", fontsize=9)
            _mark_breaks(axes, years, language)
            _year_ticks(axes, years)
            axes.tick_params(labelsize=7.5)
        handles, labels = grid.flat[0].get_legend_handles_labels()
        labels = [shown if label == province else label for label in labels]
        drawing.legend(handles, labels, loc="outside lower center", ncols=3)
        return figure(
            drawing,
            id="fig-papi-dimensions",
            title=text("papi.title.figure_dimensions", language, province=shown, **_span(years)),
            alt=text("papi.alt.dimensions", language, province=shown),
            notes=notes(language, "broken"),
            **common(panel, language),
        )


def _dimension_panel(axes: Axes, table: pd.DataFrame, province: str, breaks: Sequence[int], language: str) -> None:
    years = [int(y) for y in table.index]
    parts = [(0, 100, _PALE, "range"), (25, 75, _MIDDLE, "quartiles")]
    for low, high, colour, name in parts:
        label: str | None = text(f"papi.figure.{name}", language)
        for year, values in zip(years, table.to_numpy(float), strict=True):
            known = values[np.isfinite(values)]
            if len(known):
                ends = np.percentile(known, [low, high])
                axes.bar(year, ends[1] - ends[0], bottom=ends[0], width=0.5, color=colour, linewidth=0, label=label)
                label = None
    own = table[province].to_numpy(float)
    _draw(axes, years, own, breaks, color=ESTIMATE, marker="o", markersize=4, linewidth=1.6, label=province)
    _score_axis(axes, language)


def _span(years: Sequence[int]) -> dict[str, str]:
    return {"first": str(years[0]), "last": str(years[-1])}


def papi_peers_figure(
    found: Peers | Finding | None, panel: PapiPanel | Finding, language: str, *, column: str = "dim5_procedures"
) -> Figure | None:
    """Return one dimension of a province and its peers by year, from the first year of the panel."""
    from matplotlib import pyplot as plt

    if not isinstance(found, Peers) or isinstance(panel, Finding):
        return None
    table = panel.scores(column).dropna(how="all")
    years = [int(y) for y in table.index]
    breaks = cuts(panel, column)
    shown = found.province
    with theme():
        drawing, axes = plt.subplots(figsize=(TEXT_WIDTH, 3.5))
        for place, peer in enumerate(found.names):
            label = text("papi.figure.peer", language) if place == 0 else None
            _draw(axes, years, table[peer], breaks, color=_MIDDLE, linewidth=1, marker=".", markersize=3, label=label)
        mean = table[list(found.names)].mean(axis=1)
        style: dict[str, Any] = {"color": REFERENCE, "linestyle": "--", "marker": "s", "markersize": 3}
        _draw(axes, years, mean, breaks, label=text("papi.figure.peer_mean", language), **style)
        _draw(axes, years, table[found.province], breaks, color=ESTIMATE, marker="o", markersize=4.5, label=shown)
        _finish(axes, years, language, label=text("papi.figure.score", language))
        drawing.legend(loc="outside lower center", ncols=3)
        names = {"province": shown, "dimension": name_of(column, language)}
        return figure(
            drawing,
            id="fig-papi-peers",
            title=text("papi.title.figure_peers", language, **names, **_span(years)),
            alt=text("papi.alt.peers", language, count=len(found.names), **names),
            notes=notes(language, "broken"),
            **common(panel, language),
        )


def _finish(axes: Axes, years: Sequence[int], language: str, *, label: str) -> None:
    _mark_breaks(axes, years, language)
    _year_ticks(axes, years)
    axes.set_ylabel(label)
    _score_axis(axes, language)


def papi_gap_figure(
    found: SyntheticControl | Finding | None, panel: PapiPanel | Finding, language: str
) -> Figure | None:
    """Return the gap to the mix by year, with the same gap of every other province behind it."""
    from matplotlib import pyplot as plt

    from sipas_research.levers.synthetic import placebo_gaps

    if not isinstance(found, SyntheticControl) or isinstance(panel, Finding):
        return None
    years, breaks = list(found.years), cuts(panel, found.outcome)
    shown = found.province
    others = placebo_gaps(found)
    with theme():
        drawing, axes = plt.subplots(figsize=(TEXT_WIDTH, 3.6))
        for place, gap in enumerate(others.values()):
            label = text("papi.figure.placebo", language) if place == 0 else None
            _draw(
                axes, years, gap, breaks, color=_MIDDLE, linewidth=0.6, marker=".", markersize=2, alpha=0.8, label=label
            )
        axes.axhline(0, color=REFERENCE, linewidth=0.9)
        _draw(axes, years, found.gap, breaks, color=ESTIMATE, marker="o", markersize=4.5, label=shown)
        _finish(axes, years, language, label=text("papi.figure.gap", language))
        drawing.legend(loc="outside lower center", ncols=2)
        names = {"province": shown, "dimension": name_of(found.outcome, language)}
        return figure(
            drawing,
            id="fig-papi-gap",
            title=text("papi.title.figure_gap", language, **names, **_span(years)),
            alt=text("papi.alt.gap", language, province=shown, count=len(others)),
            notes=notes(language, "no_policy", year=str(found.split_year)) + notes(language, "broken"),
            **common(panel, language),
        )


def papi_association_figure(
    found: ProvinceAssociation | Finding | None, panel: PapiPanel | Finding, language: str
) -> Figure | None:
    """Return the coefficients of each single year with intervals, a panel a predictor; years are not joined."""
    from matplotlib import pyplot as plt

    if not isinstance(found, ProvinceAssociation) or isinstance(panel, Finding):
        return None
    rows = [r for r in found.of("cross_section") if np.isfinite(r.estimate)]
    if not rows:
        return None
    years = sorted({int(r.period) for r in rows})
    with theme():
        drawing, grid = plt.subplots(1, len(found.predictors), figsize=(TEXT_WIDTH, 2.4), sharey=True, squeeze=False)
        for place, (axes, term) in enumerate(zip(grid.flat, found.predictors, strict=True)):
            for row in (r for r in rows if r.term == term):
                year = int(row.period)
                axes.plot([year, year], [row.conf_low, row.conf_high], color=GROUPS[place], linewidth=1.5)
                axes.plot([year], [row.estimate], color=GROUPS[place], marker="o", markersize=4.5)
            axes.axhline(0, color=REFERENCE, linewidth=0.9)
            axes.set_title(short(term, language), loc="left", fontsize=8.5)
            _mark_breaks(axes, years, language)
            _year_ticks(axes, years, every=2)
            number_axis(axes, language, which="y", decimals=1)
        grid[0, 0].set_ylabel(text("papi.figure.coefficient", language))
        return figure(
            drawing,
            id="fig-papi-association",
            title=text(
                "papi.title.figure_association", language, outcome=name_of(found.outcome, language), **_span(years)
            ),
            alt=text("papi.alt.association", language, count=len(found.predictors)),
            notes=notes(language, "caution"),
            **common(panel, language),
        )
