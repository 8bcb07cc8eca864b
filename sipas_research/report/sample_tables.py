"""Is the sample large enough by the rules that councils cite, and where the scales' means lie."""

from __future__ import annotations

import math
from typing import Any

from sipas_research.evidence.arithmetic import large_population_size
from sipas_research.numerics.disclosure import MINIMUM_CELL
from sipas_research.report.cells import Absent, Suppressed
from sipas_research.report.display import Column, Table
from sipas_research.report.item_tables import turned_note
from sipas_research.report.labels import scale_name, source_line, survey_id, survey_name
from sipas_research.survey.description import Description
from sipas_research.survey.questionnaire import Question
from sipas_research.survey.responses import Responses
from sipas_research.wording import number, text

#: Hoelter's (1983) size for a structural equation model.
_SEM = 200
#: Half-width that Yamane's formula is used with.
_ERROR = 0.05


def sample_size_table(responses: Responses, language: str) -> Table:
    """Return what usual rules of thumb ask for beside the forms analysed; who proposed each, and where it fails."""
    scales = responses.scale_items()
    items = sum(map(len, scales.values()))
    # overall satisfaction is what a regression explains
    predictors = sum(responses.questionnaire.scale(s).role != "overall" for s in scales)
    rules: list[tuple[str, int, dict[str, object]]] = [
        ("per_item", 5 * items, {"items": items}),
        ("regression", 50 + 8 * predictors, {"predictors": predictors}),
        ("sem", _SEM, {}),
        ("yamane", math.ceil(large_population_size(_ERROR)), {}),
    ]
    have = len(responses)
    rows = []
    for name, needed, fields in rules:
        said: tuple[Any, ...] = (
            have,
            text(f"survey_quality.sample.{'met' if have >= needed else 'not_met'}", language),
        )
        rows.append(
            (
                text(f"survey_quality.sample.{name}", language, **fields),
                needed,
                *(said if have >= MINIMUM_CELL else (Suppressed(), Suppressed())),
                text(f"survey_quality.sample.source_{name}", language),
            )
        )
    return Table(
        f"tbl-sample-size-{survey_id(responses)}",
        text("survey_quality.sample.title", language, survey=survey_name(responses, language)),
        (
            Column("rule", text("survey_quality.sample.rule", language), width=0.38),
            Column("needed", text("survey_quality.sample.needed", language), "integer", width=0.11),
            Column("have", text("survey_quality.sample.have", language), "integer", width=0.13),
            Column("verdict", text("survey_quality.sample.verdict", language), align="center", width=0.12),
            Column("source", text("survey_quality.sample.source", language), width=0.26),
        ),
        tuple(rows),
        language=language,
        data_kind=responses.data_kind,
        source=source_line(responses, language),
        notes=(
            text("survey_quality.sample.note_convention", language),
            *[text(f"survey_quality.sample.limit_{name}", language) for name, _, _ in rules],
        ),
    )


def scale_means_table(description: Description, responses: Responses, language: str) -> Table | None:
    """Return questions, forms, mean, SD, skewness, kurtosis and band of each scale; nothing where there is no scale."""
    found = description.tidy()
    found = found.loc[found["level"] == "scale"]
    if found.empty:
        return None
    scales = responses.scale_items()
    rows = [_scale_row(row, scales.get(row["term"], ()), responses, language) for row in found.to_dict("records")]
    items = [responses.questionnaire.question(i) for ids in scales.values() for i in ids]
    notes = [text("survey_quality.scales.note_score", language)]
    codes = {q.valid_codes for q in items}
    if len(codes) == 1:
        bounds = [number(bound, 2, language) for bound in _bounds(next(iter(codes)))]
        notes.append(text("survey_quality.scales.note_band", language, bounds=" – ".join(bounds)))
    notes += turned_note("common", [i for ids in scales.values() for i in ids], responses, language)
    return Table(
        f"tbl-scale-means-{survey_id(responses)}",
        text("survey_quality.scales.title", language, survey=survey_name(responses, language)),
        (
            Column("scale", text("tables.common.scale", language), width=0.28),
            Column("items", text("survey_quality.scales.items", language), "integer", width=0.07),
            Column("n", "n", "integer", width=0.08),
            Column("mean", text("tables.common.mean", language), "number2", width=0.08),
            Column("sd", text("tables.common.sd", language), "number2", width=0.08),
            Column("skewness", text("tables.common.skewness", language), "number2", width=0.09),
            Column("kurtosis", text("tables.common.kurtosis", language), "number2", width=0.09),
            Column("band", text("survey_quality.scales.band", language), width=0.23),
        ),
        tuple(rows),
        language=language,
        data_kind=responses.data_kind,
        n=description.n if description.n >= MINIMUM_CELL else None,
        weighting=text("tables.common.unweighted", language),
        source=source_line(responses, language),
        notes=tuple(notes),
    )


def _scale_row(row: dict[Any, Any], items: tuple[str, ...], responses: Responses, language: str) -> tuple[Any, ...]:
    head = (scale_name(responses.questionnaire, row["term"], language), len(items))
    if row["suppressed"]:
        return (*head, *[Suppressed()] * 6)
    absent = Absent(text(row["note"] or "tables.common.not_computed", language))
    values = [row[name] for name in ("estimate", "sd", "skewness", "kurtosis")]
    cells = [value if math.isfinite(value) else absent for value in values]
    questions = [responses.questionnaire.question(item) for item in items]
    band = _band(row["estimate"], questions, language) if math.isfinite(row["estimate"]) else absent
    return (*head, int(row["n"]), *cells, band)


def _bounds(codes: tuple[int, ...]) -> list[float]:
    """Return the ends of bands of equal width, one band a code."""
    width = (codes[-1] - codes[0]) / len(codes)
    return [codes[0] + width * place for place in range(len(codes) + 1)]


def _band(mean: float, questions: list[Question], language: str) -> str:
    """Return the band that a mean lies in, with the answer's words where all questions share them."""
    codes = {q.valid_codes for q in questions}
    if len(codes) != 1:
        return ""
    bounds = _bounds(next(iter(codes)))
    # 1.00-1.80, 1.81-2.60 and so on: a bound belongs to the band below, at the two digits that are printed
    place = next((k for k, end in enumerate(bounds[1:]) if round(mean, 2) <= end + 1e-9), len(bounds) - 2)
    low, high = (number(bounds[place + end], 2, language) for end in (0, 1))
    labels = {next(a.label(language) for a in q.answers if a.code == q.valid_codes[place]).strip() for q in questions}
    label = labels.pop() if len(labels) == 1 else ""
    if not label or label == str(questions[0].valid_codes[place]):
        return text("survey_quality.scales.range_only", language, low=low, high=high)
    return text("survey_quality.scales.band_range", language, label=label, low=low, high=high)
