"""One model by several estimators in tables: fit, coefficients, and how many conclusions depend on the choice."""

from __future__ import annotations

import math
from typing import Any

from sipas_research.report.cells import Absent
from sipas_research.report.display import Column, Finding, Table
from sipas_research.report.fit_notes import arrow, label
from sipas_research.report.fit_tables import model_name
from sipas_research.report.labels import source_line, spoken
from sipas_research.sem.estimator_grid import LIMITS, EstimatorGrid, GridCell, differ
from sipas_research.sem.questionnaire_models import INDIRECT, TOTAL
from sipas_research.survey.responses import Responses
from sipas_research.wording import integer, number, percent, text


def estimator_fit_table(
    grid: EstimatorGrid | Finding, name: str, responses: Responses, language: str
) -> Table | Finding:
    """Return measures of fit by estimator, and whether all lie on the same side of their limits.

    Parameters
    ----------
    grid : EstimatorGrid or Finding
        A finding is handed back.
    name : {"cfa", "levers"}
    """
    if isinstance(grid, Finding):
        return grid
    forms = [integer(fit.n, language) for fit in grid.fits.values()]
    rows: list[tuple[Any, ...]] = [(_word("forms", language), *forms, "", "")]
    for measure, (limit, above) in LIMITS.items():
        cells = [cell for cell in grid.fit_cells if cell.measure == measure]
        known = {cell.passes for cell in cells if math.isfinite(cell.value)}
        side = _word("at_least" if above else "at_most", language, limit=number(limit, 2, language))
        values = [_value(cell.value, language) for cell in cells]
        verdict = _word("depends" if len(known) > 1 else "same", language)
        rows.append((text(f"sem_tables.fit.{measure}", language), *values, side, verdict))
    columns = [
        *_way_columns(grid, language, 0.66),
        Column("limit", _word("limit", language), align="right", width=0.1),
        Column("verdict", _word("verdict", language), width=0.24),
    ]
    columns[0] = Column("measure", _word("measure", language), width=columns[0].width)
    return Table(
        f"tbl-estimator-fit-{name}",
        _word("fit_title", language, model=model_name(name, language)),
        tuple(columns),
        tuple(rows),
        notes=(_word("note_ways", language), _word("note_fit", language), *ways_left_out(grid, responses, language)),
        **_common(grid, responses, language),
    )


def estimator_grid_table(
    grid: EstimatorGrid | Finding, name: str, responses: Responses, language: str
) -> Table | Finding:
    """Return each standardised coefficient by estimator; conclusions that depend on the choice are marked in bold."""
    if isinstance(grid, Finding):
        return grid
    level = percent(grid.level, language, 0)
    kinds = {cells[0].op for cells in grid.relations}
    notes = [_word("note_star", language, level=level)]
    notes += [_word("note_loading", language)] if kinds & {"=~", "~~"} else []
    notes += [_word("note_path", language)] if kinds & {"~", ":="} else []
    return Table(
        f"tbl-estimators-{name}",
        _word("title", language, model=model_name(name, language)),
        coefficient_columns(grid, language),
        coefficient_rows(grid, responses, language),
        notes=(*notes, _word("note_ways", language), *ways_left_out(grid, responses, language)),
        total_rows=dependent_rows(grid),
        **_common(grid, responses, language),
    )


def estimator_findings(
    grid: EstimatorGrid | Finding, name: str, responses: Responses, language: str
) -> tuple[Finding, ...]:
    """Return how many conclusions depend on the estimator."""
    if isinstance(grid, Finding):
        return ()
    dependent = len(grid.dependent)
    key = "one" if len(grid.fits) == 1 else "depends" if dependent else "same"
    sentence = text(
        f"estimator_grid.finding.{key}",
        language,
        model=model_name(name, language),
        ways="; ".join(way_name(grid, way, language) for way in grid.fits),
        dependent=dependent,
        all=len(grid.relations),
    )
    return (Finding(f"finding-estimators-{name}", sentence, language, grid.data_kind),)


