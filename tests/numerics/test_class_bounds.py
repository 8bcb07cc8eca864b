"""One-sided bounds of shares: closed forms, tail identities, a second implementation, monotony."""

import numpy as np
import polars
import pytest
import svy
from scipy.stats import binom

from sipas_research.numerics.class_bounds import clopper_pearson, forms_to_settle, korn_graubard_size, one_sided_bounds
from sipas_research.numerics.intervals import logit_interval


def bounds(estimate, std_error, df, n, **options):
    values = (np.array([float(v)]) for v in (estimate, std_error, df, n, options.pop("effective", n)))
    found = one_sided_bounds(*values, **options)
    return float(found.lower[0]), float(found.upper[0]), bool(found.exact[0])


def test_clopper_pearson_known_values():
    # 5 of 10 at 95% two-sided: the textbook's 0.1871 and 0.8129
    low, high = clopper_pearson(np.array([5.0]), np.array([10.0]), 0.975)
    assert low[0] == pytest.approx(0.18708603, abs=1e-8)
    assert high[0] == pytest.approx(0.81291397, abs=1e-8)


@pytest.mark.parametrize("size", [1, 10, 59, 400])
def test_clopper_pearson_closed_forms_at_the_ends(size):
    low, high = clopper_pearson(np.array([0.0, float(size)]), np.array([float(size)] * 2), 0.95)
    assert low[0] == 0.0
    assert high[1] == 1.0
    assert high[0] == pytest.approx(1.0 - 0.05 ** (1.0 / size), abs=1e-12)
    assert low[1] == pytest.approx(0.05 ** (1.0 / size), abs=1e-12)


def test_fifty_nine_of_fifty_nine_certify_ninety_five_per_cent():
    # the smallest n at which unanimity shows 95% with confidence 95%
    low, _ = clopper_pearson(np.array([58.0, 59.0]), np.array([58.0, 59.0]), 0.95)
    assert low[0] < 0.95 <= low[1]


@pytest.mark.parametrize(("hits", "size"), [(18, 20), (3, 50), (97, 100)])
def test_clopper_pearson_inverts_the_binomial_tails(hits, size):
    low, high = clopper_pearson(np.array([float(hits)]), np.array([float(size)]), 0.95)
    assert binom.sf(hits - 1, size, low[0]) == pytest.approx(0.05, abs=1e-10)
    assert binom.cdf(hits, size, high[0]) == pytest.approx(0.05, abs=1e-10)


def test_logit_bounds_are_the_ends_of_the_two_sided_interval():
    low, high, exact = bounds(0.85, 0.03, 79, 120)
    assert not exact
    assert (low, high) == pytest.approx(logit_interval(0.85, 0.03, 79, 0.90), abs=1e-13)


def test_korn_graubard_agrees_with_a_second_implementation():
    rng = np.random.default_rng(4)
    rows = 160
    cluster = np.repeat(np.arange(20), 8)
    happy = (rng.uniform(size=rows) < 0.95 + 0.03 * np.sin(cluster)).astype(int)
    table = polars.DataFrame({"y": happy, "w": rng.uniform(0.5, 2.0, rows), "c": [f"c{c:02d}" for c in cluster]})
    sample = svy.Sample(table, svy.Design(wgt="w", psu="c"))
    found = sample.estimation.prop("y", ci_method="korn-graubard", alpha=0.10).to_polars()
    row = {k: v[-1] for k, v in found.to_dict(as_series=False).items()}
    low, high, exact = bounds(row["est"], row["se"], 19, rows, exact_below=np.inf, answers=np.array([float(rows)]))
    assert exact
    assert (low, high) == pytest.approx((row["lci"], row["uci"]), abs=1e-9)


def test_effective_size_is_at_most_the_number_of_answers():
    arrays = [np.array([v]) for v in (0.95, 0.002, 99.0, 100.0, 80.0)]
    assert korn_graubard_size(*arrays, level=0.95)[0] > 1000.0
    assert korn_graubard_size(*arrays, level=0.95, most=np.array([600.0]))[0] == 600.0


def test_simple_random_sample_gets_its_own_size_back():
    n, share = 80.0, 0.95
    error = np.sqrt(share * (1 - share) / n)
    assert korn_graubard_size(*(np.array([v]) for v in (share, error, n - 1, n, n)), level=0.95)[0] == pytest.approx(n)


def test_method_changes_where_n_p_q_reaches_ten():
    share = 0.9
    for n, exact in ((111, True), (112, False)):
        assert bounds(share, 0.02, n - 1, n)[2] is exact
    assert bounds(share, 0.02, 110, 111, exact_below=9.0)[2] is False


def test_no_degree_of_freedom_gives_no_bound():
    low, high, _ = bounds(0.8, np.nan, 0, 40)
    assert np.isnan(low)
    assert np.isnan(high)


def test_unanimity_uses_the_effective_number_of_people():
    low, high, exact = bounds(1.0, 0.0, 49, 50, effective=30)
    assert (low, high, exact) == (pytest.approx(0.05 ** (1 / 30)), 1.0, True)


def test_bounds_are_not_writeable():
    found = one_sided_bounds(*(np.array([v]) for v in (0.8, 0.03, 50.0, 100.0, 100.0)))
    with pytest.raises(ValueError, match="read-only"):
        found.lower[0] = 0.0


@pytest.mark.parametrize(("share", "cut"), [(0.93, 0.9), (0.86, 0.9), (0.83, 0.8), (0.97, 0.95)])
def test_forms_that_settle_do_and_one_fewer_do_not(share, cut):
    n = 60
    error = float(np.sqrt(share * (1 - share) / n))
    options = {"estimate": share, "std_error": error, "df": n - 1, "n": n, "most": 20_000, "power": 0.5}
    needed = forms_to_settle(cut, **options)
    assert needed is not None

    def settled(forms):
        scaled = error * np.sqrt(n / forms)
        low, high, _ = bounds(share, scaled, max(1.0, (n - 1) * forms / n), forms)
        return low >= cut if share > cut else high < cut

    assert settled(needed)
    assert not settled(needed - 1)


def test_more_certainty_takes_more_forms_and_the_cap_holds():
    options = {"estimate": 0.83, "std_error": 0.03, "df": 99, "n": 150}
    plain = forms_to_settle(0.8, power=0.5, most=10_000, **options)
    sure = forms_to_settle(0.8, power=0.9, most=10_000, **options)
    assert plain < sure
    assert forms_to_settle(0.8, power=0.9, most=sure - 1, **options) is None
    assert forms_to_settle(0.8, power=0.9, most=sure, **options) == sure


def test_power_is_kept_in_simulated_surveys():
    share, cut, n = 0.85, 0.80, 100
    error = float(np.sqrt(share * (1 - share) / n))
    needed = forms_to_settle(cut, estimate=share, std_error=error, df=n - 1, n=n, most=10_000, power=0.8)
    rng = np.random.default_rng(7)
    seen = rng.binomial(needed, share, 4000) / needed
    found = one_sided_bounds(seen, np.sqrt(seen * (1 - seen) / needed), *([np.full(4000, needed - 1.0)] * 3))
    assert (found.lower >= cut).mean() == pytest.approx(0.8, abs=0.03)
