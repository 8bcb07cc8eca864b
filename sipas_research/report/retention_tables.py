"""How many factors: nine criteria side by side, the scree with its references, the eigenvalues behind both."""

from __future__ import annotations

from typing import Any

import numpy as np

from sipas_research.factors.retention import FactorRetention
from sipas_research.report.cells import Absent
from sipas_research.report.display import Column, Figure, Finding, Table
from sipas_research.report.figures import figure
from sipas_research.report.labels import source_line
from sipas_research.report.theme import ESTIMATE, GROUPS, REFERENCE, TEXT_WIDTH, number_axis, theme
from sipas_research.survey.responses import Responses
from sipas_research.wording import integer, percent, text

#: Eigenvalues shown after the last one that any criterion keeps.
_BEYOND = 3


def _common(found: FactorRetention, responses: Responses, language: str) -> dict[str, Any]:
    return {
        "language": language,
        "data_kind": found.data_kind,
        "n": found.n,
        "weighting": text("tables.common.unweighted", language),
        "source": source_line(responses, language),
    }


def retention_table(
    found: FactorRetention | Finding, responses: Responses, language: str, *, designed: int | None = None
) -> Table | Finding:
    """Return what each criterion suggests, who proposed it and how it errs; no criterion is called the right one.

    Parameters
    ----------
    found : FactorRetention or Finding
    responses : Responses
    language : {"vi", "en"}
    designed : int, optional
        Factors of the questionnaire's design, for a last row.
    """
    if isinstance(found, Finding):
        return found
    rows: list[tuple[object, ...]] = [
        (
            text(f"retention.criterion.{made.criterion}", language),
            Absent(text("measurement_tables.retention.no_answer", language))
            if made.n_factors is None
            else made.n_factors,
            _cited(made.reference, language),
            _sentence(text(f"retention.tendency.{made.criterion}", language)),
        )
        for made in found.suggestions
    ]
    if designed is not None:
        design = (text(f"measurement_tables.retention.{key}", language) for key in ("design_by", "design_errs"))
        rows.append((text("measurement_tables.retention.design", language), designed, *design))
    parallel = text(
        "measurement_tables.retention.note_parallel",
        language,
        draws=integer(found.parallel_pca.draws, language),
        level=percent(found.parallel_pca.level, language, 0),
    )
    return Table(
        "tbl-retention",
        text("measurement_tables.retention.title", language),
        (
            Column("criterion", text("measurement_tables.retention.criterion", language), width=0.31),
            Column("factors", text("measurement_tables.retention.factors", language), "integer", width=0.09),
            Column("by", text("measurement_tables.retention.by", language), width=0.2),
            Column("errs", text("measurement_tables.retention.errs", language), width=0.4),
        ),
        tuple(rows),
        notes=(text("measurement_tables.retention.note_choice", language), parallel),
        total_rows=(len(rows) - 1,) if designed is not None else (),
        **_common(found, responses, language),
    )


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _cited(reference: str, language: str) -> str:
    return reference.replace("et al.", text("measurement_tables.retention.others", language))


def _shown(found: FactorRetention) -> int:
    most = max(made.n_factors or 0 for made in found.suggestions)
    return min(len(found.eigenvalues), most + _BEYOND)


def parallel_table(found: FactorRetention | Finding, responses: Responses, language: str) -> Table | None:
    """Return observed eigenvalues beside what unrelated answers would give, for components and principal axes."""
    if isinstance(found, Finding):
        return None
    axes = found.parallel_paf
    columns = (
        found.eigenvalues,
        found.parallel_pca.random_quantile,
        found.empirical_kaiser,
        axes.eigenvalues,
        axes.random_quantile,
    )
    level = percent(found.parallel_pca.level, language, 0)
    names = ("eigenvalue", "random", "empirical", "reduced", "random_reduced")
    return Table(
        "tbl-parallel",
        text("measurement_tables.parallel.title", language),
        (
            Column("order", text("measurement_tables.parallel.order", language), align="center"),
            *[
                Column(name, text(f"measurement_tables.parallel.{name}", language, level=level), "number3")
                if name.startswith("random")
                else Column(name, text(f"measurement_tables.parallel.{name}", language), "number3")
                for name in names
            ],
        ),
        tuple((str(k + 1), *[float(values[k]) for values in columns]) for k in range(_shown(found))),
        notes=(text("measurement_tables.parallel.note", language),),
        **_common(found, responses, language),
    )


def retention_figure(found: FactorRetention | Finding, responses: Responses, language: str) -> Figure | None:
    """Return the scree with Kaiser's line and the eigenvalues of unrelated answers; nothing without eigenvalues."""
    from matplotlib import pyplot as plt

    if isinstance(found, Finding):
        return None
    values, random = found.eigenvalues, found.parallel_pca.random_quantile
    level = percent(found.parallel_pca.level, language, 0)
    order = np.arange(1, len(values) + 1)
    with theme():
        drawing, axes = plt.subplots(figsize=(TEXT_WIDTH, 2.9))
        axes.plot(order, values, "o-", markersize=4, color=ESTIMATE, label=_label("observed", language))
        axes.plot(order, random, "s--", markersize=3, linewidth=1, color=GROUPS[1],
                  label=_label("random", language, level=level))  # fmt: skip
        axes.axhline(1.0, color=REFERENCE, linestyle=":", linewidth=1, label=_label("kaiser", language))
        axes.set_xlabel(text("measurement_tables.parallel.axis_order", language))
        axes.set_ylabel(text("measurement_tables.parallel.axis_value", language))
        axes.set_xticks(range(1, len(values) + 1, 1 + len(values) // 15))
        axes.legend(loc="upper right", frameon=False, fontsize=8)
        number_axis(axes, language, which="x")
        number_axis(axes, language, which="y", decimals=1)
        return figure(
            drawing,
            id="fig-scree",
            title=text("measurement_tables.parallel.figure_title", language),
            alt=text(
                "measurement_tables.parallel.alt",
                language,
                count=len(values),
                above=int((values >= 1).sum()),
                kept=found.parallel_pca.n_factors,
            ),
            notes=(text("measurement_tables.parallel.figure_note", language),),
            **_common(found, responses, language),
        )


def _label(name: str, language: str, **fields: object) -> str:
    return text(f"measurement_tables.parallel.line_{name}", language, **fields)
