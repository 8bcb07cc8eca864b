"""Time and memory of polychoric correlations against rows: python tests/benchmarks/polychoric_rows.py [rows ...].

Each size runs in a process of its own on seeded five-point answers to 22 items, one byte an answer. Printed:
seconds for ``sr.polychoric`` and for its joint covariance (a second pass), the size of the data and how far
memory rose above it.
"""

import subprocess
import sys
import time

import numpy as np
import pandas as pd

ITEMS, FACTORS, BLOCK = 22, 5, 10_000
COVARIANCE_ROWS = 1_000_000
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)


def answers(rows: int) -> pd.DataFrame:
    generator = np.random.default_rng(20)
    codes = np.empty((ITEMS, rows), dtype=np.int8)
    cuts = np.array([-1.8, -1.0, 0.0, 1.1])
    for start in range(0, rows, BLOCK):
        size = min(BLOCK, rows - start)
        factors = 0.6 * generator.normal(size=(1, size)) + 0.8 * generator.normal(size=(FACTORS, size))
        latent = 0.75 * factors[np.arange(ITEMS) % FACTORS]
        latent += np.sqrt(1.0 - 0.75**2) * generator.normal(size=(ITEMS, size))
        codes[:, start : start + size] = np.searchsorted(cuts, latent) + 1
    return pd.DataFrame(codes.T, columns=[f"item_{place}" for place in range(1, ITEMS + 1)], copy=False)


def peak_megabytes() -> float:
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(rows: int) -> None:
    import sipas_research as sr

    data = answers(rows)
    sr.polychoric(data.iloc[:2000])
    before = peak_megabytes()
    start = time.perf_counter()
    found = sr.polychoric(data)
    found.tidy()
    plain = time.perf_counter() - start
    rise = peak_megabytes() - before
    joint = float("nan")
    if rows <= COVARIANCE_ROWS:
        start = time.perf_counter()
        sr.polychoric(data, covariance=True)
        joint = time.perf_counter() - start
    size = rows * ITEMS / 1024**2
    print(f"{rows:>10,} {plain:9.3f} {joint:12.3f} {size:9.0f} {rise:9.0f}")


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        measure(int(sys.argv[2]))
        return
    print(f"{'rows':>10} {'seconds':>9} {'+covariance':>12} {'data MB':>9} {'rise MB':>9}")
    for rows in [int(text) for text in sys.argv[1:]] or SIZES:
        subprocess.run([sys.executable, __file__, "--one", str(rows)], check=True)


if __name__ == "__main__":
    main()
