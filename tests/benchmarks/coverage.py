"""How often 95% intervals hold the truth: python tests/benchmarks/coverage.py FOLDER [--replications N] [--cells ...].

A mediation model of three factors with three items each; paths a, b, c and the indirect effect a*b. Every replication
has a seed of its own and is written to FOLDER as it is done, so that a stopped run goes on where it was. Printed for
each kind of data and method: intervals and runs without one; the share of intervals that hold the target, "MISSED"
where theory promises 95% (a star) and the 99% Monte Carlo interval of the share does not meet 93 to 97%; for the
indirect effect the mean width, the mean error of the estimate and the bias of the target: where a method aims at
another value than the truth (five-point answers taken as numbers), the target is what it finds in a million rows.
"""

import argparse
import csv
import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import sipas_research as sr

TRUTH = {"a": 0.4, "b": 0.5, "c": 0.2, "ab": 0.2}
LOADINGS = np.array([0.8, 0.7, 0.75])
ITEMS = [f"{factor}{k}" for factor in "xmy" for k in (1, 2, 3)]
MODEL = """
x =~ x1 + x2 + x3
m =~ m1 + m2 + m3
y =~ y1 + y2 + y3
m ~ a*x
y ~ b*m + c*x
ab := a*b
"""
#: Cumulative shares of satisfied answers as surveys find them: most people tick 4 or 5.
CUTS = np.array([-1.881, -1.282, -0.674, 0.253])
CLUSTERS, PER_CLUSTER = 31, 40
DRAWS = 399
MILLION = 1_000_000
FIELDS = ("replication", "method", "parameter", "estimate", "low", "high")

#: Cell: kind of data, rows, methods; a star where theory promises 95%.
CELLS = {
    "normal_300": ("normal", 300, ("ML*", "MLR*", "monte_carlo*")),
    "normal_1000": ("normal", 1000, ("ML*", "MLR*", "monte_carlo*")),
    "skewed_300": ("skewed", 300, ("ML", "MLR*", "WLSMV*")),
    "skewed_1000": ("skewed", 1000, ("ML", "MLR*", "WLSMV*")),
    "clustered_05": ("icc_0.05", CLUSTERS * PER_CLUSTER, ("ML", "MLR", "cluster_z", "cluster_t")),
    "clustered_15": ("icc_0.15", CLUSTERS * PER_CLUSTER, ("ML", "MLR", "cluster_z", "cluster_t")),
    "missing_300": ("missing", 300, ("listwise", "fiml_ML*", "fiml_MLR*")),
    "missing_1000": ("missing", 1000, ("listwise", "fiml_ML*", "fiml_MLR*")),
    "normal_300_bootstrap": ("normal", 300, ("percentile*", "bca*")),
    "skewed_300_bootstrap": ("skewed", 300, ("percentile*", "bca*")),
    "clustered_05_bootstrap": ("icc_0.05", CLUSTERS * PER_CLUSTER, ("percentile",)),
    "clustered_15_bootstrap": ("icc_0.15", CLUSTERS * PER_CLUSTER, ("percentile",)),
    "normal_1000_bootstrap": ("normal", 1000, ("percentile*", "bca*")),
    "skewed_1000_bootstrap": ("skewed", 1000, ("percentile*", "bca*")),
}


def answers(kind: str, rows: int, generator: np.random.Generator) -> pd.DataFrame:
    agency = np.arange(rows) // PER_CLUSTER
    icc = float(kind.removeprefix("icc_")) if kind.startswith("icc_") else 0.0

    def shocks(columns: int) -> np.ndarray:
        own = generator.standard_normal((rows, columns))
        if not icc:
            return own
        shared = generator.standard_normal((agency[-1] + 1, columns))[agency]
        return np.sqrt(1.0 - icc) * own + np.sqrt(icc) * shared

    a, b, c = TRUTH["a"], TRUTH["b"], TRUTH["c"]
    shock = shocks(3)
    x = shock[:, 0]
    m = a * x + np.sqrt(1.0 - a**2) * shock[:, 1]
    y = b * m + c * x + np.sqrt(1.0 - b**2 - c**2 - 2 * a * b * c) * shock[:, 2]
    values = np.repeat(np.column_stack([x, m, y]), 3, axis=1) * np.tile(LOADINGS, 3)
    values += shocks(9) * np.tile(np.sqrt(1.0 - LOADINGS**2), 3)
    if kind == "skewed":
        values = np.searchsorted(CUTS, values.ravel()).reshape(values.shape) + 1.0
    frame = pd.DataFrame(values, columns=ITEMS).assign(agency=agency)
    if kind == "missing":  # at random: satisfied people skip questions on the other factors
        chance = 0.2 / (1.0 + np.exp(-1.5 * values[:, 0]))  # a tenth on average
        gone = generator.random((rows, 6)) < chance[:, None]
        frame[ITEMS[3:]] = frame[ITEMS[3:]].mask(gone)
    return frame


def rows_of(table: pd.DataFrame, low: str = "conf_low", high: str = "conf_high") -> dict[str, tuple[float, ...]]:
    named = table.set_index("label" if "label" in table else "name")
    return {name: tuple(float(named.loc[name, column]) for column in ("estimate", low, high)) for name in TRUTH}


