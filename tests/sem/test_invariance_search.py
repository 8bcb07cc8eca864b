"""The search for items that differ: it finds what is planted, and the held-out half keeps its error."""

from __future__ import annotations

import lavaan_cases as cases
import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import AnalysisError, OptionError
from sipas_research.numerics.multiplicity import holm

MODEL = "f =~ x1 + x2 + x3 + x4 + x5\ng =~ x6 + x7 + x8 + x9"


def drawn(rng: np.random.Generator, n: int, *, shift: float = 0.0, loading: float = 0.0) -> pd.DataFrame:
    """Return two factors in two groups whose factor means and variances differ; x2 and x7 may differ too."""
    parts = []
    for k, group in enumerate(("sở", "huyện")):
        factors = rng.standard_normal((n, 2)) @ np.array([[1.0, 0.5], [0.0, 0.9]]) * (1.0 + 0.2 * k) + 0.3 * k
        answers = factors[:, [0] * 5 + [1] * 4] * np.array([0.8] * 9)
        answers[:, 6] += loading * k * factors[:, 1]
        answers += rng.standard_normal((n, 9)) * 0.6
        answers[:, 1] += shift * k
        parts.append(pd.DataFrame(answers, columns=[f"x{j}" for j in range(1, 10)]).assign(cấp=group))
    return pd.concat(parts, ignore_index=True)


def test_the_search_finds_what_is_planted() -> None:
    rng = np.random.default_rng(41)
    hits, false = 0, 0
    for seed in range(8):
        found = sr.invariance_search(MODEL, drawn(rng, 700, shift=0.35, loading=0.3), group="cấp", seed=seed).found
        hits += {"x2~1", "g=~x7"} <= set(found)
        false += len(set(found) - {"x2~1", "g=~x7"})
    assert hits >= 7
    assert false <= 1


def test_the_half_that_confirms_keeps_its_error() -> None:
    rng = np.random.default_rng(43)
    picked = confirmed = 0
    for seed in range(60):
        found = sr.invariance_search(
            MODEL, drawn(rng, 200), group="cấp", seed=seed, alpha=0.2, estimator="ML", step="metric"
        )
        picked += len(found.rows) > 0
        confirmed += len(found.found) > 0
    # 0.2 of the searches pick something that is not there; of those about 0.2 are confirmed
    assert picked >= 4
    assert confirmed <= 7  # binomial with 60 draws at 0.04: beyond seven once in 5,000


def test_exploring_is_corrected_and_says_what_it_is() -> None:
    rng = np.random.default_rng(47)
    found = sr.invariance_search(MODEL, drawn(rng, 600, shift=0.5), group="cấp", method="holm")
    assert len(found.rows) == 18  # nine loadings, nine intercepts
    assert found.rows[0].parameter == "x2~1"
    assert found.rows[0].verdict == "exploratory"
    assert found.rows[0].spread == pytest.approx(0.5, abs=0.12)
    assert (found.n_search, found.n_confirm) == (1200, 0)
    tails = np.array([row.p_value for row in found.rows])
    np.testing.assert_allclose([row.p_adjusted for row in found.rows], holm(tails))
    assert "KHÁM PHÁ" in found.summary("vi")
    assert "EXPLORATORY" in found.summary("en")
    wrong = 0
    for _ in range(40):
        wrong += bool(sr.invariance_search(MODEL, drawn(rng, 250), group="cấp", method="holm").found)
    assert wrong <= 7  # binomial with 40 draws at 0.05: beyond seven once in 1,000


def test_the_answer_does_not_depend_on_the_order_of_rows_and_columns() -> None:
    frame = drawn(np.random.default_rng(53), 300, shift=0.6)
    first = sr.invariance_search(MODEL, frame, group="cấp", seed=3)
    order = np.random.default_rng(1).permutation(len(frame))
    order = np.concatenate([[0], order[order != 0]])  # groups are listed in order of appearance
    second = sr.invariance_search(MODEL, frame.iloc[order, ::-1].reset_index(drop=True), group="cấp", seed=3)
    assert first.found == second.found == ("x2~1",)
    assert first.rows[0].confirm_statistic == pytest.approx(second.rows[0].confirm_statistic, rel=1e-5)
    assert (first.n_search, first.n_confirm) == (300, 300)


def test_two_of_each_factor_stay_equal() -> None:
    rng = np.random.default_rng(59)
    frame = drawn(rng, 800)
    frame.loc[frame["cấp"] == "huyện", ["x1", "x2", "x3", "x4"]] += [0.9, -0.9, 0.6, -0.6]
    picked = [row.parameter for row in sr.invariance_search(MODEL, frame, group="cấp").rows]
    own = [name for name in picked if name in {f"x{k}~1" for k in range(1, 6)}]
    assert len(own) == 3


def test_real_answers() -> None:
    found = sr.invariance_search(cases.load("hs_ml")["model"], cases.data("holzinger39"), group="school", method="holm")
    assert found.found == ("x3~1", "x7~1")  # the two that textbooks free
    assert found.glance()["found"].tolist() == [2]


def test_what_cannot_be_divided_is_refused() -> None:
    frame = drawn(np.random.default_rng(61), 60)
    with pytest.raises(AnalysisError) as caught:
        sr.invariance_search(MODEL, frame.groupby("cấp").head(40), group="cấp")
    assert caught.value.key == "sem_comparison.error.few_rows_half"
    moments = {
        label: sr.Moments(part.drop(columns="cấp").cov(), part.drop(columns="cấp").mean(), len(part))
        for label, part in frame.groupby("cấp")
    }
    with pytest.raises(AnalysisError) as caught:
        sr.invariance_search(MODEL, moments, estimator="ML")
    assert caught.value.key == "sem_comparison.error.no_rows_to_split"
    assert len(sr.invariance_search(MODEL, moments, estimator="ML", method="holm").rows) == 18


@pytest.mark.parametrize(
    "options", [{"step": "strict"}, {"method": "all"}, {"alpha": 5}, {"alpha": 1.5}, {"seed": -1}, {"estimator": "ULS"}]
)
def test_options_outside_their_vocabulary_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(OptionError):
        sr.invariance_search(MODEL, drawn(np.random.default_rng(1), 60), group="cấp", **options)


def test_holm_steps_down() -> None:
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.5])), [0.04, 0.09, 0.09, 0.5])
    assert holm(np.array([])).size == 0
