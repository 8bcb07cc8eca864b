"""What must not change an answer, and what a long simulated sample must give back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sipas_research as sr

HOLZINGER = pd.read_csv(Path(__file__).parents[1] / "reference" / "lavaan" / "holzinger39.csv")
ITEMS = [f"x{k}" for k in range(1, 10)]
THREE = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
STRUCTURE = THREE + "\nspeed ~ visual + ageyr\ntextual ~ b*visual + sex\nx2 ~~ x7\nd := b^2"
CASES = {
    "ML": (STRUCTURE, {}),
    "MLR": (STRUCTURE, {"estimator": "MLR", "meanstructure": True}),
    "MLM": (STRUCTURE, {"estimator": "MLM", "meanstructure": True}),
    "GLS": (STRUCTURE, {"estimator": "GLS"}),
    "ULS": (STRUCTURE, {"estimator": "ULS"}),
    "groups": (STRUCTURE, {"estimator": "MLR", "group": "school", "group_equal": ("loadings", "intercepts")}),
    "constraints": (THREE.replace("x2", "a*x2").replace("x5", "c*x5") + "\na*c == 0.6", {}),
}
MEASURES = ["chisq", "df", "cfi", "rmsea", "srmr", "npar"]


def fit(name: str, frame: pd.DataFrame = HOLZINGER, model: str | None = None, **more):
    written, options = CASES[name]
    return sr.sem(written if model is None else model, frame, **options, **more)


def answers(found, *, sort: bool = True) -> pd.DataFrame:
    """Return the coefficients in an order of their own, covariances with sorted ends."""
    table = found.tidy()
    turned = (table["op"] == "~~") & (table["lhs"] > table["rhs"])
    table.loc[turned, ["lhs", "rhs"]] = table.loc[turned, ["rhs", "lhs"]].to_numpy()
    keys = ["group", "op", "lhs", "rhs"]
    return table.sort_values(keys, ignore_index=True) if sort else table


def assert_same(one, other, *, tolerance: float = 1e-7) -> None:
    left, right = answers(one), answers(other)
    assert left[["group", "op", "lhs", "rhs"]].equals(right[["group", "op", "lhs", "rhs"]])
    columns = ["estimate", "std_error", "std_lv", "std_all", "conf_low"]
    np.testing.assert_allclose(left[columns], right[columns], atol=tolerance * 10, rtol=tolerance * 10)
    np.testing.assert_allclose(
        one.fit_measures()[MEASURES], other.fit_measures()[MEASURES], rtol=tolerance, atol=tolerance
    )


@pytest.mark.parametrize("name", CASES)
def test_rows_and_columns_may_come_in_any_order(name):
    shuffled = HOLZINGER.sample(frac=1.0, random_state=3, axis=0).sample(frac=1.0, random_state=4, axis=1)
    assert_same(fit(name), fit(name, shuffled))


@pytest.mark.parametrize("name", CASES)
def test_a_fit_is_the_same_to_the_last_bit_each_time(name):
    assert fit(name).theta.tobytes() == fit(name).theta.tobytes()
    assert fit(name).vcov().to_numpy().tobytes() == fit(name).vcov().to_numpy().tobytes()


@pytest.mark.parametrize("name", CASES)
def test_lines_of_a_model_may_come_in_any_order(name):
    lines = CASES[name][0].split("\n")
    turned = [line for line in lines if ":=" not in line and "==" not in line][::-1]
    turned += [line for line in lines if ":=" in line or "==" in line]
    assert_same(fit(name), fit(name, model="\n".join(turned)))


@pytest.mark.parametrize("name", ["ML", "MLR", "groups"])
def test_names_of_latent_variables_and_items_do_not_matter(name):
    written = CASES[name][0]
    other = written.replace("visual", "zeta").replace("textual", "chữ").replace("speed", "a_1")
    one, changed = fit(name), fit(name, model=other)
    np.testing.assert_allclose(changed.theta, one.theta, atol=1e-8)
    renamed = HOLZINGER.rename(columns={item: item.replace("x", "câu_") for item in ITEMS})
    again = fit(
        name, renamed, model=written.replace("x", "câu_").replace("secâu_", "sex").replace("tecâu_tual", "textual")
    )
    np.testing.assert_allclose(again.theta, one.theta, atol=1e-8)


@pytest.mark.parametrize("name", [case for case in CASES if case not in ("ULS", "constraints")])
def test_units_of_items_change_what_they_must_and_nothing_else(name):
    factors = dict(zip(ITEMS, [2.0, 0.1, 30.0, 1.0, 1e3, 1e-3, 7.0, 0.5, 12.0], strict=True))
    scaled = HOLZINGER.assign(**{item: HOLZINGER[item] * factor for item, factor in factors.items()})
    one, other = fit(name), fit(name, scaled)
    np.testing.assert_allclose(other.tidy()["std_all"], one.tidy()["std_all"], atol=1e-6)
    names = ["chisq", "df", "cfi", "rmsea", "srmr"]
    np.testing.assert_allclose(other.fit_measures()[names], one.fit_measures()[names], rtol=1e-7, atol=1e-7)
    residuals = one.tidy().query("op == '~~' and lhs == rhs and lhs in @ITEMS").set_index(["group", "lhs"])
    changed = other.tidy().query("op == '~~' and lhs == rhs and lhs in @ITEMS").set_index(["group", "lhs"])
    square = np.square([factors[item] for _, item in residuals.index])
    for column in ("estimate", "std_error"):
        np.testing.assert_allclose(changed[column], residuals[column] * square, rtol=1e-5)


@pytest.mark.parametrize("name", ["ML", "MLR", "MLM", "GLS"])
def test_scaling_by_a_loading_or_by_a_variance_is_one_model(name):
    one, other = fit(name), fit(name, std_lv=True)
    names = ["chisq", "df", "cfi", "rmsea", "srmr"]
    np.testing.assert_allclose(other.fit_measures()[names], one.fit_measures()[names], rtol=1e-7)
    left, right = answers(one).query("op in ('=~', '~')"), answers(other).query("op in ('=~', '~')")
    np.testing.assert_allclose(left["std_all"], right["std_all"], atol=1e-6)


@pytest.mark.parametrize("name", ["ML", "MLR"])
def test_a_group_given_twice_doubles_the_test_and_keeps_the_estimates(name):
    twice = pd.concat([HOLZINGER, HOLZINGER], ignore_index=True)
    one, other = fit(name), fit(name, twice)
    np.testing.assert_allclose(other.theta, one.theta, atol=1e-6)
    np.testing.assert_allclose(other.vcov(), one.vcov() / 2.0, atol=1e-6)
    assert other.fit_measures()["chisq"] == pytest.approx(2.0 * one.fit_measures()["chisq"], rel=1e-7)


def test_groups_without_equalities_are_fits_of_their_own():
    joint = sr.sem(THREE, HOLZINGER, group="school")
    total = 0.0
    for label, part in HOLZINGER.groupby("school", sort=False):
        alone = sr.sem(THREE, part, meanstructure=True)
        total += alone.fit_measures()["chisq"]
        own = joint.tidy()[joint.tidy()["group"] == label]
        np.testing.assert_allclose(own["estimate"], alone.tidy()["estimate"], atol=1e-6)
        np.testing.assert_allclose(own["std_error"], alone.tidy()["std_error"], atol=1e-6)
    assert joint.fit_measures()["chisq"] == pytest.approx(total, rel=1e-8)


@pytest.mark.parametrize(
    "constraints",
    ["a == c", "a*c == 0.6", "a^2 + c^2 == 1", "exp(a) == 2*c", "a > 0.9", "a < 0.2\nc > 1.3", "a + c < 1\na > c"],
)
def test_constraints_hold_exactly_and_the_rest_is_a_minimum(constraints):
    model = THREE.replace("x2", "a*x2").replace("x5", "c*x5") + "\n" + constraints
    found = sr.sem(model, HOLZINGER)
    assert found.converged
    held = (*found.restrictions.equal, *found.optimum.active)
    gaps, slopes = found.restrictions.gaps(held, found.theta)
    assert np.abs(gaps).max(initial=0.0) < 1e-8
    others = [c for c in found.restrictions.bounds if c not in found.optimum.active]
    assert (found.restrictions.gaps(others, found.theta)[0] > -1e-8).all()
    free = sr.sem(THREE, HOLZINGER)
    assert found.fit_measures()["chisq"] >= free.fit_measures()["chisq"]
    assert found.fit_measures()["df"] == free.fit_measures()["df"] + len(held)
    along = np.abs(found.information.basis.T @ slopes.T).max(initial=0.0)
    assert along < 1e-10  # errors know no direction that a restriction forbids


def simulated(rows: int, seed: int) -> tuple[pd.DataFrame, dict[tuple[str, str, str], float]]:
    """Return rows of a known model and its coefficients."""
    rng = np.random.default_rng(seed)
    truth = {("f", "=~", "x2"): 0.8, ("f", "=~", "x3"): 1.2, ("g", "=~", "x5"): 0.7, ("g", "=~", "x6"): 1.1,
             ("g", "~", "f"): 0.5, ("g", "~", "z"): -0.4, ("f", "~~", "f"): 1.5, ("g", "~~", "g"): 0.6,
             ("x1", "~~", "x1"): 0.5, ("x4", "~~", "x4"): 0.8, ("x1", "~1", ""): 2.0}  # fmt: skip
    z = rng.normal(size=rows)
    f = rng.normal(size=rows) * np.sqrt(1.5)
    g = 0.5 * f - 0.4 * z + rng.normal(size=rows) * np.sqrt(0.6)
    loads = (1.0, 0.8, 1.2, 1.0, 0.7, 1.1)
    spreads = np.sqrt([0.5, 0.5, 0.5, 0.8, 0.8, 0.8])
    latent = [f, f, f, g, g, g]
    columns = {f"x{k + 1}": 2.0 + loads[k] * latent[k] + spreads[k] * rng.normal(size=rows) for k in range(6)}
    return pd.DataFrame(columns | {"z": z}), truth


MODEL = "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\ng ~ f + z"


@pytest.mark.parametrize("estimator", ["ML", "MLR", "MLM", "GLS", "ULS"])
def test_a_long_sample_gives_the_truth_back(estimator):
    frame, truth = simulated(20_000, 11)
    found = sr.sem(MODEL, frame, estimator=estimator, meanstructure=True)
    table = found.tidy().set_index(["lhs", "op", "rhs"])
    for key, value in truth.items():
        row = table.loc[key]
        assert abs(row["estimate"] - value) < 4.0 * row["std_error"], key
    assert found.fit_measures()["rmsea"] < 0.01


def test_errors_and_tests_are_calibrated():
    draws, rejected, estimates, errors = 200, 0, [], []
    for seed in range(draws):
        frame, _ = simulated(400, 1000 + seed)
        found = sr.sem(MODEL, frame)
        row = found.tidy().set_index(["lhs", "op", "rhs"]).loc[("g", "~", "f")]
        estimates.append(row["estimate"])
        errors.append(row["std_error"])
        rejected += found.fit_measures()["pvalue"] < 0.05
    assert np.mean(errors) == pytest.approx(np.std(estimates), rel=0.15)
    assert np.mean(estimates) == pytest.approx(0.5, abs=4 * np.std(estimates) / np.sqrt(draws))
    assert 0.01 <= rejected / draws <= 0.11
