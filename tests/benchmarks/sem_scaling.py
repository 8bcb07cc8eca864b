"""Time and memory of sr.cfa against rows and items, from rows and from moments: python tests/benchmarks/sem_scaling.py.

Factors of five items; every cell runs in a process of its own. Printed for each size: milliseconds for ML and MLR
from a DataFrame and for ML from the covariance matrix (best of some runs, no result is remembered between calls), the
size of the data and how far memory rose above it. From moments the time must not depend on the rows.
"""

import subprocess
import sys
import time

import numpy as np
import pandas as pd

ROWS, ITEMS = (1_000, 10_000, 100_000, 1_000_000), (10, 20, 50, 100)
PER_FACTOR, MOST_CELLS, SECONDS, BLOCK = 5, 50_000_000, 2.0, 10_000


def answers(rows: int, items: int) -> pd.DataFrame:
    generator = np.random.default_rng(items)
    factors = items // PER_FACTOR
    values = np.empty((rows, items))
    for start in range(0, rows, BLOCK):  # nothing else of the data's size: the peak would hide what fitting adds
        part = values[start : start + BLOCK]
        common = 0.6 * generator.standard_normal((len(part), 1))
        common = common + 0.8 * generator.standard_normal((len(part), factors))
        part[:] = 0.66 * generator.standard_normal(part.shape) + 0.75 * np.repeat(common, PER_FACTOR, axis=1)
    return pd.DataFrame(values, columns=[f"x{k}" for k in range(items)], copy=False)


def model(items: int) -> str:
    names = [f"x{k}" for k in range(items)]
    blocks = [names[k : k + PER_FACTOR] for k in range(0, items, PER_FACTOR)]
    return "\n".join(f"f{k} =~ {' + '.join(own)}" for k, own in enumerate(blocks))


def milliseconds(task) -> float:
    best, spent = float("inf"), 0.0
    while spent < SECONDS:
        start = time.perf_counter()
        task()
        took = time.perf_counter() - start
        best, spent = min(best, took), spent + took
    return 1000 * best


def peak_megabytes() -> float:
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def whole(text: str, data, **options) -> None:
    """Everything that a user reads: estimates, standard errors, measures of fit."""
    import sipas_research as sr

    fit = sr.cfa(text, data, **options)
    fit.tidy()
    fit.fit_measures()


def measure(rows: int, items: int) -> None:
    import sipas_research as sr

    text = model(items)
    small = answers(2_000, items)
    whole(text, small, estimator="MLR")
    data = answers(rows, items)
    before = peak_megabytes()
    whole(text, data, estimator="MLR")
    rise = peak_megabytes() - before
    moments = sr.Moments(data.cov(), data.mean(), n=rows)
    found = [
        milliseconds(lambda: whole(text, data)),
        milliseconds(lambda: whole(text, data, estimator="MLR")),
        milliseconds(lambda: whole(text, moments)),
    ]
    size = rows * items * 8 / 1024**2
    print(f"{rows:>10,} {items:>6} {found[0]:>10.1f} {found[1]:>10.1f} {found[2]:>14.1f} {size:>9.0f} {rise:>9.0f}")


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        measure(int(sys.argv[2]), int(sys.argv[3]))
        return
    print(f"{'rows':>10} {'items':>6} {'ML ms':>10} {'MLR ms':>10} {'moments ML ms':>14} {'data MB':>9} {'rise MB':>9}")
    for items in ITEMS:
        for rows in ROWS:
            if rows * items <= MOST_CELLS:
                subprocess.run([sys.executable, __file__, "--one", str(rows), str(items)], check=True)


if __name__ == "__main__":
    main()
