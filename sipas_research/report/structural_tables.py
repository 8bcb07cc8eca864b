"""The lever model: paths in the form of theses and with robust intervals, explained shares, indirect associations."""

from __future__ import annotations

from typing import Any

from sipas_research.report.coefficient_tables import (
    PATHS,
    Record,
    standardized_coefficients_table,
    unstandardized_table,
)
from sipas_research.report.display import Column, Finding, Table
from sipas_research.report.fit_notes import clear, common, label, solution_notes
from sipas_research.report.model_sentences import inline
from sipas_research.report.model_tables import interval_label
from sipas_research.sem.questionnaire_models import INDIRECT, TOTAL
from sipas_research.sem.result import SemFit
from sipas_research.survey.responses import Responses
from sipas_research.wording import text


def path_table(fit: SemFit | Finding, responses: Responses, language: str) -> Table | Finding:
    """Return estimate, S.E., C.R., P and the standardised estimate of each path, as AMOS prints them.

    Parameters
    ----------
    fit : SemFit or Finding
        By plain maximum likelihood. A finding is handed back.
    """
    if isinstance(fit, Finding):
        return fit
    return unstandardized_table(
        fit,
        responses,
        language,
        relations=PATHS,
        name="tbl-lever-paths",
        title="sem_tables.paths.title",
        notes=["sem_tables.paths.note_association", "sem_tables.loadings.note_columns"],
    )


def standardized_paths_table(fit: SemFit | Finding, responses: Responses, language: str) -> Table | None:
    """Return standardised paths with robust errors, P and intervals; nothing without a fit."""
    if isinstance(fit, Finding):
        return None

    def notes(found: list[Record]) -> list[str]:
        beyond = sum(clear(row["conf_low"], row["conf_high"]) for row in found)
        return [
            text("sem_tables.paths.note_association", language),
            text("sem_tables.paths.note_clear", language, clear=beyond, all=len(found)),
            text("sem_tables.standard.note_delta", language),
        ]

    return standardized_coefficients_table(
        fit,
        responses,
        language,
        relations=PATHS,
        name="tbl-lever-standardized",
        title="sem_tables.paths.standard_title",
        notes=notes,
        last=(Column("p", text("sem_tables.column.p", language), "p", width=0.1), lambda row: float(row["p_value"])),
    )


def explained_table(fit: SemFit | Finding, responses: Responses, language: str) -> Table | None:
    """Return R2 of each latent variable that others explain; nothing without a fit."""
    if isinstance(fit, Finding):
        return None
    outcomes = {row["lhs"] for row in PATHS.of(fit.tidy().to_dict("records"))}
    shares = [row for row in fit.r2().to_dict("records") if row["variable"] in outcomes]
    rows = [(label(row["variable"], responses, language), float(row["r2"])) for row in shares]
    return Table(
        "tbl-lever-r2",
        text("sem_tables.r2.title", language),
        (
            Column("variable", text("sem_tables.column.variable", language), width=0.7),
            Column("r2", text("sem_tables.column.r2", language), "number3", width=0.3),
        ),
        tuple(rows),
        n=fit.n,
        notes=(text("sem_tables.r2.note", language),),
        **common(fit, responses, language),
    )


def indirect_table(fit: SemFit | Finding, responses: Responses, language: str) -> Table | None:
    """Return, for each lever, what leads to overall satisfaction by way of each factor, of all, directly, in total.

    Parameters
    ----------
    fit : SemFit or Finding
        Of the text that ``sr.lever_model`` writes. Nothing without a fit, or where it defines no products.
    """
    if isinstance(fit, Finding):
        return None
    found = _lever_rows(fit, responses, language)
    if found is None:
        return None
    outcome, rows, bold = found
    return Table(
        "tbl-lever-indirect",
        text("sem_tables.indirect.title", language, outcome=inline(label(outcome, responses, language))),
        (
            Column("lever", text("sem_tables.indirect.lever", language), width=0.19),
            Column("way", text("sem_tables.indirect.way", language), width=0.25),
            Column("estimate", text("sem_tables.indirect.estimate", language), "number3", width=0.1),
            Column("std_error", text("sem_tables.column.robust_error", language), "number3", width=0.09),
            Column("p", text("sem_tables.column.p", language), "p", width=0.08),
            Column("interval", interval_label(fit.options.level, language), "interval3", width=0.19),
            Column("std", text("sem_tables.indirect.std", language), "number3", width=0.1),
        ),
        tuple(rows),
        n=fit.n,
        notes=(
            text("sem_tables.indirect.note_product", language),
            text("sem_tables.indirect.note_delta", language),
            *solution_notes(fit, responses, language),
        ),
        total_rows=bold,
        **common(fit, responses, language),
    )


Cells = tuple[Any, ...]


def _lever_rows(fit: SemFit, responses: Responses, language: str) -> tuple[str, list[Cells], tuple[int, ...]] | None:
    """Return the outcome, the rows of each lever, and which rows are totals; nothing where none is defined."""
    standard = fit.standardized().to_dict("records")
    pairs = list(zip(fit.tidy().to_dict("records"), standard, strict=True))
    named = {raw["lhs"]: (raw, std) for raw, std in pairs if raw["op"] == ":="}
    straight = {(raw["lhs"], raw["rhs"]): (raw, std) for raw, std in pairs if raw["op"] == "~"}
    levers = [name.removeprefix(f"{TOTAL}.") for name in named if name.startswith(f"{TOTAL}.")]
    outcomes = {outcome for outcome, _ in straight if outcome in responses.scale_items("overall")}
    if not levers or len(outcomes) != 1:
        return None
    outcome = outcomes.pop()
    rows: list[Cells] = []
    for lever in levers:
        begin = f"{INDIRECT}.{lever}"
        ways = [
            (label(n.removeprefix(f"{begin}."), responses, language), n) for n in named if n.startswith(f"{begin}.")
        ]
        block = [(way, *_numbers(*named[name])) for way, name in ways]
        block.append((text("sem_tables.indirect.all_ways", language), *_numbers(*named[begin])))
        block.append((text("sem_tables.indirect.direct", language), *_numbers(*straight[outcome, lever])))
        block.append((text("sem_tables.indirect.total", language), *_numbers(*named[f"{TOTAL}.{lever}"])))
        rows += [(label(lever, responses, language), *cells) for cells in block]
    size = len(rows) // len(levers)
    return outcome, rows, tuple(range(size - 1, len(rows), size))


def _numbers(raw: dict[Any, Any], std: dict[Any, Any]) -> Cells:
    ends = (float(raw["conf_low"]), float(raw["conf_high"]))
    return float(raw["estimate"]), float(raw["std_error"]), float(raw["p_value"]), ends, float(std["estimate"])
