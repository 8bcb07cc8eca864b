"""Models of checked ordered answers: nothing shown tells what fewer than ten people answered."""

import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

import sipas_research as sr
from sipas_research.errors import AnalysisError
from sipas_research.results import DataKind
from sipas_research.survey.agencies import AgencyRegister
from sipas_research.survey.questionnaire import Answer, Question, Questionnaire, Scale
from sipas_research.survey.responses import Responses
from sipas_research.survey.specs import SampleDesign
from sipas_research.wording import Bilingual, text

ITEMS = ("a1", "a2", "a3", "a4")
MODEL = "f =~ a1 + a2 + a3 + a4"
ROWS = 400
#: People who gave each answer; answer 2 of the first item was given by three.
RARE = {"a1": (60, 3, 187, 150), "a2": (50, 100, 150, 100), "a3": (40, 60, 200, 100), "a4": (30, 70, 200, 100)}
FULL = RARE | {"a1": (60, 30, 160, 150)}
SMALL = {"a1": (8, 17, 15), "a2": (12, 16, 12), "a3": (11, 15, 14)}
#: The same in two groups of 200: in the second, one person less than ten gave answer 1 to the first item.
GROUPED = {
    "x": {"a1": (40, 40, 70, 50), "a2": (30, 50, 70, 50), "a3": (25, 35, 80, 60), "a4": (20, 40, 90, 50)},
    "y": {"a1": (9, 50, 80, 61), "a2": (20, 60, 70, 50), "a3": (30, 40, 70, 60), "a4": (25, 45, 80, 50)},
}


def answers(people: dict[str, tuple[int, ...]], seed: int = 1) -> pd.DataFrame:
    """Return rows in which just so many people give each answer, items in common with one factor."""
    generator = np.random.default_rng(seed)
    rows = sum(next(iter(people.values())))
    factor = generator.normal(size=rows)
    frame = {}
    for item, counts in people.items():
        order = np.argsort(0.75 * factor + 0.66 * generator.normal(size=rows))
        codes = np.empty(rows)
        codes[order] = np.repeat(np.arange(1.0, 1.0 + len(counts)), counts)
        frame[item] = codes
    return pd.DataFrame(frame)


def grouped() -> pd.DataFrame:
    parts = [answers(people, seed).assign(sex=code) for seed, (code, people) in enumerate(GROUPED.items(), 2)]
    return pd.concat(parts, ignore_index=True)


def checked(frame: pd.DataFrame) -> Responses:
    scale = tuple(Answer(code, Bilingual(str(code))) for code in range(1, 5))
    questions = tuple(Question(name, Bilingual(name), "likert", "a", scale) for name in ITEMS)
    form = Questionnaire(
        "nho", Bilingual("Phiếu nhỏ"), "citizen", "2017-2021", (Scale("a", Bilingual("a"), "factor"),), questions
    )
    return Responses(frame, form, AgencyRegister(), SampleDesign(), DataKind.REAL)


