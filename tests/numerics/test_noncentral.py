"""The noncentral tail against SciPy's own and against closed cases."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import chdtrc
from scipy.stats import ncx2

from sipas_research.numerics.noncentral import noncentral_chi_square_tail


@pytest.mark.parametrize("df", [1, 3, 24, 199.5, 769])
@pytest.mark.parametrize("noncentrality", [1e-3, 0.7, 15.0, 240.0, 9000.0])
def test_it_is_scipys_survival_function(df: float, noncentrality: float) -> None:
    for factor in (0.2, 0.8, 1.0, 1.2, 1.6):
        statistic = factor * (df + noncentrality)
        expected = float(ncx2.sf(statistic, df, noncentrality))
        assert noncentral_chi_square_tail(statistic, df, noncentrality) == pytest.approx(expected, rel=1e-8, abs=1e-14)


def test_without_noncentrality_it_is_the_central_tail() -> None:
    assert noncentral_chi_square_tail(30.0, 12, 0.0) == chdtrc(12, 30.0)
    assert noncentral_chi_square_tail(0.0, 12, 5.0) == 1.0


def test_far_tails_keep_their_digits() -> None:
    tails = [noncentral_chi_square_tail(x, 10, 20.0) for x in (200.0, 400.0, 800.0)]
    assert 0 < tails[2] < tails[1] < tails[0] < 1e-12
    assert np.log10(tails[2]) < -80
