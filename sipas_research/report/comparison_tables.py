"""Means of all scales by each characteristic of respondents, and the tests behind them."""

from __future__ import annotations

import math
import re
from typing import Any

from sipas_research.factors.group_differences import MOST_PAIRED
from sipas_research.factors.group_result import Comparison, GroupRow
from sipas_research.factors.scale_differences import GroupSize, ScaleComparisons, leading_effect
from sipas_research.report.cells import SUPPRESSED, Absent, Format, Suppressed
from sipas_research.report.comparison_names import EFFECT_DIGITS, begun_survey_name, common_parts, fact_name, heading
from sipas_research.report.display import Column, Finding, Table
from sipas_research.report.group_tables import group_label
from sipas_research.report.labels import spoken, survey_id, survey_name
from sipas_research.report.model_tables import term_label
from sipas_research.survey.agency_level import with_agency_level
from sipas_research.survey.responses import Responses
from sipas_research.wording import integer, number, percent, text

#: Characteristics that councils expect, in the order of a thesis; the last two are not asked of staff.
_EXPECTED = ("sex", "age_band", "education", "level", "occupation", "channel")
_OF_STAFF = 4
#: Letters that the groups' names may have together; beyond it columns carry numbers, with the names in the note.
_HEADER_LETTERS = 90
#: Keeps what belongs together on one line.
_JOINED = "\u00a0"


def scale_group_tables(
    found: ScaleComparisons | Finding, responses: Responses, language: str
) -> tuple[Table | Finding, ...]:
    """Return one table a characteristic: mean and SD of every scale in every group, Sig., Sig. after Holm, effect size.

    Characteristics that councils expect and the file does not have are named in a last sentence.
    """
    if isinstance(found, Finding):
        return (found,)
    people = with_agency_level(responses)
    tables: list[Table | Finding] = [
        _means(found, fact, sizes, people, language) for fact, sizes in found.sizes if fact in found.facts
    ]
    tables += [_reason(found, fact, people, language) for fact, _ in found.sizes if fact not in found.facts]
    return (*tables, *_absent(found, people, language))


def _means(
    found: ScaleComparisons, fact: str, sizes: tuple[GroupSize, ...], responses: Responses, language: str
) -> Table:
    kept = [size for size in sizes if size.suppressed or size.n > 0]
    names = [group_label(fact, size.group, responses, language) for size in kept]
    counts = [SUPPRESSED if size.suppressed else integer(size.n, language) for size in kept]
    numbered = sum(map(len, names)) > _HEADER_LETTERS
    headers = [
        text("comparisons.table.number_n", language, number=place)
        if numbered
        else text("comparisons.table.group_n", language, group=name, n=n)
        for place, (name, n) in enumerate(zip(names, counts, strict=True), start=1)
    ]
    pairs = found.of(fact)
    effect = leading_effect(pairs[0][0])[0]
    style: Format = "number2" if EFFECT_DIGITS[effect] == 2 else "number3"
    rows = [_means_row(c, p, kept, responses, language) for c, p in pairs]
    rows += [
        _gap_row(outcome, reason, len(kept), responses, language) for by, outcome, reason in found.gaps if by == fact
    ]
    notes = [_key(names, counts, language) if numbered else text("comparisons.table.note_cell", language)]
    if any(size.suppressed for size in kept) and not any(isinstance(c, Suppressed) for row in rows for c in row):
        notes.append(text("report.note.suppressed", language, minimum=Suppressed().minimum))
    return Table(
        f"tbl-scales-by-{_slug(fact)}-{survey_id(responses)}",
        text(
            "comparisons.table.means",
            language,
            fact=fact_name(fact, responses, language),
            survey=survey_name(responses, language),
        ),
        (
            Column("scale", text("comparisons.table.scale", language)),
            *[Column(f"group{place}", label, "mean_sd", "center") for place, label in enumerate(headers, start=1)],
            Column("p", text("comparisons.table.sig", language), "p"),
            Column("p_holm", text("comparisons.table.sig_holm", language), "p"),
            Column("effect", text(f"comparisons.table.{effect}", language), style),
        ),
        tuple(rows),
        notes=(*notes, *_means_notes(found, [c for c, _ in pairs], language)),
        **common_parts(found, responses, language),
    )


