"""Computing scorecards: agencies in the order asked for, every language, each warning about the data once."""

from dataclasses import replace

import pytest

import sipas_research as sr
from sipas_research import resources
from sipas_research.errors import AnalysisError, DesignWarning
from sipas_research.study.scorecard_content import compute_scorecards


@pytest.fixture(scope="module")
def study():
    return sr.load_study(resources.data("twin", "study.toml"))


@pytest.fixture(scope="module")
def everyone(study):
    return study.responses("citizens")


def test_each_agency_in_each_language_and_each_warning_once(study, everyone):
    frame = everyone.frame.copy()
    lonely = frame.index[(frame["agency"] == "so_02") & (frame["year"] == 2022)][0]
    frame.loc[lonely, "stratum"] = "chỉ một phiếu"
    with pytest.warns(DesignWarning) as told:
        cards = compute_scorecards(study, replace(everyone, frame=frame), ("so_11", "so_01"), ("vi", "en"))
    assert len({str(w.message) for w in told}) == len(told)
    assert [(c.agency, c.language) for c in cards] == [
        ("so_11", "vi"),
        ("so_11", "en"),
        ("so_01", "vi"),
        ("so_01", "en"),
    ]
    assert all(shown.language == c.language for c in cards for part in c.parts.values() for shown in part)


def test_an_agency_of_few_forms_gets_none(study, everyone):
    frame = everyone.frame
    few = frame.index[(frame["agency"] == "so_01") & (frame["year"] == 2022)][5:]
    with pytest.raises(AnalysisError):
        compute_scorecards(study, replace(everyone, frame=frame.drop(index=few)), ("so_01",), ("vi",))
