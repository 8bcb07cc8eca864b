"""The framework document's parts: every rule of a file is printed with its status, in both languages."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from sipas_research import report
from sipas_research.errors import HonestyError
from sipas_research.framework.frames import Frames, agency_frames
from sipas_research.framework.framework_file import load_framework
from sipas_research.framework.framework_spec import LEVELS, Basis, Framework
from sipas_research.report.framework_front import framework_front
from sipas_research.report.source import carries_own_mark, make_source
from sipas_research.results import DataKind
from sipas_research.survey.agencies import Agency, AgencyRegister
from sipas_research.survey.questionnaire import Answer, Question, Questionnaire, Scale
from sipas_research.survey.questionnaire_files import load_questionnaire
from sipas_research.wording import LANGUAGES, Bilingual

NAMES = re.compile(r"\b[a-z]+(?:_[a-z0-9]+)+\b|\bNone\b|\bnan\b|\bTrue\b|\bFalse\b")
REGISTER = AgencyRegister(
    (
        Agency("so_a", Bilingual("Sở A", "Department A"), "department"),
        Agency("so_b", Bilingual("Sở <b>B</b>", "Department <b>B</b>"), "department"),
        Agency("xa_a", Bilingual("Xã A", "Commune A"), "commune"),
    )
)
FRAMES = Frames({"so_a": 1000.0, "so_b": math.nan}, REGISTER, DataKind.USER)


def tables(framework: Framework, language: str) -> list[report.Table]:
    form = load_questionnaire("citizens")
    names = (
        "framework_basis_table framework_procedures_table framework_criteria_table framework_planning_table "
        "framework_sizes_table framework_bands_table framework_settle_table framework_errors_table "
        "framework_indicators_table framework_rules_table framework_steps_table"
    ).split()
    found = [getattr(report, name)(framework, language) for name in names]
    levels = {level: load_framework(level) for level in LEVELS}
    found += [report.framework_agencies_table(framework, FRAMES, language), report.framework_states_table(language)]
    found += [report.framework_levels_table(levels, language), report.framework_shared_table(levels, language)]
    found += [f(framework, form, language) for f in (report.framework_facts_table, report.framework_items_table)]
    return [
        *found,
        *report.framework_example_tables(framework, language),
        *report.framework_form_tables(framework, language),
    ]


def printed(table: report.Table) -> str:
    cells = [cell for row in table.printed() for cell in row]
    return " | ".join([table.caption, *(c.label for c in table.columns), *cells, table.note_line])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("level", LEVELS)
def test_every_part_is_printed_in_words(level: str, language: str) -> None:
    framework = load_framework(level)
    found = tables(framework, language)
    assert len({t.id for t in found}) == len(found) >= 20
    for table in found:
        assert not NAMES.search(printed(table)), NAMES.search(printed(table))
    text = " ".join(printed(t) for t in found)
    parts = (framework.criteria, framework.indicators, framework.procedures)
    for name in [entry.name(language) for part in parts for entry in part]:
        assert name in text
    for entry in (*framework.publication, *framework.appeal):
        assert entry.text(language) in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_front_page_and_open_points(language: str) -> None:
    framework = load_framework("department")
    front = framework_front(framework, language)
    assert "80%" in front
    assert "158" in front
    found = report.framework_findings(framework, FRAMES, language)
    said = {f.id: f.text for f in found}
    assert "1001" in said["framework-unread"]
    assert "1001" not in said["framework-to-issue"]
    assert said["framework-frames"].count("1") == 1
    assert "2" in said["framework-frames"]
    mark = {"vi": "DỮ LIỆU MÔ PHỎNG", "en": "SIMULATED DATA"}[language]
    assert mark in said["framework-limit-size"]


def test_statuses_say_what_was_not_read() -> None:
    framework = load_framework("department")
    table = report.framework_basis_table(framework, "vi")
    assert all("kiểm chứng" in row[3] for row in table.printed())
    read = Basis("Số 1", Bilingual("Tên"), Bilingual("Ghi chú"), "read")
    assert report.framework_basis_table(replace(framework, basis=(read,)), "vi").printed()[0][3] == "đã đọc"


def test_weights_add_up_over_components() -> None:
    framework = load_framework("commune")
    rows = report.framework_criteria_table(framework, "vi").rows
    whole = [row[3] for row in rows if row[2] == ""]
    assert len(whole) == len(framework.components)
    assert sum(whole) == pytest.approx(1.0)
    assert sum(row[3] for row in rows if row[2]) == pytest.approx(1.0)


def test_agencies_without_a_frame_stay_open() -> None:
    framework = load_framework("department")
    table = report.framework_agencies_table(framework, FRAMES, "vi")
    first, second, total = table.printed()
    assert first[1] == "1.000"
    assert first[4] == "286"
    assert set(second[1:]) == {"–"}
    assert total[1] == "1.000"
    empty = Frames({"so_a": math.nan}, REGISTER, DataKind.USER)
    row = report.framework_agencies_table(framework, empty, "vi").printed()
    assert len(row) == 1
    assert "…" in row[0][1]
    none = report.framework_agencies_table(framework, Frames({}, REGISTER, DataKind.USER), "vi")
    assert isinstance(none, report.Finding)
    assert agency_frames(REGISTER, "commune", data_kind=DataKind.USER).open == 1


def test_form_asks_the_frameworks_own_questions() -> None:
    framework = load_framework("district")
    table = report.framework_items_table(framework, load_questionnaire("citizens"), "vi")
    asked = [row[1] for row in table.rows]
    assert all(item.text.vi in asked for item in framework.items)
    boxes = [row[2:] for row in table.rows if "." in row[0]]
    assert all(set(row) == {"□"} for row in boxes)
    facts = report.framework_facts_table(framework, load_questionnaire("citizens"), "vi")
    assert not any("Kinh" in str(row[2]) for row in facts.rows)  # sensitive facts are off


def test_form_has_a_box_for_no_answer_whatever_the_study_asks() -> None:
    framework, packaged = load_framework("department"), load_questionnaire("citizens")
    usual = report.framework_items_table(framework, packaged, "vi")
    bare = tuple(replace(q, answers=tuple(a for a in q.answers if not a.missing)) for q in packaged.questions)
    without = report.framework_items_table(framework, replace(packaged, questions=bare), "vi")
    assert [c.label for c in without.columns] == [c.label for c in usual.columns]
    assert without.rows == usual.rows
    scale = Scale("rating_scale", Bilingual("Giờ giảng", "Lecture"), "factor")
    levels = tuple(Answer(code, Bilingual(str(code))) for code in range(1, 6))
    rating = Question("rating", Bilingual("Giờ giảng", "Lecture"), "likert", scale="rating_scale", answers=levels)
    other = Questionnaire("citizens", Bilingual("Khác", "Other"), "citizen", "", (scale,), (rating,))
    assert report.framework_items_table(framework, other, "vi") == usual, "its answers say nothing about satisfaction"


def test_trial_computations_carry_their_mark_in_any_document() -> None:
    framework = load_framework("department")
    trial = [report.framework_errors_table(framework, "vi"), *report.framework_example_tables(framework, "vi")]
    assert all("DỮ LIỆU MÔ PHỎNG" in t.caption and carries_own_mark(t.id) for t in trial)
    chapter = report.Chapter("thu", "vi", tuple(trial))
    document = report.Document("T", "", "", "vi", DataKind.USER, "x", (chapter,))
    assert make_source(document).markdown.count("DỮ LIỆU MÔ PHỎNG") == len(trial)
    other = replace(trial[0], id="tbl-planned-errorsx")
    with pytest.raises(HonestyError):
        make_source(replace(document, chapters=(report.Chapter("thu", "vi", (other,)),)))


def test_example_prints_the_division() -> None:
    counts, steps = report.framework_example_tables(load_framework("department"), "vi")
    total = counts.printed()[-1]
    assert f"{total[8]} / {total[7]}" in steps.printed()[0][0]
    assert steps.printed()[0][1] == total[-1]
    weighted = replace(load_framework("department"), definition="criterion_weights")
    rows = report.framework_example_tables(weighted, "vi")[0].printed()
    assert len(rows) == len(weighted.criteria) + 1
    assert rows[-1][-2] == "100,0%"
    people = replace(weighted, definition="mean_of_shares")
    assert "năm người" in report.framework_example_tables(people, "vi")[0].title


def test_passages_travel_through_a_notebook(tmp_path: Path) -> None:
    hostile = replace(load_framework("commune"), purpose=Bilingual("<script>*a*</script> $x$"))
    shown = report.framework_purpose(hostile, "vi")
    bundle = shown._repr_mimebundle_()
    cell = {"cell_type": "code", "metadata": {}, "outputs": [{"output_type": "display_data", "data": bundle}]}
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": [cell]}), encoding="utf-8")
    blocks = report.read_chapter(path, "vi").blocks
    assert blocks == (shown.markdown,)
    assert "<script>" not in blocks[0]
    assert report.read_chapter(path, "en").blocks == ()


def test_figure_is_the_same_twice() -> None:
    figure = report.framework_margin_figure(load_framework("department"), "vi")
    again = report.framework_margin_figure(load_framework("department"), "vi")
    assert figure.png == again.png
    assert figure.svg == again.svg
