"""A fit in one row and as text: numbers of the fit, the order of lavaan, the same in both languages."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import DroppedRowsWarning, HeywoodWarning, NotIdentifiedWarning
from sipas_research.results import DataKind
from sipas_research.wording import number, text

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
TWO = "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6"
MEDIATION = "v =~ x1 + x2 + x3\nt =~ x4 + x5 + x6\ns =~ x7 + x8 + x9\nt ~ a*v\ns ~ b*t + c*v\nind := a*b\nc > 0.5"
TITLES = (
    "test", "baseline", "against_baseline", "likelihood", "rmsea", "srmr", "parameters", "loadings", "regressions",
    "covariances", "variances", "r2", "defined", "constraints", "notes",
)  # fmt: skip


@pytest.fixture(scope="module")
def people():
    return pd.read_csv(REFERENCE / "sem" / "holzinger_people.csv")


@pytest.fixture(scope="module")
def fit(people):
    return sr.sem(MEDIATION + "\nx1 ~~ x4", people, estimator="MLR")


def line(summary, key, language, **fields):
    label = text(f"sem_summary.row.{key}", language, **fields)
    return next(row for row in summary.splitlines() if row.strip().startswith(label))


@pytest.mark.parametrize("language", ["vi", "en"])
def test_sections_stand_in_lavaans_order(fit, language):
    summary = fit.summary(language)
    places = [summary.index(text(f"sem_summary.section.{name}", language)) for name in TITLES]
    assert places == sorted(places)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_measures_are_those_of_the_fit(fit, language):
    summary, measures = fit.summary(language), fit.fit_measures()
    for row, name in (("statistic", "chisq"), ("cfi", "cfi"), ("tli", "tli"), ("rmsea_low", "rmsea_ci_lower")):
        cells = line(summary, row, language).split()[-2:]
        assert cells == [number(measures[each], 3, language) for each in (name, f"{name}_scaled")]
    assert line(summary, "cfi_robust", language).split()[-1] == number(measures["cfi_robust"], 3, language)
    assert line(summary, "bic", language).split()[-1] == number(measures["bic"], 3, language)
    assert line(summary, "df", language).split()[-1] == str(int(measures["df"]))


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_estimated_parameter_is_printed(fit, language):
    summary, tidy = fit.summary(language), fit.tidy()
    for row in tidy[tidy["std_error"] > 0].itertuples():
        cells = [number(value, 3, language) for value in (row.estimate, row.std_error, row.statistic)]
        assert re.search(r"\s+".join(map(re.escape, cells)), summary), (row.lhs, row.op, row.rhs)
        assert number(row.std_all, 3, language) in summary


def test_both_languages_print_the_same_numbers(fit):
    def digits(language):
        found = re.findall(r"(?<![\w.])[−<]?\d[\d.,]*", fit.summary(language))
        return [item.replace(".", "").replace(",", "").strip() for item in found]

    vi, en = digits("vi"), digits("en")
    assert len(vi) > 200
    assert vi == en


def test_an_active_inequality_is_named(people):
    fit = sr.sem(MEDIATION, people)
    summary = fit.summary("en")
    assert [c.text for c in fit.optimum.active] == ["c>0.5"]
    place = summary.index("c>0.5")
    assert "active: counted as an equality constraint" in summary[place:]
    assert line(summary, "inequalities", "en").split()[-1] == "1"


def test_residuals_carry_a_dot_and_labels_stand_in_brackets(fit):
    summary = fit.summary("en")
    assert re.search(r"^   \.x1 +0", summary, re.MULTILINE)
    assert re.search(r"^    v +0", summary, re.MULTILINE)
    assert re.search(r"^  \.x1 ~~\n    ?\.x4 ", summary, re.MULTILINE)
    assert "t  (b)" in summary


def test_groups(people):
    fit = sr.cfa(TWO, people, group="school", group_equal="loadings")
    summary = fit.summary("vi")
    assert summary.index("Nhóm 1 [Pasteur]:") < summary.index("Nhóm 2 [Grant-White]:")
    assert line(summary, "parameters", "vi").split()[-1] == "38"
    assert line(summary, "equalities", "vi").split()[-1] == "4"
    assert summary.count("(.p2.)") == 2
    parts = [float(row.split()[-1].replace(",", ".")) for row in summary.splitlines() if row.startswith("    Pasteur")]
    others = [float(r.split()[-1].replace(",", ".")) for r in summary.splitlines() if r.startswith("    Grant-White")]
    assert (parts[0], others[0]) == (156, 145)
    assert parts[1] + others[1] == pytest.approx(fit.fit_measures()["chisq"], abs=0.002)


def test_plain_estimators_have_one_column(people):
    summary = sr.cfa(TWO, people).summary("en")
    assert line(summary, "statistic", "en").count(".") == 1
    assert "Scaled" not in summary
    assert "Sandwich" not in summary
    least = sr.cfa(TWO, people, estimator="ULS").summary("en")
    assert "Sandwich" in least
    assert "Akaike" not in least


def test_predictors_with_sample_moments_are_not_printed(people):
    summary = sr.sem(TWO + "\ng ~ ageyr", people).summary("en")
    assert len(re.findall(r"^ +\.?ageyr ", summary, re.MULTILINE)) == 1


def test_the_simulated_mark_and_the_source(people):
    found = sr.cfa(TWO, people, data_kind=DataKind.SIMULATED)
    assert found.summary("vi").splitlines()[0] == "DỮ LIỆU MÔ PHỎNG"
    assert found.glance()["data_kind"].item() == "simulated"
    assert "MÔ PHỎNG" not in sr.cfa(TWO, people).summary("vi")


def test_dropped_rows_are_told_and_few_of_them_are_not_counted(people):
    holes = people.copy()
    holes.loc[[3, 30, 90], "x2"] = np.nan
    with pytest.warns(DroppedRowsWarning):
        few = sr.cfa(TWO, holes)
    assert line(few.summary("en"), "rows_dropped", "en").split()[-1] == "<10"
    assert few.glance()["n"].item() == 298
    holes.loc[100:119, "x2"] = np.nan
    with pytest.warns(DroppedRowsWarning):
        many = sr.cfa(TWO, holes)
    assert line(many.summary("en"), "rows_dropped", "en").split()[-1] == "23"
    assert many.glance()["n_dropped"].item() == 23


def test_troubles_stand_in_the_summary_in_full():
    cov = pd.DataFrame([[1.0, 0.8, 0.7], [0.8, 1.0, 0.5], [0.7, 0.5, 1.0]], index=list("abc"), columns=list("abc"))
    with pytest.warns(HeywoodWarning):
        fit = sr.cfa("f =~ a + b + c", sr.Moments(cov, n=200))
    assert "Trường hợp Heywood: phương sai phần dư âm ở a." in fit.summary("vi")
    assert fit.glance()["note"].item() == "heywood"
    assert np.isnan(fit.r2()["r2"].iloc[0])
    assert re.search(r"^    a +–$", fit.summary("en"), re.MULTILINE)


def test_what_is_not_identified_is_a_dash(people):
    with pytest.warns(NotIdentifiedWarning):
        fit = sr.cfa("f =~ x1 + x2", people)
    summary = fit.summary("en")
    assert "nan" not in summary
    assert "The data do not determine the model." in summary
    assert re.search(r"^    x2 +–", summary, re.MULTILINE)


def test_glance_is_one_row_of_the_measures(fit, people):
    row = fit.glance()
    assert len(row) == 1
    measures = fit.fit_measures()
    for name in ("chisq", "cfi", "rmsea_ci_upper", "rmsea_robust", "srmr", "aic", "bic", "pvalue_scaled"):
        assert row[name].item() == measures[name]
    assert (row["n"].item(), row["n_dropped"].item(), row["groups"].item()) == (301, 0, 1)
    assert row["npar"].item() == fit.parameters
    assert row["converged"].item()
    assert row["note"].item() == ""
    plain = sr.cfa(TWO, people).glance()
    assert np.isnan(plain["chisq_scaled"].item())
    assert list(plain.columns) == list(row.columns)


def test_a_saturated_model_has_no_p_value(people):
    summary = sr.cfa("f =~ x1 + x2 + x3", people).summary("en")
    assert line(summary, "p_value", "en").split()[-1] == "–"


def test_coverage_follows_the_fit(people):
    fit = sr.cfa(TWO, people, level=0.9)
    assert line(fit.summary("vi"), "level", "vi").split()[-1] == "90%"


def test_vietnamese_names_keep_the_columns(people):
    named = people.rename(columns={"x1": "tiếp_cận_1", "x2": "tiếp_cận_2", "x3": "kết_quả"})
    summary = sr.cfa("chất_lượng =~ tiếp_cận_1 + tiếp_cận_2 + kết_quả + x4", named).summary("vi")
    ends = {len(row) for row in summary.splitlines() if re.match(r"^   [ .](tiếp|kết|x4)", row) and row.count(",") > 2}
    assert len(ends) == 1


def test_the_parameter_table_explains_itself(people):
    fit = sr.sem(TWO + "\ng ~ b*f + start(0.3)*ageyr\nd := b^2\nb > -1", people, group="school", group_equal="loadings")
    english = fit.table.summary("en")
    assert "observed variables 7, latent variables 2, groups 2" in english
    for phrase in (
        "f is measured by x1; fixed at 1.000", "free, equal to 'f =~ x2 [Pasteur]'", "g is regressed on f; free",
        "free, starting at 0.300", "residual variance of g; free (added by convention)", "variance of f; free",
        "mean of ageyr; taken from the sample", "intercept of x1", "b>-1", "d := b^2",
    ):  # fmt: skip
        assert phrase in english
    assert repr(fit.table) == fit.table.summary("vi")
    assert "g hồi quy theo f; tự do" in repr(fit.table)
    assert len(english.splitlines()) == len(fit.table.rows) + 9