def _slug(fact: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", fact.casefold()).strip("-") or "fact"


def _key(names: list[str], counts: list[str], language: str) -> str:
    """Name the groups behind the numbers of the columns."""
    parts = [
        text("comparisons.table.key_group", language, number=place, group=name, n=n)
        for place, (name, n) in enumerate(zip(names, counts, strict=True), start=1)
    ]
    return text("comparisons.table.key", language, groups="; ".join(parts))


def _means_row(
    found: Comparison, adjusted: float, sizes: list[GroupSize], responses: Responses, language: str
) -> tuple[Any, ...]:
    by_group = {row.group: row for row in found.group_rows}
    cells = [_mean_cell(by_group[size.group], language) for size in sizes]
    absent = Absent(text("groups.note.no_test", language))
    p = found.leading[1].p_value
    ends = [value if math.isfinite(value) else absent for value in (p, adjusted, leading_effect(found)[1].estimate)]
    return (term_label(found.outcome, responses, language), *cells, *ends)


def _mean_cell(row: GroupRow, language: str) -> object:
    if row.suppressed:
        return Suppressed()
    return (row.mean, row.sd) if row.n > 0 else Absent(text("groups.note.no_answers", language))


def _gap_row(outcome: str, reason: Any, groups: int, responses: Responses, language: str) -> tuple[Any, ...]:
    absent = Absent(spoken(reason, responses.questionnaire, language))
    return (term_label(outcome, responses, language), *[absent] * (groups + 3))


def _means_notes(found: ScaleComparisons, compared: list[Comparison], language: str) -> tuple[str, ...]:
    rule = "rule_cluster" if any(c.leading[0] == "cluster_wald" for c in compared) else "rule_welch"
    effect = "g" if leading_effect(compared[0])[0] == "hedges_g" else "eta"
    return (
        text(f"comparisons.table.{rule}", language),
        text("comparisons.table.note_holm", language, count=len(found.comparisons)),
        text(f"comparisons.table.note_effect_{effect}", language),
        text("comparisons.table.note_association", language),
    )


def _reason(found: ScaleComparisons, fact: str, responses: Responses, language: str) -> Finding:
    """Say why no scale could be compared by a characteristic."""
    reason = next(reason for by, _, reason in found.gaps if by == fact)
    sentence = text(
        "findings.reason_of",
        language,
        what=text("findings.what.groups", language),
        survey=survey_name(responses, language),
        reason=spoken(reason, responses.questionnaire, language),
    )
    name = f"reason-groups-{_slug(fact)}-{survey_id(responses)}"
    return Finding(name, sentence, language, found.data_kind, role="reason")


def _absent(found: ScaleComparisons, responses: Responses, language: str) -> tuple[Finding, ...]:
    """Name expected characteristics that are not there, and those with too many groups."""
    expected = _EXPECTED if responses.questionnaire.respondent == "citizen" else _EXPECTED[:_OF_STAFF]
    tried = {fact for fact, _ in found.sizes}
    many = [f for f in expected if f not in tried and responses.has(f) and responses.frame[f].nunique() > MOST_PAIRED]
    none = [f for f in expected if f not in tried and f not in many]
    sentences = []
    for key, facts in (("absent", none), ("many", many)):
        if facts:
            names = ", ".join(text(f"comparisons.fact.{fact}", language) for fact in facts)
            fields = {"most": MOST_PAIRED} if key == "many" else {}
            survey = begun_survey_name(responses, language)
            sentences.append(text(f"comparisons.finding.{key}", language, survey=survey, facts=names, **fields))
    if not sentences:
        return ()
    name = f"reason-facts-{survey_id(responses)}"
    return (Finding(name, " ".join(sentences), language, found.data_kind, role="reason"),)


def scale_tests_table(found: ScaleComparisons | Finding, responses: Responses, language: str) -> Table | None:
    """Return Levene, t or F, Welch, clustered and corrected Sig. and effect size with interval of each comparison."""
    if isinstance(found, Finding) or not found.comparisons:
        return None
    people = with_agency_level(responses)
    clustered = any(c.clusters for c in found.comparisons)
    rows: list[tuple[Any, ...]] = []
    headings = []
    for fact in found.facts:
        headings.append(len(rows))
        effect = text(f"comparisons.table.{leading_effect(found.of(fact)[0][0])[0]}", language)
        rows.append((heading(fact, people, language), *[""] * (5 + clustered), effect))
        rows += [_test_row(comparison, p, clustered, people, language) for comparison, p in found.of(fact)]
    level = percent(found.level, language, 0)
    return Table(
        f"tbl-scale-tests-{survey_id(responses)}",
        text("comparisons.table.tests", language, survey=survey_name(responses, language)),
        (
            Column("scale", text("comparisons.table.fact_scale", language), width=0.24),
            Column("levene", text("comparisons.table.levene", language), "p", width=0.07),
            Column("classical", text("comparisons.table.classical", language), align="right", width=0.185),
            Column("classical_p", text("comparisons.table.sig", language), "p", width=0.07),
            Column("welch_p", text("comparisons.table.welch", language), "p", width=0.07),
            *([Column("cluster_p", text("comparisons.table.cluster", language), "p", width=0.07)] if clustered else []),
            Column("holm_p", text("comparisons.table.sig_holm", language), "p", width=0.07),
            Column("effect", text("comparisons.table.effect", language, level=level), align="right", width=0.205),
        ),
        tuple(rows),
        total_rows=tuple(headings),
        notes=_tests_notes(found, clustered, people, language),
        **common_parts(found, responses, language),
    )


def _test_row(
    found: Comparison, adjusted: float, clustered: bool, responses: Responses, language: str
) -> tuple[Any, ...]:
    two = found.test("student_t") is not None
    names = ["levene", "student_t" if two else "anova", "welch_t" if two else "welch_anova"]
    names += ["cluster_wald"] if clustered else []
    absent = Absent(text("groups.note.no_test", language))
    tests = [found.test(name) for name in names]
    tails = [t.p_value if t is not None and math.isfinite(t.p_value) else absent for t in tests]
    classical = tests[1]
    said: Any = absent
    if classical is not None and math.isfinite(classical.statistic):
        value = number(classical.statistic, 2, language)
        df1, df2 = integer(classical.df1, language), integer(classical.df2, language)
        fields = {"df": df2} if two else {"df1": df1, "df2": df2}
        said = text(f"groups.table.statistic_{'t' if two else 'f'}", language, value=value, **fields)
        said = said.replace("; ", f";{_JOINED}").replace("= ", f"={_JOINED}")
    name, size = leading_effect(found)
    effect: Any = absent
    if math.isfinite(size.estimate):
        digits = EFFECT_DIGITS[name]
        ends = [number(value, digits, language) for value in (size.estimate, size.conf_low, size.conf_high)]
        effect = text("comparisons.table.effect_value", language, value=ends[0], low=ends[1], high=ends[2])
        effect = effect.replace("; ", f";{_JOINED}")
    last = adjusted if math.isfinite(adjusted) else absent
    return (term_label(found.outcome, responses, language), tails[0], said, *tails[1:], last, effect)


def _tests_notes(found: ScaleComparisons, clustered: bool, responses: Responses, language: str) -> tuple[str, ...]:
    count = len(found.comparisons)
    notes = [
        text("comparisons.table.note_levene", language),
        text(f"groups.table.{'note_cluster' if clustered else 'note_no_cluster'}", language),
        text(f"comparisons.table.{'from_cluster' if clustered else 'from_welch'}", language, count=count),
        text("comparisons.table.note_steiger", language),
    ]
    if responses.design.weight:
        notes.append(text("comparisons.table.note_weights", language))
    gaps = [
        text(
            "comparisons.table.gap",
            language,
            scale=term_label(outcome, responses, language),
            fact=fact_name(by, responses, language),
        )
        for by, outcome, _ in found.gaps
        if outcome
    ]
    if gaps:
        notes.append(text("comparisons.table.note_gap", language, what="; ".join(gaps)))
    return tuple(notes)
