"""Differences between groups of respondents in the form that theses print, with small groups hidden."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from sipas_research.errors import AnalysisError
from sipas_research.factors.group_result import Comparison
from sipas_research.factors.scores import INDEX, OVERALL
from sipas_research.report.cells import Absent, Suppressed
from sipas_research.report.display import Column, Finding, Table
from sipas_research.report.labels import source_line
from sipas_research.report.model_tables import interval_label, term_label
from sipas_research.survey.responses import Responses
from sipas_research.wording import integer, number, text

#: Characteristics that chapters compare first, where the form asks them.
_USUAL = ("sex", "age_band", "channel")
#: Then characteristics with this many answers at most.
_MOST_GROUPS = 8
_MOST_FACTS = 3


def main_score(responses: Responses) -> str:
    """Return the score that a chapter compares: overall satisfaction where it was asked, else "index"."""
    return OVERALL if responses.scale_items("overall") else INDEX


def grouping_facts(responses: Responses) -> tuple[str, ...]:
    """Return the characteristics to compare: sex, age and channel, then others with few answers, three in all."""
    usual = [name for name in _USUAL if responses.has(name)]
    facts = [q for q in responses.questionnaire.facts() if q.kind == "category" and responses.has(q.id)]
    known = [q.id for q in facts if 1 < responses.frame[q.id].nunique() <= _MOST_GROUPS and q.personal != "sensitive"]
    return tuple([*usual, *[name for name in known if name not in usual]][:_MOST_FACTS])


def _known(found: Sequence[Comparison | Finding]) -> list[Comparison]:
    return [c for c in found if isinstance(c, Comparison)]


def _common(found: Comparison, responses: Responses, language: str) -> dict[str, Any]:
    return {
        "language": language,
        "data_kind": found.data_kind,
        "weighting": text("tables.common.unweighted", language),
        "source": source_line(responses, language),
    }


def fact_label(fact: str, responses: Responses, language: str) -> str:
    """Return the question of a characteristic, as the profile table prints it."""
    return responses.questionnaire.question(fact).text(language)


def group_label(fact: str, group: str, responses: Responses, language: str) -> str:
    """Return the words of an answer, the agency's name, or the year."""
    if fact == "agency":
        return responses.agencies.name(group, language)
    for answer in responses.questionnaire.question(fact).answers:
        if str(answer.code) == group:
            return answer.label(language)
    return group


def group_means_table(found: Sequence[Comparison | Finding], responses: Responses, language: str) -> Table | None:
    """Return mean and standard deviation of each group of each characteristic.

    Raises
    ------
    AnalysisError
        If the form has no characteristic to compare by.
    """
    known = _known(found)
    if not found:
        raise AnalysisError("groups.error.no_facts")
    if not known:
        return None
    rows: list[tuple[Any, ...]] = []
    for comparison in known:
        title = fact_label(comparison.by, responses, language)
        for place, row in enumerate(comparison.group_rows):
            label = group_label(comparison.by, row.group, responses, language)
            cells: tuple[Any, ...] = (int(row.n) if math.isfinite(row.n) else 0, row.mean, row.sd)
            ends: Any = (row.conf_low, row.conf_high)
            if row.suppressed:
                cells, ends = (Suppressed(),) * 3, Suppressed()
            elif row.n == 0:
                absent = Absent(text("groups.note.no_answers", language))
                cells, ends = (0, absent, absent), absent
            rows.append((title if place == 0 else "", label, *cells, ends))
    first = known[0]
    notes = [text("groups.table.note_index", language)] if first.outcome == INDEX else []
    decimals = "number3" if first.outcome == INDEX else "number2"
    return Table(
        "tbl-group-means",
        text("groups.table.means", language, outcome=_title(first.outcome, responses, language)),
        (
            Column("fact", text("groups.table.fact", language), width=0.22),
            Column("group", text("groups.table.group", language), width=0.28),
            Column("n", text("tables.common.n", language), "integer", width=0.1),
            Column("mean", text("groups.table.mean", language), decimals, width=0.12),  # type: ignore[arg-type]
            Column("sd", text("groups.table.sd", language), decimals, width=0.12),  # type: ignore[arg-type]
            Column("interval", interval_label(first.level, language), "interval", width=0.16),
        ),
        tuple(rows),
        notes=tuple(notes),
        **_common(first, responses, language),
    )


def _title(outcome: str, responses: Responses, language: str) -> str:
    label = term_label(outcome, responses, language)
    return label[:1].upper() + label[1:]


