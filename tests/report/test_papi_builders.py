"""Tables, figures and sentences of the PAPI chapter, from an invented panel."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import sipas_research as sr
from sipas_research import report
from sipas_research.evidence.papi_facts import papi_facts
from sipas_research.report.papi_figures import cuts, stretches
from sipas_research.results import DataKind

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "evidence"))
from papi_invented import invented_rows, panel_of, write_rows

PROVINCE = "Lạng Sơn"
OUTCOMES = ("dim5_procedures", "dim4_corruption_control")


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    rows = invented_rows(3).assign(data_kind="simulated")
    return sr.read_papi(write_rows(rows, tmp_path_factory.mktemp("papi") / "invented.csv"))


@pytest.fixture(scope="module")
def results(panel):
    mixes = [sr.synthetic_control(panel, PROVINCE, o) for o in OUTCOMES]
    return sr.province_ranks(panel), sr.peers(panel, PROVINCE), mixes, sr.province_association(panel)


def tables(panel, results, language):
    ranks, peers, mixes, association = results
    return [
        report.papi_levers_table(PROVINCE, language),
        report.papi_breaks_table(PROVINCE, language),
        report.papi_gaps_table(panel, language),
        report.papi_dimensions_table(panel, ranks, PROVINCE, language),
        report.papi_published_table(PROVINCE, language),
        report.papi_ranks_table(panel, ranks, PROVINCE, language),
        report.papi_peers_table(peers, panel, language),
        report.papi_peer_gaps_table(peers, panel, language),
        report.papi_synthetic_table(mixes, panel, language),
        report.papi_weights_table(mixes[0], panel, language),
        report.papi_association_table(association, panel, language),
    ]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_table_is_readable(panel, results, language):
    made = tables(panel, results, language)
    assert len({t.id for t in made}) == len(made)
    for table in made:
        words = " ".join([table.caption, *[c.label for c in table.columns], *sum(table.printed(), ()), table.note_line])
        assert not re.search(r"\bnan\b|None|dim\d|[a-z]+_[a-z]+_", words), words[:300]
        assert json.loads(json.dumps(table.payload()))["id"] == table.id
        assert sum(c.width or 0 for c in table.columns) <= 1.001


def test_what_comes_from_a_marked_file_is_marked(panel, results):
    for table in tables(panel, results, "vi"):
        own = table.id not in {"tbl-papi-levers", "tbl-papi-breaks", "tbl-papi-published"}
        assert ("DỮ LIỆU MÔ PHỎNG" in table.caption) == own, table.id


def test_pay_and_training_have_no_dimension():
    rows = {row[0]: row[1] for row in report.papi_levers_table(PROVINCE, "vi").rows}
    assert rows["Chính sách đãi ngộ"] == rows["Đào tạo, bồi dưỡng"] == "không có"
    assert rows["Giám sát"].startswith("D3")


def test_published_table_is_the_ledgers():
    table = report.papi_published_table(PROVINCE, "vi")
    printed = {row[0]: row for row in table.printed()}
    assert printed["2018"] == ("2018", "5,54", "5,85", "5,16", "7,07", "7,66", "7,14", "5,19", "3,43", "47,05", "1/61")
    assert printed["2024"][-2:] == ("45,00", "12/61")
    assert table.data_kind is DataKind.PUBLISHED
    assert report.papi_published_table("Cao Bằng", "vi") is None


def test_lines_stop_at_breaks_gaps_and_missing_years(panel):
    years, values = [2016, 2017, 2018, 2020, 2021, 2022], [1.0, 2.0, np.nan, 4.0, 5.0, 6.0]
    assert stretches(years, values, [2021]) == [([2016, 2017], [1, 2]), ([2020], [4]), ([2021, 2022], [5, 6])]
    for column in (*papi_facts().dimension_ids, papi_facts().total):
        assert 2021 in cuts(panel, column)
        assert 2018 in cuts(panel, column)
    assert {2019, 2020} <= set(cuts(panel, "dim8_egovernance"))


@pytest.mark.parametrize("language", ["vi", "en"])
def test_figures(panel, results, language):
    _, peers, mixes, association = results
    made = [
        report.papi_dimension_figure(panel, PROVINCE, language),
        report.papi_peers_figure(peers, panel, language),
        report.papi_gap_figure(mixes[0], panel, language),
        report.papi_association_figure(association, panel, language),
    ]
    assert all(f.png.startswith(b"\x89PNG") for f in made)
    assert all("2021" in f.alt and f.source for f in made)
    assert len({f.id for f in made}) == 4


def test_same_panel_same_bytes(panel, results):
    first, again = (report.papi_gap_figure(results[2][0], panel, "vi") for _ in range(2))
    assert first.png == again.png
    assert first.svg == again.svg


@pytest.mark.parametrize("language", ["vi", "en"])
def test_findings_end_with_the_limit(panel, results, language):
    ranks, peers, mixes, association = results
    found = report.papi_findings(panel, ranks, peers, mixes[0], association, PROVINCE, language)
    assert [f.role for f in found] == ["main", *["finding"] * 5, "limit"]
    row = ranks.of(PROVINCE)[-1]
    assert sr.wording.number(row.estimate, 2, language) in found[0].text
    assert found[4].text.endswith({"vi": "không phải tác động.", "en": "not an effect."}[language])
    assert len({f.id for f in found}) == len(found)


def test_without_a_file_the_reason_is_given_once():
    missing = report.papi_missing(PROVINCE, "vi")
    assert missing.role == "reason"
    assert "--papi" in missing.text
    nothing = report.papi_attempt(lambda: 1 / 0, "ranks", missing, "vi")
    assert nothing is None
    assert report.papi_dimensions_table(missing, None, PROVINCE, "vi") is None
    assert report.papi_dimension_figure(missing, PROVINCE, "vi") is None
    assert report.papi_peers_table(None, missing, "vi") is None
    assert report.papi_synthetic_table([None], missing, "vi") is None
    found = report.papi_findings(missing, None, None, None, None, PROVINCE, "vi")
    assert [f.role for f in found] == ["finding", "limit"]


def test_published_figures_never_stand_beside_an_invented_province():
    assert report.papi_province("Tỉnh Mô phỏng", DataKind.SIMULATED) == ""
    assert report.papi_province("Tỉnh Lạng Sơn", DataKind.SIMULATED) == ""
    assert report.papi_province("Tỉnh Lạng Sơn", DataKind.USER) == PROVINCE
    assert "không gắn với một tỉnh có thật" in report.papi_missing("", "vi").text
    assert report.papi_levers_table("", "vi") is None
    assert report.papi_published_table("", "vi") is None


@pytest.mark.parametrize("language", ["vi", "en"])
def test_parts_of_dimensions_have_names_too(panel, language):
    found = sr.province_association(panel, predictors=("egov_portal", "dim3_accountability"))
    table = report.papi_association_table(found, panel, language)
    wanted = {"vi": "Tiếp cận cổng thông tin điện tử", "en": "Access to e-government portals"}[language]
    assert wanted in {row[2] for row in table.rows}
    assert wanted in found.summary(language)
    mix = sr.synthetic_control(panel, PROVINCE, "proc_land", split_year=2016)
    assert "proc_land" not in report.papi_weights_table(mix, panel, language).caption


def test_a_poor_panel_gives_reasons_not_errors():
    one = panel_of({(2024, PROVINCE): dict.fromkeys(papi_facts().dimension_ids, 5.0) | {"papi_total": 40.0}})
    ranks = report.papi_attempt(lambda: sr.province_ranks(one), "ranks", one, "vi")
    peers = report.papi_attempt(lambda: sr.peers(one, PROVINCE), "peers", one, "vi")
    mix = report.papi_attempt(lambda: sr.synthetic_control(one, PROVINCE), "synthetic", one, "vi")
    association = report.papi_attempt(lambda: sr.province_association(one), "association", one, "vi")
    assert [f.role for f in (peers, mix, association)] == ["reason"] * 3
    assert report.papi_dimensions_table(one, ranks, PROVINCE, "vi").rows[0][-1] == "1/1"
    assert report.papi_synthetic_table([mix], one, "vi") is mix
    assert report.papi_peers_table(peers, one, "vi") is peers
    assert report.papi_association_table(association, one, "vi") is association
    found = report.papi_findings(one, ranks, peers, mix, association, PROVINCE, "vi")
    assert [f.role for f in found] == ["main", "finding", "limit"]
