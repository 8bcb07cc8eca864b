"""Tables and findings of the ledger and the claim check: printable rows only, each with quotation and source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from sipas_research.evidence.claim_result import AGREES, DEPENDS, NEEDS_DATA, ClaimCheck, ClaimFinding
from sipas_research.evidence.ledger import NATIONAL, Fact, Ledger, printed_value
from sipas_research.evidence.ledger_file import Citation
from sipas_research.report.cells import Absent
from sipas_research.report.display import Column, Finding, Role, Table
from sipas_research.results import DataKind
from sipas_research.wording import MISSING, date, text

_PUBLISHED = DataKind.PUBLISHED


def printable(ledger: Ledger, kind: str = "") -> list[Fact]:
    """Return the rows that may be printed, of one kind where one is named."""
    return [row for row in ledger if row.printable and kind in {"", row.kind}]


def source_numbers(ledger: Ledger) -> dict[str, int]:
    """Return the number of each source in the tables, from 1, in the ledger's order."""
    return {source: number for number, source in enumerate(dict.fromkeys(r.source for r in printable(ledger)), start=1)}


def _column(name: str, language: str, width: float, label: str = "") -> Column:
    return Column(name, text(f"evidence.table.{label or name}", language), width=width)


def _year(row: Fact) -> str:
    return str(row.year) if row.year else ""


def _place(place: str, language: str) -> str:
    if place == NATIONAL:
        return text("evidence.place.national", language)
    return place or text("evidence.place.unnamed", language)


def ledger_tables(ledger: Ledger, language: str) -> tuple[Table, ...]:
    """Return one table a source: every printed figure with its quotation. Scores without a sentence have their own.

    The unit says where "%" may be percentage points; notes stand under the table.
    """
    tables = []
    for source, number in source_numbers(ledger).items():
        rows = [r for r in printable(ledger, "fact") if r.source == source and r.unit != "score"]
        if rows:
            tables.append(_source_table(rows, source, number, language))
    return tuple(tables)


def _source_table(rows: Sequence[Fact], source: str, number: int, language: str) -> Table:
    cells = [
        (
            row.quantity(language),
            _year(row),
            printed_value(row, language),
            text(f"evidence.unit.{row.unit}", language),
            f"“{row.quotation}”" if row.quotation else Absent(text("evidence.note.second_hand", language)),
        )
        for row in rows
    ]
    return Table(
        f"tbl-ledger-{number}",
        text("evidence.table.ledger", language, number=number, place=_place(rows[0].place, language)),
        (
            _column("quantity", language, 0.27),
            Column("year", text("evidence.table.year", language), align="center", width=0.08),
            _column("printed", language, 0.2),
            _column("unit", language, 0.15),
            _column("quotation", language, 0.3),
        ),
        tuple(cells),
        language,
        _PUBLISHED,
        source=source,
        notes=_row_notes(rows, language),
    )


def _row_notes(rows: Sequence[Fact], language: str) -> tuple[str, ...]:
    """Return the notes of some rows, each note once with the names of its rows."""
    notes: dict[str, list[str]] = {}
    for row in rows:
        if row.note(language):
            notes.setdefault(row.note(language), []).append(row.quantity(language))
    return tuple(f"{'; '.join(dict.fromkeys(names))}: {note}" for note, names in notes.items())


def papi_ledger_table(ledger: Ledger, language: str) -> Table | None:
    """Return PAPI by year and dimension as the ledger has it, order by total last; nothing where it has none."""
    rows = [row for row in printable(ledger) if row.id.startswith("ls_papi_")]
    years = sorted({row.year for row in rows if row.year is not None})
    if not years:
        return None
    names = list(dict.fromkeys(row.quantity(language) for row in rows))
    cells = []
    for name in names:
        by_year = {row.year: printed_value(row, language) for row in rows if row.quantity(language) == name}
        cells.append((name.split(", ", 1)[-1].capitalize(), *(by_year.get(year, MISSING) for year in years)))
    title = text("evidence.table.papi", language, first=str(years[0]), last=str(years[-1]))
    columns = [Column(f"y{year}", str(year), align="right", width=0.09) for year in years]
    notes = ("evidence.note.papi_scale", "evidence.note.papi_breaks", "evidence.note.papi_rank")
    return Table(
        "tbl-ledger-papi",
        title,
        (_column("quantity", language, 1 - 0.09 * len(years)), *columns),
        tuple(cells),
        language,
        _PUBLISHED,
        source=rows[0].source,
        notes=tuple(text(key, language) for key in notes),
        total_rows=(len(cells) - 2,),
    )


