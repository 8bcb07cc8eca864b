"""Second opinions for the annex: what semopy found for the same model, in short and coefficient by coefficient."""

from __future__ import annotations

from sipas_research.report.cells import Absent
from sipas_research.report.display import Column, Finding, Table
from sipas_research.report.fit_notes import arrow
from sipas_research.report.fit_tables import model_name
from sipas_research.report.labels import source_line
from sipas_research.survey.responses import Responses
from sipas_research.verification.semopy_agreement import AGREES, ComparedCoefficient, SemopyAgreement
from sipas_research.wording import number, text

_KINDS = {"=~": "loading", "~": "path"}


def semopy_table(found: SemopyAgreement | Finding, name: str, responses: Responses, language: str) -> Table | Finding:
    """Return how many coefficients of each kind agree with semopy's, or why semopy was not asked.

    Parameters
    ----------
    found : SemopyAgreement or Finding
        A finding (why there is no fit) is handed back.
    name : {"cfa", "levers"}
    """
    if isinstance(found, Finding):
        return found
    if not found.compared:
        return Finding(f"reason-semopy-{name}", found.summary(language), language, found.data_kind, role="reason")
    kinds = ("loading", "path", "covariance", "variance")
    groups = {kind: [row for row in found.rows if _kind(row) == kind] for kind in kinds}
    rows = [
        _counted(text(f"sem_tables.agreement.kind_{kind}", language), group) for kind, group in groups.items() if group
    ]
    rows.append(_counted(text("sem_tables.agreement.all", language), list(found.rows)))
    ours, theirs = (number(value, 4, language) for value in (found.chi_square, found.their_chi_square))
    return Table(
        f"tbl-semopy-{name}",
        text("sem_tables.agreement.title", language, model=model_name(name, language)),
        (
            Column("kind", text("sem_tables.agreement.kind", language), width=0.34),
            Column("count", text("sem_tables.agreement.count", language), "integer", width=0.18),
            Column("agreed", text("sem_tables.agreement.agreed", language), "integer", width=0.18),
            Column("largest", text("sem_tables.agreement.largest", language), "number3", width=0.3),
        ),
        tuple(rows),
        language=language,
        data_kind=found.data_kind,
        n=found.n,
        weighting=text("tables.common.unweighted", language),
        source=source_line(responses, language),
        notes=(
            found.explanation(language),
            text("sem_tables.agreement.note_rule", language, limit=number(AGREES, 2, language)),
            text("sem_tables.agreement.note_chi_square", language, ours=ours, theirs=theirs, df=found.df),
            text("sem_tables.agreement.note_own", language),
        ),
        total_rows=(len(rows) - 1,),
    )


def semopy_coefficients_table(
    found: SemopyAgreement | Finding, name: str, responses: Responses, language: str
) -> Table | None:
    """Return each loading and path as both packages have it; nothing where semopy was not asked."""
    if isinstance(found, Finding) or not found.compared:
        return None
    absent = Absent(text("sem_tables.note.no_error", language))
    rows = []
    for row in (row for row in found.rows if row.op in _KINDS):
        explained, source = (row.rhs, row.lhs) if row.op == "=~" else (row.lhs, row.rhs)
        said = arrow(explained, source, responses, language)
        difference = row.difference if row.std_error > 0 else absent
        rows.append((said, row.ours, row.theirs, row.std_error, difference))
    return Table(
        f"tbl-semopy-detail-{name}",
        text("sem_tables.agreement.detail_title", language, model=model_name(name, language)),
        (
            Column("coefficient", text("sem_tables.agreement.coefficient", language), width=0.46),
            Column("ours", text("sem_tables.agreement.ours", language), "number3", width=0.12),
            Column("theirs", text("sem_tables.agreement.theirs", language), "number3", width=0.12),
            Column("std_error", text("sem_tables.column.std_error", language), "number3", width=0.12),
            Column("difference", text("sem_tables.agreement.difference", language), "number3", width=0.18),
        ),
        tuple(rows),
        language=language,
        data_kind=found.data_kind,
        n=found.n,
        weighting=text("tables.common.unweighted", language),
        source=source_line(responses, language),
        notes=(text("sem_tables.agreement.note_detail", language),),
    )


def _kind(row: ComparedCoefficient) -> str:
    return _KINDS.get(row.op, "variance" if row.lhs == row.rhs else "covariance")


def _counted(name: str, rows: list[ComparedCoefficient]) -> tuple[str, int, int, float]:
    return name, len(rows), sum(row.agrees for row in rows), max(abs(row.difference) for row in rows)
