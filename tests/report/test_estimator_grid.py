"""One model by several estimators: the cells are those of the fits, and what depends on the choice is marked."""

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research import errors, report, resources
from sipas_research.report import Absent, Finding

MODEL = "f =~ a + b + c\ng =~ d + e + h\ng ~ p*f\ntwice := 2*p"


def people(rows=400, seed=5, cut=None):
    """Return answers with one path; ``cut`` turns them into skewed steps."""
    rng = np.random.default_rng(seed)
    f = rng.normal(size=rows)
    g = 0.4 * f + rng.normal(size=rows)
    values = {n: 0.7 * s + rng.normal(size=rows) for n, s in zip("abcdeh", [f, f, f, g, g, g], strict=True)}
    table = pd.DataFrame(values)
    return table if cut is None else table.apply(lambda column: np.digitize(column, cut) + 1)


@pytest.fixture(scope="module")
def grid():
    return sr.estimator_grid(MODEL, people(cut=(-2.0, -1.0, 0.5, 1.5)))


@pytest.fixture(scope="module")
def current():
    project = sr.load_study(resources.data("twin", "study.toml"))
    return project.current(project.responses("citizens"))


def test_cells_are_the_standardised_coefficients_of_each_fit(grid):
    data = people(cut=(-2.0, -1.0, 0.5, 1.5))
    options = {"ML": {}, "MLR": {"estimator": "MLR"}, "WLSMV": {"ordered": True}}
    table = grid.tidy()
    for way, chosen in options.items():
        own = sr.sem(MODEL, data, **chosen).standardized()
        path = own[(own["op"] == "~") & (own["lhs"] == "g")].iloc[0]
        cell = table[(table["op"] == "~") & (table["way"] == way)].iloc[0]
        assert cell["estimate"] == pytest.approx(path["estimate"], abs=1e-9)
        assert cell["conf_low"] == pytest.approx(path["conf_low"], abs=1e-9)
    assert set(table["op"]) == {"=~", "~", ":="}
    assert len(grid.relations) == 6 + 1 + 1


def test_complete_data_make_full_information_and_robust_ways_agree(grid):
    table = grid.tidy().pivot_table(index=["lhs", "op", "rhs"], columns="way", values="estimate")
    assert np.abs(table["FIML"] - table["MLR"]).max() < 1e-6
    assert np.abs(table["WLSMV"] - table["MLR"]).max() > 0.01


def test_conclusions_follow_the_intervals(grid):
    for cells in grid.relations:
        for cell in cells:
            if cell.op in ("~", ":="):
                sides = {"positive": cell.conf_low > 0, "negative": cell.conf_high < 0}
                assert cell.conclusion == next((name for name, hit in sides.items() if hit), "unclear")
            if cell.op == "=~":
                assert (cell.conclusion == "high") == (cell.estimate >= 0.5 and cell.conf_low > 0)
    marked = grid.tidy().groupby(["lhs", "op", "rhs"])["conclusion"].nunique() > 1
    assert int(marked.sum()) == len(grid.dependent)


def test_a_path_near_the_limit_is_marked_where_the_ways_part():
    near, *clear = (sr.estimator_grid(MODEL, people(60, seed, (-2.0, 0.9))) for seed in (7, 5, 11))
    assert "p" in {cells[0].label for cells in near.dependent}
    assert any(not each.dependent for each in clear)


def test_a_way_that_fails_is_told_and_the_others_stand():
    data = people(300)
    grid = sr.estimator_grid(MODEL, data)
    assert set(grid.fits) == {"ML", "MLR", "FIML"}
    assert isinstance(grid.reasons["WLSMV"], errors.AnalysisError)
    assert "WLSMV" in grid.summary("en")
    with pytest.raises(errors.AnalysisError):
        sr.estimator_grid(MODEL, data, ways=["WLSMV"])


@pytest.mark.parametrize("bad", [{"ways": []}, {"ways": ["ML", "ML"]}, {"ways": ["PLS"]}, {"relations": ["|"]}])
def test_unknown_ways_and_relations_are_refused(bad):
    with pytest.raises(errors.OptionError):
        sr.estimator_grid(MODEL, people(50), **bad)


@pytest.mark.filterwarnings("ignore::sipas_research.errors.SipasWarning")
def test_tables_and_sentences_for_people(current):
    grid = sr.estimator_grid(sr.factor_model(current), current, relations=("=~", "~~"))
    fit = report.estimator_fit_table(grid, "cfa", current, "vi")
    assert [column.id for column in fit.columns][:2] == ["measure", "way0"]
    assert fit.rows[0][1:5] == tuple(f"{each.n:,}".replace(",", ".") for each in grid.fits.values())
    table = report.estimator_grid_table(grid, "cfa", current, "en")
    assert len(table.rows) == len(grid.relations) == 22 + 10
    assert len(table.total_rows) == len(grid.dependent)
    assert table.rows[0][0].startswith("1.1 ←")
    (said,) = report.estimator_findings(grid, "cfa", current, "vi")
    assert "32" in said.text
    assert "WLSMV" in said.text
    finding = Finding("reason-estimators", "no fit", "en", current.data_kind, role="reason")
    assert report.estimator_grid_table(finding, "cfa", current, "en") is finding
    assert report.estimator_findings(finding, "cfa", current, "en") == ()
    assert not any(isinstance(cell, Absent) for row in table.rows for cell in row)