def derived_table(ledger: Ledger, language: str) -> Table:
    """Return what follows from printed figures by arithmetic, with the figures behind each row."""
    named = {row.id: row for row in ledger}
    rows = [row for row in printable(ledger, "derived") if not row.id.startswith("ls_papi_")]
    cells = [
        (
            row.quantity(language) + (f" ({row.place})" if row.place else ""),
            _year(row),
            printed_value(row, language),
            text(f"evidence.unit.{row.unit}", language),
            "; ".join(_parent(named[parent], language) for parent in row.derived_from if parent in named),
            row.note(language),
        )
        for row in rows
    ]
    return Table(
        "tbl-ledger-derived",
        text("evidence.table.derived", language),
        (
            _column("quantity", language, 0.26),
            Column("year", text("evidence.table.year", language), align="center", width=0.08),
            Column("value", text("evidence.table.value", language), align="right", width=0.1),
            _column("unit", language, 0.12),
            _column("from", language, 0.26),
            _column("note", language, 0.18),
        ),
        tuple(cells),
        language,
        _PUBLISHED,
        notes=(text("evidence.note.derived", language),),
    )


def _parent(row: Fact, language: str) -> str:
    year = f" ({row.year})" if row.year else ""
    return f"{row.quantity(language)}{year}: {printed_value(row, language)}"


def flags_table(ledger: Ledger, language: str) -> Table:
    """Return what the sources leave open, in courteous words, with the table that would settle it."""
    rows = printable(ledger, "flag")
    numbers = source_numbers(ledger)
    cells = [
        (
            str(numbers[row.source]),
            row.quantity(language),
            f"“{row.quotation}”" if row.quotation else "",
            row.note(language),
            row.settled_by(language),
        )
        for row in rows
    ]
    return Table(
        "tbl-flags",
        text("evidence.table.flags", language),
        (
            Column("source", text("evidence.table.source_number", language), align="center", width=0.09),
            _column("flag", language, 0.22),
            _column("quotation", language, 0.22),
            _column("note", language, 0.27),
            _column("settle", language, 0.2),
        ),
        tuple(cells),
        language,
        _PUBLISHED,
        notes=(text("evidence.note.flags", language), text("evidence.note.source_numbers", language)),
    )


def citations_table(citations: Sequence[Citation], language: str) -> Table:
    """Return the laws and decisions cited, with title and date as the sources give them."""
    cells = [
        (
            row.number,
            row.title or MISSING,
            date(row.date, language) if row.date else MISSING,
            text(f"evidence.table.seen_{'yes' if row.verified else 'no'}", language),
            row.note(language),
        )
        for row in citations
    ]
    return Table(
        "tbl-citations",
        text("evidence.table.citations", language),
        (
            _column("number", language, 0.2),
            _column("title", language, 0.36),
            Column("date", text("evidence.table.date", language), align="center", width=0.13),
            Column("seen", text("evidence.table.seen", language), align="center", width=0.11),
            _column("note", language, 0.2),
        ),
        tuple(cells),
        language,
        _PUBLISHED,
        notes=(text("evidence.note.dates_missing", language),),
    )


def claim_table(
    check: ClaimCheck, language: str, *, identifier: str = "tbl-claim", subject: str = "", source: str = ""
) -> Table:
    """Return every point of a claim check: what was printed, the computation, the table that would settle it.

    ``subject`` ends the caption, so that several checks in one document can be told apart.
    """
    titles = [finding.title(language) for finding in check.findings]
    title = text("evidence.table.claim", language)
    if subject:
        title = text("evidence.table.claim_of", language, subject=subject)
    return _findings_table(check.findings, titles, title, identifier, source, language)


def decided_flags_table(
    findings: Sequence[ClaimFinding], ledger: Ledger, language: str, *, shown: Sequence[ClaimCheck] = ()
) -> Table:
    """Return the flags that arithmetic can examine under the ledger's names; unprintable ones are left out.

    Computations that a table of ``shown`` checks already prints are not printed again; a flag that they cover whole
    is named in the note.
    """
    flags = {row.id: row for row in printable(ledger, "flag")}
    names = {identifier: row.quantity(language) for identifier, row in flags.items()}
    numbers, label = source_numbers(ledger), text("evidence.table.source_number", language).lower()
    printed = {part for check in shown for point in check.findings for part in point.computed}
    kept: list[ClaimFinding] = []
    covered: list[str] = []
    for finding in findings:
        left = tuple(part for part in finding.computed if part not in printed)
        if finding.id in names and finding.computed and not left:
            covered.append(f"{names[finding.id]} ({label} {numbers[flags[finding.id].source]})")
        elif finding.id in names:
            kept.append(replace(finding, computed=left))
    notes = (text("evidence.note.already_shown", language, names="; ".join(covered)),) if covered else ()
    title = text("evidence.table.decided", language)
    return _findings_table(kept, [names[f.id] for f in kept], title, "tbl-flags-decided", "", language, notes=notes)


