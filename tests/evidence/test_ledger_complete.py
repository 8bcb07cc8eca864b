"""Every figure that the five sources print stands in the ledger: the list below was typed from the texts."""

import re

import pytest

from sipas_research import resources
from sipas_research.evidence.flags import DECIDED
from sipas_research.evidence.ledger import facts

LANG_SON_STUDY = "Một số giải pháp nâng cao mức độ hài lòng"
AN_GIANG = "Sở Lao động-Thương binh và Xã hội tỉnh An Giang"
CONFERENCE = "Gắn chuyển đổi số với công tác cải cách hành chính"
REVIEW = "Nâng cao sự hài lòng của người dân”, 22:05"
TUYEN_QUANG = "Những sáng kiến, cách làm mới"

# value as printed | number (None: words) | unit
PRINTED = {
    LANG_SON_STUDY: """
        1400/QĐ-UBND ngày 26/8/2022 | None | decision
        01 | 1 | count
        2018 đến 2022 | None | period
        60-NQ/TU ngày 15/12/2021 | None | decision
        76/NQ-CP ngày 15/7/2021 | None | decision
        2021-2030 | None | period
        69/2022/QH15 | None | decision
        36/2018/TT-BTC | None | decision
        42/2022/NĐ-CP ngày 24/6/2022 | None | decision
        xếp loại Đạt | None | text
    """,
    AN_GIANG: """
        94,59% | 94.59 | percent
        2 | 2 | rank
        851/QĐ-UBND ngày 27/4/2022 | None | decision
        05 | 5 | count
        (1) | 1 | ordinal
        (2) | 2 | ordinal
        (3) | 3 | ordinal
        (4) | 4 | ordinal
        (5) | 5 | ordinal
        92/2017/NĐ-CP ngày 07/8/2017 | None | decision
        02/2017/TT-VPCP ngày 31/10/2017 | None | decision
        Chỉ thị 15, Chỉ thị 16 | None | decision
        mức độ 3 | 3 | ordinal
        mức độ 3, mức độ 4 | 4 | ordinal
        13 | 13 | ordinal
        11 | 11 | ordinal
        2022 | None | period
        2021 - 2030 | None | period
    """,
    CONFERENCE: """
        8/6 | None | date
        3 | 3 | count
        năm 2021 | None | period
        8 | 8 | count
        43 | 43 | count
        102 | 102 | count
        87,11% | 87.11 | percent
        23/63 | 23 | rank
        3,31% | 3.31 | percent_or_points
        13 | 13 | places
        5/8 | 5 | count
        4 | 4 | count
        3.366 | 3366 | count
        400 | 400 | count
        87,07% | 87.07 | percent
        31/63 | 31 | rank
        3,1% | 3.1 | percent_or_points
        8 | 8 | places
        5 | 5 | count
        3/5 | 3 | count
        1 | 1 | count
        mức độ 3, 4 | 4 | ordinal
    """,
    REVIEW: """
        10 | 10 | count
        2014 - 2023 | None | period
        năm 2016 | None | period
        80,6% | 80.6 | percent
        78% | 78 | percent
        4,17% | 4.17 | percent_or_points
        85,71% | 85.71 | percent
        84,01% | 84.01 | percent
        3,73% | 3.73 | percent_or_points
        số 12 ngày 31-3-2017 | None | decision
        Nghị quyết Trung ương 5 (khóa X) | None | decision
        số 91 ngày 18-10-2022 | None | decision
        1 trong 3 | 1 | count
        90% | 90 | percent
        95% | 95 | percent
        22:05, 09/10/2024 | None | date
    """,
    TUYEN_QUANG: """
        32/2019/QĐ-UBND | None | decision
        903 | 903 | count
        3 | 3 | count
        129 | 129 | count
        Hàm Yên, Sơn Dương, Na Hang | 3 | count
        Na Hang và Lâm Bình | 2 | count
        mức độ 3 | 3 | ordinal
    """,
}
PLACES = {
    LANG_SON_STUDY: "Lạng Sơn",
    AN_GIANG: "An Giang",
    CONFERENCE: "Lạng Sơn",
    REVIEW: "",
    TUYEN_QUANG: "Tuyên Quang",
}
ROWS = [
    (source, *(part.strip() for part in line.split("|")))
    for source, lines in PRINTED.items()
    for line in lines.strip().splitlines()
]

