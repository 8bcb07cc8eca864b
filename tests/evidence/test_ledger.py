"""The ledger as an object, and files that break its rules."""

import csv
import math

import pytest

import sipas_research as sr
from sipas_research import resources
from sipas_research.errors import DataFileError, OptionError
from sipas_research.evidence.arithmetic import pace, previous_in_percent, previous_in_points, printed, yamane
from sipas_research.evidence.ledger import facts, printed_value
from sipas_research.evidence.ledger_file import COLUMNS, printed_number, read_citations, read_facts

HEAD = ",".join(COLUMNS)


def row(**changes):
    cells = dict.fromkeys(COLUMNS, "")
    cells |= {
        "id": "a",
        "kind": "fact",
        "source": "nguồn",
        "quantity": "chỉ số",
        "value_printed": "87,07%",
        "value": "87.07",
        "unit": "percent",
        "verified": "true",
        "print": "true",
    }
    return cells | changes


def write(path, *rows):
    with path.open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_filters():
    assert {f.kind for f in facts(kind="derived")} == {"derived"}
    assert {f.place for f in facts(place="An Giang")} == {"An Giang"}
    assert {f.year for f in facts(year=2021)} == {2021}
    assert len(facts(printable=None)) == len(facts()) + len(facts(printable=False))
    assert facts(place="", kind="fact").get("review_index_2023").value == 85.71
    assert sr.facts().value("ls_sipas_2021") == 87.07


@pytest.mark.parametrize("wrong", [{"kind": "number"}, {"place": "Khánh Hòa"}, {"year": 1999}, {"year": True}])
def test_unknown_filters_are_refused(wrong):
    with pytest.raises(OptionError, match=r"Được phép|Allowed"):
        facts(**wrong)


def test_get_refuses_an_unknown_id():
    with pytest.raises(OptionError, match="không có mã"):
        facts().get("f4")


def test_result_manners():
    ledger = facts()
    assert ledger.data_kind is sr.DataKind.PUBLISHED
    tidy = ledger.tidy()
    assert len(tidy) == len(ledger)
    assert list(tidy.columns[:4]) == ["term", "group", "estimate", "note"]
    glance = ledger.glance().iloc[0]
    assert glance["n"] == glance["n_fact"] + glance["n_derived"] + glance["n_flag"]
    assert "87,07%" in ledger.summary("vi")
    assert "87.07%" in ledger.summary("en")
    with pytest.raises(AttributeError):
        ledger.rows = ()


def test_printed_values_in_english():
    ledger = facts()
    assert printed_value(ledger.get("ls_frame_2021"), "en") == "3,366"
    assert printed_value(ledger.get("ls_sipas_rank_2021"), "en") == "31/63"
    assert printed_value(ledger.get("ls_study_decision"), "en") == ledger.get("ls_study_decision").printed


def test_derived_rows_follow_from_their_parents():
    ledger = facts()

    def earlier(value, change, unit):
        make = previous_in_points if unit == "points" else previous_in_percent
        return make(printed(ledger.get(value).printed, "v"), printed(ledger.get(change).printed, "c")).value

    for unit in ("points", "percent"):
        for index in ("par", "sipas"):
            computed = earlier(f"ls_{index}_2021", f"ls_{index}_change_2021", unit)
            assert sr.wording.number(computed, 2, "vi") == ledger.get(f"ls_{index}_2020_{unit}").printed
        for year in (2018, 2023):
            computed = earlier(f"review_index_{year}", f"review_change_{year}", unit)
            assert sr.wording.number(computed, 2, "vi") == ledger.get(f"review_index_{year - 1}_{unit}").printed
    for index in ("par", "sipas"):
        before = ledger.value(f"ls_{index}_rank_2021") + ledger.value(f"ls_{index}_places_2021")
        assert before == ledger.value(f"ls_{index}_rank_2020")
    assert sr.wording.number(yamane(ledger.value("ls_frame_2021")), 1, "vi") == ledger.get("ls_yamane_2021").printed
    paces = {
        "pace_2018_2022": ("review_index_2018", "review_index_2022_points", 4),
        "pace_2018_2023": ("review_index_2018", "review_index_2023", 5),
        "pace_to_2025": ("review_index_2023", "review_target_2025", 2),
        "pace_to_2030": ("review_target_2025", "review_target_2030", 5),
    }
    for name, (start, end, years) in paces.items():
        row = ledger.get(f"review_{name}")
        gain = pace(ledger.value(start), ledger.value(end), years)
        assert float(sr.wording.number(gain, 2, "en")) == pytest.approx(row.value)
    assert ledger.value("review_over_target_2018") == pytest.approx(80.6 - 78)
    assert ledger.value("review_over_target_2023") == pytest.approx(85.71 - 84.01)


