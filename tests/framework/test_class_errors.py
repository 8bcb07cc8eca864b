"""Simulated years: how often bands misgrade, against a closed form, and what certification costs."""

import numpy as np
import pytest
from scipy.stats import binom

from sipas_research.errors import AnalysisError, OptionError
from sipas_research.framework.bands import make_bands
from sipas_research.framework.class_errors import misgraded, true_shares
from sipas_research.framework.group_estimates import group_estimates
from sipas_research.results import DataKind
from sipas_research.wording import Bilingual

NAMES = (Bilingual("Thấp"), Bilingual("Cao"))
CUT = make_bands((0.8,), NAMES)


class FakeIndex:
    """What ``misgraded`` reads of an index."""

    def __init__(self, shares, n=100, families=None):
        share = np.asarray(shares, dtype=float)
        self.data_kind = DataKind.REAL
        self.published = group_estimates(
            tuple(f"dv_{k}" for k in range(len(share))),
            share,
            np.diag(share * (1 - share) / n),
            np.full(len(share), n - 1.0),
            np.full(len(share), float(n)),
            np.full(len(share), float(n)),
            families=families or ("department",) * len(share),
            shown=np.full(len(share), True),
        )


def test_grading_by_the_estimate_is_wrong_as_often_as_the_binomial_says():
    index = FakeIndex([0.78, 0.82] * 10)
    truth, _ = true_shares(index.published)
    found = misgraded(index, CUT, rng=np.random.default_rng(1), years=4000)
    assert np.allclose(truth, truth[0])  # noise explains the whole spread of these estimates
    sizes = np.floor(index.published.estimates * (1 - index.published.estimates) / np.diag(index.published.covariance))
    wrong = [
        binom.sf(np.ceil(0.8 * m) - 1, m, t) if t < 0.8 else binom.cdf(np.ceil(0.8 * m) - 1, m, t)
        for m, t in zip(sizes, truth, strict=True)
    ]
    naive = found.rows[0]
    assert naive.wrong == pytest.approx(np.mean(wrong), abs=4 * naive.wrong_error)
    assert naive.right + naive.wrong == pytest.approx(1.0)


def test_certified_classes_are_rarely_wrong_and_say_how_many_stay_open():
    found = misgraded(FakeIndex(np.linspace(0.6, 0.95, 20)), CUT, rng=np.random.default_rng(2), years=1000)
    naive, certified = found.rows
    assert certified.wrong < 0.05 < naive.wrong
    assert certified.right + certified.wrong + certified.open == pytest.approx(1.0)
    assert certified.open > 0.1
    assert naive.changed > certified.changed


def test_true_values_have_the_spread_that_noise_leaves():
    index = FakeIndex(np.linspace(0.6, 0.95, 30))
    truth, spread = true_shares(index.published)
    logits = np.log(truth / (1 - truth))
    assert np.std(logits, ddof=1) == pytest.approx(spread)
    given = np.log(index.published.estimates / (1 - index.published.estimates))
    assert spread < np.std(given, ddof=1)


def test_bands_that_no_agency_is_near_misgrade_nobody():
    found = misgraded(FakeIndex([0.95, 0.96, 0.97]), make_bands((0.3,), NAMES), rng=np.random.default_rng(3), years=50)
    assert [row.wrong for row in found.rows] == [0.0, 0.0]


def test_several_sets_are_judged_on_the_same_years():
    sets = {"một": CUT, "hai": make_bands((0.8,), NAMES), "ba": make_bands((0.7, 0.8, 0.9), (*NAMES, *NAMES))}
    found = misgraded(FakeIndex(np.linspace(0.6, 0.95, 12)), sets, rng=np.random.default_rng(4), years=200)
    by = {(r.bands, r.rule): r for r in found.rows}
    assert by["một", "estimate"].wrong == by["hai", "estimate"].wrong
    assert by["ba", "estimate"].wrong > by["một", "estimate"].wrong
    assert len(found.tidy()) == 6


def test_same_seed_same_numbers_and_simulated_mark():
    index = FakeIndex(np.linspace(0.6, 0.95, 12))
    first, second = (misgraded(index, CUT, rng=np.random.default_rng(5), years=100) for _ in range(2))
    assert first.rows == second.rows
    assert first.data_kind is DataKind.SIMULATED
    assert first.basis_kind is DataKind.REAL
    assert "DỮ LIỆU MÔ PHỎNG" in first.summary("vi")


def test_what_cannot_be_simulated_is_refused():
    with pytest.raises(OptionError):
        misgraded(FakeIndex([0.8, 0.9]), CUT, rng=np.random.default_rng(1), years=1)
    with pytest.raises(AnalysisError):
        misgraded(FakeIndex([0.8]), CUT, rng=np.random.default_rng(1))
    mixed = FakeIndex([0.8, 0.9, 0.7], families=("department", "district", "district"))
    with pytest.raises(OptionError):
        misgraded(mixed, CUT, rng=np.random.default_rng(1))
    assert misgraded(mixed, CUT, rng=np.random.default_rng(1), family="district", years=10).n_groups == 2