def intervals(methods: tuple[str, ...], frame: pd.DataFrame, seed: int) -> dict[str, dict[str, tuple[float, ...]]]:
    found = {}
    if "percentile" in methods:
        clustered = frame["agency"].nunique() == CLUSTERS
        options = {"cluster": "agency"} if clustered else {}
        drawn = sr.sem(MODEL, frame, **options).bootstrap(draws=DRAWS, seed=seed)
        return {method: rows_of(drawn.tidy(method)) for method in methods}
    for method in methods:
        if method in ("ML", "MLR", "listwise"):
            found[method] = rows_of(sr.sem(MODEL, frame, estimator="ML" if method == "listwise" else method).tidy())
        elif method == "WLSMV":
            found[method] = rows_of(sr.sem(MODEL, frame, estimator="WLSMV", ordered=True).tidy())
        elif method.startswith("fiml"):
            found[method] = rows_of(sr.sem(MODEL, frame, estimator=method.split("_")[1], missing="fiml").tidy())
        elif method == "monte_carlo":
            found[method] = only_indirect(sr.sem(MODEL, frame), seed)
        elif method == "cluster_z":
            fit = sr.sem(MODEL, frame, cluster="agency")
            found |= {"cluster_z": rows_of(fit.tidy()), "cluster_t": rows_of(fit.tidy(reference="t"))}
    return found


def only_indirect(fit, seed: int) -> dict[str, tuple[float, ...]]:
    row = fit.monte_carlo(2000, seed).tidy().set_index("name").loc["ab"]
    return {"ab": (float(row["estimate"]), float(row["conf_low"]), float(row["conf_high"]))}


def targets(kind: str, folder: Path) -> dict[str, float]:
    """Return what a normal-theory fit aims at: the truth, or its value in a million rows of five-point answers."""
    if kind != "skewed":
        return TRUTH
    place = folder / "pseudo_true.json"
    if not place.exists():
        frame = answers(kind, MILLION, np.random.default_rng(1))
        fit = sr.sem(MODEL, frame)
        place.write_text(json.dumps({name: row[0] for name, row in rows_of(fit.tidy()).items()}))
    return json.loads(place.read_text())


def run_cell(name: str, folder: Path, replications: int) -> None:
    kind, rows, starred = CELLS[name]
    methods = tuple(method.rstrip("*") for method in starred)
    place = folder / f"{name}.csv"
    lines = place.read_text().splitlines(keepends=True) if place.exists() else [",".join(FIELDS) + "\n"]
    whole = [line for line in lines if line.endswith("\n")]
    done = -1 if len(whole) < 2 else int(whole[-1].split(",")[0])
    if done >= 0 and done < replications - 1:  # the last one may be incomplete: it is done again
        whole = [line for line in whole[1:] if int(line.split(",")[0]) < done]
        whole.insert(0, ",".join(FIELDS) + "\n")
        done -= 1
    place.write_text("".join(whole))
    with place.open("a", newline="") as sink:
        writer = csv.writer(sink, lineterminator="\n")
        for k in range(done + 1, replications):
            generator = np.random.default_rng([list(CELLS).index(name), k])
            frame = answers(kind, rows, generator)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    found = intervals(methods, frame, k)
                except sr.errors.SipasError:
                    found = {method: dict.fromkeys(TRUTH, (np.nan,) * 3) for method in methods}
            for method, rows_found in found.items():
                writer.writerows([(k, method, parameter, *values) for parameter, values in rows_found.items()])
            sink.flush()


def wilson(share: float, count: int, reach: float = 2.5758) -> tuple[float, float]:
    centre = (share + reach**2 / (2 * count)) / (1 + reach**2 / count)
    half = reach / (1 + reach**2 / count) * np.sqrt(share * (1 - share) / count + reach**2 / (4 * count**2))
    return centre - half, centre + half


def report(name: str, folder: Path) -> None:
    kind, _, starred = CELLS[name]
    table = pd.read_csv(folder / f"{name}.csv")
    for method in starred:
        plain = method.rstrip("*")
        aim = TRUTH if plain == "WLSMV" else targets(kind, folder)
        cells, last = [], table.iloc[:0]
        for parameter, target in aim.items():
            part = table[(table["method"] == plain) & (table["parameter"] == parameter)]
            used = part[part["low"].notna()]
            cells.append(share(used, target, promised=method.endswith("*")) if len(used) else "")
            last = used
        lost = int((table["method"] == plain).sum() / max(len(list(filter(None, cells))), 1)) - len(last)
        width, error = (last["high"] - last["low"]).mean(), last["estimate"].mean() - aim["ab"]
        print(
            f"| {name.replace('_', ' ')} | {method.replace('_', ' ')} | {len(last):,} | {lost} | {' | '.join(cells)} | "
            f"{width:.3f} | {error:+.3f} | {aim['ab'] - TRUTH['ab']:+.3f} |",
            flush=True,
        )


def share(used: pd.DataFrame, target: float, *, promised: bool) -> str:
    held = float(((used["low"] <= target) & (target <= used["high"])).mean())
    low, high = wilson(held, len(used))
    return f"{held:.3f}" + (" MISSED" if promised and (high < 0.93 or low > 0.97) else "")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--replications", type=int, default=1000)
    parser.add_argument("--cells", nargs="*", default=list(CELLS), choices=list(CELLS))
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    print("| Data | Method | Runs | None | a | b | c | ab | Width of ab | Error of ab | Target's bias |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for name in given.cells:
        run_cell(name, given.folder, given.replications)
        report(name, given.folder)


if __name__ == "__main__":
    main()
