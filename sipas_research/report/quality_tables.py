"""Signs of careless answering in tables: over all forms, by agency, over collectors without naming one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sipas_research.report.cells import Absent, Suppressed
from sipas_research.report.display import Column, Finding, Table
from sipas_research.report.labels import in_words, source_line, survey_id, survey_name
from sipas_research.results import DataKind
from sipas_research.survey.quality_result import ResponseQuality, SignCount, Spread, rule_label
from sipas_research.survey.rerun import Rerun
from sipas_research.survey.responses import Responses
from sipas_research.wording import integer, number, percent, text

#: Analyses that chapters run again.
_ANALYSES = ("means", "alpha")


def _common(kind: DataKind, responses: Responses, language: str) -> dict[str, Any]:
    return {
        "language": language,
        "data_kind": kind,
        "weighting": text("tables.common.unweighted", language),
        "source": source_line(responses, language),
    }


def _counts(count: SignCount, language: str) -> tuple[object, ...]:
    if count.suppressed:
        return (Suppressed(),) * 3
    if count.note:
        return (Absent(text(count.note, language)),) * 3
    return (int(count.n), int(count.marked), count.share)


def response_signs_table(found: ResponseQuality | Finding, responses: Responses, language: str) -> Table | Finding:
    """Return each sign over all forms, and the forms with several; cut-offs with who proposed them and their limits."""
    if isinstance(found, Finding):
        return found
    labels = [rule_label(count.rule, count.bar, language) for count in found.counts]
    labels = [label[:1].upper() + label[1:] for label in labels]
    rows = [(label, *_counts(count, language)) for label, count in zip(labels, found.counts, strict=True)]
    last = text("response_quality.table.suspects", language, signs=found.at_least)
    rows.append((last, *_counts(found.suspects, language)))
    notes = [
        text(
            "response_quality.table.convention",
            language,
            sign=label,
            source=text(f"response_quality.source.{count.rule}", language),
            limit=text(f"response_quality.limit.{count.rule}", language),
        )
        for label, count in zip(labels, found.counts, strict=True)
    ]
    return Table(
        f"tbl-response-signs-{survey_id(responses)}",
        text("response_quality.table.signs_title", language, survey=survey_name(responses, language)),
        (
            Column("sign", text("response_quality.table.sign", language), width=0.49),
            Column("checked", text("response_quality.table.checked", language), "integer", width=0.17),
            Column("marked", text("response_quality.table.marked", language), "integer", width=0.17),
            Column("share", text("response_quality.table.share", language), "percent1", width=0.17),
        ),
        tuple(rows),
        n=found.n,
        notes=(*notes, text("response_quality.table.note_convention", language)),
        total_rows=(len(rows) - 1,),
        **_common(found.data_kind, responses, language),
    )


def suspects_table(found: ResponseQuality | Finding, responses: Responses, language: str) -> Table | Finding | None:
    """Return suspects by agency; a sentence where no number but zero may be shown, nothing without agencies."""
    if isinstance(found, Finding) or not found.agencies:
        return None
    if not any(row.suspects > 0 for row in found.agencies):
        return _reason("suspects", "survey_quality.finding.no_agency_shown", found, responses, language)
    rows = [
        (
            responses.agencies.name(row.group, language),
            int(row.n) if math.isfinite(row.n) else Suppressed(),
            *((Suppressed(), Suppressed()) if row.suppressed else (int(row.suspects), row.share)),
        )
        for row in found.agencies
    ]
    return Table(
        f"tbl-suspects-{survey_id(responses)}",
        text("response_quality.table.agencies_title", language, survey=survey_name(responses, language)),
        (
            Column("agency", text("tables.common.agency", language), width=0.46),
            Column("n", text("tables.common.n", language), "integer", width=0.18),
            Column("suspects", text("response_quality.table.suspects_column", language), "integer", width=0.18),
            Column("share", text("response_quality.table.share", language), "percent1", width=0.18),
        ),
        tuple(rows),
        n=found.n,
        notes=(
            text("response_quality.rule.suspects", language, signs=found.at_least),
            text("response_quality.table.note_convention", language),
        ),
        **_common(found.data_kind, responses, language),
    )


def suspects_spread_table(
    found: ResponseQuality | Finding, responses: Responses, language: str
) -> Table | Finding | None:
    """Return how far agencies, and collectors, differ in their share of suspects; nothing where neither is known."""
    if isinstance(found, Finding) or not found.spreads:
        return None
    if not any(math.isfinite(quartile) for spread in found.spreads for quartile in spread.quartiles):
        return _reason("suspects-spread", found.spreads[0].note, found, responses, language)
    return Table(
        f"tbl-suspects-spread-{survey_id(responses)}",
        text("response_quality.table.spread_title", language, survey=survey_name(responses, language)),
        (
            Column("by", text("response_quality.table.by", language), width=0.22),
            Column("groups", text("response_quality.table.groups", language), "integer", width=0.12),
            Column("quartiles", text("response_quality.table.quartile", language), align="right", width=0.34),
            Column("chi_square", text("response_quality.table.chi_square", language), align="right", width=0.2),
            Column("p", text("response_quality.table.p", language), "p", width=0.12),
        ),
        tuple(_spread(spread, language) for spread in found.spreads),
        n=found.n,
        notes=(
            text("response_quality.rule.suspects", language, signs=found.at_least),
            text("response_quality.table.note_collector", language),
        ),
        **_common(found.data_kind, responses, language),
    )


def _reason(name: str, key: str, found: ResponseQuality, responses: Responses, language: str) -> Finding:
    what = text(f"findings.what.{name.replace('-', '_')}", language)
    reason = text(key, language)
    survey = survey_name(responses, language)
    sentence = text("findings.reason_of", language, what=what, survey=survey, reason=reason[:1].lower() + reason[1:])
    return Finding(f"reason-{name}-{survey_id(responses)}", sentence, language, found.data_kind, role="reason")


def _spread(spread: Spread, language: str) -> tuple[object, ...]:
    absent = Absent(text(spread.note or "tables.common.not_computed", language))
    label = text(f"response_quality.table.{spread.by}", language)
    if not math.isfinite(spread.n_groups):
        return (label, *[absent] * 4)
    quartiles: object = absent
    if all(math.isfinite(q) for q in spread.quartiles):
        quartiles = " – ".join(percent(q, language, 1) for q in spread.quartiles)
    if not math.isfinite(spread.p_value):
        return (label, int(spread.n_groups), quartiles, absent, absent)
    df, value = integer(spread.df, language), number(spread.statistic, 1, language)
    statistic = text("response_quality.table.statistic", language, df=df, value=value)
    return (label, int(spread.n_groups), quartiles, statistic, spread.p_value)


def rerun_table(
    found: Rerun | Finding, what: str, responses: Responses, language: str, *, name: str = ""
) -> Table | Finding:
    """Return an analysis with and without the suspects, one row a quantity.

    Parameters
    ----------
    what : str
        What was analysed, for the title, in the table's language; "means" and "alpha" have words of their own.
    name : str
        Part of the table's id, where a chapter shows several.
    """
    if isinstance(found, Finding):
        return found
    if what in _ANALYSES:
        name = name or what
        what = text(f"survey_quality.rerun.{what}", language, survey=survey_name(responses, language))
    questionnaire = responses.questionnaire
    rows = []
    for row in found.tidy().to_dict("records"):
        parts = [str(in_words(p, questionnaire, language)) for p in (row["group"], row["term"]) if p]
        values = [row["estimate_all"], row["estimate"], row["difference"]]
        absent = Absent(text(row["note"] or "tables.common.not_computed", language))
        rows.append((" – ".join(parts), *[v if math.isfinite(v) else absent for v in values]))
    return Table(
        "-".join(part for part in ("tbl-without-suspects", name, survey_id(responses)) if part),
        text("response_quality.table.rerun_title", language, what=what),
        (
            Column("quantity", text("response_quality.table.quantity", language), width=0.46),
            Column("everyone", text("response_quality.table.everyone", language), "number3", width=0.18),
            Column("cleaned", text("response_quality.table.cleaned", language), "number3", width=0.18),
            Column("difference", text("response_quality.table.difference", language), "number3", width=0.18),
        ),
        tuple(rows),
        n=found.n,
        notes=(
            text("response_quality.table.note_rerun", language, removed=found.n_removed),
            text("response_quality.table.note_convention", language),
        ),
        **_common(found.data_kind, responses, language),
    )


def rerun_tables(
    found: Mapping[str, Rerun | Finding], responses: Responses, language: str
) -> tuple[Table | Finding, ...]:
    """Return one table an analysis, by its name ("means", "alpha"); one reason where all failed for the same reason."""
    tables = [rerun_table(one, what, responses, language) for what, one in found.items()]
    reasons = {t.text for t in tables if isinstance(t, Finding)}
    return tuple(tables[:1] if len(reasons) == 1 and all(isinstance(t, Finding) for t in tables) else tables)


def response_findings(
    found: ResponseQuality | Finding, again: Mapping[str, Rerun | Finding], responses: Responses, language: str
) -> tuple[Finding, ...]:
    """Return how many forms are suspected of careless answering, and how far leaving them out moves means and alpha.

    Parameters
    ----------
    again : mapping of str to Rerun or Finding
        As :func:`rerun_tables` takes it.
    """
    if isinstance(found, Finding):
        return ()
    survey = survey_name(responses, language)
    fields: dict[str, Any] = {"survey": survey[:1].upper() + survey[1:], "signs": found.at_least}
    if found.suspects.suppressed:
        sentence = text("survey_quality.finding.suspects_few", language, **fields)
    elif found.suspects.marked == 0:
        sentence = text("survey_quality.finding.suspects_none", language, **fields)
    else:
        fields |= {"suspects": int(found.suspects.marked), "n": found.n}
        share = percent(found.suspects.share, language, 1)
        sentence = text("survey_quality.finding.suspects", language, **fields, share=share)
    moved = [r.glance()["largest_change"].iloc[0] for r in map(again.get, _ANALYSES) if isinstance(r, Rerun)]
    if len(moved) == len(_ANALYSES) and all(map(math.isfinite, moved)):
        means, alpha = (number(value, 3, language) for value in moved)
        sentence += " " + text("survey_quality.finding.changes", language, means=means, alpha=alpha)
    return (Finding(f"responses-finding-{survey_id(responses)}", sentence, language, found.data_kind),)
