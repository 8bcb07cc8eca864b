"""The lower half of a summary: parameters by section, explained variance, definitions, constraints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sipas_research.sem.parameter_table import FIXED, Row
from sipas_research.sem.syntax import Constraint
from sipas_research.sem.text_columns import INDENT, Line
from sipas_research.wording import number, p_value, text

if TYPE_CHECKING:
    from sipas_research.sem.result import SemFit

COLUMNS = ("estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high", "std_lv", "std_all")
#: Columns that show a test or an interval: empty where nothing was estimated.
_OF_TESTS = ("std_error", "statistic", "p_value", "p_t", "conf_low", "conf_high")
_DECIMALS = 3
#: Sections of a group in the order of lavaan's summary, and the rows that they hold.
_SECTIONS = ("loadings", "regressions", "covariances", "intercepts", "thresholds", "variances", "scales")
_KINDS = {"=~": "loadings", "~": "regressions", "~1": "intercepts", "|": "thresholds", "~*~": "scales"}


def parameter_lines(fit: SemFit, language: str) -> list[Line]:
    """Return all parameters, group by group, with R² of each group, then definitions and constraints."""
    tidy = _shown(fit)
    labels = _labels(fit)
    lines: list[Line] = []
    explained = fit.r2()
    for group, name in enumerate(fit.table.groups):
        if len(fit.table.groups) > 1:
            lines += [Line(), Line(), Line(text("sem_summary.section.group", language, number=group + 1, label=name))]
        places = [k for k, row in enumerate(fit.table.rows) if row.group == group and _worth(fit, row)]
        for section in _SECTIONS:
            lines += _section(fit, tidy, [k for k in places if _section_of(fit.table.rows[k]) == section], section,
                              labels, language)  # fmt: skip
        own = explained[explained["group"] == name]
        if len(own):
            lines += [Line(), _title("r2", language), _columns(("estimate",), language)]
            cells = [(number(value, _DECIMALS, language),) for value in own["r2"]]
            lines += [Line(INDENT * 2 + item, cell) for item, cell in zip(own["variable"], cells, strict=True)]
    return [*lines, *_defined(fit, tidy, language), *_constraints(fit, language)]


def _shown(fit: SemFit) -> pd.DataFrame:
    """Return the columns that are shown; with clusters the p-value of Student's t stands beside that of z."""
    tidy = fit.tidy()
    shown = tidy[list(COLUMNS)].copy()
    if fit.sample.n_clusters:
        shown.insert(COLUMNS.index("p_value") + 1, "p_t", fit.tidy(reference="t")["p_value"])
    return shown


def _worth(fit: SemFit, row: Row) -> bool:
    """Return whether a row is shown: not the moments of predictors, nor what is zero or one for any ordered item."""
    if not fit.options.categorical:
        return not row.exogenous
    usual = row.free == FIXED and not row.written
    return not (row.exogenous and row.lhs in fit.table.predictors) and not (usual and row.op in ("~1", "~*~"))


def _section_of(row: Row) -> str:
    if row.op == "~~":
        return "variances" if row.lhs == row.rhs else "covariances"
    return _KINDS[row.op]


def _section(
    fit: SemFit, tidy: pd.DataFrame, places: Sequence[int], section: str, labels: Sequence[str], language: str
) -> Iterator[Line]:
    if not places:
        return
    rows = fit.table.rows
    explained = _explained(fit, rows[places[0]].group)
    yield from (Line(), _title(section, language), _columns(list(tidy), language))
    heading = ""
    nested = section in ("loadings", "regressions", "covariances", "thresholds")
    for k in places:
        row = rows[k]
        dotted = section not in ("loadings", "regressions", "thresholds", "scales")
        left, right = (f".{name}" if dotted and name in explained else name for name in (row.lhs, row.rhs))
        if nested and heading != row.lhs:
            heading = row.lhs
            yield Line(f"{INDENT}{left} {row.op}")
        name = right if nested else left
        label = f"  ({labels[k]})" if labels[k] else ""
        start = INDENT * 2
        yield Line(f"{start[:-1] if name[0] == '.' else start}{name}{label}", _cells(tidy, k, language))


def _explained(fit: SemFit, group: int) -> set[str]:
    paths = [row for row in fit.table.rows if row.group == group and row.op in ("=~", "~")]
    return {row.rhs if row.op == "=~" else row.lhs for row in paths}


def _labels(fit: SemFit) -> list[str]:
    """Return the user's label of each row; rows that are equal without one are named after the first of them."""
    rows = fit.table.rows
    first: dict[int, int] = {}
    count: dict[int, int] = {}
    for k, row in enumerate(rows):
        if row.free != FIXED:
            first.setdefault(row.free, k)
            count[row.free] = count.get(row.free, 0) + 1
    return [row.label or (f".p{first[row.free] + 1}." if count.get(row.free, 0) > 1 else "") for row in rows]


def _cells(tidy: pd.DataFrame, place: int, language: str) -> tuple[str, ...]:
    """Return the numbers of a row; tests and intervals stay empty where nothing was estimated."""
    row = tidy.iloc[place]
    tested = np.isnan(row["std_error"]) or row["std_error"] > 0
    cells = []
    for name in row.index:
        if not tested and name in _OF_TESTS:
            cells.append("")
        elif name in ("p_value", "p_t"):
            cells.append(p_value(row[name], language))
        else:
            cells.append(number(row[name], _DECIMALS, language))
    return tuple(cells)


def _defined(fit: SemFit, tidy: pd.DataFrame, language: str) -> list[Line]:
    definitions = fit.restrictions.definitions
    if not definitions:
        return []
    start = len(fit.table.rows)
    lines = [Line(), _title("defined", language), _columns(list(tidy), language)]
    names = [definition.name for definition in definitions]
    return lines + [Line(INDENT * 2 + name, _cells(tidy, start + k, language)) for k, name in enumerate(names)]


def _constraints(fit: SemFit, language: str) -> list[Line]:
    given: tuple[Constraint, ...] = (*fit.restrictions.equal, *fit.restrictions.bounds)
    if not given:
        return []
    slack = np.abs(fit.restrictions.gaps(given, fit.theta)[0])
    if fit.withheld is not None:
        slack[[fit.withheld.touches(each) for each in given]] = np.nan
    lines = [Line(), _title("constraints", language), _columns(("slack",), language)]
    active = {id(constraint) for constraint in fit.optimum.active}
    for constraint, left in zip(given, slack, strict=True):
        lines.append(Line(INDENT * 2 + constraint.text, (number(float(left), _DECIMALS, language),)))
        if id(constraint) in active:
            lines.append(Line(INDENT * 3 + text("sem_summary.note.active", language)))
    return lines


def _title(name: str, language: str) -> Line:
    topic = "sem_ordinal" if name in ("thresholds", "scales") else "sem_summary"
    return Line(text(f"{topic}.section.{name}", language))


def _columns(names: Sequence[str], language: str) -> Line:
    topics = {"p_t": "sem_design"}
    return Line(INDENT, tuple(text(f"{topics.get(name, 'sem_summary')}.column.{name}", language) for name in names))
