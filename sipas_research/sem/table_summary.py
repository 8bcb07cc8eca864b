"""A parameter table explained in words: what measures what, what is free, fixed, equal, or added by convention."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sipas_research.sem.text_columns import INDENT, Line, laid_out, width_of
from sipas_research.wording import number, text

if TYPE_CHECKING:
    from sipas_research.sem.parameter_table import ParameterTable, Row

_DECIMALS = 3
_NOT_FREE = -1


def table_summary(table: ParameterTable, language: str) -> str:
    """Return one line a parameter, group by group, then constraints and definitions.

    Parameters
    ----------
    table : ParameterTable
    language : {"vi", "en"}
    """
    head = text(
        "sem.table.head", language, observed=len(table.observed), latents=len(table.latents), free=table.size,
        groups=len(table.groups),
    )  # fmt: skip
    first: dict[int, Row] = {}
    lines: list[Line] = []
    for group, label in enumerate(table.groups):
        if len(table.groups) > 1:
            lines += [Line(), Line(f"[{label}]")]
        rows = [row for row in table.rows if row.group == group]
        explained = {row.rhs if row.op == "=~" else row.lhs for row in rows if row.op in ("=~", "~")}
        lines += [_line(row, explained, first, table, language) for row in rows]
    width = width_of(lines) + 2
    body = [f"{line.label.ljust(width)}{''.join(line.cells)}".rstrip() for line in lines]
    return "\n".join([head, *body, *laid_out(_relations(table, language), 0)])


def _line(row: Row, explained: set[str], first: dict[int, Row], table: ParameterTable, language: str) -> Line:
    label = f" ({row.label})" if row.label else ""
    name = _kind(row, explained)
    topic = "sem_ordinal" if row.op in ("|", "~*~") else "sem.table"
    kind = text(f"{topic}.{name}", language, lhs=row.lhs, rhs=row.rhs)
    added = "" if row.written else text("sem.table.added", language)
    return Line(f"{INDENT}{_name(row)}{label}", (f"{kind}; {_state(row, first, table, language)}{added}",))


def _name(row: Row) -> str:
    return f"{row.lhs} {row.op} {row.rhs}".rstrip()


def _kind(row: Row, explained: set[str]) -> str:
    if row.op in ("|", "~*~"):
        return "row_kind.threshold" if row.op == "|" else "row_kind.scale"
    if row.op == "~1":
        return "intercept" if row.lhs in explained else "mean"
    if row.op != "~~":
        return "loading" if row.op == "=~" else "path"
    kind = "variance" if row.lhs == row.rhs else "covariance"
    return f"residual_{kind}" if {row.lhs, row.rhs} <= explained else kind


def _state(row: Row, first: dict[int, Row], table: ParameterTable, language: str) -> str:
    """Return whether a row is estimated; one that equals an earlier row names it."""
    value = number(row.value, _DECIMALS, language)
    if row.free == _NOT_FREE:
        if row.exogenous and row.lhs not in table.predictors:
            return text("sem_ordinal.row_kind.follows", language)
        name = "exogenous" if row.exogenous else "fixed"
        return text(f"sem.table.state_{name}", language, **({} if row.exogenous else {"value": value}))
    earlier = first.setdefault(row.free, row)
    if earlier is not row:
        where = f" [{table.groups[earlier.group]}]" if earlier.group != row.group else ""
        return text("sem.table.state_shared", language, first=f"{_name(earlier)}{where}")
    if np.isfinite(row.value):
        return text("sem.table.state_started", language, value=value)
    return text("sem.table.state_free", language)


def _relations(table: ParameterTable, language: str) -> list[Line]:
    lines: list[Line] = []
    if table.constraints:
        lines.append(Line(text("sem.table.constraints", language)))
        lines += [Line(INDENT + constraint.text) for constraint in table.constraints]
    if table.definitions:
        lines.append(Line(text("sem.table.definitions", language)))
        lines += [Line(f"{INDENT}{each.name} := {each.text}") for each in table.definitions]
    return lines
