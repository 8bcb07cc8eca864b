"""The same exploratory factor analysis by factor_analyzer: where both agree, and what is said where they do not."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import OptionError
from sipas_research.numerics.correlation import read_only
from sipas_research.results import TIDY_COLUMNS, DataKind, Result
from sipas_research.verification.factor_analyzer_models import LOADINGS, match


@pytest.fixture(scope="module")
def items() -> pd.DataFrame:
    from pathlib import Path

    return pd.read_csv(Path(__file__).resolve().parents[1] / "reference" / "factors" / "items.csv")


@pytest.mark.parametrize(
    ("method", "rotation"),
    [
        ("minres", "none"),
        ("minres", "oblimin"),
        ("minres", "geomin_orthogonal"),
        ("ml", "varimax"),
        ("ml", "promax"),
        ("ml", "geomin"),
        ("pa", "quartimin"),
    ],
)
def test_both_packages_agree(items, method, rotation):
    found = sr.factor_analyzer_check(sr.efa(items, 5, method=method, rotation=rotation))
    assert found.agrees
    table = found.tidy().set_index("term")
    assert table["agrees"].all()
    assert table.loc["unrotated", "estimate"] < LOADINGS / 10
    assert table.loc["discrepancy", "ours"] <= table.loc["discrepancy", "theirs"] + 1e-12
    if "criterion" in table.index:
        assert table.loc["criterion", "ours"] <= table.loc["criterion", "theirs"] + 1e-6
    assert ("rotated" in table.index) == (rotation != "none")
    assert (table["note"] == "efa.agreement.note_minres").any() == (method == "pa")


def test_the_table_is_a_result(items):
    found = sr.factor_analyzer_check(sr.efa(items.assign(data_kind="simulated"), 5))
    assert isinstance(found, Result)
    assert list(found.tidy().columns) == [*TIDY_COLUMNS, "ours", "theirs", "tolerance", "agrees"]
    glance = found.glance().iloc[0]
    assert (glance["compared"], glance["agreed"], glance["software"]) == (7, 7, "factor_analyzer")
    assert found.data_kind is DataKind.SIMULATED
    assert "cả 7 đại lượng" in found.summary("vi")
    assert "all 7 compared" in found.summary("en")


def test_what_factor_analyzer_does_not_offer_is_not_compared(items):
    found = sr.factor_analyzer_check(sr.efa(items, 5, rotation="bifactor", random_starts=3))
    table = found.tidy().set_index("term")
    assert table.loc[["rotated", "factor_correlations", "criterion"], "estimate"].isna().all()
    assert found.glance().loc[0, "compared"] == 4
    assert found.agrees
    assert found.summary("en").count("does not offer") == 3
    bent = sr.factor_analyzer_check(sr.efa(items, 5, gamma=-1.0)).tidy().set_index("term")
    assert bent.loc["rotated", "note"] == "efa.agreement.note_not_offered"


def test_a_difference_is_shown(items):
    solution = sr.efa(items, 5)
    moved = replace(solution, rotated=replace(solution.rotated, loadings=read_only(solution.rotated.loadings + 0.01)))
    found = sr.factor_analyzer_check(moved)
    assert not found.agrees
    table = found.tidy().set_index("term")
    assert table.loc["rotated", "estimate"] == pytest.approx(0.01, abs=1e-4)
    assert table.loc["rotated", "note"] == "efa.agreement.note_differs"
    assert table.loc["unrotated", "agrees"]
    assert "agrees with" in found.summary("en")
    assert "cần xem lại" in found.summary("vi")


def test_a_search_that_stopped_early_over_there_is_called_so(items):
    solution = sr.efa(items, 5, rotation="geomin")
    # factor_analyzer starts once: a structure with two valleys may leave it in the higher one
    noise = pd.DataFrame(np.random.default_rng(3).standard_normal((60, 12)))
    two = sr.factor_analyzer_check(sr.efa(noise, 4, rotation="geomin"))
    table = two.tidy().set_index("term")
    if not table.loc["rotated", "agrees"]:
        assert table.loc["criterion", "ours"] < table.loc["criterion", "theirs"]
        assert table.loc["rotated", "note"] == "efa.agreement.note_lower_here"
    assert sr.factor_analyzer_check(solution).agrees


def test_one_factor_and_refusals(items):
    found = sr.factor_analyzer_check(sr.efa(items[["access1", "access2", "access3", "access4"]], 1))
    assert found.agrees
    with pytest.raises(OptionError, match="DataFrame"):
        sr.factor_analyzer_check(items)


def test_matching_moves_loadings_and_correlations_together():
    generator = np.random.default_rng(1)
    ours = generator.uniform(-0.9, 0.9, (8, 3))
    phi = np.array([[1, 0.3, -0.2], [0.3, 1, 0.5], [-0.2, 0.5, 1]])
    order, signs = [2, 0, 1], np.array([1, -1, -1])
    theirs, their_phi = ours[:, order] * signs, phi[np.ix_(order, order)] * np.outer(signs, signs)
    loadings, correlations = match(theirs, ours, their_phi)
    np.testing.assert_array_equal(loadings, ours)
    np.testing.assert_array_equal(correlations, phi)
