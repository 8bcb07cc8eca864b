"""Around the pattern matrix: total variance explained as in SPSS, adequacy by item, a second program's answer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sipas_research.factors.adequacy import Kmo
from sipas_research.factors.solution import FactorSolution
from sipas_research.report.cells import Absent
from sipas_research.report.display import Column, Finding, Table
from sipas_research.report.labels import item_codes, item_text, source_line
from sipas_research.results import DataKind, weakest
from sipas_research.survey.responses import Responses
from sipas_research.verification.factor_analyzer_models import Compared, FactorAnalyzerAgreement
from sipas_research.wording import number, text

#: Eigenvalues below one that still stand in the table: the step that Kaiser's rule cuts at can be seen.
_BELOW_ONE = 3
#: Differences smaller than this are rounding.
_ROUNDING = 1e-6


def _common(kind: DataKind, responses: Responses, language: str) -> dict[str, Any]:
    return {
        "language": language,
        "data_kind": weakest((kind, responses.data_kind)),
        "weighting": text("tables.common.unweighted", language),
        "source": source_line(responses, language),
    }


def variance_table(found: FactorSolution | Finding, responses: Responses, language: str) -> Table | Finding:
    """Return SPSS's "Total Variance Explained": eigenvalues, sums after extraction, sums after rotation.

    After an oblique rotation the sums of the last column are those of squared structure loadings, as in SPSS; they
    overlap and do not add up.
    """
    if isinstance(found, Finding):
        return found
    size, kept = len(found.items), len(found.factors)
    initial = found.eigenvalues
    # the unrotated factors in order of their sums, as SPSS prints them
    extracted = np.sort((found.extraction.loadings**2).sum(axis=0))[::-1]
    rotated = (found.structure.to_numpy() ** 2).sum(axis=0)
    shown = min(size, max(int((initial >= 1).sum()) + _BELOW_ONE, kept))
    rows = []
    for k in range(shown):
        row: list[object] = [str(k + 1), *_sums(initial, k, size)]
        row += [*_sums(extracted, k, size), float(rotated[k])] if k < kept else [""] * 4
        rows.append(tuple(row))
    names = {
        name: text(f"measurement_tables.variance.{name}", language)
        for name in ("initial", "share", "cumulative", "extracted", "rotated")
    }
    oblique = not np.allclose(found.rotated.factor_correlations, np.eye(kept), atol=1e-12, rtol=0)
    notes = [
        text("measurement_tables.variance.note_spss", language),
        *([text("measurement_tables.variance.note_oblique", language)] if oblique else []),
        text("measurement_tables.variance.note_convention", language),
        text("measurement_tables.variance.note_designed", language, factors=kept, above=int((initial >= 1).sum())),
    ]
    return Table(
        "tbl-variance",
        text("measurement_tables.variance.title", language),
        (
            Column("factor", text("measurement_tables.variance.factor", language), align="center"),
            Column("initial", names["initial"], "number3"),
            Column("initial_share", names["share"], "percent1"),
            Column("initial_cumulative", names["cumulative"], "percent1"),
            Column("extracted", names["extracted"], "number3", align="right"),
            Column("extracted_share", names["share"], "percent1", align="right"),
            Column("extracted_cumulative", names["cumulative"], "percent1", align="right"),
            Column("rotated", names["rotated"], "number3", align="right"),
        ),
        tuple(rows),
        n=found.n,
        notes=tuple(notes),
        **_common(found.data_kind, responses, language),
    )


def _sums(values: np.ndarray, place: int, size: int) -> tuple[float, float, float]:
    return float(values[place]), float(values[place] / size), float(values[: place + 1].sum() / size)


def item_adequacy_table(found: Kmo | Finding, responses: Responses, language: str) -> Table | None:
    """Return KMO of each question, and its largest anti-image correlation with the question it belongs to."""
    if isinstance(found, Finding):
        return None
    codes = item_codes(responses.questionnaire)
    partial = np.abs(found.adequacy.anti_image - np.eye(len(found.items)))
    rows = []
    for place, item in enumerate(found.items):
        other = int(np.argmax(partial[place]))
        rows.append(
            (
                codes[item],
                item_text(responses.questionnaire, item, language),
                float(found.adequacy.items[place]),
                float(found.adequacy.anti_image[place, other]),
                codes[found.items[other]],
            )
        )
    return Table(
        "tbl-adequacy-items",
        text("measurement_tables.adequacy.title", language),
        (
            Column("code", text("tables.common.item_code", language), width=0.085),
            Column("item", text("tables.common.item", language), width=0.465),
            Column("kmo", text("measurement_tables.adequacy.kmo", language), "number3", width=0.13),
            Column("anti_image", text("measurement_tables.adequacy.anti_image", language), "number3", width=0.18),
            Column("other", text("measurement_tables.adequacy.other", language), align="center", width=0.14),
        ),
        tuple(rows),
        n=found.n,
        notes=(
            text("measurement_tables.adequacy.note_spss", language),
            text("measurement_tables.adequacy.note_convention", language),
        ),
        **_common(found.data_kind, responses, language),
    )


def efa_agreement_table(
    found: FactorAnalyzerAgreement | Finding, responses: Responses, language: str
) -> Table | Finding:
    """Return the same factor analysis by factor_analyzer, quantity by quantity."""
    if isinstance(found, Finding):
        return found
    rows = tuple(_compared(row, language) for row in found.compared)
    return Table(
        "tbl-efa-agreement",
        text("measurement_tables.agreement.title", language),
        (
            Column("quantity", text("measurement_tables.agreement.quantity", language), width=0.4),
            Column("difference", text("measurement_tables.agreement.difference", language), align="right", width=0.19),
            Column("tolerance", text("measurement_tables.agreement.tolerance", language), align="right", width=0.17),
            Column("verdict", text("measurement_tables.agreement.verdict", language), width=0.24),
        ),
        rows,
        n=found.n,
        notes=(
            text(
                "measurement_tables.agreement.note",
                language,
                method=text(f"factors.method.{found.method}", language),
                rotation=text(f"factors.rotation.{found.rotation}", language),
            ),
        ),
        **_common(found.data_kind, responses, language),
    )


def _compared(row: Compared, language: str) -> tuple[object, ...]:
    name = text(f"efa.agreement.{row.quantity}", language)
    if not math.isfinite(row.difference):
        return (name, *[Absent(text(row.note or "tables.common.not_computed", language))] * 3)
    verdict = text(f"measurement_tables.agreement.{'agrees' if row.agrees else 'differs'}", language)
    if row.note:
        verdict = text("measurement_tables.agreement.with_reason", language, verdict=verdict,
                       reason=text(row.note, language))  # fmt: skip
    return (name, _small(row.difference, language), _small(row.tolerance, language, exact=True), verdict)


def _small(value: float, language: str, *, exact: bool = False) -> str:
    """Return a small number with as many decimals as it needs, "<0,000001" where only rounding is left."""
    if not exact and value < _ROUNDING:
        return "<" + number(_ROUNDING, 6, language)
    return number(value, 6 if not exact else max(3, math.ceil(-math.log10(value))), language)