@cache
def pair(name: str, model: str = MODEL, **options):
    """Return the fits of checked answers and of the bare table."""
    frame = {"rare": answers(RARE), "full": answers(FULL), "groups": grouped(), "small": answers(SMALL)}.get(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tuple(sr.sem(model, data, ordered=True, **options) for data in (checked(frame), frame))


def thresholds(frame: pd.DataFrame, item: str) -> pd.DataFrame:
    return frame[(frame["op"] == "|") & (frame["lhs"] == item)]


def numbers(shown: object) -> np.ndarray:
    """Return every number of a table."""
    frame = shown.reset_index() if isinstance(shown, pd.DataFrame) else pd.DataFrame(shown)
    kept = frame.select_dtypes("number").to_numpy(dtype=float).ravel()
    return kept[np.isfinite(kept)]


@pytest.mark.parametrize("parameterization", ["delta", "theta"])
def test_a_threshold_beside_three_people_is_shown_nowhere(parameterization):
    shown, whole = pair("rare", parameterization=parameterization)
    known = thresholds(whole.tidy(), "a1")
    assert ROWS * ndtr(known["std_all"].to_numpy()) == pytest.approx([60, 63, 250], abs=1e-6)
    secret = np.unique(known.iloc[:2][["estimate", "std_error", "conf_low", "std_all", "statistic"]].to_numpy())
    for frame in (shown.tidy(), shown.standardized(), shown.standardized(scale="lv")):
        own = thresholds(frame, "a1")
        assert own["note"].tolist() == ["few_people", "few_people", ""]
        assert own.iloc[:2].select_dtypes("float").isna().all(axis=None)
        assert frame.loc[frame["op"] != "|", "estimate"].notna().all()
    tables = (
        shown.tidy(), shown.standardized(), shown.vcov(), shown.residuals("mean"), shown.residuals(), shown.implied(),
        shown.modification_indices(), shown.glance(), shown.fit_measures(), shown.r2(),
    )  # fmt: skip
    for table in tables:
        found = numbers(table)
        assert np.abs(found[:, None] - secret).min() > 1e-9
        assert np.abs(ROWS * ndtr(found) - 63).min() > 1e-6
    assert thresholds(whole.tidy(), "a1")["note"].tolist() == ["", "", ""]
    assert np.isfinite(whole.vcov().to_numpy()).all()


def test_the_fit_and_its_other_answers_are_the_same():
    shown, whole = pair("rare")
    np.testing.assert_array_equal(shown.theta, whole.theta)
    pd.testing.assert_series_equal(shown.fit_measures(), whole.fit_measures())
    hidden = shown.withheld.both
    assert hidden.sum() == 2
    pd.testing.assert_frame_equal(shown.tidy()[~hidden], whole.tidy()[~hidden])
    pd.testing.assert_frame_equal(shown.standardized()[~hidden], whole.standardized()[~hidden])
    pd.testing.assert_frame_equal(shown.residuals("standardized"), whole.residuals("standardized"))
    assert whole.withheld is None


def test_where_every_answer_has_ten_people_all_is_shown():
    shown, whole = pair("full")
    for ask in ("tidy", "standardized", "modification_indices"):
        pd.testing.assert_frame_equal(getattr(shown, ask)(), getattr(whole, ask)())
    pd.testing.assert_frame_equal(shown.residuals("mean"), whole.residuals("mean"))
    assert shown.summary("en").splitlines()[2:] == whole.summary("en").splitlines()[2:]


def test_a_covariance_of_two_thresholds_tells_how_many_gave_both_answers():
    shown, whole = pair("full")
    frame = answers(FULL)
    both = int(((frame["a1"] == 1) & (frame["a2"] == 1)).sum())
    matrix, cut = whole.vcov(), thresholds(whole.tidy(), "a1")["estimate"].iloc[0]
    other = thresholds(whole.tidy(), "a2")["estimate"].iloc[0]
    height = np.exp(-0.5 * (cut**2 + other**2)) / (2 * np.pi)
    told = ROWS * ((ROWS - 1) * matrix.loc["a1|t1", "a2|t1"] * height + ndtr(cut) * ndtr(other))
    assert told == pytest.approx(both, abs=1e-6)
    kept = shown.vcov()
    assert kept.loc["a1|t1"].notna().sum() == 1
    assert kept.loc["a1|t1", "a1|t1"] == matrix.loc["a1|t1", "a1|t1"]
    loadings = [name for name in matrix if "=~" in name]
    pd.testing.assert_frame_equal(kept.loc[loadings, loadings], matrix.loc[loadings, loadings])


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_summary_says_that_and_why(language):
    shown, whole = (fit.summary(language) for fit in pair("rare"))
    assert text("sem_ordinal.note.few_people", language, minimum=10) in shown
    assert len(shown.splitlines()) == len(whole.splitlines()) + 1
    lines = shown.splitlines()
    first = next(k for k, line in enumerate(lines) if line.strip() == "a1 |")
    assert set(lines[first + 1].split()[1:]) == {"–"}
    assert "–" not in lines[first + 3]


def test_what_is_hidden_in_one_group_is_hidden_in_all():
    shown, whole = pair("groups", group="sex")
    for group in ("x", "y"):
        own = shown.tidy()[shown.tidy()["group"] == group]
        assert thresholds(own, "a1")["note"].tolist() == ["few_people", "", ""]
        assert thresholds(own, "a2")["estimate"].notna().all()
    assert shown.residuals("mean").isna().all(axis=1).sum() == 2
    assert not whole.tidy()["note"].eq("few_people").any()
    table = sr.polychoric(checked(grouped()), ITEMS).thresholds  # of both groups together: all hold ten people
    assert table.notna().all(axis=None)


def test_equal_thresholds_hide_the_whole_item():
    shown, _ = pair("groups", group="sex", group_equal=("thresholds", "loadings"))
    frame = shown.tidy()
    own = frame[(frame["lhs"] == "a1") & frame["op"].isin(["|", "~*~"])]
    fixed = own["note"] == "fixed"
    assert own.loc[~fixed, "note"].eq("few_people").all()
    assert len(own[~fixed]) == 7
    assert frame.loc[frame["lhs"] == "a2", "note"].ne("few_people").all()
    told = sr.score_test(shown).tidy()
    about = told["rhs"].str.startswith("a1|")
    assert about.sum() == 3
    assert told.loc[about, "note"].eq("few_people").all()
    assert told.loc[about, ["statistic", "p_value", "difference"]].isna().all(axis=None)
    assert told.loc[~about, "statistic"].notna().all()


def test_a_free_intercept_beside_a_fixed_threshold_is_hidden():
    model = MODEL + "\na1 | 0*t1\na1 ~ 1\nf ~ 0*1"
    shown, whole = pair("rare", model=model)
    own, known = (fit.tidy().query("lhs == 'a1' and op == '~1'") for fit in (shown, whole))
    assert ndtr(-known["estimate"].iloc[0]) * ROWS == pytest.approx(60, abs=1e-6)
    assert own["note"].tolist() == ["few_people"]
    assert shown.implied("mean").loc["a1"].isna().all()
    assert whole.implied("mean").notna().all(axis=None)


@pytest.fixture(scope="module")
def told():
    """Fits whose thresholds are named and spoken of."""
    lines = "\na1 | t1 + p*t2 + q*t3\na2 | r*t1\na3 ~~ l*a4\ngap := q - p\nlast := 2*q\nonce := gap + 1"
    return pair("rare", model=MODEL + lines)


def test_what_follows_from_a_hidden_threshold_is_hidden(told):
    shown, whole = told
    frame = shown.tidy().set_index("label")
    assert frame.loc[["gap", "once", "p"], "note"].tolist() == ["few_people"] * 3
    assert frame.loc[["gap", "once", "p"], "estimate"].isna().all()
    assert frame.loc[["last", "q", "r", "l"], "estimate"].notna().all()
    with pytest.raises(AnalysisError, match="10"):
        sr.wald_test(shown, "p == -0.5")
    assert sr.wald_test(whole, "p == -0.5").statistic > 0
    assert sr.wald_test(shown, "q == r").statistic > 0
    simulated = shown.monte_carlo(1000)
    assert np.isnan(simulated.draws).all(axis=0).tolist() == [True, False, True]
    assert simulated.tidy()["note"].tolist() == ["few_people", "", "few_people"]
    assert simulated.tidy()["estimate"].isna().tolist() == [True, False, True]


def test_bounds_and_equalities_carry_what_is_hidden():
    lines = "\na1 | p*t1\na2 | r*t1\na3 | s*t1\nr == s - 0.1\np > -9\np < r + 3"
    shown, whole = pair("rare", model=MODEL + lines)
    frame = shown.tidy()
    assert frame.loc[frame["lhs"].isin(ITEMS[:3]) & (frame["op"] == "|"), "estimate"].isna().sum() == 5
    assert thresholds(frame, "a4")["estimate"].notna().all()
    found = shown.residuals("mean")
    assert found.index[found.isna().all(axis=1)].tolist() == ["a1|t1", "a1|t2", "a1|t3", "a2|t1", "a3|t1"]
    ends = {}
    for fit in (shown, whole):
        part = fit.summary("en").split("Constraints:")[1].splitlines()
        ends[fit is shown] = [line.split()[-1] for line in part if "p>" in line or "p<" in line or "r==" in line]
    assert ends[True] == ["–"] * 3
    assert "–" not in ends[False]


def test_the_bootstrap_draws_of_a_hidden_threshold_are_not_kept():
    shown, whole = pair("small", model="f =~ a1 + a2 + a3")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found, all_of_it = (fit.bootstrap(8, seed=3) for fit in (shown, whole))
    hidden = shown.withheld.both
    assert hidden.sum() == 1
    assert np.isnan(found.draws[:, hidden]).all()
    np.testing.assert_array_equal(found.draws[:, ~hidden], all_of_it.draws[:, ~hidden])
    assert found.frame()["a1|t1"].isna().all()
    pd.testing.assert_frame_equal(found.tidy()[~hidden], all_of_it.tidy()[~hidden])
    for frame in (found.tidy(), found.tidy("bca", level=0.6), found.standardized("lv")):
        assert frame.loc[hidden, "note"].tolist() == ["few_people"]
        assert frame.loc[hidden].drop(columns=["level", "draws"]).select_dtypes("number").isna().all(axis=None)
    assert np.isnan(found.folds.std_all[:, hidden]).all()


def test_steps_of_invariance_give_fits_that_hide_the_same():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = sr.invariance(MODEL, checked(grouped()), group="sex", ordered=True, steps=("configural", "thresholds"))
    for fit in found.fits:
        own = fit.tidy()
        assert thresholds(own, "a1")["estimate"].isna().sum() == (2 if fit is found.fits[0] else 6)
        assert own.loc[(own["lhs"] == "a1") & (own["op"] == "~1") & (own["note"] != "fixed"), "estimate"].isna().all()


def test_thresholds_given_predictors_follow_the_same_rule():
    frame = answers(RARE).assign(age=np.random.default_rng(5).normal(size=ROWS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = sr.sem(MODEL + "\nf ~ age", checked(frame), ordered=ITEMS[:3])
    assert thresholds(fit.tidy(), "a1")["note"].tolist() == ["few_people", "few_people", ""]
    found = fit.residuals("mean")
    assert found.index[found.isna().all(axis=1)].tolist() == ["a1|t1", "a1|t2"]
    assert fit.tidy().query("lhs == 'a4' and op == '~1'")["estimate"].notna().all()
