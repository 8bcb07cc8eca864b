"""Measures of fit against lavaan's, and at their edges."""

import json
import math
from pathlib import Path

import pytest
from scipy.stats import ncx2

from sipas_research.sem import fit_indices

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "sem"
CASES = ("hs_ml", "quality_ml", "pd_ml", "levers_ml")


@pytest.fixture(params=CASES)
def case(request):
    found = json.loads((REFERENCE / f"{request.param}.json").read_text(encoding="utf-8"))
    return found["nobs"], found["fit"]


def close(value, expected):
    assert value == pytest.approx(expected, rel=1e-9, abs=1e-11)


def test_incremental_indices(case):
    _, fit = case
    numbers = (fit["chisq"], fit["df"], fit["baseline.chisq"], fit["baseline.df"])
    close(fit_indices.cfi(*numbers), fit["cfi"])
    close(fit_indices.tli(*numbers), fit["tli"])
    close(fit_indices.nfi(fit["chisq"], fit["baseline.chisq"]), fit["nfi"])
    close(fit_indices.ifi(fit["chisq"], fit["df"], fit["baseline.chisq"]), fit["ifi"])


def test_rmsea_with_interval_and_close_fit(case):
    n, fit = case
    close(fit_indices.rmsea(fit["chisq"], fit["df"], n), fit["rmsea"])
    low, high = fit_indices.rmsea_interval(fit["chisq"], fit["df"], n)
    assert low == pytest.approx(fit["rmsea.ci.lower"], abs=2e-6)
    assert high == pytest.approx(fit["rmsea.ci.upper"], abs=2e-6)
    assert fit_indices.rmsea_close(fit["chisq"], fit["df"], n) == pytest.approx(fit["rmsea.pvalue"], rel=1e-6)


def test_the_ends_of_the_interval_are_what_they_claim(case):
    n, fit = case
    low, high = fit_indices.rmsea_interval(fit["chisq"], fit["df"], n)
    for end, tail in ((low, 0.05), (high, 0.95)):
        if end > 0:
            above = ncx2.sf(fit["chisq"], fit["df"], n * fit["df"] * end**2)
            assert above == pytest.approx(tail, abs=1e-6)


def test_exact_fit_criteria_and_the_rest(case):
    n, fit = case
    close(fit_indices.chi_square_p(fit["chisq"], fit["df"]), fit["pvalue"])
    close(fit_indices.aic(fit["logl"], fit["npar"]), fit["aic"])
    close(fit_indices.bic(fit["logl"], fit["npar"], n), fit["bic"])
    close(fit_indices.mfi(fit["chisq"], fit["df"], n), fit["mfi"])
    close(fit_indices.agfi(fit["gfi_lisrel"], fit["npar"], fit["df"]), fit["agfi_lisrel"])
    close(fit_indices.chi_square_over_df(fit["chisq"], fit["df"]), fit["chisq"] / fit["df"])


def test_the_noncentral_tail_of_close_fit_is_small_but_not_zero():
    found = fit_indices.rmsea_close(3000.0, 199, 1200)
    assert 0 < found < 1e-100


def test_a_model_that_fits_better_than_chance_keeps_cfi_at_one_and_rmsea_at_zero():
    assert fit_indices.cfi(90.0, 100, 2000.0, 120) == 1.0
    assert fit_indices.cfi(90.0, 100, 100.0, 120) == 1.0
    assert fit_indices.rmsea(90.0, 100, 500) == 0.0
    assert fit_indices.tli(90.0, 100, 2000.0, 120) > 1.0


def test_without_degrees_of_freedom_measures_are_missing_not_errors():
    assert math.isnan(fit_indices.rmsea(0.0, 0, 100))
    assert math.isnan(fit_indices.rmsea_close(0.0, 0, 100))
    assert math.isnan(fit_indices.chi_square_p(0.0, 0))
    assert math.isnan(fit_indices.chi_square_over_df(0.0, 0))
    assert math.isnan(fit_indices.tli(0.0, 0, 50.0, 3))
    assert all(math.isnan(end) for end in fit_indices.rmsea_interval(0.0, 0, 100))
    assert math.isnan(fit_indices.agfi(0.9, 5, 0))
