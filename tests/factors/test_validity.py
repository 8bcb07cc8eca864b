"""CR, AVE, MSV, Fornell-Larcker and HTMT against semTools and against known populations; what is refused."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr
from sipas_research.errors import (
    AnalysisError,
    HeywoodWarning,
    NegativeVarianceWarning,
    NotIdentifiedWarning,
    OptionError,
)
from sipas_research.factors.validity import validity
from sipas_research.factors.validity_result import conventions
from sipas_research.results import TIDY_COLUMNS, DataKind, Result

#: The tolerance asked of composite reliability, AVE and HTMT: three printed decimals are then the same.
CLOSE = 1e-4
SCALES = {
    "access": ["access1", "access2", "access3", "access4"],
    "procedure": [f"procedure{k}" for k in range(1, 6)],
    "staff": [f"staff{k}" for k in range(1, 7)],
    "result": ["result1", "result2", "result3"],
    "feedback": ["feedback1", "feedback2", "feedback3", "feedback4"],
}
MODEL = "\n".join(f"{name} =~ {' + '.join(items)}" for name, items in SCALES.items())
TWO = "f =~ a1 + a2 + a3\ng =~ b1 + b2 + b3"
#: Loadings of the population behind TWO, correlation of its factors, and standard deviations of its items.
LOADINGS = {"f": np.array([0.9, 0.7, 0.5]), "g": np.array([0.8, 0.6, 0.75])}
PHI, SPREADS = 0.6, np.array([1.0, 2.0, 0.5, 1.5, 1.0, 3.0])
NAMES = ["a1", "a2", "a3", "b1", "b2", "b3"]


def population(phi=PHI, f=LOADINGS["f"], g=LOADINGS["g"], spreads=SPREADS):
    loads = np.zeros((6, 2))
    loads[:3, 0], loads[3:, 1] = f, g
    matrix = loads @ np.array([[1.0, phi], [phi, 1.0]]) @ loads.T
    np.fill_diagonal(matrix, 1.0)
    return sr.Moments(pd.DataFrame(matrix * np.outer(spreads, spreads), index=NAMES, columns=NAMES), n=500, divisor="n")


def sample(rows=400, seed=5, **changes):
    generator = np.random.default_rng(seed)
    matrix = np.asarray(population(**changes).cov)
    return pd.DataFrame(generator.multivariate_normal(np.zeros(6), matrix, rows), columns=NAMES)


@pytest.fixture(scope="module")
def found(items):
    return validity(sr.cfa(MODEL, items, data_kind=DataKind.SIMULATED), bootstrap=400)


def test_agrees_with_semtools(found, alpha_reference):
    table = found.factors.set_index("term")
    for name in SCALES:
        assert table.loc[name, "cr"] == pytest.approx(alpha_reference["composite"][name], abs=CLOSE)
        assert table.loc[name, "ave"] == pytest.approx(alpha_reference["ave"][name], abs=CLOSE)
    # the stored "htmt" was made with htmt2 = TRUE, the default of semTools 0.5.6: both are geometric
    assert alpha_reference["htmt"] == alpha_reference["htmt2"]
    expected = pd.DataFrame(alpha_reference["htmt2"]).set_index("_row")
    ours = found.heterotrait("htmt2").loc[expected.index, expected.columns]
    assert np.abs(ours - expected).to_numpy().max() < 1e-10


def test_htmt_by_definition(found, items):
    correlation = items.corr().abs()
    first, second = SCALES["access"], SCALES["staff"]
    within = [
        np.mean([correlation.loc[a, b] for i, a in enumerate(block) for b in block[i + 1 :]])
        for block in (first, second)
    ]
    expected = correlation.loc[first, second].to_numpy().mean() / np.sqrt(within[0] * within[1])
    assert found.heterotrait().loc["access", "staff"] == pytest.approx(expected, rel=1e-12)


def test_a_known_population_gives_the_closed_forms():
    result = validity(sr.cfa(TWO, population()))
    table = result.factors.set_index("term")
    for name, standard, spreads in (("f", LOADINGS["f"], SPREADS[:3]), ("g", LOADINGS["g"], SPREADS[3:])):
        raw, errors = standard * spreads, (1 - standard**2) * spreads**2
        omega = raw.sum() ** 2 / (raw.sum() ** 2 + errors.sum())
        by_hand = standard.sum() ** 2 / (standard.sum() ** 2 + (1 - standard**2).sum())
        information = (standard**2 / (1 - standard**2)).sum()
        row = table.loc[name]
        assert row["cr"] == pytest.approx(omega, abs=1e-6)
        assert row["cr_general"] == pytest.approx(omega, abs=1e-6)
        assert row["cr_standardized"] == pytest.approx(by_hand, abs=1e-6)
        assert row["ave_standardized"] == pytest.approx((standard**2).mean(), abs=1e-6)
        assert row["ave"] == pytest.approx((raw**2).sum() / (spreads**2).sum(), abs=1e-6)
        assert row["max_reliability"] == pytest.approx(information / (1 + information), abs=1e-6)
        assert row["msv"] == row["asv"] == pytest.approx(PHI**2, abs=1e-6)
    # geometric means of congeneric items give the correlation of the factors, arithmetic ones do not
    assert result.heterotrait("htmt2").loc["f", "g"] == pytest.approx(PHI, abs=1e-12)
    assert abs(result.heterotrait("htmt").loc["f", "g"] - PHI) > 1e-3
    equal = population(f=np.full(3, 0.7), g=np.full(3, 0.6))
    assert validity(sr.cfa(TWO, equal)).heterotrait("htmt").loc["f", "g"] == pytest.approx(PHI, abs=1e-12)


def test_moments_without_rows_have_no_intervals():
    result = validity(sr.cfa(TWO, population()), bootstrap=200)
    assert result.bootstrap == 0
    assert result.notes == ("validity.note.no_rows",)
    ratios = result.tidy().query("measure == 'htmt'")
    assert ratios["conf_low"].isna().all()
    assert "không có khoảng tin cậy" in result.summary("vi")
    rows = sample()
    moments = sr.Moments(
        rows.cov(), rows.mean(), n=len(rows), rows=lambda: (rows.to_numpy()[k : k + 150] for k in (0, 150, 300))
    )
    from_blocks = validity(sr.cfa(TWO, moments), bootstrap=200).groups[0].htmt
    from_rows = validity(sr.cfa(TWO, rows), bootstrap=200).groups[0].htmt
    assert from_blocks.conf_low[0, 1] == pytest.approx(from_rows.conf_low[0, 1], abs=0.03)


def test_intervals_agree_with_a_plain_bootstrap():
    rows = sample(300)
    result = validity(sr.cfa(TWO, rows), bootstrap=2000, seed=3)
    drawn = []
    generator = np.random.default_rng(11)
    blocks = (slice(0, 3), slice(3, 6))
    for _ in range(2000):
        values = np.abs(np.corrcoef(rows.to_numpy()[generator.integers(0, 300, 300)].T))
        inner = [values[b, b][np.triu_indices(3, 1)].mean() for b in blocks]
        drawn.append(values[blocks[0], blocks[1]].mean() / np.sqrt(inner[0] * inner[1]))
    ratios = result.groups[0].htmt
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert ratios.conf_low[0, 1] == pytest.approx(low, abs=0.015)
    assert ratios.conf_high[0, 1] == pytest.approx(high, abs=0.015)
    assert ratios.std_error[0, 1] == pytest.approx(np.std(drawn), rel=0.08)
    again = validity(sr.cfa(TWO, rows), bootstrap=2000, seed=3)
    assert again.tidy().equals(result.tidy())


def test_manners_of_the_result(found):
    assert isinstance(found, Result)
    tidy = found.tidy()
    assert list(tidy.columns) == [*TIDY_COLUMNS, "measure", "other"]
    assert found.glance().loc[0, "data_kind"] == "simulated"
    assert not found.groups[0].correlations.flags.writeable
    correlation = tidy.query("measure == 'correlation' and term == 'access' and other == 'staff'").iloc[0]
    assert correlation["conf_low"] < correlation["estimate"] < correlation["conf_high"]
    table = found.fornell_larcker()
    assert table.loc["access", "access"] == pytest.approx(np.sqrt(found.factors["ave"].iloc[0]))
    assert np.isnan(table.loc["access", "staff"])
    assert table.loc["staff", "access"] == correlation["estimate"]
    for language in ("vi", "en"):
        assert "MÔ PHỎNG" in found.summary(language) or "SIMULATED" in found.summary(language)
        assert all(year in found.summary(language) for year in ("1981", "2015", "2021", "2022"))
        assert conventions(language)["limit"].str.len().min() > 30


def test_groups_are_handled_apart(items):
    labelled = items.assign(level=np.where(np.arange(len(items)) % 3 == 0, "district", "province"))
    model = "\n".join(MODEL.splitlines()[:3])
    both = validity(sr.cfa(model, labelled, group="level"), bootstrap=50)
    alone = validity(sr.cfa(model, labelled[labelled["level"] == "province"]), bootstrap=50)
    assert [group.label for group in both.groups] == ["district", "province"]
    there = both.factors.query("group == 'province'").set_index("term")
    assert np.allclose(there["cr"], alone.factors.set_index("term")["cr"], atol=1e-6)
    table = both.heterotrait()
    assert list(table.index.names) == ["group", "factor"]
    assert np.allclose(table.loc["province"], alone.heterotrait(), atol=1e-12)
    assert both.heterotrait("htmt2").loc[("district", "access"), "staff"] != table.loc[("province", "access"), "staff"]


def test_one_factor_has_no_discriminant_validity():
    result = validity(sr.cfa("f =~ a1 + a2 + a3", sample()))
    assert result.notes == ("validity.note.one_factor",)
    assert np.isnan(result.factors.loc[0, "msv"])
    assert 0 < result.factors.loc[0, "cr"] < 1
    assert result.glance()["largest_htmt"].isna().all()


def test_two_items_and_one_item_are_named():
    result = validity(sr.cfa("f =~ a1 + a2\ng =~ b1 + b2 + b3\ns =~ a3\na3 ~~ 0.02*a3", sample()), bootstrap=20)
    table = result.factors.set_index("term")
    assert table.loc["f", "note"] == "validity.note.two_items"
    assert np.isfinite(table.loc["f", "cr"])
    assert table.loc["s", "note"] == "validity.note.single"
    assert table.loc["s", ["cr", "ave", "cr_general"]].isna().all()
    assert np.isnan(result.heterotrait().loc["s", "g"])
    assert np.isfinite(result.heterotrait().loc["f", "g"])
    assert result.glance().loc[0, "fornell_larcker_pairs"] == 1


def test_negative_loadings_count_as_turned():
    rows = sample()
    plain = validity(sr.cfa(TWO, rows), bootstrap=0)
    turned = validity(sr.cfa(TWO, rows.assign(a2=-rows["a2"])), bootstrap=0)
    for name in ("cr", "ave", "cr_standardized", "cr_general", "msv"):
        assert np.allclose(plain.factors[name], turned.factors[name], atol=1e-6)
    assert turned.groups[0].factors[0].reversed_items == ("a2",)
    assert "a2" in turned.summary("en")
    assert np.allclose(plain.heterotrait(), turned.heterotrait())
    flipped = validity(sr.cfa(TWO, -rows), bootstrap=0)
    assert flipped.groups[0].factors[0].reversed_items == ()


def test_correlated_errors_leave_only_the_general_form():
    rows = sample()
    generator = np.random.default_rng(8)
    shared = generator.standard_normal(len(rows))
    rows = rows.assign(a1=rows["a1"] + 0.5 * shared, b1=rows["b1"] + 0.8 * shared)
    fit = sr.cfa(TWO + "\na1 ~~ b1", rows)
    table = validity(fit, bootstrap=0).factors
    assert set(table["note"]) == {"validity.note.correlated_errors"}
    assert table[["cr", "ave", "max_reliability", "cr_standardized"]].isna().all(axis=None)
    cov = np.array(population().cov)
    cov[0, 1] = cov[1, 0] = cov[0, 1] + 0.15
    moments = sr.Moments(pd.DataFrame(cov, index=NAMES, columns=NAMES), n=500)
    within = sr.cfa(TWO + "\na1 ~~ a2", moments)
    row = validity(within, bootstrap=0).factors.iloc[0]
    tidy = within.tidy().set_index(["lhs", "op", "rhs"])["estimate"]
    names = ["a1", "a2", "a3"]
    loads = sum(tidy["f", "=~", name] for name in names)
    errors = sum(tidy[name, "~~", name] for name in names) + 2 * tidy["a1", "~~", "a2"]
    common = loads**2 * tidy["f", "~~", "f"]
    assert row["cr_general"] == pytest.approx(common / (common + errors), rel=1e-9)


def test_items_of_several_factors_are_refused():
    fit = sr.cfa(TWO + "\nf =~ b3", sample())
    result = validity(fit, bootstrap=0)
    assert set(result.factors["note"]) == {"validity.note.cross_loading"}
    assert result.factors["cr_general"].isna().all()
    assert np.isnan(result.heterotrait().loc["f", "g"])
    assert result.groups[0].notes_of(0, 1) == ("validity.note.shared_item",)
    caused = sr.sem(TWO + "\na1 ~ w", sample().assign(w=np.arange(400) % 7))
    assert validity(caused, bootstrap=0).factors["note"].tolist() == ["validity.note.cross_loading", ""]


def test_a_second_order_factor_is_refused_and_the_first_order_ones_are_not(items):
    model = MODEL + "\nquality =~ access + procedure + staff + result + feedback"
    result = validity(sr.cfa(model, items), bootstrap=20)
    table = result.factors.set_index("term")
    assert table.loc["quality", "note"] == "validity.note.second_order"
    assert table.loc["quality", "cr":"cr_general"].isna().all()
    assert (table.loc[list(SCALES), "cr"] > 0.7).all()
    assert list(result.heterotrait().columns) == list(SCALES)
    assert "bậc hai" in result.summary("vi")


def test_improper_solutions_are_refused():
    rows = sample(60, seed=2)
    matrix = np.array([[1.0, 0.9, 0.5], [0.9, 1.0, 0.4], [0.5, 0.4, 1.0]])
    three = pd.DataFrame(matrix, index=NAMES[:3], columns=NAMES[:3])
    with pytest.warns(HeywoodWarning):
        fit = sr.cfa("f =~ a1 + a2 + a3", sr.Moments(three, n=200))
    assert validity(fit).factors.loc[0, "note"] == "validity.note.heywood"
    assert np.isnan(validity(fit).factors.loc[0, "ave"])
    with pytest.warns(NotIdentifiedWarning):
        unknown = sr.cfa("f =~ a1 + a2", rows)
    assert validity(unknown).factors.loc[0, "note"] == "validity.note.not_identified"


def test_factors_that_are_one_and_factors_set_apart():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NegativeVarianceWarning)
        same = validity(sr.cfa(TWO, population(phi=1.02, f=np.full(3, 0.7), g=np.full(3, 0.7))), bootstrap=0)
    assert "validity.note.beyond_one" in same.groups[0].notes_of(0, 1)
    assert same.glance().loc[0, "fornell_larcker_failures"] == 1
    apart = validity(sr.cfa(TWO, population(), orthogonal=True), bootstrap=0)
    assert "validity.note.orthogonal" in apart.groups[0].notes_of(0, 1)


def test_unrelated_items_and_mixed_signs():
    result = validity(sr.cfa(TWO, sample(500, phi=0.0)), bootstrap=20)
    assert "validity.note.mixed_signs" in result.groups[0].notes_of(0, 1)
    cov = pd.DataFrame(np.eye(4) + np.array([[0, 0, .2, .2], [0, 0, .2, .2], [.2, .2, 0, .5], [.2, .2, .5, 0]]),
                       index=list("abcd"), columns=list("abcd"))  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nothing = validity(sr.cfa("f =~ a + b\ng =~ c + d", sr.Moments(cov, n=100)))
    assert np.isnan(nothing.heterotrait().loc["f", "g"])
    assert "validity.note.no_ratio" in nothing.groups[0].notes_of(0, 1)


@pytest.mark.parametrize(
    "options", [{"bootstrap": -1}, {"bootstrap": 2.5}, {"bootstrap": True}, {"level": 1.0}, {"level": "95"}]
)
def test_options_outside_their_range(options):
    with pytest.raises(OptionError):
        validity(sr.cfa(TWO, population()), **options)


def test_what_is_no_measurement_model():
    with pytest.raises(OptionError, match="DataFrame"):
        validity(sample())
    with pytest.raises(AnalysisError):
        validity(sr.sem("a1 ~ a2 + a3", sample()))
    few = sr.Moments(population().cov, n=9)
    with pytest.raises(AnalysisError, match="10"):
        validity(sr.cfa("f =~ a1 + a2 + a3", few))
    with pytest.raises(OptionError):
        validity(sr.cfa(TWO, population())).heterotrait("htmt3")


def test_reference_file_is_the_one_described(alpha_reference):
    assert json.dumps(alpha_reference["scales"], sort_keys=True) == json.dumps(SCALES, sort_keys=True)
