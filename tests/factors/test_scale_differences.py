"""All scales by all facts: one corrected family, pairs where it is clear, levels of agencies, hidden groups."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as formulas
from scipy import stats
from statsmodels.stats.multitest import multipletests

import sipas_research as sr
from sipas_research import errors, resources
from sipas_research.factors.group_differences import compare_groups
from sipas_research.factors.scale_differences import comparable_facts, compare_scales
from sipas_research.factors.scores import score


@pytest.fixture(scope="module")
def current():
    project = sr.load_study(resources.data("twin", "study.toml"))
    return project.current(project.responses("citizens"))


@pytest.fixture(scope="module")
def found(current):
    return compare_scales(current)


def test_each_comparison_is_the_one_of_compare_groups(current, found):
    assert len(found.comparisons) == len(found.facts) * len(found.outcomes) == 8 * 9
    for by, outcome in (("channel", "access"), ("respondent_type", "overall")):
        one = compare_groups(current, by, outcome)
        same = next(c for c, _ in found.of(by) if c.outcome == outcome)
        assert same.groups().equals(one.groups())
        assert same.leading == one.leading
        assert same.effect_sizes == one.effect_sizes


def test_holm_covers_the_whole_family_and_gates_the_pairs(found):
    tails = [c.leading[1].p_value for c in found.comparisons]
    assert found.adjusted == pytest.approx(multipletests(tails, method="holm")[1])
    for comparison, adjusted in zip(found.comparisons, found.adjusted, strict=True):
        assert bool(comparison.pair_rows) == (adjusted < 0.05 and len(comparison.shown) > 2)
    assert len(found.clear) >= 1


def test_pairs_robust_to_clusters_equal_a_regression_on_dummies(current, found):
    comparison = next(c for c in found.clear if c.pair_rows)
    frame = pd.DataFrame(
        {
            "y": score(current, comparison.outcome),
            "x": current.frame[comparison.by],
            "g": pd.factorize(current.frame["agency"])[0],
        }
    ).dropna()
    frame["x"] = frame["x"].astype(int)
    fit = formulas.ols("y ~ C(x) - 1", frame).fit(cov_type="cluster", cov_kwds={"groups": frame["g"]}, use_t=True)
    robust = [r for r in comparison.pair_rows if r.method == "cluster_holm"]
    tails = []
    for row in robust:
        contrast = fit.t_test(f"C(x)[{row.first}] - C(x)[{row.second}] = 0")
        assert row.estimate == pytest.approx(float(contrast.effect[0]), abs=1e-10)
        assert row.std_error == pytest.approx(float(contrast.sd[0, 0]), rel=1e-8)
        tails.append(float(contrast.pvalue))
    assert [r.p_value for r in robust] == pytest.approx(multipletests(tails, method="holm")[1], rel=1e-6)
    reach = stats.t.ppf(1 - 0.025 / len(robust), 30) * robust[0].std_error
    assert robust[0].conf_high == pytest.approx(robust[0].estimate + reach)


def test_the_level_of_the_agency_comes_from_the_register(current, found):
    level = current.frame["agency"].map({a.code: a.level for a in current.agencies.agencies})
    sizes = dict(found.sizes)["level"]
    assert [s.n for s in sizes] == [level.eq("department").sum(), level.eq("district").sum()]
    one = compare_groups(current, "level", "access")
    values = score(current, "access")
    parts = [values[level == name].dropna() for name in ("department", "district")]
    assert [r.mean for r in one.group_rows] == pytest.approx([p.mean() for p in parts])
    assert one.test("welch_t").p_value == pytest.approx(stats.ttest_ind(*parts, equal_var=False).pvalue)
    bare = replace(current, frame=current.frame.drop(columns="agency"))
    with pytest.raises(errors.AnalysisError, match="cấp cơ quan"):
        compare_groups(bare, "level")


def test_without_agencies_welch_leads(current):
    bare = replace(current, frame=current.frame.drop(columns="agency"))
    found = compare_scales(bare, ["sex", "channel"], ["access"])
    assert [c.leading[0] for c in found.comparisons] == ["welch_anova", "welch_anova"]
    assert set(found.tidy()["test"]) == {"welch_anova"}


def test_facts_that_people_could_be_told_by_are_left_out(current):
    facts = comparable_facts(current)
    assert {"sex", "age_band", "education", "occupation", "channel", "level"} <= set(facts)
    form = current.questionnaire
    sensitive = tuple(replace(q, personal="sensitive") if q.id == "sex" else q for q in form.questions)
    assert "sex" not in comparable_facts(replace(current, questionnaire=replace(form, questions=sensitive)))
    assert "sex" not in comparable_facts(replace(current, frame=current.frame.assign(sex=1)))


def test_small_groups_are_hidden_in_every_table(current):
    frame = current.frame.copy()
    others = frame.index[frame["sex"].eq(3).fillna(False)]
    small = replace(current, frame=frame.drop(index=others[4:]))
    found = compare_scales(small, ["sex"])
    shown = found.groups().query("group == '3'")
    assert shown["suppressed"].all()
    assert shown[["n", "mean", "sd"]].isna().all().all()
    assert {s.group: s.suppressed for s in dict(found.sizes)["sex"]}["3"]
    for table in (found.tidy(), found.groups(), found.pairs(), found.glance()):
        assert not (table.select_dtypes("number") == 4).to_numpy().any()


def test_gaps_carry_their_reasons(current):
    frame = current.frame.assign(channel=pd.NA)
    frame.loc[frame.index[9:], ["feedback_1", "feedback_2", "feedback_3", "feedback_4"]] = np.nan
    found = compare_scales(replace(current, frame=frame), ["sex", "channel"])
    gaps = {(by, outcome): reason for by, outcome, reason in found.gaps}
    assert set(gaps) == {("sex", "feedback"), ("channel", "")}
    assert found.glance()["n_gaps"].iloc[0] == 2


def test_what_cannot_be_compared_is_refused(current):
    with pytest.raises(errors.OptionError, match="sex"):
        compare_scales(current, ["sexx"])
    with pytest.raises(errors.OptionError, match="access"):
        compare_scales(current, ["sex"], ["acces"])
    with pytest.raises(errors.OptionError):
        compare_scales(current, alpha=0)
    with pytest.raises(errors.OptionError, match="tukey"):
        compare_groups(current, "sex", pairs=["tuckey"])
    with pytest.raises(errors.AnalysisError):
        compare_scales(replace(current, frame=current.frame.drop(columns=["agency", *comparable_facts(current)[:-1]])))


def test_items_may_be_compared_too(current):
    found = compare_scales(current, ["channel"], ["access_1", "index"])
    assert found.outcomes == ("access_1", "index")
    assert found.summary("en").count("2") >= 1
