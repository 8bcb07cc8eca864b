"""The log of item screening, and what it did to the scales."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from sipas_research.factors.screening_result import Screening, ScreeningRound
from sipas_research.report.cells import Absent
from sipas_research.report.display import Column, Finding, Table
from sipas_research.report.labels import item_codes, scale_name, source_line, survey_id, survey_name
from sipas_research.report.measurement_tables import efa_table
from sipas_research.survey.responses import Responses
from sipas_research.wording import number, percent, text


def _common(found: Screening, responses: Responses, language: str) -> dict[str, Any]:
    return {
        "language": language,
        "data_kind": found.data_kind,
        "weighting": text("tables.common.unweighted", language),
        "source": source_line(responses, language),
    }


def _change(before: float, after: float, decimals: int, language: str) -> str | Absent:
    if not (math.isfinite(before) or math.isfinite(after)):
        return Absent(text("tables.common.not_computed", language))
    ends = {"before": number(before, decimals, language), "after": number(after, decimals, language)}
    return text("screening.table.change", language, **ends)


def screening_table(found: Screening | Finding, responses: Responses, language: str) -> Table | Finding:
    """Return the log, one row a line; a sentence where no item was ever in question."""
    if isinstance(found, Finding):
        return found
    lines = [line for line in found.rounds if line.action != "stopped"]
    if not lines:
        name = survey_name(responses, language)
        name = name[:1].upper() + name[1:]
        sentence = text("screening.table.none_of", language, survey=name, n=found.before.n)
        return Finding(f"screening-{survey_id(responses)}", sentence, language, found.data_kind)
    return Table(
        f"tbl-screening-{survey_id(responses)}",
        text("screening.table.log_title", language, survey=survey_name(responses, language)),
        (
            Column("round", text("screening.table.round", language), "integer", width=0.08),
            Column("step", text("screening.table.step", language)),
            Column("item", text("screening.table.item", language), align="center"),
            Column("rule", text("screening.table.rule", language), width=0.26),
            Column("value", text("screening.table.value", language), "number3"),
            Column("action", text("screening.table.action", language)),
            Column("alpha", text("screening.table.alpha", language), align="right"),
            Column("kmo", text("screening.table.kmo", language), align="right"),
        ),
        tuple(_line(line, found, responses, language) for line in lines),
        n=found.before.n,
        notes=_log_notes(found, lines, language),
        **_common(found, responses, language),
    )


def _line(line: ScreeningRound, found: Screening, responses: Responses, language: str) -> tuple[object, ...]:
    code = item_codes(responses.questionnaire)[line.item]
    step, action = (text(f"screening.{k}.{v}", language) for k, v in (("step", line.step), ("action", line.action)))
    if line.step == "entry":
        absent = Absent(text(line.note, language))
        return (line.round, step, code, text(line.note, language), absent, action, absent, absent)
    rule = next(r for r in found.rules if r.name == line.rule)
    return (
        line.round,
        step,
        code,
        rule.label(language),
        line.value,
        action,
        _change(line.before.alpha, line.after.alpha, 3, language),
        _change(line.before.kmo, line.after.kmo, 3, language),
    )


def _log_notes(found: Screening, lines: list[ScreeningRound], language: str) -> tuple[str, ...]:
    notes = [
        text("screening.table.note_rule", language, rule=rule.label(language), source=rule.source(language))
        for rule in found.rules
    ]
    notes.append(
        text(
            "screening.table.note_factors",
            language,
            method=text(f"factors.method.{found.method}", language),
            rotation=text(f"factors.rotation.{found.rotation}", language),
            factors=found.n_factors,
        )
    )
    if (found.method, found.rotation) == ("pa", "promax_spss"):
        notes.append(text("screening.table.note_spss", language))
    if any(line.action == "kept" for line in lines):
        notes.append(text("screening.table.note_kept", language))
    notes += [text(line.note, language) for line in found.rounds if line.action == "stopped"]
    notes.append(text("screening.summary.convention", language))
    return tuple(notes)


def screening_effects_table(found: Screening | Finding, responses: Responses, language: str) -> Table | None:
    """Return each scale before and after; the last column comes from forms that the rules did not see, if there are.

    Nothing where no item was deleted.
    """
    if isinstance(found, Finding) or not found.deleted:
        return None
    held_out = found.after.sample == "holdout"
    rows = []
    for row in found.effects().to_dict("records"):
        alphas = [row["alpha_before"], row["alpha_same_forms"], *([row["alpha_after"]] if held_out else [])]
        rows.append(
            (
                scale_name(responses.questionnaire, row["term"], language),
                int(row["n_items_before"]),
                int(row["n_items"]),
                *[a if math.isfinite(a) else Absent(text("tables.common.not_computed", language)) for a in alphas],
            )
        )
    return Table(
        f"tbl-screening-effects-{survey_id(responses)}",
        text("screening.table.effects_title", language, survey=survey_name(responses, language)),
        (
            Column("scale", text("tables.common.scale", language), width=0.34),
            Column("items_before", text("screening.table.items_before", language), "integer"),
            Column("items_after", text("screening.table.items_after", language), "integer"),
            Column("alpha_before", text("screening.table.alpha_before", language), "number3"),
            Column("alpha_same", text("screening.table.alpha_same", language), "number3"),
            *([Column("alpha_after", text("screening.table.alpha_after", language), "number3")] if held_out else []),
        ),
        tuple(rows),
        n=found.n,
        notes=(
            text(f"screening.sample.{found.after.sample}", language, n=found.after.n),
            *([text(found.note, language)] if found.note else []),
            text(
                "screening.table.adequacy",
                language,
                kmo_before=number(found.before.kmo, 3, language),
                kmo_after=number(found.after.kmo, 3, language),
                explained_before=percent(found.before.explained, language, 1),
                explained_after=percent(found.after.explained, language, 1),
            ),
        ),
        **_common(found, responses, language),
    )


def screened_loadings_table(found: Screening | Finding, responses: Responses, language: str) -> Table | None:
    """Return the pattern matrix of the items that are left, from forms that the rules did not see where there are.

    Nothing where no item was deleted or there is no solution.
    """
    if isinstance(found, Finding) or not found.deleted or found.after.solution is None:
        return None
    sample = text(f"screening.sample.{found.after.sample}", language, n=found.after.n)
    table = efa_table(
        found.after.solution, responses, language, name=f"screened-{survey_id(responses)}", notes=(sample,)
    )
    if table is None:
        return None
    return replace(table, title=text("measurement_tables.efa.title_screened", language, title=table.title))
