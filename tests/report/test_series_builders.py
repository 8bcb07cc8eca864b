"""Tables, figures and findings of published series: readable in both languages, and no line across a break."""

import json
import re

import pytest

import sipas_research as sr
from sipas_research import report
from sipas_research.errors import HonestyError
from sipas_research.evidence.par_table import read_par_table
from sipas_research.evidence.published import REVIEW_EVENTS
from sipas_research.evidence.series import SIPAS_BREAKS, Break, Point, Series
from sipas_research.report.series_figures import break_flags, draw_flags, draw_series, event_flags
from sipas_research.report.theme import TEXT_WIDTH
from sipas_research.results import DataKind
from sipas_research.wording import LANGUAGES, Bilingual

READINGS = ("points", "percent")


@pytest.fixture(scope="module")
def indices():
    return [sr.index_series(name, reading) for name in ("par", "sipas") for reading in READINGS]


@pytest.fixture(scope="module")
def review():
    return [sr.review_series(reading) for reading in READINGS]


@pytest.fixture(scope="module")
def paths(review):
    return [sr.target_path(series, targets=sr.review_targets()) for series in review]


@pytest.fixture(scope="module")
def measured(indices):
    papi = sr.papi_series()
    return [
        *((s, sr.stability(s, n=400 if s.name.vi == "SIPAS" else None, printed_n=(2021,))) for s in indices),
        (papi, sr.stability(papi)),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_table_is_readable_and_published(indices, review, paths, measured, language):
    tables = [
        report.dashboard_table(sr.dashboard(), language),
        report.breaks_table(SIPAS_BREAKS, language),
        report.review_table(*review, language),
        report.target_table(paths, language, others=paths),
        report.back_test_table(paths, language),
        report.change_table(measured, 400, language),
        report.stability_table(measured, language),
    ]
    for table in tables:
        words = " ".join([table.caption, *[c.label for c in table.columns], *sum(table.printed(), ()), table.note_line])
        assert not re.search(r"\bnan\b|None|[a-z]+_[a-z0-9_]+", words), words[:300]
        assert table.data_kind is DataKind.PUBLISHED
        assert json.loads(json.dumps(table.payload()))["id"] == table.id
    assert len({t.id for t in tables}) == len(tables)


def test_dashboard_prints_what_the_source_prints():
    vi, en = (report.dashboard_table(sr.dashboard(), language).printed() for language in LANGUAGES)
    assert vi[0] == ("PAR INDEX", "87,11%", "23/63", "3,31%", "13", "83,80%", "84,32%", "36/63")
    assert vi[1] == ("SIPAS", "87,07%", "31/63", "3,1%", "8", "83,97%", "84,45%", "39/63")
    assert en[1] == ("SIPAS", "87.07%", "31/63", "3.1%", "8", "83.97%", "84.45%", "39/63")


def test_review_shows_gaps_as_gaps_and_both_readings(review):
    rows = {row[0]: row for row in report.review_table(*review, "vi").printed()}
    assert rows["2018"][1:4] == ("78,00%", "80,60%", "2,60")
    assert rows["2023"][1:4] == ("84,01%", "85,71%", "1,70")
    assert rows["2017"][2] == "76,43%–77,37%"
    assert rows["2022"][2] == "81,98%–82,63%"
    assert [year for year, row in rows.items() if row[2].startswith("–")] == "2014 2015 2016 2019 2020 2021".split()


def test_no_drawn_line_crosses_a_break_or_a_gap():
    from matplotlib import pyplot as plt

    known = [y for y in range(2014, 2029) if y not in {2016, 2017}]
    series = Series(Bilingual("thử"), tuple(Point(y, 80.0) for y in known), SIPAS_BREAKS)
    drawing, axes = plt.subplots()
    draw_series(axes, series, colour="black", marker="o", label="x")
    joined = [sorted(line.get_xdata()) for line in axes.lines if line.get_linestyle() != "None"]
    plt.close(drawing)
    assert joined == [[2014, 2015], [2018, 2019, 2020, 2021], [2023, 2024], [2025, 2026, 2027, 2028]]


def test_labels_of_breaks_and_documents_are_drawn_and_not_crossed():
    from matplotlib import pyplot as plt

    drawing, axes = plt.subplots(figsize=(TEXT_WIDTH, 4.2))
    axes.set_xlim(2013.4, 2023.6)
    flags = [*break_flags(SIPAS_BREAKS, 2013.5, 2023.5, "vi"), *event_flags(REVIEW_EVENTS, "vi")]
    draw_flags(axes, flags)
    assert [t.get_text() for t in axes.texts] == [
        "SIPAS: từ 2022 hỏi người dân nói chung",
        "Kết luận số 91 (18/10/2022)",
        "SIPAS: phương pháp năm 2023",
        "Chương trình hành động số 12 (31/3/2017)",
    ]
    drawing.draw_without_rendering()
    renderer = drawing.canvas.get_renderer()
    for label in axes.texts:
        box = label.get_window_extent(renderer)
        for line in axes.lines:
            place, top = line.get_window_extent(renderer).x0, line.get_window_extent(renderer).y1
            assert not (box.x0 < place < box.x1 and top > box.y0), label.get_text()
    plt.close(drawing)
    assert break_flags([Break(2030, "two_tier")], 2013.5, 2023.5, "vi") == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_figures_name_gaps_and_carry_the_sentence_on_documents(indices, review, paths, language):
    shown = [
        report.dashboard_figure(indices, language),
        report.review_figure(*review, language),
        report.path_figure(review[0], paths[0], language),
    ]
    assert [f.id for f in shown] == ["fig-dashboard", "fig-review", "fig-path"]
    assert "2018, 2019, 2022" in shown[0].note_line
    said = "chưa phải là bằng chứng" if language == "vi" else "not evidence"
    assert said in shown[1].note_line
    again = report.review_figure(*review, language)
    assert again.png == shown[1].png
    assert again.svg == shown[1].svg


def test_too_few_values_print_the_reason_and_no_picture():
    few = sr.index_series("sipas", "points")
    path = sr.target_path(few, targets={2025: 90})
    table = report.target_table([path], "vi")
    assert "Không đủ số liệu" in table.note_line
    assert table.printed()[0][4] == "–"
    assert report.path_figure(few, path, "vi") is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_findings_quote_the_numbers_and_end_with_limits(review, paths, measured, language):
    found = report.series_findings(sr.dashboard(), review[0], paths, measured, language)
    again = report.series_findings(sr.dashboard(), review[0], paths, measured, language)
    assert found == again
    assert {f.data_kind for f in found} == {DataKind.PUBLISHED}
    assert found[-1].role == found[-2].role == "limit"
    words = " ".join(f.text for f in found)
    pace, rise, z = ("2,15", "3,10", "1,25") if language == "vi" else ("2.15", "3.10", "1.25")
    assert pace in words
    assert rise in words
    assert z in words
    assert ("chưa đủ số liệu để nói" if language == "vi" else "not enough data to tell") in words
    assert not re.search(r"\bnan\b|None", words)


def test_tree_of_the_user_or_the_reason(tmp_path):
    reason = report.par_table(None, "vi")
    assert reason.role == "reason"
    assert "par_index.xlsx" in reason.text
    assert report.par_fields_table(None, "vi") is None
    path = tmp_path / "par_index.csv"
    path.write_text("Lĩnh vực,Chỉ tiêu,Điểm,Điểm năm trước\nA,,92,90\nB,,,80\nB,b1,1,1\n", encoding="utf-8")
    tree = read_par_table(path)
    assert report.par_table(tree, "vi").printed()[0] == ("Lĩnh vực", "8", "2", "1", "0", "0", "1")
    assert report.par_table(tree, "en").printed()[2][2:] == ("0", "–", "–", "–", "–")
    assert report.par_fields_table(tree, "vi").printed()[1] == ("B", "–", "80,00", "–")


def test_published_figures_stay_out_of_the_simulated_province():
    with pytest.raises(HonestyError, match="Tỉnh Mô phỏng"):
        report.refuse_simulated_place(DataKind.SIMULATED, Bilingual("Tỉnh Mô phỏng"), "vi")
    report.refuse_simulated_place(DataKind.USER, Bilingual("Tỉnh Lạng Sơn"), "vi")
