"""Damaged bytes: whatever happens to a file, it is read or refused in words."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from sipas_research.errors import SipasError
from sipas_research.survey.reading import RawTable, read_table

SUFFIXES = (".csv", ".xlsx", ".sav", ".dta")
MUTATIONS = 60


def seeds() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "ma": ["P1", "P2", "P3"],
            "cau_1": [5.0, np.nan, 4.0],
            "ngay": pd.to_datetime(["2025-03-14", "2025-03-15", None]),
            "y_kien": ["Tốt, nhanh", 'có "ngoặc"', ""],
        }
    )


def write_seed(path: Path) -> bytes:
    frame = seeds()
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".xlsx":
        frame.to_excel(path, index=False)
    elif path.suffix == ".sav":
        labels = {"cau_1": {1.0: "Không", 5.0: "Có"}}
        pyreadstat.write_sav(frame, path, variable_value_labels=labels, missing_ranges={"cau_1": [9]})
    else:
        pyreadstat.write_dta(frame, path, variable_value_labels={"cau_1": {1: "Không", 5: "Có"}})
    return path.read_bytes()


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """Cut, repeat, or overwrite some bytes, as a bad copy or an editor does."""
    data = bytearray(content)
    kind = rng.integers(5)
    start, stop = sorted(int(n) for n in rng.integers(0, len(data) + 1, size=2))
    if kind == 0:
        return bytes(data[:stop])
    if kind == 1:
        del data[start : min(stop, start + 40)]
    elif kind == 2:
        data[start:start] = data[start : min(stop, start + 60)]
    elif kind == 3:
        data[start : min(start + 8, len(data))] = bytes([int(rng.choice([0, 255, 34, 44, 59, 10]))]) * 8
    else:
        for place in rng.integers(0, len(data), size=int(rng.integers(1, 9))):
            data[place] = int(rng.integers(256))
    return bytes(data)


def read_or_refused(path: Path) -> str:
    try:
        table = read_table(path)
    except SipasError as error:
        return "refused" if error.message("vi") and error.message("en") else "silent"
    assert isinstance(table, RawTable)
    assert len(table)
    table.summary("vi")
    table.summary("en")
    return "read"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_any_bytes_are_read_or_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"phieu{suffix}"
    content = write_seed(path)
    assert read_or_refused(path) == "read"
    rng = np.random.default_rng(20250701)
    outcomes = []
    for _ in range(MUTATIONS):
        path.write_bytes(mutated(content, rng))
        outcomes.append(read_or_refused(path))
    assert {"read", "refused"} >= set(outcomes)
    assert "refused" in outcomes


def test_parts_inside_a_workbook(tmp_path: Path) -> None:
    path = tmp_path / "phieu.xlsx"
    write_seed(path)
    with zipfile.ZipFile(path) as archive:
        parts = {item.filename: archive.read(item) for item in archive.infolist()}
    names = [
        name for name in parts if name.startswith("xl/w") or name.endswith((".rels", "styles.xml", "sharedStrings.xml"))
    ]
    rng = np.random.default_rng(7)
    outcomes = []
    for _ in range(MUTATIONS):
        broken = str(rng.choice(names))
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, mutated(content, rng) if name == broken else content)
        outcomes.append(read_or_refused(path))
    assert {"read", "refused"} == set(outcomes)
