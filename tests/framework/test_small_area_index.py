"""Model estimates beside the direct ones: the reference, hidden agencies, probabilities within families, refusals."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import AnalysisError, OptionError
from sipas_research.survey.agencies import AgencyRegister

EXPECTED = json.loads((Path(__file__).parents[1] / "reference" / "index" / "expected.json").read_text(encoding="utf-8"))


@pytest.fixture
def index(reference):
    return sr.satisfaction_index(reference(stratum="agency", weight="weight"), by="agency", definition="mean_of_shares")


def test_agrees_with_the_reference(index):
    found = sr.fay_herriot(index, variances="direct", draws=1_000)
    table = found.tidy().set_index("group")
    stored = EXPECTED["fay_herriot"]
    codes = [str(row["agency"]) for row in EXPECTED["by_agency"]]
    assert table.loc[codes, "estimate"].to_numpy() == pytest.approx(np.array(stored["eblup"]), abs=1e-6)
    assert found.variance == pytest.approx(stored["A"], abs=1e-6)
    assert found.terms == ("constant", "department")
    assert found.coefficients == pytest.approx(stored["beta"], abs=1e-6)


def test_probabilities_add_up_within_each_family(index):
    table = sr.fay_herriot(index, top=4, draws=1_000).tidy()
    assert table.groupby("family")["p_top"].sum().to_numpy() == pytest.approx([4.0, 4.0])
    assert (table["rmse"] > 0).all()
    assert table["weight"].between(0, 1).all()


def test_smoothed_variances_take_the_noise_out_of_the_errors(index):
    table = sr.fay_herriot(index, draws=1_000).tidy()
    assert table["sampling_error"].std() < table["direct_error"].std()
    assert table["sampling_error"].mean() == pytest.approx(table["direct_error"].mean(), rel=0.1)


def test_hidden_agencies_are_not_in_the_model(small):
    people = small([60, 60, 60, 60, 60, 12, 5])
    index = sr.satisfaction_index(people, by="agency")
    found = sr.fay_herriot(index, draws=1_000)
    table = found.tidy().set_index("group")
    hidden = set(index.groups) - set(index.labels)
    assert {"dv_06"} < hidden
    assert table.loc[sorted(hidden)].drop(columns=["family", "note"]).isna().all().all()
    assert (table.loc[sorted(hidden), "note"] == "ranks.model.suppressed").all()
    assert found.n_agencies == len(index.labels)


def test_covariates_are_matched_by_code(small):
    index = sr.satisfaction_index(small([60] * 8), by="agency")
    extra = pd.DataFrame({"online": np.linspace(0, 1, 8) ** 2}, index=[f"dv_0{i}" for i in range(8)])
    first = sr.fay_herriot(index, extra, draws=1_000)
    again = sr.fay_herriot(index, extra.iloc[::-1], draws=1_000)
    assert first.terms == ("constant", "online")
    assert first.tidy().equals(again.tidy())
    assert list(first.regression()["term"]) == ["constant", "online"]


@pytest.mark.parametrize(
    "extra",
    [
        pd.DataFrame({"x": [1.0] * 8}, index=[f"dv_0{i}" for i in range(8)]),
        pd.DataFrame({"x": [1.0, 2.0]}, index=["dv_00", "dv_01"]),
        pd.DataFrame({"x": ["a"] * 8}, index=[f"dv_0{i}" for i in range(8)]),
        pd.DataFrame({"x": [np.nan] * 8}, index=[f"dv_0{i}" for i in range(8)]),
        pd.DataFrame({"x": np.arange(8.0)}, index=["dv_00"] * 8),
    ],
    ids=["constant", "missing agencies", "text", "nan", "twice"],
)
def test_covariates_that_do_not_fit_are_refused(small, extra):
    with pytest.raises(OptionError, match="dv_00"):
        sr.fay_herriot(sr.satisfaction_index(small([60] * 8), by="agency"), extra)


def test_options_and_few_agencies_are_refused(small):
    index = sr.satisfaction_index(small([60] * 5), by="agency")
    for options in ({"variances": "none"}, {"top": 0}, {"level": 1.0}, {"draws": 10}, {"seed": -1}):
        with pytest.raises(OptionError):
            sr.fay_herriot(index, **options)
    with pytest.raises(OptionError, match="agency"):
        sr.fay_herriot(sr.satisfaction_index(small([60] * 5), by="channel"))
    with pytest.raises(AnalysisError, match="ít nhất 4"):
        sr.fay_herriot(sr.satisfaction_index(small([60] * 3), by="agency"))


def test_order_of_the_register_does_not_matter_and_it_says_that_it_decides_nothing(small):
    people = small([60, 70, 80, 60, 50])
    turned = replace(people, agencies=AgencyRegister(people.agencies.agencies[::-1]))
    first, second = (sr.fay_herriot(sr.satisfaction_index(p, by="agency"), draws=1_000) for p in (people, turned))
    columns = ["estimate", "rmse", "p_top"]
    pd.testing.assert_frame_equal(
        first.tidy().set_index("group")[columns].sort_index(), second.tidy().set_index("group")[columns].sort_index()
    )
    assert "không dùng để xếp hạng hay xếp loại" in first.summary("vi")
    assert "neither rank nor class" in first.summary("en")
    assert first.data_kind.is_simulated
    assert first.glance()["method"].item() in {"reml", "adjusted"}
