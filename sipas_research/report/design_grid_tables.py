"""One model with and without the sampling design in a table, and how many conclusions depend on it."""

from __future__ import annotations

from sipas_research.numerics.disclosure import MINIMUM_CELL
from sipas_research.report.design_limits import design_title
from sipas_research.report.display import Finding, Table
from sipas_research.report.estimator_grid_tables import (
    coefficient_columns,
    coefficient_rows,
    dependent_rows,
    way_name,
    ways_left_out,
)
from sipas_research.report.fit_tables import model_name
from sipas_research.report.group_tables import fact_label
from sipas_research.report.labels import source_line
from sipas_research.sem.estimator_grid import EstimatorGrid
from sipas_research.sem.moments import shown
from sipas_research.survey.responses import Responses
from sipas_research.wording import percent, text


def design_grid_table(grid: EstimatorGrid | Finding, name: str, responses: Responses, language: str) -> Table | Finding:
    """Return each standardised coefficient by use of the sampling design; conclusions that depend on it are in bold.

    Parameters
    ----------
    grid : EstimatorGrid or Finding
        From ``sr.design_grid``. A finding is handed back.
    name : {"cfa", "levers"}
    """
    if isinstance(grid, Finding):
        return grid
    weighted = any(fit.options.weights for fit in grid.fits.values())
    kinds = {cells[0].op for cells in grid.relations}
    notes = [_word("note_all", language), _word("note_star", language, level=percent(grid.level, language, 0))]
    notes += [text("estimator_grid.table.note_loading", language)] if kinds & {"=~", "~~"} else []
    notes += [text("estimator_grid.table.note_path", language)] if kinds & {"~", ":="} else []
    return Table(
        f"tbl-designs-{name}",
        design_title(name, language),
        coefficient_columns(grid, language, 0.16),
        coefficient_rows(grid, responses, language, reach=True),
        language,
        grid.data_kind,
        n=max(fit.n for fit in grid.fits.values()),
        weighting=_word("by_column", language) if weighted else text("tables.common.unweighted", language),
        source=source_line(responses, language),
        notes=(
            *notes,
            *_columns_used(grid, responses, language),
            *_few_clusters(grid, language),
            *_fewer_forms(grid, language),
            *ways_left_out(grid, responses, language),
        ),
        total_rows=dependent_rows(grid),
    )


def design_findings(
    grid: EstimatorGrid | Finding, name: str, responses: Responses, language: str
) -> tuple[Finding, ...]:
    """Return how many conclusions depend on the sampling design."""
    if isinstance(grid, Finding):
        return ()
    key = "one" if len(grid.fits) == 1 else "depends" if grid.dependent else "same"
    sentence = text(
        f"design_grid.finding.{key}",
        language,
        model=model_name(name, language),
        ways="; ".join(_begun_small(way_name(grid, way, language)) for way in grid.fits),
        dependent=len(grid.dependent),
        all=len(grid.relations),
    )
    return (Finding(f"finding-designs-{name}", sentence, language, grid.data_kind),)


def _word(key: str, language: str, **fields: object) -> str:
    return text(f"design_grid.table.{key}", language, **fields)


def _begun_small(words: str) -> str:
    return words[:1].lower() + words[1:]


def _columns_used(grid: EstimatorGrid, responses: Responses, language: str) -> list[str]:
    """Return which columns the ways used, how many clusters there are, and what each way takes for granted."""
    fits = list(grid.fits.values())
    clustered = [fit for fit in fits if fit.options.cluster is not None]
    counts = list(dict.fromkeys(fit.sample.n_clusters for fit in clustered))
    found = [_word("note_rows", language)] if "rows" in grid.fits else []
    if clustered:
        column = _column(str(clustered[0].options.cluster), responses, language)
        said = {"clusters": "; ".join(map(str, counts)), "df": "; ".join(str(count - 1) for count in counts)}
        found.append(_word("note_clusters", language, column=column, **said))
    weighted = next((fit.options.weights for fit in fits if fit.options.weights is not None), None)
    if weighted is not None:
        found.append(_word("note_weights", language, column=_column(weighted, responses, language)))
    return found


def _column(name: str, responses: Responses, language: str) -> str:
    known = {question.id for question in responses.questionnaire.questions}
    return fact_label(name, responses, language).rstrip("?") if name in known else name


def _few_clusters(grid: EstimatorGrid, language: str) -> list[str]:
    """Return what cannot be trusted where there are no more clusters than parameters."""
    few = grid.few_clusters
    if few is None:
        return []
    return [_word("note_few", language, clusters=few.sample.n_clusters, parameters=few.parameters)]


def _fewer_forms(grid: EstimatorGrid, language: str) -> list[str]:
    """Return how many forms a way leaves out because a cell of the design is empty."""
    most = max(fit.n for fit in grid.fits.values())
    left = {way: most - fit.n for way, fit in grid.fits.items() if fit.n < most}
    return [
        _word(
            "note_fewer",
            language,
            way=way_name(grid, way, language),
            dropped=count if count >= MINIMUM_CELL else shown(count),
        )
        for way, count in left.items()
    ]
