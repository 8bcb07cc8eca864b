"""Time and memory of sr.Moments from files of many rows: python tests/benchmarks/moment_streams.py FOLDER [ROWS].

Writes 41 five-point items as .csv and .parquet, then gathers their moments and fits a model of eight factors to them,
each source in a process of its own. DuckDB is tried where it is installed. Memory is the most that the process held.
"""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ITEMS, BLOCK = 41, 500_000
MODEL = "\n".join(f"f{k} =~ " + " + ".join(f"x{j}" for j in range(5 * k, 5 * k + 5)) for k in range(8))


def write(folder: Path, rows: int) -> None:
    import polars as pl

    generator = np.random.default_rng(1)
    names = [f"x{k}" for k in range(ITEMS)]
    common = generator.standard_normal((BLOCK, 1))
    factors = np.repeat(0.5 * common + 0.8 * generator.standard_normal((BLOCK, 9)), 5, axis=1)[:, :ITEMS]
    values = np.clip(np.rint(3.6 + 0.7 * factors + 0.7 * generator.standard_normal((BLOCK, ITEMS))), 1, 5)
    values = values.astype(np.int8)
    block = np.empty((BLOCK, 2 * ITEMS), dtype=np.uint8)
    block[:, 0::2], block[:, 1::2] = values + ord("0"), ord(",")
    block[:, -1] = ord("\n")
    with (folder / "rows.csv").open("wb") as sink:
        sink.write((",".join(names) + "\n").encode())
        for _ in range(rows // BLOCK):  # the same block again: what is measured is reading
            sink.write(block.tobytes())
    part = pl.LazyFrame({name: values[:, k] for k, name in enumerate(names)})
    pl.concat([part] * (rows // BLOCK)).sink_parquet(folder / "rows.parquet", row_group_size=BLOCK)


def measure(source: str, folder: Path) -> None:
    import resource  # not on Windows

    import sipas_research as sr

    start = time.perf_counter()
    if source == "csv":
        moments = sr.Moments.from_csv(folder / "rows.csv")
    elif source == "parquet":
        moments = sr.Moments.from_parquet(folder / "rows.parquet")
    else:
        import duckdb

        moments = sr.Moments.from_query(duckdb.connect(), f"SELECT * FROM '{folder / 'rows.parquet'}'")
    read = time.perf_counter()
    sr.cfa(MODEL, moments).fit_measures()
    done = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{source:8s} {moments.n:>12,} rows {read - start:8.1f} s read {done - read:8.3f} s fit {peak:8.0f} MB")


def main() -> None:
    folder = Path(sys.argv[1])
    if sys.argv[2:3] == ["--write"]:
        write(folder, int(float(sys.argv[3])))
        return
    if sys.argv[2:3] == ["--read"]:
        measure(sys.argv[3], folder)
        return
    folder.mkdir(parents=True, exist_ok=True)
    me = [sys.executable, __file__, str(folder)]
    subprocess.run([*me, "--write", sys.argv[2] if len(sys.argv) > 2 else "1e7"], check=True)
    for source in ("csv", "parquet", "duckdb"):  # a process counts what the one before it held: write apart
        if subprocess.run([*me, "--read", source], check=False).returncode:
            print(f"{source} did not run")


if __name__ == "__main__":
    main()