def _word(key: str, language: str, **fields: object) -> str:
    return text(f"estimator_grid.table.{key}", language, **fields)


def way_name(grid: EstimatorGrid, way: str, language: str) -> str:
    """Return what a way is called at the head of a column."""
    return text(f"{grid.choice}_grid.way.{way}", language)


def coefficient_columns(grid: EstimatorGrid, language: str, verdict: float = 0.22) -> tuple[Column, ...]:
    """Return relation, one column a way, conclusion; the last takes the given share of the page."""
    last = Column("verdict", _word("verdict", language), width=verdict)
    return (*_way_columns(grid, language, 1.0 - verdict), last)


def coefficient_rows(
    grid: EstimatorGrid, responses: Responses, language: str, *, reach: bool = False
) -> tuple[tuple[Any, ...], ...]:
    """Return one row a relation, a star where the interval does not contain zero.

    With ``reach`` half the width of the interval stands beside each coefficient.
    """
    said = {False: _word("same", language), True: text(f"{grid.choice}_grid.table.depends", language)}
    absent = text(f"{grid.choice}_grid.table.absent", language)
    return tuple(
        (
            _relation(cells[0], responses, language),
            *[_coefficient(cell, absent, language, reach=reach) for cell in cells],
            said[differ(cells)],
        )
        for cells in grid.relations
    )


def dependent_rows(grid: EstimatorGrid) -> tuple[int, ...]:
    """Return the rows whose conclusion depends on the way."""
    return tuple(k for k, cells in enumerate(grid.relations) if differ(cells))


def _way_columns(grid: EstimatorGrid, language: str, width: float) -> list[Column]:
    """Return the first column and one a way, in a share of the page."""
    first = 0.4 * width if len(grid.fits) > 2 else 0.6 * width
    each = (width - first) / len(grid.fits)
    ways = [
        Column(f"way{k}", way_name(grid, way, language), align="right", width=each) for k, way in enumerate(grid.fits)
    ]
    return [Column("relation", _word("relation", language), width=first), *ways]


def _value(value: float, language: str) -> str | Absent:
    return number(value, 3, language) if math.isfinite(value) else Absent(_word("absent", language))


def _coefficient(cell: GridCell, absent: str, language: str, *, reach: bool) -> str | Absent:
    if not cell.conclusion:
        return Absent(absent)
    away = cell.conf_low > 0 or cell.conf_high < 0
    half = f"±{number((cell.conf_high - cell.conf_low) / 2, 3, language)}" if reach else ""
    return number(cell.estimate, 3, language) + half + ("*" if away else "")


def _relation(cell: GridCell, responses: Responses, language: str) -> str:
    if cell.op == "=~":
        return arrow(cell.rhs, cell.lhs, responses, language)
    if cell.op == "~":
        return arrow(cell.lhs, cell.rhs, responses, language)
    if cell.op == "~~":
        return " ↔ ".join(label(end, responses, language) for end in (cell.lhs, cell.rhs))
    kind, *parts = cell.lhs.split(".")
    if kind in (INDIRECT, TOTAL) and parts:
        names = " → ".join(label(part, responses, language) for part in parts)
        return _word(kind, language, names=names)
    return cell.lhs


def ways_left_out(grid: EstimatorGrid, responses: Responses, language: str) -> list[str]:
    """Return why a way is missing."""
    said = {way: spoken(error, responses.questionnaire, language) for way, error in grid.reasons.items()}
    return [
        text(f"{grid.choice}_grid.table.without", language, way=way_name(grid, way, language), reason=reason)
        for way, reason in said.items()
    ]


def _common(grid: EstimatorGrid, responses: Responses, language: str) -> dict[str, Any]:
    designed = any(fit.options.weights for fit in grid.fits.values())
    return {
        "language": language,
        "data_kind": grid.data_kind,
        "n": max(fit.n for fit in grid.fits.values()),
        "weighting": text(f"tables.common.{'weighted' if designed else 'unweighted'}", language),
        "source": source_line(responses, language),
    }
