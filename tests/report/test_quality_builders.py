"""Tables of reliability, screening, agreement and response quality: readable, marked, nobody shown."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research import report, resources
from sipas_research.report import Finding, Table

pytestmark = pytest.mark.filterwarnings("ignore::sipas_research.errors.SipasWarning")
LANGUAGES = ("vi", "en")


@pytest.fixture(scope="module")
def project():
    return sr.load_study(resources.data("twin", "study.toml"))


@pytest.fixture(scope="module")
def citizens(project):
    return project.current(project.responses("citizens"))


@pytest.fixture(scope="module")
def staff(project):
    return project.current(project.responses("staff"))


@pytest.fixture(scope="module")
def hasty(citizens):
    """The citizens with 200 forms filled in within 20 seconds, one answer throughout."""
    frame = citizens.frame.copy()
    rows = np.random.default_rng(1).choice(len(frame), 200, replace=False)
    items = [q.id for q in citizens.questionnaire.items() if citizens.has(q.id)]
    frame.iloc[rows, [frame.columns.get_loc(i) for i in items]] = 4.0
    frame.iloc[rows, frame.columns.get_loc("end_time")] = frame["start_time"].iloc[rows] + pd.Timedelta(seconds=20)
    return replace(citizens, frame=frame)


def assert_readable(table, language):
    words = " ".join([table.caption, *[c.label for c in table.columns], *sum(table.printed(), ()), table.note_line])
    assert not re.search(r"\bnan\b|None|[a-z]+_[a-z0-9_]+", words), words[:600]
    assert ("DỮ LIỆU MÔ PHỎNG" if language == "vi" else "SIMULATED DATA") in table.caption
    assert json.loads(json.dumps(table.payload()))["id"] == table.id
    widths = [c.width for c in table.columns if c.width]
    assert sum(widths) <= 1.001


@pytest.mark.parametrize("language", LANGUAGES)
def test_reliability_tables(citizens, staff, language):
    found = sr.reliability(citizens, bootstrap=200, ordinal=True)
    full = report.omega_table(found, citizens, language)
    plain = report.omega_table(sr.reliability(citizens), citizens, language)
    assert len(full.columns) == len(plain.columns) + 3
    assert "Chalmers" in full.note_line
    assert "Chalmers" not in plain.note_line
    general = report.hierarchical_omega_table(sr.omega_hierarchical(citizens), citizens, language)
    assert "Schmid" in general.note_line
    apart = report.icc_table(sr.icc(citizens), citizens, language)
    agree = report.agreement_table(sr.agreement(staff), staff, language)
    bias = report.harman_table(sr.harman(citizens), citizens, language)
    assert "Podsakoff" in bias.note_line
    for table in (full, plain, general, apart, agree, bias):
        assert_readable(table, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_screening_tables(citizens, language):
    noise = np.random.default_rng(2).integers(1, 6, len(citizens)).astype(float)
    spoiled = replace(citizens, frame=citizens.frame.assign(access_2=noise, result_3=2.0))
    found = sr.screen_items(spoiled)
    log = report.screening_table(found, spoiled, language)
    effects = report.screening_effects_table(found, spoiled, language)
    assert len(log.rows) == len([line for line in found.rounds if line.action != "stopped"])
    assert {"1.2", "4.3"} <= {row[2] for row in log.rows}
    assert "Jabnoun" in log.note_line
    assert effects.columns[-1].id == "alpha_after"
    whole = sr.screen_items(spoiled, holdout=False)
    same = report.screening_effects_table(whole, spoiled, language)
    assert same.columns[-1].id == "alpha_same"
    marked = "cùng mẫu đã dùng để loại biến" if language == "vi" else "same sample"
    assert marked in same.note_line
    for table in (log, effects, same, report.screening_table(whole, spoiled, language)):
        assert_readable(table, language)
    quiet = sr.screen_items(citizens, rules=["item_total"])
    assert quiet.rounds == ()
    assert isinstance(report.screening_table(quiet, citizens, language), Finding)
    assert report.screening_effects_table(quiet, citizens, language) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_quality_tables(hasty, citizens, language):
    found = sr.response_quality(hasty)
    signs = report.response_signs_table(found, hasty, language)
    agencies = report.suspects_table(sr.response_quality(hasty, at_least=1), hasty, language)
    spread = report.suspects_spread_table(found, hasty, language)
    again = sr.rerun_without_suspects(hasty, sr.reliability)
    change = report.rerun_table(again, "alpha", hasty, language)
    assert len(signs.rows) == 6
    assert len(agencies.rows) == 31
    assert len(change.rows) == len(hasty.scale_items())
    for table in (signs, agencies, spread, change):
        assert_readable(table, language)
    collectors = set(hasty.frame["collector"].dropna())
    assert not any(c in json.dumps(t.payload()) for t in (signs, agencies, spread) for c in collectors)
    cleaned = sr.without_suspects(hasty)
    later = report.alpha_table(sr.reliability(cleaned), cleaned, language)
    assert str(again.n_removed) in later.note_line


def test_hidden_counts_are_stars_and_stay_hidden_in_the_payload(citizens):
    found = sr.response_quality(citizens, rules=["speed", "even_odd"], at_least=1)
    table = report.response_signs_table(found, citizens, "vi")
    assert table.printed()[0][1:] == ("(*)",) * 3
    assert {"suppressed": 10} in table.payload()["rows"][0]


def test_missing_columns_are_reasons(citizens):
    bare = replace(citizens, frame=citizens.frame.drop(columns=["start_time", "agency", "collector"]))
    found = sr.response_quality(bare)
    table = report.response_signs_table(found, bare, "vi")
    assert "giờ bắt đầu" in table.note_line
    assert report.suspects_table(found, bare, "vi") is None
    assert report.suspects_spread_table(found, bare, "vi") is None


def test_small_scales_and_one_agency(citizens, staff):
    one = citizens.where(agency="so_01")
    table = report.icc_table(sr.icc(one), one, "vi")
    assert_readable(table, "vi")
    short = sr.reliability(citizens, {"access": ["access_1", "access_2"]}, bootstrap=50, ordinal=True)
    assert_readable(report.omega_table(short, citizens, "vi"), "vi")
    few = replace(citizens, frame=citizens.frame.iloc[:6])
    assert_readable(report.omega_table(sr.reliability(few), few, "vi"), "vi")
    two = replace(staff, frame=staff.frame.iloc[:30])
    assert_readable(report.agreement_table(sr.agreement(two), two, "en"), "en")


def test_a_finding_in_place_of_a_result_passes_through(citizens):
    reason = Finding("reason-x", "Không tính được.", "vi", citizens.data_kind, role="reason")
    for build in (report.hierarchical_omega_table, report.icc_table, report.agreement_table, report.harman_table,
                  report.screening_table, report.response_signs_table, report.omega_table):  # fmt: skip
        assert build(reason, citizens, "vi") is reason
    assert report.rerun_table(reason, "x", citizens, "vi") is reason
    assert report.suspects_table(reason, citizens, "vi") is None
    assert report.screening_effects_table(reason, citizens, "vi") is None
    assert isinstance(report.harman_table(sr.harman(citizens), citizens, "vi"), Table)
