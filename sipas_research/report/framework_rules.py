"""The framework as tables of rules: legal basis, procedures, criteria, records, publication, appeal."""

from __future__ import annotations

from sipas_research.framework.definitions import CRITERION_WEIGHTS
from sipas_research.framework.framework_spec import Criterion, Framework
from sipas_research.framework.results_register import ROLES_OF, STATES
from sipas_research.report.cells import Absent
from sipas_research.report.display import Column, Table
from sipas_research.report.framework_parts import RULES, listed, rules_table, said, status_words
from sipas_research.report.passages import Passage
from sipas_research.report.source import plain
from sipas_research.wording import percent, text


def framework_purpose(framework: Framework, language: str) -> Passage:
    """Return purpose, scope and status of the framework."""
    status = status_words(framework, framework.status, language)
    level = said(f"level.{framework.level}", language)
    parts = [
        plain(framework.purpose(language)),
        said("purpose.scope", language, level=level),
        said("purpose.status", language, status=status),
    ]
    return Passage("framework-purpose", "\n\n".join(parts), language)


def framework_basis_table(framework: Framework, language: str) -> Table:
    """Return the documents of the legal basis as a source gives them, and whether their text was read."""
    untitled = Absent(said("basis.untitled", language))
    rows = [
        (b.number, b.title(language) or untitled, b.note(language), status_words(framework, b.status, language))
        for b in framework.basis
    ]
    columns = (("number", 0.22), ("content", 0.28), ("note", 0.3), ("status", 0.2))
    return rules_table("basis", columns, rows, language)


def framework_people(framework: Framework, language: str) -> Passage:
    """Return who is asked, their rights, and who is no respondent."""
    asked = said("people.eligible", language, text=plain(framework.respondents(language)))
    parts = (asked, said("people.rights", language), said("people.excluded", language))
    return Passage("framework-people", "\n\n".join(parts), language)


def framework_procedures_table(framework: Framework, language: str) -> Table:
    """Return the fields of procedures whose users are asked."""
    rows = [(p.name(language), status_words(framework, p.status, language)) for p in framework.procedures]
    return rules_table("procedures", (("field", 0.6), ("status", 0.4)), rows, language)


def framework_criteria_table(framework: Framework, language: str) -> Table:
    """Return components, criteria, the questions they rest on, and weights; components carry the sum."""
    rows: list[tuple[object, ...]] = []
    bold = []
    for number, component in enumerate(framework.components, start=1):
        bold.append(len(rows))
        rows.append((str(number), component.name(language), "", framework.component_weight(component.id)))
        for place, criterion in enumerate(framework.criteria_of(component.id), start=1):
            asked = _questions(framework, criterion, language)
            rows.append((f"{number}.{place}", criterion.name(language), asked, criterion.weight))
    method = text(f"framework_file.weights.{framework.weight_method}", language)
    reason = framework.weight_reason(language)
    labels = {name: said(f"criteria.{name}", language) for name in ("code", "criterion", "question", "weight")}
    return Table(
        "tbl-framework-criteria",
        said("criteria.title", language),
        (
            Column("code", labels["code"], width=0.08),
            Column("criterion", labels["criterion"], width=0.34),
            Column("question", labels["question"], width=0.45),
            Column("weight", labels["weight"], "percent1", width=0.13),
        ),
        tuple(rows),
        language,
        RULES,
        notes=(
            said("criteria.note_weight", language, method=method, reason=reason),
            said("criteria.note_sum", language),
            *([] if framework.definition == CRITERION_WEIGHTS else [said("criteria.note_answers", language)]),
        ),
        total_rows=tuple(bold),
    )


def _questions(framework: Framework, criterion: Criterion, language: str) -> str:
    return listed((i.text for i in framework.items if i.criterion == criterion.id), language)


def framework_indicators_table(framework: Framework, language: str) -> Table | None:
    """Return the figures from the agency's own records; nothing where the framework has none."""
    if not framework.indicators:
        return None
    rows = [
        (
            i.name(language),
            i.definition(language),
            said(f"indicators.{i.better}", language),
            status_words(framework, i.status, language),
        )
        for i in framework.indicators
    ]
    columns = (("name", 0.24), ("definition", 0.42), ("better", 0.1), ("status", 0.24))
    return rules_table("indicators", columns, rows, language, notes=(said("indicators.note", language),))


def framework_rules_table(framework: Framework, language: str) -> Table:
    """Return the rules of publication."""
    rows = [
        (str(number), rule.text(language), status_words(framework, rule.status, language))
        for number, rule in enumerate(framework.publication, start=1)
    ]
    columns = (("number", 0.08), ("rule", 0.66), ("status", 0.26))
    return rules_table("rules", columns, rows, language, centred=frozenset({"number"}))


def framework_states_table(language: str) -> Table:
    """Return the states of results from draft to publication, and who takes each step."""
    rows = []
    for state in STATES:
        roles = listed((text(f"register.role.{role}", language) for role in ROLES_OF[state]), language)
        rows.append((text(f"register.state.{state}", language), roles, said(f"states.what_{state}", language)))
    return rules_table("states", (("state", 0.24), ("role", 0.3), ("what", 0.46)), rows, language)


def framework_steps_table(framework: Framework, language: str) -> Table:
    """Return the steps of preview, petition and answer with their limits."""
    rows = [
        (
            str(number),
            step.text(language),
            step.who(language),
            str(step.days) if step.days else said("steps.no_limit", language),
            status_words(framework, step.status, language),
        )
        for number, step in enumerate(framework.appeal, start=1)
    ]
    columns = (("number", 0.08), ("what", 0.35), ("who", 0.23), ("days", 0.13), ("status", 0.21))
    return rules_table("steps", columns, rows, language, centred=frozenset({"number", "days"}))


def cuts_in_words(framework: Framework, language: str) -> str:
    """Return the classes from the lowest, each with its ends."""
    bands = framework.bands.bands
    cuts = [percent(cut, language, 0) for cut in framework.bands.cuts]
    first = said("front.band_below", language, name=bands[0].name(language), upper=cuts[0])
    last = said("front.band_from", language, name=bands[-1].name(language), lower=cuts[-1])
    middle = [
        said("front.band_between", language, name=band.name(language), lower=low, upper=high)
        for band, low, high in zip(bands[1:-1], cuts, cuts[1:], strict=False)
    ]
    return "; ".join([first, *middle, last])
