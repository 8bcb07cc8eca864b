"""What the first half of a thesis recovers from provinces whose truth is known: twins_measurement.py [twins].

Each twin is the simulated province drawn with a seed of its own (1, 2, ...); the wave of 2022, forms with all 22
answers. Printed: how often each criterion finds the five factors of the design; the bias of standardised loadings
(estimate less the loading of the design, which is that of the continuous answer behind the five-point one); alpha
against its population value, which is alpha of all twins' answers pooled, with the coverage of its intervals.
"""

import sys
import time
import warnings

import numpy as np
import pandas as pd

import sipas_research as sr
from sipas_research.results import DataKind
from sipas_research.survey.twin import calibrate, make_twin
from sipas_research.survey.twin_truth import Truth, design

TWINS, YEAR, DRAWS = 200, 2022, 50
KIND = {"data_kind": DataKind.SIMULATED}


def answers(truth: Truth, seed: int) -> pd.DataFrame:
    citizens = make_twin(truth, np.random.default_rng(seed)).citizens
    items = [item.id for item in truth.items("citizens") if item.scale in truth.part("model.factors")]
    frame = citizens.loc[citizens["year"] == YEAR, items].astype("Float64")
    return frame.mask(frame == truth.part("behaviour.no_answer_code")).dropna().astype(float)


def scales_of(truth: Truth) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {name: [] for name in truth.part("model.factors")}
    for item in truth.items("citizens"):
        if item.scale in found:
            found[item.scale].append(item.id)
    return found


def cfa_loadings(frame: pd.DataFrame, scales: dict[str, list[str]]) -> pd.Series:
    model = "\n".join(f"{name} =~ {' + '.join(items)}" for name, items in scales.items())
    table = sr.cfa(model, frame, **KIND).tidy()
    return table[table["op"] == "=~"].set_index("rhs")["std_all"]


def efa_loadings(frame: pd.DataFrame, scales: dict[str, list[str]]) -> pd.Series:
    """Pattern loadings on the factor that each scale's items share, from polychoric correlations."""
    found = sr.efa(frame, len(scales), rotation="oblimin", correlation="polychoric", **KIND)
    pattern = pd.DataFrame(found.rotated.loadings, index=list(found.items))
    own = {name: pattern.loc[items].abs().sum().idxmax() for name, items in scales.items()}
    signs = {name: np.sign(pattern.loc[items, own[name]].sum()) for name, items in scales.items()}
    return pd.Series({i: pattern.loc[i, own[name]] * signs[name] for name, items in scales.items() for i in items})


def pooled_alpha(total: np.ndarray, square: np.ndarray, rows: int) -> float:
    cov = square / rows - np.outer(total, total) / rows**2
    size = len(cov)
    return size / (size - 1) * (1 - np.trace(cov) / cov.sum())


def show(title: str, table: pd.DataFrame) -> None:
    print(f"\n{title}\n{table.to_string(float_format=lambda value: f'{value:.4f}')}")


def main() -> None:
    twins = int(sys.argv[1]) if len(sys.argv) > 1 else TWINS
    truth = calibrate(design())
    scales = scales_of(truth)
    counts, loadings, alphas, rows = [], {"cfa": [], "efa_polychoric": []}, [], []
    sums = {name: [np.zeros(len(items)), np.zeros((len(items),) * 2)] for name, items in scales.items()}
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in range(1, twins + 1):
            frame = answers(truth, seed)
            rows.append(len(frame))
            found = sr.factor_retention(frame, draws=DRAWS, seed=seed, **KIND)
            counts.append({made.criterion: made.n_factors for made in found.suggestions})
            loadings["cfa"].append(cfa_loadings(frame, scales))
            loadings["efa_polychoric"].append(efa_loadings(frame, scales))
            alphas.append(sr.reliability(frame, scales, **KIND).scales.set_index("term"))
            for name, items in scales.items():
                values = frame[items].to_numpy()
                sums[name][0] += values.sum(axis=0)
                sums[name][1] += values.T @ values
            if seed % 20 == 0:
                print(f"{seed} twins, {time.perf_counter() - start:.0f} s", file=sys.stderr)
    report(truth, scales, counts, loadings, alphas, sums, rows)
    print(f"\n{twins} twins, {np.mean(rows):.0f} complete forms on average, {time.perf_counter() - start:.0f} s")


def report(truth, scales, counts, loadings, alphas, sums, rows) -> None:
    table = pd.DataFrame(counts).astype(float)
    found = {"right": (table == len(scales)).mean(), "mean": table.mean(), "fewest": table.min(), "most": table.max()}
    show("Factors found (the design has five): share of twins, mean, range", pd.DataFrame(found))

    true = pd.Series({item.id: item.loading for item in truth.items("citizens")})
    lines = {}
    for method, estimates in loadings.items():
        errors = pd.DataFrame(estimates) - true[estimates[0].index]
        for name, items in {**scales, "all": [i for own in scales.values() for i in own]}.items():
            part = errors[items].to_numpy()
            lines[method, name] = {
                "bias": part.mean(), "rmse": np.sqrt((part**2).mean()), "worst_item": np.abs(part.mean(axis=0)).max(),
            }  # fmt: skip
    show("Standardised loadings less those of the design", pd.DataFrame(lines).T)

    lines = {}
    for name, items in scales.items():
        population = pooled_alpha(*sums[name], sum(rows))
        estimates = np.array([table.loc[name, "estimate"] for table in alphas])
        inside = [t.loc[name, "conf_low"] <= population <= t.loc[name, "conf_high"] for t in alphas]
        loads = true[items].to_numpy()
        matrix = np.outer(loads, loads)
        np.fill_diagonal(matrix, 1.0)
        size = len(items)
        lines[name] = {
            "population": population, "mean": estimates.mean(), "bias": estimates.mean() - population,
            "sd": estimates.std(ddof=1), "coverage": np.mean(inside),
            "continuous": size / (size - 1) * (1 - size / matrix.sum()),
        }  # fmt: skip
    show("Alpha: population value (pooled answers), estimates, coverage of 95% intervals; alpha of the continuous"
         " answers of the design", pd.DataFrame(lines).T)  # fmt: skip


if __name__ == "__main__":
    main()