# year: eight dimensions, total, order and provinces
PAPI = """
2018 5.54 5.85 5.16 7.07 7.66 7.14 5.19 3.43 47.05 1 61
2019 5.04 5.48 4.57 6.97 7.48 6.80 3.58 4.14 44.07 24 63
2020 4.92 5.28 4.63 6.49 7.43 6.99 3.68 2.95 42.37 37 63
2021 5.52 6.04 4.51 7.54 7.45 7.73 4.13 2.92 45.84 4 60
2022 5.82 5.34 4.48 6.75 7.26 7.79 3.44 2.98 43.85 13 61
2023 5.31 5.29 4.34 7.10 7.29 7.35 3.57 3.22 43.48 21 61
2024 5.53 5.64 4.40 7.13 7.49 7.86 3.61 3.34 45.00 12 61
"""
DIMENSIONS = (
    "participation transparency accountability corruption_control procedures services environment egovernance"
).split()

LEDGER = facts(printable=None)


@pytest.mark.parametrize("row", ROWS, ids=[f"{r[0][:12]}-{r[1]}" for r in ROWS])
def test_every_printed_figure_is_in_the_ledger(row):
    source, printed, number, unit = row
    found = [
        f
        for f in LEDGER
        if f.kind == "fact"
        and source in f.source
        and f.unit == unit
        and (f.printed == printed or (unit == "decision" and f.printed.endswith(printed)))
    ]
    assert found, f"{printed} of {source}"
    fact = found[0]
    assert fact.printable
    assert fact.verified
    assert fact.place == PLACES[source]
    if number == "None":
        assert fact.value != fact.value
    else:
        assert fact.value == float(number)


def test_the_ledger_prints_no_figure_that_is_not_on_the_list():
    listed = {(source, printed) for source, printed, *_ in ROWS} | {(LANG_SON_STUDY, "Bốn")}
    for fact in LEDGER:
        known = [s for s in PRINTED if s in fact.source]
        if fact.kind == "fact" and known:
            assert any(s == known[0] and fact.printed.endswith(p) for s, p in listed), fact.id


@pytest.mark.parametrize("line", PAPI.strip().splitlines(), ids=lambda line: line[:4])
def test_papi_of_lang_son(line):
    year, *numbers = line.split()
    values, (total, rank, provinces) = numbers[:8], numbers[8:]
    for dimension, value in zip(DIMENSIONS, values, strict=True):
        fact = LEDGER.get(f"ls_papi_{dimension}_{year}")
        assert (fact.value, fact.year, fact.unit) == (float(value), int(year), "score")
        assert fact.printed == value.replace(".", ",")
    assert LEDGER.value(f"ls_papi_total_{year}") == float(total)
    order = LEDGER.get(f"ls_papi_rank_{year}")
    assert (order.value, order.out_of, order.kind) == (int(rank), int(provinces), "derived")
    assert sum(map(float, values)) == pytest.approx(float(total), abs=0.045)


def test_quotations_are_short_and_stand_beside_every_printed_figure():
    for fact in LEDGER:
        assert len(fact.quotation.split()) <= 25, fact.id
        if fact.kind == "fact" and fact.unit != "score" and fact.verified:
            assert fact.quotation, fact.id
        plain = fact.printed.removesuffix("%")
        if fact.kind == "fact" and fact.quotation and fact.unit not in {"rank", "decision"} and plain[:1].isdigit():
            assert plain.split("/")[0] in fact.quotation, fact.id


def test_flags_and_what_is_never_printed():
    flags = {f.id: f for f in LEDGER if f.kind == "flag"}
    assert {f"f{i}" for i in range(1, 26)} <= set(flags)
    hidden = {f.id for f in LEDGER if not f.printable}
    assert hidden == {"f4", "f5", "f6", "f9", "review_place"}
    assert {f.id for f in flags.values() if f.decided_by} == set(DECIDED)
    for identifier, decide in DECIDED.items():
        assert flags[identifier].decided_by == decide.__name__
    for flag in flags.values():
        assert flag.settled_by("vi"), flag.id
        assert flag.settled_by("en") != flag.settled_by("vi"), flag.id
    assert not {f.id for f in facts()} & hidden


def test_no_place_is_inferred_and_no_person_is_named():
    for name in ("facts.csv", "citations.csv"):
        text = resources.data("published", name).read_text(encoding="utf-8-sig")
        assert "Khánh Hòa" not in text
        assert not re.search(r"[Đđ]ồng chí|Chủ tịch UBND tỉnh|Phó [Bb]í thư", text)
        assert not re.search(r"\b(sai|nhầm|gian dối|bịa)\b", text)
    assert all(f.place == "" for f in LEDGER if REVIEW in f.source)


def test_english_words_stand_beside_vietnamese_ones():
    for fact in LEDGER:
        assert fact.quantity.en, fact.id
        assert bool(fact.note.vi) == bool(fact.note.en), fact.id
