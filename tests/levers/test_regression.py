"""Least squares and ordered logit: closed forms beside statsmodels, known truths, and what is refused."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research import errors, resources
from sipas_research.factors.scores import score, scores
from sipas_research.levers.ordered import log_likelihood_scores, merged_answers, ordered_logit
from sipas_research.levers.regression import regress, variance_inflation
from sipas_research.numerics.sandwich import cluster_correction, cluster_covariance, hc3_covariance

pytestmark = pytest.mark.filterwarnings("ignore::sipas_research.errors.DroppedRowsWarning")
NAMES = ["access", "procedure", "civil_servant", "result", "feedback", "digital", "oversight", "communication"]


@pytest.fixture(scope="module")
def current():
    project = sr.load_study(resources.data("twin", "study.toml"))
    return project.current(project.responses("citizens"))


@pytest.fixture(scope="module")
def found(current):
    return regress(current)


@pytest.fixture(scope="module")
def matrices(current):
    frame = pd.concat([score(current, "overall"), scores(current, NAMES), current.frame["agency"]], axis=1).dropna()
    design = np.column_stack([np.ones(len(frame)), frame[NAMES].to_numpy(float)])
    return frame["overall"].to_numpy(float), design, frame["agency"].to_numpy()


def changed(responses, **columns):
    return replace(responses, frame=responses.frame.assign(**columns))


def test_coefficients_and_cluster_errors_equal_the_formula(found, matrices):
    outcome, design, agency = matrices
    inverse = np.linalg.inv(design.T @ design)
    coefficients = inverse @ design.T @ outcome
    residuals = outcome - design @ coefficients
    middle = np.zeros_like(inverse)
    for code in np.unique(agency):
        part = design[agency == code].T @ residuals[agency == code]
        middle += np.outer(part, part)
    groups, rows, columns = len(np.unique(agency)), *design.shape
    factor = groups / (groups - 1) * (rows - 1) / (rows - columns)
    written = inverse @ middle @ inverse * factor
    assert np.allclose([t.estimate for t in found.terms], coefficients, rtol=1e-10)
    assert np.allclose([t.std_error for t in found.terms], np.sqrt(np.diag(written)), rtol=1e-9)
    codes = np.unique(agency, return_inverse=True)[1]
    assert np.allclose(cluster_covariance(design, residuals, codes), written, rtol=1e-10)
    assert cluster_correction(rows, columns, groups) == pytest.approx(factor)
    assert found.whole.clusters == 31
    assert found.whole.wald_df2 == 30


def test_hc3_equals_the_formula_where_no_clusters_are_asked_for(current, matrices):
    outcome, design, _ = matrices
    found = regress(current, cluster=None, ordered=False)
    inverse = np.linalg.inv(design.T @ design)
    residuals = outcome - design @ inverse @ design.T @ outcome
    leverage = np.array([row @ inverse @ row for row in design])
    middle = sum((r / (1 - h)) ** 2 * np.outer(x, x) for r, h, x in zip(residuals, leverage, design, strict=True))
    errors_hc3 = np.sqrt(np.diag(inverse @ middle @ inverse))
    assert np.allclose([t.std_error for t in found.terms], errors_hc3, rtol=1e-9)
    assert np.allclose(np.sqrt(np.diag(hc3_covariance(design, residuals))), errors_hc3, rtol=1e-9)
    assert (found.whole.covariance, found.whole.clusters) == ("HC3", 0)


def test_whole_model_equals_the_sums_of_squares(found, matrices):
    outcome, design, _ = matrices
    residuals = outcome - design @ np.linalg.lstsq(design, outcome, rcond=None)[0]
    total, rest = np.sum((outcome - outcome.mean()) ** 2), residuals @ residuals
    rows, columns = design.shape
    assert found.whole.r2 == pytest.approx(1 - rest / total)
    assert found.whole.r2_adjusted == pytest.approx(1 - rest / (rows - columns) / (total / (rows - 1)))
    f = (total - rest) / (columns - 1) / (rest / (rows - columns))
    assert found.whole.f_statistic == pytest.approx(f)
    # the tail is not one minus a distribution function
    assert 0 < found.whole.wald_p_value < 1e-20
    watson = sum((residuals[k] - residuals[k - 1]) ** 2 for k in range(1, rows)) / rest
    assert found.whole.durbin_watson == pytest.approx(watson)


def test_vif_and_beta_equal_their_definitions(current, found, matrices):
    outcome, design, _ = matrices
    for place, term in enumerate(found.terms[1:], start=1):
        others = np.delete(design, place, axis=1)
        left = design[:, place] - others @ np.linalg.lstsq(others, design[:, place], rcond=None)[0]
        share = 1 - left @ left / np.sum((design[:, place] - design[:, place].mean()) ** 2)
        assert term.vif == pytest.approx(1 / (1 - share))
        assert term.beta == pytest.approx(term.estimate * design[:, place].std() / outcome.std())
    scaled = regress(current, standardize=True, ordered=False)
    assert np.allclose([t.estimate for t in scaled.terms[1:]], [t.beta for t in found.terms[1:]])
    assert np.allclose([t.statistic for t in scaled.terms[1:]], [t.statistic for t in found.terms[1:]])


def test_the_twins_truth_shows_in_the_coefficients(found):
    terms = {t.term: t for t in found.terms}
    for factor in NAMES[:5]:
        assert terms[factor].conf_low > 0
    assert max(found.terms[1:], key=lambda t: t.beta).term == "civil_servant"
    assert terms["communication"].conf_low < 0 < terms["communication"].conf_high
    assert terms["civil_servant"].beta > terms["feedback"].beta > terms["digital"].beta


def test_a_known_truth_is_covered_as_often_as_the_interval_says():
    rng = np.random.default_rng(8)
    codes, hits = np.repeat(np.arange(40), 15), 0
    for _ in range(300):
        design = np.column_stack([np.ones(600), rng.normal(size=600), rng.normal(size=40)[codes]])
        outcome = design @ [1.0, 0.5, -0.3] + 0.5 * rng.normal(size=40)[codes] + rng.normal(size=600)
        estimate = np.linalg.lstsq(design, outcome, rcond=None)[0]
        error = np.sqrt(cluster_covariance(design, outcome - design @ estimate, codes)[2, 2])
        hits += abs(estimate[2] + 0.3) < 2.0227 * error  # Student's t on 39 degrees of freedom
    assert 0.90 <= hits / 300 <= 0.98


def test_rows_and_columns_may_be_shuffled(current, found):
    shuffled = replace(current, frame=current.frame.sample(frac=1, random_state=3).iloc[:, ::-1])
    again = regress(shuffled, predictors=NAMES[::-1], ordered=False)
    first = {t.term: (t.estimate, t.std_error) for t in found.terms}
    for t in again.terms:
        assert (t.estimate, t.std_error) == pytest.approx(first[t.term], rel=1e-8)


def test_whole_weights_count_as_repeated_forms(current):
    few = replace(current, frame=current.frame.head(400).copy())
    times = 1 + (np.arange(400) % 3)
    repeated = replace(few, frame=few.frame.loc[few.frame.index.repeat(times)].reset_index(drop=True))
    once = regress(changed(few, weight=times.astype(float)), weights="weight", cluster=None, ordered=False)
    many = regress(repeated, cluster=None, ordered=False)
    assert np.allclose([t.estimate for t in once.terms], [t.estimate for t in many.terms])
    assert once.whole.r2 == pytest.approx(many.whole.r2)
    assert [t.vif for t in once.terms[1:]] == pytest.approx([t.vif for t in many.terms[1:]])
    with pytest.raises(errors.OptionError, match="agency"):
        regress(few, weights="agency")


def test_missing_scores_are_counted(current):
    with pytest.warns(errors.DroppedRowsWarning):
        found = regress(current, ordered=False)
    assert found.n + found.n_dropped == len(current)
    assert found.n == len(pd.concat([score(current, "overall"), scores(current, NAMES)], axis=1).dropna())


def test_a_score_needs_half_of_its_items(current):
    frame = current.frame.copy()
    frame.loc[frame.index[0], ["access_1", "access_2", "access_3", "access_4"]] = [5.0, 4.0, np.nan, np.nan]
    frame.loc[frame.index[1], ["access_1", "access_2", "access_3", "access_4"]] = [5.0, np.nan, np.nan, np.nan]
    found = score(replace(current, frame=frame), "access")
    assert found.iloc[0] == 4.5
    assert np.isnan(found.iloc[1])


class TestOrderedLogit:
    def test_gradient_is_zero_at_the_optimum_and_right_elsewhere(self, current, matrices):
        codes = current.items(["overall_1"])["overall_1"]
        frame = pd.concat([codes, scores(current, NAMES)], axis=1).dropna()
        outcome, _ = merged_answers(frame["overall_1"].to_numpy(float))
        predictors = frame[NAMES].to_numpy(float)
        found, note = ordered_logit("overall_1", frame["overall_1"].to_numpy(float), predictors, NAMES, None, 0.95)
        assert note == ""
        slopes = np.array([t.estimate for t in found.terms])
        thresholds = self._thresholds(slopes, outcome, predictors)
        value, parts = log_likelihood_scores(slopes, thresholds, outcome, predictors)
        assert value == pytest.approx(found.log_likelihood, abs=1e-3)
        assert np.abs(parts.sum(axis=0)).max() < 0.05
        away = slopes + 0.1
        _, parts = log_likelihood_scores(away, thresholds, outcome, predictors)
        for place in range(len(slopes)):
            step = np.eye(len(slopes))[place] * 1e-5
            above, below = (log_likelihood_scores(away + s, thresholds, outcome, predictors)[0] for s in (step, -step))
            assert parts[:, place].sum() == pytest.approx((above - below) / 2e-5, rel=1e-5)

    @staticmethod
    def _thresholds(slopes, outcome, predictors):
        from scipy.optimize import minimize

        def loss(free):
            value, parts = log_likelihood_scores(slopes, np.sort(free), outcome, predictors)
            return -value, -parts[:, len(slopes) :].sum(axis=0)

        start = predictors.mean(axis=0) @ slopes + np.linspace(-3, 1, outcome.max())
        return minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-6}).x

    def test_cluster_errors_equal_the_sandwich_of_our_own_scores(self):
        rng = np.random.default_rng(2)
        codes, predictors = np.repeat(np.arange(30), 20), rng.normal(size=(600, 2))
        latent = predictors @ [0.8, -0.4] + 0.6 * rng.normal(size=30)[codes] + rng.logistic(size=600)
        answers = 1.0 + np.digitize(latent, [-1.0, 0.5, 2.0])
        found, _ = ordered_logit("y", answers, predictors, ["a", "b"], codes, 0.95)
        outcome, _ = merged_answers(answers)
        slopes = np.array([t.estimate for t in found.terms])
        thresholds = self._thresholds(slopes, outcome, predictors)
        whole = np.concatenate([slopes, thresholds])

        def gradient(free):
            return log_likelihood_scores(free[:2], free[2:], outcome, predictors)[1].sum(axis=0)

        steps = np.eye(len(whole)) * 1e-5
        hessian = np.array([(gradient(whole + s) - gradient(whole - s)) / 2e-5 for s in steps])
        parts = log_likelihood_scores(slopes, thresholds, outcome, predictors)[1]
        sums = np.array([parts[codes == g].sum(axis=0) for g in range(30)])
        bread = np.linalg.inv(hessian)
        covariance = bread @ sums.T @ sums @ bread
        written = np.sqrt(np.diag(covariance) * 30 / 29 * 599 / (600 - len(whole)))[:2]
        # statsmodels' factor counts its parameters in its own way; the sandwich itself must agree
        assert [t.std_error for t in found.terms] == pytest.approx(list(written), rel=5e-3)
        assert found.terms[0].conf_low < 0.8 < found.terms[0].conf_high

    def test_rare_answers_are_merged_before_anything_is_estimated(self):
        answers = np.repeat([1.0, 2.0, 3.0, 4.0, 5.0], [3, 5, 40, 60, 12])
        outcome, groups = merged_answers(answers)
        assert all(np.bincount(outcome) >= 10)
        assert sum(groups, ()) == (1, 2, 3, 4, 5)
        assert groups[0] == (1, 2, 3)
        none, note = ordered_logit(
            "y", np.full(50, 4.0), np.random.default_rng(1).normal(size=(50, 1)), ["a"], None, 0.9
        )
        assert none is None
        assert note == "models.note.logit_one_answer"

    def test_signs_agree_with_least_squares_on_the_twin(self, found):
        least = {t.term: t.estimate for t in found.terms}
        assert all(np.sign(t.estimate) == np.sign(least[t.term]) for t in found.logit.terms)
        assert 0 < found.logit.pseudo_r2 < 1


class TestAwkwardData:
    def test_one_agency_gives_hc3_and_says_so(self, current):
        found = regress(current.where(agency="huyen_01"), ordered=False)
        assert found.whole.covariance == "HC3"
        assert "models.note.one_cluster" in found.notes
        assert "HC3" in found.summary("en")

    def test_few_agencies_warn(self, current):
        few = replace(current, frame=current.frame.loc[current.frame["agency"].str.startswith("huyen")])
        with pytest.warns(errors.DesignWarning, match="11"):
            found = regress(few, ordered=False)
        assert "models.note.few_clusters" in found.notes

    def test_fewer_clusters_than_predictors_have_no_robust_f(self, current):
        few = replace(current, frame=current.frame.loc[current.frame["agency"].isin(["huyen_01", "huyen_02", "so_01"])])
        with pytest.warns(errors.DesignWarning):
            found = regress(few, ordered=False)
        assert np.isnan(found.whole.wald)
        assert np.isfinite(found.whole.f_statistic)

    def test_no_column_of_agencies(self, current):
        bare = replace(current, frame=current.frame.drop(columns="agency"))
        assert "models.note.no_cluster_column" in regress(bare, ordered=False).notes

    def test_one_predictor(self, current):
        found = regress(current, predictors=["access"])
        assert [t.vif for t in found.terms[1:]] == [pytest.approx(1.0)]
        assert found.terms[1].beta ** 2 == pytest.approx(found.whole.r2)
        assert len(found.logit.terms) == 1

    def test_collinear_predictors_are_named(self, current):
        same = changed(current, **{f"digital_{k}": current.frame[f"oversight_{k}"] for k in (1, 2, 3)})
        same = replace(same, frame=same.frame.drop(columns=["digital_4", "oversight_4"]))
        with pytest.raises(errors.AnalysisError, match="digital, oversight"):
            regress(same)

    def test_constant_predictor_is_left_out_and_told(self, current):
        flat = changed(current, **{f"digital_{k}": 4.0 for k in range(1, 5)})
        with pytest.warns(errors.DroppedItemWarning, match="digital"):
            found = regress(flat, ordered=False)
        assert found.left_out == ("digital",)
        assert "digital" not in found.predictors

    def test_constant_outcome_and_too_few_rows(self, current):
        with pytest.raises(errors.AnalysisError, match="cùng một giá trị"):
            regress(changed(current, overall_1=4.0, overall_2=4.0, overall_3=4.0))
        with pytest.raises(errors.AnalysisError, match="<10"):
            regress(replace(current, frame=current.frame.head(7)))

    def test_names_that_do_not_fit(self, current):
        with pytest.raises(errors.OptionError, match="access"):
            regress(current, predictors=["acces"])
        with pytest.raises(errors.OptionError, match="overall_1"):
            regress(current, predictors=["access", "overall_1"])
        with pytest.raises(errors.OptionError, match="hai lần"):
            regress(current, predictors=["access", "access"])
        with pytest.raises(errors.OptionError, match="khong_co"):
            regress(current, cluster="khong_co")
        bare = replace(current, frame=current.frame.drop(columns=["overall_1", "overall_2", "overall_3"]))
        with pytest.raises(errors.AnalysisError, match="hài lòng chung"):
            regress(bare)

    def test_an_item_or_a_scale_may_be_the_outcome(self, current):
        found = regress(current, "access", ["digital", "oversight", "communication"], ordered=False)
        assert found.outcome == "access"
        assert regress(current, "overall_2", ["access"]).logit.item == "overall_2"


def test_every_coefficient_carries_its_kind_and_none_is_called_an_effect(found):
    table = found.tidy()
    assert set(table["data_kind"]) == {"simulated"}
    assert set(table["group"]) == {"ols", "ordered_logit"}
    assert list(found.glance()["data_kind"]) == ["simulated"]
    for language in ("vi", "en"):
        assert not re.search(r"\bnan\b|tác động|effect", found.summary(language))


def test_variance_inflation_of_independent_predictors_is_one():
    rng = np.random.default_rng(1)
    basis = np.linalg.qr(np.column_stack([np.ones(50), rng.normal(size=(50, 3))]))[0][:, 1:]
    assert variance_inflation(basis) == pytest.approx([1.0, 1.0, 1.0])
