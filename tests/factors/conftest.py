"""Reference items and values, read once."""

import json
from pathlib import Path

import pandas as pd
import pytest

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "factors"


@pytest.fixture(scope="session")
def items() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "items.csv")


@pytest.fixture(scope="session")
def efa_reference() -> dict:
    return json.loads((REFERENCE / "efa.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def alpha_reference() -> dict:
    return json.loads((REFERENCE / "reliability.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def polychoric() -> pd.DataFrame:
    table = json.loads((REFERENCE / "polychoric.json").read_text(encoding="utf-8"))["correlation"]
    return pd.DataFrame(table).set_index("_row") if "_row" in table[0] else pd.DataFrame(table)