def group_tests_table(found: Sequence[Comparison | Finding], responses: Responses, language: str) -> Table | None:
    """Return the tests of each characteristic: Levene, t or F, Welch, ranks, clusters, effect size."""
    known = _known(found)
    if not known:
        return None
    clustered = any(c.clusters for c in known)
    rows = [_test_row(comparison, clustered, responses, language) for comparison in known]
    first = known[0]
    return Table(
        "tbl-group-tests",
        text("groups.table.tests", language, outcome=term_label(first.outcome, responses, language)),
        (
            Column("fact", text("groups.table.fact", language), width=0.2),
            Column("levene", text("groups.table.levene", language), "p", width=0.1),
            Column("classical", text("groups.table.classical", language), align="right", width=0.18),
            Column("classical_p", text("groups.table.classical_p", language), "p", width=0.09),
            Column("welch_p", text("groups.table.welch_p", language), "p", width=0.1),
            Column("ranks_p", text("groups.table.ranks_p", language), "p", width=0.11),
            *([Column("cluster_p", text("groups.table.cluster_p", language), "p", width=0.1)] if clustered else []),
            Column("effect", text("groups.table.effect", language), align="right", width=0.12),
        ),
        tuple(rows),
        notes=_test_notes(known, language),
        **_common(first, responses, language),
    )


def _test_row(found: Comparison, clustered: bool, responses: Responses, language: str) -> tuple[Any, ...]:
    two = found.test("student_t") is not None
    classical = found.test("student_t" if two else "anova")
    effects = dict(found.effect_sizes)
    name, size = ("d", effects["cohen_d"]) if two else ("eta", effects["eta_squared"])
    absent = Absent(text("groups.note.no_test", language))
    said: Any = absent
    if classical is not None and math.isfinite(classical.statistic):
        value = number(classical.statistic, 2, language)
        df1, df2 = integer(classical.df1, language), integer(classical.df2, language)
        key = f"groups.table.statistic_{'t' if two else 'f'}"
        said = text(key, language, value=value, **({"df": df2} if two else {"df1": df1, "df2": df2}))
    tails = [found.test(t) for t in ("levene", "student_t" if two else "anova", "welch_t" if two else "welch_anova",
                                     "kruskal_wallis", "cluster_wald")]  # fmt: skip
    p = [absent if t is None or not math.isfinite(t.p_value) else t.p_value for t in tails]
    effect = text(f"groups.table.effect_{name}", language, value=number(size.estimate, 3, language))
    return (fact_label(found.by, responses, language), p[0], said, *(p[1:] if clustered else p[1:-1]), effect)


def _test_notes(known: Sequence[Comparison], language: str) -> tuple[str, ...]:
    keys = ["note_student", "note_levene"]
    keys.append("note_cluster" if any(c.clusters for c in known) else "note_no_cluster")
    notes = [text(f"groups.table.{key}", language) for key in keys]
    if len(known) > 1:
        notes.append(text("groups.table.note_multiple", language, count=len(known)))
    if known[0].outcome == INDEX:
        notes.append(text("groups.table.note_index", language))
    return tuple(notes)


def pairs_table(found: Comparison | Finding, responses: Responses, language: str) -> Table | None:
    """Return the pairs of three or more groups by Games-Howell, with Tukey's p-value beside; nothing for two groups."""
    if isinstance(found, Finding) or not found.pair_rows:
        return None
    tukey = {(r.first, r.second): r.p_value for r in found.pair_rows if r.method == "tukey"}
    rows = []
    for row in (r for r in found.pair_rows if r.method == "games_howell"):
        names = [group_label(found.by, g, responses, language) for g in (row.first, row.second)]
        label = text("groups.table.pair_label", language, first=names[0], second=names[1])
        rows.append((label, row.estimate, (row.conf_low, row.conf_high), row.p_value, tukey[row.first, row.second]))
    fact = fact_label(found.by, responses, language)
    return Table(
        f"tbl-group-pairs-{''.join(c if c.isalnum() else '-' for c in found.by.casefold()).strip('-')}",
        text(
            "groups.table.pairs",
            language,
            fact=fact.rstrip("?"),
            outcome=term_label(found.outcome, responses, language),
        ),
        (
            Column("pair", text("groups.table.pair", language), width=0.38),
            Column("difference", text("groups.table.difference", language), "number3", width=0.13),
            Column("interval", interval_label(found.level, language), "interval", width=0.19),
            Column("games_howell", text("groups.table.games_howell_p", language), "p", width=0.17),
            Column("tukey", text("groups.table.tukey_p", language), "p", width=0.13),
        ),
        tuple(rows),
        notes=(text("groups.table.note_pairs", language, count=len(rows)),),
        **_common(found, responses, language),
    )