@pytest.mark.parametrize(
    ("written", "number"),
    [("87,07%", 87.07), ("3.366", 3366), ("31/63", 31), ("05", 5), ("(3)", 3), ("1 trong 3", 1), ("23/63", 23)],
)
def test_printed_number(written, number):
    assert printed_number(written) == number


def test_words_are_no_numbers():
    assert math.isnan(printed_number("Hàm Yên, Sơn Dương"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": ""}, "không được để trống"),
        ({"kind": "truth"}, "“truth” không được phép"),
        ({"unit": "phần"}, "“phần” không được phép"),
        ({"print": "yes"}, "“yes” không được phép"),
        ({"value": "tám"}, "“tám” không phải là số"),
        ({"value": "87.70"}, "khác với số đã in 87,07%"),
        ({"value": ""}, "không được để trống"),
        ({"year": "hai"}, "“hai” không phải là số"),
        ({"quotation": "chữ " * 26}, "dài 26 chữ"),
        ({"unit": "decision"}, "hãy để trống"),
        ({"derived_from": "b"}, "dòng derived"),
        ({"kind": "derived"}, "dòng derived"),
        ({"kind": "derived", "derived_from": "z"}, "“z”"),
    ],
)
def test_broken_rows_are_named(tmp_path, changes, words):
    path = write(tmp_path / "facts.csv", row(id="b"), row(**changes))
    with pytest.raises(DataFileError) as caught:
        read_facts(path)
    assert "facts.csv, dòng 3" in caught.value.message("vi")
    assert words in caught.value.message("vi")
    assert "row 3" in caught.value.message("en")


def test_repeated_ids_and_every_problem_at_once(tmp_path):
    with pytest.raises(DataFileError) as caught:
        read_facts(write(tmp_path / "facts.csv", row(), row()))
    assert len(caught.value.problems) == 2
    with pytest.raises(DataFileError) as caught:
        read_facts(write(tmp_path / "facts.csv", row(unit="x", kind="y"), row(id="b", print="z")))
    assert len(caught.value.problems) == 3


def test_headers_cells_and_encodings(tmp_path):
    path = tmp_path / "facts.csv"
    path.write_text("id,value\na,1\n", encoding="utf-8")
    with pytest.raises(DataFileError, match="dòng đầu"):
        read_facts(path)
    path.write_text(f"{HEAD}\na,fact\n", encoding="utf-8")
    with pytest.raises(DataFileError, match="có 2 ô"):
        read_facts(path)
    path.write_text(f"{HEAD}\n", encoding="utf-8")
    with pytest.raises(DataFileError, match="không có dòng nào"):
        read_facts(path)
    path.write_bytes("chỉ số".encode("utf-16"))
    with pytest.raises(DataFileError, match="UTF-8"):
        read_facts(path)


def test_citations():
    found = {c.number: c for c in read_citations()}
    study = found["Quyết định số 1400/QĐ-UBND"]
    assert (study.date.isoformat(), study.verified) == ("2022-08-26", True)
    assert found["Nghị định số 42/2022/NĐ-CP"].date.isoformat() == "2022-06-24"
    assert not found["Quyết định số 1001/QĐ-BNV"].verified
    assert "Thủ tướng" not in found["Nghị định số 42/2022/NĐ-CP"].title
    assert {c.cited_in for c in found.values() if c.verified} <= set(facts(printable=None).sources)
    printed_decisions = [f.printed for f in facts(kind="fact") if f.unit == "decision"]
    for citation in found.values():
        number = citation.number.replace("số ", "")
        assert not citation.verified or any(number in p.replace("số ", "") for p in printed_decisions), number


def test_citation_rows_are_checked(tmp_path):
    source = resources.data("published", "citations.csv").read_text(encoding="utf-8-sig")
    path = tmp_path / "citations.csv"
    path.write_text(source.replace("2022-08-26", "26/8/2022"), encoding="utf-8")
    with pytest.raises(DataFileError, match="2022-08-26"):
        read_citations(path)
