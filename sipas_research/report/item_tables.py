"""What was answered: descriptives of each question and stacked bars of the answers."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pandas as pd

from sipas_research.numerics.disclosure import MINIMUM_CELL
from sipas_research.report.cells import Absent, Suppressed
from sipas_research.report.display import Column, Figure, Table
from sipas_research.report.figures import figure
from sipas_research.report.labels import item_codes, item_text, scale_name, source_line, survey_id, survey_name
from sipas_research.report.theme import TEXT_WIDTH, likert_colours, percent_axis, theme
from sipas_research.survey.description import Description
from sipas_research.survey.questionnaire import Question, Questionnaire
from sipas_research.survey.responses import Responses
from sipas_research.wording import percent, text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROLES = ("factor", "lever", "overall")
_LABEL_SHARE = 0.07
#: Inches: a panel's title, its legend, one bar, and the panels of a figure: two figures and their captions fill a page.
_TITLE_HEIGHT, _LEGEND_HEIGHT, _BAR_HEIGHT, _FIGURE_HEIGHT = 0.26, 0.18, 0.19, 4.2


def items_table(description: Description, responses: Responses, language: str) -> Table:
    """Return n, missing answers, mean, SD, skewness, kurtosis and share of high answers, one row a question."""
    found = description.tidy()
    codes = item_codes(responses.questionnaire)
    rows = [
        _item_row(row, codes[row["term"]], responses.questionnaire, language)
        for row in found.loc[found["level"] == "item"].to_dict("records")
    ]
    five = all(q.valid_codes == (1, 2, 3, 4, 5) for q in responses.questionnaire.items())
    label = "satisfied" if five else "satisfied_top"
    notes = [
        text("tables.items.note_scale" if five else "tables.items.note_moments", language),
        *turned_note("common", found["term"], responses, language),
    ]
    if not five:
        notes.append(text("tables.items.note_top", language))
    if found["note"].eq("description.note.lopsided").any():
        notes.append(text("description.note.lopsided", language))
    return Table(
        f"tbl-items-{survey_id(responses)}",
        text("tables.items.title", language, survey=survey_name(responses, language)),
        (
            Column("code", text("tables.common.item_code", language), width=0.075),
            Column("item", text("tables.common.item", language), width=0.365),
            Column("n", "n", "integer", width=0.08),
            Column("missing", text("tables.common.missing", language), "integer", width=0.08),
            Column("mean", text("tables.common.mean", language), "number2", width=0.08),
            Column("sd", text("tables.common.sd", language), "number2", width=0.08),
            Column("skewness", text("tables.common.skewness", language), "number2", width=0.08),
            Column("kurtosis", text("tables.common.kurtosis", language), "number2", width=0.08),
            Column("satisfied", text(f"tables.common.{label}", language), "percent1", width=0.08),
        ),
        tuple(rows),
        language=language,
        data_kind=responses.data_kind,
        n=description.n if description.n >= MINIMUM_CELL else None,
        weighting=text("tables.common.unweighted", language),
        source=source_line(responses, language),
        notes=tuple(notes),
    )


def _item_row(row: dict[Any, Any], code: str, questionnaire: Questionnaire, language: str) -> tuple[Any, ...]:
    head = (code, item_text(questionnaire, row["term"], language))
    if row["suppressed"]:
        return (*head, *[Suppressed()] * 7)
    values = [row[name] for name in ("estimate", "sd", "skewness", "kurtosis", "share_satisfied")]
    if row["note"]:
        reason = text(row["note"], language)
        values = [Absent(reason) if pd.isna(v) else v for v in values]
    return (*head, int(row["n"]), int(row["missing"]), *values)


def likert_figures(description: Description, responses: Responses, language: str) -> tuple[Figure, ...]:
    """Return one figure of stacked bars for each role of scale (factors, levers, overall) that has answers."""
    shares = description.answer_shares()
    shares = shares.loc[shares["level"] == "item"]
    sizes = shares.groupby("scale")["term"].nunique().to_dict()
    figures = []
    for role in _ROLES:
        scales = [s for s in responses.questionnaire.scale_ids(role) if s in sizes]  # type: ignore[arg-type]
        parts = _pages(scales, sizes)
        for number, part in enumerate(parts, start=1):
            label = f"{number}/{len(parts)}" if len(parts) > 1 else ""
            picked = shares.loc[shares["scale"].isin(part)]
            figures.append(_likert(picked, part, role, responses, language, part=label))
    return tuple(figures)


def _height(items: int) -> float:
    """Inches that one scale's panel takes with a legend of its own."""
    return _TITLE_HEIGHT + _LEGEND_HEIGHT + _BAR_HEIGHT * items


def _pages(scales: list[str], sizes: dict[Any, int]) -> list[list[str]]:
    """Split scales into figures of about half a page, in order."""
    pages: list[list[str]] = []
    for scale in scales:
        used = sum(_height(sizes[s]) for s in pages[-1]) if pages else _FIGURE_HEIGHT
        if used + _height(sizes[scale]) > _FIGURE_HEIGHT:
            pages.append([])
        pages[-1].append(scale)
    return pages


