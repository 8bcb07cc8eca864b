"""Tables of classes, appeal sheets and measures: readable, marked, complete, in both languages."""

import json
import re

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research import report, resources
from sipas_research.errors import AgencyError, AnalysisError, OptionError
from sipas_research.framework.actions import load_actions, suggest_actions
from sipas_research.framework.appeal import appeal_sheet
from sipas_research.framework.class_errors import misgraded
from sipas_research.framework.class_result import bare_row
from sipas_research.framework.class_stability import class_stability
from sipas_research.framework.framework_file import load_framework
from sipas_research.framework.results_register import Entry, ResultsRegister
from sipas_research.numerics.intervals import logit_interval


@pytest.fixture(scope="module")
def current():
    study = sr.load_study(resources.data("twin", "study.toml"))
    return study.current(study.responses("citizens"))


@pytest.fixture(scope="module")
def index(current):
    return sr.satisfaction_index(current, by="agency")


@pytest.fixture(scope="module")
def found(index):
    return sr.classify(index, load_framework("department"), year=2022)


@pytest.fixture(scope="module")
def records():
    table = pd.read_csv(resources.data("twin", "agency_years.csv"), encoding="utf-8-sig")
    row = table[(table["agency"] == "so_11") & (table["year"] == 2022)].iloc[0]
    return {k: float(v) for k, v in row.items() if isinstance(v, int | float | np.number)}


REGISTER = ResultsRegister((Entry(2022, "department", "draft", "2023-01-05", "compiler", "", "x"),))


def check(table, language):
    words = " ".join([table.caption, *[c.label for c in table.columns], *sum(table.printed(), ()), table.note_line])
    assert not re.search(r"\bnan\b|None|[a-z]+_[a-z0-9_]+", words), words[:300]
    assert ("DỮ LIỆU MÔ PHỎNG" if language == "vi" else "SIMULATED DATA") in table.caption
    assert json.loads(json.dumps(table.payload()))["id"] == table.id
    return words


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_table_is_readable_and_marked(index, found, current, records, language):
    framework = load_framework("department")
    state = REGISTER.line(2022, "department", language)
    errors = misgraded(index, framework.bands, rng=np.random.default_rng(1), family="department", years=50)
    stable = class_stability({2018: found, 2019: found})
    sheet = appeal_sheet(index, found, "so_11", framework=framework, records=records, register=REGISTER)
    measures = suggest_actions(
        "so_11", sr.scorecard(current, "so_11").difference_rows, load_actions(), data_kind=current.data_kind
    )
    tables = [
        report.class_table(found, current, language, state=state),
        report.bands_table(framework.bands, found.data_kind, language),
        report.misgrading_table(errors, language),
        report.class_moves_table(stable, found.bands, current, language),
        *report.appeal_sheet_tables(sheet, current, language),
        report.action_table(measures, current, language),
    ]
    for table in tables:
        check(table, language)
    assert len({t.id for t in tables}) == len(tables) == 11
    assert state in tables[0].note_line
    assert state in tables[4].note_line


def test_agencies_stand_in_the_order_of_the_register(found, current):
    rows = report.class_table(found, current, "vi").printed()
    assert [r[0] for r in rows] == [current.agencies.name(c, "vi") for c in current.agencies.codes("department")]


def test_cuts_that_nobody_decided_say_so(found, current):
    assert "chưa kiểm chứng" in report.class_table(found, current, "vi").note_line
    assert "not verified" in report.bands_table(found.bands, found.data_kind, "en").note_line


def test_a_withheld_agency_shows_nothing(found, current):
    from dataclasses import replace

    rows = (bare_row("so_01", "withheld"), bare_row("so_02", "no_answers"), *found.rows[2:])
    printed = report.class_table(replace(found, rows=rows), current, "vi").printed()
    assert printed[0][1:5] == ("(*)", "(*)", "(*)", "không công bố")
    assert printed[1][1] == "–"


def test_the_sheet_repeats_the_arithmetic(index, found):
    sheet = appeal_sheet(index, found, "so_11")
    steps = dict(sheet.arithmetic)
    ends = logit_interval(steps["estimate"], steps["std_error"], steps["df"], 0.90)
    assert (steps["lower"], steps["upper"]) == pytest.approx(ends, abs=1e-12)
    by_hand = 1.0 / (1.0 + np.exp(-(steps["logit"] - steps["t"] * steps["logit_error"])))
    assert by_hand == pytest.approx(steps["lower"], abs=1e-12)
    assert [c.side for c in sheet.cuts] == ["below", "below"]
    assert {t.term for t in sheet.terms} >= {"index", *index.components}
    assert sheet.records == ()


def test_the_sheet_carries_state_records_and_steps(index, found, records):
    framework = load_framework("department")
    sheet = appeal_sheet(index, found, "so_11", framework=framework, records=records, register=REGISTER)
    assert sheet.state == "draft"
    on_time = next(r for r in sheet.records if r.indicator.id == "files_on_time")
    assert on_time.value == pytest.approx(on_time.count / on_time.total)
    assert [s.id for s in sheet.steps] == ["preview", "petition", "answer", "sign", "publish"]


def test_exact_bounds_have_their_own_arithmetic(index, found):
    agency = next(r.group for r in found.rows if r.method == "exact")
    steps = dict(appeal_sheet(index, found, agency).arithmetic)
    assert steps["npq"] < 10.0
    assert "logit" not in steps


def test_sheets_that_would_disclose_or_mislead_are_refused(index, found, current):
    from dataclasses import replace

    with pytest.raises(AgencyError):
        appeal_sheet(index, found, "huyen_01")
    hidden = replace(found, rows=(bare_row("so_01", "withheld"),))
    with pytest.raises(AnalysisError):
        appeal_sheet(index, hidden, "so_01")
    other = sr.satisfaction_index(current, by="agency", definition="mean_score")
    with pytest.raises(OptionError):
        appeal_sheet(other, found, "so_11")


def test_no_measure_is_a_sentence(current):
    none = suggest_actions("so_01", (), load_actions(), data_kind=current.data_kind)
    shown = report.action_table(none, current, "vi")
    assert isinstance(shown, report.Finding)
