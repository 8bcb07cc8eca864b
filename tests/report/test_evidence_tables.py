"""Tables and findings of the ledger and the claim check."""

import re

import pytest

from sipas_research import report
from sipas_research.evidence.claim import check_claim
from sipas_research.evidence.flags import decided_flags
from sipas_research.evidence.ledger import facts
from sipas_research.evidence.ledger_file import read_citations
from sipas_research.evidence.published_claims import published_claim
from sipas_research.results import DataKind

CHECK = check_claim(value="87,07", change="3,1", components=5, falling=3, rising=1, n=400, clusters=5)


def tables(language, ledger):
    return [
        *report.ledger_tables(ledger, language),
        report.papi_ledger_table(ledger, language),
        report.derived_table(ledger, language),
        report.flags_table(ledger, language),
        report.decided_flags_table(decided_flags(), ledger, language),
        report.citations_table(read_citations(), language),
        report.claim_table(CHECK, language),
    ]


def words(table):
    return " ".join([table.caption, *[c.label for c in table.columns], *sum(table.printed(), ()), table.note_line])


@pytest.mark.parametrize("language", ["vi", "en"])
def test_tables_are_readable_and_published(language):
    shown = tables(language, facts())
    assert len({t.id for t in shown}) == len(shown)
    for table in shown:
        assert table.data_kind is DataKind.PUBLISHED
        assert sum(c.width for c in table.columns) <= 1.0 + 1e-9
        assert not re.search(r"\bnan\b|None|\b[a-z]+_[a-z0-9_]+|MÔ PHỎNG|SIMULATED|Khánh Hòa", words(table)), table.id
        assert table.rows


def test_unprintable_rows_never_reach_a_table():
    shown = " ".join(words(t) for t in tables("vi", facts(printable=None)))
    for row in facts(printable=False):
        assert row.quantity("vi") not in shown
    assert "giản cách" not in shown
    assert "Nghị quyết Nghị quyết" not in shown


def test_printed_figures_keep_quotation_and_source():
    by_source = report.ledger_tables(facts(), "vi")
    conference = next(t for t in by_source if "Gắn chuyển đổi số" in t.source)
    row = next(r for r in conference.rows if r[0] == "Chỉ số SIPAS của tỉnh")
    assert row[2] == "87,07%"
    assert "đạt 87,07%" in row[4]
    review = next(t for t in by_source if "09/10/2024" in t.source)
    assert "tỉnh không nêu tên" in review.caption


def test_papi_by_year():
    table = report.papi_ledger_table(facts(), "en")
    assert [c.label for c in table.columns[1:]] == [str(y) for y in range(2018, 2025)]
    assert table.rows[0][1] == "5.54"
    assert table.rows[-1][1] == "1/61"
    assert report.papi_ledger_table(facts(place="An Giang"), "vi") is None


def test_claim_words():
    text = words(report.claim_table(CHECK, "vi"))
    for expected in ("khớp", "phụ thuộc cách hiểu", "cần thêm số liệu", "83,97%", "84,45%", "±3,3", "1,25"):
        assert expected in text
    assert not re.search(r"\bsai\b(?! số)", text)
    assert report.claim_table(CHECK, "vi", subject="SIPAS 2021").title.endswith(": SIPAS 2021")


@pytest.mark.parametrize("language", ["vi", "en"])
def test_open_points_do_not_repeat_the_checks(language):
    ledger = facts()
    checks = [published_claim(name, ledger=ledger) for name in ("sipas", "par", "an_giang")]
    whole = report.decided_flags_table(decided_flags(), ledger, language)
    short = report.decided_flags_table(decided_flags(), ledger, language, shown=checks)
    lines = {row[3] for check in checks for row in report.claim_table(check, language).rows if row[3].endswith(".")}
    numbers = {line for line in lines if re.search(r"\d", line)}
    assert numbers & {row[3] for row in whole.rows}
    assert not numbers & {row[3] for row in short.rows}
    covered = ledger.get("f11").quantity(language)
    assert covered in {row[0] for row in whole.rows}
    assert covered not in {row[0] for row in short.rows}
    assert covered in short.note_line


@pytest.mark.parametrize("language", ["vi", "en"])
def test_findings(language):
    ledger = report.ledger_findings(facts(), language)
    assert [f.role for f in ledger] == ["main", "finding", "limit"]
    assert ("87,07%" if language == "vi" else "87.07%") in ledger[0].text
    claim = report.claim_findings(CHECK, language)
    assert claim[0].role == "main"
    assert claim[-1].role == "limit"
    assert len({f.id for f in claim}) == len(claim)
    without = report.ledger_findings(facts(place="An Giang"), language)
    assert [f.role for f in without] == ["finding", "limit"]
