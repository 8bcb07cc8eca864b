"""Years side by side only where they were measured in one way; changes are told from noise for all agencies at once."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sipas_research.framework.change import index_change
from sipas_research.framework.history import agency_histories
from sipas_research.framework.index import satisfaction_index
from sipas_research.survey.specs import SampleDesign


@pytest.fixture
def waves(small):
    """Years of three agencies, each a sample of its own; the second falls in the last year."""

    def make(years, sizes=(60, 60, 30)):
        surveys = [small(sizes, seed=n, design=SampleDesign(weight="weight")) for n in range(len(years))]
        frames = [s.frame.assign(year=float(y)) for s, y in zip(surveys, years, strict=True)]
        last = frames[-1]
        last.loc[last["agency"] == "dv_01", ["a1", "a2", "b1"]] = 2.0
        return replace(surveys[0], frame=pd.concat(frames, ignore_index=True))

    return make


def test_years_of_one_method_with_their_changes(waves):
    survey = waves((2019, 2020, 2021))
    found = agency_histories(survey, ("dv_00", "dv_01"), year=2021)
    rows = found["dv_01"].rows
    assert [r.year for r in rows] == [2019, 2020, 2021]
    assert found["dv_01"].earlier == ()
    assert rows[0].change is None
    expected = satisfaction_index(survey.where(year=2020), by="agency").tidy()
    own = expected[(expected["term"] == "index") & (expected["group"] == "dv_01")].iloc[0]
    assert rows[1].figure.estimate == own["estimate"]
    tested = {r.group: r for r in index_change(survey, 2020, 2021, by="agency").rows}
    assert repr(rows[2].change) == repr(tested["dv_01"])
    assert rows[2].change.beyond
    assert not found["dv_00"].rows[2].change.beyond


def test_nothing_is_put_beside_years_before_a_break(waves):
    found = agency_histories(waves((2020, 2021, 2022)), ("dv_00",), year=2022)["dv_00"]
    assert found.rows == ()
    assert found.earlier == (2020, 2021)
    assert [b.year for b in found.breaks] == [2022]


def test_the_years_after_a_break_stand_alone(waves):
    found = agency_histories(waves((2021, 2023, 2024)), ("dv_00",), year=2024)["dv_00"]
    assert [r.year for r in found.rows] == [2023, 2024]
    assert [b.year for b in found.breaks] == [2022, 2023]
    assert np.isfinite(found.rows[1].change.p_value)


def test_later_years_are_left_out(waves):
    found = agency_histories(waves((2019, 2020, 2021)), ("dv_00",), year=2020)["dv_00"]
    assert [r.year for r in found.rows] == [2019, 2020]


def test_what_is_hidden_in_a_year_is_hidden_here(waves):
    survey = waves((2020, 2021), sizes=(60, 60, 12))
    frame = survey.frame.copy()
    few = frame.index[(frame["agency"] == "dv_02") & (frame["year"] == 2020)][4:]
    survey = replace(survey, frame=frame.drop(index=few))
    found = agency_histories(survey, survey.agencies.codes(), year=2021)
    assert found["dv_02"].rows[0].figure.suppressed
    assert np.isnan(found["dv_02"].rows[0].figure.n)
    assert found["dv_02"].rows[1].change.suppressed
    hidden = [code for code, history in found.items() if history.rows[0].figure.suppressed]
    assert len(hidden) >= 2, "the total of the year minus the shown agencies is the hidden one"


@pytest.mark.parametrize("year", [None, 2015])
def test_without_a_year_there_is_no_history(waves, year):
    found = agency_histories(waves((2020, 2021)), ("dv_00",), year=year)["dv_00"]
    assert found.rows == ()
    assert found.breaks == ()