def _findings_table(
    findings: Sequence[ClaimFinding],
    titles: Sequence[str],
    title: str,
    identifier: str,
    source: str,
    language: str,
    *,
    notes: tuple[str, ...] = (),
) -> Table:
    cells = [
        row for name, finding in zip(titles, findings, strict=True) for row in _point_rows(name, finding, language)
    ]
    return Table(
        identifier,
        title,
        (
            _column("topic", language, 0.2),
            _column("verdict", language, 0.14),
            _column("part", language, 0.14),
            _column("content", language, 0.52),
        ),
        tuple(cells),
        language,
        _PUBLISHED,
        source=source,
        notes=(text("evidence.note.claim", language), *notes),
    )


def _point_rows(name: str, finding: ClaimFinding, language: str) -> list[tuple[str, str, str, str]]:
    """Return the rows of one point, one a sentence: a single tall row would not fit a page."""
    quoted = finding.quoted_text(language)
    said = [("quoted", quoted[:1].upper() + quoted[1:])]
    said += [("computed", line) for line in finding.computed_lines(language)]
    said += [("caveat", finding.caveat_text(language))] if finding.caveats else []
    needed = finding.settle_text(language)
    said.append(("settle", needed[:1].upper() + needed[1:]))
    seen: set[str] = set()
    rows: list[tuple[str, str, str, str]] = []
    for part, content in said:
        label = "" if part in seen else text(f"evidence.part.{part}", language)
        seen.add(part)
        rows.append((name, finding.verdict_text(language), label, content) if not rows else ("", "", label, content))
    return rows


def _finding(name: str, role: Role, sentence: str, language: str) -> Finding:
    return Finding(name, sentence, language, _PUBLISHED, role=role)


def ledger_findings(ledger: Ledger, language: str) -> tuple[Finding, ...]:
    """Return the two indices of 2021, the size of the ledger, and what it cannot say."""
    rows = {row.id: row for row in printable(ledger)}
    found = []
    wanted = {
        "sipas": "ls_sipas_2021",
        "sipas_rank": "ls_sipas_rank_2021",
        "par": "ls_par_2021",
        "par_rank": "ls_par_rank_2021",
    }
    if set(wanted.values()) <= set(rows):
        values = {name: printed_value(rows[identifier], language) for name, identifier in wanted.items()}
        sentence = text("evidence.finding.lang_son", language, **values)
        found.append(_finding("ledger-main", "main", sentence, language))
    printed = printable(ledger, "fact")
    counts = {"facts": len(printed), "sources": len({r.source for r in printed})}
    verified = sum(row.verified for row in printed)
    sentence = text("evidence.finding.ledger", language, verified=verified, **counts)
    found.append(_finding("ledger-finding", "finding", sentence, language))
    found.append(_finding("ledger-limit", "limit", text("evidence.finding.ledger_limit", language), language))
    return tuple(found)


def claim_findings(check: ClaimCheck, language: str) -> tuple[Finding, ...]:
    """Return how the points came out, each point that is not plainly consistent, and what a check cannot say."""
    counts = Counter(finding.verdict for finding in check.findings)
    main = text(
        "evidence.finding.claim_main",
        language,
        n=len(check.findings),
        agree=counts[AGREES],
        depend=counts[DEPENDS],
        need=counts[NEEDS_DATA],
    )
    points = [
        _finding(f"claim-{finding.id.replace('_', '-')}", "finding", _point(finding, language), language)
        for finding in check.findings
        if finding.verdict != AGREES and finding.computed and finding.id != "components"
    ]
    limit = _finding("claim-limit", "limit", text("evidence.finding.claim_limit", language), language)
    return (_finding("claim-main", "main", main, language), *points, limit)


def _point(finding: ClaimFinding, language: str) -> str:
    return text(
        "evidence.finding.claim_point",
        language,
        title=finding.title(language),
        verdict=finding.verdict_text(language),
        computed=finding.computed_text(language),
    )
