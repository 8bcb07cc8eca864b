"""Differences between groups against published examples, closed forms and other packages; small groups stay hidden."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import sipas_research as sr
from sipas_research import errors, resources
from sipas_research.factors.group_differences import _pairs, compare_groups
from sipas_research.factors.scores import score
from sipas_research.numerics import group_tests

# Student (1908), Biometrika 6: extra hours of sleep under two drugs; values of R's t.test(extra ~ group, sleep).
SLEEP = (
    np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]),
    np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]),
)
# Dobson (1983), An Introduction to Statistical Modelling, p. 38: R's PlantGrowth.
PLANTS = (
    np.array([4.17, 5.58, 5.18, 6.11, 4.50, 4.61, 5.17, 4.53, 5.33, 5.14]),
    np.array([4.81, 4.17, 4.41, 3.59, 5.87, 3.83, 6.03, 4.89, 4.32, 4.69]),
    np.array([6.31, 5.12, 5.54, 5.50, 5.37, 5.29, 4.92, 6.15, 5.80, 5.26]),
)


@pytest.fixture(scope="module")
def current():
    project = sr.load_study(resources.data("twin", "study.toml"))
    return project.current(project.responses("citizens"))


def parts(responses, by, codes, outcome="overall"):
    values = score(responses, outcome)
    return [values[responses.frame[by].eq(c).fillna(False)].dropna().to_numpy() for c in codes]


def test_sleep_data_of_student():
    welch, student = group_tests.welch_t(*SLEEP, 0.95), group_tests.student_t(*SLEEP, 0.95)
    assert (welch.statistic, welch.df2, welch.p_value) == pytest.approx((-1.8608, 17.776, 0.07939), rel=1e-4)
    assert (welch.conf_low, welch.conf_high) == pytest.approx((-3.3654832, 0.2054832), abs=1e-6)
    assert (student.df2, student.p_value) == pytest.approx((18, 0.07919), rel=1e-4)
    assert (student.conf_low, student.conf_high) == pytest.approx((-3.363874, 0.203874), abs=1e-6)
    d = group_tests.cohen_d(*SLEEP, 0.95)
    assert d.estimate == pytest.approx(-0.8321811, abs=1e-6)
    assert group_tests.hedges_g(*SLEEP, 0.95).estimate == pytest.approx(d.estimate * (1 - 3 / 71))


def test_plant_growth_of_dobson():
    test = group_tests.anova(PLANTS)
    assert (test.statistic, test.df1, test.df2, test.p_value) == pytest.approx((4.846, 2, 27, 0.01591), rel=1e-3)
    welch = group_tests.welch_anova(PLANTS)
    assert (welch.statistic, welch.df2, welch.p_value) == pytest.approx((5.181, 17.128, 0.01739), rel=1e-3)
    brown = group_tests.levene(PLANTS, centre="median")
    assert (brown.statistic, brown.p_value) == pytest.approx((1.1192, 0.3412), rel=1e-3)
    assert group_tests.eta_squared(test, 0.95).estimate == pytest.approx(0.2641, abs=5e-5)


def test_plant_growth_pairs_as_r_prints_them():
    rows = {(r.method, r.first, r.second): r for r in _pairs(["ctrl", "trt1", "trt2"], list(PLANTS), 0.95)}
    first, third = rows["tukey", "ctrl", "trt1"], rows["tukey", "trt1", "trt2"]
    assert first.p_value == pytest.approx(0.3908711, abs=1e-6)
    assert (-first.conf_high, -first.conf_low) == pytest.approx((-1.0622161, 0.3202161), abs=1e-4)
    assert third.p_value == pytest.approx(0.0120064, abs=1e-6)
    # Games-Howell by its formula
    pair = rows["games_howell", "ctrl", "trt2"]
    a, b = PLANTS[0], PLANTS[2]
    error = np.sqrt((a.var(ddof=1) / 10 + b.var(ddof=1) / 10) / 2)
    df = stats.ttest_ind(a, b, equal_var=False).df
    p = stats.studentized_range.sf(abs(a.mean() - b.mean()) / error, 3, df)
    assert pair.p_value == pytest.approx(p, rel=1e-6)
    reach = stats.studentized_range.ppf(0.95, 3, df) * error
    assert pair.conf_high == pytest.approx(a.mean() - b.mean() + reach, rel=1e-5)


def test_tests_equal_scipy_on_the_twin(current):
    found = compare_groups(current, "channel")
    groups = parts(current, "channel", (1, 2, 3))
    expected = {
        "levene": stats.levene(*groups, center="mean"),
        "brown_forsythe": stats.levene(*groups, center="median"),
        "anova": stats.f_oneway(*groups),
        "welch_anova": stats.f_oneway(*groups, equal_var=False),
        "kruskal_wallis": stats.kruskal(*groups),
    }
    for name, reference in expected.items():
        assert found.test(name).statistic == pytest.approx(float(reference.statistic), rel=1e-8)
        assert found.test(name).p_value == pytest.approx(float(reference.pvalue), rel=1e-7)
    assert [r.n for r in found.group_rows] == [len(g) for g in groups]
    assert [r.mean for r in found.group_rows] == pytest.approx([g.mean() for g in groups])


def test_two_groups_equal_scipy_and_f_is_t_squared(current):
    found = compare_groups(current, "respondent_type", "procedure")
    one, other = parts(current, "respondent_type", (1, 2), "procedure")
    for name, equal in (("student_t", True), ("welch_t", False)):
        reference = stats.ttest_ind(one, other, equal_var=equal)
        ends = reference.confidence_interval(0.95)
        test = found.test(name)
        assert (test.statistic, test.p_value, test.df2) == pytest.approx(
            (reference.statistic, reference.pvalue, reference.df), rel=1e-8
        )
        assert (test.conf_low, test.conf_high) == pytest.approx((ends.low, ends.high), rel=1e-6)
    assert group_tests.anova([one, other]).statistic == pytest.approx(found.test("student_t").statistic ** 2)
    assert found.pair_rows == ()
    # organisations were made to rate procedures lower
    assert found.test("welch_t").estimate > 0


def test_the_clustered_test_equals_a_regression_on_dummies(current):
    import statsmodels.formula.api as formulas

    found = compare_groups(current, "channel")
    frame = pd.DataFrame(
        {"y": score(current, "overall"), "x": current.frame["channel"], "g": current.frame["agency"]}
    ).dropna()
    frame["x"] = frame["x"].astype(int)
    codes = pd.factorize(frame["g"])[0]
    fit = formulas.ols("y ~ C(x)", frame).fit(cov_type="cluster", cov_kwds={"groups": codes}, use_t=True)
    wald = fit.f_test("C(x)[T.2] = 0, C(x)[T.3] = 0")
    test = found.test("cluster_wald")
    assert test.statistic == pytest.approx(float(wald.fvalue), rel=1e-7)
    assert test.p_value == pytest.approx(float(wald.pvalue), rel=1e-6)
    assert (test.df1, test.df2) == (2, 30)
    assert found.clusters == 31


def test_eta_squared_interval_holds_the_noncentral_f_to_its_tails():
    test = group_tests.anova(PLANTS)
    share = group_tests.eta_squared(test, 0.90)
    for end, tail in ((share.conf_low, 0.05), (share.conf_high, 0.95)):
        noncentral = end / (1 - end) * 30
        assert stats.ncf.sf(test.statistic, 2, 27, noncentral) == pytest.approx(tail, abs=1e-6)
    omega = group_tests.omega_squared(test).estimate
    between, within = group_tests.sums_of_squares(PLANTS)
    square = within / 27
    assert omega == pytest.approx((between - 2 * square) / (between + within + square))
    assert omega < share.estimate


def test_tails_are_not_cut_at_zero():
    rng = np.random.default_rng(3)
    groups = [rng.normal(size=400), rng.normal(4.0, size=400)]
    assert 0 < group_tests.welch_t(*groups, 0.95).p_value < 1e-100
    assert 0 < group_tests.anova(groups).p_value < 1e-100


def test_equal_groups_reject_as_often_as_the_level_says():
    rng = np.random.default_rng(12)
    tails = [
        group_tests.welch_anova([rng.normal(scale=s, size=n) for n, s in ((15, 1), (30, 3), (60, 2))]).p_value
        for _ in range(800)
    ]
    assert 0.03 <= np.mean(np.array(tails) < 0.05) <= 0.075


class TestSmallGroups:
    def small(self, current, n):
        """The first ``n`` of those who answered "other" stay, everyone states a sex and answers."""
        frame = current.frame.loc[current.frame["sex"].notna() & score(current, "overall").notna()]
        others = frame.index[frame["sex"].eq(3)]
        return replace(current, frame=frame.drop(index=others[n:]))

    def test_a_small_group_takes_another_with_it_so_that_it_cannot_be_derived(self, current):
        with pytest.raises(errors.AnalysisError, match="hai nhóm"):
            compare_groups(self.small(current, 4), "sex")

    def test_people_without_an_answer_cover_for_a_small_group(self, current):
        frame = self.small(current, 4).frame.copy()
        frame.loc[frame.index[:30], "sex"] = pd.NA
        found = compare_groups(replace(current, frame=frame), "sex")
        hidden = {r.group: r for r in found.group_rows}["3"]
        assert hidden.suppressed
        assert np.isnan(hidden.n)
        assert np.isnan(hidden.mean)
        shown = [r for r in found.group_rows if not r.suppressed]
        assert found.n == sum(r.n for r in shown)
        assert len(shown) == 2
        assert found.test("student_t").df2 == found.n - 2

    def test_people_without_a_score_cover_for_nobody(self, current):
        """A comparison by another fact prints how many have a score: the difference would be the small group."""
        small = self.small(current, 4).frame
        silent = current.frame.loc[current.frame["sex"].notna() & score(current, "overall").isna()]
        frame = pd.concat([small, *[silent] * 5])
        assert len(frame) - len(small) >= 10
        with pytest.raises(errors.AnalysisError, match="hai nhóm"):
            compare_groups(replace(current, frame=frame.reset_index(drop=True)), "sex")

    def test_few_people_without_an_answer_cost_no_group(self, current):
        frame = current.frame.loc[current.frame["channel"].notna()].copy()
        frame.loc[frame.index[:3], ["overall_1", "overall_2", "overall_3"]] = np.nan
        found = compare_groups(replace(current, frame=frame), "channel")
        assert not any(r.suppressed for r in found.group_rows)

    def test_a_group_of_one_mind_is_hidden(self, current):
        frame = current.frame.copy()
        frame.loc[frame["channel"].eq(3).fillna(False), ["overall_1", "overall_2", "overall_3"]] = 5.0
        with pytest.raises(errors.AnalysisError, match="hai nhóm"):  # nobody to cover for it
            compare_groups(replace(current, frame=frame), "channel")
        frame.loc[frame.index[frame["channel"].eq(1).fillna(False)][:30], "channel"] = pd.NA
        found = compare_groups(replace(current, frame=frame), "channel")
        assert {r.group: r.suppressed for r in found.group_rows}["3"]

    def test_no_table_of_the_result_holds_a_hidden_count(self, current):
        frame = self.small(current, 4).frame.copy()
        frame.loc[frame.index[:30], "sex"] = pd.NA
        found = compare_groups(replace(current, frame=frame), "sex")
        for table in (found.groups(), found.tidy(), found.effects(), found.glance()):
            assert not (table.select_dtypes("number") == 4).to_numpy().any()


def test_what_cannot_be_compared_is_refused(current):
    with pytest.raises(errors.OptionError, match="sex"):
        compare_groups(current, "sexx")
    with pytest.raises(errors.OptionError):
        compare_groups(current, "respondent_id")
    with pytest.raises(errors.OptionError, match="access"):
        compare_groups(current, "sex", "acces")
    flat = replace(current, frame=current.frame.assign(overall_1=4.0, overall_2=4.0, overall_3=4.0))
    with pytest.raises(errors.AnalysisError):
        compare_groups(flat, "sex")


def test_index_is_the_share_of_high_answers_of_a_person(current):
    found = score(current, "index")
    items = [i for ids in current.scale_items("factor").values() for i in ids]
    person = current.frame[items].iloc[5].dropna()
    assert found.iloc[5] == pytest.approx((person >= 4).mean())
    assert compare_groups(current, "channel", "index").outcome == "index"


def test_many_groups_are_compared_without_pairs_and_without_their_own_clusters(current):
    found = compare_groups(current, "agency")
    assert found.pair_rows == ()
    assert found.test("cluster_wald") is None
    assert [r.group for r in found.group_rows] == list(current.agencies.codes())
    assert found.test("anova").p_value < 1e-6  # agencies were made to differ


def test_result_manners(current):
    found = compare_groups(current, "age_band")
    assert set(found.tidy()["data_kind"]) == {"simulated"}
    assert found.leading[0] == "cluster_wald"
    assert len(found.pairs()) == 12
    for language in ("vi", "en"):
        assert "nan" not in found.summary(language)