def _likert(
    shares: pd.DataFrame, scales: list[str], role: str, responses: Responses, language: str, *, part: str
) -> Figure:
    from matplotlib import pyplot as plt

    sizes = [shares.loc[shares["scale"] == s, "term"].nunique() for s in scales]
    one_legend = len({tuple(sorted(set(shares.loc[shares["scale"] == s, "codes"]))) for s in scales}) == 1
    saved = _LEGEND_HEIGHT * (len(scales) - 1) if one_legend else 0.0
    height = 0.25 + sum(_height(k) for k in sizes) - saved
    with theme():
        drawing, axes = plt.subplots(len(scales), 1, figsize=(TEXT_WIDTH, height), height_ratios=sizes, squeeze=False)
        for place, scale in enumerate(scales):
            legend = place == 0 or not one_legend
            _panel(axes[place, 0], shares.loc[shares["scale"] == scale], scale, responses, language, legend=legend)
            axes[place, 0].tick_params(labelbottom=place == len(scales) - 1)
        merged = any(len(codes) > 1 for codes in shares["codes"])
        name = text(f"tables.likert.role_{role}", language) + (f" ({part})" if part else "")
        return figure(
            drawing,
            id=f"fig-likert-{survey_id(responses)}-{role}" + (f"-{part[0]}" if part else ""),
            title=text("tables.likert.title", language, scale=name),
            alt=text("tables.likert.alt", language, count=sum(sizes), scale=name),
            language=language,
            data_kind=responses.data_kind,
            n=len(responses),
            weighting=text("tables.common.unweighted", language),
            source=source_line(responses, language),
            notes=_likert_notes(list(dict.fromkeys(shares["term"])), merged, responses, language),
        )


def turned_note(table: str, items: Iterable[str], responses: Responses, language: str) -> tuple[str, ...]:
    """Name the questions worded in reverse, whose scores are turned in tables and not in figures of answers."""
    codes = item_codes(responses.questionnaire)
    turned = [codes[i] for i in items if i in codes and responses.questionnaire.question(i).direction == -1]
    return (text(f"tables.{table}.turned", language, codes=", ".join(turned)),) if turned else ()


def _likert_notes(items: list[str], merged: bool, responses: Responses, language: str) -> tuple[str, ...]:
    """Say what the lowest and the highest answer are called, what is merged and what is worded in reverse."""
    notes = [text("tables.likert.merged", language)] if merged else []
    ends = {_ends(responses.questionnaire.question(item), language) for item in items}
    if len(ends) == 1 and (named := ends.pop()):
        fields = dict(zip(("low", "low_label", "high", "high_label"), named, strict=True))
        notes.insert(0, text("tables.likert.ends", language, **fields))
    return (*notes, *turned_note("likert", items, responses, language))


def _ends(question: Question, language: str) -> tuple[str, ...]:
    """Return code and label of the lowest and the highest answer; nothing where the labels are bare codes."""
    labels = {a.code: a.label(language).strip() for a in question.answers if not a.missing}
    low, high = min(question.valid_codes), max(question.valid_codes)
    if labels.get(low, "") in {"", str(low)} or labels.get(high, "") in {"", str(high)}:
        return ()
    return (str(low), labels[low], str(high), labels[high])


def _panel(axes: Axes, shares: pd.DataFrame, scale: str, responses: Responses, language: str, *, legend: bool) -> None:
    codes = item_codes(responses.questionnaire)
    items = list(dict.fromkeys(shares["term"]))
    answers = sorted({c for i in items for c in responses.questionnaire.question(i).valid_codes})
    colours = likert_colours(len(answers))
    left = [0.0] * len(items)
    groups = sorted(set(shares["codes"]))
    for group in groups:
        colour = colours[answers.index(group[len(group) // 2])]
        widths = shares.loc[[c == group for c in shares["codes"]]].set_index("term")["estimate"]
        values = [float(widths.get(i, 0.0)) for i in items]
        axes.barh(range(len(items)), values, left=left, color=colour, height=0.72, label=_legend(group, language))
        for place, value in enumerate(values):
            if value >= _LABEL_SHARE:
                _write_share(axes, left[place] + value / 2, place, percent(value, language, 0), colour)
            left[place] += value
    axes.set_yticks(range(len(items)), [codes[i] for i in items])
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    percent_axis(axes, language)
    axes.grid(visible=False, axis="y")
    title = textwrap.shorten(scale_name(responses.questionnaire, scale, language), 80, placeholder="…")
    axes.set_title(title, loc="left", fontsize=9, fontweight="bold", pad=16 if legend else 3)
    if legend:
        _place_legend(axes, len(groups))


def _write_share(axes: Axes, x: float, y: float, share: str, colour: str) -> None:
    ink = "white" if _dark(colour) else "black"
    axes.text(x, y, share, ha="center", va="center", fontsize=7.5, color=ink, zorder=60)  # above the mark


def _place_legend(axes: Axes, columns: int) -> None:
    axes.legend(
        ncols=columns,
        fontsize=7.5,
        handlelength=1.0,
        columnspacing=1.0,
        loc="lower left",
        bbox_to_anchor=(0.0, 0.97),
        borderaxespad=0,
    )


def _legend(group: tuple[int, ...], language: str) -> str:
    codes = str(group[0]) if len(group) == 1 else f"{group[0]}–{group[-1]}"
    return text("tables.likert.level", language, codes=codes)


def _dark(colour: str) -> bool:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue < 140
