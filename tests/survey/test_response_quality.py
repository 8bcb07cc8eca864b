"""Response quality: planted careless forms are found, nobody is shown, later tables say what was taken out."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research import resources
from sipas_research.errors import AnalysisError, OptionError
from sipas_research.report.labels import source_line
from sipas_research.results import TIDY_COLUMNS, DataKind, Result
from sipas_research.survey.response_signs import CONVENTIONS, find_signs, suspect_forms

pytestmark = pytest.mark.filterwarnings("ignore::sipas_research.errors.DroppedRowsWarning")


@pytest.fixture(scope="module")
def current():
    study = sr.load_study(resources.data("twin", "study.toml"))
    return study.current(study.responses("citizens"))


@pytest.fixture(scope="module")
def items(current):
    return [q.id for q in current.questionnaire.items() if current.has(q.id)]


@pytest.fixture(scope="module")
def spoiled(current, items):
    """The province with 120 forms filled in within 30 seconds, one answer throughout, in three agencies."""
    frame = current.frame.copy()
    agency = frame["agency"].isin(["so_01", "so_02", "so_03"])
    rows = np.random.default_rng(1).choice(np.flatnonzero(agency), 120, replace=False)
    frame.iloc[rows, [frame.columns.get_loc(i) for i in items]] = 3.0
    end = frame["start_time"].iloc[rows] + pd.Timedelta(seconds=30)
    frame.iloc[rows, frame.columns.get_loc("end_time")] = end
    return replace(current, frame=frame), rows


def test_planted_forms_are_suspects(spoiled, current):
    responses, rows = spoiled
    marks = suspect_forms(find_signs(responses), 2)
    assert marks[rows].all()
    assert marks.sum() - len(rows) < 30
    found = sr.response_quality(responses)
    assert isinstance(found, Result)
    assert found.suspects.marked == marks.sum()
    assert found.suspects.share == pytest.approx(marks.mean())
    assert list(found.tidy().columns)[: len(TIDY_COLUMNS)] == list(TIDY_COLUMNS)


def test_agencies_and_the_spread_show_where_they_sit(spoiled):
    found = sr.response_quality(spoiled[0])
    shown = {row.group: row.share for row in found.agencies if not row.suppressed}
    assert {"so_01", "so_02", "so_03"} <= set(shown)
    assert min(shown[a] for a in ("so_01", "so_02", "so_03")) > 0.2
    spread = {s.by: s for s in found.spreads}
    assert spread["agency"].p_value < 1e-10
    assert spread["agency"].df == 30


def test_no_small_count_and_no_person_in_any_output(spoiled, current):
    for responses in (spoiled[0], current):
        for at_least in (1, 2):
            found = sr.response_quality(responses, at_least=at_least)
            table = found.tidy()
            counts = table[["n", "marked"]].to_numpy()
            assert not ((counts > 0) & (counts < 10)).any()
            rest = (table["n"] - table["marked"]).to_numpy()
            assert not ((rest > 0) & (rest < 10)).any()
            collectors = set(responses.frame["collector"].dropna())
            said = found.summary("vi") + found.summary("en") + table.to_csv()
            assert not any(code in said for code in collectors)
    assert "Sign(" in repr(find_signs(current))
    assert "[" not in repr(find_signs(current)[0])


def test_hidden_agencies_do_not_follow_from_the_total(spoiled):
    found = sr.response_quality(spoiled[0])
    hidden = [row for row in found.agencies if row.suppressed]
    shown = [row for row in found.agencies if not row.suppressed]
    assert len(hidden) > 1
    assert found.suspects.marked - sum(row.suspects for row in shown) >= 10


def test_later_tables_say_what_was_taken_out(spoiled):
    responses, rows = spoiled
    cleaned = sr.without_suspects(responses)
    gone = len(responses) - len(cleaned)
    assert gone >= len(rows)
    assert len(responses.frame) == len(responses)
    assert f"đã bỏ {gone} phiếu" in source_line(cleaned, "vi")
    assert f"{gone} forms suspected" in source_line(cleaned.where(agency="so_05"), "en")
    assert source_line(responses, "vi").count(";") == 0
    assert cleaned.data_kind is DataKind.SIMULATED


def test_few_suspects_stay_in(current):
    marks = suspect_forms(find_signs(current, ["speed"]), 1)
    assert 0 < marks.sum() < 10
    same = sr.without_suspects(current, rules=["speed"], at_least=1)
    assert len(same) == len(current)
    assert "vẫn giữ" in source_line(same, "vi")
    none = sr.without_suspects(current, rules={"speed": 0.001}, at_least=1)
    assert "không có phiếu nào" in source_line(none, "vi")
    with pytest.raises(AnalysisError, match="10"):
        sr.rerun_without_suspects(current, sr.reliability, rules=["speed"], at_least=1)


def test_rerun_tells_what_changed(spoiled):
    found = sr.rerun_without_suspects(spoiled[0], sr.reliability)
    assert isinstance(found, Result)
    table = found.tidy()
    cleaned = sr.without_suspects(spoiled[0])
    expected = sr.reliability(cleaned).scales.set_index("term")["estimate"]
    whole = sr.reliability(spoiled[0]).scales.set_index("term")["estimate"]
    np.testing.assert_allclose(table["estimate"], expected[table["term"]])
    np.testing.assert_allclose(table["difference"], (expected - whole)[table["term"]])
    assert found.n_removed == len(spoiled[0]) - len(cleaned)
    assert found.glance().loc[0, "largest_change"] > 0.01
    for language in ("vi", "en"):
        assert "nan" not in found.summary(language)
    with pytest.raises(OptionError, match="float"):
        sr.rerun_without_suspects(spoiled[0], lambda part: 1.0)


def test_rerun_withholds_groups_that_lose_a_few_people(spoiled, current):
    responses = spoiled[0]
    found = sr.rerun_without_suspects(responses, lambda part: sr.agreement(part, scales="access", force=True))
    cleaned = sr.without_suspects(responses)
    complete = [r.frame[list(current.scale_items()["access"])].notna().all(axis=1) for r in (responses, cleaned)]
    sizes = [r.frame["agency"][kept].value_counts() for r, kept in zip((responses, cleaned), complete, strict=True)]
    gone = (sizes[0] - sizes[1].reindex(sizes[0].index, fill_value=0)).to_dict()
    table = found.tidy()
    few = table["group"].map(gone).between(1, 9)
    assert few.sum() > 3
    assert table.loc[few, ["estimate", "difference"]].isna().all(axis=None)
    assert (table.loc[few, "note"] == "response_quality.note.few_gone").all()
    many = table["group"].map(gone) >= 20
    assert many.sum() >= 3
    assert table.loc[many, "difference"].notna().all()
    same = table["group"].map(gone) == 0
    assert (table.loc[same, "difference"] == 0).all()


def test_order_of_rows_does_not_matter(spoiled):
    responses = spoiled[0]
    shuffled = replace(responses, frame=responses.frame.sample(frac=1, random_state=2))
    one, other = sr.response_quality(responses).tidy(), sr.response_quality(shuffled).tidy()
    pd.testing.assert_frame_equal(one, other)


def test_columns_that_are_missing_are_reasons(current):
    bare = replace(current, frame=current.frame.drop(columns=["start_time", "agency", "collector"]))
    found = sr.response_quality(bare)
    notes = {count.rule: count.note for count in found.counts}
    assert notes["speed"] == "response_quality.note.no_times"
    assert (found.agencies, found.spreads) == ((), ())
    keep = ["access_1", "access_2", "agency", "start_time", "end_time"]
    tiny = sr.response_quality(replace(current, frame=current.frame[keep]), at_least=1)
    notes = {count.rule: count.note for count in tiny.counts}
    assert notes["straight_line"] == notes["long_string"] == "response_quality.note.few_items"
    assert notes["even_odd"] == "response_quality.note.few_scales"
    assert notes["speed"] == ""
    for language in ("vi", "en"):
        assert "nan" not in tiny.summary(language)


def test_clocks_that_run_backwards_are_not_looked_at(current):
    frame = current.frame.copy()
    frame["end_time"] = frame["start_time"] - pd.Timedelta(seconds=5)
    sign = find_signs(replace(current, frame=frame), ["speed"])[0]
    assert not sign.checked.any()
    assert not sign.marked.any()


def test_constant_and_duplicated_items(current, items):
    frame = current.frame.copy()
    frame[items[0]] = 4.0
    flat = sr.response_quality(replace(current, frame=frame))
    assert flat.n == len(current)
    frame[items[2]] = frame[items[1]]
    twice = sr.response_quality(replace(current, frame=frame))
    assert {c.rule: c.note for c in twice.counts}["mahalanobis"] == "response_quality.note.no_distance"


def test_one_agency_and_few_forms(current):
    one = sr.response_quality(current.where(agency="so_01"))
    assert len(one.agencies) == 1
    assert {s.by: s.note for s in one.spreads}["agency"] == "response_quality.note.few_groups"
    for rows in (0, 2, 9):
        with pytest.raises(AnalysisError, match="10"):
            sr.response_quality(replace(current, frame=current.frame.iloc[:rows]))


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"rules": ["speeed"]}, "speed"),
        ({"rules": {"speed": -1}}, "speed"),
        ({"rules": {"even_odd": True}}, "even_odd"),
        ({"at_least": 0}, "1"),
        ({"at_least": 5}, "4"),
        ({"rules": ["straight_line", "long_string"], "at_least": 2}, "1"),
        ({"rules": [], "at_least": 1}, "mahalanobis"),
    ],
)
def test_refusals(current, options, word):
    with pytest.raises(OptionError, match=word):
        sr.response_quality(current, **options)


def test_bars_are_kept_with_the_counts(current):
    found = sr.response_quality(current, rules={"even_odd": 0.1, "speed": 3}, at_least=1)
    assert {c.rule: c.bar for c in found.counts} == {"speed": 3.0, "even_odd": 0.1}
    assert set(CONVENTIONS) >= {c.rule for c in found.counts}
