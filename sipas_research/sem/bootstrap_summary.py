"""A bootstrap as text: what was drawn, what failed, intervals of regressions and definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from sipas_research.sem.text_columns import INDENT, Line, laid_out, width_of
from sipas_research.wording import number, percent, text

if TYPE_CHECKING:
    from sipas_research.sem.bootstrap import Bootstrap, Interval

_COLUMNS = ("estimate", "std_error", "conf_low", "conf_high", "std_all", "std_all_low", "std_all_high")
_DECIMALS = 3


def bootstrap_summary(found: Bootstrap, language: str, ci: Interval) -> str:
    """Return the summary in one language."""
    level = found.fit.options.level
    decimals = 0 if abs(100 * level % 1) < 1e-9 else 1
    head = [
        text(
            f"sem_bootstrap.summary.{found.by}", language, draws=number(len(found.draws), 0, language),
            units=number(sum(len(each) for each in found.units.strata), 0, language), seed=str(found.seed),
        ),
        text(f"sem_bootstrap.summary.{ci}", language, level=percent(level, language, decimals)),
    ]  # fmt: skip
    head += [
        text(f"sem_bootstrap.summary.failed_{reason}", language, count=number(count, 0, language))
        for reason, count in found.failures.items()
    ]
    if not found.failed:
        head.append(text("sem_bootstrap.summary.none_failed", language))
    if found.improper:
        head.append(text("sem_bootstrap.summary.improper", language, count=number(found.improper, 0, language)))
    tidy = found.tidy(ci)
    lines: list[Line] = []
    for section, op in (("regressions", "~"), ("definitions", ":=")):
        part = tidy[tidy["op"] == op]
        if len(part):
            lines += [Line(), Line(text(f"sem_bootstrap.summary.{section}", language)), _heading(language)]
            lines += [_line(row, language) for row in part.to_dict("records")]
    return "\n".join([*head, *laid_out(lines, width_of(lines) + 1)])


def _heading(language: str) -> Line:
    return Line("", tuple(text(f"sem_bootstrap.column.{name}", language) for name in _COLUMNS))


def _line(row: dict[str, object], language: str) -> Line:
    group = f" [{row['group']}]" if row["group"] else ""
    label = str(row["lhs"]) if row["op"] == ":=" else f"{row['lhs']} ~ {row['rhs']}"
    cells = tuple("" if pd.isna(row[name]) else number(float(str(row[name])), _DECIMALS, language) for name in _COLUMNS)
    return Line(f"{INDENT}{label}{group}", cells)
