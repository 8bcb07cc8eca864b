"""Measurement invariance for councils: which groups can be compared, steps, tests, the convention's verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sipas_research.errors import AnalysisError
from sipas_research.report.cells import Absent
from sipas_research.report.display import Column, Finding, Table
from sipas_research.report.fit_notes import common
from sipas_research.report.group_tables import fact_label, group_label
from sipas_research.report.labels import attempt
from sipas_research.sem.invariance import Invariance, InvarianceStep
from sipas_research.survey.responses import Responses
from sipas_research.wording import number, text

#: Complete forms a group needs: with fewer, chi-square and the changes of indices mislead more than they tell.
LEAST_GROUP = 100
_USUAL = ("respondent_type", "sex", "channel")
_MOST_FACTS = 2
_MOST_GROUPS = 8


def invariance_facts(responses: Responses) -> tuple[str, ...]:
    """Return the characteristics by which invariance is tested: at most two with two groups that are large enough.

    Kind of respondent, sex and channel come first, then others with few answers; sensitive ones never. Empty where
    no characteristic has such groups.
    """
    known = {q.id for q in responses.questionnaire.facts() if q.kind == "category" and q.personal != "sensitive"}
    others = [q.id for q in responses.questionnaire.facts() if q.id in known and q.id not in _USUAL]
    asked = [name for name in (*_USUAL, *others) if name in known and responses.has(name)]
    facts = [name for name in asked if responses.frame[name].nunique() <= _MOST_GROUPS]
    return tuple([name for name in facts if len(_large(responses, name)) > 1][:_MOST_FACTS])


def large_groups(responses: Responses, fact: str) -> Responses:
    """Return the forms of the groups with at least ``LEAST_GROUP`` complete forms; every table says so.

    Raises
    ------
    AnalysisError
        If fewer than two groups are left.
    """
    large = _large(responses, fact)
    if len(large) < 2:
        raise AnalysisError("sem_tables.error.no_groups", least=LEAST_GROUP)
    frame = responses.frame
    kept = frame[frame[fact].isin(large)].copy()
    return replace(responses, frame=kept)


def _large(responses: Responses, fact: str) -> list[Any]:
    items = [item for ids in responses.scale_items("factor").values() for item in ids]
    complete = responses.frame[items].notna().all(axis=1)
    sizes = responses.frame.loc[complete, fact].value_counts(sort=False)
    return sorted(sizes.index[sizes >= LEAST_GROUP].tolist())


def invariance_tables(
    found: Sequence[Invariance | Finding], responses: Responses, language: str
) -> tuple[Table | Finding, ...]:
    """Return a table for each characteristic, or why there is none."""
    if found:
        return tuple(invariance_table(each, responses, language) for each in found)
    return (attempt(_no_groups, "invariance", responses, language),)


def _no_groups() -> Table:
    raise AnalysisError("sem_tables.error.no_groups", least=LEAST_GROUP)


def invariance_table(found: Invariance | Finding, responses: Responses, language: str) -> Table | Finding:
    """Return the steps from configural to strict: chi-square differences with P, changes of indices, verdict.

    Parameters
    ----------
    found : Invariance or Finding
        Of :func:`large_groups`; a finding is handed back.
    responses : Responses
        All forms, for the names of groups that were too small.
    """
    if isinstance(found, Finding):
        return found
    first = found.fits[0]
    rows = [_row(step, language) for step in found.steps]
    fact = fact_label(found.group, responses, language).rstrip("?")
    name = "".join(c if c.isalnum() else "-" for c in found.group.casefold()).strip("-")
    return Table(
        f"tbl-invariance-{name}",
        text("sem_tables.invariance.title", language, fact=fact),
        (
            Column("step", text("sem_tables.invariance.step", language), width=0.145),
            Column("chisq", text("sem_tables.invariance.chisq", language), "number2", width=0.085),
            Column("df", text("sem_tables.invariance.df", language), "integer", width=0.045),
            Column("chisq_diff", text("sem_tables.invariance.chisq_diff", language), "number2", width=0.075),
            Column("df_diff", text("sem_tables.invariance.df_diff", language), "integer", width=0.055),
            Column("p", text("sem_tables.invariance.p", language), "p", width=0.075),
            Column("cfi", text("sem_tables.invariance.cfi", language), "number3", width=0.07),
            Column("delta_cfi", text("sem_tables.invariance.delta_cfi", language), "number3", width=0.085),
            Column("delta_rmsea", text("sem_tables.invariance.delta_rmsea", language), "number3", width=0.125),
            Column("delta_srmr", text("sem_tables.invariance.delta_srmr", language), "number3", width=0.11),
            Column("verdict", text("sem_tables.invariance.verdict", language), width=0.13),
        ),
        tuple(rows),
        n=first.n,
        notes=_notes(found, responses, language),
        **common(first, responses, language),
    )


def _row(step: InvarianceStep, language: str) -> tuple[Any, ...]:
    row = step.row
    key = "first_step" if step.verdict == "baseline" else "no_difference"
    absent = Absent(text(f"sem_tables.invariance.{key}", language))

    def cell(value: float) -> float | Absent:
        return float(value) if math.isfinite(value) else absent

    scaled = row.chisq_scaled if math.isfinite(row.chisq_scaled) else row.chisq
    df_diff = int(row.df_diff) if math.isfinite(row.df_diff) else absent
    changes = (row.delta_cfi, row.delta_rmsea, row.delta_srmr)
    return (
        text(f"sem_tables.invariance.{row.model}", language),
        scaled,
        row.df,
        cell(row.chisq_diff),
        df_diff,
        cell(row.p_value),
        row.cfi,
        *[cell(value) for value in changes],
        text(f"sem_tables.invariance.{step.verdict}", language),
    )


def _notes(found: Invariance, responses: Responses, language: str) -> tuple[str, ...]:
    sizes = {group.label: group.n for group in found.fits[0].samples}
    named = [
        text(
            "sem_tables.invariance.group_size",
            language,
            group=group_label(found.group, group, responses, language),
            n=size,
        )
        for group, size in sizes.items()
    ]
    notes = [text("sem_tables.invariance.note_groups", language, groups="; ".join(named))]
    seen = responses.frame[found.group].dropna().unique()
    small = [str(value) for value in sorted(seen) if str(value) not in sizes]
    if small:
        groups = "; ".join(group_label(found.group, group, responses, language) for group in small)
        notes.append(text("sem_tables.invariance.note_left_out", language, least=LEAST_GROUP, groups=groups))
    notes.append(text("sem_tables.invariance.note_reading", language))
    if found.indices == "robust":
        used = dict.fromkeys(step.row.method for step in found.steps if step.row.method)
        methods = "; ".join(text(f"sem_comparison.method.{method}", language) for method in used)
        notes += [text("sem_tables.invariance.note_scaled", language, methods=methods)] if methods else []
    notes += _rule(found, language)
    trouble = {code for step in found.steps for code in step.row.note.split("; ") if code}
    return (*notes, *[text(f"sem_comparison.note.{code}", language) for code in sorted(trouble)])


def _rule(found: Invariance, language: str) -> list[str]:
    """Return the convention with the limits in force."""
    last, metric = found.steps[-1].limits, [step.limits for step in found.steps if step.row.model == "metric"]
    fields = {name: number(getattr(last, name), 3, language) for name in ("cfi", "rmsea", "srmr")}
    fields["srmr_loadings"] = number(metric[0].srmr if metric else last.srmr, 3, language)
    said = [text(f"sem_tables.invariance.note_rule_{found.rule}", language, **fields)]
    return said + ([text("sem_tables.invariance.note_strict", language)] if last.variant == "small_unequal" else [])


def reached(found: Invariance, language: str) -> str:
    """Return the last step that holds, in words; "" where not even equal loadings hold."""
    if found.conclusion == found.steps[0].row.model:
        return ""
    return text(f"sem_comparison.step.{found.conclusion}", language)
