"""What researchers may ask of a rotation, what the result tells, factor scores, and what is refused."""

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import (
    AnalysisError,
    DroppedItemWarning,
    HeywoodWarning,
    NotPositiveDefiniteWarning,
    OptionError,
    SipasWarning,
)
from sipas_research.numerics.rotation import ROTATIONS, TARGETED

SAME_ANSWER = 1e-6  # two orders of the items send the rotation on two roads to one minimum, each within its tolerance
EXACT = 1e-10
PLANTED = 0.12  # four standard errors of a loading, about 1 / sqrt(n), at n = 1,200
SCORED = 0.05  # sampling error of correlations between 2,000 scores, and of the weights


def groups_of_items(rows: int, seed: int, general: float = 0.0) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Answers to twelve items of three groups, the factors behind them and the loadings."""
    generator = np.random.default_rng(seed)
    pattern = np.kron(np.eye(3), np.array([[0.75], [0.65], [0.6], [0.5]]))
    factors = generator.standard_normal((rows, 4))
    shared = general * np.tile([[0.7], [1.3], [0.8], [1.2]], (3, 1))
    loadings = np.hstack([shared, np.sqrt(1 - shared**2) * pattern])
    unique = np.sqrt(1 - (loadings**2).sum(axis=1))
    answers = factors @ loadings.T + unique * generator.standard_normal((rows, 12))
    return pd.DataFrame(answers, columns=[f"x{place}" for place in range(12)]), factors, loadings


@pytest.fixture(scope="module")
def target(items) -> pd.DataFrame:
    scales = items.columns.str.rstrip("0123456789")
    own = pd.DataFrame({name: np.where(scales == name, np.nan, 0.0) for name in dict.fromkeys(scales)})
    return own.set_axis(items.columns, axis=0)


@pytest.mark.parametrize("rotation", [*ROTATIONS, *TARGETED])
def test_each_rotation_has_its_name_in_both_languages_and_its_usual_starts(items, target, rotation):
    found = sr.efa(items, 5, rotation=rotation, target=target if rotation in TARGETED else None)
    assert found.converged
    many = rotation.startswith(("geomin", "bifactor", "target"))
    assert (found.rotated.starts > 30) == many
    glance = found.glance().iloc[0]
    assert glance["rotation_minima"] == found.rotated.minima >= 1
    assert ("cực tiểu khác nhau" in found.summary("vi")) == (found.rotated.minima > 1)
    assert ("different minima" in found.summary("en")) == (found.rotated.minima > 1)
    quick = sr.efa(items, 5, rotation=rotation, target=target if rotation in TARGETED else None, random_starts=0)
    assert quick.rotated.starts == (2 if rotation in TARGETED else 1)
    assert not quick.rotated.criterion < found.rotated.criterion - 1e-9


@pytest.mark.parametrize("rotation", ["geomin", "bifactor", "target", "promax_spss"])
def test_shuffled_rows_and_items_give_the_same(items, target, rotation):
    aim = target if rotation == "target" else None
    whole = sr.efa(items, 5, rotation=rotation, target=aim)
    shuffled = items.sample(frac=1, random_state=5).sample(frac=1, axis=1, random_state=6)
    other = sr.efa(shuffled, 5, rotation=rotation, target=aim)
    np.testing.assert_allclose(other.loadings.loc[list(items.columns)], whole.loadings, atol=SAME_ANSWER)
    np.testing.assert_allclose(other.factor_correlations, whole.factor_correlations, atol=SAME_ANSWER)


def test_a_general_factor_is_recovered_and_stands_first():
    frame, _, loadings = groups_of_items(3000, seed=3, general=0.55)
    found = sr.efa(frame, 4, method="ml", rotation="bifactor")
    order = [0, *(1 + np.argmax(np.abs(found.loadings.to_numpy()[::4, 1:]), axis=1))]
    np.testing.assert_allclose(found.loadings.to_numpy()[:, order], loadings, atol=PLANTED)
    np.testing.assert_array_equal(found.factor_correlations, np.eye(4))


def test_gamma_delta_and_power_are_passed_on(items):
    plain = sr.efa(items, 5)
    assert np.abs(sr.efa(items, 5, gamma=-3.0).loadings - plain.loadings).to_numpy().max() > 0.01
    np.testing.assert_array_equal(sr.efa(items, 5, rotation="quartimin").loadings, plain.loadings)
    weak = sr.efa(items, 5, rotation="promax", power=2.0).factor_correlations.to_numpy()
    strong = sr.efa(items, 5, rotation="promax").factor_correlations.to_numpy()
    assert np.abs(weak - np.eye(5)).max() < np.abs(strong - np.eye(5)).max()
    loose = sr.efa(items, 5, rotation="geomin", delta=0.5)
    assert loose.options.delta == 0.5
    assert loose.rotated.criterion > sr.efa(items, 5, rotation="geomin").rotated.criterion


def test_scores_have_the_properties_of_their_method():
    frame, factors, _ = groups_of_items(2000, seed=4)
    found = sr.efa(frame, 3, method="ml")
    order = np.argmax(np.abs(found.loadings.to_numpy()[::4]), axis=1)
    for method in ("regression", "bartlett", "tenberge"):
        scores = found.scores(frame, method)
        assert scores.columns.tolist() == ["F1", "F2", "F3"]
        assert scores.index.equals(frame.index)
        np.testing.assert_allclose(scores.mean(), 0.0, atol=EXACT)
        reached = [np.corrcoef(scores.iloc[:, order[k]], factors[:, k + 1])[0, 1] for k in range(3)]
        np.testing.assert_allclose(reached, found.determinacy.to_numpy()[order], atol=SCORED)
    kept = found.scores(frame, "tenberge").cov()
    np.testing.assert_allclose(kept, found.factor_correlations, atol=1e-6)
    assert found.scores(frame).var().max() < 1.0  # regression scores shrink


def test_scores_of_other_people_and_of_incomplete_rows(items):
    half = sr.efa(items.iloc[:600], 5)
    holes = items.iloc[600:].astype(float)
    holes.iloc[3, 7] = np.nan
    scores = half.scores(holes)
    assert scores.isna().any(axis=1).sum() == 1
    assert scores.iloc[3].isna().all()
    again = half.scores(holes.sample(frac=1, axis=1, random_state=1))
    pd.testing.assert_frame_equal(scores, again)
    with pytest.raises(AnalysisError, match="feedback4"):
        half.scores(items.drop(columns="feedback4"))
    with pytest.raises(OptionError, match="anderson"):
        half.scores(items, "anderson")


def test_singular_items_have_bartlett_scores_only(items):
    double = items.assign(again=items["access1"])
    with pytest.warns(NotPositiveDefiniteWarning):
        found = sr.efa(double, 5)
    assert found.determinacy.isna().all()
    assert np.isfinite(found.scores(double, "bartlett").to_numpy()).all()
    with pytest.raises(AnalysisError, match="cannot be inverted"):
        found.scores(double)


def test_targets_that_do_not_fit(items, target):
    strange = target.rename(index={"access1": "acess1"})
    asks = {
        "access1": {"target": strange},
        "needs a target": {},
        "22 × 5": {"target": target.iloc[:, :4]},
        "blank": {"target": np.full((22, 5), "x")},
        "at least 4": {"target": target * np.nan},
        "Kaiser": {"target": target, "kaiser": True},
    }
    for said, options in asks.items():
        with pytest.raises(OptionError, match=said):
            sr.efa(items, 5, rotation="target", **options)
    with pytest.raises(OptionError, match="does not use one"):
        sr.efa(items, 5, target=target)
    with pytest.raises(OptionError, match="numbers"):
        sr.efa(items, 5, rotation="target", target=target.replace(0.0, np.inf))
    one_given = target * np.nan
    one_given.iloc[0, 0] = 0.0
    with pytest.raises(OptionError, match="at least 10"):
        sr.efa(items, 5, rotation="target_orthogonal", target=one_given)


def test_a_target_may_name_an_item_that_was_left_out(items, target):
    flat = items.assign(flat=3)
    longer = pd.concat([target, pd.DataFrame(0.0, index=["flat"], columns=target.columns)])
    with pytest.warns(DroppedItemWarning):
        found = sr.efa(flat, 5, rotation="target", target=longer)
    np.testing.assert_array_equal(found.loadings, sr.efa(items, 5, rotation="target", target=target).loadings)
    array = sr.efa(items, 5, rotation="target", target=target.to_numpy())
    np.testing.assert_array_equal(array.loadings, found.loadings)
    assert array.factors == ("F1", "F2", "F3", "F4", "F5")


@pytest.mark.parametrize("option", [{"power": 0.5}, {"gamma": 0.5}, {"delta": 0.0}, {"correlation": "kendall"}])
def test_numbers_outside_their_range(items, option):
    with pytest.raises(OptionError) as refused:
        sr.efa(items, 5, **option)
    assert str(next(iter(option.values()))) in str(refused.value)


@pytest.mark.filterwarnings("ignore::sipas_research.errors.HeywoodWarning")
@pytest.mark.parametrize("method", ["minres", "ml", "pa"])
def test_forty_items_on_a_hundred_rows(method):
    generator = np.random.default_rng(8)
    traits = generator.standard_normal((100, 4)) @ np.kron(np.eye(4), np.full((1, 10), 0.7))
    frame = pd.DataFrame(traits + 0.7 * generator.standard_normal((100, 40)))
    found = sr.efa(frame, 4, method=method, rotation="geomin")
    assert found.converged
    strongest = found.loadings.abs().to_numpy().argmax(axis=1).reshape(4, 10)
    assert (strongest == strongest[:, :1]).mean() > 0.9
    assert 0 < found.fit.rmsea < 0.1
    with pytest.raises(OptionError, match="from 1 to"):
        sr.efa(frame, 40)


def test_fewer_rows_than_items_are_factored_without_a_test():
    frame, _, _ = groups_of_items(11, seed=9)
    with pytest.warns(SipasWarning) as caught:
        found = sr.efa(frame, 1)
    assert NotPositiveDefiniteWarning in {warning.category for warning in caught}
    assert np.isfinite(found.loadings.to_numpy()).all()
    assert np.isnan(found.fit.statistic)
    with pytest.raises(AnalysisError, match="Only 11 respondents"):
        sr.efa(frame, 1, method="ml")


def test_polychoric_correlations_of_what_they_cannot_describe(items):
    with pytest.raises(AnalysisError):
        sr.efa(items + 0.5 * np.arange(22), 2, correlation="polychoric")
    thin = items.iloc[:24]
    with pytest.warns(SipasWarning) as caught:
        found = sr.efa(thin, 2, correlation="polychoric")
    assert NotPositiveDefiniteWarning in {warning.category for warning in caught}
    assert caught[0].filename == __file__
    assert found.note in {"efa.note.polychoric_test", "factors.note.no_test", "factors.note.heywood"}
    with pytest.raises(AnalysisError, match="not positive definite"):
        sr.efa(thin, 2, correlation="polychoric", method="ml")


def test_anti_image_has_the_measures_on_its_diagonal(items):
    found = sr.kmo(items)
    table = found.anti_image
    np.testing.assert_array_equal(np.diag(table), found.adequacy.items)
    inverse = np.linalg.inv(items.corr().to_numpy())
    partial = -inverse[0, 5] / np.sqrt(inverse[0, 0] * inverse[5, 5])
    assert table.iat[0, 5] == pytest.approx(-partial, rel=1e-9)
    assert list(table.index) == list(table.columns) == list(items.columns)


def test_heywood_case_survives_every_rotation():
    generator = np.random.default_rng(1)
    frame, _, _ = groups_of_items(150, seed=12)
    frame["x12"] = frame["x0"] + 0.02 * generator.standard_normal(150)
    for rotation in ("oblimin", "bifactor", "promax_spss"):
        with pytest.warns(HeywoodWarning):
            found = sr.efa(frame, 4, rotation=rotation)
        assert np.isfinite(found.loadings.to_numpy()).all()
        assert found.heywood
